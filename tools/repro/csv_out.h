/* csv_out.h: one writer for all CSV files of the reproduction.
 *
 *     csv_out out;
 *     if (!csv_open(&out, "build/repro", "tuning", "corpus,lr,loss\n")) return 0;
 *     csv_put_text(&out, corpus);
 *     csv_put_number(&out, lr);
 *     csv_put_number(&out, loss);
 *     csv_end_row(&out);
 *     return csv_close(&out);
 *
 * The file appears whole, under its own name, when it is closed.  csv_open and csv_close return 0
 * after saying on stderr what is wrong. */
#ifndef CSV_OUT_H
#define CSV_OUT_H
#include <stddef.h>
#include <stdio.h>

typedef struct csv_out {
    FILE *file; /* for lines that are copied */
    char path[1024], part[1040];
    int cells; /* in the row so far */
} csv_out;

/* Opens DIR/NAME.csv and writes its header, which ends with a line end. */
int csv_open(csv_out *out, const char *dir, const char *name, const char *header);

/* Writes a cell as it is; like printf. */
void csv_put(csv_out *out, const char *format, ...);

/* Writes a cell in quotes where it must be. */
void csv_put_text(csv_out *out, const char *text);

/* Writes a number with enough digits to compute with; nothing if it is not finite. */
void csv_put_number(csv_out *out, double value);

/* The same for n numbers in a row of the file; NULL leaves their cells empty. */
void csv_put_numbers(csv_out *out, const double *values, size_t n);

void csv_end_row(csv_out *out);
int csv_close(csv_out *out);
#endif
