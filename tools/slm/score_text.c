/* score_text.c: the losses of a text; into a score file, they are made in pieces, so that an
 * interrupted scoring can be taken up. */
#include <stdio.h>
#include <string.h>

#include "common/cli.h"
#include "common/group.h"
#include "common/group.h"
#include "common/inputs.h"
#include "common/os.h"
#include "common/paths.h"
#include "slm/losses_join.h"
#include "slm/score.h"

static int load_inputs(score_run *r, const score_options *o) {
    int code = load_tokenizer(&r->tokenizer, o->tokenizer, o->model);
    if (code == DONE) code = score_load_model(r, o);
    if (code != DONE) return code;
    int32_t vocab = vocab_of(r->tokenizer, r->shape);
    token_reader reader = token_reader_of(r->tokenizer, r->shape, vocab, &o->read);
    code = load_corpus(&r->corpus, &reader, &o->data);
    if (code == DONE) say_report(&reader.report);
    if (code == DONE) code = check_corpus_ids(r->corpus, r->shape, o->model, r->tokenizer);
    r->T = o->seq > 0 ? o->seq : default_seq(r->shape);
    if (code == DONE) code = check_window(r->shape, o->model, r->T);
    return code;
}

size_t score_entries_before(const score_run *r, size_t window) {
    size_t n_all = r->corpus->n - 1;
    size_t n = window * (size_t)r->T;
    return n < n_all ? n : n_all;
}

/* The windows are dealt out to the shards in pieces of equal length, the first ones one longer
 * where there is a rest. */
static score_goal make_goal(const score_run *r, const score_options *o) {
    score_goal goal;
    memset(&goal, 0, sizeof goal);
    goal.windows = slm_corpus_windows(r->corpus, o->batch, r->T);
    size_t share = goal.windows.end / (size_t)o->n_shards;
    size_t rest = goal.windows.end % (size_t)o->n_shards;
    size_t i = (size_t)o->shard_index;
    goal.windows.first = share * i + (i < rest ? i : rest);
    goal.windows.end = goal.windows.first + share + (i < rest);

    slm_losses *losses = &goal.losses;
    losses->T = r->T;
    losses->total = r->corpus->n - 1;
    losses->first = score_entries_before(r, goal.windows.first);
    losses->n = score_entries_before(r, goal.windows.end) - losses->first;
    losses->corpus_hash = r->corpus->hash;
    losses->tokenizer_hash = hash_of(r->tokenizer);
    losses->model_hash = score_model_hash(r);
    losses->documents_hash = r->corpus->within_documents ? r->corpus->documents_hash : 0;
    return goal;
}

/* Scores by all processes, unless they have read different things. */
static int score_with_others(score_run *r, const score_options *o, const score_goal *goal,
                             const char *part) {
    const slm_losses *l = &goal->losses;
    const uint64_t marks[] = {(uint64_t)l->T, l->first,          l->n,         l->corpus_hash,
                              l->tokenizer_hash, l->model_hash, l->documents_hash};
    int same;
    if (group_compare(&same, slm_hash(SLM_HASH_START, marks, sizeof marks))) return FAILED;
    if (same) return score_in_group(r, o, goal, part);
    return fail(BAD_INPUT, "the processes have read different texts or models: all must find the "
                           "same files");
}

static int score_at_once(score_run *r, const score_options *o) {
    slm_error err;
    watch w;
    score_goal goal = make_goal(r, o);
    if (group_size() > 1) return score_with_others(r, o, &goal, NULL);
    watch_start(&w, "scoring: token", "tok/s", o->quiet);
    slm_status status = score_windows(&r->losses, r, &goal.windows, watch_callback, &w, &err);
    progress_end(&w.bar);
    return fail_status(status, FOR_OUTPUT, &err);
}

/* ---- into a file ---- */

/* Refuses losses of a file that are no part of the goal. */
static int check_losses(const slm_losses *losses, const score_goal *goal, const char *path) {
    const slm_losses *wanted = &goal->losses;
    const char *difference = losses_difference(losses, wanted);
    int other_shard = losses->first != wanted->first || losses->n > wanted->n;
    if (difference == NULL && other_shard) difference = "shard";
    if (difference == NULL) return DONE;
    return fail(BAD_INPUT,
                "%s: it holds scores %zu to %zu of %zu in windows of %d, made for another %s "
                "(here: %zu to %zu of %zu, %d)",
                path, losses->first, losses->first + losses->n, losses->total, (int)losses->T,
                difference, wanted->first, wanted->first + wanted->n, wanted->total,
                (int)wanted->T);
}

/* Shows progress, and stops when it is time to save. */
typedef struct score_watch {
    watch w;
    uint64_t n_before; /* entries that earlier pieces have made */
    uint64_t n_all;
    int saves;      /* 1: stops when it is time to save, too */
    double save_at; /* seconds, by progress_clock */
} score_watch;

static int score_callback(void *user, uint64_t done, uint64_t total) {
    score_watch *w = (score_watch *)user;
    (void)total;
    int stop = watch_callback(&w->w, w->n_before + done, w->n_all);
    return stop || (w->saves && progress_clock() >= w->save_at);
}

/* Appends to r->losses what was scored after them.  `more` is taken over: it becomes r->losses, or
 * is copied and freed.  After a failure it is freed too, and r->losses are as before. */
static slm_status append_losses(score_run *r, slm_losses *more, slm_error *err) {
    if (r->losses == NULL) {
        r->losses = more;
        return SLM_OK;
    }
    const slm_losses *parts[2] = {r->losses, more};
    slm_losses *joined;
    slm_status status = losses_join(&joined, parts, 2, err);
    slm_losses_free(more);
    if (status != SLM_OK) return status;
    slm_losses_free(r->losses);
    r->losses = joined;
    return SLM_OK;
}

