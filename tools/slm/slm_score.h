/* slm_score.h: the verb `score`: loss and entropy of every token of a text, once: into a score file that training reads, as a table for
   people, or for an array of tokens from NumPy. */
#ifndef SLM_SCORE_H
#define SLM_SCORE_H
#include "npy.h"
#include "scores_join.h"
#include "slm_common.h"

typedef struct score_options {
    option_list data, join;
    const char *model, *tokenizer, *fields, *out, *shard, *tokens;
    int32_t seq, batch, threads, save_every, shard_at, shards;
    int tsv, json, quiet;
} score_options;

typedef struct score_run {
    slm_tokenizer *tokenizer;
    slm_model *model;
    slm_corpus *corpus;
    slm_losses *scores;
    int32_t T;
} score_run;

/* ---- the results ---- */
static inline void score_summary(const score_options *o, const slm_losses *s) {
    double loss = 0, entropy = 0;
    for (size_t i = 0; i < s->n; i++) {
        loss += (double)s->loss[i];
        entropy += (double)s->entropy[i];
    }
    loss /= (double)s->n;
    entropy /= (double)s->n;
    if (o->json) {
        printf("{\"out\": ");
        escape_json(stdout, o->out);
        printf(", \"tokens\": %zu, \"seq\": %d, \"loss\": %.17g, \"entropy\": %.17g", s->n,
               (int)s->T, loss, entropy);
        printf(", \"corpus\": \"%016llx\", \"tokenizer\": \"%016llx\", \"model\": \"%016llx\"}\n",
               (unsigned long long)s->corpus_hash, (unsigned long long)s->tokenizer_hash,
               (unsigned long long)s->model_hash);
    } else
        printf("%s: %zu tokens in windows of %d, mean loss %.6f, mean entropy %.6f nats\n", o->out,
               s->n, (int)s->T, loss, entropy);
}

/* Position is the token's place in the text, from 0: the first token is no target and has no line. */
static inline void score_table(const score_run *r) {
    int digits = sizeof(slm_real) == 4 ? 9 : 17;
    printf("position\ttoken\ttext\tloss\tentropy\n");
    for (size_t i = 0; i < r->scores->n; i++) {
        size_t size = 0;
        int32_t id = r->corpus->tokens[i + 1];
        const char *bytes = slm_tokenizer_token(&size, r->tokenizer, id);
        printf("%zu\t%d\t", i + 1, (int)id);
        if (bytes != NULL) escape_terminal(stdout, bytes, size);
        printf("\t%.*g\t%.*g\n", digits, (double)r->scores->loss[i], digits,
               (double)r->scores->entropy[i]);
    }
}

/* ---- a text ---- */
static inline int score_load(const score_options *o, score_run *r) {
    int code = load_tokenizer(&r->tokenizer, o->tokenizer, o->model);
    if (code == DONE) code = load_model(&r->model, o->model);
    if (code == DONE) code = check_vocab(r->model, o->model, r->tokenizer);
    if (code == DONE) code = load_corpus(&r->corpus, r->tokenizer, &o->data, o->fields);
    if (code == DONE) r->T = o->seq > 0 ? o->seq : default_seq(r->model);
    return code;
}

/* Whether a file holds what this command would make: the same tokens, tokenizer, model and windows, of this shard at most. */
static inline int score_fits(const score_run *r, const slm_losses *s, const slm_losses *want,
                             const char *path) {
    const char *other = s->T != want->T                             ? "window length"
                        : s->tokenizer_hash != want->tokenizer_hash ? "tokenizer"
                        : s->corpus_hash != want->corpus_hash || s->total != want->total ? "corpus"
                        : s->model_hash != want->model_hash                          ? "model"
                        : s->first != want->first || s->n > want->n                        ? "shard"
                                                                                     : NULL;
    if (other == NULL) return DONE;
    return fail(BAD_INPUT,
                "%s: it holds scores %zu to %zu of %zu in windows of %d, made for another %s "
                "(here: %zu to %zu of %zu, %d)",
                path, s->first, s->first + s->n, s->total, (int)s->T, other, want->first, want->first + want->n,
                r->corpus->n - 1, (int)want->T);
}

