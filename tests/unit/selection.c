/* Selection (section 2) and its place in the training step: golden vectors, ties, NaN, k of one and of all, empty and masked
   sequences, both scopes across micro-batches, against a selection by full sorting. */
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "check.h"

static slm_error err;
static uint8_t mask[4096];
static slm_real scratch[4096];

/* Golden vectors, exact in binary: five targets of sequence a, then five of b. */
static const slm_real loss[10] = {.125f, 2, 3, 5, .5f, 4, .25f, 1, 2.5f, 6};
static const slm_real ref[10] = {.125f, .5f, 2.875f, 5.5f, .375f, 1, .375f, .25f, 2.375f, 5.75f};

static double mean_kept(const uint8_t *kept, const slm_real *l, size_t n) {
    double sum = 0;
    size_t i, count = 0;
    for (i = 0; i < n; i++)
        if (kept[i]) {
            sum += (double)l[i];
            count++;
        }
    return sum / (double)count;
}

static void golden(const char *name, slm_criterion score, slm_scope scope, double ratio,
                   const char *want, double mean) {
    slm_select_options how;
    size_t kept, i;
    memset(&how, 0, sizeof how);
    how.score = score;
    how.scope = scope;
    how.ratio = ratio;
    CHECK_OK(slm_select(mask, &kept, &how, loss, ref, NULL, NULL, 10, 5, 0, scratch, NULL, &err),
             err);
    for (i = 0; i < 10; i++)
        CHECK(mask[i] == want[i] - '0', "%s: target %d", name, (int)i);
    CHECK(mean_kept(mask, loss, 10) == mean, "%s: mean %g", name, mean_kept(mask, loss, 10));
}

static void golden_vectors(void) { /* {a1, b0, b2, b4} */
    golden("excess, batch, 0.4", SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .4, "0100010101", 3.25);
}

/* The same by sorting: descending score, ascending index. */
static const slm_real *sorted_scores;

static int by_rank(const void *a, const void *b) {
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    if (sorted_scores[i] > sorted_scores[j]) return -1;
    if (sorted_scores[i] < sorted_scores[j]) return 1;
    return i < j ? -1 : 1;
}

static void against_sorting(void) {
    static slm_real score[4096];
    static uint8_t valid[4096], want[4096];
    static size_t order[4096];
    slm_rng rng = slm_rng_seed(11);
    int round;
    for (round = 0; round < 300; round++) {
        size_t n = 1 + (size_t)slm_rng_below(&rng, 4096), i, n_valid = 0, k,
               levels = 1 + (size_t)slm_rng_below(&rng, 40);
        for (i = 0; i < n; i++) { /* many ties, both zeros, huge and tiny, infinite */
            double x = slm_rng_normal(&rng);
            score[i] = (slm_real)(round % 3 == 0   ? x
                                  : round % 3 == 1 ? floor(x * (double)levels) / 8
                                                   : exp(30 * x) * (x < 0 ? -1 : 1));
            if (slm_rng_below(&rng, 50) == 0)
                score[i] = (slm_real)(x < 0 ? -INFINITY : x > 1 ? INFINITY : -0.0);
            valid[i] = slm_rng_below(&rng, 4) != 0;
            if (valid[i]) order[n_valid++] = i;
        }
        k = n_valid == 0 ? 0 : 1 + (size_t)slm_rng_below(&rng, n_valid);
        sorted_scores = score;
        qsort(order, n_valid, sizeof *order, by_rank);
        memset(want, 0, n);
        for (i = 0; i < k; i++)
            want[order[i]] = 1;
        CHECK_OK(slm_select_top(mask, score, valid, n, k, &err), err);
        CHECK(memcmp(mask, want, n) == 0, "round %d: n %d, k %d differ from sorting", round, (int)n,
              (int)k);
    }
}

