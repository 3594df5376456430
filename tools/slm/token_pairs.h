/* token_pairs.h: which tokens are two others, one behind the other.  A tokenizer of SentencePiece
 * has no merges, only tokens with scores: two neighbours are joined if what they make is a token,
 * and first those that make the one of the highest score.  As merges, these are all such pairs in
 * the order of the scores. */
#ifndef TOKEN_PAIRS_H
#define TOKEN_PAIRS_H
#include <stddef.h>
#include <stdint.h>

typedef struct token_text {
    const char *bytes; /* (size), UTF-8 */
    size_t size;
    int32_t id;
    double score;
} token_text;

typedef struct token_pair {
    int32_t left, right;
    int32_t made;
    double score; /* of the token that they make */
} token_pair;

/* All pairs of the n tokens that make one of them, the highest score first; of equals the lowest
 * ids.  Sorts the tokens.  *out is to be freed by free.  Returns 0 if there is no memory. */
int token_pairs_find(token_pair **out, size_t *n_pairs, token_text *tokens, size_t n);

#endif
