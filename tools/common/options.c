/* options.c: the parser and the help page of option tables. */
#include "common/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"
#include "common/text.h"

enum { USAGE_ERROR = 2, HELP_COLUMN = 20 };

static option_visitor *visitor = NULL;

void options_visit(option_visitor *visit) {
    visitor = visit;
}

const char *option_dashes(const option *o) {
    return o->name[1] != 0 ? "--" : "-";
}

static void show_help(const option_page *page, const option *table, size_t n) {
    printf("slm %s: %s\n\nusage: slm %s\n\nexamples\n", page->verb, page->what, page->usage);
    printf("  %s\n  %s\n\nflags\n", page->examples[0], page->examples[1]);
    for (size_t i = 0; i < n; i++) {
        const option *o = &table[i];
        char left[80];
        (void)snprintf(left, sizeof left, "%s%s", option_dashes(o), o->name);
        if (o->value != NULL) {
            size_t used = strlen(left);
            (void)snprintf(left + used, sizeof left - used, " %s", o->value);
        }
        if (strlen(left) > HELP_COLUMN) {
            printf("  %s\n  %-*s  %s\n", left, HELP_COLUMN, "", o->help);
        } else {
            printf("  %-*s  %s\n", HELP_COLUMN, left, o->help);
        }
    }
    if (page->notes != NULL) printf("\n%s\n", page->notes);
}

static int fail_value(const option_page *page, const option *o, const char *value) {
    const char *dashes = option_dashes(o);
    if (o->kind == OPTION_IS_CHOICE) {
        print_message("slm %s: %s%s %.300s: one of %s is needed", page->verb, dashes, o->name,
                      value, o->value);
    } else {
        const char *whole = o->kind == OPTION_IS_REAL ? "" : "whole ";
        print_message("slm %s: %s%s %.300s: a %snumber from %.12g to %.12g is needed", page->verb,
                      dashes, o->name, value, whole, o->min, o->max);
    }
    return USAGE_ERROR;
}

/* The setters return 0 if the value is not of the kind or out of range. */

static int set_choice(const option *o, const char *value) {
    const char *word = o->value;
    size_t value_size = strlen(value);
    for (int i = 0;; i++) {
        size_t word_size = strcspn(word, "|");
        if (word_size == value_size && strncmp(word, value, word_size) == 0) {
            *(int *)o->target = i;
            return 1;
        }
        if (word[word_size] == 0) return 0;
        word += word_size + 1;
    }
}

static int set_real(const option *o, const char *value) {
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end != 0) return 0;
    if (!(number >= o->min && number <= o->max)) return 0;
    *(double *)o->target = number;
    return 1;
}

static int set_u64(const option *o, const char *value) {
    char *end;
    if (*value == 0 || strspn(value, "0123456789") != strlen(value)) return 0;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (errno != 0 || *end != 0) return 0;
    if ((double)number < o->min || (double)number > o->max) return 0;
    *(uint64_t *)o->target = number;
    return 1;
}

static int set_i32(const option *o, const char *value) {
    char *end;
    if (*value == 0 || strspn(value, "-0123456789") != strlen(value)) return 0;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno != 0 || *end != 0) return 0;
    if ((double)number < o->min || (double)number > o->max) return 0;
    *(int32_t *)o->target = (int32_t)number;
    return 1;
}

static int set_text(const option *o, const char *value) {
    *(const char **)o->target = value;
    return 1;
}

static int set_value(const option *o, const char *value) {
    switch (o->kind) {
    case OPTION_IS_TEXT: return set_text(o, value);
    case OPTION_IS_CHOICE: return set_choice(o, value);
    case OPTION_IS_REAL: return set_real(o, value);
    case OPTION_IS_U64: return set_u64(o, value);
    case OPTION_IS_I32: return set_i32(o, value);
    default: return 0;
    }
}

static int append_value(const option_page *page, option_list *list, const char *value) {
    if (list->n == OPTION_LIST_MAX) {
        print_message("slm %s: more than %d values", page->verb, (int)OPTION_LIST_MAX);
        return USAGE_ERROR;
    }
    list->items[list->n++] = value;
    return OPTIONS_PARSED;
}

/* Negative numbers ("-5", "-.5") are values; "-" alone is a file. */
static int is_flag(const char *text) {
    return text[0] == '-' && text[1] != 0 && strchr("0123456789.", text[1]) == NULL;
}

