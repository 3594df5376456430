/* generate.c: the verb `generate`: continues a text, token by token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/inputs.h"
#include "common/options.h"
#include "common/os.h"
#include "slm/ids.h"
#include "slm/verbs.h"

typedef struct generate_options {
    const char *model, *tokenizer, *prompt;
    int32_t n, top_k, threads;
    double temperature, top_p;
    uint64_t seed;
} generate_options;

typedef struct generate_run {
    slm_tokenizer *tokenizer;
    slm_model *model;
    slm_generator *generator;
    int32_t *prompt; /* (n_prompt), of malloc */
    size_t n_prompt;
} generate_run;

/* Prints token i of the text, and nothing for a row of the model that no text uses; without a
 * tokenizer, the id. */
static void print_token(const slm_tokenizer *tokenizer, int32_t id, size_t i) {
    size_t size = 0;
    const char *bytes = NULL;
    if (tokenizer != NULL) {
        bytes = slm_tokenizer_token_at(&size, tokenizer, id, i);
    } else {
        printf("%d ", (int)id);
    }
    if (bytes != NULL) fwrite(bytes, 1, size, stdout);
    (void)fflush(stdout);
}

/* Pushes the prompt; *logits are then those of the token after it. */
static slm_status read_prompt(const slm_real **logits, generate_run *r, slm_error *err) {
    for (size_t i = 0; i < r->n_prompt && !stop_requested; i++) {
        print_token(r->tokenizer, r->prompt[i], i);
        slm_status status = slm_generator_push(logits, r->generator, r->prompt[i], err);
        if (status != SLM_OK) return status;
    }
    return SLM_OK;
}

static slm_status continue_text(const generate_options *o, generate_run *r, const slm_real *logits,
                                slm_choice *scratch, slm_error *err) {
    int32_t vocab = r->model->config.vocab;
    slm_rng rng = slm_rng_seed(o->seed);
    slm_sample_options options = slm_sample_defaults();
    options.temperature = o->temperature;
    options.top_k = o->top_k;
    options.top_p = o->top_p;
    for (int32_t i = 0; i < o->n && !stop_requested; i++) {
        int32_t token;
        slm_status status = slm_sample_token(&token, logits, vocab, &options, &rng, scratch, err);
        if (status != SLM_OK) return status;
        if (ends_text(r->model, token)) break;
        print_token(r->tokenizer, token, r->n_prompt + (size_t)i);
        if (i + 1 == o->n) break;
        status = slm_generator_push(&logits, r->generator, token, err);
        if (status != SLM_OK) return status;
    }
    return SLM_OK;
}

/* Prints the prompt and what follows. */
static int print_text(const generate_options *o, generate_run *r) {
    slm_error err;
    const slm_real *logits = NULL;
    size_t vocab = (size_t)r->model->config.vocab;
    slm_choice *scratch = (slm_choice *)malloc(vocab * sizeof *scratch);
    if (scratch == NULL) return fail_memory();
    catch_signals();
    slm_status status = read_prompt(&logits, r, &err);
    if (status == SLM_OK) status = continue_text(o, r, logits, scratch, &err);
    free(scratch);
    if (os_is_terminal(1)) putchar('\n');
    if (status == SLM_OK && stop_requested) return INTERRUPTED;
    return fail_status(status, FOR_OUTPUT, &err);
}

/* Without a tokenizer the prompt is ids, with white space between them. */
static int make_prompt(const char *prompt, generate_run *r) {
    slm_error err;
    size_t size = strlen(prompt);
    if (r->tokenizer == NULL) {
        int code = parse_ids(&r->prompt, &r->n_prompt, prompt, size, "--prompt");
        if (code != DONE) return code;
        return check_ids(r->prompt, r->n_prompt, r->model->config.vocab, "--prompt");
    }
    int32_t *ids;
    slm_status status =
        slm_tokenizer_encode(&ids, &r->n_prompt, r->tokenizer, prompt, size, &err);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
    r->prompt = (int32_t *)malloc((r->n_prompt + 1) * sizeof *ids);
    if (r->prompt != NULL) memcpy(r->prompt, ids, r->n_prompt * sizeof *ids);
    slm_free(ids);
    return r->prompt != NULL ? DONE : fail_memory();
}

/* Frees what belongs to one prompt. */
static void free_prompt(generate_run *r) {
    slm_generator_free(r->generator);
    free(r->prompt);
    r->generator = NULL;
    r->prompt = NULL;
}

static int answer_prompt(const generate_options *o, generate_run *r, const char *prompt) {
    slm_error err;
    int code = make_prompt(prompt, r);
    if (code != DONE) return code;
    if (r->n_prompt > (size_t)(INT32_MAX - o->n)) return fail(USAGE, "the prompt is too long");
    int32_t max_tokens = (int32_t)r->n_prompt + o->n;
    slm_status status = slm_generator_create(&r->generator, r->model, max_tokens, &err);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);

    size_t n_tokens = r->n_prompt + (size_t)o->n;
    if (n_tokens > (size_t)r->model->config.max_seq) {
        say("note: %zu tokens are more than the context of %d that the model was made for",
            n_tokens, (int)r->model->config.max_seq);
    }
    return print_text(o, r);
}

