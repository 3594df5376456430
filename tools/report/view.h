/* view.h: the token view: real text with the loss, reference loss and excess of each token, and which tokens are kept.
 *
 *     view_text t = { .title = "page 3", .bytes = text, .start = start, .n = n, .loss = loss, .ref_loss = ref, .ratio = 0.6 };
 *     view_page(out, "What is kept", "One page of the corpus.", &t, 1);        (or view_fragment, inside a page of your own)
 *
 * One self-contained piece of HTML: no network, no external script.  A slider re-cuts the top k live by the rule of slm.h:
 * k = floor(ratio n + 1/2), at least 1, ties to the lowest index.  The order is computed here, on the numbers as given, and
 * the script only compares ranks with k, so that rounding in the page cannot change what is kept.  libc and libm only. */
#ifndef VIEW_H
#define VIEW_H
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/text.h"
#include "view_assets.h"

typedef struct view_guess {
    const char *bytes;
    size_t size;
    double p;
} view_guess; /* p: its probability, 0 to 1 */

typedef struct view_text {
    const char *title;
    const char *bytes;   /* the text, any bytes */
    const size_t *start; /* (n + 1) token i is bytes start[i] .. start[i + 1] - 1 */
    size_t n, position;  /* tokens; the index of the first one in its corpus */
    const double
        *loss; /* (n) nats; NaN: not a target, has no rank (the first token, padding, a mask) */
    const double *ref_loss; /* (n) or NULL */
    const double *
        score; /* (n) or NULL: what is ranked, if it is not the excess (or, without a reference, the loss) */
    const unsigned char
        *kept;    /* (n) or NULL: what training selected; the slider starts from there */
    double ratio; /* where the slider starts; 0 = 0.6 */
    const view_guess
        *guess; /* (n x n_guess) or NULL: the model's predictions for token i, likeliest first */
    size_t n_guess;
    const unsigned char *
        kind; /* (n) or NULL: the known truth about token i, an index into kinds; beyond n_kinds: none */
    const char *const *kinds; /* (n_kinds) "problem", "noise", ... */
    size_t n_kinds;
} view_text;

/* Both return 0, or 1 if there was no memory (the view is missing then).  Whether writing worked is ferror's to say. */
static inline int view_fragment(FILE *out, const view_text *texts, size_t n);
static inline int view_page(FILE *out, const char *title, const char *intro, const view_text *texts,
                            size_t n);
static inline void view_style(
    FILE *out); /* once per page, before the first fragment, best inside <head> */

/* ---- order ---- */
typedef struct view__entry {
    double score;
    size_t index;
} view__entry;

static inline double view__score(const view_text *t, size_t i) {
    if (t->score != NULL) {
        return t->score[i];
    }
    return t->ref_loss != NULL ? t->loss[i] - t->ref_loss[i] : t->loss[i];
}

static inline int view__is_target(const view_text *t, size_t i) {
    return isfinite(t->loss[i]) && !isnan(view__score(t, i));
}

/* Highest score first; among equals the lowest index: a total order, so that qsort's own order does not matter. */
static inline int view__compare(const void *left, const void *right) {
    const view__entry *a = (const view__entry *)left, *b = (const view__entry *)right;
    if (a->score > b->score) {
        return -1;
    }
    if (a->score < b->score) {
        return 1;
    }
    return a->index < b->index ? -1 : a->index > b->index;
}

/* rank (n) out: 0 for the token that is kept first; n for what is not a target.  Returns the number of targets. */
static inline size_t view__rank(const view_text *t, view__entry *entry, size_t *rank) {
    size_t targets = 0;
    for (size_t i = 0; i < t->n; i++) {
        rank[i] = t->n;
        if (view__is_target(t, i)) {
            entry[targets++] = (view__entry){view__score(t, i), i};
        }
    }
    qsort(entry, targets, sizeof *entry, view__compare);
    for (size_t i = 0; i < targets; i++) {
        rank[entry[i].index] = i;
    }
    return targets;
}

