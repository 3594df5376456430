/* page.c: the HTML of a report. */
#include <string.h>
#include "assets.h"
#include "common/text.h"
#include "heatmap.h"
#include "page.h"

/* ---- text ---- */
/* Escaped text in which `this` becomes <code>. */
static void put_inline(FILE *out, const char *text, size_t n) {
    const char *end = text + n;
    while (text < end) {
        const char *open = (const char *)memchr(text, '`', (size_t)(end - text));
        const char *close = NULL;
        if (open != NULL) close = (const char *)memchr(open + 1, '`', (size_t)(end - open - 1));
        if (close == NULL) {
            escape_markup_n(out, text, (size_t)(end - text));
            return;
        }
        escape_markup_n(out, text, (size_t)(open - text));
        fputs("<code>", out);
        escape_markup_n(out, open + 1, (size_t)(close - open - 1));
        fputs("</code>", out);
        text = close + 1;
    }
}

/* <tag class="name">text</tag>, or nothing for NULL. */
static void put_element(FILE *out, const char *tag, const char *name, const char *text) {
    if (text == NULL) return;
    if (*name == '\0')
        fprintf(out, "<%s>", tag);
    else
        fprintf(out, "<%s class=\"%s\">", tag, name);
    put_inline(out, text, strlen(text));
    fprintf(out, "</%s>\n", tag);
}

void page_text(page *p, const char *text) {
    while (text != NULL && *text != '\0') {
        const char *blank = strstr(text, "\n\n");
        size_t size = blank == NULL ? strlen(text) : (size_t)(blank - text);
        fputs("<p>", p->out);
        put_inline(p->out, text, size);
        fputs("</p>\n", p->out);
        text += size;
        text += strspn(text, "\n");
    }
}

void page_code(page *p, const char *text) {
    fputs("<pre>", p->out);
    escape_markup(p->out, text);
    fputs("</pre>\n", p->out);
}

void page_list_begin(page *p) {
    fputs("<ul>\n", p->out);
}

void page_list_item(page *p, const char *text) {
    fputs("<li>", p->out);
    put_inline(p->out, text, strlen(text));
    fputs("</li>\n", p->out);
}

void page_list_end(page *p) {
    fputs("</ul>\n", p->out);
}

/* ---- the page ---- */
void page_begin(page *p, FILE *out, const char *title, const char *lede, const char *facts) {
    memset(p, 0, sizeof *p);
    p->out = out;
    heatmap_page_head(out, title);
    fputs("<style>\n", out);
    heatmap_asset(out, page_css);
    fputs("</style>\n", out);
    heatmap_style(out);
    fputs("</head>\n<body>\n<div class=\"r-page\">\n<main class=\"r-main\">\n<header id=\"top\">\n",
          out);
    put_element(out, "h1", "", title);
    put_element(out, "p", "r-lede", lede);
    put_element(out, "p", "r-facts", facts);
    fputs("</header>\n", out);
}

static void put_term(page *p, const char *term, const char *text) {
    if (text != NULL) fprintf(p->out, "<dt>%s</dt>", term);
    put_element(p->out, "dd", "", text);
}

void page_claim(page *p, const page_finding *finding) {
    static const struct {
        const char *words, *look, *sign;
    } verdicts[] = {{"holds", "r-holds", "\xE2\x9C\x93"},
                    {"does not hold", "r-fails", "\xE2\x9C\x95"},
                    {"holds when \xE2\x80\xA6", "r-depends", "\xE2\x97\x90"},
                    {"open", "r-open", "\xE2\x97\x8B"}};

    const char *words = finding->words;
    if (words == NULL) words = verdicts[finding->verdict].words;
    fprintf(p->out, "<article class=\"r-claim\">\n<div>\n<span class=\"r-badge %s\">%s ",
            verdicts[finding->verdict].look, verdicts[finding->verdict].sign);
    escape_markup(p->out, words);
    fputs("</span>\n", p->out);
    if (finding->beside != NULL) {
        fprintf(p->out, "<span class=\"r-badge r-beside %s\">",
                verdicts[finding->beside_verdict].look);
        escape_markup(p->out, finding->beside);
        fputs("</span>\n", p->out);
    }
    fputs("</div>\n<div>\n", p->out);
    put_element(p->out, "h3", "", finding->claim);
    page_text(p, finding->found);
    fputs("<dl>\n", p->out);
    put_term(p, "In the paper", finding->paper);
    put_term(p, "False if", finding->falsifier);
    fputs("</dl>\n</div>\n</article>\n", p->out);
}

