#include "web/visit.h"

#include "base/err.h"
#include "store/history.h"

enum outcome visit_ask(const struct visit *v, struct question *q, struct answer *a, struct err *e)
{
	return store_ask(v->site->store, q, a, e) ? ASKED : e->kind == ERR_ASKED ? WRONG : UNAVAILABLE;
}

bool visit_bands(const struct visit *v, const struct answer *a, struct bands *b, struct err *e)
{
	const struct question *q = &a->question;
	struct surge_revision *list = NULL;
	size_t n = 0, kept = 0;

	*b = (struct bands){ NULL, 0 };
	if (q->port < 0 || q->proto < 0 || a->len != 1 || (q->each != EACH_NOTHING && q->each != EACH_PORT))
		return true;
	if (!store_surges(v->site->store, NULL, &list, &n, e))
		return false;
	for (size_t i = 0; i < n; i++)
		if (list[i].row.port == ((uint32_t)q->proto << 16 | (uint32_t)q->port) && list[i].row.state != SURGE_WITHDRAWN)
			list[kept++] = list[i];
	*b = (struct bands){ list, kept };
	return true;
}

bool visit_value(const struct visit *v, const char *key, char *out, size_t cap)
{
	size_t key_len = strlen(key);

	for (const char *at = v->request->query; *at; at += *at == '&') {
		size_t len = strcspn(at, "&");

		if (len > key_len && !strncmp(at, key, key_len) && at[key_len] == '=' && len - key_len - 1 < cap) {
			(void)snprintf(out, cap, "%.*s", (int)(len - key_len - 1), at + key_len + 1);
			return true;
		}
		at += len;
	}
	return false;
}

struct page visit_page(const struct visit *v, const char *path, const char *title)
{
	return (struct page){
		.lang = v->lang, .site = v->site->name[v->lang], .title = title, .path = path, .query = v->request->query,
		.version = v->site->version, .facts = v->facts.zone.len ? &v->facts : NULL, .archive = v->archive,
	};
}
