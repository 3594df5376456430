/* experiment.c: texts, training and measuring. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "common/os.h"
#include "experiment.h"

slm_error experiment_error;

void must(slm_status status) {
    if (status == SLM_OK) return;
    fprintf(stderr, "%s\n", experiment_error.text);
    exit(status == SLM_ERR_MEMORY ? 4 : 1);
}

void *must_have(void *memory) {
    if (memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(4);
    }
    return memory;
}

void *must_alloc(size_t n, size_t size) {
    return must_have(calloc(n > 0 ? n : 1, size));
}

/* ---- an experiment ---- */
void experiment_begin(experiment *e, const settings *s, slm_tokenizer *tokenizer) {
    e->s = *s;
    e->tokenizer = tokenizer;
    for (int part = 0; part < CORPUS_PARTS; part++) {
        const corpus_text *t = &e->text[part];
        if (t->size == 0) continue;
        must(slm_corpus_encode(&e->corpus[part], tokenizer, t->text, t->size, &experiment_error));
    }
    must(slm_tape_create(&e->tape, &experiment_error));
    must(slm_batch_create(&e->window, EXPERIMENT_WINDOWS, s->T, &experiment_error));
    e->loss = (slm_real *)must_alloc(EXPERIMENT_WINDOWS * (size_t)s->T, sizeof *e->loss);
}

void experiment_begin_built_in(experiment *e, const settings *s) {
    const corpus_mix *mixes[CORPUS_PARTS] = {&s->general, &s->noisy, NULL, NULL, NULL};
    const size_t bytes[CORPUS_PARTS] = {s->general_bytes, s->noisy_bytes, s->clean_bytes,
                                        s->eval_bytes, s->eval_bytes};
    slm_tokenizer *tokenizer;
    memset(e, 0, sizeof *e);
    for (int part = 0; part < CORPUS_PARTS; part++) {
        if (s->world == CORPUS_OF_FACTS)
            corpus_make_facts(&e->text[part], (corpus_part)part, mixes[part], bytes[part], s->seed);
        else
            corpus_make(&e->text[part], (corpus_part)part, mixes[part], bytes[part], s->seed);
    }
    must(slm_tokenizer_create_bytes(&tokenizer, &experiment_error));
    experiment_begin(e, s, tokenizer);
}

void experiment_end(experiment *e) {
    for (int part = 0; part < CORPUS_PARTS; part++) {
        corpus_free(&e->text[part]);
        slm_corpus_free(e->corpus[part]);
    }
    slm_tokenizer_free(e->tokenizer);
    slm_corpus_free(e->piece);
    free(e->piece_kept);
    slm_tape_free(e->tape);
    slm_batch_free(e->window);
    free(e->loss);
}

/* ---- measuring ---- */
slm_losses *experiment_score(const experiment *e, const slm_model *model,
                             const slm_corpus *corpus) {
    const slm_windows windows = slm_corpus_windows(corpus, EXPERIMENT_WINDOWS, e->s.T);
    slm_losses *losses;
    must(slm_losses_compute(&losses, model, corpus, &windows, NULL, NULL, &experiment_error));
    return losses;
}

double *experiment_losses(experiment *e, const slm_model *model, const slm_corpus *corpus) {
    double *out = (double *)must_alloc(corpus->n, sizeof *out);
    size_t rows = EXPERIMENT_WINDOWS * (size_t)e->s.T;
    size_t windows = slm_corpus_n_windows(corpus, e->s.T);
    for (size_t i = 0; i < corpus->n; i++)
        out[i] = NAN;
    for (size_t w = 0; w < windows; w += EXPERIMENT_WINDOWS) {
        slm_batch_fill(e->window, corpus, w);
        must(slm_model_losses(e->loss, NULL, e->tape, model, e->window, &experiment_error));
        for (size_t i = 0; i < rows; i++)
            if (e->window->targets[i] >= 0) out[e->window->positions[i]] = (double)e->loss[i];
    }
    return out;
}

/* A document of the facts: where it begins, and where the next one does. */
typedef struct stretch {
    size_t start, end;
} stretch;

/* The document that begins at `start`, which ends with a blank line. */
static stretch document_at(const corpus_text *t, size_t start) {
    const char *blank = strstr(t->text + start, "\n\n");
    return (stretch){start, blank != NULL ? (size_t)(blank - t->text) + 2 : t->size};
}

