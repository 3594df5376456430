/* os.c: the calls of the system, for POSIX and for Windows. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* ioctl, getrusage */
#endif
#define _DARWIN_C_SOURCE
#include "common/os.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
/* windows.h comes first. */
#include <direct.h>
#include <fcntl.h>
#include <io.h>
#include <psapi.h>
#include <shellapi.h>
#include <sys/stat.h>

/* ---- Windows: the process ---- */

/* The path in wide characters, which the caller frees; NULL if it is no UTF-8 or memory runs
 * out. */
static wchar_t *wide_of(const char *text) {
    int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    wchar_t *wide = n > 0 ? (wchar_t *)malloc((size_t)n * sizeof *wide) : NULL;
    if (wide != NULL) (void)MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, n);
    if (wide == NULL) errno = n > 0 ? ENOMEM : ENOENT;
    return wide;
}

static char *from_wide(const wchar_t *wide) {
    int n = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = n > 0 ? (char *)malloc((size_t)n) : NULL;
    if (text != NULL) (void)WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, n, NULL, NULL);
    return text;
}

int os_take_standard_descriptors(void) {
    return 1;
}

char **os_arguments(int *argc, char **argv) {
    int n = 0;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &n);
    if (wide == NULL) return argv;
    char **arguments = (char **)calloc((size_t)n + 1, sizeof *arguments);
    for (int i = 0; i < n && arguments != NULL; i++) {
        arguments[i] = from_wide(wide[i]);
        if (arguments[i] == NULL) return NULL;
    }
    (void)LocalFree(wide);
    *argc = n;
    (void)_setmode(0, _O_BINARY);
    (void)_setmode(1, _O_BINARY);
    (void)SetConsoleOutputCP(CP_UTF8);
    (void)SetConsoleCP(CP_UTF8);
    return arguments;
}

void os_start_again(char **argv, const char *name, const char *value) {
    (void)argv;
    (void)name;
    (void)value;
}

/* signal() sets the default again before it calls the handler. */
void os_catch_signals(void (*handler)(int)) {
    (void)signal(SIGTERM, handler);
    (void)signal(SIGINT, handler);
}

/* A handler of Ctrl-C has a thread of its own. */
void os_call_in_a_second(void (*handler)(int)) {
    Sleep(1000);
    handler(0);
}

void os_write_error(const char *text) {
    (void)_write(2, text, (unsigned)strlen(text));
}

void os_end(int code) {
    _exit(code);
}

double os_clock(void) {
    LARGE_INTEGER now;
    LARGE_INTEGER per_second;
    (void)QueryPerformanceCounter(&now);
    (void)QueryPerformanceFrequency(&per_second);
    return (double)now.QuadPart / (double)per_second.QuadPart;
}

static double seconds_of(FILETIME time) {
    return 1e-7 * ((double)time.dwHighDateTime * 4294967296.0 + (double)time.dwLowDateTime);
}

double os_processor_seconds(void) {
    FILETIME start, end, kernel, user;
    if (!GetProcessTimes(GetCurrentProcess(), &start, &end, &kernel, &user)) return 0;
    return seconds_of(kernel) + seconds_of(user);
}

void os_rest(double seconds) {
    Sleep((DWORD)(1e3 * seconds));
}

long os_processors(void) {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return (long)info.dwNumberOfProcessors;
}

double os_memory_bytes(void) {
    MEMORYSTATUSEX status;
    status.dwLength = sizeof status;
    return GlobalMemoryStatusEx(&status) ? (double)status.ullTotalPhys : 0;
}

double os_peak_memory_bytes(void) {
    PROCESS_MEMORY_COUNTERS counters;
    counters.cb = sizeof counters;
    if (!K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters)) return 0;
    return (double)counters.PeakWorkingSetSize;
}

/* There is no fork. */
long os_child_start(void (*work)(void *user), void *user) {
    (void)work;
    (void)user;
    errno = ENOSYS;
    return -1;
}

long os_child_wait(int *success) {
    *success = 0;
    return -1;
}

void os_child_end_with_parent(void) {
}

/* ---- Windows: the terminal ---- */

int os_is_terminal(int descriptor) {
    return _isatty(descriptor) != 0;
}

