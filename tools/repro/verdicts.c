/* verdicts.c: every claim, as a row of a table, with the rule that decides it. */
#include <math.h>
#include <string.h>
#include "rules.h"

#define NO_SUCH_ARM "no such arm in the paper"
#define SOONER_IN_PAPER                                                                            \
    "10x (1.1B) and 5x (7B) by accuracy, one run each; from its curves 13x and 4.8x"

#define ALL_CORPORA (BUILT_IN | OPENSTAX | GSM8K | FACTS)
#define WITH_DOCUMENTS (BUILT_IN | OPENSTAX | GSM8K) /* the set documents */
#define WITH_TUNED (BUILT_IN | OPENSTAX)             /* clm_tuned and slm_tuned in set main */
#define FEW_STEPS                                                                                  \
    "The reference is the base after fewer steps on the clean text (built-in corpus and facts "    \
    "200, OpenStax and GSM8K 60) at 1e-3, a rate that was not tuned."
#define OTHER_REFERENCE                                                                            \
    "In a full run the rate of that reference is chosen on the valid part; that of the usual "     \
    "one is not."
#define LAST_STEPS                                                                                 \
    "The last steps on the clean text are at 1e-3, a rate that was not tuned."
#define AS_MANY_TOKENS                                                                             \
    "At equal tokens: documents are 40% of the text, so that what they hold is read about 2.5 "    \
    "times as often as in plain training."
#define ONE_PIECE                                                                                  \
    "All seeds are measured on one held-out piece of 8 kB: the interval is of the models, not "    \
    "of the text."
#define IN_A_TRIAL                                                                                 \
    "It was found in a trial on seed 1, which is one of the seeds here."

