/* inputs.c: texts, tokenizers, models. */
#include "common/inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/corpus_join.h"
#include "common/documents.h"
#include "common/errors.h"
#include "common/group.h"
#include "common/os.h"
#include "common/paths.h"

enum { DEFAULT_SEQ_MAX = 1024 };

int check_model_folder(const char *folder) {
    if (is_folder(folder)) return DONE;
    if (path_exists(folder))
        return fail(BAD_INPUT, "%s: a file, but a model is a folder with config.json", folder);
    return fail(BAD_INPUT, "%s: there is no such folder", folder);
}

int load_tokenizer(slm_tokenizer **out, const char *name, const char *folder) {
    slm_error err;
    slm_status status;
    if (name == NULL && folder != NULL) {
        char path[PATH_SIZE];
        if (path_join(path, folder, "tokenizer.json") != DONE) return USAGE;
        if (check_model_folder(folder) != DONE) return BAD_INPUT;
        name = path_exists(path) ? folder : "none";
    }
    *out = NULL;
    if (name != NULL && strcmp(name, "none") == 0) return DONE;
    if (name == NULL || strcmp(name, "bytes") == 0) {
        status = slm_tokenizer_create_bytes(out, &err);
    } else {
        status = slm_tokenizer_load(out, name, &err);
    }
    return fail_status(status, FOR_INPUT, &err);
}

int load_model(slm_model **out, const char *folder) {
    slm_error err;
    if (check_model_folder(folder) != DONE) return BAD_INPUT;
    return fail_status(slm_model_load(out, folder, &err), FOR_INPUT, &err);
}

int32_t vocab_of(const slm_tokenizer *tokenizer, const slm_model *model) {
    return tokenizer != NULL ? slm_tokenizer_vocab(tokenizer) : model->config.vocab;
}

uint64_t hash_of(const slm_tokenizer *tokenizer) {
    return tokenizer != NULL ? slm_tokenizer_hash(tokenizer) : 0;
}

int check_corpus_ids(const slm_corpus *corpus, const slm_model *model, const char *folder,
                     const slm_tokenizer *tokenizer) {
    size_t size = 0;
    int all_fit = tokenizer != NULL && slm_tokenizer_vocab(tokenizer) <= model->config.vocab;
    for (size_t i = 0; i < corpus->n && !all_fit; i++) {
        int32_t id = slm_corpus_token(corpus, i);
        if (id < model->config.vocab) continue;
        const char *text = NULL;
        if (tokenizer != NULL) text = slm_tokenizer_token(&size, tokenizer, id);
        if (text == NULL) text = "";
        return fail(BAD_INPUT, "%s: the model has %d tokens; token %zu of the text is %d (%.*s)",
                    folder, (int)model->config.vocab, i, (int)id, (int)size, text);
    }
    return DONE;
}

int ends_text(const slm_model *model, int32_t token) {
    const slm_special_ids *special = &model->config.special;
    for (int32_t i = 0; i < special->n_eos; i++) {
        if (special->eos[i] == token) return 1;
    }
    return 0;
}

int load_model_and_tokenizer(slm_model **model, slm_tokenizer **tokenizer, const char *folder,
                             const char *tokenizer_name) {
    int code = load_tokenizer(tokenizer, tokenizer_name, folder);
    if (code == DONE) code = load_model(model, folder);
    return code;
}

int load_reference(slm_model **out, const char *folder, const slm_tokenizer *tokenizer) {
    char path[PATH_SIZE];
    slm_tokenizer *own = NULL;
    int code = load_model(out, folder);
    if (code == DONE) code = path_join(path, folder, "tokenizer.json");
    if (code != DONE || !path_exists(path) || tokenizer == NULL) return code;

    code = load_tokenizer(&own, folder, NULL);
    if (code != DONE) return code;
    if (slm_tokenizer_hash(own) != slm_tokenizer_hash(tokenizer))
        code = fail(BAD_INPUT, "%s: the reference model was made with another tokenizer", folder);
    slm_tokenizer_free(own);
    return code;
}

int32_t default_seq(const slm_model *model) {
    int32_t context = model->config.max_seq;
    int32_t window = model->config.sliding_window;
    if (window > 0 && window < context) context = window;
    return context < DEFAULT_SEQ_MAX ? context : DEFAULT_SEQ_MAX;
}

