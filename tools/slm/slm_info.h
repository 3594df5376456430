/* slm_info.h: the verb `info`: what a file or folder holds.  Each kind fills the same list of names and values, which is printed as lines
   or as JSON. */
#ifndef SLM_INFO_H
#define SLM_INFO_H
#include "npy.h"
#include "slm_common.h"

/* ---- the list ---- */
typedef struct info {
    int json, n;
} info;

static inline void info_name(info *in, const char *name) {
    if (in->json) {
        fputs(in->n > 0 ? ", " : "{", stdout);
        escape_json(stdout, name);
        fputs(": ", stdout);
    } else
        printf("%-24s", name);
    in->n++;
}

static inline void info_text(info *in, const char *name, const char *value) {
    info_name(in, name);
    if (in->json)
        escape_json(stdout, value);
    else {
        escape_terminal(stdout, value, strlen(value));
        putchar('\n');
    }
}

static inline void info_whole(info *in, const char *name, uint64_t value) {
    info_name(in, name);
    printf("%llu%s", (unsigned long long)value, in->json ? "" : "\n");
}

static inline void info_real(info *in, const char *name, double value) {
    info_name(in, name);
    if (in->json && !isfinite(value))
        fputs("null", stdout);
    else
        printf("%.*g%s", in->json ? 17 : 7, value, in->json ? "" : "\n");
}

