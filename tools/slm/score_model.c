/* score_model.c: the model that scores: in memory, or streamed from its files layer by layer. */
#include "common/cli.h"
#include "common/inputs.h"
#include "common/os.h"
#include "slm/score.h"

/* A model is streamed if its weights take more than this share of the physical memory. */
#define SHARE_OF_MEMORY 0.5

/* Bytes that the weights of a folder take in memory. */
static slm_status weight_bytes(double *bytes, const char *folder, slm_error *err) {
    slm_safetensors *weights;
    slm_status status = slm_safetensors_open_folder(&weights, folder, err);
    *bytes = 0;
    if (status != SLM_OK) return status;
    for (size_t i = 0; i < slm_safetensors_count(weights); i++)
        *bytes += (double)slm_safetensors_at(weights, i)->count * sizeof(slm_real);
    slm_safetensors_close(weights);
    return SLM_OK;
}

/* Says in *streams whether the model is to be streamed. */
static int choose(int *streams, const score_options *o) {
    slm_error err;
    double bytes;
    double memory = os_memory_bytes();
    *streams = o->stream == 1;
    if (o->stream != STREAM_IF_LARGE || memory <= 0) return DONE;
    slm_status status = weight_bytes(&bytes, o->model, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    *streams = bytes > SHARE_OF_MEMORY * memory;
    if (*streams && !o->quiet) {
        say("note: %s takes %.1f GB of the %.1f GB of memory: it is streamed from its files",
            o->model, bytes / 1e9, memory / 1e9);
    }
    return DONE;
}

int score_load_model(score_run *r, const score_options *o) {
    slm_error err;
    int streams;
    int code = check_model_folder(o->model);
    if (code == DONE) code = choose(&streams, o);
    if (code != DONE) return code;
    if (!streams) {
        code = load_model(&r->model, o->model);
        r->shape = r->model;
        return code;
    }
    slm_status status = slm_stream_open(&r->stream, o->model, &err);
    if (status == SLM_OK) r->shape = slm_stream_model(r->stream);
    return fail_status(status, FOR_INPUT, &err);
}

uint64_t score_model_hash(const score_run *r) {
    return r->stream != NULL ? slm_stream_hash(r->stream) : slm_model_hash(r->model);
}

slm_status score_windows(slm_losses **out, score_run *r, const slm_windows *windows,
                         slm_progress progress, void *user, slm_error *err) {
    if (r->stream != NULL)
        return slm_stream_losses(out, r->stream, r->corpus, windows, progress, user, err);
    return slm_losses_compute(out, r->model, r->corpus, windows, progress, user, err);
}

void score_free_model(score_run *r) {
    slm_model_free(r->model);
    slm_stream_close(r->stream);
}
