/* claims.c: how a claim is decided and written: its tests, its verdict, its rows in two files. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "common/cli.h"
#include "csv_out.h"
#include "rules.h"

#define SIGNIFICANT 0.05

const char *const parts[N_PARTS] = {
    "Is it sooner?", "Does it give what the clean text alone cannot?",
    "Is the mechanism the paper's?", "Other references, scale, and controls"};

const char *verdict_name(page_verdict verdict) {
    static const char *const names[] = {"holds", "does not hold", "holds in part", "open"};
    return names[verdict];
}

/* ---- tests ---- */
static void add_missing(claim *c, const char *what) {
    c->tests.missing++;
    if (strstr(c->missing, what) != NULL) return;
    SAY(c->missing, "%s%s", c->missing[0] != '\0' ? "; " : "", what);
}

void claim_test(claim *c, const char *what, estimate e, double level, side wanted) {
    claim_tests *t = &c->tests;
    double p = stats_p(e, level);
    double above = e.value - level;
    if (e.n == 0 || isnan(above)) {
        add_missing(c, what);
        return;
    }
    int is_wanted = wanted == ABOVE ? above > 0 : above < 0;
    int is_other = wanted == ABOVE ? above < 0 : above > 0;
    if (t->n == 0) {
        t->seeds = e.n;
        t->p_yes = 0;
        t->p_no = 1;
    }
    t->n++;
    t->yes += is_wanted != 0;
    t->no += is_other != 0;
    t->seeds = e.n < t->seeds ? e.n : t->seeds;
    t->p_yes = fmax(t->p_yes, is_wanted ? p : 1);
    if (is_other) t->p_no = fmin(t->p_no, p);
}

void claim_test_ends(claim *c, const char *what, const char *corpus, estimate loss,
                     estimate accuracy) {
    claim_test(c, what, loss, 0, BELOW);
    if (!data_has_accuracy(c->data, corpus)) return;
    claim_test(c, loss.n > 0 ? make_text("%s, by accuracy", what) : what, accuracy, 0, ABOVE);
}

/* What too few seeds point to, which is no verdict. */
static void say_direction(claim *c) {
    const claim_tests *t = &c->tests;
    const char *direction = "neither to yes nor to no";
    if (t->no > 0) direction = "to no";
    if (t->yes == t->n && t->missing == 0) direction = "to yes";
    SAY(c->found, "  %s: it points %s; %d seeds are needed for a verdict.",
        t->seeds == 1 ? "One seed" : "Two seeds", direction, ENOUGH_SEEDS);
}

void claim_judge(claim *c) {
    const claim_tests *t = &c->tests;
    c->verdict = PAGE_OPEN;
    c->measured = t->n > 0;
    if (t->n == 0) {
        SAY(c->found, "%sNot measured in this run of make repro.", c->found[0] ? "  " : "");
        return;
    }
    if (t->missing > 0) {
        SAY(c->found, "  Not run: %s; without that it cannot hold.", c->missing);
        SAY(c->brief, " (not all was run)");
    }
    if (t->seeds < ENOUGH_SEEDS) {
        say_direction(c);
        return;
    }
    double p_no = fmin(1, t->p_no * (double)(t->n + t->missing));
    double p_yes = t->missing > 0 ? 1 : t->p_yes;
    c->p = fmin(p_yes, p_no);
    if (p_yes <= SIGNIFICANT) {
        c->verdict = PAGE_HOLDS;
    } else if (t->no > 0 && p_no <= SIGNIFICANT) {
        c->verdict = PAGE_FAILS;
    } else if (t->missing == 0) {
        SAY(c->found, "  Within seed noise.");
    }
}

void claim_judge_exact(claim *c, int holds) {
    c->tests.n = 1;
    c->measured = 1;
    c->verdict = holds ? PAGE_HOLDS : PAGE_FAILS;
    c->corrected = c->verdict;
}

/* "0.003", "under 0.0001". */
static const char *p_text(double p) {
    if (p < 0.0001) return "under 0.0001";
    return make_text("%.*f", p < 0.01 ? 4 : 2, p);
}

