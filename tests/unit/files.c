/* Files: malformed safetensors, configs and indexes by name, each with its status; number formats to the bit; model folders in
   F32, F16, BF16, F64, sharded and tied; run state; every truncation; a failure injected at every I/O call and at every
   allocation, after which the old file is whole.
   cc -I. -Itests tests/test_files.c -lm && ./a.out [SCRATCH_FOLDER]                                                         */
#include "inject.h"
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "check.h"

/* A safetensors file in memory: header text and n data bytes (0, 1, 2, ...). */
static unsigned char made[1 << 20];

static int same(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

/* ---- plain files ---- */
static void plain_files(void) {
    slm_error err;
    char *bytes, *big = (char *)malloc(300001);
    size_t size, i;
    for (i = 0; i < 300000; i++)
        big[i] = (char)(i * 7);
    for (i = 0; i <= 300000; i += i < 10 ? 1 : 99999 - i % 3) {
        CHECK_OK(slm_file_write(in("plain"), big, i, &err), err);
        CHECK(slm_file_read(&bytes, &size, in("plain"), &err) == SLM_OK && size == i &&
                  memcmp(bytes, big, i) == 0 && bytes[i] == 0,
              "%zu bytes", i);
        slm_free(bytes);
    }
    bytes = (char *)&err;
    CHECK(slm_file_read(&bytes, &size, in("nothing here"), &err) == SLM_ERR_IO &&
              strstr(err.text, "nothing here") != NULL,
          "%s", err.text);
    CHECK(slm_file_read(&bytes, &size, root, &err) == SLM_ERR_IO, "a folder was read");
    CHECK(slm_file_write(in("no folder/file"), "a", 1, &err) == SLM_ERR_IO,
          "written into a folder that is not there");
    CHECK(slm_file_write(root, "a", 1, &err) == SLM_ERR_IO, "a folder was replaced");
    {
        char *left = get("../tmp.tmp", &size);
        CHECK(left == NULL, "a temporary file was left");
        free(left);
    }
    free(big);
}

/* ---- model folders ---- */
static slm_model *model_of(int tied, uint64_t seed) {
    slm_model_config c;
    slm_model *model;
    slm_error err;
    size_t i;
    memset(&c, 0, sizeof c);
    c.vocab = 20;
    c.dim = 8;
    c.n_layers = 2;
    c.n_heads = 4;
    c.n_kv_heads = 2;
    c.head_dim = 6;
    c.ffn = 10;
    c.tie_embeddings = tied;
    c.rope_theta = 54321.5;
    c.norm_eps = 1.0 / 3e5;
    c.max_seq = 33;
    if (slm_model_create(&model, &c, seed, &err) != SLM_OK) {
        printf("%s\n", err.text);
        exit(1);
    }
    for (i = 0; i < model->n_tensors; i++) /* norms that are not all one */
        if (!model->table[i].decay) model->params[model->table[i].offset + 1] = (slm_real)(2 + i);
    return model;
}

static int same_model(const slm_model *a, const slm_model *b) {
    size_t i;
    if (memcmp(&a->config, &b->config, sizeof a->config) != 0 || a->n_tensors != b->n_tensors)
        return 0;
    for (i = 0; i < a->n_tensors; i++)
        if (memcmp(a->params + a->table[i].offset, b->params + b->table[i].offset,
                   a->table[i].rows * a->table[i].cols * sizeof(slm_real)) != 0)
            return 0;
    return 1;
}

/* Writes tensors first.. of the model as dtype into a safetensors file, with extra header text (members with a leading comma)
   and extra data bytes; the values in model are rounded to what the dtype can hold. */
static void write_as(const char *name, slm_model *m, size_t first, size_t last, const char *dtype,
                     const char *skip, const char *extra, size_t extra_bytes) {
    static unsigned char data[1 << 18];
    char header[8192];
    size_t h = 0, n = 0, i, k,
           size = strcmp(dtype, "F32") == 0   ? 4
                  : strcmp(dtype, "F64") == 0 ? 8
                                              : 2;
    for (i = first; i < last; i++) {
        const slm_param *p = &m->table[i];
        size_t begin = n;
        if (skip != NULL && strcmp(skip, p->name) == 0) continue;
        for (k = 0; k < p->rows * p->cols; k++, n += size) {
            slm_real *x = &m->params[p->offset + k];
            float f = (float)*x;
            uint32_t bits;
            double d = (double)*x;
            memcpy(&bits, &f, 4);
            if (strcmp(dtype, "BF16") == 0) {
                bits &= 0xffff0000u;
                slm__store(data + n, bits >> 16, 2);
                memcpy(&f, &bits, 4);
                *x = (slm_real)f;
            } else if (strcmp(dtype, "F16") ==
                       0) { /* keep it simple: k/1024 with |k| < 2048 is exact in F16 */
                int q = (int)(f * 1024.0f), e = 25, a;
                if (q > 2047) q = 2047;
                if (q < -2047) q = -2047;
                a = q < 0 ? -q : q;
                *x = (slm_real)q / 1024;
                if (a != 0) {
                    while (a < 1024) {
                        a *= 2;
                        e--;
                    }
                    slm__store(data + n,
                               (uint64_t)((q < 0 ? 32768 : 0) + (e - 10) * 1024 + a - 1024), 2);
                } else
                    slm__store(data + n, 0, 2);
            } else if (size == 4) {
                slm__store(data + n, bits, 4);
                *x = (slm_real)f;
            } else {
                uint64_t b64;
                memcpy(&b64, &d, 8);
                slm__store(data + n, b64, 8);
            }
        }
        h += (size_t)snprintf(header + h, sizeof header - h,
                              "%c\"%s\":{\"dtype\":\"%s\",\"shape\":[", h ? ',' : '{', p->name,
                              dtype);
        if (p->decay) h += (size_t)snprintf(header + h, sizeof header - h, "%zu,", p->rows);
        h += (size_t)snprintf(header + h, sizeof header - h, "%zu],\"data_offsets\":[%zu,%zu]}",
                              p->cols, begin, n);
    }
    if (extra != NULL)
        h += (size_t)snprintf(header + h, sizeof header - h, extra, n, n + extra_bytes);
    h += (size_t)snprintf(header + h, sizeof header - h, "}");
    memset(data + n, 0, extra_bytes);
    slm__store(made, h, 8);
    memcpy(made + 8, header, h);
    memcpy(made + 8 + h, data, n + extra_bytes);
    put(name, made, 8 + h + n + extra_bytes);
}

static void write_index(const slm_model *m, size_t split, const char *extra) {
    char text[8192];
    size_t h = 0, i;
    h += (size_t)snprintf(text, sizeof text, "{\"metadata\":{\"total_size\":1},\"weight_map\":{");
    for (i = 0; i < m->n_tensors; i++)
        h += (size_t)snprintf(text + h, sizeof text - h,
                              "%s\"%s\":\"model-0000%d-of-00002.safetensors\"", i ? "," : "",
                              m->table[i].name, i < split ? 1 : 2);
    h += (size_t)snprintf(text + h, sizeof text - h, "%s}}", extra);
    put("sharded/model.safetensors.index.json", text, h);
}

static void expect_load(const char *folder, slm_status want, const char *text, const char *what) {
    slm_model *model = (slm_model *)&model;
    slm_error err;
    slm_status status;
    err.text[0] = 0;
    status = slm_model_load(&model, in(folder), &err);
    CHECK(status == want && (want == SLM_OK || model == NULL), "%s: %s (%s)", what,
          slm_status_text(status), err.text);
    CHECK(want == SLM_OK || strstr(err.text, text) != NULL, "%s: the message says: %s", what,
          err.text);
    if (status == SLM_OK) slm_model_free(model);
}

static void model_folders(void) {
    static const char *const dtypes[] = {"F32", "F16", "BF16", "F64"};
    static const char big[] =
        "{\"model_type\":\"llama\",\"vocab_size\":1000000,\"hidden_size\":8192,\"num_hidden_"
        "layers\":1000,\"num_attention_heads\":64,\"intermediate_size\":30000}";
    slm_model *m, *back;
    slm_tokenizer *bytes;
    slm_error err;
    size_t i, n, k;
    char *config;
    for (i = 0; i < 2; i++) {
        m = model_of((int)i, 5);
        CHECK(slm_model_save(m, in("nowhere/model"), NULL, SLM_DTYPE_NATIVE, &err) == SLM_ERR_IO &&
                  strstr(err.text, "make the folder") != NULL,
              "%s", err.text);
        CHECK_OK(slm_model_save(m, in("new"), NULL, SLM_DTYPE_NATIVE, &err), err);
        CHECK_OK(slm_model_load(&back, in("new"), &err), err);
        CHECK(same_model(m, back), "round trip, tied %d", (int)i);
        slm_model_free(back);
        CHECK_OK(slm_model_load(&back, in("new/"), &err), err);
        slm_model_free(back);
        slm_model_free(m);
    }
    m = model_of(0, 6);
    CHECK_OK(slm_model_save(m, in("half"), NULL, SLM_DTYPE_BF16, &err),
             err); /* BF16: the nearest, ties to even; then it stays */
    CHECK_OK(slm_model_load(&back, in("half"), &err), err);
    for (i = 0; i < m->n_tensors; i++)
        for (k = m->table[i].offset; k < m->table[i].offset + m->table[i].rows * m->table[i].cols;
             k++) {
            double x = (double)(float)m->params[k], unit = ldexp(1.0, x != 0 ? ilogb(x) - 7 : 0),
                   steps = nearbyint(x / unit);
            CHECK(same((double)back->params[k], steps * unit), "%g as BF16 is %g, not %g", x,
                  (double)back->params[k], steps * unit);
        }
    CHECK_OK(slm_model_save(back, in("half2"), NULL, SLM_DTYPE_BF16, &err), err);
    {
        size_t n2;
        char *a = get("half/model.safetensors", &n), *b = get("half2/model.safetensors", &n2);
        CHECK(a != NULL && b != NULL && n == n2 && memcmp(a, b, n) == 0,
              "saved again: other bytes");
        free(a);
        free(b);
    }
    CHECK(slm_model_save(m, in("half"), NULL, SLM_DTYPE_F16, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "BF16") != NULL,
          "F16: %s", err.text);
    slm_model_free(back);
    {
        static const struct {
            uint32_t bits;
            unsigned want;
        } round[] = {{0x3f808000, 0x3f80}, {0x3f818000, 0x3f82}, {0x3f808001, 0x3f81},
                     {0xbf808000, 0xbf80}, {0x7f800000, 0x7f80}, {0x7f7fffff, 0x7f80},
                     {0x7fffffff, 0x7fc0}, {0x7f800001, 0x7fc0}, {0x80000000, 0x8000}};

        unsigned char two[2];
        for (i = 0; i < sizeof round / sizeof *round; i++) {
            float f;
            memcpy(&f, &round[i].bits, 4);
            slm__number_store(two, (slm_real)f, SLM_DTYPE_BF16);
            CHECK(slm__load(two, 2) == round[i].want, "%08x as BF16 is %04x",
                  (unsigned)round[i].bits, (unsigned)slm__load(two, 2));
        }
    }
    CHECK_OK(slm_tokenizer_create_bytes(&bytes, &err), err);
    CHECK(slm_model_save(m, in("model"), bytes, SLM_DTYPE_NATIVE, &err) == SLM_ERR_ARGUMENT,
          "256 tokens in a vocabulary of 20");
    slm_tokenizer_free(bytes);
    CHECK(slm_model_save(m, in("plain/model"), NULL, SLM_DTYPE_NATIVE, &err) == SLM_ERR_IO,
          "a folder below a file");
    CHECK_OK(slm_model_save(m, in("model"), NULL, SLM_DTYPE_NATIVE, &err), err);
    config = get("model/config.json", &n);
    for (i = 0; i < 4; i++) {
        slm_model *r = model_of(0, 7);
        for (k = 0; k < r->n_params; k++)
            r->params[k] *= 30;
        write_as("model/model.safetensors", r, 0, r->n_tensors, dtypes[i], NULL, NULL, 0);
        CHECK_OK(slm_model_load(&back, in("model"), &err), err);
        if (sizeof(slm_real) == 8 || i != 3) CHECK(same_model(r, back), "%s", dtypes[i]);
        slm_model_free(back);
        slm_model_free(r);
    }
#define WRITE(skip, extra, size)                                                                   \
    write_as("model/model.safetensors", m, 0, m->n_tensors, "F32", skip, extra, size)
    WRITE(NULL,
          ",\"model.layers.0.self_attn.rotary_emb.inv_freq\":{\"dtype\":\"F32\",\"shape\":[3],"
          "\"data_offsets\":[%zu,%zu]}",
          12);
    expect_load("model", SLM_OK, "", "old buffers");
    WRITE(NULL,
          ",\"model.layers.2.mlp.up_proj.weight\":{\"dtype\":\"F32\",\"shape\":[10,8],\"data_"
          "offsets\":[%zu,%zu]}",
          320);
    expect_load("model", SLM_ERR_FORMAT, "model.layers.2.mlp.up_proj.weight",
                "one tensor too many");
    WRITE(NULL,
          ",\"model.layers.0.self_attn.q_proj.bias\":{\"dtype\":\"F32\",\"shape\":[8],\"data_"
          "offsets\":[%zu,%zu]}",
          32);
    expect_load("model", SLM_ERR_FORMAT, "q_proj.bias", "a bias");
    for (i = 0; i < m->n_tensors; i++) {
        slm_real *x = &m->params[m->table[i].offset + 3], was = *x;
        char extra[256];
        WRITE(m->table[i].name,
              ",\"spare\":{\"dtype\":\"F32\",\"shape\":[1000],\"data_offsets\":[%zu,%zu]}", 4000);
        expect_load("model", SLM_ERR_FORMAT, m->table[i].name, "a missing tensor");
        (void)snprintf(extra, sizeof extra,
                       ",\"%s\":{\"dtype\":\"F32\",\"shape\":[1000],\"data_offsets\":[%%zu,%%zu]}",
                       m->table[i].name);
        WRITE(m->table[i].name, extra, 4000);
        expect_load("model", SLM_ERR_FORMAT, m->table[i].name, "a tensor of another shape");
        *x = (slm_real)NAN;
        WRITE(NULL, NULL, 0);
        expect_load("model", SLM_ERR_NOT_FINITE, m->table[i].name, "a NaN");
        *x = was;
    }
    WRITE(NULL, NULL, 0);
    put("model/config.json", big, sizeof big - 1);
    n = io_calls;
    alloc_calls = 0;
    expect_load("model", SLM_ERR_FORMAT, "describes", "a huge model of a small file");
    put("model/config.json", config, strlen(config));
    expect_load("model", SLM_OK, "", "as it was");
    (void)remove(in("model/model.safetensors"));
    expect_load("model", SLM_ERR_IO, "model.safetensors.index.json", "no weights");
    (void)remove(in("model/config.json"));
    expect_load("model", SLM_ERR_IO, "config.json", "no config");
    free(config);
    slm_model_free(m);
}

static void tied_models(void) {
    slm_model *m = model_of(1, 8), *head;
    slm_error err;
    char text[256];
    size_t at = 0;
    (void)at;
    CHECK_OK(slm_model_save(m, in("tied"), NULL, SLM_DTYPE_NATIVE, &err), err);
    (void)snprintf(
        text, sizeof text,
        ",\"lm_head.weight\":{\"dtype\":\"F32\",\"shape\":[20,8],\"data_offsets\":[%%zu,%%zu]}");
    write_as("tied/model.safetensors", m, 0, m->n_tensors, "F32", NULL, text, 640);
    expect_load("tied", SLM_ERR_FORMAT, "lm_head.weight", "a head that differs from the embedding");
    memset(m->params + m->table[0].offset, 0, 160 * sizeof(slm_real));
    write_as("tied/model.safetensors", m, 0, m->n_tensors, "F32", NULL, text, 640);
    expect_load("tied", SLM_OK, "", "a head that equals the embedding");
    (void)snprintf(
        text, sizeof text,
        ",\"lm_head.weight\":{\"dtype\":\"F32\",\"shape\":[8,20],\"data_offsets\":[%%zu,%%zu]}");
    write_as("tied/model.safetensors", m, 0, m->n_tensors, "F32", NULL, text, 640);
    expect_load("tied", SLM_ERR_FORMAT, "lm_head.weight", "a head of another shape");
    head = model_of(0, 8);
    write_as("tied/model.safetensors", head, 0, head->n_tensors - 1, "F32", NULL, NULL, 0);
    expect_load("tied", SLM_OK, "", "no head");
    slm_model_free(head);
    slm_model_free(m);
}

static void sharded_models(void) {
    static const struct {
        const char *name, *text, *message;
    } bad[] = {
        {"no weight_map", "{}", "weight_map"},
        {"weight_map a list", "{\"weight_map\":[]}", "object"},
        {"an empty map", "{\"weight_map\":{}}", "describes"},
        {"map twice", "{\"weight_map\":{},\"weight_map\":{}}", "twice"},
        {"a file name that is an object", "{\"weight_map\":{\"a\":{}}}", "string"},
        {"a parent folder", "{\"weight_map\":{\"a\":\"../model.safetensors\"}}", "acceptable"},
        {"an absolute path", "{\"weight_map\":{\"a\":\"/etc/passwd\"}}", "acceptable"},
        {"a coded path", "{\"weight_map\":{\"a\":\"%2e%2e\"}}", "acceptable"},
        {"a dot", "{\"weight_map\":{\"a\":\".\"}}", "acceptable"},
        {"an empty name", "{\"weight_map\":{\"a\":\"\"}}", "acceptable"},
        {"a backslash", "{\"weight_map\":{\"a\":\"..\\\\a\"}}", "acceptable"},
        {"a NUL", "{\"weight_map\":{\"a\":\"a\\u0000\"}}", "NUL"},
        {"no such file", "{\"weight_map\":{\"a\":\"nothing\"}}", "nothing"},
        {"one file of two", "{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\"}}",
         "describes"},
        {"cut off", "{\"weight_map\":{", "byte"},
        {"the other file of two",
         "{\"weight_map\":{\"model.norm.weight\":\"model-00002-of-00002.safetensors\"}}",
         "describes"}};

    slm_model *m = model_of(0, 9), *back;
    slm_error err;
    size_t i, split = 7;
    CHECK_OK(slm_model_save(m, in("sharded"), NULL, SLM_DTYPE_NATIVE, &err), err);
    (void)remove(in("sharded/model.safetensors"));
    write_as("sharded/model-00001-of-00002.safetensors", m, 0, split, "F32", NULL, NULL, 0);
    write_as("sharded/model-00002-of-00002.safetensors", m, split, m->n_tensors, "BF16", NULL, NULL,
             0);
    write_index(m, split, "");
    CHECK_OK(slm_model_load(&back, in("sharded"), &err), err);
    CHECK(same_model(m, back), "sharded");
    slm_model_free(back);
    write_as("sharded/model-00001-of-00002.safetensors", m, 0, split + 1, "F32", NULL, NULL, 0);
    expect_load("sharded", SLM_ERR_FORMAT, "two files", "a tensor in two shards");
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        put("sharded/model.safetensors.index.json", bad[i].text, strlen(bad[i].text));
        expect_load("sharded",
                    strcmp(bad[i].name, "no such file") == 0 ? SLM_ERR_IO : SLM_ERR_FORMAT,
                    bad[i].message, bad[i].name);
    }
    slm_model_free(m);
}

