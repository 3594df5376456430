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
    if (m->rope_scaling.type != SLM_ROPE_PLAIN)
        return fail(BAD_INPUT, "%s: rope_scaling, which llama2.c does not know", c->in);
    const char *family = slm_tokenizer_describe(c->tokenizer).family;
    if (strcmp(family, "llama") == 0 || strcmp(family, "metaspace") == 0)
        return fail(BAD_INPUT,
                    "%s: its tokenizer is one of characters, which cannot be written for llama2.c",
                    c->in);
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

/* ---- the tokenizer ---- */

/* Its reader merges the pair whose token has the highest score, where slm.h takes the one whose
 * merge comes first.  Only tokens that merges make are looked at. */
static int write_tokens(const conversion *c, FILE *out) {
    const slm_tokenizer *t = c->tokenizer;
    slm_tokenizer_info info = slm_tokenizer_describe(t);
    int32_t vocab = c->config.vocab;
    int32_t n_unmerged = slm_tokenizer_vocab(t);
    size_t longest = 0;
    for (int32_t id = 0; id < vocab; id++) {
        size_t size;
        (void)slm_tokenizer_token(&size, t, id);
        if (size > longest) longest = size;
    }
    n_unmerged -= (int32_t)(info.n_merges < (size_t)n_unmerged ? info.n_merges : 0);
    put_i32(out, (int32_t)longest);
    for (int32_t id = 0; id < vocab; id++) {
        size_t size;
        const char *bytes = slm_tokenizer_token(&size, t, id);
        put_f32(out, id >= n_unmerged ? -(double)(id - n_unmerged) : 0);
        put_i32(out, (int32_t)size);
        if (size > 0) (void)fwrite(bytes, 1, size, out);
    }
    return DONE;
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
    int code = check_shape(c);
    if (code == DONE) code = tokenizer_path(path, c->out);
    if (code == DONE && strcmp(path, c->out) == 0)
        code = fail(USAGE, "%s: this name is the tokenizer's", c->out);
    if (code == DONE) code = output_file_begin(&model, c->out);
    if (code != DONE) return code;

    write_shape(model.stream, &c->config);
    code = weights_begin(c);
    if (code == DONE) code = write_weights(c, model.stream, model.temporary);
    weights_end(c);
    if (code == DONE) {
        code = output_file_begin(&tokens, path);
        if (code == DONE) code = write_tokens(c, tokens.stream);
        code = output_file_end(&tokens, code);
    }
    return output_file_end(&model, code);
}
