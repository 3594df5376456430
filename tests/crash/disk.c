/* disk.c: the simulated disk. */
#include "disk.h"

#include <stdlib.h>
#include <string.h>

enum { NOTHING = -1, SECTOR = 512, MAX_OPEN = 64 };

/* ---- the record ---- */
struct disk_log {
    trace_operation *operations;
    size_t n;
    size_t capacity;
};

disk_log *disk_log_new(void) {
    return (disk_log *)need(calloc(1, sizeof(disk_log)));
}

void disk_log_add(void *user, const trace_operation *operation) {
    disk_log *log = (disk_log *)user;
    if (operation->result < 0) return;
    if (log->n == log->capacity) {
        log->capacity = 2 * log->capacity + 64;
        log->operations = (trace_operation *)need(
            realloc(log->operations, log->capacity * sizeof *log->operations));
    }
    trace_operation *o = &log->operations[log->n++];
    *o = *operation;
    if (o->bytes == NULL) return;
    unsigned char *bytes = (unsigned char *)need(malloc(o->n + 1));
    memcpy(bytes, operation->bytes, o->n);
    o->bytes = bytes;
}

size_t disk_log_size(const disk_log *log) {
    return log->n;
}

void disk_log_free(disk_log *log) {
    for (size_t i = 0; i < log->n; i++)
        free((void *)log->operations[i].bytes);
    free(log->operations);
    free(log);
}

/* ---- files and names ---- */
typedef struct content {
    unsigned char *bytes;
    size_t n;
} content;

/* A write, or a truncation to n bytes if bytes is NULL. */
typedef struct change {
    const unsigned char *bytes;
    size_t n;
    size_t offset;
} change;

typedef struct file {
    int is_folder;
    content synced;
    size_t size; /* as programs see it */
    change *changes; /* since it was synced */
    size_t n_changes;
} file;

typedef struct name {
    char path[TREE_PATH];
    int *leads_to; /* files: first the synced one, then each that followed */
    size_t n;
} name;

typedef struct open_file {
    int file;
    int appends;
    size_t offset;
    char path[TREE_PATH];
} open_file;

typedef struct disk {
    file *files;
    int n_files;
    name *names;
    size_t n_names;
    open_file open[MAX_OPEN];
} disk;

static void set_size(content *c, size_t n) {
    c->bytes = (unsigned char *)need(realloc(c->bytes, n + 1));
    if (n > c->n) memset(c->bytes + c->n, 0, n - c->n);
    c->n = n;
}

static void write_at(content *c, size_t offset, const unsigned char *bytes, size_t n) {
    if (offset + n > c->n) set_size(c, offset + n);
    memcpy(c->bytes + offset, bytes, n);
}

static int new_file(disk *d, int is_folder) {
    size_t size = (size_t)(d->n_files + 1) * sizeof *d->files;
    d->files = (file *)need(realloc(d->files, size));
    memset(&d->files[d->n_files], 0, sizeof *d->files);
    d->files[d->n_files].is_folder = is_folder;
    return d->n_files++;
}

static name *name_of(disk *d, const char *path) {
    for (size_t i = 0; i < d->n_names; i++) {
        if (strcmp(d->names[i].path, path) == 0) return &d->names[i];
    }
    d->names = (name *)need(realloc(d->names, (d->n_names + 1) * sizeof *d->names));
    name *it = &d->names[d->n_names++];
    strcpy(it->path, path);
    it->leads_to = (int *)need(malloc(sizeof *it->leads_to));
    it->leads_to[0] = NOTHING;
    it->n = 1;
    return it;
}

static int file_of(disk *d, const char *path) {
    const name *it = name_of(d, path);
    return it->leads_to[it->n - 1];
}

static void lead(disk *d, const char *path, int to) {
    name *it = name_of(d, path);
    it->leads_to = (int *)need(realloc(it->leads_to, (it->n + 1) * sizeof *it->leads_to));
    it->leads_to[it->n++] = to;
}

/* The part of a path before its last name; "" if there is none. */
static void folder_of(char folder[TREE_PATH], const char *path) {
    strcpy(folder, path);
    char *slash = strrchr(folder, '/');
    folder[slash != NULL ? slash - folder : 0] = 0;
}

