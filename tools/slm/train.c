/* train.c: the verb `train`: its flags, and the loop that takes steps and writes the log and the
 * checkpoints. */
#include "slm/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/group.h"
#include "slm/names.h"
#include "slm/train_command.h"
#include "slm/verbs.h"

/* ---- the loop ---- */
static void show_step(train_run *r, const slm_step_stats *s) {
    char kept[64] = "";
    char val[32] = "";
    char speed[32];
    char detail[192];
    double seconds = progress_clock() - r->bar.start;
    double rate = seconds > 0 ? (double)(r->tokens - r->tokens_before) / seconds : 0;
    if (r->o.select.criterion != SLM_CRITERION_NONE) {
        double n_valid = s->n_valid > 0 ? (double)s->n_valid : 1.0;
        (void)snprintf(kept, sizeof kept, " (kept %.0f%%: %.4f)",
                       100.0 * (double)s->n_selected / n_valid, s->loss_selected);
    }
    if (isfinite(r->val_loss)) (void)snprintf(val, sizeof val, "  val %.4f", r->val_loss);
    (void)snprintf(detail, sizeof detail, "loss %.4f%s  %s tok/s%s  lr %.2e", s->loss_all, kept,
                   progress_count(speed, sizeof speed, rate), val, s->lr);
    progress_show(&r->bar, slm_trainer_steps(r->trainer), r->o.steps, detail);
}

/* Adds the losses of the targets in this process's windows of the validation text to sums[0], and
 * their number to sums[1]. */
static slm_status sum_val(double sums[2], const train_run *r, slm_error *err) {
    slm_losses *losses;
    slm_windows windows = r->val_windows;
    group_share(&windows.first, &windows.end, r->val_windows.end);
    if (windows.first == windows.end) return SLM_OK;
    slm_status status = slm_losses_compute(&losses, r->model, r->val, &windows, NULL, NULL, err);
    if (status != SLM_OK) return status;
    for (size_t i = 0; i < losses->n; i++) {
        if (!slm_corpus_is_target(r->val, losses->first + i + 1)) continue;
        sums[0] += (double)losses->loss[i];
        sums[1]++;
    }
    slm_losses_free(losses);
    return SLM_OK;
}

/* The mean over the targets of the first windows of the validation text. */
static int measure_val(train_run *r) {
    slm_error err;
    double sums[2] = {0, 0};
    slm_status status = sum_val(sums, r, &err);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
    if (group_sum(sums, 2)) return FAILED;
    r->val_loss = sums[1] > 0 ? sums[0] / sums[1] : NAN;
    return DONE;
}

/* Takes one optimizer step, with this process's share of its micro-batches. */
static slm_status take_step(train_run *r, slm_step_stats *stats, slm_error *err) {
    const uint64_t first_window = r->cursor.next_window;
    const uint64_t B = (uint64_t)r->o.batch;
    r->cursor.next_window = first_window + r->first_micro * B;
    for (size_t i = r->first_micro; i < r->end_micro; i++) {
        slm_status status = slm_batch_next(r->micro[i], &r->cursor, r->corpus, r->scores, err);
        if (status != SLM_OK) return status;
    }
    r->cursor.next_window = first_window + (uint64_t)r->o.accumulate * B;
    return slm_trainer_step(stats, r->trainer, r->micro + r->first_micro,
                            r->end_micro - r->first_micro, err);
}

/* Makes the statistics of one process those of all, and notes whether any was asked to end, so that
 * all end behind the same step. */
static int join_stats(train_run *r, slm_step_stats *s) {
    double n_unselected = (double)(s->n_valid - s->n_selected);
    double sums[] = {s->loss_selected * (double)s->n_selected, s->loss_unselected * n_unselected,
                     (double)s->n_selected, n_unselected, (double)(stop_requested != 0)};
    r->stops = stop_requested;
    if (group_size() == 1) return DONE;
    if (group_sum(sums, COUNT(sums))) return FAILED;

    double n_valid = sums[2] + sums[3];
    s->n_selected = (size_t)sums[2];
    s->n_valid = (size_t)n_valid;
    s->loss_selected = sums[2] > 0 ? sums[0] / sums[2] : 0;
    s->loss_unselected = sums[3] > 0 ? sums[1] / sums[3] : 0;
    s->loss_all = n_valid > 0 ? (sums[0] + sums[1]) / n_valid : 0;
    r->stops = sums[4] > 0;
    return DONE;
}

