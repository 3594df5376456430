/* The forward pass, by windows and token by token, against a plain one in double that is written
   here, for every kind of rotary scaling, shared heads, tied heads; against numbers of a third
   program; the window of Mistral; what belongs to the hash.
   cc -I. -Itests/support tests/unit/model.c -lm && ./a.out */
#include "check.h"
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "naive.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { V = 11, C = 8, LAYERS = 2, D = 6, F = 10, T = 9, HEADS_MAX = 4, THETA = 100 };

static const slm_rope_scaling scalings[] = {{SLM_ROPE_PLAIN, 0, 0, 0, 0},
                                            {SLM_ROPE_LINEAR, 4, 0, 0, 0},
                                            {SLM_ROPE_LLAMA3, 8, 1, 4, 16}};
static const char *const names[] = {"plain", "linear", "llama3"};

static int32_t token_at(size_t t) {
    return (int32_t)((7 * t + 3) % V);
}

/* Weights that another program can make, too. */
static slm_model *model_of(const slm_rope_scaling *scaling, int32_t n_kv_heads, int32_t tied) {
    slm_model_config c;
    slm_model *model;
    slm_error err;

    memset(&c, 0, sizeof c);
    c.vocab = V;
    c.dim = C;
    c.n_layers = LAYERS;
    c.n_heads = HEADS_MAX;
    c.n_kv_heads = n_kv_heads;
    c.head_dim = D;
    c.ffn = F;
    c.rope_theta = THETA;
    c.norm_eps = 1e-5;
    c.tie_embeddings = tied;
    c.rope_scaling = *scaling;
    if (slm_model_create(&model, &c, 1, &err) != SLM_OK) {
        printf("%s\n", err.text);
        exit(1);
    }
    for (size_t k = 0; k < model->n_tensors; k++) {
        const slm_param *p = &model->table[k];

        for (size_t i = 0; i < p->rows * p->cols; i++) {
            double w = sin(1.0 + (double)k * 2.5 + (double)i * 0.37) * 0.6;
            model->params[p->offset + i] = (slm_real)(p->decay ? w : 1 + 0.5 * w);
        }
    }
    return model;
}

/* ---- the plain twin: one function a formula ---- */

/* By wave lengths, as transformers has it; slm.h counts turns. */
static double twin_frequency(const slm_model_config *c, size_t i) {
    const slm_rope_scaling *r = &c->rope_scaling;
    const double pi = acos(-1.0);
    double f = 1 / pow(c->rope_theta, 2 * (double)i / c->head_dim);
    double wave = 2 * pi / f;
    double smooth;

    if (r->type == SLM_ROPE_PLAIN) return f;
    if (r->type == SLM_ROPE_LINEAR) return f / r->factor;
    if (wave < r->original_seq / r->high_freq_factor) return f;
    if (wave > r->original_seq / r->low_freq_factor) return f / r->factor;
    smooth = (r->original_seq / wave - r->low_freq_factor) /
             (r->high_freq_factor - r->low_freq_factor);
    return (1 - smooth) * f / r->factor + smooth * f;
}

static void twin_rotate(const slm_model_config *c, double *head, size_t position) {
    for (size_t i = 0; i < D / 2; i++) {
        double angle = (double)position * twin_frequency(c, i);
        double a = head[i];
        double b = head[i + D / 2];

        head[i] = a * cos(angle) - b * sin(angle);
        head[i + D / 2] = b * cos(angle) + a * sin(angle);
    }
}

/* y = W x, where W is the tensor of that name in the layer, or outside all of them. */
static void twin_product(double *y, const slm_model *m, size_t tensor, const double *x) {
    const slm_param *p = &m->table[tensor];

    for (size_t r = 0; r < p->rows; r++) {
        y[r] = 0;
        for (size_t k = 0; k < p->cols; k++)
            y[r] += (double)m->params[p->offset + r * p->cols + k] * x[k];
    }
}

static void twin_norm(double *y, const slm_model *m, size_t tensor, const double *x) {
    double sum = 0;

    for (size_t k = 0; k < C; k++)
        sum += x[k] * x[k];
    for (size_t k = 0; k < C; k++)
        y[k] = x[k] / sqrt(sum / C + m->config.norm_eps) *
               (double)m->params[m->table[tensor].offset + k];
}

