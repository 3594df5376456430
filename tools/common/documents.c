/* documents.c: see documents.h. */
#include "common/documents.h"

#include <stdlib.h>
#include <string.h>

#include "common/errors.h"

/* ---- the marks ---- */
static slm_status find_mark(int32_t *mark, int choice, int32_t by_template, int32_t by_model,
                            const char *flag, slm_error *err) {
    *mark = -1;
    if (choice == MARK_NO) return SLM_OK;
    *mark = by_template;
    if (choice == MARK_YES && *mark < 0) *mark = by_model;
    if (choice != MARK_YES || *mark >= 0) return SLM_OK;
    return error_set(err, SLM_ERR_FORMAT,
                     "%s yes: neither the tokenizer's template (post_processor) nor a model's "
                     "config.json names such a token",
                     flag);
}

slm_status documents_find_marks(token_reader *reader, slm_error *err) {
    const slm_model *model = reader->model;
    const slm_special_ids *special = model != NULL ? &model->config.special : NULL;
    int32_t bos = -1;
    int32_t eos = -1;
    slm_status status = SLM_OK;
    if (reader->tokenizer != NULL)
        status = slm_tokenizer_template(&bos, &eos, reader->tokenizer, err);
    int32_t model_bos = special != NULL && special->has_bos ? special->bos : -1;
    int32_t model_eos = special != NULL && special->n_eos > 0 ? special->eos[0] : -1;
    if (status == SLM_OK)
        status = find_mark(&reader->bos, reader->options.bos, bos, model_bos, "--bos", err);
    if (status == SLM_OK)
        status = find_mark(&reader->eos, reader->options.eos, eos, model_eos, "--eos", err);

    /* In ids that are there already, an end is an end whether or not the template puts one. */
    reader->end = reader->eos;
    if (reader->end < 0 && reader->options.eos != MARK_NO) reader->end = model_eos;
    return status;
}

/* ---- a corpus in the making ---- */
typedef struct builder {
    const token_reader *reader;
    const slm_text *text;
    int32_t *tokens;   /* (room) */
    uint8_t *masked;   /* (room) */
    slm_real *weights; /* (room) */
    uint64_t *starts;  /* one for each part of the text, and one more */
    size_t n, room, n_documents;
    int any_masked, any_weight;
} builder;

static void free_builder(builder *b) {
    free(b->tokens);
    free(b->masked);
    free(b->weights);
    free(b->starts);
}

static slm_status grow(builder *b, size_t n, slm_error *err) {
    if (b->room - b->n >= n) return SLM_OK;
    size_t room = 2 * (b->n + n) + 1024;
    int32_t *tokens = (int32_t *)realloc(b->tokens, room * sizeof *tokens);
    if (tokens != NULL) b->tokens = tokens;
    uint8_t *masked = (uint8_t *)realloc(b->masked, room);
    if (masked != NULL) b->masked = masked;
    slm_real *weights = (slm_real *)realloc(b->weights, room * sizeof *weights);
    if (weights != NULL) b->weights = weights;
    if (tokens == NULL || masked == NULL || weights == NULL)
        return error_set(err, SLM_ERR_MEMORY, "out of memory: %zu tokens", room);
    b->room = room;
    return SLM_OK;
}

static void put(builder *b, int32_t token, int masked, double weight) {
    b->tokens[b->n] = token;
    b->masked[b->n] = (uint8_t)masked;
    b->weights[b->n] = (slm_real)weight;
    b->any_masked = b->any_masked || masked;
    b->any_weight = b->any_weight || weight > 1 || weight < 1;
    b->n++;
}

/* Puts the tokens of a document (n), each with the mask and the weight of the part in which it
 * begins. */
static slm_status put_parts(builder *b, const int32_t *ids, size_t n, const slm_text_part *parts,
                            size_t n_parts, size_t size, slm_error *err) {
    size_t at = parts[0].start; /* of the next token in the text */
    size_t end = at + size;
    size_t part = 0;
    for (size_t i = 0; i < n; i++) {
        size_t token_size = 0;
        while (part + 1 < n_parts && parts[part + 1].start <= at)
            part++;
        put(b, ids[i], parts[part].masked, parts[part].weight);
        (void)slm_tokenizer_token_at(&token_size, b->reader->tokenizer, ids[i], i);
        at += token_size;
    }
    if (n_parts == 1 || at == end) return SLM_OK;
    return error_set(err, SLM_ERR_FORMAT,
                     "record %zu: its tokens stand for %zu bytes, its text has %zu: which of them "
                     "belong to which field is not known",
                     b->n_documents, at - parts[0].start, size);
}

/* Encodes one document by itself. */
static slm_status put_document(builder *b, const slm_text_part *parts, size_t n_parts, size_t end,
                               slm_error *err) {
    const token_reader *reader = b->reader;
    int has_marks = reader->bos >= 0 || reader->eos >= 0;
    size_t first = parts[0].start;
    size_t size = end - first;
    double weight = parts[n_parts - 1].weight;
    int32_t *ids = NULL;
    size_t n = 0;
    /* The blank line behind a record stands for the token that ends it. */
    if (has_marks && b->text->parts != NULL) size -= 2;
    slm_status status = slm_tokenizer_encode(&ids, &n, reader->tokenizer, b->text->start + first,
                                             size, err);
    if (status == SLM_OK) status = grow(b, n + 2, err);
    if (status == SLM_OK && (n > 0 || has_marks)) {
        b->starts[b->n_documents++] = b->n;
        if (reader->bos >= 0) put(b, reader->bos, 1, 1);
        if (n > 0) status = put_parts(b, ids, n, parts, n_parts, size, err);
        if (reader->eos >= 0) put(b, reader->eos, 0, weight);
    }
    slm_free(ids);
    return status;
}

