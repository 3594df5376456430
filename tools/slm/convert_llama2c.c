/* convert_llama2c.c: a model folder as the two files of llama2.c, version 0.
 *
 *     model      i32 dim, ffn, layers, heads, kv heads, vocabulary, context; then F32: the
 *                embedding, each tensor of a layer for all layers, the last norm, cosines and sines
 *                of the rotary positions (context, D/2 each), which its reader skips, and the head.
 *                The vocabulary is negative where there is a head; else the embedding is the head
 *     tokenizer  i32 size of the longest token; then for each token f32 score, i32 size, bytes
 *
 * All numbers are little-endian.  Its reader has theta 10000, eps 1e-5 and D = dim / heads built
 * in.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/output.h"
#include "common/paths.h"
#include "slm/convert.h"

#define THETA 10000.0
#define EPS 1e-5

static int is_near(double a, double b) {
    return fabs(a - b) <= 1e-6 * b;
}

static int check_shape(const conversion *c) {
    const slm_model_config *m = &c->config;
    if (!is_near(m->rope_theta, THETA))
        return fail(BAD_INPUT, "%s: rope_theta is %g, and llama2.c has %g built in", c->in,
                    m->rope_theta, THETA);
    if (m->rope_scaling.type != SLM_ROPE_PLAIN)
        return fail(BAD_INPUT, "%s: llama2.c has no rope_scaling", c->in);
    if (!is_near(m->norm_eps, EPS))
        return fail(BAD_INPUT, "%s: rms_norm_eps is %g, and llama2.c has %g built in", c->in,
                    m->norm_eps, EPS);
    if (m->head_dim * m->n_heads != m->dim)
        return fail(BAD_INPUT, "%s: head_dim is %d; llama2.c divides hidden_size %d by %d heads",
                    c->in, (int)m->head_dim, (int)m->dim, (int)m->n_heads);
    return DONE;
}

static void put_i32(FILE *out, int32_t value) {
    unsigned char bytes[4];
    store_bytes(bytes, (uint32_t)value, sizeof bytes);
    (void)fwrite(bytes, 1, sizeof bytes, out);
}

static void put_f32(FILE *out, double value) {
    put_i32(out, (int32_t)float_bits((float)value));
}

/* ---- the model ---- */
static void write_shape(FILE *out, const slm_model_config *m) {
    put_i32(out, m->dim);
    put_i32(out, m->ffn);
    put_i32(out, m->n_layers);
    put_i32(out, m->n_heads);
    put_i32(out, m->n_kv_heads);
    put_i32(out, m->tie_embeddings ? m->vocab : -m->vocab);
    put_i32(out, longest_context(m));
}

static int write_one(conversion *c, size_t index, FILE *out, const char *path) {
    weight w;
    weights_at(&w, &c->config, index);
    return weight_write(c, &w, NUMBER_F32, ROWS_IN_PAIRS, out, path);
}

static void write_angles(FILE *out, const slm_model_config *m) {
    for (int part = 0; part < 2; part++) {
        for (int32_t t = 0; t < longest_context(m); t++) {
            for (int32_t i = 0; i < m->head_dim / 2; i++) {
                double angle = t * pow(THETA, -2.0 * i / m->head_dim);
                put_f32(out, part == 0 ? cos(angle) : sin(angle));
            }
        }
    }
}

static int write_weights(conversion *c, FILE *out, const char *path) {
    /* In the order of the file; the first four before the other norm. */
    static const int places[WEIGHTS_IN_LAYER] = {
        WEIGHT_ATTENTION_NORM, WEIGHT_QUERY, WEIGHT_KEY,  WEIGHT_VALUE, WEIGHT_OUTPUT,
        WEIGHT_FFN_NORM,       WEIGHT_GATE,  WEIGHT_DOWN, WEIGHT_UP};
    size_t n_layers = (size_t)c->config.n_layers;
    size_t behind_layers = 1 + n_layers * WEIGHTS_IN_LAYER;
    int code = write_one(c, 0, out, path);
    for (size_t i = 0; i < WEIGHTS_IN_LAYER; i++) {
        for (size_t layer = 0; layer < n_layers && code == DONE; layer++) {
            size_t index = 1 + layer * WEIGHTS_IN_LAYER + (size_t)places[i];
            code = write_one(c, index, out, path);
        }
    }
    if (code == DONE) code = write_one(c, behind_layers, out, path);
    write_angles(out, &c->config);
    if (code == DONE && !c->config.tie_embeddings)
        code = write_one(c, behind_layers + 1, out, path);
    return code;
}

/* ---- the tokenizer ----
 *
 * Its reader puts a space before a text, takes characters that are tokens and of all others the
 * bytes, which are tokens 3 to 258, and joins the pair whose token has the highest score: all that
 * as Llama-2's tokenizer does.  One of bytes is read otherwise: the text of its tokens is right, so
 * that what a model writes can be read, but a prompt is cut into other tokens. */
enum { LLAMA2C_BOS = 1, LLAMA2C_EOS = 2, LLAMA2C_BYTES = 3 };

