/* output.c: outputs that are locked. */
#include "common/output.h"

#include <string.h>

#include "common/cli.h"
#include "common/os.h"

/* The folder may be removed between its making and the lock by a process that ends without having
 * written there: then both are made again. */
enum { TRIES = 100 };

/* `path` is the output as the user calls it. */
static int report(const output *o, lock_status status, const char *path) {
    const char *text = o->lock.text;
    char owner[LOCK_TEXT_SIZE + 4] = "";
    if (text[0] != 0) (void)snprintf(owner, sizeof owner, " (%s)", text);
    switch (status) {
    case LOCK_TAKEN: return DONE;
    case LOCK_BUSY:
        return fail(USAGE,
                    "%s is being written by another process%s; wait for it, or choose another "
                    "--out",
                    path, owner);
    case LOCK_FOREIGN:
        return fail(USAGE,
                    "%s: a link, or not a lock of this program; remove it, or choose another --out",
                    o->lock.path);
    case LOCK_NO_LOCKS:
        say("note: %s: this file system has no locks; let no other process write there", path);
        return DONE;
    default: return fail(FAILED, "%s: cannot make the lock: %s", o->lock.path, text);
    }
}

static void sweep(const char *path, const char *end) {
    char temporary[PATH_SIZE + 16];
    (void)snprintf(temporary, sizeof temporary, "%s%s", path, end);
    os_remove_plain(temporary);
}

int output_open_folder(output *o, const char *folder, const char *const *names, size_t n) {
    char path[PATH_SIZE];
    lock_status status = LOCK_NO_FOLDER;
    memset(o, 0, sizeof *o);
    int code = path_join(path, folder, ".lock");
    if (code != DONE) return code;
    o->n_existed = existing_folders(folder);
    for (int i = 0; i < TRIES && status == LOCK_NO_FOLDER; i++) {
        code = make_folder(folder);
        if (code != DONE) return code;
        status = lock_take(&o->lock, path);
    }
    (void)snprintf(o->folder, sizeof o->folder, "%s", folder);
    code = report(o, status, folder);
    for (size_t i = 0; i < n && code == DONE; i++) {
        code = path_join(path, folder, names[i]);
        if (code == DONE) sweep(path, ".tmp");
    }
    return code;
}

int output_open_file(output *o, const char *path) {
    char lock_path[PATH_SIZE];
    memset(o, 0, sizeof *o);
    if (snprintf(lock_path, sizeof lock_path, "%s.lock", path) >= (int)sizeof lock_path)
        return fail(USAGE, "%.60s...: the path is too long", path);
    lock_status status = lock_take(&o->lock, lock_path);

    /* Where no lock can be made, nothing can be written: what follows reads, or fails by name. */
    if (status == LOCK_READ_ONLY) return DONE;
    int code = report(o, status, path);
    if (code != DONE) return code;
    sweep(path, ".tmp");
    sweep(path, ".part.tmp");
    return DONE;
}

/* What has the temporary name is removed, so that a link is not followed. */
int output_file_begin(output_file *f, const char *path) {
    memset(f, 0, sizeof *f);
    int n = snprintf(f->path, sizeof f->path, "%s", path);
    if (n < 0 || n >= PATH_SIZE - (int)sizeof ".tmp")
        return fail(USAGE, "%.60s...: the path is too long", path);
    (void)snprintf(f->temporary, sizeof f->temporary, "%.*s.tmp", n, path);
    (void)os_remove(f->temporary);
    f->stream = os_open(f->temporary, "wbx");
    if (f->stream == NULL) return fail_errno(FAILED, f->temporary, "open for writing");
    return DONE;
}

int output_file_end(output_file *f, int code) {
    if (f->stream == NULL) return code;
    int written = !ferror(f->stream) && os_sync(f->stream) == 0;
    if (code == DONE && !written) code = fail_errno(FAILED, f->temporary, "write");
    if (fclose(f->stream) != 0 && code == DONE) code = fail_errno(FAILED, f->temporary, "close");
    if (code == DONE && os_rename(f->temporary, f->path) != 0)
        code = fail_errno(FAILED, f->path, "replace");
    f->stream = NULL;
    if (code != DONE) {
        (void)os_remove(f->temporary);
        return code;
    }
    return os_sync_name(f->path) == 0 ? DONE : fail_errno(FAILED, f->path, "sync the name of");
}

void output_close(output *o) {
    lock_release(&o->lock);
    if (o->folder[0] != 0) remove_empty_folders(o->folder, o->n_existed);
    o->folder[0] = 0;
}
