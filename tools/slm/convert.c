/* convert.c: the verb `convert`: model folders as the files of other programs, and back. */
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "common/os.h"
#include "common/output.h"
#include "common/paths.h"
#include "slm/convert.h"
#include "slm/verbs.h"

static const option_page page = {
    .verb = "convert",
    .what = "a model folder as a GGUF file or for llama2.c, and a GGUF file as a folder",
    .usage = "convert IN OUT [--type T]",
    .examples = {"slm convert model model.gguf --type Q8_0", "slm convert model.gguf folder"},
    .notes = "The name of OUT says what is made.  FILE.gguf is for llama.cpp and what is built on\n"
             "it.  FILE.bin is for llama2.c (version 0, always F32); its tokenizer.bin is written\n"
             "beside it.  Any other name is a folder, and IN is then a GGUF file.  Matrices are\n"
             "written in the type that is asked for, norms in a GGUF file in F32.  A model need\n"
             "not fit into memory.",
    .positional = 2,
};

typedef enum kind { KIND_FOLDER, KIND_GGUF, KIND_LLAMA2C } kind;

static kind kind_of(const char *path) {
    size_t n = strlen(path);
    if (n > 5 && strcmp(path + n - 5, ".gguf") == 0) return KIND_GGUF;
    if (n > 4 && strcmp(path + n - 4, ".bin") == 0) return KIND_LLAMA2C;
    return KIND_FOLDER;
}

/* ---- the input ---- */

/* With tied embeddings a folder may still hold an output head, which must be the embedding. */
static int check_tied_head(const conversion *c) {
    static const char head[] = "lm_head.weight";
    slm_real a[2048];
    slm_real b[2048];
    slm_error err;
    weight embedding;
    weights_at(&embedding, &c->config, 0);
    const slm_safetensors_entry *entry = slm_safetensors_find(c->folder, head);
    if (!c->config.tie_embeddings || entry == NULL) return DONE;
    uint64_t n = (uint64_t)embedding.rows * embedding.cols;
    int same = entry->count == n;
    for (uint64_t i = 0; i < n && same; i += COUNT(a)) {
        size_t size = n - i < COUNT(a) ? (size_t)(n - i) : COUNT(a);
        slm_status status = slm_safetensors_read_part(a, c->folder, head, i, size, &err);
        if (status == SLM_OK)
            status = slm_safetensors_read_part(b, c->folder, embedding.name, i, size, &err);
        if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
        same = memcmp(a, b, size * sizeof a[0]) == 0;
    }
    if (same) return DONE;
    return fail(BAD_INPUT, "%s: lm_head.weight is not the embedding it is tied to", c->in);
}

static int load_tokenizer_of(conversion *c) {
    slm_error err;
    char path[PATH_SIZE];
    int code = path_join(path, c->in, "tokenizer.json");
    if (code != DONE) return code;
    if (!path_exists(path)) return fail(BAD_INPUT, "%s: no tokenizer.json in it", c->in);
    code = fail_status(slm_tokenizer_load(&c->tokenizer, path, &err), FOR_INPUT, &err);
    if (code != DONE) return code;
    int32_t vocab = slm_tokenizer_vocab(c->tokenizer);
    if (vocab <= c->config.vocab) return DONE;
    return fail(BAD_INPUT, "%s: the model knows %d tokens, the tokenizer has %d", c->in,
                (int)c->config.vocab, (int)vocab);
}

static int open_folder(conversion *c) {
    slm_error err;
    slm_status status = slm_model_config_load(&c->config, c->in, &err);
    if (status == SLM_OK) status = slm_safetensors_open_folder(&c->folder, c->in, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    int code = weights_check(c);
    if (code == DONE) code = check_tied_head(c);
    return code == DONE ? load_tokenizer_of(c) : code;
}

static int open_file(conversion *c) {
    slm_error err;
    slm_status status = gguf_open(&c->file, os_open(c->in, "rb"), c->in, &err);
    if (status == SLM_OK) status = gguf_config(&c->config, c->file, &err);
    if (status == SLM_OK) status = gguf_tokenizer(&c->tokenizer, c->file, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    return weights_check(c);
}

/* ---- the verb ---- */
static int write_as(conversion *c, kind to) {
    switch (to) {
    case KIND_GGUF: return convert_to_gguf(c);
    case KIND_LLAMA2C: return convert_to_llama2c(c);
    default: return convert_to_folder(c);
    }
}

static int convert(conversion *c, kind to) {
    static const char *const names[] = {"config.json", "model.safetensors", "tokenizer.json",
                                        "tokenizer_config.json", "generation_config.json"};
    output place;
    int code = to == KIND_FOLDER ? output_open_folder(&place, c->out, names, COUNT(names))
                                 : output_open_file(&place, c->out);
    if (code == DONE) code = to == KIND_FOLDER ? open_file(c) : open_folder(c);
    if (code == DONE) code = write_as(c, to);
    output_close(&place);
    return code;
}

/* Which of the two ways it is to be; refuses what is neither. */
static int check_arguments(const conversion *c, kind to) {
    int from_folder = is_folder(c->in);
    if (!from_folder && !path_exists(c->in))
        return fail(BAD_INPUT, "%s: there is no such file or folder", c->in);
    if (from_folder && to == KIND_FOLDER)
        return fail(USAGE, "%s: a folder becomes FILE.gguf or FILE.bin, as OUT is called", c->out);
    if (!from_folder && to != KIND_FOLDER)
        return fail(USAGE, "%s: a file; only a model folder becomes %s", c->in, c->out);
    if (same_file(c->in, c->out)) return fail(USAGE, "%s: both the input and OUT", c->in);
    if (to == KIND_LLAMA2C && c->type >= 0 && c->type != NUMBER_F32)
        return fail(USAGE, "--type %s: llama2.c's files are F32",
                    number_name((number_type)c->type));
    if (to == KIND_FOLDER && c->type == NUMBER_Q8_0)
        return fail(USAGE, "--type Q8_0: folders are written as F32, F16 or BF16");
    return DONE;
}

int verb_convert(int argc, char **argv) {
    conversion c;
    option_list rest = {.n = 0};
    memset(&c, 0, sizeof c);
    c.type = -1;
    option table[] = {
        OPTION_CHOICE("type", &c.type, "F32|F16|BF16|Q8_0",
                      "how matrices are stored (default: as in IN, but F32 for Q8_0)"),
        OPTION_QUIET(&c.quiet),
    };
    int code = options_parse(&page, table, COUNT(table), &rest, argc, argv);
    if (code != OPTIONS_PARSED) return code;
    if (rest.n < 2) return fail(USAGE, "IN and OUT are needed (slm convert -h)");
    c.in = rest.items[0];
    c.out = rest.items[1];
    kind to = kind_of(c.out);
    code = check_arguments(&c, to);
    if (code == DONE) code = convert(&c, to);
    slm_safetensors_close(c.folder);
    gguf_close(c.file);
    slm_tokenizer_free(c.tokenizer);
    return code;
}
