/* slm: the command line of slm.h.
 *
 *     cc -O3 -fopenmp -I. tools/slm.c -lm -o build/slm
 *
 * Results go to stdout, progress and messages to stderr.  Exit codes: 0 done, 1 failed, 2 usage, 3 bad input, 4 out of memory,
 * 5 check failed, 130 interrupted (after a clean checkpoint).  Each verb stands in a file of its own and uses the public interface only. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#define SLM_IMPLEMENTATION
#include "slm.h"

#include "slm_common.h"
#include "slm_eval.h"
#include "slm_generate.h"
#include "slm_info.h"
#include "slm_score.h"
#include "slm_tokens.h"
#include "slm_train.h"
#include "slm_view.h"
#include "threads.h"

typedef struct verb {
    const char *name, *what;
    int (*run)(int argc, char **argv);
} verb;

static const verb verbs[] = {
    {"train", "trains a model, on all tokens or on the selected ones", verb_train},
    {"score", "loss and entropy of every token of a text, once", verb_score},
    {"eval", "loss, perplexity and bits per byte of a text", verb_eval},
    {"generate", "continues a text", verb_generate},
    {"view", "a text's tokens coloured by loss, as one HTML file", verb_view},
    {"tokenize", "a text's token ids, and back", verb_tokenize},
    {"tokenizer", "train, import: a byte-level BPE tokenizer from text, or GPT-2's",
     verb_tokenizer},
    {"info", "what a file or folder of ours holds", verb_info},
};

static void help(FILE *out) {
    fprintf(out,
            "slm %s: Selective Language Modeling\n\nusage: slm VERB --flags      (slm VERB -h: "
            "flags and examples)\n\n",
            SLM_VERSION);
    for (size_t i = 0; i < COUNT(verbs); i++)
        fprintf(out, "  %-10s  %s\n", verbs[i].name, verbs[i].what);
    fprintf(out, "\nthe method in three steps\n"
                 "  slm train --data clean.txt --out ref                                      a "
                 "reference model of clean text\n"
                 "  slm score --model ref --data noisy.txt --out noisy.scores                 its "
                 "loss of every token, once\n"
                 "  slm train --data noisy.txt --scores noisy.scores --ratio 0.6 --out model  "
                 "training on the 60%% that are worth it\n"
                 "\nexit codes: 0 done, 1 failed, 2 usage, 3 bad input, 4 out of memory, 5 check "
                 "failed, 130 interrupted\n");
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        help(stderr);
        return USAGE;
    }
    if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "help") == 0) {
        help(stdout);
        return DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("slm %s\n", SLM_VERSION);
        return DONE;
    }
    verb_name = argv[1];
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strcmp(argv[1], verbs[i].name) == 0) return verbs[i].run(argc - 2, argv + 2);
    if (strcmp(argv[1], "convert") == 0) return fail(USAGE, "convert is not there yet");
    verb_name = "";
    fprintf(stderr, "slm: unknown verb '%.*s' (slm -h lists them)\n", (int)strcspn(argv[1], "\n"),
            argv[1]);
    return USAGE;
}

int main(int argc, char **argv) {
    int code;
    threads_wait_gently(argv);
#ifdef SIGXFSZ
    (void)signal(
        SIGXFSZ,
        SIG_IGN); /* a file that may not grow is a failed write with a message, not a death */
#endif
    code = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout))
        code = code == DONE ? fail(FAILED, "cannot write to standard output") : code;
    return code;
}
