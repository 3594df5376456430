/* verdicts.c: every claim, as a row of a table, with the rule that decides it. */
#include "rules.h"

#define NO_SUCH_ARM "no such arm in the paper"
#define SOONER_IN_PAPER                                                                            \
    "10x (1.1B) and 5x (7B) by accuracy, one run each; from its curves 13x and 4.8x"
#define NOT_SOONER                                                                                 \
    "the interval of N reaches below 3, or random or highest-loss selection is as soon"

static const claim_row rows[] = {
    {"sooner", 0, ON_GOALS, "main",
     ", selective training passes plain training's final target loss in at least five times fewer "
     "tokens",
     SOONER_IN_PAPER, NOT_SOONER, rule_sooner, "random", "loss", TARGET_LOSS},
    {"sooner-accuracy", 0, ON_GOALS_BY_ACCURACY, "main",
     ", selective training passes plain training's final target accuracy in at least five times "
     "fewer tokens",
     SOONER_IN_PAPER, NOT_SOONER, rule_sooner, "random", "loss", TARGET_ACCURACY},
    {"controls", 0, ON_CORPORA, "main",
     " it matters which tokens are kept: selection beats random-k and the highest own loss",
     NO_SUCH_ARM, "either of the two ends as well as selection by excess loss", rule_controls,
     "random", "loss", TARGET_LOSS},
    {"cost", 0, ON_CORPORA, "main",
     " it is still sooner when the reference and the scoring are counted",
     "left out of its figures; worked out from its settings: about 5x (1.1B) and 2.7x (7B)",
     "plain training, given all of that arithmetic, is as far", rule_cost, NULL, NULL, TARGET_LOSS},
    {"map", 0, ONCE, "map", "The speed-up does not hang on one setting of noise and ratio",
     "one corpus, one ratio per model size", "it is found in a corner of the map only", rule_map,
     NULL, NULL, TARGET_LOSS},

    {"beats-mixing", 1, ON_CORPORA_WITH_ARMS, "main",
     ", selective training beats mixing the clean text into plain training", NO_SUCH_ARM,
     "plain training with the clean text mixed in ends as well", rule_better, "slm", "mixed",
     TARGET_LOSS},
    {"beats-reference", 1, ON_CORPORA_WITH_ARMS, "main",
     ", selective training beats the reference itself, tuned on the clean text alone", NO_SUCH_ARM,
     "the reference, which saw the clean text only, stands as well", rule_better, "slm",
     "reference", TARGET_LOSS},
    {"tuned-after", 1, ON_CORPORA_WITH_ARMS, "main",
     ", after tuning both on the clean text, the selectively trained model is still ahead",
     "after the same tuning most of its gap closes: +2.2 points (1.1B, MATH)",
     "tuning on the clean text closes the gap at equal total tokens", rule_better, "slm_tuned",
     "clm_tuned", TARGET_LOSS},
    {"adds-to-clean", 1, ON_CORPORA_WITH_ARMS, "main",
     ", selective training and then the clean text give more than the clean text alone",
     NO_SUCH_ARM, "the reference stands as well", rule_better, "slm_tuned", "reference",
     TARGET_LOSS},
    {"beyond-noise", 1, ON_CORPORA_WITH_ARMS, "main",
     ", the gain is more than noise removal: it beats plain training on the text without its noise",
     NO_SUCH_ARM, "plain training with the known noise taken out ends as well", rule_better, "slm",
     "filtered", TARGET_LOSS},
    {"less-clean-text", 1, ONCE, "clean",
     "However much or little clean text there is, selection and then clean text beats plain "
     "training and then clean text",
     "not varied", "at some amount of clean text the two end alike", rule_less_clean, "slm_tuned",
     "clm_tuned", TARGET_LOSS},

    {"figure-6", 2, ON_CORPORA_WITH_PIECE, "main",
     " selective training lowers the loss on selected tokens and raises it on the others",
     "selected 1.015 to 0.981 against plain, unselected 2.83 to 3.52, all about 1.74 to 2.00",
     "the loss on unselected tokens falls as in plain training", rule_figure6, "slm", "clm",
     FIXED_DROPPED},
    {"figure-7", 2, ONCE, "main",
     "Less loss on selected tokens goes with more accuracy, less loss on unselected tokens with "
     "less",
     "both, over five checkpoints of one run",
     "accuracy does not rise with the loss on unselected tokens", rule_figure7, "slm", NULL,
     TARGET_ACCURACY},
    {"mechanism", 2, ONCE, "main",
     "Excess loss ranks noise low; the model's own loss ranks it high",
     "shown on coloured text only",
     "the area under the curve (useful tokens above noise) is about 0.5", rule_mechanism, "slm",
     "loss", AUC},
    {"figure-3", 2, ONCE, "main",
     "Under plain training a minority of tokens falls (high to low), others rise, more than by "
     "chance",
     "high to low 26%, low to high 12%, high 11%, low 51%; no null",
     "the shares are those of shuffled checkpoints", rule_figure3, NULL, NULL, TARGET_LOSS},
    {"figure-8", 2, ONCE, "main",
     "What a checkpoint selects has its highest perplexity at that checkpoint, because training "
     "learns it",
     "every set peaks at its own checkpoint; no control",
     "the peak vanishes when another seed's checkpoint selects: regression to the mean",
     rule_figure8, NULL, NULL, TARGET_LOSS},
    {"figure-9", 2, ONCE, "ratio",
     "The best ratio lies between: neither the fewest tokens nor all of them",
     "best at 60% (40 to 100% tried)", "the target gets better all the way to one end",
     rule_figure9, "slm", NULL, TARGET_LOSS},
    {"ratio-one", 2, ONCE, "ratio", "Selecting 100% is plain training, to the bit",
     "its 100% point is another run (15B tokens)", "any digit differs", rule_ratio_one, "slm", NULL,
     TARGET_LOSS},

    {"self-reference", 3, ONCE, "self",
     "A reference trained on the noisy corpus itself, no clean text, still gives a small gain at "
     "60 to 90%",
     "+1.5 to +2.4 points at 60 to 90%, \xE2\x88\x92"
     "0.8 at 50%",
     "no ratio of 60 to 90% gains", rule_self, "slm", NULL, TARGET_LOSS},
    {"weak-to-strong", 3, ONCE, "weak", "A reference much smaller than the model still guides it",
     "+0.9 points with a reference of 0.16 times the size",
     "the gain with the small reference is within seed noise", rule_weak, "slm", NULL, TARGET_LOSS},
    {"needs-reference", 3, ONCE, "main",
     "The gain needs a reference that knows the target: the starting model as reference does not "
     "give it",
     "no such arm; two public failures had no reference of this kind",
     "the starting model as reference does as well", rule_better, "slm", "null_reference",
     TARGET_LOSS},
    {"negative-control", 3, ONCE, "control",
     "On clean text of the target's own distribution selection brings nothing", NO_SUCH_ARM,
     "selection wins there: a leak or a bug", rule_no_gain, "slm", "clm", TARGET_LOSS},
    {"from-scratch", 3, ONCE, "scratch", "It also helps from scratch, without a base",
     "nothing is trained from scratch in the paper; public attempts failed",
     "plain training from scratch ends as well", rule_better, "slm", "clm", TARGET_LOSS}};

