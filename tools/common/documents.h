/* documents.h: texts and records as documents of a corpus: the tokens that begin and end them, what
 * of them is no target, and the factors of their losses. */
#ifndef DOCUMENTS_H
#define DOCUMENTS_H
#include "common/token_file.h"

/* Sets reader->bos and reader->eos by --bos, --eos, the tokenizer's template, and the model's
 * config.json. */
slm_status documents_find_marks(token_reader *reader, slm_error *err);

/* The documents of a text: its records, or all of it. */
slm_status documents_of_text(slm_corpus **out, const token_reader *reader, const slm_text *text,
                             slm_error *err);

/* Finds the documents of a corpus of ids by the tokens that begin and end them; the former are no
 * targets. */
slm_status documents_of_ids(slm_corpus *corpus, const token_reader *reader, slm_error *err);

#endif
