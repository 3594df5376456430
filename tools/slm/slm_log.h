/* slm_log.h: a run's log.csv: one row per step, the columns that are the same bytes in each run first, the clock's last.  When a run is
   taken up again, the rows after the step it resumes from are dropped, and the rest is left as it was. */
#ifndef SLM_LOG_H
#define SLM_LOG_H
#include "slm_common.h"

static const char log_header[] = "step,tokens,loss,loss_selected,loss_unselected,kept,lr,grad_norm,"
                                 "val_loss,tokens_per_s,seconds\n";

typedef struct run_log {
    FILE *f;
    char path[PATH_MOST];
    double seconds;
} run_log; /* seconds: of the rows before this process */

static inline void log_close(run_log *l) {
    if (l->f != NULL) (void)fclose(l->f);
    l->f = NULL;
}

/* What is on its way to the file is in it before a checkpoint that counts on it is written. */
static inline int log_flush(run_log *l) {
    if (fflush(l->f) != 0 || fsync(fileno(l->f)) != 0)
        return fail(FAILED, "%s: cannot write: %s", l->path, strerror(errno));
    return DONE;
}

/* The length of the rows up to `step`; *seconds: the last one's clock.  0: there is no log of ours. */
static inline size_t log_keep(const char *text, size_t size, uint64_t step, double *seconds) {
    size_t at = sizeof log_header - 1;
    if (size < at || memcmp(text, log_header, at) != 0) return 0;
    while (at < size) {
        const char *end = (const char *)memchr(text + at, '\n', size - at), *comma;
        if (end == NULL || strtoull(text + at, NULL, 10) > step) break;
        for (comma = end; comma > text + at && comma[-1] != ','; comma--) {
        }
        *seconds = strtod(comma, NULL);
        at = (size_t)(end - text) + 1;
    }
    return at;
}

/* Opens OUT/log.csv behind the row of `step`; 0: a new one. */
static inline int log_open(run_log *l, const char *folder, uint64_t step) {
    slm_error err;
    slm_status status;
    char *text = NULL;
    size_t size = 0, keep = 0;
    int code = path_join(l->path, folder, "log.csv");
    if (code != DONE) return code;
    if (step > 0 && path_exists(l->path)) {
        if ((status = slm_file_read(&text, &size, l->path, &err)) != SLM_OK)
            return fail_status(status, FOR_INPUT, &err);
        keep = log_keep(text, size, step, &l->seconds);
    }
    status = keep > 0 ? slm_file_write(l->path, text, keep, &err)
                      : slm_file_write(l->path, log_header, sizeof log_header - 1, &err);
    slm_free(text);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
    l->f = fopen(l->path, "ab");
    return l->f != NULL ? DONE
                        : fail(FAILED, "%s: cannot open for writing: %s", l->path, strerror(errno));
}

/* val: NaN where there was no validation. */
static inline int log_row(run_log *l, uint64_t step, uint64_t tokens, const slm_step_stats *s,
                          double val, double speed, double seconds) {
    double kept = s->n_valid > 0 ? (double)s->n_selected / (double)s->n_valid : 0;
    fprintf(l->f, "%llu,%llu,%.9g,%.9g,%.9g,%.6g,%.9g,%.9g,", (unsigned long long)step,
            (unsigned long long)tokens, s->loss_all, s->loss_selected, s->loss_unselected, kept,
            s->lr, s->grad_norm);
    if (isfinite(val)) fprintf(l->f, "%.9g", val);
    fprintf(l->f, ",%.0f,%.3f\n", speed, l->seconds + seconds);
    return ferror(l->f) ? fail(FAILED, "%s: cannot write", l->path) : DONE;
}
#endif
