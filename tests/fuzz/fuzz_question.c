/* Query strings from anywhere: what is accepted can be written and read again. */
#include "base/bytes.h"
#include "base/err.h"
#include "base/zone.h"
#include "core/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct zone_rule rules[] = { { 0, 540 }, { 20000000, 600 } };
	static const struct zone zone = { .name = "Test/Zone", .len = 2, .rules = rules };
	struct span held = { 18000000, 19000000 };
	struct buf in = buf_make(1 << 20), out = buf_make(1 << 16);
	struct question q, again;
	struct err e;

	buf_bytes(&in, bytes, len);
	question_init(&q);
	if (in.ok && question_parse(&q, buf_cstr(&in), NULL, &e) && question_settle(&q, &zone, held, &e)) {
		question_text(&q, &zone, &out);
		question_init(&again);
		if (!question_parse(&again, buf_cstr(&out), NULL, &e) || !question_settle(&again, &zone, held, &e) ||
			again.span.from != q.span.from || again.span.until != q.span.until)
			abort();
	}
	buf_release(&in);
	buf_release(&out);
	return 0;
}
