/* The limits that SECURITY.md states: whatever is in a file of n bytes, a reader takes at most
   64 MiB and 64 n bytes of memory, and 2 microseconds of the processor for each byte and half a
   second.  Each kind of file is made to cost as much as it can, in two sizes.
   build/tests/limits [SCRATCH_FOLDER] */
#include <stdint.h>
#include <stdlib.h>

/* ---- memory: what is held, and the most that was ---- */
typedef union block_head {
    size_t size;
    double align[2];
} block_head;

static size_t held, most_held;

static void *allocate(size_t size) {
    block_head *head = size < SIZE_MAX - sizeof *head ? malloc(sizeof *head + size) : NULL;
    if (head == NULL) return NULL;
    head->size = size;
    held += size;
    if (held > most_held) most_held = held;
    return head + 1;
}

static void release(void *pointer) {
    block_head *head = (block_head *)pointer;
    if (head == NULL) return;
    held -= head[-1].size;
    free(head - 1);
}

#define SLM_MALLOC(size) allocate(size)
#define SLM_FREE(pointer) release(pointer)
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "check.h"
#include <time.h>

#define MEMORY_BASE ((size_t)64 << 20)
#define MEMORY_PER_BYTE 64
#define SECONDS_BASE 0.5
#define SECONDS_PER_BYTE 2e-6

static const size_t sizes[] = {200000, 3000000};

static slm_error err;
static char path[1024];

/* ---- the bytes of a file that grows ---- */
typedef struct text {
    char *bytes;
    size_t size, room;
} text;

/* Appends the bytes of s, up to its NUL; but for a '#' the number, and for a '@' number % 80 times
   the letter x. */
static void put(text *t, const char *s, size_t number) {
    for (; *s != 0; s++) {
        if (t->size + 100 > t->room) {
            t->room = 2 * t->room + 1000;
            t->bytes = (char *)realloc(t->bytes, t->room);
            if (t->bytes == NULL) exit(1);
        }
        if (*s == '#') {
            t->size += (size_t)snprintf(t->bytes + t->size, 100, "%zu", number);
        } else if (*s == '@') {
            memset(t->bytes + t->size, 'x', number % 80);
            t->size += number % 80;
        } else {
            t->bytes[t->size++] = *s;
        }
    }
}

/* ---- readers ---- */
static slm_status read_tokenizer(const text *t) {
    slm_tokenizer *tokenizer;
    slm_status status = slm_tokenizer_parse(&tokenizer, t->bytes, t->size, "limits", &err);
    slm_tokenizer_free(tokenizer);
    return status;
}

static slm_status read_config(const text *t) {
    slm_model_config config;
    return slm__config_parse(&config, t->bytes, t->size, "limits", &err);
}

static slm_status read_records(const text *t) {
    slm_text_options options;
    slm_text read;
    memset(&options, 0, sizeof options);
    slm_status status = slm_text_parse(&read, t->bytes, t->size, "limits.jsonl", &options, &err);
    slm_text_free(&read);
    return status;
}

static slm_status read_safetensors(const text *t) {
    slm_safetensors *file = NULL;
    uint64_t n = t->size - 8;
    FILE *f = fopen(path, "wb");
    if (f == NULL) exit(1);
    for (size_t i = 0; i < 8; i++)
        t->bytes[i] = (char)(unsigned char)(n >> 8 * i);
    if (fwrite(t->bytes, 1, t->size, f) != t->size || fclose(f) != 0) exit(1);
    slm_status status = slm_safetensors_open(&file, path, &err);
    slm_safetensors_close(file);
    return status;
}

static slm_status encode(const text *t) {
    static const char learned[] = "aaaa abcabc aaaaaaaa abcaab aabbcc aaaaaaaa abcabc aabbcc";
    slm_tokenizer *tokenizer;
    int32_t *ids = NULL;
    size_t n;
    slm_status status =
        slm_tokenizer_train(&tokenizer, learned, sizeof learned - 1, 270, NULL, NULL, &err);
    if (status == SLM_OK)
        status = slm_tokenizer_encode(&ids, &n, tokenizer, t->bytes, t->size, &err);
    slm_free(ids);
    slm_tokenizer_free(tokenizer);
    return status;
}

