/* notify: tells people what the keep notices of the sensors: by mail, to a web address, to the system's log. */
#include "cmd/alone.h"
#include "cmd/asking.h"
#include "cmd/commands.h"
#include "cmd/ending.h"
#include "cmd/noticing.h"
#include "cmd/place.h"
#include "cmd/rights.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/secret.h"
#include "base/zone.h"
#include "core/calendar.h"
#include "net/client.h"
#include "net/syslog.h"

#include <inttypes.h>
#include <time.h>

enum {
	TICK_MS = 500, TO_MAX = 16, ADDRESS_MAX = 254 /* RFC 5321 4.5.3.1.3 */, BODY_MAX = 4 << 20, PASSWORD_MAX = 512, WEBHOOK_MAX = 2048,
	BACKOFF_FIRST_S = 30, BACKOFF_MAX_S = 3600, DIGEST_MIN = 2, DIGEST_MAX_MIN = 24 * 60,
};

struct notify;

/* One way out, and how far it has come. */
struct channel {
	const char *name;
	bool patient;                   /* waits for more, and through the quiet hours */
	bool (*tell)(struct notify *n, const struct notices *list, struct err *e);
	bool used;
	char cursor[PATH_TEXT_MAX];
	uint64_t at;
	uint64_t backoff_s, again_us;
};

enum { SYSLOG, MAIL, WEBHOOK, CHANNELS };      /* in turn; the log first, which takes no time */

struct notify {
	char log[PATH_TEXT_MAX], folder[PATH_TEXT_MAX], sent[PATH_TEXT_MAX], agent[64];
	struct channel channels[CHANNELS];
	char to_text[TO_MAX][ADDRESS_MAX + 1];
	const char *to[TO_MAX], *smtp, *webhook, *socket, *user, *ca;
	char password[PASSWORD_MAX], webhook_text[WEBHOOK_MAX];
	struct client_mail mail;
	struct client *client;
	struct zone zone;
	enum lang lang;
	unsigned quiet_from, quiet_until;       /* minutes of the day; equal: none */
	uint64_t digest_min;
	uint64_t begun;                 /* how long the log was at the start */
	bool once, prove;
};

/* --- what is said --- */

static const char *sentence(const struct notify *n, const struct notice *one, struct buf *out)
{
	buf_clear(out);
	notice_text(one, n->lang, out);
	return buf_cstr(out);
}

static const char *time_of(const struct notify *n, const struct notice *one, char out[CALENDAR_TEXT_MAX])
{
	return calendar_rfc3339(&n->zone, (minute_t)(one->at_s / 60), out);
}

static void mail_head(const struct notify *n, const struct notices *list, struct buf *out)
{
	char date[64];
	time_t now = (time_t)clock_wall_s();
	struct tm utc;
	uint64_t chance[2];

	secret_fill(chance, sizeof chance);
	(void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &utc));
	buf_printf(out, "Date: %s\r\nFrom: <%s>\r\nTo: ", date, n->mail.from);
	for (size_t i = 0; i < n->mail.to_len; i++)
		buf_printf(out, "%s<%s>", i ? ", " : "", n->to[i]);
	buf_printf(out, "\r\nMessage-ID: <%016" PRIx64 "%016" PRIx64 "@%s>\r\n", chance[0], chance[1], strchr(n->mail.from, '@') + 1);
	if (list->len == 1 && list->list[0].kind == NOTICE_TRIAL)
		buf_str(out, "Subject: [teiten] trial\r\n");
	else if (list->len == 1)
		buf_printf(out, "Subject: [teiten] %s: %s\r\n", list->list[0].sensor, notice_kind_name(list->list[0].kind));
	else
		buf_printf(out, "Subject: [teiten] %zu notices\r\n", list->len);
	/* RFC 3834: no answer to this, please */
	buf_str(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 8bit\r\n\r\n");
}

