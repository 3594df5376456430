/* source.c: reads slm.h and finds its tokens, sections, names and what uses what. */
#include "book.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory) {
    if (memory == NULL) {
        fprintf(stderr, "book: out of memory\n");
        exit(1);
    }
    return memory;
}

static void read_bytes(book *b, const char *path) {
    FILE *file = fopen(path, "rb");
    size_t capacity = 1 << 20;
    if (file == NULL) {
        fprintf(stderr, "book: cannot open %s\n", path);
        exit(1);
    }
    b->bytes = (char *)must(malloc(capacity));
    for (;;) {
        b->size += fread(b->bytes + b->size, 1, capacity - b->size, file);
        if (b->size < capacity) break;
        capacity *= 2;
        b->bytes = (char *)must(realloc(b->bytes, capacity));
    }
    b->bytes[b->size] = '\0';
    fclose(file);
}

static void split_lines(book *b) {
    const char *p = b->bytes;
    const char *end = b->bytes + b->size;
    size_t n = 2;
    for (size_t i = 0; i < b->size; i++)
        n += b->bytes[i] == '\n';
    b->lines = (line *)must(calloc(n + 1, sizeof *b->lines));
    while (p < end) {
        const char *newline = (const char *)memchr(p, '\n', (size_t)(end - p));
        line *l = &b->lines[++b->n_lines];
        if (newline == NULL) newline = end;
        l->text = p;
        l->size = (size_t)(newline - p);
        p = newline + 1;
    }
}

/* ---- tokens ---- */
static int is_word(int c) {
    return isalnum(c) || c == '_';
}

static size_t string_size(const char *p, size_t left) {
    char quote = p[0];
    size_t i = 1;
    while (i < left && p[i] != quote)
        i += p[i] == '\\' ? 2 : 1;
    return i < left ? i + 1 : left;
}

static size_t comment_size(const char *p, size_t left, int *goes_on) {
    for (size_t i = 0; i + 1 < left; i++)
        if (p[i] == '*' && p[i + 1] == '/') {
            *goes_on = 0;
            return i + 2;
        }
    *goes_on = 1;
    return left;
}

/* The size and kind of the token at p, which is not in a comment. */
static size_t token_at(const char *p, size_t left, token_kind *kind) {
    size_t i = 1;
    if (isspace((unsigned char)p[0])) {
        *kind = TOKEN_SPACE;
        while (i < left && isspace((unsigned char)p[i]))
            i++;
    } else if (is_word((unsigned char)p[0])) {
        *kind = isdigit((unsigned char)p[0]) ? TOKEN_NUMBER : TOKEN_WORD;
        while (i < left && (is_word((unsigned char)p[i]) || (*kind == TOKEN_NUMBER && p[i] == '.')))
            i++;
    } else if (p[0] == '"' || p[0] == '\'') {
        *kind = TOKEN_STRING;
        i = string_size(p, left);
    } else {
        *kind = TOKEN_MARK;
    }
    return i;
}

/* Returns whether a comment goes on behind the line. */
static int tokenize_line(book *b, size_t number, int in_comment) {
    line *l = &b->lines[number];
    size_t i = 0;
    int code = 0, comment = 0, began = !in_comment;
    l->first_token = b->n_tokens;
    while (i < l->size) {
        token *t = &b->tokens[b->n_tokens++];
        const char *p = l->text + i;
        size_t left = l->size - i;
        t->text = p;
        t->line = number;
        if (in_comment || (left > 1 && p[0] == '/' && p[1] == '*')) {
            size_t skip = in_comment ? 0 : 2;
            t->kind = TOKEN_COMMENT;
            t->size = skip + comment_size(p + skip, left - skip, &in_comment);
            comment = 1;
        } else {
            t->size = token_at(p, left, &t->kind);
            code |= t->kind != TOKEN_SPACE;
        }
        i += t->size;
    }
    l->kind = comment ? LINE_COMMENT : LINE_EMPTY;
    if (code) l->kind = LINE_CODE;
    l->begins_comment = comment && began;
    return in_comment;
}

/* A comment that began behind code, or behind which code follows, belongs to that code. */
static void settle_comments(book *b) {
    for (size_t i = 1; i <= b->n_lines; i++) {
        line *l = &b->lines[i];
        const line *above = &b->lines[i - 1];
        int goes_on = !l->begins_comment && l->kind == LINE_COMMENT;
        if (goes_on && i > 1 && above->kind == LINE_CODE) l->kind = LINE_CODE;
    }
}

static void tokenize(book *b) {
    int in_comment = 0, directive = 0;
    b->tokens = (token *)must(calloc(b->size + 1, sizeof *b->tokens));
    for (size_t i = 1; i <= b->n_lines; i++) {
        line *l = &b->lines[i];
        size_t first = 0;
        in_comment = tokenize_line(b, i, in_comment);
        while (first < l->size && l->text[first] == ' ')
            first++;
        l->is_directive = directive || (first < l->size && l->text[first] == '#');
        directive = l->is_directive && l->size > 0 && l->text[l->size - 1] == '\\';
    }
    b->lines[b->n_lines + 1].first_token = b->n_tokens;
    settle_comments(b);
}

