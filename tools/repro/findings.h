/* findings.h: the report of `make repro`: verdicts, figures, tables and heat maps, from the CSVs
 * in a folder.
 *
 *     repro_report("build/repro");
 *
 * reads curves.csv and, where they exist, times.csv, trajectories.csv, selections.csv, tuning.csv,
 * settings.csv, run.csv, models/, models_openstax/; writes report.html, claims.csv, results.md,
 * headlines.md, short.md, decision.md, result.svg, and an SVG and a CSV per figure.  The same files
 * give the same bytes.  What was not run is left out, with a sentence that says so. */
#ifndef FINDINGS_H
#define FINDINGS_H
#include <stddef.h>
#include "common/options.h"
#include "common/text.h"
#include "lab/corpus.h"
#include "report/figure.h"
#include "report/page.h"
#include "room.h"
#include "stats.h"

/* Returns 0, or 1 after saying on stderr what is wrong. */
int repro_report(const char *dir);

/* ---- data.c: curves.csv as runs (one seed of one arm) and groups (all seeds of it) ---- */
enum { DATA_KINDS = CORPUS_KINDS, MAX_SWEEP = 24, MAX_ARMS = 64, MAX_POINTS = 4096 };

typedef enum data_column {
    TOKENS,
    TRAINED,
    FLOPS,
    FLOPS_ALL,
    TARGET_LOSS,
    TARGET_ACCURACY,
    VALID_LOSS,
    VALID_ACCURACY,
    EXACT, /* share of the answers that are right in every byte */
    FIXED_KEPT,
    FIXED_DROPPED,
    FIXED_ALL,
    PRECISION,
    RECALL,
    AUC,
    SEEN,                     /* one per kind */
    KEPT = SEEN + DATA_KINDS, /* one per kind */
    SECONDS = KEPT + DATA_KINDS,
    DATA_COLUMNS
} data_column;

/* Rows first .. first + n - 1 of curves.csv. */
typedef struct data_run {
    const struct data *data;
    const char *seed, *name;
    size_t first, n;
    double lr;
} data_run;

/* NaN: the column is empty.  Everything missing is an empty group or NaN, never an error. */
typedef struct data_group {
    const char *corpus, *set, *arm;
    const char *label; /* "Selective (SLM) 40%" */
    int style;         /* the same look in every figure; 0: none of its own */
    int is_measure_only; /* the reference and the base are not trained on the noisy corpus: where
                            they end counts, not how they got there */
    double ratio, noise, target; /* shares */
    double size;                 /* of the reference, as a share of the model; in set sizes of
                                    both, in millions of weights */
    double clean;                /* bytes of clean text */
    double wrong;                /* share of the steps whose result is wrong */
    double steps;                /* of training */
    data_run run[MAX_SEEDS];
    size_t n; /* runs; 0: there is no such group */
    struct data_group *next;
} data_group;

typedef enum data_file {
    CURVES,
    TIMES,
    TRAJECTORIES,
    SELECTIONS,
    SETTINGS,
    TUNING,
    RANKS,
    LEAKS,
    UNSEEN,
    TRAJECTORIES_REAL,
    RUN, /* by what the runs were made */
    DATA_FILES
} data_file;

typedef struct data {
    csv_table csv[DATA_FILES];
    int column[DATA_COLUMNS]; /* in curves.csv; -1: none */
    double *seconds;          /* (rows of curves) NaN: unknown */
    data_group *groups; /* the first one */
} data;

/* Reads the CSVs of a folder.  Returns 0 after saying what is wrong if there is no curves.csv; the
   other files may be missing. */
int data_load(data *d, const char *dir);
void data_free(data *d);

/* The group after `last` (NULL: the first) of an arm in a set; NULL if there is none. */
const data_group *data_next(const data *d, const data_group *last, const char *corpus,
                            const char *set, const char *arm);

/* The arm's group.  Of several (ratios) it is the one with most seeds, and among these the one with
   the lowest loss on the valid part at the end: the target has no say in it. */
const data_group *data_find(const data *d, const char *corpus, const char *set, const char *arm);

/* How many ratios of the group's arm its set has. */
size_t data_count_ratios(const data *d, const data_group *g);

/* The same in set main. */
const data_group *data_main(const data *d, const char *corpus, const char *arm);

/* The same in that set or, if it is not there and the set is one of main, documents, followers,
   remedies, in another of these: they differ in their arms only. */
const data_group *data_find_arm(const data *d, const char *corpus, const char *set,
                                const char *arm);

const char *data_label(const char *arm); /* "Selective (SLM)" */

