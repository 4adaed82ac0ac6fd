#include "base/num.h"

#include <ctype.h>
#include <math.h>

bool num_whole(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(*text - '0');
	}
	if (v < min || v > max)
		return false;
	*out = v;
	return true;
}

bool num_real(const char *text, double *out)
{
	char *end;
	double v;

	/* strtod also takes blanks, hex, "inf" and "nan": none of them is a number here */
	for (const char *c = text; *c; c++)
		if (!isdigit((unsigned char)*c) && *c != '.' && *c != '-' && *c != '+' && *c != 'e' && *c != 'E')
			return false;
	v = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(v))
		return false;
	*out = v;
	return true;
}

const char *num_shortest(double v, char out[NUM_TEXT_MAX])
{
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(out, NUM_TEXT_MAX, "%.*g", digits, v);
		if (strtod(out, NULL) == v)     /* exactly: this is what "reads back" means */
			break;
	}
	return out;
}

const char *num_grouped(uint64_t v, char out[NUM_TEXT_MAX])
{
	char plain[NUM_TEXT_MAX];
	int len = snprintf(plain, sizeof plain, "%llu", (unsigned long long)v), to = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out[to++] = ',';
		out[to++] = plain[i];
	}
	out[to] = '\0';
	return out;
}

const char *num_human(double v, char out[NUM_TEXT_MAX])
{
	double size = fabs(v);

	if (isnan(v))
		(void)snprintf(out, NUM_TEXT_MAX, "-");
	else if (v == 0)
		(void)snprintf(out, NUM_TEXT_MAX, "0");
	else if (size >= 99.95 && v > 0 && size < 1e18)
		return num_grouped((uint64_t)llround(v), out);
	else if (size >= 9.995)
		(void)snprintf(out, NUM_TEXT_MAX, "%.1f", v);
	else if (size >= .9995)
		(void)snprintf(out, NUM_TEXT_MAX, "%.2f", v);
	else
		(void)snprintf(out, NUM_TEXT_MAX, "%.3g", v);
	return out;
}
