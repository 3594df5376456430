/* The kernels (sections >>vector, >>gemm and >>rows of slm.h) against naive twins in double:
   products for every operation, list of rows, odd shape and number of threads; row kernels; exp
   over its whole range; NaN and infinity; all of it for every instruction set of this processor.
   With an argument it also prints a hash of all results for each instruction set.  The hash must
   not depend on the compiler or its flags (-std, -O, -fopenmp; and -march, but for instruction set
   0, which is what the build targets).
   -DSMALL=1 leaves out the large products and most of the numbers for exp, for a processor that is
   emulated (check.sh platform).  -DFEW_LISTS=1 has all matrices with lists of rows or none, for the
   sanitizers. */
#ifndef SMALL
#define SMALL 0
#endif
#ifndef FEW_LISTS
#define FEW_LISTS SMALL
#endif
static int test_isa = -1; /* below 0: the processor's best */
#define SLM__ISA() (test_isa < 0 ? slm__isa() : test_isa)
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"

#include "check.h"
#include "naive.h"

static uint64_t results = NAIVE_HASH_START;
static size_t row_length; /* of the rows that are tested, for messages */

static void hash_row(const slm_real *row, size_t n) {
    results = naive_hash(results, row, n * sizeof *row);
}

/* Compares n results with what they should be, to `ulps` rounding errors. */
static void compare(const char *what, const slm_real *got, const naive *want, size_t n,
                    double ulps) {
    for (size_t i = 0; i < n; i++) {
        double limit = ulps * NAIVE_EPS * (want[i].size + 1e-30);
        double error = fabs((double)got[i] - want[i].value);
        CHECK(error <= limit, "%s, n %zu, element %zu: %.9g, not %.9g", what, row_length, i,
              (double)got[i], want[i].value);
    }
}

static void compare_one(const char *what, slm_real got, naive want, double ulps) {
    compare(what, &got, &want, 1, ulps);
}

static naive of_size(double value, double size) {
    naive x = {value, size};
    return x;
}

static naive exactly(double value) {
    return of_size(value, fabs(value));
}

