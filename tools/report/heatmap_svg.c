/* heatmap_svg.c: the heat map as a picture: the first lines of a text, what is kept on colour, the
 * rest grey. */
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "heatmap.h"

/* As wide as a phone's page.  A column is as wide as a character of that size in most fixed-width
 * fonts; textLength holds the others to it. */
enum { COLUMNS = 54, MAX_LINES = 24, TAB = 4 };

#define WIDTH 390.0
#define EDGE 16.0
#define COLUMN_WIDTH ((WIDTH - 2 * EDGE) / COLUMNS)
#define LINE_HEIGHT 17.0
#define TEXT_TOP 62.0

static const char style[] =
    "<style>.k { fill: #fbd5ae } .i { fill: #1f2328 } .d { fill: #7b858f }"
    " @media (prefers-color-scheme: dark) { .b { fill: #14171b } .k { fill: #7a4a14 }"
    " .i { fill: #e8eaed } .d { fill: #8d97a2 } }</style>\n";

/* Where the next character goes. */
typedef struct pen {
    FILE *out; /* NULL: only measures */
    int line, column;
} pen;

/* Writes characters of one token that lie in one line. */
static void put_piece(const pen *p, const char *text, size_t size, int columns, int is_kept) {
    double x = EDGE + p->column * COLUMN_WIDTH;
    double y = TEXT_TOP + p->line * LINE_HEIGHT;
    double width = columns * COLUMN_WIDTH;
    if (p->out == NULL || p->line >= MAX_LINES || columns == 0) return;
    if (is_kept) {
        fprintf(p->out, "<rect class=\"k\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"15\"/>\n",
                x, y - 11.5, width);
    }
    if (strspn(text, " ") >= size) return;
    fprintf(p->out,
            "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" textLength=\"%.1f\" "
            "lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\">",
            is_kept ? "i" : "d", x, y, width);
    escape_markup_n(p->out, text, size);
    fputs("</text>\n", p->out);
}

static void next_line(pen *p) {
    p->line++;
    p->column = 0;
}

/* A byte that continues a character is no column of its own. */
static int columns_of(const char *text, size_t size) {
    int n = 0;
    for (size_t i = 0; i < size; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80) n++;
    }
    return n;
}

/* Writes one token, broken at line ends and at the last column. */
static void put_token(pen *p, const char *text, size_t size, int is_kept) {
    size_t first = 0;
    for (size_t i = 0; i <= size; i++) {
        int used = columns_of(text + first, i - first);
        int is_break = i == size || text[i] == '\n' || text[i] == '\t' || text[i] == '\r';
        int is_full = p->column + used == COLUMNS && ((unsigned char)text[i] & 0xC0) != 0x80;
        if (!is_break && !is_full) continue;
        put_piece(p, text + first, i - first, used, is_kept);
        p->column += used;
        first = i;
        if (i == size) return;
        if (text[i] == '\n' || is_full) next_line(p);
        if (text[i] == '\t') p->column += TAB;
        if (is_break) first = i + 1;
    }
}

static void put_tokens(pen *p, const heatmap_text *t, const size_t *rank, size_t n_kept) {
    for (size_t i = 0; i < t->n; i++)
        put_token(p, t->bytes + t->start[i], t->start[i + 1] - t->start[i], rank[i] < n_kept);
}

int heatmap_svg(FILE *out, const heatmap_text *t) {
    size_t *rank = (size_t *)malloc((t->n + 1) * sizeof *rank);
    size_t n_kept = 0;
    if (rank == NULL || heatmap_rank(rank, &n_kept, t)) {
        free(rank);
        return 1;
    }
    pen measure = {NULL, 0, 0};
    pen p = {out, 0, 0};
    put_tokens(&measure, t, rank, n_kept);
    int lines = measure.line + (measure.column > 0);
    if (lines > MAX_LINES) lines = MAX_LINES;
    double height = TEXT_TOP + lines * LINE_HEIGHT;

    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
            "height=\"%.0f\" role=\"img\" aria-label=\"tokens that selection keeps\">\n",
            WIDTH, height, WIDTH, height);
    fputs(style, out);
    fprintf(out, "<rect class=\"b\" fill=\"#ffffff\" width=\"%.0f\" height=\"%.0f\"/>\n", WIDTH,
            height);
    fprintf(out,
            "<g font-family=\"system-ui, sans-serif\"><text class=\"i\" x=\"%.0f\" y=\"24\" "
            "font-size=\"13\" font-weight=\"600\">%zu of %zu tokens are kept</text>\n",
            EDGE, n_kept, t->n);
    fprintf(out,
            "<text class=\"d\" x=\"%.0f\" y=\"41\" font-size=\"11.5\">on colour: highest %s loss; "
            "grey: no loss is taken there</text></g>\n",
            EDGE, t->ref_loss != NULL ? "excess" : "own");
    fputs("<g font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" "
          "font-size=\"11\">\n",
          out);
    put_tokens(&p, t, rank, n_kept);
    fputs("</g>\n</svg>\n", out);
    free(rank);
    return 0;
}
