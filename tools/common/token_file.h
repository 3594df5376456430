/* token_file.h: files of token ids as corpora.  All numbers in them are little-endian.  What a file
 * holds decides its kind; only where that is silent, its name and --dtype do.
 *
 *     .npy          NumPy: uint16, int32, uint32 or int64 in one dimension
 *     llm.c         256 x int32: [0] is 20240520 (uint16 follow) or 20240801 (uint32), [2] is how
 *                   many follow
 *     bare          ids and nothing else: .u16 and .bin are uint16, as nanoGPT's prepare.py writes
 *                   them, .u32 is uint32; with --dtype, every file that is none of the above and
 *                   not JSON lines by its name.  Of wider ids, read as narrower ones, every second
 *                   would be 0, and that is refused */
#ifndef TOKEN_FILE_H
#define TOKEN_FILE_H
#include "common/source.h"
#include "slm.h"

/* What makes tokens of files. */
typedef struct token_reader {
    const slm_tokenizer *tokenizer; /* NULL: only files of ids can be read */
    int32_t vocab;                  /* each id must be below it */
    data_options options;
    data_report report; /* what has been noticed so far */
    const slm_model *model; /* whose config.json may name marks, or NULL */

    /* The tokens that are put before and behind a document, and the one that ends it in files of
     * ids; -1: none.  load_corpus sets them. */
    int32_t bos, eos, end;
} token_reader;

/* model: whose config.json may name marks, or NULL. */
token_reader token_reader_of(const slm_tokenizer *tokenizer, const slm_model *model, int32_t vocab,
                             const data_options *options);

/* Loads a corpus like slm_corpus_load, from token files and standard input too. */
slm_status token_file_load(slm_corpus **out, token_reader *reader, const char *path,
                           slm_error *err);

/* Returns 1 if a file of that name and beginning holds ids, not text; `head` are its first bytes,
 * up to 1024. */
int token_file_has_ids(const data_options *options, const char *path, const void *head,
                       size_t head_size);

#endif
