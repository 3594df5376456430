/* slm_train.h: the verb `train`: reads what the flags name, then takes steps, writes the log and the checkpoints.
 *
 * A run is a folder.  state.safetensors is the whole state, replaced atomically; whatever else is there follows from it or from the
 * command line, so that a run that is killed at any moment and resumed ends in the same bytes. */
#ifndef SLM_TRAIN_H
#define SLM_TRAIN_H
#include "slm_eval.h"
#include "slm_log.h"

typedef struct train_options {
    option_list data;
    const char *out, *init, *tokenizer, *fields, *scores, *reference, *val;
    slm_model_config shape;
    slm_adamw_options optimizer;
    slm_select_options selection;
    int select, scope, resume, force, recompute, quiet; /* select: -1 = not given */
    double epochs;
    uint64_t steps, seed, val_every, val_batches, save_every;
    int32_t batch, accumulate, seq, threads;
    int shape_given, warmup_given; /* flags that --init excludes; --warmup */
} train_options;

typedef struct train_run {
    train_options o;
    slm_tokenizer *tokenizer;
    slm_model *model, *reference;
    slm_corpus *corpus, *val;
    slm_losses *scores;
    slm_trainer *trainer;
    slm_batch **micro; /* (accumulate) */
    evaluator evaluator;
    slm_cursor cursor;
    run_log log;
    progress bar;
    uint64_t tokens, first_tokens; /* targets seen: by the run, by it before this process */
    double val_loss;               /* the last one; NaN: none yet */
    char settings
        [512]; /* what must be the same when the run is resumed, beyond what the library compares */
} train_run;

static inline void train_free(train_run *r) {
    log_close(&r->log);
    evaluator_free(&r->evaluator);
    for (int32_t i = 0; r->micro != NULL && i < r->o.accumulate; i++)
        slm_batch_free(r->micro[i]);
    free(r->micro);
    slm_trainer_free(r->trainer);
    slm_losses_free(r->scores);
    slm_corpus_free(r->val);
    slm_corpus_free(r->corpus);
    slm_model_free(r->reference);
    slm_model_free(r->model);
    slm_tokenizer_free(r->tokenizer);
}

/* ---- loading ---- */
static inline int train_needs_reference(const train_options *o) {
    return o->select != SLM_CRITERION_NONE && o->select != SLM_CRITERION_LOSS &&
           o->select != SLM_CRITERION_RANDOM;
}

static inline int train_check_options(train_options *o) {
    int code;
    if ((code = needed(o->data.n > 0, "--data", "F")) != DONE ||
        (code = needed(o->out != NULL, "--out", "DIR")) != DONE)
        return code;
    if (o->init != NULL && o->shape_given)
        return fail(USAGE,
                    "--init DIR brings the model's shape; leave out --dim, --layers and the like");
    if (o->scores != NULL && o->reference != NULL)
        return fail(USAGE, "--scores and --reference are two ways to the same numbers: give one");
    if (o->resume && o->force)
        return fail(USAGE, "--resume goes on with the run in %s, --force replaces it: give one",
                    o->out);
    if (o->select < 0)
        o->select =
            o->scores != NULL || o->reference != NULL ? SLM_CRITERION_EXCESS : SLM_CRITERION_NONE;
    if (train_needs_reference(o) && o->scores == NULL && o->reference == NULL)
        return fail(USAGE, "this selection needs reference losses: --scores FILE (from slm score) "
                           "or --reference DIR");
    if ((o->init != NULL && same_file(o->init, o->out)) ||
        (o->reference != NULL && same_file(o->reference, o->out)))
        return fail(USAGE, "--out %s is the folder of a model that is read", o->out);
    o->selection.criterion = (slm_criterion)o->select;
    o->selection.scope = (slm_scope)o->scope;
    o->selection.seed = o->seed;
    return DONE;
}

