/* For tests of what touches files or memory: replaces the file access and the allocator of slm.h by
   ones that can be told to fail.  Include it before slm.h in the file that holds
   SLM_IMPLEMENTATION. */
#ifndef INJECT_H
#define INJECT_H
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- files: call number io_fail_at (from 1) fails, and with io_sticky all after it ---- */
static long io_calls, io_fail_at, io_error;
static int io_sticky;
static int io_code = EIO; /* what errno then says */
static int io_folder; /* 1: what failed was the very last call, the sync of the folder */

static int io_fails(void) {
    io_calls++;
    if (io_fail_at == 0 || io_calls < io_fail_at) return 0;
    if (io_calls > io_fail_at && !io_sticky) return 0;
    errno = io_code;
    return 1;
}

static size_t io_short(size_t done) {
    io_error = 1;
    errno = io_code;
    return done;
}
/* What fails while it closes is closed all the same. */
static int io_close(FILE *f, int fails) {
    int closed = fclose(f);
    if (!fails) return closed;
    errno = io_code;
    return EOF;
}

static char io_synced[4096]; /* the folder that was synced last */

static int io_sync_folder(const char *folder) {
    (void)snprintf(io_synced, sizeof io_synced, "%s", folder);
    io_folder = io_fails();
    return io_folder ? -1 : 0;
}

#ifdef _WIN32
#include <direct.h>
#include <io.h>

static int replace_file(const char *from, const char *to) {
    (void)remove(to);
    return rename(from, to);
}
#define REAL_SEEK(f, at, whence) _fseeki64(f, (long long)(at), whence)
#define REAL_SYNC(f) fflush(f)
#define REAL_RENAME(from, to) replace_file(from, to)
#define REAL_MKDIR(path) _mkdir(path)
#define REAL_ACCESS(path) _access(path, 0)
#else
#include <sys/stat.h>
#include <unistd.h>
#define REAL_SEEK(f, at, whence) fseek(f, (long)(at), whence)
#define REAL_SYNC(f) fflush(f) /* a real fsync would only make this test slow */
#define REAL_RENAME(from, to) rename(from, to)
#define REAL_MKDIR(path) mkdir(path, 0777)
#define REAL_ACCESS(path) access(path, F_OK)
#endif
#define SLM__FOPEN(path, mode) (io_fails() ? NULL : fopen(path, mode))
#define SLM__ACCESS(path) (io_fails() ? -1 : REAL_ACCESS(path))
#define SLM__FREAD(bytes, n, f)                                                                    \
    (io_fails() ? io_short(fread(bytes, 1, (n) / 2, f)) : fread(bytes, 1, n, f))
#define SLM__FERROR(f) (io_error || ferror(f))
#define SLM__FWRITE(bytes, n, f)                                                                   \
    (io_fails() ? io_short(fwrite(bytes, 1, (n) / 2, f)) : fwrite(bytes, 1, n, f))
#define SLM__FSEEK(f, at, whence) (io_fails() ? -1 : REAL_SEEK(f, at, whence))
#define SLM__FTELL(f) (io_fails() ? -1 : ftell(f))
#define SLM__FSYNC(f) (io_fails() ? -1 : REAL_SYNC(f))
#define SLM__FCLOSE(f) io_close(f, io_fails())
#define SLM__RENAME(from, to) (io_fails() ? -1 : REAL_RENAME(from, to))
#define SLM__REMOVE(path) (io_fails() ? -1 : remove(path))
#define SLM__MKDIR(path) (io_fails() ? -1 : REAL_MKDIR(path))
#define SLM__SYNC_FOLDER(path) io_sync_folder(path)

/* ---- memory: allocation number alloc_fail_at (from 1) fails ---- */
static long alloc_calls, alloc_fail_at;
static long alloc_held; /* blocks that are not freed yet */

static void *alloc_or_refuse(size_t size) {
    void *block = ++alloc_calls == alloc_fail_at ? NULL : malloc(size);
    alloc_held += block != NULL;
    return block;
}

static void alloc_release(void *block) {
    alloc_held -= block != NULL;
    free(block);
}

#define SLM_MALLOC(size) alloc_or_refuse(size)
#define SLM_FREE(pointer) alloc_release(pointer)

/* ---- files of a test, in the folder `root` ---- */
static char root[400], path[1024];

static inline const char *in(const char *name) {
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static inline void inject(long at, int sticky) {
    io_calls = io_error = io_folder = alloc_calls = 0;
    io_fail_at = at;
    io_sticky = sticky;
    alloc_fail_at = 0;
}

static inline void put(const char *name, const void *bytes, size_t n) {
    FILE *f;
    (void)remove(in(name)); /* some file systems write a truncated file out at once: slow */
    f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
        printf("cannot write %s\n", path);
        exit(1);
    }
}

/* Returns NULL if there is no such file. */
static inline char *get(const char *name, size_t *n) {
    FILE *f = fopen(in(name), "rb");
    char *bytes = (char *)calloc(1, 1 << 22);
    if (f == NULL || bytes == NULL) {
        free(bytes);
        return NULL;
    }
    *n = fread(bytes, 1, 1 << 22, f);
    (void)fclose(f);
    return bytes;
}
#endif
