/* page.h: a report as one self-contained HTML page: verdicts first, then tables, figures, settings
 * and heat maps.
 *
 *     page p;
 *     page_begin(&p, out, "Does it hold at laptop scale?", "One sentence.", "5 seeds; 94 minutes");
 *     page_claim(&p, &claim);
 *     page_section(&p, "Tokens to the same loss", "What was measured.");
 *     page_figure(&p, draw_my_figure, &my_data, "Caption.", "make repro", "curves.csv");
 *     page_heatmaps(&p, texts, n);
 *     page_end(&p, "Made by slm.h 0.1.0.");
 *
 * It needs no network and no external script, and reads well on a phone, in the dark and on paper.
 * Every text is escaped; `code` goes in backticks, and a blank line begins a new paragraph.  NULL
 * leaves a part out.  Whether writing worked is ferror's to say. */
#ifndef PAGE_H
#define PAGE_H
#include <stddef.h>
#include <stdio.h>

struct heatmap_text; /* heatmap.h */

enum { PAGE_LISTED_SECTIONS = 48 }; /* more are printed, but not listed in the contents */

typedef struct page {
    FILE *out;
    int sections, figures, tables;
    char titles[PAGE_LISTED_SECTIONS][80];
} page;

typedef enum page_verdict { PAGE_HOLDS, PAGE_FAILS, PAGE_DEPENDS, PAGE_OPEN } page_verdict;

typedef struct page_finding {
    page_verdict verdict;
    const char *words;     /* NULL: "holds", "does not hold", "holds when ...", "open" */
    const char *claim;     /* what is claimed */
    const char *found;     /* what was found */
    const char *paper;     /* the paper's number */
    const char *falsifier; /* what would have shown it to be false */
    const char *beside;    /* a second, smaller badge, "uncorrected: holds"; NULL: none */
    page_verdict beside_verdict; /* its look */
} page_finding;

void page_begin(page *p, FILE *out, const char *title, const char *lede, const char *facts);
void page_claim(page *p, const page_finding *finding);
void page_section(page *p, const char *title, const char *intro);
void page_subtitle(page *p, const char *title);
void page_text(page *p, const char *text);

void page_list_begin(page *p);
void page_list_item(page *p, const char *text);
void page_list_end(page *p);

/* header (cols), cells (rows x cols); a column of numbers is set to the right. */
void page_table(page *p, const char *caption, const char *const *header, size_t cols,
                const char *const *cells, size_t rows);

/* Writes one SVG of that width (figure.h; 0: the usual one) to a file. */
typedef void page_draw(FILE *out, double width, const void *user);

/* The figure is drawn twice, for wide screens and for phones, and the page shows the one that fits.
   command: what makes the figure; csv: where its numbers are. */
void page_figure(page *p, page_draw *draw, const void *user, const char *caption,
                 const char *command, const char *csv);

/* Writes commands or settings as they are. */
void page_code(page *p, const char *text);

/* What comes between the two is folded away until it is asked for. */
void page_details_begin(page *p, const char *summary);
void page_details_end(page *p);

/* Returns 0, or 1 if there was no memory. */
int page_heatmaps(page *p, const struct heatmap_text *texts, size_t n);

void page_end(page *p, const char *colophon);
#endif
