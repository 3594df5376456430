/* repro_runs_plan.h: the runs of `make repro`, part 5: the plan.  All settings of all experiments stand here. */
#ifndef REPRO_RUNS_PLAN_H
#define REPRO_RUNS_PLAN_H
#include "repro_runs_texts.h"

static const settings built_in = {{0.6, 0.2, 0.4},
                                  {0.6, 0.2, 0.4},
                                  2100000,
                                  600000,
                                  60000,
                                  16000,
                                  {256, 64, 3, 4, 4, 16, 176, 128, 10000, 1e-5, 0},
                                  8,
                                  128,
                                  2000,
                                  200,
                                  480,
                                  32,
                                  4e-3,
                                  1e-3,
                                  1,
                                  16};
static const settings from_files = {{0, 0, 0},
                                    {0, 0, 0},
                                    4000000,
                                    1400000,
                                    480000,
                                    50000,
                                    {1024, 96, 3, 4, 4, 24, 256, 256, 10000, 1e-5, 0},
                                    8,
                                    256,
                                    500,
                                    60,
                                    160,
                                    16,
                                    4e-3,
                                    1e-3,
                                    1,
                                    4};

/* Arms: what is selected, and the learning rate where nothing is tuned. */
typedef struct arm {
    const char *name;
    slm_criterion score;
    slm_scope scope;
    job_text text;
    int tuned_after;
    double lr;
} arm;

static const arm arms[] = {
    {"clm", SLM_CRITERION_NONE, SLM_SCOPE_BATCH, TEXT_NOISY, 0, 1e-3},
    {"slm", SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, TEXT_NOISY, 0, 1e-3},
    {"random", SLM_CRITERION_RANDOM, SLM_SCOPE_BATCH, TEXT_NOISY, 0, 1e-3},
    {"slm_sequence", SLM_CRITERION_EXCESS, SLM_SCOPE_SEQUENCE, TEXT_NOISY, 0, 1e-3},
    {"loss", SLM_CRITERION_LOSS, SLM_SCOPE_BATCH, TEXT_NOISY, 0, 1e-3},
    {"ref", SLM_CRITERION_REF, SLM_SCOPE_BATCH, TEXT_NOISY, 0, 1e-3},
    {"entropy", SLM_CRITERION_ENTROPY, SLM_SCOPE_BATCH, TEXT_NOISY, 0, 1e-3},
    {"intersect", SLM_CRITERION_INTERSECT, SLM_SCOPE_BATCH, TEXT_NOISY, 0, 1e-3},
    {"union", SLM_CRITERION_UNION, SLM_SCOPE_BATCH, TEXT_NOISY, 0, 1e-3},
    {"oracle", SLM_CRITERION_NONE, SLM_SCOPE_BATCH, TEXT_ORACLE, 0, 1e-3},
    {"filtered", SLM_CRITERION_NONE, SLM_SCOPE_BATCH, TEXT_FILTERED, 0, 1e-3},
    {"mixed", SLM_CRITERION_NONE, SLM_SCOPE_BATCH, TEXT_MIXED, 0, 1e-3},
    {"clm_tuned", SLM_CRITERION_NONE, SLM_SCOPE_BATCH, TEXT_NOISY, 1, 1e-3},
    {"slm_tuned", SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, TEXT_NOISY, 1, 1e-3},
    {"null_reference", SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, TEXT_NOISY, 0, 1e-3},
};
#define ARMS ((int)(sizeof arms / sizeof arms[0]))
#define REPRO_SEEDS 5
static const double tuning_rates[3] = {5e-4, 1e-3, 2e-3};

/* ---- one job ---- */
static job *plan_add(repro *r, job_kind kind, const char *set, const char *name,
                     const settings *s) {
    job *j = &r->jobs[r->n++];
    if (r->n > REPRO_JOBS) {
        fprintf(stderr, "the plan has more than %d jobs\n", REPRO_JOBS);
        exit(1);
    }
    memset(j, 0, sizeof *j);
    j->kind = kind;
    j->corpus = s->model.vocab == 256 ? "builtin" : "openstax";
    j->set = set;
    j->arm = name;
    j->s = *s;
    j->start = j->reference = j->scores = j->same_as = -1;
    j->selection.ratio = 1;
    j->selection.seed = s->seed;
    return j;
}

static void name_append(job *j, const char *letter, double value) {
    size_t n = strlen(j->name);
    (void)snprintf(j->name + n, sizeof j->name - n, "-%s%g", letter, value);
}

