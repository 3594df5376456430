/* slm_tokens.h: the verbs `tokenize` (text to ids and back), `tokenizer train` and `tokenizer import`. */
#ifndef SLM_TOKENS_H
#define SLM_TOKENS_H
#include "gpt2.h"
#include "slm_common.h"

/* ---- tokenize ---- */
typedef struct tokenize_options {
    const char *tokenizer, *fields;
    option_list files;
    int decode;
} tokenize_options;

static inline int tokenize_read(char **text, size_t *size, const char *path, const char *fields,
                                int *standard) {
    slm_error err;
    *standard = strcmp(path, "-") == 0;
    if (*standard) return read_stream(text, size, stdin, "standard input");
    return fail_status(slm_text_read(text, size, path, fields, &err), FOR_INPUT, &err);
}

static inline int tokenize_encode(const slm_tokenizer *tokenizer, const char *text, size_t size) {
    slm_error err;
    int32_t *ids;
    size_t n;
    slm_status status = slm_tokenizer_encode(&ids, &n, tokenizer, text, size, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    for (size_t i = 0; i < n; i++)
        printf("%d%c", (int)ids[i], i + 1 == n || i % 20 == 19 ? '\n' : ' ');
    slm_free(ids);
    return DONE;
}

/* White-space separated ids; *n of them in *ids. */
static inline int tokenize_parse(int32_t **ids, size_t *n, const char *text, size_t size,
                                 const char *name) {
    size_t at = 0, room = size / 2 + 1;
    *n = 0;
    if ((*ids = (int32_t *)malloc(room * sizeof **ids)) == NULL) return no_memory();
    while (at < size) {
        int64_t id = 0;
        size_t start = at;
        if (text[at] == ' ' || (text[at] >= '\t' && text[at] <= '\r')) {
            at++;
            continue;
        }
        for (; at < size && text[at] >= '0' && text[at] <= '9' && id <= INT32_MAX; at++)
            id = id * 10 + (text[at] - '0');
        if (at == start || id > INT32_MAX ||
            (at < size && text[at] != ' ' && (text[at] < '\t' || text[at] > '\r')))
            return fail(BAD_INPUT, "%s: byte %zu: token %zu is not a whole number", name, start,
                        *n);
        (*ids)[(*n)++] = (int32_t)id;
    }
    return DONE;
}

static inline int tokenize_decode(const slm_tokenizer *tokenizer, const char *text, size_t size,
                                  const char *name) {
    slm_error err;
    int32_t *ids = NULL, vocab = slm_tokenizer_vocab(tokenizer);
    char *bytes = NULL;
    size_t n, length;
    slm_status status;
    int code = tokenize_parse(&ids, &n, text, size, name);
    for (size_t i = 0; i < n && code == DONE; i++)
        if (ids[i] >= vocab)
            code = fail(BAD_INPUT, "%s: token %zu is %d, outside the vocabulary of %d", name, i,
                        (int)ids[i], (int)vocab);
    if (code == DONE) {
        status = slm_tokenizer_decode(&bytes, &length, tokenizer, ids, n, &err);
        if (status != SLM_OK)
            code = fail_status(status, FOR_INPUT, &err);
        else if (length > 0)
            fwrite(bytes, 1, length, stdout);
    }
    if (bytes != NULL) slm_free(bytes);
    free(ids);
    return code;
}

static inline int verb_tokenize(int argc, char **argv) {
    static const option_page page = {
        "tokenize",
        "a text's token ids, or a text back from its ids",
        "tokenize --tokenizer T FILE [--decode]",
        {"slm tokenize --tokenizer tok.json page.txt",
         "slm tokenize --tokenizer bytes page.txt | slm tokenize --tokenizer bytes --decode -"},
        "The ids go to stdout with white space between them.  FILE may be - for standard input.",
        1};
    tokenize_options o;
    slm_tokenizer *tokenizer = NULL;
    char *text = NULL;
    size_t size = 0;
    int code, standard = 0;
    option table[] = {
        OPTION_TEXT("tokenizer", &o.tokenizer, "T", "bytes, a tokenizer.json or a folder with one"),
        OPTION_FLAG("decode", &o.decode, "from ids to text"),
        OPTION_TEXT("fields", &o.fields, "A,B",
                    "the fields of .jsonl records to join (default: text)")};
    memset(&o, 0, sizeof o);
    code = options_parse(&page, table, COUNT(table), &o.files, argc, argv);
    if (code != -1) return code;
    if ((code = needed(o.tokenizer != NULL, "--tokenizer", "T")) != DONE) return code;
    if (o.files.n == 0) return fail(USAGE, "which file? usage: slm %s", page.usage);
    code = load_tokenizer(&tokenizer, o.tokenizer, NULL);
    if (code == DONE) code = tokenize_read(&text, &size, o.files.items[0], o.fields, &standard);
    if (code == DONE)
        code = o.decode ? tokenize_decode(tokenizer, text, size, o.files.items[0])
                        : tokenize_encode(tokenizer, text, size);
    if (standard)
        free(text);
    else
        slm_free(text);
    slm_tokenizer_free(tokenizer);
    return code;
}

/* ---- tokenizer train, tokenizer import ---- */
typedef struct tokenizer_options {
    option_list data;
    const char *out, *fields, *from;
    int32_t vocab;
    int quiet;
} tokenizer_options;

/* All files' text in one piece. */
static inline int tokenizer_text(char **text, size_t *size, const tokenizer_options *o) {
    *text = NULL;
    *size = 0;
    for (size_t i = 0; i < o->data.n; i++) {
        slm_error err;
        char *next, *more;
        size_t n;
        slm_status status = slm_text_read(&next, &n, o->data.items[i], o->fields, &err);
        if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
        more = n < SIZE_MAX - *size ? (char *)realloc(*text, *size + n + 1) : NULL;
        if (more != NULL) {
            memcpy(more + *size, next, n);
            *text = more;
            *size += n;
        }
        slm_free(next);
        if (more == NULL) return no_memory();
    }
    return *size > 0 ? DONE : fail(BAD_INPUT, "%s: no text", o->data.items[0]);
}

static inline int tokenizer_train(const tokenizer_options *o, const char *text, size_t size,
                                  slm_tokenizer **tokenizer) {
    slm_error err;
    watch w;
    slm_status status;
    watch_start(&w, "merges", "merges/s", o->quiet);
    status = slm_tokenizer_train(tokenizer, text, size, o->vocab, watch_callback, &w, &err);
    progress_end(&w.bar);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    if ((status = slm_tokenizer_save(*tokenizer, o->out, &err)) != SLM_OK)
        return fail_status(status, FOR_OUTPUT, &err);
    printf("%s: %d tokens from %zu bytes of text\n", o->out, (int)slm_tokenizer_vocab(*tokenizer),
           size);
    return DONE;
}

static inline int verb_tokenizer_train(int argc, char **argv) {
    static const option_page page = {
        "tokenizer train",
        "a byte-level BPE tokenizer from text",
        "tokenizer train --data F... --vocab N --out T.json",
        {"slm tokenizer train --data clean.txt noisy.txt --vocab 4096 --out tok.json",
         "slm tokenizer train --data train.jsonl --fields question,answer --vocab 2048 --out "
         "tok.json"},
        "The file is Hugging Face's tokenizer.json.  Another way to one: slm tokenizer import.",
        0};
    tokenizer_options o;
    option_list rest = {{NULL}, 0};
    slm_tokenizer *tokenizer = NULL;
    char *text = NULL;
    size_t size;
    int code;
    option table[] = {
        OPTION_LIST("data", &o.data, "F...", "text or .jsonl files, one after the other"),
        OPTION_I32("vocab", &o.vocab, 256, 1048576, "N", "tokens, the 256 bytes among them"),
        OPTION_TEXT("out", &o.out, "T.json", "the file to write"),
        OPTION_TEXT("fields", &o.fields, "A,B",
                    "the fields of .jsonl records to join (default: text)"),
        OPTION_FLAG("quiet", &o.quiet, "no progress on stderr")};
    memset(&o, 0, sizeof o);
    verb_name = page.verb;
    code = options_parse(&page, table, COUNT(table), &rest, argc, argv);
    if (code != -1) return code;
    if ((code = needed(o.data.n > 0, "--data", "F")) != DONE) return code;
    if ((code = needed(o.vocab > 0, "--vocab", "N")) != DONE ||
        (code = needed(o.out != NULL, "--out", "T.json")) != DONE)
        return code;
    code = tokenizer_text(&text, &size, &o);
    if (code == DONE) code = tokenizer_train(&o, text, size, &tokenizer);
    free(text);
    slm_tokenizer_free(tokenizer);
    return code;
}

static inline int verb_tokenizer_import(int argc, char **argv) {
    static const option_page page = {"tokenizer import",
                                     "GPT-2's encoder.json and vocab.bpe as one tokenizer.json",
                                     "tokenizer import --from DIR --out T.json",
                                     {"slm tokenizer import --from gpt2 --out gpt2.json",
                                      "slm tokenize --tokenizer gpt2.json page.txt"},
                                     "Both files must be in the folder.",
                                     0};
    tokenizer_options o;
    option_list rest = {{NULL}, 0};
    slm_tokenizer *tokenizer = NULL;
    slm_error err;
    slm_status status;
    int code;
    option table[] = {OPTION_TEXT("from", &o.from, "DIR", "the folder that holds them"),
                      OPTION_TEXT("out", &o.out, "T.json", "the file to write")};
    memset(&o, 0, sizeof o);
    verb_name = page.verb;
    code = options_parse(&page, table, COUNT(table), &rest, argc, argv);
    if (code != -1) return code;
    if ((code = needed(o.from != NULL, "--from", "DIR")) != DONE ||
        (code = needed(o.out != NULL, "--out", "T.json")) != DONE)
        return code;
    if ((status = gpt2_tokenizer(&tokenizer, o.from, &err)) != SLM_OK)
        return fail_status(status, FOR_INPUT, &err);
    if ((status = slm_tokenizer_save(tokenizer, o.out, &err)) == SLM_OK)
        printf("%s: %d tokens\n", o.out, (int)slm_tokenizer_vocab(tokenizer));
    slm_tokenizer_free(tokenizer);
    return fail_status(status, FOR_OUTPUT, &err);
}

static inline int verb_tokenizer(int argc, char **argv) {
    if (argc == 0)
        return fail(USAGE, "what is to be done? usage: slm tokenizer train|import --flags");
    if (strcmp(argv[0], "train") == 0) return verb_tokenizer_train(argc - 1, argv + 1);
    if (strcmp(argv[0], "import") == 0) return verb_tokenizer_import(argc - 1, argv + 1);
    if (strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "--help") == 0)
        return verb_tokenizer_train(argc, argv);
    return fail(USAGE, "'%s' is no verb of it; usage: slm tokenizer train|import --flags", argv[0]);
}
#endif
