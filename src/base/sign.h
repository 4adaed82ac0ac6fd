/* sign: Ed25519 signatures (RFC 8032) and SHA-512, for what goes from one machine to another. Beside digest the only includer
 * of libsodium. */
#ifndef TEITEN_SIGN_H
#define TEITEN_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum {
	SIGNATURE_BYTES = 64, SHA512_BYTES = 64,
	SIGN_KEY_TEXT_MAX = 56,                 /* "ed25519:" and 44 characters of base64 */
	BASE64_TEXT_MAX = 92,                   /* of 64 bytes, with the NUL */
};

struct sign_key { uint8_t b[32]; };             /* public: who has it can tell what its secret signed */
struct sign_secret { uint8_t b[64]; };          /* never leaves its machine */

void sign_make(struct sign_secret *out);
struct sign_key sign_public(const struct sign_secret *s);
void sign_bytes(const struct sign_secret *s, const void *bytes, size_t len, uint8_t out[SIGNATURE_BYTES]);
bool sign_holds(const struct sign_key *k, const void *bytes, size_t len, const uint8_t signature[SIGNATURE_BYTES]);
/* A hash of the bytes that only who has the secret can make, or tell from another's: names something without naming it. */
uint64_t sign_pseudonym(const struct sign_secret *s, const void *bytes, size_t len);

const char *sign_key_text(const struct sign_key *k, char out[SIGN_KEY_TEXT_MAX]);
bool sign_key_parse(const char *text, struct sign_key *out);
/* False for bytes that can be nobody's key, such as zeroes: no point of the curve, or one of the few that have no secret. */
bool sign_key_is_sound(const struct sign_key *k);
/* A file that only its owner may read; writing never replaces one that is there. */
bool sign_secret_write(const char *path, const struct sign_secret *s, struct err *e);
bool sign_secret_read(const char *path, struct sign_secret *out, struct err *e);

void sha512_of(const void *bytes, size_t len, uint8_t out[SHA512_BYTES]);
/* Standard base64 with padding (RFC 4648 4) of up to 64 bytes; reading takes exactly len bytes. */
const char *base64_text(const uint8_t *bytes, size_t len, char out[BASE64_TEXT_MAX]);
bool base64_parse(const char *text, size_t text_len, uint8_t *out, size_t len);

#endif
