#include "link/letter.h"

#include "base/bytes.h"
#include "base/num.h"

#include <inttypes.h>

static const char root[] = "/v1/batches/", parts[] = "(\"@method\" \"@path\" \"content-digest\" \"content-length\")";
static const char digest_head[] = "sha-512=:", signature_head[] = "sig1=:", created_head[] = ";created=";

enum { BASE_MAX = 1024, SERIAL_MAX_DIGITS = 20 };

const char *letter_path(const struct letter *l, char out[LETTER_PATH_MAX])
{
	(void)snprintf(out, LETTER_PATH_MAX, "%s%s/%016" PRIx64 "/%" PRIu64, root, l->sensor, l->epoch, l->serial);
	return out;
}

static bool hex16(const char *text, uint64_t *out)
{
	*out = 0;
	for (int i = 0; i < 16; i++) {
		const char *digits = "0123456789abcdef", *at = text[i] ? strchr(digits, text[i]) : NULL;

		if (!at)
			return false;
		*out = *out << 4 | (uint64_t)(at - digits);
	}
	return true;
}

bool letter_parse(const char *path, struct letter *out)
{
	char again[LETTER_PATH_MAX];
	size_t len;

	*out = (struct letter){ 0 };
	if (strncmp(path, root, sizeof root - 1) != 0)
		return false;
	const char *name = path + sizeof root - 1;
	len = strcspn(name, "/");
	if (len == 0 || len >= sizeof out->sensor || name[len] != '/')
		return false;
	memcpy(out->sensor, name, len);
	const char *epoch = name + len + 1;
	return sensor_name_valid(out->sensor) && strnlen(epoch, 18) > 17 && hex16(epoch, &out->epoch) && epoch[16] == '/' &&
		num_whole(epoch + 17, 1, UINT64_MAX, &out->serial) && !strcmp(letter_path(out, again), path);
}

static void input_of(const struct letter *l, int64_t created_s, char out[LETTER_HEAD_MAX])
{
	(void)snprintf(out, LETTER_HEAD_MAX, "sig1=%s%s%" PRId64 ";keyid=\"%s\";alg=\"ed25519\"", parts, created_head, created_s, l->sensor);
}

/* RFC 9421 2.5: what is signed, line by line. */
static size_t base_of(const struct letter *l, const struct letter_heads *heads, size_t len, char out[BASE_MAX])
{
	char path[LETTER_PATH_MAX];
	int n = snprintf(out, BASE_MAX, "\"@method\": PUT\n\"@path\": %s\n\"content-digest\": %s\n\"content-length\": %zu\n\"@signature-params\": %s",
		letter_path(l, path), heads->content_digest, len, heads->signature_input + strlen("sig1="));

	return (size_t)n;
}

static void digest_text(const void *body, size_t len, char out[LETTER_HEAD_MAX])
{
	uint8_t hash[SHA512_BYTES];
	char text[BASE64_TEXT_MAX];

	sha512_of(body, len, hash);
	(void)snprintf(out, LETTER_HEAD_MAX, "%s%s:", digest_head, base64_text(hash, sizeof hash, text));
}

void letter_sign(const struct letter *l, const void *body, size_t len, const struct sign_secret *secret, int64_t now_s,
	struct letter_heads *out)
{
	uint8_t signature[SIGNATURE_BYTES];
	char base[BASE_MAX], text[BASE64_TEXT_MAX];

	digest_text(body, len, out->content_digest);
	input_of(l, now_s, out->signature_input);
	sign_bytes(secret, base, base_of(l, out, len, base), signature);
	(void)snprintf(out->signature, LETTER_HEAD_MAX, "%s%s:", signature_head, base64_text(signature, sizeof signature, text));
}

void letter_lines(const struct letter_heads *heads, char out[LETTER_LINES][LETTER_LINE_MAX])
{
	(void)snprintf(out[0], LETTER_LINE_MAX, "Content-Digest: %s", heads->content_digest);
	(void)snprintf(out[1], LETTER_LINE_MAX, "Signature-Input: %s", heads->signature_input);
	(void)snprintf(out[2], LETTER_LINE_MAX, "Signature: %s", heads->signature);
}

bool letter_created(const struct letter *l, const struct letter_heads *heads, int64_t *out)
{
	char digits[SERIAL_MAX_DIGITS], again[LETTER_HEAD_MAX];
	const char *at = strstr(heads->signature_input, created_head);
	size_t len = at ? strspn(at += sizeof created_head - 1, "0123456789") : 0;
	uint64_t created;

	if (len == 0 || len >= sizeof digits)
		return false;
	memcpy(digits, at, len);
	digits[len] = '\0';
	if (!num_whole(digits, 0, INT64_MAX, &created))
		return false;
	*out = (int64_t)created;
	input_of(l, *out, again);
	return !strcmp(again, heads->signature_input);
}

bool letter_holds(const struct letter *l, const struct letter_heads *heads, size_t len, const struct sign_key *key)
{
	uint8_t signature[SIGNATURE_BYTES];
	char base[BASE_MAX];
	size_t head = sizeof signature_head - 1, n = strlen(heads->signature);
	int64_t created;

	return letter_created(l, heads, &created) && n > head + 1 && !memcmp(heads->signature, signature_head, head) &&
		heads->signature[n - 1] == ':' && base64_parse(heads->signature + head, n - head - 1, signature, sizeof signature) &&
		sign_holds(key, base, base_of(l, heads, len, base), signature);
}

bool letter_body_holds(const struct letter_heads *heads, const void *body, size_t len)
{
	char text[LETTER_HEAD_MAX];

	digest_text(body, len, text);
	return !strcmp(text, heads->content_digest);
}
