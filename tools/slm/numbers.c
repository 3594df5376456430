/* numbers.c: F32, F16, BF16 and Q8_0, to the bit. */
#include "slm/numbers.h"

#include <math.h>
#include <string.h>

enum {
    F32_INFINITE = 0x7f800000, /* the exponent all ones; without the sign */
    F16_INFINITE = 0x7c00,
    Q8_0_SIZE = 2 + Q8_0_BLOCK,
    Q8_0_MOST = 127
};

typedef struct number_format {
    const char *name;
    size_t block;      /* numbers */
    size_t block_size; /* bytes */
} number_format;

static const number_format formats[NUMBER_TYPES] = {
    {"F32", 1, 4}, {"F16", 1, 2}, {"BF16", 1, 2}, {"Q8_0", Q8_0_BLOCK, Q8_0_SIZE}};

const char *number_name(number_type type) {
    return formats[type].name;
}

size_t number_block(number_type type) {
    return formats[type].block;
}

uint64_t numbers_size(number_type type, uint64_t n) {
    return n / formats[type].block * formats[type].block_size;
}

void store_bytes(unsigned char *out, uint64_t value, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)(value >> 8 * i);
}

uint64_t load_bytes(const unsigned char *bytes, size_t n) {
    uint64_t value = 0;
    for (size_t i = n; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    return value;
}

uint32_t float_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Drops the lowest n bits: to the nearest, ties to even. */
static uint32_t round_off(uint32_t bits, int n) {
    uint32_t half = (uint32_t)1 << (n - 1);
    uint32_t is_odd = bits >> n & 1;
    return (bits + half - 1 + is_odd) >> n;
}

/* A finite float as F16.  Exponent 0 means multiples of 2^-24: there the fraction, with the bit in
 * front of it that a float does not store, is shifted by the exponent's distance. */
static uint32_t f16_bits(float value) {
    uint32_t bits = float_bits(value);
    uint32_t sign = bits >> 16 & 0x8000;
    uint32_t size = bits & 0x7fffffff;
    int exponent = (int)(size >> 23) - 127;
    if (exponent < -25) return sign;
    if (exponent < -14) return sign | round_off((size & 0x7fffff) | 0x800000, -1 - exponent);
    uint32_t rounded = round_off(size - ((uint32_t)(127 - 15) << 23), 13);
    return sign | (rounded < F16_INFINITE ? rounded : F16_INFINITE);
}

static float f16_value(uint32_t bits) {
    uint32_t sign = bits >> 15 & 1;
    uint32_t exponent = bits >> 10 & 31;
    uint32_t fraction = bits & 1023;
    if (exponent == 0) return ldexpf(sign ? -(float)fraction : (float)fraction, -24);
    uint32_t wide = exponent == 31 ? 255 : exponent + 127 - 15;
    return float_of_bits(sign << 31 | wide << 23 | fraction << 13);
}

static int is_finite_f32(uint32_t bits) {
    return (bits & F32_INFINITE) != F32_INFINITE;
}

static int is_finite_f16(uint32_t bits) {
    return (bits & F16_INFINITE) != F16_INFINITE;
}

/* Returns the index of the first of 32 numbers that cannot be held, or 32. */
static size_t encode_block(unsigned char *bytes, const slm_real *values) {
    float largest = 0;
    for (size_t i = 0; i < Q8_0_BLOCK; i++) {
        float size = fabsf((float)values[i]);
        if (!is_finite_f32(float_bits(size))) return i;
        if (size > largest) largest = size;
    }
    float d = largest / Q8_0_MOST;
    float inverse = d > 0 ? 1 / d : 0;
    uint32_t scale = f16_bits(d);
    if (!is_finite_f16(scale) || !is_finite_f32(float_bits(inverse))) return 0;
    store_bytes(bytes, scale, 2);
    for (size_t i = 0; i < Q8_0_BLOCK; i++)
        bytes[2 + i] = (unsigned char)(int)roundf((float)values[i] * inverse);
    return Q8_0_BLOCK;
}

static size_t encode_blocks(unsigned char *bytes, const slm_real *values, size_t n) {
    for (size_t i = 0; i < n; i += Q8_0_BLOCK) {
        size_t good = encode_block(bytes + i / Q8_0_BLOCK * Q8_0_SIZE, values + i);
        if (good < Q8_0_BLOCK) return i + good;
    }
    return n;
}

size_t numbers_encode(unsigned char *bytes, number_type type, const slm_real *values, size_t n) {
    if (type == NUMBER_Q8_0) return encode_blocks(bytes, values, n);
    for (size_t i = 0; i < n; i++) {
        float value = (float)values[i];
        uint32_t bits = float_bits(value);
        int good = is_finite_f32(bits);
        if (type == NUMBER_F32) {
            store_bytes(bytes + 4 * i, bits, 4);
        } else if (type == NUMBER_BF16) {
            uint32_t half = round_off(bits, 16);
            good = good && is_finite_f32(half << 16);
            store_bytes(bytes + 2 * i, half, 2);
        } else {
            uint32_t half = good ? f16_bits(value) : 0;
            good = good && is_finite_f16(half);
            store_bytes(bytes + 2 * i, half, 2);
        }
        if (!good) return i;
    }
    return n;
}

static float decode_one(number_type type, const unsigned char *bytes, size_t i) {
    switch (type) {
    case NUMBER_F16: return f16_value((uint32_t)load_bytes(bytes + 2 * i, 2));
    case NUMBER_BF16: return float_of_bits((uint32_t)load_bytes(bytes + 2 * i, 2) << 16);
    default: return float_of_bits((uint32_t)load_bytes(bytes + 4 * i, 4));
    }
}

static void decode_block(slm_real *values, const unsigned char *bytes) {
    float d = f16_value((uint32_t)load_bytes(bytes, 2));
    for (size_t i = 0; i < Q8_0_BLOCK; i++) {
        int q = bytes[2 + i] < 128 ? bytes[2 + i] : bytes[2 + i] - 256;
        values[i] = (slm_real)(d * (float)q);
    }
}

void numbers_decode(slm_real *values, number_type type, const unsigned char *bytes, size_t n) {
    if (type == NUMBER_Q8_0) {
        for (size_t i = 0; i < n; i += Q8_0_BLOCK)
            decode_block(values + i, bytes + i / Q8_0_BLOCK * Q8_0_SIZE);
        return;
    }
    for (size_t i = 0; i < n; i++)
        values[i] = (slm_real)decode_one(type, bytes, i);
}
