/* run_report.c: the page and the picture of `make run`. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "common/cli.h"
#include "report/figure.h"
#include "report/heatmap.h"
#include "report/page.h"
#include "run_report.h"

enum { VIEW_BYTES = 2400 }; /* of the noisy text in the heat map */

const curve_point *run_last_point(const curve *c) {
    return &c->point[c->n - 1];
}

double run_tokens_to_plain(const curve *arm, const curve *arms) {
    return curve_tokens_to(arm, run_last_point(&arms[PLAIN])->target.accuracy);
}

double run_sooner(const curve *arm, const curve *arms) {
    return run_tokens_to_plain(&arms[PLAIN], arms) / run_tokens_to_plain(arm, arms);
}

/* Who is ahead, if loss and accuracy say the same. */
static const char *leader(const measure *simpler, const measure *selective) {
    double loss = simpler->loss - selective->loss;
    double accuracy = simpler->accuracy - selective->accuracy;
    if (loss < 0 && accuracy > 0) return "ahead of selective training";
    if (loss > 0 && accuracy < 0) return "behind selective training";
    return "ahead by one of the two and behind by the other";
}

const char *run_beside(const run_result *r, int i) {
    static const struct {
        int arm;
        const char *name;
    } simpler[RUN_SIMPLER] = {{CLEAN, "Training on the clean text alone, for as many steps,"},
                              {DOCUMENTS, "Plain training on the best documents"}};
    static char text[300];
    const measure *selective = &run_last_point(&r->arms[SELECTIVE])->target;
    const measure *at = &run_last_point(&r->arms[simpler[i].arm])->target;
    (void)snprintf(text, sizeof text,
                   "%s ends %s (loss %.3f against %.3f, accuracy %.1f%% against %.1f%%).",
                   simpler[i].name, leader(at, selective), at->loss, selective->loss,
                   100 * at->accuracy, 100 * selective->accuracy);
    return text;
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

/* A curve of one quantity over the tokens; draw_series frees x and y. */
static figure_series make_series(const char *name, const curve *c, quantity *of) {
    double *x = (double *)must_alloc(c->n, sizeof *x);
    double *y = (double *)must_alloc(c->n, sizeof *y);
    for (size_t i = 0; i < c->n; i++) {
        x[i] = c->point[i].tokens;
        y[i] = of(&c->point[i]);
    }
    return (figure_series){.name = name, .x = x, .y = y, .n = c->n};
}

static void draw_series(FILE *out, figure f, double width, figure_series *series, size_t n) {
    f.width = width;
    f.x.label = "tokens processed";
    figure_lines(out, &f, series, n);
    for (size_t i = 0; i < n; i++) {
        free((void *)series[i].x);
        free((void *)series[i].y);
    }
}

/* All arms by one quantity, and the reference, which does not change, as a level line. */
static void draw_arms(FILE *out, figure f, double width, const run_result *r, quantity *of,
                      double reference) {
    figure_series series[ARMS];
    const figure_rule rule = {.value = reference, .text = "the reference itself"};
    for (int i = 0; i < ARMS; i++)
        series[i] = make_series(r->arms[i].name, &r->arms[i], of);
    f.rules = &rule;
    f.n_rules = 1;
    draw_series(out, f, width, series, ARMS);
}

static void draw_loss(FILE *out, double width, const void *user) {
    const run_result *r = (const run_result *)user;
    const figure f = {.title = "Loss on the target", .y = {.label = "loss (nats per byte)"}};
    draw_arms(out, f, width, r, target_loss, r->at_reference.loss);
}

static void draw_accuracy(FILE *out, double width, const void *user) {
    const run_result *r = (const run_result *)user;
    const figure f = {.title = "Accuracy on the target",
                      .y = {.label = "probability of a right result (%)"}};
    draw_arms(out, f, width, r, target_accuracy, 100 * r->at_reference.accuracy);
}

static void draw_kept(FILE *out, double width, const void *user) {
    const curve *selective = &((const run_result *)user)->arms[SELECTIVE];
    const figure f = {.title = "What selective training learns, and what it leaves alone",
                      .y = {.label = "training loss (nats per byte)"}};
    figure_series series[2] = {make_series("kept tokens", selective, kept_loss),
                               make_series("dropped tokens", selective, dropped_loss)};
    draw_series(out, f, width, series, 2);
}

/* ---- the report ---- */
static const char question[] =
    "Most text holds tokens that are not worth learning.  Here one base model is trained three "
    "times on the same noisy text in the same order: on all tokens, on the 40% that a reference "
    "model recommends, and on 40% drawn at random.  A fourth training has whole documents, the 40% "
    "that the same reference likes best; a fifth has the reference's clean text and nothing else.";

static const char *const texts[] = {
    "The corpus is made by the program, so that the truth about every byte is known.  60% of its "
    "documents are small stories with arithmetic in them; the others can be learned but are not "
    "wanted: a directory of people, logs, recipes, a quiz.  20% of the bytes are noise: ids, time "
    "stamps, markup; and 30% of the results are wrong.",
    "The clean text holds stories only, and all their results are right.  The reference is the "
    "base, tuned on it.",
    "The target is held-out clean text; no story of it is in a text for training.  Target loss is "
    "the mean loss of its bytes, in nats.",
    "Accuracy is the mean probability that the model gives to the right result, after it has read "
    "the story so far.",
    "The kinds of bytes are problem, step and result (the stories), other (what can be learned), "
    "and wrong, id, stamp and markup (the noise).",
    NULL};

static void report_verdict(page *p, const run_result *r) {
    const curve *selective = &r->arms[SELECTIVE];
    double tokens = run_tokens_to_plain(selective, r->arms);
    double by_plain = run_tokens_to_plain(&r->arms[PLAIN], r->arms);
    double sooner = run_sooner(selective, r->arms);
    char found[200];
    if (isnan(tokens))
        (void)snprintf(found, sizeof found, "Not reached: this seed points to no.");
    else
        (void)snprintf(found, sizeof found,
                       "After %.0fk tokens instead of %.0fk: %.1fx sooner.  This seed points to "
                       "%s; one seed proves nothing.",
                       tokens / 1e3, by_plain / 1e3, sooner, sooner > 1 ? "yes" : "no");
    const page_finding finding = {
        .verdict = PAGE_OPEN,
        .words = "open: one seed",
        .claim = "Selective training reaches plain training's final accuracy sooner",
        .found = found,
        .paper = "5 to 10x, one run each",
        .falsifier = "random selection as soon, or no difference, over several seeds"};
    page_claim(p, &finding);
}

/* A row of the table: name, loss, accuracy, tokens to plain training's end. */
enum { COLUMNS = 4 };

typedef struct table_row {
    const char *name;
    char loss[16], accuracy[16], tokens[48];
} table_row;

static table_row make_row(const char *name, const measure *at) {
    table_row row = {.name = name};
    (void)snprintf(row.loss, sizeof row.loss, "%.3f", at->loss);
    (void)snprintf(row.accuracy, sizeof row.accuracy, "%.1f%%", 100 * at->accuracy);
    return row;
}

static table_row make_arm_row(const curve *arm, const curve *arms) {
    const curve_point *end = run_last_point(arm);
    double tokens = run_tokens_to_plain(arm, arms);
    table_row row = make_row(arm->name, &end->target);
    if (isnan(tokens))
        (void)snprintf(row.tokens, sizeof row.tokens, "not reached");
    else
        (void)snprintf(row.tokens, sizeof row.tokens, "%.0fk (%.1fx)", tokens / 1e3,
                       run_sooner(arm, arms));
    return row;
}

static void report_table(page *p, const run_result *r) {
    static const char *const header[COLUMNS] = {"", "target loss", "accuracy", "tokens to plain's"};
    table_row rows[2 + ARMS];
    const char *cells[(2 + ARMS) * COLUMNS];
    rows[0] = make_row("base", &r->at_base);
    rows[1] = make_row("reference", &r->at_reference);
    for (int i = 0; i < ARMS; i++)
        rows[2 + i] = make_arm_row(&r->arms[i], r->arms);
    for (int i = 0; i < 2 + ARMS; i++) {
        const char **cell = &cells[i * COLUMNS];
        cell[0] = rows[i].name;
        cell[1] = rows[i].loss;
        cell[2] = rows[i].accuracy;
        cell[3] = rows[i].tokens;
    }
    page_table(p,
               "The last column: after how many tokens an arm first reaches plain training's "
               "final accuracy, and how many times sooner than plain training that is.  The "
               "reference is the base after a few steps on the clean text.  Documents: plain "
               "training on whole documents, those of the highest mean excess loss, as often as "
               "it takes.  Clean text alone: as many steps as the others.  One seed: differences "
               "of some points prove nothing.",
               header, COLUMNS, cells, 2 + ARMS);
}

/* A stretch of the noisy text, in which tokens are bytes, and the losses of its tokens. */
typedef struct token_view {
    size_t start[VIEW_BYTES + 1];
    slm_corpus *piece;
    double *loss, *ref_loss;
    heatmap_text text;
} token_view;

static void make_view(token_view *v, experiment *e, const run_result *r) {
    const corpus_text *noisy = &e->text[CORPUS_NOISY];
    must(slm_corpus_encode(&v->piece, e->tokenizer, noisy->text, VIEW_BYTES, &experiment_error));
    v->loss = experiment_losses(e, r->base, v->piece);
    v->ref_loss = experiment_losses(e, r->reference, v->piece);
    for (size_t i = 0; i <= VIEW_BYTES; i++)
        v->start[i] = i;
    v->text = (heatmap_text){.title = "the noisy corpus",
                             .bytes = noisy->text,
                             .start = v->start,
                             .n = VIEW_BYTES,
                             .loss = v->loss,
                             .ref_loss = v->ref_loss,
                             .ratio = RATIO,
                             .kind = noisy->kind,
                             .kinds = corpus_kind_names,
                             .n_kinds = CORPUS_KINDS};
}

static void free_view(token_view *v) {
    free(v->loss);
    free(v->ref_loss);
    slm_corpus_free(v->piece);
}

static void report_tokens(page *p, experiment *e, const run_result *r) {
    static token_view v;
    make_view(&v, e, r);
    if (page_heatmaps(p, &v.text, 1) != 0) must_have(NULL);
    free_view(&v);
}

/* What is simpler, and what it reaches. */
static void report_simpler(page *p, const run_result *r) {
    page_list_begin(p);
    for (int i = 0; i < RUN_SIMPLER; i++)
        page_list_item(p, run_beside(r, i));
    page_list_end(p);
}

static void report_results(page *p, const run_result *r) {
    page_section(p, "Target loss and accuracy", NULL);
    report_table(p, r);
    report_simpler(p, r);
    page_figure(p, draw_loss, r,
                "Lower is better.  All arms start from the same base and see the same text in the "
                "same order.",
                "make run", NULL);
    page_figure(p, draw_accuracy, r, "Higher is better.", "make run", NULL);
    page_section(p, "Kept and dropped", NULL);
    page_figure(p, draw_kept, r,
                "The paper's figure 6: the loss on dropped tokens does not fall.", "make run",
                NULL);
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

void run_write_report(experiment *e, const run_result *r) {
    const char *path = "build/report.html";
    FILE *out = open_file(path);
    page p;
    char facts[200];
    (void)snprintf(facts, sizeof facts,
                   "one seed; %zu parameters; %.0fk tokens per arm; the full reproduction has the "
                   "seeds and the controls: make repro",
                   r->base->n_params, run_last_point(&r->arms[PLAIN])->tokens / 1e3);
    page_begin(&p, out, "Selective Language Modeling on a laptop",
               "The paper's three steps, on a small noisy corpus whose truth is known.", facts);
    report_verdict(&p, r);
    page_section(&p, "What was done", question);
    page_list_begin(&p);
    for (size_t i = 0; texts[i] != NULL; i++)
        page_list_item(&p, texts[i]);
    page_list_end(&p);
    report_results(&p, r);
    page_section(&p, "Token by token",
                 "The noisy text, coloured by excess loss: the base's loss minus the reference's. "
                 "Move the slider to cut elsewhere.");
    report_tokens(&p, e, r);
    page_end(&p, "Made by slm.h " SLM_VERSION ": make run");
    close_file(out, path);
    printf("\n%s: the curves, and the text token by token\n", path);
}

/* The picture of README: the loss on the target. */
void run_write_picture(const run_result *r) {
    const char *path = "build/result.svg";
    const figure f = {.title = "Selective against plain training: loss on the target",
                      .subtitle = "the same base, the same text in the same order; lower is better",
                      .note = "make run; one seed",
                      .y = {.label = "nats per byte"}};
    FILE *out = open_file(path);
    draw_arms(out, f, 0, r, target_loss, r->at_reference.loss);
    close_file(out, path);
}

/* README's other picture: what selection keeps of the noisy text. */
void run_write_tokens(experiment *e, const run_result *r) {
    enum { PICTURE_BYTES = 900 };

    static token_view v;
    const char *path = "build/tokens.svg";
    make_view(&v, e, r);
    v.text.n = PICTURE_BYTES;
    FILE *out = open_file(path);
    if (heatmap_svg(out, &v.text) != 0) must_have(NULL);
    close_file(out, path);
    free_view(&v);
}
