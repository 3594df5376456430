/* Lesson 1: selection alone.  There is no model and no training, only eight tokens, two losses for
 * each, and the rule of the paper.
 *
 *     cc -O2 -I. examples/01_selection.c -o 01 -lm
 *     ./01
 *
 * It prints:
 *
 *     token   loss  reference  excess  kept
 *     the    0.250      0.250   0.000  no
 *     cat    2.000      0.750   1.250  yes
 *     sat    3.000      1.500   1.500  yes
 *     on     0.500      0.250   0.250  yes
 *     #x9    6.000      5.750   0.250  no
 *     q7     5.000      5.250  -0.250  no
 *     mat    2.500      1.250   1.250  yes
 *     .      0.250      0.125   0.125  no
 *     mean of all 2.4375, mean of the kept 2.0000
 *
 *     selected by                    k  loss    kept
 *     excess, ratio 0.25             2  2.5000  - cat sat - - - - -
 *     excess, ratio 0.50             4  2.0000  - cat sat on - - mat -
 *     excess, ratio 0.75             6  2.3750  - cat sat on #x9 - mat .
 *     excess, ratio 1.00             8  2.4375  the cat sat on #x9 q7 mat .
 *     own loss, ratio 0.50           4  4.1250  - - sat - #x9 q7 mat -
 *     reference loss, ratio 0.50     4  0.7500  the cat - on - - - .
 *     excess, ratio 0.50, sequence   4  3.3750  - cat sat - #x9 - mat -
 */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <stdio.h>
#include <stdlib.h>

/* Two sequences of four tokens: "the cat sat on" and "#x9 q7 mat .".  Two of the eight tokens are
   rubbish from a web page. */
enum { N = 8, T = 4 };

static const char *const token[N] = {"the", "cat", "sat", "on", "#x9", "q7", "mat", "."};

/* loss       how badly the model in training predicts each token now,
              L = -ln P(token | the tokens before it)                             (eqs. 1, 2)
   reference  the same number from a model that was trained on clean text
   Here both are written by hand.  Note the rubbish: its losses are the highest of all in both
   models, because nobody can predict it. */
static const slm_real loss[N] = {0.25f, 2.00f, 3.00f, 0.50f, 6.00f, 5.00f, 2.50f, 0.25f};
static const slm_real reference[N] = {0.25f, 0.75f, 1.50f, 0.25f, 5.75f, 5.25f, 1.25f, 0.125f};

/* What is known of the targets.  What is not named is NULL or 0, which means: not given. */
static const slm_targets targets = {.loss = loss, .ref_loss = reference, .n = N, .T = T};

static slm_error err;

/* Everything in slm.h that can fail returns a status and says why in an slm_error. */
static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* (eq. 4) The selective loss: the mean over the tokens that were kept.  It is divided by their
   number, not by N. */
static double mean_of_kept(const uint8_t *mask) {
    double sum = 0;
    int n_kept = 0;
    for (int i = 0; i < N; i++) {
        if (!mask[i]) continue;
        sum += (double)loss[i];
        n_kept++;
    }
    return sum / n_kept;
}

/* One line of the second table: what a rule keeps, and the loss that training would then see. */
static void show(const char *label, slm_criterion criterion, slm_scope scope, double ratio) {
    slm_select_options options = slm_select_defaults();
    slm_real scratch[N]; /* working space */
    uint8_t mask[N];     /* 1 = kept */
    size_t n_kept;
    options.criterion = criterion;
    options.scope = scope;
    options.ratio = ratio;
    must(slm_select(mask, &n_kept, &targets, &options, scratch, &err));

    printf("%-30s %d  %.4f ", label, (int)n_kept, mean_of_kept(mask));
    for (int i = 0; i < N; i++)
        printf(" %s", mask[i] ? token[i] : "-");
    printf("\n");
}

int main(void) {
    slm_select_options by_excess = slm_select_defaults();
    slm_real excess[N];
    uint8_t mask[N];
    uint8_t all[N] = {1, 1, 1, 1, 1, 1, 1, 1};

    /* 1. The score of a token is its excess loss (eq. 3): the loss of our model minus the loss of
       the reference.  If it is high, the reference shows that this token can be predicted, and our
       model cannot do it yet.  There is something to learn here. */
    by_excess.criterion = SLM_CRITERION_EXCESS;
    must(slm_select_scores(excess, &targets, &by_excess, &err));

    /* 2. Keep the k tokens with the highest scores (eq. 5).  k is the ratio times the number of
       tokens, rounded: half of 8 is 4. */
    size_t k = slm_select_count(0.5, N);
    must(slm_select_top(mask, excess, NULL, N, k, &err));
    printf("token   loss  reference  excess  kept\n");
    for (int i = 0; i < N; i++)
        printf("%-5s  %5.3f      %5.3f  %6.3f  %s\n", token[i], (double)loss[i],
               (double)reference[i], (double)excess[i], mask[i] ? "yes" : "no");

    /* A tie: "on" and "#x9" both have an excess of 0.250, and only one place was left.  The lower
       index always wins, so that the same batch gives the same selection on every machine. */

    /* 3. The loss.  Plain language modeling takes the mean over all tokens (eq. 2), selective
       modeling over the kept ones. */
    printf("mean of all %.4f, mean of the kept %.4f\n\n", mean_of_kept(all), mean_of_kept(mask));

    /* The share that is kept is yours to choose.  At ratio 1 it is plain language modeling. */
    printf("selected by                    k  loss    kept\n");
    show("excess, ratio 0.25", SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, 0.25);
    show("excess, ratio 0.50", SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, 0.50);
    show("excess, ratio 0.75", SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, 0.75);
    show("excess, ratio 1.00", SLM_CRITERION_EXCESS, SLM_SCOPE_BATCH, 1.00);

    /* Why not simply keep the tokens with the highest loss?  Because rubbish has the highest loss
       and keeps it: a model that is trained on it learns nothing that holds for the next text.
       The reference loss is what tells hard from hopeless. */
    show("own loss, ratio 0.50", SLM_CRITERION_LOSS, SLM_SCOPE_BATCH, 0.50);

    /* Why not simply keep the tokens that the reference predicts well?  Because our model may have
       known them for a long time: "the", ".". */
    show("reference loss, ratio 0.50", SLM_CRITERION_REF, SLM_SCOPE_BATCH, 0.50);

    /* Which tokens compete with each other?  In one ranking over the whole batch (the default, as
       in the paper) a bad sequence may lose all its tokens.  If each sequence is ranked by itself,
       each must give its share, and "#x9" is kept for want of anything better. */
    show("excess, ratio 0.50, sequence", SLM_CRITERION_EXCESS, SLM_SCOPE_SEQUENCE, 0.50);
    return 0;
}
