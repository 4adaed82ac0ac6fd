/* What goes from a sensor to a centre: signatures, letters, the list of who may deliver, the memory of what came. */
#include "test.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/sign.h"
#include "link/enrolled.h"
#include "link/ledger.h"
#include "link/letter.h"
#include "link/sender.h"

static const char key_line[] = "kyoto-1 ed25519:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";

/* RFC 9421 B.2.6: another's signature over such lines. */
TEST(signatures_are_those_of_the_rfc)
{
	static const char base[] = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\"@authority\": example.com\n"
		"\"content-type\": application/json\n\"content-length\": 18\n\"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" "
		"\"content-type\" \"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
	static const char text[] = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";
	uint8_t signature[SIGNATURE_BYTES];
	char again[SIGN_KEY_TEXT_MAX];
	struct sign_key key;

	CHECK(sign_key_parse(key_line + 8, &key));
	CHECK_TEXT(sign_key_text(&key, again), key_line + 8);
	CHECK(base64_parse(text, strlen(text), signature, sizeof signature));
	CHECK(sign_holds(&key, base, strlen(base), signature));
	signature[5] ^= 1;
	CHECK(!sign_holds(&key, base, strlen(base), signature));
	CHECK(!base64_parse(text, strlen(text) - 1, signature, sizeof signature));
	CHECK(!sign_key_parse("ed25519:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs", &key));
}

TEST(letters_hold_only_as_they_were_written)
{
	struct letter l = { .sensor = "kyoto-1", .epoch = 0xabc, .serial = 7 }, other;
	const char body[] = "the bytes of a batch";
	struct letter_heads heads, wrong;
	struct sign_secret secret, strange;
	char path[LETTER_PATH_MAX];
	int64_t created;

	sign_make(&secret);
	sign_make(&strange);
	struct sign_key key = sign_public(&secret), strangers = sign_public(&strange);
	CHECK_TEXT(letter_path(&l, path), "/v1/batches/kyoto-1/0000000000000abc/7");
	CHECK(letter_parse(path, &other) && other.epoch == l.epoch && other.serial == 7);
	letter_sign(&l, body, sizeof body, &secret, 1795615443, &heads);
	CHECK(letter_created(&l, &heads, &created) && created == 1795615443);
	CHECK(letter_holds(&l, &heads, sizeof body, &key));
	CHECK(letter_body_holds(&heads, body, sizeof body));
	CHECK(!letter_holds(&l, &heads, sizeof body, &strangers));
	CHECK(!letter_holds(&l, &heads, sizeof body - 1, &key));
	CHECK(!letter_body_holds(&heads, body, sizeof body - 1));
	other.serial = 8;
	CHECK(!letter_holds(&other, &heads, sizeof body, &key));
	wrong = heads;
	wrong.signature_input[strlen("sig1=(\"@method\"")] = '_';
	CHECK(!letter_created(&l, &wrong, &created) && !letter_holds(&l, &wrong, sizeof body, &key));
	wrong = heads;
	wrong.content_digest[12] ^= 1;
	CHECK(!letter_holds(&l, &wrong, sizeof body, &key) && !letter_body_holds(&wrong, body, sizeof body));
	wrong = heads;
	wrong.signature[0] = '\0';
	CHECK(!letter_holds(&l, &wrong, sizeof body, &key));
}

TEST(letters_have_one_address_each)
{
	static const char *const wrong[] = { "", "/", "/v1/batches/", "/v1/batches/a", "/v1/batches/a/0000000000000abc", "/v1/batches/a/0000000000000abc/",
		"/v1/batches/a/0000000000000abc/0", "/v1/batches/a/0000000000000abc/01", "/v1/batches/a/0000000000000ABC/1", "/v1/batches/a/abc/1",
		"/v1/batches/a/0000000000000abc/1/", "/v1/batches/a/0000000000000abc/1?x", "/v1/batches/-a/0000000000000abc/1", "/v1/batches/a%20/0000000000000abc/1",
		"/v1/batches//0000000000000abc/1", "/v1/batches/a/0000000000000abc/18446744073709551616", "/v2/batches/a/0000000000000abc/1" };
	struct letter l;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (letter_parse(wrong[i], &l))
			test_failed(__FILE__, __LINE__, "\"%s\" is taken", wrong[i]);
}

TEST(enrolled_lines_are_read_and_written_again)
{
	struct buf text = buf_make(1 << 12);
	struct enrolled all;
	struct err e;

	buf_printf(&text, "# who may deliver\n\n  %s number=3 addresses=16 addresses6=2 group=north from=2026-01-01 until=2027-01-01 # in the cellar\r\n", key_line);
	CHECK_OK(enrolled_parse(&all, buf_cstr(&text), &e));
	CHECK_WHOLE(all.len, 1);
	const struct enrolment *one = enrolled_find(&all, "kyoto-1");
	CHECK(one != NULL && enrolled_find(&all, "kyoto") == NULL);
	CHECK_WHOLE(one->number, 3);
	CHECK_WHOLE(one->addresses, 16);
	CHECK_WHOLE(one->addresses6, 2);
	CHECK_WHOLE(span_minutes(one->valid), 365 * MINUTES_PER_DAY);
	buf_clear(&text);
	enrolment_text(one, &text);
	CHECK(strstr(buf_cstr(&text), "number=3 addresses=16 addresses6=2 group=north from=2026-01-01 until=2027-01-01 # in the cellar\n") != NULL);
	enrolled_release(&all);
	buf_release(&text);
}

