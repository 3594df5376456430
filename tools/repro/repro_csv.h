/* repro_csv.h: reads a CSV file whole into a table of texts, and hands out its cells as text or number.
 *
 *     csv_table t;
 *     if (csv_load(&t, "build/repro/curves.csv") == CSV_READ) { loss = csv_number(&t, row, csv_column(&t, "target_loss")); }
 *
 * The first line names the columns.  A cell may stand in double quotes ("" inside: one).  A missing column, a short row or an
 * empty cell is "" as text and NaN as number, so that a reader need not ask first.  libc only. */
#ifndef REPRO_CSV_H
#define REPRO_CSV_H
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct csv_table {
    char *text;                /* the file; cells point into it, each ended by NUL */
    const char **name, **cell; /* (cols), (rows x cols) */
    size_t rows, cols;
} csv_table;

typedef enum csv_status {
    CSV_READ,
    CSV_MISSING,
    CSV_UNREADABLE
} csv_status; /* missing: no such file, or nothing in it */

/* The whole file with a NUL behind it; NULL: it cannot be read, or there is no memory. */
static inline char *csv__file(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    long end;
    if (f == NULL) {
        return NULL;
    }
    if (fseek(f, 0, SEEK_END) == 0 && (end = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0 &&
        (text = (char *)malloc((size_t)end + 1)) != NULL) {
        *size = fread(text, 1, (size_t)end, f);
        text[*size] = '\0';
        if (*size != (size_t)end) {
            free(text);
            text = NULL;
        }
    }
    fclose(f);
    return text;
}

/* Ends the cell at *at in place and moves *at behind its comma; returns 1 if the row goes on.  *cell: where its text begins. */
static inline int csv__cell(char **at, const char **cell) {
    char *from = *at, *to = *at;
    *cell = from;
    if (*from == '"') {
        for (from++; *from != '\0' && !(from[0] == '"' && from[1] != '"'); from++) {
            *to++ = *from;
            if (from[0] == '"') {
                from++;
            }
        }
        if (*from == '"') {
            from++;
        }
    }
    while (*from != '\0' && *from != ',' && *from != '\n') {
        *to++ = *from++;
    }
    if (to > *cell && to[-1] == '\r') {
        to--;
    }
    int more = *from == ',';
    *at = *from == '\0' ? from : from + 1;
    *to = '\0';
    return more;
}

static inline void csv_free(csv_table *t) {
    free(t->text);
    free((void *)t->name);
    free((void *)t->cell);
    memset(t, 0, sizeof *t);
}

static inline csv_status csv_load(csv_table *t, const char *path) {
    size_t size = 0, lines = 1, commas = 1, at_row;
    char *at;
    memset(t, 0, sizeof *t);
    FILE *there = fopen(path, "rb");
    if (there == NULL) {
        return CSV_MISSING;
    }
    fclose(there);
    if ((t->text = csv__file(path, &size)) == NULL) {
        return CSV_UNREADABLE;
    }
    for (size_t i = 0; i < size; i++) {
        lines += t->text[i] == '\n';
        commas += lines == 1 && t->text[i] == ',';
    }
    t->name = (const char **)malloc(commas * sizeof *t->name);
    if (t->name == NULL || lines > (size_t)-1 / sizeof *t->cell / commas ||
        (t->cell = (const char **)malloc(lines * commas * sizeof *t->cell)) == NULL) {
        csv_free(t);
        return CSV_UNREADABLE;
    }
    at = t->text;
    for (int more = *at != '\0'; more && t->cols < commas; t->cols++) {
        more = csv__cell(&at, &t->name[t->cols]);
    }
    for (; *at != '\0' && t->rows < lines; t->rows += t->cell[at_row] != NULL) {
        const char *rest;
        at_row = t->rows * t->cols;
        if (*at == '\n' || *at == '\r') {
            at++;
            t->cell[at_row] = NULL;
            continue;
        } /* an empty line */
        int more = 1;
        for (size_t j = 0; j < t->cols; j++) {
            t->cell[at_row + j] = "";
            if (more) {
                more = csv__cell(&at, &t->cell[at_row + j]);
            }
        }
        while (more) {
            more = csv__cell(&at, &rest);
        }
    }
    if (t->rows == 0) {
        csv_free(t);
        return CSV_MISSING;
    }
    return CSV_READ;
}

/* -1: there is no such column. */
static inline int csv_column(const csv_table *t, const char *name) {
    for (size_t j = 0; j < t->cols; j++) {
        if (strcmp(t->name[j], name) == 0) {
            return (int)j;
        }
    }
    return -1;
}

static inline const char *csv_text(const csv_table *t, size_t row, int column) {
    return column < 0 || row >= t->rows ? "" : t->cell[row * t->cols + (size_t)column];
}

static inline double csv_number(const csv_table *t, size_t row, int column) {
    const char *text = csv_text(t, row, column);
    char *end;
    double v = strtod(text, &end);
    return end == text || *end != '\0' || !isfinite(v) ? NAN : v;
}

/* One cell for a file of ours: in quotes where it must be. */
static inline void csv_write(FILE *out, const char *text) {
    if (strpbrk(text, ",\"\n\r") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            fputc('"', out);
        }
        fputc(*text, out);
    }
    fputc('"', out);
}

/* A number with enough digits to compute with; empty for NaN. */
static inline void csv_write_number(FILE *out, double v) {
    if (isfinite(v)) {
        fprintf(out, "%.9g", v);
    }
}
#endif
