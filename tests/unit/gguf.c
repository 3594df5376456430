/* The reader of GGUF files: what must load and what must not, by name; every truncation and every
   flipped bit of a small file; and the types of numbers in such files, to the bit.
   cc -I. -Itools -Itests/support tests/unit/gguf.c tools/slm/gguf*.c tools/slm/numbers.c
       tools/common/errors.c tools/common/text.c -lm && ./a.out [SCRATCH_FOLDER] */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "slm/convert.h"
#include "check.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- numbers ---- */
enum { ALL_16 = 65536 };

/* Every number of 16 bits is written as it was read; what is not finite is refused. */
static void every_number(number_type type) {
    for (unsigned bits = 0; bits < ALL_16; bits++) {
        unsigned char bytes[2];
        unsigned char again[2];
        slm_real value;
        store_bytes(bytes, bits, 2);
        numbers_decode(&value, type, bytes, 1);
        int is_finite = isfinite((double)value) != 0;
        size_t good = numbers_encode(again, type, &value, 1);
        CHECK(good == (is_finite ? 1u : 0u), "%s %04x: taken %zu", number_name(type), bits, good);
        if (is_finite)
            CHECK(memcmp(bytes, again, 2) == 0, "%s %04x becomes %02x%02x", number_name(type), bits,
                  again[1], again[0]);
    }
}

static double value_of(number_type type, unsigned bits) {
    unsigned char bytes[2];
    slm_real value;
    store_bytes(bytes, bits, 2);
    numbers_decode(&value, type, bytes, 1);
    return (double)value;
}

/* No neighbour is nearer, and of two that are equally near the even one is taken. */
static void check_nearest(number_type type, float value) {
    unsigned char bytes[2];
    slm_real real = (slm_real)value;
    if (numbers_encode(bytes, type, &real, 1) != 1) return;
    unsigned bits = (unsigned)load_bytes(bytes, 2);
    double distance = fabs(value_of(type, bits) - (double)value);
    for (int step = -1; step <= 1; step += 2) {
        unsigned other = bits + (unsigned)step;
        if ((bits & 0x7fff) == 0 && step < 0) continue;
        double its = fabs(value_of(type, other) - (double)value);
        int good = distance < its || (distance <= its && bits % 2 == 0);
        CHECK(good || !isfinite(its), "%s: %.9g becomes %04x, %04x is nearer", number_name(type),
              (double)value, bits, other);
    }
}

static void nearest_numbers(void) {
    slm_rng rng = slm_rng_seed(1);
    for (int i = 0; i < 200000; i++) {
        float value = float_of_bits((uint32_t)slm_rng_next(&rng));
        if (isfinite((double)value)) check_nearest(NUMBER_BF16, value);
        value = (float)(slm_rng_normal(&rng) * pow(2, (double)slm_rng_below(&rng, 42) - 26));
        check_nearest(NUMBER_F16, value);
    }
    for (unsigned bits = 0; bits < 0x7bff; bits++) { /* half way between two */
        double middle = (value_of(NUMBER_F16, bits) + value_of(NUMBER_F16, bits + 1)) / 2;
        check_nearest(NUMBER_F16, (float)middle);
        check_nearest(NUMBER_F16, -(float)middle);
    }
}

static void too_large(void) {
    static const struct {
        number_type type;
        double value;
        size_t taken;
    } cases[] = {{NUMBER_F16, 65519.99, 1}, {NUMBER_F16, 65520, 0},    {NUMBER_F16, -65520, 0},
                 {NUMBER_BF16, 3.3e38, 1},  {NUMBER_BF16, 3.4e38, 0},  {NUMBER_F32, 3.4e38, 1},
                 {NUMBER_F32, NAN, 0},      {NUMBER_F32, INFINITY, 0}, {NUMBER_F16, NAN, 0}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned char bytes[4];
        slm_real value = (slm_real)cases[i].value;
        size_t taken = numbers_encode(bytes, cases[i].type, &value, 1);
        CHECK(taken == cases[i].taken, "%s: %g", number_name(cases[i].type), cases[i].value);
    }
}

