/* tools.h: targets of what the tools read: arrays, token files, ids, logs, questions, tables, what
   `slm info` is shown, the command line. */
#ifndef TOOLS_H
#define TOOLS_H
#include "common/cli.h"
#include "common/npy.h"
#include "common/text.h"
#include "common/token_file.h"
#include "repro/findings.h"
#include "slm/ids.h"
#include "slm/questions.h"
#include "slm/train_log.h"
#include "slm/train_rows.h"
#include "slm/verbs.h"

/* ---- npy ---- */
static void fuzz_npy(void) {
    npy_header h;
    if (!npy_parse(&h, input, input_size)) return;
    require(h.start <= input_size && h.n_dims <= NPY_MAX_DIMS && h.width <= 8, "a header");
    require(h.width == 0 || h.n <= (input_size - h.start) / h.width, "an array beyond the file");
}

static void seed_npy(void) {
    unsigned char array[NPY_HEADER_SIZE + 24] = {0};
    npy_write_header(array, "<i4", 2, 3);
    seed(array, sizeof array);
}

/* ---- tokens: a byte that says how, and a file: every id of what is accepted is one ---- */
enum { TOKEN_VOCAB = 300 };

static void fuzz_tokens(void) {
    static const char *const names[] = {"input.npy", "input.bin", "input.u32", "input.txt",
                                        "input.jsonl"};
    static slm_tokenizer *t;
    slm_corpus *corpus;
    if (input_size == 0) return;
    if (t == NULL) {
        unsigned k = fail_at;
        fail_at = 0;
        require(slm_tokenizer_create_bytes(&t, &err) == SLM_OK, "a tokenizer");
        keep_what_is_made();
        fail_at = k;
    }
    int how = input[0];
    data_options options = data_defaults();
    options.dtype = how / 5 % (SOURCE_DTYPES + 1) - 1;
    options.within = how / 25 % 2;
    options.text.skip_bad = how / 50 % 2;
    options.text.mask_fields = how / 100 % 2 == 1 ? "a" : NULL;
    if (how / 100 % 2 == 1) options.text.fields = "a,text";
    token_reader reader = token_reader_of(t, NULL, TOKEN_VOCAB, &options);
    reader.bos = how / 25 % 3 - 1;
    reader.end = how / 200 == 1 ? 7 : -1;
    input++;
    input_size--;
    if (token_file_load(&corpus, &reader, names[how % 5], &err) != SLM_OK) return;
    for (size_t i = 0; i < corpus->n; i++) {
        int32_t id = slm_corpus_token(corpus, i);
        require(id >= 0 && id < TOKEN_VOCAB, "an id");
    }
    slm_corpus_free(corpus);
}

/* Ids 1 to 4 as int32 behind a header; bare; behind that of llm.c; and texts. */
static void seed_tokens(void) {
    enum { LLMC_HEADER = 1024 };

    unsigned char file[1 + LLMC_HEADER + 16] = {0};
    for (unsigned char i = 0; i < 4; i++)
        file[1 + NPY_HEADER_SIZE + 4 * i] = (unsigned char)(i + 1);
    npy_write_header(file + 1, "<i4", 4, 1);
    char *shape = strstr((char *)file + 1 + 10, "(4, 1), }");
    require(shape != NULL, "the shape");
    memcpy(shape, "(4,),  } ", 9);
    seed(file, 1 + NPY_HEADER_SIZE + 16);
    seed("\1\1\0\2\0\3\0\7\0", 9);
    seed("\2\1\0\0\0\2\0\0\0", 9);
    memset(file, 0, sizeof file);
    file[0] = 1;
    slm__store(file + 1, 20240801, 4);
    file[1 + 4] = 1;
    file[1 + 8] = 2;
    seed(file, 1 + LLMC_HEADER + 8);
    seed_text("\3a text");
    seed_text("\4{\"text\":\"one\"}\n{\"text\":2}\n");
    seed_text("\150{\"text\":\"one\",\"a\":\"x\"}\n{\"text\":2}\n");
}

