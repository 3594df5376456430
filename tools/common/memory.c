/* memory.c: the size of the physical memory; no standard has a function for it. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#define _DARWIN_C_SOURCE
#include "common/memory.h"

#ifdef _WIN32
#include <windows.h>

double memory_bytes(void) {
    MEMORYSTATUSEX status;
    status.dwLength = sizeof status;
    return GlobalMemoryStatusEx(&status) ? (double)status.ullTotalPhys : 0;
}

#else
#include <unistd.h>

double memory_bytes(void) {
#ifdef _SC_PHYS_PAGES
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_size = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page_size > 0) return (double)pages * (double)page_size;
#endif
    return 0;
}
#endif
