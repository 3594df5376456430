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

/* The two files in memory. */
typedef struct gpt2_pair {
    char path[4096]; /* of encoder.json, for messages */
    char *ids;       /* encoder.json */
    char *merges;    /* vocab.bpe */
    size_t ids_size, merges_size;
} gpt2_pair;

static int is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Returns the place behind the string that begins with the quote at `at`, or size. */
static size_t skip_string(const char *text, size_t size, size_t at) {
    for (at++; at < size && text[at] != '"'; at++) {
        if (text[at] == '\\') at++;
    }
    return at < size ? at + 1 : size;
}

/* encoder.json becomes a part of a larger text, and must not end the object that it stands in: it
 * must be one object without others inside.  What is between the braces is for the parser. */
static slm_status check_ids(const gpt2_pair *pair, slm_error *err) {
    size_t size = pair->ids_size;
    size_t at = 0;
    while (size > 0 && is_space(pair->ids[size - 1]))
        size--;
    while (at < size && is_space(pair->ids[at]))
        at++;
    if (at == size || pair->ids[at] != '{')
        return error_set(err, SLM_ERR_FORMAT, "%s: byte %zu: an object was expected", pair->path,
                         at);
    at++;
    while (at < size && strchr("{}[]", pair->ids[at]) == NULL)
        at = pair->ids[at] == '"' ? skip_string(pair->ids, size, at) : at + 1;
    if (at + 1 == size && pair->ids[at] == '}') return SLM_OK;
    return error_set(err, SLM_ERR_FORMAT, "%s: byte %zu: not one object of texts and their ids",
                     pair->path, at);
}

static slm_status parse_pair(slm_tokenizer **out, const gpt2_pair *pair, slm_error *err) {
    static const char head[] = "{\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"model\":{\"vocab\":";
    static const char middle[] = ",\"merges\":[\"#version\"";
    static const char tail[] = "]}}";
    char *json = NULL;
    if (pair->merges_size < SIZE_MAX / 16 && pair->ids_size < SIZE_MAX / 4) {
        /* The comma and the quotes of a line fit into the room of its end, which is dropped; those
         * of a last line without an end fit into the 8. */
        size_t room = ESCAPE_SIZE * pair->merges_size + 8;
        json = (char *)malloc(sizeof head + pair->ids_size + sizeof middle + room + sizeof tail);
    }
    if (json == NULL) return error_set(err, SLM_ERR_MEMORY, "out of memory");

    char *to = append_bytes(json, head, sizeof head - 1);
    to = append_bytes(to, pair->ids, pair->ids_size);
    to = append_bytes(to, middle, sizeof middle - 1);
    to = append_merges(to, pair->merges, pair->merges_size);
    to = append_bytes(to, tail, sizeof tail - 1);
    slm_status status = slm_tokenizer_parse(out, json, (size_t)(to - json), pair->path, err);
    free(json);
    return status;
}

slm_status gpt2_tokenizer(slm_tokenizer **out, const char *folder, slm_error *err) {
    gpt2_pair pair;
    memset(&pair, 0, sizeof pair);
    *out = NULL;
    (void)snprintf(pair.path, sizeof pair.path, "%s/vocab.bpe", folder);
    slm_status status = slm_file_read(&pair.merges, &pair.merges_size, pair.path, err);
    (void)snprintf(pair.path, sizeof pair.path, "%s/encoder.json", folder);
    if (status == SLM_OK) status = slm_file_read(&pair.ids, &pair.ids_size, pair.path, err);
    if (status == SLM_OK) status = check_ids(&pair, err);
    if (status == SLM_OK) status = parse_pair(out, &pair, err);
    slm_free(pair.ids);
    slm_free(pair.merges);
    return status;
}
