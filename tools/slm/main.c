/* slm: the command line of slm.h.
 *
 * Results go to stdout, progress and messages to stderr.  Exit codes: 0 done, 1 failed, 2 usage,
 * 3 bad input, 4 out of memory, 5 check failed, 130 interrupted (after a clean checkpoint).  Each
 * verb is in a file of its own and uses the public interface only.  tools/README.md has the line
 * that builds it without make. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/cli.h"
#include "common/group.h"
#include "common/nearest.h"
#include "common/start.h"
#include "common/text.h"
#include "slm/verbs.h"

static void print_help(FILE *out) {
    fprintf(out, "slm %s: Selective Language Modeling\n\n", SLM_VERSION);
    fprintf(out, "usage: slm VERB --flags      (slm VERB -h: flags and examples)\n\n");
    for (size_t i = 0; i < n_verbs; i++)
        fprintf(out, "  %-10s  %s\n", verbs[i].name, verbs[i].what);
    fputs("\nthe method: three texts, noisy.txt, a little clean.txt, and target.txt to measure\n"
          "  a base, and the reference: the base, tuned on clean text\n"
          "    slm train --data noisy.txt --out base\n"
          "    slm train --init base --data clean.txt --out ref\n"
          "  the reference's loss of every token, once\n"
          "    slm score --model ref --data noisy.txt --out noisy.scores\n"
          "  training on the 40% that are worth it, and on all of them, to compare\n"
          "    slm train --init base --data noisy.txt --seed 2 --out selective \\\n"
          "        --scores noisy.scores --ratio 0.4\n"
          "    slm train --init base --data noisy.txt --seed 2 --out plain\n"
          "  which one is better, on text that neither has seen\n"
          "    slm eval --model selective --against plain --data target.txt\n"
          "\nexit codes: 0 done, 1 failed, 2 usage, 3 bad input, 4 out of memory, 5 check failed, "
          "130 interrupted\n",
          out);
}

static int is_any(const char *text, const char *a, const char *b, const char *c) {
    return strcmp(text, a) == 0 || strcmp(text, b) == 0 || strcmp(text, c) == 0;
}

/* nearest_name: of a verb that may have been meant, or NULL. */
static int fail_verb(const char *name, const char *nearest_name) {
    if (nearest_name == NULL) {
        print_message("slm: unknown verb '%.300s' (slm -h lists them)", name);
    } else {
        print_message("slm: unknown verb '%.300s', did you mean %s? (slm -h lists them)", name,
                      nearest_name);
    }
    return USAGE;
}

static int run_verb(const verb *v, int argc, char **argv) {
    if (group_size() > 1 && !v->may_share)
        return fail(USAGE, "it runs in one process; train and score run in several");
    return v->run(argc, argv);
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return USAGE;
    }
    const char *name = argv[1];
    if (is_any(name, "-h", "--help", "help")) {
        print_help(stdout);
        return DONE;
    }
    if (strcmp(name, "--version") == 0) {
        printf("slm %s\n", SLM_VERSION);
        return DONE;
    }

    set_verb(name);
    for (size_t i = 0; i < n_verbs; i++) {
        if (strcmp(name, verbs[i].name) == 0) return run_verb(&verbs[i], argc - 2, argv + 2);
    }
    if (strcmp(name, "manual") == 0) return verb_manual(argc - 2, argv + 2);
    nearest meant = {name, strlen(name), NULL, 0};
    for (size_t i = 0; i < n_verbs; i++)
        nearest_offer(&meant, verbs[i].name);
    set_verb("");
    return fail_verb(name, meant.name);
}

int main(int argc, char **argv) {
    int code = program_start("slm", &argc, &argv);
    if (code != DONE) return code;
#ifdef SIGXFSZ
    /* A file that may not grow is then a failed write with a message. */
    (void)signal(SIGXFSZ, SIG_IGN);
#endif
    group_start(&argc, &argv);
    code = run(argc, argv);
    int written = fflush(stdout) == 0 && !ferror(stdout);
    if (!written && code == DONE) code = fail(FAILED, "cannot write to standard output");
    return group_end(code);
}