static inline void info_hash(info *in, const char *name, uint64_t value) {
    char text[24];
    (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
    info_text(in, name, text);
}

static inline void info_end(info *in) {
    if (in->json) puts(in->n > 0 ? "}" : "{}");
}

/* ---- models and tokenizers ---- */
static inline int info_tokenizer(info *in, const char *path, int alone) {
    slm_error err;
    slm_tokenizer *t = NULL;
    slm_status status = slm_tokenizer_load(&t, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    if (alone) info_text(in, "kind", "tokenizer");
    info_whole(in, "tokenizer_vocab", (uint64_t)slm_tokenizer_vocab(t));
    info_hash(in, "tokenizer_hash", slm_tokenizer_hash(t));
    slm_tokenizer_free(t);
    return DONE;
}

static inline void info_config(info *in, const slm_model *m) {
    const slm_model_config *c = &m->config;

    const struct {
        const char *name;
        int32_t value;
    } whole[] = {{"vocab", c->vocab},
                 {"dim", c->dim},
                 {"layers", c->n_layers},
                 {"heads", c->n_heads},
                 {"kv_heads", c->n_kv_heads},
                 {"head_dim", c->head_dim},
                 {"ffn", c->ffn},
                 {"context", c->max_seq},
                 {"tied", c->tie_embeddings}};

    for (size_t i = 0; i < COUNT(whole); i++)
        info_whole(in, whole[i].name, (uint64_t)whole[i].value);
    info_real(in, "theta", c->rope_theta);
    info_real(in, "eps", c->norm_eps);
    info_whole(in, "parameters", m->n_params);
    info_hash(in, "model_hash", slm_model_hash(m));
}

static inline int info_folder(info *in, const char *path) {
    slm_error err;
    slm_model *model = NULL;
    char name[PATH_MOST];
    slm_status status;
    int code = path_join(name, path, "config.json");
    if (code != DONE) return code;
    if (!path_exists(name))
        return fail(BAD_INPUT, "%s: a folder without config.json: no model", path);
    if ((status = slm_model_load(&model, path, &err)) != SLM_OK)
        return fail_status(status, FOR_INPUT, &err);
    info_text(in, "kind", "model folder");
    info_config(in, model);
    slm_model_free(model);
    if ((code = path_join(name, path, "tokenizer.json")) != DONE) return code;
    if (path_exists(name) && (code = info_tokenizer(in, path, 0)) != DONE) return code;
    if ((code = path_join(name, path, "state.safetensors")) == DONE && path_exists(name))
        info_text(in, "run", "state.safetensors");
    return code;
}

/* ---- safetensors, a run's state among them ---- */
static inline void info_tensors(info *in, const slm_safetensors *file) {
    for (size_t i = 0; i < slm_safetensors_count(file); i++) {
        const slm_safetensors_entry *t = slm_safetensors_at(file, i);
        const char *dtype = slm_dtype_name(t->dtype);
        if (in->json) {
            fputs(i > 0 ? ", {\"name\": " : "{\"name\": ", stdout);
            escape_json(stdout, t->name);
            printf(", \"dtype\": \"%s\", \"shape\": [", dtype);
        } else {
            printf("  %-6s (", dtype);
        }
        for (size_t d = 0; d < t->n_dims; d++)
            printf("%s%llu", d > 0 ? ", " : "", (unsigned long long)t->dims[d]);
        if (in->json)
            fputs("]}", stdout);
        else {
            fputs(")  ", stdout);
            escape_terminal(stdout, t->name, strlen(t->name));
            putchar('\n');
        }
    }
}

/* A value of unknown kind: a number as it is, save hashes (sixteen digits); anything else as text. */
static inline void info_value(info *in, const char *name, const char *value) {
    size_t n = strlen(value), at = 0;
    if (strcmp(name, "score") == 0 || strcmp(name, "scope") == 0) {
        int scores = strcmp(name, "score") == 0;
        at = (size_t)strtoull(value, NULL, 10);
        if (at < (scores ? COUNT(score_names) : COUNT(scope_names)))
            value = scores ? score_names[at] : scope_names[at];
        info_text(in, name, value);
    } else if (n == 0 || n == 16 || strspn(value, "0123456789.+-e") != n)
        info_text(in, name, value);
    else {
        info_name(in, name);
        printf("%s%s", value, in->json ? "" : "\n");
    }
}

/* "lr=0.001 ratio=0.6 ..." or "--batch 8\n--seq 256\n...": each name with its value. */
static inline void info_pairs(info *in, const char *text, char between, char end) {
    while (*text != 0) {
        char name[64], value[128];
        size_t n = 0, m = 0;
        for (; *text == '-'; text++) {
        }
        for (; *text != 0 && *text != between && *text != end; text++)
            if (n + 1 < sizeof name) name[n++] = *text;
        if (*text == between) text++;
        for (; *text != 0 && *text != end; text++)
            if (m + 1 < sizeof value) value[m++] = *text;
        if (*text == end) text++;
        name[n] = value[m] = 0;
        if (n > 0) info_value(in, name, value);
    }
}

static inline void info_run(info *in, const slm_safetensors *file) {
    static const char *const keys[] = {"step", "cursor.at", "cursor.seed"};
    const char *settings = slm_safetensors_metadata(file, "settings");
    const char *extra = slm_safetensors_metadata(file, "extra");
    for (size_t i = 0; i < COUNT(keys); i++) {
        const char *value = slm_safetensors_metadata(file, keys[i]);
        if (value != NULL) info_whole(in, keys[i], strtoull(value, NULL, 10));
    }
    if (settings != NULL) info_pairs(in, settings, '=', ' ');
    if (extra != NULL) info_pairs(in, extra, ' ', '\n');
}

static inline void info_means(info *in, const slm_losses *s) {
    double loss = 0, entropy = 0;
    for (size_t i = 0; i < s->n; i++) {
        loss += (double)s->loss[i];
        entropy += (double)s->entropy[i];
    }
    info_real(in, "mean_loss", loss / (double)s->n);
    info_real(in, "mean_entropy", entropy / (double)s->n);
}

static inline int info_scores(info *in, const char *path, const char *dtype) {
    slm_error err;
    slm_losses *s = NULL;
    size_t n = strlen(path);
    slm_status status = slm_losses_load(&s, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    info_text(in, "kind",
              n > 5 && strcmp(path + n - 5, ".part") == 0 ? "score file, unfinished"
              : s->n < s->total                             ? "score file, one shard"
                                                          : "score file");
    info_whole(in, "tokens", s->total);
    info_whole(in, "seq", (uint64_t)s->T);
    info_text(in, "number", strcmp(dtype, "F32") == 0 ? "float" : "double");
    if (s->n < s->total) {
        info_whole(in, "first_window", s->first / (size_t)s->T);
        info_whole(in, "end_window", (s->first + s->n + (size_t)s->T - 1) / (size_t)s->T);
    }
    info_hash(in, "corpus_hash", s->corpus_hash);
    info_hash(in, "tokenizer_hash", s->tokenizer_hash);
    info_hash(in, "model_hash", s->model_hash);
    if (s->n > 0) info_means(in, s);
    slm_losses_free(s);
    return DONE;
}

static inline int info_safetensors(info *in, const char *path) {
    const char *kind;
    int code = DONE;
    slm_error err;
    slm_safetensors *file = NULL;
    slm_status status = slm_safetensors_open(&file, path, &err);
    kind = status == SLM_OK ? slm_safetensors_metadata(file, "slm") : NULL;
    if (status != SLM_OK)
        code = fail_status(status, FOR_INPUT, &err);
    else if (kind != NULL && strcmp(kind, "score file") == 0) {
        const slm_safetensors_entry *first = slm_safetensors_at(file, 0);

        code = info_scores(in, path, first != NULL ? slm_dtype_name(first->dtype) : "");
    } else if (kind != NULL && strcmp(kind, "run") == 0) {
        info_text(in, "kind", "run state");
        info_run(in, file);
        info_whole(in, "tensors", slm_safetensors_count(file));
    } else {
        info_text(in, "kind", "safetensors");
        info_name(in, "tensors");
        if (in->json)
            putchar('[');
        else
            printf("%zu\n", slm_safetensors_count(file));
        info_tensors(in, file);
        if (in->json) putchar(']');
    }
    slm_safetensors_close(file);
    return code;
}

/* ---- which kind it is ---- */
static inline int info_npy(info *in, const char *path) {
    slm_error err;
    npy_header h;
    char *bytes, text[128] = "";
    size_t size, n = 0;
    int bad;
    slm_status status = slm_file_read(&bytes, &size, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    bad = npy_parse(&h, (const unsigned char *)bytes, size);
    slm_free(bytes);
    if (bad)
        return fail(BAD_INPUT, "%s: a .npy file of a kind that slm does not read, or damaged",
                    path);
    for (size_t d = 0; d < h.n_dims; d++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%zu", d > 0 ? ", " : "", h.shape[d]);
    info_text(in, "kind", "NumPy array");
    info_text(in, "dtype", h.dtype);
    info_text(in, "shape", text);
    return DONE;
}

static inline int info_lines(info *in, const char *path, const char *kind) {
    slm_error err;
    char *bytes;
    size_t size, lines = 0;
    slm_status status = slm_file_read(&bytes, &size, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    for (size_t i = 0; i < size; i++)
        lines += bytes[i] == '\n';
    slm_free(bytes);
    info_text(in, "kind", kind);
    info_whole(in, "rows", lines > 0 ? lines - 1 : 0);
    return DONE;
}

static inline int info_path(info *in, const char *path) {
    unsigned char head[64] = {0};
    size_t n, length = strlen(path);
    FILE *f;
    if (is_folder(path)) return info_folder(in, path);
    if ((f = fopen(path, "rb")) == NULL)
        return fail(BAD_INPUT, "%s: cannot open: %s", path, strerror(errno));
    n = fread(head, 1, sizeof head, f);
    (void)fclose(f);
    if (n >= 6 && memcmp(head, "\x93NUMPY", 6) == 0) return info_npy(in, path);
    if (n >= 9 && head[8] == '{' && memcmp(head + 4, "\0\0\0", 4) == 0)
        return info_safetensors(in, path);
    if (n >= 24 && memcmp(head, "step,tokens,loss,", 17) == 0)
        return info_lines(in, path, "log of a run");
    if (n >= 9 && memcmp(head, "{\n  \"slm\"", 9) == 0) {
        info_text(in, "kind", "settings of a run");
        return DONE;
    }
    if (head[0] == '{' && length > 5 && strcmp(path + length - 5, ".json") == 0)
        return info_tokenizer(in, path, 1);
    return fail(
        BAD_INPUT,
        "%s: no model folder, safetensors, score file, tokenizer.json, run state, log or .npy",
        path);
}

static inline int verb_info(int argc, char **argv) {
    static const option_page page = {"info",
                                     "what a file or folder of ours holds",
                                     "info PATH [--json]",
                                     {"slm info run", "slm info noisy.scores --json"},
                                     "Model folders, safetensors, score files, tokenizer.json, run "
                                     "states (state.safetensors), log.csv and .npy.",
                                     1};
    option_list rest = {{NULL}, 0};
    info in = {0, 0};
    option table[] = {OPTION_FLAG("json", &in.json, "the result as JSON")};
    int code = options_parse(&page, table, COUNT(table), &rest, argc, argv);
    if (code != -1) return code;
    if (rest.n == 0) return fail(USAGE, "which file or folder? usage: slm %s", page.usage);
    code = info_path(&in, rest.items[0]);
    if (code == DONE) info_end(&in);
    return code;
}
#endif
