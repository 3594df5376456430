/* stats.c: means with 95% intervals, and correlation. */
#include <math.h>
#include <stdlib.h>
#include "findings.h"
#include "slm.h"

enum { RESAMPLES = 10000, BOOTSTRAP_SEED = 20240411 };

static int compare_numbers(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

double stats_mean(const double *x, size_t n) {
    double sum = 0;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) continue;
        sum += x[i];
        used++;
    }
    return used == 0 ? NAN : sum / (double)used;
}

/* 97.5% quantile of Student's t. */
static double student_t(size_t degrees_of_freedom) {
    static const double t[11] = {NAN,   12.706, 4.303, 3.182, 2.776, 2.571,
                                 2.447, 2.365,  2.306, 2.262, 2.228};
    return degrees_of_freedom <= 10 ? t[degrees_of_freedom]
                                    : 1.96 + 2.6 / (double)degrees_of_freedom;
}

/* The percentile bootstrap of the mean of x (n). */
static void bootstrap(const double *x, size_t n, double *low, double *high) {
    static double mean[RESAMPLES];
    slm_rng rng = slm_rng_seed(BOOTSTRAP_SEED);
    for (size_t k = 0; k < RESAMPLES; k++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += x[slm_rng_below(&rng, n)];
        mean[k] = sum / (double)n;
    }
    qsort(mean, RESAMPLES, sizeof *mean, compare_numbers);
    *low = mean[RESAMPLES / 40];
    *high = mean[RESAMPLES - 1 - RESAMPLES / 40];
}

estimate stats_estimate(const double *x, size_t n) {
    estimate e = {NAN, NAN, NAN, NAN, NAN, 0};
    double used[MAX_SEEDS] = {0};
    double squares = 0;
    for (size_t i = 0; i < n && e.n < MAX_SEEDS; i++)
        if (isfinite(x[i])) used[e.n++] = x[i];
    e.value = stats_mean(used, e.n);
    if (e.n < 2) return e;
    bootstrap(used, e.n, &e.low, &e.high);
    for (size_t i = 0; i < e.n; i++)
        squares += (used[i] - e.value) * (used[i] - e.value);
    double half = student_t(e.n - 1) * sqrt(squares / (double)(e.n - 1) / (double)e.n);
    e.t_low = e.value - half;
    e.t_high = e.value + half;
    return e;
}

estimate stats_exp(estimate e) {
    return (estimate){exp(e.value), exp(e.low), exp(e.high), exp(e.t_low), exp(e.t_high), e.n};
}

estimate stats_scale(estimate e, double f) {
    if (f < 0)
        return (estimate){e.value * f, e.high * f, e.low * f, e.t_high * f, e.t_low * f, e.n};
    return (estimate){e.value * f, e.low * f, e.high * f, e.t_low * f, e.t_high * f, e.n};
}

double stats_correlation(const double *x, const double *y, size_t n) {
    double mx = stats_mean(x, n);
    double my = stats_mean(y, n);
    double xx = 0, xy = 0, yy = 0;
    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        xy += (x[i] - mx) * (y[i] - my);
        yy += (y[i] - my) * (y[i] - my);
    }
    return n < 3 ? NAN : xy / sqrt(xx * yy);
}

side stats_side(estimate e, double level) {
    if (e.n < MIN_INTERVAL) {
        if (!isfinite(e.value) || !(fabs(e.value - level) > 0)) return UNDECIDED;
        return e.value < level ? BELOW : ABOVE;
    }
    if (e.high < level && e.t_high < level) return BELOW;
    return e.low > level && e.t_low > level ? ABOVE : UNDECIDED;
}
