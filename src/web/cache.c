#include "web/cache.h"

#include "base/mem.h"
#include "net/http.h"

#include <pthread.h>

struct entry { char *key; uint64_t state, used; const char *type, *file_name; uint8_t *body; size_t len; };

struct cache {
	pthread_mutex_t lock;
	uint64_t clock;                 /* counts uses: orders the entries by their last one */
	struct entry list[CACHE_ENTRIES];
};

struct cache *cache_make(void)
{
	struct cache *c = mem_zero(1, sizeof *c);

	(void)pthread_mutex_init(&c->lock, NULL);
	return c;
}

void cache_release(struct cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CACHE_ENTRIES; i++) {
		free(c->list[i].key);
		free(c->list[i].body);
	}
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

static struct entry *with_key(struct cache *c, const char *key)
{
	for (size_t i = 0; i < CACHE_ENTRIES; i++)
		if (c->list[i].key && !strcmp(c->list[i].key, key))
			return &c->list[i];
	return NULL;
}

static struct entry *oldest(struct cache *c)
{
	struct entry *e = &c->list[0];

	for (size_t i = 1; i < CACHE_ENTRIES; i++)
		if (c->list[i].used < e->used)
			e = &c->list[i];
	return e;
}

bool cache_find(struct cache *c, const char *key, uint64_t state, struct reply *out)
{
	(void)pthread_mutex_lock(&c->lock);
	struct entry *e = with_key(c, key);
	bool found = e && e->state == state;
	if (found) {
		e->used = ++c->clock;
		out->type = e->type;
		out->file_name = e->file_name;
		buf_bytes(&out->body, e->body, e->len);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return found;
}

void cache_keep(struct cache *c, const char *key, uint64_t state, const struct reply *rp)
{
	const struct buf *body = &rp->body;

	if (rp->status != 200 || !body->ok || strlen(key) >= CACHE_KEY_MAX || body->len == 0 || body->len > CACHE_ENTRY_BYTES_MAX)
		return;
	(void)pthread_mutex_lock(&c->lock);
	struct entry *e = with_key(c, key);
	e = e ? e : oldest(c);
	free(e->key);
	free(e->body);
	*e = (struct entry){ .key = mem_text(key), .state = state, .used = ++c->clock, .type = rp->type,
		.file_name = rp->file_name, .len = body->len };
	e->body = mem_resize(NULL, body->len, 1);
	memcpy(e->body, body->at, body->len);
	(void)pthread_mutex_unlock(&c->lock);
}
