/* eval_answers.c: see eval_answers.h.
 *
 * A question is asked as
 *
 *     Question: ...
 *     Answer: ...          the shots, worked
 *
 *     Question: ...
 *     Answer:
 *
 * and the likeliest token is taken again and again, up to a blank line, the next "Question:", an
 * end token or --max-new.  The file of --out begins with a line of what was asked of whom, and has
 * a line for each question that is answered, in their order: a run that ends early is taken up
 * there. */
#include "slm/eval_answers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/inputs.h"
#include "common/os.h"
#include "common/output.h"
#include "common/text.h"
#include "slm/questions.h"

typedef struct answers_run {
    const slm_model *model;
    const slm_tokenizer *tokenizer;
    const answers_options *o;
    questions questions, shots;
    char *head; /* the shots, as they stand before each question */
    slm_generator *generator;
    int32_t *pushed; /* what the generator holds: (n_pushed) */
    size_t n_pushed, max_tokens;
    char *text; /* what was generated: (text_size) and a NUL */
    size_t text_size, text_room;
    output out;
    FILE *file; /* of --out */
    size_t n_done, n_correct, n_silent; /* silent: no answer was found */
} answers_run;

static void free_run(answers_run *r) {
    if (r->file != NULL) (void)fclose(r->file);
    output_close(&r->out);
    slm_generator_free(r->generator);
    questions_free(&r->questions);
    questions_free(&r->shots);
    free(r->head);
    free(r->pushed);
    free(r->text);
}

/* ---- prompts ---- */

/* Appends to text of `size` bytes, which is made larger. */
static int append_text(char **text, size_t *size, const char *more) {
    size_t n = strlen(more);
    char *larger = (char *)realloc(*text, *size + n + 1);
    if (larger == NULL) return fail_memory();
    memcpy(larger + *size, more, n + 1);
    *text = larger;
    *size += n;
    return DONE;
}

static int append_parts(char **text, size_t *size, const char *const *parts, size_t n) {
    int code = DONE;
    for (size_t i = 0; i < n && code == DONE; i++)
        code = append_text(text, size, parts[i]);
    return code;
}

static int make_head(answers_run *r) {
    size_t size = 0;
    int code = append_text(&r->head, &size, "");
    for (size_t i = 0; i < r->shots.n && code == DONE; i++) {
        const question *shot = &r->shots.items[i];
        const char *const parts[] = {"Question: ", shot->question, "\nAnswer: ", shot->solution,
                                     "\n\n"};
        code = append_parts(&r->head, &size, parts, 5);
    }
    return code;
}

/* The tokens of question i behind the shots; free *ids by slm_free. */
static int make_prompt(int32_t **ids, size_t *n, const answers_run *r, size_t i) {
    slm_error err;
    char *text = NULL;
    size_t size = 0;
    const char *const parts[] = {r->head, "Question: ", r->questions.items[i].question,
                                 "\nAnswer:"};
    int code = append_parts(&text, &size, parts, 4);
    if (code == DONE) {
        slm_status status = slm_tokenizer_encode(ids, n, r->tokenizer, text, size, &err);
        code = fail_status(status, FOR_INPUT, &err);
    }
    free(text);
    return code;
}

/* Finds the longest prompt, and makes a generator for it. */
static int make_generator(answers_run *r) {
    slm_error err;
    size_t longest = 0;
    for (size_t i = r->n_done; i < r->questions.n; i++) {
        int32_t *ids = NULL;
        size_t n = 0;
        int code = make_prompt(&ids, &n, r, i);
        slm_free(ids);
        if (code != DONE) return code;
        if (n > longest) longest = n;
    }
    r->max_tokens = longest + (size_t)r->o->max_new;
    if (r->max_tokens > INT32_MAX / 2) return fail(USAGE, "the prompts are too long");
    if (r->max_tokens > (size_t)r->model->config.max_seq && !r->o->quiet) {
        say("note: the longest prompt and --max-new make %zu tokens, more than the context of %d "
            "that the model was made for",
            r->max_tokens, (int)r->model->config.max_seq);
    }
    r->pushed = (int32_t *)malloc(r->max_tokens * sizeof *r->pushed);
    if (r->pushed == NULL) return fail_memory();
    slm_status status =
        slm_generator_create(&r->generator, r->model, (int32_t)r->max_tokens, &err);
    return fail_status(status, FOR_OUTPUT, &err);
}

