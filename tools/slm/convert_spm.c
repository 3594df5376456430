/* convert_spm.c: a tokenizer of characters, such as Llama-2's, as the keys of a GGUF file.
 *
 * Its reader does as SentencePiece: it joins the two neighbours that make the token of the highest
 * score, of equals the leftmost, whatever two tokens make it.  slm.h joins what a list of merges
 * names, in the order of the list.  That is the same if the merges that make one token follow one
 * another (the score is then the place of the token in that order) and if all two tokens that make
 * a third are a merge. */
#include <stdlib.h>
#include <string.h>

#include "slm/convert.h"

enum { BYTES = 256 };

/* A token that merges make or join, as texts have it. */
typedef struct piece {
    const char *bytes;
    size_t size;
    int32_t id;
} piece;

typedef struct spm {
    const slm_tokenizer *tokenizer;
    size_t n_merges;
    piece *pieces; /* sorted by their bytes */
    size_t n_pieces, n_bytes;
    uint64_t *pairs; /* (n_merges) sorted: left << 32 | right */
    int32_t *order;  /* by id: the place among the tokens that merges make, from 1; 0: not made */
} spm;

static int compare_pieces(const void *left, const void *right) {
    const piece *a = (const piece *)left;
    const piece *b = (const piece *)right;
    int order = memcmp(a->bytes, b->bytes, a->size < b->size ? a->size : b->size);
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare_pairs(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* The id of these bytes, or -1. */
static int32_t find_piece(const spm *s, const char *bytes, size_t size) {
    piece wanted = {bytes, size, 0};
    const piece *found = (const piece *)bsearch(&wanted, s->pieces, s->n_pieces,
                                                sizeof *s->pieces, compare_pieces);
    return found != NULL ? found->id : -1;
}

static uint64_t pair_of(int32_t left, int32_t right) {
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

static void spm_free(spm *s) {
    free(s->pieces);
    free(s->pairs);
    free(s->order);
}

/* Lists the pieces.  Returns the size of the longest. */
static size_t list_pieces(spm *s) {
    size_t longest = 0;
    for (int32_t id = 0; id < slm_tokenizer_vocab(s->tokenizer); id++) {
        piece p = {NULL, 0, id};
        p.bytes = slm_tokenizer_token(&p.size, s->tokenizer, id);
        slm_token_kind kind = slm_tokenizer_token_kind(s->tokenizer, id);
        if (kind == SLM_TOKEN_BYTE) s->n_bytes++;
        if (kind != SLM_TOKEN_NORMAL || p.size == 0) continue;
        s->pieces[s->n_pieces++] = p;
        if (p.size > longest) longest = p.size;
    }
    qsort(s->pieces, s->n_pieces, sizeof *s->pieces, compare_pieces);
    return longest;
}

/* Gives the tokens their order.  Returns 0 if merges that make one token are apart. */
static int order_merges(spm *s, char *room) {
    int32_t before = -1;
    int32_t n = 0;
    for (size_t rank = 0; rank < s->n_merges; rank++) {
        int32_t pair[2];
        size_t size[2];
        slm_tokenizer_merge(&pair[0], &pair[1], s->tokenizer, rank);
        s->pairs[rank] = pair_of(pair[0], pair[1]);
        const char *left = slm_tokenizer_token(&size[0], s->tokenizer, pair[0]);
        const char *right = slm_tokenizer_token(&size[1], s->tokenizer, pair[1]);
        memcpy(room, left, size[0]);
        memcpy(room + size[0], right, size[1]);
        int32_t made = find_piece(s, room, size[0] + size[1]);
        if (made < 0) return 0;
        if (made == before) continue;
        if (s->order[made] != 0) return 0;
        s->order[made] = ++n;
        before = made;
    }
    qsort(s->pairs, s->n_merges, sizeof *s->pairs, compare_pairs);
    return 1;
}

/* Whether all two pieces that make a third are a merge. */
static int has_all_merges(const spm *s) {
    for (size_t i = 0; i < s->n_pieces; i++) {
        const piece *p = &s->pieces[i];
        for (size_t cut = 1; cut < p->size; cut++) {
            int32_t left = find_piece(s, p->bytes, cut);
            if (left < 0) continue;
            int32_t right = find_piece(s, p->bytes + cut, p->size - cut);
            if (right < 0) continue;
            uint64_t pair = pair_of(left, right);
            if (bsearch(&pair, s->pairs, s->n_merges, sizeof pair, compare_pairs) == NULL)
                return 0;
        }
    }
    return 1;
}

/* spm_free is due, also after a failure.  `in` is for messages. */
static int spm_make(spm *s, const slm_tokenizer *tokenizer, const char *in) {
    memset(s, 0, sizeof *s);
    size_t vocab = (size_t)slm_tokenizer_vocab(tokenizer);
    s->tokenizer = tokenizer;
    s->n_merges = slm_tokenizer_describe(tokenizer).n_merges;
    s->pieces = (piece *)malloc((vocab + 1) * sizeof *s->pieces);
    s->order = (int32_t *)calloc(vocab + 1, sizeof *s->order);
    s->pairs = (uint64_t *)malloc((s->n_merges + 1) * sizeof *s->pairs);
    if (s->pieces == NULL || s->order == NULL || s->pairs == NULL) return fail_memory();

    size_t longest = list_pieces(s);
    char *room = (char *)malloc(2 * longest + 1);
    if (room == NULL) return fail_memory();
    int ordered = order_merges(s, room);
    free(room);
    if (ordered && has_all_merges(s) && s->n_bytes == BYTES) return DONE;
    return fail(BAD_INPUT,
                "%s: llama.cpp would cut a text into other tokens: merges are not in the order of "
                "what they make, or lack, or there is no token for each byte",
                in);
}

int spm_is_of_characters(const slm_tokenizer *tokenizer) {
    const char *family = slm_tokenizer_describe(tokenizer).family;
    return strcmp(family, "llama") == 0 || strcmp(family, "metaspace") == 0;
}

int spm_check(const conversion *c) {
    slm_tokenizer_info info = slm_tokenizer_describe(c->tokenizer);
    spm s;
    if (info.split_spaces) {
        return fail(BAD_INPUT,
                    "%s: its tokenizer cuts a text at every space (Metaspace with split), which "
                    "readers of this kind do not",
                    c->in);
    }
    if (strcmp(info.family, "metaspace") == 0 && info.prefix_space && !c->quiet)
        say("note: %s: a text that begins with a space gets one more from readers of this kind",
            c->in);
    int code = spm_make(&s, c->tokenizer, c->in);
    spm_free(&s);
    return code;
}

int spm_scores(double *scores, const conversion *c) {
    spm s;
    int code = spm_make(&s, c->tokenizer, c->in);
    for (int32_t id = 0; id < slm_tokenizer_vocab(c->tokenizer) && code == DONE; id++)
        scores[id] = -(double)s.order[id];
    spm_free(&s);
    return code;
}

/* A space is U+2581 there. */
static void write_piece(gguf_writer *w, const char *bytes, size_t size, char *room) {
    size_t written = 0;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == ' ') {
            memcpy(room + written, "\xe2\x96\x81", 3);
            written += 3;
        } else {
            room[written++] = bytes[i];
        }
    }
    gguf_item_text(w, room, written);
}

/* Token id, which the tokenizer may not have.  A token longer than the room is none of merges. */
static void write_token(gguf_writer *w, const slm_tokenizer *tokenizer, int32_t id, char *room) {
    size_t size;
    const char *bytes = slm_tokenizer_token(&size, tokenizer, id);
    slm_token_kind kind = slm_tokenizer_token_kind(tokenizer, id);
    char name[32];
    if (size == 0) {
        (void)snprintf(name, sizeof name, "[PAD%d]", (int)id);
        gguf_item_text(w, name, strlen(name));
    } else if (kind == SLM_TOKEN_BYTE) {
        (void)snprintf(name, sizeof name, "<0x%02X>", (unsigned)(unsigned char)bytes[0]);
        gguf_item_text(w, name, strlen(name));
    } else if (kind == SLM_TOKEN_NORMAL) {
        write_piece(w, bytes, size, room);
    } else {
        gguf_item_text(w, bytes, size);
    }
}

static gguf_token token_type(const slm_tokenizer *tokenizer, int32_t id) {
    size_t size;
    (void)slm_tokenizer_token(&size, tokenizer, id);
    if (size == 0) return GGUF_TOKEN_UNUSED;
    if (id == slm_tokenizer_describe(tokenizer).unknown) return GGUF_TOKEN_UNKNOWN;
    switch (slm_tokenizer_token_kind(tokenizer, id)) {
    case SLM_TOKEN_SPECIAL: return GGUF_TOKEN_CONTROL;
    case SLM_TOKEN_ADDED: return GGUF_TOKEN_USER_DEFINED;
    case SLM_TOKEN_BYTE: return GGUF_TOKEN_BYTE;
    default: return GGUF_TOKEN_NORMAL;
    }
}

static void write_arrays(gguf_writer *w, const spm *s, size_t n_tokens, char *room) {
    int32_t vocab = slm_tokenizer_vocab(s->tokenizer);
    gguf_put_array(w, "tokenizer.ggml.tokens", GGUF_TEXT, n_tokens);
    for (size_t i = 0; i < n_tokens; i++)
        write_token(w, s->tokenizer, (int32_t)i, room);
    gguf_put_array(w, "tokenizer.ggml.scores", GGUF_F32, n_tokens);
    for (size_t i = 0; i < n_tokens; i++)
        gguf_item_f32(w, i < (size_t)vocab ? -(double)s->order[i] : 0);
    gguf_put_array(w, "tokenizer.ggml.token_type", GGUF_I32, n_tokens);
    for (size_t i = 0; i < n_tokens; i++)
        gguf_item_u32(w, token_type(s->tokenizer, (int32_t)i));
}

int spm_write(gguf_writer *w, const slm_tokenizer *tokenizer, size_t n_tokens) {
    int32_t unknown = slm_tokenizer_describe(tokenizer).unknown;
    spm s;
    int code = spm_make(&s, tokenizer, "tokenizer");
    size_t longest = 0;
    for (size_t i = 0; i < s.n_pieces; i++)
        if (s.pieces[i].size > longest) longest = s.pieces[i].size;
    char *room = (char *)malloc(3 * longest + 1);
    if (code == DONE && room == NULL) code = fail_memory();
    if (code == DONE) {
        gguf_put_text(w, "tokenizer.ggml.model", "llama");
        gguf_put_text(w, "tokenizer.ggml.pre", "default");
        write_arrays(w, &s, n_tokens, room);
        if (unknown >= 0)
            gguf_put_u32(w, "tokenizer.ggml.unknown_token_id", (uint32_t)unknown);
        int prefix_space = slm_tokenizer_describe(tokenizer).prefix_space;
        gguf_put_bool(w, "tokenizer.ggml.add_space_prefix", prefix_space);
    }
    free(room);
    spm_free(&s);
    return code;
}