/* What the file must hold in the end: the windows of the shard. */
static inline slm_losses score_wanted(const score_options *o, const score_run *r, size_t *first,
                                      size_t *last) {
    size_t windows = slm_corpus_n_windows(r->corpus, r->T), i = (size_t)o->shard_at,
           share = windows / (size_t)o->shards;
    size_t rest = windows % (size_t)o->shards, T = (size_t)r->T;
    slm_losses want;
    memset(&want, 0, sizeof want);
    *first = share * i + (i < rest ? i : rest);
    *last = *first + share + (i < rest);
    want.total = r->corpus->n - 1;
    want.first = *first * T < want.total ? *first * T : want.total;
    want.n = (*last * T < want.total ? *last * T : want.total) - want.first;
    want.T = r->T;
    want.corpus_hash = r->corpus->hash;
    want.tokenizer_hash = slm_tokenizer_hash(r->tokenizer);
    want.model_hash = slm_model_hash(r->model);
    return want;
}

/* Shows progress, and stops where it is time to save what there is. */
typedef struct score_watch {
    watch w;
    uint64_t before, all;
    double save_at;
} score_watch;

static inline int score_callback(void *user, uint64_t done, uint64_t total) {
    score_watch *w = (score_watch *)user;
    (void)total;
    return watch_callback(&w->w, w->before + done, w->all) || progress_clock() >= w->save_at;
}

/* More windows onto r->scores, until all are there or it is time to save. */
static inline slm_status score_more(const score_options *o, score_run *r, const slm_losses *want,
                                    size_t last, score_watch *w, slm_error *err) {
    slm_losses *more = NULL, *both = NULL;
    const slm_losses *parts[2];
    slm_windows windows;
    slm_status status, joined;
    w->before = r->scores != NULL ? r->scores->n : 0;
    w->save_at = progress_clock() + (double)o->save_every;
    windows.B = o->batch;
    windows.T = r->T;
    windows.first = (want->first + w->before + (size_t)r->T - 1) / (size_t)r->T;
    windows.end = last;
    status = slm_losses_compute(&more, r->model, r->corpus, &windows, score_callback, w, err);
    if (more == NULL || r->scores == NULL) {
        if (more != NULL) r->scores = more;
        return status;
    }
    parts[0] = r->scores;
    parts[1] = more;
    joined = scores_join(&both, parts, 2, err);
    slm_losses_free(more);
    if (joined != SLM_OK) return joined;
    slm_losses_free(r->scores);
    r->scores = both;
    return status;
}

/* Takes up S.part.  It is replaced atomically, so that one that cannot be read is no work of ours: it is made anew. */
static inline int score_resume(const score_options *o, score_run *r, const slm_losses *want,
                               const char *part) {
    slm_error err;
    slm_status status;
    if (!path_exists(part)) return DONE;
    status = slm_losses_load(&r->scores, part, &err);
    if (status == SLM_OK) return score_fits(r, r->scores, want, part);
    if (status != SLM_ERR_FORMAT && status != SLM_ERR_NOT_FINITE)
        return fail_status(status, FOR_INPUT, &err);
    if (!o->quiet) fprintf(stderr, "slm score: note: %s; scoring begins anew\n", err.text);
    return DONE;
}

static inline int score_file(const score_options *o, score_run *r) {
    char part[PATH_MOST];
    slm_error err;
    size_t first, last;
    slm_losses want = score_wanted(o, r, &first, &last);
    slm_status status = SLM_ERR_CANCELLED;
    score_watch w;
    int code;
    if (snprintf(part, sizeof part, "%s.part", o->out) >= (int)sizeof part)
        return fail(USAGE, "%.60s...: the path is too long", o->out);
    if (path_exists(o->out)) { /* finished: left alone */
        if ((status = slm_losses_load(&r->scores, o->out, &err)) != SLM_OK)
            return fail_status(status, FOR_INPUT, &err);
        if ((code = score_fits(r, r->scores, &want, o->out)) != DONE) return code;
        if (r->scores->n == want.n) return DONE;
        return fail(BAD_INPUT, "%s: it holds %zu of the %zu scores of this shard", o->out,
                    r->scores->n, want.n);
    }
    if ((code = score_resume(o, r, &want, part)) != DONE) return code;
    watch_start(&w.w, "scoring: token", "tok/s", o->quiet);
    w.all = want.n;
    while (status == SLM_ERR_CANCELLED && !stop_requested) {
        status = score_more(o, r, &want, last, &w, &err);
        if (status == SLM_ERR_CANCELLED) {
            slm_status saved = slm_losses_save(r->scores, part, &err);
            if (saved != SLM_OK) status = saved;
        }
    }
    progress_end(&w.w.bar);
    if (status == SLM_ERR_CANCELLED)
        return fail(INTERRUPTED, "%s: stopped at token %zu of %zu; the same command goes on", part,
                    r->scores->n, want.n);
    if (status == SLM_OK) status = slm_losses_save(r->scores, o->out, &err);
    if (status == SLM_OK) (void)remove(part);
    return fail_status(status, FOR_OUTPUT, &err);
}