/* Returns the next line of standard input, without its end, which the caller frees; NULL if it is
 * empty, at the end of the input, or if memory runs out. */
static char *read_line(void) {
    char *line = NULL;
    size_t n = 0;
    size_t room = 0;
    int c = getchar();
    while (c != EOF && c != '\n') {
        if (n + 1 >= room) {
            room = 2 * room + 80;
            char *longer = (char *)realloc(line, room);
            if (longer == NULL) break;
            line = longer;
        }
        line[n++] = (char)c;
        c = getchar();
    }
    if (n > 0 && line[n - 1] == '\r') n--;
    if (line != NULL) line[n] = 0;
    if (n > 0) return line;
    free(line);
    return NULL;
}

/* Asks for prompts until the input ends or a line is empty.  A prompt that cannot be read, such as
 * one with a byte for which there is no token, ends nothing. */
static int ask_prompts(const generate_options *o, generate_run *r) {
    int code = DONE;
    say("a text to continue; an empty line ends");
    while (code == DONE || code == BAD_INPUT || code == USAGE) {
        fputs("> ", stderr);
        char *line = read_line();
        code = stop_requested ? INTERRUPTED : DONE;
        if (line == NULL) break;
        code = answer_prompt(o, r, line);
        free_prompt(r);
        free(line);
    }
    return code;
}

static int generate(const generate_options *o, generate_run *r) {
    int code = load_model_and_tokenizer(&r->model, &r->tokenizer, o->model, o->tokenizer);
    if (code != DONE) return code;
    if (o->prompt == NULL) return ask_prompts(o, r);
    return answer_prompt(o, r, o->prompt);
}

static int check_options(const generate_options *o) {
    int code = need_flag(o->model != NULL, "--model", "DIR");
    int asks = o->prompt == NULL && os_is_terminal(0);
    if (code != DONE || asks) return code;
    code = need_flag(o->prompt != NULL, "--prompt", "S");
    if (code == DONE && o->prompt[0] == 0)
        return fail(USAGE, "--prompt is empty: the model needs at least one token to go on from");
    return code;
}

static int parse_options(generate_options *o, int argc, char **argv) {
    static const option_page page = {
        "generate",
        "continues a text",
        "generate --model DIR [--prompt S] [flags]",
        {"slm generate --model run --prompt \"The force on the block is\" -n 100",
         "slm generate --model run --prompt 'Once upon' -n 200 --temp 0.8 --top-p 0.95 --seed 7"},
        "The prompt and what follows go to stdout as bytes, as they are made.  --temp 0 takes the\n"
        "likeliest token each time.  The text ends at -n tokens, or before one of the end tokens\n"
        "(eos_token_id) of the model's config.json.  Without --prompt it asks for one, again and\n"
        "again, if standard input is a terminal.",
        0};
    option_list rest = {{NULL}, 0};
    option table[] = {
        OPTION_MODEL(&o->model),
        OPTION_TEXT("prompt", &o->prompt, "S",
                    "the text to continue; without a tokenizer, its ids (default: ask)"),
        OPTION_I32("n", &o->n, 1, 1048576, "N", "tokens to add (default 100)"),
        OPTION_REAL("temp", &o->temperature, 0, 100, "X", "temperature; 0: greedy (default 0.8)"),
        OPTION_I32("top-k", &o->top_k, 0, 16777216, "K",
                   "only the K likeliest; 0: all (default 0)"),
        OPTION_REAL("top-p", &o->top_p, 1e-9, 1, "P",
                    "only the likeliest that make up P together (default 1)"),
        OPTION_SEED(&o->seed, "same seed, same text (default 1)"),
        OPTION_TOKENIZER(&o->tokenizer, OR_THE_MODELS),
        OPTION_THREADS(&o->threads),
    };
    memset(o, 0, sizeof *o);
    o->n = 100;
    o->temperature = 0.8;
    o->top_p = 1;
    o->seed = 1;
    return options_parse(&page, table, COUNT(table), &rest, argc, argv);
}

int verb_generate(int argc, char **argv) {
    generate_options o;
    generate_run r;
    int code = parse_options(&o, argc, argv);
    if (code != OPTIONS_PARSED) return code;
    code = check_options(&o);
    if (code != DONE) return code;

    memset(&r, 0, sizeof r);
    use_threads(o.threads);
    code = generate(&o, &r);
    free_prompt(&r);
    slm_model_free(r.model);
    slm_tokenizer_free(r.tokenizer);
    return code;
}
