/* text.c: comments and code as HTML. */
#include "book.h"
#include <ctype.h>
#include <stdint.h>
#include <string.h>

void put_escaped(const book *b, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '<') fputs("&lt;", b->out);
        else if (text[i] == '>') fputs("&gt;", b->out);
        else if (text[i] == '&') fputs("&amp;", b->out);
        else if (text[i] == '"') fputs("&quot;", b->out);
        else fputc(text[i], b->out);
    }
}

/* ---- words of a comment ---- */
static int is_word(int c) {
    return isalnum(c) || c == '_';
}

static size_t word_size(const char *text, size_t size) {
    size_t n = 0;
    while (n < size && is_word((unsigned char)text[n]))
        n++;
    return n;
}

static int begins(const char *text, size_t size, const char *with) {
    size_t n = strlen(with);
    return size >= n && memcmp(text, with, n) == 0;
}

static int equals(const char *text, size_t size, const char *with) {
    return size == strlen(with) && memcmp(text, with, size) == 0;
}

static void put_name(const book *b, const name *n, const char *text, size_t size) {
    fprintf(b->out, "<a class=\"n\" href=\"#L%zu\">", n->definition);
    put_escaped(b, text, size);
    fputs("</a>", b->out);
}

/* How many letters before _ take a subscript: x_i, L_RM, sum_i, dw_oc.  0 for a word of code. */
static size_t subscript_at(const book *b, const char *text, size_t size) {
    const char *mark = (const char *)memchr(text, '_', size);
    size_t base, below;
    if (mark == NULL || book_is_in_code(b, text, size)) return 0;
    base = (size_t)(mark - text);
    below = size - base - 1;
    if (base == 0 || below == 0 || !isalpha((unsigned char)text[0])) return 0;
    if (memchr(mark + 1, '_', below) != NULL) return 0;
    if (below <= 2 || equals(mark + 1, below, "theta")) return base;
    return isupper((unsigned char)mark[1]) && below == 3 ? base : 0;
}

static void put_symbol(const book *b, const char *text, size_t size) {
    if (equals(text, size, "sum")) fputs("&sum;", b->out);
    else if (equals(text, size, "theta")) fputs("&theta;", b->out);
    else if (equals(text, size, "dtheta")) fputs("d&theta;", b->out);
    else put_escaped(b, text, size);
}

static void put_subscript(const book *b, const char *text, size_t size, size_t base) {
    fputs("<i class=\"m\">", b->out);
    put_symbol(b, text, base);
    fputs("<sub>", b->out);
    put_symbol(b, text + base + 1, size - base - 1);
    fputs("</sub></i>", b->out);
}

/* The letters of >>idea are symbols. */
static int is_idea(const book *b, const char *text) {
    int idea = book_section_named(b, "idea", strlen("idea"));
    const section *s = &b->sections[idea < 0 ? 0 : idea];
    return text >= b->lines[s->first].text && text < b->lines[s->end].text;
}

static void put_word(const book *b, const char *text, size_t size) {
    const name *n = book_name(b, text, size);
    size_t base = subscript_at(b, text, size);
    if (n != NULL) {
        fputs("<code>", b->out);
        put_name(b, n, text, size);
        fputs("</code>", b->out);
    } else if (base > 0) {
        put_subscript(b, text, size, base);
    } else if (is_idea(b, text)) {
        put_symbol(b, text, size);
    } else if (memchr(text, '_', size) != NULL) {
        fputs("<code>", b->out);
        put_escaped(b, text, size);
        fputs("</code>", b->out);
    } else {
        put_escaped(b, text, size);
    }
}

/* x_{i,j} and x_<i: returns how many bytes it has put, 0 if it is neither. */
static size_t put_long_subscript(const book *b, const char *text, size_t size) {
    size_t base = 0, end;
    while (base < size && isalpha((unsigned char)text[base]))
        base++;
    if (base == 0 || base + 2 >= size || text[base] != '_') return 0;
    if (text[base + 1] == '<') {
        fprintf(b->out, "<i class=\"m\">%.*s<sub>&lt;%c</sub></i>", (int)base, text,
                text[base + 2]);
        return base + 3;
    }
    if (text[base + 1] != '{') return 0;
    end = base + 2;
    while (end < size && text[end] != '}')
        end++;
    if (end == size) return 0;
    fprintf(b->out, "<i class=\"m\">%.*s<sub>%.*s</sub></i>", (int)base, text,
            (int)(end - base - 2), text + base + 2);
    return end + 1;
}