void page_section(page *p, const char *title, const char *intro) {
    if (p->sections < PAGE_LISTED_SECTIONS)
        snprintf(p->titles[p->sections], sizeof p->titles[0], "%s", title);
    fprintf(p->out, "<h2 id=\"s%d\">", ++p->sections);
    escape_markup(p->out, title);
    fputs("</h2>\n", p->out);
    page_text(p, intro);
}

void page_subtitle(page *p, const char *title) {
    put_element(p->out, "h3", "", title);
}

/* ---- tables ---- */
/* Whether a cell begins like a number, or is empty or a dash. */
static int is_number(const char *cell) {
    return cell == NULL || *cell == '\0' || strchr("0123456789+-.<>", *cell) != NULL ||
           strncmp(cell, "\xE2\x88\x92", 3) == 0 || strcmp(cell, "\xE2\x80\x93") == 0;
}

static int is_number_column(const char *const *cells, size_t rows, size_t cols, size_t column) {
    for (size_t i = 0; i < rows; i++)
        if (!is_number(cells[i * cols + column])) return 0;
    return rows > 0;
}

/* The caption is not a <caption>: beside a wide table that would scroll out of sight on a phone. */
void page_table(page *p, const char *caption, const char *const *header, size_t cols,
                const char *const *cells, size_t rows) {
    put_element(p->out, "p", "r-caption", caption);
    fputs("<div class=\"r-scroll\" tabindex=\"0\" role=\"group\"><table>\n", p->out);
    for (size_t i = 0; i <= rows; i++) {
        const char *const *row = i == 0 ? header : cells + (i - 1) * cols;
        fputs(i == 0 ? "<thead><tr>" : "<tr>", p->out);
        for (size_t j = 0; j < cols; j++) {
            const char *look = is_number_column(cells, rows, cols, j) ? "r-num" : "";
            const char *cell = row[j] == NULL ? "" : row[j];
            put_element(p->out, i == 0 ? "th" : "td", look, cell);
        }
        fputs(i == 0 ? "</tr></thead>\n<tbody>\n" : "</tr>\n", p->out);
    }
    fputs("</tbody></table></div>\n", p->out);
    p->tables++;
}

/* ---- figures ---- */
enum { PHONE_WIDTH = 354 }; /* pixels of text on a phone of 390 */

void page_figure(page *p, page_draw *draw, const void *user, const char *caption,
                 const char *command, const char *csv) {
    ++p->figures;
    fprintf(p->out, "<figure id=\"f%d\"><div class=\"r-wide\">\n", p->figures);
    draw(p->out, 0, user);
    fputs("</div>\n<div class=\"r-narrow\">\n", p->out);
    draw(p->out, PHONE_WIDTH, user);
    fprintf(p->out, "</div>\n<figcaption><p><b>Figure %d.</b> ", p->figures);
    if (caption != NULL) put_inline(p->out, caption, strlen(caption));
    if (csv != NULL) {
        fputs(" Numbers: <code>", p->out);
        escape_markup(p->out, csv);
        fputs("</code>.", p->out);
    }
    fputs("</p>\n", p->out);
    if (command != NULL) {
        fputs("<span class=\"r-command\">", p->out);
        escape_markup(p->out, command);
        fputs("</span>\n", p->out);
    }
    fputs("</figcaption></figure>\n", p->out);
}

void page_details_begin(page *p, const char *summary) {
    fputs("<details>\n", p->out);
    put_element(p->out, "summary", "", summary);
}

void page_details_end(page *p) {
    fputs("</details>\n", p->out);
}

int page_heatmaps(page *p, const heatmap_text *texts, size_t n) {
    return heatmap_fragment(p->out, texts, n);
}

/* The contents come last in the file, when the sections are known; the style puts them to the left
   of the page. */
void page_end(page *p, const char *colophon) {
    put_element(p->out, "footer", "", colophon);
    fputs("</main>\n<nav class=\"r-nav\" aria-label=\"contents\"><ol>\n"
          "<li><a href=\"#top\">Verdict</a></li>\n",
          p->out);
    for (int i = 0; i < p->sections && i < PAGE_LISTED_SECTIONS; i++) {
        fprintf(p->out, "<li><a href=\"#s%d\">", i + 1);
        escape_markup(p->out, p->titles[i]);
        fputs("</a></li>\n", p->out);
    }
    fputs("</ol></nav>\n</div>\n<script>\n", p->out);
    heatmap_asset(p->out, page_js);
    fputs("</script>\n</body>\n</html>\n", p->out);
}
