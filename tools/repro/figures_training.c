/* figures_training.c: figure 1 against five measures of cost, "N times sooner", the map. */
#include <math.h>
#include <stdio.h>
#include "common/cli.h"
#include "findings.h"

/* ---- figure 1 ---- */
typedef struct family {
    const char *ending, *title, *arms[12];
} family;

static const family families[3] = {
    {"", "plain, selective and the two naive selections", {"clm", "slm", "random", "loss"}},
    {"_scores",
     "other scores and references",
     {"clm", "slm", "slm_sequence", "ref", "entropy", "intersect", "union", "null_reference"}},
    {"_clean",
     "what clean text and known truth give",
     {"clm", "slm", "oracle", "filtered", "mixed", "clm_tuned", "slm_tuned"}}};

enum { NAIVE, SCORES, CLEAN };

typedef struct cost {
    data_column column;
    const char *name, *label, *title;
} cost;

static const cost costs[5] = {
    {TOKENS, "tokens", "tokens processed", "tokens processed"},
    {TRAINED, "trained", "tokens trained on", "tokens trained on"},
    {FLOPS, "flops", "training arithmetic (flop)", "arithmetic of the training alone"},
    {FLOPS_ALL, "flops_all", "arithmetic with reference and scoring (flop)",
     "arithmetic, reference and scoring counted"},
    {SECONDS, "seconds", "seconds of training", "seconds of one core of the machine that ran it"}};

/* What is said about a metric of the target, and what the paper's plain and selective training end
   with: loss on MetaMath; mean of GSM8K and MATH in percent. */
typedef struct metric_words {
    data_column metric;
    const char *name, *title, *direction, *result_title, *paper;
    double plain, selective;
} metric_words;

static const metric_words metrics[2] = {
    {TARGET_LOSS, "loss", "Target loss", "Lower",
     "Selective against plain training: loss on the target",
     "Paper, loss on MetaMath after 4B tokens: 0.965 plain, 0.859 selective.", 0.965, 0.859},
    {TARGET_ACCURACY, "accuracy", "Target accuracy", "Higher",
     "Selective against plain training: right results on the target",
     "Paper, 1.1B, mean of GSM8K and MATH in percent: from 3.0 to 5.6 plain, to 21.9 selective.",
     5.6, 21.9}};

enum { LOSS, ACCURACY };

/* Whether any arm of the family besides plain and selective was run. */
static int has_family(const data *d, const char *corpus, const family *of) {
    for (size_t a = 2; of->arms[a] != NULL; a++)
        if (data_main(d, corpus, of->arms[a])->n > 0) return 1;
    return 0;
}

/* The arrow from where plain training first has what it ends with to where selective training has
   it. */
typedef struct arrow_lead {
    figure_arrow arrow;
    char text[64];
    sooner s;
} arrow_lead;

/* Gives a figure of these curves its arrow, unless it is too short to be seen. */
static void set_lead(arrow_lead *l, figure *f, const data *d, const curve_choice *curves) {
    const data_group *clm = data_main(d, curves->corpus, "clm");
    const data_group *slm = data_main(d, curves->corpus, "slm");
    double level = data_mean_end(clm, curves->y) * metric_scale(curves->y);
    double end = data_arrival(clm, curves->x, curves->y);
    l->s = data_sooner(slm, clm, curves->x, curves->y);
    l->arrow = (figure_arrow){
        end, level, end / l->s.e.value, level, l->text, curves->y != TARGET_ACCURACY};
    snprintf(l->text, sizeof l->text, "%.1fx sooner", l->s.e.value);
    f->arrows = &l->arrow;
    f->n_arrows = l->s.e.value > 1.15;
}

