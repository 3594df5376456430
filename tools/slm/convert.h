/* convert.h: what the conversions share.  They move a model tensor by tensor, some rows at a time,
 * so that it need not fit into memory. */
#ifndef CONVERT_H
#define CONVERT_H
#include <stdio.h>

#include "common/cli.h"
#include "slm/gguf.h"
#include "slm/numbers.h"

/* In which order the rows of queries and keys lie within a head of D rows.  Rotary positions turn
 * D/2 pairs of rows: row i and row i + D/2 in Hugging Face's files; 2i and 2i + 1 in those of
 * llama.cpp and llama2.c. */
typedef enum row_order { ROWS_IN_HALVES, ROWS_IN_PAIRS } row_order;

/* One tensor of a Llama model: W (rows, cols). */
typedef struct weight {
    char name[64];      /* Hugging Face's, e.g. "model.layers.0.mlp.up_proj.weight" */
    char gguf_name[64]; /* llama.cpp's, e.g. "blk.0.ffn_up.weight" */
    size_t rows, cols;
    size_t heads; /* of queries and keys: rows = heads D; 0 for all others */
    int is_norm;  /* 1: one row, of one dimension in files */
} weight;

typedef struct conversion {
    const char *in, *out;
    int quiet;
    int type; /* number_type, or -1: that of the input */
    slm_model_config config;
    slm_tokenizer *tokenizer;

    /* The input is one of these two; the other is NULL. */
    slm_safetensors *folder;
    gguf_file *file;

    /* Numbers on their way (room), and how many have passed. */
    slm_real *numbers;
    unsigned char *bytes;
    size_t room;
    uint64_t done, total;
    watch progress;
} conversion;

/* ---- the tensors of a model, in the order of the file of a model folder ---- */
size_t weights_count(const slm_model_config *config);
void weights_at(weight *w, const slm_model_config *config, size_t index);
uint64_t weights_numbers(const slm_model_config *config); /* in all of them */

/* The longest context: no longer than a sliding window, which these formats do not know. */
int32_t longest_context(const slm_model_config *config);

/* Places in a layer, which has WEIGHTS_IN_LAYER of them; those of layer l are the weights from
 * 1 + l WEIGHTS_IN_LAYER on. */
enum {
    WEIGHT_ATTENTION_NORM,
    WEIGHT_QUERY,
    WEIGHT_KEY,
    WEIGHT_VALUE,
    WEIGHT_OUTPUT,
    WEIGHT_FFN_NORM,
    WEIGHT_GATE,
    WEIGHT_UP,
    WEIGHT_DOWN,
    WEIGHTS_IN_LAYER
};

/* ---- moving them.  Functions that return int say what is wrong and return the exit code ---- */

/* Refuses an input that lacks a tensor, has one of another shape, or one more. */
int weights_check(const conversion *c);

/* The type in which the input stores the tensor.  F64 counts as F32. */
number_type weight_type(const conversion *c, const weight *w);

/* The type in which the tensor is written: `wanted` for matrices, F32 for norms; F16 where the rows
 * do not fill the blocks of Q8_0. */
number_type weight_type_for(const weight *w, number_type wanted);

/* Makes room, and starts the progress; weights_end is due, also after a failure. */
int weights_begin(conversion *c);
void weights_end(conversion *c);

/* Appends the tensor to a file at `path` (for messages), its rows in that order. */
int weight_write(conversion *c, const weight *w, number_type type, row_order order, FILE *out,
                 const char *path);

/* *exact: 1 if all numbers of a norm stay what they are in that type. */
int weight_is_exact(conversion *c, const weight *w, number_type type, int *exact);

/* ---- rotary positions of a longer context: the tensor that Llama-3's have in a GGUF file ---- */
#define ROPE_DIVISORS "rope_freqs.weight"

int rope_has_divisors(const slm_model_config *config);
/* By what frequency i < head_dim / 2 is divided. */
double rope_divisor(const slm_model_config *config, size_t i);
/* Fills in config->rope_scaling; refuses what is not of a Llama-3 model. */
slm_status rope_read_divisors(slm_model_config *config, gguf_file *file, const gguf_tensor *tensor,
                              slm_error *err);

/* ---- the conversions ---- */
int convert_to_gguf(conversion *c);
int convert_to_llama2c(conversion *c);
int convert_to_folder(conversion *c);

/* The keys of a GGUF file that hold a tokenizer, which becomes n_tokens tokens; and back. */
int tokens_check(const conversion *c);
int tokens_write(gguf_writer *w, const slm_tokenizer *tokenizer, size_t n_tokens);
/* The same for the tokenizers of characters, slm.h's families "llama" and "metaspace". */
int spm_is_of_characters(const slm_tokenizer *tokenizer);
int spm_check(const conversion *c);
/* scores (tokens of the tokenizer): of the tokens that merges make the first has -1, the next
 * -2. */
int spm_scores(double *scores, const conversion *c);
int spm_write(gguf_writer *w, const slm_tokenizer *tokenizer, size_t n_tokens);
slm_status gguf_tokenizer(slm_tokenizer **out, const gguf_file *file, slm_error *err);

/* The shape of the model in a GGUF file. */
slm_status gguf_config(slm_model_config *config, gguf_file *file, slm_error *err);

#endif
