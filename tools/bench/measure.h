/* measure.h: what every measurement of build/bench needs: flags, the clock, medians, messages.
 * Messages end the program. */
#ifndef MEASURE_H
#define MEASURE_H
#include <stddef.h>

/* ---- messages: "bench: ..." on stderr ---- */

/* Ends the program with exit code 2.  The format has one %s. */
void usage_error(const char *format, const char *what);

/* Ends the program with exit code 1. */
void stop(const char *message);

/* ---- flags: every one takes a value; the first argument is the measurement ---- */

/* Takes the command line.  known: all flags of the measurement, a space behind each. */
void flags_parse(int argc, char **argv, const char *known);

/* Both return `otherwise` if the flag is not there. */
const char *flag_text(const char *name, const char *otherwise);
long flag_number(const char *name, long otherwise);

/* ---- numbers ---- */
double seconds_now(void); /* since some fixed moment */
void rest_milliseconds(long n);
double median(double *values, size_t n); /* sorts the values */
double peak_rss_mb(void);                /* the most memory that the process had */

void *allocate(size_t n, size_t size);

#endif