/* Makes a document the only text of a row of the window.  Where it is longer, it is cut. */
static void fill_row(slm_batch *window, size_t row, const slm_corpus *c, stretch document) {
    const size_t T = (size_t)window->T;
    for (size_t i = 0; i < T; i++) {
        const size_t target = document.start + i + 1;
        const size_t at = row * T + i;
        const int is_inside = target < document.end;
        window->inputs[at] = is_inside ? c->tokens[target - 1] : 0;
        window->targets[at] = is_inside ? c->tokens[target] : -1;
        window->positions[at] = is_inside ? target : 0;
    }
}

/* Loss of each byte of the facts, each document read by itself; NaN for its first.  Here tokens are
   bytes.  The caller frees the array. */
static double *losses_alone(experiment *e, const slm_model *model, corpus_part part) {
    const slm_corpus *c = e->corpus[part];
    const size_t rows = EXPERIMENT_WINDOWS * (size_t)e->s.T;
    double *out = (double *)must_alloc(c->n, sizeof *out);
    stretch document = {0, 0};
    for (size_t i = 0; i < c->n; i++)
        out[i] = NAN;
    while (document.end < c->n) {
        for (size_t row = 0; row < EXPERIMENT_WINDOWS; row++) {
            document = document_at(&e->text[part], document.end);
            fill_row(e->window, row, c, document);
        }
        must(slm_model_losses(e->loss, NULL, e->tape, model, e->window, &experiment_error));
        for (size_t i = 0; i < rows; i++)
            if (e->window->targets[i] >= 0) out[e->window->positions[i]] = (double)e->loss[i];
    }
    return out;
}

/* Mean over the results of the probability that all digits of one are right. */
static double accuracy_of(const double *loss, const uint8_t *kind, size_t n) {
    double right = 0, results = 0, one = 0;
    for (size_t i = 1; kind != NULL && i < n; i++) {
        if (kind[i] != CORPUS_RESULT) continue;
        one += loss[i];
        if (i + 1 < n && kind[i + 1] == CORPUS_RESULT) continue;
        right += exp(-one);
        results++;
        one = 0;
    }
    return results > 0 ? right / results : NAN;
}

measure experiment_measure(experiment *e, const slm_model *model, corpus_part part) {
    const slm_corpus *c = e->corpus[part];
    const int alone = e->s.world == CORPUS_OF_FACTS;
    double *loss = alone ? losses_alone(e, model, part) : experiment_losses(e, model, c);
    double sum = 0, targets = 0;
    measure m;
    for (size_t i = 1; i < c->n; i++) {
        if (alone && e->text[part].kind[i] != CORPUS_RESULT) continue;
        sum += loss[i];
        targets++;
    }
    m.loss = sum / targets;
    m.accuracy = accuracy_of(loss, e->text[part].kind, c->n);
    free(loss);
    return m;
}

static int32_t likeliest(const slm_real *logits, int32_t V) {
    int32_t best = 0;
    for (int32_t v = 1; v < V; v++)
        if (logits[v] > logits[best]) best = v;
    return best;
}

/* Whether all bytes of the document's answers are the likeliest after what is before them. */
static int is_answered(const experiment *e, slm_generator *generator, stretch document) {
    const corpus_text *t = &e->text[CORPUS_EVAL];
    int right = 1;
    slm_generator_reset(generator);
    for (size_t i = document.start; i + 1 < document.end && right; i++) {
        const int32_t token = e->corpus[CORPUS_EVAL]->tokens[i];
        const slm_real *logits;
        must(slm_generator_push(&logits, generator, token, &experiment_error));
        if (t->kind[i + 1] != CORPUS_RESULT) continue;
        right = likeliest(logits, e->s.model.vocab) == e->corpus[CORPUS_EVAL]->tokens[i + 1];
    }
    return right;
}

double experiment_exact(const experiment *e, const slm_model *model) {
    const size_t n = e->text[CORPUS_EVAL].size;
    stretch document = {0, 0};
    double documents = 0, right = 0;
    slm_generator *generator;
    if (e->s.world != CORPUS_OF_FACTS) return NAN;
    must(slm_generator_create(&generator, model, e->s.T, &experiment_error));
    while (document.end < n) {
        document = document_at(&e->text[CORPUS_EVAL], document.end);
        right += is_answered(e, generator, document);
        documents++;
    }
    slm_generator_free(generator);
    return right / documents;
}

