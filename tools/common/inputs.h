/* inputs.h: what the verbs read: texts, tokenizers, models.  Each function returns DONE, or says
 * what is wrong and returns the exit code. */
#ifndef INPUTS_H
#define INPUTS_H
#include <stdio.h>

#include "common/options.h"
#include "slm.h"

/* name: "bytes", a tokenizer.json or its folder; NULL: that of the model folder; without one:
 * bytes. */
int load_tokenizer(slm_tokenizer **out, const char *name, const char *folder);

int load_model(slm_model **out, const char *folder);

/* Refuses a tokenizer with more tokens than the model has rows. */
int check_vocab(const slm_model *model, const char *folder, const slm_tokenizer *tokenizer);

/* Loads a tokenizer and a model that go together. */
int load_model_and_tokenizer(slm_model **model, slm_tokenizer **tokenizer, const char *folder,
                             const char *tokenizer_name);

/* Loads a reference model.  It must read the same tokens: if its folder has a tokenizer, it must be
 * this one. */
int load_reference(slm_model **out, const char *folder, const slm_tokenizer *tokenizer);

/* The window length, unless it is given: the model's context, but at most 1024, so that a laptop
 * can follow. */
int32_t default_seq(const slm_model *model);

/* Refuses --fields where no file's name says that it has fields.  `more` is one more of --data's
 * kind, or NULL. */
int check_fields(const char *fields, const option_list *files, const char *more);

/* Joins all files, one after the other.  "a.txt,b.txt" is two files, unless there is one of that
 * very name. */
int load_corpus(slm_corpus **out, const slm_tokenizer *tokenizer, const option_list *files,
                const char *fields);

/* Reads a whole stream, e.g. standard input; `name` is for messages.  Free *out with free(). */
int read_stream(char **out, size_t *size, FILE *f, const char *name);

#endif