/* ---- sections ---- */
static const char *find(const line *l, const char *words) {
    size_t n = strlen(words);
    for (size_t i = 0; i + n <= l->size; i++)
        if (memcmp(l->text + i, words, n) == 0) return l->text + i;
    return NULL;
}

static size_t anchor_size(const char *p) {
    size_t n = 0;
    while (islower((unsigned char)p[n]) || p[n] == '_')
        n++;
    return n;
}

static section *begin_section(book *b, const char *text, size_t size, size_t first) {
    section *s = &b->sections[b->n_sections];
    if (b->n_sections == BOOK_SECTIONS || size >= BOOK_SECTION_NAME) {
        fprintf(stderr, "book: too many sections, or too long a name\n");
        exit(1);
    }
    memcpy(s->name, text, size);
    s->first = first;
    if (b->n_sections > 0) s[-1].end = first;
    b->n_sections++;
    return s;
}

static void find_sections(book *b) {
    begin_section(b, "head", 4, 1);
    for (size_t i = 1; i <= b->n_lines; i++) {
        const line *l = &b->lines[i];
        const char *anchor = find(l, " ==== >>");
        const char *p = l->text + l->size;
        section *s;
        if (anchor == NULL) continue;
        anchor += strlen(" ==== >>");
        s = begin_section(b, anchor, anchor_size(anchor), i);
        while (p > l->text && (p[-1] == '=' || p[-1] == ' '))
            p--;
        while (p > l->text && isdigit((unsigned char)p[-1]))
            p--;
        s->number = atoi(p);
    }
    b->sections[b->n_sections - 1].end = b->n_lines + 1;
}

/* Is there nothing before p in its line but a number and marks? */
static int begins_line(const line *l, const char *p) {
    for (const char *q = l->text; q < p; q++)
        if (isalpha((unsigned char)*q) || *q == '=') return 0;
    return 1;
}

/* The lines of the contents: `12 >>step   what it holds   may not: what it may not`. */
static void read_contents(book *b) {
    int contents = book_section_named(b, "contents", strlen("contents"));
    if (contents < 0) return;
    for (size_t i = b->sections[contents].first; i < b->sections[contents].end; i++) {
        const line *l = &b->lines[i];
        const char *anchor = find(l, ">>");
        const char *end = l->text + l->size;
        const char *may_not = find(l, "may not: ");
        int which;
        if (anchor == NULL || !begins_line(l, anchor)) continue;
        anchor += 2;
        which = book_section_named(b, anchor, anchor_size(anchor));
        if (which < 0) continue;
        anchor += anchor_size(anchor);
        while (anchor < end && *anchor == ' ')
            anchor++;
        if (may_not != NULL) {
            b->sections[which].may_not = may_not + strlen("may not: ");
            b->sections[which].may_not_size = (size_t)(end - b->sections[which].may_not);
            end = may_not;
        }
        while (end > anchor && end[-1] == ' ')
            end--;
        b->sections[which].holds = anchor;
        b->sections[which].holds_size = (size_t)(end - anchor);
    }
}

int book_section_of(const book *b, size_t line_number) {
    for (int i = 0; i < b->n_sections; i++)
        if (line_number < b->sections[i].end) return i;
    return b->n_sections - 1;
}

int book_section_named(const book *b, const char *text, size_t size) {
    for (int i = 0; i < b->n_sections; i++)
        if (strlen(b->sections[i].name) == size && memcmp(b->sections[i].name, text, size) == 0)
            return i;
    return -1;
}

/* ---- names ---- */
static int is_ours(const char *text, size_t size) {
    return size > 4 && (memcmp(text, "slm_", 4) == 0 || memcmp(text, "SLM_", 4) == 0);
}

static size_t hash_of(const char *text, size_t size) {
    size_t hash = 5381;
    for (size_t i = 0; i < size; i++)
        hash = hash * 33 + (unsigned char)text[i];
    return hash % 4096;
}

static name *any_name(const book *b, const char *text, size_t size) {
    name *n = b->names[hash_of(text, size)];
    while (n != NULL && (n->size != size || memcmp(n->text, text, size) != 0))
        n = n->next;
    return n;
}

name *book_name(const book *b, const char *text, size_t size) {
    return is_ours(text, size) ? any_name(b, text, size) : NULL;
}

int book_is_in_code(const book *b, const char *text, size_t size) {
    return any_name(b, text, size) != NULL;
}

/* How a name is defined, the best last. */
enum {
    RANK_SEEN = BOOK_RANK_OTHER + 1,
    RANK_TOP,
    RANK_PROTOTYPE,
    RANK_TYPE,
    RANK_MACRO,
    RANK_BODY,
    RANK_TYPEDEF,
    RANK_STRUCT
};

static name *note_name(book *b, const token *t, int rank) {
    name *n = any_name(b, t->text, t->size);
    if (n == NULL) {
        size_t slot = hash_of(t->text, t->size);
        n = (name *)must(calloc(1, sizeof *n));
        n->text = t->text;
        n->size = t->size;
        n->next = b->names[slot];
        b->names[slot] = n;
    }
    if (rank > n->rank) {
        n->rank = rank;
        n->definition = t->line;
    }
    return n;
}

