/* coverage.c: intervals that are called 95%, tried on numbers whose true mean is known to be 0. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "common/options.h"
#include "slm.h"
#include "stats.h"

enum { MAX_DRAWS = 16, RESAMPLES = 400, EXPERIMENTS = 20000, BOOTSTRAP_EXPERIMENTS = 4000 };

static double draw_normal(slm_rng *rng) {
    double u = 1 - slm_rng_uniform(rng); /* not 0 */
    double angle = 6.28318530717958647692 * slm_rng_uniform(rng);
    return sqrt(-2 * log(u)) * cos(angle);
}

static double draw(coverage_noise noise, slm_rng *rng) {
    if (noise == NORMAL) return draw_normal(rng);
    double u = slm_rng_uniform(rng);
    double wait = -log(1 - slm_rng_uniform(rng)); /* exponential: its mean is 1 */
    if (noise == UNIFORM) return u - 0.5;
    if (noise == LAPLACE) return u < 0.5 ? -wait : wait;
    return wait - 1;
}

static int compare_numbers(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* The 2.5% and 97.5% of the means of samples that are drawn from x (n) with putting back. */
static estimate by_bootstrap(const double *x, size_t n, slm_rng *rng) {
    double mean[RESAMPLES];
    for (size_t k = 0; k < RESAMPLES; k++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += x[slm_rng_below(rng, n)];
        mean[k] = sum / (double)n;
    }
    qsort(mean, RESAMPLES, sizeof *mean, compare_numbers);
    return (estimate){stats_mean(x, n), mean[RESAMPLES / 40],
                      mean[RESAMPLES - 1 - RESAMPLES / 40], n};
}

double coverage_of(coverage_interval interval, coverage_noise noise, size_t n, size_t experiments) {
    slm_rng rng = slm_rng_seed(20240411);
    size_t hits = 0;
    for (size_t k = 0; k < experiments; k++) {
        double x[MAX_DRAWS];
        for (size_t i = 0; i < n && i < MAX_DRAWS; i++)
            x[i] = draw(noise, &rng);
        estimate e = interval == BY_STUDENT ? stats_estimate(x, n) : by_bootstrap(x, n, &rng);
        hits += e.low <= 0 && 0 <= e.high;
    }
    return (double)hits / (double)experiments;
}

void coverage_print(void) {
    static const char *const names[COVERAGE_NOISES] = {"normal", "uniform", "Laplace",
                                                       "exponential"};
    static const size_t seeds[] = {3, 4, 5, 8};
    printf("how often a 95%% interval of the mean holds the true mean (%d simulated experiments "
           "each)\n\n%-12s %6s %10s %22s\n",
           EXPERIMENTS, "noise", "seeds", "Student's t", "percentile bootstrap");
    for (int noise = 0; noise < COVERAGE_NOISES; noise++) {
        for (size_t i = 0; i < COUNT(seeds); i++) {
            coverage_noise of = (coverage_noise)noise;
            double student = coverage_of(BY_STUDENT, of, seeds[i], EXPERIMENTS);
            double bootstrap = coverage_of(BY_BOOTSTRAP, of, seeds[i], BOOTSTRAP_EXPERIMENTS);
            printf("%-12s %6zu %11.1f%% %21.1f%%\n", names[noise], seeds[i], 100 * student,
                   100 * bootstrap);
        }
    }
    printf("\nThe report uses Student's t.\n");
}
