/* Plain files and model folders: F32, F16, BF16 and F64, tied, in several files; what a folder must
   not hold, by name; tokenizer.json; failures at every access and allocation, after which the old
   file is whole.
   cc -I. -Itests/support tests/unit/folders.c -lm && ./a.out [SCRATCH_FOLDER] */
#define _POSIX_C_SOURCE 200809L /* symlink, readlink */
#include "inject.h"
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "check.h"
#include "folders.h"
#include "quoted.h"

/* ---- plain files ---- */
static void plain_files(void) {
    enum { N = 300000 };

    static const size_t sizes[] = {0, 1, 2, 3, 9, 10, 100000, 199999, N};
    char *big = (char *)malloc(N);
    char *bytes;
    size_t size;
    slm_error err;

    if (big == NULL) exit(1);
    for (size_t i = 0; i < N; i++)
        big[i] = (char)(i * 7);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t n = sizes[i];

        CHECK_OK(slm_file_write(in("plain"), big, n, &err), err);
        CHECK_OK(slm_file_read(&bytes, &size, in("plain"), &err), err);
        CHECK(size == n && memcmp(bytes, big, n) == 0 && bytes[n] == 0, "%zu bytes", n);
        slm_free(bytes);
    }
    free(big);

    CHECK(slm_file_read(&bytes, &size, in("nothing here"), &err) == SLM_ERR_IO &&
              strstr(err.text, "nothing here") != NULL,
          "%s", err.text);
    CHECK(slm_file_read(&bytes, &size, root, &err) == SLM_ERR_IO, "a folder was read");
    CHECK(slm_file_write(in("no folder/file"), "a", 1, &err) == SLM_ERR_IO,
          "written into a folder that is not there");
    CHECK(slm_file_write(root, "a", 1, &err) == SLM_ERR_IO, "a folder was replaced");
}

