/* token_file.c: files of token ids as corpora. */
#include "common/token_file.h"

#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/npy.h"

enum {
    LLMC_HEADER_SIZE = 1024,   /* bytes; the tokens follow */
    LLMC_COUNT_AT = 8,         /* byte of the header: how many tokens follow */
    LLMC_MAGIC_U16 = 20240520, /* GPT-2's tokens */
    LLMC_MAGIC_U32 = 20240801, /* Llama 3's tokens */
    ZEROS_SEEN_MIN = 32        /* bare ids that say how wide they are, if each second is 0 */
};

/* Where the tokens of a file lie: n of them, `width` bytes each, from `start` on. */
typedef struct token_layout {
    size_t start, width, n;
    int is_signed; /* for messages: what is below 0 is no id in any case */
} token_layout;

typedef enum token_kind { KIND_TEXT, KIND_NPY, KIND_LLMC, KIND_BARE } token_kind;

static int path_ends_in(const char *path, const char *end) {
    size_t n = strlen(path);
    size_t m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

static uint64_t little_endian(const unsigned char *p, size_t width) {
    uint64_t value = 0;
    while (width-- > 0)
        value = value << 8 | p[width];
    return value;
}

/* Bytes of one id of a file of bare ids, or 0 if it is a text. */
static size_t bare_width(const data_options *options, const char *path) {
    static const size_t widths[] = {2, 4, 4, 8}; /* of --dtype's words */
    if (slm_text_is_jsonl(path) || options->text.jsonl) return 0;
    if (options->dtype != DTYPE_NOT_GIVEN) return widths[options->dtype];
    if (path_ends_in(path, ".u16") || path_ends_in(path, ".bin")) return 2;
    return path_ends_in(path, ".u32") ? 4 : 0;
}

/* What the file begins with counts more than its name: files of llm.c are called .bin too, but have
 * a header. */
static token_kind kind_of(const data_options *options, const char *path, const unsigned char *head,
                          size_t head_size) {
    if (head_size >= 6 && memcmp(head, "\x93NUMPY", 6) == 0) return KIND_NPY;
    uint64_t magic = head_size >= LLMC_HEADER_SIZE ? little_endian(head, 4) : 0;
    if (magic == LLMC_MAGIC_U16 || magic == LLMC_MAGIC_U32) return KIND_LLMC;
    return bare_width(options, path) > 0 ? KIND_BARE : KIND_TEXT;
}

int token_file_has_ids(const data_options *options, const char *path, const void *head,
                       size_t head_size) {
    return kind_of(options, path, (const unsigned char *)head, head_size) != KIND_TEXT;
}

static int is_id_type(const char *dtype) {
    return strcmp(dtype, "<i4") == 0 || strcmp(dtype, "<i8") == 0 || strcmp(dtype, "<u2") == 0 ||
           strcmp(dtype, "<u4") == 0;
}

static slm_status find_npy_tokens(token_layout *layout, const source *s, slm_error *err) {
    npy_header npy;
    if (!npy_parse(&npy, (const unsigned char *)s->bytes, s->size))
        return error_set(err, SLM_ERR_FORMAT, "%s: %s", s->path, npy.fault);
    if (!is_id_type(npy.dtype)) {
        return error_set(err, SLM_ERR_FORMAT,
                         "%s: descr is '%s': token ids are '<i4', '<i8', '<u2' or '<u4'", s->path,
                         npy.dtype);
    }
    if (npy.n_dims != 1) {
        return error_set(err, SLM_ERR_FORMAT,
                         "%s: shape has %zu dimensions: token ids have one, (N,)", s->path,
                         npy.n_dims);
    }
    layout->start = npy.start;
    layout->width = npy.width;
    layout->n = npy.n;
    layout->is_signed = npy.dtype[1] == 'i';
    return SLM_OK;
}

/* A file of bare ids does not say how wide they are.  Of 32 or 64 bits, read as if of 16, every
 * second one is 0, and no text is like that. */
static int ids_look_wider(const source *s, size_t width, size_t n) {
    const unsigned char *p = (const unsigned char *)s->bytes;
    int any = 0;
    if (n < ZEROS_SEEN_MIN) return 0;
    for (size_t i = 0; i < n; i++) {
        int zero = little_endian(p + width * i, width) == 0;
        if (i % 2 == 1 && !zero) return 0;
        if (!zero) any = 1;
    }
    return any;
}

static slm_status find_bare_tokens(token_layout *layout, const source *s,
                                   const data_options *options, slm_error *err) {
    layout->width = bare_width(options, s->path);
    layout->is_signed = options->dtype >= DTYPE_FIRST_SIGNED;
    layout->n = s->size / layout->width;
    if (!ids_look_wider(s, layout->width, layout->n)) return SLM_OK;
    return error_set(err, SLM_ERR_FORMAT,
                     "%s: read as ids of %zu bits, every second one is 0; wider ones are read by "
                     "--dtype u32 or --dtype i64",
                     s->path, 8 * layout->width);
}

static slm_status find_tokens(token_layout *layout, token_kind kind, const source *s,
                              const data_options *options, slm_error *err) {
    const unsigned char *bytes = (const unsigned char *)s->bytes;
    memset(layout, 0, sizeof *layout);
    if (kind == KIND_NPY) return find_npy_tokens(layout, s, err);
    if (kind == KIND_LLMC) {
        layout->start = LLMC_HEADER_SIZE;
        layout->width = little_endian(bytes, 4) == LLMC_MAGIC_U16 ? 2 : 4;
        layout->n = (size_t)little_endian(bytes + LLMC_COUNT_AT, 4);
    } else {
        slm_status status = find_bare_tokens(layout, s, options, err);
        if (status != SLM_OK) return status;
    }

    /* The tokens must fill the file exactly; n * width could overflow, a division cannot. */
    size_t room = s->size - layout->start;
    if (room / layout->width == layout->n && room % layout->width == 0) return SLM_OK;
    return error_set(err, SLM_ERR_FORMAT,
                     "%s: %zu tokens of %zu bytes from byte %zu on do not make a file of %zu bytes",
                     s->path, layout->n, layout->width, layout->start, s->size);
}

static slm_status refuse_token(const token_reader *reader, const char *path,
                               const token_layout *layout, size_t i, uint64_t id, slm_error *err) {
    uint64_t sign = (uint64_t)1 << (8 * layout->width - 1);
    if (layout->is_signed && id >= sign) {
        long long below = -1 - (long long)((sign - 1) ^ (id - sign));
        return error_set(err, SLM_ERR_FORMAT, "%s: token %zu is %lld, outside the vocabulary of %d",
                         path, i, below, (int)reader->vocab);
    }
    return error_set(err, SLM_ERR_FORMAT, "%s: token %zu is %llu, outside the vocabulary of %d",
                     path, i, (unsigned long long)id, (int)reader->vocab);
}

/* Reads the ids into tokens (n), and adds up the sizes of their texts. */
static slm_status read_tokens(int32_t *tokens, size_t *text_size, const token_reader *reader,
                              const source *s, const token_layout *layout, slm_error *err) {
    const unsigned char *first = (const unsigned char *)s->bytes + layout->start;
    *text_size = 0;
    for (size_t i = 0; i < layout->n; i++) {
        uint64_t id = little_endian(first + i * layout->width, layout->width);
        size_t size = 0;
        if (id >= (uint64_t)reader->vocab)
            return refuse_token(reader, s->path, layout, i, id, err);
        tokens[i] = (int32_t)id;
        if (reader->tokenizer != NULL)
            (void)slm_tokenizer_token_at(&size, reader->tokenizer, tokens[i], i);
        *text_size += size;
    }
    return SLM_OK;
}

static slm_status corpus_of_ids(slm_corpus **out, const token_reader *reader, const source *s,
                                const token_layout *layout, slm_error *err) {
    size_t text_size;
    int32_t *tokens = (int32_t *)malloc((layout->n + 1) * sizeof *tokens);
    if (tokens == NULL)
        return error_set(err, SLM_ERR_MEMORY, "out of memory: %zu tokens", layout->n);

    slm_status status = read_tokens(tokens, &text_size, reader, s, layout, err);
    if (status == SLM_OK)
        status = slm_corpus_create(out, tokens, NULL, layout->n, reader->vocab, err);
    free(tokens);
    if (status != SLM_OK || reader->tokenizer == NULL) return status;

    status = slm_corpus_set_tokenizer(*out, reader->tokenizer, err);
    if (status == SLM_OK) {
        (*out)->bytes = text_size;
        return SLM_OK;
    }
    slm_corpus_free(*out);
    *out = NULL;
    return status;
}

static slm_status corpus_of_text(slm_corpus **out, token_reader *reader, const source *s,
                                 slm_error *err) {
    slm_text text;
    slm_status status = source_text(&text, s, &reader->options, &reader->report, err);
    if (status == SLM_OK && reader->tokenizer == NULL) {
        status = error_set(err, SLM_ERR_FORMAT,
                           "%s: a text, and no tokenizer to make ids of it: --tokenizer "
                           "bytes|FILE|FOLDER",
                           s->path);
    }
    if (status == SLM_OK)
        status = slm_corpus_encode(out, reader->tokenizer, text.start, text.size, err);
    slm_text_free(&text);
    return status;
}

slm_status token_file_load(slm_corpus **out, token_reader *reader, const char *path,
                           slm_error *err) {
    source s;
    token_layout layout;
    *out = NULL;
    slm_status status = source_read(&s, path, err);
    if (status == SLM_OK) {
        const unsigned char *head = (const unsigned char *)s.bytes;
        token_kind kind = kind_of(&reader->options, path, head, s.size);
        if (kind == KIND_BARE) reader->report.n_bare++;
        if (kind == KIND_TEXT) {
            status = corpus_of_text(out, reader, &s, err);
        } else {
            status = find_tokens(&layout, kind, &s, &reader->options, err);
            if (status == SLM_OK) status = corpus_of_ids(out, reader, &s, &layout, err);
        }
    }
    source_free(&s);
    return status;
}
