/* `make run`: the paper's three steps on the built-in corpus, against plain training and a control, in about two minutes.
   Prints a table and writes build/report.html.  main, at the end, is the whole experiment. */
#define _POSIX_C_SOURCE 200809L
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "experiment.h"
#include "report/page.h"
#include "report/figure.h"
#include "threads.h"
#include <sys/stat.h>

static const settings small = {{0.6, 0.2, 0.3},
                               {0.6, 0.2, 0.3},
                               2000000,
                               1000000,
                               60000,
                               24000,
                               {256, 64, 3, 4, 4, 16, 176, 128, 10000, 1e-5, 0},
                               8,
                               128,
                               1400,
                               230,
                               700,
                               35,
                               4e-3,
                               1e-3,
                               1,
                               0};
#define RATIO 0.4
#define ARMS 3

/* ---- the table and the report ---- */
static void print_row(const curve *c, const curve *plain) {
    size_t last = c->n - 1;
    double tokens = curve_reaches(c, c->tokens, plain->target[plain->n - 1].accuracy, 1);
    printf("%-22s %11.3f %10.1f%%", c->name, c->target[last].loss, 100 * c->target[last].accuracy);
    if (isnan(tokens))
        printf("   %18s", "not reached");
    else
        printf("   %8.0fk  (%4.1fx)", tokens / 1e3, c->tokens[last] / tokens);
    printf("   %8.1f\n", c->seconds[last]);
}

static void print_table(const measure *base, const measure *reference, const curve *arms) {
    size_t i;
    printf("\n%-22s %11s %11s   %18s   %8s\n", "", "target loss", "accuracy", "tokens to plain's",
           "seconds");
    printf("%-22s %11.3f %10.1f%%\n", "base", base->loss, 100 * base->accuracy);
    printf("%-22s %11.3f %10.1f%%\n", "reference", reference->loss, 100 * reference->accuracy);
    for (i = 0; i < ARMS; i++)
        print_row(&arms[i], &arms[0]);
}

static void report_curves(page *r, const curve *arms) {
    double y[2][ARMS][EXPERIMENT_POINTS];
    figure_series series[ARMS];
    figure f;
    size_t which, i, p;
    for (which = 0; which < 2; which++) {
        memset(&f, 0, sizeof f);
        memset(series, 0, sizeof series);
        f.title = which ? "Accuracy on the target" : "Loss on the target";
        f.x.label = "tokens processed";
        f.y.label = which ? "probability of a right result (%)" : "loss (nats per byte)";
        for (i = 0; i < ARMS; i++) {
            for (p = 0; p < arms[i].n; p++)
                y[which][i][p] = which ? 100 * arms[i].target[p].accuracy : arms[i].target[p].loss;
            series[i].name = arms[i].name;
            series[i].x = arms[i].tokens;
            series[i].y = y[which][i];
            series[i].n = arms[i].n;
        }
        page_figure_begin(r);
        figure_lines(r->out, &f, series, ARMS);
        page_figure_end(r,
                          which ? "Higher is better."
                                : "Lower is better.  All arms start from the same base and see the "
                                  "same text in the same order.",
                          "make run", NULL);
    }
}

static void report_dropped(page *r, const curve *selective) {
    double y[2][EXPERIMENT_POINTS];
    figure_series series[2];
    figure f;
    size_t p;
    memset(&f, 0, sizeof f);
    memset(series, 0, sizeof series);
    f.title = "What selective training learns, and what it leaves alone";
    f.x.label = "tokens processed";
    f.y.label = "training loss (nats per byte)";
    for (p = 0; p < selective->n; p++) {
        y[0][p] = selective->kept[p];
        y[1][p] = selective->dropped[p];
    }
    series[0].name = "kept tokens";
    series[1].name = "dropped tokens";
    series[0].x = series[1].x = selective->tokens;
    series[0].y = y[0];
    series[1].y = y[1];
    series[0].n = series[1].n = selective->n;
    page_figure_begin(r);
    figure_lines(r->out, &f, series, 2);
    page_figure_end(r, "The paper's figure 6: the loss on dropped tokens does not fall.",
                      "make run", NULL);
}

/* The token view of a stretch of the noisy text. */
static void report_tokens(page *r, experiment *e, const slm_model *model,
                          const slm_model *reference) {
    enum { N = 2400 };

    static size_t start[N + 1];
    static unsigned char kind[N];
    slm_corpus *piece;
    const corpus_text *noisy = &e->text[CORPUS_NOISY];
    double *loss, *ref;
    heatmap_text t;
    size_t i;
    must(slm_corpus_encode(&piece, e->tokenizer, noisy->text, N, &experiment_error));
    loss = experiment_losses(e, model, piece);
    ref = experiment_losses(e, reference, piece);
    for (i = 0; i <= N; i++)
        start[i] = i;
    for (i = 0; i < N; i++)
        kind[i] = noisy->kind[i];
    memset(&t, 0, sizeof t);
    t.title = "the noisy corpus";
    t.bytes = noisy->text;
    t.start = start;
    t.n = N;
    t.loss = loss;
    t.ref_loss = ref;
    t.ratio = RATIO;
    t.kind = kind;
    t.kinds = corpus_kind_names;
    t.n_kinds = CORPUS_KINDS;
    if (page_heatmaps(r, &t, 1)) must_have(NULL);
    free(loss);
    free(ref);
    slm_corpus_free(piece);
}

