/* Long arrays that threads share in pieces, against loops over the whole array: drawing, hashing,
   looking for what is not finite, conversion between memory and files.
   cc -fopenmp -I. -Itests/support tests/unit/pieces.c -lm && ./a.out */
#define SLM_IMPLEMENTATION
#include "slm.h"

#include "check.h"

enum { N = 3 * (1 << 14) + 77 }; /* several pieces of each kind, and a rest */

static slm_real numbers[N], again[N];
static unsigned char bytes[8 * N];

static void set_threads(int threads) {
#ifdef _OPENMP
    omp_set_num_threads(threads);
#else
    (void)threads;
#endif
}

static int same_numbers(const slm_real *a, const slm_real *b, size_t n) {
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* The numbers of one sequence, whoever draws them; and the generator is where it should be. */
static void drawing(void) {
    slm_rng one = slm_rng_seed(5);
    slm_rng shared = slm_rng_seed(5);
    for (size_t i = 0; i < N; i++)
        again[i] = (slm_real)(0.25 + 0.02 * slm_rng_normal(&one));

    slm__fill_normal(numbers, N, 0.25, 0.02, &shared);
    CHECK(shared.state == one.state, "the generator stands elsewhere");
    for (size_t i = 0; i < N; i++)
        CHECK(fabs((double)numbers[i] - (double)again[i]) <= 1e-7, "number %zu is %g, not %g", i,
              (double)numbers[i], (double)again[i]);

    slm__fill_normal(numbers, N, 1, 0, &shared);
    CHECK(shared.state == one.state, "a deviation of 0 has drawn");
    CHECK(numbers[0] == 1 && numbers[N - 1] == 1, "a deviation of 0 gives the mean");
}

/* The same for any number of threads; another where any number differs, or two are exchanged. */
static void hashing(void) {
    static const size_t places[] = {0, 1, 16383, 16384, 40000, N - 1};
    slm_rng rng = slm_rng_seed(6);
    slm__fill_normal(numbers, N, 0, 1, &rng);
    uint64_t hash = slm__hash_numbers(1, numbers, N);

    CHECK(slm__hash_numbers(1, numbers, N - 1) != hash, "one number less");
    CHECK(slm__hash_numbers(2, numbers, N) != hash, "another beginning");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        slm_real kept = numbers[places[i]];
        slm_real other = numbers[N / 2];
        numbers[places[i]] = kept + 1;
        CHECK(slm__hash_numbers(1, numbers, N) != hash, "number %zu", places[i]);
        numbers[places[i]] = other;
        numbers[N / 2] = kept;
        CHECK(slm__hash_numbers(1, numbers, N) != hash, "number %zu exchanged", places[i]);
        numbers[places[i]] = kept;
        numbers[N / 2] = other;
    }
    for (int threads = 1; threads <= 5; threads++) {
        set_threads(threads);
        CHECK(slm__hash_numbers(1, numbers, N) == hash, "%d threads", threads);
    }
}

static void finite(void) {
    static const size_t places[] = {0, 16383, 16384, 20000, N - 1};
    for (size_t i = 0; i < N; i++)
        numbers[i] = (slm_real)i;
    CHECK(slm__all_finite(numbers, N) && slm__all_finite(numbers, 0), "they are finite");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        slm_real kept = numbers[places[i]];
        numbers[places[i]] = (slm_real)NAN;
        CHECK(!slm__all_finite(numbers, N), "a NaN at %zu", places[i]);
        numbers[places[i]] = (slm_real)-INFINITY;
        CHECK(!slm__all_finite(numbers, N), "an infinity at %zu", places[i]);
        CHECK(slm__all_finite(numbers, places[i]), "it is behind the end");
        numbers[places[i]] = kept;
    }
}

/* Into the bytes of a file and back; a number at a time gives the same. */
static void conversion(slm_dtype dtype) {
    const size_t size = slm__dtype_size(dtype);
    slm_rng rng = slm_rng_seed(7);
    slm__fill_normal(numbers, N, 0, 1, &rng);
    slm__numbers_store(bytes, numbers, N, dtype);
    for (size_t i = 0; i < N; i++) {
        unsigned char one[8];
        slm__number_store(one, numbers[i], dtype);
        CHECK(memcmp(one, bytes + i * size, size) == 0, "%s: number %zu", slm_dtype_name(dtype), i);
    }

    slm__numbers_load(again, bytes, N, dtype);
    for (size_t i = 0; i < N; i++)
        numbers[i] = (slm_real)slm__number_load(bytes + i * size, dtype);
    CHECK(same_numbers(again, numbers, N), "%s: read otherwise", slm_dtype_name(dtype));
}

int main(void) {
    set_threads(3);
    drawing();
    hashing();
    set_threads(3);
    finite();
    conversion(SLM_DTYPE_F32);
    conversion(SLM_DTYPE_BF16);
    conversion(SLM_DTYPE_F64);
    return check_end();
}
