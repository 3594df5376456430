/* pages.c: made-up pages for the browser test, and what the page must then show.
 *
 *     make build/pages && build/pages DIR
 *
 * Writes DIR/view.html, DIR/report.html, figures (.svg) and DIR/expected.json.  What is expected is
 * worked out here from the definition (a token is kept if fewer than k tokens come before it), and
 * slm.h must agree; the heat map's own code has no say. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report/figure.h"
#include "report/heatmap.h"
#include "report/page.h"
#include "slm.h"

enum { N = 240, TOP = 5, STEPS = 40, RUNS = 4 };

static unsigned long long state = 1;

static double uniform(void) { /* splitmix64, [0, 1) */
    unsigned long long z = (state += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

/* ---- the token view: losses on a coarse grid, so that there are many ties ---- */
static const char hostile[] =
    "</script><script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 2\"> "
    "<!-- & \\ \"q\" 'a'\t\n\r\x01\x1b[31m\xff\xfe\xc3("
    "\xe2\x80\x8b \xe2\x80\xae \xe2\x80\xa8 \xf0\x9f\x98\x80 \xe4\xb8\xad\xe6\x96\x87  spaces "
    "\xe2\x82";
static char prose[N * 4 + 1];
static size_t start[N + 1], bytes_start[sizeof hostile];
static double loss[N], ref_loss[N], bytes_loss[sizeof hostile];
static unsigned char kept[N], kind[N];
static heatmap_guess guess[N * TOP];

static void make_texts(heatmap_text *texts) {
    static const char *const words[] = {" the", " sum", " of", " 12",  " and",
                                        " 7",   ".\n",  " is", " id=", " x"};
    static const char *const kinds[] = {"problem", "noise <img src=x>"};
    size_t at = 0;
    for (size_t i = 0; i < N; i++) {
        const char *word = words[(size_t)(uniform() * 10)];
        start[i] = at;
        memcpy(prose + at, word, strlen(word));
        at += strlen(word);
        loss[i] = floor(uniform() * 24) / 4;
        ref_loss[i] = floor(uniform() * 12) / 4;
        kept[i] = i % 3 == 0;
        kind[i] = word[1] == 'i';
        if (word[0] == '.') kind[i] = 255; /* of no kind */
        for (size_t j = 0; j < TOP; j++) {
            const char *other = j == 4 ? "<img src=x>" : words[(i + j) % 10];
            guess[i * TOP + j] = (heatmap_guess){other, strlen(other), 0.5 / (double)(1u << j)};
        }
    }
    start[N] = at;
    loss[0] = loss[77] = NAN; /* not targets */
    kept[0] = 1;              /* and never kept, whatever the caller says */
    for (size_t i = 0; i < sizeof hostile; i++) {
        bytes_start[i] = i;
        bytes_loss[i] = i % 7 == 0 ? NAN : uniform() * 6;
    }
    texts[0] = (heatmap_text){.title = "ties",
                              .bytes = prose,
                              .start = start,
                              .n = N,
                              .position = 1000,
                              .loss = loss,
                              .ref_loss = ref_loss,
                              .kept = kept,
                              .ratio = 0.4,
                              .guess = guess,
                              .n_guess = TOP,
                              .kind = kind,
                              .kinds = kinds,
                              .n_kinds = 2};
    texts[1] = (heatmap_text){.title = "hostile </script ><!-- <script>",
                              .bytes = hostile,
                              .start = bytes_start,
                              .n = sizeof hostile - 1,
                              .loss = bytes_loss};
    texts[2] = (heatmap_text){
        .title = "few", .bytes = prose, .start = start, .n = 4, .loss = loss, .ratio = 0.01};
    texts[3] =
        (heatmap_text){.title = "no target", .bytes = prose, .start = start, .n = 1, .loss = loss};
    texts[4] =
        (heatmap_text){.title = "nothing", .bytes = prose, .start = start, .n = 0, .loss = loss};
}

/* By definition: i is kept if fewer than k targets have a higher score, or an equal one and a lower
   index. */
static unsigned char is_kept(size_t i, size_t k) {
    size_t before = 0;
    for (size_t j = 0; j < N; j++) {
        double a = loss[j] - ref_loss[j];
        double b = loss[i] - ref_loss[i];
        before += a > b || (!(a < b) && !isnan(a) && j < i);
    }
    return !isnan(loss[i]) && before < k;
}

/* slm.h on the same numbers. */
static void must_agree(const unsigned char *mask, double ratio, size_t targets, size_t k) {
    unsigned char valid[N], by_slm[N];
    slm_real score[N];
    slm_error err;
    for (size_t i = 0; i < N; i++) {
        valid[i] = (unsigned char)!isnan(loss[i]);
        score[i] = valid[i] ? (slm_real)(loss[i] - ref_loss[i]) : 0;
    }
    if (slm_select_count(ratio, targets) != k ||
        slm_select_top(by_slm, score, valid, N, k, &err) != SLM_OK ||
        memcmp(mask, by_slm, N) != 0) {
        fprintf(stderr, "pages: slm.h does not select by its definition at ratio %g\n", ratio);
        exit(1);
    }
}

static void write_expected(FILE *out) {
    unsigned char mask[N];
    size_t targets = N - 2;
    fprintf(out, "{\"targets\":%zu,\"trained\":\"", targets);
    for (size_t i = 0; i < N; i++) {
        fputc(kept[i] && !isnan(loss[i]) ? '1' : '0', out);
    }
    fputs("\",\"cuts\":[", out);
    for (int percent = 1; percent <= 100; percent++) {
        size_t k = (size_t)floor(percent / 100.0 * (double)targets + 0.5);
        k = k < 1 ? 1 : k;
        fprintf(out, "%s{\"percent\":%d,\"k\":%zu,\"mask\":\"", percent == 1 ? "" : ",\n", percent,
                k);
        for (size_t i = 0; i < N; i++) {
            mask[i] = is_kept(i, k);
            fputc(mask[i] ? '1' : '0', out);
        }
        must_agree(mask, percent / 100.0, targets, k);
        fputs("\"}", out);
    }
    fputs("]}\n", out);
}

/* ---- figures: one of each kind, with gaps, one value, long names and names to escape ---- */
static double steps[STEPS], runs[3][RUNS * STEPS];

static void draw(FILE *out, double width, const void *user) {
    const int which = *(const int *)user;
    static const char *const rows[] = {
        "CLM", "SLM by excess loss, whole batch, reference tuned on the clean text",
        "<random> & \"loss\""};
    static const char *const cols[] = {"10%", "40%", "100%"};
    static const double value[] = {1.0, 2.5, 1.0, 0.6, 5.25, NAN, 11, 1.5, 1.0};
    static const double low[] = {0.9, 2, 1, 0.5, 4, NAN, 9, 1, 1};
    static const double high[] = {1.1, 3, 1, 0.7, 6, NAN, 14, 2, 1};
    static const figure_arrow arrow = {2.4e6, 2.2, 0.8e6, 2.2, "3.0\xC3\x97 sooner", 0};
    static const figure_rule rule = {1.7, 0, "the reference itself"};
    figure f = {.title = "A title that is long enough to need a second line, because titles say "
                         "what a figure shows & why",
                .width = width,
                .subtitle = "A subtitle",
                .note = "A note.",
                .x = {.label = "tokens processed"},
                .y = {.label = "loss (nats per byte)"}};
    figure_series s[3] = {
        {.name = "CLM", .x = steps, .y = runs[0], .n = STEPS, .runs = RUNS},
        {.name = "SLM, the top 40% by excess loss",
         .x = steps,
         .y = runs[1],
         .n = STEPS,
         .runs = RUNS},
        {.name = "random <40%>", .x = steps, .y = runs[2], .n = STEPS, .runs = 1}};
    figure_table t = {.rows = rows,
                      .cols = cols,
                      .n_rows = 3,
                      .n_cols = 3,
                      .value = value,
                      .low = low,
                      .high = high,
                      .digits = 1,
                      .unit = "\xC3\x97",
                      .center = which == 5 ? 1 : 0};
    if (which == 0) {
        f.arrows = &arrow;
        f.n_arrows = 1;
        f.rules = &rule;
        f.n_rules = 1;
        f.y.low = 1.6;
        f.y.high = 2.8;
    }
    if (which == 1) {
        f.x.log = f.y.log = 1;
    }
    if (which < 2) {
        figure_lines(out, &f, s, 3);
    } else if (which == 2) {
        s[0].n = s[1].n = 12;
        s[0].runs = s[1].runs = 1;
        figure_points(out, &f, s, 2);
    } else if (which == 3) {
        figure_bars(out, &f, &t);
    } else if (which == 4) {
        figure_shares(out, &f, &t);
    } else {
        figure_map(out, &f, &t);
    }
}

static void make_runs(void) {
    for (int i = 0; i < STEPS; i++) {
        steps[i] = 2.5e6 * i / (STEPS - 1);
        for (int k = 0; k < 3; k++) {
            double fall = (0.3 + 0.3 * (k == 1)) * (1 - exp(-i / (6.0 + 4 * k)));
            for (int r = 0; r < RUNS; r++) {
                runs[k][r * STEPS + i] = 2.7 - fall + 0.02 * uniform();
            }
        }
    }
    runs[0][2 * STEPS + 10] = runs[2][20] = NAN;
}

static FILE *open_in(const char *folder, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

int main(int argc, char **argv) {
    static const char *const header[] = {"arm", "loss"}, *const cells[] = {"CLM `plain`", "2.30",
                                                                           "SLM <b>", "1.97"};
    static const char *const names[] = {"lines.svg", "log.svg",    "points.svg",
                                        "bars.svg",  "shares.svg", "map.svg"};
    static const page_finding holds = {.verdict = PAGE_HOLDS,
                                       .claim = "A claim",
                                       .found = "What was found.",
                                       .paper = "10x",
                                       .falsifier = "it is not"};
    static const page_finding depends = {.verdict = PAGE_DEPENDS,
                                         .words = "holds when there is noise",
                                         .claim = "Another",
                                         .found = "Found.\n\nAnd more.",
                                         .falsifier = "it does not",
                                         .beside = "uncorrected: holds",
                                         .beside_verdict = PAGE_HOLDS};
    heatmap_text texts[5];
    page p;
    if (argc != 2) {
        fputs("usage: pages DIR\n", stderr);
        return 2;
    }
    make_texts(texts);
    make_runs();
    FILE *out = open_in(argv[1], "view.html");
    if (heatmap_page(out, "View <test>", "Made-up data.", texts, 5) != 0) {
        return 1;
    }
    fclose(out);
    out = open_in(argv[1], "expected.json");
    write_expected(out);
    fclose(out);
    out = open_in(argv[1], "report.html");
    page_begin(&p, out, "Report <test>", "Made-up data, `code` and </style>.", "4 runs");
    page_claim(&p, &holds);
    page_claim(&p, &depends);
    page_section(&p, "A table & more", "Text with `code & <tags>`.");
    page_table(&p, "Results.", header, 2, cells, 2);
    for (int i = 0; i < 6; i++) {
        FILE *svg = open_in(argv[1], names[i]);
        draw(svg, 0, &i);
        fclose(svg);
        page_figure(&p, draw, &i, "What it shows.", "make repro && echo \"<done>\"", "a.csv");
    }
    page_details_begin(&p, "Settings");
    page_code(&p, "lr 1e-3 </pre>");
    page_details_end(&p);
    page_section(&p, "Tokens", NULL);
    if (page_heatmaps(&p, texts, 5) != 0) {
        return 1;
    }
    page_end(&p, "The end.");
    return fclose(out) == 0 ? 0 : 1;
}
