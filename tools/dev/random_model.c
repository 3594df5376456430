/* random_model.c: makes a model folder of the shape of a known model, with random weights in BF16
 * and in several files, as such models come:
 *
 *     make build/random_model
 *     build/random_model llama-2-7b FOLDER
 *
 * It holds a slice of one tensor in memory, uses all threads, and gives the same bytes for the same
 * seed.  What it makes is for measuring time and memory; it knows no language. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/options.h"
#include "common/paths.h"

enum {
    SLICE = 1 << 22, /* numbers in memory at a time */
    PIECE = 1 << 12, /* of them with one seed, by one thread */
    HEADER_SIZE = 1 << 20,
    NAME_SIZE = 64
};

/* A 70B model is 80 layers of width 8192; the narrow one has a 32nd of its width, so that a test
 * can look at its depth. */
static const struct {
    const char *name;
    slm_model_config shape;
} models[] = {
    {"tinyllama-1.1b",
     {.vocab = 32000, .dim = 2048, .n_layers = 22, .n_heads = 32, .n_kv_heads = 4, .ffn = 5632,
      .max_seq = 2048}},
    {"llama-2-7b",
     {.vocab = 32000, .dim = 4096, .n_layers = 32, .n_heads = 32, .n_kv_heads = 32, .ffn = 11008,
      .max_seq = 4096}},
    {"mistral-7b",
     {.vocab = 32000, .dim = 4096, .n_layers = 32, .n_heads = 32, .n_kv_heads = 8, .ffn = 14336,
      .max_seq = 32768, .sliding_window = 4096}},
    {"llama-2-70b",
     {.vocab = 32000, .dim = 8192, .n_layers = 80, .n_heads = 64, .n_kv_heads = 8, .ffn = 28672,
      .max_seq = 4096}},
    {"narrow-70b",
     {.vocab = 1000, .dim = 256, .n_layers = 80, .n_heads = 2, .n_kv_heads = 1, .ffn = 896,
      .max_seq = 4096}},
};
#define MODEL_WORDS "tinyllama-1.1b|llama-2-7b|mistral-7b|llama-2-70b|narrow-70b"

typedef struct maker {
    slm_model_config shape;
    const char *folder, *tokenizer;
    int32_t layers, shard_mb;
    uint64_t seed;
    int n_shards;
    char *header, *index; /* JSON that grows; both hold HEADER_SIZE */
    uint16_t *slice;
} maker;

/* One tensor of the model. */
typedef struct tensor {
    char name[NAME_SIZE];
    size_t rows, cols; /* rows is 0 in a norm, which has one dimension and is all ones */
} tensor;

static size_t count_tensors(const maker *m) {
    return 3 + 9 * (size_t)m->shape.n_layers;
}

/* Fills in the shape of part k of a layer. */
static void set_part_shape(tensor *t, const slm_model_config *c, size_t k) {
    size_t C = (size_t)c->dim;
    size_t F = (size_t)c->ffn;
    size_t kv = C / (size_t)c->n_heads * (size_t)c->n_kv_heads;
    const size_t rows[9] = {0, C, kv, kv, C, 0, F, F, C};
    t->rows = rows[k];
    t->cols = k == 8 ? F : C;
}

/* The i-th tensor: the embedding, nine in each layer, the norm, the head. */
static void find_tensor(tensor *t, const maker *m, size_t i) {
    static const char *const parts[9] = {
        "input_layernorm",  "self_attn.q_proj",         "self_attn.k_proj",
        "self_attn.v_proj", "self_attn.o_proj",         "post_attention_layernorm",
        "mlp.gate_proj",    "mlp.up_proj",              "mlp.down_proj"};
    static const char *const others[3] = {"model.embed_tokens", "model.norm", "lm_head"};
    size_t n_parts = 9 * (size_t)m->shape.n_layers;
    size_t other = i == 0 ? 0 : i - n_parts; /* of those outside of the layers */
    if (i == 0 || i > n_parts) {
        (void)snprintf(t->name, sizeof t->name, "%s.weight", others[other]);
        t->rows = other == 1 ? 0 : (size_t)m->shape.vocab;
        t->cols = (size_t)m->shape.dim;
        return;
    }
    (void)snprintf(t->name, sizeof t->name, "model.layers.%zu.%s.weight", (i - 1) / 9,
                   parts[(i - 1) % 9]);
    set_part_shape(t, &m->shape, (i - 1) % 9);
}

