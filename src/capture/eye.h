/* eye: the frames of one sensor → packets that count. Every frame is counted or refused under one reason in the account, so
 * that what came in is what went on plus the reasons. The same for files and for the live ring. */
#ifndef TEITEN_EYE_H
#define TEITEN_EYE_H

#include "capture/refusal.h"

#include <stddef.h>

struct account;
struct eye;
struct frame;
struct packet;
struct reading;

struct eye *eye_open(const struct reading *how);        /* borrowed */
void eye_close(struct eye *e);                          /* NULL is fine */
/* Looks at one frame: REFUSAL_NONE when it counts, and out is its packet. */
enum refusal eye_see(struct eye *e, const struct frame *f, struct account *a, struct packet *out);
/* Marks what packets that were seen tell together, in the order in which they came. */
void eye_relate(struct eye *e, struct packet *list, size_t n);
int eye_unknown_link(const struct eye *e);              /* the last link type that is not read; -1 for none */

#endif