/* Of real text it is not known where documents end: what is kept or left out whole are stretches of
   at most 4 kB.  Says so in a text, for such a corpus. */
int data_is_real(const char *corpus);
const char *data_wording(const char *text, const char *corpus);

/* The arm's group of a set with that much clean text: from set clean, else from set main. */
const data_group *data_find_clean(const data *d, const char *arm, double bytes);

/* Plain training that a set of the built-in corpus is compared with: its own, or that of set
   main. */
const data_group *data_find_plain(const data *d, const char *set);

/* All groups of set main (MAX_ARMS at most), in the order in which arms are told. */
size_t data_arms(const data *d, const char *corpus, const data_group **list);

/* The groups of an arm in a set of the built-in corpus (MAX_SWEEP at most), in rising order of the
   reference's size, then of the ratio, then of the steps. */
size_t data_sweep(const data *d, const char *set, const char *arm, const data_group **list);
double data_ratio(const data_group *g); /* 1 where nothing is selected */

/* Different numbers in rising order. */
typedef struct data_list {
    double x[MAX_SWEEP];
    size_t n;
} data_list;

data_list data_clean_sizes(const data *d); /* the amounts of clean text that were tried */

/* The run of a seed; NULL if there is none. */
const data_run *data_seed(const data_group *g, const char *seed);

/* The run that an arm's run of this seed is compared with: of the same seed; a reference or base
   that all seeds share goes with each of them. */
const data_run *data_pair(const data_group *g, const char *seed);

double run_at(const data_run *run, size_t point, data_column c);

/* A number of a run, made of a column: what it ends with; that less what it began with. */
typedef double run_number(const data_run *run, data_column c);
run_number run_end;
run_number run_change;

/* Over the seeds: such a number; the mean of a column at the end; the difference of two groups at
   the end, seed by seed, also without one of the seeds; by how much one ends better than another
   (in points of accuracy, or in target loss where there is none; above 0 is better). */
estimate data_over_seeds(const data_group *g, run_number *number, data_column c);
double data_mean_end(const data_group *g, data_column c);
estimate data_difference(const data_group *g, const data_group *other, data_column c);
estimate data_difference_without(const char *seed, const data_group *g, const data_group *other,
                                 data_column c);
estimate data_gain(const data_group *g, const data_group *other);

int data_selects_by_excess(const data_group *g); /* by that of any reference */
int data_has_corpus(const data *d, const char *corpus);
int data_has_accuracy(const data *d, const char *corpus); /* any run of it has */

/* ---- data_sooner.c: how many times sooner ---- */
/* What a seed counts that never reaches the level: slower, who knows how much. */
#define NOT_REACHED 0.5

typedef struct sooner {
    estimate e;    /* the geometric mean */
    estimate logs; /* of the logarithms, seed by seed: what tests are made of */
    size_t seeds, reached;
    size_t at_once; /* seeds that do not count: they are at the level before any training */
} sooner;

/* (x where the baseline first reaches what it ends with in y) / (x where the arm reaches that),
   seed by seed; the mean is geometric.  There is no value if fewer than half of the seeds reach it.
   */
sooner data_sooner(const data_group *g, const data_group *base, data_column x, data_column y);

/* x where the runs first have what they end with in y: the mean. */
double data_arrival(const data_group *g, data_column x, data_column y);

/* How many times sooner one arm is than another: both measured by where the baseline ends. */
typedef struct lead {
    estimate logs;   /* of the logarithms, seed by seed */
    size_t at_least; /* seeds in which the other arm never comes there: it counts as 1x, so that
                        the lead is at least this */
    size_t neither;  /* seeds in which neither does: both count the same */
    size_t at_once;  /* seeds that do not count: see sooner */
} lead;

lead data_sooner_than(const data_group *g, const data_group *other, const data_group *base,
                      data_column x, data_column y);

/* How many times the noisy tokens of the set multiplier plain training needs to come where
   selective training ends: between two lengths of plain training on the straight line over the
   logarithm.  A seed that never comes there counts as the longest that was tried. */
sooner data_multiplier(const data *d, data_column y);

/* The set map: shares of noise, of targets, ratios. */
typedef struct data_grid {
    data_list noise, target, ratio;
    size_t n; /* settings: ratio by ratio, noise by noise, target by target */
} data_grid;

typedef struct data_setting {
    size_t noise, target, ratio; /* places in the grid */
    const char *name;            /* "target 20%, noise 30%", without a target where there is one */
    sooner s;                    /* by y */
} data_setting;

data_grid data_map(const data *d);
sooner data_map_sooner(const data *d, double noise, double ratio, data_column y);
data_setting data_map_setting(const data *d, const data_grid *grid, size_t index, data_column y);

