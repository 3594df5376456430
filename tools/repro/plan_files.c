/* plan_files.c: the experiments on real text, with their settings. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "common/os.h"
#include "jobs.h"
#include "plan.h"

#define REAL_MODELS "reference scores null_scores doc_scores"
#define REAL_DOCUMENTS "doc doc_ppl window rho_sequences doc_slm:0.6 clean veto doc_veto"
#define TUNED_REAL_ARMS                                                                            \
    FEW_ARMS " loss ref clm_tuned slm_tuned mixed doc_tuned doc_slm_tuned:0.6 " REAL_DOCUMENTS
#define REAL_ARMS FEW_ARMS " loss ref clm_tuned slm_tuned mixed clean slm:0.6"
#define RECORD_ARMS FEW_ARMS " loss clean mixed"
#define REAL_DOCUMENT_ARMS                                                                         \
    "clm slm clm_tuned slm_tuned doc_tuned doc_slm_tuned:0.6 " REAL_DOCUMENTS
#define QUICK_DOCUMENT_ARMS "clm slm doc doc_slm:0.6 clean veto doc_veto"

/* Nobody knows how much of real text is noise. */
static const settings real_text = {.noisy = {NAN, NAN, NAN},
                                   .general_bytes = 4000000,
                                   .noisy_bytes = 1400000,
                                   .clean_bytes = 480000,
                                   .eval_bytes = 50000,
                                   .model = {.vocab = 1024,
                                             .dim = 96,
                                             .n_layers = 3,
                                             .n_heads = 4,
                                             .n_kv_heads = 4,
                                             .head_dim = 24,
                                             .ffn = 256,
                                             .max_seq = 256,
                                             .rope_theta = 10000,
                                             .norm_eps = 1e-5},
                                   .B = 8,
                                   .T = 256,
                                   .base_steps = 500,
                                   .tune_steps = 60,
                                   .steps = 160,
                                   .every = 16,
                                   .early = 4,
                                   .base_lr = 4e-3,
                                   .tune_lr = 1e-3,
                                   .arm_lr = 1e-3,
                                   .seed = 1};

/* The base of a seed: GSM8K's arms start from that of the raw text, too. */
static void plan_base(repro *r, origin *o, const char *corpus) {
    const char *own = o->corpus;
    o->corpus = corpus;
    plan_arms(r, o, "main", "base");
    o->corpus = own;
}

/* Each seed has its own base, reference, scores and order of the text.  GSM8K takes over the
   learning rates that are chosen on OpenStax. */
static void plan_files(repro *r, origin *o, const char *base_corpus) {
    const int is_gsm8k = same_text(o->corpus, "gsm8k");
    const char *arms = is_gsm8k ? RECORD_ARMS : REAL_ARMS;
    o->s.seed = 1;
    plan_base(r, o, base_corpus);
    plan_arms(r, o, "main", REAL_MODELS);
    if (!r->quick && !is_gsm8k) plan_arms(r, o, "tune", TUNED_REAL_ARMS);
    for (o->s.seed = 1; o->s.seed <= repro_seeds(r); o->s.seed++) {
        plan_base(r, o, base_corpus);
        plan_arms(r, o, "main", REAL_MODELS);
        plan_arms(r, o, "main", r->quick ? FEW_ARMS " clean" : arms);
        plan_arms(r, o, "documents", r->quick ? QUICK_DOCUMENT_ARMS : REAL_DOCUMENT_ARMS);
    }
}

static size_t size_of(const char *path) {
    uint64_t size = 0;
    if (os_kind_of(path, &size) == OS_FILE && size > 0) return (size_t)size;
    fprintf(stderr, "%s: not there, or empty\n", path);
    exit(3);
}

/* Smaller files of the user: smaller parts. */
settings repro_file_settings(const repro *r) {
    settings s = real_text;
    if (r->raw == NULL) return s;
    size_t raw = size_of(r->raw);
    size_t clean = size_of(r->clean);
    if (raw < s.general_bytes + s.noisy_bytes + 4 * REPRO_PIECE_BYTES) {
        s.general_bytes = raw / 10 * 6;
        s.noisy_bytes = raw / 10 * 3;
    }
    if (clean < 2 * s.eval_bytes) s.eval_bytes = clean / 2;
    if (clean - s.eval_bytes / 2 < s.clean_bytes) s.clean_bytes = clean - s.eval_bytes / 2;
    return s;
}

void plan_real(repro *r) {
    origin o = {.corpus = r->raw != NULL ? "user" : "openstax", .s = repro_file_settings(r)};
    if (r->raw == NULL && !repro_exists(REPRO_OPENSTAX "/raw.cnxml.txt")) {
        fprintf(stderr,
                "%s is not there: the part on real text is left out (yours: --corpus RAW --clean "
                "CLEAN --eval EVAL)\n",
                REPRO_OPENSTAX);
        return;
    }
    o.reference_model = o.s.model;
    const char *raw_corpus = o.corpus;
    plan_files(r, &o, raw_corpus);
    if (r->quick || r->raw != NULL || !repro_exists(REPRO_GSM8K "/train.jsonl")) return;
    o.corpus = "gsm8k";
    o.s.clean_bytes = 400000;
    plan_files(r, &o, raw_corpus);
}
