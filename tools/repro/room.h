/* room.h: memory and texts that nobody need free one by one. */
#ifndef ROOM_H
#define ROOM_H
#include <stddef.h>

/* Memory, an array (n) of NaN, and a text, that live until free_rooms.  The program ends if memory
   runs out. */
void *new_room(size_t bytes);
double *new_numbers(size_t n);
const char *make_text(const char *format, ...);
void free_rooms(void);

/* Appends to a text of a fixed size; what has no room is cut. */
void append_text(char *text, size_t size, const char *format, ...);
#define SAY(text, ...) append_text(text, sizeof(text), __VA_ARGS__)

int same_text(const char *a, const char *b);
#endif
