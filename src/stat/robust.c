#include "stat/robust.h"

#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* METHODS.md 1.1; what the letters mean is said there. */
#define K 3.
#define COVERAGE_MIN .25
#define PHI_START .3
#define PHI_MIN .02
#define DEV_MAX 9.                      /* rejected from here on: three residuals */
#define FLOOR_PACKETS .02
#define QUIET_MAX 20.                   /* -ln of the chance that nothing was seen by chance */
#define DECAY 0.9755486420525732 /* half in 28 days */
enum { CANDIDATES_MAX = 160, SPLIT_PACKETS_MIN = 10, ROUNDS_MAX = 15, SHIFT_DAYS = 15, HIGH_DAYS = 3 };

/* A sensor of the panel in the fit; constant: what of its deviance does not depend on theta. */
struct voter { size_t sensor; double y, e, phi, w, cap, ratio, log_e, constant, size /* y + 1/phi */, slope /* phi e */; };

struct robust {
	struct voter *voters; size_t n, zeros /* so many of them saw nothing */;
	double *candidates, *losses /* beyond 1.1 times the least: at least so much */; size_t len;
	double least, floor;            /* loss of the best candidate; fl */
	double *logs, *spare;
	double *spreads;                /* by how many were accepted; 0: not reckoned yet */
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* fmin and fmax without their care for NAN, which costs a call. */
static inline double lesser(double a, double b) { return a < b ? a : b; }
static inline double greater(double a, double b) { return a > b ? a : b; }

/* The k-th smallest of n > k values, which it moves about: smaller ones end up before it (quickselect, Hoare 1961). */
static double kth(double *v, size_t n, size_t k)
{
	size_t low = 0, high = n - 1;

	while (low < high) {
		double pivot = v[low + (high - low) / 2];
		size_t i = low, j = high;

		for (;; i++, j--) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i >= j)
				break;
			double other = v[i];
			v[i] = v[j];
			v[j] = other;
		}
		if (k <= j)
			high = j;
		else
			low = j + 1;
	}
	return v[k];
}

/* Of n > 0 values, which it moves about. */
static double median(double *v, size_t n)
{
	double high = kth(v, n, n / 2), low = high;

	if (n % 2)
		return high;
	low = v[0];
	for (size_t i = 1; i < n / 2; i++)
		low = greater(low, v[i]);
	return (low + high) / 2;
}

static void weigh_voices(struct fleet *f)
{
	for (size_t i = 0; i < f->panel_len; i++) {
		uint32_t group = f->seats[f->panel[i]].group;
		size_t of_group = 0;

		for (size_t k = 0; group && k < f->panel_len; k++)
			of_group += f->seats[f->panel[k]].group == group;
		f->voice[f->panel[i]] = of_group ? 1. / (double)of_group : 1;
	}
}

void fleet_init(struct fleet *f, const struct seat *seats, size_t n)
{
	double *addresses = mem_zero(n, sizeof *addresses);
	size_t enrolled = 0;

	*f = (struct fleet){ .len = n, .seats = seats, .panel = mem_zero(n, sizeof *f->panel), .share = mem_zero(n, sizeof *f->share),
		.voice = mem_zero(n, sizeof *f->voice), .all_calibrate = true };
	for (size_t i = 0; i < n; i++) {
		if (!seats[i].enrolled)
			continue;
		addresses[enrolled++] = seats[i].addresses;
		f->all_calibrate &= seats[i].calibrating;
		if (seats[i].coverage >= COVERAGE_MIN)
			f->panel[f->panel_len++] = i;
	}
	double middle = enrolled ? median(addresses, enrolled) : 1;
	for (size_t i = 0; i < n; i++)
		f->share[i] = seats[i].addresses / middle;
	weigh_voices(f);
	free(addresses);
}

void fleet_release(struct fleet *f)
{
	free(f->panel);
	free(f->share);
	free(f->voice);
	*f = (struct fleet){ 0 };
}

void port_habit_init(struct port_habit *p)
{
	*p = (struct port_habit){ .phi = PHI_START, .level = NAN };
}

struct robust *robust_open(size_t sensors)
{
	struct robust *r = mem_zero(1, sizeof *r);

