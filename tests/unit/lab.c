/* The lab: the corpus of facts keeps its parts apart, filters keep whole documents and windows, and
   each rule keeps the targets that it says.
   make build/tests/lab && build/tests/lab                                                       */
#include "check.h"

#define SLM_IMPLEMENTATION
#include "slm.h"

#include "lab/experiment.h"
#include "lab/filter.h"

static slm_error err;

/* ---- facts ---- */
static const corpus_mix mix = {0.3, 0.2, 0.4};

enum { NOISY_BYTES = 200000, CLEAN_BYTES = 60000, EVAL_FACTS = 120, VALID_FACTS = 45, LINE = 100 };

/* The town of the document that begins at text: what is before "ton?". */
static void town_of(char town[LINE], const char *text) {
    const char *end = strstr(text, "ton?");
    const char *start = end;
    while (start > text && start[-1] != ' ')
        start--;
    memcpy(town, start, (size_t)(end - start) + 4);
    town[end - start + 4] = '\0';
}

/* Checks every document of valid or eval against the other parts. */
static void check_facts(corpus_part part, size_t expected, const corpus_text *noisy,
                        const corpus_text *clean, const corpus_text *general) {
    corpus_text facts;
    size_t n = 0, stated = 0, known = 0;
    corpus_make_facts(&facts, part, NULL, 1, 7);
    for (const char *at = facts.text; *at != '\0'; n++) {
        const char *end = strstr(at, "\n\n") + 2;
        char town[LINE], fact[LINE];
        town_of(town, at);
        memcpy(fact, at, (size_t)(end - at));
        fact[end - at - 1] = '\0'; /* question and answer, without the blank line */
        stated += strstr(noisy->text, fact) != NULL;
        known += strstr(clean->text, town) != NULL || strstr(general->text, town) != NULL;
        at = end;
    }
    CHECK(n == expected, "part %d: %zu facts, not %zu", part, n, expected);
    CHECK(stated == n, "part %d: %zu of %zu facts stand in the noisy text", part, stated, n);
    CHECK(known == 0, "part %d: %zu towns stand in the clean or the general text", part, known);
    corpus_free(&facts);
}

/* No town of valid is one of eval: rates must not be chosen on what is measured. */
static void check_valid_apart(void) {
    corpus_text valid, eval;
    size_t shared = 0;
    corpus_make_facts(&valid, CORPUS_VALID, NULL, 1, 7);
    corpus_make_facts(&eval, CORPUS_EVAL, NULL, 1, 7);
    for (const char *at = valid.text; *at != '\0'; at = strstr(at, "\n\n") + 2) {
        char town[LINE];
        town_of(town, at);
        shared += strstr(eval.text, town) != NULL;
    }
    CHECK(shared == 0, "%zu towns are in valid and in eval", shared);
    corpus_free(&valid);
    corpus_free(&eval);
}

/* The answers, and nothing else, are results; what is no quiz is off the target. */
static void check_kinds(const corpus_text *noisy) {
    static const char river[] = "Q: Which river", pump[] = "pump ";
    size_t answers = 0, wrong = 0;
    for (const char *at = strstr(noisy->text, river); at != NULL; at = strstr(at + 1, river)) {
        const size_t question = (size_t)(at - noisy->text);
        const size_t answer = (size_t)(strstr(at, "A: ") - noisy->text) + 3;
        answers++;
        wrong += noisy->kind[question] != CORPUS_PROBLEM;
        wrong += noisy->kind[answer] == CORPUS_OTHER;
    }
    for (const char *at = strstr(noisy->text, pump); at != NULL; at = strstr(at + 1, pump))
        wrong += noisy->kind[at - noisy->text] != CORPUS_OTHER;
    CHECK(answers > 100 && wrong == 0, "%zu questions, %zu kinds are wrong", answers, wrong);
}

static void test_facts(void) {
    corpus_text noisy, clean, general, again, other;
    corpus_make_facts(&noisy, CORPUS_NOISY, &(corpus_mix){0.3, 0, 0.4}, NOISY_BYTES, 7);
    corpus_make_facts(&clean, CORPUS_CLEAN, NULL, CLEAN_BYTES, 7);
    corpus_make_facts(&general, CORPUS_GENERAL, &mix, NOISY_BYTES, 7);
    check_facts(CORPUS_EVAL, EVAL_FACTS, &noisy, &clean, &general);
    check_facts(CORPUS_VALID, VALID_FACTS, &noisy, &clean, &general);
    check_valid_apart();
    check_kinds(&noisy);
    corpus_make_facts(&again, CORPUS_CLEAN, NULL, CLEAN_BYTES, 7);
    corpus_make_facts(&other, CORPUS_CLEAN, NULL, CLEAN_BYTES, 8);
    CHECK(strcmp(clean.text, again.text) == 0, "the same seed gives another text");
    CHECK(strcmp(clean.text, other.text) != 0, "another seed gives the same text");
    corpus_free(&noisy);
    corpus_free(&clean);
    corpus_free(&general);
    corpus_free(&again);
    corpus_free(&other);
}

