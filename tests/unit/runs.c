/* The state of a run: saved and loaded to the bit; every setting that differs is refused by name;
   cuts and flipped bits; failures at every access and allocation, after which nothing is touched.
   cc -I. -Itests/support tests/unit/runs.c -lm && ./a.out [SCRATCH_FOLDER] */
#include "inject.h"
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "check.h"
#include "folders.h"

enum { CORPUS = 99 }; /* the hash of a corpus */

/* ---- trainers ---- */
static slm_trainer *trainer_of(slm_model *model, uint64_t seed) {
    slm_train_options o = slm_train_defaults();
    slm_rng rng = slm_rng_seed(seed);
    slm_trainer *t;
    slm_error err;

    o.select.criterion = SLM_CRITERION_EXCESS;
    o.select.ratio = 0.6;
    o.select.entropy_ratio = 0.3;
    o.select.seed = UINT64_MAX;
    o.adamw.lr = 0.1;
    o.adamw.lr_min = 0.2;
    o.adamw.warmup = 3;
    o.adamw.steps = 10;
    if (slm_trainer_create(&t, model, &o, &err) != SLM_OK) {
        printf("%s\n", err.text);
        exit(1);
    }
    for (size_t i = 0; i < model->n_params; i++) {
        t->m[i] = (slm_real)slm_rng_normal(&rng);
        t->v[i] = (slm_real)slm_rng_uniform(&rng);
    }
    t->steps = seed + 0xfedcba9876543210ULL;
    return t;
}

static int same_trainer(const slm_trainer *a, const slm_trainer *b) {
    return a->steps == b->steps && same_tensors(a->model, a->model->params, b->model->params) &&
           same_tensors(a->model, a->m, b->m) && same_tensors(a->model, a->v, b->v);
}

/* Three trainers: one that is saved, one that is loaded into, and what the latter was before. */
typedef struct trio {
    slm_model *saved_model, *loaded_model, *before_model;
    slm_trainer *saved, *loaded, *before;
    long n_calls; /* that a whole load makes to files; half of them only read on trial */
} trio;

static void trio_renew_loaded(trio *t) {
    t->loaded_model = model_of(0, 11);
    t->loaded = trainer_of(t->loaded_model, 2);
}

static trio trio_of(void) {
    trio t;

    t.n_calls = 0;
    t.saved_model = model_of(0, 10);
    t.saved = trainer_of(t.saved_model, 1);
    t.before_model = model_of(0, 11);
    t.before = trainer_of(t.before_model, 2);
    trio_renew_loaded(&t);
    return t;
}

static void trio_free_loaded(trio *t) {
    slm_trainer_free(t->loaded);
    slm_model_free(t->loaded_model);
}

static void trio_free(trio *t) {
    trio_free_loaded(t);
    slm_trainer_free(t->saved);
    slm_trainer_free(t->before);
    slm_model_free(t->saved_model);
    slm_model_free(t->before_model);
}

static slm_run run_of(uint64_t seed, uint64_t next_window, const char *extra) {
    slm_run run;

    memset(&run, 0, sizeof run);
    run.cursor.seed = seed;
    run.cursor.next_window = next_window;
    run.corpus_hash = CORPUS;
    (void)snprintf(run.extra, sizeof run.extra, "%s", extra);
    return run;
}

static int same_run(const slm_run *a, const slm_run *b) {
    return a->cursor.seed == b->cursor.seed && a->cursor.next_window == b->cursor.next_window &&
           strcmp(a->extra, b->extra) == 0;
}

/* Loading from the folder "run" must fail with this status and leave everything as it was. */
static void refused(trio *t, slm_status want, const char *text, const char *what) {
    slm_run run = run_of(1, 2, "unchanged");
    slm_run before = run;
    slm_error err;
    slm_status status;

    err.text[0] = 0;
    status = slm_run_load(t->loaded, &run, in("run"), &err);
    CHECK(status == want && strstr(err.text, text) != NULL, "%s: %s (%s)", what,
          slm_status_text(status), err.text);
    CHECK(same_trainer(t->loaded, t->before) && same_run(&run, &before),
          "%s: something was touched", what);
}