/* ---- files: a head, what is repeated until the file is large enough, and a tail ---- */
#define ADDED "{\"added_tokens\":[{\"id\":1,\"content\":\"<|x\"}"
#define MODEL                                                                                      \
    "],\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},"                     \
    "\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0"
#define MERGES "},\"merges\":["
#define EMPTY ":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}"

typedef struct kind {
    const char *name;
    slm_status (*read)(const text *t);
    int is_good; /* 1: it is read; 0: it is refused */
    const char *head, *item, *tail; /* items are numbered from 2 on */
} kind;

static const kind kinds[] = {
    {"many added tokens", read_tokenizer, 1, ADDED, ",{\"id\":#,\"content\":\"<|x#\"}",
     MODEL MERGES "]}}"},
    {"added tokens that begin one another", read_tokenizer, 1, ADDED,
     ",{\"id\":#,\"content\":\"@#\"}", MODEL MERGES "]}}"},
    {"a long vocabulary", read_tokenizer, 1, "{\"added_tokens\":[" MODEL ",\"b\":1", ",\"a#\":#",
     MERGES "]}}"},
    {"a distant id", read_tokenizer, 0,
     "{\"added_tokens\":[" MODEL ",\"b\":2000000000" MERGES "\"a b\"", ",\"a b\"", "]}}"},
    {"deep JSON", read_tokenizer, 0, "", "[{\"a\":", ""},
    {"many values", read_tokenizer, 0, "[0", ",0", "]"},
    {"one key again and again", read_tokenizer, 0, "{\"k\":0", ",\"k\":0", "}"},
    {"escapes", read_tokenizer, 0, "{\"version\":\"", "\\u00e9", "\"}"},
    {"a configuration of many keys", read_config, 0, "{\"model_type\":\"llama\"", ",\"k#\":[]",
     "}"},
    {"small records", read_records, 1, "", "{\"text\":\"\"}\n", ""},
    {"one letter", encode, 1, "", "aaaaaaaaaaaaaaaaaaaaaaaaa", ""},
    {"letters by turns", encode, 1, "", "abcabcaabbcc", ""},
    {"no characters", encode, 1, "", "\xF0\x9F\xFE\xC3 \x80", ""},
    {"many tensors", read_safetensors, 1, "........{\"a\"" EMPTY, ",\"t#\"" EMPTY, "}"},
    {"long metadata", read_safetensors, 1, "........{\"__metadata__\":{\"a\":\"\"", ",\"#\":\"\"",
     "}}"},
};

static void test_kind(const kind *k, size_t size) {
    text t = {NULL, 0, 0};
    put(&t, k->head, 1);
    for (size_t i = 2; t.size < size; i++)
        put(&t, k->item, i);
    put(&t, k->tail, 0);
    most_held = held;
    const size_t before = held;
    const clock_t start = clock();
    const slm_status status = k->read(&t);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    const double bytes = (double)(most_held - before);
    const double n = (double)t.size;

    printf("%-36s %8zu bytes: %5.1f times as much memory, %6.3f us a byte\n", k->name, t.size,
           bytes / n, 1e6 * seconds / n);
    CHECK((status == SLM_OK) == k->is_good, "%s: status %d: %s", k->name, (int)status, err.text);
    CHECK(bytes <= (double)MEMORY_BASE + MEMORY_PER_BYTE * n, "%s: %.0f bytes of memory for %.0f",
          k->name, bytes, n);
    CHECK(seconds <= SECONDS_BASE + SECONDS_PER_BYTE * n, "%s: %.3f seconds for %.0f bytes",
          k->name, seconds, n);
    CHECK(held == before, "%s: %zu bytes are lost", k->name, held - before);
    free(t.bytes);
}

int main(int argc, char **argv) {
    (void)snprintf(path, sizeof path, "%s/limits.safetensors", argc > 1 ? argv[1] : "build/tmp");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            test_kind(&kinds[i], sizes[k]);
    return check_end();
}
