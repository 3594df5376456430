/* run.c: `make run`: the paper's three steps on the built-in corpus, against plain training and a
 * control, in about two minutes.  Prints a table and writes build/report.html and build/result.svg.
 * main, at the end, is the whole experiment. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cli.h"
#include "common/start.h"
#include "experiment.h"
#include "report/figure.h"
#include "report/heatmap.h"
#include "report/page.h"

#define RATIO 0.4
#define ARM_LR 1e-3

enum { PLAIN, SELECTIVE, RANDOM, ARMS };

enum { VIEW_BYTES = 2400 }; /* of the noisy text in the heat map */

static const settings small = {.general = {.target = 0.6, .noise = 0.2, .wrong = 0.3},
                               .noisy = {.target = 0.6, .noise = 0.2, .wrong = 0.3},
                               .general_bytes = 2000000,
                               .noisy_bytes = 1000000,
                               .clean_bytes = 60000,
                               .eval_bytes = 24000,
                               .model = {.vocab = 256,
                                         .dim = 64,
                                         .n_layers = 3,
                                         .n_heads = 4,
                                         .n_kv_heads = 4,
                                         .head_dim = 16,
                                         .ffn = 176,
                                         .max_seq = 128,
                                         .rope_theta = 10000,
                                         .norm_eps = 1e-5},
                               .B = 8,
                               .T = 128,
                               .base_steps = 1400,
                               .tune_steps = 230,
                               .steps = 700,
                               .every = 35,
                               .base_lr = 4e-3,
                               .tune_lr = 1e-3,
                               .seed = 1};

static const curve_point *last_point(const curve *c) {
    return &c->point[c->n - 1];
}

/* Tokens until an arm reaches plain training's final accuracy; NaN if it never does. */
static double tokens_to_plain(const curve *arm, const curve *arms) {
    return curve_tokens_to(arm, last_point(&arms[PLAIN])->target.accuracy);
}

/* ---- the table ---- */
static void print_row(const curve *arm, const curve *arms) {
    const curve_point *end = last_point(arm);
    double tokens = tokens_to_plain(arm, arms);
    printf("%-22s %11.3f %10.1f%%", arm->name, end->target.loss, 100 * end->target.accuracy);
    if (isnan(tokens))
        printf("   %18s", "not reached");
    else
        printf("   %8.0fk  (%4.1fx)", tokens / 1e3, end->tokens / tokens);
    printf("   %8.1f\n", end->seconds);
}

static void print_table(const measure *base, const measure *reference, const curve *arms) {
    printf("\n%-22s %11s %11s   %18s   %8s\n", "", "target loss", "accuracy", "tokens to plain's",
           "seconds");
    printf("%-22s %11.3f %10.1f%%\n", "base", base->loss, 100 * base->accuracy);
    printf("%-22s %11.3f %10.1f%%\n", "reference", reference->loss, 100 * reference->accuracy);
    for (int i = 0; i < ARMS; i++)
        print_row(&arms[i], arms);
}

/* ---- figures ---- */
typedef double quantity(const curve_point *p);

static double target_loss(const curve_point *p) {
    return p->target.loss;
}

static double target_accuracy(const curve_point *p) {
    return 100 * p->target.accuracy;
}

static double kept_loss(const curve_point *p) {
    return p->kept;
}

static double dropped_loss(const curve_point *p) {
    return p->dropped;
}

/* A curve of one quantity over the tokens; draw frees x and y. */
static figure_series make_series(const char *name, const curve *c, quantity *of) {
    double *x = (double *)must_alloc(c->n, sizeof *x);
    double *y = (double *)must_alloc(c->n, sizeof *y);
    for (size_t i = 0; i < c->n; i++) {
        x[i] = c->point[i].tokens;
        y[i] = of(&c->point[i]);
    }
    return (figure_series){.name = name, .x = x, .y = y, .n = c->n};
}