/* What the tokens before have left: keys and values of each layer. */
static double twin_keys[LAYERS][T][HEADS_MAX * D];
static double twin_values[LAYERS][T][HEADS_MAX * D];

static void twin_attend(double *y, const double *q, size_t layer, size_t position, size_t shared) {
    double weight[T];
    double sum = 0;

    for (size_t j = 0; j <= position; j++) {
        double score = 0;
        for (size_t i = 0; i < D; i++)
            score += q[i] * twin_keys[layer][j][shared * D + i];
        weight[j] = exp(score / sqrt((double)D));
        sum += weight[j];
    }
    for (size_t i = 0; i < D; i++) {
        y[i] = 0;
        for (size_t j = 0; j <= position; j++)
            y[i] += weight[j] / sum * twin_values[layer][j][shared * D + i];
    }
}

static void twin_layer(double *x, const slm_model *m, size_t layer, size_t position) {
    const slm_model_config *c = &m->config;
    size_t first = 1 + 9 * layer; /* norm, q, k, v, o, norm, gate, up, down */
    size_t n_shared = (size_t)(c->n_heads / c->n_kv_heads);
    double normed[C], q[HEADS_MAX * D], attended[HEADS_MAX * D], change[C], gate[F], up[F];
    double *keys = twin_keys[layer][position];

    twin_norm(normed, m, first, x);
    twin_product(q, m, first + 1, normed);
    twin_product(keys, m, first + 2, normed);
    twin_product(twin_values[layer][position], m, first + 3, normed);
    for (size_t h = 0; h < (size_t)c->n_kv_heads; h++)
        twin_rotate(c, keys + h * D, position);
    for (size_t h = 0; h < (size_t)c->n_heads; h++) {
        twin_rotate(c, q + h * D, position);
        twin_attend(attended + h * D, q + h * D, layer, position, h / n_shared);
    }
    twin_product(change, m, first + 4, attended);
    for (size_t k = 0; k < C; k++)
        x[k] += change[k];

    twin_norm(normed, m, first + 5, x);
    twin_product(gate, m, first + 6, normed);
    twin_product(up, m, first + 7, normed);
    for (size_t k = 0; k < F; k++)
        gate[k] *= naive_sigmoid(gate[k]) * up[k];
    twin_product(change, m, first + 8, gate);
    for (size_t k = 0; k < C; k++)
        x[k] += change[k];
}

/* logits (T, V) of the tokens token_at(0..T-1). */
static void twin_forward(double logits[T][V], const slm_model *m) {
    for (size_t t = 0; t < T; t++) {
        double x[C], normed[C];
        size_t head = m->config.tie_embeddings ? 0 : 2 + 9 * LAYERS;

        for (size_t k = 0; k < C; k++)
            x[k] = (double)m->params[(size_t)token_at(t) * C + k];
        for (size_t layer = 0; layer < LAYERS; layer++)
            twin_layer(x, m, layer, t);
        twin_norm(normed, m, 1 + 9 * LAYERS, x);
        twin_product(logits[t], m, head, normed);
    }
}

/* ---- slm.h ---- */
static int near(double a, double b) {
    return fabs(a - b) <= 128 * NAIVE_EPS * (1 + fabs(b));
}

/* The logits by windows: two of them, so that the second begins at position 0 again. */
static void check_windows(const slm_model *m, double expected[T][V], const char *name) {
    slm_tape *tape;
    slm_batch *batch;
    slm_error err;

    CHECK_OK(slm_tape_create(&tape, &err), err);
    CHECK_OK(slm_batch_create(&batch, 2, T, &err), err);
    for (size_t i = 0; i < 2 * T; i++)
        batch->inputs[i] = token_at(i % T);

    slm_tensor *head;
    slm_tensor *hidden = slm_model_forward(&head, tape, m, batch, NULL);
    slm_tensor *logits = slm_linear(tape, hidden, head, NULL);
    CHECK_OK(slm_tape_status(tape, &err), err);
    for (size_t i = 0; logits != NULL && i < 2 * T; i++)
        for (size_t v = 0; v < V; v++)
            CHECK(near((double)logits->data[i * V + v], expected[i % T][v]),
                  "%s: row %zu, logit %zu is %.9g, not %.9g", name, i, v,
                  (double)logits->data[i * V + v], expected[i % T][v]);
    slm_batch_free(batch);
    slm_tape_free(tape);
}

