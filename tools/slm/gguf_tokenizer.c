/* gguf_tokenizer.c: the tokenizer in a GGUF file.  Its keys are put into the form of Hugging Face's
 * tokenizer.json, which slm.h reads and checks. */
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/options.h"
#include "common/os.h"
#include "common/text.h"
#include "slm/convert.h"
#include "slm/token_pairs.h"

typedef struct tokens {
    const gguf_value *texts, *types;
    const gguf_value *merges; /* of bytes */
    const gguf_value *scores; /* of characters: instead of merges */
    size_t n;        /* without the unused ones at the end */
    size_t n_normal; /* up to the last one of the vocabulary */
} tokens;

/* How a text is cut into pieces. */
typedef enum pieces { PIECES_GPT2, PIECES_DIGITS, PIECES_LLAMA3, PIECES_QWEN2 } pieces;

/* What llama.cpp calls it. */
typedef struct pre_tokenizer {
    const char *name;
    pieces kind;
    int ignore_merges;
} pre_tokenizer;

static const pre_tokenizer known[] = {
    {"gpt-2", PIECES_GPT2, 0},       {"mpt", PIECES_GPT2, 0},
    {"olmo", PIECES_GPT2, 0},        {"smollm", PIECES_DIGITS, 0},
    {"starcoder", PIECES_DIGITS, 0}, {"refact", PIECES_DIGITS, 0},
    {"llama-bpe", PIECES_LLAMA3, 1}, {"llama3", PIECES_LLAMA3, 1},
    {"llama-v3", PIECES_LLAMA3, 1},  {"smaug-bpe", PIECES_LLAMA3, 0},
    {"dbrx", PIECES_LLAMA3, 0},      {"qwen2", PIECES_QWEN2, 0},
};

static slm_status fail_key(const gguf_file *file, const char *key, const char *why,
                           slm_error *err) {
    return error_set(err, SLM_ERR_FORMAT, "%s: %s: %s", file->path, key, why);
}

/* An array of that type; NULL, with an error, if there is none. */
static const gguf_value *find_array(const gguf_file *file, const char *key, gguf_type type,
                                    slm_error *err) {
    const gguf_value *value = gguf_find(file, key);
    if (value != NULL && value->is_array && value->type == type) return value;
    (void)fail_key(file, key, "missing, or not the array that it should be", err);
    return NULL;
}

static gguf_token type_of(const tokens *t, size_t id) {
    uint64_t type = 0;
    if (t->types == NULL) return GGUF_TOKEN_NORMAL;
    if (!gguf_whole(&type, t->types, id) || type > GGUF_TOKEN_BYTE) return GGUF_TOKEN_UNUSED;
    return (gguf_token)type;
}

static slm_status find_tokens(tokens *t, const gguf_file *file, int of_characters,
                              slm_error *err) {
    memset(t, 0, sizeof *t);
    t->texts = find_array(file, "tokenizer.ggml.tokens", GGUF_TEXT, err);
    if (of_characters) {
        t->scores = find_array(file, "tokenizer.ggml.scores", GGUF_F32, err);
        if (t->texts == NULL || t->scores == NULL) return SLM_ERR_FORMAT;
        if (t->scores->n != t->texts->n)
            return fail_key(file, "tokenizer.ggml.scores", "not one for each token", err);
    } else {
        t->merges = find_array(file, "tokenizer.ggml.merges", GGUF_TEXT, err);
        if (t->texts == NULL || t->merges == NULL) return SLM_ERR_FORMAT;
    }
    if (gguf_find(file, "tokenizer.ggml.token_type") != NULL) {
        t->types = find_array(file, "tokenizer.ggml.token_type", GGUF_I32, err);
        if (t->types == NULL) return SLM_ERR_FORMAT;
        if (t->types->n != t->texts->n)
            return fail_key(file, "tokenizer.ggml.token_type", "not one for each token", err);
    }
    for (size_t id = 0; id < t->texts->n; id++) {
        gguf_token type = type_of(t, id);
        if (type != GGUF_TOKEN_UNUSED) t->n = id + 1;
        if (type == GGUF_TOKEN_NORMAL || type == GGUF_TOKEN_BYTE) t->n_normal = id + 1;
    }
    return SLM_OK;
}

