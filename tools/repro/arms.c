/* arms.c: what is trained: every kind of run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/options.h"
#include "jobs.h"
#include "plan.h"

static const arm arms[] = {
    /* What the arms are made from, and those of the paper with their controls. */
    {"base", .kind = JOB_BASE, .keep = KEEP_ALWAYS},
    {"reference", .kind = JOB_REFERENCE, .text = TEXT_CLEAN, .keep = KEEP_ALWAYS},
    {"scores", .kind = JOB_SCORES},
    {"null_scores", .kind = JOB_SCORES, .by = BY_BASE},
    {"clm", .keep = KEEP_MAIN},
    {"slm", .criterion = SLM_CRITERION_EXCESS, .keep = KEEP_MAIN},
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
    {"null_reference", .criterion = SLM_CRITERION_EXCESS, .by = BY_BASE},

    /* The clean text alone, for as many steps as an arm; and selection by what it has become. */
    {"clean", .text = TEXT_CLEAN, .by = BY_CLEAN, .keep = KEEP_ALWAYS},
    {"clean_scores", .kind = JOB_SCORES, .by = BY_CLEAN},
    {"slm_by_clean", .criterion = SLM_CRITERION_EXCESS, .by = BY_CLEAN},

    /* Whole documents, by the two models that selection has.  By mean excess it is CoLoR-Filter
       (2406.10670), but for documents of any length in the place of sequences; and it is the
       cross-entropy difference of Moore and Lewis (2010) with these models in the place of n-grams.
       By the reference's loss it is CCNet's filter (1911.00359), which has an n-gram model and
       cuts at quantiles of a language. */
    {"doc", .text = TEXT_DOCUMENTS},
    {"doc_ppl", .text = TEXT_LIKELY_DOCUMENTS},
    {"doc_random", .text = TEXT_RANDOM_DOCUMENTS},
    {"page", .text = TEXT_PAGES},
    {"window", .text = TEXT_WINDOWS},
    {"doc_tuned", .text = TEXT_DOCUMENTS, .then_clean = 1},
    {"doc_scores",
     .kind = JOB_SCORES,
     .text = TEXT_DOCUMENTS,
     .by = BY_REFERENCE_ON_DOCUMENTS},
    {"doc_slm",
     .text = TEXT_DOCUMENTS,
     .criterion = SLM_CRITERION_EXCESS,
     .by = BY_REFERENCE_ON_DOCUMENTS},
    {"doc_slm_tuned",
     .text = TEXT_DOCUMENTS,
     .criterion = SLM_CRITERION_EXCESS,
     .by = BY_REFERENCE_ON_DOCUMENTS,
     .then_clean = 1},

    /* Rules of other papers: lab/token_rules.h says of which, and what was changed.  ESLM by loss
       is the arm `loss`. */
    {"rho_sequences", .rule = RULE_SEQUENCES},
    {"soft", .rule = RULE_SOFT},
    {"stochastic", .rule = RULE_STOCHASTIC},
    {"smooth", .rule = RULE_SMOOTH},
    {"eslm", .rule = RULE_UNSURE},

    /* Token Cleaning (2502.01968), which is for tuning on instructions: tokens ranked over the
       whole text by excess, once; here the reference is tuned on the clean text, there on a part of
       the text itself.  Self-evolving: in rounds, with what the model became on the part before as
       the reference; there the first reference is tuned on the first part.  Six tenths are kept, as
       there. */
    {"cleaned", .text = TEXT_CLEANED},
    {"evolving", .rounds = 4},

    /* Remedies for what the reference does not know. */
    {"second",
     .kind = JOB_REFERENCE,
     .text = TEXT_DOCUMENTS,
     .by = BY_SECOND,
     .keep = KEEP_ALWAYS},
    {"second_scores", .kind = JOB_SCORES, .by = BY_SECOND},
    {"slm_by_second", .criterion = SLM_CRITERION_EXCESS, .by = BY_SECOND},
    {"both_scores", .kind = JOB_SCORES, .by = BY_BOTH},
    {"slm_by_both", .criterion = SLM_CRITERION_EXCESS, .by = BY_BOTH},
    /* Neither asks what the model knows already: what it has learned better than the reference,
       which excess loss drops, it may go on learning. */
    {"veto", .text = TEXT_ALL_VETOED},
    {"doc_veto", .text = TEXT_VETOED},
    {"explore", .rule = RULE_EXPLORE},
    {"floor", .rule = RULE_FLOOR},
    {"blend", .rule = RULE_BLEND},
    {"split", .rule = RULE_SPLIT},
};

enum { ARMS = COUNT(arms) };

const arm *find_arm(const char *name, size_t n) {
    for (int i = 0; i < ARMS; i++)
        if (strlen(arms[i].name) == n && strncmp(arms[i].name, name, n) == 0) return &arms[i];
    fprintf(stderr, "%s: there is no such arm\n", name);
    exit(1);
}
