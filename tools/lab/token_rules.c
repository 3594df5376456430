/* token_rules.c: a rule is a score for each target, after which the highest are kept; only soft
 * weights and whole sequences are otherwise. */
#include <math.h>
#include <stdlib.h>
#include "experiment.h"
#include "token_rules.h"

int rule_needs_reference(token_rule rule) {
    return rule != RULE_NONE && rule != RULE_UNSURE;
}

int rule_needs_base(token_rule rule) {
    return rule == RULE_FLOOR;
}

int rule_needs_documents(token_rule rule) {
    return rule == RULE_BLEND || rule == RULE_SPLIT;
}

/* A batch in the hands of a rule: arrays of n. */
typedef struct work {
    slm_batch *batch;
    const rule_facts *known;
    size_t n, n_valid;
    uint8_t *valid, *keep;
    slm_real *excess, *score;
    slm_error *err;
} work;

/* ---- scores ---- */
static size_t k_of(const work *w, double share) {
    return slm_select_count(share * w->known->ratio, w->n_valid);
}

static slm_status keep_highest(work *w, const slm_real *score, const uint8_t *among, size_t k) {
    return slm_select_top(w->keep, score, among, w->n, k, w->err);
}

/* The mean over the neighbours in the same sequence. */
static void smooth(slm_real *out, const work *w) {
    const size_t T = (size_t)w->batch->T;
    for (size_t i = 0; i < w->n; i++) {
        const size_t first = i / T * T;
        const size_t from = i < first + RULE_NEIGHBOURS ? first : i - RULE_NEIGHBOURS;
        const size_t last = i + RULE_NEIGHBOURS < first + T ? i + RULE_NEIGHBOURS : first + T - 1;
        double sum = 0, count = 0;
        for (size_t k = from; k <= last; k++) {
            if (!w->valid[k]) continue;
            sum += (double)w->excess[k];
            count++;
        }
        out[i] = (slm_real)(count > 0 ? sum / count : 0);
    }
}

/* Adding noise of Gumbel's distribution and keeping the highest draws without putting back. */
static void draw_by_excess(slm_real *out, const work *w) {
    slm_rng rng = slm_rng_seed(w->known->seed);
    for (size_t i = 0; i < w->n; i++) {
        double u = slm_rng_uniform(&rng) + 1e-12;
        out[i] = (slm_real)((double)w->excess[i] / RULE_TEMPERATURE - log(-log(u)));
    }
}

static void draw_evenly(slm_real *out, const work *w) {
    slm_rng rng = slm_rng_seed(w->known->seed);
    for (size_t i = 0; i < w->n; i++)
        out[i] = (slm_real)slm_rng_uniform(&rng);
}

static void excess_over_better(slm_real *out, const work *w) {
    for (size_t i = 0; i < w->n; i++) {
        slm_real r = w->batch->ref_loss[i];
        slm_real b = w->known->base_loss[i];
        out[i] = w->known->loss[i] - (r < b ? r : b);
    }
}

/* ---- ranks ---- */
typedef struct ranked_target {
    slm_real value;
    size_t index;
} ranked_target;

