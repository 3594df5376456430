/* text.c: escapes, and CSV files. */
#include "common/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/os.h"

#define REPLACEMENT_UTF8 "\xEF\xBF\xBD" /* U+FFFD */

enum { MESSAGE_SIZE = 1200 };

/* Returns how many bytes a character with this first byte has, or 0 if none begins so. */
static size_t utf8_size(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead < 0xC2) return 0;
    if (lead < 0xE0) return 2;
    if (lead < 0xF0) return 3;
    if (lead < 0xF5) return 4;
    return 0;
}

size_t escape_utf8(const char *s, size_t n, unsigned long *code) {
    static const unsigned long smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (n == 0) return 0;
    unsigned char lead = (unsigned char)s[0];
    size_t size = utf8_size(lead);
    if (size == 0 || size > n) return 0;

    *code = size == 1 ? lead : lead & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        unsigned char next = (unsigned char)s[i];
        if ((next & 0xC0) != 0x80) return 0;
        *code = *code << 6 | (next & 0x3Fu);
    }

    int surrogate = *code >= 0xD800 && *code < 0xE000;
    if (*code < smallest[size] || *code > 0x10FFFF || surrogate) return 0;
    return size;
}

/* C0, DEL and C1: some terminals obey the latter too. */
static int is_control(unsigned long code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

static int forbidden_in_xml(unsigned long code) {
    if (code == '\n' || code == '\t') return 0;
    return is_control(code) || code == 0xFFFE || code == 0xFFFF;
}

/* Returns NULL if the character is written as it is. */
static const char *markup_entity(unsigned long code) {
    switch (code) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

void escape_markup_n(FILE *out, const char *s, size_t n) {
    size_t i = 0;
    while (i < n) {
        unsigned long code = 0;
        size_t size = escape_utf8(s + i, n - i, &code);
        const char *entity = markup_entity(code);
        if (size == 0 || forbidden_in_xml(code)) {
            fputs(REPLACEMENT_UTF8, out);
        } else if (entity != NULL) {
            fputs(entity, out);
        } else {
            fwrite(s + i, 1, size, out);
        }
        i += size == 0 ? 1 : size;
    }
}

void escape_markup(FILE *out, const char *s) {
    if (s != NULL) escape_markup_n(out, s, strlen(s));
}

static int needs_json_code(unsigned long code) {
    if (is_control(code)) return 1;
    if (code == '<' || code == '>' || code == '&') return 1;
    return code == 0x2028 || code == 0x2029;
}

void escape_json_n(FILE *out, const char *s, size_t n) {
    size_t i = 0;
    while (i < n) {
        unsigned long code = 0;
        size_t size = escape_utf8(s + i, n - i, &code);
        if (size == 0) {
            fputs("\\ufffd", out);
        } else if (code == '"' || code == '\\') {
            fprintf(out, "\\%c", (int)code);
        } else if (needs_json_code(code)) {
            fprintf(out, "\\u%04lx", code);
        } else {
            fwrite(s + i, 1, size, out);
        }
        i += size == 0 ? 1 : size;
    }
}

void escape_json(FILE *out, const char *s) {
    fputc('"', out);
    if (s != NULL) escape_json_n(out, s, strlen(s));
    fputc('"', out);
}

static void write_invisible_byte(FILE *out, unsigned char byte) {
    if (byte == '\t') {
        fputs("\\t", out);
    } else if (byte == '\n') {
        fputs("\\n", out);
    } else if (byte == '\r') {
        fputs("\\r", out);
    } else {
        fprintf(out, "\\x%02X", (unsigned)byte);
    }
}

static void write_invisible(FILE *out, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        write_invisible_byte(out, (unsigned char)bytes[i]);
}

void escape_terminal(FILE *out, const char *bytes, size_t n) {
    size_t i = 0;
    while (i < n) {
        unsigned long code = 0;
        size_t size = escape_utf8(bytes + i, n - i, &code);
        if (size == 0 || is_control(code)) {
            if (size == 0) size = 1;
            write_invisible(out, bytes + i, size);
        } else if (code == '\\') {
            fputs("\\\\", out);
        } else {
            fwrite(bytes + i, 1, size, out);
        }
        i += size;
    }
}

void escape_line(char *text) {
    size_t n = strlen(text);
    size_t i = 0;
    while (i < n) {
        unsigned long code = 0;
        size_t size = escape_utf8(text + i, n - i, &code);
        int visible = size > 0 && !is_control(code);
        if (size == 0) size = 1;
        if (!visible) memset(text + i, '?', size);
        i += size;
    }
}

static message_mode mode = MESSAGES_SHOWN;
static char held[MESSAGE_SIZE];

void set_messages(message_mode new_mode) {
    mode = new_mode;
}

int messages_are_shown(void) {
    return mode == MESSAGES_SHOWN;
}

const char *held_message(void) {
    return held;
}

void print_message(const char *format, ...) {
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    escape_line(text);
    if (mode == MESSAGES_SHOWN) fprintf(stderr, "%s\n", text);
    if (mode == MESSAGES_HELD) memcpy(held, text, sizeof held);
}

/* Returns the open file's bytes with a NUL behind them, or NULL if they cannot be read or memory
 * runs out. */
static char *csv_read_stream(FILE *f, size_t *size) {
    if (fseek(f, 0, SEEK_END) != 0) return NULL;
    long end = ftell(f);
    if (end < 0 || fseek(f, 0, SEEK_SET) != 0) return NULL;
    char *text = (char *)malloc((size_t)end + 1);
    if (text == NULL) return NULL;

    *size = fread(text, 1, (size_t)end, f);
    if (*size != (size_t)end) {
        free(text);
        return NULL;
    }
    text[*size] = '\0';
    return text;
}

/* Takes the double quotes off a cell.  `from` is behind the first one; the text goes to *to, which
 * is moved to its end.  Returns the place behind the closing quote. */
static char *csv_unquote(char *from, char **to) {
    while (*from != '\0') {
        if (*from == '"') {
            from++;
            if (*from != '"') break;
        }
        *(*to)++ = *from++;
    }
    return from;
}

/* Ends the cell at *cursor with NUL, in place, and moves *cursor behind its comma or line end.
 * *cell is set to its text.  Returns 1 if the row goes on. */
static int csv_take_cell(char **cursor, const char **cell) {
    char *from = *cursor;
    char *to = *cursor;
    *cell = from;
    if (*from == '"') from = csv_unquote(from + 1, &to);
    while (*from != '\0' && *from != ',' && *from != '\n')
        *to++ = *from++;
    if (to > *cell && to[-1] == '\r') to--;

    int more = *from == ',';
    *cursor = *from == '\0' ? from : from + 1;
    *to = '\0';
    return more;
}

void csv_free(csv_table *t) {
    free(t->text);
    free((void *)t->name);
    free((void *)t->cell);
    memset(t, 0, sizeof *t);
}

/* Allocates for as many rows as the text has lines and as many columns as its first line has
 * commas, and one more of each. */
static int csv_alloc(csv_table *t, size_t size, size_t *lines, size_t *columns) {
    *lines = 1;
    *columns = 1;
    for (size_t i = 0; i < size; i++) {
        if (t->text[i] == '\n') (*lines)++;
        if (*lines == 1 && t->text[i] == ',') (*columns)++;
    }
    if (*lines > (size_t)-1 / sizeof *t->cell / *columns) return 0;
    t->name = (const char **)malloc(*columns * sizeof *t->name);
    t->cell = (const char **)malloc(*lines * *columns * sizeof *t->cell);
    return t->name != NULL && t->cell != NULL;
}

/* Takes one row; cells it does not have are "", cells beyond the last column are dropped. */
static void csv_take_row(csv_table *t, char **cursor) {
    const char **cell = t->cell + t->rows * t->cols;
    const char *dropped;
    int more = 1;
    for (size_t j = 0; j < t->cols; j++) {
        cell[j] = "";
        if (more) more = csv_take_cell(cursor, &cell[j]);
    }
    while (more)
        more = csv_take_cell(cursor, &dropped);
    t->rows++;
}

csv_status csv_load(csv_table *t, const char *path) {
    size_t size = 0;
    size_t lines;
    size_t columns;
    memset(t, 0, sizeof *t);
    FILE *f = os_open(path, "rb");
    if (f == NULL) return CSV_MISSING;
    t->text = csv_read_stream(f, &size);
    fclose(f);
    if (t->text == NULL) return CSV_UNREADABLE;
    if (!csv_alloc(t, size, &lines, &columns)) {
        csv_free(t);
        return CSV_UNREADABLE;
    }

    char *cursor = t->text;
    int more = *cursor != '\0';
    while (more && t->cols < columns) {
        more = csv_take_cell(&cursor, &t->name[t->cols]);
        t->cols++;
    }
    while (*cursor != '\0' && t->rows < lines) {
        if (*cursor == '\n' || *cursor == '\r') {
            cursor++; /* an empty line */
        } else {
            csv_take_row(t, &cursor);
        }
    }
    if (t->rows > 0) return CSV_READ;
    csv_free(t);
    return CSV_MISSING;
}

int csv_column(const csv_table *t, const char *name) {
    for (size_t j = 0; j < t->cols; j++) {
        if (strcmp(t->name[j], name) == 0) return (int)j;
    }
    return -1;
}

const char *csv_text(const csv_table *t, size_t row, int column) {
    if (column < 0 || row >= t->rows) return "";
    return t->cell[row * t->cols + (size_t)column];
}

double csv_number(const csv_table *t, size_t row, int column) {
    const char *text = csv_text(t, row, column);
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value)) return NAN;
    return value;
}

void csv_write(FILE *out, const char *text) {
    if (strpbrk(text, ",\"\n\r") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void csv_write_number(FILE *out, double value) {
    if (isfinite(value)) fprintf(out, "%.9g", value);
}
