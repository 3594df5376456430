/* bench peak: the machine's own multiply-add limit, measured by a plain C loop: the inner loop of a matrix product on operands
   that never leave the L1 cache, for each instruction set that this compiler and this processor know.  slm_bench_peak(threads)
   returns GFLOP/s (two operations per multiply-add) of all threads together: the best of many short runs, because a limit must
   not move with other people's work on the machine. */
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
#define PEAK_AVX512 __attribute__((noinline, target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"), min_vector_width(512)))
#elif defined(__GNUC__)
#define PEAK_INLINE static inline __attribute__((always_inline))
#define PEAK_UNROLL _Pragma("GCC unroll 8")
#define PEAK_SIMD PEAK_PRAGMA(omp simd)
#define PEAK_AVX512 __attribute__((noinline, target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,prefer-vector-width=512")))
#else
#define PEAK_INLINE static inline
#define PEAK_UNROLL
#define PEAK_SIMD
#endif
enum { PEAK_DEPTH = 128, PEAK_REPEATS = 200, PEAK_ROUNDS = 60 };

/* t (rows x cols) = sum over k of a_k b_k, repeated; rows and cols are constants, so that the sums live in registers */
PEAK_INLINE void peak_body(int fma, size_t rows, size_t cols, const float *a, const float *b, float *t) {
    size_t i, j, k, repeat;
    float s[8 * 32];
    for (repeat = 0; repeat < PEAK_REPEATS; repeat++) {
        const float *u = a, *v = b;
        PEAK_UNROLL
        for (i = 0; i < rows; i++) {
            PEAK_SIMD
            for (j = 0; j < cols; j++) s[i * cols + j] = 0;
        }
        PEAK_UNROLL
        for (k = 0; k < PEAK_DEPTH; k++, u += rows, v += cols) {
            PEAK_UNROLL
            for (i = 0; i < rows; i++) {
                const float x = u[i];
                PEAK_SIMD
#if defined(__GNUC__) || defined(__clang__)
                for (j = 0; j < cols; j++) s[i * cols + j] = fma ? __builtin_fmaf(x, v[j], s[i * cols + j]) : x * v[j] + s[i * cols + j];
#else
                for (j = 0; j < cols; j++) s[i * cols + j] = x * v[j] + s[i * cols + j];
#endif
            }
        }
        PEAK_UNROLL
        for (i = 0; i < rows; i++) {
            PEAK_SIMD
            for (j = 0; j < cols; j++) t[i * cols + j] = s[i * cols + j];
        }
    }
    (void)fma;
}
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
PEAK_AVX512 static void peak_avx512(const float *a, const float *b, float *t) { peak_body(1, 8, 32, a, b, t); }
__attribute__((noinline, target("avx2,fma"))) static void peak_avx2(const float *a, const float *b, float *t) { peak_body(1, 6, 16, a, b, t); }
#endif
static void peak_plain(const float *a, const float *b, float *t) {
#if defined(__aarch64__)
    peak_body(1, 8, 8, a, b, t);
#else
    peak_body(0, 4, 8, a, b, t);
#endif
}
static double peak_now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
/* seconds of one round: every thread does the same work, from a common start to the end of the last */
static double peak_round(void (*run)(const float *, const float *, float *), int threads) {
    double start = 0, stop = 0;
    PEAK_PRAGMA(omp parallel num_threads(threads))
    {
        float a[8 * PEAK_DEPTH], b[32 * PEAK_DEPTH], t[8 * 32];
        size_t i;
        for (i = 0; i < sizeof a / sizeof *a; i++) a[i] = 0.001f * (float)(i % 10);
        for (i = 0; i < sizeof b / sizeof *b; i++) b[i] = 0.001f * (float)(i % 7);
        run(a, b, t);                                                   /* warm: clocks up, operands in L1 */
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
    int round, variant;
    for (variant = 0; variant < 3; variant++) {
        void (*run)(const float *, const float *, float *) = peak_plain;
        double tile = 4 * 8;
#if defined(__aarch64__)
        tile = 8 * 8;
#endif
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
        if (variant == 1) {
            if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) continue;
            run = peak_avx2;
            tile = 6 * 16;
        }
        if (variant == 2) {
            if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512bw") ||
                !__builtin_cpu_supports("avx512dq")) continue;
            run = peak_avx512;
            tile = 8 * 32;
        }
#else
        if (variant > 0) continue;
#endif
        for (round = 0; round < PEAK_ROUNDS; round++) {
            double speed = 2e-9 * tile * PEAK_DEPTH * PEAK_REPEATS * threads / peak_round(run, threads);
            if (speed > best) best = speed;
        }
    }
    return best;
}
#endif
