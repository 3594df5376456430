/* tree.c: folders in memory. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FULL_PATH = 4096 };

void die(const char *format, ...) {
    va_list list;
    va_start(list, format);
    printf("FAIL ");
    vprintf(format, list);
    printf(": %s\n", strerror(errno));
    va_end(list);
    exit(1);
}

void *need(void *memory) {
    if (memory == NULL) die("memory");
    return memory;
}

void tree_add(tree *t, const char *path, int is_folder, const void *bytes, size_t n) {
    if (t->n == t->capacity) {
        t->capacity = t->capacity * 2 + 8;
        t->files = (tree_file *)need(realloc(t->files, t->capacity * sizeof *t->files));
    }
    tree_file *f = &t->files[t->n++];
    if (snprintf(f->path, sizeof f->path, "%s", path) >= (int)sizeof f->path) die("%s", path);
    f->is_folder = is_folder;
    f->bytes = (unsigned char *)need(malloc(n + 1));
    if (n > 0) memcpy(f->bytes, bytes, n);
    f->bytes[n] = 0;
    f->n = n;
}

const tree_file *tree_find(const tree *t, const char *path) {
    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(t->files[i].path, path) == 0) return &t->files[i];
    }
    return NULL;
}

static void read_file(tree *t, const char *full, const char *path, size_t size) {
    unsigned char *bytes = (unsigned char *)need(malloc(size + 1));
    FILE *f = fopen(full, "rb");
    if (f == NULL || fread(bytes, 1, size, f) != size) die("%s", full);
    (void)fclose(f);
    tree_add(t, path, 0, bytes, size);
    free(bytes);
}

/* Reads what is in FOLDER/PREFIX, where the prefix is "" or ends with a slash. */
static void read_folder(tree *t, const char *folder, const char *prefix) {
    char full[FULL_PATH];
    char path[TREE_PATH];
    char inner[TREE_PATH + 1];
    struct stat status;
    (void)snprintf(full, sizeof full, "%s/%s", folder, prefix);
    DIR *directory = opendir(full);
    if (directory == NULL) die("%s", full);
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        int n = snprintf(path, sizeof path, "%s%s", prefix, entry->d_name);
        if (n >= (int)sizeof path) die("%s: too long", entry->d_name);
        (void)snprintf(full, sizeof full, "%s/%s", folder, path);
        if (lstat(full, &status) != 0) die("%s", full);
        if (!S_ISDIR(status.st_mode)) {
            read_file(t, full, path, (size_t)status.st_size);
            continue;
        }
        tree_add(t, path, 1, NULL, 0);
        (void)snprintf(inner, sizeof inner, "%s/", path);
        read_folder(t, folder, inner);
    }
    (void)closedir(directory);
}

void tree_read(tree *t, const char *folder) {
    memset(t, 0, sizeof *t);
    read_folder(t, folder, "");
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status;
    (void)kind;
    return place->level > 0 ? remove(path) : 0;
}

void tree_write(const tree *t, const char *folder) {
    char full[FULL_PATH];
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) die("%s", folder);
    if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) die("%s: cannot empty it", folder);
    for (size_t i = 0; i < t->n; i++) {
        const tree_file *file = &t->files[i];
        (void)snprintf(full, sizeof full, "%s/%s", folder, file->path);
        if (file->is_folder) {
            if (mkdir(full, 0777) != 0) die("%s", full);
            continue;
        }
        FILE *f = fopen(full, "wb");
        if (f == NULL || fwrite(file->bytes, 1, file->n, f) != file->n || fclose(f) != 0)
            die("%s", full);
    }
}

void tree_free(tree *t) {
    for (size_t i = 0; i < t->n; i++)
        free(t->files[i].bytes);
    free(t->files);
    memset(t, 0, sizeof *t);
}