static int same_bits(const slm_real *a, const slm_real *b, size_t n) {
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* ---- rows with a guard: what a kernel writes beyond its end is seen ---- */
enum { GUARDS = 64 };
static const slm_real GUARD = (slm_real)12345.5;

static slm_real *guarded_row(size_t n) {
    slm_real *row = naive_array(n + GUARDS);
    for (size_t i = n; i < n + GUARDS; i++)
        row[i] = GUARD;
    return row;
}

static void end_guarded_row(const char *what, slm_real *row, size_t n) {
    int unharmed = 1;
    for (size_t i = n; i < n + GUARDS; i++)
        unharmed = unharmed && row[i] == GUARD;
    CHECK(unharmed, "%s, n %zu: wrote beyond the end", what, row_length);
    hash_row(row, n);
    free(row);
}

static slm_real *copy_of(const slm_real *row, size_t n) {
    slm_real *copy = (slm_real *)naive_alloc(n, sizeof *copy);
    memcpy(copy, row, n * sizeof *copy);
    return copy;
}

/* ---- the product ---- */
enum { LIST_A = 1, LIST_B = 2, LIST_C = 4, LIST_ALL = 7 };
enum { MOST_THREADS = 7 };
enum { MOST_WHEN_SMALL = 100000 }; /* multiply-adds of a product */

typedef struct product {
    slm__gemm_op op;
    size_t m, n, k;
    int lists; /* which of the matrices have a list of rows */
    int add;
    slm__mat A, B;
    slm__mat_out C;
    size_t c_rows; /* of the memory in which C lies */
    size_t c_size;
    slm_real *before; /* that memory before the product; beyond the columns of C are guards */
    slm_real *after;  /* and after it, on one thread */
    slm_real *other;  /* and after the same in another way */
} product;

static void use_threads(int threads) {
#ifdef _OPENMP
    omp_set_num_threads(threads);
#else
    (void)threads;
#endif
}

/* A matrix of random numbers; with a list its rows are some of `spare` more. */
static slm__mat random_matrix(size_t rows, size_t cols, int listed, size_t spare) {
    size_t ld = cols + 1 + spare % 2;
    size_t all = listed ? rows + spare : rows;
    int32_t *list = listed ? naive_list(rows, all) : NULL;
    return slm__matrix(naive_array(all * ld), ld, list);
}

static void free_matrix(slm__mat a) {
    free((void *)(uintptr_t)a.p);
    free((void *)(uintptr_t)a.rows);
}

static void begin_product(product *p) {
    size_t a_rows = p->op == SLM__TN ? p->k : p->m;
    size_t a_cols = p->op == SLM__TN ? p->m : p->k;
    size_t b_rows = p->op == SLM__NT ? p->n : p->k;
    size_t b_cols = p->op == SLM__NT ? p->k : p->n;
    p->A = random_matrix(a_rows, a_cols, p->lists & LIST_A, 5);
    p->B = random_matrix(b_rows, b_cols, p->lists & LIST_B, 4);

    size_t ld = p->n + 2;
    int listed = p->lists & LIST_C;
    p->c_rows = listed ? p->m + 4 : p->m;
    p->c_size = p->c_rows * ld;
    int32_t *list = listed ? naive_list(p->m, p->c_rows) : NULL;
    p->before = naive_array(p->c_size);
    for (size_t i = 0; i < p->c_size; i++)
        if (i % ld >= p->n) p->before[i] = GUARD;
    p->after = copy_of(p->before, p->c_size);
    p->other = copy_of(p->before, p->c_size);
    p->C = slm__matrix_out(p->after, ld, list);
}

static void end_product(product *p) {
    free_matrix(p->A);
    free_matrix(p->B);
    free((void *)(uintptr_t)p->C.rows);
    free(p->before);
    free(p->after);
    free(p->other);
}

/* C once more from the start, now in `other`. */
static slm__mat_out other_c(product *p) {
    memcpy(p->other, p->before, p->c_size * sizeof *p->other);
    return slm__matrix_out(p->other, p->C.ld, p->C.rows);
}

static void check_same_product(const product *p, const char *how, int threads) {
    static const char *const names[] = {"nn", "nt", "tn"};
    CHECK(same_bits(p->other, p->after, p->c_size),
          "gemm %s %zu x %zu x %zu, lists %d, %s, %d threads: other bits", names[p->op], p->m, p->n,
          p->k, p->lists, how, threads);
}

/* The sums are right, and nothing but C has changed. */
static void check_product(const product *p) {
    size_t ld = p->C.ld;
    size_t wrong = 0;
    size_t harmed = 0;
    char *in_c = (char *)naive_alloc(p->c_rows, 1);

    for (size_t i = 0; i < p->m; i++) {
        size_t row = p->C.rows != NULL ? (size_t)p->C.rows[i] : i;
        in_c[row] = 1;
        for (size_t j = 0; j < p->n; j++) {
            double start = p->add ? (double)p->before[row * ld + j] : 0;
            naive want = naive_product(p->op, p->A, p->B, i, j, p->k, start);
            double limit = NAIVE_EPS * (want.size + 1e-30) * (8 + (double)p->k / 8);
            double error = fabs((double)p->after[row * ld + j] - want.value);
            if (!(error <= limit)) wrong++;
        }
    }
    for (size_t i = 0; i < p->c_size; i++) {
        int outside = i % ld >= p->n || !in_c[i / ld];
        if (outside && !(p->after[i] == p->before[i])) harmed++;
    }
    CHECK(wrong == 0, "gemm op %d %zu x %zu x %zu, lists %d: %zu wrong sums", (int)p->op, p->m,
          p->n, p->k, p->lists, wrong);
    CHECK(harmed == 0, "gemm op %d %zu x %zu x %zu, lists %d: wrote %zu numbers outside of C",
          (int)p->op, p->m, p->n, p->k, p->lists, harmed);
    free(in_c);
}

static void test_product(product p, slm_real *work) {
    static const int thread_counts[] = {1, 2, 3, 4, MOST_THREADS};
    begin_product(&p);

    use_threads(1);
    slm__gemm(p.op, p.m, p.n, p.k, p.A, p.B, p.add, p.C, work + 1, 1); /* unaligned */
    check_product(&p);
    for (size_t i = 0; i < p.c_rows; i++)
        hash_row(p.after + i * p.C.ld, p.n);

    if (p.k > 0 && (p.op != SLM__TN || p.A.rows == NULL)) {
        slm_real *packed = naive_array(slm__packed_size(p.n, p.k));
        slm__pack_b(p.op, p.B, p.n, p.k, packed);
        slm__gemm_packed(p.op, p.m, p.n, p.k, p.A, packed, p.k, p.add, other_c(&p));
        check_same_product(&p, "B packed before", 1);
        free(packed);
    }
    for (size_t t = 0; t < SLM__COUNT(thread_counts); t++) {
        use_threads(thread_counts[t]);
        slm__gemm(p.op, p.m, p.n, p.k, p.A, p.B, p.add, other_c(&p), work, thread_counts[t]);
        check_same_product(&p, "again", thread_counts[t]);
    }
    end_product(&p);
}

/* Shapes around the edges of tiles, slivers and blocks, k = 0 among them. */
static void test_products(void) {
    static const size_t shapes[][3] = {
        {1, 1, 1},     {1, 33, 17},   {2, 65, 300},   {3, 31, 16},    {4, 100, 64},
        {5, 7, 9},     {6, 48, 33},   {7, 70, 31},    {8, 129, 1030}, {9, 32, 32},
        {12, 40, 5},   {13, 1, 70},   {16, 16, 16},   {31, 33, 35},   {64, 64, 64},
        {64, 257, 48}, {65, 1100, 3}, {100, 90, 513}, {300, 37, 130}, {577, 45, 29},
        {5, 3, 0},     {40, 40, 0},   {98, 260, 530}, {2050, 37, 19}};
    static const slm__gemm_op ops[] = {SLM__NN, SLM__NT, SLM__TN};
    slm_real *work = naive_array(slm__gemm_work(MOST_THREADS));
    product p;
    memset(&p, 0, sizeof p);
    for (size_t s = 0; s < SLM__COUNT(shapes); s++) {
        p.m = shapes[s][0];
        p.n = shapes[s][1];
        p.k = shapes[s][2];
        if (SMALL && p.m * p.n * p.k > MOST_WHEN_SMALL) continue;
        for (size_t op = 0; op < SLM__COUNT(ops); op++) {
            p.op = ops[op];
            for (p.lists = 0; p.lists <= LIST_ALL; p.lists += FEW_LISTS ? LIST_ALL : 1) {
                p.add = SLM__OVERWRITE;
                test_product(p, work);
                p.add = SLM__ADD;
                test_product(p, work);
            }
        }
    }
    free(work);
}

/* A NaN in A reaches its row of C, one in B its column, and nothing else. */
static void test_product_nan(void) {
    const size_t m = 21, n = 70, k = 50;
    const size_t nan_row = 7, nan_col = 69;
    slm_real *a = naive_array(m * k);
    slm_real *b = naive_array(k * n);
    slm_real *c = naive_array(m * n);
    slm_real *work = naive_array(slm__gemm_work(MOST_THREADS));
    a[nan_row * k + 3] = (slm_real)NAN;
    b[4 * n + nan_col] = (slm_real)NAN;
    slm__gemm(SLM__NN, m, n, k, slm__matrix(a, k, NULL), slm__matrix(b, n, NULL), SLM__OVERWRITE,
              slm__matrix_out(c, n, NULL), work, 2);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            int is_nan = c[i * n + j] != c[i * n + j];
            CHECK(is_nan == (i == nan_row || j == nan_col), "gemm with NaN: %g at %zu, %zu",
                  (double)c[i * n + j], i, j);
        }
    free(a);
    free(b);
    free(c);
    free(work);
}