static void measure_piece(experiment *e, curve_point *p, const slm_model *model) {
    size_t n = e->piece->n;
    double *loss = experiment_losses(e, model, e->piece);
    double kept = 0, dropped = 0, n_kept = 0;
    double n_targets = (double)(n - 1);
    p->piece = (float *)must_alloc(n, sizeof *p->piece);
    for (size_t i = 1; i < n; i++) {
        p->piece[i] = (float)loss[i];
        if (e->piece_kept[i]) {
            kept += loss[i];
            n_kept++;
        } else {
            dropped += loss[i];
        }
    }
    if (n_kept > 0) p->fixed_kept = kept / n_kept;
    if (n_kept < n_targets) p->fixed_dropped = dropped / (n_targets - n_kept);
    free(loss);
}

/* ---- arithmetic ---- */
/* Weights that multiply a row of the model (all), and those of them whose gradient needs the
   selected rows only (live): the head and, in the last block, MLP, output and query. */
typedef struct weights {
    double all, live;
} weights;

static weights count_weights(const slm_model *model) {
    const slm_model_config *c = &model->config;
    weights w = {0, 0};
    char last[32];
    (void)snprintf(last, sizeof last, "model.layers.%d.", (int)c->n_layers - 1);
    /* The first tensor is the embedding: looked up, not multiplied, unless it is the head too. */
    for (size_t i = c->tie_embeddings ? 0 : 1; i < model->n_tensors; i++) {
        const slm_param *p = &model->table[i];
        int is_head = i == 0 || i + 1 == model->n_tensors;
        int in_last_block = strncmp(p->name, last, strlen(last)) == 0;
        int is_key = strstr(p->name, "k_proj") != NULL || strstr(p->name, "v_proj") != NULL;
        if (!p->decay) continue;
        w.all += (double)(p->rows * p->cols);
        if (is_head || (in_last_block && !is_key)) w.live += (double)(p->rows * p->cols);
    }
    return w;
}

/* Operations of attention's forward for a token: 2 T C a layer, as half of it is masked. */
static double attention_flops(const slm_model *model, int32_t T) {
    const slm_model_config *c = &model->config;
    return 2.0 * c->n_layers * (double)T * c->n_heads * c->head_dim;
}

/* The forward takes 2 operations a weight and token, the backward 4; attention's backward takes
   twice its forward. */
double experiment_flops(const slm_model *model, int32_t T, double tokens, double selected) {
    weights w = count_weights(model);
    double attention = attention_flops(model, T);
    return tokens * (2 * w.all + 4 * (w.all - w.live) + 3 * attention) + selected * 4 * w.live;
}

double experiment_forward_flops(const slm_model *model, int32_t T, double tokens) {
    return tokens * (2 * count_weights(model).all + attention_flops(model, T));
}

/* ---- how well the scores rank ---- */
typedef struct ranked {
    slm_real score;
    int is_target;
} ranked;

static int compare_scores(const void *a, const void *b) {
    slm_real x = ((const ranked *)a)->score;
    slm_real y = ((const ranked *)b)->score;
    return x < y ? -1 : x > y;
}

/* Chance that a token of the target (kinds up to CORPUS_RESULT) has a higher score than one that is
   not; ties count half.  Returns NaN if all tokens are of the target, or none.

   The tokens are sorted by score.  Each one of the target wins against all others below it. */
static double auc_of(const slm_real *score, const slm_batch *batch, const uint8_t *kind) {
    size_t rows = (size_t)batch->B * (size_t)batch->T;
    size_t n = 0, end;
    ranked *r = (ranked *)must_alloc(rows, sizeof *r);
    double below = 0, wins = 0, targets = 0;
    for (size_t i = 0; i < rows; i++) {
        if (batch->targets[i] < 0) continue;
        r[n].score = score[i];
        r[n].is_target = kind[batch->positions[i]] <= CORPUS_RESULT;
        targets += r[n].is_target;
        n++;
    }
    qsort(r, n, sizeof *r, compare_scores);
    for (size_t i = 0; i < n; i = end) {
        double hits = 0, others = 0;
        for (end = i; end < n && r[end].score == r[i].score; end++) {
            hits += r[end].is_target;
            others += !r[end].is_target;
        }
        wins += hits * (below + 0.5 * others);
        below += others;
    }
    free(r);
    return targets > 0 && below > 0 ? wins / (targets * below) : NAN;
}

/* ---- training ---- */
double experiment_clock(void) {
#ifdef _OPENMP
    return progress_clock();
#else
    return os_processor_seconds();
#endif
}

