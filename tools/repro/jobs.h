/* jobs.h: the runs of `make repro`: what a job is, and how a plan of jobs is carried out.
 *
 * A plan is a list of jobs.  A job trains one model (or scores one text) and leaves runs/NAME.csv,
 * written whole: a job whose file exists is finished and never run again, so that a plan may be
 * stopped at any moment and taken up later.  Jobs need other jobs; each runs in a process of its
 * own, a few at a time.  What a job computes does not depend on when or beside what it runs. */
#ifndef JOBS_H
#define JOBS_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "csv_out.h"
#include "lab/experiment.h"
#include "room.h"

enum {
    REPRO_MAX_JOBS = 3000,
    REPRO_SEEDS = 5,
    REPRO_RATES = 7,          /* learning rates, of which these three are tried in any case */
    REPRO_FIRST_TRIED = 2,
    REPRO_LAST_TRIED = 4,
    REPRO_PIECE_BYTES = 8000, /* held out of the noisy text's kind, the same for all seeds */
    REPRO_PIECE_SEED = 1000,
    REPRO_PAGE = 10,     /* documents */
    REPRO_STRETCH = 4000 /* bytes, after which a line of real text ends what counts as a document */
};

#define REPRO_RATIO 0.4 /* of every arm in the sets that do not vary it */
#define REPRO_VETO 1.0  /* nats by which a token is less likely to the reference than to the base */
#define REPRO_OPENSTAX "../shared/data/openstax"
#define REPRO_GSM8K "../shared/data/gsm8k"

typedef enum job_kind {
    JOB_ARM,       /* trains the model of job `start`, or a new one, with the scores of `scores` */
    JOB_BASE,      /* trains a new model on general text */
    JOB_REFERENCE, /* tunes the model of job `start` on the clean text, or on `text` */
    JOB_SCORES     /* scores the text with the model of job `reference`; without one it takes of
                      each token the lower loss of the two files `worth` */
} job_kind;

typedef enum job_text {
    TEXT_NOISY,
    TEXT_ORACLE,   /* noise and all that is off the target are masked, by the truth */
    TEXT_FILTERED, /* no ids, stamps and markup, and no problem that has a wrong result */
    TEXT_MIXED,    /* part of it, and the clean text as often as the reference saw it */
    TEXT_MATCHED,  /* the target's own kind of text: the negative control */
    TEXT_CLEAN,    /* the clean text alone */
    /* A share of the noisy text: whole documents, whole windows or tokens.  "Excess" is the loss by
       the base less that by the reference. */
    TEXT_DOCUMENTS,        /* of the highest mean excess */
    TEXT_LIKELY_DOCUMENTS, /* of the lowest mean loss by the reference */
    TEXT_RANDOM_DOCUMENTS,
    TEXT_PAGES,   /* of the highest mean excess, REPRO_PAGE documents in a row being one */
    TEXT_WINDOWS, /* of the highest mean excess */
    TEXT_VETOED,  /* as TEXT_DOCUMENTS, without the tokens that the reference vetoes */
    TEXT_ALL_VETOED, /* all of it, without these tokens */
    TEXT_CLEANED  /* all of it, but only the tokens of the highest excess are trained on */
} job_text;

typedef struct job {
    char name[96]; /* of its file */
    job_kind kind;
    const char *corpus, *set, *arm;
    settings s;
    job_text text;
    double share; /* of the noisy text that is kept, where `text` keeps a share of it */
    slm_select_options selection;
    token_rule rule; /* in the place of a selection, at selection.ratio */
    int rounds;      /* above 0: the text comes in so many parts, each cleaned by what the model
                        has become on the part before (see train.c) */
    double size; /* of the reference, as a share of the model; in set sizes of both, in millions of
                    weights; 0: does not matter */
    double lr;
    double lr_scale;     /* of what tuning chose; 0: 1 */
    const char *lr_of;   /* an arm: lr is what tuning chose for it, if the plan tunes; or NULL */
    size_t lr_bytes;     /* from trials on so much noisy text */
    uint64_t then_clean; /* steps on the clean text, at tune_lr, after s.steps on this one */
    const struct job *start, *reference, *scores; /* other jobs, or NULL */
    const struct job *worth[2]; /* the noisy text's scores by reference and base, by which documents
                                   are kept, or NULL; see JOB_SCORES */
    const struct job *inward[2]; /* a trial of a learning rate beyond the three: the trials of the
                                    next rate towards them and of the one after that; or NULL */
    const struct job *same_as; /* a job that this one repeats in another set, or NULL */
    char view[40]; /* a folder for the heat map, which gets a copy of the model, or "" */
    int keep;      /* 1: the model is saved, and what the piece's tokens cost at each point */
    int wanted, done;
    long process; /* that does it now, or 0 */
} job;

