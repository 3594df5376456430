/* Statistics of the report: Student's t against its table, intervals that hold the true mean as
   often as they say, p, Holm's correction by hand.
   make build/tests/stats && build/tests/stats                                                   */
#include "check.h"

#define SLM_IMPLEMENTATION
#include "slm.h"

#include "repro/stats.h"

static int near(double a, double b, double tolerance) {
    return fabs(a - b) <= tolerance;
}

/* 97.5% quantiles, from a printed table. */
static void check_quantiles(void) {
    static const struct {
        size_t degrees;
        double t;
    } table[] = {{1, 12.706}, {2, 4.303}, {3, 3.182},  {4, 2.776},
                 {5, 2.571},  {9, 2.262}, {30, 2.042}, {60, 2.000}};
    /* 99.95%, from the same table: what a small p asks for. */
    CHECK(near(stats_t_of_p(0.001, 4), 8.610, 6e-4), "t %g", stats_t_of_p(0.001, 4));
    CHECK(near(stats_t_of_p(0.001, 2), 31.599, 6e-4), "t %g", stats_t_of_p(0.001, 2));
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double t = stats_t_95(table[i].degrees);
        CHECK(near(t, table[i].t, 6e-4), "%zu degrees: %g, not %g", table[i].degrees, t,
              table[i].t);
        CHECK(near(stats_t_below(t, table[i].degrees), 0.975, 1e-9), "%zu degrees",
              table[i].degrees);
        CHECK(near(stats_t_below(-t, table[i].degrees), 0.025, 1e-9), "%zu degrees",
              table[i].degrees);
    }
}

/* Five numbers by hand: mean 3, standard error sqrt(2.5 / 5). */
static void check_estimate(void) {
    static const double x[7] = {1, NAN, 2, 3, 4, INFINITY, 5};
    estimate e = stats_estimate(x, 7);
    double half = 2.7764451 * sqrt(0.5);
    CHECK(e.n == 5 && near(e.value, 3, 1e-12), "n %zu, mean %g", e.n, e.value);
    CHECK(near(e.low, 3 - half, 1e-6) && near(e.high, 3 + half, 1e-6), "[%g, %g]", e.low, e.high);
    estimate negative = stats_scale(e, -2);
    CHECK(near(negative.low, -2 * e.high, 1e-12) && near(negative.high, -2 * e.low, 1e-12),
          "[%g, %g]", negative.low, negative.high);
    estimate one = stats_estimate(x, 1);
    CHECK(one.n == 1 && isnan(one.low) && isnan(stats_p(one, 0)), "low %g", one.low);
    estimate none = stats_estimate(x, 0);
    CHECK(none.n == 0 && isnan(none.value), "value %g", none.value);
}

/* An interval that ends at a level has p 0.05 there, whichever end it is. */
static void check_p(void) {
    static const double x[4] = {0.2, 0.5, 0.3, 0.9};
    estimate e = stats_estimate(x, 4);
    CHECK(near(stats_p(e, e.low), 0.05, 1e-8), "p %g", stats_p(e, e.low));
    CHECK(near(stats_p(e, e.high), 0.05, 1e-8), "p %g", stats_p(e, e.high));
    CHECK(near(stats_p(e, e.value), 1, 1e-8), "p %g", stats_p(e, e.value));
    CHECK(stats_side(e, e.low - 1e-6) == ABOVE, "above");
    CHECK(stats_side(e, e.low + 1e-6) == UNDECIDED, "undecided");
    CHECK(stats_side(e, e.high + 1e-6) == BELOW, "below");
    /* With two degrees of freedom p = 1 - t / sqrt(t * t + 2): here t is 2 * sqrt(3). */
    static const double y[3] = {1, 2, 3};
    double t = 2 * sqrt(3);
    double p = 1 - t / sqrt(t * t + 2);
    CHECK(near(stats_p(stats_estimate(y, 3), 0), p, 1e-9), "p %g, not %g",
          stats_p(stats_estimate(y, 3), 0), p);
}

/* Sorted: 0.001 * 4, 0.01 * 3, 0.02 * 2 and 0.04, none below the one before. */
static void check_holm(void) {
    static const double p[5] = {0.04, NAN, 0.001, 0.02, 0.01};
    static const double wanted[5] = {0.04, NAN, 0.004, 0.04, 0.03};
    double adjusted[5];
    stats_holm(adjusted, p, 5, 4);
    for (int i = 0; i < 5; i++)
        CHECK(isnan(wanted[i]) ? isnan(adjusted[i]) : near(adjusted[i], wanted[i], 1e-12),
              "number %d: %g, not %g", i, adjusted[i], wanted[i]);
    static const double ties[3] = {0.5, 0.5, 0.5};
    stats_holm(adjusted, ties, 3, 3);
    for (int i = 0; i < 3; i++)
        CHECK(near(adjusted[i], 1, 1e-12), "number %d: %g", i, adjusted[i]);
    /* A family of 6, of which two were not run: 0.001 * 6, 0.01 * 5, 0.02 * 4, 0.04 * 3. */
    static const double of_six[5] = {0.12, NAN, 0.006, 0.08, 0.05};
    stats_holm(adjusted, p, 5, 6);
    for (int i = 0; i < 5; i++)
        CHECK(isnan(of_six[i]) ? isnan(adjusted[i]) : near(adjusted[i], of_six[i], 1e-12),
              "number %d of six: %g, not %g", i, adjusted[i], of_six[i]);
}

/* 20000 experiments: the share of hits is within 0.006 of 0.95 in all but a few of a million
   tries, were it 0.95.  The percentile bootstrap of five seeds misses by far. */
static void check_coverage(void) {
    static const size_t seeds[4] = {3, 4, 5, 8};
    for (int i = 0; i < 4; i++) {
        double covered = coverage_of(BY_STUDENT, NORMAL, seeds[i], 20000);
        CHECK(near(covered, 0.95, 0.006), "%zu seeds: %g", seeds[i], covered);
    }
    double uniform = coverage_of(BY_STUDENT, UNIFORM, 5, 20000);
    double laplace = coverage_of(BY_STUDENT, LAPLACE, 5, 20000);
    double bootstrap = coverage_of(BY_BOOTSTRAP, NORMAL, 5, 4000);
    CHECK(uniform > 0.92 && uniform < 0.97, "uniform: %g", uniform);
    CHECK(laplace > 0.93 && laplace < 0.98, "Laplace: %g", laplace);
    CHECK(bootstrap > 0.80 && bootstrap < 0.88, "bootstrap: %g", bootstrap);
}

static void check_correlation(void) {
    static const double x[4] = {1, 2, 3, 4};
    static const double y[4] = {8, 6, 4, 2};
    static const double z[4] = {1, -1, -1, 1};
    CHECK(near(stats_correlation(x, y, 4), -1, 1e-12), "r %g", stats_correlation(x, y, 4));
    CHECK(near(stats_correlation(x, z, 4), 0, 1e-12), "r %g", stats_correlation(x, z, 4));
    CHECK(isnan(stats_correlation(x, y, 2)), "r %g", stats_correlation(x, y, 2));
}

int main(void) {
    check_quantiles();
    check_estimate();
    check_p();
    check_holm();
    check_coverage();
    check_correlation();
    return check_end();
}
