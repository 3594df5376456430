/* Selection (section 2): golden vectors, ties, NaN, k of one and of all, empty and masked
   sequences, a score of the caller's own, options that are refused, several processes, and a
   comparison with selection by full sorting. */
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "check.h"

enum { MAX_TARGETS = 4096 };

static slm_error err;
static uint8_t mask[MAX_TARGETS];
static slm_real scratch[MAX_TARGETS];

/* Golden vectors, exact in binary: five targets of sequence a, then five of b. */
enum { GOLDEN = 10, GOLDEN_T = 5 };

static const slm_real loss[GOLDEN] = {.125f, 2, 3, 5, .5f, 4, .25f, 1, 2.5f, 6};
static const slm_real ref[GOLDEN] = {.125f, .5f,   2.875f, 5.5f,   .375f,
                                     1,     .375f, .25f,   2.375f, 5.75f};
static const slm_real entropy[GOLDEN] = {1, 2, 3, 4, 5, 5, 4, 3, 2, 1};

static slm_targets golden_targets(void) {
    slm_targets t;

    memset(&t, 0, sizeof t);
    t.loss = loss;
    t.ref_loss = ref;
    t.ref_entropy = entropy;
    t.n = GOLDEN;
    t.T = GOLDEN_T;
    return t;
}

static slm_select_options options_of(slm_criterion criterion, slm_scope scope, double ratio) {
    slm_select_options o = slm_select_defaults();

    o.criterion = criterion;
    o.scope = scope;
    o.ratio = ratio;
    return o;
}

/* Selects into `mask`.  Returns how many targets it selects. */
static size_t select_now(const slm_targets *t, const slm_select_options *o) {
    size_t n_selected = SIZE_MAX;

    CHECK_OK(slm_select(mask, &n_selected, t, o, scratch, &err), err);
    return n_selected;
}

/* Does selection fail with an argument error that contains `words`? */
static int refuses(const slm_targets *t, const slm_select_options *o, const char *words) {
    size_t n_selected = 77;

    err.text[0] = 0;
    return slm_select(mask, &n_selected, t, o, scratch, &err) == SLM_ERR_ARGUMENT &&
           strstr(err.text, words) != NULL && n_selected == 77;
}

static double mean_of_selected(const uint8_t *selected, const slm_real *values, size_t n) {
    double sum = 0;
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        if (!selected[i]) continue;
        sum += (double)values[i];
        count++;
    }
    return sum / (double)count;
}

/* wanted: a digit for each target, 1 where it is selected; mean: of the selected losses. */
static void golden(slm_criterion criterion, slm_scope scope, double ratio, const char *wanted,
                   double mean) {
    const slm_targets t = golden_targets();
    const slm_select_options o = options_of(criterion, scope, ratio);
    const char *name = slm_criterion_name(criterion);
    size_t n_selected = select_now(&t, &o);
    size_t n_wanted = 0;

    for (size_t i = 0; i < GOLDEN; i++) {
        CHECK(mask[i] == wanted[i] - '0', "%s, scope %d, %g: target %zu", name, scope, ratio, i);
        n_wanted += wanted[i] == '1';
    }
    CHECK(n_selected == n_wanted, "%s, scope %d, %g: %zu selected", name, scope, ratio, n_selected);
    CHECK(mean_of_selected(mask, loss, GOLDEN) == mean, "%s, scope %d, %g: mean %g", name, scope,
          ratio, mean_of_selected(mask, loss, GOLDEN));
}

static void golden_vectors(void) {
    golden(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .4, "0100010101", 3.25);
    golden(SLM_CRITERION_EXCESS, SLM_SCOPE_SEQUENCE, .4, "0110010100", 2.5);
    golden(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .6, "0110110101", 2.75);
    golden(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, 1, "1111111111", 2.4375);
    golden(SLM_CRITERION_NONE, SLM_SCOPE_BATCH, .4, "1111111111", 2.4375);
    golden(SLM_CRITERION_LOSS, SLM_SCOPE_BATCH, .4, "0011010001", 4.5);
    golden(SLM_CRITERION_REF, SLM_SCOPE_BATCH, .4, "1000101100", 0.46875);
}

