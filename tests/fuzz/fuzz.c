/* Fuzzing of every reader.  One file; the target is chosen when it is compiled: json, safetensors,
   tokenizer, pieces, config, index, scores, run, jsonl, records, gguf, gpt2, npy.

     sources=$(. tests/support/build.sh && sources_of fuzz)
     clang -g -O1 -Wno-pass-failed -DTARGET=json -fsanitize=fuzzer,address,undefined -I. -Itools \
         $sources -lm -o fuzz_json
     mkdir -p corpus_json && ./fuzz_json -max_total_time=60 -rss_limit_mb=2048 corpus_json

   Without libFuzzer (any compiler): -DREPLAY gives a main that runs the inputs named on its command
   line, which is how a crash is looked at and a corpus is run again; with `--seeds FOLDER` it
   writes valid inputs to start from:

     cc -g -O1 -DTARGET=json -DREPLAY -I. -Itools $sources -lm -o replay_json
     ./replay_json --seeds corpus_json && ./replay_json corpus_json/seed_0

   With -DOOM the last byte k of the input makes the k-th allocation fail.  Files are never touched:
   the macros through which slm.h opens them give the input instead.  An input is bad if it
   crashes, leaks, hangs, or makes a reader ask for more memory than 64 MiB and 64 times its size
   (a trap). */
#ifndef TARGET
#define TARGET json
#endif
#if !defined(_GNU_SOURCE) && !defined(_WIN32)
#define _GNU_SOURCE /* fmemopen */
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char *input;
static size_t input_size, in_use, memory_limit;
static unsigned allocations, fail_at;

typedef union head {
    size_t size;
    double d;
    void *p;
    long long l;
} head;

static void *counted_malloc(size_t size) {
    head *h;
    if (++allocations == fail_at) return NULL;
    if (size > memory_limit || in_use > memory_limit - size) {
        fprintf(stderr, "more memory than the input justifies: %zu and %zu more\n", in_use, size);
        abort();
    }
    h = (head *)malloc(sizeof *h + size);
    if (h == NULL) return NULL;
    h->size = size;
    in_use += size;
    return h + 1;
}

static void counted_free(void *p) {
    head *h = (head *)p;
    if (h == NULL) return;
    in_use -= h[-1].size;
    free(h - 1);
}

static unsigned char output[1 << 16]; /* what slm.h writes: only while seeds are made */
static size_t written;
static int unwanted; /* what is written now is no seed: the model folder around a run */

/* The pair of files of GPT-2 is one input: encoder.json, a NUL, vocab.bpe. */
static FILE *open_half(int second) {
    const unsigned char *cut = (const unsigned char *)memchr(input, 0, input_size);
    const unsigned char *start = input;
    size_t size;
    if (cut == NULL) return NULL;
    if (second) start = cut + 1;
    size = second ? input_size - (size_t)(start - input) : (size_t)(cut - input);
    return size > 0 ? fmemopen((void *)(uintptr_t)start, size, "rb") : NULL;
}

static FILE *open_input(const char *path, const char *mode) {
    if (strcmp(path, "input/encoder.json") == 0) return open_half(0);
    if (strcmp(path, "input/vocab.bpe") == 0) return open_half(1);
    if (mode[0] == 'w') {
        unwanted =
            strstr(path, "/model.safetensors") != NULL || strstr(path, "/config.json") != NULL;
        return tmpfile();
    }
    if (strstr(path, "input") == NULL || input_size == 0) return NULL;
    return fmemopen((void *)(uintptr_t)input, input_size, "rb");
}

static size_t keep_output(const void *bytes, size_t n) {
    if (unwanted) return n;
    if (n > sizeof output - written) return 0;
    memcpy(output + written, bytes, n);
    written += n;
    return n;
}

#define SLM_MALLOC(size) counted_malloc(size)
#define SLM_FREE(p) counted_free(p)
#define SLM__FOPEN(path, mode) open_input(path, mode)
#define SLM__FREAD(bytes, n, f) fread(bytes, 1, n, f)
#define SLM__FWRITE(bytes, n, f) keep_output(bytes, n)
#define SLM__FERROR(f) ferror(f)
#define SLM__FSEEK(f, at, whence) fseek(f, (long)(at), whence)
#define SLM__FTELL(f) ftell(f)
#define SLM__FSYNC(f) 0
#define SLM__FCLOSE(f) fclose(f)
#define SLM__RENAME(from, to) 0
#define SLM__REMOVE(path) -1
#define SLM__MKDIR(path) 0
#define SLM__SYNC_FOLDER(path) 0
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "common/npy.h"
#include "slm/convert.h"
#include "slm/gpt2.h"
#include "slm/losses_join.h"

