/* Reads the two files of llama2.c as its own program does, by a forward pass of its own in double:
       ./llama2c ids TOKENIZER TEXT           the ids of the text, one a line, without BOS
       ./llama2c loss MODEL IDS               the mean loss of ids 1 .. n-1, given those before
   It shares no code with slm.h. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char *read_file(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    unsigned char *bytes = (unsigned char *)malloc(1u << 26);
    if (f == NULL || bytes == NULL) {
        printf("%s: cannot be read\n", path);
        exit(1);
    }
    *size = fread(bytes, 1, (1u << 26) - 1, f);
    bytes[*size] = 0;
    fclose(f);
    return bytes;
}

static int32_t i32_at(const unsigned char *p) {
    uint32_t u = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return (int32_t)u;
}

static float f32_at(const unsigned char *p) {
    int32_t bits = i32_at(p);
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

/* ---- the tokenizer ---- */
enum { MOST = 200000 };

static const char *piece[MOST];
static int piece_size[MOST];
static float score[MOST];
static int n_pieces;

static void read_tokenizer(const char *path) {
    size_t size;
    size_t at = 4;
    const unsigned char *bytes = read_file(path, &size);
    while (at + 8 <= size && n_pieces < MOST) {
        score[n_pieces] = f32_at(bytes + at);
        piece_size[n_pieces] = i32_at(bytes + at + 4);
        piece[n_pieces] = (const char *)bytes + at + 8;
        at += 8 + (size_t)piece_size[n_pieces++];
    }
    if (at != size) printf("%s: %zu bytes, not %zu\n", path, size, at);
}

static int find(const char *text, int size) {
    for (int id = 0; id < n_pieces; id++)
        if (piece_size[id] == size && memcmp(piece[id], text, (size_t)size) == 0) return id;
    return -1;
}

/* A character that is no token becomes its bytes, which are the tokens from 3 on; then the
   neighbours whose token has the highest score are joined, again and again.  A space is put before
   the text. */
static int encode(int *ids, const char *text, int size) {
    char both[512];
    int n = 0;
    if (size > 0) ids[n++] = find(" ", 1);
    for (int i = 0; i < size;) {
        int length = 1;
        while (i + length < size && length < 4 && ((unsigned char)text[i + length] & 0xC0) == 0x80)
            length++;
        int id = find(text + i, length);
        if (id >= 0) ids[n++] = id;
        for (int k = 0; k < length && id < 0; k++)
            ids[n++] = (unsigned char)text[i + k] + 3;
        i += length;
    }
    for (;;) {
        float best = -1e10f;
        int place = -1;
        int made = -1;
        for (int i = 0; i + 1 < n; i++) {
            int a = piece_size[ids[i]];
            int b = piece_size[ids[i + 1]];
            if (a + b > 512) continue;
            memcpy(both, piece[ids[i]], (size_t)a);
            memcpy(both + a, piece[ids[i + 1]], (size_t)b);
            int id = find(both, a + b);
            if (id < 0 || !(score[id] > best)) continue;
            best = score[id];
            place = i;
            made = id;
        }
        if (place < 0) return n;
        ids[place] = made;
        memmove(ids + place + 1, ids + place + 2, (size_t)(n - place - 2) * sizeof *ids);
        n--;
    }
}

static int print_ids(const char *tokenizer, const char *path) {
    size_t size;
    const char *text = (const char *)read_file(path, &size);
    int *ids = (int *)malloc((2 * size + 2) * sizeof *ids);
    read_tokenizer(tokenizer);
    int n = encode(ids, text, (int)size);
    for (int i = 0; i < n; i++)
        printf("%d\n", ids[i]);
    return 0;
}

/* ---- the model ---- */
static const unsigned char *next; /* the place in its file */

/* The next n numbers. */
static double *take(size_t n) {
    double *x = (double *)calloc(n, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (double)f32_at(next + 4 * i);
    next += 4 * n;
    return x;
}

/* y (rows) = W (rows, cols) x */
static void multiply(double *y, const double *W, const double *x, int rows, int cols) {
    for (int r = 0; r < rows; r++) {
        y[r] = 0;
        for (int c = 0; c < cols; c++)
            y[r] += W[(size_t)r * (size_t)cols + (size_t)c] * x[c];
    }
}

static void norm(double *y, const double *x, const double *g, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i] * x[i];
    for (int i = 0; i < n; i++)
        y[i] = g[i] * x[i] / sqrt(sum / n + 1e-5);
}

/* Turns the pairs (2i, 2i + 1) of each head of D. */
static void rotate(double *x, int n, int D, int position) {
    for (int i = 0; i < n; i += 2) {
        double angle = position * pow(10000, -(double)(i % D) / D);
        double a = x[i];
        double b = x[i + 1];
        x[i] = a * cos(angle) - b * sin(angle);
        x[i + 1] = a * sin(angle) + b * cos(angle);
    }
}

/* Whole numbers of the shape; the weights, of all layers one after the other; and room. */
typedef struct model {
    int C, F, L, H, KV, V, T; /* as in the file: dim, ffn, layers, heads, kv heads, ... */
    int D, K;                 /* of one head; of all heads of keys */
    double *embedding, *norm1, *wq, *wk, *wv, *wo, *norm2, *w1, *w2, *w3, *last, *head;
    double *keys, *values; /* (L, positions, K) */
    double *x, *y, *q, *o; /* (C) */
    double *gate, *up;     /* (F) */
    double *a;             /* (positions) */
    double *logits;        /* (V) */
} model;