/* Half a step, and what the rounding of the scale to F16 adds: 127 times 2^-11 of it, or 2^-25. */
static void blocks(void) {
    unsigned char bytes[2 * 34];
    slm_real values[64];
    slm_real back[64];
    slm_rng rng = slm_rng_seed(2);
    for (int round = 0; round < 2000; round++) {
        double scale = pow(2, (double)slm_rng_below(&rng, 20) - 12);
        for (size_t i = 0; i < 64; i++)
            values[i] = (slm_real)(float)(scale * slm_rng_normal(&rng));
        CHECK(numbers_encode(bytes, NUMBER_Q8_0, values, 64) == 64, "two blocks");
        numbers_decode(back, NUMBER_Q8_0, bytes, 64);
        for (size_t first = 0; first < 64; first += 32) {
            double largest = 0;
            for (size_t i = first; i < first + 32; i++)
                largest = fmax(largest, fabs((double)values[i]));
            for (size_t i = first; i < first + 32; i++) {
                double d = fabs((double)back[i] - (double)values[i]);
                CHECK(d <= largest / 127 * 0.5626 + 4e-6, "%g becomes %g", (double)values[i],
                      (double)back[i]);
            }
        }
    }
    memset(values, 0, sizeof values);
    CHECK(numbers_encode(bytes, NUMBER_Q8_0, values, 64) == 64, "zeros");
    numbers_decode(back, NUMBER_Q8_0, bytes, 64);
    CHECK(memcmp(values, back, sizeof values) == 0, "zeros stay zeros");
    values[40] = (slm_real)NAN;
    CHECK(numbers_encode(bytes, NUMBER_Q8_0, values, 64) == 40, "a NaN is named by its place");
    values[40] = (slm_real)1e10;
    CHECK(numbers_encode(bytes, NUMBER_Q8_0, values, 64) == 32, "a scale beyond F16");
    CHECK(numbers_size(NUMBER_Q8_0, 64) == 68 && number_block(NUMBER_Q8_0) == 32, "size");
}

/* ---- files ---- */
static char path[1024];
static unsigned char made[4096];
static size_t made_size;

static void put(const void *bytes, size_t n) {
    memcpy(made + made_size, bytes, n);
    made_size += n;
}

static void put_whole(uint64_t value, size_t n) {
    store_bytes(made + made_size, value, n);
    made_size += n;
}

static void put_text(const char *text) {
    put_whole(strlen(text), 8);
    put(text, strlen(text));
}

static void put_head(uint64_t n_tensors, uint64_t n_keys) {
    made_size = 0;
    put("GGUF", 4);
    put_whole(3, 4);
    put_whole(n_tensors, 8);
    put_whole(n_keys, 8);
}

static void put_key(const char *key, unsigned type) {
    put_text(key);
    put_whole(type, 4);
}

static void put_tensor(const char *name, uint64_t cols, uint64_t rows, unsigned type,
                       uint64_t offset) {
    put_text(name);
    put_whole(2, 4);
    put_whole(cols, 8);
    put_whole(rows, 8);
    put_whole(type, 4);
    put_whole(offset, 8);
}

static void put_data(size_t n) {
    while (made_size % GGUF_ALIGNMENT != 0)
        put_whole(0, 1);
    for (size_t i = 0; i < n; i++)
        put_whole(i, 1);
}

static slm_status open_made(gguf_file **out, slm_error *err) {
    FILE *f = fopen(path, "wb");
    CHECK(f != NULL && fwrite(made, 1, made_size, f) == made_size, "%s: cannot write", path);
    if (f != NULL) (void)fclose(f);
    err->text[0] = 0;
    slm_status status = gguf_open(out, fopen(path, "rb"), path, err);
    CHECK((status == SLM_OK) == (*out != NULL), "a file after a failure, or none");
    if (status != SLM_OK)
        CHECK(strstr(err->text, "gguf") != NULL && strchr(err->text, '\n') == NULL, "message: %s",
              err->text);
    return status;
}

