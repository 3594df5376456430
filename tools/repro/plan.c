/* plan.c: the plan: all settings of all experiments are here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "jobs.h"

#define LEARNING_RATE 1e-3 /* where nothing is tuned */

const settings repro_built_in = {.general = {.target = 0.6, .noise = 0.2, .wrong = 0.4},
                                 .noisy = {.target = 0.6, .noise = 0.2, .wrong = 0.4},
                                 .general_bytes = 2100000,
                                 .noisy_bytes = 600000,
                                 .clean_bytes = 60000,
                                 .eval_bytes = 16000,
                                 .model = {.vocab = 256,
                                           .dim = 64,
                                           .n_layers = 3,
                                           .n_heads = 4,
                                           .n_kv_heads = 4,
                                           .head_dim = 16,
                                           .ffn = 176,
                                           .max_seq = 128,
                                           .rope_theta = 10000,
                                           .norm_eps = 1e-5},
                                 .B = 8,
                                 .T = 128,
                                 .base_steps = 2000,
                                 .tune_steps = 200,
                                 .steps = 480,
                                 .every = 32,
                                 .early = 16,
                                 .base_lr = 4e-3,
                                 .tune_lr = 1e-3,
                                 .seed = 1};

static const settings real_text = {.general_bytes = 4000000,
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

/* What is selected, and on which text; whether the clean text follows at the end. */
typedef enum arm_end { NOTHING_AFTER, CLEAN_AFTER } arm_end;

typedef struct arm {
    const char *name;
    slm_criterion criterion;
    slm_scope scope;
    job_text text;
    arm_end end;
} arm;

static const arm arms[] = {
    {"clm", SLM_CRITERION_NONE, SLM_SCOPE_BATCH, TEXT_NOISY, NOTHING_AFTER},
    {"slm", SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, TEXT_NOISY, NOTHING_AFTER},
    {"random", SLM_CRITERION_RANDOM, SLM_SCOPE_BATCH, TEXT_NOISY, NOTHING_AFTER},
    {"slm_sequence", SLM_CRITERION_EXCESS, SLM_SCOPE_SEQUENCE, TEXT_NOISY, NOTHING_AFTER},
    {"loss", SLM_CRITERION_LOSS, SLM_SCOPE_BATCH, TEXT_NOISY, NOTHING_AFTER},
    {"ref", SLM_CRITERION_REF, SLM_SCOPE_BATCH, TEXT_NOISY, NOTHING_AFTER},
    {"entropy", SLM_CRITERION_ENTROPY, SLM_SCOPE_BATCH, TEXT_NOISY, NOTHING_AFTER},
    {"intersect", SLM_CRITERION_INTERSECT, SLM_SCOPE_BATCH, TEXT_NOISY, NOTHING_AFTER},
    {"union", SLM_CRITERION_UNION, SLM_SCOPE_BATCH, TEXT_NOISY, NOTHING_AFTER},
    {"oracle", SLM_CRITERION_NONE, SLM_SCOPE_BATCH, TEXT_ORACLE, NOTHING_AFTER},
    {"filtered", SLM_CRITERION_NONE, SLM_SCOPE_BATCH, TEXT_FILTERED, NOTHING_AFTER},
    {"mixed", SLM_CRITERION_NONE, SLM_SCOPE_BATCH, TEXT_MIXED, NOTHING_AFTER},
    {"clm_tuned", SLM_CRITERION_NONE, SLM_SCOPE_BATCH, TEXT_NOISY, CLEAN_AFTER},
    {"slm_tuned", SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, TEXT_NOISY, CLEAN_AFTER},
    {"null_reference", SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, TEXT_NOISY, NOTHING_AFTER},
};

enum { ARMS = sizeof arms / sizeof arms[0] };

/* An arm at a ratio. */
typedef struct choice {
    const char *arm;
    double ratio;
} choice;

static const choice plain = {"clm", 1}, selective = {"slm", REPRO_RATIO};

/* ---- one job ---- */
static job *add_job(repro *r, job_kind kind, const char *corpus, const char *set, const char *name,
                    const settings *s) {
    if (r->n == REPRO_MAX_JOBS) {
        fprintf(stderr, "the plan has more than %d jobs\n", REPRO_MAX_JOBS);
        exit(1);
    }
    job *j = &r->jobs[r->n++];
    memset(j, 0, sizeof *j);
    j->kind = kind;
    j->corpus = corpus;
    j->set = set;
    j->arm = name;
    j->s = *s;
    j->start = j->reference = j->scores = j->same_as = NO_JOB;
    j->selection.ratio = j->selection.entropy_ratio = 1;
    j->selection.seed = s->seed;
    return j;
}

static void name_append(job *j, const char *what, double value) {
    size_t used = strlen(j->name);
    (void)snprintf(j->name + used, sizeof j->name - used, "-%s%g", what, value);
}

static void name_append_unless(job *j, const char *what, double value, double usual) {
    if (value != usual) name_append(j, what, value);
}

/* Names the last job by what sets it apart.  Returns its index; if there is a job of this name
   already, the index of that one, and the last job is taken back. */
static int name_job(repro *r, job *j) {
    const settings *usual = &repro_built_in;
    (void)snprintf(j->name, sizeof j->name, "%s-%s-%s", j->corpus, j->set, j->arm);
    if (job_is_builtin(j)) {
        name_append_unless(j, "target", j->s.noisy.target, usual->noisy.target);
        name_append_unless(j, "noise", j->s.noisy.noise, usual->noisy.noise);
        name_append_unless(j, "wrong", j->s.noisy.wrong, usual->noisy.wrong);
        name_append_unless(j, "clean", (double)j->s.clean_bytes, (double)usual->clean_bytes);
    }
    name_append_unless(j, "ratio", j->selection.ratio, 1);
    if (j->size > 0) name_append(j, "size", j->size);
    if (strcmp(j->set, "tune") == 0) name_append(j, "lr", j->lr);
    name_append(j, "seed", (double)j->s.seed);
    for (int i = 0; i < r->n - 1; i++) {
        if (strcmp(r->jobs[i].name, j->name) != 0) continue;
        r->n--;
        return i;
    }
    return r->n - 1;
}

/* The job's model is one of the heat map's: those of seed 1. */
static void show_in_view(job *j, const char *model) {
    const char *folder = job_is_builtin(j) ? "models" : "models_openstax";
    if (j->s.seed == 1 && strcmp(j->corpus, "gsm8k") != 0)
        (void)snprintf(j->view, sizeof j->view, "%s/%s", folder, model);
}

static int plan_base(repro *r, const settings *s, const char *corpus, double size) {
    job *j = add_job(r, JOB_BASE, corpus, "base", "base", s);
    j->size = size;
    j->s.clean_bytes = repro_built_in.clean_bytes;
    j->keep = 1;
    if (size == 0) show_in_view(j, "base");
    return name_job(r, j);
}

/* What an arm starts from: indices of jobs. */
typedef struct origin {
    const char *corpus;
    settings s;
    int base, reference, scores, null_scores;
} origin;

static int plan_reference(repro *r, const origin *o, const char *set, double size) {
    job *j = add_job(r, JOB_REFERENCE, o->corpus, set, "reference", &o->s);
    j->start = o->base;
    j->size = size;
    j->keep = 1;
    if (strcmp(set, "main") == 0) show_in_view(j, "reference");
    return name_job(r, j);
}

static int plan_scores_of(repro *r, const origin *o, const char *set, const char *name, int model) {
    job *j = add_job(r, JOB_SCORES, o->corpus, set, name, &o->s);
    j->reference = model;
    return name_job(r, j);
}

static int plan_scores(repro *r, const origin *o, const char *set, double size, job_text text) {
    job *j = add_job(r, JOB_SCORES, o->corpus, set, "scores", &o->s);
    j->reference = o->reference;
    j->text = text;
    j->size = size;
    return name_job(r, j);
}

static const arm *find_arm(const char *name) {
    int i = 0;
    while (i + 1 < ARMS && strcmp(arms[i].name, name) != 0)
        i++;
    return &arms[i];
}

static int needs_scores(const arm *a) {
    return a->criterion != SLM_CRITERION_NONE && a->criterion != SLM_CRITERION_RANDOM &&
           a->criterion != SLM_CRITERION_LOSS;
}

/* An arm without its name, for the caller to change. */
static job *add_arm(repro *r, const origin *o, const char *set, choice which) {
    const arm *a = find_arm(which.arm);
    job *j = add_job(r, JOB_ARM, o->corpus, set, a->name, &o->s);
    j->text = a->text;
    j->selection.criterion = a->criterion;
    j->selection.scope = a->scope;
    if (a->criterion != SLM_CRITERION_NONE) j->selection.ratio = which.ratio;
    j->selection.entropy_ratio = j->selection.ratio;
    j->lr = LEARNING_RATE;
    j->lr_of = a->name;
    if (a->end == CLEAN_AFTER) {
        j->then_clean = o->s.tune_steps;
        j->s.steps -= o->s.tune_steps;
    }
    j->start = o->base;
    j->reference = o->reference;
    if (needs_scores(a))
        j->scores = strcmp(which.arm, "null_reference") == 0 ? o->null_scores : o->scores;
    return j;
}

static int plan_arm(repro *r, const origin *o, const char *set, choice which) {
    return name_job(r, add_arm(r, o, set, which));
}

/* Finds an arm of the built-in corpus in a set that is planned already.  Returns the index of its
   job, or of the job that this one repeats: same_as leads to a job that is run itself, never to a
   second same_as.  Returns NO_JOB if there is none.

   The set must have only one job of an arm, ratio and seed, as main and ratio do: the mix of the
   text is not compared.  Ratios are compared to the bit; an arm without selection has 1. */
static int find_job(const repro *r, const char *set, choice which, uint64_t seed) {
    for (int i = 0; i < r->n; i++) {
        const job *j = &r->jobs[i];
        if (job_is_builtin(j) && strcmp(j->set, set) == 0 && strcmp(j->arm, which.arm) == 0 &&
            j->s.seed == seed && j->selection.ratio == which.ratio)
            return j->same_as != NO_JOB ? j->same_as : i;
    }
    return NO_JOB;
}

/* Plans an arm that of_set has planned already, with the same settings.  It gets rows of its own in
   the tables, and they are those of the other job: nothing is trained twice.  If of_set has no such
   job, this one is trained. */
static void repeat_arm(repro *r, const origin *o, const char *set, choice which,
                       const char *of_set) {
    job *j = add_arm(r, o, set, which);
    j->same_as = find_job(r, of_set, which, o->s.seed);
    (void)name_job(r, j);
}

/* ---- the experiments ---- */
/* Base, reference and scores of a setting. */
static origin plan_origin(repro *r, const settings *s, const char *corpus, const char *set) {
    origin o = {corpus, *s, NO_JOB, NO_JOB, NO_JOB, NO_JOB};
    o.base = plan_base(r, s, corpus, 0);
    o.reference = plan_reference(r, &o, set, 0);
    o.scores = plan_scores(r, &o, set, 0, TEXT_NOISY);
    return o;
}

static void plan_tuning(repro *r, const origin *o, const char *name) {
    for (int k = 0; k < REPRO_RATES; k++) {
        const choice which = {name, REPRO_RATIO};
        job *j = add_arm(r, o, "tune", which);
        j->lr_of = NULL;
        j->lr = repro_rates[k];
        (void)name_job(r, j);
    }
}

/* The first two arms, plain and selective, are kept for figures 3 and 8 and the heat map. */
static void plan_main(repro *r, origin *o) {
    o->null_scores = plan_scores_of(r, o, "main", "null_scores", o->base);
    for (int i = 0; i < ARMS; i++) {
        const choice which = {arms[i].name, REPRO_RATIO};
        job *j = &r->jobs[plan_arm(r, o, "main", which)];
        if (i > 1) continue;
        j->keep = 1;
        show_in_view(j, arms[i].name);
    }
}

/* At 100% the arm has the learning rate of plain training: it must be that to the bit. */
static void plan_ratios(repro *r, const origin *o) {
    static const double ratios[10] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0};
    for (int i = 0; i < 10; i++) {
        const choice which = {"slm", ratios[i]};
        if (ratios[i] == REPRO_RATIO) {
            repeat_arm(r, o, "ratio", which, "main");
            continue;
        }
        job *j = &r->jobs[plan_arm(r, o, "ratio", which)];
        if (ratios[i] == 1.0) j->lr_of = "clm";
    }
}

