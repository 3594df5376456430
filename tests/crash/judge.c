/* judge.c: whether what a folder holds after an accident is the old or a new state. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scenarios.h"

static int complain(judge *j, const char *format, ...) {
    va_list list;
    va_start(list, format);
    (void)vsnprintf(j->why, sizeof j->why, format, list);
    va_end(list);
    return 0;
}

static int ends_with(const char *text, const char *end) {
    size_t n = strlen(text);
    size_t n_end = strlen(end);
    return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

/* ---- commands ---- */
typedef struct command_line {
    char text[1024];
    char *argv[MAX_ARGUMENTS];
} command_line;

static void split(command_line *line, const char *slm, const char *command) {
    size_t n = 0;
    if (snprintf(line->text, sizeof line->text, "%s", command) >= (int)sizeof line->text)
        die("%s: too long", command);
    line->argv[n++] = (char *)slm;
    for (char *p = strtok(line->text, " "); p != NULL; p = strtok(NULL, " ")) {
        if (n + 1 == MAX_ARGUMENTS) die("%s: too many arguments", command);
        line->argv[n++] = p;
    }
    line->argv[n] = NULL;
}

static int run(judge *j, const char *command) {
    command_line line;
    split(&line, j->slm, command);
    return trace_run_alone(line.argv, j->folder, j->out, j->err);
}

/* Returns the file's text, which the caller frees. */
static char *text_of(const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    long end = -1;
    if (f != NULL && fseek(f, 0, SEEK_END) == 0) end = ftell(f);
    if (end < 0) die("%s", path);
    char *text = (char *)need(malloc((size_t)end + 1));
    (void)fseek(f, 0, SEEK_SET);
    *n = fread(text, 1, (size_t)end, f);
    (void)fclose(f);
    text[*n] = 0;
    return text;
}

int judge_said_one_line(judge *j, char line[MAX_WHY]) {
    size_t n;
    char *text = text_of(j->err, &n);
    char *end = strchr(text, '\n');
    int is_one = n > 0 && end == text + n - 1;
    if (end != NULL) *end = 0;
    (void)snprintf(line, MAX_WHY, "%.*s", MAX_WHY - 1, text);
    free(text);
    return is_one;
}

/* ---- what depends on the clock, or on how often a run was taken up, is left out ---- */

/* Cuts the last two columns of each row: the clock. */
static size_t without_clock(unsigned char *bytes, size_t n) {
    size_t kept = 0;
    size_t commas = 0;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == ',') commas++;
        if (bytes[i] == '\n') commas = 0;
        if (commas < 9) bytes[kept++] = bytes[i];
    }
    return kept;
}

/* Cuts the line with the command, which --resume changes. */
static size_t without_command(unsigned char *bytes, size_t n) {
    static const char name[] = "  \"command\"";
    char *begin = strstr((char *)bytes, name);
    char *end = begin != NULL ? strchr(begin, '\n') : NULL;
    if (end == NULL) return n;
    size_t n_after = n - (size_t)((unsigned char *)end - bytes);
    memmove(begin, end, n_after);
    return (size_t)((unsigned char *)begin - bytes) + n_after;
}

static void normalise(tree *t) {
    for (size_t i = 0; i < t->n; i++) {
        tree_file *f = &t->files[i];
        if (ends_with(f->path, "log.csv")) f->n = without_clock(f->bytes, f->n);
        if (ends_with(f->path, "run.json")) f->n = without_command(f->bytes, f->n);
        f->bytes[f->n] = 0;
    }
}

static void read_now(tree *t, const judge *j) {
    tree_read(t, j->folder);
    normalise(t);
}

/* ---- the versions of a file ---- */
static int is_version(const judge *j, const char *path, const tree_file *f) {
    for (size_t i = 0; i < j->n_versions; i++) {
        const version *v = &j->versions[i];
        if (strcmp(v->path, path) != 0 || v->is_there != (f != NULL)) continue;
        if (f == NULL || (v->n == f->n && memcmp(v->bytes, f->bytes, v->n) == 0)) return 1;
    }
    return 0;
}

static void add_version(judge *j, const char *path, const tree *t) {
    const tree_file *f = tree_find(t, path);
    if (is_version(j, path, f)) return;
    j->versions =
        (version *)need(realloc(j->versions, (j->n_versions + 1) * sizeof *j->versions));
    version *v = &j->versions[j->n_versions++];
    v->path = path;
    v->is_there = f != NULL;
    v->n = f != NULL ? f->n : 0;
    v->bytes = (unsigned char *)need(malloc(v->n + 1));
    if (f != NULL) memcpy(v->bytes, f->bytes, v->n);
}

static void add_versions(judge *j, const tree *t) {
    for (size_t i = 0; i < MAX_OUTPUTS && j->s->outputs[i] != NULL; i++)
        add_version(j, j->s->outputs[i], t);
}