static void refused(const char *words) {
    gguf_file *file;
    slm_error err;
    slm_status status = open_made(&file, &err);
    CHECK(status == SLM_ERR_FORMAT && strstr(err.text, words) != NULL, "'%s' is not in: %s", words,
          err.text);
    gguf_close(file);
}

/* A file with keys of all kinds and two tensors. */
static void make_good(void) {
    put_head(2, 5);
    put_key("a.whole", GGUF_U32);
    put_whole(7, 4);
    put_key("general.alignment", GGUF_U32);
    put_whole(32, 4);
    put_key("texts", GGUF_ARRAY);
    put_whole(GGUF_TEXT, 4);
    put_whole(2, 8);
    put_text("one");
    put_text("");
    put_key("below", GGUF_I32);
    put_whole(0xffffffff, 4);
    put_key("real", GGUF_F32);
    put_whole(float_bits(0.5f), 4);
    put_tensor("w", 32, 2, 8, 64);
    put_tensor("b", 4, 3, 0, 0);
    put_data(64 + 2 * 34);
}

static void good_file(void) {
    gguf_file *file;
    gguf_text text;
    slm_error err;
    uint64_t whole = 0;
    double real = 0;
    slm_real numbers[64];
    make_good();
    CHECK_OK(open_made(&file, &err), err);
    if (file == NULL) return;
    CHECK(file->n_values == 5 && file->n_tensors == 2, "what it holds");
    CHECK(gguf_whole(&whole, gguf_find(file, "a.whole"), 0) && whole == 7, "a whole number");
    CHECK(!gguf_whole(&whole, gguf_find(file, "a.whole"), 1), "a second one");
    CHECK(!gguf_whole(&whole, gguf_find(file, "below"), 0), "a number below 0");
    CHECK(!gguf_whole(&whole, gguf_find(file, "real"), 0), "no whole number");
    CHECK(gguf_real(&real, gguf_find(file, "real"), 0) && real >= 0.5 && real <= 0.5, "%g", real);
    CHECK(gguf_find(file, "a") == NULL && gguf_find(file, "") == NULL, "no such key");
    CHECK(!gguf_get_text(&text, gguf_find(file, "texts")), "an array is no text");
    const unsigned char *place = gguf_find(file, "texts")->data;
    CHECK(gguf_text_is(gguf_next_text(&place), "one"), "the first text");
    CHECK(gguf_text_is(gguf_next_text(&place), ""), "the second text");

    const gguf_tensor *b = gguf_find_tensor(file, "b");
    CHECK(b != NULL && b->type == NUMBER_F32 && b->dims[0] == 4 && b->dims[1] == 3, "b");
    CHECK_OK(gguf_read(numbers, file, b, 2, 10, &err), err);
    for (size_t i = 0; i < 10; i++) {
        float want = float_of_bits((uint32_t)load_bytes(made + b->offset + 4 * (i + 2), 4));
        CHECK((float)numbers[i] >= want && (float)numbers[i] <= want, "b: number %zu", i);
    }
    const gguf_tensor *w = gguf_find_tensor(file, "w");
    CHECK(w != NULL && w->type == NUMBER_Q8_0 && w->offset == b->offset + 64, "w");
    CHECK_OK(gguf_read(numbers, file, w, 32, 32, &err), err);
    gguf_close(file);
}

