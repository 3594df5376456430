/* heatmap.c: the order of tokens, the text as JSON, and the page around it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "assets.h"
#include "common/text.h"
#include "heatmap.h"

#define DEFAULT_RATIO 0.6

/* ---- order ---- */
typedef struct entry {
    double score;
    size_t index;
} entry;

static double score_of(const heatmap_text *t, size_t i) {
    if (t->score != NULL) return t->score[i];
    return t->ref_loss != NULL ? t->loss[i] - t->ref_loss[i] : t->loss[i];
}

/* Highest score first, among equals the lowest index: a total order, so that it does not matter in
   which order qsort compares. */
static int compare_entries(const void *left, const void *right) {
    const entry *a = (const entry *)left;
    const entry *b = (const entry *)right;
    if (a->score > b->score) return -1;
    if (a->score < b->score) return 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* Gives ranks (n): 0 for the token that is kept first, n for what is not a target.  Returns the
   number of targets. */
static size_t rank_tokens(const heatmap_text *t, entry *entries, size_t *rank) {
    size_t targets = 0;
    for (size_t i = 0; i < t->n; i++) {
        double score = score_of(t, i);
        rank[i] = t->n;
        if (!isfinite(t->loss[i]) || isnan(score)) continue;
        entries[targets].score = score;
        entries[targets++].index = i;
    }
    qsort(entries, targets, sizeof *entries, compare_entries);
    for (size_t i = 0; i < targets; i++)
        rank[entries[i].index] = i;
    return targets;
}

static double ratio_of(const heatmap_text *t) {
    return t->ratio > 0 && t->ratio <= 1 ? t->ratio : DEFAULT_RATIO;
}

int heatmap_rank(size_t *rank, size_t *n_kept, const heatmap_text *t) {
    entry *entries = (entry *)malloc((t->n + 1) * sizeof *entries);
    if (entries == NULL) return 1;
    size_t targets = rank_tokens(t, entries, rank);
    free(entries);
    *n_kept = (size_t)floor(ratio_of(t) * (double)targets + 0.5);
    if (*n_kept == 0 && targets > 0) *n_kept = 1;
    return 0;
}

/* ---- tokens as text ---- */
/* How a token differs from plain text, as the script reads it. */
enum { TOKEN_PLAIN = '0', TOKEN_ESCAPED = '1', TOKEN_REST_OF_CHARACTER = '2' };

/* Characters that a reader could not see, or that would reorder the text around them, are shown by
   their number. */
static int is_hidden(unsigned long c) {
    static const unsigned long ranges[][2] = {
        {0, 0x8},         {0xB, 0x1F},      {0x7F, 0xA0},     {0xAD, 0xAD},
        {0x61C, 0x61C},   {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202F},
        {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFF}, {0xE0000, 0x10FFFF}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1]) return 1;
    return 0;
}

/* Where the first character that begins in the token begins: a character that is cut by a token's
   end belongs whole to the token that begins it. */
static size_t first_character(const char *bytes, size_t size, size_t from) {
    unsigned long code = 0;
    for (size_t back = 1; back <= 3 && back <= from; back++) {
        size_t step = escape_utf8(bytes + from - back, size - (from - back), &code);
        if (step > back) return from - back + step;
    }
    return from;
}

/* Writes bytes from..to-1 as the inside of a JSON string.  A token that holds only the rest of a
   character shows a dot; bytes that are not UTF-8 become \xHH.  Returns how the token differs from
   plain text.  out NULL: only looks. */
static char write_token(FILE *out, const char *bytes, size_t size, size_t from, size_t to) {
    unsigned long code = 0;
    size_t i = first_character(bytes, size, from);
    size_t step;
    char difference = TOKEN_PLAIN;
    if (from == to) {
        if (out != NULL) fputs("\xE2\x88\x85", out); /* the empty set */
        difference = TOKEN_ESCAPED;
    } else if (i > from) {
        if (out != NULL) fputs("\xC2\xB7", out);
        if (i >= to) difference = TOKEN_REST_OF_CHARACTER;
    }
    for (; i < to; i += step) {
        step = escape_utf8(bytes + i, size - i, &code);
        if (step != 0 && !is_hidden(code)) {
            if (out != NULL) escape_json_n(out, bytes + i, step);
            continue;
        }
        difference = TOKEN_ESCAPED;
        if (out != NULL && step == 0)
            fprintf(out, "\\\\x%02X", (unsigned)(unsigned char)bytes[i]);
        else if (out != NULL)
            fprintf(out, "\\\\u%04lX", code);
        if (step == 0) step = 1;
    }
    return difference;
}

