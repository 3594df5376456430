/* source.c: the bytes of files and of standard input, and their text. */
#include "common/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"

enum {
    STREAM_PIECE = 65536,
    STREAM_MAX_MIB = 3072, /* that are read of standard input; slm.h reads as much of a pipe */
    JSON_SEEN_MAX = 65536  /* bytes of a text that show whether it is JSON lines */
};

data_options data_defaults(void) {
    data_options options;
    memset(&options, 0, sizeof options);
    options.dtype = DTYPE_NOT_GIVEN;
    return options;
}

int source_is_stdin(const char *path) {
    return strcmp(path, "-") == 0;
}

static slm_status grow(source *s, size_t *room, slm_error *err) {
    if (*room - s->size > STREAM_PIECE) return SLM_OK;
    size_t larger_room = *room * 2 + 2 * STREAM_PIECE;
    char *larger = (char *)realloc(s->bytes, larger_room);
    if (larger == NULL) return error_set(err, SLM_ERR_MEMORY, "out of memory: standard input");
    s->bytes = larger;
    *room = larger_room;
    return SLM_OK;
}

static slm_status read_stdin(source *s, slm_error *err) {
    size_t room = 0;
    size_t n_read = 1;
    while (n_read > 0) {
        slm_status status = grow(s, &room, err);
        if (status != SLM_OK) return status;
        n_read = fread(s->bytes + s->size, 1, STREAM_PIECE, stdin);
        s->size += n_read;
        if (s->size >> 20 >= STREAM_MAX_MIB) {
            return error_set(err, SLM_ERR_FORMAT,
                             "-: more than %d MiB from standard input: write it to a file",
                             (int)STREAM_MAX_MIB);
        }
    }
    if (ferror(stdin)) return error_set(err, SLM_ERR_IO, "standard input: cannot read");
    s->bytes[s->size] = 0;
    return SLM_OK;
}

slm_status source_read(source *s, const char *path, slm_error *err) {
    memset(s, 0, sizeof *s);
    s->path = path;
    s->free_bytes = source_is_stdin(path) ? free : slm_free;
    if (source_is_stdin(path)) return read_stdin(s, err);
    return slm_file_read(&s->bytes, &s->size, path, err);
}

void source_free(source *s) {
    if (s->bytes != NULL) s->free_bytes(s->bytes);
    s->bytes = NULL;
}

char *source_take(source *s) {
    char *bytes = s->bytes;
    s->bytes = NULL;
    return bytes;
}

/* Returns 1 if every line at the beginning of the text that is not empty begins with a brace. */
static int looks_like_json_lines(const char *text, size_t size) {
    size_t n = size < JSON_SEEN_MAX ? size : JSON_SEEN_MAX;
    int any = 0;
    size_t i = 0;
    while (i < n) {
        const char *newline = (const char *)memchr(text + i, '\n', n - i);
        int is_empty = text[i] == '\n' || text[i] == '\r';
        if (!is_empty && text[i] != '{') return 0;
        if (!is_empty) any = 1;
        if (newline == NULL) break;
        i = (size_t)(newline - text) + 1;
    }
    return any;
}

slm_status source_text(slm_text *text, const source *s, const data_options *options,
                       data_report *report, slm_error *err) {
    slm_status status = slm_text_parse(text, s->bytes, s->size, s->path, &options->text, err);
    if (status != SLM_OK) return status;
    if (text->memory == NULL) {
        if (looks_like_json_lines(text->start, text->size))
            (void)snprintf(report->like_json, sizeof report->like_json, "%s", s->path);
        return SLM_OK;
    }

    report->n_jsonl++;
    report->n_records += text->n_records;
    if (report->n_bad == 0) report->first_bad = text->first_bad;
    report->n_bad += text->n_bad;
    if (text->n_records == 0 || text->n_bad < text->n_records) return SLM_OK;
    return error_set(err, SLM_ERR_FORMAT, "%s: all %zu records are bad; %.300s", s->path,
                     text->n_records, text->first_bad.text);
}