/* The different texts of a column, in the order of the file.  Returns how many, at most `max`. */
size_t data_distinct(const csv_table *t, const char *column, const char **list, size_t max);

/* The first row whose cells are as asked: a column and its text, as often as wanted, then NULL.
   Returns the number of rows if there is none. */
size_t data_row(const csv_table *t, ...);
const char *data_text(const csv_table *t, size_t row, const char *column);
double data_number(const csv_table *t, size_t row, const char *column);

/* ---- the findings ---- */
enum { MAX_CLAIMS = 192, N_CORPORA = 5, N_PARTS = 4 };

extern const char *const corpora[N_CORPORA]; /* built-in, OpenStax, with GSM8K, facts, user's */
extern const char *const parts[N_PARTS];     /* of the verdicts: their titles */

/* What a claim says of the numbers, collected by its rule: see rules.h. */
typedef struct claim_tests {
    size_t n, yes, no; /* tests; those whose mean lies on the side that is claimed, or not there */
    size_t missing;    /* tests that the claim asks for and for which there are no runs */
    size_t seeds;      /* the fewest of any test */
    double p_yes;      /* the largest of the tests' p, where the mean is on the side that is
                          claimed, else 1 */
    double p_no;       /* the smallest of those on the other side, else 1 */
} claim_tests;

typedef struct claim {
    const struct claim_row *row; /* what is claimed, and the rule: rules.h */
    const data *data;
    const char *corpus;
    int family;              /* with which it is corrected, a claim_family */
    const data_group *a, *b; /* the row's arms */
    claim_tests tests;
    page_verdict verdict;   /* PAGE_HOLDS, PAGE_FAILS or PAGE_OPEN */
    page_verdict corrected; /* the same with p_holm for p: this one counts */
    double p;               /* of the verdict; NaN: nothing was tested */
    double p_holm;          /* corrected for the number of claims in the family */
    int measured;           /* 0: no run in this folder bears on it */
    char id[64];            /* "sooner-builtin" */
    char title[400], found[2600];
    char missing[600]; /* what was not run: "Random against Plain (CLM); ..." */
    char brief[400]; /* what was found, for a table */
} claim;

typedef enum claim_family { EXPLORED, ANNOUNCED, N_FAMILIES } claim_family;

typedef struct findings {
    const char *dir;
    data d;
    page page;
    claim claims[MAX_CLAIMS];
    size_t n_claims;
    size_t family[N_FAMILIES]; /* claims of each in the full plan, run or not: what verdicts are
                                  corrected for */
    const char *set; /* the set of runs that the next figures need; NULL: all */
    int failed;      /* a file could not be written */
} findings;

/* ---- verdicts.c: every claim with the rule that decides it ---- */
enum { ENOUGH_SEEDS = MIN_INTERVAL };

void decide_claims(findings *all);

/* ---- claims.c: the files of all claims ---- */
const char *verdict_name(page_verdict verdict); /* "holds", "does not hold", "open" */
void claims_correct(findings *all);             /* after all are decided: p_holm, corrected */
void claims_write_csv(findings *all);
void claims_write_markdown(findings *all);

/* ---- draw.c: one figure = one SVG, one CSV with its numbers, and its place in the page ---- */
FILE *open_output(findings *all, const char *name, const char *ending);
void close_output(findings *all, FILE *out, const char *name, const char *ending);

/* The command that makes a figure or decides a claim: the runs of one set, then the report. */
const char *command_of(const char *set);

typedef enum name_place { IN_SENTENCE, IN_TITLE } name_place;

const char *corpus_name(const char *corpus, name_place place);

/* A column's label, "target loss (nats per byte)": the unit is the corpus' token. */
const char *metric_label(const char *corpus, data_column metric);
double metric_scale(data_column metric); /* to that unit */
data_column best_metric(const data *d, const char *corpus);

/* "3.5x [3.1, 3.9]", "3.5x" with one seed, or why there is no number. */
const char *sooner_text(const sooner *s, int digits);

/* Curves, and the paper's values at their points. */
typedef struct curve_set {
    figure_series series[FIGURE_MAX_SERIES];
    double *paper[FIGURE_MAX_SERIES];
    size_t n;
} curve_set;

/* Adds a series unless it has no value, which is when it returns 0. */
int add_series(curve_set *set, const figure_series *s);

/* Adds a series of where groups (n) end, in the unit that is drawn: x (n), one row per seed; named
 * and styled like the last group that has runs. */
void add_ends(curve_set *set, const data_group *const *list, const double *x, size_t n,
              data_column y);

