/* An address and three heads from anywhere, a line each: no key's owner signed them, and an address that is accepted is the one
 * that we would write. */
#include "base/bytes.h"
#include "link/letter.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void take_line(const char **text, char *out, size_t cap)
{
	size_t n = strcspn(*text, "\n");

	(void)snprintf(out, cap, "%.*s", (int)n, *text);
	*text += n + ((*text)[n] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct sign_key key = { { 1, 2, 3 } };
	struct buf in = buf_make(1 << 20);
	struct letter_heads heads;
	char path[1024], again[LETTER_PATH_MAX];
	struct letter l;
	int64_t created;

	buf_bytes(&in, bytes, len);
	const char *text = in.ok ? buf_cstr(&in) : "";
	take_line(&text, path, sizeof path);
	take_line(&text, heads.content_digest, sizeof heads.content_digest);
	take_line(&text, heads.signature_input, sizeof heads.signature_input);
	take_line(&text, heads.signature, sizeof heads.signature);
	if (letter_parse(path, &l)) {
		if (strcmp(letter_path(&l, again), path) != 0)
			abort();
		(void)letter_created(&l, &heads, &created);
		if (letter_holds(&l, &heads, len, &key))
			abort();
		(void)letter_body_holds(&heads, bytes, len);
	}
	buf_release(&in);
	return 0;
}
