/* stats.h: means of several seeds with 95% intervals by Student's t, tests, Holm's correction. */
#ifndef STATS_H
#define STATS_H
#include <stddef.h>

enum { MAX_SEEDS = 64 };

/* NaN where there is none: no seed, or for the interval fewer than two. */
typedef struct estimate {
    double value;     /* the mean */
    double low, high; /* 95% by Student's t over the n seeds */
    size_t n;
} estimate;

typedef enum side { BELOW = -1, UNDECIDED, ABOVE } side;

double stats_mean(const double *x, size_t n); /* of the finite ones */

/* The mean of the finite ones among x (n), one number per seed. */
estimate stats_estimate(const double *x, size_t n);

/* An estimate of logarithms, taken back: the geometric mean and its interval. */
estimate stats_exp(estimate e);

/* The estimate times a factor, which may be negative. */
estimate stats_scale(estimate e, double factor);

/* Pearson's r over pairs of finite numbers; NaN with fewer than three of them. */
double stats_correlation(const double *x, const double *y, size_t n);

/* On which side of a level the value lies: its whole interval does.  Fewer than MIN_INTERVAL seeds
   have no interval worth the name: then it is the side of the value, which is a direction and no
   verdict. */
enum { MIN_INTERVAL = 3 };
side stats_side(estimate e, double level);

/* The chance, if the true mean were `level`, of a mean at least as far from it: Student's t test of
   both sides.  It is under 0.05 where the interval leaves the level out.  NaN with one seed. */
double stats_p(estimate e, double level);

/* P(T < t) of Student's t with that many degrees of freedom; the t with P(|T| > t) = p, and that of
   p 0.05. */
double stats_t_below(double t, size_t degrees);
double stats_t_of_p(double p, size_t degrees);
double stats_t_95(size_t degrees);

/* Holm's correction of p (n) for a family of that many tests: adjusted[i] under 0.05 may be
   believed although so many were to be looked at.  Those that are not among p, and NaN, which stays
   NaN, count as if their p were 1. */
void stats_holm(double *adjusted, const double *p, size_t n, size_t family);

/* ---- coverage.c: how often an interval that is called 95% holds the true mean ---- */
typedef enum coverage_noise {
    NORMAL,
    UNIFORM,
    LAPLACE,
    EXPONENTIAL,
    COVERAGE_NOISES
} coverage_noise;

typedef enum coverage_interval { BY_STUDENT, BY_BOOTSTRAP, COVERAGE_INTERVALS } coverage_interval;

/* Simulates that many experiments of n seeds each, whose numbers have this noise.  The same
   arguments give the same number.  BY_BOOTSTRAP is the percentile bootstrap, which this report does
   not use. */
double coverage_of(coverage_interval interval, coverage_noise noise, size_t n, size_t experiments);

/* Prints the table of `reproduce coverage`. */
void coverage_print(void);
#endif
