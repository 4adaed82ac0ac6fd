/* The side of the wire that holds the store: one request in, one answer out. */
#include "store/wire.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/history.h"

static bool do_ask(struct store *s, struct reader *r, struct buf *out, struct err *e)
{
	char text[QUESTION_TEXT_MAX];
	struct question q;
	struct answer a;

	question_init(&q);
	if (!read_text(r, text, sizeof text))
		return err_asked(e, "the question is cut or too long");
	if (!question_parse(&q, text, NULL, e) || !store_ask(s, &q, &a, e))
		return false;
	answer_encode(&a, out);
	answer_release(&a);
	return true;
}

static bool do_put(struct store *s, struct reader *r, struct buf *out, struct err *e)
{
	enum { GROUP_MAX = 4096 };
	uint64_t n = read_varint(r);
	bool ok = false;

	if (!r->ok || n > GROUP_MAX)
		return err_set(e, "too many batches at once");
	struct batch *batches = mem_zero((size_t)n, sizeof *batches);
	const struct batch **list = mem_zero((size_t)n, sizeof *list);
	enum stored *each = mem_zero((size_t)n, sizeof *each);
	for (size_t i = 0; i < n; i++) {
		uint32_t len = read_u32le(r);
		const uint8_t *bytes = read_bytes(r, len);

		list[i] = &batches[i];
		if (!bytes || !batch_decode(&batches[i], bytes, len, e)) {
			if (!bytes)
				err_set(e, "the batches are cut");
			goto out;
		}
	}
	ok = store_put(s, list, (size_t)n, each, e);
	for (size_t i = 0; i < n; i++)
		buf_u8(out, (uint8_t)each[i]);
out:
	for (size_t i = 0; i < n; i++)
		batch_release(&batches[i]);
	free(batches);
	free(list);
	free(each);
	return ok;
}

struct rows_to { int fd; struct buf frame; bool ok; struct err *e; };

/* One frame a run of rows: the sensor, how many, and each row at fixed width. */
static bool send_rows(void *to, const char *sensor, const struct tuple *rows, size_t n)
{
	struct rows_to *t = to;

	buf_clear(&t->frame);
	buf_text(&t->frame, sensor);
	buf_varint(&t->frame, n);
	for (size_t i = 0; i < n; i++) {
		const struct tuple *r = &rows[i];

		buf_bytes(&t->frame, r->src.b, 16);
		buf_u32le(&t->frame, r->minute);
		buf_u16le(&t->frame, r->port);
		buf_u8(&t->frame, r->proto);
		buf_u8(&t->frame, r->flags);
		buf_u8(&t->frame, r->mark);
		buf_u8(&t->frame, r->kind);
		buf_u8(&t->frame, r->ttl);
		buf_u8(&t->frame, r->dsts);
		buf_u16le(&t->frame, r->sport);
		buf_u32le(&t->frame, r->packets);
		buf_u64le(&t->frame, r->bytes);
	}
	t->ok = wire_send(t->fd, WIRE_MORE, &t->frame, t->e);
	return t->ok;
}

static bool do_rows(struct store *s, struct reader *r, int fd, struct err *e)
{
	struct rows_to to = { .fd = fd, .frame = buf_make(WIRE_BYTES_MAX), .ok = true, .e = e };
	char text[QUESTION_TEXT_MAX];
	struct question q;

	question_init(&q);
	bool ok = read_text(r, text, sizeof text) ? question_parse(&q, text, NULL, e) : err_asked(e, "the question is cut or too long");
	ok = ok && store_rows(s, &q, send_rows, &to, e) && to.ok;
	buf_release(&to.frame);
	return ok;
}

static bool do_findings(struct store *s, struct reader *r, struct buf *out, struct err *e)
{
	uint32_t from = read_u32le(r), until = read_u32le(r), port = read_u32le(r);
	struct robust_finding *list = NULL;
	size_t n;

	if (!r->ok)
		return err_asked(e, "the request is cut");
	bool ok = store_findings(s, from, until, port, &list, &n, e);
	if (ok)
		findings_encode(list, n, out);
	free(list);
	return ok;
}

static bool do_surges(struct store *s, struct reader *r, struct buf *out, struct err *e)
{
	struct surge_revision *list = NULL;
	char id[SURGE_ID_MAX];
	size_t n;

	if (!read_text(r, id, sizeof id))
		return err_asked(e, "the surge's name is cut or too long");
	bool ok = store_surges(s, id[0] ? id : NULL, &list, &n, e);
	if (ok)
		surges_encode(list, n, out);
	free(list);
	return ok;
}

static bool do_judge(struct store *s, struct reader *r, struct err *e)
{
	char id[SURGE_ID_MAX], verdict[16], by[2 * SURGE_NAME_MAX], note[2 * SURGE_NOTE_MAX];
	struct surge_judgement j;

	if (!read_text(r, id, sizeof id) || !read_text(r, verdict, sizeof verdict) || !read_text(r, by, sizeof by) || !read_text(r, note, sizeof note))
		return err_asked(e, "the verdict is cut or too long");
	return surge_judgement(&j, id, verdict, by, note, e) && store_judge(s, &j, e);
}

static bool do_request(struct store *s, uint8_t kind, struct reader *r, int fd, struct buf *out, struct err *e)
{
	struct facts f;
	struct sensor sensor;
	uint64_t number;

	switch (kind) {
	case WIRE_ASK: return do_ask(s, r, out, e);
	case WIRE_PUT: return do_put(s, r, out, e);
	case WIRE_ROWS: return do_rows(s, r, fd, e);
	case WIRE_FACTS:
		if (!store_facts(s, &f, e))
			return false;
		facts_encode(&f, out);
		facts_release(&f);
		return true;
	case WIRE_SENSOR:
		return sensor_decode(&sensor, r) ? store_sensor(s, &sensor, e) : err_set(e, "the sensor is cut");
	case WIRE_EPOCH:
		number = read_u64le(r);
		if (!r->ok || !store_epoch(s, number, &number, e))
			return false;
		buf_u64le(out, number);
		return true;
	case WIRE_FINDINGS:
		return do_findings(s, r, out, e);
	case WIRE_SURGES:
		return do_surges(s, r, out, e);
	case WIRE_JUDGE:
		return do_judge(s, r, e);
	case WIRE_CHECK:
		buf_u64le(out, 0);      /* the number's place */
		if (!store_check(s, &number, out, e))
			return false;
		for (int i = 0; i < 8; i++)
			out->at[i] = (uint8_t)(number >> 8 * i);
		return true;
	default:
		return err_set(e, "request %u is not known", kind);
	}
}

bool wire_answer(struct store *s, int fd, struct err *e)
{
	struct buf in = buf_make(WIRE_BYTES_MAX), out = buf_make(WIRE_BYTES_MAX);
	struct err refused = { 0 };
	uint8_t kind;
	bool ok = wire_receive(fd, &kind, &in, e);

	if (ok) {
		struct reader r = reader_over(in.at, in.len);
		bool done = do_request(s, kind, &r, fd, &out, &refused) && (out.ok || err_asked(&refused, "the answer is too large"));

		if (!done) {
			buf_clear(&out);
			buf_u8(&out, (uint8_t)refused.kind);
			buf_text(&out, refused.where);
			buf_text(&out, refused.what);
			buf_text(&out, refused.expected);
		}
		ok = wire_send(fd, done ? WIRE_DONE : WIRE_ERROR, &out, e);
	}
	buf_release(&in);
	buf_release(&out);
	return ok;
}
