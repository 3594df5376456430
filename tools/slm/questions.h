/* questions.h: questions with worked answers, a JSON record a line: GSM8K's {"question", "answer"},
 * whose answers end in "#### 72", and MATH's {"problem", "solution"}, with a \boxed{}. */
#ifndef QUESTIONS_H
#define QUESTIONS_H
#include <stddef.h>
#include <stdint.h>

#include "slm/answer.h"

typedef struct question {
    char *question; /* both end with a NUL */
    char *solution;
} question;

typedef struct questions {
    question *items; /* (n) */
    size_t n;
    answer_kind kind;
    uint64_t hash; /* of the file */
} questions;

/* Reads at most `limit` of them (0: all) from a file, or from standard input if it is "-".  Each
 * must have an answer that can be compared.  Returns an exit code (common/cli.h); call
 * questions_free whatever it is. */
int questions_load(questions *q, const char *path, size_t limit);
void questions_free(questions *q);

#endif
