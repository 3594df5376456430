/* cli.h: what the verbs of a command line share: exit codes, messages, interruption, threads. */
#ifndef CLI_H
#define CLI_H
#include <signal.h>

#include "common/progress.h"
#include "common/start.h"
#include "slm.h"

/* ---- exit codes ---- */
enum {
    DONE = 0,
    FAILED = 1,
    USAGE = 2,
    BAD_INPUT = 3,
    NO_MEMORY = 4,
    CHECK_FAILED = 5,
    INTERRUPTED = 130
};

/* ---- messages: one line on stderr, whatever bytes a file name or a field may hold ---- */

/* What follows "slm " in a message: the verb. */
void set_verb(const char *name);

/* Prints "slm VERB: MESSAGE" and returns the code. */
int fail(int code, const char *format, ...);
int fail_memory(void);

/* Prints "slm VERB: PATH: cannot ACTION: " and what errno says.  Returns the code, or NO_MEMORY
 * where that is what was missing. */
int fail_errno(int code, const char *path, const char *action);

/* Prints "slm VERB: MESSAGE", of what is not a failure, if messages are shown (common/text.h). */
void say(const char *format, ...);

/* The end of a noun: "s", or "" if there is one of it. */
const char *plural(size_t n);

/* Whose file an operation was about; this decides what its I/O error means. */
typedef enum file_role { FOR_INPUT, FOR_OUTPUT } file_role;

/* Returns DONE if the status is SLM_OK; else says what is wrong and returns the exit code. */
int fail_status(slm_status status, file_role role, const slm_error *err);

/* Returns DONE if the flag is given; else says that "FLAG VALUE is needed". */
int need_flag(int given, const char *flag, const char *value);

/* ---- interruption: the first signal asks for a clean end, the second one kills ---- */
extern volatile sig_atomic_t stop_requested;

void catch_signals(void);

/* What happens a second after the first signal, if the process is still at work, within one long
 * window perhaps.  SAVES: it says that it ends as soon as what it does is saved.  ENDS: nothing is
 * lost, so that it ends.  SILENT: others say it. */
typedef enum signal_answer { SIGNAL_SAVES, SIGNAL_ENDS, SIGNAL_SILENT } signal_answer;

void set_signal_answer(signal_answer answer); /* SIGNAL_SAVES, unless it is called */

/* The library's progress callback: shows how far it is, and passes a request to stop on. */
typedef struct watch {
    progress bar;
    int started; /* 1 once the callback has been called */
    const char *unit;
} watch;

/* Catches signals too.  unit: of the speed, e.g. "tok/s"; NULL: none is shown. */
void watch_start(watch *w, const char *what, const char *unit, int quiet);
int watch_callback(void *user, uint64_t done, uint64_t total);

/* ---- threads ---- */

/* Uses n threads; 0: as many as OpenMP would. */
void use_threads(int32_t n);

/* How many there are; 1 without OpenMP. */
int threads_in_use(void);

#endif
