/* plot.c: the verb `plot`: the losses of runs over the tokens they have seen, from their log.csv,
 * as one SVG.  It is as wide as a phone's page: training loss above, validation loss below. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/options.h"
#include "common/os.h"
#include "common/output.h"
#include "common/paths.h"
#include "common/text.h"
#include "report/figure.h"
#include "slm/train_rows.h"
#include "slm/verbs.h"

/* Figures have eight colours and dashes. */
enum { MAX_RUNS = 8, NAME_SIZE = 64 };

/* Training loss is noisy from step to step: it is drawn as the means of so many stretches of equal
 * length. */
enum { STRETCHES = 48 };

/* Names stand beside the ends of the lines, and leave room for them if they are not longer. */
enum { NAME_LETTERS = 14 };

#define PANEL_WIDTH 390.0
#define PANEL_HEIGHT 300.0

typedef struct plotted_run {
    char path[PATH_SIZE]; /* of its log.csv */
    char name[NAME_SIZE];
    train_rows rows;
} plotted_run;

typedef struct plot {
    plotted_run *runs; /* (n) */
    size_t n;
    const char *out;
} plot;

/* ---- names ---- */

/* How many bytes of the path name what is drawn: without "/log.csv", and without slashes at the
 * end. */
static size_t size_of_name(const char *path) {
    static const char file[] = "/log.csv";
    size_t n = strlen(path);
    size_t n_file = sizeof file - 1;
    if (n > n_file && strcmp(path + n - n_file, file) == 0) n -= n_file;
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n;
}

/* How many bytes of folders all paths begin with.  Of a single one, all but its last name. */
static size_t size_of_common_folders(const option_list *paths) {
    const char *first = paths->items[0];
    size_t common = 0;
    for (size_t i = 0; i + 1 < size_of_name(first); i++) {
        if (first[i] == '/') common = i + 1;
    }
    for (size_t k = 1; k < paths->n; k++) {
        const char *path = paths->items[k];
        size_t n = 0;
        for (size_t i = 0; i < common && path[i] == first[i]; i++) {
            if (first[i] == '/' && i + 1 < size_of_name(path)) n = i + 1;
        }
        common = n;
    }
    return common;
}

static int continues_character(char c) {
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* The last letters of a long name tell runs apart. */
static void set_name(char name[NAME_SIZE], const char *text, size_t size) {
    size_t first = size;
    size_t n_letters = 0;
    while (first > 0 && n_letters < NAME_LETTERS && size - first < NAME_SIZE - 8) {
        first--;
        if (!continues_character(text[first])) n_letters++;
    }
    while (first < size && continues_character(text[first]))
        first++;
    const char *cut = first > 0 ? "\xE2\x80\xA6" : "";
    (void)snprintf(name, NAME_SIZE, "%s%.*s", cut, (int)(size - first), text + first);
}

/* ---- what is read ---- */
static int load_run(plotted_run *run, const char *path) {
    int code = DONE;
    if (is_folder(path)) {
        code = path_join(run->path, path, "log.csv");
    } else if (snprintf(run->path, sizeof run->path, "%s", path) >= (int)sizeof run->path) {
        code = fail(USAGE, "%.60s...: the path is too long", path);
    }
    if (code == DONE) code = train_rows_load(&run->rows, run->path);
    return code;
}

static int load_runs(plot *p, const option_list *paths) {
    int code = DONE;
    size_t common = size_of_common_folders(paths);
    p->runs = (plotted_run *)calloc(paths->n, sizeof *p->runs);
    if (p->runs == NULL) return fail_memory();
    p->n = paths->n;
    for (size_t i = 0; i < p->n && code == DONE; i++) {
        const char *path = paths->items[i];
        set_name(p->runs[i].name, path + common, size_of_name(path) - common);
        code = load_run(&p->runs[i], path);
        if (code == DONE && same_file(p->runs[i].path, p->out))
            code = fail(USAGE, "--out %s is a log that is read", p->out);
    }
    return code;
}

static void free_runs(plot *p) {
    for (size_t i = 0; i < p->n; i++)
        train_rows_free(&p->runs[i].rows);
    free(p->runs);
}

/* ---- what is drawn ---- */

/* A panel without its lines.  Both have one axis of tokens, so that they can be compared. */
static figure make_panel(const plot *p, const char *title, const char *label) {
    figure f = {.title = title,
                .x = {.label = "tokens"},
                .y = {.label = label},
                .width = PANEL_WIDTH,
                .height = PANEL_HEIGHT};
    for (size_t i = 0; i < p->n; i++) {
        const train_rows *rows = &p->runs[i].rows;
        if (rows->last_tokens > f.x.high) f.x.high = rows->last_tokens;
    }
    return f;
}

/* Sets (x, y) to the means of stretches of equal length; fewer steps are drawn as they are.
 * Returns how many points there are. */
static size_t smooth_losses(double *x, double *y, const train_rows *rows) {
    size_t n_points = rows->n < STRETCHES ? rows->n : STRETCHES;
    for (size_t k = 0; k < n_points; k++) {
        size_t first = rows->n * k / n_points;
        size_t end = rows->n * (k + 1) / n_points;
        double sum = 0;
        for (size_t i = first; i < end; i++)
            sum += rows->loss[i];
        y[k] = sum / (double)(end - first);
        x[k] = rows->tokens[end - 1];
    }
    return n_points;
}

static int draw_training(FILE *out, const plot *p) {
    figure f = make_panel(p, "Training loss", "nats per token, of all tokens");
    figure_series series[MAX_RUNS] = {{0}};
    double *points = (double *)malloc(MAX_RUNS * 2 * STRETCHES * sizeof *points);
    if (points == NULL) return fail_memory();
    for (size_t i = 0; i < p->n; i++) {
        double *x = points + i * 2 * STRETCHES;
        double *y = x + STRETCHES;
        size_t n = smooth_losses(x, y, &p->runs[i].rows);
        series[i] = (figure_series){.name = p->runs[i].name, .x = x, .y = y, .n = n};
    }
    figure_lines(out, &f, series, p->n);
    free(points);
    return DONE;
}

/* Keeps the rows that have a validation loss, in place: they alone are drawn from here on. */
static void keep_validated(train_rows *rows) {
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++) {
        if (isnan(rows->val_loss[i])) continue;
        rows->tokens[n] = rows->tokens[i];
        rows->val_loss[n] = rows->val_loss[i];
        n++;
    }
    rows->n = n;
}