static inline int train_load_model(train_run *r) {
    train_options *o = &r->o;
    slm_error err;
    int code = load_tokenizer(&r->tokenizer, o->tokenizer, o->init);
    if (code != DONE) return code;
    if (o->init != NULL) {
        if ((code = load_model(&r->model, o->init)) != DONE) return code;
        if (o->seq > r->model->config.max_seq && !o->quiet)
            fprintf(
                stderr,
                "slm train: note: --seq %d is longer than the context of %d that %s was made for\n",
                (int)o->seq, (int)r->model->config.max_seq, o->init);
        return check_vocab(r->model, o->init, r->tokenizer);
    }
    if (o->shape.vocab == 0) o->shape.vocab = slm_tokenizer_vocab(r->tokenizer);
    if (o->shape.vocab < slm_tokenizer_vocab(r->tokenizer))
        return fail(USAGE, "--vocab %d is below the %d tokens of the tokenizer",
                    (int)o->shape.vocab, (int)slm_tokenizer_vocab(r->tokenizer));
    if (o->shape.ffn == 0) o->shape.ffn = (int32_t)(((int64_t)o->shape.dim * 8 / 3 + 31) / 32 * 32);
    return slm_model_config_check(&o->shape, &err) == SLM_OK ? DONE : fail(USAGE, "%s", err.text);
}

/* The window length: as told; else that of the scores, of the model, or 256.  Then the model, if it is a new one. */
static inline int train_load_scores(train_run *r) {
    train_options *o = &r->o;
    slm_error err;
    slm_status status = SLM_OK;
    int code;
    if (o->scores != NULL && (status = slm_losses_load(&r->scores, o->scores, &err)) != SLM_OK)
        return fail_status(status, FOR_INPUT, &err);
    if (o->seq == 0)
        o->seq = r->scores != NULL ? r->scores->T : r->model != NULL ? default_seq(r->model) : 256;
    if (r->scores != NULL &&
        (status = slm_losses_check(r->scores, r->corpus, o->seq, &err)) != SLM_OK)
        return fail(BAD_INPUT, "%s: %s", o->scores, err.text);
    if (o->reference != NULL && train_needs_reference(o)) {
        if ((code = load_reference(&r->reference, o->reference, r->tokenizer)) != DONE) return code;
    }
    if (r->model == NULL) {
        o->shape.max_seq = o->seq;
        status = slm_model_create(&r->model, &o->shape, o->seed, &err);
    }
    return fail_status(status, FOR_OUTPUT, &err);
}

static inline int train_count_steps(train_run *r) {
    train_options *o = &r->o;
    uint64_t per_step = (uint64_t)o->batch * (uint64_t)o->accumulate,
             windows = slm_corpus_n_windows(r->corpus, o->seq);
    if (windows < per_step)
        return fail(BAD_INPUT,
                    "%s: too small: %zu tokens make %llu windows of %d, one step takes %llu; lower "
                    "--batch, --accumulate or --seq",
                    o->data.items[0], r->corpus->n, (unsigned long long)windows, (int)o->seq,
                    (unsigned long long)per_step);
    if (o->steps == 0)
        o->steps = (uint64_t)ceil(
            (o->epochs > 0 ? o->epochs : 1.0) * (double)windows / (double)per_step - 1e-9);
    if (o->steps == 0) o->steps = 1;
    if (!o->warmup_given) o->optimizer.warmup = o->steps / 10 < 100 ? o->steps / 10 : 100;
    o->optimizer.steps = o->steps;
    if (o->save_every == 0) o->save_every = o->steps < 10 ? 1 : o->steps / 10;
    if (o->val_every == 0) o->val_every = o->steps < 10 ? 1 : o->steps / 10;
    return DONE;
}