int check_window(const slm_model *model, const char *folder, int32_t T) {
    int32_t window = model->config.sliding_window;
    if (window == 0 || T <= window) return DONE;
    return fail(USAGE, "%s: --seq %d is above the model's sliding window of %d", folder, (int)T,
                (int)window);
}

/* ---- the files of --data ---- */
/* Calls visit for "a.txt" and "b.txt" of "a.txt,b.txt", until it returns what is not DONE. */
static int visit_paths(const char *paths, int (*visit)(void *user, const char *path), void *user) {
    char path[PATH_SIZE];
    for (;;) {
        size_t n = path_exists(paths) ? strlen(paths) : strcspn(paths, ",");
        if (n >= sizeof path) return fail(USAGE, "%.60s...: the path is too long", paths);
        memcpy(path, paths, n);
        path[n] = 0;
        int code = visit(user, path);
        if (code != DONE || paths[n] == 0) return code;
        paths += n + 1;
    }
}

/* What check_data counts. */
typedef struct data_names {
    const data_options *options;
    size_t n_jsonl, n_stdin, n_streams;
    char text[PATH_SIZE];    /* the first file that is not JSON lines by its name; or "" */
    char no_file[PATH_SIZE]; /* the first pipe or standard input; or "" */
} data_names;

static int count_name(void *user, const char *path) {
    data_names *names = (data_names *)user;
    int is_stdin = source_is_stdin(path);
    if (is_stdin) names->n_stdin++;
    if (is_stdin || is_stream(path)) names->n_streams++;
    if (names->options->text.jsonl || slm_text_is_jsonl(path)) {
        names->n_jsonl++;
        return DONE;
    }
    if (names->text[0] == 0) (void)snprintf(names->text, sizeof names->text, "%s", path);
    if ((is_stdin || is_stream(path)) && names->no_file[0] == 0)
        (void)snprintf(names->no_file, sizeof names->no_file, "%s", path);
    return DONE;
}

/* Refuses a file that is no text, whatever its name. */
static int check_is_text(const char *path) {
    slm_error err;
    source s;
    size_t start;
    if (!path_exists(path) || is_stream(path)) return DONE;
    slm_status status = source_read(&s, path, &err);
    if (status == SLM_OK) status = slm_text_start(&start, s.bytes, s.size, path, &err);
    source_free(&s);
    return fail_status(status, FOR_INPUT, &err);
}

/* Refuses a masked field that is none of --fields, and masks for all of them. */
static int check_mask_fields(const slm_text_options *options) {
    const char *fields = options->fields != NULL ? options->fields : "text";
    const char *name = options->mask_fields;
    while (name != NULL && *name != 0) {
        size_t n = strcspn(name, ",");
        const char *field = fields;
        while (*field != 0 && (strcspn(field, ",") != n || strncmp(field, name, n) != 0)) {
            field += strcspn(field, ",");
            if (*field == ',') field++;
        }
        if (*field == 0)
            return fail(USAGE, "--mask-fields %.*s: it is none of --fields %s", (int)n, name,
                        fields);
        name += n + (name[n] == ',');
    }
    return DONE;
}

int check_data(const data_options *options, const option_list *files, const char *more) {
    data_names names = {.options = options};
    int code = DONE;
    for (size_t i = 0; i < files->n && code == DONE; i++)
        code = visit_paths(files->items[i], count_name, &names);
    if (code == DONE && more != NULL) code = visit_paths(more, count_name, &names);
    if (code != DONE) return code;
    if (names.n_stdin > 1) return fail(USAGE, "standard input can be read once only");
    if (names.n_streams > 0 && group_size() > 1) {
        return fail(USAGE, "standard input and pipes reach one process only, and there are %d; "
                           "give files",
                    group_size());
    }

    const char *flag = options->text.skip_bad ? "--skip-bad" : NULL;
    if (options->text.weight_field != NULL) flag = "--weight-field";
    if (options->text.mask_fields != NULL) flag = "--mask-fields";
    if (options->text.fields != NULL) flag = "--fields";
    code = check_mask_fields(&options->text);
    if (code != DONE) return code;
    if (flag == NULL) return DONE;
    if (names.no_file[0] != 0) {
        return fail(USAGE, "%s: does %s hold a record a line? --jsonl says so", flag,
                    names.no_file);
    }
    if (names.n_jsonl > 0) return DONE;

    /* Of corpus.jsonl.gz it must be said that it is compressed. */
    code = check_is_text(names.text);
    if (code != DONE) return code;
    return fail(USAGE,
                "%s: only .jsonl, .ndjson and .json files have records, and %s is none; --jsonl "
                "says that it has, whatever its name",
                flag, names.text);
}

