/* os.c: common/os.h and common/lock.h while readers are fuzzed: the only files are those of the
   input, which can be read; nothing can be written, and nothing waits. */
#if !defined(_GNU_SOURCE) && !defined(_WIN32)
#define _GNU_SOURCE /* fmemopen */
#endif
#include "common/os.h"

#include <errno.h>
#include <string.h>

#include "common/lock.h"
#include "fuzz.h"

/* ---- files ---- */
enum { THE_DESCRIPTOR = 1000 };

static const unsigned char *opened; /* what the descriptor reads */
static size_t opened_size;

os_kind os_kind_of(const char *path, uint64_t *size) {
    const unsigned char *bytes;
    size_t n = 0;
    os_kind kind = OS_NOTHING;
    if (is_input_folder(path)) {
        kind = OS_FOLDER;
    } else if (find_file(&bytes, &n, path)) {
        kind = OS_FILE;
    } else {
        errno = ENOENT;
    }
    if (size != NULL) *size = kind == OS_FILE ? n : 0;
    return kind;
}

/* fmemopen refuses an empty file. */
FILE *os_open(const char *path, const char *mode) {
    const unsigned char *bytes;
    size_t n;
    if (mode[0] != 'r') {
        errno = EROFS;
        return NULL;
    }
    if (!find_file(&bytes, &n, path)) {
        errno = ENOENT;
        return NULL;
    }
    if (n == 0) return fopen("/dev/null", "rb");
    return fmemopen((void *)(uintptr_t)bytes, n, "rb");
}

int os_open_descriptor(const char *path) {
    if (find_file(&opened, &opened_size, path)) return THE_DESCRIPTOR;
    errno = ENOENT;
    return -1;
}

long os_read_at(int descriptor, void *bytes, size_t n, uint64_t offset) {
    if (descriptor != THE_DESCRIPTOR) return -1;
    if (offset >= opened_size) return 0;
    if (n > opened_size - offset) n = (size_t)(opened_size - offset);
    memcpy(bytes, opened + offset, n);
    return (long)n;
}

uint64_t os_descriptor_size(int descriptor) {
    return descriptor == THE_DESCRIPTOR ? opened_size : 0;
}

void os_close_descriptor(int descriptor) {
    (void)descriptor;
}

int os_is_same_file(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

static int read_only(void) {
    errno = EROFS;
    return -1;
}

int os_remove(const char *path) {
    (void)path;
    return read_only();
}

int os_rename(const char *from, const char *to) {
    (void)from;
    (void)to;
    return read_only();
}

int os_make_folder(const char *path) {
    (void)path;
    return read_only();
}

int os_remove_folder(const char *path) {
    (void)path;
    return read_only();
}

int os_truncate(const char *path, uint64_t size) {
    (void)path;
    (void)size;
    return read_only();
}

int os_sync(FILE *stream) {
    return fflush(stream);
}

int os_sync_name(const char *path) {
    (void)path;
    return 0;
}

FILE *os_text_open(os_text *text) {
    text->stream = open_memstream(&text->bytes, &text->size);
    return text->stream;
}

int os_text_close(os_text *text) {
    return fclose(text->stream);
}

int os_is_separator(char c) {
    return c == '/';
}

lock_status lock_take(file_lock *lock, const char *path) {
    memset(lock, 0, sizeof *lock);
    (void)path;
    return LOCK_NO_LOCKS;
}

void lock_release(file_lock *lock) {
    (void)lock;
}

void os_remove_plain(const char *path) {
    (void)path;
}

/* ---- the process ---- */
void os_catch_signals(void (*handler)(int)) {
    (void)handler;
}

void os_call_in_a_second(void (*handler)(int)) {
    (void)handler;
}

void os_write_error(const char *text) {
    (void)text;
}

void os_end(int code) {
    (void)code;
}

double os_clock(void) {
    return 0;
}

double os_processor_seconds(void) {
    return 0;
}

double os_memory_bytes(void) {
    return 1 << 30;
}

double os_peak_memory_bytes(void) {
    return 0;
}

int os_is_terminal(int descriptor) {
    (void)descriptor;
    return 0;
}

int os_terminal_width(void) {
    return 80;
}