int os_terminal_width(void) {
    CONSOLE_SCREEN_BUFFER_INFO info;
    if (!GetConsoleScreenBufferInfo(GetStdHandle(STD_ERROR_HANDLE), &info)) return 80;
    int width = info.srWindow.Right - info.srWindow.Left + 1;
    return width > 20 ? width : 80;
}

/* ---- Windows: files ---- */

os_kind os_kind_of(const char *path, uint64_t *size) {
    struct _stat64 s;
    wchar_t *wide = wide_of(path);
    if (size != NULL) *size = 0;
    if (wide == NULL) return OS_NOTHING;

    /* _wstat64 does not find a folder whose name ends with a separator. */
    size_t n = wcslen(wide);
    while (n > 1 && (wide[n - 1] == L'/' || wide[n - 1] == L'\\') && wide[n - 2] != L':')
        wide[--n] = 0;
    int found = _wstat64(wide, &s) == 0;
    free(wide);
    if (!found) return OS_NOTHING;
    if ((s.st_mode & _S_IFMT) == _S_IFDIR) return OS_FOLDER;
    if ((s.st_mode & _S_IFMT) != _S_IFREG) return OS_STREAM;
    if (size != NULL) *size = (uint64_t)s.st_size;
    return OS_FILE;
}

static int find_identity(const char *path, BY_HANDLE_FILE_INFORMATION *info) {
    wchar_t *wide = wide_of(path);
    if (wide == NULL) return 0;
    DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    HANDLE file =
        CreateFileW(wide, 0, share, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    free(wide);
    if (file == INVALID_HANDLE_VALUE) return 0;
    int known = GetFileInformationByHandle(file, info) != 0;
    (void)CloseHandle(file);
    return known;
}

int os_is_same_file(const char *a, const char *b) {
    BY_HANDLE_FILE_INFORMATION x;
    BY_HANDLE_FILE_INFORMATION y;
    if (!find_identity(a, &x) || !find_identity(b, &y)) return 0;
    return x.dwVolumeSerialNumber == y.dwVolumeSerialNumber &&
           x.nFileIndexHigh == y.nFileIndexHigh && x.nFileIndexLow == y.nFileIndexLow;
}

/* "x" of C11 is not known to every C library here. */
FILE *os_open(const char *path, const char *mode) {
    FILE *stream = NULL;
    int is_new = strcmp(mode, "wbx") == 0;
    wchar_t *wide_mode = wide_of(is_new ? "wb" : mode);
    wchar_t *wide = wide_of(path);
    if (wide != NULL && is_new) {
        int flags = _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY;
        int descriptor = _wopen(wide, flags, _S_IREAD | _S_IWRITE);
        if (descriptor >= 0) stream = _fdopen(descriptor, "wb");
    } else if (wide != NULL && wide_mode != NULL) {
        stream = _wfopen(wide, wide_mode);
    }
    free(wide);
    free(wide_mode);
    return stream;
}

int os_remove(const char *path) {
    wchar_t *wide = wide_of(path);
    int failed = wide == NULL || _wremove(wide) != 0;
    free(wide);
    return failed;
}

int os_rename(const char *from, const char *to) {
    wchar_t *wide_from = wide_of(from);
    wchar_t *wide_to = wide_of(to);
    DWORD flags = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
    int failed = wide_from == NULL || wide_to == NULL || !MoveFileExW(wide_from, wide_to, flags);
    if (failed) errno = EACCES;
    free(wide_from);
    free(wide_to);
    return failed;
}

int os_make_folder(const char *path) {
    wchar_t *wide = wide_of(path);
    int failed = wide == NULL || _wmkdir(wide) != 0;
    free(wide);
    return failed;
}

int os_remove_folder(const char *path) {
    wchar_t *wide = wide_of(path);
    int failed = wide == NULL || _wrmdir(wide) != 0;
    free(wide);
    return failed;
}

int os_truncate(const char *path, uint64_t size) {
    wchar_t *wide = wide_of(path);
    int descriptor = wide != NULL ? _wopen(wide, _O_RDWR | _O_BINARY) : -1;
    free(wide);
    if (descriptor < 0) return -1;
    int failed = _chsize_s(descriptor, (long long)size) != 0;
    (void)_close(descriptor);
    return failed;
}

int os_sync(FILE *stream) {
    return fflush(stream) != 0 || _commit(_fileno(stream)) != 0;
}

/* The rename has written through. */
int os_sync_name(const char *path) {
    (void)path;
    return 0;
}

int os_open_descriptor(const char *path) {
    wchar_t *wide = wide_of(path);
    int descriptor = wide != NULL ? _wopen(wide, _O_RDONLY | _O_BINARY) : -1;
    free(wide);
    return descriptor;
}

long os_read_at(int descriptor, void *bytes, size_t n, uint64_t offset) {
    if (_lseeki64(descriptor, (long long)offset, SEEK_SET) < 0) return -1;
    return _read(descriptor, bytes, (unsigned)n);
}

uint64_t os_descriptor_size(int descriptor) {
    long long size = _filelengthi64(descriptor);
    return size > 0 ? (uint64_t)size : 0;
}

void os_close_descriptor(int descriptor) {
    (void)_close(descriptor);
}

/* ---- Windows: locks: the file is open without being shared for writing ---- */

static os_lock_status fail_lock(os_lock *lock, unsigned long code) {
    (void)snprintf(lock->error, sizeof lock->error, "error %lu of Windows", code);
    return OS_LOCK_FAILED;
}

static HANDLE open_handle(const char *path, DWORD access, DWORD share, DWORD how) {
    wchar_t *wide = wide_of(path);
    if (wide == NULL) return INVALID_HANDLE_VALUE;
    HANDLE file = CreateFileW(wide, access, share, NULL, how,
                              FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    free(wide);
    return file;
}

static int read_content(os_lock *lock, HANDLE file) {
    DWORD n = 0;
    if (!ReadFile(file, lock->content, sizeof lock->content, &n, NULL)) return 0;
    lock->size = n;
    return 1;
}

static os_lock_status read_busy(os_lock *lock, const char *path) {
    DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    HANDLE file = open_handle(path, GENERIC_READ, share, OPEN_EXISTING);
    if (file == INVALID_HANDLE_VALUE) return OS_LOCK_BUSY;
    (void)read_content(lock, file);
    (void)CloseHandle(file);
    return OS_LOCK_BUSY;
}

static os_lock_status read_locked(os_lock *lock, HANDLE file) {
    BY_HANDLE_FILE_INFORMATION info;
    DWORD other = FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY;
    if (!GetFileInformationByHandle(file, &info)) return OS_LOCK_NOT_PLAIN;
    if ((info.dwFileAttributes & other) != 0 || info.nNumberOfLinks != 1) return OS_LOCK_NOT_PLAIN;
    if (!read_content(lock, file)) return fail_lock(lock, GetLastError());
    return OS_LOCK_TAKEN;
}

os_lock_status os_lock_open(os_lock *lock, const char *path) {
    DWORD access = GENERIC_READ | GENERIC_WRITE;
    DWORD share = FILE_SHARE_READ | FILE_SHARE_DELETE;
    memset(lock, 0, sizeof *lock);
    HANDLE file = open_handle(path, access, share, OPEN_ALWAYS);
    if (file == INVALID_HANDLE_VALUE) {
        DWORD code = GetLastError();
        if (code == ERROR_PATH_NOT_FOUND) return OS_LOCK_NO_FOLDER;
        if (code != ERROR_SHARING_VIOLATION) return fail_lock(lock, code);
        return read_busy(lock, path);
    }
    os_lock_status status = read_locked(lock, file);
    lock->handle = (intptr_t)file;
    if (status != OS_LOCK_TAKEN) (void)CloseHandle(file);
    return status;
}

void os_lock_write(intptr_t handle, const char *content, size_t size) {
    HANDLE file = (HANDLE)handle;
    DWORD n = 0;
    if (SetFilePointer(file, 0, NULL, FILE_BEGIN) == 0 && SetEndOfFile(file))
        (void)WriteFile(file, content, (DWORD)size, &n, NULL);
}

/* While it is open no other file can get the name. */
int os_lock_is_named(intptr_t handle, const char *path) {
    (void)handle;
    (void)path;
    return 1;
}

void os_lock_remove(intptr_t handle, const char *path) {
    (void)os_remove(path);
    os_lock_close(handle);
}

void os_lock_close(intptr_t handle) {
    (void)CloseHandle((HANDLE)handle);
}

void os_remove_plain(const char *path) {
    wchar_t *wide = wide_of(path);
    DWORD attributes = wide != NULL ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;
    DWORD other = FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY;
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & other) == 0)
        (void)DeleteFileW(wide);
    free(wide);
}