enum { N_ROWS = COUNT(rows), GOAL_CORPORA = 2 };

/* After the corpora comes what is claimed once. */
static int applies(const data *d, const claim_row *row, size_t corpus_index) {
    if (row->scope == ONCE || corpus_index == N_CORPORA)
        return row->scope == ONCE && corpus_index == N_CORPORA;

    const char *corpus = corpora[corpus_index];
    const int has = data_has_corpus(d, corpus);
    const int has_or_goal = has || corpus_index < GOAL_CORPORA;
    if (row->scope == ON_GOALS) return has_or_goal;
    if (row->scope == ON_GOALS_BY_ACCURACY) return has_or_goal && data_has_accuracy(d, corpus);
    if (row->scope == ON_CORPORA || corpus_index == 0) return has;

    const data_group *a = data_main(d, corpus, row->a);
    if (row->scope == ON_CORPORA_WITH_PIECE)
        return has && data_over_seeds(a, run_change, row->metric).n > 0;
    return has && a->n > 0 && data_main(d, corpus, row->b)->n > 0;
}

static void add_claim(findings *all, const claim_row *row, const char *corpus) {
    if (all->n_claims == MAX_CLAIMS) return;
    claim *c = &all->claims[all->n_claims++];
    *c = (claim){.row = row,
                 .data = &all->d,
                 .corpus = corpus,
                 .verdict = PAGE_OPEN,
                 .measured = 1};
    SAY(c->id, "%s", row->id);
    if (row->scope != ONCE) {
        SAY(c->id, "-%s", corpus);
        SAY(c->title, "On %s", corpus_name(corpus, IN_SENTENCE));
    }
    SAY(c->title, "%s", row->title);
    if (row->a != NULL) c->a = data_find(&all->d, corpus, row->set, row->a);
    if (row->b != NULL) c->b = data_find(&all->d, corpus, row->set, row->b);
    row->rule(c);
}

/* Part by part, so that claims.csv and the page have the same order. */
void decide_claims(findings *all) {
    for (int part = 0; part < N_PARTS; part++)
        for (size_t i = 0; i <= N_CORPORA; i++)
            for (size_t k = 0; k < N_ROWS; k++)
                if (rows[k].part == part && applies(&all->d, &rows[k], i))
                    add_claim(all, &rows[k], corpora[i % N_CORPORA]);
}
