/* convert_weights.c: the tensors of a Llama model under their names, and how they are moved from
 * one file into another. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "slm/convert.h"

enum { ROOM = 1 << 18 /* numbers that are moved at once, unless one row has more */ };

/* ---- the table ---- */
typedef struct layer_weight {
    const char *name, *gguf_name;
} layer_weight;

/* In the order of the places in convert.h. */
static const layer_weight in_layer[WEIGHTS_IN_LAYER] = {
    {"input_layernorm", "attn_norm"},
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
};

size_t weights_count(const slm_model_config *config) {
    size_t outside = config->tie_embeddings ? 2 : 3;
    return outside + (size_t)config->n_layers * WEIGHTS_IN_LAYER;
}

static void name_weight(weight *w, const char *name, const char *gguf_name) {
    (void)snprintf(w->name, sizeof w->name, "%s.weight", name);
    (void)snprintf(w->gguf_name, sizeof w->gguf_name, "%s.weight", gguf_name);
}

static void shape_weight(weight *w, size_t rows, size_t cols) {
    w->rows = rows;
    w->cols = cols;
}

static void make_norm(weight *w, size_t dim) {
    shape_weight(w, 1, dim);
    w->is_norm = 1;
}

static void shape_in_layer(weight *w, const slm_model_config *config, size_t place) {
    size_t dim = (size_t)config->dim;
    size_t ffn = (size_t)config->ffn;
    size_t heads = (size_t)config->n_heads;
    size_t kv_heads = (size_t)config->n_kv_heads;
    size_t head_dim = (size_t)config->head_dim;
    if (place == WEIGHT_QUERY) w->heads = heads;
    if (place == WEIGHT_KEY) w->heads = kv_heads;
    switch (place) {
    case WEIGHT_ATTENTION_NORM:
    case WEIGHT_FFN_NORM:
        make_norm(w, dim);
        break;
    case WEIGHT_QUERY:
        shape_weight(w, heads * head_dim, dim);
        break;
    case WEIGHT_KEY:
    case WEIGHT_VALUE:
        shape_weight(w, kv_heads * head_dim, dim);
        break;
    case WEIGHT_OUTPUT:
        shape_weight(w, dim, heads * head_dim);
        break;
    case WEIGHT_DOWN:
        shape_weight(w, dim, ffn);
        break;
    default: /* gate, up */
        shape_weight(w, ffn, dim);
        break;
    }
}

void weights_at(weight *w, const slm_model_config *config, size_t index) {
    size_t behind_layers = 1 + (size_t)config->n_layers * WEIGHTS_IN_LAYER;
    memset(w, 0, sizeof *w);
    if (index == 0) {
        name_weight(w, "model.embed_tokens", "token_embd");
        shape_weight(w, (size_t)config->vocab, (size_t)config->dim);
    } else if (index == behind_layers) {
        name_weight(w, "model.norm", "output_norm");
        make_norm(w, (size_t)config->dim);
    } else if (index > behind_layers) {
        name_weight(w, "lm_head", "output");
        shape_weight(w, (size_t)config->vocab, (size_t)config->dim);
    } else {
        size_t layer = (index - 1) / WEIGHTS_IN_LAYER;
        size_t place = (index - 1) % WEIGHTS_IN_LAYER;
        char name[48];
        char gguf_name[48];
        (void)snprintf(name, sizeof name, "model.layers.%zu.%s", layer, in_layer[place].name);
        (void)snprintf(gguf_name, sizeof gguf_name, "blk.%zu.%s", layer, in_layer[place].gguf_name);
        name_weight(w, name, gguf_name);
        shape_in_layer(w, config, place);
    }
}

uint64_t weights_numbers(const slm_model_config *config) {
    size_t n = weights_count(config);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        weight w;
        weights_at(&w, config, i);
        sum += (uint64_t)w.rows * w.cols;
    }
    return sum;
}

int32_t longest_context(const slm_model_config *config) {
    int32_t window = config->sliding_window;
    return window > 0 && window < config->max_seq ? window : config->max_seq;
}

/* ---- is the input what its configuration says? ---- */
static int folder_has(const slm_safetensors_entry *entry, const weight *w) {
    if (entry->dtype < SLM_DTYPE_F32 || entry->dtype > SLM_DTYPE_F64) return 0;
    if (entry->n_dims == 2) return entry->dims[0] == w->rows && entry->dims[1] == w->cols;
    return entry->n_dims == 1 && w->is_norm && entry->dims[0] == w->cols;
}

