#include "net/client.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#if LIBCURL_VERSION_NUM < 0x080200
#define CLIENT_ALLOW_FAILS CURLOPT_MAIL_RCPT_ALLLOWFAILS        /* so spelt before 8.2 */
#else
#define CLIENT_ALLOW_FAILS CURLOPT_MAIL_RCPT_ALLOWFAILS
#endif

struct client {
	struct client_how how;
	CURL *curl;
	char why[CURL_ERROR_SIZE];
};

enum { CA_BYTES_MAX = 4 << 20 };

struct upload { const char *at; size_t left; };

bool client_local(const char *host)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t n = strlen(names[i]);

		if (!strncmp(host, names[i], n) && (host[n] == '\0' || host[n] == ':' || host[n] == '/'))
			return true;
	}
	return false;
}

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

/* What all ways of sending share. */
static void set_up(struct client *c, const char *url, const char *protocols, struct upload upload[2])
{
	CURL *h = c->curl;

	curl_easy_reset(h);     /* connections stay open */
	c->why[0] = '\0';
	(void)curl_easy_setopt(h, CURLOPT_URL, url);
	(void)curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, protocols);
	(void)curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(h, CURLOPT_READFUNCTION, give);
	(void)curl_easy_setopt(h, CURLOPT_READDATA, upload);
	(void)curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, rewind_upload);
	(void)curl_easy_setopt(h, CURLOPT_SEEKDATA, upload);
	(void)curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, (curl_off_t)upload[0].left);
	(void)curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->why);
	(void)curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)CLIENT_CONNECT_S);
	(void)curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)(CLIENT_TIMEOUT_S + upload[0].left / CLIENT_SLOWEST));
	if (c->how.ending) {
		(void)curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
		(void)curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, look_up);
		(void)curl_easy_setopt(h, CURLOPT_XFERINFODATA, c);
	}
	if (c->how.ca)
		(void)curl_easy_setopt(h, CURLOPT_CAINFO, c->how.ca);
	if (c->how.proxy)
		(void)curl_easy_setopt(h, CURLOPT_PROXY, c->how.proxy);
	if (c->how.bytes_a_second)
		(void)curl_easy_setopt(h, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)c->how.bytes_a_second);
}

bool client_ca_holds(const char *path, struct err *e)
{
	struct buf text = buf_make(CA_BYTES_MAX);
	bool ok = file_read(path, &text, e);

	if (ok && !strstr(buf_cstr(&text), "CERTIFICATE-----")) {
		ok = err_set(e, "%s holds no certificate", path);
		err_expected(e, "--ca FILE: PEM, from -----BEGIN CERTIFICATE----- on");
	}
	buf_release(&text);
	return ok;
}

static void say_why(const struct client *c, CURLcode code, struct err *e)
{
	/* the library takes such a file for a list of nobody, and says that nobody is to be trusted */
	if (code == CURLE_PEER_FAILED_VERIFICATION && c->how.ca && !client_ca_holds(c->how.ca, e))
		return;
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
		err_expected(e, "somebody to listen there, and the line to be up");
		break;
	default:
		break;
	}
}

static bool perform(struct client *c, struct client_reply *out, struct err *e)
{
	curl_off_t wait_s = 0;
	long status = 0;

	CURLcode code = curl_easy_perform(c->curl);
	(void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(c->curl, CURLINFO_RETRY_AFTER, &wait_s);
	out->status = (unsigned)status;
	out->retry_after_s = wait_s > 0 && wait_s < 86400 ? (unsigned)wait_s : 0;
	if (code == CURLE_OK && status)
		return true;
	say_why(c, code, e);
	return false;
}

bool client_send(struct client *c, const char *method, const char *url, const char *const *headers, const void *body, size_t len,
	struct client_reply *out, struct err *e)
{
	struct upload upload[2] = { { body, len }, { body, len } };
	struct curl_slist *list = NULL;

	*out = (struct client_reply){ 0 };
	for (; *headers; headers++)
		list = curl_slist_append(list, *headers);
	set_up(c, url, "https,http", upload);
	(void)curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
	(void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, list);
	(void)curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, keep_text);
	(void)curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, out);
	(void)curl_easy_setopt(c->curl, CURLOPT_USERAGENT, c->how.agent);
	if (!strncmp(url, "http:", 5))  /* on this machine: what the environment says of proxies is not meant for it */
		(void)curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*");
	bool ok = perform(c, out, e);
	curl_slist_free_all(list);
	return ok;
}

bool client_mail(struct client *c, const char *url, const struct client_mail *m, const void *text, size_t len, struct err *e)
{
	struct upload upload[2] = { { text, len }, { text, len } };
	struct curl_slist *to = NULL;
	struct client_reply reply = { 0 };

	for (size_t i = 0; i < m->to_len; i++)
		to = curl_slist_append(to, m->to[i]);
	set_up(c, url, "smtp,smtps", upload);
	(void)curl_easy_setopt(c->curl, CURLOPT_MAIL_FROM, m->from);
	(void)curl_easy_setopt(c->curl, CURLOPT_MAIL_RCPT, to);
	/* one address that the server refuses keeps the others from nothing */
	(void)curl_easy_setopt(c->curl, CLIENT_ALLOW_FAILS, 1L);
	(void)curl_easy_setopt(c->curl, CURLOPT_USE_SSL, (long)(m->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	(void)curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*");
	if (m->user) {
		(void)curl_easy_setopt(c->curl, CURLOPT_USERNAME, m->user);
		(void)curl_easy_setopt(c->curl, CURLOPT_PASSWORD, m->password);
	}
	bool ok = perform(c, &reply, e);
	curl_slist_free_all(to);
	return ok;
}