/* Draws over the tokens and frees the series. */
static void draw(FILE *out, figure f, figure_series *series, size_t n) {
    f.x.label = "tokens processed";
    figure_lines(out, &f, series, n);
    for (size_t i = 0; i < n; i++) {
        free((void *)series[i].x);
        free((void *)series[i].y);
    }
}

static void draw_arms(FILE *out, figure f, const curve *arms, quantity *of) {
    figure_series series[ARMS];
    for (int i = 0; i < ARMS; i++)
        series[i] = make_series(arms[i].name, &arms[i], of);
    draw(out, f, series, ARMS);
}

static void report_curves(page *p, const curve *arms) {
    const figure loss = {.title = "Loss on the target", .y = {.label = "loss (nats per byte)"}};
    const figure accuracy = {.title = "Accuracy on the target",
                             .y = {.label = "probability of a right result (%)"}};
    page_figure_begin(p);
    draw_arms(p->out, loss, arms, target_loss);
    page_figure_end(p,
                    "Lower is better.  All arms start from the same base and see the same text in "
                    "the same order.",
                    "make run", NULL);
    page_figure_begin(p);
    draw_arms(p->out, accuracy, arms, target_accuracy);
    page_figure_end(p, "Higher is better.", "make run", NULL);
}

static void report_dropped(page *p, const curve *selective) {
    const figure f = {.title = "What selective training learns, and what it leaves alone",
                      .y = {.label = "training loss (nats per byte)"}};
    figure_series series[2] = {make_series("kept tokens", selective, kept_loss),
                               make_series("dropped tokens", selective, dropped_loss)};
    page_figure_begin(p);
    draw(p->out, f, series, 2);
    page_figure_end(p, "The paper's figure 6: the loss on dropped tokens does not fall.",
                    "make run", NULL);
}

/* ---- the report ---- */
/* The heat map of a stretch of the noisy text, in which tokens are bytes. */
static void report_tokens(page *p, experiment *e, const slm_model *model,
                          const slm_model *reference) {
    static size_t start[VIEW_BYTES + 1];
    const corpus_text *noisy = &e->text[CORPUS_NOISY];
    slm_corpus *piece;
    must(slm_corpus_encode(&piece, e->tokenizer, noisy->text, VIEW_BYTES, &experiment_error));
    double *loss = experiment_losses(e, model, piece);
    double *ref_loss = experiment_losses(e, reference, piece);
    for (size_t i = 0; i <= VIEW_BYTES; i++)
        start[i] = i;
    const heatmap_text text = {.title = "the noisy corpus",
                               .bytes = noisy->text,
                               .start = start,
                               .n = VIEW_BYTES,
                               .loss = loss,
                               .ref_loss = ref_loss,
                               .ratio = RATIO,
                               .kind = noisy->kind,
                               .kinds = corpus_kind_names,
                               .n_kinds = CORPUS_KINDS};
    if (page_heatmaps(p, &text, 1) != 0) must_have(NULL);
    free(loss);
    free(ref_loss);
    slm_corpus_free(piece);
}

static FILE *open_file(const char *path) {
    FILE *out = fopen(path, "wb");
    if (out != NULL) return out;
    fprintf(stderr, "%s: cannot be written\n", path);
    exit(1);
}

static void close_file(FILE *out, const char *path) {
    if (fclose(out) == 0) return;
    fprintf(stderr, "%s: could not be written whole\n", path);
    exit(1);
}

static void report_verdict(page *p, const curve *arms) {
    const curve *selective = &arms[SELECTIVE];
    double sooner = last_point(selective)->tokens / tokens_to_plain(selective, arms);
    char found[32];
    (void)snprintf(found, sizeof found, "%.1fx", sooner);
    const page_finding finding = {
        .verdict = sooner > 1.5 ? PAGE_HOLDS : PAGE_FAILS,
        .claim = "Selective training reaches plain training's final accuracy sooner",
        .found = found,
        .paper = "5 to 10x",
        .falsifier = "random selection as soon, or no difference"};
    page_claim(p, &finding);
}