static option *find_option(option *table, size_t n, const char *name, size_t size) {
    for (size_t i = 0; i < n; i++) {
        const char *candidate = table[i].name;
        if (strlen(candidate) == size && strncmp(candidate, name, size) == 0) return &table[i];
    }
    return NULL;
}

int options_given(const option *table, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(table[i].name, name) == 0) return table[i].given;
    }
    return 0;
}

/* The command line and how far it has been read. */
typedef struct arguments {
    int n;
    char **texts;
    int next;
} arguments;

static int value_follows(const arguments *args) {
    return args->next < args->n && !is_flag(args->texts[args->next]);
}

/* `inline_value` is the text behind '=', or NULL. */
static int parse_value(const option_page *page, const option *o, arguments *args,
                       const char *inline_value) {
    if (o->kind == OPTION_IS_LIST) {
        option_list *list = (option_list *)o->target;
        if (inline_value != NULL) return append_value(page, list, inline_value);
        while (value_follows(args)) {
            int code = append_value(page, list, args->texts[args->next++]);
            if (code != OPTIONS_PARSED) return code;
        }
        return OPTIONS_PARSED;
    }
    const char *value = inline_value;
    if (value == NULL) value = args->texts[args->next++];
    return set_value(o, value) ? OPTIONS_PARSED : fail_value(page, o, value);
}

/* nearest_name: of a flag that may have been meant, or NULL. */
static int fail_flag(const option_page *page, const char *text, int shown,
                     const char *nearest_name) {
    char meant[64] = "";
    if (nearest_name != NULL) {
        const char *dashes = nearest_name[1] == 0 ? "-" : "--";
        (void)snprintf(meant, sizeof meant, ", did you mean %s%s?", dashes, nearest_name);
    }
    print_message("slm %s: unknown flag %.*s%s (slm %s -h lists them)", page->verb, shown, text,
                  meant, page->verb);
    return USAGE_ERROR;
}

/* Takes one flag with its value or values. */
static int parse_flag(const option_page *page, option *table, size_t n, arguments *args) {
    const char *text = args->texts[args->next++];
    size_t n_dashes = text[1] == '-' ? 2 : 1;
    const char *name = text + n_dashes;
    size_t size = strcspn(name, "=");
    const char *inline_value = name[size] == '=' ? name + size + 1 : NULL;
    int shown = (int)strcspn(text, "="); /* of the text, in messages */

    option *o = find_option(table, n, name, size);
    int long_name = size > 1;
    if (o == NULL || long_name != (n_dashes == 2)) {
        nearest meant = {name, (size_t)shown > n_dashes ? (size_t)shown - n_dashes : 0, NULL, 0};
        for (size_t i = 0; i < n; i++)
            nearest_offer(&meant, table[i].name);
        return fail_flag(page, text, shown, meant.name);
    }
    o->given = 1;
    if (o->kind == OPTION_IS_FLAG && inline_value != NULL) {
        print_message("slm %s: --%s takes no value", page->verb, o->name);
        return USAGE_ERROR;
    }
    if (o->kind == OPTION_IS_FLAG) {
        *(int *)o->target = 1;
        return OPTIONS_PARSED;
    }
    if (inline_value == NULL && !value_follows(args)) {
        print_message("slm %s: %.*s needs a value: %s", page->verb, shown, text, o->value);
        return USAGE_ERROR;
    }
    return parse_value(page, o, args, inline_value);
}

int options_parse(const option_page *page, option *table, size_t n, option_list *rest, int argc,
                  char **argv) {
    arguments args = {argc, argv, 0};
    if (visitor != NULL) {
        visitor(page, table, n);
        return OPTIONS_HELP_SHOWN;
    }
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            show_help(page, table, n);
            return OPTIONS_HELP_SHOWN;
        }
    }
    while (args.next < argc) {
        int code;
        if (is_flag(argv[args.next])) {
            code = parse_flag(page, table, n, &args);
        } else {
            code = append_value(page, rest, argv[args.next++]);
        }
        if (code != OPTIONS_PARSED) return code;
    }
    if (rest->n > page->positional) {
        const char *extra = rest->items[page->positional];
        print_message("slm %s: what is '%.300s'? usage: slm %s", page->verb, extra, page->usage);
        return USAGE_ERROR;
    }
    return OPTIONS_PARSED;
}
