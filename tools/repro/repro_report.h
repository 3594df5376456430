/* repro_report.h: the report of `make repro`: verdicts, figures, tables and the token view, from the CSVs in a folder.
 * Include after slm.h and experiment.h.
 *
 *     repro_report("build/repro")   reads curves.csv and, where they are there, times.csv, trajectories.csv, selections.csv,
 *                                   tuning.csv, settings.csv, models/, models_openstax/;
 *                                   writes report.html, claims.csv, results.md, result.svg, and an SVG and a CSV per figure
 *
 * Returns 0, or 1 after saying on stderr what is wrong.  The same files give the same bytes.  What was not run is left out, with
 * a sentence that says so. */
#ifndef REPRO_REPORT_H
#define REPRO_REPORT_H
#include "repro_report_draw.h"
#include "repro_report_curves.h"
#include "repro_report_mechanism.h"
#include "repro_report_selection.h"
#include "repro_report_sweeps.h"
#include "repro_report_claims.h"
#include "repro_report_verdicts.h"
#include "repro_report_limits.h"
#include "repro_report_tokens.h"
#include "repro_report_page.h"

/* ---- verdicts ---- */
/* Part by part, so that claims.csv and the page have the same order. */
static inline void report_decide(findings *r) {
    for (r->part = 0; r->part < 3; r->part++) {
        for (size_t i = 0; i < REPORT_CORPORA; i++) {
            const char *c = report_corpora[i];
            if (r->part == 0 &&
                (i < 2 ||
                 report_has_corpus(r, c))) { /* the goal names the first two: open if not run */
                claims_sooner(r, c, TARGET_LOSS);
                if (curves_has_accuracy(r, c)) {
                    claims_sooner(r, c, TARGET_ACCURACY);
                }
            }
            if (!report_has_corpus(r, c)) {
                continue;
            }
            if (r->part == 0) {
                claims_controls(r, c);
                claims_cost(r, c);
            }
            if (r->part == 1) {
                claims_clean(r, c);
            }
            if (r->part == 2) {
                verdict_figure6(r, c);
            }
        }
        if (r->part == 0) {
            verdict_map(r);
        }
        if (r->part == 1) {
            claims_less_clean(r);
        }
        if (r->part == 2) {
            verdict_figure7(r);
            verdict_mechanism(r);
            verdict_figure3(r);
            verdict_figure8(r);
            verdict_figure9(r);
        }
    }
    verdict_self(r);
    verdict_weak(r);
    claims_null(r);
    claims_negative(r);
    claims_scratch(r);
}

static inline void report_claims_csv(findings *r) {
    char command[160];
    FILE *out = draw_open(r, "claims", ".csv");
    if (out == NULL) {
        return;
    }
    fputs("claim,verdict,statement,found,paper,falsifier,command\n", out);
    for (size_t i = 0; i < r->n_claims; i++) {
        const claim *c = &r->claims[i];
        const char *cells[7] = {c->id,
                                c->words,
                                c->title,
                                c->found,
                                c->paper,
                                c->falsifier,
                                draw_command(command, sizeof command, c->set)};
        for (size_t j = 0; j < 7; j++) {
            if (j > 0) {
                fputc(',', out);
            }
            csv_write(out, cells[j]);
        }
        fputc('\n', out);
    }
    draw_close(r, out, "claims.csv");
}

/* A cell of a Markdown table: no bars, no line ends. */
static inline void report_markdown(FILE *out, const char *text) {
    for (fputs("| ", out); *text != '\0'; text++) {
        fputs((char[3]){*text == '|'    ? '\\'
                        : *text == '\n' ? ' '
                                        : *text,
                        *text == '|' ? '|' : '\0', '\0'},
              out);
    }
    fputc(' ', out);
}

static inline void report_results(findings *r) {
    char command[160];
    FILE *out = draw_open(r, "results", ".md");
    if (out == NULL) {
        return;
    }
    fputs("| claim | verdict | measured | in the paper | command |\n|---|---|---|---|---|\n", out);
    for (size_t i = 0; i < r->n_claims; i++) {
        const claim *c = &r->claims[i];
        char verdict[100], code[180];
        snprintf(verdict, sizeof verdict, "**%s**", c->words);
        snprintf(code, sizeof code, "`%s`", draw_command(command, sizeof command, c->set));
        report_markdown(out, c->title);
        report_markdown(out, verdict);
        report_markdown(out, c->brief[0] ? c->brief : c->found);
        report_markdown(out, c->paper);
        report_markdown(out, code);
        fputs("|\n", out);
    }
    draw_close(r, out, "results.md");
}

/* ---- all of it ---- */
static inline int repro_report(const char *dir) {
    static findings r;
    char why[400];
    FILE *out;
    memset(&r, 0, sizeof r);
    r.dir = dir;
    if (!data_load(&r.d, dir, why, sizeof why)) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    report_decide(&r);
    report_claims_csv(&r);
    report_results(&r);
    if ((out = draw_open(&r, "report", ".html")) != NULL) {
        report_page(&r, out);
        draw_close(&r, out, "report.html");
    }
    for (draw_room *next; r.rooms != NULL; r.rooms = next) {
        next = r.rooms->next;
        free(r.rooms);
    }
    data_free(&r.d);
    if (!r.failed) {
        printf("%s/report.html: %zu claims, %d figures\n", dir, r.n_claims, r.page.figures);
    }
    return r.failed;
}
#endif
