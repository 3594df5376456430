/* plan_scale.c: more text, larger models: the sets multiplier and sizes on the built-in corpus, and
 * the confirmatory run on real text, whose claim is in .github/PREREGISTERED.md. */
#include <math.h>
#include "common/options.h"
#include "jobs.h"
#include "plan.h"

/* ---- multiplier: how much more noisy text brings plain training where selection ends ---- */
static const size_t multiples[] = {2, 4, 8, 16};

/* The text begins with that of set main and goes on with fresh documents.  Each length has its own
   learning rate. */
static void plan_multiple(repro *r, const origin *main, size_t times) {
    origin o = *main;
    o.s.noisy_bytes *= times;
    o.s.steps *= times;
    o.s.every = o.s.steps / 4;
    o.s.early = 0;
    if (o.s.seed == 1) plan_arms(r, &o, "tune", "clm");
    plan_arms(r, &o, "multiplier", "clm");
}

/* ---- sizes: model, base and reference, all of one width ---- */
typedef struct model_size {
    int32_t dim, layers, ffn;
    double millions; /* of weights */
} model_size;

static const model_size sizes[] = {
    {32, 3, 96, 0.06}, {64, 3, 176, 0.18}, {128, 4, 344, 0.86}, {256, 4, 688, 3.3}};

/* The larger models are dear, so that all have fewer steps than in set main, and are measured less
   often.  Learning rates are not tuned anew: they are those of the built-in model, times its width
   over this one. */
static void plan_size(repro *r, const origin *main, const model_size *size) {
    origin o = *main;
    settings *s = &o.s;
    o.is_resized = 1;
    o.size = size->millions;
    o.lr_scale = (double)repro_built_in.model.dim / size->dim;
    s->model.dim = size->dim;
    s->model.n_layers = size->layers;
    s->model.head_dim = size->dim / s->model.n_heads;
    s->model.ffn = size->ffn;
    o.reference_model = s->model;
    o.tuned_bytes = s->noisy_bytes;
    s->noisy_bytes /= 2;
    s->base_steps = 1000;
    s->tune_steps = 100;
    s->steps = 240;
    s->every = 40;
    s->early = 0;
    s->base_lr *= o.lr_scale;
    s->tune_lr *= o.lr_scale;
    plan_arms(r, &o, "sizes", MODELS " clm slm");
}

/* ---- confirm: one run that was announced before it was made, see .github/PREREGISTERED.md ---- */
enum { CONFIRM_SEEDS = 3 };

const settings repro_confirm = {.noisy = {NAN, NAN, NAN},
                                .general_bytes = 6000000,
                                .noisy_bytes = 1800000,
                                .clean_bytes = 430000,
                                .eval_bytes = 100000,
                                .model = {.vocab = 1024,
                                          .dim = 288,
                                          .n_layers = 5,
                                          .n_heads = 6,
                                          .n_kv_heads = 6,
                                          .head_dim = 48,
                                          .ffn = 768,
                                          .max_seq = 256,
                                          .rope_theta = 10000,
                                          .norm_eps = 1e-5},
                                .B = 8,
                                .T = 256,
                                .base_steps = 1000,
                                .tune_steps = 80,
                                .steps = 320,
                                .every = 32,
                                .early = 8,
                                .base_lr = 1.5e-3,
                                .tune_lr = 5e-4,
                                .arm_lr = 5e-4,
                                .seed = 1};

/* Every seed has its own base, reference and scores; learning rates are not tuned. */
static void plan_confirm(repro *r) {
    origin o = {.corpus = "confirm", .s = repro_confirm, .reference_model = repro_confirm.model};
    for (o.s.seed = 1; o.s.seed <= CONFIRM_SEEDS; o.s.seed++) {
        plan_arms(r, &o, "confirm", MODELS " null_scores");
        plan_arms(r, &o, "confirm", FEW_ARMS " doc clean");
    }
}

void plan_scale(repro *r) {
    origin o = {.corpus = "builtin", .s = repro_built_in, .reference_model = repro_built_in.model};
    for (o.s.seed = 1; o.s.seed <= repro_seeds(r) && !r->quick; o.s.seed++) {
        plan_arms(r, &o, "main", MODELS);
        plan_arms(r, &o, "multiplier", "clm slm");
        for (size_t i = 0; i < COUNT(multiples); i++)
            plan_multiple(r, &o, multiples[i]);
        for (size_t i = 0; i < COUNT(sizes); i++)
            plan_size(r, &o, &sizes[i]);
    }
    if (!r->quick && r->raw == NULL && repro_exists(REPRO_OPENSTAX "/raw.cnxml.txt"))
        plan_confirm(r);
}
