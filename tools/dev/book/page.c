/* page.c: the page, from its title to the licence. */
#include "book.h"
#include <stdlib.h>
#include <string.h>

static void put(const book *b, const char *html) {
    fputs(html, b->out);
}

static void put_style(const book *b, const char *path) {
    char bytes[4096];
    size_t n;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "book: cannot open %s\n", path);
        exit(1);
    }
    put(b, "<style>\n");
    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
        fwrite(bytes, 1, n, b->out);
    put(b, "</style>\n");
    fclose(file);
}

static const section *section_named(const book *b, const char *text) {
    int i = book_section_named(b, text, strlen(text));
    return i < 0 ? NULL : &b->sections[i];
}

/* ---- rows: a comment and the code below it become neighbours ---- */
static int is_empty(const book *b, size_t number) {
    return b->lines[number].kind == LINE_EMPTY;
}

static void put_code(const book *b, size_t first, size_t end) {
    while (first < end && is_empty(b, first))
        first++;
    while (end > first && is_empty(b, end - 1))
        end--;
    if (first == end) return;
    put(b, "<pre>");
    for (size_t i = first; i < end; i++)
        put_code_line(b, i);
    put(b, "</pre>");
}

static int has_code(const book *b, size_t first, size_t end) {
    while (first < end && is_empty(b, first))
        first++;
    return first < end;
}

/* The comment's lines are first to code - 1, those of its code are code to end - 1. */
static void put_row(const book *b, size_t first, size_t code, size_t end) {
    if (!has_code(b, code, end)) {
        if (first == code) return;
        fprintf(b->out, "<div class=\"w\" id=\"L%zu\">", first);
        put_comment(b, first, code);
        put(b, "</div>\n");
        return;
    }
    put(b, b->lines[code].text[0] == ' ' ? "<div class=\"r in\">" : "<div class=\"r\">");
    if (first < code) {
        fprintf(b->out, "<div class=\"x\" id=\"L%zu\"><div>", first);
        put_comment(b, first, code);
        put(b, "</div></div>");
    } else {
        put(b, "<div class=\"x\"></div>");
    }
    put_code(b, code, end);
    put(b, "</div>\n");
}

/* A border between parts of the file: ======= text =======.  Returns 1 if this line is one. */
static int put_border(const book *b, size_t number) {
    const line *l = &b->lines[number];
    const char *text = l->text + 3;
    const char *end = l->text + l->size;
    if (l->size < 20 || memcmp(l->text, "/* ======", 9) != 0) return 0;
    while (text < end && (*text == '=' || *text == ' '))
        text++;
    while (end > text && memchr("=*/ ", end[-1], 4) != NULL)
        end--;
    if (text == end || *text == '>') return 0;
    fprintf(b->out, "<p class=\"border\" id=\"L%zu\">", number);
    put_escaped(b, text, (size_t)(end - text));
    put(b, "</p>\n");
    return 1;
}

/* A comment of the form: ---- title ----.  Returns 1 if this line is one. */
static int put_heading(const book *b, size_t number) {
    const line *l = &b->lines[number];
    const char *title = "/* ---- ";
    size_t n = strlen(title);
    const char *text = l->text + n;
    size_t size;
    if (put_border(b, number)) return 1;
    if (l->size <= n || memcmp(l->text, title, n) != 0) return 0;
    size = l->size - n;
    for (size_t i = 0; i + 5 <= size; i++)
        if (memcmp(text + i, " ----", 5) == 0) size = i;
    fprintf(b->out, "<h3 id=\"L%zu\">", number);
    put_inline(b, text, size);
    put(b, "</h3>\n");
    return 1;
}

/* The end of a comment that begins at this line. */
static size_t comment_end(const book *b, size_t number, size_t end) {
    size_t i = number + 1;
    while (i < end && b->lines[i].kind == LINE_COMMENT && !b->lines[i].begins_comment)
        i++;
    return i;
}

static void put_rows(const book *b, size_t first, size_t end) {
    size_t i = first;
    while (i < end) {
        size_t comment = i, code, stop;
        if (is_empty(b, i)) {
            i++;
            continue;
        }
        code = i;
        if (b->lines[i].kind == LINE_COMMENT) {
            code = comment_end(b, i, end);
            if (put_heading(b, i)) comment++;
            while (code < end && b->lines[code].kind == LINE_COMMENT && !put_heading(b, code))
                code = comment_end(b, code, end);
        }
        stop = code;
        while (stop < end && b->lines[stop].kind != LINE_COMMENT)
            stop++;
        put_row(b, comment, code, stop);
        i = stop;
    }
}

/* ---- a section ---- */
static void put_uses(const book *b, int which, const char *words, int used_by) {
    int first = 1;
    for (int i = 0; i < b->n_sections; i++) {
        const section *user = &b->sections[used_by ? i : which];
        int used = used_by ? which : i;
        if (i == which || b->sections[i].number == 0 || user->uses[used] == 0) continue;
        fprintf(b->out, "%s<a href=\"#%s\">%s</a>", first ? words : ", ", b->sections[i].name,
                b->sections[i].name);
        first = 0;
    }
    if (!first) put(b, "</span>");
}

