/* group.h: the processes that do one piece of work together, started by mpirun.
 *
 * An ordinary build has one process (common/group_alone.c).  `make mpi` puts mpi/group_mpi.c in its
 * place, the only file that knows MPI.  Process 0 writes and speaks; the others are silent.
 *
 * All processes call these functions in the same order.  One that fails goes straight to group_end.
 * The others learn of it where they wait next: that function returns nonzero, prints no message
 * from there on, and they go to group_end, too. */
#ifndef GROUP_H
#define GROUP_H
#include "slm.h"

/* Call it first in main, behind program_start. */
void group_start(int *argc, char ***argv);

/* Call it last.  Waits for the others; the first of those that failed says why.  Returns the exit
 * code for all: the highest of theirs. */
int group_end(int code);

int group_rank(void); /* from 0 */
int group_size(void);

/* The share of this process in n things, first .. end-1.  Shares lie in the order of the ranks; the
 * first ones are one larger where there is a rest. */
void group_share(size_t *first, size_t *end, size_t n);

/* What a trainer exchanges.  All members are NULL if there is one process. */
slm_group group_of_trainer(void);

/* Each of these returns 0, or nonzero if another process has failed. */

/* Waits until all have come here. */
int group_wait(void);

/* values (n) become their sums over all processes, made in the order of the ranks. */
int group_sum(double *values, size_t n);

/* *value becomes that of process 0. */
int group_take_first(uint64_t *value);

/* *same: 1 if all processes have the same value. */
int group_compare(int *same, uint64_t value);

/* Process 0 gets the numbers of all, in the order of the ranks, one behind the other.  all: room
 * for them in process 0, which may begin with its own; not used elsewhere.  mine (n). */
int group_gather(slm_real *all, const slm_real *mine, size_t n);

#endif
