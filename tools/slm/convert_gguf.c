/* convert_gguf.c: a model folder as a GGUF file. */
#include <string.h>

#include "common/output.h"
#include "slm/convert.h"

/* The number by which a whole file's type is known: that of most of its tensors. */
static uint32_t file_type(number_type type) {
    switch (type) {
    case NUMBER_F16: return 1;
    case NUMBER_Q8_0: return 7;
    case NUMBER_BF16: return 32;
    default: return 0; /* F32 */
    }
}

static void write_shape(gguf_writer *w, const slm_model_config *m) {
    gguf_put_u32(w, "llama.context_length", (uint32_t)longest_context(m));
    gguf_put_u32(w, "llama.embedding_length", (uint32_t)m->dim);
    gguf_put_u32(w, "llama.block_count", (uint32_t)m->n_layers);
    gguf_put_u32(w, "llama.feed_forward_length", (uint32_t)m->ffn);
    gguf_put_u32(w, "llama.attention.head_count", (uint32_t)m->n_heads);
    gguf_put_u32(w, "llama.attention.head_count_kv", (uint32_t)m->n_kv_heads);
    gguf_put_u32(w, "llama.attention.key_length", (uint32_t)m->head_dim);
    gguf_put_u32(w, "llama.attention.value_length", (uint32_t)m->head_dim);
    gguf_put_f32(w, "llama.attention.layer_norm_rms_epsilon", m->norm_eps);
    gguf_put_u32(w, "llama.rope.dimension_count", (uint32_t)m->head_dim);
    gguf_put_f32(w, "llama.rope.freq_base", m->rope_theta);
    if (m->rope_scaling.type == SLM_ROPE_LINEAR) {
        gguf_put_text(w, "llama.rope.scaling.type", "linear");
        gguf_put_f32(w, "llama.rope.scaling.factor", m->rope_scaling.factor);
    }
    gguf_put_u32(w, "llama.vocab_size", (uint32_t)m->vocab);
}

/* Of several ends the first is written; an id outside the vocabulary is none. */
static int write_special_ids(gguf_writer *w, const conversion *c) {
    const slm_model_config *m = &c->config;
    const slm_special_ids *s = &m->special;
    int32_t bos = -1;
    int32_t eos = -1;
    slm_error err;
    slm_status status = slm_tokenizer_template(&bos, &eos, c->tokenizer, &err);
    if (s->has_bos && s->bos < m->vocab)
        gguf_put_u32(w, "tokenizer.ggml.bos_token_id", (uint32_t)s->bos);
    if (s->n_eos > 0 && s->eos[0] < m->vocab)
        gguf_put_u32(w, "tokenizer.ggml.eos_token_id", (uint32_t)s->eos[0]);
    if (s->has_pad && s->pad < m->vocab)
        gguf_put_u32(w, "tokenizer.ggml.padding_token_id", (uint32_t)s->pad);
    gguf_put_bool(w, "tokenizer.ggml.add_bos_token", bos >= 0 && s->has_bos);
    return fail_status(status, FOR_INPUT, &err);
}

/* ---- llama3's scaling: a tensor of the divisors of all frequencies, made here ---- */
static void list_divisors(const conversion *c, gguf_writer *w) {
    uint64_t n = (uint64_t)c->config.head_dim / 2;
    if (rope_has_divisors(&c->config)) gguf_list_tensor(w, ROPE_DIVISORS, NUMBER_F32, 0, n);
}

static void write_divisors(const conversion *c, gguf_writer *w) {
    if (!rope_has_divisors(&c->config)) return;
    for (size_t i = 0; i < (size_t)c->config.head_dim / 2; i++)
        gguf_item_f32(w, rope_divisor(&c->config, i));
    gguf_pad(w);
}

static int write_head(const conversion *c, gguf_writer *w, number_type type) {
    size_t n = weights_count(&c->config);
    gguf_put_text(w, "general.architecture", "llama");
    gguf_put_u32(w, "general.file_type", file_type(type));
    if (type == NUMBER_Q8_0) gguf_put_u32(w, "general.quantization_version", 2);
    write_shape(w, &c->config);
    int code = tokens_write(w, c->tokenizer, (size_t)c->config.vocab);
    if (code == DONE) code = write_special_ids(w, c);
    if (gguf_end_keys(w) != 0 && code == DONE) code = fail_errno(FAILED, c->out, "write");
    list_divisors(c, w);
    for (size_t i = 0; i < n; i++) {
        weight x;
        weights_at(&x, &c->config, i);
        gguf_list_tensor(w, x.gguf_name, weight_type_for(&x, type), x.is_norm ? 0 : x.rows, x.cols);
    }
    gguf_pad(w);
    return code;
}

static int write_weights(conversion *c, gguf_writer *w, number_type type, const char *path) {
    size_t n = weights_count(&c->config);
    int code = DONE;
    write_divisors(c, w);
    for (size_t i = 0; i < n && code == DONE; i++) {
        weight x;
        weights_at(&x, &c->config, i);
        code = weight_write(c, &x, weight_type_for(&x, type), ROWS_IN_PAIRS, w->stream, path);
        gguf_pad(w);
    }
    return code;
}

int convert_to_gguf(conversion *c) {
    output_file f;
    gguf_writer w;
    weight embedding;
    weights_at(&embedding, &c->config, 0);
    number_type type = c->type >= 0 ? (number_type)c->type : weight_type(c, &embedding);
    int code = tokens_check(c);
    if (code == DONE) code = output_file_begin(&f, c->out);
    if (code != DONE) return code;

    gguf_begin(&w, f.stream, weights_count(&c->config) + (size_t)rope_has_divisors(&c->config));
    code = write_head(c, &w, type);
    if (code == DONE) code = weights_begin(c);
    if (code == DONE) code = write_weights(c, &w, type, f.temporary);
    weights_end(c);
    return output_file_end(&f, code);
}
