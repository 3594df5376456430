/* names.c: the words for criteria and scopes. */
#include "slm/names.h"

#include <string.h>

enum { WORDS_SIZE = 128, N_CRITERIA = SLM_CRITERION_UNION + 1, N_SCOPES = SLM_SCOPE_SEQUENCE + 1 };

/* Appends a word and a bar before it, unless it is the first. */
static void append_word(char words[WORDS_SIZE], const char *word) {
    if (words[0] != 0) strncat(words, "|", WORDS_SIZE - 1 - strlen(words));
    strncat(words, word, WORDS_SIZE - 1 - strlen(words));
}

const char *criterion_words(void) {
    static char words[WORDS_SIZE];
    if (words[0] != 0) return words;
    for (int i = 0; i < N_CRITERIA; i++)
        append_word(words, slm_criterion_name((slm_criterion)i));
    return words;
}

const char *scope_name(slm_scope scope) {
    switch (scope) {
    case SLM_SCOPE_BATCH: return "batch";
    case SLM_SCOPE_MICRO: return "micro";
    case SLM_SCOPE_SEQUENCE: return "sequence";
    }
    return "unknown";
}

const char *scope_words(void) {
    static char words[WORDS_SIZE];
    if (words[0] != 0) return words;
    for (int i = 0; i < N_SCOPES; i++)
        append_word(words, scope_name((slm_scope)i));
    return words;
}
