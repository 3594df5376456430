/* changes.c: of each method of others, and of the paper's: what is the same here, and what was
 * changed. */
#include "common/options.h"
#include "findings.h"

enum { COLUMNS = 4 };

/* Arms are named as in curves.csv; what they do is in arms.c and lab/token_rules.h. */
static const char *const changes[][COLUMNS] = {
    {"Selective training (`slm`)", "Rho-1 (2404.07965)",
     "excess loss by a reference of the same base; ranked over the batch; all tokens are read",
     "40% are kept in the place of 60 (1.1B) and 70% (7B); base, reference and corpus are small "
     "and made here; the reference's rate was not tuned"},
    {"Sequences by excess (`rho_sequences`)", "RHO-LOSS (2206.07137)",
     "the examples of a larger batch with the highest loss less the reference's",
     "an example is a sequence; 8 of 20 are kept, there 32 of 320; for equal tokens there are 2.5 "
     "times fewer updates than in other arms; the reference is tuned on the clean text, there on "
     "held-out data of the training text's own kind"},
    {"Documents by excess (`doc`, `page`)", "CoLoR-Filter (2406.10670); Moore and Lewis (2010)",
     "the mean of the base's loss less the tuned model's decides, once, before training",
     "documents of any length in the place of sequences; on real text stretches of at most 4 kB; "
     "the models of selection in the place of the n-grams of 2010"},
    {"Windows by excess (`window`)", "CoLoR-Filter (2406.10670)", "the same, of sequences",
     "40% are kept; the models are those of selection"},
    {"Documents by reference loss (`doc_ppl`)", "CCNet (1911.00359)",
     "the lowest loss by a model of clean text decides",
     "a small transformer in the place of an n-gram model; one cut at 40% of the text in the place "
     "of quantiles for each language"},
    {"Token Cleaning (`cleaned`)", "Token Cleaning (2502.01968)",
     "one ranking of all tokens of the text by excess, once; 60% are kept",
     "for training on raw text, there for tuning on instructions; the reference is tuned on the "
     "clean text, there on a part of the text itself"},
    {"Token Cleaning, self-evolving (`evolving`)", "Token Cleaning (2502.01968)",
     "in rounds: what the model has become is the next reference; 60% are kept",
     "four rounds, each with its own warm-up and cosine of the learning rate; the first reference "
     "is tuned on the clean text, there on the first part"},
    {"ESLM, by entropy (`eslm`)", "ESLM (2505.19893)", "the tokens of the highest entropy are kept",
     "a fixed 40%, there those above a value at risk at a confidence level: whether that is the "
     "same rule is open"},
    {"Soft weights (`soft`)", "after 2502.06733",
     "losses get weights by an exponential instead of a cut; all tokens are trained on",
     "tokens by excess loss, there examples by the model's own loss; at most 5 times the mean "
     "weight"},
    {"Stochastic selection (`stochastic`)", "none that is known to us",
     "", "40% of the tokens are drawn with chances that rise with the excess loss"},
    {"Smoothed over neighbours (`smooth`)", "none that is known to us",
     "", "the excess loss is averaged over 24 tokens on both sides, then 40% are kept"}};

void report_changes(findings *all) {
    static const char *const header[COLUMNS] = {"arm", "after", "the same", "changed"};
    page_section(&all->page, "What was changed",
                 "The methods of others run here by their idea, with the models and texts of this "
                 "page: a result is one of the arm as it is described here.  Arithmetic is that of "
                 "training, of the reference and of scoring the text once; the forward pass by "
                 "which the rules of others rank before each step, or between rounds, is not "
                 "counted.");
    page_table(&all->page, NULL, header, COLUMNS, &changes[0][0], COUNT(changes));
}
