/* Documents: where they begin, what is a target, what a window's rows see; a document packed among
   others has the losses that it has alone, to the bit; weights of a corpus reach the batch.
   make build/tests/documents && build/tests/documents                                            */
#define SLM_IMPLEMENTATION
#include "check.h"
#include "slm.h"

enum { VOCAB = 31, T = 200, N_DOCUMENTS = 6 };

static const size_t sizes[N_DOCUMENTS] = {3, 90, 1, 70, 2, 20}; /* 186 tokens: one window */

static slm_error err;
static int32_t tokens[2 * T + 1];

static void must(slm_status status) {
    if (status == SLM_OK) return;
    printf("FAIL %s\n", err.text);
    exit(1);
}

static slm_corpus *corpus_of(size_t first, size_t n) {
    slm_corpus *corpus;
    must(slm_corpus_create(&corpus, tokens + first, NULL, n, VOCAB, &err));
    corpus->within_documents = 1;
    return corpus;
}

/* All documents, one after the other. */
static slm_corpus *packed_corpus(void) {
    uint64_t starts[N_DOCUMENTS];
    size_t n = 0;
    for (size_t i = 0; i < N_DOCUMENTS; i++) {
        starts[i] = n;
        n += sizes[i];
    }
    slm_corpus *corpus = corpus_of(0, n);
    must(slm_corpus_set_documents(corpus, starts, N_DOCUMENTS, &err));
    return corpus;
}

static slm_model *some_model(void) {
    slm_model_config c;
    slm_model *model;
    memset(&c, 0, sizeof c);
    c.vocab = VOCAB;
    c.dim = 24;
    c.n_layers = 2;
    c.n_heads = 4;
    c.n_kv_heads = 2;
    c.ffn = 40;
    must(slm_model_create(&model, &c, 5, &err));
    for (size_t i = 0; i < model->n_params; i++)
        model->params[i] *= i % 3 ? 8 : 1; /* far from the small first weights */
    return model;
}

static slm_losses *losses_of(const slm_model *model, const slm_corpus *corpus, int32_t window) {
    slm_windows windows = slm_corpus_windows(corpus, 3, window);
    slm_losses *losses;
    must(slm_losses_compute(&losses, model, corpus, &windows, NULL, NULL, &err));
    return losses;
}

/* ---- the corpus ---- */
static void test_where_documents_begin(void) {
    static const uint64_t late[] = {1, 5}, twice[] = {0, 4, 4}, far[] = {0, 186};
    slm_corpus *corpus = packed_corpus();
    slm_corpus *other = packed_corpus();
    uint64_t two[] = {0, 5};
    CHECK(corpus->n_documents == N_DOCUMENTS && corpus->document_starts[1] == 3, "the documents");
    CHECK(corpus->hash == other->hash && corpus->documents_hash == other->documents_hash,
          "the same documents have the same fingerprint");
    CHECK(slm_corpus_set_documents(corpus, late, 2, &err) == SLM_ERR_ARGUMENT, "a late first one");
    CHECK(slm_corpus_set_documents(corpus, twice, 3, &err) == SLM_ERR_ARGUMENT, "one twice");
    CHECK(slm_corpus_set_documents(corpus, far, 2, &err) == SLM_ERR_ARGUMENT, "one at the end");
    CHECK(slm_corpus_set_documents(corpus, two, 0, &err) == SLM_ERR_ARGUMENT, "none");
    CHECK(corpus->documents_hash == other->documents_hash, "a refusal changed the corpus");
    must(slm_corpus_set_documents(corpus, two, 2, &err));
    two[1] = 9;
    CHECK(corpus->document_starts[1] == 5 && corpus->documents_hash != other->documents_hash &&
              corpus->hash == other->hash,
          "the documents are copied, and not in the fingerprint of the tokens");
    slm_corpus_free(corpus);
    slm_corpus_free(other);
}

