/* One thread or all of them: the account of slm.h (slm__team), with a clock that the test moves. */
static double test_clock = 1;
#define SLM__CLOCK() test_clock
#undef SLM__TEAM_JUDGES /* the other tests want all threads to work, always */
#define SLM__TEAM_JUDGES 1
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"

#include "check.h"

#ifdef _OPENMP

enum { GRAIN = 1000, WORK = 16 * GRAIN };

/* Products whose work takes one thread ALONE seconds. */
#define ALONE 0.001

/* Does a product, which takes all threads so long.  Returns how many did it. */
static int do_product(slm__team *team, double seconds_of_all) {
    slm__team_turn turn = slm__team_begin(team, WORK, GRAIN);
    test_clock += turn.threads == 1 ? ALONE : seconds_of_all;
    slm__team_end(team, turn, WORK);
    return turn.threads;
}

/* The seconds until all threads are tried again. */
static double seconds_alone(slm__team *team, double seconds_of_all) {
    double start = test_clock;
    for (int i = 0; i < 100000; i++) {
        double before = test_clock;
        if (do_product(team, seconds_of_all) > 1) return before - start;
    }
    return -1;
}

static void test_quiet(void) {
    slm__team team;
    memset(&team, 0, sizeof team);
    omp_set_num_threads(4);
    CHECK(do_product(&team, ALONE / 3) == 1, "the first product is measured");
    double begin = seconds_alone(&team, ALONE / 3);
    CHECK(begin > 0.2 && begin < 0.4, "all threads are tried after %g s", begin);
    for (int i = 0; i < 1000; i++)
        CHECK(do_product(&team, ALONE / 3) == 4, "product %d is not shared", i);
    CHECK(do_product(&team, ALONE * 2) == 4 && do_product(&team, ALONE / 3) == 4,
          "what was saved pays for one that is late");
}

static void test_busy(void) {
    slm__team team;
    double start = 0;
    double work = 0;
    memset(&team, 0, sizeof team);
    omp_set_num_threads(4);
    (void)seconds_alone(&team, 10 * ALONE);
    double first = seconds_alone(&team, 10 * ALONE);
    double second = seconds_alone(&team, 10 * ALONE);
    CHECK(first > 20 * 9 * ALONE, "after a failure one thread works for %g s", first);
    CHECK(second > 1.8 * first && second < 2.2 * first, "then for %g s", second);
    start = test_clock;
    for (int i = 0; i < 5000; i++) {
        (void)do_product(&team, 10 * ALONE);
        work += ALONE;
    }
    CHECK(test_clock - start < 1.04 * work, "all were slower than one by %g",
          (test_clock - start) / work);

    /* Then it is quiet again. */
    CHECK(seconds_alone(&team, ALONE / 3) >= 0, "all threads are not tried again");
    CHECK(do_product(&team, ALONE / 3) == 4, "and do not go on");
    for (int i = 0; i < 20; i++) (void)do_product(&team, ALONE / 3);
    CHECK(do_product(&team, 10 * ALONE) == 4, "the product that fails");
    double later = seconds_alone(&team, 10 * ALONE);
    CHECK(later > 0 && later < first, "long after other failures one thread works for %g s", later);
}

/* What is not a product is not measured, and so has to wait until all threads have proved good. */
static void test_the_rest(void) {
    slm__team team;
    memset(&team, 0, sizeof team);
    omp_set_num_threads(4);
    CHECK(slm__team_share(&team, WORK, GRAIN) == 1, "nothing is known yet");
    (void)seconds_alone(&team, 0.9 * ALONE);
    CHECK(slm__team_share(&team, WORK, GRAIN) == 1, "one product is no proof");
    for (int i = 0; i < 20; i++)
        (void)do_product(&team, ALONE / 3);
    CHECK(slm__team_share(&team, WORK, GRAIN) == 4, "what saves time in products is for all");
    CHECK(slm__team_share(&team, GRAIN, GRAIN) == 1, "but for what is small");
    (void)do_product(&team, 10 * ALONE);
    (void)do_product(&team, ALONE);
    CHECK(slm__team_share(&team, WORK, GRAIN) == 1, "after a failure one thread does all");
}

/* Products that are larger than any that one thread has done. */
static void test_unknown_pace(void) {
    slm__team team;
    size_t large = (size_t)GRAIN << SLM__TEAM_SMALL;
    memset(&team, 0, sizeof team);
    omp_set_num_threads(4);
    for (int i = 0; i < 3; i++) {
        slm__team_turn turn = slm__team_begin(&team, large, GRAIN);
        CHECK(turn.threads == 4, "a large product is for all");
        test_clock += 1;
        slm__team_end(&team, turn, large);
    }
    CHECK(slm__team_share(&team, WORK, GRAIN) == 4, "and so is what stands between them");
}