/* ---- run state ---- */
static slm_trainer *trainer_of(slm_model *model, uint64_t seed) {
    slm_trainer *t;
    slm_train_options o = slm_train_defaults();
    slm_error err;
    size_t i;
    slm_rng rng = slm_rng_seed(seed);
    o.select.criterion = SLM_CRITERION_EXCESS;
    o.select.ratio = 0.6;
    o.select.entropy_ratio = 0.3;
    o.select.seed = UINT64_MAX;
    o.adamw.lr = 0.1;
    o.adamw.lr_min = 0.2;
    o.adamw.warmup = 3;
    o.adamw.steps = 10;
    o.adamw.beta1 = 0.9;
    o.adamw.beta2 = 0.95;
    o.adamw.eps = 1e-8;
    o.adamw.weight_decay = 0.1;
    o.adamw.clip = 1;
    if (slm_trainer_create(&t, model, &o, &err) != SLM_OK) {
        printf("%s\n", err.text);
        exit(1);
    }
    for (i = 0; i < model->n_params; i++) {
        t->m[i] = (slm_real)slm_rng_normal(&rng);
        t->v[i] = (slm_real)slm_rng_uniform(&rng);
    }
    t->steps = seed + 0xfedcba9876543210ULL;
    return t;
}

static int same_tensors(const slm_model *model, const slm_real *a, const slm_real *b) {
    size_t i;
    for (i = 0; i < model->n_tensors; i++)
        if (memcmp(a + model->table[i].offset, b + model->table[i].offset,
                   model->table[i].rows * model->table[i].cols * sizeof(slm_real)) != 0)
            return 0;
    return 1;
}

