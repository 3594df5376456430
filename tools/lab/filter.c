/* filter.c: documents, windows, and the best of them. */
#include <math.h>
#include <stdlib.h>
#include "experiment.h"
#include "filter.h"

spans spans_of_documents(const char *text, const size_t *size, size_t n, size_t longest) {
    spans s = {(size_t *)must_alloc(n + 1, sizeof *s.start), 0};
    size_t position = 0, newlines = 0, begin = 0;
    int is_at_start = 1;
    for (size_t i = 0; i < n; i++) {
        if (is_at_start) {
            s.start[s.n++] = i;
            begin = position;
        }
        is_at_start = 0;
        for (size_t end = position + size[i]; position < end; position++) {
            newlines = text[position] == '\n' ? newlines + 1 : 0;
            const int is_long = longest > 0 && position - begin >= longest;
            if (newlines >= 2 || (newlines == 1 && is_long)) is_at_start = 1;
        }
    }
    s.start[s.n] = n;
    return s;
}

spans spans_of_windows(size_t n, size_t T) {
    size_t count = n > 1 ? (n - 2) / T + 1 : 1;
    spans s = {(size_t *)must_alloc(count + 1, sizeof *s.start), count};
    for (size_t i = 1; i < count; i++)
        s.start[i] = i * T + 1;
    s.start[count] = n;
    return s;
}

void spans_mean(double *mean, const spans *s, const double *score) {
    for (size_t i = 0; i < s->n; i++) {
        double sum = 0, count = 0;
        for (size_t k = s->start[i]; k < s->start[i + 1]; k++) {
            if (isnan(score[k])) continue;
            sum += score[k];
            count++;
        }
        mean[i] = count > 0 ? sum / count : -INFINITY;
    }
}

/* A span in the order of its value. */
typedef struct placed {
    double value;
    size_t index;
} placed;

static int compare_placed(const void *a, const void *b) {
    const placed *x = (const placed *)a;
    const placed *y = (const placed *)b;
    if (x->value > y->value) return -1;
    if (x->value < y->value) return 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

void spans_keep_best(uint8_t *keep, const spans *s, const double *value, double share) {
    const double enough = share * (double)s->start[s->n];
    placed *order = (placed *)must_alloc(s->n, sizeof *order);
    double kept = 0;
    for (size_t i = 0; i < s->n; i++) {
        order[i] = (placed){value[i], i};
        keep[i] = 0;
    }
    qsort(order, s->n, sizeof *order, compare_placed);
    for (size_t i = 0; i < s->n && kept < enough; i++) {
        const size_t span = order[i].index;
        keep[span] = 1;
        kept += (double)(s->start[span + 1] - s->start[span]);
    }
    free(order);
}
