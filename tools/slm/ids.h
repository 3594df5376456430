/* ids.h: token ids as people write them. */
#ifndef IDS_H
#define IDS_H
#include <stddef.h>
#include <stdint.h>

/* Reads whole numbers with white space between them into *ids (n), to be freed by free().  `name`
 * is for messages; returns an exit code (common/cli.h). */
int parse_ids(int32_t **ids, size_t *n, const char *text, size_t size, const char *name);

/* Refuses ids that are not below vocab. */
int check_ids(const int32_t *ids, size_t n, int32_t vocab, const char *name);

#endif
