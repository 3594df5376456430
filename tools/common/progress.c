/* progress.c: the bar, the lines and the clock. */
#include "common/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/os.h"

#define SECONDS_BETWEEN_BARS 0.1
#define SECONDS_BETWEEN_LINES 5.0
#define SECONDS_TO_FIRST_LINE 1.5

enum { BAR_CELLS = 12, BAR_COLUMNS = BAR_CELLS + 4 /* brackets, a space, the cursor */ };

double progress_clock(void) {
    return os_clock();
}

static progress_mode choose_mode(int quiet) {
    const char *term = getenv("TERM");
    if (quiet) return PROGRESS_QUIET;
    if (os_is_terminal(2) && term != NULL && strcmp(term, "dumb") != 0) return PROGRESS_BAR;
    return PROGRESS_LINES;
}

void progress_start(progress *p, const char *what, int quiet, uint64_t already_done) {
    p->what = what;
    p->mode = choose_mode(quiet);
    p->start = progress_clock();
    p->last = p->start - (SECONDS_BETWEEN_LINES - SECONDS_TO_FIRST_LINE);
    p->first = already_done;
    p->shown = 0;
}

const char *progress_time(char *out, size_t size, double seconds) {
    int possible = seconds > 0 && seconds < 1e9;
    unsigned long s = possible ? (unsigned long)(seconds + 0.5) : 0;
    if (s >= 3600) {
        (void)snprintf(out, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    } else {
        (void)snprintf(out, size, "%lu:%02lu", s / 60, s % 60);
    }
    return out;
}

const char *progress_count(char *out, size_t size, double n) {
    if (n >= 1e9) {
        (void)snprintf(out, size, "%.2fG", n / 1e9);
    } else if (n >= 1e6) {
        (void)snprintf(out, size, "%.2fM", n / 1e6);
    } else if (n >= 1e4) {
        (void)snprintf(out, size, "%.1fk", n / 1e3);
    } else {
        (void)snprintf(out, size, "%.0f", n);
    }
    return out;
}

static void show_bar(progress *p, double share, const char *line) {
    char bar[BAR_CELLS + 1];
    int full = (int)(share * BAR_CELLS + 0.5);
    int room = os_terminal_width() - BAR_COLUMNS;
    for (int i = 0; i < BAR_CELLS; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR_CELLS] = 0;
    if (room < 10) room = 10;
    fprintf(stderr, "\r[%s] %.*s\033[K", bar, room, line);
    p->shown = 1;
}

void progress_show(progress *p, uint64_t done, uint64_t total, const char *detail) {
    double now = progress_clock();
    double wait = p->mode == PROGRESS_BAR ? SECONDS_BETWEEN_BARS : SECONDS_BETWEEN_LINES;
    if (p->mode == PROGRESS_QUIET) return;
    if (done < total && now - p->last < wait) return;
    p->last = now;

    char left[48] = "";
    if (done < total && done > p->first) {
        double seconds_each = (now - p->start) / (double)(done - p->first);
        char eta[32];
        progress_time(eta, sizeof eta, seconds_each * (double)(total - done));
        (void)snprintf(left, sizeof left, "  ETA %s", eta);
    }

    char line[256];
    const char *gap = detail[0] != 0 ? "  " : "";
    (void)snprintf(line, sizeof line, "%s %llu/%llu%s%s%s", p->what, (unsigned long long)done,
                   (unsigned long long)total, left, gap, detail);
    if (p->mode == PROGRESS_BAR) {
        double share = total > 0 ? (double)done / (double)total : 1.0;
        show_bar(p, share, line);
    } else {
        fprintf(stderr, "%s\n", line);
    }
}

void progress_end(progress *p) {
    if (p->shown) fputc('\n', stderr);
    p->shown = 0;
}
