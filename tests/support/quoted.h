/* quoted.h: JSON in C strings without backslashes: quoted("{'a':1}") is {"a":1}. */
#ifndef QUOTED_H
#define QUOTED_H
#include <stdio.h>
#include <stdlib.h>

/* Returns the text with " for every '.  It holds until the fourth call after it. */
static const char *quoted(const char *text) {
    static char room[4][16384];
    static unsigned calls;
    char *out = room[calls++ % 4];
    size_t i;

    for (i = 0; text[i] != 0; i++) {
        if (i + 1 == sizeof room[0]) {
            printf("quoted: the text is too long\n");
            exit(1);
        }
        out[i] = (char)(text[i] == '\'' ? '"' : text[i]);
    }
    out[i] = 0;
    return out;
}
#endif
