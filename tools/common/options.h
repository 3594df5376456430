/* options.h: long flags from a table.
 *
 *     option table[] = { OPTION_U64("steps", &steps, 1, 1000000, "N", "optimizer steps"), ... };
 *     int code = options_parse(&page, table, COUNT(table), &rest, argc, argv);      -1: go on; else leave with this code
 *
 * The table is also the help page, so that the two cannot differ.  `--flag value` and `--flag=value`; a flag of one letter has one
 * dash.  A list takes all values up to the next flag.  Whatever is wrong is said in one line.  libc only. */
#ifndef OPTIONS_H
#define OPTIONS_H
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_MOST = 256 };

typedef struct option_list {
    const char *items[OPTION_MOST];
    size_t n;
} option_list;

typedef enum option_kind {
    OPTION_IS_FLAG,
    OPTION_IS_TEXT,
    OPTION_IS_LIST,
    OPTION_IS_I32,
    OPTION_IS_U64,
    OPTION_IS_REAL,
    OPTION_IS_CHOICE
} option_kind;

typedef struct option {
    const char *name;
    option_kind kind;
    void *
        to; /* int, const char *, option_list, int32_t, uint64_t, double; a choice: int, its place in the list */
    double least, most;
    const char *value, *help; /* what the help calls the value; a choice: its words, "a|b|c" */
    int given;
} option;

#define OPTION_FLAG(name, to, help)                                                                \
    { name, OPTION_IS_FLAG, to, 0, 0, NULL, help, 0 }
#define OPTION_TEXT(name, to, value, help)                                                         \
    { name, OPTION_IS_TEXT, to, 0, 0, value, help, 0 }
#define OPTION_LIST(name, to, value, help)                                                         \
    { name, OPTION_IS_LIST, to, 0, 0, value, help, 0 }
#define OPTION_I32(name, to, least, most, value, help)                                             \
    { name, OPTION_IS_I32, to, least, most, value, help, 0 }
#define OPTION_U64(name, to, least, most, value, help)                                             \
    { name, OPTION_IS_U64, to, least, most, value, help, 0 }
#define OPTION_REAL(name, to, least, most, value, help)                                            \
    { name, OPTION_IS_REAL, to, least, most, value, help, 0 }
#define OPTION_CHOICE(name, to, words, help)                                                       \
    { name, OPTION_IS_CHOICE, to, 0, 0, words, help, 0 }

/* What stands on the help page besides the flags. */
typedef struct option_page {
    const char *verb, *what, *usage, *examples[2], *notes;
    size_t positional;
} option_page;

static inline void options_help(const option_page *page, const option *table, size_t n) {
    printf("slm %s: %s\n\nusage: slm %s\n\nexamples\n", page->verb, page->what, page->usage);
    printf("  %s\n  %s\n\nflags\n", page->examples[0], page->examples[1]);
    for (size_t i = 0; i < n; i++) {
        char left[80];
        (void)snprintf(left, sizeof left, "%s%s%s%s", table[i].name[1] != 0 ? "--" : "-",
                       table[i].name, table[i].value != NULL ? " " : "",
                       table[i].value != NULL ? table[i].value : "");
        if (strlen(left) > 20)
            printf("  %s\n  %-20s  %s\n", left, "", table[i].help);
        else
            printf("  %-20s  %s\n", left, table[i].help);
    }
    if (page->notes != NULL) printf("\n%s\n", page->notes);
}

static inline int options__wrong(const option_page *page, const option *o, const char *value) {
    const char *dashes = o->name[1] != 0 ? "--" : "-";
    fprintf(stderr, "slm %s: %s%s ", page->verb, dashes, o->name);
    for (; *value != 0; value++)
        fputc((unsigned char)*value < 32 || *value == 127 ? '?' : *value, stderr);
    if (o->kind == OPTION_IS_CHOICE)
        fprintf(stderr, ": one of %s is needed\n", o->value);
    else
        fprintf(stderr, ": a %snumber from %.12g to %.12g is needed\n",
                o->kind == OPTION_IS_REAL ? "" : "whole ", o->least, o->most);
    return 2;
}

static inline int options__choice(const option *o, const char *value) {
    const char *word = o->value;
    size_t n = strlen(value), length;
    for (int i = 0;; i++, word += length + 1) {
        length = strcspn(word, "|");
        if (length == n && strncmp(word, value, n) == 0) {
            *(int *)o->to = i;
            return 0;
        }
        if (word[length] == 0) return 1;
    }
}

