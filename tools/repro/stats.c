/* stats.c: means with 95% intervals, tests, and correlation. */
#include <math.h>
#include "stats.h"

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

/* ---- Student's t ---- */
/* P(|T| < t), by the finite series that there are for whole degrees of freedom: with
   angle = atan(t / sqrt(degrees)) it is a sum of powers of cos(angle), times sin(angle). */
static double within(double t, size_t degrees) {
    const double two_over_pi = 0.63661977236758134308;
    double angle = atan(t / sqrt((double)degrees));
    double cosine = cos(angle);
    int is_odd = degrees % 2 == 1;
    double term = is_odd ? cosine : 1;
    double sum = 0;
    for (size_t k = is_odd ? 3 : 2; k <= degrees; k += 2) {
        sum += term;
        term *= cosine * cosine * (double)(k - 1) / (double)k;
    }
    if (is_odd) return two_over_pi * (angle + sin(angle) * sum);
    return sin(angle) * sum;
}

double stats_t_below(double t, size_t degrees) {
    double half = within(fabs(t), degrees) / 2;
    return t < 0 ? 0.5 - half : 0.5 + half;
}

double stats_t_of_p(double p, size_t degrees) {
    double low = 0;
    double high = 1;
    while (1 - within(high, degrees) > p && high < 1e9)
        high *= 2;
    while (high - low > 1e-11 * high) {
        double middle = (low + high) / 2;
        if (1 - within(middle, degrees) > p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

double stats_t_95(size_t degrees) {
    return stats_t_of_p(0.05, degrees);
}

/* ---- estimates ---- */
estimate stats_estimate(const double *x, size_t n) {
    estimate e = {NAN, NAN, NAN, 0};
    double squares = 0;
    e.value = stats_mean(x, n);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) continue;
        squares += (x[i] - e.value) * (x[i] - e.value);
        e.n++;
    }
    if (e.n < 2) return e;
    double error = sqrt(squares / (double)(e.n - 1) / (double)e.n);
    double half = stats_t_95(e.n - 1) * error;
    e.low = e.value - half;
    e.high = e.value + half;
    return e;
}

estimate stats_exp(estimate e) {
    return (estimate){exp(e.value), exp(e.low), exp(e.high), e.n};
}

estimate stats_scale(estimate e, double f) {
    if (f < 0) return (estimate){e.value * f, e.high * f, e.low * f, e.n};
    return (estimate){e.value * f, e.low * f, e.high * f, e.n};
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

/* ---- tests ---- */
side stats_side(estimate e, double level) {
    if (e.n < MIN_INTERVAL) {
        if (!isfinite(e.value) || !(fabs(e.value - level) > 0)) return UNDECIDED;
        return e.value < level ? BELOW : ABOVE;
    }
    if (e.high < level) return BELOW;
    return e.low > level ? ABOVE : UNDECIDED;
}

double stats_p(estimate e, double level) {
    if (e.n < 2) return NAN;
    double distance = fabs(e.value - level);
    double half = (e.high - e.low) / 2;
    if (!(distance > 0)) return 1;
    if (!(half > 0)) return 0;
    return 1 - within(stats_t_95(e.n - 1) * distance / half, e.n - 1);
}

/* The k-th smallest p, k from 0, is taken times family - k, and is no smaller than the one
   before. */
void stats_holm(double *adjusted, const double *p, size_t n, size_t family) {
    for (size_t i = 0; i < n; i++) {
        adjusted[i] = isfinite(p[i]) ? 0 : NAN;
        for (size_t j = 0; j < n && isfinite(p[i]); j++) {
            size_t smaller = 0;
            if (!(p[j] <= p[i])) continue;
            for (size_t k = 0; k < n; k++)
                smaller += p[k] < p[j] || (p[k] == p[j] && k < j);
            adjusted[i] = fmax(adjusted[i], fmin(1, p[j] * (double)(family - smaller)));
        }
    }
}
