/* source.h: what is read as data: the bytes of a file, or of standard input, which is called "-";
 * and how they become tokens, as the flags say. */
#ifndef SOURCE_H
#define SOURCE_H
#include "slm.h"

/* Bytes of one id in a file that does not say it: the words of --dtype. */
#define SOURCE_DTYPE_WORDS "u16|u32|i32|i64"
enum { SOURCE_DTYPES = 4 };

typedef struct data_options {
    slm_text_options text; /* --fields, --jsonl, --skip-bad */
    int dtype;             /* --dtype: a place in its words, or DTYPE_NOT_GIVEN */
    int bos, eos;          /* --bos, --eos: places in MARK_WORDS */
    int within;            /* --within-documents */
} data_options;

#define MARK_WORDS "auto|yes|no"
enum { MARK_AUTO, MARK_YES, MARK_NO };

enum { DTYPE_NOT_GIVEN = -1, DTYPE_FIRST_SIGNED = 2 };

/* What the flags start from. */
data_options data_defaults(void);

/* What was noticed in all the files that were read. */
typedef struct data_report {
    size_t n_jsonl;      /* files of JSON lines */
    size_t n_bare;       /* files of bare ids */
    size_t n_records;    /* JSON lines, */
    size_t n_bad;        /* and those that were left out */
    slm_error first_bad; /* what was wrong with the first of them */
    char like_json[256]; /* a file that looks like JSON lines and was read as plain text; or "" */
} data_report;

typedef struct source {
    const char *path;
    char *bytes; /* a NUL follows them */
    size_t size;
    void (*free_bytes)(void *); /* what bytes are freed by */
} source;

/* Reads all of it.  Standard input is read to its end, but for 3 GiB at most.  Call source_free
 * whatever the status. */
slm_status source_read(source *s, const char *path, slm_error *err);
void source_free(source *s);

/* Returns the bytes, which are then the caller's, to be freed by s->free_bytes. */
char *source_take(source *s);

int source_is_stdin(const char *path);

/* Makes the text of what was read, and adds to the report.  Call slm_text_free whatever the
 * status. */
slm_status source_text(slm_text *text, const source *s, const data_options *options,
                       data_report *report, slm_error *err);

#endif