/* Takes a step, measures the validation loss if it is due, and writes the row of the log. */
static int take_logged_step(train_run *r, slm_step_stats *stats) {
    slm_error err;
    train_log_row row = {.val_loss = NAN};
    double start = progress_clock();
    slm_status status = take_step(r, stats, &err);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
    int code = join_stats(r, stats);
    if (code != DONE) return code;
    double seconds = progress_clock() - start;
    r->tokens += stats->n_valid;

    row.step = slm_trainer_steps(r->trainer);
    row.tokens = r->tokens;
    if (seconds > 0) row.tokens_per_second = (double)stats->n_valid / seconds;
    int val_is_due = row.step % r->o.val_every == 0 || row.step == r->o.steps;
    if (r->val != NULL && val_is_due) {
        code = measure_val(r);
        if (code != DONE) return code;
        row.val_loss = r->val_loss;
    }
    row.seconds = progress_clock() - r->bar.start;
    return group_rank() == 0 ? log_write(&r->log, &row, stats) : DONE;
}

/* Whether to end before the next step.  One process need not wait for what the others say. */
static int is_asked_to_stop(const train_run *r) {
    return group_size() == 1 ? stop_requested != 0 : r->stops;
}

/* Steps until all are done or a signal asks for an end; the state is saved in either case. */
static int take_steps(train_run *r, slm_step_stats *stats) {
    int code = DONE;
    int saved = 0;
    while (slm_trainer_steps(r->trainer) < r->o.steps && !is_asked_to_stop(r)) {
        code = take_logged_step(r, stats);
        if (code != DONE) return code;
        show_step(r, stats);
        saved = slm_trainer_steps(r->trainer) % r->o.save_every == 0;
        if (saved) code = train_checkpoint(r);
        if (code != DONE) return code;
    }
    return saved ? DONE : train_checkpoint(r);
}

static int train_loop(train_run *r) {
    slm_step_stats stats;
    memset(&stats, 0, sizeof stats);
    progress_start(&r->bar, "step", r->o.quiet, slm_trainer_steps(r->trainer));
    int code = take_steps(r, &stats);
    progress_end(&r->bar);
    if (code != DONE) return code;

    uint64_t steps = slm_trainer_steps(r->trainer);
    if (steps < r->o.steps) {
        return fail(INTERRUPTED,
                    "interrupted at step %llu of %llu; the checkpoint is in %s, --resume goes on",
                    (unsigned long long)steps, (unsigned long long)r->o.steps, r->o.out);
    }
    printf("%s: %llu step%s, %llu tokens", r->o.out, (unsigned long long)steps,
           plural((size_t)steps), (unsigned long long)r->tokens);
    if (stats.n_valid > 0) printf(", loss %.4f", stats.loss_all);
    if (isfinite(r->val_loss)) printf(", validation %.4f", r->val_loss);
    printf(", %zu parameters\n", r->model->n_params);
    return DONE;
}

/* Says what is about to be done. */
static void print_note(const train_run *r) {
    const train_options *o = &r->o;
    char parameters[32];
    char tokens[32];
    if (o->quiet) return;
    progress_count(parameters, sizeof parameters, (double)r->model->n_params);
    progress_count(tokens, sizeof tokens, (double)r->corpus->n);
    say("%s parameters, %s tokens in %zu windows of %d, %llu steps of %d x %d windows", parameters,
        tokens, slm_corpus_n_windows(r->corpus, o->seq), (int)o->seq, (unsigned long long)o->steps,
        (int)o->accumulate, (int)o->batch);
    if (group_size() > 1) say("%d processes share the micro-batches of a step", group_size());

    int ranks_by_loss =
        o->criterion == SLM_CRITERION_EXCESS || o->criterion == SLM_CRITERION_LOSS;
    int ranks_over_all = o->accumulate > 1 && o->select.scope == SLM_SCOPE_BATCH;
    if (ranks_by_loss && ranks_over_all && o->select.ratio < 1) {
        say("note: to rank over %d micro-batches, each step scores them all first, which costs one "
            "more forward; --scope micro avoids it",
            (int)o->accumulate);
    }
}