/* A text that the file must have; returns 0, with an error, if it has none. */
static int find_text(gguf_text *text, const gguf_file *file, const char *key, slm_error *err) {
    const gguf_value *value = gguf_find(file, key);
    if (value != NULL && gguf_get_text(text, value)) return 1;
    (void)fail_key(file, key, "missing, or not a text", err);
    return 0;
}

static void refuse_text(const gguf_file *file, const char *key, gguf_text text, slm_error *err) {
    (void)error_set(err, SLM_ERR_FORMAT, "%s: %s is \"%.*s\": not supported", file->path, key,
                    text.size < 60 ? (int)text.size : 60, text.bytes);
}

static const pre_tokenizer *find_pre_tokenizer(const gguf_file *file, slm_error *err) {
    gguf_text text;
    if (!find_text(&text, file, "tokenizer.ggml.pre", err)) return NULL;
    for (size_t i = 0; i < COUNT(known); i++) {
        if (gguf_text_is(text, known[i].name)) return &known[i];
    }
    refuse_text(file, "tokenizer.ggml.pre", text, err);
    return NULL;
}

/* Returns a key's 1 or 0; `otherwise` if the file does not say. */
static int read_flag(const gguf_file *file, const char *key, int otherwise) {
    const gguf_value *value = gguf_find(file, key);
    if (value == NULL || value->is_array || value->type != GGUF_BOOL) return otherwise;
    return value->data[0] != 0;
}

/* ---- tokenizer.json ---- */
static void write_string(FILE *out, gguf_text text) {
    (void)fputc('"', out);
    escape_json_n(out, text.bytes, text.size);
    (void)fputc('"', out);
}

/* The token that is put before each text; returns 0 if none is.  Where the file does not say,
 * llama.cpp puts one before texts of characters and of Llama-3's tokenizer. */
static int find_bos(gguf_text *text, uint64_t *id, const gguf_file *file, const tokens *t,
                    int otherwise) {
    const gguf_value *value = gguf_find(file, "tokenizer.ggml.bos_token_id");
    const unsigned char *place = t->texts->data;
    if (!read_flag(file, "tokenizer.ggml.add_bos_token", otherwise)) return 0;
    if (value == NULL || value->is_array || !gguf_whole(id, value, 0) || *id >= t->n) return 0;
    for (uint64_t i = 0; i <= *id; i++)
        *text = gguf_next_text(&place);
    return 1;
}

/* In the form of tokenizers: of one text, and of two. */
static void write_template(FILE *out, const gguf_file *file, const tokens *t, int otherwise) {
    gguf_text text;
    uint64_t id = 0;
    if (!find_bos(&text, &id, file, t, otherwise)) {
        fputs("null", out);
        return;
    }
    fputs("{\"type\":\"TemplateProcessing\"", out);
    for (int n_texts = 1; n_texts <= 2; n_texts++) {
        fprintf(out, ",\"%s\":[", n_texts == 1 ? "single" : "pair");
        for (int i = 0; i < n_texts; i++) {
            fprintf(out, "%s{\"SpecialToken\":{\"id\":", i > 0 ? "," : "");
            write_string(out, text);
            fprintf(out, ",\"type_id\":%d}},{\"Sequence\":{\"id\":\"%s\",\"type_id\":%d}}", i,
                    i == 0 ? "A" : "B", i);
        }
        (void)fputc(']', out);
    }
    fputs(",\"special_tokens\":{", out);
    write_string(out, text);
    fputs(":{\"id\":", out);
    write_string(out, text);
    fprintf(out, ",\"ids\":[%llu],\"tokens\":[", (unsigned long long)id);
    write_string(out, text);
    fputs("]}}}", out);
}

static int is_added(gguf_token type) {
    return type == GGUF_TOKEN_CONTROL || type == GGUF_TOKEN_USER_DEFINED ||
           type == GGUF_TOKEN_UNKNOWN;
}

static void write_added(FILE *out, const tokens *t) {
    const unsigned char *place = t->texts->data;
    int any = 0;
    for (size_t id = 0; id < t->n; id++) {
        gguf_text text = gguf_next_text(&place);
        gguf_token type = type_of(t, id);
        if (!is_added(type)) continue;
        fprintf(out, "%s{\"id\":%zu,\"content\":", any ? "," : "", id);
        write_string(out, text);
        fprintf(out, ",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
                     "\"normalized\":false,\"special\":%s}",
                type == GGUF_TOKEN_USER_DEFINED ? "false" : "true");
        any = 1;
    }
}