/* Names the job by what sets it apart, and returns its index: that of the job of this name if there is one already. */
static int plan_named(repro *r, job *j) {
    int i, builtin = strcmp(j->corpus, "builtin") == 0;
    (void)snprintf(j->name, sizeof j->name, "%s-%s-%s", j->corpus, j->set, j->arm);
    if (builtin && j->s.noisy.target != built_in.noisy.target)
        name_append(j, "target", j->s.noisy.target);
    if (builtin && j->s.noisy.noise != built_in.noisy.noise)
        name_append(j, "noise", j->s.noisy.noise);
    if (builtin && j->s.noisy.wrong != built_in.noisy.wrong)
        name_append(j, "wrong", j->s.noisy.wrong);
    if (builtin && j->s.clean_bytes != built_in.clean_bytes)
        name_append(j, "clean", (double)j->s.clean_bytes);
    if (j->selection.ratio != 1) name_append(j, "ratio", j->selection.ratio);
    if (j->size > 0) name_append(j, "size", j->size);
    if (strcmp(j->set, "tune") == 0) name_append(j, "lr", j->lr);
    name_append(j, "seed", (double)j->s.seed);
    for (i = 0; i < r->n - 1; i++)
        if (strcmp(r->jobs[i].name, j->name) == 0) {
            r->n--;
            return i;
        }
    return r->n - 1;
}

static int plan_base(repro *r, const settings *s, const char *corpus, double size) {
    job *j = plan_add(r, JOB_BASE, "base", "base", s);
    j->corpus = corpus;
    j->size = size;
    j->s.clean_bytes = built_in.clean_bytes;
    j->keep = 1;
    if (s->seed == 1 && size == 0)
        j->view = strcmp(corpus, "builtin") == 0 ? "models/base" : "models_openstax/base";
    return plan_named(r, j);
}

static int plan_reference(repro *r, const settings *s, const char *corpus, const char *set,
                          int base, double size) {
    job *j = plan_add(r, JOB_REFERENCE, set, "reference", s);
    j->corpus = corpus;
    j->start = base;
    j->size = size;
    j->keep = 1;
    if (s->seed == 1 && strcmp(set, "main") == 0)
        j->view = strcmp(corpus, "builtin") == 0 ? "models/reference"
                  : strcmp(corpus, "gsm8k") == 0 ? NULL
                                                 : "models_openstax/reference";
    return plan_named(r, j);
}

static int plan_scores(repro *r, const settings *s, const char *corpus, const char *set,
                       const char *name, int model, job_text text, double size) {
    job *j = plan_add(r, JOB_SCORES, set, name, s);
    j->corpus = corpus;
    j->reference = model;
    j->text = text;
    j->size = size;
    return plan_named(r, j);
}

static int needs_scores(const arm *a) {
    return a->score != SLM_CRITERION_NONE && a->score != SLM_CRITERION_RANDOM &&
           a->score != SLM_CRITERION_LOSS;
}

static const arm *arm_named(const char *name) {
    int i = 0;
    while (i + 1 < ARMS && strcmp(arms[i].name, name) != 0)
        i++;
    return &arms[i];
}

/* What an arm starts from: indices of jobs. */
typedef struct origin {
    const char *corpus;
    settings s;
    int base, reference, scores, null_scores;
} origin;

static job *plan_arm(repro *r, const origin *o, const char *set, const char *name, double ratio) {
    const arm *a = arm_named(name);
    job *j = plan_add(r, JOB_ARM, set, a->name, &o->s);
    j->corpus = o->corpus;
    j->text = a->text;
    j->selection.criterion = a->score;
    j->selection.scope = a->scope;
    j->selection.ratio = a->score == SLM_CRITERION_NONE ? 1 : ratio;
    j->selection.entropy_ratio = j->selection.ratio;
    j->lr = a->lr;
    j->lr_of = a->name;
    if (a->tuned_after) {
        j->then_clean = o->s.tune_steps;
        j->s.steps -= o->s.tune_steps;
    }
    j->start = o->base;
    j->reference = o->reference;
    j->scores = !needs_scores(a)                      ? -1
                : strcmp(name, "null_reference") == 0 ? o->null_scores
                                                      : o->scores;
    return j;
}

static int plan_simple(repro *r, const origin *o, const char *set, const char *name, double ratio) {
    return plan_named(r, plan_arm(r, o, set, name, ratio));
}

/* The same job as another, told in another set. */
static void plan_again(repro *r, const origin *o, const char *set, const char *name, double ratio,
                       int of) {
    job *j = plan_arm(r, o, set, name, ratio);
    j->same_as = of;
    (void)plan_named(r, j);
}