static void check_generator(const slm_model *m, double expected[T][V], const char *name) {
    slm_generator *g;
    slm_error err;

    CHECK_OK(slm_generator_create(&g, m, T, &err), err);
    for (size_t t = 0; t < T; t++) {
        const slm_real *logits;

        CHECK_OK(slm_generator_push(&logits, g, token_at(t), &err), err);
        for (size_t v = 0; logits != NULL && v < V; v++)
            CHECK(near((double)logits[v], expected[t][v]),
                  "%s: token %zu, logit %zu is %.9g, not %.9g", name, t, v, (double)logits[v],
                  expected[t][v]);
    }
    slm_generator_free(g);
}

static void same_as_twin(void) {
    for (size_t i = 0; i < COUNT(scalings); i++) {
        for (int32_t kv = 1; kv <= HEADS_MAX; kv *= 2) {
            slm_model *m = model_of(&scalings[i], kv, kv == 1);
            double expected[T][V];

            twin_forward(expected, m);
            check_windows(m, expected, names[i]);
            check_generator(m, expected, names[i]);
            slm_model_free(m);
        }
    }
}

/* The last logits of the model with two heads of keys, by a program in Python that shares nothing
   with slm.h or the twin. */
static void same_as_numbers(void) {
    static const double last[COUNT(scalings)][V] = {
        {0.505096175567, -0.611535128233, 0.697863519534, -0.761242408041, 0.799587555308,
         -0.811637966826, 0.796997360309, -0.756147197574, 0.6904308515, -0.6020094287,
         0.493790700727},
        {0.589868820271, -0.62302512768, 0.635693020797, -0.627455911219, 0.598584679374,
         -0.550028766518, 0.483384952002, -0.400844842587, 0.305122800634, -0.199366681287,
         0.0870543140762},
        {0.453958590592, -0.465705742758, 0.462137987431, -0.443372651579, 0.410026840289,
         -0.363197143034, 0.304423571919, -0.235638917808, 0.159105189771, -0.0773392280751,
         -0.00697006305607}};

    for (size_t i = 0; i < COUNT(scalings); i++) {
        slm_model *m = model_of(&scalings[i], 2, 0);
        double logits[T][V];

        twin_forward(logits, m);
        /* The weights are of slm_real, and the numbers have 12 digits. */
        for (size_t v = 0; v < V; v++)
            CHECK(fabs(logits[T - 1][v] - last[i][v]) <= 128 * NAIVE_EPS + 1e-11,
                  "%s: logit %zu is %.12g, not %.12g", names[i], v, logits[T - 1][v], last[i][v]);
        slm_model_free(m);
    }
}

/* Frequencies of Llama-3.1 (heads of 128, factor 8) and 3.2 (64, 32), by the same program: among
   them the first and the last that are between high and low, and those beside them. */
static void real_frequencies(void) {
    static const struct {
        int32_t head_dim;
        double factor;
        size_t i;
        double frequency;
    } cases[] = {{128, 8, 0, 1.0},
                 {128, 8, 28, 0.0032114459947525913},
                 {128, 8, 29, 0.002166570763503359},
                 {128, 8, 30, 0.0013718935677611381},
                 {128, 8, 32, 0.0005248461609929547},
                 {128, 8, 34, 0.00017850781276799638},
                 {128, 8, 35, 9.556212353964683e-05},
                 {128, 8, 36, 7.78465527393245e-05},
                 {128, 8, 63, 3.068925988914511e-07},
                 {64, 32, 14, 0.0032114459947525913},
                 {64, 32, 15, 0.001290547928209264},
                 {64, 32, 16, 0.00042955679655936815},
                 {64, 32, 17, 9.70828780262767e-05},
                 {64, 32, 31, 9.418306725434909e-08}};

    for (size_t k = 0; k < COUNT(cases); k++) {
        slm_rope_scaling r = {SLM_ROPE_LLAMA3, cases[k].factor, 1, 4, 8192};
        double f = slm_rope_frequency(cases[k].i, cases[k].head_dim, 500000, &r);

        CHECK(fabs(f / cases[k].frequency - 1) < 1e-12, "head_dim %d, pair %zu: %.17g, not %.17g",
              (int)cases[k].head_dim, cases[k].i, f, cases[k].frequency);
    }
}

