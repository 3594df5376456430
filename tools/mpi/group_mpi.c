/* group_mpi.c: the processes of mpirun.  The only file here that knows MPI; any MPI-3 will do.
 *
 * Before each exchange the processes agree that all are well (agree).  So one that fails can tell
 * the others with one message, whatever they are about to exchange, and nobody waits for ever.
 *
 * Sums are made in the order of the ranks, so that every run gives the same bits, in all processes.
 * The gradient is cut into chunks, and a chunk into shares.  Each process gets its share of all
 * others, sums it in double, and gives the sum back to all.  This moves 2 (P-1)/P of the gradient
 * through each network card, the least there is for a sum that all get.  While one chunk is summed,
 * the next one is on its way. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "common/cli.h"
#include "common/group.h"
#include "common/os.h"
#include "common/text.h"

/* Numbers of float in a message of the gradient's sum.  Of 1 MB, a network's latency is a small
 * part; from 64 processes on they are smaller, so that what is received at a time stays at 64 MB,
 * but never below 64 kB. */
enum { RECEIVED = 1 << 24, SHARE_MIN = 16384, SHARE_MAX = 262144 };

/* Numbers in a message of group_gather: sizes are int in MPI-3. */
enum { GATHER_PIECE = 1 << 24 };

/* How often MPI is asked, one time behind the other, before a process that waits sleeps; and for
 * how long it does: others may need its core. */
enum { ASKED_AWAKE = 2000 };
#define SLEEP_SECONDS 50e-6

/* A process that waits for longer than this after a signal says for what. */
#define PATIENCE_SECONDS 0.5

static int rank = 0;
static int n_ranks = 1;
static int broken = 0; /* 1 once some process has failed: nothing is exchanged any more */
static int end_code = DONE; /* what all end with then */

static MPI_Datatype real_type(void) {
    return sizeof(slm_real) == sizeof(float) ? MPI_FLOAT : MPI_DOUBLE;
}

/* ---- waiting ---- */

/* A process that was killed never answers.  mpirun then asks the others to end, as a user does who
 * wants a checkpoint: only the wait is different. */
static void say_once_for_what(double since) {
    static int said = 0;
    if (said || rank != 0 || progress_clock() - since < PATIENCE_SECONDS) return;
    said = 1;
    say("asked to end, and waiting for the other processes; if one of them is gone, what was "
        "saved last is where the same command goes on (train: with --resume)");
}

static void finish(MPI_Request *request) {
    int done = 0;
    double since = -1;
    for (int i = 0; i < ASKED_AWAKE && !done; i++)
        (void)MPI_Test(request, &done, MPI_STATUS_IGNORE);
    while (!done) {
        os_rest(SLEEP_SECONDS);
        (void)MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (!stop_requested) continue;
        if (since < 0) since = progress_clock();
        say_once_for_what(since);
    }
}

/* Returns 0 if no process has failed.  Else the one of the lowest rank that has says why, and all
 * others are silent from here on. */
static int agree(int code) {
    MPI_Request request;
    int mine[2] = {code, code == DONE ? 0 : n_ranks - rank};
    int worst[2];
    if (broken) return 1;
    (void)MPI_Iallreduce(mine, worst, 2, MPI_INT, MPI_MAX, MPI_COMM_WORLD, &request);
    finish(&request);
    if (worst[0] == DONE) return 0;

    broken = 1;
    end_code = worst[0];
    int speaker = n_ranks - worst[1];
    const char *why = held_message();
    set_messages(MESSAGES_SHOWN);
    if (rank == speaker && rank > 0) print_message("%s (process %d of %d)", why, rank, n_ranks);
    set_messages(MESSAGES_OFF);
    return 1;
}

/* ---- the sum of the gradient ---- */

/* The share of process r in n things. */
static void share_of(size_t *first, size_t *end, size_t n, int r) {
    size_t each = n / (size_t)n_ranks;
    size_t rest = n % (size_t)n_ranks;
    size_t i = (size_t)r;
    *first = each * i + (i < rest ? i : rest);
    *end = *first + each + (i < rest);
}

/* A chunk of the gradient on its way: its shares to their processes, or the sums back to all. */
typedef struct grads_chunk {
    slm_real *numbers; /* (n) in the gradient */
    size_t n;
    size_t my_first, my_n;       /* the share of this process */
    slm_real *received;          /* (n_ranks, my_n) that share of all processes */
    int *counts, *offsets;       /* (n_ranks) of all shares */
    int *my_counts, *my_offsets; /* (n_ranks) in `received` */
    MPI_Request request;
} grads_chunk;

/* The chunk that is summed, and the one that is on its way meanwhile. */
static grads_chunk chunks[2];
static double *share_sum; /* (share_size) */
static size_t share_size;

