/* ids.c: token ids as people write them. */
#include "slm/ids.h"

#include <stdlib.h>

#include "common/cli.h"

static int is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Reads the whole number at *cursor, which it moves behind it.  Returns 0 if there is none, if it
 * is too large, or if it does not end where it should. */
static int parse_id(int32_t *id, const char *text, size_t size, size_t *cursor) {
    size_t i = *cursor;
    int64_t value = 0;
    while (i < size && is_digit(text[i]) && value <= INT32_MAX) {
        value = value * 10 + (text[i] - '0');
        i++;
    }
    if (i == *cursor || value > INT32_MAX) return 0;
    if (i < size && !is_space(text[i])) return 0;
    *id = (int32_t)value;
    *cursor = i;
    return 1;
}

int parse_ids(int32_t **ids, size_t *n, const char *text, size_t size, const char *name) {
    size_t room = size / 2 + 1;
    size_t i = 0;
    *n = 0;
    *ids = (int32_t *)malloc(room * sizeof **ids);
    if (*ids == NULL) return fail_memory();
    while (i < size) {
        if (is_space(text[i])) {
            i++;
        } else if (parse_id(*ids + *n, text, size, &i)) {
            (*n)++;
        } else {
            return fail(BAD_INPUT, "%s: byte %zu: token %zu is not a whole number", name, i, *n);
        }
    }
    return DONE;
}

int check_ids(const int32_t *ids, size_t n, int32_t vocab, const char *name) {
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < vocab) continue;
        return fail(BAD_INPUT, "%s: token %zu is %d, outside the vocabulary of %d", name, i,
                    (int)ids[i], (int)vocab);
    }
    return DONE;
}
