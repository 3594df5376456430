/* repro_runs_write.h: the runs of `make repro`, part 4: the CSVs that the report reads, from the runs that are finished. */
#ifndef REPRO_RUNS_WRITE_H
#define REPRO_RUNS_WRITE_H
#include "repro_runs_do.h"

static FILE *open_csv(const repro *r, const char *name, const char *header) {
    char path[400];
    FILE *out = fopen(repro_path(path, r, "", name, ".csv.part"), "wb");
    if (out == NULL) {
        fprintf(stderr, "%s: cannot be written\n", path);
        exit(1);
    }
    fputs(header, out);
    return out;
}

static void close_csv(const repro *r, const char *name, FILE *out) {
    char part[400], path[400];
    repro_path(part, r, "", name, ".csv.part");
    repro_path(path, r, "", name, ".csv");
    if (fclose(out) != 0 || rename(part, path) != 0) {
        fprintf(stderr, "%s: could not be written whole\n", path);
        exit(1);
    }
}

/* ---- curves.csv: all runs in the plan's order; a job that is another one again: its rows under this job's set and arm ---- */
static void write_rows(FILE *out, const repro *r, const job *j) {
    char path[400], *text, *row, *end;
    size_t size;
    int commas;
    must(slm_file_read(&text, &size, repro_path(path, r, "runs", repro_source(r, j)->name, ".csv"),
                       &experiment_error));
    row = strchr(text, '\n') + 1; /* past the header */
    for (; *row != 0; row = end + 1) {
        end = strchr(row, '\n');
        *end = 0;
        if (j->same_as < 0) {
            fprintf(out, "%s\n", row);
            continue;
        }
        for (commas = 0; commas < 7; row++)
            commas += *row == ',';
        fprintf(out, "%s,%s,%s,%llu", j->corpus, j->set, j->arm, (unsigned long long)j->s.seed);
        put(out, j->selection.ratio);
        put(out, j->s.noisy.noise);
        put(out, j->s.noisy.wrong);
        if (j->size > 0) {
            put(out, j->size);
            fprintf(out, "%s\n", strchr(row, ','));
        } else
            fprintf(out, ",%s\n", row);
    }
    slm_free(text);
}

static void write_curves(const repro *r) {
    FILE *out = open_csv(r, "curves", repro_columns);
    int i;
    for (i = 0; i < r->n; i++)
        if (repro_finished(r, &r->jobs[i])) write_rows(out, r, &r->jobs[i]);
    close_csv(r, "curves", out);
}

static void write_times(const repro *r) {
    FILE *out = open_csv(r, "times", "run,tokens,seconds\n");
    char path[400], *text;
    size_t size;
    int i;
    for (i = 0; i < r->n; i++) {
        if (r->jobs[i].same_as >= 0 ||
            !repro_exists(repro_path(path, r, "times", r->jobs[i].name, ".csv")))
            continue;
        must(slm_file_read(&text, &size, path, &experiment_error));
        fwrite(text, 1, size, out);
        slm_free(text);
    }
    close_csv(r, "times", out);
}

static void write_tuning(const repro *r) {
    FILE *out = open_csv(r, "tuning", "corpus,arm,lr,valid_loss,chosen\n");
    int i, k;
    for (i = 0; i < r->n; i++) {
        const job *j = &r->jobs[i];
        double loss, best = INFINITY;
        if (strcmp(j->set, "tune") != 0 || !repro_finished(r, j)) continue;
        loss = repro_last(r, j, REPRO_VALID_LOSS);
        for (k = 0; k < r->n; k++)
            if (strcmp(r->jobs[k].set, "tune") == 0 && strcmp(r->jobs[k].arm, j->arm) == 0 &&
                repro_finished(r, &r->jobs[k])) {
                double other = repro_last(r, &r->jobs[k], REPRO_VALID_LOSS);
                if (other < best) best = other;
            }
        fprintf(out, "%s,%s,%g,%.9g,%d\n", j->corpus, j->arm, j->lr, loss, loss == best);
    }
    close_csv(r, "tuning", out);
}

/* ---- the pieces' tokens (float32: row 0 the reference, row 1 the start, rows 2.. one every s.every steps) ---- */
typedef struct piece {
    char *bytes;
    const float *loss;
    size_t n, rows;
} piece;

static int piece_read(piece *p, const repro *r, const job *j, size_t n) {
    char path[400];
    size_t size;
    memset(p, 0, sizeof *p);
    if (!repro_exists(repro_path(path, r, "pieces", j->name, ".f32"))) return 0;
    must(slm_file_read(&p->bytes, &size, path, &experiment_error));
    p->loss = (const float *)(const void *)p->bytes;
    p->n = n;
    p->rows = size / sizeof(float) / n;
    return 1;
}

