/* lock.c: locks on files, each with a line that says who holds it.
 *
 * The holder removes the file before it gives the lock back.  Whoever opened it before has then
 * locked a file without a name; that is found out by comparing it with what has the name now, and
 * tried again. */
#include "common/lock.h"

#include <stdio.h>
#include <string.h>

#include "common/os.h"

/* How a lock file begins; behind it is its owner. */
static const char mark[] = "slm lock: ";

enum {
    MARK_SIZE = sizeof mark - 1,
    NAME_SIZE = 65,
    TRIES = 100 /* The file may vanish between two system calls, each time another one ends. */
};

/* Returns 1 if a file that begins like this was made here.  Killed while it was written, it holds
 * less than the mark; where the power failed, zeros may stand for what was lost. */
static int is_ours(const os_lock *file) {
    size_t n = file->size;
    while (file->size < sizeof file->content && n > 0 && file->content[n - 1] == 0)
        n--;
    return memcmp(file->content, mark, n < MARK_SIZE ? n : MARK_SIZE) == 0;
}

/* Sets text to the owner that the file names, or to "" if it names none. */
static void read_owner(char text[LOCK_TEXT_SIZE], const os_lock *file) {
    size_t size = 0;
    text[0] = 0;
    if (file->size < MARK_SIZE || !is_ours(file)) return;
    for (size_t i = MARK_SIZE; i < file->size && file->content[i] != '\n'; i++) {
        char c = file->content[i];
        int plain = c >= ' ' && c <= '~';
        if (!plain || size + 1 == LOCK_TEXT_SIZE) return;
        text[size++] = c;
    }
    text[size] = 0;
}

/* The owner is a courtesy: without it the lock is held all the same. */
static void write_owner(intptr_t handle) {
    char content[OS_LOCK_CONTENT_SIZE];
    char machine[NAME_SIZE];
    os_machine_name(machine, sizeof machine);
    int size = snprintf(content, sizeof content, "%sPID %lu on %s\n", mark, os_process_number(),
                        machine);
    os_lock_write(handle, content, (size_t)size);
}

/* The file is open and locked: takes it over if it is a lock file. */
static lock_status take_over(file_lock *lock, const os_lock *file, lock_status status) {
    if (!is_ours(file)) {
        os_lock_close(file->handle);
        return LOCK_FOREIGN;
    }
    write_owner(file->handle);
    lock->handle = file->handle;
    lock->open = 1;
    return status;
}

static lock_status try_to_take(file_lock *lock) {
    os_lock file;
    os_lock_status status = os_lock_open(&file, lock->path);
    (void)snprintf(lock->text, sizeof lock->text, "%s", file.error);
    switch (status) {
    case OS_LOCK_TAKEN: return take_over(lock, &file, LOCK_TAKEN);
    case OS_LOCK_NO_LOCKS: return take_over(lock, &file, LOCK_NO_LOCKS);
    case OS_LOCK_BUSY:
        read_owner(lock->text, &file);
        return is_ours(&file) ? LOCK_BUSY : LOCK_FOREIGN;
    case OS_LOCK_READ_ONLY: return LOCK_READ_ONLY;
    case OS_LOCK_NO_FOLDER: return LOCK_NO_FOLDER;
    case OS_LOCK_NOT_PLAIN: return LOCK_FOREIGN;
    default: return LOCK_FAILED;
    }
}

/* Returns 1, and lets go of it, if the locked file was removed after it was opened. */
static int vanished(file_lock *lock) {
    if (!lock->open || os_lock_is_named(lock->handle, lock->path)) return 0;
    os_lock_close(lock->handle);
    lock->open = 0;
    return 1;
}

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

void lock_release(file_lock *lock) {
    if (lock->open) os_lock_remove(lock->handle, lock->path);
    lock->open = 0;
}