/* Every truncation is refused; no flipped bit does harm. */
static void damage(void) {
    static unsigned char whole[sizeof made];
    gguf_file *file;
    slm_error err;
    slm_real numbers[64];
    make_good();
    size_t size = made_size;
    memcpy(whole, made, size);
    for (made_size = 0; made_size < size; made_size++) {
        CHECK(open_made(&file, &err) != SLM_OK, "the first %zu bytes are taken", made_size);
        gguf_close(file);
    }
    for (size_t bit = 0; bit < 8 * (size - 132); bit++) {
        memcpy(made, whole, size);
        made[bit / 8] ^= (unsigned char)(1u << bit % 8);
        if (open_made(&file, &err) != SLM_OK) continue;
        for (size_t i = 0; i < file->n_tensors; i++) {
            const gguf_tensor *t = &file->tensors[i];
            if (t->size <= 256 && t->dims[0] * t->dims[1] <= 64)
                CHECK_OK(gguf_read(numbers, file, t, 0, (size_t)(t->dims[0] * t->dims[1]), &err),
                         err);
        }
        gguf_close(file);
    }
}

static void bad_heads(void) {
    put_head(0, 0);
    made[0] = 'g';
    refused("does not begin with GGUF");
    put_head(0, 0);
    made[4] = 1;
    refused("version 1");
    put_head(0, 0);
    store_bytes(made + 4, 3u << 24, 4);
    refused("big-endian");
    put_head(0, UINT64_MAX);
    refused("ends before");
    put_head(UINT64_MAX, 0);
    refused("ends before");
    put_head(0, 1);
    put_key("k", 13);
    refused("type 13");
    put_head(0, 1);
    put_key("k", GGUF_ARRAY);
    put_whole(GGUF_ARRAY, 4);
    put_whole(1, 8);
    refused("array of arrays");
    put_head(0, 1);
    put_key("k", GGUF_ARRAY);
    put_whole(GGUF_U8, 4);
    put_whole(UINT64_MAX, 8);
    refused("more than the file has room for");
    put_head(0, 1);
    put_whole(UINT64_MAX, 8);
    refused("ends before");
    put_head(0, 2);
    for (int i = 0; i < 2; i++) {
        put_key("same", GGUF_U8);
        put_whole(1, 1);
    }
    refused("\"same\" is there twice");
}

static void bad_alignments(void) {
    static const uint64_t values[] = {0, 3, 4, 33, 1u << 21, UINT32_MAX};
    for (size_t i = 0; i < COUNT(values); i++) {
        put_head(0, 1);
        put_key("general.alignment", GGUF_U32);
        put_whole(values[i], 4);
        refused("power of two");
    }
}

/* One tensor, or a second one after "a" of 32 F32 at offset 0. */
static void bad_tensors(void) {
    static const struct {
        const char *name;
        uint64_t cols, rows;
        unsigned type;
        uint64_t offset;
        const char *words;
    } cases[] = {
        {"t", 32, 1, 12, 128, "Q4_K"},
        {"t", 32, 1, 999, 128, "unknown type (999)"},
        {"t", 0, 1, 0, 128, "dimensions"},
        {"t", UINT64_MAX, 2, 0, 128, "dimensions"},
        {"t", (uint64_t)1 << 32, (uint64_t)1 << 32, 0, 128, "dimensions"},
        {"t", 31, 1, 8, 128, "dimensions"},
        {"t", 8, 1, 0, 129, "overlaps another"},
        {"t", 8, 1, 0, 96, "overlaps another"},
        {"t", 8, 1, 0, UINT64_MAX - 31, "overlaps another"},
        {"t", 80, 1, 0, 128, "overlaps another"},
        {"a", 8, 1, 0, 128, "\"a\" is there twice"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        put_head(2, 0);
        put_tensor("a", 32, 1, 0, 0);
        put_tensor(cases[i].name, cases[i].cols, cases[i].rows, cases[i].type, cases[i].offset);
        put_data(256);
        refused(cases[i].words);
    }
    put_head(1, 0);
    put_text("t");
    put_whole(5, 4);
    put_data(256);
    refused("5 dimensions");
}

/* ---- what a model must say ---- */
enum { N_KEYS = 12 };

static void put_u32(const char *key, uint32_t value) {
    put_key(key, GGUF_U32);
    put_whole(value, 4);
}

/* The shape of a model with another value for one key, or with one key more. */
static void make_shape(const char *other, unsigned type, uint64_t value) {
    static const struct {
        const char *key;
        uint32_t value;
    } keys[] = {
        {"llama.context_length", 64},          {"llama.embedding_length", 32},
        {"llama.block_count", 2},              {"llama.feed_forward_length", 48},
        {"llama.attention.head_count", 4},     {"llama.attention.head_count_kv", 2},
        {"llama.rope.dimension_count", 8},     {"llama.vocab_size", 16},
    };
    int is_new = other != NULL;
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (other != NULL && strcmp(keys[i].key, other) == 0) is_new = 0;
    }
    put_head(1, COUNT(keys) + 2 + (is_new ? 1 : 0));
    put_key("general.architecture", GGUF_TEXT);
    put_text("llama");
    put_key("llama.attention.layer_norm_rms_epsilon", GGUF_F32);
    put_whole(float_bits(1e-5f), 4);
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (is_new || other == NULL || strcmp(keys[i].key, other) != 0)
            put_u32(keys[i].key, keys[i].value);
    }
    if (other != NULL) {
        put_key(other, type);
        put_whole(value, type == GGUF_BOOL ? 1 : 4);
    }
    put_tensor("token_embd.weight", 32, 16, 0, 0);
    put_data(32 * 16 * 4);
}