/* >>name, (eq. 3), `code`, >=: returns how many bytes it has put, 0 if it is none of these. */
static size_t put_reference(const book *b, const char *text, size_t size) {
    if (begins(text, size, ">>")) {
        size_t n = word_size(text + 2, size - 2);
        if (n == 0 || book_section_named(b, text + 2, n) < 0) return 0;
        fprintf(b->out, "<a href=\"#%.*s\">%.*s</a>", (int)n, text + 2, (int)n, text + 2);
        return n + 2;
    }
    if (begins(text, size, "eq. ") && size > 4 && isdigit((unsigned char)text[4])) {
        fprintf(b->out, "<a href=\"#eq%c\">eq.&nbsp;%c</a>", text[4], text[4]);
        return 5;
    }
    if (text[0] == '`') {
        const char *end = (const char *)memchr(text + 1, '`', size - 1);
        if (end == NULL) return 0;
        fputs("<code>", b->out);
        put_escaped(b, text + 1, (size_t)(end - text - 1));
        fputs("</code>", b->out);
        return (size_t)(end - text) + 1;
    }
    if (begins(text, size, " >= ") || begins(text, size, " <= ")) {
        fputs(text[1] == '>' ? " &ge; " : " &le; ", b->out);
        return 4;
    }
    return put_long_subscript(b, text, size);
}

void put_inline(const book *b, const char *text, size_t size) {
    size_t i = 0;
    while (i < size) {
        int inside = i > 0 && is_word((unsigned char)text[i - 1]);
        size_t n = inside ? 0 : put_reference(b, text + i, size - i);
        if (n == 0) {
            n = word_size(text + i, size - i);
            if (n > 0) put_word(b, text + i, n);
        }
        if (n == 0) {
            n = 1;
            put_escaped(b, text + i, 1);
        }
        i += n;
    }
}

/* ---- a comment: paragraphs, lists, and blocks whose columns mean something ---- */
enum { COMMENT_LINES = 400, COMMENT_WIDTH = 256, COLUMNS = 24 };

typedef struct span {
    const char *text;
    size_t size;
    size_t column; /* where it begins in its line */
} span;

/* The line without the marks of a comment and the white space around it. */
static span bare(const line *l) {
    span s;
    const char *p = l->text;
    const char *end = l->text + l->size;
    while (p < end && *p == ' ')
        p++;
    if (end - p >= 2 && p[0] == '/' && p[1] == '*') p += 2;
    else if (p == l->text + 1 && p < end && p[0] == '*') p++;
    if (end - l->text >= 2 && end[-1] == '/' && end[-2] == '*') end -= 2;
    while (p < end && *p == ' ')
        p++;
    while (end > p && end[-1] == ' ')
        end--;
    s.text = p;
    s.size = end > p ? (size_t)(end - p) : 0;
    s.column = (size_t)(p - l->text);
    return s;
}

/* Two blanks at i that do not end a sentence. */
static int is_gap(const span *s, size_t i) {
    if (i == 0 || i + 2 >= s->size || s->text[i] != ' ' || s->text[i + 1] != ' ') return 0;
    return s->text[i + 2] == ' ' || memchr(".:;?!", s->text[i - 1], 5) == NULL;
}

/* The columns of such a line mean something. */
static int is_tabular(const span *s) {
    for (size_t i = 1; i < s->size; i++)
        if (is_gap(s, i)) return 1;
    return 0;
}

static int begins_item(const span *s) {
    size_t digits = 0;
    if (s->size < 3) return 0;
    if (s->text[0] == '-' && s->text[1] == ' ') return 1;
    if (s->text[0] != '(') return 0;
    while (digits + 1 < s->size && isdigit((unsigned char)s->text[digits + 1]))
        digits++;
    return digits > 0 && s->text[digits + 1] == ')';
}

/* The cells of a line: what two blanks or more divide. */
static size_t cells_of(const span *s, span *cells) {
    size_t n = 0, i = 0;
    while (i < s->size && n < COLUMNS) {
        size_t from = i;
        while (i < s->size && !is_gap(s, i))
            i++;
        cells[n].text = s->text + from;
        cells[n].size = i - from;
        cells[n].column = s->column + from;
        n++;
        while (i < s->size && s->text[i] == ' ')
            i++;
    }
    return n;
}

/* The columns at which cells of these lines begin, ascending: those at which a line begins, and
   those that two lines share. */
static size_t column_starts(const span *lines, size_t n, size_t *starts) {
    unsigned char seen[COMMENT_WIDTH] = {0};
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        span cells[COLUMNS];
        size_t n_cells = cells_of(&lines[i], cells);
        for (size_t j = 0; j < n_cells; j++) {
            size_t column = cells[j].column;
            if (column < COMMENT_WIDTH && seen[column] < 2) seen[column]++;
            if (column < COMMENT_WIDTH && j == 0) seen[column] = 2;
        }
    }
    for (size_t column = 0; column < COMMENT_WIDTH && count < COLUMNS; column++)
        if (seen[column] == 2) starts[count++] = column;
    return count;
}

/* The column that begins exactly there, or count. */
static size_t column_index(const size_t *starts, size_t count, size_t column) {
    size_t i = 0;
    while (i < count && starts[i] != column)
        i++;
    return i;
}

static void put_equation_anchor(const book *b, const span *cell) {
    if (is_idea(b, cell->text) && begins(cell->text, cell->size, "(eq. ") && cell->column < 10)
        fprintf(b->out, " id=\"eq%c\"", cell->text[5]);
}