/* More columns than are packed at a time, with few rows and with many: the bits are those of a B
   that is packed at once. */
static void test_column_blocks(void) {
    static const size_t rows[] = {3, SLM__MC + 1};
    static const slm__gemm_op ops[] = {SLM__NN, SLM__NT, SLM__TN};
    const int threads = 3;
    slm_real *work = naive_array(slm__gemm_work(threads));
    product p;
    memset(&p, 0, sizeof p);
    p.n = SLM__NC + 76;
    p.k = SLM__KC;
    for (size_t i = 0; i < SLM__COUNT(rows) * SLM__COUNT(ops); i++) {
        slm_real *packed = naive_array(slm__packed_size(p.n, p.k));
        p.m = rows[i / SLM__COUNT(ops)];
        p.op = ops[i % SLM__COUNT(ops)];
        begin_product(&p);
        use_threads(threads);
        slm__pack_b(p.op, p.B, p.n, p.k, packed);
        slm__gemm_packed(p.op, p.m, p.n, p.k, p.A, packed, p.k, p.add, p.C);
        slm__gemm(p.op, p.m, p.n, p.k, p.A, p.B, p.add, other_c(&p), work, threads);
        check_same_product(&p, "B in parts", threads);
        end_product(&p);
        free(packed);
    }
    free(work);
}