static void write_report(experiment *e, const slm_model *base, const slm_model *reference,
                         const curve *arms) {
    FILE *out = fopen("build/report.html", "wb");
    page r;
    char found[200], facts[200];
    double sooner;
    if (out == NULL) {
        fprintf(stderr, "build/report.html: cannot be written\n");
        exit(1);
    }
    sooner = arms[1].tokens[arms[1].n - 1] /
             curve_reaches(&arms[1], arms[1].tokens, arms[0].target[arms[0].n - 1].accuracy, 1);
    snprintf(facts, sizeof facts,
             "one seed; %zu parameters; %.0fk tokens per arm; the full reproduction has the seeds "
             "and the controls: make repro",
             base->n_params, arms[0].tokens[arms[0].n - 1] / 1e3);
    snprintf(found, sizeof found, "%.1fx", sooner);
    page_begin(&r, out, "Selective Language Modeling on a laptop",
                 "The paper's three steps, on a small noisy corpus whose truth is known.", facts);
    { page_finding finding = {sooner > 1.5 ? PAGE_HOLDS : PAGE_FAILS, NULL, "Selective training reaches plain training's final accuracy sooner", found,"5 to 10x", "random selection as soon, or no difference"};
    page_claim(&r, &finding); }
    page_section(&r, "Target loss and accuracy", NULL);
    report_curves(&r, arms);
    page_section(&r, "Kept and dropped", NULL);
    report_dropped(&r, &arms[1]);
    page_section(&r, "Token by token",
                   "The noisy text, coloured by excess loss: the base's loss minus the "
                   "reference's. Move the slider to cut elsewhere.");
    report_tokens(&r, e, base, reference);
    page_end(&r, "Made by slm.h " SLM_VERSION ": make run");
    if (fclose(out) != 0) {
        fprintf(stderr, "build/report.html: could not be written whole\n");
        exit(1);
    }
    printf("\nbuild/report.html: the curves, and the text token by token\n");
}

/* The picture of README: the loss on the target. */
static void write_picture(const curve *arms) {
    static double y[ARMS][EXPERIMENT_POINTS];
    figure_series series[ARMS];
    figure f;
    size_t i, p;
    FILE *out = fopen("build/result.svg", "wb");
    if (out == NULL) {
        fprintf(stderr, "build/result.svg: cannot be written\n");
        exit(1);
    }
    memset(&f, 0, sizeof f);
    memset(series, 0, sizeof series);
    f.title = "Selective against plain training: loss on the target";
    f.subtitle = "the same base, the same text in the same order; lower is better";
    f.x.label = "tokens processed";
    f.y.label = "nats per byte";
    f.note = "make run; one seed";
    for (i = 0; i < ARMS; i++) {
        for (p = 0; p < arms[i].n; p++)
            y[i][p] = arms[i].target[p].loss;
        series[i].name = arms[i].name;
        series[i].x = arms[i].tokens;
        series[i].y = y[i];
        series[i].n = arms[i].n;
    }
    figure_lines(out, &f, series, ARMS);
    if (fclose(out) != 0) {
        fprintf(stderr, "build/result.svg: could not be written whole\n");
        exit(1);
    }
}

/* ---- the experiment ---- */
static void train_plain(experiment *e, const char *name, slm_model *model, corpus_part part,
                        double lr, uint64_t steps) {
    training t;
    memset(&t, 0, sizeof t);
    t.name = name;
    t.model = model;
    t.corpus = e->corpus[part];
    t.lr = lr;
    t.steps = steps;
    experiment_train(e, &t);
}

static void train_arm(experiment *e, const char *name, slm_model *model,
                      const slm_select_options *selection, const slm_losses *scores, curve *c) {
    training t;
    memset(&t, 0, sizeof t);
    t.name = c->name = name;
    t.model = model;
    t.corpus = e->corpus[CORPUS_NOISY];
    t.kind = e->text[CORPUS_NOISY].kind;
    t.selection = selection;
    t.scores = scores;
    t.lr = 1e-3;
    t.steps = small.steps;
    t.curve = c;
    experiment_train(e, &t);
}

int main(int argc, char **argv) {
    static experiment e;
    static curve arms[ARMS];
    const slm_select_options random = {
        .criterion = SLM_CRITERION_RANDOM, .ratio = RATIO, .seed = 1};
    const slm_select_options excess = {
        .criterion = SLM_CRITERION_EXCESS, .ratio = RATIO, .seed = 1};
    const slm_select_options *selections[ARMS] = {NULL, &excess, &random};
    const char *const names[ARMS] = {"plain (CLM)", "selective (SLM, 40%)", "random 40%"};
    slm_model *base, *reference, *model;
    slm_losses *scores;
    slm_windows windows;
    measure at_base, at_reference;
    int i;

    (void)argc;
    threads_wait_gently(argv);
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
    windows = slm_corpus_windows(e.corpus[CORPUS_NOISY], 16, small.T);
    must(slm_losses_compute(&scores, reference, e.corpus[CORPUS_NOISY], &windows, NULL, NULL,
                            &experiment_error));

    /* 3. From the same base, on the same text in the same order: all tokens, those of highest excess loss, random ones. */
    for (i = 0; i < ARMS; i++) {
        must(slm_model_copy(&model, base, &experiment_error));
        train_arm(&e, names[i], model, selections[i], i == 1 ? scores : NULL, &arms[i]);
        slm_model_free(model);
    }
    progress_end(&e.bar);

    at_base = experiment_measure(&e, base, CORPUS_EVAL);
    at_reference = experiment_measure(&e, reference, CORPUS_EVAL);
    print_table(&at_base, &at_reference, arms);
    write_report(&e, base, reference, arms);
    write_picture(arms);
    slm_losses_free(scores);
    slm_model_free(reference);
    slm_model_free(base);
    experiment_end(&e);
    return 0;
}
