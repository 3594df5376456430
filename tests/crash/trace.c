/* trace.c: the operations of a process on files, by ptrace. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const trace_kind_names[] = {"open",   "close",  "read",  "write", "truncate", "sync",
                                        "rename", "remove", "mkdir", "rmdir", "lock",     "seek",
                                        "other"};

enum { MAX_DESCRIPTORS = 64, STOPPED_BY_CALL = SIGTRAP | 0x80, SIGNALLED = 128 };

typedef struct tracee {
    pid_t pid;
    const trace_plan *plan;
    struct user_regs_struct registers; /* at the entry of the call */
    char paths[MAX_DESCRIPTORS][TREE_PATH]; /* of open files that are seen; "" of others */
    trace_operation operation;
    unsigned char *bytes;
    size_t capacity;
    trace_action action; /* what is done to this call */
    trace_end end;
} tracee;

int trace_changes(const trace_operation *operation) {
    switch (operation->kind) {
    case TRACE_OPEN: return operation->creates;
    case TRACE_WRITE: return operation->descriptor != TRACE_STDOUT;
    case TRACE_TRUNCATE:
    case TRACE_SYNC:
    case TRACE_RENAME:
    case TRACE_REMOVE:
    case TRACE_MAKE_FOLDER:
    case TRACE_REMOVE_FOLDER: return 1;
    default: return 0;
    }
}

/* ---- the memory of the other process ---- */
static void copy_from(pid_t pid, void *to, unsigned long long address, size_t n) {
    struct iovec here = {to, n};
    struct iovec there = {(void *)(uintptr_t)address, n};
    if (n > 0 && process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)n)
        die("cannot read the memory of process %d", (int)pid);
}

static void copy_text_from(pid_t pid, char text[TREE_PATH], unsigned long long address) {
    for (size_t i = 0; i < TREE_PATH; i++) {
        copy_from(pid, text + i, address + i, 1);
        if (text[i] == 0) return;
    }
    text[0] = '/'; /* too long to be one of ours */
    text[1] = 0;
}

static unsigned long long *argument(struct user_regs_struct *registers, int i) {
    switch (i) {
    case 0: return &registers->rdi;
    case 1: return &registers->rsi;
    case 2: return &registers->rdx;
    default: return &registers->r10;
    }
}

/* ---- what a call is ---- */
static void take_path(tracee *t, char path[TREE_PATH], int i) {
    copy_text_from(t->pid, path, *argument(&t->registers, i));
}

static trace_kind open_of(tracee *t, int i) {
    trace_operation *o = &t->operation;
    take_path(t, o->path, i);
    unsigned long long flags = *argument(&t->registers, i + 1);
    o->creates = (flags & O_CREAT) != 0;
    o->empties = (flags & O_TRUNC) != 0;
    o->appends = (flags & O_APPEND) != 0;
    return TRACE_OPEN;
}

static trace_kind path_of(tracee *t, trace_kind kind, int i) {
    take_path(t, t->operation.path, i);
    return kind;
}

static trace_kind rename_of(tracee *t, int from, int to) {
    take_path(t, t->operation.path, from);
    take_path(t, t->operation.to, to);
    return TRACE_RENAME;
}

/* Of a call whose first argument is a descriptor. */
static trace_kind file_of(tracee *t, trace_kind kind) {
    trace_operation *o = &t->operation;
    unsigned long long descriptor = t->registers.rdi;
    int is_written_out = descriptor == TRACE_STDOUT && kind == TRACE_WRITE;
    if (descriptor >= MAX_DESCRIPTORS) return TRACE_OTHER;
    if (t->paths[descriptor][0] == 0 && !is_written_out) return TRACE_OTHER;
    o->descriptor = (int)descriptor;
    memcpy(o->path, t->paths[descriptor], TREE_PATH);
    return kind;
}

static trace_kind at_offset(tracee *t, trace_kind kind) {
    t->operation.offset = (int64_t)t->registers.r10;
    return file_of(t, kind);
}

