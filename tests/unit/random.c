/* Random numbers and hashes: the words that the definitions give, and how the numbers lie. */
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"

#include "check.h"

/* SplitMix64 from a state of 0, worked out from its definition: each state is the last one plus
   0x9e3779b97f4a7c15, and each word is a hash of it. */
static void words(void) {
    slm_rng rng = {0};
    CHECK(slm_rng_next(&rng) == 0xe220a8397b1dcdafULL, "the first word");
    CHECK(slm_rng_next(&rng) == 0x6e789e6aa1b965f4ULL, "the second word");
    CHECK(slm_rng_next(&rng) == 0x06c45d188009454fULL, "the third word");
    CHECK(slm_rng_seed(0).state == 0xe220a8397b1dcdafULL, "a seed is mixed into a state");
}

/* FNV-1a of 64 bits. */
static void hashes(void) {
    uint64_t one = slm_hash(SLM_HASH_START, "foo", 3);
    CHECK(slm_hash(SLM_HASH_START, "a", 1) == 0xaf63dc4c8601ec8cULL, "of one byte");
    CHECK(slm_hash(SLM_HASH_START, "foobar", 6) == 0x85944171f73967e8ULL, "of six bytes");
    CHECK(slm_hash(one, "bar", 3) == 0x85944171f73967e8ULL, "and it goes on");
}

static void below(void) {
    enum { N = 7, DRAWS = 70000 };
    slm_rng rng = slm_rng_seed(1);
    int count[N] = {0};
    for (int i = 0; i < DRAWS; i++) {
        uint64_t k = slm_rng_below(&rng, N);
        CHECK(k < N, "%llu is not below %d", (unsigned long long)k, N);
        if (k < N) count[k]++;
    }
    for (int k = 0; k < N; k++)
        CHECK(abs(count[k] - DRAWS / N) < 400, "%d was drawn %d times", k, count[k]);
    CHECK(slm_rng_below(&rng, 1) == 0, "below 1 is 0");
}

static void uniform(void) {
    enum { DRAWS = 100000 };
    slm_rng rng = slm_rng_seed(2);
    double sum = 0;
    double least = 1;
    double most = 0;
    for (int i = 0; i < DRAWS; i++) {
        double u = slm_rng_uniform(&rng);
        sum += u;
        least = fmin(least, u);
        most = fmax(most, u);
    }
    CHECK(least >= 0 && least < 1e-3 && most < 1 && most > 0.999, "from %g to %g", least, most);
    CHECK(fabs(sum / DRAWS - 0.5) < 0.004, "their mean is %g", sum / DRAWS);
}

static void normal(void) {
    enum { DRAWS = 100000 };
    slm_rng rng = slm_rng_seed(3);
    double sum = 0;
    double squares = 0;
    int outside = 0; /* two deviations: 4.55% */
    for (int i = 0; i < DRAWS; i++) {
        double x = slm_rng_normal(&rng);
        sum += x;
        squares += x * x;
        outside += fabs(x) > 2;
    }
    CHECK(fabs(sum / DRAWS) < 0.012, "their mean is %g", sum / DRAWS);
    CHECK(fabs(squares / DRAWS - 1) < 0.02, "their variance is %g", squares / DRAWS);
    CHECK(abs(outside - 4550) < 250, "%d of them lie outside", outside);
}

int main(void) {
    words();
    hashes();
    below();
    uniform();
    normal();
    return check_end();
}