unsigned long os_process_number(void) {
    return GetCurrentProcessId();
}

void os_processor_name(char *name, size_t size) {
    const char *known = getenv("PROCESSOR_IDENTIFIER");
    (void)snprintf(name, size, "%s", known != NULL ? known : "");
}

void os_machine_name(char *name, size_t size) {
    DWORD room = (DWORD)size;
    if (!GetComputerNameA(name, &room)) name[0] = 0;
}

/* ---- Windows: texts ---- */

/* There is no stream into memory: it is a temporary file. */
FILE *os_text_open(os_text *text) {
    memset(text, 0, sizeof *text);
    text->stream = tmpfile();
    return text->stream;
}

int os_text_close(os_text *text) {
    int failed = ferror(text->stream) || fflush(text->stream) != 0;
    long size = ftell(text->stream);
    text->bytes = failed || size < 0 ? NULL : (char *)calloc((size_t)size + 1, 1);
    rewind(text->stream);
    if (text->bytes != NULL) text->size = fread(text->bytes, 1, (size_t)size, text->stream);
    failed = text->bytes == NULL || text->size != (size_t)size;
    return fclose(text->stream) != 0 || failed;
}

int os_is_separator(char c) {
    return c == '/' || c == '\\';
}

#else /* POSIX */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROGRAM_PATH_SIZE = 4096 };