/* A machine is never so quiet that no product is late by microseconds. */
static void test_grant(void) {
    slm__team team;
    memset(&team, 0, sizeof team);
    omp_set_num_threads(4);
    (void)seconds_alone(&team, 1.1 * ALONE);
    CHECK(do_product(&team, ALONE / 3) == 4, "a tenth of a millisecond is no failure");
}

/* One thread is kept from the processor: each tenth product comes late. */
static void test_late(void) {
    slm__team team;
    double end = 0;
    int n_tried = 0;
    memset(&team, 0, sizeof team);
    omp_set_num_threads(4);
    end = test_clock + 2;
    for (int i = 0; test_clock < end; i++) {
        slm__team_turn turn = slm__team_begin(&team, WORK, GRAIN);
        n_tried += turn.threads > 1;
        test_clock += i % 10 == 9 ? 4 * ALONE : ALONE;
        slm__team_end(&team, turn, WORK);
    }
    CHECK(n_tried == 0, "all threads are tried %d times while one is late", n_tried);
    double begin = seconds_alone(&team, ALONE / 3);
    CHECK(begin >= 0 && begin < 0.7, "and not before %g s when it no longer is", begin);
}

/* The seconds until all threads are tried, where each tenth product takes one thread so much, and
   the others what is usual; -1 if they are not. */
static double tried_after(double usual, double tenth) {
    slm__team team;
    double start = test_clock;
    memset(&team, 0, sizeof team);
    omp_set_num_threads(4);
    for (int i = 0; test_clock < start + 2; i++) {
        slm__team_turn turn = slm__team_begin(&team, WORK, GRAIN);
        if (turn.threads > 1) return test_clock - start;
        test_clock += i % 10 == 9 ? tenth : usual;
        slm__team_end(&team, turn, WORK);
    }
    return -1;
}

/* Products never take quite the same time. */
static void test_uneven(void) {
    double begin = tried_after(ALONE, 1.9 * ALONE);
    CHECK(begin >= 0 && begin < 0.4, "tried after %g s, where no product takes twice as long",
          begin);
    begin = tried_after(ALONE / 10, ALONE * 0.45);
    CHECK(begin >= 0 && begin < 0.4, "tried after %g s, where all are late by less than a tick",
          begin);
}

/* One thread is late by less than is allowed, and all are late: each trial that failed begins the
   count of the one anew, so that the next comes when the rest is over. */
static void test_late_anew(void) {
    slm__team team;
    double failed = 0;
    double gap = 0;
    int n_trials = 0;
    memset(&team, 0, sizeof team);
    omp_set_num_threads(4);
    for (int i = 0; n_trials < 3 && i < 100000; i++) {
        slm__team_turn turn = slm__team_begin(&team, WORK, GRAIN);
        double alone = i % 133 == 132 ? 3 * ALONE : ALONE;
        test_clock += turn.threads == 1 ? alone : 10 * ALONE;
        slm__team_end(&team, turn, WORK);
        if (turn.threads == 1) continue;
        gap = turn.start - failed;
        failed = test_clock;
        n_trials++;
    }
    CHECK(n_trials == 3 && gap > 5.3 && gap < 5.5, "trial %d comes after %g s", n_trials, gap);
}

static void test_bounds(void) {
    slm__team team;
    memset(&team, 0, sizeof team);
    omp_set_num_threads(99999);
    CHECK(SLM__THREADS() == SLM__MOST_THREADS, "%d threads", SLM__THREADS());
    CHECK(slm__team_all(&team, GRAIN - 1, GRAIN) == 1, "less than a grain is for one");
    CHECK(slm__team_all(&team, 5 * GRAIN, GRAIN) == 6, "five grains are for few");
    CHECK(slm__team_all(&team, GRAIN, GRAIN) == 6, "the number does not fall");
    CHECK(slm__team_all(&team, SIZE_MAX, 1) == SLM__MOST_THREADS, "never above the limit");
    CHECK(slm__threads_of(7) == 7 && slm__threads_of(0) == 1, "pieces bound them, too");
    omp_set_num_threads(2);
}

static void test_settings(void) {
    slm_real x[64] = {1};
    slm_tape *tape;
    CHECK(slm_tape_create(&tape, NULL) == SLM_OK, "a tape");
    omp_set_num_threads(3);
    omp_set_dynamic(0);
    slm_tensor *t = slm_leaf(tape, x, NULL, 8, 8);
    CHECK(slm_linear(tape, t, t, NULL) != NULL, "a product");
    CHECK(omp_get_max_threads() == 3 && !omp_get_dynamic(), "the caller's settings are changed");
    slm_tape_free(tape);
}

int main(void) {
    test_quiet();
    test_busy();
    test_the_rest();
    test_unknown_pace();
    test_grant();
    test_late();
    test_uneven();
    test_late_anew();
    test_bounds();
    test_settings();
    return check_end();
}
#else
int main(void) {
    printf("skipped: the account of threads needs OpenMP\n");
    return check_end();
}
#endif
