/* rules.h: the rules by which claims are decided from the numbers.
 *
 * A rule writes down what was found and makes tests of it: each of an estimate over paired seeds,
 * a level, and the side on which the claim says that it lies.  A test has the p of Student's t.  A
 * rule makes all tests that its claim asks for, also those for which there are no runs.
 *
 *   holds            nothing is missing, every mean lies on its side, and the largest p is at most
 *                    0.05
 *   does not hold    a mean lies on the other side, and its p, times the number of the claim's
 *                    tests, is at most 0.05
 *   open             anything else; and with fewer than three seeds
 *
 * "Better" is by loss and, where there is one, by accuracy: both must be. */
#ifndef RULES_H
#define RULES_H
#include "findings.h"

typedef struct claim_row claim_row;

/* Works out a claim: what was found, and the verdict. */
typedef void claim_rule(claim *c);

typedef enum claim_scope {
    ONCE, /* on the built-in corpus */
    ONCE_ON_FACTS,
    ONCE_ANNOUNCED, /* on the run of .github/PREREGISTERED.md */
    ON_CORPORA      /* on each corpus of `planned`, run or not; on the user's if it was run */
} claim_scope;

/* Corpora for which the full plan has the arms of a claim. */
enum { BUILT_IN = 1, OPENSTAX = 2, GSM8K = 4, FACTS = 8 };

struct claim_row {
    const char *id;
    int part;
    claim_scope scope;
    int planned;       /* of a claim on corpora */
    const char *set;   /* the runs that decide it */
    const char *title; /* of a claim on corpora: what follows "On the built-in corpus" */
    const char *paper, *falsifier;
    claim_rule *rule;
    const char *a, *b; /* arms that the rule compares, where it does not know them itself */
    data_column column; /* of the piece, or what is counted */
    double level;       /* the threshold that the title states */
};

/* ---- claims.c: how a claim is written and decided ---- */
/* Adds a test: the estimate lies on that side of the level.  One without a value is missing: `what`
   was not run, and the claim cannot hold. */
void claim_test(claim *c, const char *what, estimate e, double level, side wanted);

/* The two tests of "a ends better than b": a lower loss and, on a corpus that has one, a higher
   accuracy (a share). */
void claim_test_ends(claim *c, const char *what, const char *corpus, estimate loss,
                     estimate accuracy);

/* Decides from the tests. */
void claim_judge(claim *c);

/* Decides what needs no test: something is exactly so in every seed, or it is not. */
void claim_judge_exact(claim *c, int holds);

/* Appends "before0.052 [0.041, 0.060]after" to what was found, or to the brief text. */
void claim_number(claim *c, const char *before, estimate e, int digits, const char *after);
void claim_brief(claim *c, const char *before, estimate e, int digits, const char *after);

/* Appends the number to both, without what comes after. */
void claim_both(claim *c, const char *brief, const char *found, estimate e, int digits);

/* Appends where a and b end, and the differences; without tests. */
void claim_say_ends(claim *c, const data_group *a, const data_group *b);

/* The same with tests: a ends at a lower target loss than b and, where there is one, at a higher
   accuracy. */
void claim_better(claim *c, const data_group *a, const data_group *b);

/* ---- rules_training.c ---- */
claim_rule rule_better;
claim_rule rule_controls;
claim_rule rule_no_gain;
claim_rule rule_sooner;
claim_rule rule_sooner_than_naive;
claim_rule rule_map;

/* ---- rules_sweeps.c ---- */
claim_rule rule_less_clean;
claim_rule rule_ratios;
claim_rule rule_weak;
claim_rule rule_figure9;
claim_rule rule_ratio_one;
claim_rule rule_multiplier;
claim_rule rule_sizes;
claim_rule rule_labels;
claim_rule rule_remedy;
claim_rule rule_remedy_everywhere;
claim_rule rule_remedy_without_trial;

/* ---- rules_tokens.c ---- */
claim_rule rule_figure6;
claim_rule rule_figure7;
claim_rule rule_figure7_law;
claim_rule rule_mechanism;
claim_rule rule_noise_kinds;
claim_rule rule_figure3;
claim_rule rule_figure8;
#endif