static size_t count_numbers(const tensor *t) {
    return (t->rows > 0 ? t->rows : 1) * t->cols;
}

/* The upper half of a float. */
static uint16_t bf16_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)(bits >> 16);
}

/* Uniform numbers of deviation 0.02, four to a random word. */
static void fill_piece(uint16_t *out, size_t n, uint64_t seed) {
    const float widest = 0.02F * 1.7320508F;
    slm_rng rng = slm_rng_seed(seed);
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++) {
        word = i % 4 == 0 ? slm_rng_next(&rng) : word >> 16;
        out[i] = bf16_of(((float)(word & 65535) / 32767.5F - 1) * widest);
    }
}

/* Fills the slice with n numbers of tensor i, from number `first` on. */
static void fill_slice(maker *m, const tensor *t, size_t i, size_t first, size_t n) {
    uint64_t seed = m->seed + ((uint64_t)i << 40) + first;
#ifdef _OPENMP
#pragma omp parallel for
#endif
    for (size_t at = 0; at < n; at += PIECE) {
        size_t count = n - at < PIECE ? n - at : PIECE;
        if (t->rows > 0) {
            fill_piece(m->slice + at, count, seed + at);
        } else {
            for (size_t k = 0; k < count; k++)
                m->slice[at + k] = bf16_of(1);
        }
    }
}

static int write_tensor(maker *m, FILE *f, const tensor *t, size_t i) {
    size_t n_all = count_numbers(t);
    for (size_t first = 0; first < n_all; first += SLICE) {
        size_t n = n_all - first < SLICE ? n_all - first : SLICE;
        fill_slice(m, t, i, first, n);
        if (fwrite(m->slice, sizeof *m->slice, n, f) != n) return 0;
    }
    return 1;
}

/* Returns the tensor after the last one of the shard that begins with tensor `first`. */
static size_t end_of_shard(const maker *m, size_t first) {
    size_t most = (size_t)m->shard_mb * 1000000 / 2;
    size_t n = 0;
    size_t i = first;
    for (; i < count_tensors(m); i++) {
        tensor t;
        find_tensor(&t, m, i);
        n += count_numbers(&t);
        if (n > most && i > first) break;
    }
    return i;
}

/* Appends to one of the growing texts, whose room is never short for 4096 tensors. */
#define APPEND(text, ...)                                                                          \
    (void)snprintf((text) + strlen(text), HEADER_SIZE - strlen(text), __VA_ARGS__)