/* Lines whose cells stand below each other, as a grid. */
static void put_table(const book *b, const span *lines, size_t n) {
    size_t starts[COLUMNS + 1];
    size_t count = column_starts(lines, n, starts);
    const char *class = lines[0].text[0] == '#' ? "t code" : "t";
    fprintf(b->out, "<div class=\"%s\" style=\"--n:%zu\">", class, count);
    for (size_t i = 0; i < n; i++) {
        span cells[COLUMNS];
        size_t n_cells = cells_of(&lines[i], cells);
        for (size_t j = 0; j < n_cells; j++) {
            size_t from = column_index(starts, count, cells[j].column);
            size_t to = count;
            for (size_t k = j + 1; k < n_cells && to == count; k++)
                to = column_index(starts, count, cells[k].column);
            if (from < count) {
                fprintf(b->out, "%s<span style=\"grid-area:%zu/%zu/auto/%zu\"",
                        j > 0 ? "</span>" : "", i + 1, from + 1, to + 1);
                put_equation_anchor(b, &cells[j]);
                fputc('>', b->out);
            } else {
                fputs("&emsp;", b->out);
            }
            put_inline(b, cells[j].text, cells[j].size);
        }
        fputs("</span>", b->out);
    }
    fputs("</div>\n", b->out);
}

static void put_paragraph(const book *b, const span *lines, size_t n, int item) {
    fputs(item ? "<p class=\"item\">" : "<p>", b->out);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) fputc(' ', b->out);
        put_inline(b, lines[i].text, lines[i].size);
    }
    fputs("</p>\n", b->out);
}

/* How many lines from the first on make one block; *tabular says of which kind. */
static size_t block_size(const span *lines, size_t n, size_t base, int *tabular) {
    size_t i = 1;
    int item = begins_item(&lines[0]);
    *tabular = !item && (is_tabular(&lines[0]) || lines[0].column > base + 1);
    while (i < n && lines[i].size > 0) {
        int inside = lines[i].column > base + 1;
        if (begins_item(&lines[i])) break;
        if (*tabular && !inside && !is_tabular(&lines[i])) break;
        if (!*tabular && !item && (inside || is_tabular(&lines[i]))) break;
        if (item && lines[i].column <= lines[0].column) break;
        i++;
    }
    return i;
}

/* The lines of one comment, or of several that follow each other. */
void put_comment(const book *b, size_t first, size_t end) {
    span lines[COMMENT_LINES];
    size_t n = 0, base = SIZE_MAX, i = 0;
    for (size_t l = first; l < end && n < COMMENT_LINES; l++) {
        lines[n] = bare(&b->lines[l]);
        if (lines[n].size > 0 && lines[n].column < base) base = lines[n].column;
        n++;
    }
    while (i < n) {
        int tabular;
        size_t count = 1;
        if (lines[i].size > 0) {
            count = block_size(lines + i, n - i, base, &tabular);
            if (tabular) put_table(b, lines + i, count);
            else put_paragraph(b, lines + i, count, begins_item(&lines[i]));
        }
        i += count;
    }
}

/* ---- code ---- */
static int is_keyword(const token *t) {
    static const char *const words[] = {
        "break",  "case",   "char",     "const",  "continue", "default", "do",     "double",
        "else",   "enum",   "extern",   "float",  "for",      "goto",    "if",     "int",
        "long",   "return", "short",    "signed", "sizeof",   "static",  "struct", "switch",
        "typedef", "union", "unsigned", "void",   "while",    "size_t",  "int32_t", "uint8_t",
        "uint16_t", "uint32_t", "uint64_t", "int64_t"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (equals(t->text, t->size, words[i])) return 1;
    return 0;
}

/* A name leads to its definition; where it is defined, to its declaration if there is one. */
static void put_code_name(const book *b, const token *t, const name *n) {
    size_t target = n->definition;
    int here = n->definition == t->line || n->declaration == t->line;
    if (n->definition == t->line && n->declaration > 0) target = n->declaration;
    fprintf(b->out, "<a class=\"%s\" href=\"#L%zu\">", here ? "d" : "n", target);
    put_escaped(b, t->text, t->size);
    fputs("</a>", b->out);
}

static void put_token(const book *b, const token *t) {
    const char *class = NULL;
    if (t->kind == TOKEN_WORD) {
        const name *n = book_name(b, t->text, t->size);
        if (n != NULL) {
            put_code_name(b, t, n);
            return;
        }
        if (is_keyword(t)) class = "k";
    }
    if (t->kind == TOKEN_COMMENT) class = "c";
    if (t->kind == TOKEN_STRING) class = "s";
    if (t->kind == TOKEN_NUMBER) class = "u";
    if (class != NULL) fprintf(b->out, "<span class=\"%s\">", class);
    put_escaped(b, t->text, t->size);
    if (class != NULL) fputs("</span>", b->out);
}

void put_code_line(const book *b, size_t number) {
    size_t end = b->lines[number + 1].first_token;
    const char *class = b->lines[number].is_directive ? "l p" : "l";
    fprintf(b->out, "<span class=\"%s\" id=\"L%zu\">", class, number);
    fprintf(b->out, "<a href=\"#L%zu\">%zu</a>", number, number);
    for (size_t i = b->lines[number].first_token; i < end; i++)
        put_token(b, &b->tokens[i]);
    fputs("\n</span>", b->out);
}
