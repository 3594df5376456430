/* figure.c: the sections from the first to the last, and an arc from each to what it uses. */
#include "book.h"

/* In units of the picture: rows, where the discs stand and the arcs begin, the whole. */
enum { STEP = 30, TOP = 16, DISCS = 176, ARCS = 190, WIDE = 620 };

/* The largest whole number whose square is at most x. */
static unsigned root(size_t x) {
    unsigned r = 0;
    while ((size_t)(r + 1) * (r + 1) <= x)
        r++;
    return r;
}

/* How often x can be halved. */
static unsigned halvings(unsigned x) {
    unsigned n = 0;
    for (; x > 1; x /= 2)
        n++;
    return n;
}

static int rows_of(const book *b, int *row) {
    int n = 0;
    for (int i = 0; i < b->n_sections; i++) {
        row[i] = -1;
        if (b->sections[i].number > 0) row[i] = n++;
    }
    return n;
}

static void put_arc(const book *b, const int *row, int from, int to) {
    const section *user = &b->sections[from];
    unsigned times = user->uses[to];
    int y1 = TOP + STEP * row[to];
    int y2 = TOP + STEP * row[from];
    double width = 0.8 + 0.4 * halvings(times);
    double reach = 40.0 + 21.0 * (row[from] - row[to]);
    fprintf(b->out, "<path d=\"M%d %dC%.0f %d %.0f %d %d %d\" stroke-width=\"%.2f\">", ARCS, y2,
            ARCS + reach, y2, ARCS + reach, y1, ARCS, y1, width);
    fprintf(b->out, "<title>%s uses %s: %u %s</title></path>", user->name, b->sections[to].name,
            times, times == 1 ? "time" : "times");
}

/* One section: its arcs, so that they light up together, its name, and a disc as large as it is. */
static void put_section(const book *b, const int *row, int which) {
    const section *s = &b->sections[which];
    int y = TOP + STEP * row[which];
    double radius = 1.2 + root(s->tokens) / 11.0;
    fprintf(b->out, "<g class=\"s\">");
    for (int to = 0; to < b->n_sections; to++)
        if (row[to] >= 0 && to != which && s->uses[to] > 0) put_arc(b, row, which, to);
    fprintf(b->out, "<a href=\"#%s\">", s->name);
    fprintf(b->out, "<text x=\"22\" y=\"%d\" class=\"number\">%d</text>", y + 4, s->number);
    fprintf(b->out, "<text x=\"34\" y=\"%d\">%s</text>", y + 4, s->name);
    fprintf(b->out, "<circle cx=\"%d\" cy=\"%d\" r=\"%.1f\">", DISCS, y, radius);
    fprintf(b->out, "<title>%s: %zu tokens</title></circle>", s->name, s->tokens);
    fprintf(b->out, "</a></g>\n");
}

void put_figure(const book *b) {
    int row[BOOK_SECTIONS];
    int n = rows_of(b, row);
    fprintf(b->out, "<svg class=\"uses\" viewBox=\"0 0 %d %d\" role=\"img\" ", WIDE,
            2 * TOP + STEP * (n - 1));
    fprintf(b->out, "aria-label=\"The sections of slm.h and what each of them uses\">\n");
    for (int i = 0; i < b->n_sections; i++)
        if (row[i] >= 0) put_section(b, row, i);
    fprintf(b->out, "</svg>\n");
}
