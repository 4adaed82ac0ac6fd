/* wire: how processes of one machine ask a store through a unix socket. One request a connection; frames with a length in
 * front (doc/keep-protocol.md). Not for the network: whoever may open the socket may ask everything. */
#ifndef TEITEN_WIRE_H
#define TEITEN_WIRE_H

#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;
struct reader;

enum { WIRE_BYTES_MAX = 128 << 20 };
enum wire { WIRE_ASK = 1, WIRE_PUT, WIRE_ROWS, WIRE_FACTS, WIRE_SENSOR, WIRE_EPOCH, WIRE_CHECK, WIRE_SURGES, WIRE_FINDINGS, WIRE_JUDGE, WIRE_DONE = 64, WIRE_MORE, WIRE_ERROR };

bool wire_send(int fd, enum wire kind, const struct buf *payload, struct err *e);
/* Fills payload (cleared before); false also when the peer has hung up. */
bool wire_receive(int fd, uint8_t *kind, struct buf *payload, struct err *e);

/* How long to wait for each piece of what the other side sends, and takes. */
void wire_patience(int fd, unsigned receive_s, unsigned send_s);

void facts_encode(const struct facts *f, struct buf *out);
bool facts_decode(struct facts *f, struct reader *r, struct err *e);
void sensor_encode(const struct sensor *s, struct buf *out);
bool sensor_decode(struct sensor *s, struct reader *r);

struct surge_revision;
void surges_encode(const struct surge_revision *list, size_t n, struct buf *out);
bool surges_decode(struct surge_revision **list, size_t *n, struct reader *r, struct err *e);  /* the caller frees the list */

struct robust_finding;
void findings_encode(const struct robust_finding *list, size_t n, struct buf *out);
bool findings_decode(struct robust_finding **list, size_t *n, struct reader *r, struct err *e);

/* Connects to a keep's socket; -1 with e. */
int wire_connect(const char *path, struct err *e);
/* Makes the socket (mode 0660, replacing a dead one), which is not answered yet; -1 with e. */
int wire_bind(const char *path, struct err *e);
bool wire_listen(int fd, struct err *e);
/* Answers the one request of an accepted connection; false only when the peer is gone. Does not close fd. */
bool wire_answer(struct store *s, int fd, struct err *e);

#endif
