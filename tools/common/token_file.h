/* token_file.h: files of token ids as corpora.  All are little-endian; what a file is decides, then what it is called:
 *
 *     .npy          NumPy: int32 in one dimension
 *     llm.c         256 x int32: [0] = 20240520 (uint16 follow) or 20240801 (uint32), [2] = how many
 *     .u16, .bin    without such a header: bare uint16, as nanoGPT's prepare.py writes them
 *
 * Include slm.h before it. */
#ifndef TOKEN_FILE_H
#define TOKEN_FILE_H
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "npy.h"

typedef struct token_layout {
    size_t start, width, n;
} token_layout; /* n tokens of width bytes, from start on */

static inline int path_ends_in(const char *path, const char *end) {
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

static inline uint64_t token_number(const unsigned char *p, size_t width) {
    uint64_t value = 0;
    while (width-- > 0)
        value = value << 8 | p[width];
    return value;
}

/* Sets layout->width to 0 if the bytes are no token file. */
static inline slm_status token_file_layout(token_layout *layout, const unsigned char *bytes,
                                           size_t size, const char *path, slm_error *err) {
    uint64_t magic = size >= 1024 ? token_number(bytes, 4) : 0;
    npy_header npy;
    size_t n;
    layout->start = layout->width = 0;
    layout->n = size / 2;
    if (size >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0) {
        if (npy_parse(&npy, bytes, size) != 0 || strcmp(npy.dtype, "<i4") != 0 || npy.n_dims != 1)
            return slm__fail(
                err, SLM_ERR_FORMAT,
                "%s: a .npy file of tokens must hold '<i4' in one dimension, as many as "
                "its shape (N,) says: this one does not, or is damaged",
                path);
        layout->start = npy.start;
        layout->width = 4;
        layout->n = npy.n;
    } else if (magic == 20240520 || magic == 20240801) {
        layout->start = 1024;
        layout->width = magic == 20240520 ? 2 : 4;
        layout->n = (size_t)token_number(bytes + 8, 4);
    } else if (path_ends_in(path, ".u16") || path_ends_in(path, ".bin"))
        layout->width = 2;
    n = size - layout->start;
    if (layout->width == 0 || (n / layout->width == layout->n && n % layout->width == 0))
        return SLM_OK;
    return slm__fail(err, SLM_ERR_FORMAT,
                     "%s: %zu tokens of %zu bytes from byte %zu on do not make a file of %zu bytes",
                     path, layout->n, layout->width, layout->start, size);
}

static inline slm_status token_file_corpus(slm_corpus **out, const slm_tokenizer *tokenizer,
                                           const unsigned char *bytes, const token_layout *layout,
                                           const char *path, slm_error *err) {
    int32_t vocab = slm_tokenizer_vocab(tokenizer), *tokens;
    size_t text = 0;
    slm_status status = SLM_OK;
    if ((tokens = (int32_t *)malloc((layout->n + 1) * sizeof *tokens)) == NULL)
        status = slm__fail(err, SLM_ERR_MEMORY, "out of memory: %zu tokens", layout->n);
    for (size_t i = 0; i < layout->n && status == SLM_OK; i++) {
        uint64_t id = token_number(bytes + layout->start + i * layout->width, layout->width);
        size_t length = 0;
        if (id >= (uint64_t)vocab)
            status = slm__fail(err, SLM_ERR_FORMAT,
                               "%s: token %zu is %llu, outside the vocabulary of %d", path, i,
                               (unsigned long long)id, (int)vocab);
        else
            (void)slm_tokenizer_token(&length, tokenizer, tokens[i] = (int32_t)id);
        text += length;
    }
    if (status == SLM_OK) status = slm_corpus_create(out, tokens, NULL, layout->n, vocab, err);
    if (status == SLM_OK) (*out)->bytes = text;
    free(tokens);
    return status;
}

/* Like slm_corpus_load, for token files too. */
static inline slm_status token_file_load(slm_corpus **out, const slm_tokenizer *tokenizer,
                                         const char *path, const char *fields, slm_error *err) {
    token_layout layout = {0, 0, 0};
    char *bytes;
    size_t size;
    slm_status status;
    *out = NULL;
    if (path_ends_in(path, ".jsonl")) return slm_corpus_load(out, tokenizer, path, fields, err);
    if ((status = slm_file_read(&bytes, &size, path, err)) != SLM_OK) return status;
    status = token_file_layout(&layout, (const unsigned char *)bytes, size, path, err);
    if (status == SLM_OK)
        status = layout.width == 0 ? slm_corpus_encode(out, tokenizer, bytes, size, err)
                                   : token_file_corpus(out, tokenizer, (const unsigned char *)bytes,
                                                       &layout, path, err);
    slm_free(bytes);
    return status;
}
#endif
