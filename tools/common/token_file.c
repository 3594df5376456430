/* token_file.c: files of token ids as corpora. */
#include "common/token_file.h"

#include <stdlib.h>
#include <string.h>

#include "common/documents.h"
#include "common/errors.h"
#include "common/npy.h"
#include "common/os.h"
#include "common/token_source.h"

enum {
    LLMC_HEADER_SIZE = 1024,   /* bytes; the tokens follow */
    LLMC_COUNT_AT = 8,         /* byte of the header: how many tokens follow */
    LLMC_MAGIC_U16 = 20240520, /* GPT-2's tokens */
    LLMC_MAGIC_U32 = 20240801, /* Llama 3's tokens */
    ZEROS_SEEN_MIN = 32,       /* bare ids that say how wide they are, if each second is 0 */
    HEAD_SIZE = 66000          /* bytes of a file that are read first: the longest header of .npy */
};

/* A file, or standard input, as far as it has been read: its first bytes tell what it is. */
typedef struct token_file {
    const char *path;
    const unsigned char *head;
    size_t head_size;
    uint64_t size;
    int fd;   /* -1: all of it is in the source */
    source s; /* its bytes, or only the first ones */
} token_file;

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

static slm_status find_npy_tokens(token_layout *layout, const token_file *file, slm_error *err) {
    npy_header npy;
    if (!npy_parse_head(&npy, file->head, file->head_size, file->size))
        return error_set(err, SLM_ERR_FORMAT, "%s: %s", file->path, npy.fault);
    if (!is_id_type(npy.dtype)) {
        return error_set(err, SLM_ERR_FORMAT,
                         "%s: descr is '%s': token ids are '<i4', '<i8', '<u2' or '<u4'",
                         file->path, npy.dtype);
    }
    if (npy.n_dims != 1) {
        return error_set(err, SLM_ERR_FORMAT,
                         "%s: shape has %zu dimensions: token ids have one, (N,)", file->path,
                         npy.n_dims);
    }
    layout->start = npy.start;
    layout->width = npy.width;
    layout->n = npy.n;
    layout->is_signed = npy.dtype[1] == 'i';
    return SLM_OK;
}

static slm_status find_tokens(token_layout *layout, token_kind kind, const token_file *file,
                              const data_options *options, slm_error *err) {
    memset(layout, 0, sizeof *layout);
    if (kind == KIND_NPY) return find_npy_tokens(layout, file, err);
    if (kind == KIND_LLMC) {
        layout->start = LLMC_HEADER_SIZE;
        layout->width = little_endian(file->head, 4) == LLMC_MAGIC_U16 ? 2 : 4;
        layout->n = (size_t)little_endian(file->head + LLMC_COUNT_AT, 4);
    } else {
        layout->width = bare_width(options, file->path);
        layout->n = (size_t)(file->size / layout->width);
        layout->is_signed = options->dtype >= DTYPE_FIRST_SIGNED;
    }

    /* The tokens must fill the file exactly; n * width could overflow, a division cannot. */
    uint64_t room = file->size - layout->start;
    if (room / layout->width == layout->n && room % layout->width == 0) return SLM_OK;
    return error_set(err, SLM_ERR_FORMAT,
                     "%s: %zu tokens of %zu bytes from byte %llu on do not make a file of %llu "
                     "bytes",
                     file->path, layout->n, layout->width, (unsigned long long)layout->start,
                     (unsigned long long)file->size);
}

/* A file of bare ids does not say how wide they are.  Of 32 or 64 bits, read as if of 16, every
 * second one is 0, and no text is like that. */
static slm_status check_width(token_source *s, const token_layout *layout, const char *path,
                              slm_error *err) {
    int any = 0;
    if (layout->n < ZEROS_SEEN_MIN) return SLM_OK;
    for (size_t i = 0; i < layout->n; i++) {
        int zero = token_source_id(s, i) == 0;
        if (i % 2 == 1 && !zero) return SLM_OK;
        if (!zero) any = 1;
    }
    if (!any) return SLM_OK;
    return error_set(err, SLM_ERR_FORMAT,
                     "%s: read as ids of %zu bits, every second one is 0; wider ones are read by "
                     "--dtype u32 or --dtype i64",
                     path, 8 * layout->width);
}

