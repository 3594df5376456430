/* peak.c: the machine's own multiply-add limit, measured by two plain C loops, for each instruction
 * set that this compiler and this processor know: chains of multiply-adds that never leave their
 * registers (which gcc makes vectors of), and the inner loop of a matrix product on operands from
 * the L1 cache (which clang keeps in registers). */
#include "bench/peak.h"

#include <stddef.h>

#include "bench/measure.h"

#ifdef _OPENMP
#include <omp.h>
#define PEAK_PRAGMA(x) _Pragma(#x)
#else
#define PEAK_PRAGMA(x)
#endif

#if defined(__GNUC__) && defined(__x86_64__)
#define PEAK_X86
#endif

/* ---- what makes each compiler write the loops as they are meant ---- */
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
#define PEAK_AVX2 __attribute__((noinline, target("avx2,fma")))

enum {
    DEPTH = 128,   /* multiply-adds of one sum: the operands stay in the L1 cache */
    REPEATS = 200, /* of the loops in one run: it lasts some tens of microseconds */
    ROUNDS = 60,   /* runs, the best of which counts */
    MAX_ROWS = 8,
    MAX_COLS = 32
};

typedef enum peak_rounding { TWO_ROUNDINGS, FUSED } peak_rounding;

PEAK_INLINE float multiply_add(peak_rounding rounding, float x, float y, float z) {
#ifdef __GNUC__
    if (rounding == FUSED) return __builtin_fmaf(x, y, z);
#endif
    (void)rounding;
    return x * y + z;
}

/* out (rows, cols) = sum over k of a_k b_k, repeated.  rows and cols are constants where it is
 * inlined, so that the sums are in registers. */
PEAK_INLINE void run_product(peak_rounding rounding, size_t rows, size_t cols, const float *a,
                             const float *b, float *out) {
    float sums[MAX_ROWS * MAX_COLS];
    for (size_t repeat = 0; repeat < REPEATS; repeat++) {
        PEAK_UNROLL
        for (size_t i = 0; i < rows; i++) {
            PEAK_SIMD
            for (size_t j = 0; j < cols; j++)
                sums[i * cols + j] = 0;
        }
        PEAK_UNROLL
        for (size_t k = 0; k < DEPTH; k++) {
            const float *column = a + k * rows;
            const float *row = b + k * cols;
            PEAK_UNROLL
            for (size_t i = 0; i < rows; i++) {
                const float x = column[i];
                PEAK_SIMD
                for (size_t j = 0; j < cols; j++)
                    sums[i * cols + j] = multiply_add(rounding, x, row[j], sums[i * cols + j]);
            }
        }
        PEAK_UNROLL
        for (size_t i = 0; i < rows; i++) {
            PEAK_SIMD
            for (size_t j = 0; j < cols; j++)
                out[i * cols + j] = sums[i * cols + j];
        }
    }
}

/* Chains s = s x + y in each of `lanes` lanes, DEPTH * REPEATS multiply-adds long.  The lanes
 * become vectors; N_CHAINS of them keep every multiplier busy.  They are variables, not an array,
 * so that they are in registers. */
enum { N_CHAINS = 12 };
#define FOR_CHAINS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define CHAIN_LOAD(c) float s##c = out[c * lanes + lane];
#define CHAIN_STEP(c) s##c = multiply_add(rounding, s##c, x, y);
#define CHAIN_STORE(c) out[c * lanes + lane] = s##c;

PEAK_INLINE void run_chains(peak_rounding rounding, size_t lanes, const float *a, float *out) {
    const float x = 0.5f * a[0];
    const float y = a[1];
    PEAK_SIMD
    for (size_t lane = 0; lane < lanes; lane++) {
        FOR_CHAINS(CHAIN_LOAD)
        for (size_t k = 0; k < DEPTH * REPEATS; k++) {
            FOR_CHAINS(CHAIN_STEP)
        }
        FOR_CHAINS(CHAIN_STORE)
    }
}