/* Whether the token cannot be read off the screen, so that its bytes must be shown. */
static int needs_bytes(const heatmap_text *t, size_t i) {
    unsigned long code;
    size_t from = t->start[i];
    size_t to = t->start[i + 1];
    size_t offset = from;
    while (offset < to) {
        size_t step = escape_utf8(t->bytes + offset, to - offset, &code);
        if (step == 0) return 1;
        offset += step;
    }
    return write_token(NULL, t->bytes, t->start[t->n], from, to) != TOKEN_PLAIN;
}

/* ---- the data, as JSON ---- */
static const char *separator(size_t i) {
    return i == 0 ? "" : ",";
}

static void write_numbers(FILE *out, const char *name, const double *v, size_t n) {
    fprintf(out, ",\n\"%s\":", name);
    if (v == NULL) {
        fputs("null", out);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        fputs(i == 0 ? "[" : ",", out);
        if (isfinite(v[i]))
            fprintf(out, "%.4f", v[i]);
        else
            fputs("null", out);
    }
    fputs(n == 0 ? "[]" : "]", out);
}

static void write_bytes(FILE *out, const heatmap_text *t, size_t i) {
    const char *first = t->bytes + t->start[i];
    const char *end = t->bytes + t->start[i + 1];
    for (const char *byte = first; byte < end; byte++)
        fprintf(out, "%s%02X", byte == first ? "" : " ", (unsigned)(unsigned char)*byte);
}

static void write_tokens(FILE *out, const heatmap_text *t) {
    size_t size = t->start[t->n];
    size_t shown = 0;
    fputs(",\n\"tokens\":[", out);
    for (size_t i = 0; i < t->n; i++) {
        fputs(i == 0 ? "\"" : ",\"", out);
        write_token(out, t->bytes, size, t->start[i], t->start[i + 1]);
        fputc('"', out);
    }
    fputs("],\n\"odd\":\"", out);
    for (size_t i = 0; i < t->n; i++)
        fputc(write_token(NULL, t->bytes, size, t->start[i], t->start[i + 1]), out);
    fputs("\",\n\"hex\":{", out);
    for (size_t i = 0; i < t->n; i++) {
        if (!needs_bytes(t, i)) continue;
        fprintf(out, "%s\"%zu\":\"", separator(shown++), i);
        write_bytes(out, t, i);
        fputc('"', out);
    }
    fputc('}', out);
}

/* One guess: its text, its probability, and a 1 if it is the token that follows. */
static void write_guess(FILE *out, const heatmap_guess *g, const char *token, size_t size) {
    int is_right = g->size == size && memcmp(g->bytes, token, size) == 0;
    write_token(out, g->bytes, g->size, 0, g->size);
    fprintf(out, "\",%.4f%s]", g->p, is_right ? ",1" : "");
}

static void write_guesses(FILE *out, const heatmap_text *t) {
    fputs(",\n\"guess\":", out);
    if (t->guess == NULL) {
        fputs("null", out);
        return;
    }
    fputc('[', out);
    for (size_t i = 0; i < t->n; i++) {
        const char *token = t->bytes + t->start[i];
        size_t size = t->start[i + 1] - t->start[i];
        fputs(i == 0 ? "[" : ",\n[", out);
        for (size_t j = 0; j < t->n_guess; j++) {
            const heatmap_guess *g = &t->guess[i * t->n_guess + j];
            if (g->bytes == NULL || !isfinite(g->p)) break;
            fputs(j == 0 ? "[\"" : ",[\"", out);
            write_guess(out, g, token, size);
        }
        fputc(']', out);
    }
    fputc(']', out);
}

static void write_kinds(FILE *out, const heatmap_text *t) {
    if (t->kind == NULL || t->kinds == NULL || t->n_kinds == 0) {
        fputs(",\n\"kinds\":null", out);
        return;
    }
    fputs(",\n\"kinds\":[", out);
    for (size_t i = 0; i < t->n_kinds; i++) {
        if (i > 0) fputc(',', out);
        escape_json(out, t->kinds[i]);
    }
    fputs("],\n\"kind\":[", out);
    for (size_t i = 0; i < t->n; i++) {
        int is_known = t->kind[i] < t->n_kinds;
        fprintf(out, "%s%d", separator(i), is_known ? (int)t->kind[i] : -1);
    }
    fputs("]", out);
}

static void write_kept(FILE *out, const heatmap_text *t, const size_t *rank) {
    fputs("],\n\"kept\":", out);
    if (t->kept == NULL) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < t->n; i++)
        fputc(t->kept[i] != 0 && rank[i] < t->n ? '1' : '0', out);
    fputc('"', out);
}

static void write_text(FILE *out, const heatmap_text *t, size_t targets, const size_t *rank) {
    fputs("{\"title\":", out);
    escape_json(out, t->title);
    fprintf(out, ",\"position\":%zu,\"targets\":%zu,\"ratio\":%.17g", t->position, targets,
            ratio_of(t));
    write_tokens(out, t);
    write_numbers(out, "loss", t->loss, t->n);
    write_numbers(out, "ref", t->ref_loss, t->n);
    fputs(",\n\"rank\":[", out);
    for (size_t i = 0; i < t->n; i++)
        fprintf(out, "%s%ld", separator(i), rank[i] < t->n ? (long)rank[i] : -1L);
    write_kept(out, t, rank);
    write_guesses(out, t);
    write_kinds(out, t);
    fputc('}', out);
}