static int file_has(const gguf_tensor *tensor, const weight *w) {
    if (tensor->n_dims == 1) return w->is_norm && tensor->dims[0] == w->cols;
    return tensor->n_dims == 2 && tensor->dims[0] == w->cols && tensor->dims[1] == w->rows;
}

static int check_weight(const conversion *c, const weight *w) {
    const char *name = c->file != NULL ? w->gguf_name : w->name;
    int is_there;
    int is_right = 0;
    if (c->file != NULL) {
        const gguf_tensor *tensor = gguf_find_tensor(c->file, w->gguf_name);
        is_there = tensor != NULL;
        if (is_there) is_right = file_has(tensor, w);
    } else {
        const slm_safetensors_entry *entry = slm_safetensors_find(c->folder, w->name);
        is_there = entry != NULL;
        if (is_there) is_right = folder_has(entry, w);
    }
    if (!is_there) return fail(BAD_INPUT, "%s: the tensor \"%s\" is missing", c->in, name);
    if (is_right) return DONE;
    return fail(BAD_INPUT, "%s: the tensor \"%s\" is not %zu rows of %zu numbers", c->in, name,
                w->rows, w->cols);
}

static int ends_in(const char *text, size_t n, const char *end) {
    size_t m = strlen(end);
    return n >= m && memcmp(text + n - m, end, m) == 0;
}

/* What may lie beside the weights: frequencies of rotary positions, which are in the configuration,
 * or follow from it; and the output head of tied embeddings, once more. */
static int may_be_there(const conversion *c, const char *name, size_t n) {
    static const char head[] = "lm_head.weight";
    if (c->file != NULL) {
        size_t size = sizeof ROPE_DIVISORS - 1;
        return rope_has_divisors(&c->config) && n == size && memcmp(name, ROPE_DIVISORS, n) == 0;
    }
    if (ends_in(name, n, ".rotary_emb.inv_freq")) return 1;
    return c->config.tie_embeddings && n == sizeof head - 1 && memcmp(name, head, n) == 0;
}

/* Returns 1 if the model has a tensor of that name. */
static int is_weight(const conversion *c, const char *name, size_t n) {
    size_t count = weights_count(&c->config);
    for (size_t i = 0; i < count; i++) {
        weight w;
        weights_at(&w, &c->config, i);
        const char *other = c->file != NULL ? w.gguf_name : w.name;
        if (strlen(other) == n && memcmp(other, name, n) == 0) return 1;
    }
    return 0;
}

/* All weights are there.  So, by their number, there is another tensor or there is none. */
static int check_rest(const conversion *c) {
    size_t n = c->file != NULL ? c->file->n_tensors : slm_safetensors_count(c->folder);
    size_t expected = weights_count(&c->config);
    for (size_t i = 0; i < n; i++) {
        const char *name = NULL;
        size_t size = 0;
        if (c->file != NULL) {
            name = c->file->tensors[i].name.bytes;
            size = c->file->tensors[i].name.size;
        } else {
            name = slm_safetensors_at(c->folder, i)->name;
            size = strlen(name);
        }
        if (may_be_there(c, name, size)) {
            expected++;
        } else if (n > expected && !is_weight(c, name, size)) {
            return fail(BAD_INPUT, "%s: the tensor \"%.*s\" does not belong there", c->in,
                        size < 100 ? (int)size : 100, name);
        }
    }
    return DONE;
}

int weights_check(const conversion *c) {
    size_t n = weights_count(&c->config);
    int code = DONE;
    for (size_t i = 0; i < n && code == DONE; i++) {
        weight w;
        weights_at(&w, &c->config, i);
        code = check_weight(c, &w);
    }
    return code == DONE ? check_rest(c) : code;
}

/* ---- types ---- */
number_type weight_type(const conversion *c, const weight *w) {
    if (c->file != NULL) return gguf_find_tensor(c->file, w->gguf_name)->type;
    switch (slm_safetensors_find(c->folder, w->name)->dtype) {
    case SLM_DTYPE_F16: return NUMBER_F16;
    case SLM_DTYPE_BF16: return NUMBER_BF16;
    default: return NUMBER_F32;
    }
}

