/* fuzz.h: what the parts of the fuzzer share. */
#ifndef FUZZ_H
#define FUZZ_H
#include <stddef.h>

/* The bytes that are tried. */
extern const unsigned char *input;
extern size_t input_size;

/* Returns 1 if there is a file of that name: "input", with any ending, is all of the input; where
   the input is a folder, "input/NAME" is a piece of it. */
int find_file(const unsigned char **bytes, size_t *size, const char *path);
int is_input_folder(const char *path);

#endif
