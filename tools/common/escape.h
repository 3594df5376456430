/* escape.h: text of unknown origin, made safe for HTML, SVG and JSON inside HTML.
 *
 * Input may hold any bytes.  What is not valid UTF-8 and what XML forbids becomes U+FFFD, so that the output is always valid.
 * libc only.  Numbers are written by printf in the "C" locale: a program that calls setlocale must leave LC_NUMERIC alone. */
#ifndef ESCAPE_H
#define ESCAPE_H
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the UTF-8 character at s (1 to 4) and its code point, or 0 if there is none: bad lead byte, cut short, longer
   than needed, a surrogate, or above U+10FFFF. */
static inline size_t escape_utf8(const char *s, size_t n, unsigned long *code) {
    static const unsigned long least[5] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = n > 0 ? (unsigned char)s[0] : 0xFF;
    size_t size = lead < 0x80                   ? 1
                  : lead >= 0xC2 && lead < 0xE0 ? 2
                  : lead >= 0xE0 && lead < 0xF0 ? 3
                  : lead >= 0xF0 && lead < 0xF5 ? 4
                                                : 0;
    if (size == 0 || size > n) {
        return 0;
    }
    *code = size == 1 ? lead : lead & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        unsigned char next = (unsigned char)s[i];
        if ((next & 0xC0) != 0x80) {
            return 0;
        }
        *code = *code << 6 | (next & 0x3Fu);
    }
    if (*code < least[size] || *code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000)) {
        return 0;
    }
    return size;
}

/* Text for an element's content or a quoted attribute, in HTML or XML. */
static inline void escape_markup_n(FILE *out, const char *s, size_t n) {
    for (size_t i = 0; i < n;) {
        unsigned long code = 0;
        size_t size = escape_utf8(s + i, n - i, &code);
        if (size == 0 || code == 0xFFFE || code == 0xFFFF || code == 0x7F ||
            (code < 0x20 && code != '\n' && code != '\t')) {
            fputs("\xEF\xBF\xBD", out);
        } else if (code == '&') {
            fputs("&amp;", out);
        } else if (code == '<') {
            fputs("&lt;", out);
        } else if (code == '>') {
            fputs("&gt;", out);
        } else if (code == '"') {
            fputs("&quot;", out);
        } else if (code == '\'') {
            fputs("&#39;", out);
        } else {
            fwrite(s + i, 1, size, out);
        }
        i += size == 0 ? 1 : size;
    }
}

static inline void escape_markup(FILE *out, const char *s) {
    if (s != NULL) {
        escape_markup_n(out, s, strlen(s));
    }
}

/* The inside of a JSON string.  '<', '>' and '&' are written as \u escapes, so that no text can end the script element that
   holds it, and so are the two separators that older JavaScript takes for line ends. */
static inline void escape_json_n(FILE *out, const char *s, size_t n) {
    for (size_t i = 0; i < n;) {
        unsigned long code = 0;
        size_t size = escape_utf8(s + i, n - i, &code);
        if (size == 0) {
            fputs("\\ufffd", out);
        } else if (code == '"' || code == '\\') {
            fprintf(out, "\\%c", (int)code);
        } else if (code < 0x20 || code == 0x7F || code == '<' || code == '>' || code == '&' ||
                   code == 0x2028 || code == 0x2029) {
            fprintf(out, "\\u%04lx", code);
        } else {
            fwrite(s + i, 1, size, out);
        }
        i += size == 0 ? 1 : size;
    }
}

/* A whole JSON string, with its quotes; NULL gives "". */
static inline void escape_json(FILE *out, const char *s) {
    fputc('"', out);
    if (s != NULL) {
        escape_json_n(out, s, strlen(s));
    }
    fputc('"', out);
}
#endif