/* ---- what readers say ---- */
static reading read_state(judge *j, size_t reader) {
    reading r;
    size_t n;
    r.code = run(j, j->s->readers[reader]);
    r.text = text_of(j->out, &n);
    return r;
}

static int is_reading(const judge *j, size_t reader, const reading *r) {
    for (size_t i = 0; i < j->n_readings; i++) {
        const reading *known = &j->readings[reader][i];
        if (known->code == r->code && strcmp(known->text, r->text) == 0) return 1;
    }
    return 0;
}

/* The folder holds a state that readers may see. */
static void add_readings(judge *j) {
    for (size_t i = 0; i < MAX_READERS && j->s->readers[i] != NULL; i++) {
        size_t size = (j->n_readings + 1) * sizeof(reading);
        j->readings[i] = (reading *)need(realloc(j->readings[i], size));
        j->readings[i][j->n_readings] = read_state(j, i);
    }
    j->n_readings++;
}

/* Returns 1 if a refusal is one line, and a state that is not there was refused before too. */
static int is_allowed_refusal(judge *j, size_t reader, const reading *r) {
    char line[MAX_WHY];
    int was_refused = j->readings[reader][0].code != 0;
    if (r->code != 3 || !(was_refused || j->s->may_be_refused)) return 0;
    j->n_refused++;
    return judge_said_one_line(j, line);
}

/* ---- the undisturbed run ---- */
typedef struct observer {
    judge *j;
    tree *states; /* complete ones */
    size_t n_states;
} observer;

static void observe(void *user, const trace_operation *o) {
    observer *w = (observer *)user;
    judge *j = w->j;
    tree now;
    if (trace_changes(o)) j->n_changes++;
    if (trace_changes(o) && o->kind == TRACE_WRITE) j->n_writes++;
    if (j->record != NULL) j->record(j->user, o);
    if (o->result < 0 || (o->kind != TRACE_RENAME && o->kind != TRACE_REMOVE)) return;
    read_now(&now, j);
    const char *name = o->kind == TRACE_RENAME ? o->to : o->path;
    for (size_t i = 0; i < MAX_OUTPUTS && j->s->outputs[i] != NULL; i++) {
        if (strcmp(name, j->s->outputs[i]) == 0) add_version(j, j->s->outputs[i], &now);
    }
    tree_free(&now);
    if (o->kind != TRACE_RENAME || j->s->completes == NULL) return;
    if (strcmp(name, j->s->completes) != 0) return;
    w->states = (tree *)need(realloc(w->states, (w->n_states + 1) * sizeof *w->states));
    tree_read(&w->states[w->n_states++], j->folder);
}

void judge_begin(judge *j, const scenario *s, const char *slm, const char *work) {
    const tree nothing = {NULL, 0, 0};
    observer w = {j, NULL, 0};
    trace_plan plan = {.seen = observe, .user = &w};
    tree now;
    j->s = s;
    j->slm = slm;
    (void)snprintf(j->folder, sizeof j->folder, "%s/%s", work, s->name);
    (void)snprintf(j->out, sizeof j->out, "%s.stdout", j->folder);
    (void)snprintf(j->err, sizeof j->err, "%s.stderr", j->folder);
    tree_write(&nothing, j->folder);
    for (size_t i = 0; i < MAX_COMMANDS && s->prepare[i] != NULL; i++) {
        if (run(j, s->prepare[i]) != 0) die("%s: slm %s", s->name, s->prepare[i]);
    }
    tree_read(&j->old, j->folder);
    add_readings(j);
    read_now(&now, j);
    add_versions(j, &now);
    tree_free(&now);

    size_t n_said;
    trace_end end = judge_disturb(j, &plan);
    j->said = text_of(j->out, &n_said);
    if (end.code != 0) die("%s: slm %s: exit %d", s->name, s->command, end.code);
    read_now(&j->final, j);
    add_versions(j, &j->final);
    add_readings(j);
    for (size_t i = 0; i < w.n_states; i++) {
        tree_write(&w.states[i], j->folder);
        add_readings(j);
        tree_free(&w.states[i]);
    }
    free(w.states);
}

void judge_end(judge *j) {
    for (size_t i = 0; i < j->n_versions; i++)
        free(j->versions[i].bytes);
    free(j->versions);
    for (size_t i = 0; i < MAX_READERS; i++) {
        for (size_t k = 0; j->readings[i] != NULL && k < j->n_readings; k++)
            free(j->readings[i][k].text);
        free(j->readings[i]);
    }
    free(j->said);
    tree_free(&j->old);
    tree_free(&j->final);
}

trace_end judge_disturb(judge *j, const trace_plan *plan) {
    command_line line;
    tree_write(&j->old, j->folder);
    split(&line, j->slm, j->s->command);
    return trace_run(line.argv, j->folder, j->out, j->err, plan);
}

int judge_run(judge *j) {
    tree_write(&j->old, j->folder);
    return run(j, j->s->command);
}

