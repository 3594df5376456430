/* nearest.c: see nearest.h. */
#include "common/nearest.h"

#include <string.h>

enum { LONGEST = 40 }; /* longer words are nobody's slip */

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Returns how many letters must be changed, added, left out or swapped with the next one to make b
 * (m letters) of a (n letters).  Row i of the table holds the distances of a's first i letters to
 * all beginnings of b; three rows are enough (optimal string alignment). */
static size_t edit_distance(const char *a, size_t n, const char *b, size_t m) {
    size_t rows[3][LONGEST + 1];

    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            int differs = a[i - 1] != b[j - 1];
            row[j] = least(above[j] + 1, row[j - 1] + 1);
            row[j] = least(row[j], above[j - 1] + (size_t)differs);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

void nearest_offer(nearest *search, const char *name) {
    size_t size = strlen(name);
    if (search->size > LONGEST || size > LONGEST) return;

    size_t distance = edit_distance(search->word, search->size, name, size);
    if (distance * 3 > size) return;
    if (search->name != NULL && distance >= search->distance) return;
    search->name = name;
    search->distance = distance;
}
