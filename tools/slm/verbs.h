/* verbs.h: the verbs of the command line.  Each takes the arguments behind its name and returns an
 * exit code (common/cli.h). */
#ifndef VERBS_H
#define VERBS_H
#include <stddef.h>

typedef struct verb {
    const char *name, *what;
    int (*run)(int argc, char **argv);
    int may_share; /* 1: several processes may do it together (common/group.h) */
} verb;

extern const verb verbs[];
extern const size_t n_verbs;

int verb_train(int argc, char **argv);
int verb_score(int argc, char **argv);
int verb_eval(int argc, char **argv);
int verb_generate(int argc, char **argv);
int verb_view(int argc, char **argv);
int verb_plot(int argc, char **argv);
int verb_tokenize(int argc, char **argv);
int verb_tokenizer(int argc, char **argv);
int verb_convert(int argc, char **argv);
int verb_info(int argc, char **argv);

/* Not one of the list: prints the manual page, or what a shell completes (slm/manual.c). */
int verb_manual(int argc, char **argv);

#endif
