/* run.c: `make run`: the paper's three steps on the built-in corpus, against plain training, a
 * control, a document filter and the clean text alone, in under two minutes.  Prints a table, and
 * writes build/report.html and two pictures, build/result.svg and build/tokens.svg (run_report.c).
 * main, at the end, is the whole experiment. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cli.h"
#include "common/start.h"
#include "filter.h"
#include "run_report.h"

#define ARM_LR 1e-3

static const settings small = {.general = {.target = 0.6, .noise = 0.2, .wrong = 0.3},
                               .noisy = {.target = 0.6, .noise = 0.2, .wrong = 0.3},
                               .general_bytes = 2000000,
                               .noisy_bytes = 1000000,
                               .clean_bytes = 60000,
                               .eval_bytes = 24000,
                               EXPERIMENT_MODEL,
                               .base_steps = 1400,
                               .tune_steps = 230,
                               .steps = 700,
                               .every = 35,
                               .base_lr = 4e-3,
                               .tune_lr = 1e-3,
                               .seed = 1};

/* ---- the table ---- */
static void print_row(const curve *arm, const curve *arms) {
    const curve_point *end = run_last_point(arm);
    double tokens = run_tokens_to_plain(arm, arms);
    printf("%-22s %11.3f %10.1f%%", arm->name, end->target.loss, 100 * end->target.accuracy);
    if (isnan(tokens))
        printf("   %18s", "not reached");
    else
        printf("   %8.0fk  (%4.1fx)", tokens / 1e3, run_sooner(arm, arms));
    printf("   %8.1f\n", end->seconds);
}

static void print_table(const run_result *r) {
    printf("\n%-22s %11s %11s   %18s   %8s\n", "", "target loss", "accuracy", "tokens to plain's",
           "seconds");
    printf("%-22s %11.3f %10.1f%%\n", "base", r->at_base.loss, 100 * r->at_base.accuracy);
    printf("%-22s %11.3f %10.1f%%\n", "reference", r->at_reference.loss,
           100 * r->at_reference.accuracy);
    for (int i = 0; i < ARMS; i++)
        print_row(&r->arms[i], r->arms);
    printf("\n");
    for (int i = 0; i < RUN_SIMPLER; i++)
        puts(run_beside(r, i));
}

/* ---- the experiment ---- */
static void train_plain(experiment *e, const char *name, slm_model *model, corpus_part part,
                        double lr, uint64_t steps) {
    const training t = {
        .name = name, .model = model, .corpus = e->corpus[part], .lr = lr, .steps = steps};
    experiment_train(e, &t);
}

/* An arm: what it trains on, and how its tokens are selected. */
typedef struct arm {
    const slm_corpus *corpus;
    const uint8_t *kind; /* of its tokens */
    const slm_select_options *selection;
    const slm_losses *scores;
} arm;

static void train_arm(experiment *e, slm_model *model, const arm *a, curve *c) {
    const training t = {.name = c->name,
                        .model = model,
                        .corpus = a->corpus,
                        .kind = a->kind,
                        .selection = a->selection,
                        .scores = a->scores,
                        .lr = ARM_LR,
                        .steps = small.steps,
                        .curve = c};
    experiment_train(e, &t);
}

/* What a document filter would have with the same two models: the whole documents whose tokens have
   the highest mean excess (the base's loss less the reference's), until 40% of the text is full.
   Tokens are bytes. */