static inline int score_text(const score_options *o, score_run *r) {
    slm_error err;
    watch w;
    int code = score_load(o, r);
    if (code == DONE && o->out != NULL)
        code = score_file(o, r);
    else if (code == DONE) {
        slm_windows windows = slm_corpus_windows(r->corpus, o->batch, r->T);
        slm_status status;
        watch_start(&w, "scoring: token", "tok/s", o->quiet);
        status =
            slm_losses_compute(&r->scores, r->model, r->corpus, &windows, watch_callback, &w, &err);
        progress_end(&w.bar);
        code = fail_status(status, FOR_OUTPUT, &err);
    }
    if (code != DONE) return code;
    if (o->shards > 1) {
        int i = (int)o->shard_at, n = (int)o->shards;
        if (o->json)
            printf("{\"shard\": %d, \"shards\": %d, \"windows\": %zu}\n", i, n,
                   slm_corpus_n_windows(r->corpus, r->T));
        else
            printf(
                "%s: shard %d of %d is done; when all are: slm score --join FILE... --out SCORES\n",
                o->out, i, n);
        return DONE;
    }
    if (o->tsv)
        score_table(r);
    else
        score_summary(o, r->scores);
    return DONE;
}

static inline int score_join(const score_options *o, score_run *r) {
    slm_error err;
    slm_losses *parts[COUNT(o->join.items)] = {NULL};
    slm_status status = SLM_OK;
    int code;
    for (size_t i = 0; i < o->join.n && status == SLM_OK; i++)
        status = slm_losses_load(&parts[i], o->join.items[i], &err);
    if (status == SLM_OK)
        status = scores_join(&r->scores, (const slm_losses *const *)parts, o->join.n, &err);
    code = fail_status(status, FOR_INPUT, &err);
    for (size_t i = 0; i < o->join.n; i++)
        slm_losses_free(parts[i]);
    if (code == DONE && r->scores->n != r->scores->total)
        code = fail(BAD_INPUT, "the shards given hold %zu of %zu scores", r->scores->n,
                    r->scores->total);
    if (code == DONE)
        code = fail_status(slm_losses_save(r->scores, o->out, &err), FOR_OUTPUT, &err);
    if (code == DONE) score_summary(o, r->scores);
    return code;
}

/* ---- an array of tokens: rows of T+1; inputs are the first T of each, targets the last T ---- */
typedef struct score_array {
    char *bytes;
    const unsigned char *tokens;
    size_t rows, T;
    unsigned char *loss, *entropy;
} score_array;