/* Sums over the steps since the last point of the curve; add_point makes means of them. */
typedef struct interval {
    double steps;
    double all, kept, dropped;   /* the mean losses of each step, added up */
    double auc, n_auc;           /* of the steps that have an AUC: their sum, and how many */
    double seen[CORPUS_KINDS];   /* tokens of each true kind */
    double chosen[CORPUS_KINDS]; /* of these selected */
} interval;

/* Returns 1 if one ranking by the trainer's scores decides what is selected: then the AUC of these
   scores says how good it is.  INTERSECT and UNION combine two rankings; at ratio 1 there is none.
   (An own rule, OWN, is no arm of any experiment here.) */
static int ranks_by_score(const slm_select_options *selection) {
    if (selection == NULL || !(selection->ratio < 1)) return 0;
    switch (selection->criterion) {
    case SLM_CRITERION_EXCESS:
    case SLM_CRITERION_REF:
    case SLM_CRITERION_ENTROPY:
    case SLM_CRITERION_LOSS:
    case SLM_CRITERION_RANDOM: return 1;
    default: return 0;
    }
}

/* Counts the step's tokens by their true kind, and those selected.  A token that the text masks
   (its target is -1) is seen and not selected. */
static void count_kinds(interval *since, const training *t, const slm_batch *batch,
                        const uint8_t *mask) {
    size_t rows = (size_t)batch->B * (size_t)batch->T;
    for (size_t i = 0; i < rows; i++) {
        size_t position = (size_t)batch->positions[i];
        if (position == 0 || position >= t->corpus->n) continue; /* past the end of the text */
        since->seen[t->kind[position]]++;
        since->chosen[t->kind[position]] += batch->targets[i] >= 0 && mask[i];
    }
}

/* Adds a step to the sums.  Kinds and AUC need the truth about the tokens, which only generated
   texts have. */
static void note_step(interval *since, const training *t, const slm_trainer *trainer,
                      const slm_batch *batch, const slm_step_stats *stats) {
    since->steps++;
    since->all += stats->loss_all;
    since->kept += stats->loss_selected;
    since->dropped += stats->loss_unselected;
    if (t->kind == NULL) return;
    count_kinds(since, t, batch, slm_trainer_mask(trainer));
    if (!ranks_by_score(t->selection)) return;
    double auc = auc_of(slm_trainer_scores(trainer), batch, t->kind);
    if (isnan(auc)) return;
    since->auc += auc;
    since->n_auc++;
}

/* A training on its way. */
typedef struct course {
    experiment *e;
    const training *t;
    slm_trainer *trainer;
    slm_batch *batch;
    slm_cursor cursor;
    slm_real *known; /* (4, B * T) what the rule knows: loss, entropy, base's loss, document */
    curve_point now; /* tokens, trained, flops, seconds so far */
    interval since;  /* the last point */
} course;

static void begin_course(course *c, experiment *e, const training *t) {
    slm_train_options options = slm_train_defaults();
    options.adamw.lr = t->lr;
    options.adamw.steps = t->steps;
    options.adamw.warmup = t->steps / 20;
    if (t->selection != NULL) options.select = *t->selection;
    memset(c, 0, sizeof *c);
    c->e = e;
    c->t = t;
    c->cursor.seed = e->s.seed;
    must(slm_trainer_create(&c->trainer, t->model, &options, &experiment_error));
    must(slm_batch_create(&c->batch, e->s.B, e->s.T, &experiment_error));
    c->known = (slm_real *)must_alloc(4 * (size_t)e->s.B * (size_t)e->s.T, sizeof *c->known);
}

static double mean(double sum, double n) {
    return n > 0 ? sum / n : NAN;
}

typedef enum with_piece { WITHOUT_PIECE, WITH_PIECE } with_piece;

/* Measures the model and adds a point to the curve. */
static void add_point(course *c, with_piece piece) {
    const interval *since = &c->since;
    curve *out = c->t->curve;
    curve_point *p = &out->point[out->n++];
    *p = c->now;
    p->all = mean(since->all, since->steps);
    p->kept = mean(since->kept, since->steps);
    p->dropped = mean(since->dropped, since->steps);
    p->auc = mean(since->auc, since->n_auc);
    memcpy(p->seen, since->seen, sizeof p->seen);
    memcpy(p->chosen, since->chosen, sizeof p->chosen);
    p->target = experiment_measure(c->e, c->t->model, CORPUS_EVAL);
    p->piece = NULL;
    p->fixed_kept = p->fixed_dropped = NAN;
    if (piece == WITH_PIECE && c->e->piece != NULL) measure_piece(c->e, p, c->t->model);
    memset(&c->since, 0, sizeof c->since);
}

