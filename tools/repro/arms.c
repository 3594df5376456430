/* arms.c: what is trained: every kind of run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/options.h"
#include "jobs.h"
#include "plan.h"

static const arm arms[] = {
    {"base", .kind = JOB_BASE, .keep = 1},
    {"reference", .kind = JOB_REFERENCE, .keep = 1},
    {"scores", .kind = JOB_SCORES},
    {"null_scores", .kind = JOB_SCORES, .by_base = 1},
    {"clm", .keep = 1},
    {"slm", .criterion = SLM_CRITERION_EXCESS, .keep = 1},
    {"random", .criterion = SLM_CRITERION_RANDOM},
    {"slm_sequence", .criterion = SLM_CRITERION_EXCESS, .scope = SLM_SCOPE_SEQUENCE},
    {"loss", .criterion = SLM_CRITERION_LOSS},
    {"ref", .criterion = SLM_CRITERION_REF},
    {"entropy", .criterion = SLM_CRITERION_ENTROPY},
    {"intersect", .criterion = SLM_CRITERION_INTERSECT},
    {"union", .criterion = SLM_CRITERION_UNION},
    {"oracle", .text = TEXT_ORACLE},
    {"filtered", .text = TEXT_FILTERED},
    {"mixed", .text = TEXT_MIXED},
    {"clm_tuned", .then_clean = 1},
    {"slm_tuned", .criterion = SLM_CRITERION_EXCESS, .then_clean = 1},
    {"null_reference", .criterion = SLM_CRITERION_EXCESS, .by_base = 1},
};

enum { ARMS = COUNT(arms) };

const arm *find_arm(const char *name, size_t n) {
    for (int i = 0; i < ARMS; i++)
        if (strlen(arms[i].name) == n && strncmp(arms[i].name, name, n) == 0) return &arms[i];
    fprintf(stderr, "%s: there is no such arm\n", name);
    exit(1);
}
