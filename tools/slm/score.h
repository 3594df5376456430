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
    int32_t stream; /* 1, 0 or STREAM_IF_LARGE */
    int tsv, json, quiet;
} score_options;

enum { STREAM_IF_LARGE = -1 };

typedef struct score_run {
    slm_tokenizer *tokenizer;
    slm_model *model;       /* the model, if it is in memory ... */
    slm_stream *stream;     /* ... or in its files; the other one is NULL */
    const slm_model *shape; /* of either: configuration and table */
    slm_corpus *corpus;
    slm_losses *losses;
    output out;
    int32_t T;
} score_run;

/* Each returns an exit code (common/cli.h). */

/* Loads the model, or opens its files, by --stream and its size. */
int score_load_model(score_run *r, const score_options *o);
void score_free_model(score_run *r);
uint64_t score_model_hash(const score_run *r);

/* slm_losses_compute or slm_stream_losses. */
slm_status score_windows(slm_losses **out, score_run *r, const slm_windows *windows,
                         slm_progress progress, void *user, slm_error *err);

/* What a score file must hold in the end: its windows, and the fingerprints of their losses, which
 * have no numbers here. */
typedef struct score_goal {
    slm_windows windows;
    slm_losses losses;
} score_goal;

/* How many losses lie before those of a window. */
size_t score_entries_before(const score_run *r, size_t window);

/* Scores what r->losses lack of the goal, by all processes.  Process 0 gets it, and saves it in
 * `part` (or NULL) from time to time, and if it is interrupted. */
int score_in_group(score_run *r, const score_options *o, const score_goal *goal,
                   const char *part);

/* Fills r->losses with those of the text, from the score file and into it if there is one. */
int score_text(score_run *r, const score_options *o);

/* Makes and locks the folder of the arrays. */
int score_open_folder(score_run *r, const char *folder);

/* Scores an array of tokens into two arrays, in the folder that is open. */
int score_array(score_run *r, const score_options *o);

#endif
