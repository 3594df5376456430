/* rules.h: the rules by which claims are decided from the numbers.
 *
 * The rules need three seeds; with fewer a claim is open.  "Better" or "above" means that both 95%
 * intervals (bootstrap and Student's t, over paired seeds) lie on that side; where they do not, the
 * claim is open: within seed noise. */
#ifndef RULES_H
#define RULES_H
#include "findings.h"

typedef struct claim_row claim_row;

/* Works out a claim: what was found, and the verdict. */
typedef void claim_rule(claim *c);

typedef enum claim_scope {
    ONCE,     /* on the built-in corpus */
    ON_GOALS, /* on each corpus; on the first two also if it was not run: then it is open */
    ON_GOALS_BY_ACCURACY, /* the same, where there is accuracy */
    ON_CORPORA,           /* on each corpus that was run */
    ON_CORPORA_WITH_ARMS, /* ... and on all but the built-in one only if its arms were run */
    ON_CORPORA_WITH_PIECE /* ... or only if losses on the fixed piece were measured */
} claim_scope;

struct claim_row {
    const char *id;
    int part;
    claim_scope scope;
    const char *set;   /* the runs that decide it */
    const char *title; /* of a claim on corpora: what follows "On the built-in corpus" */
    const char *paper, *falsifier;
    claim_rule *rule;
    const char *a, *b; /* arms that the rule compares, where it does not know them itself */
    data_column metric;
};

/* ---- claims.c: how a claim is written ---- */
void claim_say(claim *c, page_verdict verdict, const char *words);

/* Returns 1 if there are seeds enough for a verdict; else the claim stays open and says why. */
int claim_has_seeds(claim *c, size_t seeds);

/* Decides if there are seeds enough.  At most one of holds, partly (in these words) and fails is
   true; if none is, the claim is open: within seed noise. */
void claim_decide(claim *c, size_t seeds, int holds, int partly, const char *words, int fails);

/* Appends "before0.052 [0.041, 0.060]after" to what was found, or to the brief text. */
void claim_number(claim *c, const char *before, estimate e, int digits, const char *after);
void claim_brief(claim *c, const char *before, estimate e, int digits, const char *after);

/* Appends the number to both, without what comes after. */
void claim_both(claim *c, const char *brief, const char *found, estimate e, int digits);

/* ---- rules_training.c ---- */
claim_rule rule_better;
claim_rule rule_controls;
claim_rule rule_no_gain;
claim_rule rule_sooner;
claim_rule rule_cost;
claim_rule rule_map;

/* ---- rules_sweeps.c ---- */
claim_rule rule_less_clean;
claim_rule rule_self;
claim_rule rule_weak;
claim_rule rule_figure9;
claim_rule rule_ratio_one;

/* ---- rules_tokens.c ---- */
claim_rule rule_figure6;
claim_rule rule_figure7;
claim_rule rule_mechanism;
claim_rule rule_figure3;
claim_rule rule_figure8;
#endif
