/* Naive twins of the kernels of slm.h: the same mathematics in double, one plain loop each, to
   compare with; and what such a comparison needs: random numbers, arrays of them, a hash.  Include
   slm.h with its implementation first. */
#ifndef NAIVE_H
#define NAIVE_H
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The rounding error of one operation, relative to its result. */
#define NAIVE_EPS (sizeof(slm_real) == sizeof(float) ? 6e-8 : 1.2e-16)

/* ---- random numbers ---- */
static uint64_t naive_seed = 1;

/* A number between -1 and 1. */
static inline double naive_uniform(void) {
    naive_seed = naive_seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(naive_seed >> 11) / 4503599627370496.0 - 1.0;
}

/* An integer from 0 to n-1. */
static inline size_t naive_below(size_t n) {
    return (size_t)((naive_uniform() + 1) / 2 * (double)n);
}

/* ---- memory: a test that has none ends ---- */
static inline void *naive_alloc(size_t n, size_t size) {
    void *p = n < SIZE_MAX / 2 / size ? calloc(n + 1, size) : NULL;
    if (p == NULL) {
        printf("out of memory\n0 passed, 1 failed\n");
        exit(1);
    }
    return p;
}

static inline slm_real *naive_array(size_t n) {
    slm_real *p = (slm_real *)naive_alloc(n, sizeof *p);
    for (size_t i = 0; i < n; i++)
        p[i] = (slm_real)naive_uniform();
    return p;
}

/* n distinct numbers below `limit`, in any order. */
static inline int32_t *naive_list(size_t n, size_t limit) {
    int32_t *list = (int32_t *)naive_alloc(limit, sizeof *list);
    for (size_t i = 0; i < limit; i++)
        list[i] = (int32_t)i;
    for (size_t i = 0; i < n; i++) {
        size_t j = i + naive_below(limit - i);
        int32_t chosen = list[j];
        list[j] = list[i];
        list[i] = chosen;
    }
    return list;
}

/* ---- a hash of results: FNV-1a, continued from `hash` ---- */
#define NAIVE_HASH_START 14695981039346656037ULL

static inline uint64_t naive_hash(uint64_t hash, const void *data, size_t size) {
    const unsigned char *bytes = (const unsigned char *)data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 1099511628211ULL;
    return hash;
}

/* ---- twins ---- */
/* What a kernel should give.  Its error is measured by `size`, the sum of the magnitudes that were
   added up: where they cancel, the result may be far smaller than its error. */
typedef struct naive {
    double value;
    double size;
} naive;

static inline void naive_add(naive *sum, double term) {
    sum->value += term;
    sum->size += fabs(term);
}

/* sum a_i b_i */
static inline naive naive_dot(const slm_real *a, const slm_real *b, size_t n) {
    naive sum = {0, 0};
    for (size_t i = 0; i < n; i++)
        naive_add(&sum, (double)a[i] * (double)b[i]);
    return sum;
}

static inline double naive_element(slm__mat a, size_t row, size_t col) {
    size_t listed = a.rows != NULL ? (size_t)a.rows[row] : row;
    return (double)a.p[listed * a.ld + col];
}

/* Element i, j of op(A) op(B), added to `start`. */
static inline naive naive_product(slm__gemm_op op, slm__mat A, slm__mat B, size_t i, size_t j,
                                  size_t k, double start) {
    naive sum = {start, fabs(start)};
    for (size_t step = 0; step < k; step++) {
        double a = op == SLM__TN ? naive_element(A, step, i) : naive_element(A, i, step);
        double b = op == SLM__NT ? naive_element(B, j, step) : naive_element(B, step, j);
        naive_add(&sum, a * b);
    }
    return sum;
}

static inline double naive_sigmoid(double x) {
    return 1 / (1 + exp(-x));
}
#endif