static slm_status put_documents(builder *b, slm_error *err) {
    const slm_text *text = b->text;
    const slm_text_part whole = {0, 1, 0, 1};
    if (text->parts == NULL) return put_document(b, &whole, 1, text->size, err);

    slm_status status = SLM_OK;
    size_t first = 0;
    while (first < text->n_parts && status == SLM_OK) {
        size_t next = first + 1;
        while (next < text->n_parts && !text->parts[next].begins)
            next++;
        size_t end = next < text->n_parts ? text->parts[next].start : text->size;
        status = put_document(b, text->parts + first, next - first, end, err);
        first = next;
    }
    return status;
}

static slm_status make_corpus(slm_corpus **out, const builder *b, slm_error *err) {
    const uint8_t *masked = b->any_masked ? b->masked : NULL;
    slm_status status = slm_corpus_create(out, b->tokens, masked, b->n, b->reader->vocab, err);
    if (status == SLM_OK) status = slm_corpus_set_tokenizer(*out, b->reader->tokenizer, err);
    if (status == SLM_OK && b->n_documents > 0)
        status = slm_corpus_set_documents(*out, b->starts, b->n_documents, err);
    if (status == SLM_OK && b->any_weight) {
        status = slm_corpus_alloc_weights(*out, err);
        if (status == SLM_OK) memcpy((*out)->weights, b->weights, b->n * sizeof *b->weights);
    }
    if (status == SLM_OK) {
        (*out)->bytes = b->text->size;
        return SLM_OK;
    }
    slm_corpus_free(*out);
    *out = NULL;
    return status;
}

/* Without marks, masks and the like, all records are encoded as one text. */
static int needs_documents(const token_reader *reader) {
    const data_options *o = &reader->options;
    if (reader->bos >= 0 || reader->eos >= 0 || o->within) return 1;
    return o->text.mask_fields != NULL || o->text.weight_field != NULL;
}

slm_status documents_of_text(slm_corpus **out, const token_reader *reader, const slm_text *text,
                             slm_error *err) {
    builder b;
    if (!needs_documents(reader))
        return slm_corpus_encode(out, reader->tokenizer, text->start, text->size, err);

    memset(&b, 0, sizeof b);
    b.reader = reader;
    b.text = text;
    b.starts = (uint64_t *)malloc((text->n_parts + 1) * sizeof *b.starts);
    slm_status status = b.starts != NULL
                            ? SLM_OK
                            : error_set(err, SLM_ERR_MEMORY, "out of memory: documents");
    if (status == SLM_OK) status = put_documents(&b, err);
    if (status == SLM_OK) status = make_corpus(out, &b, err);
    free_builder(&b);
    return status;
}

/* ---- documents of ids ---- */

/* What is found of the documents of a corpus (n). */
typedef struct id_marks {
    int32_t bos, end; /* -1: none */
    uint64_t *starts; /* (n_documents) */
    uint8_t *masked;  /* (n) */
    size_t n_documents, n_masked;
} id_marks;

static void find_documents(id_marks *m, const slm_corpus *corpus) {
    int32_t before = -1;
    for (size_t i = 0; i < corpus->n; i++) {
        int32_t token = slm_corpus_token(corpus, i);
        int is_bos = m->bos >= 0 && token == m->bos;
        int is_behind_end = i > 0 && m->end >= 0 && before == m->end;
        int begins = i == 0 || is_bos || is_behind_end;
        if (m->masked != NULL) m->masked[i] = (uint8_t)is_bos;
        if (m->starts != NULL && begins) m->starts[m->n_documents] = i;
        m->n_documents += (size_t)begins;
        m->n_masked += (size_t)is_bos;
        before = token;
    }
}

/* Counts first, so that memory is taken for the documents only, and for masks only where there are
 * some. */
slm_status documents_of_ids(slm_corpus *corpus, const token_reader *reader, slm_error *err) {
    /* One token for both marks begins the documents only if --bos yes says so. */
    int is_both = reader->bos >= 0 && reader->bos == reader->end;
    id_marks m = {.bos = reader->bos, .end = reader->end};
    if (is_both && reader->options.bos == MARK_YES) {
        m.end = -1;
    } else if (is_both) {
        m.bos = -1;
    }
    if (m.bos < 0 && m.end < 0) return SLM_OK;

    find_documents(&m, corpus);
    if (m.n_documents == 0) return SLM_OK;
    m.starts = (uint64_t *)malloc(m.n_documents * sizeof *m.starts);
    if (m.n_masked > 0) m.masked = (uint8_t *)malloc(corpus->n);
    slm_status status = SLM_OK;
    if (m.starts == NULL || (m.n_masked > 0 && m.masked == NULL))
        status = error_set(err, SLM_ERR_MEMORY, "out of memory: documents");
    m.n_documents = 0;
    if (status == SLM_OK) find_documents(&m, corpus);
    if (status == SLM_OK)
        status = slm_corpus_set_documents(corpus, m.starts, m.n_documents, err);
    if (status == SLM_OK && m.masked != NULL) status = slm_corpus_set_masks(corpus, m.masked, err);
    free(m.starts);
    free(m.masked);
    return status;
}