static int same_run(const slm_trainer *a, const slm_trainer *b) {
    return a->steps == b->steps && same_tensors(a->model, a->model->params, b->model->params) &&
           same_tensors(a->model, a->m, b->m) && same_tensors(a->model, a->v, b->v);
}

typedef struct pair {
    slm_model *model_a, *model_b, *model_c;
    slm_trainer *a, *b, *c;
} pair; /* saved; loaded into; what b was */

static pair pair_of(void) {
    pair p;
    p.a = trainer_of(p.model_a = model_of(0, 10), 1);
    p.b = trainer_of(p.model_b = model_of(0, 11), 2);
    p.c = trainer_of(p.model_c = model_of(0, 11), 2);
    return p;
}

static void pair_free(pair *p) {
    slm_trainer_free(p->a);
    slm_trainer_free(p->b);
    slm_trainer_free(p->c);
    slm_model_free(p->model_a);
    slm_model_free(p->model_b);
    slm_model_free(p->model_c);
}

static void expect_run(pair *p, slm_status want, const char *text, const char *what) {
    slm_cursor at = {1, 2};
    char extra[64] = "unchanged";
    slm_error err;
    slm_status status;
    err.text[0] = 0;
    status = slm_run_load(p->b, &at, 99, extra, sizeof extra, in("run"), &err);
    CHECK(status == want && strstr(err.text, text) != NULL, "%s: %s (%s)", what,
          slm_status_text(status), err.text);
    CHECK(same_run(p->b, p->c) && at.seed == 1 && at.next_window == 2 &&
              strcmp(extra, "unchanged") == 0,
          "%s: the trainer was touched", what);
}

