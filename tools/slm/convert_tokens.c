/* convert_tokens.c: a tokenizer as the keys of a GGUF file. */
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "slm/convert.h"

/* In a file of this kind the tokens of the vocabulary are written as in tokenizer.json: printable
 * bytes as themselves, the other 68 as U+0100 and up, in their order. */
static size_t put_byte(char *out, unsigned char byte) {
    unsigned code = byte;
    if (byte <= ' ') {
        code = 256u + byte;
    } else if (byte > '~' && byte <= 160) {
        code = 289u + byte - 127u;
    } else if (byte == 173) {
        code = 323;
    }
    if (code < 128) {
        out[0] = (char)code;
        return 1;
    }
    out[0] = (char)(unsigned char)(0xC0 | code >> 6);
    out[1] = (char)(unsigned char)(0x80 | (code & 63));
    return 2;
}

/* Writes n bytes in that way to out, which has room for 2 n.  Returns how many were written. */
static size_t put_bytes(char *out, const char *bytes, size_t n) {
    size_t size = 0;
    for (size_t i = 0; i < n; i++)
        size += put_byte(out + size, (unsigned char)bytes[i]);
    return size;
}

static size_t longest_token(const slm_tokenizer *tokenizer) {
    size_t longest = 0;
    for (int32_t id = 0; id < slm_tokenizer_vocab(tokenizer); id++) {
        size_t size;
        (void)slm_tokenizer_token(&size, tokenizer, id);
        if (size > longest) longest = size;
    }
    return longest;
}

/* ---- which of the ways that llama.cpp knows ---- */
typedef struct pre_tokenizer {
    const char *family; /* slm.h's */
    int ignore_merges;
    const char *name; /* llama.cpp's */
} pre_tokenizer;

static const pre_tokenizer known[] = {
    {"gpt2", 0, "gpt-2"},      {"llama3", 1, "llama-bpe"}, {"llama3", 0, "smaug-bpe"},
    {"qwen2", 0, "qwen2"},     {"digits", 0, "smollm"},
};

static const char *pre_tokenizer_of(const slm_tokenizer_info *info) {
    if (info->n_merges == 0) return "gpt-2"; /* nothing is merged, however the text is cut */
    for (size_t i = 0; i < COUNT(known); i++) {
        if (strcmp(known[i].family, info->family) == 0 &&
            known[i].ignore_merges == info->ignore_merges)
            return known[i].name;
    }
    return NULL;
}

int tokens_check(const conversion *c) {
    slm_tokenizer_info info = slm_tokenizer_describe(c->tokenizer);
    if (spm_is_of_characters(c->tokenizer)) return spm_check(c);
    if (info.prefix_space) {
        return fail(BAD_INPUT,
                    "%s: its tokenizer puts a space before a text, which llama.cpp's of this kind "
                    "do not",
                    c->in);
    }
    if (pre_tokenizer_of(&info) != NULL) return DONE;
    return fail(BAD_INPUT,
                "%s: llama.cpp has no tokenizer that cuts a text as this one does: \"%s\"%s", c->in,
                info.family, info.ignore_merges ? " with ignore_merges" : "");
}

/* ---- the keys ---- */

/* A token that the model has and the tokenizer does not gets a name that no other token has. */
static void write_tokens(gguf_writer *w, const slm_tokenizer *tokenizer, size_t n, char *room) {
    gguf_put_array(w, "tokenizer.ggml.tokens", GGUF_TEXT, n);
    for (size_t i = 0; i < n; i++) {
        int32_t id = (int32_t)i;
        size_t size;
        const char *bytes = slm_tokenizer_token(&size, tokenizer, id);
        if (size == 0) {
            char name[32];
            (void)snprintf(name, sizeof name, "[PAD%zu]", i);
            gguf_item_text(w, name, strlen(name));
        } else if (slm_tokenizer_token_kind(tokenizer, id) == SLM_TOKEN_NORMAL) {
            gguf_item_text(w, room, put_bytes(room, bytes, size));
        } else {
            gguf_item_text(w, bytes, size);
        }
    }
}

static gguf_token token_type(const slm_tokenizer *tokenizer, int32_t id) {
    size_t size;
    (void)slm_tokenizer_token(&size, tokenizer, id);
    if (size == 0) return GGUF_TOKEN_UNUSED;
    switch (slm_tokenizer_token_kind(tokenizer, id)) {
    case SLM_TOKEN_SPECIAL: return GGUF_TOKEN_CONTROL;
    case SLM_TOKEN_ADDED: return GGUF_TOKEN_USER_DEFINED;
    default: return GGUF_TOKEN_NORMAL;
    }
}

/* A merge is two tokens with a space between them. */
static void write_merges(gguf_writer *w, const slm_tokenizer *tokenizer, size_t n, char *room) {
    gguf_put_array(w, "tokenizer.ggml.merges", GGUF_TEXT, n > 0 ? n : 1);
    if (n == 0) gguf_item_text(w, GGUF_NO_MERGE, strlen(GGUF_NO_MERGE));
    for (size_t rank = 0; rank < n; rank++) {
        int32_t pair[2];
        size_t size;
        slm_tokenizer_merge(&pair[0], &pair[1], tokenizer, rank);
        const char *bytes = slm_tokenizer_token(&size, tokenizer, pair[0]);
        size_t written = put_bytes(room, bytes, size);
        room[written++] = ' ';
        bytes = slm_tokenizer_token(&size, tokenizer, pair[1]);
        written += put_bytes(room + written, bytes, size);
        gguf_item_text(w, room, written);
    }
}

int tokens_write(gguf_writer *w, const slm_tokenizer *tokenizer, size_t n_tokens) {
    slm_tokenizer_info info = slm_tokenizer_describe(tokenizer);
    if (spm_is_of_characters(tokenizer)) return spm_write(w, tokenizer, n_tokens);
    size_t longest = longest_token(tokenizer);
    char *room = longest < SIZE_MAX / 8 ? (char *)malloc(4 * longest + 1) : NULL;
    if (room == NULL) return fail_memory();
    gguf_put_text(w, "tokenizer.ggml.model", "gpt2");
    gguf_put_text(w, "tokenizer.ggml.pre", pre_tokenizer_of(&info));
    write_tokens(w, tokenizer, n_tokens, room);
    gguf_put_array(w, "tokenizer.ggml.token_type", GGUF_I32, n_tokens);
    for (size_t i = 0; i < n_tokens; i++)
        gguf_item_u32(w, token_type(tokenizer, (int32_t)i));
    write_merges(w, tokenizer, info.n_merges, room);
    free(room);
    return DONE;
}
