/* run_report.h: what `make run` leaves behind: build/report.html and build/result.svg. */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H
#include "experiment.h"

#define RATIO 0.4 /* the share of the tokens that selective training keeps */

enum { PLAIN, SELECTIVE, RANDOM, DOCUMENTS, CLEAN, ARMS };

/* What is simpler than selection: the clean text alone, and a filter of documents. */
enum { RUN_SIMPLER = 2 };

typedef struct run_result {
    const slm_model *base, *reference;
    measure at_base, at_reference;
    const curve *arms; /* (ARMS) */
} run_result;

const curve_point *run_last_point(const curve *c);

/* "Training on the clean text alone ends behind selective training (loss ..., accuracy ...)."
   i < RUN_SIMPLER.  The text is valid until the next call. */
const char *run_beside(const run_result *r, int i);

/* Tokens until an arm reaches plain training's final accuracy; NaN if it never does. */
double run_tokens_to_plain(const curve *arm, const curve *arms);

/* How many times sooner than plain training, which may be there before its end; or NaN. */
double run_sooner(const curve *arm, const curve *arms);

/* They end the program with one line if a file cannot be written. */
void run_write_report(experiment *e, const run_result *r);
void run_write_picture(const run_result *r);
void run_write_tokens(experiment *e, const run_result *r);
#endif
