/* gguf_write.c: GGUF files, written piece by piece. */
#include <string.h>

#include "slm/gguf.h"

enum { VERSION = 3, N_KEYS_OFFSET = 16 /* magic, version, tensors */ };

uint32_t gguf_type_of_numbers(number_type type) {
    switch (type) {
    case NUMBER_F16: return 1;
    case NUMBER_Q8_0: return 8;
    case NUMBER_BF16: return 30;
    default: return 0; /* F32 */
    }
}

static void put_whole(gguf_writer *w, uint64_t value, size_t size) {
    unsigned char bytes[8];
    store_bytes(bytes, value, size);
    (void)fwrite(bytes, 1, size, w->stream);
}

void gguf_item_text(gguf_writer *w, const char *bytes, size_t size) {
    put_whole(w, size, 8);
    (void)fwrite(bytes, 1, size, w->stream);
}

void gguf_item_u32(gguf_writer *w, uint32_t value) {
    put_whole(w, value, 4);
}

void gguf_item_f32(gguf_writer *w, double value) {
    put_whole(w, float_bits((float)value), 4);
}

static void put_key(gguf_writer *w, const char *key, gguf_type type) {
    gguf_item_text(w, key, strlen(key));
    put_whole(w, (uint64_t)type, 4);
    w->n_keys++;
}

void gguf_begin(gguf_writer *w, FILE *stream, uint64_t n_tensors) {
    memset(w, 0, sizeof *w);
    w->stream = stream;
    (void)fwrite("GGUF", 1, 4, stream);
    put_whole(w, VERSION, 4);
    put_whole(w, n_tensors, 8);
    put_whole(w, 0, 8);
}

void gguf_put_u32(gguf_writer *w, const char *key, uint32_t value) {
    put_key(w, key, GGUF_U32);
    gguf_item_u32(w, value);
}

void gguf_put_f32(gguf_writer *w, const char *key, double value) {
    put_key(w, key, GGUF_F32);
    gguf_item_f32(w, value);
}

void gguf_put_bool(gguf_writer *w, const char *key, int value) {
    put_key(w, key, GGUF_BOOL);
    put_whole(w, value != 0, 1);
}

void gguf_put_text(gguf_writer *w, const char *key, const char *text) {
    put_key(w, key, GGUF_TEXT);
    gguf_item_text(w, text, strlen(text));
}

void gguf_put_array(gguf_writer *w, const char *key, gguf_type type, uint64_t n) {
    put_key(w, key, GGUF_ARRAY);
    put_whole(w, (uint64_t)type, 4);
    put_whole(w, n, 8);
}

int gguf_end_keys(gguf_writer *w) {
    if (fseek(w->stream, N_KEYS_OFFSET, SEEK_SET) != 0) return -1;
    put_whole(w, w->n_keys, 8);
    return fseek(w->stream, 0, SEEK_END);
}

void gguf_list_tensor(gguf_writer *w, const char *name, number_type type, uint64_t rows,
                      uint64_t cols) {
    uint64_t size = numbers_size(type, rows > 0 ? rows * cols : cols);
    gguf_item_text(w, name, strlen(name));
    put_whole(w, rows > 0 ? 2 : 1, 4);
    put_whole(w, cols, 8);
    if (rows > 0) put_whole(w, rows, 8);
    put_whole(w, gguf_type_of_numbers(type), 4);
    put_whole(w, w->offset, 8);
    w->offset += (size + GGUF_ALIGNMENT - 1) / GGUF_ALIGNMENT * GGUF_ALIGNMENT;
}

void gguf_pad(gguf_writer *w) {
    long here = ftell(w->stream);
    while (here >= 0 && here % GGUF_ALIGNMENT != 0) {
        put_whole(w, 0, 1);
        here++;
    }
}
