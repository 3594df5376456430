/* verbs.c: the list of the verbs. */
#include "slm/verbs.h"

const verb verbs[] = {
    {"train", "trains a model, on all tokens or on the selected ones", verb_train},
    {"score", "loss and entropy of every token of a text, once", verb_score},
    {"eval", "loss, perplexity and bits per byte of a text", verb_eval},
    {"generate", "continues a text", verb_generate},
    {"view", "a text's tokens coloured by loss, as one HTML file", verb_view},
    {"plot", "the losses of runs over the tokens they have seen, as one SVG", verb_plot},
    {"tokenize", "a text's token ids, and back", verb_tokenize},
    {"tokenizer", "train, import: a byte-level BPE tokenizer from text, or GPT-2's",
     verb_tokenizer},
    {"convert", "a model folder to GGUF or llama2.c, and GGUF to a folder", verb_convert},
    {"info", "what a model folder, score file, tokenizer or log holds", verb_info},
};

const size_t n_verbs = sizeof verbs / sizeof verbs[0];
