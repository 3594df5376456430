/* verbs.c: the list of the verbs. */
#include "slm/verbs.h"

const verb verbs[] = {
    {"train", "trains a model, on all tokens or on the selected ones", verb_train, 1},
    {"score", "loss and entropy of every token of a text, once", verb_score, 1},
    {"eval", "loss, perplexity and bits per byte of a text", verb_eval, 0},
    {"generate", "continues a text", verb_generate, 0},
    {"view", "a text's tokens coloured by loss, as one HTML file", verb_view, 0},
    {"plot", "the losses of runs over the tokens they have seen, as one SVG", verb_plot, 0},
    {"tokenize", "a text's token ids, and back", verb_tokenize, 0},
    {"tokenizer", "train, import: a byte-level BPE tokenizer from text, or GPT-2's",
     verb_tokenizer, 0},
    {"convert", "a model folder to GGUF or llama2.c, and GGUF to a folder", verb_convert, 0},
    {"info", "what a model folder, score file, tokenizer or log holds", verb_info, 0},
};

const size_t n_verbs = sizeof verbs / sizeof verbs[0];
