/* score_group.c: one text scored by several processes.  A block of windows is shared out, and its
 * losses come together in process 0, block after block: what it has at any time is what one process
 * would have, so that the file is the same, and may be taken up by any number of them. */
#include <string.h>

#include "common/cli.h"
#include "common/group.h"
#include "slm/score.h"

/* Gives process 0 room for all losses of the goal; those that it has are copied.  From here on n
 * counts those that are there. */
static slm_status make_room(score_run *r, const score_goal *goal, slm_error *err) {
    slm_losses *done = r->losses;
    slm_losses *room;
    slm_status status = slm_losses_create(&room, goal->losses.n, r->T, err);
    if (status != SLM_OK) return status;
    room->n = 0;
    room->first = goal->losses.first;
    room->total = goal->losses.total;
    room->corpus_hash = goal->losses.corpus_hash;
    room->tokenizer_hash = goal->losses.tokenizer_hash;
    room->model_hash = goal->losses.model_hash;
    room->documents_hash = goal->losses.documents_hash;
    if (done != NULL) {
        memcpy(room->loss, done->loss, done->n * sizeof(slm_real));
        memcpy(room->entropy, done->entropy, done->n * sizeof(slm_real));
        room->n = done->n;
    }
    slm_losses_free(done);
    r->losses = room;
    return SLM_OK;
}

/* Scores this process's share of the block, which may be empty: then *mine is NULL. */
static int score_share(slm_losses **mine, score_run *r, const slm_windows *block) {
    slm_error err;
    slm_windows windows = *block;
    *mine = NULL;
    group_share(&windows.first, &windows.end, block->end - block->first);
    windows.first += block->first;
    windows.end += block->first;
    if (windows.first == windows.end) return DONE;
    slm_status status = score_windows(mine, r, &windows, NULL, NULL, &err);
    return fail_status(status, FOR_OUTPUT, &err);
}

/* Brings all shares of a block together, behind the losses of process 0. */
static int gather_shares(score_run *r, const slm_losses *mine) {
    const slm_losses none = {.n = 0};
    slm_real *loss = NULL;
    slm_real *entropy = NULL;
    if (mine == NULL) mine = &none;
    if (group_rank() == 0) {
        loss = r->losses->loss + r->losses->n;
        entropy = r->losses->entropy + r->losses->n;
    }
    if (group_gather(loss, mine->loss, mine->n)) return FAILED;
    return group_gather(entropy, mine->entropy, mine->n) ? FAILED : DONE;
}

static int score_block(score_run *r, const slm_windows *block) {
    slm_losses *mine;
    int code = score_share(&mine, r, block);
    if (code == DONE) code = gather_shares(r, mine);
    slm_losses_free(mine);
    if (code == DONE && group_rank() == 0)
        r->losses->n = score_entries_before(r, block->end) - r->losses->first;
    return code;
}

/* The windows behind the first n_done losses that are scored next. */
static slm_windows next_block(const score_run *r, const score_goal *goal, size_t n_done) {
    size_t T = (size_t)r->T;
    size_t n = (size_t)group_size() * slm_stream_windows(r->T);
    slm_windows block = goal->windows;
    block.first = (goal->losses.first + n_done + T - 1) / T;
    if (block.end - block.first > n) block.end = block.first + n;
    return block;
}

/* Where the work is, in all processes. */
typedef struct group_work {
    watch w;
    uint64_t n_done;
    double stop;    /* above 0 once any process was asked to end */
    double save_at; /* seconds, by progress_clock */
} group_work;

static int save_if_due(const score_run *r, const score_options *o, group_work *work,
                       const char *part) {
    slm_error err;
    int is_due = work->stop > 0 || progress_clock() >= work->save_at;
    if (group_rank() > 0 || part == NULL || !is_due) return DONE;
    work->save_at = progress_clock() + (double)o->save_every;
    return fail_status(slm_losses_save(r->losses, part, &err), FOR_OUTPUT, &err);
}

/* Scores the next block. */
static int advance(score_run *r, const score_options *o, const score_goal *goal, group_work *work,
                   const char *part) {
    slm_windows block = next_block(r, goal, (size_t)work->n_done);
    int code = score_block(r, &block);
    if (code != DONE) return code;
    work->n_done = score_entries_before(r, block.end) - goal->losses.first;
    work->stop = watch_callback(&work->w, work->n_done, goal->losses.n);
    if (group_sum(&work->stop, 1)) return FAILED;
    return save_if_due(r, o, work, part);
}

int score_in_group(score_run *r, const score_options *o, const score_goal *goal,
                   const char *part) {
    slm_error err;
    group_work work;
    int code = DONE;
    memset(&work, 0, sizeof work);
    work.n_done = r->losses != NULL ? r->losses->n : 0;
    if (group_rank() == 0) code = fail_status(make_room(r, goal, &err), FOR_OUTPUT, &err);
    if (code != DONE) return code;
    if (group_take_first(&work.n_done)) return FAILED;

    watch_start(&work.w, "scoring: token", "tok/s", o->quiet);
    work.save_at = progress_clock() + (double)o->save_every;
    while (code == DONE && work.n_done < goal->losses.n && !(work.stop > 0))
        code = advance(r, o, goal, &work, part);
    progress_end(&work.w.bar);
    if (code != DONE || work.n_done == goal->losses.n) return code;
    return fail(INTERRUPTED, "%s: stopped at token %llu of %zu; the same command goes on",
                part != NULL ? part : "scoring", (unsigned long long)work.n_done, goal->losses.n);
}
