/* report.h: a report as one self-contained HTML page: verdicts first, then tables, figures, settings, and the token view.
 *
 *     report r;
 *     report_begin(&r, out, "Does it hold at laptop scale?", "One sentence.", "5 seeds; 2 cores; 94 minutes");
 *     report_claim(&r, REPORT_HOLDS, NULL, "SLM is 5 times sooner", "3.5x [3.1, 3.9]", "10x", "an interval that reaches below 3x");
 *     report_section(&r, "Tokens to the same loss", "What was measured.");
 *     report_figure_begin(&r);   figure_lines(r.out, ...);   report_figure_end(&r, "Caption.", "make repro", "curves.csv");
 *     report_views(&r, texts, n);
 *     report_end(&r, "Made by slm.h 0.1.0.");
 *
 * No network, no external script; readable on a phone, in the dark and on paper.  Every text is escaped; `code` stands in
 * backticks, a blank line begins a new paragraph.  NULL leaves a part out.  Whether writing worked is ferror's to say. */
#ifndef REPORT_H
#define REPORT_H
#include "figure.h"
#include "report_assets.h"
#include "view.h"

#define REPORT_SECTIONS 48 /* more are printed, but not listed in the contents */

typedef struct report {
    FILE *out;
    int sections, figures, tables;
    char titles[REPORT_SECTIONS][80];
} report;

typedef enum report_verdict {
    REPORT_HOLDS,
    REPORT_FAILS,
    REPORT_DEPENDS,
    REPORT_OPEN
} report_verdict;

static inline void report_begin(report *r, FILE *out, const char *title, const char *lede,
                                const char *facts);
/* One claim: the words of its verdict (NULL: "holds", "does not hold", "holds when ...", "open"), the claim, what was found,
   the paper's number, and what would have shown it to be false. */
static inline void report_claim(report *r, report_verdict verdict, const char *words,
                                const char *claim, const char *found, const char *paper,
                                const char *falsifier);
static inline void report_section(report *r, const char *title, const char *intro);
static inline void report_text(report *r, const char *text);
/* header (cols), cells (rows x cols); a column of numbers is set to the right. */
static inline void report_table(report *r, const char *caption, const char *const *header,
                                size_t cols, const char *const *cells, size_t rows);
/* Between the two write one SVG to r->out.  command: what makes the figure; csv: where its numbers are. */
static inline void report_figure_begin(report *r);
static inline void report_figure_end(report *r, const char *caption, const char *command,
                                     const char *csv);
static inline void report_figure(report *r, const char *svg, const char *caption,
                                 const char *command, const char *csv); /* an SVG at hand */
static inline void report_code(report *r, const char *text); /* commands, settings: as they are */
static inline void report_details_begin(report *r,
                                        const char *summary); /* folded away until asked for */
static inline void report_details_end(report *r);
static inline int report_views(report *r, const view_text *texts,
                               size_t n); /* 0, or 1 if there was no memory */
static inline void report_end(report *r, const char *colophon);

/* ---- text ---- */
static inline void report__lines(FILE *out, const char *const *lines) {
    for (; *lines != NULL; lines++) {
        fputs(*lines, out);
    }
}

/* Escaped text in which `this` becomes <code>. */
static inline void report__inline(FILE *out, const char *text, size_t n) {
    for (size_t i = 0, end; i < n; i = end) {
        const char *tick = (const char *)memchr(text + i, '`', n - i);
        const char *close =
            tick == NULL ? NULL
                         : (const char *)memchr(tick + 1, '`', n - (size_t)(tick + 1 - text));
        end = close == NULL ? n : (size_t)(close + 1 - text);
        escape_markup_n(out, text + i, close == NULL ? n - i : (size_t)(tick - text) - i);
        if (close == NULL) {
            return;
        }
        fputs("<code>", out);
        escape_markup_n(out, tick + 1, (size_t)(close - tick - 1));
        fputs("</code>", out);
    }
}

/* <tag class="name">text</tag>, or nothing for NULL. */
static inline void report__element(FILE *out, const char *tag, const char *name, const char *text) {
    if (text == NULL) {
        return;
    }
    fprintf(out, *name == '\0' ? "<%s>" : "<%s class=\"%s\">", tag, name);
    report__inline(out, text, strlen(text));
    fprintf(out, "</%s>\n", tag);
}

static inline void report_text(report *r, const char *text) {
    while (text != NULL && *text != '\0') {
        const char *blank = strstr(text, "\n\n");
        size_t size = blank == NULL ? strlen(text) : (size_t)(blank - text);
        fputs("<p>", r->out);
        report__inline(r->out, text, size);
        fputs("</p>\n", r->out);
        text += size;
        text += strspn(text, "\n");
    }
}

static inline void report_code(report *r, const char *text) {
    fputs("<pre>", r->out);
    escape_markup(r->out, text);
    fputs("</pre>\n", r->out);
}

/* ---- the page ---- */
static inline void report_begin(report *r, FILE *out, const char *title, const char *lede,
                                const char *facts) {
    memset(r, 0, sizeof *r);
    r->out = out;
    view__head(out, title);
    fputs("<style>\n", out);
    report__lines(out, report_css);
    fputs("</style>\n", out);
    view_style(out);
    fputs("</head>\n<body>\n<div class=\"r-page\">\n<main class=\"r-main\">\n<header id=\"top\">\n",
          out);
    report__element(out, "h1", "", title);
    report__element(out, "p", "r-lede", lede);
    report__element(out, "p", "r-facts", facts);
    fputs("</header>\n", out);
}

