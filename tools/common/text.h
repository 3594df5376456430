/* text.h: text of unknown origin, made safe for HTML, SVG, JSON and terminals; CSV files, read and
 * written.
 *
 * Input may hold any bytes.  What is not valid UTF-8, what XML forbids and control characters
 * become U+FFFD, so that the output is always valid.  Numbers are written by printf in the "C"
 * locale: a program that calls setlocale must leave LC_NUMERIC alone.  Needs libc only. */
#ifndef TEXT_H
#define TEXT_H
#include <stddef.h>
#include <stdio.h>

/* Returns the size of the UTF-8 character at s (1 to 4 bytes) and sets *code to its code point.
 * Returns 0 if there is none: a bad lead byte, cut short, longer than needed, a surrogate, or above
 * U+10FFFF. */
size_t escape_utf8(const char *s, size_t n, unsigned long *code);

/* Writes text for an element's content or a quoted attribute, in HTML or XML.  NULL writes
 * nothing. */
void escape_markup_n(FILE *out, const char *s, size_t n);
void escape_markup(FILE *out, const char *s);

/* Writes the inside of a JSON string.  '<', '>' and '&' are written as \u escapes, so that no text
 * can end the script element that holds it, and so are U+2028 and U+2029, which older JavaScript
 * takes for line ends. */
void escape_json_n(FILE *out, const char *s, size_t n);

/* Writes a whole JSON string, with its quotes.  NULL is written as "". */
void escape_json(FILE *out, const char *s);

/* Writes bytes so that they stay on one line of a terminal: \t \n \r \\, and \xHH for every byte
 * that is not part of a visible UTF-8 character. */
void escape_terminal(FILE *out, const char *bytes, size_t n);

/* Puts '?' for every byte of the text that is not part of a visible UTF-8 character, so that it
 * stays on one line of a terminal and commands it nothing. */
void escape_line(char *text);

/* Prints one line on stderr, as escape_line makes it; a very long one is cut.  Whatever a message
 * quotes, a path, a value or a name out of a file, goes through here. */
void print_message(const char *format, ...);

/* Of several processes that do one piece of work, one speaks.  The others hold their last message,
 * or leave all out. */
typedef enum message_mode { MESSAGES_SHOWN, MESSAGES_HELD, MESSAGES_OFF } message_mode;

void set_messages(message_mode mode);
int messages_are_shown(void);

/* Returns what is held; "": nothing. */
const char *held_message(void);

/* A CSV file as a table of texts:
 *
 *     csv_table t;
 *     if (csv_load(&t, "build/repro/curves.csv") == CSV_READ)
 *         loss = csv_number(&t, row, csv_column(&t, "target_loss"));
 *
 * The first line names the columns.  A cell may be in double quotes; two of them inside mean one.
 * A missing column, a short row or an empty cell is "" as text and NaN as number, so that a reader
 * need not ask first. */
typedef struct csv_table {
    char *text;        /* the file; every cell points into it and ends with NUL */
    const char **name; /* (cols) */
    const char **cell; /* (rows, cols) */
    size_t rows, cols;
} csv_table;

typedef enum csv_status {
    CSV_READ,
    CSV_MISSING, /* There is no such file, or no row in it. */
    CSV_UNREADABLE
} csv_status;

csv_status csv_load(csv_table *t, const char *path);
void csv_free(csv_table *t);

/* Returns -1 if there is no such column. */
int csv_column(const csv_table *t, const char *name);
const char *csv_text(const csv_table *t, size_t row, int column);
double csv_number(const csv_table *t, size_t row, int column);

/* Writes one cell, in quotes where it must be. */
void csv_write(FILE *out, const char *text);

/* Writes a number with enough digits to compute with; NaN is an empty cell. */
void csv_write_number(FILE *out, double value);

#endif