static slm_status shape_of(slm_model_config *config, slm_error *err) {
    gguf_file *file;
    slm_status status = open_made(&file, err);
    if (status == SLM_OK) status = gguf_config(config, file, err);
    gguf_close(file);
    return status;
}

static void shapes(void) {
    static const struct {
        const char *key;
        unsigned type;
        uint64_t value;
    } bad[] = {
        {"llama.context_length", GGUF_F32, 0x42800000},
        {"llama.embedding_length", GGUF_U32, 0x80000000},
        {"llama.block_count", GGUF_U32, 0},
        {"llama.attention.head_count", GGUF_U32, 0},
        {"llama.attention.head_count_kv", GGUF_U32, 3},
        {"llama.rope.dimension_count", GGUF_U32, 4},
        {"llama.vocab_size", GGUF_U32, 15},
        {"llama.attention.value_length", GGUF_U32, 16},
        {"llama.expert_count", GGUF_U32, 8},
        {"llama.logit_scale", GGUF_F32, 0x3f000000},
        {"llama.attention.causal", GGUF_BOOL, 0},
        {"llama.rope.freq_base", GGUF_F32, 0xbf800000},
    };
    slm_model_config config;
    slm_error err;
    make_shape(NULL, 0, 0);
    CHECK_OK(shape_of(&config, &err), err);
    CHECK(config.vocab == 16 && config.dim == 32 && config.n_layers == 2 && config.ffn == 48, "a");
    CHECK(config.n_heads == 4 && config.n_kv_heads == 2 && config.head_dim == 8, "heads");
    CHECK(config.max_seq == 64 && config.tie_embeddings == 1, "context, tied");
    CHECK(config.norm_eps >= 1e-5 && config.norm_eps <= 1e-5, "eps %.17g", config.norm_eps);
    CHECK(config.rope_theta >= 10000 && config.rope_theta <= 10000, "theta");
    for (size_t i = 0; i < COUNT(bad); i++) {
        make_shape(bad[i].key, bad[i].type, bad[i].value);
        CHECK(shape_of(&config, &err) == SLM_ERR_FORMAT, "%s is taken", bad[i].key);
        CHECK(strstr(err.text, "gguf") != NULL, "%s: %s", bad[i].key, err.text);
    }
    make_shape("llama.expert_count", GGUF_U32, 0);
    CHECK_OK(shape_of(&config, &err), err);
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : "build/tmp";
    (void)slm__make_folder(folder, NULL);
    (void)snprintf(path, sizeof path, "%s/made.gguf", folder);
    every_number(NUMBER_F16);
    every_number(NUMBER_BF16);
    nearest_numbers();
    too_large();
    blocks();
    good_file();
    damage();
    bad_heads();
    bad_alignments();
    bad_tensors();
    shapes();
    return check_end();
}