static void require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static slm_error err;

static void fuzz_json(
    void) { /* what is accepted stays the same when it is written and read again */
    slm__json j, k;
    slm__writer again = {{NULL, 0, 0}, &err, SLM_OK};
    const slm__value *v, *w;
    size_t i, n;
    char text[48];
    if (slm__json_open(&j, (const char *)input, input_size, "input", &err) == SLM_OK) {
        v = slm__json_root(&j);
        n = j.values.size / sizeof *v;
        require(v->n_values == n, "root");
        for (i = 0; i < n; i++)
            require(v[i].n_values >= 1 && v[i].n_values <= n - i && v[i].start >= j.input &&
                        v[i].start < j.end,
                    "values");
        if (v->kind == SLM__JSON_STRING) {
            slm__print_string(&again, v->text, v->size);
            if (again.status == SLM_OK) {
                if (slm__json_open(&k, again.text.data, again.text.size, "again", &err) ==
                    SLM_OK) {
                    w = slm__json_root(&k);
                    require(w->size == v->size && memcmp(w->text, v->text, v->size) == 0,
                            "string");
                }
                slm__json_close(&k);
            }
        } else if (v->kind == SLM__JSON_NUMBER) {
            double d = slm__json_double(&j, v), back;
            if (j.status == SLM_OK) {
                require(slm__double_text(text, d), "finite");
                if (slm__json_open(&k, text, strlen(text), "again", &err) == SLM_OK) {
                    back = slm__json_double(&k, slm__json_root(&k));
                    require(memcmp(&d, &back, sizeof d) == 0, "number");
                }
                slm__json_close(&k);
            }
        }
    }
    slm__json_close(&j);
    slm__release(again.text.data);
}