/* Wherever it begins, the work of a product holds what its plan puts there. */
static void test_work(void) {
    const size_t size = slm__gemm_work(MOST_THREADS);
    slm_real *work = naive_array(size + SLM__CACHE_LINE);
    for (size_t shift = 0; shift < SLM__CACHE_LINE; shift++) {
        const slm_real *begin = work + shift;
        slm__gemm_plan plan = slm__plan_gemm(SLM__NN, 7, 7, 7, slm__matrix(work, 7, NULL),
                                             work + shift, MOST_THREADS);
        CHECK((uintptr_t)plan.panels % SLM__ALIGNMENT == 0 && plan.panels >= begin,
              "panels begin %td reals behind work", plan.panels - begin);
        CHECK(plan.slivers[0] - plan.panels >= MOST_THREADS * SLM__KC * SLM__MC,
              "panels have %td reals", plan.slivers[0] - plan.panels);
        CHECK(plan.slivers[1] - plan.slivers[0] >= SLM__KC * SLM__NC, "slivers have %td reals",
              plan.slivers[1] - plan.slivers[0]);
        CHECK(begin + size - plan.slivers[1] >= SLM__KC * SLM__NC,
              "the last slivers have %td reals", begin + size - plan.slivers[1]);
    }
    free(work);
}

/* ---- sums over a row ---- */
static void test_dot(size_t n) {
    slm_real *a = naive_array(n);
    slm_real *b = naive_array(n);
    slm_real sum = slm__dot(a, b, n);
    slm_real row_sum;
    compare_one("dot", sum, naive_dot(a, b, n), 4 + (double)n / 16);
    slm__matvec_rows(&row_sum, a, n, b, 1, n, SLM__OVERWRITE);
    CHECK(row_sum == sum, "matvec_rows, n %zu: %.9g, dot gives %.9g", n, (double)row_sum,
          (double)sum);
    hash_row(&sum, 1);
    free(a);
    free(b);
}

static void test_row_max(size_t n) {
    slm_real *x = naive_array(n);
    slm_real largest = x[0];
    for (size_t i = 1; i < n; i++)
        if (x[i] > largest) largest = x[i];
    CHECK(slm__row_max(x, n) == largest, "row_max, n %zu: not %.9g", n, (double)largest);
    free(x);
}

static void test_exp_of_rows(size_t n) {
    const slm_real shift = (slm_real)0.7;
    slm_real *x = naive_array(n);
    slm_real *y = guarded_row(n);
    naive *want = (naive *)naive_alloc(n, sizeof *want);
    naive want_sum = {0, 0};
    naive want_sum_x = {0, 0};
    for (size_t i = 0; i < n; i++) {
        x[i] *= 6;
        double d = (double)(slm_real)(x[i] - shift);
        want[i] = exactly(exp(d));
        naive_add(&want_sum, exp(d));
        naive_add(&want_sum_x, exp(d) * d);
    }

    slm_real sum = slm__exp_shift(y, x, shift, n);
    compare("exp_shift", y, want, n, 3);
    compare_one("the sum of exp_shift", sum, want_sum, 6 + (double)n / 16);

    slm_real other_sum;
    slm_real sum_x;
    slm__exp_moments(x, shift, n, &other_sum, &sum_x);
    compare_one("exp_moments", sum_x, want_sum_x, 8 + (double)n / 16);
    CHECK(other_sum == sum, "exp_moments, n %zu: sum %.9g, exp_shift gives %.9g", n,
          (double)other_sum, (double)sum);
    hash_row(&sum_x, 1);

    other_sum = slm__exp_shift(x, x, shift, n);
    CHECK(other_sum == sum && same_bits(x, y, n), "exp_shift in place, n %zu: other bits", n);
    end_guarded_row("exp_shift", y, n);
    free(x);
    free(want);
}

/* Three matrices by one vector, twice, the second time added: as by dot, row by row. */
static void test_matvec(size_t n) {
    static const size_t rows[] = {33, 1, 16};
    enum { ALL_ROWS = 50 };
    slm_real y[ALL_ROWS];
    slm_real *w = naive_array(ALL_ROWS * n);
    slm_real *x = naive_array(n);
    slm__matvec_of matrices[SLM__COUNT(rows)];
    size_t first = 0;
    slm__team team;
    memset(&team, 0, sizeof team);
    for (size_t i = 0; i < SLM__COUNT(rows); i++) {
        matrices[i].y = y + first;
        matrices[i].w = w + first * n;
        matrices[i].rows = rows[i];
        first += rows[i];
    }
    slm__matvec(matrices, SLM__COUNT(rows), x, n, SLM__OVERWRITE, &team);
    slm__matvec(matrices, SLM__COUNT(rows), x, n, SLM__ADD, &team);
    for (size_t j = 0; j < ALL_ROWS; j++) {
        slm_real dot = slm__dot(x, w + j * n, n);
        CHECK(y[j] == dot + dot, "matvec, n %zu, row %zu: %.9g, not %.9g", n, j, (double)y[j],
              (double)(dot + dot));
    }
    free(w);
    free(x);
}