/* ---- tokens as text ---- */
/* Characters that a reader could not see, or that would reorder the text around them, are shown by their number. */
static inline int view__hidden(unsigned long c) {
    return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c <= 0xA0) || c == 0xAD ||
           c == 0x61C || c == 0x180E || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202F) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
           (c >= 0xFFF0 && c <= 0xFFFF) || c >= 0xE0000;
}

/* Writes bytes from..to-1 of the text, as the inside of a JSON string.  A character that is cut by a token's end stands whole
   in the token that begins it; the tokens that hold its rest show a dot for it.  Bytes that are not UTF-8 become \xHH.
   Returns how the token differs from plain text: '0' not at all, '1' it holds escapes, '2' it is only the rest of a character. */
static inline char view__write(FILE *out, const char *bytes, size_t size, size_t from, size_t to) {
    unsigned long code = 0;
    size_t at = from, step;
    char odd = from == to ? '1' : '0';
    if (from == to && out != NULL) {
        fputs("\xE2\x88\x85", out);
    } /* a token without bytes */
    for (size_t back = 1; back <= 3 && back <= from; back++) {
        step = escape_utf8(bytes + from - back, size - (from - back), &code);
        if (step > back) {
            at = from - back + step;
            break;
        }
    }
    if (at > from && to > from) {
        if (out != NULL) {
            fputs("\xC2\xB7", out);
        }
        odd = at >= to ? '2' : '0';
    }
    for (; at < to; at += step) {
        step = escape_utf8(bytes + at, size - at, &code);
        if (step != 0 && !view__hidden(code)) {
            if (out != NULL) {
                escape_json_n(out, bytes + at, step);
            }
            continue;
        }
        odd = '1';
        if (out != NULL && step == 0) {
            fprintf(out, "\\\\x%02X", (unsigned)(unsigned char)bytes[at]);
        } else if (out != NULL) {
            fprintf(out, "\\\\u%04lX", code);
        }
        step = step == 0 ? 1 : step;
    }
    return odd;
}

static inline int view__is_cut(const view_text *t, size_t i) {
    unsigned long code;
    size_t from = t->start[i], to = t->start[i + 1];
    for (size_t at = from, step; at < to; at += step) {
        step = escape_utf8(t->bytes + at, to - at, &code);
        if (step == 0) {
            return 1;
        }
    }
    return view__write(NULL, t->bytes, t->start[t->n], from, to) != '0';
}

/* ---- the data, as JSON ---- */
static inline void view__numbers(FILE *out, const char *name, const double *v, size_t n) {
    fprintf(out, ",\n\"%s\":", name);
    if (v == NULL) {
        fputs("null", out);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        fputs(i == 0 ? "[" : ",", out);
        if (isfinite(v[i])) {
            fprintf(out, "%.4f", v[i]);
        } else {
            fputs("null", out);
        }
    }
    fputs(n == 0 ? "[]" : "]", out);
}

static inline void view__tokens(FILE *out, const view_text *t) {
    size_t size = t->start[t->n];
    int first = 1;
    fputs(",\n\"tokens\":[", out);
    for (size_t i = 0; i < t->n; i++) {
        fputs(i == 0 ? "\"" : ",\"", out);
        view__write(out, t->bytes, size, t->start[i], t->start[i + 1]);
        fputc('"', out);
    }
    fputs("],\n\"odd\":\"", out);
    for (size_t i = 0; i < t->n; i++) {
        fputc(view__write(NULL, t->bytes, size, t->start[i], t->start[i + 1]), out);
    }
    fputs("\",\n\"hex\":{", out); /* the bytes of tokens that cannot be read off the screen */
    for (size_t i = 0; i < t->n; i++) {
        if (!view__is_cut(t, i)) {
            continue;
        }
        fprintf(out, "%s\"%zu\":\"", first ? "" : ",", i);
        for (size_t at = t->start[i]; at < t->start[i + 1]; at++) {
            fprintf(out, "%s%02X", at == t->start[i] ? "" : " ",
                    (unsigned)(unsigned char)t->bytes[at]);
        }
        fputc('"', out);
        first = 0;
    }
    fputc('}', out);
}