static int make_chunks(void) {
    if (share_sum != NULL) return DONE;
    share_size = RECEIVED / (size_t)n_ranks;
    if (share_size > SHARE_MAX) share_size = SHARE_MAX;
    if (share_size < SHARE_MIN) share_size = SHARE_MIN;
    for (int i = 0; i < 2; i++) {
        chunks[i].received = (slm_real *)malloc((size_t)n_ranks * share_size * sizeof(slm_real));
        chunks[i].counts = (int *)malloc(4 * (size_t)n_ranks * sizeof(int));
        if (chunks[i].received == NULL || chunks[i].counts == NULL) return fail_memory();
        chunks[i].offsets = chunks[i].counts + n_ranks;
        chunks[i].my_counts = chunks[i].offsets + n_ranks;
        chunks[i].my_offsets = chunks[i].my_counts + n_ranks;
    }
    share_sum = (double *)malloc(share_size * sizeof(double));
    return share_sum != NULL ? DONE : fail_memory();
}

static void free_chunks(void) {
    for (int i = 0; i < 2; i++) {
        free(chunks[i].received);
        free(chunks[i].counts);
    }
    free(share_sum);
}

static void send_shares(grads_chunk *c, slm_real *numbers, size_t n) {
    size_t first;
    size_t end;
    share_of(&first, &end, n, rank);
    c->numbers = numbers;
    c->n = n;
    c->my_first = first;
    c->my_n = end - first;
    for (int r = 0; r < n_ranks; r++) {
        share_of(&first, &end, n, r);
        c->counts[r] = (int)(end - first);
        c->offsets[r] = (int)first;
        c->my_counts[r] = (int)c->my_n;
        c->my_offsets[r] = r * (int)c->my_n;
    }
    (void)MPI_Ialltoallv(numbers, c->counts, c->offsets, real_type(), c->received, c->my_counts,
                         c->my_offsets, real_type(), MPI_COMM_WORLD, &c->request);
}

/* Sums in the order of the ranks, and rounds once. */
static void sum_share(const grads_chunk *c) {
    memset(share_sum, 0, c->my_n * sizeof share_sum[0]);
    for (size_t r = 0; r < (size_t)n_ranks; r++) {
        const slm_real *part = c->received + r * c->my_n;
        for (size_t i = 0; i < c->my_n; i++)
            share_sum[i] += (double)part[i];
    }
    for (size_t i = 0; i < c->my_n; i++)
        c->numbers[c->my_first + i] = (slm_real)share_sum[i];
}

static void return_sums(grads_chunk *c) {
    (void)MPI_Iallgatherv(MPI_IN_PLACE, 0, real_type(), c->numbers, c->counts, c->offsets,
                          real_type(), MPI_COMM_WORLD, &c->request);
}

static int sum_grads(void *user, slm_real *grads, size_t n) {
    grads_chunk *now = &chunks[0];
    grads_chunk *next = &chunks[1];
    (void)user;
    if (agree(make_chunks())) return 1;
    const size_t chunk_size = (size_t)n_ranks * share_size;
    next->request = MPI_REQUEST_NULL;
    send_shares(now, grads, n < chunk_size ? n : chunk_size);
    for (size_t first = 0; first < n; first += chunk_size) {
        size_t left = n - first;
        finish(&now->request);  /* the shares are here */
        finish(&next->request); /* the sums of the chunk before are everywhere */
        if (left > chunk_size) {
            left -= chunk_size;
            send_shares(next, grads + first + chunk_size, left < chunk_size ? left : chunk_size);
        }
        sum_share(now);
        return_sums(now);

        grads_chunk *other = now;
        now = next;
        next = other;
    }
    finish(&next->request);
    return 0;
}

/* ---- counts ---- */
static int sum_counts(void *user, uint64_t *counts, size_t n) {
    MPI_Request request;
    (void)user;
    if (agree(DONE)) return 1;
    (void)MPI_Iallreduce(MPI_IN_PLACE, counts, (int)n, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD,
                         &request);
    finish(&request);
    return 0;
}

static int count_before_me(void *user, uint64_t *count) {
    MPI_Request request;
    uint64_t before = 0;
    (void)user;
    if (agree(DONE)) return 1;
    (void)MPI_Iexscan(count, &before, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD, &request);
    finish(&request);
    *count = rank > 0 ? before : 0; /* MPI leaves it open in process 0 */
    return 0;
}

/* ---- what the verbs call ---- */

/* Processes on one machine share its processors out, unless somebody has said how many threads they
 * are to have, or mpirun has bound each to some processors. */