static void correct_family(findings *all, int family) {
    double p[MAX_CLAIMS], adjusted[MAX_CLAIMS];
    for (size_t i = 0; i < all->n_claims; i++)
        p[i] = all->claims[i].family == family ? all->claims[i].p : NAN;
    stats_holm(adjusted, p, all->n_claims, all->family[family]);
    for (size_t i = 0; i < all->n_claims; i++) {
        claim *c = &all->claims[i];
        if (isnan(p[i])) continue;
        c->p_holm = adjusted[i];
        c->corrected = adjusted[i] <= SIGNIFICANT ? c->verdict : PAGE_OPEN;
        SAY(c->found, "  p %s; corrected for %zu claims %s: %s.", p_text(c->p),
            all->family[family], p_text(c->p_holm), verdict_name(c->corrected));
    }
}

void claims_correct(findings *all) {
    for (int family = 0; family < N_FAMILIES; family++)
        correct_family(all, family);
}

/* ---- what was found ---- */
/* A number without "-0.0". */
static const char *number_text(double v, int digits) {
    const char *text = make_text("%.*f", digits, v);
    int is_zero = strspn(text + 1, "0.") == strlen(text + 1);
    return text[0] == '-' && is_zero ? text + 1 : text;
}

/* "0.052 [0.041, 0.060]". */
static const char *estimate_text(estimate e, int digits) {
    const char *value = number_text(e.value, digits);
    if (e.n < 2) return value;
    return make_text("%s [%s, %s]", value, number_text(e.low, digits), number_text(e.high, digits));
}

void claim_number(claim *c, const char *before, estimate e, int digits, const char *after) {
    if (e.n > 0) SAY(c->found, "%s%s%s", before, estimate_text(e, digits), after);
}

void claim_brief(claim *c, const char *before, estimate e, int digits, const char *after) {
    const char *separator = c->brief[0] != '\0' ? "; " : "";
    if (e.n > 0) SAY(c->brief, "%s%s%s%s", separator, before, estimate_text(e, digits), after);
}

void claim_both(claim *c, const char *brief, const char *found, estimate e, int digits) {
    claim_brief(c, brief, e, digits, "");
    claim_number(c, found, e, digits, "");
}

/* Where an arm was tried at several ratios, the one that stands for it was chosen. */
static void say_ratios(claim *c, const data_group *g) {
    size_t n = data_count_ratios(c->data, g);
    const char *text = make_text(
        "  \"%s\" is the best of %zu ratios by the loss on the valid part.", g->label, n);
    if (n > 1 && strstr(c->found, text) == NULL) SAY(c->found, "%s", text);
}

void claim_say_ends(claim *c, const data_group *a, const data_group *b) {
    estimate loss = data_difference(a, b, TARGET_LOSS);
    estimate points = stats_scale(data_difference(a, b, TARGET_ACCURACY), 100);
    double exact[2] = {100 * data_mean_end(a, EXACT), 100 * data_mean_end(b, EXACT)};
    const char *which = same_text(c->corpus, "facts") ? "loss of the answers" : "target loss";
    if (loss.n == 0) return;
    SAY(c->found, "%s%s ends at %s %.3f, \"%s\" at %.3f", c->found[0] ? "  " : "",
        a->label, which, data_mean_end(a, TARGET_LOSS), b->label, data_mean_end(b, TARGET_LOSS));
    claim_number(c, ": difference ", loss, 4, "");
    claim_number(c, "; in accuracy ", points, 1, " points");
    SAY(c->found, " (%zu seed%s).", loss.n, plural(loss.n));
    if (isfinite(exact[0]) && isfinite(exact[1]))
        SAY(c->found, "  Answers that are right in every byte: %.1f%% against %.1f%%.", exact[0],
            exact[1]);
    say_ratios(c, a);
    say_ratios(c, b);
    claim_brief(c, "loss ", loss, 3, make_text(" against %s", b->label));
    claim_brief(c, "accuracy ", points, 1, " points");
}

