/* The kernels (slm.h section 3) against naive twins in double: matrix products for every operation, row list, accumulation,
   odd shape, instruction set and number of threads; row kernels; exp over its whole range; NaN and infinity.
   cc -O2 -fopenmp -I.. test_kernels.c -lm; prints one line per failed check and `N passed, N failed`; exit 1 on failure.
   With an argument it also prints a hash of all results: it must not depend on compiler flags (-std, -O, -march, -fopenmp). */
#include <stdio.h>
#include <stdlib.h>
static int test_level = -1; /* -1: as detected */
#define SLM__ISA() (test_level < 0 ? slm__isa() : test_level)
#ifdef TEST_PRELUDE
#include TEST_PRELUDE
#include TEST_SECTION
#else
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"
#endif

static int passed, failed;
static unsigned long long bits_hash = 14695981039346656037ULL, random_state = 1;

static void check(int ok, const char *format, const char *what, long a, long b, long c, double got,
                  double want) {
    if (ok) {
        passed++;
        return;
    }
    if (failed++ < 40) {
        printf("FAIL ");
        printf(format, what, a, b, c);
        printf(": got %.9g want %.9g\n", got, want);
    }
}

static void hash(const void *bytes, size_t n) {
    const unsigned char *p = (const unsigned char *)bytes;
    size_t i;
    for (i = 0; i < n; i++)
        bits_hash = (bits_hash ^ p[i]) * 1099511628211ULL;
}

static double uniform(void) { /* (-1, 1) */
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(random_state >> 11) / 4503599627370496.0 - 1.0;
}

static slm_real *array(size_t n) {
    slm_real *p = (slm_real *)malloc((n + 64) * sizeof(slm_real));
    size_t i;
    if (p == NULL) {
        printf("out of memory\n");
        exit(1);
    }
    for (i = 0; i < n + 64; i++)
        p[i] = (slm_real)uniform();
    return p;
}

static const double EPS = sizeof(slm_real) == 4 ? 6e-8 : 1.2e-16;
static const slm_real GUARD = (slm_real)12345.5;

/* ---- gemm ---- */
static const char *const op_name[] = {"nn", "nt", "tn"};

static int32_t *list(size_t n, size_t of) { /* n distinct rows of `of`, in scrambled order */
    int32_t *rows = (int32_t *)malloc((of + 1) * sizeof *rows);
    size_t i;
    for (i = 0; i < of; i++)
        rows[i] = (int32_t)i;
    for (i = 0; i < n; i++) {
        size_t j = i + (size_t)((uniform() + 1) / 2 * (double)(of - i));
        int32_t t = rows[i];
        rows[i] = rows[j];
        rows[j] = t;
    }
    return rows;
}