/* ---- the k highest, against sorting: by descending score, then ascending index ---- */

static const slm_real *sorted_scores;

static int by_rank(const void *a, const void *b) {
    const size_t i = *(const size_t *)a;
    const size_t j = *(const size_t *)b;

    if (sorted_scores[i] > sorted_scores[j]) return -1;
    if (sorted_scores[i] < sorted_scores[j]) return 1;
    return i < j ? -1 : 1;
}

/* One of three kinds of scores: normal; few levels, hence many ties; huge and tiny.  Now and then
   an infinity or a negative zero. */
static slm_real some_score(slm_rng *rng, int kind, size_t n_levels) {
    const double x = slm_rng_normal(rng);
    double score = x;

    if (kind == 1) score = floor(x * (double)n_levels) / 8;
    if (kind == 2) score = exp(30 * x) * (x < 0 ? -1 : 1);
    if (slm_rng_below(rng, 50) == 0) {
        score = -0.0;
        if (x < 0) score = -INFINITY;
        if (x > 1) score = INFINITY;
    }
    return (slm_real)score;
}

static void one_comparison_with_sorting(slm_rng *rng, int round) {
    static slm_real score[MAX_TARGETS];
    static uint8_t valid[MAX_TARGETS], wanted[MAX_TARGETS];
    static size_t order[MAX_TARGETS];
    const size_t n = 1 + (size_t)slm_rng_below(rng, MAX_TARGETS);
    const size_t n_levels = 1 + (size_t)slm_rng_below(rng, 40);
    size_t n_valid = 0;
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        score[i] = some_score(rng, round % 3, n_levels);
        valid[i] = slm_rng_below(rng, 4) != 0;
        if (valid[i]) order[n_valid++] = i;
    }
    if (n_valid > 0) k = 1 + (size_t)slm_rng_below(rng, n_valid);

    sorted_scores = score;
    qsort(order, n_valid, sizeof order[0], by_rank);
    memset(wanted, 0, n);
    for (size_t i = 0; i < k; i++)
        wanted[order[i]] = 1;

    CHECK_OK(slm_select_top(mask, score, valid, n, k, &err), err);
    CHECK(memcmp(mask, wanted, n) == 0, "round %d: n %zu, k %zu differ from sorting", round, n, k);
}

static void against_sorting(void) {
    slm_rng rng = slm_rng_seed(11);

    for (int round = 0; round < 300; round++)
        one_comparison_with_sorting(&rng, round);
}

/* ---- counts and edges ---- */

static void counts(void) {
    CHECK(slm_select_count(.6, 10) == 6 && slm_select_count(.05, 10) == 1 &&
              slm_select_count(.25, 10) == 3 && slm_select_count(.24, 10) == 2,
          "k = floor(ratio n + 1/2)");
    CHECK(slm_select_count(.001, 10) == 1 && slm_select_count(.6, 0) == 0 &&
              slm_select_count(1, 7) == 7 && slm_select_count(.6, 1) == 1,
          "at least 1");
}

static void edges_of_the_ranking(void) {
    slm_real score[6] = {1, 2, 2, 2, 3, 0};

    CHECK_OK(slm_select_top(mask, score, NULL, 6, 3, &err), err);
    CHECK(memcmp(mask, "\0\1\1\0\1\0", 6) == 0, "ties go to the lowest index");
    CHECK(slm_select_top(mask, score, NULL, 6, 7, &err) == SLM_ERR_ARGUMENT, "more than there are");
    CHECK_OK(slm_select_top(mask, score, NULL, 6, 0, &err), err);
    CHECK(memcmp(mask, "\0\0\0\0\0\0", 6) == 0, "k is 0");

    score[3] = (slm_real)NAN;
    CHECK(slm_select_top(mask, score, NULL, 6, 3, &err) == SLM_ERR_NOT_FINITE, "NaN is an error");
    CHECK(strstr(err.text, "score 3") != NULL, "NaN is named: %s", err.text);
}

