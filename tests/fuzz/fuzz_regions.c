/* A table of regions, a delegation file or an MMDB, by the first byte: whatever the bytes are, they are read or refused. */
#include "base/err.h"
#include "store/flatten.h"
#include "store/regions.h"
#include "store/regions_build.h"

#include <assert.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
const char *__lsan_default_suppressions(void);

/* libmaxminddb 1.7.1 forgets a list when it refuses a file's metadata. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb";
}

/* What was opened is in order, and each range is found at both its ends. */
static void check_table(const char *path)
{
	struct err e;
	struct regions *r = regions_open(path, &e);
	char region[3];
	uint32_t as;

	for (size_t i = 0; i < regions_len(r); i++) {
		struct range one = regions_at(r, i);

		assert(range_sound(&one));
		regions_find(r, &one.from, region, &as);
		assert(!memcmp(region, one.region, 3) && as == one.as_number);
		regions_find(r, &one.to, region, &as);
		assert(!memcmp(region, one.region, 3) && as == one.as_number);
	}
	regions_close(r);
}

/* What was gathered lies flat: ascending, and nothing twice. */
static void check_flat(struct regions_build *b)
{
	struct range *flat = NULL;
	size_t n = ranges_flatten(b->list, b->len, &flat);

	for (size_t i = 0; i < n; i++)
		assert(range_sound(&flat[i]) && (i == 0 || addr_cmp(&flat[i - 1].to, &flat[i].from) < 0));
	free(flat);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct regions_build b = { 0 };
	struct err e;
	char path[40];
	int fd = len ? memfd_create("regions", MFD_CLOEXEC) : -1;

	if (fd < 0)
		return 0;
	if (write(fd, bytes + 1, len - 1) != (ssize_t)(len - 1) || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (bytes[0] == 'T')
		check_table(path);
	else if (bytes[0] == 'M' ? regions_build_mmdb(&b, path, &e) : regions_build_delegations(&b, path, &e))
		check_flat(&b);
	regions_build_release(&b);
	(void)close(fd);
	return 0;
}