/* Added tokens among those of the vocabulary are in both lists; those behind it are not. */
static void write_vocab(FILE *out, const tokens *t) {
    const unsigned char *place = t->texts->data;
    int any = 0;
    for (size_t id = 0; id < t->n_normal; id++) {
        gguf_text text = gguf_next_text(&place);
        if (type_of(t, id) == GGUF_TOKEN_UNUSED) continue;
        if (any) (void)fputc(',', out);
        write_string(out, text);
        fprintf(out, ":%zu", id);
        any = 1;
    }
}

/* The one merge of a tokenizer without merges is left out. */
static int has_no_merges(const tokens *t) {
    const unsigned char *place = t->merges->data;
    return t->merges->n == 1 && gguf_text_is(gguf_next_text(&place), GGUF_NO_MERGE);
}

static void write_merges(FILE *out, const tokens *t) {
    const unsigned char *place = t->merges->data;
    for (size_t i = 0; i < t->merges->n; i++) {
        if (i > 0) (void)fputc(',', out);
        write_string(out, gguf_next_text(&place));
    }
}

static void write_byte_level(FILE *out, int use_regex) {
    fprintf(out, "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,");
    fprintf(out, "\"use_regex\":%s}", use_regex ? "true" : "false");
}

/* The expression of Llama-3, and Qwen's, which takes digits one by one. */
static void write_split(FILE *out, const char *numbers) {
    char regex[256];
    (void)snprintf(regex, sizeof regex, "%s%s%s",
                   "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|", numbers,
                   "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");
    fprintf(out, "{\"type\":\"Split\",\"pattern\":{\"Regex\":");
    escape_json(out, regex);
    fprintf(out, "},\"behavior\":\"Isolated\",\"invert\":false}");
}

static void write_pieces(FILE *out, pieces kind) {
    if (kind == PIECES_GPT2) {
        write_byte_level(out, 1);
        return;
    }
    fprintf(out, "{\"type\":\"Sequence\",\"pretokenizers\":[");
    if (kind == PIECES_DIGITS) fprintf(out, "{\"type\":\"Digits\",\"individual_digits\":true}");
    if (kind == PIECES_LLAMA3) write_split(out, "\\p{N}{1,3}");
    if (kind == PIECES_QWEN2) write_split(out, "\\p{N}");
    (void)fputc(',', out);
    write_byte_level(out, kind == PIECES_DIGITS);
    fprintf(out, "]}");
}

static void write_json(FILE *out, const gguf_file *file, const tokens *t,
                       const pre_tokenizer *pre) {
    fprintf(out, "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[");
    write_added(out, t);
    fprintf(out, "],\"normalizer\":null,\"pre_tokenizer\":");
    write_pieces(out, pre->kind);
    fputs(",\"post_processor\":", out);
    write_template(out, file, t, pre->ignore_merges);
    fputs(",\"decoder\":", out);
    write_byte_level(out, 1);
    fprintf(out, ",\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,");
    fprintf(out, "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,");
    fprintf(out, "\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":%s,\"vocab\":{",
            pre->ignore_merges ? "true" : "false");
    write_vocab(out, t);
    fprintf(out, "},\"merges\":[");
    if (!has_no_merges(t)) write_merges(out, t);
    fprintf(out, "]}}\n");
}

/* ---- tokenizer.json of characters ---- */

