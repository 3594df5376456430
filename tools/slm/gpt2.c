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

/* Writes the lines as JSON strings, with commas between them; returns the end.  Empty lines and the
 * first one, "#version: ...", are no merges. */
static char *append_merges(char *to, const char *lines, size_t size) {
    static const char version[] = "#version";
    const char *begin = to;
    const char *end = lines + size;
    const char *next;
    for (const char *line = lines; line < end; line = next) {
        next = line;
        while (next < end && *next != '\n' && *next != '\r')
            next++;
        int is_version = (size_t)(next - line) >= sizeof version - 1 &&
                         memcmp(line, version, sizeof version - 1) == 0;
        if (next > line && !is_version) {
            to = append_bytes(to, ",", to == begin ? 0 : 1);
            to = append_bytes(to, "\n\"", 2);
            while (line < next)
                to = append_json_byte(to, *line++);
            *to++ = '"';
        }
        if (next < end) next++;
    }
    return to;
}

/* The two files in memory. */
typedef struct gpt2_pair {
    char ids_path[4096];
    char merges_path[4096];
    char *ids;    /* encoder.json */
    char *merges; /* vocab.bpe */
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
    while (at < size && is_space(pair->ids[at]))
        at++;
    if (at == size || pair->ids[at] != '{')
        return error_set(err, SLM_ERR_FORMAT, "%s: byte %zu: an object was expected",
                         pair->ids_path, at);
    at++;
    while (at < size && strchr("{}[]", pair->ids[at]) == NULL)
        at = pair->ids[at] == '"' ? skip_string(pair->ids, size, at) : at + 1;
    if (at + 1 == size && pair->ids[at] == '}') return SLM_OK;
    return error_set(err, SLM_ERR_FORMAT, "%s: byte %zu: not one object of texts and their ids",
                     pair->ids_path, at);
}

/* The token between documents is a word of the pair's vocabulary; that texts are searched for it,
 * only GPT-2's program knows.  Returns the digits of its id in encoder.json, *n of them; none if it
 * is not there. */
static const char *end_of_text_id(const gpt2_pair *pair, size_t *n) {
    static const char name[] = "\"<|endoftext|>\"";
    const char *end = pair->ids + pair->ids_size;
    const char *p = pair->ids;
    *n = 0;
    while ((size_t)(end - p) >= sizeof name && memcmp(p, name, sizeof name - 1) != 0)
        p++;
    if ((size_t)(end - p) < sizeof name) return p;
    p += sizeof name - 1;
    while (p < end && (is_space(*p) || *p == ':'))
        p++;
    while (p + *n < end && p[*n] >= '0' && p[*n] <= '9')
        ++*n;
    return p;
}

/* name: the file that messages name. */
static slm_status parse_pair(slm_tokenizer **out, const gpt2_pair *pair, const char *name,
                             slm_error *err) {
    static const char head[] =
        "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[";
    static const char id_key[] = "\n{\"id\":";
    static const char end_of_text[] =
        ",\"content\":\"<|endoftext|>\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
        "\"normalized\":false,\"special\":true}";
    static const char options[] =
        "],\n\"normalizer\":null,\n\"pre_tokenizer\":{\"type\":\"ByteLevel\","
        "\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true},\n"
        "\"post_processor\":null,\n\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,"
        "\"trim_offsets\":true,\"use_regex\":true},\n\"model\":{\"type\":\"BPE\",\"dropout\":null,"
        "\"unk_token\":null,\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,"
        "\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":false,\n\"vocab\":";
    static const char middle[] = ",\n\"merges\":[";
    static const char tail[] = "]}}\n";
    char *json = NULL;
    size_t id_size;
    const char *id = end_of_text_id(pair, &id_size);
    if (pair->merges_size < SIZE_MAX / 16 && pair->ids_size < SIZE_MAX / 4) {
        /* A line becomes its bytes, two quotes, a comma and a new line.  The 6 for the line's own
         * end hold the signs; the 8 do for a last line without an end. */
        size_t room = ESCAPE_SIZE * pair->merges_size + 8;
        json = (char *)malloc(sizeof head + sizeof id_key + id_size + sizeof end_of_text +
                              sizeof options + pair->ids_size + sizeof middle + room + sizeof tail);
    }
    if (json == NULL) return error_set(err, SLM_ERR_MEMORY, "out of memory");

    char *to = append_bytes(json, head, sizeof head - 1);
    if (id_size > 0) {
        to = append_bytes(to, id_key, sizeof id_key - 1);
        to = append_bytes(to, id, id_size);
        to = append_bytes(to, end_of_text, sizeof end_of_text - 1);
    }
    to = append_bytes(to, options, sizeof options - 1);
    to = append_bytes(to, pair->ids, pair->ids_size);
    to = append_bytes(to, middle, sizeof middle - 1);
    to = append_merges(to, pair->merges, pair->merges_size);
    to = append_bytes(to, tail, sizeof tail - 1);
    slm_status status = slm_tokenizer_parse(out, json, (size_t)(to - json), name, err);
    free(json);
    return status;
}

/* What is wrong with encoder.json is so without vocab.bpe, too. */
static slm_status parse_or_blame(slm_tokenizer **out, const gpt2_pair *pair, slm_error *err) {
    slm_status status = parse_pair(out, pair, pair->merges_path, err);
    if (status != SLM_ERR_FORMAT) return status;

    gpt2_pair ids_alone = *pair;
    slm_tokenizer *unused = NULL;
    slm_error fault;
    ids_alone.merges_size = 0;
    status = parse_pair(&unused, &ids_alone, pair->ids_path, &fault);
    slm_tokenizer_free(unused);
    if (status != SLM_OK && err != NULL) *err = fault;
    return status != SLM_OK ? status : SLM_ERR_FORMAT;
}

slm_status gpt2_tokenizer(slm_tokenizer **out, const char *folder, slm_error *err) {
    gpt2_pair pair;
    memset(&pair, 0, sizeof pair);
    *out = NULL;
    (void)snprintf(pair.merges_path, sizeof pair.merges_path, "%s/vocab.bpe", folder);
    (void)snprintf(pair.ids_path, sizeof pair.ids_path, "%s/encoder.json", folder);
    slm_status status = slm_file_read(&pair.merges, &pair.merges_size, pair.merges_path, err);
    if (status == SLM_OK) status = slm_file_read(&pair.ids, &pair.ids_size, pair.ids_path, err);
    while (pair.ids_size > 0 && is_space(pair.ids[pair.ids_size - 1]))
        pair.ids_size--;
    if (status == SLM_OK) status = check_ids(&pair, err);
    if (status == SLM_OK) status = parse_or_blame(out, &pair, err);
    slm_free(pair.ids);
    slm_free(pair.merges);
    return status;
}
