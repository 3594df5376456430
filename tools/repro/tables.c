/* tables.c: the CSVs that the report reads, from the runs that are finished. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/text.h"
#include "csv_out.h"
#include "jobs.h"

static csv_out open_table(const repro *r, const char *name, const char *header) {
    csv_out out;
    if (!csv_open(&out, r->out, name, header)) exit(1);
    return out;
}

static void close_table(csv_out *out) {
    if (!csv_close(out)) exit(1);
}

/* ---- curves.csv: all runs in the plan's order ---- */
enum { KEY_COLUMNS = 8 }; /* corpus, set, arm, seed, ratio, noise, wrong, size */

/* Writes the keys of a job that repeats another; an unknown size is the other's. */
static void put_keys(csv_out *out, const job *j, const char *size) {
    csv_put(out, "%s", j->corpus);
    csv_put(out, "%s", j->set);
    csv_put(out, "%s", j->arm);
    csv_put(out, "%llu", (unsigned long long)j->s.seed);
    csv_put_number(out, j->selection.ratio);
    csv_put_number(out, j->s.noisy.noise);
    csv_put_number(out, j->s.noisy.wrong);
    if (j->size > 0)
        csv_put_number(out, j->size);
    else
        csv_put(out, "%s", size);
}

/* A run's rows; of a job that repeats another, the other's rows under this job's keys. */
static void put_run(csv_out *out, const repro *r, const job *j) {
    char path[REPRO_PATH_SIZE];
    csv_table t;
    repro_path(path, r, "runs", job_source(r, j)->name, ".csv");
    if (csv_load(&t, path) != CSV_READ) return; /* scores have no rows */
    for (size_t row = 0; row < t.rows; row++) {
        size_t first = 0;
        if (j->same_as != NO_JOB) {
            put_keys(out, j, csv_text(&t, row, KEY_COLUMNS - 1));
            first = KEY_COLUMNS;
        }
        for (size_t i = first; i < t.cols; i++)
            csv_put(out, "%s", csv_text(&t, row, (int)i));
        csv_end_row(out);
    }
    csv_free(&t);
}

static void write_curves(const repro *r) {
    csv_out out = open_table(r, "curves", repro_curve_columns);
    for (int i = 0; i < r->n; i++)
        if (job_is_finished(r, &r->jobs[i])) put_run(&out, r, &r->jobs[i]);
    close_table(&out);
}

static void write_times(const repro *r) {
    csv_out out = open_table(r, "times", "run,tokens,seconds\n");
    for (int i = 0; i < r->n; i++) {
        char path[REPRO_PATH_SIZE], *text;
        size_t size;
        repro_path(path, r, "times", r->jobs[i].name, ".csv");
        if (r->jobs[i].same_as != NO_JOB || !repro_exists(path)) continue;
        must(slm_file_read(&text, &size, path, &experiment_error));
        fwrite(text, 1, size, out.file);
        slm_free(text);
    }
    close_table(&out);
}

/* ---- tuning.csv: the learning rates that were tried ---- */
static int is_tuning_of(const repro *r, const job *j, const char *arm) {
    return strcmp(j->set, "tune") == 0 && strcmp(j->arm, arm) == 0 && job_is_finished(r, j);
}

static double best_valid_loss(const repro *r, const char *arm) {
    double best = INFINITY;
    for (int i = 0; i < r->n; i++) {
        if (!is_tuning_of(r, &r->jobs[i], arm)) continue;
        double loss = job_valid_loss(r, &r->jobs[i]);
        if (loss < best) best = loss;
    }
    return best;
}

static void write_tuning(const repro *r) {
    csv_out out = open_table(r, "tuning", "corpus,arm,lr,valid_loss,chosen\n");
    for (int i = 0; i < r->n; i++) {
        const job *j = &r->jobs[i];
        if (!is_tuning_of(r, j, j->arm)) continue;
        double loss = job_valid_loss(r, j);
        csv_put(&out, "%s", j->corpus);
        csv_put(&out, "%s", j->arm);
        csv_put(&out, "%g", j->lr);
        csv_put(&out, "%.9g", loss);
        csv_put(&out, "%d", loss == best_valid_loss(r, j->arm));
        csv_end_row(&out);
    }
    close_table(&out);
}

/* ---- the pieces: row 0 by the reference, row 1 at the start, then one every s.every steps ---- */
enum { MAX_POINTS = 64, MAX_PIECES = 64, ROWS_BEFORE = 2, SELECTIONS = 5 };

typedef struct piece {
    char *bytes;
    const float *loss; /* (rows, n) */
    size_t n, rows;
} piece;

/* Tokens of the built-in piece: its bytes. */
static size_t piece_size(void) {
    corpus_text t;
    if (!corpus_make(&t, CORPUS_NOISY, &repro_built_in.noisy, REPRO_PIECE_BYTES, REPRO_PIECE_SEED))
        must_have(NULL);
    size_t n = t.size;
    corpus_free(&t);
    return n;
}

