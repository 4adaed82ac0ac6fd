/* One stage of the way from a capture to batches, for CPU times beside each other: capture STAGE FILE [FOLDER].
 * The machine's limits: touch (every line of the mapped file), walk (every record's header), libpcap (its empty loop).
 * Ours: read (frames alone), decode (packets), tally (tuples in memory), batches (encoded, compressed, on disk). */
#include "base/bytes.h"
#include "base/compress.h"
#include "base/err.h"
#include "base/file.h"
#include "capture/account.h"
#include "capture/decode.h"
#include "capture/intake.h"
#include "capture/minutes.h"
#include "capture/packet.h"
#include "capture/pcapfile.h"
#include "capture/source.h"
#include "capture/tally.h"
#include "spool/spool.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <pcap/pcap.h>

enum { BURST = 64 };
enum stage { TOUCH, WALK, LIBPCAP, READ, DECODE, TALLY, BATCHES, STAGES };

static double cpu_s(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void fail(const struct err *e)
{
	char text[ERR_TEXT_MAX];

	(void)fprintf(stderr, "capture: %s\n", err_text(e, text));
	exit(1);
}

static const uint8_t *mapped(int fd, size_t *len)
{
	struct stat st;

	(void)fstat(fd, &st);
	*len = (size_t)st.st_size;
	return mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
}

/* Sums that nobody asks for keep the compiler from leaving the work out. */
static volatile uint64_t sink;

static uint64_t touch(int fd)
{
	size_t len;
	const uint8_t *bytes = mapped(fd, &len);
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i += 64)
		sum += bytes[i];
	sink = sum;
	return len;
}

static uint64_t walk(int fd)
{
	size_t len;
	const uint8_t *bytes = mapped(fd, &len);
	uint64_t n = 0;

	for (size_t at = 24; at + 16 <= len; n++) {
		uint32_t captured;

		memcpy(&captured, bytes + at + 8, sizeof captured);
		at += 16 + captured;
	}
	return n;
}

static void nothing(u_char *n, const struct pcap_pkthdr *head, const u_char *bytes)
{
	(void)head;
	(void)bytes;
	++*(uint64_t *)(void *)n;
}

static uint64_t dispatch(const char *path)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline(path, why);
	uint64_t n = 0;

	while (p && pcap_dispatch(p, -1, nothing, (u_char *)&n) > 0)
		;
	if (p)
		pcap_close(p);
	return n;
}

static uint64_t read_frames(struct intake *in)
{
	struct frame frame;
	struct err e;
	struct pcapfile *f = pcapfile_open(in, &e);
	uint64_t n = 0;

	if (!f)
		fail(&e);
	while (pcapfile_next(f, &frame, &e) == PCAP_FRAME)
		n += frame.captured > 0;
	pcapfile_close(f);
	return n;
}

static void put(struct batch *list, size_t n, const char *folder, uint64_t *rows)
{
	struct err e;

	for (size_t i = 0; i < n; i++) {
		*rows += list[i].len;
		if (folder && !spool_put(folder, &list[i], &e))
			fail(&e);
	}
	batches_free(list, n);
}

static uint64_t count(struct intake *in, enum stage stage, const char *folder, uint64_t *rows)
{
	static struct reading how;
	struct packet list[BURST];
	struct account account;
	struct err e;
	bool wrong;
	size_t n, cut = 0;
	enum source_next next = SOURCE_ROW;
	struct tally *tally = tally_open(MINUTES_ROWS_MAX);

	memcpy(how.sensor, "bench", 6);
	account_init(&account);
	if (!reading_watch(&how, "198.18.0.0/16,2001:db8:8000::/48", &e))
		fail(&e);
	struct source *s = source_open(in, &how, &wrong, &e);
	if (!s)
		fail(&e);
	int sensor = tally_sensor(tally, how.sensor);
	while (next == SOURCE_ROW) {
		next = source_packets(s, list, BURST, &n, &account, &e);
		for (size_t done = 0; stage > DECODE && (done += tally_add(tally, sensor, list + done, n - done)) < n; )
			put(tally_cut(tally, 1, &cut), cut, folder, rows);
	}
	struct batch *last = tally_end(tally, 1, account.span, &cut);
	put(last, cut, folder, rows);
	uint64_t counted = account.counted;
	source_close(s);
	tally_close(tally);
	account_release(&account);
	return counted;
}

static uint64_t ours(enum stage stage, int fd, const char *folder, uint64_t *rows)
{
	struct err e;
	struct intake *in = intake_open(fd, UINT64_MAX, &e);

	if (!in)
		fail(&e);
	uint64_t n = stage == READ ? read_frames(in) : count(in, stage, folder, rows);
	intake_close(in);
	return n;
}

int main(int argc, char **argv)
{
	static const char *const stages[STAGES] = { "touch", "walk", "libpcap", "read", "decode", "tally", "batches" };
	unsigned stage = 0;
	uint64_t rows = 0, n;

	while (stage < STAGES && (argc < 3 || strcmp(argv[1], stages[stage]) != 0))
		stage++;
	int fd = stage < STAGES ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0) {
		(void)fprintf(stderr, "usage: capture touch|walk|libpcap|read|decode|tally|batches FILE [FOLDER]\n");
		return 2;
	}
	double before = cpu_s();
	switch (stage) {
	case TOUCH: n = touch(fd); break;
	case WALK: n = walk(fd); break;
	case LIBPCAP: n = dispatch(argv[2]); break;
	default: n = ours((enum stage)stage, fd, argc > 3 ? argv[3] : NULL, &rows);
	}
	double used = cpu_s() - before;
	printf("{\"stage\":\"%s\",\"n\":%" PRIu64 ",\"rows\":%" PRIu64 ",\"cpu_s\":%.4f,\"millions_per_s\":%.2f}\n", stages[stage], n, rows, used,
		(double)n / used / 1e6);
	(void)close(fd);
	return 0;
}