	r->voters = mem_zero(sensors, sizeof *r->voters);
	r->candidates = mem_zero(3 * sensors, sizeof *r->candidates);
	r->losses = mem_zero(3 * sensors, sizeof *r->losses);
	r->logs = mem_zero(sensors, sizeof *r->logs);
	r->spare = mem_zero(sensors, sizeof *r->spare);
	r->spreads = mem_zero(sensors + 1, sizeof *r->spreads);
	return r;
}

void robust_close(struct robust *r)
{
	if (!r)
		return;
	free(r->voters);
	free(r->candidates);
	free(r->losses);
	free(r->logs);
	free(r->spare);
	free(r->spreads);
	free(r);
}

/* Of y packets where mu were expected, negative-binomial, variance mu + phi mu^2 (METHODS.md 1.1 step 2). */
static double deviance_of(double y, double mu, double phi)
{
	mu = mu > 1e-9 ? mu : 1e-9;
	if (y == 0)
		return 2 / phi * log(1 + phi * mu);
	double d = 2 * (y * log(y / mu) - (y + 1 / phi) * log((1 + phi * y) / (1 + phi * mu)));

	return d > 0 ? d : 0;
}

static int by_ratio(const void *a, const void *b)
{
	const struct voter *x = a, *y = b;

	if (x->ratio != y->ratio)
		return x->ratio < y->ratio ? -1 : 1;
	return x->sensor < y->sensor ? -1 : 1;
}

/* The panel in ascending order of y/e. */
static void seat_voters(struct robust *r, const struct fleet *f, const double *packets, const struct port_habit *port, const struct habit *habits,
	const struct verdict *verdicts)
{
	double exposure = 0;

	r->n = f->panel_len;
	for (size_t i = 0; i < r->n; i++)
		exposure += verdicts[f->panel[i]].exposure;
	bool strong = port->level * exposure / (double)r->n >= 2;       /* false where the level is not known */
	r->floor = strong ? 1.5 : 0;
	for (size_t i = 0; i < r->n; i++) {
		size_t s = f->panel[i];
		double y = packets[s], e = verdicts[s].exposure, phi = port->phi + 1 / (habits[s].packets + K);

		r->voters[i] = (struct voter){ .sensor = s, .y = y, .e = e, .phi = phi, .w = f->voice[s], .ratio = y / e, .log_e = y > 0 ? log(e) : 0,
			.size = y + 1 / phi, .slope = phi * e, .constant = y > 0 ? y * log(y) - (y + 1 / phi) * log(1 + phi * y) : 0,
			.cap = y == 0 && port->level * e >= 5 ? 2.5 : strong ? 4 : DEV_MAX };
	}
	qsort(r->voters, r->n, sizeof *r->voters, by_ratio);
	for (r->zeros = 0; r->zeros < r->n && r->voters[r->zeros].y == 0; r->zeros++)
		;
}

/* Distinct, ascending, and at most so many. */
static void thin_candidates(struct robust *r)
{
	size_t m = 0;

	qsort(r->candidates, r->len, sizeof *r->candidates, by_value);
	for (size_t i = 0; i < r->len; i++)
		if (m == 0 || r->candidates[i] > r->candidates[m - 1])
			r->candidates[m++] = r->candidates[i];
	r->len = m;
	if (m <= CANDIDATES_MAX)
		return;
	for (size_t q = 0; q < CANDIDATES_MAX; q++)
		r->candidates[q] = r->candidates[q * (m - 1) / (CANDIDATES_MAX - 1)];
	r->len = CANDIDATES_MAX;
}

/* Step 3; returns the least theta there may be. */
static double find_candidates(struct robust *r)
{
	double y = 0, e = 0, all_e = 0;

	for (size_t i = 0; i < r->n; i++)
		all_e += r->voters[i].e;
	double floor_theta = FLOOR_PACKETS / all_e;

	r->len = 0;
	for (size_t i = 0; i < r->n; i++) {
		y += r->voters[i].y;
		e += r->voters[i].e;
		r->candidates[r->len++] = fmax(r->voters[i].ratio, floor_theta);
		r->candidates[r->len++] = fmax(y / e, floor_theta);
	}
	y = e = 0;
	for (size_t i = r->n; i-- > 0; ) {
		y += r->voters[i].y;
		e += r->voters[i].e;
		r->candidates[r->len++] = fmax(y / e, floor_theta);
	}
	thin_candidates(r);
	return floor_theta;
}