static inline void report_claim(report *r, report_verdict verdict, const char *words,
                                const char *claim, const char *found, const char *paper,
                                const char *falsifier) {
    static const char *const names[] = {"holds", "does not hold", "holds when \xE2\x80\xA6",
                                        "open"};
    static const char *const looks[] = {"r-holds", "r-fails", "r-depends", "r-open"};
    static const char *const signs[] = {"\xE2\x9C\x93", "\xE2\x9C\x95", "\xE2\x97\x90",
                                        "\xE2\x97\x8B"}; /* check, cross, half, empty */
    fprintf(r->out, "<article class=\"r-claim\">\n<span class=\"r-badge %s\">%s ", looks[verdict],
            signs[verdict]);
    escape_markup(r->out, words != NULL ? words : names[verdict]);
    fputs("</span>\n<div>\n", r->out);
    report__element(r->out, "h3", "", claim);
    report_text(r, found);
    fputs("<dl>\n", r->out);
    if (paper != NULL) {
        fputs("<dt>In the paper</dt>", r->out);
    }
    report__element(r->out, "dd", "", paper);
    if (falsifier != NULL) {
        fputs("<dt>False if</dt>", r->out);
    }
    report__element(r->out, "dd", "", falsifier);
    fputs("</dl>\n</div>\n</article>\n", r->out);
}

static inline void report_section(report *r, const char *title, const char *intro) {
    if (r->sections < REPORT_SECTIONS) {
        snprintf(r->titles[r->sections], sizeof r->titles[0], "%s", title);
    }
    fprintf(r->out, "<h2 id=\"s%d\">", ++r->sections);
    escape_markup(r->out, title);
    fputs("</h2>\n", r->out);
    report_text(r, intro);
}

/* A cell that begins like a number, or is empty or a dash. */
static inline int report__is_number(const char *cell) {
    return cell == NULL || *cell == '\0' || strchr("0123456789+-.<>", *cell) != NULL ||
           strncmp(cell, "\xE2\x88\x92", 3) == 0 || strcmp(cell, "\xE2\x80\x93") == 0;
}

static inline void report_table(report *r, const char *caption, const char *const *header,
                                size_t cols, const char *const *cells, size_t rows) {
    report__element(
        r->out, "p", "r-caption",
        caption); /* not <caption>: beside a wide table it would scroll out of sight on a phone */
    fputs("<div class=\"r-scroll\" tabindex=\"0\" role=\"group\"><table>\n", r->out);
    for (size_t i = 0; i <= rows; i++) {
        fputs(i == 0 ? "<thead><tr>" : "<tr>", r->out);
        for (size_t j = 0; j < cols; j++) {
            int number = rows > 0;
            for (size_t k = 0; k < rows && number; k++) {
                number = report__is_number(cells[k * cols + j]);
            }
            const char *cell = i == 0 ? header[j] : cells[(i - 1) * cols + j];
            report__element(r->out, i == 0 ? "th" : "td", number ? "r-num" : "",
                            cell == NULL ? "" : cell);
        }
        fputs(i == 0 ? "</tr></thead>\n<tbody>\n" : "</tr>\n", r->out);
    }
    fputs("</tbody></table></div>\n", r->out);
    r->tables++;
}

static inline void report_figure_begin(report *r) {
    ++r->figures;
    fprintf(r->out,
            "<figure id=\"f%d\"><div class=\"r-wide\" tabindex=\"0\" role=\"group\" "
            "aria-label=\"figure %d\">\n",
            r->figures, r->figures);
}

static inline void report_figure_end(report *r, const char *caption, const char *command,
                                     const char *csv) {
    fprintf(r->out, "</div>\n<figcaption><p><b>Figure %d.</b> ", r->figures);
    report__inline(r->out, caption == NULL ? "" : caption, caption == NULL ? 0 : strlen(caption));
    if (csv != NULL) {
        fputs(" Numbers: <code>", r->out);
        escape_markup(r->out, csv);
        fputs("</code>.", r->out);
    }
    fputs("</p>\n", r->out);
    if (command != NULL) {
        fputs("<span class=\"r-command\">", r->out);
        escape_markup(r->out, command);
        fputs("</span>\n", r->out);
    }
    fputs("</figcaption></figure>\n", r->out);
}

static inline void report_figure(report *r, const char *svg, const char *caption,
                                 const char *command, const char *csv) {
    report_figure_begin(r);
    fputs(svg, r->out);
    report_figure_end(r, caption, command, csv);
}

static inline void report_details_begin(report *r, const char *summary) {
    fputs("<details>\n", r->out);
    report__element(r->out, "summary", "", summary);
}

static inline void report_details_end(report *r) {
    fputs("</details>\n", r->out);
}

static inline int report_views(report *r, const view_text *texts, size_t n) {
    return view_fragment(r->out, texts, n);
}

/* The contents come last in the file, when the sections are known; the style puts them to the left of the page. */
static inline void report_end(report *r, const char *colophon) {
    report__element(r->out, "footer", "", colophon);
    fputs("</main>\n<nav class=\"r-nav\" aria-label=\"contents\"><ol>\n<li><a "
          "href=\"#top\">Verdict</a></li>\n",
          r->out);
    for (int i = 0; i < r->sections && i < REPORT_SECTIONS; i++) {
        fprintf(r->out, "<li><a href=\"#s%d\">", i + 1);
        escape_markup(r->out, r->titles[i]);
        fputs("</a></li>\n", r->out);
    }
    fputs("</ol></nav>\n</div>\n<script>\n", r->out);
    report__lines(r->out, report_js);
    fputs("</script>\n</body>\n</html>\n", r->out);
}
#endif
