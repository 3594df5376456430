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

/* A file in memory, and where its tokens are: n of them, `width` bytes each, from `start` on.
 * Width 0 says that it is text. */
typedef struct token_file {
    const char *path;
    const unsigned char *bytes;
    size_t size;
    size_t start, width, n;
} token_file;

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

static slm_status find_npy_tokens(token_file *file, slm_error *err) {
    npy_header npy;
    int readable = npy_parse(&npy, file->bytes, file->size);
    if (!readable || strcmp(npy.dtype, "<i4") != 0 || npy.n_dims != 1) {
        return error_set(err, SLM_ERR_FORMAT,
                         "%s: a .npy file of tokens must hold '<i4' in one dimension, as many as "
                         "its shape (N,) says: this one does not, or is damaged",
                         file->path);
    }
    file->start = npy.start;
    file->width = 4;
    file->n = npy.n;
    return SLM_OK;
}

/* A file of bare ids does not say how wide they are.  Of 32 or 64 bits, read as if of 16, every
 * second one is 0, and no text is like that. */
static int ids_look_wider(const token_file *file) {
    int any = 0;
    if (file->n < ZEROS_SEEN_MIN) return 0;
    for (size_t i = 0; i < file->n; i++) {
        int zero = file->bytes[2 * i] == 0 && file->bytes[2 * i + 1] == 0;
        if (i % 2 == 1 && !zero) return 0;
        if (!zero) any = 1;
    }
    return any;
}

/* Sets start, width and n, and leaves them 0 if the file is text.  What the file begins with counts
 * more than its name: files of llm.c are called .bin too, but have a header. */
static slm_status find_tokens(token_file *file, slm_error *err) {
    const unsigned char *bytes = file->bytes;
    if (file->size >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0) return find_npy_tokens(file, err);

    uint64_t magic = file->size >= LLMC_HEADER_SIZE ? little_endian(bytes, 4) : 0;
    if (magic == LLMC_MAGIC_U16 || magic == LLMC_MAGIC_U32) {
        file->start = LLMC_HEADER_SIZE;
        file->width = magic == LLMC_MAGIC_U16 ? 2 : 4;
        file->n = (size_t)little_endian(bytes + LLMC_COUNT_AT, 4);
    } else if (path_ends_in(file->path, ".u16") || path_ends_in(file->path, ".bin")) {
        file->width = 2;
        file->n = file->size / 2;
        if (ids_look_wider(file)) {
            return error_set(err, SLM_ERR_FORMAT,
                             "%s: read as ids of 16 bits, every second one is 0: save ids of 32 or "
                             "64 bits as uint16, or as a .npy file of int32",
                             file->path);
        }
    } else {
        return SLM_OK;
    }

    /* The tokens must fill the file exactly; n * width could overflow, a division cannot. */
    size_t room = file->size - file->start;
    if (room / file->width == file->n && room % file->width == 0) return SLM_OK;
    return error_set(err, SLM_ERR_FORMAT,
                     "%s: %zu tokens of %zu bytes from byte %zu on do not make a file of %zu bytes",
                     file->path, file->n, file->width, file->start, file->size);
}

/* Reads the ids into tokens (n), and adds up the sizes of their texts. */
static slm_status read_tokens(int32_t *tokens, size_t *text_size, const slm_tokenizer *tokenizer,
                              const token_file *file, slm_error *err) {
    int32_t vocab = slm_tokenizer_vocab(tokenizer);
    *text_size = 0;
    for (size_t i = 0; i < file->n; i++) {
        const unsigned char *p = file->bytes + file->start + i * file->width;
        uint64_t id = little_endian(p, file->width);
        size_t size = 0;
        if (id >= (uint64_t)vocab) {
            return error_set(err, SLM_ERR_FORMAT,
                             "%s: token %zu is %llu, outside the vocabulary of %d", file->path, i,
                             (unsigned long long)id, (int)vocab);
        }
        tokens[i] = (int32_t)id;
        (void)slm_tokenizer_token_at(&size, tokenizer, tokens[i], i);
        *text_size += size;
    }
    return SLM_OK;
}

static slm_status corpus_of_ids(slm_corpus **out, const slm_tokenizer *tokenizer,
                                const token_file *file, slm_error *err) {
    size_t text_size;
    int32_t *tokens = (int32_t *)malloc((file->n + 1) * sizeof *tokens);
    if (tokens == NULL)
        return error_set(err, SLM_ERR_MEMORY, "out of memory: %zu tokens", file->n);

    slm_status status = read_tokens(tokens, &text_size, tokenizer, file, err);
    if (status == SLM_OK) {
        int32_t vocab = slm_tokenizer_vocab(tokenizer);
        status = slm_corpus_create(out, tokens, NULL, file->n, vocab, err);
    }
    if (status == SLM_OK) {
        (*out)->bytes = text_size;
        (*out)->tokenizer_hash = slm_tokenizer_hash(tokenizer);
    }
    free(tokens);
    return status;
}

slm_status token_file_load(slm_corpus **out, const slm_tokenizer *tokenizer, const char *path,
                           const char *fields, slm_error *err) {
    token_file file = {.path = path};
    char *text;
    size_t start = 0;
    *out = NULL;
    if (slm_text_is_jsonl(path)) return slm_corpus_load(out, tokenizer, path, fields, err);

    slm_status status = slm_file_read(&text, &file.size, path, err);
    if (status != SLM_OK) return status;
    file.bytes = (const unsigned char *)text;
    status = find_tokens(&file, err);
    if (status == SLM_OK && file.width == 0) {
        status = slm_text_start(&start, text, file.size, path, err);
        if (status == SLM_OK)
            status = slm_corpus_encode(out, tokenizer, text + start, file.size - start, err);
    } else if (status == SLM_OK) {
        status = corpus_of_ids(out, tokenizer, &file, err);
    }
    slm_free(text);
    return status;
}
