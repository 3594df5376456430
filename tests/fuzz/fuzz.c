/* Fuzzing of every reader.  A target is a function that gives the input to one reader and demands
   of what it accepts that it is what its header says.  `--target=NAME` chooses it:

     make build/fuzz && build/fuzz --target=json -max_total_time=60 FOLDER tests/fuzz/corpus/json
     make fuzz TARGET=json TIME=60

   Without libFuzzer (any compiler): -DREPLAY gives a main that runs the inputs named on its command
   line, which is how a crash is looked at, and how a corpus is run again; with --seeds it writes
   valid inputs to start from:

     make build/replay && build/replay --target=json tests/fuzz/corpus/json/...
     build/replay --target=json --seeds FOLDER

   With --oom the last byte k of the input makes the k-th allocation of slm.h fail.  An input is bad
   if it crashes, leaks, hangs, or makes slm.h ask for more memory than 64 MiB and 64 times its size
   (a trap). */
#if !defined(_GNU_SOURCE) && !defined(_WIN32)
#define _GNU_SOURCE
#endif
#include "memory.h"

#define SLM_IMPLEMENTATION
#include "slm.h"

#include "common/os.h"
#include "slm/convert.h"

static slm_error err;
static int with_oom; /* 1: --oom */

static void require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "not as it must be: %s\n", what);
        abort();
    }
}

static void seed(const void *bytes, size_t size);

static void seed_text(const char *text) {
    seed(text, strlen(text));
}

#include "converted.h"
#include "files.h"
#include "folder.h"
#include "texts.h"
#include "tokenizers.h"
#include "tools.h"

typedef struct target {
    const char *name;
    void (*run)(void);
    void (*seeds)(void);
    int is_folder; /* 1: the input is several files */
} target;

static const target targets[] = {{"json", fuzz_json, seed_json, 0},
                                 {"jsonl", fuzz_jsonl, seed_records, 0},
                                 {"records", fuzz_records, seed_records, 0},
                                 {"pieces", fuzz_pieces, seed_pieces, 0},
                                 {"summary", fuzz_summary, seed_summary, 0},
                                 {"config", fuzz_config, seed_config, 0},
                                 {"safetensors", fuzz_safetensors, seed_safetensors, 0},
                                 {"index", fuzz_index, seed_index, 0},
                                 {"scores", fuzz_scores, seed_scores, 0},
                                 {"run", fuzz_run, seed_run, 0},
                                 {"model", fuzz_model, seed_model, 1},
                                 {"tokenizer", fuzz_tokenizer, seed_tokenizer, 0},
                                 {"gpt2", fuzz_gpt2, seed_gpt2, 1},
                                 {"gguf", fuzz_gguf, seed_gguf, 0},
                                 {"npy", fuzz_npy, seed_npy, 0},
                                 {"tokens", fuzz_tokens, seed_tokens, 0},
                                 {"ids", fuzz_ids, seed_ids, 0},
                                 {"log", fuzz_log, seed_log, 0},
                                 {"questions", fuzz_questions, seed_questions, 0},
                                 {"tables", fuzz_tables, seed_tables, 1},
                                 {"info", fuzz_info, seed_info, 0},
                                 {"options", fuzz_options, seed_options, 0}};

enum { N_TARGETS = sizeof targets / sizeof *targets };

static const target *chosen = &targets[0];

/* Takes an argument of ours.  Returns 1 if it is one. */
static int take_argument(const char *text) {
    static const char name[] = "--target=";
    if (strcmp(text, "--oom") == 0) with_oom = 1;
    if (strncmp(text, name, sizeof name - 1) != 0) return strcmp(text, "--oom") == 0;
    for (size_t i = 0; i < N_TARGETS; i++) {
        if (strcmp(targets[i].name, text + sizeof name - 1) == 0) {
            chosen = &targets[i];
            return 1;
        }
    }
    fprintf(stderr, "no target %s\n", text + sizeof name - 1);
    exit(2);
}

/* What the tools print goes nowhere. */
static void be_silent(void) {
    set_messages(MESSAGES_OFF);
    if (freopen("/dev/null", "w", stdout) == NULL) exit(1);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    for (int i = 1; i < *argc; i++)
        (void)take_argument((*argv)[i]);
    be_silent();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t before = in_use;
    input = data;
    input_size = size;
    input_is_folder = 0;
    if (chosen->is_folder) cut_into_files();
    memory_limit = (64u << 20) + 64 * size;
    allocations = 0;
    fail_at = with_oom && size > 0 ? data[size - 1] : 0;
    chosen->run();
    require(before != 0 || in_use == 0, "memory is given back");
    return 0;
}

#ifdef REPLAY
static const char *seed_folder;

static void seed(const void *bytes, size_t size) {
    static int number;
    char path[1024];
    FILE *f;
    (void)snprintf(path, sizeof path, "%s/seed_%d", seed_folder, number++);
    f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) {
        fprintf(stderr, "cannot write %s\n", path);
        exit(1);
    }
}

static int replay(const char *path) {
    static unsigned char bytes[1 << 22];
    FILE *f = fopen(path, "rb");
    size_t size = f != NULL ? fread(bytes, 1, sizeof bytes, f) : 0;
    int bad = f == NULL || ferror(f) || size == sizeof bytes;
    if (f != NULL) (void)fclose(f);
    if (bad) fprintf(stderr, "cannot read %s\n", path);
    if (!bad) (void)LLVMFuzzerTestOneInput(bytes, size);
    return bad;
}

/* --list: the targets. */
static int list_targets(void) {
    for (size_t i = 0; i < N_TARGETS; i++)
        puts(targets[i].name);
    return 0;
}

int main(int argc, char **argv) {
    int n_inputs = 0;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) return list_targets();
    be_silent();
    for (int i = 1; i < argc; i++) {
        if (take_argument(argv[i])) continue;
        if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc) {
            seed_folder = argv[i + 1];
            memory_limit = SIZE_MAX;
            chosen->seeds();
            return 0;
        }
        if (replay(argv[i]) != 0) return 1;
        n_inputs++;
    }
    fprintf(stderr, "%d inputs of %s, none bad\n", n_inputs, chosen->name);
    return 0;
}
#else
static void seed(const void *bytes, size_t size) {
    (void)bytes;
    (void)size;
}
#endif
