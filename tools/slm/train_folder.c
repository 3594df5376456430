/* train_folder.c: what a run leaves in its folder, and how it is taken up from there. */
#include <stdio.h>
#include <string.h>

#include "common/cli.h"
#include "common/group.h"
#include "common/inputs.h"
#include "common/os.h"
#include "common/text.h"
#include "slm/names.h"
#include "slm/train.h"

/* Goes on with a hash of n numbers, the same on machines of either byte order. */
static uint64_t hash_numbers(uint64_t hash, const slm_real *numbers, size_t n) {
    const uint16_t one = 1;
    if (*(const unsigned char *)&one == 1) return slm_hash(hash, numbers, n * sizeof *numbers);
    for (size_t i = 0; i < n; i++) {
        unsigned char bytes[sizeof *numbers];
        memcpy(bytes, numbers + i, sizeof bytes);
        for (size_t k = 0; k < sizeof bytes / 2; k++) {
            unsigned char first = bytes[k];
            bytes[k] = bytes[sizeof bytes - 1 - k];
            bytes[sizeof bytes - 1 - k] = first;
        }
        hash = slm_hash(hash, bytes, sizeof bytes);
    }
    return hash;
}

static uint64_t hash_scores(const slm_losses *scores) {
    if (scores == NULL) return 0;
    uint64_t hash = hash_numbers(SLM_HASH_START, scores->loss, scores->n);
    return hash_numbers(hash, scores->entropy, scores->n);
}

static void add_setting(train_run *r, const char *name, uint64_t hash) {
    size_t n = strlen(r->settings);
    (void)snprintf(r->settings + n, sizeof r->settings - n, "%s %016llx\n", name,
                   (unsigned long long)hash);
}

/* Writes r->settings: what decides the result and the library does not know of, one to a line. */
static void make_settings(train_run *r) {
    uint64_t scores = train_needs_reference(&r->o) ? hash_scores(r->scores) : 0;
    (void)snprintf(r->settings, sizeof r->settings,
                   "--batch %d\n--accumulate %d\n--seq %d\ntokenizer %016llx\nscores %016llx\n",
                   (int)r->o.batch, (int)r->o.accumulate, (int)r->o.seq,
                   (unsigned long long)hash_of(r->tokenizer), (unsigned long long)scores);
    if (r->corpus->within_documents)
        add_setting(r, "--within-documents", r->corpus->documents_hash);
    if (r->corpus->weights != NULL) {
        uint64_t hash = hash_numbers(SLM_HASH_START, r->corpus->weights, r->corpus->n);
        add_setting(r, "--weight-field", hash);
    }
}

/* Refuses a run with other settings by the first line that differs. */
static int compare_settings(const train_run *r, const char *theirs, const char *path) {
    const char *ours = r->settings;
    while (*ours != 0) {
        size_t n_ours = strcspn(ours, "\n");
        size_t n_theirs = strcspn(theirs, "\n");
        size_t n_name = strcspn(ours, " ");
        if (strncmp(theirs, "tokens ", 7) == 0)
            return fail(BAD_INPUT, "%s: the run has no %.*s, here it has", path, (int)n_name, ours);
        if (n_ours != n_theirs || strncmp(ours, theirs, n_ours) != 0) {
            return fail(BAD_INPUT, "%s: the run has %.*s, here it is%.*s", path, (int)n_theirs,
                        theirs, (int)(n_ours - n_name), ours + n_name);
        }
        ours += n_ours;
        theirs += n_theirs;
        if (*ours != 0) ours++;
        if (*theirs != 0) theirs++;
    }
    if (strncmp(theirs, "--", 2) != 0) return DONE;
    return fail(BAD_INPUT, "%s: the run has %.*s, here it has not", path,
                (int)strcspn(theirs, " \n"), theirs);
}

/* Refuses a folder with a model: a run that was killed before its first checkpoint has none, so
 * that it is somebody's, and would be replaced. */
static int refuse_models(const char *folder) {
    static const char *const names[] = {"model.safetensors", "model.safetensors.index.json",
                                        "config.json"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < COUNT(names); i++) {
        int code = path_join(path, folder, names[i]);
        if (code != DONE) return code;
        if (path_exists(path)) {
            return fail(BAD_INPUT,
                        "%s: a model (%s) without state.safetensors: no run that could go on; "
                        "--init %s trains it into another --out",
                        folder, names[i], folder);
        }
    }
    return DONE;
}

