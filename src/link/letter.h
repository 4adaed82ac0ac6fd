/* letter: how a batch is addressed and signed on its way to a centre: HTTP message signatures (RFC 9421) over one fixed list
 * of parts, and a digest of the body (RFC 9530). Pure; doc/link.md has it for others. */
#ifndef TEITEN_LETTER_H
#define TEITEN_LETTER_H

#include "base/sign.h"
#include "core/batch.h"

enum { LETTER_PATH_MAX = 112, LETTER_HEAD_MAX = 256, LETTER_LINES = 3, LETTER_LINE_MAX = LETTER_HEAD_MAX + 32 };

struct letter { char sensor[SENSOR_NAME_MAX]; uint64_t epoch, serial; };        /* which batch it carries */

/* What the headers of that name hold. */
struct letter_heads { char content_digest[LETTER_HEAD_MAX], signature_input[LETTER_HEAD_MAX], signature[LETTER_HEAD_MAX]; };

/* "/v1/batches/NAME/EPOCH/SERIAL", the epoch in 16 hexadecimal digits. */
const char *letter_path(const struct letter *l, char out[LETTER_PATH_MAX]);
bool letter_parse(const char *path, struct letter *out);
/* Heads for a body, signed at that time. */
void letter_sign(const struct letter *l, const void *body, size_t len, const struct sign_secret *secret, int64_t now_s,
	struct letter_heads *out);
/* The headers as lines of a request, "Name: value". */
void letter_lines(const struct letter_heads *heads, char out[LETTER_LINES][LETTER_LINE_MAX]);
/* When it says that it was signed; false: the heads are not of the one form that we take. */
bool letter_created(const struct letter *l, const struct letter_heads *heads, int64_t *out);
/* Whether the key's owner signed these heads for a body of that length; the body itself is letter_body_holds'. */
bool letter_holds(const struct letter *l, const struct letter_heads *heads, size_t len, const struct sign_key *key);
bool letter_body_holds(const struct letter_heads *heads, const void *body, size_t len);

#endif