static bool tell_mail(struct notify *n, const struct notices *list, struct err *e)
{
	struct buf out = buf_make(BODY_MAX), text = buf_make(SYSLOG_LINE_MAX);
	char at[CALENDAR_TEXT_MAX];

	mail_head(n, list, &out);
	for (size_t i = 0; i < list->len; i++)
		buf_printf(&out, "%s  %s\r\n", time_of(n, &list->list[i], at), sentence(n, &list->list[i], &text));
	bool ok = (out.ok || err_set(e, "too many notices for one mail")) && client_mail(n->client, n->smtp, &n->mail, out.at, out.len, e);
	buf_release(&out);
	buf_release(&text);
	return ok;
}

/* One notice; text: its sentence too, or NULL. */
static void notice_json(const struct notify *n, const struct notice *one, const char *text, struct json *j)
{
	char at[CALENDAR_TEXT_MAX];

	json_object(j, NULL);
	json_string(j, "time", time_of(n, one, at));
	json_string(j, "kind", notice_kind_name(one->kind));
	json_string(j, "sensor", one->sensor);
	json_whole(j, "amount", one->amount);
	if (text)
		json_string(j, "text", text);
	json_end_object(j);
}

/* "text" is what chat services show; "notices" is for programs. */
static bool tell_webhook(struct notify *n, const struct notices *list, struct err *e)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	struct buf out = buf_make(BODY_MAX), text = buf_make(SYSLOG_LINE_MAX), all = buf_make(BODY_MAX);
	struct client_reply reply;
	struct json j = json_to(&out);

	json_object(&j, NULL);
	json_array(&j, "notices");
	for (size_t i = 0; i < list->len; i++) {
		notice_json(n, &list->list[i], sentence(n, &list->list[i], &text), &j);
		buf_printf(&all, "%s%s", i ? "\n" : "", buf_cstr(&text));
	}
	json_end_array(&j);
	json_string(&j, "text", buf_cstr(&all));
	json_end_object(&j);
	bool ok = (out.ok || err_set(e, "too many notices at once")) && client_send(n->client, "POST", n->webhook, headers, out.at, out.len, &reply, e);
	if (ok && reply.status / 100 != 2)
		ok = err_set(e, "%u: %s", reply.status, reply.text[0] ? reply.text : "no reason given");
	buf_release(&out);
	buf_release(&text);
	buf_release(&all);
	return ok;
}

static bool tell_syslog(struct notify *n, const struct notices *list, struct err *e)
{
	struct buf text = buf_make(SYSLOG_LINE_MAX);
	bool ok = true;

	for (size_t i = 0; ok && i < list->len; i++) {
		enum notice_kind kind = list->list[i].kind;

		ok = syslog_tell(n->socket, kind == NOTICE_CAPTURING || kind == NOTICE_WHOLE || kind == NOTICE_TRIAL ? SYSLOG_NOTICE : SYSLOG_WARNING,
			sentence(n, &list->list[i], &text), e);
	}
	buf_release(&text);
	return ok;
}

/* --- when --- */

static bool is_quiet(const struct notify *n, int64_t now_s)
{
	struct civil c = calendar_civil(&n->zone, (minute_t)(now_s / 60));
	unsigned minute = (unsigned)(c.hour * 60 + c.minute);

	return n->quiet_from <= n->quiet_until ? minute >= n->quiet_from && minute < n->quiet_until : minute >= n->quiet_from || minute < n->quiet_until;
}

/* A clock that was set back does not hold anything up for longer than it would wait anyway. */
static bool is_due(const struct notify *n, const struct channel *c, const struct notices *list, int64_t now_s)
{
	int64_t age_s = now_s - list->list[0].at_s;

	return !c->patient || n->once || (!is_quiet(n, now_s) && (age_s < 0 || age_s >= (int64_t)n->digest_min * 60));
}

static bool move_on(struct channel *c, uint64_t at, struct err *e)
{
	char text[NUM_TEXT_MAX];

	c->at = at;
	int len = snprintf(text, sizeof text, "%" PRIu64 "\n", at);
	return file_write(c->cursor, text, (size_t)len, e);
}