static const claim_row rows[] = {
    {"sooner", 0, ON_CORPORA, ALL_CORPORA, "main",
     ", selective training comes where plain training ends in fewer tokens",
     SOONER_IN_PAPER, "plain training comes there in as few", rule_sooner, NULL, NULL, TOKENS, 1},
    {"five-times", 0, ON_CORPORA, ALL_CORPORA, "main",
     ", selective training comes where plain training ends in at least five times fewer tokens",
     SOONER_IN_PAPER, "the number is below five", rule_sooner, NULL, NULL, TOKENS, 5},
    {"naive", 0, ON_CORPORA, ALL_CORPORA, "main",
     ", selective training comes where plain training ends sooner than training on random tokens "
     "or on those of the highest own loss does",
     NO_SUCH_ARM, "either of the two is as soon: then excess loss is not what helps",
     rule_sooner_than_naive, "random", "loss", TOKENS, 1},
    {"controls", 0, ON_CORPORA, ALL_CORPORA, "main",
     ", selective training ends ahead of training on random tokens and on those of the highest own "
     "loss",
     NO_SUCH_ARM, "either of the two ends as well", rule_controls, "random", "loss", TOKENS, 0},
    {"cost", 0, ON_CORPORA, ALL_CORPORA, "main",
     ", selective training comes where plain training ends with less arithmetic, that of the "
     "reference and of scoring counted",
     "left out of its figures; worked out from its settings: about 5x (1.1B) and 2.7x (7B)",
     "plain training, given all of that arithmetic, is as far", rule_sooner, NULL, NULL, FLOPS_ALL,
     1},
    {"map", 0, ONCE, 0, "map",
     "With 0, 20, 40 and 60% of noise and 20, 40 and 60% of the tokens kept, selective training "
     "comes where plain training ends in at least two times fewer tokens",
     "one corpus, one ratio per model size", "in one of the settings it does not", rule_map, NULL,
     NULL, TOKENS, 2},
    {"multiplier", 0, ONCE, 0, "multiplier",
     "Plain training needs at least five times as many tokens, all of them fresh noisy text, to "
     "come where selective training ends",
     "\"3% of the tokens\" of another model (7B)", "it comes there with less", rule_multiplier,
     NULL, NULL, TOKENS, 5},

    {"beats-mixing", 1, ON_CORPORA, ALL_CORPORA, "main",
     ", selective training beats mixing the clean text into plain training", NO_SUCH_ARM,
     "plain training with the clean text mixed in ends as well", rule_better, "slm", "mixed",
     TOKENS, 0},
    {"beats-reference", 1, ON_CORPORA, ALL_CORPORA, "main",
     ", selective training beats the reference itself, which saw the clean text only, for fewer "
     "steps",
     NO_SUCH_ARM, "the reference stands as well", rule_better, "slm",
     "reference", TOKENS, 0},
    {"beats-clean", 1, ON_CORPORA, ALL_CORPORA, "main",
     ", selective training beats the clean text alone, trained on for as many steps", NO_SUCH_ARM,
     "the clean text alone ends as well", rule_better, "slm", "clean", TOKENS, 0},
    {"clean-beats", 1, ON_CORPORA, ALL_CORPORA, "main",
     ", the other way round: the clean text alone, trained on for as many steps, beats selective "
     "training",
     NO_SUCH_ARM, "selective training ends as well", rule_better, "clean", "slm", TOKENS, 0},
    {"beats-tuning", 1, ON_CORPORA, WITH_TUNED, "main",
     ", selective training beats plain training that ends on the clean text, at equal total tokens",
     NO_SUCH_ARM, "plain training and then the clean text end as well", rule_better, "slm",
     "clm_tuned", TOKENS, 0},
    {"tuned-after", 1, ON_CORPORA, WITH_TUNED, "main",
     ", after tuning both on the clean text, the selectively trained model is still ahead",
     "after the same tuning most of its gap closes: +2.2 points (1.1B, MATH)",
     "tuning on the clean text closes the gap at equal total tokens", rule_better, "slm_tuned",
     "clm_tuned", TOKENS, 0},
    {"adds-to-reference", 1, ON_CORPORA, WITH_TUNED, "main",
     ", selective training and then the clean text give more than the reference, which is tuned on "
     "it for fewer steps",
     NO_SUCH_ARM, "the reference stands as well", rule_better, "slm_tuned", "reference", TOKENS,
     0},
    {"adds-to-clean", 1, ON_CORPORA, WITH_DOCUMENTS, "documents",
     ", selective training and then the clean text give more than the clean text alone, trained on "
     "for as many steps",
     NO_SUCH_ARM, "the clean text alone ends as well", rule_better, "slm_tuned", "clean", TOKENS,
     0},
    {"documents", 1, ON_CORPORA, WITH_DOCUMENTS, "documents",
     ", selective training beats keeping whole documents by the same reference", NO_SUCH_ARM,
     "training on what the highest mean excess keeps ends as well", rule_better, "slm", "doc",
     TOKENS, 0},
    {"adds-to-documents", 1, ON_CORPORA, WITH_DOCUMENTS, "documents",
     ", selection among the tokens of the kept documents beats training on all of these",
     NO_SUCH_ARM, "training on all of them ends as well", rule_better, "doc_slm", "doc", TOKENS,
     0},
    {"documents-tuned", 1, ON_CORPORA, WITH_DOCUMENTS, "documents",
     ", once both are tuned on the clean text, selective training is ahead of keeping documents",
     NO_SUCH_ARM, "these and then the clean text end as well", rule_better, "slm_tuned",
     "doc_tuned", TOKENS, 0},
    {"by-clean-plain", 1, ON_CORPORA, BUILT_IN, "followers",
     ", selective training by another reference, trained on the clean text for as many steps as an "
     "arm, beats plain training",
     NO_SUCH_ARM, "plain training ends as well", rule_better, "slm_by_clean", "clm", TOKENS, 0},
    {"by-clean-clean", 1, ON_CORPORA, BUILT_IN, "followers",
     ", selective training by that other reference beats this reference itself",
     NO_SUCH_ARM, "the clean text alone, its reference, ends as well", rule_better,
     "slm_by_clean", "clean", TOKENS, 0},
    {"by-clean-documents", 1, ON_CORPORA, BUILT_IN, "followers",
     ", selective training by that other reference beats keeping whole documents by the usual one",
     NO_SUCH_ARM, "documents by the usual reference end as well", rule_better, "slm_by_clean",
     "doc", TOKENS, 0},
    {"facts-selection", 1, ONCE_ON_FACTS, 0, "main",
     "Facts that only the noisy text holds are recalled better after selective training than after "
     "plain training",
     NO_SUCH_ARM, "plain training recalls them as well", rule_better, "slm", "clm", TOKENS, 0},
    {"facts-documents", 1, ONCE_ON_FACTS, 0, "main",
     "They are recalled better after training on the documents that the same reference keeps than "
     "after plain training",
     NO_SUCH_ARM, "plain training recalls them as well", rule_better, "doc", "clm", TOKENS, 0},
    {"facts-second", 1, ONCE_ON_FACTS, 0, "main",
     "They are recalled better after selective training by a second reference, tuned on these "
     "documents, than after plain training",
     NO_SUCH_ARM, "plain training recalls them as well", rule_better, "slm_by_second", "clm",
     TOKENS, 0},
    {"labels", 1, ONCE, 0, "labels",
     "With 10, 30 and 60% wrong results and nothing off the target, selective training beats plain "
     "training at each of these shares",
     "not varied", "at one share it does not", rule_labels, "slm", "clm", TOKENS, 0},
    {"labels-documents", 1, ONCE, 0, "labels",
     "There it beats keeping whole documents, too, at every share", NO_SUCH_ARM,
     "at one share documents end as well", rule_labels, "slm", "doc", TOKENS, 0},
    {"labels-by-clean", 1, ONCE, 0, "labels",
     "There it beats keeping whole documents at every share if the reference was trained on the "
     "clean text for as many steps as the arms",
     NO_SUCH_ARM, "at one share documents end as well", rule_labels, "slm_by_clean", "doc", TOKENS,
     0},
    {"beyond-noise", 1, ON_CORPORA, BUILT_IN, "main",
     ", the gain is more than noise removal: it beats plain training on the text without its noise",
     NO_SUCH_ARM, "plain training with the known noise taken out ends as well", rule_better, "slm",
     "filtered", TOKENS, 0},
    {"less-clean-text", 1, ONCE, 0, "clean",
     "With each of 4, 15 and 60 kB of clean text, selection and then clean text beats plain "
     "training and then clean text",
     "not varied", "at some amount of clean text it does not", rule_less_clean, "slm_tuned",
     "clm_tuned", TOKENS, 0},

    {"figure-6", 2, ON_CORPORA, WITH_DOCUMENTS, "main",
     ", selective training lowers the loss on selected tokens and raises it on the others",
     "selected 1.015 to 0.981 against plain, unselected 2.83 to 3.52, all about 1.74 to 2.00",
     "the loss on unselected tokens falls", rule_figure6, "slm", "clm", FIXED_DROPPED, 0},
    {"figure-7", 2, ONCE, 0, "main",
     "Over selective training, less loss on selected tokens goes with more accuracy, and less loss "
     "on unselected tokens with less",
     "both, over five checkpoints of one run",
     "accuracy does not rise with the loss on unselected tokens", rule_figure7, "slm", NULL,
     TOKENS, 0},
    {"figure-7-law", 2, ONCE, 0, "main",
     "The same is so in every arm that does not select by excess loss", "not shown",
     "in one of them less loss on unselected tokens goes with more accuracy", rule_figure7_law,
     NULL, NULL, TOKENS, 0},
    {"mechanism", 2, ONCE, 0, "main",
     "Excess loss ranks the target's tokens above all others (AUC above 0.5), the model's own loss "
     "ranks them below",
     "shown on coloured text only", "the area under the curve is 0.5 or less", rule_mechanism,
     "slm", "loss", TOKENS, 0.5},
    {"noise-kinds", 2, ONCE, 0, "main",
     "Excess loss ranks every kind of noise below the rest: random ids, stamps, markup, wrong "
     "results (AUC under 0.5 each)",
     "shown on coloured text only", "one kind is kept as often as the rest", rule_noise_kinds,
     NULL, NULL, TOKENS, 0.5},
    {"figure-3", 2, ONCE, 0, "main",
     "Under plain training fewer than half of the tokens fall (high to low), others rise, both "
     "more than by chance",
     "high to low 26%, low to high 12%, high 11%, low 51%; no null",
     "the shares are those of shuffled checkpoints", rule_figure3, NULL, NULL, TOKENS, 0},
    {"figure-8", 2, ONCE, 0, "main",
     "What a checkpoint selects has its highest perplexity at that checkpoint, and at least half "
     "of that peak is there when another seed's checkpoint selects",
     "every set peaks at its own checkpoint; no control",
     "the peak vanishes when another seed selects: regression to the mean", rule_figure8, NULL,
     NULL, TOKENS, 0},
    {"figure-9", 2, ONCE, 0, "ratio",
     "The best ratio lies between: the one that the valid part chooses beats the fewest tokens and "
     "all of them",
     "best at 60% (40 to 100% tried)", "the target gets better all the way to one end",
     rule_figure9, "slm", NULL, TOKENS, 0},
    {"ratio-one", 2, ONCE, 0, "ratio",
     "Selecting 100% is plain training: at every point its target loss is the same to the last "
     "digit that is printed",
     "its 100% point is another run (15B tokens)", "any digit differs", rule_ratio_one, "slm", NULL,
     TOKENS, 0},

    {"self-reference", 3, ONCE, 0, "self",
     "A reference trained on the noisy corpus itself, no clean text, still gives a gain at 70 and "
     "at 90% of the tokens, kept by the reference's loss as in the paper",
     "+2.4 points at 70%, +1.9 at 90%, \xE2\x88\x92"
     "0.8 at 50%",
     "at one of them it does not", rule_ratios, "ref", NULL, TOKENS, 0},
    {"self-excess", 3, ONCE, 0, "self",
     "It gives a gain at 60 and at 80% of the tokens, kept by excess loss, which the paper did not "
     "use here",
     "not tried by excess loss", "at one of them it does not", rule_ratios, "slm", NULL, TOKENS, 0},
    {"weak-to-strong", 3, ONCE, 0, "weak",
     "References of a quarter and of a sixteenth of the model's size still guide it",
     "+0.9 points with a reference of 0.16 times the size", "with one of them there is no gain",
     rule_weak, "slm", NULL, TOKENS, 0},
    {"sizes", 3, ONCE, 0, "sizes",
     "At each of 0.06, 0.18, 0.86 and 3.3 million weights, selective training ends ahead of plain "
     "training on the same tokens",
     "1.1B and 7B", "at one size it does not", rule_sizes, "slm", NULL, TOKENS, 0},
    {"announced-selection", 3, ONCE_ANNOUNCED, 0, "confirm",
     "Announced before it was run: on OpenStax, with 5.6 million weights, selective training ends "
     "ahead of plain training on the same tokens",
     "1.1B and 7B", "plain training ends as well", rule_better, "slm", "clm", TOKENS, 0},
    {"announced-random", 3, ONCE_ANNOUNCED, 0, "confirm",
     "Announced: there it ends ahead of training on random tokens", NO_SUCH_ARM,
     "random tokens do as well", rule_better, "slm", "random", TOKENS, 0},
    {"announced-documents", 3, ONCE_ANNOUNCED, 0, "confirm",
     "Announced: there it ends ahead of keeping whole documents by the same reference",
     NO_SUCH_ARM, "what is kept so does as well", rule_better, "slm", "doc", TOKENS, 0},
    {"announced-clean", 3, ONCE_ANNOUNCED, 0, "confirm",
     "Announced: there the clean text alone, trained on for as many steps, ends ahead of selective "
     "training",
     NO_SUCH_ARM, "selective training ends as well", rule_better, "clean", "slm", TOKENS, 0},
    {"needs-reference", 3, ONCE, 0, "main",
     "The gain needs a reference that knows the target: with it selection ends ahead of selection "
     "by the starting model as reference",
     "no such arm; two public failures had no reference of this kind",
     "the starting model as reference does as well", rule_better, "slm", "null_reference",
     TOKENS, 0},
    {"remedy-second", 3, ONCE, 0, "remedies",
     "A second reference, tuned on the documents that the first one keeps, ends ahead of selective "
     "training on the facts and on the built-in corpus",
     NO_SUCH_ARM, "on one of the two it does not", rule_remedy, "slm_by_second", NULL, TOKENS, 0},
    {"remedy-explore", 3, ONCE, 0, "remedies", "So does selection with a share of random tokens",
     NO_SUCH_ARM, "on one of the two it does not", rule_remedy, "explore", NULL, TOKENS, 0},
    {"remedy-floor", 3, ONCE, 0, "remedies", "So does a floor under the excess loss", NO_SUCH_ARM,
     "on one of the two it does not", rule_remedy, "floor", NULL, TOKENS, 0},
    {"remedy-both", 3, ONCE, 0, "remedies",
     "So does selection by the better of both references for each token", NO_SUCH_ARM,
     "on one of the two it does not", rule_remedy, "slm_by_both", NULL, TOKENS, 0},
    {"remedy-veto", 3, ONCE, 0, "remedies",
     "So does training on the documents that the reference keeps (on real text: stretches of at "
     "most 4 kB) without the tokens that it likes far less than the base, and on OpenStax and "
     "GSM8K, too",
     NO_SUCH_ARM, "on one of these corpora it does not", rule_remedy_everywhere, "doc_veto", NULL,
     TOKENS, 0},
    {"remedy-veto-anew", 3, ONCE, 0, "remedies",
     "The same without seed 1, on which it was found in a trial", NO_SUCH_ARM,
     "on one of these corpora it does not", rule_remedy_without_trial, "doc_veto", NULL, TOKENS,
     0},
    {"remedy-split", 3, ONCE, 0, "remedies",
     "So does selection that is made in part by documents and in part by tokens", NO_SUCH_ARM,
     "on one of the two it does not", rule_remedy, "split", NULL, TOKENS, 0},
    {"negative-control", 3, ONCE, 0, "control",
     "On clean text of the target's own distribution selection gains less than a quarter of what "
     "it gains on the noisy corpus",
     NO_SUCH_ARM, "it gains there: a leak or a bug", rule_no_gain, "slm", "clm", TOKENS, 0.25},
    {"from-scratch", 3, ONCE, 0, "scratch", "It also helps from scratch, without a base",
     "nothing is trained from scratch in the paper; public attempts failed",
     "plain training from scratch ends as well", rule_better, "slm", "clm", TOKENS, 0}};