static void test_weighted_sum(size_t n) {
    enum { ROWS = 50 };
    slm_real *x = naive_array(ROWS * n);
    slm_real *a = naive_array(ROWS);
    slm_real *y = guarded_row(n);
    naive *want = (naive *)naive_alloc(n, sizeof *want);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < ROWS; j++)
            naive_add(&want[i], (double)a[j] * (double)x[j * n + i]);
    slm__weighted_sum(y, a, x, n, ROWS, n);
    compare("weighted_sum", y, want, n, 8);
    end_guarded_row("weighted_sum", y, n);
    free(x);
    free(a);
    free(want);
}

/* ---- element by element ---- */
static void test_axpy_and_scale(size_t n) {
    const slm_real a = (slm_real)1.3;
    slm_real *x = naive_array(n);
    slm_real *y = guarded_row(n);
    naive *want = (naive *)naive_alloc(n, sizeof *want);
    for (size_t i = 0; i < n; i++)
        want[i] = of_size((double)y[i] + (double)a * (double)x[i], 3);
    slm__axpy(y, a, x, n);
    compare("axpy", y, want, n, 2);
    for (size_t i = 0; i < n; i++)
        want[i] = of_size((double)y[i] * (double)a, 4);
    slm__scale(y, a, n);
    compare("scale", y, want, n, 1);
    end_guarded_row("axpy, scale", y, n);
    free(x);
    free(want);
}

static void test_rms(size_t n) {
    const slm_real r = (slm_real)1.3;
    const double R = (double)r;
    slm_real *x = naive_array(n);
    slm_real *w = naive_array(n);
    slm_real *g = naive_array(n);
    slm_real *y = guarded_row(n);
    slm_real *dx = guarded_row(n);
    slm_real *dw = guarded_row(n);
    naive *want = (naive *)naive_alloc(n, sizeof *want);
    naive *want_dw = (naive *)naive_alloc(n, sizeof *want_dw);

    for (size_t i = 0; i < n; i++)
        want[i] = of_size((double)x[i] * (double)w[i] * R, 1);
    slm__rms_scale(y, x, w, r, n);
    compare("rms_scale", y, want, n, 3);

    naive mean = {0, 0};
    for (size_t i = 0; i < n; i++)
        naive_add(&mean, (double)g[i] * (double)w[i] * (double)x[i] / (double)n);
    for (size_t i = 0; i < n; i++) {
        double direct = (double)g[i] * (double)w[i];
        double through_r = (double)x[i] * R * R * mean.value;
        want[i] = of_size((double)dx[i] + R * (direct - through_r), 4 + 3 * mean.size);
        want_dw[i] = of_size((double)dw[i] + (double)g[i] * (double)x[i] * R, 3);
    }
    slm__rms_backward(dx, dw, g, x, w, r, n);
    compare("rms_backward, dx", dx, want, n, 4);
    compare("rms_backward, dw", dw, want_dw, n, 2);

    end_guarded_row("rms_scale", y, n);
    end_guarded_row("rms_backward, dx", dx, n);
    end_guarded_row("rms_backward, dw", dw, n);
    free(x);
    free(w);
    free(g);
    free(want);
    free(want_dw);
}

static void test_swiglu(size_t n) {
    slm_real *gate = naive_array(n);
    slm_real *up = naive_array(n);
    slm_real *y = guarded_row(n);
    naive *want = (naive *)naive_alloc(n, sizeof *want);
    for (size_t i = 0; i < n; i++) {
        gate[i] *= 9;
        want[i] = exactly((double)gate[i] * naive_sigmoid((double)gate[i]) * (double)up[i]);
    }
    slm__swiglu(y, gate, up, n);
    compare("swiglu", y, want, n, 6);
    end_guarded_row("swiglu", y, n);
    free(gate);
    free(up);
    free(want);
}

