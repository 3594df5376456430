/* eval.c: the verb `eval`: loss, perplexity and bits per byte of a text. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/cli.h"
#include "common/inputs.h"
#include "common/options.h"
#include "slm/eval_answers.h"
#include "slm/verbs.h"

typedef struct eval_options {
    option_list data;
    answers_options answers; /* of --answers */
    int wants_answers;
    const char *model, *against, *tokenizer;
    data_options read;
    int32_t seq, batch, threads;
    uint64_t seed;
    int json, quiet;
} eval_options;

typedef struct eval_run {
    slm_tokenizer *tokenizer;
    slm_model *model, *other; /* other: of --against, or NULL */
    slm_corpus *corpus;
    slm_losses *losses, *other_losses;
} eval_run;

/* What is said of the text: the model's loss, and how much it is above that of --against. */
typedef struct eval_result {
    slm_evaluation model, difference;
} eval_result;

/* JSON has no NaN. */
static void print_json_number(const char *name, double value) {
    if (isfinite(value)) {
        printf("\"%s\": %.17g, ", name, value);
    } else {
        printf("\"%s\": null, ", name);
    }
}

/* One window has no interval. */
static void print_json_interval(const char *name, const slm_evaluation *e) {
    if (isfinite(e->low) && isfinite(e->high)) {
        printf("\"%s\": [%.17g, %.17g]", name, e->low, e->high);
    } else {
        printf("\"%s\": null", name);
    }
}

/* Ends the line of a loss, or of a difference, which shows its sign. */
static void print_interval(const slm_evaluation *e, int with_sign) {
    if (!isfinite(e->low) || !isfinite(e->high)) {
        printf("   (one window: no interval)\n");
    } else if (with_sign) {
        printf("   (95%%: %+.6f to %+.6f)\n", e->low, e->high);
    } else {
        printf("   (95%%: %.6f to %.6f)\n", e->low, e->high);
    }
}

static void print_json(const eval_result *result, const eval_run *r) {
    const slm_evaluation *e = &result->model;
    const slm_evaluation *d = &result->difference;
    printf("{");
    print_json_number("loss", e->loss);
    print_json_number("perplexity", exp(e->loss));
    print_json_number("bits_per_byte", e->bits_per_byte);
    printf("\"tokens\": %zu, \"bytes\": ", e->n_tokens);
    if (isfinite(e->bits_per_byte)) {
        printf("%zu, ", e->n_bytes);
    } else {
        printf("null, ");
    }
    print_json_interval("ci95", e);
    if (r->other != NULL) {
        printf(", \"difference\": %.17g, ", d->loss);
        print_json_interval("difference_ci95", d);
    }
    printf("}\n");
}

static void print_lines(const eval_result *result, const eval_options *o, const eval_run *r) {
    const slm_evaluation *e = &result->model;
    const slm_evaluation *d = &result->difference;
    printf("loss           %.6f nats per token", e->loss);
    print_interval(e, 0);
    printf("perplexity     %.4f\n", exp(e->loss));
    if (isfinite(e->bits_per_byte)) printf("bits per byte  %.6f\n", e->bits_per_byte);
    printf("tokens         %zu predicted, in %zu windows of %d\n", e->n_tokens, e->n_windows,
           (int)r->losses->T);
    if (isfinite(e->bits_per_byte))
        printf("bytes          %zu of those tokens\n", e->n_bytes);
    if (r->other == NULL) return;
    printf("difference     %+.6f to %s", d->loss, o->against);
    print_interval(d, 1);
}

static int compute_losses(slm_losses **out, const eval_options *o, const eval_run *r,
                          const slm_model *model) {
    slm_error err;
    watch w;
    int32_t T = o->seq > 0 ? o->seq : default_seq(r->model);
    slm_windows windows = slm_corpus_windows(r->corpus, o->batch, T);
    int code = check_window(r->model, o->model, T);
    if (code != DONE) return code;
    watch_start(&w, "tokens", "tok/s", o->quiet);
    set_signal_answer(SIGNAL_ENDS);
    slm_status status =
        slm_losses_compute(out, model, r->corpus, &windows, watch_callback, &w, &err);
    progress_end(&w.bar);
    if (status == SLM_ERR_CANCELLED) return fail(INTERRUPTED, "interrupted");
    return fail_status(status, FOR_OUTPUT, &err);
}

