/* plan.c: the jobs of the plan: what each is called, which are the same, what each starts from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/options.h"
#include "jobs.h"
#include "plan.h"

const double repro_rates[REPRO_RATES] = {1.25e-4, 2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3, 8e-3};

uint64_t repro_seeds(const repro *r) {
    return r->quick ? 1 : REPRO_SEEDS;
}

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
                 {"times", (double)j->s.noisy_bytes / (double)repro_built_in.noisy_bytes, 1},
                 {"ratio", j->selection.ratio, 1},
                 {"size", j->size, 0},
                 {"lr", same_text(j->set, "tune") ? j->lr : 0, 0},
                 {"seed", (double)j->s.seed, 0}};
    (void)snprintf(j->name, sizeof j->name, "%s-%s-%s", j->corpus, j->set, j->arm);
    /* The first five are of the built-in corpus, and of labels, which is made as that one is. */
    const int is_mixed = job_is_generated(j) && j->s.world == CORPUS_OF_PROBLEMS;
    for (size_t i = is_mixed ? 0 : 5; i < COUNT(marks); i++) {
        size_t used = strlen(j->name);
        if (marks[i].value == marks[i].usual) continue;
        (void)snprintf(j->name + used, sizeof j->name - used, "-%s%g", marks[i].what,
                       marks[i].value);
    }
}

/* Whether two jobs train the same from the same start.  What the reference is for besides its
   scores does not matter.  Ratios and mixes are compared to the bit. */
static int trains_the_same(const job *a, const job *b) {
    return a->start != NULL && a->start == b->start && a->scores == b->scores &&
           same_text(a->corpus, b->corpus) && same_text(a->arm, b->arm) && a->text == b->text &&
           a->share == b->share && a->worth[0] == b->worth[0] && a->worth[1] == b->worth[1] &&
           memcmp(&a->s.noisy, &b->s.noisy, sizeof a->s.noisy) == 0 &&
           a->selection.ratio == b->selection.ratio && a->lr == b->lr && a->lr_of == b->lr_of &&
           a->s.seed == b->s.seed && a->s.steps == b->s.steps &&
           a->s.clean_bytes == b->s.clean_bytes;
}

