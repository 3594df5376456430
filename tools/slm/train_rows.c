/* train_rows.c: log.csv read back, line by line. */
#include "slm/train_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "slm/train_log.h"

/* The places of the columns that are read, of the N_COLUMNS in train_log_header. */
enum { COLUMN_STEP = 0, COLUMN_TOKENS = 1, COLUMN_LOSS = 2, COLUMN_VAL = 8, N_COLUMNS = 11 };

/* Below this, every whole number is a double. */
#define MAX_WHOLE 9007199254740992.0

/* A line of the file, cut into its cells. */
typedef struct cells {
    const char *path;
    size_t line; /* from 1 */
    const char *text[N_COLUMNS];
} cells;

static int fail_cell(const cells *c, const char *column, size_t i, const char *needed) {
    return fail(BAD_INPUT, "%s: line %zu: %s is '%.60s', not %s", c->path, c->line, column,
                c->text[i], needed);
}

/* Cuts the line, which ends with NUL, at its commas. */
static int cut_line(cells *c, char *line) {
    size_t n = 0;
    char *rest = line;
    while (rest != NULL) {
        if (n < N_COLUMNS) c->text[n] = rest;
        n++;
        rest = strchr(rest, ',');
        if (rest != NULL) *rest++ = 0;
    }
    if (n == N_COLUMNS) return DONE;
    return fail(BAD_INPUT, "%s: line %zu has %zu cell%s, not %d", c->path, c->line, n, plural(n),
                (int)N_COLUMNS);
}

/* Returns NaN if the cell is no finite number in decimal digits. */
static double number_of(const char *cell) {
    char *end;
    if (cell[0] == 0 || strspn(cell, "0123456789.eE+-") != strlen(cell)) return NAN;
    double value = strtod(cell, &end);
    return *end == 0 && isfinite(value) ? value : NAN;
}

/* Reads a whole number above `below`. */
static int read_whole(double *out, const cells *c, size_t i, const char *column, double below) {
    *out = NAN;
    if (strspn(c->text[i], "0123456789") == strlen(c->text[i])) *out = number_of(c->text[i]);
    if (!(*out < MAX_WHOLE)) return fail_cell(c, column, i, "a whole number");
    if (*out <= below) return fail_cell(c, column, i, "above that of the line before");
    return DONE;
}

static int read_loss(double *out, const cells *c, size_t i, const char *column) {
    *out = number_of(c->text[i]);
    if (*out >= 0) return DONE;
    return fail_cell(c, column, i, "a number, 0 or above");
}

/* *step: of the row before, then of this one. */
static int read_row(train_rows *rows, const cells *c, double *step) {
    size_t n = rows->n;
    double tokens_before = n > 0 ? rows->tokens[n - 1] : 0;
    int code = read_whole(step, c, COLUMN_STEP, "step", *step);
    if (code == DONE)
        code = read_whole(&rows->tokens[n], c, COLUMN_TOKENS, "tokens", tokens_before);
    if (code == DONE) code = read_loss(&rows->loss[n], c, COLUMN_LOSS, "loss");
    if (code != DONE) return code;

    rows->val_loss[n] = NAN;
    if (c->text[COLUMN_VAL][0] != 0) {
        code = read_loss(&rows->val_loss[n], c, COLUMN_VAL, "val_loss");
        rows->n_val++;
    }
    rows->last_tokens = rows->tokens[n];
    rows->n++;
    return code;
}

static int alloc_rows(train_rows *rows, size_t n) {
    rows->tokens = (double *)calloc(n, sizeof(double));
    rows->loss = (double *)calloc(n, sizeof(double));
    rows->val_loss = (double *)calloc(n, sizeof(double));
    int missing = rows->tokens == NULL || rows->loss == NULL || rows->val_loss == NULL;
    return missing ? fail_memory() : DONE;
}

/* Reads what follows the header. */
static int read_rows(train_rows *rows, const char *path, char *text, const char *text_end) {
    cells c = {path, 1, {NULL}};
    double step = 0;
    while (text < text_end) {
        char *end = (char *)memchr(text, '\n', (size_t)(text_end - text));
        if (end == NULL) break;
        c.line++;
        *end = 0;
        if (strlen(text) != (size_t)(end - text))
            return fail(BAD_INPUT, "%s: line %zu holds a NUL", path, c.line);
        int code = cut_line(&c, text);
        if (code == DONE) code = read_row(rows, &c, &step);
        if (code != DONE) return code;
        text = end + 1;
    }
    if (rows->n > 0) return DONE;
    return fail(BAD_INPUT, "%s: no step is in it yet", path);
}

static size_t count_lines(const char *text, size_t size) {
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n') n++;
    }
    return n;
}

int train_rows_load(train_rows *rows, const char *path) {
    slm_error err;
    char *text;
    size_t size;
    size_t n_header = strlen(train_log_header);
    memset(rows, 0, sizeof *rows);
    slm_status status = slm_file_read(&text, &size, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);

    int code = DONE;
    if (size < n_header || memcmp(text, train_log_header, n_header) != 0) {
        code = fail(BAD_INPUT, "%s: line 1 is not the first line of a run's log.csv", path);
    }
    if (code == DONE) code = alloc_rows(rows, count_lines(text, size));
    if (code == DONE) code = read_rows(rows, path, text + n_header, text + size);
    slm_free(text);
    return code;
}

void train_rows_free(train_rows *rows) {
    free(rows->tokens);
    free(rows->loss);
    free(rows->val_loss);
    memset(rows, 0, sizeof *rows);
}
