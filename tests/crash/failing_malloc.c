/* failing_malloc.c: an allocator that fails, to be preloaded.  glibc only.
 *
 *     SLM_FAIL_ALLOCATION=N    the N-th allocation fails, from 1; 0: none
 *     SLM_FAIL_FOREVER=1       and all after it
 *     SLM_ALLOCATIONS=FILE     how many there were, at the end of the process
 *
 * Those before main, of OpenMP's library, which ends the process by itself, and of a process that
 * is started by another one are left alone. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);

static int is_counting;
static long n_allocations;
static long fails_at;
static int fails_forever;
static uintptr_t openmp_begin;
static uintptr_t openmp_end;

static int find_openmp(struct dl_phdr_info *info, size_t size, void *user) {
    (void)size;
    (void)user;
    if (strstr(info->dlpi_name, "libgomp") == NULL && strstr(info->dlpi_name, "libomp") == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
        uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (openmp_begin == 0) openmp_begin = begin;
        openmp_end = begin + info->dlpi_phdr[i].p_memsz;
    }
    return 1;
}

static long number_in(const char *name) {
    const char *value = getenv(name);
    return value != NULL ? atol(value) : 0;
}

__attribute__((constructor)) static void begin(void) {
    (void)dl_iterate_phdr(find_openmp, NULL);
    fails_at = number_in("SLM_FAIL_ALLOCATION");
    fails_forever = number_in("SLM_FAIL_FOREVER") != 0;
    is_counting = 1;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("SLM_ALLOCATIONS");
    long n = n_allocations;
    is_counting = 0;
    FILE *f = path != NULL ? fopen(path, "w") : NULL;
    if (f == NULL) return;
    fprintf(f, "%ld\n", n);
    (void)fclose(f);
}

static int fails(const void *caller) {
    uintptr_t address = (uintptr_t)caller;
    if (!is_counting || (address >= openmp_begin && address < openmp_end)) return 0;
    n_allocations++;
    if (fails_at == 0 || n_allocations < fails_at) return 0;
    if (n_allocations > fails_at && !fails_forever) return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) {
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size) {
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}