/* The windows of a stream that are scored together: stopped among them, they would be lost, and so
 * it is time to save when they are done. */
static size_t end_of_group(const slm_windows *windows) {
    size_t n = slm_stream_windows(windows->T);
    return windows->end - windows->first < n ? windows->end : windows->first + n;
}

/* Scores from where r->losses end, and appends.  Returns SLM_OK if all is there, and
 * SLM_ERR_CANCELLED if score_callback stopped it before: it is time to save, or the user wants to
 * end.  What was done by then is appended, too. */
static slm_status score_piece(score_run *r, const score_options *o, const score_goal *goal,
                              score_watch *w, slm_error *err) {
    size_t T = (size_t)r->T;
    slm_losses *more = NULL;
    slm_windows windows = goal->windows;
    w->n_before = r->losses != NULL ? r->losses->n : 0;
    w->save_at = progress_clock() + (double)o->save_every;

    /* The first window that is not done.  Rounded up, because the last window of the text may be
     * shorter than T: when it is done, none follows. */
    windows.first = (goal->losses.first + (size_t)w->n_before + T - 1) / T;
    if (r->stream != NULL) windows.end = end_of_group(&windows);
    slm_status status = score_windows(&more, r, &windows, score_callback, w, err);
    if (more == NULL) return status; /* it failed, rather than being stopped */
    slm_status joined = append_losses(r, more, err);
    if (joined != SLM_OK) return joined;
    return r->losses->n < goal->losses.n ? SLM_ERR_CANCELLED : status;
}

/* Takes up the unfinished file.  It is replaced atomically, so that one which cannot be read is not
 * ours: then the work begins anew. */
static int resume(score_run *r, const score_options *o, const score_goal *goal, const char *part) {
    slm_error err;
    if (!path_exists(part)) return DONE;
    slm_status status = slm_losses_load(&r->losses, part, &err);
    if (status == SLM_OK) return check_losses(r->losses, goal, part);
    if (status != SLM_ERR_FORMAT && status != SLM_ERR_NOT_FINITE)
        return fail_status(status, FOR_INPUT, &err);
    if (!o->quiet) say("note: %s; scoring begins anew", err.text);
    return DONE;
}

/* A file that is finished is left alone. */
static int load_finished(score_run *r, const score_options *o, const score_goal *goal) {
    slm_error err;
    slm_status status = slm_losses_load(&r->losses, o->out, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    int code = check_losses(r->losses, goal, o->out);
    if (code == DONE && r->losses->n != goal->losses.n) {
        code = fail(BAD_INPUT, "%s: it holds %zu of the %zu scores of this shard", o->out,
                    r->losses->n, goal->losses.n);
    }
    return code;
}

/* Scores until all is there, or a signal asks for an end: then what there is has been saved. */
static int score_pieces(score_run *r, const score_options *o, const score_goal *goal,
                        const char *part) {
    slm_error err;
    score_watch w;
    watch_start(&w.w, "scoring: token", "tok/s", o->quiet);
    w.n_all = goal->losses.n;
    w.saves = r->stream == NULL;
    slm_status status = SLM_ERR_CANCELLED;
    while (status == SLM_ERR_CANCELLED && !stop_requested) {
        status = score_piece(r, o, goal, &w, &err);
        if (status == SLM_ERR_CANCELLED) {
            slm_status saved = slm_losses_save(r->losses, part, &err);
            if (saved != SLM_OK) status = saved;
        }
    }
    progress_end(&w.w.bar);
    if (status == SLM_ERR_CANCELLED) {
        return fail(INTERRUPTED, "%s: stopped at token %zu of %zu; the same command goes on", part,
                    r->losses->n, goal->losses.n);
    }
    return fail_status(status, FOR_OUTPUT, &err);
}

/* Reads what is there already.  *is_finished: 1 if that is all. */
static int load_what_is_there(uint64_t *is_finished, score_run *r, const score_options *o,
                              const score_goal *goal, const char *part) {
    *is_finished = path_exists(o->out) != 0;
    return *is_finished ? load_finished(r, o, goal) : resume(r, o, goal, part);
}

/* Of several processes, the first one reads and writes. */
static int score_into_file(score_run *r, const score_options *o) {
    char part[PATH_SIZE];
    slm_error err;
    uint64_t is_finished = 0;
    int code = DONE;
    score_goal goal = make_goal(r, o);
    if (snprintf(part, sizeof part, "%s.part", o->out) >= (int)sizeof part)
        return fail(USAGE, "%.60s...: the path is too long", o->out);
    if (group_rank() == 0) code = load_what_is_there(&is_finished, r, o, &goal, part);
    if (code == DONE && group_take_first(&is_finished)) code = FAILED;
    if (code != DONE) return code;

    /* Killed in time, a process leaves the unfinished file beside the finished one. */
    if (is_finished) {
        if (group_rank() == 0) (void)os_remove(part);
        return DONE;
    }

    code = group_size() > 1 ? score_with_others(r, o, &goal, part)
                            : score_pieces(r, o, &goal, part);
    if (code != DONE || group_rank() > 0) return code;
    slm_status status = slm_losses_save(r->losses, o->out, &err);
    if (status == SLM_OK) (void)os_remove(part);
    return fail_status(status, FOR_OUTPUT, &err);
}

int score_text(score_run *r, const score_options *o) {
    int code = load_inputs(r, o);
    if (code != DONE) return code;
    return o->out != NULL ? score_into_file(r, o) : score_at_once(r, o);
}