typedef enum ratio_choice { BEST_RATIO, EACH_RATIO } ratio_choice;

/* Curves of the arms of a set, one column over another. */
typedef struct curve_choice {
    const char *corpus, *set;
    const char *const *arms; /* ends with NULL */
    data_column x, y;
    ratio_choice ratios;
    double plain, selective; /* what the paper's arms end with; NaN: it does not say */
} curve_choice;

/* Makes the curves, one row per seed; x is the mean over the seeds.  Left out are points that no
   seed has measured, arms without a value and, where each ratio has its curve, curves of one
   point. */
void choose_curves(curve_set *set, const data *d, const curve_choice *choice);

/* A table with error bars and the paper's values; its cells are filled row by row. */
enum { MAX_ROWS = MAX_SWEEP * MAX_SWEEP };

typedef struct number_table {
    figure_table t;
    const char *rows[MAX_ROWS];
    double *value, *low, *high, *paper; /* (rows, cols) */
    size_t n_values;                    /* cells that have a value */
} number_table;

number_table new_table(const char *const *cols, size_t n_cols);
void add_row(number_table *t, const char *label);
void set_cell(number_table *t, size_t column, estimate e, double scale); /* in the last row */

/* A figure's files and its place in the page: of curves over tokens or of a table. */
typedef struct drawing {
    figure f;
    const char *name; /* of its files */
    const char *caption;
    const char *axis; /* name of x in the CSV of curves; NULL: "tokens" */
    const curve_set *set;
    const number_table *table;
    /* NULL: figure_lines, figure_bars */
    void (*plot)(FILE *out, const figure *f, const figure_series *series, size_t n);
    void (*chart)(FILE *out, const figure *f, const figure_table *t);
} drawing;

/* Returns 0 if there are no curves to draw. */
int draw(findings *all, const drawing *d);

/* The same of the chosen curves, with the label of their y. */
int draw_curves(findings *all, const curve_choice *choice, const drawing *d);

/* ---- figures ---- */
/* Draws figures; returns 0 if their numbers are missing. */
typedef int section_body(findings *all);

/* figures_training.c: figure 1 and the map. */
void draw_result(findings *all);
void draw_figure1(findings *all, const char *corpus);
section_body draw_maps;

/* figures_sweeps.c: figure 9, less clean text, tables 3 to 5, the controls. */
section_body draw_ratios;
section_body draw_clean;
section_body draw_self;
section_body draw_weak;
section_body draw_control;
section_body draw_scratch;
section_body draw_documents;
section_body draw_followers;
section_body draw_remedies;
section_body draw_labels;

/* figures_scale.c: more text, larger models. */
section_body draw_multiplier;
section_body draw_sizes;

/* figures_real.c: noise in real text. */
section_body draw_real_classes;
section_body draw_real_kinds;

/* figures_tokens.c: figures 3, 6, 7, 8, and what is selected. */
section_body draw_figure3;
section_body draw_figure6;
section_body draw_figure7;
section_body draw_correlations;
section_body draw_figure8;
section_body draw_selection;
section_body draw_kinds;
section_body draw_ranks;

/* Share of a class ("HL", ...) of figure 3, among real checkpoints ("0") or shuffled ones ("1");
   less that among others, unless `less` is NULL. */
estimate class_share(const data *d, const char *class_name, const char *null, const char *less);

/* Percentage of a kind's tokens that is kept in the last third of training. */
run_number kept_in_last_third;

/* Correlation of accuracy with a loss over a run's checkpoints. */
run_number accuracy_correlation;

/* By how many percent a selection's perplexity at its own checkpoint is above the mean of the
   checkpoints before and after it; less half of what it is for another kind, unless that is
   NULL. */
estimate selection_peak(const data *d, const char *kind, const char *half_of);

/* A column of ranks.csv, "auc" or "kept": how a score ("excess", "loss") ranks one kind of the
   piece's tokens among all others, at the "start" or the "end" of selective training. */
estimate rank_of_kind(const data *d, const char *by, const char *at, const char *kind,
                      const char *column);

/* decision.c: what to do, in each situation; decision.md. */
void report_decision(findings *all);

/* changes.c: what of each method of others was changed. */
void report_changes(findings *all);

/* untestable.c: what cannot be tested here; leaks between the texts. */
void report_untestable(findings *all);
void report_leaks(findings *all);

/* limits.c: when it does not help; the table of all arms. */
void report_limits(findings *all);
void report_arms(findings *all, const char *corpus);

/* token_view.c: the heat map of the saved models, and where the reference is wrong. */
void report_token_views(findings *all);
#endif
