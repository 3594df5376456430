/* The reader of safetensors: headers by name, each with its status; every truncation and every
   flipped bit of a small file; F16, BF16 and F64 to the bit; names, shapes and metadata.
   cc -I. -Itests/support tests/unit/safetensors.c -lm && ./a.out [SCRATCH_FOLDER] */
#include "inject.h"
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "check.h"
#include "quoted.h"
#include "safetensors_cases.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- files in memory ---- */
static unsigned char made[1 << 20];

/* Makes a file of a header and n bytes of data: 0, 1, 2, ...  Returns its size. */
static size_t make(const char *header, size_t n) {
    size_t n_header = strlen(header);

    slm__store(made, n_header, 8);
    memcpy(made + 8, header, n_header);
    for (size_t i = 0; i < n; i++)
        made[8 + n_header + i] = (unsigned char)i;
    return 8 + n_header + n;
}

static slm_status open_bytes(const void *bytes, size_t n, slm_error *err) {
    slm_safetensors *file;
    slm_status status;

    put("t.safetensors", bytes, n);
    err->text[0] = 0;
    status = slm_safetensors_open(&file, in("t.safetensors"), err);
    CHECK((status == SLM_OK) == (file != NULL), "a file after a failure, or none");
    if (status != SLM_OK)
        CHECK(strstr(err->text, "t.safetensors") != NULL && strchr(err->text, '\n') == NULL,
              "message: %s", err->text);
    slm_safetensors_close(file);
    return status;
}

/* ---- what must load and what must not ---- */
static void headers(void) {
    slm_error err;

    for (size_t i = 0; i < COUNT(good_headers); i++) {
        size_t n = make(quoted(good_headers[i].header), good_headers[i].n_data);
        CHECK(open_bytes(made, n, &err) == SLM_OK, "%s: %s", good_headers[i].name, err.text);
    }
    for (size_t i = 0; i < COUNT(bad_headers); i++) {
        size_t n = make(quoted(bad_headers[i].header), bad_headers[i].n_data);
        CHECK(open_bytes(made, n, &err) == SLM_ERR_FORMAT, "%s: accepted", bad_headers[i].name);
    }
}

/* The length of the header is the first thing that a file says. */
static void header_lengths(void) {
    static const uint64_t lengths[] = {3,
                                       4,
                                       100,
                                       100000000,
                                       100000001,
                                       0x7fffffff,
                                       0x80000000u,
                                       0xffffffffu,
                                       0x100000000ULL,
                                       0x7fffffffffffffffULL,
                                       0x8000000000000000ULL,
                                       0xfffffffffffffff8ULL,
                                       0xffffffffffffffffULL};
    size_t n;
    slm_error err;

    for (size_t i = 0; i < 8; i++)
        CHECK(open_bytes("\2\0\0\0\0\0\0\0", i, &err) == SLM_ERR_FORMAT, "%zu bytes", i);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        (void)make("{}", 0);
        slm__store(made, lengths[i], 8);
        CHECK(open_bytes(made, 10, &err) == SLM_ERR_FORMAT, "header length %llu",
              (unsigned long long)lengths[i]);
    }
    n = make("{}  ", 0);
    made[10] = 0;
    made[11] = 0;
    CHECK(open_bytes(made, n, &err) == SLM_ERR_FORMAT, "padded with NULs");

    memset(made, '[', 200000);
    slm__store(made, 199992, 8);
    CHECK(open_bytes(made, 200000, &err) == SLM_ERR_FORMAT, "deep nesting");
}

static void no_file(void) {
    slm_safetensors *file;
    slm_error err;

    CHECK(slm_safetensors_open(&file, in("nothing here"), &err) == SLM_ERR_IO && file == NULL,
          "no such file");
    CHECK(slm_safetensors_open(&file, root, &err) == SLM_ERR_IO && file == NULL, "a folder: %s",
          err.text);
    slm_safetensors_close(NULL);
}