/* ---- the page ---- */
static const char fragment_html[] =
    "<div class=\"v-top\"><div class=\"v-pick\">"
    "<button type=\"button\" class=\"v-prev\" aria-label=\"previous text\">‹</button>"
    "<select class=\"v-select\" aria-label=\"text\"></select>"
    "<button type=\"button\" class=\"v-next\" aria-label=\"next text\">›</button></div>\n"
    "<div class=\"v-modes\" role=\"group\" aria-label=\"colour by\"></div></div>\n"
    "<div class=\"v-cut\"><label>Keep "
    "<input class=\"v-slider\" type=\"range\" min=\"1\" max=\"100\" step=\"1\""
    " aria-label=\"tokens to keep, percent\"><output class=\"v-ratio\"></output></label>"
    "<strong class=\"v-count\" aria-live=\"polite\"></strong>"
    "<button type=\"button\" class=\"v-trained\">as in training</button></div>\n"
    "<div class=\"v-main\"><div>"
    "<div class=\"v-text\" role=\"listbox\" aria-multiselectable=\"true\""
    " aria-label=\"tokens of the text\"></div>\n"
    "<div class=\"v-legend\"></div>\n"
    "<p class=\"v-small\">Point at a token or tap it; arrow keys move, with Shift to the next kept "
    "one.</p></div>\n"
    "<div class=\"v-side\"><div class=\"v-panel\"></div>\n"
    "<div class=\"v-extra\">"
    "<svg class=\"v-hist\" viewBox=\"0 0 240 72\" role=\"img\" aria-label=\"histogram\"></svg>"
    "<p class=\"v-small v-histname\"></p></div>\n"
    "<div class=\"v-extra\"><p class=\"v-small v-kindname\">kept, by the known truth</p>"
    "<ul class=\"v-kinds\"></ul></div></div></div>\n"
    "<noscript><p>The token view needs JavaScript; it loads nothing from the network.</p>"
    "</noscript>\n";

void heatmap_asset(FILE *out, const char *const *lines) {
    for (; *lines != NULL; lines++)
        fputs(*lines, out);
}

void heatmap_style(FILE *out) {
    fputs("<style>\n", out);
    heatmap_asset(out, heatmap_css);
    fputs("</style>\n", out);
}

static void write_fragment(FILE *out, const heatmap_text *texts, size_t n, entry *entries,
                           size_t *rank) {
    fputs("<section class=\"slm-view\" aria-label=\"token view\">\n", out);
    fputs(fragment_html, out);
    fputs("<script type=\"application/json\">[", out);
    for (size_t i = 0; i < n; i++) {
        size_t targets = rank_tokens(&texts[i], entries, rank);
        if (i > 0) fputs(",\n", out);
        write_text(out, &texts[i], targets, rank);
    }
    fputs("]</script>\n<script>\n", out);
    heatmap_asset(out, moves_js);
    heatmap_asset(out, heatmap_js);
    fputs("</script>\n</section>\n", out);
}

int heatmap_fragment(FILE *out, const heatmap_text *texts, size_t n) {
    size_t longest = 1;
    for (size_t i = 0; i < n; i++)
        longest = texts[i].n > longest ? texts[i].n : longest;
    if (longest >= (size_t)-1 / sizeof(entry)) return 1;
    entry *entries = (entry *)malloc(longest * sizeof *entries);
    size_t *rank = (size_t *)malloc(longest * sizeof *rank);
    int has_memory = entries != NULL && rank != NULL;
    if (has_memory) write_fragment(out, texts, n, entries, rank);
    free(rank);
    free(entries);
    return has_memory ? 0 : 1;
}

void heatmap_page_head(FILE *out, const char *title) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n"
          "<link rel=\"icon\" href=\"data:,\">\n<title>",
          out);
    escape_markup(out, title);
    fputs("</title>\n", out);
}

int heatmap_page(FILE *out, const char *title, const char *intro, const heatmap_text *texts,
                 size_t n) {
    heatmap_page_head(out, title);
    heatmap_style(out);
    fputs("<style>\n", out);
    heatmap_asset(out, heatmap_page_css);
    fputs("</style>\n</head>\n<body>\n<header class=\"slm-page\"><h1>", out);
    escape_markup(out, title);
    fputs("</h1>\n<p>", out);
    escape_markup(out, intro);
    fputs("</p></header>\n", out);
    int failed = heatmap_fragment(out, texts, n);
    fputs("</body>\n</html>\n", out);
    return failed;
}
