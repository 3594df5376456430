/* gguf_read.c: the reader of GGUF files.
 *
 * How long the head is, only its end tells.  So the beginning of the file is read and parsed; where
 * that does not reach the end of the head, twice as much is read.  Sizes and counts are held
 * against the size of the file as soon as they are read, so that a wrong one asks for no memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "slm/gguf.h"

enum {
    FIRST_PIECE = 1 << 20,
    HEAD_MAX = 1 << 28,
    VERSION = 3,
    OLD_VERSION = 2, /* differs from 3 in nothing that is read here */
    ALIGNMENT_MAX = 1 << 20,
    DIMS_MAX = 4
};

/* ---- a cursor over the beginning of the file ---- */
typedef struct cursor {
    gguf_file *file;
    const unsigned char *bytes;
    uint64_t size;      /* of what was read */
    uint64_t file_size; /* of all */
    uint64_t place;
    int more;          /* 1: more must be read to go on */
    slm_status status; /* the first error, which sticks */
    slm_error *err;
} cursor;

/* Stops the parser, unless it has stopped before. */
#define REFUSE(c, ...)                                                                             \
    do {                                                                                           \
        if ((c)->status == SLM_OK && !(c)->more)                                                   \
            (c)->status = error_set((c)->err, SLM_ERR_FORMAT, __VA_ARGS__);                        \
    } while (0)

static int stopped(const cursor *c) {
    return c->more || c->status != SLM_OK;
}

/* Moves over n bytes; returns where they are, or NULL. */
static const unsigned char *take(cursor *c, uint64_t n) {
    if (stopped(c)) return NULL;
    if (n > c->file_size - c->place) {
        REFUSE(c, "%s: byte %llu: %llu bytes are to follow, and the file ends before",
               c->file->path, (unsigned long long)c->place, (unsigned long long)n);
        return NULL;
    }
    if (n > c->size - c->place) {
        c->more = 1;
        return NULL;
    }
    const unsigned char *here = c->bytes + c->place;
    c->place += n;
    return here;
}

/* Returns 0 once the parser has stopped. */
static uint64_t take_whole(cursor *c, size_t size) {
    const unsigned char *bytes = take(c, size);
    return bytes != NULL ? load_bytes(bytes, size) : 0;
}

static gguf_text take_text(cursor *c) {
    gguf_text text = {"", 0};
    uint64_t size = take_whole(c, 8);
    const unsigned char *bytes = take(c, size);
    if (bytes == NULL) return text;
    text.bytes = (const char *)bytes;
    text.size = (size_t)size;
    return text;
}

/* For messages: at most 100 bytes of a name. */
static int shown(gguf_text text) {
    return text.size < 100 ? (int)text.size : 100;
}

/* ---- keys ---- */

/* Bytes of one value; 0 for texts and arrays. */
static size_t size_of_type(gguf_type type) {
    switch (type) {
    case GGUF_U8:
    case GGUF_I8:
    case GGUF_BOOL: return 1;
    case GGUF_U16:
    case GGUF_I16: return 2;
    case GGUF_U32:
    case GGUF_I32:
    case GGUF_F32: return 4;
    case GGUF_U64:
    case GGUF_I64:
    case GGUF_F64: return 8;
    default: return 0;
    }
}

static gguf_type take_type(cursor *c, gguf_text key) {
    uint64_t type = take_whole(c, 4);
    if (type < GGUF_TYPES) return (gguf_type)type;
    REFUSE(c, "%s: the key \"%.*s\" is of type %llu, which is unknown", c->file->path, shown(key),
           key.bytes, (unsigned long long)type);
    return GGUF_U8;
}

static void take_items(cursor *c, gguf_value *value) {
    size_t size = size_of_type(value->type);
    uint64_t least = size > 0 ? size : 8; /* a text has at least its size */
    if (value->n > (c->file_size - c->place) / least) {
        REFUSE(c, "%s: the key \"%.*s\" has %llu items, more than the file has room for",
               c->file->path, shown(value->key), value->key.bytes, (unsigned long long)value->n);
        return;
    }
    value->data = c->bytes + c->place;
    if (size > 0) {
        (void)take(c, value->n * size);
        return;
    }
    for (uint64_t i = 0; i < value->n && !stopped(c); i++)
        (void)take_text(c);
}