/* Readies the folder for the first step. */
static int prepare_folder(train_run *r, int argc, char **argv) {
    int code = train_clear_folder(r);
    if (code != DONE) return code;
    print_note(r);
    code = train_carry_companions(r);
    if (code == DONE) code = train_write_settings(r, argc, argv);
    if (code == DONE) code = log_open(&r->log, r->o.out, slm_trainer_steps(r->trainer));
    return code;
}

static int train(train_run *r, int argc, char **argv) {
    if (group_rank() > 0) r->o.quiet = 1;
    int code = train_load(r);
    if (code != DONE) return code;
    catch_signals();
    code = train_resume(r);
    if (code == DONE) code = train_compare_processes(r);
    if (code == DONE && group_rank() == 0) code = prepare_folder(r, argc, argv);
    if (code == DONE) code = train_loop(r);
    return code;
}

/* ---- the flags ---- */
/* The shapes of --preset, in the order of its words; 0 is the flag's own default.  The vocabulary
 * is the tokenizer's in any case. */
#define PRESET_WORDS "tiny|small|smollm2-135m|tinyllama-1.1b"
static const struct {
    int32_t dim, layers, heads, kv_heads, ffn;
    int32_t tied;
    double theta;
} presets[] = {
    {128, 4, 4, 0, 0, 0, 0},
    {256, 6, 8, 0, 0, 0, 0},
    {576, 30, 9, 3, 1536, 1, 100000},
    {2048, 22, 32, 4, 5632, 0, 10000},
};

/* Takes from the preset what of the shape has no flag of its own on the command line. */
static void complete_by_preset(train_options *o, const option *table, size_t n) {
    slm_model_config *c = &o->shape;
    if (!options_given(table, n, "dim")) c->dim = presets[o->preset].dim;
    if (!options_given(table, n, "layers")) c->n_layers = presets[o->preset].layers;
    if (!options_given(table, n, "heads")) c->n_heads = presets[o->preset].heads;
    if (!options_given(table, n, "kv-heads")) c->n_kv_heads = presets[o->preset].kv_heads;
    if (!options_given(table, n, "ffn")) c->ffn = presets[o->preset].ffn;
    if (!options_given(table, n, "theta")) c->rope_theta = presets[o->preset].theta;
    if (presets[o->preset].tied) c->tie_embeddings = 1;
}

static const option_page page = {
    "train",
    "trains a model: on all tokens, or on those whose excess loss is highest",
    "train --data F... --out DIR [flags]",
    {"slm train --data clean.txt --out ref --steps 500",
     "slm train --data noisy.txt --init base --scores noisy.scores --ratio 0.6 --out slm --val "
     "target.txt"},
    "A run is a folder: model.safetensors, config.json, tokenizer.json, log.csv, run.json and\n"
    "state.safetensors.  `slm train --resume --out DIR` goes on from there to the same bits, by\n"
    "the command that run.json holds; flags given with it count before those.  Ctrl-C saves a\n"
    "checkpoint first.  Plain text, .jsonl (.ndjson, .json), and token files (.npy, .u16, llm.c's\n"
    ".bin) are read; .jsonl needs --fields if its text is not in the field \"text\".  Ids need no\n"
    "tokenizer, but then --vocab N.  Compressed files, tables and UTF-16 are refused with the\n"
    "command that makes text.  While it runs, DIR/.lock keeps others out: a second process ends\n"
    "with 2.",
    0};

static void set_defaults(train_options *o) {
    memset(o, 0, sizeof *o);
    o->read = data_defaults();
    o->criterion = CRITERION_NOT_GIVEN;
    o->weights = WEIGHTS_NOT_GIVEN;
    o->batch = 8;
    o->accumulate = 1;
    o->seed = 1;
    o->val_batches = 32;
    o->adamw = slm_adamw_defaults();
    o->select = slm_select_defaults();
}

