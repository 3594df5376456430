/* npy.h: NumPy's .npy files, as far as the command line needs them: little-endian arrays of at most four dimensions in C order.
 *
 * Version 1: "\x93NUMPY", 1, 0, u16 header length, {'descr': '<i4', 'fortran_order': False, 'shape': (2, 25), } and spaces, data.
 * Reading trusts nothing: the header must be of that form, the shape's product must be the file's length.  libc only. */
#ifndef NPY_H
#define NPY_H
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { NPY_DIMS = 4, NPY_HEAD = 512 };

typedef struct npy_header {
    char dtype[8];
    size_t shape[NPY_DIMS], n_dims, n, width, start;
} npy_header; /* n elements of width bytes */

/* The dictionary with the spaces taken out; 0: all is well. */
static inline int npy__dictionary(npy_header *h, const char *p) {
    static const char head[] = "{'descr':'", middle[] = "','fortran_order':False,'shape':(";
    size_t length, i = 0;
    if (strncmp(p, head, sizeof head - 1) != 0) return 1;
    p += sizeof head - 1;
    length = strcspn(p, "'");
    if (length < 3 || length >= sizeof h->dtype ||
        strncmp(p + length, middle, sizeof middle - 1) != 0)
        return 1;
    memcpy(h->dtype, p, length);
    h->dtype[length] = 0;
    if (length != 3 || strchr("<|", h->dtype[0]) == NULL || strchr("iufb", h->dtype[1]) == NULL ||
        strchr("1248", h->dtype[2]) == NULL)
        return 1;
    h->width = (size_t)(h->dtype[2] - '0');
    for (p += length + sizeof middle - 1; *p != ')'; p++) {
        size_t value = 0;
        if (i == NPY_DIMS || *p < '0' || *p > '9') return 1;
        for (; *p >= '0' && *p <= '9'; p++) {
            if (value > (SIZE_MAX - 9) / 10) return 1;
            value = value * 10 + (size_t)(*p - '0');
        }
        if (value != 0 && h->n > SIZE_MAX / 8 / value) return 1;
        h->shape[i++] = value;
        h->n *= value;
        if (*p == ')' && i > 1) break;
        if (*p != ',') return 1;
    }
    h->n_dims = i;
    return strcmp(p, "),}") != 0 && strcmp(p, ")}") != 0;
}

/* 0: *h says what bytes (size of them) hold; else: not an array of this kind, or damaged. */
static inline int npy_parse(npy_header *h, const unsigned char *bytes, size_t size) {
    char text[NPY_HEAD];
    size_t length, wide, n = 0;
    memset(h, 0, sizeof *h);
    h->n = 1;
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3) return 1;
    wide = bytes[6] == 1 ? 2 : 4;
    length = (size_t)bytes[8] | (size_t)bytes[9] << 8 |
             (wide == 4 ? (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24 : 0);
    h->start = 8 + wide + length;
    if (length > size - 8 - wide) return 1;
    for (size_t i = 8 + wide; i < h->start; i++) {
        if (bytes[i] == ' ' || bytes[i] == '\n') continue;
        if (bytes[i] == 0 || n + 1 == sizeof text) return 1;
        text[n++] = (char)bytes[i];
    }
    text[n] = 0;
    return npy__dictionary(h, text) || h->n * h->width != size - h->start;
}

static inline int32_t npy_i32(const unsigned char *p) {
    uint32_t bits =
        (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    int32_t value;
    memcpy(&value, &bits, 4);
    return value;
}

/* Writes the header of a (rows, cols) array into out (128 bytes) and returns its length. */
static inline size_t npy_head(unsigned char *out, const char *dtype, size_t rows, size_t cols) {
    char text[118];
    int n = snprintf(text, sizeof text,
                     "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, %zu), }", dtype, rows,
                     cols);
    memcpy(out, "\x93NUMPY\x01\x00\x76\x00", 10); /* 118 = 0x76 bytes follow */
    memset(out + 10, ' ', 118);
    memcpy(out + 10, text, (size_t)n);
    out[127] = '\n';
    return 128;
}
#endif
