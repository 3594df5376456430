/* Holds the weights of two model folders against each other, for convert.sh; and breaks a folder as
   a converter would that forgets to reorder the rows of queries and keys.
       ./convert same A B       the same bits, and the same configuration
       ./convert near A B       within the step of Q8_0: of 32 numbers, the largest / 127
       ./convert norms A        all tensors have one dtype
       ./convert round A OUT    as BF16
       ./convert twist A OUT    moves row i + D/2 of each head of D beside row i
       ./convert ids A N FILE   the N likeliest tokens after those of the file, which has ids */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <stdio.h>

static slm_error err;

static int require(slm_status status) {
    if (status == SLM_OK) return 1;
    printf("%s\n", err.text);
    return 0;
}

static slm_model *load(const char *folder) {
    slm_model *model = NULL;
    return require(slm_model_load(&model, folder, &err)) ? model : NULL;
}

static int same(const slm_model *a, const slm_model *b) {
    if (memcmp(&a->config, &b->config, sizeof a->config) != 0) {
        printf("another configuration\n");
        return 1;
    }
    for (size_t i = 0; i < a->n_tensors; i++) {
        const slm_param *p = &a->table[i];
        size_t size = p->rows * p->cols * sizeof(slm_real);
        if (memcmp(a->params + p->offset, b->params + p->offset, size) == 0) continue;
        printf("%s differs\n", p->name);
        return 1;
    }
    return 0;
}

/* A scale is stored as F16, so that it is off by up to 2^-11 of itself, 127 times at most. */
static int near(const slm_model *a, const slm_model *b) {
    double worst = 0;
    for (size_t i = 0; i < a->n_tensors; i++) {
        const slm_param *p = &a->table[i];
        size_t n = p->rows * p->cols;
        size_t block = p->decay ? 32 : 1;
        for (size_t first = 0; first < n; first += block) {
            double largest = 0;
            double difference = 0;
            for (size_t k = first; k < first + block && k < n; k++) {
                double x = (double)a->params[p->offset + k];
                double d = fabs((double)b->params[p->offset + k] - x);
                if (fabs(x) > largest) largest = fabs(x);
                if (!(d <= difference)) difference = d;
            }
            double allowed = p->decay ? largest / 127 * (0.5 + 127.0 / 2048) : 0;
            if (!(difference <= allowed)) {
                printf("%s: off by %g, allowed %g\n", p->name, difference, allowed);
                return 1;
            }
            if (largest > 0 && difference / largest > worst) worst = difference / largest;
        }
    }
    printf("off by at most %g of the largest of 32\n", worst);
    return !(worst > 0);
}

static int norms(const char *folder) {
    slm_safetensors *all;
    int other = 0;
    if (!require(slm_safetensors_open_folder(&all, folder, &err))) return 1;
    slm_dtype dtype = slm_safetensors_find(all, "model.embed_tokens.weight")->dtype;
    for (size_t i = 0; i < slm_safetensors_count(all); i++)
        other += slm_safetensors_at(all, i)->dtype != dtype;
    slm_safetensors_close(all);
    return other != 0;
}

static void twist_heads(slm_real *rows, size_t heads, size_t head_dim, size_t cols) {
    slm_real *copy = (slm_real *)malloc(head_dim * cols * sizeof *copy);
    for (size_t h = 0; h < heads; h++) {
        memcpy(copy, rows, head_dim * cols * sizeof *copy);
        for (size_t i = 0; i < head_dim; i++) {
            size_t to = i % 2 * (head_dim / 2) + i / 2;
            memcpy(rows + to * cols, copy + i * cols, cols * sizeof *copy);
        }
        rows += head_dim * cols;
    }
    free(copy);
}

static int twist(slm_model *m, const char *out) {
    const slm_model_config *c = &m->config;
    for (size_t i = 0; i < m->n_tensors; i++) {
        const slm_param *p = &m->table[i];
        int is_query = strstr(p->name, "q_proj") != NULL;
        if (!is_query && strstr(p->name, "k_proj") == NULL) continue;
        size_t heads = (size_t)(is_query ? c->n_heads : c->n_kv_heads);
        twist_heads(m->params + p->offset, heads, (size_t)c->head_dim, p->cols);
    }
    return !require(slm_model_save(m, out, NULL, SLM_DTYPE_NATIVE, &err));
}

static int likeliest(const slm_model *m, int n, const char *path) {
    slm_generator *g;
    slm_choice best = {0, 0};
    const slm_real *logits;
    FILE *f = fopen(path, "r");
    int32_t max = 4096;
    int id;
    if (f == NULL || !require(slm_generator_create(&g, m, max, &err))) return 1;
    while (fscanf(f, "%d", &id) == 1)
        if (!require(slm_generator_push(&logits, g, id, &err))) return 1;
    (void)fclose(f);
    for (int i = 0; i < n; i++) {
        if (!require(slm_likeliest_tokens(&best, logits, m->config.vocab, 1, &err))) return 1;
        printf("%d\n", (int)best.token);
        if (!require(slm_generator_push(&logits, g, best.token, &err))) return 1;
    }
    slm_generator_free(g);
    return 0;
}

/* What needs one model, or two. */
static int with_one(const char *what, slm_model *a, char **arguments) {
    if (strcmp(what, "twist") == 0) return twist(a, arguments[0]);
    if (strcmp(what, "ids") == 0) return likeliest(a, atoi(arguments[0]), arguments[1]);
    return !require(slm_model_save(a, arguments[0], NULL, SLM_DTYPE_BF16, &err));
}

static int with_two(const char *what, const slm_model *a, const char *folder) {
    slm_model *b = load(folder);
    if (b == NULL) return 1;
    int code = strcmp(what, "same") == 0 ? same(a, b) : near(a, b);
    slm_model_free(b);
    return code;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "norms") == 0) return norms(argv[2]);
    if (argc < 4) return 2;
    slm_model *a = load(argv[2]);
    if (a == NULL) return 1;
    const int compares = strcmp(argv[1], "same") == 0 || strcmp(argv[1], "near") == 0;
    int code = compares ? with_two(argv[1], a, argv[3]) : with_one(argv[1], a, argv + 3);
    slm_model_free(a);
    return code;
}
