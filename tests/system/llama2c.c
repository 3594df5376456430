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

static int print_loss(const char *model, const char *path) {
    size_t size;
    int ids[1024];
    int n_ids = 0;
    char *text = (char *)read_file(path, &size);
    for (char *p = strtok(text, " \n"); p != NULL && n_ids < 1024; p = strtok(NULL, " \n"))
        ids[n_ids++] = atoi(p);

    const unsigned char *start = read_file(model, &size);
    int h[7];
    for (int i = 0; i < 7; i++)
        h[i] = i32_at(start + 4 * i);
    int C = h[0], F = h[1], L = h[2], H = h[3], KV = h[4], V = abs(h[5]), T = h[6], D = C / H;
    int K = KV * D;
    size_t c = (size_t)C, l = (size_t)L, f = (size_t)F, k = (size_t)K;
    next = start + 28;
    double *embedding = take((size_t)V * c), *norm1 = take(l * c), *wq = take(l * c * c);
    double *wk = take(l * c * k), *wv = take(l * c * k), *wo = take(l * c * c);
    double *norm2 = take(l * c), *w1 = take(l * c * f), *w2 = take(l * c * f);
    double *w3 = take(l * c * f), *last = take(c);
    next += (size_t)T * (size_t)D * 4;
    double *head = h[5] > 0 ? embedding : take((size_t)V * c);
    if (next != start + size) printf("%s: %zu bytes too many\n", model, size);

    double *keys = (double *)calloc(l * (size_t)n_ids * k, sizeof(double));
    double *values = (double *)calloc(l * (size_t)n_ids * k, sizeof(double));
    double *x = (double *)calloc(c, sizeof(double)), *y = (double *)calloc(c, sizeof(double));
    double *q = (double *)calloc(c, sizeof(double)), *o = (double *)calloc(c, sizeof(double));
    double *a = (double *)calloc((size_t)n_ids, sizeof(double));
    double *u = (double *)calloc(f, sizeof(double)), *g = (double *)calloc(f, sizeof(double));
    double *logits = (double *)calloc((size_t)V, sizeof(double));
    double loss = 0;

    for (int t = 0; t + 1 < n_ids; t++) {
        memcpy(x, embedding + (size_t)ids[t] * c, c * sizeof *x);
        for (size_t i = 0; i < l; i++) {
            double *key = keys + i * (size_t)n_ids * k;
            double *value = values + i * (size_t)n_ids * k;
            norm(y, x, norm1 + i * c, C);
            multiply(q, wq + i * c * c, y, C, C);
            multiply(key + (size_t)t * k, wk + i * c * k, y, K, C);
            multiply(value + (size_t)t * k, wv + i * c * k, y, K, C);
            rotate(q, C, D, t);
            rotate(key + (size_t)t * k, K, D, t);
            for (int j = 0; j < H; j++) {
                size_t from = (size_t)(j / (H / KV) * D);
                double sum = 0;
                for (int s = 0; s <= t; s++) {
                    double dot = 0;
                    for (int d = 0; d < D; d++)
                        dot += q[j * D + d] * key[(size_t)s * k + from + (size_t)d];
                    a[s] = exp(dot / sqrt(D));
                    sum += a[s];
                }
                for (int d = 0; d < D; d++) {
                    o[j * D + d] = 0;
                    for (int s = 0; s <= t; s++)
                        o[j * D + d] += a[s] / sum * value[(size_t)s * k + from + (size_t)d];
                }
            }
            multiply(y, wo + i * c * c, o, C, C);
            for (int d = 0; d < C; d++)
                x[d] += y[d];
            norm(y, x, norm2 + i * c, C);
            multiply(g, w1 + i * c * f, y, F, C);
            multiply(u, w3 + i * c * f, y, F, C);
            for (int d = 0; d < F; d++)
                u[d] *= g[d] / (1 + exp(-g[d]));
            multiply(y, w2 + i * c * f, u, C, F);
            for (int d = 0; d < C; d++)
                x[d] += y[d];
        }
        norm(x, x, last, C);
        multiply(logits, head, x, V, C);
        double sum = 0;
        for (int d = 0; d < V; d++)
            sum += exp(logits[d]);
        loss += log(sum) - logits[ids[t + 1]];
    }
    printf("%.9f\n", loss / (n_ids - 1));
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "ids") == 0) return print_ids(argv[2], argv[3]);
    if (argc == 4 && strcmp(argv[1], "loss") == 0) return print_loss(argv[2], argv[3]);
    return 2;
}