static void share_processors(void) {
#ifdef _OPENMP
    MPI_Comm here;
    int n_here;
    (void)MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here);
    (void)MPI_Comm_size(here, &n_here);
    (void)MPI_Comm_free(&here);
    int is_bound = omp_get_num_procs() < os_processors();
    int share = omp_get_num_procs() / n_here;
    if (n_here == 1 || is_bound || getenv("OMP_NUM_THREADS") != NULL) return;
    use_threads(share > 0 ? share : 1);
#endif
}

void group_start(int *argc, char ***argv) {
    (void)MPI_Init(argc, argv);
    (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    (void)MPI_Comm_size(MPI_COMM_WORLD, &n_ranks);
    share_processors();
    if (n_ranks > 1) set_signal_answer(SIGNAL_SILENT); /* say_once_for_what speaks */
    if (rank == 0) return;
    set_messages(MESSAGES_HELD);
    if (freopen("/dev/null", "w", stdout) == NULL) (void)fclose(stdout);
}

int group_end(int code) {
    if (n_ranks > 1 && agree(code)) code = end_code;
    free_chunks();
    (void)MPI_Finalize();
    return code;
}

int group_rank(void) {
    return rank;
}

int group_size(void) {
    return n_ranks;
}

void group_share(size_t *first, size_t *end, size_t n) {
    share_of(first, end, n, rank);
}

slm_group group_of_trainer(void) {
    slm_group group;
    memset(&group, 0, sizeof group);
    if (n_ranks == 1) return group;
    group.allreduce_counts = sum_counts;
    group.exscan_count = count_before_me;
    group.allreduce_grads = sum_grads;
    return group;
}

int group_wait(void) {
    return n_ranks > 1 && agree(DONE);
}

int group_sum(double *values, size_t n) {
    MPI_Request request;
    if (n_ranks == 1) return 0;
    double *all = (double *)malloc((size_t)n_ranks * n * sizeof(double));
    if (agree(all != NULL ? DONE : fail_memory())) {
        free(all);
        return 1;
    }
    (void)MPI_Iallgather(values, (int)n, MPI_DOUBLE, all, (int)n, MPI_DOUBLE, MPI_COMM_WORLD,
                         &request);
    finish(&request);
    memset(values, 0, n * sizeof(double));
    for (size_t i = 0; i < (size_t)n_ranks * n; i++)
        values[i % n] += all[i];
    free(all);
    return 0;
}

int group_take_first(uint64_t *value) {
    MPI_Request request;
    if (n_ranks == 1) return 0;
    if (agree(DONE)) return 1;
    (void)MPI_Ibcast(value, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD, &request);
    finish(&request);
    return 0;
}

int group_compare(int *same, uint64_t value) {
    MPI_Request request;
    uint64_t lowest[2] = {value, ~value};
    *same = 1;
    if (n_ranks == 1) return 0;
    if (agree(DONE)) return 1;
    (void)MPI_Iallreduce(MPI_IN_PLACE, lowest, 2, MPI_UINT64_T, MPI_MIN, MPI_COMM_WORLD, &request);
    finish(&request);
    *same = lowest[0] == ~lowest[1];
    return 0;
}

static void send_numbers(const slm_real *numbers, size_t n) {
    MPI_Request request;
    uint64_t count = n;
    (void)MPI_Isend(&count, 1, MPI_UINT64_T, 0, 0, MPI_COMM_WORLD, &request);
    finish(&request);
    for (size_t first = 0; first < n; first += GATHER_PIECE) {
        size_t left = n - first;
        int piece = left < GATHER_PIECE ? (int)left : GATHER_PIECE;
        (void)MPI_Isend(numbers + first, piece, real_type(), 0, 0, MPI_COMM_WORLD, &request);
        finish(&request);
    }
}

/* Returns how many there were. */
static size_t receive_numbers(slm_real *numbers, int from) {
    MPI_Request request;
    uint64_t count = 0;
    (void)MPI_Irecv(&count, 1, MPI_UINT64_T, from, 0, MPI_COMM_WORLD, &request);
    finish(&request);
    for (size_t first = 0; first < count; first += GATHER_PIECE) {
        size_t left = (size_t)count - first;
        int piece = left < GATHER_PIECE ? (int)left : GATHER_PIECE;
        (void)MPI_Irecv(numbers + first, piece, real_type(), from, 0, MPI_COMM_WORLD, &request);
        finish(&request);
    }
    return (size_t)count;
}

int group_gather(slm_real *all, const slm_real *mine, size_t n) {
    if (n_ranks > 1 && agree(DONE)) return 1;
    if (rank > 0) {
        send_numbers(mine, n);
        return 0;
    }
    if (n > 0 && all != mine) memcpy(all, mine, n * sizeof(slm_real));
    for (int r = 1; r < n_ranks; r++)
        n += receive_numbers(all + n, r);
    return 0;
}
