/* paths.c: questions about paths, and folders made. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "common/paths.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cli.h"

int path_exists(const char *path) {
    struct stat s;
    return stat(path, &s) == 0;
}

int is_folder(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

int is_stream(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 && !S_ISDIR(s.st_mode) && !S_ISREG(s.st_mode);
}

int same_file(const char *a, const char *b) {
    struct stat x;
    struct stat y;
    if (stat(a, &x) != 0 || stat(b, &y) != 0) return 0;
    return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int fail_length(const char *path) {
    return fail(USAGE, "%.60s...: the path is too long", path);
}

int path_join(char *out, const char *folder, const char *name) {
    int n = snprintf(out, PATH_SIZE, "%s/%s", folder, name);
    if (n <= 0 || n >= PATH_SIZE) return fail_length(folder);
    return DONE;
}

int make_folder(const char *path) {
    char prefix[PATH_SIZE];
    if (snprintf(prefix, sizeof prefix, "%s", path) >= (int)sizeof prefix) return fail_length(path);

    /* Those above may exist, or be refused: the last mkdir tells. */
    size_t n = strlen(path);
    for (size_t i = 1; i < n; i++) {
        if (prefix[i] != '/') continue;
        prefix[i] = 0;
        (void)mkdir(prefix, 0777);
        prefix[i] = '/';
    }
    if (mkdir(path, 0777) == 0 || is_folder(path)) return DONE;
    return fail_errno(FAILED, path, "make the folder");
}

/* Takes the last name and the slashes before it off the path.  Returns what is left of it. */
static size_t cut_name(char *path) {
    size_t n = strlen(path);
    while (n > 0 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    path[n] = 0;
    return n;
}

size_t existing_folders(const char *path) {
    char prefix[PATH_SIZE];
    if (snprintf(prefix, sizeof prefix, "%s", path) >= (int)sizeof prefix) return 0;
    size_t n = strlen(prefix);
    while (n > 1 && !is_folder(prefix))
        n = cut_name(prefix);
    return is_folder(prefix) ? n : 0;
}

void remove_empty_folders(const char *path, size_t n) {
    char prefix[PATH_SIZE];
    if (snprintf(prefix, sizeof prefix, "%s", path) >= (int)sizeof prefix) return;
    size_t n_left = strlen(prefix);
    while (n_left > n && rmdir(prefix) == 0)
        n_left = cut_name(prefix);
}