static void fail(struct channel *c, const struct err *e)
{
	struct err told = *e;

	c->backoff_s = c->backoff_s ? c->backoff_s * 2 : BACKOFF_FIRST_S;
	c->backoff_s = c->backoff_s > BACKOFF_MAX_S ? BACKOFF_MAX_S : c->backoff_s;
	c->again_us = clock_steady_us() + c->backoff_s * 1000000;
	err_in(&told, "%s", c->name);
	log_err(&told);
}

/* What there is for one way out, as one message. False: it could not be told. */
static bool tell(struct notify *n, struct channel *c)
{
	struct notices list;
	struct err e;
	bool ok = true;

	if (!c->used || clock_steady_us() < c->again_us)
		return true;
	if (file_size(n->log) < c->at)
		c->at = 0;      /* another file has come in its place */
	if (!notices_read(n->log, c->at, &list, &e)) {
		fail(c, &e);
		return false;
	}
	if (list.len && is_due(n, c, &list, clock_wall_s())) {
		ok = c->tell(n, &list, &e) && move_on(c, list.end, &e);
		if (ok) {
			c->backoff_s = 0;
			log_line("%s: told %zu", c->name, list.len);
		} else if (!ending()) {
			fail(c, &e);
		}
	}
	notices_release(&list);
	return ok;
}

/* --- settings --- */

static bool is_address(const char *text)
{
	const char *at = strchr(text, '@');

	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c >= 127 || strchr("<>,;\"\\", *c))
			return false;
	return at && at != text && at[1] != '\0' && strlen(text) <= ADDRESS_MAX;
}

static bool read_mail(struct notify *n, const struct args *a, struct err *e)
{
	const char *to = args_value(a, "mail"), *file = args_value(a, "smtp-password");
	struct buf password = buf_make(PASSWORD_MAX - 1);

	n->smtp = args_value(a, "smtp") ? args_value(a, "smtp") : "smtp://127.0.0.1:25";
	n->mail = (struct client_mail){ .from = args_value(a, "from"), .to = n->to, .user = args_value(a, "smtp-user"), .password = n->password };
	n->mail.plain = !strncmp(n->smtp, "smtp://", 7) && client_local(n->smtp + 7);
	if (strchr(n->smtp, '@') || (strncmp(n->smtp, "smtp://", 7) != 0 && strncmp(n->smtp, "smtps://", 8) != 0)) {
		err_asked(e, "not a mail server: \"%.60s\"", n->smtp);
		return err_expected(e, "smtp://HOST:PORT (with STARTTLS, but on this machine) or smtps://HOST:PORT");
	}
	while (*to) {
		size_t len = strcspn(to, ",");

		if (n->mail.to_len == TO_MAX)
			return err_asked(e, "more than %d addresses", TO_MAX);
		(void)snprintf(n->to_text[n->mail.to_len], ADDRESS_MAX + 1, "%.*s", (int)(len < ADDRESS_MAX ? len : ADDRESS_MAX), to);
		if (!is_address(n->to_text[n->mail.to_len])) {
			err_asked(e, "not a mail address: \"%.60s\"", n->to_text[n->mail.to_len]);
			return err_expected(e, "NAME@HOST, several with commas between them and no blanks");
		}
		n->to[n->mail.to_len] = n->to_text[n->mail.to_len];
		n->mail.to_len++;
		to += len + (to[len] == ',');
	}
	n->mail.from = n->mail.from ? n->mail.from : n->to[0];
	if (!n->mail.from || !is_address(n->mail.from))
		return err_asked(e, "not a mail address: --from \"%.60s\"", n->mail.from ? n->mail.from : "");
	if (!n->mail.user != !file)
		return err_asked(e, "--smtp-user and --smtp-password belong together");
	if (file && !file_read(file, &password, e))
		return false;
	(void)snprintf(n->password, sizeof n->password, "%.*s", (int)strcspn(buf_cstr(&password), "\r\n"), buf_cstr(&password));
	buf_release(&password);
	return true;
}

