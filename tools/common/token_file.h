/* token_file.h: files of token ids as corpora.  All numbers in them are little-endian.  What a file
 * holds decides its kind; only where that is silent, its name does.
 *
 *     .npy          NumPy: int32 in one dimension
 *     llm.c         256 x int32: [0] is 20240520 (uint16 follow) or 20240801 (uint32), [2] is how
 *                   many follow
 *     .u16, .bin    without such a header: bare uint16, as nanoGPT's prepare.py writes them; of
 *                   wider ids every second would be 0, and that is refused */
#ifndef TOKEN_FILE_H
#define TOKEN_FILE_H
#include "slm.h"

/* Loads a corpus like slm_corpus_load, from token files too. */
slm_status token_file_load(slm_corpus **out, const slm_tokenizer *tokenizer, const char *path,
                           const char *fields, slm_error *err);

#endif
