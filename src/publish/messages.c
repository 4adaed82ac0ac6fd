#include "publish/messages.h"

#include "base/bytes.h"
#include "base/zone.h"

#include <assert.h>

#define MESSAGE_TEXT(name, ja, en) { ja, en },
static const char *const texts[][LANGS] = { MESSAGES(MESSAGE_TEXT) };
#undef MESSAGE_TEXT

static const char *const codes[LANGS] = { "ja", "en" };

const char *message(enum lang l, enum message m)
{
	assert(l < LANGS && m < MESSAGE_COUNT);
	return texts[m][l];
}

void message_fill(struct buf *out, enum lang l, enum message m, const char *first, const char *second)
{
	for (const char *t = message(l, m); *t; t++)
		if (!strncmp(t, "{1}", 3) || !strncmp(t, "{2}", 3)) {
			buf_str(out, t[1] == '1' ? first : second);
			t += 2;
		} else {
			buf_u8(out, (uint8_t)*t);
		}
}

const char *lang_code(enum lang l)
{
	return codes[l];
}

bool lang_parse(const char *text, enum lang *out)
{
	for (int l = 0; l < LANGS; l++)
		if (!strcmp(text, codes[l])) {
			*out = (enum lang)l;
			return true;
		}
	return false;
}

static const char *const months_en[] = { "January", "February", "March", "April", "May", "June", "July", "August",
	"September", "October", "November", "December" };

const char *message_month(enum lang l, int month)
{
	static const char *const short_names[][LANGS] = {
		{ "1月", "Jan" }, { "2月", "Feb" }, { "3月", "Mar" }, { "4月", "Apr" }, { "5月", "May" }, { "6月", "Jun" },
		{ "7月", "Jul" }, { "8月", "Aug" }, { "9月", "Sep" }, { "10月", "Oct" }, { "11月", "Nov" }, { "12月", "Dec" },
	};

	assert(month >= 1 && month <= 12);
	return short_names[month - 1][l];
}

const char *message_date(enum lang l, const struct zone *z, minute_t at, char out[MESSAGE_DATE_MAX])
{
	struct civil c = calendar_civil(z, at);

	if (l == LANG_JA)
		(void)snprintf(out, MESSAGE_DATE_MAX, "%d年%d月%d日", c.year, c.month, c.day);
	else
		(void)snprintf(out, MESSAGE_DATE_MAX, "%d %s %d", c.day, months_en[c.month - 1], c.year);
	return out;
}

const char *message_moment(enum lang l, const struct zone *z, minute_t at, char out[MESSAGE_DATE_MAX])
{
	struct civil c = calendar_civil(z, at);
	size_t len = strlen(message_date(l, z, at, out));

	(void)snprintf(out + len, MESSAGE_DATE_MAX - len, " %02d:%02d %s", c.hour, c.minute, message_zone(z));
	return out;
}

const char *message_zone(const struct zone *z)
{
	return strcmp(z->name, "Asia/Tokyo") != 0 ? z->name : "JST";
}