static trace_kind kind_of(tracee *t) {
    switch (t->registers.orig_rax) {
    case SYS_open: return open_of(t, 0);
    case SYS_openat: return open_of(t, 1);
    case SYS_close: return file_of(t, TRACE_CLOSE);
    case SYS_read: return file_of(t, TRACE_READ);
    case SYS_pread64: return at_offset(t, TRACE_READ);
    case SYS_write: return file_of(t, TRACE_WRITE);
    case SYS_pwrite64: return at_offset(t, TRACE_WRITE);
    case SYS_truncate: return path_of(t, TRACE_TRUNCATE, 0);
    case SYS_ftruncate: return file_of(t, TRACE_TRUNCATE);
    case SYS_fsync:
    case SYS_fdatasync: return file_of(t, TRACE_SYNC);
    case SYS_rename: return rename_of(t, 0, 1);
    case SYS_renameat:
    case SYS_renameat2: return rename_of(t, 1, 3);
    case SYS_unlink: return path_of(t, TRACE_REMOVE, 0);
    case SYS_unlinkat: return path_of(t, TRACE_REMOVE, 1);
    case SYS_mkdir: return path_of(t, TRACE_MAKE_FOLDER, 0);
    case SYS_rmdir: return path_of(t, TRACE_REMOVE_FOLDER, 0);
    case SYS_fcntl:
        if (t->registers.rsi != F_SETLK && t->registers.rsi != F_SETLKW) return TRACE_OTHER;
        return file_of(t, TRACE_LOCK);
    case SYS_lseek: return file_of(t, TRACE_SEEK);

    /* With one of these the record would not be the whole of what is done to a file. */
    case SYS_writev:
    case SYS_pwritev:
    case SYS_link:
    case SYS_symlink:
    case SYS_creat:
    case SYS_sendfile:
    case SYS_copy_file_range: die("call %d is not known here", (int)t->registers.orig_rax);
    }
    return TRACE_OTHER;
}

static int is_seen(const tracee *t) {
    const trace_operation *o = &t->operation;
    return o->kind != TRACE_OTHER && o->path[0] != '/';
}

/* ---- one call ---- */
static void set_registers(tracee *t, struct user_regs_struct *registers) {
    if (ptrace(PTRACE_SETREGS, t->pid, NULL, registers) != 0) die("ptrace");
}

static void halve(tracee *t) {
    struct user_regs_struct changed = t->registers;
    if (changed.rdx < 2) return;
    changed.rdx /= 2;
    set_registers(t, &changed);
}

/* A file is closed all the same, whatever close says. */
static void leave_out(tracee *t) {
    struct user_regs_struct changed = t->registers;
    if (t->operation.kind == TRACE_CLOSE) return;
    changed.orig_rax = (unsigned long long)-1;
    set_registers(t, &changed);
}

static trace_action action_for(tracee *t) {
    const trace_plan *plan = t->plan;
    if (plan->means == NULL || !plan->means(&t->operation)) return TRACE_NOTHING;
    long number = ++t->end.n_meant;
    if (plan->at == 0 || number < plan->at) return TRACE_NOTHING;
    if (number > plan->at && !plan->forever) return TRACE_NOTHING;
    t->end.applied = 1;
    return plan->action;
}

static void enter_call(tracee *t) {
    if (ptrace(PTRACE_GETREGS, t->pid, NULL, &t->registers) != 0) die("ptrace");
    memset(&t->operation, 0, sizeof t->operation);
    t->operation.descriptor = -1;
    t->operation.offset = TRACE_NO_OFFSET;
    t->operation.kind = kind_of(t);
    t->action = is_seen(t) ? action_for(t) : TRACE_NOTHING;
    switch (t->action) {
    case TRACE_NOTHING: return;
    case TRACE_KILL:
        leave_out(t);
        (void)kill(t->pid, SIGKILL);
        return;
    case TRACE_FAIL:
        leave_out(t);
        return;
    case TRACE_KILL_HALF:
    case TRACE_SHORTEN:
        halve(t);
        return;
    }
}