/* ---- one question ---- */
static slm_status push(const slm_real **logits, answers_run *r, int32_t token, slm_error *err) {
    r->pushed[r->n_pushed] = token;
    r->n_pushed++;
    return slm_generator_push(logits, r->generator, token, err);
}

/* Pushes the prompt, but for what the generator holds already: the shots, mostly.  The last token
 * is pushed in any case, for its logits. */
static slm_status push_prompt(const slm_real **logits, answers_run *r, const int32_t *ids, size_t n,
                              slm_error *err) {
    slm_status status = SLM_OK;
    size_t same = 0;
    while (same < r->n_pushed && same + 1 < n && r->pushed[same] == ids[same])
        same++;
    slm_generator_rewind(r->generator, (int32_t)same);
    r->n_pushed = same;
    for (size_t i = same; i < n && status == SLM_OK && !stop_requested; i++)
        status = push(logits, r, ids[i], err);
    return status;
}

/* Cuts the text at the blank line or the next question that ends the answer. */
static int text_ends(answers_run *r) {
    char *text = r->text;
    char *first = text + strspn(text, " \n");
    char *end = strstr(first, "\n\n");
    char *next = strstr(text, "Question:");
    if (end == NULL || (next != NULL && next < end)) end = next;
    if (end == NULL) return 0;
    *end = 0;
    r->text_size = (size_t)(end - text);
    return 1;
}

/* Appends the text of a token.  Returns 1 if the answer ends with it, 0 if not, -1 without memory.
 * A NUL would hide what follows, and becomes a space. */
static int take_token(answers_run *r, int32_t token) {
    size_t size = 0;
    const char *bytes = slm_tokenizer_token_at(&size, r->tokenizer, token, r->n_pushed);
    if (ends_text(r->model, token)) return 1;
    if (bytes == NULL) return 0;
    if (r->text_size + size + 1 > r->text_room) {
        size_t room = 2 * r->text_room + size + 64;
        char *larger = (char *)realloc(r->text, room);
        if (larger == NULL) return -1;
        r->text = larger;
        r->text_room = room;
    }
    for (size_t i = 0; i < size; i++)
        r->text[r->text_size + i] = bytes[i] != 0 ? bytes[i] : ' ';
    r->text_size += size;
    r->text[r->text_size] = 0;
    return text_ends(r);
}

static int generate(answers_run *r, const slm_real *logits) {
    slm_error err;
    for (int32_t i = 0; i < r->o->max_new && !stop_requested; i++) {
        slm_choice best;
        slm_status status =
            slm_likeliest_tokens(&best, logits, r->model->config.vocab, 1, &err);
        if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
        int ends = take_token(r, best.token);
        if (ends < 0) return fail_memory();
        if (ends || i + 1 == r->o->max_new) break;
        status = push(&logits, r, best.token, &err);
        if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
    }
    return DONE;
}

/* ---- the file of --out ---- */
static void write_field(FILE *f, const char *name, const char *text) {
    fprintf(f, ", \"%s\": ", name);
    escape_json(f, text);
}

static void write_flag(FILE *f, const char *name, int value) {
    fprintf(f, ", \"%s\": %s", name, value ? "true" : "false");
}

static int write_item(answers_run *r, const char *gold, const char *answer, int correct) {
    if (r->file == NULL) return DONE;
    const question *item = &r->questions.items[r->n_done];
    fprintf(r->file, "{\"item\": %zu", r->n_done);
    write_flag(r->file, "correct", correct);
    write_flag(r->file, "found", answer[0] != 0);
    write_field(r->file, "gold", gold);
    write_field(r->file, "answer", answer);
    write_field(r->file, "question", item->question);
    write_field(r->file, "text", r->text);
    fputs("}\n", r->file);
    if (!ferror(r->file) && os_sync(r->file) == 0) return DONE;
    return fail_errno(FAILED, r->o->out, "write");
}