/* Another mix, with a base and a reference of its own, and plain training on it. */
static origin plan_mix(repro *r, const origin *main, const char *set, corpus_mix mix) {
    settings s = main->s;
    s.general = s.noisy = mix;
    origin o = plan_origin(r, &s, "builtin", set);
    (void)plan_arm(r, &o, set, plain);
    return o;
}

/* How the gain depends on the noise (set map: share of noise by ratio) and on the rest of the mix
   (set mix).  At the built-in mix these are runs of the sets main and ratio. */
static void plan_map(repro *r, const origin *main) {
    static const choice choices[3] = {{"slm", 0.2}, {"slm", 0.4}, {"slm", 0.6}};
    static const double noises[3] = {0, 0.4, 0.6};
    const corpus_mix usual = repro_built_in.noisy;
    const corpus_mix other[2] = {{usual.target, usual.noise, 0}, {0.2, usual.noise, usual.wrong}};
    for (int i = 0; i < 3; i++) {
        const corpus_mix mix = {usual.target, noises[i], usual.wrong};
        origin o = plan_mix(r, main, "map", mix);
        for (int k = 0; k < 3; k++)
            (void)plan_arm(r, &o, "map", choices[k]);
    }
    repeat_arm(r, main, "map", plain, "main");
    for (int k = 0; k < 3; k++)
        repeat_arm(r, main, "map", choices[k], "ratio");
    for (int i = 0; i < 2; i++) {
        origin o = plan_mix(r, main, "mix", other[i]);
        (void)plan_arm(r, &o, "mix", selective);
    }
    repeat_arm(r, main, "mix", plain, "main");
    repeat_arm(r, main, "mix", selective, "main");
}

