/* plan.c: the plan: all settings of all experiments are here. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/options.h"
#include "common/os.h"
#include "jobs.h"

#define LEARNING_RATE 1e-3 /* where nothing is tuned */

const settings repro_built_in = {.general = {.target = 0.6, .noise = 0.2, .wrong = 0.4},
                                 .noisy = {.target = 0.6, .noise = 0.2, .wrong = 0.4},
                                 .general_bytes = 2100000,
                                 .noisy_bytes = 600000,
                                 .clean_bytes = 60000,
                                 .eval_bytes = 16000,
                                 EXPERIMENT_MODEL,
                                 .base_steps = 2000,
                                 .tune_steps = 200,
                                 .steps = 480,
                                 .every = 32,
                                 .early = 16,
                                 .base_lr = 4e-3,
                                 .tune_lr = 1e-3,
                                 .seed = 1};

/* Nobody knows how much of real text is noise. */
static const settings real_text = {.noisy = {NAN, NAN, NAN},
                                   .general_bytes = 4000000,
                                   .noisy_bytes = 1400000,
                                   .clean_bytes = 480000,
                                   .eval_bytes = 50000,
                                   .model = {.vocab = 1024,
                                             .dim = 96,
                                             .n_layers = 3,
                                             .n_heads = 4,
                                             .n_kv_heads = 4,
                                             .head_dim = 24,
                                             .ffn = 256,
                                             .max_seq = 256,
                                             .rope_theta = 10000,
                                             .norm_eps = 1e-5},
                                   .B = 8,
                                   .T = 256,
                                   .base_steps = 500,
                                   .tune_steps = 60,
                                   .steps = 160,
                                   .every = 16,
                                   .early = 4,
                                   .base_lr = 4e-3,
                                   .tune_lr = 1e-3,
                                   .seed = 1};

const double repro_rates[REPRO_RATES] = {5e-4, 1e-3, 2e-3};

uint64_t repro_seeds(const repro *r) {
    return r->quick ? 1 : REPRO_SEEDS;
}

/* ---- what is trained ---- */
/* A kind of run: what is selected, and on which text. */
typedef struct arm {
    const char *name;
    job_kind kind;
    slm_criterion criterion;
    slm_scope scope;
    job_text text;
    int then_clean; /* 1: the clean text follows at the end */
    int by_base;    /* 1: the scores are the base's, not the reference's */
    int keep;       /* 1: the model is kept */
} arm;

static const arm arms[] = {
    {"base", .kind = JOB_BASE, .keep = 1},
    {"reference", .kind = JOB_REFERENCE, .keep = 1},
    {"scores", .kind = JOB_SCORES},
    {"null_scores", .kind = JOB_SCORES, .by_base = 1},
    {"clm", .keep = 1},
    {"slm", .criterion = SLM_CRITERION_EXCESS, .keep = 1},
    {"random", .criterion = SLM_CRITERION_RANDOM},
    {"slm_sequence", .criterion = SLM_CRITERION_EXCESS, .scope = SLM_SCOPE_SEQUENCE},
    {"loss", .criterion = SLM_CRITERION_LOSS},
    {"ref", .criterion = SLM_CRITERION_REF},
    {"entropy", .criterion = SLM_CRITERION_ENTROPY},
    {"intersect", .criterion = SLM_CRITERION_INTERSECT},
    {"union", .criterion = SLM_CRITERION_UNION},
    {"oracle", .text = TEXT_ORACLE},
    {"filtered", .text = TEXT_FILTERED},
    {"mixed", .text = TEXT_MIXED},
    {"clm_tuned", .then_clean = 1},
    {"slm_tuned", .criterion = SLM_CRITERION_EXCESS, .then_clean = 1},
    {"null_reference", .criterion = SLM_CRITERION_EXCESS, .by_base = 1},
};

enum { ARMS = COUNT(arms) };