static void test_tags(void) {
    static const char bytes[] = "<a b=\"cd\">ef 1 < 2 <g/> \"h\" <";
    static const char kinds[] = "MMMMMMIIMMpppppppppMMMMpppppp";
    corpus_text t = {.size = 0};
    size_t wrong = 0;
    corpus_append(&t, CORPUS_OTHER, bytes, sizeof bytes - 1);
    corpus_mark_tags(&t, CORPUS_PROBLEM);
    for (size_t i = 0; i < t.size; i++) {
        corpus_kind kind = kinds[i] == 'M' ? CORPUS_MARKUP : CORPUS_PROBLEM;
        wrong += t.kind[i] != (kinds[i] == 'I' ? CORPUS_ID : kind);
    }
    CHECK(wrong == 0 && t.size == sizeof kinds - 1, "%zu kinds are wrong", wrong);
    corpus_free(&t);
}

/* ---- spans ---- */
static void test_documents(void) {
    static const char text[] = "one\n\ntwo\nlines\n\n\nend";
    const size_t bytes = sizeof text - 1;
    const size_t tokens[6] = {3, 3, 4, 5, 4, 1}; /* "one" "\n\nt" "wo\nl" "ines\n" "\n\nen" "d" */
    size_t ones[sizeof text];
    for (size_t i = 0; i < bytes; i++)
        ones[i] = 1;
    spans s = spans_of_documents(text, ones, bytes, 0);
    CHECK(s.n == 4, "%zu documents of bytes", s.n); /* the third newline is one of its own */
    CHECK(s.start[1] == 5 && s.start[2] == 16, "they begin at %zu and %zu", s.start[1], s.start[2]);
    CHECK(s.start[s.n] == bytes, "they end at %zu", s.start[s.n]);
    free(s.start);
    s = spans_of_documents(text, tokens, 6, 0);
    CHECK(s.n == 3 && s.start[1] == 2 && s.start[2] == 5, "%zu documents of tokens", s.n);
    free(s.start);
    s = spans_of_documents(text, ones, bytes, 6); /* "two\nlines\n" is one more */
    CHECK(s.n == 5 && s.start[1] == 5 && s.start[2] == 15 && s.start[3] == 16,
          "%zu documents of six bytes and the rest of a line", s.n);
    free(s.start);
}

static void test_windows(void) {
    spans s = spans_of_windows(10, 4); /* targets 1..4, 5..8, 9 */
    CHECK(s.n == 3 && s.start[0] == 0 && s.start[1] == 5 && s.start[2] == 9 && s.start[3] == 10,
          "%zu windows", s.n);
    free(s.start);
    s = spans_of_windows(9, 4);
    CHECK(s.n == 2 && s.start[2] == 9, "%zu windows of 8 targets", s.n);
    free(s.start);
}

static void test_keep_best(void) {
    size_t start[5] = {0, 2, 3, 7, 10};
    const spans s = {start, 4};
    const double score[10] = {NAN, 1, 9, 4, 4, 4, 4, 2, 2, NAN};
    double mean[4];
    uint8_t keep[4];
    spans_mean(mean, &s, score);
    CHECK(mean[0] == 1 && mean[1] == 9 && mean[2] == 4 && mean[3] == 2, "the means are wrong");
    spans_keep_best(keep, &s, mean, 0.4); /* of 10 tokens: span 1 has 1, span 2 has 4 more */
    CHECK(!keep[0] && keep[1] && keep[2] && !keep[3], "kept %d%d%d%d", keep[0], keep[1], keep[2],
          keep[3]);
    spans_keep_best(keep, &s, mean, 0.1);
    CHECK(!keep[0] && keep[1] && !keep[2] && !keep[3], "one token is enough for a tenth");
    spans_keep_best(keep, &s, mean, 1);
    CHECK(keep[0] && keep[1] && keep[2] && keep[3], "all are kept at 1");
}

/* ---- rules ---- */
enum { ROWS = 4, COLUMNS = 8, TARGETS = ROWS * COLUMNS, INVALID = 5 };

static slm_batch *batch;
static slm_real loss[TARGETS], entropy[TARGETS], base[TARGETS], document[TARGETS];

/* Target i costs i + 1, and the reference 1: the excess grows with i. */
static void fill_batch(void) {
    for (int i = 0; i < TARGETS; i++) {
        batch->targets[i] = i == INVALID ? -1 : 1;
        batch->ref_loss[i] = 1;
        loss[i] = (slm_real)(i + 1);
        entropy[i] = (slm_real)(TARGETS - i);
        base[i] = (slm_real)(i + 1);
        document[i] = (slm_real)(i < COLUMNS ? 1 : 0);
    }
}