/* ---- POSIX: the process ---- */

/* The lowest free number is what open gives, so that they are taken in order.  Each is opened for
 * what nobody does with it: using it fails, as with a closed one. */
int os_take_standard_descriptors(void) {
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++) {
        int is_taken = fcntl(number, F_GETFD) != -1;
        int mode = number == STDIN_FILENO ? O_WRONLY : O_RDONLY;
        if (!is_taken && open("/dev/null", mode) != number) return 0;
    }
    return 1;
}

char **os_arguments(int *argc, char **argv) {
    (void)argc;
    return argv;
}

/* The path is asked for, rather than starting /proc/self/exe itself, so that the process keeps its
 * name. */
void os_start_again(char **argv, const char *name, const char *value) {
    char path[PROGRAM_PATH_SIZE];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path);
    if (size <= 0 || (size_t)size >= sizeof path) return;
    path[size] = '\0';
    if (setenv(name, value, 1) == 0) (void)execv(path, argv);
}

void os_catch_signals(void (*handler)(int)) {
    struct sigaction action;
    struct sigaction before;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = (int)SA_RESETHAND;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);

    /* A job in the background ignores SIGINT, and goes on doing so. */
    int ignored = sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler == SIG_IGN;
    if (!ignored) (void)sigaction(SIGINT, &action, NULL);
}

void os_call_in_a_second(void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    (void)sigemptyset(&action.sa_mask);
    if (sigaction(SIGALRM, &action, NULL) == 0) (void)alarm(1);
}

void os_write_error(const char *text) {
    ssize_t written = write(2, text, strlen(text));
    (void)written;
}

void os_end(int code) {
    _exit(code);
}