/* Lists of arms, each with its ratio where that is not REPRO_RATIO. */
#define MODELS "base reference scores"
#define MAIN_MODELS MODELS " null_scores"
#define MAIN_ARMS                                                                                  \
    "clm slm random slm_sequence loss ref entropy intersect union oracle filtered mixed "          \
    "clm_tuned slm_tuned null_reference"
#define FEW_ARMS "clm slm random"
#define TUNED_REAL_ARMS FEW_ARMS " loss ref clm_tuned slm_tuned mixed"
#define REAL_ARMS TUNED_REAL_ARMS " slm:0.6"

/* ---- the plan of the built-in corpus ---- */
/* In what a row of the plan differs from the set main.  What does not differ is not run again. */
typedef enum change {
    NO_CHANGE,
    NOISE, /* another mix */
    WRONG,
    TARGET,
    CLEAN_BYTES,    /* less clean text; the reference goes eight times through it: more would be
                       learning by heart */
    REFERENCE_SIZE, /* a smaller reference, tuned from a base of its own */
    SELF_REFERENCE, /* the end of plain training: it has seen the corpus and nothing clean */
    MATCHED_TEXT,   /* clean text of the target's own kind: selection has nothing to gain */
    NO_BASE         /* the arms begin with random weights, and see the text twice */
} change;

typedef struct set_row {
    const char *set;
    change change;
    double value;
    const char *arms;
} set_row;

/* For each seed.  A quick plan has the control only. */
static const set_row control = {"control", MATCHED_TEXT, 0, "scores clm slm"};
static const set_row rows[] = {
    {"ratio", NO_CHANGE, 0,
     "slm:0.1 slm:0.2 slm:0.3 slm:0.4 slm:0.5 slm:0.6 slm:0.7 slm:0.8 slm:0.9 slm:1"},
    {"self", SELF_REFERENCE, 0,
     "scores clm slm:0.6 slm:0.8 ref:0.5 ref:0.7 ref:0.9 entropy:0.7 intersect:0.8"},
    {"weak", NO_CHANGE, 0, "clm"},
    {"weak", REFERENCE_SIZE, 0.0625, MODELS " slm"},
    {"weak", REFERENCE_SIZE, 0.25, MODELS " slm"},
    {"weak", REFERENCE_SIZE, 1, "slm"},
    {"scratch", NO_BASE, 0, "clm slm"},
    {"clean", NO_CHANGE, 0, "reference clm slm slm_tuned clm_tuned mixed"},
    {"clean", CLEAN_BYTES, 4000, "reference scores slm slm_tuned clm_tuned mixed"},
    {"clean", CLEAN_BYTES, 15000, "reference scores slm slm_tuned clm_tuned mixed"},
    {"map", NOISE, 0, MODELS " clm slm:0.2 slm:0.4 slm:0.6"},
    {"map", NOISE, 0.4, MODELS " clm slm:0.2 slm:0.4 slm:0.6"},
    {"map", NOISE, 0.6, MODELS " clm slm:0.2 slm:0.4 slm:0.6"},
    {"map", NO_CHANGE, 0, "clm slm:0.2 slm:0.4 slm:0.6"},
    {"mix", WRONG, 0, MODELS " clm slm"},
    {"mix", TARGET, 0.2, MODELS " clm slm"},
    {"mix", NO_CHANGE, 0, "clm slm"},
};

/* ---- one job ---- */
/* What jobs have in common. */
typedef struct origin {
    const char *corpus;
    settings s;
    slm_model_config reference_model; /* of the reference, and of the base that it is tuned from */
    double size;                      /* see job */
    job_text text;                    /* of all arms, unless it is the noisy one */
    const job *base, *tuned_from, *reference, *scores, *null_scores;
} origin;