/* ---- operations ---- */
static void add_change(file *f, const unsigned char *bytes, size_t n, size_t offset) {
    f->changes = (change *)need(realloc(f->changes, (f->n_changes + 1) * sizeof *f->changes));
    change *c = &f->changes[f->n_changes++];
    c->bytes = bytes;
    c->n = n;
    c->offset = offset;
    if (bytes == NULL) {
        f->size = n;
    } else if (offset + n > f->size) {
        f->size = offset + n;
    }
}

static void apply(content *c, const change *it) {
    if (it->bytes == NULL) {
        set_size(c, it->n);
    } else {
        write_at(c, it->offset, it->bytes, it->n);
    }
}

static void sync_file(file *f) {
    for (size_t i = 0; i < f->n_changes; i++)
        apply(&f->synced, &f->changes[i]);
    f->n_changes = 0;
}

/* Every name of the folder now leads for certain to what it led to last. */
static void sync_folder(disk *d, const char *path) {
    char folder[TREE_PATH];
    char cut[TREE_PATH];
    strcpy(cut, path);
    size_t n = strlen(cut);
    if (n > 0 && cut[n - 1] == '.') cut[--n] = 0;
    while (n > 0 && cut[n - 1] == '/')
        cut[--n] = 0;
    for (size_t i = 0; i < d->n_names; i++) {
        name *it = &d->names[i];
        folder_of(folder, it->path);
        if (strcmp(folder, cut) != 0) continue;
        it->leads_to[0] = it->leads_to[it->n - 1];
        it->n = 1;
    }
}

static int is_folder_path(disk *d, const char *path) {
    size_t n = strlen(path);
    int it = file_of(d, path);
    return strcmp(path, ".") == 0 || (n > 1 && strcmp(path + n - 2, "/.") == 0) ||
           (it != NOTHING && d->files[it].is_folder);
}

static void open_path(disk *d, const trace_operation *o) {
    open_file *opened = &d->open[o->descriptor];
    memset(opened, 0, sizeof *opened);
    strcpy(opened->path, o->path);
    opened->file = NOTHING;
    if (is_folder_path(d, o->path)) return;
    opened->file = file_of(d, o->path);
    opened->appends = o->appends;
    if (opened->file == NOTHING && o->creates) {
        opened->file = new_file(d, 0);
        lead(d, o->path, opened->file);
    } else if (opened->file != NOTHING && o->empties) {
        add_change(&d->files[opened->file], NULL, 0, 0);
    }
}

static void write_open(disk *d, const trace_operation *o) {
    open_file *opened = &d->open[o->descriptor];
    if (o->descriptor == TRACE_STDOUT) return;
    file *f = &d->files[opened->file];
    size_t offset = opened->appends ? f->size : opened->offset;
    if (o->offset != TRACE_NO_OFFSET) offset = (size_t)o->offset;
    add_change(f, o->bytes, o->n, offset);
    if (o->offset == TRACE_NO_OFFSET) opened->offset = offset + o->n;
}

static void do_operation(disk *d, const trace_operation *o) {
    int file_number;
    switch (o->kind) {
    case TRACE_OPEN:
        open_path(d, o);
        return;
    case TRACE_READ:
        if (o->offset == TRACE_NO_OFFSET) d->open[o->descriptor].offset += (size_t)o->result;
        return;
    case TRACE_WRITE:
        write_open(d, o);
        return;
    case TRACE_TRUNCATE:
        file_number = o->descriptor < 0 ? file_of(d, o->path) : d->open[o->descriptor].file;
        add_change(&d->files[file_number], NULL, o->n, 0);
        return;
    case TRACE_SEEK:
        d->open[o->descriptor].offset = (size_t)o->result;
        return;
    case TRACE_SYNC:
        if (d->open[o->descriptor].file == NOTHING) {
            sync_folder(d, d->open[o->descriptor].path);
        } else {
            sync_file(&d->files[d->open[o->descriptor].file]);
        }
        return;
    case TRACE_RENAME:
        lead(d, o->to, file_of(d, o->path));
        lead(d, o->path, NOTHING);
        return;
    case TRACE_REMOVE:
    case TRACE_REMOVE_FOLDER:
        lead(d, o->path, NOTHING);
        return;
    case TRACE_MAKE_FOLDER:
        lead(d, o->path, new_file(d, 1));
        return;
    default: return;
    }
}

