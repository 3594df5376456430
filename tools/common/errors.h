/* errors.h: messages for the slm_error of functions that extend slm.h. */
#ifndef ERRORS_H
#define ERRORS_H
#include "slm.h"

/* Fills *err, unless it is NULL, and returns the status. */
slm_status error_set(slm_error *err, slm_status status, const char *format, ...);

#endif
