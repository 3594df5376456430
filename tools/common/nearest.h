/* nearest.h: which known name someone may have meant.  Needs libc only. */
#ifndef NEAREST_H
#define NEAREST_H
#include <stddef.h>

/* A search that is still open: begin with {word, size, NULL, 0} and offer every known name. */
typedef struct nearest {
    const char *word; /* what was written, `size` bytes; need not end with NUL */
    size_t size;
    const char *name; /* the nearest name so far, or NULL if none is near */
    size_t distance;  /* of that name */
} nearest;

/* Keeps the name if it is nearer than the one kept, and near enough to be meant: at most a third of
 * its letters are wrong, missing, too many or swapped with the next. */
void nearest_offer(nearest *search, const char *name);

#endif
