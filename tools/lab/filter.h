/* filter.h: which documents of a text, or which of its tokens, are kept once and for all: functions
 * of arrays. */
#ifndef FILTER_H
#define FILTER_H
#include <stddef.h>
#include <stdint.h>

/* Spans of a text: span i holds the tokens start[i] .. start[i + 1] - 1.  The first begins at 0,
   the last ends with the text, none is empty.  The caller frees start. */
typedef struct spans {
    size_t *start; /* (n + 1) */
    size_t n;
} spans;

/* Documents end with a blank line, and if longest is above 0 also with the line in which they reach
   so many bytes: real text may go on for pages without a blank line.  A token that holds the end of
   one belongs to it as a whole.  size (n): the bytes of each of the n tokens of a text. */
spans spans_of_documents(const char *text, const size_t *size, size_t n, size_t longest);

/* Windows of T targets, as in training: window i holds the tokens i T + 1 .. (i + 1) T, and the
   first one token 0, too. */
spans spans_of_windows(size_t n, size_t T);

/* mean (s->n): the mean of a score (tokens) over each span.  A NaN does not count; without any
   number the mean is -INFINITY. */
void spans_mean(double *mean, const spans *s, const double *score);

/* keep (s->n): 1 for the spans with the highest values, whole ones, until together they hold at
   least `share` of all tokens.  Ties go to the first. */
void spans_keep_best(uint8_t *keep, const spans *s, const double *value, double share);
#endif