/* What must be the same when a file is taken up. */
static void make_header(char *out, size_t size, const answers_run *r) {
    (void)snprintf(out, size,
                   "{\"slm\": \"answers\", \"model\": \"%016llx\", \"tokenizer\": \"%016llx\", "
                   "\"data\": \"%016llx\", \"shots\": %zu, \"shots_text\": \"%016llx\", "
                   "\"max_new\": %d}\n",
                   (unsigned long long)slm_model_hash(r->model),
                   (unsigned long long)slm_tokenizer_hash(r->tokenizer),
                   (unsigned long long)r->questions.hash, r->shots.n,
                   (unsigned long long)slm_hash(SLM_HASH_START, r->head, strlen(r->head)),
                   (int)r->o->max_new);
}

/* Counts the items that the file holds; *end becomes the size of those that are whole. */
static int count_items(answers_run *r, const char *bytes, size_t size, size_t *end) {
    static const char silent[] = "false, \"found\": false";
    size_t start = *end;
    while (start < size && r->n_done < r->questions.n) {
        char expected[80];
        const char *newline = (const char *)memchr(bytes + start, '\n', size - start);
        if (newline == NULL) break; /* cut off by a kill */

        /* Where the power failed, zeros may stand for what was lost. */
        if (memchr(bytes + start, 0, (size_t)(newline - bytes) - start) != NULL) break;
        int n = snprintf(expected, sizeof expected, "{\"item\": %zu, \"correct\": ", r->n_done);
        const char *value = bytes + start + n;
        if (size - start < (size_t)n + 30 || memcmp(bytes + start, expected, (size_t)n) != 0)
            return fail(BAD_INPUT, "%s: line %zu is not item %zu", r->o->out, r->n_done + 2,
                        r->n_done);
        r->n_correct += strncmp(value, "true", 4) == 0;
        r->n_silent += strncmp(value, silent, strlen(silent)) == 0;
        r->n_done++;
        start = (size_t)(newline - bytes) + 1;
        *end = start;
    }
    return DONE;
}

/* Takes up the file that is there. */
static int resume(answers_run *r, const char *header) {
    slm_error err;
    char *bytes;
    size_t size;
    size_t end = strlen(header);
    slm_status status = slm_file_read(&bytes, &size, r->o->out, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    int same = size >= end && memcmp(bytes, header, end) == 0;
    int code = DONE;
    if (!same)
        code = fail(BAD_INPUT, "%s: it holds answers of another model, file or setting", r->o->out);
    if (code == DONE) code = count_items(r, bytes, size, &end);
    slm_free(bytes);
    if (code != DONE) return code;
    if (os_truncate(r->o->out, end) != 0) return fail_errno(FAILED, r->o->out, "write");
    r->file = os_open(r->o->out, "ab");
    if (r->file == NULL) return fail_errno(FAILED, r->o->out, "open for writing");
    if (r->n_done > 0 && !r->o->quiet)
        say("%s holds %zu of %zu answers", r->o->out, r->n_done, r->questions.n);
    return DONE;
}

static int open_file(answers_run *r) {
    slm_error err;
    char header[400];
    if (r->o->out == NULL) return DONE;
    make_header(header, sizeof header, r);
    int code = output_open_file(&r->out, r->o->out);
    if (code != DONE) return code;
    if (path_exists(r->o->out)) return resume(r, header);
    slm_status status = slm_file_write(r->o->out, header, strlen(header), &err);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
    r->file = os_open(r->o->out, "ab");
    if (r->file != NULL) return DONE;
    return fail_errno(FAILED, r->o->out, "open for writing");
}

/* ---- all questions ---- */
static int ask(answers_run *r) {
    slm_error err;
    char gold[ANSWER_SIZE];
    char answer[ANSWER_SIZE];
    int32_t *ids = NULL;
    size_t n = 0;
    const slm_real *logits = NULL;
    int code = make_prompt(&ids, &n, r, r->n_done);
    if (code != DONE) return code;
    slm_status status = push_prompt(&logits, r, ids, n, &err);
    slm_free(ids);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);

    r->text_size = 0;
    if (r->text != NULL) r->text[0] = 0;
    code = generate(r, logits);
    if (code != DONE || stop_requested) return code;
    const char *text = r->text != NULL ? r->text : "";
    (void)answer_extract(gold, r->questions.kind, r->questions.items[r->n_done].solution);
    int found = answer_extract(answer, r->questions.kind, text);
    int correct = answer_equal(gold, answer);
    code = write_item(r, gold, answer, correct);
    r->n_correct += (size_t)correct;
    r->n_silent += !found;
    r->n_done++;
    return code;
}