static void run_state(void) {
    static const char text[] = "a \"text\"\n\xC3\xA9";
    pair p = pair_of();
    slm_cursor cursor = {UINT64_MAX, 0x123456789abcdefULL}, at;
    slm_error err;
    char extra[64], *bytes, *first;
    size_t n, n2, i;
    CHECK(slm_run_load(p.b, &at, 99, extra, sizeof extra, in("no run"), &err) == SLM_ERR_IO,
          "no file");
    CHECK_OK(slm_run_save(p.a, NULL, &cursor, 99, text, in("run"), &err), err);
    first = get("run/state.safetensors", &n);
    CHECK(slm_run_load(p.b, &at, 99, extra, strlen(text), in("run"), &err) == SLM_ERR_ARGUMENT,
          "extra too small");
    CHECK(same_run(p.b, p.c), "touched");
    CHECK_OK(slm_run_load(p.b, &at, 99, extra, sizeof extra, in("run"), &err), err);
    CHECK(same_run(p.a, p.b) && at.seed == cursor.seed && at.next_window == cursor.next_window &&
              strcmp(extra, text) == 0,
          "loaded");
    CHECK_OK(slm_run_load(p.b, &at, 99, NULL, 0, in("run"), &err), err);
    CHECK_OK(slm_run_save(p.b, NULL, &at, 99, text, in("run2"), &err), err);
    bytes = get("run2/state.safetensors", &n2);
    CHECK(n == n2 && memcmp(first, bytes, n) == 0, "saved again: other bytes");
    free(bytes);
    CHECK(slm_run_save(p.a, NULL, &cursor, 99, "\xFF", in("run2"), &err) == SLM_ERR_ARGUMENT,
          "extra that is not UTF-8");
    CHECK_OK(slm_run_save(p.a, NULL, &cursor, 99, NULL, in("run2"), &err), err);
    CHECK(slm_run_load(p.b, &at, 99, extra, 1, in("run2"), &err) == SLM_OK && extra[0] == 0,
          "no extra");
    pair_free(&p);
    p = pair_of();
    CHECK(slm_run_load(p.b, &at, 98, NULL, 0, in("run"), &err) == SLM_ERR_MISMATCH &&
              strstr(err.text, "corpus=0000000000000063") != NULL,
          "%s", err.text);
#define CHANGE(field, value, name)                                                                 \
    do {                                                                                           \
        field = value;                                                                             \
        expect_run(&p, SLM_ERR_MISMATCH, " " name "=", name);                                      \
        slm_trainer_free(p.b);                                                                     \
        slm_model_free(p.model_b);                                                                 \
        p.model_b = model_of(0, 11);                                                               \
        p.b = trainer_of(p.model_b, 2);                                                            \
    } while (0)
    CHANGE(p.b->options.select.criterion, SLM_CRITERION_LOSS, "score");
    CHANGE(p.b->options.select.scope, SLM_SCOPE_MICRO, "scope");
    CHANGE(p.b->options.select.ratio, 0.5, "ratio");
    CHANGE(p.b->options.select.entropy_ratio, 0.5, "ratio2");
    CHANGE(p.b->options.select.seed, 1, "seed");
    CHANGE(p.b->options.adamw.lr, 0.1000001, "lr");
    CHANGE(p.b->options.adamw.lr_min, 0.3, "lr_min");
    CHANGE(p.b->options.adamw.warmup, 4, "warmup");
    CHANGE(p.b->options.adamw.steps, 11, "steps");
    CHANGE(p.b->options.adamw.beta1, 0.8, "beta1");
    CHANGE(p.b->options.adamw.beta2, 0.8, "beta2");
    CHANGE(p.b->options.adamw.eps, 1e-9, "eps");
    CHANGE(p.b->options.adamw.weight_decay, 0.2, "weight_decay");
    CHANGE(p.b->options.adamw.clip, 2, "clip");
    CHANGE(p.model_b->config.n_heads, 2, "n_heads");
    CHANGE(p.model_b->config.n_kv_heads, 1, "n_kv_heads");
    CHANGE(p.model_b->config.rope_theta, 1, "rope_theta");
    CHANGE(p.model_b->config.norm_eps, 1e-6, "norm_eps");
    CHANGE(p.model_b->config.vocab, 21, "vocab");
    CHANGE(p.model_b->config.dim, 9, "dim");
    CHANGE(p.model_b->config.n_layers, 3, "n_layers");
    CHANGE(p.model_b->config.head_dim, 8, "head_dim");
    CHANGE(p.model_b->config.ffn, 8, "ffn");
    CHANGE(p.model_b->config.tie_embeddings, 1, "tied");
    p.b->options.reference = p.model_a;
    expect_run(&p, SLM_ERR_MISMATCH, " reference=", "an online reference");
    p.b->options.reference = NULL;
    for (i = 0; i < n; i += i < 8 + (size_t)slm__load((unsigned char *)first, 8)
                                ? 1
                                : 61) { /* every cut in the header, many in the data */
        put("run/state.safetensors", first, i);
        expect_run(&p, SLM_ERR_FORMAT, "run", "a truncated run");
    }
    for (i = 8 + (size_t)slm__load((unsigned char *)first, 8); i < n; i += 37) {
        first[i] ^= 4;
        put("run/state.safetensors", first, n);
        expect_run(&p, SLM_ERR_FORMAT, "damaged", "a flipped bit");
        first[i] ^= 4;
    }
    for (i = 0; i < 8 + (size_t)slm__load((unsigned char *)first, 8);
         i++) { /* in the header: refused, or of no consequence */
        slm_cursor other = {0, 0};
        first[i] ^= 1;
        put("run/state.safetensors", first, n);
        if (slm_run_load(p.b, &other, 99, NULL, 0, in("run"), &err) == SLM_OK) {
            CHECK(same_tensors(p.model_a, p.a->m, p.b->m), "byte %zu changed a tensor", i);
            pair_free(&p);
            p = pair_of();
        } else
            CHECK(same_run(p.b, p.c), "byte %zu: touched", i);
        first[i] ^= 1;
    }
    CHECK_OK(slm_model_save(p.model_a, in("model"), NULL, SLM_DTYPE_NATIVE, &err), err);
    bytes = get("model/model.safetensors", &n2);
    put("run/state.safetensors", bytes, n2);
    expect_run(&p, SLM_ERR_FORMAT, "not a run", "a model instead of a run");
    free(bytes);
    p.model_a->params[3] = (slm_real)NAN;
    CHECK_OK(slm_run_save(p.a, NULL, &cursor, 99, "", in("run"), &err), err);
    expect_run(&p, SLM_ERR_NOT_FINITE, "finite", "a NaN");
    free(first);
    pair_free(&p);
}

