/* info.c: the verb `info`: what a file or folder holds.  Each kind fills the same list of names and
 * values, which is printed as lines or as JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/npy.h"
#include "common/options.h"
#include "common/os.h"
#include "common/paths.h"
#include "common/text.h"
#include "slm/convert.h"
#include "slm/names.h"
#include "slm/verbs.h"

/* ---- the list ---- */
enum { NAME_COLUMNS = 24 };

typedef struct info {
    int json;
    size_t n; /* entries so far */
} info;

static void put_name(info *in, const char *name) {
    if (in->json) {
        fputs(in->n > 0 ? ", " : "{", stdout);
        escape_json(stdout, name);
        fputs(": ", stdout);
    } else {
        escape_terminal(stdout, name, strlen(name));
        for (size_t n = strlen(name); n < NAME_COLUMNS; n++)
            putchar(' ');
    }
    in->n++;
}

static void end_value(const info *in) {
    if (!in->json) putchar('\n');
}

static void put_text(info *in, const char *name, const char *value) {
    put_name(in, name);
    if (in->json) {
        escape_json(stdout, value);
    } else {
        escape_terminal(stdout, value, strlen(value));
    }
    end_value(in);
}

static void put_whole(info *in, const char *name, uint64_t value) {
    put_name(in, name);
    printf("%llu", (unsigned long long)value);
    end_value(in);
}

static void put_real(info *in, const char *name, double value) {
    put_name(in, name);
    if (in->json && !isfinite(value)) {
        fputs("null", stdout);
    } else {
        printf("%.*g", in->json ? 17 : 7, value);
    }
    end_value(in);
}

