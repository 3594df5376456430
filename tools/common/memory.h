/* memory.h: how much memory the machine has. */
#ifndef MEMORY_H
#define MEMORY_H

/* Bytes of physical memory; 0 if the system does not say. */
double memory_bytes(void);

#endif
