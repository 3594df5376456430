/* progress.h: how far a long run is, on stderr: a bar on a terminal, a plain line every few seconds elsewhere, nothing if quiet.
 *
 *     progress p;
 *     progress_start(&p, "scoring", quiet, already_done);
 *     progress_show(&p, done, total, "1.2k tok/s");            as often as you like: it looks at the clock itself
 *     progress_end(&p);                                        before anything else is printed
 *
 * POSIX: isatty, clock_gettime. */
#ifndef PROGRESS_H
#define PROGRESS_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

typedef struct progress {
    const char *what;

    enum { PROGRESS_QUIET, PROGRESS_LINES, PROGRESS_BAR } mode;

    double start, last; /* seconds: when it began, when something was last shown */
    uint64_t first;     /* work that was done before it began: the ETA is not to count it */
    int shown;          /* 1: a bar stands on the screen */
} progress;

static inline double progress_clock(void) {
    struct timespec t = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline void progress_start(progress *p, const char *what, int quiet, uint64_t already_done) {
    const char *term = getenv("TERM");
    int bar = isatty(2) && term != NULL && strcmp(term, "dumb") != 0;
    p->what = what;
    p->mode = quiet ? PROGRESS_QUIET : bar ? PROGRESS_BAR : PROGRESS_LINES;
    p->start = progress_clock();
    p->last = p->start - 3.5; /* the first plain line comes after a second and a half */
    p->first = already_done;
    p->shown = 0;
}

/* 75 -> "1:15", 7322 -> "2:02:02" */
static inline const char *progress_time(char *out, size_t size, double seconds) {
    unsigned long s = seconds > 0 && seconds < 1e9 ? (unsigned long)(seconds + 0.5) : 0;
    if (s >= 3600)
        (void)snprintf(out, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        (void)snprintf(out, size, "%lu:%02lu", s / 60, s % 60);
    return out;
}

/* 12345 -> "12.3k" */
static inline const char *progress_count(char *out, size_t size, double n) {
    if (n >= 1e9)
        (void)snprintf(out, size, "%.2fG", n / 1e9);
    else if (n >= 1e6)
        (void)snprintf(out, size, "%.2fM", n / 1e6);
    else if (n >= 1e4)
        (void)snprintf(out, size, "%.1fk", n / 1e3);
    else
        (void)snprintf(out, size, "%.0f", n);
    return out;
}

static inline int progress__width(void) {
#ifdef TIOCGWINSZ
    struct winsize w;
    if (ioctl(2, TIOCGWINSZ, &w) == 0 && w.ws_col > 20) return w.ws_col;
#endif
    return 80;
}

static inline void progress__bar(progress *p, double share, const char *line) {
    char bar[13];
    int cells = (int)(share * 12.0 + 0.5), room = progress__width() - 16;
    for (int i = 0; i < 12; i++)
        bar[i] = i < cells ? '#' : '.';
    bar[12] = 0;
    fprintf(stderr, "\r[%s] %.*s\033[K", bar, room > 10 ? room : 10, line);
    p->shown = 1;
}

static inline void progress_show(progress *p, uint64_t done, uint64_t total, const char *detail) {
    double now = progress_clock(), share = total > 0 ? (double)done / (double)total : 1.0;
    char line[256], eta[32] = "", left[48] = "";
    if (p->mode == PROGRESS_QUIET ||
        (done < total && now - p->last < (p->mode == PROGRESS_BAR ? 0.1 : 5.0)))
        return;
    p->last = now;
    if (done < total && done > p->first)
        (void)snprintf(
            left, sizeof left, "  ETA %s",
            progress_time(eta, sizeof eta,
                          (now - p->start) * (double)(total - done) / (double)(done - p->first)));
    (void)snprintf(line, sizeof line, "%s %llu/%llu%s%s%s", p->what, (unsigned long long)done,
                   (unsigned long long)total, left, detail[0] != 0 ? "  " : "", detail);
    if (p->mode == PROGRESS_BAR)
        progress__bar(p, share, line);
    else
        fprintf(stderr, "%s\n", line);
}

static inline void progress_end(progress *p) {
    if (p->shown) fputc('\n', stderr);
    p->shown = 0;
}
#endif