/* The next token that is neither space nor comment, from i on; n_tokens if there is none. */
static size_t next_code(const book *b, size_t i) {
    while (i < b->n_tokens) {
        token_kind kind = b->tokens[i].kind;
        if (kind != TOKEN_SPACE && kind != TOKEN_COMMENT) break;
        i++;
    }
    return i;
}

static int token_is(const token *t, const char *text) {
    return t->size == strlen(text) && memcmp(t->text, text, t->size) == 0;
}

/* From an opening parenthesis to the token behind the closing one. */
static size_t behind_parentheses(const book *b, size_t i) {
    int depth = 0;
    for (; i < b->n_tokens; i++) {
        if (b->tokens[i].kind != TOKEN_MARK) continue;
        if (token_is(&b->tokens[i], "(")) depth++;
        if (token_is(&b->tokens[i], ")") && --depth == 0) return next_code(b, i + 1);
    }
    return i;
}

/* What the word at i defines where braces are closed. */
static int rank_at_top(const book *b, size_t i, int in_typedef) {
    size_t j = next_code(b, i + 1);
    if (j >= b->n_tokens) return RANK_SEEN;
    if (in_typedef && token_is(&b->tokens[j], ";")) return RANK_TYPEDEF;
    if (token_is(&b->tokens[j], "(")) {
        j = behind_parentheses(b, j);
        if (j < b->n_tokens && token_is(&b->tokens[j], "{")) return RANK_BODY;
        return RANK_PROTOTYPE;
    }
    if (token_is(&b->tokens[j], "{")) return RANK_STRUCT;
    if (token_is(&b->tokens[j], "[") || token_is(&b->tokens[j], "=")) return RANK_TYPE;
    return RANK_TOP;
}

/* A kernel is defined by a macro that is given its name: SLM__KERNEL(void, slm__axpy, ...). */
static int is_maker(const token *t) {
    return token_is(t, "SLM__KERNEL") || token_is(t, "SLM__DISPATCH");
}

static void find_definitions(book *b) {
    const token *before = NULL;
    int depth = 0, in_enum = 0, in_typedef = 0, made = 0;
    for (size_t i = next_code(b, 0); i < b->n_tokens; i = next_code(b, i + 1)) {
        const token *t = &b->tokens[i];
        int directive = b->lines[t->line].is_directive;
        if (!directive && t->kind == TOKEN_MARK) {
            if (token_is(t, "{")) depth++;
            if (token_is(t, "}")) depth--;
            if (token_is(t, "}") || token_is(t, ";")) in_enum = 0;
            if (depth == 0 && token_is(t, ";")) in_typedef = 0;
            if (token_is(t, "}") || token_is(t, ";") || token_is(t, "{")) made = 0;
        } else if (!directive && t->kind == TOKEN_WORD) {
            if (token_is(t, "enum")) in_enum = 1;
            if (token_is(t, "typedef")) in_typedef = 1;
            if (depth == 0 && is_maker(t)) made = 1;
        }
        /* The braces of extern "C" count as none. */
        if (before != NULL && before->kind == TOKEN_STRING && token_is(t, "{")) depth--;
        if (depth < 0) depth = 0;
        if (t->kind == TOKEN_WORD && !is_ours(t->text, t->size)) {
            if (memchr(t->text, '_', t->size) != NULL) note_name(b, t, BOOK_RANK_OTHER);
        } else if (t->kind == TOKEN_WORD) {
            int rank = RANK_SEEN;
            if (directive) {
                if (before != NULL && token_is(before, "define")) rank = RANK_MACRO;
            } else if (depth == 0) {
                rank = rank_at_top(b, i, in_typedef);
                if (made && t->size > 5 && memcmp(t->text, "slm__", 5) == 0) {
                    rank = RANK_BODY;
                    made = 0;
                }
            } else if (in_enum) {
                rank = RANK_TYPE;
            }
            note_name(b, t, rank);
        }
        before = t;
    }
}

/* Public functions are declared in the interface; and every section says names of others. */
static void find_uses(book *b) {
    int interface = book_section_named(b, "api", strlen("api"));
    for (size_t i = 0; i < b->n_tokens; i++) {
        const token *t = &b->tokens[i];
        int here = book_section_of(b, t->line);
        name *n;
        if (t->kind == TOKEN_SPACE || t->kind == TOKEN_COMMENT) continue;
        if (!b->lines[t->line].is_directive) b->sections[here].tokens++;
        if (t->kind != TOKEN_WORD || !is_ours(t->text, t->size)) continue;
        n = book_name(b, t->text, t->size);
        if (here == interface && n->definition != t->line && n->declaration == 0)
            n->declaration = t->line;
        b->sections[here].uses[book_section_of(b, n->definition)]++;
    }
}

void book_read(book *b, const char *path) {
    read_bytes(b, path);
    split_lines(b);
    tokenize(b);
    find_sections(b);
    read_contents(b);
    find_definitions(b);
    find_uses(b);
}