/* Applies a rule to the batch of fill_batch.  Returns how many targets are left. */
static int count_kept(token_rule rule, double ratio, uint64_t seed) {
    const rule_facts known = {loss, entropy, base, document, ratio, seed};
    int kept = 0;
    CHECK_OK(rule_apply(batch, rule, &known, &err), err);
    for (int i = 0; i < TARGETS; i++)
        kept += batch->targets[i] >= 0;
    CHECK(batch->targets[INVALID] < 0, "rule %d: what is no target became one", (int)rule);
    return kept;
}

/* How many of the targets first .. last are left. */
static int left(int first, int last) {
    int n = 0;
    for (int i = first; i <= last; i++)
        n += batch->targets[i] >= 0;
    return n;
}

static void test_scores(void) {
    fill_batch();
    CHECK(count_kept(RULE_UNSURE, 0.25, 1) == 8 && left(0, 8) == 8, "the surest are kept");
    fill_batch();
    for (int i = 16; i < TARGETS; i++)
        batch->ref_loss[i] = 100; /* the reference is ignorant; the base has what the model has */
    CHECK(count_kept(RULE_FLOOR, 0.25, 1) == 8 && left(8, 15) == 8, "floor: b counts below r");
    fill_batch();
    CHECK(count_kept(RULE_EXPLORE, 0.5, 1) == 16, "explore keeps another share");
    CHECK(left(20, 31) == 12 && left(0, 19) == 4, "explore: %d of the best", left(20, 31));
    fill_batch();
    CHECK(count_kept(RULE_SPLIT, 0.25, 1) == 8, "split keeps another share");
    CHECK(left(0, 7) == 4 && left(28, 31) == 4, "split: half by document, half by excess");
    fill_batch();
    CHECK(count_kept(RULE_BLEND, 0.5, 1) == 16, "blend keeps another share");
    CHECK(left(6, 7) == 2 && left(8, 15) == 0, "blend: a good document lifts its tokens");
}

/* One dear target among cheap ones lifts its neighbours; another sequence is not its neighbour. */
static void test_smooth(void) {
    fill_batch();
    for (int i = 0; i < TARGETS; i++)
        loss[i] = (slm_real)(i == COLUMNS - 1 ? 100 : 2);
    CHECK(count_kept(RULE_SMOOTH, 7.0 / 31, 1) == 7 && left(0, 7) == 7, "smooth: %d", left(0, 7));
}

static void test_sequences(void) {
    fill_batch();
    CHECK(count_kept(RULE_SEQUENCES, 0.5, 1) == 16 && left(16, 31) == 16, "not the best sequences");
}

static void test_draws(void) {
    int differs = 0, first[TARGETS];
    fill_batch();
    CHECK(count_kept(RULE_STOCHASTIC, 0.25, 1) == 8, "stochastic keeps another share");
    memcpy(first, batch->targets, sizeof first);
    fill_batch();
    (void)count_kept(RULE_STOCHASTIC, 0.25, 1);
    CHECK(memcmp(first, batch->targets, sizeof first) == 0, "the same seed draws others");
    for (uint64_t seed = 2; seed < 30; seed++) {
        fill_batch();
        (void)count_kept(RULE_STOCHASTIC, 0.25, seed);
        differs += memcmp(first, batch->targets, sizeof first) != 0;
    }
    CHECK(differs > 5, "other seeds draw the same: %d of 28 differ", differs);
}

static void test_soft(void) {
    double sum = 0;
    fill_batch();
    for (int i = 0; i < TARGETS; i++)
        loss[i] = (slm_real)(1 + 0.01 * i);
    CHECK(count_kept(RULE_SOFT, 0.25, 1) == TARGETS - 1, "soft drops targets");
    for (int i = 0; i < TARGETS; i++) {
        if (i == INVALID) continue;
        sum += (double)batch->weights[i];
        CHECK(i == 0 || batch->weights[i] > batch->weights[i == INVALID + 1 ? i - 2 : i - 1],
              "weight %d does not grow", i);
    }
    CHECK(fabs(sum / (TARGETS - 1) - 1) < 1e-5, "the mean weight is %g", sum / (TARGETS - 1));
    fill_batch();
    (void)count_kept(RULE_SOFT, 0.25, 1); /* the excess is far apart: one would have all */
    CHECK(fabs((double)batch->weights[TARGETS - 1] - RULE_HEAVIEST) < 1e-6, "it is not cut");
}

int main(void) {
    test_facts();
    test_tags();
    test_documents();
    test_windows();
    test_keep_best();
    CHECK_OK(slm_batch_create(&batch, ROWS, COLUMNS, &err), err);
    CHECK_OK(slm_batch_alloc_reference(batch, &err), err);
    test_scores();
    test_smooth();
    test_sequences();
    test_draws();
    test_soft();
    slm_batch_free(batch);
    return check_end();
}