static void draw_family(findings *all, const char *corpus, const family *of, const cost *x,
                        const metric_words *y) {
    const data *d = &all->d;
    const size_t seeds = data_main(d, corpus, "clm")->n;
    const curve_choice choice = {corpus,     "main",     of->arms, x->column,
                                 y->metric,  EACH_RATIO, y->plain, y->selective};
    double reference = data_mean_end(data_main(d, corpus, "reference"), y->metric);
    const figure_rule rule = {reference * metric_scale(y->metric), 0, "the reference itself"};
    const char *note =
        seeds > 1 ? "  Thin: seeds; band: 95% interval of the mean (Student's t)." : "";
    arrow_lead l;
    if (of != &families[NAIVE] && !has_family(d, corpus, of)) return;
    drawing drawn = {
        .f = {.title = make_text("%s against %s: %s", y->title, x->title, of->title),
              .note = make_text("%s; %zu seed%s, paired by the base.%s",
                                corpus_name(corpus, IN_TITLE), seeds, plural(seeds), note),
              .x = {.label = x->label},
              .rules = &rule,
              .n_rules = isfinite(reference) != 0,
              .height = 460},
        .name = make_text("fig1_%.40s_%s_%s%s", corpus, y->name, x->name, of->ending),
        .caption = make_text("%s is better.  The arrow leads from where plain training first has "
                             "what it ends with to where selective training has it.  %s",
                             y->direction, y->paper),
        .axis = x->name};
    set_lead(&l, &drawn.f, d, &choice);
    (void)draw_curves(all, &choice, &drawn);
}

/* The one picture: plain, selective and random, with the arrow. */
void draw_result(findings *all) {
    static const char *const arms[] = {"clm", "slm", "random", NULL};
    const data *d = &all->d;
    const char *corpus = data_has_corpus(d, "builtin") ? "builtin" : "openstax";
    const size_t seeds = data_main(d, corpus, "clm")->n;
    const metric_words *y = &metrics[data_has_accuracy(d, corpus) ? ACCURACY : LOSS];
    const curve_choice choice = {corpus, "main", arms, TOKENS, y->metric, EACH_RATIO, NAN, NAN};
    const char *better = y->metric == TARGET_ACCURACY ? "higher" : "lower";
    const char *note = seeds > 1 ? " (thin) and the 95% interval of their mean (band)" : "";
    arrow_lead l;
    drawing drawn = {
        .f = {.title = y->result_title,
              .subtitle =
                  make_text("%s; the same base, the same text in the same order; %s is better",
                            corpus_name(corpus, IN_TITLE), better),
              .note = make_text("make repro; %zu seed%s%s", seeds, plural(seeds), note)},
        .name = "result",
        .caption = "The arrow leads from where plain training first has what it ends with to "
                   "where selective training has it; in brackets the 95% interval (Student's t) "
                   "over seeds."};
    set_lead(&l, &drawn.f, d, &choice);
    if (l.s.seeds > 1) SAY(l.text, " [%.1f, %.1f]", l.s.e.low, l.s.e.high);
    all->set = "main";
    (void)draw_curves(all, &choice, &drawn);
    all->set = NULL;
}

/* ---- N times sooner ---- */
static void draw_sooner(findings *all, const char *corpus) {
    static const char *const cols[2] = {"by target loss", "by target accuracy"};
    static const figure_rule rules[3] = {{1, 1, ""}, {5, 1, "paper, 7B"}, {10, 1, "paper, 1.1B"}};
    const data_group *list[MAX_ARMS];
    const data_group *clm = data_main(&all->d, corpus, "clm");
    size_t n = data_arms(&all->d, corpus, list);
    size_t n_cols = data_has_accuracy(&all->d, corpus) ? 2 : 1;
    double lowest = 0.45, highest = 12;
    number_table t = new_table(cols, n_cols);
    for (size_t i = 0; i < n; i++) {
        if (list[i]->is_measure_only) continue;
        add_row(&t, list[i]->label);
        for (size_t j = 0; j < n_cols; j++) {
            estimate e = data_sooner(list[i], clm, TOKENS, metrics[j].metric).e;
            set_cell(&t, j, e, 1);
            highest = fmax(highest, fmax(e.value, e.high));
            lowest = fmin(lowest, e.low);
        }
        if (same_text(list[i]->arm, "slm")) t.paper[t.t.n_rows * n_cols - 1] = 10;
    }
    t.t.digits = 2;
    t.t.unit = "x";
    t.t.none = "not reached";
    const drawing d = {
        .f = {.title = "How many times sooner does each arm pass plain training's end?",
              .subtitle = "tokens after which plain training first has what it ends with / tokens "
                          "after which the arm has it; 95% interval (Student's t) over seeds",
              .x = {.label = "times sooner (logarithmic)",
                    .log = 1,
                    .low = lowest / 1.1,
                    .high = highest * 1.15},
              .rules = rules,
              .n_rules = 3},
        .name = make_text("fig1_%.40s_sooner", corpus),
        .caption = "Paired by seed; geometric mean.  Not reached: at least half of the seeds never "
                   "pass it.  Dotted: the paper's two claims.",
        .table = &t};
    if (t.t.n_rows > 0) (void)draw(all, &d);
}