/* ---- Mistral ---- */
static void sliding_window(void) {
    slm_model *m = model_of(&scalings[0], 2, 0);
    slm_tape *tape;
    slm_batch *batch;
    slm_tensor *head;
    slm_generator *g;
    double expected[T][V];
    slm_error err;

    twin_forward(expected, m);
    m->config.sliding_window = T;
    check_windows(m, expected, "a window as long as the sliding one");
    check_generator(m, expected, "as many tokens as the sliding window has");

    m->config.sliding_window = T - 1;
    CHECK_OK(slm_tape_create(&tape, &err), err);
    CHECK_OK(slm_batch_create(&batch, 1, T, &err), err);
    CHECK(slm_model_forward(&head, tape, m, batch, NULL) == NULL &&
              slm_tape_status(tape, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "windows of 9") != NULL && strstr(err.text, "of 8") != NULL,
          "a longer window: %s", err.text);
    CHECK(slm_generator_create(&g, m, T, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "sliding window of 8") != NULL,
          "more tokens: %s", err.text);
    CHECK_OK(slm_generator_create(&g, m, T - 1, &err), err);
    slm_generator_free(g);
    slm_batch_free(batch);
    slm_tape_free(tape);
    slm_model_free(m);
}

/* ---- configuration ---- */
static void hash(void) {
    slm_model *m = model_of(&scalings[2], 2, 0);
    slm_rope_scaling *r = &m->config.rope_scaling;
    uint64_t before = slm_model_hash(m);

#define OTHER(field, value)                                                                        \
    do {                                                                                           \
        slm_rope_scaling kept = *r;                                                                \
        r->field = value;                                                                          \
        CHECK(slm_model_hash(m) != before, "the hash is the same with another %s", #field);        \
        *r = kept;                                                                                 \
        CHECK(slm_model_hash(m) == before, "the hash is another one");                             \
    } while (0)
    OTHER(type, SLM_ROPE_PLAIN);
    OTHER(type, SLM_ROPE_LINEAR);
    OTHER(factor, 7);
    OTHER(low_freq_factor, 2);
    OTHER(high_freq_factor, 5);
    OTHER(original_seq, 17);
    slm_model_free(m);
}

static void refused(void) {
    static const struct {
        slm_rope_scaling scaling;
        const char *says;
    } bad[] = {{{(slm_rope_type)7, 2, 1, 4, 16}, "no type 7"},
               {{SLM_ROPE_LINEAR, 0, 0, 0, 0}, "factor is 0"},
               {{SLM_ROPE_LINEAR, 0.5, 0, 0, 0}, "factor is 0.5"},
               {{SLM_ROPE_LINEAR, (double)NAN, 0, 0, 0}, "factor is"},
               {{SLM_ROPE_LLAMA3, 8, 0, 4, 16}, "low_freq_factor is 0"},
               {{SLM_ROPE_LLAMA3, 8, 4, 4, 16}, "low_freq_factor is 4"},
               {{SLM_ROPE_LLAMA3, 8, 1, (double)NAN, 16}, "high_freq_factor"},
               {{SLM_ROPE_LLAMA3, 8, 1, 4, 0}, "original_seq is 0"}};
    slm_model *m = model_of(&scalings[0], 2, 0);
    slm_error err;

    for (size_t i = 0; i < COUNT(bad); i++) {
        slm_model_config c = m->config;

        c.rope_scaling = bad[i].scaling;
        err.text[0] = 0;
        CHECK(slm_model_config_check(&c, &err) == SLM_ERR_ARGUMENT &&
                  strstr(err.text, bad[i].says) != NULL,
              "%s: %s", bad[i].says, err.text);
    }
    slm_model_config least = m->config;
    least.rope_scaling = (slm_rope_scaling){SLM_ROPE_LLAMA3, 1, 1, 4, 1};
    CHECK(slm_model_config_check(&least, &err) == SLM_OK, "the least is allowed: %s", err.text);
    m->config.sliding_window = -1;
    CHECK(slm_model_config_check(&m->config, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "sliding_window is -1") != NULL,
          "%s", err.text);
    slm_model_free(m);
}

int main(void) {
    same_as_twin();
    same_as_numbers();
    real_frequencies();
    sliding_window();
    hash();
    refused();
    return check_end();
}
