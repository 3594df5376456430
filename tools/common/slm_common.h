/* slm_common.h: what the verbs of the command line share: exit codes, messages, signals, loading of tokenizers, texts and models. */
#ifndef SLM_COMMON_H
#define SLM_COMMON_H
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "common/options.h"
#include "common/progress.h"
#include "common/text.h"
#include "token_file.h"

enum {
    DONE = 0,
    FAILED = 1,
    USAGE = 2,
    BAD_INPUT = 3,
    NO_MEMORY = 4,
    CHECK_FAILED = 5,
    INTERRUPTED = 130
};

enum { PATH_MOST = 4096 };

/* In the order of slm_criterion and slm_scope. */
static const char *const score_names[] = {"none", "excess", "ref",       "entropy",
                                          "loss", "random", "intersect", "union"};
static const char *const scope_names[] = {"batch", "micro", "sequence"};

/* ---- messages: one line on stderr, whatever bytes a file name or a field may hold; the exit code comes back ---- */
static const char *verb_name = "";

static inline int fail(int code, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *p = text; *p != 0; p++)
        if ((unsigned char)*p < 32 || *p == 127) *p = '?';
    fprintf(stderr, "slm %s: %s\n", verb_name, text);
    return code;
}

/* The library's word as an exit code.  What an I/O error means depends on whose file it was. */
typedef enum file_role { FOR_INPUT, FOR_OUTPUT } file_role;

static inline int status_code(slm_status status, file_role role) {
    switch (status) {
    case SLM_OK: return DONE;
    case SLM_ERR_MEMORY: return NO_MEMORY;
    case SLM_ERR_FORMAT:
    case SLM_ERR_MISMATCH: return BAD_INPUT;
    case SLM_ERR_CANCELLED: return INTERRUPTED;
    default: return role == FOR_INPUT ? BAD_INPUT : FAILED;
    }
}

static inline int fail_status(slm_status status, file_role role, const slm_error *err) {
    return status == SLM_OK ? DONE : fail(status_code(status, role), "%s", err->text);
}

static inline int no_memory(void) {
    return fail(NO_MEMORY, "out of memory");
}

/* ---- interruption: the first signal asks for a clean end, the second one kills ---- */
static volatile sig_atomic_t stop_requested = 0;

static inline void stop_handler(int signal_number) {
    (void)signal_number;
    stop_requested = 1;
}

static inline void catch_signals(void) {
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = stop_handler;
    action.sa_flags = (int)SA_RESETHAND;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    if (sigaction(SIGINT, NULL, &before) != 0 ||
        before.sa_handler != SIG_IGN) /* ignored: a job in the background */
        (void)sigaction(SIGINT, &action, NULL);
}

/* The library's progress callback: shows and passes the stop on. */
typedef struct watch {
    progress bar;
    int begun;
    const char *unit;
} watch;

static inline int watch_callback(void *user, uint64_t done, uint64_t total) {
    watch *w = (watch *)user;
    char speed[32], detail[64] = "";
    double seconds;
    if (!w->begun) {
        w->bar.first = done;
        w->begun = 1;
    }
    seconds = progress_clock() - w->bar.start;
    if (done > w->bar.first && seconds > 0 && w->unit != NULL)
        (void)snprintf(detail, sizeof detail, "%s %s",
                       progress_count(speed, sizeof speed, (double)(done - w->bar.first) / seconds),
                       w->unit);
    progress_show(&w->bar, done, total, detail);
    return stop_requested != 0;
}

static inline void watch_start(watch *w, const char *what, const char *unit, int quiet) {
    memset(w, 0, sizeof *w);
    w->unit = unit;
    progress_start(&w->bar, what, quiet, 0);
    catch_signals();
}

static inline void use_threads(int32_t n) {
#ifdef _OPENMP
    if (n > 0) omp_set_num_threads(n);
#else
    (void)n;
#endif
}

/* ---- paths ---- */
static inline int path_exists(const char *path) {
    struct stat s;
    return stat(path, &s) == 0;
}