/* A family by both metrics. */
static void draw_both(findings *all, const char *corpus, const family *of, const cost *x) {
    draw_family(all, corpus, of, x, &metrics[LOSS]);
    draw_family(all, corpus, of, x, &metrics[ACCURACY]);
}

/* Whether learning rates were tried on a corpus. */
static int is_tuned(const data *d, const char *corpus) {
    const csv_table *t = &d->csv[TUNING];
    return data_row(t, "corpus", corpus, NULL) < t->rows;
}

static const char *describe_figure1(const data *d, const char *corpus) {
    const char *rates = "Learning rates were not tuned in this run.";
    char text[1200] = "";
    if (same_text(corpus, "gsm8k") && is_tuned(d, "openstax"))
        rates = "Learning rates are those that were chosen on OpenStax.";
    if (is_tuned(d, corpus))
        rates = "The learning rate of each arm under \"Learning rates tried\" was chosen on a "
                "validation part.";
    SAY(text,
        "All arms of a seed start from the same base.  Those that read the whole noisy text read "
        "it in the same order; kept %s, clean text and mixtures are texts of their own, repeated "
        "up to as many tokens; the reference has fewer.  %s  ",
        data_wording("documents", corpus), rates);
    if (data_is_real(corpus))
        SAY(text, "All seeds share the texts, so that intervals are of the training only.  Where "
                  "documents end is not known of real text: what is kept whole are stretches of at "
                  "most 4 kB, cut at blank lines, else at line ends.  ");
    if (same_text(corpus, "facts"))
        SAY(text, "Of equal tokens, documents that are 40%% of the text are read 2.5 times as "
                  "often.  ");
    SAY(text, "N x sooner: tokens after which plain training first has the target metric that it "
              "ends with / tokens after which the arm has it.");
    return make_text("%s", text);
}

void draw_figure1(findings *all, const char *corpus) {
    page_section(&all->page, make_text("Figure 1: %.60s", corpus_name(corpus, IN_TITLE)),
                 describe_figure1(&all->d, corpus));
    all->set = "main";
    draw_both(all, corpus, &families[NAIVE], &costs[0]);
    draw_sooner(all, corpus);
    report_arms(all, corpus);
    draw_both(all, corpus, &families[CLEAN], &costs[0]);
    draw_family(all, corpus, &families[SCORES], &costs[0], &metrics[LOSS]);
    page_details_begin(&all->page, "The same against tokens trained on, arithmetic and seconds");
    for (int i = 1; i < 5; i++)
        draw_both(all, corpus, &families[NAIVE], &costs[i]);
    page_details_end(&all->page);
}

/* ---- the map: noise share by ratio ---- */
static int draw_map_of(findings *all, const metric_words *y) {
    const data_grid grid = data_map(&all->d);
    const char *cols[MAX_SWEEP];
    number_table t = new_table(cols, grid.ratio.n);
    for (size_t j = 0; j < grid.ratio.n; j++)
        cols[j] = make_text("%.0f%%", 100 * grid.ratio.x[j]);
    for (size_t i = 0; i < grid.n; i++) {
        data_setting at = data_map_setting(&all->d, &grid, i, y->metric);
        if (at.s.seeds > 0 && !isfinite(at.s.e.value)) at.s.e.value = NOT_REACHED;
        if (at.ratio == 0) add_row(&t, at.name);
        set_cell(&t, at.ratio, at.s.e, 1);
    }
    t.t.digits = 1;
    t.t.unit = "x";
    t.t.center = 1;
    const drawing d = {
        .f = {.title = make_text("Where it helps, by %s: times sooner, by noise and ratio",
                                 y->name),
              .subtitle = "blue: selective training passes plain training's end sooner; orange: "
                          "later or never (shown as 0.5x)",
              .x = {.label = "ratio: tokens kept"}},
        .name = make_text("fig1_map_%s", y->name),
        .caption = "Noise: share of the bytes that are ids, stamps and markup.  A dash: not "
                   "measured.  The paper has one point of this map.",
        .chart = figure_map,
        .table = &t};
    return t.n_values > 0 && draw(all, &d);
}

int draw_maps(findings *all) {
    int by_loss = draw_map_of(all, &metrics[LOSS]);
    return draw_map_of(all, &metrics[ACCURACY]) || by_loss;
}