/* The reference is the end of plain training: it has seen the corpus and nothing clean. */
static void plan_self(repro *r, const origin *main) {
    static const choice self[7] = {{"slm", 0.6}, {"slm", 0.8},     {"ref", 0.5},      {"ref", 0.7},
                                   {"ref", 0.9}, {"entropy", 0.7}, {"intersect", 0.8}};

    origin o = *main;
    o.reference = find_job(r, "main", plain, o.s.seed);
    o.scores = plan_scores(r, &o, "self", 0, TEXT_NOISY);
    repeat_arm(r, main, "self", plain, "main");
    for (int i = 0; i < 7; i++)
        (void)plan_arm(r, &o, "self", self[i]);
}

/* Smaller references: a base and a reference of their own. */
static void plan_weak(repro *r, const origin *main) {
    static const struct {
        double size;
        int32_t dim, layers, heads, ffn;
    } weak[2] = {{0.0625, 16, 1, 2, 40}, {0.25, 32, 2, 4, 88}};

    job *j;
    repeat_arm(r, main, "weak", plain, "main");
    for (int i = 0; i < 2; i++) {
        origin o = *main;
        o.s.model.dim = weak[i].dim;
        o.s.model.n_layers = weak[i].layers;
        o.s.model.n_heads = o.s.model.n_kv_heads = weak[i].heads;
        o.s.model.head_dim = weak[i].dim / weak[i].heads;
        o.s.model.ffn = weak[i].ffn;
        o.base = plan_base(r, &o.s, "builtin", weak[i].size);
        o.reference = plan_reference(r, &o, "weak", weak[i].size);
        o.s = main->s;
        o.base = main->base;
        o.scores = plan_scores(r, &o, "weak", weak[i].size, TEXT_NOISY);
        j = add_arm(r, &o, "weak", selective);
        j->size = weak[i].size;
        (void)name_job(r, j);
    }
    j = add_arm(r, main, "weak", selective);
    j->size = 1;
    j->same_as = find_job(r, "main", selective, main->s.seed);
    (void)name_job(r, j);
}