/* Names a job by what sets it apart. */
static void name_job(job *j) {
    const corpus_mix *mix = &j->s.noisy;
    const corpus_mix *usual = &repro_built_in.noisy;
    const struct {
        const char *what;
        double value, usual;
    } marks[] = {{"target", mix->target, usual->target},
                 {"noise", mix->noise, usual->noise},
                 {"wrong", mix->wrong, usual->wrong},
                 {"clean", (double)j->s.clean_bytes, (double)repro_built_in.clean_bytes},
                 {"ratio", j->selection.ratio, 1},
                 {"size", j->size, 0},
                 {"lr", same_text(j->set, "tune") ? j->lr : 0, 0},
                 {"seed", (double)j->s.seed, 0}};
    (void)snprintf(j->name, sizeof j->name, "%s-%s-%s", j->corpus, j->set, j->arm);
    /* The first four are of the built-in corpus only. */
    for (size_t i = job_is_builtin(j) ? 0 : 4; i < COUNT(marks); i++) {
        size_t used = strlen(j->name);
        if (marks[i].value == marks[i].usual) continue;
        (void)snprintf(j->name + used, sizeof j->name - used, "-%s%g", marks[i].what,
                       marks[i].value);
    }
}

/* Whether two jobs train the same from the same start.  The mix of the text follows from the start;
   what the reference is for besides its scores does not matter.  Ratios are compared to the bit. */
static int trains_the_same(const job *a, const job *b) {
    return a->start != NULL && a->start == b->start && a->scores == b->scores &&
           same_text(a->corpus, b->corpus) && same_text(a->arm, b->arm) && a->text == b->text &&
           a->selection.ratio == b->selection.ratio && a->lr == b->lr && a->lr_of == b->lr_of &&
           a->s.seed == b->s.seed && a->s.steps == b->s.steps &&
           a->s.clean_bytes == b->s.clean_bytes;
}

/* Puts a job into the plan.  Returns where it stands there; if there is a job of this name already,
   that one.  A job that would train what another one trains gets rows of its own in the tables,
   and they are those of the other job: same_as leads to a job that is run itself, never to a second
   same_as. */
static const job *add_job(repro *r, job *j) {
    name_job(j);
    for (const job *other = r->jobs; other < r->end; other++) {
        if (same_text(other->name, j->name)) return other;
        if (other->same_as == NULL && trains_the_same(other, j)) j->same_as = other;
    }
    if (r->end == r->jobs + REPRO_MAX_JOBS) {
        fprintf(stderr, "the plan has more than %d jobs\n", REPRO_MAX_JOBS);
        exit(1);
    }
    *r->end = *j;
    return r->end++;
}

/* Keeps the models of arms for figures 3 and 8 and the heat map, which shows those of seed 1. */
static void keep_model(job *j, const char *set, double ratio) {
    const int is_builtin = job_is_builtin(j);
    const int is_main = same_text(set, "main") && ratio == REPRO_RATIO;
    const int is_shown = is_main && j->s.seed == 1 && !same_text(j->corpus, "gsm8k");
    j->keep = j->kind != JOB_ARM || is_shown || (is_main && is_builtin);
    if (is_shown)
        (void)snprintf(j->view, sizeof j->view, "%s/%s",
                       is_builtin ? "models" : "models_openstax", j->arm);
}

/* At 100% an arm that selects has the learning rate of plain training: it must be that to the
   bit. */
static void set_selection(job *j, const origin *o, const arm *a, double ratio) {
    j->selection.criterion = a->criterion;
    j->selection.scope = a->scope;
    if (a->criterion == SLM_CRITERION_NONE) return;
    j->selection.ratio = j->selection.entropy_ratio = ratio;
    if (ratio == 1) j->lr_of = "clm";
    if (a->criterion == SLM_CRITERION_RANDOM || a->criterion == SLM_CRITERION_LOSS) return;
    j->scores = a->by_base ? o->null_scores : o->scores;
}