/* ---- ids ---- */
static void fuzz_ids(void) {
    int32_t *ids;
    size_t n;
    int code = parse_ids(&ids, &n, (const char *)input, input_size, "input");
    require(n <= input_size, "not more ids than bytes");
    for (size_t i = 0; i < n; i++)
        require(ids[i] >= 0, "an id");
    if (code == DONE) (void)check_ids(ids, n, TOKEN_VOCAB, "input");
    free(ids);
}

static void seed_ids(void) {
    seed_text("0 12\n 2147483647\t3");
}

/* ---- log ---- */
static void fuzz_log(void) {
    train_rows rows;
    if (train_rows_load(&rows, "input.csv") == DONE) {
        require(rows.n > 0 && rows.n_val <= rows.n, "rows");
        for (size_t i = 0; i < rows.n; i++) {
            require(rows.loss[i] >= 0 && rows.loss[i] - rows.loss[i] >= 0, "finite");
            require(i == 0 || rows.tokens[i] > rows.tokens[i - 1], "tokens grow");
        }
    }
    train_rows_free(&rows);
}

static void seed_log(void) {
    char text[400];
    (void)snprintf(text, sizeof text, "%s%s%s", train_log_header,
                   "1,64,5.5,5.5,0,0.6,0.001,1.5,,1000,0.1\n",
                   "2,128,5.25,5.5,5,0.6,1e-03,1.5,5.75,1000,0.2\n");
    seed_text(text);
}

/* ---- questions ---- */
static void fuzz_questions(void) {
    questions q;
    char answer[ANSWER_SIZE];
    if (questions_load(&q, "input.jsonl", 0) == DONE) {
        for (size_t i = 0; i < q.n; i++) {
            require(answer_extract(answer, q.kind, q.items[i].solution), "an answer");
            require(strlen(answer) < ANSWER_SIZE, "its size");
            (void)answer_equal(answer, "1/2");
        }
    }
    questions_free(&q);
}

static void seed_questions(void) {
    seed_text("{\"question\":\"How many?\",\"answer\":\"6*7=42\\n#### 42\"}\n"
              "{\"question\":\"And?\",\"answer\":\"#### 1,234.50\"}\n");
    seed_text("{\"problem\":\"x\",\"solution\":\"so \\\\boxed{\\\\dfrac{1}{2}\\\\text{ cm}}\"}\n"
              "{\"problem\":\"y\",\"solution\":\"The answer is $\\\\left(3, \\\\frac{\\\\pi}{2}"
              "\\\\right)$.\"}\n");
}

/* ---- tables: the CSVs of make repro ---- */
static void look_at_table(const csv_table *t) {
    for (size_t row = 0; row < t->rows; row++) {
        for (size_t j = 0; j < t->cols; j++) {
            double x = csv_number(t, row, (int)j);
            require(x != x || x - x >= 0, "NaN or finite");
            require(strlen(csv_text(t, row, (int)j)) <= input_size, "a cell");
        }
    }
    (void)csv_column(t, "loss");
}

static void fuzz_tables(void) {
    static const char *const sets[] = {"main", "ratio", "noise"};
    csv_table t;
    data d;
    csv_status status = csv_load(&t, "input/curves.csv");
    if (status == CSV_READ) look_at_table(&t);
    csv_free(&t);
    if (status != CSV_READ || !data_load(&d, "input")) return;
    const data_group *list[MAX_ARMS];
    (void)data_arms(&d, "builtin", list);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        (void)data_sweep(&d, sets[i], "slm", list);
    (void)data_clean_sizes(&d);
    (void)data_map(&d);
    for (const data_group *g = d.groups; g != NULL; g = g->next) {
        for (size_t k = 0; k < g->n; k++)
            (void)run_change(&g->run[k], SECONDS);
    }
    data_free(&d);
    free_rooms();
}

static void seed_tables(void) {
    seed_text("@@curves.csv\nrun,corpus,set,arm,seed,ratio,noise,tokens,target_loss,lr\n"
              "a,builtin,main,slm,1,0.6,0.5,64,5.5,0.001\n"
              "a,builtin,main,slm,1,0.6,0.5,128,5.25,0.001\n"
              "b,builtin,main,clm,\"1\",,0.5,128,5.25,0.001\n"
              "@@times.csv\nrun,tokens,seconds\na,64,1.5\na,128,3\n");
}

