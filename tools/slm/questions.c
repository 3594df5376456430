/* questions.c: see questions.h. */
#include "slm/questions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/source.h"
#include "slm.h"

void questions_free(questions *q) {
    for (size_t i = 0; i < q->n; i++) {
        free(q->items[i].question);
        free(q->items[i].solution);
    }
    free(q->items);
    memset(q, 0, sizeof *q);
}

/* One line of the file, and where it is, for messages. */
typedef struct record {
    const char *line;
    size_t size;
    const char *place;
} record;

/* Copies one field of the record into *out, to be freed by free(). */
static slm_status read_field(char **out, const record *r, const char *field, slm_error *err) {
    slm_text_options options = {.fields = field, .jsonl = 1};
    slm_text text;
    *out = NULL;
    slm_status status = slm_text_parse(&text, r->line, r->size, r->place, &options, err);
    if (status == SLM_OK && text.n_records == 1) {
        size_t size = text.size - 2; /* without the blank line that follows a record */
        *out = (char *)malloc(size + 1);
        if (*out != NULL) {
            memcpy(*out, text.start, size);
            (*out)[size] = 0;
        }
    }
    slm_text_free(&text);
    return status;
}

/* The names of the two fields, by the kind. */
static const char *const question_fields[] = {"question", "problem"};
static const char *const solution_fields[] = {"answer", "solution"};

static int append(questions *q, const record *r) {
    slm_error err;
    char answer[ANSWER_SIZE];
    question *item = &q->items[q->n];
    memset(item, 0, sizeof *item);
    if (q->n == 0) {
        slm_status is_number = read_field(&item->question, r, question_fields[0], &err);
        q->kind = is_number == SLM_OK ? ANSWER_NUMBER : ANSWER_BOX;
        free(item->question);
        item->question = NULL;
    }

    slm_status status = read_field(&item->question, r, question_fields[q->kind], &err);
    if (status == SLM_OK) status = read_field(&item->solution, r, solution_fields[q->kind], &err);
    q->n++; /* so that questions_free frees what there is */
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    if (item->question == NULL || item->solution == NULL) return fail_memory();
    if (answer_extract(answer, q->kind, item->solution)) return DONE;
    return fail(BAD_INPUT, "%s: its %s has no final answer", r->place, solution_fields[q->kind]);
}

static size_t count_lines(const source *s) {
    size_t n = 1;
    for (size_t i = 0; i < s->size; i++)
        n += s->bytes[i] == '\n';
    return n;
}

static int is_blank(const char *line, size_t size) {
    return strspn(line, " \t\r") >= size;
}

static int read_lines(questions *q, const source *s, size_t limit) {
    char place[480];
    size_t start = 0;
    int code = DONE;
    q->hash = slm_hash(SLM_HASH_START, s->bytes, s->size);
    q->items = (question *)calloc(count_lines(s), sizeof *q->items);
    if (q->items == NULL) return fail_memory();
    for (size_t i = 1; start < s->size && code == DONE && (limit == 0 || q->n < limit); i++) {
        const char *line = s->bytes + start;
        const char *newline = (const char *)memchr(line, '\n', s->size - start);
        size_t size = newline != NULL ? (size_t)(newline - line) : s->size - start;
        (void)snprintf(place, sizeof place, "%.400s: question %zu", s->path, i);
        record r = {line, size, place};
        if (!is_blank(line, size)) code = append(q, &r);
        start += size + 1;
    }
    if (code == DONE && q->n == 0) code = fail(BAD_INPUT, "%s: no questions", s->path);
    return code;
}

int questions_load(questions *q, const char *path, size_t limit) {
    slm_error err;
    source s;
    memset(q, 0, sizeof *q);
    slm_status status = source_read(&s, path, &err);
    int code = status == SLM_OK ? read_lines(q, &s, limit) : fail_status(status, FOR_INPUT, &err);
    source_free(&s);
    return code;
}