/* Both arms go on with clean text of the target's own kind: selection has nothing to gain. */
static void plan_control(repro *r, const origin *main) {
    const choice both[2] = {plain, selective};
    const corpus_mix pure = {1, 0, 0};
    origin o = *main;
    o.s.noisy = pure;
    o.scores = plan_scores(r, &o, "control", 0, TEXT_MATCHED);
    for (int i = 0; i < 2; i++) {
        job *j = add_arm(r, &o, "control", both[i]);
        j->text = TEXT_MATCHED;
        (void)name_job(r, j);
    }
}

/* No base: both arms begin with random weights, and see the text twice. */
static void plan_scratch(repro *r, const origin *main) {
    const choice both[2] = {plain, selective};
    origin o = *main;
    o.base = NO_JOB;
    o.s.steps *= 2;
    o.s.every *= 2;
    for (int i = 0; i < 2; i++) {
        job *j = add_arm(r, &o, "scratch", both[i]);
        j->lr = o.s.base_lr;
        j->lr_of = NULL;
        (void)name_job(r, j);
    }
}

/* Less clean text: what does selective training give that tuning on the clean text alone does not?
   The reference goes eight times through it; more would be learning by heart. */
static void plan_clean(repro *r, const origin *main) {
    static const choice which[4] = {
        {"slm", REPRO_RATIO}, {"slm_tuned", REPRO_RATIO}, {"clm_tuned", 1}, {"mixed", 1}};

    static const size_t sizes[2] = {4000, 15000};
    job *reference = add_job(r, JOB_REFERENCE, "builtin", "clean", "reference", &main->s);
    reference->same_as = main->reference;
    (void)name_job(r, reference);
    repeat_arm(r, main, "clean", plain, "main");
    for (int k = 0; k < 4; k++)
        repeat_arm(r, main, "clean", which[k], "main");
    for (int i = 0; i < 2; i++) {
        settings s = main->s;
        s.clean_bytes = sizes[i];
        s.tune_steps = 8 * sizes[i] / (size_t)(s.B * s.T);
        origin o = plan_origin(r, &s, "builtin", "clean");
        for (int k = 0; k < 4; k++)
            (void)plan_arm(r, &o, "clean", which[k]);
    }
}