/* ---- the verdicts ---- */
static int is_output(const judge *j, const char *path) {
    for (size_t i = 0; i < MAX_OUTPUTS && j->s->outputs[i] != NULL; i++) {
        if (strcmp(j->s->outputs[i], path) == 0) return 1;
    }
    return 0;
}

/* Whether its whole rows are rows of the final file, in their order. */
static int is_grown(const judge *j, const tree_file *f) {
    const tree_file *whole = tree_find(&j->final, f->path);
    const tree_file *old = tree_find(&j->old, f->path);
    size_t n = f->n;
    while (n > 0 && f->bytes[n - 1] != '\n')
        n--;
    if (whole != NULL && n <= whole->n && memcmp(whole->bytes, f->bytes, n) == 0) return 1;
    return old != NULL; /* the rows of the old run, for example */
}

static int is_temporary(const char *path) {
    return ends_with(path, ".tmp") || ends_with(path, ".lock");
}

static int judge_file(judge *j, const tree_file *f) {
    if (f->is_folder || is_temporary(f->path) || is_output(j, f->path)) return 1;
    if (j->s->grows == NULL || strcmp(f->path, j->s->grows) != 0)
        return complain(j, "%s: nobody expects it", f->path);
    return is_grown(j, f) ? 1 : complain(j, "%s: other rows than in the end", f->path);
}

static int judge_tree(judge *j, const tree *now) {
    for (size_t i = 0; i < now->n; i++) {
        if (!judge_file(j, &now->files[i])) return 0;
    }
    for (size_t i = 0; i < MAX_OUTPUTS && j->s->outputs[i] != NULL; i++) {
        const char *path = j->s->outputs[i];
        const tree_file *f = tree_find(now, path);
        if (is_version(j, path, f)) continue;
        if (f == NULL) return complain(j, "%s is gone", path);
        return complain(j, "%s (%zu bytes) is neither an old nor a new one", path, f->n);
    }
    return 1;
}

static int judge_readers(judge *j) {
    for (size_t i = 0; i < MAX_READERS && j->s->readers[i] != NULL; i++) {
        reading r = read_state(j, i);
        int is_well = is_reading(j, i, &r) || is_allowed_refusal(j, i, &r);
        free(r.text);
        if (!is_well)
            return complain(j, "slm %s: exit %d, a state that never was", j->s->readers[i], r.code);
    }
    return 1;
}

int judge_state(judge *j) {
    tree now;
    read_now(&now, j);
    int is_well = judge_tree(j, &now);
    tree_free(&now);
    return is_well && judge_readers(j);
}

static int compare_with_final(judge *j, const tree *now) {
    for (size_t i = 0; i < j->final.n; i++) {
        const tree_file *f = &j->final.files[i];
        const tree_file *other = tree_find(now, f->path);
        if (other == NULL) return complain(j, "%s is not there in the end", f->path);
        if (other->n != f->n || memcmp(other->bytes, f->bytes, f->n) != 0)
            return complain(j, "%s has other bytes in the end", f->path);
    }
    for (size_t i = 0; i < now->n; i++) {
        if (tree_find(&j->final, now->files[i].path) == NULL)
            return complain(j, "%s is left behind", now->files[i].path);
    }
    return 1;
}

int judge_is_final(judge *j) {
    tree now;
    read_now(&now, j);
    int is_well = compare_with_final(j, &now);
    tree_free(&now);
    return is_well;
}

int judge_has_final(judge *j) {
    tree now;
    int is_well = 1;
    read_now(&now, j);
    for (size_t i = 0; i < j->final.n && is_well; i++) {
        const tree_file *f = &j->final.files[i];
        const tree_file *other = tree_find(&now, f->path);
        if (other == NULL || other->n != f->n || memcmp(other->bytes, f->bytes, f->n) != 0)
            is_well = complain(j, "%s is lost although the command had ended", f->path);
    }
    tree_free(&now);
    return is_well;
}

int judge_again(judge *j) {
    char line[MAX_WHY];
    if (j->s->again == NULL) return 1;
    int code = run(j, j->s->again);
    (void)judge_said_one_line(j, line);
    if (code != 0) return complain(j, "slm %s: exit %d: %.200s", j->s->again, code, line);
    return judge_is_final(j);
}

int judge_said_as_ever(judge *j) {
    size_t n;
    char *now = text_of(j->out, &n);
    int is_same = strcmp(now, j->said) == 0;
    free(now);
    return is_same ? 1 : complain(j, "it ends well, and does not say what it should");
}

int judge_is_swept(judge *j) {
    tree now;
    int is_well = 1;
    tree_read(&now, j->folder);
    for (size_t i = 0; i < now.n && is_well; i++) {
        if (is_temporary(now.files[i].path))
            is_well = complain(j, "%s is left behind", now.files[i].path);
    }
    tree_free(&now);
    return is_well;
}