typedef struct repro {
    char out[200];
    const char *raw, *clean, *eval; /* the user's own files, or NULL */
    int quick, dry_run, at_once;
    const char *only; /* a set or a corpus: only its jobs and what they need; or NULL */
    job *jobs, *end;  /* the plan, and what is behind its last job */
} repro;

/* ---- jobs.c ---- */
/* OUT/FOLDER/NAMEENDING, a text of make_text; folder may be "". */
const char *repro_path(const repro *r, const char *folder, const char *name, const char *ending);
int repro_exists(const char *path);

/* The same for what a job, or the one that it repeats, has left in a folder. */
const char *job_path(const repro *r, const char *folder, const job *j, const char *ending);

int job_is_builtin(const job *j);
int job_is_generated(const job *j); /* whether the truth about its text is known */
const job *job_source(const job *j); /* the job whose file holds its rows */
int job_is_finished(const repro *r, const job *j);

/* Whether it turned out that a trial of a learning rate need not be run: the rate before it was no
   better than the one before that. */
int job_is_needless(const repro *r, const job *j);

/* Loss on the valid part at the end of a finished run. */
double job_valid_loss(const repro *r, const job *j);

/* Its own learning rate, or what tuning chose for it. */
double job_learning_rate(const repro *r, const job *j);

/* Steps of training; of scores 0. */
uint64_t job_steps(const job *j);

/* Its own work, roughly, in tokens of plain training of the built-in model. */
double job_work(const job *j);

/* Marks a job and all that it needs as wanted. */
void repro_want(repro *r, job *j);

/* Runs what is wanted and not finished.  Returns 1 if a job failed; then what was running beside it
   has ended. */
int repro_carry_out(repro *r);

/* ---- plan.c ---- */
extern const settings repro_built_in, repro_facts, repro_confirm;
extern const double repro_rates[REPRO_RATES];
uint64_t repro_seeds(const repro *r);
settings repro_file_settings(const repro *r); /* of real text */
void repro_plan(repro *r);

/* ---- texts.c ---- */
/* Appends the bytes from .. from + n - 1 of a file, as far as it goes. */
void text_append_file(corpus_text *t, const char *path, const char *fields, size_t from, size_t n);

/* Reads or makes the job's texts.  CORPUS_NOISY becomes what it scores or trains on. */
void job_begin(const repro *r, const job *j, experiment *e);

/* The score file that a job has left. */
slm_losses *job_load_scores(const repro *r, const job *j);

/* ---- filters.c: what of the noisy text is kept by the scores of the whole ---- */
/* Keeps the job's share of the experiment's noisy text. */
void filter_noisy_text(const repro *r, const job *j, experiment *e);

/* For each token of the noisy text the mean excess of its document (see job_text). */
slm_real *filter_document_worth(const repro *r, const job *j, const experiment *e);

/* Replaces the tokens that arms train on; and what is known of them. */
void text_replace_corpus(experiment *e, const int32_t *tokens, const uint8_t *masked, size_t n);
void text_replace_kinds(experiment *e, uint8_t *kind);

/* ---- train.c ---- */
/* Does one job: a child's whole life. */
void repro_do(const repro *r, const job *j);

/* ---- leaks.c ---- */
/* Writes leaks.csv and unseen.csv from what is finished of seed 1: what of the measured text stands
   in the texts for training too, and the losses without it.  All texts of make_text end here. */
void repro_write_leaks(const repro *r);

/* ---- tables.c ---- */
enum { REPRO_KEY_COLUMNS = 8 }; /* corpus, set, arm, seed, ratio, noise, wrong, size */

extern const char repro_curve_columns[]; /* the header of runs/NAME.csv and curves.csv */

/* Writes the CSVs that the report reads, from the runs that are finished so far.  All texts of
   make_text end here. */
void repro_write_tables(const repro *r);

/* Writes the rows of settings.csv, whose columns are key and value. */
void repro_write_settings(const repro *r, FILE *out);

/* Opens and closes OUT/FOLDER/NAME.csv as csv_open and csv_close do; ends the program if it cannot
   be written. */
csv_out repro_csv_open(const repro *r, const char *folder, const char *name, const char *header);
void repro_csv_close(csv_out *out);

/* Writes the first eight columns of curves.csv, those that say what the job is. */
void repro_put_keys(csv_out *out, const job *j, double size);
#endif
