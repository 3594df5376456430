/* train_log.h: a run's log.csv: one row per step, the columns that are the same bytes in each run
 * first, the clock's last.  When a run is taken up again, the rows after the step it resumes from
 * are dropped, and the rest is left as it is.  Functions return exit codes (common/cli.h). */
#ifndef TRAIN_LOG_H
#define TRAIN_LOG_H
#include <stdio.h>

#include "common/paths.h"
#include "slm.h"

/* The first line, with its end. */
extern const char *const train_log_header;

typedef struct train_log {
    FILE *file;
    char path[PATH_SIZE];
    double seconds_before; /* of the rows that were there before this process */
} train_log;

/* What a row says besides the stats of the step. */
typedef struct train_log_row {
    uint64_t step, tokens;
    double val_loss; /* NaN: there was no validation */
    double tokens_per_second;
    double seconds; /* since this process began to train */
} train_log_row;

/* Opens FOLDER/log.csv behind the row of `step`.  Step 0 begins a new file. */
int log_open(train_log *log, const char *folder, uint64_t step);
int log_write(train_log *log, const train_log_row *row, const slm_step_stats *stats);

/* Brings the rows to the disk: due before a checkpoint that counts on them. */
int log_flush(train_log *log);
void log_close(train_log *log);

#endif
