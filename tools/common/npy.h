/* npy.h: NumPy's .npy files, as far as the tools need them: little-endian arrays of at most four
 * dimensions in C order.
 *
 * A file is "\x93NUMPY", the version (1, 0), the header's length as u16, the header
 * {'descr': '<i4', 'fortran_order': False, 'shape': (2, 25), } with spaces behind it, and the data.
 * Reading trusts nothing: the header must be of that form, and the shape's product must be the
 * file's length.  Needs libc only. */
#ifndef NPY_H
#define NPY_H
#include <stddef.h>
#include <stdint.h>

enum { NPY_MAX_DIMS = 4, NPY_HEADER_SIZE = 128 };

typedef struct npy_header {
    char dtype[8]; /* "<i4" */
    size_t shape[NPY_MAX_DIMS];
    size_t n_dims;
    size_t n;     /* elements */
    size_t width;    /* bytes of one element */
    size_t start;    /* where the data begin in the file */
    char fault[160]; /* what is wrong, with the field and its value, if it is no such file */
} npy_header;

/* Returns 1 if the bytes are such a file, which *h then describes.  Otherwise 0: h->fault says
 * why. */
int npy_parse(npy_header *h, const unsigned char *bytes, size_t size);

/* The same of a file of file_size bytes, of which the first `size` are there. */
int npy_parse_head(npy_header *h, const unsigned char *bytes, size_t size, uint64_t file_size);

/* The int32 whose four little-endian bytes begin at p. */
int32_t npy_i32(const unsigned char *p);

/* Writes the header of a (rows, cols) array, NPY_HEADER_SIZE bytes long. */
void npy_write_header(unsigned char *out, const char *dtype, size_t rows, size_t cols);

#endif
