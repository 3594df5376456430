/* score.h: the parts of the verb `score`. */
#ifndef SCORE_H
#define SCORE_H
#include "common/options.h"
#include "common/output.h"
#include "common/source.h"
#include "slm.h"

typedef struct score_options {
    option_list data, join;
    const char *model, *tokenizer, *out, *shard, *tokens;
    data_options read;
    int32_t seq, batch, threads, save_every;
    int32_t shard_index, n_shards; /* what --shard i/n says */
    int tsv, json, quiet;
} score_options;

typedef struct score_run {
    slm_tokenizer *tokenizer;
    slm_model *model;
    slm_corpus *corpus;
    slm_losses *losses;
    output out;
    int32_t T;
} score_run;

/* Each returns an exit code (common/cli.h). */

/* Fills r->losses with those of the text, from the score file and into it if there is one. */
int score_text(score_run *r, const score_options *o);

/* Makes and locks the folder of the arrays. */
int score_open_folder(score_run *r, const char *folder);

/* Scores an array of tokens into two arrays, in the folder that is open. */
int score_array(score_run *r, const score_options *o);

#endif
