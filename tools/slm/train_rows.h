/* train_rows.h: the rows of a run's log.csv, read to be drawn.  Whatever is not as train_log.c
 * writes it is refused by its line. */
#ifndef TRAIN_ROWS_H
#define TRAIN_ROWS_H
#include <stddef.h>

typedef struct train_rows {
    size_t n;
    double *tokens;   /* (n) seen after the step */
    double *loss;     /* (n) of all targets of the step, nats */
    double *val_loss; /* (n) nats; NaN: there was no validation */
    size_t n_val;     /* how many there were */
    double last_tokens;
} train_rows;

/* Reads all whole rows: the last one, if its line does not end, is still being written.  Returns an
 * exit code (common/cli.h). */
int train_rows_load(train_rows *rows, const char *path);
void train_rows_free(train_rows *rows);

#endif
