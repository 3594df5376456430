/* token_source.c: see token_source.h. */
#include "common/token_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/os.h"

enum {
    PIECE_IDS = 8192, /* read at a time: a window of training is part of one or two pieces */
    WIDTH_MAX = 8,
    PATH_SHOWN = 400
};

struct token_source {
    char path[PATH_SHOWN]; /* for messages */
    token_layout layout;
    int fd; /* -1: all is in bytes */
    char *bytes;
    void (*free_bytes)(void *);
    size_t first, n; /* the piece: ids first .. first+n-1 */
    int error;       /* errno of a read that failed; -1: the file has become shorter; 0: none */
    unsigned char piece[PIECE_IDS * WIDTH_MAX];
};

slm_status token_source_open(token_source **out, const char *path, const token_layout *layout,
                             int fd, char *bytes, void (*free_bytes)(void *), slm_error *err) {
    token_source *s = (token_source *)calloc(1, sizeof *s);
    *out = s;
    if (s == NULL) {
        if (bytes != NULL) free_bytes(bytes);
        if (bytes == NULL) os_close_descriptor(fd);
        return error_set(err, SLM_ERR_MEMORY, "out of memory: %.300s", path);
    }
    strncpy(s->path, path, sizeof s->path - 1);
    s->layout = *layout;
    s->fd = bytes != NULL ? -1 : fd;
    s->bytes = bytes;
    s->free_bytes = free_bytes;
    return SLM_OK;
}

void token_source_close(token_source *s) {
    if (s == NULL) return;
    if (s->fd >= 0) os_close_descriptor(s->fd);
    if (s->bytes != NULL) s->free_bytes(s->bytes);
    free(s);
}

/* Reads the piece that holds id i. */
static void read_piece(token_source *s, size_t i) {
    size_t first = i - i % PIECE_IDS;
    size_t n = s->layout.n - first < PIECE_IDS ? s->layout.n - first : PIECE_IDS;
    size_t size = n * s->layout.width;
    size_t n_read = 0;
    uint64_t offset = s->layout.start + (uint64_t)first * s->layout.width;
    s->n = 0;
    if (s->bytes != NULL) {
        memcpy(s->piece, s->bytes + offset, size);
        n_read = size;
    }
    while (n_read < size) {
        long got = os_read_at(s->fd, s->piece + n_read, size - n_read, offset + n_read);
        if (got <= 0) {
            s->error = got < 0 ? errno : -1;
            return;
        }
        n_read += (size_t)got;
    }
    s->first = first;
    s->n = n;
}

uint64_t token_source_id(token_source *s, size_t i) {
    uint64_t id = 0;
    if (i < s->first || i >= s->first + s->n) read_piece(s, i);
    if (s->n == 0) return UINT64_MAX;
    const unsigned char *p = s->piece + (i - s->first) * s->layout.width;
    for (size_t k = s->layout.width; k-- > 0;)
        id = id << 8 | p[k];
    return id;
}

static int32_t token_at(void *user, size_t i) {
    uint64_t id = token_source_id((token_source *)user, i);
    return id < INT32_MAX ? (int32_t)id : INT32_MAX;
}

static void close_user(void *user) {
    token_source_close((token_source *)user);
}

/* Says what is wrong with the first id that is none. */
static slm_status refuse(token_source *s, int32_t vocab, slm_error *err) {
    size_t i = 0;
    uint64_t sign = (uint64_t)1 << (8 * s->layout.width - 1);
    while (i + 1 < s->layout.n && token_source_id(s, i) < (uint64_t)vocab)
        i++;
    uint64_t id = token_source_id(s, i);
    if (s->error != 0) {
        return error_set(err, SLM_ERR_IO, "%s: cannot read: %s", s->path,
                         s->error > 0 ? strerror(s->error) : "the file has become shorter");
    }
    if (s->layout.is_signed && id >= sign) {
        long long below = -1 - (long long)((sign - 1) ^ (id - sign));
        return error_set(err, SLM_ERR_FORMAT, "%s: token %zu is %lld, outside the vocabulary of %d",
                         s->path, i, below, (int)vocab);
    }
    return error_set(err, SLM_ERR_FORMAT, "%s: token %zu is %llu, outside the vocabulary of %d",
                     s->path, i, (unsigned long long)id, (int)vocab);
}

slm_status token_source_corpus(slm_corpus **out, token_source *s, int32_t vocab, slm_error *err) {
    slm_token_source source = {token_at, close_user, s};
    slm_status status = slm_corpus_create_from(out, &source, NULL, s->layout.n, vocab, err);
    if (status == SLM_OK) return SLM_OK;
    if (status == SLM_ERR_ARGUMENT) status = refuse(s, vocab, err);
    token_source_close(s);
    return status;
}
