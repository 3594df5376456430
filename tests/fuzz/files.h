/* files.h: targets of single files of a model and of a run. */
#ifndef FILES_H
#define FILES_H
#include "slm/losses_join.h"

/* ---- safetensors ---- */
static void fuzz_safetensors(void) {
    slm_safetensors *file;
    if (slm_safetensors_open(&file, "input", &err) == SLM_OK) {
        for (size_t i = 0; i < file->n; i++) {
            const slm_safetensors_entry *t = slm_safetensors_at(file, i);
            if (t->n_dims < 1 || t->n_dims > 2 || t->count > 65536) continue;
            slm_real *out = (slm_real *)malloc((size_t)t->count * sizeof *out + 1);
            if (out != NULL)
                (void)slm__safetensors_read_matrix(out, file, t->name,
                                                   t->n_dims == 2 ? (size_t)t->dims[0] : 1,
                                                   (size_t)t->dims[t->n_dims - 1], &err);
            free(out);
        }
        (void)slm_safetensors_metadata(file, "format");
    }
    slm_safetensors_close(file);
}

/* A file of that header, with n bytes of data. */
static size_t make_safetensors(unsigned char *file, const char *header, size_t n) {
    size_t size = strlen(header);
    slm__store(file, size, 8);
    memcpy(file + 8, header, size);
    memset(file + 8 + size, 0, n);
    return 8 + size + n;
}

static void seed_safetensors(void) {
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"b\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[24,32]}}";
    static unsigned char file[2048];
    seed(file, make_safetensors(file, header, 32));
}

/* ---- index: there are no shards: a listed file cannot be opened ---- */
static void fuzz_index(void) {
    slm_safetensors *all;
    slm__json j;
    if (slm__safetensors_create(&all, &err) != SLM_OK) return;
    if (slm__json_open(&j, (const char *)input, input_size, "input", &err) == SLM_OK)
        (void)slm__shards_add_listed(all, "folder/", &j, &err);
    require(all->n == 0, "a tensor out of nothing");
    slm__json_close(&j);
    slm_safetensors_close(all);
}

static void seed_index(void) {
    seed_text("{\"metadata\":{\"total_size\":1},\"weight_map\":{\"lm_head.weight\":"
              "\"model-00001-of-00002.safetensors\"}}");
}

/* ---- config ---- */
static void fuzz_config(void) {
    slm_model_config c;
    if (slm__config_parse(&c, (const char *)input, input_size, "input", &err) != SLM_OK) return;
    require(c.vocab > 0 && c.dim > 0 && c.n_layers > 0 && c.n_heads > 0 && c.n_kv_heads > 0 &&
                c.head_dim > 0 && c.ffn > 0 && c.max_seq > 0 && c.n_heads % c.n_kv_heads == 0 &&
                c.rope_theta > 0 && c.norm_eps > 0 && slm_model_config_check(&c, &err) == SLM_OK,
            "config");
}

#define SHAPE                                                                                      \
    "\"vocab_size\":20,\"hidden_size\":8,\"num_hidden_layers\":2,\"num_attention_heads\":2,"       \
    "\"intermediate_size\":12,\"num_key_value_heads\":1,"

static void seed_config(void) {
    seed_text("{\"model_type\":\"llama\"," SHAPE
              "\"head_dim\":4,\"rms_norm_eps\":1e-05,\"rope_theta\":500000.0,"
              "\"rope_scaling\":null,\"hidden_act\":\"silu\",\"rope_parameters\":"
              "{\"rope_type\":\"default\",\"rope_theta\":500000.0},\"architectures\":"
              "[\"LlamaForCausalLM\"],\"tie_word_embeddings\":true}");
    seed_text("{\"model_type\":\"mistral\"," SHAPE
              "\"sliding_window\":64,\"bos_token_id\":1,\"eos_token_id\":[2,3],"
              "\"pad_token_id\":-1,\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8.0,"
              "\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,"
              "\"original_max_position_embeddings\":8192}}");
}

/* ---- scores: what is accepted is possible, finite, and joins with itself alone ---- */
static void fuzz_scores(void) {
    slm_losses *s, *joined;
    const slm_losses *parts[1];
    if (slm_losses_load(&s, "input", &err) != SLM_OK) return;
    require(s->T > 0 && s->total > 0, "sizes");
    require(s->first <= s->total && s->n <= s->total - s->first, "a part");
    require(slm__all_finite(s->loss, s->n) && slm__all_finite(s->entropy, s->n), "finite");
    parts[0] = s;
    if (losses_join(&joined, parts, 1, &err) == SLM_OK) {
        require(joined->n == s->n && memcmp(joined->loss, s->loss, s->n * sizeof(slm_real)) == 0,
                "join");
        slm_losses_free(joined);
    }
    slm_losses_free(s);
}

static void seed_output(void) {
    seed(output, written);
    written = 0;
}

/* Losses of 5 targets in windows of 3. */
static void seed_scores(void) {
    slm_losses s;
    slm_real values[5] = {1, 2, 3, 4, 5};
    memset(&s, 0, sizeof s);
    s.n = 5;
    s.total = 5;
    s.T = 3;
    s.loss = values;
    s.entropy = values;
    require(slm_losses_save(&s, "input", &err) == SLM_OK, err.text);
    seed_output();
}

/* ---- run: on an error nothing is touched ---- */
static slm_model_config small_shape(void) {
    slm_model_config c;
    memset(&c, 0, sizeof c);
    c.vocab = 3;
    c.dim = 2;
    c.n_layers = 1;
    c.n_heads = 1;
    c.ffn = 2;
    return c;
}

static slm_trainer *small_trainer(void) {
    slm_model_config c = small_shape();
    slm_model *model;
    slm_trainer *t;
    slm_train_options o = slm_train_defaults();
    o.adamw.lr = 0.1;
    o.select.criterion = SLM_CRITERION_LOSS;
    fail_at = 0;
    require(slm_model_create(&model, &c, 1, &err) == SLM_OK, err.text);
    require(slm_trainer_create(&t, model, &o, &err) == SLM_OK, err.text);
    return t;
}

static void fuzz_run(void) {
    static slm_trainer *t;
    static slm_run run;
    unsigned k = fail_at;
    if (t == NULL) {
        t = small_trainer();
        keep_what_is_made();
        fail_at = k;
    }
    t->steps = 7;
    run.cursor.seed = 1;
    run.corpus_hash = 99;
    if (slm_run_load(t, &run, "input", &err) != SLM_OK)
        require(t->steps == 7 && run.cursor.seed == 1, "untouched");
}

static void seed_run(void) {
    static slm_run run;
    slm_trainer *t = small_trainer();
    run.corpus_hash = 99;
    run.extra[0] = 'x';
    output_only = "state.safetensors";
    require(slm_run_save(t, "input", &run, &err) == SLM_OK, err.text);
    output_only = NULL;
    seed_output();
    slm_model_free(t->model);
    slm_trainer_free(t);
}
#endif