/* gather: bit 0 A, bit 1 B, bit 2 C have row lists */
static void gemm_case(int op, size_t m, size_t n, size_t k, int gather, int accumulate) {
    static const int thread_counts[] = {1, 2, 3, 4, 7};
    size_t a_rows = op == SLM__TN ? k : m, a_cols = op == SLM__TN ? m : k,
           b_rows = op == SLM__NT ? n : k, b_cols = op == SLM__NT ? k : n;
    size_t a_all = gather & 1 ? a_rows + 5 : a_rows, b_all = gather & 2 ? b_rows + 3 : b_rows,
           c_all = gather & 4 ? m + 4 : m;
    size_t lda = a_cols + 3, ldb = b_cols + 1, ldc = n + 2, i, j, p, t, c_size = c_all * ldc;
    slm_real *a = array(a_all * lda), *b = array(b_all * ldb), *start = array(c_size),
             *first = array(c_size), *c = array(c_size);
    slm_real *work = array(slm__gemm_work(7));
    int32_t *ra = list(a_rows, a_all), *rb = list(b_rows, b_all), *rc = list(m, c_all);
    char *live = (char *)calloc(c_all + 1, 1);
    slm__mat A, B;
    slm__mat_out C;
    double worst = 0, got = 0, want = 0;
    int bad = 0, guard = 1;
    A.p = a;
    A.ld = lda;
    A.rows = gather & 1 ? ra : NULL;
    B.p = b;
    B.ld = ldb;
    B.rows = gather & 2 ? rb : NULL;
    C.p = first;
    C.ld = ldc;
    C.rows = gather & 4 ? rc : NULL;
    for (i = 0; i < c_size; i++)
        start[i] = i % ldc < n ? (slm_real)uniform() : GUARD;
    memcpy(first, start, c_size * sizeof *c);
#ifdef _OPENMP
    omp_set_num_threads(1);
#endif
    slm__gemm(op, m, n, k, A, B, accumulate, C, work + 1); /* +1: work need not be aligned */
    for (i = 0; i < m; i++) {
        size_t row = C.rows ? (size_t)rc[i] : i;
        live[row] = 1;
        for (j = 0; j < n; j++) {
            double s = accumulate ? (double)start[row * ldc + j] : 0, size = fabs(s),
                   g = (double)first[row * ldc + j], e;
            for (p = 0; p < k; p++) {
                size_t ai = op == SLM__TN ? p : i, aj = op == SLM__TN ? i : p,
                       bi = op == SLM__NT ? j : p, bj = op == SLM__NT ? p : j;
                double x = (double)a[(A.rows ? (size_t)ra[ai] : ai) * lda + aj] *
                           (double)b[(B.rows ? (size_t)rb[bi] : bi) * ldb + bj];
                s += x;
                size += fabs(x);
            }
            e = fabs(g - s) / (EPS * (size + 1e-30) * (4 + (double)k / 8));
            if (!(e <= 1)) bad++;
            if (!(e <= worst)) {
                worst = e;
                got = g;
                want = s;
            }
        }
    }
    for (i = 0; i < c_all; i++)
        for (j = 0; j < ldc; j++)
            if ((j >= n || !live[i]) && !(first[i * ldc + j] == start[i * ldc + j])) guard = 0;
    check(bad == 0, "gemm %s %ld x %ld x %ld values", op_name[op], (long)m, (long)n, (long)k, got,
          want);
    check(guard, "gemm %s %ld x %ld x %ld wrote outside", op_name[op], (long)m, (long)n, (long)k,
          gather, accumulate);
    if (k > 0 && (op != SLM__TN || A.rows == NULL)) { /* with B packed beforehand: the same bits */
        slm_real *packed = array((n + 31) / 32 * 32 * k);
        memcpy(c, start, c_size * sizeof *c);
        C.p = c;
        slm__pack_b(op, B, n, k, packed);
        slm__gemm_packed(op, m, n, k, A, packed, k, accumulate, C);
        check(memcmp(c, first, c_size * sizeof *c) == 0,
              "gemm %s %ld x %ld x %ld, packed whole: bits", op_name[op], (long)m, (long)n, (long)k,
              gather, 0);
        free(packed);
    }
    for (t = 0; t < sizeof thread_counts / sizeof *thread_counts; t++) {
#ifdef _OPENMP
        omp_set_num_threads(thread_counts[t]);
#endif
        memcpy(c, start, c_size * sizeof *c);
        C.p = c;
        slm__gemm(op, m, n, k, A, B, accumulate, C, work);
        check(memcmp(c, first, c_size * sizeof *c) == 0, "gemm %s %ld x %ld, %ld threads: bits",
              op_name[op], (long)m, (long)n, thread_counts[t], gather, accumulate);
    }
    for (i = 0; i < c_all; i++)
        hash(first + i * ldc, n * sizeof *c);
    free(a);
    free(b);
    free(c);
    free(start);
    free(first);
    free(work);
    free(ra);
    free(rb);
    free(rc);
    free(live);
}