static void fuzz_safetensors(void) {
    slm_safetensors *file;
    size_t i;
    if (slm_safetensors_open(&file, "input", &err) == SLM_OK) {
        for (i = 0; i < file->n; i++) {
            const slm_safetensors_entry *t = slm_safetensors_at(file, i);
            slm_real *out;
            if (t->n_dims < 1 || t->n_dims > 2 || t->count > 65536) continue;
            out = (slm_real *)malloc((size_t)t->count * sizeof *out + 1);
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

/* Ids of a text are in range, and can be decoded. */
static void encode(const slm_tokenizer *t, const char *text, size_t text_size) {
    int32_t *ids;
    size_t n, i, size;
    char *back;
    if (slm_tokenizer_encode(&ids, &n, t, text, text_size, &err) != SLM_OK) return;
    for (i = 0; i < n; i++)
        require(ids[i] >= 0 && ids[i] < slm_tokenizer_vocab(t), "id");
    if (slm_tokenizer_decode(&back, &size, t, ids, n, &err) == SLM_OK) slm_free(back);
    slm_free(ids);
}

static void fuzz_tokenizer(void) {
    static const char text[] = "Hello world, it'S 1234  \n\t na\xC3\xAFve \xE6\x97\xA5\xE6\x9C\xAC "
                               "\xF0\x9F\xA4\x97 \x80\xFF<|endoftext|>";
    static const char decomposed[] = "q\xCC\x81 e\xCC\x96\xCC\x81";
    slm_tokenizer *t;
    size_t i, size;
    if (slm_tokenizer_parse(&t, (const char *)input, input_size, "input", &err) != SLM_OK) return;
    encode(t, text, sizeof text - 1);
    encode(t, decomposed, sizeof decomposed - 1);
    for (i = 0; i < 300; i++)
        (void)slm_tokenizer_token(&size, t, (int32_t)i - 10);
    (void)slm_tokenizer_hash(t);
    slm_tokenizer_free(t);
}

/* The input as a text, cut by every rule: its bytes come back.  And whether it is in NFC. */
static void fuzz_pieces(void) {
    slm_tokenizer *t;
    slm__nfc *nfc;
    int32_t *ids;
    size_t n, size;
    char *back;
    if (slm_tokenizer_create_bytes(&t, &err) != SLM_OK) return;
    for (t->split = SLM__SPLIT_NONE; t->split <= SLM__SPLIT_QWEN; t->split++) {
        if (slm_tokenizer_encode(&ids, &n, t, (const char *)input, input_size, &err) != SLM_OK)
            continue;
        require(n == input_size, "bytes");
        if (slm_tokenizer_decode(&back, &size, t, ids, n, &err) == SLM_OK) {
            require(size == input_size && memcmp(back, input, size) == 0, "text");
            slm_free(back);
        }
        slm_free(ids);
    }
    slm_tokenizer_free(t);
    nfc = slm__nfc_new(&err);
    if (nfc == NULL) return;
    require(slm__nfc_check(nfc, (const char *)input, input_size) <= input_size, "place");
    slm__nfc_free(nfc);
}

static void fuzz_config(void) {
    slm_model_config c;
    if (slm__config_parse(&c, (const char *)input, input_size, "input", &err) != SLM_OK) return;
    require(c.vocab > 0 && c.dim > 0 && c.n_layers > 0 && c.n_heads > 0 && c.n_kv_heads > 0 &&
                c.head_dim > 0 && c.ffn > 0 && c.max_seq > 0 && c.n_heads % c.n_kv_heads == 0 &&
                c.rope_theta > 0 && c.norm_eps > 0 && slm_model_config_check(&c, &err) == SLM_OK,
            "config");
}

static void fuzz_index(void) { /* there are no shards: a listed file cannot be opened */
    slm_safetensors *all;
    slm__json j;
    if (slm__safetensors_create(&all, &err) != SLM_OK) return;
    if (slm__json_open(&j, (const char *)input, input_size, "input", &err) == SLM_OK)
        (void)slm__shards_add_listed(all, "folder/", &j, &err);
    require(all->n == 0, "a tensor out of nothing");
    slm__json_close(&j);
    slm_safetensors_close(all);
}

/* What is accepted is possible, finite, and joins with itself alone. */
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

static slm_trainer *trainer_of(uint64_t seed) {
    slm_model_config c;
    slm_model *model;
    slm_trainer *t;
    slm_train_options o = slm_train_defaults();
    memset(&c, 0, sizeof c);
    c.vocab = 3;
    c.dim = 2;
    c.n_layers = 1;
    c.n_heads = 1;
    c.ffn = 2;
    o.adamw.lr = 0.1;
    o.select.criterion = SLM_CRITERION_LOSS;
    fail_at = 0;
    if (slm_model_create(&model, &c, seed, &err) != SLM_OK ||
        slm_trainer_create(&t, model, &o, &err) != SLM_OK)
        require(0, err.text);
    return t;
}

static void fuzz_run(void) {
    static slm_trainer *t;
    unsigned k = fail_at;
    static slm_run run;
    if (t == NULL) {
        t = trainer_of(1);
        in_use = allocations = 0;
        fail_at = k;
    } /* it stays */
    t->steps = 7;
    run.cursor.seed = 1;
    run.corpus_hash = 99;
    if (slm_run_load(t, &run, "input", &err) != SLM_OK)
        require(t->steps == 7 && run.cursor.seed == 1, "touched");
}

/* Shape, tokenizer and the small tensors of what is accepted. */
static void fuzz_gguf(void) {
    static slm_real numbers[4096];
    slm_model_config config;
    slm_tokenizer *t = NULL;
    gguf_file *file;
    if (gguf_open(&file, open_input("input", "rb"), "input", &err) != SLM_OK) return;
    if (gguf_config(&config, file, &err) == SLM_OK)
        require(slm_model_config_check(&config, &err) == SLM_OK, "config");
    (void)gguf_tokenizer(&t, file, &err);
    slm_tokenizer_free(t);
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gguf_tensor *tensor = &file->tensors[i];
        require(tensor->offset + tensor->size <= input_size, "a tensor beyond the file");
        uint64_t n = 1;
        for (size_t k = 0; k < tensor->n_dims; k++)
            n *= tensor->dims[k];
        if (n <= 4096)
            require(gguf_read(numbers, file, tensor, 0, (size_t)n, &err) == SLM_OK, "numbers");
    }
    gguf_close(file);
}

static void fuzz_jsonl(void) {
    static const char *const fields[] = {NULL, "a", "a,b"};
    char *text;
    size_t size, i;
    for (i = 0; i < 3; i++)
        if (slm_text_read(&text, &size, "input.jsonl", fields[i], &err) == SLM_OK) {
            require(text[size] == 0, "NUL");
            slm_free(text);
        }
}

/* Records with fields that are masked, weights, and bad ones left out: the parts are in order and
   within the text, the weights are numbers. */
static void fuzz_records(void) {
    static const slm_text_options all[] = {{"a,b", 1, 0, "a", "w"}, {"a,b", 1, 1, NULL, "w"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        slm_text t;
        size_t end = 0;
        const char *text = (const char *)input;
        if (slm_text_parse(&t, text, input_size, "input", &all[i], &err) == SLM_OK) {
            for (size_t k = 0; k < t.n_parts; k++) {
                require(t.parts[k].start >= end && t.parts[k].start <= t.size, "a part");
                require(t.parts[k].weight >= 0 && t.parts[k].weight < 1e300, "a weight");
                end = t.parts[k].start;
            }
        }
        slm_text_free(&t);
    }
}

static void fuzz_gpt2(void) {
    slm_tokenizer *t;
    if (gpt2_tokenizer(&t, "input", &err) != SLM_OK) return;
    encode(t, "Hello world, it's 12", 20);
    slm_tokenizer_free(t);
}

static void fuzz_npy(void) {
    npy_header h;
    if (!npy_parse(&h, input, input_size)) return;
    require(h.start <= input_size && h.n_dims <= NPY_MAX_DIMS && h.width <= 8, "a header");
    require(h.width == 0 || h.n <= (input_size - h.start) / h.width, "an array beyond the file");
}

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const all[])(void) = {fuzz_json,  fuzz_safetensors, fuzz_tokenizer, fuzz_config,
                                        fuzz_index, fuzz_scores,      fuzz_run,       fuzz_jsonl,
                                        fuzz_pieces, fuzz_gguf,       fuzz_records,
                                        fuzz_gpt2,  fuzz_npy};
    size_t before = in_use;
    (void)all;
    input = data;
    input_size = size;
    memory_limit = (64u << 20) + 64 * size;
    allocations = fail_at = 0;
#ifdef OOM
    if (size > 0) fail_at = data[size - 1];
#endif
    JOIN(fuzz_, TARGET)();
    if (before == 0 && in_use != 0) require(0, "leak");
    return 0;
}

#ifdef REPLAY
static const char *seed_folder;

static void seed(const void *bytes, size_t size) {
    static int number;
    char path[1024];
    FILE *f;
    (void)snprintf(path, sizeof path, "%s/seed_%d", seed_folder, number++);
    f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) {
        printf("cannot write %s\n", path);
        exit(1);
    }
}

