/* web.c: the lesson of tools/web as a program of this machine, to hold the page against.
 *
 *     build/web/native BASE_STEPS REFERENCE_STEPS STEPS RATIO [FOLDER]
 *
 * Prints a line a model: name, fingerprint, milliseconds of its fastest step (of the processor,
 * whatever else runs), loss on the target; leaves base, scores and noisy text in the folder, which
 * must be there.  build/web/native is compiled without AVX2 and must give the fingerprints of the
 * page; build/web/lesson, which uses what there is, those of `slm train`. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "lab/experiment.h"
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

/* Ends the program if a file cannot be written. */
static void save(const char *folder) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/base", folder);
    lesson_save_model(LESSON_BASE, path);
    (void)snprintf(path, sizeof path, "%s/noisy.scores", folder);
    lesson_save_scores(path);
    (void)snprintf(path, sizeof path, "%s/noisy.txt", folder);
    must(slm_file_write(path, lesson_text(CORPUS_NOISY), lesson_text_size(CORPUS_NOISY),
                        &experiment_error));
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
    if (argc > 5) save(argv[5]);
    lesson_end();
    return 0;
}