static int evaluate_answers(const eval_options *o, const eval_run *r) {
    answers_options answers = o->answers;
    answers.data = o->data.items[0];
    answers.json = o->json;
    answers.quiet = o->quiet;
    if (r->tokenizer == NULL) {
        return fail(BAD_INPUT, "%s: no tokenizer, but questions are texts: --tokenizer "
                               "bytes|FILE|FOLDER",
                    o->model);
    }
    return eval_answers(r->model, r->tokenizer, &answers);
}

static int evaluate_losses(slm_evaluation *out, const eval_options *o, const eval_run *r) {
    slm_error err;
    slm_status status = slm_losses_evaluate(out, r->losses, r->corpus, o->seed, &err);
    if (status == SLM_ERR_ARGUMENT) return fail(BAD_INPUT, "%s: %s", o->data.items[0], err.text);
    return fail_status(status, FOR_OUTPUT, &err);
}

/* The interval is of the differences, token by token: what is hard for both models cancels. */
static int evaluate_difference(slm_evaluation *out, const eval_options *o, eval_run *r) {
    int code = compute_losses(&r->other_losses, o, r, r->other);
    if (code != DONE) return code;
    for (size_t i = 0; i < r->losses->n; i++)
        r->losses->loss[i] -= r->other_losses->loss[i];
    return evaluate_losses(out, o, r);
}

static int load_target(const eval_options *o, eval_run *r) {
    int32_t vocab = vocab_of(r->tokenizer, r->model);
    token_reader reader = token_reader_of(r->tokenizer, r->model, vocab, &o->read);
    int code = load_corpus(&r->corpus, &reader, &o->data);
    if (code == DONE) say_report(&reader.report);
    if (code == DONE) code = check_corpus_ids(r->corpus, r->model, o->model, r->tokenizer);
    if (code == DONE && r->other != NULL)
        code = check_corpus_ids(r->corpus, r->other, o->against, r->tokenizer);
    return code;
}

static int evaluate(const eval_options *o, eval_run *r) {
    eval_result result;
    memset(&result, 0, sizeof result);
    int code = load_model_and_tokenizer(&r->model, &r->tokenizer, o->model, o->tokenizer);
    if (code == DONE && o->against != NULL)
        code = load_reference(&r->other, o->against, r->tokenizer);
    if (code == DONE && o->wants_answers) return evaluate_answers(o, r);
    if (code == DONE) code = load_target(o, r);
    if (code == DONE) code = compute_losses(&r->losses, o, r, r->model);
    if (code == DONE) code = evaluate_losses(&result.model, o, r);
    if (code == DONE && r->other != NULL) code = evaluate_difference(&result.difference, o, r);
    if (code != DONE) return code;

    if (o->json) {
        print_json(&result, r);
    } else {
        print_lines(&result, o, r);
    }
    return DONE;
}

/* Refuses flags that have no effect: those of --answers without it, and the other way round. */
static int check_answers(const eval_options *o, const option *table, size_t n) {
    static const char *const with[] = {"shots", "shots-from", "max-new", "limit", "out"};
    static const char *const without[] = {"against", "seq",   "batch", "seed",
                                          "fields",  "jsonl", "dtype", "skip-bad"};
    for (size_t i = 0; i < COUNT(with); i++) {
        if (!o->wants_answers && options_given(table, n, with[i]))
            return fail(USAGE, "--%s goes with --answers", with[i]);
    }
    for (size_t i = 0; i < COUNT(without); i++) {
        if (o->wants_answers && options_given(table, n, without[i]))
            return fail(USAGE, "--%s has no effect with --answers", without[i]);
    }
    if (o->wants_answers && o->data.n > 1) return fail(USAGE, "--answers takes one file of --data");
    if ((o->answers.n_shots > 0) != (o->answers.shots_from != NULL))
        return fail(USAGE, "--shots N and --shots-from F go together");
    return OPTIONS_PARSED;
}

