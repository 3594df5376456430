/* measure.c: flags, the clock, medians, messages. */
#include "bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/os.h"

enum { FIRST_FLAG = 2 };

static int n_arguments;
static char **arguments;

void usage_error(const char *format, const char *what) {
    fprintf(stderr, "bench: ");
    fprintf(stderr, format, what);
    fprintf(stderr, "\n");
    exit(2);
}

void stop(const char *message) {
    fprintf(stderr, "bench: %s\n", message);
    exit(1);
}

void flags_parse(int argc, char **argv, const char *known) {
    char name[64];
    n_arguments = argc;
    arguments = argv;
    for (int i = FIRST_FLAG; i < argc; i += 2) {
        (void)snprintf(name, sizeof name, "%s ", argv[i]);
        if (strstr(known, name) == NULL) usage_error("unknown flag %s (try bench -h)", argv[i]);
        if (i + 1 == argc) usage_error("%s needs a value", argv[i]);
    }
}

const char *flag_text(const char *name, const char *otherwise) {
    for (int i = FIRST_FLAG; i + 1 < n_arguments; i += 2) {
        if (strcmp(arguments[i], name) == 0) return arguments[i + 1];
    }
    return otherwise;
}

long flag_number(const char *name, long otherwise) {
    const char *text = flag_text(name, NULL);
    char *end;
    if (text == NULL) return otherwise;
    long value = strtol(text, &end, 10);
    if (*end != 0 || end == text || value < 0)
        usage_error("%s needs a whole number of at least 0", name);
    return value;
}

double seconds_now(void) {
    return os_clock();
}

void rest_milliseconds(long n) {
    os_rest(1e-3 * (double)n);
}

static int compare_values(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(double *values, size_t n) {
    qsort(values, n, sizeof *values, compare_values);
    if (n % 2 == 1) return values[n / 2];
    return (values[n / 2 - 1] + values[n / 2]) / 2;
}

double peak_rss_mb(void) {
    return os_peak_memory_bytes() / (1 << 20);
}

void *allocate(size_t n, size_t size) {
    void *memory = calloc(n > 0 ? n : 1, size);
    if (memory == NULL) stop("out of memory");
    return memory;
}