static void targets_that_are_not_valid(void) {
    static const int32_t second_half[6] = {-1, -1, -1, 4, 5, 6};
    static const int32_t none[6] = {-1, -1, -1, -1, -1, -1};
    slm_select_options o = options_of(SLM_CRITERION_LOSS, SLM_SCOPE_SEQUENCE, .5);
    slm_targets t = golden_targets();

    t.n = 6;
    t.T = 3;
    t.targets = second_half;
    CHECK(select_now(&t, &o) == 2 && memcmp(mask, "\0\0\0\1\0\1", 6) == 0,
          "a sequence without valid targets keeps nothing, the other 2 of 3");

    t.targets = none;
    o.scope = SLM_SCOPE_BATCH;
    CHECK(select_now(&t, &o) == 0 && memcmp(mask, "\0\0\0\0\0\0", 6) == 0,
          "nothing is valid, nothing is kept");
}

/* A zero means zero: no field of the options has a hidden default. */
static void options_are_refused_by_name(void) {
    slm_targets t = golden_targets();
    slm_select_options o;

    o = options_of(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, 0);
    CHECK(refuses(&t, &o, "ratio is 0"), "ratio 0: %s", err.text);
    o.ratio = 1.5;
    CHECK(refuses(&t, &o, "ratio is 1.5"), "ratio 1.5: %s", err.text);
    o.ratio = (double)NAN;
    CHECK(refuses(&t, &o, "ratio"), "ratio NaN: %s", err.text);

    o = options_of(SLM_CRITERION_UNION, SLM_SCOPE_BATCH, .5);
    o.entropy_ratio = 0;
    CHECK(refuses(&t, &o, "entropy_ratio is 0"), "entropy_ratio 0: %s", err.text);
    o.criterion = SLM_CRITERION_INTERSECT;
    CHECK(refuses(&t, &o, "entropy_ratio is 0"), "entropy_ratio 0: %s", err.text);

    o = options_of(SLM_CRITERION_OWN, SLM_SCOPE_BATCH, .5);
    CHECK(refuses(&t, &o, "own_score"), "own_score NULL: %s", err.text);

    o = options_of((slm_criterion)9, SLM_SCOPE_BATCH, .5);
    CHECK(refuses(&t, &o, "criterion 9"), "unknown criterion: %s", err.text);
    o = options_of(SLM_CRITERION_LOSS, (slm_scope)3, .5);
    CHECK(refuses(&t, &o, "scope 3"), "unknown scope: %s", err.text);

    t.T = 0;
    o = options_of(SLM_CRITERION_LOSS, SLM_SCOPE_SEQUENCE, .5);
    CHECK(refuses(&t, &o, "sequences of T = 0"), "T is 0: %s", err.text);
}

static void missing_arrays_are_refused(void) {
    slm_select_options o = options_of(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .5);
    slm_targets t = golden_targets();

    t.ref_loss = NULL;
    CHECK(refuses(&t, &o, "reference losses"), "excess without a reference: %s", err.text);
    t = golden_targets();
    t.loss = NULL;
    CHECK(refuses(&t, &o, "needs losses"), "excess without losses: %s", err.text);
    t = golden_targets();
    t.ref_entropy = NULL;
    o.criterion = SLM_CRITERION_ENTROPY;
    CHECK(refuses(&t, &o, "entropies"), "entropy without entropies: %s", err.text);
}

static void defaults(void) {
    const slm_select_options o = slm_select_defaults();

    CHECK(o.criterion == SLM_CRITERION_NONE && o.scope == SLM_SCOPE_BATCH && o.ratio == 0.6 &&
              o.own_score == NULL,
          "the defaults are plain training and the paper's ratio");
}

