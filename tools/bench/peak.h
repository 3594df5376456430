/* bench peak: the machine's own multiply-add limit, measured by two plain C loops, for each instruction set that this compiler and
   this processor know: chains of multiply-adds that never leave their registers (which gcc makes vectors of) and the inner loop of
   a matrix product on operands from the L1 cache (which clang keeps in registers).  slm_bench_peak(threads) returns GFLOP/s (two
   operations per multiply-add) of all threads together: the best of many short runs, because a limit must not move with other
   people's work on the machine. */
#ifndef SLM_BENCH_PEAK_H
#define SLM_BENCH_PEAK_H
#include <stddef.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#define PEAK_PRAGMA(x) _Pragma(#x)
#else
#define PEAK_PRAGMA(x)
#endif
#if defined(__clang__)
#define PEAK_INLINE static inline __attribute__((always_inline))
#define PEAK_UNROLL _Pragma("clang loop vectorize(disable)")
#define PEAK_SIMD
#define PEAK_AVX512                                                                                \
    __attribute__((noinline, target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"),                \
                   min_vector_width(512)))
#elif defined(__GNUC__)
#define PEAK_INLINE static inline __attribute__((always_inline))
#define PEAK_UNROLL _Pragma("GCC unroll 8")
#ifdef _OPENMP
#define PEAK_SIMD PEAK_PRAGMA(omp simd)
#else
#define PEAK_SIMD _Pragma("GCC ivdep")
#endif
#define PEAK_AVX512                                                                                \
    __attribute__((noinline,                                                                       \
                   target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,prefer-vector-width=512")))
#else
#define PEAK_INLINE static inline
#define PEAK_UNROLL
#define PEAK_SIMD
#endif
enum { PEAK_DEPTH = 128, PEAK_REPEATS = 200, PEAK_ROUNDS = 60 };

/* t (rows x cols) = sum over k of a_k b_k, repeated; rows and cols are constants, so that the sums live in registers */
PEAK_INLINE void peak_body(int fma, size_t rows, size_t cols, const float *a, const float *b,
                           float *t) {
    size_t i, j, k, repeat;
    float s[8 * 32];
    for (repeat = 0; repeat < PEAK_REPEATS; repeat++) {
        const float *u = a, *v = b;
        PEAK_UNROLL
        for (i = 0; i < rows; i++) {
            PEAK_SIMD
            for (j = 0; j < cols; j++)
                s[i * cols + j] = 0;
        }
        PEAK_UNROLL
        for (k = 0; k < PEAK_DEPTH; k++, u += rows, v += cols) {
            PEAK_UNROLL
            for (i = 0; i < rows; i++) {
                const float x = u[i];
                PEAK_SIMD
#if defined(__GNUC__) || defined(__clang__)
                for (j = 0; j < cols; j++)
                    s[i * cols + j] =
                        fma ? __builtin_fmaf(x, v[j], s[i * cols + j]) : x * v[j] + s[i * cols + j];
#else
                for (j = 0; j < cols; j++)
                    s[i * cols + j] = x * v[j] + s[i * cols + j];
#endif
            }
        }
        PEAK_UNROLL
        for (i = 0; i < rows; i++) {
            PEAK_SIMD
            for (j = 0; j < cols; j++)
                t[i * cols + j] = s[i * cols + j];
        }
    }
    (void)fma;
}

/* CHAINS chains s = s x + y in each of `lanes` lanes, PEAK_DEPTH * PEAK_REPEATS multiply-adds long: the lanes become vectors, the
   chains are enough of them to keep every multiplier busy. */
#define PEAK_CHAINS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define PEAK_LOAD(c) float s##c = t[c * lanes + l];
#define PEAK_STORE(c) t[c * lanes + l] = s##c;
#if defined(__GNUC__) || defined(__clang__)
#define PEAK_MADD(c) s##c = fma ? __builtin_fmaf(s##c, x, y) : s##c * x + y;
#else
#define PEAK_MADD(c) s##c = s##c * x + y;
#endif
PEAK_INLINE void peak_chains(int fma, size_t lanes, const float *a, float *t) {
    const float x = 0.5f * a[0], y = a[1];
    size_t l, k;
    PEAK_SIMD
    for (l = 0; l < lanes; l++) {
        PEAK_CHAINS(PEAK_LOAD)
        for (k = 0; k < PEAK_DEPTH * PEAK_REPEATS; k++) {
            PEAK_CHAINS(PEAK_MADD)
        }
        PEAK_CHAINS(PEAK_STORE)
    }
    (void)fma;
}

/* what is measured: a loop for an instruction set, and how many multiply-adds it makes at once */
typedef struct {
    void (*run)(const float *a, const float *b, float *t);
    int width, level;
} peak_loop;

static void peak_plain(const float *a, const float *b, float *t) {
    peak_body(0, 4, 8, a, b, t);
}

static void peak_plain_wide(const float *a, const float *b, float *t) {
    peak_body(0, 8, 8, a, b, t);
}

static void peak_plain_chains(const float *a, const float *b, float *t) {
    (void)b;
    peak_chains(0, 4, a, t);
}
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
#define PEAK_AVX2 __attribute__((noinline, target("avx2,fma")))

PEAK_AVX2 static void peak_avx2(const float *a, const float *b, float *t) {
    peak_body(1, 6, 16, a, b, t);
}

PEAK_AVX2 static void peak_avx2_chains(const float *a, const float *b, float *t) {
    (void)b;
    peak_chains(1, 8, a, t);
}

PEAK_AVX512 static void peak_avx512(const float *a, const float *b, float *t) {
    peak_body(1, 8, 32, a, b, t);
}

PEAK_AVX512 static void peak_avx512_chains(const float *a, const float *b, float *t) {
    (void)b;
    peak_chains(1, 16, a, t);
}

static int peak_level(void) {
    int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                 __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 1 + avx512 : 0;
}
#else
static int peak_level(void) {
    return 0;
}
#endif
static const peak_loop peak_loops[] = {
    {peak_plain, 4 * 8, 0},           {peak_plain_wide, 8 * 8, 0},   {peak_plain_chains, 12 * 4, 0},
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
    {peak_avx2, 6 * 16, 1},           {peak_avx2_chains, 12 * 8, 1}, {peak_avx512, 8 * 32, 2},
    {peak_avx512_chains, 12 * 16, 2},
#endif
};
static double peak_now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* seconds of one round: every thread does the same work, from a common start to the end of the last */
static double peak_round(void (*run)(const float *, const float *, float *), int threads) {
    double start = 0, stop = 0;
    PEAK_PRAGMA(omp parallel num_threads(threads)) {
        float a[8 * PEAK_DEPTH], b[32 * PEAK_DEPTH], t[8 * 32];
        size_t i;
        for (i = 0; i < sizeof a / sizeof *a; i++)
            a[i] = 0.001f * (float)(i % 10);
        for (i = 0; i < sizeof b / sizeof *b; i++)
            b[i] = 0.001f * (float)(i % 7);
        run(a, b, t); /* warm: clocks up, operands in L1 */
        PEAK_PRAGMA(omp barrier)
        PEAK_PRAGMA(omp master)
        start = peak_now();
        run(a, b, t);
        PEAK_PRAGMA(omp barrier)
        PEAK_PRAGMA(omp master)
        stop = peak_now();
    }
    (void)threads;
    return stop - start;
}

static double slm_bench_peak(int threads) {
    double best = 0;
    size_t i;
    int round;
    for (i = 0; i < sizeof peak_loops / sizeof *peak_loops; i++)
        for (round = 0; round < PEAK_ROUNDS && peak_loops[i].level <= peak_level(); round++) {
            double speed = 2e-9 * peak_loops[i].width * PEAK_DEPTH * PEAK_REPEATS * threads /
                           peak_round(peak_loops[i].run, threads);
            if (speed > best) best = speed;
        }
    return best;
}
#endif