/* Reads the piece of a job of the built-in corpus that was kept; returns 0 if it has none. */
static int read_piece(piece *p, const repro *r, const job *j, const char *arm, size_t n) {
    char path[REPRO_PATH_SIZE];
    size_t size;
    repro_path(path, r, "pieces", j->name, ".f32");
    if (!job_is_builtin(j) || !j->keep || strcmp(j->arm, arm) != 0 || !repro_exists(path)) return 0;
    must(slm_file_read(&p->bytes, &size, path, &experiment_error));
    p->loss = (const float *)(const void *)p->bytes;
    p->n = n;
    p->rows = size / sizeof(float) / n;
    return 1;
}

static const float *losses_at(const piece *p, size_t point) {
    return p->loss + (point + 1) * p->n;
}

static double tokens_at(const job *j, size_t point) {
    return (double)point * (double)j->s.every * j->s.B * j->s.T;
}

/* ---- trajectories.csv: figure 3.  A line is fitted to each token's losses l_0 .. l_n ---- */
typedef enum trajectory { HH, LH, HL, LL, TRAJECTORIES } trajectory;

/* The class of a token: its loss falls or rises by more than 0.2 along the line, or stays high or
   low against the mean at the end. */
static trajectory trajectory_of(const double *loss, size_t points, double mean_at_end) {
    const double threshold = 0.2;
    double n = (double)points - 1;
    double sx = 0, sxy = 0, sxx = 0, sy = 0;
    for (size_t i = 0; i < points; i++) {
        double x = (double)i;
        sx += x;
        sy += loss[i];
        sxx += x * x;
        sxy += x * loss[i];
    }
    double change = n * ((n + 1) * sxy - sx * sy) / ((n + 1) * sxx - sx * sx);
    if (change < -threshold) return HL;
    if (change > threshold) return LH;
    return loss[points - 1] <= mean_at_end ? LL : HH;
}

/* The null: each token's losses in an order drawn by chance.  What classes has a token without any
   trend? */
static void shuffle(double *loss, size_t n, slm_rng *rng) {
    for (size_t i = n - 1; i > 0; i--) {
        size_t k = (size_t)slm_rng_below(rng, i + 1);
        double swap = loss[i];
        loss[i] = loss[k];
        loss[k] = swap;
    }
}

typedef enum order { AS_TRAINED, SHUFFLED } order;

/* Of each class: how many tokens, and the sum of their losses at each point. */
typedef struct classes {
    size_t count[TRAJECTORIES];
    double sum[TRAJECTORIES][MAX_POINTS];
} classes;

static void classify(classes *out, const piece *p, size_t points, uint64_t seed, order in) {
    slm_rng rng = slm_rng_seed(seed);
    double loss[MAX_POINTS];
    double mean_at_end = 0;
    memset(out, 0, sizeof *out);
    for (size_t i = 1; i < p->n; i++)
        mean_at_end += (double)losses_at(p, points)[i] / (double)(p->n - 1);
    for (size_t i = 1; i < p->n; i++) {
        for (size_t k = 0; k < points; k++)
            loss[k] = (double)losses_at(p, k + 1)[i];
        if (in == SHUFFLED) shuffle(loss, points, &rng);
        trajectory class_of_token = trajectory_of(loss, points, mean_at_end);
        out->count[class_of_token]++;
        for (size_t k = 0; k < points; k++)
            out->sum[class_of_token][k] += loss[k];
    }
}

static void put_trajectories(csv_out *out, const piece *p, const job *j, order in) {
    static const char *const names[TRAJECTORIES] = {"HH", "LH", "HL", "LL"};
    size_t points = p->rows - ROWS_BEFORE;
    classes all;
    if (points > MAX_POINTS) points = MAX_POINTS;
    classify(&all, p, points, j->s.seed, in);
    for (size_t i = 0; i < TRAJECTORIES; i++) {
        double count = (double)all.count[i];
        for (size_t k = 0; k < points; k++) {
            csv_put(out, "%llu", (unsigned long long)j->s.seed);
            csv_put(out, "%d", in == SHUFFLED);
            csv_put(out, "%s", names[i]);
            csv_put_number(out, count / (double)(p->n - 1));
            csv_put(out, "%zu", k + 1);
            csv_put(out, "%.0f", tokens_at(j, k + 1));
            csv_put_number(out, all.sum[i][k] / count);
            csv_end_row(out);
        }
    }
}

static void write_trajectories(const repro *r, size_t n) {
    csv_out out = open_table(r, "trajectories", "seed,null,class,share,point,tokens,mean_loss\n");
    for (int i = 0; i < r->n; i++) {
        piece p;
        if (!read_piece(&p, r, &r->jobs[i], "clm", n)) continue;
        put_trajectories(&out, &p, &r->jobs[i], AS_TRAINED);
        put_trajectories(&out, &p, &r->jobs[i], SHUFFLED);
        slm_free(p.bytes);
    }
    close_table(&out);
}

/* ---- selections.csv: figure 8.  What a checkpoint would select on the piece, measured at every
   checkpoint.  own: of the same run; cross_seed: selected by a run of another seed (its losses, its
   reference), measured on this one ---- */
