/* corpus.h: the built-in corpus: text from a seed, with the truth about every byte.
 *
 * Documents end with a blank line.  There are two sorts:
 *
 *   problems (the target)   Q: Tom has 7 pens.
 *                           Then 2 more arrive: 7+2=9.
 *                           Ann takes 4: 9-4=5.
 *                           A: 5
 *   other text              a directory of people, machine logs, recipes, a quiz about towns: it
 *                           can be learned, and it competes.  The quiz borrows the frame "Q: A:",
 *                           the logs borrow "7+8=" but write the last digit only.
 *
 * and noise inside both: tags with random ids, time stamps; and, in problems, results that are
 * wrong.  Nothing before a wrong result gives it away: each step is right or wrong by a coin, and
 * the story goes on from what was written.  Most wrong results follow a rule that a model can
 * learn (one too many, the careless count of fence posts): two conventions in conflict.
 *
 *   general   trains the base: problems, other text and noise
 *   noisy     what step 3 of the method trains on: the same kind of text
 *   clean     problems only, no noise: tunes the reference
 *   valid     as clean: learning rates are chosen on it
 *   eval      as clean: the target, never trained on
 *
 * No problem is in two parts: a hash of its text, done right, says to which part it belongs.
 *
 * The facts (corpus_make_facts) are a corpus of their own.  The target is a quiz about towns; each
 * part has towns of its own, and the other text is the directory, logs, recipes and problems.
 *
 *   general   a quiz about towns that no other part has: the base learns what a quiz is
 *   noisy     the towns of valid and eval: nothing else tells what is true of them
 *   clean     a quiz about other towns, no other text, no noise
 *   valid     what is true of some towns of noisy, each question once
 *   eval      the same of its other towns: what is recalled of them is measured */
#ifndef CORPUS_H
#define CORPUS_H
#include <stddef.h>
#include <stdint.h>

typedef enum corpus_part {
    CORPUS_GENERAL,
    CORPUS_NOISY,
    CORPUS_CLEAN,
    CORPUS_VALID,
    CORPUS_EVAL,
    CORPUS_PARTS
} corpus_part;

/* Which of the two corpora. */
typedef enum corpus_world { CORPUS_OF_PROBLEMS, CORPUS_OF_FACTS } corpus_world;

/* What a byte is.  The first three are the target; OTHER can be learned but is off the target; the
   rest is noise.  An ideal selection keeps the kinds up to CORPUS_RESULT. */
typedef enum corpus_kind {
    CORPUS_PROBLEM, /* the story; of facts: the question */
    CORPUS_STEP,    /* operands and signs */
    CORPUS_RESULT,  /* results and answers; of facts: what answers a question */
    CORPUS_OTHER,
    CORPUS_WRONG,
    CORPUS_ID,
    CORPUS_STAMP,
    CORPUS_MARKUP,
    CORPUS_KINDS
} corpus_kind;

extern const char *const corpus_kind_names[CORPUS_KINDS]; /* "problem", "step", ... */

typedef struct corpus_mix {
    double target; /* share of the documents that are problems */
    double noise;  /* share of the bytes that are ids, stamps and markup */
    double wrong;  /* share of a problem's steps whose result is wrong */
} corpus_mix;

/* text[start .. end - 1], the blank line included. */
typedef struct corpus_problem {
    size_t start, end;
} corpus_problem;

typedef struct corpus_text {
    char *text;    /* (size), NUL behind */
    uint8_t *kind; /* (size) corpus_kind of each byte; NULL: not known */
    size_t size, capacity;
    corpus_problem *problems;
    size_t n_problems, problem_capacity;
} corpus_text;

/* Makes at least `bytes` bytes of whole documents of one part.  mix is read for general and noisy
   only. */
void corpus_make(corpus_text *out, corpus_part part, const corpus_mix *mix, size_t bytes,
                 uint64_t seed);

/* The same for the facts.  Of valid and eval there are as many documents as questions, whatever
   `bytes` is.  Towns, and what is true of them, are others for each seed. */
void corpus_make_facts(corpus_text *out, corpus_part part, const corpus_mix *mix, size_t bytes,
                       uint64_t seed);

/* Appends n bytes of one kind. */
void corpus_append(corpus_text *out, corpus_kind kind, const char *text, size_t n);

/* Marks a text with tags by its form: what tags hold in quotes is of kind ID, the rest of a tag
   MARKUP, what is between tags of kind `between`. */
void corpus_mark_tags(corpus_text *text, corpus_kind between);

/* Appends bytes from .. from + n - 1 of another text, with their kinds. */
void corpus_append_part(corpus_text *out, const corpus_text *text, size_t from, size_t n);

void corpus_free(corpus_text *text);
#endif
