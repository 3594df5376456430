/* progress.h: how far a long run is, on stderr: a bar on a terminal, a plain line every few seconds
 * elsewhere, nothing if quiet.
 *
 *     progress p;
 *     progress_start(&p, "scoring", quiet, already_done);
 *     progress_show(&p, done, total, "1.2k tok/s");
 *     progress_end(&p);
 *
 * progress_show may be called as often as one likes, since it looks at the clock itself;
 * progress_end is due before anything else is printed. */
#ifndef PROGRESS_H
#define PROGRESS_H
#include <stddef.h>
#include <stdint.h>

typedef enum progress_mode { PROGRESS_QUIET, PROGRESS_LINES, PROGRESS_BAR } progress_mode;

typedef struct progress {
    const char *what;
    progress_mode mode;
    double start; /* seconds: when it began */
    double last;  /* seconds: when something was last shown */
    uint64_t first; /* work that was done before it began; the ETA does not count it */
    int shown;      /* 1 if a bar is on the screen */
} progress;

/* Seconds since some fixed moment. */
double progress_clock(void);

void progress_start(progress *p, const char *what, int quiet, uint64_t already_done);
void progress_show(progress *p, uint64_t done, uint64_t total, const char *detail);
void progress_end(progress *p);

/* Both write into `out` and return it: 75 as "1:15", 7322 as "2:02:02"; 12345 as "12.3k". */
const char *progress_time(char *out, size_t size, double seconds);
const char *progress_count(char *out, size_t size, double n);

#endif