static void test_gemm(void) {
    static const size_t shapes[][3] = {
        {1, 1, 1},     {1, 33, 17},   {2, 65, 300},   {3, 31, 16},    {4, 100, 64},
        {5, 7, 9},     {6, 48, 33},   {7, 70, 31},    {8, 129, 1030}, {9, 32, 32},
        {12, 40, 5},   {13, 1, 70},   {16, 16, 16},   {31, 33, 35},   {64, 64, 64},
        {64, 257, 48}, {65, 1100, 3}, {100, 90, 513}, {300, 37, 130}, {577, 45, 29},
        {5, 3, 0},     {40, 40, 0},   {98, 260, 530}, {2050, 37, 19}};
    size_t s;
    int op, gather, accumulate;
    for (s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (op = SLM__NN; op <= SLM__TN; op++)
            for (gather = 0; gather < 8; gather++)
                for (accumulate = 0; accumulate < 2; accumulate++)
                    gemm_case(op, shapes[s][0], shapes[s][1], shapes[s][2], gather, accumulate);
}

/* One NaN and one infinity in A reach exactly their rows of C (an infinity times zero is NaN, too). */
static void test_gemm_nan(void) {
    size_t m = 21, n = 70, k = 50, i, j;
    slm_real *a = array(m * k), *b = array(k * n), *c = array(m * n),
             *work = array(slm__gemm_work(SLM__THREADS()));
    slm__mat A = {0, 0, NULL}, B = {0, 0, NULL};
    slm__mat_out C = {0, 0, NULL};
    A.p = a;
    A.ld = k;
    B.p = b;
    B.ld = n;
    C.p = c;
    C.ld = n;
    a[7 * k + 3] = (slm_real)NAN;
    b[4 * n + 69] = (slm_real)NAN;
    slm__gemm(SLM__NN, m, n, k, A, B, 0, C, work);
    for (i = 0; i < m; i++)
        for (j = 0; j < n; j++)
            check((c[i * n + j] != c[i * n + j]) == (i == 7 || j == 69),
                  "gemm %s NaN at %ld %ld %ld", "nn", (long)i, (long)j, 0, (double)c[i * n + j], 0);
    free(a);
    free(b);
    free(c);
    free(work);
}

/* ---- rows ---- */
static void near_to(const char *what, size_t n, size_t i, slm_real got, double want, double size,
                    double ulps) {
    double tolerance = ulps * EPS * (size + 1e-30);
    check(fabs((double)got - want) <= tolerance, "%s n %ld at %ld (ulps %ld)", what, (long)n,
          (long)i, (long)ulps, (double)got, want);
}

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static slm_real *guarded(size_t n) {
    slm_real *p = array(n);
    size_t i;
    for (i = n; i < n + 64; i++)
        p[i] = GUARD;
    return p;
}

static void end(const char *what, slm_real *p, size_t n) {
    size_t i;
    int ok = 1;
    for (i = n; i < n + 64; i++)
        ok = ok && p[i] == GUARD;
    check(ok, "%s n %ld wrote beyond its end %ld %ld", what, (long)n, 0, 0, 0, 0);
    hash(p, n * sizeof *p);
    free(p);
}

static void test_reductions(size_t n) {
    slm_real *a = array(n), *b = array(n), *y = guarded(n), s, sum, sum_x,
             best = -(slm_real)INFINITY, shift = (slm_real)0.7;
    double dot = 0, dot_size = 0, e = 0, ex = 0, ex_size = 0;
    size_t i;
    for (i = 0; i < n; i++) {
        double x = 6 * (double)a[i];
        a[i] = (slm_real)x;
        dot += (double)a[i] * (double)b[i];
        dot_size += fabs((double)a[i] * (double)b[i]);
        if (a[i] > best) best = a[i];
    }
    s = slm__dot(a, b, n);
    near_to("dot", n, 0, s, dot, dot_size, 4 + (double)n / 16);
    hash(&s, sizeof s);
    s = slm__row_max(a, n);
    check(s == best, "%s n %ld %ld %ld", "max", (long)n, 0, 0, (double)s, (double)best);
    for (i = 0; i < n; i++) {
        double d = (double)(slm_real)(a[i] - shift);
        e += exp(d);
        ex += exp(d) * d;
        ex_size += fabs(exp(d) * d);
    }
    s = slm__exp_shift(y, a, shift, n);
    near_to("exp_shift sum", n, 0, s, e, e, 6 + (double)n / 16);
    for (i = 0; i < n; i++)
        near_to("exp_shift", n, i, y[i], exp((double)(slm_real)(a[i] - shift)),
                exp((double)(slm_real)(a[i] - shift)), 3);
    slm__exp_moments(a, shift, n, &sum, &sum_x);
    check(sum == s, "%s n %ld: other sum than exp_shift %ld %ld", "exp_moments", (long)n, 0, 0,
          (double)sum, (double)s);
    near_to("exp_moments", n, 0, sum_x, ex, ex_size, 8 + (double)n / 16);
    hash(&sum_x, sizeof sum_x);
    s = slm__exp_shift(a, a, shift, n);
    check(s == sum && memcmp(a, y, n * sizeof *a) == 0, "%s n %ld in place %ld %ld", "exp_shift",
          (long)n, 0, 0, (double)s, (double)sum);
    end("exp_shift", y, n);
    free(a);
    free(b);
}

static void test_elementwise(size_t n) {
    slm_real *x = array(n), *g = array(n), *w = array(n), *y = guarded(n), *z = guarded(n),
             *y0 = array(n), *z0 = array(n), r = (slm_real)1.3;
    double q = 0, q_size = 0;
    size_t i;
    memcpy(y0, y, n * sizeof *y);
    memcpy(z0, z, n * sizeof *z);
    slm__axpy(y, r, x, n);
    for (i = 0; i < n; i++)
        near_to("axpy", n, i, y[i], (double)y0[i] + (double)r * (double)x[i], 3, 2);
    memcpy(y0, y, n * sizeof *y);
    slm__matvec_rows(z, g, n, x, 1, n, 0);
    check(z[0] == slm__dot(g, x, n), "%s n %ld: other sum than dot %ld %ld", "dots", (long)n, 0, 0,
          (double)z[0], (double)slm__dot(g, x, n));
    memcpy(z, z0, n * sizeof *z);
    slm__scale(y, r, n);
    for (i = 0; i < n; i++)
        near_to("scale", n, i, y[i], (double)y0[i] * (double)r, 4, 1);
    hash(y, n * sizeof *y);
    slm__rms_scale(y, x, w, r, n);
    for (i = 0; i < n; i++)
        near_to("rms_scale", n, i, y[i], (double)x[i] * (double)w[i] * (double)r, 1, 3);
    memcpy(y0, y, n * sizeof *y);
    for (i = 0; i < n; i++) {
        q += (double)g[i] * (double)w[i] * (double)x[i];
        q_size += fabs((double)g[i] * (double)w[i] * (double)x[i]);
    }
    slm__rms_backward(y, z, g, x, w, r, n);
    for (i = 0; i < n; i++) {
        double dr = (double)r, dx = (double)x[i], dg = (double)g[i];
        near_to("rms_backward dx", n, i, y[i],
                (double)y0[i] + dr * (dg * (double)w[i] - dx * dr * dr * q / (double)n),
                4 + 3 * q_size / (double)n, 4);
        near_to("rms_backward dw", n, i, z[i], (double)z0[i] + dg * dx * dr, 3, 2);
    }
    hash(y, n * sizeof *y);
    hash(z, n * sizeof *z);
    for (i = 0; i < n; i++)
        x[i] *= 9;
    slm__swiglu(y, x, w, n);
    for (i = 0; i < n; i++)
        near_to("swiglu", n, i, y[i], (double)x[i] * sigmoid((double)x[i]) * (double)w[i],
                fabs((double)x[i] * sigmoid((double)x[i]) * (double)w[i]), 6);
    hash(y, n * sizeof *y);
    memset(y, 0, n * sizeof *y);
    memset(z, 0, n * sizeof *z);
    slm__swiglu_backward(y, z, g, x, w, n, 1, 1);
    for (i = 0; i < n; i++) {
        double s = sigmoid((double)x[i]), dg = (double)g[i], dx = (double)x[i];
        near_to("swiglu_backward gate", n, i, y[i], dg * (double)w[i] * s * (1 + dx * (1 - s)),
                fabs(dg * (double)w[i]) * s * (1 + fabs(dx)), 8);
        near_to("swiglu_backward up", n, i, z[i], dg * dx * s, fabs(dg * dx * s), 6);
    }
    end("axpy add scale rms swiglu y", y, n);
    end("rms_backward swiglu_backward z", z, n);
    free(x);
    free(g);
    free(w);
    free(y0);
    free(z0);
}

static void test_rotate(size_t half) {
    slm_real *x = guarded(2 * half), *x0 = array(2 * half), *c = array(half), *s = array(half);
    size_t i;
    int sign;
    for (i = 0; i < half; i++) {
        double t = 3 * (double)c[i];
        c[i] = (slm_real)cos(t);
        s[i] = (slm_real)sin(t);
    }
    for (sign = 1; sign >= -1; sign -= 2) {
        memcpy(x0, x, 2 * half * sizeof *x);
        slm__rotate(x, c, s, half, (slm_real)sign);
        for (i = 0; i < half; i++) {
            double a = (double)x0[i], b = (double)x0[i + half], dc = (double)c[i],
                   ds = sign * (double)s[i];
            near_to("rotate first", half, i, x[i], a * dc - b * ds, 2, 2);
            near_to("rotate second", half, i, x[i + half], b * dc + a * ds, 2, 2);
        }
    }
    end("rotate", x, 2 * half);
    free(x0);
    free(c);
    free(s);
}

static void test_adamw(size_t n) {
    slm_real *p = guarded(n), *m = guarded(n), *v = guarded(n), *g = array(n), *p0 = array(n),
             *m0 = array(n), *v0 = array(n);
    const slm_real scale = (slm_real)0.37, lr = (slm_real)0.01, b1 = (slm_real)0.9,
                   b2 = (slm_real)0.95, eps = (slm_real)1e-8, decay = (slm_real)0.1,
                   c1 = (slm_real)(1 / (1 - 0.729)), c2 = (slm_real)(1 / (1 - 0.857375));
    size_t i;
    for (i = 0; i < n; i++)
        v[i] = i % 7 == 3 ? 0 : v[i] * v[i] * (slm_real)(i % 3 ? 1e-6 : 1);
    for (i = 0; i < n; i++)
        if (i % 14 == 3) g[i] = 0;
    memcpy(p0, p, n * sizeof *p);
    memcpy(m0, m, n * sizeof *m);
    memcpy(v0, v, n * sizeof *v);
    slm__adamw_piece(p, m, v, g, n, scale, lr, b1, b2, eps, decay, c1, c2);
    for (i = 0; i < n; i++) {
        double d = (double)g[i] * (double)scale,
               dm = (double)b1 * (double)m0[i] + (1 - (double)b1) * d;
        double dv = (double)b2 * (double)v0[i] + (1 - (double)b2) * d * d,
               step = (double)lr * dm * (double)c1 / (sqrt(dv * (double)c2) + (double)eps);
        near_to("adamw m", n, i, m[i], dm, 2, 3);
        near_to("adamw v", n, i, v[i], dv, dv, 6);
        near_to("adamw p", n, i, p[i], (double)p0[i] * (1 - (double)lr * (double)decay) - step,
                fabs((double)p0[i]) + 4 * fabs(step), 3);
    }
    end("adamw p", p, n);
    end("adamw m", m, n);
    end("adamw v", v, n);
    free(g);
    free(p0);
    free(m0);
    free(v0);
}

/* m numbers of v, a root each (v + 0 stays v): of the ends of the range, of infinity, of NaN */
static void test_root(void) {
    const slm_real small = sizeof(slm_real) == 4 ? (slm_real)1e-30 : (slm_real)1e-200,
                   most = sizeof(slm_real) == 4 ? (slm_real)FLT_MAX : (slm_real)DBL_MAX;
    const slm_real of[] = {0, small, (slm_real)1e-9, 1, 2, most, (slm_real)INFINITY, (slm_real)NAN};
    slm_real p[16], m[16], v[16], g[16];
    int i, at;
    for (at = 0; at < 16; at++)
        for (i = 0; i < (int)(sizeof of / sizeof *of); i++) {
            int j;
            for (j = 0; j < 16; j++) {
                p[j] = 0;
                m[j] = 1;
                v[j] = 4;
                g[j] = 0;
            }
            v[at] = of[i];
            slm__adamw_piece(p, m, v, g, 16, 1, -1, 1, 1, (slm_real)1e-3, 0, 1,
                             1); /* p = 1 / (sqrt(v) + 0.001) */
            for (j = 0; j < 16; j++) {
                double want = 1 / (sqrt((double)(j == at ? of[i] : 4)) + (double)(slm_real)1e-3);
                check(want != want ? p[j] != p[j] : fabs((double)p[j] - want) <= 4 * EPS * want,
                      "root of number %ld at %ld of %ld", "", i, j, at, (double)p[j], want);
            }
        }
}

/* Several matrices by one vector, then the other way: the same as row by row. */
static void test_matvec(size_t n) {
    slm_real *w = array(50 * n), *x = array(n), *y = array(50), *z = guarded(n), a[50];
    slm__matvec_of m[3];
    size_t rows[3] = {33, 1, 16}, i, j, k, at = 0;
    for (i = 0; i < 3; at += rows[i++]) {
        m[i].y = y + at;
        m[i].w = w + at * n;
        m[i].rows = rows[i];
    }
    memset(y, 0, 50 * sizeof *y);
    for (k = 0; k < 2; k++)
        slm__matvec(m, 3, x, n, k == 1);
    for (j = 0; j < 50; j++) {
        slm_real dot = slm__dot(x, w + j * n, n);
        check(y[j] == dot + dot, "%s n %ld row %ld %ld", "matvec", (long)n, (long)j, 0,
              (double)y[j], (double)(dot + dot));
        a[j] = (slm_real)uniform();
    }
    slm__weighted_sum(z, a, w, n, 50, n);
    for (i = 0; i < n; i++) {
        double sum = 0, size = 0;
        for (j = 0; j < 50; j++) {
            sum += (double)a[j] * (double)w[j * n + i];
            size += fabs((double)a[j] * (double)w[j * n + i]);
        }
        near_to("blend", n, i, z[i], sum, size, 8);
    }
    end("blend", z, n);
    free(w);
    free(x);
    free(y);
}

/* ---- exp: the whole range, and what is not a number ---- */
static void test_exp(void) {
    enum { N = 4096 };

    static slm_real x[N], y[N];
    const double low = sizeof(slm_real) == 4 ? -86.9 : -700,
                 high = sizeof(slm_real) == 4 ? 88.7 : 700,
                 limit = sizeof(slm_real) == 4 ? 1.2e-7 : 1e-15;
    double worst = 0, at = 0;
    int round, i;
    for (round = 0; round < 500; round++) {
        for (i = 0; i < N; i++)
            x[i] = (slm_real)(round % 5 ? low + (high - low) * (uniform() + 1) / 2
                                        : uniform() * (round % 2 ? 1 : 0.01));
        (void)slm__exp_shift(y, x, 0, N);
        for (i = 0; i < N; i++) {
            double want = exp((double)x[i]), error = fabs((double)y[i] - want) / want;
            if (!(error <= worst)) {
                worst = error;
                at = (double)x[i];
            }
        }
        hash(y, sizeof y);
    }
    check(worst <= limit, "%s: relative error (got) at x (want) %ld %ld %ld", "exp", 0, 0, 0, worst,
          at);
}

static void test_special(void) {
    slm_real x[40], y[40], big = (slm_real)INFINITY, nan = (slm_real)NAN, sum, sum_x, s;
    int i, n;
    for (n = 1; n <= 40; n += 13)
        for (i = 0; i < n; i++) {
            int j;
            for (j = 0; j < n; j++)
                x[j] = (slm_real)(j % 5 - 2);
            x[i] = -big;
            (void)slm__exp_shift(y, x, 0, (size_t)n);
            check(y[i] == 0, "%s(-inf) n %ld at %ld %ld", "exp", n, i, 0, (double)y[i], 0);
            slm__exp_moments(x, 0, (size_t)n, &sum, &sum_x);
            check(sum >= 0 && fabs((double)sum_x) < 1e3, "%s(-inf) n %ld at %ld %ld", "exp_moments",
                  n, i, 0, (double)sum_x, 0);
            x[i] = sizeof(slm_real) == 4 ? (slm_real)-87.5 : (slm_real)-1000;
            (void)slm__exp_shift(y, x, 0, (size_t)n);
            check(y[i] == 0, "%s(large negative) n %ld at %ld %ld", "exp", n, i, 0, (double)y[i],
                  0);
            x[i] = (slm_real)-3e38;
            (void)slm__exp_shift(y, x, 0, (size_t)n);
            check(y[i] == 0, "%s(-3e38) n %ld at %ld %ld", "exp", n, i, 0, (double)y[i], 0);
            x[i] = sizeof(slm_real) == 4 ? (slm_real)88.8 : (slm_real)710;
            s = slm__exp_shift(y, x, 0, (size_t)n);
            check(y[i] == big && s == big, "%s(large) n %ld at %ld %ld", "exp", n, i, 0,
                  (double)y[i], 0);
            x[i] = big;
            s = slm__exp_shift(y, x, 0, (size_t)n);
            check(y[i] == big && s == big, "%s(inf) n %ld at %ld %ld", "exp", n, i, 0, (double)y[i],
                  0);
            check(slm__row_max(x, (size_t)n) == big, "%s(inf) n %ld at %ld %ld", "max", n, i, 0,
                  (double)y[i], 0);
            x[i] = nan;
            s = slm__exp_shift(y, x, 1, (size_t)n);
            check(y[i] != y[i] && s != s, "%s(NaN) n %ld at %ld %ld", "exp", n, i, 0, (double)s, 0);
            slm__exp_moments(x, 0, (size_t)n, &sum, &sum_x);
            check(sum != sum && sum_x != sum_x, "%s(NaN) n %ld at %ld %ld", "exp_moments", n, i, 0,
                  (double)sum, 0);
            s = slm__row_max(x, (size_t)n);
            check(s <= 2, "%s passes over NaN, n %ld at %ld %ld", "max", n, i, 0, (double)s, 0);
            s = slm__dot(x, x, (size_t)n);
            check(s != s, "%s(NaN) n %ld at %ld %ld", "dot", n, i, 0, (double)s, 0);
        }
    for (i = 0; i < 40; i++)
        x[i] = nan;
    s = slm__row_max(x, 40);
    check(s == -big || s != s, "%s of NaN only %ld %ld %ld", "max", 0, 0, 0, (double)s, 0);
    check(slm__row_max(x, 0) == -big && slm__dot(x, x, 0) == 0, "%s of nothing %ld %ld %ld",
          "max, dot", 0, 0, 0, 0, 0);
}

int main(int argc, char **argv) {
    static const size_t sizes[] = {1, 2, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 257, 1000};
    unsigned long long bits[3] = {0, 0, 0};
    int level, levels = 0;
    size_t i;
    (void)argv;
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
    levels = slm__isa();
#endif
    for (level = 0; level <= levels; level++) {
        test_level = level;
        random_state = 1;
        bits_hash = 14695981039346656037ULL;
        test_gemm();
        test_gemm_nan();
        for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            test_reductions(sizes[i]);
            test_elementwise(sizes[i]);
            test_rotate(sizes[i]);
            test_adamw(sizes[i]);
            test_matvec(sizes[i]);
        }
        test_root();
        test_exp();
        test_special();
        bits[level] = bits_hash;
        if (argc > 1) printf("level %d bits %016llx\n", level, bits_hash);
    }
    if (levels == 2)
        check(bits[1] == bits[2], "%s %ld %ld %ld", "AVX2 and AVX-512 give other bits", 0, 0, 0, 0,
              0);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