enum { N_ROWS = COUNT(rows) };

/* What must be known beside the numbers of a claim. */
static const struct {
    const char *id, *note;
} notes[] = {
    {"beats-reference", FEW_STEPS},
    {"beats-tuning", LAST_STEPS},
    {"tuned-after", LAST_STEPS},
    {"adds-to-reference", FEW_STEPS},
    {"adds-to-clean", LAST_STEPS},
    {"documents-tuned", LAST_STEPS},
    {"by-clean-plain", OTHER_REFERENCE},
    {"by-clean-clean", OTHER_REFERENCE},
    {"by-clean-documents", OTHER_REFERENCE},
    {"facts-documents", AS_MANY_TOKENS},
    {"noise-kinds", ONE_PIECE},
    {"figure-3", ONE_PIECE},
    {"figure-8", ONE_PIECE},
    {"remedy-veto", IN_A_TRIAL "  " AS_MANY_TOKENS},
    {"remedy-veto-anew", AS_MANY_TOKENS}};

static const char *note_of(const char *id) {
    for (size_t i = 0; i < COUNT(notes); i++)
        if (same_text(notes[i].id, id)) return notes[i].note;
    return NULL;
}

/* The claims of the full plan, but for those on the user's corpus: these are not in it. */
static int is_planned(const claim_row *row, size_t corpus_index) {
    const int is_once = row->scope != ON_CORPORA;
    if (is_once || corpus_index == N_CORPORA) return is_once && corpus_index == N_CORPORA;
    return (row->planned >> corpus_index & 1) != 0;
}