static void counts_and_edges(void) {
    slm_real score[6] = {1, 2, 2, 2, 3, 0};
    const int32_t targets[6] = {-1, -1, -1, 4, 5, 6}, none[6] = {-1, -1, -1, -1, -1, -1};
    slm_select_options how;
    size_t kept;
    CHECK(slm_select_count(.6, 10) == 6 && slm_select_count(.05, 10) == 1 &&
              slm_select_count(.25, 10) == 3 && slm_select_count(.24, 10) == 2,
          "k = floor(ratio n + 1/2)");
    CHECK(slm_select_count(.001, 10) == 1 && slm_select_count(.6, 0) == 0 &&
              slm_select_count(1, 7) == 7 && slm_select_count(.6, 1) == 1,
          "at least 1");
    CHECK_OK(slm_select_top(mask, score, NULL, 6, 3, &err), err);
    CHECK(memcmp(mask, "\0\1\1\0\1\0", 6) == 0, "ties go to the lowest index");
    CHECK(slm_select_top(mask, score, NULL, 6, 7, &err) == SLM_ERR_ARGUMENT, "more than there are");
    CHECK_OK(slm_select_top(mask, score, NULL, 6, 0, &err), err);
    CHECK(memcmp(mask, "\0\0\0\0\0\0", 6) == 0, "k of none");
    score[3] = (slm_real)NAN;
    CHECK(slm_select_top(mask, score, NULL, 6, 3, &err) == SLM_ERR_NOT_FINITE, "NaN is an error");
    CHECK(strstr(err.text, "score 3") != NULL, "NaN is named: %s", err.text);
    memset(&how, 0, sizeof how);
    how.score = SLM_CRITERION_LOSS;
    how.ratio = .5;
    how.scope = SLM_SCOPE_SEQUENCE;
    CHECK_OK(slm_select(mask, &kept, &how, loss, NULL, NULL, targets, 6, 3, 0, scratch, NULL, &err),
             err);
    CHECK(kept == 2 && memcmp(mask, "\0\0\0\1\0\1", 6) == 0,
          "a sequence without valid targets keeps nothing, the other 2 of 3: %d", (int)kept);
    how.scope = SLM_SCOPE_BATCH;
    CHECK_OK(slm_select(mask, &kept, &how, loss, NULL, NULL, none, 6, 3, 0, scratch, NULL, &err),
             err);
    CHECK(kept == 0 && memcmp(mask, "\0\0\0\0\0\0", 6) == 0, "nothing valid, nothing kept");
    how.ratio = 1.5;
    CHECK(slm_select(mask, &kept, &how, loss, NULL, NULL, NULL, 6, 3, 0, scratch, NULL, &err) ==
              SLM_ERR_ARGUMENT,
          "ratio above 1");
    how.ratio = .5;
    how.score = SLM_CRITERION_EXCESS;
    CHECK(slm_select(mask, &kept, &how, loss, NULL, NULL, NULL, 6, 3, 0, scratch, NULL, &err) ==
              SLM_ERR_ARGUMENT,
          "excess without a reference");
}

static void other_scores(void) {
    const slm_real entropy[10] = {1, 2, 3, 4, 5, 5, 4, 3, 2, 1};
    slm_real shifted[10];
    uint8_t first[10];
    slm_select_options how;
    size_t kept, i, both = 0, either = 0;
    memset(&how, 0, sizeof how);
    how.ratio = .4;
    how.score = SLM_CRITERION_EXCESS;
    CHECK_OK(slm_select(first, &kept, &how, loss, ref, NULL, NULL, 10, 5, 0, scratch, NULL, &err),
             err);
    for (i = 0; i < 10; i++)
        shifted[i] = ref[i] + 8;
    CHECK_OK(
        slm_select(mask, &kept, &how, loss, shifted, NULL, NULL, 10, 5, 0, scratch, NULL, &err),
        err);
    CHECK(memcmp(mask, first, 10) == 0, "a constant added to all reference losses changes nothing");
    CHECK_OK(slm_select(mask, &kept, &how, loss, loss, NULL, NULL, 10, 5, 0, scratch, NULL, &err),
             err);
    CHECK(memcmp(mask, "\1\1\1\1\0\0\0\0\0\0", 10) == 0,
          "reference = model: all scores 0, ties only");
    how.score = SLM_CRITERION_ENTROPY;
    CHECK_OK(
        slm_select(mask, &kept, &how, NULL, NULL, entropy, NULL, 10, 5, 0, scratch, NULL, &err),
        err);
    CHECK(memcmp(mask, "\1\1\0\0\0\0\0\0\1\1", 10) == 0, "lowest entropies");
    how.score = SLM_CRITERION_INTERSECT;
    CHECK_OK(slm_select(mask, &kept, &how, NULL, ref, entropy, NULL, 10, 5, 0, scratch, NULL, &err),
             err);
    for (i = 0; i < 10; i++)
        both += mask[i];
    CHECK(both == kept && memcmp(mask, "\1\0\0\0\0\0\0\0\0\0", 10) == 0, "in both: %d", (int)kept);
    how.score = SLM_CRITERION_UNION;
    CHECK_OK(slm_select(mask, &kept, &how, NULL, ref, entropy, NULL, 10, 5, 0, scratch, NULL, &err),
             err);
    for (i = 0; i < 10; i++)
        either += mask[i];
    CHECK(either == 7 && kept == 7 && both + either == 8, "in either: %d", (int)kept);
    how.score = SLM_CRITERION_RANDOM;
    CHECK_OK(slm_select(first, &kept, &how, NULL, NULL, NULL, NULL, 10, 5, 1, scratch, NULL, &err),
             err);
    CHECK(kept == 4, "random keeps as many");
    CHECK_OK(slm_select(mask, &kept, &how, NULL, NULL, NULL, NULL, 10, 5, 2, scratch, NULL, &err),
             err);
    CHECK(memcmp(mask, first, 10) != 0, "another step, another draw");
    CHECK_OK(slm_select(mask, &kept, &how, NULL, NULL, NULL, NULL, 10, 5, 1, scratch, NULL, &err),
             err);
    CHECK(memcmp(mask, first, 10) == 0, "the same step, the same draw");
}

