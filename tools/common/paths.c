/* paths.c: questions about paths, and folders made. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "common/paths.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cli.h"

int path_exists(const char *path) {
    struct stat s;
    return stat(path, &s) == 0;
}

int is_folder(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
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
    return fail(FAILED, "%s: cannot make the folder: %s", path, strerror(errno));
}
