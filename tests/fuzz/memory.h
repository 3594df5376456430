/* memory.h: what slm.h stands on while it is fuzzed, in place of the system: memory that is
   counted and can be made to fail, and files that are the input or pieces of it.  Nothing on disk
   is touched.  Include it before slm.h in the file that holds SLM_IMPLEMENTATION. */
#ifndef MEMORY_H
#define MEMORY_H
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* ---- memory ---- */
static size_t in_use, memory_limit;
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

/* What a target has made is kept for all inputs to come, and no leak. */
static void keep_what_is_made(void) {
    in_use = 0;
    allocations = 0;
}

/* ---- files that are read ---- */
const unsigned char *input;
size_t input_size;

enum { MAX_FILES = 16 };

static struct {
    const char *name; /* (name_size), no NUL follows */
    size_t name_size;
    const unsigned char *bytes;
    size_t size;
} files[MAX_FILES];
static size_t n_files;
static int input_is_folder; /* 1: it is a folder's files, as below */

/* A folder is one input: each file is "@@", its name, a newline and its bytes; a newline is before
   the next "@@". */
static const char file_mark[] = "\n@@";

static const unsigned char *next_mark(const unsigned char *p, const unsigned char *end) {
    for (; p < end; p++) {
        p = (const unsigned char *)memchr(p, '\n', (size_t)(end - p));
        if (p == NULL || end - p < 3) return end;
        if (memcmp(p, file_mark, 3) == 0) return p;
    }
    return end;
}

static void cut_into_files(void) {
    const unsigned char *end = input + input_size;
    const unsigned char *p = input;
    n_files = 0;
    input_is_folder = 1;
    if (input_size < 2 || memcmp(input, file_mark + 1, 2) != 0) return;
    p += 2;
    while (n_files < MAX_FILES) {
        const unsigned char *name_end = (const unsigned char *)memchr(p, '\n', (size_t)(end - p));
        if (name_end == NULL) return;
        const unsigned char *mark = next_mark(name_end + 1, end);
        files[n_files].name = (const char *)p;
        files[n_files].name_size = (size_t)(name_end - p);
        files[n_files].bytes = name_end + 1;
        files[n_files].size = (size_t)(mark - name_end - 1);
        n_files++;
        if (mark == end) return;
        p = mark + 3;
    }
}

int find_file(const unsigned char **bytes, size_t *size, const char *path) {
    static const char folder[] = "input/";
    *bytes = input;
    *size = input_size;
    if (!input_is_folder) return strncmp(path, "input", 5) == 0;
    if (strncmp(path, folder, sizeof folder - 1) != 0) return 0;
    path += sizeof folder - 1;
    for (size_t i = 0; i < n_files; i++) {
        if (files[i].name_size != strlen(path)) continue;
        if (memcmp(files[i].name, path, files[i].name_size) != 0) continue;
        *bytes = files[i].bytes;
        *size = files[i].size;
        return 1;
    }
    return 0;
}

int is_input_folder(const char *path) {
    return input_is_folder && (strcmp(path, "input") == 0 || strcmp(path, "input/") == 0);
}

static int find_access(const char *path) {
    const unsigned char *bytes;
    size_t size;
    if (find_file(&bytes, &size, path) || is_input_folder(path)) return 0;
    errno = ENOENT;
    return -1;
}

/* ---- streams: slm.h hands them on and never looks at them ---- */
typedef struct stream {
    const unsigned char *bytes;
    size_t size, next;
} stream;

/* ---- what slm.h writes: kept only while seeds are made ---- */
static unsigned char output[1 << 16];
static size_t written;
static int output_is_folder; /* 1: each file gets the mark of a folder's */
static const char *output_only; /* the file that is kept; NULL: all */
static int unwanted;

static void keep_output(const void *bytes, size_t n) {
    if (unwanted) return;
    if (n > sizeof output - written) abort();
    memcpy(output + written, bytes, n);
    written += n;
}

/* The names that a new file may have end in ".tmp". */
static void begin_output(const char *path) {
    const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    unwanted = output_only != NULL && strncmp(name, output_only, strlen(output_only)) != 0;
    if (!output_is_folder) return;
    const char *mark = written == 0 ? file_mark + 1 : file_mark;
    keep_output(mark, strlen(mark));
    keep_output(name, strlen(name) - strlen(".tmp"));
    keep_output("\n", 1);
}

static void *stream_open(const char *path, const char *mode) {
    stream *s;
    const unsigned char *bytes = NULL;
    size_t size = 0;
    if (mode[0] == 'w') {
        begin_output(path);
    } else if (!find_file(&bytes, &size, path)) {
        errno = ENOENT;
        return NULL;
    }
    s = (stream *)malloc(sizeof *s);
    if (s == NULL) abort();
    s->bytes = bytes;
    s->size = size;
    s->next = 0;
    return s;
}

static size_t stream_read(void *bytes, size_t n, void *user) {
    stream *s = (stream *)user;
    size_t rest = s->size - s->next;
    if (n > rest) n = rest;
    if (n > 0) memcpy(bytes, s->bytes + s->next, n);
    s->next += n;
    return n;
}

/* Beyond the end there is nothing to read, as in a file. */
static int stream_seek(void *user, uint64_t offset, int whence) {
    stream *s = (stream *)user;
    uint64_t place = whence == SEEK_END ? s->size + offset : offset;
    s->next = place < s->size ? (size_t)place : s->size;
    return 0;
}

static size_t stream_write(const void *bytes, size_t n) {
    keep_output(bytes, n);
    return n;
}

#define SLM__READ_STEP 512 /* inputs are small, and more memory would cost half of the speed */
#define SLM_MALLOC(size) counted_malloc(size)
#define SLM_FREE(p) counted_free(p)
#define SLM__FOPEN(path, mode) ((FILE *)stream_open(path, mode))
#define SLM__ACCESS(path) find_access(path)
#define SLM__FREAD(bytes, n, f) stream_read(bytes, n, f)
#define SLM__FWRITE(bytes, n, f) stream_write(bytes, n)
#define SLM__FERROR(f) 0
#define SLM__FSEEK(f, at, whence) stream_seek(f, at, whence)
#define SLM__FTELL(f) (long long)((stream *)(void *)(f))->next
#define SLM__FSYNC(f) 0
#define SLM__FCLOSE(f) (free(f), 0)
#define SLM__RENAME(from, to) 0
#define SLM__REMOVE(path) -1
#define SLM__MKDIR(path) 0
#define SLM__SYNC_FOLDER(path) 0
#endif