static bool read_time(const char *text, unsigned *minute)
{
	return strlen(text) == 5 && text[2] == ':' && strspn(text, "0123456789:") == 5 &&
		(*minute = (unsigned)((text[0] - '0') * 10 + text[1] - '0') * 60 + (unsigned)((text[3] - '0') * 10 + text[4] - '0')) < 1440 &&
		text[3] < '6';
}

static bool read_quiet(struct notify *n, const char *text, struct err *e)
{
	char from[8];

	if (!text)
		return true;
	(void)snprintf(from, sizeof from, "%.*s", (int)(strlen(text) < 6 ? strlen(text) : 5), text);
	if (strlen(text) == 11 && text[5] == '-' && read_time(from, &n->quiet_from) && read_time(text + 6, &n->quiet_until))
		return true;
	err_asked(e, "not hours: --quiet \"%.40s\"", text);
	return err_expected(e, "HH:MM-HH:MM, as 22:00-07:00");
}

/* Such an address is often a secret, which a list of processes should not show. */
static bool read_webhook(struct notify *n, const char *given, struct err *e)
{
	struct buf text = buf_make(WEBHOOK_MAX - 1);

	n->webhook = given;
	if (!given || given[0] != '/')
		return true;
	bool ok = file_read(given, &text, e);
	(void)snprintf(n->webhook_text, sizeof n->webhook_text, "%.*s", (int)strcspn(buf_cstr(&text), "\r\n"), buf_cstr(&text));
	n->webhook = n->webhook_text;
	buf_release(&text);
	return ok;
}

static bool read_ways(struct notify *n, const struct args *a, struct err *e)
{
	if (!read_webhook(n, args_value(a, "webhook"), e))
		return false;
	n->socket = args_value(a, "syslog");
	n->channels[MAIL] = (struct channel){ .name = "mail", .patient = true, .tell = tell_mail, .used = args_given(a, "mail") };
	n->channels[WEBHOOK] = (struct channel){ .name = "webhook", .patient = true, .tell = tell_webhook, .used = n->webhook != NULL };
	n->channels[SYSLOG] = (struct channel){ .name = "syslog", .tell = tell_syslog, .used = n->socket != NULL };
	if (!args_given(a, "mail") && !n->webhook && !n->socket) {
		err_asked(e, "nothing says whom to tell");
		return err_expected(e, "--mail ADDRESS, --webhook URL or --syslog /dev/log; --list shows the notices");
	}
	if (n->webhook && strncmp(n->webhook, "https://", 8) != 0 && (strchr(n->webhook, '@') || strncmp(n->webhook, "http://", 7) != 0 || !client_local(n->webhook + 7))) {
		err_asked(e, "not a web address to tell: --webhook");
		return err_expected(e, "https://HOST/PATH; http:// only for this machine");
	}
	return !args_given(a, "mail") || read_mail(n, a, e);
}

/* False: it is no place in the log. */
static bool read_cursor(struct channel *c)
{
	struct buf text = buf_make(NUM_TEXT_MAX);
	struct err e;
	bool ok = file_read(c->cursor, &text, &e);

	if (ok && text.len && text.at[text.len - 1] == '\n')
		text.len--;
	ok = ok && strlen(buf_cstr(&text)) == text.len && num_whole(buf_cstr(&text), 0, UINT64_MAX, &c->at);
	buf_release(&text);
	return ok;
}