TEST(enrolled_notes_are_cut_between_characters)
{
	struct enrolled again;
	struct enrolment one;
	struct buf text = buf_make(1 << 12);
	struct err e;

	buf_printf(&text, "%s # x", key_line);
	for (unsigned i = 0; i < NOTE_MAX; i++)
		buf_str(&text, "観");
	CHECK_OK(enrolment_parse(&one, buf_cstr(&text), &e));
	CHECK_WHOLE(strlen(one.note), 1 + (NOTE_MAX - 2) / 3 * 3);
	buf_clear(&text);
	enrolment_text(&one, &text);
	CHECK_OK(enrolled_parse(&again, buf_cstr(&text), &e));
	CHECK_TEXT(again.list[0].note, one.note);
	enrolled_release(&again);
	buf_release(&text);
}

TEST(enrolled_says_which_line_is_wrong)
{
	static const struct { const char *more, *says; } wrong[] = {
		{ "x", "line 2" }, { "-x ed25519:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=", "line 2" }, { "b ed25519:abc", "no key" },
		{ "kyoto-1 ed25519:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bt=", "no key" },
		{ "b ed25519:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=", "the key is that of kyoto-1" },
		{ "kyoto-1 ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "kyoto-1 is there twice" },
		{ "b ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= adresses=3", "unknown setting" },
		{ "b ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= addresses=x", "not a number" },
		{ "b ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= addresses=0", "no address" },
		{ "b ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= until=soon", "until" },
		{ "b ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= open", "not a setting" },
		{ "b ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= from=2026-02-01 until=2026-01-01", "from= is after until=" },
		{ "b ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= number=1 number=2", "number= comes twice" },
		{ "b ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= group=a addresses=2 group=a", "group= comes twice" },
		{ "b ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "nobody's key" },
		{ "b ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= # caf\xe9", "not UTF-8" },
		{ "# caf\xe9", "not UTF-8" },
	};
	char told[ERR_TEXT_MAX];
	struct enrolled all;
	struct err e;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct buf text = buf_make(1 << 12);

		buf_printf(&text, "%s\n%s\n", key_line, wrong[i].more);
		CHECK(!enrolled_parse(&all, buf_cstr(&text), &e));
		if (!strstr(err_text(&e, told), wrong[i].says) || !strstr(told, "line 2"))
			test_failed(__FILE__, __LINE__, "\"%s\" is told as \"%s\"", wrong[i].more, told);
		buf_release(&text);
	}
}

TEST(ledger_knows_what_came_in_whatever_order)
{
	enum { SERIALS = 3000 };
	struct ledger l = { 0 };
	static bool came[SERIALS + 2];
	uint64_t seed = 5;

	for (int i = 0; i < 20000; i++) {
		uint64_t serial = 1 + test_random(&seed) % SERIALS;

		CHECK_WHOLE(ledger_has(&l, 9, serial), came[serial]);
		if (test_random(&seed) % 3) {
			ledger_add(&l, 9, serial);
			came[serial] = true;
		}
	}
	CHECK(!ledger_has(&l, 8, 1));
	for (size_t i = 1; i < l.epochs[0].len; i++)
		CHECK(l.epochs[0].runs[i - 1].until < l.epochs[0].runs[i].from);        /* apart, or they would be one */
	ledger_release(&l);
}

TEST(ledger_is_bounded)
{
	struct ledger l = { 0 };

	for (uint64_t i = 0; i < LEDGER_RUNS_MAX * 2; i++)
		ledger_add(&l, 1, 2 * i);
	CHECK_WHOLE(l.epochs[0].len, LEDGER_RUNS_MAX);
	CHECK(ledger_has(&l, 1, 4 * LEDGER_RUNS_MAX - 2) && !ledger_has(&l, 1, 0));
	for (uint64_t epoch = 2; epoch < LEDGER_EPOCHS_MAX + 3; epoch++) {
		ledger_add(&l, epoch, 1);
		ledger_add(&l, 3, epoch);       /* one that goes on being used stays */
	}
	CHECK_WHOLE(l.len, LEDGER_EPOCHS_MAX);
	CHECK(!ledger_has(&l, 1, 4 * LEDGER_RUNS_MAX - 2) && ledger_has(&l, 3, 2));
	ledger_release(&l);
}

TEST(sender_goes_nowhere_without_encryption)
{
	static const char *const taken[] = { "https://centre.example", "https://centre.example:8443/", "http://127.0.0.1:8026", "http://[::1]:8026", "http://localhost/" };
	static const char *const refused[] = { "", "https://", "http://centre.example", "http://127.0.0.1.example/", "http://localhosts", "ftp://127.0.0.1", "centre.example:8443",
		"https://centre.example:9443/path?x", "https://centre.example:9443/#x", "https://centre.example/?" };
	struct err e;

	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		CHECK_OK(sender_may_go_to(taken[i], &e));
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (sender_may_go_to(refused[i], &e))
			test_failed(__FILE__, __LINE__, "\"%s\" is taken", refused[i]);
}