static int compare_targets(const void *a, const void *b) {
    const ranked_target *x = (const ranked_target *)a;
    const ranked_target *y = (const ranked_target *)b;
    if (x->value < y->value) return -1;
    if (x->value > y->value) return 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Adds to out (n) the share of valid targets whose value is lower; equal ones share their place. */
static void add_ranks(slm_real *out, const work *w, const slm_real *value) {
    ranked_target *order = (ranked_target *)must_alloc(w->n, sizeof *order);
    size_t n = 0, end;
    for (size_t i = 0; i < w->n; i++)
        if (w->valid[i]) order[n++] = (ranked_target){value[i], i};
    qsort(order, n, sizeof *order, compare_targets);
    for (size_t i = 0; i < n; i = end) {
        for (end = i; end < n && order[end].value == order[i].value; end++)
            continue;
        for (size_t k = i; k < end; k++)
            out[order[k].index] += (slm_real)((double)(i + end) / (2.0 * (double)n));
    }
    free(order);
}

/* ---- rules of two parts ---- */
/* Keeps k - k_first more by the second score, among those that are not kept yet. */
static slm_status keep_more(work *w, const slm_real *score, size_t k_first, size_t k) {
    uint8_t *first = (uint8_t *)must_alloc(w->n, 1);
    uint8_t *rest = (uint8_t *)must_alloc(w->n, 1);
    for (size_t i = 0; i < w->n; i++) {
        first[i] = w->keep[i];
        rest[i] = w->valid[i] && !first[i];
    }
    slm_status status = keep_highest(w, score, rest, k - k_first);
    for (size_t i = 0; i < w->n; i++)
        w->keep[i] = w->keep[i] || first[i];
    free(first);
    free(rest);
    return status;
}

static slm_status explore(work *w) {
    const size_t k = k_of(w, 1);
    const size_t k_best = k_of(w, 0.75);
    slm_status status = keep_highest(w, w->excess, w->valid, k_best);
    draw_evenly(w->score, w);
    return status == SLM_OK ? keep_more(w, w->score, k_best, k) : status;
}

static slm_status split(work *w) {
    const size_t k = k_of(w, 1);
    const size_t k_document = k_of(w, 0.5);
    slm_status status = keep_highest(w, w->known->document, w->valid, k_document);
    return status == SLM_OK ? keep_more(w, w->excess, k_document, k) : status;
}

/* ---- whole sequences ---- */
static slm_status keep_sequences(work *w) {
    const size_t B = (size_t)w->batch->B;
    const size_t T = (size_t)w->batch->T;
    slm_real *mean = (slm_real *)must_alloc(B, sizeof *mean);
    uint8_t *keep = (uint8_t *)must_alloc(B, 1);
    for (size_t b = 0; b < B; b++) {
        double sum = 0, count = 0;
        for (size_t i = b * T; i < (b + 1) * T; i++) {
            if (!w->valid[i]) continue;
            sum += (double)w->excess[i];
            count++;
        }
        mean[b] = (slm_real)(count > 0 ? sum / count : -1e30);
    }
    size_t k = slm_select_count(w->known->ratio, B);
    slm_status status = slm_select_top(keep, mean, NULL, B, k, w->err);
    for (size_t i = 0; i < w->n; i++)
        w->keep[i] = w->valid[i] && keep[i / T];
    free(mean);
    free(keep);
    return status;
}

/* ---- soft weights ---- */
/* Their mean over the valid targets is 1 before the heaviest are cut. */
static slm_status weigh(work *w) {
    slm_status status = slm_batch_alloc_weights(w->batch, w->err);
    double highest = -INFINITY, sum = 0;
    if (status != SLM_OK) return status;
    for (size_t i = 0; i < w->n; i++)
        if (w->valid[i] && (double)w->excess[i] > highest) highest = (double)w->excess[i];
    for (size_t i = 0; i < w->n; i++) {
        double weight = exp(((double)w->excess[i] - highest) / RULE_TEMPERATURE);
        w->keep[i] = w->valid[i];
        w->batch->weights[i] = (slm_real)(w->valid[i] ? weight : 0);
        sum += (double)w->batch->weights[i];
    }
    for (size_t i = 0; i < w->n; i++) {
        double weight = (double)w->batch->weights[i] * (double)w->n_valid / sum;
        w->batch->weights[i] = (slm_real)(weight < RULE_HEAVIEST ? weight : RULE_HEAVIEST);
    }
    return SLM_OK;
}

/* ---- all of them ---- */
static slm_status decide(work *w, token_rule rule) {
    const size_t k = k_of(w, 1);
    switch (rule) {
    case RULE_SOFT:
        return weigh(w);
    case RULE_SEQUENCES:
        return keep_sequences(w);
    case RULE_EXPLORE:
        return explore(w);
    case RULE_SPLIT:
        return split(w);
    case RULE_UNSURE:
        return keep_highest(w, w->known->entropy, w->valid, k);
    case RULE_STOCHASTIC:
        draw_by_excess(w->score, w);
        break;
    case RULE_SMOOTH:
        smooth(w->score, w);
        break;
    case RULE_FLOOR:
        excess_over_better(w->score, w);
        break;
    default: /* RULE_BLEND */
        add_ranks(w->score, w, w->excess);
        add_ranks(w->score, w, w->known->document);
        break;
    }
    return keep_highest(w, w->score, w->valid, k);
}

slm_status rule_apply(slm_batch *batch, token_rule rule, const rule_facts *known, slm_error *err) {
    const size_t n = (size_t)batch->B * (size_t)batch->T;
    work w = {.batch = batch, .known = known, .n = n, .err = err};
    if (rule == RULE_NONE) return SLM_OK;
    w.valid = (uint8_t *)must_alloc(n, 1);
    w.keep = (uint8_t *)must_alloc(n, 1);
    w.excess = (slm_real *)must_alloc(n, sizeof *w.excess);
    w.score = (slm_real *)must_alloc(n, sizeof *w.score);
    for (size_t i = 0; i < n; i++) {
        w.valid[i] = batch->targets[i] >= 0;
        w.n_valid += w.valid[i];
        if (rule_needs_reference(rule)) w.excess[i] = known->loss[i] - batch->ref_loss[i];
    }
    slm_status status = w.n_valid > 0 ? decide(&w, rule) : SLM_OK;
    for (size_t i = 0; i < n; i++)
        if (!w.keep[i]) batch->targets[i] = -1;
    free(w.valid);
    free(w.keep);
    free(w.excess);
    free(w.score);
    return status;
}