/* Two processes: each ranks its half, the histograms are summed; together they keep what one process keeps. */
typedef struct half {
    int round, who;
    uint64_t counts[2][16][256];
    size_t n[2][16];
    uint64_t ties[2];
} half;

static int group_sum(void *user, uint64_t *counts, size_t n) {
    half *h = (half *)user;
    size_t i;
    memcpy(h->counts[h->who][h->round], counts, n * sizeof *counts);
    for (i = 0; i < n; i++)
        counts[i] += h->counts[!h->who][h->round][i];
    h->round++;
    return 0;
}

static int group_before(void *user, uint64_t *count) {
    half *h = (half *)user;
    h->ties[h->who] = *count;
    *count = h->who == 0 ? 0 : h->ties[0];
    return 0;
}

static void over_two_processes(void) {
    static half h;
    static slm_real score[1000];
    static uint8_t want[1000];
    slm_rng rng = slm_rng_seed(5);
    slm_group group;
    slm_select_options how;
    size_t kept, all, i, turn;
    memset(&group, 0, sizeof group);
    memset(&how, 0, sizeof how);
    group.user = &h;
    group.allreduce_counts = group_sum;
    group.exscan_count = group_before;
    how.score = SLM_CRITERION_LOSS;
    how.ratio = .37;
    for (i = 0; i < 1000; i++)
        score[i] = (slm_real)slm_rng_below(&rng, 9);
    CHECK_OK(
        slm_select(want, &all, &how, score, NULL, NULL, NULL, 1000, 1000, 0, scratch, NULL, &err),
        err);
    for (turn = 0; turn < 12; turn++) /* played in turns until each has seen the other's sums */
        for (h.who = 0; h.who < 2; h.who++) {
            h.round = 0;
            CHECK_OK(slm_select(mask + 500 * h.who, &kept, &how, score + 500 * h.who, NULL, NULL,
                                NULL, 500, 500, 0, scratch, &group, &err),
                     err);
        }
    CHECK(memcmp(mask, want, 1000) == 0, "two processes keep what one keeps");
}

int main(void) {
    golden_vectors();
    golden("excess, sequence, 0.4", SLM_CRITERION_EXCESS, SLM_SCOPE_SEQUENCE, .4, "0110010100",
           2.5);
    golden("excess, batch, 0.6", SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .6, "0110110101", 2.75);
    golden("all", SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, 1, "1111111111", 2.4375);
    golden("own loss, 0.4", SLM_CRITERION_LOSS, SLM_SCOPE_BATCH, .4, "0011010001", 4.5);
    golden("lowest reference loss, 0.4", SLM_CRITERION_REF, SLM_SCOPE_BATCH, .4, "1000101100",
           0.46875);
    against_sorting();
    counts_and_edges();
    other_scores();
    over_two_processes();
    return check_end();
}
