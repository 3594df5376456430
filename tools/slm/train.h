/* train.h: the parts of the verb `train`.
 *
 * A run is a folder.  state.safetensors is the whole state, replaced atomically; whatever else is
 * there follows from it or from the command line, so that a run that is killed at any moment and
 * resumed ends in the same bytes. */
#ifndef TRAIN_H
#define TRAIN_H
#include "common/options.h"
#include "common/output.h"
#include "common/progress.h"
#include "common/token_file.h"
#include "slm/train_log.h"

enum { TRAIN_SETTINGS_SIZE = 512 };

typedef struct train_options {
    option_list data;
    const char *out, *init, *tokenizer, *scores, *reference, *val;
    data_options read;
    slm_model_config shape;
    slm_adamw_options adamw;
    slm_select_options select;
    int preset;    /* a place in the list of --preset */
    int criterion; /* a slm_criterion, or CRITERION_NOT_GIVEN */
    int scope;     /* a slm_scope */
    int weights;   /* a place in the list of --weights, or WEIGHTS_NOT_GIVEN */
    int resume, force, recompute, quiet;
    double epochs;
    uint64_t steps, seed, val_every, val_batches, save_every;
    int32_t batch, accumulate, seq, threads;
    int shape_given;  /* 1 if a flag is given that --init excludes */
    int warmup_given; /* 1 if --warmup is */
} train_options;

#define WEIGHTS_WORDS "f32|bf16"

enum { CRITERION_NOT_GIVEN = -1, WEIGHTS_NOT_GIVEN = -1 };

typedef struct train_run {
    train_options o;
    slm_tokenizer *tokenizer; /* NULL: the data are ids */
    data_report report;       /* of what has been read */
    slm_model *model, *reference;
    slm_corpus *corpus, *val;
    slm_losses *scores; /* of the reference, from --scores */
    slm_trainer *trainer;
    slm_batch **micro; /* (accumulate); of the other processes' micro-batches none is made */
    size_t first_micro, end_micro; /* the share of this process */
    slm_cursor cursor;
    slm_windows val_windows; /* of val, that are measured */
    double val_loss;         /* the last one; NaN: none yet */
    slm_dtype dtype;         /* of the weights that are saved */
    train_log log;
    output out;
    int is_open; /* 1 once process 0 holds the lock of --out */
    progress bar;
    uint64_t run_steps;     /* that the run in --out was to take; 0: there is none */
    uint64_t tokens;        /* targets seen by the run */
    uint64_t tokens_before; /* ... before this process */
    int stops;              /* 1 once any process was asked to end */

    /* What must be the same when the run is resumed, beyond what the library compares. */
    char settings[TRAIN_SETTINGS_SIZE];
} train_run;

/* Each returns an exit code (common/cli.h), where it returns one. */

/* Refuses to go on by the command of a run that read standard input: returns OPTIONS_PARSED or an
 * exit code. */
int train_refuse_lost_input(const train_options *o);

/* Checks the options against each other, and reads and makes all that they name. */
int train_load(train_run *r);

/* Closes and frees all of it; the lock is given back last. */
void train_free(train_run *r);

/* Whether the selection needs reference losses. */
int train_needs_reference(const train_options *o);

/* Goes on with the run in --out, if that is asked for and there is one. */
int train_resume(train_run *r);

/* Returns 1 and sets both numbers if there is a run in --out to go on with: how many steps it was
 * to take, and how many of them warm up. */
int train_run_schedule(const train_run *r, uint64_t *warmup, uint64_t *steps);

/* Refuses processes that have read different things. */
int train_compare_processes(const train_run *r);

/* Makes and locks the folder, unless that is done.  Of several processes, the first one does. */
int train_open_folder(train_run *r);

/* Refuses a run that is in the folder, or removes it with --force. */
int train_clear_folder(train_run *r);

/* Copies what other programs read beside the model in --init: chat templates and the like. */
int train_carry_companions(const train_run *r);

/* Writes run.json: what was run on what. */
int train_write_settings(const train_run *r, int argc, char **argv);

/* Of several processes, the first one saves. */
int train_checkpoint(train_run *r);

#endif