static int ask_all(answers_run *r) {
    watch w;
    int code = DONE;
    watch_start(&w, "questions", NULL, r->o->quiet);
    while (code == DONE && r->n_done < r->questions.n) {
        if (watch_callback(&w, r->n_done, r->questions.n)) break;
        code = ask(r);
        if (stop_requested) break;
    }
    progress_end(&w.bar);
    if (code != DONE || r->n_done == r->questions.n) return code;
    return fail(INTERRUPTED, "interrupted at question %zu of %zu%s", r->n_done, r->questions.n,
                r->o->out != NULL ? "; the same command goes on" : "");
}

/* Wilson's 95% interval of a share. */
static void interval(double *low, double *high, size_t n_correct, size_t n) {
    const double z = 1.959963984540054;
    double p = (double)n_correct / (double)n;
    double z2 = z * z / (double)n;
    double middle = p + z2 / 2;
    double half = z * sqrt(p * (1 - p) / (double)n + z2 / (4 * (double)n));
    *low = (middle - half) / (1 + z2);
    *high = (middle + half) / (1 + z2);
    if (*low < 0 || n_correct == 0) *low = 0;
    if (*high > 1 || n_correct == n) *high = 1;
}

static void print_result(const answers_run *r) {
    double low;
    double high;
    double share = (double)r->n_correct / (double)r->n_done;
    interval(&low, &high, r->n_correct, r->n_done);
    if (r->o->json) {
        printf("{\"accuracy\": %.17g, \"ci95\": [%.17g, %.17g], \"correct\": %zu, \"items\": %zu",
               share, low, high, r->n_correct, r->n_done);
        printf(", \"no_answer\": %zu, \"shots\": %zu, \"format\": \"%s\"}\n", r->n_silent,
               r->shots.n, r->questions.kind == ANSWER_NUMBER ? "gsm8k" : "math");
        return;
    }
    printf("accuracy       %.2f%%   (95%%: %.2f%% to %.2f%%)\n", 100 * share, 100 * low,
           100 * high);
    printf("correct        %zu of %zu, %zu without an answer\n", r->n_correct, r->n_done,
           r->n_silent);
    printf("prompt         %zu worked question%s before each\n", r->shots.n, plural(r->shots.n));
}

static int load_shots(answers_run *r) {
    const answers_options *o = r->o;
    if (o->n_shots == 0) return make_head(r);
    int code = questions_load(&r->shots, o->shots_from, (size_t)o->n_shots);
    if (code == DONE && r->shots.n < (size_t)o->n_shots)
        code = fail(BAD_INPUT, "%s: %zu questions, --shots %d", o->shots_from, r->shots.n,
                    (int)o->n_shots);
    if (code == DONE) code = make_head(r);
    return code;
}

int eval_answers(const slm_model *model, const slm_tokenizer *tokenizer,
                 const answers_options *options) {
    answers_run r;
    memset(&r, 0, sizeof r);
    r.model = model;
    r.tokenizer = tokenizer;
    r.o = options;
    int code = questions_load(&r.questions, options->data, (size_t)options->limit);
    if (code == DONE) code = load_shots(&r);
    if (code == DONE) code = open_file(&r);
    if (code == DONE) code = make_generator(&r);
    if (code == DONE) code = ask_all(&r);
    if (code == DONE) print_result(&r);
    free_run(&r);
    return code;
}