static void test_what_is_a_target(void) {
    slm_corpus *corpus = packed_corpus();
    uint8_t masked[T] = {0};
    size_t n = 0;
    masked[10] = 1;
    corpus->masked = masked;
    for (size_t i = 0; i <= corpus->n; i++)
        n += (size_t)slm_corpus_is_target(corpus, i);
    CHECK(n == 186 - N_DOCUMENTS - 1, "%zu targets within documents", n);
    CHECK(!slm_corpus_is_target(corpus, 3) && slm_corpus_is_target(corpus, 4), "a first token");
    CHECK(!slm_corpus_is_target(corpus, 10), "a masked token");
    corpus->within_documents = 0;
    CHECK(slm_corpus_is_target(corpus, 3) && !slm_corpus_is_target(corpus, 0) &&
              !slm_corpus_is_target(corpus, 10) && !slm_corpus_is_target(corpus, 186),
          "across documents only the corpus' first token and masked ones are none");
    slm_corpus_free(corpus);
}

static void test_masks_set_later(void) {
    static const uint8_t masked[9] = {0, 0, 7};
    slm_corpus *corpus = corpus_of(0, 9);
    slm_corpus *born;
    must(slm_corpus_create(&born, tokens, masked, 9, VOCAB, &err));
    must(slm_corpus_set_masks(corpus, masked, &err));
    CHECK(corpus->masked[2] == 1 && !slm_corpus_is_target(corpus, 2), "the mask");
    CHECK(corpus->hash == born->hash, "the fingerprint depends on when the masks came");
    CHECK(slm_corpus_set_masks(corpus, masked, &err) == SLM_ERR_ARGUMENT, "masks twice");
    slm_corpus_free(born);
    slm_corpus_free(corpus);
}

/* ---- the parts of a text ---- */
static void test_parts_of_records(void) {
    static const char records[] = "{\"q\":\"ab\",\"a\":\"c\",\"w\":0.5}\n"
                                  "{\"q\":\"\",\"a\":\"d\",\"w\":[2,0]}\n";
    static const slm_text_part expected[] = {
        {0, 1, 1, 0.5}, {3, 0, 0, 0.5}, {6, 1, 1, 2}, {7, 0, 0, 0}};
    slm_text_options options = {"q,a", 1, 0, "q", "w"};
    slm_text text;
    must(slm_text_parse(&text, records, sizeof records - 1, "records", &options, &err));
    CHECK(text.n_parts == 4 && strcmp(text.start, "ab\nc\n\n\nd\n\n") == 0, "%s", text.start);
    for (size_t i = 0; i < 4 && text.n_parts == 4; i++) {
        const slm_text_part *part = &text.parts[i];
        CHECK(part->start == expected[i].start && part->begins == expected[i].begins &&
                  part->masked == expected[i].masked &&
                  !(fabs(part->weight - expected[i].weight) > 0),
              "part %zu: %zu %d %d %g", i, part->start, part->begins, part->masked, part->weight);
    }
    slm_text_free(&text);
}

/* ---- the batch ---- */
static void test_rows_of_a_window(void) {
    /* Documents of 3, 2, 1 and 5 tokens, in windows of 6: rows 0 .. 5 predict tokens 1 .. 6. */
    static const uint64_t starts[] = {0, 3, 5, 6};
    static const int32_t first[] = {0, 0, 2, 3, 4, 5}, second[] = {0, 0, 0, 0, 4, 5};
    slm_corpus *corpus = corpus_of(0, 11);
    slm_batch *batch;
    must(slm_corpus_set_documents(corpus, starts, 4, &err));
    must(slm_batch_create(&batch, 2, 6, &err));
    slm_batch_fill(batch, corpus, 0);
    CHECK(memcmp(batch->document_start, first, sizeof first) == 0, "the first window");
    CHECK(memcmp(batch->document_start + 6, second, sizeof second) == 0, "the second window");
    CHECK(batch->targets[1] == tokens[2] && batch->targets[2] == -1 && batch->targets[4] == -1 &&
              batch->targets[5] == -1 && batch->targets[6] == tokens[7],
          "a document's first token is a target");
    corpus->within_documents = 0;
    slm_batch_fill(batch, corpus, 0);
    for (size_t i = 0; i < 12; i++)
        CHECK(batch->document_start[i] == 0, "across documents, row %zu", i);
    CHECK(batch->targets[2] == tokens[3], "across documents every token but the first is a target");
    slm_batch_free(batch);
    slm_corpus_free(corpus);
}

