/* convert_folder.c: a GGUF file as a model folder. */
#include <string.h>

#include "common/os.h"
#include "common/output.h"
#include "common/paths.h"
#include "slm/convert.h"

static slm_dtype dtype_of(number_type type) {
    switch (type) {
    case NUMBER_F16: return SLM_DTYPE_F16;
    case NUMBER_BF16: return SLM_DTYPE_BF16;
    default: return SLM_DTYPE_F32;
    }
}

/* The one type that all matrices have; F32 if they differ, or are Q8_0. */
static number_type common_type(const conversion *c) {
    size_t n = weights_count(&c->config);
    weight w;
    weights_at(&w, &c->config, 0);
    number_type type = weight_type(c, &w);
    for (size_t i = 1; i < n; i++) {
        weights_at(&w, &c->config, i);
        if (!w.is_norm && weight_type(c, &w) != type) return NUMBER_F32;
    }
    return type == NUMBER_Q8_0 ? NUMBER_F32 : type;
}

/* The norms, which lie in the file as F32, get the type of the matrices if that changes nothing. */
static int choose_type(conversion *c, const weight *w, number_type type, number_type *chosen) {
    int exact = 1;
    int code = w->is_norm ? weight_is_exact(c, w, type, &exact) : DONE;
    *chosen = exact ? type : NUMBER_F32;
    return code;
}

/* The header of a safetensors file, as JSON; spaces behind it, so that the data begin at a multiple
 * of 8 bytes. */
static int write_header(conversion *c, number_type type, FILE *out) {
    size_t n = weights_count(&c->config);
    uint64_t offset = 0;
    unsigned char size[8] = {0};
    int code = DONE;
    (void)fwrite(size, 1, sizeof size, out);
    fputs("{\"__metadata__\":{\"format\":\"pt\"}", out);
    for (size_t i = 0; i < n && code == DONE; i++) {
        weight w;
        number_type chosen;
        weights_at(&w, &c->config, i);
        code = choose_type(c, &w, type, &chosen);
        uint64_t end = offset + numbers_size(chosen, (uint64_t)w.rows * w.cols);
        fprintf(out, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", w.name, number_name(chosen));
        if (!w.is_norm) fprintf(out, "%zu,", w.rows);
        fprintf(out, "%zu],\"data_offsets\":[%llu,%llu]}", w.cols, (unsigned long long)offset,
                (unsigned long long)end);
        offset = end;
    }
    (void)fputc('}', out);
    long end = ftell(out);
    while (end >= 0 && end % 8 != 0) {
        (void)fputc(' ', out);
        end++;
    }
    store_bytes(size, (uint64_t)end - sizeof size, sizeof size);
    int failed = end < 0 || fseek(out, 0, SEEK_SET) != 0;
    (void)fwrite(size, 1, sizeof size, out);
    if (fseek(out, 0, SEEK_END) != 0) failed = 1;
    return failed && code == DONE ? fail_errno(FAILED, c->out, "write") : code;
}

static int write_weights(conversion *c, number_type type, FILE *out, const char *path) {
    size_t n = weights_count(&c->config);
    int code = write_header(c, type, out);
    for (size_t i = 0; i < n && code == DONE; i++) {
        weight w;
        number_type chosen;
        weights_at(&w, &c->config, i);
        code = choose_type(c, &w, type, &chosen);
        if (code == DONE) code = weight_write(c, &w, chosen, ROWS_IN_HALVES, out, path);
    }
    return code;
}

/* A run would go on with other weights than it had. */
static int refuse_run(const conversion *c) {
    char path[PATH_SIZE];
    int code = path_join(path, c->out, "state.safetensors");
    if (code != DONE || !path_exists(path)) return code;
    return fail(USAGE, "%s already holds a run (state.safetensors); choose another folder", c->out);
}

/* A model that was there before must not be read with the weights of the new one: a folder without
 * config.json is no model. */
static int remove_config(const conversion *c) {
    char path[PATH_SIZE];
    int code = path_join(path, c->out, "config.json");
    if (code != DONE || !path_exists(path)) return code;
    if (os_remove(path) == 0 && os_sync_name(path) == 0) return DONE;
    return fail_errno(FAILED, path, "remove");
}

int convert_to_folder(conversion *c) {
    output_file f;
    slm_error err;
    char path[PATH_SIZE];
    number_type type = c->type >= 0 ? (number_type)c->type : common_type(c);
    int code = refuse_run(c);
    if (code == DONE) code = path_join(path, c->out, "model.safetensors");
    if (code == DONE) code = output_file_begin(&f, path);
    if (code != DONE) return code;

    code = weights_begin(c);
    if (code == DONE) code = write_weights(c, type, f.stream, f.temporary);
    weights_end(c);
    if (code == DONE) code = remove_config(c);
    code = output_file_end(&f, code);
    if (code != DONE) return code;
    slm_status status =
        slm_model_config_save(&c->config, c->out, c->tokenizer, dtype_of(type), &err);
    return fail_status(status, FOR_OUTPUT, &err);
}