/* Scores of tokens of bytes, of which slm.h joins the pair whose merge comes first. */
static void score_bytes(double *scores, const slm_tokenizer *t) {
    int32_t vocab = slm_tokenizer_vocab(t);
    size_t n_merges = slm_tokenizer_describe(t).n_merges;
    int32_t first = vocab - (int32_t)(n_merges < (size_t)vocab ? n_merges : 0);
    for (int32_t id = 0; id < vocab; id++)
        scores[id] = id >= first ? -(double)(id - first) : 0;
}

static int check_bytes(const conversion *c) {
    for (int32_t byte = 0; byte < 256; byte++) {
        size_t size;
        int32_t id = LLAMA2C_BYTES + byte;
        const char *bytes = slm_tokenizer_token(&size, c->tokenizer, id);
        if (size != 1 || (unsigned char)bytes[0] != byte ||
            slm_tokenizer_token_kind(c->tokenizer, id) != SLM_TOKEN_BYTE)
            return fail(BAD_INPUT, "%s: token %d is not byte %d, as llama2.c has it built in",
                        c->in, (int)id, (int)byte);
    }
    return DONE;
}

static int make_scores(double *scores, const conversion *c) {
    int code = DONE;
    if (spm_is_of_characters(c->tokenizer)) {
        code = spm_check(c);
        if (code == DONE) code = check_bytes(c);
        if (code == DONE) code = spm_scores(scores, c);
    } else {
        score_bytes(scores, c->tokenizer);
        if (!c->quiet)
            say("note: %s: its tokens are bytes: llama2.c writes them, and cuts a prompt otherwise",
                c->in);
    }
    return code;
}

/* The text of a token: begin and end of a text have names there that no text has.  Returns its
 * size; name (16) is room for it. */
static size_t token_text(const char **text, char *name, const slm_tokenizer *t, int32_t id) {
    int of_characters = spm_is_of_characters(t);
    size_t size;
    *text = slm_tokenizer_token(&size, t, id);
    name[0] = 0;
    if (of_characters && size > 0 && slm_tokenizer_token_kind(t, id) == SLM_TOKEN_BYTE)
        (void)snprintf(name, 16, "<0x%02X>", (unsigned)(unsigned char)**text);
    if (of_characters && id == LLAMA2C_BOS) (void)snprintf(name, 16, "\n<s>\n");
    if (of_characters && id == LLAMA2C_EOS) (void)snprintf(name, 16, "\n</s>\n");
    if (name[0] == 0) return size;
    *text = name;
    return strlen(name);
}

static void write_tokens(const conversion *c, const double *scores, FILE *out) {
    int32_t n_known = slm_tokenizer_vocab(c->tokenizer);
    size_t longest = 0;
    char name[16];
    const char *text;
    for (int32_t id = 0; id < n_known; id++) {
        size_t size = token_text(&text, name, c->tokenizer, id);
        if (size > longest) longest = size;
    }
    put_i32(out, (int32_t)longest);
    for (int32_t id = 0; id < c->config.vocab; id++) {
        size_t size = token_text(&text, name, c->tokenizer, id);
        put_f32(out, id < n_known ? scores[id] : 0);
        put_i32(out, (int32_t)size);
        if (size > 0) (void)fwrite(text, 1, size, out);
    }
}

/* ---- both ---- */

/* tokenizer.bin in the folder of `path`. */
static int tokenizer_path(char *out, const char *path) {
    const char *slash = strrchr(path, '/');
    char folder[PATH_SIZE];
    int n = slash != NULL ? (int)(slash - path) : 0;
    if (n >= PATH_SIZE) return fail(USAGE, "%.60s...: the path is too long", path);
    (void)snprintf(folder, sizeof folder, "%.*s", n, path);
    if (slash == NULL) (void)snprintf(folder, sizeof folder, ".");
    return path_join(out, folder, "tokenizer.bin");
}

int convert_to_llama2c(conversion *c) {
    output_file model;
    output_file tokens;
    char path[PATH_SIZE];
    double *scores = (double *)malloc(sizeof *scores * (size_t)slm_tokenizer_vocab(c->tokenizer));
    int code = scores != NULL ? check_shape(c) : fail_memory();
    if (code == DONE) code = make_scores(scores, c);
    if (code == DONE) code = tokenizer_path(path, c->out);
    if (code == DONE && strcmp(path, c->out) == 0)
        code = fail(USAGE, "%s: this name is the tokenizer's", c->out);
    if (code == DONE) code = output_file_begin(&model, c->out);
    if (code != DONE) {
        free(scores);
        return code;
    }

    write_shape(model.stream, &c->config);
    code = weights_begin(c);
    if (code == DONE) code = write_weights(c, model.stream, model.temporary);
    weights_end(c);
    if (code == DONE) {
        code = output_file_begin(&tokens, path);
        if (code == DONE) {
            write_tokens(c, scores, tokens.stream);
            code = output_file_end(&tokens, code);
        }
    }
    free(scores);
    return output_file_end(&model, code);
}
