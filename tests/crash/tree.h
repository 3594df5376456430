/* tree.h: what a folder holds, in memory.  What cannot be done ends the test. */
#ifndef TREE_H
#define TREE_H
#include <stddef.h>

enum { TREE_PATH = 256 };

typedef struct tree_file {
    char path[TREE_PATH]; /* from the folder on */
    int is_folder;
    unsigned char *bytes;
    size_t n;
} tree_file;

/* A folder stands before what is in it. */
typedef struct tree {
    tree_file *files;
    size_t n;
    size_t capacity;
} tree;

/* Prints the message and ends the program. */
void die(const char *format, ...);

/* Memory of n bytes or the end. */
void *need(void *memory);

/* Copies the bytes. */
void tree_add(tree *t, const char *path, int is_folder, const void *bytes, size_t n);
const tree_file *tree_find(const tree *t, const char *path);

/* Reads into *t, which is empty or was freed. */
void tree_read(tree *t, const char *folder);

/* Makes the folder hold the tree and nothing else. */
void tree_write(const tree *t, const char *folder);
void tree_free(tree *t);
#endif
