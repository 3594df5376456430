/* scenarios.h: what the tool is watched at, and how it is seen that nothing was lost.  A scenario
 * is run in a folder of its own, beside the folder `in` with its inputs. */
#ifndef SCENARIOS_H
#define SCENARIOS_H
#include "trace.h"
#include "tree.h"

enum { MAX_OUTPUTS = 12, MAX_COMMANDS = 3, MAX_READERS = 2, MAX_ARGUMENTS = 48, MAX_WHY = 400 };

typedef struct scenario {
    const char *name;
    const char *prepare[MAX_COMMANDS]; /* make the old state, one after the other */
    const char *command;               /* what is disturbed */
    const char *again;                 /* what a user does then; the same final state is due */
    const char *outputs[MAX_OUTPUTS];  /* files that are replaced as a whole; none: it only reads */
    const char *grows;                 /* a file that rows are appended to, or NULL */
    const char *completes;             /* the output whose renaming completes a new state, or NULL:
                                          only the end of the command does */
    const char *readers[MAX_READERS];  /* their result tells states apart */
    int may_be_refused; /* 1: between old and new the readers may refuse what there is, by name */
} scenario;

extern const scenario scenarios[];
extern const size_t n_scenarios;

typedef struct version {
    const char *path; /* of the scenario's outputs */
    int is_there;     /* 0: the file may be missing */
    unsigned char *bytes;
    size_t n;
} version;

/* What a reader said of a state. */
typedef struct reading {
    int code;
    char *text;
} reading;

/* A scenario with what it does undisturbed. */
typedef struct judge {
    const scenario *s;
    const char *slm;  /* the tool, as an absolute path */
    char folder[400]; /* where it runs */
    char out[440];    /* its standard output and error */
    char err[440];
    tree old;
    tree final;
    char *said; /* on standard output, undisturbed */
    version *versions; /* contents that outputs have between the old and the final state */
    size_t n_versions;
    reading *readings[MAX_READERS];
    size_t n_readings;
    long n_changes; /* operations that change the disk */
    long n_writes;  /* those of them that write */
    char why[MAX_WHY]; /* of the last complaint */
    long n_refused;    /* states that a reader has refused where that is allowed */
    void (*record)(void *user, const trace_operation *operation); /* of the undisturbed run */
    void *user;
} judge;

/* Runs the scenario undisturbed in WORK/NAME. */
void judge_begin(judge *j, const scenario *s, const char *slm, const char *work);
void judge_end(judge *j);

/* Runs the command from the old state on. */
trace_end judge_disturb(judge *j, const trace_plan *plan);

/* The same without looking at it.  Returns the exit code. */
int judge_run(judge *j);

/* These return 1 if all is well; else j->why says what is not. */
int judge_state(judge *j);   /* every file is an old or a new one, and the readers know the state */
int judge_again(judge *j);   /* the command that follows comes to the final state */
int judge_is_final(judge *j); /* the folder holds the final state, and nothing else */
int judge_has_final(judge *j); /* every output is that of the final state */

/* Whether standard output is as it was undisturbed. */
int judge_said_as_ever(judge *j);

/* Whether no temporary file is left, and no lock. */
int judge_is_swept(judge *j);

/* Whether the command has said one line on standard error; `line` is that. */
int judge_said_one_line(judge *j, char line[MAX_WHY]);
#endif