/* What is claimed of OpenStax is claimed of the user's corpus if its arms were run. */
static int is_of_user(const data *d, const claim_row *row, size_t corpus_index) {
    if (corpus_index == N_CORPORA || !same_text(corpora[corpus_index], "user")) return 0;
    if (row->scope != ON_CORPORA || (row->planned & OPENSTAX) == 0) return 0;
    const int has_a = row->a == NULL || data_find_arm(d, "user", row->set, row->a)->n > 0;
    const int has_b = row->b == NULL || data_find_arm(d, "user", row->set, row->b)->n > 0;
    return data_has_corpus(d, "user") && has_a && has_b;
}

static void add_claim(findings *all, const claim_row *row, const char *corpus) {
    if (all->n_claims == MAX_CLAIMS) return;
    claim *c = &all->claims[all->n_claims++];
    *c = (claim){.row = row,
                 .data = &all->d,
                 .corpus = corpus,
                 .family = row->scope == ONCE_ANNOUNCED ? ANNOUNCED : EXPLORED,
                 .verdict = PAGE_OPEN,
                 .corrected = PAGE_OPEN,
                 .p = NAN,
                 .p_holm = NAN,
                 .tests = {.p_no = 1}};
    SAY(c->id, "%s", row->id);
    if (row->scope == ON_CORPORA) {
        SAY(c->id, "-%s", corpus);
        SAY(c->title, "On %s", corpus_name(corpus, IN_SENTENCE));
    }
    SAY(c->title, "%s", data_wording(row->title, corpus));
    if (row->a != NULL) c->a = data_find_arm(&all->d, corpus, row->set, row->a);
    if (row->b != NULL) c->b = data_find_arm(&all->d, corpus, row->set, row->b);
    row->rule(c);
    const int is_worded = strstr(row->title, "documents") != NULL && data_is_real(corpus);
    const char *note = note_of(row->id);
    if (c->measured && is_worded)
        SAY(c->found, "  Stretches of at most 4 kB: cut at blank lines, else at line ends.");
    if (c->measured && note != NULL) SAY(c->found, "  %s", note);
}

static const char *corpus_of(const claim_row *row, size_t corpus_index) {
    if (row->scope == ONCE) return corpora[0];
    if (row->scope == ONCE_ON_FACTS) return "facts";
    return row->scope == ONCE_ANNOUNCED ? "confirm" : corpora[corpus_index];
}

/* Part by part, so that claims.csv and the page have the same order. */
void decide_claims(findings *all) {
    for (size_t k = 0; k < (size_t)N_PARTS * (N_CORPORA + 1) * N_ROWS; k++) {
        const claim_row *row = &rows[k % N_ROWS];
        const size_t corpus = k / N_ROWS % (N_CORPORA + 1);
        const int is_planned_row = is_planned(row, corpus);
        if (row->part != (int)(k / N_ROWS / (N_CORPORA + 1))) continue;
        if (!is_planned_row && !is_of_user(&all->d, row, corpus)) continue;
        add_claim(all, row, corpus_of(row, corpus));
        all->family[row->scope == ONCE_ANNOUNCED ? ANNOUNCED : EXPLORED]++;
    }
    claims_correct(all);
}
