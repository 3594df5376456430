/* tables.c: the CSVs that the report reads, from the runs that are finished. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/options.h"
#include "common/os.h"
#include "common/text.h"
#include "jobs.h"

csv_out repro_csv_open(const repro *r, const char *folder, const char *name, const char *header) {
    csv_out out;
    if (!csv_open(&out, repro_path(r, "", folder, ""), name, header)) exit(1);
    return out;
}

void repro_csv_close(csv_out *out) {
    if (!csv_close(out)) exit(1);
}

/* ---- curves.csv: all runs in the plan's order ---- */
void repro_put_keys(csv_out *out, const job *j, double size) {
    const double numbers[] = {(double)j->s.seed, j->selection.ratio, j->s.noisy.noise,
                              j->s.noisy.wrong, size};
    csv_put_text(out, j->corpus);
    csv_put_text(out, j->set);
    csv_put_text(out, j->arm);
    csv_put_numbers(out, numbers, COUNT(numbers));
}

/* A run's rows; of a job that repeats another, the other's rows under this job's keys, but for an
   unknown size. */
static void put_run(csv_out *out, const repro *r, const job *j) {
    const int own = j->same_as == NULL;
    csv_table t;
    if (csv_load(&t, job_path(r, "runs", j, ".csv")) != CSV_READ) return;
    for (size_t row = 0; row < t.rows; row++) {
        double size = j->size > 0 ? j->size : csv_number(&t, row, REPRO_KEY_COLUMNS - 1);
        if (!own) repro_put_keys(out, j, size);
        for (size_t i = own ? 0 : REPRO_KEY_COLUMNS; i < t.cols; i++)
            csv_put_text(out, csv_text(&t, row, (int)i));
        csv_end_row(out);
    }
    csv_free(&t);
}

static void put_curves(csv_out *out, const repro *r) {
    for (const job *j = r->jobs; j < r->end; j++)
        put_run(out, r, j);
}

static void put_times(csv_out *out, const repro *r) {
    for (const job *j = r->jobs; j < r->end; j++) {
        const char *path = repro_path(r, "times", j->name, ".csv");
        char *text;
        size_t size;
        if (!repro_exists(path)) continue;
        must(slm_file_read(&text, &size, path, &experiment_error));
        fwrite(text, 1, size, out->file);
        slm_free(text);
    }
}

/* ---- tuning.csv: the learning rates that were tried ---- */
static int is_tuning(const repro *r, const job *j) {
    return same_text(j->set, "tune") && job_is_finished(r, j);
}

/* What only the last rate of all could tell: whether a further one were better still. */
static int is_outermost(double lr) {
    return lr == repro_rates[0] || lr == repro_rates[REPRO_RATES - 1];
}

static int is_chosen(const repro *r, const job *j, double loss) {
    for (const job *other = r->jobs; other < r->end; other++) {
        if (!is_tuning(r, other) || !same_text(other->arm, j->arm)) continue;
        if (!same_text(other->corpus, j->corpus) || other->s.noisy_bytes != j->s.noisy_bytes)
            continue;
        if (job_valid_loss(r, other) < loss) return 0;
    }
    return 1;
}

/* Of the set multiplier: how many times the usual text is read. */
static double times_of_text(const job *j) {
    if (!job_is_builtin(j)) return 1;
    return (double)j->s.noisy_bytes / (double)repro_built_in.noisy_bytes;
}

static void put_tuning(csv_out *out, const repro *r) {
    for (const job *j = r->jobs; j < r->end; j++) {
        if (!is_tuning(r, j)) continue;
        double loss = job_valid_loss(r, j);
        const double numbers[] = {j->lr, loss, is_chosen(r, j, loss), is_outermost(j->lr)};
        const double times = times_of_text(j);
        csv_put_text(out, j->corpus);
        csv_put_text(out, times > 1 ? make_text("%s x%g", j->arm, times) : j->arm);
        csv_put_numbers(out, numbers, COUNT(numbers));
        csv_end_row(out);
    }
}

/* ---- the pieces: row 0 by the reference, row 1 at the start, then one every s.every steps ---- */
enum { MAX_POINTS = 64, MAX_PIECES = 64, ROWS_BEFORE = 2, SELECTIONS = 5 };

typedef struct piece {
    const job *job;
    char *bytes;
    const float *loss; /* (rows, n) */
    size_t n, points;  /* points: rows after the start */
} piece;

/* Tokens of a job's piece, of which `losses` numbers are left.  On the built-in corpus tokens are
   bytes; else the rows are counted. */