static void take_bytes(tracee *t) {
    trace_operation *o = &t->operation;
    o->n = o->result > 0 ? (size_t)o->result : 0;
    if (o->n > t->capacity) {
        t->capacity = o->n;
        t->bytes = (unsigned char *)need(realloc(t->bytes, t->capacity));
    }
    copy_from(t->pid, t->bytes, t->registers.rsi, o->n);
    o->bytes = t->bytes;
}

static void leave_call(tracee *t) {
    trace_operation *o = &t->operation;
    struct user_regs_struct registers;
    if (!is_seen(t)) return;
    if (ptrace(PTRACE_GETREGS, t->pid, NULL, &registers) != 0) die("ptrace");
    if (t->action == TRACE_FAIL) {
        registers.rax = (unsigned long long)-(long long)t->plan->code;
        set_registers(t, &registers);
    }
    o->result = (long)registers.rax;

    if (o->kind == TRACE_OPEN && o->result >= 0) {
        if (o->result >= MAX_DESCRIPTORS) die("%s: too many open files", o->path);
        o->descriptor = (int)o->result;
        memcpy(t->paths[o->descriptor], o->path, TREE_PATH);
    }
    if (o->kind == TRACE_CLOSE) t->paths[o->descriptor][0] = 0;
    if (o->kind == TRACE_WRITE) take_bytes(t);
    if (o->kind == TRACE_TRUNCATE) o->n = (size_t)t->registers.rsi;
    if (t->plan->seen != NULL) t->plan->seen(t->plan->user, o);
    if (t->action == TRACE_KILL_HALF) (void)kill(t->pid, SIGKILL);
}

/* ---- the process ---- */
static void redirect(const char *path, int descriptor, int flags) {
    int opened = open(path, flags, 0666);
    if (opened < 0 || dup2(opened, descriptor) < 0) _exit(127);
    if (opened != descriptor) (void)close(opened);
}

static pid_t start(char *const *argv, const char *folder, const char *out, const char *err,
                   int is_traced) {
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid != 0) return pid;
    redirect("/dev/null", 0, O_RDONLY);
    redirect(out, 1, O_WRONLY | O_CREAT | O_TRUNC);
    redirect(err, 2, O_WRONLY | O_CREAT | O_TRUNC);
    if (chdir(folder) != 0) _exit(127);
    if (is_traced) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(127);
        (void)raise(SIGSTOP);
    }
    (void)execv(argv[0], argv);
    _exit(127);
}

static int code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
}

static void follow(tracee *t) {
    int status;
    int inside = 0;
    int signal_number = 0;
    for (;;) {
        if (ptrace(PTRACE_SYSCALL, t->pid, NULL, (void *)(intptr_t)signal_number) != 0 &&
            errno != ESRCH)
            die("ptrace");
        if (waitpid(t->pid, &status, 0) < 0) die("waitpid");
        if (!WIFSTOPPED(status)) break;
        signal_number = 0;
        if (WSTOPSIG(status) == STOPPED_BY_CALL) {
            if (inside) {
                leave_call(t);
            } else {
                enter_call(t);
            }
            inside = !inside;
        } else if (status >> 16 == 0) {
            signal_number = WSTOPSIG(status);
        }
    }
    t->end.code = code_of(status);
}

trace_end trace_run(char *const *argv, const char *folder, const char *out, const char *err,
                    const trace_plan *plan) {
    tracee *t = (tracee *)need(calloc(1, sizeof *t));
    int status;
    t->plan = plan;
    t->pid = start(argv, folder, out, err, 1);
    if (t->pid < 0 || waitpid(t->pid, &status, 0) < 0) die("%s", argv[0]);
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC;
    if (!WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, t->pid, NULL, (void *)options) != 0)
        die("ptrace is not permitted");
    follow(t);
    trace_end end = t->end;
    free(t->bytes);
    free(t);
    return end;
}

int trace_run_alone(char *const *argv, const char *folder, const char *out, const char *err) {
    int status;
    pid_t pid = start(argv, folder, out, err, 0);
    if (pid < 0 || waitpid(pid, &status, 0) < 0) die("%s", argv[0]);
    return code_of(status);
}
