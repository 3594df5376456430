/* gpt2.h: the pair of files that GPT-2 was published with, encoder.json (text -> id) and vocab.bpe
 * (a merge per line), as a tokenizer.  Both are put into the form of Hugging Face's tokenizer.json,
 * which slm.h reads and checks. */
#ifndef GPT2_H
#define GPT2_H
#include "slm.h"

slm_status gpt2_tokenizer(slm_tokenizer **out, const char *folder, slm_error *err);

#endif
