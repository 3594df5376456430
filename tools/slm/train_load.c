/* train_load.c: the options of `train` checked, and all that they name read and made. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cli.h"
#include "common/group.h"
#include "common/inputs.h"
#include "slm/train.h"

enum { DEFAULT_SEQ = 256, DEFAULT_WARMUP_MAX = 100 };

void train_free(train_run *r) {
    log_close(&r->log);
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
    output_close(&r->out);
}

int train_needs_reference(const train_options *o) {
    switch (o->criterion) {
    case SLM_CRITERION_NONE:
    case SLM_CRITERION_LOSS:
    case SLM_CRITERION_RANDOM: return 0;
    default: return 1;
    }
}

static int check_output(const train_options *o) {
    int is_init = o->init != NULL && same_file(o->init, o->out);
    int is_reference = o->reference != NULL && same_file(o->reference, o->out);
    if (!is_init && !is_reference) return DONE;
    return fail(USAGE, "--out %s is the folder of a model that is read", o->out);
}

static int check_options(train_options *o) {
    int has_reference = o->scores != NULL || o->reference != NULL;
    int code = need_flag(o->data.n > 0, "--data", "F");
    if (code == DONE) code = need_flag(o->out != NULL, "--out", "DIR");
    if (code == DONE) code = check_data(&o->read, &o->data, o->val);
    if (code != DONE) return code;
    if (o->init != NULL && o->shape_given) {
        return fail(USAGE, "--init DIR brings the model's shape; leave out --dim, --layers and "
                           "the like");
    }
    if (o->scores != NULL && o->reference != NULL)
        return fail(USAGE, "--scores and --reference are two ways to the same numbers: give one");
    if (o->resume && o->force) {
        return fail(USAGE, "--resume goes on with the run in %s, --force replaces it: give one",
                    o->out);
    }

    if (o->accumulate < group_size()) {
        return fail(USAGE, "--accumulate %d: each of the %d processes needs a micro-batch of a "
                           "step; --accumulate %d gives them one",
                    (int)o->accumulate, group_size(), group_size());
    }

    if (o->criterion == CRITERION_NOT_GIVEN)
        o->criterion = has_reference ? SLM_CRITERION_EXCESS : SLM_CRITERION_NONE;
    if (train_needs_reference(o) && !has_reference) {
        return fail(USAGE, "this selection needs reference losses: --scores FILE (from slm score) "
                           "or --reference DIR");
    }
    o->select.criterion = (slm_criterion)o->criterion;
    o->select.scope = (slm_scope)o->scope;
    o->select.seed = o->seed;
    return check_output(o);
}

/* *is_bf16: whether all weights of the folder are BF16. */
static int check_bf16(int *is_bf16, const char *folder) {
    slm_error err;
    slm_safetensors *weights;
    slm_status status = slm_safetensors_open_folder(&weights, folder, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    *is_bf16 = 1;
    for (size_t i = 0; i < slm_safetensors_count(weights); i++) {
        if (slm_safetensors_at(weights, i)->dtype != SLM_DTYPE_BF16) *is_bf16 = 0;
    }
    slm_safetensors_close(weights);
    return DONE;
}

/* How the model is stored: as told, else as the one it begins from. */
static int choose_dtype(train_run *r) {
    static const slm_dtype dtypes[] = {SLM_DTYPE_F32, SLM_DTYPE_BF16}; /* as in --weights */
    int is_bf16 = 0;
    int code = DONE;
    if (r->o.weights != WEIGHTS_NOT_GIVEN) {
        r->dtype = dtypes[r->o.weights];
        return DONE;
    }
    if (r->o.init != NULL) code = check_bf16(&is_bf16, r->o.init);
    r->dtype = is_bf16 ? SLM_DTYPE_BF16 : SLM_DTYPE_NATIVE;
    return code;
}

static int load_init(train_run *r) {
    const train_options *o = &r->o;
    int code = load_model(&r->model, o->init);
    if (code != DONE) return code;
    int32_t context = r->model->config.max_seq;
    if (o->seq > context && !o->quiet) {
        say("note: --seq %d is longer than the context of %d that %s was made for", (int)o->seq,
            (int)context, o->init);
    }
    return DONE;
}

int train_refuse_lost_input(const train_options *o) {
    int lost = o->val != NULL && source_is_stdin(o->val);
    for (size_t i = 0; i < o->data.n; i++) {
        if (source_is_stdin(o->data.items[i])) lost = 1;
    }
    if (!lost) return OPTIONS_PARSED;
    return fail(USAGE,
                "%s read standard input, which is gone; give the same input to its whole command "
                "(run.json has it) with --resume",
                o->out);
}

/* Ids need no tokenizer, and one that is not theirs would read other texts in them: bytes is the
 * default for texts alone. */
static int load_run_tokenizer(train_run *r) {
    const train_options *o = &r->o;
    int is_default = o->tokenizer == NULL && o->init == NULL;
    if (!is_default || !all_files_hold_ids(&o->read, &o->data))
        return load_tokenizer(&r->tokenizer, o->tokenizer, o->init);
    return DONE;
}

/* Fills in what of the shape of a new model is not given. */
static int complete_shape(train_run *r) {
    slm_error err;
    slm_model_config *shape = &r->o.shape;
    if (r->tokenizer == NULL && shape->vocab == 0) {
        return fail(USAGE, "--data are token ids: --vocab N says how many there are, or "
                           "--tokenizer T whose they are");
    }
    int32_t vocab = r->tokenizer != NULL ? slm_tokenizer_vocab(r->tokenizer) : shape->vocab;
    if (shape->vocab == 0) shape->vocab = vocab;
    if (shape->vocab < vocab) {
        return fail(USAGE, "--vocab %d is below the %d tokens of the tokenizer", (int)shape->vocab,
                    (int)vocab);
    }
    if (shape->ffn == 0) {
        int64_t ffn = (int64_t)shape->dim * 8 / 3;
        shape->ffn = (int32_t)((ffn + 31) / 32 * 32);
    }
    if (slm_model_config_check(shape, &err) != SLM_OK) return fail(USAGE, "%s", err.text);
    return DONE;
}

/* Loads the scores, and sets the window length: as told; else that of the scores, of the model, or
 * 256. */
static int load_scores(train_run *r) {
    train_options *o = &r->o;
    slm_error err;
    if (o->scores != NULL) {
        slm_status status = slm_losses_load(&r->scores, o->scores, &err);
        if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    }
    if (o->seq == 0) {
        o->seq = DEFAULT_SEQ;
        if (r->model != NULL) o->seq = default_seq(r->model);
        if (r->scores != NULL) o->seq = r->scores->T;
    }
    if (r->scores == NULL) return DONE;
    slm_status status = slm_losses_check(r->scores, r->corpus, o->seq, &err);
    return status == SLM_OK ? DONE : fail(BAD_INPUT, "%s: %s", o->scores, err.text);
}

static int load_reference_if_needed(train_run *r) {
    if (r->o.reference == NULL || !train_needs_reference(&r->o)) return DONE;
    return load_reference(&r->reference, r->o.reference, r->tokenizer);
}

/* The first of these added tokens that the tokenizer has, or -1. */
static int32_t find_added(const slm_tokenizer *tokenizer, const char *const *names, size_t n) {
    int32_t id = -1;
    for (size_t i = 0; i < n && id < 0 && tokenizer != NULL; i++)
        id = slm_tokenizer_find_added(tokenizer, names[i]);
    return id;
}

/* A new model takes over the begin and the end of a text that its tokenizer has by a known name. */
static void name_special_ids(slm_special_ids *special, const slm_tokenizer *tokenizer) {
    static const char *const begins[] = {"<s>", "<|begin_of_text|>", "<bos>"};
    static const char *const ends[] = {"</s>", "<|end_of_text|>", "<eos>", "<|endoftext|>"};
    int32_t bos = find_added(tokenizer, begins, COUNT(begins));
    int32_t eos = find_added(tokenizer, ends, COUNT(ends));
    special->has_bos = bos >= 0;
    special->bos = bos;
    special->n_eos = eos >= 0;
    special->eos[0] = eos;
}

static int create_model(train_run *r) {
    slm_error err;
    if (r->model != NULL) return DONE;
    r->o.shape.max_seq = r->o.seq;
    name_special_ids(&r->o.shape.special, r->tokenizer);
    slm_status status = slm_model_create(&r->model, &r->o.shape, r->o.seed, &err);
    return fail_status(status, FOR_OUTPUT, &err);
}

static uint64_t tenth(uint64_t steps) {
    return steps < 10 ? 1 : steps / 10;
}

/* Sets how many steps there are, and what follows from that. */
static int count_steps(train_run *r) {
    train_options *o = &r->o;
    uint64_t per_step = (uint64_t)o->batch * (uint64_t)o->accumulate;
    uint64_t n_windows = slm_corpus_n_windows(r->corpus, o->seq);
    if (n_windows < per_step) {
        return fail(BAD_INPUT,
                    "%s: too small: %zu tokens make %llu window%s of %d, one step takes %llu; "
                    "lower --batch, --accumulate or --seq",
                    o->data.items[0], r->corpus->n, (unsigned long long)n_windows,
                    plural((size_t)n_windows), (int)o->seq, (unsigned long long)per_step);
    }
    if (o->steps == 0) {
        double epochs = o->epochs > 0 ? o->epochs : 1.0;
        o->steps = (uint64_t)ceil(epochs * (double)n_windows / (double)per_step - 1e-9);
    }
    if (o->steps == 0) o->steps = 1;
    o->adamw.steps = o->steps;
    /* A run that is taken up keeps its warm-up, however many steps there are to be now. */
    uint64_t warmup = o->steps / 10;
    if (warmup > DEFAULT_WARMUP_MAX) warmup = DEFAULT_WARMUP_MAX;
    (void)train_run_schedule(r, &warmup, &r->run_steps);
    if (!o->warmup_given) o->adamw.warmup = warmup;
    if (o->save_every == 0) o->save_every = tenth(o->steps);
    if (o->val_every == 0) o->val_every = tenth(o->steps);
    return DONE;
}

/* Reads --data and --val, together, so that a flag serves either. */
static int load_texts(train_run *r) {
    const train_options *o = &r->o;
    int32_t vocab = o->shape.vocab;
    option_list val = {{o->val}, 1};
    if (r->model != NULL) vocab = vocab_of(r->tokenizer, r->model);
    if (r->tokenizer != NULL) vocab = slm_tokenizer_vocab(r->tokenizer);
    token_reader reader = token_reader_of(r->tokenizer, r->model, vocab, &o->read);
    int code = load_corpus(&r->corpus, &reader, &o->data);
    if (code == DONE && o->val != NULL) code = load_corpus(&r->val, &reader, &val);
    r->report = reader.report;
    if (code == DONE) say_report(&r->report);
    return code;
}

/* The texts must suit the models that are read.  A new model has all tokens of its tokenizer, and
 * no sliding window. */
static int check_texts(const train_run *r) {
    const train_options *o = &r->o;
    int code = DONE;
    if (o->init != NULL) code = check_window(r->model, o->init, o->seq);
    if (code == DONE && r->reference != NULL)
        code = check_window(r->reference, o->reference, o->seq);
    if (code == DONE && o->init != NULL)
        code = check_corpus_ids(r->corpus, r->model, o->init, r->tokenizer);
    if (code == DONE && o->init != NULL && r->val != NULL)
        code = check_corpus_ids(r->val, r->model, o->init, r->tokenizer);
    if (code == DONE && r->reference != NULL)
        code = check_corpus_ids(r->corpus, r->reference, o->reference, r->tokenizer);
    return code;
}

static int choose_val_windows(train_run *r) {
    const train_options *o = &r->o;
    if (o->val == NULL) return DONE;

    slm_windows *windows = &r->val_windows;
    *windows = slm_corpus_windows(r->val, o->batch, o->seq);
    if (o->val_batches > 0 && windows->end / (size_t)o->batch >= o->val_batches)
        windows->end = (size_t)o->val_batches * (size_t)o->batch;
    return DONE;
}

static int create_trainer(train_run *r) {
    slm_error err;
    slm_train_options options = slm_train_defaults();
    options.select = r->o.select;
    options.adamw = r->o.adamw;
    options.reference = r->reference;
    options.recompute = r->o.recompute;
    options.group = group_of_trainer();
    slm_status status = slm_trainer_create(&r->trainer, r->model, &options, &err);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);

    r->cursor.seed = r->o.seed;
    r->val_loss = NAN;
    r->micro = (slm_batch **)calloc((size_t)r->o.accumulate, sizeof *r->micro);
    if (r->micro == NULL) return fail_memory();
    group_share(&r->first_micro, &r->end_micro, (size_t)r->o.accumulate);
    for (size_t i = r->first_micro; i < r->end_micro && status == SLM_OK; i++)
        status = slm_batch_create(&r->micro[i], r->o.batch, r->o.seq, &err);
    return fail_status(status, FOR_OUTPUT, &err);
}

int train_load(train_run *r) {
    train_options *o = &r->o;
    int code = check_options(o);
    if (code == DONE) code = train_open_folder(r);
    if (code == DONE) code = load_run_tokenizer(r);
    if (code == DONE) code = o->init != NULL ? load_init(r) : complete_shape(r);
    if (code == DONE) code = load_texts(r);
    if (code == DONE) code = load_scores(r);
    if (code == DONE) code = load_reference_if_needed(r);
    if (code == DONE) code = check_texts(r);
    if (code == DONE) code = create_model(r);
    if (code == DONE) code = choose_dtype(r);
    if (code == DONE) code = count_steps(r);
    if (code == DONE) code = choose_val_windows(r);
    if (code == DONE) code = create_trainer(r);
    return code;
}