static size_t tokens_of_piece(const job *j, size_t losses) {
    const settings *s = &j->s;
    if (job_is_builtin(j)) {
        corpus_text text;
        corpus_make(&text, CORPUS_NOISY, &s->noisy, REPRO_PIECE_BYTES, REPRO_PIECE_SEED);
        size_t n = text.size;
        corpus_free(&text);
        return n;
    }
    return losses / (ROWS_BEFORE + (s->steps + s->every - 1) / s->every);
}

/* Reads the pieces that an arm has left on a corpus.  Returns their number. */
static int read_pieces(piece pieces[MAX_PIECES], const repro *r, const char *corpus,
                       const char *arm) {
    int n = 0;
    for (const job *j = r->jobs; j < r->end && n < MAX_PIECES; j++) {
        const char *path = repro_path(r, "pieces", j->name, ".f32");
        piece *p = &pieces[n];
        size_t size;
        if (!same_text(j->corpus, corpus) || !same_text(j->arm, arm) || !repro_exists(path))
            continue;
        must(slm_file_read(&p->bytes, &size, path, &experiment_error));
        p->job = j;
        p->loss = (const float *)(const void *)p->bytes;
        p->n = tokens_of_piece(j, size / sizeof(float));
        p->points = size / sizeof(float) / p->n - ROWS_BEFORE;
        n++;
    }
    return n;
}

static const float *losses_at(const piece *p, size_t point) {
    return p->loss + (point + 1) * p->n;
}