/* The rows of a window end with the window. */
static void test_no_row_behind(void) {
    int32_t start[7];
    slm_corpus *corpus = corpus_of(0, 11);
    slm_batch *batch;
    must(slm_batch_create(&batch, 1, 6, &err));
    batch->document_start = start;
    start[6] = -7;
    slm_batch_fill(batch, corpus, 0);
    CHECK(start[5] == 0 && start[6] == -7, "row 6 of 6 begins at %d", (int)start[6]);
    slm_batch_free(batch);
    slm_corpus_free(corpus);
}

static void test_a_batch_that_cannot(void) {
    slm_corpus *corpus = packed_corpus();
    slm_cursor cursor = {1, 0};
    slm_batch *batch;
    must(slm_batch_create(&batch, 1, 6, &err));
    batch->document_start = NULL;
    CHECK(slm_batch_next(batch, &cursor, corpus, NULL, &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "document_start") != NULL && cursor.next_window == 0,
          "%s", err.text);
    slm_batch_fill(batch, corpus, 0);
    CHECK(batch->targets[0] == -1 && batch->targets[1] == -1, "it predicts across documents");
    slm_batch_free(batch);
    slm_corpus_free(corpus);
}

static void test_weights(void) {
    slm_corpus *corpus = packed_corpus();
    slm_cursor cursor = {1, 0};
    slm_batch *batch;
    int bad = 0;
    must(slm_corpus_alloc_weights(corpus, &err));
    CHECK(!(corpus->weights[7] < 1) && !(corpus->weights[7] > 1), "they begin as 1");
    for (size_t i = 0; i < corpus->n; i++)
        corpus->weights[i] = (slm_real)i;
    must(slm_corpus_alloc_weights(corpus, &err));
    must(slm_batch_create(&batch, 2, 6, &err));
    must(slm_batch_next(batch, &cursor, corpus, NULL, &err));
    for (size_t i = 0; batch->weights != NULL && i < 12; i++)
        bad += fabs((double)batch->weights[i] - (double)batch->positions[i]) > 0;
    CHECK(batch->weights != NULL && bad == 0, "%d weights are not their target's", bad);
    slm_batch_free(batch);
    slm_corpus_free(corpus);
}

/* ---- losses: packed or alone ---- */
static void test_packed_or_alone(void) {
    slm_model *model = some_model();
    slm_corpus *packed = packed_corpus();
    slm_losses *together = losses_of(model, packed, T);
    for (size_t i = 0; i < N_DOCUMENTS; i++) {
        size_t first = (size_t)packed->document_starts[i];
        size_t n = sizes[i] - 1;
        if (i > 0)
            CHECK(!(fabs((double)together->loss[first - 1]) > 0), "document %zu: its first", i);
        if (n == 0) continue;
        slm_corpus *corpus = corpus_of(first, n + 1);
        slm_losses *alone = losses_of(model, corpus, T);
        CHECK(memcmp(alone->loss, together->loss + first, n * sizeof(slm_real)) == 0 &&
                  memcmp(alone->entropy, together->entropy + first, n * sizeof(slm_real)) == 0,
              "document %zu has other bits when packed", i);
        CHECK(alone->loss[0] > 0, "document %zu: nothing was scored", i);
        slm_losses_free(alone);
        slm_corpus_free(corpus);
    }
    packed->within_documents = 0;
    slm_losses *across = losses_of(model, packed, T);
    CHECK(memcmp(across->loss, together->loss, 2 * sizeof(slm_real)) == 0,
          "the first document differs");
    CHECK(fabs((double)across->loss[50] - (double)together->loss[50]) > 1e-3,
          "attention across documents changes nothing");
    slm_losses_free(across);
    slm_losses_free(together);
    slm_corpus_free(packed);
    slm_model_free(model);
}

/* Two windows of other documents in one batch: nothing depends on who shares it. */
static void test_windows_in_a_batch(void) {
    slm_model *model = some_model();
    slm_corpus *corpus = packed_corpus();
    slm_windows one = slm_corpus_windows(corpus, 1, 40);
    slm_losses *by_one;
    slm_losses *by_three = losses_of(model, corpus, 40);
    must(slm_losses_compute(&by_one, model, corpus, &one, NULL, NULL, &err));
    CHECK(memcmp(by_one->loss, by_three->loss, by_one->n * sizeof(slm_real)) == 0, "other bits");
    slm_losses_free(by_one);
    slm_losses_free(by_three);
    slm_corpus_free(corpus);
    slm_model_free(model);
}