static inline int train_load_val(train_run *r) {
    train_options *o = &r->o;
    option_list files = {{NULL}, 1};
    size_t windows;
    int code;
    if (o->val == NULL) return DONE;
    files.items[0] = o->val;
    if ((code = load_corpus(&r->val, r->tokenizer, &files, o->fields)) != DONE) return code;
    windows = slm_corpus_n_windows(r->val, o->seq);
    if (o->val_batches > 0 && windows / (size_t)o->batch >= o->val_batches)
        windows = (size_t)o->val_batches * (size_t)o->batch;
    return evaluator_create(&r->evaluator, r->model,
                            (size_t)o->batch < windows ? o->batch : (int32_t)windows, o->seq,
                            windows);
}

static inline int train_create(train_run *r) {
    slm_error err;
    slm_train_options options = slm_train_defaults();
    slm_status status;

    options.select = r->o.selection;
    options.adamw = r->o.optimizer;
    options.reference = r->reference;
    options.recompute = r->o.recompute;
    status = slm_trainer_create(&r->trainer, r->model, &options, &err);
    r->cursor.seed = r->o.seed;
    r->val_loss = NAN;
    r->micro = (slm_batch **)calloc((size_t)r->o.accumulate, sizeof(slm_batch *));
    if (r->micro == NULL) return no_memory();
    for (int32_t i = 0; i < r->o.accumulate && status == SLM_OK; i++)
        status = slm_batch_create(&r->micro[i], r->o.batch, r->o.seq, &err);
    return fail_status(status, FOR_OUTPUT, &err);
}

static inline int train_load(train_run *r) {
    int code = train_check_options(&r->o);
    if (code == DONE) code = train_load_model(r);
    if (code == DONE) code = load_corpus(&r->corpus, r->tokenizer, &r->o.data, r->o.fields);
    if (code == DONE) code = train_load_scores(r);
    if (code == DONE) code = train_count_steps(r);
    if (code == DONE) code = train_load_val(r);
    return code == DONE ? train_create(r) : code;
}

/* ---- the folder ---- */
/* Settings that decide the result and that slm_run_load does not know of: one per line, compared when a run is resumed. */
static inline uint64_t scores_hash(const slm_losses *s) {
    uint64_t hash = SLM_HASH_START;
    if (s == NULL) return 0;
    hash = slm_hash(hash, s->loss, s->n * sizeof(slm_real));
    return slm_hash(hash, s->entropy, s->n * sizeof(slm_real));
}

static inline void train_settings(train_run *r) {
    (void)snprintf(r->settings, sizeof r->settings,
                   "--batch %d\n--accumulate %d\n--seq %d\ntokenizer %016llx\nscores %016llx\n",
                   (int)r->o.batch, (int)r->o.accumulate, (int)r->o.seq,
                   (unsigned long long)slm_tokenizer_hash(r->tokenizer),
                   (unsigned long long)(train_needs_reference(&r->o) ? scores_hash(r->scores) : 0));
}

/* The first line in which the file's settings differ from ours, as an error. */
static inline int train_compare(const train_run *r, const char *theirs, const char *path) {
    const char *mine = r->settings;
    while (*mine != 0) {
        size_t n = strcspn(mine, "\n"), m = strcspn(theirs, "\n"), name = strcspn(mine, " ");
        if (n != m || strncmp(mine, theirs, n) != 0)
            return fail(BAD_INPUT, "%s: the run has %.*s, here it is%.*s", path, (int)m, theirs,
                        (int)(n - name), mine + name);
        mine += n + (mine[n] != 0);
        theirs += m + (theirs[m] != 0);
    }
    return DONE;
}