int train_run_schedule(const train_run *r, uint64_t *warmup, uint64_t *steps) {
    char path[PATH_SIZE];
    slm_safetensors *file;
    slm_error err;
    unsigned long long numbers[2];
    int found = 0;
    if (!r->o.resume || path_join(path, r->o.out, "state.safetensors") != DONE) return 0;
    if (!path_exists(path)) return 0;
    /* What is wrong with the file is said where it is loaded. */
    if (slm_safetensors_open(&file, path, &err) != SLM_OK) return 0;

    const char *settings = slm_safetensors_metadata(file, "settings");
    const char *schedule = settings != NULL ? strstr(settings, " warmup=") : NULL;
    if (schedule != NULL)
        found = sscanf(schedule, " warmup=%llu steps=%llu", &numbers[0], &numbers[1]) == 2;
    slm_safetensors_close(file);
    if (!found) return 0;
    *warmup = numbers[0];
    *steps = numbers[1];
    return 1;
}

int train_resume(train_run *r) {
    slm_error err;
    char path[PATH_SIZE];
    slm_run run;
    unsigned long long tokens;
    make_settings(r);
    int code = path_join(path, r->o.out, "state.safetensors");
    if (code != DONE) return code;
    /* A run that was killed before its first checkpoint begins anew. */
    if (!r->o.resume) return DONE;
    if (!path_exists(path)) return refuse_models(r->o.out);

    run.corpus_hash = r->corpus->hash;
    slm_status status = slm_run_load(r->trainer, &run, r->o.out, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    r->cursor = run.cursor;
    code = compare_settings(r, run.extra, path);
    if (code != DONE) return code;
    size_t n_settings = strlen(r->settings);
    if (strlen(run.extra) < n_settings ||
        sscanf(run.extra + n_settings, "tokens %llu", &tokens) != 1)
        return fail(BAD_INPUT, "%s: it does not say how many tokens the run has seen", path);
    r->tokens = tokens;
    r->tokens_before = tokens;
    if (!r->o.quiet) {
        say("%s goes on at step %llu of %llu", r->o.out,
            (unsigned long long)slm_trainer_steps(r->trainer), (unsigned long long)r->o.steps);
    }
    if (r->run_steps < r->o.steps && !r->o.quiet) {
        say("note: it was to take %llu steps; from here on the learning rate is that of a run of "
            "%llu",
            (unsigned long long)r->run_steps, (unsigned long long)r->o.steps);
    }
    return DONE;
}

int train_compare_processes(const train_run *r) {
    const uint64_t place[] = {slm_trainer_steps(r->trainer), r->cursor.next_window, r->o.steps,
                              r->corpus->hash, r->val != NULL ? r->val->hash : 0};
    int same;
    if (group_size() == 1) return DONE;
    uint64_t hash = slm_hash(slm_model_hash(r->model), r->settings, strlen(r->settings));
    if (group_compare(&same, slm_hash(hash, place, sizeof place))) return FAILED;
    if (same) return DONE;
    return fail(BAD_INPUT, "the processes have read different data, models or runs: all must find "
                           "the same files");
}

int train_checkpoint(train_run *r) {
    slm_error err;
    if (group_rank() > 0) return DONE;
    slm_run run = {.tokenizer = r->tokenizer,
                   .cursor = r->cursor,
                   .corpus_hash = r->corpus->hash,
                   .dtype = r->dtype};
    int code = log_flush(&r->log);
    if (code != DONE) return code;
    (void)snprintf(run.extra, sizeof run.extra, "%stokens %llu\n", r->settings,
                   (unsigned long long)r->tokens);
    slm_status status = slm_run_save(r->trainer, r->o.out, &run, &err);
    return fail_status(status, FOR_OUTPUT, &err);
}

/* Refuses a file of an earlier run, or removes it with --force. */
static int make_way(const train_run *r, const char *name) {
    char path[PATH_SIZE];
    int code = path_join(path, r->o.out, name);
    if (code != DONE || r->o.resume || !path_exists(path)) return code;
    if (!r->o.force) {
        return fail(USAGE,
                    "%s already holds a run (%s); --resume goes on with it, --force replaces it",
                    r->o.out, name);
    }
    if (os_remove(path) == 0) return DONE;
    return fail_errno(FAILED, path, "remove");
}

int train_open_folder(train_run *r) {
    static const char *const ours[] = {
        "state.safetensors",  "model.safetensors",      "config.json",
        "tokenizer.json",     "log.csv",                "run.json",
        "chat_template.json", "generation_config.json", "special_tokens_map.json",
        "tokenizer.model",    "tokenizer_config.json",  "chat_template.jinja"};
    int code = DONE;
    if (r->is_open) return DONE;
    r->is_open = 1;
    if (group_rank() == 0) code = output_open_folder(&r->out, r->o.out, ours, COUNT(ours));
    if (code == DONE && group_wait()) code = FAILED;
    return code;
}

int train_clear_folder(train_run *r) {
    static const char *const ours[] = {"state.safetensors",
                                       "model.safetensors",
                                       "model.safetensors.index.json",
                                       "config.json",
                                       "log.csv",
                                       "run.json"};
    int code = DONE;
    for (size_t i = 0; i < COUNT(ours) && code == DONE; i++)
        code = make_way(r, ours[i]);
    return code;
}

/* ---- what other programs read beside the model, carried over from --init byte for byte ---- */
typedef struct companion {
    const char *name;
    int of_tokenizer; /* 1: it belongs to the tokenizer, and goes where that goes */
} companion;

static const companion companions[] = {{"generation_config.json", 0},
                                       {"tokenizer_config.json", 1},
                                       {"special_tokens_map.json", 1},
                                       {"tokenizer.model", 1},
                                       {"chat_template.jinja", 1},
                                       {"chat_template.json", 1}};

/* Copies one, or leaves its place empty for slm_run_save.  A run that goes on keeps what it has. */
static int carry_companion(const train_run *r, const companion *c) {
    const train_options *o = &r->o;
    slm_error err;
    char from[PATH_SIZE];
    char to[PATH_SIZE];
    char *bytes;
    size_t size;
    int code = path_join(to, o->out, c->name);
    if (code != DONE || (o->resume && path_exists(to))) return code;
    if (path_exists(to) && os_remove(to) != 0) return fail_errno(FAILED, to, "remove");
    if (o->init == NULL || (c->of_tokenizer && o->tokenizer != NULL)) return DONE;

    code = path_join(from, o->init, c->name);
    if (code != DONE || !path_exists(from)) return code;
    slm_status status = slm_file_read(&bytes, &size, from, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    status = slm_file_write(to, bytes, size, &err);
    slm_free(bytes);
    return fail_status(status, FOR_OUTPUT, &err);
}

int train_carry_companions(const train_run *r) {
    int code = DONE;
    for (size_t i = 0; i < COUNT(companions) && code == DONE; i++)
        code = carry_companion(r, &companions[i]);
    return code;
}

/* ---- run.json ---- */
static void write_hash(FILE *f, const char *name, int there, uint64_t hash) {
    fprintf(f, ",\n  \"%s\": ", name);
    if (there) {
        fprintf(f, "\"%016llx\"", (unsigned long long)hash);
    } else {
        fputs("null", f);
    }
}

static void write_command(FILE *f, int argc, char **argv) {
    fprintf(f, "{\n  \"slm\": \"%s\",\n  \"command\": [\"train\"", SLM_VERSION);
    for (int i = 0; i < argc; i++) {
        fputs(", ", f);
        escape_json(f, argv[i]);
    }
    const char *number = sizeof(slm_real) == sizeof(float) ? "float" : "double";
    fprintf(f, "],\n  \"number\": \"%s\",\n  \"compiler\": ", number);
#ifdef __VERSION__
    escape_json(f, __VERSION__);
#else
    escape_json(f, "unknown");
#endif
}

static void write_text_or_null(FILE *f, const char *text) {
    if (text != NULL) {
        escape_json(f, text);
    } else {
        fputs("null", f);
    }
}

static void write_data(FILE *f, const train_run *r) {
    fprintf(f, ",\n  \"corpus\": {\"hash\": \"%016llx\", \"tokens\": %zu, \"bytes\": %zu",
            (unsigned long long)r->corpus->hash, r->corpus->n, r->corpus->bytes);
    fprintf(f, ", \"windows\": %zu, \"documents\": %zu, \"within_documents\": %s}",
            slm_corpus_n_windows(r->corpus, r->o.seq), r->corpus->n_documents,
            r->corpus->within_documents ? "true" : "false");
    if (r->report.n_records > 0) {
        fprintf(f, ",\n  \"records\": {\"read\": %zu, \"left_out\": %zu, \"first_fault\": ",
                r->report.n_records, r->report.n_bad);
        write_text_or_null(f, r->report.n_bad > 0 ? r->report.first_bad.text : NULL);
        fputs("}", f);
    }
    fputs(",\n  \"tokenizer\": ", f);
    if (r->tokenizer != NULL) {
        fprintf(f, "{\"hash\": \"%016llx\", \"vocab\": %d}",
                (unsigned long long)slm_tokenizer_hash(r->tokenizer),
                (int)slm_tokenizer_vocab(r->tokenizer));
    } else {
        fputs("null", f);
    }
    write_hash(f, "scores", r->scores != NULL, hash_scores(r->scores));
    uint64_t reference = r->reference != NULL ? slm_model_hash(r->reference) : 0;
    write_hash(f, "reference", r->reference != NULL, reference);
}

static void write_model(FILE *f, const slm_model *model) {
    const slm_model_config *c = &model->config;
    fprintf(f, ",\n  \"model\": {\"vocab\": %d, \"dim\": %d, \"layers\": %d", (int)c->vocab,
            (int)c->dim, (int)c->n_layers);
    fprintf(f, ", \"heads\": %d, \"kv_heads\": %d, \"head_dim\": %d, \"ffn\": %d", (int)c->n_heads,
            (int)c->n_kv_heads, (int)c->head_dim, (int)c->ffn);
    fprintf(f, ", \"context\": %d, \"theta\": %.17g, \"tied\": %d, \"parameters\": %zu}",
            (int)c->max_seq, c->rope_theta, (int)c->tie_embeddings, model->n_params);
}

static void write_options(FILE *f, const train_run *r) {
    const slm_select_options *s = &slm_trainer_options(r->trainer)->select;
    const slm_adamw_options *p = &slm_trainer_options(r->trainer)->adamw;
    fprintf(f, ",\n  \"selection\": {\"select\": \"%s\", \"scope\": \"%s\"",
            slm_criterion_name(s->criterion), scope_name(s->scope));
    fprintf(f, ", \"ratio\": %.17g, \"ratio2\": %.17g}", s->ratio, s->entropy_ratio);
    fprintf(f, ",\n  \"optimizer\": {\"lr\": %.17g, \"lr_min\": %.17g", p->lr, p->lr_min);
    fprintf(f, ", \"warmup\": %llu, \"steps\": %llu", (unsigned long long)p->warmup,
            (unsigned long long)p->steps);
    fprintf(f, ", \"beta1\": %.17g, \"beta2\": %.17g, \"eps\": %.17g", p->beta1, p->beta2, p->eps);
    fprintf(f, ", \"weight_decay\": %.17g, \"clip\": %.17g}", p->weight_decay, p->clip);
    if (group_size() > 1) fprintf(f, ",\n  \"processes\": %d", group_size());
    fprintf(f, ",\n  \"seed\": %llu,\n  \"batch\": %d,\n  \"accumulate\": %d,\n  \"seq\": %d\n}\n",
            (unsigned long long)r->o.seed, (int)r->o.batch, (int)r->o.accumulate, (int)r->o.seq);
}

int train_write_settings(const train_run *r, int argc, char **argv) {
    output_file file;
    char path[PATH_SIZE];
    int code = path_join(path, r->o.out, "run.json");
    if (code == DONE) code = output_file_begin(&file, path);
    if (code != DONE) return code;

    write_command(file.stream, argc, argv);
    write_data(file.stream, r);
    write_model(file.stream, r->model);
    write_options(file.stream, r);
    return output_file_end(&file, DONE);
}
