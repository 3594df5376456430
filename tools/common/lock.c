/* lock.c: locks on files, for POSIX and for Windows.
 *
 * POSIX: a record lock of fcntl, which network file systems know too.  The holder removes the file
 * before it gives the lock back.  Whoever opened it before has then locked a file without a name;
 * that is found out by comparing it with what has the name now, and tried again.
 *
 * Windows: the file is open without being shared for writing. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "common/lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/os.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

/* How a lock file begins; behind it is its owner. */
static const char mark[] = "slm lock: ";

enum {
    MARK_SIZE = sizeof mark - 1,
    CONTENT_SIZE = MARK_SIZE + LOCK_TEXT_SIZE,
    TRIES = 100 /* The file may vanish between two system calls, each time another one ends. */
};

/* Returns 1 if a file that begins with these bytes was made here: killed while it was written, it
 * holds less than the mark. */
static int is_ours(const char *content, size_t n) {
    return memcmp(content, mark, n < MARK_SIZE ? n : MARK_SIZE) == 0;
}

/* Sets text to the owner that the content names, or to "" if that is not one. */
static void read_owner(char text[LOCK_TEXT_SIZE], const char *content, size_t n) {
    size_t size = 0;
    text[0] = 0;
    if (n < MARK_SIZE || !is_ours(content, n)) return;
    for (size_t i = MARK_SIZE; i < n && content[i] != '\n'; i++) {
        int plain = content[i] >= ' ' && content[i] <= '~';
        if (!plain || size + 1 == LOCK_TEXT_SIZE) return;
        text[size++] = content[i];
    }
    text[size] = 0;
}

static int format_content(char content[CONTENT_SIZE], unsigned long pid, const char *host) {
    return snprintf(content, CONTENT_SIZE, "%sPID %lu on %.64s\n", mark, pid, host);
}

#ifdef _WIN32

static lock_status fail_code(file_lock *lock, unsigned long code) {
    (void)snprintf(lock->text, sizeof lock->text, "error %lu of Windows", code);
    return LOCK_FAILED;
}

static HANDLE open_path(const char *path, DWORD access, DWORD share, DWORD how) {
    wchar_t *wide = os_wide(path);
    if (wide == NULL) return INVALID_HANDLE_VALUE;
    HANDLE file = CreateFileW(wide, access, share, NULL, how,
                              FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    free(wide);
    return file;
}

static void read_busy_owner(file_lock *lock) {
    char content[CONTENT_SIZE];
    DWORD n = 0;
    DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    HANDLE file = open_path(lock->path, GENERIC_READ, share, OPEN_EXISTING);
    if (file == INVALID_HANDLE_VALUE) return;
    if (ReadFile(file, content, sizeof content, &n, NULL)) read_owner(lock->text, content, n);
    (void)CloseHandle(file);
}

/* Takes over the open file, if it is a lock file. */
static lock_status take_over(file_lock *lock, HANDLE file) {
    BY_HANDLE_FILE_INFORMATION info;
    DWORD other = FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY;
    char content[CONTENT_SIZE];
    char host[MAX_COMPUTERNAME_LENGTH + 1] = "";
    DWORD host_size = sizeof host;
    DWORD n = 0;
    if (!GetFileInformationByHandle(file, &info)) return LOCK_FOREIGN;
    if ((info.dwFileAttributes & other) != 0 || info.nNumberOfLinks != 1) return LOCK_FOREIGN;
    if (!ReadFile(file, content, sizeof content, &n, NULL)) return fail_code(lock, GetLastError());
    if (!is_ours(content, n)) return LOCK_FOREIGN;

    /* The owner is a courtesy: without it the lock is held all the same. */
    (void)GetComputerNameA(host, &host_size);
    n = (DWORD)format_content(content, GetCurrentProcessId(), host);
    if (SetFilePointer(file, 0, NULL, FILE_BEGIN) == 0 && SetEndOfFile(file))
        (void)WriteFile(file, content, n, &host_size, NULL);
    return LOCK_TAKEN;
}

static lock_status try_to_take(file_lock *lock) {
    DWORD access = GENERIC_READ | GENERIC_WRITE;
    DWORD share = FILE_SHARE_READ | FILE_SHARE_DELETE;
    HANDLE file = open_path(lock->path, access, share, OPEN_ALWAYS);
    if (file == INVALID_HANDLE_VALUE) {
        DWORD code = GetLastError();
        if (code == ERROR_PATH_NOT_FOUND) return LOCK_NO_FOLDER;
        if (code != ERROR_SHARING_VIOLATION) return fail_code(lock, code);
        read_busy_owner(lock);
        return LOCK_BUSY;
    }
    lock_status status = take_over(lock, file);
    lock->open = status == LOCK_TAKEN;
    lock->handle = (intptr_t)file;
    if (!lock->open) (void)CloseHandle(file);
    return status;
}

void lock_release(file_lock *lock) {
    if (!lock->open) return;
    (void)os_remove(lock->path);
    (void)CloseHandle((HANDLE)lock->handle);
    lock->open = 0;
}

void lock_sweep(const char *path) {
    wchar_t *wide = os_wide(path);
    DWORD attributes = wide != NULL ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;
    DWORD other = FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY;
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & other) == 0)
        (void)DeleteFileW(wide);
    free(wide);
}

