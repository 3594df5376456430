/* gpt2.h: the pair of files that GPT-2 was published with, encoder.json (text -> id) and vocab.bpe (a merge per line), as a
 * tokenizer.  Both are put into the form of Hugging Face's tokenizer.json, which slm.h reads and checks.
 * Include slm.h before it. */
#ifndef GPT2_H
#define GPT2_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes the lines as JSON strings, a comma before each, and returns the end.  A byte takes at most 6. */
static inline char *gpt2_merges(char *to, const char *lines, size_t size) {
    int inside = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)lines[i];
        int end = c == '\n' || c == '\r';
        if (!inside && !end) *to++ = ',';
        if (inside == end) {
            *to++ = '"';
            inside = !end;
        } /* a line begins or ends here */
        if (end) continue;
        if (c < 32)
            to += sprintf(to, "\\u%04x", (unsigned)c);
        else if (c == '"' || c == '\\') {
            *to++ = '\\';
            *to++ = (char)c;
        } else
            *to++ = (char)c;
    }
    if (inside) *to++ = '"';
    return to;
}

static inline slm_status gpt2_tokenizer(slm_tokenizer **out, const char *folder, slm_error *err) {
    static const char head[] = "{\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"model\":{\"vocab\":";
    static const char middle[] = ",\"merges\":[\"#version\"";
    char path[4096], *ids = NULL, *lines = NULL, *json = NULL, *to;
    size_t size = 0, n = 0;
    slm_status status;
    *out = NULL;
    (void)snprintf(path, sizeof path, "%s/vocab.bpe", folder);
    status = slm_file_read(&lines, &n, path, err);
    (void)snprintf(path, sizeof path, "%s/encoder.json", folder);
    if (status == SLM_OK) status = slm_file_read(&ids, &size, path, err);
    if (status == SLM_OK && n < SIZE_MAX / 16 && size < SIZE_MAX / 4)
        json = (char *)malloc(sizeof head + size + sizeof middle + 6 * n + 8);
    if (status == SLM_OK && json == NULL) {
        status = err->status = SLM_ERR_MEMORY;
        (void)snprintf(err->text, sizeof err->text, "out of memory");
    }
    if (status == SLM_OK) {
        memcpy(json, head, sizeof head - 1);
        memcpy(json + sizeof head - 1, ids, size);
        memcpy(json + sizeof head - 1 + size, middle, sizeof middle - 1);
        to = gpt2_merges(json + sizeof head - 1 + size + sizeof middle - 1, lines, n);
        memcpy(to, "]}}", 3);
        status = slm_tokenizer_parse(out, json, (size_t)(to + 3 - json), path, err);
    }
    slm_free(ids);
    slm_free(lines);
    free(json);
    return status;
}
#endif