static inline void view__guesses(FILE *out, const view_text *t) {
    fputs(",\n\"guess\":", out);
    if (t->guess == NULL) {
        fputs("null", out);
        return;
    }
    fputc('[', out);
    for (size_t i = 0; i < t->n; i++) {
        size_t size = t->start[i + 1] - t->start[i];
        fputs(i == 0 ? "[" : ",\n[", out);
        for (size_t j = 0; j < t->n_guess; j++) {
            const view_guess *g = &t->guess[i * t->n_guess + j];
            if (g->bytes == NULL || !isfinite(g->p)) {
                break;
            }
            fputs(j == 0 ? "[\"" : ",[\"", out);
            view__write(out, g->bytes, g->size, 0, g->size);
            fprintf(out, "\",%.4f%s]", g->p,
                    g->size == size && memcmp(g->bytes, t->bytes + t->start[i], size) == 0 ? ",1"
                                                                                           : "");
        }
        fputc(']', out);
    }
    fputc(']', out);
}

static inline void view__kinds(FILE *out, const view_text *t) {
    int given = t->kind != NULL && t->kinds != NULL && t->n_kinds > 0;
    fputs(given ? ",\n\"kinds\":[" : ",\n\"kinds\":null", out);
    for (size_t i = 0; given && i < t->n_kinds; i++) {
        if (i > 0) {
            fputc(',', out);
        }
        escape_json(out, t->kinds[i]);
    }
    fputs(given ? "],\n\"kind\":[" : "", out);
    for (size_t i = 0; given && i < t->n; i++) {
        fprintf(out, "%s%d", i == 0 ? "" : ",", t->kind[i] < t->n_kinds ? (int)t->kind[i] : -1);
    }
    fputs(given ? "]" : "", out);
}

static inline void view__text(FILE *out, const view_text *t, size_t targets, const size_t *rank) {
    fputs("{\"title\":", out);
    escape_json(out, t->title);
    fprintf(out, ",\"position\":%zu,\"targets\":%zu,\"ratio\":%.17g", t->position, targets,
            t->ratio > 0 && t->ratio <= 1 ? t->ratio : 0.6);
    view__tokens(out, t);
    view__numbers(out, "loss", t->loss, t->n);
    view__numbers(out, "ref", t->ref_loss, t->n);
    fputs(",\n\"rank\":[", out);
    for (size_t i = 0; i < t->n; i++) {
        fprintf(out, "%s%ld", i == 0 ? "" : ",", rank[i] < t->n ? (long)rank[i] : -1L);
    }
    fputs("],\n\"kept\":", out);
    fputs(t->kept == NULL ? "null" : "\"", out);
    for (size_t i = 0; t->kept != NULL && i < t->n; i++) {
        fputc(t->kept[i] != 0 && rank[i] < t->n ? '1' : '0', out);
    }
    fputs(t->kept == NULL ? "" : "\"", out);
    view__guesses(out, t);
    view__kinds(out, t);
    fputc('}', out);
}

