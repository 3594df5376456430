/* inputs.c: texts, tokenizers, models. */
#include "common/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/errors.h"
#include "common/paths.h"
#include "common/token_file.h"

enum { DEFAULT_SEQ_MAX = 1024, STREAM_PIECE = 65536 };

static int check_folder(const char *folder) {
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
        if (check_folder(folder) != DONE) return BAD_INPUT;
        if (!path_exists(path)) {
            return fail(BAD_INPUT,
                        "%s: no tokenizer.json in it; say which one with --tokenizer "
                        "bytes|FILE|FOLDER",
                        folder);
        }
        name = folder;
    }
    if (name == NULL || strcmp(name, "bytes") == 0) {
        status = slm_tokenizer_create_bytes(out, &err);
    } else {
        status = slm_tokenizer_load(out, name, &err);
    }
    return fail_status(status, FOR_INPUT, &err);
}

int load_model(slm_model **out, const char *folder) {
    slm_error err;
    if (check_folder(folder) != DONE) return BAD_INPUT;
    return fail_status(slm_model_load(out, folder, &err), FOR_INPUT, &err);
}

int check_vocab(const slm_model *model, const char *folder, const slm_tokenizer *tokenizer) {
    int32_t vocab = slm_tokenizer_vocab(tokenizer);
    if (vocab <= model->config.vocab) return DONE;
    return fail(BAD_INPUT, "%s: the model knows %d tokens, the tokenizer has %d", folder,
                (int)model->config.vocab, (int)vocab);
}

int load_model_and_tokenizer(slm_model **model, slm_tokenizer **tokenizer, const char *folder,
                             const char *tokenizer_name) {
    int code = load_tokenizer(tokenizer, tokenizer_name, folder);
    if (code == DONE) code = load_model(model, folder);
    if (code == DONE) code = check_vocab(*model, folder, *tokenizer);
    return code;
}