/* Puts the value where it belongs; nonzero: it is not of the right kind or out of range. */
static inline int options__set(const option *o, const char *value) {
    char *end = NULL;
    errno = 0;
    if (o->kind == OPTION_IS_TEXT) {
        *(const char **)o->to = value;
        return 0;
    }
    if (o->kind == OPTION_IS_CHOICE) return options__choice(o, value);
    if (o->kind == OPTION_IS_REAL) {
        double number = strtod(value, &end);
        if (end == value || *end != 0 || !(number >= o->least && number <= o->most)) return 1;
        *(double *)o->to = number;
        return 0;
    }
    if (strspn(value, "-0123456789") != strlen(value)) return 1;
    if (o->kind == OPTION_IS_U64) {
        unsigned long long whole = strtoull(value, &end, 10);
        if (errno != 0 || *value == 0 || *end != 0 || strchr(value, '-') != NULL ||
            (double)whole < o->least || (double)whole > o->most)
            return 1;
        *(uint64_t *)o->to = whole;
    } else {
        long long whole = strtoll(value, &end, 10);
        if (errno != 0 || *value == 0 || *end != 0 || (double)whole < o->least ||
            (double)whole > o->most)
            return 1;
        *(int32_t *)o->to = (int32_t)whole;
    }
    return 0;
}

static inline int options__add(const option_page *page, option_list *list, const char *value) {
    if (list->n == OPTION_MOST) {
        fprintf(stderr, "slm %s: more than %d values\n", page->verb, (int)OPTION_MOST);
        return 2;
    }
    list->items[list->n++] = value;
    return -1;
}

/* -5 and -.5 are values, - is a file. */
static inline int options__is_flag(const char *text) {
    return text[0] == '-' && text[1] != 0 && strchr("0123456789.", text[1]) == NULL;
}

static inline option *options_find(option *table, size_t n, const char *name, size_t length) {
    for (size_t i = 0; i < n; i++)
        if (strlen(table[i].name) == length && strncmp(table[i].name, name, length) == 0)
            return &table[i];
    return NULL;
}

static inline int options_given(const option *table, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i].name, name) == 0) return table[i].given;
    return 0;
}

/* One flag and its value, or values: argv[*at] and what follows. */
static inline int options__flag(const option_page *page, option *table, size_t n, int argc,
                                char **argv, int *at) {
    const char *text = argv[*at], *name = text + (text[1] == '-' ? 2 : 1),
               *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    option *o = options_find(table, n, name, length);
    if (o == NULL || (length > 1) != (text[1] == '-')) {
        fprintf(stderr, "slm %s: unknown flag %.*s (slm %s -h lists them)\n", page->verb,
                (int)strcspn(text, "=\n"), text, page->verb);
        return 2;
    }
    o->given = 1;
    if (o->kind == OPTION_IS_FLAG) {
        if (equals == NULL) {
            *(int *)o->to = 1;
            return -1;
        }
        fprintf(stderr, "slm %s: --%s takes no value\n", page->verb, o->name);
        return 2;
    }
    if (equals == NULL && (*at + 1 >= argc || options__is_flag(argv[*at + 1]))) {
        fprintf(stderr, "slm %s: %.*s needs a value: %s\n", page->verb, (int)strcspn(text, "=\n"),
                text, o->value);
        return 2;
    }
    if (o->kind != OPTION_IS_LIST) {
        const char *value = equals != NULL ? equals + 1 : argv[++*at];
        return options__set(o, value) ? options__wrong(page, o, value) : -1;
    }
    if (equals != NULL) return options__add(page, (option_list *)o->to, equals + 1);
    while (*at + 1 < argc && !options__is_flag(argv[*at + 1]))
        if (options__add(page, (option_list *)o->to, argv[++*at]) != -1) return 2;
    return -1;
}

/* -1: all is well; 0: the help was asked for and given; 2: something is wrong, and was said.  rest: what is no flag. */
static inline int options_parse(const option_page *page, option *table, size_t n, option_list *rest,
                                int argc, char **argv) {
    for (int at = 0; at < argc; at++)
        if (strcmp(argv[at], "-h") == 0 || strcmp(argv[at], "--help") == 0) {
            options_help(page, table, n);
            return 0;
        }
    for (int at = 0; at < argc; at++) {
        int code = options__is_flag(argv[at]) ? options__flag(page, table, n, argc, argv, &at)
                                              : options__add(page, rest, argv[at]);
        if (code != -1) return code;
    }
    if (rest->n > page->positional) {
        fprintf(stderr, "slm %s: what is '%.*s'? usage: slm %s\n", page->verb,
                (int)strcspn(rest->items[page->positional], "\n"), rest->items[page->positional],
                page->usage);
        return 2;
    }
    return -1;
}
#endif
