/* A model that is streamed: losses, entropies and hash to the bit those of the model in memory, for
   every kind of folder, window and number of groups; stopping; folders that are refused; a failure
   injected at every access to a file and at every allocation.
   cc -I. -Itests/support tests/unit/stream.c -lm && ./a.out [SCRATCH_FOLDER] */
#include "inject.h"
#define SLM_IMPLEMENTATION
#include "slm.h"

#include "check.h"

enum { VOCAB = 40, N_TOKENS = 2 * SLM__STREAM_GROUP + 1234 };

static slm_corpus *corpus;

static slm_model *model_of(int tied, int32_t n_layers) {
    slm_model_config c;
    slm_model *model;
    slm_error err;
    memset(&c, 0, sizeof c);
    c.vocab = VOCAB;
    c.dim = 8;
    c.n_layers = n_layers;
    c.n_heads = 2;
    c.n_kv_heads = 1;
    c.head_dim = 4;
    c.ffn = 10;
    c.tie_embeddings = tied;
    CHECK_OK(slm_model_create(&model, &c, 3, &err), err);
    for (size_t i = 0; i < model->n_params; i++)
        model->params[i] *= 10; /* so that every layer matters */
    return model;
}

static void make_corpus(void) {
    static int32_t tokens[N_TOKENS];
    slm_rng rng = slm_rng_seed(1);
    slm_error err;
    for (size_t i = 0; i < N_TOKENS; i++)
        tokens[i] = (int32_t)slm_rng_below(&rng, VOCAB);
    CHECK_OK(slm_corpus_create(&corpus, tokens, NULL, N_TOKENS, VOCAB, &err), err);
}

/* Saves a model of that kind in the folder "model". */
static void save(int tied, int32_t n_layers, slm_dtype dtype) {
    slm_model *model = model_of(tied, n_layers);
    slm_error err;
    CHECK_OK(slm_model_save(model, in("model"), NULL, dtype, &err), err);
    slm_model_free(model);
}

static slm_stream *stream_of(const char *folder) {
    slm_stream *stream;
    slm_error err;
    CHECK_OK(slm_stream_open(&stream, in(folder), &err), err);
    return stream;
}

static int same_losses(const slm_losses *a, const slm_losses *b) {
    return a->n == b->n && a->first == b->first && a->total == b->total && a->T == b->T &&
           a->corpus_hash == b->corpus_hash && a->model_hash == b->model_hash &&
           memcmp(a->loss, b->loss, a->n * sizeof(slm_real)) == 0 &&
           memcmp(a->entropy, b->entropy, a->n * sizeof(slm_real)) == 0;
}

static void same_as_in_memory(slm_stream *stream, const slm_model *model,
                              const slm_windows *windows) {
    slm_losses *want;
    slm_losses *got;
    slm_error err;
    CHECK_OK(slm_losses_compute(&want, model, corpus, windows, NULL, NULL, &err), err);
    CHECK_OK(slm_stream_losses(&got, stream, corpus, windows, NULL, NULL, &err), err);
    CHECK(same_losses(got, want), "windows %zu to %zu of %d, %d at a time", windows->first,
          windows->end, (int)windows->T, (int)windows->B);
    slm_losses_free(want);
    slm_losses_free(got);
}

static void same_bits(int tied, int32_t n_layers, slm_dtype dtype, const int32_t lengths[2]) {
    slm_model *model;
    slm_error err;
    save(tied, n_layers, dtype);
    slm_stream *stream = stream_of("model");
    CHECK_OK(slm_model_load(&model, in("model"), &err), err);
    CHECK(slm_stream_hash(stream) == slm_model_hash(model), "another hash");
    CHECK(slm_stream_model(stream)->config.n_layers == n_layers, "another shape");
    for (size_t i = 0; i < 2; i++) {
        slm_windows windows = slm_corpus_windows(corpus, 3, lengths[i]);
        same_as_in_memory(stream, model, &windows);
        windows.B = 1000;
        windows.first = windows.end > 1 ? 1 : 0;
        same_as_in_memory(stream, model, &windows);
        windows.end = windows.first;
        same_as_in_memory(stream, model, &windows);
    }
    slm_stream_close(stream);
    slm_model_free(model);
}