/* How far it had come; a way out that is new, or whose place is damaged, begins with what comes from now on. */
static bool read_cursors(struct notify *n, struct err *e)
{
	for (size_t i = 0; i < CHANNELS; i++) {
		struct channel *c = &n->channels[i];
		char name[32];

		(void)snprintf(name, sizeof name, "%s.at", c->name);
		if (!file_path(c->cursor, n->sent, name, e))
			return false;
		bool there = file_exists(c->cursor), known = there && read_cursor(c);
		if (!c->used || known)
			continue;
		c->at = n->begun;
		if (there)
			log_line("%s is damaged: begun anew at the end of the notices; some may have been told to nobody", c->cursor);
		if (!move_on(c, c->at, e))
			return false;
	}
	return true;
}

static bool name_files(struct notify *n, const struct args *a, struct err *e)
{
	return file_path(n->folder, place_dir(a), "notices", e) && file_path(n->log, n->folder, "log", e) && file_path(n->sent, n->folder, "sent", e);
}

/* How it speaks. */
static bool read_manner(struct notify *n, const struct args *a, struct err *e)
{
	const char *language = args_value(a, "language"), *zone = args_value(a, "zone");

	n->lang = LANG_EN;
	if (language && !lang_parse(language, &n->lang)) {
		err_asked(e, "not a language: \"%.20s\"", language);
		return err_expected(e, "ja or en");
	}
	return zone_load(&n->zone, zone ? zone : "UTC", e);
}

/* What the command line says, by itself. */
static bool read_words(struct notify *n, const struct args *a, struct err *e)
{
	n->digest_min = DIGEST_MIN;
	n->user = args_value(a, "user");
	n->ca = args_value(a, "ca");
	n->once = args_given(a, "once");
	n->prove = args_given(a, "prove");
	(void)snprintf(n->agent, sizeof n->agent, "teiten/%s", teiten_version);
	return read_manner(n, a, e) && read_quiet(n, args_value(a, "quiet"), e) &&
		args_whole("digest", args_value(a, "digest"), 0, DIGEST_MAX_MIN, &n->digest_min, e) && read_ways(n, a, e);
}

static bool is_right(const struct args *a, struct err *e)
{
	static struct notify n;

	n = (struct notify){ 0 };
	bool ok = read_words(&n, a, e) && confine_knows(n.user, e);
	zone_release(&n.zone);
	return ok;
}

static bool read_settings(struct notify *n, const struct args *a, struct err *e)
{
	return read_words(n, a, e) && name_files(n, a, e) && file_make_dir(n->sent, e);
}

/* It goes on with what it has told, what there is to tell, and what a connection needs to know of the system. */
static bool give_up_rights(struct notify *n, struct err *e)
{
	const char *const readable[] = { n->folder, RIGHTS_OF_WHO_CONNECTS, n->ca, NULL };
	struct confine_how how = { .user = n->user, .folder = n->sent, .readable = readable, .network = NETWORK_CONNECTS };

	return rights_give_up(&how, n->prove, e);
}

static bool run_ways(struct notify *n)
{
	bool ok = true;

	for (size_t i = 0; i < CHANNELS && !ending(); i++)
		ok = tell(n, &n->channels[i]) && ok;
	return ok;
}

static int list(const struct args *a, struct notify *n)
{
	struct buf out = buf_make(NOTICES_BYTES_MAX), text = buf_make(SYSLOG_LINE_MAX);
	struct notices all;
	char at[CALENDAR_TEXT_MAX];
	struct json j = json_to(&out);
	struct err e;

	if (!read_manner(n, a, &e) || !place_exists(place_dir(a), &e) || !name_files(n, a, &e) || !notices_read(n->log, 0, &all, &e))
		return asking_refused(a, &e);
	bool json = args_given(a, "json");
	if (json)
		json_array(&j, NULL);
	for (size_t i = 0; i < all.len; i++) {
		const struct notice *one = &all.list[i];

		if (json)
			notice_json(n, one, NULL, &j);
		else
			buf_printf(&out, "%s  %s\n", time_of(n, one, at), sentence(n, one, &text));
	}
	if (json) {
		json_end_array(&j);
		buf_str(&out, "\n");
	}
	(void)fwrite(out.at, 1, out.len, stdout);
	buf_release(&out);
	buf_release(&text);
	notices_release(&all);
	return EXIT_DONE;
}

