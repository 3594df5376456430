/* numbers.h: how the tensors of other programs' files store numbers.
 *
 *     F32    IEEE 754, four bytes
 *     F16    IEEE 754, two bytes: 1 bit of sign, 5 of exponent (bias 15), 10 of fraction
 *     BF16   the upper half of an F32
 *     Q8_0   blocks of 32 numbers: a scale d as F16, then 32 signed bytes q; a number is d q
 *
 * The lowest byte comes first.  Needs libc and libm only. */
#ifndef NUMBERS_H
#define NUMBERS_H
#include "slm.h"

typedef enum number_type {
    NUMBER_F32,
    NUMBER_F16,
    NUMBER_BF16,
    NUMBER_Q8_0,
    NUMBER_TYPES /* how many there are */
} number_type;

enum { Q8_0_BLOCK = 32 /* numbers with one scale */ };

const char *number_name(number_type type);

/* Numbers of one block, the least that is stored: 1, but for Q8_0. */
size_t number_block(number_type type);

/* Bytes of n numbers, a multiple of the block. */
uint64_t numbers_size(number_type type, uint64_t n);

/* Writes n numbers, a multiple of the block: the nearest that the type has, ties to even.  Returns
 * the index of the first number that it cannot hold, one that is not finite or too large, or n. */
size_t numbers_encode(unsigned char *bytes, number_type type, const slm_real *values, size_t n);

void numbers_decode(slm_real *values, number_type type, const unsigned char *bytes, size_t n);

/* The bytes of a whole number, n <= 8 of them, and back. */
void store_bytes(unsigned char *out, uint64_t value, size_t n);
uint64_t load_bytes(const unsigned char *bytes, size_t n);

/* The bits of a number as a float, and back. */
uint32_t float_bits(float value);
float float_of_bits(uint32_t bits);

#endif
