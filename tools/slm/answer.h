/* answer.h: the final answer of a worked solution, brought to one form so that it can be compared.
 * Needs libc only.
 *
 * Of a NUMBER (GSM8K) it is looked for behind "####", behind the last "answer is", in the last
 * \boxed{}, and where there is none of these it is the last number.  Of a BOX (MATH) it is the
 * content of the last \boxed{}, else what follows "answer is", else as with a NUMBER.
 *
 *     "... so #### 1,234.50 dollars."        1234.5
 *     "The answer is $\frac{3}{4}$."         3/4
 *     "\boxed{\dfrac{1}{2}\text{ inches}}"   1/2
 *     "\boxed{\left(3, \frac{\pi}{2}\right)}"  (3,\frac{\pi}{2})   */
#ifndef ANSWER_H
#define ANSWER_H
#include <stddef.h>

typedef enum answer_kind { ANSWER_NUMBER, ANSWER_BOX } answer_kind;

enum { ANSWER_SIZE = 256 };

/* Writes the answer of the text in normal form, "" if there is none.  Returns 1 if there is one. */
int answer_extract(char out[ANSWER_SIZE], answer_kind kind, const char *text);

/* Writes an answer in normal form: without $, %, units, commas between thousands, spaces, \left and
 * \right, with one kind of fraction. */
void answer_normalize(char out[ANSWER_SIZE], const char *text, size_t size);

/* Compares two answers in normal form: as numbers where both are, so that 0.5 is 1/2. */
int answer_equal(const char *a, const char *b);

#endif