static void test_swiglu_backward(size_t n, int add_gate, int add_up) {
    slm_real *gate = naive_array(n);
    slm_real *up = naive_array(n);
    slm_real *dy = naive_array(n);
    slm_real *dgate = guarded_row(n);
    slm_real *dup = guarded_row(n);
    naive *want_gate = (naive *)naive_alloc(n, sizeof *want_gate);
    naive *want_up = (naive *)naive_alloc(n, sizeof *want_up);
    for (size_t i = 0; i < n; i++) {
        gate[i] *= 9;
        double a = (double)gate[i];
        double s = naive_sigmoid(a);
        double d = (double)dy[i] * (double)up[i];
        double size = fabs(d) * s * (1 + fabs(a));
        want_gate[i] = of_size(d * s * (1 + a * (1 - s)), size);
        want_up[i] = exactly((double)dy[i] * a * s);
        if (add_gate) naive_add(&want_gate[i], (double)dgate[i]);
        if (add_up) naive_add(&want_up[i], (double)dup[i]);
    }
    slm__swiglu_backward(dgate, dup, dy, gate, up, n, add_gate, add_up);
    compare("swiglu_backward, gate", dgate, want_gate, n, 8);
    compare("swiglu_backward, up", dup, want_up, n, 6);
    end_guarded_row("swiglu_backward, gate", dgate, n);
    end_guarded_row("swiglu_backward, up", dup, n);
    free(gate);
    free(up);
    free(dy);
    free(want_gate);
    free(want_up);
}

static void test_softmax_backward(size_t n) {
    const slm_real e = (slm_real)0.3;
    slm_real *p = naive_array(n);
    slm_real *dp = guarded_row(n);
    naive *want = (naive *)naive_alloc(n, sizeof *want);
    for (size_t i = 0; i < n; i++)
        want[i] = of_size((double)p[i] * ((double)dp[i] - (double)e), 2);
    slm__softmax_backward(dp, p, e, n);
    compare("softmax_backward", dp, want, n, 2);
    end_guarded_row("softmax_backward", dp, n);
    free(p);
    free(want);
}

/* There and back again. */
static void test_rotate(size_t half) {
    slm_real *x = guarded_row(2 * half);
    slm_real *cosine = naive_array(half);
    slm_real *sine = naive_array(half);
    naive *want = (naive *)naive_alloc(2 * half, sizeof *want);
    for (size_t i = 0; i < half; i++) {
        double angle = 3 * (double)cosine[i];
        cosine[i] = (slm_real)cos(angle);
        sine[i] = (slm_real)sin(angle);
    }
    for (int sign = 1; sign >= -1; sign -= 2) {
        for (size_t i = 0; i < half; i++) {
            double a = (double)x[i];
            double b = (double)x[i + half];
            double s = sign * (double)sine[i];
            want[i] = of_size(a * (double)cosine[i] - b * s, 2);
            want[i + half] = of_size(b * (double)cosine[i] + a * s, 2);
        }
        slm__rotate(x, cosine, sine, half, (slm_real)sign);
        compare("rotate", x, want, 2 * half, 2);
    }
    end_guarded_row("rotate", x, 2 * half);
    free(cosine);
    free(sine);
    free(want);
}

/* ---- AdamW, and the square root in it ---- */
static void test_adamw(size_t n) {
    const slm_real scale = (slm_real)0.37, lr = (slm_real)0.01, decay = (slm_real)0.1;
    const slm_real beta1 = (slm_real)0.9, beta2 = (slm_real)0.95, eps = (slm_real)1e-8;
    const slm_real correct1 = (slm_real)(1 / (1 - 0.729)); /* after three steps */
    const slm_real correct2 = (slm_real)(1 / (1 - 0.857375));
    slm_real *p = guarded_row(n);
    slm_real *m = guarded_row(n);
    slm_real *v = guarded_row(n);
    slm_real *g = naive_array(n);
    naive *want_p = (naive *)naive_alloc(n, sizeof *want_p);
    naive *want_m = (naive *)naive_alloc(n, sizeof *want_m);
    naive *want_v = (naive *)naive_alloc(n, sizeof *want_v);

    /* Among the second moments are small ones and zero, the latter also with a zero gradient. */
    for (size_t i = 0; i < n; i++) {
        v[i] *= v[i];
        if (i % 3 != 0) v[i] *= (slm_real)1e-6;
        if (i % 7 == 3) v[i] = 0;
        if (i % 14 == 3) g[i] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        double d = (double)g[i] * (double)scale;
        double dm = (double)beta1 * (double)m[i] + (1 - (double)beta1) * d;
        double dv = (double)beta2 * (double)v[i] + (1 - (double)beta2) * d * d;
        double root = sqrt(dv * (double)correct2);
        double step = (double)lr * dm * (double)correct1 / (root + (double)eps);
        double kept = (double)p[i] * (1 - (double)lr * (double)decay);
        want_m[i] = of_size(dm, 2);
        want_v[i] = exactly(dv);
        want_p[i] = of_size(kept - step, fabs((double)p[i]) + 4 * fabs(step));
    }
    slm__adamw_piece(p, m, v, g, n, scale, lr, beta1, beta2, eps, decay, correct1, correct2);
    compare("adamw, m", m, want_m, n, 3);
    compare("adamw, v", v, want_v, n, 6);
    compare("adamw, p", p, want_p, n, 3);

    end_guarded_row("adamw, p", p, n);
    end_guarded_row("adamw, m", m, n);
    end_guarded_row("adamw, v", v, n);
    free(g);
    free(want_p);
    free(want_m);
    free(want_v);
}

