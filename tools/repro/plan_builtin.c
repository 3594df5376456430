/* plan_builtin.c: the experiments on the built-in corpus, with their settings. */
#include "common/options.h"
#include "jobs.h"
#include "plan.h"

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
                                 .arm_lr = 2e-3,
                                 .seed = 1};

#define MAIN_MODELS                                                                                \
    MODELS " null_scores doc_scores clean clean_scores second second_scores both_scores"
#define MAIN_ARMS                                                                                  \
    "clm slm random slm_sequence loss ref entropy intersect union oracle filtered mixed "          \
    "clm_tuned slm_tuned null_reference clean"
#define DOCUMENT_ARMS                                                                              \
    "doc doc_ppl doc_random window rho_sequences doc_slm:0.6 doc_tuned doc_slm_tuned:0.6"
#define FOLLOWERS "cleaned:0.6 evolving:0.6 soft stochastic smooth eslm slm_by_clean"
#define REMEDIES "slm_by_second slm_by_both veto doc_veto explore floor split"
#define LABEL_MODELS "scores null_scores doc_scores clean_scores"
#define LABEL_ARMS                                                                                 \
    "clm slm random doc page doc_slm:0.6 doc_veto oracle slm_by_clean veto"

/* In what a row of the plan differs from the set main.  What does not differ is not run again. */
typedef enum change {
    NO_CHANGE,
    NOISE, /* another mix */
    WRONG,
    TARGET,
    CLEAN_BYTES,    /* less clean text; the reference goes eight times through it: more would be
                       learning by heart */
    REFERENCE_SIZE, /* a smaller reference, tuned from a base of its own, at higher rates */
    SELF_REFERENCE, /* the end of plain training: it has seen the corpus and nothing clean */
    WRONG_ONLY,     /* problems and nothing else, some of their results wrong: see plan_labels */
    MATCHED_TEXT,   /* clean text of the target's own kind: selection has nothing to gain */
    NO_BASE         /* the arms begin with random weights, and see the text twice */
} change;

typedef struct set_row {
    const char *set;
    change change;
    double value;
    const char *arms;
} set_row;

/* For each seed.  A quick plan has the control, and the sets that compare arms. */
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
    {"clean", NO_CHANGE, 0, "reference clm slm slm_tuned clm_tuned mixed doc clean"},
    {"clean", CLEAN_BYTES, 4000, "reference scores slm slm_tuned clm_tuned mixed doc clean"},
    {"clean", CLEAN_BYTES, 15000, "reference scores slm slm_tuned clm_tuned mixed doc clean"},
    {"map", NOISE, 0, MODELS " clm slm:0.2 slm:0.4 slm:0.6"},
    {"map", NOISE, 0.4, MODELS " clm slm:0.2 slm:0.4 slm:0.6"},
    {"map", NOISE, 0.6, MODELS " clm slm:0.2 slm:0.4 slm:0.6"},
    {"map", NO_CHANGE, 0, "clm slm:0.2 slm:0.4 slm:0.6"},
    {"mix", WRONG, 0, MODELS " clm slm"},
    {"mix", TARGET, 0.2, MODELS " clm slm"},
    {"mix", NO_CHANGE, 0, "clm slm"},
    {"documents", NO_CHANGE, 0, "clm slm doc:0.6 clean clm_tuned slm_tuned " DOCUMENT_ARMS},
    {"followers", NO_CHANGE, 0, "clm slm loss " FOLLOWERS},
    {"remedies", NO_CHANGE, 0, "clm slm doc " REMEDIES},
};

/* Of the corpus "labels".  A quick plan has the middle one. */
static const set_row label_rows[] = {
    {"labels", WRONG_ONLY, 0.1, LABEL_MODELS " " LABEL_ARMS},
    {"labels", WRONG_ONLY, 0.3, LABEL_MODELS " " LABEL_ARMS},
    {"labels", WRONG_ONLY, 0.6, LABEL_MODELS " " LABEL_ARMS},
};
enum { QUICK_LABELS = 1 };

/* Sizes are shares of the main model's weights.  Learning rates grow as the width shrinks. */
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
        const double scale = (double)o->s.model.dim / small[i].dim;
        o->s.base_lr *= scale;
        o->s.tune_lr *= scale;
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
    case WRONG_ONLY:
        s->noisy = (corpus_mix){1, 0, row->value};
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

static int is_quick(const set_row *row) {
    return same_text(row->set, "documents") || same_text(row->set, "followers") ||
           same_text(row->set, "remedies");
}

/* One kind of document, and nothing off the target: documents cannot be told apart by their topic.
   Base and reference are those of the built-in corpus, so that only the text to select from
   differs. */
static void plan_labels(repro *r, const origin *main) {
    const set_row *quick = &label_rows[QUICK_LABELS];
    origin o = *main;
    o.corpus = "labels";
    for (size_t i = 0; i < COUNT(label_rows); i++)
        if (!r->quick || &label_rows[i] == quick) plan_row(r, &o, &label_rows[i]);
    if (r->quick || o.s.seed > 1) return;
    o.s.noisy = (corpus_mix){1, 0, quick->value};
    plan_arms(r, &o, quick->set, LABEL_MODELS);
    plan_arms(r, &o, "tune", LABEL_ARMS);
}

void plan_built_in(repro *r) {
    origin o = {.corpus = "builtin", .s = repro_built_in, .reference_model = repro_built_in.model};
    plan_arms(r, &o, "main", MAIN_MODELS);
    if (!r->quick)
        plan_arms(r, &o, "tune", MAIN_ARMS " " DOCUMENT_ARMS " " FOLLOWERS " " REMEDIES);
    for (o.s.seed = 1; o.s.seed <= repro_seeds(r); o.s.seed++) {
        plan_arms(r, &o, "main", MAIN_MODELS " " MAIN_ARMS);
        plan_row(r, &o, &control);
        plan_labels(r, &o);
    }
    for (o.s.seed = 1; o.s.seed <= repro_seeds(r); o.s.seed++) {
        plan_arms(r, &o, "main", MAIN_MODELS);
        for (size_t i = 0; i < COUNT(rows); i++)
            if (!r->quick || is_quick(&rows[i])) plan_row(r, &o, &rows[i]);
    }
}
