/* room.c: a list of what was asked for. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "room.h"

typedef struct room {
    struct room *next;
    double x[1];
} room;

static room *rooms;

void *new_room(size_t bytes) {
    room *made = (room *)malloc(sizeof *made + bytes);
    if (made == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(4);
    }
    made->next = rooms;
    rooms = made;
    return made->x;
}

double *new_numbers(size_t n) {
    double *x = (double *)new_room(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = NAN;
    return x;
}

void free_rooms(void) {
    while (rooms != NULL) {
        room *next = rooms->next;
        free(rooms);
        rooms = next;
    }
}

const char *make_text(const char *format, ...) {
    enum { LONGEST = 2000 };

    char text[LONGEST];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return strcpy((char *)new_room(strlen(text) + 1), text);
}

int same_text(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

void append_text(char *text, size_t size, const char *format, ...) {
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    if (used + 1 < size) (void)vsnprintf(text + used, size - used, format, args);
    va_end(args);
}
