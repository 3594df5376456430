/* plan_facts.c: the experiments on facts that only the noisy text holds, with their settings. */
#include "common/options.h"
#include "jobs.h"
#include "plan.h"

const settings repro_facts = {.world = CORPUS_OF_FACTS,
                              .general = {.target = 0.3, .noise = 0.2, .wrong = 0.4},
                              .noisy = {.target = 0.3, .noise = 0.2, .wrong = 0.4},
                              .general_bytes = 2100000,
                              .noisy_bytes = 1000000,
                              .clean_bytes = 60000,
                              .eval_bytes = 16000,
                              EXPERIMENT_MODEL,
                              .base_steps = 2000,
                              .tune_steps = 200,
                              .steps = 960,
                              .every = 96,
                              .early = 0,
                              .base_lr = 4e-3,
                              .tune_lr = 1e-3,
                              .arm_lr = 2e-3,
                              .seed = 1};

#define FACTS_MODELS MODELS " null_scores doc_scores second second_scores both_scores"
/* Learning rates are chosen for these. */
#define FACTS_ARMS                                                                                 \
    "clm slm random loss doc doc_ppl doc_slm:0.6 mixed clean doc_tuned cleaned:0.6 evolving:0.6 "  \
    "slm_by_second veto doc_veto"
/* And for the remedies that lost in a trial of one seed; of which a quick plan has none. */
#define FACTS_MORE_ARMS "null_reference slm_by_both explore floor split"

void plan_facts(repro *r) {
    origin o = {.corpus = "facts", .s = repro_facts, .reference_model = repro_facts.model};
    plan_arms(r, &o, "main", FACTS_MODELS);
    if (!r->quick) plan_arms(r, &o, "tune", FACTS_ARMS " " FACTS_MORE_ARMS);
    for (o.s.seed = 1; o.s.seed <= repro_seeds(r); o.s.seed++) {
        plan_arms(r, &o, "main", FACTS_MODELS " " FACTS_ARMS);
        if (!r->quick) plan_arms(r, &o, "main", FACTS_MORE_ARMS " slm:0.6");
    }
}