static inline int score_array_load(const score_options *o, score_array *a, const slm_model *model) {
    slm_error err;
    npy_header h;
    size_t size;
    slm_status status = slm_file_read(&a->bytes, &size, o->tokens, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    if (npy_parse(&h, (const unsigned char *)a->bytes, size) != 0 || strcmp(h.dtype, "<i4") != 0 ||
        h.n_dims != 2 || h.shape[0] < 1 || h.shape[1] < 2 || h.shape[1] > 1048577)
        return fail(BAD_INPUT, "%s: not a .npy file of dtype <i4 and shape (rows, T+1)", o->tokens);
    a->tokens = (const unsigned char *)a->bytes + h.start;
    a->rows = h.shape[0];
    a->T = h.shape[1] - 1;
    for (size_t i = 0; i < h.n; i++) {
        int32_t id = npy_i32(a->tokens + 4 * i);
        if (id < 0 || id >= model->config.vocab)
            return fail(BAD_INPUT,
                        "%s: token %d in row %zu is outside the model's vocabulary of %d",
                        o->tokens, (int)id, i / h.shape[1], (int)model->config.vocab);
    }
    a->loss = (unsigned char *)malloc(128 + a->rows * a->T * sizeof(slm_real));
    a->entropy = (unsigned char *)malloc(128 + a->rows * a->T * sizeof(slm_real));
    return a->loss != NULL && a->entropy != NULL ? DONE : no_memory();
}

/* Rows `first` and following, as many as the batch has or as are left. */
static inline size_t score_array_fill(slm_batch *batch, const score_array *a, size_t first) {
    size_t B = (size_t)batch->B, rows = a->rows - first < B ? a->rows - first : B;
    for (size_t i = 0; i < B * a->T; i++) {
        const unsigned char *p = a->tokens + 4 * ((first + i / a->T) * (a->T + 1) + i % a->T);
        int there = i / a->T < rows;
        batch->inputs[i] = there ? npy_i32(p) : 0;
        batch->targets[i] = there ? npy_i32(p + 4) : -1;
    }
    return rows;
}

/* Numbers as they lie in memory: the header says which byte order that is. */
static inline void score_array_put(unsigned char *out, size_t at, const slm_real *values,
                                   size_t n) {
    memcpy(out + 128 + at * sizeof(slm_real), values, n * sizeof(slm_real));
}

static inline int score_array_run(const score_options *o, score_array *a, const slm_model *model) {
    slm_error err;
    slm_tape *tape = NULL;
    slm_batch *batch = NULL;
    watch w;
    int32_t B = (size_t)o->batch < a->rows ? o->batch : (int32_t)a->rows;
    slm_real *values = (slm_real *)malloc((size_t)B * a->T * 2 * sizeof *values);
    slm_status status = values == NULL ? SLM_ERR_MEMORY : slm_tape_create(&tape, &err);
    if (values == NULL) (void)snprintf(err.text, sizeof err.text, "out of memory");
    if (status == SLM_OK) status = slm_batch_create(&batch, B, (int32_t)a->T, &err);
    watch_start(&w, "scoring: row", "rows/s", o->quiet);
    for (size_t first = 0, rows; status == SLM_OK && first < a->rows; first += rows) {
        size_t n = (size_t)B * a->T;
        rows = score_array_fill(batch, a, first);
        status = slm_model_losses(values, values + n, tape, model, batch, &err);
        if (status != SLM_OK) break;
        score_array_put(a->loss, first * a->T, values, rows * a->T);
        score_array_put(a->entropy, first * a->T, values + n, rows * a->T);
        if (watch_callback(&w, first + rows, a->rows) && first + rows < a->rows) {
            (void)snprintf(err.text, sizeof err.text, "interrupted");
            status = SLM_ERR_CANCELLED;
        }
    }
    progress_end(&w.bar);
    slm_batch_free(batch);
    slm_tape_free(tape);
    free(values);
    return fail_status(status, FOR_OUTPUT, &err);
}

static inline int score_array_save(const score_options *o, const score_array *a) {
    const uint16_t one = 1;
    const int little = *(const unsigned char *)&one == 1;
    const char *dtype = sizeof(slm_real) == 4 ? (little ? "<f4" : ">f4") : (little ? "<f8" : ">f8");
    unsigned char *arrays[2] = {a->loss, a->entropy};
    static const char *const names[2] = {"loss.npy", "entropy.npy"};
    size_t size = 128 + a->rows * a->T * sizeof(slm_real);
    int code = make_folder(o->out);
    for (int i = 0; i < 2 && code == DONE; i++) {
        char path[PATH_MOST];
        slm_error err;
        (void)npy_head(arrays[i], dtype, a->rows, a->T);
        if ((code = path_join(path, o->out, names[i])) == DONE)
            code = fail_status(slm_file_write(path, arrays[i], size, &err), FOR_OUTPUT, &err);
    }
    return code;
}

static inline int score_tokens(const score_options *o, score_run *r) {
    score_array a;
    int code = load_model(&r->model, o->model);
    memset(&a, 0, sizeof a);
    if (code == DONE) code = score_array_load(o, &a, r->model);
    if (code == DONE) code = score_array_run(o, &a, r->model);
    if (code == DONE) code = score_array_save(o, &a);
    if (code == DONE && o->json)
        printf("{\"rows\": %zu, \"seq\": %zu}\n", a.rows, a.T);
    else if (code == DONE)
        printf("%s: loss.npy and entropy.npy of %zu rows of %zu targets\n", o->out, a.rows, a.T);
    slm_free(a.bytes);
    free(a.loss);
    free(a.entropy);
    return code;
}

/* ---- the flags ---- */
static const option_page score_page = {
    "score",
    "loss and entropy of every token of a text, once",
    "score --model DIR --data F... --out S [flags]",
    {"slm score --model ref --data noisy.txt --out noisy.scores",
     "slm score --model ref --data page.txt --tsv | sort -t '\t' -k4 -nr | head"},
    "The score file holds loss and entropy (nats) of each token in its window of --seq, and the "
    "fingerprints of text, tokenizer and\n"
    "model: train refuses it for anything else.  An interrupted scoring (S.part) is taken up by "
    "the same command.  Shards 0/n to\n"
    "n-1/n can be made on different machines, each into its own file; --join FILE... --out S makes "
    "one of them.  --tsv prints\n"
    "position, token, text, loss, entropy (tabs between; \\n, \\t, \\\\ and \\xHH in the text).  "
    "--tokens takes an int32 array of shape\n"
    "(rows, T+1): inputs [:, :T], targets [:, 1:].",
    0};

static inline int score_check(score_options *o) {
    int code, left = 0;
    if (o->join.n > 0) {
        if (o->model != NULL || o->data.n > 0 || o->shard != NULL || o->tsv)
            return fail(USAGE, "--join takes finished shards and --out, nothing else");
        return needed(o->out != NULL, "--out", "S");
    }
    if ((code = needed(o->model != NULL, "--model", "DIR")) != DONE) return code;
    if (o->tokens != NULL) {
        if (o->data.n > 0 || o->shard != NULL || o->tsv || o->seq > 0)
            return fail(
                USAGE,
                "--tokens brings its own windows: no --data, --seq, --shard or --tsv with it");
        return needed(o->out != NULL, "--out", "FOLDER");
    }
    if ((code = needed(o->data.n > 0, "--data", "F")) != DONE) return code;
    if (o->out == NULL && !o->tsv) return needed(0, "--out", "S");
    o->shards = 1;
    if (o->shard != NULL && (sscanf(o->shard, "%6d/%6d%n", &o->shard_at, &o->shards, &left) != 2 ||
                             o->shard[left] != 0 || o->shard_at < 0 || o->shard_at >= o->shards))
        return fail(USAGE, "--shard %s: i/n is needed, i from 0 to n-1", o->shard);
    if (o->shards > 1 && (o->tsv || o->out == NULL))
        return fail(USAGE, "--shard goes with --out and without --tsv");
    return DONE;
}

static inline int verb_score(int argc, char **argv) {
    score_options o;
    score_run r;
    option_list rest = {{NULL}, 0};
    int code;
    option table[] = {
        OPTION_TEXT("model", &o.model, "DIR", "the model folder"),
        OPTION_LIST("data", &o.data, "F...", "text, .jsonl or token files, one after the other"),
        OPTION_TEXT("out", &o.out, "S", "the score file to write; with --tokens a folder"),
        OPTION_I32(
            "seq", &o.seq, 1, 1048576, "T",
            "window length, the one of training (default: the model's context, at most 1024)"),
        OPTION_TEXT("tokenizer", &o.tokenizer, "T",
                    "bytes, a tokenizer.json or a folder with one (default: the model's)"),
        OPTION_TEXT("fields", &o.fields, "A,B",
                    "the fields of .jsonl records to join (default: text)"),
        OPTION_I32("batch", &o.batch, 1, 65536, "B",
                   "windows at once (default 8): a matter of speed and memory only"),
        OPTION_TEXT("shard", &o.shard, "i/n", "score only part i of n, i from 0"),
        OPTION_I32("save-every", &o.save_every, 0, 1000000, "SECONDS",
                   "between saves of S.part (default 60)"),
        OPTION_LIST("join", &o.join, "FILE...", "make one score file of all shards"),
        OPTION_FLAG("tsv", &o.tsv, "print the scores as a table"),
        OPTION_TEXT("tokens", &o.tokens, "T.npy",
                    "score this array; writes loss.npy and entropy.npy"),
        OPTION_I32("threads", &o.threads, 1, 4096, "N",
                   "threads (default: all); any number gives the same bits"),
        OPTION_FLAG("json", &o.json, "the summary as JSON"),
        OPTION_FLAG("quiet", &o.quiet, "no progress on stderr")};
    memset(&o, 0, sizeof o);
    memset(&r, 0, sizeof r);
    o.batch = 8;
    o.save_every = 60;
    code = options_parse(&score_page, table, COUNT(table), &rest, argc, argv);
    if (code != -1 || (code = score_check(&o)) != DONE) return code;
    use_threads(o.threads);
    code = o.join.n > 0       ? score_join(&o, &r)
           : o.tokens != NULL ? score_tokens(&o, &r)
                              : score_text(&o, &r);
    slm_losses_free(r.scores);
    slm_corpus_free(r.corpus);
    slm_model_free(r.model);
    slm_tokenizer_free(r.tokenizer);
    return code;
}
#endif
