/* plan.h: how the plan is made: arms, jobs, and a file for each kind of corpus.  Include jobs.h
 * before it. */
#ifndef PLAN_H
#define PLAN_H

/* Whose scores, of which text. */
typedef enum score_kind {
    BY_REFERENCE,
    BY_BASE,
    BY_CLEAN,  /* by the model of the arm `clean`: a reference that is trained for longer */
    BY_SECOND, /* by a reference tuned on the documents that the first one's scores keep */
    BY_BOTH,   /* of each token the lower loss by the reference and the second one */
    BY_REFERENCE_ON_DOCUMENTS, /* of those documents */
    SCORE_KINDS
} score_kind;

typedef enum keep_when { KEEP_NEVER, KEEP_MAIN, KEEP_ALWAYS } keep_when;

/* A kind of run: what is selected, and on which text. */
typedef struct arm {
    const char *name;
    job_kind kind;
    slm_criterion criterion;
    slm_scope scope;
    job_text text;
    int then_clean; /* 1: the clean text follows at the end */
    score_kind by;  /* what a job of scores makes, and what an arm selects by */
    keep_when keep; /* the model; KEEP_MAIN: in the set main, where a figure needs it */
    token_rule rule;
    int rounds; /* see job */
} arm;

/* arms.c: the arm whose name is the first n bytes; the program ends if there is none. */
const arm *find_arm(const char *name, size_t n);

/* Lists of arms are texts: names, each with its ratio where that is not REPRO_RATIO. */
#define MODELS "base reference scores"
#define FEW_ARMS "clm slm random"

/* What jobs have in common. */
typedef struct origin {
    const char *corpus;
    settings s;
    slm_model_config reference_model; /* of the reference, and of the base that it is tuned from */
    double size, lr_scale;            /* see job */
    int is_resized;                   /* 1: the base has this size too */
    size_t tuned_bytes; /* learning rates are those tuned on so much noisy text; 0: on its own */
    job_text text;                    /* of all arms, unless it is the noisy one */
    const job *base, *tuned_from, *reference;
    const job *clean, *second; /* references by another way, or NULL */
    const job *scores[SCORE_KINDS];
} origin;

/* ---- plan.c: jobs ---- */
/* Puts a job into the plan.  Returns where it stands there; if there is a job of this name already,
   that one.  A job that would train what another one trains gets rows of its own in the tables,
   and they are those of the other job: same_as leads to a job that is run itself, never to a second
   same_as. */
const job *add_job(repro *r, job *j);

job new_job(const origin *o, const char *set, const arm *a, double ratio);

/* Plans a list of arms; in the set tune, each at every learning rate. */
void plan_arms(repro *r, origin *o, const char *set, const char *list);

/* ---- a file for each kind of corpus, and one for scale ---- */
void plan_built_in(repro *r); /* plan_builtin.c */
void plan_facts(repro *r);    /* plan_facts.c */
void plan_real(repro *r);     /* plan_files.c */
void plan_scale(repro *r);    /* plan_scale.c */
#endif