static double seconds_of(clockid_t clock) {
    struct timespec t = {0, 0};
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double os_clock(void) {
    return seconds_of(CLOCK_MONOTONIC);
}

double os_processor_seconds(void) {
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

void os_rest(double seconds) {
    struct timespec t;
    t.tv_sec = (time_t)seconds;
    t.tv_nsec = (long)(1e9 * (seconds - (double)t.tv_sec));
    (void)nanosleep(&t, NULL);
}

long os_processors(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? n : 1;
}

double os_memory_bytes(void) {
#ifdef _SC_PHYS_PAGES
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_size = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page_size > 0) return (double)pages * (double)page_size;
#endif
    return 0;
}

/* macOS counts bytes, the others kibibytes. */
double os_peak_memory_bytes(void) {
    struct rusage usage;
    double unit = 1024;
#ifdef __APPLE__
    unit = 1;
#endif
    return getrusage(RUSAGE_SELF, &usage) == 0 ? unit * (double)usage.ru_maxrss : 0;
}

static pid_t parent;

long os_child_start(void (*work)(void *user), void *user) {
    (void)fflush(NULL);
    parent = getpid();
    pid_t child = fork();
    if (child != 0) return (long)child;
    work(user);
    _exit(0);
}

long os_child_wait(int *success) {
    int status = 0;
    pid_t child = -1;
    do {
        child = waitpid(-1, &status, 0);
    } while (child < 0 && errno == EINTR);
    *success = child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return (long)child;
}

void os_child_end_with_parent(void) {
    if (getppid() != parent) _exit(1);
}

/* ---- POSIX: the terminal ---- */

int os_is_terminal(int descriptor) {
    return isatty(descriptor);
}

int os_terminal_width(void) {
#ifdef TIOCGWINSZ
    struct winsize w;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20) return w.ws_col;
#endif
    return 80;
}

/* ---- POSIX: files ---- */

os_kind os_kind_of(const char *path, uint64_t *size) {
    struct stat s;
    if (size != NULL) *size = 0;
    if (stat(path, &s) != 0) return OS_NOTHING;
    if (S_ISDIR(s.st_mode)) return OS_FOLDER;
    if (!S_ISREG(s.st_mode)) return OS_STREAM;
    if (size != NULL) *size = (uint64_t)s.st_size;
    return OS_FILE;
}

