/* gguf.h: GGUF, the file format of llama.cpp and those around it.
 *
 *     "GGUF" | u32 version, 3 | u64 tensors | u64 keys
 *     keys:     text key | u32 type | value
 *     tensors:  text name | u32 dimensions | u64 of each, the fastest first | u32 type | u64 offset
 *     zeros up to a multiple of the alignment
 *     data:     each tensor at its offset from here, a multiple of the alignment
 *
 * A text is its u64 size and its bytes.  An array is u32 type of its items | u64 how many | items.
 * The lowest byte comes first. */
#ifndef GGUF_H
#define GGUF_H
#include <stdio.h>

#include "slm/numbers.h"

enum { GGUF_ALIGNMENT = 32 /* unless the key general.alignment says another */ };

/* Types of values. */
typedef enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_TEXT,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPES /* how many there are */
} gguf_type;

/* Kinds of tokens, in the array tokenizer.ggml.token_type. */
typedef enum gguf_token {
    GGUF_TOKEN_NORMAL = 1,
    GGUF_TOKEN_UNKNOWN = 2,
    GGUF_TOKEN_CONTROL = 3,
    GGUF_TOKEN_USER_DEFINED = 4,
    GGUF_TOKEN_UNUSED = 5,
    GGUF_TOKEN_BYTE = 6
} gguf_token;

/* The merge of a tokenizer without merges, since llama.cpp wants one: of two bytes that no text in
 * UTF-8 has. */
#define GGUF_NO_MERGE "\xc3\xbf \xc3\xbf"

/* The number by which a tensor's type is known in such a file. */
uint32_t gguf_type_of_numbers(number_type type);

/* ---- reading: nothing that the file says is believed before it is checked ---- */

typedef struct gguf_text {
    const char *bytes; /* (size), no NUL follows */
    size_t size;
} gguf_text;

typedef struct gguf_value {
    gguf_text key;
    gguf_type type; /* of an array: of its items */
    int is_array;
    uint64_t n;                /* items; 1 where it is no array */
    const unsigned char *data; /* of the first one */
} gguf_value;

typedef struct gguf_tensor {
    gguf_text name;
    number_type type;
    size_t n_dims;
    uint64_t dims[4]; /* the fastest first: columns, rows */
    uint64_t offset;  /* of its first byte in the file */
    uint64_t size;    /* bytes */
} gguf_tensor;

typedef struct gguf_file {
    FILE *stream;
    const char *path;    /* for messages; the caller's */
    unsigned char *head; /* all before the data */
    gguf_value *values;  /* (n_values), sorted by key */
    gguf_tensor *tensors; /* (n_tensors), sorted by name */
    size_t n_values, n_tensors;
} gguf_file;

/* Reads and checks all before the data.  The stream, which may be NULL after a failed open, belongs
 * to *out from then on, also if this fails.  The path must live as long. */
slm_status gguf_open(gguf_file **out, FILE *stream, const char *path, slm_error *err);
void gguf_close(gguf_file *file); /* NULL is fine */

/* Return NULL if there is none. */
const gguf_value *gguf_find(const gguf_file *file, const char *key);
const gguf_tensor *gguf_find_tensor(const gguf_file *file, const char *name);

/* One item of a value; 0 if it is of another kind or there is no such item. */
int gguf_whole(uint64_t *out, const gguf_value *value, uint64_t item); /* a whole number >= 0 */
int gguf_real(double *out, const gguf_value *value, uint64_t item);

/* The text of a value that is one text; returns 0 if it is not. */
int gguf_get_text(gguf_text *out, const gguf_value *value);
int gguf_text_is(gguf_text text, const char *other);

/* The next of the texts of an array, from *place on, which begins as value->data. */
gguf_text gguf_next_text(const unsigned char **place);

/* out (n): numbers of a tensor from number `first` on; both are multiples of the block. */
slm_status gguf_read(slm_real *out, gguf_file *file, const gguf_tensor *tensor, uint64_t first,
                     size_t n, slm_error *err);

/* ---- writing: what goes wrong is seen at the end, by ferror ---- */

/* Writes the head of a file of so many tensors; how many keys, gguf_end_keys will say. */
typedef struct gguf_writer {
    FILE *stream;
    uint64_t n_keys;
    uint64_t offset; /* where the data of the next tensor begin */
} gguf_writer;

void gguf_begin(gguf_writer *w, FILE *stream, uint64_t n_tensors);
void gguf_put_u32(gguf_writer *w, const char *key, uint32_t value);
void gguf_put_f32(gguf_writer *w, const char *key, double value);
void gguf_put_bool(gguf_writer *w, const char *key, int value);
void gguf_put_text(gguf_writer *w, const char *key, const char *text);
/* The items follow, n of them: gguf_item_... */
void gguf_put_array(gguf_writer *w, const char *key, gguf_type type, uint64_t n);
void gguf_item_text(gguf_writer *w, const char *bytes, size_t size);
void gguf_item_u32(gguf_writer *w, uint32_t value);
void gguf_item_f32(gguf_writer *w, double value);
/* Ends the keys: writes their number into the head.  Returns 0 if all went well: what could not be
 * found is not seen by ferror. */
int gguf_end_keys(gguf_writer *w);
/* rows 0: of one dimension. */
void gguf_list_tensor(gguf_writer *w, const char *name, number_type type, uint64_t rows,
                      uint64_t cols);
/* Writes zeros up to the next multiple of the alignment: after the list, and after each tensor. */
void gguf_pad(gguf_writer *w);

#endif
