/* train_log.c: a run's log.csv. */
#include "slm/train_log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/os.h"

const char *const train_log_header =
    "step,tokens,loss,loss_selected,loss_unselected,kept,lr,grad_norm,val_loss,tokens_per_s,"
    "seconds\n";

void log_close(train_log *log) {
    if (log->file != NULL) (void)fclose(log->file);
    log->file = NULL;
}

int log_flush(train_log *log) {
    if (os_sync(log->file) == 0) return DONE;
    return fail_errno(FAILED, log->path, "write");
}

/* The number in the last column of the row from `row` to `end`. */
static double last_column(const char *row, const char *end) {
    const char *p = end;
    while (p > row && p[-1] != ',')
        p--;
    return strtod(p, NULL);
}

/* Returns the size of the rows up to `step`, and the clock of the last of them.  Returns 0 if this
 * is not a log of ours. */
static size_t size_of_rows(const char *text, size_t size, uint64_t step, double *seconds) {
    size_t kept = strlen(train_log_header);
    if (size < kept || memcmp(text, train_log_header, kept) != 0) return 0;
    while (kept < size) {
        const char *row = text + kept;
        const char *end = (const char *)memchr(row, '\n', size - kept);
        if (end == NULL || strtoull(row, NULL, 10) > step) break;

        /* Where the power failed, zeros may stand for rows that were lost. */
        if (memchr(row, 0, (size_t)(end - row)) != NULL) break;
        *seconds = last_column(row, end);
        kept = (size_t)(end - text) + 1;
    }
    return kept;
}

int log_open(train_log *log, const char *folder, uint64_t step) {
    slm_error err;
    slm_status status;
    char *text = NULL;
    size_t size = 0;
    size_t kept = 0;
    int code = path_join(log->path, folder, "log.csv");
    if (code != DONE) return code;
    if (step > 0 && path_exists(log->path)) {
        status = slm_file_read(&text, &size, log->path, &err);
        if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
        kept = size_of_rows(text, size, step, &log->seconds_before);
    }

    if (kept > 0) {
        status = slm_file_write(log->path, text, kept, &err);
    } else {
        status = slm_file_write(log->path, train_log_header, strlen(train_log_header), &err);
    }
    slm_free(text);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
    log->file = os_open(log->path, "ab");
    if (log->file != NULL) return DONE;
    return fail_errno(FAILED, log->path, "open for writing");
}

int log_write(train_log *log, const train_log_row *row, const slm_step_stats *stats) {
    FILE *f = log->file;
    double kept = 0;
    if (stats->n_valid > 0) kept = (double)stats->n_selected / (double)stats->n_valid;
    fprintf(f, "%llu,%llu", (unsigned long long)row->step, (unsigned long long)row->tokens);
    fprintf(f, ",%.9g,%.9g,%.9g", stats->loss_all, stats->loss_selected, stats->loss_unselected);
    fprintf(f, ",%.6g,%.9g,%.9g,", kept, stats->lr, stats->grad_norm);
    if (isfinite(row->val_loss)) fprintf(f, "%.9g", row->val_loss);
    fprintf(f, ",%.0f,%.3f\n", row->tokens_per_second, log->seconds_before + row->seconds);
    return ferror(f) ? fail(FAILED, "%s: cannot write", log->path) : DONE;
}