static job new_job(const origin *o, const char *set, const arm *a, double ratio) {
    job j = {.kind = a->kind,
             .corpus = o->corpus,
             .set = set,
             .arm = a->name,
             .s = o->s,
             .text = o->text != TEXT_NOISY ? o->text : a->text,
             .selection = {.ratio = 1, .entropy_ratio = 1, .seed = o->s.seed},
             .size = o->size};
    if (a->keep) keep_model(&j, set, ratio);
    switch (a->kind) {
    case JOB_BASE: /* reads no clean text: it is the same whatever there is of it */
        j.set = "base";
        j.s.model = o->reference_model;
        j.s.clean_bytes = repro_built_in.clean_bytes;
        j.lr = j.s.base_lr;
        break;
    case JOB_REFERENCE:
        j.s.model = o->reference_model;
        j.start = o->tuned_from;
        j.lr = j.s.tune_lr;
        break;
    case JOB_SCORES:
        j.reference = a->by_base ? o->base : o->reference;
        break;
    case JOB_ARM:
        j.start = o->base;
        j.reference = o->reference;
        j.lr = o->base == NULL ? o->s.base_lr : LEARNING_RATE;
        if (o->base != NULL) j.lr_of = a->name;
        set_selection(&j, o, a, ratio);
        if (!a->then_clean) break;
        j.then_clean = o->s.tune_steps;
        j.s.steps -= o->s.tune_steps;
        break;
    }
    return j;
}

/* ---- the experiments ---- */
static void plan_tuning(repro *r, job j) {
    j.lr_of = NULL;
    for (int k = 0; k < REPRO_RATES; k++) {
        j.lr = repro_rates[k];
        (void)add_job(r, &j);
    }
}

/* The jobs that follow in a list start from this one. */
static void plan_job(repro *r, origin *o, const job *planned) {
    job j = *planned;
    const job *added = add_job(r, &j);
    if (j.kind == JOB_BASE) o->tuned_from = added;
    if (j.kind == JOB_BASE && j.size == 0) o->base = added;
    if (j.kind == JOB_REFERENCE) o->reference = added;
    if (j.kind == JOB_SCORES && j.reference == o->reference) o->scores = added;
    if (j.kind == JOB_SCORES && j.reference == o->base) o->null_scores = added;
}

/* The arm whose name is the first n bytes. */
static const arm *find_arm(const char *name, size_t n) {
    for (int i = 0; i < ARMS; i++)
        if (strlen(arms[i].name) == n && strncmp(arms[i].name, name, n) == 0) return &arms[i];
    fprintf(stderr, "%s: there is no such arm\n", name);
    exit(1);
}

/* Plans a list of arms. */
static void plan_arms(repro *r, origin *o, const char *set, const char *list) {
    while (*list != '\0') {
        size_t n = strcspn(list, ": ");
        const arm *a = find_arm(list, n);
        double ratio = list[n] == ':' ? atof(list + n + 1) : REPRO_RATIO;
        job j = new_job(o, set, a, ratio);
        if (same_text(set, "tune"))
            plan_tuning(r, j);
        else
            plan_job(r, o, &j);
        list += strcspn(list, " ");
        list += strspn(list, " ");
    }
}

/* Sizes are shares of the main model's weights. */
static void shrink_reference(origin *o, double size) {
    static const struct {
        double size;
        int32_t dim, layers, heads, ffn;
    } small[2] = {{0.0625, 16, 1, 2, 40}, {0.25, 32, 2, 4, 88}};
    slm_model_config *model = &o->reference_model;
    o->size = size;
    for (int i = 0; i < 2; i++) {
        if (small[i].size != size) continue;
        model->dim = small[i].dim;
        model->n_layers = small[i].layers;
        model->n_heads = model->n_kv_heads = small[i].heads;
        model->head_dim = small[i].dim / small[i].heads;
        model->ffn = small[i].ffn;
    }
}