static double perplexity(const float *loss, const uint8_t *mask, size_t n) {
    double sum = 0, count = 0;
    for (size_t i = 1; i < n; i++) {
        if (!mask[i]) continue;
        sum += (double)loss[i];
        count++;
    }
    return exp(sum / count);
}

static void put_selections(csv_out *out, const piece *by, const piece *on, const job *j,
                           const char *kind) {
    size_t points = on->rows - ROWS_BEFORE;
    size_t step = points / SELECTIONS;
    size_t n = on->n;
    size_t k = slm_select_count(REPRO_RATIO, n - 1);
    slm_real *excess = (slm_real *)must_alloc(n, sizeof *excess);
    uint8_t *mask = (uint8_t *)must_alloc(n, 1);
    for (size_t from = step; step > 0 && from <= points; from += step) {
        for (size_t i = 1; i < n; i++)
            excess[i] = (slm_real)(losses_at(by, from)[i] - by->loss[i]);
        must(slm_select_top(mask + 1, excess + 1, NULL, n - 1, k, &experiment_error));
        for (size_t point = 1; point <= points; point++) {
            csv_put(out, "%llu", (unsigned long long)j->s.seed);
            csv_put(out, "%s", kind);
            csv_put(out, "%zu", from);
            csv_put(out, "%zu", point);
            csv_put(out, "%.0f", tokens_at(j, point));
            csv_put_number(out, perplexity(losses_at(on, point), mask, n));
            csv_end_row(out);
        }
    }
    free(excess);
    free(mask);
}

static void write_selections(const repro *r, size_t n) {
    csv_out out =
        open_table(r, "selections", "seed,kind,selected_by,measured_at,tokens,perplexity\n");
    const job *run[MAX_PIECES];
    piece p[MAX_PIECES];
    int runs = 0;
    for (int i = 0; i < r->n && runs < MAX_PIECES; i++)
        if (read_piece(&p[runs], r, &r->jobs[i], "slm", n)) run[runs++] = &r->jobs[i];
    for (int i = 0; i < runs; i++) {
        put_selections(&out, &p[i], &p[i], run[i], "own");
        if (runs > 1) put_selections(&out, &p[(i + 1) % runs], &p[i], run[i], "cross_seed");
    }
    for (int i = 0; i < runs; i++)
        slm_free(p[i].bytes);
    close_table(&out);
}

void repro_write_tables(const repro *r) {
    size_t n = piece_size();
    write_curves(r);
    write_times(r);
    write_tuning(r);
    write_trajectories(r, n);
    write_selections(r, n);
}

/* ---- settings.csv ---- */
static void put_settings(FILE *out, const char *corpus, const settings *s) {
    const struct {
        const char *name;
        double value;
    } mix[3] = {{"target share of documents", s->noisy.target},
                {"noise share of bytes", s->noisy.noise},
                {"wrong share of steps", s->noisy.wrong}},
      all[17] = {{"general bytes", (double)s->general_bytes},
                 {"noisy bytes", (double)s->noisy_bytes},
                 {"clean bytes", (double)s->clean_bytes},
                 {"eval bytes", (double)s->eval_bytes},
                 {"vocab", s->model.vocab},
                 {"dim", s->model.dim},
                 {"layers", s->model.n_layers},
                 {"heads", s->model.n_heads},
                 {"ffn", s->model.ffn},
                 {"sequences per step", s->B},
                 {"tokens per sequence", s->T},
                 {"base steps", (double)s->base_steps},
                 {"base lr", s->base_lr},
                 {"reference steps", (double)s->tune_steps},
                 {"reference lr", s->tune_lr},
                 {"steps", (double)s->steps},
                 {"steps between points", (double)s->every}};

    for (int i = 0; i < 3 && strcmp(corpus, "builtin") == 0; i++)
        fprintf(out, "%s %s,%.10g\n", corpus, mix[i].name, mix[i].value);
    for (int i = 0; i < 17; i++)
        fprintf(out, "%s %s,%.10g\n", corpus, all[i].name, all[i].value);
}

void repro_write_settings(const repro *r, FILE *out) {
    const settings files = repro_file_settings(r);
    fprintf(out, "key,value\nquick,%d\nratio,%g\n", r->quick, REPRO_RATIO);
    put_settings(out, "builtin", &repro_built_in);
    put_settings(out, r->raw != NULL ? "user" : "openstax", &files);
    if (r->raw != NULL) fprintf(out, "raw,%s\nclean,%s\neval,%s\n", r->raw, r->clean, r->eval);
    fprintf(out, "held-out piece bytes,%d\nseeds,%d\ntuned lr,%g %g %g\n", REPRO_PIECE_BYTES,
            (int)repro_seeds(r), repro_rates[0], repro_rates[1], repro_rates[2]);
    fprintf(out, "optimizer,AdamW 0.9 0.95; weight decay 0.1; clip 1; "
                 "warm-up a twentieth of the steps then a cosine to a tenth\n");
    fprintf(out, "slm.h,%s\ncompiler,%s\n", SLM_VERSION, REPRO_COMPILER);
}