static inline int train_resume(train_run *r) {
    slm_error err;
    char path[PATH_MOST], extra[1024];
    unsigned long long tokens = 0;
    slm_status status;
    int code = path_join(path, r->o.out, "state.safetensors");
    if (code != DONE) return code;
    if (!r->o.resume || !path_exists(path))
        return DONE; /* killed before the first checkpoint: from the beginning */
    status =
        slm_run_load(r->trainer, &r->cursor, r->corpus->hash, extra, sizeof extra, r->o.out, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    if ((code = train_compare(r, extra, path)) != DONE) return code;
    if (strlen(extra) < strlen(r->settings) ||
        sscanf(extra + strlen(r->settings), "tokens %llu", &tokens) != 1)
        return fail(BAD_INPUT, "%s: it does not say how many tokens the run has seen", path);
    r->tokens = r->first_tokens = tokens;
    if (!r->o.quiet)
        fprintf(stderr, "slm train: %s goes on at step %llu of %llu\n", r->o.out,
                (unsigned long long)slm_trainer_steps(r->trainer), (unsigned long long)r->o.steps);
    return DONE;
}

static inline int train_make_folder(train_run *r) {
    static const char *const ours[] = {"state.safetensors", "model.safetensors", "log.csv",
                                       "run.json"};
    char path[PATH_MOST];
    int code;
    for (size_t i = 0; i < COUNT(ours); i++) {
        if ((code = path_join(path, r->o.out, ours[i])) != DONE) return code;
        if (r->o.resume || !path_exists(path)) continue;
        if (!r->o.force)
            return fail(
                USAGE, "%s already holds a run (%s); --resume goes on with it, --force replaces it",
                r->o.out, ours[i]);
        if (remove(path) != 0) return fail(FAILED, "%s: cannot remove: %s", path, strerror(errno));
    }
    return make_folder(r->o.out);
}

static inline void train_put_data(FILE *f, const train_run *r, int argc, char **argv) {
    fprintf(f, "{\n  \"slm\": \"%s\",\n  \"command\": [\"train\"", SLM_VERSION);
    for (int i = 0; i < argc; i++) {
        fputs(", ", f);
        escape_json(f, argv[i]);
    }
    fprintf(f, "],\n  \"number\": \"%s\",\n  \"compiler\": ",
            sizeof(slm_real) == 4 ? "float" : "double");
#ifdef __VERSION__
    escape_json(f, __VERSION__);
#else
    fputs("\"unknown\"", f);
#endif
    fprintf(f,
            ",\n  \"corpus\": {\"hash\": \"%016llx\", \"tokens\": %zu, \"bytes\": %zu, "
            "\"windows\": %zu}",
            (unsigned long long)r->corpus->hash, r->corpus->n, r->corpus->bytes,
            slm_corpus_n_windows(r->corpus, r->o.seq));
    fprintf(f, ",\n  \"tokenizer\": {\"hash\": \"%016llx\", \"vocab\": %d}",
            (unsigned long long)slm_tokenizer_hash(r->tokenizer),
            (int)slm_tokenizer_vocab(r->tokenizer));
    fputs(",\n  \"scores\": ", f);
    if (r->scores != NULL)
        fprintf(f, "\"%016llx\"", (unsigned long long)scores_hash(r->scores));
    else
        fputs("null", f);
    fputs(",\n  \"reference\": ", f);
    if (r->reference != NULL)
        fprintf(f, "\"%016llx\"", (unsigned long long)slm_model_hash(r->reference));
    else
        fputs("null", f);
}

static inline void train_put_settings(FILE *f, const train_run *r) {
    const slm_model_config *c = &r->model->config;
    const slm_select_options *s = &slm_trainer_options(r->trainer)->select;
    const slm_adamw_options *p = &slm_trainer_options(r->trainer)->adamw;
    fprintf(f,
            ",\n  \"model\": {\"vocab\": %d, \"dim\": %d, \"layers\": %d, \"heads\": %d, "
            "\"kv_heads\": %d, \"head_dim\": %d, \"ffn\": %d",
            (int)c->vocab, (int)c->dim, (int)c->n_layers, (int)c->n_heads, (int)c->n_kv_heads,
            (int)c->head_dim, (int)c->ffn);
    fprintf(f, ", \"context\": %d, \"theta\": %.17g, \"tied\": %d, \"parameters\": %zu}",
            (int)c->max_seq, c->rope_theta, (int)c->tie_embeddings, r->model->n_params);
    fprintf(f,
            ",\n  \"selection\": {\"select\": \"%s\", \"scope\": \"%s\", \"ratio\": %.17g, "
            "\"ratio2\": %.17g}",
            score_names[s->criterion], scope_names[s->scope], s->ratio, s->entropy_ratio);
    fprintf(
        f,
        ",\n  \"optimizer\": {\"lr\": %.17g, \"lr_min\": %.17g, \"warmup\": %llu, \"steps\": %llu",
        p->lr, p->lr_min, (unsigned long long)p->warmup, (unsigned long long)p->steps);
    fprintf(f,
            ", \"beta1\": %.17g, \"beta2\": %.17g, \"eps\": %.17g, \"weight_decay\": %.17g, "
            "\"clip\": %.17g}",
            p->beta1, p->beta2, p->eps, p->weight_decay, p->clip);
    fprintf(f, ",\n  \"seed\": %llu,\n  \"batch\": %d,\n  \"accumulate\": %d,\n  \"seq\": %d\n}\n",
            (unsigned long long)r->o.seed, (int)r->o.batch, (int)r->o.accumulate, (int)r->o.seq);
}

static inline int train_write_settings(const train_run *r, int argc, char **argv) {
    char path[PATH_MOST], temporary[PATH_MOST];
    FILE *f;
    int code, wrong;
    if ((code = path_join(path, r->o.out, "run.json")) != DONE ||
        (code = path_join(temporary, r->o.out, "run.json.tmp")) != DONE)
        return code;
    if ((f = fopen(temporary, "wb")) == NULL)
        return fail(FAILED, "%s: cannot open for writing: %s", temporary, strerror(errno));
    train_put_data(f, r, argc, argv);
    train_put_settings(f, r);
    wrong = ferror(f);
    if (fclose(f) != 0 || wrong || rename(temporary, path) != 0) {
        (void)remove(temporary);
        return fail(FAILED, "%s: cannot write: %s", path, strerror(errno));
    }
    return DONE;
}

static inline int train_checkpoint(train_run *r) {
    slm_error err;
    slm_status status;
    char extra[1024];
    int code = log_flush(&r->log);
    if (code != DONE) return code;
    (void)snprintf(extra, sizeof extra, "%stokens %llu\n", r->settings,
                   (unsigned long long)r->tokens);
    status =
        slm_run_save(r->trainer, r->tokenizer, &r->cursor, r->corpus->hash, extra, r->o.out, &err);
    return fail_status(status, FOR_OUTPUT, &err);
}

/* ---- the loop ---- */
static inline void train_show(train_run *r, const slm_step_stats *s) {
    char kept[64] = "", val[32] = "", detail[192], speed[32];
    double seconds = progress_clock() - r->bar.start,
           rate = seconds > 0 ? (double)(r->tokens - r->first_tokens) / seconds : 0;
    if (r->o.selection.criterion != SLM_CRITERION_NONE)
        (void)snprintf(kept, sizeof kept, " (kept %.0f%%: %.4f)",
                       100.0 * (double)s->n_selected / (double)(s->n_valid > 0 ? s->n_valid : 1),
                       s->loss_selected);
    if (isfinite(r->val_loss)) (void)snprintf(val, sizeof val, "  val %.4f", r->val_loss);
    (void)snprintf(detail, sizeof detail, "loss %.4f%s  %s tok/s%s  lr %.2e", s->loss_all, kept,
                   progress_count(speed, sizeof speed, rate), val, s->lr);
    progress_show(&r->bar, slm_trainer_steps(r->trainer), r->o.steps, detail);
}

static inline int train_step(train_run *r, slm_step_stats *stats) {
    slm_error err;
    double before = progress_clock(), val = NAN, after;
    slm_status status = SLM_OK;
    for (int32_t i = 0; i < r->o.accumulate && status == SLM_OK; i++)
        status = slm_batch_next(r->micro[i], &r->cursor, r->corpus, r->scores, &err);
    if (status == SLM_OK)
        status = slm_trainer_step(stats, r->trainer, r->micro, (size_t)r->o.accumulate, &err);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
    r->tokens += stats->n_valid;
    after = progress_clock();
    if (r->val != NULL &&
        (slm_trainer_steps(r->trainer) % r->o.val_every == 0 || slm_trainer_steps(r->trainer) == r->o.steps)) {
        if ((status = evaluator_run(&r->evaluator, r->val, NULL, &err)) != SLM_OK)
            return fail_status(status, FOR_OUTPUT, &err);
        r->val_loss = val = evaluator_mean(&r->evaluator, NULL);
    }
    return log_row(&r->log, slm_trainer_steps(r->trainer), r->tokens, stats, val,
                   after > before ? (double)stats->n_valid / (after - before) : 0,
                   progress_clock() - r->bar.start);
}

static inline int train_loop(train_run *r) {
    slm_step_stats stats;
    int code = DONE, saved = 0;
    memset(&stats, 0, sizeof stats);
    progress_start(&r->bar, "step", r->o.quiet, slm_trainer_steps(r->trainer));
    while (slm_trainer_steps(r->trainer) < r->o.steps && !stop_requested) {
        if ((code = train_step(r, &stats)) != DONE) break;
        train_show(r, &stats);
        saved = slm_trainer_steps(r->trainer) % r->o.save_every == 0;
        if (saved && (code = train_checkpoint(r)) != DONE) break;
    }
    progress_end(&r->bar);
    if (code == DONE && !saved) code = train_checkpoint(r);
    if (code != DONE) return code;
    if (slm_trainer_steps(r->trainer) < r->o.steps)
        return fail(INTERRUPTED,
                    "interrupted at step %llu of %llu; the checkpoint is in %s, --resume goes on",
                    (unsigned long long)slm_trainer_steps(r->trainer), (unsigned long long)r->o.steps, r->o.out);
    printf("%s: %llu steps, %llu tokens", r->o.out, (unsigned long long)slm_trainer_steps(r->trainer),
           (unsigned long long)r->tokens);
    if (stats.n_valid > 0) printf(", loss %.4f", stats.loss_all);
    if (isfinite(r->val_loss)) printf(", validation %.4f", r->val_loss);
    printf(", %zu parameters\n", r->model->n_params);
    return DONE;
}

static inline void train_note(const train_run *r) {
    char n[2][32];
    if (r->o.quiet) return;
    (void)progress_count(n[0], sizeof n[0], (double)r->model->n_params);
    (void)progress_count(n[1], sizeof n[1], (double)r->corpus->n);
    fprintf(
        stderr,
        "slm train: %s parameters, %s tokens in %zu windows of %d, %llu steps of %d x %d windows\n",
        n[0], n[1], slm_corpus_n_windows(r->corpus, r->o.seq), (int)r->o.seq,
        (unsigned long long)r->o.steps, (int)r->o.accumulate, (int)r->o.batch);
    if (r->o.accumulate > 1 && r->o.selection.scope == SLM_SCOPE_BATCH &&
        r->o.selection.ratio < 1 &&
        (r->o.select == SLM_CRITERION_EXCESS || r->o.select == SLM_CRITERION_LOSS))
        fprintf(stderr,
                "slm train: note: to rank over %d micro-batches, each step scores them all first, "
                "which costs one more forward; "
                "--scope micro avoids it\n",
                (int)r->o.accumulate);
}

static inline int train_main(train_run *r, int argc, char **argv) {
    int code = train_load(r);
    if (code != DONE) return code;
    train_settings(r);
    catch_signals();
    if ((code = train_resume(r)) != DONE || (code = train_make_folder(r)) != DONE) return code;
    train_note(r);
    if ((code = train_write_settings(r, argc, argv)) != DONE ||
        (code = log_open(&r->log, r->o.out, slm_trainer_steps(r->trainer))) != DONE)
        return code;
    return train_loop(r);
}

/* ---- the flags ---- */
static const option_page train_page = {
    "train",
    "trains a model: on all tokens, or on those whose excess loss is highest",
    "train --data F... --out DIR [flags]",
    {"slm train --data clean.txt --out ref --steps 500",
     "slm train --data noisy.txt --init base --scores noisy.scores --ratio 0.6 --out slm --val "
     "target.txt"},
    "A run is a folder: model.safetensors, config.json, tokenizer.json, log.csv, run.json and "
    "state.safetensors, from which --resume\n"
    "goes on to the same bits: repeat the command with --resume.  Ctrl-C saves a checkpoint first. "
    " Plain text, .jsonl, and token files\n"
    "(.npy, .u16, llm.c's .bin) are read; .jsonl needs --fields if its text is not in the field "
    "\"text\".",
    0};

static inline void train_defaults(train_options *o) {
    memset(o, 0, sizeof *o);
    o->select = -1;
    o->shape.dim = 128;
    o->shape.n_layers = 4;
    o->shape.n_heads = 4;
    o->batch = 8;
    o->accumulate = 1;
    o->seed = 1;
    o->val_batches = 32;
    o->optimizer = slm_adamw_defaults();
    o->selection = slm_select_defaults();
}

static inline int train_parse(train_options *o, int argc, char **argv) {
    static const char *const shape[] = {"dim", "layers", "heads", "kv-heads",
                                        "ffn", "vocab",  "tied",  "theta"};
    slm_adamw_options *p = &o->optimizer;
    slm_model_config *c = &o->shape;
    option_list rest = {{NULL}, 0};
    option table[] = {
        OPTION_LIST("data", &o->data, "F...", "what to train on: one file or several"),
        OPTION_TEXT("out", &o->out, "DIR", "the folder of the run"),
        OPTION_TEXT(
            "tokenizer", &o->tokenizer, "T",
            "bytes, a tokenizer.json or a folder with one (default: that of --init, else bytes)"),
        OPTION_TEXT("fields", &o->fields, "A,B",
                    "the fields of .jsonl records to join (default: text)"),
        OPTION_TEXT("init", &o->init, "DIR",
                    "start from this model folder instead of random weights"),
        OPTION_I32("dim", &c->dim, 2, 65536, "C", "width (default 128)"),
        OPTION_I32("layers", &c->n_layers, 1, 1000, "L", "blocks (default 4)"),
        OPTION_I32("heads", &c->n_heads, 1, 4096, "H", "attention heads (default 4)"),
        OPTION_I32("kv-heads", &c->n_kv_heads, 1, 4096, "K",
                   "key and value heads (default: as many)"),
        OPTION_I32("ffn", &c->ffn, 1, 1048576, "F", "width of the MLP (default: 8/3 of --dim)"),
        OPTION_I32("vocab", &c->vocab, 1, 16777216, "V",
                   "vocabulary of the model (default: the tokenizer's)"),
        OPTION_FLAG("tied", &c->tie_embeddings, "the output head is the embedding"),
        OPTION_REAL("theta", &c->rope_theta, 1, 1e12, "X",
                    "base of the rotary angles (default 10000)"),
        OPTION_U64("steps", &o->steps, 1, 1e12, "N", "optimizer steps (default: one epoch)"),
        OPTION_REAL("epochs", &o->epochs, 1e-6, 1e6, "X", "or passes over the data"),
        OPTION_I32("batch", &o->batch, 1, 65536, "B", "windows per micro-batch (default 8)"),
        OPTION_I32("accumulate", &o->accumulate, 1, 4096, "N",
                   "micro-batches per step (default 1)"),
        OPTION_I32("seq", &o->seq, 1, 1048576, "T",
                   "window length (default: that of --scores or --init, else 256)"),
        OPTION_REAL("lr", &p->lr, 1e-12, 1e3, "X", "highest learning rate (default 0.001)"),
        OPTION_REAL("lr-min", &p->lr_min, 0, 1, "X", "share of it at the end (default 0.1)"),
        OPTION_U64("warmup", &p->warmup, 0, 1e12, "N",
                   "steps of linear warm-up (default: a tenth, at most 100)"),
        OPTION_REAL("weight-decay", &p->weight_decay, 0, 1e3, "X", "of the matrices (default 0.1)"),
        OPTION_REAL("clip", &p->clip, 0, 1e9, "X", "highest gradient norm; 0: none (default 1)"),
        OPTION_REAL("beta1", &p->beta1, 1e-9, 0.999999, "X", "AdamW (default 0.9)"),
        OPTION_REAL("beta2", &p->beta2, 1e-9, 0.999999999, "X", "AdamW (default 0.95)"),
        OPTION_U64("seed", &o->seed, 0, 1.8e19, "S",
                   "of weights, order and random selection (default 1)"),
        OPTION_CHOICE("select", &o->select, "none|excess|ref|entropy|loss|random|intersect|union",
                      "what ranks the tokens (default: excess with scores, else none)"),
        OPTION_REAL("ratio", &o->selection.ratio, 1e-9, 1, "R",
                    "share of the tokens to keep (default 0.6)"),
        OPTION_REAL("ratio2", &o->selection.entropy_ratio, 1e-9, 1, "R",
                    "intersect, union: the share by entropy (default: --ratio)"),
        OPTION_CHOICE("scope", &o->scope, "batch|micro|sequence",
                      "ranked among each other (default batch: all of one step)"),
        OPTION_TEXT("scores", &o->scores, "FILE", "reference losses from slm score"),
        OPTION_TEXT("reference", &o->reference, "DIR",
                    "or the reference model: scores online, same result"),
        OPTION_TEXT("val", &o->val, "F", "validation text"),
        OPTION_U64("val-every", &o->val_every, 1, 1e12, "N",
                   "steps between validations (default: a tenth)"),
        OPTION_U64("val-batches", &o->val_batches, 0, 1e12, "N",
                   "batches of it; 0: all (default 32)"),
        OPTION_U64("save-every", &o->save_every, 1, 1e12, "N",
                   "steps between checkpoints (default: a tenth)"),
        OPTION_FLAG("resume", &o->resume, "go on with the run in --out, if there is one"),
        OPTION_FLAG("force", &o->force, "replace the run in --out"),
        OPTION_FLAG("recompute", &o->recompute,
                    "less memory for activations, more time, the same bits"),
        OPTION_I32("threads", &o->threads, 1, 4096, "N",
                   "threads (default: all); any number gives the same bits"),
        OPTION_FLAG("quiet", &o->quiet, "no progress on stderr")};
    int code = options_parse(&train_page, table, COUNT(table), &rest, argc, argv);
    if (code == -1 && options_given(table, COUNT(table), "steps") &&
        options_given(table, COUNT(table), "epochs"))
        return fail(USAGE, "--steps and --epochs: give one");
    for (size_t i = 0; i < COUNT(shape); i++)
        o->shape_given |= options_given(table, COUNT(table), shape[i]);
    o->warmup_given = options_given(table, COUNT(table), "warmup");
    if (!options_given(table, COUNT(table), "ratio2"))
        o->selection.entropy_ratio = o->selection.ratio;
    return code;
}

static inline int verb_train(int argc, char **argv) {
    train_run *r = (train_run *)calloc(1, sizeof *r);
    int code;
    if (r == NULL) return no_memory();
    train_defaults(&r->o);
    if ((code = train_parse(&r->o, argc, argv)) == -1) {
        use_threads(r->o.threads);
        code = train_main(r, argc, argv);
    }
    train_free(r);
    free(r);
    return code;
}
#endif
