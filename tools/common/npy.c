/* npy.c: headers of NumPy's .npy files. */
#include "common/npy.h"

#include <stdio.h>
#include <string.h>

enum {
    MAGIC_SIZE = 6,
    LENGTH_AT = 8,           /* where the header's length is: u16 in version 1, then u32 */
    PARSED_HEADER_MAX = 512, /* longest header that is read, spaces not counted */
    QUOTED_MAX = 40,         /* bytes of a value in a message */
    HEADER_TEXT_SIZE = NPY_HEADER_SIZE - LENGTH_AT - 2
};

/* Moves *cursor behind the text if that is what is there, and returns whether it was. */
static int skip_text(const char **cursor, const char *text) {
    size_t n = strlen(text);
    if (strncmp(*cursor, text, n) != 0) return 0;
    *cursor += n;
    return 1;
}

/* Says what is wrong, with the value there, up to the next field; returns 0. */
static int refuse(npy_header *h, const char *field, const char *value, const char *wanted) {
    const char *next = strstr(value, ",'");
    int n = next != NULL && next > value ? (int)(next - value) : (int)strcspn(value, "}");
    if (*value == 0) value = "empty";
    if (n == 0 || n > QUOTED_MAX) n = QUOTED_MAX;
    (void)snprintf(h->fault, sizeof h->fault, "%s is %.*s: %s", field, n, value, wanted);
    for (char *p = h->fault; *p != 0; p++) {
        if (*p < ' ' || *p > '~') *p = '?';
    }
    return 0;
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
    return skip_text(cursor, "'");
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
    if (!skip_text(cursor, "(")) return 0;
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
    const char *value;
    if (!skip_text(&p, "{'descr':")) return refuse(h, "the header", p, "no {'descr': ...");
    value = p;
    if (!skip_text(&p, "'") || !parse_dtype(h, &p))
        return refuse(h, "descr", value, "a little-endian number of 1, 2, 4 or 8 bytes is needed");
    if (!skip_text(&p, ",'fortran_order':"))
        return refuse(h, "the header", p, "'fortran_order' was expected here");
    value = p;
    if (!skip_text(&p, "False")) return refuse(h, "fortran_order", value, "False is needed");
    if (!skip_text(&p, ",'shape':"))
        return refuse(h, "the header", p, "'shape' was expected here");
    value = p;
    if (!parse_shape(h, &p))
        return refuse(h, "shape", value, "at most four whole numbers, as (2, 25), are needed");
    if (strcmp(p, ",}") == 0 || strcmp(p, "}") == 0) return 1;
    return refuse(h, "the header", p, "the end was expected here");
}

/* Copies the header without white space. */
static int copy_header(char text[PARSED_HEADER_MAX], npy_header *h, const unsigned char *bytes,
                       size_t from) {
    size_t n = 0;
    for (size_t i = from; i < h->start; i++) {
        if (bytes[i] == ' ' || bytes[i] == '\n') continue;
        if (bytes[i] == 0) return refuse(h, "a byte of the header", "0", "text was expected");
        if (n + 1 == PARSED_HEADER_MAX)
            return refuse(h, "the header", "longer than 512 bytes", "no array of numbers has that");
        text[n++] = (char)bytes[i];
    }
    text[n] = 0;
    return 1;
}

int npy_parse(npy_header *h, const unsigned char *bytes, size_t size) {
    return npy_parse_head(h, bytes, size, size);
}

int npy_parse_head(npy_header *h, const unsigned char *bytes, size_t size, uint64_t file_size) {
    char text[PARSED_HEADER_MAX];
    memset(h, 0, sizeof *h);
    if (size < 12 || memcmp(bytes, "\x93NUMPY", MAGIC_SIZE) != 0)
        return refuse(h, "the beginning", "something else", "a .npy file is needed");
    int version = bytes[MAGIC_SIZE];
    if (version < 1 || version > 3)
        return refuse(h, "the version", "not known", "1, 2 or 3 is needed");

    size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (version > 1) length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    size_t text_at = LENGTH_AT + (version == 1 ? 2 : 4);
    if (length > size - text_at) {
        (void)snprintf(h->fault, sizeof h->fault,
                       "a header of %zu bytes in a file of %zu: it is cut off or damaged", length,
                       size);
        return 0;
    }
    h->start = text_at + length;
    if (!copy_header(text, h, bytes, text_at) || !parse_dictionary(h, text)) return 0;
    unsigned long long n_bytes = (unsigned long long)(file_size - h->start);
    if ((unsigned long long)h->n * h->width == n_bytes) return 1;
    (void)snprintf(h->fault, sizeof h->fault,
                   "shape says %zu numbers of %zu bytes, but %llu bytes follow the header", h->n,
                   h->width, n_bytes);
    return 0;
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
