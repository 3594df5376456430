/* run_report.h: what `make run` leaves behind: build/report.html and build/result.svg. */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H
#include "experiment.h"

#define RATIO 0.4 /* the share of the tokens that selective training keeps */

enum { PLAIN, SELECTIVE, RANDOM, DOCUMENTS, ARMS };

/* What is simpler than selection. */
typedef enum run_simpler { RUN_REFERENCE, RUN_DOCUMENTS, RUN_SIMPLER } run_simpler;

typedef struct run_result {
    const slm_model *base, *reference;
    measure at_base, at_reference;
    const curve *arms; /* (ARMS) */
} run_result;

const curve_point *run_last_point(const curve *c);

/* "The reference alone ends behind selective training (loss ..., accuracy ...)."  The text is valid
   until the next call. */
const char *run_beside(const run_result *r, run_simpler simpler);

/* Tokens until an arm reaches plain training's final accuracy; NaN if it never does. */
double run_tokens_to_plain(const curve *arm, const curve *arms);

/* They end the program with one line if a file cannot be written. */
void run_write_report(experiment *e, const run_result *r);
void run_write_picture(const run_result *r);
void run_write_tokens(experiment *e, const run_result *r);
#endif
