/* Lesson 2: the tape alone.  A network of two layers, its gradient by the tape and by trial, and
 * what a gradient is good for.
 *
 *     cc -O2 -I. examples/02_autograd.c -o 02 -lm
 *     ./02
 *
 * It prints:
 *
 *     weight   by the tape   by trial
 *          0       +0.0238    +0.0238
 *          6       -0.0252    -0.0252
 *         12       +0.0625    +0.0625
 *         18       +0.0524    +0.0524
 *         24       +0.0405    +0.0405
 *         30       +0.0470    +0.0470
 *     all 32 agree to 1e-8: yes
 *
 *     step   0   loss 0.996
 *     step 100   loss 0.022
 *     step 200   loss 0.005
 *     step 300   loss 0.002
 *     0 xor 0 = 0   with probability 0.997
 *     0 xor 1 = 1   with probability 0.998
 *     1 xor 0 = 1   with probability 0.997
 *     1 xor 1 = 0   with probability 0.998
 */

/* All numbers are doubles, so that the two gradients can be compared to many digits. */
#define SLM_REAL double
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The task is exclusive or: the class of a row is a xor b.  The third column is always 1; it takes
   the place of a bias. */
enum { ROWS = 4, IN = 3, HIDDEN = 4, CLASSES = 2 };

static const slm_real input[ROWS * IN] = {0, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1};
static const int32_t target[ROWS] = {0, 1, 1, 0};

/* All weights lie in one array: two matrices of the first layer, then one of the second.  A weight
   matrix has a row for each output and a column for each input. */
enum {
    GATE = 0,
    UP = GATE + HIDDEN * IN,
    OUT = UP + HIDDEN * IN,
    WEIGHTS = OUT + CLASSES * HIDDEN
};

static slm_real weight[WEIGHTS], gradient[WEIGHTS];
static slm_real loss_of_row[ROWS];

static slm_error err;

static void must(slm_status status) {
    if (status != SLM_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* The network, run forward on the tape.  Each operation computes its result at once and records
   itself.  A leaf is a matrix of yours: its numbers, and where its gradient goes.  A constant is a
   matrix of yours that needs no gradient. */
static slm_tensor *forward(slm_tape *tape) {
    /* The reset forgets the last pass and keeps its memory. */
    slm_tape_reset(tape);
    slm_tensor *x = slm_constant(tape, input, ROWS, IN);
    slm_tensor *gate = slm_leaf(tape, weight + GATE, gradient + GATE, HIDDEN, IN);
    slm_tensor *up = slm_leaf(tape, weight + UP, gradient + UP, HIDDEN, IN);
    slm_tensor *out = slm_leaf(tape, weight + OUT, gradient + OUT, CLASSES, HIDDEN);

    /* Layer 1. */
    slm_tensor *hidden =
        slm_swiglu(tape, slm_linear(tape, x, gate, NULL), slm_linear(tape, x, up, NULL));

    /* Layer 2 and the loss in one: class scores z = hidden out', then the mean of -ln P(class) over
       the rows (eq. 2).  Weights and mask are NULL: every row counts, and counts the same. */
    return slm_selective_loss(tape, hidden, out, target, NULL, NULL, ROWS, loss_of_row);
}

/* The loss as a number.  An operation that fails returns NULL, and so do all after it: one check at
   the end is enough. */
static double loss_now(slm_tape *tape) {
    slm_tensor *loss = forward(tape);
    must(slm_tape_status(tape, &err));
    return loss->data[0];
}

/* The slope of the loss along one weight, by the central difference: moves the weight a little up
   and a little down, and sees what the loss does. */
static double slope(slm_tape *tape, slm_real *w) {
    const double h = 1e-5;
    const double kept = *w;
    *w = kept + h;
    double above = loss_now(tape);
    *w = kept - h;
    double below = loss_now(tape);
    *w = kept;
    return (above - below) / (2 * h);
}

int main(void) {
    slm_rng rng = slm_rng_seed(1);
    slm_tape *tape;
    double worst = 0;
    must(slm_tape_create(&tape, &err));
    for (int i = 0; i < WEIGHTS; i++)
        weight[i] = slm_rng_normal(&rng);

    /* 1. The gradient by the tape: one forward pass, and one sweep backward over the record gives
       all 32 numbers at once. */
    must(slm_tape_backward(tape, forward(tape), &err));

    /* 2. The gradient by trial: two forward passes for every single weight.  That is far too slow
       to train with, and just right to check with. */
    printf("weight   by the tape   by trial\n");
    for (int i = 0; i < WEIGHTS; i++) {
        double tried = slope(tape, &weight[i]);
        worst = fmax(worst, fabs(tried - gradient[i]));
        if (i % 6 == 0) printf("    %2d   %+11.4f   %+8.4f\n", i, gradient[i], tried);
    }
    printf("all %d agree to 1e-8: %s\n\n", WEIGHTS, worst < 1e-8 ? "yes" : "no");

    /* 3. The use of it: the gradient points uphill, so a small step against it lowers the loss. */
    for (int step = 0; step <= 300; step++) {
        slm_tensor *loss = forward(tape);
        must(slm_tape_backward(tape, loss, &err));
        if (step % 100 == 0) printf("step %3d   loss %.3f\n", step, loss->data[0]);
        for (int i = 0; i < WEIGHTS; i++)
            weight[i] -= 0.2 * gradient[i];
    }

    /* The loss of a row is -ln P(right class), so exp(-loss) is the probability that the network
       gives to the truth. */
    (void)loss_now(tape);
    for (int i = 0; i < ROWS; i++)
        printf("%.0f xor %.0f = %d   with probability %.3f\n", input[IN * i], input[IN * i + 1],
               (int)target[i], exp(-loss_of_row[i]));
    slm_tape_free(tape);
    return 0;
}