/* ---- injected failures ---- */
/* Runs `call` with the k-th I/O call failing, k = 1, 2, ... until it succeeds; then the same with allocations. */
typedef slm_status (*operation)(void *user, slm_error *err);

static void no_leftovers(const char *what, long k, const char *name, const char *old, size_t n_old,
                         const char *new_bytes, size_t n_new, int may_be_new) {
    size_t n = 0;
    char temp[300], *now = get(name, &n), *left;
    CHECK(now != NULL && ((n == n_old && memcmp(now, old, n) == 0) ||
                          (may_be_new && n == n_new && memcmp(now, new_bytes, n) == 0)),
          "%s, call %ld: %s is neither the old file nor the whole new one", what, k, name);
    free(now);
    (void)snprintf(temp, sizeof temp, "%s.tmp", name);
    left = get(temp, &n);
    CHECK(left == NULL || io_sticky, "%s, call %ld: %s was left", what, k, temp);
    free(left);
    (void)remove(in(temp));
}

/* several: the operation writes more files than this one, which may be new already when another fails. */
static void save_under_failure(const char *what, const char *name, operation call, void *user,
                               int several) {
    static const char old[] = "the old content";
    char *whole;
    size_t n;
    long k, points = 0;
    int sticky;
    slm_error err;
    slm_status status;
    inject(0, 0);
    CHECK_OK(call(user, &err), err);
    whole = get(name, &n);
    for (sticky = 0; sticky < 2; sticky++)
        for (k = 1;; k++) {
            put(name, old, sizeof old);
            inject(k, sticky);
            err.text[0] = 0;
            status = call(user, &err);
            points++;
            if (status == SLM_OK) break;
            io_fail_at = 0;
            CHECK(status == SLM_ERR_IO && err.text[0] != 0, "%s, call %ld: %s (%s)", what, k,
                  slm_status_text(status), err.text);
            no_leftovers(what, k, name, old, sizeof old, whole, n, several || io_folder);
        }
    inject(0, 0);
    for (k = 1;; k++) {
        put(name, old, sizeof old);
        inject(0, 0);
        alloc_fail_at = k;
        status = call(user, &err);
        alloc_fail_at = 0;
        points++;
        if (status == SLM_OK) break;
        CHECK(status == SLM_ERR_MEMORY, "%s, allocation %ld: %s", what, k, slm_status_text(status));
        no_leftovers(what, k, name, old, sizeof old, whole, n, several);
    }
    {
        size_t n2;
        char *now = get(name, &n2);
        CHECK(now != NULL && n2 == n && memcmp(now, whole, n) == 0,
              "%s: the last try wrote other bytes", what);
        free(now);
    }
    CHECK(points > 8, "%s: only %ld points", what, points);
    printf("%s: failures at %ld points\n", what, points);
    free(whole);
}

