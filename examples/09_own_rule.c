/* Lesson 9: a rule of your own for which tokens to keep, beside the built-in one.  As in lesson 1
 * there is no training, only numbers for ten tokens.
 *
 *     cc -O2 -I. examples/09_own_rule.c -o 09 -lm
 *     ./09
 *
 * It prints:
 *
 *     rule                              kept
 *     excess, built in                 - cat sat - - - - mat - ~~
 *     excess, own                      - cat sat - - - - mat - ~~
 *     excess, reference below 4 nats   - cat sat on - - - mat - -
 *     loss near 2 nats                 - cat sat - a - - mat - -
 *     loss above the ref's entropy     - - sat - - #x9 - mat - ~~
 */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <stdio.h>
#include <stdlib.h>

enum { N = 10 };

static const char *const token[N] = {"the", "cat", "sat", "on", "a", "#x9", "q7", "mat", ".", "~~"};

/* What our model and the reference make of each token: the losses, and the entropy of the
   reference's prediction, in nats.  "#x9", "q7" and "~~" are rubbish.  Both models are surprised by
   "~~", ours far more: so its excess loss is high, although the reference finds it hard as well. */
static const slm_real loss[N] = {0.25f, 2.0f, 3.0f, 0.5f, 0.75f, 6.0f, 5.0f, 2.5f, 0.25f, 8.0f};
static const slm_real ref_loss[N] = {0.25f, 0.75f, 1.5f,  0.25f,  0.5f,
                                     5.75f, 5.25f, 1.25f, 0.125f, 5.0f};
static const slm_real ref_entropy[N] = {1.0f, 2.0f, 2.5f,  0.5f, 0.75f,
                                        5.0f, 5.5f, 2.25f, 0.5f, 3.0f};

static slm_error err;

static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* Rule 1: the excess loss (eq. 3), written once more.  A rule gets the targets and gives each a
   score; slm_select keeps the highest.  Returns 0, since nothing can go wrong. */
static int excess(void *user, slm_real *score, const slm_targets *targets) {
    (void)user;
    for (size_t i = 0; i < targets->n; i++)
        score[i] = targets->loss[i] - targets->ref_loss[i];
    return 0;
}

/* Rule 2: the excess loss, but tokens whose reference loss is above a limit come after all others:
   the reference calls them hopeless.  The limit comes through `user`, so that the rule needs no
   global variable. */
static int excess_below(void *user, slm_real *score, const slm_targets *targets) {
    const slm_real limit = *(const slm_real *)user;
    for (size_t i = 0; i < targets->n; i++) {
        score[i] = targets->loss[i] - targets->ref_loss[i];
        if (targets->ref_loss[i] > limit) score[i] -= 100;
    }
    return 0;
}

/* Rule 3: neither the known nor the hopeless, but tokens whose own loss is near an aim.  It needs
   no reference; but nothing tells it what good text is. */
static int near_loss(void *user, slm_real *score, const slm_targets *targets) {
    const slm_real aim = *(const slm_real *)user;
    for (size_t i = 0; i < targets->n; i++) {
        slm_real above = targets->loss[i] - aim;
        score[i] = above > 0 ? -above : above;
    }
    return 0;
}

/* Rule 4: how far our model's loss is above the uncertainty of the reference (eq. 8).  What is not
   known of the targets is NULL: the rule then fails, and so does the selection or the step. */
static int surprise(void *user, slm_real *score, const slm_targets *targets) {
    (void)user;
    if (targets->ref_entropy == NULL) return 1;
    for (size_t i = 0; i < targets->n; i++)
        score[i] = targets->loss[i] - targets->ref_entropy[i];
    return 0;
}

/* Prints what is kept by these options. */
static void show(const char *name, const slm_select_options *options) {
    const slm_targets targets = {
        .loss = loss, .ref_loss = ref_loss, .ref_entropy = ref_entropy, .n = N, .T = N};
    slm_real scratch[N];
    uint8_t mask[N];
    size_t n_kept;
    must(slm_select(mask, &n_kept, &targets, options, scratch, &err));
    printf("%-32s", name);
    for (int i = 0; i < N; i++)
        printf(" %s", mask[i] ? token[i] : "-");
    printf("\n");
}

int main(void) {
    slm_real limit = 4;
    slm_real aim = 2;
    slm_select_options options = slm_select_defaults();
    options.ratio = 0.4;

    printf("rule                              kept\n");
    options.criterion = SLM_CRITERION_EXCESS;
    show("excess, built in", &options);

    /* The criterion OWN asks a function of yours.  All else is as with the built-in rules: the
       ratio, the scope, the ties.  The same options are the field `select` of slm_train_options;
       a trainer then asks your function in each step. */
    options.criterion = SLM_CRITERION_OWN;
    options.own_score = excess;
    show("excess, own", &options);

    /* "~~" had the highest excess of all.  The limit puts "on" into its place. */
    options.own_score = excess_below;
    options.own_user = &limit;
    show("excess, reference below 4 nats", &options);

    /* A good choice here, but only because the aim suits these numbers: a year that nobody can
       guess may have a loss of 2 nats as well. */
    options.own_score = near_loss;
    options.own_user = &aim;
    show("loss near 2 nats", &options);

    /* "#x9" is kept: an uncertain reference does not mean that the text is worth learning. */
    options.own_score = surprise;
    options.own_user = NULL;
    show("loss above the ref's entropy", &options);
    return 0;
}