static gguf_value take_value(cursor *c) {
    gguf_value value;
    memset(&value, 0, sizeof value);
    value.key = take_text(c);
    value.type = take_type(c, value.key);
    value.n = 1;
    if (value.type == GGUF_ARRAY) {
        value.is_array = 1;
        value.type = take_type(c, value.key);
        value.n = take_whole(c, 8);
    }
    if (value.type == GGUF_ARRAY) {
        REFUSE(c, "%s: the key \"%.*s\" is an array of arrays: not supported", c->file->path,
               shown(value.key), value.key.bytes);
        return value;
    }
    if (!stopped(c)) take_items(c, &value);
    return value;
}

/* ---- tensors ---- */

/* The types by their numbers; those that are NULL are not in use any more, or unknown. */
static const char *name_of_type(uint64_t type) {
    static const char *const names[] = {
        "F32",     "F16",    "Q4_0",   "Q4_1",    NULL,     NULL,    "Q5_0",  "Q5_1",
        "Q8_0",    "Q8_1",   "Q2_K",   "Q3_K",    "Q4_K",   "Q5_K",  "Q6_K",  "Q8_K",
        "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S",  "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS",
        "I8",      "I16",    "I32",    "I64",     "F64",    "IQ1_M", "BF16",  NULL,
        NULL,      NULL,     "TQ1_0",  "TQ2_0",   NULL,     NULL,    NULL,    "MXFP4"};
    const char *name = type < sizeof names / sizeof *names ? names[type] : NULL;
    return name != NULL ? name : "of an unknown type";
}

static number_type take_number_type(cursor *c, gguf_text name) {
    uint64_t type = take_whole(c, 4);
    for (int i = 0; i < NUMBER_TYPES; i++) {
        if (gguf_type_of_numbers((number_type)i) == type) return (number_type)i;
    }
    REFUSE(c, "%s: the tensor \"%.*s\" is %s (%llu): only F32, F16, BF16 and Q8_0 are read",
           c->file->path, shown(name), name.bytes, name_of_type(type), (unsigned long long)type);
    return NUMBER_F32;
}

/* The product of the dimensions in *count.  Returns 0 if it, or its bytes, are beyond the file. */
static int count_numbers(const cursor *c, const gguf_tensor *tensor, uint64_t *count) {
    uint64_t most = c->file_size * 2; /* the smallest numbers take a byte and a bit */
    *count = 1;
    for (size_t i = 0; i < tensor->n_dims; i++) {
        uint64_t dim = tensor->dims[i];
        if (dim == 0 || *count > most / dim) return 0;
        *count *= dim;
    }
    return 1;
}

static gguf_tensor take_tensor(cursor *c) {
    gguf_tensor tensor;
    uint64_t count = 0;
    memset(&tensor, 0, sizeof tensor);
    tensor.name = take_text(c);
    uint64_t n_dims = take_whole(c, 4);
    if (n_dims > DIMS_MAX) {
        REFUSE(c, "%s: the tensor \"%.*s\" has %llu dimensions: at most 4 are allowed",
               c->file->path, shown(tensor.name), tensor.name.bytes, (unsigned long long)n_dims);
        return tensor;
    }
    tensor.n_dims = (size_t)n_dims;
    for (size_t i = 0; i < tensor.n_dims; i++)
        tensor.dims[i] = take_whole(c, 8);
    tensor.type = take_number_type(c, tensor.name);
    tensor.offset = take_whole(c, 8);
    if (stopped(c)) return tensor;

    int good = count_numbers(c, &tensor, &count);
    if (good && tensor.n_dims > 0) good = tensor.dims[0] % number_block(tensor.type) == 0;
    if (!good || tensor.n_dims == 0) {
        REFUSE(c, "%s: the tensor \"%.*s\" has dimensions that cannot be", c->file->path,
               shown(tensor.name), tensor.name.bytes);
        return tensor;
    }
    tensor.size = numbers_size(tensor.type, count);
    return tensor;
}

