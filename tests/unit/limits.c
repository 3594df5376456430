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

static void put(text *t, const char *format, ...) {
    va_list arguments;
    if (t->size + 200 > t->room) {
        t->room = 2 * t->room + 1000;
        t->bytes = (char *)realloc(t->bytes, t->room);
        if (t->bytes == NULL) exit(1);
    }
    va_start(arguments, format);
    t->size += (size_t)vsnprintf(t->bytes + t->size, 200, format, arguments);
    va_end(arguments);
}

/* ---- tokenizers ---- */
#define HEAD "{\"added_tokens\":["
#define MIDDLE                                                                                     \
    "],\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},"                     \
    "\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":{"

static void added_token(text *t, size_t id, const char *content, size_t number) {
    put(t, "%s{\"id\":%zu,\"content\":\"%s%zu\",\"normalized\":false,\"special\":true}",
        t->size > sizeof HEAD ? "," : "", id, content, number);
}

/* As many added tokens as there is room for; each but the first begins as another one does. */
static void many_added(text *t, size_t size) {
    put(t, HEAD);
    for (size_t i = 0; t->size < size; i++)
        added_token(t, 1 + i, "<|x", i);
    put(t, MIDDLE "\"a\":0},\"merges\":[]}}");
}

/* Each added token is the beginning of the next one. */
static void nested_added(text *t, size_t size) {
    char content[180];
    put(t, HEAD);
    for (size_t i = 0; t->size < size; i++) {
        memset(content, 'x', sizeof content);
        content[1 + i % (sizeof content - 100)] = 0;
        added_token(t, 1 + i, content, i);
    }
    put(t, MIDDLE "\"a\":0},\"merges\":[]}}");
}

static void long_vocabulary(text *t, size_t size) {
    put(t, HEAD MIDDLE "\"a\":0");
    for (size_t i = 1; t->size < size; i++)
        put(t, ",\"a%zu\":%zu", i, i);
    put(t, "},\"merges\":[]}}");
}

/* One token whose id is far away: a table by id would be large. */
static void distant_id(text *t, size_t size) {
    put(t, HEAD MIDDLE "\"a\":0,\"b\":2000000000},\"merges\":[");
    for (size_t i = 0; t->size < size; i++)
        put(t, "%s\"a b\"", i > 0 ? "," : "");
    put(t, "]}}");
}

static slm_status read_tokenizer(const text *t) {
    slm_tokenizer *tokenizer;
    slm_status status = slm_tokenizer_parse(&tokenizer, t->bytes, t->size, "limits", &err);
    slm_tokenizer_free(tokenizer);
    return status;
}

/* ---- JSON of any kind, as a tokenizer ---- */
static void deep(text *t, size_t size) {
    while (t->size < size)
        put(t, "[{\"a\":");
}

static void many_values(text *t, size_t size) {
    put(t, "[0");
    while (t->size < size)
        put(t, ",0");
    put(t, "]");
}

static void same_keys(text *t, size_t size) {
    put(t, "{\"k\":0");
    while (t->size < size)
        put(t, ",\"k\":0");
    put(t, "}");
}

static void escapes(text *t, size_t size) {
    put(t, "{\"version\":\"");
    while (t->size < size)
        put(t, "\\u00e9");
    put(t, "\"}");
}

/* ---- texts ---- */
static void small_records(text *t, size_t size) {
    while (t->size < size)
        put(t, "{\"text\":\"\"}\n");
}

static slm_status read_records(const text *t) {
    slm_text_options options;
    slm_text read;
    memset(&options, 0, sizeof options);
    slm_status status = slm_text_parse(&read, t->bytes, t->size, "limits.jsonl", &options, &err);
    slm_text_free(&read);
    return status;
}

/* One run that no pre-tokenizer cuts; blanks, which Llama's tokenizers do not cut either; bytes
   that are no characters. */
static void one_letter(text *t, size_t size) {
    while (t->size < size)
        put(t, "aaaaaaaaaaaaaaaaaaaaaaaaa");
}

static void letters_by_turns(text *t, size_t size) {
    while (t->size < size)
        put(t, "abcabcaabbcc");
}

static void no_characters(text *t, size_t size) {
    while (t->size < size)
        put(t, "\xF0\x9F\xFE\xC3 \x80");
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

/* ---- safetensors ---- */
static void with_size(text *t) {
    uint64_t n = t->size - 8;
    for (size_t i = 0; i < 8; i++)
        t->bytes[i] = (char)(unsigned char)(n >> 8 * i);
}

static void many_tensors(text *t, size_t size) {
    put(t, "........{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}");
    for (size_t i = 0; t->size < size; i++)
        put(t, ",\"t%zu\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}", i);
    put(t, "}");
    with_size(t);
}

static void long_metadata(text *t, size_t size) {
    put(t, "........{\"__metadata__\":{\"a\":\"\"");
    for (size_t i = 0; t->size < size; i++)
        put(t, ",\"%zu\":\"\"", i);
    put(t, "}}");
    with_size(t);
}

static slm_status read_safetensors(const text *t) {
    slm_safetensors *file = NULL;
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(t->bytes, 1, t->size, f) != t->size || fclose(f) != 0) exit(1);
    slm_status status = slm_safetensors_open(&file, path, &err);
    slm_safetensors_close(file);
    return status;
}

/* ---- all of them ---- */
typedef struct kind {
    const char *name;
    void (*make)(text *t, size_t size);
    slm_status (*read)(const text *t);
    int is_good; /* 1: it is read; 0: it is refused */
} kind;

static const kind kinds[] = {
    {"many added tokens", many_added, read_tokenizer, 1},
    {"added tokens that begin one another", nested_added, read_tokenizer, 1},
    {"a long vocabulary", long_vocabulary, read_tokenizer, 1},
    {"a distant id", distant_id, read_tokenizer, 0},
    {"deep JSON", deep, read_tokenizer, 0},
    {"many values", many_values, read_tokenizer, 0},
    {"one key again and again", same_keys, read_tokenizer, 0},
    {"escapes", escapes, read_tokenizer, 0},
    {"small records", small_records, read_records, 1},
    {"one letter", one_letter, encode, 1},
    {"letters by turns", letters_by_turns, encode, 1},
    {"no characters", no_characters, encode, 1},
    {"many tensors", many_tensors, read_safetensors, 1},
    {"long metadata", long_metadata, read_safetensors, 1},
};

static void test_kind(const kind *k, size_t size) {
    text t = {NULL, 0, 0};
    k->make(&t, size);
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
