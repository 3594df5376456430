/* corpus_join.c: see corpus_join.h. */
#include "common/corpus_join.h"

#include <stdlib.h>
#include <string.h>

#include "common/errors.h"

typedef struct joined_parts {
    slm_corpus **parts;
    size_t n;
    size_t part, first; /* the part that was last asked, and the tokens before it */
} joined_parts;

/* Tokens are asked for one after the other mostly. */
static int32_t token_at(void *user, size_t i) {
    joined_parts *p = (joined_parts *)user;
    if (i < p->first) {
        p->part = 0;
        p->first = 0;
    }
    while (i - p->first >= p->parts[p->part]->n) {
        p->first += p->parts[p->part]->n;
        p->part++;
    }
    return slm_corpus_token(p->parts[p->part], i - p->first);
}

static void free_parts(void *user) {
    joined_parts *p = (joined_parts *)user;
    for (size_t i = 0; i < p->n; i++)
        slm_corpus_free(p->parts[i]);
    free(p->parts);
    free(p);
}

static joined_parts *keep_parts(slm_corpus *const *parts, size_t n) {
    joined_parts *p = (joined_parts *)calloc(1, sizeof *p);
    if (p == NULL) return NULL;
    p->n = n;
    p->parts = (slm_corpus **)malloc(n * sizeof *p->parts);
    if (p->parts == NULL) {
        free(p);
        return NULL;
    }
    memcpy(p->parts, parts, n * sizeof *p->parts);
    return p;
}

static size_t count_tokens(slm_corpus *const *parts, size_t n) {
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += parts[i]->n;
    return total;
}

/* The masks of all parts, or NULL if none has any; 0: there is no memory. */
static int join_masks(uint8_t **masked, slm_corpus *const *parts, size_t n) {
    size_t first = 0;
    *masked = NULL;
    for (size_t i = 0; i < n; i++) {
        if (parts[i]->masked != NULL && *masked == NULL) {
            *masked = (uint8_t *)calloc(count_tokens(parts, n) + 1, 1);
            if (*masked == NULL) return 0;
        }
        if (parts[i]->masked != NULL) memcpy(*masked + first, parts[i]->masked, parts[i]->n);
        first += parts[i]->n;
    }
    return 1;
}

/* The documents of a part follow those of the parts before; at the seam, one begins. */
static slm_status join_documents(slm_corpus *joined, slm_corpus *const *parts, size_t n,
                                 slm_error *err) {
    size_t n_documents = 0;
    uint64_t first = 0;
    for (size_t i = 0; i < n; i++)
        n_documents += parts[i]->document_starts != NULL ? parts[i]->n_documents : 1;
    uint64_t *starts = (uint64_t *)malloc(n_documents * sizeof *starts);
    if (starts == NULL) return error_set(err, SLM_ERR_MEMORY, "out of memory: documents");

    n_documents = 0;
    for (size_t i = 0; i < n; i++) {
        const slm_corpus *part = parts[i];
        size_t n_here = part->document_starts != NULL ? part->n_documents : 1;
        if (part->n == 0) continue;
        for (size_t k = 0; k < n_here; k++)
            starts[n_documents++] = first + (n_here > 1 ? part->document_starts[k] : 0);
        first += part->n;
    }
    slm_status status = SLM_OK;
    if (n_documents > 0) status = slm_corpus_set_documents(joined, starts, n_documents, err);
    free(starts);
    return status;
}

static slm_status join_weights(slm_corpus *joined, slm_corpus *const *parts, size_t n,
                               slm_error *err) {
    size_t first = 0;
    for (size_t i = 0; i < n; i++) {
        size_t size = parts[i]->n * sizeof(slm_real);
        if (parts[i]->weights != NULL) {
            slm_status status = slm_corpus_alloc_weights(joined, err);
            if (status != SLM_OK) return status;
            memcpy(joined->weights + first, parts[i]->weights, size);
        }
        first += parts[i]->n;
    }
    return SLM_OK;
}

/* The number of bytes is known if that of every part is. */
static size_t join_bytes(slm_corpus *const *parts, size_t n) {
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        if (parts[i]->bytes == 0) return 0;
        bytes += parts[i]->bytes;
    }
    return bytes;
}

slm_status corpus_join(slm_corpus **out, slm_corpus *const *parts, size_t n,
                       const slm_tokenizer *tokenizer, int32_t vocab, slm_error *err) {
    uint8_t *masked = NULL;
    joined_parts *kept = keep_parts(parts, n);
    slm_status status;
    *out = NULL;
    if (kept == NULL || !join_masks(&masked, parts, n)) {
        status = error_set(err, SLM_ERR_MEMORY, "out of memory: %zu files", n);
    } else {
        slm_token_source source = {token_at, free_parts, kept};
        status = slm_corpus_create_from(out, &source, masked, count_tokens(parts, n), vocab, err);
    }
    free(masked);
    if (status == SLM_OK) {
        (*out)->bytes = join_bytes(parts, n);
        if (tokenizer != NULL) status = slm_corpus_set_tokenizer(*out, tokenizer, err);
    }
    if (status == SLM_OK) status = join_documents(*out, parts, n, err);
    if (status == SLM_OK) status = join_weights(*out, parts, n, err);
    if (status == SLM_OK) return SLM_OK;

    if (kept != NULL) kept->n = 0; /* the parts are the caller's */
    if (*out != NULL) {
        slm_corpus_free(*out);
        *out = NULL;
    } else if (kept != NULL) {
        free_parts(kept);
    }
    return status;
}