/* Adds up the sizes of the tokens' texts. */
static size_t text_size(const slm_corpus *corpus, const slm_tokenizer *tokenizer) {
    size_t sum = 0;
    for (size_t i = 0; i < corpus->n; i++) {
        size_t size = 0;
        (void)slm_tokenizer_token_at(&size, tokenizer, slm_corpus_token(corpus, i), i);
        sum += size;
    }
    return sum;
}

static slm_status corpus_of_ids(slm_corpus **out, const token_reader *reader, token_file *file,
                                token_kind kind, slm_error *err) {
    token_layout layout;
    token_source *s;
    slm_status status = find_tokens(&layout, kind, file, &reader->options, err);
    if (status != SLM_OK) return status;
    char *bytes = file->fd < 0 ? source_take(&file->s) : NULL;
    status = token_source_open(&s, file->path, &layout, file->fd, bytes, file->s.free_bytes, err);
    file->fd = -1; /* the source has it */
    if (status != SLM_OK) return status;
    if (kind == KIND_BARE) status = check_width(s, &layout, file->path, err);
    if (status != SLM_OK) {
        token_source_close(s);
        return status;
    }
    status = token_source_corpus(out, s, reader->vocab, err);
    if (status != SLM_OK) return status;

    status = documents_of_ids(*out, reader, err);
    if (status == SLM_OK && reader->tokenizer == NULL) return SLM_OK;
    if (status == SLM_OK) (*out)->bytes = text_size(*out, reader->tokenizer);
    if (status == SLM_OK) status = slm_corpus_set_tokenizer(*out, reader->tokenizer, err);
    if (status == SLM_OK) return SLM_OK;
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
    if (status == SLM_OK) status = documents_of_text(out, reader, &text, err);
    slm_text_free(&text);
    return status;
}

/* Opens a plain file and reads its beginning.  Leaves fd -1 if it is none. */
static void open_plain(token_file *file, unsigned char *head, size_t head_room) {
    file->fd = -1;
    if (source_is_stdin(file->path) || os_kind_of(file->path, NULL) != OS_FILE) return;
    int fd = os_open_descriptor(file->path);
    if (fd < 0) return;
    long n = os_read_at(fd, head, head_room, 0);
    if (n < 0) {
        os_close_descriptor(fd);
        return;
    }
    file->fd = fd;
    file->head = head;
    file->head_size = (size_t)n;
    file->size = os_descriptor_size(fd);
}

/* Ids in plain files are read where they lie; all else is read into memory first. */
static slm_status load(slm_corpus **out, token_reader *reader, token_file *file, slm_error *err) {
    token_kind kind = kind_of(&reader->options, file->path, file->head, file->head_size);
    if (file->fd < 0 || kind == KIND_TEXT) {
        slm_status status = source_read(&file->s, file->path, err);
        if (status != SLM_OK) return status;
        if (file->fd >= 0) os_close_descriptor(file->fd);
        file->fd = -1;
        file->head = (const unsigned char *)file->s.bytes;
        file->head_size = file->s.size;
        file->size = file->s.size;
        kind = kind_of(&reader->options, file->path, file->head, file->head_size);
    }
    if (kind == KIND_TEXT) return corpus_of_text(out, reader, &file->s, err);
    if (kind == KIND_BARE) reader->report.n_bare++;
    return corpus_of_ids(out, reader, file, kind, err);
}

token_reader token_reader_of(const slm_tokenizer *tokenizer, const slm_model *model, int32_t vocab,
                             const data_options *options) {
    token_reader reader = {.tokenizer = tokenizer, .vocab = vocab, .options = *options};
    reader.model = model;
    reader.bos = -1;
    reader.eos = -1;
    reader.end = -1;
    return reader;
}

slm_status token_file_load(slm_corpus **out, token_reader *reader, const char *path,
                           slm_error *err) {
    token_file file = {.path = path};
    unsigned char *head = (unsigned char *)malloc(HEAD_SIZE);
    *out = NULL;
    if (head == NULL) return error_set(err, SLM_ERR_MEMORY, "out of memory: %.300s", path);
    open_plain(&file, head, HEAD_SIZE);
    slm_status status = load(out, reader, &file, err);
    if (file.fd >= 0) os_close_descriptor(file.fd);
    source_free(&file.s);
    free(head);
    return status;
}
