/* test_step.c once more, in double. */
#undef SLM_REAL
#define SLM_REAL double
#include "step.c"
