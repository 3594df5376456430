/* npy.c: headers of NumPy's .npy files. */
#include "common/npy.h"

#include <stdio.h>
#include <string.h>

enum {
    MAGIC_SIZE = 6,
    LENGTH_AT = 8,           /* where the header's length is: u16 in version 1, then u32 */
    PARSED_HEADER_MAX = 512, /* longest header that is read, spaces not counted */
    HEADER_TEXT_SIZE = NPY_HEADER_SIZE - LENGTH_AT - 2
};

/* Moves *cursor behind the text if that is what is there, and returns whether it was. */
static int skip_text(const char **cursor, const char *text) {
    size_t n = strlen(text);
    if (strncmp(*cursor, text, n) != 0) return 0;
    *cursor += n;
    return 1;
}

/* "<i4": a byte order that is little, a kind, a width. */
static int parse_dtype(npy_header *h, const char **cursor) {
    const char *p = *cursor;
    if (strcspn(p, "'") != 3) return 0;
    if (strchr("<|", p[0]) == NULL || strchr("iufb", p[1]) == NULL) return 0;
    if (strchr("1248", p[2]) == NULL) return 0;
    memcpy(h->dtype, p, 3);
    h->dtype[3] = 0;
    h->width = (size_t)(p[2] - '0');
    *cursor += 3;
    return 1;
}

static int parse_number(size_t *value, const char **cursor) {
    const char *p = *cursor;
    *value = 0;
    if (*p < '0' || *p > '9') return 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (*value > (SIZE_MAX - 9) / 10) return 0;
        *value = *value * 10 + (size_t)(*p - '0');
    }
    *cursor = p;
    return 1;
}

/* "()", "(2,)", "(2,25)", "(2,25,)". */
static int parse_shape(npy_header *h, const char **cursor) {
    h->n = 1;
    h->n_dims = 0;
    while (**cursor != ')') {
        size_t value;
        if (h->n_dims == NPY_MAX_DIMS || !parse_number(&value, cursor)) return 0;
        if (value != 0 && h->n > SIZE_MAX / 8 / value) return 0;
        h->shape[h->n_dims++] = value;
        h->n *= value;
        if (**cursor == ')' && h->n_dims > 1) break;
        if (!skip_text(cursor, ",")) return 0;
    }
    return skip_text(cursor, ")");
}

/* `p` is the header without white space. */
static int parse_dictionary(npy_header *h, const char *p) {
    if (!skip_text(&p, "{'descr':'") || !parse_dtype(h, &p)) return 0;
    if (!skip_text(&p, "','fortran_order':False,'shape':(") || !parse_shape(h, &p)) return 0;
    return strcmp(p, ",}") == 0 || strcmp(p, "}") == 0;
}

int npy_parse(npy_header *h, const unsigned char *bytes, size_t size) {
    char text[PARSED_HEADER_MAX];
    size_t n = 0;
    memset(h, 0, sizeof *h);
    if (size < 12 || memcmp(bytes, "\x93NUMPY", MAGIC_SIZE) != 0) return 0;
    int version = bytes[MAGIC_SIZE];
    if (version < 1 || version > 3) return 0;

    size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (version > 1) length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    size_t text_at = LENGTH_AT + (version == 1 ? 2 : 4);
    if (length > size - text_at) return 0;
    h->start = text_at + length;

    for (size_t i = text_at; i < h->start; i++) {
        if (bytes[i] == ' ' || bytes[i] == '\n') continue;
        if (bytes[i] == 0 || n + 1 == sizeof text) return 0;
        text[n++] = (char)bytes[i];
    }
    text[n] = 0;
    return parse_dictionary(h, text) && h->n * h->width == size - h->start;
}

int32_t npy_i32(const unsigned char *p) {
    uint32_t low = (uint32_t)p[0] | (uint32_t)p[1] << 8;
    uint32_t high = (uint32_t)p[2] | (uint32_t)p[3] << 8;
    uint32_t bits = low | high << 16;
    int32_t value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void npy_write_header(unsigned char *out, const char *dtype, size_t rows, size_t cols) {
    static const unsigned char start[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, HEADER_TEXT_SIZE, 0};
    char text[HEADER_TEXT_SIZE];
    int n = snprintf(text, sizeof text,
                     "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, %zu), }", dtype, rows,
                     cols);
    memcpy(out, start, sizeof start);
    memset(out + sizeof start, ' ', HEADER_TEXT_SIZE);
    memcpy(out + sizeof start, text, (size_t)n);
    out[NPY_HEADER_SIZE - 1] = '\n';
}