static double tokens_at(const piece *p, size_t point) {
    const settings *s = &p->job->s;
    return (double)point * (double)s->every * s->B * s->T;
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

typedef enum with_names { WITHOUT_NAMES, WITH_NAMES } with_names; /* of corpus and arm */

static void put_classes(csv_out *out, const piece *p, order in, with_names with) {
    static const char *const names[TRAJECTORIES] = {"HH", "LH", "HL", "LL"};
    const double keys[] = {(double)p->job->s.seed, in == SHUFFLED};
    size_t points = p->points < MAX_POINTS ? p->points : MAX_POINTS;
    classes all;
    classify(&all, p, points, p->job->s.seed, in);
    for (size_t i = 0; i < TRAJECTORIES; i++) {
        double count = (double)all.count[i];
        for (size_t k = 0; k < points; k++) {
            const double numbers[] = {count / (double)(p->n - 1), (double)(k + 1),
                                      tokens_at(p, k + 1), all.sum[i][k] / count};
            if (with == WITH_NAMES) {
                csv_put_text(out, p->job->corpus);
                csv_put_text(out, p->job->arm);
            }
            csv_put_numbers(out, keys, 2);
            csv_put_text(out, names[i]);
            csv_put_numbers(out, numbers, 4);
            csv_end_row(out);
        }
    }
}

static void put_classes_of(csv_out *out, const repro *r, const char *corpus, const char *arm,
                           with_names with) {
    piece pieces[MAX_PIECES];
    int n = read_pieces(pieces, r, corpus, arm);
    for (int i = 0; i < n; i++) {
        put_classes(out, &pieces[i], AS_TRAINED, with);
        put_classes(out, &pieces[i], SHUFFLED, with);
        slm_free(pieces[i].bytes);
    }
}

static void put_trajectories(csv_out *out, const repro *r) {
    put_classes_of(out, r, "builtin", "clm", WITHOUT_NAMES);
}

/* The same of clean real text, on which `clean` trains: is text that was filtered still noisy?  And
   of the raw text, where clm trains. */
static void put_real_trajectories(csv_out *out, const repro *r) {
    put_classes_of(out, r, "openstax", "clean", WITH_NAMES);
    put_classes_of(out, r, "openstax", "clm", WITH_NAMES);
    put_classes_of(out, r, "gsm8k", "clean", WITH_NAMES);
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

static void put_selected(csv_out *out, const piece *by, const piece *on, const char *kind) {
    const size_t n = on->n;
    size_t step = on->points / SELECTIONS;
    size_t k = slm_select_count(REPRO_RATIO, n - 1);
    slm_real *excess = (slm_real *)must_alloc(n, sizeof *excess);
    uint8_t *mask = (uint8_t *)must_alloc(n, 1);
    for (size_t from = step; step > 0 && from <= on->points; from += step) {
        for (size_t i = 1; i < n; i++)
            excess[i] = (slm_real)(losses_at(by, from)[i] - by->loss[i]);
        must(slm_select_top(mask + 1, excess + 1, NULL, n - 1, k, &experiment_error));
        for (size_t point = 1; point <= on->points; point++) {
            const double numbers[] = {(double)from, (double)point, tokens_at(on, point),
                                      perplexity(losses_at(on, point), mask, n)};
            csv_put_number(out, (double)on->job->s.seed);
            csv_put_text(out, kind);
            csv_put_numbers(out, numbers, 4);
            csv_end_row(out);
        }
    }
    free(excess);
    free(mask);
}

static void put_selections(csv_out *out, const repro *r) {
    piece pieces[MAX_PIECES];
    int n = read_pieces(pieces, r, "builtin", "slm");
    for (int i = 0; i < n; i++) {
        put_selected(out, &pieces[i], &pieces[i], "own");
        if (n > 1) put_selected(out, &pieces[(i + 1) % n], &pieces[i], "cross_seed");
    }
    for (int i = 0; i < n; i++)
        slm_free(pieces[i].bytes);
}

/* ---- ranks.csv: how the scores of a checkpoint of selective training rank each kind of the
   piece's tokens among all others: AUC, and the share that is kept ---- */
typedef struct scored_piece {
    const uint8_t *kind; /* (n) */
    slm_real *score;     /* (n) */
    uint8_t *kept;       /* (n) */
    size_t n;
} scored_piece;

static const slm_real *sorted_by; /* the scores that compare_scores looks at */

static int compare_scores(const void *left, const void *right) {
    slm_real a = sorted_by[*(const size_t *)left];
    slm_real b = sorted_by[*(const size_t *)right];
    return a < b ? -1 : a > b;
}

/* The chance that a token of the kind has a higher score than one of another kind; ties count half.
   NaN: there is none of the kind.  order: the tokens 1 .. n - 1 by rising score. */
static double auc_of_kind(const scored_piece *p, const size_t *order, int kind) {
    double below = 0, wins = 0, of_kind = 0;
    size_t n = p->n - 1;
    size_t end;
    for (size_t i = 0; i < n; i = end) {
        double hits = 0, others = 0;
        for (end = i; end < n && p->score[order[end]] == p->score[order[i]]; end++) {
            int is_hit = p->kind[order[end]] == kind;
            hits += is_hit;
            others += !is_hit;
        }
        wins += hits * (below + 0.5 * others);
        below += others;
        of_kind += hits;
    }
    return of_kind > 0 && below > 0 ? wins / (of_kind * below) : NAN;
}

static double kept_of_kind(const scored_piece *p, int kind) {
    double seen = 0, kept = 0;
    for (size_t i = 1; i < p->n; i++) {
        seen += p->kind[i] == kind;
        kept += p->kind[i] == kind && p->kept[i];
    }
    return kept / seen;
}

static void put_kinds(csv_out *out, const scored_piece *p, uint64_t seed, const char *by,
                      const char *at) {
    size_t *order = (size_t *)must_alloc(p->n, sizeof *order);
    size_t k = slm_select_count(REPRO_RATIO, p->n - 1);
    for (size_t i = 1; i < p->n; i++)
        order[i - 1] = i;
    sorted_by = p->score;
    qsort(order, p->n - 1, sizeof *order, compare_scores);
    must(slm_select_top(p->kept + 1, p->score + 1, NULL, p->n - 1, k, &experiment_error));
    for (int kind = 0; kind < CORPUS_KINDS; kind++) {
        csv_put_number(out, (double)seed);
        csv_put_text(out, by);
        csv_put_text(out, at);
        csv_put_text(out, corpus_kind_names[kind]);
        csv_put_number(out, auc_of_kind(p, order, kind));
        csv_put_number(out, kept_of_kind(p, kind));
        csv_end_row(out);
    }
    free(order);
}

/* The excess loss and the own loss at one point of a run. */
static void put_ranked(csv_out *out, scored_piece *scored, const piece *p, size_t point,
                       const char *at) {
    for (size_t i = 0; i < p->n; i++)
        scored->score[i] = (slm_real)(losses_at(p, point)[i] - p->loss[i]);
    put_kinds(out, scored, p->job->s.seed, "excess", at);
    for (size_t i = 0; i < p->n; i++)
        scored->score[i] = (slm_real)losses_at(p, point)[i];
    put_kinds(out, scored, p->job->s.seed, "loss", at);
}

static void put_ranks(csv_out *out, const repro *r) {
    piece pieces[MAX_PIECES];
    corpus_text text;
    int n = read_pieces(pieces, r, "builtin", "slm");
    corpus_make(&text, CORPUS_NOISY, &repro_built_in.noisy, REPRO_PIECE_BYTES, REPRO_PIECE_SEED);
    scored_piece scored = {.kind = text.kind, .n = text.size};
    scored.score = (slm_real *)must_alloc(text.size, sizeof *scored.score);
    scored.kept = (uint8_t *)must_alloc(text.size, 1);
    for (int i = 0; i < n; i++) {
        put_ranked(out, &scored, &pieces[i], 0, "start");
        put_ranked(out, &scored, &pieces[i], pieces[i].points, "end");
        slm_free(pieces[i].bytes);
    }
    free(scored.score);
    free(scored.kept);
    corpus_free(&text);
}

/* ---- run.csv: by what these runs were made, and whether they are all that were planned ---- */
static void put_origin_text(csv_out *out, const char *key, const char *value) {
    csv_put_text(out, key);
    csv_put_text(out, value);
    csv_end_row(out);
}

static void put_origin_number(csv_out *out, const char *key, double value) {
    csv_put_text(out, key);
    csv_put_number(out, value);
    csv_end_row(out);
}

/* The whole plan counts, whatever --only asked for; but for the announced run, which is one of its
   own. */
static void put_origin(csv_out *out, const repro *r) {
    char machine[200];
    int planned = 0, finished = 0;
    for (const job *j = r->jobs; j < r->end; j++) {
        const int is_finished = job_is_finished(r, j);
        if (j->same_as != NULL || same_text(j->corpus, "confirm")) continue;
        if (!is_finished && j->inward[0] != NULL) continue; /* it may never be needed */
        planned++;
        finished += is_finished;
    }
    os_processor_name(machine, sizeof machine);
    put_origin_text(out, "commit", REPRO_COMMIT);
    put_origin_text(out, "machine", machine);
    put_origin_number(out, "processors", (double)os_processors());
    put_origin_number(out, "runs planned", planned);
    put_origin_number(out, "runs finished", finished);
}

/* ---- all of them ---- */
void repro_write_tables(const repro *r) {
    static const struct {
        const char *name, *header;
        void (*put)(csv_out *out, const repro *r);
    } tables[] = {
        {"curves", repro_curve_columns, put_curves},
        {"times", "run,tokens,seconds\n", put_times},
        {"tuning", "corpus,arm,lr,valid_loss,chosen,edge\n", put_tuning},
        {"trajectories", "seed,null,class,share,point,tokens,mean_loss\n", put_trajectories},
        {"trajectories_real", "corpus,arm,seed,null,class,share,point,tokens,mean_loss\n",
         put_real_trajectories},
        {"selections", "seed,kind,selected_by,measured_at,tokens,perplexity\n", put_selections},
        {"ranks", "seed,by,at,kind,auc,kept\n", put_ranks},
        {"run", "key,value\n", put_origin}};
    for (size_t i = 0; i < COUNT(tables); i++) {
        csv_out out = repro_csv_open(r, "", tables[i].name, tables[i].header);
        tables[i].put(&out, r);
        repro_csv_close(&out);
    }
    free_rooms();
}

/* ---- settings.csv ---- */
static void put_settings(FILE *out, const char *corpus, const settings *s) {
    const struct {
        const char *name;
        double value;
    } rows[] = {{"target share of documents", s->noisy.target},
                {"noise share of bytes", s->noisy.noise},
                {"wrong share of steps", s->noisy.wrong},
                {"general bytes", (double)s->general_bytes},
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
    /* The first three are of generated text only. */
    size_t first = isnan(s->noisy.target) ? 3 : 0;
    for (size_t i = first; i < COUNT(rows); i++)
        fprintf(out, "%s %s,%.10g\n", corpus, rows[i].name, rows[i].value);
}

void repro_write_settings(const repro *r, FILE *out) {
    const settings files = repro_file_settings(r);
    fprintf(out, "quick,%d\nratio,%g\n", r->quick, REPRO_RATIO);
    put_settings(out, "builtin", &repro_built_in);
    put_settings(out, "facts", &repro_facts);
    put_settings(out, "confirm", &repro_confirm);
    put_settings(out, r->raw != NULL ? "user" : "openstax", &files);
    if (r->raw != NULL) fprintf(out, "raw,%s\nclean,%s\neval,%s\n", r->raw, r->clean, r->eval);
    fprintf(out, "held-out piece bytes,%d\nseeds,%d\n", REPRO_PIECE_BYTES, (int)repro_seeds(r));
    fprintf(out, "tuned lr,%g to %g by factors of two; on to %g and %g while it gets better\n",
            repro_rates[REPRO_FIRST_TRIED], repro_rates[REPRO_LAST_TRIED], repro_rates[0],
            repro_rates[REPRO_RATES - 1]);
    fprintf(out, "optimizer,AdamW 0.9 0.95; weight decay 0.1; clip 1; "
                 "warm-up a twentieth of the steps then a cosine to a tenth\n");
    fprintf(out, "slm.h,%s\ncompiler,%s\n", SLM_VERSION, REPRO_COMPILER);
}
