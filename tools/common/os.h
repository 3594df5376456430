/* os.h: what the C library lacks and every system has in its own way.  Nothing else in tools calls
 * the system.  Works on POSIX and on Windows, where every path is UTF-8 and goes to the system in
 * its wide characters. */
#ifndef OS_H
#define OS_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- the process ---- */

/* Makes sure that descriptors 0 to 2 are taken, so that no file gets their numbers.  Returns 0 if
 * that failed. */
int os_take_standard_descriptors(void);

/* The arguments, in UTF-8.  On Windows also makes standard input and output binary, and the console
 * UTF-8.  Returns NULL if memory runs out. */
char **os_arguments(int *argc, char **argv);

/* Starts the file of this process again with another environment variable.  Comes back if that
 * failed, or where the system does not tell which file it is. */
void os_start_again(char **argv, const char *name, const char *value);

/* Calls the handler for the first request to end the process; the second one ends it. */
void os_catch_signals(void (*handler)(int));

/* What a handler of a signal may do.  The first calls another one in a second; the second writes to
 * stderr; the third ends the process without anything else. */
void os_call_in_a_second(void (*handler)(int));
void os_write_error(const char *text);
void os_end(int code);

/* Seconds since some fixed moment; seconds of the processor that the process took. */
double os_clock(void);
double os_processor_seconds(void);
void os_rest(double seconds);

/* Processors of the machine; 1 if it is not known. */
long os_processors(void);
/* What kind of processor it is, as its maker says; "" if the system does not tell. */
void os_processor_name(char *name, size_t size);

/* Bytes of physical memory, and the most that the process has held; 0: not known. */
double os_memory_bytes(void);
double os_peak_memory_bytes(void);

/* Runs work(user) in a process of its own.  Returns its number, or -1 if there is none. */
long os_child_start(void (*work)(void *user), void *user);
/* Waits for the end of one of them.  Returns its number, and sets *success; -1: there is none. */
long os_child_wait(int *success);
/* Ends a child whose parent was killed: the next parent may be at the same work. */
void os_child_end_with_parent(void);

/* ---- the terminal ---- */
int os_is_terminal(int descriptor);
int os_terminal_width(void); /* of stderr; 80 if it is not known */

/* ---- files ---- */
typedef enum os_kind { OS_NOTHING, OS_FILE, OS_FOLDER, OS_STREAM /* a pipe, a device */ } os_kind;

/* What the path leads to; *size, if it is not NULL, is that of a plain file, else 0. */
os_kind os_kind_of(const char *path, uint64_t *size);
int os_is_same_file(const char *a, const char *b);

/* As fopen; mode "wbx" makes a file that must be new. */
FILE *os_open(const char *path, const char *mode);

/* These return 0 if all went well; errno says what did not. */
int os_remove(const char *path);
int os_rename(const char *from, const char *to); /* replaces a file of that name */
int os_make_folder(const char *path);
int os_remove_folder(const char *path);
int os_truncate(const char *path, uint64_t size);
int os_sync(FILE *stream); /* writes what is buffered, and waits until the disk has it */

/* Waits until the disk has the name of this path: after a rename, or when a folder was made. */
int os_sync_name(const char *path);

/* A descriptor to read from, or -1. */
int os_open_descriptor(const char *path);
/* Reads up to n bytes at the offset.  Returns their number, or -1. */
long os_read_at(int descriptor, void *bytes, size_t n, uint64_t offset);
uint64_t os_descriptor_size(int descriptor);
void os_close_descriptor(int descriptor);

/* ---- locks ---- */
enum { OS_LOCK_CONTENT_SIZE = 160, OS_LOCK_ERROR_SIZE = 128 };

typedef enum os_lock_status {
    OS_LOCK_TAKEN,
    OS_LOCK_BUSY,      /* another process holds it */
    OS_LOCK_NO_LOCKS,  /* the file system has none: nothing is held */
    OS_LOCK_READ_ONLY, /* there is no such file and none can be made here: error says why */
    OS_LOCK_NO_FOLDER, /* the folder of the file is not there */
    OS_LOCK_NOT_PLAIN, /* a link, a device, or a file that has a second name */
    OS_LOCK_FAILED     /* error says why */
} os_lock_status;

/* A file that is open to be locked. */
typedef struct os_lock {
    intptr_t handle;                    /* open if it is TAKEN, or if there are NO_LOCKS */
    char content[OS_LOCK_CONTENT_SIZE]; /* how the file begins, also if it is busy */
    size_t size;                        /* of that */
    char error[OS_LOCK_ERROR_SIZE];
} os_lock;

/* Opens the file, or makes it, and locks it without waiting.  Follows no symbolic link. */
os_lock_status os_lock_open(os_lock *lock, const char *path);
/* Makes this the content of the locked file; if that fails the file is empty. */
void os_lock_write(intptr_t handle, const char *content, size_t size);
/* 1 if the path still names the locked file. */
int os_lock_is_named(intptr_t handle, const char *path);
/* Removes the file if the path still names it, and gives the lock back. */
void os_lock_remove(intptr_t handle, const char *path);
/* Gives the lock back, and leaves the file. */
void os_lock_close(intptr_t handle);
/* Removes what the path names, if it is a plain file and no link. */
void os_remove_plain(const char *path);

/* The number of this process, and the name of the machine; "" if it is not known. */
unsigned long os_process_number(void);
void os_machine_name(char *name, size_t size);

/* ---- texts ---- */
/* A stream that writes into memory. */
typedef struct os_text {
    FILE *stream;
    char *bytes; /* after the close, which the caller frees; a NUL follows them */
    size_t size;
} os_text;

/* Returns the stream, or NULL. */
FILE *os_text_open(os_text *text);
/* Returns 0 if all was written. */
int os_text_close(os_text *text);

/* 1 if the byte separates the names of a path. */
int os_is_separator(char c);

#endif
