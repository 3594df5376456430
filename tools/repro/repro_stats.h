/* repro_stats.h: what the report says about numbers of several seeds: means with 95% intervals by bootstrap, and correlation.
 * Include after slm.h (its random numbers).  The same input gives the same output: the bootstrap has a seed of its own. */
#ifndef REPRO_STATS_H
#define REPRO_STATS_H
#include <math.h>
#include <stdlib.h>

enum { STATS_SEEDS = 64, STATS_RESAMPLES = 10000, STATS_SEED = 20240411 };

/* value: the mean; low..high: 95% by the percentile bootstrap over the n seeds; t_low..t_high: by Student's t, wider with few
   seeds.  NaN where there is none: no seed, and for the intervals fewer than two. */
typedef struct estimate {
    double value, low, high, t_low, t_high;
    size_t n;
} estimate;

static inline int stats__compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static inline double stats_mean(const double *x, size_t n) {
    double sum = 0;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(x[i])) {
            sum += x[i];
            used++;
        }
    }
    return used == 0 ? NAN : sum / (double)used;
}

/* 97.5% quantile of Student's t with that many degrees of freedom. */
static inline double stats_t(size_t freedom) {
    static const double t[11] = {NAN,   12.706, 4.303, 3.182, 2.776, 2.571,
                                 2.447, 2.365,  2.306, 2.262, 2.228};
    return freedom <= 10 ? t[freedom] : 1.96 + 2.6 / (double)freedom;
}

/* The mean of the finite ones among x (n), one number per seed. */
static inline estimate stats_estimate(const double *x, size_t n) {
    static double mean[STATS_RESAMPLES];
    estimate e = {NAN, NAN, NAN, NAN, NAN, 0};
    double used[STATS_SEEDS], squares = 0;
    slm_rng rng = slm_rng_seed(STATS_SEED);
    for (size_t i = 0; i < n && e.n < STATS_SEEDS; i++) {
        if (isfinite(x[i])) {
            used[e.n++] = x[i];
        }
    }
    e.value = stats_mean(used, e.n);
    if (e.n < 2) {
        return e;
    }
    for (size_t r = 0; r < STATS_RESAMPLES; r++) {
        double sum = 0;
        for (size_t i = 0; i < e.n; i++) {
            sum += used[slm_rng_below(&rng, e.n)];
        }
        mean[r] = sum / (double)e.n;
    }
    qsort(mean, STATS_RESAMPLES, sizeof *mean, stats__compare);
    e.low = mean[STATS_RESAMPLES / 40];
    e.high = mean[STATS_RESAMPLES - 1 - STATS_RESAMPLES / 40];
    for (size_t i = 0; i < e.n; i++) {
        squares += (used[i] - e.value) * (used[i] - e.value);
    }
    double half = stats_t(e.n - 1) * sqrt(squares / (double)(e.n - 1) / (double)e.n);
    e.t_low = e.value - half;
    e.t_high = e.value + half;
    return e;
}

/* The same for logarithms, taken back: the geometric mean and its intervals. */
static inline estimate stats_exp(estimate e) {
    e.value = exp(e.value);
    e.low = exp(e.low);
    e.high = exp(e.high);
    e.t_low = exp(e.t_low);
    e.t_high = exp(e.t_high);
    return e;
}

/* Pearson's r over the pairs that are finite; NaN with fewer than three of them. */
static inline double stats_correlation(const double *x, const double *y, size_t n) {
    double mx = 0, my = 0, xx = 0, xy = 0, yy = 0;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(x[i]) && isfinite(y[i])) {
            mx += x[i];
            my += y[i];
            used++;
        }
    }
    mx /= (double)used;
    my /= (double)used;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i])) {
            continue;
        }
        xx += (x[i] - mx) * (x[i] - mx);
        xy += (x[i] - mx) * (y[i] - my);
        yy += (y[i] - my) * (y[i] - my);
    }
    return used < 3 ? NAN : xy / sqrt(xx * yy);
}

/* Where the value lies: -1 below the level, 1 above it, 0 not to be told.  Both intervals must say so: with three to five seeds
   the bootstrap alone is too narrow. */
static inline int stats_side(const estimate *e, double level) {
    return e->high < level && e->t_high < level ? -1 : e->low > level && e->t_low > level ? 1 : 0;
}
#endif