/* ---- the loops by instruction set ---- */
static void plain_product(const float *a, const float *b, float *out) {
    run_product(TWO_ROUNDINGS, 4, 8, a, b, out);
}

static void plain_wide_product(const float *a, const float *b, float *out) {
    run_product(TWO_ROUNDINGS, 8, 8, a, b, out);
}

static void plain_chains(const float *a, const float *b, float *out) {
    (void)b;
    run_chains(TWO_ROUNDINGS, 4, a, out);
}

#ifdef PEAK_X86
PEAK_AVX2 static void avx2_product(const float *a, const float *b, float *out) {
    run_product(FUSED, 6, 16, a, b, out);
}

PEAK_AVX2 static void avx2_chains(const float *a, const float *b, float *out) {
    (void)b;
    run_chains(FUSED, 8, a, out);
}

PEAK_AVX512 static void avx512_product(const float *a, const float *b, float *out) {
    run_product(FUSED, 8, 32, a, b, out);
}

PEAK_AVX512 static void avx512_chains(const float *a, const float *b, float *out) {
    (void)b;
    run_chains(FUSED, 16, a, out);
}
#endif

typedef enum peak_isa { ISA_PLAIN, ISA_AVX2, ISA_AVX512 } peak_isa;

/* SLM__ISA on the command line of the compiler forces the kernels of slm.h, and this limit: 0, 1 or
 * 2, in the order of the enum. */
static peak_isa best_isa(void) {
#ifdef SLM__ISA
    return (peak_isa)SLM__ISA();
#elif defined(PEAK_X86)
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return ISA_PLAIN;
    int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                 __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    return avx512 ? ISA_AVX512 : ISA_AVX2;
#else
    return ISA_PLAIN;
#endif
}

typedef void peak_run(const float *a, const float *b, float *out);

/* A loop, how many multiply-adds it makes at once, and what it needs. */
typedef struct peak_loop {
    peak_run *run;
    int width;
    peak_isa isa;
} peak_loop;

static const peak_loop loops[] = {
    {plain_product, 4 * 8, ISA_PLAIN},
    {plain_wide_product, 8 * 8, ISA_PLAIN},
    {plain_chains, N_CHAINS * 4, ISA_PLAIN},
#ifdef PEAK_X86
    {avx2_product, 6 * 16, ISA_AVX2},
    {avx2_chains, N_CHAINS * 8, ISA_AVX2},
    {avx512_product, 8 * 32, ISA_AVX512},
    {avx512_chains, N_CHAINS * 16, ISA_AVX512},
#endif
};

/* Returns the seconds of one run: every thread does the same work, from a common start to the end
 * of the last one.  A run before it brings clocks up and operands into the L1 cache. */
static double time_run(peak_run *run, int threads) {
    double start = 0;
    double stop_at = 0;
    PEAK_PRAGMA(omp parallel num_threads(threads)) {
        float a[MAX_ROWS * DEPTH];
        float b[MAX_COLS * DEPTH];
        float out[MAX_ROWS * MAX_COLS] = {0};
        for (size_t i = 0; i < sizeof a / sizeof *a; i++)
            a[i] = 0.001f * (float)(i % 10);
        for (size_t i = 0; i < sizeof b / sizeof *b; i++)
            b[i] = 0.001f * (float)(i % 7);
        run(a, b, out);
        PEAK_PRAGMA(omp barrier)
        PEAK_PRAGMA(omp master)
        start = seconds_now();
        run(a, b, out);
        PEAK_PRAGMA(omp barrier)
        PEAK_PRAGMA(omp master)
        stop_at = seconds_now();
    }
    (void)threads;
    return stop_at - start;
}

double peak_gflops(int threads) {
    double best = 0;
    peak_isa isa = best_isa();
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
        if (loops[i].isa > isa) continue;
        double work = 2e-9 * loops[i].width * DEPTH * REPEATS * threads;
        for (int round = 0; round < ROUNDS; round++) {
            double speed = work / time_run(loops[i].run, threads);
            if (speed > best) best = speed;
        }
    }
    return best;
}
