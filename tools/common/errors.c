/* errors.c: messages for slm_error. */
#include "common/errors.h"

#include <stdarg.h>
#include <stdio.h>

slm_status error_set(slm_error *err, slm_status status, const char *format, ...) {
    va_list args;
    if (err == NULL) return status;
    err->status = status;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return status;
}