/* ---- the criteria ---- */

static void excess_is_relative(void) {
    const slm_select_options o = options_of(SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, .4);
    slm_targets t = golden_targets();
    slm_real shifted[GOLDEN];
    uint8_t first[GOLDEN];

    (void)select_now(&t, &o);
    memcpy(first, mask, GOLDEN);
    for (size_t i = 0; i < GOLDEN; i++)
        shifted[i] = ref[i] + 8;
    t.ref_loss = shifted;
    (void)select_now(&t, &o);
    CHECK(memcmp(mask, first, GOLDEN) == 0,
          "a constant added to all reference losses changes nothing");

    t.ref_loss = loss;
    (void)select_now(&t, &o);
    CHECK(memcmp(mask, "\1\1\1\1\0\0\0\0\0\0", GOLDEN) == 0,
          "where the reference is the model, all scores are 0: ties only");
}

static void rankings_by_entropy(void) {
    slm_select_options o = options_of(SLM_CRITERION_ENTROPY, SLM_SCOPE_BATCH, .4);
    slm_targets t = golden_targets();

    t.loss = NULL; /* none of these criteria needs it */
    (void)select_now(&t, &o);
    CHECK(memcmp(mask, "\1\1\0\0\0\0\0\0\1\1", GOLDEN) == 0, "lowest entropies");

    o.criterion = SLM_CRITERION_INTERSECT;
    o.entropy_ratio = .4;
    CHECK(select_now(&t, &o) == 1 && memcmp(mask, "\1\0\0\0\0\0\0\0\0\0", GOLDEN) == 0, "in both");
    o.criterion = SLM_CRITERION_UNION;
    CHECK(select_now(&t, &o) == 7 && memcmp(mask, "\1\1\0\0\1\0\1\1\1\1", GOLDEN) == 0,
          "in either");
    o.entropy_ratio = .1;
    CHECK(select_now(&t, &o) == 4 && memcmp(mask, "\1\0\0\0\1\0\1\1\0\0", GOLDEN) == 0,
          "each ranking has its own ratio");
}

static void random_draws(void) {
    const slm_select_options o = options_of(SLM_CRITERION_RANDOM, SLM_SCOPE_BATCH, .4);
    slm_targets t = golden_targets();
    uint8_t first[GOLDEN];

    t.loss = NULL;
    t.ref_loss = NULL;
    t.ref_entropy = NULL;
    t.step = 1;
    CHECK(select_now(&t, &o) == 4, "random keeps as many");
    memcpy(first, mask, GOLDEN);
    t.step = 2;
    (void)select_now(&t, &o);
    CHECK(memcmp(mask, first, GOLDEN) != 0, "another step, another draw");
    t.step = 1;
    (void)select_now(&t, &o);
    CHECK(memcmp(mask, first, GOLDEN) == 0, "the same step, the same draw");
}

/* ---- a score of the caller's own ---- */

typedef struct own_state {
    int n_calls;
    int fails;
} own_state;

static int own_excess(void *user, slm_real *score, const slm_targets *t) {
    own_state *state = (own_state *)user;

    state->n_calls++;
    for (size_t i = 0; i < t->n; i++)
        score[i] = t->loss[i] - t->ref_loss[i];
    return state->fails;
}