static size_t piece_size(const repro *r) { /* the built-in piece: bytes are tokens */
    corpus_text t;
    size_t n;
    (void)r;
    if (!corpus_make(&t, CORPUS_NOISY, &built_in.noisy, REPRO_PIECE_BYTES, REPRO_PIECE_SEED))
        must_have(NULL);
    n = t.size;
    corpus_free(&t);
    return n;
}

/* ---- trajectories.csv: figure 3.  A line is fitted to each token's losses l_0..l_n at the n+1 points; dL = slope * n ---- */
typedef enum trajectory { HH, LH, HL, LL, TRAJECTORIES } trajectory;

static trajectory trajectory_of(const double *loss, size_t points, double mean_at_end) {
    double n = (double)points - 1, sx = 0, sxy = 0, sxx = 0, sy = 0, change;
    size_t i;
    for (i = 0; i < points; i++) {
        double x = (double)i;
        sx += x;
        sy += loss[i];
        sxx += x * x;
        sxy += x * loss[i];
    }
    change = n * ((n + 1) * sxy - sx * sy) / ((n + 1) * sxx - sx * sx);
    if (change < -0.2) return HL;
    if (change > 0.2) return LH;
    return loss[points - 1] <= mean_at_end ? LL : HH;
}

/* The null: each token's losses in an order drawn by chance.  What classes has a token without any trend? */
static void shuffle(double *loss, size_t n, slm_rng *rng) {
    size_t i;
    for (i = n - 1; i > 0; i--) {
        size_t k = (size_t)slm_rng_below(rng, i + 1);
        double swap = loss[i];
        loss[i] = loss[k];
        loss[k] = swap;
    }
}

static void write_trajectories_of(FILE *out, const piece *p, const job *j, int null) {
    static const char *const names[TRAJECTORIES] = {"HH", "LH", "HL", "LL"};
    size_t points = p->rows - 2, i, k, count[TRAJECTORIES] = {0};
    double *sum = (double *)must_have(calloc(TRAJECTORIES * points, sizeof *sum)), loss[64],
           mean_at_end = 0;
    slm_rng rng = slm_rng_seed(j->s.seed);
    if (points > 64) points = 64;
    for (i = 1; i < p->n; i++)
        mean_at_end += (double)p->loss[(points + 1) * p->n + i] / (double)(p->n - 1);
    for (i = 1; i < p->n; i++) {
        trajectory c;
        for (k = 0; k < points; k++)
            loss[k] = (double)p->loss[(k + 2) * p->n + i];
        if (null) shuffle(loss, points, &rng);
        c = trajectory_of(loss, points, mean_at_end);
        count[c]++;
        for (k = 0; k < points; k++)
            sum[(size_t)c * points + k] += loss[k];
    }
    for (i = 0; i < TRAJECTORIES; i++)
        for (k = 0; k < points; k++) {
            fprintf(out, "%llu,%d,%s", (unsigned long long)j->s.seed, null, names[i]);
            put(out, (double)count[i] / (double)(p->n - 1));
            fprintf(out, ",%zu,%.0f", k + 1,
                    (double)(k + 1) * (double)j->s.every * j->s.B * j->s.T);
            put(out, sum[i * points + k] / (double)count[i]);
            fputc('\n', out);
        }
    free(sum);
}

static void write_trajectories(const repro *r, size_t n) {
    FILE *out = open_csv(r, "trajectories", "seed,null,class,share,point,tokens,mean_loss\n");
    int i;
    for (i = 0; i < r->n; i++) {
        const job *j = &r->jobs[i];
        piece p;
        if (!job_is_builtin(j) || !j->keep || strcmp(j->arm, "clm") != 0 ||
            !piece_read(&p, r, j, n))
            continue;
        write_trajectories_of(out, &p, j, 0);
        write_trajectories_of(out, &p, j, 1);
        slm_free(p.bytes);
    }
    close_csv(r, "trajectories", out);
}

/* ---- selections.csv: figure 8.  What a checkpoint would select on the piece, measured at every checkpoint; own: of the same
   run.  cross_seed: selected by a run of another seed (its losses, its reference), measured on this one ---- */