/* All pairs of tokens that make another one, as merges; returns 0 if there is no memory. */
static int write_pairs(FILE *out, const tokens *t) {
    const unsigned char *place = t->texts->data;
    token_text *all = (token_text *)calloc(t->n + 1, sizeof *all);
    token_text *sorted = (token_text *)calloc(t->n + 1, sizeof *sorted);
    token_pair *pairs = NULL;
    size_t n_pairs = 0;
    size_t n = 0;
    int good = all != NULL && sorted != NULL;
    for (size_t id = 0; id < t->n && good; id++) {
        gguf_text text = gguf_next_text(&place);
        all[id].bytes = text.bytes;
        all[id].size = text.size;
        if (type_of(t, id) != GGUF_TOKEN_NORMAL || text.size == 0) continue;
        sorted[n] = all[id];
        sorted[n].id = (int32_t)id;
        (void)gguf_real(&sorted[n].score, t->scores, id);
        n++;
    }
    good = good && token_pairs_find(&pairs, &n_pairs, sorted, n);
    for (size_t i = 0; i < n_pairs; i++) {
        const token_text *left = &all[pairs[i].left];
        const token_text *right = &all[pairs[i].right];
        fprintf(out, i > 0 ? ",\"" : "\"");
        escape_json_n(out, left->bytes, left->size);
        (void)fputc(' ', out);
        escape_json_n(out, right->bytes, right->size);
        (void)fputc('"', out);
    }
    free(pairs);
    free(sorted);
    free(all);
    return good;
}

/* The unknown token, which tokenizer.json names; writes null if there is none. */
static void write_unknown(FILE *out, const tokens *t) {
    const unsigned char *place = t->texts->data;
    for (size_t id = 0; id < t->n; id++) {
        gguf_text text = gguf_next_text(&place);
        if (type_of(t, id) != GGUF_TOKEN_UNKNOWN) continue;
        write_string(out, text);
        return;
    }
    fputs("null", out);
}

#define MARK "\xe2\x96\x81" /* U+2581 */

static int write_character_json(FILE *out, const gguf_file *file, const tokens *t) {
    int prefix_space = read_flag(file, "tokenizer.ggml.add_space_prefix", 1);
    fprintf(out, "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[");
    write_added(out, t);
    if (prefix_space) {
        fputs("],\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":["
              "{\"type\":\"Prepend\",\"prepend\":\"" MARK "\"},{\"type\":\"Replace\","
              "\"pattern\":{\"String\":\" \"},\"content\":\"" MARK "\"}]},\"pre_tokenizer\":null",
              out);
    } else {
        fputs("],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":"
              "\"" MARK "\",\"prepend_scheme\":\"never\",\"split\":false}",
              out);
    }
    fputs(",\"post_processor\":", out);
    write_template(out, file, t, 1);
    fputs(",\"decoder\":{\"type\":\"Sequence\",\"decoders\":["
          "{\"type\":\"Replace\",\"pattern\":{\"String\":\"" MARK "\"},\"content\":\" \"},"
          "{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}",
          out);
    if (prefix_space) fputs(",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}", out);
    fputs("]},\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":", out);
    write_unknown(out, t);
    fputs(",\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":true,"
          "\"byte_fallback\":true,\"ignore_merges\":false,\"vocab\":{",
          out);
    write_vocab(out, t);
    fputs("},\"merges\":[", out);
    int good = write_pairs(out, t);
    fputs("]}}\n", out);
    return good;
}

/* ---- both ---- */
slm_status gguf_tokenizer(slm_tokenizer **out, const gguf_file *file, slm_error *err) {
    tokens t;
    gguf_text model;
    const pre_tokenizer *pre = NULL;
    os_text json;
    *out = NULL;
    if (!find_text(&model, file, "tokenizer.ggml.model", err)) return SLM_ERR_FORMAT;
    int of_characters = gguf_text_is(model, "llama");
    if (!of_characters && !gguf_text_is(model, "gpt2")) {
        refuse_text(file, "tokenizer.ggml.model", model, err);
        return SLM_ERR_FORMAT;
    }
    if (!of_characters) {
        pre = find_pre_tokenizer(file, err);
        if (pre == NULL) return SLM_ERR_FORMAT;
    }
    slm_status status = find_tokens(&t, file, of_characters, err);
    if (status != SLM_OK) return status;

    FILE *memory = os_text_open(&json);
    if (memory == NULL) return error_set(err, SLM_ERR_MEMORY, "out of memory");
    int written = 1;
    if (of_characters) {
        written = write_character_json(memory, file, &t);
    } else {
        write_json(memory, file, &t, pre);
    }
    if (os_text_close(&json) != 0) written = 0;
    if (!written) {
        status = error_set(err, SLM_ERR_MEMORY, "out of memory");
    } else {
        status = slm_tokenizer_parse(out, json.bytes, json.size, file->path, err);
    }
    free(json.bytes);
    return status;
}
