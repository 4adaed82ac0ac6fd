#include "core/series.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"

#include <assert.h>

void answer_release(struct answer *a)
{
	for (size_t i = 0; i < a->len; i++) {
		free(a->list[i].values);
		free(a->list[i].plains);
		free(a->list[i].sure);
	}
	free(a->list);
	free(a->times);
	free(a->looked);
	*a = (struct answer){ 0 };
}

const char *answer_unit(const struct question *q)
{
	if (q->across == ACROSS_SUM)
		return q->step == STEP_MINUTE ? "packets per minute, all sensors together" :
			q->step == STEP_HOUR ? "packets per hour, all sensors together" : "packets per day, all sensors together";
	return q->per == PER_ADDRESS ? "packets per observed address and day" : "packets per sensor and day";
}

static void sureness_encode(const struct sureness *s, struct buf *out)
{
	buf_double(out, s->se);
	buf_varint(out, s->looked);
	buf_varint(out, s->accepted);
	buf_varint(out, s->flags);
	buf_varint(out, s->revision);
}

static struct sureness sureness_decode(struct reader *r)
{
	struct sureness s = { .se = read_double(r) };

	s.looked = (unsigned)read_varint(r);
	s.accepted = (unsigned)read_varint(r);
	s.flags = (unsigned)read_varint(r);
	s.revision = (unsigned)read_varint(r);
	return s;
}

void answer_encode(const struct answer *a, struct buf *out)
{
	const struct span *spans[] = { &a->question.span, &a->question.before };
	struct buf text = buf_make(QUESTION_TEXT_MAX);

	question_asked(&a->question, &text);
	buf_text(out, buf_cstr(&text));
	buf_release(&text);
	for (int i = 0; i < 2; i++) {
		buf_u32le(out, spans[i]->from);
		buf_u32le(out, spans[i]->until);
	}
	buf_varint(out, a->steps);
	buf_varint(out, a->sensors);
	buf_varint(out, a->found);
	buf_u32le(out, a->final);
	buf_text(out, a->scanners);
	buf_varint(out, a->len);
	for (size_t i = 0; i < a->steps; i++) {
		buf_u32le(out, a->times[i]);
		buf_varint(out, a->looked[i]);
	}
	for (size_t i = 0; i < a->len; i++) {
		const struct series *s = &a->list[i];

		buf_text(out, s->label);
		buf_varint(out, s->rank);
		buf_varint(out, s->previous_rank);
		buf_double(out, s->value);
		buf_double(out, s->plain);
		buf_varint(out, s->packets);
		buf_varint(out, s->bytes);
		buf_varint(out, s->sources);
		buf_varint(out, s->sensors);
		buf_u8(out, s->sure != NULL);
		for (size_t k = 0; k < a->steps; k++) {
			buf_double(out, s->values[k]);
			buf_double(out, s->plains[k]);
			if (s->sure)
				sureness_encode(&s->sure[k], out);
		}
	}
}

static bool decode_series(struct series *s, size_t steps, struct reader *r)
{
	if (!read_text(r, s->label, sizeof s->label))
		return false;
	s->rank = (unsigned)read_varint(r);
	s->previous_rank = (unsigned)read_varint(r);
	s->value = read_double(r);
	s->plain = read_double(r);
	s->packets = read_varint(r);
	s->bytes = read_varint(r);
	s->sources = read_varint(r);
	s->sensors = (unsigned)read_varint(r);
	bool sure = read_u8(r) && steps;
	if (!r->ok || steps > reader_left(r) / 16)
		return false;
	s->values = steps ? mem_zero(steps, sizeof *s->values) : NULL;
	s->plains = steps ? mem_zero(steps, sizeof *s->plains) : NULL;
	s->sure = sure ? mem_zero(steps, sizeof *s->sure) : NULL;
	for (size_t k = 0; k < steps; k++) {
		s->values[k] = read_double(r);
		s->plains[k] = read_double(r);
		if (sure)
			s->sure[k] = sureness_decode(r);
	}
	return r->ok;
}

bool answer_decode(struct answer *a, struct reader *r, struct err *e)
{
	struct span *spans[] = { &a->question.span, &a->question.before };
	char text[QUESTION_TEXT_MAX];
	enum { SERIES_BYTES_MIN = 1 + 2 + 16 + 4 + 1 };

	*a = (struct answer){ 0 };
	question_init(&a->question);
	if (!read_text(r, text, sizeof text) || !question_parse(&a->question, text, NULL, e))
		return err_set(e, "the answer's question is not sound");
	for (int i = 0; i < 2; i++) {
		spans[i]->from = read_u32le(r);
		spans[i]->until = read_u32le(r);
	}
	uint64_t steps = read_varint(r), sensors = read_varint(r), found = read_varint(r);
	a->final = read_u32le(r);
	(void)read_text(r, a->scanners, sizeof a->scanners);
	uint64_t len = read_varint(r);
	if (!r->ok || steps > QUESTION_POINTS_MAX || steps > reader_left(r) / 5 || len > QUESTION_TOP_MAX ||
		len > reader_left(r) / SERIES_BYTES_MIN)
		return err_set(e, "the answer does not fit its size");
	a->sensors = (unsigned)sensors;
	a->found = (size_t)found;
	a->steps = (size_t)steps;
	a->times = mem_zero(a->steps, sizeof *a->times);
	a->looked = mem_zero(a->steps, sizeof *a->looked);
	for (size_t i = 0; i < a->steps; i++) {
		a->times[i] = read_u32le(r);
		a->looked[i] = (unsigned)read_varint(r);
	}
	a->list = mem_zero((size_t)len, sizeof *a->list);
	bool whole = r->ok;
	while (whole && a->len < len)
		whole = decode_series(&a->list[a->len++], a->steps, r);
	if (whole)
		return true;
	answer_release(a);
	return err_set(e, "the answer is cut");
}
