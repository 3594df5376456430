/* folder.h: the target of a whole model folder: config.json, weights in one file or in shards with
   an index, and tokenizer.json. */
#ifndef FOLDER_H
#define FOLDER_H

/* What is accepted computes: losses are finite or refused, and so is a token that is generated. */
static void use_model(const slm_model *model) {
    slm_real loss[3], entropy[3];
    const slm_real *logits;
    slm_tape *tape = NULL;
    slm_batch *batch = NULL;
    slm_generator *generator = NULL;
    slm_status status = slm_tape_create(&tape, &err);
    if (status == SLM_OK) status = slm_batch_create(&batch, 1, 3, &err);
    for (int i = 0; i < 3 && status == SLM_OK; i++) {
        batch->inputs[i] = i % model->config.vocab;
        batch->targets[i] = (i + 1) % model->config.vocab;
    }
    if (status == SLM_OK) status = slm_model_losses(loss, entropy, tape, model, batch, &err);
    if (status == SLM_OK)
        require(slm__all_finite(loss, 3) && slm__all_finite(entropy, 3), "finite losses");
    status = slm_generator_create(&generator, model, 2, &err);
    if (status == SLM_OK) status = slm_generator_push(&logits, generator, 0, &err);
    require(status != SLM_ERR_ARGUMENT, err.text);
    slm_generator_free(generator);
    slm_batch_free(batch);
    slm_tape_free(tape);
}

enum { SMALL_MODEL = 4096 }; /* weights of one that is used */

/* In memory or streamed: it is the same model, or refused. */
static void fuzz_model(void) {
    slm_model *model;
    slm_stream *stream;
    slm_tokenizer *tokenizer;
    int is_loaded = slm_model_load(&model, "input", &err) == SLM_OK;
    int is_streamed = slm_stream_open(&stream, "input", &err) == SLM_OK;
    if (!with_oom) require(is_loaded == is_streamed, "loaded or streamed");
    if (is_loaded && is_streamed)
        require(slm_model_hash(model) == slm_stream_hash(stream), "the same model");
    if (is_loaded && model->n_params <= SMALL_MODEL) use_model(model);
    slm_model_free(model);
    slm_stream_close(stream);
    if (slm_tokenizer_load(&tokenizer, "input", &err) == SLM_OK) slm_tokenizer_free(tokenizer);
}

static void add_text(const char *name, const char *text) {
    char path[100];
    (void)snprintf(path, sizeof path, "input/%s.tmp", name);
    begin_output(path);
    keep_output(text, strlen(text));
}

static void add_safetensors(const char *name, const char *header, size_t n) {
    static unsigned char file[2048];
    char path[100];
    (void)snprintf(path, sizeof path, "input/%s.tmp", name);
    begin_output(path);
    keep_output(file, make_safetensors(file, header, n));
}

/* A model as it is saved; and one in two shards, with tied embeddings. */
static void seed_model(void) {
    slm_model_config c = small_shape();
    slm_model *model;
    output_is_folder = 1;
    require(slm_model_create(&model, &c, 1, &err) == SLM_OK, err.text);
    require(slm_model_save(model, "input", NULL, SLM_DTYPE_NATIVE, &err) == SLM_OK, err.text);
    slm_model_free(model);
    seed_output();

    add_text("config.json", "{\"model_type\":\"llama\",\"vocab_size\":3,\"hidden_size\":2,"
                            "\"num_hidden_layers\":1,\"num_attention_heads\":1,"
                            "\"intermediate_size\":1,\"rms_norm_eps\":1e-05,"
                            "\"tie_word_embeddings\":true}");
    add_text("model.safetensors.index.json",
             "{\"weight_map\":{\"model.norm.weight\":\"a.safetensors\",\"x\":\"b.safetensors\"}}");
#define TENSOR(name, shape, from, end)                                                             \
    "\"" name "\":{\"dtype\":\"F16\",\"shape\":" shape ",\"data_offsets\":[" from "," end "]}"
    add_safetensors("a.safetensors",
                    "{" TENSOR("model.norm.weight", "[2]", "0", "4") "," TENSOR(
                        "model.embed_tokens.weight", "[3,2]", "4", "16") "}",
                    16);
#define LAYER "model.layers.0."
    add_safetensors(
        "b.safetensors",
        "{" TENSOR(LAYER "input_layernorm.weight", "[2]", "0", "4") "," TENSOR(
            LAYER "post_attention_layernorm.weight", "[2]", "4", "8") "," TENSOR(
            LAYER "self_attn.q_proj.weight", "[2,2]", "8", "16") "," TENSOR(
            LAYER "self_attn.k_proj.weight", "[2,2]", "16", "24") "," TENSOR(
            LAYER "self_attn.v_proj.weight", "[2,2]", "24", "32") "," TENSOR(
            LAYER "self_attn.o_proj.weight", "[2,2]", "32", "40") "," TENSOR(
            LAYER "mlp.gate_proj.weight", "[1,2]", "40", "44") "," TENSOR(
            LAYER "mlp.up_proj.weight", "[1,2]", "44", "48") "," TENSOR(
            LAYER "mlp.down_proj.weight", "[2,1]", "48", "52") "}",
        52);
    add_text("tokenizer.json", "{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}}");
    seed_output();
    output_is_folder = 0;
}
#endif
