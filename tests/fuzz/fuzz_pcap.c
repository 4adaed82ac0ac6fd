/* fuzz: capture files: reading ends, frames lie within their limits and are all bytes that may be read. */
#include "base/err.h"
#include "capture/intake.h"
#include "capture/pcapfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static volatile unsigned sum;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct intake *in = intake_over(bytes, len);
	struct err e;
	struct pcapfile *f = pcapfile_open(in, &e);
	struct frame frame;
	uint64_t frames = 0;

	while (f && pcapfile_next(f, &frame, &e) == PCAP_FRAME) {
		if (frame.captured > len || frame.number != ++frames)
			abort();
		for (size_t i = 0; i < frame.captured; i++)
			sum += frame.bytes[i];
	}
	pcapfile_close(f);
	intake_close(in);
	return 0;
}
