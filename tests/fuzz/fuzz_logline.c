/* fuzz: firewall logs, read as a file of lines: every line is counted or refused, and the year stays a year. */
#include "base/err.h"
#include "base/zone.h"
#include "capture/intake.h"
#include "capture/logline.h"
#include "capture/packet.h"
#include "core/tuple.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct zone_rule utc = { 0, 0 };
	struct zone zone = { .name = "UTC", .len = 1, .rules = &utc };
	struct logclock clock = { .zone = &zone, .year = 2024 };
	struct intake *in = intake_over(bytes, len);
	char host[SENSOR_NAME_MAX + 1];
	struct line line;
	struct packet p;

	while (intake_line(in, &line)) {
		enum refusal r = logline_read(&clock, line.text, &p, host);

		if (r >= REFUSALS || strlen(host) > SENSOR_NAME_MAX)
			abort();
		if (r == REFUSAL_NONE && (p.kind >= KINDS || !proto_name(p.proto)))
			abort();
	}
	intake_close(in);
	return 0;
}