static void put_hash(info *in, const char *name, uint64_t value) {
    char text[24];
    (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
    put_text(in, name, text);
}

static void end_list(const info *in) {
    if (in->json) puts(in->n > 0 ? "}" : "{}");
}

/* ---- models and tokenizers ---- */

/* kind: put first, unless it is NULL. */
static int info_tokenizer(info *in, const char *path, const char *kind) {
    slm_error err;
    slm_tokenizer *tokenizer = NULL;
    slm_status status = slm_tokenizer_load(&tokenizer, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    if (kind != NULL) put_text(in, "kind", kind);
    put_whole(in, "tokenizer_vocab", (uint64_t)slm_tokenizer_vocab(tokenizer));
    put_hash(in, "tokenizer_hash", slm_tokenizer_hash(tokenizer));
    slm_tokenizer_free(tokenizer);
    return DONE;
}

/* A context that is stretched, and a limited one; nothing for a plain model. */
static void put_positions(info *in, const slm_model_config *c) {
    const slm_rope_scaling *r = &c->rope_scaling;
    if (r->type != SLM_ROPE_PLAIN) {
        put_text(in, "rope_type", r->type == SLM_ROPE_LINEAR ? "linear" : "llama3");
        put_real(in, "rope_factor", r->factor);
    }
    if (r->type == SLM_ROPE_LLAMA3) {
        put_real(in, "low_freq_factor", r->low_freq_factor);
        put_real(in, "high_freq_factor", r->high_freq_factor);
        put_whole(in, "original_context", (uint64_t)r->original_seq);
    }
    if (c->sliding_window > 0) put_whole(in, "sliding_window", (uint64_t)c->sliding_window);
}

static void put_config(info *in, const slm_model_config *c) {
    put_whole(in, "vocab", (uint64_t)c->vocab);
    put_whole(in, "dim", (uint64_t)c->dim);
    put_whole(in, "layers", (uint64_t)c->n_layers);
    put_whole(in, "heads", (uint64_t)c->n_heads);
    put_whole(in, "kv_heads", (uint64_t)c->n_kv_heads);
    put_whole(in, "head_dim", (uint64_t)c->head_dim);
    put_whole(in, "ffn", (uint64_t)c->ffn);
    put_whole(in, "context", (uint64_t)c->max_seq);
    put_whole(in, "tied", (uint64_t)c->tie_embeddings);
    put_real(in, "theta", c->rope_theta);
    put_real(in, "eps", c->norm_eps);
    put_positions(in, c);
}

/* The weights are read and checked layer by layer, so that the model need not fit into memory. */
static int info_folder(info *in, const char *path) {
    slm_error err;
    slm_stream *stream = NULL;
    char config[PATH_SIZE];
    char tokenizer[PATH_SIZE];
    char state[PATH_SIZE];
    int code = path_join(config, path, "config.json");
    if (code == DONE) code = path_join(tokenizer, path, "tokenizer.json");
    if (code == DONE) code = path_join(state, path, "state.safetensors");
    if (code != DONE) return code;
    if (!path_exists(config))
        return fail(BAD_INPUT, "%s: a folder without config.json: no model", path);

    slm_status status = slm_stream_open(&stream, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    const slm_model *model = slm_stream_model(stream);
    put_text(in, "kind", "model folder");
    put_config(in, &model->config);
    put_whole(in, "parameters", model->n_params);
    put_hash(in, "model_hash", slm_stream_hash(stream));
    slm_stream_close(stream);
    if (path_exists(tokenizer)) code = info_tokenizer(in, path, NULL);
    if (code == DONE && path_exists(state)) put_text(in, "run", "state.safetensors");
    return code;
}

/* ---- GGUF ---- */

/* The type of all matrices; "mixed" if they differ. */
static const char *matrix_type(const gguf_file *file) {
    const char *name = NULL;
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gguf_tensor *tensor = &file->tensors[i];
        const char *its_name = number_name(tensor->type);
        if (tensor->n_dims < 2) continue;
        if (name != NULL && strcmp(name, its_name) != 0) return "mixed";
        name = its_name;
    }
    return name != NULL ? name : "none";
}

static slm_status put_gguf(info *in, gguf_file *file, slm_error *err) {
    slm_model_config config;
    slm_tokenizer *tokenizer = NULL;
    slm_status status = gguf_config(&config, file, err);
    if (status == SLM_OK) status = gguf_tokenizer(&tokenizer, file, err);
    if (status != SLM_OK) return status;
    put_text(in, "kind", "GGUF file");
    put_config(in, &config);
    put_text(in, "matrices", matrix_type(file));
    put_whole(in, "tensors", file->n_tensors);
    put_whole(in, "tokenizer_vocab", (uint64_t)slm_tokenizer_vocab(tokenizer));
    put_hash(in, "tokenizer_hash", slm_tokenizer_hash(tokenizer));
    slm_tokenizer_free(tokenizer);
    return SLM_OK;
}

static int info_gguf(info *in, const char *path) {
    slm_error err;
    gguf_file *file = NULL;
    slm_status status = gguf_open(&file, os_open(path, "rb"), path, &err);
    if (status == SLM_OK) status = put_gguf(in, file, &err);
    gguf_close(file);
    return fail_status(status, FOR_INPUT, &err);
}

/* ---- the state of a run ---- */

/* Moves *text behind the digits that it begins with; returns how many there are. */
static size_t skip_digits(const char **text) {
    size_t n = strspn(*text, "0123456789");
    *text += n;
    return n;
}

/* Returns 1 if the text is a number as JSON writes it. */
static int is_json_number(const char *text) {
    if (*text == '-') text++;
    int leading_zero = *text == '0';
    size_t n_whole = skip_digits(&text);
    if (n_whole == 0 || (leading_zero && n_whole > 1)) return 0;
    if (*text == '.') {
        text++;
        if (skip_digits(&text) == 0) return 0;
    }
    if (*text == 'e' || *text == 'E') {
        text++;
        if (*text == '+' || *text == '-') text++;
        if (skip_digits(&text) == 0) return 0;
    }
    return *text == '\0';
}

/* A number is written as it is, anything else as text; so are hashes, which have sixteen digits. */
static void put_setting(info *in, const char *name, const char *value) {
    if (strcmp(name, "score") == 0) {
        put_text(in, name, slm_criterion_name((slm_criterion)strtol(value, NULL, 10)));
    } else if (strcmp(name, "scope") == 0) {
        put_text(in, name, scope_name((slm_scope)strtol(value, NULL, 10)));
    } else if (strlen(value) == 16 || !is_json_number(value)) {
        put_text(in, name, value);
    } else {
        put_name(in, name);
        fputs(value, stdout);
        end_value(in);
    }
}

/* Copies up to the first byte of `ends`, as much as there is room for; returns where that is. */
static const char *copy_until(char *out, size_t size, const char *text, const char *ends) {
    size_t length = strcspn(text, ends);
    size_t n = length < size ? length : size - 1;
    memcpy(out, text, n);
    out[n] = 0;
    return text + length;
}

/* Puts each pair of "lr=0.001 ratio=0.6 ..." or of "--batch 8\n--seq 256\n...". */
static void put_pairs(info *in, const char *text, char between, char end) {
    const char ends[] = {between, end, 0};
    const char value_ends[] = {end, 0};
    while (*text != 0) {
        char name[64];
        char value[128];
        text += strspn(text, "-");
        text = copy_until(name, sizeof name, text, ends);
        if (*text == between) text++;
        text = copy_until(value, sizeof value, text, value_ends);
        if (*text == end) text++;
        if (name[0] != 0) put_setting(in, name, value);
    }
}

static void put_run(info *in, const slm_safetensors *file) {
    static const char *const keys[] = {"step", "cursor.at", "cursor.seed"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        const char *value = slm_safetensors_metadata(file, keys[i]);
        if (value != NULL) put_whole(in, keys[i], strtoull(value, NULL, 10));
    }
    const char *settings = slm_safetensors_metadata(file, "settings");
    const char *extra = slm_safetensors_metadata(file, "extra");
    if (settings != NULL) put_pairs(in, settings, '=', ' ');
    if (extra != NULL) put_pairs(in, extra, ' ', '\n');
    put_whole(in, "tensors", slm_safetensors_count(file));
}

/* ---- score files ---- */
static void put_means(info *in, const slm_losses *losses) {
    double loss = 0;
    double entropy = 0;
    for (size_t i = 0; i < losses->n; i++) {
        loss += (double)losses->loss[i];
        entropy += (double)losses->entropy[i];
    }
    put_real(in, "mean_loss", loss / (double)losses->n);
    put_real(in, "mean_entropy", entropy / (double)losses->n);
}

static int ends_in(const char *text, const char *end) {
    size_t n = strlen(text);
    size_t m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

static void put_losses(info *in, const slm_losses *losses, const char *path, slm_dtype dtype) {
    int whole = losses->n == losses->total;
    if (ends_in(path, ".part")) {
        put_text(in, "kind", "score file, unfinished");
    } else {
        put_text(in, "kind", whole ? "score file" : "score file, one shard");
    }
    put_whole(in, "tokens", losses->total);
    put_whole(in, "seq", (uint64_t)losses->T);
    put_text(in, "number", dtype == SLM_DTYPE_F32 ? "float" : "double");
    if (!whole) {
        size_t T = (size_t)losses->T;
        put_whole(in, "first_window", losses->first / T);
        put_whole(in, "end_window", (losses->first + losses->n + T - 1) / T);
    }
    put_hash(in, "corpus_hash", losses->corpus_hash);
    put_hash(in, "tokenizer_hash", losses->tokenizer_hash);
    put_hash(in, "model_hash", losses->model_hash);
    if (losses->n > 0) put_means(in, losses);
}

static int info_scores(info *in, const char *path, const slm_safetensors *file) {
    slm_error err;
    slm_losses *losses = NULL;
    const slm_safetensors_entry *entry = slm_safetensors_find(file, "loss");
    slm_dtype dtype = entry != NULL ? entry->dtype : SLM_DTYPE_NATIVE;
    slm_status status = slm_losses_load(&losses, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    put_losses(in, losses, path, dtype);
    slm_losses_free(losses);
    return DONE;
}

/* ---- safetensors of any kind ---- */
static void print_shape(const slm_safetensors_entry *entry) {
    for (size_t i = 0; i < entry->n_dims; i++)
        printf("%s%llu", i > 0 ? ", " : "", (unsigned long long)entry->dims[i]);
}

static void print_tensor_json(const slm_safetensors_entry *entry) {
    fputs("{\"name\": ", stdout);
    escape_json(stdout, entry->name);
    printf(", \"dtype\": \"%s\", \"shape\": [", slm_dtype_name(entry->dtype));
    print_shape(entry);
    fputs("]}", stdout);
}

static void print_tensor_line(const slm_safetensors_entry *entry) {
    printf("  %-6s (", slm_dtype_name(entry->dtype));
    print_shape(entry);
    fputs(")  ", stdout);
    escape_terminal(stdout, entry->name, strlen(entry->name));
    putchar('\n');
}

static void put_tensors(info *in, const slm_safetensors *file) {
    size_t n = slm_safetensors_count(file);
    put_name(in, "tensors");
    if (in->json) {
        putchar('[');
    } else {
        printf("%zu\n", n);
    }
    for (size_t i = 0; i < n; i++) {
        const slm_safetensors_entry *entry = slm_safetensors_at(file, i);
        if (in->json && i > 0) fputs(", ", stdout);
        if (in->json) {
            print_tensor_json(entry);
        } else {
            print_tensor_line(entry);
        }
    }
    if (in->json) putchar(']');
}

static int info_safetensors(info *in, const char *path) {
    slm_error err;
    slm_safetensors *file;
    int code = DONE;
    slm_status status = slm_safetensors_open(&file, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    const char *kind = slm_safetensors_metadata(file, "slm");
    if (kind == NULL) kind = "";
    if (strcmp(kind, "score file") == 0) {
        code = info_scores(in, path, file);
    } else if (strcmp(kind, "run") == 0) {
        put_text(in, "kind", "run state");
        put_run(in, file);
    } else {
        put_text(in, "kind", "safetensors");
        put_tensors(in, file);
    }
    slm_safetensors_close(file);
    return code;
}

/* ---- other files ---- */
static int info_npy(info *in, const char *path) {
    slm_error err;
    npy_header h;
    char *bytes;
    char shape[128] = "";
    size_t size;
    size_t n = 0;
    slm_status status = slm_file_read(&bytes, &size, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    int readable = npy_parse(&h, (const unsigned char *)bytes, size);
    slm_free(bytes);
    if (!readable) return fail(BAD_INPUT, "%s: not a readable .npy file: %s", path, h.fault);
    for (size_t i = 0; i < h.n_dims; i++) {
        const char *gap = i > 0 ? ", " : "";
        n += (size_t)snprintf(shape + n, sizeof shape - n, "%s%zu", gap, h.shape[i]);
    }
    put_text(in, "kind", "NumPy array");
    put_text(in, "dtype", h.dtype);
    put_text(in, "shape", shape);
    return DONE;
}

static int info_log(info *in, const char *path) {
    slm_error err;
    char *bytes;
    size_t size;
    size_t n_lines = 0;
    slm_status status = slm_file_read(&bytes, &size, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') n_lines++;
    }
    slm_free(bytes);
    put_text(in, "kind", "log of a run");
    put_whole(in, "rows", n_lines > 0 ? n_lines - 1 : 0);
    return DONE;
}

/* ---- which kind it is ---- */
static int begins_with(const unsigned char *head, size_t n, const char *text) {
    size_t size = strlen(text);
    return n >= size && memcmp(head, text, size) == 0;
}

/* The header's length, below 4 GiB, in eight bytes, and what JSON may begin with.  Whether it is
 * one is for slm_safetensors_open to say, as for every other verb. */
static int is_safetensors(const unsigned char *head, size_t n) {
    if (n < 9 || memcmp(head + 4, "\0\0\0", 4) != 0) return 0;
    return head[8] != 0 && strchr("{ \t\r\n", head[8]) != NULL;
}

static int info_path(info *in, const char *path) {
    unsigned char head[64] = {0};
    if (is_folder(path)) return info_folder(in, path);
    FILE *f = os_open(path, "rb");
    if (f == NULL) return fail_errno(BAD_INPUT, path, "open");
    size_t n = fread(head, 1, sizeof head, f);
    (void)fclose(f);

    if (begins_with(head, n, "\x93NUMPY")) return info_npy(in, path);
    if (begins_with(head, n, "GGUF")) return info_gguf(in, path);
    if (is_safetensors(head, n)) return info_safetensors(in, path);
    if (begins_with(head, n, "step,tokens,loss,")) return info_log(in, path);
    if (begins_with(head, n, "{\n  \"slm\"")) {
        put_text(in, "kind", "settings of a run");
        return DONE;
    }
    if (head[0] == '{' && ends_in(path, ".json")) return info_tokenizer(in, path, "tokenizer");
    return fail(BAD_INPUT,
                "%s: not a model folder, safetensors, score file, tokenizer.json, run state, "
                "log.csv, run.json, .npy or .gguf",
                path);
}

/* The program itself. */
static int info_program(info *in) {
    put_text(in, "kind", "this program");
    put_text(in, "version", SLM_VERSION);
    put_text(in, "number type", sizeof(slm_real) == sizeof(float) ? "float" : "double");
    put_whole(in, "threads", (uint64_t)threads_in_use());
#ifdef _OPENMP
    put_text(in, "threads by", "OpenMP");
#else
    put_text(in, "threads by", "nothing: compiled without OpenMP");
#endif
    return DONE;
}

int verb_info(int argc, char **argv) {
    static const option_page page = {
        "info",
        "what a model folder, score file, tokenizer or log holds",
        "info [PATH] [--json]",
        {"slm info run", "slm info noisy.scores --json"},
        "Model folders, safetensors, score files, tokenizer.json, run states (state.safetensors),\n"
        "log.csv, run.json and .npy.  Without PATH: the program, and how many threads are in use.",
        1};
    option_list rest = {{NULL}, 0};
    info in = {0, 0};
    option table[] = {OPTION_FLAG("json", &in.json, "the result as JSON")};
    int code = options_parse(&page, table, COUNT(table), &rest, argc, argv);
    if (code != OPTIONS_PARSED) return code;
    code = rest.n == 0 ? info_program(&in) : info_path(&in, rest.items[0]);
    if (code == DONE) end_list(&in);
    return code;
}
