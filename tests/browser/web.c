/* web.c: the lesson of tools/web as a program of this machine, to hold the page against.
 *
 *     build/web/native BASE_STEPS REFERENCE_STEPS STEPS RATIO
 *
 * Prints a line a model: name, fingerprint, milliseconds of its fastest step (of the
 * processor, whatever else runs), loss on the target.
 * The Makefile compiles it without AVX2: then it must give the fingerprints of the page. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "web/lesson.h"

static void train(const char *name, lesson_model which, int steps) {
    double fastest = 1e9;
    int left = steps;
    lesson_start(which, steps);
    while (left > 0) {
        clock_t start = clock();
        left = lesson_step(which);
        double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        if (seconds < fastest) fastest = seconds;
    }
    lesson_measure(which);
    printf("%s %s %.1f %.6f\n", name, lesson_hash(which), 1e3 * fastest, lesson_target_loss());
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    lesson_begin_built_in(1);
    lesson_set_ratio(atof(argv[4]));
    train("base", LESSON_BASE, atoi(argv[1]));
    train("reference", LESSON_REFERENCE, atoi(argv[2]));
    while (lesson_score() > 0)
        continue;
    train("plain", LESSON_PLAIN, atoi(argv[3]));
    train("selective", LESSON_SELECTIVE, atoi(argv[3]));
    lesson_end();
    return 0;
}