int os_is_same_file(const char *a, const char *b) {
    struct stat x;
    struct stat y;
    if (stat(a, &x) != 0 || stat(b, &y) != 0) return 0;
    return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

FILE *os_open(const char *path, const char *mode) {
    return fopen(path, mode);
}

int os_remove(const char *path) {
    return remove(path);
}

int os_rename(const char *from, const char *to) {
    return rename(from, to);
}

int os_make_folder(const char *path) {
    return mkdir(path, 0777);
}

int os_remove_folder(const char *path) {
    return rmdir(path);
}

int os_truncate(const char *path, uint64_t size) {
    return truncate(path, (off_t)size);
}

int os_sync(FILE *stream) {
    return fflush(stream) != 0 || fsync(fileno(stream)) != 0;
}

/* A folder that cannot be opened, or not be synced (EINVAL), is no failure. */
int os_sync_name(const char *path) {
    size_t n = strlen(path);
    char *folder = (char *)malloc(n + sizeof ".");
    int failed = 0;
    if (folder == NULL) return -1;
    while (n > 0 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    memcpy(folder, path, n);
    memcpy(folder + n, ".", sizeof "."); /* "a/b/c" becomes "a/b/." */
    int descriptor = open(folder, O_RDONLY);
    free(folder);
    if (descriptor < 0) return 0;
    if (fsync(descriptor) != 0) failed = errno != EINVAL;
    (void)close(descriptor);
    return failed;
}

int os_open_descriptor(const char *path) {
    return open(path, O_RDONLY);
}

long os_read_at(int descriptor, void *bytes, size_t n, uint64_t offset) {
    ssize_t got = -1;
    do {
        got = pread(descriptor, bytes, n, (off_t)offset);
    } while (got < 0 && errno == EINTR);
    return (long)got;
}

uint64_t os_descriptor_size(int descriptor) {
    struct stat s;
    return fstat(descriptor, &s) == 0 && s.st_size > 0 ? (uint64_t)s.st_size : 0;
}

void os_close_descriptor(int descriptor) {
    (void)close(descriptor);
}

/* ---- POSIX: locks ----
 * A record lock of fcntl, which network file systems know too. */

static os_lock_status fail_lock(os_lock *lock, int code) {
    (void)snprintf(lock->error, sizeof lock->error, "%s", strerror(code));
    return OS_LOCK_FAILED;
}

static os_lock_status fail_lock_open(os_lock *lock, const char *path) {
    struct stat named;
    int code = errno;
    int there = lstat(path, &named) == 0;
    if (there && !S_ISREG(named.st_mode)) return OS_LOCK_NOT_PLAIN;
    (void)fail_lock(lock, code);
    if (code == ENOENT) return OS_LOCK_NO_FOLDER;
    int read_only = code == EROFS || code == EACCES;
    return read_only && !there ? OS_LOCK_READ_ONLY : OS_LOCK_FAILED;
}

/* A second name of a file would be written to with the lock. */
static int is_plain_file(int descriptor) {
    struct stat opened;
    if (fstat(descriptor, &opened) != 0) return 0;
    return S_ISREG(opened.st_mode) && opened.st_nlink <= 1;
}

static os_lock_status lock_whole(os_lock *lock, int descriptor) {
    struct flock whole;
    memset(&whole, 0, sizeof whole);
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (fcntl(descriptor, F_SETLK, &whole) == 0) return OS_LOCK_TAKEN;
    switch (errno) {
    case EACCES:
    case EAGAIN: return OS_LOCK_BUSY;
    case ENOLCK:
    case ENOSYS:
    case ENOTSUP:
    case EINVAL: return OS_LOCK_NO_LOCKS;
    default: return fail_lock(lock, errno);
    }
}

static os_lock_status lock_and_read(os_lock *lock, int descriptor) {
    if (!is_plain_file(descriptor)) return OS_LOCK_NOT_PLAIN;
    os_lock_status status = lock_whole(lock, descriptor);
    if (status == OS_LOCK_FAILED) return status;

    ssize_t n = pread(descriptor, lock->content, sizeof lock->content, 0);
    if (n < 0) return fail_lock(lock, errno);
    lock->size = (size_t)n;
    return status;
}

os_lock_status os_lock_open(os_lock *lock, const char *path) {
    int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    memset(lock, 0, sizeof *lock);
    int descriptor = open(path, flags, 0666);
    if (descriptor < 0) return fail_lock_open(lock, path);
    os_lock_status status = lock_and_read(lock, descriptor);
    int stays = status == OS_LOCK_TAKEN || status == OS_LOCK_NO_LOCKS;
    lock->handle = descriptor;
    if (!stays) (void)close(descriptor);
    return status;
}

void os_lock_write(intptr_t handle, const char *content, size_t size) {
    int descriptor = (int)handle;
    if (ftruncate(descriptor, 0) != 0) return;
    if (pwrite(descriptor, content, size, 0) != (ssize_t)size) (void)ftruncate(descriptor, 0);
}

int os_lock_is_named(intptr_t handle, const char *path) {
    struct stat named;
    struct stat opened;
    if (lstat(path, &named) != 0 || fstat((int)handle, &opened) != 0) return 0;
    return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

void os_lock_remove(intptr_t handle, const char *path) {
    if (os_lock_is_named(handle, path)) (void)unlink(path);
    os_lock_close(handle);
}

void os_lock_close(intptr_t handle) {
    (void)close((int)handle);
}

void os_remove_plain(const char *path) {
    struct stat named;
    if (lstat(path, &named) == 0 && S_ISREG(named.st_mode)) (void)unlink(path);
}

unsigned long os_process_number(void) {
    return (unsigned long)getpid();
}

/* Linux has a file that names it. */
void os_processor_name(char *name, size_t size) {
    static const char key[] = "model name";
    char line[300];
    FILE *f = fopen("/proc/cpuinfo", "r");
    name[0] = '\0';
    if (f == NULL) return;
    while (name[0] == '\0' && fgets(line, sizeof line, f) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, key, sizeof key - 1) != 0 || colon == NULL) continue;
        line[strcspn(line, "\n")] = '\0';
        (void)snprintf(name, size, "%s", colon + 1 + strspn(colon + 1, " "));
    }
    (void)fclose(f);
}

void os_machine_name(char *name, size_t size) {
    if (gethostname(name, size) != 0) name[0] = 0;
    name[size - 1] = 0;
}

/* ---- POSIX: texts ---- */

FILE *os_text_open(os_text *text) {
    memset(text, 0, sizeof *text);
    text->stream = open_memstream(&text->bytes, &text->size);
    return text->stream;
}

int os_text_close(os_text *text) {
    int failed = ferror(text->stream);
    failed |= fclose(text->stream) != 0;
    return failed || text->bytes == NULL; /* glibc's fclose says nothing of it */
}

int os_is_separator(char c) {
    return c == '/';
}
#endif
