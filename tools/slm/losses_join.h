/* losses_join.h: one set of losses out of parts that lie side by side, in any order: shards, and
 * what was done before an interruption. */
#ifndef LOSSES_JOIN_H
#define LOSSES_JOIN_H
#include "slm.h"

/* Refuses parts of different models, corpora, tokenizers or windows, parts that overlap, and parts
 * with a gap between them. */
slm_status losses_join(slm_losses **out, const slm_losses *const *parts, size_t n_parts,
                       slm_error *err);

/* Names what makes the losses belong to something else, e.g. "tokenizer"; NULL: nothing does. */
const char *losses_difference(const slm_losses *a, const slm_losses *b);

#endif