static void long_paths(void) {
    char long_path[5000];
    char *bytes;
    size_t size;
    slm_error err;

    memset(long_path, 'a', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = 0;
    CHECK(slm_file_read(&bytes, &size, long_path, &err) == SLM_ERR_ARGUMENT, "read");
    CHECK(slm_file_write(long_path, "a", 1, &err) == SLM_ERR_ARGUMENT, "written");
}

/* ---- model files made here, not by slm.h ---- */
static int same(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

static int same_config(const slm_model_config *a, const slm_model_config *b) {
    return a->vocab == b->vocab && a->dim == b->dim && a->n_layers == b->n_layers &&
           a->n_heads == b->n_heads && a->n_kv_heads == b->n_kv_heads &&
           a->head_dim == b->head_dim && a->ffn == b->ffn && a->max_seq == b->max_seq &&
           a->tie_embeddings == b->tie_embeddings && same(a->rope_theta, b->rope_theta) &&
           same(a->norm_eps, b->norm_eps);
}

static int same_model(const slm_model *a, const slm_model *b) {
    return same_config(&a->config, &b->config) && a->n_tensors == b->n_tensors &&
           same_tensors(a, a->params, b->params);
}

/* k / 1024 with |k| < 2048 is exact as an F16. */
static uint64_t to_f16(slm_real *x) {
    int k = (int)((float)*x * 1024.0f);
    int exponent = 15; /* of k, after it is shifted to 1024..2047 */
    int magnitude;

    if (k > 2047) k = 2047;
    if (k < -2047) k = -2047;
    *x = (slm_real)k / 1024;
    magnitude = k < 0 ? -k : k;
    if (magnitude == 0) return 0;
    while (magnitude < 1024) {
        magnitude *= 2;
        exponent--;
    }
    return (uint64_t)((k < 0 ? 32768 : 0) + exponent * 1024 + magnitude - 1024);
}

/* Stores *x and rounds it to what the dtype can hold. */
static void store_as(unsigned char *out, slm_real *x, const char *dtype) {
    float f = (float)*x;
    double d = (double)*x;
    uint32_t bits;
    uint64_t bits64;

    memcpy(&bits, &f, 4);
    memcpy(&bits64, &d, 8);
    if (strcmp(dtype, "F64") == 0) {
        slm__store(out, bits64, 8);
    } else if (strcmp(dtype, "F32") == 0) {
        slm__store(out, bits, 4);
        *x = (slm_real)f;
    } else if (strcmp(dtype, "BF16") == 0) {
        bits &= 0xffff0000u;
        slm__store(out, bits >> 16, 2);
        memcpy(&f, &bits, 4);
        *x = (slm_real)f;
    } else {
        slm__store(out, to_f16(x), 2);
    }
}

static size_t size_of(const char *dtype) {
    if (strcmp(dtype, "F64") == 0) return 8;
    return strcmp(dtype, "F32") == 0 ? 4 : 2;
}

/* What a file is made of. */
typedef struct recipe {
    const char *dtype;
    size_t first, end;   /* tensors of the table */
    const char *without; /* the name of one that is left out, or NULL */
    const char *extra;   /* the name of one that is added, or NULL: all zero, of F32 */
    const char *dims;    /* its shape, as "20,8" */
    size_t n_extra;      /* its bytes */
} recipe;

/* Appends a member of the header. */
static size_t list_tensor(char *header, size_t room, const char *name, const char *dtype,
                          const char *dims, size_t begin, size_t end) {
    return (size_t)snprintf(header, room,
                            ",'%s':{'dtype':'%s','shape':[%s],'data_offsets':[%zu,%zu]}", name,
                            dtype, dims, begin, end);
}

/* Writes the model into a file; its numbers are rounded to what the dtype can hold. */
static void write_model(const char *name, slm_model *m, recipe r) {
    static unsigned char made[1 << 18];
    static unsigned char data[1 << 17];
    static char header[8192];
    size_t n_header = 0, n = 0;
    const char *json;

    for (size_t i = r.first; i < r.end; i++) {
        const slm_param *p = &m->table[i];
        char dims[64];
        size_t begin = n;

        if (r.without != NULL && strcmp(r.without, p->name) == 0) continue;
        for (size_t k = 0; k < p->rows * p->cols; k++) {
            store_as(data + n, &m->params[p->offset + k], r.dtype);
            n += size_of(r.dtype);
        }
        if (p->decay)
            (void)snprintf(dims, sizeof dims, "%zu,%zu", p->rows, p->cols);
        else
            (void)snprintf(dims, sizeof dims, "%zu", p->cols);
        n_header += list_tensor(header + n_header, sizeof header - n_header, p->name, r.dtype, dims,
                                begin, n);
    }
    if (r.extra != NULL) {
        n_header += list_tensor(header + n_header, sizeof header - n_header, r.extra, "F32", r.dims,
                                n, n + r.n_extra);
        memset(data + n, 0, r.n_extra);
        n += r.n_extra;
    }
    header[0] = '{';
    (void)snprintf(header + n_header, sizeof header - n_header, "}");
    json = quoted(header);
    slm__store(made, n_header + 1, 8);
    memcpy(made + 8, json, n_header + 1);
    memcpy(made + 8 + n_header + 1, data, n);
    put(name, made, 8 + n_header + 1 + n);
}

static recipe all_of(const slm_model *m, const char *dtype) {
    recipe r = {NULL, 0, 0, NULL, NULL, NULL, 0};

    r.dtype = dtype;
    r.end = m->n_tensors;
    return r;
}

/* Writes the whole model, with an extra tensor and without one of its own. */
static void write_other(const char *name, slm_model *m, const char *extra, const char *dims,
                        size_t n_extra, const char *without) {
    recipe r = all_of(m, "F32");

    r.extra = extra;
    r.dims = dims;
    r.n_extra = n_extra;
    r.without = without;
    write_model(name, m, r);
}

/* Loading must give this status, and a message with this text. */
static void expect(const char *folder, slm_status want, const char *text, const char *what) {
    slm_model *model = NULL;
    slm_error err;
    slm_status status;

    err.text[0] = 0;
    status = slm_model_load(&model, in(folder), &err);
    CHECK(status == want && (want == SLM_OK) == (model != NULL), "%s: %s (%s)", what,
          slm_status_text(status), err.text);
    CHECK(want == SLM_OK || strstr(err.text, text) != NULL, "%s: the message says: %s", what,
          err.text);
    slm_model_free(model);
}

/* ---- saving ---- */
static void round_trip(void) {
    slm_model *back;
    slm_error err;

    for (int tied = 0; tied < 2; tied++) {
        slm_model *m = model_of(tied, 5);

        CHECK(slm_model_save(m, in("nowhere/model"), NULL, SLM_DTYPE_NATIVE, &err) == SLM_ERR_IO &&
                  strstr(err.text, "make the folder") != NULL,
              "%s", err.text);
        CHECK_OK(slm_model_save(m, in("new"), NULL, SLM_DTYPE_NATIVE, &err), err);
        CHECK_OK(slm_model_load(&back, in("new"), &err), err);
        CHECK(same_model(m, back), "round trip, tied %d", tied);
        slm_model_free(back);
        CHECK_OK(slm_model_load(&back, in("new/"), &err), err);
        slm_model_free(back);
        slm_model_free(m);
    }
}

/* BF16: 8 bits of fraction, the nearest number, ties to even. */
static double nearest_bf16(double x) {
    double unit = x != 0 ? ldexp(1.0, ilogb(x) - 7) : 1;

    return nearbyint(x / unit) * unit;
}

static void bf16(void) {
    slm_model *m = model_of(0, 6);
    slm_model *back;
    slm_error err;
    content first, second;

    CHECK_OK(slm_model_save(m, in("half"), NULL, SLM_DTYPE_BF16, &err), err);
    CHECK_OK(slm_model_load(&back, in("half"), &err), err);
    for (size_t i = 0; i < m->n_tensors; i++) {
        const slm_param *p = &m->table[i];

        for (size_t k = p->offset; k < p->offset + p->rows * p->cols; k++) {
            double want = nearest_bf16((double)(float)m->params[k]);

            CHECK(same((double)back->params[k], want), "%g as BF16 is %g, not %g",
                  (double)m->params[k], (double)back->params[k], want);
        }
    }
    CHECK_OK(slm_model_save(back, in("half2"), NULL, SLM_DTYPE_BF16, &err), err);
    first = content_of("half/model.safetensors");
    second = content_of("half2/model.safetensors");
    CHECK(same_content(first, second), "saved again: other bytes");
    free(first.bytes);
    free(second.bytes);
    slm_model_free(back);
    slm_model_free(m);
}

static void not_saved(void) {
    slm_model *m = model_of(0, 6);
    slm_error err;

    CHECK(slm_model_save(m, in("half"), NULL, SLM_DTYPE_F16, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "not as F16") != NULL,
          "F16: %s", err.text);
    CHECK(slm_model_save(m, in("half"), NULL, (slm_dtype)99, &err) == SLM_ERR_ARGUMENT, "99");
    CHECK(slm_model_save(m, in("plain/model"), NULL, SLM_DTYPE_NATIVE, &err) == SLM_ERR_IO,
          "a folder below a file");
    slm_model_free(m);
}

/* ---- loading ---- */
static void dtypes(void) {
    static const char *const names[] = {"F32", "F16", "BF16", "F64"};
    slm_error err;

    for (size_t i = 0; i < COUNT(names); i++) {
        slm_model *m = model_of(0, 7);
        slm_model *back;

        for (size_t k = 0; k < m->n_params; k++)
            m->params[k] *= 30;
        CHECK_OK(slm_model_save(m, in("model"), NULL, SLM_DTYPE_NATIVE, &err), err);
        write_model("model/model.safetensors", m, all_of(m, names[i]));
        CHECK_OK(slm_model_load(&back, in("model"), &err), err);
        CHECK(same_model(m, back), "%s", names[i]);
        slm_model_free(back);
        slm_model_free(m);
    }
}

static void other_tensors(void) {
    static const char file[] = "model/model.safetensors";
    slm_model *m = model_of(0, 6);
    slm_error err;

    CHECK_OK(slm_model_save(m, in("model"), NULL, SLM_DTYPE_NATIVE, &err), err);
    write_other(file, m, "model.layers.0.self_attn.rotary_emb.inv_freq", "3", 12, NULL);
    expect("model", SLM_OK, "", "frequencies of RoPE, as in old files");
    write_other(file, m, "model.layers.2.mlp.up_proj.weight", "10,8", 320, NULL);
    expect("model", SLM_ERR_FORMAT, "model.layers.2.mlp.up_proj.weight", "one tensor too many");
    write_other(file, m, "model.layers.0.self_attn.q_proj.bias", "8", 32, NULL);
    expect("model", SLM_ERR_FORMAT, "q_proj.bias", "a bias");

    for (size_t i = 0; i < m->n_tensors; i++) {
        const char *name = m->table[i].name;
        slm_real *x = &m->params[m->table[i].offset + 3];
        slm_real before = *x;

        write_other(file, m, "spare", "1000", 4000, name);
        expect("model", SLM_ERR_FORMAT, name, "a missing tensor");
        write_other(file, m, name, "1000", 4000, name);
        expect("model", SLM_ERR_FORMAT, name, "a tensor of another shape");
        *x = (slm_real)NAN;
        write_other(file, m, NULL, NULL, 0, NULL);
        expect("model", SLM_ERR_NOT_FINITE, name, "a NaN");
        *x = before;
    }
    slm_model_free(m);
}

static void missing_files(void) {
    const char *huge =
        quoted("{'model_type':'llama','vocab_size':1000000,'hidden_size':8192,"
               "'num_hidden_layers':1000,'num_attention_heads':64,'intermediate_size':30000}");
    slm_model *m = model_of(0, 6);
    slm_error err;
    content config;

    CHECK_OK(slm_model_save(m, in("model"), NULL, SLM_DTYPE_NATIVE, &err), err);
    config = content_of("model/config.json");
    put("model/config.json", huge, strlen(huge));
    expect("model", SLM_ERR_FORMAT, "describes", "a huge model of a small file");
    put("model/config.json", config.bytes, config.n);
    expect("model", SLM_OK, "", "as it was");
    (void)remove(in("model/model.safetensors"));
    expect("model", SLM_ERR_IO, "model.safetensors.index.json", "no weights");
    (void)remove(in("model/config.json"));
    expect("model", SLM_ERR_IO, "config.json", "no config");
    free(config.bytes);
    slm_model_free(m);
}

/* A tied model needs no head in its file; where there is one, it must be the embedding. */
static void tied_models(void) {
    static const char file[] = "tied/model.safetensors";
    slm_model *m = model_of(1, 8);
    slm_model *untied = model_of(0, 8);
    recipe no_head = all_of(untied, "F32");
    slm_error err;

    CHECK_OK(slm_model_save(m, in("tied"), NULL, SLM_DTYPE_NATIVE, &err), err);
    write_other(file, m, "lm_head.weight", "20,8", 640, NULL);
    expect("tied", SLM_ERR_FORMAT, "lm_head.weight", "a head that differs from the embedding");
    memset(m->params + m->table[0].offset, 0, 160 * sizeof(slm_real));
    write_other(file, m, "lm_head.weight", "20,8", 640, NULL);
    expect("tied", SLM_OK, "", "a head that equals the embedding");
    write_other(file, m, "lm_head.weight", "8,20", 640, NULL);
    expect("tied", SLM_ERR_FORMAT, "lm_head.weight", "a head of another shape");
    no_head.end--;
    write_model(file, untied, no_head);
    expect("tied", SLM_OK, "", "no head");
    slm_model_free(untied);
    slm_model_free(m);
}

/* ---- several files ---- */
#define FIRST_SHARD "model-00001-of-00002.safetensors"
#define SECOND_SHARD "model-00002-of-00002.safetensors"
#define INDEX "sharded/model.safetensors.index.json"

enum { SPLIT = 7 }; /* tensors in the first file */

static void write_index(const slm_model *m) {
    static char text[8192];
    const char *json;
    size_t n = (size_t)snprintf(text, sizeof text, "{'metadata':{'total_size':1},'weight_map':{");

    for (size_t i = 0; i < m->n_tensors; i++) {
        const char *file = i < SPLIT ? FIRST_SHARD : SECOND_SHARD;

        n += (size_t)snprintf(text + n, sizeof text - n, "%s'%s':'%s'", i > 0 ? "," : "",
                              m->table[i].name, file);
    }
    (void)snprintf(text + n, sizeof text - n, "}}");
    json = quoted(text);
    put(INDEX, json, strlen(json));
}

/* A folder of two files of unlike dtypes. */
static void write_shards(slm_model *m) {
    recipe first = all_of(m, "F32");
    recipe second = all_of(m, "BF16");
    slm_error err;

    first.end = SPLIT;
    second.first = SPLIT;
    CHECK_OK(slm_model_save(m, in("sharded"), NULL, SLM_DTYPE_NATIVE, &err), err);
    (void)remove(in("sharded/model.safetensors"));
    write_model("sharded/" FIRST_SHARD, m, first);
    write_model("sharded/" SECOND_SHARD, m, second);
    write_index(m);
}

static void sharded_models(void) {
    slm_model *m = model_of(0, 9);
    slm_model *back;
    recipe one_more = all_of(m, "F32");
    slm_error err;

    write_shards(m);
    CHECK_OK(slm_model_load(&back, in("sharded"), &err), err);
    CHECK(same_model(m, back), "sharded");
    slm_model_free(back);

    one_more.end = SPLIT + 1;
    write_model("sharded/" FIRST_SHARD, m, one_more);
    expect("sharded", SLM_ERR_FORMAT, "two files", "a tensor in two files");
    slm_model_free(m);
}

/* Shape and weights of a folder, without a model. */
static void folder_in_parts(void) {
    slm_model *m = model_of(0, 9);
    slm_model_config config;
    slm_safetensors *all;
    slm_real *values = (slm_real *)malloc(m->n_params * sizeof *values);
    slm_error err;

    write_shards(m);
    CHECK_OK(slm_safetensors_open_folder(&all, in("sharded"), &err), err);
    CHECK(slm_safetensors_count(all) == m->n_tensors, "%zu tensors", slm_safetensors_count(all));
    for (size_t i = 0; i < SPLIT; i++) {
        const slm_param *p = &m->table[i];
        size_t n = p->rows * p->cols;
        CHECK_OK(slm_safetensors_read(values, all, p->name, n, &err), err);
        CHECK(memcmp(values, m->params + p->offset, n * sizeof *values) == 0, "%s", p->name);
    }
    slm_safetensors_close(all);
    free(values);

    CHECK_OK(slm_model_config_load(&config, in("sharded"), &err), err);
    CHECK(memcmp(&config, &m->config, sizeof config) == 0, "the configuration as it was saved");
    config.ffn++;
    CHECK_OK(slm_model_config_save(&config, in("sharded"), NULL, SLM_DTYPE_F16, &err), err);
    CHECK_OK(slm_model_config_load(&config, in("sharded"), &err), err);
    CHECK(config.ffn == m->config.ffn + 1, "the configuration as it was changed");

    put(INDEX, "{\"weight_map\":{}}", 17);
    CHECK(slm_safetensors_open_folder(&all, in("sharded"), &err) == SLM_ERR_FORMAT, "no files");
    CHECK(all == NULL && strstr(err.text, "lists no file") != NULL, "%s", err.text);
    CHECK(slm_model_config_load(&config, in("nothing"), &err) == SLM_ERR_IO, "no folder");
    slm_model_free(m);
}

static void bad_indexes(void) {
    static const struct {
        const char *name;
        const char *text;
        const char *message;
    } bad[] = {{"no weight_map", "{}", "weight_map"},
               {"weight_map a list", "{'weight_map':[]}", "object"},
               {"an empty map", "{'weight_map':{}}", "describes"},
               {"map twice", "{'weight_map':{},'weight_map':{}}", "twice"},
               {"a file name that is an object", "{'weight_map':{'a':{}}}", "string"},
               {"a parent folder", "{'weight_map':{'a':'../model.safetensors'}}", "acceptable"},
               {"an absolute path", "{'weight_map':{'a':'/etc/passwd'}}", "acceptable"},
               {"a coded path", "{'weight_map':{'a':'%2e%2e'}}", "acceptable"},
               {"a dot", "{'weight_map':{'a':'.'}}", "acceptable"},
               {"an empty name", "{'weight_map':{'a':''}}", "acceptable"},
               {"a backslash", "{'weight_map':{'a':'..\\\\a'}}", "acceptable"},
               {"a NUL", "{'weight_map':{'a':'a\\u0000'}}", "NUL"},
               {"one file of two", "{'weight_map':{'a':'" FIRST_SHARD "'}}", "describes"},
               {"cut off", "{'weight_map':{", "byte"},
               {"the other file of two", "{'weight_map':{'model.norm.weight':'" SECOND_SHARD "'}}",
                "describes"}};

    const char *no_file;
    slm_model *m = model_of(0, 9);

    write_shards(m);
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *json = quoted(bad[i].text);

        put(INDEX, json, strlen(json));
        expect("sharded", SLM_ERR_FORMAT, bad[i].message, bad[i].name);
    }
    no_file = quoted("{'weight_map':{'a':'nothing'}}");
    put(INDEX, no_file, strlen(no_file));
    expect("sharded", SLM_ERR_IO, "nothing", "no such file");
    slm_model_free(m);
}

/* ---- tokenizer.json ---- */
/* What fails when a tokenizer is written is reported as what it is, not as a lack of memory. */
static void tokenizer_status(void) {
    static const char added[] = "{'id':256,'content':'<|end|>','special':true}";
    slm_tokenizer *t, *with_added;
    slm_error err;
    char text[1 << 14];
    char *json;
    size_t n;

    CHECK_OK(slm_tokenizer_create_bytes(&t, &err), err);
    CHECK_OK(slm_tokenizer_save(t, in("t.json"), &err), err);
    slm_tokenizer_free(t);

    json = get("t.json", &n);
    (void)snprintf(text, sizeof text, "{\"added_tokens\":[%s%s", quoted(added),
                   strstr(json, "],\n\"normalizer\""));
    CHECK_OK(slm_tokenizer_parse(&with_added, text, strlen(text), "t.json", &err), err);
    CHECK_OK(slm_tokenizer_save(with_added, in("t.json"), &err), err);
    free(json);

    with_added->source.size = 0; /* else what was read is saved as it was */
    with_added->bytes.data[with_added->bytes.size - 1] = '\xFF'; /* "<|end|" and no UTF-8 */
    CHECK(slm_tokenizer_save(with_added, in("t.json"), &err) == SLM_ERR_ARGUMENT &&
              err.status == SLM_ERR_ARGUMENT && strstr(err.text, "UTF-8") != NULL,
          "%s", err.text);
    slm_tokenizer_free(with_added);
}

/* ---- what other programs read beside a model ---- */

/* The bytes with "<s>" 256, "</s>" 257 and a post_processor, which may be null. */
static slm_tokenizer *tokenizer_of(const char *processor) {
    static const char added[] = "{'id':256,'content':'<s>','special':true},"
                                "{'id':257,'content':'</s>','special':true}";
    static const char wanted[] = "\"post_processor\":null";
    slm_tokenizer *t;
    slm_error err;
    char text[1 << 14];
    size_t n;

    CHECK_OK(slm_tokenizer_create_bytes(&t, &err), err);
    CHECK_OK(slm_tokenizer_save(t, in("t.json"), &err), err);
    slm_tokenizer_free(t);
    char *json = get("t.json", &n);
    char *rest = strstr(json, "],\n\"normalizer\"");
    char *null = strstr(json, wanted);
    if (rest == NULL || null == NULL) {
        printf("FAIL: another form of tokenizer.json\n");
        exit(1);
    }
    int size = snprintf(text, sizeof text, "{\"added_tokens\":[%s", quoted(added));
    size += snprintf(text + size, sizeof text - (size_t)size, "%.*s\"post_processor\":%s",
                     (int)(null - rest), rest, quoted(processor));
    (void)snprintf(text + size, sizeof text - (size_t)size, "%s", null + sizeof wanted - 1);
    CHECK_OK(slm_tokenizer_parse(&t, text, strlen(text), "t.json", &err), err);
    free(json);
    return t;
}

static void check_text(const char *name, const char *expected) {
    size_t n = 0;
    char *text = get(name, &n);

    CHECK(text != NULL && strcmp(text, quoted(expected)) == 0, "%s: %s", name, text);
    free(text);
}

/* Whether a tokenizer with this post_processor puts a token before a text. */
static void check_adds_bos(const char *processor, int expected) {
    slm_tokenizer *t = tokenizer_of(processor);
    slm_error err;
    int32_t bos = -1;
    int32_t eos = -1;

    CHECK_OK(slm_tokenizer_template(&bos, &eos, t, &err), err);
    CHECK((bos >= 0) == expected, "token %d, with %s", (int)bos, processor);
    slm_tokenizer_free(t);
}

/* A template whose token has no name, or not one id. */
static void check_no_template(const char *processor, const char *why) {
    slm_tokenizer *t = tokenizer_of(processor);
    slm_error err;
    int32_t bos = 7;
    int32_t eos = 7;

    CHECK(slm_tokenizer_template(&bos, &eos, t, &err) == SLM_ERR_FORMAT &&
              strstr(err.text, why) != NULL,
          "%s", err.text);
    slm_tokenizer_free(t);
}

/* Saved as F64, floats are the same. */
static void check_saved_wide(const slm_model *m) {
    slm_model *back;
    slm_error err;

    CHECK_OK(slm_model_save(m, in("wide"), NULL, SLM_DTYPE_F64, &err), err);
    CHECK_OK(slm_model_load(&back, in("wide"), &err), err);
    CHECK(slm_model_hash(back) == slm_model_hash(m), "another model");
    slm_model_free(back);
}

static void companions(void) {
#define FIRST "{'SpecialToken':{'id':'<s>','type_id':0}}"
#define TEXT "{'Sequence':{'id':'A','type_id':0}}"
#define TEMPLATE(items)                                                                            \
    "{'type':'TemplateProcessing','single':[" items "],'pair':[],"                                 \
    "'special_tokens':{'<s>':{'id':'<s>','ids':[1],'tokens':['<s>']}}}"
    slm_model *m = model_of(0, 6);
    slm_special_ids *s = &m->config.special;
    slm_tokenizer *t = tokenizer_of(TEMPLATE(FIRST "," TEXT));
    slm_error err;

    CHECK(slm_tokenizer_find_added(t, "</s>") == 257 && slm_tokenizer_find_added(t, "<s>") == 256,
          "added tokens are found");
    CHECK(slm_tokenizer_find_added(t, "s") == -1 && slm_tokenizer_find_added(t, "") == -1,
          "others are not");
    s->has_bos = 1;
    s->bos = 256;
    s->n_eos = 2;
    s->eos[0] = 257;
    s->eos[1] = 7;
    s->has_pad = 1;
    s->pad = 65; /* of the vocabulary: it has no name that other programs would know */
    CHECK_OK(slm_model_save(m, in("beside"), t, SLM_DTYPE_NATIVE, &err), err);
    check_text("beside/generation_config.json",
               "{\n  '_from_model_config': true,\n  'bos_token_id': 256,\n"
               "  'eos_token_id': [257, 7],\n  'pad_token_id': 65\n}\n");
    check_text("beside/tokenizer_config.json",
               "{\n  'add_bos_token': true,\n  'bos_token': '<s>',\n"
               "  'clean_up_tokenization_spaces': false,\n  'eos_token': '</s>',\n"
               "  'model_max_length': 33,\n"
               "  'tokenizer_class': 'PreTrainedTokenizerFast'\n}\n");

    memset(s, 0, sizeof *s);
    put("beside/tokenizer_config.json", "another", 7);
    CHECK_OK(slm_model_save(m, in("beside"), t, SLM_DTYPE_NATIVE, &err), err);
    check_text("beside/generation_config.json",
               "{\n  '_from_model_config': true,\n  'bos_token_id': null,\n"
               "  'eos_token_id': null\n}\n");
    check_text("beside/tokenizer_config.json",
               "{\n  'add_bos_token': true,\n  'clean_up_tokenization_spaces': false,\n"
               "  'model_max_length': 33,\n"
               "  'tokenizer_class': 'PreTrainedTokenizerFast'\n}\n");
    slm_tokenizer_free(t);
    check_saved_wide(m);
    slm_model_free(m);

    check_adds_bos("null", 0);
    check_adds_bos(TEMPLATE(TEXT "," FIRST), 0);
    check_adds_bos("{'type':'ByteLevel','trim_offsets':false}", 0);
    check_adds_bos("{'type':'Sequence','processors':[{'type':'ByteLevel'}," TEMPLATE(
                       FIRST "," TEXT) "]}",
                   1);
    check_no_template(TEMPLATE("{'SpecialToken':{'id':7}}," TEXT), "a token was expected");
    check_no_template(TEMPLATE("{'SpecialToken':{'id':'<t>'}}," TEXT), "does not say its id");
    check_no_template("{'type':'TemplateProcessing','single':[" FIRST "," TEXT
                      "],'special_tokens':{'<s>':{'ids':[1,2]}}}",
                      "more than one id, or none");
    check_no_template("{'type':'TemplateProcessing','single':[" FIRST "," TEXT
                      "],'special_tokens':{'<s>':{'ids':[258]}}}",
                      "no token has the id");
    check_no_template("{'type':'TemplateProcessing','single':[" FIRST "," TEXT
                      "],'special_tokens':{'<s>':{'ids':[1.5]}}}",
                      "a whole number");
}

/* ---- failures ---- */
static slm_status call_write(void *user, slm_error *err) {
    (void)user;
    return slm_file_write(in("victim"), "new content", 11, err);
}

static slm_status call_read(void *user, slm_error *err) {
    char *bytes;
    size_t n;
    slm_status status = slm_file_read(&bytes, &n, in((const char *)user), err);

    if (status == SLM_OK) slm_free(bytes);
    return status;
}

static slm_tokenizer *with_tokenizer; /* saved with the model, or NULL */

static slm_status call_model_save(void *user, slm_error *err) {
    return slm_model_save((slm_model *)user, in("injected"), with_tokenizer, SLM_DTYPE_NATIVE, err);
}

static slm_status call_model_load(void *user, slm_error *err) {
    slm_model *model;
    slm_status status = slm_model_load(&model, in((const char *)user), err);

    CHECK((status == SLM_OK) == (model != NULL), "a model after a failure, or none");
    slm_model_free(model);
    return status;
}

static slm_status call_tokenizer_save(void *user, slm_error *err) {
    return slm_tokenizer_save((slm_tokenizer *)user, in("victim"), err);
}

/* What a folder says of its model; 0 if it holds none. */
static uint64_t hash_of_folder(void) {
    slm_model *model;
    slm_tokenizer *t;
    slm_error err;
    uint64_t hash = 0;

    if (slm_model_load(&model, in("injected"), &err) != SLM_OK) return 0;
    if (slm_tokenizer_load(&t, in("injected/tokenizer.json"), &err) == SLM_OK) {
        hash = slm_model_hash(model) ^ (uint64_t)model->config.rope_theta;
        hash ^= slm_tokenizer_hash(t);
        slm_tokenizer_free(t);
    }
    slm_model_free(model);
    return hash;
}

/* Where another model is in the folder, a save that fails anywhere leaves the old one, the new one
   or none, but no mixture of both. */
static void another_model(int new_theta, int new_tokenizer) {
    slm_model *old = model_of(0, 11);
    slm_model *new_model = model_of(0, 12);
    slm_tokenizer *t = tokenizer_of("null");
    slm_tokenizer *other = tokenizer_of("{'type':'Sequence','processors':[]}");
    uint64_t hashes[2];
    slm_status status = SLM_ERR_IO;
    slm_error err;
    long n_none = 0;

    if (new_theta) new_model->config.rope_theta = 1000;
    for (int i = 0; i < 2; i++) {
        with_tokenizer = i == 1 && new_tokenizer ? other : t;
        CHECK_OK(call_model_save(i == 0 ? old : new_model, &err), err);
        hashes[i] = hash_of_folder();
        CHECK(hashes[i] != 0, "saved");
    }
    for (long k = 1;; k++) {
        uint64_t hash;
        long n_calls;

        with_tokenizer = t;
        CHECK_OK(call_model_save(old, &err), err);
        with_tokenizer = new_tokenizer ? other : t;
        inject(k, 1);
        status = call_model_save(new_model, &err);
        n_calls = io_calls;
        inject(0, 0);
        hash = hash_of_folder();
        CHECK(hash == hashes[1] || (status != SLM_OK && (hash == hashes[0] || hash == 0)),
              "call %ld: a mixture of two models", k);
        n_none += hash == 0;
        if (n_calls < k) break;
    }
    CHECK((n_none > 0) == (new_theta || new_tokenizer), "no model after %ld failures", n_none);
    with_tokenizer = NULL;
    slm_tokenizer_free(t);
    slm_tokenizer_free(other);
    slm_model_free(old);
    slm_model_free(new_model);
}

static void failures(void) {
    static char sharded[] = "sharded", injected[] = "injected", victim[] = "victim";
    slm_model *m = model_of(0, 9);
    slm_tokenizer *bytes;
    slm_error err;

    with_tokenizer = tokenizer_of("null");
    save_under_failure("slm_model_save, beside it", "injected/tokenizer_config.json",
                       call_model_save, m, IS_OLD_OR_NEW);
    slm_tokenizer_free(with_tokenizer);
    with_tokenizer = NULL;
    save_under_failure("slm_file_write", victim, call_write, NULL, IS_OLD);
    CHECK_OK(slm_tokenizer_create_bytes(&bytes, &err), err);
    save_under_failure("slm_tokenizer_save", victim, call_tokenizer_save, bytes, IS_OLD);
    load_under_failure("slm_file_read", call_read, victim);
    slm_tokenizer_free(bytes);

    CHECK_OK(slm_model_save(m, in("injected"), NULL, SLM_DTYPE_NATIVE, &err), err);
    save_under_failure("slm_model_save, weights", "injected/model.safetensors", call_model_save, m,
                       IS_OLD_OR_NEW);
    save_under_failure("slm_model_save, config", "injected/config.json", call_model_save, m,
                       IS_OLD_OR_NEW_OR_GONE);
    load_under_failure("slm_model_load", call_model_load, injected);
    write_shards(m);
    load_under_failure("slm_model_load, sharded", call_model_load, sharded);
    slm_model_free(m);
}

/* What has the name of the new file is not followed: a link of somebody else's would lead to a file
   that has nothing to do with ours.  What a killed run left is replaced. */
static void links_are_not_followed(void) {
#ifdef _WIN32
    printf("skipped: links (POSIX only)\n");
#else
    char target[64];
    char temporary[1024];
    slm_error err;
    size_t n = 0;

    put("victim", "untouched", 9);
    (void)remove(in("fresh.tmp"));
    (void)snprintf(temporary, sizeof temporary, "%s", in("fresh.tmp"));
    (void)snprintf(target, sizeof target, "victim");
    CHECK(symlink(target, temporary) == 0, "no link could be made");
    CHECK_OK(slm_file_write(in("fresh"), "content", 7, &err), err);

    char *victim = get("victim", &n);
    CHECK(n == 9 && memcmp(victim, "untouched", 9) == 0, "a link was followed");
    free(victim);
    char *text = get("fresh", &n);
    CHECK(n == 7 && memcmp(text, "content", 7) == 0, "not written");
    free(text);
    CHECK(readlink(in("fresh"), target, sizeof target) < 0, "the file is a link");

    put("fresh.tmp", "left by a run that was killed", 29);
    CHECK_OK(slm_file_write(in("fresh"), "again", 5, &err), err);
    text = get("fresh", &n);
    CHECK(n == 5 && memcmp(text, "again", 5) == 0, "what was left is in the way");
    free(text);
#endif
}

int main(int argc, char **argv) {
    slm_error err;

    (void)snprintf(root, sizeof root, "%s/folders", argc > 1 ? argv[1] : "build/tmp");
    if (slm__make_folder(root, &err) != SLM_OK) {
        printf("%s\n", err.text);
        return 1;
    }
    plain_files();
    long_paths();
    round_trip();
    bf16();
    not_saved();
    dtypes();
    other_tensors();
    missing_files();
    tied_models();
    sharded_models();
    folder_in_parts();
    bad_indexes();
    tokenizer_status();
    companions();
    links_are_not_followed();
    another_model(0, 0);
    another_model(1, 0);
    another_model(0, 1);
    failures();
    CHECK(alloc_held == 0, "%ld blocks of memory are never freed", alloc_held);
    return check_end();
}
