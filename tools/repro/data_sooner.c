/* data_sooner.c: how many times sooner an arm comes where another ends, and how many times as much
 * text the other needs. */
#include <math.h>
#include "findings.h"

/* x where the run first reaches the level of metric y, on the straight line between two points; NaN
   if it never does. */
static double reaches(const data_run *run, data_column x, data_column y, double level) {
    double sign = y == TARGET_ACCURACY ? 1 : -1;
    double x0 = NAN, y0 = NAN;
    for (size_t i = 0; i < run->n; i++) {
        double xi = run_at(run, i, x);
        double yi = run_at(run, i, y);
        if (!isfinite(xi) || !isfinite(yi)) continue;
        if (sign * yi >= sign * level)
            return isnan(x0) ? xi : x0 + (xi - x0) * (level - y0) / (yi - y0);
        x0 = xi;
        y0 = yi;
    }
    return NAN;
}

/* What one seed gives: NO_NUMBER where a run or a value is missing, AT_ONCE where the run is at the
   level before any training. */
typedef enum outcome { NO_NUMBER, AT_ONCE, NEVER, REACHED } outcome;

/* What divides is where the baseline itself first comes to its end's level: it may have been there
   before.  Against itself each run is 1x. */
static outcome sooner_of(double *logarithm, const data_run *run, const data_run *base,
                         data_column x, data_column y) {
    if (run == NULL || base == NULL) return NO_NUMBER;
    double level = run_end(base, y);
    double own = reaches(base, x, y, level);
    if (!isfinite(own) || !isfinite(run_end(run, x))) return NO_NUMBER;
    double reached = reaches(run, x, y, level);
    if (reached <= run_at(run, 0, x) || own <= run_at(base, 0, x)) return AT_ONCE;
    *logarithm = log(isfinite(reached) ? own / reached : NOT_REACHED);
    return isfinite(reached) ? REACHED : NEVER;
}

/* A mean of which fewer than half of the seeds reach the level is no number. */
static void finish(sooner *s, const double *logarithms) {
    s->logs = stats_estimate(logarithms, s->seeds);
    s->e = stats_exp(s->logs);
    if (2 * s->reached < s->seeds || s->seeds == 0) s->e = stats_scale(s->e, NAN);
}

sooner data_sooner(const data_group *g, const data_group *base, data_column x, data_column y) {
    sooner s = {.seeds = 0};
    double v[MAX_SEEDS] = {0};
    for (size_t i = 0; i < g->n; i++) {
        const data_run *run = &g->run[i];
        outcome o = sooner_of(&v[s.seeds], run, data_pair(base, run->seed), x, y);
        s.at_once += o == AT_ONCE;
        s.reached += o == REACHED;
        s.seeds += o == REACHED || o == NEVER;
    }
    finish(&s, v);
    return s;
}

double data_arrival(const data_group *g, data_column x, data_column y) {
    double v[MAX_SEEDS] = {0};
    for (size_t i = 0; i < g->n; i++)
        v[i] = reaches(&g->run[i], x, y, run_end(&g->run[i], y));
    return stats_mean(v, g->n);
}

lead data_sooner_than(const data_group *g, const data_group *other, const data_group *base,
                      data_column x, data_column y) {
    lead l = {.at_least = 0};
    double v[MAX_SEEDS] = {0};
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        const char *seed = g->run[i].seed;
        const data_run *pair = data_pair(base, seed);
        double a = 0, b = 0;
        outcome own = sooner_of(&a, &g->run[i], pair, x, y);
        outcome others = sooner_of(&b, data_pair(other, seed), pair, x, y);
        l.at_once += own == AT_ONCE || others == AT_ONCE;
        if (own <= AT_ONCE || others <= AT_ONCE) continue;
        const int is_neither = own == NEVER && others == NEVER;
        l.neither += is_neither;
        l.at_least += others == NEVER && !is_neither;
        if (others == NEVER) b = is_neither ? a : 0;
        v[n++] = a - b;
    }
    l.logs = stats_estimate(v, n);
    return l;
}

/* ---- the set multiplier ---- */
/* The logarithm of the multiple at which plain training of this seed comes to the level. */
static outcome multiple_of(double *logarithm, const data_group *const *list, size_t n,
                           const char *seed, data_column y, double level) {
    double sign = y == TARGET_ACCURACY ? 1 : -1;
    double x0 = NAN, y0 = NAN;
    for (size_t i = 0; i < n; i++) {
        const data_run *run = data_seed(list[i], seed);
        if (run == NULL || !isfinite(run_end(run, y))) continue;
        double x = log(list[i]->steps / list[0]->steps);
        double end = run_end(run, y);
        *logarithm = x;
        if (sign * end >= sign * level) {
            if (isfinite(x0)) *logarithm = x0 + (x - x0) * (level - y0) / (end - y0);
            return REACHED;
        }
        x0 = x;
        y0 = end;
    }
    return isnan(x0) ? NO_NUMBER : NEVER;
}

sooner data_multiplier(const data *d, data_column y) {
    const data_group *list[MAX_SWEEP];
    const data_group *slm = data_find(d, "builtin", "multiplier", "slm");
    size_t n = data_sweep(d, "multiplier", "clm", list);
    sooner s = {.seeds = 0};
    double v[MAX_SEEDS] = {0};
    for (size_t i = 0; i < slm->n && n > 1; i++) {
        double level = run_end(&slm->run[i], y);
        if (!isfinite(level)) continue;
        outcome o = multiple_of(&v[s.seeds], list, n, slm->run[i].seed, y, level);
        s.reached += o == REACHED;
        s.seeds += o != NO_NUMBER;
    }
    s.logs = stats_estimate(v, s.seeds);
    s.e = stats_exp(s.logs);
    return s;
}
