/* corpus_join.h: several corpora, one after the other, as one. */
#ifndef CORPUS_JOIN_H
#define CORPUS_JOIN_H
#include "slm.h"

/* n >= 1.  No token is copied: the parts belong to the new corpus, and are freed with it.  After a
 * failure they are still the caller's.  tokenizer: theirs, or NULL. */
slm_status corpus_join(slm_corpus **out, slm_corpus *const *parts, size_t n,
                       const slm_tokenizer *tokenizer, int32_t vocab, slm_error *err);

#endif