static double *zeros(size_t n) {
    return (double *)calloc(n, sizeof(double));
}

static void read_model(model *m, const char *path, size_t positions) {
    size_t size;
    const unsigned char *start = read_file(path, &size);
    m->C = i32_at(start);
    m->F = i32_at(start + 4);
    m->L = i32_at(start + 8);
    m->H = i32_at(start + 12);
    m->KV = i32_at(start + 16);
    m->V = abs(i32_at(start + 20));
    m->T = i32_at(start + 24);
    m->D = m->C / m->H;
    m->K = m->KV * m->D;

    const size_t C = (size_t)m->C;
    const size_t F = (size_t)m->F;
    const size_t L = (size_t)m->L;
    const size_t K = (size_t)m->K;
    next = start + 28;
    m->embedding = take((size_t)m->V * C);
    m->norm1 = take(L * C);
    m->wq = take(L * C * C);
    m->wk = take(L * C * K);
    m->wv = take(L * C * K);
    m->wo = take(L * C * C);
    m->norm2 = take(L * C);
    m->w1 = take(L * C * F);
    m->w2 = take(L * C * F);
    m->w3 = take(L * C * F);
    m->last = take(C);
    next += (size_t)m->T * (size_t)m->D * 4; /* cosines and sines */
    m->head = i32_at(start + 20) > 0 ? m->embedding : take((size_t)m->V * C);
    if (next != start + size) printf("%s: another size\n", path);

    m->keys = zeros(L * positions * K);
    m->values = zeros(L * positions * K);
    m->x = zeros(C);
    m->y = zeros(C);
    m->q = zeros(C);
    m->o = zeros(C);
    m->gate = zeros(F);
    m->up = zeros(F);
    m->a = zeros(positions);
    m->logits = zeros((size_t)m->V);
}

/* o: of head h the mean of the values at positions 0 .. t, weighted by softmax(q . k / sqrt(D)). */
static void attend(model *m, const double *keys, const double *values, int h, int t) {
    const size_t from = (size_t)(h / (m->H / m->KV) * m->D);
    const size_t K = (size_t)m->K;
    double sum = 0;
    for (int s = 0; s <= t; s++) {
        double dot = 0;
        for (int d = 0; d < m->D; d++)
            dot += m->q[h * m->D + d] * keys[(size_t)s * K + from + (size_t)d];
        m->a[s] = exp(dot / sqrt(m->D));
        sum += m->a[s];
    }
    for (int d = 0; d < m->D; d++) {
        double mean = 0;
        for (int s = 0; s <= t; s++)
            mean += m->a[s] / sum * values[(size_t)s * K + from + (size_t)d];
        m->o[h * m->D + d] = mean;
    }
}

/* x += y */
static void add(model *m) {
    for (int d = 0; d < m->C; d++)
        m->x[d] += m->y[d];
}

static void layer(model *m, size_t l, size_t positions, int t) {
    const size_t C = (size_t)m->C;
    const size_t F = (size_t)m->F;
    const size_t K = (size_t)m->K;
    double *keys = m->keys + l * positions * K;
    double *values = m->values + l * positions * K;
    double *key = keys + (size_t)t * K;

    norm(m->y, m->x, m->norm1 + l * C, m->C);
    multiply(m->q, m->wq + l * C * C, m->y, m->C, m->C);
    multiply(key, m->wk + l * C * K, m->y, m->K, m->C);
    multiply(values + (size_t)t * K, m->wv + l * C * K, m->y, m->K, m->C);
    rotate(m->q, m->C, m->D, t);
    rotate(key, m->K, m->D, t);
    for (int h = 0; h < m->H; h++)
        attend(m, keys, values, h, t);
    multiply(m->y, m->wo + l * C * C, m->o, m->C, m->C);
    add(m);

    norm(m->y, m->x, m->norm2 + l * C, m->C);
    multiply(m->gate, m->w1 + l * C * F, m->y, m->F, m->C);
    multiply(m->up, m->w3 + l * C * F, m->y, m->F, m->C);
    for (int d = 0; d < m->F; d++)
        m->up[d] *= m->gate[d] / (1 + exp(-m->gate[d]));
    multiply(m->y, m->w2 + l * C * F, m->up, m->C, m->F);
    add(m);
}

static int print_loss(const char *path, const char *ids_path) {
    enum { MOST_IDS = 1024 };
    size_t size;
    int ids[MOST_IDS];
    int n = 0;
    char *text = (char *)read_file(ids_path, &size);
    for (char *p = strtok(text, " \n"); p != NULL && n < MOST_IDS; p = strtok(NULL, " \n"))
        ids[n++] = atoi(p);

    model m;
    read_model(&m, path, (size_t)n);
    double loss = 0;
    for (int t = 0; t + 1 < n; t++) {
        memcpy(m.x, m.embedding + (size_t)ids[t] * (size_t)m.C, (size_t)m.C * sizeof *m.x);
        for (size_t l = 0; l < (size_t)m.L; l++)
            layer(&m, l, (size_t)n, t);
        norm(m.x, m.x, m.last, m.C);
        multiply(m.logits, m.head, m.x, m.V, m.C);
        double sum = 0;
        for (int v = 0; v < m.V; v++)
            sum += exp(m.logits[v]);
        loss += log(sum) - m.logits[ids[t + 1]];
    }
    printf("%.9f\n", loss / (n - 1));
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "ids") == 0) return print_ids(argv[2], argv[3]);
    if (argc == 4 && strcmp(argv[1], "loss") == 0) return print_loss(argv[2], argv[3]);
    return 2;
}