/* ---- order: by name, by place ---- */
static int compare_texts(gguf_text a, gguf_text b) {
    size_t n = a.size < b.size ? a.size : b.size;
    int order = n > 0 ? memcmp(a.bytes, b.bytes, n) : 0;
    if (order != 0 || a.size == b.size) return order;
    return a.size < b.size ? -1 : 1;
}

static int compare_values(const void *a, const void *b) {
    return compare_texts(((const gguf_value *)a)->key, ((const gguf_value *)b)->key);
}

static int compare_tensors(const void *a, const void *b) {
    return compare_texts(((const gguf_tensor *)a)->name, ((const gguf_tensor *)b)->name);
}

static int compare_places(const void *a, const void *b) {
    const gguf_tensor *x = (const gguf_tensor *)a;
    const gguf_tensor *y = (const gguf_tensor *)b;
    if (x->offset == y->offset) return 0;
    return x->offset < y->offset ? -1 : 1;
}

static void sort_values(cursor *c) {
    gguf_file *g = c->file;
    if (g->n_values > 0) qsort(g->values, g->n_values, sizeof *g->values, compare_values);
    for (size_t i = 1; i < g->n_values; i++) {
        if (compare_values(&g->values[i - 1], &g->values[i]) == 0) {
            REFUSE(c, "%s: the key \"%.*s\" is there twice", g->path, shown(g->values[i].key),
                   g->values[i].key.bytes);
        }
    }
}

/* The places of the tensors, `data` bytes from the start of the file on, must be apart. */
static void place_tensors(cursor *c, uint64_t data, uint64_t alignment) {
    gguf_file *g = c->file;
    uint64_t end = 0;
    if (g->n_tensors > 0) qsort(g->tensors, g->n_tensors, sizeof *g->tensors, compare_places);
    for (size_t i = 0; i < g->n_tensors; i++) {
        gguf_tensor *t = &g->tensors[i];
        uint64_t room = data <= c->file_size ? c->file_size - data : 0;
        int good = t->offset % alignment == 0 && t->offset >= end && t->offset <= room;
        if (!good || t->size > room - t->offset) {
            REFUSE(c, "%s: the tensor \"%.*s\" cannot lie at offset %llu: it overlaps another, "
                   "goes beyond the file, or is no multiple of %llu",
                   g->path, shown(t->name), t->name.bytes, (unsigned long long)t->offset,
                   (unsigned long long)alignment);
            return;
        }
        end = t->offset + t->size;
        t->offset += data;
    }
}

static void sort_tensors(cursor *c) {
    gguf_file *g = c->file;
    if (g->n_tensors > 0) qsort(g->tensors, g->n_tensors, sizeof *g->tensors, compare_tensors);
    for (size_t i = 1; i < g->n_tensors; i++) {
        if (compare_tensors(&g->tensors[i - 1], &g->tensors[i]) == 0) {
            REFUSE(c, "%s: the tensor \"%.*s\" is there twice", g->path, shown(g->tensors[i].name),
                   g->tensors[i].name.bytes);
        }
    }
}

/* ---- the head ---- */

/* Makes room for one more item of an array of n; returns 0, with an error, if there is none. */
static int grow(cursor *c, void **items, size_t n, size_t size) {
    int is_full = n == 0 || (n >= 16 && (n & (n - 1)) == 0);
    if (stopped(c)) return 0;
    if (!is_full) return 1;
    size_t room = n < 16 ? 16 : 2 * n;
    void *larger = room <= SIZE_MAX / size ? realloc(*items, room * size) : NULL;
    if (larger == NULL) {
        c->status = error_set(c->err, SLM_ERR_MEMORY, "out of memory");
        return 0;
    }
    *items = larger;
    return 1;
}