static int vanished(file_lock *lock) {
    (void)lock;
    return 0;
}

#else /* POSIX */

static lock_status fail_errno(file_lock *lock, int code) {
    (void)snprintf(lock->text, sizeof lock->text, "%s", strerror(code));
    return LOCK_FAILED;
}

static lock_status fail_open(file_lock *lock) {
    struct stat named;
    int code = errno;
    int there = lstat(lock->path, &named) == 0;
    if (there && !S_ISREG(named.st_mode)) return LOCK_FOREIGN;
    (void)fail_errno(lock, code);
    if (code == ENOENT) return LOCK_NO_FOLDER;
    int read_only = code == EROFS || code == EACCES;
    return read_only && !there ? LOCK_READ_ONLY : LOCK_FAILED;
}

/* Whether the path names the open file. */
static int is_named(const char *path, int descriptor) {
    struct stat named;
    struct stat opened;
    if (lstat(path, &named) != 0 || fstat(descriptor, &opened) != 0) return 0;
    return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/* A second name of a file would be written to with the lock. */
static int is_plain_file(int descriptor) {
    struct stat opened;
    if (fstat(descriptor, &opened) != 0) return 0;
    return S_ISREG(opened.st_mode) && opened.st_nlink <= 1;
}

static void write_owner(int descriptor) {
    char content[CONTENT_SIZE];
    char host[65] = "";
    if (gethostname(host, sizeof host - 1) != 0) host[0] = 0;
    int n = format_content(content, (unsigned long)getpid(), host);

    /* The owner is a courtesy: without it the lock is held all the same. */
    if (ftruncate(descriptor, 0) != 0) return;
    if (pwrite(descriptor, content, (size_t)n, 0) != n) (void)ftruncate(descriptor, 0);
}

static lock_status lock_whole(file_lock *lock, int descriptor) {
    struct flock whole;
    memset(&whole, 0, sizeof whole);
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (fcntl(descriptor, F_SETLK, &whole) == 0) return LOCK_TAKEN;
    switch (errno) {
    case EACCES:
    case EAGAIN: return LOCK_BUSY;
    case ENOLCK:
    case ENOSYS:
    case ENOTSUP:
    case EINVAL: return LOCK_NO_LOCKS;
    default: return fail_errno(lock, errno);
    }
}

/* Locks the open file, and takes it over if it is a lock file. */
static lock_status take_over(file_lock *lock, int descriptor) {
    char content[CONTENT_SIZE];
    if (!is_plain_file(descriptor)) return LOCK_FOREIGN;
    lock_status status = lock_whole(lock, descriptor);
    if (status == LOCK_FAILED) return status;

    ssize_t n = pread(descriptor, content, sizeof content, 0);
    if (n < 0) return fail_errno(lock, errno);
    if (!is_ours(content, (size_t)n)) return LOCK_FOREIGN;
    if (status == LOCK_BUSY) {
        read_owner(lock->text, content, (size_t)n);
    } else {
        write_owner(descriptor);
    }
    return status;
}

static lock_status try_to_take(file_lock *lock) {
    int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int descriptor = open(lock->path, flags, 0666);
    if (descriptor < 0) return fail_open(lock);
    lock_status status = take_over(lock, descriptor);
    lock->open = status == LOCK_TAKEN || status == LOCK_NO_LOCKS;
    lock->handle = descriptor;
    if (!lock->open) (void)close(descriptor);
    return status;
}

void lock_release(file_lock *lock) {
    if (!lock->open) return;
    int descriptor = (int)lock->handle;
    if (is_named(lock->path, descriptor)) (void)unlink(lock->path);
    (void)close(descriptor);
    lock->open = 0;
}

void lock_sweep(const char *path) {
    struct stat named;
    if (lstat(path, &named) == 0 && S_ISREG(named.st_mode)) (void)unlink(path);
}

/* Returns 1, and lets go of it, if the locked file was removed after it was opened. */
static int vanished(file_lock *lock) {
    if (!lock->open || is_named(lock->path, (int)lock->handle)) return 0;
    (void)close((int)lock->handle);
    lock->open = 0;
    return 1;
}

#endif /* POSIX */

lock_status lock_take(file_lock *lock, const char *path) {
    memset(lock, 0, sizeof *lock);
    if (snprintf(lock->path, sizeof lock->path, "%s", path) >= (int)sizeof lock->path) {
        (void)snprintf(lock->text, sizeof lock->text, "the path is too long");
        return LOCK_FAILED;
    }
    for (int i = 0; i < TRIES; i++) {
        lock_status status = try_to_take(lock);
        if (!vanished(lock)) return status;
    }
    (void)snprintf(lock->text, sizeof lock->text, "it is removed again and again");
    return LOCK_FAILED;
}