static void seed_texts(void) {
    static const char *const texts[] = {
        "{\"a\":[1,-2.5e-3,true,false,null,\"x\\u00e9\\ud83d\\ude00\\n\"]}",
        "\"text \\u20ac \xC3\xA9\"",
        "1.7976931348623157e308",
        "{\"model_type\":\"llama\",\"vocab_size\":20,\"hidden_size\":8,\"num_hidden_layers\":2,"
        "\"num_attention_heads\":2,\"intermediate_size\":12,"
        "\"num_key_value_heads\":1,\"head_dim\":4,\"rms_norm_eps\":1e-05,\"rope_theta\":500000.0,"
        "\"rope_scaling\":null,\"hidden_act\":\"silu\","
        "\"rope_parameters\":{\"rope_type\":\"default\",\"rope_theta\":500000.0},\"architectures\":"
        "[\"LlamaForCausalLM\"],\"tie_word_embeddings\":true}",
        "{\"model_type\":\"mistral\",\"vocab_size\":20,\"hidden_size\":8,\"num_hidden_layers\":2,"
        "\"num_attention_heads\":2,\"intermediate_size\":12,\"num_key_value_heads\":1,"
        "\"sliding_window\":64,\"bos_token_id\":1,\"eos_token_id\":[2,3],\"pad_token_id\":-1,"
        "\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8.0,\"low_freq_factor\":1.0,"
        "\"high_freq_factor\":4.0,\"original_max_position_embeddings\":8192}}",
        "{\"metadata\":{\"total_size\":1},\"weight_map\":{\"lm_head.weight\":\"model-00001-of-"
        "00002.safetensors\"}}",
        "{\"text\":\"one\"}\n\n{\"a\":\"q\",\"b\":\"r\",\"text\":\"two\\n\"}\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        seed(texts[i], strlen(texts[i]));
}

static void seed_tool_files(void) {
    static const char pair[] =
        "{\"a\":0,\"b\":1,\"ab\":2,\"<|endoftext|>\":3}\0#version: 0.2\na b\n";
    static const char records[] = "{\"a\":\"q\",\"b\":\"r\",\"w\":0.5}\n"
                                  "{\"a\":\"s\",\"b\":\"t\",\"w\":[0,2]}\n{\"b\":1}\n";
    unsigned char array[NPY_HEADER_SIZE + 24] = {0};
    seed(pair, sizeof pair - 1);
    seed(records, sizeof records - 1);
    npy_write_header(array, "<i4", 2, 3);
    seed(array, sizeof array);
}

static void seed_safetensors(void) {
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"b\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[24,32]}}";
    static unsigned char file[2048];
    slm__store(file, sizeof header - 1, 8);
    memcpy(file + 8, header, sizeof header - 1);
    seed(file, 8 + sizeof header - 1 + 32);
}

/* Losses of 5 targets in windows of 3. */
static void seed_losses(void) {
    slm_losses s;
    slm_real values[5] = {1, 2, 3, 4, 5};
    memset(&s, 0, sizeof s);
    s.n = 5;
    s.total = 5;
    s.T = 3;
    s.loss = values;
    s.entropy = values;
    written = 0;
    if (slm_losses_save(&s, "input", &err) != SLM_OK) exit(1);
    seed(output, written);
}

/* A run of the trainer above. */
static void seed_run(void) {
    slm_trainer *t = trainer_of(1);
    static slm_run run;
    written = 0;
    run.corpus_hash = 99;
    run.extra[0] = 'x';
    if (slm_run_save(t, "input", &run, &err) != SLM_OK) exit(1);
    seed(output, written);
    slm_model_free(t->model);
    slm_trainer_free(t);
}

#define LLAMA3                                                                                     \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}"           \
    "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define SEQUENCE "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":["

/* A tokenizer of 256 bytes and one merge, as short as the format allows.  Printable bytes stand
   for themselves, the others for characters from 256 on. */
static void seed_tokenizer(const char *options) {
    slm__writer w = {{NULL, 0, 0}, &err, SLM_OK};
    int other = 256;
    slm__print(&w, "{\"version\":\"1.0\",%s,", options);
    slm__print(&w, "\"decoder\":{\"type\":\"ByteLevel\"},"
                   "\"model\":{\"type\":\"BPE\",\"vocab\":{");
    for (int byte = 0; byte < 256; byte++) {
        int printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
        int code = printable ? byte : other++;
        slm__print(&w, "%s\"\\u%04x\":%d", byte > 0 ? "," : "", (unsigned)code, byte);
    }
    slm__print(&w, ",\"he\":256},\"merges\":[\"h e\"]}}");
    seed(w.text.data, w.text.size);
    slm__release(w.text.data);
}

/* A tokenizer of characters, likewise: U+2581 is a space. */
static void seed_characters(void) {
    slm__writer w = {{NULL, 0, 0}, &err, SLM_OK};
    slm__print(&w, "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":["
                   "{\"type\":\"Prepend\",\"prepend\":\"\xe2\x96\x81\"},"
                   "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},"
                   "\"content\":\"\xe2\x96\x81\"}]},");
    slm__print(&w, "\"decoder\":{\"type\":\"Sequence\",\"decoders\":["
                   "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\xe2\x96\x81\"},"
                   "\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},"
                   "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]},");
    slm__print(&w, "\"added_tokens\":[{\"id\":0,\"content\":\"<unk>\",\"normalized\":true}],"
                   "\"model\":{\"unk_token\":\"<unk>\",\"fuse_unk\":true,"
                   "\"byte_fallback\":true,\"vocab\":{\"<unk>\":0,\"<0xC3>\":1,\"<0xAF>\":2,"
                   "\"\xe2\x96\x81\":3,\"o\":4,\"\xe2\x96\x81o\":5},"
                   "\"merges\":[\"\xe2\x96\x81 o\"]}}");
    seed(w.text.data, w.text.size);
    slm__release(w.text.data);
}

/* A GGUF file with a tokenizer of bytes, or of characters. */
static void seed_gguf(int of_characters) {
    static const char *const texts[] = {"<unk>", "<0x41>", "a", "b", "ab", "\xe2\x96\x81"};
    static const uint32_t types[] = {2, 6, 1, 1, 1, 1};
    static unsigned char bytes[1 << 14];
    gguf_writer w;
    FILE *f = tmpfile();
    if (f == NULL) exit(1);
    gguf_begin(&w, f, 1);
    gguf_put_text(&w, "general.architecture", "llama");
    gguf_put_u32(&w, "llama.context_length", 8);
    gguf_put_u32(&w, "llama.embedding_length", 4);
    gguf_put_u32(&w, "llama.block_count", 1);
    gguf_put_u32(&w, "llama.feed_forward_length", 4);
    gguf_put_u32(&w, "llama.attention.head_count", 2);
    gguf_put_f32(&w, "llama.attention.layer_norm_rms_epsilon", 1e-5);
    gguf_put_text(&w, "tokenizer.ggml.model", of_characters ? "llama" : "gpt2");
    gguf_put_text(&w, "tokenizer.ggml.pre", of_characters ? "default" : "gpt-2");
    gguf_put_array(&w, "tokenizer.ggml.tokens", GGUF_TEXT, 6);
    for (int i = 0; i < 6; i++)
        gguf_item_text(&w, texts[i], strlen(texts[i]));
    gguf_put_array(&w, "tokenizer.ggml.token_type", GGUF_I32, 6);
    for (int i = 0; i < 6; i++)
        gguf_item_u32(&w, types[i]);
    gguf_put_array(&w, "tokenizer.ggml.scores", GGUF_F32, 6);
    for (int i = 0; i < 6; i++)
        gguf_item_f32(&w, -i);
    gguf_put_array(&w, "tokenizer.ggml.merges", GGUF_TEXT, 1);
    gguf_item_text(&w, "a b", 3);
    gguf_end_keys(&w);
    gguf_list_tensor(&w, "token_embd.weight", NUMBER_F16, 6, 4);
    gguf_pad(&w);
    for (int i = 0; i < 12; i++)
        gguf_item_u32(&w, 0x3c003c00);
    if (ferror(f) || fseek(f, 0, SEEK_SET) != 0) exit(1);
    seed(bytes, fread(bytes, 1, sizeof bytes, f));
    (void)fclose(f);
}

/* Valid inputs of the target.  What slm.h writes goes into memory, since it cannot reach files. */
static void seeds(const char *folder) {
    seed_folder = folder;
    memory_limit = SIZE_MAX;
    seed_texts();
    seed_tool_files();
    seed_safetensors();
    seed_losses();
    seed_run();
    seed_tokenizer("\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false}");
    seed_tokenizer(SEQUENCE "{\"type\":\"Digits\",\"individual_digits\":true},"
                            "{\"type\":\"ByteLevel\"}]},\"normalizer\":{\"type\":\"NFC\"}");
    seed_tokenizer(SEQUENCE "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" LLAMA3 "\"},"
                            "\"behavior\":\"Isolated\"},"
                            "{\"type\":\"ByteLevel\",\"use_regex\":false}]},\"added_tokens\":["
                            "{\"id\":257,\"content\":\"<|endoftext|>\",\"special\":true}]");
    seed_characters();
    seed_gguf(0);
    seed_gguf(1);
}

static int cannot_read(const char *name) {
    printf("cannot read %s\n", name);
    return 1;
}

int main(int argc, char **argv) {
    static unsigned char bytes[1 << 22];
    int i;
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
        seeds(argv[2]);
        return 0;
    }
    for (i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        size_t size;
        if (f == NULL) return cannot_read(argv[i]);
        size = fread(bytes, 1, sizeof bytes, f);
        if (ferror(f) || size == sizeof bytes) return cannot_read(argv[i]);
        (void)fclose(f);
        (void)LLVMFuzzerTestOneInput(bytes, size);
    }
    printf("%d inputs, none bad\n", argc - 1);
    return 0;
}
#endif