static void group_sizes(void) {
    static const int32_t sizes[][2] = {{1, 8192}, {1024, 8}, {2048, 4}, {700, 10}, {3000, 2},
                                       {9000, 1}, {8192, 1}, {INT32_MAX, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = slm_stream_windows(sizes[i][0]);
        CHECK(n == (size_t)sizes[i][1], "%zu windows of %d", n, (int)sizes[i][0]);
    }
}

/* ---- stopping ---- */
typedef struct stopper {
    int n_calls, stop_at;
    uint64_t last;
} stopper;

static int stop_when_asked(void *user, uint64_t done, uint64_t total) {
    stopper *s = (stopper *)user;
    CHECK(done >= s->last && done <= total, "%llu done after %llu", (unsigned long long)done,
          (unsigned long long)s->last);
    s->last = done;
    return ++s->n_calls == s->stop_at;
}

/* What is there after a stop are whole groups. */
static void stopping(void) {
    slm_model *model;
    slm_losses *all;
    slm_error err;
    save(0, 2, SLM_DTYPE_NATIVE);
    slm_stream *stream = stream_of("model");
    slm_windows windows = slm_corpus_windows(corpus, 8, 64);
    CHECK_OK(slm_model_load(&model, in("model"), &err), err);
    CHECK_OK(slm_losses_compute(&all, model, corpus, &windows, NULL, NULL, &err), err);
    for (int k = 1; k <= 15; k++) { /* three groups of five parts */
        stopper s = {0, k, 0};
        slm_losses *part = NULL;
        size_t whole = (size_t)(k / 5) * SLM__STREAM_GROUP;
        slm_status status =
            slm_stream_losses(&part, stream, corpus, &windows, stop_when_asked, &s, &err);
        if (k == 15) whole = all->n;
        CHECK(status == (k == 15 ? SLM_OK : SLM_ERR_CANCELLED), "stopped at call %d: %s", k,
              slm_status_text(status));
        CHECK(part != NULL && part->n == whole, "call %d: %zu entries", k,
              part != NULL ? part->n : 0);
        CHECK(memcmp(part->loss, all->loss, whole * sizeof(slm_real)) == 0, "call %d", k);
        slm_losses_free(part);
    }
    slm_losses_free(all);
    slm_stream_close(stream);
    slm_model_free(model);
}

/* ---- what slm_model_load refuses is refused, with the same words ---- */
static void refused(const char *what) {
    slm_stream *stream;
    slm_model *model;
    slm_error want;
    slm_error got;
    slm_status status = slm_model_load(&model, in("model"), &want);
    CHECK(status != SLM_OK && model == NULL, "%s: loaded", what);
    CHECK(slm_stream_open(&stream, in("model"), &got) == status && stream == NULL, "%s: %s", what,
          got.text);
    CHECK(strcmp(want.text, got.text) == 0, "%s: \"%s\", not \"%s\"", what, got.text, want.text);
}

static void bad_folders(void) {
    slm_model *model = model_of(0, 1);
    slm_error err;
    model->params[model->table[5].offset] = (slm_real)NAN;
    CHECK_OK(slm_model_save(model, in("model"), NULL, SLM_DTYPE_NATIVE, &err), err);
    refused("a NaN");
    slm_model_free(model);

    save(0, 2, SLM_DTYPE_NATIVE); /* under the configuration of another shape */
    model = model_of(0, 1);
    CHECK_OK(slm_model_config_save(&model->config, in("model"), NULL, SLM_DTYPE_F32, &err), err);
    refused("a layer too many");
    model->config.tie_embeddings = 1;
    CHECK_OK(slm_model_config_save(&model->config, in("model"), NULL, SLM_DTYPE_F32, &err), err);
    save(0, 1, SLM_DTYPE_NATIVE);
    CHECK_OK(slm_model_config_save(&model->config, in("model"), NULL, SLM_DTYPE_F32, &err), err);
    refused("a head that is not the embedding it is tied to");
    model->config.n_layers = 3;
    CHECK_OK(slm_model_config_save(&model->config, in("model"), NULL, SLM_DTYPE_F32, &err), err);
    refused("too few weights");
    slm_model_free(model);

    put("model/config.json", "{", 1);
    refused("a broken config.json");
    (void)remove(in("model/model.safetensors"));
    refused("no weights");
}

/* ---- failures ---- */
static slm_status open_and_score(slm_error *err) {
    slm_stream *stream;
    slm_losses *losses = NULL;
    slm_windows windows = {2, 16, 0, 3};
    slm_status status = slm_stream_open(&stream, in("model"), err);
    CHECK((status == SLM_OK) == (stream != NULL), "a stream after a failure, or none");
    if (status != SLM_OK) return status;
    status = slm_stream_losses(&losses, stream, corpus, &windows, NULL, NULL, err);
    CHECK((status == SLM_OK) == (losses != NULL), "losses after a failure, or none");
    slm_losses_free(losses);
    slm_stream_close(stream);
    return status;
}

static void failures(void) {
    slm_error err;
    slm_status status = SLM_ERR_IO;
    long n_calls;
    long n_allocations;
    save(1, 2, SLM_DTYPE_BF16);
    inject(0, 0);
    CHECK_OK(open_and_score(&err), err);
    n_calls = io_calls;
    n_allocations = alloc_calls;
    CHECK(n_calls > 60 && n_allocations > 10, "%ld calls, %ld allocations", n_calls, n_allocations);
    for (long k = 1; k <= n_calls; k++) {
        inject(k, 0);
        status = open_and_score(&err);
        CHECK(status == SLM_OK || status == SLM_ERR_IO, "call %ld: %s", k, slm_status_text(status));
    }
    for (long k = 1; k <= n_allocations; k++) {
        inject(0, 0);
        alloc_fail_at = k;
        status = open_and_score(&err);
        CHECK(status == SLM_OK || status == SLM_ERR_MEMORY, "allocation %ld: %s", k,
              slm_status_text(status));
    }
    inject(0, 0);
}

int main(int argc, char **argv) {
    slm_error err;
    (void)snprintf(root, sizeof root, "%s/stream", argc > 1 ? argv[1] : "build/tmp");
    if (slm__make_folder(root, &err) != SLM_OK) {
        printf("%s\n", err.text);
        return 1;
    }
    static const int32_t short_lengths[] = {7, 100};
    static const int32_t long_lengths[] = {3000, 9000}; /* above SLM__STREAM_BATCH; _GROUP */
    make_corpus();
    same_bits(0, 3, SLM_DTYPE_NATIVE, short_lengths);
    same_bits(1, 2, SLM_DTYPE_BF16, short_lengths);
    same_bits(0, 1, SLM_DTYPE_F64, long_lengths);
    group_sizes();
    stopping();
    bad_folders();
    failures();
    slm_corpus_free(corpus);
    CHECK(alloc_held == 0, "%ld blocks of memory are never freed", alloc_held);
    return check_end();
}