static uint64_t take_alignment(cursor *c) {
    uint64_t alignment = GGUF_ALIGNMENT;
    const gguf_value *value = gguf_find(c->file, "general.alignment");
    if (value == NULL) return alignment;
    int good = gguf_whole(&alignment, value, 0) && !value->is_array;
    good = good && alignment >= 8 && alignment <= ALIGNMENT_MAX;
    if (good && (alignment & (alignment - 1)) == 0) return alignment;
    REFUSE(c, "%s: general.alignment must be a power of two from 8 to %d", c->file->path,
           (int)ALIGNMENT_MAX);
    return GGUF_ALIGNMENT;
}

static void take_magic(cursor *c) {
    const unsigned char *magic = take(c, 4);
    if (magic != NULL && memcmp(magic, "GGUF", 4) != 0)
        REFUSE(c, "%s: not a GGUF file: it does not begin with GGUF", c->file->path);
    uint64_t version = take_whole(c, 4);
    if (version != 0 && (version & 0xffff) == 0)
        REFUSE(c, "%s: a big-endian GGUF file: not supported", c->file->path);
    if (version != VERSION && version != OLD_VERSION)
        REFUSE(c, "%s: GGUF version %llu: only 2 and 3 are read", c->file->path,
               (unsigned long long)version);
}

static void take_head(cursor *c) {
    gguf_file *g = c->file;
    take_magic(c);
    uint64_t n_tensors = take_whole(c, 8);
    uint64_t n_values = take_whole(c, 8);
    g->n_values = 0;
    g->n_tensors = 0;
    while (g->n_values < n_values &&
           grow(c, (void **)&g->values, g->n_values, sizeof(gguf_value))) {
        g->values[g->n_values] = take_value(c);
        if (!stopped(c)) g->n_values++;
    }
    while (g->n_tensors < n_tensors &&
           grow(c, (void **)&g->tensors, g->n_tensors, sizeof(gguf_tensor))) {
        g->tensors[g->n_tensors] = take_tensor(c);
        if (!stopped(c)) g->n_tensors++;
    }
    if (stopped(c)) return;

    sort_values(c);
    uint64_t alignment = take_alignment(c);
    uint64_t data = (c->place + alignment - 1) / alignment * alignment;
    if (!stopped(c)) place_tensors(c, data, alignment);
    if (!stopped(c)) sort_tensors(c);
}

/* Reads the first `size` bytes of the file into g->head, which grows. */
static slm_status read_head(gguf_file *g, size_t size, slm_error *err) {
    unsigned char *larger = (unsigned char *)realloc(g->head, size > 0 ? size : 1);
    if (larger == NULL) return error_set(err, SLM_ERR_MEMORY, "out of memory");
    g->head = larger;
    if (fseek(g->stream, 0, SEEK_SET) != 0 || fread(g->head, 1, size, g->stream) != size)
        return error_set(err, SLM_ERR_IO, "%s: cannot read", g->path);
    return SLM_OK;
}

static slm_status parse(gguf_file *g, slm_error *err) {
    if (g->stream == NULL) {
        slm_status status = errno == ENOMEM ? SLM_ERR_MEMORY : SLM_ERR_IO;
        return error_set(err, status, "%s: cannot open: %s", g->path, strerror(errno));
    }
    long end = fseek(g->stream, 0, SEEK_END) == 0 ? ftell(g->stream) : -1;
    if (end < 0) return error_set(err, SLM_ERR_IO, "%s: cannot find its size", g->path);

    uint64_t size = FIRST_PIECE;
    for (;;) {
        if (size > (uint64_t)end) size = (uint64_t)end;
        slm_status status = read_head(g, (size_t)size, err);
        if (status != SLM_OK) return status;
        cursor c = {g, g->head, size, (uint64_t)end, 0, 0, SLM_OK, err};
        take_head(&c);
        if (!c.more) return c.status;
        if (size >= HEAD_MAX)
            return error_set(err, SLM_ERR_FORMAT, "%s: its head is longer than %d bytes", g->path,
                             (int)HEAD_MAX);
        size *= 2;
    }
}

slm_status gguf_open(gguf_file **out, FILE *stream, const char *path, slm_error *err) {
    *out = NULL;
    gguf_file *g = (gguf_file *)calloc(1, sizeof *g);
    if (g == NULL) {
        if (stream != NULL) (void)fclose(stream);
        return error_set(err, SLM_ERR_MEMORY, "out of memory");
    }
    g->stream = stream;
    g->path = path;
    slm_status status = parse(g, err);
    if (status == SLM_OK) {
        *out = g;
    } else {
        gguf_close(g);
    }
    return status;
}