/* ---- the page ---- */
static const char *const view_html[] = {
    "<div class=\"v-top\"><div class=\"v-pick\"><button type=\"button\" class=\"v-prev\" "
    "aria-label=\"previous text\">‹</button>",
    "<select class=\"v-select\" aria-label=\"text\"></select>",
    "<button type=\"button\" class=\"v-next\" aria-label=\"next text\">›</button></div>\n",
    "<div class=\"v-modes\" role=\"group\" aria-label=\"colour by\"></div></div>\n",
    "<div class=\"v-cut\"><label>Keep <input class=\"v-slider\" type=\"range\" min=\"1\" "
    "max=\"100\" step=\"1\"",
    " aria-label=\"tokens to keep, percent\"><output class=\"v-ratio\"></output></label>",
    "<strong class=\"v-count\" aria-live=\"polite\"></strong>",
    "<button type=\"button\" class=\"v-trained\">as in training</button></div>\n",
    "<div class=\"v-main\"><div>",
    "<div class=\"v-text\" role=\"listbox\" aria-multiselectable=\"true\" aria-label=\"tokens of "
    "the text\"></div>\n",
    "<div class=\"v-legend\"></div>\n",
    "<p class=\"v-small\">Point at a token or tap it; arrow keys move, with Shift to the next kept "
    "one.</p></div>\n",
    "<div class=\"v-side\"><div class=\"v-panel\"></div>\n",
    "<div class=\"v-extra\"><svg class=\"v-hist\" viewBox=\"0 0 240 72\" role=\"img\" "
    "aria-label=\"histogram\"></svg>",
    "<p class=\"v-small v-histname\"></p></div>\n",
    "<div class=\"v-extra\"><p class=\"v-small v-kindname\">kept, by the known truth</p><ul "
    "class=\"v-kinds\"></ul></div></div></div>\n",
    "<noscript><p>The token view needs JavaScript; it loads nothing from the "
    "network.</p></noscript>\n",
    NULL};

static inline void view__lines(FILE *out, const char *const *lines) {
    for (; *lines != NULL; lines++) {
        fputs(*lines, out);
    }
}

static inline void view_style(FILE *out) {
    fputs("<style>\n", out);
    view__lines(out, view_css);
    fputs("</style>\n", out);
}

static inline int view_fragment(FILE *out, const view_text *texts, size_t n) {
    size_t most = 1;
    for (size_t i = 0; i < n; i++) {
        most = texts[i].n > most ? texts[i].n : most;
    }
    view__entry *entry = most < (size_t)-1 / sizeof(view__entry)
                             ? (view__entry *)malloc(most * sizeof *entry)
                             : NULL;
    size_t *rank = entry == NULL ? NULL : (size_t *)malloc(most * sizeof *rank);
    if (rank == NULL) {
        free(entry);
        return 1;
    }
    fputs("<section class=\"slm-view\" aria-label=\"token view\">\n", out);
    view__lines(out, view_html);
    fputs("<script type=\"application/json\">[", out);
    for (size_t i = 0; i < n; i++) {
        size_t targets = view__rank(&texts[i], entry, rank);
        fputs(i == 0 ? "" : ",\n", out);
        view__text(out, &texts[i], targets, rank);
    }
    fputs("]</script>\n<script>\n", out);
    view__lines(out, view_js);
    fputs("</script>\n</section>\n", out);
    free(rank);
    free(entry);
    return 0;
}

/* The beginning of a page, up to its title.  The policy makes the browser itself refuse anything from outside. */
static inline void view__head(FILE *out, const char *title) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
          "'unsafe-inline'; "
          "script-src 'unsafe-inline'; img-src data:\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" "
          "href=\"data:,\">\n<title>",
          out);
    escape_markup(out, title);
    fputs("</title>\n", out);
}

static inline int view_page(FILE *out, const char *title, const char *intro, const view_text *texts,
                            size_t n) {
    view__head(out, title);
    view_style(out);
    fputs("<style>\nbody { margin: 0 auto; max-width: 1180px; padding: 24px 20px 40px; background: "
          "#ffffff; }\n"
          "h1 { font: 600 26px/1.25 system-ui, sans-serif; margin: 0 0 6px; }\n"
          ".slm-page { color: #1f2328; font: 15px/1.5 system-ui, sans-serif; margin-bottom: 22px; "
          "max-width: 70ch; }\n"
          "@media (prefers-color-scheme: dark) { body { background: #14171b; } .slm-page { color: "
          "#e8eaed; } }\n</style>\n"
          "</head>\n<body>\n<header class=\"slm-page\"><h1>",
          out);
    escape_markup(out, title);
    fputs("</h1>\n<p>", out);
    escape_markup(out, intro);
    fputs("</p></header>\n", out);
    int failed = view_fragment(out, texts, n);
    fputs("</body>\n</html>\n", out);
    return failed;
}
#endif
