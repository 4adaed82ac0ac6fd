/* remote: a store that another process holds, asked through its socket. A connection a request: a keep that is restarted
 * between two of them is not noticed. */
#include "store/engine.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/history.h"
#include "store/wire.h"

#include <unistd.h>

enum { QUICK_S = 30, SLOW_S = 600 };

struct remote { struct store store; char *path; unsigned quick_s; };

static bool refused(struct buf *in, struct err *e)
{
	struct reader r = reader_over(in->at, in->len);

	uint8_t kind = read_u8(&r);

	*e = (struct err){ .kind = kind <= ERR_FULL ? (enum err_kind)kind : ERR_WORLD };
	(void)read_text(&r, e->where, sizeof e->where);
	(void)read_text(&r, e->what, sizeof e->what);
	(void)read_text(&r, e->expected, sizeof e->expected);
	return r.ok ? false : err_set(e, "the keep refused and its reason is cut");
}

/* One request; frames of WIRE_MORE go to more(), the last one stays in `in`. */
typedef bool more_fn(void *to, struct buf *frame, bool *go_on, struct err *e);
static bool request(const struct remote *m, enum wire kind, const struct buf *out, struct buf *in, more_fn *more, void *to,
	struct err *e)
{
	int fd = wire_connect(m->path, e);
	uint8_t got = WIRE_MORE;
	bool go_on = true;

	if (fd < 0)
		return false;
	unsigned patience_s = kind == WIRE_ASK || kind == WIRE_ROWS || kind == WIRE_CHECK ? SLOW_S : m->quick_s;
	wire_patience(fd, patience_s, patience_s);
	bool ok = wire_send(fd, kind, out, e);
	while (ok && go_on && got == WIRE_MORE) {
		ok = wire_receive(fd, &got, in, e);
		if (ok && got == WIRE_MORE)
			ok = more ? more(to, in, &go_on, e) : err_set(e, "the keep sent more than was asked for");
		else if (ok && got != WIRE_DONE)
			ok = refused(in, e);
	}
	(void)close(fd);
	return ok;
}

static bool remote_put(struct store *s, const struct batch *const *batches, size_t n, enum stored *each, struct err *e)
{
	struct buf out = buf_make(WIRE_BYTES_MAX), in = buf_make(WIRE_BYTES_MAX), one = buf_make(WIRE_BYTES_MAX);

	buf_varint(&out, n);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&one);
		batch_encode(batches[i], &one);
		buf_u32le(&out, (uint32_t)one.len);
		buf_bytes(&out, one.at, one.len);
	}
	bool ok = request((struct remote *)s, WIRE_PUT, &out, &in, NULL, NULL, e);
	if (ok && in.len != n)
		ok = err_set(e, "the keep's answer is cut");
	for (size_t i = 0; i < n; i++)
		each[i] = ok && in.at[i] <= STORED_ALREADY ? (enum stored)in.at[i] : STORED_NOT;
	buf_release(&out);
	buf_release(&in);
	buf_release(&one);
	return ok;
}

static bool remote_ask(struct store *s, struct question *q, struct answer *a, struct err *e)
{
	struct buf out = buf_make(WIRE_BYTES_MAX), in = buf_make(WIRE_BYTES_MAX), text = buf_make(QUESTION_TEXT_MAX);
	bool ok;

	question_asked(q, &text);
	buf_text(&out, buf_cstr(&text));
	ok = request((struct remote *)s, WIRE_ASK, &out, &in, NULL, NULL, e);
	if (ok) {
		struct reader r = reader_over(in.at, in.len);

		ok = answer_decode(a, &r, e);
	}
	if (ok) {
		a->question.fell_back = q->across == ACROSS_ROBUST && a->question.across != ACROSS_ROBUST;
		*q = a->question;
	}
	buf_release(&out);
	buf_release(&in);
	buf_release(&text);
	return ok;
}

struct rows_for { row_fn *fn; void *to; };

static struct tuple read_row(struct reader *r)
{
	struct tuple t = { 0 };
	const uint8_t *src = read_bytes(r, 16);

	if (src)
		memcpy(t.src.b, src, 16);
	t.minute = read_u32le(r);
	t.port = read_u16le(r);
	t.proto = read_u8(r);
	t.flags = read_u8(r);
	t.mark = read_u8(r);
	t.kind = read_u8(r);
	t.ttl = read_u8(r);
	t.dsts = read_u8(r);
	t.sport = read_u16le(r);
	t.packets = read_u32le(r);
	t.bytes = read_u64le(r);
	return t;
}

static bool take_rows(void *to, struct buf *frame, bool *go_on, struct err *e)
{
	enum { ROW_BYTES = 16 + 4 + 2 + 6 + 2 + 4 + 8 };
	struct rows_for *f = to;
	struct reader r = reader_over(frame->at, frame->len);
	char sensor[SENSOR_NAME_MAX];

	(void)read_text(&r, sensor, sizeof sensor);
	uint64_t n = read_varint(&r);
	if (!r.ok || n != reader_left(&r) / ROW_BYTES || reader_left(&r) % ROW_BYTES != 0)
		return err_set(e, "the keep's rows are cut");
	struct tuple *rows = mem_zero((size_t)n, sizeof *rows);
	for (size_t i = 0; i < n; i++)
		rows[i] = read_row(&r);
	*go_on = f->fn(f->to, sensor, rows, (size_t)n);
	free(rows);
	return true;
}