/* ---- the experiments ---- */
static origin plan_origin(repro *r, const settings *s, const char *corpus, const char *set) {
    origin o;
    memset(&o, 0, sizeof o);
    o.corpus = corpus;
    o.s = *s;
    o.base = plan_base(r, s, corpus, 0);
    o.reference = plan_reference(r, s, corpus, set, o.base, 0);
    o.scores = plan_scores(r, s, corpus, set, "scores", o.reference, TEXT_NOISY, 0);
    o.null_scores = -1;
    return o;
}

static void plan_tuning(repro *r, const origin *o, const char *name) {
    int k;
    for (k = 0; k < 3; k++) {
        job *j = plan_arm(r, o, "tune", name, REPRO_RATIO);
        j->lr_of = NULL;
        j->lr = tuning_rates[k];
        (void)plan_named(r, j);
    }
}

static int find_arm(const repro *r, const char *corpus, const char *set, const char *name,
                    double ratio, uint64_t seed) {
    int i;
    for (i = 0; i < r->n; i++) {
        const job *j = &r->jobs[i];
        if (strcmp(j->corpus, corpus) == 0 && strcmp(j->set, set) == 0 &&
            strcmp(j->arm, name) == 0 && j->s.seed == seed && j->selection.ratio == ratio)
            return j->same_as >= 0 ? j->same_as : i;
    }
    return -1;
}

static void plan_main(repro *r, origin *o) {
    int i, index;
    o->null_scores =
        plan_scores(r, &o->s, o->corpus, "main", "null_scores", o->base, TEXT_NOISY, 0);
    for (i = 0; i < ARMS; i++) {
        index = plan_simple(r, o, "main", arms[i].name, REPRO_RATIO);
        if (i > 1) continue;
        r->jobs[index].keep = 1;
        if (o->s.seed == 1) r->jobs[index].view = i == 0 ? "models/clm" : "models/slm";
    }
}

static void plan_ratios(repro *r, const origin *o) {
    static const double ratios[10] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0};
    const uint64_t seed = o->s.seed;
    int i;
    for (i = 0; i < 10; i++) {
        if (ratios[i] == REPRO_RATIO)
            plan_again(r, o, "ratio", "slm", REPRO_RATIO,
                       find_arm(r, "builtin", "main", "slm", REPRO_RATIO, seed));
        else {
            int index = plan_simple(r, o, "ratio", "slm", ratios[i]);
            if (ratios[i] == 1.0)
                r->jobs[index].lr_of = "clm"; /* must be plain training to the bit: really run */
        }
    }
}

/* How it hangs on the noise (set map: share of noise x ratio) and on the rest of the mix (set mix).  At the built-in mix these are
   runs of the sets main and ratio. */
static void plan_mix(repro *r, const settings *s, const char *set, corpus_mix mix,
                     const double *ratios, int n) {
    settings one = *s;
    origin o;
    int i;
    one.general = one.noisy = mix;
    o = plan_origin(r, &one, "builtin", set);
    (void)plan_simple(r, &o, set, "clm", 1);
    for (i = 0; i < n; i++)
        (void)plan_simple(r, &o, set, "slm", ratios[i]);
}

static void plan_map(repro *r, const origin *main) {
    static const double ratios[3] = {0.2, 0.4, 0.6}, noises[3] = {0, 0.4, 0.6};
    const corpus_mix all_right = {built_in.noisy.target, built_in.noisy.noise, 0};
    const corpus_mix off_target = {0.2, built_in.noisy.noise, built_in.noisy.wrong};
    corpus_mix mix = built_in.noisy;
    uint64_t seed = main->s.seed;
    int i;
    for (i = 0; i < 3; i++) {
        mix.noise = noises[i];
        plan_mix(r, &main->s, "map", mix, ratios, 3);
    }
    plan_again(r, main, "map", "clm", 1, find_arm(r, "builtin", "main", "clm", 1, seed));
    for (i = 0; i < 3; i++)
        plan_again(r, main, "map", "slm", ratios[i],
                   find_arm(r, "builtin", "ratio", "slm", ratios[i], seed));
    plan_mix(r, &main->s, "mix", all_right, ratios + 1, 1);
    plan_mix(r, &main->s, "mix", off_target, ratios + 1, 1);
    plan_again(r, main, "mix", "clm", 1, find_arm(r, "builtin", "main", "clm", 1, seed));
    plan_again(r, main, "mix", "slm", REPRO_RATIO,
               find_arm(r, "builtin", "main", "slm", REPRO_RATIO, seed));
}