/* --dtype f32 and bf16 are said of the weights: no file of ids holds such numbers. */
static int split_dtype(train_options *o) {
    if (o->read.dtype < SOURCE_DTYPES) return OPTIONS_PARSED;
    int weights = o->read.dtype - SOURCE_DTYPES;
    if (o->weights != WEIGHTS_NOT_GIVEN && o->weights != weights)
        return fail(USAGE, "--weights and --dtype: they say different things of the weights");
    o->weights = weights;
    o->read.dtype = DTYPE_NOT_GIVEN;
    return OPTIONS_PARSED;
}

/* Flags that say how to select mean nothing where nothing is selected. */
static int refuse_idle_flags(const train_options *o, const option *table, size_t n) {
    static const char *const flags[] = {"ratio", "ratio2", "scope"};
    int has_reference = o->scores != NULL || o->reference != NULL;
    int selects = o->criterion == CRITERION_NOT_GIVEN ? has_reference
                                                      : o->criterion != SLM_CRITERION_NONE;
    for (size_t i = 0; i < COUNT(flags) && !selects; i++) {
        if (options_given(table, n, flags[i]))
            return fail(USAGE, "--%s has no effect: nothing is selected without --scores, "
                               "--reference or --select", flags[i]);
    }
    int by_two = o->criterion == SLM_CRITERION_INTERSECT || o->criterion == SLM_CRITERION_UNION;
    if (options_given(table, n, "ratio2") && !by_two)
        return fail(USAGE, "--ratio2 has no effect without --select intersect or union");
    return OPTIONS_PARSED;
}