/* ---- what is left ---- */
uint64_t disk_random(uint64_t *state, uint64_t end) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (z ^ (z >> 31)) % end;
}

static void lose_a_part(content *c, const change *it, uint64_t *state) {
    size_t offset = it->offset;
    size_t end = it->offset + it->n;
    while (offset < end) {
        size_t n = SECTOR - offset % SECTOR;
        if (n > end - offset) n = end - offset;
        if (disk_random(state, 2) == 0)
            write_at(c, offset, it->bytes + (offset - it->offset), n);
        offset += n;
    }
}

static void lose_any(content *c, const change *it, uint64_t *state) {
    switch (disk_random(state, 4)) {
    case 0: return;
    case 1:
        apply(c, it);
        return;
    case 2:
        if (it->bytes != NULL) lose_a_part(c, it, state);
        return;
    default:
        if (it->bytes != NULL && it->offset + it->n > c->n) set_size(c, it->offset + it->n);
        return;
    }
}

static void add_file(tree *after, const char *path, const file *f, int loses, uint64_t *state) {
    content c = {NULL, 0};
    set_size(&c, f->synced.n);
    if (c.n > 0) memcpy(c.bytes, f->synced.bytes, c.n);
    for (size_t i = 0; i < f->n_changes; i++) {
        if (loses) {
            lose_any(&c, &f->changes[i], state);
        } else {
            apply(&c, &f->changes[i]);
        }
    }
    tree_add(after, path, 0, c.bytes, c.n);
    free(c.bytes);
}

static int choose_file(const name *it, disk_fate fate, uint64_t *state) {
    switch (fate) {
    case DISK_LOSES_ALL: return it->leads_to[0];
    case DISK_LOSES_DATA: return it->leads_to[it->n - 1];
    default: return it->leads_to[disk_random(state, it->n)];
    }
}

/* A folder's name is made before a name in it is, so that folders come first here too. */
static void collect(tree *after, const disk *d, disk_fate fate, uint64_t *state) {
    char folder[TREE_PATH];
    for (size_t i = 0; i < d->n_names; i++) {
        const name *it = &d->names[i];
        int chosen = choose_file(it, fate, state);
        folder_of(folder, it->path);
        if (chosen == NOTHING || (folder[0] != 0 && tree_find(after, folder) == NULL)) continue;
        const file *f = &d->files[chosen];
        if (f->is_folder) {
            tree_add(after, it->path, 1, NULL, 0);
        } else if (fate == DISK_LOSES_ALL) {
            tree_add(after, it->path, 0, f->synced.bytes, f->synced.n);
        } else {
            add_file(after, it->path, f, fate != DISK_LOSES_NAMES, state);
        }
    }
}

static void begin(disk *d, const tree *before) {
    memset(d, 0, sizeof *d);
    for (size_t i = 0; i < before->n; i++) {
        const tree_file *f = &before->files[i];
        int it = new_file(d, f->is_folder);
        write_at(&d->files[it].synced, 0, f->bytes, f->n);
        d->files[it].size = f->n;
        name_of(d, f->path)->leads_to[0] = it;
    }
}

static void end(disk *d) {
    for (int i = 0; i < d->n_files; i++) {
        free(d->files[i].synced.bytes);
        free(d->files[i].changes);
    }
    for (size_t i = 0; i < d->n_names; i++)
        free(d->names[i].leads_to);
    free(d->files);
    free(d->names);
}

void disk_crash(tree *after, const tree *before, const disk_log *log, size_t n, disk_fate fate,
                uint64_t *state) {
    disk d;
    memset(after, 0, sizeof *after);
    begin(&d, before);
    for (size_t i = 0; i < n; i++)
        do_operation(&d, &log->operations[i]);
    collect(after, &d, fate, state);
    end(&d);
}
