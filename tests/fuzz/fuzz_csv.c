/* fuzz: CSV with a header: every row is counted or refused, lines only go forward. */
#include "base/err.h"
#include "base/zone.h"
#include "capture/csvfile.h"
#include "capture/intake.h"
#include "capture/packet.h"
#include "core/tuple.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct zone_rule utc = { 0, 0 };
	struct zone zone = { .name = "UTC", .len = 1, .rules = &utc };
	struct intake *in = intake_over(bytes, len);
	struct err e;
	struct csvfile *f = csvfile_open(in, NULL, &zone, PROTO_TCP, &e);
	uint64_t line, before = 0;
	const char *sensor;
	enum refusal why;
	struct packet p;

	while (f && csvfile_next(f, &p, &why, &sensor, &line)) {
		if (why >= REFUSALS || line <= before)
			abort();
		before = line;
		if (why == REFUSAL_NONE && (p.kind >= KINDS || !proto_name(p.proto)))
			abort();
	}
	csvfile_close(f);
	intake_close(in);
	return 0;
}