static bool remote_rows(struct store *s, struct question *q, row_fn *fn, void *to, struct err *e)
{
	struct buf out = buf_make(WIRE_BYTES_MAX), in = buf_make(WIRE_BYTES_MAX), text = buf_make(QUESTION_TEXT_MAX);
	struct rows_for rows = { fn, to };

	question_asked(q, &text);
	buf_text(&out, buf_cstr(&text));
	bool ok = request((struct remote *)s, WIRE_ROWS, &out, &in, take_rows, &rows, e);
	buf_release(&out);
	buf_release(&in);
	buf_release(&text);
	return ok;
}

static bool remote_facts(struct store *s, struct facts *f, struct err *e)
{
	struct buf out = buf_make(0), in = buf_make(WIRE_BYTES_MAX);
	bool ok = request((struct remote *)s, WIRE_FACTS, &out, &in, NULL, NULL, e);

	if (ok) {
		struct reader r = reader_over(in.at, in.len);

		ok = facts_decode(f, &r, e);
	}
	buf_release(&in);
	return ok;
}

static bool remote_sensor(struct store *s, const struct sensor *one, struct err *e)
{
	struct buf out = buf_make(1024), in = buf_make(WIRE_BYTES_MAX);

	sensor_encode(one, &out);
	bool ok = request((struct remote *)s, WIRE_SENSOR, &out, &in, NULL, NULL, e);
	buf_release(&out);
	buf_release(&in);
	return ok;
}

/* Answers that begin with one number. */
static bool number_of(struct buf *in, uint64_t *out, struct err *e)
{
	struct reader r = reader_over(in->at, in->len);

	*out = read_u64le(&r);
	return r.ok ? true : err_set(e, "the keep's answer is cut");
}

static bool remote_epoch(struct store *s, uint64_t epoch, uint64_t *batches, struct err *e)
{
	struct buf out = buf_make(8), in = buf_make(WIRE_BYTES_MAX);

	buf_u64le(&out, epoch);
	bool ok = request((struct remote *)s, WIRE_EPOCH, &out, &in, NULL, NULL, e) && number_of(&in, batches, e);
	buf_release(&out);
	buf_release(&in);
	return ok;
}

static bool remote_findings(struct store *s, uint32_t from, uint32_t until, uint32_t port, struct robust_finding **list, size_t *n, struct err *e)
{
	struct buf out = buf_make(WIRE_BYTES_MAX), in = buf_make(WIRE_BYTES_MAX);

	buf_u32le(&out, from);
	buf_u32le(&out, until);
	buf_u32le(&out, port);
	bool ok = request((struct remote *)s, WIRE_FINDINGS, &out, &in, NULL, NULL, e);
	if (ok) {
		struct reader r = reader_over(in.at, in.len);

		ok = findings_decode(list, n, &r, e);
	}
	buf_release(&out);
	buf_release(&in);
	return ok;
}

static bool remote_surges(struct store *s, const char *id, struct surge_revision **list, size_t *n, struct err *e)
{
	struct buf out = buf_make(2 * SURGE_ID_MAX), in = buf_make(WIRE_BYTES_MAX);

	*list = NULL;
	*n = 0;
	if (id && (!*id || strlen(id) >= SURGE_ID_MAX))
		return true;    /* nobody's name */
	buf_text(&out, id ? id : "");
	bool ok = request((struct remote *)s, WIRE_SURGES, &out, &in, NULL, NULL, e);
	if (ok) {
		struct reader r = reader_over(in.at, in.len);

		ok = surges_decode(list, n, &r, e);
	}
	buf_release(&out);
	buf_release(&in);
	return ok;
}

static bool remote_judge(struct store *s, const struct surge_judgement *j, struct err *e)
{
	struct buf out = buf_make(4096), in = buf_make(WIRE_BYTES_MAX);

	buf_text(&out, j->id);
	buf_text(&out, surge_verdict_name(j->verdict));
	buf_text(&out, j->by);
	buf_text(&out, j->note);
	bool ok = request((struct remote *)s, WIRE_JUDGE, &out, &in, NULL, NULL, e);
	buf_release(&out);
	buf_release(&in);
	return ok;
}

static bool remote_check(struct store *s, uint64_t *differences, struct buf *report, struct err *e)
{
	struct buf out = buf_make(0), in = buf_make(WIRE_BYTES_MAX);
	bool ok = request((struct remote *)s, WIRE_CHECK, &out, &in, NULL, NULL, e) && number_of(&in, differences, e);

	if (ok)
		buf_bytes(report, in.at + 8, in.len - 8);
	buf_release(&in);
	return ok;
}

static void remote_patience(struct store *s, unsigned seconds)
{
	((struct remote *)s)->quick_s = seconds ? seconds : 1;
}

static void remote_close(struct store *s)
{
	struct remote *m = (struct remote *)s;

	free(m->path);
	free(m);
}

static const struct store_ops remote_ops = {
	remote_put, remote_ask, remote_rows, remote_facts, remote_sensor, remote_epoch, NULL, NULL, remote_findings, remote_surges, remote_judge, NULL, remote_check, remote_close,
	remote_patience, NULL,
};

struct store *remote_open(const char *path, struct err *e)
{
	int fd = wire_connect(path, e);         /* so that nobody finds out only at the first question */

	if (fd < 0)
		return NULL;
	(void)close(fd);
	struct remote *m = mem_zero(1, sizeof *m);
	m->store.ops = &remote_ops;
	m->path = mem_text(path);
	m->quick_s = QUICK_S;
	return &m->store;
}