/* Step 4, a sensor's part: its deviance, cut on both sides. */
static inline double part_of_loss(const struct robust *r, const struct voter *v, double theta, double log_theta)
{
	double d = v->constant + v->size * log(1 + v->slope * theta);

	if (v->y > 0)
		d -= v->y * (log_theta + v->log_e);
	return v->w * lesser(greater(2 * d, r->floor), v->cap);
}

/* Of those that saw something; they stand last. */
static double loss_of_seeing(const struct robust *r, double theta)
{
	double log_theta = log(theta), sum = 0;

	for (size_t i = r->zeros; i < r->n; i++)
		sum += part_of_loss(r, &r->voters[i], theta, log_theta);
	return sum;
}

/* Of those that saw nothing: it only grows with theta. Once it is beyond the bound, how far does not matter. */
static double loss_of_zeros(const struct robust *r, double theta, double bound)
{
	double sum = 0;

	for (size_t i = 0; i < r->zeros && sum <= bound; i++)
		sum += part_of_loss(r, &r->voters[i], theta, 0);
	return sum;
}

/* No theta can be larger than the largest candidate: where that is small, find_split has nothing to ask. */
static bool may_split(const struct robust *r, double exposure)
{
	return r->candidates[r->len - 1] * exposure / (double)r->n >= SPLIT_PACKETS_MIN;
}

/* Where the mean is comes first, since then most of the others need not be reckoned to the end. */
static double best_candidate(struct robust *r)
{
	double y = 0, e = 0, zeros = 0;

	for (size_t i = 0; i < r->n; i++) {
		y += r->voters[i].y;
		e += r->voters[i].e;
	}
	r->least = loss_of_seeing(r, y / e) + loss_of_zeros(r, y / e, INFINITY);
	double first = r->least * (1 + 1e-9);   /* the mean is a candidate, but for its rounding */
	double slack = may_split(r, e) ? 1.1 : 1 + 1e-9;
	r->least = INFINITY;
	for (size_t c = 0; c < r->len; c++) {
		double bound = slack * lesser(r->least, first) + 1e-9, seeing = zeros > bound ? 0 : loss_of_seeing(r, r->candidates[c]);

		if (seeing + zeros <= bound)
			zeros = greater(zeros, loss_of_zeros(r, r->candidates[c], bound - seeing));
		r->losses[c] = seeing + zeros;
		r->least = lesser(r->least, r->losses[c]);
	}
	for (size_t c = 0; c < r->len; c++)
		if (r->losses[c] <= r->least * (1 + 1e-12))
			return r->candidates[c];
	assert(0 && "one candidate has the least loss");
	return 0;
}

/* Step 5: those that do not go with theta have no say in the next one. */
static double refine(const struct robust *r, double theta, double floor_theta)
{
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		double y = 0, e = 0, before = theta;

		for (size_t i = 0; i < r->n; i++) {
			const struct voter *v = &r->voters[i];

			/* of nothing seen the deviance is less than twice what was expected */
			if ((v->y > 0 || 2 * theta * v->e >= DEV_MAX) && deviance_of(v->y, theta * v->e, v->phi) >= DEV_MAX)
				continue;
			double weight = v->w / (1 + v->phi * theta * v->e);
			y += weight * v->y;
			e += weight * v->e;
		}
		if (e == 0)
			break;
		theta = fmax(y / e, floor_theta);
		if (fabs(theta - before) < 1e-9 * before + 1e-12)
			break;
	}
	return theta;
}

/* The share of Student's t with n degrees of freedom within +-t, angle = atan(t/sqrt n) (Abramowitz and Stegun 26.7.3 and 4). */
static double t_within(double angle, size_t n)
{
	double c2 = cos(angle) * cos(angle), term = n % 2 ? cos(angle) : 1, sum = n > 1 ? term : 0;

	for (size_t k = n % 2 ? 2 : 1; k + 2 <= n; k += 2) {
		term *= c2 * (double)k / (double)(k + 1);
		sum += term;
	}
	return n % 2 ? (angle + sin(angle) * sum) * M_2_PI : sin(angle) * sum;
}

/* Of n accepted sensors: how much wider 95 % of Student's t are than the normal's 1.96. */
static double spread_of_few(size_t n)
{
	double low = 0, high = M_PI_2, middle = 0;

	for (unsigned i = 0; i < 60; i++) {
		middle = (low + high) / 2;
		*(t_within(middle, n - 1) < .95 ? &low : &high) = middle;
	}
	return sqrt((double)(n - 1)) * tan(middle) / 1.96;
}