static int check_holds_ids(void *user, const char *path) {
    const data_options *options = (const data_options *)user;
    unsigned char head[1024];
    size_t n = 0;
    FILE *f = is_stream(path) ? NULL : os_open(path, "rb");
    if (f != NULL) {
        n = fread(head, 1, sizeof head, f);
        (void)fclose(f);
    }
    return token_file_has_ids(options, path, head, n) ? DONE : BAD_INPUT;
}

int all_files_hold_ids(const data_options *options, const option_list *files) {
    data_options copy = *options;
    for (size_t i = 0; i < files->n; i++) {
        if (visit_paths(files->items[i], check_holds_ids, &copy) != DONE) return 0;
    }
    return files->n > 0;
}

void say_report(const data_report *report) {
    if (report->n_bad > 0) {
        say("%zu of %zu records left out; the first: %s", report->n_bad, report->n_records,
            report->first_bad.text);
    }
    if (report->like_json[0] != 0) {
        say("note: %s: every line begins with {, and it is read as plain text; --jsonl reads the "
            "fields of records",
            report->like_json);
    }
}

/* The corpora of the files that are loaded so far. */
typedef struct corpus_loader {
    token_reader *reader;
    slm_corpus **parts; /* (n) */
    size_t n;
} corpus_loader;

static int load_next(void *user, const char *path) {
    slm_error err;
    corpus_loader *loader = (corpus_loader *)user;
    slm_corpus *next = NULL;
    slm_status status = token_file_load(&next, loader->reader, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    slm_corpus **larger =
        (slm_corpus **)realloc(loader->parts, (loader->n + 1) * sizeof(slm_corpus *));
    if (larger == NULL) {
        slm_corpus_free(next);
        return fail_memory();
    }
    loader->parts = larger;
    loader->parts[loader->n++] = next;
    return DONE;
}

/* Makes one corpus of the parts, which are then gone. */
static int join_parts(slm_corpus **out, corpus_loader *loader) {
    slm_error err;
    const token_reader *reader = loader->reader;
    if (loader->n == 1) {
        *out = loader->parts[0];
        loader->n = 0;
        return DONE;
    }
    slm_status status =
        corpus_join(out, loader->parts, loader->n, reader->tokenizer, reader->vocab, &err);
    if (status == SLM_OK) loader->n = 0;
    return fail_status(status, FOR_INPUT, &err);
}

/* Refuses flags that have had no effect. */
static int check_use(const token_reader *reader, const char *name) {
    if (reader->options.text.jsonl && reader->report.n_jsonl == 0)
        return fail(USAGE, "--jsonl: %s holds no text", name);
    if (reader->options.dtype != DTYPE_NOT_GIVEN && reader->report.n_bare == 0)
        return fail(USAGE, "--dtype: %s says itself what it holds", name);
    return DONE;
}

int load_corpus(slm_corpus **out, token_reader *reader, const option_list *files) {
    corpus_loader loader = {reader, NULL, 0};
    slm_error err;
    *out = NULL;
    int code = fail_status(documents_find_marks(reader, &err), FOR_INPUT, &err);
    for (size_t i = 0; i < files->n && code == DONE; i++)
        code = visit_paths(files->items[i], load_next, &loader);
    if (code == DONE) code = join_parts(out, &loader);
    for (size_t i = 0; i < loader.n; i++)
        slm_corpus_free(loader.parts[i]);
    free(loader.parts);
    if (code == DONE && (*out)->n < 2) {
        code = fail(BAD_INPUT, "%s: %zu token%s, nothing to predict: at least 2 are needed",
                    files->items[0], (*out)->n, plural((*out)->n));
    }
    if (code == DONE) code = check_use(reader, files->items[0]);
    if (code != DONE) {
        slm_corpus_free(*out);
        *out = NULL;
    }
    if (code == DONE) (*out)->within_documents = reader->options.within;
    return code;
}

int load_text(slm_text *text, source *s, const char *path, const data_options *options) {
    slm_error err;
    data_report report;
    memset(text, 0, sizeof *text);
    memset(&report, 0, sizeof report);
    slm_status status = source_read(s, path, &err);
    if (status == SLM_OK) status = source_text(text, s, options, &report, &err);
    if (status == SLM_OK) say_report(&report);
    return fail_status(status, FOR_INPUT, &err);
}