/* With these arguments adamw_piece makes p = 1 / (sqrt(v) + eps). */
static void roots_by_adamw(slm_real *p, slm_real *v, size_t n, slm_real eps) {
    slm_real *m = (slm_real *)naive_alloc(n, sizeof *m);
    slm_real *g = (slm_real *)naive_alloc(n, sizeof *g);
    for (size_t i = 0; i < n; i++) {
        p[i] = 0;
        m[i] = 1;
    }
    slm__adamw_piece(p, m, v, g, n, 1, -1, 1, 1, eps, 0, 1, 1);
    free(m);
    free(g);
}

/* The root of the ends of the range, of infinity and of NaN, in every lane of a vector. */
static void test_root(void) {
    enum { N = 16 };
    const int is_float = sizeof(slm_real) == sizeof(float);
    const slm_real smallest = is_float ? (slm_real)1e-30 : (slm_real)1e-200;
    const slm_real largest = is_float ? (slm_real)FLT_MAX : (slm_real)DBL_MAX;
    const slm_real eps = (slm_real)1e-3;
    const slm_real numbers[] = {
        0, smallest, (slm_real)1e-9, 1, 2, largest, (slm_real)INFINITY, (slm_real)NAN};
    for (size_t lane = 0; lane < N; lane++)
        for (size_t number = 0; number < SLM__COUNT(numbers); number++) {
            slm_real p[N];
            slm_real v[N];
            for (size_t i = 0; i < N; i++)
                v[i] = 4;
            v[lane] = numbers[number];
            roots_by_adamw(p, v, N, eps);
            for (size_t i = 0; i < N; i++) {
                double of = i == lane ? (double)numbers[number] : 4;
                double want = 1 / (sqrt(of) + (double)eps);
                int good = fabs((double)p[i] - want) <= 4 * NAIVE_EPS * want;
                if (want != want) good = p[i] != p[i];
                CHECK(good, "the root of %g in lane %zu: 1 / (root + eps) = %.9g, not %.9g", of, i,
                      (double)p[i], want);
            }
        }
}

/* ---- the exponential ---- */
static void test_exp_range(void) {
    enum { N = 4096, ROUNDS = SMALL ? 15 : 500 };
    static slm_real x[N], y[N];
    const int is_float = sizeof(slm_real) == sizeof(float);
    const double low = is_float ? -86.9 : -700;
    const double high = is_float ? 88.7 : 700;
    const double limit = is_float ? 1.2e-7 : 1e-15;
    double worst = 0;
    double worst_x = 0;
    for (int round = 0; round < ROUNDS; round++) {
        /* Four rounds of five over the whole range, the others near 0.  A call of fma, so that the
           compiler has no choice: these numbers decide the hash. */
        for (size_t i = 0; i < N; i++) {
            double u = naive_uniform();
            x[i] = (slm_real)fma((high - low) / 2, u + 1, low);
            if (round % 5 == 0) x[i] = (slm_real)(round % 2 ? u : u * 0.01);
        }
        (void)slm__exp_shift(y, x, 0, N);
        for (size_t i = 0; i < N; i++) {
            double want = exp((double)x[i]);
            double error = fabs((double)y[i] - want) / want;
            if (!(error <= worst)) {
                worst = error;
                worst_x = (double)x[i];
            }
        }
        hash_row(y, N);
    }
    CHECK(worst <= limit, "exp: relative error %g at %.9g", worst, worst_x);
}

/* A row of -2 .. 2 in which one number is special, and what the kernels make of it. */
typedef struct special {
    slm_real x[40], y[40];
    slm_real sum;              /* of exp_shift */
    slm_real moment0, moment1; /* of exp_moments */
    slm_real largest;
    size_t n, i;
} special;

static void put_special(special *s, slm_real number) {
    for (size_t j = 0; j < s->n; j++)
        s->x[j] = (slm_real)((int)(j % 5) - 2);
    s->x[s->i] = number;
    s->sum = slm__exp_shift(s->y, s->x, 0, s->n);
    slm__exp_moments(s->x, 0, s->n, &s->moment0, &s->moment1);
    s->largest = slm__row_max(s->x, s->n);
}