void claim_better(claim *c, const data_group *a, const data_group *b) {
    claim_say_ends(c, a, b);
    claim_test_ends(c, make_text("%s against %s", a->label, b->label), c->corpus,
                    data_difference(a, b, TARGET_LOSS), data_difference(a, b, TARGET_ACCURACY));
}

/* ---- files ---- */
void claims_write_csv(findings *all) {
    csv_out out;
    if (!csv_open(&out, all->dir, "claims",
                  "claim,verdict,p,verdict_corrected,p_corrected,statement,found,measured,paper,"
                  "falsifier,command\n")) {
        all->failed = 1;
        return;
    }
    for (size_t i = 0; i < all->n_claims; i++) {
        const claim *c = &all->claims[i];
        const char *const cells[6] = {c->title,      c->found,          c->brief,
                                      c->row->paper, c->row->falsifier, command_of(c->row->set)};
        csv_put_text(&out, c->id);
        csv_put_text(&out, verdict_name(c->verdict));
        csv_put_number(&out, c->p);
        csv_put_text(&out, verdict_name(c->corrected));
        csv_put_number(&out, c->p_holm);
        for (size_t k = 0; k < 6; k++)
            csv_put_text(&out, cells[k]);
        csv_end_row(&out);
    }
    if (!csv_close(&out)) all->failed = 1;
}

/* A cell of a Markdown table: bars are escaped, line ends become spaces. */
static void put_markdown(FILE *out, const char *text) {
    fputs("| ", out);
    for (; *text != '\0'; text++) {
        if (*text == '|') fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
    fputc(' ', out);
}

/* What README's first page asks: one corpus each. */
static const char *const first_page[] = {
    "sooner-builtin",  "naive-builtin",    "cost-builtin", "clean-beats-builtin",
    "facts-selection", "facts-documents",  "labels",       "negative-control",
    NULL};

/* What README's table shows, on each corpus. */
static const char *const headlines[] = {
    "sooner",          "five-times",       "naive",
    "cost",            "multiplier",       "beats-clean",
    "clean-beats",     "by-clean-clean",   "adds-to-clean",
    "documents",       "adds-to-documents", "facts-selection",
    "facts-documents", "labels",           "sizes",
    "negative-control", "announced-selection", "announced-random",
    "announced-documents", "announced-clean", NULL};

static int is_among(const char *id, const char *const *list) {
    for (; *list != NULL; list++)
        if (same_text(*list, id)) return 1;
    return 0;
}

static const char *measured_text(const claim *c) {
    return c->brief[0] != '\0' ? c->brief : c->found;
}

static void write_table(findings *all, const char *name, const char *const *only) {
    FILE *out = open_output(all, name, ".md");
    if (out == NULL) return;
    fputs("| claim | verdict | before the correction | measured | in the paper | set |\n"
          "|---|---|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < all->n_claims; i++) {
        const claim *c = &all->claims[i];
        if (only != NULL && !is_among(c->row->id, only)) continue;
        put_markdown(out, c->title);
        put_markdown(out, make_text("**%s**", verdict_name(c->corrected)));
        put_markdown(out, verdict_name(c->verdict));
        put_markdown(out, measured_text(c));
        put_markdown(out, c->row->paper);
        put_markdown(out, make_text("`%s`", c->row->set));
        fputs("|\n", out);
    }
    close_output(all, out, name, ".md");
}

static void write_first_page(findings *all) {
    FILE *out = open_output(all, "short", ".md");
    if (out == NULL) return;
    fputs("| claim | verdict | before the correction | measured |\n|---|---|---|---|\n", out);
    for (size_t i = 0; i < all->n_claims; i++) {
        const claim *c = &all->claims[i];
        if (!is_among(c->id, first_page)) continue;
        put_markdown(out, c->title);
        put_markdown(out, make_text("**%s**", verdict_name(c->corrected)));
        put_markdown(out, verdict_name(c->verdict));
        put_markdown(out, measured_text(c));
        fputs("|\n", out);
    }
    close_output(all, out, "short", ".md");
}

void claims_write_markdown(findings *all) {
    write_table(all, "results", NULL);
    write_table(all, "headlines", headlines);
    write_first_page(all);
}