static int parse_options(train_options *o, int argc, char **argv) {
    static const char *const shape_flags[] = {"preset", "dim",   "layers", "heads", "kv-heads",
                                              "ffn",    "vocab", "tied",   "theta"};
    slm_adamw_options *p = &o->adamw;
    slm_model_config *c = &o->shape;
    option_list rest = {{NULL}, 0};
    set_defaults(o);
    option table[] = {
        OPTION_LIST("data", &o->data, "F...",
                    "what to train on: one file or several; -: standard input"),
        OPTION_TEXT("out", &o->out, "DIR", "the folder of the run"),
        OPTION_TOKENIZER(&o->tokenizer, " (default: that of --init, else bytes)"),
        OPTIONS_TEXT(&o->read),
        OPTIONS_DOCUMENTS(&o->read),
        OPTION_TEXT("weight-field", &o->read.text.weight_field, "W",
                    "a number in each record: factor of its targets' losses"),
        OPTION_TEXT("init", &o->init, "DIR",
                    "start from this model folder instead of random weights"),
        OPTION_CHOICE("preset", &o->preset, PRESET_WORDS,
                      "the shape of a known model (default tiny); the flags below change it"),
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
        OPTION_U64("steps", &o->steps, 1, 1e12, "N",
                   "optimizer steps (default: one epoch); --resume takes more, too"),
        OPTION_REAL("epochs", &o->epochs, 1e-6, 1e6, "X", "or passes over the data"),
        OPTION_BATCH(&o->batch, "windows per micro-batch (default 8)"),
        OPTION_I32("accumulate", &o->accumulate, 1, 4096, "N",
                   "micro-batches per step (default 1)"),
        OPTION_SEQ(&o->seq, " (default: that of --scores or --init, else 256)"),
        OPTION_REAL("lr", &p->lr, 1e-12, 1e3, "X", "highest learning rate (default 0.001)"),
        OPTION_REAL("lr-min", &p->lr_min, 0, 1, "X", "share of it at the end (default 0.1)"),
        OPTION_U64("warmup", &p->warmup, 0, 1e12, "N",
                   "steps of linear warm-up (default: a tenth, at most 100)"),
        OPTION_REAL("weight-decay", &p->weight_decay, 0, 1e3, "X", "of the matrices (default 0.1)"),
        OPTION_REAL("clip", &p->clip, 0, 1e9, "X", "highest gradient norm; 0: none (default 1)"),
        OPTION_REAL("beta1", &p->beta1, 1e-9, 0.999999, "X", "AdamW (default 0.9)"),
        OPTION_REAL("beta2", &p->beta2, 1e-9, 0.999999999, "X", "AdamW (default 0.95)"),
        OPTION_SEED(&o->seed, "of weights, order and random selection (default 1)"),
        OPTION_CHOICE("select", &o->criterion, criterion_words(),
                      "what ranks the tokens (default: excess with scores, else none)"),
        OPTION_REAL("ratio", &o->select.ratio, 1e-9, 1, "R",
                    "share of the tokens to keep (default 0.6)"),
        OPTION_REAL("ratio2", &o->select.entropy_ratio, 1e-9, 1, "R",
                    "intersect, union: the share by entropy (default: --ratio)"),
        OPTION_CHOICE("scope", &o->scope, scope_words(),
                      "ranked among each other (default batch: all of one step)"),
        OPTION_TEXT("scores", &o->scores, "FILE", "reference losses from slm score"),
        OPTION_TEXT("reference", &o->reference, "DIR",
                    "or the reference model: scores online, same result"),
        OPTION_TEXT("val", &o->val, "F", "validation text"),
        OPTION_U64("val-every", &o->val_every, 1, 1e12, "N",
                   "steps between validations (default: a tenth)"),
        OPTION_U64("val-batches", &o->val_batches, 0, 1e12, "N",
                   "batches of it; 0: all (default 32)"),
        OPTION_CHOICE("weights", &o->weights, WEIGHTS_WORDS,
                      "how they are stored (default: bf16 if those of --init are, else f32)"),
        OPTION_CHOICE("dtype", &o->read.dtype, SOURCE_DTYPE_WORDS "|" WEIGHTS_WORDS,
                      "what files of bare ids hold (default: u16 for .bin); f32, bf16: --weights"),
        OPTION_U64("save-every", &o->save_every, 1, 1e12, "N",
                   "steps between checkpoints (default: a tenth)"),
        OPTION_FLAG("resume", &o->resume,
                    "go on with the run in --out; without --data by its own command"),
        OPTION_FLAG("force", &o->force, "replace the run in --out"),
        OPTION_FLAG("recompute", &o->recompute,
                    "less memory for activations, more time, the same bits"),
        OPTION_THREADS(&o->threads),
        OPTION_QUIET(&o->quiet),
    };
    int code = options_parse(&page, table, COUNT(table), &rest, argc, argv);
    if (code != OPTIONS_PARSED) return code;
    if (options_given(table, COUNT(table), "steps") && options_given(table, COUNT(table), "epochs"))
        return fail(USAGE, "--steps and --epochs: give one");
    for (size_t i = 0; i < COUNT(shape_flags); i++) {
        if (options_given(table, COUNT(table), shape_flags[i])) o->shape_given = 1;
    }
    code = split_dtype(o);
    if (code != OPTIONS_PARSED) return code;
    complete_by_preset(o, table, COUNT(table));
    o->warmup_given = options_given(table, COUNT(table), "warmup");
    if (!options_given(table, COUNT(table), "ratio2")) o->select.entropy_ratio = o->select.ratio;
    return refuse_idle_flags(o, table, COUNT(table));
}

int verb_train(int argc, char **argv) {
    train_run *r = (train_run *)calloc(1, sizeof *r);
    train_command command = {NULL, NULL, 0};
    if (r == NULL) return fail_memory();

    int code = parse_options(&r->o, argc, argv);
    /* --resume --out DIR and no data: the run's own command, with what is given now. */
    if (code == OPTIONS_PARSED && r->o.resume && r->o.data.n == 0 && r->o.out != NULL) {
        code = train_open_folder(r);
        if (code == DONE) code = train_command_load(&command, r->o.out, argc, argv);
        argc = command.n;
        argv = command.words;
        if (code == DONE) code = parse_options(&r->o, argc, argv);
        if (code == OPTIONS_PARSED) code = train_refuse_lost_input(&r->o);
    }
    if (code == OPTIONS_PARSED) {
        use_threads(r->o.threads);
        code = train(r, argc, argv);
    }
    train_free(r);
    train_command_free(&command);
    free(r);
    return code;
}