static void load_under_failure(const char *what, operation call, void *user) {
    long k, points = 0;
    slm_error err;
    slm_status status;
    for (k = 1;; k++, points++) {
        inject(k, 0);
        err.text[0] = 0;
        status = call(user, &err);
        if (io_calls < k) break; /* the injected call was not reached */
        CHECK(status == SLM_OK || ((status == SLM_ERR_IO) && err.text[0] != 0), "%s, call %ld: %s",
              what, k, slm_status_text(status));
        if (status == SLM_OK) continue; /* closing a file that was only read */
    }
    CHECK(status == SLM_OK, "%s: %s", what, err.text);
    for (k = 1;; k++, points++) {
        inject(0, 0);
        alloc_fail_at = k;
        status = call(user, &err);
        if (status == SLM_OK) break;
        CHECK(status == SLM_ERR_MEMORY, "%s, allocation %ld: %s", what, k, slm_status_text(status));
    }
    alloc_fail_at = 0;
    CHECK(points > 5, "%s: only %ld points", what, points);
    printf("%s: failures at %ld points\n", what, points);
}

static slm_status call_write(void *user, slm_error *err) {
    (void)user;
    return slm_file_write(in("victim"), "new content", 11, err);
}

static slm_status call_model_save(void *user, slm_error *err) {
    return slm_model_save((slm_model *)user, in("injected"), NULL, SLM_DTYPE_NATIVE, err);
}

