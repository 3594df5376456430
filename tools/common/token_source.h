/* token_source.h: token ids read where they lie, in a file or in bytes in memory, as a corpus: the
 * ids of a file larger than memory need a few hundred kilobytes.  Needs POSIX: pread. */
#ifndef TOKEN_SOURCE_H
#define TOKEN_SOURCE_H
#include "slm.h"

/* Where the ids lie: n of them, `width` bytes each (2, 4 or 8), from `start` on, the lowest byte
 * first. */
typedef struct token_layout {
    uint64_t start;
    size_t width, n;
    int is_signed; /* for messages: what is below 0 is no id in any case */
} token_layout;

typedef struct token_source token_source;

/* bytes: of all of the file, to be freed by free_bytes; NULL: fd is read, and closed in the end. */
slm_status token_source_open(token_source **out, const char *path, const token_layout *layout,
                             int fd, char *bytes, void (*free_bytes)(void *), slm_error *err);
void token_source_close(token_source *s);

/* The id at place i as it stands there, UINT64_MAX if it cannot be read. */
uint64_t token_source_id(token_source *s, size_t i);

/* A corpus of the ids, each below vocab.  Takes over the source, whatever the status. */
slm_status token_source_corpus(slm_corpus **out, token_source *s, int32_t vocab, slm_error *err);

#endif
