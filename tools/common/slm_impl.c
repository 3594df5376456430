/* slm_impl.c: slm.h's implementation, compiled once for all programs here but bench and audit,
 * which hold it themselves. */
#define SLM_IMPLEMENTATION
#include "slm.h"
