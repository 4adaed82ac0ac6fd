#include "net/client.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

struct client {
	struct client_how how;
	CURL *curl;
	char why[CURL_ERROR_SIZE];
};

struct upload { const char *at; size_t left; };

void client_prepare(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct client *client_open(const struct client_how *how)
{
	struct client *c = mem_zero(1, sizeof *c);

	c->how = *how;
	c->curl = curl_easy_init();
	if (!c->curl)
		abort();        /* only for want of memory */
	return c;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	free(c);
}

static size_t give(char *to, size_t size, size_t n, void *of)
{
	struct upload *u = of;
	size_t len = size * n < u->left ? size * n : u->left;

	memcpy(to, u->at, len);
	u->at += len;
	u->left -= len;
	return len;
}

/* A connection that was kept may turn out to be closed: then the body is sent once more. */
static int rewind_upload(void *of, curl_off_t offset, int origin)
{
	struct upload *u = of;

	if (origin != SEEK_SET || offset < 0)
		return CURL_SEEKFUNC_CANTSEEK;
	u[0] = u[1];            /* the whole one stands behind */
	if ((size_t)offset > u->left)
		return CURL_SEEKFUNC_FAIL;
	u->at += offset;
	u->left -= (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static int look_up(void *of, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct client *client = of;

	(void)a, (void)b, (void)c, (void)d;
	return client->how.ending();
}

static size_t keep_text(char *bytes, size_t size, size_t n, void *of)
{
	struct client_reply *r = of;
	size_t len = strlen(r->text);

	for (size_t i = 0; i < size * n && len + 1 < sizeof r->text; i++)
		if (bytes[i] >= ' ' && bytes[i] < 127)
			r->text[len++] = bytes[i];
	r->text[len] = '\0';
	return size * n;
}

static void set_up(struct client *c, const char *url, struct curl_slist *headers, struct upload upload[2], struct client_reply *out)
{
	CURL *h = c->curl;

	curl_easy_reset(h);     /* connections stay open */
	(void)curl_easy_setopt(h, CURLOPT_URL, url);
	(void)curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https,http");
	(void)curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(h, CURLOPT_READFUNCTION, give);
	(void)curl_easy_setopt(h, CURLOPT_READDATA, upload);
	(void)curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, rewind_upload);
	(void)curl_easy_setopt(h, CURLOPT_SEEKDATA, upload);
	(void)curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, (curl_off_t)upload[0].left);
	(void)curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, keep_text);
	(void)curl_easy_setopt(h, CURLOPT_WRITEDATA, out);
	(void)curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->why);
	(void)curl_easy_setopt(h, CURLOPT_USERAGENT, c->how.agent);
	(void)curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)CLIENT_CONNECT_S);
	if (c->how.ending) {
		(void)curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
		(void)curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, look_up);
		(void)curl_easy_setopt(h, CURLOPT_XFERINFODATA, c);
	}
	if (c->how.ca)
		(void)curl_easy_setopt(h, CURLOPT_CAINFO, c->how.ca);
	(void)curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)(CLIENT_TIMEOUT_S + upload[0].left / CLIENT_SLOWEST));
	if (!strncmp(url, "http:", 5))  /* on this machine: what the environment says of proxies is not meant for it */
		(void)curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
	if (c->how.proxy)
		(void)curl_easy_setopt(h, CURLOPT_PROXY, c->how.proxy);
	if (c->how.bytes_a_second)
		(void)curl_easy_setopt(h, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)c->how.bytes_a_second);
}

static void say_why(const struct client *c, CURLcode code, struct err *e)
{
	err_set(e, "%.200s", c->why[0] ? c->why : curl_easy_strerror(code));
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		err_expected(e, "a certificate for that name, by an authority that this machine trusts; --ca FILE names one of your own");
		break;
	case CURLE_SSL_CACERT_BADFILE:
		err_expected(e, "--ca FILE: a PEM file that can be read");
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
		err_expected(e, "a name that this machine can resolve");
		break;
	case CURLE_COULDNT_CONNECT:
		err_expected(e, "the centre's collector to listen there, and the line to be up");
		break;
	default:
		break;
	}
}

bool client_put(struct client *c, const char *url, const char *const *headers, const void *body, size_t len, struct client_reply *out,
	struct err *e)
{
	struct upload upload[2] = { { body, len }, { body, len } };
	struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/octet-stream");
	curl_off_t wait_s = 0;
	long status = 0;

	*out = (struct client_reply){ 0 };
	c->why[0] = '\0';
	for (; *headers; headers++)
		list = curl_slist_append(list, *headers);
	set_up(c, url, list, upload, out);
	CURLcode code = curl_easy_perform(c->curl);
	(void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(c->curl, CURLINFO_RETRY_AFTER, &wait_s);
	curl_slist_free_all(list);
	out->status = (unsigned)status;
	out->retry_after_s = wait_s > 0 && wait_s < 86400 ? (unsigned)wait_s : 0;
	if (code == CURLE_OK && status)
		return true;
	say_why(c, code, e);
	return false;
}
