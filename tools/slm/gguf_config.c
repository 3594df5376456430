/* gguf_config.c: the shape of the model in a GGUF file.  Every key of the architecture must be
 * known here: one that is not may change what the model computes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/options.h"
#include "slm/convert.h"

/* The keys are read one after the other; the first error sticks. */
typedef struct reader {
    gguf_file *file;
    slm_status status;
    slm_error *err;
} reader;

static void refuse(reader *r, const char *key, const char *why) {
    if (r->status == SLM_OK)
        r->status = error_set(r->err, SLM_ERR_FORMAT, "%s: %s: %s", r->file->path, key, why);
}

/* A whole number; `otherwise` where the file has none; 0: it must have one. */
static int32_t read_i32(reader *r, const char *key, int32_t otherwise) {
    const gguf_value *value = gguf_find(r->file, key);
    uint64_t whole = 0;
    if (value == NULL && otherwise == 0) refuse(r, key, "missing");
    if (value == NULL) return otherwise;
    if (value->is_array) {
        refuse(r, key, "not the same in all layers: not supported");
    } else if (!gguf_whole(&whole, value, 0) || whole > INT32_MAX) {
        refuse(r, key, "not a whole number below 2^31");
    }
    return r->status == SLM_OK ? (int32_t)whole : otherwise;
}

/* The number with the fewest digits that is this float: 0.00001, not 0.0000099999997. */
static double shortest(double value) {
    for (int digits = 1; digits < 9; digits++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%.*e", digits - 1, value);
        double candidate = strtod(text, NULL);
        if (float_bits((float)candidate) == float_bits((float)value)) return candidate;
    }
    return value;
}

/* A number above 0; `otherwise` where the file has none; 0: it must have one. */
static double read_real(reader *r, const char *key, double otherwise) {
    const gguf_value *value = gguf_find(r->file, key);
    double real = 0;
    if (value == NULL && !(otherwise > 0)) refuse(r, key, "missing");
    if (value == NULL) return otherwise;
    int good = !value->is_array && gguf_real(&real, value, 0);
    if (!good || !(real > 0) || !isfinite(real)) refuse(r, key, "not a number above 0");
    return r->status == SLM_OK && value->type == GGUF_F32 ? shortest(real) : real;
}

/* A key that may say only what the model does anyway. */
static void must_be(reader *r, const char *key, uint64_t wanted) {
    const gguf_value *value = gguf_find(r->file, key);
    uint64_t whole = 0;
    if (value == NULL) return;
    if (value->is_array || !gguf_whole(&whole, value, 0) || whole != wanted)
        refuse(r, key, "not supported");
}

static gguf_text read_text(reader *r, const char *key, const char *otherwise) {
    const gguf_value *value = gguf_find(r->file, key);
    gguf_text text = {"", 0};
    if (value == NULL && otherwise != NULL) {
        text.bytes = otherwise;
        text.size = strlen(otherwise);
    } else if (value == NULL || !gguf_get_text(&text, value)) {
        refuse(r, key, "missing, or not a text");
    }
    return text;
}

static void refuse_text(reader *r, const char *key, gguf_text text) {
    if (r->status == SLM_OK)
        r->status = error_set(r->err, SLM_ERR_FORMAT, "%s: %s is \"%.*s\": not supported",
                              r->file->path, key, text.size < 60 ? (int)text.size : 60,
                              text.bytes);
}

static void read_rope(reader *r, slm_model_config *config) {
    static const char key[] = "llama.rope.scaling.type";
    gguf_text type = read_text(r, key, "none");
    if (gguf_text_is(type, "linear")) {
        config->rope_scaling.type = SLM_ROPE_LINEAR;
        config->rope_scaling.factor = read_real(r, "llama.rope.scaling.factor", 0);
    } else if (!gguf_text_is(type, "none")) {
        refuse_text(r, key, type);
    }
    const gguf_tensor *divisors = gguf_find_tensor(r->file, ROPE_DIVISORS);
    if (divisors == NULL || r->status != SLM_OK) return;
    if (config->rope_scaling.type != SLM_ROPE_PLAIN) {
        refuse(r, ROPE_DIVISORS, "beside another scaling: not supported");
    } else {
        r->status = rope_read_divisors(config, r->file, divisors, r->err);
    }
}