static void keep_documents(corpus_text *kept, experiment *e, const slm_model *base,
                           const slm_model *reference) {
    const slm_corpus *c = e->corpus[CORPUS_NOISY];
    const corpus_text *noisy = &e->text[CORPUS_NOISY];
    size_t *size = (size_t *)must_alloc(c->n, sizeof *size);
    double *excess = experiment_losses(e, base, c);
    double *by_reference = experiment_losses(e, reference, c);
    for (size_t i = 0; i < c->n; i++) {
        size[i] = 1;
        excess[i] -= by_reference[i];
    }
    spans documents = spans_of_documents(noisy->text, size, c->n, 0);
    double *mean = (double *)must_alloc(documents.n, sizeof *mean);
    uint8_t *keep = (uint8_t *)must_alloc(documents.n, 1);
    spans_mean(mean, &documents, excess);
    spans_keep_best(keep, &documents, mean, RATIO);
    memset(kept, 0, sizeof *kept);
    for (size_t i = 0; i < documents.n; i++)
        for (size_t k = documents.start[i]; keep[i] && k < documents.start[i + 1]; k++)
            corpus_append(kept, (corpus_kind)noisy->kind[k], noisy->text + k, 1);
    free(size);
    free(excess);
    free(by_reference);
    free(mean);
    free(keep);
    free(documents.start);
}

int main(int argc, char **argv) {
    static experiment e;
    static curve curves[ARMS] = {{.name = "plain (CLM)"},
                                 {.name = "selective (SLM, 40%)"},
                                 {.name = "random 40%"},
                                 {.name = "documents 40%"},
                                 {.name = "clean text alone"}};
    const slm_select_options excess = {
        .criterion = SLM_CRITERION_EXCESS, .ratio = RATIO, .seed = 1};
    const slm_select_options random = {
        .criterion = SLM_CRITERION_RANDOM, .ratio = RATIO, .seed = 1};
    slm_model *base, *reference, *model;
    slm_corpus *documents;
    corpus_text kept;

    (void)argc;
    int code = program_start("run", &argc, &argv);
    if (code != DONE) return code;
    experiment_begin_built_in(&e, &small);
    e.work = (small.base_steps + small.tune_steps + ARMS * small.steps) * (uint64_t)small.B *
             (uint64_t)small.T;
    progress_start(&e.bar, "make run", 0, 0);

    /* 0. A base model that knows the corpus' kind of text. */
    must(slm_model_create(&base, &small.model, small.seed, &experiment_error));
    train_plain(&e, "base", base, CORPUS_GENERAL, small.base_lr, small.base_steps);

    /* 1. The reference: the base, tuned on a little clean text. */
    must(slm_model_copy(&reference, base, &experiment_error));
    train_plain(&e, "reference", reference, CORPUS_CLEAN, small.tune_lr, small.tune_steps);

    /* 2. It scores every token of the noisy corpus, once. */
    slm_losses *scores = experiment_score(&e, reference, e.corpus[CORPUS_NOISY]);

    keep_documents(&kept, &e, base, reference);
    must(slm_corpus_encode(&documents, e.tokenizer, kept.text, kept.size, &experiment_error));

    /* 3. From the same base, on the same text in the same order: all tokens, those of highest
       excess loss, random ones.  And all tokens of the best documents, and of the clean text, as
       often as it takes. */
    const slm_corpus *noisy = e.corpus[CORPUS_NOISY];
    const uint8_t *kind = e.text[CORPUS_NOISY].kind;
    const arm arms[ARMS] = {{noisy, kind, NULL, NULL},
                            {noisy, kind, &excess, scores},
                            {noisy, kind, &random, NULL},
                            {documents, kept.kind, NULL, NULL},
                            {e.corpus[CORPUS_CLEAN], NULL, NULL, NULL}};
    for (int i = 0; i < ARMS; i++) {
        must(slm_model_copy(&model, base, &experiment_error));
        train_arm(&e, model, &arms[i], &curves[i]);
        slm_model_free(model);
    }
    progress_end(&e.bar);

    const run_result result = {.base = base,
                               .reference = reference,
                               .at_base = experiment_measure(&e, base, CORPUS_EVAL),
                               .at_reference = experiment_measure(&e, reference, CORPUS_EVAL),
                               .arms = curves};
    print_table(&result);
    run_write_report(&e, &result);
    run_write_picture(&result);
    run_write_tokens(&e, &result);
    slm_corpus_free(documents);
    corpus_free(&kept);
    slm_losses_free(scores);
    slm_model_free(reference);
    slm_model_free(base);
    experiment_end(&e);
    return 0;
}
