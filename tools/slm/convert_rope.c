/* convert_rope.c: Llama-3's scaling of rotary positions, which is a tensor in a GGUF file:
 * "rope_freqs.weight" (D/2), by what each frequency is divided (slm_rope_frequency). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "slm/convert.h"

int rope_has_divisors(const slm_model_config *config) {
    return config->rope_scaling.type == SLM_ROPE_LLAMA3;
}

double rope_divisor(const slm_model_config *config, size_t i) {
    double theta = config->rope_theta;
    double scaled = slm_rope_frequency(i, config->head_dim, theta, &config->rope_scaling);
    return slm_rope_frequency(i, config->head_dim, theta, NULL) / scaled;
}

/* The divisors do not tell the four numbers that they are made of.  All models of Llama-3 have
 * these three, and the largest divisor is the fourth. */
static void guess_scaling(slm_rope_scaling *r, const slm_real *divisors, int32_t n) {
    r->type = SLM_ROPE_LLAMA3;
    r->low_freq_factor = 1;
    r->high_freq_factor = 4;
    r->original_seq = 8192;
    r->factor = 1;
    for (int32_t i = 0; i < n; i++)
        r->factor = fmax(r->factor, (double)divisors[i]);
}

slm_status rope_read_divisors(slm_model_config *config, gguf_file *file, const gguf_tensor *tensor,
                              slm_error *err) {
    int32_t n = config->head_dim / 2;
    if (tensor->n_dims != 1 || tensor->dims[0] != (uint64_t)n || tensor->type != NUMBER_F32)
        return error_set(err, SLM_ERR_FORMAT, "%s: rope_freqs.weight is not %d numbers of F32",
                         file->path, (int)n);
    slm_real *divisors = (slm_real *)malloc((size_t)n * sizeof *divisors);
    if (divisors == NULL) return error_set(err, SLM_ERR_MEMORY, "out of memory");
    slm_status status = gguf_read(divisors, file, tensor, 0, (size_t)n, err);
    if (status == SLM_OK) {
        int same = 1;
        guess_scaling(&config->rope_scaling, divisors, n);
        for (int32_t i = 0; i < n; i++) {
            double wanted = rope_divisor(config, (size_t)i);
            same = same && fabs((double)divisors[i] - wanted) <= 1e-5 * wanted;
        }
        if (!same)
            status = error_set(err, SLM_ERR_FORMAT,
                               "%s: rope_freqs.weight is not that of a Llama-3 model: not "
                               "supported",
                               file->path);
    }
    free(divisors);
    return status;
}