/* ---- there and back ---- */
static void round_trip(void) {
    trio t = trio_of();
    slm_run run = run_of(UINT64_MAX, 0x123456789abcdefULL, "a \"text\"\n\xC3\xA9");
    slm_run back = run_of(1, 2, "");
    slm_error err;
    content first, second;

    CHECK(slm_run_load(t.loaded, &back, in("no run"), &err) == SLM_ERR_IO, "no file");
    CHECK_OK(slm_run_save(t.saved, in("run"), &run, &err), err);
    CHECK_OK(slm_run_load(t.loaded, &back, in("run"), &err), err);
    CHECK(same_trainer(t.saved, t.loaded) && same_run(&run, &back), "loaded");

    CHECK_OK(slm_run_save(t.loaded, in("run2"), &back, &err), err);
    first = content_of("run/state.safetensors");
    second = content_of("run2/state.safetensors");
    CHECK(same_content(first, second), "saved again: other bytes");
    free(first.bytes);
    free(second.bytes);
    trio_free(&t);
}

static void extras(void) {
    trio t = trio_of();
    slm_run run = run_of(1, 2, "\xFF");
    slm_error err;

    CHECK(slm_run_save(t.saved, in("run2"), &run, &err) == SLM_ERR_ARGUMENT,
          "extra that is not UTF-8");
    memset(run.extra, 'a', sizeof run.extra);
    CHECK(slm_run_save(t.saved, in("run2"), &run, &err) == SLM_ERR_ARGUMENT,
          "extra without an end");
    run.extra[sizeof run.extra - 1] = 0;
    CHECK_OK(slm_run_save(t.saved, in("run2"), &run, &err), err);
    CHECK_OK(slm_run_load(t.loaded, &run, in("run2"), &err), err);
    CHECK(strlen(run.extra) == sizeof run.extra - 1, "the longest extra");

    run.extra[0] = 0;
    CHECK_OK(slm_run_save(t.saved, in("run2"), &run, &err), err);
    run.extra[0] = 'x';
    CHECK_OK(slm_run_load(t.loaded, &run, in("run2"), &err), err);
    CHECK(run.extra[0] == 0, "no extra");

    t.saved->options.adamw.lr = INFINITY;
    CHECK(slm_run_save(t.saved, in("run2"), &run, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "lr is not finite") != NULL,
          "an infinite rate is saved: %s", err.text);
    trio_free(&t);
}

/* Eight bytes more than fit, put into the file by hand. */
static void long_extra(void) {
    trio t = trio_of();
    slm_run run = run_of(1, 2, "");
    char says[80];
    slm_error err;

    memset(run.extra, 'a', sizeof run.extra - 1);
    CHECK_OK(slm_run_save(t.saved, in("run"), &run, &err), err);
    content state = content_of("run/state.safetensors");
    size_t header = (size_t)slm__load((unsigned char *)state.bytes, 8);
    char *longer = (char *)malloc(state.n + 8);
    size_t at = (size_t)(strstr(state.bytes + 8, "aaaa") - state.bytes);
    memcpy(longer, state.bytes, at);
    memset(longer + at, 'a', 8);
    memcpy(longer + at + 8, state.bytes + at, state.n - at);
    slm__store((unsigned char *)longer, header + 8, 8);
    put("run/state.safetensors", longer, state.n + 8);
    (void)snprintf(says, sizeof says, "extra has more than %zu bytes", sizeof run.extra - 1);
    refused(&t, SLM_ERR_FORMAT, says, "an extra that is too long");
    free(longer);
    free(state.bytes);
    trio_free(&t);
}