static slm_status call_run_save(void *user, slm_error *err) {
    slm_cursor cursor = {1, 2};
    return slm_run_save(((pair *)user)->a, NULL, &cursor, 99, "extra", in("injected_run"), err);
}

static slm_status call_run_load(void *user, slm_error *err) {
    pair *p = (pair *)user;
    slm_cursor cursor = {7, 8};
    slm_status status = slm_run_load(p->b, &cursor, 99, NULL, 0, in("injected_run"), err);
    if (status == SLM_OK) { /* put it back as it was */
        CHECK(same_run(p->a, p->b), "the loaded run differs");
        memcpy(p->model_b->params, p->model_c->params, p->model_b->n_params * sizeof(slm_real));
        memcpy(p->b->m, p->c->m, p->model_b->n_params * sizeof(slm_real));
        memcpy(p->b->v, p->c->v, p->model_b->n_params * sizeof(slm_real));
        p->b->steps = p->c->steps;
    } else
        CHECK(same_run(p->b, p->c) && cursor.seed == 7, "a failed load touched the trainer");
    return status;
}

static slm_status call_model_load(void *user, slm_error *err) {
    slm_model *model;
    slm_status status = slm_model_load(&model, in((const char *)user), err);
    CHECK((status == SLM_OK) == (model != NULL), "out");
    slm_model_free(model);
    return status;
}

