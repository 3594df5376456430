/* paths.c: questions about paths, and folders made. */
#include "common/paths.h"

#include <stdio.h>
#include <string.h>

#include "common/cli.h"
#include "common/os.h"

int path_exists(const char *path) {
    return os_kind_of(path, NULL) != OS_NOTHING;
}

int is_folder(const char *path) {
    return os_kind_of(path, NULL) == OS_FOLDER;
}

int is_stream(const char *path) {
    return os_kind_of(path, NULL) == OS_STREAM;
}

int same_file(const char *a, const char *b) {
    return os_is_same_file(a, b);
}

static int fail_length(const char *path) {
    return fail(USAGE, "%.60s...: the path is too long", path);
}

int path_join(char *out, const char *folder, const char *name) {
    int n = snprintf(out, PATH_SIZE, "%s/%s", folder, name);
    if (n <= 0 || n >= PATH_SIZE) return fail_length(folder);
    return DONE;
}

/* A folder whose name is not on the disk would be lost with all that is synced in it.  Returns 0 if
 * it was made. */
static int make_one_folder(const char *path) {
    if (os_make_folder(path) != 0) return -1;
    return os_sync_name(path);
}

int make_folder(const char *path) {
    char prefix[PATH_SIZE];
    if (snprintf(prefix, sizeof prefix, "%s", path) >= (int)sizeof prefix) return fail_length(path);

    /* Those above may exist, or be refused: the last mkdir tells. */
    size_t n = strlen(path);
    for (size_t i = 1; i < n; i++) {
        if (!os_is_separator(prefix[i])) continue;
        prefix[i] = 0;
        (void)make_one_folder(prefix);
        prefix[i] = path[i];
    }
    if (make_one_folder(path) == 0 || is_folder(path)) return DONE;
    return fail_errno(FAILED, path, "make the folder");
}

/* Takes the last name and the slashes before it off the path.  Returns what is left of it. */
static size_t cut_name(char *path) {
    size_t n = strlen(path);
    while (n > 0 && os_is_separator(path[n - 1]))
        n--;
    while (n > 0 && !os_is_separator(path[n - 1]))
        n--;
    while (n > 1 && os_is_separator(path[n - 1]))
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
    while (n_left > n && os_remove_folder(prefix) == 0)
        n_left = cut_name(prefix);
}
