/* surge_json: surges as JSON, the same bytes for `--json` and the API; doc/api.md gives the shapes. Pure. */
#ifndef TEITEN_SURGE_JSON_H
#define TEITEN_SURGE_JSON_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct facts;
struct surge_revision;
struct zone;

/* As they are known now; sources: of each, how many distinct ones came to its port since the onset. f says up to when they were looked for, and
 * the zone. */
void surges_json(const struct surge_revision *list, const uint64_t *sources, size_t n, const struct facts *f, struct buf *out);
/* One of them, with everything that was said of it. */
void surge_json(const struct surge_revision *now, uint64_t sources, const struct surge_revision *history, size_t n, const struct zone *z, struct buf *out);

#endif