static void put_facts(const book *b, int which) {
    const section *s = &b->sections[which];
    put(b, "<p class=\"facts\">");
    if (s->may_not_size > 0) {
        put(b, "<span>may not <b>");
        put_escaped(b, s->may_not, s->may_not_size);
        put(b, "</b></span>");
    }
    put_uses(b, which, "<span>uses ", 0);
    put_uses(b, which, "<span>used by ", 1);
    fprintf(b->out, "<span>%zu lines, %zu tokens</span></p>\n", s->end - s->first, s->tokens);
}

static void put_section(const book *b, int which) {
    const section *s = &b->sections[which];
    size_t intro = s->first + 1;
    size_t body = comment_end(b, s->first, s->end);
    fprintf(b->out, "<section id=\"%s\">\n<h2 id=\"L%zu\">", s->name, s->first);
    if (s->number > 0) fprintf(b->out, "<small>%d</small> ", s->number);
    fprintf(b->out, "<a href=\"#%s\">%s</a></h2>\n", s->name, s->name);
    if (s->number > 0) put_facts(b, which);
    put(b, "<div class=\"w\">");
    put_comment(b, intro, body);
    put(b, "</div>\n");
    put_rows(b, body, s->end);
    put(b, "</section>\n");
}

/* ---- the head of the page ---- */
static void put_contents(const book *b) {
    put(b, "<table class=\"contents\">\n");
    for (int i = 0; i < b->n_sections; i++) {
        const section *s = &b->sections[i];
        if (s->holds == NULL) continue;
        put(b, "<tr><td>");
        if (s->number > 0) fprintf(b->out, "%d", s->number);
        fprintf(b->out, "</td><th><a href=\"#%s\">%s</a></th><td>", s->name, s->name);
        put_inline(b, s->holds, s->holds_size);
        put(b, "</td></tr>\n");
    }
    put(b, "</table>\n");
}

static void put_menu(const book *b) {
    put(b, "<nav><details><summary>slm.h</summary><div>");
    put(b, "<a href=\"#top\">top</a>");
    for (int i = 0; i < b->n_sections; i++) {
        const section *s = &b->sections[i];
        if (s->holds == NULL && strcmp(s->name, "licence") != 0) continue;
        fprintf(b->out, "<a href=\"#%s\">", s->name);
        if (s->number > 0) fprintf(b->out, "<small>%d</small> ", s->number);
        fprintf(b->out, "%s</a>", s->name);
    }
    put(b, "</div></details></nav>\n");
}

static void put_head(const book *b) {
    const section *head = &b->sections[0];
    const line *title = &b->lines[1];
    const char *colon = (const char *)memchr(title->text, ':', title->size);
    put(b, "<header id=\"top\"><h1>slm.h</h1>\n<p class=\"sub\">");
    if (colon != NULL) {
        const char *end = title->text + title->size;
        put_escaped(b, colon + 2, (size_t)(end - colon) - 2);
    }
    put(b, "</p>\n<div class=\"w\">");
    put_comment(b, head->first + 1, head->end);
    put(b, "</div></header>\n<main>\n");
    put(b, "<section id=\"contents\"><h2>contents</h2>\n<div class=\"map\">\n");
    put_contents(b);
    put(b, "<figure>");
    put_figure(b);
    put(b, "<figcaption>An arc leads from a section up to each section whose names it uses; the "
           "more often, the broader. The discs are as large as the sections. Nothing leads down: a "
           "section uses only what stands above it.</figcaption></figure>\n</div></section>\n");
}

/* The idea is a part of the file's first comment, with no code of its own. */
static void put_idea(const book *b) {
    const section *s = section_named(b, "idea");
    size_t end;
    if (s == NULL) return;
    end = s->first + 1;
    while (end < s->end && b->lines[end].kind == LINE_COMMENT)
        end++;
    fprintf(b->out, "<section id=\"idea\"><h2 id=\"L%zu\"><a href=\"#idea\">idea</a></h2>\n",
            s->first);
    put(b, "<div class=\"w idea\">");
    put_comment(b, s->first + 1, end);
    put(b, "</div>\n");
    put_rows(b, end, s->end);
    put(b, "</section>\n");
}

void put_page(const book *b, const char *style_path) {
    put(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    put(b, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    put(b, "<meta name=\"color-scheme\" content=\"light dark\">\n");
    put(b, "<link rel=\"icon\" href=\"data:,\">\n<title>slm.h, annotated</title>\n");
    put_style(b, style_path);
    put(b, "</head>\n<body>\n");
    put_menu(b);
    put_head(b);
    put_idea(b);
    for (int i = 0; i < b->n_sections; i++) {
        const char *called = b->sections[i].name;
        int special = strcmp(called, "head") == 0 || strcmp(called, "contents") == 0;
        if (!special && strcmp(called, "idea") != 0) put_section(b, i);
    }
    put(b, "</main>\n</body>\n</html>\n");
}
