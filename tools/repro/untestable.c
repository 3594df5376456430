/* untestable.c: what cannot be tested at this scale, and what of the measured text is also in the
 * texts for training. */
#include <math.h>
#include "findings.h"

/* ---- what cannot be tested here ---- */
typedef struct untestable {
    const char *claim, *why, *how;
} untestable;

static const untestable untestables[] = {
    {"A 1.1B model by selection solves 40.6% of MATH after tuning on ToRA's solutions, a 7B model "
     "51.8%",
     "needs 15B tokens of OpenWebMath: by the paper's hours 112 hours of an H100 for 1.1B, 576 for "
     "7B; and ToRA's solutions",
     "`slm eval --answers` generates and compares final answers (GSM8K, MATH) of any Llama folder, "
     "few-shot too; the 1B path is in README"},
    {"The 7B model equals DeepSeekMath-7B with 3% of its tokens",
     "the same hours; and the other model's text is not public",
     "the set `multiplier` asks the same of one model and one corpus; the 7B path (scoring that "
     "streams a model larger than memory, `slm-mpi train`) is in README"},
    {"Average accuracy rises by up to 30% on nine mathematical tasks, by 6.8% on 15 general ones",
     "a model of a few million weights solves none of them: its accuracy is chance",
     "`slm train --scores`, then any harness: what is written is a Hugging Face folder"},
    {"Text that was filtered before is still full of noisy tokens (figure 3, on OpenWebMath)",
     "the four classes need the checkpoints of a long training of a large model",
     "`slm score` of each checkpoint gives the losses; figure 3 here is of small models"},
    {"The gain grows, or shrinks, with the size of the model",
     "four sizes up to some million weights are no law for billions",
     "the set `sizes`; and `reproduce run --only confirm`, whose claims were written down before "
     "it was run (.github/PREREGISTERED.md)"}};

void report_untestable(findings *all) {
    static const char *const header[3] = {"claim of the paper", "why not here",
                                          "what there is for those who can"};
    const char *cells[3 * COUNT(untestables)];
    for (size_t i = 0; i < COUNT(untestables); i++) {
        cells[3 * i] = untestables[i].claim;
        cells[3 * i + 1] = untestables[i].why;
        cells[3 * i + 2] = untestables[i].how;
    }
    page_section(&all->page, "What cannot be tested here",
                 "These are claims of the paper on which this page has nothing to say.");
    page_table(&all->page, NULL, header, 3, cells, COUNT(untestables));
}

/* ---- leaks ---- */
enum { LEAK_CELLS = 4, MAX_LEAK_ROWS = 32 };

static const char *name_of_row(const csv_table *t, size_t row) {
    return corpus_name(data_text(t, row, "corpus"), IN_TITLE);
}

static void report_shares(findings *all) {
    static const char *const header[3] = {"corpus", "text for training", "share of measured words"};
    const csv_table *t = &all->d.csv[LEAKS];
    const char *cells[3 * MAX_LEAK_ROWS];
    size_t n = 0;
    for (size_t row = 0; row < t->rows && n < MAX_LEAK_ROWS; row++) {
        cells[3 * n] = name_of_row(t, row);
        cells[3 * n + 1] = data_text(t, row, "part");
        cells[3 * n + 2] = make_text("%.1f%%", 100 * data_number(t, row, "share"));
        n++;
    }
    page_table(&all->page,
               "Words of the measured text that lie in a stretch of 13 words that also stands in a "
               "text for training; seed 1.  Documents of fewer than 13 words cannot show an "
               "overlap so: of the facts, which are asked for in single lines, this table says "
               "nothing, and they must stand in the noisy text.  A token that begins with the "
               "space before a word counts to the word before it.",
               header, 3, cells, n);
}

/* The losses of seed 1's models on all tokens, and on those of words that are in no text. */
static void report_unseen(findings *all) {
    static const char *const header[LEAK_CELLS] = {"corpus", "model", "loss on all tokens",
                                                   "on those that stand nowhere else"};
    const csv_table *t = &all->d.csv[UNSEEN];
    const char *cells[LEAK_CELLS * MAX_LEAK_ROWS];
    size_t n = 0;
    for (size_t row = 0; row < t->rows && n < MAX_LEAK_ROWS; row++) {
        if (!(data_number(t, row, "unseen") < 1)) continue;
        const char **cell = cells + LEAK_CELLS * n++;
        cell[0] = name_of_row(t, row);
        cell[1] = data_text(t, row, "arm");
        cell[2] = make_text("%.3f", data_number(t, row, "loss"));
        cell[3] = make_text("%.3f", data_number(t, row, "loss_unseen"));
    }
    if (n == 0) return;
    page_table(&all->page,
               "Where words stand elsewhere too: if the models keep their distances without them, "
               "the leak does no harm to the comparison.",
               header, LEAK_CELLS, cells, n);
}

void report_leaks(findings *all) {
    page_section(&all->page, "Leaks between the texts", NULL);
    if (all->d.csv[LEAKS].rows == 0) {
        page_text(&all->page, "Left out: there is no leaks.csv.");
        return;
    }
    report_shares(all);
    report_unseen(all);
}