static bool has_baseline(const struct fleet *f, size_t i)
{
	return f->seats[i].enrolled && (f->all_calibrate || !f->seats[i].calibrating);
}

/* Every enrolled sensor's b, and its part of the headline: who is odd for good does not carry the value (step 6). */
static void sum_baselines(struct robust *r, const struct fleet *f, struct fitted *day, const struct verdict *verdicts)
{
	double b = 0, cut_b = 0, a = 0;
	size_t n = 0;

	for (size_t i = 0; i < f->len; i++)
		if (has_baseline(f, i))
			r->logs[n++] = log(verdicts[i].b / f->seats[i].addresses);
	if (n == 0)
		return;
	memcpy(r->spare, r->logs, n * sizeof *r->spare);
	double middle = median(r->spare, n);
	for (size_t i = 0; i < n; i++)
		r->spare[i] = fabs(r->logs[i] - middle);
	double cut = middle + 2.5 * fmax(.5, 1.4826 * median(r->spare, n)), cut_rate = exp(cut);
	n = 0;
	for (size_t i = 0; i < f->len; i++)
		if (has_baseline(f, i)) {
			a += f->seats[i].addresses;
			b += verdicts[i].b;
			cut_b += r->logs[n++] > cut ? f->seats[i].addresses * cut_rate : verdicts[i].b;
		}
	day->plain_b = b / a;
	day->headline_b = cut_b / a;
}

/* Step 1, and the plain mean of who watched. */
static void begin_day(const struct fleet *f, const double *packets, const struct habit *habits, struct fitted *day, struct verdict *verdicts)
{
	double y = 0, watched = 0;

	for (size_t i = 0; i < f->len; i++) {
		const struct seat *s = &f->seats[i];

		verdicts[i] = (struct verdict){ .b = NAN, .exposure = NAN, .residual = NAN };
		if (s->enrolled)
			verdicts[i].b = (habits[i].packets + K * f->share[i]) / (habits[i].exposure + K);
	}
	for (size_t k = 0; k < f->panel_len; k++) {
		size_t i = f->panel[k];

		verdicts[i].seated = true;
		verdicts[i].accepted = f->panel_len >= ROBUST_SENSORS_MIN; /* until judged */
		verdicts[i].exposure = verdicts[i].b * f->seats[i].coverage;
		y += packets[i];
		watched += f->seats[i].addresses * f->seats[i].coverage;
	}
	day->looked = day->accepted = f->panel_len;
	day->plain = watched > 0 ? y / watched : NAN;
}

/* Who goes with theta, how far everybody is from it, and how sure it is. */
static void judge(struct robust *r, struct fitted *day, struct verdict *verdicts)
{
	double weight = 0;

	day->accepted = 0;
	for (size_t i = 0; i < r->n; i++) {
		const struct voter *v = &r->voters[i];
		struct verdict *p = &verdicts[v->sensor];
		double mu = day->theta * v->e;

		double deviance = deviance_of(v->y, mu, v->phi);
		p->accepted = deviance < DEV_MAX;
		p->residual = v->y < mu ? -sqrt(deviance) : sqrt(deviance);
		p->voice = p->accepted ? v->w / (1 + v->phi * mu) : 0;
		weight += p->voice * v->e;
		day->accepted += p->accepted;
	}
	if (day->accepted < 2)
		return;
	double *spread = &r->spreads[day->accepted];
	*spread = *spread > 0 ? *spread : spread_of_few(day->accepted);
	day->se = sqrt(day->theta / weight) * *spread;
}

/* Nobody saw anything: certain, and no news for who is odd. */
static void judge_silence(struct robust *r, struct fitted *day, struct verdict *verdicts)
{
	day->theta = 0;
	day->accepted = r->n;
	for (size_t i = 0; i < r->n; i++) {
		struct verdict *p = &verdicts[r->voters[i].sensor];

		p->residual = 0;
		p->voice = r->voters[i].w;
	}
}

static unsigned flags_of(const struct fleet *f, const struct fitted *day, const struct verdict *verdicts)
{
	double b = 0;

	if (f->panel_len < ROBUST_SENSORS_MIN)
		return f->panel_len ? ROBUST_ALONE : 0;
	for (size_t k = 0; k < f->panel_len; k++)
		b += verdicts[f->panel[k]].b;
	return (f->panel_len <= ROBUST_WEAK_MAX ? ROBUST_WEAK : 0) | (day->theta * b / (double)f->panel_len < 3 ? ROBUST_FAINT : 0) |
		(day->phi >= 1 || 5 * day->accepted < 3 * f->panel_len ? ROBUST_UNRELIABLE : 0);
}