/* ---- info: what it prints of any file is JSON, or without control characters ---- */
#ifdef __GLIBC__
static int run_info(char **text, size_t *size, int as_json) {
    static char path[] = "input.json", flag[] = "--json";
    char *arguments[] = {path, flag};
    FILE *before = stdout;
    stdout = open_memstream(text, size);
    require(stdout != NULL, "a stream");
    int code = verb_info(as_json ? 2 : 1, arguments);
    (void)fclose(stdout);
    stdout = before;
    return code;
}

static void fuzz_info(void) {
    char *text;
    size_t size;
    if (run_info(&text, &size, 1) == DONE && !with_oom) {
        slm__json j;
        require(slm__json_open(&j, text, size, "info", &err) == SLM_OK, err.text);
        slm__json_close(&j);
    }
    free(text);
    (void)run_info(&text, &size, 0);
    for (size_t i = 0; i < size; i++)
        require(text[i] == '\n' || ((unsigned char)text[i] >= ' ' && text[i] != 127), "clean");
    free(text);
}
#else
static void fuzz_info(void) {
}
#endif

static void seed_info(void) {
    unsigned char file[1024];
    static const char header[] =
        "{\"__metadata__\":{\"slm\":\"run\",\"step\":\"5\",\"cursor.at\":\"3\",\"cursor.seed\":"
        "\"1\",\"settings\":\"lr=0.001 score=1 scope=0 hash=0123456789abcdef x=1e-- \","
        "\"extra\":\"--batch 8\\n--seq 256\\n\"},"
        "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    seed(file, make_safetensors(file, header, 4));
    seed_safetensors();
    seed_scores();
    seed_npy();
    seed_log();
    seed_gguf();
    seed_characters();
    seed_text("{\n  \"slm\": \"0.2\"}");
}

/* ---- options: a verb and its arguments, a line each.  No file is there, or can be made ---- */
enum { MAX_ARGUMENTS = 64, MAX_LINE = 1024 };

static void fuzz_options(void) {
    static char text[MAX_LINE + 1];
    char *arguments[MAX_ARGUMENTS + 1];
    int n = 0;
    if (input_size > MAX_LINE || memchr(input, 0, input_size) != NULL) return;
    memcpy(text, input, input_size);
    text[input_size] = 0;
    for (char *line = text; line != NULL && n < MAX_ARGUMENTS; n++) {
        arguments[n] = line;
        line = strchr(line, '\n');
        if (line != NULL) *line++ = 0;
    }
    arguments[n] = NULL;
    input_size = 0;
    for (size_t i = 0; i < n_verbs; i++) {
        if (strcmp(verbs[i].name, arguments[0]) != 0) continue;
        int code = verbs[i].run(n - 1, arguments + 1);
        require(code >= DONE && code <= CHECK_FAILED, "an exit code");
    }
}

static void seed_options(void) {
    seed_text("train\n--data\na.txt\n--out\nb\n--steps\n5\n--ratio\n0.6\n--select\nexcess\n"
              "--scores\nc");
    seed_text("score\n--model\na\n--data=-\n--out\nb\n--shard\n1/2");
    seed_text("eval\n--model\na\nb\n--data\na\n--json");
    seed_text("generate\n--model\na\n--prompt\nx\n-n\n5\n--temp\n0");
    seed_text("view\n--model\na\n--data\nb\n--out\nc.html");
    seed_text("plot\na\nb\n--out\nc.svg");
    seed_text("tokenize\n--tokenizer\nbytes\n--decode\n-");
    seed_text("tokenizer\ntrain\n--data\na\n--vocab\n300\n--out\nt.json");
    seed_text("tokenizer\nimport\n--from\ngpt2\na\n--out\nt.json");
    seed_text("convert\na\nb.gguf\n--type\nQ8_0");
    seed_text("info\na\n--json");
    seed_text("train\n-h");
}
#endif
