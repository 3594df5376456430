/* claims.c: how a claim is written: its numbers, its verdict, its rows in two files. */
#include <stdio.h>
#include <string.h>
#include "csv_out.h"
#include "rules.h"

const char *const parts[N_PARTS] = {
    "Is it sooner?", "Does it give what the clean text alone cannot?",
    "Is the mechanism the paper's?", "Other references, and controls"};

void claim_say(claim *c, page_verdict verdict, const char *words) {
    static const char *const names[] = {"holds", "does not hold", "holds in part", "open"};
    c->verdict = verdict;
    snprintf(c->words, sizeof c->words, "%s", words != NULL ? words : names[verdict]);
}

int claim_has_seeds(claim *c, size_t seeds) {
    static const char *const words[ENOUGH_SEEDS] = {"open: not measured", "open: one seed",
                                                    "open: two seeds"};
    if (seeds >= ENOUGH_SEEDS) return 1;
    claim_say(c, PAGE_OPEN, words[seeds]);
    c->measured = seeds > 0;
    if (seeds == 0)
        SAY(c->found, "%sNot measured in this run of make repro.", c->found[0] ? "  " : "");
    return 0;
}

/* What too few seeds point to, which is no verdict. */
static void say_direction(claim *c, int holds, int partly, int fails) {
    const char *direction = "to neither yes nor no";
    if (holds) direction = "to yes";
    if (partly) direction = "to yes, in part";
    if (fails) direction = "to no";
    SAY(c->found, "  It points %s; %d seeds are needed for a verdict.", direction, ENOUGH_SEEDS);
}

void claim_decide(claim *c, size_t seeds, int holds, int partly, const char *words, int fails) {
    if (!claim_has_seeds(c, seeds)) {
        if (c->measured) say_direction(c, holds, partly, fails);
        return;
    }
    if (holds)
        claim_say(c, PAGE_HOLDS, NULL);
    else if (partly)
        claim_say(c, PAGE_DEPENDS, words);
    else if (fails)
        claim_say(c, PAGE_FAILS, NULL);
    else
        claim_say(c, PAGE_OPEN, "open: within seed noise");
}

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

void claims_write_csv(findings *all) {
    csv_out out;
    if (!csv_open(&out, all->dir, "claims",
                  "claim,verdict,statement,found,paper,falsifier,command\n")) {
        all->failed = 1;
        return;
    }
    for (size_t i = 0; i < all->n_claims; i++) {
        const claim *c = &all->claims[i];
        const char *const cells[7] = {c->id,          c->words,          c->title,
                                      c->found,       c->row->paper,     c->row->falsifier,
                                      command_of(c->row->set)};
        for (size_t k = 0; k < 7; k++)
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

void claims_write_markdown(findings *all) {
    FILE *out = open_output(all, "results", ".md");
    if (out == NULL) return;
    fputs("| claim | verdict | measured | in the paper | command |\n|---|---|---|---|---|\n", out);
    for (size_t i = 0; i < all->n_claims; i++) {
        const claim *c = &all->claims[i];
        put_markdown(out, c->title);
        put_markdown(out, make_text("**%s**", c->words));
        put_markdown(out, c->brief[0] != '\0' ? c->brief : c->found);
        put_markdown(out, c->row->paper);
        put_markdown(out, make_text("`%s`", command_of(c->row->set)));
        fputs("|\n", out);
    }
    close_output(all, out, "results", ".md");
}