void robust_fit(struct robust *r, const struct fleet *f, const double *packets, const struct port_habit *port, const struct habit *habits,
	struct fitted *day, struct verdict *verdicts)
{
	*day = (struct fitted){ .theta = NAN, .se = NAN, .phi = port->phi, .level = port->level, .plain_b = NAN, .headline_b = NAN };
	begin_day(f, packets, habits, day, verdicts);
	sum_baselines(r, f, day, verdicts);
	r->n = 0;
	if (f->panel_len >= ROBUST_SENSORS_MIN) {
		seat_voters(r, f, packets, port, habits, verdicts);
		if (r->voters[r->n - 1].y > 0) {
			double floor_theta = find_candidates(r);

			day->theta = refine(r, best_candidate(r), floor_theta);
			judge(r, day, verdicts);
		} else {
			judge_silence(r, day, verdicts);
		}
	}
	day->value = isnan(day->theta) ? day->plain : day->theta * day->headline_b;
	day->flags = flags_of(f, day, verdicts);
}

/* Those that are rejected in one direction: what part of the fleet sees. */
static bool find_partial(const struct fleet *f, const double *packets, const struct fitted *day, const struct verdict *verdicts, int direction, struct finding *out)
{
	double y = 0, e = 0, low = INFINITY, high = 0;
	unsigned n = 0, of = 0;

	for (size_t k = 0; k < f->panel_len; k++) {
		size_t i = f->panel[k];
		const struct verdict *p = &verdicts[i];

		if (f->seats[i].calibrating)
			continue;
		of++;
		if (p->accepted || p->residual * direction <= 0)
			continue;
		n++;
		y += packets[i];
		e += p->exposure;
		low = fmin(low, packets[i] / p->exposure);
		high = fmax(high, packets[i] / p->exposure);
	}
	*out = (struct finding){ .kind = FINDING_PARTIAL, .direction = direction, .n = n, .of = of, .level = day->theta, .other = n ? y / e : 0,
		.coherent = high <= 4 * low };
	return n >= 2 && 10 * n >= of;
}

/* Another level would do nearly as well (step 7). */
static bool find_split(const struct robust *r, const struct fitted *day, struct finding *out)
{
	double e = 0, best = INFINITY;

	*out = (struct finding){ .kind = FINDING_SPLIT, .level = day->theta };
	for (size_t i = 0; i < r->n; i++)
		e += r->voters[i].e;
	if (r->n == 0 || !(day->theta * e / (double)r->n >= SPLIT_PACKETS_MIN))
		return false;
	for (size_t c = 0; c < r->len; c++)
		if ((r->candidates[c] < day->theta / 2 || r->candidates[c] > 2 * day->theta) && r->losses[c] <= 1.1 * r->least + 1e-9 &&
			r->losses[c] < best) {
			best = r->losses[c];
			out->other = r->candidates[c];
		}
	return best < INFINITY;
}

static bool is_odd(const struct seat *s, const struct verdict *p, double packets, double theta)
{
	return p->seated && !p->accepted && fabs(p->residual) > 4 && fmax(packets, theta * p->exposure) >= 10 && !s->calibrating;
}

size_t robust_findings(struct robust *r, const struct fleet *f, const double *packets, const struct habit *habits, const struct fitted *day,
	const struct verdict *verdicts, struct finding *findings)
{
	size_t n = 0;

	if (!(day->theta > 0))
		return 0;
	for (size_t i = 0; i < f->len; i++) {
		const struct verdict *p = &verdicts[i];
		int direction = p->residual > 0 ? 1 : -1;

		if (p->seated && !p->accepted)
			findings[n++] = (struct finding){ .kind = is_odd(&f->seats[i], p, packets[i], day->theta) ? FINDING_ODD : FINDING_ASIDE, .sensor = i, .direction = direction, .packets = packets[i],
				.expected = day->theta * p->exposure, .continues = habits[i].odd == direction };
		if (p->seated && !p->accepted && habits[i].run + 1 == SHIFT_DAYS)
			findings[n++] = (struct finding){ .kind = FINDING_SHIFT, .sensor = i, .direction = direction };
	}
	n += find_partial(f, packets, day, verdicts, 1, &findings[n]);
	n += find_partial(f, packets, day, verdicts, -1, &findings[n]);
	n += find_split(r, day, &findings[n]);
	return n;
}