/* The reference is plain training's end: it has seen the corpus and nothing clean. */
static void plan_self(repro *r, const origin *main) {
    static const struct {
        const char *arm;
        double ratio;
    } self[7] = {{"slm", 0.6}, {"slm", 0.8},     {"ref", 0.5},      {"ref", 0.7},
                 {"ref", 0.9}, {"entropy", 0.7}, {"intersect", 0.8}};

    origin o = *main;
    int i;
    o.reference = find_arm(r, "builtin", "main", "clm", 1, o.s.seed);
    o.scores = plan_scores(r, &o.s, "builtin", "self", "scores", o.reference, TEXT_NOISY, 0);
    plan_again(r, main, "self", "clm", 1, o.reference);
    for (i = 0; i < 7; i++)
        (void)plan_simple(r, &o, "self", self[i].arm, self[i].ratio);
}

/* Smaller references: a base and a reference of their own. */
static void plan_weak(repro *r, const origin *main) {
    static const struct {
        double size;
        int32_t dim, layers, heads, ffn;
    } weak[2] = {{0.0625, 16, 1, 2, 40}, {0.25, 32, 2, 4, 88}};

    job *j;
    int i;
    plan_again(r, main, "weak", "clm", 1, find_arm(r, "builtin", "main", "clm", 1, main->s.seed));
    for (i = 0; i < 2; i++) {
        origin o = *main;
        int base;
        o.s.model.dim = weak[i].dim;
        o.s.model.n_layers = weak[i].layers;
        o.s.model.n_heads = o.s.model.n_kv_heads = weak[i].heads;
        o.s.model.head_dim = weak[i].dim / weak[i].heads;
        o.s.model.ffn = weak[i].ffn;
        base = plan_base(r, &o.s, "builtin", weak[i].size);
        o.reference = plan_reference(r, &o.s, "builtin", "weak", base, weak[i].size);
        o.s = main->s;
        o.scores = plan_scores(r, &o.s, "builtin", "weak", "scores", o.reference, TEXT_NOISY,
                               weak[i].size);
        j = plan_arm(r, &o, "weak", "slm", REPRO_RATIO);
        j->size = weak[i].size;
        (void)plan_named(r, j);
    }
    j = plan_arm(r, main, "weak", "slm", REPRO_RATIO);
    j->size = 1;
    j->same_as = find_arm(r, "builtin", "main", "slm", REPRO_RATIO, main->s.seed);
    (void)plan_named(r, j);
}

/* Both arms go on on clean text of the target's own kind: selection has nothing to gain. */
static void plan_control(repro *r, const origin *main) {
    origin o = *main;
    job *j;
    o.s.noisy.target = 1;
    o.s.noisy.noise = o.s.noisy.wrong = 0;
    o.scores = plan_scores(r, &o.s, "builtin", "control", "scores", o.reference, TEXT_MATCHED, 0);
    j = plan_arm(r, &o, "control", "clm", 1);
    j->text = TEXT_MATCHED;
    (void)plan_named(r, j);
    j = plan_arm(r, &o, "control", "slm", REPRO_RATIO);
    j->text = TEXT_MATCHED;
    (void)plan_named(r, j);
}

/* No base: both arms begin with random weights, and see the text twice. */
static void plan_scratch(repro *r, const origin *main) {
    origin o = *main;
    int i;
    o.base = -1;
    o.s.steps *= 2;
    o.s.every *= 2;
    for (i = 0; i < 2; i++) {
        job *j = plan_arm(r, &o, "scratch", i == 0 ? "clm" : "slm", REPRO_RATIO);
        j->lr = o.s.base_lr;
        j->lr_of = NULL;
        (void)plan_named(r, j);
    }
}

/* Less clean text: what does selective training give that tuning on the clean text alone does not? */
static void plan_clean(repro *r, const origin *main) {
    static const char *const which[4] = {"slm", "slm_tuned", "clm_tuned", "mixed"};
    static const size_t sizes[2] = {4000, 15000};
    int i, k;
    job *reference = plan_add(r, JOB_REFERENCE, "clean", "reference", &main->s);
    reference->same_as = main->reference;
    (void)plan_named(r, reference);
    plan_again(r, main, "clean", "clm", 1, find_arm(r, "builtin", "main", "clm", 1, main->s.seed));
    for (k = 0; k < 4; k++)
        plan_again(r, main, "clean", which[k], REPRO_RATIO,
                   find_arm(r, "builtin", "main", which[k], k < 2 ? REPRO_RATIO : 1, main->s.seed));
    for (i = 0; i < 2; i++) {
        settings s = main->s;
        origin o;
        s.clean_bytes = sizes[i];
        s.tune_steps =
            8 * sizes[i] / (size_t)(s.B * s.T); /* eight times through it: more would be by heart */
        o = plan_origin(r, &s, "builtin", "clean");
        for (k = 0; k < 4; k++)
            (void)plan_simple(r, &o, "clean", which[k], REPRO_RATIO);
    }
}