int load_reference(slm_model **out, const char *folder, const slm_tokenizer *tokenizer) {
    char path[PATH_SIZE];
    slm_tokenizer *own = NULL;
    int code = load_model(out, folder);
    if (code == DONE) code = check_vocab(*out, folder, tokenizer);
    if (code == DONE) code = path_join(path, folder, "tokenizer.json");
    if (code != DONE || !path_exists(path)) return code;

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

/* Copies the tokens and masks of a and b into arrays for both; masked may be NULL. */
static void copy_tokens(int32_t *tokens, uint8_t *masked, const slm_corpus *a,
                        const slm_corpus *b) {
    const slm_corpus *parts[2] = {a, b};
    size_t n = 0;
    for (size_t i = 0; i < 2; i++) {
        const slm_corpus *part = parts[i];
        if (part->n == 0) continue;
        memcpy(tokens + n, part->tokens, part->n * sizeof *tokens);
        if (part->masked != NULL) memcpy(masked + n, part->masked, part->n);
        n += part->n;
    }
}

/* Puts the tokens of b behind those of *a, which is replaced. */
static slm_status append_corpus(slm_corpus **a, const slm_corpus *b, int32_t vocab,
                                slm_error *err) {
    size_t n = (*a)->n + b->n;
    size_t room = n > 0 ? n : 1;
    int any_masked = (*a)->masked != NULL || b->masked != NULL;
    int32_t *tokens = (int32_t *)malloc(room * sizeof *tokens);
    uint8_t *masked = any_masked ? (uint8_t *)calloc(room, 1) : NULL;
    slm_corpus *joined = NULL;
    slm_status status;
    if (tokens == NULL || (any_masked && masked == NULL)) {
        status = error_set(err, SLM_ERR_MEMORY, "out of memory: %zu tokens", n);
    } else {
        copy_tokens(tokens, masked, *a, b);
        status = slm_corpus_create(&joined, tokens, masked, n, vocab, err);
    }
    free(tokens);
    free(masked);
    if (status != SLM_OK) return status;

    joined->tokenizer_hash = (*a)->tokenizer_hash;
    if ((*a)->bytes != 0 && b->bytes != 0) joined->bytes = (*a)->bytes + b->bytes;
    slm_corpus_free(*a);
    *a = joined;
    return SLM_OK;
}

static int load_file(slm_corpus **corpus, const slm_tokenizer *tokenizer, const char *path,
                     const char *fields) {
    slm_error err;
    slm_corpus *next = NULL;
    slm_status status = token_file_load(&next, tokenizer, path, fields, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    if (*corpus == NULL) {
        *corpus = next;
        return DONE;
    }
    status = append_corpus(corpus, next, slm_tokenizer_vocab(tokenizer), &err);
    slm_corpus_free(next);
    return fail_status(status, FOR_INPUT, &err);
}

/* Returns 1 if one of "a.txt,b.jsonl" is of JSON lines. */
static int any_jsonl(const char *paths) {
    char path[PATH_SIZE];
    while (paths != NULL && *paths != 0) {
        size_t n = strcspn(paths, ",");
        (void)snprintf(path, sizeof path, "%.*s", (int)n, paths);
        if (slm_text_is_jsonl(path)) return 1;
        paths += n + (paths[n] == ',');
    }
    return 0;
}

/* Refuses a file that is no text, whatever its name. */
static int check_is_text(const char *path) {
    slm_error err;
    char *bytes;
    size_t size;
    size_t start;
    if (!path_exists(path)) return DONE;
    slm_status status = slm_file_read(&bytes, &size, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    status = slm_text_start(&start, bytes, size, path, &err);
    slm_free(bytes);
    return fail_status(status, FOR_INPUT, &err);
}

int check_fields(const char *fields, const option_list *files, const char *more) {
    int any = any_jsonl(more);
    if (fields == NULL) return DONE;
    for (size_t i = 0; i < files->n && !any; i++)
        any = any_jsonl(files->items[i]);
    if (any) return DONE;

    /* Of corpus.jsonl.gz it must be said that it is compressed. */
    int code = check_is_text(files->items[0]);
    if (code != DONE) return code;
    return fail(USAGE, "--fields %s: only .jsonl and .ndjson files have fields, and %s is none",
                fields, files->items[0]);
}

/* Loads "a.txt,b.txt". */
static int load_files(slm_corpus **corpus, const slm_tokenizer *tokenizer, const char *paths,
                      const char *fields) {
    char path[PATH_SIZE];
    for (;;) {
        size_t n = path_exists(paths) ? strlen(paths) : strcspn(paths, ",");
        if (n >= sizeof path) return fail(USAGE, "%.60s...: the path is too long", paths);
        memcpy(path, paths, n);
        path[n] = 0;
        int code = load_file(corpus, tokenizer, path, fields);
        if (code != DONE || paths[n] == 0) return code;
        paths += n + 1;
    }
}

int load_corpus(slm_corpus **out, const slm_tokenizer *tokenizer, const option_list *files,
                const char *fields) {
    int code = DONE;
    *out = NULL;
    for (size_t i = 0; i < files->n && code == DONE; i++)
        code = load_files(out, tokenizer, files->items[i], fields);
    if (code == DONE && (*out)->n < 2) {
        code = fail(BAD_INPUT, "%s: %zu token%s, nothing to predict: at least 2 are needed",
                    files->items[0], (*out)->n, plural((*out)->n));
    }
    if (code != DONE) {
        slm_corpus_free(*out);
        *out = NULL;
    }
    return code;
}

int read_stream(char **out, size_t *size, FILE *f, const char *name) {
    char *bytes = NULL;
    size_t n = 0;
    size_t room = 0;
    size_t n_read = 1;
    while (n_read > 0) {
        if (room - n < STREAM_PIECE) {
            room = room * 2 + STREAM_PIECE;
            char *larger = (char *)realloc(bytes, room);
            if (larger == NULL) {
                free(bytes);
                return fail_memory();
            }
            bytes = larger;
        }
        n_read = fread(bytes + n, 1, room - n, f);
        n += n_read;
    }
    if (ferror(f)) {
        free(bytes);
        return fail(BAD_INPUT, "%s: cannot read", name);
    }
    *out = bytes;
    *size = n;
    return DONE;
}