static inline int is_folder(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static inline int same_file(const char *a, const char *b) {
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static inline int path_join(char *out, const char *folder, const char *name) {
    int n = snprintf(out, PATH_MOST, "%s/%s", folder, name);
    return n > 0 && n < PATH_MOST ? DONE : fail(USAGE, "%.60s...: the path is too long", folder);
}

static inline int make_folder(const char *path) {
    char copy[PATH_MOST];
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return fail(USAGE, "%.60s...: the path is too long", path);
    for (char *p = copy + 1; copy[0] != 0 && *p != 0; p++) {
        if (*p != '/') continue;
        *p = 0;
        (void)mkdir(copy, 0777); /* it may well be there: the last one tells */
        *p = '/';
    }
    if (mkdir(path, 0777) != 0 && !is_folder(path))
        return fail(FAILED, "%s: cannot make the folder: %s", path, strerror(errno));
    return DONE;
}

/* ---- tokenizers, models, texts ---- */
/* name: "bytes", a tokenizer.json or a folder; NULL: that of the model folder; without one: bytes. */
static inline int load_tokenizer(slm_tokenizer **out, const char *name, const char *folder) {
    slm_error err;
    slm_status status;
    char path[PATH_MOST];
    if (name == NULL && folder != NULL) {
        if (path_join(path, folder, "tokenizer.json") != DONE) return USAGE;
        if (!path_exists(folder)) return fail(BAD_INPUT, "%s: there is no such folder", folder);
        if (!path_exists(path))
            return fail(
                BAD_INPUT,
                "%s: no tokenizer.json in it; say which one with --tokenizer bytes|FILE|FOLDER",
                folder);
        name = folder;
    }
    status = name == NULL || strcmp(name, "bytes") == 0 ? slm_tokenizer_create_bytes(out, &err)
                                                        : slm_tokenizer_load(out, name, &err);
    return fail_status(status, FOR_INPUT, &err);
}

static inline int load_model(slm_model **out, const char *folder) {
    slm_error err;
    if (!path_exists(folder)) return fail(BAD_INPUT, "%s: there is no such folder", folder);
    return fail_status(slm_model_load(out, folder, &err), FOR_INPUT, &err);
}

static inline int check_vocab(const slm_model *model, const char *folder,
                              const slm_tokenizer *tokenizer) {
    if (slm_tokenizer_vocab(tokenizer) <= model->config.vocab) return DONE;
    return fail(BAD_INPUT, "%s: the model knows %d tokens, the tokenizer has %d", folder,
                (int)model->config.vocab, (int)slm_tokenizer_vocab(tokenizer));
}

/* A reference model must read the same tokens: where its folder has a tokenizer, it must be this one. */
static inline int load_reference(slm_model **out, const char *folder,
                                 const slm_tokenizer *tokenizer) {
    char path[PATH_MOST];
    slm_tokenizer *own = NULL;
    int code = load_model(out, folder);
    if (code == DONE) code = check_vocab(*out, folder, tokenizer);
    if (code == DONE) code = path_join(path, folder, "tokenizer.json");
    if (code != DONE || !path_exists(path)) return code;
    if ((code = load_tokenizer(&own, folder, NULL)) != DONE) return code;
    if (slm_tokenizer_hash(own) != slm_tokenizer_hash(tokenizer))
        code = fail(BAD_INPUT, "%s: the reference model was made with another tokenizer", folder);
    slm_tokenizer_free(own);
    return code;
}

/* Windows are as long as the model's context, unless told; not longer than 1024, so that a laptop can follow. */
static inline int32_t default_seq(const slm_model *model) {
    return model->config.max_seq < 1024 ? model->config.max_seq : 1024;
}

/* Joins two corpora: the tokens of b behind those of a, which is replaced. */
static inline slm_status corpus_append(slm_corpus **a, const slm_corpus *b, int32_t vocab,
                                       slm_error *err) {
    size_t n = (*a)->n + b->n,
           bytes = (*a)->bytes != 0 && b->bytes != 0 ? (*a)->bytes + b->bytes : 0;
    int masks = (*a)->masked != NULL || b->masked != NULL;
    int32_t *tokens = (int32_t *)malloc((n > 0 ? n : 1) * sizeof *tokens);
    uint8_t *masked = masks ? (uint8_t *)calloc(n > 0 ? n : 1, 1) : NULL;
    slm_corpus *joined = NULL;
    slm_status status = SLM_ERR_MEMORY;
    if (tokens == NULL || (masks && masked == NULL))
        (void)snprintf(err->text, sizeof err->text, "out of memory: %zu tokens", n);
    else {
        if ((*a)->n > 0) memcpy(tokens, (*a)->tokens, (*a)->n * sizeof *tokens);
        if (b->n > 0) memcpy(tokens + (*a)->n, b->tokens, b->n * sizeof *tokens);
        if ((*a)->masked != NULL) memcpy(masked, (*a)->masked, (*a)->n);
        if (b->masked != NULL) memcpy(masked + (*a)->n, b->masked, b->n);
        status = slm_corpus_create(&joined, tokens, masked, n, vocab, err);
    }
    free(tokens);
    free(masked);
    if (status != SLM_OK) return status;
    joined->bytes = bytes;
    slm_corpus_free(*a);
    *a = joined;
    return SLM_OK;
}

static inline int load_one(slm_corpus **corpus, const slm_tokenizer *tokenizer, const char *path,
                           const char *fields) {
    slm_error err;
    slm_corpus *next = NULL;
    slm_status status = token_file_load(&next, tokenizer, path, fields, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    if (*corpus == NULL) {
        *corpus = next;
        return DONE;
    }
    status = corpus_append(corpus, next, slm_tokenizer_vocab(tokenizer), &err);
    slm_corpus_free(next);
    return fail_status(status, FOR_INPUT, &err);
}

/* All files, one after the other.  "a.txt,b.txt" is two files, unless a file has that very name. */
static inline int load_corpus(slm_corpus **out, const slm_tokenizer *tokenizer,
                              const option_list *files, const char *fields) {
    int code = DONE;
    *out = NULL;
    for (size_t i = 0; i < files->n && code == DONE; i++) {
        const char *p = files->items[i];
        char path[PATH_MOST];
        while (code == DONE) {
            size_t n = path_exists(p) ? strlen(p) : strcspn(p, ",");
            if (n >= sizeof path)
                code = fail(USAGE, "%.60s...: the path is too long", p);
            else {
                memcpy(path, p, n);
                path[n] = 0;
                code = load_one(out, tokenizer, path, fields);
            }
            if (p[n] == 0) break;
            p += n + 1;
        }
    }
    if (code == DONE && (*out)->n < 2)
        code = fail(BAD_INPUT, "%s: %zu tokens, nothing to predict: at least 2 are needed",
                    files->items[0], (*out)->n);
    if (code != DONE) {
        slm_corpus_free(*out);
        *out = NULL;
    } else {
        (*out)->tokenizer_hash = slm_tokenizer_hash(tokenizer);
    }
    return code;
}

static inline int needed(int given, const char *flag, const char *value) {
    return given ? DONE : fail(USAGE, "%s %s is needed (slm %s -h)", flag, value, verb_name);
}

/* A whole stream, for standard input. */
static inline int read_stream(char **out, size_t *size, FILE *f, const char *name) {
    char *bytes = NULL;
    size_t n = 0, room = 0, got = 1;
    while (got > 0) {
        if (room - n < 65536) {
            char *more = (char *)realloc(bytes, room = room * 2 + 65536);
            if (more == NULL) {
                free(bytes);
                return no_memory();
            }
            bytes = more;
        }
        n += got = fread(bytes + n, 1, room - n, f);
    }
    if (ferror(f)) {
        free(bytes);
        return fail(BAD_INPUT, "%s: cannot read", name);
    }
    *out = bytes;
    *size = n;
    return DONE;
}
#endif
