/* names.h: the words of the command line for slm.h's criteria and scopes. */
#ifndef NAMES_H
#define NAMES_H
#include "slm.h"

/* All of them, "none|excess|...", for a table of options; in the order of the enums. */
const char *criterion_words(void);
const char *scope_words(void);

const char *scope_name(slm_scope scope); /* "unknown" if there is no such scope */

#endif