static void draw_validation(FILE *out, const plot *p) {
    figure f = make_panel(p, "Validation loss", "nats per token");
    figure_series series[MAX_RUNS] = {{0}};
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        train_rows *rows = &p->runs[i].rows;
        keep_validated(rows);
        if (rows->n == 0) continue;
        series[n++] = (figure_series){.name = p->runs[i].name,
                                      .x = rows->tokens,
                                      .y = rows->val_loss,
                                      .n = rows->n,
                                      .style = (int)i + 1};
    }
    figure_lines(out, &f, series, n);
}

static size_t count_validated(const plot *p) {
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->runs[i].rows.n_val > 0) n++;
    }
    return n;
}

static int draw(FILE *out, const plot *p) {
    int has_validation = count_validated(p) > 0;
    double height = has_validation ? 2 * PANEL_HEIGHT : PANEL_HEIGHT;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
            "height=\"%.0f\">\n",
            PANEL_WIDTH, height, PANEL_WIDTH, height);
    int code = draw_training(out, p);
    if (has_validation) {
        fprintf(out, "<g transform=\"translate(0 %.0f)\">\n", PANEL_HEIGHT);
        draw_validation(out, p);
        fputs("</g>\n", out);
    }
    fputs("</svg>\n", out);
    return code;
}

static int write_plot(const plot *p) {
    output_file file;
    int code = output_file_begin(&file, p->out);
    if (code != DONE) return code;

    code = output_file_end(&file, draw(file.stream, p));
    if (code != DONE) return code;
    printf("%s: training loss of %zu run%s", p->out, p->n, plural(p->n));
    printf(", validation loss of %zu\n", count_validated(p));
    return DONE;
}

int verb_plot(int argc, char **argv) {
    static const option_page page = {
        "plot",
        "the losses of runs over the tokens they have seen, as one SVG",
        "plot RUN... --out P.svg",
        {"slm plot plain selective --out losses.svg", "slm plot run/log.csv --out losses.svg"},
        "A RUN is the folder of slm train, or its log.csv; at most 8 are drawn, also while they\n"
        "train.  Training loss is that of all tokens, in means of 48 stretches of the run.  The\n"
        "second panel, the validation loss, is of the runs that had --val.",
        OPTION_LIST_MAX};
    option_list paths = {{NULL}, 0};
    plot p = {NULL, 0, NULL};
    output out;
    option table[] = {OPTION_TEXT("out", &p.out, "P.svg", "the picture to write")};
    int code = options_parse(&page, table, COUNT(table), &paths, argc, argv);
    if (code != OPTIONS_PARSED) return code;
    if (paths.n == 0) return fail(USAGE, "which runs? usage: slm %s", page.usage);
    if (paths.n > MAX_RUNS) {
        return fail(USAGE, "%zu runs are more than the %d that can be told apart", paths.n,
                    (int)MAX_RUNS);
    }
    code = need_flag(p.out != NULL, "--out", "P.svg");
    if (code != DONE) return code;

    code = output_open_file(&out, p.out);
    if (code == DONE) code = load_runs(&p, &paths);
    if (code == DONE) code = write_plot(&p);
    free_runs(&p);
    output_close(&out);
    return code;
}
