/* token_pairs.c: tokens that are two others. */
#include "slm/token_pairs.h"

#include <stdlib.h>
#include <string.h>

static int compare_tokens(const void *a, const void *b) {
    const token_text *x = (const token_text *)a;
    const token_text *y = (const token_text *)b;
    size_t n = x->size < y->size ? x->size : y->size;
    int order = memcmp(x->bytes, y->bytes, n);
    if (order != 0 || x->size == y->size) return order;
    return x->size < y->size ? -1 : 1;
}

static int compare_ids(int32_t a, int32_t b) {
    if (a == b) return 0;
    return a < b ? -1 : 1;
}

static int compare_pairs(const void *a, const void *b) {
    const token_pair *x = (const token_pair *)a;
    const token_pair *y = (const token_pair *)b;
    if (x->score > y->score) return -1;
    if (x->score < y->score) return 1;
    int order = compare_ids(x->made, y->made);
    if (order == 0) order = compare_ids(x->left, y->left);
    return order != 0 ? order : compare_ids(x->right, y->right);
}

/* Returns NULL if no token has these bytes. */
static const token_text *find(const token_text *tokens, size_t n, const char *bytes, size_t size) {
    token_text wanted = {bytes, size, 0, 0};
    return (const token_text *)bsearch(&wanted, tokens, n, sizeof wanted, compare_tokens);
}

/* 1 at the first byte of a character. */
static int begins_character(char byte) {
    return ((unsigned char)byte & 0xC0) != 0x80;
}

/* Appends a pair to an array of n, which has room for a power of two of them. */
static int append(token_pair **pairs, size_t n, token_pair pair) {
    int is_full = (n & (n - 1)) == 0 && n != 1;
    if (is_full) {
        size_t room = n == 0 ? 2 : 2 * n;
        if (room > SIZE_MAX / sizeof pair) return 0;
        token_pair *larger = (token_pair *)realloc(*pairs, room * sizeof pair);
        if (larger == NULL) return 0;
        *pairs = larger;
    }
    (*pairs)[n] = pair;
    return 1;
}

static int split_token(token_pair **pairs, size_t *n_pairs, const token_text *tokens, size_t n,
                       const token_text *token) {
    for (size_t i = 1; i < token->size; i++) {
        if (!begins_character(token->bytes[i])) continue;
        const token_text *left = find(tokens, n, token->bytes, i);
        if (left == NULL) continue;
        const token_text *right = find(tokens, n, token->bytes + i, token->size - i);
        if (right == NULL) continue;
        token_pair pair = {left->id, right->id, token->id, token->score};
        if (!append(pairs, *n_pairs, pair)) return 0;
        (*n_pairs)++;
    }
    return 1;
}

int token_pairs_find(token_pair **out, size_t *n_pairs, token_text *tokens, size_t n) {
    *out = NULL;
    *n_pairs = 0;
    if (n == 0) return 1;
    qsort(tokens, n, sizeof *tokens, compare_tokens);
    for (size_t i = 0; i < n; i++) {
        if (split_token(out, n_pairs, tokens, n, &tokens[i])) continue;
        free(*out);
        *out = NULL;
        return 0;
    }
    if (*n_pairs > 0) qsort(*out, *n_pairs, sizeof **out, compare_pairs);
    return 1;
}