static void test_special_at(size_t n, size_t i) {
    const int is_float = sizeof(slm_real) == sizeof(float);
    const slm_real infinity = (slm_real)INFINITY;
    special s;
    memset(&s, 0, sizeof s);
    s.n = n;
    s.i = i;

    put_special(&s, -infinity);
    CHECK(s.y[i] == 0, "exp(-infinity), n %zu at %zu: %g", n, i, (double)s.y[i]);
    CHECK(s.moment0 >= 0 && fabs((double)s.moment1) < 1e3,
          "exp_moments(-infinity), n %zu at %zu: %g", n, i, (double)s.moment1);
    put_special(&s, is_float ? (slm_real)-87.5 : (slm_real)-1000);
    CHECK(s.y[i] == 0, "exp below the normal numbers, n %zu at %zu: %g", n, i, (double)s.y[i]);
    put_special(&s, (slm_real)-3e38);
    CHECK(s.y[i] == 0, "exp(-3e38), n %zu at %zu: %g", n, i, (double)s.y[i]);

    put_special(&s, is_float ? (slm_real)88.8 : (slm_real)710);
    CHECK(s.y[i] == infinity && s.sum == infinity, "exp above the numbers, n %zu at %zu: %g", n, i,
          (double)s.y[i]);
    put_special(&s, infinity);
    CHECK(s.y[i] == infinity && s.sum == infinity, "exp(infinity), n %zu at %zu: %g", n, i,
          (double)s.y[i]);
    CHECK(s.largest == infinity, "row_max with infinity, n %zu at %zu: %g", n, i,
          (double)s.largest);

    put_special(&s, (slm_real)NAN);
    CHECK(s.y[i] != s.y[i] && s.sum != s.sum, "exp(NaN), n %zu at %zu: %g, sum %g", n, i,
          (double)s.y[i], (double)s.sum);
    CHECK(s.moment0 != s.moment0 && s.moment1 != s.moment1, "exp_moments(NaN), n %zu at %zu: %g", n,
          i, (double)s.moment0);
    CHECK(s.largest <= 2, "row_max does not pass over NaN, n %zu at %zu: %g", n, i,
          (double)s.largest);
    slm_real dot = slm__dot(s.x, s.x, n);
    CHECK(dot != dot, "dot with NaN, n %zu at %zu: %g", n, i, (double)dot);
}

static void test_special(void) {
    for (size_t n = 1; n <= 40; n += 13)
        for (size_t i = 0; i < n; i++)
            test_special_at(n, i);

    slm_real x[40];
    for (size_t i = 0; i < 40; i++)
        x[i] = (slm_real)NAN;
    slm_real largest = slm__row_max(x, 40);
    CHECK(largest == -(slm_real)INFINITY || largest != largest, "row_max of NaN only: %g",
          (double)largest);
    CHECK(slm__row_max(x, 0) == -(slm_real)INFINITY, "row_max of nothing");
    CHECK(slm__dot(x, x, 0) == 0, "dot of nothing");
}

/* ---- all of it, for one instruction set ---- */
static uint64_t test_all(int isa) {
    static const size_t lengths[] = {1, 2, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 257, 1000};
    test_isa = isa;
    naive_seed = 1;
    results = NAIVE_HASH_START;
    test_products();
    test_product_nan();
    test_work();
    if (!SMALL) test_column_blocks();
    for (size_t i = 0; i < SLM__COUNT(lengths); i++) {
        row_length = lengths[i];
        test_dot(row_length);
        test_row_max(row_length);
        test_exp_of_rows(row_length);
        test_matvec(row_length);
        test_weighted_sum(row_length);
        test_axpy_and_scale(row_length);
        test_rms(row_length);
        test_swiglu(row_length);
        for (int adds = 0; adds < 4; adds++)
            test_swiglu_backward(row_length, adds & 1, adds >> 1);
        test_softmax_backward(row_length);
        test_rotate(row_length);
        test_adamw(row_length);
    }
    test_root();
    test_exp_range();
    test_special();
    return results;
}

int main(int argc, char **argv) {
    uint64_t hash[3] = {0, 0, 0};
    int best = slm__isa();
    (void)argv;
    for (int isa = SLM__ISA_PLAIN; isa <= best; isa++) {
        hash[isa] = test_all(isa);
        if (argc > 1)
            printf("instruction set %d: hash %016llx\n", isa, (unsigned long long)hash[isa]);
    }
    if (best == SLM__ISA_AVX512)
        CHECK(hash[SLM__ISA_AVX2] == hash[SLM__ISA_AVX512], "AVX2 and AVX-512 give other bits");
    return check_end();
}