/* ---- a step: the gradient of packed documents is that of the documents in windows of their own */
static void test_gradient_of_packed_documents(void) {
    /* 7 tokens of one document, 5 of the next: six targets and four; windows of 11, or 6 twice. */
    static const int32_t start[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    slm_model *model = some_model();
    slm_train_options options = slm_train_defaults();
    slm_trainer *trainers[2];
    slm_batch *batches[2];
    slm_corpus *corpus = corpus_of(0, 12);
    static const uint64_t starts[] = {0, 7};
    double worst = 0, largest = 0;
    must(slm_corpus_set_documents(corpus, starts, 2, &err));
    options.adamw.lr = 0;
    must(slm_batch_create(&batches[0], 1, 11, &err));
    must(slm_batch_create(&batches[1], 2, 6, &err));
    slm_batch_fill(batches[0], corpus, 0);
    memcpy(batches[1]->document_start, start, sizeof start);
    for (size_t i = 0; i < 12; i++) {
        size_t position = i < 6 ? i : i + 1; /* of the input */
        int is_target = i < 10;
        batches[1]->inputs[i] = is_target ? tokens[position] : 0;
        batches[1]->targets[i] = is_target ? tokens[position + 1] : -1;
    }
    for (int i = 0; i < 2; i++) {
        must(slm_trainer_create(&trainers[i], model, &options, &err));
        must(slm_trainer_step(NULL, trainers[i], &batches[i], 1, &err));
    }
    for (size_t i = 0; i < model->n_params; i++) {
        double a = (double)slm_trainer_grads(trainers[0])[i];
        double b = (double)slm_trainer_grads(trainers[1])[i];
        if (!(fabs(a - b) <= worst)) worst = fabs(a - b);
        if (fabs(a) > largest) largest = fabs(a);
    }
    CHECK(largest > 1e-3 && worst <= 1e-5 * largest, "they differ by %g of %g", worst, largest);
    for (int i = 0; i < 2; i++) {
        slm_trainer_free(trainers[i]);
        slm_batch_free(batches[i]);
    }
    slm_corpus_free(corpus);
    slm_model_free(model);
}

/* ---- losses know whether they were made within documents, and in which ---- */
static void test_losses_of_another_setting(void) {
    static const uint64_t two[] = {0, 50};
    slm_model *model = some_model();
    slm_corpus *corpus = packed_corpus();
    slm_losses *within = losses_of(model, corpus, T);
    slm_batch *batch;
    slm_cursor cursor = {1, 0};
    must(slm_batch_create(&batch, 1, T, &err));
    must(slm_losses_check(within, corpus, T, &err));
    must(slm_batch_next(batch, &cursor, corpus, within, &err));
    corpus->within_documents = 0;
    CHECK(slm_losses_check(within, corpus, T, &err) == SLM_ERR_MISMATCH &&
              strstr(err.text, "within documents") != NULL,
          "%s", err.text);
    CHECK(slm_batch_next(batch, &cursor, corpus, within, &err) == SLM_ERR_MISMATCH, "a batch");
    slm_losses *across = losses_of(model, corpus, T);
    corpus->within_documents = 1;
    CHECK(slm_losses_check(across, corpus, T, &err) == SLM_ERR_MISMATCH &&
              strstr(err.text, "across documents") != NULL,
          "%s", err.text);
    must(slm_corpus_set_documents(corpus, two, 2, &err));
    CHECK(slm_losses_check(within, corpus, T, &err) == SLM_ERR_MISMATCH &&
              strstr(err.text, "other documents") != NULL,
          "%s", err.text);
    slm_losses_free(across);
    slm_losses_free(within);
    slm_batch_free(batch);
    slm_corpus_free(corpus);
    slm_model_free(model);
}

int main(void) {
    slm_rng rng = slm_rng_seed(3);
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        tokens[i] = (int32_t)slm_rng_below(&rng, VOCAB);
    test_where_documents_begin();
    test_what_is_a_target();
    test_masks_set_later();
    test_parts_of_records();
    test_rows_of_a_window();
    test_no_row_behind();
    test_a_batch_that_cannot();
    test_weights();
    test_packed_or_alone();
    test_windows_in_a_batch();
    test_gradient_of_packed_documents();
    test_losses_of_another_setting();
    return check_end();
}
