#include "base/sign.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

static const char key_head[] = "ed25519:", secret_head[] = "teiten-secret-ed25519:";

enum { SEED_BYTES = crypto_sign_SEEDBYTES, SECRET_TEXT_MAX = 128 };

_Static_assert(sizeof(struct sign_key) == crypto_sign_PUBLICKEYBYTES && sizeof(struct sign_secret) == crypto_sign_SECRETKEYBYTES,
	"libsodium's sizes");

static void from_seed(const uint8_t seed[SEED_BYTES], struct sign_secret *out)
{
	struct sign_key k;

	(void)crypto_sign_seed_keypair(k.b, out->b, seed);
}

void sign_make(struct sign_secret *out)
{
	uint8_t seed[SEED_BYTES];

	secret_fill(seed, sizeof seed);
	from_seed(seed, out);
	sodium_memzero(seed, sizeof seed);
}

struct sign_key sign_public(const struct sign_secret *s)
{
	struct sign_key k;

	(void)crypto_sign_ed25519_sk_to_pk(k.b, s->b);
	return k;
}

void sign_bytes(const struct sign_secret *s, const void *bytes, size_t len, uint8_t out[SIGNATURE_BYTES])
{
	(void)crypto_sign_detached(out, NULL, bytes, len, s->b);
}

bool sign_holds(const struct sign_key *k, const void *bytes, size_t len, const uint8_t signature[SIGNATURE_BYTES])
{
	return crypto_sign_verify_detached(signature, bytes, len, k->b) == 0;
}

uint64_t sign_pseudonym(const struct sign_secret *s, const void *bytes, size_t len)
{
	uint8_t hash[16];
	uint64_t v;

	(void)crypto_generichash(hash, sizeof hash, bytes, len, s->b, SEED_BYTES);
	memcpy(&v, hash, sizeof v);
	return v;
}

const char *sign_key_text(const struct sign_key *k, char out[SIGN_KEY_TEXT_MAX])
{
	char text[BASE64_TEXT_MAX];

	(void)snprintf(out, SIGN_KEY_TEXT_MAX, "%s%.44s", key_head, base64_text(k->b, sizeof k->b, text));
	return out;
}

bool sign_key_parse(const char *text, struct sign_key *out)
{
	size_t head = sizeof key_head - 1;

	return !strncmp(text, key_head, head) && base64_parse(text + head, strlen(text + head), out->b, sizeof out->b);
}

bool sign_key_is_sound(const struct sign_key *k)
{
	return crypto_core_ed25519_is_valid_point(k->b) == 1;
}

bool sign_secret_write(const char *path, const struct sign_secret *s, struct err *e)
{
	char text[SECRET_TEXT_MAX], seed[BASE64_TEXT_MAX];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(e, "cannot make %s", path);
	int len = snprintf(text, sizeof text, "%s%s\n", secret_head, base64_text(s->b, SEED_BYTES, seed));
	bool ok = write(fd, text, (size_t)len) == len && fsync(fd) == 0;
	if (!ok)
		err_errno(e, "cannot write %s", path);
	sodium_memzero(text, sizeof text);
	sodium_memzero(seed, sizeof seed);
	(void)close(fd);
	if (!ok)
		(void)unlink(path);     /* half a key would stand in the way of a whole one */
	return ok;
}

bool sign_secret_read(const char *path, struct sign_secret *out, struct err *e)
{
	struct buf text = buf_make(SECRET_TEXT_MAX);
	size_t head = sizeof secret_head - 1;
	uint8_t seed[SEED_BYTES];
	struct stat st;
	bool ok = false;

	if (!file_read(path, &text, e))
		goto out;
	if (stat(path, &st) == 0 && st.st_mode & (S_IRWXG | S_IRWXO)) {
		err_set(e, "%s can be read by others", path);
		err_expected(e, "chmod 600 %s; or a new key, if somebody may have read it", path);
		goto out;
	}
	(void)buf_cstr(&text);
	const char *line = (const char *)text.at;
	ok = !strncmp(line, secret_head, head) && base64_parse(line + head, strcspn(line + head, "\r\n"), seed, sizeof seed);
	if (ok)
		from_seed(seed, out);
	else
		err_set(e, "%s is not a key of ours", path);
	sodium_memzero(seed, sizeof seed);
out:
	if (text.at)
		sodium_memzero(text.at, text.len);
	buf_release(&text);
	return ok;
}

void sha512_of(const void *bytes, size_t len, uint8_t out[SHA512_BYTES])
{
	(void)crypto_hash_sha512(out, bytes, len);
}

const char *base64_text(const uint8_t *bytes, size_t len, char out[BASE64_TEXT_MAX])
{
	assert(len <= SIGNATURE_BYTES);
	return sodium_bin2base64(out, BASE64_TEXT_MAX, bytes, len, sodium_base64_VARIANT_ORIGINAL);
}

bool base64_parse(const char *text, size_t text_len, uint8_t *out, size_t len)
{
	size_t got = 0;

	return sodium_base642bin(out, len, text, text_len, NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 && got == len;
}