/* Step 8, a sensor. */
static void learn_habit(struct habit *h, const struct seat *s, double packets, const struct fitted *day, const struct verdict *p)
{
	double exposure = day->theta * s->coverage;
	bool fits = p->seated && !isnan(day->theta);

	if (fits && !p->accepted) {
		h->run++;
		h->run_packets += packets;
		h->run_exposure += exposure;
	} else if (fits) {
		h->run = 0;
		h->run_packets = h->run_exposure = 0;
	}
	if (p->seated)
		h->odd = fits && day->theta > 0 && is_odd(s, p, packets, day->theta) ? (p->residual > 0 ? 1 : -1) : 0;
	if (h->run == SHIFT_DAYS) {
		*h = (struct habit){ .packets = h->run_packets, .exposure = h->run_exposure, .odd = h->odd };
		return;
	}
	h->packets = DECAY * h->packets + (fits && p->accepted ? packets : 0);
	h->exposure = DECAY * h->exposure + (fits && p->accepted ? exposure : 0);
}

/* Whether spread is as it was taken to be: half of the residuals of a normal lie beyond .6745. */
static void learn_phi(const struct fleet *f, const struct fitted *day, const struct verdict *verdicts, const struct habit *habits, struct port_habit *port)
{
	unsigned n = 0, beyond = 0;

	for (size_t k = 0; k < f->panel_len; k++) {
		size_t i = f->panel[k];
		double b = (habits[i].packets + K * f->share[i]) / (habits[i].exposure + K);

		if (!verdicts[i].accepted || !(day->theta * b > 1) || !(fabs(verdicts[i].residual) < 3))
			continue;
		n++;
		beyond += fabs(verdicts[i].residual) > .6745;
	}
	if (n >= 3)
		port->phi = fmin(fmax(port->phi * exp(.15 * ((double)beyond / n - .5)), PHI_MIN), 1);
}

static void learn_level(struct port_habit *port, double theta, bool agreed)
{
	if (isnan(port->level)) {
		port->level = theta > 0 ? theta : NAN;
		return;
	}
	port->high = theta > 3 * port->level && agreed ? port->high + 1 : 0;
	if (port->high == HIGH_DAYS) {
		port->level = theta;
		port->high = 0;
		return;
	}
	port->level += .1 * (fmin(fmax(theta, port->level / 3), 3 * port->level) - port->level);
}

void robust_learn(const struct fleet *f, const double *packets, const struct fitted *day, const struct verdict *verdicts, struct port_habit *port,
	struct habit *habits)
{
	bool agreed = 20 * day->accepted >= 17 * f->panel_len;

	for (size_t i = 0; i < f->len; i++)
		learn_habit(&habits[i], &f->seats[i], packets[i], day, &verdicts[i]);
	if (isnan(day->theta))
		return;
	if (agreed)
		learn_phi(f, day, verdicts, habits, port);
	learn_level(port, day->theta, agreed);
}

void sensor_day_add(struct sensor_day *s, double packets, const struct fitted *day, const struct verdict *part)
{
	double mu = day->theta * part->exposure;

	if (!part->seated || isnan(day->theta))
		return;
	s->seen += packets > 0;
	s->unlikely += log1p(day->phi * mu) / day->phi;
	if (mu < 3)
		return;
	s->judged++;
	s->up += !part->accepted && part->residual > 0;
	s->down += !part->accepted && part->residual < 0;
}

size_t sensor_day_end(struct sensor_day *s, size_t sensor, bool calibrating, struct finding findings[2])
{
	int direction = s->up >= s->down ? 1 : -1;
	unsigned n = direction > 0 ? s->up : s->down;
	size_t len = 0;

	s->quiet = s->seen ? 0 : s->quiet + s->unlikely;
	if (!calibrating && n >= 2 && 2 * n >= s->judged)
		findings[len++] = (struct finding){ .kind = FINDING_FAULT, .sensor = sensor, .direction = direction, .n = n, .of = s->judged };
	if (!calibrating && s->quiet > QUIET_MAX)
		findings[len++] = (struct finding){ .kind = FINDING_SILENCE, .sensor = sensor, .direction = -1, .expected = s->quiet };
	*s = (struct sensor_day){ .quiet = s->quiet };
	return len;
}