number_type weight_type_for(const weight *w, number_type wanted) {
    if (w->is_norm) return NUMBER_F32;
    return w->cols % number_block(wanted) == 0 ? wanted : NUMBER_F16;
}

/* ---- moving ---- */
int weights_begin(conversion *c) {
    size_t n = weights_count(&c->config);
    c->room = ROOM;
    for (size_t i = 0; i < n; i++) {
        weight w;
        weights_at(&w, &c->config, i);
        if (w.cols > c->room) c->room = w.cols;
    }
    if (c->room > SIZE_MAX / sizeof(slm_real)) return fail_memory();
    c->numbers = (slm_real *)malloc(c->room * sizeof(slm_real));
    c->bytes = (unsigned char *)malloc((size_t)numbers_size(NUMBER_F32, c->room));
    if (c->numbers == NULL || c->bytes == NULL) return fail_memory();
    c->total = weights_numbers(&c->config);
    watch_start(&c->progress, "converting", "numbers/s", c->quiet);
    return DONE;
}

void weights_end(conversion *c) {
    progress_end(&c->progress.bar);
    free(c->numbers);
    free(c->bytes);
    c->numbers = NULL;
    c->bytes = NULL;
}

static int read_rows(conversion *c, const weight *w, size_t first, size_t n) {
    slm_error err;
    slm_status status;
    uint64_t start = (uint64_t)first * w->cols;
    if (c->file != NULL) {
        const gguf_tensor *tensor = gguf_find_tensor(c->file, w->gguf_name);
        status = gguf_read(c->numbers, c->file, tensor, start, n * w->cols, &err);
    } else {
        status = slm_safetensors_read_part(c->numbers, c->folder, w->name, start, n * w->cols,
                                           &err);
    }
    return fail_status(status, FOR_INPUT, &err);
}

/* Which row of the input is the row of the output. */
static size_t source_row(const weight *w, row_order from, row_order to, size_t row) {
    if (w->heads == 0 || from == to) return row;
    size_t D = w->rows / w->heads;
    size_t head = row / D;
    size_t place = row % D;
    if (to == ROWS_IN_PAIRS) return head * D + place % 2 * (D / 2) + place / 2;
    return head * D + 2 * (place % (D / 2)) + place / (D / 2);
}

static int write_numbers(conversion *c, const weight *w, number_type type, size_t n, FILE *out,
                         const char *path) {
    size_t good = numbers_encode(c->bytes, type, c->numbers, n);
    if (good < n) {
        const char *name = c->file != NULL ? w->gguf_name : w->name;
        double value = (double)c->numbers[good];
        if (!isfinite(value))
            return fail(BAD_INPUT, "%s: the tensor \"%s\" has a number that is not finite", c->in,
                        name);
        return fail(BAD_INPUT, "%s: the tensor \"%s\" has the number %g, which %s cannot hold",
                    c->in, name, value, number_name(type));
    }
    size_t size = (size_t)numbers_size(type, n);
    if (fwrite(c->bytes, 1, size, out) != size) return fail_errno(FAILED, path, "write");
    c->done += n;
    if (watch_callback(&c->progress, c->done, c->total) && c->done < c->total)
        return fail(INTERRUPTED, "interrupted");
    return DONE;
}

int weight_write(conversion *c, const weight *w, number_type type, row_order order, FILE *out,
                 const char *path) {
    row_order from = c->file != NULL ? ROWS_IN_PAIRS : ROWS_IN_HALVES;
    int moves = w->heads > 0 && from != order;
    size_t at_once = moves ? 1 : c->room / w->cols;
    int code = DONE;
    for (size_t row = 0; row < w->rows && code == DONE; row += at_once) {
        size_t n = w->rows - row < at_once ? w->rows - row : at_once;
        code = read_rows(c, w, source_row(w, from, order, row), n);
        if (code == DONE) code = write_numbers(c, w, type, n * w->cols, out, path);
    }
    return code;
}

int weight_is_exact(conversion *c, const weight *w, number_type type, int *exact) {
    int code = read_rows(c, w, 0, 1);
    if (code != DONE) return code;
    *exact = numbers_encode(c->bytes, type, c->numbers, w->cols) == w->cols;
    for (size_t i = 0; i < w->cols && *exact; i++) {
        slm_real back;
        numbers_decode(&back, type, c->bytes + numbers_size(type, i), 1);
        *exact = back >= c->numbers[i] && back <= c->numbers[i];
    }
    return DONE;
}