/* ---- real text ---- */
/* The seeds differ in the order of the text alone: base, reference and scores are shared. */
static void plan_files(repro *r, const char *corpus, const settings *s, int base) {
    static const struct {
        const char *arm;
        double ratio;
    } which[9] = {{"clm", 1},
                  {"slm", REPRO_RATIO},
                  {"random", REPRO_RATIO},
                  {"loss", REPRO_RATIO},
                  {"ref", REPRO_RATIO},
                  {"clm_tuned", 1},
                  {"slm_tuned", REPRO_RATIO},
                  {"mixed", 1},
                  {"slm", 0.6}};

    const int gsm8k = strcmp(corpus, "gsm8k") == 0, arms_here = gsm8k || r->quick ? 3 : 9;
    origin o;
    int i, index;
    memset(&o, 0, sizeof o);
    o.corpus = corpus;
    o.s = *s;
    o.base = base;
    o.reference = plan_reference(r, s, corpus, "main", o.base, 0);
    o.scores = plan_scores(r, s, corpus, "main", "scores", o.reference, TEXT_NOISY, 0);
    for (i = 0; i < 8 && !r->quick && !gsm8k; i++)
        plan_tuning(r, &o, which[i].arm); /* gsm8k takes over what is chosen here */
    for (o.s.seed = 1; o.s.seed <= (r->quick ? 1 : REPRO_SEEDS); o.s.seed++)
        for (i = 0; i < arms_here; i++) {
            index = plan_simple(r, &o, "main", which[i].arm, which[i].ratio);
            if (o.s.seed > 1 || i > 1 || gsm8k) continue;
            r->jobs[index].keep = 1;
            r->jobs[index].view = i == 0 ? "models_openstax/clm" : "models_openstax/slm";
        }
}

static size_t size_of(const char *path) {
    struct stat s;
    if (stat(path, &s) == 0 && s.st_size > 0) return (size_t)s.st_size;
    fprintf(stderr, "%s: not there, or empty\n", path);
    exit(3);
}

/* Smaller files of the user: smaller parts. */
static settings settings_for_files(const repro *r) {
    settings s = from_files;
    size_t raw, clean;
    if (r->raw == NULL) return s;
    raw = size_of(r->raw);
    clean = size_of(r->clean);
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
    settings files = settings_for_files(r), gsm8k = files;
    int base;
    if (r->raw == NULL && !repro_exists(REPRO_OPENSTAX "/raw.cnxml.txt")) {
        fprintf(stderr,
                "%s is not there: the part on real text is left out (yours: --corpus RAW --clean "
                "CLEAN --eval EVAL)\n",
                REPRO_OPENSTAX);
        return;
    }
    base = plan_base(r, &files, corpus, 0);
    plan_files(r, corpus, &files, base);
    if (r->quick || r->raw != NULL || !repro_exists(REPRO_GSM8K "/train.jsonl")) return;
    gsm8k.clean_bytes = 400000;
    plan_files(r, "gsm8k", &gsm8k, base);
}

static void plan_all(repro *r) {
    settings s = built_in;
    origin o;
    uint64_t seed;
    int i;
    s.seed = 1;
    o = plan_origin(r, &s, "builtin", "main");
    if (!r->quick) {
        o.null_scores = plan_scores(r, &s, "builtin", "main", "null_scores", o.base, TEXT_NOISY, 0);
        for (i = 0; i < ARMS; i++)
            plan_tuning(r, &o, arms[i].name);
    }
    for (seed = 1; seed <= (r->quick ? 1 : REPRO_SEEDS); seed++) {
        s.seed = seed;
        o = plan_origin(r, &s, "builtin", "main");
        plan_main(r, &o);
        plan_control(r, &o);
    }
    for (seed = 1; seed <= REPRO_SEEDS && !r->quick; seed++) {
        s.seed = seed;
        o = plan_origin(r, &s, "builtin", "main");
        plan_ratios(r, &o);
        plan_self(r, &o);
        plan_weak(r, &o);
        plan_scratch(r, &o);
        plan_clean(r, &o);
        plan_map(r, &o);
    }
    plan_real(r);
}
#endif