static void own_score_equals_excess(slm_scope scope) {
    slm_select_options o = options_of(SLM_CRITERION_EXCESS, scope, .4);
    slm_targets t = golden_targets();
    own_state state = {0, 0};
    slm_real score[2][GOLDEN];
    uint8_t first[GOLDEN];
    size_t n_selected = select_now(&t, &o);

    memcpy(first, mask, GOLDEN);
    CHECK_OK(slm_select_scores(score[0], &t, &o, &err), err);

    o.criterion = SLM_CRITERION_OWN;
    o.own_score = own_excess;
    o.own_user = &state;
    CHECK(select_now(&t, &o) == n_selected && memcmp(mask, first, GOLDEN) == 0 && state.n_calls > 0,
          "scope %d: an own score that is the excess selects other targets", scope);
    CHECK_OK(slm_select_scores(score[1], &t, &o, &err), err);
    CHECK(memcmp(score[0], score[1], sizeof score[0]) == 0, "other scores");

    state.fails = 1;
    CHECK(slm_select(mask, &n_selected, &t, &o, scratch, &err) == SLM_ERR_CANCELLED &&
              strstr(err.text, "own_score") != NULL,
          "an own score that fails: %s", err.text);
}

/* Scores each target by its token: it must be the target's own one, in a part of the batch too. */
static int own_by_token(void *user, slm_real *score, const slm_targets *t) {
    (void)user;
    for (size_t i = 0; i < t->n; i++)
        score[i] = (slm_real)t->targets[i];
    return 0;
}

static void own_score_sees_its_targets(void) {
    enum { T = 4, N = 12 };
    const int32_t tokens[N] = {1, 2, 3, 4, 40, 30, 20, 10, 7, 9, 6, 8};
    const slm_real no_loss[N] = {0};
    const uint8_t kept[N] = {0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1};
    slm_select_options o = options_of(SLM_CRITERION_OWN, SLM_SCOPE_SEQUENCE, .5);
    slm_targets t;
    size_t n_selected = 0;

    memset(&t, 0, sizeof t);
    t.n = N;
    t.T = T;
    t.targets = tokens;
    t.loss = no_loss;
    o.own_score = own_by_token;
    CHECK_OK(slm_select(mask, &n_selected, &t, &o, scratch, &err), err);
    CHECK(n_selected == N / 2 && memcmp(mask, kept, N) == 0, "the highest tokens of each sequence");
}

static void scores(void) {
    slm_select_options o = options_of(SLM_CRITERION_LOSS, SLM_SCOPE_BATCH, .4);
    slm_targets t = golden_targets();
    slm_real score[GOLDEN];

    CHECK_OK(slm_select_scores(score, &t, &o, &err), err);
    CHECK(memcmp(score, loss, sizeof score) == 0, "the loss is its own score");
    o.criterion = SLM_CRITERION_REF;
    CHECK_OK(slm_select_scores(score, &t, &o, &err), err);
    CHECK(score[3] == -ref[3] && score[9] == -ref[9], "the negative reference loss");
    o.criterion = SLM_CRITERION_UNION;
    CHECK(slm_select_scores(score, &t, &o, &err) == SLM_ERR_ARGUMENT, "two rankings, no one score");
    o.criterion = SLM_CRITERION_LOSS;
    o.ratio = 0;
    CHECK(slm_select_scores(score, &t, &o, &err) == SLM_ERR_ARGUMENT, "ratio 0");
}

/* ---- two processes ----
   Each ranks its half, and the histograms are summed.  The two are played in turns, several times
   over, until each has seen the sums of the other. */

enum { SHARED = 1000, HALF = SHARED / 2, TURNS = 12 };

typedef struct halves {
    int process; /* the one that runs now, 0 or 1 */
    int n_sums;  /* calls of group_sum in this turn */
    int n_scans; /* calls of group_before in this turn */
    uint64_t sums[2][16][256];
    uint64_t scans[2][4];
} halves;

static int group_sum(void *user, uint64_t *values, size_t n) {
    halves *h = (halves *)user;
    const uint64_t *theirs = h->sums[!h->process][h->n_sums];

    memcpy(h->sums[h->process][h->n_sums], values, n * sizeof values[0]);
    for (size_t i = 0; i < n; i++)
        values[i] += theirs[i];
    h->n_sums++;
    return 0;
}

static int group_before(void *user, uint64_t *count) {
    halves *h = (halves *)user;

    h->scans[h->process][h->n_scans] = *count;
    *count = h->process == 0 ? 0 : h->scans[0][h->n_scans];
    h->n_scans++;
    return 0;
}