/* Fills m->header with the list of tensors first .. end-1, and adds them to m->index. */
static void list_tensors(maker *m, size_t first, size_t end, const char *file) {
    size_t offset = 0;
    (void)snprintf(m->header, HEADER_SIZE, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (size_t i = first; i < end; i++) {
        tensor t;
        find_tensor(&t, m, i);
        size_t next = offset + 2 * count_numbers(&t);
        APPEND(m->header, ",\"%s\":{\"dtype\":\"BF16\",\"shape\":[", t.name);
        if (t.rows > 0) APPEND(m->header, "%zu,", t.rows);
        APPEND(m->header, "%zu],\"data_offsets\":[%zu,%zu]}", t.cols, offset, next);
        APPEND(m->index, "%s\n\"%s\": \"%s\"", i > 0 ? "," : "", t.name, file);
        offset = next;
    }
    APPEND(m->header, "}");
    while (strlen(m->header) % 8 != 0)
        APPEND(m->header, " ");
}

static int write_shard(maker *m, int shard, size_t first, size_t end) {
    char name[NAME_SIZE];
    char path[PATH_SIZE];
    unsigned char size[8];
    (void)snprintf(name, sizeof name, "model-%05d-of-%05d.safetensors", shard + 1, m->n_shards);
    int code = path_join(path, m->folder, name);
    if (code != DONE) return code;
    list_tensors(m, first, end, name);
    for (int i = 0; i < 8; i++)
        size[i] = (unsigned char)((uint64_t)strlen(m->header) >> (8 * i));

    FILE *f = fopen(path, "wb");
    if (f == NULL) return fail_errno(FAILED, path, "open for writing");
    int good = fwrite(size, 1, 8, f) == 8;
    good = good && fputs(m->header, f) >= 0;
    for (size_t i = first; i < end && good && !stop_requested; i++) {
        tensor t;
        find_tensor(&t, m, i);
        good = write_tensor(m, f, &t, i);
    }
    if (fclose(f) != 0) good = 0;
    if (stop_requested) return fail(INTERRUPTED, "stopped");
    return good ? DONE : fail_errno(FAILED, path, "write");
}

static int write_shards(maker *m) {
    int code = DONE;
    int shard = 0;
    size_t end = 0;
    for (m->n_shards = 0; end < count_tensors(m); m->n_shards++)
        end = end_of_shard(m, end);
    APPEND(m->index, "{\"weight_map\": {");
    for (size_t first = 0; first < count_tensors(m) && code == DONE; first = end) {
        end = end_of_shard(m, first);
        code = write_shard(m, shard++, first, end);
    }
    APPEND(m->index, "\n}}\n");
    return code;
}

static int write_text(const maker *m, const char *name, const char *text, size_t size) {
    char path[PATH_SIZE];
    slm_error err;
    int code = path_join(path, m->folder, name);
    if (code != DONE) return code;
    return fail_status(slm_file_write(path, text, size, &err), FOR_OUTPUT, &err);
}

static int copy_tokenizer(const maker *m) {
    char *text;
    size_t size;
    slm_error err;
    if (m->tokenizer == NULL) return DONE;
    slm_status status = slm_file_read(&text, &size, m->tokenizer, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    int code = write_text(m, "tokenizer.json", text, size);
    slm_free(text);
    return code;
}

static int make_model(maker *m) {
    slm_error err;
    m->header = (char *)calloc(HEADER_SIZE, 1);
    m->index = (char *)calloc(HEADER_SIZE, 1);
    m->slice = (uint16_t *)calloc(SLICE, sizeof *m->slice);
    if (m->header == NULL || m->index == NULL || m->slice == NULL) return fail_memory();
    if (slm_model_config_check(&m->shape, &err) != SLM_OK) return fail(USAGE, "%s", err.text);
    int code = make_folder(m->folder);
    if (code == DONE) code = write_shards(m);
    if (code == DONE)
        code = write_text(m, "model.safetensors.index.json", m->index, strlen(m->index));
    if (code == DONE) code = copy_tokenizer(m);
    if (code != DONE) return code;
    slm_status status = slm_model_config_save(&m->shape, m->folder, NULL, SLM_DTYPE_BF16, &err);
    return fail_status(status, FOR_OUTPUT, &err);
}

int main(int argc, char **argv) {
    static const option_page page = {
        "",
        "makes a folder of a model's shape, with random weights",
        "random_model NAME FOLDER [flags]; NAME: " MODEL_WORDS,
        {"random_model tinyllama-1.1b /data/tiny", "random_model narrow-70b /data/n --layers 10"},
        NULL,
        2};
    option_list rest = {{NULL}, 0};
    maker m;
    memset(&m, 0, sizeof m);
    m.shard_mb = 4900;
    option table[] = {
        OPTION_I32("layers", &m.layers, 1, 128, "N", "another number of layers"),
        OPTION_I32("shard-mb", &m.shard_mb, 1, 1000000, "MB", "most of one file (default 4900)"),
        OPTION_TEXT("tokenizer", &m.tokenizer, "FILE", "a tokenizer.json to copy"),
        OPTION_SEED(&m.seed, "of the weights (default 0)"),
    };
    int code = program_start("random_model", &argc, &argv);
    if (code != DONE) return code;
    code = options_parse(&page, table, COUNT(table), &rest, argc - 1, argv + 1);
    if (code != OPTIONS_PARSED) return code;
    if (rest.n != 2) return fail(USAGE, "NAME and FOLDER are needed (-h)");

    size_t which = 0;
    while (which < COUNT(models) && strcmp(models[which].name, rest.items[0]) != 0)
        which++;
    if (which == COUNT(models))
        return fail(USAGE, "%s: no known model: " MODEL_WORDS, rest.items[0]);
    m.shape = models[which].shape;
    m.folder = rest.items[1];
    if (m.layers > 0) m.shape.n_layers = m.layers;
    catch_signals();
    code = make_model(&m);
    free(m.header);
    free(m.index);
    free(m.slice);
    return code;
}