static void write_report(experiment *e, const slm_model *base, const slm_model *reference,
                         const curve *arms) {
    const char *path = "build/report.html";
    FILE *out = open_file(path);
    page p;
    char facts[200];
    (void)snprintf(facts, sizeof facts,
                   "one seed; %zu parameters; %.0fk tokens per arm; the full reproduction has the "
                   "seeds and the controls: make repro",
                   base->n_params, last_point(&arms[PLAIN])->tokens / 1e3);
    page_begin(&p, out, "Selective Language Modeling on a laptop",
               "The paper's three steps, on a small noisy corpus whose truth is known.", facts);
    report_verdict(&p, arms);
    page_section(&p, "Target loss and accuracy", NULL);
    report_curves(&p, arms);
    page_section(&p, "Kept and dropped", NULL);
    report_dropped(&p, &arms[SELECTIVE]);
    page_section(&p, "Token by token",
                 "The noisy text, coloured by excess loss: the base's loss minus the reference's. "
                 "Move the slider to cut elsewhere.");
    report_tokens(&p, e, base, reference);
    page_end(&p, "Made by slm.h " SLM_VERSION ": make run");
    close_file(out, path);
    printf("\n%s: the curves, and the text token by token\n", path);
}

/* The picture of README: the loss on the target. */
static void write_picture(const curve *arms) {
    const char *path = "build/result.svg";
    const figure f = {.title = "Selective against plain training: loss on the target",
                      .subtitle = "the same base, the same text in the same order; lower is better",
                      .note = "make run; one seed",
                      .y = {.label = "nats per byte"}};
    FILE *out = open_file(path);
    draw_arms(out, f, arms, target_loss);
    close_file(out, path);
}

/* ---- the experiment ---- */
static void train_plain(experiment *e, const char *name, slm_model *model, corpus_part part,
                        double lr, uint64_t steps) {
    const training t = {
        .name = name, .model = model, .corpus = e->corpus[part], .lr = lr, .steps = steps};
    experiment_train(e, &t);
}

static void train_arm(experiment *e, slm_model *model, const slm_select_options *selection,
                      const slm_losses *scores, curve *c) {
    const training t = {.name = c->name,
                        .model = model,
                        .corpus = e->corpus[CORPUS_NOISY],
                        .kind = e->text[CORPUS_NOISY].kind,
                        .selection = selection,
                        .scores = scores,
                        .lr = ARM_LR,
                        .steps = small.steps,
                        .curve = c};
    experiment_train(e, &t);
}

int main(int argc, char **argv) {
    static experiment e;
    static curve arms[ARMS] = {
        {.name = "plain (CLM)"}, {.name = "selective (SLM, 40%)"}, {.name = "random 40%"}};
    const slm_select_options excess = {
        .criterion = SLM_CRITERION_EXCESS, .ratio = RATIO, .seed = 1};
    const slm_select_options random = {
        .criterion = SLM_CRITERION_RANDOM, .ratio = RATIO, .seed = 1};
    const slm_select_options *selections[ARMS] = {NULL, &excess, &random};
    slm_model *base, *reference, *model;

    (void)argc;
    int code = program_start("run", argv);
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

    /* 3. From the same base, on the same text in the same order: all tokens, those of highest
       excess loss, random ones. */
    for (int i = 0; i < ARMS; i++) {
        must(slm_model_copy(&model, base, &experiment_error));
        train_arm(&e, model, selections[i], i == SELECTIVE ? scores : NULL, &arms[i]);
        slm_model_free(model);
    }
    progress_end(&e.bar);

    measure at_base = experiment_measure(&e, base, CORPUS_EVAL);
    measure at_reference = experiment_measure(&e, reference, CORPUS_EVAL);
    print_table(&at_base, &at_reference, arms);
    write_report(&e, base, reference, arms);
    write_picture(arms);
    slm_losses_free(scores);
    slm_model_free(reference);
    slm_model_free(base);
    experiment_end(&e);
    return 0;
}
