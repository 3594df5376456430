/* heatmap.h: real text with the loss, reference loss and excess loss of each token, and which
 * tokens are kept, as HTML.
 *
 *     heatmap_text t = { .title = "page 3", .bytes = text, .start = start, .n = n, .loss = loss,
 *                        .ref_loss = ref, .ratio = 0.6 };
 *     heatmap_page(out, "What is kept", "One page of the corpus.", &t, 1);
 *
 * or heatmap_fragment, inside a page of your own: one self-contained piece of HTML, without
 * network or external script.  A slider re-cuts the top k live by the rule of slm.h: k =
 * floor(ratio n + 1/2), at least 1, ties to the lowest index.  The order is computed here, on the
 * numbers as given; the script only compares ranks with k, so that rounding in the page cannot
 * change what is kept.  Uses libc and libm only. */
#ifndef HEATMAP_H
#define HEATMAP_H
#include <stddef.h>
#include <stdio.h>

typedef struct heatmap_guess {
    const char *bytes;
    size_t size;
    double p; /* probability, 0 to 1 */
} heatmap_guess;

typedef struct heatmap_text {
    const char *title;
    const char *bytes;      /* the text, any bytes */
    const size_t *start;    /* (n + 1) token i is bytes start[i] .. start[i + 1] - 1 */
    size_t n, position;     /* tokens; the index of the first one in its corpus */
    const double *loss;     /* (n) nats; NaN: not a target, so it has no rank */
    const double *ref_loss; /* (n) or NULL */
    const double *score;    /* (n) or NULL: ranked by excess loss or, without reference, loss */
    const unsigned char
        *kept;    /* (n) or NULL: what training selected; shown until the slider moves */
    double ratio; /* where the slider starts; 0 means 0.6 */
    const heatmap_guess
        *guess; /* (n x n_guess) or NULL: predictions for token i, likeliest first */
    size_t n_guess;
    const unsigned char
        *kind; /* (n) or NULL: the known truth, an index into kinds, or beyond them */
    const char *const *kinds; /* (n_kinds) "problem", "noise", ... */
    size_t n_kinds;
} heatmap_text;

/* Both return 0, or 1 if there was no memory; then the heat map is missing.  Whether writing worked
   is ferror's to say. */
int heatmap_fragment(FILE *out, const heatmap_text *texts, size_t n);
int heatmap_page(FILE *out, const char *title, const char *intro, const heatmap_text *texts,
                 size_t n);

/* Gives the ranks of the tokens (n): 0 for the one that is kept first, n for what is not a target;
   and how many are kept at the text's ratio.  Returns 1 if there was no memory. */
int heatmap_rank(size_t *rank, size_t *n_kept, const heatmap_text *t);

/* Draws the first lines of the text as an SVG: kept tokens on colour, the others grey.  Returns 1
   if there was no memory. */
int heatmap_svg(FILE *out, const heatmap_text *t);

/* Writes the style, once per page before the first fragment, best inside <head>. */
void heatmap_style(FILE *out);

/* Writes the beginning of a page, up to its title.  Its policy makes the browser itself refuse
   anything from outside. */
void heatmap_page_head(FILE *out, const char *title);

/* Writes the lines of an asset (see assets.h). */
void heatmap_asset(FILE *out, const char *const *lines);
#endif
