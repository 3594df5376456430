/* gpt2.c: GPT-2's pair of files as a tokenizer. */
#include "slm/gpt2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"

enum { ESCAPE_SIZE = 6 /* \u0007, the longest form of a byte in JSON */ };

static char *append_bytes(char *to, const char *bytes, size_t n) {
    memcpy(to, bytes, n);
    return to + n;
}

/* Writes one byte inside a JSON string; returns the end. */
static char *append_json_byte(char *to, char byte) {
    unsigned char code = (unsigned char)byte;
    if (code < 32) return to + sprintf(to, "\\u%04x", (unsigned)code);
    if (byte == '"' || byte == '\\') *to++ = '\\';
    *to++ = byte;
    return to;
}

/* Writes the lines that are not empty as JSON strings, a comma before each; returns the end. */
static char *append_merges(char *to, const char *lines, size_t size) {
    int in_line = 0;
    for (size_t i = 0; i < size; i++) {
        int at_end = lines[i] == '\n' || lines[i] == '\r';
        if (at_end) {
            if (in_line) *to++ = '"';
            in_line = 0;
            continue;
        }
        if (!in_line) to = append_bytes(to, ",\"", 2);
        in_line = 1;
        to = append_json_byte(to, lines[i]);
    }
    if (in_line) *to++ = '"';
    return to;
}

static slm_status parse_pair(slm_tokenizer **out, const char *ids, size_t ids_size,
                             const char *lines, size_t lines_size, const char *path,
                             slm_error *err) {
    static const char head[] = "{\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"model\":{\"vocab\":";
    static const char middle[] = ",\"merges\":[\"#version\"";
    static const char tail[] = "]}}";
    char *json = NULL;
    if (lines_size < SIZE_MAX / 16 && ids_size < SIZE_MAX / 4) {
        /* The comma and the quotes of a line fit into the room of its end, which is dropped; those
         * of a last line without an end fit into the 8. */
        size_t room = ESCAPE_SIZE * lines_size + 8;
        json = (char *)malloc(sizeof head + ids_size + sizeof middle + room + sizeof tail);
    }
    if (json == NULL) return error_set(err, SLM_ERR_MEMORY, "out of memory");

    char *to = append_bytes(json, head, sizeof head - 1);
    to = append_bytes(to, ids, ids_size);
    to = append_bytes(to, middle, sizeof middle - 1);
    to = append_merges(to, lines, lines_size);
    to = append_bytes(to, tail, sizeof tail - 1);
    slm_status status = slm_tokenizer_parse(out, json, (size_t)(to - json), path, err);
    free(json);
    return status;
}

slm_status gpt2_tokenizer(slm_tokenizer **out, const char *folder, slm_error *err) {
    char path[4096];
    char *ids = NULL;
    char *lines = NULL;
    size_t ids_size = 0;
    size_t lines_size = 0;
    *out = NULL;
    (void)snprintf(path, sizeof path, "%s/vocab.bpe", folder);
    slm_status status = slm_file_read(&lines, &lines_size, path, err);
    (void)snprintf(path, sizeof path, "%s/encoder.json", folder);
    if (status == SLM_OK) status = slm_file_read(&ids, &ids_size, path, err);
    if (status == SLM_OK)
        status = parse_pair(out, ids, ids_size, lines, lines_size, path, err);
    slm_free(ids);
    slm_free(lines);
    return status;
}