/* A notice that says no more than that they arrive. It is in no log, and moves nobody on. */
static bool try_ways(struct notify *n)
{
	struct notice trial = { .at_s = clock_wall_s(), .kind = NOTICE_TRIAL, .sensor = "-" };
	const struct notices list = { .list = &trial, .len = 1 };
	struct err e;
	bool ok = true;

	for (size_t i = 0; i < CHANNELS && !ending(); i++) {
		struct channel *c = &n->channels[i];

		if (!c->used)
			continue;
		if (c->tell(n, &list, &e)) {
			log_line("%s: told the trial", c->name);
		} else {
			fail(c, &e);
			ok = false;
		}
	}
	return ok;
}

/* Two that move on would each tell everything. */
static bool begin_telling(struct notify *n, struct err *e)
{
	return alone_in(n->sent, ".tells", "another notify tells", e) && read_cursors(n, e);
}

static bool tell_all(struct notify *n)
{
	bool ok;

	do {
		ok = run_ways(n);
		if (!n->once)
			clock_sleep_ms(TICK_MS);
	} while (!n->once && !ending());
	return ok || !n->once;
}

static int run_notify(const struct args *a)
{
	static struct notify n;
	bool trial = args_given(a, "trial");
	struct err e;

	if (args_given(a, "list"))
		return list(a, &n);
	ending_catch();
	if (!read_settings(&n, a, &e))
		return asking_refused(a, &e);
	n.begun = file_size(n.log);
	log_daemon("notify");
	client_prepare();
	if (!give_up_rights(&n, &e) || (!trial && !begin_telling(&n, &e))) {
		log_err(&e);
		return EXIT_REFUSED;
	}
	n.client = client_open(&(struct client_how){ .ca = n.ca, .agent = n.agent, .ending = ending });
	bool ok = trial ? try_ways(&n) : tell_all(&n);
	client_close(n.client);
	zone_release(&n.zone);
	return ok ? EXIT_DONE : EXIT_REFUSED;
}

static const struct option options[] = {
	{ "data", "DIR", "the observatory's folder (default ./teiten-data)" },
	{ "mail", "ADDRESS,...", "tell by mail" },
	{ "smtp", "URL", "the mail server: smtp://HOST:PORT or smtps://HOST:PORT (default smtp://127.0.0.1:25)" },
	{ "smtp-user", "NAME", "sign in there as" },
	{ "smtp-password", "FILE", "with the password in this file" },
	{ "from", "ADDRESS", "the sender's address (default: the first one of --mail)" },
	{ "webhook", "URL", "tell a web address, or the one that stands in this file: JSON by POST" },
	{ "syslog", "SOCKET", "tell the system's log, at once: /dev/log" },
	{ "digest", "MINUTES", "mail and webhook: wait so long for more, then tell all together (default 2)" },
	{ "quiet", "HH:MM-HH:MM", "mail and webhook: tell nothing between these hours, and all of it afterwards" },
	{ "zone", "ZONE", "time zone of these hours and of the times told (default UTC)" },
	{ "language", "ja|en", "of what is told (default en)" },
	{ "ca", "FILE", "the authority of the servers' certificates (PEM), where the system does not know it" },
	{ "user", "NAME", "become this user" },
	{ "prove", NULL, "try at the start what must not work any more, and say so" },
	{ "trial", NULL, "tell no more than that notices arrive, and end; beside another notify too" },
	{ "once", NULL, "tell what waits, at once, and end" },
	{ "list", NULL, "print all notices so far, and end" },
	{ "json", NULL, "list: print JSON" },
	{ NULL, NULL, NULL },
};

const struct command command_notify = {
	.name = "notify",
	.usage = "[OPTION]...",
	.summary = "tell people when a sensor is silent or loses packets",
	.options = { options },
	.run = run_notify,
	.right = is_right,
	.wordless = true,
};
