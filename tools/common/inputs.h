/* inputs.h: what the verbs read: texts, tokenizers, models.  Each function returns DONE, or says
 * what is wrong and returns the exit code. */
#ifndef INPUTS_H
#define INPUTS_H
#include "common/options.h"
#include "common/token_file.h"
#include "slm.h"

/* name: "bytes", a tokenizer.json or its folder; "none": *out is NULL, and only files of ids can be
 * read; NULL: that of the model folder, where none is like "none"; without a folder: bytes. */
int load_tokenizer(slm_tokenizer **out, const char *name, const char *folder);

/* Refuses what is no folder. */
int check_model_folder(const char *folder);

int load_model(slm_model **out, const char *folder);

/* Of the tokenizer, or where there is none, of the model. */
int32_t vocab_of(const slm_tokenizer *tokenizer, const slm_model *model);

/* 0 without a tokenizer. */
uint64_t hash_of(const slm_tokenizer *tokenizer);

/* Refuses a text with a token that the model does not have.  A tokenizer may have more tokens than
 * the model, as long as they do not occur.  tokenizer: for the message, or NULL. */
int check_corpus_ids(const slm_corpus *corpus, const slm_model *model, const char *folder,
                     const slm_tokenizer *tokenizer);

/* Whether the model's config.json lists the token as one that ends a text. */
int ends_text(const slm_model *model, int32_t token);

/* Loads a tokenizer and a model that go together. */
int load_model_and_tokenizer(slm_model **model, slm_tokenizer **tokenizer, const char *folder,
                             const char *tokenizer_name);

/* Loads a reference model.  It must read the same tokens: if its folder has a tokenizer, it must be
 * this one. */
int load_reference(slm_model **out, const char *folder, const slm_tokenizer *tokenizer);

/* The window length, unless it is given: the model's context, but at most 1024, so that a laptop
 * can follow. */
int32_t default_seq(const slm_model *model);

/* Refuses windows of T tokens that are longer than a Mistral's sliding window. */
int check_window(const slm_model *model, const char *folder, int32_t T);

/* Refuses --fields and --skip-bad where neither a name nor --jsonl says that there are records, and
 * standard input if it is named twice.  `more` is one more of --data's kind, or NULL. */
int check_data(const data_options *options, const option_list *files, const char *more);

/* Returns 1 if all of these files hold ids, as far as their beginnings tell. */
int all_files_hold_ids(const data_options *options, const option_list *files);

/* Joins all files, one after the other.  "a.txt,b.txt" is two files, unless there is one of that
 * very name. */
int load_corpus(slm_corpus **out, token_reader *reader, const option_list *files);

/* Says what the report holds that a user should know: records left out, a text that looks like
 * JSON. */
void say_report(const data_report *report);

/* Reads "-" or a file as one text, with its report said.  Free the text, then the source. */
int load_text(slm_text *text, source *s, const char *path, const data_options *options);

#endif