static void show_step(experiment *e, const char *name, const slm_step_stats *stats) {
    char note[96];
    e->done += (uint64_t)e->s.B * (uint64_t)e->s.T;
    (void)snprintf(note, sizeof note, "%s  loss %.3f", name, stats->loss_all);
    progress_show(&e->bar, e->done, e->work, note);
}

/* The mean loss of the batch's targets before the rule drops some. */
static double mean_loss(const slm_batch *batch, const slm_real *loss) {
    size_t n = (size_t)batch->B * (size_t)batch->T;
    double sum = 0, targets = 0;
    for (size_t i = 0; i < n; i++) {
        if (batch->targets[i] < 0) continue;
        sum += (double)loss[i];
        targets++;
    }
    return mean(sum, targets);
}

/* Lets the rule write the batch.  Returns the mean loss of all its targets. */
static double apply_rule(course *c, uint64_t step) {
    const training *t = c->t;
    const slm_batch *batch = c->batch;
    const size_t n = (size_t)batch->B * (size_t)batch->T;
    slm_real *loss = c->known;
    slm_real *base_loss = loss + 2 * n;
    slm_real *document = loss + 3 * n;
    const rule_facts known = {.loss = loss,
                              .entropy = loss + n,
                              .base_loss = base_loss,
                              .document = document,
                              .ratio = t->rule_ratio,
                              .seed = c->e->s.seed * 1000003 + step};
    must(slm_model_losses(loss, loss + n, c->e->tape, t->model, batch, &experiment_error));
    for (size_t i = 0; i < n; i++) {
        const size_t target = (size_t)batch->positions[i];
        if (batch->targets[i] < 0) continue;
        if (t->base_scores != NULL) base_loss[i] = t->base_scores->loss[target - 1];
        if (t->documents != NULL) document[i] = t->documents[target];
    }
    double all = mean_loss(batch, loss);
    must(rule_apply(c->batch, t->rule, &known, &experiment_error));
    return all;
}

static void train_step(course *c, uint64_t step) {
    const training *t = c->t;
    const settings *s = &c->e->s;
    double start = experiment_clock();
    double rows = (double)s->B * s->T;
    slm_step_stats stats;
    must(slm_batch_next(c->batch, &c->cursor, t->corpus, t->scores, &experiment_error));
    double all = t->rule != RULE_NONE ? apply_rule(c, step) : NAN;
    must(slm_trainer_step(&stats, c->trainer, &c->batch, 1, &experiment_error));
    if (t->rule != RULE_NONE) stats.loss_all = all;
    c->now.seconds += experiment_clock() - start;
    c->now.tokens += rows;
    c->now.trained += (double)stats.n_selected;
    c->now.flops += experiment_flops(t->model, s->T, rows, (double)stats.n_selected);
    show_step(c->e, t->name, &stats);
    if (t->curve != NULL) note_step(&c->since, t, c->trainer, c->batch, &stats);
}

void experiment_train(experiment *e, const training *t) {
    const uint64_t every = e->s.every;
    const uint64_t early = e->s.early;
    course c;
    begin_course(&c, e, t);
    if (t->curve != NULL && t->curve->n == 0) add_point(&c, WITH_PIECE);
    if (t->curve != NULL) c.now = t->curve->point[t->curve->n - 1];
    for (uint64_t i = 1; i <= t->steps; i++) {
        int is_late = i % every == 0 || i == t->steps;
        int is_early = early > 0 && i <= 3 * every && i % early == 0;
        train_step(&c, i);
        if (t->curve == NULL || !(is_late || is_early)) continue;
        add_point(&c, is_late ? WITH_PIECE : WITHOUT_PIECE);
    }
    free(c.known);
    slm_batch_free(c.batch);
    slm_trainer_free(c.trainer);
}

/* ---- curves ---- */
void curve_free(curve *c) {
    for (size_t i = 0; i < c->n; i++)
        free(c->point[i].piece);
    memset(c, 0, sizeof *c);
}

double curve_tokens_to(const curve *c, double accuracy) {
    for (size_t i = 0; i < c->n; i++) {
        const curve_point *p = &c->point[i];
        if (p->target.accuracy < accuracy) continue;
        if (i == 0) return p->tokens;
        double before = p[-1].target.accuracy;
        double share = (p->tokens - p[-1].tokens) * (accuracy - before);
        return p[-1].tokens + share / (p->target.accuracy - before);
    }
    return NAN;
}
