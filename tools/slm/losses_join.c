/* losses_join.c: parts of losses made one. */
#include "slm/losses_join.h"

#include <string.h>

#include "common/errors.h"

const char *losses_difference(const slm_losses *a, const slm_losses *b) {
    if (a->T != b->T) return "window length";
    if (a->tokenizer_hash != b->tokenizer_hash) return "tokenizer";
    if (a->corpus_hash != b->corpus_hash || a->total != b->total) return "corpus";
    if (a->model_hash != b->model_hash) return "model";
    if (a->documents_hash != b->documents_hash) return "setting of --within-documents";
    return NULL;
}

/* Makes room for all parts: n is the sum of theirs, `first` the lowest. */
static slm_status create_joined(slm_losses **out, const slm_losses *const *parts, size_t n_parts,
                                slm_error *err) {
    const slm_losses *model = parts[0];
    size_t n = 0;
    size_t first = model->first;
    for (size_t i = 0; i < n_parts; i++) {
        const char *difference = losses_difference(parts[i], model);
        if (difference != NULL) {
            return error_set(err, SLM_ERR_MISMATCH,
                             "scores: part %zu is of another %s than part 0", i, difference);
        }
        if (parts[i]->n > SIZE_MAX / 64 - n)
            return error_set(err, SLM_ERR_MEMORY, "out of memory: the parts are too large");
        n += parts[i]->n;
        if (parts[i]->first < first) first = parts[i]->first;
    }
    slm_status status = slm_losses_create(out, n, model->T, err);
    if (status != SLM_OK) return status;
    (*out)->first = first;
    (*out)->total = model->total;
    (*out)->corpus_hash = model->corpus_hash;
    (*out)->tokenizer_hash = model->tokenizer_hash;
    (*out)->model_hash = model->model_hash;
    (*out)->documents_hash = model->documents_hash;
    return SLM_OK;
}

/* Returns the part that begins at this entry, or NULL. */
static const slm_losses *part_from(const slm_losses *const *parts, size_t n_parts, size_t first) {
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i]->n > 0 && parts[i]->first == first) return parts[i];
    }
    return NULL;
}

slm_status losses_join(slm_losses **out, const slm_losses *const *parts, size_t n_parts,
                       slm_error *err) {
    slm_losses *joined;
    *out = NULL;
    if (n_parts == 0) return error_set(err, SLM_ERR_ARGUMENT, "scores: no parts to join");
    slm_status status = create_joined(&joined, parts, n_parts, err);
    if (status != SLM_OK) return status;

    size_t done = 0;
    while (done < joined->n) {
        const slm_losses *part = part_from(parts, n_parts, joined->first + done);
        if (part == NULL) {
            status = error_set(err, SLM_ERR_ARGUMENT,
                               "scores: the parts overlap, or none begins at token %zu",
                               joined->first + done + 1);
            slm_losses_free(joined);
            return status;
        }
        memcpy(joined->loss + done, part->loss, part->n * sizeof(slm_real));
        memcpy(joined->entropy + done, part->entropy, part->n * sizeof(slm_real));
        done += part->n;
    }
    *out = joined;
    return SLM_OK;
}
