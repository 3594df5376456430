/* paths.h: questions about paths, and folders made.  What goes wrong is said as cli.h's fail does,
 * and its exit code returned. */
#ifndef PATHS_H
#define PATHS_H
#include <stddef.h>

enum { PATH_SIZE = 4096 };

int path_exists(const char *path);
int is_folder(const char *path);

/* Returns 1 if the path is neither a plain file nor a folder: a pipe, a device. */
int is_stream(const char *path);

/* Returns 1 if both paths lead to one file or folder that exists. */
int same_file(const char *a, const char *b);

/* Writes "FOLDER/NAME" to out (PATH_SIZE). */
int path_join(char *out, const char *folder, const char *name);

/* Makes the folder and those above it. */
int make_folder(const char *path);

/* Returns how many bytes of the path name a folder that exists, 0 if none does: "a/b" of "a/b/c/d"
 * are 3. */
size_t existing_folders(const char *path);

/* Removes the folder and those above it, but for the first n bytes, as long as they are empty. */
void remove_empty_folders(const char *path, size_t n);

#endif
