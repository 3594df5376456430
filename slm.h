/* slm.h 0.2.0: Selective Language Modeling in one C header.
 * SPDX-License-Identifier: MIT
 *
 *     #define SLM_IMPLEMENTATION        // in exactly one .c or .cpp file
 *     #include "slm.h"                  // cc -O2 -fopenmp your.c -lm
 *
 * Without -fopenmp the same code runs on one thread and gives the same bits.
 *
 * What it is.  The whole method of the Rho-1 paper ("Not All Tokens Are What You Need", Lin et al.,
 * 2024).  A reference model scores every token of a noisy corpus once; training then uses the loss
 * of only those k% of the tokens whose excess loss (current loss minus reference loss) is highest.
 * What that needs is here too: tokenizers, a Llama transformer, its gradients, AdamW, files.
 *
 * It is not a framework: one architecture, one number type, the CPU, libc and libm, no intrinsics.
 * Its priorities, in this order: right, readable, the same bits everywhere, fast, small.
 * Every file it reads is treated as hostile; a bad one is refused by name, field and value.
 * The licence (MIT) is at the end of this file.
 *
 * ==== >>contents ===============================================================================
 *   Search for an anchor (">>name") to jump.  tools/dev/check_sections checks the last column.
 *
 *   >>idea           letters, shapes, the equations of the paper, the algorithm
 *   >>config         the macros you may define
 *   >>api            declarations, in the order of the story
 *   ---- stop here if you only want the API ----
 *    1 >>base        status, memory, checked sizes, random numbers    may not: do mathematics
 *    2 >>selection   THE IDEA: scores, threshold, mask                may not: allocate
 *    3 >>vector      instruction sets, dispatch                       may not: see structs
 *    4 >>gemm        the matrix product                               may not: see structs
 *    5 >>rows        exp and loops over one row                       may not: see structs
 *    6 >>tape        tensors, record, sweep, sparse gradients         may not: know an operation
 *    7 >>ops         each operation: equation, forward, backward      may not: touch files
 *    8 >>model       configuration, table of parameters, forward      may not: touch elements
 *    9 >>data        corpus, windows, batches                         may not: know models
 *   10 >>scoring     loss and entropy of every token, without tape    may not: write parameters
 *   11 >>optimizer   clipping, AdamW, schedule                        may not: know tensors
 *   12 >>step        THE ALGORITHM on one page                        may not: touch elements
 *   ---- here the algorithm ends; what follows is input and output ----
 *   13 >>generation  key-value cache, sampling                        may not: write parameters
 *   14 >>tokenizers  bytes; BPE: train, encode, decode                may not: know models
 *   15 >>io          files, atomic replace                            may not: know models
 *   16 >>json        a strict reader                                  may not: touch files
 *   17 >>formats     tokenizers, texts, safetensors, models, runs     may not: trust a byte
 *
 *   Fifteen minutes: >>idea, sections 2 and 12.  Two hours: sections 7, 8 and 10 as well.
 *
 * ==== >>idea ===================================================================================
 *   B sequences of T tokens each give N = B*T rows; V is the size of the vocabulary; C (`dim`) is
 *   the width; x_i is token i; theta the model; RM the reference model.  Losses are in nats.  Every
 *   array is row-major; batch and time live in the rows: row n = b*T + t.
 *
 *   (eq. 1)  L_RM(x_i)    = -ln P_RM(x_i | x_<i)           reference loss, once for a whole corpus
 *   (eq. 2)  L_CLM(theta) = 1/N sum_i L_theta(x_i)         plain (causal) language modeling
 *   (eq. 3)  S(x_i)       = L_theta(x_i) - L_RM(x_i)       excess loss: signed, not clamped,
 *                                                          never differentiated
 *   (eq. 4)  L_SLM(theta) = 1/k sum_i I(x_i) L_theta(x_i)  k is the number selected, not N
 *   (eq. 5)  I(x_i)       = 1 if x_i is among the k tokens of highest S in scope, else 0
 *                           k = floor(ratio n + 1/2), at least 1, of n valid targets
 *   (eq. 8)  H_RM(x_i)    = -sum_v P_RM(v | x_<i) ln P_RM(v | x_<i)      entropy, another score
 *
 *   once      train RM on clean text                               slm_trainer_step
 *             L_RM of every token of the corpus         (eq. 1)    slm_losses_compute
 *   per step  1 forward   h = trunk(x)                             slm_model_forward
 *             2 losses    l_i = lse(W h_i) - (W h_i)[target_i]     slm_token_losses
 *             3 scores    S_i = l_i - ref_i             (eq. 3)    slm_select_scores
 *             4 select    I = top k of S                (eq. 5)    slm_select
 *             5 loss      L = 1/k sum_i I_i l_i         (eq. 4)    slm_selective_loss
 *             6 backward  dL/dtheta                                slm_tape_backward
 *             7 clip, AdamW                                        slm_trainer_update
 *
 *   Rows that are not selected cost nothing in the head and in most of the last block.
 *   Not here: clamps, temperatures, soft weights; attention masks (a token that is not selected
 *   stays visible as context).
 */
#ifndef SLM_H
#define SLM_H

#define SLM_VERSION_MAJOR 0
#define SLM_VERSION_MINOR 2
#define SLM_VERSION_PATCH 0
#define SLM_VERSION_NUMBER 200 /* 10000 major + 100 minor + patch, for #if */
#define SLM_VERSION "0.2.0"

#include <stddef.h>
#include <stdint.h>
#include <float.h>

/* ==== >>config =================================================================================
   Define these before including slm.h.  Those marked * must be the same in every file of a program;
   a file that disagrees about SLM_REAL or the version does not link.

     SLM_IMPLEMENTATION       emits the implementation; in exactly one file
   * SLM_STATIC               makes every function static; all of it then lives in that one file
   * SLM_REAL                 the number type: float (default) or double (audits, gradient checks)
     SLM_MALLOC(size)         and SLM_FREE(pointer): define both or none.  They take no user
                              pointer: an allocator that needs state reaches it through a variable
                              of its own
     SLM_ASSERT(condition)    checks our own invariants, never input; default: nothing
   * SLM_NO_FILES             leaves out what touches files: sections 15 to 17                    */
#if defined(__GNUC__) || defined(__clang__)
#ifdef __MINGW32__ /* whose printf may mean that of an older C library */
#define SLM__PRINTF(format_index, first) __attribute__((format(gnu_printf, format_index, first)))
#else
#define SLM__PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#endif
#define SLM__MAYBE_UNUSED __attribute__((unused))
#define SLM__KEEP __attribute__((used))
#define SLM__NODISCARD __attribute__((warn_unused_result))
#else
#define SLM__PRINTF(format_index, first)
#define SLM__MAYBE_UNUSED
#define SLM__KEEP
#define SLM__NODISCARD
#endif
#ifdef SLM_STATIC
#define SLM_API static SLM__MAYBE_UNUSED
#else
#define SLM_API extern
#endif
#define SLM_CHECKED SLM_API SLM__NODISCARD /* a function whose status must not be ignored */
#ifndef SLM_REAL
#define SLM_REAL float
#endif
typedef SLM_REAL slm_real;

#ifdef __cplusplus
extern "C" {
#endif

/* The number type and the version are part of this symbol's name.  Every file that includes slm.h
   refers to it, so that files which disagree with the implementation are refused by the linker. */
#define SLM__JOIN_NOW(a, b, c) a##b##c
#define SLM__JOIN(a, b, c) SLM__JOIN_NOW(a, b, c)
#define SLM__ABI SLM__JOIN(slm_abi_, SLM_REAL, _0_2)
#ifndef SLM_STATIC
extern const int SLM__ABI;
static SLM__KEEP const int *const slm__abi_check = &SLM__ABI;
#endif

/* ==== >>api ====================================================================================
   Conventions.

   Arguments come in one order: outputs, object, inputs, sizes, options, callback, err.
   Functions are named by object and verb, as in slm_batch_create; operations on a tape have their
   mathematical names, and take the tape before their inputs.

   Errors: a function that can fail returns a status.  On failure it fills *err (err may be NULL),
   its outputs are NULL or untouched, and nothing is leaked.  On success it does not touch *err.

   Ownership: `create`, `load`, `train`, `parse`, `encode`, `compute` give an object that you own;
   its `free` accepts NULL.  Buffers that functions return are freed by slm_free.  Arrays inside an
   object belong to it: write their elements where the comment says so.  Where a comment says "may
   be replaced", you may let the field point to an array of yours, which stays yours.

   Options: make a struct by its `defaults` function, then change fields.  A zero means zero.
   Structs may get new fields at their end; initialise by name.

   Threads: slm.h has no globals.  Distinct objects may be used from distinct threads.  A const
   object may be shared by threads while nobody changes it.  Inside, work is spread by OpenMP: over
   as many threads as it says (at most 1024) and as the work has use for, or over one where other
   programs take the processor and that is faster, which slm.h measures.  No bit depends on it, and
   none of your OpenMP settings is changed.

   Units: counts are tokens, sizes are bytes, losses are nats.  (B*T) is the shape of an array.   */

/* ---- status ---- */
typedef enum slm_status {
    SLM_OK = 0,
    SLM_ERR_ARGUMENT,   /* a value that you passed is out of range */
    SLM_ERR_MEMORY,     /* an allocation failed */
    SLM_ERR_IO,         /* the system could not open, read or write a file */
    SLM_ERR_FORMAT,     /* a file is malformed, or asks for what slm.h does not support */
    SLM_ERR_MISMATCH,   /* a file belongs to other data, another tokenizer, model or window */
    SLM_ERR_NOT_FINITE, /* a loss, score or gradient is NaN or infinite */
    SLM_ERR_CANCELLED   /* a progress callback asked to stop */
} slm_status;

typedef struct slm_error {
    slm_status status;
    char text[512]; /* one line that names the file, the field and the value */
} slm_error;

SLM_API const char *slm_version(void);                  /* that of the implementation, "0.2.0" */
SLM_API const char *slm_status_text(slm_status status); /* "out of memory", ...; never NULL */

/* Called between pieces of long work; done and total have the same unit.  Returns nonzero to stop:
   the function then returns SLM_ERR_CANCELLED. */
typedef int (*slm_progress)(void *user, uint64_t done, uint64_t total);

/* Frees a buffer that a function of slm.h returned, e.g. slm_tokenizer_decode.  NULL is fine. */
SLM_API void slm_free(void *memory);

/* ---- random numbers: splitmix64; the state is one word ---- */
typedef struct slm_rng {
    uint64_t state;
} slm_rng;

SLM_API slm_rng slm_rng_seed(uint64_t seed);
SLM_API uint64_t slm_rng_next(slm_rng *rng);              /* uniform over all 64-bit words */
SLM_API uint64_t slm_rng_below(slm_rng *rng, uint64_t n); /* uniform in 0..n-1, unbiased; n >= 1 */
SLM_API double slm_rng_uniform(slm_rng *rng);             /* uniform in [0, 1), 53 bits */
SLM_API double slm_rng_normal(slm_rng *rng);              /* mean 0, variance 1 */

/* ---- tokenizer: bytes; a byte-level BPE as GPT-2, Llama-3, Qwen, StarCoder have; a BPE of
   characters as Llama-2, TinyLlama, Mistral have ---- */
typedef struct slm_tokenizer slm_tokenizer;

/* The 256 bytes as tokens; the id is the byte. */
SLM_CHECKED slm_status slm_tokenizer_create_bytes(slm_tokenizer **out, slm_error *err);

/* Learns a byte-level BPE of `vocab` >= 256 tokens from a text. */
SLM_CHECKED slm_status slm_tokenizer_train(slm_tokenizer **out, const char *text, size_t size,
                                           int32_t vocab, slm_progress progress, void *user,
                                           slm_error *err);
/* Appends a special token, such as "<|endoftext|>": its id is the next one, and texts that have it
   written in them are cut there.  Fails with SLM_ERR_ARGUMENT if the text is empty or already an
   added token, or if the tokenizer was read from a file. */
SLM_CHECKED slm_status slm_tokenizer_add_special(slm_tokenizer *tokenizer, const char *text,
                                                 slm_error *err);
SLM_API void slm_tokenizer_free(slm_tokenizer *tokenizer);

SLM_API int32_t slm_tokenizer_vocab(const slm_tokenizer *tokenizer); /* ids are 0..vocab-1 */
SLM_API uint64_t slm_tokenizer_hash(const slm_tokenizer *tokenizer); /* of vocabulary and merges */

/* The bytes of a token in a text, which belong to the tokenizer.  Returns NULL if there is no such
   id. */
SLM_API const char *slm_tokenizer_token(size_t *size, const slm_tokenizer *tokenizer, int32_t id);
/* The same, of token `position`, from 0, of a text: the first one is without the space that a
   tokenizer like Llama-2's puts before a text. */
SLM_API const char *slm_tokenizer_token_at(size_t *size, const slm_tokenizer *tokenizer, int32_t id,
                                           size_t position);

/* What a tokenizer is made of, for programs that write it in another form. */
typedef enum slm_token_kind {
    SLM_TOKEN_NORMAL, /* of the vocabulary: a byte, or made by merges */
    SLM_TOKEN_ADDED,  /* added: found in a text before it is cut into pieces */
    SLM_TOKEN_SPECIAL, /* added, and marked as special: structure, such as the end of a text */
    SLM_TOKEN_BYTE     /* a byte of characters that are no token: Llama-2's <0x0A> */
} slm_token_kind;

SLM_API slm_token_kind slm_tokenizer_token_kind(const slm_tokenizer *tokenizer, int32_t id);
/* The id of the added token with this text, or -1. */
SLM_API int32_t slm_tokenizer_find_added(const slm_tokenizer *tokenizer, const char *text);

typedef struct slm_tokenizer_info {
    /* How a text is cut into pieces: "gpt2", "digits" (StarCoder), "llama3" or "qwen2"; "none": it
       is not cut; "llama": it is one of characters, as Llama-2's, and not cut; "metaspace": the
       same, but without a space behind added tokens, or where there is one. */
    const char *family;
    int32_t unknown;    /* "llama", "metaspace": the token of what has no other; -1: none */
    int prefix_space;   /* 1: a space is put before a text */
    int ignore_merges;  /* 1: a piece that is a token is not merged from its bytes */
    int split_spaces;   /* "metaspace": 1: every space begins a piece */
    size_t n_merges;
} slm_tokenizer_info;

SLM_API slm_tokenizer_info slm_tokenizer_describe(const slm_tokenizer *tokenizer);
/* The two tokens that the merge of this rank < n_merges puts together. */
SLM_API void slm_tokenizer_merge(int32_t *left, int32_t *right, const slm_tokenizer *tokenizer,
                                 size_t rank);

/* Text to ids and back.  The buffers *ids (n_ids) and *text (size; a NUL follows) are yours, to be
   freed by slm_free.  Decoding joins the bytes of the tokens, so that any bytes come back.  Not all
   do with a tokenizer like Llama-2's: U+2581 becomes a space, and a text behind an added token gets
   a space before it; where its file says "Metaspace", the first space of a text may be lost.
   Encoding takes the memory of the text and of its ids, and 48 bytes for each byte of the longest
   run of the text that is not cut: words are short, but a row of one sign may be the whole text. */
SLM_CHECKED slm_status slm_tokenizer_encode(int32_t **ids, size_t *n_ids,
                                            const slm_tokenizer *tokenizer, const char *text,
                                            size_t size, slm_error *err);
SLM_CHECKED slm_status slm_tokenizer_decode(char **text, size_t *size,
                                            const slm_tokenizer *tokenizer, const int32_t *ids,
                                            size_t n_ids, slm_error *err);

/* ---- corpus: one stream of tokens ----
   Its windows of T: window w predicts tokens w*T+1 .. min((w+1)*T, n-1), each from the tokens
   before it in the window, so that every token but the first is a target exactly once.  The last
   window may be shorter. */
/* Tokens that stay where they are, in files for example.  What it gives later must be what it gave
   first; an id outside the vocabulary stands for one that cannot be read. */
typedef struct slm_token_source {
    int32_t (*token_at)(void *user, size_t i); /* one thread at a time calls it */
    void (*free_user)(void *user);             /* slm_corpus_free calls it; or NULL */
    void *user;
} slm_token_source;

typedef struct slm_corpus {
    int32_t *tokens;         /* (n) may be replaced; NULL: they come from the source */
    uint8_t *masked;         /* (n) or NULL; 1: this token is never a target; may be replaced */
    size_t n;                /* tokens */
    size_t bytes;            /* of the text they came from; 0: not known */
    uint64_t hash;           /* fingerprint of tokens and masks */
    uint64_t tokenizer_hash; /* slm_tokenizer_hash of their tokenizer; 0: not known */
    void *memory;            /* private */

    /* Documents: document i holds the tokens from document_starts[i] to the next one's first. */
    uint64_t *document_starts; /* (n_documents) ascending, from 0; NULL: all is one document */
    size_t n_documents;
    uint64_t documents_hash; /* fingerprint of document_starts */
    int within_documents;    /* 1: a window's tokens see, and are counted from, none before their
                                document; its first token is no target; yours to set */
    slm_real *weights;       /* (n) or NULL: factor of each token's loss; may be replaced */
    int32_t *token_bytes;    /* (n_token_bytes) bytes of each id, 0 of special ones; or NULL */
    size_t n_token_bytes;
    void *more[4]; /* private */
    slm_token_source source;
} slm_corpus;

/* Copies n tokens (and masks, or NULL); each must be in 0..vocab-1. */
SLM_CHECKED slm_status slm_corpus_create(slm_corpus **out, const int32_t *tokens,
                                         const uint8_t *masked, size_t n, int32_t vocab,
                                         slm_error *err);
/* Copies n >= 1 starts of documents: ascending, the first 0, the last below corpus->n. */
SLM_CHECKED slm_status slm_corpus_set_documents(slm_corpus *corpus, const uint64_t *starts,
                                                size_t n, slm_error *err);
/* Copies masks (corpus->n) to a corpus without any; they become part of its fingerprint. */
SLM_CHECKED slm_status slm_corpus_set_masks(slm_corpus *corpus, const uint8_t *masked,
                                            slm_error *err);
/* Makes weights (all 1), for you to fill, unless they are there. */
SLM_CHECKED slm_status slm_corpus_alloc_weights(slm_corpus *corpus, slm_error *err);
/* Sets tokenizer_hash and token_bytes. */
SLM_CHECKED slm_status slm_corpus_set_tokenizer(slm_corpus *corpus, const slm_tokenizer *tokenizer,
                                                slm_error *err);
/* 1 if token i is a target: it is not the first, not masked, and with within_documents not the
   first of its document. */
SLM_API int slm_corpus_is_target(const slm_corpus *corpus, size_t i);
/* The same of tokens that are not copied: each is asked for once here, for the check and the hash.
   Takes over the source if the status is SLM_OK. */
SLM_CHECKED slm_status slm_corpus_create_from(slm_corpus **out, const slm_token_source *source,
                                              const uint8_t *masked, size_t n, int32_t vocab,
                                              slm_error *err);
SLM_API int32_t slm_corpus_token(const slm_corpus *corpus, size_t i); /* i < n */
/* The tokens of a text. */
SLM_CHECKED slm_status slm_corpus_encode(slm_corpus **out, const slm_tokenizer *tokenizer,
                                         const char *text, size_t size, slm_error *err);
SLM_API void slm_corpus_free(slm_corpus *corpus);
SLM_API size_t slm_corpus_n_windows(const slm_corpus *corpus, int32_t T); /* ceil((n-1) / T) */

/* ---- losses of a corpus: what one model made of every token; a score file holds them ---- */
typedef struct slm_losses {
    slm_real *loss;          /* (n) nats; entry i belongs to corpus token first + i + 1; yours to
                                write */
    slm_real *entropy;       /* (n) nats; yours to write */
    size_t n;                /* entries */
    size_t first;            /* a part of a corpus: entries before it; else 0 */
    size_t total;            /* entries of the whole corpus: its tokens - 1 */
    int32_t T;               /* window length: they hold for windows of this length only */
    uint64_t corpus_hash;    /* of the corpus they belong to */
    uint64_t tokenizer_hash; /* of its tokenizer; 0: not known */
    uint64_t model_hash;     /* of the model that made them; 0: not known */
    void *memory;            /* private */
    uint64_t documents_hash; /* of the corpus if they were made within documents; else 0 */
} slm_losses;

/* Creates n entries, all zero, for losses that slm.h did not compute: corpus->n - 1 entries for a
   whole corpus, T its window length.  Fill loss (and entropy, where a criterion needs it), and copy
   corpus_hash from corpus->hash and tokenizer_hash: without them slm_losses_check refuses the
   losses as those of another corpus or tokenizer.  total is n; if the entries are a part of a
   corpus, set first and total, too; documents_hash, if they were made within documents. */
SLM_CHECKED slm_status slm_losses_create(slm_losses **out, size_t n, int32_t T, slm_error *err);
SLM_API void slm_losses_free(slm_losses *losses);

/* ---- batch: the windows of one micro-batch ---- */
typedef struct slm_batch {
    int32_t B, T;
    int32_t *inputs;       /* (B*T) may be replaced */
    int32_t *targets;      /* (B*T) may be replaced; below 0: no target, no loss, never selected */
    slm_real *ref_loss;    /* (B*T) or NULL, nats; may be replaced */
    slm_real *ref_entropy; /* (B*T) or NULL, nats; may be replaced */
    slm_real *weights;     /* (B*T) or NULL: factor of each target's loss; may be replaced */
    uint64_t *positions;   /* (B*T) or NULL: the target's index in the corpus; may be replaced */
    void *memory[3];       /* private */

    /* (B*T) or NULL: the row of its sequence, 0 .. T-1, at which each row's document begins; a row
       attends to none before it, and counts its position from it.  Either the row itself, or what
       the row before says.  NULL: 0 everywhere.  May be replaced. */
    int32_t *document_start;
} slm_batch;

SLM_CHECKED slm_status slm_batch_create(slm_batch **out, int32_t B, int32_t T, slm_error *err);
SLM_API void slm_batch_free(slm_batch *batch);

/* Makes ref_loss and ref_entropy, or weights (all 1), for you to fill, unless they are there. */
SLM_CHECKED slm_status slm_batch_alloc_reference(slm_batch *batch, slm_error *err);
SLM_CHECKED slm_status slm_batch_alloc_weights(slm_batch *batch, slm_error *err);

/* Order of training: each epoch visits every window once, in an order drawn from seed and epoch. */
typedef struct slm_cursor {
    uint64_t seed;
    uint64_t next_window; /* windows used since the start of training */
} slm_cursor;

/* Fills the batch with the next B windows and, if ref_losses are given, with their losses; if the
   corpus has weights, with those. */
SLM_CHECKED slm_status slm_batch_next(slm_batch *batch, slm_cursor *cursor,
                                      const slm_corpus *corpus, const slm_losses *ref_losses,
                                      slm_error *err);
/* Fills the batch with windows first_window, first_window + 1, ... in the order of the text, and
   its weights, where both have them.  Where the corpus has no more windows, all targets are -1; so
   are they if the corpus stays within documents and the batch has no document_start. */
SLM_API void slm_batch_fill(slm_batch *batch, const slm_corpus *corpus, size_t first_window);

/* ---- model: the Llama architecture ----
   RMSNorm, rotate-half RoPE, grouped-query attention, SwiGLU, no biases. */

/* How a context is stretched beyond the one that a model was first trained with: the frequencies of
   its rotary angles are lowered. */
typedef enum slm_rope_type {
    SLM_ROPE_PLAIN,  /* they are not */
    SLM_ROPE_LINEAR, /* each is divided by factor */
    SLM_ROPE_LLAMA3  /* the low ones are; high ones stay; between them it goes over smoothly */
} slm_rope_type;

typedef struct slm_rope_scaling {
    slm_rope_type type;
    double factor;           /* at least 1; not for PLAIN */
    double low_freq_factor;  /* of LLAMA3: low is what turns less often in original_seq tokens */
    double high_freq_factor; /* of LLAMA3: high is what turns more often; above low_freq_factor */
    int32_t original_seq;    /* of LLAMA3: the context before it was stretched */
} slm_rope_scaling;

/* Tokens with a meaning, for the programs that use a model.  They change nothing that it computes.
   An id need not be one of the vocabulary. */
enum { SLM_EOS_MAX = 16 };

typedef struct slm_special_ids {
    int32_t has_bos, bos; /* 1 and the id that begins a text; 0: none is known */
    int32_t has_pad, pad; /* 1 and the id that fills up a batch; 0: none is known */
    int32_t n_eos;        /* how many ids end a text */
    int32_t eos[SLM_EOS_MAX];
} slm_special_ids;

typedef struct slm_model_config {
    int32_t vocab;          /* V, e.g. 4096 */
    int32_t dim;            /* C, e.g. 256: width of the residual stream */
    int32_t n_layers;       /* e.g. 6 */
    int32_t n_heads;        /* H, e.g. 8 */
    int32_t n_kv_heads;     /* divides n_heads; not set (0): n_heads */
    int32_t head_dim;       /* D, even; not set (0): dim / n_heads */
    int32_t ffn;            /* F, e.g. 704: width of the MLP */
    int32_t max_seq;        /* longest context the model is meant for; not set (0): 2048 */
    double rope_theta;      /* not set (0): 10000 */
    double norm_eps;        /* not set (0): 1e-5 */
    int32_t tie_embeddings; /* 1: the output head is the embedding */
    slm_rope_scaling rope_scaling;
    int32_t sliding_window; /* Mistral's: its tokens see so many, themselves included; windows that
                               are longer are refused; 0: they see all */
    slm_special_ids special;
} slm_model_config;

/* One parameter.  The table of them drives size, initialization, decay, saving and loading. */
typedef struct slm_param {
    char name[64]; /* Hugging Face's name, e.g. "model.layers.0.mlp.up_proj.weight" */
    size_t offset; /* into params, and into every array of gradients or moments */
    size_t rows;   /* linear weights are (out, in); norms are (1, C) */
    size_t cols;
    int decay;     /* 1: a matrix, takes weight decay; 0: a norm */
} slm_param;

typedef struct slm_model {
    slm_model_config config;
    slm_param *table; /* (n_tensors), in the order of the file; read only */
    size_t n_tensors;
    size_t n_params;  /* numbers in params; tensors begin on cache lines, so there are gaps */
    slm_real *params; /* (n_params), 64-byte aligned; may be replaced */
    void *memory[2];  /* private */
} slm_model;

/* Fills in what is not set; refuses nonsense by field and value. */
SLM_CHECKED slm_status slm_model_config_check(slm_model_config *config, slm_error *err);
SLM_CHECKED slm_status slm_model_create(slm_model **out, const slm_model_config *config,
                                        uint64_t seed, slm_error *err); /* random weights */
SLM_CHECKED slm_status slm_model_copy(slm_model **out, const slm_model *model, slm_error *err);
SLM_API void slm_model_free(slm_model *model);
SLM_API uint64_t slm_model_hash(const slm_model *model); /* of shape and weights */

/* ---- tape: memory and record of a forward and a backward pass; one serves for all steps ---- */
typedef struct slm_tape slm_tape;

/* A matrix on the tape.  It lives until the tape is reset. */
typedef struct slm_tensor {
    size_t rows, cols; /* batch and time live in the rows */
    slm_real *data;    /* (rows, cols); NULL while it is dropped, and after the sweep in all but
                          leaves and the loss */
    slm_real *grad;    /* (rows, cols) d loss / d data, valid after the sweep in leaves only */

    /* The rest is private: it belongs to the tape. */
    const int32_t *live; /* rows of grad that may differ from 0, ascending; NULL: all.  Other rows
                            of grad are not even written */
    size_t n_live;
    int is_leaf;    /* 1: data and grad are the caller's */
    int grad_unset; /* 1, in a leaf: nothing was written to grad yet; the first one overwrites */
    struct slm_tensor *next_leaf; /* chain of the leaves that want a gradient */
    struct slm__node *maker;      /* the operation that computed data; NULL in a leaf */
} slm_tensor;

SLM_CHECKED slm_status slm_tape_create(slm_tape **out, slm_error *err);
SLM_API void slm_tape_free(slm_tape *tape);
SLM_API void slm_tape_reset(slm_tape *tape); /* forgets the record, keeps the memory */
/* The first error since the reset. */
SLM_CHECKED slm_status slm_tape_status(const slm_tape *tape, slm_error *err);
/* Sets d loss / d loss = 1 and sweeps backwards, once.  loss is (1, 1). */
SLM_CHECKED slm_status slm_tape_backward(slm_tape *tape, slm_tensor *loss, slm_error *err);

/* Operations.  They run at once and record themselves.  They return NULL if an input is NULL or the
   tape is in error, so it is enough to ask once: slm_tape_backward and slm_tape_status say why.
   Arrays that you pass are not copied; they must stay as they are until the sweep is done. */

/* A matrix of yours, and the place for its gradient, which the sweep overwrites. */
SLM_API slm_tensor *slm_leaf(slm_tape *tape, slm_real *data, slm_real *grad, size_t rows,
                             size_t cols);
/* A matrix of yours that wants no gradient.  (Attention and swiglu take no constants if there is to
   be a sweep.) */
SLM_API slm_tensor *slm_constant(slm_tape *tape, const slm_real *data, size_t rows, size_t cols);
/* y_n = table[ids[n]]:  table (V, C), ids (N), y (N, C). */
SLM_API slm_tensor *slm_embedding(slm_tape *tape, slm_tensor *table, const int32_t *ids, size_t n);
/* y = x w' + residual:  x (N, C), w (O, C), y and residual (N, O).  residual may be NULL. */
SLM_API slm_tensor *slm_linear(slm_tape *tape, slm_tensor *x, slm_tensor *w, slm_tensor *residual);
/* y = w x / rms(x), rms = sqrt(mean of x^2 + eps), row by row:  x and y (N, C), w (1, C). */
SLM_API slm_tensor *slm_rmsnorm(slm_tape *tape, slm_tensor *x, slm_tensor *w, double eps);
/* The frequency of pair i < head_dim / 2 of a head's columns: radians a position.  scaling NULL:
   that of SLM_ROPE_PLAIN. */
SLM_API double slm_rope_frequency(size_t i, int32_t head_dim, double theta,
                                  const slm_rope_scaling *scaling);
/* Angles for slm_rope, (T, head_dim): of each position, the cosines, then the sines.  scaling as
   above. */
SLM_API slm_tensor *slm_rope_angles(slm_tape *tape, int32_t T, int32_t head_dim, double theta,
                                    const slm_rope_scaling *scaling);
/* Rotary positions: turns x (N, heads head_dim) in place, and returns it.  x must be the output of
   an operation, and no operation may have read it. */
SLM_API slm_tensor *slm_rope(slm_tape *tape, slm_tensor *x, slm_tensor *angles);
/* Causal attention over sequences of T rows:  q and y (N, H head_dim), k and v (N, KV head_dim). */
SLM_API slm_tensor *slm_attention(slm_tape *tape, slm_tensor *q, slm_tensor *k, slm_tensor *v,
                                  int32_t T, int32_t head_dim);
/* Both, within documents.  document_start (N): that of a batch; NULL: one document a sequence. */
SLM_API slm_tensor *slm_rope_within(slm_tape *tape, slm_tensor *x, slm_tensor *angles,
                                    const int32_t *document_start);
SLM_API slm_tensor *slm_attention_within(slm_tape *tape, slm_tensor *q, slm_tensor *k,
                                         slm_tensor *v, const int32_t *document_start, int32_t T,
                                         int32_t head_dim);
/* y = gate sigmoid(gate) up, all (N, F). */
SLM_API slm_tensor *slm_swiglu(slm_tape *tape, slm_tensor *gate, slm_tensor *up);
/* (eq. 4)  L = 1/divisor sum_n mask_n weights_n l_n:  hidden (N, C), head (V, C), targets, weights,
   mask (N), L (1, 1).  targets[n] < 0: no loss.  weights NULL: all 1; mask NULL: all 1.  loss (N)
   receives l_n, in nats, where mask_n is 1 and there is a target; other entries stay as they are.
   The gradient for dL = 1 is made here, in the forward: it takes (N, C) and (V, C) numbers. */
SLM_API slm_tensor *slm_selective_loss(slm_tape *tape, slm_tensor *hidden, slm_tensor *head,
                                       const int32_t *targets, const slm_real *weights,
                                       const uint8_t *mask, double divisor, slm_real *loss);

/* The forward of a model on the tape: hidden states (B*T, dim) after the final norm; *head (V, dim)
   is its output head.  The sweep overwrites grads (n_params); grads NULL: forward only.  The logits
   of all rows are slm_linear(tape, hidden, head, NULL). */
SLM_API slm_tensor *slm_model_forward(slm_tensor **head, slm_tape *tape, const slm_model *model,
                                      const slm_batch *batch, slm_real *grads);

/* ---- losses of tokens ---- */
/* (eqs. 1, 8) Loss and entropy (N; NULL: not wanted) of every row, 0 where targets[n] < 0. */
SLM_CHECKED slm_status slm_token_losses(slm_real *loss, slm_real *entropy, slm_tape *tape,
                                        slm_tensor *hidden, slm_tensor *head,
                                        const int32_t *targets, slm_error *err);

/* (eqs. 1, 8) Loss and entropy (B*T each; entropy may be NULL) of every target of a batch by a
   model; 0 where there is no target.  One that is not finite is an error.  Resets the tape. */
SLM_CHECKED slm_status slm_model_losses(slm_real *loss, slm_real *entropy, slm_tape *tape,
                                        const slm_model *model, const slm_batch *batch,
                                        slm_error *err);

/* Windows of a corpus: T tokens each, B of them at a time, from first to end-1. */
typedef struct slm_windows {
    int32_t B, T;
    size_t first, end;
} slm_windows;

SLM_API slm_windows slm_corpus_windows(const slm_corpus *corpus, int32_t B, int32_t T); /* all */

/* Loss and entropy of every token of those windows.  B matters for speed alone.  When progress
   stops it, *out is the part that was done, to be joined with the rest, and the status is
   SLM_ERR_CANCELLED. */
SLM_CHECKED slm_status slm_losses_compute(slm_losses **out, const slm_model *model,
                                          const slm_corpus *corpus, const slm_windows *windows,
                                          slm_progress progress, void *user, slm_error *err);

/* A model that may be larger than memory: its weights stay in their files (slm_stream_open) and are
   read layer by layer while windows are scored. */
typedef struct slm_stream slm_stream;

SLM_API void slm_stream_close(slm_stream *stream); /* NULL is fine */
/* The model without its weights: configuration and table; params is NULL. */
SLM_API const slm_model *slm_stream_model(const slm_stream *stream);
SLM_API uint64_t slm_stream_hash(const slm_stream *stream); /* as slm_model_hash */
/* How many windows of T tokens pass each layer together once it is read: 8192 tokens or somewhat
   less; if a window is longer, one. */
SLM_API size_t slm_stream_windows(int32_t T);
/* As slm_losses_compute, with the same bits.  B has no effect.  What is lost when progress stops it
   are those windows that are on their way through the model. */
SLM_CHECKED slm_status slm_stream_losses(slm_losses **out, slm_stream *stream,
                                         const slm_corpus *corpus, const slm_windows *windows,
                                         slm_progress progress, void *user, slm_error *err);

/* Refuses, by name, losses of another corpus, tokenizer or window length, and a part. */
SLM_CHECKED slm_status slm_losses_check(const slm_losses *losses, const slm_corpus *corpus,
                                        int32_t T, slm_error *err);

/* How good is a model on a text?  The mean over all targets that are not masked. */
typedef struct slm_evaluation {
    double loss;          /* nats per token */
    double low, high;     /* 95% interval of it: percentiles of 1000 bootstrap draws of windows; NaN
                             if fewer than two windows hold targets: one alone never varies */
    double bits_per_byte; /* over the bytes of the targets; NaN if these are not known */
    size_t n_tokens;      /* targets */
    size_t n_windows;
    size_t n_bytes; /* bytes of the targets: special tokens have none; 0: not known */
} slm_evaluation;

/* Refuses what slm_losses_check refuses, and losses that are not finite.  seed: of the draws. */
SLM_CHECKED slm_status slm_losses_evaluate(slm_evaluation *out, const slm_losses *losses,
                                           const slm_corpus *corpus, uint64_t seed, slm_error *err);

/* ---- selection ---- */
typedef enum slm_criterion {
    SLM_CRITERION_NONE = 0,  /* selects everything: plain language modeling (eq. 2) */
    SLM_CRITERION_EXCESS,    /* l_i - r_i (eq. 3) */
    SLM_CRITERION_REF,       /* -r_i: what the reference predicts well */
    SLM_CRITERION_ENTROPY,   /* -h_i: where the reference is certain (eq. 8) */
    SLM_CRITERION_LOSS,      /* l_i: the model's own loss (a control) */
    SLM_CRITERION_RANDOM,    /* a random number (a control) */
    SLM_CRITERION_INTERSECT, /* top ratio by -r and top entropy_ratio by -h: both */
    SLM_CRITERION_UNION,     /* ... either */
    SLM_CRITERION_OWN        /* the score that your function gives */
} slm_criterion;

typedef enum slm_scope {
    SLM_SCOPE_BATCH = 0, /* ranks all valid targets of one optimizer step, over all micro-batches
                            and processes */
    SLM_SCOPE_MICRO,     /* ranks each micro-batch by itself */
    SLM_SCOPE_SEQUENCE   /* ranks each sequence by itself */
} slm_scope;

/* Functions that add up over the processes which share a batch.  NULL members: one process.  They
   return nonzero if they failed.  The words are MPI's.  All processes call them in the same order,
   and each call waits for the others.  A process whose step fails calls none any more: then end the
   others too. */
typedef struct slm_group {
    void *user;
    /* counts (n) += those of all other processes */
    int (*allreduce_counts)(void *user, uint64_t *counts, size_t n);
    /* *count = the sum of the counts of the processes before this one */
    int (*exscan_count)(void *user, uint64_t *count);
    /* grads (n) += those of all other processes, with the same bits everywhere */
    int (*allreduce_grads)(void *user, slm_real *grads, size_t n);
} slm_group;

/* The targets among which to select, and what is known of them. */
typedef struct slm_targets {
    const slm_real *loss;        /* (n) l_i, or NULL if the criterion does not need it; nats */
    const slm_real *ref_loss;    /* (n) r_i, or NULL likewise */
    const slm_real *ref_entropy; /* (n) h_i, or NULL likewise */
    const int32_t *targets;      /* (n) or NULL: all valid; below 0: not valid, never selected */
    size_t n;
    int32_t T;              /* length of a sequence, for SLM_SCOPE_SEQUENCE; n is a multiple */
    uint64_t step;          /* salts SLM_CRITERION_RANDOM */
    const slm_group *group; /* the processes that hold the rest of the batch, or NULL */
} slm_targets;

/* Your own score: fills score (n), which must not be NaN.  The score of a target may depend on what
   is known of that target only.  Returns nonzero if it failed. */
typedef int (*slm_own_score)(void *user, slm_real *score, const slm_targets *targets);

typedef struct slm_select_options {
    slm_criterion criterion;
    slm_scope scope;
    double ratio;            /* in (0, 1]: share of the valid targets that is kept */
    double entropy_ratio;    /* in (0, 1]: of INTERSECT and UNION, the ratio for the entropy */
    uint64_t seed;           /* of RANDOM */
    slm_own_score own_score; /* of OWN */
    void *own_user;          /* passed to own_score */
} slm_select_options;

SLM_API slm_select_options slm_select_defaults(void); /* NONE, BATCH, the paper's ratio 0.6 */
SLM_API const char *slm_criterion_name(slm_criterion criterion); /* "excess", ...; never NULL */

/* k = floor(ratio n + 1/2), at least 1 if n is. */
SLM_API size_t slm_select_count(double ratio, size_t n);

/* (eq. 3) score (n) out: what the criterion makes of each target.  NONE, INTERSECT and UNION, which
   are not a ranking by one score, are refused. */
SLM_CHECKED slm_status slm_select_scores(slm_real *score, const slm_targets *targets,
                                         const slm_select_options *options, slm_error *err);

/* (eq. 5) mask (n) out: 1 for the k highest scores among those with valid[i] != 0 (NULL: all); ties
   go to the lowest index; a NaN is an error.  A radix selection over the bits of the scores. */
SLM_CHECKED slm_status slm_select_top(uint8_t *mask, const slm_real *score, const uint8_t *valid,
                                      size_t n, size_t k, slm_error *err);

/* Both of the above, by scope.  mask (n) out; *n_selected: how many of these n; scratch (n). */
SLM_CHECKED slm_status slm_select(uint8_t *mask, size_t *n_selected, const slm_targets *targets,
                                  const slm_select_options *options, slm_real *scratch,
                                  slm_error *err);

/* ---- training ---- */
typedef struct slm_adamw_options { /* AdamW with a linear warm-up and half a cosine */
    double lr;           /* the highest learning rate */
    double lr_min;       /* in [0, 1]: learning rate after the last step, as a share of lr */
    uint64_t warmup;     /* steps of the warm-up */
    uint64_t steps;      /* steps of the whole schedule; 0: constant after the warm-up */
    double beta1, beta2; /* in [0, 1) */
    double eps;          /* above 0 */
    double weight_decay; /* of matrices */
    double clip;         /* the highest norm of the whole gradient; 0: it is not clipped */
} slm_adamw_options;

typedef struct slm_train_options {
    slm_select_options select;
    slm_adamw_options adamw;
    slm_group group;            /* all NULL: one process */
    const slm_model *reference; /* borrowed, or NULL: losses come from the batch; else this model
                                   scores every batch as it comes */
    int recompute;              /* 1: the backward makes products again; less memory, same bits */
    size_t logits_budget;       /* bytes of logits kept between losses and gradients */
} slm_train_options;

/* lr 1e-3, lr_min 0.1, no warm-up, steps 0, betas 0.9 and 0.95, eps 1e-8, decay 0.1, clip 1. */
SLM_API slm_adamw_options slm_adamw_defaults(void);
SLM_API slm_train_options slm_train_defaults(void); /* both defaults; 256 MiB of logits */
SLM_API double slm_adamw_learning_rate(const slm_adamw_options *options, uint64_t step);

typedef struct slm_trainer slm_trainer;

/* The model is borrowed; its parameters are updated.  options NULL: the defaults. */
SLM_CHECKED slm_status slm_trainer_create(slm_trainer **out, slm_model *model,
                                          const slm_train_options *options, slm_error *err);
SLM_API void slm_trainer_free(slm_trainer *trainer);

typedef struct slm_step_stats {
    double loss_all;        /* mean loss of the valid targets, nats */
    double loss_selected;   /* ... of those selected */
    double loss_unselected; /* ... of those not selected; 0 where there are none */
    size_t n_valid;
    size_t n_selected;
    double grad_norm; /* before clipping */
    double lr;
} slm_step_stats;

/* THE STEP: one optimizer step over n_micro micro-batches.  stats may be NULL.  On an error the
   parameters are untouched and the stats are zero. */
SLM_CHECKED slm_status slm_trainer_step(slm_step_stats *stats, slm_trainer *trainer,
                                        slm_batch *const *micro, size_t n_micro, slm_error *err);

/* For a step of your own: clips the gradient in slm_trainer_grads, AdamW, next step.  stats (or
   NULL) gets grad_norm and lr, the rest 0. */
SLM_CHECKED slm_status slm_trainer_update(slm_step_stats *stats, slm_trainer *trainer,
                                          slm_error *err);

SLM_API slm_model *slm_trainer_model(const slm_trainer *trainer);
SLM_API const slm_train_options *slm_trainer_options(const slm_trainer *trainer);
SLM_API uint64_t slm_trainer_steps(const slm_trainer *trainer); /* optimizer steps done */
SLM_API slm_real *slm_trainer_grads(const slm_trainer *trainer); /* (n_params) */

/* Of the last step's targets, micro-batch after micro-batch: loss in nats, score, 1 = selected. */
SLM_API const slm_real *slm_trainer_losses(const slm_trainer *trainer);
SLM_API const slm_real *slm_trainer_scores(const slm_trainer *trainer);
SLM_API const uint8_t *slm_trainer_mask(const slm_trainer *trainer);

/* ---- generation ---- */
typedef struct slm_generator slm_generator; /* the key-value cache of one sequence */

SLM_CHECKED slm_status slm_generator_create(slm_generator **out, const slm_model *model,
                                            int32_t max_tokens, slm_error *err);
SLM_API void slm_generator_free(slm_generator *generator);
SLM_API void slm_generator_reset(slm_generator *generator);
/* Goes back to the first n tokens, as if no more had been pushed: for texts that begin alike. */
SLM_API void slm_generator_rewind(slm_generator *generator, int32_t n_tokens);

/* Appends one token.  *logits (V) belong to the generator and hold until the next call. */
SLM_CHECKED slm_status slm_generator_push(const slm_real **logits, slm_generator *generator,
                                          int32_t token, slm_error *err);

typedef struct slm_choice {
    slm_real p;
    int32_t token;
} slm_choice;

/* The k likeliest tokens with their probabilities, likeliest first; of equals, the lower id. */
SLM_CHECKED slm_status slm_likeliest_tokens(slm_choice *choices, const slm_real *logits,
                                            int32_t vocab, int32_t k, slm_error *err);

typedef struct slm_sample_options {
    double temperature; /* 0: the likeliest token, the lowest id among equals */
    int32_t top_k;      /* only the k likeliest; 0: all */
    double top_p;       /* only the likeliest that together have this probability; 1: all */
} slm_sample_options;

SLM_API slm_sample_options slm_sample_defaults(void); /* temperature 1, no cuts */
/* Draws a token.  options NULL: the defaults.  scratch: (vocab). */
SLM_CHECKED slm_status slm_sample_token(int32_t *token, const slm_real *logits, int32_t vocab,
                                        const slm_sample_options *options, slm_rng *rng,
                                        slm_choice *scratch, slm_error *err);

/* ---- files ---- */
#ifndef SLM_NO_FILES
/* A whole file; a NUL follows the bytes, which are yours, to be freed by slm_free. */
SLM_CHECKED slm_status slm_file_read(char **bytes, size_t *size, const char *path, slm_error *err);
/* Replaces a file atomically: whatever fails, it is the old one or the whole new one. */
SLM_CHECKED slm_status slm_file_write(const char *path, const void *bytes, size_t size,
                                      slm_error *err);

/* How the bytes of a file become a text.  All zero: by its name, and all of it. */
typedef struct slm_text_options {
    const char *fields; /* of each record, as "question,answer"; NULL: "text" */
    int jsonl;          /* 1: JSON lines, whatever the name; 0: if slm_text_is_jsonl says so */
    int skip_bad;       /* 1: leaves bad records out and counts them, instead of refusing them */

    /* Those of `fields` that are no targets, or NULL; and the field of each record that holds the
       factor of its targets' losses, a number or one for each of `fields` in an array; or NULL. */
    const char *mask_fields, *weight_field;
} slm_text_options;

/* A field of a record, with the newlines that follow it. */
typedef struct slm_text_part {
    size_t start;  /* its first byte in the text */
    int begins;    /* 1: a record begins with it */
    int masked;    /* 1: it is one of mask_fields */
    double weight; /* 1 without weight_field */
} slm_text_part;

typedef struct slm_text {
    const char *start; /* plain text lies in the bytes it was made of, which must stay */
    size_t size;
    size_t n_records;    /* JSON lines: all of them, */
    size_t n_bad;        /* and those that were left out */
    slm_error first_bad; /* what was wrong with the first of those */
    char *memory;        /* private */
    slm_text_part *parts; /* (n_parts) JSON lines: one field after the other; else NULL */
    size_t n_parts;
} slm_text;

/* Plain text is taken as it is, but for a byte order mark.  Of JSON lines, each an object, it is
   the string in the record's field; several are joined by a newline.  A blank line follows each
   record.  `path` is for messages, and may tell the format.  Refuses what slm_text_start refuses,
   and JSON that is no record a line.  Free it by slm_text_free, whatever the status. */
SLM_CHECKED slm_status slm_text_parse(slm_text *text, const char *bytes, size_t size,
                                      const char *path, const slm_text_options *options,
                                      slm_error *err);
SLM_API void slm_text_free(slm_text *text);
/* The text of a file, by its name: a copy, to be freed by slm_free. */
SLM_CHECKED slm_status slm_text_read(char **text, size_t *size, const char *path,
                                     const char *fields, slm_error *err);
/* Where in the bytes of a file its text begins: behind the byte order mark of UTF-8, if it has one.
   Refuses, as slm_text_read does, what begins as compressed files, tables and UTF-16 begin; the
   message has a command that makes a text of it.  `path` is for messages. */
SLM_CHECKED slm_status slm_text_start(size_t *start, const char *bytes, size_t size,
                                      const char *path, slm_error *err);
/* 1 if the name says that each line is a JSON object: .jsonl, .ndjson, .json, in either case. */
SLM_API int slm_text_is_jsonl(const char *path);
/* The tokens of such a text. */
SLM_CHECKED slm_status slm_corpus_load(slm_corpus **out, const slm_tokenizer *tokenizer,
                                       const char *path, const char *fields, slm_error *err);

/* A tokenizer.json of Hugging Face: its text (`name` is for messages), its path, or that of a
   folder with one. */
SLM_CHECKED slm_status slm_tokenizer_parse(slm_tokenizer **out, const char *json, size_t size,
                                           const char *name, slm_error *err);
SLM_CHECKED slm_status slm_tokenizer_load(slm_tokenizer **out, const char *path, slm_error *err);
/* What the template ("post_processor") of its file puts before and behind a text: an id, or -1. */
SLM_CHECKED slm_status slm_tokenizer_template(int32_t *bos, int32_t *eos,
                                              const slm_tokenizer *tokenizer, slm_error *err);
SLM_CHECKED slm_status slm_tokenizer_save(const slm_tokenizer *tokenizer, const char *path,
                                          slm_error *err);

/* How numbers are stored. */
typedef enum slm_dtype {
    SLM_DTYPE_NATIVE = 0, /* that of slm_real: F32, or F64 */
    SLM_DTYPE_F32,
    SLM_DTYPE_F16,
    SLM_DTYPE_BF16,
    SLM_DTYPE_F64, /* those up to here can be read, those after it only listed */
    SLM_DTYPE_BOOL,
    SLM_DTYPE_U8,
    SLM_DTYPE_I8,
    SLM_DTYPE_I16,
    SLM_DTYPE_U16,
    SLM_DTYPE_I32,
    SLM_DTYPE_U32,
    SLM_DTYPE_I64,
    SLM_DTYPE_U64,
    SLM_DTYPE_C64,
    SLM_DTYPE_F8_E5M2,
    SLM_DTYPE_F8_E4M3,
    SLM_DTYPE_F8_E8M0,
    SLM_DTYPE_F8_E4M3FNUZ,
    SLM_DTYPE_F8_E5M2FNUZ,
    SLM_DTYPE_F4,
    SLM_DTYPE_F6_E2M3,
    SLM_DTYPE_F6_E3M2
} slm_dtype;

SLM_API const char *slm_dtype_name(slm_dtype dtype); /* "F32", ...; never NULL */

/* A Hugging Face Llama folder: config.json and model.safetensors, or several such files with an
   index; F32, F16, BF16 or F64. */
SLM_CHECKED slm_status slm_model_load(slm_model **out, const char *folder, slm_error *err);
/* Makes the folder; the one above it must exist.  tokenizer: saved too, or NULL.  dtype: NATIVE,
   F32, BF16 or F64.  Other programs find in generation_config.json and tokenizer_config.json what
   is known of the special ids.  Whatever happens meanwhile, the folder holds what it held, or the
   new model, or no config.json: this last only if another model was there, of another config.json
   or tokenizer.json. */
SLM_CHECKED slm_status slm_model_save(const slm_model *model, const char *folder,
                                      const slm_tokenizer *tokenizer, slm_dtype dtype,
                                      slm_error *err);

/* The same folder for scoring without holding the weights.  Reads all of it once, to check it. */
SLM_CHECKED slm_status slm_stream_open(slm_stream **out, const char *folder, slm_error *err);

/* The parts of such a folder, for programs that handle a model without holding its weights: its
   config.json, and its weights (below), tensor by tensor, from as many files as there are.  What is
   saved is all that slm_model_save writes but the weights, which are said to be of that dtype;
   tokenizer: saved too, or NULL. */
SLM_CHECKED slm_status slm_model_config_load(slm_model_config *config, const char *folder,
                                             slm_error *err);
SLM_CHECKED slm_status slm_model_config_save(const slm_model_config *config, const char *folder,
                                             const slm_tokenizer *tokenizer, slm_dtype dtype,
                                             slm_error *err);

/* A score file: the losses of a corpus, or of a part of it, with the fingerprints of what they
   belong to.  It is a safetensors file with tensors "loss" and "entropy". */
SLM_CHECKED slm_status slm_losses_save(const slm_losses *losses, const char *path, slm_error *err);
SLM_CHECKED slm_status slm_losses_load(slm_losses **out, const char *path, slm_error *err);

/* A run is a folder that training can go on from.  state.safetensors is the whole state (weights,
   moments, step, cursor), replaced atomically; around it lies the model. */
typedef struct slm_run {
    const slm_tokenizer *tokenizer; /* saved beside the model, or NULL; not loaded */
    slm_cursor cursor;
    uint64_t corpus_hash; /* saved; set it before loading: it must be the same */
    char extra[1024];     /* a text of yours */
    slm_dtype dtype;      /* of the model's weights, as slm_model_save takes it; the state, from
                             which training goes on, has them as they are */
} slm_run;

SLM_CHECKED slm_status slm_run_save(const slm_trainer *trainer, const char *folder,
                                    const slm_run *run, slm_error *err);
/* Demands the same model shape, selection, optimizer and corpus, else SLM_ERR_MISMATCH, by name.
   adamw.steps may be larger than it was: from here on the learning rate follows the new schedule.
   Fills in cursor and extra.  On an error run is untouched, and so is the trainer but for its
   gradients; only where a file that was read once and found good cannot be read a second time, the
   trainer holds a mixture: do not go on with it. */
SLM_CHECKED slm_status slm_run_load(slm_trainer *trainer, slm_run *run, const char *folder,
                                    slm_error *err);

/* ---- safetensors: any file of named tensors, read tensor by tensor ---- */
typedef struct slm_safetensors slm_safetensors;

typedef struct slm_safetensors_entry {
    const char *name;
    slm_dtype dtype;
    size_t n_dims;
    uint64_t dims[8]; /* (n_dims) */
    uint64_t count;   /* of its numbers: the product of dims */
    uint64_t offset;  /* of its first byte in the file */
} slm_safetensors_entry;

/* Reads and checks the header.  The file stays open. */
SLM_CHECKED slm_status slm_safetensors_open(slm_safetensors **out, const char *path,
                                            slm_error *err);
/* The same for the weights in a model folder: model.safetensors, or the files of its index. */
SLM_CHECKED slm_status slm_safetensors_open_folder(slm_safetensors **out, const char *folder,
                                                   slm_error *err);
SLM_API void slm_safetensors_close(slm_safetensors *file); /* NULL is fine */

SLM_API size_t slm_safetensors_count(const slm_safetensors *file); /* tensors */
/* The tensors in the order of their names.  Returns NULL if there is no such index, or name. */
SLM_API const slm_safetensors_entry *slm_safetensors_at(const slm_safetensors *file, size_t index);
SLM_API const slm_safetensors_entry *slm_safetensors_find(const slm_safetensors *file,
                                                          const char *name);
/* A text of the file's "__metadata__".  Returns NULL if there is no such key. */
SLM_API const char *slm_safetensors_metadata(const slm_safetensors *file, const char *key);

/* out (count): all numbers of a tensor of F32, F16, BF16 or F64, which must be that many. */
SLM_CHECKED slm_status slm_safetensors_read(slm_real *out, slm_safetensors *file, const char *name,
                                            size_t count, slm_error *err);
/* out (count): of these numbers, those from number `first` on. */
SLM_CHECKED slm_status slm_safetensors_read_part(slm_real *out, slm_safetensors *file,
                                                 const char *name, uint64_t first, size_t count,
                                                 slm_error *err);
#endif

/* ---- utilities ---- */
/* 64-bit FNV-1a over n bytes; begin with SLM_HASH_START, or go on with an earlier hash. */
#define SLM_HASH_START 14695981039346656037ULL
SLM_API uint64_t slm_hash(uint64_t hash, const void *bytes, size_t n);

#ifdef __cplusplus
}
#endif
#endif /* SLM_H */
/* ================= stop here if you only want the API ========================================= */
#if defined(SLM_IMPLEMENTATION) && !defined(SLM_IMPLEMENTATION_DONE)
#define SLM_IMPLEMENTATION_DONE

/* ---- the defaults of >>config ---- */
#if defined(__FAST_MATH__)
#error "slm.h: -ffast-math breaks NaN checks and the promise of equal bits; build without it"
#endif
#if !defined(SLM_MALLOC) && !defined(SLM_FREE)
#define SLM_MALLOC(size) malloc(size)
#define SLM_FREE(pointer) free(pointer)
#elif !defined(SLM_MALLOC) || !defined(SLM_FREE)
#error "slm.h: define both of SLM_MALLOC and SLM_FREE, or none"
#endif
#ifndef SLM_ASSERT
#define SLM_ASSERT(condition) ((void)0)
#endif

/* A profiler may define this: an operation begins, known by its backward; sweep is 1 on the way
   back. */
#ifndef SLM__TRACE
#define SLM__TRACE(operation, sweep) ((void)0)
#endif

/* ==== >>base ================================================================================ 1 ==
   Status, memory, checked sizes, buffers, random numbers.  The only section that calls SLM_MALLOC
   and SLM_FREE.                                                                                  */
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLM__COUNT(array) (sizeof(array) / sizeof((array)[0]))

static size_t slm__min(size_t a, size_t b) {
    return a < b ? a : b;
}

/* The most threads that work together, whatever OMP_NUM_THREADS says. */
enum { SLM__MOST_THREADS = 1024 };

/* OpenMP, where the compiler has it: SLM__PRAGMA(omp parallel) is nothing without it.
   SLM__SHARE(schedule, threads) precedes a loop whose turns so many threads share.  Its counter is
   signed, and it is one loop, because MSVC's /openmp takes what OpenMP 2.0 had, no more. */
#ifdef _OPENMP
#include <omp.h>
#ifdef _MSC_VER /* which knows _Pragma in some of its dialects only */
#define SLM__PRAGMA(directive) __pragma(directive)
#else
#define SLM__PRAGMA(directive) _Pragma(#directive)
#endif
#define SLM__SHARE(how, threads) SLM__PRAGMA(omp parallel for schedule(how) num_threads(threads))
#define SLM__THREADS() ((int)slm__min((size_t)omp_get_max_threads(), SLM__MOST_THREADS))
#define SLM__THREAD() omp_get_thread_num() /* this thread: 0, 1, ... */
#ifndef SLM__CLOCK                         /* a test may have its own */
#define SLM__CLOCK() omp_get_wtime()       /* seconds since some moment */
#endif
#else
#define SLM__PRAGMA(directive)
#define SLM__SHARE(how, threads) (void)(threads);
#define SLM__THREADS() 1
#define SLM__THREAD() 0
#define SLM__CLOCK() 0.0
#endif

/* How many threads share n pieces of work. */
static int slm__threads_of(size_t n_pieces) {
    const size_t threads = (size_t)SLM__THREADS();

    return n_pieces > 1 ? (int)slm__min(n_pieces, threads) : 1;
}

/* The symbol that every file which includes slm.h refers to. */
#ifndef SLM_STATIC
extern const int SLM__ABI;
const int SLM__ABI = SLM_VERSION_NUMBER;
#endif

SLM_API const char *slm_version(void) {
    return SLM_VERSION;
}

/* ---- status: every failure goes through slm__fail, which formats the message ---- */

SLM_API const char *slm_status_text(slm_status status) {
    static const char *const text[] = {
        "ok",         "bad argument", "out of memory", "input/output error",
        "bad format", "mismatch",     "not finite",    "cancelled",
    };

    return (size_t)status < SLM__COUNT(text) ? text[status] : "unknown status";
}

/* vsnprintf formats into memory only, so it is used with SLM_NO_FILES too. */
SLM__PRINTF(3, 4)
static slm_status slm__fail(slm_error *err, slm_status status, const char *format, ...) {
    if (err != NULL) {
        va_list args;

        va_start(args, format);
        err->status = status;
        (void)vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return status;
}

static slm_status slm__no_memory(slm_error *err, size_t size) {
    return slm__fail(err, SLM_ERR_MEMORY, "out of memory: %zu bytes were refused", size);
}

/* ---- checked sizes ----
   Every size goes through these before it reaches an allocation: a product that wraps around is
   the classic bug of parsers.  They return 1 if the result fits. */

static int slm__checked_mul(size_t *out, size_t a, size_t b) {
    *out = a * b;
    return b == 0 || a <= SIZE_MAX / b;
}

static int slm__checked_add(size_t *out, size_t a, size_t b) {
    *out = a + b;
    return a <= SIZE_MAX - b;
}

/* ---- memory: arrays come zeroed and begin on a cache line ---- */

#define SLM__ALIGNMENT 64 /* bytes: a cache line, and the widest vector register */

/* Memory for `count` elements of `size` bytes.  Returns NULL if there is none, and fills err.  Just
   in front of it lies the pointer that SLM_MALLOC gave. */
static void *slm__alloc(size_t count, size_t size, slm_error *err) {
    size_t bytes, total;
    unsigned char *block, *memory;

    if (!slm__checked_mul(&bytes, count, size) ||
        !slm__checked_add(&total, bytes, SLM__ALIGNMENT + sizeof(void *))) {
        (void)slm__fail(err, SLM_ERR_MEMORY,
                        "out of memory: %zu elements of %zu bytes do not fit the address space",
                        count, size);
        return NULL;
    }
    block = (unsigned char *)SLM_MALLOC(total);
    if (block == NULL) {
        (void)slm__no_memory(err, total);
        return NULL;
    }

    memory = block + sizeof(void *);
    memory += (SLM__ALIGNMENT - (uintptr_t)memory % SLM__ALIGNMENT) % SLM__ALIGNMENT;
    memcpy(memory - sizeof(void *), &block, sizeof(void *));
    memset(memory, 0, bytes);
    return memory;
}

/* Frees what slm__alloc gave.  NULL is fine. */
static void slm__release(void *memory) {
    void *block;

    if (memory == NULL) return;
    memcpy(&block, (unsigned char *)memory - sizeof(void *), sizeof(void *));
    SLM_FREE(block);
}

SLM_API void slm_free(void *memory) {
    slm__release(memory);
}

/* ---- arena ----
   Memory that is handed out piece by piece and forgotten at once.  It grows by chained blocks while
   a first pass finds out how much is needed; the reset then makes one block of that size, and no
   later pass of the same shape allocates. */

typedef struct slm__arena_block {
    struct slm__arena_block *next;
    size_t size; /* bytes behind the head */
    size_t used; /* ... of which handed out */
} slm__arena_block;

typedef struct slm__arena {
    slm__arena_block *blocks;
    size_t needed; /* bytes handed out since the reset */
} slm__arena;

/* Bytes of a block's head; its memory follows, aligned like every array. */
#define SLM__ARENA_HEAD                                                                            \
    ((sizeof(slm__arena_block) + SLM__ALIGNMENT - 1) / SLM__ALIGNMENT * SLM__ALIGNMENT)

#define SLM__ARENA_LEAST ((size_t)1 << 20) /* bytes of the smallest block */

static slm__arena_block *slm__arena_grow(slm__arena *arena, size_t size, slm_error *err) {
    slm__arena_block *block;

    block = (slm__arena_block *)slm__alloc(size + SLM__ARENA_HEAD, 1, err);
    if (block == NULL) return NULL;
    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

/* Hands out memory that is not zeroed.  Returns NULL if there is none, and fills err. */
static void *slm__arena_take(slm__arena *arena, size_t count, size_t size, slm_error *err) {
    slm__arena_block *block = arena->blocks;
    size_t bytes;

    if (!slm__checked_mul(&bytes, count, size) || bytes > SIZE_MAX / 2) {
        (void)slm__no_memory(err, SIZE_MAX);
        return NULL;
    }
    bytes = (bytes + SLM__ALIGNMENT - 1) / SLM__ALIGNMENT * SLM__ALIGNMENT;

    while (block != NULL && bytes > block->size - block->used)
        block = block->next;
    if (block == NULL) {
        size_t least = bytes < SLM__ARENA_LEAST ? SLM__ARENA_LEAST : bytes;
        block = slm__arena_grow(arena, least, err);
        if (block == NULL) return NULL;
    }
    void *memory = (unsigned char *)block + SLM__ARENA_HEAD + block->used;
    block->used += bytes;
    arena->needed += bytes;
    return memory;
}

static void slm__arena_free(slm__arena *arena) {
    while (arena->blocks != NULL) {
        slm__arena_block *next = arena->blocks->next;

        slm__release(arena->blocks);
        arena->blocks = next;
    }
    arena->needed = 0;
}

static void slm__arena_reset(slm__arena *arena) {
    size_t needed = arena->needed;

    if (arena->blocks != NULL && arena->blocks->next != NULL) {
        slm__arena_free(arena);
        (void)slm__arena_grow(arena, needed, NULL); /* if refused: block by block again */
    }
    if (arena->blocks != NULL) arena->blocks->used = 0;
    arena->needed = 0;
}

/* ---- a buffer that grows: begins with zeros; its data are released by its owner ---- */

typedef struct slm__buffer {
    char *data;
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes there are */
} slm__buffer;

/* Makes room for `more` bytes behind those in use. */
static slm_status slm__buffer_reserve(slm__buffer *b, size_t more, slm_error *err) {
    size_t capacity = b->capacity;
    size_t need;

    if (!slm__checked_add(&need, b->size, more)) return slm__no_memory(err, SIZE_MAX);
    if (need <= b->capacity) return SLM_OK;
    if (b->size == 0) { /* there is nothing to keep, and one who appends will come again */
        slm__release(b->data);
        memset(b, 0, sizeof *b);
        capacity = need < 256 ? 256 : need;
    }
    while (capacity < need)
        capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;

    char *data = (char *)slm__alloc(capacity, 1, err);
    if (data == NULL) return SLM_ERR_MEMORY;
    if (b->size > 0) memcpy(data, b->data, b->size);
    slm__release(b->data);
    b->data = data;
    b->capacity = capacity;
    return SLM_OK;
}

static slm_status slm__buffer_append(slm__buffer *b, const void *bytes, size_t n, slm_error *err) {
    slm_status status = slm__buffer_reserve(b, n, err);

    if (status != SLM_OK || n == 0) return status;
    memcpy(b->data + b->size, bytes, n);
    b->size += n;
    return SLM_OK;
}

/* ---- numbers as bytes, lowest byte first, on every machine ---- */

/* Stores the n <= 8 lowest bytes of a value. */
static void slm__store(unsigned char *bytes, uint64_t value, size_t n) {
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
}

/* Returns the value that slm__store has stored in n <= 8 bytes.  Only functions that read and write
   files call it, so SLM_NO_FILES leaves it unused. */
static SLM__MAYBE_UNUSED uint64_t slm__load(const unsigned char *bytes, size_t n) {
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* ---- hashes ---- */

#define SLM__FNV_PRIME 1099511628211ULL

/* 2^64 divided by the golden ratio: numbers that far apart have unrelated hashes. */
#define SLM__GOLDEN 0x9e3779b97f4a7c15ULL

/* Numbers in a piece of a hash, and pieces that threads share at a time. */
#define SLM__HASH_PIECE ((size_t)1 << 14)
#define SLM__HASH_PIECES ((size_t)1024)

SLM_API uint64_t slm_hash(uint64_t hash, const void *bytes, size_t n) {
    const unsigned char *p = (const unsigned char *)bytes;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ p[i]) * SLM__FNV_PRIME;
    return hash;
}

/* One step of a checksum: a bijection of the hash, so that a damaged word never goes unseen. */
static uint64_t slm__checksum_word(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * SLM__GOLDEN;
    return hash ^ hash >> 32;
}

/* Goes on with a checksum, 8 bytes at a time: faster than slm_hash, which takes one.  Only
   functions that read and write files call it. */
static SLM__MAYBE_UNUSED uint64_t slm__checksum(uint64_t hash, const unsigned char *p, size_t n) {
    size_t n_words = n / 8;
    size_t n_rest = n % 8;

    for (size_t i = 0; i < n_words; i++)
        hash = slm__checksum_word(hash, slm__load(p + 8 * i, 8));
    return n_rest > 0 ? slm__checksum_word(hash, slm__load(p + 8 * n_words, n_rest)) : hash;
}

/* The bits of a number. */
static uint64_t slm__number_bits(const slm_real *number) {
    uint32_t of_float;
    uint64_t of_double;

    if (sizeof *number == sizeof of_double) {
        memcpy(&of_double, number, sizeof of_double);
        return of_double;
    }
    memcpy(&of_float, number, sizeof of_float);
    return of_float;
}

/* Goes on with a checksum of n numbers: that of their bytes, the lowest of each first. */
static uint64_t slm__checksum_numbers(uint64_t hash, const slm_real *numbers, size_t n) {
    const size_t per_word = sizeof(uint64_t) / sizeof *numbers; /* 1 or 2 */
    size_t i;

    for (i = 0; i + per_word <= n; i += per_word) {
        uint64_t word = slm__number_bits(numbers + i);
        if (per_word == 2) word |= slm__number_bits(numbers + i + 1) << 32;
        hash = slm__checksum_word(hash, word);
    }
    return i < n ? slm__checksum_word(hash, slm__number_bits(numbers + i)) : hash;
}

/* Goes on with a hash of n numbers, the same on machines of either byte order.  Threads hash pieces
   of fixed length; the hashes of the pieces are then folded in order. */
static uint64_t slm__hash_numbers(uint64_t hash, const slm_real *numbers, size_t n) {
    uint64_t piece_hash[SLM__HASH_PIECES];

    for (size_t first = 0; first < n; first += SLM__HASH_PIECES * SLM__HASH_PIECE) {
        size_t left = slm__min(n - first, SLM__HASH_PIECES * SLM__HASH_PIECE);
        size_t n_pieces = (left + SLM__HASH_PIECE - 1) / SLM__HASH_PIECE;

        SLM__SHARE(dynamic, slm__threads_of(n_pieces))
        for (ptrdiff_t at = 0; at < (ptrdiff_t)n_pieces; at++) {
            const size_t i = (size_t)at;
            const slm_real *piece = numbers + first + i * SLM__HASH_PIECE;
            size_t count = slm__min(left - i * SLM__HASH_PIECE, SLM__HASH_PIECE);

            piece_hash[i] = slm__checksum_numbers(SLM_HASH_START, piece, count);
        }
        for (size_t i = 0; i < n_pieces; i++)
            hash = slm__checksum_word(hash, piece_hash[i]);
    }
    return hash;
}

/* The same on machines of either byte order. */
static uint64_t slm__hash_ids(uint64_t hash, const int32_t *ids, size_t n) {
    unsigned char bytes[4];

    for (size_t i = 0; i < n; i++) {
        slm__store(bytes, (uint64_t)(uint32_t)ids[i], sizeof bytes);
        hash = slm_hash(hash, bytes, sizeof bytes);
    }
    return hash;
}

static uint64_t slm__hash_doubles(uint64_t hash, const double *numbers, size_t n) {
    unsigned char bytes[8];

    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &numbers[i], sizeof bits);
        slm__store(bytes, bits, sizeof bytes);
        hash = slm_hash(hash, bytes, sizeof bytes);
    }
    return hash;
}

/* ---- random numbers: splitmix64 (Steele, Lea and Flood) ----
   The state is a counter, and each output a hash of it. */

static uint64_t slm__mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

SLM_API slm_rng slm_rng_seed(uint64_t seed) {
    slm_rng rng = {slm__mix(seed + SLM__GOLDEN)};
    return rng;
}

SLM_API uint64_t slm_rng_next(slm_rng *rng) {
    rng->state += SLM__GOLDEN;
    return slm__mix(rng->state);
}

/* 2^64 mod n of the words would come once too often: they are skipped. */
SLM_API uint64_t slm_rng_below(slm_rng *rng, uint64_t n) {
    const uint64_t skip = (0 - n) % n;
    uint64_t word = slm_rng_next(rng);

    while (word < skip)
        word = slm_rng_next(rng);
    return word % n;
}

SLM_API double slm_rng_uniform(slm_rng *rng) {
    return (double)(slm_rng_next(rng) >> 11) * (1.0 / 9007199254740992.0); /* 53 bits by 2^53 */
}

/* Box and Muller. */
SLM_API double slm_rng_normal(slm_rng *rng) {
    double u = 1.0 - slm_rng_uniform(rng);
    double v = slm_rng_uniform(rng);

    return sqrt(-2.0 * log(u)) * cos(6.283185307179586477 * v);
}

/* Numbers that one thread draws at a time: they take it milliseconds, so that small models do not
   start other threads. */
#define SLM__NORMAL_PIECE ((size_t)1 << 16)

/* Fills out (n) with normal numbers.  A deviation of 0 draws none.  Each number takes two words of
   the generator, whose state is a counter: so a thread can begin anywhere in the sequence, and the
   numbers are those that one thread would draw. */
static void slm__fill_normal(slm_real *out, size_t n, double mean, double deviation, slm_rng *rng) {
    const size_t n_pieces = (n + SLM__NORMAL_PIECE - 1) / SLM__NORMAL_PIECE;
    const uint64_t words = deviation > 0 ? 2 : 0; /* that a number takes */

    SLM__SHARE(static, slm__threads_of(n_pieces))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)n_pieces; at++) {
        const size_t p = (size_t)at;
        const size_t first = p * SLM__NORMAL_PIECE;
        const size_t end = first + slm__min(n - first, SLM__NORMAL_PIECE);
        slm_rng own = {rng->state + words * (uint64_t)first * SLM__GOLDEN};

        for (size_t i = first; i < end; i++) {
            double value = mean;

            if (deviation > 0) value += deviation * slm_rng_normal(&own);
            out[i] = (slm_real)value;
        }
    }
    rng->state += words * (uint64_t)n * SLM__GOLDEN;
}

/* ==== >>selection =========================================================================== 2 ==
   The idea of the paper, as a pure function of arrays: which tokens does the model train on?  Every
   target gets a score; the k highest scores are kept.  Nothing here allocates, and nothing knows a
   model or a tape.                                                                               */

SLM_API slm_select_options slm_select_defaults(void) {
    slm_select_options options;

    memset(&options, 0, sizeof options);
    options.criterion = SLM_CRITERION_NONE;
    options.scope = SLM_SCOPE_BATCH;
    options.ratio = 0.6;
    options.entropy_ratio = 0.6;
    return options;
}

SLM_API const char *slm_criterion_name(slm_criterion criterion) {
    static const char *const names[] = {"none",   "excess",    "ref",   "entropy", "loss",
                                        "random", "intersect", "union", "own"};

    return (size_t)criterion < SLM__COUNT(names) ? names[criterion] : "unknown";
}

/* Does the criterion rank twice, by the reference's loss and by its entropy? */
static int slm__ranks_twice(slm_criterion criterion) {
    return criterion == SLM_CRITERION_INTERSECT || criterion == SLM_CRITERION_UNION;
}

/* What a criterion must know of each target. */
static int slm__needs_loss(slm_criterion criterion) {
    return criterion == SLM_CRITERION_EXCESS || criterion == SLM_CRITERION_LOSS ||
           criterion == SLM_CRITERION_OWN;
}

static int slm__needs_ref_loss(slm_criterion criterion) {
    return criterion == SLM_CRITERION_EXCESS || criterion == SLM_CRITERION_REF ||
           slm__ranks_twice(criterion);
}

static int slm__needs_ref_entropy(slm_criterion criterion) {
    return criterion == SLM_CRITERION_ENTROPY || slm__ranks_twice(criterion);
}

/* Does this selection keep every valid target?  Then it is plain language modeling (eq. 2). */
static int slm__selects_all(const slm_select_options *options) {
    const int all_by_score = options->ratio >= 1.0;
    const int all_by_entropy = options->entropy_ratio >= 1.0;

    switch (options->criterion) {
    case SLM_CRITERION_NONE: return 1;
    case SLM_CRITERION_INTERSECT: return all_by_score && all_by_entropy;
    case SLM_CRITERION_UNION: return all_by_score || all_by_entropy;
    default: return all_by_score;
    }
}

static int slm__is_ratio(double ratio) {
    return ratio > 0 && ratio <= 1;
}

static slm_status slm__select_options_check(const slm_select_options *options, slm_error *err) {
    if ((unsigned)options->criterion > SLM_CRITERION_OWN)
        return slm__fail(err, SLM_ERR_ARGUMENT, "selection: criterion %d is unknown",
                         (int)options->criterion);
    if ((unsigned)options->scope > SLM_SCOPE_SEQUENCE)
        return slm__fail(err, SLM_ERR_ARGUMENT, "selection: scope %d is unknown",
                         (int)options->scope);
    if (options->criterion != SLM_CRITERION_NONE && !slm__is_ratio(options->ratio))
        return slm__fail(err, SLM_ERR_ARGUMENT, "selection: ratio is %g, it must be in (0, 1]",
                         options->ratio);
    if (slm__ranks_twice(options->criterion) && !slm__is_ratio(options->entropy_ratio))
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "selection: entropy_ratio is %g, it must be in (0, 1]",
                         options->entropy_ratio);
    if (options->criterion == SLM_CRITERION_OWN && options->own_score == NULL)
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "selection: the criterion is 'own', but own_score is NULL");
    return SLM_OK;
}

/* ---- which targets are valid ---- */

/* Sets mask (n) to 1 where there is a valid target, else to 0.  Returns how many there are. */
static size_t slm__mark_valid(uint8_t *mask, const int32_t *targets, size_t n) {
    size_t n_valid = 0;

    for (size_t i = 0; i < n; i++) {
        mask[i] = targets == NULL || targets[i] >= 0;
        n_valid += mask[i];
    }
    return n_valid;
}

static size_t slm__count_marked(const uint8_t *mask, size_t n) {
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += mask[i];
    return count;
}

/* ---- scores (eq. 3) ---- */

static slm_status slm__scores_missing(slm_criterion criterion, const char *what, slm_error *err) {
    return slm__fail(err, SLM_ERR_ARGUMENT, "selection by '%s' needs %s, which were not given",
                     slm_criterion_name(criterion), what);
}

/* score (n) by one criterion.  A random score is a hash of seed and index, so that it is the same
   however a batch is cut. */
static slm_status slm__scores(slm_real *score, slm_criterion criterion, const slm_targets *t,
                              const slm_select_options *options, uint64_t seed, slm_error *err) {
    if (t->loss == NULL && slm__needs_loss(criterion))
        return slm__scores_missing(criterion, "losses", err);
    if (t->ref_loss == NULL && slm__needs_ref_loss(criterion))
        return slm__scores_missing(criterion, "reference losses", err);
    if (t->ref_entropy == NULL && slm__needs_ref_entropy(criterion))
        return slm__scores_missing(criterion, "reference entropies", err);

    switch (criterion) {
    case SLM_CRITERION_EXCESS:
        for (size_t i = 0; i < t->n; i++)
            score[i] = t->loss[i] - t->ref_loss[i]; /* eq. 3 */
        return SLM_OK;

    case SLM_CRITERION_REF:
        for (size_t i = 0; i < t->n; i++)
            score[i] = -t->ref_loss[i];
        return SLM_OK;

    case SLM_CRITERION_ENTROPY:
        for (size_t i = 0; i < t->n; i++)
            score[i] = -t->ref_entropy[i]; /* eq. 8 */
        return SLM_OK;

    case SLM_CRITERION_LOSS:
        for (size_t i = 0; i < t->n; i++)
            score[i] = t->loss[i];
        return SLM_OK;

    case SLM_CRITERION_RANDOM:
        for (size_t i = 0; i < t->n; i++)
            score[i] = (slm_real)(slm__mix(seed + (uint64_t)i * SLM__GOLDEN) >> 40);
        return SLM_OK;

    case SLM_CRITERION_OWN:
        if (options->own_score(options->own_user, score, t) == 0) return SLM_OK;
        return slm__fail(err, SLM_ERR_CANCELLED, "selection: own_score failed");

    default:
        return slm__fail(err, SLM_ERR_ARGUMENT, "selection by '%s' has no single score",
                         slm_criterion_name(criterion));
    }
}

/* Another seed for every step. */
static uint64_t slm__select_seed(const slm_select_options *options, uint64_t step) {
    return slm__mix(options->seed ^ slm__mix(step + 1));
}

SLM_API slm_status slm_select_scores(slm_real *score, const slm_targets *targets,
                                     const slm_select_options *options, slm_error *err) {
    slm_status status = slm__select_options_check(options, err);
    if (status != SLM_OK) return status;
    return slm__scores(score, options->criterion, targets, options,
                       slm__select_seed(options, targets->step), err);
}

/* ---- the k highest scores (eq. 5) ---- */

SLM_API size_t slm_select_count(double ratio, size_t n) {
    double k = floor(ratio * (double)n + 0.5);

    if (!(k >= 1)) k = 1;
    return k < (double)n ? (size_t)k : n; /* n = 0: nothing can be kept */
}

/* The bits of a score as an unsigned number of the same order.  Positive floats are ordered like
   their bits; negative ones the other way round, so all their bits are flipped. */
#define SLM__KEY_BYTES ((int)sizeof(slm_real))

static uint64_t slm__key(slm_real score) {
    const uint64_t sign = (uint64_t)1 << (8 * SLM__KEY_BYTES - 1);
    uint64_t bits;

    score += 0; /* -0 becomes +0: they tie */
    if (sizeof score == 4) {
        uint32_t word;
        memcpy(&word, &score, 4);
        bits = word;
    } else {
        memcpy(&bits, &score, 8);
    }
    return bits & sign ? (~bits) & (sign | (sign - 1)) : bits | sign;
}

/* Where a ranking is cut: kept are the scores above `key`, and those equal to it before index
   tie_end. */
typedef struct slm__cut {
    uint64_t key;
    size_t tie_end;
} slm__cut;

static int slm__above_cut(const slm__cut *cut, slm_real score, size_t i) {
    uint64_t key = slm__key(score);

    return key > cut->key || (key == cut->key && i < cut->tie_end);
}

static slm_status slm__fail_group(slm_error *err) {
    return slm__fail(err, SLM_ERR_IO, "a callback of the group of processes failed");
}

/* counts (n) becomes the sum over all processes.  Returns 0 if that failed. */
static int slm__sum_over_group(const slm_group *group, uint64_t *counts, size_t n) {
    if (group == NULL || group->allreduce_counts == NULL) return 1;
    return group->allreduce_counts(group->user, counts, n) == 0;
}

/* *count becomes the sum of the counts of the processes before this one.  Returns 0 if that
   failed. */
static int slm__sum_before_me(const slm_group *group, uint64_t *count) {
    if (group == NULL || group->exscan_count == NULL) {
        *count = 0;
        return 1;
    }
    return group->exscan_count(group->user, count) == 0;
}

/* Counts, among the valid scores whose higher bytes are `prefix`, how often each value of the given
   byte occurs.  Byte SLM__KEY_BYTES - 1 is the highest; above it there is nothing to compare. */
static void slm__count_bytes(uint64_t counts[256], const slm_real *score, const uint8_t *valid,
                             size_t n, int byte, uint64_t prefix) {
    const int is_highest = byte == SLM__KEY_BYTES - 1;

    memset(counts, 0, 256 * sizeof counts[0]);
    for (size_t i = 0; i < n; i++) {
        if (!valid[i]) continue;

        const uint64_t key = slm__key(score[i]);
        if (is_highest || key >> (8 * (byte + 1)) == prefix) counts[key >> (8 * byte) & 255]++;
    }
}

/* Of the scores equal to key, the first `ties` over all processes are kept: sets the index before
   which those of this process lie. */
static slm_status slm__cut_ties(slm__cut *cut, const slm_real *score, const uint8_t *valid,
                                size_t n, uint64_t ties, const slm_group *group, slm_error *err) {
    uint64_t n_equal_before_me = 0;
    size_t i;

    if (group != NULL && group->exscan_count != NULL) {
        for (i = 0; i < n; i++)
            n_equal_before_me += valid[i] && slm__key(score[i]) == cut->key;
        if (!slm__sum_before_me(group, &n_equal_before_me)) return slm__fail_group(err);
    }

    uint64_t my_ties = ties > n_equal_before_me ? ties - n_equal_before_me : 0;
    for (i = 0; i < n && my_ties > 0; i++)
        my_ties -= valid[i] && slm__key(score[i]) == cut->key;
    cut->tie_end = i;
    return SLM_OK;
}

/* Finds the k-th highest of the valid scores, byte by byte: a histogram of the highest byte says in
   which bucket it lies, a histogram of the next byte within that bucket goes on, and so forth.
   Unlike a sort, this takes no memory, and over several processes it needs only the sums of their
   histograms to rank all scores together.  k is from 1 to the number of valid scores of all
   processes. */
static slm_status slm__find_cut(slm__cut *cut, const slm_real *score, const uint8_t *valid,
                                size_t n, uint64_t k, const slm_group *group, slm_error *err) {
    uint64_t counts[256];
    uint64_t rank = k; /* of the wanted score among those whose higher bytes are `prefix` */
    uint64_t prefix = 0;

    for (size_t i = 0; i < n; i++) {
        if (valid[i] && score[i] != score[i])
            return slm__fail(err, SLM_ERR_NOT_FINITE, "score %zu of %zu is not a number", i, n);
    }

    for (int byte = SLM__KEY_BYTES - 1; byte >= 0; byte--) {
        int bucket = 255;

        slm__count_bytes(counts, score, valid, n, byte, prefix);
        if (!slm__sum_over_group(group, counts, 256)) return slm__fail_group(err);

        while (bucket > 0 && counts[bucket] < rank) {
            rank -= counts[bucket]; /* all of this bucket is above the wanted score */
            bucket--;
        }
        prefix = prefix << 8 | (uint64_t)bucket;
    }

    cut->key = prefix;
    return slm__cut_ties(cut, score, valid, n, rank, group, err);
}

SLM_API slm_status slm_select_top(uint8_t *mask, const slm_real *score, const uint8_t *valid,
                                  size_t n, size_t k, slm_error *err) {
    slm__cut cut = {0, 0};
    size_t n_valid = 0;

    for (size_t i = 0; i < n; i++) {
        mask[i] = valid == NULL || valid[i];
        n_valid += mask[i];
    }
    if (k > n_valid)
        return slm__fail(err, SLM_ERR_ARGUMENT, "k is %zu, but only %zu scores are valid", k,
                         n_valid);
    if (k == 0) {
        memset(mask, 0, n);
        return SLM_OK;
    }

    slm_status status = slm__find_cut(&cut, score, mask, n, k, NULL, err);
    if (status != SLM_OK) return status;
    for (size_t i = 0; i < n; i++)
        mask[i] = mask[i] && slm__above_cut(&cut, score[i], i);
    return SLM_OK;
}

/* ---- selection within one group of targets, and by scope ---- */

/* Targets that are ranked among themselves. */
typedef struct slm__contest {
    slm_targets targets;
    const slm_select_options *options;
    uint64_t n_valid;  /* marked targets of all processes */
    uint64_t seed;     /* of random scores */
    slm_real *scratch; /* (n) scores */
} slm__contest;

/* Ranks the marked targets by one criterion: leaves the cut, and the scores in scratch. */
static slm_status slm__rank(slm__cut *cut, const uint8_t *mask, const slm__contest *c,
                            slm_criterion criterion, double ratio, slm_error *err) {
    const size_t k = slm_select_count(ratio, (size_t)c->n_valid);
    slm_status status = slm__scores(c->scratch, criterion, &c->targets, c->options, c->seed, err);

    if (status != SLM_OK) return status;
    return slm__find_cut(cut, c->scratch, mask, c->targets.n, k, c->targets.group, err);
}

/* Keeps what is among the best by -r, by -h, or by both: two rankings, each with its own ratio. */
static slm_status slm__keep_by_two(uint8_t *mask, const slm__contest *c, slm_error *err) {
    const slm_select_options *options = c->options;
    const int both = options->criterion == SLM_CRITERION_INTERSECT;
    slm__cut by_loss, by_entropy;
    slm_status status;

    status = slm__rank(&by_loss, mask, c, SLM_CRITERION_REF, options->ratio, err);
    if (status != SLM_OK) return status;
    status = slm__rank(&by_entropy, mask, c, SLM_CRITERION_ENTROPY, options->entropy_ratio, err);
    if (status != SLM_OK) return status;

    for (size_t i = 0; i < c->targets.n; i++) {
        if (!mask[i]) continue;

        int likely = slm__above_cut(&by_loss, -c->targets.ref_loss[i], i);
        int certain = slm__above_cut(&by_entropy, -c->targets.ref_entropy[i], i);
        mask[i] = (uint8_t)(both ? likely && certain : likely || certain);
    }
    return SLM_OK;
}

/* Keeps the best by one score. */
static slm_status slm__keep_by_one(uint8_t *mask, const slm__contest *c, slm_error *err) {
    slm__cut cut;
    slm_status status = slm__rank(&cut, mask, c, c->options->criterion, c->options->ratio, err);

    if (status != SLM_OK) return status;
    for (size_t i = 0; i < c->targets.n; i++)
        mask[i] = mask[i] && slm__above_cut(&cut, c->scratch[i], i);
    return SLM_OK;
}

/* mask holds 1 for the valid targets, and is cut down to those that are kept. */
static slm_status slm__decide(uint8_t *mask, slm__contest *c, slm_error *err) {
    c->n_valid = slm__count_marked(mask, c->targets.n);
    if (!slm__sum_over_group(c->targets.group, &c->n_valid, 1)) return slm__fail_group(err);

    if (c->options->criterion == SLM_CRITERION_NONE || c->n_valid == 0) return SLM_OK;
    if (slm__ranks_twice(c->options->criterion)) return slm__keep_by_two(mask, c, err);
    return slm__keep_by_one(mask, c, err);
}

/* The targets first .. first+n-1 of t, as targets of their own. */
static slm_targets slm__targets_part(const slm_targets *t, size_t first, size_t n) {
    slm_targets part = *t;

    if (t->loss != NULL) part.loss += first;
    if (t->ref_loss != NULL) part.ref_loss += first;
    if (t->ref_entropy != NULL) part.ref_entropy += first;
    if (t->targets != NULL) part.targets += first;
    part.n = n;
    return part;
}

/* Ranks the targets first .. first+n-1 among themselves. */
static slm_status slm__select_part(uint8_t *mask, const slm_targets *t, size_t first, size_t n,
                                   slm__contest *c, slm_error *err) {
    slm__contest part = *c;

    part.targets = slm__targets_part(t, first, n);
    part.seed = c->seed + first;
    return slm__decide(mask + first, &part, err);
}

SLM_API slm_status slm_select(uint8_t *mask, size_t *n_selected, const slm_targets *targets,
                              const slm_select_options *options, slm_real *scratch,
                              slm_error *err) {
    slm_status status = slm__select_options_check(options, err);
    slm_targets t = *targets;
    slm__contest contest;

    if (status != SLM_OK) return status;
    if (options->scope == SLM_SCOPE_SEQUENCE && (t.T < 1 || t.n % (size_t)t.T != 0))
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "selection by sequences: %zu targets are no whole sequences of T = %d",
                         t.n, (int)t.T);
    if (options->scope != SLM_SCOPE_BATCH) t.group = NULL; /* such a ranking stays in the process */

    memset(&contest, 0, sizeof contest);
    contest.options = options;
    contest.scratch = scratch;
    contest.seed = slm__select_seed(options, t.step);
    if (options->criterion == SLM_CRITERION_RANDOM) {
        /* Random numbers are those of the whole batch: this process begins behind the others. */
        uint64_t n_before_me = t.n;
        if (!slm__sum_before_me(t.group, &n_before_me)) return slm__fail_group(err);
        contest.seed += n_before_me * SLM__GOLDEN;
    }

    (void)slm__mark_valid(mask, t.targets, t.n);
    if (options->scope != SLM_SCOPE_SEQUENCE) {
        status = slm__select_part(mask, &t, 0, t.n, &contest, err);
    } else {
        const size_t T = (size_t)t.T;
        for (size_t first = 0; first < t.n && status == SLM_OK; first += T) {
            status = slm__select_part(mask, &t, first, T, &contest, err);
        }
    }
    if (status == SLM_OK) *n_selected = slm__count_marked(mask, t.n);
    return status;
}

/* Sums over the valid targets of one step, for the log: in double, and in order. */
typedef struct slm__loss_sums {
    double selected, unselected; /* nats */
    size_t n_selected, n_unselected;
} slm__loss_sums;

static slm__loss_sums slm__sum_losses(const slm_real *loss, const uint8_t *mask,
                                      const int32_t *targets, size_t n) {
    slm__loss_sums sums = {0, 0, 0, 0};

    for (size_t i = 0; i < n; i++) {
        if (targets[i] < 0) continue;

        if (mask[i]) {
            sums.selected += (double)loss[i];
            sums.n_selected++;
        } else {
            sums.unselected += (double)loss[i];
            sums.n_unselected++;
        }
    }
    return sums;
}

/* ==== >>vector ============================================================================== 3 ==
   How the loops of sections 4 and 5 become vector code, by any compiler and for any processor.
   No other section marks loops as vector code.  The rules of these three:

   1. The order of every sum is decided by the problem's shape alone, so the number of threads
      changes no bit.
   2. Vector code comes from plain loops, most of them of constant length.  There are no intrinsics.
   3. A kernel is written once, as an ordinary function slm__NAME_body.  SLM__DISPATCH compiles it
      for AVX-512, for AVX2 with FMA, and for whatever the build targets, and makes slm__NAME, which
      asks the processor at each call.  So -march does not matter, and AVX2 and AVX-512 give the
      same bits.
   4. A multiply-add is written slm__fma, never a * b + c: whether a compiler fuses the latter
      depends on its -std flag.                                                                   */

/* ---- what differs between compilers ----
   SLM__INLINE      makes a function that is always inlined: its caller's processor is its own.
   SLM__TILE_LOOP   precedes the loops over a tile's rows, which must not themselves become vector
                    code: the loop over its columns must.
   SLM__TILE_STEPS  precedes the loop over a tile's steps, for which the same holds.
   SLM__TILE_SIMD   precedes the loop over a tile's columns where it is outside the one over rows.
   SLM__SIMD        precedes a loop whose turns are independent, so that it may become vector code.
   SLM__PREFETCH    is a hint that the memory at p will be read (store = 0) or written (store = 1).
   SLM__TARGET_...  compiles a function for a processor.  It is not inlined, since its caller is
                    compiled for another one.                                                    */
#if defined(__aarch64__)
#define SLM__AARCH64 1
#else
#define SLM__AARCH64 0
#endif

#if defined(__clang__)
#define SLM__INLINE static inline __attribute__((always_inline))
/* At -O3 clang 14 unrolls the AVX2 tile first and then vectorizes the wrong loop of it. */
#define SLM__TILE_LOOP _Pragma("clang loop vectorize(disable)")
#define SLM__TILE_STEPS SLM__TILE_LOOP
#define SLM__SIMD _Pragma("clang loop vectorize(assume_safety)")
/* For AArch64 clang 14 at -O2 makes vectors of a tile only if the loop over its columns is outside,
   and later versions at any level only if that loop is one turn of four vectors. */
#define SLM__COLUMNS_OUTSIDE SLM__AARCH64
#if __clang_major__ > 14
#define SLM__TILE_SIMD                                                                             \
    _Pragma("clang loop vectorize(assume_safety) interleave_count(4) unroll(disable)")
#else
#define SLM__TILE_SIMD SLM__SIMD
#endif
#define SLM__PREFETCH(p, store) __builtin_prefetch(p, store)
#define SLM__TARGET_AVX512                                                                         \
    __attribute__((noinline, target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,prfchw"),         \
                   min_vector_width(512)))
#define SLM__TARGET_AVX2 __attribute__((noinline, target("avx2,fma,prfchw")))
#define SLM__TARGET_PLAIN __attribute__((noinline))

#elif defined(__GNUC__)
#define SLM__INLINE static inline __attribute__((always_inline))
#define SLM__TILE_LOOP _Pragma("GCC unroll 8")
#define SLM__COLUMNS_OUTSIDE 0
#define SLM__PREFETCH(p, store) __builtin_prefetch(p, store)
#if SLM__AARCH64
/* Sixteen floats are four registers.  The steps of a tile are not unrolled, and instructions stay
   in their order until they have registers: else numbers are loaded so early that there are not
   enough registers for the sums. */
#define SLM__TILE_STEPS _Pragma("GCC unroll 1")
#define SLM__SIMD _Pragma("GCC ivdep") _Pragma("GCC unroll 4")
#define SLM__TARGET_PLAIN                                                                          \
    __attribute__((noinline, optimize("vect-cost-model=dynamic", "no-schedule-insns")))
#else
#define SLM__TILE_STEPS SLM__TILE_LOOP
#define SLM__TARGET_PLAIN __attribute__((noinline))
#ifdef _OPENMP
#define SLM__SIMD SLM__PRAGMA(omp simd)
#define SLM__VECTORIZE
#else
/* gcc 12 makes vector code of a loop before it follows "unroll 2".  Its cost model at -O2 would
   make none of a loop with a remainder. */
#define SLM__SIMD _Pragma("GCC ivdep") _Pragma("GCC unroll 2")
#define SLM__VECTORIZE optimize("vect-cost-model=dynamic"),
#endif
#endif
#define SLM__TARGET_AVX512                                                                         \
    __attribute__((noinline, SLM__VECTORIZE target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,"  \
                                                   "prfchw,prefer-vector-width=512")))
#define SLM__TARGET_AVX2 __attribute__((noinline, SLM__VECTORIZE target("avx2,fma,prfchw")))

#else
#define SLM__INLINE static inline
#define SLM__TILE_LOOP
#define SLM__TILE_STEPS
#define SLM__COLUMNS_OUTSIDE 0
#ifdef _MSC_VER
#define SLM__SIMD __pragma(loop(ivdep))
#else
#define SLM__SIMD SLM__PRAGMA(omp simd)
#endif
#define SLM__TARGET_PLAIN
#define SLM__PREFETCH(p, store) (void)0
#endif

#ifndef SLM__TILE_SIMD
#define SLM__TILE_SIMD SLM__SIMD
#endif

/* A loop over i = 0 .. n-1 whose turns are independent. */
#define SLM__VECTOR_FOR(i, n) SLM__SIMD for (size_t i = 0; i < (n); i++)

/* ---- dispatch: one body, a function for each instruction set, and one that chooses ---- */
enum { SLM__ISA_PLAIN, SLM__ISA_AVX2, SLM__ISA_AVX512 };

/* The instruction set that kernels use.  Tests replace the macro, to run every variant. */
#ifndef SLM__ISA
#define SLM__ISA() slm__isa()
#endif

/* With the type of a function behind it: the word `return`, where the type is not void. */
#define SLM__RETURN_void
#define SLM__RETURN_slm_real return
#define SLM__LIST(...) __VA_ARGS__ /* takes the parentheses off */

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
static int slm__isa(void) {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return SLM__ISA_PLAIN;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
        return SLM__ISA_AVX512;
    return SLM__ISA_AVX2;
}

/* A call of the variant of `name` for a given instruction set.  Inside a kernel, whose `isa` is
   known to the compiler, it is a direct call. */
#define SLM__CALL(isa, type, name, arguments)                                                      \
    if ((isa) == SLM__ISA_AVX512)                                                                  \
        SLM__RETURN_##type name##_avx512 arguments;                                                \
    else if ((isa) == SLM__ISA_AVX2)                                                               \
        SLM__RETURN_##type name##_avx2 arguments;                                                  \
    else                                                                                           \
        SLM__RETURN_##type name##_plain arguments

/* Makes the function `name` of name##_body, whose first parameter, `isa`, it adds. */
#define SLM__DISPATCH(type, name, parameters, arguments)                                           \
    SLM__TARGET_AVX512 static type name##_avx512 parameters {                                      \
        SLM__RETURN_##type name##_body(SLM__ISA_AVX512, SLM__LIST arguments);                      \
    }                                                                                              \
    SLM__TARGET_AVX2 static type name##_avx2 parameters {                                          \
        SLM__RETURN_##type name##_body(SLM__ISA_AVX2, SLM__LIST arguments);                        \
    }                                                                                              \
    SLM__TARGET_PLAIN static type name##_plain parameters {                                        \
        SLM__RETURN_##type name##_body(SLM__ISA_PLAIN, SLM__LIST arguments);                       \
    }                                                                                              \
    static SLM__MAYBE_UNUSED type name parameters {                                                \
        SLM__CALL(SLM__ISA(), type, name, arguments);                                              \
    }

#else
SLM__INLINE int slm__isa(void) {
    return SLM__ISA_PLAIN;
}

#define SLM__CALL(isa, type, name, arguments) SLM__RETURN_##type name arguments
#define SLM__DISPATCH(type, name, parameters, arguments)                                           \
    SLM__TARGET_PLAIN static SLM__MAYBE_UNUSED type name parameters {                              \
        SLM__RETURN_##type name##_body(SLM__ISA_PLAIN, SLM__LIST arguments);                       \
    }
#endif

/* ---- small arithmetic ---- */
/* a b + c, rounded once where the processor can, twice elsewhere. */
SLM__INLINE slm_real slm__fma(int isa, slm_real a, slm_real b, slm_real c) {
#if defined(__GNUC__) || defined(__clang__)
#if defined(__FMA__) || defined(__FP_FAST_FMA) || defined(__aarch64__)
    const int fused = 1;
#else
    const int fused = isa != SLM__ISA_PLAIN;
#endif
    if (fused && sizeof(slm_real) == sizeof(float))
        return (slm_real)__builtin_fmaf((float)a, (float)b, (float)c);
    if (fused) return (slm_real)__builtin_fma((double)a, (double)b, (double)c);
#endif
    (void)isa;
    return a * b + c;
}

/* Numbers in a cache line of 64 bytes (float), or in two lines (double). */
enum { SLM__CACHE_LINE = 16 };

/* The number of blocks of a given size that cover n. */
static size_t slm__n_blocks(size_t n, size_t size) {
    return (n + size - 1) / size;
}

/* The least multiple of `unit` that is not below n. */
static size_t slm__round_up(size_t n, size_t unit) {
    return slm__n_blocks(n, unit) * unit;
}

/* Work up to which one thread is faster than several, because starting a team of threads takes some
   microseconds.  Found by trial on two-core x86 machines; no result depends on them. */
enum {
    /* Multiply-adds of a product by slm__gemm, whose threads also wait for each other. */
    SLM__PARALLEL_GEMM = 262144,
    /* Multiply-adds of any other product: a matrix times a vector, one layer's attention. */
    SLM__PARALLEL_MULTIPLY_ADDS = 65536,
    /* Elements that are only copied. */
    SLM__PARALLEL_COPIES = 65536,
    /* Elements on which a few operations are done: a norm, a rotation, a softmax of logits. */
    SLM__PARALLEL_ELEMENTS = 16384,
    /* Elements that take an exponential and a division each. */
    SLM__PARALLEL_EXPONENTIALS = 4096
};

/* ---- one thread, or all of them ----
   Threads that share work wait for the last of them.  Where other programs want the processor too,
   that one comes milliseconds late, and one thread alone would have been done many times sooner.
   So a tape and a generator, which do much small work, keep an account of their products.  It knows
   how long one thread takes for a multiply-add, gains what all threads save, and pays what they
   cost.  A trial begins with SLM__TEAM_GRANT on the account.  Where it would fall below zero, one
   thread does all for a time that is SLM__TEAM_REST times as long as what the trial cost, and then
   all are tried again: twice as long for each trial in a row that failed.  What is not a product
   is not measured: it is shared only while the account holds a quarter of its most.  And where one
   thread that works alone is kept from the processor, all would be too, so that small products are
   not tried at all.  So what the trials cost is a small share of the time, and all threads are
   hardly ever slower than one.

   The number of threads changes no bit, so the clock cannot either.  Nothing of OpenMP is set: the
   caller's threads, their number and how they wait are what they were. */
enum {
    SLM__TEAM_SIZES = 24,  /* products are told apart by size: powers of two */
    SLM__TEAM_SMALL = 8,   /* products below this size begin on one thread, which is measured ... */
    SLM__TEAM_SAMPLES = 3, /* ... at least so many times */
    SLM__TEAM_REST = 300,
    SLM__TEAM_MOST_FAILURES = 4
};
#define SLM__TEAM_CREDIT 0.004 /* seconds: what was saved long ago does not count */
#define SLM__TEAM_GRANT 0.0005 /* seconds that a trial may cost before it has failed */
#define SLM__TEAM_WATCH 0.3    /* seconds that one thread is watched before all are tried */
#define SLM__TEAM_LATE 0.02    /* share of this time by which it may be late */
#define SLM__TEAM_TICK 0.0005  /* seconds: less is no work of another program */

/* Tests that want all threads to work, always, replace it by 0. */
#ifndef SLM__TEAM_JUDGES
#define SLM__TEAM_JUDGES 1
#endif

typedef struct slm__team {
    int most;                     /* threads that the largest work so far can use */
    int alone;                    /* 1: the last product was for one thread */
    double credit;                /* seconds */
    double watched;               /* on the clock: since then one thread is watched; 0: never */
    double late;                  /* seconds by which its products were late since then */
    double rest;                  /* on the clock: until then one thread does all */
    int n_failures;               /* trials in a row that failed */
    double pace[SLM__TEAM_SIZES]; /* seconds that one thread takes for a multiply-add */
    int n_samples[SLM__TEAM_SIZES];
} slm__team;

/* One product, from begin to end. */
typedef struct slm__team_turn {
    int threads;  /* that do it */
    int size;     /* what its pace is filed under */
    double start; /* on the clock; 0: it is not judged */
} slm__team_turn;

/* How many threads could share the work, each with at least a grain of it.  The number never falls:
   GNU's OpenMP would end threads, and start them anew. */
static int slm__team_all(slm__team *team, size_t work, size_t grain) {
    const int useful = (int)slm__min(work / grain, SLM__MOST_THREADS - 1) + 1;

    if (team->most < useful) team->most = useful;
    return (int)slm__min((size_t)SLM__THREADS(), (size_t)team->most);
}

/* How many threads share work that is not a product: one, or all where those that shared the last
   product are known to save time. */
static int slm__team_share(slm__team *team, size_t work, size_t grain) {
    const int all = slm__team_all(team, work, grain);
    const int saves = !SLM__TEAM_JUDGES || team->credit >= SLM__TEAM_CREDIT / 4;

    return work > grain && saves && !team->alone ? all : 1;
}

/* The pace of one thread at this size, or at the next smaller one that is known; 0: unknown. */
static double slm__team_pace(const slm__team *team, int size) {
    for (int i = size; i > 0; i--)
        if (team->n_samples[i] > 0) return team->pace[i];
    return team->pace[0];
}

/* Returns 1 if one thread shall do the product: so that its pace is known, or because other work
   kept it from the processor; then it is watched anew. */
static int slm__team_watches(slm__team *team, const slm__team_turn *turn) {
    const double seconds = turn->start - team->watched;

    if (turn->size >= SLM__TEAM_SMALL) return 0;
    if (seconds < SLM__TEAM_WATCH || team->n_samples[turn->size] < SLM__TEAM_SAMPLES) return 1;
    if (!team->alone || team->late <= SLM__TEAM_LATE * seconds) return 0;
    team->watched = turn->start;
    team->late = 0;
    return 1;
}

/* A product begins.  work: its multiply-adds. */
static slm__team_turn slm__team_begin(slm__team *team, size_t work, size_t grain) {
    const int all = slm__team_all(team, work, grain);
    slm__team_turn turn = {1, 0, 0};

    if (work <= grain) return turn;
    turn.threads = all;
    if (all == 1 || !SLM__TEAM_JUDGES) return turn;

    for (size_t grains = work / grain; grains > 1 && turn.size < SLM__TEAM_SIZES - 1; grains /= 2)
        turn.size++;
    turn.start = SLM__CLOCK();
    if (team->watched <= 0) {
        team->watched = turn.start;
        team->credit = SLM__TEAM_GRANT;
    }
    team->alone = turn.start < team->rest || slm__team_watches(team, &turn);
    if (team->alone) turn.threads = 1;
    return turn;
}

/* One thread took so many seconds for the work.  The fastest pace is kept, and drifts with later
   ones. */
static void slm__team_learn(slm__team *team, int size, size_t work, double seconds) {
    const double pace = seconds / (double)work;
    const double expected = slm__team_pace(team, size) * (double)work;
    double *known = &team->pace[size];

    if (expected > 0 && seconds > 2 * expected && seconds - expected > SLM__TEAM_TICK)
        team->late += seconds - expected;

    if (team->n_samples[size] == 0 || pace < *known) {
        *known = pace;
    } else {
        *known += (pace - *known) / 16;
    }
    if (team->n_samples[size] < SLM__TEAM_SAMPLES) team->n_samples[size]++;
}

/* The product is done. */
static void slm__team_end(slm__team *team, slm__team_turn turn, size_t work) {
    if (turn.start <= 0) return;
    const double now = SLM__CLOCK();
    const double seconds = now - turn.start;
    const double pace = slm__team_pace(team, turn.size);
    double cost = 0; /* of a trial that failed */

    if (turn.threads == 1) {
        slm__team_learn(team, turn.size, work, seconds);
        return;
    }
    if (pace <= 0) {
        team->credit = SLM__TEAM_CREDIT; /* Nothing speaks against all threads. */
        return;
    }
    team->credit = fmin(team->credit + pace * (double)work - seconds, SLM__TEAM_CREDIT);
    if (team->credit >= SLM__TEAM_CREDIT) team->n_failures = 0;
    if (team->credit >= 0) return;
    cost = SLM__TEAM_GRANT - team->credit;
    team->rest = now + cost * (double)(SLM__TEAM_REST << team->n_failures);
    if (team->n_failures < SLM__TEAM_MOST_FAILURES) team->n_failures++;
    team->credit = SLM__TEAM_GRANT;
    team->watched = now;
    team->late = 0;
}

/* ==== >>gemm ================================================================================ 4 ==
   The matrix product C = op(A) op(B) or C += op(A) op(B): sums in registers, blocks in caches.   */

/* ---- matrices ---- */
typedef enum slm__gemm_op {
    SLM__NN, /* A (m,k)  B (k,n) */
    SLM__NT, /* A (m,k)  B (n,k): B is transposed */
    SLM__TN  /* A (k,m)  B (k,n): A is transposed */
} slm__gemm_op;

/* What happens to the numbers that the output of a kernel held before. */
enum { SLM__OVERWRITE, SLM__ADD };

/* A matrix to be read.  Row i begins at p + i ld or, with a list of rows, at p + rows[i] ld: so a
   product reads the few rows that selection leaves (the live rows of >>tape) where they lie, and
   they need not be copied together. */
typedef struct slm__mat {
    const slm_real *p;
    size_t ld;           /* leading dimension: numbers from one row to the next */
    const int32_t *rows; /* none is below 0; NULL: all rows in their order */
} slm__mat;

/* A matrix to be written; another type, because p is not const.  No row may be listed twice: two
   threads would write to it at once. */
typedef struct slm__mat_out {
    slm_real *p;
    size_t ld;
    const int32_t *rows;
} slm__mat_out;

static slm__mat slm__matrix(const slm_real *p, size_t ld, const int32_t *rows) {
    slm__mat a = {p, ld, rows};
    return a;
}

static slm__mat_out slm__matrix_out(slm_real *p, size_t ld, const int32_t *rows) {
    slm__mat_out c = {p, ld, rows};
    return c;
}

/* Returns where row i of the product begins: with a list, row rows[i] of the numbers at p. */
static const slm_real *slm__mat_row(slm__mat a, size_t i) {
    size_t row = a.rows != NULL ? (size_t)a.rows[i] : i;
    return a.p + row * a.ld;
}

static slm_real *slm__mat_out_row(slm__mat_out c, size_t i) {
    size_t row = c.rows != NULL ? (size_t)c.rows[i] : i;
    return c.p + row * c.ld;
}

/* The part of a matrix that begins at a row and a column.  With a list of rows it is the list that
   begins later: p moves to the column only, because rows[i] still counts from the first row. */
static slm__mat slm__submatrix(slm__mat a, size_t row, size_t col) {
    if (a.rows != NULL)
        a.rows += row;
    else
        a.p += row * a.ld;
    a.p += col;
    return a;
}

static slm__mat_out slm__submatrix_out(slm__mat_out c, size_t row, size_t col) {
    if (c.rows != NULL)
        c.rows += row;
    else
        c.p += row * c.ld;
    c.p += col;
    return c;
}

/* A from row i of op(A) and step k on; B from step k and column j of op(B) on. */
static slm__mat slm__part_of_a(slm__gemm_op op, slm__mat A, size_t i, size_t k) {
    return op == SLM__TN ? slm__submatrix(A, k, i) : slm__submatrix(A, i, k);
}

static slm__mat slm__part_of_b(slm__gemm_op op, slm__mat B, size_t k, size_t j) {
    return op == SLM__NT ? slm__submatrix(B, j, k) : slm__submatrix(B, k, j);
}

/* ---- the blocking ----
   The product makes m n sums of k steps each.  Written as three plain loops, every multiply-add
   fetches two numbers, and a processor multiplies far faster than memory delivers.  So a number
   that has been fetched must be used many times while it is near: in a register, in the L1 cache,
   in the L2 cache.  The plan is that of BLIS (Van Zee and van de Geijn, 2015), and so are the
   letters MR, NR, MC, KC and NC.

                          n_block columns
                   +-----+================+-----+        C = op(A) op(B) is made in parts.  A part
           k_block |  B  | :  :  :  :  :  |     |        takes k_block steps of the sums of n_block
                   +-----+================+-----+        columns.  What it needs of B is packed into
                                                         slivers: what is between two colons.
              k_block                                    A thread takes m_block rows of A and C at a
         +---+====+---+  +-----+----------------+-----+  time, and runs the tile kernel on every MR
 m_block | A |    |   |  |  C  |     []         |     |  of them and every sliver.
         +---+====+---+  +-----+----------------+-----+  []: a tile of C, MR rows and NR columns.

   The tile: MR x NR elements of C, whose sums stay in registers while k runs down a block.  A step
   reads MR numbers of A and NR numbers of B and makes MR NR multiply-adds of them (8 x 32: 256 of
   40 numbers).  MR and NR are as large as the registers of the instruction set allow.  Then the
   tile is stored in C or added to it.

   The sliver: NR columns of op(B), packed, that is copied so that the NR numbers of a step lie side
   by side and the next step follows.  A tile reads its sliver from front to back, in whole vectors.
   The copy is made once and read m / MR times.  If the last sliver has fewer than NR columns, it is
   filled up with other numbers, and the sums made of these are not stored.

   The panel: the same for A, MR rows of op(A) with the MR numbers of a step side by side.  A tile
   then has one stream of numbers to read instead of MR rows.

   Whether A is packed.  A tile of AVX-512 has so much arithmetic in a step that it can read its MR
   rows of A where they are: they stay in the L1 cache while all slivers of the part, which stay in
   L2, go by.  Smaller tiles have less time for each number, so A is packed, and it is the sliver
   that stays in L1 while all panels, which stay in L2, go by.  AVX-512 packs A as well where it
   would have to read down a column of rows that are listed or far apart: caches keep few of them.

   Why no bit depends on any of this.  An element of C is one chain of multiply-adds in the order of
   k for each k_block, and the chains are added in their order.  k_block depends on k only; tiles,
   threads, n_block and m_block decide who does it and when, not what is done.                    */

/* Sizes in rows, columns and steps.  They follow from the sizes of registers and caches, and were
   settled by trial on x86 machines.  A change of KC changes bits, a change of the others none. */
enum {
    SLM__MR_MAX = 8,  /* rows of the largest tile */
    SLM__NR_MAX = 32, /* columns of the largest tile; n_block is a multiple of it */
    SLM__MR_LOW = 4,  /* rows of a lower tile, for the last rows of C */

    /* The most steps of a block.  A sliver of AVX2, 16 x 512 floats, takes 32 KiB, and the panel
       that passes along it 12 KiB: an L1 cache of 48 KiB holds both, one of 32 KiB nearly. */
    SLM__KC = 512,
    /* The most rows of A that are packed at a time: with KC steps, 192 KiB of the L2 cache. */
    SLM__MC = 96,
    /* The most rows at a time where A is not packed: few, so that all threads have equally many. */
    SLM__MC_IN_PLACE = 16,
    /* Columns of a part of B with KC steps: 2 MiB, for the L3 cache, which threads share. */
    SLM__NC = 1024,
    /* The same with AVX-512: 512 KiB, for the L2 cache of each core. */
    SLM__NC_AVX512 = 256,
    /* Bytes.  A transposed A is packed if its rows lie at least this far apart: a tile that reads
       down its columns would touch another page of memory at every step, more than the processor
       knows the addresses of, and take twice the time. */
    SLM__PAGE = 4096,

    SLM__PACK_ROWS = 8,   /* rows that packing reads side by side */
    SLM__PACK_STEPS = 16  /* numbers that it takes of each: a cache line of floats */
};

/* Columns and rows of a tile: 8 x 32 floats are 16 registers of the 32 of AVX-512, 6 x 16 are 12 of
   the 16 of AVX2, 4 x 8 are 8 of the 16 of SSE.  6 x 16 are also 24 of the 32 of AArch64, where
   four pipes have 16 multiply-adds under way.  A register holds half as many doubles. */
#define SLM__TILE_SIZE(isa) (SLM__AARCH64 ? SLM__ISA_AVX2 : (isa))
#define SLM__NR(isa) ((size_t)(32 << SLM__TILE_SIZE(isa)) / sizeof(slm_real))
#define SLM__MR(isa) ((size_t)(4 + 2 * SLM__TILE_SIZE(isa)))

/* ---- packing: slivers and panels ---- */
/* t[k][j] = row[j][k] for 8 rows and 16 steps.  Compilers turn the loop into vector shuffles. */
SLM__INLINE void slm__transpose_square(const slm_real *const *row, size_t k, slm_real *t) {
    const slm_real *row0 = row[0] + k;
    const slm_real *row1 = row[1] + k;
    const slm_real *row2 = row[2] + k;
    const slm_real *row3 = row[3] + k;
    const slm_real *row4 = row[4] + k;
    const slm_real *row5 = row[5] + k;
    const slm_real *row6 = row[6] + k;
    const slm_real *row7 = row[7] + k;

    SLM__VECTOR_FOR(l, SLM__PACK_STEPS) {
        slm_real *to = t + SLM__PACK_ROWS * l;
        to[0] = row0[l];
        to[1] = row1[l];
        to[2] = row2[l];
        to[3] = row3[l];
        to[4] = row4[l];
        to[5] = row5[l];
        to[6] = row6[l];
        to[7] = row7[l];
    }
}

/* to[k][j] = b[j][k] for one sliver, `width` rows of b.  Rows from n on are replaced by row 0. */
SLM__INLINE void slm__pack_transposed_sliver(slm__mat b, size_t n, size_t depth, const size_t width,
                                             slm_real *to) {
    const size_t used = width < SLM__PACK_ROWS ? width : (size_t)SLM__PACK_ROWS;

    for (size_t j0 = 0; j0 < width; j0 += SLM__PACK_ROWS) {
        const slm_real *row[SLM__PACK_ROWS];
        const slm_real *next[SLM__PACK_ROWS]; /* the same rows of the next sliver */

        for (size_t j = 0; j < SLM__PACK_ROWS; j++)
            row[j] = slm__mat_row(b, j0 + j < n ? j0 + j : 0);
        for (size_t j = 0; j < SLM__PACK_ROWS; j++)
            next[j] = slm__mat_row(b, j0 + width + j < n ? j0 + width + j : 0);

        for (size_t k0 = 0; k0 < depth; k0 += SLM__PACK_STEPS) {
            slm_real square[SLM__PACK_STEPS * SLM__PACK_ROWS];
            slm_real *column = to + k0 * width + j0;

            for (size_t j = 0; j < SLM__PACK_ROWS; j++)
                SLM__PREFETCH(next[j] + k0, 0);
            if (depth - k0 >= SLM__PACK_STEPS) {
                slm__transpose_square(row, k0, square);
                for (size_t k = 0; k < SLM__PACK_STEPS; k++)
                    memcpy(column + k * width, square + k * SLM__PACK_ROWS,
                           used * sizeof(slm_real));
            } else {
                for (size_t k = 0; k < depth - k0; k++)
                    for (size_t j = 0; j < used; j++)
                        column[k * width + j] = row[j][k0 + k];
            }
        }
    }
}

/* The transpose of b (n, depth) in slivers, one after the other. */
SLM__INLINE void slm__pack_transposed(slm__mat b, size_t n, size_t depth, const size_t width,
                                      slm_real *to) {
    for (size_t j = 0; j < n; j += width)
        slm__pack_transposed_sliver(slm__submatrix(b, j, 0), n - j, depth, width, to + j * depth);
}

/* b (depth, n) in slivers, one after the other.  Eight rows of b are read side by side, so that
   eight steps of a sliver are written at a time. */
SLM__INLINE void slm__pack_straight(slm__mat b, size_t n, size_t depth, const size_t width,
                                    slm_real *to) {
    for (size_t k0 = 0; k0 < depth; k0 += SLM__PACK_ROWS)
        for (size_t j0 = 0; j0 < n; j0 += width)
            for (size_t k = k0; k < k0 + SLM__PACK_ROWS && k < depth; k++) {
                slm_real *step = to + j0 * depth + k * width;
                const slm_real *from = slm__mat_row(b, k) + j0;

                if (k + SLM__PACK_ROWS < depth)
                    SLM__PREFETCH(slm__mat_row(b, k + SLM__PACK_ROWS) + j0, 0);
                if (n - j0 >= width)
                    memcpy(step, from, width * sizeof(slm_real));
                else
                    for (size_t j = 0; j < width; j++)
                        step[j] = j < n - j0 ? from[j] : 0;
            }
}

/* n columns of op(B) in slivers. */
SLM__INLINE void slm__pack_b_body(int isa, slm__gemm_op op, slm__mat b, size_t n, size_t depth,
                                  slm_real *slivers) {
    if (op == SLM__NT)
        slm__pack_transposed(b, n, depth, SLM__NR(isa), slivers);
    else
        slm__pack_straight(b, n, depth, SLM__NR(isa), slivers);
}
SLM__DISPATCH(void, slm__pack_b,
              (slm__gemm_op op, slm__mat b, size_t n, size_t depth, slm_real *slivers),
              (op, b, n, depth, slivers))

/* m rows of op(A) in panels. */
SLM__INLINE void slm__pack_a_body(int isa, slm__gemm_op op, slm__mat a, size_t m, size_t depth,
                                  slm_real *panels) {
    if (op == SLM__TN)
        slm__pack_straight(a, m, depth, SLM__MR(isa), panels);
    else
        slm__pack_transposed(a, m, depth, SLM__MR(isa), panels);
}
SLM__DISPATCH(void, slm__pack_a,
              (slm__gemm_op op, slm__mat a, size_t m, size_t depth, slm_real *panels),
              (op, a, m, depth, panels))

/* ---- the tile ---- */
/* sums_ij = sum over k of a_ik b_kj, for `rows` rows and NR columns.  a_ik is panel[k a_step + i],
   or if there is no panel a_row[i][k a_step].  Both `rows` and whether there is a panel must be
   constants where this is inlined: only then do the sums become registers. */
SLM__INLINE void slm__tile_accumulate(int isa, const size_t rows, size_t depth,
                                      const slm_real *panel, const slm_real *const *a_row,
                                      size_t a_step, const slm_real *sliver, slm_real *sums) {
    const size_t NR = SLM__NR(isa);
    const slm_real *row[SLM__MR_MAX];
    slm_real sum[SLM__MR_MAX * SLM__NR_MAX];
    size_t a_index = 0;

    SLM__TILE_LOOP
    for (size_t i = 0; i < rows; i++) {
        /* cppcheck-suppress nullPointer ; a_row is read only where there is no panel. */
        row[i] = panel != NULL ? NULL : a_row[i];
        SLM__VECTOR_FOR(j, NR) {
            sum[i * NR + j] = 0;
        }
    }

    SLM__TILE_STEPS
    for (size_t k = 0; k < depth; k++) {
#if SLM__COLUMNS_OUTSIDE
        SLM__TILE_SIMD
        for (size_t j = 0; j < NR; j++) {
            SLM__TILE_LOOP
            for (size_t i = 0; i < rows; i++) {
                const slm_real x = panel != NULL ? panel[a_index + i] : row[i][a_index];
                sum[i * NR + j] = slm__fma(isa, x, sliver[j], sum[i * NR + j]);
            }
        }
#else
        SLM__TILE_LOOP
        for (size_t i = 0; i < rows; i++) {
            const slm_real x = panel != NULL ? panel[a_index + i] : row[i][a_index];
            SLM__VECTOR_FOR(j, NR) {
                sum[i * NR + j] = slm__fma(isa, x, sliver[j], sum[i * NR + j]);
            }
        }
#endif
        a_index += a_step;
        sliver += NR;
    }

    SLM__TILE_LOOP
    for (size_t i = 0; i < rows; i++) {
        SLM__VECTOR_FOR(j, NR) {
            sums[i * NR + j] = sum[i * NR + j];
        }
    }
}

/* The sums of a tile, of MR rows or of MR_LOW if that is enough.  A is `panel`, or if that is NULL
   the rows a_row.  It is a kernel of its own, because compilers that inline it into slm__block keep
   the sums in memory. */
SLM__INLINE void slm__tile_body(int isa, size_t rows, size_t depth, const slm_real *panel,
                                const slm_real *const *a_row, size_t a_step, const slm_real *sliver,
                                slm_real *sums) {
    const size_t MR = SLM__MR(isa);

    if (panel != NULL && rows > SLM__MR_LOW)
        slm__tile_accumulate(isa, MR, depth, panel, NULL, MR, sliver, sums);
    else if (panel != NULL)
        slm__tile_accumulate(isa, SLM__MR_LOW, depth, panel, NULL, MR, sliver, sums);
    else if (rows > SLM__MR_LOW)
        slm__tile_accumulate(isa, MR, depth, NULL, a_row, a_step, sliver, sums);
    else
        slm__tile_accumulate(isa, SLM__MR_LOW, depth, NULL, a_row, a_step, sliver, sums);
}
SLM__DISPATCH(void, slm__tile,
              (size_t rows, size_t depth, const slm_real *panel, const slm_real *const *a_row,
               size_t a_step, const slm_real *sliver, slm_real *sums),
              (rows, depth, panel, a_row, a_step, sliver, sums))

/* Stores the first `cols` sums of each row of a tile in C from column j0 on, or adds them. */
SLM__INLINE void slm__tile_store(int isa, const slm_real *sums, size_t rows, size_t cols, int add,
                                 slm_real *const *c_row, size_t j0) {
    const size_t NR = SLM__NR(isa);

    for (size_t i = 0; i < rows; i++) {
        const slm_real *from = sums + i * NR;
        slm_real *to = c_row[i] + j0;

        if (cols < NR) {
            for (size_t j = 0; j < cols; j++)
                to[j] = add ? to[j] + from[j] : from[j];
        } else if (add) {
            SLM__VECTOR_FOR(j, NR) {
                to[j] += from[j];
            }
        } else {
            memcpy(to, from, NR * sizeof(slm_real));
        }
    }
}

/* ---- the block: the tiles of some rows and slivers ---- */
/* C (rows, cols) = op(A) (rows, depth) B, or added.  B is packed into slivers, each `sliver_depth`
   steps long, of which the first `depth` count.  A is packed into panels, or read in place if
   panels is NULL. */
SLM__INLINE void slm__block_body(int isa, slm__gemm_op op, size_t rows, size_t cols, size_t depth,
                                 slm__mat a, const slm_real *panels, const slm_real *slivers,
                                 size_t sliver_depth, int add, slm__mat_out c) {
    const size_t MR = SLM__MR(isa);
    const size_t NR = SLM__NR(isa);
    /* Rows that stay while the slivers go by: those of one tile in L1, or all in L2 (see above). */
    const size_t group = isa == SLM__ISA_AVX512 ? MR : (size_t)SLM__MC;
    const size_t a_step = op == SLM__TN ? a.ld : 1;
    const slm_real *a_row[SLM__MC + SLM__MR_MAX];
    slm_real *c_row[SLM__MC];
    slm_real sums[SLM__MR_MAX * SLM__NR_MAX];

    for (size_t i0 = 0; i0 < rows; i0 += group) {
        const size_t height = slm__min(rows - i0, group);

        /* A tile reads MR rows of A.  Those beyond the last are any row: they are not stored. */
        for (size_t i = 0; i < height + MR && panels == NULL; i++) {
            const size_t row = i0 + (i < height ? i : 0);
            a_row[i] = op == SLM__TN ? a.p + row : slm__mat_row(a, row);
        }
        for (size_t i = 0; i < height; i++)
            c_row[i] = slm__mat_out_row(c, i0 + i);

        for (size_t j0 = 0; j0 < cols; j0 += NR)
            for (size_t i = 0; i < height; i += MR) {
                const size_t tile_rows = slm__min(height - i, MR);
                const size_t tile_cols = slm__min(cols - j0, NR);
                const slm_real *panel = panels != NULL ? panels + (i0 + i) * depth : NULL;

                for (size_t r = i; r < i + tile_rows; r++)
                    for (size_t j = 0; j < tile_cols; j += SLM__CACHE_LINE)
                        SLM__PREFETCH(c_row[r] + j0 + j, 1);
                SLM__CALL(isa, void, slm__tile,
                          (tile_rows, depth, panel, a_row + i, a_step, slivers + j0 * sliver_depth,
                           sums));
                slm__tile_store(isa, sums, tile_rows, tile_cols, add, c_row + i, j0);
            }
    }
}
SLM__DISPATCH(void, slm__block,
              (slm__gemm_op op, size_t rows, size_t cols, size_t depth, slm__mat a,
               const slm_real *panels, const slm_real *slivers, size_t sliver_depth, int add,
               slm__mat_out c),
              (op, rows, cols, depth, a, panels, slivers, sliver_depth, add, c))

/* ---- the product ---- */
/* How slm__gemm cuts a product into blocks, and where it packs them. */
typedef struct slm__gemm_plan {
    size_t k_block;       /* steps of the sums that are taken at a time */
    size_t n_k_blocks;    /* at least 1: with k = 0 it makes C zero */
    size_t n_block;       /* columns of B that are packed at a time */
    size_t m_block;       /* rows of C that a thread takes at a time */
    size_t n_share;       /* columns of C that a thread takes at a time: n_block, or a part of it */
    int split_columns;    /* C has few rows: threads divide the columns, and each packs its own */
    int pack_a;           /* A is packed into panels; otherwise it is read where it is */
    int n_threads;        /* that do the product */
    slm_real *panels;     /* KC * MC reals for each thread */
    slm_real *slivers[2]; /* two places for a packed part of B, KC * NC reals each */
} slm__gemm_plan;

/* Size of the `work` of slm__gemm in reals: the places of its plan and room to align them. */
static size_t slm__gemm_work(int n_threads) {
    return SLM__KC * ((size_t)n_threads * SLM__MC + 2 * SLM__NC) + SLM__CACHE_LINE;
}

/* Cuts n into equal blocks of at most `most`, their number a multiple of `parts`, and returns the
   size of one, rounded up to whole units. */
static size_t slm__even_block(size_t n, size_t most, size_t parts, size_t unit) {
    const size_t blocks = slm__round_up(slm__n_blocks(n, most), parts);

    if (blocks == 0) return unit;
    return slm__round_up(slm__n_blocks(n, blocks), unit);
}

/* The steps of a block.  It depends on k alone, because it decides the order of the sums. */
static size_t slm__k_block(size_t k) {
    return slm__even_block(k, SLM__KC, 1, SLM__PACK_STEPS);
}

/* `work` holds slm__gemm_work numbers and may be unaligned. */
static slm__gemm_plan slm__plan_gemm(slm__gemm_op op, size_t m, size_t n, size_t k, slm__mat A,
                                     slm_real *work, int n_threads) {
    const int isa = SLM__ISA();
    const size_t threads = (size_t)n_threads;
    const size_t NC = isa == SLM__ISA_AVX512 ? SLM__NC_AVX512 : SLM__NC;
    const size_t misaligned = (uintptr_t)work / sizeof(slm_real) % SLM__CACHE_LINE;
    slm__gemm_plan plan;

    plan.n_threads = n_threads;
    plan.k_block = slm__k_block(k);
    plan.n_k_blocks = k > 0 ? slm__n_blocks(k, plan.k_block) : 1;

    /* With fewer steps than KC, more columns than NC fit the place for a part of B. */
    plan.n_block = SLM__KC * NC / plan.k_block / SLM__NR_MAX * SLM__NR_MAX;
    plan.n_block = slm__even_block(n, plan.n_block, 1, SLM__NR_MAX);

    plan.pack_a = isa != SLM__ISA_AVX512;
    if (op == SLM__TN && (A.rows != NULL || A.ld * sizeof(slm_real) >= SLM__PAGE))
        plan.pack_a = 1;

    /* Threads divide the rows of C; if these are few, its columns. */
    plan.split_columns = m <= SLM__MC;
    if (plan.split_columns) {
        plan.m_block = SLM__MC;
        plan.n_share = slm__even_block(plan.n_block, plan.n_block, threads, SLM__NR_MAX);
    } else {
        const size_t MC = plan.pack_a ? SLM__MC : SLM__MC_IN_PLACE;
        plan.m_block = slm__even_block(m, MC, threads, SLM__MR(isa));
        plan.n_share = plan.n_block;
    }

    plan.panels = work + (SLM__CACHE_LINE - misaligned) % SLM__CACHE_LINE;
    plan.slivers[0] = plan.panels + SLM__KC * SLM__MC * threads;
    plan.slivers[1] = plan.slivers[0] + SLM__KC * SLM__NC;
    return plan;
}

/* C (m,n) = op(A) op(B), or with add = SLM__ADD:  C += op(A) op(B), by so many threads.  Sums run
   over k. */
static void slm__gemm(slm__gemm_op op, size_t m, size_t n, size_t k, slm__mat A, slm__mat B,
                      int add, slm__mat_out C, slm_real *work, int n_threads) {
    const slm__gemm_plan plan = slm__plan_gemm(op, m, n, k, A, work, n_threads);

    SLM__PRAGMA(omp parallel num_threads(plan.n_threads)) {
        int place = 0;

        for (size_t block = 0; block < plan.n_k_blocks; block++) {
            const size_t k0 = block * plan.k_block;
            const size_t depth = slm__min(k - k0, plan.k_block);
            const int add_block = block > 0 ? SLM__ADD : add;

            for (size_t j0 = 0; j0 < n; j0 += plan.n_block) {
                const size_t cols = slm__min(n - j0, plan.n_block);
                const size_t n_slivers = slm__n_blocks(cols, SLM__NR_MAX);
                const size_t n_to_pack = plan.split_columns ? 0 : n_slivers;
                const size_t n_shares = slm__n_blocks(cols, plan.n_share);
                const size_t n_parts = slm__n_blocks(m, plan.m_block) * n_shares;
                slm_real *slivers = plan.slivers[place];
                place = !place;

                /* All threads pack this part of B into one of two places, while late ones still
                   use the other.  The loop ends when all are here, and so are done with the part
                   before: its tiles of C are complete, and its place is free. */
                SLM__PRAGMA(omp for schedule(dynamic))
                for (ptrdiff_t at = 0; at < (ptrdiff_t)n_to_pack; at++) {
                    const size_t j = (size_t)at * SLM__NR_MAX;
                    slm__pack_b(op, slm__part_of_b(op, B, k0, j0 + j),
                                slm__min(cols - j, SLM__NR_MAX), depth, slivers + j * depth);
                }

                SLM__PRAGMA(omp for schedule(dynamic) nowait)
                for (ptrdiff_t at = 0; at < (ptrdiff_t)n_parts; at++) {
                    const size_t i = (size_t)at / n_shares * plan.m_block;
                    const size_t j = (size_t)at % n_shares * plan.n_share;
                    const size_t rows = slm__min(m - i, plan.m_block);
                    const size_t share = slm__min(cols - j, plan.n_share);
                    const slm__mat a = slm__part_of_a(op, A, i, k0);
                    slm_real *panels = NULL;

                    if (plan.pack_a) {
                        panels = plan.panels + SLM__KC * SLM__MC * (size_t)SLM__THREAD();
                        slm__pack_a(op, a, rows, depth, panels);
                    }
                    if (plan.split_columns)
                        slm__pack_b(op, slm__part_of_b(op, B, k0, j0 + j), share, depth,
                                    slivers + j * depth);
                    slm__block(op, rows, share, depth, a, panels, slivers + j * depth, depth,
                               add_block, slm__submatrix_out(C, i, j0 + j));
                }
            }
        }
    }
}

/* Size of n columns and k steps that slm__pack_b has packed, in reals. */
static size_t slm__packed_size(size_t n, size_t k) {
    return slm__round_up(n, SLM__NR_MAX) * k;
}

/* The product on one thread with a B that slm__pack_b has packed, so that several products can
   share it.  Its slivers are `sliver_depth` steps long; C (m,n) is made of the first n columns and
   k steps, with the same bits as by slm__gemm.  A is read in place: a transposed A must not have a
   list of rows. */
static void slm__gemm_packed(slm__gemm_op op, size_t m, size_t n, size_t k, slm__mat A,
                             const slm_real *slivers, size_t sliver_depth, int add,
                             slm__mat_out C) {
    const size_t k_block = slm__k_block(k);

    for (size_t k0 = 0; k0 < k; k0 += k_block)
        slm__block(op, m, n, slm__min(k - k0, k_block), slm__part_of_a(op, A, 0, k0), NULL,
                   slivers + k0 * SLM__NR(SLM__ISA()), sliver_depth, k0 > 0 ? SLM__ADD : add, C);
}

/* ==== >>rows ================================================================================ 5 ==
   The exponential, the square root, and loops over one row.                                      */

/* ---- constants and bits of either type ---- */
#define SLM__BY_TYPE(of_float, of_double)                                                          \
    (sizeof(slm_real) == sizeof(float) ? (slm_real)(of_float) : (slm_real)(of_double))
#define SLM__BY_BITS(of_float, of_double)                                                          \
    ((slm__word)(sizeof(slm_real) == sizeof(float) ? of_float : of_double))

/* slm__word: an unsigned integer with as many bits as a slm_real. */
#define SLM__WORD_float uint32_t
#define SLM__WORD_double uint64_t
#define SLM__WORD_OF(type) SLM__WORD_##type
#define SLM__WORD(type) SLM__WORD_OF(type)
typedef SLM__WORD(SLM_REAL) slm__word;

/* ---- exponential and square root: libm's set errno, so loops that call them stay scalar ---- */
/* e^x = 2^n e^r  with  n = round(x / ln 2),  r = x - n ln 2,  |r| <= ln(2) / 2.
   e^r is its Taylor sum; the relative error is below 1.2e-7 (double: 1e-15).  A result below the
   smallest normal number is 0, one above the largest number is infinity, and NaN stays NaN. */
SLM__INLINE slm_real slm__exp(int isa, slm_real x) {
    const slm_real log2_e = (slm_real)1.4426950408889634;
    /* ln 2 in two parts (Cody and Waite); the first is so short that n times it is exact. */
    const slm_real ln2_high = SLM__BY_TYPE(0.693359375, 6.93147180369123816490e-01);
    const slm_real ln2_low = SLM__BY_TYPE(-2.12194440e-4, 1.90821492927058770002e-10);
    /* At 1.5 * 2^23 (1.5 * 2^52) neighbours differ by 1: to add it rounds to an integer. */
    const slm_real shifter = SLM__BY_TYPE(12582912.0, 6755399441055744.0);
    const slm_real lowest = SLM__BY_TYPE(-87.3, -708.4);
    const slm_real highest = SLM__BY_TYPE(89, 710);

    x = x < lowest ? lowest : x;
    x = x > highest ? highest : x;
    slm_real shifted = slm__fma(isa, x, log2_e, shifter);
    slm_real n = shifted - shifter;
    slm_real r = slm__fma(isa, n, -ln2_high, x);
    r = slm__fma(isa, n, -ln2_low, r);

    /* scale = 2^(n-1), because 2^128 is too large for a float.  n is in the low bits of `shifted`
       and goes to the bits of the exponent, which count from -127 (-1023), where they mean 0. */
    slm__word bits;
    slm_real scale;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + SLM__BY_BITS(126, 1022)) << SLM__BY_BITS(23, 52);
    memcpy(&scale, &bits, sizeof scale);

    /* p = 1/2! + r/3! + r^2/4! + ..., up to 1/7! (double: 1/13!), by Horner's rule. */
    slm_real p = (slm_real)(1.0 / 5040);
    if (sizeof(slm_real) == sizeof(double)) {
        p = slm__fma(isa, (slm_real)(1.0 / 6227020800), r, (slm_real)(1.0 / 479001600));
        p = slm__fma(isa, p, r, (slm_real)(1.0 / 39916800));
        p = slm__fma(isa, p, r, (slm_real)(1.0 / 3628800));
        p = slm__fma(isa, p, r, (slm_real)(1.0 / 362880));
        p = slm__fma(isa, p, r, (slm_real)(1.0 / 40320));
        p = slm__fma(isa, p, r, (slm_real)(1.0 / 5040));
    }
    p = slm__fma(isa, p, r, (slm_real)(1.0 / 720));
    p = slm__fma(isa, p, r, (slm_real)(1.0 / 120));
    p = slm__fma(isa, p, r, (slm_real)(1.0 / 24));
    p = slm__fma(isa, p, r, (slm_real)(1.0 / 6));
    p = slm__fma(isa, p, r, (slm_real)0.5);

    /* e^r - 1 = r + p r^2,  e^x = 2 (scale (e^r - 1) + scale) */
    slm_real expm1 = slm__fma(isa, p, r * r, r);
    return slm__fma(isa, expm1, scale, scale) * 2;
}

/* sqrt(x) for x >= 0.  y = 1 / sqrt(x) begins with a guess and takes steps of Newton's iteration,
   y <- y (3/2 - x y^2 / 2);  the root s = x y is then corrected once,  s <- s + (x - s^2) y / 2. */
SLM__INLINE slm_real slm__sqrt(int isa, slm_real number) {
    const slm_real three_halves = (slm_real)1.5;
    const slm__word largest_bits = SLM__BY_BITS(0x7f7fffff, 0x7fefffffffffffff);
    slm__word bits;

    /* x is the number, or the largest finite number for infinity and NaN.  The bits are compared as
       integers: with a comparison of floats gcc 12 makes no vector code of the loop around. */
    slm_real x;
    memcpy(&bits, &number, sizeof bits);
    bits = bits < largest_bits ? bits : largest_bits;
    memcpy(&x, &bits, sizeof x);

    /* The guess, off by 3.5% at most: halving the bits halves the exponent. */
    slm_real y;
    bits = SLM__BY_BITS(0x5f375a86, 0x5fe6eb50c7b537a9) - (bits >> 1);
    memcpy(&y, &bits, sizeof y);

    const slm_real minus_half_x = x * (slm_real)-0.5;
    if (sizeof(slm_real) == sizeof(double))
        y = y * slm__fma(isa, minus_half_x * y, y, three_halves);
    y = y * slm__fma(isa, minus_half_x * y, y, three_halves);
    y = y * slm__fma(isa, minus_half_x * y, y, three_halves);
    y = y * slm__fma(isa, minus_half_x * y, y, three_halves);

    slm_real s = x * y;
    s = slm__fma(isa, slm__fma(isa, -s, s, x), y * (slm_real)0.5, s);

    /* number - x is 0, or makes infinity and NaN what they were. */
    return s + (number - x);
}

/* ---- sums over a row run in LANES partial sums, which then are added as a tree ---- */
/* Numbers in a register of AVX-512, two of AVX2.  The bits of every sum depend on it, as on the
   order of the tree in slm__fold. */
enum { SLM__LANES = 16 };

/* The sum of LANES partial sums, which are overwritten. */
SLM__INLINE slm_real slm__fold(slm_real *s) {
    SLM__VECTOR_FOR(l, 8) {
        s[l] += s[l + 8];
    }
    SLM__VECTOR_FOR(l, 4) {
        s[l] += s[l + 4];
    }
    return (s[0] + s[2]) + (s[1] + s[3]);
}

/* sum a_i b_i */
SLM__INLINE slm_real slm__dot_body(int isa, const slm_real *a, const slm_real *b, size_t n) {
    slm_real s[SLM__LANES] = {0};
    size_t i;

    for (i = 0; i + SLM__LANES <= n; i += SLM__LANES) {
        SLM__VECTOR_FOR(l, SLM__LANES) {
            s[l] = slm__fma(isa, a[i + l], b[i + l], s[l]);
        }
    }
    for (size_t l = 0; i + l < n; l++)
        s[l] = slm__fma(isa, a[i + l], b[i + l], s[l]);
    return slm__fold(s);
}
SLM__DISPATCH(slm_real, slm__dot, (const slm_real *a, const slm_real *b, size_t n), (a, b, n))

/* y_j = sum_i w_ji x_i, or added to y_j:  `rows` rows of n numbers, ld apart. */
SLM__INLINE void slm__matvec_rows_body(int isa, slm_real *y, const slm_real *w, size_t ld,
                                       const slm_real *x, size_t rows, size_t n, int add) {
    for (size_t j = 0; j < rows; j++)
        y[j] = slm__dot_body(isa, x, w + j * ld, n) + (add ? y[j] : 0);
}
SLM__DISPATCH(void, slm__matvec_rows,
              (slm_real *y, const slm_real *w, size_t ld, const slm_real *x, size_t rows, size_t n,
               int add),
              (y, w, ld, x, rows, n, add))

/* One matrix of slm__matvec and where its product goes. */
typedef struct slm__matvec_of {
    slm_real *y;       /* (rows) */
    const slm_real *w; /* (rows, n) */
    size_t rows;
} slm__matvec_of;

enum { SLM__MATVEC_ROWS = 16 }; /* rows that a thread takes at a time */

/* y = w x, or y += w x, for `count` matrices w and one x (n).  It costs what reading the matrices
   costs, so each is read once, from front to back. */
static void slm__matvec(const slm__matvec_of *matrices, size_t count, const slm_real *x, size_t n,
                        int add, slm__team *team) {
    size_t pieces = 0;
    for (size_t i = 0; i < count; i++)
        pieces += slm__n_blocks(matrices[i].rows, SLM__MATVEC_ROWS);

    const size_t work = pieces * SLM__MATVEC_ROWS * n;
    const slm__team_turn turn = slm__team_begin(team, work, SLM__PARALLEL_MULTIPLY_ADDS);
    SLM__SHARE(static, turn.threads)
    for (ptrdiff_t at = 0; at < (ptrdiff_t)pieces; at++) {
        const size_t p = (size_t)at;
        /* Piece p of all is piece `piece` of matrix i. */
        size_t i = 0;
        size_t piece = p;
        while (piece >= slm__n_blocks(matrices[i].rows, SLM__MATVEC_ROWS)) {
            piece -= slm__n_blocks(matrices[i].rows, SLM__MATVEC_ROWS);
            i++;
        }

        const slm__matvec_of m = matrices[i];
        const size_t row = piece * SLM__MATVEC_ROWS;
        slm__matvec_rows(m.y + row, m.w + row * n, n, x, slm__min(m.rows - row, SLM__MATVEC_ROWS),
                         n, add);
    }
    slm__team_end(team, turn, work);
}

/* y_i = sum_j a_j x_ji:  x has `rows` rows of n numbers, ld apart. */
SLM__INLINE void slm__weighted_sum_body(int isa, slm_real *y, const slm_real *a, const slm_real *x,
                                        size_t ld, size_t rows, size_t n) {
    memset(y, 0, n * sizeof(slm_real));
    for (size_t j = 0; j < rows; j++) {
        SLM__VECTOR_FOR(i, n) {
            y[i] = slm__fma(isa, a[j], x[j * ld + i], y[i]);
        }
    }
}
SLM__DISPATCH(void, slm__weighted_sum,
              (slm_real *y, const slm_real *a, const slm_real *x, size_t ld, size_t rows, size_t n),
              (y, a, x, ld, rows, n))

/* y_i += a x_i */
SLM__INLINE void slm__axpy_body(int isa, slm_real *y, slm_real a, const slm_real *x, size_t n) {
    SLM__VECTOR_FOR(i, n) {
        y[i] = slm__fma(isa, a, x[i], y[i]);
    }
}
SLM__DISPATCH(void, slm__axpy, (slm_real *y, slm_real a, const slm_real *x, size_t n),
              (y, a, x, n))

/* y_i *= a */
SLM__INLINE void slm__scale_body(int isa, slm_real *y, slm_real a, size_t n) {
    (void)isa;
    SLM__VECTOR_FOR(i, n) {
        y[i] *= a;
    }
}
SLM__DISPATCH(void, slm__scale, (slm_real *y, slm_real a, size_t n), (y, a, n))

/* ---- softmax ---- */
/* The largest x, or -infinity if n is 0.  It passes over NaN, which shows in the sum of
   slm__exp_shift. */
SLM__INLINE slm_real slm__row_max_body(int isa, const slm_real *x, size_t n) {
    slm_real s[SLM__LANES];
    slm_real largest = -(slm_real)INFINITY;
    size_t i;

    (void)isa;
    for (size_t l = 0; l < SLM__LANES; l++)
        s[l] = largest;
    for (i = 0; i + SLM__LANES <= n; i += SLM__LANES) {
        SLM__VECTOR_FOR(l, SLM__LANES) {
            s[l] = x[i + l] > s[l] ? x[i + l] : s[l];
        }
    }
    for (; i < n; i++)
        largest = x[i] > largest ? x[i] : largest;
    for (size_t l = 0; l < SLM__LANES; l++)
        largest = s[l] > largest ? s[l] : largest;
    return largest;
}
SLM__DISPATCH(slm_real, slm__row_max, (const slm_real *x, size_t n), (x, n))

/* y_i = e^(x_i - shift), where y may be x.  Returns the sum of y. */
SLM__INLINE slm_real slm__exp_shift_body(int isa, slm_real *y, const slm_real *x, slm_real shift,
                                         size_t n) {
    slm_real s[SLM__LANES] = {0};
    size_t i;

    for (i = 0; i + SLM__LANES <= n; i += SLM__LANES) {
        SLM__VECTOR_FOR(l, SLM__LANES) {
            const slm_real e = slm__exp(isa, x[i + l] - shift);
            y[i + l] = e;
            s[l] += e;
        }
    }
    for (size_t l = 0; i + l < n; l++) {
        const slm_real e = slm__exp(isa, x[i + l] - shift);
        y[i + l] = e;
        s[l] += e;
    }
    return slm__fold(s);
}
SLM__DISPATCH(slm_real, slm__exp_shift,
              (slm_real *y, const slm_real *x, slm_real shift, size_t n), (y, x, shift, n))

/* *sum = sum_i e^d_i  and  *sum_d = sum_i e^d_i d_i,  where d_i = x_i - shift.  Loss and entropy of
   a row of logits x are made of these two; the shift is then the largest logit, so that no
   exponential is above 1 (slm__row_loss_and_entropy).

   *sum must have the bits that slm__exp_shift gives: a loss is the same number whether its entropy
   is computed with it or not.

   A logit of -infinity must add 0 to both, but 0 times infinity is NaN.  So d_i is -1000 at least:
   the exponential of that is exactly 0 in either type (slm__exp), and so is the product.  A NaN is
   not below -1000: it stays and shows in both sums. */
SLM__INLINE void slm__exp_moments_body(int isa, const slm_real *x, slm_real shift, size_t n,
                                       slm_real *sum, slm_real *sum_d) {
    const slm_real lowest = -1000;
    slm_real s[SLM__LANES] = {0};
    slm_real s_d[SLM__LANES] = {0};

    for (size_t i = 0; i < n; i += SLM__LANES) {
        const size_t lanes = slm__min(n - i, SLM__LANES);
        SLM__VECTOR_FOR(l, lanes) {
            slm_real d = x[i + l] - shift;
            d = d < lowest ? lowest : d;
            const slm_real e = slm__exp(isa, d);
            s[l] += e;
            s_d[l] = slm__fma(isa, e, d, s_d[l]);
        }
    }
    *sum = slm__fold(s);
    *sum_d = slm__fold(s_d);
}
SLM__DISPATCH(void, slm__exp_moments,
              (const slm_real *x, slm_real shift, size_t n, slm_real *sum, slm_real *sum_d),
              (x, shift, n, sum, sum_d))

/* Through a softmax p:  dp_i = p_i (dp_i - e)  with  e = sum p_j dp_j. */
SLM__INLINE void slm__softmax_backward_body(int isa, slm_real *dp, const slm_real *p, slm_real e,
                                            size_t n) {
    (void)isa;
    SLM__VECTOR_FOR(i, n) {
        dp[i] = p[i] * (dp[i] - e);
    }
}
SLM__DISPATCH(void, slm__softmax_backward,
              (slm_real *dp, const slm_real *p, slm_real e, size_t n), (dp, p, e, n))

/* ---- the operations of a layer ---- */
/* y_i = w_i x_i r */
SLM__INLINE void slm__rms_scale_body(int isa, slm_real *y, const slm_real *x, const slm_real *w,
                                     slm_real r, size_t n) {
    (void)isa;
    SLM__VECTOR_FOR(i, n) {
        y[i] = w[i] * (x[i] * r);
    }
}
SLM__DISPATCH(void, slm__rms_scale,
              (slm_real *y, const slm_real *x, const slm_real *w, slm_real r, size_t n),
              (y, x, w, r, n))

/* mean = 1/n sum g_i w_i x_i,  dx_i += r (g_i w_i - x_i r^2 mean),  dw_i += g_i x_i r */
SLM__INLINE void slm__rms_backward_body(int isa, slm_real *dx, slm_real *dw, const slm_real *g,
                                        const slm_real *x, const slm_real *w, slm_real r,
                                        size_t n) {
    slm_real s[SLM__LANES] = {0};
    size_t i;

    for (i = 0; i + SLM__LANES <= n; i += SLM__LANES) {
        SLM__VECTOR_FOR(l, SLM__LANES) {
            s[l] = slm__fma(isa, g[i + l] * w[i + l], x[i + l], s[l]);
        }
    }
    for (size_t l = 0; i + l < n; l++)
        s[l] = slm__fma(isa, g[i + l] * w[i + l], x[i + l], s[l]);

    const slm_real minus_r2_mean = -slm__fold(s) / (slm_real)n * r * r;
    SLM__VECTOR_FOR(j, n) {
        dx[j] = slm__fma(isa, r, slm__fma(isa, x[j], minus_r2_mean, g[j] * w[j]), dx[j]);
        dw[j] = slm__fma(isa, g[j] * x[j], r, dw[j]);
    }
}
SLM__DISPATCH(void, slm__rms_backward,
              (slm_real *dx, slm_real *dw, const slm_real *g, const slm_real *x, const slm_real *w,
               slm_real r, size_t n),
              (dx, dw, g, x, w, r, n))

/* y_i = gate_i sigma(gate_i) up_i  with  sigma(a) = 1 / (1 + e^-a) */
SLM__INLINE void slm__swiglu_body(int isa, slm_real *y, const slm_real *gate, const slm_real *up,
                                  size_t n) {
    SLM__VECTOR_FOR(i, n) {
        y[i] = gate[i] / (1 + slm__exp(isa, -gate[i])) * up[i];
    }
}
SLM__DISPATCH(void, slm__swiglu,
              (slm_real *y, const slm_real *gate, const slm_real *up, size_t n), (y, gate, up, n))

/* With s = sigma(gate_i):  dgate_i = dy_i up_i s (1 + gate_i (1 - s)),  dup_i = dy_i gate_i s.
   Each is added to what is there if its flag is SLM__ADD.  dup may be dy. */
SLM__INLINE void slm__swiglu_backward_body(int isa, slm_real *dgate, slm_real *dup,
                                           const slm_real *dy, const slm_real *gate,
                                           const slm_real *up, size_t n, int add_gate, int add_up) {
    SLM__VECTOR_FOR(i, n) {
        const slm_real s = 1 / (1 + slm__exp(isa, -gate[i]));
        const slm_real d = dy[i] * s;
        const slm_real slope = slm__fma(isa, gate[i], 1 - s, 1);
        dgate[i] = slm__fma(isa, d * up[i], slope, add_gate ? dgate[i] : 0);
        dup[i] = slm__fma(isa, d, gate[i], add_up ? dup[i] : 0);
    }
}
SLM__DISPATCH(void, slm__swiglu_backward,
              (slm_real *dgate, slm_real *dup, const slm_real *dy, const slm_real *gate,
               const slm_real *up, size_t n, int add_gate, int add_up),
              (dgate, dup, dy, gate, up, n, add_gate, add_up))

/* Turns the pairs (a, b) = (x_i, x_{i+half}) by angles, or with sign = -1 back:
   x_i = a cos_i - sign b sin_i,  x_{i+half} = b cos_i + sign a sin_i. */
SLM__INLINE void slm__rotate_body(int isa, slm_real *x, const slm_real *cosine,
                                  const slm_real *sine, size_t half, slm_real sign) {
    SLM__VECTOR_FOR(i, half) {
        const slm_real a = x[i];
        const slm_real b = x[i + half];
        const slm_real s = sign * sine[i];
        x[i] = slm__fma(isa, a, cosine[i], -(b * s));
        x[i + half] = slm__fma(isa, b, cosine[i], a * s);
    }
}
SLM__DISPATCH(void, slm__rotate,
              (slm_real *x, const slm_real *cosine, const slm_real *sine, size_t half,
               slm_real sign),
              (x, cosine, sine, half, sign))

/* ---- the optimizer ---- */
/* d = grad_scale g_i,  m_i = beta1 m_i + (1 - beta1) d,  v_i = beta2 v_i + (1 - beta2) d^2,
   p_i = p_i (1 - lr decay) - lr correct1 m_i / (sqrt(correct2 v_i) + eps) */
SLM__INLINE void slm__adamw_piece_body(int isa, slm_real *p, slm_real *m, slm_real *v,
                                       const slm_real *g, size_t n, slm_real grad_scale,
                                       slm_real lr, slm_real beta1, slm_real beta2, slm_real eps,
                                       slm_real decay, slm_real correct1, slm_real correct2) {
    const slm_real keep = (slm_real)(1.0 - (double)lr * (double)decay);
    const slm_real step = -lr * correct1;
    const slm_real rest1 = 1 - beta1;
    const slm_real rest2 = 1 - beta2;

    SLM__VECTOR_FOR(i, n) {
        const slm_real d = g[i] * grad_scale;
        m[i] = slm__fma(isa, beta1, m[i], rest1 * d);
        v[i] = slm__fma(isa, beta2, v[i], rest2 * d * d);
        const slm_real root = slm__sqrt(isa, v[i] * correct2);
        p[i] = slm__fma(isa, p[i], keep, step * m[i] / (root + eps));
    }
}
SLM__DISPATCH(void, slm__adamw_piece,
              (slm_real *p, slm_real *m, slm_real *v, const slm_real *g, size_t n,
               slm_real grad_scale, slm_real lr, slm_real beta1, slm_real beta2, slm_real eps,
               slm_real decay, slm_real correct1, slm_real correct2),
              (p, m, v, g, n, grad_scale, lr, beta1, beta2, eps, decay, correct1, correct2))

/* ==== >>tape ================================================================================ 6 ==
   Operations run at once and leave a node on the tape; the backward sweep visits the nodes in
   reverse.  A node is a pointer to a function and what that function needs: the tape knows no
   operation by name.

   Memory comes from one arena.  A buffer that is no longer needed joins a list of free buffers and
   serves a later request of the same pass.  The reset forgets everything and keeps the memory. */

struct slm__node;
typedef void (*slm__node_function)(slm_tape *tape, struct slm__node *node);

/* One operation that was done. */
typedef struct slm__node {
    slm__node_function backward; /* adds to the gradients of the inputs, given that of out */
    slm__node_function forward;  /* computes out->data again; NULL: it cannot be made again */
    struct slm__node *previous;
    slm_tensor *out;
    slm_tensor *in[3];   /* the inputs; NULL where there is none */
    slm_real *saved;     /* numbers that the forward leaves for the backward */
    const void *details; /* integers, sizes: what else the operation needs */
} slm__node;

/* A free buffer.  This header is written into the buffer itself. */
typedef struct slm__spare {
    struct slm__spare *next;
    size_t count; /* slm_reals */
} slm__spare;

struct slm_tape {
    slm__arena arena;
    slm__spare *spare;  /* the free buffers */
    slm__node *last;    /* the latest operation */
    slm_tensor *leaves; /* those that want a gradient */
    slm_real *work;     /* packing space of the matrix product ... */
    int work_threads;   /* ... for this number of threads */
    slm__team team;     /* how many threads an operation gets */
    int recording;      /* 0: forward only; a buffer is reused once its last reader is done */
    int recompute;      /* 1: outputs of matrix products may be dropped and made again, too */
    slm_error error;    /* the first error since the reset; while it is there, nothing is done */
};

SLM_API slm_status slm_tape_create(slm_tape **out, slm_error *err) {
    *out = (slm_tape *)slm__alloc(1, sizeof **out, err);
    if (*out == NULL) return SLM_ERR_MEMORY;
    (*out)->recording = 1;
    return SLM_OK;
}

SLM_API void slm_tape_free(slm_tape *tape) {
    if (tape == NULL) return;
    slm__arena_free(&tape->arena);
    slm__release(tape->work);
    slm__release(tape);
}

SLM_API void slm_tape_reset(slm_tape *tape) {
    slm__arena_reset(&tape->arena);
    tape->spare = NULL;
    tape->last = NULL;
    tape->leaves = NULL;
    tape->recording = 1;
    tape->error.status = SLM_OK;
}

SLM_API slm_status slm_tape_status(const slm_tape *tape, slm_error *err) {
    if (tape->error.status != SLM_OK && err != NULL) *err = tape->error;
    return tape->error.status;
}

/* Puts the tape in error, unless it is already.  Returns NULL, for the operation to return. */
static slm_tensor *slm__tape_refuse(slm_tape *tape, const char *reason) {
    if (tape->error.status == SLM_OK) (void)slm__fail(&tape->error, SLM_ERR_ARGUMENT, "%s", reason);
    return NULL;
}

/* ---- buffers: every function here returns NULL if the tape is in error ---- */

/* Adds a buffer of count numbers to the free ones.  One too small for the header is forgotten. */
static void slm__tape_recycle(slm_tape *tape, slm_real *buffer, size_t count) {
    slm__spare *spare = (slm__spare *)(void *)buffer;
    if (buffer == NULL || count * sizeof(slm_real) < sizeof *spare) return;
    SLM_ASSERT((uintptr_t)buffer % 64 == 0);
    spare->count = count;
    spare->next = tape->spare;
    tape->spare = spare;
}

/* Returns room for count numbers, not zeroed: the smallest free buffer that holds them, or new
   memory.  If the buffer is larger, the rest is split off and stays free. */
static slm_real *slm__tape_alloc(slm_tape *tape, size_t count) {
    slm__spare **best = NULL; /* the link to the best buffer so far */
    size_t rounded = slm__round_up(count, SLM__CACHE_LINE);

    if (tape->error.status != SLM_OK) return NULL;
    for (slm__spare **link = &tape->spare; *link != NULL; link = &(*link)->next) {
        size_t size = (*link)->count;
        if (size >= count && (best == NULL || size < (*best)->count)) best = link;
    }
    if (best == NULL)
        return (slm_real *)slm__arena_take(&tape->arena, count, sizeof(slm_real), &tape->error);

    slm__spare *found = *best;
    slm_real *buffer = (slm_real *)(void *)found;
    *best = found->next;
    if (found->count > rounded)
        slm__tape_recycle(tape, buffer + rounded, found->count - rounded);
    return buffer;
}

/* Returns room for n integers, not zeroed. */
static int32_t *slm__tape_alloc_ints(slm_tape *tape, size_t n) {
    if (tape->error.status != SLM_OK) return NULL;
    return (int32_t *)slm__arena_take(&tape->arena, n, sizeof(int32_t), &tape->error);
}

/* Returns zeroed memory for one struct. */
static void *slm__tape_new(slm_tape *tape, size_t size) {
    if (tape->error.status != SLM_OK) return NULL;
    void *memory = slm__arena_take(&tape->arena, 1, size, &tape->error);
    return memory != NULL ? memset(memory, 0, size) : NULL;
}

/* Returns packing space for slm__gemm, enough for so many threads. */
static slm_real *slm__work(slm_tape *tape, int threads) {
    if (tape->work_threads >= threads) return tape->work;
    slm__release(tape->work);
    tape->work = (slm_real *)slm__alloc(slm__gemm_work(threads), sizeof(slm_real), &tape->error);
    tape->work_threads = tape->work != NULL ? threads : 0;
    return tape->work;
}

/* ---- tensors and nodes ---- */

/* Returns a tensor over the given data, or over a new buffer if data is NULL. */
static slm_tensor *slm__tensor(slm_tape *tape, slm_real *data, size_t rows, size_t cols) {
    size_t count;
    slm_tensor *t = (slm_tensor *)slm__tape_new(tape, sizeof *t);
    if (t == NULL) return NULL;
    if (!slm__checked_mul(&count, rows, cols))
        return slm__tape_refuse(tape, "a tensor's size does not fit the address space");
    t->rows = rows;
    t->cols = cols;
    t->data = data != NULL ? data : slm__tape_alloc(tape, count);
    return t->data != NULL ? t : NULL;
}

SLM_API slm_tensor *slm_leaf(slm_tape *tape, slm_real *data, slm_real *grad, size_t rows,
                             size_t cols) {
    if (data == NULL) return slm__tape_refuse(tape, "leaf: there are no data");
    slm_tensor *t = slm__tensor(tape, data, rows, cols);
    if (t == NULL) return NULL;
    t->is_leaf = 1;
    if (grad != NULL) {
        t->grad = grad;
        t->grad_unset = 1;
        t->next_leaf = tape->leaves;
        tape->leaves = t;
    }
    return t;
}

/* The cast is safe: no operation writes to the data of a leaf. */
SLM_API slm_tensor *slm_constant(slm_tape *tape, const slm_real *data, size_t rows, size_t cols) {
    return slm_leaf(tape, (slm_real *)data, NULL, rows, cols);
}

/* Puts an operation on the tape.  out may be NULL: then its tensor could not be made.  An operation
   in place (rope) leaves `maker` as it is: the tensor belongs to the operation that made it. */
static slm__node *slm__record(slm_tape *tape, slm_tensor *out, slm__node_function backward) {
    if (out == NULL) return NULL;
    slm__node *node = (slm__node *)slm__tape_new(tape, sizeof *node);
    if (node == NULL) return NULL;
    node->backward = backward;
    node->out = out;
    node->previous = tape->last;
    tape->last = node;
    if (out->maker == NULL) out->maker = node;
    SLM__TRACE(backward, 0);
    return node;
}

/* Says that no later operation of the forward will read t.  Forward only: its buffer is free at
   once.  When recording, it is free if the sweep can make the data again from what is kept. */
static void slm__tensor_drop(slm_tape *tape, slm_tensor *t) {
    if (t == NULL || t->data == NULL || t->is_leaf) return;
    SLM_ASSERT(t->maker != NULL);
    if (tape->recording && t->maker->forward == NULL) return;
    slm__tape_recycle(tape, t->data, t->rows * t->cols);
    t->data = NULL;
}

/* Returns t->data, made again if it was dropped; NULL if the tape is in error. */
static slm_real *slm__tensor_restore(slm_tape *tape, slm_tensor *t) {
    if (t->data != NULL) return t->data;
    SLM_ASSERT(t->maker != NULL && t->maker->forward != NULL);
    t->data = slm__tape_alloc(tape, t->rows * t->cols);
    if (t->data != NULL) t->maker->forward(tape, t->maker);
    return t->data;
}

/* ---- gradients and their live rows ----
   A gradient may be known to vanish outside a list of rows, its live rows; the other rows are not
   even stored.  An operation works on the live rows of its output's gradient only.  Where two lists
   meet in one gradient, it becomes dense.  This is exact: nothing but zeros is ever skipped. */

/* How an operation writes to a gradient. */
typedef enum slm__grad_mode {
    SLM__GRAD_UNWANTED,  /* there is none: a constant, or the tape is in error */
    SLM__GRAD_OVERWRITE, /* it holds nothing yet */
    SLM__GRAD_ADD
} slm__grad_mode;

static size_t slm__n_grad_rows(const slm_tensor *t) {
    return t->live != NULL ? t->n_live : t->rows;
}

/* The i-th row of a list; a list that is NULL has all rows. */
static size_t slm__grad_row(const int32_t *live, size_t i) {
    return live != NULL ? (size_t)live[i] : i;
}

/* For SLM_ASSERT: 1 if the list ascends and stays below `rows`. */
static SLM__MAYBE_UNUSED int slm__is_row_list(const int32_t *live, size_t n_live, size_t rows) {
    for (size_t i = 0; live != NULL && i < n_live; i++) {
        if (live[i] < 0 || (size_t)live[i] >= rows) return 0;
        if (i > 0 && live[i] <= live[i - 1]) return 0;
    }
    return 1;
}

/* Zeroes the live rows. */
static void slm__grad_zero(slm_tape *tape, slm_tensor *t) {
    size_t n_rows = slm__n_grad_rows(t);
    size_t C = t->cols;
    SLM__SHARE(static, slm__team_share(&tape->team, n_rows * C, SLM__PARALLEL_ELEMENTS))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)n_rows; at++) {
        const size_t i = (size_t)at;
        memset(t->grad + slm__grad_row(t->live, i) * C, 0, C * sizeof(slm_real));
    }
}

/* Zeroes the rows that are not live; from then on all are. */
static void slm__grad_make_dense(slm_tensor *t) {
    size_t done = 0; /* rows before it hold what they should */
    for (size_t i = 0; i <= t->n_live; i++) {
        size_t live = i < t->n_live ? (size_t)t->live[i] : t->rows;
        size_t gap = live - done;
        if (gap > 0) memset(t->grad + done * t->cols, 0, gap * t->cols * sizeof(slm_real));
        done = live + 1;
    }
    t->live = NULL;
}

static slm__grad_mode slm__leaf_grad_prepare(slm_tensor *leaf, const int32_t *live) {
    int unset = leaf->grad_unset;
    if (leaf->grad == NULL) return SLM__GRAD_UNWANTED;
    leaf->grad_unset = 0;
    if (unset && live == NULL) return SLM__GRAD_OVERWRITE;
    if (unset) memset(leaf->grad, 0, leaf->rows * leaf->cols * sizeof(slm_real));
    return SLM__GRAD_ADD;
}

/* Makes t->grad ready for a contribution to the given rows (live NULL: all), and says how the
   operation must write them. */
static slm__grad_mode slm__grad_prepare(slm_tape *tape, slm_tensor *t, const int32_t *live,
                                        size_t n_live) {
    SLM_ASSERT(slm__is_row_list(live, n_live, t->rows));
    if (t->is_leaf) return slm__leaf_grad_prepare(t, live);
    if (t->grad == NULL) {
        t->grad = slm__tape_alloc(tape, t->rows * t->cols);
        if (t->grad == NULL) return SLM__GRAD_UNWANTED;
        t->live = live;
        t->n_live = n_live;
        return SLM__GRAD_OVERWRITE;
    }
    if (t->live != NULL && t->live != live) slm__grad_make_dense(t);
    return SLM__GRAD_ADD;
}

/* The same for an operation that can only add: rows that hold nothing yet become zero.  Returns 0
   if no gradient is wanted. */
static int slm__grad_prepare_to_add(slm_tape *tape, slm_tensor *t, const int32_t *live,
                                    size_t n_live) {
    slm__grad_mode mode = slm__grad_prepare(tape, t, live, n_live);
    if (mode == SLM__GRAD_OVERWRITE) slm__grad_zero(tape, t);
    return mode != SLM__GRAD_UNWANTED;
}

/* to.grad += from.grad.  Where `to` has no gradient yet, it takes over the buffer: `from` is done
   with it. */
static void slm__grad_move_or_add(slm_tape *tape, slm_tensor *to, slm_tensor *from) {
    if (!to->is_leaf && to->grad == NULL) {
        to->grad = from->grad;
        to->live = from->live;
        to->n_live = from->n_live;
        from->grad = NULL;
        return;
    }
    if (!slm__grad_prepare_to_add(tape, to, from->live, from->n_live)) return;
    size_t n_rows = slm__n_grad_rows(from);
    size_t C = from->cols;
    SLM__SHARE(static, slm__team_share(&tape->team, n_rows * C, SLM__PARALLEL_COPIES))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)n_rows; at++) {
        const size_t i = (size_t)at;
        size_t offset = slm__grad_row(from->live, i) * C;
        slm__axpy(to->grad + offset, 1, from->grad + offset, C);
    }
}

/* ---- the backward sweep ---- */

/* Frees data and gradient of the node's output: all that read them have had their turn. */
static void slm__node_release(slm_tape *tape, const slm__node *node) {
    slm_tensor *out = node->out;
    if (out->maker != node) return;
    slm__tape_recycle(tape, out->grad, out->rows * out->cols);
    slm__tape_recycle(tape, out->data, out->rows * out->cols);
    out->grad = NULL;
    out->data = NULL;
}

SLM_API slm_status slm_tape_backward(slm_tape *tape, slm_tensor *loss, slm_error *err) {
    slm__node *node;
    slm_tensor *leaf;
    if (tape->error.status != SLM_OK) return slm_tape_status(tape, err);

    if (loss == NULL || loss->rows != 1 || loss->cols != 1)
        (void)slm__tape_refuse(tape, "backward starts from a loss: a tensor of one row and column");
    else if (!tape->recording)
        (void)slm__tape_refuse(tape, "backward: the forward was made without gradients");
    else if (slm__grad_prepare(tape, loss, NULL, 0) != SLM__GRAD_UNWANTED)
        loss->grad[0] = 1;

    for (node = tape->last; node != NULL && tape->error.status == SLM_OK; node = node->previous) {
        SLM__TRACE(node->backward, 1);
        if (node->out->grad != NULL) node->backward(tape, node);
        if (node->out != loss) slm__node_release(tape, node);
    }

    /* What no operation has reached has the gradient zero. */
    for (leaf = tape->leaves; leaf != NULL && tape->error.status == SLM_OK; leaf = leaf->next_leaf)
        (void)slm__grad_prepare_to_add(tape, leaf, NULL, 0);
    return slm_tape_status(tape, err);
}

/* ==== >>ops ================================================================================= 7 ==
   One block per operation: equation, forward, backward, record.  Every block says first
     forward   the equation, and the shapes
     keeps     what stays in memory for the backward
     backward  the gradients; g stands for d loss / d y
     threads   how the work is divided.  Threads share out rows or columns of an output, never a
               sum: the bits are the same for any number of threads
     cost      multiplications and additions
     tests     what checks it.
   Indices: n row, c input column, o output column.  Backwards add to the gradients of the inputs,
   or overwrite them where they are the first (slm__grad_prepare).  A forward that is a function of
   its own, like slm__linear_forward, can run in the sweep to make a dropped output again.        */

/* slm__gemm with the tape's packing space: C (m, n) = op(A) op(B), or added to C. */
static void slm__product(slm_tape *tape, slm__gemm_op op, size_t m, size_t n, size_t k,
                         slm__mat A, slm__mat B, int add, slm__mat_out C) {
    const size_t multiply_adds = m * n * k;
    int all = slm__team_all(&tape->team, multiply_adds, SLM__PARALLEL_GEMM);
    slm_real *work = slm__work(tape, all);
    if (work == NULL) return;
    const slm__team_turn turn = slm__team_begin(&tape->team, multiply_adds, SLM__PARALLEL_GEMM);
    slm__gemm(op, m, n, k, A, B, add, C, work, turn.threads);
    slm__team_end(&tape->team, turn, multiply_adds);
}

/* ---- embedding ----------------------------------------------------------------------------------
   forward   y_nc = E_{id(n),c}                    E (V,C)   y (N,C)
   keeps     the ids
   backward  dE_{id(n),c} += g_nc
   threads   none: it is fast, and two rows may have the same id
   cost      NC, backward NC of live rows
   tests     unit/gradients, audit                                                                */
static void slm__embedding_backward(slm_tape *tape, slm__node *node) {
    slm_tensor *table = node->in[0];
    const slm_tensor *y = node->out;
    const int32_t *ids = (const int32_t *)node->details;
    size_t C = y->cols;
    if (!slm__grad_prepare_to_add(tape, table, NULL, 0)) return;
    for (size_t i = 0; i < slm__n_grad_rows(y); i++) {
        size_t n = slm__grad_row(y->live, i);
        slm__axpy(table->grad + (size_t)ids[n] * C, 1, y->grad + n * C, C);
    }
}

SLM_API slm_tensor *slm_embedding(slm_tape *tape, slm_tensor *table, const int32_t *ids, size_t n) {
    if (table == NULL) return NULL;
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= table->rows)
            return slm__tape_refuse(tape, "embedding: an id is outside the table");

    size_t C = table->cols;
    slm_tensor *y = slm__tensor(tape, NULL, n, C);
    slm__node *node = slm__record(tape, y, slm__embedding_backward);
    if (node == NULL) return NULL;
    node->in[0] = table;
    node->details = ids;
    for (size_t i = 0; i < n; i++)
        memcpy(y->data + i * C, table->data + (size_t)ids[i] * C, C * sizeof(slm_real));
    return y;
}

/* ---- linear -------------------------------------------------------------------------------------
   forward   y_no = sum_c x_nc w_oc + residual_no  x (N,C)   w (O,C)   y, residual (N,O)
   keeps     its inputs; y too, unless the tape is told to recompute: then y is dropped after use
   backward  dx_nc += sum_o g_no w_oc      dw_oc += sum_n g_no x_nc      dresidual_no += g_no
             The residual takes over the buffer of g if it has no gradient yet.
   threads   tiles of the output (slm__gemm)
   cost      2 NCO, backward 4 NCO of live rows
   tests     unit/gradients, unit/step                                                            */
static void slm__linear_forward(slm_tape *tape, slm__node *node) {
    const slm_tensor *w = node->in[1];
    const slm_tensor *residual = node->in[2];
    slm_tensor *y = node->out;
    size_t N = y->rows;
    size_t C = w->cols;
    size_t O = y->cols;
    const slm_real *x = slm__tensor_restore(tape, node->in[0]);
    if (x == NULL) return;

    if (residual != NULL) {
        SLM__SHARE(static, slm__team_share(&tape->team, N * O, SLM__PARALLEL_COPIES))
        for (ptrdiff_t at = 0; at < (ptrdiff_t)N; at++) {
            const size_t n = (size_t)at;
            memcpy(y->data + n * O, residual->data + n * O, O * sizeof(slm_real));
        }
    }
    slm__product(tape, SLM__NT, N, O, C, slm__matrix(x, C, NULL), slm__matrix(w->data, C, NULL),
                 residual != NULL, slm__matrix_out(y->data, O, NULL));
}

static void slm__linear_backward(slm_tape *tape, slm__node *node) {
    slm_tensor *x = node->in[0];
    slm_tensor *w = node->in[1];
    slm_tensor *residual = node->in[2];
    slm_tensor *y = node->out;
    size_t N = slm__n_grad_rows(y);
    size_t C = x->cols;
    size_t O = y->cols;
    slm__mat g = slm__matrix(y->grad, O, y->live);

    slm__grad_mode dx = slm__grad_prepare(tape, x, y->live, y->n_live);
    if (dx != SLM__GRAD_UNWANTED)
        slm__product(tape, SLM__NN, N, C, O, g, slm__matrix(w->data, C, NULL),
                     dx == SLM__GRAD_ADD, slm__matrix_out(x->grad, C, y->live));

    slm__grad_mode dw = slm__grad_prepare(tape, w, NULL, 0);
    if (dw != SLM__GRAD_UNWANTED && slm__tensor_restore(tape, x) != NULL)
        slm__product(tape, SLM__TN, O, C, N, g, slm__matrix(x->data, C, y->live),
                     dw == SLM__GRAD_ADD, slm__matrix_out(w->grad, C, NULL));

    if (residual != NULL && tape->error.status == SLM_OK) slm__grad_move_or_add(tape, residual, y);
}

SLM_API slm_tensor *slm_linear(slm_tape *tape, slm_tensor *x, slm_tensor *w, slm_tensor *residual) {
    if (x == NULL || w == NULL) return NULL;
    if (x->cols != w->cols) return slm__tape_refuse(tape, "linear: x and w differ in columns");
    if (residual != NULL && (residual->rows != x->rows || residual->cols != w->rows))
        return slm__tape_refuse(tape, "linear: the residual has another shape than the output");

    slm_tensor *y = slm__tensor(tape, NULL, x->rows, w->rows);
    slm__node *node = slm__record(tape, y, slm__linear_backward);
    if (node == NULL) return NULL;
    node->in[0] = x;
    node->in[1] = w;
    node->in[2] = residual;
    if (tape->recompute) node->forward = slm__linear_forward;
    slm__linear_forward(tape, node);
    return tape->error.status == SLM_OK ? y : NULL;
}

/* ---- rmsnorm ------------------------------------------------------------------------------------
   forward   y_nc = w_c x_nc r_n,   r_n = (1/C sum_j x_nj^2 + eps)^(-1/2)      x, y (N,C)   w (1,C)
   keeps     r (N); y is dropped after use and made again: one multiplication per element
   backward  q_n = 1/C sum_j g_nj w_j x_nj
             dx_nc += r_n (g_nc w_c - x_nc r_n^2 q_n)      dw_c += sum_n g_nc x_nc r_n
   threads   rows; for dw, pieces of rows: each piece has its own sum, and the sums are added in the
             order of the pieces
   cost      about 5 NC, backward 9 NC of live rows
   tests     unit/gradients, audit                                                                */
enum { SLM__RMSNORM_PIECE = 64 }; /* rows; part of the order of the sum, so of the bits */

static void slm__rmsnorm_forward(slm_tape *tape, slm__node *node) {
    const slm_tensor *w = node->in[1];
    slm_tensor *y = node->out;
    size_t N = y->rows;
    size_t C = y->cols;
    const slm_real *x = slm__tensor_restore(tape, node->in[0]);
    if (x == NULL) return;
    SLM__SHARE(static, slm__team_share(&tape->team, N * C, SLM__PARALLEL_ELEMENTS))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)N; at++) {
        const size_t n = (size_t)at;
        slm__rms_scale(y->data + n * C, x + n * C, w->data, node->saved[n], C);
    }
}

/* dx of the live rows first .. end-1, counted in the list of y, and their sum for dw (C).  `unread`
   is a row for the gradient of x if nobody wants it, else NULL. */
static void slm__rmsnorm_piece_backward(const slm__node *node, size_t first, size_t end,
                                        slm_real *dw, slm_real *unread) {
    const slm_tensor *x = node->in[0];
    const slm_tensor *w = node->in[1];
    const slm_tensor *y = node->out;
    size_t C = y->cols;
    memset(dw, 0, C * sizeof(slm_real));
    for (size_t i = first; i < end; i++) {
        size_t n = slm__grad_row(y->live, i);
        slm_real *dx = unread != NULL ? unread : x->grad + n * C;
        slm__rms_backward(dx, dw, y->grad + n * C, x->data + n * C, w->data, node->saved[n], C);
    }
}

static void slm__rmsnorm_backward(slm_tape *tape, slm__node *node) {
    slm_tensor *x = node->in[0];
    slm_tensor *w = node->in[1];
    const slm_tensor *y = node->out;
    size_t C = y->cols;
    size_t N = slm__n_grad_rows(y);
    size_t n_pieces = slm__n_blocks(N, SLM__RMSNORM_PIECE);

    int has_dx = slm__grad_prepare_to_add(tape, x, y->live, y->n_live);
    int has_dw = slm__grad_prepare_to_add(tape, w, NULL, 0);
    if (!has_dx && !has_dw) return;

    (void)slm__tensor_restore(tape, x);
    slm_real *sums = slm__tape_alloc(tape, (n_pieces + 1) * C); /* (n_pieces, C) and a row more */
    if (tape->error.status != SLM_OK) return;
    slm_real *unread = has_dx ? NULL : sums + n_pieces * C; /* for one thread only */
    int threads = slm__team_share(&tape->team, has_dx ? N * C : 0, SLM__PARALLEL_ELEMENTS);
    SLM__SHARE(static, threads)
    for (ptrdiff_t at = 0; at < (ptrdiff_t)n_pieces; at++) {
        const size_t p = (size_t)at;
        size_t first = p * SLM__RMSNORM_PIECE;
        size_t end = slm__min(first + SLM__RMSNORM_PIECE, N);
        slm__rmsnorm_piece_backward(node, first, end, sums + p * C, unread);
    }
    for (size_t p = 0; p < n_pieces && has_dw; p++)
        slm__axpy(w->grad, 1, sums + p * C, C);
    slm__tape_recycle(tape, sums, (n_pieces + 1) * C);
}

SLM_API slm_tensor *slm_rmsnorm(slm_tape *tape, slm_tensor *x, slm_tensor *w, double eps) {
    if (x == NULL || w == NULL) return NULL;
    if (w->cols != x->cols || w->rows != 1)
        return slm__tape_refuse(tape, "rmsnorm: the weight must be one row as wide as x");

    size_t C = x->cols;
    slm_tensor *y = slm__tensor(tape, NULL, x->rows, C);
    slm__node *node = slm__record(tape, y, slm__rmsnorm_backward);
    if (node == NULL) return NULL;
    node->in[0] = x;
    node->in[1] = w;
    node->forward = slm__rmsnorm_forward;
    node->saved = slm__tape_alloc(tape, x->rows);
    if (node->saved == NULL) return NULL;
    for (size_t n = 0; n < x->rows; n++) {
        const slm_real *row = x->data + n * C;
        double mean_square = (double)slm__dot(row, row, C) / (double)C;
        node->saved[n] = (slm_real)(1.0 / sqrt(mean_square + eps));
    }
    slm__rmsnorm_forward(tape, node);
    return y;
}

/* ---- rope ---------------------------------------------------------------------------------------
   forward   for each head and pair of columns (i, i + D/2), at position t = n mod T:
             x'_i       = x_i       cos a - x_{i+D/2} sin a
             x'_{i+D/2} = x_{i+D/2} cos a + x_i       sin a,   a = t f_i
             f_i = theta^(-2i/D), or what scaling makes of it
             x (N, heads D), changed in place   angles (T, D): D/2 cosines, then D/2 sines
             Within documents t is counted from the row at which the document of row n begins.
   keeps     nothing
   backward  turns the gradient by -a, in place too
   threads   rows
   cost      3 NC, backward 3 NC of live rows
   tests     unit/gradients, unit/model, audit                                                    */

/* The frequency f_i in radians a position.  LINEAR: f / factor.  LLAMA3, with n = original_seq
   f / (2 pi), how often the pair turns in the original context:
       s    = (n - low_freq_factor) / (high_freq_factor - low_freq_factor), cut to 0..1
       f_i  = s f + (1 - s) f / factor */
SLM_API double slm_rope_frequency(size_t i, int32_t head_dim, double theta,
                                  const slm_rope_scaling *scaling) {
    const double two_pi = 6.283185307179586476925;
    double f = pow(theta, -2.0 * (double)i / (double)head_dim);
    if (scaling == NULL || scaling->type == SLM_ROPE_PLAIN) return f;
    if (scaling->type == SLM_ROPE_LINEAR) return f / scaling->factor;

    double low = scaling->low_freq_factor;
    double turns = (double)scaling->original_seq * f / two_pi;
    double kept = (turns - low) / (scaling->high_freq_factor - low);
    if (kept <= 0) return f / scaling->factor;
    if (kept >= 1) return f;
    return kept * f + (1 - kept) * f / scaling->factor;
}

SLM_API slm_tensor *slm_rope_angles(slm_tape *tape, int32_t T, int32_t head_dim, double theta,
                                    const slm_rope_scaling *scaling) {
    if (T < 1 || head_dim < 2 || head_dim % 2 != 0)
        return slm__tape_refuse(tape, "rope: T must be positive and head_dim even");

    size_t D = (size_t)head_dim;
    size_t half = D / 2;
    slm_tensor *angles = slm__tensor(tape, NULL, (size_t)T, D);
    if (angles == NULL) return NULL;
    angles->is_leaf = 1;
    for (size_t i = 0; i < half; i++) {
        double frequency = slm_rope_frequency(i, head_dim, theta, scaling);
        for (size_t t = 0; t < (size_t)T; t++) {
            angles->data[t * D + i] = (slm_real)cos((double)t * frequency);
            angles->data[t * D + half + i] = (slm_real)sin((double)t * frequency);
        }
    }
    return angles;
}

/* Refuses starts of documents that are neither the row itself nor what the row before says. */
static int slm__documents_fit(slm_tape *tape, const int32_t *start, size_t N, size_t T) {
    for (size_t n = 0; start != NULL && n < N; n++) {
        size_t t = n % T;
        int begins = start[n] >= 0 && (size_t)start[n] == t;
        int goes_on = t > 0 && start[n] == start[n - 1];
        if (begins || goes_on) continue;
        (void)slm__tape_refuse(tape, "documents: a row's document_start is neither that row nor "
                                     "the document_start of the row before it");
        return 0;
    }
    return 1;
}

/* Turns the live rows of `numbers`, which are the data or the gradient of x; sign -1: back.
   document_start (N) or NULL: 0. */
static void slm__rope_turn(slm_tape *tape, slm_real *numbers, const slm_tensor *x,
                           const slm_tensor *angles, const int32_t *document_start,
                           slm_real sign) {
    size_t n_rows = slm__n_grad_rows(x);
    size_t C = x->cols;
    size_t D = angles->cols;
    SLM__SHARE(static, slm__team_share(&tape->team, n_rows * C, SLM__PARALLEL_ELEMENTS))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)n_rows; at++) {
        const size_t i = (size_t)at;
        size_t n = slm__grad_row(x->live, i);
        size_t start = document_start != NULL ? (size_t)document_start[n] : 0;
        const slm_real *cosines = angles->data + (n % angles->rows - start) * D;
        const slm_real *sines = cosines + D / 2;
        for (size_t h = 0; h < C; h += D)
            slm__rotate(numbers + n * C + h, cosines, sines, D / 2, sign);
    }
}

/* The node's output is x itself; its only input, in[0], is the angles.  When the sweep comes here,
   the gradient of x is complete; it is turned in place for the maker of x. */
static void slm__rope_backward(slm_tape *tape, slm__node *node) {
    const int32_t *document_start = (const int32_t *)node->details;
    slm__rope_turn(tape, node->out->grad, node->out, node->in[0], document_start, -1);
}

SLM_API slm_tensor *slm_rope(slm_tape *tape, slm_tensor *x, slm_tensor *angles) {
    return slm_rope_within(tape, x, angles, NULL);
}

SLM_API slm_tensor *slm_rope_within(slm_tape *tape, slm_tensor *x, slm_tensor *angles,
                                    const int32_t *document_start) {
    if (x == NULL || angles == NULL) return NULL;
    if (x->is_leaf)
        return slm__tape_refuse(tape, "rope: turns its input in place, so that must not be a leaf");

    /* An operation that has read x would find other numbers in it when its backward comes. */
    for (const slm__node *node = tape->last; node != NULL; node = node->previous)
        if (node->in[0] == x || node->in[1] == x || node->in[2] == x)
            return slm__tape_refuse(
                tape, "rope: turns x in place, but another operation has read it already");
    if (x->cols % angles->cols != 0 || x->rows % angles->rows != 0)
        return slm__tape_refuse(tape, "rope: x is not whole heads and sequences");
    if (!slm__documents_fit(tape, document_start, x->rows, angles->rows)) return NULL;

    slm__node *node = slm__record(tape, x, slm__rope_backward);
    if (node == NULL) return NULL;
    node->in[0] = angles;
    node->details = document_start;

    /* The sweep must find x as it is after the turn, but its maker would make it again as it was
       before.  Without a forward the maker cannot, so slm__tensor_drop keeps x for the sweep. */
    x->maker->forward = NULL;
    slm__rope_turn(tape, x->data, x, angles, document_start, 1);
    return x;
}

/* ---- attention ----------------------------------------------------------------------------------
   forward   per sequence and head, with s = D^(-1/2):
             S_ij = s sum_d q_id k_jd      P_ij = exp(S_ij - lse_i) for j <= i, else 0
             y_id = sum_j P_ij v_jd
             q, y (N, H D)   k, v (N, KV D): head h reads k and v of head h KV / H
             Within documents, the part of a document in a sequence is a sequence of its own: its
             rows are computed as they would be alone, to the same bits.
   keeps     lse (H, N).  P is made again in blocks of rows: a T x T array never exists
   backward  dP_ij = sum_d g_id v_jd      e_i = sum_d g_id y_id      dS_ij = P_ij (dP_ij - e_i)
             dq_id += s sum_j dS_ij k_jd
             dk_jd += s sum_i dS_ij q_id      dv_jd += sum_i P_ij g_id
             Only live rows i of g are visited.  dk and dv are dense: a row looks at all before it.
   threads   forward: (sequence, head).  Backward: (sequence, head of k and v); the heads of q that
             share k and v are visited in order
   cost      about 2 N T C, backward 5 N T C, where half of each product is masked
   tests     unit/gradients, unit/step, audit                                                     */
enum { SLM__QUERY_BLOCK = 64 }; /* rows of q at a time */

typedef struct slm__attention_sizes {
    size_t T, D;        /* rows of a sequence, or of the span at hand; columns of a head */
    size_t H, KV;       /* heads of q and y; heads of k and v */
    size_t n_sequences; /* N / T */
    size_t q_stride;    /* H D: from a row of q or y to the next */
    size_t kv_stride;   /* KV D: from a row of k or v to the next */
    size_t P_stride;    /* at least T, and an odd number of cache lines: rows of P then fall into
                           different cache sets */
    size_t packed;      /* numbers of a packed (T, D) matrix */
    size_t packed_rows; /* numbers of a packed (QUERY_BLOCK, D) matrix */
    size_t scratch;     /* numbers of one thread's scratch */
} slm__attention_sizes;

/* What the node keeps: sizes.T is that of a sequence. */
typedef struct slm__attention_details {
    slm__attention_sizes sizes;
    const int32_t *document_start; /* (N) or NULL: 0 everywhere */
} slm__attention_details;

/* Rows of one sequence that see each other: the sequence, or what it holds of one document. */
typedef struct slm__attention_span {
    size_t b;        /* the sequence */
    size_t first, n; /* its rows first .. first+n-1 */
} slm__attention_span;

/* What one thread works with.  keys and values are packed for slm__gemm_packed. */
typedef struct slm__attention_scratch {
    slm_real *keys;         /* k, for S */
    slm_real *values;       /* v, for y (forward) or for dP (backward) */
    slm_real *keys_for_dq;  /* k, for dq (backward) */
    slm_real *P;            /* (QUERY_BLOCK, T) S, then P */
    slm_real *dP;           /* (QUERY_BLOCK, T) dP, then dS */
    slm_real *scaled_q;     /* (QUERY_BLOCK, D) s q; then dq / s */
    slm_real *packed_rows;  /* rows of g, or of s q */
} slm__attention_scratch;

/* One head of one span: its first element in each array. */
typedef struct slm__attention_head {
    const slm_real *q, *k, *v;
    slm_real *y;
    slm_real *lse;           /* (rows of the span) */
    const slm_real *g;       /* d loss / d y; it and the next three only in the backward */
    slm_real *dq, *dk, *dv;
} slm__attention_head;

/* At most QUERY_BLOCK rows of one span. */
typedef struct slm__query_block {
    int32_t rows[SLM__QUERY_BLOCK]; /* ascending, counted from the start of the span */
    size_t n;
    size_t reach; /* keys 0 .. reach-1 are those that the last row looks at */
} slm__query_block;

static slm__attention_sizes slm__attention_sizes_of(const slm_tensor *q, const slm_tensor *k,
                                                    int32_t T, int32_t head_dim) {
    slm__attention_sizes s;
    s.T = (size_t)T;
    s.D = (size_t)head_dim;
    s.H = q->cols / s.D;
    s.KV = k->cols / s.D;
    s.n_sequences = q->rows / s.T;
    s.q_stride = q->cols;
    s.kv_stride = k->cols;
    s.P_stride = (slm__n_blocks(s.T, SLM__CACHE_LINE) | 1) * SLM__CACHE_LINE;
    s.packed = slm__packed_size(s.T, slm__round_up(s.D, SLM__NR_MAX));
    s.packed_rows = slm__packed_size(s.D, SLM__QUERY_BLOCK);
    s.scratch = 3 * s.packed + SLM__QUERY_BLOCK * (2 * s.P_stride + s.D) + s.packed_rows;
    return s;
}

/* Divides memory of s->scratch numbers. */
static slm__attention_scratch slm__attention_scratch_of(slm_real *memory,
                                                        const slm__attention_sizes *s) {
    slm__attention_scratch x;
    x.keys = memory;
    x.values = x.keys + s->packed;
    x.keys_for_dq = x.values + s->packed;
    x.P = x.keys_for_dq + s->packed;
    x.dP = x.P + SLM__QUERY_BLOCK * s->P_stride;
    x.scaled_q = x.dP + SLM__QUERY_BLOCK * s->P_stride;
    x.packed_rows = x.scaled_q + SLM__QUERY_BLOCK * s->D;
    return x;
}

/* Rows of a sequence. */
static size_t slm__attention_sequence(const slm__node *node) {
    return ((const slm__attention_details *)node->details)->sizes.T;
}

/* Goes to the next span of its sequence; the first one follows {b, 0, 0}.  Returns 0 if there is
   none. */
static int slm__attention_span_next(slm__attention_span *span, const slm__node *node) {
    const slm__attention_details *details = (const slm__attention_details *)node->details;
    const size_t T = details->sizes.T;
    span->first += span->n;
    span->n = T - span->first;
    if (details->document_start == NULL || span->n == 0) return span->n > 0;

    const int32_t *start = details->document_start + span->b * T;
    span->n = 1;
    while (span->first + span->n < T && (size_t)start[span->first + span->n] == span->first)
        span->n++;
    return 1;
}

/* The sizes for a span: a sequence of its own. */
static slm__attention_sizes slm__attention_span_sizes(const slm__node *node,
                                                      const slm__attention_span *span) {
    slm__attention_sizes s = ((const slm__attention_details *)node->details)->sizes;
    s.T = span->n;
    return s;
}

/* Head h of a span. */
static slm__attention_head slm__attention_head_of(const slm__node *node,
                                                  const slm__attention_span *span, size_t h) {
    const slm__attention_sizes *s = &((const slm__attention_details *)node->details)->sizes;
    const slm_tensor *q = node->in[0];
    const slm_tensor *k = node->in[1];
    const slm_tensor *v = node->in[2];
    const slm_tensor *y = node->out;
    size_t row = span->b * s->T + span->first;
    size_t q_offset = row * s->q_stride + h * s->D;
    size_t kv_offset = row * s->kv_stride + h * s->KV / s->H * s->D;

    slm__attention_head head;
    memset(&head, 0, sizeof head);
    head.q = q->data + q_offset;
    head.k = k->data + kv_offset;
    head.v = v->data + kv_offset;
    head.y = y->data + q_offset;
    head.lse = node->saved + (span->b * s->H + h) * s->T + span->first;
    if (y->grad != NULL) {
        head.g = y->grad + q_offset;
        head.dq = q->grad + q_offset;
        head.dk = k->grad + kv_offset;
        head.dv = v->grad + kv_offset;
    }
    return head;
}

/* Computes S of a block of rows, into scratch->P; leaves s q in scratch->scaled_q. */
static void slm__attention_scores(const slm__attention_head *head, const slm__query_block *block,
                                  const slm__attention_sizes *s,
                                  const slm__attention_scratch *scratch) {
    slm_real scale = (slm_real)(1.0 / sqrt((double)s->D));
    for (size_t i = 0; i < block->n; i++) {
        slm_real *scaled = scratch->scaled_q + i * s->D;
        memcpy(scaled, head->q + (size_t)block->rows[i] * s->q_stride, s->D * sizeof(slm_real));
        slm__scale(scaled, scale, s->D);
    }
    slm__gemm_packed(SLM__NT, block->n, block->reach, s->D,
                     slm__matrix(scratch->scaled_q, s->D, NULL), scratch->keys, s->D, 0,
                     slm__matrix_out(scratch->P, s->P_stride, NULL));
}

/* Computes y and lse of a block.  The sums of the softmax divide y, not P: it has fewer columns. */
static void slm__attention_block_forward(const slm__attention_head *head,
                                         const slm__query_block *block,
                                         const slm__attention_sizes *s,
                                         const slm__attention_scratch *scratch) {
    slm_real sum[SLM__QUERY_BLOCK];
    slm__attention_scores(head, block, s, scratch);
    for (size_t i = 0; i < block->n; i++) {
        size_t n = (size_t)block->rows[i];
        size_t visible = n + 1;
        slm_real *row = scratch->P + i * s->P_stride;
        slm_real max = slm__row_max(row, visible);
        sum[i] = slm__exp_shift(row, row, max, visible);
        memset(row + visible, 0, (block->reach - visible) * sizeof(slm_real));
        head->lse[n] = max + (slm_real)log((double)sum[i]);
    }
    slm__gemm_packed(SLM__NN, block->n, s->D, block->reach,
                     slm__matrix(scratch->P, s->P_stride, NULL), scratch->values, s->T, 0,
                     slm__matrix_out(head->y, s->q_stride, block->rows));
    for (size_t i = 0; i < block->n; i++)
        slm__scale(head->y + (size_t)block->rows[i] * s->q_stride, 1 / sum[i], s->D);
}

static void slm__attention_head_forward(const slm__attention_head *head,
                                        const slm__attention_sizes *s,
                                        const slm__attention_scratch *scratch) {
    slm__mat k = slm__matrix(head->k, s->kv_stride, NULL);
    slm__mat v = slm__matrix(head->v, s->kv_stride, NULL);
    slm__pack_b(SLM__NT, k, s->T, s->D, scratch->keys);
    slm__pack_b(SLM__NN, v, s->D, s->T, scratch->values);
    for (size_t first = 0; first < s->T; first += SLM__QUERY_BLOCK) {
        slm__query_block block;
        block.n = slm__min(s->T - first, SLM__QUERY_BLOCK);
        block.reach = first + block.n;
        for (size_t i = 0; i < block.n; i++)
            block.rows[i] = (int32_t)(first + i);
        slm__attention_block_forward(head, &block, s, scratch);
    }
}

/* Makes P of S and lse, and dS of dP, in place; masked elements become 0. */
static void slm__attention_softmax_backward(const slm__attention_head *head,
                                            const slm__query_block *block,
                                            const slm__attention_sizes *s,
                                            const slm__attention_scratch *scratch) {
    for (size_t i = 0; i < block->n; i++) {
        size_t n = (size_t)block->rows[i];
        size_t visible = n + 1;
        size_t masked_bytes = (block->reach - visible) * sizeof(slm_real);
        slm_real *P = scratch->P + i * s->P_stride;
        slm_real *dP = scratch->dP + i * s->P_stride;
        slm_real e = slm__dot(head->g + n * s->q_stride, head->y + n * s->q_stride, s->D);
        (void)slm__exp_shift(P, P, head->lse[n], visible);
        slm__softmax_backward(dP, P, e, visible);
        memset(P + visible, 0, masked_bytes);
        memset(dP + visible, 0, masked_bytes);
    }
}

static void slm__attention_block_backward(const slm__attention_head *head,
                                          const slm__query_block *block,
                                          const slm__attention_sizes *s,
                                          const slm__attention_scratch *scratch) {
    slm_real scale = (slm_real)(1.0 / sqrt((double)s->D));
    slm__mat g = slm__matrix(head->g, s->q_stride, block->rows);
    slm__mat P = slm__matrix(scratch->P, s->P_stride, NULL);
    slm__mat dS = slm__matrix(scratch->dP, s->P_stride, NULL);
    slm__mat scaled_q = slm__matrix(scratch->scaled_q, s->D, NULL);

    slm__attention_scores(head, block, s, scratch);
    slm__gemm_packed(SLM__NT, block->n, block->reach, s->D, g, scratch->values, s->D, 0,
                     slm__matrix_out(scratch->dP, s->P_stride, NULL));
    slm__attention_softmax_backward(head, block, s, scratch);

    /* dv += P' g;   dk += dS' (s q) */
    slm__pack_b(SLM__TN, g, s->D, block->n, scratch->packed_rows);
    slm__gemm_packed(SLM__TN, block->reach, s->D, block->n, P, scratch->packed_rows, block->n, 1,
                     slm__matrix_out(head->dv, s->kv_stride, NULL));
    slm__pack_b(SLM__TN, scaled_q, s->D, block->n, scratch->packed_rows);
    slm__gemm_packed(SLM__TN, block->reach, s->D, block->n, dS, scratch->packed_rows, block->n, 1,
                     slm__matrix_out(head->dk, s->kv_stride, NULL));

    /* dq += s (dS k): s q is not needed any more, the product takes its place. */
    slm__gemm_packed(SLM__NN, block->n, s->D, block->reach, dS, scratch->keys_for_dq, s->T, 0,
                     slm__matrix_out(scratch->scaled_q, s->D, NULL));
    for (size_t i = 0; i < block->n; i++)
        slm__axpy(head->dq + (size_t)block->rows[i] * s->q_stride, scale,
                  scratch->scaled_q + i * s->D, s->D);
}

/* Takes the next live rows of y, from the *next-th on, that lie in the span of n rows which begins
   with row `start`.  Returns 0 if there are none. */
static int slm__query_block_next(slm__query_block *block, const slm_tensor *y, size_t *next,
                                 size_t start, size_t n) {
    block->n = 0;
    while (block->n < SLM__QUERY_BLOCK && *next < slm__n_grad_rows(y)) {
        size_t row = slm__grad_row(y->live, *next);
        if (row >= start + n) break;
        block->rows[block->n++] = (int32_t)(row - start);
        (*next)++;
    }
    if (block->n == 0) return 0;
    block->reach = (size_t)block->rows[block->n - 1] + 1;
    return 1;
}

/* The heads of q that share head kv of k and v, in one span.  *next: the first live row of y,
   counted in the list, that may lie in it; becomes that of the next span. */
static void slm__attention_group_backward(const slm__node *node, const slm__attention_span *span,
                                          size_t kv, size_t *next,
                                          const slm__attention_scratch *scratch) {
    const slm__attention_sizes s = slm__attention_span_sizes(node, span);
    const slm_tensor *y = node->out;
    size_t group = s.H / s.KV;
    size_t first_live = *next;

    slm__attention_head shared = slm__attention_head_of(node, span, kv * group); /* its k and v */
    slm__mat k = slm__matrix(shared.k, s.kv_stride, NULL);
    slm__mat v = slm__matrix(shared.v, s.kv_stride, NULL);
    slm__pack_b(SLM__NT, k, s.T, s.D, scratch->keys);
    slm__pack_b(SLM__NT, v, s.T, s.D, scratch->values);
    slm__pack_b(SLM__NN, k, s.D, s.T, scratch->keys_for_dq);

    for (size_t h = kv * group; h < (kv + 1) * group; h++) {
        slm__attention_head head = slm__attention_head_of(node, span, h);
        size_t start = span->b * slm__attention_sequence(node) + span->first;
        slm__query_block block;
        *next = first_live;
        while (slm__query_block_next(&block, y, next, start, span->n))
            slm__attention_block_backward(&head, &block, &s, scratch);
    }
}

/* All spans of sequence b. */
static void slm__attention_sequence_backward(const slm__node *node, size_t b, size_t kv,
                                             const slm__attention_scratch *scratch) {
    const slm_tensor *y = node->out;
    const size_t start = b * slm__attention_sequence(node);
    slm__attention_span span = {b, 0, 0};
    size_t next = 0; /* the first live row of this sequence, counted in the list */
    while (next < slm__n_grad_rows(y) && slm__grad_row(y->live, next) < start)
        next++;
    while (slm__attention_span_next(&span, node))
        slm__attention_group_backward(node, &span, kv, &next, scratch);
}

/* The threads of so many tasks: each has scratch of its own, whether or not it takes part. */
typedef struct slm__attention_team {
    int all;
    int threads; /* that take part */
} slm__attention_team;

static slm__attention_team slm__attention_team_of(slm_tape *tape, size_t n_tasks,
                                                  const slm__attention_sizes *s) {
    const size_t work = n_tasks * s->T * s->T * s->D;
    slm__attention_team team;
    team.all = slm__team_all(&tape->team, work, SLM__PARALLEL_MULTIPLY_ADDS);
    team.threads = slm__team_share(&tape->team, work, SLM__PARALLEL_MULTIPLY_ADDS);
    return team;
}

static void slm__attention_backward(slm_tape *tape, slm__node *node) {
    const slm__attention_sizes *s = &((const slm__attention_details *)node->details)->sizes;
    const slm_tensor *y = node->out;
    slm_tensor *q = node->in[0];
    slm_tensor *k = node->in[1];
    slm_tensor *v = node->in[2];
    size_t n_tasks = s->n_sequences * s->KV;
    slm__attention_team team = slm__attention_team_of(tape, n_tasks, s);
    size_t n_threads = (size_t)team.all;
    slm_real *memory = slm__tape_alloc(tape, n_threads * s->scratch);

    int wanted = slm__grad_prepare_to_add(tape, q, y->live, y->n_live);
    wanted = slm__grad_prepare_to_add(tape, k, NULL, 0) && wanted;
    wanted = slm__grad_prepare_to_add(tape, v, NULL, 0) && wanted;
    if (!wanted) (void)slm__tape_refuse(tape, "attention: q, k and v must want gradients");
    for (int i = 0; i < 3; i++)
        (void)slm__tensor_restore(tape, node->in[i]);
    if (tape->error.status != SLM_OK) return;

    SLM__SHARE(dynamic, team.threads)
    for (ptrdiff_t at = 0; at < (ptrdiff_t)n_tasks; at++) {
        const size_t task = (size_t)at;
        slm_real *mine = memory + (size_t)SLM__THREAD() * s->scratch;
        slm__attention_scratch scratch = slm__attention_scratch_of(mine, s);
        slm__attention_sequence_backward(node, task / s->KV, task % s->KV, &scratch);
    }
    slm__tape_recycle(tape, memory, n_threads * s->scratch);
}

static int slm__attention_fits(const slm_tensor *q, const slm_tensor *k, const slm_tensor *v,
                               int32_t T, int32_t head_dim) {
    if (T < 1 || head_dim < 1 || k->cols == 0) return 0;
    if (q->rows % (size_t)T != 0 || q->cols % (size_t)head_dim != 0) return 0;
    if (k->cols % (size_t)head_dim != 0 || q->cols % k->cols != 0) return 0;
    return k->rows == q->rows && v->rows == q->rows && v->cols == k->cols;
}

/* Head h of all spans of sequence b. */
static void slm__attention_sequence_forward(const slm__node *node, size_t b, size_t h,
                                            const slm__attention_scratch *scratch) {
    slm__attention_span span = {b, 0, 0};
    while (slm__attention_span_next(&span, node)) {
        const slm__attention_sizes s = slm__attention_span_sizes(node, &span);
        slm__attention_head head = slm__attention_head_of(node, &span, h);
        slm__attention_head_forward(&head, &s, scratch);
    }
}

SLM_API slm_tensor *slm_attention(slm_tape *tape, slm_tensor *q, slm_tensor *k, slm_tensor *v,
                                  int32_t T, int32_t head_dim) {
    return slm_attention_within(tape, q, k, v, NULL, T, head_dim);
}

SLM_API slm_tensor *slm_attention_within(slm_tape *tape, slm_tensor *q, slm_tensor *k,
                                         slm_tensor *v, const int32_t *document_start, int32_t T,
                                         int32_t head_dim) {
    if (q == NULL || k == NULL || v == NULL) return NULL;
    if (!slm__attention_fits(q, k, v, T, head_dim))
        return slm__tape_refuse(
            tape, "attention: q, k, v are not whole sequences and heads of the same rows");
    if (!slm__documents_fit(tape, document_start, q->rows, (size_t)T)) return NULL;

    slm__attention_details *details =
        (slm__attention_details *)slm__tape_new(tape, sizeof *details);
    slm_tensor *y = slm__tensor(tape, NULL, q->rows, q->cols);
    slm__node *node = slm__record(tape, y, slm__attention_backward);
    if (details == NULL || node == NULL) return NULL;
    details->sizes = slm__attention_sizes_of(q, k, T, head_dim);
    details->document_start = document_start;
    node->in[0] = q;
    node->in[1] = k;
    node->in[2] = v;
    node->details = details;

    const slm__attention_sizes *s = &details->sizes;
    size_t n_tasks = s->n_sequences * s->H;
    slm__attention_team team = slm__attention_team_of(tape, n_tasks, s);
    size_t n_threads = (size_t)team.all;
    node->saved = slm__tape_alloc(tape, s->H * q->rows);
    slm_real *memory = slm__tape_alloc(tape, n_threads * s->scratch);
    if (node->saved == NULL || memory == NULL) return NULL;
    SLM__SHARE(dynamic, team.threads)
    for (ptrdiff_t at = 0; at < (ptrdiff_t)n_tasks; at++) {
        const size_t task = (size_t)at;
        slm_real *mine = memory + (size_t)SLM__THREAD() * s->scratch;
        slm__attention_scratch scratch = slm__attention_scratch_of(mine, s);
        slm__attention_sequence_forward(node, task / s->H, task % s->H, &scratch);
    }
    slm__tape_recycle(tape, memory, n_threads * s->scratch);
    return y;
}

/* ---- swiglu -------------------------------------------------------------------------------------
   forward   y_nf = u_nf a_nf sigma(a_nf),   sigma(a) = 1 / (1 + exp(-a))      gate a, up u, y (N,F)
   keeps     its inputs; y is dropped after use and made again
   backward  da_nf += g_nf u_nf sigma(a_nf) (1 + a_nf (1 - sigma(a_nf)))
             du_nf += g_nf a_nf sigma(a_nf)
             up takes over the buffer of g if it has no gradient yet: du_nf replaces g_nf.
   threads   rows
   cost      NF exponentials, backward NF of live rows
   tests     unit/gradients                                                                       */
static void slm__swiglu_forward(slm_tape *tape, slm__node *node) {
    slm_tensor *y = node->out;
    size_t N = y->rows;
    size_t F = y->cols;
    const slm_real *gate = slm__tensor_restore(tape, node->in[0]);
    const slm_real *up = slm__tensor_restore(tape, node->in[1]);
    if (gate == NULL || up == NULL) return;
    SLM__SHARE(static, slm__team_share(&tape->team, N * F, SLM__PARALLEL_EXPONENTIALS))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)N; at++) {
        const size_t n = (size_t)at;
        slm__swiglu(y->data + n * F, gate + n * F, up + n * F, F);
    }
}

/* The backward; slm__swiglu_backward is the kernel. */
static void slm__swiglu_grad(slm_tape *tape, slm__node *node) {
    slm_tensor *gate = node->in[0];
    slm_tensor *up = node->in[1];
    slm_tensor *y = node->out;
    size_t F = y->cols;
    size_t n_rows = slm__n_grad_rows(y);
    const slm_real *g = y->grad;
    int up_takes_g = !up->is_leaf && up->grad == NULL && up != gate;

    slm__tensor_drop(tape, y); /* its readers are done: the buffer may serve for da */
    slm__grad_mode da = slm__grad_prepare(tape, gate, y->live, y->n_live);
    slm__grad_mode du = SLM__GRAD_OVERWRITE;
    if (up_takes_g)
        slm__grad_move_or_add(tape, up, y);
    else
        du = slm__grad_prepare(tape, up, y->live, y->n_live);
    if (da == SLM__GRAD_UNWANTED || du == SLM__GRAD_UNWANTED)
        (void)slm__tape_refuse(tape, "swiglu: gate and up must want gradients");
    (void)slm__tensor_restore(tape, gate);
    (void)slm__tensor_restore(tape, up);
    if (tape->error.status != SLM_OK) return;

    SLM__SHARE(static, slm__team_share(&tape->team, n_rows * F, SLM__PARALLEL_EXPONENTIALS))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)n_rows; at++) {
        const size_t i = (size_t)at;
        size_t offset = slm__grad_row(y->live, i) * F;
        slm__swiglu_backward(gate->grad + offset, up->grad + offset, g + offset,
                             gate->data + offset, up->data + offset, F, da == SLM__GRAD_ADD,
                             du == SLM__GRAD_ADD);
    }
}

SLM_API slm_tensor *slm_swiglu(slm_tape *tape, slm_tensor *gate, slm_tensor *up) {
    if (gate == NULL || up == NULL) return NULL;
    if (gate->rows != up->rows || gate->cols != up->cols)
        return slm__tape_refuse(tape, "swiglu: gate and up differ in shape");

    slm_tensor *y = slm__tensor(tape, NULL, gate->rows, gate->cols);
    slm__node *node = slm__record(tape, y, slm__swiglu_grad);
    if (node == NULL) return NULL;
    node->in[0] = gate;
    node->in[1] = up;
    node->forward = slm__swiglu_forward;
    slm__swiglu_forward(tape, node);
    return y;
}

/* ---- token losses -------------------------------------------------------------------------------
   forward   z_nv = sum_c h_nc w_vc      lse_n = ln sum_v exp(z_nv)
             l_n = lse_n - z_{n,t(n)}                                              (eqs. 1, 2)
             H_n = lse_n - sum_v p_nv z_nv,   p = softmax(z)                       (eq. 8)
             h (N,C)   w (V,C)
   keeps     nothing or, where it pays, logits of rows that may be selected.  The N x V logits never
             exist; chunks of rows do
   backward  none: these losses are what selection looks at; the selective loss has the gradient
   threads   rows; tiles of the output (slm__gemm)
   cost      2 NVC
   tests     unit/selection, unit/step, audit                                                     */

/* The rows of a forward, and where their losses go. */
typedef struct slm__loss_rows {
    slm_tensor *hidden;     /* h (N, C) */
    slm_tensor *head;       /* w (V, C) */
    const int32_t *targets; /* t (N); below 0: the row has none */
    slm_real *loss;         /* l (N) out */
    slm_real *entropy;      /* H (N) out, or NULL */
} slm__loss_rows;

/* Logits of a chunk of rows, V numbers in a slot for each row.  If `keeps`, a row that may still be
   selected holds its slot after its chunk, with e^(z - max) in it, so that the gradient need not
   compute its logits again. */
typedef struct slm__logits {
    slm_real *z;         /* (n_slots, V) */
    slm_real *sum;       /* (N) sum_v e^(z_v - max) */
    int32_t *slot;       /* (N) a row's slot, or SLM__NO_SLOT; set for the rows done so far */
    int32_t *free_slots; /* (n_slots) a stack */
    size_t n_slots;
    size_t n_free;
    size_t chunk; /* rows computed at a time */
    int keeps;
} slm__logits;

/* A chunk is large so that packing the head for a product pays: 2^24 logits (64 MB of floats), but
   no more than a quarter of the rows.  It is whole units of rows. */
#define SLM__CHUNK_LOGITS ((size_t)1 << 24)
enum { SLM__CHUNK_UNIT = 64, SLM__NO_SLOT = -1 };

static size_t slm__chunk_rows(size_t N, size_t V) {
    size_t units = slm__min(SLM__CHUNK_LOGITS / V, N / 4) / SLM__CHUNK_UNIT;
    size_t rows = units > 0 ? units * SLM__CHUNK_UNIT : (size_t)SLM__CHUNK_UNIT;
    return slm__min(rows, N);
}

/* Makes room for the logits of a chunk and, if it pays, of n_kept more rows, within `budget` bytes.
   It pays if fewer than N rows have a slot; chunks are made smaller to bring that about.  Returns 0
   if the tape is in error. */
static int slm__logits_create(slm_tape *tape, slm__logits *l, size_t N, size_t V, size_t n_kept,
                              size_t budget) {
    size_t affordable = budget / sizeof(slm_real) / V;
    l->chunk = slm__chunk_rows(N, V);
    while (n_kept > 0 && l->chunk > SLM__CHUNK_UNIT && n_kept + l->chunk >= N)
        l->chunk -= SLM__CHUNK_UNIT;
    l->n_slots = n_kept + l->chunk;
    l->keeps = n_kept > 0 && l->n_slots < N && l->n_slots <= affordable;
    if (!l->keeps) l->n_slots = l->chunk;

    l->z = slm__tape_alloc(tape, l->n_slots * V);
    l->sum = slm__tape_alloc(tape, N);
    l->slot = slm__tape_alloc_ints(tape, N);
    l->free_slots = slm__tape_alloc_ints(tape, l->n_slots);
    if (tape->error.status != SLM_OK) return 0;
    for (size_t i = 0; i < l->n_slots; i++)
        l->free_slots[i] = (int32_t)i;
    l->n_free = l->n_slots;
    return 1;
}

/* Frees the slots of the rows done so far that cannot be selected any more: those with mask 0, or
   all if mask is NULL. */
static void slm__logits_drop(slm__logits *l, const uint8_t *mask, size_t rows_done) {
    for (size_t n = 0; n < rows_done; n++) {
        if (l->slot[n] == SLM__NO_SLOT || (mask != NULL && mask[n])) continue;
        l->free_slots[l->n_free++] = l->slot[n];
        l->slot[n] = SLM__NO_SLOT;
    }
}

/* Gives the logits back to the tape; nothing is kept from here on. */
static void slm__logits_release(slm_tape *tape, slm__logits *l, size_t V) {
    slm__tape_recycle(tape, l->z, l->n_slots * V);
    l->z = NULL;
    l->keeps = 0;
}

/* Returns the loss of one row from its logits z (V), and leaves e^(z - max) in their place.
   *sum: that of the e^(z - max). */
static slm_real slm__row_loss(slm_real *z, size_t V, int32_t target, slm_real *sum) {
    slm_real max = slm__row_max(z, V);
    slm_real at_target = z[target] - max;
    *sum = slm__exp_shift(z, z, max, V);
    return (slm_real)log((double)*sum) - at_target;
}

/* Returns the loss of one row, and its entropy; z stays as it is. */
static slm_real slm__row_loss_and_entropy(const slm_real *z, size_t V, int32_t target,
                                          slm_real *entropy) {
    slm_real max = slm__row_max(z, V);
    slm_real sum;   /* sum_v e^(z_v - max) */
    slm_real sum_z; /* sum_v (z_v - max) e^(z_v - max) */
    slm__exp_moments(z, max, V, &sum, &sum_z);
    slm_real log_sum = (slm_real)log((double)sum);
    *entropy = log_sum - sum_z / sum;
    return log_sum - (z[target] - max);
}

/* Computes losses (and entropies) of the next chunk, which begins with row `first`; they are 0
   where there is no target.  Returns the row after the chunk. */
static size_t slm__chunk_losses(slm_tape *tape, const slm__loss_rows *rows, slm__logits *l,
                                size_t first) {
    const slm_tensor *hidden = rows->hidden;
    size_t V = rows->head->rows;
    size_t C = rows->head->cols;
    size_t end = first + slm__min(hidden->rows - first, l->chunk);

    SLM_ASSERT(l->n_free >= end - first);
    for (size_t n = first; n < end; n++)
        l->slot[n] = l->free_slots[--l->n_free];
    slm__product(tape, SLM__NT, end - first, V, C, slm__matrix(hidden->data + first * C, C, NULL),
                 slm__matrix(rows->head->data, C, NULL), 0,
                 slm__matrix_out(l->z, V, l->slot + first));
    if (tape->error.status != SLM_OK) return hidden->rows;

    SLM__SHARE(static, slm__team_share(&tape->team, (end - first) * V, SLM__PARALLEL_ELEMENTS))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)(end - first); at++) {
        const size_t n = first + (size_t)at;
        slm_real *z = l->z + (size_t)l->slot[n] * V;
        int32_t target = rows->targets[n];
        rows->loss[n] = 0;
        if (rows->entropy != NULL) rows->entropy[n] = 0;
        if (target < 0) continue;
        if (rows->entropy != NULL)
            rows->loss[n] = slm__row_loss_and_entropy(z, V, target, rows->entropy + n);
        else
            rows->loss[n] = slm__row_loss(z, V, target, l->sum + n);
    }
    return end;
}

/* Refuses shapes that do not fit and targets outside of the vocabulary.  Returns 1 if all fits. */
static int slm__loss_rows_fit(slm_tape *tape, const slm__loss_rows *rows) {
    const slm_tensor *hidden = rows->hidden;
    const slm_tensor *head = rows->head;
    if (hidden == NULL || head == NULL) {
        (void)slm__tape_refuse(tape, "losses: hidden states or head are NULL");
        return 0;
    }
    if (hidden->cols != head->cols) {
        (void)slm__tape_refuse(tape, "losses: hidden states and head differ in columns");
        return 0;
    }
    for (size_t n = 0; n < hidden->rows; n++)
        if (rows->targets[n] >= 0 && (size_t)rows->targets[n] >= head->rows) {
            (void)slm__tape_refuse(tape, "losses: a target is outside the vocabulary");
            return 0;
        }
    return tape->error.status == SLM_OK;
}

SLM_API slm_status slm_token_losses(slm_real *loss, slm_real *entropy, slm_tape *tape,
                                    slm_tensor *hidden, slm_tensor *head, const int32_t *targets,
                                    slm_error *err) {
    slm__loss_rows rows = {hidden, head, targets, loss, entropy};
    slm__logits logits;
    size_t done = 0;
    if (!slm__loss_rows_fit(tape, &rows) ||
        !slm__logits_create(tape, &logits, hidden->rows, head->rows, 0, 0))
        return slm_tape_status(tape, err);
    while (done < hidden->rows) {
        done = slm__chunk_losses(tape, &rows, &logits, done);
        slm__logits_drop(&logits, NULL, done);
    }
    slm__logits_release(tape, &logits, head->rows);
    return slm_tape_status(tape, err);
}

/* ---- selective loss -----------------------------------------------------------------------------
   forward   L = 1/k sum_n I_n a_n l_n                                             (eq. 4)
             I mask (N)   a weights (N), 1 in the paper   k the divisor   h (N,C)   w (V,C)
   keeps     the unit gradients, those for dL = 1: dh of the live rows (I_n = 1 and a target), and
             dw (V,C)
   backward  dz_nv = dL I_n a_n / k (p_nv - [v = t(n)])
             dh_nc += sum_v dz_nv w_vc      dw_vc += sum_n dz_nv h_nc
             Both are computed in the forward, while the logits are there; the sweep multiplies them
             by dL, if that is not 1.  Rows that are not live are not touched.
             At the end of the tape, dL is 1: dw then goes straight to the head's gradient.
   threads   rows; tiles of the output (slm__gemm)
   cost      4 nVC for n live rows, and 2 nVC for their logits unless they were kept
   tests     unit/gradients, unit/selection, unit/step                                            */

/* Where the loss is on the tape. */
typedef enum slm__loss_place {
    SLM__LOSS_ANYWHERE,
    SLM__LOSS_AT_END /* the sweep starts here, and the forward may write to the head's gradient */
} slm__loss_place;

/* The factors of the losses. */
typedef struct slm__loss_factors {
    const slm_real *weights; /* a (N), or NULL: all 1 */
    const uint8_t *mask;     /* I (N), or NULL: all 1 */
    double divisor;          /* k */
} slm__loss_factors;

/* Gradients of hidden and head for dL = 1: tensors without data, of which the backward makes the
   true gradients.  dhead.grad is NULL if the head wants none, or has its own already (AT_END). */
typedef struct slm__unit_grads {
    slm__loss_place place;
    slm_tensor dhidden; /* (N, C), on the live rows */
    slm_tensor dhead;   /* (V, C) */
} slm__unit_grads;

/* A selective loss in its forward. */
typedef struct slm__loss_job {
    const slm__loss_rows *rows;
    const slm__loss_factors *factors;
    const int32_t *live; /* (n_live) rows with a target and mask 1, ascending */
    size_t n_live;
    slm_tensor *dhidden; /* where the gradients go; NULL: forward only */
    slm_tensor *dhead;
} slm__loss_job;

static void slm__grad_scale(slm_tape *tape, slm_tensor *t, slm_real factor) {
    size_t n_rows = slm__n_grad_rows(t);
    size_t C = t->cols;
    SLM__SHARE(static, slm__team_share(&tape->team, n_rows * C, SLM__PARALLEL_ELEMENTS))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)n_rows; at++) {
        const size_t i = (size_t)at;
        slm__scale(t->grad + slm__grad_row(t->live, i) * C, factor, C);
    }
}

/* Adds dL times a unit gradient to the gradient of `to`. */
static void slm__unit_grad_apply(slm_tape *tape, slm_tensor *to, slm_tensor unit, slm_real dL) {
    if (unit.grad == NULL) return;
    if (dL != 1) slm__grad_scale(tape, &unit, dL);
    slm__grad_move_or_add(tape, to, &unit);
    slm__tape_recycle(tape, unit.grad, unit.rows * unit.cols); /* NULL if it was moved */
}

static void slm__selective_loss_backward(slm_tape *tape, slm__node *node) {
    const slm__unit_grads *unit = (const slm__unit_grads *)node->details;
    slm_real dL = node->out->grad[0];
    SLM_ASSERT(unit->place == SLM__LOSS_ANYWHERE || dL == 1);
    slm__unit_grad_apply(tape, node->in[0], unit->dhidden, dL);
    slm__unit_grad_apply(tape, node->in[1], unit->dhead, dL);
}

/* Lists the rows that have a target and mask 1 (NULL: all).  Returns NULL if the tape is in
   error. */
static int32_t *slm__list_live_rows(slm_tape *tape, const slm__loss_rows *rows, const uint8_t *mask,
                                    size_t *n_live) {
    size_t N = rows->hidden->rows;
    int32_t *live = slm__tape_alloc_ints(tape, N);
    *n_live = 0;
    for (size_t n = 0; live != NULL && n < N; n++)
        if (rows->targets[n] >= 0 && (mask == NULL || mask[n])) live[(*n_live)++] = (int32_t)n;
    return live;
}

static double slm__loss_weight(const slm__loss_factors *factors, int32_t n) {
    return factors->weights != NULL ? (double)factors->weights[n] : 1.0;
}

/* dz of row n, in the place of its e^(z - max), whose sum is given. */
static void slm__row_loss_backward(slm_real *z, slm_real sum, const slm__loss_job *job, int32_t n) {
    double weight = slm__loss_weight(job->factors, n);
    slm_real factor = (slm_real)(weight / job->factors->divisor);
    slm__scale(z, factor / sum, job->rows->head->rows);
    z[job->rows->targets[n]] -= factor;
}

/* From dz (m, V) of the live rows first .. first+m-1 to the gradients of hidden and head. */
static void slm__dlogits_to_grads(slm_tape *tape, const slm__loss_job *job, slm__mat dz,
                                  size_t first, size_t m) {
    const slm_tensor *hidden = job->rows->hidden;
    const slm_tensor *head = job->rows->head;
    const int32_t *live = job->live + first;
    size_t V = head->rows;
    size_t C = head->cols;
    slm__product(tape, SLM__NN, m, C, V, dz, slm__matrix(head->data, C, NULL), 0,
                 slm__matrix_out(job->dhidden->grad, C, live));

    slm__grad_mode mode = slm__grad_prepare(tape, job->dhead, NULL, 0);
    if (mode != SLM__GRAD_UNWANTED)
        slm__product(tape, SLM__TN, V, C, m, dz, slm__matrix(hidden->data, C, live),
                     mode == SLM__GRAD_ADD, slm__matrix_out(job->dhead->grad, C, NULL));
}

/* The gradients, where the losses are known and e^(z - max) of every live row was kept. */
static void slm__loss_grad_from_kept(slm_tape *tape, const slm__loss_job *job,
                                     const slm__logits *kept) {
    size_t V = job->rows->head->rows;
    int32_t *slots = slm__tape_alloc_ints(tape, job->n_live);
    if (slots == NULL) return;
    for (size_t i = 0; i < job->n_live; i++) {
        slots[i] = kept->slot[job->live[i]];
        SLM_ASSERT(slots[i] != SLM__NO_SLOT);
    }
    SLM__SHARE(static, slm__team_share(&tape->team, job->n_live * V, SLM__PARALLEL_ELEMENTS))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)job->n_live; at++) {
        const size_t i = (size_t)at;
        int32_t n = job->live[i];
        slm__row_loss_backward(kept->z + (size_t)slots[i] * V, kept->sum[n], job, n);
    }
    slm__dlogits_to_grads(tape, job, slm__matrix(kept->z, V, slots), 0, job->n_live);
}

/* The losses of the live rows and, unless this is forward only, the gradients, chunk by chunk. */
static void slm__loss_grad_recomputed(slm_tape *tape, const slm__loss_job *job) {
    const slm__loss_rows *rows = job->rows;
    size_t V = rows->head->rows;
    size_t C = rows->head->cols;
    size_t chunk = slm__chunk_rows(job->n_live, V);
    slm_real *z = slm__tape_alloc(tape, chunk * V);
    if (z == NULL) return;
    for (size_t first = 0; first < job->n_live; first += chunk) {
        size_t m = slm__min(job->n_live - first, chunk);
        const int32_t *live = job->live + first;
        slm__product(tape, SLM__NT, m, V, C, slm__matrix(rows->hidden->data, C, live),
                     slm__matrix(rows->head->data, C, NULL), 0, slm__matrix_out(z, V, NULL));
        if (tape->error.status != SLM_OK) return;

        SLM__SHARE(static, slm__team_share(&tape->team, m * V, SLM__PARALLEL_ELEMENTS))
        for (ptrdiff_t at = 0; at < (ptrdiff_t)m; at++) {
            const size_t i = (size_t)at;
            int32_t n = live[i];
            slm_real sum;
            rows->loss[n] = slm__row_loss(z + i * V, V, rows->targets[n], &sum);
            if (job->dhidden != NULL) slm__row_loss_backward(z + i * V, sum, job, n);
        }
        if (job->dhidden != NULL)
            slm__dlogits_to_grads(tape, job, slm__matrix(z, V, NULL), first, m);
    }
    slm__tape_recycle(tape, z, chunk * V);
}

/* Makes the two tensors that will hold the gradients for dL = 1, and their buffers.  Their numbers
   come later, chunk by chunk (slm__dlogits_to_grads).  Returns NULL if the tape is in error. */
static slm__unit_grads *slm__unit_grads_create(slm_tape *tape, const slm__loss_job *job,
                                               slm__loss_place place) {
    const slm_tensor *hidden = job->rows->hidden;
    const slm_tensor *head = job->rows->head;
    const int head_is_constant = head->is_leaf && head->grad == NULL;
    slm__unit_grads *unit = (slm__unit_grads *)slm__tape_new(tape, sizeof *unit);
    if (unit == NULL) return NULL;
    unit->place = place;

    /* Every live row is in one chunk only, which overwrites that row of dhidden. */
    unit->dhidden.rows = hidden->rows;
    unit->dhidden.cols = hidden->cols;
    unit->dhidden.live = job->live;
    unit->dhidden.n_live = job->n_live;
    unit->dhidden.grad = slm__tape_alloc(tape, hidden->rows * hidden->cols);

    /* All chunks contribute to dhead.  It is set up as a leaf whose gradient is unset: then
       slm__grad_prepare tells the first chunk to overwrite it and the others to add.  It needs no
       buffer where nothing goes to it: at the end of the tape the chunks write to the gradient of
       the head itself, and a constant wants none. */
    unit->dhead.rows = head->rows;
    unit->dhead.cols = head->cols;
    unit->dhead.is_leaf = 1;
    unit->dhead.grad_unset = 1;
    if (place == SLM__LOSS_ANYWHERE && !head_is_constant)
        unit->dhead.grad = slm__tape_alloc(tape, head->rows * head->cols);
    return tape->error.status == SLM_OK ? unit : NULL;
}

/* (eq. 4) The loss, and with it the unit gradients.  kept: what slm__chunk_losses has left of the
   live rows, if their losses are known and their logits kept; NULL: both are computed here. */
static slm_tensor *slm__selective_loss(slm_tape *tape, const slm__loss_rows *rows,
                                       const slm__loss_factors *factors, slm__loss_place place,
                                       const slm__logits *kept) {
    slm__loss_job job = {rows, factors, NULL, 0, NULL, NULL};
    double sum = 0;
    if (!slm__loss_rows_fit(tape, rows)) return NULL;
    if (!(factors->divisor > 0))
        return slm__tape_refuse(tape, "selective loss: the divisor must be above 0");

    slm_tensor *y = slm__tensor(tape, NULL, 1, 1);
    slm__node *node = slm__record(tape, y, slm__selective_loss_backward);
    if (node == NULL) return NULL;
    node->in[0] = rows->hidden;
    node->in[1] = rows->head;
    job.live = slm__list_live_rows(tape, rows, factors->mask, &job.n_live);
    if (job.live == NULL) return NULL;

    if (tape->recording) {
        slm__unit_grads *unit = slm__unit_grads_create(tape, &job, place);
        if (unit == NULL) return NULL;
        node->details = unit;
        job.dhidden = &unit->dhidden;
        job.dhead = place == SLM__LOSS_AT_END ? rows->head : &unit->dhead;
    }
    /* Without live rows the gradient of the head is zero. */
    if (job.n_live == 0 && job.dhead != NULL)
        (void)slm__grad_prepare_to_add(tape, job.dhead, NULL, 0);
    else if (kept == NULL)
        slm__loss_grad_recomputed(tape, &job);
    else if (job.dhidden != NULL)
        slm__loss_grad_from_kept(tape, &job, kept);

    for (size_t i = 0; i < job.n_live; i++) {
        int32_t n = job.live[i];
        sum += slm__loss_weight(factors, n) * (double)rows->loss[n];
    }
    y->data[0] = (slm_real)(sum / factors->divisor);
    return tape->error.status == SLM_OK ? y : NULL;
}

SLM_API slm_tensor *slm_selective_loss(slm_tape *tape, slm_tensor *hidden, slm_tensor *head,
                                       const int32_t *targets, const slm_real *weights,
                                       const uint8_t *mask, double divisor, slm_real *loss) {
    slm__loss_rows rows = {hidden, head, targets, loss, NULL};
    slm__loss_factors factors = {weights, mask, divisor};
    return slm__selective_loss(tape, &rows, &factors, SLM__LOSS_ANYWHERE, NULL);
}

/* ==== >>model =============================================================================== 8 ==
   The Llama architecture, put together from the operations.  One table names every parameter once:
   it drives size, initialization, weight decay, saving and loading.                              */

/* ---- configuration ---- */

/* Derives what is not set (0). */
static slm_model_config slm__model_config_defaults(slm_model_config c) {
    if (c.n_kv_heads == 0) c.n_kv_heads = c.n_heads;
    if (c.head_dim == 0 && c.n_heads > 0 && c.dim % c.n_heads == 0) c.head_dim = c.dim / c.n_heads;
    if (c.max_seq == 0) c.max_seq = 2048;
    if (c.rope_theta == 0) c.rope_theta = 10000;
    if (c.norm_eps == 0) c.norm_eps = 1e-5;
    return c;
}

/* Every integer has a range, so that no product of two of them overflows. */
static slm_status slm__model_config_check_ranges(const slm_model_config *c, slm_error *err) {
    const struct {
        const char *name;
        int32_t value, low, high;
    } fields[] = {{"vocab", c->vocab, 1, 1 << 24},
                  {"dim", c->dim, 1, 1 << 20},
                  {"n_layers", c->n_layers, 1, 4096},
                  {"n_heads", c->n_heads, 1, 4096},
                  {"n_kv_heads", c->n_kv_heads, 1, c->n_heads},
                  {"head_dim", c->head_dim, 2, 4096},
                  {"ffn", c->ffn, 1, 1 << 22},
                  {"max_seq", c->max_seq, 1, 1 << 30},
                  {"tie_embeddings", c->tie_embeddings, 0, 1},
                  {"sliding_window", c->sliding_window, 0, INT32_MAX},
                  {"n_eos", c->special.n_eos, 0, SLM_EOS_MAX}};

    for (size_t i = 0; i < SLM__COUNT(fields); i++)
        if (fields[i].value < fields[i].low || fields[i].value > fields[i].high)
            return slm__fail(err, SLM_ERR_ARGUMENT, "config: %s is %d, it must be in %d..%d",
                             fields[i].name, fields[i].value, fields[i].low, fields[i].high);
    return SLM_OK;
}

/* One that stretches nothing has no numbers to check. */
static slm_status slm__rope_scaling_check(const slm_rope_scaling *r, slm_error *err) {
    if (r->type == SLM_ROPE_PLAIN) return SLM_OK;
    if (r->type != SLM_ROPE_LINEAR && r->type != SLM_ROPE_LLAMA3)
        return slm__fail(err, SLM_ERR_ARGUMENT, "config: rope_scaling: there is no type %d",
                         (int)r->type);
    if (!(r->factor >= 1 && r->factor <= 1e6))
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "config: rope_scaling: factor is %g, it must be in [1, 1e6]", r->factor);
    if (r->type == SLM_ROPE_LINEAR) return SLM_OK;

    if (!(r->low_freq_factor > 0 && r->low_freq_factor < r->high_freq_factor &&
          r->high_freq_factor <= 1e6))
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "config: rope_scaling: low_freq_factor is %g and high_freq_factor %g; the "
                         "first must be above 0, the second above it and at most 1e6",
                         r->low_freq_factor, r->high_freq_factor);
    if (r->original_seq < 1)
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "config: rope_scaling: original_seq is %d, it must be positive",
                         (int)r->original_seq);
    return SLM_OK;
}

SLM_API slm_status slm_model_config_check(slm_model_config *config, slm_error *err) {
    const slm_model_config c = slm__model_config_defaults(*config);
    if (c.head_dim == 0 && c.n_heads > 0 && c.dim % c.n_heads != 0)
        return slm__fail(err, SLM_ERR_ARGUMENT, "config: dim %d is not a multiple of n_heads %d",
                         c.dim, c.n_heads);
    slm_status status = slm__model_config_check_ranges(&c, err);
    if (status != SLM_OK) return status;

    if (c.n_heads % c.n_kv_heads != 0)
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "config: n_heads %d is not a multiple of n_kv_heads %d", c.n_heads,
                         c.n_kv_heads);
    if (c.head_dim % 2 != 0)
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "config: head_dim is %d, rotary positions need an even one", c.head_dim);
    if (!(c.rope_theta > 0 && c.rope_theta <= 1e12))
        return slm__fail(err, SLM_ERR_ARGUMENT, "config: rope_theta is %g, it must be in (0, 1e12]",
                         c.rope_theta);
    if (!(c.norm_eps > 0 && c.norm_eps < 1))
        return slm__fail(err, SLM_ERR_ARGUMENT, "config: norm_eps is %g, it must be in (0, 1)",
                         c.norm_eps);
    status = slm__rope_scaling_check(&c.rope_scaling, err);
    if (status != SLM_OK) return status;
    *config = c;
    return SLM_OK;
}

/* ---- the table of parameters ---- */

/* Order of the table: the embedding; for each layer the parts below; the final norm; the output
   head, unless it is the embedding. */
enum {
    SLM__NORM1, /* before attention */
    SLM__Q,
    SLM__K,
    SLM__V,
    SLM__O,
    SLM__NORM2, /* before the MLP */
    SLM__GATE,
    SLM__UP,
    SLM__DOWN,
    SLM__PER_LAYER
};

/* Index of a part of a layer in the table. */
static size_t slm__at_layer(int32_t layer, int part) {
    return 1 + (size_t)layer * SLM__PER_LAYER + (size_t)part;
}

static size_t slm__at_final_norm(const slm_model_config *c) {
    return slm__at_layer(c->n_layers, 0);
}

static size_t slm__at_head(const slm_model_config *c) {
    return c->tie_embeddings ? 0 : slm__at_final_norm(c) + 1;
}

/* The sizes that parameters have. */
typedef enum slm__extent {
    SLM__EXTENT_ONE,   /* the only row of a norm */
    SLM__EXTENT_VOCAB,
    SLM__EXTENT_DIM,
    SLM__EXTENT_FFN,
    SLM__EXTENT_HEADS,   /* all heads of q: n_heads head_dim */
    SLM__EXTENT_KV_HEADS /* all heads of k or v: n_kv_heads head_dim */
} slm__extent;

static size_t slm__extent_of(const slm_model_config *c, slm__extent extent) {
    switch (extent) {
    case SLM__EXTENT_VOCAB: return (size_t)c->vocab;
    case SLM__EXTENT_DIM: return (size_t)c->dim;
    case SLM__EXTENT_FFN: return (size_t)c->ffn;
    case SLM__EXTENT_HEADS: return (size_t)c->n_heads * (size_t)c->head_dim;
    case SLM__EXTENT_KV_HEADS: return (size_t)c->n_kv_heads * (size_t)c->head_dim;
    case SLM__EXTENT_ONE: break;
    }
    return 1;
}

/* One kind of parameter. */
typedef struct slm__param_kind {
    const char *name; /* Hugging Face's, without "model.layers.N." and ".weight" */
    slm__extent rows, cols;
} slm__param_kind;

enum { SLM__NO_LAYER = -1 };

/* Adds one parameter; each begins on a cache line.  layer: NO_LAYER if it belongs to none.  Returns
   0 if the model is too large for the address space. */
static int slm__table_add(slm_model *model, int32_t layer, slm__param_kind kind) {
    slm_param *p = &model->table[model->n_tensors++];
    const size_t limit = SIZE_MAX / 64; /* so that its bytes, and moments, can be counted */
    size_t count;
    if (layer == SLM__NO_LAYER)
        (void)snprintf(p->name, sizeof p->name, "%s.weight", kind.name);
    else
        (void)snprintf(p->name, sizeof p->name, "model.layers.%d.%s.weight", (int)layer, kind.name);
    p->offset = model->n_params;
    p->rows = slm__extent_of(&model->config, kind.rows);
    p->cols = slm__extent_of(&model->config, kind.cols);
    p->decay = kind.rows != SLM__EXTENT_ONE;

    if (!slm__checked_mul(&count, p->rows, p->cols) || count > limit) return 0;
    count = slm__round_up(count, SLM__CACHE_LINE);
    return slm__checked_add(&model->n_params, model->n_params, count) && model->n_params <= limit;
}

static int slm__table_fill(slm_model *model) {
    static const slm__param_kind embedding = {"model.embed_tokens", SLM__EXTENT_VOCAB,
                                              SLM__EXTENT_DIM};
    static const slm__param_kind final_norm = {"model.norm", SLM__EXTENT_ONE, SLM__EXTENT_DIM};
    static const slm__param_kind head = {"lm_head", SLM__EXTENT_VOCAB, SLM__EXTENT_DIM};

    static const slm__param_kind parts[SLM__PER_LAYER] = {
        {"input_layernorm", SLM__EXTENT_ONE, SLM__EXTENT_DIM},
        {"self_attn.q_proj", SLM__EXTENT_HEADS, SLM__EXTENT_DIM},
        {"self_attn.k_proj", SLM__EXTENT_KV_HEADS, SLM__EXTENT_DIM},
        {"self_attn.v_proj", SLM__EXTENT_KV_HEADS, SLM__EXTENT_DIM},
        {"self_attn.o_proj", SLM__EXTENT_DIM, SLM__EXTENT_HEADS},
        {"post_attention_layernorm", SLM__EXTENT_ONE, SLM__EXTENT_DIM},
        {"mlp.gate_proj", SLM__EXTENT_FFN, SLM__EXTENT_DIM},
        {"mlp.up_proj", SLM__EXTENT_FFN, SLM__EXTENT_DIM},
        {"mlp.down_proj", SLM__EXTENT_DIM, SLM__EXTENT_FFN}};

    if (!slm__table_add(model, SLM__NO_LAYER, embedding)) return 0;
    for (int32_t layer = 0; layer < model->config.n_layers; layer++)
        for (int part = 0; part < SLM__PER_LAYER; part++)
            if (!slm__table_add(model, layer, parts[part])) return 0;
    if (!slm__table_add(model, SLM__NO_LAYER, final_norm)) return 0;
    return model->config.tie_embeddings || slm__table_add(model, SLM__NO_LAYER, head);
}

/* ---- the model as an object ---- */

/* Makes the configuration and the table of a model; params is NULL. */
static slm_status slm__model_describe(slm_model **out, const slm_model_config *config,
                                      slm_error *err) {
    slm_model_config c = *config;
    slm_status status = slm_model_config_check(&c, err);
    *out = NULL;
    if (status != SLM_OK) return status;

    slm_model *model = (slm_model *)slm__alloc(1, sizeof *model, err);
    if (model == NULL) return SLM_ERR_MEMORY;
    size_t n_most = slm__at_final_norm(&c) + 2;
    model->config = c;
    model->memory[0] = slm__alloc(n_most, sizeof(slm_param), err);
    model->table = (slm_param *)model->memory[0];
    if (model->table != NULL && slm__table_fill(model)) {
        *out = model;
        return SLM_OK;
    }
    if (model->table != NULL)
        (void)slm__fail(err, SLM_ERR_MEMORY,
                        "out of memory: the model does not fit the address space");
    slm_model_free(model);
    return SLM_ERR_MEMORY;
}

/* Makes a model with its memory; all weights are zero. */
static slm_status slm__model_allocate(slm_model **out, const slm_model_config *config,
                                      slm_error *err) {
    slm_model *model;
    slm_status status = slm__model_describe(&model, config, err);

    *out = NULL;
    if (status != SLM_OK) return status;
    model->memory[1] = slm__alloc(model->n_params, sizeof(slm_real), err);
    model->params = (slm_real *)model->memory[1];
    if (model->params != NULL) {
        *out = model;
        return SLM_OK;
    }
    slm_model_free(model);
    return SLM_ERR_MEMORY;
}

SLM_API void slm_model_free(slm_model *model) {
    if (model == NULL) return;
    slm__release(model->memory[0]);
    slm__release(model->memory[1]);
    slm__release(model);
}

/* 1 if the output of this matrix is added to the residual stream. */
static int slm__writes_to_residual(const slm_model_config *c, size_t index) {
    if (index < slm__at_layer(0, 0) || index >= slm__at_final_norm(c)) return 0;
    size_t part = (index - slm__at_layer(0, 0)) % SLM__PER_LAYER;
    return part == SLM__O || part == SLM__DOWN;
}

/* Norms are 1.  Matrices are normal with standard deviation 0.02; those that write to the residual
   stream, which 2 in each layer do, get (2 layers)^(-1/2) of it, so that the variance of the stream
   does not grow with depth. */
SLM_API slm_status slm_model_create(slm_model **out, const slm_model_config *config, uint64_t seed,
                                    slm_error *err) {
    slm_status status = slm__model_allocate(out, config, err);
    slm_rng rng = slm_rng_seed(seed);
    if (status != SLM_OK) return status;

    slm_model *model = *out;
    const double usual = 0.02;
    const double residual = usual / sqrt(2.0 * model->config.n_layers);
    for (size_t i = 0; i < model->n_tensors; i++) {
        const slm_param *p = &model->table[i];
        double mean = p->decay ? 0.0 : 1.0;
        double deviation = p->decay ? usual : 0.0;
        if (slm__writes_to_residual(&model->config, i)) deviation = residual;
        slm__fill_normal(model->params + p->offset, p->rows * p->cols, mean, deviation, &rng);
    }
    return SLM_OK;
}

SLM_API slm_status slm_model_copy(slm_model **out, const slm_model *model, slm_error *err) {
    slm_status status = slm__model_allocate(out, &model->config, err);
    if (status == SLM_OK) memcpy((*out)->params, model->params, model->n_params * sizeof(slm_real));
    return status;
}

/* Where a model's hash begins: with its shape.  The tensors follow, in the order of the table. */
static uint64_t slm__shape_hash(const slm_model_config *c) {
    const double shape[] = {(double)c->vocab,        (double)c->dim,
                            (double)c->n_layers,     (double)c->n_heads,
                            (double)c->n_kv_heads,   (double)c->head_dim,
                            (double)c->ffn,          (double)c->tie_embeddings,
                            c->rope_theta,           c->norm_eps,
                            (double)sizeof(slm_real)};

    const slm_rope_scaling *r = &c->rope_scaling;
    const double scaling[] = {(double)r->type, r->factor, r->low_freq_factor, r->high_freq_factor,
                              (double)r->original_seq};

    uint64_t hash = slm__hash_doubles(SLM_HASH_START, shape, SLM__COUNT(shape));
    if (r->type != SLM_ROPE_PLAIN) hash = slm__hash_doubles(hash, scaling, SLM__COUNT(scaling));
    return hash;
}

SLM_API uint64_t slm_model_hash(const slm_model *model) {
    uint64_t hash = slm__shape_hash(&model->config);

    for (size_t i = 0; i < model->n_tensors; i++) {
        const slm_param *p = &model->table[i];
        hash = slm__hash_numbers(hash, model->params + p->offset, p->rows * p->cols);
    }
    return hash;
}

/* ---- forward ---- */

/* What the leaves of one forward are made of. */
typedef struct slm__model_pass {
    slm_tape *tape;
    const slm_model *model;
    slm_real *grads;     /* (n_params), or NULL: forward only */
    slm__grad_mode mode; /* how the sweep writes to grads */
    slm_real *params;    /* the weights, or of a model that is streamed, those of one part: */
    size_t offset;       /* ... they begin at this offset of the table */
} slm__model_pass;

/* A parameter as a leaf.  Its gradient goes to the same offset of grads. */
static slm_tensor *slm__parameter(const slm__model_pass *pass, size_t index) {
    const slm_param *p = &pass->model->table[index];
    slm_real *data = pass->params + (p->offset - pass->offset);
    if (pass->mode == SLM__GRAD_UNWANTED)
        return slm_constant(pass->tape, data, p->rows, p->cols);
    slm_tensor *leaf = slm_leaf(pass->tape, data, pass->grads + p->offset, p->rows, p->cols);
    if (leaf != NULL && pass->mode == SLM__GRAD_ADD) leaf->grad_unset = 0;
    return leaf;
}

/* One layer:  x += o(attention(norm(x)));  x += down(swiglu(norm(x))). */
static slm_tensor *slm__layer(const slm__model_pass *pass, slm_tensor *x, int32_t layer,
                              const slm_batch *batch, slm_tensor *angles) {
    slm_tape *tape = pass->tape;
    const slm_model_config *c = &pass->model->config;
    const int32_t *start = batch->document_start;
    slm_tensor *w[SLM__PER_LAYER];
    for (int part = 0; part < SLM__PER_LAYER; part++)
        w[part] = slm__parameter(pass, slm__at_layer(layer, part));

    slm_tensor *normed = slm_rmsnorm(tape, x, w[SLM__NORM1], c->norm_eps);
    slm_tensor *q = slm_linear(tape, normed, w[SLM__Q], NULL);
    q = slm_rope_within(tape, q, angles, start);
    slm_tensor *k = slm_linear(tape, normed, w[SLM__K], NULL);
    k = slm_rope_within(tape, k, angles, start);
    slm_tensor *v = slm_linear(tape, normed, w[SLM__V], NULL);
    slm__tensor_drop(tape, normed);
    slm_tensor *attended = slm_attention_within(tape, q, k, v, start, batch->T, c->head_dim);
    slm__tensor_drop(tape, q);
    slm__tensor_drop(tape, k);
    slm__tensor_drop(tape, v);
    slm_tensor *middle = slm_linear(tape, attended, w[SLM__O], x);
    slm__tensor_drop(tape, attended);
    /* When recording, x stays: to make it again would mean to run all layers before this one. */
    if (!tape->recording) slm__tensor_drop(tape, x);

    normed = slm_rmsnorm(tape, middle, w[SLM__NORM2], c->norm_eps);
    slm_tensor *gate = slm_linear(tape, normed, w[SLM__GATE], NULL);
    slm_tensor *up = slm_linear(tape, normed, w[SLM__UP], NULL);
    slm__tensor_drop(tape, normed);
    slm_tensor *gated = slm_swiglu(tape, gate, up);
    slm__tensor_drop(tape, gate);
    slm__tensor_drop(tape, up);
    slm_tensor *out = slm_linear(tape, gated, w[SLM__DOWN], middle);
    slm__tensor_drop(tape, gated);
    slm__tensor_drop(tape, middle);
    return out;
}

/* The angles of windows of T tokens.  In a window that is no longer than the model's sliding window
   every token sees all before it, as if there were none; a longer one is refused. */
static slm_tensor *slm__model_angles(slm_tape *tape, const slm_model_config *c, int32_t T) {
    if (c->sliding_window > 0 && T > c->sliding_window) {
        char reason[96];
        (void)snprintf(reason, sizeof reason,
                       "model: windows of %d are above its sliding window of %d", (int)T,
                       (int)c->sliding_window);
        return slm__tape_refuse(tape, reason);
    }
    return slm_rope_angles(tape, T, c->head_dim, c->rope_theta, &c->rope_scaling);
}

/* slm_model_forward, with a choice: do the gradients overwrite grads, or add to it? */
static slm_tensor *slm__model_forward(slm_tensor **head, slm_tape *tape, const slm_model *model,
                                      const slm_batch *batch, slm_real *grads,
                                      slm__grad_mode mode) {
    const slm_model_config *c = &model->config;
    const slm__model_pass pass = {tape, model, grads, mode, model->params, 0};
    size_t N = (size_t)batch->B * (size_t)batch->T;
    tape->recording = mode != SLM__GRAD_UNWANTED;

    slm_tensor *angles = slm__model_angles(tape, c, batch->T);
    slm_tensor *embedding = slm__parameter(&pass, 0);
    slm_tensor *x = slm_embedding(tape, embedding, batch->inputs, N);
    for (int32_t layer = 0; layer < c->n_layers; layer++)
        x = slm__layer(&pass, x, layer, batch, angles);

    *head = c->tie_embeddings ? embedding : slm__parameter(&pass, slm__at_head(c));
    return slm_rmsnorm(tape, x, slm__parameter(&pass, slm__at_final_norm(c)), c->norm_eps);
}

SLM_API slm_tensor *slm_model_forward(slm_tensor **head, slm_tape *tape, const slm_model *model,
                                      const slm_batch *batch, slm_real *grads) {
    slm__grad_mode mode = grads != NULL ? SLM__GRAD_OVERWRITE : SLM__GRAD_UNWANTED;
    return slm__model_forward(head, tape, model, batch, grads, mode);
}

/* ==== >>data ================================================================================ 9 ==
   A corpus is one stream of tokens.  It is cut into windows of T targets, and batches hold
   windows.  Window w predicts the tokens at positions w*T+1 .. w*T+T, each from those before it in
   the window; so the inputs of a window are the tokens one place earlier, w*T .. w*T+T-1.        */

/* ---- corpus ---- */
/* What a corpus may have besides its tokens: the blocks of `more`. */
enum {
    SLM__CORPUS_DOCUMENTS,   /* document_starts */
    SLM__CORPUS_WEIGHTS,     /* weights */
    SLM__CORPUS_TOKEN_BYTES, /* token_bytes */
    SLM__CORPUS_MASKS,       /* masked, if it was set later */
    SLM__CORPUS_MORE
};

SLM_API void slm_corpus_free(slm_corpus *corpus) {
    if (corpus == NULL) return;
    slm__release(corpus->memory);
    if (corpus->source.free_user != NULL) corpus->source.free_user(corpus->source.user);
    for (int i = 0; i < SLM__CORPUS_MORE; i++)
        slm__release(corpus->more[i]);
    slm__release(corpus);
}

/* The two arrays of a corpus lie in one block: the tokens first, then the masks. */
static slm_status slm__corpus_allocate(slm_corpus **out, size_t n, slm_error *err) {
    slm_corpus *corpus = (slm_corpus *)slm__alloc(1, sizeof *corpus, err);

    *out = NULL;
    if (corpus == NULL) return SLM_ERR_MEMORY;
    corpus->memory = slm__alloc(n, sizeof *corpus->tokens + sizeof *corpus->masked, err);
    if (corpus->memory == NULL) {
        slm_corpus_free(corpus);
        return SLM_ERR_MEMORY;
    }
    corpus->n = n;
    corpus->tokens = (int32_t *)corpus->memory;
    corpus->masked = (uint8_t *)(corpus->tokens + n);
    *out = corpus;
    return SLM_OK;
}

SLM_API slm_status slm_corpus_create(slm_corpus **out, const int32_t *tokens,
                                     const uint8_t *masked, size_t n, int32_t vocab,
                                     slm_error *err) {
    slm_corpus *corpus;

    *out = NULL;
    for (size_t i = 0; i < n; i++) {
        if (tokens[i] < 0 || tokens[i] >= vocab)
            return slm__fail(err, SLM_ERR_ARGUMENT, "token %zu is %d, outside the vocabulary of %d",
                             i, (int)tokens[i], (int)vocab);
    }
    if (slm__corpus_allocate(&corpus, n, err) != SLM_OK) return SLM_ERR_MEMORY;

    if (n > 0) memcpy(corpus->tokens, tokens, n * sizeof *tokens);
    corpus->hash = slm__hash_ids(SLM_HASH_START, tokens, n);
    corpus->n_documents = 1;
    corpus->documents_hash = SLM_HASH_START; /* of nothing: there are no borders */
    if (masked == NULL) {
        corpus->masked = NULL;
    } else {
        for (size_t i = 0; i < n; i++)
            corpus->masked[i] = masked[i] != 0;
        corpus->hash = slm_hash(corpus->hash, corpus->masked, n);
    }
    *out = corpus;
    return SLM_OK;
}

SLM_API int32_t slm_corpus_token(const slm_corpus *corpus, size_t i) {
    if (corpus->tokens != NULL) return corpus->tokens[i];
    return corpus->source.token_at(corpus->source.user, i);
}

/* Checks and hashes the tokens of the source. */
static slm_status slm__corpus_read_source(slm_corpus *corpus, int32_t vocab, slm_error *err) {
    corpus->hash = SLM_HASH_START;
    for (size_t i = 0; i < corpus->n; i++) {
        int32_t token = slm_corpus_token(corpus, i);
        if (token < 0 || token >= vocab)
            return slm__fail(err, SLM_ERR_ARGUMENT, "token %zu is %d, outside the vocabulary of %d",
                             i, (int)token, (int)vocab);
        corpus->hash = slm__hash_ids(corpus->hash, &token, 1);
    }
    return SLM_OK;
}

/* Copies the masks, and makes them part of the hash. */
static slm_status slm__corpus_copy_masks(slm_corpus *corpus, const uint8_t *masked,
                                         slm_error *err) {
    corpus->memory = slm__alloc(corpus->n, sizeof *masked, err);
    if (corpus->memory == NULL) return SLM_ERR_MEMORY;
    corpus->masked = (uint8_t *)corpus->memory;
    for (size_t i = 0; i < corpus->n; i++)
        corpus->masked[i] = masked[i] != 0;
    corpus->hash = slm_hash(corpus->hash, corpus->masked, corpus->n);
    return SLM_OK;
}

SLM_API slm_status slm_corpus_create_from(slm_corpus **out, const slm_token_source *source,
                                          const uint8_t *masked, size_t n, int32_t vocab,
                                          slm_error *err) {
    slm_corpus *corpus = (slm_corpus *)slm__alloc(1, sizeof *corpus, err);
    slm_status status;

    *out = NULL;
    if (corpus == NULL) return SLM_ERR_MEMORY;
    corpus->n = n;
    corpus->n_documents = 1;
    corpus->documents_hash = SLM_HASH_START;
    corpus->source = *source;
    status = slm__corpus_read_source(corpus, vocab, err);
    if (status == SLM_OK && masked != NULL) status = slm__corpus_copy_masks(corpus, masked, err);
    if (status != SLM_OK) {
        corpus->source.free_user = NULL; /* still the caller's */
        slm_corpus_free(corpus);
        return status;
    }
    *out = corpus;
    return SLM_OK;
}

SLM_API slm_status slm_corpus_set_documents(slm_corpus *corpus, const uint64_t *starts, size_t n,
                                            slm_error *err) {
    uint64_t hash = SLM_HASH_START;

    if (n == 0 || starts[0] != 0)
        return slm__fail(err, SLM_ERR_ARGUMENT, "documents: the first begins at token 0");
    for (size_t i = 0; i < n; i++) {
        unsigned char bytes[8];
        int ascends = i == 0 || starts[i] > starts[i - 1];

        if (!ascends || starts[i] >= corpus->n)
            return slm__fail(err, SLM_ERR_ARGUMENT,
                             "documents: number %zu begins at token %llu of %zu: they must ascend",
                             i, (unsigned long long)starts[i], corpus->n);
        slm__store(bytes, starts[i], sizeof bytes);
        hash = slm_hash(hash, bytes, sizeof bytes);
    }

    uint64_t *copy = (uint64_t *)slm__alloc(n, sizeof *copy, err);
    if (copy == NULL) return SLM_ERR_MEMORY;
    memcpy(copy, starts, n * sizeof *copy);
    slm__release(corpus->more[SLM__CORPUS_DOCUMENTS]);
    corpus->more[SLM__CORPUS_DOCUMENTS] = copy;
    corpus->document_starts = copy;
    corpus->n_documents = n;
    corpus->documents_hash = hash;
    return SLM_OK;
}

SLM_API slm_status slm_corpus_set_masks(slm_corpus *corpus, const uint8_t *masked,
                                        slm_error *err) {
    uint8_t *copy;

    if (corpus->masked != NULL)
        return slm__fail(err, SLM_ERR_ARGUMENT, "masks: the corpus has some already");
    copy = (uint8_t *)slm__alloc(corpus->n, 1, err);
    if (copy == NULL) return SLM_ERR_MEMORY;
    for (size_t i = 0; i < corpus->n; i++)
        copy[i] = masked[i] != 0;
    slm__release(corpus->more[SLM__CORPUS_MASKS]);
    corpus->more[SLM__CORPUS_MASKS] = copy;
    corpus->masked = copy;
    corpus->hash = slm_hash(corpus->hash, copy, corpus->n);
    return SLM_OK;
}

static void slm__set_to_one(slm_real *weights, size_t n) {
    for (size_t i = 0; i < n; i++)
        weights[i] = 1;
}

SLM_API slm_status slm_corpus_alloc_weights(slm_corpus *corpus, slm_error *err) {
    slm_real *block;

    if (corpus->weights != NULL) return SLM_OK;
    block = (slm_real *)slm__alloc(corpus->n, sizeof *block, err);
    if (block == NULL) return SLM_ERR_MEMORY;
    slm__set_to_one(block, corpus->n);
    slm__release(corpus->more[SLM__CORPUS_WEIGHTS]);
    corpus->more[SLM__CORPUS_WEIGHTS] = block;
    corpus->weights = block;
    return SLM_OK;
}

/* 1 if a document begins at that token. */
static int slm__begins_document(const slm_corpus *corpus, size_t token) {
    size_t low = 0;
    size_t high = corpus->document_starts != NULL ? corpus->n_documents : 0;

    if (token == 0) return 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (corpus->document_starts[middle] < token)
            low = middle + 1;
        else
            high = middle;
    }
    return corpus->document_starts != NULL && low < corpus->n_documents &&
           corpus->document_starts[low] == token;
}

SLM_API int slm_corpus_is_target(const slm_corpus *corpus, size_t i) {
    if (i == 0 || i >= corpus->n) return 0;
    if (corpus->masked != NULL && corpus->masked[i]) return 0;
    return !corpus->within_documents || !slm__begins_document(corpus, i);
}

/* What losses of the corpus must say of documents. */
static uint64_t slm__documents_in_effect(const slm_corpus *corpus) {
    if (!corpus->within_documents) return 0;
    return corpus->document_starts != NULL ? corpus->documents_hash : SLM_HASH_START;
}

/* n tokens hold n - 1 targets, hence ceil((n - 1) / T) windows. */
SLM_API size_t slm_corpus_n_windows(const slm_corpus *corpus, int32_t T) {
    if (corpus->n < 2 || T < 1) return 0;
    return (corpus->n - 2) / (size_t)T + 1;
}

/* ---- batches ----
   A batch owns up to three blocks of memory, and its arrays point into them.  The caller may let an
   array point elsewhere: only the blocks are freed, never what an array points to. */
enum {
    SLM__BATCH_WINDOWS,   /* positions, inputs, targets, document_start */
    SLM__BATCH_REFERENCE, /* ref_loss, ref_entropy */
    SLM__BATCH_WEIGHTS,   /* weights */
    SLM__BATCH_BLOCKS
};

SLM_API void slm_batch_free(slm_batch *batch) {
    if (batch == NULL) return;
    for (int block = 0; block < SLM__BATCH_BLOCKS; block++)
        slm__release(batch->memory[block]);
    slm__release(batch);
}

SLM_API slm_status slm_batch_create(slm_batch **out, int32_t B, int32_t T, slm_error *err) {
    size_t n = (size_t)B * (size_t)T;
    slm_batch *batch;
    void *block;

    *out = NULL;
    if (B < 1 || T < 1 || B > INT32_MAX / T)
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "a batch of %d windows of %d tokens: both must be at least 1, their "
                         "product below 2^31",
                         (int)B, (int)T);
    batch = (slm_batch *)slm__alloc(1, sizeof *batch, err);
    if (batch == NULL) return SLM_ERR_MEMORY;
    block = slm__alloc(n, sizeof(uint64_t) + 3 * sizeof(int32_t), err);
    if (block == NULL) {
        slm_batch_free(batch);
        return SLM_ERR_MEMORY;
    }

    batch->B = B;
    batch->T = T;
    batch->memory[SLM__BATCH_WINDOWS] = block;
    batch->positions = (uint64_t *)block;
    batch->inputs = (int32_t *)(batch->positions + n);
    batch->targets = batch->inputs + n;
    batch->document_start = batch->targets + n;
    *out = batch;
    return SLM_OK;
}

/* The block of that index, made of `count` zeros if the batch does not have it yet.  Returns NULL
   if there is no memory. */
static slm_real *slm__batch_block(slm_batch *batch, int index, size_t count, slm_error *err) {
    if (batch->memory[index] == NULL)
        batch->memory[index] = slm__alloc(count, sizeof(slm_real), err);
    return (slm_real *)batch->memory[index];
}

SLM_API slm_status slm_batch_alloc_reference(slm_batch *batch, slm_error *err) {
    size_t n = (size_t)batch->B * (size_t)batch->T;
    slm_real *block;

    if (batch->ref_loss != NULL && batch->ref_entropy != NULL) return SLM_OK;
    block = slm__batch_block(batch, SLM__BATCH_REFERENCE, 2 * n, err);
    if (block == NULL) return SLM_ERR_MEMORY;
    if (batch->ref_loss == NULL) batch->ref_loss = block;
    if (batch->ref_entropy == NULL) batch->ref_entropy = block + n;
    return SLM_OK;
}

SLM_API slm_status slm_batch_alloc_weights(slm_batch *batch, slm_error *err) {
    size_t n = (size_t)batch->B * (size_t)batch->T;
    slm_real *block;

    if (batch->weights != NULL) return SLM_OK;
    block = slm__batch_block(batch, SLM__BATCH_WEIGHTS, n, err);
    if (block == NULL) return SLM_ERR_MEMORY;
    slm__set_to_one(block, n);
    batch->weights = block;
    return SLM_OK;
}

/* ---- windows to batches ---- */
/* What the reference model says of the token at that position of the corpus: 0 if the position is
   past the end, NaN if nothing is known, so that a value which nobody fills in is noticed. */
static slm_real slm__reference_value(const slm_real *values, size_t position, int inside) {
    if (values == NULL) return (slm_real)NAN;
    return inside ? values[position - 1] : 0;
}

/* Row b of the batch becomes that window.  What lies past the end of the corpus gets input 0 and
   target -1; a token that is no target gets target -1. */
static void slm__batch_set_row(slm_batch *batch, int32_t b, const slm_corpus *corpus,
                               const slm_losses *ref_losses, size_t window) {
    const slm_real *loss = ref_losses == NULL ? NULL : ref_losses->loss;
    const slm_real *entropy = ref_losses == NULL ? NULL : ref_losses->entropy;
    size_t T = (size_t)batch->T;
    int exists = window < slm_corpus_n_windows(corpus, batch->T);

    for (size_t t = 0; t < T; t++) {
        size_t i = (size_t)b * T + t;                         /* in the arrays of the batch */
        size_t position = exists ? window * T + t + 1 : 0;    /* of the target in the corpus */
        int inside = exists && position < corpus->n;
        int is_target = inside && slm_corpus_is_target(corpus, position);

        batch->inputs[i] = inside ? slm_corpus_token(corpus, position - 1) : 0;
        batch->targets[i] = is_target ? slm_corpus_token(corpus, position) : -1;
        if (batch->positions != NULL) batch->positions[i] = position;
        if (batch->weights != NULL && corpus->weights != NULL)
            batch->weights[i] = inside ? corpus->weights[position] : 1;
        if (batch->ref_loss != NULL)
            batch->ref_loss[i] = slm__reference_value(loss, position, inside);
        if (batch->ref_entropy != NULL)
            batch->ref_entropy[i] = slm__reference_value(entropy, position, inside);
    }
}

/* The starts of documents in row b, which is that window.  A row whose target is not of its own
   document, or not there, is of no use to any other: it is alone.  So the rows that a document has
   are the same in whatever it is packed, and with them the bits. */
static void slm__batch_set_documents(slm_batch *batch, int32_t b, const slm_corpus *corpus,
                                     size_t window) {
    size_t T = (size_t)batch->T;
    int32_t *start = batch->document_start + (size_t)b * T;
    int exists = window < slm_corpus_n_windows(corpus, batch->T);
    int was_alone = 0;

    for (size_t t = 0; t < T; t++) {
        size_t position = exists ? window * T + t + 1 : corpus->n; /* of the target */
        int alone = corpus->within_documents &&
                    (position >= corpus->n || slm__begins_document(corpus, position));
        int begins = t == 0 || alone || was_alone;

        start[t] = begins ? (int32_t)t : start[t - 1];
        was_alone = alone;
    }
}

/* Which window comes at place i of an epoch: a permutation of 0 .. n-1 that needs no memory.

   A Feistel network permutes the words of 2h bits, where 4^h >= n: a word is cut into two halves,
   and each round maps (left, right) to (right, left ^ F(right)).  That can be undone whatever F is,
   so it is one to one; F is a hash of its argument, the seed, the epoch and the round.  A result
   >= n is permuted again until it falls below n, which keeps the map one to one. */
#define SLM__FEISTEL_ROUNDS 6

static uint64_t slm__window_order(uint64_t seed, uint64_t epoch, uint64_t i, uint64_t n) {
    uint64_t key = slm__mix(slm__mix(seed + 1) ^ epoch);
    uint64_t half = 1; /* h */
    uint64_t mask;

    while (half < 32 && (n - 1) >> (2 * half) != 0)
        half++;
    mask = ((uint64_t)1 << half) - 1;

    do {
        for (uint64_t round = 0; round < SLM__FEISTEL_ROUNDS; round++) {
            uint64_t left = i >> half;
            uint64_t right = i & mask;
            uint64_t hashed = slm__mix(right ^ slm__mix(key + round)) & mask;
            i = right << half | (left ^ hashed);
        }
    } while (i >= n);
    return i;
}

/* Losses serve a batch only if they are those of this corpus, cut into the same windows. */
static slm_status slm__batch_check_losses(const slm_batch *batch, const slm_corpus *corpus,
                                          const slm_losses *losses, slm_error *err) {
    if (losses->n == corpus->n - 1 && losses->T == batch->T &&
        losses->corpus_hash == corpus->hash &&
        losses->documents_hash == slm__documents_in_effect(corpus))
        return SLM_OK;
    return slm__fail(err, SLM_ERR_MISMATCH,
                     "the reference losses (%zu targets, windows of %d) are not of this corpus "
                     "(%zu), its documents, and window (%d)",
                     losses->n, (int)losses->T, corpus->n - 1, (int)batch->T);
}

SLM_API slm_status slm_batch_next(slm_batch *batch, slm_cursor *cursor, const slm_corpus *corpus,
                                  const slm_losses *ref_losses, slm_error *err) {
    size_t n_windows = slm_corpus_n_windows(corpus, batch->T);
    slm_status status;

    if (n_windows == 0)
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "a corpus of %zu tokens: there is nothing to predict", corpus->n);
    if (ref_losses != NULL) {
        status = slm__batch_check_losses(batch, corpus, ref_losses, err);
        if (status == SLM_OK) status = slm_batch_alloc_reference(batch, err);
        if (status != SLM_OK) return status;
    }
    if (corpus->weights != NULL && slm_batch_alloc_weights(batch, err) != SLM_OK)
        return SLM_ERR_MEMORY;
    if (corpus->within_documents && batch->document_start == NULL)
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "a batch without document_start cannot keep within documents");

    for (int32_t b = 0; b < batch->B; b++) {
        uint64_t epoch = cursor->next_window / n_windows;
        uint64_t place = cursor->next_window % n_windows;
        uint64_t window = slm__window_order(cursor->seed, epoch, place, n_windows);
        slm__batch_set_row(batch, b, corpus, ref_losses, (size_t)window);
        if (batch->document_start != NULL)
            slm__batch_set_documents(batch, b, corpus, (size_t)window);
        cursor->next_window++;
    }
    return SLM_OK;
}

SLM_API void slm_batch_fill(slm_batch *batch, const slm_corpus *corpus, size_t first_window) {
    int possible = !corpus->within_documents || batch->document_start != NULL;

    for (int32_t b = 0; b < batch->B; b++) {
        size_t left = SIZE_MAX - first_window; /* SIZE_MAX is no window, whatever T */
        size_t window = possible && (size_t)b < left ? first_window + (size_t)b : SIZE_MAX;
        slm__batch_set_row(batch, b, corpus, NULL, window);
        if (batch->document_start != NULL) slm__batch_set_documents(batch, b, corpus, window);
    }
}

/* ==== >>scoring ============================================================================ 10 ==
   Step 2 of the paper: what a model makes of every token of a text, without a tape.              */

static size_t slm__batch_size(const slm_batch *batch) {
    return (size_t)batch->B * (size_t)batch->T;
}

static slm_status slm__batch_check(const slm_batch *batch, const slm_model *model, slm_error *err) {
    const int32_t V = model->config.vocab;

    for (size_t i = 0; i < slm__batch_size(batch); i++) {
        int32_t input = batch->inputs[i];
        int32_t target = batch->targets[i];
        int bad_input = input < 0 || input >= V;

        if (bad_input || target >= V)
            return slm__fail(err, SLM_ERR_ARGUMENT,
                             "batch: token %d at row %zu is outside the model's vocabulary of %d",
                             bad_input ? input : target, i, V);
    }
    return SLM_OK;
}

/* Threads look at pieces, each with a flag of its own, where there are at least so many numbers. */
enum { SLM__FINITE_PIECES = 64, SLM__FINITE_MANY = 1 << 14 };

static int slm__all_finite(const slm_real *values, size_t n) {
    const size_t piece = n / SLM__FINITE_PIECES + 1;
    uint8_t bad[SLM__FINITE_PIECES];

    SLM__SHARE(static, slm__threads_of(n >= SLM__FINITE_MANY ? SLM__FINITE_PIECES : 1))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)SLM__FINITE_PIECES; at++) {
        const size_t p = (size_t)at;
        const size_t first = slm__min(n, p * piece);
        const size_t end = first + slm__min(n - first, piece);
        int any = 0;

        for (size_t i = first; i < end; i++)
            any |= !(values[i] - values[i] == 0);
        bad[p] = (uint8_t)any;
    }

    for (size_t p = 0; p < SLM__FINITE_PIECES; p++) {
        if (bad[p]) return 0;
    }
    return 1;
}

/* slm_token_losses, which must be finite. */
static slm_status slm__token_losses_checked(slm_real *loss, slm_real *entropy, slm_tape *tape,
                                            slm_tensor *hidden, slm_tensor *head,
                                            const slm_batch *batch, slm_error *err) {
    slm_status status = slm_token_losses(loss, entropy, tape, hidden, head, batch->targets, err);

    for (size_t i = 0; i < slm__batch_size(batch) && status == SLM_OK; i++) {
        if (slm__all_finite(loss + i, 1) && (entropy == NULL || slm__all_finite(entropy + i, 1)))
            continue;
        status = slm__fail(err, SLM_ERR_NOT_FINITE,
                           "the model's loss of row %zu is %g: it is not finite", i,
                           (double)loss[i]);
    }
    return status;
}

SLM_API slm_status slm_model_losses(slm_real *loss, slm_real *entropy, slm_tape *tape,
                                    const slm_model *model, const slm_batch *batch,
                                    slm_error *err) {
    slm_tensor *head;
    slm_status status = slm__batch_check(batch, model, err);

    if (status != SLM_OK) return status;
    slm_tape_reset(tape);
    slm_tensor *hidden = slm_model_forward(&head, tape, model, batch, NULL);
    return slm__token_losses_checked(loss, entropy, tape, hidden, head, batch, err);
}


/* ---- losses of a corpus ----
   Entry i belongs to token i+1, so that window w fills the entries w*T .. w*T+T-1. */

SLM_API void slm_losses_free(slm_losses *losses) {
    if (losses == NULL) return;
    slm__release(losses->memory);
    slm__release(losses);
}

SLM_API slm_status slm_losses_create(slm_losses **out, size_t n, int32_t T, slm_error *err) {
    slm_losses *losses;

    *out = NULL;
    if (T < 1) return slm__fail(err, SLM_ERR_ARGUMENT, "losses: windows of %d tokens", (int)T);
    losses = (slm_losses *)slm__alloc(1, sizeof *losses, err);
    if (losses == NULL) return SLM_ERR_MEMORY;

    losses->memory = slm__alloc(n, 2 * sizeof(slm_real), err); /* one block for both arrays */
    if (losses->memory == NULL) {
        slm_losses_free(losses);
        return SLM_ERR_MEMORY;
    }
    losses->loss = (slm_real *)losses->memory;
    losses->entropy = losses->loss + n;
    losses->n = n;
    losses->total = n;
    losses->T = T;
    *out = losses;
    return SLM_OK;
}

/* For what losses were made that differ from the corpus in documents. */
static const char *slm__other_documents(const slm_losses *losses, const slm_corpus *corpus) {
    if (losses->documents_hash == 0) return "attention across documents";
    return corpus->within_documents ? "other documents" : "attention within documents";
}

SLM_API slm_status slm_losses_check(const slm_losses *losses, const slm_corpus *corpus, int32_t T,
                                    slm_error *err) {
    const char *made_for = NULL;

    if (losses->T != T)
        made_for = "windows of another length";
    else if (losses->tokenizer_hash != corpus->tokenizer_hash)
        made_for = "another tokenizer";
    else if (losses->total + 1 != corpus->n || losses->corpus_hash != corpus->hash)
        made_for = "another corpus";
    else if (losses->documents_hash != slm__documents_in_effect(corpus))
        made_for = slm__other_documents(losses, corpus);
    else if (losses->n != losses->total)
        made_for = "a part of this corpus";

    if (made_for == NULL) return SLM_OK;
    return slm__fail(
        err, SLM_ERR_MISMATCH,
        "the scores were made for %s (%zu of %zu tokens in windows of %d; here %zu in windows of "
        "%d)",
        made_for, losses->n, losses->total, (int)losses->T, corpus->n - 1, (int)T);
}

SLM_API slm_windows slm_corpus_windows(const slm_corpus *corpus, int32_t B, int32_t T) {
    slm_windows all = {B, T, 0, 0};

    all.end = slm_corpus_n_windows(corpus, T);
    return all;
}

/* Refuses windows that the corpus does not have; first = end, no window at all, is allowed.  With B
   or T below 1 slm__score_all would divide by zero or never end, and with an empty corpus n - 1,
   the number of targets, would wrap around. */
static slm_status slm__windows_check(const slm_windows *w, const slm_corpus *corpus,
                                     slm_error *err) {
    if (w->B < 1 || w->T < 1 || corpus->n < 2)
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "scoring: B is %d, T is %d, the corpus has %zu tokens", (int)w->B,
                         (int)w->T, corpus->n);
    if (w->first > w->end || w->end > slm_corpus_n_windows(corpus, w->T))
        return slm__fail(err, SLM_ERR_ARGUMENT, "scoring: windows %zu to %zu of %zu", w->first,
                         w->end, slm_corpus_n_windows(corpus, w->T));
    return SLM_OK;
}

/* Work on the windows of a corpus. */
typedef struct slm__scoring {
    const slm_model *model;
    const slm_corpus *corpus;
    const slm_windows *windows;
    slm_tape *tape;
    slm_batch *batch;   /* the windows that are scored together */
    slm_losses *losses; /* what comes out */
    size_t n_done;      /* entries of it that are filled */
    slm_progress progress;
    void *user; /* of progress */
} slm__scoring;

/* Entries that one batch fills, but for the last one. */
static size_t slm__score_batch_size(const slm__scoring *s) {
    return (size_t)s->windows->B * (size_t)s->windows->T;
}

/* Fills the batch with the windows of the entries from `entry` on. */
static void slm__score_fill_batch(slm__scoring *s, size_t entry) {
    slm_batch_fill(s->batch, s->corpus, s->windows->first + entry / (size_t)s->windows->T);
}

/* Copies the losses of the batch to the entries from `entry` on, if there are any. */
static slm_status slm__score_keep(slm__scoring *s, size_t entry, slm_status status,
                                  slm_error *err) {
    const size_t n = slm__min(slm__score_batch_size(s), s->losses->n - entry);

    if (status == SLM_ERR_NOT_FINITE)
        return slm__fail(err, status, "scoring: a loss or entropy behind token %zu is not finite",
                         s->losses->first + entry);
    if (status != SLM_OK) return status;
    memcpy(s->losses->loss + entry, s->batch->ref_loss, n * sizeof(slm_real));
    memcpy(s->losses->entropy + entry, s->batch->ref_entropy, n * sizeof(slm_real));
    return SLM_OK;
}

/* Says that the first `done` entries are filled, or nearly so; stops if it is told to. */
static slm_status slm__score_report(const slm__scoring *s, size_t done, slm_error *err) {
    const size_t n_all = s->losses->n;
    const int stop = s->progress != NULL && s->progress(s->user, done, n_all) != 0;

    if (!stop || s->n_done == n_all) return SLM_OK;
    return slm__fail(err, SLM_ERR_CANCELLED, "scoring: stopped at token %zu of %zu",
                     s->losses->first + s->n_done, s->losses->total);
}

/* The whole model for one batch after the other. */
static slm_status slm__score_all(slm__scoring *s, slm_error *err) {
    slm_batch *batch = s->batch;
    slm_status status = SLM_OK;

    while (s->n_done < s->losses->n && status == SLM_OK) {
        slm__score_fill_batch(s, s->n_done);
        status =
            slm_model_losses(batch->ref_loss, batch->ref_entropy, s->tape, s->model, batch, err);
        status = slm__score_keep(s, s->n_done, status, err);
        if (status != SLM_OK) return status;

        s->n_done = slm__min(s->n_done + slm__score_batch_size(s), s->losses->n);
        status = slm__score_report(s, s->n_done, err);
    }
    return status;
}

/* ---- a model larger than memory ----
   Its weights are read part by part: embedding, layers, final norm, head.  All windows of a group
   pass a part before the next one is read; meanwhile their hidden states wait.  Each batch meets
   the operations that it would meet in memory, so the bits are the same.
       memory   the largest part; hidden states of a group; what one batch needs in one layer
       time     a group of n tokens multiplies each weight n times and reads it once: with 8192,
                reading is a few percent of the time                                            */
struct slm_stream {
    slm_model *model; /* configuration and table; params is NULL */
    uint64_t hash;    /* what slm_model_hash would give */
    void *source;     /* where the weights are */
    slm_status (*read)(slm_real *out, void *source, const slm_param *param, slm_error *err);
    void (*close)(void *source);
};

/* Tokens of a batch and of a group, unless a window is longer.  A product of 2048 rows is fast
   already, and what a layer makes of them is large. */
enum { SLM__STREAM_BATCH = 2048, SLM__STREAM_GROUP = 8192 };

/* Windows of a batch, and batches of a group, that are no more tokens than that; at least one. */
static size_t slm__stream_fit(size_t most, size_t tokens) {
    return tokens < most ? most / tokens : 1;
}

SLM_API size_t slm_stream_windows(int32_t T) {
    const size_t batch = slm__stream_fit(SLM__STREAM_BATCH, (size_t)T);
    return batch * slm__stream_fit(SLM__STREAM_GROUP, batch * (size_t)T);
}

typedef enum slm__stream_part {
    SLM__PART_EMBEDDING,
    SLM__PART_LAYER,
    SLM__PART_NORM,
    SLM__PART_HEAD
} slm__stream_part;

/* The entries first .. end-1, which pass the model together. */
typedef struct slm__group {
    slm__scoring *scoring;
    slm_stream *stream;
    slm__model_pass pass;
    slm_real *hidden; /* (rows of all batches, C) */
    size_t first, end;
    size_t n_parts_done;
} slm__group;

SLM_API const slm_model *slm_stream_model(const slm_stream *stream) {
    return stream->model;
}

SLM_API uint64_t slm_stream_hash(const slm_stream *stream) {
    return stream->hash;
}

SLM_API void slm_stream_close(slm_stream *stream) {
    if (stream == NULL) return;
    if (stream->close != NULL) stream->close(stream->source);
    slm_model_free(stream->model);
    slm__release(stream);
}

/* Where in the table a part begins and how many tensors it has. */
static void slm__stream_range(size_t *first, size_t *n, const slm_model_config *c,
                              slm__stream_part part, int32_t layer) {
    *first = 0; /* the embedding */
    *n = part == SLM__PART_LAYER ? SLM__PER_LAYER : 1;
    if (part == SLM__PART_LAYER) *first = slm__at_layer(layer, 0);
    if (part == SLM__PART_NORM) *first = slm__at_final_norm(c);
    if (part == SLM__PART_HEAD) *first = slm__at_head(c);
}

/* Numbers of the largest part: a layer, or the embedding. */
static size_t slm__stream_part_size(const slm_model *model) {
    const slm_param *table = model->table;
    size_t embedding = table[slm__at_layer(0, 0)].offset;
    size_t layer = table[slm__at_final_norm(&model->config)].offset - embedding;

    layer /= (size_t)model->config.n_layers;
    return embedding > layer ? embedding : layer;
}

/* The part that is in memory, for the batch whose entries begin at `entry`: its hidden states
   become what the part makes of them; the head makes losses of them. */
static slm_status slm__stream_batch(slm__group *g, slm__stream_part part, int32_t layer,
                                    size_t entry, slm_error *err) {
    slm__scoring *s = g->scoring;
    slm_batch *batch = s->batch;
    slm_tape *tape = s->tape;
    const slm_model_config *c = &s->model->config;
    const size_t N = slm__batch_size(batch);
    const size_t C = (size_t)c->dim;
    slm_real *hidden = g->hidden + (entry - g->first) * C;

    slm__score_fill_batch(s, entry);
    slm_tape_reset(tape);
    tape->recording = 0;
    slm_tensor *x = part == SLM__PART_EMBEDDING ? NULL : slm_constant(tape, hidden, N, C);
    if (part == SLM__PART_HEAD) {
        slm_status status = slm__token_losses_checked(
            batch->ref_loss, batch->ref_entropy, tape, x,
            slm__parameter(&g->pass, slm__at_head(c)), batch, err);
        return slm__score_keep(s, entry, status, err);
    }

    if (part == SLM__PART_EMBEDDING)
        x = slm_embedding(tape, slm__parameter(&g->pass, 0), batch->inputs, N);
    else if (part == SLM__PART_NORM)
        x = slm_rmsnorm(tape, x, slm__parameter(&g->pass, slm__at_final_norm(c)), c->norm_eps);
    else
        x = slm__layer(&g->pass, x, layer, batch, slm__model_angles(tape, c, batch->T));
    if (x != NULL) memcpy(hidden, x->data, N * C * sizeof(slm_real));
    return slm_tape_status(tape, err);
}

/* Reads a part, and lets the batches of the group pass it. */
static slm_status slm__stream_pass(slm__group *g, slm__stream_part part, int32_t layer,
                                   slm_error *err) {
    slm__scoring *s = g->scoring;
    const slm_model *model = s->model;
    const size_t n_steps = (size_t)model->config.n_layers + 3;
    slm_status status = SLM_OK;
    size_t first, n;

    slm__stream_range(&first, &n, &model->config, part, layer);
    g->pass.offset = model->table[first].offset;
    for (size_t i = first; i < first + n && status == SLM_OK; i++) {
        const slm_param *p = &model->table[i];
        status = g->stream->read(g->pass.params + (p->offset - g->pass.offset), g->stream->source,
                                 p, err);
    }
    for (size_t i = g->first; i < g->end && status == SLM_OK; i += slm__score_batch_size(s))
        status = slm__stream_batch(g, part, layer, i, err);
    if (status != SLM_OK) return status;

    g->n_parts_done++;
    if (part == SLM__PART_HEAD) s->n_done = g->end;
    return slm__score_report(s, g->first + (g->end - g->first) * g->n_parts_done / n_steps, err);
}

static slm_status slm__stream_group(slm__group *g, slm_error *err) {
    const int32_t n_layers = g->scoring->model->config.n_layers;
    slm_status status = slm__stream_pass(g, SLM__PART_EMBEDDING, 0, err);

    for (int32_t layer = 0; layer < n_layers && status == SLM_OK; layer++)
        status = slm__stream_pass(g, SLM__PART_LAYER, layer, err);
    if (status == SLM_OK) status = slm__stream_pass(g, SLM__PART_NORM, 0, err);
    if (status == SLM_OK) status = slm__stream_pass(g, SLM__PART_HEAD, 0, err);
    return status;
}

/* The whole text for one part after the other, in groups. */
static slm_status slm__score_all_streamed(slm__scoring *s, slm_stream *stream, slm_error *err) {
    const size_t per_batch = slm__score_batch_size(s);
    const size_t most = slm__stream_fit(SLM__STREAM_GROUP, per_batch);
    const size_t rows = slm__min(most, (s->losses->n + per_batch - 1) / per_batch) * per_batch;
    const size_t C = (size_t)s->model->config.dim;
    slm_real *hidden = (slm_real *)slm__alloc(rows, C * sizeof *hidden, err);
    slm_real *part = (slm_real *)slm__alloc(slm__stream_part_size(s->model), sizeof *part, err);
    slm_status status = hidden != NULL && part != NULL ? SLM_OK : SLM_ERR_MEMORY;

    while (s->n_done < s->losses->n && status == SLM_OK) {
        slm__model_pass pass = {s->tape, s->model, NULL, SLM__GRAD_UNWANTED, part, 0};
        slm__group g = {s, stream, pass, hidden, s->n_done, 0, 0};

        g.end = g.first + slm__min(rows, s->losses->n - g.first);
        status = slm__stream_group(&g, err);
    }
    slm__release(hidden);
    slm__release(part);
    return status;
}

/* ---- both ---- */

/* Room for the losses of those windows, with what they belong to. */
static slm_status slm__losses_of_windows(slm_losses **out, uint64_t model_hash,
                                         const slm_corpus *corpus, const slm_windows *windows,
                                         slm_error *err) {
    const size_t total = corpus->n - 1;
    const size_t first = slm__min(windows->first * (size_t)windows->T, total);
    const size_t end = slm__min(windows->end * (size_t)windows->T, total);
    slm_status status = slm_losses_create(out, end - first, windows->T, err);

    if (status != SLM_OK) return status;
    (*out)->first = first;
    (*out)->total = total;
    (*out)->corpus_hash = corpus->hash;
    (*out)->tokenizer_hash = corpus->tokenizer_hash;
    (*out)->model_hash = model_hash;
    (*out)->documents_hash = slm__documents_in_effect(corpus);
    return SLM_OK;
}

/* Scores those windows by the model in memory or, if there is a stream, by that.  s holds what is
   given; the rest is made and freed here. */
static slm_status slm__score(slm_losses **out, slm__scoring *s, slm_stream *stream,
                             slm_error *err) {
    const slm_windows *w = s->windows;
    const uint64_t hash = stream != NULL ? stream->hash : slm_model_hash(s->model);
    slm_status status = slm__losses_of_windows(&s->losses, hash, s->corpus, w, err);

    if (status == SLM_OK) status = slm_tape_create(&s->tape, err);
    if (status == SLM_OK) status = slm_batch_create(&s->batch, w->B, w->T, err);
    if (status == SLM_OK) status = slm_batch_alloc_reference(s->batch, err);
    if (status == SLM_OK && stream != NULL)
        status = slm__score_all_streamed(s, stream, err);
    else if (status == SLM_OK)
        status = slm__score_all(s, err);
    slm_tape_free(s->tape);
    slm_batch_free(s->batch);

    /* What was done when progress asked to stop is of use. */
    if (status == SLM_OK || status == SLM_ERR_CANCELLED) {
        s->losses->n = s->n_done;
        *out = s->losses;
    } else {
        slm_losses_free(s->losses);
    }
    return status;
}

/* Windows in a batch: at most B, and no more than there are, which would be memory for nothing. */
static int32_t slm__windows_batch(const slm_windows *w, size_t B) {
    size_t n = slm__min(B, w->end - w->first);

    return (int32_t)(n > 0 ? n : 1);
}

SLM_API slm_status slm_losses_compute(slm_losses **out, const slm_model *model,
                                      const slm_corpus *corpus, const slm_windows *windows,
                                      slm_progress progress, void *user, slm_error *err) {
    slm_windows w = *windows;
    slm__scoring s = {model, corpus, &w, NULL, NULL, NULL, 0, progress, user};
    slm_status status = slm__windows_check(windows, corpus, err);

    *out = NULL;
    if (status != SLM_OK) return status;
    w.B = slm__windows_batch(&w, (size_t)w.B);
    return slm__score(out, &s, NULL, err);
}

SLM_API slm_status slm_stream_losses(slm_losses **out, slm_stream *stream,
                                     const slm_corpus *corpus, const slm_windows *windows,
                                     slm_progress progress, void *user, slm_error *err) {
    slm_windows w = *windows;
    slm__scoring s = {stream->model, corpus, &w, NULL, NULL, NULL, 0, progress, user};
    slm_status status = slm__windows_check(windows, corpus, err);

    *out = NULL;
    if (status != SLM_OK) return status;
    w.B = slm__windows_batch(&w, slm__stream_fit(SLM__STREAM_BATCH, (size_t)w.T));
    return slm__score(out, &s, stream, err);
}

/* ---- evaluation: the mean loss of a text, with an interval ---- */

/* Sums over one window.  Windows are drawn, not tokens: losses within a window are related. */
typedef struct slm__window_sum {
    double loss;
    size_t n;
    size_t bytes; /* of the targets */
} slm__window_sum;

static slm__window_sum slm__sum_window(const slm_losses *losses, const slm_corpus *corpus,
                                       size_t window) {
    const size_t T = (size_t)losses->T;
    const size_t first = window * T;
    const size_t end = slm__min(first + T, losses->n);
    slm__window_sum sum = {0, 0, 0};

    for (size_t i = first; i < end; i++) {
        if (!slm_corpus_is_target(corpus, i + 1)) continue;

        size_t token = (size_t)slm_corpus_token(corpus, i + 1);
        sum.loss += (double)losses->loss[i];
        sum.n++;
        if (token < corpus->n_token_bytes) sum.bytes += (size_t)corpus->token_bytes[token];
    }
    return sum;
}

static int slm__compare_doubles(const void *a, const void *b) {
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Half of the 5% that lie outside of the interval lie on each side. */
enum { SLM__DRAWS = 1000, SLM__DRAWS_BELOW = SLM__DRAWS / 40 };

/* The middle 95% of the means of 1000 draws of n windows each, with replacement.  The limits lie
   between the neighbours of the 2.5% and the 97.5% point. */
static void slm__bootstrap(double *low, double *high, const slm__window_sum *sums, size_t n,
                           uint64_t seed) {
    double mean[SLM__DRAWS];
    slm_rng rng = slm_rng_seed(seed);

    for (size_t draw = 0; draw < SLM__DRAWS; draw++) {
        slm__window_sum total = {0, 0, 0};
        for (size_t i = 0; i < n; i++) {
            const slm__window_sum *one = &sums[slm_rng_below(&rng, n)];
            total.loss += one->loss;
            total.n += one->n;
        }
        mean[draw] = total.n > 0 ? total.loss / (double)total.n : (double)NAN;
    }
    qsort(mean, SLM__DRAWS, sizeof mean[0], slm__compare_doubles);

    const double *below = mean + SLM__DRAWS_BELOW - 1;
    const double *above = mean + SLM__DRAWS - SLM__DRAWS_BELOW - 1;
    *low = below[0] + 0.975 * (below[1] - below[0]);
    *high = above[0] + 0.025 * (above[1] - above[0]);
}

SLM_API slm_status slm_losses_evaluate(slm_evaluation *out, const slm_losses *losses,
                                       const slm_corpus *corpus, uint64_t seed, slm_error *err) {
    const size_t n_windows = slm_corpus_n_windows(corpus, losses->T);
    slm__window_sum total = {0, 0, 0};
    size_t n_with_targets = 0;

    slm_status status = slm_losses_check(losses, corpus, losses->T, err);

    if (status != SLM_OK) return status;
    if (!slm__all_finite(losses->loss, losses->n))
        return slm__fail(err, SLM_ERR_NOT_FINITE, "evaluation: a loss is not finite");
    slm__window_sum *sums = (slm__window_sum *)slm__alloc(n_windows, sizeof *sums, err);
    if (sums == NULL) return SLM_ERR_MEMORY;

    for (size_t w = 0; w < n_windows; w++) {
        sums[w] = slm__sum_window(losses, corpus, w);
        total.loss += sums[w].loss;
        total.n += sums[w].n;
        total.bytes += sums[w].bytes;
        if (sums[w].n > 0) n_with_targets++;
    }
    if (total.n == 0) {
        slm__release(sums);
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "evaluation: every token is masked, or the first of its document: there "
                         "is nothing to predict");
    }

    memset(out, 0, sizeof *out);
    out->loss = total.loss / (double)total.n;
    out->bits_per_byte = (double)NAN;
    if (total.bytes > 0) out->bits_per_byte = total.loss / log(2.0) / (double)total.bytes;
    out->n_bytes = total.bytes;
    out->n_tokens = total.n;
    out->n_windows = n_windows;
    out->low = (double)NAN;
    out->high = (double)NAN;
    if (n_with_targets > 1) slm__bootstrap(&out->low, &out->high, sums, n_windows, seed);
    slm__release(sums);
    return SLM_OK;
}

/* ==== >>optimizer ========================================================================== 11 ==
   Clipping, AdamW and the schedule, on flat arrays.                                              */

SLM_API slm_adamw_options slm_adamw_defaults(void) {
    slm_adamw_options options;

    memset(&options, 0, sizeof options);
    options.lr = 1e-3;
    options.lr_min = 0.1;
    options.beta1 = 0.9;
    options.beta2 = 0.95;
    options.eps = 1e-8;
    options.weight_decay = 0.1;
    options.clip = 1.0;
    return options;
}

static slm_status slm__adamw_options_check(const slm_adamw_options *o, slm_error *err) {
    const struct {
        const char *name;
        double value, low, high;
    } field[] = {{"lr", o->lr, 0, 1e6},
                 {"lr_min", o->lr_min, 0, 1},
                 {"beta1", o->beta1, 0, 1},
                 {"beta2", o->beta2, 0, 1},
                 {"eps", o->eps, 0, 1},
                 {"weight_decay", o->weight_decay, 0, 1e6},
                 {"clip", o->clip, 0, 1e300}};

    for (size_t i = 0; i < SLM__COUNT(field); i++) {
        if (!(field[i].value >= field[i].low && field[i].value <= field[i].high))
            return slm__fail(err, SLM_ERR_ARGUMENT,
                             "optimizer: %s is %g, it must be in [%g, %g]", field[i].name,
                             field[i].value, field[i].low, field[i].high);
    }
    if (o->beta1 == 1 || o->beta2 == 1 || o->eps == 0)
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "optimizer: beta1 %g and beta2 %g must be below 1, eps %g above 0",
                         o->beta1, o->beta2, o->eps);
    return SLM_OK;
}

/* Linear warm-up, then half a cosine from lr down to lr lr_min, which the step after the last one
   would have. */
SLM_API double slm_adamw_learning_rate(const slm_adamw_options *options, uint64_t step) {
    const slm_adamw_options *o = options;

    if (step < o->warmup) return o->lr * (double)(step + 1) / (double)o->warmup;
    if (o->steps <= o->warmup) return o->lr;

    double share = fmin((double)(step - o->warmup) / (double)(o->steps - o->warmup), 1);
    double cosine = 0.5 * (1 + cos(3.14159265358979323846 * share));
    return o->lr * (o->lr_min + (1 - o->lr_min) * cosine);
}

/* Long arrays are cut into pieces of fixed length, whatever the number of threads, so that every
   sum has one order.  16384 numbers of four arrays fit a second-level cache. */
#define SLM__ADAMW_PIECE ((size_t)1 << 14)
#define SLM__NORM_PIECES 1024

/* Sums in slm_real are kept this short; the rest is added in double. */
#define SLM__NORM_RUN 4096

/* The norm of x (n): the root of the sum of squares. */
static double slm__norm(const slm_real *x, size_t n, slm__team *team) {
    double partial[SLM__NORM_PIECES];
    double sum = 0;
    size_t length = n / SLM__NORM_PIECES / 64 * 64 + 64;

    if (length < SLM__ADAMW_PIECE) length = SLM__ADAMW_PIECE;
    const size_t n_pieces = (n + length - 1) / length;

    SLM__SHARE(static, slm__team_share(team, n, SLM__ADAMW_PIECE))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)n_pieces; at++) {
        const size_t p = (size_t)at;
        size_t first = p * length;
        size_t end = first + slm__min(n - first, length);

        partial[p] = 0;
        for (size_t i = first; i < end; i += SLM__NORM_RUN)
            partial[p] += (double)slm__dot(x + i, x + i, slm__min(end - i, SLM__NORM_RUN));
    }
    for (size_t p = 0; p < n_pieces; p++)
        sum += partial[p];
    return sqrt(sum);
}

/* The factor that brings a gradient of this norm down to the limit.  A limit of 0 is none. */
static double slm__clip(double norm, double limit) {
    double factor = limit > 0 ? limit / (norm + 1e-6) : 1.0;

    return factor < 1.0 ? factor : 1.0;
}

/* What is the same for all parameters of one step. */
typedef struct slm__adamw_step {
    double beta1, beta2, eps;
    double lr;
    double grad_scale; /* the clip's factor */
    uint64_t t;        /* 1, 2, ... */
    slm__team *team;   /* who shares the work */
} slm__adamw_step;

/* One AdamW step with decoupled decay (Loshchilov and Hutter) on n parameters:
     g = grad_scale grad
     m = b1 m + (1 - b1) g            m' = m / (1 - b1^t)
     v = b2 v + (1 - b2) g^2          v' = v / (1 - b2^t)
     p = p (1 - lr decay) - lr m' / (sqrt(v') + eps)                                              */
static void slm__adamw(slm_real *params, slm_real *m, slm_real *v, const slm_real *grads, size_t n,
                       double decay, const slm__adamw_step *s) {
    const slm_real correct1 = (slm_real)(1.0 / (1.0 - pow(s->beta1, (double)s->t)));
    const slm_real correct2 = (slm_real)(1.0 / (1.0 - pow(s->beta2, (double)s->t)));
    const size_t n_pieces = (n + SLM__ADAMW_PIECE - 1) / SLM__ADAMW_PIECE;

    SLM__SHARE(static, slm__team_share(s->team, n, SLM__ADAMW_PIECE))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)n_pieces; at++) {
        const size_t p = (size_t)at;
        size_t first = p * SLM__ADAMW_PIECE;
        size_t count = slm__min(n - first, SLM__ADAMW_PIECE);

        slm__adamw_piece(params + first, m + first, v + first, grads + first, count,
                         (slm_real)s->grad_scale, (slm_real)s->lr, (slm_real)s->beta1,
                         (slm_real)s->beta2, (slm_real)s->eps, (slm_real)decay, correct1, correct2);
    }
}

/* ==== >>step =============================================================================== 12 ==
   The algorithm of the paper.  slm_trainer_step, at the end of this section, is the whole of it on
   one page, with slm__step_micro just above it.  What comes before them are the functions they
   call.  The equations of >>idea are computed in

     (eqs. 1, 8)  slm__step_reference, by slm_model_losses (>>scoring), now or for a score file
     (eq. 2)      SLM__PLAN_ALL: it is eq. 4 with every valid target selected
     (eqs. 3, 5)  slm__step_select, by slm_select (>>selection)
     (eq. 4)      slm__step_micro, by slm__selective_loss (>>ops)

   slm__step_narrow ranks by eqs. 3 and 5, too, but only to tell which logits to keep.  That saves
   time and memory; the selection itself is made by slm__step_select alone.                       */

struct slm_trainer {
    slm_model *model; /* borrowed; its parameters are updated */
    slm_train_options options;
    uint64_t steps; /* optimizer steps done */
    slm_tape *tape;

    /* (n_params) each, in one block that begins at grads. */
    slm_real *grads, *m, *v;

    /* The targets of one step, (capacity) each, in one block that begins at loss.  Its
       micro-batches lie one after the other. */
    size_t capacity;
    slm_real *loss;        /* l_i = L_theta(x_i), nats */
    slm_real *score;       /* S_i */
    slm_real *ref_loss;    /* r_i = L_RM(x_i), nats */
    slm_real *ref_entropy; /* h_i = H_RM(x_i), nats */
    int32_t *targets;      /* below 0: not valid */
    uint8_t *mask;         /* I_i: 1 = selected */
};

SLM_API slm_train_options slm_train_defaults(void) {
    slm_train_options options;

    memset(&options, 0, sizeof options);
    options.select = slm_select_defaults();
    options.adamw = slm_adamw_defaults();
    options.logits_budget = (size_t)256 << 20;
    return options;
}

SLM_API slm_status slm_trainer_create(slm_trainer **out, slm_model *model,
                                      const slm_train_options *options, slm_error *err) {
    slm_train_options o = options != NULL ? *options : slm_train_defaults();
    slm_status status = slm__select_options_check(&o.select, err);

    *out = NULL;
    if (status == SLM_OK) status = slm__adamw_options_check(&o.adamw, err);
    if (status != SLM_OK) return status;

    slm_trainer *t = (slm_trainer *)slm__alloc(1, sizeof *t, err);
    if (t == NULL) return SLM_ERR_MEMORY;
    t->model = model;
    t->options = o;
    t->grads = (slm_real *)slm__alloc(model->n_params, 3 * sizeof(slm_real), err);
    if (t->grads == NULL || slm_tape_create(&t->tape, err) != SLM_OK) {
        slm_trainer_free(t);
        return SLM_ERR_MEMORY;
    }
    t->m = t->grads + model->n_params;
    t->v = t->m + model->n_params;
    *out = t;
    return SLM_OK;
}

SLM_API void slm_trainer_free(slm_trainer *trainer) {
    if (trainer == NULL) return;
    slm_tape_free(trainer->tape);
    slm__release(trainer->grads);
    slm__release(trainer->loss);
    slm__release(trainer);
}

SLM_API slm_model *slm_trainer_model(const slm_trainer *trainer) {
    return trainer->model;
}

SLM_API const slm_train_options *slm_trainer_options(const slm_trainer *trainer) {
    return &trainer->options;
}

SLM_API uint64_t slm_trainer_steps(const slm_trainer *trainer) {
    return trainer->steps;
}

SLM_API slm_real *slm_trainer_grads(const slm_trainer *trainer) {
    return trainer->grads;
}

SLM_API const slm_real *slm_trainer_losses(const slm_trainer *trainer) {
    return trainer->loss;
}

SLM_API const slm_real *slm_trainer_scores(const slm_trainer *trainer) {
    return trainer->score;
}

SLM_API const uint8_t *slm_trainer_mask(const slm_trainer *trainer) {
    return trainer->mask;
}

/* ---- the functions that the step calls ---- */

/* The plan of a step: when its mask is made.  The options decide what is selected; the plan, when
   the losses that the scores need are known, and so what the step costs.  All plans that can serve
   the same options give the same mask. */
typedef enum slm__plan {
    SLM__PLAN_ALL,           /* plain language modeling (eq. 2): every valid target */
    SLM__PLAN_SELECT_FIRST,  /* the score needs no current loss: select before the forward */
    SLM__PLAN_SCORE_FIRST,   /* the ranking spans micro-batches or processes: a forward for the
                                losses alone comes first */
    SLM__PLAN_SELECT_IN_STEP /* every micro-batch is ranked by itself, as its losses are made */
} slm__plan;

typedef struct slm__step {
    slm_trainer *trainer;
    slm_batch *const *micro; /* (n_micro) */
    size_t n_micro;
    size_t n; /* targets of all micro-batches */
    uint64_t n_micro_before; /* micro-batches of the processes before this one, if a score asks */
    slm__plan plan;
    int has_ref_loss, has_ref_entropy; /* the arrays of the trainer are filled */
    int grads_begun;                   /* a micro-batch has left its gradient already */

    /* Targets selected, of all micro-batches.  slm_trainer_step adds those of all other processes;
       from then on it is the k of eq. 4. */
    uint64_t k;
} slm__step;

static slm__plan slm__step_plan(const slm_train_options *o, size_t n_micro) {
    const int spans = n_micro > 1 || o->group.allreduce_counts != NULL;

    if (slm__selects_all(&o->select)) return SLM__PLAN_ALL;
    if (!slm__needs_loss(o->select.criterion)) return SLM__PLAN_SELECT_FIRST;
    if (o->select.scope == SLM_SCOPE_BATCH && spans) return SLM__PLAN_SCORE_FIRST;
    return SLM__PLAN_SELECT_IN_STEP;
}

/* Room for the targets of a step. */
static slm_status slm__step_reserve(slm_trainer *t, size_t n, slm_error *err) {
    if (n <= t->capacity) return SLM_OK;

    slm_real *block = (slm_real *)slm__alloc(n, 4 * sizeof(slm_real) + sizeof(int32_t) + 1, err);
    if (block == NULL) return SLM_ERR_MEMORY;
    slm__release(t->loss);
    t->loss = block;
    t->score = t->loss + n;
    t->ref_loss = t->score + n;
    t->ref_entropy = t->ref_loss + n;
    t->targets = (int32_t *)(void *)(t->ref_entropy + n);
    t->mask = (uint8_t *)(t->targets + n);
    t->capacity = n;
    return SLM_OK;
}

/* (eqs. 1, 8) What the reference makes of one micro-batch, whose targets begin at `first`: from the
   batch (where a score file put it), or from the reference model now.  The bits are the same. */
static slm_status slm__step_reference(slm__step *s, const slm_batch *batch, size_t first,
                                      slm_error *err) {
    slm_trainer *t = s->trainer;
    const slm_criterion criterion = t->options.select.criterion;
    const int needs_loss = slm__needs_ref_loss(criterion);
    const int needs_entropy = slm__needs_ref_entropy(criterion);
    const int may_use = needs_loss || needs_entropy || criterion == SLM_CRITERION_OWN;
    const size_t size = slm__batch_size(batch) * sizeof(slm_real);

    if (s->plan == SLM__PLAN_ALL || !may_use) return SLM_OK;
    if (t->options.reference != NULL)
        return slm_model_losses(t->ref_loss + first, t->ref_entropy + first, t->tape,
                                t->options.reference, batch, err);

    if ((needs_loss && batch->ref_loss == NULL) || (needs_entropy && batch->ref_entropy == NULL))
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "selection by '%s' needs reference losses: "
                         "a score file in slm_batch_next, or a reference model",
                         slm_criterion_name(criterion));
    if (batch->ref_loss != NULL) memcpy(t->ref_loss + first, batch->ref_loss, size);
    if (batch->ref_entropy != NULL) memcpy(t->ref_entropy + first, batch->ref_entropy, size);
    s->has_ref_loss = s->has_ref_loss && batch->ref_loss != NULL;
    s->has_ref_entropy = s->has_ref_entropy && batch->ref_entropy != NULL;
    return SLM_OK;
}

/* Where every micro-batch is ranked by itself, its random scores depend on its place in the step:
   among those of all processes, so that it does not matter how they are shared out. */
static slm_status slm__step_place(slm__step *s, slm_error *err) {
    const slm_train_options *o = &s->trainer->options;
    uint64_t n = s->n_micro;

    if (o->select.scope == SLM_SCOPE_BATCH || slm__selects_all(&o->select)) return SLM_OK;
    if (!slm__sum_before_me(&o->group, &n)) return slm__fail_group(err);
    s->n_micro_before = n;
    return SLM_OK;
}

/* Checks the micro-batches; gathers their targets and what the reference makes of them. */
static slm_status slm__step_begin(slm__step *s, slm_trainer *t, slm_batch *const *micro,
                                  size_t n_micro, slm_error *err) {
    slm_status status = SLM_OK;
    size_t first = 0;

    memset(s, 0, sizeof *s);
    s->trainer = t;
    s->micro = micro;
    s->n_micro = n_micro;
    s->plan = slm__step_plan(&t->options, n_micro);
    s->has_ref_loss = 1;
    s->has_ref_entropy = 1;
    if (n_micro == 0) return slm__fail(err, SLM_ERR_ARGUMENT, "step: there is no micro-batch");

    for (size_t i = 0; i < n_micro && status == SLM_OK; i++) {
        status = slm__batch_check(micro[i], t->model, err);
        s->n += slm__batch_size(micro[i]);
    }
    if (status == SLM_OK) status = slm__step_reserve(t, s->n, err);
    if (status == SLM_OK) status = slm__step_place(s, err);

    for (size_t i = 0; i < n_micro && status == SLM_OK; i++) {
        size_t n = slm__batch_size(micro[i]);

        memcpy(t->targets + first, micro[i]->targets, n * sizeof(int32_t));
        status = slm__step_reference(s, micro[i], first, err);
        first += n;
    }
    return status;
}

/* The losses of all micro-batches, by a forward of their own. */
static slm_status slm__step_score_all(slm__step *s, slm_error *err) {
    slm_trainer *t = s->trainer;
    slm_status status = SLM_OK;
    size_t first = 0;

    for (size_t i = 0; i < s->n_micro && status == SLM_OK; i++) {
        status = slm_model_losses(t->loss + first, NULL, t->tape, t->model, s->micro[i], err);
        first += slm__batch_size(s->micro[i]);
    }
    return status;
}

/* The targets first .. first+n-1, which begin in micro-batch i. */
static slm_targets slm__step_targets(const slm__step *s, size_t first, size_t n, size_t i) {
    const slm_trainer *t = s->trainer;
    slm_targets targets;

    memset(&targets, 0, sizeof targets);
    targets.loss = t->loss + first;
    if (s->has_ref_loss) targets.ref_loss = t->ref_loss + first;
    if (s->has_ref_entropy) targets.ref_entropy = t->ref_entropy + first;
    targets.targets = t->targets + first;
    targets.n = n;
    targets.T = s->micro[i]->T;
    targets.step = (t->steps << 16) + s->n_micro_before + i; /* other random scores in each */
    targets.group = &t->options.group;
    return targets;
}

/* (eqs. 3, 5) Selects among the targets first .. first+n-1, which begin in micro-batch i: fills
   their scores and their mask.  *k: how many are selected. */
static slm_status slm__step_select(size_t *k, slm__step *s, size_t first, size_t n, size_t i,
                                   slm_error *err) {
    slm_trainer *t = s->trainer;
    slm_targets targets = slm__step_targets(s, first, n, i);

    return slm_select(t->mask + first, k, &targets, &t->options.select, t->score + first, err);
}

/* Selects among all targets of the step.  With SLM_SCOPE_BATCH they are one ranking: the loop runs
   once, and n is all of them.  With the other scopes it runs once for each micro-batch; slm_select
   ranks that as a whole or every sequence of it by itself, as the scope says.  s->k becomes the
   number of targets that this process has selected. */
static slm_status slm__step_select_all(slm__step *s, slm_error *err) {
    const int together = s->trainer->options.select.scope == SLM_SCOPE_BATCH;
    slm_status status = SLM_OK;
    size_t first = 0;
    size_t k = 0;

    for (size_t i = 0; first < s->n && status == SLM_OK; i++) {
        size_t n = together ? s->n : slm__batch_size(s->micro[i]);

        status = slm__step_select(&k, s, first, n, i, err);
        s->k += k;
        first += n;
    }
    return status;
}

/* Targets that are ranked among themselves: those of a sequence, or of the micro-batch. */
static size_t slm__step_group_size(const slm__step *s, const slm_batch *batch) {
    const int by_sequence = s->trainer->options.select.scope == SLM_SCOPE_SEQUENCE;

    return by_sequence ? (size_t)batch->T : slm__batch_size(batch);
}

/* k of the targets first .. first+n-1, which are ranked among themselves (eq. 5).  Their mask is
   only room to work in here: it is left at 1 for the valid ones until the selection fills it. */
static size_t slm__step_k(const slm__step *s, size_t first, size_t n) {
    slm_trainer *t = s->trainer;
    size_t n_valid = slm__mark_valid(t->mask + first, t->targets + first, n);

    return slm_select_count(t->options.select.ratio, n_valid);
}

/* How many will be selected, where each group is ranked by itself.  No loss is needed: k is a share
   of the valid targets. */
static uint64_t slm__step_count(const slm__step *s) {
    uint64_t k = 0;
    size_t first = 0;
    size_t end = 0;

    for (size_t i = 0; i < s->n_micro; i++) {
        size_t group_size = slm__step_group_size(s, s->micro[i]);

        for (end += slm__batch_size(s->micro[i]); first < end; first += group_size)
            k += slm__step_k(s, first, group_size);
    }
    return k;
}

/* Marks those of the targets first .. first+n_done-1, whose losses are known, that may still be
   selected: those among the best k of what is known of their group.  The others have k better ones
   before them already, whatever follows, so that their logits need not be kept. */
static slm_status slm__step_narrow(slm__step *s, size_t first, size_t group_size, size_t n_done,
                                   slm_error *err) {
    slm_trainer *t = s->trainer;
    const size_t end = first + n_done;

    for (size_t i = first; i < end; i += group_size) {
        size_t k = slm__step_k(s, i, group_size);
        size_t n = slm__min(group_size, end - i);
        size_t n_valid = slm__mark_valid(t->mask + i, t->targets + i, n);
        slm_targets targets = slm__step_targets(s, i, n, 0); /* 0: no score depends on it */

        slm_status status = slm_select_scores(t->score + i, &targets, &t->options.select, err);
        if (status == SLM_OK)
            status = slm_select_top(t->mask + i, t->score + i, t->mask + i, n,
                                    slm__min(k, n_valid), err);
        if (status != SLM_OK) return status;
    }
    return SLM_OK;
}

/* The losses of one micro-batch, chunk by chunk.  Logits that its gradient may need are kept, if
   options.logits_budget allows: those of the targets that are selected or, where the selection is
   still to come, of those that slm__step_narrow leaves.  For an own score none are: nothing says
   that it gives a target the same number twice. */
static slm_status slm__step_losses(slm__step *s, const slm__loss_rows *rows, const slm_batch *batch,
                                   size_t first, slm__logits *logits, slm_error *err) {
    slm_trainer *t = s->trainer;
    const size_t n = rows->hidden->rows;
    const size_t V = rows->head->rows;
    const size_t group_size = slm__step_group_size(s, batch);
    const int narrows = s->plan == SLM__PLAN_SELECT_IN_STEP;
    const int is_own = t->options.select.criterion == SLM_CRITERION_OWN;
    const size_t budget = is_own ? 0 : t->options.logits_budget;
    slm_status status = SLM_OK;
    size_t n_done = 0;

    SLM__TRACE(slm__selective_loss_backward, 0);
    if (!slm__logits_create(t->tape, logits, n, V, slm__min((size_t)s->k, n), budget))
        return slm_tape_status(t->tape, err);

    while (n_done < n && status == SLM_OK) {
        n_done = slm__chunk_losses(t->tape, rows, logits, n_done);
        if (logits->keeps && narrows)
            status = slm__step_narrow(s, first, group_size, n_done, err);
        slm__logits_drop(logits, logits->keeps ? t->mask + first : NULL, n_done);
    }
    if (!logits->keeps) slm__logits_release(t->tape, logits, V);
    return status == SLM_OK ? slm_tape_status(t->tape, err) : status;
}

static double slm__mean(double sum, size_t n) {
    return n > 0 ? sum / (double)n : 0;
}

/* The statistics of a step.  Refuses losses and gradients that are not finite. */
static slm_status slm__step_measure(slm_step_stats *stats, const slm__step *s, double grad_norm,
                                    slm_error *err) {
    const slm_trainer *t = s->trainer;
    slm__loss_sums sums = slm__sum_losses(t->loss, t->mask, t->targets, s->n);
    const double sum = sums.unselected + sums.selected;

    if (!(grad_norm <= DBL_MAX) || !(fabs(sum) <= DBL_MAX))
        return slm__fail(err, SLM_ERR_NOT_FINITE,
                         "step %llu: the loss is %g and the norm of the gradient %g; "
                         "the parameters were left as they were",
                         (unsigned long long)t->steps, slm__mean(sums.selected, sums.n_selected),
                         grad_norm);
    if (stats == NULL) return SLM_OK;

    stats->n_selected = sums.n_selected;
    stats->n_valid = sums.n_unselected + sums.n_selected;
    stats->loss_all = slm__mean(sum, stats->n_valid);
    stats->loss_selected = slm__mean(sums.selected, sums.n_selected);
    stats->loss_unselected = slm__mean(sums.unselected, sums.n_unselected);
    stats->grad_norm = grad_norm;
    stats->lr = slm_adamw_learning_rate(&t->options.adamw, t->steps);
    return SLM_OK;
}

/* Clips the gradient, whose norm is given, and updates every parameter. */
static void slm__trainer_apply(slm_trainer *t, double grad_norm) {
    const slm_adamw_options *o = &t->options.adamw;
    slm__adamw_step step;

    step.beta1 = o->beta1;
    step.beta2 = o->beta2;
    step.eps = o->eps;
    step.lr = slm_adamw_learning_rate(o, t->steps);
    step.grad_scale = slm__clip(grad_norm, o->clip);
    step.t = t->steps + 1;
    step.team = &t->tape->team;
    for (size_t i = 0; i < t->model->n_tensors; i++) {
        const slm_param *p = &t->model->table[i];

        slm__adamw(t->model->params + p->offset, t->m + p->offset, t->v + p->offset,
                   t->grads + p->offset, p->rows * p->cols, p->decay ? o->weight_decay : 0, &step);
    }
}

/* Step 7 of >>idea by itself, for a step of your own.  slm_trainer_step does not call it, because
   that also looks at the losses before it changes a parameter (slm__step_measure). */
SLM_API slm_status slm_trainer_update(slm_step_stats *stats, slm_trainer *trainer,
                                      slm_error *err) {
    slm__team *team = &trainer->tape->team;
    const double grad_norm = slm__norm(trainer->grads, trainer->model->n_params, team);

    if (!(grad_norm <= DBL_MAX))
        return slm__fail(err, SLM_ERR_NOT_FINITE,
                         "step %llu: the norm of the gradient is %g; "
                         "the parameters were left as they were",
                         (unsigned long long)trainer->steps, grad_norm);
    if (stats != NULL) {
        memset(stats, 0, sizeof *stats);
        stats->grad_norm = grad_norm;
        stats->lr = slm_adamw_learning_rate(&trainer->options.adamw, trainer->steps);
    }
    slm__trainer_apply(trainer, grad_norm);
    trainer->steps++;
    return SLM_OK;
}

/* ---- the step ---- */

/* Micro-batch i, whose targets begin at `first`: steps 1 to 6 of >>idea.  Its gradient goes to
   trainer->grads: the first one overwrites, the others add. */
static slm_status slm__step_micro(slm__step *s, size_t i, size_t first, slm_error *err) {
    slm_trainer *t = s->trainer;
    const slm_batch *batch = s->micro[i];
    const size_t n = slm__batch_size(batch);
    const slm__grad_mode mode = s->grads_begun ? SLM__GRAD_ADD : SLM__GRAD_OVERWRITE;
    slm__logits logits;
    slm_tensor *head;
    size_t k = 0;
    slm_status status = SLM_OK;

    /* 1. Forward: the hidden states of all tokens. */
    slm_tape_reset(t->tape);
    t->tape->recompute = t->options.recompute;
    slm_tensor *hidden = slm__model_forward(&head, t->tape, t->model, batch, t->grads, mode);
    if (hidden == NULL || head == NULL) return slm_tape_status(t->tape, err);

    /* 2. The losses of all tokens: to rank by, or (SELECT_FIRST) for the statistics.  With PLAN_ALL
       they are made in 5, and with SCORE_FIRST slm__step_score_all has made them.  Logits that 5
       would have to make again are kept, if there is room for them. */
    slm__loss_rows rows = {hidden, head, batch->targets, t->loss + first, NULL};
    logits.keeps = 0;
    if (s->plan == SLM__PLAN_SELECT_FIRST || s->plan == SLM__PLAN_SELECT_IN_STEP)
        status = slm__step_losses(s, &rows, batch, first, &logits, err);

    /* 3, 4. Scores (eq. 3) and the best k of them (eq. 5), unless the mask is known.  This k is
       part of s->k already (slm__step_count). */
    if (status == SLM_OK && s->plan == SLM__PLAN_SELECT_IN_STEP)
        status = slm__step_select(&k, s, first, n, i, err);
    if (status != SLM_OK) return status;
    if (slm__count_marked(t->mask + first, n) == 0) return SLM_OK; /* there is no gradient */

    /* 5. This micro-batch's part of the mean loss of the selected (eq. 4): the divisor is the k of
       the whole step, so that the gradients of all micro-batches only add.  If the loss cannot be
       made (NULL), the sweep reports why.  6. Backward: the sweep begins at the loss. */
    slm__loss_factors factors = {batch->weights, t->mask + first, (double)s->k};
    slm_tensor *loss = slm__selective_loss(t->tape, &rows, &factors, SLM__LOSS_AT_END,
                                           logits.keeps ? &logits : NULL);
    s->grads_begun = 1;
    return slm_tape_backward(t->tape, loss, err);
}

SLM_API slm_status slm_trainer_step(slm_step_stats *stats, slm_trainer *trainer,
                                    slm_batch *const *micro, size_t n_micro, slm_error *err) {
    slm_trainer *t = trainer;
    const size_t n_params = t->model->n_params;
    slm__step step;
    size_t first = 0;

    if (stats != NULL) memset(stats, 0, sizeof *stats);

    /* The targets, and the reference's losses of them (eq. 1). */
    slm_status status = slm__step_begin(&step, t, micro, n_micro, err);
    if (status != SLM_OK) return status;

    /* Which targets, or at least how many (k)?  See slm__plan. */
    switch (step.plan) {
    case SLM__PLAN_ALL:
        step.k = slm__mark_valid(t->mask, t->targets, step.n); /* eq. 2: all, so k is N */
        break;
    case SLM__PLAN_SELECT_FIRST:
        status = slm__step_select_all(&step, err); /* eqs. 3, 5 */
        break;
    case SLM__PLAN_SCORE_FIRST:
        status = slm__step_score_all(&step, err);
        if (status == SLM_OK) status = slm__step_select_all(&step, err); /* eqs. 3, 5 */
        break;
    case SLM__PLAN_SELECT_IN_STEP:
        step.k = slm__step_count(&step); /* slm__step_micro selects (eqs. 3, 5) */
        break;
    }

    /* From here on step.k counts the selected of all processes.  Alone, it stays as it is. */
    if (status == SLM_OK && !slm__sum_over_group(&t->options.group, &step.k, 1))
        status = slm__fail_group(err);

    /* The gradient of L_SLM (eq. 4), micro-batch by micro-batch, then over all processes. */
    for (size_t i = 0; i < n_micro && status == SLM_OK; i++) {
        status = slm__step_micro(&step, i, first, err);
        first += slm__batch_size(micro[i]);
    }
    if (status != SLM_OK) return status;
    if (!step.grads_begun) memset(t->grads, 0, n_params * sizeof(slm_real));
    if (t->options.group.allreduce_grads != NULL &&
        t->options.group.allreduce_grads(t->options.group.user, t->grads, n_params) != 0)
        return slm__fail_group(err);

    /* 7. Clip, AdamW: unless nothing was selected, or a loss or gradient is not finite. */
    SLM__TRACE(NULL, 0); /* no operation of the tape runs any more */
    const double grad_norm = slm__norm(t->grads, n_params, &t->tape->team);
    status = slm__step_measure(stats, &step, grad_norm, err);
    if (status != SLM_OK) return status;
    if (step.k > 0) slm__trainer_apply(t, grad_norm);
    t->steps++;
    return SLM_OK;
}

/* ================= here the algorithm ends; what follows is input and output ================== */

/* ==== >>generation ========================================================================= 13 ==
   One token at a time.  The keys and values of the tokens so far are kept (the key-value cache), so
   that a new token costs one pass over the weights: every matrix product is matrix times vector.
   The equations are those of section 7, for a single row.                                        */
struct slm_generator {
    const slm_model *model; /* borrowed */
    int32_t n_tokens;       /* pushed so far */
    int32_t capacity;       /* tokens that fit */
    slm_real *keys;         /* (n_layers, capacity, KV*D) */
    slm_real *values;       /* (n_layers, capacity, KV*D) */
    slm_real *x;            /* (C) the residual stream of the token */
    slm_real *y;            /* (C or H*D, the larger) x after a norm; the output of attention */
    slm_real *q;            /* (H*D) queries */
    slm_real *gate;         /* (F) */
    slm_real *up;           /* (F) */
    slm_real *cosine;       /* (D/2) of the angles by which rope turns the token's position */
    slm_real *sine;         /* (D/2) */
    slm_real *attention;    /* (H, capacity) attention of each head to each token */
    slm_real *logits;       /* (V) */
    slm__team team;         /* how many threads a product gets */
};

SLM_API void slm_generator_free(slm_generator *generator) {
    slm__release(generator);
}

SLM_API void slm_generator_reset(slm_generator *generator) {
    generator->n_tokens = 0;
}

SLM_API void slm_generator_rewind(slm_generator *generator, int32_t n_tokens) {
    if (n_tokens >= 0 && n_tokens < generator->n_tokens) generator->n_tokens = n_tokens;
}

/* All of it is one block: the struct, then its arrays.  The arrays are listed once, with their
   sizes: first the sizes are added up, then the block is dealt out among them. */
SLM_API slm_status slm_generator_create(slm_generator **out, const slm_model *model,
                                        int32_t max_tokens, slm_error *err) {
    const slm_model_config *c = &model->config;
    /* Room for the struct, and more, in slm_reals.  Like the arrays it ends with a cache line, so
       that vectors of keys and values do not lie across two. */
    const size_t head = slm__round_up(sizeof(slm_generator), SLM__CACHE_LINE);
    size_t C = (size_t)c->dim;
    size_t D = (size_t)c->head_dim;
    size_t Q = (size_t)c->n_heads * D;
    size_t F = (size_t)c->ffn;
    size_t cache = 0;
    size_t attention = 0;
    size_t total = head;
    slm_generator g; /* what the struct in the block will hold */
    slm_real *next;
    int fits;

    *out = NULL;
    memset(&g, 0, sizeof g);
    g.model = model;
    g.capacity = max_tokens;
    if (max_tokens < 1)
        return slm__fail(err, SLM_ERR_ARGUMENT, "generator: max_tokens is %d, it must be positive",
                         (int)max_tokens);
    if (c->sliding_window > 0 && max_tokens > c->sliding_window)
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "generator: max_tokens is %d, above the model's sliding window of %d",
                         (int)max_tokens, (int)c->sliding_window);
    fits = slm__checked_mul(&cache, (size_t)c->n_layers, (size_t)c->n_kv_heads) &&
           slm__checked_mul(&cache, cache, D) &&
           slm__checked_mul(&cache, cache, (size_t)max_tokens) &&
           slm__checked_mul(&attention, (size_t)c->n_heads, (size_t)max_tokens);

    const struct {
        slm_real **array;
        size_t size;
    } arrays[] = {{&g.keys, cache}, {&g.values, cache}, {&g.x, C},
                  {&g.y, Q > C ? Q : C}, {&g.q, Q}, {&g.gate, F},
                  {&g.up, F}, {&g.cosine, D / 2}, {&g.sine, D / 2},
                  {&g.attention, attention}, {&g.logits, (size_t)c->vocab}};
    for (size_t i = 0; i < SLM__COUNT(arrays); i++)
        fits = fits && arrays[i].size < SIZE_MAX - SLM__CACHE_LINE &&
               slm__checked_add(&total, total, slm__round_up(arrays[i].size, SLM__CACHE_LINE));
    if (!fits) return slm__no_memory(err, SIZE_MAX);

    *out = (slm_generator *)slm__alloc(total, sizeof(slm_real), err);
    if (*out == NULL) return SLM_ERR_MEMORY;
    next = (slm_real *)(void *)*out + head;
    for (size_t i = 0; i < SLM__COUNT(arrays); i++) {
        *arrays[i].array = next;
        next += slm__round_up(arrays[i].size, SLM__CACHE_LINE);
    }
    **out = g;
    return SLM_OK;
}

/* The product y = W x, as slm__matvec takes it; W is the parameter of that index. */
static slm__matvec_of slm__weight_of(const slm_generator *g, size_t index, slm_real *y) {
    const slm_param *p = &g->model->table[index];
    slm__matvec_of product;

    product.y = y;
    product.w = g->model->params + p->offset;
    product.rows = p->rows;
    return product;
}

/* y = RMSNorm(x) by the parameter of that index. */
static void slm__norm_row(const slm_generator *g, size_t index, const slm_real *x, slm_real *y) {
    const slm_param *p = &g->model->table[index];
    double mean_square = (double)slm__dot(x, x, p->cols) / (double)p->cols;
    slm_real scale = (slm_real)(1.0 / sqrt(mean_square + g->model->config.norm_eps));

    slm__rms_scale(y, x, g->model->params + p->offset, scale, p->cols);
}

/* Head h of the attention of one token to n tokens: y = softmax(q k' / sqrt(D)) v, each (D).  keys
   and values begin at this head's part of the first token; tokens are `stride` apart. */
static void slm__generator_head(slm_generator *g, size_t h, slm_real *keys, slm_real *values,
                                size_t n, size_t stride) {
    size_t D = (size_t)g->model->config.head_dim;
    slm_real *q = g->q + h * D;
    slm_real *y = g->y + h * D;
    slm_real *p = g->attention + h * (size_t)g->capacity;
    slm_real sum;

    slm__rotate(q, g->cosine, g->sine, D / 2, 1);
    slm__matvec_rows(p, keys, stride, q, n, D, 0);
    slm__scale(p, (slm_real)(1.0 / sqrt((double)D)), n);
    sum = slm__exp_shift(p, p, slm__row_max(p, n), n);
    slm__weighted_sum(y, p, values, stride, n, D);
    slm__scale(y, 1 / sum, D);
}

/* Products of the attention of one token below which threads cost more than they save. */
#define SLM__GENERATOR_PARALLEL 32768

/* x += O attention(RMSNorm(x)).  The token's key and value go into the cache, behind those of the
   tokens before it.  H / KV heads share one head of keys and values. */
static void slm__generator_attention(slm_generator *g, int32_t layer) {
    const slm_model_config *c = &g->model->config;
    size_t D = (size_t)c->head_dim;
    size_t H = (size_t)c->n_heads;
    size_t KV = (size_t)c->n_kv_heads;
    size_t C = (size_t)c->dim;
    size_t first = slm__at_layer(layer, 0); /* index of the layer's first parameter */
    size_t n = (size_t)g->n_tokens + 1;
    size_t stride = KV * D;
    slm_real *keys = g->keys + (size_t)layer * (size_t)g->capacity * stride;
    slm_real *values = g->values + (size_t)layer * (size_t)g->capacity * stride;
    slm_real *key = keys + (n - 1) * stride;     /* of the token */
    slm_real *value = values + (n - 1) * stride; /* of the token */
    slm__matvec_of project[3];
    slm__matvec_of output;

    slm__norm_row(g, first + SLM__NORM1, g->x, g->y);
    project[0] = slm__weight_of(g, first + SLM__Q, g->q);
    project[1] = slm__weight_of(g, first + SLM__K, key);
    project[2] = slm__weight_of(g, first + SLM__V, value);
    slm__matvec(project, 3, g->y, C, 0, &g->team);
    for (size_t h = 0; h < KV; h++)
        slm__rotate(key + h * D, g->cosine, g->sine, D / 2, 1);

    SLM__SHARE(static, slm__team_share(&g->team, n * H * D, SLM__GENERATOR_PARALLEL))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)H; at++) {
        const size_t h = (size_t)at;
        size_t shared = h * KV / H * D; /* where the keys and values of this head begin */
        slm__generator_head(g, h, keys + shared, values + shared, n, stride);
    }

    output = slm__weight_of(g, first + SLM__O, g->x);
    slm__matvec(&output, 1, g->y, H * D, 1, &g->team);
}

/* x += Down (silu(Gate y) * Up y), y = RMSNorm(x). */
static void slm__generator_mlp(slm_generator *g, int32_t layer) {
    const slm_model_config *c = &g->model->config;
    size_t C = (size_t)c->dim;
    size_t F = (size_t)c->ffn;
    size_t first = slm__at_layer(layer, 0);
    slm__matvec_of widen[2];
    slm__matvec_of narrow;

    slm__norm_row(g, first + SLM__NORM2, g->x, g->y);
    widen[0] = slm__weight_of(g, first + SLM__GATE, g->gate);
    widen[1] = slm__weight_of(g, first + SLM__UP, g->up);
    slm__matvec(widen, 2, g->y, C, 0, &g->team);
    slm__swiglu(g->gate, g->gate, g->up, F);
    narrow = slm__weight_of(g, first + SLM__DOWN, g->x);
    slm__matvec(&narrow, 1, g->gate, F, 1, &g->team);
}

SLM_API slm_status slm_generator_push(const slm_real **logits, slm_generator *generator,
                                      int32_t token, slm_error *err) {
    slm_generator *g = generator;
    const slm_model_config *c = &g->model->config;
    size_t C = (size_t)c->dim;
    size_t half = (size_t)c->head_dim / 2;
    slm__matvec_of head;

    if (logits != NULL) *logits = NULL;
    if (token < 0 || token >= c->vocab)
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "generator: token %d is outside the vocabulary of %d", (int)token,
                         (int)c->vocab);
    if (g->n_tokens >= g->capacity)
        return slm__fail(err, SLM_ERR_ARGUMENT, "generator: its %d tokens are used up",
                         (int)g->capacity);

    /* The embedding is the first parameter. */
    memcpy(g->x, g->model->params + (size_t)token * C, C * sizeof(slm_real));
    for (size_t i = 0; i < half; i++) {
        double frequency = slm_rope_frequency(i, c->head_dim, c->rope_theta, &c->rope_scaling);
        double angle = (double)g->n_tokens * frequency;
        g->cosine[i] = (slm_real)cos(angle);
        g->sine[i] = (slm_real)sin(angle);
    }

    for (int32_t layer = 0; layer < c->n_layers; layer++) {
        slm__generator_attention(g, layer);
        slm__generator_mlp(g, layer);
    }

    slm__norm_row(g, slm__at_final_norm(c), g->x, g->y);
    head = slm__weight_of(g, slm__at_head(c), g->logits);
    slm__matvec(&head, 1, g->y, C, 0, &g->team);
    g->n_tokens++;
    if (logits != NULL) *logits = g->logits;
    return SLM_OK;
}

/* ---- choosing a token by its logits ---- */
/* A logit of -infinity is a token that must not come: it may be, unless all are. */
static slm_status slm__check_logits(const slm_real *logits, int32_t vocab, slm_error *err) {
    const slm_real largest = (slm_real)SLM__BY_TYPE(FLT_MAX, DBL_MAX);
    int32_t n_allowed = 0;
    int32_t n_finite = 0;

    if (vocab < 1)
        return slm__fail(err, SLM_ERR_ARGUMENT, "a vocabulary of %d tokens: at least 1 is needed",
                         (int)vocab);

    /* Counting has no early end, so that compilers make vector code of it. */
    for (int32_t i = 0; i < vocab; i++) {
        n_allowed += logits[i] <= largest;
        n_finite += logits[i] <= largest && logits[i] >= -largest;
    }
    for (int32_t i = 0; n_allowed < vocab && i < vocab; i++)
        if (!(logits[i] <= largest))
            return slm__fail(err, SLM_ERR_NOT_FINITE, "the logit of token %d is %g", (int)i,
                             (double)logits[i]);
    if (n_finite > 0) return SLM_OK;
    return slm__fail(err, SLM_ERR_NOT_FINITE, "all logits are -infinity");
}

/* Logits that go through a buffer on the stack at a time; a multiple of SLM__LANES. */
#define SLM__LOGITS_CHUNK 256

/* weight_i = exp((logit_i - max) / temperature): the softmax but for its divisor, which is
   returned: the sum of all weights, in SLM__LANES partial sums like every sum over a row.  choices
   (vocab) gets weights and tokens; NULL: only the sum is wanted. */
static slm_real slm__softmax_weights(slm_choice *choices, const slm_real *logits, size_t vocab,
                                     double temperature) {
    slm_real max = slm__row_max(logits, vocab);
    slm_real sums[SLM__LANES] = {0};
    slm_real weights[SLM__LOGITS_CHUNK];

    for (size_t first = 0; first < vocab; first += SLM__LOGITS_CHUNK) {
        size_t n = slm__min(vocab - first, SLM__LOGITS_CHUNK);
        for (size_t i = 0; i < n; i++)
            weights[i] = (slm_real)((double)(logits[first + i] - max) / temperature);
        (void)slm__exp_shift(weights, weights, 0, n);
        for (size_t i = 0; i < n; i++)
            sums[(first + i) % SLM__LANES] += weights[i];
        for (size_t i = 0; choices != NULL && i < n; i++) {
            choices[first + i].p = weights[i];
            choices[first + i].token = (int32_t)(first + i);
        }
    }
    return slm__fold(sums);
}

SLM_API slm_status slm_likeliest_tokens(slm_choice *choices, const slm_real *logits, int32_t vocab,
                                        int32_t k, slm_error *err) {
    slm_status status = slm__check_logits(logits, vocab, err);
    int32_t n = 0; /* choices so far, in order; p holds the logit until all are found */
    slm_real max;
    slm_real sum;

    if (status != SLM_OK) return status;
    if (k < 1 || k > vocab)
        return slm__fail(err, SLM_ERR_ARGUMENT, "the %d likeliest of %d tokens: from 1 to all",
                         (int)k, (int)vocab);

    for (int32_t token = 0; token < vocab; token++) {
        int32_t place;
        if (n < k) {
            n++;
        } else if (!(logits[token] > choices[k - 1].p)) {
            continue;
        }
        place = n - 1; /* new, or that of the last choice, which gives way */
        while (place > 0 && logits[token] > choices[place - 1].p) {
            choices[place] = choices[place - 1];
            place--;
        }
        choices[place].p = logits[token];
        choices[place].token = token;
    }

    max = choices[0].p;
    sum = slm__softmax_weights(NULL, logits, (size_t)vocab, 1);
    for (int32_t i = 0; i < k; i++)
        choices[i].p = (slm_real)(exp((double)(choices[i].p - max)) / (double)sum);
    return SLM_OK;
}

SLM_API slm_sample_options slm_sample_defaults(void) {
    slm_sample_options options;

    options.temperature = 1;
    options.top_k = 0;
    options.top_p = 1;
    return options;
}

/* For qsort: the larger weight first, among equals the lower id. */
static int slm__compare_choices(const void *a, const void *b) {
    const slm_choice *x = (const slm_choice *)a;
    const slm_choice *y = (const slm_choice *)b;

    if (x->p > y->p) return -1;
    if (x->p < y->p) return 1;
    return x->token < y->token ? -1 : 1;
}

static slm_status slm__check_sample_options(const slm_sample_options *options, slm_error *err) {
    if (options->temperature >= 0 && options->top_k >= 0 && options->top_p > 0 &&
        options->top_p <= 1)
        return SLM_OK;
    return slm__fail(err, SLM_ERR_ARGUMENT,
                     "sample: temperature %g, top_k %d, top_p %g; they must be >= 0, >= 0 and in "
                     "(0, 1]",
                     options->temperature, (int)options->top_k, options->top_p);
}

/* The choices lie one after the other on a line, each as long as its weight; a point of the line is
   drawn, and the choice on which it falls is the token.  top_k and top_p cut off the end of the
   line; so the choices are sorted first if there is a cut. */
SLM_API slm_status slm_sample_token(int32_t *token, const slm_real *logits, int32_t vocab,
                                    const slm_sample_options *options, slm_rng *rng,
                                    slm_choice *scratch, slm_error *err) {
    const slm_sample_options o = options != NULL ? *options : slm_sample_defaults();
    slm_status status = slm__check_sample_options(&o, err);
    size_t V = (size_t)vocab;
    size_t limit = V; /* choices that top_k leaves */
    size_t n = 0;     /* choices that both cuts leave */
    size_t drawn = 0;
    double sum;
    double mass = 0; /* of the first n choices */
    double point;

    if (status == SLM_OK) status = slm__check_logits(logits, vocab, err);
    if (status != SLM_OK) return status;
    if (!(o.temperature > 0)) {
        slm_real largest = slm__row_max(logits, V);
        *token = 0;
        while (logits[*token] < largest)
            ++*token;
        return SLM_OK;
    }

    sum = (double)slm__softmax_weights(scratch, logits, V, o.temperature);
    if (o.top_k > 0) limit = slm__min(V, (size_t)o.top_k);
    if (limit < V || o.top_p < 1) qsort(scratch, V, sizeof *scratch, slm__compare_choices);
    while (n < limit && (n == 0 || mass < o.top_p * sum)) {
        mass += (double)scratch[n].p;
        n++;
    }

    point = slm_rng_uniform(rng) * mass;
    for (size_t i = 0; i < n && point >= 0; i++) {
        /* Rounding must not lead to a token without any weight. */
        if (scratch[i].p > 0) drawn = i;
        point -= (double)scratch[i].p;
    }
    *token = scratch[drawn].token;
    return SLM_OK;
}

/* ==== >>tokenizers ========================================================================= 14 ==
   Text to tokens and back, by byte-pair encoding (BPE).

   Training.  The first 256 tokens are the bytes.  In a text, every pair of neighbouring tokens is
   counted; the most frequent pair becomes a new token and is replaced by it everywhere; and so on
   until the vocabulary is full.  The pairs in the order of their making are the list of merges, and
   the place of a merge in that list is its rank.

   Encoding repeats this on a new text: it begins with bytes, and as long as two neighbours are a
   pair of the list, the pair of lowest rank is merged, of equals the leftmost.  With the merges
   0: t h -> th and 1: th e -> the, the bytes  t h e n  become  th e n,  then  the n.

   Pieces.  Text is first cut into pieces (words, numbers, runs of other signs), and merges stay
   inside a piece.  So "cat", "cat." and "cat!" share the token "cat"; no token spans two words.

   Added tokens, such as "<|endoftext|>", are found in the text before all this and are never cut.

   So a tokenizer is a list of byte strings (the vocabulary), a list of merges, and the rule for
   pieces.  Where every byte is a token, any bytes can be encoded; decoding gives them back.  A
   vocabulary may lack bytes: a text that needs one of them is refused.

   There is a second kind, that of Llama-2 and Mistral.  It begins with characters instead of bytes;
   a character that is no token falls back to the tokens of its bytes, which merge with nothing.  A
   space is put before the text, and decoding takes it away.  There is no rule for pieces: merges
   may cross from word to word (slm__characters).                                                */

/* ---- a map from 64-bit keys to numbers: a hash table; a key that finds its slot taken goes on to
   the next slot ---- */
typedef struct slm__map_slot {
    uint64_t key;
    int64_t value;
    uint8_t used; /* 1: the slot holds a key */
} slm__map_slot;

typedef struct slm__map {
    slm__map_slot *slots;
    size_t n;        /* keys */
    size_t capacity; /* slots: a power of two, at least twice n */
} slm__map;

#define SLM__MAP_SLOTS 1024 /* of a map that gets its first key */

/* The slot that holds the key, or else the free slot where it belongs. */
static slm__map_slot *slm__map_slot_of(const slm__map *map, uint64_t key) {
    size_t i = (size_t)slm__mix(key) & (map->capacity - 1);

    while (map->slots[i].used && map->slots[i].key != key)
        i = (i + 1) & (map->capacity - 1);
    return &map->slots[i];
}

/* The value of the key, or -1 if the map does not have it.  For maps of ids and ranks: these are
   never negative. */
static int64_t slm__map_get(const slm__map *map, uint64_t key) {
    const slm__map_slot *slot;

    if (map->n == 0) return -1;
    slot = slm__map_slot_of(map, key);
    return slot->used ? slot->value : -1;
}

/* Moves all keys to twice as many slots. */
static slm_status slm__map_grow(slm__map *map, slm_error *err) {
    slm__map larger;

    larger.n = map->n;
    larger.capacity = map->capacity == 0 ? SLM__MAP_SLOTS : map->capacity * 2;
    larger.slots = (slm__map_slot *)slm__alloc(larger.capacity, sizeof(slm__map_slot), err);
    if (larger.slots == NULL) return SLM_ERR_MEMORY;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].used) *slm__map_slot_of(&larger, map->slots[i].key) = map->slots[i];
    slm__release(map->slots);
    *map = larger;
    return SLM_OK;
}

/* The slot of the key, which is added with that value if the map does not have it.  Returns NULL if
   there is no memory. */
static slm__map_slot *slm__map_add(slm__map *map, uint64_t key, int64_t value, slm_error *err) {
    slm__map_slot *slot;

    if (map->n >= map->capacity / 2 && slm__map_grow(map, err) != SLM_OK) return NULL;
    slot = slm__map_slot_of(map, key);
    if (!slot->used) {
        slot->key = key;
        slot->value = value;
        slot->used = 1;
        map->n++;
    }
    return slot;
}

/* ---- UTF-8: 1 to 4 bytes a code point; the first byte tells how many ----
       1    0xxxxxxx                           from U+0000
       2    110xxxxx 10xxxxxx                  from U+0080
       3    1110xxxx 10xxxxxx 10xxxxxx         from U+0800
       4    11110xxx and three 10xxxxxx        from U+10000                                       */
static size_t slm__utf8_size(unsigned char first) {
    if (first < 0x80) return 1;
    if (first < 0xC0) return 0; /* 10xxxxxx is no first byte */
    if (first < 0xE0) return 2;
    if (first < 0xF0) return 3;
    return first < 0xF8 ? 4 : 0;
}

/* The code point at p < end, of *size bytes.  Returns -1, and *size 1, if these bytes are not
   UTF-8: cut off, overlong (more bytes than needed), a surrogate, or above U+10FFFF. */
static int32_t slm__utf8(const char *p, const char *end, size_t *size) {
    static const unsigned char payload[5] = {0, 0x7F, 0x1F, 0x0F, 0x07}; /* the x of byte 1 */
    static const int32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};        /* by size */
    const unsigned char *s = (const unsigned char *)p;
    size_t n = slm__utf8_size(s[0]);
    int32_t c = s[0] & payload[n];

    *size = 1;
    if (n == 0 || n > (size_t)(end - p)) return -1;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) return -1;
        c = c << 6 | (s[i] & 0x3F);
    }
    if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return -1;
    *size = n;
    return c;
}

/* ---- classes of characters ----
   \p{L}, \p{N} and \s of the regular expression below: General_Category L and N, and White_Space,
   in the version of Unicode that the Rust programs `tokenizers` and `tiktoken` use.  A range is its
   first code point and its length.  tools/dev/unicode_classes makes the three tables from the
   Unicode Character Database, and compares them with it. */
enum {
    SLM__CHAR_OTHER, /* all that is in no table, and bytes that are not UTF-8 */
    SLM__CHAR_LETTER,
    SLM__CHAR_NUMBER,
    SLM__CHAR_SPACE
};

typedef struct slm__char_range {
    int32_t first;
    int32_t count;
} slm__char_range;

/* Unicode 16.0: made by tools/dev/unicode_classes. */
static const slm__char_range slm__char_letters[] = {
    {0x0041, 26},   {0x0061, 26},   {0x00AA, 1},    {0x00B5, 1},    {0x00BA, 1},    {0x00C0, 23},
    {0x00D8, 31},   {0x00F8, 458},  {0x02C6, 12},   {0x02E0, 5},    {0x02EC, 1},    {0x02EE, 1},
    {0x0370, 5},    {0x0376, 2},    {0x037A, 4},    {0x037F, 1},    {0x0386, 1},    {0x0388, 3},
    {0x038C, 1},    {0x038E, 20},   {0x03A3, 83},   {0x03F7, 139},  {0x048A, 166},  {0x0531, 38},
    {0x0559, 1},    {0x0560, 41},   {0x05D0, 27},   {0x05EF, 4},    {0x0620, 43},   {0x066E, 2},
    {0x0671, 99},   {0x06D5, 1},    {0x06E5, 2},    {0x06EE, 2},    {0x06FA, 3},    {0x06FF, 1},
    {0x0710, 1},    {0x0712, 30},   {0x074D, 89},   {0x07B1, 1},    {0x07CA, 33},   {0x07F4, 2},
    {0x07FA, 1},    {0x0800, 22},   {0x081A, 1},    {0x0824, 1},    {0x0828, 1},    {0x0840, 25},
    {0x0860, 11},   {0x0870, 24},   {0x0889, 6},    {0x08A0, 42},   {0x0904, 54},   {0x093D, 1},
    {0x0950, 1},    {0x0958, 10},   {0x0971, 16},   {0x0985, 8},    {0x098F, 2},    {0x0993, 22},
    {0x09AA, 7},    {0x09B2, 1},    {0x09B6, 4},    {0x09BD, 1},    {0x09CE, 1},    {0x09DC, 2},
    {0x09DF, 3},    {0x09F0, 2},    {0x09FC, 1},    {0x0A05, 6},    {0x0A0F, 2},    {0x0A13, 22},
    {0x0A2A, 7},    {0x0A32, 2},    {0x0A35, 2},    {0x0A38, 2},    {0x0A59, 4},    {0x0A5E, 1},
    {0x0A72, 3},    {0x0A85, 9},    {0x0A8F, 3},    {0x0A93, 22},   {0x0AAA, 7},    {0x0AB2, 2},
    {0x0AB5, 5},    {0x0ABD, 1},    {0x0AD0, 1},    {0x0AE0, 2},    {0x0AF9, 1},    {0x0B05, 8},
    {0x0B0F, 2},    {0x0B13, 22},   {0x0B2A, 7},    {0x0B32, 2},    {0x0B35, 5},    {0x0B3D, 1},
    {0x0B5C, 2},    {0x0B5F, 3},    {0x0B71, 1},    {0x0B83, 1},    {0x0B85, 6},    {0x0B8E, 3},
    {0x0B92, 4},    {0x0B99, 2},    {0x0B9C, 1},    {0x0B9E, 2},    {0x0BA3, 2},    {0x0BA8, 3},
    {0x0BAE, 12},   {0x0BD0, 1},    {0x0C05, 8},    {0x0C0E, 3},    {0x0C12, 23},   {0x0C2A, 16},
    {0x0C3D, 1},    {0x0C58, 3},    {0x0C5D, 1},    {0x0C60, 2},    {0x0C80, 1},    {0x0C85, 8},
    {0x0C8E, 3},    {0x0C92, 23},   {0x0CAA, 10},   {0x0CB5, 5},    {0x0CBD, 1},    {0x0CDD, 2},
    {0x0CE0, 2},    {0x0CF1, 2},    {0x0D04, 9},    {0x0D0E, 3},    {0x0D12, 41},   {0x0D3D, 1},
    {0x0D4E, 1},    {0x0D54, 3},    {0x0D5F, 3},    {0x0D7A, 6},    {0x0D85, 18},   {0x0D9A, 24},
    {0x0DB3, 9},    {0x0DBD, 1},    {0x0DC0, 7},    {0x0E01, 48},   {0x0E32, 2},    {0x0E40, 7},
    {0x0E81, 2},    {0x0E84, 1},    {0x0E86, 5},    {0x0E8C, 24},   {0x0EA5, 1},    {0x0EA7, 10},
    {0x0EB2, 2},    {0x0EBD, 1},    {0x0EC0, 5},    {0x0EC6, 1},    {0x0EDC, 4},    {0x0F00, 1},
    {0x0F40, 8},    {0x0F49, 36},   {0x0F88, 5},    {0x1000, 43},   {0x103F, 1},    {0x1050, 6},
    {0x105A, 4},    {0x1061, 1},    {0x1065, 2},    {0x106E, 3},    {0x1075, 13},   {0x108E, 1},
    {0x10A0, 38},   {0x10C7, 1},    {0x10CD, 1},    {0x10D0, 43},   {0x10FC, 333},  {0x124A, 4},
    {0x1250, 7},    {0x1258, 1},    {0x125A, 4},    {0x1260, 41},   {0x128A, 4},    {0x1290, 33},
    {0x12B2, 4},    {0x12B8, 7},    {0x12C0, 1},    {0x12C2, 4},    {0x12C8, 15},   {0x12D8, 57},
    {0x1312, 4},    {0x1318, 67},   {0x1380, 16},   {0x13A0, 86},   {0x13F8, 6},    {0x1401, 620},
    {0x166F, 17},   {0x1681, 26},   {0x16A0, 75},   {0x16F1, 8},    {0x1700, 18},   {0x171F, 19},
    {0x1740, 18},   {0x1760, 13},   {0x176E, 3},    {0x1780, 52},   {0x17D7, 1},    {0x17DC, 1},
    {0x1820, 89},   {0x1880, 5},    {0x1887, 34},   {0x18AA, 1},    {0x18B0, 70},   {0x1900, 31},
    {0x1950, 30},   {0x1970, 5},    {0x1980, 44},   {0x19B0, 26},   {0x1A00, 23},   {0x1A20, 53},
    {0x1AA7, 1},    {0x1B05, 47},   {0x1B45, 8},    {0x1B83, 30},   {0x1BAE, 2},    {0x1BBA, 44},
    {0x1C00, 36},   {0x1C4D, 3},    {0x1C5A, 36},   {0x1C80, 11},   {0x1C90, 43},   {0x1CBD, 3},
    {0x1CE9, 4},    {0x1CEE, 6},    {0x1CF5, 2},    {0x1CFA, 1},    {0x1D00, 192},  {0x1E00, 278},
    {0x1F18, 6},    {0x1F20, 38},   {0x1F48, 6},    {0x1F50, 8},    {0x1F59, 1},    {0x1F5B, 1},
    {0x1F5D, 1},    {0x1F5F, 31},   {0x1F80, 53},   {0x1FB6, 7},    {0x1FBE, 1},    {0x1FC2, 3},
    {0x1FC6, 7},    {0x1FD0, 4},    {0x1FD6, 6},    {0x1FE0, 13},   {0x1FF2, 3},    {0x1FF6, 7},
    {0x2071, 1},    {0x207F, 1},    {0x2090, 13},   {0x2102, 1},    {0x2107, 1},    {0x210A, 10},
    {0x2115, 1},    {0x2119, 5},    {0x2124, 1},    {0x2126, 1},    {0x2128, 1},    {0x212A, 4},
    {0x212F, 11},   {0x213C, 4},    {0x2145, 5},    {0x214E, 1},    {0x2183, 2},    {0x2C00, 229},
    {0x2CEB, 4},    {0x2CF2, 2},    {0x2D00, 38},   {0x2D27, 1},    {0x2D2D, 1},    {0x2D30, 56},
    {0x2D6F, 1},    {0x2D80, 23},   {0x2DA0, 7},    {0x2DA8, 7},    {0x2DB0, 7},    {0x2DB8, 7},
    {0x2DC0, 7},    {0x2DC8, 7},    {0x2DD0, 7},    {0x2DD8, 7},    {0x2E2F, 1},    {0x3005, 2},
    {0x3031, 5},    {0x303B, 2},    {0x3041, 86},   {0x309D, 3},    {0x30A1, 90},   {0x30FC, 4},
    {0x3105, 43},   {0x3131, 94},   {0x31A0, 32},   {0x31F0, 16},   {0x3400, 6592}, {0x4E00, 22157},
    {0xA4D0, 46},   {0xA500, 269},  {0xA610, 16},   {0xA62A, 2},    {0xA640, 47},   {0xA67F, 31},
    {0xA6A0, 70},   {0xA717, 9},    {0xA722, 103},  {0xA78B, 67},   {0xA7D0, 2},    {0xA7D3, 1},
    {0xA7D5, 8},    {0xA7F2, 16},   {0xA803, 3},    {0xA807, 4},    {0xA80C, 23},   {0xA840, 52},
    {0xA882, 50},   {0xA8F2, 6},    {0xA8FB, 1},    {0xA8FD, 2},    {0xA90A, 28},   {0xA930, 23},
    {0xA960, 29},   {0xA984, 47},   {0xA9CF, 1},    {0xA9E0, 5},    {0xA9E6, 10},   {0xA9FA, 5},
    {0xAA00, 41},   {0xAA40, 3},    {0xAA44, 8},    {0xAA60, 23},   {0xAA7A, 1},    {0xAA7E, 50},
    {0xAAB1, 1},    {0xAAB5, 2},    {0xAAB9, 5},    {0xAAC0, 1},    {0xAAC2, 1},    {0xAADB, 3},
    {0xAAE0, 11},   {0xAAF2, 3},    {0xAB01, 6},    {0xAB09, 6},    {0xAB11, 6},    {0xAB20, 7},
    {0xAB28, 7},    {0xAB30, 43},   {0xAB5C, 14},   {0xAB70, 115},  {0xAC00, 11172}, {0xD7B0, 23},
    {0xD7CB, 49},   {0xF900, 366},  {0xFA70, 106},  {0xFB00, 7},    {0xFB13, 5},    {0xFB1D, 1},
    {0xFB1F, 10},   {0xFB2A, 13},   {0xFB38, 5},    {0xFB3E, 1},    {0xFB40, 2},    {0xFB43, 2},
    {0xFB46, 108},  {0xFBD3, 363},  {0xFD50, 64},   {0xFD92, 54},   {0xFDF0, 12},   {0xFE70, 5},
    {0xFE76, 135},  {0xFF21, 26},   {0xFF41, 26},   {0xFF66, 89},   {0xFFC2, 6},    {0xFFCA, 6},
    {0xFFD2, 6},    {0xFFDA, 3},    {0x10000, 12},  {0x1000D, 26},  {0x10028, 19},  {0x1003C, 2},
    {0x1003F, 15},  {0x10050, 14},  {0x10080, 123}, {0x10280, 29},  {0x102A0, 49},  {0x10300, 32},
    {0x1032D, 20},  {0x10342, 8},   {0x10350, 38},  {0x10380, 30},  {0x103A0, 36},  {0x103C8, 8},
    {0x10400, 158}, {0x104B0, 36},  {0x104D8, 36},  {0x10500, 40},  {0x10530, 52},  {0x10570, 11},
    {0x1057C, 15},  {0x1058C, 7},   {0x10594, 2},   {0x10597, 11},  {0x105A3, 15},  {0x105B3, 7},
    {0x105BB, 2},   {0x105C0, 52},  {0x10600, 311}, {0x10740, 22},  {0x10760, 8},   {0x10780, 6},
    {0x10787, 42},  {0x107B2, 9},   {0x10800, 6},   {0x10808, 1},   {0x1080A, 44},  {0x10837, 2},
    {0x1083C, 1},   {0x1083F, 23},  {0x10860, 23},  {0x10880, 31},  {0x108E0, 19},  {0x108F4, 2},
    {0x10900, 22},  {0x10920, 26},  {0x10980, 56},  {0x109BE, 2},   {0x10A00, 1},   {0x10A10, 4},
    {0x10A15, 3},   {0x10A19, 29},  {0x10A60, 29},  {0x10A80, 29},  {0x10AC0, 8},   {0x10AC9, 28},
    {0x10B00, 54},  {0x10B40, 22},  {0x10B60, 19},  {0x10B80, 18},  {0x10C00, 73},  {0x10C80, 51},
    {0x10CC0, 51},  {0x10D00, 36},  {0x10D4A, 28},  {0x10D6F, 23},  {0x10E80, 42},  {0x10EB0, 2},
    {0x10EC2, 3},   {0x10F00, 29},  {0x10F27, 1},   {0x10F30, 22},  {0x10F70, 18},  {0x10FB0, 21},
    {0x10FE0, 23},  {0x11003, 53},  {0x11071, 2},   {0x11075, 1},   {0x11083, 45},  {0x110D0, 25},
    {0x11103, 36},  {0x11144, 1},   {0x11147, 1},   {0x11150, 35},  {0x11176, 1},   {0x11183, 48},
    {0x111C1, 4},   {0x111DA, 1},   {0x111DC, 1},   {0x11200, 18},  {0x11213, 25},  {0x1123F, 2},
    {0x11280, 7},   {0x11288, 1},   {0x1128A, 4},   {0x1128F, 15},  {0x1129F, 10},  {0x112B0, 47},
    {0x11305, 8},   {0x1130F, 2},   {0x11313, 22},  {0x1132A, 7},   {0x11332, 2},   {0x11335, 5},
    {0x1133D, 1},   {0x11350, 1},   {0x1135D, 5},   {0x11380, 10},  {0x1138B, 1},   {0x1138E, 1},
    {0x11390, 38},  {0x113B7, 1},   {0x113D1, 1},   {0x113D3, 1},   {0x11400, 53},  {0x11447, 4},
    {0x1145F, 3},   {0x11480, 48},  {0x114C4, 2},   {0x114C7, 1},   {0x11580, 47},  {0x115D8, 4},
    {0x11600, 48},  {0x11644, 1},   {0x11680, 43},  {0x116B8, 1},   {0x11700, 27},  {0x11740, 7},
    {0x11800, 44},  {0x118A0, 64},  {0x118FF, 8},   {0x11909, 1},   {0x1190C, 8},   {0x11915, 2},
    {0x11918, 24},  {0x1193F, 1},   {0x11941, 1},   {0x119A0, 8},   {0x119AA, 39},  {0x119E1, 1},
    {0x119E3, 1},   {0x11A00, 1},   {0x11A0B, 40},  {0x11A3A, 1},   {0x11A50, 1},   {0x11A5C, 46},
    {0x11A9D, 1},   {0x11AB0, 73},  {0x11BC0, 33},  {0x11C00, 9},   {0x11C0A, 37},  {0x11C40, 1},
    {0x11C72, 30},  {0x11D00, 7},   {0x11D08, 2},   {0x11D0B, 38},  {0x11D46, 1},   {0x11D60, 6},
    {0x11D67, 2},   {0x11D6A, 32},  {0x11D98, 1},   {0x11EE0, 19},  {0x11F02, 1},   {0x11F04, 13},
    {0x11F12, 34},  {0x11FB0, 1},   {0x12000, 922}, {0x12480, 196}, {0x12F90, 97},  {0x13000, 1072},
    {0x13441, 6},   {0x13460, 3995}, {0x14400, 583}, {0x16100, 30},  {0x16800, 569}, {0x16A40, 31},
    {0x16A70, 79},  {0x16AD0, 30},  {0x16B00, 48},  {0x16B40, 4},   {0x16B63, 21},  {0x16B7D, 19},
    {0x16D40, 45},  {0x16E40, 64},  {0x16F00, 75},  {0x16F50, 1},   {0x16F93, 13},  {0x16FE0, 2},
    {0x16FE3, 1},   {0x17000, 6136}, {0x18800, 1238}, {0x18CFF, 10},  {0x1AFF0, 4},   {0x1AFF5, 7},
    {0x1AFFD, 2},   {0x1B000, 291}, {0x1B132, 1},   {0x1B150, 3},   {0x1B155, 1},   {0x1B164, 4},
    {0x1B170, 396}, {0x1BC00, 107}, {0x1BC70, 13},  {0x1BC80, 9},   {0x1BC90, 10},  {0x1D400, 85},
    {0x1D456, 71},  {0x1D49E, 2},   {0x1D4A2, 1},   {0x1D4A5, 2},   {0x1D4A9, 4},   {0x1D4AE, 12},
    {0x1D4BB, 1},   {0x1D4BD, 7},   {0x1D4C5, 65},  {0x1D507, 4},   {0x1D50D, 8},   {0x1D516, 7},
    {0x1D51E, 28},  {0x1D53B, 4},   {0x1D540, 5},   {0x1D546, 1},   {0x1D54A, 7},   {0x1D552, 340},
    {0x1D6A8, 25},  {0x1D6C2, 25},  {0x1D6DC, 31},  {0x1D6FC, 25},  {0x1D716, 31},  {0x1D736, 25},
    {0x1D750, 31},  {0x1D770, 25},  {0x1D78A, 31},  {0x1D7AA, 25},  {0x1D7C4, 8},   {0x1DF00, 31},
    {0x1DF25, 6},   {0x1E030, 62},  {0x1E100, 45},  {0x1E137, 7},   {0x1E14E, 1},   {0x1E290, 30},
    {0x1E2C0, 44},  {0x1E4D0, 28},  {0x1E5D0, 30},  {0x1E5F0, 1},   {0x1E7E0, 7},   {0x1E7E8, 4},
    {0x1E7ED, 2},   {0x1E7F0, 15},  {0x1E800, 197}, {0x1E900, 68},  {0x1E94B, 1},   {0x1EE00, 4},
    {0x1EE05, 27},  {0x1EE21, 2},   {0x1EE24, 1},   {0x1EE27, 1},   {0x1EE29, 10},  {0x1EE34, 4},
    {0x1EE39, 1},   {0x1EE3B, 1},   {0x1EE42, 1},   {0x1EE47, 1},   {0x1EE49, 1},   {0x1EE4B, 1},
    {0x1EE4D, 3},   {0x1EE51, 2},   {0x1EE54, 1},   {0x1EE57, 1},   {0x1EE59, 1},   {0x1EE5B, 1},
    {0x1EE5D, 1},   {0x1EE5F, 1},   {0x1EE61, 2},   {0x1EE64, 1},   {0x1EE67, 4},   {0x1EE6C, 7},
    {0x1EE74, 4},   {0x1EE79, 4},   {0x1EE7E, 1},   {0x1EE80, 10},  {0x1EE8B, 17},  {0x1EEA1, 3},
    {0x1EEA5, 5},   {0x1EEAB, 17},  {0x20000, 42720}, {0x2A700, 4154}, {0x2B740, 222},
    {0x2B820, 5762}, {0x2CEB0, 7473}, {0x2EBF0, 622}, {0x2F800, 542}, {0x30000, 4939},
    {0x31350, 4192}
};

static const slm__char_range slm__char_numbers[] = {
    {0x0030, 10},   {0x00B2, 2},    {0x00B9, 1},    {0x00BC, 3},    {0x0660, 10},   {0x06F0, 10},
    {0x07C0, 10},   {0x0966, 10},   {0x09E6, 10},   {0x09F4, 6},    {0x0A66, 10},   {0x0AE6, 10},
    {0x0B66, 10},   {0x0B72, 6},    {0x0BE6, 13},   {0x0C66, 10},   {0x0C78, 7},    {0x0CE6, 10},
    {0x0D58, 7},    {0x0D66, 19},   {0x0DE6, 10},   {0x0E50, 10},   {0x0ED0, 10},   {0x0F20, 20},
    {0x1040, 10},   {0x1090, 10},   {0x1369, 20},   {0x16EE, 3},    {0x17E0, 10},   {0x17F0, 10},
    {0x1810, 10},   {0x1946, 10},   {0x19D0, 11},   {0x1A80, 10},   {0x1A90, 10},   {0x1B50, 10},
    {0x1BB0, 10},   {0x1C40, 10},   {0x1C50, 10},   {0x2070, 1},    {0x2074, 6},    {0x2080, 10},
    {0x2150, 51},   {0x2185, 5},    {0x2460, 60},   {0x24EA, 22},   {0x2776, 30},   {0x2CFD, 1},
    {0x3007, 1},    {0x3021, 9},    {0x3038, 3},    {0x3192, 4},    {0x3220, 10},   {0x3248, 8},
    {0x3251, 15},   {0x3280, 10},   {0x32B1, 15},   {0xA620, 10},   {0xA6E6, 10},   {0xA830, 6},
    {0xA8D0, 10},   {0xA900, 10},   {0xA9D0, 10},   {0xA9F0, 10},   {0xAA50, 10},   {0xABF0, 10},
    {0xFF10, 10},   {0x10107, 45},  {0x10140, 57},  {0x1018A, 2},   {0x102E1, 27},  {0x10320, 4},
    {0x10341, 1},   {0x1034A, 1},   {0x103D1, 5},   {0x104A0, 10},  {0x10858, 8},   {0x10879, 7},
    {0x108A7, 9},   {0x108FB, 5},   {0x10916, 6},   {0x109BC, 2},   {0x109C0, 16},  {0x109D2, 46},
    {0x10A40, 9},   {0x10A7D, 2},   {0x10A9D, 3},   {0x10AEB, 5},   {0x10B58, 8},   {0x10B78, 8},
    {0x10BA9, 7},   {0x10CFA, 6},   {0x10D30, 10},  {0x10D40, 10},  {0x10E60, 31},  {0x10F1D, 10},
    {0x10F51, 4},   {0x10FC5, 7},   {0x11052, 30},  {0x110F0, 10},  {0x11136, 10},  {0x111D0, 10},
    {0x111E1, 20},  {0x112F0, 10},  {0x11450, 10},  {0x114D0, 10},  {0x11650, 10},  {0x116C0, 10},
    {0x116D0, 20},  {0x11730, 12},  {0x118E0, 19},  {0x11950, 10},  {0x11BF0, 10},  {0x11C50, 29},
    {0x11D50, 10},  {0x11DA0, 10},  {0x11F50, 10},  {0x11FC0, 21},  {0x12400, 111}, {0x16130, 10},
    {0x16A60, 10},  {0x16AC0, 10},  {0x16B50, 10},  {0x16B5B, 7},   {0x16D70, 10},  {0x16E80, 23},
    {0x1CCF0, 10},  {0x1D2C0, 20},  {0x1D2E0, 20},  {0x1D360, 25},  {0x1D7CE, 50},  {0x1E140, 10},
    {0x1E2F0, 10},  {0x1E4F0, 10},  {0x1E5F1, 10},  {0x1E8C7, 9},   {0x1E950, 10},  {0x1EC71, 59},
    {0x1ECAD, 3},   {0x1ECB1, 4},   {0x1ED01, 45},  {0x1ED2F, 15},  {0x1F100, 13},  {0x1FBF0, 10}
};

static const slm__char_range slm__char_spaces[] = {
    {0x0009, 5},    {0x0020, 1},    {0x0085, 1},    {0x00A0, 1},    {0x1680, 1},    {0x2000, 11},
    {0x2028, 2},    {0x202F, 1},    {0x205F, 1},    {0x3000, 1}
};

#define SLM__CLASSES_END 0x32400 /* all ranges are below; from here on every character is OTHER */

/* Gives a class to all code points in the ranges. */
static void slm__classes_set(uint8_t *classes, const slm__char_range *ranges, size_t n,
                             int char_class) {
    for (size_t i = 0; i < n; i++) {
        SLM_ASSERT(ranges[i].first + ranges[i].count <= SLM__CLASSES_END);
        memset(classes + ranges[i].first, char_class, (size_t)ranges[i].count);
    }
}

/* Spreads the ranges into a table of a byte for every code point below SLM__CLASSES_END, so that
   the class of a character is found in one step.  classes (SLM__CLASSES_END) must be zero, which is
   SLM__CHAR_OTHER.  No code point is in two of the ranges, so their order is free. */
static void slm__classes_fill(uint8_t *classes) {
    slm__classes_set(classes, slm__char_letters, SLM__COUNT(slm__char_letters), SLM__CHAR_LETTER);
    slm__classes_set(classes, slm__char_numbers, SLM__COUNT(slm__char_numbers), SLM__CHAR_NUMBER);
    slm__classes_set(classes, slm__char_spaces, SLM__COUNT(slm__char_spaces), SLM__CHAR_SPACE);
}

/* The class of the character at p < end, and its size in bytes. */
static int slm__char_class(const uint8_t *classes, const char *p, const char *end, size_t *size) {
    int32_t c = (unsigned char)*p;

    *size = 1;
    if (c >= 0x80) c = slm__utf8(p, end, size);
    if (c < 0 || c >= SLM__CLASSES_END) return SLM__CHAR_OTHER;
    return classes[c];
}

/* Where the characters of that class end that begin at p. */
static const char *slm__class_end(const uint8_t *classes, int char_class, const char *p,
                                  const char *end) {
    size_t size;

    while (p < end && slm__char_class(classes, p, end, &size) == char_class)
        p += size;
    return p;
}

/* ---- pieces ----
   Every rule is a regular expression.  At each place the first alternative that matches is taken,
   as long as it can be.  No character is in two classes; so the first character and the one after
   it tell which alternative it is, and the piece goes on while the class stays the same. */
enum slm__split {
    SLM__SPLIT_NONE,   /* the text is one piece */
    SLM__SPLIT_GPT2,   /* GPT-2, GPT-NeoX, Pythia */
    SLM__SPLIT_DIGITS, /* each number a piece of its own, then GPT-2's: StarCoder, SmolLM */
    SLM__SPLIT_LLAMA3, /* Llama-3, GPT-4 (cl100k) */
    SLM__SPLIT_QWEN    /* Qwen 2 and 3: as Llama-3, but each number a piece of its own */
};

static int slm__is_line_end(char c) {
    return c == '\r' || c == '\n';
}

/* Size of the contraction at s (n), or 0.  any_case: that of (?i:'s), to which the long s, U+017F,
   is an s too. */
static size_t slm__contraction_size(const char *s, size_t n, int any_case) {
    static const char small[7][3] = {"s", "t", "re", "ve", "m", "ll", "d"};
    static const char large[7][3] = {"S", "T", "RE", "VE", "M", "LL", "D"};

    if (n < 2 || s[0] != '\'') return 0;
    for (size_t k = 0; k < SLM__COUNT(small); k++) {
        size_t size = strlen(small[k]);
        size_t i = 0;
        while (i < size && 1 + i < n &&
               (s[1 + i] == small[k][i] || (any_case && s[1 + i] == large[k][i])))
            i++;
        if (i == size) return 1 + size;
    }
    if (any_case && n >= 3 && memcmp(s, "'\xc5\xbf", 3) == 0) return 3;
    return 0;
}

/* GPT-2's regular expression:
       's|'t|'re|'ve|'m|'ll|'d    an English contraction: "it's" becomes "it" and "'s"
       | ?\p{L}+                  letters, with the space before them
       | ?\p{N}+                  numbers, likewise
       | ?[^\s\p{L}\p{N}]+        anything but white space, letters, numbers, likewise
       |\s+(?!\S)                 white space up to its end, but for the last character if text
                                  follows: a space there belongs to the next piece
       |\s+                       what is left: one character of white space
   digits_alone: the text is first cut before and after each \p{N}, and that expression then sees
   what is between these cuts. */
static size_t slm__gpt2_piece(const uint8_t *classes, int digits_alone, const char *s, size_t n) {
    const char *end = s + n;
    const char *p = s;
    const char *last = s; /* the character before p */
    size_t contraction = slm__contraction_size(s, n, 0);
    size_t size;
    int piece_class = slm__char_class(classes, s, end, &size);

    if (contraction > 0) return contraction;
    if (digits_alone && piece_class == SLM__CHAR_NUMBER) return size;
    if (n >= 2 && s[0] == ' ') {
        int next = slm__char_class(classes, s + 1, end, &size);
        if (next != SLM__CHAR_SPACE && !(digits_alone && next == SLM__CHAR_NUMBER)) {
            piece_class = next;
            p = s + 1;
        }
    }
    if (piece_class != SLM__CHAR_SPACE)
        return (size_t)(slm__class_end(classes, piece_class, p, end) - s);

    while (p < end && slm__char_class(classes, p, end, &size) == SLM__CHAR_SPACE) {
        last = p;
        p += size;
    }
    if (p == end || last == s) return (size_t)(p - s);
    if (digits_alone && slm__char_class(classes, p, end, &size) == SLM__CHAR_NUMBER)
        return (size_t)(p - s); /* the text ends here: nothing follows, (?!\S) */
    return (size_t)(last - s);
}

/* White space at s, by the last three alternatives of Llama-3's regular expression. */
static size_t slm__llama3_space(const uint8_t *classes, const char *s, const char *end) {
    const char *p = s;
    const char *last = s;       /* the character before p */
    const char *after_line = s; /* what follows the last end of a line */
    size_t size;

    while (p < end && slm__char_class(classes, p, end, &size) == SLM__CHAR_SPACE) {
        last = p;
        p += size;
        if (slm__is_line_end(*last)) after_line = p;
    }
    if (after_line > s) return (size_t)(after_line - s);
    if (p < end && last > s) p = last;
    return (size_t)(p - s);
}

/* Llama-3's regular expression, which is cl100k's, with most_numbers = 3:
       (?i:'s|'t|'re|'ve|'m|'ll|'d)    a contraction, in large letters too
       |[^\r\n\p{L}\p{N}]?\p{L}+       letters, with one character before them that is neither a
                                       number nor an end of a line
       |\p{N}{1,3}                     up to three numbers; Qwen's: \p{N}, most_numbers = 1
       | ?[^\s\p{L}\p{N}]+[\r\n]*      anything else but white space, with the space before it and
                                       the ends of lines after it
       |\s*[\r\n]+                     white space up to its last end of a line
       |\s+(?!\S)                      as GPT-2's
       |\s+                                                                                       */
static size_t slm__llama3_piece(const uint8_t *classes, int most_numbers, const char *s,
                                size_t n) {
    const char *end = s + n;
    const char *p = s;
    size_t contraction = slm__contraction_size(s, n, 1);
    size_t size;
    int first = slm__char_class(classes, s, end, &size);
    int second = SLM__CHAR_SPACE;

    if (contraction > 0) return contraction;
    p += size;
    if (p < end) second = slm__char_class(classes, p, end, &size);

    if (first == SLM__CHAR_NUMBER) {
        for (int i = 1; i < most_numbers && p < end; i++) {
            if (slm__char_class(classes, p, end, &size) != SLM__CHAR_NUMBER) break;
            p += size;
        }
        return (size_t)(p - s);
    }
    if (first == SLM__CHAR_LETTER || (second == SLM__CHAR_LETTER && !slm__is_line_end(s[0])))
        return (size_t)(slm__class_end(classes, SLM__CHAR_LETTER, p, end) - s);

    if (first == SLM__CHAR_OTHER || (s[0] == ' ' && second == SLM__CHAR_OTHER)) {
        p = slm__class_end(classes, SLM__CHAR_OTHER, p, end);
        while (p < end && slm__is_line_end(*p))
            p++;
        return (size_t)(p - s);
    }
    return slm__llama3_space(classes, s, end);
}

/* Size in bytes of the first piece of a text of n >= 1 bytes. */
static size_t slm__pretoken_size(const uint8_t *classes, int split, const char *s, size_t n) {
    switch (split) {
    case SLM__SPLIT_GPT2: return slm__gpt2_piece(classes, 0, s, n);
    case SLM__SPLIT_DIGITS: return slm__gpt2_piece(classes, 1, s, n);
    case SLM__SPLIT_LLAMA3: return slm__llama3_piece(classes, 3, s, n);
    case SLM__SPLIT_QWEN: return slm__llama3_piece(classes, 1, s, n);
    default: return n;
    }
}

/* ---- Unicode's normalization form C (NFC) ----
   The same letter can be one code point or more: e with acute is U+00E9, or e and U+0301.  NFC
   takes every character apart, puts its marks in the order of their combining classes, and
   composes pairs as far as it goes.  Tokenizers that begin with it see only the result.  slm.h
   does not change texts: what follows finds the first character that NFC would change.

   The first table has the combining class of marks, "@CLASS FIRST-LAST ...", in hexadecimal.  Class
   FF is for code points that NFC never leaves as they are.  The second has the pairs that are
   composed, "@MARK FIRST:COMPOSED ...".  Hangul is composed by arithmetic. */
/* Unicode 15.0: made by tools/dev/unicode_nfc. */
static const char *const slm__nfc_classes[] = {
    "@FF 340-341 343-344 374 37E 387 958-95F 9DC-9DD 9DF A33 A36 A59-A5B A5E B5C-B5D F43 F4D F52",
    "F57 F5C F69 F73 F75-F76 F78 F81 F93 F9D FA2 FA7 FAC FB9 1F71 1F73 1F75 1F77 1F79 1F7B 1F7D",
    "1FBB 1FBE 1FC9 1FCB 1FD3 1FDB 1FE3 1FEB 1FEE-1FEF 1FF9 1FFB 1FFD 2000-2001 2126 212A-212B",
    "2329-232A 2ADC F900-FA0D FA10 FA12 FA15-FA1E FA20 FA22 FA25-FA26 FA2A-FA6D FA70-FAD9 FB1D",
    "FB1F FB2A-FB36 FB38-FB3C FB3E FB40-FB41 FB43-FB44 FB46-FB4E 1D15E-1D164 1D1BB-1D1C0",
    "2F800-2FA1D @E6 300-314 33D-344 346 34A-34C 350-352 357 35B 363-36F 483-487 592-595 597-599",
    "59C-5A1 5A8-5A9 5AB-5AC 5AF 5C4 610-617 653-654 657-65B 65D-65E 6D6-6DC 6DF-6E2 6E4 6E7-6E8",
    "6EB-6EC 730 732-733 735-736 73A 73D 73F-741 743 745 747 749-74A 7EB-7F1 7F3 816-819 81B-823",
    "825-827 829-82D 898 89C-89F 8CA-8CE 8D4-8E1 8E4-8E5 8E7-8E8 8EA-8EC 8F3-8F5 8F7-8F8 8FB-8FF",
    "951 953-954 9FE F82-F83 F86-F87 135D-135F 17DD 193A 1A17 1A75-1A7C 1AB0-1AB4 1ABB-1ABC",
    "1AC1-1AC2 1AC5-1AC9 1ACB-1ACE 1B6B 1B6D-1B73 1CD0-1CD2 1CDA-1CDB 1CE0 1CF4 1CF8-1CF9",
    "1DC0-1DC1 1DC3-1DC9 1DCB-1DCC 1DD1-1DF5 1DFB 1DFE 20D0-20D1 20D4-20D7 20DB-20DC 20E1 20E7",
    "20E9 20F0 2CEF-2CF1 2DE0-2DFF A66F A674-A67D A69E-A69F A6F0-A6F1 A8E0-A8F1 AAB0 AAB2-AAB3",
    "AAB7-AAB8 AABE-AABF AAC1 FE20-FE26 FE2E-FE2F 10376-1037A 10A0F 10A38 10AE5 10D24-10D27",
    "10EAB-10EAC 10F48-10F4A 10F4C 10F82 10F84 11100-11102 11366-1136C 11370-11374 1145E",
    "16B30-16B36 1D185-1D189 1D1AA-1D1AD 1D242-1D244 1E000-1E006 1E008-1E018 1E01B-1E021",
    "1E023-1E024 1E026-1E02A 1E08F 1E130-1E136 1E2AE 1E2EC-1E2EF 1E4EF 1E944-1E949 @E8 315 31A",
    "358 1DF6 302C 1E4EC-1E4ED @DC 316-319 31C-320 323-326 329-333 339-33C 347-349 34D-34E",
    "353-356 359-35A 591 596 59B 5A2-5A7 5AA 5C5 655-656 65C 65F 6E3 6EA 6ED 731 734 737-739",
    "73B-73C 73E 742 744 746 748 7F2 7FD 859-85B 899-89B 8CF-8D3 8E3 8E6 8E9 8ED-8EF 8F6 8F9-8FA",
    "952 F18-F19 F35 F37 FC6 108D 193B 1A18 1A7F 1AB5-1ABA 1ABD 1ABF-1AC0 1AC3-1AC4 1ACA 1B6C",
    "1CD5-1CD9 1CDC-1CDF 1CED 1DC2 1DCA 1DCF 1DF9 1DFD 1DFF 20E8 20EC-20EF A92B-A92D AAB4",
    "FE27-FE2D 101FD 102E0 10A0D 10A3A 10AE6 10EFD-10EFF 10F46-10F47 10F4B 10F4D-10F50 10F83",
    "10F85 1D17B-1D182 1D18A-1D18B 1E4EE 1E8D0-1E8D6 @D8 31B F39 1D165-1D166 1D16E-1D172 @CA",
    "321-322 327-328 1DD0 @1 334-338 1CD4 1CE2-1CE8 20D2-20D3 20D8-20DA 20E5-20E6 20EA-20EB 10A39",
    "16AF0-16AF4 1BC9E 1D167-1D169 @F0 345 @E9 35C 35F 362 1DFC @EA 35D-35E 360-361 1DCD @DE 59A",
    "5AD 1939 302D @E4 5AE 18A9 1DF7-1DF8 302B @A 5B0 @B 5B1 @C 5B2 @D 5B3 @E 5B4 @F 5B5 @10 5B6",
    "@11 5B7 @12 5B8 5C7 @13 5B9-5BA @14 5BB @15 5BC @16 5BD @17 5BF @18 5C1 @19 5C2 @1E 618 64E",
    "@1F 619 64F @20 61A 650 @1B 64B 8F0 @1C 64C 8F1 @1D 64D 8F2 @21 651 @22 652 @23 670 @24 711",
    "@7 93C 9BC A3C ABC B3C C3C CBC 1037 1B34 1BE6 1C37 A9B3 110BA 11173 111CA 11236 112E9",
    "1133B-1133C 11446 114C3 115C0 116B7 1183A 11943 11D42 1E94A @9 94D 9CD A4D ACD B4D BCD C4D",
    "CCD D3B-D3C D4D DCA E3A EBA F84 1039-103A 1714-1715 1734 17D2 1A60 1B44 1BAA-1BAB 1BF2-1BF3",
    "2D7F A806 A82C A8C4 A953 A9C0 AAF6 ABED 10A3F 11046 11070 1107F 110B9 11133-11134 111C0",
    "11235 112EA 1134D 11442 114C2 115BF 1163F 116B6 1172B 11839 1193D-1193E 119E0 11A34 11A47",
    "11A99 11C3F 11D44-11D45 11D97 11F41-11F42 @54 C55 @5B C56 @67 E38-E39 @6B E48-E4B @76",
    "EB8-EB9 @7A EC8-ECB @81 F71 @82 F72 F7A-F7D F80 @84 F74 @D6 1DCE @DA 1DFA 302A @E0 302E-302F",
    "@8 3099-309A @1A FB1E @6 16FF0-16FF1 @E2 1D16D"};

static const char *const slm__nfc_pairs[] = {
    "@300 41:C0 45:C8 49:CC 4F:D2 55:D9 61:E0 65:E8 69:EC 6F:F2 75:F9 DC:1DB FC:1DC 4E:1F8 6E:1F9",
    "415:400 418:40D 435:450 438:45D 112:1E14 113:1E15 14C:1E50 14D:1E51 57:1E80 77:1E81 C2:1EA6",
    "E2:1EA7 102:1EB0 103:1EB1 CA:1EC0 EA:1EC1 D4:1ED2 F4:1ED3 1A0:1EDC 1A1:1EDD 1AF:1EEA",
    "1B0:1EEB 59:1EF2 79:1EF3 1F00:1F02 1F01:1F03 1F08:1F0A 1F09:1F0B 1F10:1F12 1F11:1F13",
    "1F18:1F1A 1F19:1F1B 1F20:1F22 1F21:1F23 1F28:1F2A 1F29:1F2B 1F30:1F32 1F31:1F33 1F38:1F3A",
    "1F39:1F3B 1F40:1F42 1F41:1F43 1F48:1F4A 1F49:1F4B 1F50:1F52 1F51:1F53 1F59:1F5B 1F60:1F62",
    "1F61:1F63 1F68:1F6A 1F69:1F6B 3B1:1F70 3B5:1F72 3B7:1F74 3B9:1F76 3BF:1F78 3C5:1F7A 3C9:1F7C",
    "391:1FBA 395:1FC8 397:1FCA 1FBF:1FCD 3CA:1FD2 399:1FDA 1FFE:1FDD 3CB:1FE2 3A5:1FEA A8:1FED",
    "39F:1FF8 3A9:1FFA @301 41:C1 45:C9 49:CD 4F:D3 55:DA 59:DD 61:E1 65:E9 69:ED 6F:F3 75:FA",
    "79:FD 43:106 63:107 4C:139 6C:13A 4E:143 6E:144 52:154 72:155 53:15A 73:15B 5A:179 7A:17A",
    "DC:1D7 FC:1D8 47:1F4 67:1F5 C5:1FA E5:1FB C6:1FC E6:1FD D8:1FE F8:1FF A8:385 391:386 395:388",
    "397:389 399:38A 39F:38C 3A5:38E 3A9:38F 3CA:390 3B1:3AC 3B5:3AD 3B7:3AE 3B9:3AF 3CB:3B0",
    "3BF:3CC 3C5:3CD 3C9:3CE 3D2:3D3 413:403 41A:40C 433:453 43A:45C C7:1E08 E7:1E09 112:1E16",
    "113:1E17 CF:1E2E EF:1E2F 4B:1E30 6B:1E31 4D:1E3E 6D:1E3F D5:1E4C F5:1E4D 14C:1E52 14D:1E53",
    "50:1E54 70:1E55 168:1E78 169:1E79 57:1E82 77:1E83 C2:1EA4 E2:1EA5 102:1EAE 103:1EAF CA:1EBE",
    "EA:1EBF D4:1ED0 F4:1ED1 1A0:1EDA 1A1:1EDB 1AF:1EE8 1B0:1EE9 1F00:1F04 1F01:1F05 1F08:1F0C",
    "1F09:1F0D 1F10:1F14 1F11:1F15 1F18:1F1C 1F19:1F1D 1F20:1F24 1F21:1F25 1F28:1F2C 1F29:1F2D",
    "1F30:1F34 1F31:1F35 1F38:1F3C 1F39:1F3D 1F40:1F44 1F41:1F45 1F48:1F4C 1F49:1F4D 1F50:1F54",
    "1F51:1F55 1F59:1F5D 1F60:1F64 1F61:1F65 1F68:1F6C 1F69:1F6D 1FBF:1FCE 1FFE:1FDE @302 41:C2",
    "45:CA 49:CE 4F:D4 55:DB 61:E2 65:EA 69:EE 6F:F4 75:FB 43:108 63:109 47:11C 67:11D 48:124",
    "68:125 4A:134 6A:135 53:15C 73:15D 57:174 77:175 59:176 79:177 5A:1E90 7A:1E91 1EA0:1EAC",
    "1EA1:1EAD 1EB8:1EC6 1EB9:1EC7 1ECC:1ED8 1ECD:1ED9 @303 41:C3 4E:D1 4F:D5 61:E3 6E:F1 6F:F5",
    "49:128 69:129 55:168 75:169 56:1E7C 76:1E7D C2:1EAA E2:1EAB 102:1EB4 103:1EB5 45:1EBC",
    "65:1EBD CA:1EC4 EA:1EC5 D4:1ED6 F4:1ED7 1A0:1EE0 1A1:1EE1 1AF:1EEE 1B0:1EEF 59:1EF8 79:1EF9",
    "@308 41:C4 45:CB 49:CF 4F:D6 55:DC 61:E4 65:EB 69:EF 6F:F6 75:FC 79:FF 59:178 399:3AA",
    "3A5:3AB 3B9:3CA 3C5:3CB 3D2:3D4 415:401 406:407 435:451 456:457 410:4D2 430:4D3 4D8:4DA",
    "4D9:4DB 416:4DC 436:4DD 417:4DE 437:4DF 418:4E4 438:4E5 41E:4E6 43E:4E7 4E8:4EA 4E9:4EB",
    "42D:4EC 44D:4ED 423:4F0 443:4F1 427:4F4 447:4F5 42B:4F8 44B:4F9 48:1E26 68:1E27 D5:1E4E",
    "F5:1E4F 16A:1E7A 16B:1E7B 57:1E84 77:1E85 58:1E8C 78:1E8D 74:1E97 @30A 41:C5 61:E5 55:16E",
    "75:16F 77:1E98 79:1E99 @327 43:C7 63:E7 47:122 67:123 4B:136 6B:137 4C:13B 6C:13C 4E:145",
    "6E:146 52:156 72:157 53:15E 73:15F 54:162 74:163 45:228 65:229 44:1E10 64:1E11 48:1E28",
    "68:1E29 @304 41:100 61:101 45:112 65:113 49:12A 69:12B 4F:14C 6F:14D 55:16A 75:16B DC:1D5",
    "FC:1D6 C4:1DE E4:1DF 226:1E0 227:1E1 C6:1E2 E6:1E3 1EA:1EC 1EB:1ED D6:22A F6:22B D5:22C",
    "F5:22D 22E:230 22F:231 59:232 79:233 418:4E2 438:4E3 423:4EE 443:4EF 47:1E20 67:1E21",
    "1E36:1E38 1E37:1E39 1E5A:1E5C 1E5B:1E5D 3B1:1FB1 391:1FB9 3B9:1FD1 399:1FD9 3C5:1FE1",
    "3A5:1FE9 @306 41:102 61:103 45:114 65:115 47:11E 67:11F 49:12C 69:12D 4F:14E 6F:14F 55:16C",
    "75:16D 423:40E 418:419 438:439 443:45E 416:4C1 436:4C2 410:4D0 430:4D1 415:4D6 435:4D7",
    "228:1E1C 229:1E1D 1EA0:1EB6 1EA1:1EB7 3B1:1FB0 391:1FB8 3B9:1FD0 399:1FD8 3C5:1FE0 3A5:1FE8",
    "@328 41:104 61:105 45:118 65:119 49:12E 69:12F 55:172 75:173 4F:1EA 6F:1EB @307 43:10A",
    "63:10B 45:116 65:117 47:120 67:121 49:130 5A:17B 7A:17C 41:226 61:227 4F:22E 6F:22F 42:1E02",
    "62:1E03 44:1E0A 64:1E0B 46:1E1E 66:1E1F 48:1E22 68:1E23 4D:1E40 6D:1E41 4E:1E44 6E:1E45",
    "50:1E56 70:1E57 52:1E58 72:1E59 53:1E60 73:1E61 15A:1E64 15B:1E65 160:1E66 161:1E67",
    "1E62:1E68 1E63:1E69 54:1E6A 74:1E6B 57:1E86 77:1E87 58:1E8A 78:1E8B 59:1E8E 79:1E8F 17F:1E9B",
    "@30C 43:10C 63:10D 44:10E 64:10F 45:11A 65:11B 4C:13D 6C:13E 4E:147 6E:148 52:158 72:159",
    "53:160 73:161 54:164 74:165 5A:17D 7A:17E 41:1CD 61:1CE 49:1CF 69:1D0 4F:1D1 6F:1D2 55:1D3",
    "75:1D4 DC:1D9 FC:1DA 47:1E6 67:1E7 4B:1E8 6B:1E9 1B7:1EE 292:1EF 6A:1F0 48:21E 68:21F @30B",
    "4F:150 6F:151 55:170 75:171 423:4F2 443:4F3 @31B 4F:1A0 6F:1A1 55:1AF 75:1B0 @30F 41:200",
    "61:201 45:204 65:205 49:208 69:209 4F:20C 6F:20D 52:210 72:211 55:214 75:215 474:476 475:477",
    "@311 41:202 61:203 45:206 65:207 49:20A 69:20B 4F:20E 6F:20F 52:212 72:213 55:216 75:217",
    "@326 53:218 73:219 54:21A 74:21B @653 627:622 @654 627:623 648:624 64A:626 6D5:6C0 6C1:6C2",
    "6D2:6D3 @655 627:625 @93C 928:929 930:931 933:934 @9BE 9C7:9CB @9D7 9C7:9CC @B56 B47:B48",
    "@B3E B47:B4B @B57 B47:B4C @BD7 B92:B94 BC6:BCC @BBE BC6:BCA BC7:BCB @C56 C46:C48 @CD5",
    "CBF:CC0 CC6:CC7 CCA:CCB @CD6 CC6:CC8 @CC2 CC6:CCA @D3E D46:D4A D47:D4B @D57 D46:D4C @DCA",
    "DD9:DDA DDC:DDD @DCF DD9:DDC @DDF DD9:DDE @102E 1025:1026 @1B35 1B05:1B06 1B07:1B08",
    "1B09:1B0A 1B0B:1B0C 1B0D:1B0E 1B11:1B12 1B3A:1B3B 1B3C:1B3D 1B3E:1B40 1B3F:1B41 1B42:1B43",
    "@325 41:1E00 61:1E01 @323 42:1E04 62:1E05 44:1E0C 64:1E0D 48:1E24 68:1E25 4B:1E32 6B:1E33",
    "4C:1E36 6C:1E37 4D:1E42 6D:1E43 4E:1E46 6E:1E47 52:1E5A 72:1E5B 53:1E62 73:1E63 54:1E6C",
    "74:1E6D 56:1E7E 76:1E7F 57:1E88 77:1E89 5A:1E92 7A:1E93 41:1EA0 61:1EA1 45:1EB8 65:1EB9",
    "49:1ECA 69:1ECB 4F:1ECC 6F:1ECD 1A0:1EE2 1A1:1EE3 55:1EE4 75:1EE5 1AF:1EF0 1B0:1EF1 59:1EF4",
    "79:1EF5 @331 42:1E06 62:1E07 44:1E0E 64:1E0F 4B:1E34 6B:1E35 4C:1E3A 6C:1E3B 4E:1E48 6E:1E49",
    "52:1E5E 72:1E5F 54:1E6E 74:1E6F 5A:1E94 7A:1E95 68:1E96 @32D 44:1E12 64:1E13 45:1E18 65:1E19",
    "4C:1E3C 6C:1E3D 4E:1E4A 6E:1E4B 54:1E70 74:1E71 55:1E76 75:1E77 @330 45:1E1A 65:1E1B 49:1E2C",
    "69:1E2D 55:1E74 75:1E75 @32E 48:1E2A 68:1E2B @324 55:1E72 75:1E73 @309 41:1EA2 61:1EA3",
    "C2:1EA8 E2:1EA9 102:1EB2 103:1EB3 45:1EBA 65:1EBB CA:1EC2 EA:1EC3 49:1EC8 69:1EC9 4F:1ECE",
    "6F:1ECF D4:1ED4 F4:1ED5 1A0:1EDE 1A1:1EDF 55:1EE6 75:1EE7 1AF:1EEC 1B0:1EED 59:1EF6 79:1EF7",
    "@313 3B1:1F00 391:1F08 3B5:1F10 395:1F18 3B7:1F20 397:1F28 3B9:1F30 399:1F38 3BF:1F40",
    "39F:1F48 3C5:1F50 3C9:1F60 3A9:1F68 3C1:1FE4 @314 3B1:1F01 391:1F09 3B5:1F11 395:1F19",
    "3B7:1F21 397:1F29 3B9:1F31 399:1F39 3BF:1F41 39F:1F49 3C5:1F51 3A5:1F59 3C9:1F61 3A9:1F69",
    "3C1:1FE5 3A1:1FEC @342 1F00:1F06 1F01:1F07 1F08:1F0E 1F09:1F0F 1F20:1F26 1F21:1F27 1F28:1F2E",
    "1F29:1F2F 1F30:1F36 1F31:1F37 1F38:1F3E 1F39:1F3F 1F50:1F56 1F51:1F57 1F59:1F5F 1F60:1F66",
    "1F61:1F67 1F68:1F6E 1F69:1F6F 3B1:1FB6 A8:1FC1 3B7:1FC6 1FBF:1FCF 3B9:1FD6 3CA:1FD7",
    "1FFE:1FDF 3C5:1FE6 3CB:1FE7 3C9:1FF6 @345 1F00:1F80 1F01:1F81 1F02:1F82 1F03:1F83 1F04:1F84",
    "1F05:1F85 1F06:1F86 1F07:1F87 1F08:1F88 1F09:1F89 1F0A:1F8A 1F0B:1F8B 1F0C:1F8C 1F0D:1F8D",
    "1F0E:1F8E 1F0F:1F8F 1F20:1F90 1F21:1F91 1F22:1F92 1F23:1F93 1F24:1F94 1F25:1F95 1F26:1F96",
    "1F27:1F97 1F28:1F98 1F29:1F99 1F2A:1F9A 1F2B:1F9B 1F2C:1F9C 1F2D:1F9D 1F2E:1F9E 1F2F:1F9F",
    "1F60:1FA0 1F61:1FA1 1F62:1FA2 1F63:1FA3 1F64:1FA4 1F65:1FA5 1F66:1FA6 1F67:1FA7 1F68:1FA8",
    "1F69:1FA9 1F6A:1FAA 1F6B:1FAB 1F6C:1FAC 1F6D:1FAD 1F6E:1FAE 1F6F:1FAF 1F70:1FB2 3B1:1FB3",
    "3AC:1FB4 1FB6:1FB7 391:1FBC 1F74:1FC2 3B7:1FC3 3AE:1FC4 1FC6:1FC7 397:1FCC 1F7C:1FF2",
    "3C9:1FF3 3CE:1FF4 1FF6:1FF7 3A9:1FFC @338 2190:219A 2192:219B 2194:21AE 21D0:21CD 21D4:21CE",
    "21D2:21CF 2203:2204 2208:2209 220B:220C 2223:2224 2225:2226 223C:2241 2243:2244 2245:2247",
    "2248:2249 3D:2260 2261:2262 224D:226D 3C:226E 3E:226F 2264:2270 2265:2271 2272:2274",
    "2273:2275 2276:2278 2277:2279 227A:2280 227B:2281 2282:2284 2283:2285 2286:2288 2287:2289",
    "22A2:22AC 22A8:22AD 22A9:22AE 22AB:22AF 227C:22E0 227D:22E1 2291:22E2 2292:22E3 22B2:22EA",
    "22B3:22EB 22B4:22EC 22B5:22ED @3099 304B:304C 304D:304E 304F:3050 3051:3052 3053:3054",
    "3055:3056 3057:3058 3059:305A 305B:305C 305D:305E 305F:3060 3061:3062 3064:3065 3066:3067",
    "3068:3069 306F:3070 3072:3073 3075:3076 3078:3079 307B:307C 3046:3094 309D:309E 30AB:30AC",
    "30AD:30AE 30AF:30B0 30B1:30B2 30B3:30B4 30B5:30B6 30B7:30B8 30B9:30BA 30BB:30BC 30BD:30BE",
    "30BF:30C0 30C1:30C2 30C4:30C5 30C6:30C7 30C8:30C9 30CF:30D0 30D2:30D3 30D5:30D6 30D8:30D9",
    "30DB:30DC 30A6:30F4 30EF:30F7 30F0:30F8 30F1:30F9 30F2:30FA 30FD:30FE @309A 306F:3071",
    "3072:3074 3075:3077 3078:307A 307B:307D 30CF:30D1 30D2:30D4 30D5:30D7 30D8:30DA 30DB:30DD",
    "@110BA 11099:1109A 1109B:1109C 110A5:110AB @11127 11131:1112E 11132:1112F @1133E 11347:1134B",
    "@11357 11347:1134C @114BA 114B9:114BB @114B0 114B9:114BC @114BD 114B9:114BE @115AF",
    "115B8:115BA 115B9:115BB @11930 11935:11938"};

enum {
    SLM__NFC_EXCLUDED = 0xFF, /* a class: see above */
    SLM__NFC_MARKS = 64,      /* on one character, at most; Unicode's Stream-Safe Format has 30 */
    SLM__NFC_FIRST = 0x300    /* no code point below it has a class, or is a second of a pair */
};

typedef struct slm__nfc {
    slm__map classes;    /* code point -> combining class, where it is not 0 */
    slm__map compose;    /* first << 32 | second -> composed */
    slm__map decompose;  /* composed -> first << 32 | second */
} slm__nfc;

static void slm__nfc_free(slm__nfc *nfc) {
    if (nfc == NULL) return;
    slm__release(nfc->classes.slots);
    slm__release(nfc->compose.slots);
    slm__release(nfc->decompose.slots);
    slm__release(nfc);
}

/* One word of a table, under the key of the last '@': FIRST, FIRST-LAST or FIRST:COMPOSED. */
static slm_status slm__nfc_add(slm__nfc *nfc, long key, long first, char sign, long second,
                               slm_error *err) {
    uint64_t pair = (uint64_t)first << 32 | (uint64_t)key;
    int failed = 0;

    if (sign == ':') {
        failed |= slm__map_add(&nfc->compose, pair, second, err) == NULL;
        failed |= slm__map_add(&nfc->decompose, (uint64_t)second, (int64_t)pair, err) == NULL;
        return failed ? SLM_ERR_MEMORY : SLM_OK;
    }
    for (long c = first; c <= second; c++)
        failed |= slm__map_add(&nfc->classes, (uint64_t)c, key, err) == NULL;
    return failed ? SLM_ERR_MEMORY : SLM_OK;
}

static slm_status slm__nfc_read(slm__nfc *nfc, const char *const *lines, size_t n,
                                slm_error *err) {
    slm_status status = SLM_OK;
    long key = 0;

    for (size_t i = 0; i < n; i++) {
        char *next;
        for (const char *p = lines[i]; *p != 0 && status == SLM_OK; p = next) {
            int is_key = *p == '@';
            long first = strtol(is_key ? p + 1 : p, &next, 16);
            char sign = *next;
            long second = first;
            if (sign == '-' || sign == ':') second = strtol(next + 1, &next, 16);
            if (is_key)
                key = first;
            else
                status = slm__nfc_add(nfc, key, first, sign, second, err);
            while (*next == ' ')
                next++;
        }
    }
    return status;
}

/* For tokenizers that are read from a file.  Returns NULL if there is no memory. */
static SLM__MAYBE_UNUSED slm__nfc *slm__nfc_new(slm_error *err) {
    slm__nfc *nfc = (slm__nfc *)slm__alloc(1, sizeof *nfc, err);
    slm_status status = SLM_ERR_MEMORY;

    if (nfc != NULL)
        status = slm__nfc_read(nfc, slm__nfc_classes, SLM__COUNT(slm__nfc_classes), err);
    if (status == SLM_OK)
        status = slm__nfc_read(nfc, slm__nfc_pairs, SLM__COUNT(slm__nfc_pairs), err);
    if (status == SLM_OK) return nfc;
    slm__nfc_free(nfc);
    return NULL;
}

static int slm__nfc_class(const slm__nfc *nfc, int32_t c) {
    int64_t found = c < SLM__NFC_FIRST ? -1 : slm__map_get(&nfc->classes, (uint64_t)c);

    return found < 0 ? 0 : (int)found;
}

/* The character that two are composed to, or -1.  Hangul: 19 leading consonants, 21 vowels and 27
   trailing consonants; a syllable is 0xAC00 + (leading * 21 + vowel) * 28 + trailing, with 0 for
   none. */
static int32_t slm__nfc_compose(const slm__nfc *nfc, int32_t first, int32_t second) {
    int32_t leading = first - 0x1100;
    int32_t vowel = second - 0x1161;
    int32_t syllable = first - 0xAC00;
    int32_t trailing = second - 0x11A7;

    if (first < 0 || second < SLM__NFC_FIRST) return -1;
    if (leading >= 0 && leading < 19 && vowel >= 0 && vowel < 21)
        return 0xAC00 + (leading * 21 + vowel) * 28;
    if (syllable >= 0 && syllable < 11172 && syllable % 28 == 0 && trailing > 0 && trailing < 28)
        return first + trailing;
    return (int32_t)slm__map_get(&nfc->compose, (uint64_t)first << 32 | (uint64_t)second);
}

/* Whether NFC leaves the character c, or none if it is -1, and the n marks after it as they are.
   All is taken apart, put in order and composed, and then compared. */
static int slm__nfc_keeps(const slm__nfc *nfc, int32_t c, const int32_t *marks, size_t n) {
    int32_t all[SLM__NFC_MARKS + 8]; /* no character is taken apart in more than 4 */
    int32_t composed = c;
    size_t n_all = 0;
    size_t n_left = 0;
    int64_t pair;

    pair = c < 0 ? -1 : slm__map_get(&nfc->decompose, (uint64_t)c);
    while (pair >= 0) {
        memmove(all + 1, all, n_all * sizeof *all);
        all[0] = (int32_t)(pair & INT32_MAX);
        n_all++;
        composed = (int32_t)(pair >> 32);
        pair = slm__map_get(&nfc->decompose, (uint64_t)composed);
    }
    for (size_t i = 0; i < n; i++) { /* into its place: behind marks of the same class */
        size_t place = n_all++;
        while (place > 0 && slm__nfc_class(nfc, all[place - 1]) > slm__nfc_class(nfc, marks[i])) {
            all[place] = all[place - 1];
            place--;
        }
        all[place] = marks[i];
    }
    for (size_t i = 0; i < n_all; i++) { /* a mark of the same class before it blocks a mark */
        int blocked = n_left > 0 && slm__nfc_class(nfc, all[n_left - 1]) >=
                                        slm__nfc_class(nfc, all[i]);
        int32_t both = blocked ? -1 : slm__nfc_compose(nfc, composed, all[i]);
        if (both >= 0)
            composed = both;
        else
            all[n_left++] = all[i];
    }
    return composed == c && n_left == n && (n == 0 || memcmp(all, marks, n * sizeof *all) == 0);
}

/* Where the first character begins that NFC would change, or n if there is none.  A character is a
   code point of class 0 and the marks after it. */
static size_t slm__nfc_check(const slm__nfc *nfc, const char *s, size_t n) {
    const char *end = s + n;
    const char *begin = s; /* of the character; c and marks are what it is made of so far */
    int32_t marks[SLM__NFC_MARKS];
    int32_t c = -1;
    size_t n_marks = 0;
    size_t size;

    for (const char *p = s; p < end; p += size) {
        int32_t next = slm__utf8(p, end, &size);
        int next_class = slm__nfc_class(nfc, next);

        if (next_class == SLM__NFC_EXCLUDED) return (size_t)(p - s);
        if (next_class > 0) {
            if (n_marks == SLM__NFC_MARKS) return (size_t)(begin - s);
            marks[n_marks++] = next;
            continue;
        }
        if (n_marks > 0 && !slm__nfc_keeps(nfc, c, marks, n_marks)) return (size_t)(begin - s);
        if (n_marks == 0 && slm__nfc_compose(nfc, c, next) >= 0) return (size_t)(begin - s);
        n_marks = 0;
        begin = p;
        c = next;
    }
    if (n_marks > 0 && !slm__nfc_keeps(nfc, c, marks, n_marks)) return (size_t)(begin - s);
    return n;
}

/* ---- the tokenizer ---- */
#define SLM__ITEMS(type, buffer) ((type *)(void *)(buffer).data) /* a buffer that holds an array */
#define SLM__N_ITEMS(type, buffer) ((buffer).size / sizeof(type))

/* Kinds of tokens.  The text is searched for all exact ones first, then for the normalized ones. */
enum {
    SLM__NOT_ADDED,       /* made by merges, or a byte */
    SLM__ADDED_EXACT,     /* "normalized": false in tokenizer.json */
    SLM__ADDED_NORMALIZED /* "normalized": true; without a normalizer, it is found as it is */
};

typedef struct slm__token_entry {
    size_t offset; /* of its bytes */
    size_t size;
    int32_t added;   /* SLM__NOT_ADDED, ... */
    int32_t special; /* 1: marked so in tokenizer.json; kept for saving, it changes nothing */
} slm__token_entry;

/* An added token, as texts are searched for it. */
typedef struct slm__added_token {
    const char *bytes; /* (size), within the tokenizer's bytes */
    size_t size;
    int32_t id;
    int32_t prefix; /* index of the longest other one with which this one begins; -1: none */
} slm__added_token;

/* Tokens a and b, side by side, become token id. */
typedef struct slm__merge {
    int32_t a, b, id;
} slm__merge;

/* Where a space is put before a text.  Text between added tokens is a text of its own here. */
enum {
    SLM__PREFIX_NONE,
    SLM__PREFIX_UNLESS_SPACE, /* before a text that does not begin with one */
    SLM__PREFIX_FIRST,        /* the same, but not behind an added token */
    SLM__PREFIX_ALWAYS        /* before every text, and before normalized tokens are looked for */
};

#define SLM__NO_CHAR (-1) /* a byte that is not UTF-8 */
#define SLM__ASCII 128    /* characters below it have tables */

/* What the second kind of tokenizer has.  In its file a space is U+2581.  Here both are the byte
   ' ' in every text and token, once the file is loaded; so texts need not be rewritten. */
typedef struct slm__characters {
    int32_t ascii_id[SLM__ASCII];                /* the token of a character; -1: none */
    slm__map id;                                 /* the same, of all characters */
    uint8_t ascii_joined[SLM__ASCII][SLM__ASCII]; /* [x][y] is 1: a merge can join x and y */
    slm__map joined;                             /* slm__pair_key(x, y) of all such pairs */
    slm__buffer searched;                        /* added tokens as they are looked for */
    int32_t unknown;  /* the token of what has no other; -1: none */
    int fuse_unknown; /* 1: unknown ones side by side are one token */
    int byte_fallback;
    int split_spaces; /* 1: every space begins a piece */
    int cut;          /* 1: a text may be cut where no merge joins */
    int decode_bytes; /* 1: <0x41> is decoded as A */
    int strip_space;  /* 1: decoding takes a space from the beginning */
} slm__characters;

struct slm_tokenizer {
    slm__buffer bytes;   /* of all tokens */
    slm__buffer entries; /* slm__token_entry, by id; offsets into bytes */
    slm__buffer merges;  /* slm__merge, by rank */
    slm__buffer added;   /* int32_t: the ids of the added tokens, in the file's order */
    /* slm__added_token: those of one kind, sorted by their bytes. */
    slm__buffer sorted_added[SLM__ADDED_NORMALIZED + 1];
    uint8_t begins_added[256]; /* 1: an added token begins with this byte */
    slm__map ids;        /* hash of the bytes -> id; without the tokens that are only added */
    slm__map ranks;      /* slm__pair_key of a merge -> its rank */
    int32_t byte_id[256]; /* -1: no token for this byte */
    uint8_t classes[SLM__CLASSES_END];
    uint64_t hash;
    slm__buffer source;   /* the text of its tokenizer.json; empty if it was not read from one */
    int lacks_bytes;      /* 1: a byte_id is -1 */
    int32_t prefix_space; /* SLM__PREFIX_NONE, ... */
    int32_t split;        /* slm__split: how the text is cut into pieces */
    int ignore_merges;    /* 1: a piece that is a token is not merged from its bytes */
    slm__characters *characters; /* NULL: the symbols are bytes */
    slm__nfc *nfc;               /* texts must be in NFC; NULL: they need not */
};

static void slm__characters_free(slm__characters *c) {
    if (c == NULL) return;
    slm__release(c->id.slots);
    slm__release(c->joined.slots);
    slm__release(c->searched.data);
    slm__release(c);
}

SLM_API void slm_tokenizer_free(slm_tokenizer *tokenizer) {
    if (tokenizer == NULL) return;
    slm__release(tokenizer->bytes.data);
    slm__release(tokenizer->entries.data);
    slm__release(tokenizer->merges.data);
    slm__release(tokenizer->added.data);
    slm__release(tokenizer->sorted_added[SLM__ADDED_EXACT].data);
    slm__release(tokenizer->sorted_added[SLM__ADDED_NORMALIZED].data);
    slm__release(tokenizer->ids.slots);
    slm__release(tokenizer->ranks.slots);
    slm__characters_free(tokenizer->characters);
    slm__release(tokenizer->source.data);
    slm__nfc_free(tokenizer->nfc);
    slm__release(tokenizer);
}

/* A tokenizer without tokens, to be completed by slm__tokenizer_end.  Returns NULL if there is no
   memory. */
static slm_tokenizer *slm__tokenizer_new(slm_error *err) {
    slm_tokenizer *t = (slm_tokenizer *)slm__alloc(1, sizeof *t, err);

    if (t == NULL) return NULL;
    slm__classes_fill(t->classes);
    t->split = SLM__SPLIT_GPT2;
    return t;
}

SLM_API int32_t slm_tokenizer_vocab(const slm_tokenizer *tokenizer) {
    return (int32_t)SLM__N_ITEMS(slm__token_entry, tokenizer->entries);
}

SLM_API uint64_t slm_tokenizer_hash(const slm_tokenizer *tokenizer) {
    return tokenizer->hash;
}

SLM_API const char *slm_tokenizer_token(size_t *size, const slm_tokenizer *tokenizer, int32_t id) {
    const slm__token_entry *entry;

    if (size != NULL) *size = 0;
    if (id < 0 || id >= slm_tokenizer_vocab(tokenizer)) return NULL;
    entry = SLM__ITEMS(const slm__token_entry, tokenizer->entries) + id;
    if (entry->size == 0) return NULL; /* a gap */
    if (size != NULL) *size = entry->size;
    return tokenizer->bytes.data + entry->offset;
}

SLM_API slm_token_kind slm_tokenizer_token_kind(const slm_tokenizer *tokenizer, int32_t id) {
    const slm__token_entry *entry;

    if (id < 0 || id >= slm_tokenizer_vocab(tokenizer)) return SLM_TOKEN_NORMAL;
    entry = SLM__ITEMS(const slm__token_entry, tokenizer->entries) + id;
    if (entry->added == SLM__NOT_ADDED && tokenizer->characters != NULL && entry->size == 1) {
        unsigned byte = (unsigned char)tokenizer->bytes.data[entry->offset];
        return tokenizer->byte_id[byte] == id ? SLM_TOKEN_BYTE : SLM_TOKEN_NORMAL;
    }
    if (entry->added == SLM__NOT_ADDED) return SLM_TOKEN_NORMAL;
    return entry->special ? SLM_TOKEN_SPECIAL : SLM_TOKEN_ADDED;
}

SLM_API int32_t slm_tokenizer_find_added(const slm_tokenizer *tokenizer, const char *text) {
    const int32_t *ids = SLM__ITEMS(const int32_t, tokenizer->added);
    size_t n = SLM__N_ITEMS(int32_t, tokenizer->added);

    for (size_t i = 0; i < n; i++) {
        size_t size = 0;
        const char *bytes = slm_tokenizer_token(&size, tokenizer, ids[i]);

        if (size == strlen(text) && memcmp(bytes, text, size) == 0) return ids[i];
    }
    return -1;
}

SLM_API slm_tokenizer_info slm_tokenizer_describe(const slm_tokenizer *tokenizer) {
    static const char *const families[] = {"none", "gpt2", "digits", "llama3", "qwen2"};
    slm_tokenizer_info info;

    info.family = families[tokenizer->split]; /* in the order of slm__split */
    info.unknown = tokenizer->characters != NULL ? tokenizer->characters->unknown : -1;
    if (tokenizer->characters != NULL)
        info.family = tokenizer->prefix_space == SLM__PREFIX_ALWAYS ? "llama" : "metaspace";
    info.split_spaces = tokenizer->characters != NULL && tokenizer->characters->split_spaces;
    info.prefix_space = tokenizer->prefix_space != SLM__PREFIX_NONE;
    info.ignore_merges = tokenizer->ignore_merges;
    info.n_merges = SLM__N_ITEMS(slm__merge, tokenizer->merges);
    return info;
}

SLM_API void slm_tokenizer_merge(int32_t *left, int32_t *right, const slm_tokenizer *tokenizer,
                                 size_t rank) {
    const slm__merge *merge = SLM__ITEMS(const slm__merge, tokenizer->merges) + rank;

    *left = merge->a;
    *right = merge->b;
}

SLM_API const char *slm_tokenizer_token_at(size_t *size, const slm_tokenizer *tokenizer, int32_t id,
                                           size_t position) {
    size_t n;
    const char *bytes = slm_tokenizer_token(&n, tokenizer, id);
    int strips = tokenizer->characters != NULL && tokenizer->characters->strip_space;

    if (position == 0 && strips && n > 0 && bytes[0] == ' ') {
        bytes++;
        n--;
    }
    if (size != NULL) *size = n;
    return bytes;
}

/* ---- finding strings ----
   A map of strings has the hash of a string's bytes as its key.  Where two strings have the same
   hash, the later one has the next key: a hash of the hash, and so on. */
static uint64_t slm__string_next_key(uint64_t key) {
    return slm__mix(key + 1);
}

/* The index of the string s (n) among the entries, whose offsets count from `bytes`; -1 if it is
   not in the map. */
static int32_t slm__string_find(const slm__map *map, const slm__token_entry *entries,
                                const char *bytes, const char *s, size_t n) {
    uint64_t key = slm_hash(SLM_HASH_START, s, n);

    for (;;) {
        int32_t i = (int32_t)slm__map_get(map, key);
        if (i < 0) return -1;
        if (entries[i].size == n && memcmp(bytes + entries[i].offset, s, n) == 0) return i;
        key = slm__string_next_key(key);
    }
}

/* Puts the string s (n), which is not in the map yet, there under that index. */
static slm_status slm__string_add(slm__map *map, const char *s, size_t n, int32_t index,
                                  slm_error *err) {
    uint64_t key = slm_hash(SLM_HASH_START, s, n);

    while (slm__map_get(map, key) >= 0)
        key = slm__string_next_key(key);
    return slm__map_add(map, key, index, err) == NULL ? SLM_ERR_MEMORY : SLM_OK;
}

/* The token of these bytes; -1 if there is none, or only an added one. */
static int32_t slm__token_find(const slm_tokenizer *t, const char *s, size_t n) {
    return slm__string_find(&t->ids, SLM__ITEMS(const slm__token_entry, t->entries), t->bytes.data,
                            s, n);
}

/* ---- building a tokenizer ---- */
static void slm__buffer_append_if_ok(slm_status *status, slm__buffer *buffer, const void *bytes,
                                     size_t n, slm_error *err) {
    if (*status == SLM_OK) *status = slm__buffer_append(buffer, bytes, n, err);
}

/* Makes the last n of t->bytes the token `id`: the next id, or one whose entry is still empty.
   slm__token_find does not see it. */
static slm_status slm__token_store(slm_tokenizer *t, int32_t id, size_t n, slm_error *err) {
    slm__token_entry entry = {t->bytes.size - n, n, SLM__NOT_ADDED, 0};

    if (id == INT32_MAX) return slm__fail(err, SLM_ERR_ARGUMENT, "more than %d tokens", INT32_MAX);
    if (id == slm_tokenizer_vocab(t))
        return slm__buffer_append(&t->entries, &entry, sizeof entry, err);
    SLM__ITEMS(slm__token_entry, t->entries)[id] = entry;
    return SLM_OK;
}

/* The same for a token of the vocabulary, which slm__token_find sees. */
static slm_status slm__token_set(slm_tokenizer *t, int32_t id, size_t n, slm_error *err) {
    const char *bytes = t->bytes.data + t->bytes.size - n;
    slm_status status = slm__string_add(&t->ids, bytes, n, id, err);

    if (status == SLM_OK) status = slm__token_store(t, id, n, err);
    return status;
}

/* A pair of tokens as the key of a map. */
static uint64_t slm__pair_key(int32_t a, int32_t b) {
    return (uint64_t)(uint32_t)a << 32 | (uint32_t)b;
}

/* The next merge: its rank is the number of merges before it. */
static slm_status slm__merge_add(slm_tokenizer *t, int32_t a, int32_t b, int32_t id,
                                 slm_error *err) {
    slm__merge merge = {a, b, id};
    size_t rank = SLM__N_ITEMS(slm__merge, t->merges);

    if (rank >= INT32_MAX)
        return slm__fail(err, SLM_ERR_ARGUMENT, "more than %d merges", INT32_MAX);
    if (slm__map_add(&t->ranks, slm__pair_key(a, b), (int64_t)rank, err) == NULL)
        return SLM_ERR_MEMORY;
    return slm__buffer_append(&t->merges, &merge, sizeof merge, err);
}

/* The fingerprint: of the settings, the merges, and of every token its size, kind and bytes. */
static uint64_t slm__tokenizer_fingerprint(const slm_tokenizer *t) {
    const slm__token_entry *entries = SLM__ITEMS(const slm__token_entry, t->entries);
    const int32_t settings[3] = {t->prefix_space, t->split, t->ignore_merges};
    const slm__characters *c = t->characters;
    uint64_t hash = slm__hash_ids(SLM_HASH_START, settings, 3);

    if (c != NULL) {
        const int32_t more[6] = {c->unknown,      c->fuse_unknown, c->byte_fallback,
                                 c->split_spaces, c->decode_bytes, c->strip_space};
        hash = slm__hash_ids(hash, more, 6);
    }

    hash = slm__hash_ids(hash, SLM__ITEMS(const int32_t, t->merges),
                         SLM__N_ITEMS(int32_t, t->merges));
    for (int32_t id = 0; id < slm_tokenizer_vocab(t); id++) {
        const int32_t entry[2] = {(int32_t)entries[id].size, entries[id].added};
        hash = slm__hash_ids(hash, entry, 2);
        hash = slm_hash(hash, t->bytes.data + entries[id].offset, entries[id].size);
    }
    return hash;
}

/* Whether the text s (n) begins with that token. */
static int slm__begins_with(const char *s, size_t n, const slm__added_token *token) {
    return token->size <= n && memcmp(s, token->bytes, token->size) == 0;
}

/* Below 0, 0 or above 0: the bytes a (n) are before b (m) in the dictionary, equal, or behind. */
static int slm__compare_bytes(const char *a, size_t n, const char *b, size_t m) {
    int order = memcmp(a, b, slm__min(n, m));

    if (order != 0) return order;
    return (n > m) - (n < m);
}

/* For qsort. */
static int slm__compare_added(const void *left, const void *right) {
    const slm__added_token *a = (const slm__added_token *)left;
    const slm__added_token *b = (const slm__added_token *)right;

    return slm__compare_bytes(a->bytes, a->size, b->bytes, b->size);
}

/* ---- the characters of a tokenizer ---- */
#define SLM__SPACE_MARK "\xe2\x96\x81" /* U+2581, the space of such a tokenizer's file */

/* Makes each U+2581 in s (n) a space.  Returns the new size. */
static size_t slm__unmark_spaces(char *s, size_t n) {
    const size_t mark = sizeof SLM__SPACE_MARK - 1;
    const int first = 0xE2; /* its first byte */
    const char *end = s + n;
    const char *p = s;
    char *out = s;

    while (p < end) {
        const char *next = (const char *)memchr(p, first, (size_t)(end - p));
        size_t size = (size_t)((next != NULL ? next : end) - p);

        memmove(out, p, size);
        out += size;
        p += size;
        if (p == end) break;
        if ((size_t)(end - p) >= mark && memcmp(p, SLM__SPACE_MARK, mark) == 0) {
            *out = ' ';
            p += mark;
        } else {
            *out = *p;
            p++;
        }
        out++;
    }
    return (size_t)(out - s);
}

/* The byte for which a token like <0x0A> stands; -1 if s (n) is no such token. */
static int slm__byte_token(const char *s, size_t n) {
    static const char digits[] = "0123456789abcdefABCDEF";
    int byte = 0;

    if (n != 6 || memcmp(s, "<0x", 3) != 0 || s[5] != '>') return -1;
    for (int i = 3; i < 5; i++) {
        const char *found = (const char *)memchr(digits, s[i], sizeof digits - 1);
        int digit;

        if (found == NULL) return -1;
        digit = (int)(found - digits);
        byte = byte * 16 + (digit < 16 ? digit : digit - 6);
    }
    return byte;
}

/* The character at p < end as merges see it; SLM__NO_CHAR for a byte that is not UTF-8. */
static int32_t slm__character(const char *p, const char *end, size_t *size) {
    int32_t c = slm__utf8(p, end, size);

    return c == 0x2581 ? ' ' : c;
}

static int32_t slm__character_id(const slm__characters *c, int32_t character) {
    if (character < 0) return -1;
    if (character < SLM__ASCII) return c->ascii_id[character];
    return (int32_t)slm__map_get(&c->id, (uint64_t)character);
}

/* Whether a merge can join the character x and the character y behind it. */
static int slm__characters_join(const slm__characters *c, int32_t x, int32_t y) {
    if (x < 0 || y < 0) return 0;
    if (x < SLM__ASCII && y < SLM__ASCII) return c->ascii_joined[x][y];
    return slm__map_get(&c->joined, slm__pair_key(x, y)) >= 0;
}

/* Finds the tokens that are one character.  A space in the file, not U+2581, is never met. */
static slm_status slm__characters_find_ids(slm_tokenizer *t, slm_error *err) {
    const slm__token_entry *entries = SLM__ITEMS(const slm__token_entry, t->entries);
    slm__characters *c = t->characters;

    memset(c->ascii_id, -1, sizeof c->ascii_id);
    for (int32_t id = 0; id < slm_tokenizer_vocab(t); id++) {
        const char *s = t->bytes.data + entries[id].offset;
        size_t n = entries[id].size;
        size_t size;
        int32_t character;

        if (n == 0 || n > 4 || s[0] == ' ' || slm__token_find(t, s, n) != id) continue;
        character = slm__character(s, s + n, &size);
        if (size != n || character < 0) continue;
        if (slm__map_add(&c->id, (uint64_t)character, id, err) == NULL) return SLM_ERR_MEMORY;
        if (character < SLM__ASCII) c->ascii_id[character] = id;
    }
    return SLM_OK;
}

/* The last character of s (n). */
static int32_t slm__last_character(const char *s, size_t n) {
    size_t start = n - 1;
    size_t size;

    while (start > 0 && ((unsigned char)s[start] & 0xC0) == 0x80)
        start--;
    return slm__character(s + start, s + n, &size);
}

/* Finds which characters can come to lie in one token: the last one of the left token of a merge,
   and the first one of the right token.  Where no merge joins two characters a text may be cut, and
   the pieces have the ids of the whole: in Llama-2's tokenizer that is before each word.  That does
   not hold if tokens merge that are no characters of the text. */
static slm_status slm__characters_find_joined(slm_tokenizer *t, slm_error *err) {
    const slm__token_entry *entries = SLM__ITEMS(const slm__token_entry, t->entries);
    const slm__merge *merges = SLM__ITEMS(const slm__merge, t->merges);
    slm__characters *c = t->characters;

    c->cut = 1;
    for (size_t i = 0; i < SLM__N_ITEMS(slm__merge, t->merges); i++) {
        const slm__token_entry *a = &entries[merges[i].a];
        const slm__token_entry *b = &entries[merges[i].b];
        const char *left = t->bytes.data + a->offset;
        const char *right = t->bytes.data + b->offset;
        int32_t x = slm__last_character(left, a->size);
        size_t size;
        int32_t y = slm__character(right, right + b->size, &size);

        if (merges[i].a == c->unknown || merges[i].b == c->unknown) c->cut = 0;
        if (slm__byte_token(left, a->size) >= 0 || slm__byte_token(right, b->size) >= 0) c->cut = 0;
        if (slm__map_add(&c->joined, slm__pair_key(x, y), 1, err) == NULL) return SLM_ERR_MEMORY;
        if (x < SLM__ASCII && y < SLM__ASCII) c->ascii_joined[x][y] = 1;
    }
    return SLM_OK;
}

/* Finds the tokens of the bytes, those from <0x00> to <0xFF>; -1: there is none. */
static void slm__characters_find_bytes(slm_tokenizer *t) {
    for (int byte = 0; byte < 256; byte++) {
        char name[8];

        (void)snprintf(name, sizeof name, "<0x%02X>", (unsigned)byte);
        t->byte_id[byte] = t->characters->byte_fallback ? slm__token_find(t, name, 6) : -1;
    }
}

/* An added token as it is looked for, when its bytes become those of a decoded text. */
static slm_status slm__added_as_searched(slm__added_token *token, slm_tokenizer *t, int32_t kind,
                                         slm_error *err) {
    slm__buffer *searched = &t->characters->searched; /* has room: pointers into it stay good */
    int normalize = kind == SLM__ADDED_NORMALIZED && t->prefix_space == SLM__PREFIX_ALWAYS;
    size_t start = searched->size;
    slm_status status = slm__buffer_append(searched, " ", normalize ? 1 : 0, err);

    slm__buffer_append_if_ok(&status, searched, token->bytes, token->size, err);
    if (status != SLM_OK) return status;
    token->bytes = searched->data + start;
    token->size = searched->size - start;
    if (normalize) token->size = slm__unmark_spaces(searched->data + start, token->size);
    searched->size = start + token->size;
    return SLM_OK;
}

/* Makes room for the added tokens as they are looked for. */
static slm_status slm__characters_reserve_searched(slm_tokenizer *t, slm_error *err) {
    const int32_t *ids = SLM__ITEMS(const int32_t, t->added);
    size_t size = 0;

    for (size_t i = 0; i < SLM__N_ITEMS(int32_t, t->added); i++)
        size += 1 + SLM__ITEMS(const slm__token_entry, t->entries)[ids[i]].size;
    return slm__buffer_reserve(&t->characters->searched, size, err);
}

/* The bytes of every token become those that it stands for in a text.  They are not more. */
static void slm__characters_decode_tokens(slm_tokenizer *t) {
    for (int32_t id = 0; id < slm_tokenizer_vocab(t); id++) {
        slm__token_entry *entry = SLM__ITEMS(slm__token_entry, t->entries) + id;
        char *s = t->bytes.data + entry->offset;
        int byte = t->characters->decode_bytes ? slm__byte_token(s, entry->size) : -1;

        if (byte >= 0) {
            *s = (char)(unsigned char)byte;
            entry->size = 1;
        } else {
            entry->size = slm__unmark_spaces(s, entry->size);
        }
    }
    slm__release(t->ids.slots); /* of bytes that are gone */
    memset(&t->ids, 0, sizeof t->ids);
}

/* Sorts the added tokens of that kind, so that the time of a search hardly grows with their
   number. */
static slm_status slm__sort_added(slm_tokenizer *t, int32_t kind, const char *name,
                                  slm_error *err) {
    const int32_t *ids = SLM__ITEMS(const int32_t, t->added);
    slm__buffer *sorted = &t->sorted_added[kind];
    slm_status status = SLM_OK;
    slm__added_token *tokens;

    for (size_t i = 0; i < SLM__N_ITEMS(int32_t, t->added); i++) {
        const slm__token_entry *entry = SLM__ITEMS(const slm__token_entry, t->entries) + ids[i];
        slm__added_token token = {t->bytes.data + entry->offset, entry->size, ids[i], -1};

        if (entry->added != kind) continue;
        if (t->characters != NULL) status = slm__added_as_searched(&token, t, kind, err);
        slm__buffer_append_if_ok(&status, sorted, &token, sizeof token, err);
        t->begins_added[(unsigned char)token.bytes[0]] = 1;
    }
    if (status != SLM_OK || sorted->size == 0) return status;

    tokens = SLM__ITEMS(slm__added_token, *sorted);
    qsort(tokens, SLM__N_ITEMS(slm__added_token, *sorted), sizeof *tokens, slm__compare_added);
    for (size_t i = 1; i < SLM__N_ITEMS(slm__added_token, *sorted); i++) {
        int32_t k = (int32_t)i - 1;
        if (slm__compare_added(&tokens[k], &tokens[i]) == 0)
            return slm__fail(err, SLM_ERR_FORMAT,
                             "%s: added_tokens: %d and %d have the same content", name,
                             (int)tokens[k].id, (int)tokens[i].id);
        while (k >= 0 && !slm__begins_with(tokens[i].bytes, tokens[i].size, &tokens[k]))
            k = tokens[k].prefix;
        tokens[i].prefix = k;
    }
    return SLM_OK;
}

/* Finds the token of every byte. */
static slm_status slm__find_bytes(slm_tokenizer *t, const char *name, slm_error *err) {
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)(unsigned char)byte;
        t->byte_id[byte] = slm__token_find(t, &c, 1);
        if (t->byte_id[byte] < 0) t->lacks_bytes = 1;
    }
    if (t->prefix_space && t->byte_id[0x20] < 0)
        return slm__fail(err, SLM_ERR_FORMAT,
                         "%s: add_prefix_space: model.vocab has no token for the space", name);
    return SLM_OK;
}

/* Finds what an encoder of characters needs. */
static slm_status slm__find_characters(slm_tokenizer *t, slm_error *err) {
    slm_status status;

    slm__characters_find_bytes(t);
    status = slm__characters_find_ids(t, err);
    if (status == SLM_OK) status = slm__characters_find_joined(t, err);
    if (status == SLM_OK) status = slm__characters_reserve_searched(t, err);
    return status;
}

/* The last step of building, if status is SLM_OK: finds what encoding needs, and the fingerprint.
   Takes ownership of t, which becomes *out, or is freed after a failure.  Returns status or the
   failure; name: of the file, for its message. */
static slm_status slm__tokenizer_end(slm_tokenizer **out, slm_tokenizer *t, slm_status status,
                                     const char *name, slm_error *err) {
    if (status == SLM_OK && t->characters != NULL)
        status = slm__find_characters(t, err);
    else if (status == SLM_OK)
        status = slm__find_bytes(t, name, err);
    if (status == SLM_OK) status = slm__sort_added(t, SLM__ADDED_EXACT, name, err);
    if (status == SLM_OK) status = slm__sort_added(t, SLM__ADDED_NORMALIZED, name, err);
    if (status != SLM_OK) {
        slm_tokenizer_free(t);
        return status;
    }
    t->hash = slm__tokenizer_fingerprint(t);
    if (t->characters != NULL) slm__characters_decode_tokens(t);
    *out = t;
    return SLM_OK;
}

/* Gives an empty tokenizer the 256 bytes as its first tokens. */
static slm_status slm__tokenizer_add_bytes(slm_tokenizer *t, slm_error *err) {
    slm_status status = SLM_OK;

    for (int32_t byte = 0; byte < 256 && status == SLM_OK; byte++) {
        char c = (char)(unsigned char)byte;
        slm__buffer_append_if_ok(&status, &t->bytes, &c, 1, err);
        if (status == SLM_OK) status = slm__token_set(t, byte, 1, err);
    }
    return status;
}

SLM_API slm_status slm_tokenizer_create_bytes(slm_tokenizer **out, slm_error *err) {
    slm_tokenizer *t = slm__tokenizer_new(err);
    slm_status status;

    *out = NULL;
    if (t == NULL) return SLM_ERR_MEMORY;
    status = slm__tokenizer_add_bytes(t, err);
    return slm__tokenizer_end(out, t, status, "bytes", err);
}

SLM_API slm_status slm_tokenizer_add_special(slm_tokenizer *tokenizer, const char *text,
                                             slm_error *err) {
    slm_tokenizer *t = tokenizer;
    const int32_t id = slm_tokenizer_vocab(t);
    const size_t size = strlen(text);
    slm__buffer *sorted = &t->sorted_added[SLM__ADDED_EXACT];
    slm_status status;

    if (t->source.size > 0)
        return slm__fail(err, SLM_ERR_ARGUMENT, "the tokenizer is that of a file");
    if (size == 0 || slm_tokenizer_find_added(t, text) >= 0)
        return slm__fail(err, SLM_ERR_ARGUMENT, "added token \"%.99s\": empty, or there already",
                         text);

    /* First there is room for everything, so that a failure changes nothing.  The bytes come last:
       the sorted tokens point to them. */
    status = slm__buffer_reserve(&t->added, sizeof id, err);
    if (status == SLM_OK) status = slm__buffer_reserve(&t->entries, sizeof(slm__token_entry), err);
    if (status == SLM_OK) status = slm__buffer_reserve(sorted, sizeof(slm__added_token), err);
    if (status == SLM_OK) status = slm__buffer_reserve(&t->bytes, size, err);
    slm__buffer_append_if_ok(&status, &t->bytes, text, size, err);
    if (status == SLM_OK) status = slm__token_store(t, id, size, err);
    slm__buffer_append_if_ok(&status, &t->added, &id, sizeof id, err);
    if (status != SLM_OK) return status;

    SLM__ITEMS(slm__token_entry, t->entries)[id].added = SLM__ADDED_EXACT;
    SLM__ITEMS(slm__token_entry, t->entries)[id].special = 1;
    sorted->size = 0; /* it points to where the bytes were */
    status = slm__sort_added(t, SLM__ADDED_EXACT, text, err);
    t->hash = slm__tokenizer_fingerprint(t);
    return status;
}

/* ---- encoding one piece in O(n log n) ----
   A piece begins as n symbols, one per byte or character, in a linked list.  A merge gives the left
   symbol of a pair the new id and takes the right one out of the list.

   To find the pair of lowest rank at once, the symbols are the leaves of a binary tree, held in an
   array as a heap is: nodes n .. 2n-1 are the symbols in the order of the text, and node i < n is
   above nodes 2i and 2i+1.  Each leaf holds the priority of the pair that it makes with the next
   symbol, each other node the lowest priority below it; so node 1 holds the merge to do next.  A
   merge changes the pairs of three leaves, and each change is carried up in log2(n) steps.

   The priority is rank << 32 | leaf: the lowest rank wins, the leftmost of equals. */
#define SLM__NO_PAIR UINT64_MAX /* the symbol and the next one make no merge, or it is the last */

/* One node of the tree.  A leaf of 0 means that there is none.  Node 0 exists but is never read, so
   that code may write to a neighbour without asking whether there is one. */
typedef struct slm__symbol {
    uint64_t priority; /* the fields after it are used in leaves only */
    int32_t id;        /* the token */
    int32_t before;    /* the leaf of the symbol before it, or 0 */
    int32_t after;     /* the leaf of the symbol after it, or 0 */
} slm__symbol;

/* ---- a cache of pieces ----
   Most pieces of a text are short, and come again and again.  What such a piece was encoded as is
   kept in a slot chosen by its bytes, until another piece takes the slot. */
enum {
    SLM__CACHE_SLOTS = 16384, /* a power of two; the cache, 640 KiB, should fit the processor's */
    SLM__CACHE_BYTES = 15,    /* of a piece, at most */
    SLM__CACHE_IDS = 5,       /* of a piece, at most */
    SLM__CACHE_TEXT = 65536   /* bytes of a text for which a cache is worth its making */
};

typedef struct slm__cached_piece {
    uint64_t key[2]; /* its bytes, and in the highest its size; 0: the slot is free */
    int32_t ids[SLM__CACHE_IDS];
    int32_t n;
} slm__cached_piece;

/* What the encoding of one text needs. */
typedef struct slm__encoder {
    const slm_tokenizer *tokenizer;
    const char *whole;    /* the text */
    const char *text;     /* what is being cut into pieces: a part of it, or a copy, ... */
    size_t offset;        /* ... and the place of that part in the whole */
    slm__buffer ids;      /* int32_t: the result */
    slm__buffer symbols;  /* int32_t: the tokens with which the merges of a piece begin */
    slm__buffer tree;     /* slm__symbol: room for the tree of a piece */
    slm__buffer prepared; /* a text between added tokens, with a space before it */
    slm__cached_piece *cache; /* (SLM__CACHE_SLOTS), or NULL */
    slm_error *err;
    slm_status status; /* the first error; nothing is done after it */
} slm__encoder;

static void slm__encode_id(slm__encoder *e, int32_t id) {
    slm__buffer_append_if_ok(&e->status, &e->ids, &id, sizeof id, e->err);
}

/* The priority of the pair of this leaf and the next one. */
static uint64_t slm__pair_priority(const slm_tokenizer *t, const slm__symbol *tree, int32_t leaf) {
    int32_t after = tree[leaf].after;
    int64_t rank;

    if (after == 0) return SLM__NO_PAIR;
    rank = slm__map_get(&t->ranks, slm__pair_key(tree[leaf].id, tree[after].id));
    return rank < 0 ? SLM__NO_PAIR : (uint64_t)rank << 32 | (uint64_t)leaf;
}

/* Gives node i < n the lower of the two priorities below it.  Returns 0 if it had that already. */
static int slm__tree_pull(slm__symbol *tree, int32_t i) {
    uint64_t left = tree[2 * i].priority;
    uint64_t right = tree[2 * i + 1].priority;
    uint64_t before = tree[i].priority;

    tree[i].priority = left < right ? left : right;
    return tree[i].priority != before;
}

/* Works out the priority of the pair that begins at this leaf, and of the nodes above it, up to one
   that does not change.  To be called whenever one of the two symbols, or which symbol comes
   second, has changed. */
static void slm__tree_update(const slm_tokenizer *t, slm__symbol *tree, int32_t leaf) {
    int32_t i = leaf / 2;

    tree[leaf].priority = slm__pair_priority(t, tree, leaf);
    while (i >= 1 && slm__tree_pull(tree, i))
        i /= 2;
}

/* Fills the tree (2n) of n symbols: the leaves first, then the nodes above, bottom up. */
static void slm__tree_build(const slm_tokenizer *t, slm__symbol *tree, const int32_t *symbols,
                            int32_t n) {
    for (int32_t i = 0; i < n; i++) {
        slm__symbol *leaf = &tree[n + i];
        leaf->id = symbols[i];
        leaf->before = i > 0 ? n + i - 1 : 0;
        leaf->after = i + 1 < n ? n + i + 1 : 0;
    }
    for (int32_t leaf = n; leaf < 2 * n; leaf++)
        tree[leaf].priority = slm__pair_priority(t, tree, leaf);
    for (int32_t i = n - 1; i >= 1; i--)
        (void)slm__tree_pull(tree, i);
}

/* Merges the symbol at this leaf with the one after it, `right`.  The leaf's priority must be that
   of a merge, not SLM__NO_PAIR. */
static void slm__tree_merge(const slm_tokenizer *t, slm__symbol *tree, int32_t leaf) {
    uint64_t rank = tree[leaf].priority >> 32;
    int32_t right = tree[leaf].after;
    int32_t after_right = tree[right].after;

    /* The leaf becomes the merged token, and `right` leaves the list.  If nothing comes after
       `right`, after_right is 0, and node 0 is never read. */
    tree[leaf].id = SLM__ITEMS(const slm__merge, t->merges)[rank].id;
    tree[leaf].after = after_right;
    tree[after_right].before = leaf;
    tree[right].after = 0;

    /* Three pairs have changed: `right` begins none any more, the others contain the new token. */
    slm__tree_update(t, tree, right);
    slm__tree_update(t, tree, leaf);
    if (tree[leaf].before != 0) slm__tree_update(t, tree, tree[leaf].before);
}

/* Refuses a byte of the piece s (size) that has no token. */
static void slm__check_bytes(slm__encoder *e, const char *s, size_t size) {
    for (size_t i = 0; i < size; i++) {
        unsigned byte = (unsigned char)s[i];
        if (e->tokenizer->byte_id[byte] >= 0) continue;
        e->status = slm__fail(e->err, SLM_ERR_FORMAT,
                              "byte %zu of the text is 0x%02x: the tokenizer has no token for it",
                              e->offset + (size_t)(s + i - e->text), byte);
        return;
    }
}

/* Encodes the symbols of a piece, and empties their list. */
static void slm__encode_symbols(slm__encoder *e) {
    const slm_tokenizer *t = e->tokenizer;
    const int32_t *symbols = SLM__ITEMS(const int32_t, e->symbols);
    size_t size = SLM__N_ITEMS(int32_t, e->symbols);
    int32_t n = (int32_t)size;
    slm__symbol *tree;

    if (e->status != SLM_OK) return;
    e->symbols.size = 0;
    if (size <= 1) {
        if (size == 1) slm__encode_id(e, symbols[0]);
        return;
    }
    if (size > INT32_MAX / 2 || size > SIZE_MAX / 2 / sizeof *tree) {
        e->status = slm__fail(e->err, SLM_ERR_ARGUMENT,
                              "a run of %zu symbols without a break is too long", size);
        return;
    }
    e->status = slm__buffer_reserve(&e->tree, 2 * size * sizeof *tree, e->err);
    if (e->status != SLM_OK) return;

    tree = SLM__ITEMS(slm__symbol, e->tree);
    slm__tree_build(t, tree, symbols, n);
    while (tree[1].priority != SLM__NO_PAIR) {
        int32_t leaf = (int32_t)(tree[1].priority & INT32_MAX);
        slm__tree_merge(t, tree, leaf);
    }
    for (int32_t leaf = n; leaf != 0; leaf = tree[leaf].after)
        slm__encode_id(e, tree[leaf].id);
}

/* ---- encoding a piece of characters ---- */
/* Whether every byte of s (size) has a token. */
static int slm__has_bytes(const slm_tokenizer *t, const char *s, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (t->byte_id[(unsigned char)s[i]] < 0) return 0;
    return 1;
}

/* Size in bytes of the first piece of a text of n >= 1 bytes.  The text is cut where that changes
   no id; so a text of words takes little memory, and only a run that merges may join takes 48 bytes
   for each character.  Where an unknown token is due (see below) only a character that is a token
   begins a piece. */
static size_t slm__characters_piece(const slm_tokenizer *t, const char *s, size_t n) {
    const slm__characters *c = t->characters;
    const char *end = s + n;
    const char *p = s;
    int32_t before = SLM__NO_CHAR;
    int unknown_due = 0;

    while (p < end) {
        size_t size;
        int32_t character = slm__character(p, end, &size);
        int is_token = slm__character_id(c, character) >= 0;

        if (p > s && c->split_spaces && character == ' ') break;
        if (p > s && c->cut && (is_token || !unknown_due) &&
            !slm__characters_join(c, before, character))
            break;
        if (is_token)
            unknown_due = 0;
        else if (!slm__has_bytes(t, p, size))
            unknown_due = 1;
        before = character;
        p += size;
    }
    return (size_t)(p - s);
}

static void slm__encode_symbol(slm__encoder *e, int32_t id) {
    slm__buffer_append_if_ok(&e->status, &e->symbols, &id, sizeof id, e->err);
}

/* The unknown token takes its place, if it is due. */
static void slm__encode_unknown(slm__encoder *e, int *due) {
    if (*due) slm__encode_symbol(e, e->tokenizer->characters->unknown);
    *due = 0;
}

/* The symbols of one more character s (size), or of a byte that is not UTF-8: its token, or those
   of its bytes if each has one.  If not it is unknown, and a token for that is due.  This takes its
   place, as in Hugging Face's library, only before the next character that is a token or that is
   unknown and not fused with it; bytes go before it. */
static void slm__encode_character(slm__encoder *e, const char *s, size_t size,
                                  int32_t character, int *unknown_due) {
    const slm_tokenizer *t = e->tokenizer;
    int32_t id = slm__character_id(t->characters, character);

    if (id >= 0) {
        slm__encode_unknown(e, unknown_due);
        slm__encode_symbol(e, id);
    } else if (slm__has_bytes(t, s, size)) {
        for (size_t i = 0; i < size; i++)
            slm__encode_symbol(e, t->byte_id[(unsigned char)s[i]]);
    } else if (t->characters->unknown < 0) {
        e->status = slm__fail(e->err, SLM_ERR_FORMAT,
                              "the text has a character that begins with byte 0x%02x: the "
                              "tokenizer has no token for it, and none for what is unknown",
                              (unsigned)(unsigned char)s[0]);
    } else {
        if (!t->characters->fuse_unknown) slm__encode_unknown(e, unknown_due);
        *unknown_due = 1;
    }
}

static void slm__list_characters(slm__encoder *e, const char *s, size_t size) {
    const char *end = s + size;
    int unknown_due = 0;

    while (s < end && e->status == SLM_OK) {
        size_t n;
        int32_t character = slm__character(s, end, &n);

        slm__encode_character(e, s, n, character, &unknown_due);
        s += n;
    }
    slm__encode_unknown(e, &unknown_due);
}

/* ---- encoding a piece ---- */
static void slm__list_bytes(slm__encoder *e, const char *s, size_t size) {
    int32_t *symbols;

    if (e->tokenizer->lacks_bytes) slm__check_bytes(e, s, size);
    if (e->status == SLM_OK)
        e->status = slm__buffer_reserve(&e->symbols, size * sizeof *symbols, e->err);
    if (e->status != SLM_OK) return;

    symbols = SLM__ITEMS(int32_t, e->symbols);
    for (size_t i = 0; i < size; i++)
        symbols[i] = e->tokenizer->byte_id[(unsigned char)s[i]];
    e->symbols.size = size * sizeof *symbols;
}

static void slm__merge_piece(slm__encoder *e, const char *s, size_t size) {
    const slm_tokenizer *t = e->tokenizer;
    int32_t whole = t->ignore_merges ? slm__token_find(t, s, size) : -1;

    if (whole >= 0) {
        slm__encode_id(e, whole);
        return;
    }
    if (t->characters != NULL)
        slm__list_characters(e, s, size);
    else
        slm__list_bytes(e, s, size);
    slm__encode_symbols(e);
}

/* Encodes a piece, from the cache if it is there. */
static void slm__encode_piece(slm__encoder *e, const char *s, size_t size) {
    size_t first = SLM__N_ITEMS(int32_t, e->ids);
    uint64_t key[2] = {0, (uint64_t)size << 56};
    slm__cached_piece *slot;
    size_t n;

    if (e->cache == NULL || size > SLM__CACHE_BYTES) {
        slm__merge_piece(e, s, size);
        return;
    }
    for (size_t i = 0; i < size; i++)
        key[i / 8] |= (uint64_t)(unsigned char)s[i] << 8 * (i % 8);
    slot = &e->cache[slm__mix(key[0] + key[1] * SLM__GOLDEN) & (SLM__CACHE_SLOTS - 1)];
    if (slot->key[0] == key[0] && slot->key[1] == key[1]) {
        slm__buffer_append_if_ok(&e->status, &e->ids, slot->ids,
                                 (size_t)slot->n * sizeof *slot->ids, e->err);
        return;
    }
    slm__merge_piece(e, s, size);
    n = SLM__N_ITEMS(int32_t, e->ids) - first;
    if (e->status != SLM_OK || n > SLM__CACHE_IDS) return;
    memcpy(slot->key, key, sizeof key);
    memcpy(slot->ids, SLM__ITEMS(const int32_t, e->ids) + first, n * sizeof *slot->ids);
    slot->n = (int32_t)n;
}

/* ---- encoding a text ---- */
/* Puts a space before the text, in e->prepared.  In a text of characters all spaces become equal:
   the tokens that are then looked for, and characters, do not tell one from the other. */
static void slm__prepare_text(slm__encoder *e, const char **s, size_t *n) {
    slm__buffer *prepared = &e->prepared;

    prepared->size = 0;
    slm__buffer_append_if_ok(&e->status, prepared, " ", 1, e->err);
    slm__buffer_append_if_ok(&e->status, prepared, *s, *n, e->err);
    if (e->status != SLM_OK) return;
    if (e->tokenizer->characters != NULL)
        prepared->size = slm__unmark_spaces(prepared->data, prepared->size);
    *s = prepared->data;
    *n = prepared->size;
}

/* Whether a space is put before the plain text s (n). */
static int slm__wants_space(const slm__encoder *e, const char *s, size_t n) {
    int32_t prefix = e->tokenizer->prefix_space;
    int has_space;
    size_t size;

    if (prefix != SLM__PREFIX_UNLESS_SPACE && prefix != SLM__PREFIX_FIRST) return 0;
    if (prefix == SLM__PREFIX_FIRST && s != e->whole) return 0;
    has_space = s[0] == ' ';
    if (e->tokenizer->characters != NULL) has_space = slm__character(s, s + n, &size) == ' ';
    return !has_space;
}

/* Size in bytes of the first piece of a text of n >= 1 bytes. */
static size_t slm__piece_size(const slm_tokenizer *t, const char *s, size_t n) {
    if (t->characters != NULL) return slm__characters_piece(t, s, n);
    return slm__pretoken_size(t->classes, t->split, s, n);
}

/* Text without added tokens: a space before it if the tokenizer wants one, then piece by piece. */
static void slm__encode_plain(slm__encoder *e, const char *s, size_t n) {
    const slm_tokenizer *t = e->tokenizer;

    if (t->characters == NULL) {
        e->text = s;
        e->offset = (size_t)(s - e->whole);
    }
    if (slm__wants_space(e, s, n)) {
        slm__prepare_text(e, &s, &n);
        e->text = s + 1;
    }
    while (n > 0 && e->status == SLM_OK) {
        size_t size = slm__piece_size(t, s, n);
        slm__encode_piece(e, s, size);
        s += size;
        n -= size;
    }
}

/* The longest added token of that kind with which the text s (n) begins, or NULL.  Of the tokens
   that are not behind the text in the order of bytes the last is looked at: every token with which
   the text begins is this one, or one with which this one begins. */
static const slm__added_token *slm__added_token_at(const slm_tokenizer *t, const char *s, size_t n,
                                                   int32_t kind) {
    const slm__added_token *tokens = SLM__ITEMS(const slm__added_token, t->sorted_added[kind]);
    size_t low = 0;
    size_t high = SLM__N_ITEMS(slm__added_token, t->sorted_added[kind]);
    int32_t i;

    if (!t->begins_added[(unsigned char)s[0]]) return NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slm__compare_bytes(tokens[middle].bytes, tokens[middle].size, s, n) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    i = (int32_t)low - 1;
    while (i >= 0 && !slm__begins_with(s, n, &tokens[i]))
        i = tokens[i].prefix;
    return i >= 0 ? &tokens[i] : NULL;
}

/* Refuses text that the tokenizer would normalize: its tokens would be those of another text. */
static void slm__check_normalized(slm__encoder *e, const char *s, size_t n) {
    size_t place = slm__nfc_check(e->tokenizer->nfc, s, n);

    if (place == n || e->status != SLM_OK) return;
    e->status = slm__fail(e->err, SLM_ERR_FORMAT,
                          "byte %zu of the text: the tokenizer wants Unicode's form NFC, which "
                          "changes the character there; normalize the text first",
                          (size_t)(s - e->whole) + place);
}

/* Cuts the added tokens of that kind out of the text.  What is between them is searched for the
   next kind; after the last kind it is plain text. */
static void slm__encode_text(slm__encoder *e, const char *s, size_t n, int32_t kind) {
    const slm_tokenizer *t = e->tokenizer;
    size_t start = 0; /* of what is not encoded yet */
    size_t i = 0;

    if (n == 0) return;
    if (kind == SLM__ADDED_NORMALIZED && t->prefix_space == SLM__PREFIX_ALWAYS)
        slm__prepare_text(e, &s, &n);
    if (t->nfc != NULL && kind == SLM__ADDED_NORMALIZED) slm__check_normalized(e, s, n);
    if (kind > SLM__ADDED_NORMALIZED) {
        slm__encode_plain(e, s, n);
        return;
    }
    if (t->sorted_added[kind].size == 0) {
        slm__encode_text(e, s, n, kind + 1);
        return;
    }
    while (i < n && e->status == SLM_OK) {
        const slm__added_token *token = slm__added_token_at(t, s + i, n - i, kind);
        if (token == NULL) {
            i++;
            continue;
        }
        slm__encode_text(e, s + start, i - start, kind + 1);
        slm__encode_id(e, token->id);
        i += token->size;
        start = i;
    }
    slm__encode_text(e, s + start, n - start, kind + 1);
}

SLM_API slm_status slm_tokenizer_encode(int32_t **ids, size_t *n_ids,
                                        const slm_tokenizer *tokenizer, const char *text,
                                        size_t size, slm_error *err) {
    slm__encoder e;

    memset(&e, 0, sizeof e);
    e.tokenizer = tokenizer;
    e.whole = text;
    e.err = err;
    e.status = slm__buffer_reserve(&e.ids, sizeof(int32_t), err); /* so that *ids is never NULL */
    if (e.status == SLM_OK && size >= SLM__CACHE_TEXT) {
        e.cache = (slm__cached_piece *)slm__alloc(SLM__CACHE_SLOTS, sizeof *e.cache, err);
        if (e.cache == NULL) e.status = SLM_ERR_MEMORY;
    }
    slm__encode_text(&e, text, size, SLM__ADDED_EXACT);
    slm__release(e.symbols.data);
    slm__release(e.tree.data);
    slm__release(e.prepared.data);
    slm__release(e.cache);
    if (e.status != SLM_OK) {
        slm__release(e.ids.data);
        return e.status;
    }
    *ids = SLM__ITEMS(int32_t, e.ids);
    *n_ids = SLM__N_ITEMS(int32_t, e.ids);
    return SLM_OK;
}

SLM_API slm_status slm_tokenizer_decode(char **text, size_t *size, const slm_tokenizer *tokenizer,
                                        const int32_t *ids, size_t n_ids, slm_error *err) {
    slm__buffer out = {NULL, 0, 0};
    slm_status status = SLM_OK;

    for (size_t i = 0; i < n_ids && status == SLM_OK; i++) {
        size_t length;
        const char *bytes = slm_tokenizer_token_at(&length, tokenizer, ids[i], i);
        if (bytes == NULL)
            status =
                slm__fail(err, SLM_ERR_ARGUMENT, "token %zu is %d, none of the vocabulary of %d", i,
                          (int)ids[i], (int)slm_tokenizer_vocab(tokenizer));
        slm__buffer_append_if_ok(&status, &out, bytes, length, err);
    }
    slm__buffer_append_if_ok(&status, &out, "", 1, err); /* the NUL, which is not counted */
    if (status != SLM_OK) {
        slm__release(out.data);
        return status;
    }
    *text = out.data;
    *size = out.size - 1;
    return SLM_OK;
}

/* ---- training ----
   The text is cut into pieces, as for encoding.  Equal pieces are kept once, as a word with a
   count: what is done to a word is done to all its places in the text at once.  How often each pair
   occurs is counted once; a merge then goes through all words and corrects the counts of the pairs
   around each place where it replaces two symbols. */
#define SLM__WORD_END (-1) /* no symbol: it ends a word, and makes no pair */

typedef struct slm__bpe_trainer {
    slm_tokenizer *tokenizer; /* gets a token and a merge at a time */
    slm__buffer words;        /* slm__token_entry: the distinct pieces; offsets into the text */
    slm__buffer counts;       /* int64_t, by word: how often it occurs in the text */
    slm__map word_of;         /* hash of a piece -> its word */
    slm__buffer symbols;      /* int32_t: the ids of all words, SLM__WORD_END after each word */
    slm__map pairs;           /* slm__pair_key -> how often the pair occurs in the text */
    slm_error *err;
    slm_status status; /* the first error; nothing is done after it */
} slm__bpe_trainer;

static void slm__bpe_train_free(slm__bpe_trainer *trainer) {
    slm__release(trainer->words.data);
    slm__release(trainer->counts.data);
    slm__release(trainer->word_of.slots);
    slm__release(trainer->symbols.data);
    slm__release(trainer->pairs.slots);
}

/* The piece of that offset and size in the text becomes the next word, with count 0; its symbols
   are its bytes. */
static void slm__bpe_train_new_word(slm__bpe_trainer *trainer, const char *text, size_t offset,
                                    size_t size) {
    slm__token_entry word = {offset, size, SLM__NOT_ADDED, 0};
    int32_t index = (int32_t)SLM__N_ITEMS(slm__token_entry, trainer->words);
    const int32_t end = SLM__WORD_END;
    const int64_t none = 0;

    if (index == INT32_MAX) {
        trainer->status = slm__fail(trainer->err, SLM_ERR_ARGUMENT, "more than %d different words",
                                    INT32_MAX);
        return;
    }
    trainer->status =
        slm__string_add(&trainer->word_of, text + offset, size, index, trainer->err);
    slm__buffer_append_if_ok(&trainer->status, &trainer->words, &word, sizeof word, trainer->err);
    slm__buffer_append_if_ok(&trainer->status, &trainer->counts, &none, sizeof none, trainer->err);
    for (size_t i = 0; i < size; i++) {
        int32_t id = (unsigned char)text[offset + i];
        slm__buffer_append_if_ok(&trainer->status, &trainer->symbols, &id, sizeof id, trainer->err);
    }
    slm__buffer_append_if_ok(&trainer->status, &trainer->symbols, &end, sizeof end, trainer->err);
}

/* Cuts the text into pieces, and counts each as a word. */
static void slm__bpe_train_count_words(slm__bpe_trainer *trainer, const char *text, size_t size) {
    size_t offset = 0;

    while (offset < size && trainer->status == SLM_OK) {
        const char *piece = text + offset;
        size_t n = slm__pretoken_size(trainer->tokenizer->classes, trainer->tokenizer->split, piece,
                                      size - offset);
        int32_t word = slm__string_find(&trainer->word_of,
                                        SLM__ITEMS(const slm__token_entry, trainer->words), text,
                                        piece, n);
        if (word < 0) {
            word = (int32_t)SLM__N_ITEMS(slm__token_entry, trainer->words);
            slm__bpe_train_new_word(trainer, text, offset, n);
        }
        if (trainer->status == SLM_OK) SLM__ITEMS(int64_t, trainer->counts)[word]++;
        offset += n;
    }
}

/* The pair (a, b) occurs `change` times more often than before.  Nothing happens if one of them is
   SLM__WORD_END. */
static void slm__bpe_train_count_pair(slm__bpe_trainer *trainer, int32_t a, int32_t b,
                                      int64_t change) {
    slm__map_slot *slot;

    if (a == SLM__WORD_END || b == SLM__WORD_END || trainer->status != SLM_OK) return;
    slot = slm__map_add(&trainer->pairs, slm__pair_key(a, b), 0, trainer->err);
    if (slot == NULL)
        trainer->status = SLM_ERR_MEMORY;
    else
        slot->value += change;
}

/* Counts the pairs of all words, each as often as its word occurs. */
static void slm__bpe_train_count_pairs(slm__bpe_trainer *trainer) {
    const int32_t *symbols = SLM__ITEMS(const int32_t, trainer->symbols);
    const int64_t *count = SLM__ITEMS(const int64_t, trainer->counts); /* of the word of symbol i */
    size_t n = SLM__N_ITEMS(int32_t, trainer->symbols);

    for (size_t i = 0; i + 1 < n; i++) {
        slm__bpe_train_count_pair(trainer, symbols[i], symbols[i + 1], *count);
        if (symbols[i] == SLM__WORD_END) count++;
    }
}

/* The most frequent pair, of equals that of the lowest ids.  Its value is 1 if no pair occurs
   twice. */
static slm__map_slot slm__bpe_train_best_pair(const slm__bpe_trainer *trainer) {
    slm__map_slot best = {0, 1, 0};

    for (size_t i = 0; i < trainer->pairs.capacity; i++) {
        const slm__map_slot *slot = &trainer->pairs.slots[i]; /* free ones have the value 0 */
        if (slot->value > best.value || (slot->value == best.value && slot->key < best.key))
            best = *slot;
    }
    return best;
}

/* The new token: the bytes of a, then those of b; and the merge that makes it. */
static void slm__bpe_train_new_token(slm__bpe_trainer *trainer, int32_t a, int32_t b) {
    slm_tokenizer *t = trainer->tokenizer;
    slm__token_entry left = SLM__ITEMS(const slm__token_entry, t->entries)[a];
    slm__token_entry right = SLM__ITEMS(const slm__token_entry, t->entries)[b];
    size_t size = left.size + right.size;
    int32_t id = slm_tokenizer_vocab(t);
    slm_status status;

    /* Room first: bytes must not move while they are copied. */
    status = slm__buffer_reserve(&t->bytes, size, trainer->err);
    slm__buffer_append_if_ok(&status, &t->bytes, t->bytes.data + left.offset, left.size,
                             trainer->err);
    slm__buffer_append_if_ok(&status, &t->bytes, t->bytes.data + right.offset, right.size,
                             trainer->err);
    if (status == SLM_OK) status = slm__token_set(t, id, size, trainer->err);
    if (status == SLM_OK) status = slm__merge_add(t, a, b, id, trainer->err);
    trainer->status = status;
}

/* Replaces a, b by id in all words and closes the gaps.  With x before and y after, the pairs
   (x, a), (a, b), (b, y) go, and (x, id), (id, y) come. */
static void slm__bpe_train_replace(slm__bpe_trainer *trainer, int32_t a, int32_t b, int32_t id) {
    const int64_t *count = SLM__ITEMS(const int64_t, trainer->counts); /* of the word being read */
    int32_t *symbols = SLM__ITEMS(int32_t, trainer->symbols);
    size_t n = SLM__N_ITEMS(int32_t, trainer->symbols);
    size_t read = 0;
    size_t written = 0;

    while (read < n && trainer->status == SLM_OK) {
        int32_t before;
        int32_t after;

        /* Each word ends with SLM__WORD_END: after a comes a symbol, and one more after b. */
        if (symbols[read] != a || symbols[read + 1] != b) {
            if (symbols[read] == SLM__WORD_END) count++;
            symbols[written] = symbols[read];
            written++;
            read++;
            continue;
        }
        before = written > 0 ? symbols[written - 1] : SLM__WORD_END;
        after = symbols[read + 2];
        slm__bpe_train_count_pair(trainer, before, a, -*count);
        slm__bpe_train_count_pair(trainer, a, b, -*count);
        slm__bpe_train_count_pair(trainer, b, after, -*count);
        slm__bpe_train_count_pair(trainer, before, id, *count);
        slm__bpe_train_count_pair(trainer, id, after, *count);
        symbols[written] = id;
        written++;
        read += 2;
    }
    trainer->symbols.size = written * sizeof *symbols;
}

/* One merge.  Returns 0 if there is none to make: no pair occurs twice, or an error. */
static int slm__bpe_train_merge(slm__bpe_trainer *trainer) {
    slm__map_slot best = slm__bpe_train_best_pair(trainer);
    int32_t a = (int32_t)(best.key >> 32);
    int32_t b = (int32_t)(best.key & INT32_MAX);
    int32_t id = slm_tokenizer_vocab(trainer->tokenizer);

    if (best.value < 2) return 0;
    slm__bpe_train_new_token(trainer, a, b);
    slm__bpe_train_replace(trainer, a, b, id);
    return trainer->status == SLM_OK;
}

SLM_API slm_status slm_tokenizer_train(slm_tokenizer **out, const char *text, size_t size,
                                       int32_t vocab, slm_progress progress, void *user,
                                       slm_error *err) {
    slm__bpe_trainer trainer;

    *out = NULL;
    if (vocab < 256)
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "a vocabulary of %d tokens: at least 256 are needed", (int)vocab);
    memset(&trainer, 0, sizeof trainer);
    trainer.err = err;
    trainer.tokenizer = slm__tokenizer_new(err);
    if (trainer.tokenizer == NULL) return SLM_ERR_MEMORY;

    trainer.status = slm__tokenizer_add_bytes(trainer.tokenizer, err);
    slm__bpe_train_count_words(&trainer, text, size);
    slm__bpe_train_count_pairs(&trainer);
    for (int32_t id = 256; id < vocab && trainer.status == SLM_OK; id++) {
        if (!slm__bpe_train_merge(&trainer)) break;
        if (progress != NULL && progress(user, (uint64_t)id, (uint64_t)vocab) != 0)
            trainer.status = slm__fail(err, SLM_ERR_CANCELLED, "stopped after %d of %d tokens",
                                       (int)id, (int)vocab);
    }
    slm__bpe_train_free(&trainer);
    return slm__tokenizer_end(out, trainer.tokenizer, trainer.status, "training", err);
}

/* ---- a text as a corpus ---- */
SLM_API slm_status slm_corpus_set_tokenizer(slm_corpus *corpus, const slm_tokenizer *tokenizer,
                                            slm_error *err) {
    size_t V = (size_t)slm_tokenizer_vocab(tokenizer);
    int32_t *sizes = (int32_t *)slm__alloc(V, sizeof *sizes, err);

    if (sizes == NULL) return SLM_ERR_MEMORY;
    for (size_t id = 0; id < V; id++) {
        size_t size = 0;
        if (slm_tokenizer_token_kind(tokenizer, (int32_t)id) != SLM_TOKEN_SPECIAL)
            (void)slm_tokenizer_token(&size, tokenizer, (int32_t)id);
        sizes[id] = (int32_t)size;
    }
    slm__release(corpus->more[SLM__CORPUS_TOKEN_BYTES]);
    corpus->more[SLM__CORPUS_TOKEN_BYTES] = sizes;
    corpus->token_bytes = sizes;
    corpus->n_token_bytes = V;
    corpus->tokenizer_hash = tokenizer->hash;
    return SLM_OK;
}

SLM_API slm_status slm_corpus_encode(slm_corpus **out, const slm_tokenizer *tokenizer,
                                     const char *text, size_t size, slm_error *err) {
    int32_t *tokens = NULL;
    size_t n = 0;
    slm_status status = slm_tokenizer_encode(&tokens, &n, tokenizer, text, size, err);

    *out = NULL;
    if (status == SLM_OK)
        status = slm_corpus_create(out, tokens, NULL, n, slm_tokenizer_vocab(tokenizer), err);
    slm__release(tokens);
    if (status == SLM_OK) status = slm_corpus_set_tokenizer(*out, tokenizer, err);
    if (status == SLM_OK) {
        (*out)->bytes = size;
        return SLM_OK;
    }
    slm_corpus_free(*out);
    *out = NULL;
    return status;
}

#ifndef SLM_NO_FILES
/* ==== >>io ================================================================================= 15 ==
   Files: reading at any place, writing, atomic replacement, folders.  Everything below this line
   is left out by SLM_NO_FILES.  Every access to a file goes through the SLM__ macros below, so that
   a test can make the k-th access fail: it defines all of them before it includes slm.h, and the
   definitions here, which one #ifndef encloses, are skipped. */
#include <errno.h>

#ifndef SLM__FOPEN
/* These give what the functions of <stdio.h> give, where FREAD and FWRITE count bytes. */
#define SLM__FREAD(bytes, n, stream) fread(bytes, 1, n, stream)
#define SLM__FWRITE(bytes, n, stream) fwrite(bytes, 1, n, stream)
#define SLM__FERROR(stream) ferror(stream)
#define SLM__FCLOSE(stream) fclose(stream)

/* The others differ between systems.  FOPEN gives what fopen gives.  ACCESS gives 0 if there is a
   file or folder of that name.  REMOVE, FSEEK, FSYNC, RENAME, MKDIR and SYNC_FOLDER give 0 if all
   went well, FTELL gives the offset or -1. */
#ifdef _WIN32
#include <direct.h>
#include <io.h>

/* From <windows.h>, which would bring thousands of names along. */
#ifdef __cplusplus
extern "C" {
#endif
__declspec(dllimport) int __stdcall MoveFileExW(const wchar_t *from, const wchar_t *to,
                                                unsigned long flags);
__declspec(dllimport) int __stdcall MultiByteToWideChar(unsigned int code, unsigned long flags,
                                                        const char *text, int n_text, wchar_t *wide,
                                                        int n_wide);
#ifdef __cplusplus
}
#endif

/* MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH: replaces the target, returns once on disk. */
#define SLM__MOVE_FLAGS (1 | 8)

enum { SLM__WIDE_PATH = 4096, SLM__UTF8 = 65001, SLM__INVALID_CHARS = 8 };

/* Paths are UTF-8; the system wants wide characters.  Returns 0, with errno set, if the path is not
   UTF-8 or too long. */
static int slm__wide_path(wchar_t wide[SLM__WIDE_PATH], const char *path) {
    int n = MultiByteToWideChar(SLM__UTF8, SLM__INVALID_CHARS, path, -1, wide, SLM__WIDE_PATH);

    if (n <= 0) errno = ENOENT;
    return n > 0;
}

/* mode: letters of ASCII. */
static FILE *slm__wide_open(const char *path, const char *mode) {
    wchar_t wide[SLM__WIDE_PATH];
    wchar_t wide_mode[8];

    if (!slm__wide_path(wide, path)) return NULL;
    if (MultiByteToWideChar(SLM__UTF8, 0, mode, -1, wide_mode, 8) <= 0) return NULL;
    return _wfopen(wide, wide_mode);
}

static int slm__wide_access(const char *path) {
    wchar_t wide[SLM__WIDE_PATH];

    return slm__wide_path(wide, path) ? _waccess(wide, 0) : -1;
}

static int slm__wide_remove(const char *path) {
    wchar_t wide[SLM__WIDE_PATH];

    return slm__wide_path(wide, path) ? _wremove(wide) : -1;
}

static int slm__wide_rename(const char *from, const char *to) {
    wchar_t wide_from[SLM__WIDE_PATH];
    wchar_t wide_to[SLM__WIDE_PATH];

    if (!slm__wide_path(wide_from, from) || !slm__wide_path(wide_to, to)) return -1;
    if (MoveFileExW(wide_from, wide_to, SLM__MOVE_FLAGS)) return 0;
    errno = EACCES;
    return -1;
}

static int slm__wide_mkdir(const char *path) {
    wchar_t wide[SLM__WIDE_PATH];

    return slm__wide_path(wide, path) ? _wmkdir(wide) : -1;
}

#define SLM__FOPEN(path, mode) slm__wide_open(path, mode)
#define SLM__ACCESS(path) slm__wide_access(path)
#define SLM__REMOVE(path) slm__wide_remove(path)
#define SLM__FSEEK(stream, offset, whence) _fseeki64(stream, (long long)(offset), whence)
#define SLM__FTELL(stream) _ftelli64(stream)
#define SLM__FSYNC(stream) (fflush(stream) != 0 || _commit(_fileno(stream)) != 0)
#define SLM__RENAME(from, to) slm__wide_rename(from, to)
#define SLM__MKDIR(path) slm__wide_mkdir(path)
#define SLM__SYNC_FOLDER(path) 0 /* not needed: the rename has written through */

#else /* POSIX */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__STRICT_ANSI__) && !defined(__cplusplus) && !defined(fileno)
extern int fileno(FILE *stream), fsync(int descriptor); /* -std=c99 hides these two. */
#endif

/* Syncs the directory, so that a rename survives a power cut.  Returns 0 if that went well, also if
   the directory cannot be opened or (EINVAL) the file system cannot sync directories. */
static int slm__sync_folder(const char *path) {
    int descriptor = open(path, O_RDONLY);
    int failed = 0;

    if (descriptor < 0) return 0;
    if (fsync(descriptor) != 0) failed = errno != EINVAL;
    (void)close(descriptor);
    return failed;
}

#define SLM__FOPEN(path, mode) fopen(path, mode)
#define SLM__ACCESS(path) access(path, F_OK)
#define SLM__REMOVE(path) remove(path)
/* fseek takes a long, which may be too small for the offset. */
#define SLM__FSEEK(stream, offset, whence)                                                         \
    ((uint64_t)(offset) > LONG_MAX ? -1 : fseek(stream, (long)(offset), whence))
#define SLM__FTELL(stream) ftell(stream)
#define SLM__FSYNC(stream) (fflush(stream) != 0 || fsync(fileno(stream)) != 0)
#define SLM__RENAME(from, to) rename(from, to)
#define SLM__MKDIR(path) mkdir(path, 0777) /* less what the process masks (umask) */
#define SLM__SYNC_FOLDER(path) slm__sync_folder(path)
#endif /* POSIX */
#endif /* no test has defined SLM__FOPEN and the rest */

/* Mode of fopen for a file that must be new: "x" fails if there is a file, or a link, of that name.
   The older C library of Windows does not know it. */
#ifdef _WIN32
#define SLM__NEW_FILE "wb"
#else
#define SLM__NEW_FILE "wbx"
#endif

/* ---- paths ---- */
enum { SLM__PATH = 4096 }; /* bytes of the longest path, with its NUL */

/* Writes a followed by b. */
static slm_status slm__path_concat(char out[SLM__PATH], const char *a, const char *b,
                                   slm_error *err) {
    int n = snprintf(out, SLM__PATH, "%s%s", a, b);

    if (n >= 0 && n < SLM__PATH) return SLM_OK;
    return slm__fail(err, SLM_ERR_ARGUMENT, "%.80s...: a path above %d bytes", a, SLM__PATH - 1);
}

/* Returns 1 if the file exists, also if the system does not say so: the read that follows reports
   why.  Nothing is opened, since that takes memory: where there is none left, a file would be found
   that is not there. */
static int slm__exists(const char *path) {
    return SLM__ACCESS(path) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* Syncs the folder that holds `path`: until then a power cut may take the name away.  (On Windows
   there is nothing to do, so that a backslash is a part of a name here.) */
static slm_status slm__sync_name(const char *path, slm_error *err) {
    char folder[SLM__PATH];
    size_t n = strlen(path);

    while (n > 0 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    if (n > SLM__PATH - 2)
        return slm__fail(err, SLM_ERR_ARGUMENT, "%.80s...: a path above %d bytes", path,
                         SLM__PATH - 1);
    memcpy(folder, path, n);
    memcpy(folder + n, ".", 2); /* "a/b/c" becomes "a/b/." */
    if (SLM__SYNC_FOLDER(folder) == 0) return SLM_OK;
    return slm__fail(err, SLM_ERR_IO, "%s: cannot sync: %s", folder, strerror(errno));
}

/* Makes the folder, or finds that it exists.  The folder above it must exist. */
static slm_status slm__make_folder(const char *path, slm_error *err) {
    if (SLM__MKDIR(path) == 0) return slm__sync_name(path, err);
    if (errno == EEXIST) return SLM_OK;
    return slm__fail(err, SLM_ERR_IO, "%s: cannot make the folder: %s", path, strerror(errno));
}

/* ---- an open file ----
   The first error sticks: every later call does nothing and returns the same status, so that a
   sequence of calls is checked once, at its end. */
typedef struct slm__file {
    FILE *stream; /* NULL if the file could not be opened */
    slm_error *err;
    slm_status status; /* the first error */
    char path[SLM__PATH];
} slm__file;

/* Opening a file allocates memory too. */
static slm_status slm__file_fail(slm__file *file, const char *action) {
    if (file->status == SLM_OK) {
        slm_status status = errno == ENOMEM ? SLM_ERR_MEMORY : SLM_ERR_IO;
        file->status =
            slm__fail(file->err, status, "%s: cannot %s: %s", file->path, action, strerror(errno));
    }
    return file->status;
}

/* Opens the file whose path is a followed by b. */
static slm_status slm__file_open(slm__file *file, const char *a, const char *b, const char *mode,
                                 slm_error *err) {
    file->stream = NULL;
    file->err = err;
    file->status = slm__path_concat(file->path, a, b, err);
    if (file->status != SLM_OK) return file->status;

    file->stream = SLM__FOPEN(file->path, mode);
    if (file->stream == NULL) return slm__file_fail(file, "open");
    return SLM_OK;
}

static void slm__file_close(slm__file *file) {
    if (file->stream != NULL) (void)SLM__FCLOSE(file->stream);
}

/* Returns the size in bytes, 0 after an error. */
static uint64_t slm__file_size(slm__file *file) {
    long long end = -1;

    if (file->status != SLM_OK) return 0;
    if (SLM__FSEEK(file->stream, 0, SEEK_END) == 0) end = SLM__FTELL(file->stream);
    if (end >= 0) return (uint64_t)end;

    (void)slm__file_fail(file, "find the size");
    return 0;
}

/* Reads exactly n bytes, from byte `offset` on. */
static slm_status slm__file_read_at(slm__file *file, uint64_t offset, void *bytes, size_t n) {
    if (file->status != SLM_OK) return file->status;
    if (SLM__FSEEK(file->stream, offset, SEEK_SET) != 0) return slm__file_fail(file, "seek");
    if (SLM__FREAD(bytes, n, file->stream) == n) return SLM_OK;
    if (SLM__FERROR(file->stream)) return slm__file_fail(file, "read");

    file->status = slm__fail(file->err, SLM_ERR_FORMAT, "%s: the file ends too early", file->path);
    return file->status;
}

static slm_status slm__file_append(slm__file *file, const void *bytes, size_t n) {
    if (file->status != SLM_OK) return file->status;
    if (SLM__FWRITE(bytes, n, file->stream) != n) return slm__file_fail(file, "write");
    return SLM_OK;
}

/* ---- atomic replacement: a new file is written beside the old one and then renamed ---- */

/* Opens the new file beside `path`.  What has its name was left by a run that was killed, or is a
   link that somebody else made.  It is removed, and not followed. */
static slm_status slm__file_create(slm__file *file, const char *path, slm_error *err) {
    file->stream = NULL;
    file->err = err;
    file->status = slm__path_concat(file->path, path, ".tmp", err);
    if (file->status != SLM_OK) return file->status;

    file->stream = SLM__FOPEN(file->path, SLM__NEW_FILE);
    if (file->stream == NULL && errno == EEXIST) {
        (void)SLM__REMOVE(file->path);
        file->stream = SLM__FOPEN(file->path, SLM__NEW_FILE);
    }
    if (file->stream == NULL) return slm__file_fail(file, "open");
    return SLM_OK;
}

/* Closes a file of slm__file_create and renames it to `path`.  Whatever fails, `path` then names
   the old file or the whole new one. */
static slm_status slm__file_commit(slm__file *file, const char *path) {
    if (file->stream == NULL) return file->status;

    if (file->status == SLM_OK && SLM__FSYNC(file->stream) != 0)
        (void)slm__file_fail(file, "write");
    if (SLM__FCLOSE(file->stream) != 0) (void)slm__file_fail(file, "close");
    if (file->status == SLM_OK && SLM__RENAME(file->path, path) != 0)
        (void)slm__file_fail(file, "rename");

    if (file->status == SLM_OK) return slm__sync_name(path, file->err);
    (void)SLM__REMOVE(file->path);
    return file->status;
}

SLM_API slm_status slm_file_write(const char *path, const void *bytes, size_t size,
                                  slm_error *err) {
    slm__file file;

    (void)slm__file_create(&file, path, err);
    (void)slm__file_append(&file, bytes, size);
    return slm__file_commit(&file, path);
}

/* ---- a whole file at once ---- */
/* Bytes by which the buffer grows at least. */
#ifndef SLM__READ_STEP
#define SLM__READ_STEP 65536
#endif

/* Bytes that are read of what does not tell its size: a pipe, or a device that never ends. */
#ifndef SLM__STREAM_MAX
#define SLM__STREAM_MAX ((uint64_t)3 << 30)
#endif

/* Refuses to go on reading if the file does not say that it is as large as what has been read. */
static void slm__file_check_endless(slm__file *file, uint64_t n_read) {
    long long end = -1;

    if (SLM__FSEEK(file->stream, 0, SEEK_END) == 0) end = SLM__FTELL(file->stream);
    if (end > 0 && (uint64_t)end >= n_read) {
        if (SLM__FSEEK(file->stream, n_read, SEEK_SET) != 0) (void)slm__file_fail(file, "seek");
        return;
    }
    file->status = slm__fail(file->err, SLM_ERR_FORMAT,
                             "%s: more than %llu MiB from what is no plain file: write it to one",
                             file->path, (unsigned long long)(SLM__STREAM_MAX >> 20));
}

/* Reads to the end without asking for the size first, so that a pipe can be read too. */
static void slm__file_read_rest(slm__file *file, slm__buffer *buffer) {
    int checked = 0;

    while (file->status == SLM_OK) {
        size_t room, n;

        if (!checked && buffer->size > SLM__STREAM_MAX) {
            slm__file_check_endless(file, buffer->size);
            checked = 1;
        }
        if (file->status != SLM_OK) return;
        file->status = slm__buffer_reserve(buffer, SLM__READ_STEP, file->err);
        if (file->status != SLM_OK) return;

        room = buffer->capacity - buffer->size - 1; /* a NUL will follow */
        if (!checked && room > SLM__STREAM_MAX + 1 - buffer->size)
            room = (size_t)(SLM__STREAM_MAX + 1 - buffer->size);
        n = SLM__FREAD(buffer->data + buffer->size, room, file->stream);
        buffer->size += n;
        if (n == 0) break;
    }
    if (SLM__FERROR(file->stream)) (void)slm__file_fail(file, "read");
}

SLM_API slm_status slm_file_read(char **bytes, size_t *size, const char *path, slm_error *err) {
    slm__buffer buffer = {NULL, 0, 0};
    slm__file file;

    if (slm__file_open(&file, path, "", "rb", err) == SLM_OK) slm__file_read_rest(&file, &buffer);
    slm__file_close(&file);
    if (file.status != SLM_OK) {
        slm__release(buffer.data);
        return file.status;
    }
    buffer.data[buffer.size] = 0;
    *bytes = buffer.data;
    *size = buffer.size;
    return SLM_OK;
}

/* ==== >>json =============================================================================== 16 ==
   A strict reader and a small writer of JSON (RFC 8259).  One pass checks the whole text and lists
   its values in the order of the text, each before what is inside it; a loader then looks up what
   it needs.  The first error sticks, and its message names the file, the byte and the field.
   Refused besides bad grammar: a byte order mark, bad UTF-8, lone surrogates, more than 64 levels,
   and a member that an object holds twice, if it is looked up. */
enum { SLM__JSON_DEPTH = 64 }; /* most objects and arrays inside each other */

typedef enum slm__json_kind {
    SLM__JSON_NULL,
    SLM__JSON_FALSE,
    SLM__JSON_TRUE,
    SLM__JSON_NUMBER,
    SLM__JSON_STRING,
    SLM__JSON_ARRAY,
    SLM__JSON_OBJECT
} slm__json_kind;

/* A value of the list.  Members are listed as a string, the name, that contains the value.  So
       for (v = first; v != end; v = slm__json_next(v))
   visits the items of an array, or the names of an object, where v + 1 is the value of name v. */
typedef struct slm__value {
    slm__json_kind kind;
    const char *start; /* its first byte in the input */
    const char *text;  /* of a string: decoded, with a NUL after it; of others: start */
    size_t size;       /* bytes of text */
    size_t n_values;   /* this one and all inside it */
} slm__value;

typedef struct slm__json {
    const char *input, *next, *end; /* the whole input, its next byte, its end */
    const char *name;               /* for messages: the file */
    const char *field;              /* for messages: what is looked up; "": nothing yet */
    slm__buffer values;             /* slm__value */
    char *strings;                  /* the decoded strings */
    char *free;                     /* where in `strings` the next one goes */
    slm_error *err;
    slm_status status; /* the first error */
} slm__json;

/* Refuses the value v, or the next byte if v is NULL. */
static slm_status slm__json_fail(slm__json *j, const slm__value *v, const char *what) {
    const char *place = v != NULL ? v->start : j->next;
    const char *separator = j->field[0] != 0 ? ": " : "";

    if (j->status == SLM_OK)
        j->status = slm__fail(j->err, SLM_ERR_FORMAT, "%s: byte %zu: %.99s%s%s", j->name,
                              (size_t)(place - j->input), j->field, separator, what);
    return j->status;
}

/* ---- the list of values ---- */
/* Appends a value that begins at the next byte.  Returns its index. */
static size_t slm__json_begin(slm__json *j, slm__json_kind kind) {
    const char *text = kind == SLM__JSON_STRING ? j->free : j->next;
    slm__value v = {kind, j->next, text, 0, 1};
    size_t index = SLM__N_ITEMS(slm__value, j->values);

    slm__buffer_append_if_ok(&j->status, &j->values, &v, sizeof v, j->err);
    return index;
}

/* Completes the value once all inside it is listed; its text ends at text_end. */
static void slm__json_complete(slm__json *j, size_t index, const char *text_end) {
    slm__value *v;

    if (j->status != SLM_OK) return;
    v = SLM__ITEMS(slm__value, j->values) + index;
    v->size = (size_t)(text_end - v->text);
    v->n_values = SLM__N_ITEMS(slm__value, j->values) - index;
}

/* ---- the grammar: one rule a function, in the order of RFC 8259 ----
   Each passes over what its rule describes, or fails.  After a failure there is no next byte. */
static void slm__json_value(slm__json *j, int depth);
static void slm__json_object(slm__json *j, int depth);
static void slm__json_array(slm__json *j, int depth);
static int slm__json_number(slm__json *j);
static void slm__json_string(slm__json *j);

/* The next byte as a number, or -1 at the end of the input and after a failure. */
static int slm__json_peek(const slm__json *j) {
    if (j->status != SLM_OK || j->next == j->end) return -1;
    return (unsigned char)*j->next;
}

/* Passes over the next byte if it is one of `set`.  Returns 1 if it was. */
static int slm__json_accept(slm__json *j, const char *set) {
    int byte = slm__json_peek(j);

    if (byte <= 0 || strchr(set, byte) == NULL) return 0;
    j->next++;
    return 1;
}

/* 2. ws = *( space / tab / line feed / carriage return ) */
static void slm__json_space(slm__json *j) {
    while (slm__json_accept(j, " \t\n\r"))
        continue;
}

/* 2. The structural characters, with white space around them. */
static int slm__json_accept_structural(slm__json *j, const char *character) {
    slm__json_space(j);
    if (!slm__json_accept(j, character)) return 0;
    slm__json_space(j);
    return 1;
}

/* 2. JSON-text = ws value ws */
static void slm__json_document(slm__json *j) {
    slm__json_space(j);
    slm__json_value(j, 0);
    slm__json_space(j);
    if (slm__json_peek(j) >= 0) (void)slm__json_fail(j, NULL, "something follows after the end");
}

/* 3. false, null and true are written out. */
static int slm__json_literal(slm__json *j, const char *word) {
    size_t n = strlen(word);

    if ((size_t)(j->end - j->next) < n || memcmp(j->next, word, n) != 0) return 0;
    j->next += n;
    return 1;
}

/* The first byte of a value tells its kind; what is none of the others can only be a number. */
static slm__json_kind slm__json_kind_of(int first) {
    switch (first) {
    case 'n': return SLM__JSON_NULL;
    case 'f': return SLM__JSON_FALSE;
    case 't': return SLM__JSON_TRUE;
    case '"': return SLM__JSON_STRING;
    case '[': return SLM__JSON_ARRAY;
    case '{': return SLM__JSON_OBJECT;
    default: return SLM__JSON_NUMBER;
    }
}

/* 3. value = false / null / true / object / array / number / string */
static void slm__json_value(slm__json *j, int depth) {
    slm__json_kind kind = slm__json_kind_of(slm__json_peek(j));
    size_t index = slm__json_begin(j, kind);
    int good = 1;

    switch (kind) {
    case SLM__JSON_NULL:
        good = slm__json_literal(j, "null");
        break;
    case SLM__JSON_FALSE:
        good = slm__json_literal(j, "false");
        break;
    case SLM__JSON_TRUE:
        good = slm__json_literal(j, "true");
        break;
    case SLM__JSON_NUMBER:
        good = slm__json_number(j);
        break;
    case SLM__JSON_STRING:
        slm__json_string(j);
        break;
    case SLM__JSON_ARRAY:
        slm__json_array(j, depth + 1);
        break;
    case SLM__JSON_OBJECT:
        slm__json_object(j, depth + 1);
        break;
    }
    if (!good) (void)slm__json_fail(j, NULL, "a JSON value was expected");
    slm__json_complete(j, index, kind == SLM__JSON_STRING ? j->free - 1 : j->next);
}

/* Each level is a few calls deep: the limit protects the stack. */
static void slm__json_check_depth(slm__json *j, int depth) {
    if (depth > SLM__JSON_DEPTH) (void)slm__json_fail(j, NULL, "nested more than 64 levels deep");
}

/* 4. member = string name-separator value */
static void slm__json_member(slm__json *j, int depth) {
    size_t index = slm__json_begin(j, SLM__JSON_STRING);
    const char *name_end;

    if (slm__json_peek(j) == '"')
        slm__json_string(j);
    else
        (void)slm__json_fail(j, NULL, "a name was expected");
    name_end = j->free - 1;

    if (!slm__json_accept_structural(j, ":")) (void)slm__json_fail(j, NULL, "':' was expected");
    if (j->status == SLM_OK) slm__json_value(j, depth);
    slm__json_complete(j, index, name_end);
}

/* 4. object = begin-object [ member *( value-separator member ) ] end-object */
static void slm__json_object(slm__json *j, int depth) {
    slm__json_check_depth(j, depth);
    (void)slm__json_accept_structural(j, "{");
    if (slm__json_accept(j, "}")) return;

    do {
        if (j->status == SLM_OK) slm__json_member(j, depth);
    } while (slm__json_accept_structural(j, ","));
    if (!slm__json_accept(j, "}")) (void)slm__json_fail(j, NULL, "',' or the end was expected");
}

/* 5. array = begin-array [ value *( value-separator value ) ] end-array */
static void slm__json_array(slm__json *j, int depth) {
    slm__json_check_depth(j, depth);
    (void)slm__json_accept_structural(j, "[");
    if (slm__json_accept(j, "]")) return;

    do {
        if (j->status == SLM_OK) slm__json_value(j, depth);
    } while (slm__json_accept_structural(j, ","));
    if (!slm__json_accept(j, "]")) (void)slm__json_fail(j, NULL, "',' or the end was expected");
}

/* 6. 1*DIGIT */
static int slm__json_digits(slm__json *j) {
    if (!slm__json_accept(j, "0123456789")) return 0;
    while (slm__json_accept(j, "0123456789"))
        continue;
    return 1;
}

/* 6. number = [ minus ] int [ frac ] [ exp ].  Returns 0 if it is none. */
static int slm__json_number(slm__json *j) {
    (void)slm__json_accept(j, "-");
    if (!slm__json_accept(j, "0") && !slm__json_digits(j)) return 0;
    if (slm__json_accept(j, ".") && !slm__json_digits(j)) return 0;
    if (slm__json_accept(j, "eE")) {
        (void)slm__json_accept(j, "+-");
        if (!slm__json_digits(j)) return 0;
    }
    return 1;
}

/* 7. %x75 4HEXDIG: the uXXXX of an escape.  Returns the number, -1 if it is no such escape. */
static int32_t slm__json_code_unit(slm__json *j) {
    char digits[5] = "";

    if (!slm__json_accept(j, "u")) return -1;
    for (int i = 0; i < 4; i++) {
        if (!slm__json_accept(j, "0123456789abcdefABCDEF")) return -1;
        digits[i] = j->next[-1];
    }
    return (int32_t)strtol(digits, NULL, 16);
}

enum { SLM__JSON_HALF_PAIR = -2 };

/* 7. What follows a backslash.  Returns the character that is meant, -1 if the escape is bad, and
   HALF_PAIR if it is half of a surrogate pair. */
static int32_t slm__json_escape(slm__json *j) {
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    int32_t high, low;

    if (slm__json_accept(j, letters)) return meanings[strchr(letters, j->next[-1]) - letters];

    /* Above U+FFFF a character is a pair of surrogates: D800 to DBFF, then DC00 to DFFF. */
    high = slm__json_code_unit(j);
    if (high < 0xD800 || high >= 0xE000) return high;
    if (high >= 0xDC00 || !slm__json_accept(j, "\\")) return SLM__JSON_HALF_PAIR;
    low = slm__json_code_unit(j);
    if (low < 0xDC00 || low >= 0xE000) return SLM__JSON_HALF_PAIR;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/* Writes code point c as UTF-8 to out (4).  Returns the number of bytes.  Only files need it. */
static SLM__MAYBE_UNUSED int slm__utf8_put(char *out, int32_t c) {
    static const int32_t lead[5] = {0, 0, 0xC0, 0xE0, 0xF0}; /* the first byte without payload */
    int n = 1;

    if (c >= 0x80) n = 2;
    if (c >= 0x800) n = 3;
    if (c >= 0x10000) n = 4;
    for (int i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    out[0] = (char)(lead[n] | c);
    return n;
}

/* 7. char = unescaped / escape ...: appends the character to the decoded string. */
static void slm__json_char(slm__json *j) {
    size_t n;
    int32_t c = slm__utf8(j->next, j->end, &n);

    if (c < 0) {
        (void)slm__json_fail(j, NULL, "not UTF-8");
        return;
    }
    if (c < 0x20) {
        (void)slm__json_fail(j, NULL, "a control character in a string");
        return;
    }
    j->next += n;
    if (c == '\\') {
        c = slm__json_escape(j);
        if (c < 0) {
            const char *half = "a lone surrogate, half of a pair like \\ud83d\\ude00, in a string";
            (void)slm__json_fail(j, NULL,
                                 c == SLM__JSON_HALF_PAIR ? half : "a bad escape in a string");
            return;
        }
    }
    j->free += slm__utf8_put(j->free, c);
}

/* 7. string = quotation-mark *char quotation-mark.  Never longer decoded than in the input. */
static void slm__json_string(slm__json *j) {
    (void)slm__json_accept(j, "\"");
    while (slm__json_peek(j) >= 0 && slm__json_peek(j) != '"')
        slm__json_char(j);
    if (slm__json_accept(j, "\""))
        *j->free++ = 0;
    else
        (void)slm__json_fail(j, NULL, "a string does not end");
}

/* ---- open and close ---- */
/* Checks the whole text, which must stay while the reader is in use.  Whatever the status, close
   it. */
static slm_status slm__json_open(slm__json *j, const char *text, size_t size, const char *name,
                                 slm_error *err) {
    memset(j, 0, sizeof *j);
    j->input = text;
    j->next = text;
    j->end = text + size;
    j->name = name;
    j->field = "";
    j->err = err;
    j->strings = (char *)slm__alloc(size, 1, err);
    j->free = j->strings;
    if (j->strings == NULL)
        j->status = SLM_ERR_MEMORY;
    else
        slm__json_document(j);
    return j->status;
}

static void slm__json_close(slm__json *j) {
    slm__release(j->values.data);
    slm__release(j->strings);
}

/* ---- looking things up ----
   A value that is not there is NULL.  After a failure all return NULL, 0 or "". */
static const slm__value *slm__json_root(const slm__json *j) {
    return j->status == SLM_OK ? SLM__ITEMS(const slm__value, j->values) : NULL;
}

static const slm__value *slm__json_next(const slm__value *v) {
    return v + v->n_values;
}

static int slm__json_is(const slm__value *v, slm__json_kind kind) {
    return v != NULL && v->kind == kind;
}

static int slm__json_is_text(const slm__value *v, const char *text) {
    return slm__json_is(v, SLM__JSON_STRING) && v->size == strlen(text) &&
           memcmp(v->text, text, v->size) == 0;
}

/* Returns 1 if the condition holds; else refuses v, as "missing" if it is NULL. */
static int slm__json_require(slm__json *j, const slm__value *v, int condition, const char *what) {
    if (!condition) (void)slm__json_fail(j, v, v == NULL ? "missing" : what);
    return j->status == SLM_OK;
}

/* The first item of an array; go on to *end by slm__json_next. */
static const slm__value *slm__json_items(slm__json *j, const slm__value *v,
                                         const slm__value **end) {
    *end = NULL;
    if (!slm__json_require(j, v, slm__json_is(v, SLM__JSON_ARRAY), "an array was expected"))
        return NULL;
    *end = slm__json_next(v);
    return v + 1;
}

/* The first name of an object; go on to *end by slm__json_next. */
static const slm__value *slm__json_members(slm__json *j, const slm__value *v,
                                           const slm__value **end) {
    *end = NULL;
    if (!slm__json_require(j, v, slm__json_is(v, SLM__JSON_OBJECT), "an object was expected"))
        return NULL;
    *end = slm__json_next(v);
    return v + 1;
}

/* A member of an object, or NULL if it is not there.  An object that is NULL has no members.  From
   now on messages name this field. */
static const slm__value *slm__json_get_or_null(slm__json *j, const slm__value *object,
                                               const char *name) {
    const slm__value *v, *end;
    const slm__value *found = NULL;

    j->field = name;
    if (object == NULL) return NULL;
    for (v = slm__json_members(j, object, &end); v != end; v = slm__json_next(v)) {
        if (!slm__json_is_text(v, name)) continue;
        if (!slm__json_require(j, v, found == NULL, "is there twice")) return NULL;
        found = v + 1;
    }
    return found;
}

/* A member of an object, or NULL if it is not there or null. */
static const slm__value *slm__json_get(slm__json *j, const slm__value *object, const char *name) {
    const slm__value *v = slm__json_get_or_null(j, object, name);

    return slm__json_is(v, SLM__JSON_NULL) ? NULL : v;
}

static const char *slm__json_text(slm__json *j, const slm__value *v) {
    if (!slm__json_require(j, v, slm__json_is(v, SLM__JSON_STRING), "a string was expected"))
        return "";
    if (!slm__json_require(j, v, strlen(v->text) == v->size, "a NUL in a string")) return "";
    return v->text;
}

static int slm__json_bool(slm__json *j, const slm__value *v) {
    int good = slm__json_is(v, SLM__JSON_TRUE) || slm__json_is(v, SLM__JSON_FALSE);

    if (!slm__json_require(j, v, good, "true or false was expected")) return 0;
    return v->kind == SLM__JSON_TRUE;
}

static int slm__json_bool_or(slm__json *j, const slm__value *object, const char *name,
                             int otherwise) {
    const slm__value *v = slm__json_get(j, object, name);

    return v != NULL ? slm__json_bool(j, v) : otherwise;
}

/* A whole number, written in digits alone: no sign, point or exponent. */
static uint64_t slm__json_u64(slm__json *j, const slm__value *v) {
    static const char what[] = "a whole number from 0 to 2^64 - 1 was expected";
    uint64_t value = 0;

    if (!slm__json_require(j, v, slm__json_is(v, SLM__JSON_NUMBER), what)) return 0;
    for (size_t i = 0; i < v->size; i++) {
        int digit = v->text[i] - '0';
        int good = digit >= 0 && digit <= 9;

        if (good) good = value <= (UINT64_MAX - (uint64_t)digit) / 10;
        if (!slm__json_require(j, v, good, what)) return 0;
        value = value * 10 + (uint64_t)digit;
    }
    return value;
}

/* Replaces a decimal point by another: JSON writes '.', strtod and printf use the locale's. */
static void slm__change_point(char *text, const char *from, const char *to) {
    char *point = strstr(text, from);

    if (point == NULL) return;
    memmove(point + strlen(to), point + strlen(from), strlen(point + strlen(from)) + 1);
    memcpy(point, to, strlen(to));
}

/* Correctly rounded, in any locale.  A number of 200 characters or more is refused. */
static double slm__json_double(slm__json *j, const slm__value *v) {
    static const char what[] = "a number in the range of double is needed";
    char copy[256] = "";
    char *stop = copy;
    double value;

    if (slm__json_is(v, SLM__JSON_NUMBER) && v->size < 200) memcpy(copy, v->text, v->size);
    slm__change_point(copy, ".", localeconv()->decimal_point);
    value = strtod(copy, &stop);
    if (!slm__json_require(j, v, stop > copy && *stop == 0 && fabs(value) <= DBL_MAX, what))
        return 0;
    return value;
}

/* ---- messages that quote what a file says ---- */
static void slm__printable(char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~') text[i] = '?';
}

/* Refuses v and quotes the beginning of it. */
static void slm__json_fail_quoting(slm__json *j, const slm__value *v, const char *why) {
    char what[200] = "missing";

    if (v != NULL)
        (void)snprintf(what, sizeof what, "%s %.*s", why, v->size < 60 ? (int)v->size : 60,
                       v->text);
    slm__printable(what, strlen(what));
    (void)slm__json_fail(j, v, what);
}

/* Refuses a field that is set to anything but null, false, 0 or "". */
static void slm__json_must_be_unset(slm__json *j, const slm__value *object, const char *name) {
    const slm__value *v = slm__json_get(j, object, name);
    const slm__value *type = NULL;

    if (v == NULL || v->kind == SLM__JSON_FALSE || slm__json_is_text(v, "")) return;
    if (v->kind == SLM__JSON_NUMBER && v->start[0] == '0' && !(slm__json_double(j, v) > 0)) return;

    if (v->kind == SLM__JSON_OBJECT) type = slm__json_get(j, v, "type");
    j->field = name;
    slm__json_fail_quoting(j, type != NULL ? type : v, "not supported:");
}

/* ---- writing: text that grows; the first error sticks ---- */
typedef struct slm__writer {
    slm__buffer text; /* release text.data at the end */
    slm_error *err;
    slm_status status; /* the first error */
} slm__writer;

enum { SLM__PRINT = 2048 }; /* bytes that slm__print can append at a time, with a NUL */

/* Appends text like printf. */
SLM__PRINTF(2, 3)

static void slm__print(slm__writer *w, const char *format, ...) {
    char text[SLM__PRINT];
    int n;
    va_list args;

    va_start(args, format);
    n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (w->status == SLM_OK && (n < 0 || n >= SLM__PRINT))
        w->status = slm__fail(w->err, SLM_ERR_ARGUMENT, "text above %d bytes", SLM__PRINT - 1);
    if (w->status == SLM_OK) w->status = slm__buffer_append(&w->text, text, (size_t)n, w->err);
}

/* Appends n bytes of UTF-8 as a JSON string, with its quotation marks. */
static void slm__print_string(slm__writer *w, const char *string, size_t n) {
    const char *end = string + n;

    slm__print(w, "\"");
    for (const char *p = string; p < end && w->status == SLM_OK; p += n) {
        int32_t c = slm__utf8(p, end, &n);

        if (c < 0)
            w->status = slm__fail(w->err, SLM_ERR_ARGUMENT,
                                  "text that is not UTF-8 cannot be written as JSON");
        else if (c < 0x20)
            slm__print(w, "\\u%04x", (unsigned)c);
        else
            slm__print(w, "%s%.*s", c == '"' || c == '\\' ? "\\" : "", (int)n, p);
    }
    slm__print(w, "\"");
}

/* The shortest of 15, 16 or 17 digits that reads back as the same double, with a '.' or an
   exponent, so that it is no integer.  Returns 0 if the value is not finite. */
static int slm__double_text(char text[48], double value) {
    if (!(fabs(value) <= DBL_MAX)) return 0;
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, 40, "%.*g", digits, value);
        if (!(fabs(strtod(text, NULL) - value) > 0)) break;
    }
    slm__change_point(text, localeconv()->decimal_point, ".");
    if (strpbrk(text, ".e") == NULL) memcpy(text + strlen(text), ".0", 3);
    return 1;
}

/* ==== >>formats ============================================================================ 17 ==
   Everything that is stored: safetensors, and in them models, losses and runs; tokenizer.json;
   text and JSONL; config.json.  Nothing that a file says is believed before it is checked: lengths
   and offsets against the size of the file, shapes against the model, names against the table. */

/* ---- numbers in files ----
   Numbers are stored lowest byte first:
       F32, F64   IEEE 754
       BF16       the upper half of an F32
       F16        1 bit of sign, 5 of exponent (bias 15), 10 of fraction

   The table has a row for every dtype of the format, not only for the four that are read: a file
   may hold tensors of any of them, and their sizes are needed to check its offsets.  A slm_dtype
   is the index of its row, so the rows must keep the order of enum slm_dtype; a new dtype goes to
   the end of both.  Sizes are in bits because some types fill no whole byte. */
static const struct {
    const char *name; /* as it is written in a file */
    int bits;         /* of one number */
} slm__dtypes[] = {
    {"native", 0}, /* a request to use the type of slm_real; refused in a file */
    {"F32", 32},
    {"F16", 16},
    {"BF16", 16},
    {"F64", 64},
    {"BOOL", 8}, /* from here on: only listed, see slm__dtype_is_readable */
    {"U8", 8},
    {"I8", 8},
    {"I16", 16},
    {"U16", 16},
    {"I32", 32},
    {"U32", 32},
    {"I64", 64},
    {"U64", 64},
    {"C64", 64},
    {"F8_E5M2", 8},
    {"F8_E4M3", 8},
    {"F8_E8M0", 8},
    {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8},
    {"F4", 4},
    {"F6_E2M3", 6},
    {"F6_E3M2", 6},
};

SLM_API const char *slm_dtype_name(slm_dtype dtype) {
    return (size_t)dtype < SLM__COUNT(slm__dtypes) ? slm__dtypes[dtype].name : "unknown";
}

/* The dtype of slm_real. */
static slm_dtype slm__native_dtype(void) {
    return sizeof(slm_real) == 4 ? SLM_DTYPE_F32 : SLM_DTYPE_F64;
}

/* 1 for the dtypes that are read into slm_real; the others are only listed. */
static int slm__dtype_is_readable(slm_dtype dtype) {
    return dtype >= SLM_DTYPE_F32 && dtype <= SLM_DTYPE_F64;
}

/* Bytes of one number, for a dtype that is readable: the sizes of the others may be less than a
   byte, and "native" has none. */
static size_t slm__dtype_size(slm_dtype dtype) {
    return (size_t)slm__dtypes[dtype].bits / 8;
}

static double slm__f32_value(uint32_t bits) {
    float value;

    memcpy(&value, &bits, 4);
    return (double)value;
}

static double slm__f64_value(uint64_t bits) {
    double value;

    memcpy(&value, &bits, 8);
    return value;
}

/* Exponent 0: multiples of 2^-24.  Others become an F32: its bias is 127, 112 more. */
static double slm__f16_value(uint32_t bits) {
    uint32_t sign = bits >> 15;
    uint32_t exponent = bits >> 10 & 31;
    uint32_t fraction = bits & 1023;
    double unit = sign ? -1.0 / 16777216 : 1.0 / 16777216;
    uint32_t exponent32 = exponent == 31 ? 255 : exponent + 112;

    if (exponent == 0) return fraction * unit;
    return slm__f32_value(sign << 31 | exponent32 << 23 | fraction << 13);
}

/* A NaN, or the nearest number, ties to even. */
static uint32_t slm__bf16_bits(uint32_t bits) {
    if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fc0;
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

static double slm__number_load(const unsigned char *p, slm_dtype dtype) {
    uint64_t bits = slm__load(p, slm__dtype_size(dtype));

    switch (dtype) {
    case SLM_DTYPE_F64: return slm__f64_value(bits);
    case SLM_DTYPE_F16: return slm__f16_value((uint32_t)bits);
    case SLM_DTYPE_BF16: return slm__f32_value((uint32_t)bits << 16);
    default: return slm__f32_value((uint32_t)bits);
    }
}

static void slm__number_store(unsigned char *p, slm_real value, slm_dtype dtype) {
    float f32 = (float)value;
    double f64 = (double)value;
    uint32_t bits32;
    uint64_t bits64;

    memcpy(&bits32, &f32, 4);
    memcpy(&bits64, &f64, 8);
    if (dtype == SLM_DTYPE_F64)
        slm__store(p, bits64, 8);
    else if (dtype == SLM_DTYPE_BF16)
        slm__store(p, slm__bf16_bits(bits32), 2);
    else
        slm__store(p, bits32, 4);
}

/* Numbers go between file and memory in slices of at most SLICE, so that no tensor is there twice;
   threads share a slice in pieces.  A slice is long because threads wait for each other at its
   end. */
#define SLM__SLICE ((size_t)1 << 22)
#define SLM__SLICE_PIECE ((size_t)1 << 14)

static void slm__piece_load(slm_real *out, const unsigned char *bytes, size_t n, slm_dtype dtype) {
    size_t size = slm__dtype_size(dtype);

    if (dtype == SLM_DTYPE_BF16) { /* that of most models: a loop of its own, for speed */
        for (size_t i = 0; i < n; i++)
            out[i] = (slm_real)slm__f32_value((uint32_t)slm__load(bytes + 2 * i, 2) << 16);
        return;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = (slm_real)slm__number_load(bytes + i * size, dtype);
}

static void slm__piece_store(unsigned char *bytes, const slm_real *values, size_t n,
                             slm_dtype dtype) {
    size_t size = slm__dtype_size(dtype);

    for (size_t i = 0; i < n; i++)
        slm__number_store(bytes + i * size, values[i], dtype);
}

static void slm__numbers_load(slm_real *out, const unsigned char *bytes, size_t n,
                              slm_dtype dtype) {
    const size_t n_pieces = slm__n_blocks(n, SLM__SLICE_PIECE);

    SLM__SHARE(dynamic, slm__threads_of(n_pieces))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)n_pieces; at++) {
        const size_t first = (size_t)at * SLM__SLICE_PIECE;
        slm__piece_load(out + first, bytes + first * slm__dtype_size(dtype),
                        slm__min(n - first, SLM__SLICE_PIECE), dtype);
    }
}

static void slm__numbers_store(unsigned char *bytes, const slm_real *values, size_t n,
                               slm_dtype dtype) {
    const size_t n_pieces = slm__n_blocks(n, SLM__SLICE_PIECE);

    SLM__SHARE(dynamic, slm__threads_of(n_pieces))
    for (ptrdiff_t at = 0; at < (ptrdiff_t)n_pieces; at++) {
        const size_t first = (size_t)at * SLM__SLICE_PIECE;
        slm__piece_store(bytes + first * slm__dtype_size(dtype), values + first,
                         slm__min(n - first, SLM__SLICE_PIECE), dtype);
    }
}

/* ---- safetensors, reading ----
   u64 N | N bytes of JSON | data
   The JSON is { "name": {"dtype": "F32", "shape": [r, c], "data_offsets": [begin, end]}, ...,
                 "__metadata__": {"key": "value", ...} }, the offsets relative to the data.
   The tensors must cover the data exactly: no gap, no overlap, no byte after the last one.  Numbers
   are read when they are asked for.  The tensors of a model may lie in several such files. */
enum { SLM__MAX_HEADER = 100000000 }; /* bytes of the JSON; the limit of the format */

/* One file, open for reading. */
typedef struct slm__st_file {
    slm__file io;
    char *text;         /* the JSON, */
    slm__json header;   /* and its values */
    uint64_t data;      /* where the data begin, in bytes from the start of the file */
    uint64_t data_size; /* bytes */
    struct slm__st_file *next;
} slm__st_file;

/* One tensor. */
typedef struct slm__st_entry {
    slm_safetensors_entry info;
    slm__st_file *file;
    uint64_t begin, end; /* its bytes in the data */
    int used;            /* 1: it has been read */
} slm__st_entry;

struct slm_safetensors {
    slm__st_file *files;    /* the one opened last comes first */
    slm__buffer entry_list; /* holds the entries */
    slm__st_entry *entries; /* (n), sorted by name */
    size_t n;
    slm__buffer slice; /* room for the bytes that are read at a time */
    int has_checksum;  /* 1: a container, whose checksum is made */
    uint64_t checksum; /* of its metadata, and of all numbers read */
};

/* Multiplies, or returns 0 if the product does not fit. */
static int slm__mul_u64(uint64_t *product, uint64_t x, uint64_t y) {
    if (y != 0 && x > UINT64_MAX / y) return 0;
    *product = x * y;
    return 1;
}

/* Reads an array of whole numbers.  Returns how many there are, at most `room`. */
static size_t slm__json_u64_list(slm__json *j, const slm__value *array, uint64_t *list,
                                 size_t room) {
    const slm__value *v, *end;
    size_t n = 0;

    for (v = slm__json_items(j, array, &end); v != end && n < room; v = slm__json_next(v))
        list[n++] = slm__json_u64(j, v);
    if (v != end) (void)slm__json_fail(j, v, "too many numbers in the list");
    return n;
}

/* Returns SLM_DTYPE_NATIVE if v is not the name of a dtype. */
static slm_dtype slm__st_parse_dtype(const slm__value *v) {
    for (size_t i = SLM_DTYPE_F32; i < SLM__COUNT(slm__dtypes); i++)
        if (slm__json_is_text(v, slm__dtypes[i].name)) return (slm_dtype)i;
    return SLM_DTYPE_NATIVE;
}

/* The product of the dimensions and the bytes it takes.  Fails if one of them is too large. */
static void slm__st_measure(slm__json *j, const slm__value *v, slm_safetensors_entry *info,
                            uint64_t *size) {
    uint64_t bits = (uint64_t)slm__dtypes[info->dtype].bits;
    int good = 1;

    info->count = 1;
    for (size_t i = 0; i < info->n_dims && good; i++)
        good = slm__mul_u64(&info->count, info->count, info->dims[i]);
    if (good) good = slm__mul_u64(&bits, bits, info->count);
    if (!slm__json_require(j, v, good, "the shape is too large")) return;

    if (bits % 8 != 0) (void)slm__json_fail(j, v, "dtype, shape and data_offsets disagree");
    *size = bits / 8;
}

/* Reads one member of the header: the name of a tensor and what it describes. */
static void slm__st_parse_entry(slm__json *j, const slm__value *name, slm__st_entry *entry) {
    const slm__value *dtype = slm__json_get(j, name + 1, "dtype");
    const slm__value *shape = slm__json_get(j, name + 1, "shape");
    const slm__value *offsets = slm__json_get(j, name + 1, "data_offsets");
    slm_safetensors_entry *info = &entry->info;
    uint64_t range[2] = {0, 0};
    uint64_t size = 0;
    size_t n_offsets;

    j->field = "a tensor's name";
    info->name = slm__json_text(j, name);
    j->field = info->name;
    info->dtype = slm__st_parse_dtype(dtype);
    if (!slm__json_require(j, name, info->dtype != SLM_DTYPE_NATIVE, "an unknown dtype, or none"))
        return;

    info->n_dims = slm__json_u64_list(j, shape, info->dims, SLM__COUNT(info->dims));
    slm__st_measure(j, name, info, &size);
    n_offsets = slm__json_u64_list(j, offsets, range, 2);
    if (!slm__json_require(j, name, n_offsets == 2, "data_offsets must be two")) return;

    entry->begin = range[0];
    entry->end = range[1];
    info->offset = entry->file->data + entry->begin;
    if (entry->end < entry->begin || entry->end - entry->begin != size)
        (void)slm__json_fail(j, name, "dtype, shape and data_offsets disagree");
}

/* All metadata must be strings. */
static void slm__st_check_metadata(slm__json *j) {
    const slm__value *metadata = slm__json_get(j, slm__json_root(j), "__metadata__");
    const slm__value *v, *end;

    if (metadata == NULL) return;
    for (v = slm__json_members(j, metadata, &end); v != end; v = slm__json_next(v)) {
        (void)slm__json_text(j, v);
        (void)slm__json_text(j, v + 1);
    }
}

/* Appends the tensors that the file lists. */
static slm_status slm__st_parse_header(slm_safetensors *all, slm__st_file *file, slm_error *err) {
    slm__json *j = &file->header;
    const slm__value *v, *end;

    slm__st_check_metadata(j);
    for (v = slm__json_members(j, slm__json_root(j), &end); v != end; v = slm__json_next(v)) {
        slm__st_entry entry;

        if (slm__json_is_text(v, "__metadata__")) continue;
        memset(&entry, 0, sizeof entry);
        entry.file = file;
        slm__st_parse_entry(j, v, &entry);
        slm__buffer_append_if_ok(&j->status, &all->entry_list, &entry, sizeof entry, err);
        if (j->status != SLM_OK) break;
    }
    return j->status;
}

static int slm__compare_offsets(const void *a, const void *b) {
    const slm__st_entry *x = (const slm__st_entry *)a;
    const slm__st_entry *y = (const slm__st_entry *)b;

    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return 0;
}

static int slm__compare_names(const void *a, const void *b) {
    return strcmp(((const slm__st_entry *)a)->info.name, ((const slm__st_entry *)b)->info.name);
}

/* The tensors of a file must cover its data.  Sorts these n entries by their place. */
static slm_status slm__st_check_coverage(const slm__st_file *file, slm__st_entry *entries, size_t n,
                                         slm_error *err) {
    uint64_t covered = 0;
    size_t i = 0;

    if (n > 0) qsort(entries, n, sizeof *entries, slm__compare_offsets);
    while (i < n && entries[i].begin == covered)
        covered = entries[i++].end;
    if (i == n && covered == file->data_size) return SLM_OK;
    return slm__fail(
        err, SLM_ERR_FORMAT,
        "%s: %llu of %llu bytes of data are covered: a gap or an overlap before \"%.99s\"",
        file->io.path, (unsigned long long)covered, (unsigned long long)file->data_size,
        i < n ? entries[i].info.name : "the end");
}

/* Sorts all entries by name and refuses a name that is there twice. */
static slm_status slm__st_sort_by_name(slm_safetensors *all, const slm__st_file *file,
                                       slm_error *err) {
    slm__st_entry *entries = all->entries;

    if (all->n > 0) qsort(entries, all->n, sizeof *entries, slm__compare_names);
    for (size_t i = 1; i < all->n; i++)
        if (slm__compare_names(&entries[i - 1], &entries[i]) == 0)
            return slm__fail(err, SLM_ERR_FORMAT,
                             "%s: tensor \"%.99s\" is there twice, in one file or in two files",
                             file->io.path, entries[i].info.name);
    return SLM_OK;
}

/* Opens a file and reads its header as text. */
static slm_status slm__st_open_file(slm__st_file *file, const char *folder, const char *name,
                                    slm_error *err) {
    unsigned char head[8] = {0};
    uint64_t size, n;

    (void)slm__file_open(&file->io, folder, name, "rb", err);
    size = slm__file_size(&file->io);
    if (slm__file_read_at(&file->io, 0, head, 8) != SLM_OK) return file->io.status;

    n = slm__load(head, 8);
    if (n > SLM__MAX_HEADER || n > size - 8)
        return slm__fail(
            err, SLM_ERR_FORMAT,
            "%s: not a safetensors file: a header of %llu bytes (most: %d) in one of %llu",
            file->io.path, (unsigned long long)n, SLM__MAX_HEADER, (unsigned long long)size);
    file->data = 8 + n;
    file->data_size = size - 8 - n;

    file->text = (char *)slm__alloc((size_t)n, 1, err);
    if (file->text == NULL) return SLM_ERR_MEMORY;
    if (slm__file_read_at(&file->io, 8, file->text, (size_t)n) != SLM_OK) return file->io.status;
    return slm__json_open(&file->header, file->text, (size_t)n, file->io.path, err);
}

/* Adds the tensors of one more file.  On failure the object can still be closed, and only that. */
static slm_status slm__safetensors_add(slm_safetensors *all, const char *folder, const char *name,
                                       slm_error *err) {
    slm__st_file *file = (slm__st_file *)slm__alloc(1, sizeof *file, err);
    size_t n_before = all->n;
    slm__st_entry *added;
    slm_status status;

    if (file == NULL) return SLM_ERR_MEMORY;
    file->next = all->files;
    all->files = file;

    status = slm__st_open_file(file, folder, name, err);
    if (status == SLM_OK) status = slm__st_parse_header(all, file, err);
    if (status != SLM_OK) return status;

    all->entries = SLM__ITEMS(slm__st_entry, all->entry_list);
    all->n = SLM__N_ITEMS(slm__st_entry, all->entry_list);
    added = all->n > n_before ? all->entries + n_before : NULL;
    status = slm__st_check_coverage(file, added, all->n - n_before, err);
    if (status != SLM_OK) return status;
    return slm__st_sort_by_name(all, file, err);
}

/* Without any file yet. */
static slm_status slm__safetensors_create(slm_safetensors **out, slm_error *err) {
    *out = (slm_safetensors *)slm__alloc(1, sizeof **out, err);
    return *out != NULL ? SLM_OK : SLM_ERR_MEMORY;
}

SLM_API void slm_safetensors_close(slm_safetensors *file) {
    if (file == NULL) return;
    while (file->files != NULL) {
        slm__st_file *first = file->files;

        file->files = first->next;
        slm__file_close(&first->io);
        slm__json_close(&first->header);
        slm__release(first->text);
        slm__release(first);
    }
    slm__release(file->entry_list.data);
    slm__release(file->slice.data);
    slm__release(file);
}

SLM_API slm_status slm_safetensors_open(slm_safetensors **out, const char *path, slm_error *err) {
    slm_safetensors *file = NULL;
    slm_status status;

    *out = NULL;
    status = slm__safetensors_create(&file, err);
    if (status == SLM_OK) status = slm__safetensors_add(file, path, "", err);
    if (status == SLM_OK)
        *out = file;
    else
        slm_safetensors_close(file);
    return status;
}

SLM_API size_t slm_safetensors_count(const slm_safetensors *file) {
    return file->n;
}

SLM_API const slm_safetensors_entry *slm_safetensors_at(const slm_safetensors *file, size_t index) {
    return index < file->n ? &file->entries[index].info : NULL;
}

static slm__st_entry *slm__safetensors_lookup(const slm_safetensors *file, const char *name) {
    slm__st_entry key;

    if (file->n == 0) return NULL;
    key.info.name = name;
    return (slm__st_entry *)bsearch(&key, file->entries, file->n, sizeof key, slm__compare_names);
}

SLM_API const slm_safetensors_entry *slm_safetensors_find(const slm_safetensors *file,
                                                          const char *name) {
    const slm__st_entry *entry = slm__safetensors_lookup(file, name);

    return entry != NULL ? &entry->info : NULL;
}

SLM_API const char *slm_safetensors_metadata(const slm_safetensors *file, const char *key) {
    slm__json *j = &file->files->header;
    const slm__value *metadata = slm__json_get(j, slm__json_root(j), "__metadata__");
    const slm__value *v = slm__json_get(j, metadata, key);

    return v != NULL ? v->text : NULL;
}

static slm_status slm__st_fail_missing(const slm_safetensors *file, const char *name,
                                       slm_error *err) {
    return slm__fail(err, SLM_ERR_FORMAT, "%s: tensor \"%s\" is missing", file->files->io.path,
                     name);
}

/* Reads n numbers of a tensor, from number `first` on, and continues the checksum over them, if
   there is one. */
static slm_status slm__st_read_part(slm_real *out, slm_safetensors *file, slm__st_entry *entry,
                                    uint64_t first, size_t n, slm_error *err) {
    slm__file *io = &entry->file->io;
    slm_dtype dtype = entry->info.dtype;
    uint64_t offset = entry->info.offset + first * slm__dtype_size(dtype);
    size_t room = slm__min(n, SLM__SLICE) * slm__dtype_size(dtype);

    entry->used = 1;
    io->err = err;
    io->status = slm__buffer_reserve(&file->slice, room, err);
    while (n > 0 && io->status == SLM_OK) {
        unsigned char *bytes = (unsigned char *)file->slice.data;
        size_t slice = slm__min(n, SLM__SLICE);
        size_t size = slice * slm__dtype_size(dtype);

        if (slm__file_read_at(io, offset, bytes, size) != SLM_OK) break;
        if (file->has_checksum) file->checksum = slm__checksum(file->checksum, bytes, size);
        slm__numbers_load(out, bytes, slice, dtype);
        out += slice;
        n -= slice;
        offset += size;
    }
    return io->status;
}

/* Reads all numbers of a tensor. */
static slm_status slm__st_read(slm_real *out, slm_safetensors *file, slm__st_entry *entry,
                               slm_error *err) {
    return slm__st_read_part(out, file, entry, 0, (size_t)entry->info.count, err);
}

SLM_API slm_status slm_safetensors_read(slm_real *out, slm_safetensors *file, const char *name,
                                        size_t count, slm_error *err) {
    slm__st_entry *entry = slm__safetensors_lookup(file, name);

    if (entry == NULL) return slm__st_fail_missing(file, name, err);
    if (!slm__dtype_is_readable(entry->info.dtype) || entry->info.count != count)
        return slm__fail(
            err, SLM_ERR_FORMAT,
            "%s: tensor \"%s\" is %llu numbers of %s, not %zu of F32, F16, BF16 or F64",
            entry->file->io.path, name, (unsigned long long)entry->info.count,
            slm_dtype_name(entry->info.dtype), count);
    return slm__st_read(out, file, entry, err);
}

SLM_API slm_status slm_safetensors_read_part(slm_real *out, slm_safetensors *file,
                                             const char *name, uint64_t first, size_t count,
                                             slm_error *err) {
    slm__st_entry *entry = slm__safetensors_lookup(file, name);
    int good;

    if (entry == NULL) return slm__st_fail_missing(file, name, err);
    good = first <= entry->info.count && count <= entry->info.count - first;
    if (!slm__dtype_is_readable(entry->info.dtype) || !good)
        return slm__fail(err, SLM_ERR_FORMAT,
                         "%s: tensor \"%s\" is %llu numbers of %s: no %zu of F32, F16, BF16 or "
                         "F64 from number %llu on",
                         entry->file->io.path, name, (unsigned long long)entry->info.count,
                         slm_dtype_name(entry->info.dtype), count, (unsigned long long)first);
    return slm__st_read_part(out, file, entry, first, count, err);
}

/* A matrix has two dimensions; one row may have one, and a single number none. */
static int slm__st_has_shape(const slm_safetensors_entry *info, size_t rows, size_t cols) {
    if (info->n_dims == 2) return info->dims[0] == rows && info->dims[1] == cols;
    return info->n_dims < 2 && rows == 1 && info->count == cols;
}

static slm_status slm__safetensors_read_matrix(slm_real *out, slm_safetensors *file,
                                               const char *name, size_t rows, size_t cols,
                                               slm_error *err) {
    slm__st_entry *entry = slm__safetensors_lookup(file, name);
    const slm_safetensors_entry *info;

    if (entry == NULL) return slm__st_fail_missing(file, name, err);
    info = &entry->info;
    if (!slm__dtype_is_readable(info->dtype) || !slm__st_has_shape(info, rows, cols))
        return slm__fail(
            err, SLM_ERR_FORMAT,
            "%s: tensor \"%s\" is %s [%llu,%llu] in %zu-D, not F32, F16, BF16, F64 [%zu,%zu]",
            entry->file->io.path, name, slm_dtype_name(info->dtype),
            (unsigned long long)info->dims[0], (unsigned long long)info->dims[1], info->n_dims,
            rows, cols);
    return slm__st_read(out, file, entry, err);
}

/* ---- containers: our own safetensors files ----
   They hold the tensors of a table once or more often, each time under a prefix: a run holds every
   parameter as "NAME", "adam_m.NAME" and "adam_v.NAME".  Their metadata are, in this order,
       "format": "pt"     without which transformers refuses the file
       "slm": "run"       which container it is
       "step": "100" ...  its numbers, some decimal, some as 16 hexadecimal digits
       ...                texts, in a run
       "checksum": "..."  over all pairs "key\0value\0" before it, then over all numbers
   A model is a container without "slm" and numbers, so that its checksum is not demanded. */
typedef enum slm__key_format {
    SLM__KEY_DECIMAL,
    SLM__KEY_HASH,
    SLM__KEY_HASH_OR_NONE /* left out if it is 0 */
} slm__key_format;

typedef struct slm__container_key {
    const char *name;
    slm__key_format format;
} slm__container_key;

enum { SLM__MAX_KEYS = 7 };

typedef struct slm__container_format {
    const char *name;                       /* the value of "slm"; NULL for a model */
    const char *prefixes[4];                /* NULL after the last */
    slm__container_key keys[SLM__MAX_KEYS]; /* (n_keys) numbers in the metadata */
    size_t n_keys;
} slm__container_format;

static const slm__container_format slm__model_format = {
    NULL, {"", NULL, NULL, NULL}, {{NULL, SLM__KEY_DECIMAL}}, 0};

static const slm__container_format slm__run_format = {"run",
                                                      {"", "adam_m.", "adam_v.", NULL},
                                                      {{"step", SLM__KEY_DECIMAL},
                                                       {"cursor.seed", SLM__KEY_DECIMAL},
                                                       {"cursor.at", SLM__KEY_DECIMAL}},
                                                      3};

static const slm__container_format slm__losses_format = {"score file",
                                                         {"loss", "entropy", NULL, NULL},
                                                         {{"window", SLM__KEY_DECIMAL},
                                                          {"at", SLM__KEY_DECIMAL},
                                                          {"all", SLM__KEY_DECIMAL},
                                                          {"corpus", SLM__KEY_HASH},
                                                          {"tokenizer", SLM__KEY_HASH},
                                                          {"model", SLM__KEY_HASH},
                                                          {"documents", SLM__KEY_HASH_OR_NONE}},
                                                         7};

/* What a container holds, in memory. */
typedef struct slm__container {
    const slm__container_format *format;
    const slm_param *table; /* (n_table) */
    size_t n_table;
    slm_real *values[3]; /* the numbers under each prefix; a tensor begins at its offset */
} slm__container;

static slm__container slm__container_of(const slm__container_format *format, const slm_param *table,
                                        size_t n_table, slm_real *first, slm_real *second,
                                        slm_real *third) {
    slm__container c = {format, table, n_table, {first, second, third}};

    return c;
}

/* The i-th tensor in the order of the file, under its full name.  Returns 0 after the last. */
static int slm__container_tensor(const slm__container *c, size_t i, slm_param *tensor,
                                 slm_real **values) {
    const slm_param *param = &c->table[i % c->n_table];
    const char *prefix = c->format->prefixes[i / c->n_table];

    if (prefix == NULL) return 0;
    *tensor = *param;
    *values = c->values[i / c->n_table] + param->offset;
    (void)snprintf(tensor->name, sizeof tensor->name, "%s%s", prefix, param->name);
    return 1;
}

/* A number as it is written in the metadata. */
static const char *slm__key_text(char text[24], uint64_t number, slm__key_format format) {
    if (format == SLM__KEY_DECIMAL)
        (void)snprintf(text, 24, "%llu", (unsigned long long)number);
    else
        (void)snprintf(text, 24, "%016llx", (unsigned long long)number);
    return text;
}

static uint64_t slm__checksum_pair(uint64_t hash, const char *key, const char *value) {
    hash = slm_hash(hash, key, strlen(key) + 1);
    return slm_hash(hash, value, strlen(value) + 1);
}

/* A container on its way to a file: begin, put for every text, end. */
typedef struct slm__container_writer {
    const slm__container *container;
    slm_dtype dtype;
    slm__writer header;   /* the JSON so far */
    uint64_t checksum;    /* of the metadata so far */
    unsigned char *slice; /* room for the bytes that are written at a time */
} slm__container_writer;

/* Writes all numbers to the file, in order.  If it is NULL, only continues the checksum over them,
   and returns it. */
static uint64_t slm__container_write(const slm__container_writer *w, uint64_t hash,
                                     slm__file *file) {
    slm_param tensor;
    slm_real *values;

    for (size_t i = 0; slm__container_tensor(w->container, i, &tensor, &values); i++) {
        size_t left = tensor.rows * tensor.cols;

        while (left > 0) {
            size_t n = slm__min(left, SLM__SLICE);
            size_t size = n * slm__dtype_size(w->dtype);

            slm__numbers_store(w->slice, values, n, w->dtype);
            if (file != NULL)
                (void)slm__file_append(file, w->slice, size);
            else
                hash = slm__checksum(hash, w->slice, size);
            values += n;
            left -= n;
        }
    }
    return hash;
}

static void slm__container_put(slm__container_writer *w, const char *key, const char *value) {
    slm__print(&w->header, w->header.text.size > 0 ? "," : "{\"__metadata__\":{");
    slm__print_string(&w->header, key, strlen(key));
    slm__print(&w->header, ":");
    slm__print_string(&w->header, value, strlen(value));
    w->checksum = slm__checksum_pair(w->checksum, key, value);
}

/* numbers: one for each key of the format. */
static void slm__container_begin(slm__container_writer *w, const slm__container *c, slm_dtype dtype,
                                 const uint64_t *numbers, slm_error *err) {
    const slm__container_format *format = c->format;
    char text[24];

    memset(w, 0, sizeof *w);
    w->container = c;
    w->dtype = dtype;
    w->header.err = err;
    w->checksum = SLM_HASH_START;
    slm__container_put(w, "format", "pt");
    if (format->name != NULL) slm__container_put(w, "slm", format->name);
    for (size_t i = 0; i < format->n_keys; i++) {
        if (format->keys[i].format == SLM__KEY_HASH_OR_NONE && numbers[i] == 0) continue;
        slm__container_put(w, format->keys[i].name,
                           slm__key_text(text, numbers[i], format->keys[i].format));
    }
}

/* Ends the header: the tensors, and spaces so that the numbers begin at a multiple of 8 bytes. */
static void slm__container_list(slm__container_writer *w) {
    size_t offset = 0;
    size_t padding;
    slm_param tensor;
    slm_real *values;

    slm__print(&w->header, "}");
    for (size_t i = 0; slm__container_tensor(w->container, i, &tensor, &values); i++) {
        size_t end = offset + tensor.rows * tensor.cols * slm__dtype_size(w->dtype);

        slm__print(&w->header, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", tensor.name,
                   slm_dtype_name(w->dtype));
        if (tensor.decay) slm__print(&w->header, "%zu,", tensor.rows);
        slm__print(&w->header, "%zu],\"data_offsets\":[%zu,%zu]}", tensor.cols, offset, end);
        offset = end;
    }
    slm__print(&w->header, "}");
    padding = (8 - w->header.text.size % 8) % 8;
    slm__print(&w->header, "%.*s", (int)padding, "       ");
}

/* Makes room for the slices of the largest tensor. */
static void slm__container_alloc_slice(slm__container_writer *w) {
    const slm__container *c = w->container;
    size_t n = 0;

    if (w->header.status != SLM_OK) return;
    for (size_t i = 0; i < c->n_table; i++) {
        size_t count = slm__min(c->table[i].rows * c->table[i].cols, SLM__SLICE);
        if (count > n) n = count;
    }
    w->slice = (unsigned char *)slm__alloc(n, slm__dtype_size(w->dtype), w->header.err);
    if (w->slice == NULL) w->header.status = SLM_ERR_MEMORY;
}

static slm_status slm__container_end(slm__container_writer *w, const char *path) {
    slm__writer *header = &w->header;
    slm_status status;
    unsigned char size[8];
    char text[24];
    slm__file file;

    slm__container_alloc_slice(w);
    if (header->status == SLM_OK) {
        uint64_t checksum = slm__container_write(w, w->checksum, NULL);
        slm__container_put(w, "checksum", slm__key_text(text, checksum, SLM__KEY_HASH));
    }
    slm__container_list(w);
    if (header->status == SLM_OK && header->text.size > SLM__MAX_HEADER)
        header->status = slm__fail(header->err, SLM_ERR_ARGUMENT, "%s: a header above %d bytes",
                                   path, SLM__MAX_HEADER);
    status = header->status;
    if (status == SLM_OK) {
        slm__store(size, header->text.size, 8);
        (void)slm__file_create(&file, path, header->err);
        (void)slm__file_append(&file, size, 8);
        (void)slm__file_append(&file, header->text.data, header->text.size);
        (void)slm__container_write(w, 0, &file);
        status = slm__file_commit(&file, path);
    }
    slm__release(header->text.data);
    slm__release(w->slice);
    return status;
}

/* Reads the numbers of the metadata.  Each must be written exactly as we write it. */
static slm_status slm__container_read_keys(slm_safetensors *file,
                                           const slm__container_format *format, uint64_t *numbers,
                                           slm_error *err) {
    char again[24];

    for (size_t i = 0; i < format->n_keys; i++) {
        const slm__container_key *key = &format->keys[i];
        const char *text = slm_safetensors_metadata(file, key->name);

        numbers[i] = 0;
        if (text == NULL && key->format == SLM__KEY_HASH_OR_NONE) continue;
        if (text == NULL) text = "";
        numbers[i] = strtoull(text, NULL, key->format == SLM__KEY_DECIMAL ? 10 : 16);
        if (strcmp(slm__key_text(again, numbers[i], key->format), text) != 0)
            return slm__fail(err, SLM_ERR_FORMAT, "%s: \"%s\" is \"%.40s\", no number",
                             file->files->io.path, key->name, text);
    }
    return SLM_OK;
}

/* Begins the checksum of a file with all metadata before the checksum itself. */
static slm_status slm__container_begin_checksum(slm_safetensors *file) {
    slm__json *j = &file->files->header;
    const slm__value *metadata = slm__json_get(j, slm__json_root(j), "__metadata__");
    const slm__value *v, *end;

    file->has_checksum = 1;
    file->checksum = SLM_HASH_START;
    for (v = slm__json_members(j, metadata, &end); v != end; v = slm__json_next(v)) {
        if (slm__json_is_text(v, "checksum")) break;
        file->checksum = slm__checksum_pair(file->checksum, v->text, v[1].text);
    }
    return j->status;
}

static slm_status slm__container_check(slm_safetensors *file, const slm__container_format *format,
                                       uint64_t *numbers, slm_error *err) {
    const char *name = slm_safetensors_metadata(file, "slm");
    const char *checksum = slm_safetensors_metadata(file, "checksum");
    slm_status status;

    if (name == NULL || strcmp(name, format->name) != 0 || checksum == NULL)
        return slm__fail(err, SLM_ERR_FORMAT, "%s: not a %s of slm.h", file->files->io.path,
                         format->name);
    status = slm__container_read_keys(file, format, numbers, err);
    if (status != SLM_OK) return status;
    return slm__container_begin_checksum(file);
}

/* Opens a file that must be a container of this format, and reads its numbers. */
static slm_status slm__container_open(slm_safetensors **out, uint64_t *numbers,
                                      const slm__container_format *format, const char *path,
                                      slm_error *err) {
    slm_status status = slm_safetensors_open(out, path, err);

    if (status != SLM_OK) return status;
    status = slm__container_check(*out, format, numbers, err);
    if (status != SLM_OK) {
        slm_safetensors_close(*out);
        *out = NULL;
    }
    return status;
}

/* Returns 1 for the frequencies of RoPE, which old Hugging Face files hold besides the weights.
   They follow from config.json, so they are computed, and the stored ones are left unread. */
static int slm__is_rope_table(const char *name) {
    static const char suffix[] = ".rotary_emb.inv_freq";
    size_t n = strlen(name);
    size_t n_suffix = sizeof suffix - 1;

    return n > n_suffix && strcmp(name + n - n_suffix, suffix) == 0;
}

/* Refuses a file with a tensor that has not been read (slm__st_read marks each one it reads), so it
   must be called last.  Such a tensor means that the file was made for something else: a model that
   has biases, for example, would be loaded without them, and its losses would be wrong. */
static slm_status slm__container_check_rest(const slm_safetensors *file, slm_error *err) {
    for (size_t i = 0; i < file->n; i++) {
        const slm__st_entry *entry = &file->entries[i];

        if (!entry->used && !slm__is_rope_table(entry->info.name))
            return slm__fail(err, SLM_ERR_FORMAT, "%s: tensor \"%.99s\" does not belong there",
                             entry->file->io.path, entry->info.name);
    }
    return SLM_OK;
}

/* Reads a parameter, whose numbers must be finite. */
static slm_status slm__safetensors_read_finite(slm_real *out, slm_safetensors *file,
                                               const slm_param *param, slm_error *err) {
    slm_status status =
        slm__safetensors_read_matrix(out, file, param->name, param->rows, param->cols, err);

    if (status != SLM_OK || slm__all_finite(out, param->rows * param->cols)) return status;
    return slm__fail(err, SLM_ERR_NOT_FINITE,
                     "%s: tensor \"%s\" holds a number that is not finite", file->files->io.path,
                     param->name);
}

/* Reads every tensor of c.  The file must hold no other, and only finite numbers. */
static slm_status slm__container_read(slm_safetensors *file, const slm__container *c,
                                      slm_error *err) {
    const char *path = file->files->io.path;
    char text[24];
    slm_param tensor;
    slm_real *values;
    slm_status status;

    for (size_t i = 0; slm__container_tensor(c, i, &tensor, &values); i++) {
        status = slm__safetensors_read_finite(values, file, &tensor, err);
        if (status != SLM_OK) return status;
    }
    status = slm__container_check_rest(file, err);
    if (status != SLM_OK || c->format->name == NULL) return status;

    (void)slm__key_text(text, file->checksum, SLM__KEY_HASH);
    if (strcmp(text, slm_safetensors_metadata(file, "checksum")) != 0)
        return slm__fail(err, SLM_ERR_FORMAT, "%s: damaged: its content does not give its checksum",
                         path);
    return SLM_OK;
}

/* ---- tokenizer.json: the format of Hugging Face's `tokenizers` ----
   { "added_tokens": [ {"id": 256, "content": "<|end|>", "special": true, ...}, ... ],
     "pre_tokenizer": {"type": "ByteLevel", ...},
     "model": {"type": "BPE", "vocab": {"TOKEN": id, ...}, "merges": ["LEFT RIGHT", ...]} }
   TOKEN, LEFT and RIGHT have one character for each byte: printable bytes stand for themselves, the
   other 68 for U+0100 and up, in their order.  Contents of added tokens are plain text.
   What does not change the ids of plain text is ignored (post_processor, decoder, truncation,
   padding, unk_token); what would change them and is not supported is refused by name.  The text
   of the file is kept, and is what is saved.

   The second kind, of characters, is written in one of two ways.  They differ in where a space is
   put before a text; both make U+2581 of every space.
     "normalizer": {"type": "Sequence", "normalizers": [
       {"type": "Prepend", "prepend": "U+2581"},
       {"type": "Replace", "pattern": {"String": " "}, "content": "U+2581"} ]}
     "pre_tokenizer": {"type": "Metaspace", "replacement": "U+2581", "prepend_scheme": "first",
       "split": false}
   TOKEN, LEFT and RIGHT are then plain text, but for <0x00> to <0xFF>: with "byte_fallback": true
   they are bytes.  unk_token and fuse_unk count, and so does the decoder:
     "decoder": {"type": "Sequence", "decoders": [
       {"type": "Replace", "pattern": {"String": "U+2581"}, "content": " "},
       {"type": "ByteFallback"}, {"type": "Fuse"},
       {"type": "Strip", "content": " ", "start": 1, "stop": 0} ]}
   ByteFallback may be missing, and so may Strip. */
static int32_t slm__byte_to_char(int32_t byte) {
    if (byte <= ' ') return 256 + byte;         /* 0 to 32: U+0100 and up */
    if (byte <= '~') return byte;               /* 33 to 126 */
    if (byte <= 160) return 289 + (byte - 127); /* 127 to 160: U+0121 and up */
    if (byte == 173) return 323;                /* the soft hyphen: U+0143 */
    return byte;                                /* 161 to 255 */
}

/* Returns -1 if the character stands for no byte. */
static int32_t slm__char_to_byte(int32_t c) {
    int32_t byte = 173;

    if (c < 256)
        byte = c;
    else if (c < 289)
        byte = c - 256;
    else if (c < 323)
        byte = c - 289 + 127;
    return slm__byte_to_char(byte) == c ? byte : -1;
}

/* Appends the bytes that these characters stand for to those of the tokenizer.  Returns how many, 0
   if there are other characters, or none. */
static size_t slm__load_bytes(slm_tokenizer *t, slm__json *j, const char *text, size_t size) {
    size_t start = t->bytes.size;
    size_t i = 0;

    if (t->characters != NULL) {
        slm__buffer_append_if_ok(&j->status, &t->bytes, text, size, j->err);
        return t->bytes.size - start;
    }
    while (i < size && j->status == SLM_OK) {
        size_t n;
        int32_t value = slm__char_to_byte(slm__utf8(text + i, text + size, &n));
        unsigned char byte = (unsigned char)value;

        if (value < 0) {
            t->bytes.size = start;
            return 0;
        }
        slm__buffer_append_if_ok(&j->status, &t->bytes, &byte, 1, j->err);
        i += n;
    }
    return t->bytes.size - start;
}

enum { SLM__MOST_GAPS = 65536 }; /* ids without a token: each takes the memory of an entry */

/* Makes room for all ids of "vocab", which may leave gaps. */
static void slm__load_vocab_size(slm_tokenizer *t, slm__json *j, const slm__value *vocab) {
    const slm__value *end;
    const slm__value *v = slm__json_members(j, vocab, &end);
    size_t n = 0;
    uint64_t most;

    if (v == NULL) return;
    most = (vocab->n_values - 1) / 2 + SLM__MOST_GAPS; /* a name and a number each */
    if (most > INT32_MAX) most = INT32_MAX;
    for (; v != end && j->status == SLM_OK; v = slm__json_next(v)) {
        uint64_t id = slm__json_u64(j, v + 1);
        if (id >= most)
            slm__json_fail_quoting(j, v, "an id far above the number of tokens:");
        else if (id >= n)
            n = (size_t)id + 1;
    }
    if (j->status == SLM_OK)
        j->status = slm__buffer_reserve(&t->entries, n * sizeof(slm__token_entry), j->err);
    if (j->status == SLM_OK) t->entries.size = n * sizeof(slm__token_entry); /* all empty */
}

/* One token of "vocab".  If its characters do not stand for bytes, merges cannot make it: it must
   be an added token, and its text is kept as it is. */
static void slm__load_vocab_token(slm_tokenizer *t, slm__json *j, const slm__value *v) {
    size_t id = (size_t)slm__json_u64(j, v + 1);
    size_t size = slm__load_bytes(t, j, v->text, v->size);

    if (j->status != SLM_OK) return;
    if (SLM__ITEMS(const slm__token_entry, t->entries)[id].size > 0) {
        slm__json_fail_quoting(j, v, "its id is taken:");
    } else if (v->size == 0) {
        slm__json_fail_quoting(j, v, "an empty token:");
    } else if (size == 0) {
        slm__buffer_append_if_ok(&j->status, &t->bytes, v->text, v->size, j->err);
        if (j->status == SLM_OK) j->status = slm__token_store(t, (int32_t)id, v->size, j->err);
    } else if (slm__token_find(t, t->bytes.data + t->bytes.size - size, size) >= 0) {
        slm__json_fail_quoting(j, v, "is there twice:");
    } else {
        j->status = slm__token_set(t, (int32_t)id, size, j->err);
    }
}

static void slm__load_vocab(slm_tokenizer *t, slm__json *j, const slm__value *vocab) {
    const slm__value *end;
    const slm__value *v = slm__json_members(j, vocab, &end);

    slm__load_vocab_size(t, j, vocab);
    for (; v != end && j->status == SLM_OK; v = slm__json_next(v))
        slm__load_vocab_token(t, j, v);
}

/* Makes a merge of the last bytes of the tokenizer, those of the left and of the right token. */
static void slm__load_merge_of(slm_tokenizer *t, slm__json *j, const slm__value *v,
                               size_t left_size, size_t right_size) {
    const char *bytes = t->bytes.data + t->bytes.size;
    int32_t left = slm__token_find(t, bytes, left_size);
    int32_t right = slm__token_find(t, bytes + left_size, right_size);
    int32_t both = slm__token_find(t, bytes, left_size + right_size);

    if (left < 0 || right < 0 || both < 0)
        slm__json_fail_quoting(j, v, "no two tokens that make a third one:");
    else if (slm__map_get(&t->ranks, slm__pair_key(left, right)) >= 0)
        slm__json_fail_quoting(j, v, "a pair is there twice:");
    else
        j->status = slm__merge_add(t, left, right, both, j->err);
}

/* One of "merges": "LEFT RIGHT" or ["LEFT", "RIGHT"].  Old files begin with a "#version" line. */
static void slm__load_merge(slm_tokenizer *t, slm__json *j, const slm__value *v) {
    slm__value left = *v;
    slm__value right = *v;
    size_t left_size, right_size;

    if (slm__json_is(v, SLM__JSON_ARRAY) && v->n_values == 3 &&
        slm__json_is(v + 1, SLM__JSON_STRING) && slm__json_is(v + 2, SLM__JSON_STRING)) {
        left = v[1];
        right = v[2];
    } else if (slm__json_require(j, v, slm__json_is(v, SLM__JSON_STRING),
                                 "neither a string nor a pair of strings")) {
        const char *space = (const char *)memchr(v->text, ' ', v->size);

        if (strncmp(v->text, "#version", 8) == 0) return;
        left.size = 0;
        if (space != NULL) {
            left.size = (size_t)(space - v->text);
            right.text = space + 1;
            right.size = v->size - left.size - 1;
            if (memchr(right.text, ' ', right.size) != NULL) right.size = 0; /* which space? */
        }
    }

    left_size = slm__load_bytes(t, j, left.text, left.size);
    right_size = slm__load_bytes(t, j, right.text, right.size);
    if (j->status != SLM_OK) return;
    t->bytes.size -= left_size + right_size; /* looked at, not kept */
    if (left_size > 0 && right_size > 0)
        slm__load_merge_of(t, j, v, left_size, right_size);
    else
        slm__json_fail_quoting(j, v, "no two tokens that make a third one:");
}

/* The token of the vocabulary with the text of an added token; -1 if there is none.  It may be one
   of those whose characters do not stand for bytes: then it has the id that the added token
   names. */
static int32_t slm__load_added_known(slm_tokenizer *t, slm__json *j, const slm__value *content,
                                     uint64_t id) {
    size_t size = slm__load_bytes(t, j, content->text, content->size);
    const slm__token_entry *entry;

    t->bytes.size -= size; /* looked at, not kept */
    if (size > 0) return slm__token_find(t, t->bytes.data + t->bytes.size, size);
    if (id >= (uint64_t)slm_tokenizer_vocab(t)) return -1;
    entry = SLM__ITEMS(const slm__token_entry, t->entries) + id;
    if (entry->size != content->size ||
        memcmp(t->bytes.data + entry->offset, content->text, entry->size) != 0)
        return -1;
    return (int32_t)id;
}

/* Makes the content of an added token the token of that id, which must be free. */
static int32_t slm__load_added_new(slm_tokenizer *t, slm__json *j, const slm__value *content,
                                   uint64_t id) {
    int free_id = id == (uint64_t)slm_tokenizer_vocab(t);

    if (id < (uint64_t)slm_tokenizer_vocab(t))
        free_id = SLM__ITEMS(const slm__token_entry, t->entries)[id].size == 0;
    if (!free_id || content->size == 0) return -1;
    slm__buffer_append_if_ok(&j->status, &t->bytes, content->text, content->size, j->err);
    if (j->status == SLM_OK)
        j->status = slm__token_store(t, (int32_t)id, content->size, j->err);
    return (int32_t)id;
}

/* One of "added_tokens": in the vocabulary under the same id, or new.  Whatever the file says,
   Hugging Face's library counts the ids of new ones on from the number of tokens in the vocabulary,
   even if ids there leave gaps.  So *next_id is what the file must say. */
static void slm__load_added(slm_tokenizer *t, slm__json *j, const slm__value *v,
                            uint64_t *next_id) {
    const slm__value *content = slm__json_get(j, v, "content");
    const slm__value *number = slm__json_get(j, v, "id");
    int normalized = slm__json_bool_or(j, v, "normalized", 1);
    int special = slm__json_bool_or(j, v, "special", 0);
    slm__token_entry *entry;
    int32_t known;
    uint64_t id;

    slm__json_must_be_unset(j, v, "single_word");
    slm__json_must_be_unset(j, v, "lstrip");
    slm__json_must_be_unset(j, v, "rstrip");
    j->field = "added_tokens";
    id = slm__json_u64(j, number);
    if (!slm__json_require(j, content, slm__json_is(content, SLM__JSON_STRING),
                           "a string was expected"))
        return;

    known = slm__load_added_known(t, j, content, id);
    if (known < 0 && id == *next_id) {
        known = slm__load_added_new(t, j, content, id);
        ++*next_id;
    }
    if (j->status != SLM_OK) return;
    if (known < 0 || (uint64_t)known != id) {
        slm__json_fail_quoting(j, content,
                               "an id that is neither that in model.vocab nor the next free one:");
        return;
    }
    entry = SLM__ITEMS(slm__token_entry, t->entries) + known;
    if (entry->size != content->size)
        slm__json_fail_quoting(j, content, "in model.vocab this stands for other bytes:");
    else if (entry->added != SLM__NOT_ADDED)
        slm__json_fail_quoting(j, content, "is there twice:");
    else if (t->nfc != NULL && normalized &&
             slm__nfc_check(t->nfc, content->text, content->size) < content->size)
        slm__json_fail_quoting(j, content, "NFC would change it:");
    entry->added = normalized ? SLM__ADDED_NORMALIZED : SLM__ADDED_EXACT;
    entry->special = special;
    slm__buffer_append_if_ok(&j->status, &t->added, &known, sizeof known, j->err);
}

/* "added_tokens", of a vocabulary of n tokens.  All of these that merges cannot make must be
   among them. */
static void slm__load_all_added(slm_tokenizer *t, slm__json *j, const slm__value *root, size_t n) {
    const slm__value *added = slm__json_get(j, root, "added_tokens");
    const slm__token_entry *entries;
    const slm__value *end = NULL;
    const slm__value *v = NULL;
    uint64_t next_id = n;

    if (added != NULL) v = slm__json_items(j, added, &end);
    for (; v != end && j->status == SLM_OK; v = slm__json_next(v))
        slm__load_added(t, j, v, &next_id);

    if (t->ids.n == n) return;
    entries = SLM__ITEMS(const slm__token_entry, t->entries);
    for (int32_t id = 0; id < slm_tokenizer_vocab(t) && j->status == SLM_OK; id++) {
        const char *bytes = t->bytes.data + entries[id].offset;
        if (entries[id].size == 0 || entries[id].added != SLM__NOT_ADDED) continue;
        if (slm__token_find(t, bytes, entries[id].size) == id) continue;
        j->status = slm__fail(j->err, SLM_ERR_FORMAT,
                              "%s: model.vocab: token %d is not made of characters that stand for "
                              "bytes, and is no added token",
                              j->name, (int)id);
    }
}

/* ByteLevel: the last step of "pre_tokenizer".  What is before it has set t->split. */
static void slm__load_byte_level(slm_tokenizer *t, slm__json *j, const slm__value *v) {
    int use_regex = slm__json_bool_or(j, v, "use_regex", 1);
    int alone = t->split == SLM__SPLIT_NONE;

    if (alone) t->prefix_space = slm__json_bool_or(j, v, "add_prefix_space", 0);
    if (alone && use_regex) t->split = SLM__SPLIT_GPT2;
    if (alone) return;

    slm__json_must_be_unset(j, v, "add_prefix_space"); /* it would be put before every piece */
    j->field = "use_regex";
    (void)slm__json_require(j, v, use_regex == (t->split == SLM__SPLIT_DIGITS),
                            "only true after Digits, and false after Split, is supported");
}

/* Split: which of the regular expressions it is, that slm__pretoken_size knows.  They match at
   every place of a text, so that its pieces are the matches, both if these are "Isolated", and if
   what is not a match ("invert") is "Removed". */
static void slm__load_split(slm_tokenizer *t, slm__json *j, const slm__value *v) {
#define SLM__REGEX_LLAMA3(numbers)                                                                 \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" numbers                        \
    "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
    static const struct {
        const char *regex;
        int32_t split;
    } known[] = {{SLM__REGEX_LLAMA3("\\p{N}{1,3}"), SLM__SPLIT_LLAMA3},
                 {SLM__REGEX_LLAMA3("\\p{N}"), SLM__SPLIT_QWEN},
                 {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|"
                  "\\s+",
                  SLM__SPLIT_GPT2}};
    const slm__value *behavior = slm__json_get(j, v, "behavior");
    int invert = slm__json_bool_or(j, v, "invert", 0);
    const slm__value *pattern = slm__json_get(j, v, "pattern");
    const slm__value *regex = slm__json_get(j, pattern, "Regex");

    for (size_t i = 0; i < SLM__COUNT(known); i++)
        if (slm__json_is_text(regex, known[i].regex)) t->split = known[i].split;
    if (t->split == SLM__SPLIT_NONE)
        slm__json_fail_quoting(j, regex != NULL ? regex : pattern, "Split: not supported:");
    j->field = "behavior";
    if (!slm__json_is_text(behavior, "Isolated") &&
        !(slm__json_is_text(behavior, "Removed") && invert))
        slm__json_fail_quoting(j, behavior, "Split: not supported:");
}

/* A step of "pre_tokenizer" that is not the last one. */
static void slm__load_pre_tokenizer_step(slm_tokenizer *t, slm__json *j, const slm__value *v) {
    const slm__value *type = slm__json_get(j, v, "type");

    j->field = "pre_tokenizer";
    if (t->split != SLM__SPLIT_NONE) {
        slm__json_fail_quoting(j, type, "one step before ByteLevel is supported, not a second:");
    } else if (slm__json_is_text(type, "Split")) {
        slm__load_split(t, j, v);
    } else if (slm__json_is_text(type, "Digits")) {
        int individual = slm__json_bool_or(j, v, "individual_digits", 0);
        (void)slm__json_require(j, v, individual,
                                "Digits without \"individual_digits\" is not supported");
        t->split = SLM__SPLIT_DIGITS;
    } else {
        slm__json_fail_quoting(j, type, "not supported:");
    }
}

/* "pre_tokenizer": ByteLevel, or a Sequence of a Split or Digits, and ByteLevel. */
static void slm__load_pre_tokenizer(slm_tokenizer *t, slm__json *j, const slm__value *root) {
    const slm__value *v = slm__json_get(j, root, "pre_tokenizer");
    const slm__value *type = slm__json_get(j, v, "type");

    t->split = SLM__SPLIT_NONE;
    if (slm__json_is_text(type, "Sequence")) {
        const slm__value *end;
        v = slm__json_items(j, slm__json_get(j, v, "pretokenizers"), &end);
        for (; v != end && slm__json_next(v) != end; v = slm__json_next(v))
            slm__load_pre_tokenizer_step(t, j, v);
        type = v == end ? NULL : slm__json_get(j, v, "type");
    }
    j->field = "pre_tokenizer";
    if (slm__json_is_text(type, "ByteLevel"))
        slm__load_byte_level(t, j, v);
    else
        slm__json_fail_quoting(j, type, "not ByteLevel:");
}

/* ---- tokenizer.json, the kind of characters ---- */
/* The steps of a "Sequence"; a step by itself is one of one.  NULL: there are none. */
static const slm__value *slm__load_steps(slm__json *j, const slm__value *v, const char *name,
                                         const slm__value **end) {
    *end = NULL;
    if (v == NULL) return NULL;
    if (slm__json_is_text(slm__json_get(j, v, "type"), "Sequence"))
        return slm__json_items(j, slm__json_get(j, v, name), end);
    *end = slm__json_next(v);
    return v;
}

/* Goes on to the next step if this one, unless it is the end, is of that type. */
static int slm__load_step(slm__json *j, const slm__value **v, const slm__value *end,
                          const char *type) {
    if (*v == end || j->status != SLM_OK) return 0;
    if (!slm__json_is_text(slm__json_get(j, *v, "type"), type)) return 0;
    *v = slm__json_next(*v);
    return 1;
}

/* Refuses a member of a step that is not that text. */
static void slm__load_must_be(slm__json *j, const slm__value *step, const char *name,
                              const char *text) {
    const slm__value *v = slm__json_get(j, step, name);

    if (!slm__json_is_text(v, text)) slm__json_fail_quoting(j, v, "not supported:");
}

/* Refuses the step v unless it is the end: no step of the name `field` may come here. */
static void slm__load_must_end(slm__json *j, const slm__value *v, const slm__value *end,
                               const char *field) {
    const slm__value *type;

    if (v == end || j->status != SLM_OK) return;
    type = slm__json_get(j, v, "type");
    j->field = field;
    slm__json_fail_quoting(j, type, "not supported here:");
}

/* A "Replace" of `from` by `to`. */
static void slm__load_replace(slm__json *j, const slm__value *step, const char *from,
                              const char *to) {
    slm__load_must_be(j, slm__json_get(j, step, "pattern"), "String", from);
    slm__load_must_be(j, step, "content", to);
}

/* Whether the file's tokenizer is of characters: its normalizer begins with Prepend. */
static int slm__is_prepend(slm__json *j, const slm__value *normalizer) {
    const slm__value *end;
    const slm__value *v = slm__load_steps(j, normalizer, "normalizers", &end);

    return slm__load_step(j, &v, end, "Prepend");
}

/* Prepend and Replace. */
static void slm__load_prepend(slm_tokenizer *t, slm__json *j, const slm__value *normalizer) {
    const slm__value *end;
    const slm__value *v = slm__load_steps(j, normalizer, "normalizers", &end);
    const slm__value *step = v;

    t->prefix_space = SLM__PREFIX_ALWAYS;
    if (slm__load_step(j, &v, end, "Prepend"))
        slm__load_must_be(j, step, "prepend", SLM__SPACE_MARK);
    step = v;
    if (slm__load_step(j, &v, end, "Replace"))
        slm__load_replace(j, step, " ", SLM__SPACE_MARK);
    else if (v == end && j->status == SLM_OK)
        (void)slm__json_fail(j, normalizer, "Prepend without Replace is not supported");
    slm__load_must_end(j, v, end, "normalizer");
}

/* Metaspace, whose old form says add_prefix_space for "always" and "never". */
static void slm__load_metaspace(slm_tokenizer *t, slm__json *j, const slm__value *v) {
    int add_space = slm__json_bool_or(j, v, "add_prefix_space", 1);
    const slm__value *scheme;

    slm__load_must_be(j, v, "replacement", SLM__SPACE_MARK);
    t->characters->split_spaces = slm__json_bool_or(j, v, "split", 1);
    scheme = slm__json_get(j, v, "prepend_scheme");
    if (scheme == NULL)
        t->prefix_space = add_space ? SLM__PREFIX_UNLESS_SPACE : SLM__PREFIX_NONE;
    else if (slm__json_is_text(scheme, "always"))
        t->prefix_space = SLM__PREFIX_UNLESS_SPACE;
    else if (slm__json_is_text(scheme, "first"))
        t->prefix_space = SLM__PREFIX_FIRST;
    else if (slm__json_is_text(scheme, "never"))
        t->prefix_space = SLM__PREFIX_NONE;
    else
        slm__json_fail_quoting(j, scheme, "not supported:");
    if (!add_space && t->prefix_space != SLM__PREFIX_NONE)
        slm__json_fail_quoting(j, scheme, "is not what add_prefix_space says:");
}

/* Replace, ByteFallback, Fuse, Strip. */
static void slm__load_decoder(slm_tokenizer *t, slm__json *j, const slm__value *decoder) {
    const slm__value *end;
    const slm__value *v = slm__load_steps(j, decoder, "decoders", &end);
    const slm__value *step = v;
    int fused;

    if (!slm__json_require(j, decoder, decoder != NULL, "missing")) return;
    if (slm__load_step(j, &v, end, "Replace"))
        slm__load_replace(j, step, SLM__SPACE_MARK, " ");
    else
        slm__load_must_end(j, v, NULL, "decoder");
    t->characters->decode_bytes = slm__load_step(j, &v, end, "ByteFallback");
    fused = slm__load_step(j, &v, end, "Fuse");
    step = v;
    if (fused && slm__load_step(j, &v, end, "Strip")) {
        slm__load_must_be(j, step, "content", " ");
        if (slm__json_u64(j, slm__json_get(j, step, "stop")) != 0)
            (void)slm__json_fail(j, step, "only 0 is supported");
        if (slm__json_u64(j, slm__json_get(j, step, "start")) != 1)
            (void)slm__json_fail(j, step, "only 1 is supported");
        t->characters->strip_space = 1;
    }
    slm__load_must_end(j, v, end, "decoder");
}

/* All but the unknown token, which needs the vocabulary. */
static void slm__load_characters(slm_tokenizer *t, slm__json *j, const slm__value *root) {
    const slm__value *normalizer = slm__json_get(j, root, "normalizer");
    const slm__value *pre_tokenizer = slm__json_get(j, root, "pre_tokenizer");
    const slm__value *model = slm__json_get(j, root, "model");

    if (j->status != SLM_OK) return;
    t->characters = (slm__characters *)slm__alloc(1, sizeof *t->characters, j->err);
    if (t->characters == NULL) {
        j->status = SLM_ERR_MEMORY;
        return;
    }
    t->characters->unknown = -1;
    if (normalizer != NULL) {
        slm__json_must_be_unset(j, root, "pre_tokenizer");
        slm__load_prepend(t, j, normalizer);
    } else {
        slm__load_metaspace(t, j, pre_tokenizer);
    }
    slm__json_must_be_unset(j, model, "ignore_merges");
    t->characters->byte_fallback = slm__json_bool_or(j, model, "byte_fallback", 0);
    t->characters->fuse_unknown = slm__json_bool_or(j, model, "fuse_unk", 0);
    slm__load_decoder(t, j, slm__json_get(j, root, "decoder"));
}

/* "unk_token", when the vocabulary is there. */
static void slm__load_unknown(slm_tokenizer *t, slm__json *j, const slm__value *model) {
    const slm__value *v = slm__json_get(j, model, "unk_token");

    if (v == NULL || !slm__json_require(j, v, slm__json_is(v, SLM__JSON_STRING),
                                        "a string was expected"))
        return;
    t->characters->unknown = slm__token_find(t, v->text, v->size);
    if (t->characters->unknown < 0) slm__json_fail_quoting(j, v, "not in model.vocab:");
}

/* "normalizer": none, or NFC. */
static void slm__load_normalizer(slm_tokenizer *t, slm__json *j, const slm__value *root) {
    const slm__value *v = slm__json_get(j, root, "normalizer");
    const slm__value *type = slm__json_is(v, SLM__JSON_OBJECT) ? slm__json_get(j, v, "type") : NULL;

    if (!slm__json_is_text(type, "NFC")) {
        slm__json_must_be_unset(j, root, "normalizer");
        return;
    }
    t->nfc = slm__nfc_new(j->err);
    if (t->nfc == NULL) j->status = SLM_ERR_MEMORY;
}

/* Checks all that changes ids besides vocabulary and merges. */
static void slm__load_options(slm_tokenizer *t, slm__json *j, const slm__value *root) {
    const slm__value *normalizer = slm__json_get(j, root, "normalizer");
    const slm__value *pre_tokenizer = slm__json_get(j, root, "pre_tokenizer");
    const slm__value *model = slm__json_get(j, root, "model");
    const slm__value *type = slm__json_get(j, model, "type");
    int is_metaspace;

    if (type != NULL && !slm__json_is_text(type, "BPE"))
        slm__json_fail_quoting(j, type, "not supported:");
    slm__json_must_be_unset(j, model, "continuing_subword_prefix");
    slm__json_must_be_unset(j, model, "end_of_word_suffix");
    slm__json_must_be_unset(j, model, "dropout");
    is_metaspace = slm__json_is_text(slm__json_get(j, pre_tokenizer, "type"), "Metaspace");
    if ((normalizer == NULL && is_metaspace) || slm__is_prepend(j, normalizer)) {
        slm__load_characters(t, j, root);
        return;
    }
    slm__load_normalizer(t, j, root);
    slm__load_pre_tokenizer(t, j, root);
    slm__json_must_be_unset(j, model, "byte_fallback");
    t->ignore_merges = slm__json_bool_or(j, model, "ignore_merges", 0);
}

SLM_API slm_status slm_tokenizer_parse(slm_tokenizer **out, const char *json, size_t size,
                                       const char *name, slm_error *err) {
    slm_tokenizer *t = slm__tokenizer_new(err);
    slm__json reader;
    slm__json *j = &reader;
    const slm__value *root, *model, *vocab, *merges, *v;
    const slm__value *end = NULL;

    *out = NULL;
    if (t == NULL) return SLM_ERR_MEMORY;

    /* If this fails, every call below returns at once; the first error is reported at the end. */
    (void)slm__json_open(j, json, size, name, err);
    root = slm__json_root(j);
    slm__load_options(t, j, root);

    model = slm__json_get(j, root, "model");
    vocab = slm__json_get(j, model, "vocab");
    merges = slm__json_get(j, model, "merges");
    j->field = "model.vocab";
    slm__load_vocab(t, j, vocab);
    if (t->characters != NULL) slm__load_unknown(t, j, model);

    j->field = "model.merges";
    v = slm__json_items(j, merges, &end);
    for (; v != end && j->status == SLM_OK; v = slm__json_next(v))
        slm__load_merge(t, j, v);

    if (j->status == SLM_OK)
        slm__load_all_added(t, j, root, (vocab->n_values - 1) / 2); /* a name and an id each */
    slm__buffer_append_if_ok(&j->status, &t->source, json, size, err);
    slm__json_close(j);
    return slm__tokenizer_end(out, t, j->status, name, err);
}

SLM_API slm_status slm_tokenizer_load(slm_tokenizer **out, const char *path, slm_error *err) {
    char inside[SLM__PATH];
    char *text = NULL;
    size_t size;
    slm_status status;

    *out = NULL;
    status = slm__path_concat(inside, path, "/tokenizer.json", err);
    if (status != SLM_OK) return status;
    if (slm__exists(inside)) path = inside;

    status = slm_file_read(&text, &size, path, err);
    if (status == SLM_OK) status = slm_tokenizer_parse(out, text, size, path, err);
    slm__release(text);
    return status;
}

/* ---- tokenizer.json, writing ---- */
/* Appends the characters of a token, without quotation marks. */
static void slm__print_token(slm__writer *w, const slm_tokenizer *t, int32_t id) {
    size_t size;
    const char *bytes = slm_tokenizer_token(&size, t, id);

    for (size_t i = 0; i < size; i++) {
        int32_t c = slm__byte_to_char((unsigned char)bytes[i]);
        char character[5] = "";

        (void)slm__utf8_put(character, c);
        slm__print(w, "%s%s", c == '"' || c == '\\' ? "\\" : "", character);
    }
}

static const char *slm__bool_text(int value) {
    return value ? "true" : "false";
}

static void slm__print_added(slm__writer *w, const slm_tokenizer *t, int32_t id) {
    const slm__token_entry *entry = SLM__ITEMS(const slm__token_entry, t->entries) + id;

    slm__print(w, "\n{\"id\":%d,\"content\":", (int)id);
    slm__print_string(w, t->bytes.data + entry->offset, entry->size);
    slm__print(w,
               ",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":%s,"
               "\"special\":%s}",
               slm__bool_text(entry->added == SLM__ADDED_NORMALIZED),
               slm__bool_text(entry->special));
}

/* The options of a tokenizer that slm.h has trained. */
static void slm__print_options(slm__writer *w) {
    slm__print(w,
               "\n\"normalizer\":null,"
               "\n\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
               "\"trim_offsets\":true,\"use_regex\":true},"
               "\n\"post_processor\":null,"
               "\n\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,"
               "\"trim_offsets\":true,\"use_regex\":true},");
    slm__print(w, "\n\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,"
                  "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,"
                  "\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":false,");
}

static void slm__print_vocab(slm__writer *w, const slm_tokenizer *t) {
    int32_t n = (int32_t)t->ids.n; /* those of the model come first, added ones last */

    for (int32_t id = 0; id < n && w->status == SLM_OK; id++) {
        slm__print(w, "%s\n\"", id > 0 ? "," : "");
        slm__print_token(w, t, id);
        slm__print(w, "\":%d", (int)id);
    }
}

static void slm__print_merges(slm__writer *w, const slm_tokenizer *t) {
    const slm__merge *merges = SLM__ITEMS(const slm__merge, t->merges);
    size_t n = SLM__N_ITEMS(slm__merge, t->merges);

    for (size_t i = 0; i < n && w->status == SLM_OK; i++) {
        slm__print(w, "%s\n\"", i > 0 ? "," : "");
        slm__print_token(w, t, merges[i].a);
        slm__print(w, " ");
        slm__print_token(w, t, merges[i].b);
        slm__print(w, "\"");
    }
}

/* Prints tokenizer.json.  What was read is printed as it was: other programs use more of it than
   slm.h does. */
static void slm__print_tokenizer(slm__writer *w, const slm_tokenizer *t) {
    const int32_t *added = SLM__ITEMS(const int32_t, t->added);
    size_t n_added = SLM__N_ITEMS(int32_t, t->added);

    if (t->source.size > 0) {
        slm__buffer_append_if_ok(&w->status, &w->text, t->source.data, t->source.size, w->err);
        return;
    }
    slm__print(w, "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[");
    for (size_t i = 0; i < n_added; i++) {
        if (i > 0) slm__print(w, ",");
        slm__print_added(w, t, added[i]);
    }
    slm__print(w, "],");
    slm__print_options(w);
    slm__print(w, "\n\"vocab\":{");
    slm__print_vocab(w, t);
    slm__print(w, "},\n\"merges\":[");
    slm__print_merges(w, t);
    slm__print(w, "]}}\n");
}

SLM_API slm_status slm_tokenizer_save(const slm_tokenizer *t, const char *path, slm_error *err) {
    slm__writer w = {{NULL, 0, 0}, err, SLM_OK};

    slm__print_tokenizer(&w, t);
    if (w.status == SLM_OK) w.status = slm_file_write(path, w.text.data, w.text.size, err);
    slm__release(w.text.data);
    return w.status;
}

/* ---- files that are no text ----
   Bytes are a text whatever they are, but nobody wants a model of gzip's.  What a file begins with
   decides, never its name: the beginnings below hold bytes that no text has there. */
typedef struct slm__no_text {
    const char *magic; /* what the file begins with; '?' is any byte */
    size_t magic_size;
    const char *name;
    const char *ending; /* of the names of such files: the text's name does without it; or "" */
    const char *made;   /* the text's name ends so instead, whatever the file's name; or NULL */
    /* The command that makes the text is begin PATH middle TEXT.  NULL: there is none. */
    const char *begin, *middle;
} slm__no_text;

#define SLM__MAGIC(bytes) bytes, sizeof(bytes) - 1

#define SLM__TO_JSONL(module, table)                                                               \
    "python3 -c \"import sys, " module "; " table                                                  \
    ".to_json(sys.argv[2], orient='records', lines=True)\" "

/* Returns NULL if it begins with none of those below.  UTF-32 begins as UTF-16 does: it is first.
   What follows Parquet's four letters is the head of Thrift's field 1, an i32. */
static const slm__no_text *slm__no_text_by_magic(const char *bytes, size_t size) {
    static const slm__no_text table[] = {
        {SLM__MAGIC("\x1f\x8b"), "compressed data (gzip)", ".gz", NULL, "gzip -dc ", " > "},
        {SLM__MAGIC("\x28\xb5\x2f\xfd"), "compressed data (zstd)", ".zst", NULL, "zstd -dc ",
         " > "},
        {SLM__MAGIC("\xfd\x37zXZ\0"), "compressed data (xz)", ".xz", NULL, "xz -dc ", " > "},
        {SLM__MAGIC("BZh?1AY&SY"), "compressed data (bzip2)", ".bz2", NULL, "bzip2 -dc ", " > "},
        {SLM__MAGIC("\x04\x22\x4d\x18"), "compressed data (lz4)", ".lz4", NULL, "lz4 -dc ", " > "},
        {SLM__MAGIC("PK\3\4"), "a zip archive", ".zip", NULL, "unzip -p ", " > "},
        {SLM__MAGIC("PAR1\x15"), "a table (Parquet)", "", ".jsonl",
         SLM__TO_JSONL("pandas", "pandas.read_parquet(sys.argv[1])"), " "},
        {SLM__MAGIC("ARROW1\0\0"), "a table (Arrow)", "", ".jsonl",
         SLM__TO_JSONL("pandas", "pandas.read_feather(sys.argv[1])"), " "},
        {SLM__MAGIC("\xff\xff\xff\xff"), "a table (Arrow stream)", "", ".jsonl",
         SLM__TO_JSONL("pyarrow.ipc", "pyarrow.ipc.open_stream(sys.argv[1]).read_pandas()"), " "},
        {SLM__MAGIC("\x89HDF\r\n\x1a\n"), "arrays (HDF5)", "", NULL, NULL, NULL},
        {SLM__MAGIC("\x93NUMPY"), "an array (NumPy)", "", NULL, NULL, NULL},
        {SLM__MAGIC("SQLite format 3\0"), "a database (SQLite)", "", NULL, NULL, NULL},
        {SLM__MAGIC("%PDF-"), "a PDF", "", ".txt", "pdftotext ", " "},
        {SLM__MAGIC("\xff\xfe\0\0"), "UTF-32", "", NULL, "iconv -f UTF-32 -t UTF-8 ", " > "},
        {SLM__MAGIC("\0\0\xfe\xff"), "UTF-32", "", NULL, "iconv -f UTF-32 -t UTF-8 ", " > "},
        {SLM__MAGIC("\xff\xfe"), "UTF-16", "", NULL, "iconv -f UTF-16 -t UTF-8 ", " > "},
        {SLM__MAGIC("\xfe\xff"), "UTF-16", "", NULL, "iconv -f UTF-16 -t UTF-8 ", " > "}};

    for (size_t i = 0; i < SLM__COUNT(table); i++) {
        size_t n = table[i].magic_size;
        size_t k = 0;

        while (k < n && k < size && (table[i].magic[k] == '?' || table[i].magic[k] == bytes[k]))
            k++;
        if (k == n) return &table[i];
    }
    return NULL;
}

/* How much of a file must look like UTF-16 to be taken for it.  A text may have a NUL, but not one
   at every second of 64 bytes and none between them. */
enum { SLM__UTF16_SEEN_MIN = 64, SLM__UTF16_SEEN_MAX = 512 };

/* UTF-16 without a byte order mark, as far as it can be told: letters of ASCII and Latin-1. */
static const slm__no_text *slm__no_text_by_nuls(const char *bytes, size_t size) {
    static const slm__no_text little = {
        "", 0, "UTF-16", "", NULL, "iconv -f UTF-16LE -t UTF-8 ", " > "};
    static const slm__no_text big = {
        "", 0, "UTF-16", "", NULL, "iconv -f UTF-16BE -t UTF-8 ", " > "};
    size_t n = size < SLM__UTF16_SEEN_MAX ? size / 2 : SLM__UTF16_SEEN_MAX / 2;
    size_t n_nul[2] = {0, 0}; /* among the even bytes, among the odd ones */

    if (size < SLM__UTF16_SEEN_MIN) return NULL;
    for (size_t i = 0; i < 2 * n; i++)
        n_nul[i % 2] += bytes[i] == 0;
    if (n_nul[0] == 0 && n_nul[1] == n) return &little;
    if (n_nul[0] == n && n_nul[1] == 0) return &big;
    return NULL;
}

static int slm__lower(char c) {
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Returns 1 if the name ends so, in letters of either case; `ending` is in small ones. */
static int slm__name_ends(const char *name, const char *ending) {
    size_t n = strlen(name);
    size_t m = strlen(ending);

    if (n < m) return 0;
    for (size_t i = 0; i < m; i++)
        if (slm__lower(name[n - m + i]) != ending[i]) return 0;
    return 1;
}

/* The path as one word of a shell: in single quotes, unless no byte of it needs them. */
static void slm__shell_word(char *out, size_t room, const char *path) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./,+@%:=-";
    size_t used = 1;

    if (path[0] != 0 && path[0] != '-' && strspn(path, plain) == strlen(path)) {
        (void)snprintf(out, room, "%s", path);
        return;
    }
    out[0] = '\'';
    for (; *path != 0 && used + 6 < room; path++) {
        if (*path == '\'') {
            memcpy(out + used, "'\\''", 4);
            used += 4;
        } else {
            out[used++] = *path;
        }
    }
    memcpy(out + used, "'", 2);
}

/* A name for the text: "a.txt.gz" becomes "a.txt", "a.parquet" "a.jsonl", "a.txt" "a.new.txt". */
static void slm__no_text_rename(char *out, size_t room, const slm__no_text *kind,
                                const char *path) {
    size_t n = strlen(path);
    size_t stem = n; /* how long the path is without its ending */

    if (kind->ending[0] != 0 && slm__name_ends(path, kind->ending)) {
        (void)snprintf(out, room, "%.*s", (int)(n - strlen(kind->ending)), path);
        return;
    }
    for (size_t i = n; i > 1 && stem == n && path[i - 1] != '/'; i--) {
        if (path[i - 1] == '.') stem = i - 1;
    }
    if (kind->made != NULL)
        (void)snprintf(out, room, "%.*s%s", (int)stem, path, kind->made);
    else
        (void)snprintf(out, room, "%.*s.new%s", (int)stem, path, path + stem);
}

static slm_status slm__no_text_refuse(const slm__no_text *kind, const char *path, slm_error *err) {
    char made[SLM__PATH];
    char from[SLM__PATH];
    char to[SLM__PATH];

    if (kind->begin == NULL)
        return slm__fail(err, SLM_ERR_FORMAT,
                         "%s: holds %s, not plain text in UTF-8: write its texts to a .txt or "
                         ".jsonl file",
                         path, kind->name);
    if (strcmp(path, "-") == 0)
        return slm__fail(err, SLM_ERR_FORMAT,
                         "-: holds %s, not plain text in UTF-8; of a file FROM, this makes it: "
                         "%sFROM%sTO",
                         kind->name, kind->begin, kind->middle);
    slm__no_text_rename(made, sizeof made, kind, path);
    slm__shell_word(from, sizeof from, path);
    slm__shell_word(to, sizeof to, made);
    return slm__fail(err, SLM_ERR_FORMAT,
                     "%s: holds %s, not plain text in UTF-8; this makes it: %s%s%s%s", path,
                     kind->name, kind->begin, from, kind->middle, to);
}

SLM_API slm_status slm_text_start(size_t *start, const char *bytes, size_t size, const char *path,
                                  slm_error *err) {
    const slm__no_text *kind = slm__no_text_by_magic(bytes, size);

    if (kind == NULL) kind = slm__no_text_by_nuls(bytes, size);
    *start = size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    return kind != NULL ? slm__no_text_refuse(kind, path, err) : SLM_OK;
}

/* ---- text and JSONL ----
   JSON lines have one object a line.  Each gives the strings of its fields, with a newline between
   two and a blank line after the last.  Any other file is text as it is. */

SLM_API int slm_text_is_jsonl(const char *path) {
    return slm__name_ends(path, ".jsonl") || slm__name_ends(path, ".ndjson") ||
           slm__name_ends(path, ".json");
}

/* JSON of other shapes has the same names: an array, and an object over several lines. */
static slm_status slm__jsonl_check_shape(const char *text, size_t size, const char *path,
                                         slm_error *err) {
    static const slm__no_text array = {
        "", 0, "a JSON array, not a record a line", "", ".jsonl", "jq -c '.[]' ", " > "};
    static const slm__no_text object = {
        "", 0, "a JSON object over several lines", "", ".jsonl", "jq -c . ", " > "};
    const slm__no_text *shape = NULL;
    size_t first = 0;
    size_t next;
    char made[SLM__PATH];
    char from[SLM__PATH];
    char to[SLM__PATH];

    while (first < size && strchr(" \t\r\n", text[first]) != NULL && text[first] != 0)
        first++;
    next = first + 1;
    while (next < size && strchr(" \t\r", text[next]) != NULL && text[next] != 0)
        next++;
    if (first < size && text[first] == '[') shape = &array;
    if (next < size && text[first] == '{' && text[next] == '\n') shape = &object;
    if (shape == NULL) return SLM_OK;

    slm__no_text_rename(made, sizeof made, shape, path);
    slm__shell_word(from, sizeof from, path);
    slm__shell_word(to, sizeof to, strcmp(made, path) == 0 ? "lines.jsonl" : made);
    return slm__fail(err, SLM_ERR_FORMAT, "%s: %s; this makes lines: %s%s > %s", path, shape->name,
                     shape->begin, from, to);
}

/* The names in an object, for a message. */
static void slm__jsonl_names(char *names, size_t room, slm__json *j, const slm__value *object) {
    const slm__value *v, *end;
    size_t used = 0;

    names[0] = 0;
    for (v = slm__json_members(j, object, &end); v != end && used < room; v = slm__json_next(v))
        used +=
            (size_t)snprintf(names + used, room - used, "%s%.99s", used > 0 ? ", " : "", v->text);
    slm__printable(names, strlen(names));
}

/* The value of the field whose name is `size` bytes long.  Fails if it is not there. */
static const slm__value *slm__jsonl_find(slm__json *j, const char *field, size_t size) {
    const slm__value *v, *end;
    const slm__value *found = NULL;
    char names[200];

    for (v = slm__json_members(j, slm__json_root(j), &end); v != end; v = slm__json_next(v)) {
        if (v->size != size || memcmp(v->text, field, size) != 0) continue;
        (void)slm__json_require(j, v, found == NULL, "the field is there twice");
        found = v + 1;
    }
    if (j->status != SLM_OK || found != NULL) return found;

    slm__jsonl_names(names, sizeof names, j, slm__json_root(j));
    j->status = slm__fail(j->err, SLM_ERR_FORMAT, "%s: no field \"%.*s\", but there is: %s",
                          j->name, size < 60 ? (int)size : 60, field, names);
    return NULL;
}

/* 1 if the name is one of "a,b,c". */
static int slm__name_in_list(const char *list, const char *name, size_t size) {
    while (list != NULL && *list != 0) {
        size_t n = strcspn(list, ",");
        if (n == size && memcmp(list, name, n) == 0) return 1;
        list += n + (list[n] == ',');
    }
    return 0;
}

static double slm__jsonl_factor(slm__json *j, const slm__value *v) {
    double factor = slm__json_double(j, v);

    (void)slm__json_require(j, v, factor >= 0 && factor <= FLT_MAX,
                            "a weight from 0 on was expected");
    return factor;
}

/* Sets the weights of a record's parts (n): one number for all, or an array with one for each. */
static void slm__jsonl_weigh(slm_text_part *parts, size_t n, slm__json *j, const char *field) {
    const slm__value *v = slm__jsonl_find(j, field, strlen(field));
    const slm__value *item, *end;
    size_t i = 0;

    if (j->status != SLM_OK) return;
    if (!slm__json_is(v, SLM__JSON_ARRAY)) {
        double factor = slm__jsonl_factor(j, v);
        for (i = 0; i < n; i++)
            parts[i].weight = factor;
        return;
    }
    for (item = slm__json_items(j, v, &end); item != end; item = slm__json_next(item)) {
        if (i < n) parts[i].weight = slm__jsonl_factor(j, item);
        i++;
    }
    (void)slm__json_require(j, v, i == n, "as many weights as --fields were expected");
}

/* Where the text of records goes. */
typedef struct slm__jsonl_out {
    slm__buffer text;
    slm__buffer parts; /* slm_text_part */
} slm__jsonl_out;

/* Appends the fields of one object: "text", or several with commas between their names. */
static void slm__jsonl_append(slm__jsonl_out *jsonl, slm__json *j,
                              const slm_text_options *options) {
    const char *fields = options->fields != NULL ? options->fields : "text";
    const char *field = fields;
    slm__buffer *out = &jsonl->text;

    while (j->status == SLM_OK) {
        size_t size = strcspn(field, ",");
        int last = field[size] == 0;
        const slm__value *v = slm__jsonl_find(j, field, size);
        slm_text_part part = {out->size, field == fields, 0, 1};

        part.masked = slm__name_in_list(options->mask_fields, field, size);
        slm__buffer_append_if_ok(&j->status, &jsonl->parts, &part, sizeof part, j->err);
        if (slm__json_require(j, v, slm__json_is(v, SLM__JSON_STRING), "a string was expected"))
            slm__buffer_append_if_ok(&j->status, out, v->text, v->size, j->err);
        slm__buffer_append_if_ok(&j->status, out, "\n\n", last ? 2 : 1, j->err);
        if (last) return;
        field += size + 1;
    }
}

static int slm__line_is_blank(const char *line, size_t n) {
    while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
        n--;
    return n == 0;
}

/* Appends the text of one record; `place` is its file and line.  A bad record leaves nothing. */
static slm_status slm__jsonl_record(slm__jsonl_out *out, const char *line, size_t n,
                                    const char *place, const slm_text_options *options,
                                    slm_error *err) {
    size_t size_before = out->text.size;
    size_t parts_before = out->parts.size;
    slm_status status;
    slm__json j;

    (void)slm__json_open(&j, line, n, place, err);
    slm__jsonl_append(out, &j, options);
    if (j.status == SLM_OK && options->weight_field != NULL)
        slm__jsonl_weigh((slm_text_part *)(void *)(out->parts.data + parts_before),
                         (out->parts.size - parts_before) / sizeof(slm_text_part), &j,
                         options->weight_field);
    slm__json_close(&j);
    status = j.status;
    if (status != SLM_OK) {
        out->text.size = size_before;
        out->parts.size = parts_before;
    }
    return status;
}

/* Counts a record that is left out. */
static void slm__text_skip(slm_text *text, const slm_error *fault) {
    if (text->n_bad == 0) text->first_bad = *fault;
    text->n_bad++;
}

static slm_status slm__jsonl_read(slm_text *text, slm__jsonl_out *out, const char *bytes,
                                  size_t size, const char *path, const slm_text_options *options,
                                  slm_error *err) {
    size_t start = 0;
    slm_status status = slm__jsonl_check_shape(bytes, size, path, err);

    for (size_t line = 1; start < size && status == SLM_OK; line++) {
        const char *newline = (const char *)memchr(bytes + start, '\n', size - start);
        size_t n = newline != NULL ? (size_t)(newline - (bytes + start)) : size - start;
        char place[480]; /* for messages: file and line */
        slm_error fault;

        if (!slm__line_is_blank(bytes + start, n)) {
            (void)snprintf(place, sizeof place, "%.400s: line %zu", path, line);
            status = slm__jsonl_record(out, bytes + start, n, place, options, &fault);
            text->n_records++;
            if (status == SLM_ERR_FORMAT && options->skip_bad) {
                slm__text_skip(text, &fault);
                status = SLM_OK;
            } else if (status != SLM_OK && err != NULL) {
                *err = fault;
            }
        }
        start += n + 1;
    }
    slm__buffer_append_if_ok(&status, &out->text, "", 1, err); /* a NUL, not counted */
    return status;
}

SLM_API void slm_text_free(slm_text *text) {
    slm__release(text->memory);
    slm__release(text->parts);
    text->memory = NULL;
    text->parts = NULL;
}

SLM_API slm_status slm_text_parse(slm_text *text, const char *bytes, size_t size, const char *path,
                                  const slm_text_options *options, slm_error *err) {
    slm__jsonl_out out;
    size_t start;
    slm_status status = slm_text_start(&start, bytes, size, path, err);

    memset(&out, 0, sizeof out);
    memset(text, 0, sizeof *text);
    if (status != SLM_OK) return status;
    text->start = bytes + start;
    text->size = size - start;
    if (!options->jsonl && !slm_text_is_jsonl(path)) return SLM_OK;

    status = slm__jsonl_read(text, &out, bytes + start, size - start, path, options, err);
    text->memory = out.text.data;
    text->start = out.text.data;
    text->size = status == SLM_OK ? out.text.size - 1 : 0;
    text->parts = (slm_text_part *)(void *)out.parts.data;
    text->n_parts = status == SLM_OK ? out.parts.size / sizeof(slm_text_part) : 0;
    return status;
}

SLM_API slm_status slm_text_read(char **text, size_t *size, const char *path, const char *fields,
                                 slm_error *err) {
    slm_text_options options;
    slm_text parsed;
    char *raw;
    size_t raw_size;
    slm_status status = slm_file_read(&raw, &raw_size, path, err);

    if (status != SLM_OK) return status;
    memset(&options, 0, sizeof options);
    options.fields = fields;
    status = slm_text_parse(&parsed, raw, raw_size, path, &options, err);
    if (status == SLM_OK && parsed.memory == NULL) { /* plain: moved to the front, with the NUL */
        memmove(raw, parsed.start, parsed.size + 1);
        *text = raw;
        *size = parsed.size;
        return SLM_OK;
    }

    slm__release(raw);
    if (status != SLM_OK) {
        slm_text_free(&parsed);
        return status;
    }
    *text = parsed.memory;
    *size = parsed.size;
    parsed.memory = NULL; /* it is the caller's now */
    slm_text_free(&parsed);
    return SLM_OK;
}

SLM_API slm_status slm_corpus_load(slm_corpus **out, const slm_tokenizer *tokenizer,
                                   const char *path, const char *fields, slm_error *err) {
    char *text = NULL;
    size_t size;
    slm_status status;

    *out = NULL;
    status = slm_text_read(&text, &size, path, fields, err);
    if (status == SLM_OK) status = slm_corpus_encode(out, tokenizer, text, size, err);
    slm__release(text);
    return status;
}

/* ---- config.json of a Hugging Face Llama folder ----
   One list of fields, slm__config_fields, serves both directions, so that what is written can be
   read.  Each function below handles one field: while `out` is NULL it reads it from `object`, else
   it writes it.  Fields that have no influence on what we compute are not in the list. */
typedef struct slm__config_io {
    const char *path;         /* for messages */
    slm__json *json;          /* reading: the file, */
    const slm__value *object; /* and the object that has the fields */
    slm__writer *out;         /* writing: the text so far */
} slm__config_io;

typedef enum slm__presence { SLM__OPTIONAL, SLM__REQUIRED } slm__presence;

/* Reading: the value of a field, or NULL if it is not there or null, which is refused if it is
   required. */
static const slm__value *slm__config_get(slm__config_io *io, const char *name,
                                         slm__presence presence) {
    const slm__value *v = slm__json_get(io->json, io->object, name);

    if (v == NULL && presence == SLM__REQUIRED) (void)slm__json_fail(io->json, NULL, "missing");
    return v;
}

/* Writing: a field whose value is this JSON. */
static void slm__config_put(slm__config_io *io, const char *name, const char *value) {
    slm__print(io->out, "  \"%s\": %s,\n", name, value);
}

/* A whole number above 0. */
static void slm__config_i32(slm__config_io *io, const char *name, slm__presence presence,
                            int32_t *value) {
    const slm__value *v;
    char text[16];
    uint64_t number;

    if (io->out != NULL) {
        (void)snprintf(text, sizeof text, "%d", (int)*value);
        slm__config_put(io, name, text);
        return;
    }
    v = slm__config_get(io, name, presence);
    if (v == NULL) return;
    number = slm__json_u64(io->json, v);
    if (number < 1 || number > INT32_MAX)
        slm__json_fail_quoting(io->json, v, "not from 1 to 2147483647:");
    *value = (int32_t)(number & INT32_MAX);
}

/* A number above 0.  Where a file gives it in two places, it must be the same. */
static void slm__config_f64(slm__config_io *io, const char *name, slm__presence presence,
                            double *value) {
    const slm__value *v;
    double before = *value;
    char text[48];

    if (io->out != NULL) {
        if (slm__double_text(text, *value))
            slm__config_put(io, name, text);
        else if (io->out->status == SLM_OK)
            io->out->status =
                slm__fail(io->out->err, SLM_ERR_ARGUMENT, "%s: %s is not finite", io->path, name);
        return;
    }
    v = slm__config_get(io, name, presence);
    if (v == NULL) return;
    *value = slm__json_double(io->json, v);
    if (!(*value > 0) || (before > 0 && (*value < before || *value > before)))
        slm__json_fail_quoting(io->json, v, "not above 0, or not alone:");
}

static void slm__config_bool(slm__config_io *io, const char *name, int32_t *value) {
    const slm__value *v;

    if (io->out != NULL) {
        slm__config_put(io, name, slm__bool_text(*value));
        return;
    }
    v = slm__config_get(io, name, SLM__OPTIONAL);
    if (v != NULL) *value = slm__json_bool(io->json, v);
}

/* Refuses a value that is there and not as it must be. */
static void slm__config_require(slm__config_io *io, const slm__value *v, int good) {
    if (v != NULL && !good) slm__json_fail_quoting(io->json, v, "not supported:");
}

/* A field that must be this text. */
static void slm__config_must_be(slm__config_io *io, const char *name, slm__presence presence,
                                const char *text) {
    const slm__value *v;

    if (io->out != NULL) {
        slm__print(io->out, "  \"%s\": \"%s\",\n", name, text);
        return;
    }
    v = slm__config_get(io, name, presence);
    slm__config_require(io, v, slm__json_is_text(v, text));
}

/* A field that must be a list of this text alone. */
static void slm__config_must_list(slm__config_io *io, const char *name, const char *text) {
    const slm__value *v;
    int good;

    if (io->out != NULL) {
        slm__print(io->out, "  \"%s\": [\"%s\"],\n", name, text);
        return;
    }
    v = slm__config_get(io, name, SLM__OPTIONAL);
    good = slm__json_is(v, SLM__JSON_ARRAY) && v->n_values == 2 && slm__json_is_text(v + 1, text);
    slm__config_require(io, v, good);
}

static void slm__config_must_be_false(slm__config_io *io, const char *name) {
    const slm__value *v;

    if (io->out != NULL) {
        slm__config_put(io, name, "false");
        return;
    }
    v = slm__config_get(io, name, SLM__OPTIONAL);
    slm__config_require(io, v, slm__json_is(v, SLM__JSON_FALSE));
}

/* Reading only: a number that must be 1. */
static void slm__config_must_be_one(slm__config_io *io, const char *name) {
    const slm__value *v = slm__config_get(io, name, SLM__OPTIONAL);
    double value = slm__json_is(v, SLM__JSON_NUMBER) ? slm__json_double(io->json, v) : 0;

    slm__config_require(io, v, value >= 1 && value <= 1);
}

/* Reading only: a field that must not be there. */
static void slm__config_must_be_absent(slm__config_io *io, const char *name) {
    slm__config_require(io, slm__config_get(io, name, SLM__OPTIONAL), 0);
}

/* ---- config.json: rotary positions ----
   rope_scaling is an object, or null.  Files of transformers 5 have rope_parameters instead, with
   rope_theta in it.  Its type is called rope_type, in older files type. */
static const struct {
    const char *name;
    slm_rope_type type;
} slm__rope_types[] = {{"default", SLM_ROPE_PLAIN},
                       {"linear", SLM_ROPE_LINEAR},
                       {"llama3", SLM_ROPE_LLAMA3}};

/* Reading: the type that a field of this name gives; NULL if there is none. */
static const slm_rope_type *slm__config_rope_type(slm__config_io *rope, const char *name) {
    const slm__value *v = slm__config_get(rope, name, SLM__OPTIONAL);

    for (size_t i = 0; i < SLM__COUNT(slm__rope_types); i++)
        if (slm__json_is_text(v, slm__rope_types[i].name)) return &slm__rope_types[i].type;
    slm__config_require(rope, v, 0);
    return NULL;
}

/* Reading: refuses what none of the types above has. */
static void slm__config_rope_names(slm__config_io *rope) {
    static const char *const known[] = {"rope_type",
                                        "type",
                                        "factor",
                                        "low_freq_factor",
                                        "high_freq_factor",
                                        "original_max_position_embeddings",
                                        "rope_theta",
                                        "partial_rotary_factor"};
    const slm__value *v, *end;

    for (v = slm__json_members(rope->json, rope->object, &end); v != end; v = slm__json_next(v)) {
        int good = slm__json_is(v + 1, SLM__JSON_NULL);

        for (size_t i = 0; i < SLM__COUNT(known); i++)
            good = good || slm__json_is_text(v, known[i]);
        rope->json->field = v->text;
        slm__config_require(rope, v + 1, good);
    }
}

/* Reading: the object of this name, if there is one.  Returns its type, or NULL. */
static const slm_rope_type *slm__config_rope_object(slm__config_io *io, const char *name,
                                                    slm_model_config *c, slm_rope_scaling *r) {
    slm__config_io rope = *io;
    const slm_rope_type *type, *old;

    rope.object = slm__config_get(io, name, SLM__OPTIONAL);
    if (rope.object == NULL) return NULL;
    slm__config_require(io, rope.object, slm__json_is(rope.object, SLM__JSON_OBJECT));
    slm__config_rope_names(&rope);
    type = slm__config_rope_type(&rope, "rope_type");
    old = slm__config_rope_type(&rope, "type");
    if (type == NULL) type = old;
    if (type != NULL) r->type = *type;
    if (old != NULL && old != type)
        (void)slm__json_fail(rope.json, rope.object, "not that of rope_type");

    if (r->type == SLM_ROPE_PLAIN)
        slm__config_must_be_one(&rope, "factor");
    else
        slm__config_f64(&rope, "factor", SLM__REQUIRED, &r->factor);
    if (r->type == SLM_ROPE_LLAMA3) {
        slm__config_f64(&rope, "low_freq_factor", SLM__REQUIRED, &r->low_freq_factor);
        slm__config_f64(&rope, "high_freq_factor", SLM__REQUIRED, &r->high_freq_factor);
        slm__config_i32(&rope, "original_max_position_embeddings", SLM__REQUIRED,
                        &r->original_seq);
    } else {
        slm__config_must_be_absent(&rope, "low_freq_factor");
        slm__config_must_be_absent(&rope, "high_freq_factor");
    }
    slm__config_must_be_one(&rope, "partial_rotary_factor");
    slm__config_f64(&rope, "rope_theta", SLM__OPTIONAL, &c->rope_theta);
    return type;
}

static int slm__same_rope(const slm_rope_scaling *a, const slm_rope_scaling *b) {
    return a->type == b->type && !(fabs(a->factor - b->factor) > 0) &&
           !(fabs(a->low_freq_factor - b->low_freq_factor) > 0) &&
           !(fabs(a->high_freq_factor - b->high_freq_factor) > 0) &&
           a->original_seq == b->original_seq;
}

/* Reading: where a file has both objects, and both name a type, they must ask for the same. */
static void slm__config_read_rope(slm__config_io *io, slm_model_config *c) {
    slm_rope_scaling scaling, parameters;
    const slm_rope_type *type;

    memset(&scaling, 0, sizeof scaling);
    memset(&parameters, 0, sizeof parameters);
    type = slm__config_rope_object(io, "rope_scaling", c, &scaling);
    c->rope_scaling = scaling;
    if (slm__config_rope_object(io, "rope_parameters", c, &parameters) == NULL) return;
    c->rope_scaling = parameters;
    if (type != NULL && !slm__same_rope(&scaling, &parameters))
        (void)slm__json_fail(io->json, slm__config_get(io, "rope_parameters", SLM__OPTIONAL),
                             "not the same as rope_scaling");
}

/* Writing: the form that transformers 4 and 5 and llama.cpp read. */
static void slm__config_write_rope(slm__config_io *io, const slm_rope_scaling *r) {
    char factor[48], low[48], high[48];

    if (r->type == SLM_ROPE_PLAIN) {
        slm__config_put(io, "rope_scaling", "null");
        return;
    }
    (void)slm__double_text(factor, r->factor); /* all are finite: the configuration is checked */
    (void)slm__double_text(low, r->low_freq_factor);
    (void)slm__double_text(high, r->high_freq_factor);
    slm__print(io->out, "  \"rope_scaling\": {\"factor\": %s, ", factor);
    if (r->type == SLM_ROPE_LINEAR) {
        slm__print(io->out, "\"type\": \"linear\"},\n");
        return;
    }
    slm__print(io->out, "\"low_freq_factor\": %s, \"high_freq_factor\": %s, ", low, high);
    slm__print(io->out, "\"original_max_position_embeddings\": %d, \"rope_type\": \"llama3\"},\n",
               (int)r->original_seq);
}

static void slm__config_rope(slm__config_io *io, slm_model_config *c) {
    if (io->out != NULL)
        slm__config_write_rope(io, &c->rope_scaling);
    else
        slm__config_read_rope(io, c);
}

/* ---- config.json: special ids ---- */

/* Reading: an id.  Returns 0 if there is none: old files say so by -1. */
static int slm__config_read_id(slm__config_io *io, const slm__value *v, int32_t *id) {
    uint64_t number;

    if (slm__json_is(v, SLM__JSON_NUMBER) && v->start[0] == '-') return 0;
    number = slm__json_u64(io->json, v);
    if (number > INT32_MAX) slm__json_fail_quoting(io->json, v, "above 2147483647:");
    *id = (int32_t)(number & INT32_MAX);
    return io->json->status == SLM_OK;
}

/* An id, or null. */
static void slm__config_id(slm__config_io *io, const char *name, int32_t *has, int32_t *id) {
    const slm__value *v;
    char text[16];

    if (io->out != NULL) {
        (void)snprintf(text, sizeof text, "%d", (int)*id);
        slm__config_put(io, name, *has ? text : "null");
        return;
    }
    v = slm__config_get(io, name, SLM__OPTIONAL);
    *has = v != NULL && slm__config_read_id(io, v, id);
}

static void slm__config_read_ids(slm__config_io *io, const char *name, slm_special_ids *s) {
    const slm__value *v = slm__config_get(io, name, SLM__OPTIONAL);
    const slm__value *end;

    if (v == NULL) return;
    if (!slm__json_is(v, SLM__JSON_ARRAY)) {
        s->n_eos = slm__config_read_id(io, v, &s->eos[0]);
        return;
    }
    for (v = slm__json_items(io->json, v, &end); v != end; v = slm__json_next(v)) {
        if (!slm__json_require(io->json, v, s->n_eos < SLM_EOS_MAX, "more than 16 ids")) return;
        s->n_eos += slm__config_read_id(io, v, &s->eos[s->n_eos]);
    }
}

/* An id, several in a list, or null. */
static void slm__config_ids(slm__config_io *io, const char *name, slm_special_ids *s) {
    if (io->out == NULL) {
        slm__config_read_ids(io, name, s);
        return;
    }
    slm__print(io->out, "  \"%s\": ", name);
    if (s->n_eos == 0) slm__print(io->out, "null");
    if (s->n_eos > 1) slm__print(io->out, "[");
    for (int32_t i = 0; i < s->n_eos; i++)
        slm__print(io->out, "%s%d", i > 0 ? ", " : "", (int)s->eos[i]);
    slm__print(io->out, s->n_eos > 1 ? "],\n" : ",\n");
}

static void slm__config_special(slm__config_io *io, slm_special_ids *s) {
    slm__config_id(io, "bos_token_id", &s->has_bos, &s->bos);
    slm__config_ids(io, "eos_token_id", s);
    if (io->out == NULL || s->has_pad)
        slm__config_id(io, "pad_token_id", &s->has_pad, &s->pad);
}

/* ---- config.json: the whole ---- */

/* Reading: what transformers takes where a Mistral's file is silent; null is no silence. */
static void slm__config_mistral_defaults(slm__config_io *io, slm_model_config *c) {
    if (slm__json_get_or_null(io->json, io->object, "num_key_value_heads") == NULL)
        c->n_kv_heads = 8;
    if (slm__json_get_or_null(io->json, io->object, "sliding_window") == NULL)
        c->sliding_window = 4096;
    if (slm__json_get_or_null(io->json, io->object, "max_position_embeddings") == NULL)
        c->max_seq = 131072;
}

/* A Mistral is a Llama whose tokens see a limited number of others.  One without that limit is
   written as a Llama. */
static void slm__config_architecture(slm__config_io *io, slm_model_config *c) {
    int mistral = c->sliding_window > 0;

    if (io->out == NULL) {
        const slm__value *type = slm__config_get(io, "model_type", SLM__OPTIONAL);
        mistral = slm__json_is_text(type, "mistral");
    }
    slm__config_must_list(io, "architectures", mistral ? "MistralForCausalLM" : "LlamaForCausalLM");
    slm__config_must_be(io, "model_type", SLM__REQUIRED, mistral ? "mistral" : "llama");
    if (!mistral) return;
    if (io->out == NULL) slm__config_mistral_defaults(io, c);
    slm__config_i32(io, "sliding_window", SLM__OPTIONAL, &c->sliding_window);
}

static void slm__config_fields(slm__config_io *io, slm_model_config *c) {
    slm__config_architecture(io, c);
    slm__config_i32(io, "vocab_size", SLM__REQUIRED, &c->vocab);
    slm__config_i32(io, "hidden_size", SLM__REQUIRED, &c->dim);
    slm__config_i32(io, "intermediate_size", SLM__REQUIRED, &c->ffn);
    slm__config_i32(io, "num_hidden_layers", SLM__REQUIRED, &c->n_layers);
    slm__config_i32(io, "num_attention_heads", SLM__REQUIRED, &c->n_heads);
    slm__config_i32(io, "num_key_value_heads", SLM__OPTIONAL, &c->n_kv_heads);
    slm__config_i32(io, "head_dim", SLM__OPTIONAL, &c->head_dim);
    slm__config_i32(io, "max_position_embeddings", SLM__OPTIONAL, &c->max_seq);
    slm__config_f64(io, "rope_theta", SLM__OPTIONAL, &c->rope_theta);
    slm__config_f64(io, "rms_norm_eps", SLM__OPTIONAL, &c->norm_eps);
    slm__config_bool(io, "tie_word_embeddings", &c->tie_embeddings);
    slm__config_must_be(io, "hidden_act", SLM__OPTIONAL, "silu");
    slm__config_must_be_false(io, "attention_bias");
    slm__config_must_be_false(io, "mlp_bias");
    slm__config_rope(io, c);
    slm__config_special(io, &c->special);
}

static slm_status slm__config_parse(slm_model_config *config, const char *text, size_t size,
                                    const char *name, slm_error *err) {
    slm__json j;
    slm__config_io io = {name, &j, NULL, NULL};
    slm_error inner;

    memset(config, 0, sizeof *config);
    if (slm__json_open(&j, text, size, name, err) == SLM_OK) {
        io.object = slm__json_root(&j);
        slm__config_fields(&io, config);
        slm__config_must_be_absent(&io, "quantization_config");
        slm__config_must_be_one(&io, "partial_rotary_factor");
    }
    slm__json_close(&j);
    if (j.status != SLM_OK) return j.status;

    /* Where the file is silent, the default of transformers holds, which differs from ours. */
    if (!(config->norm_eps > 0)) config->norm_eps = 1e-6;
    if (slm_model_config_check(config, &inner) == SLM_OK) return SLM_OK;
    return slm__fail(err, SLM_ERR_FORMAT, "%s: %.440s", name, inner.text);
}

static const char *slm__torch_dtype(slm_dtype dtype) {
    switch (dtype) {
    case SLM_DTYPE_BF16: return "bfloat16";
    case SLM_DTYPE_F16: return "float16";
    case SLM_DTYPE_F64: return "float64";
    default: return "float32";
    }
}

/* Prints config.json. */
static void slm__print_config(slm__writer *w, const slm_model_config *config, slm_dtype dtype,
                              const char *path) {
    slm__config_io io = {path, NULL, NULL, w};
    slm_model_config copy = *config; /* slm__config_fields would also read into it */

    slm__print(w, "{\n");
    slm__config_fields(&io, &copy);
    slm__print(w, "  \"torch_dtype\": \"%s\"\n}\n", slm__torch_dtype(dtype));
}

static slm_status slm__config_write(const slm_model_config *config, slm_dtype dtype,
                                    const char *path, slm_error *err) {
    slm__writer w = {{NULL, 0, 0}, err, SLM_OK};

    slm__print_config(&w, config, dtype, path);
    if (w.status == SLM_OK) w.status = slm_file_write(path, w.text.data, w.text.size, err);
    slm__release(w.text.data);
    return w.status;
}

/* ---- model folders ----
   A folder holds config.json and the weights, either in model.safetensors or in several files, the
   shards.  These are listed in model.safetensors.index.json, which gives the file of every tensor:
       { "weight_map": { "model.embed_tokens.weight": "model-00001-of-00002.safetensors", ... } }
   A folder that came from elsewhere is not trusted. */

/* Returns 1 if the name can only be that of a file in the folder.  A path such as "../../x" could
   open any file of the user's. */
static int slm__is_plain_name(const char *name) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return name[0] != 0 && name[0] != '.' && name[strspn(name, plain)] == 0;
}

/* Returns 1 if the file of this name is open already.  All paths begin with the folder. */
static int slm__shards_include(const slm_safetensors *all, const char *folder, const char *name) {
    const slm__st_file *file;

    for (file = all->files; file != NULL; file = file->next)
        if (strcmp(file->io.path + strlen(folder), name) == 0) return 1;
    return 0;
}

/* Opens the shards that the index lists.  A shard is named once for each of its tensors, and opened
   when it is named first.  The names of the tensors are not used: each shard has a header of its
   own, which says what it holds.  After the first failure nothing more is opened. */
static slm_status slm__shards_add_listed(slm_safetensors *all, const char *folder, slm__json *j,
                                         slm_error *err) {
    const slm__value *map = slm__json_get(j, slm__json_root(j), "weight_map");
    const slm__value *end;
    const slm__value *tensor = slm__json_members(j, map, &end);

    for (; tensor != end && j->status == SLM_OK; tensor = slm__json_next(tensor)) {
        const slm__value *shard = tensor + 1; /* the value behind the name (slm__value) */
        const char *name = slm__json_text(j, shard);

        if (!slm__is_plain_name(name)) slm__json_fail_quoting(j, shard, "no acceptable file name:");
        if (j->status == SLM_OK && !slm__shards_include(all, folder, name))
            j->status = slm__safetensors_add(all, folder, name, err);
    }
    return j->status;
}

/* Opens the weights of a folder, whose path ends with '/'.  If there is model.safetensors, an index
   beside it is not read. */
static slm_status slm__shards_add(slm_safetensors *all, const char *folder, slm_error *err) {
    char path[SLM__PATH];
    char *text = NULL;
    size_t size = 0;
    slm__json j;
    slm_status status = slm__path_concat(path, folder, "model.safetensors", err);

    if (status != SLM_OK) return status;
    if (slm__exists(path)) return slm__safetensors_add(all, path, "", err);

    status = slm__path_concat(path, folder, "model.safetensors.index.json", err);
    if (status == SLM_OK) status = slm_file_read(&text, &size, path, err);
    if (status != SLM_OK) return status;

    (void)slm__json_open(&j, text, size, path, err);
    status = slm__shards_add_listed(all, folder, &j, err);
    slm__json_close(&j);
    slm__release(text);
    return status;
}

/* How many numbers a model of this shape has; as a double, since the shape may be nonsense. */
static double slm__config_n_weights(const slm_model_config *c) {
    double dim = c->dim;
    double embeddings = (c->tie_embeddings ? 1.0 : 2.0) * c->vocab * dim;
    double heads = 2.0 * c->n_heads + 2.0 * c->n_kv_heads; /* of queries, output, keys, values */
    double layer = 2.0 * dim + dim * c->head_dim * heads + 3.0 * dim * c->ffn;

    return embeddings + dim + c->n_layers * layer;
}

/* A small config.json may ask for a huge model: before memory is taken, the files must hold as many
   numbers as it needs. */
static slm_status slm__shards_enough(const slm_safetensors *all, const slm_model_config *config,
                                     const char *folder, slm_error *err) {
    double needed = slm__config_n_weights(config);
    double found = 0;

    for (size_t i = 0; i < all->n; i++)
        found += (double)all->entries[i].info.count;
    if (found >= needed) return SLM_OK;
    return slm__fail(err, SLM_ERR_FORMAT,
                     "%s: config.json describes %.0f weights, the files hold %.0f", folder, needed,
                     found);
}

/* A file of a model with tied embeddings may still hold an output head, which must be the same.
   These two go together: *hash becomes that of the head, or 0 if there is none or it is not tied;
   room holds an embedding. */
static slm_status slm__shards_hash_tied(uint64_t *hash, slm_real *room, slm_safetensors *all,
                                        const slm_model *model, slm_error *err) {
    slm_param head = model->table[0];
    slm_status status;

    *hash = 0;
    (void)snprintf(head.name, sizeof head.name, "lm_head.weight");
    if (!model->config.tie_embeddings || slm__safetensors_lookup(all, head.name) == NULL)
        return SLM_OK;
    status = slm__safetensors_read_finite(room, all, &head, err);
    *hash = slm__hash_numbers(SLM_HASH_START, room, head.rows * head.cols);
    return status;
}

/* embedding: its numbers. */
static slm_status slm__shards_check_tied(uint64_t hash, const slm_real *embedding,
                                         const slm_safetensors *all, const slm_model *model,
                                         slm_error *err) {
    const slm_param *p = &model->table[0];

    if (hash == 0 || slm__hash_numbers(SLM_HASH_START, embedding, p->rows * p->cols) == hash)
        return SLM_OK;
    return slm__fail(err, SLM_ERR_FORMAT, "%s: lm_head.weight is not the embedding it is tied to",
                     slm__safetensors_lookup(all, "lm_head.weight")->file->io.path);
}

/* Reads the weights of a folder into a new model. */
static slm_status slm__model_load_weights(slm_model **out, slm_safetensors *all,
                                          const slm_model_config *config, const char *folder,
                                          slm_error *err) {
    slm_model *model;
    slm__container weights;
    uint64_t hash;
    slm_status status = slm__shards_add(all, folder, err);

    if (status == SLM_OK) status = slm__shards_enough(all, config, folder, err);
    if (status == SLM_OK) status = slm__model_allocate(out, config, err);
    if (status != SLM_OK) return status;

    model = *out;
    weights = slm__container_of(&slm__model_format, model->table, model->n_tensors, model->params,
                                NULL, NULL);
    status = slm__shards_hash_tied(&hash, model->params, all, model, err);
    if (status == SLM_OK) status = slm__container_read(all, &weights, err);
    if (status == SLM_OK) status = slm__shards_check_tied(hash, model->params, all, model, err);
    return status;
}

/* `folder` ends with '/'. */
static slm_status slm__config_load(slm_model_config *config, const char *folder, slm_error *err) {
    char path[SLM__PATH];
    char *text = NULL;
    size_t size = 0;
    slm_status status = slm__path_concat(path, folder, "config.json", err);

    if (status == SLM_OK) status = slm_file_read(&text, &size, path, err);
    if (status == SLM_OK) status = slm__config_parse(config, text, size, path, err);
    slm__release(text);
    return status;
}

SLM_API slm_status slm_model_config_load(slm_model_config *config, const char *folder,
                                         slm_error *err) {
    char base[SLM__PATH];
    slm_status status = slm__path_concat(base, folder, "/", err);

    return status == SLM_OK ? slm__config_load(config, base, err) : status;
}

SLM_API slm_status slm_safetensors_open_folder(slm_safetensors **out, const char *folder,
                                               slm_error *err) {
    char base[SLM__PATH];
    slm_safetensors *all = NULL;
    slm_status status = slm__path_concat(base, folder, "/", err);

    *out = NULL;
    if (status == SLM_OK) status = slm__safetensors_create(&all, err);
    if (status == SLM_OK) status = slm__shards_add(all, base, err);
    if (status == SLM_OK && all->files == NULL)
        status = slm__fail(err, SLM_ERR_FORMAT, "%s: its index of weights lists no file", folder);
    if (status == SLM_OK)
        *out = all;
    else
        slm_safetensors_close(all);
    return status;
}

SLM_API slm_status slm_model_load(slm_model **out, const char *folder, slm_error *err) {
    char base[SLM__PATH];
    slm_safetensors *all = NULL;
    slm_model_config config;
    slm_model *model = NULL;
    slm_status status;

    *out = NULL;
    status = slm__path_concat(base, folder, "/", err);
    if (status == SLM_OK) status = slm__config_load(&config, base, err);
    if (status == SLM_OK) status = slm__safetensors_create(&all, err);
    if (status == SLM_OK) status = slm__model_load_weights(&model, all, &config, base, err);

    slm_safetensors_close(all);
    if (status == SLM_OK)
        *out = model;
    else
        slm_model_free(model);
    return status;
}

/* ---- a model folder that is streamed (>>scoring) ---- */
static slm_status slm__stream_read(slm_real *out, void *source, const slm_param *param,
                                   slm_error *err) {
    return slm__safetensors_read_matrix(out, (slm_safetensors *)source, param->name, param->rows,
                                        param->cols, err);
}

static void slm__stream_close_source(void *source) {
    slm_safetensors_close((slm_safetensors *)source);
}

/* Reads every tensor once, into room for the largest, with the checks of slm_model_load; makes the
   hash on the way. */
static slm_status slm__stream_check(slm_stream *stream, slm_safetensors *all, slm_real *room,
                                    slm_error *err) {
    const slm_model *model = stream->model;
    uint64_t head;
    slm_status status = slm__shards_hash_tied(&head, room, all, model, err);

    stream->hash = slm__shape_hash(&model->config);
    for (size_t i = 0; i < model->n_tensors && status == SLM_OK; i++) {
        const slm_param *p = &model->table[i];

        status = slm__safetensors_read_finite(room, all, p, err);
        if (status == SLM_OK && i == 0)
            status = slm__shards_check_tied(head, room, all, model, err);
        if (status == SLM_OK)
            stream->hash = slm__hash_numbers(stream->hash, room, p->rows * p->cols);
    }
    return status == SLM_OK ? slm__container_check_rest(all, err) : status;
}

/* Opens the files of the folder, whose path ends with '/', and checks them. */
static slm_status slm__stream_open_files(slm_stream *stream, const slm_model_config *config,
                                         const char *folder, slm_error *err) {
    slm_safetensors *all = NULL;
    slm_real *room;
    slm_status status = slm__safetensors_create(&all, err);

    stream->source = all;
    stream->read = slm__stream_read;
    stream->close = slm__stream_close_source;
    if (status == SLM_OK) status = slm__shards_add(all, folder, err);
    if (status == SLM_OK) status = slm__shards_enough(all, config, folder, err);
    if (status == SLM_OK) status = slm__model_describe(&stream->model, config, err);
    if (status != SLM_OK) return status;

    room = (slm_real *)slm__alloc(slm__stream_part_size(stream->model), sizeof *room, err);
    if (room == NULL) return SLM_ERR_MEMORY;
    status = slm__stream_check(stream, all, room, err);
    slm__release(room);
    return status;
}

SLM_API slm_status slm_stream_open(slm_stream **out, const char *folder, slm_error *err) {
    char base[SLM__PATH];
    slm_model_config config;
    slm_stream *stream;
    slm_status status = slm__path_concat(base, folder, "/", err);

    *out = NULL;
    if (status == SLM_OK) status = slm__config_load(&config, base, err);
    if (status != SLM_OK) return status;
    stream = (slm_stream *)slm__alloc(1, sizeof *stream, err);
    if (stream == NULL) return SLM_ERR_MEMORY;
    status = slm__stream_open_files(stream, &config, base, err);
    if (status == SLM_OK)
        *out = stream;
    else
        slm_stream_close(stream);
    return status;
}

static slm_status slm__model_save_weights(const slm_model *model, const char *folder,
                                          slm_dtype dtype, slm_error *err) {
    slm__container weights = slm__container_of(&slm__model_format, model->table, model->n_tensors,
                                               model->params, NULL, NULL);
    const uint64_t no_numbers[1] = {0}; /* a model's container has no keys */
    slm__container_writer writer;
    char path[SLM__PATH];
    slm_status status = slm__path_concat(path, folder, "/model.safetensors", err);

    if (status != SLM_OK) return status;
    slm__container_begin(&writer, &weights, dtype, no_numbers, err);
    return slm__container_end(&writer, path);
}

/* ---- what other programs read beside a model ---- */
typedef enum slm__companions {
    SLM__COMPANIONS_WRITE,
    SLM__COMPANIONS_KEEP /* those that are there stay */
} slm__companions;

/* Writes what is in w to a file of the folder; w is empty then. */
static slm_status slm__companion_write(slm__writer *w, const char *folder, const char *name,
                                       slm__companions mode) {
    char path[SLM__PATH];

    if (w->status == SLM_OK) w->status = slm__path_concat(path, folder, name, w->err);
    if (w->status == SLM_OK && !(mode == SLM__COMPANIONS_KEEP && slm__exists(path)))
        w->status = slm_file_write(path, w->text.data, w->text.size, w->err);
    slm__release(w->text.data);
    memset(&w->text, 0, sizeof w->text);
    return w->status;
}

static slm_status slm__generation_config_write(const slm_special_ids *special, const char *folder,
                                               slm__companions mode, slm_error *err) {
    slm__writer w = {{NULL, 0, 0}, err, SLM_OK};
    slm__config_io io = {folder, NULL, NULL, &w};
    slm_special_ids copy = *special;

    slm__print(&w, "{\n  \"_from_model_config\": true,\n");
    slm__config_special(&io, &copy);
    if (w.status == SLM_OK) w.text.size -= 2; /* the last comma, and a newline */
    slm__print(&w, "\n}\n");
    return slm__companion_write(&w, folder, "/generation_config.json", mode);
}

/* A token as tokenizer_config.json names it.  One that is not added cannot be named: other programs
   would add it, with an id that the model does not have. */
static void slm__print_special(slm__writer *w, const char *name, const slm_tokenizer *tokenizer,
                               int32_t id) {
    size_t size = 0;
    const char *bytes = slm_tokenizer_token(&size, tokenizer, id);
    slm_token_kind kind = slm_tokenizer_token_kind(tokenizer, id);

    if (bytes == NULL || kind == SLM_TOKEN_NORMAL || kind == SLM_TOKEN_BYTE) return;
    slm__print(w, "  \"%s\": ", name);
    slm__print_string(w, bytes, size);
    slm__print(w, ",\n");
}

/* The id of a special token of a template, below vocab.  Returns -1 if it has none; then *j says
   why. */
static int32_t slm__template_id(slm__json *j, const slm__value *processor,
                                const slm__value *special, int32_t vocab) {
    const slm__value *name, *entry, *ids, *item, *end;
    uint64_t id;

    name = slm__json_get(j, special, "id");
    if (!slm__json_require(j, name, slm__json_is(name, SLM__JSON_STRING), "a token was expected"))
        return -1;
    entry = slm__json_get(j, processor, "special_tokens");
    if (slm__json_is(entry, SLM__JSON_OBJECT)) entry = slm__json_get(j, entry, name->text);
    ids = slm__json_is(entry, SLM__JSON_OBJECT) ? slm__json_get(j, entry, "ids") : NULL;
    if (!slm__json_require(j, name, slm__json_is(ids, SLM__JSON_ARRAY),
                           "the template does not say its id"))
        return -1;
    item = slm__json_items(j, ids, &end);
    if (!slm__json_require(j, name, item != end && slm__json_next(item) == end,
                           "the template gives it more than one id, or none"))
        return -1;
    id = slm__json_u64(j, item);
    if (!slm__json_require(j, name, id < (uint64_t)vocab, "no token has the id of the template"))
        return -1;
    return j->status == SLM_OK ? (int32_t)id : -1;
}

/* Reads one post_processor: TemplateProcessing's "single". */
static void slm__template_read(int32_t *bos, int32_t *eos, slm__json *j,
                               const slm__value *processor, int32_t vocab) {
    const slm__value *single, *item, *end;
    int behind = 0; /* 1: the text itself is passed */

    if (!slm__json_is(processor, SLM__JSON_OBJECT)) return;
    single = slm__json_get(j, processor, "single");
    if (!slm__json_is(single, SLM__JSON_ARRAY)) return;
    for (item = slm__json_items(j, single, &end); item != end; item = slm__json_next(item)) {
        const slm__value *special = NULL;
        int32_t *id = behind ? eos : bos;

        if (slm__json_is(item, SLM__JSON_OBJECT)) special = slm__json_get(j, item, "SpecialToken");
        if (special == NULL) {
            behind = 1;
        } else if (slm__json_require(j, special, *id < 0,
                                     "one token before and one behind a text can be")) {
            *id = slm__template_id(j, processor, special, vocab);
        }
    }
}

SLM_API slm_status slm_tokenizer_template(int32_t *bos, int32_t *eos,
                                          const slm_tokenizer *tokenizer, slm_error *err) {
    const int32_t vocab = slm_tokenizer_vocab(tokenizer);
    const slm__value *processor, *list, *item, *end;
    slm__json j;

    *bos = -1;
    *eos = -1;
    if (tokenizer->source.size == 0) return SLM_OK;
    if (slm__json_open(&j, tokenizer->source.data, tokenizer->source.size, "tokenizer.json", err) ==
        SLM_OK) {
        processor = slm__json_get(&j, slm__json_root(&j), "post_processor");
        slm__template_read(bos, eos, &j, processor, vocab);
        list = NULL;
        if (slm__json_is(processor, SLM__JSON_OBJECT))
            list = slm__json_get(&j, processor, "processors");
        if (slm__json_is(list, SLM__JSON_ARRAY)) {
            for (item = slm__json_items(&j, list, &end); item != end; item = slm__json_next(item))
                slm__template_read(bos, eos, &j, item, vocab);
        }
    }
    slm__json_close(&j);
    return j.status;
}

static slm_status slm__tokenizer_config_write(const slm_tokenizer *tokenizer,
                                              const slm_model_config *c, const char *folder,
                                              slm__companions mode, slm_error *err) {
    slm__writer w = {{NULL, 0, 0}, err, SLM_OK};
    const slm_special_ids *s = &c->special;
    int32_t bos, eos;

    w.status = slm_tokenizer_template(&bos, &eos, tokenizer, err);
    slm__print(&w, "{\n  \"add_bos_token\": %s,\n", slm__bool_text(bos >= 0));
    if (s->has_bos) slm__print_special(&w, "bos_token", tokenizer, s->bos);
    slm__print(&w, "  \"clean_up_tokenization_spaces\": false,\n");
    if (s->n_eos > 0) slm__print_special(&w, "eos_token", tokenizer, s->eos[0]);
    slm__print(&w, "  \"model_max_length\": %d,\n", (int)c->max_seq);
    if (s->has_pad) slm__print_special(&w, "pad_token", tokenizer, s->pad);
    slm__print(&w, "  \"tokenizer_class\": \"PreTrainedTokenizerFast\"\n}\n");
    return slm__companion_write(&w, folder, "/tokenizer_config.json", mode);
}

/* All but weights and config.json. */
static slm_status slm__companions_save(const slm_model_config *config, const char *folder,
                                       const slm_tokenizer *tokenizer, slm__companions mode,
                                       slm_error *err) {
    char path[SLM__PATH];
    slm_status status = slm__path_concat(path, folder, "/tokenizer.json", err);

    if (status == SLM_OK && tokenizer != NULL) status = slm_tokenizer_save(tokenizer, path, err);
    if (status == SLM_OK && tokenizer != NULL)
        status = slm__tokenizer_config_write(tokenizer, config, folder, mode, err);
    if (status != SLM_OK) return status;
    return slm__generation_config_write(&config->special, folder, mode, err);
}

static slm_status slm__config_save(const slm_model_config *config, const char *folder,
                                   slm_dtype dtype, slm_error *err) {
    char path[SLM__PATH];
    slm_status status = slm__path_concat(path, folder, "/config.json", err);

    return status == SLM_OK ? slm__config_write(config, dtype, path, err) : status;
}

SLM_API slm_status slm_model_config_save(const slm_model_config *config, const char *folder,
                                         const slm_tokenizer *tokenizer, slm_dtype dtype,
                                         slm_error *err) {
    slm_status status =
        slm__companions_save(config, folder, tokenizer, SLM__COMPANIONS_WRITE, err);

    return status == SLM_OK ? slm__config_save(config, folder, dtype, err) : status;
}

/* Sets *is_other to 1 if there is a file of that name in the folder that holds another text than w.
   Empties w. */
static slm_status slm__text_is_other(int *is_other, slm__writer *w, const char *folder,
                                     const char *name) {
    char path[SLM__PATH];
    char *bytes = NULL;
    size_t size = 0;

    if (w->status == SLM_OK) w->status = slm__path_concat(path, folder, name, w->err);
    if (w->status == SLM_OK && slm__exists(path)) {
        w->status = slm_file_read(&bytes, &size, path, w->err);
        if (w->status == SLM_OK && (size != w->text.size || memcmp(bytes, w->text.data, size) != 0))
            *is_other = 1;
        slm__release(bytes);
    }
    slm__release(w->text.data);
    memset(&w->text, 0, sizeof w->text);
    return w->status;
}

/* A folder without config.json is no model.  If there is another model in the folder, its
   config.json goes before anything else changes, and the new one comes last: at no moment does a
   reader find a mixture of both. */
static slm_status slm__model_make_way(const slm_model_config *config, const char *folder,
                                      const slm_tokenizer *tokenizer, slm_dtype dtype,
                                      slm_error *err) {
    slm__writer w = {{NULL, 0, 0}, err, SLM_OK};
    char path[SLM__PATH];
    int is_other = 0;
    slm_status status = slm__path_concat(path, folder, "/config.json", err);

    if (status != SLM_OK) return status;
    slm__print_config(&w, config, dtype, path);
    status = slm__text_is_other(&is_other, &w, folder, "/config.json");
    if (status == SLM_OK && tokenizer != NULL) {
        slm__print_tokenizer(&w, tokenizer);
        status = slm__text_is_other(&is_other, &w, folder, "/tokenizer.json");
    }
    if (status != SLM_OK || !is_other) return status;
    if (SLM__REMOVE(path) != 0 && errno != ENOENT)
        return slm__fail(err, SLM_ERR_IO, "%s: cannot remove: %s", path, strerror(errno));
    return slm__sync_name(path, err);
}

static slm_status slm__model_save(const slm_model *model, const char *folder,
                                  const slm_tokenizer *tokenizer, slm_dtype dtype,
                                  slm__companions mode, slm_error *err) {
    slm_status status;

    if (dtype == SLM_DTYPE_NATIVE) dtype = slm__native_dtype();
    if (dtype != SLM_DTYPE_F32 && dtype != SLM_DTYPE_BF16 && dtype != SLM_DTYPE_F64)
        return slm__fail(err, SLM_ERR_ARGUMENT,
                         "%s: weights are written as F32, BF16 or F64, not as %s", folder,
                         slm_dtype_name(dtype));

    status = slm__make_folder(folder, err);
    if (status == SLM_OK)
        status = slm__model_make_way(&model->config, folder, tokenizer, dtype, err);
    if (status == SLM_OK)
        status = slm__companions_save(&model->config, folder, tokenizer, mode, err);
    if (status == SLM_OK) status = slm__model_save_weights(model, folder, dtype, err);
    if (status == SLM_OK) status = slm__config_save(&model->config, folder, dtype, err);
    return status;
}

SLM_API slm_status slm_model_save(const slm_model *model, const char *folder,
                                  const slm_tokenizer *tokenizer, slm_dtype dtype, slm_error *err) {
    return slm__model_save(model, folder, tokenizer, dtype, SLM__COMPANIONS_WRITE, err);
}

/* ---- loss files ----
   A container with the tensors "loss" and "entropy" (n) and the numbers
       window, at, all             length of a window, entries before these, of the whole corpus
       corpus, tokenizer, model    fingerprints
       documents                   likewise, if they were made within documents */

/* Parts consist of whole windows; only the last window of the corpus may be shorter. */
static slm_status slm__losses_possible(const slm_losses *s, slm_status otherwise, const char *path,
                                       slm_error *err) {
    size_t T = (size_t)s->T;
    int good = s->T > 0 && s->total > 0 && s->first <= s->total && s->n <= s->total - s->first;

    if (good) good = s->first == s->total || s->first % T == 0;
    if (good) good = s->first + s->n == s->total || (s->first + s->n) % T == 0;
    if (good) return SLM_OK;
    return slm__fail(err, otherwise, "%s: %zu losses from %zu of %zu in windows of %d", path, s->n,
                     s->first, s->total, (int)s->T);
}

/* The one parameter that is stored twice, as "loss" and as "entropy". */
static slm_param slm__losses_param(size_t n) {
    slm_param param = {"", 0, 1, n, 0};

    return param;
}

SLM_API slm_status slm_losses_save(const slm_losses *losses, const char *path, slm_error *err) {
    const uint64_t numbers[7] = {
        (uint64_t)losses->T,    losses->first,      losses->total,         losses->corpus_hash,
        losses->tokenizer_hash, losses->model_hash, losses->documents_hash};
    slm_param param = slm__losses_param(losses->n);
    slm__container c =
        slm__container_of(&slm__losses_format, &param, 1, losses->loss, losses->entropy, NULL);
    slm__container_writer writer;
    slm_status status = slm__losses_possible(losses, SLM_ERR_ARGUMENT, path, err);

    if (status != SLM_OK) return status;
    slm__container_begin(&writer, &c, slm__native_dtype(), numbers, err);
    return slm__container_end(&writer, path);
}

/* Makes losses as the file describes them.  Since it holds n numbers, memory for n may be taken. */
static slm_status slm__losses_from(slm_losses **out, const slm_safetensors *file,
                                   const uint64_t numbers[7], const char *path, slm_error *err) {
    const slm_safetensors_entry *loss = slm_safetensors_find(file, "loss");
    slm_losses like;
    slm_status status;

    memset(&like, 0, sizeof like);
    if (numbers[0] < 1 || numbers[0] > INT32_MAX)
        return slm__fail(err, SLM_ERR_FORMAT, "%s: window: %llu is not from 1 to %d", path,
                         (unsigned long long)numbers[0], (int)INT32_MAX);
    if (numbers[2] >= SIZE_MAX / 64)
        return slm__fail(err, SLM_ERR_FORMAT, "%s: all: %llu is too large", path,
                         (unsigned long long)numbers[2]);
    if (numbers[1] > numbers[2])
        return slm__fail(err, SLM_ERR_FORMAT, "%s: at: %llu is above all, %llu", path,
                         (unsigned long long)numbers[1], (unsigned long long)numbers[2]);
    if (loss != NULL) like.n = (size_t)loss->count;
    like.T = (int32_t)numbers[0];
    like.first = (size_t)numbers[1];
    like.total = (size_t)numbers[2];
    like.corpus_hash = numbers[3];
    like.tokenizer_hash = numbers[4];
    like.model_hash = numbers[5];
    like.documents_hash = numbers[6];
    status = slm__losses_possible(&like, SLM_ERR_FORMAT, path, err);
    if (status != SLM_OK) return status;

    status = slm_losses_create(out, like.n, like.T, err);
    if (status != SLM_OK) return status;
    (*out)->first = like.first;
    (*out)->total = like.total;
    (*out)->corpus_hash = like.corpus_hash;
    (*out)->tokenizer_hash = like.tokenizer_hash;
    (*out)->model_hash = like.model_hash;
    (*out)->documents_hash = like.documents_hash;
    return SLM_OK;
}

SLM_API slm_status slm_losses_load(slm_losses **out, const char *path, slm_error *err) {
    slm_safetensors *file = NULL;
    uint64_t numbers[SLM__MAX_KEYS];
    slm_losses *losses = NULL;
    slm_status status;

    *out = NULL;
    status = slm__container_open(&file, numbers, &slm__losses_format, path, err);
    if (status == SLM_OK) status = slm__losses_from(&losses, file, numbers, path, err);
    if (status == SLM_OK) {
        slm_param param = slm__losses_param(losses->n);
        slm__container c =
            slm__container_of(&slm__losses_format, &param, 1, losses->loss, losses->entropy, NULL);

        status = slm__container_read(file, &c, err);
    }
    slm_safetensors_close(file);
    if (status == SLM_OK)
        *out = losses;
    else
        slm_losses_free(losses);
    return status;
}

/* ---- run state ----
   A container with every parameter of the model, and with the two moments of AdamW for each; the
   numbers step, cursor.seed and cursor.at (windows used); the texts "settings" and "extra".  The
   settings are what makes this run this run and no other: words "name=value", which the trainer
   that loads the state must share. */

/* Appends the settings of a stretched context, if it is one. */
static void slm__run_print_rope(slm__writer *w, const slm_rope_scaling *r) {
    char factor[48], low[48], high[48];

    if (r->type == SLM_ROPE_PLAIN) return;
    (void)slm__double_text(factor, r->factor); /* all are finite: the configuration is checked */
    (void)slm__double_text(low, r->low_freq_factor);
    (void)slm__double_text(high, r->high_freq_factor);
    slm__print(w, " rope=%d,%s,%s,%s,%d", (int)r->type, factor, low, high, (int)r->original_seq);
}

/* Appends the settings that are real numbers. */
static void slm__run_print_reals(slm__writer *w, const slm_trainer *trainer) {
    const slm_model_config *c = &trainer->model->config;
    const slm_select_options *s = &trainer->options.select;
    const slm_adamw_options *o = &trainer->options.adamw;

    const struct {
        const char *name;
        double value;
    } reals[] = {{"rope_theta", c->rope_theta},
                 {"norm_eps", c->norm_eps},
                 {"ratio", s->ratio},
                 {"ratio2", s->entropy_ratio},
                 {"lr", o->lr},
                 {"lr_min", o->lr_min},
                 {"beta1", o->beta1},
                 {"beta2", o->beta2},
                 {"eps", o->eps},
                 {"weight_decay", o->weight_decay},
                 {"clip", o->clip}};

    for (size_t i = 0; i < SLM__COUNT(reals); i++) {
        char text[48];

        if (slm__double_text(text, reals[i].value))
            slm__print(w, " %s=%s", reals[i].name, text);
        else if (w->status == SLM_OK)
            w->status = slm__fail(w->err, SLM_ERR_ARGUMENT, "run: %s is not finite", reals[i].name);
    }
}

/* The settings as a text that ends with a NUL.  Whatever the status, release it. */
static slm_status slm__run_settings(slm__writer *w, const slm_trainer *trainer,
                                    uint64_t corpus_hash, slm_error *err) {
    const slm_model_config *c = &trainer->model->config;
    const slm_select_options *s = &trainer->options.select;
    const slm_adamw_options *o = &trainer->options.adamw;
    const slm_model *reference_model = trainer->options.reference;
    uint64_t reference = reference_model != NULL ? slm_model_hash(reference_model) : 0;

    memset(w, 0, sizeof *w);
    w->err = err;
    slm__print(w, "number=%s vocab=%d dim=%d n_layers=%d", slm_dtype_name(slm__native_dtype()),
               (int)c->vocab, (int)c->dim, (int)c->n_layers);
    slm__print(w, " n_heads=%d n_kv_heads=%d head_dim=%d ffn=%d tied=%d", (int)c->n_heads,
               (int)c->n_kv_heads, (int)c->head_dim, (int)c->ffn, (int)c->tie_embeddings);
    slm__print(w, " score=%d scope=%d seed=%llu", (int)s->criterion, (int)s->scope,
               (unsigned long long)s->seed);
    slm__print(w, " warmup=%llu steps=%llu", (unsigned long long)o->warmup,
               (unsigned long long)o->steps);
    slm__print(w, " corpus=%016llx reference=%016llx", (unsigned long long)corpus_hash,
               (unsigned long long)reference);
    slm__run_print_reals(w, trainer);
    slm__run_print_rope(w, &c->rope_scaling);
    slm__buffer_append_if_ok(&w->status, &w->text, "", 1, err);
    return w->status;
}

static slm_status slm__run_save_state(const slm_trainer *trainer, const char *folder,
                                      const slm_run *run, const char *settings, slm_error *err) {
    const uint64_t numbers[3] = {trainer->steps, run->cursor.seed, run->cursor.next_window};
    const slm_model *model = trainer->model;
    slm__container state = slm__container_of(&slm__run_format, model->table, model->n_tensors,
                                             model->params, trainer->m, trainer->v);
    slm__container_writer writer;
    char path[SLM__PATH];
    slm_status status = slm__make_folder(folder, err);

    if (status == SLM_OK) status = slm__path_concat(path, folder, "/state.safetensors", err);
    if (status != SLM_OK) return status;
    slm__container_begin(&writer, &state, slm__native_dtype(), numbers, err);
    slm__container_put(&writer, "settings", settings);
    slm__container_put(&writer, "extra", run->extra);
    return slm__container_end(&writer, path);
}

SLM_API slm_status slm_run_save(const slm_trainer *trainer, const char *folder, const slm_run *run,
                                slm_error *err) {
    slm__writer settings;
    slm_status status;

    if (memchr(run->extra, 0, sizeof run->extra) == NULL)
        return slm__fail(err, SLM_ERR_ARGUMENT, "%s: extra does not end with a NUL", folder);

    status = slm__run_settings(&settings, trainer, run->corpus_hash, err);
    if (status == SLM_OK)
        status = slm__run_save_state(trainer, folder, run, settings.text.data, err);
    slm__release(settings.text.data);
    if (status != SLM_OK) return status;
    return slm__model_save(trainer->model, folder, run->tokenizer, run->dtype,
                           SLM__COMPANIONS_KEEP, err);
}

/* Where the settings of the file say fewer steps than the trainer has, gives the ends of both
   numbers, and 1; the texts up to them are then the same but for the numbers. */
static int slm__run_has_more_steps(size_t *end, size_t *their_end, const char *ours,
                                   const char *theirs) {
    static const char name[] = " steps=";
    const char *found = strstr(ours, name);
    const size_t n = found != NULL ? (size_t)(found - ours) + sizeof name - 1 : 0;

    if (n == 0 || strncmp(ours, theirs, n) != 0) return 0;
    *end = n + strspn(ours + n, "0123456789");
    *their_end = n + strspn(theirs + n, "0123456789");

    /* Of two numbers without leading zeros the longer one is the larger. */
    if (*end != *their_end) return *end > *their_end;
    return strncmp(ours + n, theirs + n, *end - n) > 0;
}

/* Names the first setting of the file that differs from the trainer's.  Only of steps there may be
   more than the run was begun with. */
static slm_status slm__run_compare(const char *theirs, const char *ours, const char *path,
                                   slm_error *err) {
    size_t word = 0, end = 0, their_end = 0, i = 0;

    if (theirs == NULL) return slm__fail(err, SLM_ERR_FORMAT, "%s: \"settings\" is missing", path);
    if (strcmp(ours, theirs) == 0) return SLM_OK;
    if (slm__run_has_more_steps(&end, &their_end, ours, theirs)) {
        ours += end;
        theirs += their_end;
        if (strcmp(ours, theirs) == 0) return SLM_OK;
    }

    for (; ours[i] == theirs[i]; i++)
        if (ours[i] == ' ') word = i + 1;
    if (ours[i] == ' ' && theirs[i] == 0)
        return slm__fail(err, SLM_ERR_MISMATCH, "%s: it lacks our setting%s", path, ours + i);
    if (ours[i] == 0 && theirs[i] == ' ')
        return slm__fail(err, SLM_ERR_MISMATCH, "%s: we lack its setting%s", path, theirs + i);
    return slm__fail(err, SLM_ERR_MISMATCH, "%s: its setting is %.*s, ours is %.*s", path,
                     (int)strcspn(theirs + word, " "), theirs + word,
                     (int)strcspn(ours + word, " "), ours + word);
}

/* Opens a state and checks that it is one of this run. */
static slm_status slm__run_open(slm_safetensors **out, uint64_t *numbers,
                                const slm_trainer *trainer, uint64_t corpus_hash, const char *path,
                                slm_error *err) {
    slm__writer ours;
    slm_status status = slm__run_settings(&ours, trainer, corpus_hash, err);

    if (status == SLM_OK) status = slm__container_open(out, numbers, &slm__run_format, path, err);
    if (status == SLM_OK)
        status =
            slm__run_compare(slm_safetensors_metadata(*out, "settings"), ours.text.data, path, err);
    slm__release(ours.text.data);
    return status;
}

/* Reads the state twice, because two states may not fit the memory: first into the room of the
   gradients, which no step needs from the one before it, so that a bad file is refused while the
   trainer is untouched; then into the trainer. */
static slm_status slm__run_read(slm_trainer *t, slm_safetensors *file, slm_error *err) {
    const slm_model *model = t->model;
    slm__container trial = slm__container_of(&slm__run_format, model->table, model->n_tensors,
                                             t->grads, t->grads, t->grads);
    slm__container state = slm__container_of(&slm__run_format, model->table, model->n_tensors,
                                             model->params, t->m, t->v);
    slm_status status = slm__container_read(file, &trial, err);

    if (status == SLM_OK) status = slm__container_begin_checksum(file);
    if (status == SLM_OK) status = slm__container_read(file, &state, err);
    return status;
}

/* The caller's text in a state; "" if there is none.  Returns NULL if it is too long. */
static const char *slm__run_extra(const slm_safetensors *file, const slm_run *run) {
    const char *extra = slm_safetensors_metadata(file, "extra");

    if (extra == NULL) return "";
    return strlen(extra) < sizeof run->extra ? extra : NULL;
}

SLM_API slm_status slm_run_load(slm_trainer *trainer, slm_run *run, const char *folder,
                                slm_error *err) {
    slm_safetensors *file = NULL;
    uint64_t numbers[SLM__MAX_KEYS];
    char path[SLM__PATH];
    const char *extra = NULL;
    slm_status status = slm__path_concat(path, folder, "/state.safetensors", err);

    if (status == SLM_OK)
        status = slm__run_open(&file, numbers, trainer, run->corpus_hash, path, err);
    if (status == SLM_OK) {
        extra = slm__run_extra(file, run);
        if (extra == NULL)
            status = slm__fail(err, SLM_ERR_FORMAT, "%s: extra has more than %zu bytes", path,
                               sizeof run->extra - 1);
    }
    if (status == SLM_OK) status = slm__run_read(trainer, file, err);
    if (status == SLM_OK) { /* from here on nothing can fail */
        trainer->steps = numbers[0];
        run->cursor.seed = numbers[1];
        run->cursor.next_window = numbers[2];
        memcpy(run->extra, extra, strlen(extra) + 1);
    }
    slm_safetensors_close(file);
    return status;
}
#endif /* SLM_NO_FILES */

#endif /* SLM_IMPLEMENTATION */

/* ==== >>licence ==================================================================================
   MIT License.  Copyright (c) 2026 the authors of slm.h

   Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
   associated documentation files (the "Software"), to deal in the Software without restriction,
   including without limitation the rights to use, copy, modify, merge, publish, distribute,
   sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
   furnished to do so, subject to the following conditions:

   The above copyright notice and this permission notice shall be included in all copies or
   substantial portions of the Software.

   THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
   NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
   NONINFRINGEMENT.  IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
   DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
   OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.        */