static void plan_built_in(repro *r) {
    settings s = repro_built_in;
    origin o = plan_origin(r, &s, "builtin", "main");
    if (!r->quick) {
        o.null_scores = plan_scores_of(r, &o, "main", "null_scores", o.base);
        for (int i = 0; i < ARMS; i++)
            plan_tuning(r, &o, arms[i].name);
    }
    for (s.seed = 1; s.seed <= (r->quick ? 1 : REPRO_SEEDS); s.seed++) {
        o = plan_origin(r, &s, "builtin", "main");
        plan_main(r, &o);
        plan_control(r, &o);
    }
    for (s.seed = 1; s.seed <= REPRO_SEEDS && !r->quick; s.seed++) {
        o = plan_origin(r, &s, "builtin", "main");
        plan_ratios(r, &o);
        plan_self(r, &o);
        plan_weak(r, &o);
        plan_scratch(r, &o);
        plan_clean(r, &o);
        plan_map(r, &o);
    }
}

/* ---- real text ---- */
static const choice real_arms[9] = {
    {"clm", 1},           {"slm", REPRO_RATIO}, {"random", REPRO_RATIO},    {"loss", REPRO_RATIO},
    {"ref", REPRO_RATIO}, {"clm_tuned", 1},     {"slm_tuned", REPRO_RATIO}, {"mixed", 1},
    {"slm", 0.6}};

enum { REAL_ARMS = 9, TUNED_REAL_ARMS = 8, FEW_REAL_ARMS = 3 };

/* The seeds differ in the order of the text alone: base, reference and scores are shared.  GSM8K
   takes over the learning rates that are chosen here. */
static void plan_files(repro *r, const char *corpus, const settings *s, int base) {
    const int is_gsm8k = strcmp(corpus, "gsm8k") == 0;
    const int few = is_gsm8k || r->quick;
    origin o = {corpus, *s, base, NO_JOB, NO_JOB, NO_JOB};
    o.reference = plan_reference(r, &o, "main", 0);
    o.scores = plan_scores(r, &o, "main", 0, TEXT_NOISY);
    for (int i = 0; i < TUNED_REAL_ARMS && !few; i++)
        plan_tuning(r, &o, real_arms[i].arm);
    for (o.s.seed = 1; o.s.seed <= (r->quick ? 1 : REPRO_SEEDS); o.s.seed++) {
        for (int i = 0; i < (few ? FEW_REAL_ARMS : REAL_ARMS); i++) {
            int index = plan_arm(r, &o, "main", real_arms[i]);
            if (o.s.seed > 1 || i > 1 || is_gsm8k) continue;
            r->jobs[index].keep = 1;
            show_in_view(&r->jobs[index], real_arms[i].arm);
        }
    }
}

static size_t size_of(const char *path) {
    struct stat s;
    if (stat(path, &s) == 0 && s.st_size > 0) return (size_t)s.st_size;
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
    const char *corpus = r->raw != NULL ? "user" : "openstax";
    settings s = repro_file_settings(r);
    if (r->raw == NULL && !repro_exists(REPRO_OPENSTAX "/raw.cnxml.txt")) {
        fprintf(stderr,
                "%s is not there: the part on real text is left out (yours: --corpus RAW --clean "
                "CLEAN --eval EVAL)\n",
                REPRO_OPENSTAX);
        return;
    }
    int base = plan_base(r, &s, corpus, 0);
    plan_files(r, corpus, &s, base);
    if (r->quick || r->raw != NULL || !repro_exists(REPRO_GSM8K "/train.jsonl")) return;
    s.clean_bytes = 400000;
    plan_files(r, "gsm8k", &s, base);
}

void repro_plan(repro *r) {
    plan_built_in(r);
    plan_real(r);
}