static int parse_options(eval_options *o, int argc, char **argv) {
    static const option_page page = {
        "eval",
        "loss, perplexity and bits per byte of a text, with a 95% interval",
        "eval --model DIR --data F... [flags]",
        {"slm eval --model selective --against plain --data eval.txt --json",
         "slm eval --model run --answers --data test.jsonl --shots 8 --shots-from train.jsonl"},
        "The loss is the mean over all targets: each token but the first of the text, predicted\n"
        "from those before it in its window of --seq.  The interval comes from 1000 resamples of\n"
        "whole windows.  --against adds the loss minus that of another model on the same tokens,\n"
        "with its interval: below 0 the model is better; where the interval holds 0, this text\n"
        "does not tell.  --json prints loss (nats per token), perplexity, bits_per_byte, tokens\n"
        "(targets), bytes (of those targets; special tokens have none), ci95 ([low, high], of\n"
        "the loss), and with --against difference and difference_ci95.\n\n"
        "--answers asks `Question: ...\\nAnswer:` for each record {question, answer} (GSM8K) or\n"
        "{problem, solution} (MATH), takes the likeliest token up to a blank line, the next\n"
        "question, an end token or --max-new, and compares the final answer: the number behind\n"
        "####, the content of the last \\boxed{}, what follows \"answer is\", or the last number.\n"
        "It prints the share that is right with Wilson's 95% interval.",
        0};
    option_list rest = {{NULL}, 0};
    answers_options *a = &o->answers;
    option table[] = {
        OPTION_MODEL(&o->model),
        OPTION_TEXT("against", &o->against, "DIR", "another model, to compare with"),
        OPTION_DATA(&o->data),
        OPTION_TOKENIZER(&o->tokenizer, OR_THE_MODELS),
        OPTIONS_TEXT(&o->read),
        OPTION_DTYPE(&o->read),
        OPTIONS_DOCUMENTS(&o->read),
        OPTION_SEQ(&o->seq, OR_THE_CONTEXT),
        OPTION_BATCH(&o->batch, BATCH_IS_SPEED),
        OPTION_SEED(&o->seed, "of the resampling (default 1)"),
        OPTION_THREADS(&o->threads),
        OPTION_FLAG("answers", &o->wants_answers,
                    "ask the questions of GSM8K's or MATH's .jsonl and compare the answers"),
        OPTION_I32("shots", &a->n_shots, 1, 1000, "N", "worked questions before each (default 0)"),
        OPTION_TEXT("shots-from", &a->shots_from, "F", "... the first ones of this file"),
        OPTION_I32("max-new", &a->max_new, 1, 65536, "N", "tokens of an answer (default 256)"),
        OPTION_U64("limit", &a->limit, 1, 1e9, "N", "only the first N questions"),
        OPTION_TEXT("out", &a->out, "R.jsonl",
                    "a line for each question; the same command goes on"),
        OPTION_FLAG("json", &o->json, "the result as JSON"),
        OPTION_QUIET(&o->quiet),
    };
    memset(o, 0, sizeof *o);
    o->read = data_defaults();
    o->batch = 8;
    o->seed = 1;
    a->max_new = 256;
    int code = options_parse(&page, table, COUNT(table), &rest, argc, argv);
    if (code == OPTIONS_PARSED) code = check_answers(o, table, COUNT(table));
    return code;
}

int verb_eval(int argc, char **argv) {
    eval_options o;
    eval_run r;
    int code = parse_options(&o, argc, argv);
    if (code != OPTIONS_PARSED) return code;
    code = need_flag(o.model != NULL, "--model", "DIR");
    if (code == DONE) code = need_flag(o.data.n > 0, "--data", "F");
    if (code == DONE) code = check_data(&o.read, &o.data, NULL);
    if (code != DONE) return code;

    memset(&r, 0, sizeof r);
    use_threads(o.threads);
    code = evaluate(&o, &r);
    slm_losses_free(r.losses);
    slm_losses_free(r.other_losses);
    slm_corpus_free(r.corpus);
    slm_model_free(r.model);
    slm_model_free(r.other);
    slm_tokenizer_free(r.tokenizer);
    return code;
}