/* ---- another run ---- */
static void other_settings(void) {
    trio t = trio_of();
    slm_run run = run_of(1, 2, "");
    slm_error err;

    CHECK_OK(slm_run_save(t.saved, in("run"), &run, &err), err);
    run.corpus_hash = CORPUS - 1;
    CHECK(slm_run_load(t.loaded, &run, in("run"), &err) == SLM_ERR_MISMATCH &&
              strstr(err.text, "corpus=0000000000000063") != NULL,
          "another corpus: %s", err.text);

#define OTHER(field, value, name)                                                                  \
    do {                                                                                           \
        t.field = value;                                                                           \
        refused(&t, SLM_ERR_MISMATCH, " " name "=", name);                                         \
        trio_free_loaded(&t);                                                                      \
        trio_renew_loaded(&t);                                                                     \
    } while (0)
    OTHER(loaded->options.select.criterion, SLM_CRITERION_LOSS, "score");
    OTHER(loaded->options.select.scope, SLM_SCOPE_MICRO, "scope");
    OTHER(loaded->options.select.ratio, 0.5, "ratio");
    OTHER(loaded->options.select.entropy_ratio, 0.5, "ratio2");
    OTHER(loaded->options.select.seed, 1, "seed");
    OTHER(loaded->options.adamw.lr, 0.1000001, "lr");
    OTHER(loaded->options.adamw.lr_min, 0.3, "lr_min");
    OTHER(loaded->options.adamw.warmup, 4, "warmup");
    OTHER(loaded->options.adamw.steps, 9, "steps");
    OTHER(loaded->options.adamw.beta1, 0.8, "beta1");
    OTHER(loaded->options.adamw.beta2, 0.8, "beta2");
    OTHER(loaded->options.adamw.eps, 1e-9, "eps");
    OTHER(loaded->options.adamw.weight_decay, 0.2, "weight_decay");
    OTHER(loaded->options.adamw.clip, 2, "clip");
    OTHER(loaded_model->config.n_heads, 2, "n_heads");
    OTHER(loaded_model->config.n_kv_heads, 1, "n_kv_heads");
    OTHER(loaded_model->config.rope_theta, 1, "rope_theta");
    OTHER(loaded_model->config.norm_eps, 1e-6, "norm_eps");
    OTHER(loaded_model->config.vocab, 21, "vocab");
    OTHER(loaded_model->config.dim, 9, "dim");
    OTHER(loaded_model->config.n_layers, 3, "n_layers");
    OTHER(loaded_model->config.head_dim, 8, "head_dim");
    OTHER(loaded_model->config.ffn, 8, "ffn");
    OTHER(loaded_model->config.tie_embeddings, 1, "tied");
    OTHER(loaded_model->config.rope_scaling.type, SLM_ROPE_LINEAR, "rope");
    run.corpus_hash = CORPUS;
    trio_free_loaded(&t);
    t.saved_model->config.rope_scaling.type = SLM_ROPE_LINEAR;
    CHECK_OK(slm_run_save(t.saved, in("run"), &run, &err), err);
    trio_renew_loaded(&t);
    t.loaded_model->config.rope_scaling.type = SLM_ROPE_PLAIN;
    refused(&t, SLM_ERR_MISMATCH, "we lack its setting rope=", "no rope");
    t.saved_model->config.rope_scaling.type = SLM_ROPE_PLAIN;
    CHECK_OK(slm_run_save(t.saved, in("run"), &run, &err), err);
    OTHER(loaded->options.reference, t.saved_model, "reference");
    trio_free(&t);
}

/* ---- damage ---- */
/* Every cut in the header and many in the data; flipped bits in the data. */
static void damaged(void) {
    trio t = trio_of();
    slm_run run = run_of(1, 2, "");
    slm_error err;
    content state;
    size_t header;

    CHECK_OK(slm_run_save(t.saved, in("run"), &run, &err), err);
    state = content_of("run/state.safetensors");
    header = 8 + (size_t)slm__load((unsigned char *)state.bytes, 8);
    for (size_t i = 0; i < state.n; i += i < header ? 1 : 61) {
        put("run/state.safetensors", state.bytes, i);
        refused(&t, SLM_ERR_FORMAT, "run", "a truncated run");
    }
    for (size_t i = header; i < state.n; i += 37) {
        state.bytes[i] ^= 4;
        put("run/state.safetensors", state.bytes, state.n);
        refused(&t, SLM_ERR_FORMAT, "damaged", "a flipped bit");
        state.bytes[i] ^= 4;
    }
    free(state.bytes);
    trio_free(&t);
}

/* A bit of the header: the file is refused, or no tensor changes. */
static void damaged_header(void) {
    trio t = trio_of();
    slm_run run = run_of(1, 2, "");
    slm_error err;
    content state;
    size_t header;

    CHECK_OK(slm_run_save(t.saved, in("run"), &run, &err), err);
    state = content_of("run/state.safetensors");
    header = 8 + (size_t)slm__load((unsigned char *)state.bytes, 8);
    for (size_t i = 0; i < header; i++) {
        state.bytes[i] ^= 1;
        put("run/state.safetensors", state.bytes, state.n);
        if (slm_run_load(t.loaded, &run, in("run"), &err) == SLM_OK) {
            CHECK(same_tensors(t.saved_model, t.saved->m, t.loaded->m), "byte %zu: a tensor", i);
            trio_free_loaded(&t);
            trio_renew_loaded(&t);
        } else {
            CHECK(same_trainer(t.loaded, t.before), "byte %zu: touched", i);
        }
        state.bytes[i] ^= 1;
    }
    free(state.bytes);
    trio_free(&t);
}