static void no_memory_to_open(void) {
    slm_error err;
    char path[600];
    char *bytes;
    size_t n;

    (void)snprintf(path, sizeof path, "%s/some", root);
    CHECK(slm_file_write(path, "some", 4, &err) == SLM_OK, "%s", err.text);
    io_code = ENOMEM;
    for (io_fail_at = 1; io_fail_at <= 2; io_fail_at++) {
        io_calls = 0;
        slm_status status = slm_file_read(&bytes, &n, path, &err);
        CHECK(status == SLM_ERR_MEMORY, "status %d: %s", (int)status, err.text);
    }
    io_calls = 0;
    io_fail_at = 1;
    slm_status status = slm_file_write(path, "some", 4, &err);
    CHECK(status == SLM_ERR_MEMORY, "status %d: %s", (int)status, err.text);
    io_fail_at = 0;
    io_error = 0;
    io_code = EIO;
}

/* ---- damage ---- */
/* Reads all small matrices; a damaged file that still opens must be consistent enough for that. */
static void read_all(slm_safetensors *file) {
    slm_real out[6];
    slm_error err;

    for (size_t i = 0; i < slm_safetensors_count(file); i++) {
        const slm_safetensors_entry *t = slm_safetensors_at(file, i);

        slm_status status = SLM_OK; /* any will do: no crash is the property */

        if (t->count <= COUNT(out))
            status = slm_safetensors_read(out, file, t->name, (size_t)t->count, &err);
        (void)status;
    }
}

/* Every truncation, and every bit of the length and of the header flipped. */
static void damage(void) {
    const char *header =
        quoted("{'__metadata__':{'k':'v'},'a':{'dtype':'F32','shape':[2,3],'data_offsets':[0,24]},"
               "'b':{'dtype':'BF16','shape':[4],'data_offsets':[24,32]}}");
    static unsigned char copy[512];
    size_t n = make(header, 32);
    size_t n_bits = 8 * (8 + strlen(header));
    slm_error err;

    memcpy(copy, made, n);
    CHECK_OK(open_bytes(copy, n, &err), err);
    for (size_t i = 0; i < n; i++)
        CHECK(open_bytes(copy, i, &err) == SLM_ERR_FORMAT,
              "the first %zu of %zu bytes were accepted", i, n);
    copy[n] = 0;
    CHECK(open_bytes(copy, n + 1, &err) == SLM_ERR_FORMAT, "one byte more was accepted");

    for (size_t i = 0; i < n_bits; i++) {
        unsigned char bit = (unsigned char)(1 << i % 8);

        copy[i / 8] ^= bit;
        if (open_bytes(copy, n, &err) == SLM_OK) {
            slm_safetensors *file;

            if (slm_safetensors_open(&file, in("t.safetensors"), &err) == SLM_OK) read_all(file);
            slm_safetensors_close(file);
        }
        copy[i / 8] ^= bit;
    }
}