static void write_selections_of(FILE *out, const piece *by, const piece *on, const job *j,
                                const char *kind) {
    size_t points = on->rows - 2, n = on->n, s, k, i;
    slm_real *excess = (slm_real *)must_have(calloc(n, sizeof *excess));
    uint8_t *mask = (uint8_t *)must_have(calloc(n, 1));
    for (s = points / 5; s <= points; s += points / 5) {
        for (i = 1; i < n; i++)
            excess[i] = (slm_real)(by->loss[(s + 1) * n + i] - by->loss[i]);
        must(slm_select_top(mask + 1, excess + 1, NULL, n - 1, slm_select_count(REPRO_RATIO, n - 1),
                            &experiment_error));
        for (k = 1; k <= points; k++) {
            double sum = 0, count = 0;
            for (i = 1; i < n; i++)
                if (mask[i]) {
                    sum += (double)on->loss[(k + 1) * n + i];
                    count++;
                }
            fprintf(out, "%llu,%s,%zu,%zu,%.0f", (unsigned long long)j->s.seed, kind, s, k,
                    (double)k * (double)j->s.every * j->s.B * j->s.T);
            put(out, exp(sum / count));
            fputc('\n', out);
        }
    }
    free(excess);
    free(mask);
}

static void write_selections(const repro *r, size_t n) {
    FILE *out = open_csv(r, "selections", "seed,kind,selected_by,measured_at,tokens,perplexity\n");
    const job *run[64];
    piece p[64];
    int i, runs = 0;
    for (i = 0; i < r->n && runs < 64; i++)
        if (job_is_builtin(&r->jobs[i]) && r->jobs[i].keep && strcmp(r->jobs[i].arm, "slm") == 0 &&
            piece_read(&p[runs], r, &r->jobs[i], n))
            run[runs++] = &r->jobs[i];
    for (i = 0; i < runs; i++) {
        write_selections_of(out, &p[i], &p[i], run[i], "own");
        if (runs > 1) write_selections_of(out, &p[(i + 1) % runs], &p[i], run[i], "cross_seed");
    }
    for (i = 0; i < runs; i++)
        slm_free(p[i].bytes);
    close_csv(r, "selections", out);
}

/* ---- settings.csv ---- */
static void put_setting(FILE *out, const char *corpus, const char *what, double value) {
    fprintf(out, "%s %s,%.10g\n", corpus, what, value);
}

static void put_settings(FILE *out, const char *corpus, const settings *s) {
    if (strcmp(corpus, "builtin") == 0) {
        put_setting(out, corpus, "target share of documents", s->noisy.target);
        put_setting(out, corpus, "noise share of bytes", s->noisy.noise);
        put_setting(out, corpus, "wrong share of steps", s->noisy.wrong);
    }
    put_setting(out, corpus, "general bytes", (double)s->general_bytes);
    put_setting(out, corpus, "noisy bytes", (double)s->noisy_bytes);
    put_setting(out, corpus, "clean bytes", (double)s->clean_bytes);
    put_setting(out, corpus, "eval bytes", (double)s->eval_bytes);
    put_setting(out, corpus, "vocab", s->model.vocab);
    put_setting(out, corpus, "dim", s->model.dim);
    put_setting(out, corpus, "layers", s->model.n_layers);
    put_setting(out, corpus, "heads", s->model.n_heads);
    put_setting(out, corpus, "ffn", s->model.ffn);
    put_setting(out, corpus, "sequences per step", s->B);
    put_setting(out, corpus, "tokens per sequence", s->T);
    put_setting(out, corpus, "base steps", (double)s->base_steps);
    put_setting(out, corpus, "base lr", s->base_lr);
    put_setting(out, corpus, "reference steps", (double)s->tune_steps);
    put_setting(out, corpus, "reference lr", s->tune_lr);
    put_setting(out, corpus, "steps", (double)s->steps);
    put_setting(out, corpus, "steps between points", (double)s->every);
}

static void write_settings(const repro *r, FILE *out) {
    const settings files = settings_for_files(r);
    fprintf(out, "key,value\nquick,%d\nratio,%g\n", r->quick, REPRO_RATIO);
    put_settings(out, "builtin", &built_in);
    put_settings(out, r->raw != NULL ? "user" : "openstax", &files);
    if (r->raw != NULL) fprintf(out, "raw,%s\nclean,%s\neval,%s\n", r->raw, r->clean, r->eval);
    fprintf(out, "held-out piece bytes,%d\nseeds,%d\ntuned lr,%g %g %g\n", REPRO_PIECE_BYTES,
            r->quick ? 1 : REPRO_SEEDS, tuning_rates[0], tuning_rates[1], tuning_rates[2]);
    fprintf(out, "optimizer,AdamW 0.9 0.95; weight decay 0.1; clip 1; warm-up a twentieth of the "
                 "steps then a cosine to a tenth\n");
    fprintf(out, "slm.h,%s\ncompiler,%s\n", SLM_VERSION, REPRO_COMPILER);
}

void repro_write(const repro *r) {
    size_t n = piece_size(r);
    write_curves(r);
    write_times(r);
    write_tuning(r);
    write_trajectories(r, n);
    write_selections(r, n);
}
#endif
