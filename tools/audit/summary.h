/* summary.h: summary.json of a folder of ground truth: how its step was taken, and what came of
 * it. */
#ifndef SUMMARY_H
#define SUMMARY_H
#include "slm.h"

typedef struct summary {
    double ratio;
    double lr, beta1, beta2, eps, weight_decay, clip; /* in its object "adamw" */
    double clm, slm_batch;                            /* losses: of all targets, of the selected */
    double grad_norm_clm, grad_norm_slm;
} summary;

/* `name` is for messages.  Refuses what is no JSON, and a number that is missing, there twice or
 * none. */
slm_status summary_parse(summary *out, const char *text, size_t size, const char *name,
                         slm_error *err);

#endif