/* ---- numbers ---- */
static int same(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

/* What the bits of an F16 mean, by its definition. */
static double f16_value(size_t bits) {
    int exponent = (int)(bits >> 10 & 31);
    double fraction = (double)(bits & 1023);
    double sign = bits >> 15 ? -1 : 1;

    if (exponent == 31 && fraction > 0) return (double)NAN;
    if (exponent == 31) return sign * (double)INFINITY;
    if (exponent == 0) return sign * fraction / 16777216.0;
    return sign * (1024 + fraction) * pow(2.0, exponent - 25);
}

enum { N = 65536, HALVES = 2 * N }; /* all numbers of 16 bits, and the bytes that they take */

/* A file with every F16 ("h"), every BF16 ("b"), one F64 ("d") and one I32 ("i"). */
static slm_safetensors *open_numbers(void) {
    const char *header =
        quoted("{'h':{'dtype':'F16','shape':[65536],'data_offsets':[0,131072]},"
               "'b':{'dtype':'BF16','shape':[256,256],'data_offsets':[131072,262144]},"
               "'__metadata__':{'format':'pt','a':''},"
               "'d':{'dtype':'F64','shape':[],'data_offsets':[262144,262152]},"
               "'i':{'dtype':'I32','shape':[1],'data_offsets':[262152,262156]}}");
    size_t n = make(header, 2 * HALVES + 12);
    unsigned char *data = made + 8 + strlen(header);
    slm_safetensors *file;
    slm_error err;

    for (size_t i = 0; i < N; i++) {
        slm__store(data + 2 * i, i, 2);
        slm__store(data + HALVES + 2 * i, i, 2);
    }
    memcpy(data + 2 * HALVES, "\x00\x00\x00\x00\x00\x00\xf8\xbf", 8);
    put("t.safetensors", made, n);
    CHECK_OK(slm_safetensors_open(&file, in("t.safetensors"), &err), err);
    return file;
}

static void numbers(void) {
    static slm_real out[N];
    slm_safetensors *file = open_numbers();
    slm_error err;

    CHECK_OK(slm_safetensors_read(out, file, "h", N, &err), err);
    for (size_t i = 0; i < N; i++)
        CHECK(same((double)out[i], f16_value(i)), "F16 %04zx: %g, not %g", i, (double)out[i],
              f16_value(i));

    CHECK_OK(slm_safetensors_read(out, file, "b", N, &err), err);
    for (size_t i = 0; i < N; i++) {
        uint32_t bits = (uint32_t)i << 16;
        float want;

        memcpy(&want, &bits, 4);
        CHECK(same((double)out[i], (double)want), "BF16 %04zx: %g, not %g", i, (double)out[i],
              (double)want);
    }

    CHECK_OK(slm_safetensors_read(out, file, "d", 1, &err), err);
    CHECK(same((double)out[0], -1.5), "F64: %g", (double)out[0]);
    CHECK(slm_safetensors_read(out, file, "i", 1, &err) == SLM_ERR_FORMAT &&
              strstr(err.text, "I32") != NULL,
          "I32: %s", err.text);
    CHECK(slm_safetensors_read(out, file, "x", 1, &err) == SLM_ERR_FORMAT &&
              strstr(err.text, "\"x\"") != NULL,
          "missing: %s", err.text);
    CHECK(slm_safetensors_read(out, file, "b", N - 1, &err) == SLM_ERR_FORMAT &&
              strstr(err.text, "65536") != NULL,
          "count: %s", err.text);
    slm_safetensors_close(file);
}

/* A part of a tensor is what the whole has there; nothing beyond its end is read. */
static void parts(void) {
    static slm_real whole[N];
    static slm_real out[N];
    static const size_t firsts[] = {0, 1, 2047, 5000, N - 1, N};
    slm_safetensors *file = open_numbers();
    slm_error err;

    CHECK_OK(slm_safetensors_read(whole, file, "b", N, &err), err);
    for (size_t i = 0; i < COUNT(firsts); i++) {
        size_t first = firsts[i];
        size_t n = N - first < 4099 ? N - first : 4099;
        CHECK_OK(slm_safetensors_read_part(out, file, "b", first, n, &err), err);
        CHECK(memcmp(out, whole + first, n * sizeof *out) == 0, "%zu from %zu on", n, first);
        CHECK(slm_safetensors_read_part(out, file, "b", first, N - first + 1, &err) ==
                  SLM_ERR_FORMAT,
              "one more than there are from %zu on", first);
    }
    CHECK(slm_safetensors_read_part(out, file, "b", UINT64_MAX, 2, &err) == SLM_ERR_FORMAT &&
              strstr(err.text, "65536") != NULL,
          "beyond the end: %s", err.text);
    CHECK(slm_safetensors_read_part(out, file, "i", 0, 1, &err) == SLM_ERR_FORMAT, "I32");
    CHECK(slm_safetensors_read_part(out, file, "x", 0, 1, &err) == SLM_ERR_FORMAT, "missing");
    slm_safetensors_close(file);
}

/* Models demand rows and columns. */
static void matrices(void) {
    static slm_real out[N];
    slm_safetensors *file = open_numbers();
    slm_error err;

#define MATRIX(name, rows, cols) slm__safetensors_read_matrix(out, file, name, rows, cols, &err)
    CHECK_OK(MATRIX("b", 256, 256), err);
    CHECK_OK(MATRIX("h", 1, N), err);
    CHECK_OK(MATRIX("d", 1, 1), err);
    CHECK(MATRIX("b", 128, 512) == SLM_ERR_FORMAT && strstr(err.text, "[256,256]") != NULL,
          "shape: %s", err.text);
    CHECK(MATRIX("b", 1, N) == SLM_ERR_FORMAT, "flattened");
    CHECK(MATRIX("h", N, 1) == SLM_ERR_FORMAT, "a column");
    CHECK(MATRIX("i", 1, 1) == SLM_ERR_FORMAT, "I32");
    slm_safetensors_close(file);
}

/* BF16 is written as the nearest number, ties to even. */
static void bf16_rounding(void) {
    static const struct {
        uint32_t bits;
        unsigned want;
    } cases[] = {{0x3f808000, 0x3f80}, {0x3f818000, 0x3f82}, {0x3f808001, 0x3f81},
                 {0xbf808000, 0xbf80}, {0x7f800000, 0x7f80}, {0x7f7fffff, 0x7f80},
                 {0x7fffffff, 0x7fc0}, {0x7f800001, 0x7fc0}, {0x80000000, 0x8000}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned char bytes[2];
        float f;

        memcpy(&f, &cases[i].bits, 4);
        slm__number_store(bytes, (slm_real)f, SLM_DTYPE_BF16);
        CHECK(slm__load(bytes, 2) == cases[i].want, "%08x as BF16 is %04x", (unsigned)cases[i].bits,
              (unsigned)slm__load(bytes, 2));
    }
}

/* ---- what a file holds ---- */
static void entries(void) {
    slm_safetensors *file = open_numbers();
    const slm_safetensors_entry *b = slm_safetensors_at(file, 0);

    CHECK(slm_safetensors_count(file) == 4, "%zu tensors", slm_safetensors_count(file));
    CHECK(strcmp(b->name, "b") == 0 && b->dtype == SLM_DTYPE_BF16, "%s", b->name);
    CHECK(b->n_dims == 2 && b->dims[0] == 256 && b->dims[1] == 256 && b->count == N, "shape");
    CHECK(made[b->offset + 2] == 1 && made[b->offset + 3] == 0, "offset %llu",
          (unsigned long long)b->offset);
    CHECK(slm_safetensors_find(file, "b") == b, "the same tensor by name");
    CHECK(slm_safetensors_find(file, "a") == NULL, "a name that is not there");
    CHECK(slm_safetensors_at(file, 4) == NULL, "a fifth tensor");
    CHECK(strcmp(slm_dtype_name(b->dtype), "BF16") == 0, "%s", slm_dtype_name(b->dtype));
    CHECK(strcmp(slm_dtype_name(SLM_DTYPE_F6_E3M2), "F6_E3M2") == 0, "the last dtype");
    CHECK(strcmp(slm_dtype_name((slm_dtype)99), "unknown") == 0, "no dtype");
    slm_safetensors_close(file);
}

static void metadata(void) {
    slm_safetensors *file = open_numbers();
    size_t n;
    slm_error err;

    CHECK(strcmp(slm_safetensors_metadata(file, "format"), "pt") == 0, "format");
    CHECK(strcmp(slm_safetensors_metadata(file, "a"), "") == 0, "a");
    CHECK(slm_safetensors_metadata(file, "pt") == NULL, "a value as a key");
    CHECK(slm_safetensors_metadata(file, "") == NULL, "the empty key");
    slm_safetensors_close(file);

    n = make(quoted("{'__metadata__':{'a':'1','b':'2','\\u0061':'3'}}"), 0);
    put("t.safetensors", made, n);
    CHECK_OK(slm_safetensors_open(&file, in("t.safetensors"), &err), err);
    CHECK(slm_safetensors_metadata(file, "b") != NULL, "a key beside one that is there twice");
    CHECK(slm_safetensors_metadata(file, "a") == NULL, "a key that is there twice");
    slm_safetensors_close(file);

    n = make("{}", 0);
    put("t.safetensors", made, n);
    CHECK_OK(slm_safetensors_open(&file, in("t.safetensors"), &err), err);
    CHECK(slm_safetensors_metadata(file, "format") == NULL, "no metadata");
    CHECK(slm_safetensors_count(file) == 0 && slm_safetensors_find(file, "a") == NULL, "empty");
    slm_safetensors_close(file);
}

int main(int argc, char **argv) {
    slm_error err;

    (void)snprintf(root, sizeof root, "%s/safetensors", argc > 1 ? argv[1] : "build/tmp");
    if (slm__make_folder(root, &err) != SLM_OK) {
        printf("%s\n", err.text);
        return 1;
    }
    headers();
    header_lengths();
    no_file();
    no_memory_to_open();
    damage();
    numbers();
    parts();
    matrices();
    bf16_rounding();
    entries();
    metadata();
    CHECK(alloc_held == 0, "%ld blocks of memory are never freed", alloc_held);
    return check_end();
}