const job *add_job(repro *r, job *j) {
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

/* Keeps the models of arms for figures 3 and 8, for the heat map, which shows those of seed 1, and
   for the losses without leaks. */
static void keep_model(job *j, const char *set, double ratio) {
    const int is_builtin = job_is_builtin(j);
    const int is_main = same_text(set, "main") && ratio == REPRO_RATIO;
    const int is_real = same_text(j->corpus, "openstax") || same_text(j->corpus, "user");
    const int is_shown = is_main && j->s.seed == 1 && (is_builtin || is_real);
    const int is_confirm = same_text(set, "confirm") && j->s.seed == 1;
    j->keep = is_shown || is_confirm || (is_main && is_builtin);
    if (is_shown)
        (void)snprintf(j->view, sizeof j->view, "%s/%s",
                       is_builtin ? "models" : "models_openstax", j->arm);
}

/* A job whose text is a share of the noisy one needs the scores by which that is chosen; so do some
   rules, and the cleaning in rounds.  Where nothing else is selected, the ratio is that share. */
static void set_worth(job *j, const origin *o, double ratio) {
    const int is_filtered = j->text >= TEXT_DOCUMENTS;
    const int takes_share = is_filtered && j->text != TEXT_ALL_VETOED;
    const int by_scores = is_filtered && j->text != TEXT_RANDOM_DOCUMENTS;
    const int by_base = rule_needs_base(j->rule) || rule_needs_documents(j->rule);
    if (by_scores || by_base || j->rounds > 0) {
        j->worth[0] = o->scores[BY_REFERENCE];
        j->worth[1] = o->scores[BY_BASE];
    }
    if (!takes_share && j->rounds == 0) return;
    j->share = REPRO_RATIO;
    if (j->kind != JOB_ARM || j->selection.criterion != SLM_CRITERION_NONE) return;
    j->share = j->selection.ratio = ratio;
}

/* Of RHO-LOSS' larger batches few sequences are kept.  As many tokens are processed as ever. */
static void enlarge_batch(job *j) {
    enum { LARGER = 20, USUAL = 8 };

    j->s.steps = j->s.steps * USUAL / LARGER;
    j->s.every = j->s.every * USUAL / LARGER;
    j->s.early = 0;
    j->s.B = LARGER;
}

/* At 100% an arm that selects has the learning rate of plain training: it must be that to the
   bit. */
static void set_selection(job *j, const origin *o, const arm *a, double ratio) {
    j->selection.criterion = a->criterion;
    j->selection.scope = a->scope;
    j->rule = a->rule;
    j->rounds = a->rounds;
    if (a->criterion == SLM_CRITERION_NONE && a->rule == RULE_NONE) return;
    j->selection.ratio = j->selection.entropy_ratio = ratio;
    if (ratio == 1) j->lr_of = "clm";
    if (a->criterion == SLM_CRITERION_RANDOM || a->criterion == SLM_CRITERION_LOSS) return;
    if (a->rule == RULE_UNSURE) return;
    j->scores = o->scores[a->by];
}

/* The model whose scores a job makes. */
static const job *scorer(const origin *o, score_kind by) {
    if (by == BY_BASE) return o->base;
    if (by == BY_BOTH) return NULL;
    if (by == BY_CLEAN) return o->clean;
    return by == BY_SECOND ? o->second : o->reference;
}

job new_job(const origin *o, const char *set, const arm *a, double ratio) {
    job j = {.kind = a->kind,
             .corpus = o->corpus,
             .set = set,
             .arm = a->name,
             .s = o->s,
             .text = o->text != TEXT_NOISY && a->text == TEXT_NOISY ? o->text : a->text,
             .selection = {.ratio = 1, .entropy_ratio = 1, .seed = o->s.seed},
             .size = o->size,
             .lr_scale = o->lr_scale,
             .lr_bytes = o->s.noisy_bytes};
    if (o->tuned_bytes > 0) j.lr_bytes = o->tuned_bytes;
    if (a->keep == KEEP_MAIN) keep_model(&j, set, ratio);
    if (a->keep == KEEP_ALWAYS) j.keep = 1;
    switch (a->kind) {
    case JOB_BASE: /* reads no clean and no noisy text: it is the same whatever there is of them */
        j.set = "base";
        j.s.model = o->reference_model;
        j.s.clean_bytes = repro_built_in.clean_bytes;
        j.s.noisy_bytes = repro_built_in.noisy_bytes;
        j.lr = j.s.base_lr;
        break;
    case JOB_REFERENCE:
        j.s.model = o->reference_model;
        j.start = o->tuned_from;
        j.lr = j.s.tune_lr;
        if (a->by == BY_SECOND) {
            j.lr = o->s.arm_lr;
            j.s.tune_steps = o->s.steps / 2;
        }
        break;
    case JOB_SCORES:
        j.reference = scorer(o, a->by);
        if (j.reference != NULL) break;
        j.start = o->base; /* whose tokenizer it takes */
        j.worth[0] = o->scores[BY_REFERENCE];
        j.worth[1] = o->scores[BY_SECOND];
        break;
    case JOB_ARM:
        j.start = o->base;
        j.reference = o->reference;
        j.lr = o->base == NULL ? o->s.base_lr : o->s.arm_lr;
        if (o->base != NULL) j.lr_of = a->name;
        set_selection(&j, o, a, ratio);
        if (a->rule == RULE_SEQUENCES) enlarge_batch(&j);
        if (!a->then_clean) break;
        j.then_clean = o->s.tune_steps;
        j.s.steps -= o->s.tune_steps;
        break;
    }
    set_worth(&j, o, ratio);
    return j;
}

/* ---- the experiments ---- */
/* Three rates; and where the lowest or the highest of them is the best, on from there until it gets
   no better. */
static void plan_tuning(repro *r, const job *arm_job) {
    static const int order[REPRO_RATES] = {2, 3, 4, 1, 0, 5, 6}; /* each after what it waits for */
    const job *trial[REPRO_RATES];
    for (int i = 0; i < REPRO_RATES; i++) {
        const int k = order[i];
        const int step = k < REPRO_FIRST_TRIED ? 1 : -1;
        const int is_beyond = k < REPRO_FIRST_TRIED || k > REPRO_LAST_TRIED;
        job j = *arm_job;
        j.lr_of = NULL;
        j.lr = repro_rates[k];
        j.inward[0] = is_beyond ? trial[k + step] : NULL;
        j.inward[1] = is_beyond ? trial[k + 2 * step] : NULL;
        trial[k] = add_job(r, &j);
    }
}

/* The jobs that follow in a list start from this one. */
static void plan_job(repro *r, origin *o, const arm *a, const job *planned) {
    job j = *planned;
    const job *added = add_job(r, &j);
    if (j.kind == JOB_BASE) o->tuned_from = added;
    if (j.kind == JOB_BASE && (j.size == 0 || o->is_resized)) o->base = added;
    if (j.kind == JOB_REFERENCE && a->by == BY_REFERENCE) o->reference = added;
    if (j.kind == JOB_REFERENCE && a->by == BY_SECOND) o->second = added;
    if (j.kind == JOB_ARM && a->by == BY_CLEAN && a->text == TEXT_CLEAN) o->clean = added;
    if (j.kind == JOB_SCORES) o->scores[a->by] = added;
}

void plan_arms(repro *r, origin *o, const char *set, const char *list) {
    while (*list != '\0') {
        size_t n = strcspn(list, ": ");
        const arm *a = find_arm(list, n);
        double ratio = list[n] == ':' ? atof(list + n + 1) : REPRO_RATIO;
        job j = new_job(o, set, a, ratio);
        if (same_text(set, "tune"))
            plan_tuning(r, &j);
        else
            plan_job(r, o, a, &j);
        list += strcspn(list, " ");
        list += strspn(list, " ");
    }
}

void repro_plan(repro *r) {
    plan_built_in(r);
    plan_facts(r);
    plan_real(r);
    plan_scale(r);
}