static size_t count_marked(const uint8_t *marks, size_t n) {
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += marks[i];
    return count;
}

static void two_processes(slm_criterion criterion, double ratio) {
    static halves h;
    static slm_real values[SHARED];
    static uint8_t wanted[SHARED];
    const slm_select_options o = options_of(criterion, SLM_SCOPE_BATCH, ratio);
    const char *name = slm_criterion_name(criterion);
    slm_rng rng = slm_rng_seed(5);
    slm_targets t;
    slm_group group;
    size_t n_selected[2] = {0, 0};

    memset(&h, 0, sizeof h);
    memset(&t, 0, sizeof t);
    for (size_t i = 0; i < SHARED; i++)
        values[i] = (slm_real)slm_rng_below(&rng, 9);
    t.loss = values;
    t.n = SHARED;
    size_t n_wanted = select_now(&t, &o);
    memcpy(wanted, mask, SHARED);

    memset(&group, 0, sizeof group);
    group.user = &h;
    group.allreduce_counts = group_sum;
    group.exscan_count = group_before;
    t.group = &group;
    t.n = HALF;
    for (int turn = 0; turn < TURNS; turn++) {
        for (h.process = 0; h.process < 2; h.process++) {
            t.loss = values + HALF * h.process;
            h.n_sums = 0;
            h.n_scans = 0;
            CHECK_OK(slm_select(mask + HALF * h.process, &n_selected[h.process], &t, &o, scratch,
                                &err),
                     err);
        }
    }

    CHECK(memcmp(mask, wanted, SHARED) == 0, "%s: two processes keep what one keeps", name);
    CHECK(n_selected[0] == count_marked(mask, HALF) &&
              n_selected[1] == count_marked(mask + HALF, HALF),
          "%s: each process is told its own number, not %zu and %zu", name, n_selected[0],
          n_selected[1]);
    CHECK(n_selected[0] + n_selected[1] == n_wanted, "%s: together %zu", name, n_wanted);
}

static int group_fails(void *user, uint64_t *values, size_t n) {
    (void)user;
    (void)values;
    (void)n;
    return 1;
}

static void a_group_that_fails(void) {
    slm_select_options o = options_of(SLM_CRITERION_LOSS, SLM_SCOPE_BATCH, .4);
    slm_targets t = golden_targets();
    slm_group group;
    size_t n_selected;

    memset(&group, 0, sizeof group);
    group.allreduce_counts = group_fails;
    t.group = &group;
    CHECK(slm_select(mask, &n_selected, &t, &o, scratch, &err) == SLM_ERR_IO, "%s", err.text);

    /* A ranking within the process asks nobody. */
    o.scope = SLM_SCOPE_MICRO;
    CHECK_OK(slm_select(mask, &n_selected, &t, &o, scratch, &err), err);
    o.scope = SLM_SCOPE_SEQUENCE;
    CHECK_OK(slm_select(mask, &n_selected, &t, &o, scratch, &err), err);
}

int main(void) {
    golden_vectors();
    against_sorting();
    counts();
    edges_of_the_ranking();
    targets_that_are_not_valid();
    options_are_refused_by_name();
    missing_arrays_are_refused();
    defaults();
    excess_is_relative();
    rankings_by_entropy();
    random_draws();
    own_score_equals_excess(SLM_SCOPE_BATCH);
    own_score_equals_excess(SLM_SCOPE_MICRO);
    own_score_equals_excess(SLM_SCOPE_SEQUENCE);
    own_score_sees_its_targets();
    scores();
    two_processes(SLM_CRITERION_LOSS, .37);
    two_processes(SLM_CRITERION_RANDOM, .37);
    two_processes(SLM_CRITERION_LOSS, 1);
    two_processes(SLM_CRITERION_NONE, .37);
    a_group_that_fails();
    return check_end();
}