void gguf_close(gguf_file *file) {
    if (file == NULL) return;
    if (file->stream != NULL) (void)fclose(file->stream);
    free(file->head);
    free(file->values);
    free(file->tensors);
    free(file);
}

/* ---- what it holds ---- */
const gguf_value *gguf_find(const gguf_file *file, const char *key) {
    gguf_value wanted;
    if (file->n_values == 0) return NULL;
    memset(&wanted, 0, sizeof wanted);
    wanted.key.bytes = key;
    wanted.key.size = strlen(key);
    return (const gguf_value *)bsearch(&wanted, file->values, file->n_values, sizeof wanted,
                                       compare_values);
}

const gguf_tensor *gguf_find_tensor(const gguf_file *file, const char *name) {
    gguf_tensor wanted;
    if (file->n_tensors == 0) return NULL;
    memset(&wanted, 0, sizeof wanted);
    wanted.name.bytes = name;
    wanted.name.size = strlen(name);
    return (const gguf_tensor *)bsearch(&wanted, file->tensors, file->n_tensors, sizeof wanted,
                                        compare_tensors);
}

int gguf_whole(uint64_t *out, const gguf_value *value, uint64_t item) {
    size_t size = size_of_type(value->type);
    int is_signed = value->type == GGUF_I8 || value->type == GGUF_I16 || value->type == GGUF_I32 ||
                    value->type == GGUF_I64;
    if (size == 0 || item >= value->n) return 0;
    if (value->type == GGUF_F32 || value->type == GGUF_F64 || value->type == GGUF_BOOL) return 0;
    uint64_t whole = load_bytes(value->data + item * size, size);
    if (is_signed && whole >> (8 * size - 1) != 0) return 0;
    *out = whole;
    return 1;
}

int gguf_real(double *out, const gguf_value *value, uint64_t item) {
    if (item >= value->n) return 0;
    if (value->type == GGUF_F32) {
        *out = (double)float_of_bits((uint32_t)load_bytes(value->data + 4 * item, 4));
        return 1;
    }
    if (value->type != GGUF_F64) return 0;
    uint64_t bits = load_bytes(value->data + 8 * item, 8);
    memcpy(out, &bits, sizeof *out);
    return 1;
}

gguf_text gguf_next_text(const unsigned char **place) {
    gguf_text text;
    text.size = (size_t)load_bytes(*place, 8);
    text.bytes = (const char *)*place + 8;
    *place += 8 + text.size;
    return text;
}

int gguf_get_text(gguf_text *out, const gguf_value *value) {
    if (value->type != GGUF_TEXT || value->is_array) return 0;
    const unsigned char *place = value->data;
    *out = gguf_next_text(&place);
    return 1;
}

int gguf_text_is(gguf_text text, const char *other) {
    return text.size == strlen(other) && memcmp(text.bytes, other, text.size) == 0;
}

slm_status gguf_read(slm_real *out, gguf_file *file, const gguf_tensor *tensor, uint64_t first,
                     size_t n, slm_error *err) {
    enum { SLICE = 2048 /* numbers; a multiple of every block */ };
    unsigned char bytes[4 * SLICE];
    uint64_t offset = tensor->offset + numbers_size(tensor->type, first);
    int good = fseek(file->stream, (long)offset, SEEK_SET) == 0;
    while (good && n > 0) {
        size_t slice = n < SLICE ? n : SLICE;
        size_t size = (size_t)numbers_size(tensor->type, slice);
        good = fread(bytes, 1, size, file->stream) == size;
        if (good) numbers_decode(out, tensor->type, bytes, slice);
        out += slice;
        n -= slice;
    }
    if (good) return SLM_OK;
    return error_set(err, SLM_ERR_IO, "%s: cannot read the tensor \"%.*s\"", file->path,
                     shown(tensor->name), tensor->name.bytes);
}