static void refuse_unknown_keys(reader *r) {
    static const char prefix[] = "llama.";
    static const char *const known[] = {
        "vocab_size",
        "context_length",
        "embedding_length",
        "block_count",
        "feed_forward_length",
        "attention.head_count",
        "attention.head_count_kv",
        "attention.layer_norm_rms_epsilon",
        "attention.key_length",
        "attention.value_length",
        "rope.dimension_count",
        "rope.freq_base",
        "rope.scaling.type",
        "rope.scaling.factor",
        "rope.scaling.original_context_length", /* of other scalings */
        "rope.scaling.finetuned",
        "expert_count",
        "expert_used_count",
        "tensor_data_layout", /* of old files; the layout is the same */
    };
    for (size_t i = 0; i < r->file->n_values && r->status == SLM_OK; i++) {
        gguf_text key = r->file->values[i].key;
        size_t n = sizeof prefix - 1;
        if (key.size < n || memcmp(key.bytes, prefix, n) != 0) continue;
        gguf_text rest = {key.bytes + n, key.size - n};
        int is_known = 0;
        for (size_t k = 0; k < COUNT(known); k++)
            is_known = is_known || gguf_text_is(rest, known[k]);
        if (is_known) continue;
        r->status = error_set(r->err, SLM_ERR_FORMAT, "%s: %.*s: not supported", r->file->path,
                              key.size < 100 ? (int)key.size : 100, key.bytes);
    }
}

/* The vocabulary has as many tokens as the embedding has rows. */
static int32_t read_vocab(reader *r) {
    const gguf_tensor *embedding = gguf_find_tensor(r->file, "token_embd.weight");
    if (embedding == NULL || embedding->n_dims != 2 || embedding->dims[1] > INT32_MAX) {
        refuse(r, "token_embd.weight", "missing, or not a matrix");
        return 1;
    }
    must_be(r, "llama.vocab_size", embedding->dims[1]);
    return (int32_t)embedding->dims[1];
}

/* 1 and the id, or 0 where the file has none. */
static int32_t read_id(reader *r, const char *key, int32_t *id) {
    const gguf_value *value = gguf_find(r->file, key);
    uint64_t whole = 0;
    if (value == NULL) return 0;
    if (value->is_array || !gguf_whole(&whole, value, 0) || whole > INT32_MAX)
        refuse(r, key, "not a whole number below 2^31");
    *id = (int32_t)(whole & INT32_MAX);
    return 1;
}

static void read_special_ids(reader *r, slm_special_ids *special) {
    special->has_bos = read_id(r, "tokenizer.ggml.bos_token_id", &special->bos);
    special->n_eos = read_id(r, "tokenizer.ggml.eos_token_id", &special->eos[0]);
    special->has_pad = read_id(r, "tokenizer.ggml.padding_token_id", &special->pad);
}

slm_status gguf_config(slm_model_config *config, gguf_file *file, slm_error *err) {
    reader r = {file, SLM_OK, err};
    slm_error inner;
    gguf_text architecture = read_text(&r, "general.architecture", NULL);
    if (!gguf_text_is(architecture, "llama")) refuse_text(&r, "general.architecture", architecture);
    refuse_unknown_keys(&r);
    must_be(&r, "llama.expert_count", 0);
    must_be(&r, "llama.expert_used_count", 0);

    memset(config, 0, sizeof *config);
    config->vocab = read_vocab(&r);
    config->dim = read_i32(&r, "llama.embedding_length", 0);
    config->n_layers = read_i32(&r, "llama.block_count", 0);
    config->n_heads = read_i32(&r, "llama.attention.head_count", 0);
    config->n_kv_heads = read_i32(&r, "llama.attention.head_count_kv", config->n_heads);
    config->ffn = read_i32(&r, "llama.feed_forward_length", 0);
    config->max_seq = read_i32(&r, "llama.context_length", 0);
    config->norm_eps = read_real(&r, "llama.attention.layer_norm_rms_epsilon", 0);
    config->rope_theta = read_real(&r, "llama.rope.freq_base", 10000);
    config->tie_embeddings = gguf_find_tensor(file, "output.weight") == NULL;
    int32_t head_dim = config->n_heads > 0 ? config->dim / config->n_heads : 0;
    config->head_dim = read_i32(&r, "llama.attention.key_length", head_dim);
    must_be(&r, "llama.attention.value_length", (uint64_t)config->head_dim);
    must_be(&r, "llama.rope.dimension_count", (uint64_t)config->head_dim);
    read_special_ids(&r, &config->special);
    if (r.status == SLM_OK && slm_model_config_check(config, &inner) != SLM_OK)
        return error_set(err, SLM_ERR_FORMAT, "%s: %.440s", file->path, inner.text);
    read_rope(&r, config);
    if (r.status != SLM_OK) return r.status;
    if (slm_model_config_check(config, &inner) == SLM_OK) return SLM_OK;
    return error_set(err, SLM_ERR_FORMAT, "%s: %.440s", file->path, inner.text);
}