static slm_status call_read(void *user, slm_error *err) {
    char *bytes;
    size_t n;
    slm_status status = slm_file_read(&bytes, &n, in((const char *)user), err);
    if (status == SLM_OK) slm_free(bytes);
    return status;
}

static void failures(void) {
    static char sharded[] = "sharded", injected[] = "injected", file[] = "made_of_bytes";
    pair p = pair_of();
    slm_error err;
    slm_model *m = model_of(0, 9);
    save_under_failure("slm_file_write", "victim", call_write, NULL, 0);
    CHECK_OK(slm_model_save(m, in("injected"), NULL, SLM_DTYPE_NATIVE, &err), err);
    save_under_failure("slm_model_save, weights", "injected/model.safetensors", call_model_save, m,
                       1);
    save_under_failure("slm_model_save, config", "injected/config.json", call_model_save, m, 1);
    CHECK_OK(call_run_save(&p, &err), err);
    save_under_failure("slm_run_save", "injected_run/state.safetensors", call_run_save, &p, 1);
    load_under_failure("slm_run_load", call_run_load, &p);
    load_under_failure("slm_model_load", call_model_load, injected);
    write_as("sharded/model-00001-of-00002.safetensors", m, 0, 7, "F32", NULL, NULL, 0);
    write_index(m, 7, "");
    load_under_failure("slm_model_load, sharded", call_model_load, sharded);
    put(file, made, sizeof made);
    load_under_failure("slm_file_read", call_read, file);
    inject(0, 0);
    slm_model_free(m);
    pair_free(&p);
}

int main(int argc, char **argv) {
    slm_error err;
    (void)snprintf(root, sizeof root, "%s/files", argc > 1 ? argv[1] : "build/tmp");
    if (slm__make_folder(root, &err) != SLM_OK) {
        printf("%s\n", err.text);
        return 1;
    }
    plain_files();
    model_folders();
    tied_models();
    sharded_models();
    run_state();
    failures();
    return check_end();
}
