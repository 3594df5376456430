/* scores_join.h: one set of reference losses out of parts that lie side by side, in any order: shards, and what was done before an
   interruption.  Refuses parts of different models, corpora, tokenizers or windows.  Include after slm.h with its implementation. */
#ifndef SCORES_JOIN_H
#define SCORES_JOIN_H

static inline slm_status scores_join(slm_losses **out, const slm_losses *const *parts,
                                     size_t n_parts, slm_error *err) {
    slm_losses like, *s = NULL;
    size_t i, done;
    slm_status status;
    *out = NULL;
    if (n_parts == 0) return slm__fail(err, SLM_ERR_ARGUMENT, "scores: no parts to join");
    like = *parts[0];
    for (i = 1; i < n_parts; i++) {
        const slm_losses *p = parts[i];
        const char *other = p->T != like.T                             ? "window length"
                            : p->tokenizer_hash != like.tokenizer_hash ? "tokenizer"
                            : p->corpus_hash != like.corpus_hash || p->total != like.total ? "corpus"
                            : p->model_hash != like.model_hash                         ? "model"
                                                                                       : NULL;
        if (other != NULL)
            return slm__fail(err, SLM_ERR_MISMATCH, "scores: part %zu is of another %s than part 0",
                             i, other);
        if (p->n > SIZE_MAX / 64 - like.n) return slm__no_memory(err, SIZE_MAX);
        like.n += p->n;
        if (p->first < like.first) like.first = p->first;
    }
    status = slm_losses_create(&s, like.n, like.T, err);
    if (status != SLM_OK) return status;
    s->first = like.first;
    s->total = like.total;
    s->corpus_hash = like.corpus_hash;
    s->tokenizer_hash = like.tokenizer_hash;
    s->model_hash = like.model_hash;
    for (done = 0; done < s->n;
         done += parts[i]->n) { /* the part that begins where the last one ends */
        for (i = 0; i < n_parts && (parts[i]->first != s->first + done || parts[i]->n == 0); i++)
            continue;
        if (i == n_parts) {
            slm__fail(err, SLM_ERR_ARGUMENT,
                      "scores: the parts overlap, or none begins at token %zu", s->first + done + 1);
            slm_losses_free(s);
            return SLM_ERR_ARGUMENT;
        }
        memcpy(s->loss + done, parts[i]->loss, parts[i]->n * sizeof(slm_real));
        memcpy(s->entropy + done, parts[i]->entropy, parts[i]->n * sizeof(slm_real));
    }
    *out = s;
    return SLM_OK;
}
#endif