static void no_run(void) {
    trio t = trio_of();
    slm_run run = run_of(1, 2, "");
    slm_error err;
    content model;

    CHECK_OK(slm_model_save(t.saved_model, in("model"), NULL, SLM_DTYPE_NATIVE, &err), err);
    CHECK_OK(slm_run_save(t.saved, in("run"), &run, &err), err);
    model = content_of("model/model.safetensors");
    put("run/state.safetensors", model.bytes, model.n);
    refused(&t, SLM_ERR_FORMAT, "not a run", "a model instead of a run");
    free(model.bytes);

    t.saved_model->params[3] = (slm_real)NAN;
    CHECK_OK(slm_run_save(t.saved, in("run"), &run, &err), err);
    refused(&t, SLM_ERR_NOT_FINITE, "finite", "a NaN");
    trio_free(&t);
}

/* ---- what lies around the state ---- */

/* The weights are stored as asked; training goes on from the same bits all the same.  What other
   programs read beside the model, and somebody put there, stays. */
static void beside(void) {
    trio t = trio_of();
    slm_run run = run_of(1, 2, "");
    slm_safetensors *weights;
    slm_error err;
    size_t n = 0;

    run.dtype = SLM_DTYPE_BF16;
    CHECK_OK(slm_run_save(t.saved, in("beside"), &run, &err), err);
    put("beside/generation_config.json", "somebody's", 10);
    CHECK_OK(slm_run_save(t.saved, in("beside"), &run, &err), err);
    char *text = get("beside/generation_config.json", &n);
    CHECK(n == 10 && memcmp(text, "somebody's", 10) == 0, "replaced by: %s", text);
    free(text);

    CHECK_OK(slm_safetensors_open(&weights, in("beside/model.safetensors"), &err), err);
    for (size_t i = 0; i < slm_safetensors_count(weights); i++)
        CHECK(slm_safetensors_at(weights, i)->dtype == SLM_DTYPE_BF16, "not stored as asked");
    slm_safetensors_close(weights);
    CHECK_OK(slm_run_load(t.loaded, &run, in("beside"), &err), err);
    CHECK(same_trainer(t.saved, t.loaded), "the loaded run differs");
    trio_free(&t);
}

/* ---- failures ---- */
static slm_status call_save(void *user, slm_error *err) {
    slm_run run = run_of(1, 2, "extra");

    return slm_run_save(((trio *)user)->saved, in("injected"), &run, err);
}

static slm_status call_load(void *user, slm_error *err) {
    trio *t = (trio *)user;
    slm_run run = run_of(7, 8, "");
    slm_status status = slm_run_load(t->loaded, &run, in("injected"), err);
    int on_trial = 2 * io_fail_at <= t->n_calls;

    if (status == SLM_OK)
        CHECK(same_trainer(t->saved, t->loaded), "the loaded run differs");
    else
        CHECK(run.cursor.seed == 7, "a failed load touched the run");
    if (status != SLM_OK && on_trial)
        CHECK(same_trainer(t->loaded, t->before), "a failed load touched the trainer");
    if (status == SLM_OK || !on_trial) {
        trio_free_loaded(t);
        alloc_fail_at = 0;
        trio_renew_loaded(t);
    }
    return status;
}

static void failures(void) {
    trio t = trio_of();
    slm_error err;

    save_under_failure("slm_run_save", "injected/state.safetensors", call_save, &t, IS_OLD_OR_NEW);
    inject(0, 0);
    CHECK_OK(call_load(&t, &err), err);
    t.n_calls = io_calls;
    load_under_failure("slm_run_load", call_load, &t);
    trio_free(&t);
}

int main(int argc, char **argv) {
    slm_error err;

    (void)snprintf(root, sizeof root, "%s/runs", argc > 1 ? argv[1] : "build/tmp");
    if (slm__make_folder(root, &err) != SLM_OK) {
        printf("%s\n", err.text);
        return 1;
    }
    round_trip();
    extras();
    long_extra();
    other_settings();
    damaged();
    damaged_header();
    no_run();
    beside();
    failures();
    CHECK(alloc_held == 0, "%ld blocks of memory are never freed", alloc_held);
    return check_end();
}
