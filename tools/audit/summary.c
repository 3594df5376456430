/* summary.c: see summary.h.  Holds slm.h's implementation for the audit, whose reader of JSON it
 * uses. */
#define SLM_IMPLEMENTATION
#include "slm.h"

#include <string.h>

#include "audit/summary.h"

static double number(slm__json *j, const slm__value *object, const char *name) {
    return slm__json_double(j, slm__json_get(j, object, name));
}

slm_status summary_parse(summary *out, const char *text, size_t size, const char *name,
                         slm_error *err) {
    slm__json j;
    if (slm__json_open(&j, text, size, name, err) == SLM_OK) {
        const slm__value *root = slm__json_root(&j);
        const slm__value *adamw = slm__json_get(&j, root, "adamw");
        (void)slm__json_require(&j, adamw, adamw != NULL, "");
        summary s = {.ratio = number(&j, root, "ratio"),
                     .lr = number(&j, adamw, "lr"),
                     .beta1 = number(&j, adamw, "beta1"),
                     .beta2 = number(&j, adamw, "beta2"),
                     .eps = number(&j, adamw, "eps"),
                     .weight_decay = number(&j, adamw, "weight_decay"),
                     .clip = number(&j, adamw, "clip"),
                     .clm = number(&j, root, "clm"),
                     .slm_batch = number(&j, root, "slm_batch"),
                     .grad_norm_clm = number(&j, root, "grad_norm_clm"),
                     .grad_norm_slm = number(&j, root, "grad_norm_slm")};
        if (j.status == SLM_OK) *out = s;
    }
    slm__json_close(&j);
    return j.status;
}
