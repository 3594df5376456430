/* cli.c: exit codes, messages, interruption, threads. */
#include "common/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "common/os.h"
#include "common/text.h"

static const char *verb_name = "";
volatile sig_atomic_t stop_requested = 0;

void set_verb(const char *name) {
    verb_name = name;
}

static void print_for_verb(const char *format, va_list args) {
    char text[1024];
    (void)vsnprintf(text, sizeof text, format, args);
    print_message("slm %s: %s", verb_name, text);
}

int fail(int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    print_for_verb(format, args);
    va_end(args);
    return code;
}

void say(const char *format, ...) {
    va_list args;
    if (!messages_are_shown()) return;
    va_start(args, format);
    print_for_verb(format, args);
    va_end(args);
}

const char *plural(size_t n) {
    return n == 1 ? "" : "s";
}

int fail_memory(void) {
    return fail(NO_MEMORY, "out of memory");
}

int fail_errno(int code, const char *path, const char *action) {
    if (errno == ENOMEM) code = NO_MEMORY;
    return fail(code, "%s: cannot %s: %s", path, action, strerror(errno));
}

static int exit_code_of(slm_status status, file_role role) {
    switch (status) {
    case SLM_OK: return DONE;
    case SLM_ERR_MEMORY: return NO_MEMORY;
    case SLM_ERR_FORMAT:
    case SLM_ERR_MISMATCH: return BAD_INPUT;
    case SLM_ERR_CANCELLED: return INTERRUPTED;
    default: return role == FOR_INPUT ? BAD_INPUT : FAILED;
    }
}

int fail_status(slm_status status, file_role role, const slm_error *err) {
    if (status == SLM_OK) return DONE;
    return fail(exit_code_of(status, role), "%s", err->text);
}

int need_flag(int given, const char *flag, const char *value) {
    if (given) return DONE;
    return fail(USAGE, "%s %s is needed (slm %s -h)", flag, value, verb_name);
}

static volatile sig_atomic_t signal_answer_set = SIGNAL_SAVES;

void set_signal_answer(signal_answer answer) {
    signal_answer_set = answer;
}

/* A second after the first signal the process is still at work. */
static void answer_signal(int signal_number) {
    (void)signal_number;
    if (signal_answer_set == SIGNAL_SILENT) return;
    os_write_error("\nslm ");
    os_write_error(verb_name);
    if (signal_answer_set == SIGNAL_ENDS) {
        os_write_error(": interrupted\n");
        os_end(INTERRUPTED);
    }
    os_write_error(": ends when what is under way is saved; a second signal ends it at once\n");
}

static void request_stop(int signal_number) {
    (void)signal_number;
    stop_requested = 1;
    os_call_in_a_second(answer_signal);
}

void catch_signals(void) {
    os_catch_signals(request_stop);
}

void watch_start(watch *w, const char *what, const char *unit, int quiet) {
    memset(w, 0, sizeof *w);
    w->unit = unit;
    progress_start(&w->bar, what, quiet, 0);
    catch_signals();
}

int watch_callback(void *user, uint64_t done, uint64_t total) {
    watch *w = (watch *)user;
    char detail[64] = "";
    if (!w->started) {
        w->bar.first = done;
        w->started = 1;
    }
    double seconds = progress_clock() - w->bar.start;
    if (done > w->bar.first && seconds > 0 && w->unit != NULL) {
        char speed[32];
        progress_count(speed, sizeof speed, (double)(done - w->bar.first) / seconds);
        (void)snprintf(detail, sizeof detail, "%s %s", speed, w->unit);
    }
    progress_show(&w->bar, done, total, detail);
    return stop_requested != 0;
}

int threads_in_use(void) {
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

void use_threads(int32_t n) {
#ifdef _OPENMP
    if (n > 0) omp_set_num_threads(n);
#else
    (void)n;
#endif
}
