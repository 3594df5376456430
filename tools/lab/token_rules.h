/* token_rules.h: rules, other than the paper's, by which a step's targets are kept or weighted.
 * Include slm.h before it.
 *
 * A rule sees what is known of all targets of a batch, and writes the batch: a target that it drops
 * becomes -1, one that it keeps may get a weight.  The step that follows is plain training.  l is
 * the loss of a target by the model, r by the reference, b by the base, h the entropy of the
 * model's own prediction, d the worth of the target's document. */
#ifndef TOKEN_RULES_H
#define TOKEN_RULES_H

typedef enum token_rule {
    RULE_NONE,
    RULE_SOFT,       /* all are kept; weights exp((l - r) / t), at most RULE_HEAVIEST times their
                        mean.  After 2502.06733, which weights examples by the model's own loss */
    RULE_STOCHASTIC, /* k are drawn without putting back, with chances exp((l - r) / t): the
                        "stochastic" arm of users, here by excess loss */
    RULE_SMOOTH,     /* the k highest means of l - r over RULE_NEIGHBOURS targets on both sides */
    RULE_UNSURE,     /* the k highest h.  ESLM (2505.19893) by entropy: those above its value at
                        risk; by loss it is SLM_CRITERION_LOSS */
    RULE_SEQUENCES,  /* whole sequences, those with the highest mean of l - r: RHO-LOSS
                        (2206.07137), whose examples are the sequences */
    /* Remedies for what the reference does not know. */
    RULE_EXPLORE, /* three quarters of k by l - r, the rest at random */
    RULE_FLOOR,   /* the k highest l - min(r, b): a reference cannot be worse than the base */
    RULE_BLEND,   /* the k highest sums of two ranks, that of l - r and that of d */
    RULE_SPLIT    /* half of k by d, then half by l - r */
} token_rule;

#define RULE_TEMPERATURE 0.5 /* t, in nats: the spread of l - r is about 1 */
#define RULE_HEAVIEST 5.0
enum { RULE_NEIGHBOURS = 24 };

/* What is known of the n = B T targets; NULL where the rule does not ask for it. */
typedef struct rule_facts {
    const slm_real *loss, *entropy; /* by the model */
    const slm_real *base_loss, *document;
    double ratio;  /* k is this share of the valid targets */
    uint64_t seed; /* of what is drawn: another one for each step */
} rule_facts;

int rule_needs_reference(token_rule rule);
int rule_needs_base(token_rule rule);
int rule_needs_documents(token_rule rule);

/* Returns SLM_OK, or what slm_select_top or slm_batch_alloc_weights said. */
slm_status rule_apply(slm_batch *batch, token_rule rule, const rule_facts *known, slm_error *err);
#endif
