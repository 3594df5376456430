/* disk.h: a disk that loses, on a power failure, what was not synced.
 *
 * What a file held when it was synced is there.  Of each later write nothing, all or a part is; the
 * file may have grown without it, and then holds zeros.  A name leads to what it led to when its
 * folder was synced, or to anything that it has led to since.  Every name and every write has its
 * own fate, so that they are lost in any order. */
#ifndef DISK_H
#define DISK_H
#include <stdint.h>

#include "trace.h"
#include "tree.h"

typedef struct disk_log disk_log;

/* A record of operations, each with what it wrote. */
disk_log *disk_log_new(void);
void disk_log_add(void *log, const trace_operation *operation);
size_t disk_log_size(const disk_log *log);
void disk_log_free(disk_log *log);

/* How much of what was not synced is lost. */
typedef enum disk_fate {
    DISK_LOSES_ALL,
    DISK_LOSES_DATA,  /* names are kept: a file that was renamed may be empty */
    DISK_LOSES_NAMES, /* data are kept */
    DISK_LOSES_ANY,
    DISK_N_FATES
} disk_fate;

/* Makes *after what is found after a power failure behind the first n operations, beginning with a
 * disk that held `before`.  The random numbers follow from *state. */
void disk_crash(tree *after, const tree *before, const disk_log *log, size_t n, disk_fate fate,
                uint64_t *state);

/* The next random number, below `end`. */
uint64_t disk_random(uint64_t *state, uint64_t end);
#endif