static void plan_row(repro *r, const origin *main, const set_row *row) {
    const corpus_mix pure = {1, 0, 0};
    origin o = *main;
    job plain = new_job(&o, "main", find_arm("clm", 3), REPRO_RATIO);
    settings *s = &o.s;
    switch (row->change) {
    case NO_CHANGE:
        break;
    case NOISE:
        s->general.noise = s->noisy.noise = row->value;
        break;
    case WRONG:
        s->general.wrong = s->noisy.wrong = row->value;
        break;
    case TARGET:
        s->general.target = s->noisy.target = row->value;
        break;
    case CLEAN_BYTES:
        s->clean_bytes = (size_t)row->value;
        s->tune_steps = 8 * s->clean_bytes / (size_t)(s->B * s->T);
        break;
    case REFERENCE_SIZE:
        shrink_reference(&o, row->value);
        break;
    case SELF_REFERENCE:
        o.reference = add_job(r, &plain);
        break;
    case MATCHED_TEXT:
        s->noisy = pure;
        o.text = TEXT_MATCHED;
        break;
    case NO_BASE:
        o.base = NULL;
        s->steps *= 2;
        s->every *= 2;
        break;
    }
    plan_arms(r, &o, row->set, row->arms);
}

static void plan_built_in(repro *r) {
    origin o = {.corpus = "builtin", .s = repro_built_in, .reference_model = repro_built_in.model};
    plan_arms(r, &o, "main", MAIN_MODELS);
    if (!r->quick) plan_arms(r, &o, "tune", MAIN_ARMS);
    for (o.s.seed = 1; o.s.seed <= repro_seeds(r); o.s.seed++) {
        plan_arms(r, &o, "main", MAIN_MODELS " " MAIN_ARMS);
        plan_row(r, &o, &control);
    }
    for (o.s.seed = 1; o.s.seed <= repro_seeds(r) && !r->quick; o.s.seed++) {
        plan_arms(r, &o, "main", MAIN_MODELS);
        for (size_t i = 0; i < COUNT(rows); i++)
            plan_row(r, &o, &rows[i]);
    }
}

/* ---- real text ---- */
/* The seeds differ in the order of the text alone: base, reference and scores are shared.  GSM8K
   takes over the learning rates that are chosen here. */
static void plan_files(repro *r, origin *o) {
    const int few = r->quick || same_text(o->corpus, "gsm8k");
    o->s.seed = 1;
    plan_arms(r, o, "main", "reference scores");
    if (!few) plan_arms(r, o, "tune", TUNED_REAL_ARMS);
    for (o->s.seed = 1; o->s.seed <= repro_seeds(r); o->s.seed++)
        plan_arms(r, o, "main", few ? FEW_ARMS : REAL_ARMS);
}

static size_t size_of(const char *path) {
    uint64_t size = 0;
    if (os_kind_of(path, &size) == OS_FILE && size > 0) return (size_t)size;
    fprintf(stderr, "%s: not there, or empty\n", path);
    exit(3);
}

/* Smaller files of the user: smaller parts. */
settings repro_file_settings(const repro *r) {
    settings s = real_text;
    if (r->raw == NULL) return s;
    size_t raw = size_of(r->raw);
    size_t clean = size_of(r->clean);
    if (raw < s.general_bytes + s.noisy_bytes + 4 * REPRO_PIECE_BYTES) {
        s.general_bytes = raw / 10 * 6;
        s.noisy_bytes = raw / 10 * 3;
    }
    if (clean < 2 * s.eval_bytes) s.eval_bytes = clean / 2;
    if (clean - s.eval_bytes / 2 < s.clean_bytes) s.clean_bytes = clean - s.eval_bytes / 2;
    return s;
}

static void plan_real(repro *r) {
    origin o = {.corpus = r->raw != NULL ? "user" : "openstax", .s = repro_file_settings(r)};
    if (r->raw == NULL && !repro_exists(REPRO_OPENSTAX "/raw.cnxml.txt")) {
        fprintf(stderr,
                "%s is not there: the part on real text is left out (yours: --corpus RAW --clean "
                "CLEAN --eval EVAL)\n",
                REPRO_OPENSTAX);
        return;
    }
    o.reference_model = o.s.model;
    plan_arms(r, &o, "main", "base");
    plan_files(r, &o);
    if (r->quick || r->raw != NULL || !repro_exists(REPRO_GSM8K "/train.jsonl")) return;
    o.corpus = "gsm8k";
    o.s.clean_bytes = 400000;
    plan_files(r, &o);
}

void repro_plan(repro *r) {
    plan_built_in(r);
    plan_real(r);
}
