/* eval_answers.h: `slm eval --answers`: the share of questions whose final answer is right. */
#ifndef EVAL_ANSWERS_H
#define EVAL_ANSWERS_H
#include <stdint.h>

#include "slm.h"

typedef struct answers_options {
    const char *model, *data;
    const char *shots_from; /* a file of worked questions, or NULL */
    const char *out;        /* a file of results, or NULL */
    int32_t n_shots, max_new;
    uint64_t limit; /* 0: all */
    int json, quiet;
} answers_options;

/* Returns an exit code (common/cli.h). */
int eval_answers(const slm_model *model, const slm_tokenizer *tokenizer,
                 const answers_options *options);

#endif
