/* tokenize.c: the verbs `tokenize` (text to ids and back), `tokenizer train` and
 * `tokenizer import`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/inputs.h"
#include "common/options.h"
#include "common/output.h"
#include "slm/gpt2.h"
#include "slm/ids.h"
#include "slm/verbs.h"

/* ---- tokenize ---- */
typedef struct tokenize_options {
    const char *tokenizer;
    data_options read;
    option_list files;
    int decode;
} tokenize_options;

static int print_ids(const slm_tokenizer *tokenizer, const slm_text *text) {
    enum { IDS_PER_LINE = 20 };
    slm_error err;
    int32_t *ids;
    size_t n;
    slm_status status = slm_tokenizer_encode(&ids, &n, tokenizer, text->start, text->size, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    for (size_t i = 0; i < n; i++) {
        int line_ends = i + 1 == n || i % IDS_PER_LINE == IDS_PER_LINE - 1;
        printf("%d%c", (int)ids[i], line_ends ? '\n' : ' ');
    }
    slm_free(ids);
    return DONE;
}

static int print_text(const slm_tokenizer *tokenizer, const slm_text *in, const char *name) {
    slm_error err;
    int32_t *ids = NULL;
    size_t n;
    int code = parse_ids(&ids, &n, in->start, in->size, name);
    if (code == DONE) code = check_ids(ids, n, slm_tokenizer_vocab(tokenizer), name);
    if (code == DONE) {
        char *text = NULL;
        size_t size = 0;
        slm_status status = slm_tokenizer_decode(&text, &size, tokenizer, ids, n, &err);
        if (size > 0) fwrite(text, 1, size, stdout);
        slm_free(text);
        code = fail_status(status, FOR_INPUT, &err);
    }
    free(ids);
    return code;
}

int verb_tokenize(int argc, char **argv) {
    static const option_page page = {
        "tokenize",
        "a text's token ids, or a text back from its ids",
        "tokenize --tokenizer T FILE [--decode]",
        {"slm tokenize --tokenizer tok.json page.txt",
         "slm tokenize --tokenizer bytes page.txt | slm tokenize --tokenizer bytes --decode -"},
        "The ids go to stdout with white space between them.  FILE may be - for standard input.",
        1};
    tokenize_options o;
    option table[] = {
        OPTION_TOKENIZER(&o.tokenizer, ""),
        OPTION_FLAG("decode", &o.decode, "from ids to text"),
        OPTIONS_TEXT(&o.read),
    };
    memset(&o, 0, sizeof o);
    o.read = data_defaults();
    int code = options_parse(&page, table, COUNT(table), &o.files, argc, argv);
    if (code != OPTIONS_PARSED) return code;
    code = need_flag(o.tokenizer != NULL, "--tokenizer", "T");
    if (code != DONE) return code;
    if (o.files.n == 0) return fail(USAGE, "which file? usage: slm %s", page.usage);
    if (strcmp(o.tokenizer, "none") == 0)
        return fail(USAGE, "--tokenizer none: a tokenizer is needed here");
    code = check_data(&o.read, &o.files, NULL);
    if (code != DONE) return code;

    const char *name = o.files.items[0];
    slm_tokenizer *tokenizer = NULL;
    slm_text text;
    source s;
    memset(&text, 0, sizeof text);
    memset(&s, 0, sizeof s);
    code = load_tokenizer(&tokenizer, o.tokenizer, NULL);
    if (code == DONE) code = load_text(&text, &s, name, &o.read);
    if (code == DONE)
        code = o.decode ? print_text(tokenizer, &text, name) : print_ids(tokenizer, &text);
    slm_text_free(&text);
    source_free(&s);
    slm_tokenizer_free(tokenizer);
    return code;
}

/* ---- tokenizer train ---- */
#define END_OF_TEXT "<|endoftext|>" /* GPT-2's; the last token of a trained vocabulary */

typedef struct tokenizer_options {
    option_list data;
    const char *out;
    data_options read;
    int32_t vocab;
    int quiet;
} tokenizer_options;

static int append_file(char **text, size_t *size, const char *path, const data_options *options) {
    slm_text next;
    source s;
    char *larger = NULL;
    int code = load_text(&next, &s, path, options);
    if (code == DONE && next.size < SIZE_MAX - *size)
        larger = (char *)realloc(*text, *size + next.size + 1);
    if (larger != NULL) {
        memcpy(larger + *size, next.start, next.size);
        *text = larger;
        *size += next.size;
    } else if (code == DONE) {
        code = fail_memory();
    }
    slm_text_free(&next);
    source_free(&s);
    return code;
}

/* Reads all files' text in one piece. */
static int read_texts(char **text, size_t *size, const tokenizer_options *o) {
    int code = DONE;
    *text = NULL;
    *size = 0;
    for (size_t i = 0; i < o->data.n && code == DONE; i++)
        code = append_file(text, size, o->data.items[i], &o->read);
    if (code == DONE && *size == 0) code = fail(BAD_INPUT, "%s: no text", o->data.items[0]);
    return code;
}

static int train_tokenizer(const tokenizer_options *o, const char *text, size_t size) {
    slm_error err;
    slm_tokenizer *tokenizer = NULL;
    watch w;
    watch_start(&w, "merges", "merges/s", o->quiet);
    set_signal_answer(SIGNAL_ENDS);
    slm_status status =
        slm_tokenizer_train(&tokenizer, text, size, o->vocab - 1, watch_callback, &w, &err);
    progress_end(&w.bar);
    if (status == SLM_OK) status = slm_tokenizer_add_special(tokenizer, END_OF_TEXT, &err);
    if (status != SLM_OK) {
        slm_tokenizer_free(tokenizer);
        return fail_status(status, FOR_INPUT, &err);
    }

    status = slm_tokenizer_save(tokenizer, o->out, &err);
    int vocab = (int)slm_tokenizer_vocab(tokenizer);
    slm_tokenizer_free(tokenizer);
    if (status != SLM_OK) return fail_status(status, FOR_OUTPUT, &err);
    printf("%s: %d tokens from %zu bytes of text\n", o->out, vocab, size);
    return DONE;
}

static int verb_tokenizer_train(int argc, char **argv) {
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
    option table[] = {
        OPTION_LIST("data", &o.data, "F...",
                    "text or .jsonl files, one after the other; -: standard input"),
        OPTION_I32("vocab", &o.vocab, 257, 1048576, "N",
                   "tokens, the 256 bytes and " END_OF_TEXT " among them"),
        OPTION_TEXT("out", &o.out, "T.json", "the file to write"),
        OPTIONS_TEXT(&o.read),
        OPTION_QUIET(&o.quiet),
    };
    memset(&o, 0, sizeof o);
    o.read = data_defaults();
    set_verb(page.verb);
    int code = options_parse(&page, table, COUNT(table), &rest, argc, argv);
    if (code != OPTIONS_PARSED) return code;
    code = need_flag(o.data.n > 0, "--data", "F");
    if (code == DONE) code = need_flag(o.vocab > 0, "--vocab", "N");
    if (code == DONE) code = need_flag(o.out != NULL, "--out", "T.json");
    if (code == DONE) code = check_data(&o.read, &o.data, NULL);
    if (code != DONE) return code;

    output out;
    char *text = NULL;
    size_t size = 0;
    code = output_open_file(&out, o.out);
    if (code == DONE) code = read_texts(&text, &size, &o);
    if (code == DONE) code = train_tokenizer(&o, text, size);
    free(text);
    output_close(&out);
    return code;
}

/* ---- tokenizer import ---- */
static int import_gpt2(const char *folder, const char *out) {
    slm_error err;
    slm_tokenizer *tokenizer;
    slm_status status = gpt2_tokenizer(&tokenizer, folder, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);
    status = slm_tokenizer_save(tokenizer, out, &err);
    if (status == SLM_OK) printf("%s: %d tokens\n", out, (int)slm_tokenizer_vocab(tokenizer));
    slm_tokenizer_free(tokenizer);
    return fail_status(status, FOR_OUTPUT, &err);
}

static int verb_tokenizer_import(int argc, char **argv) {
    static const option_page page = {
        "tokenizer import",
        "GPT-2's encoder.json and vocab.bpe as one tokenizer.json",
        "tokenizer import --from DIR --out T.json",
        {"slm tokenizer import --from gpt2 --out gpt2.json",
         "slm tokenize --tokenizer gpt2.json page.txt"},
        "Both files must be in the folder.",
        0};
    const char *from = NULL;
    const char *out = NULL;
    option_list rest = {{NULL}, 0};
    option table[] = {
        OPTION_TEXT("from", &from, "DIR", "the folder that holds them"),
        OPTION_TEXT("out", &out, "T.json", "the file to write"),
    };
    set_verb(page.verb);
    int code = options_parse(&page, table, COUNT(table), &rest, argc, argv);
    if (code != OPTIONS_PARSED) return code;
    code = need_flag(from != NULL, "--from", "DIR");
    if (code == DONE) code = need_flag(out != NULL, "--out", "T.json");
    if (code != DONE) return code;

    output locked;
    code = output_open_file(&locked, out);
    if (code == DONE) code = import_gpt2(from, out);
    output_close(&locked);
    return code;
}

int verb_tokenizer(int argc, char **argv) {
    if (argc == 0)
        return fail(USAGE, "what is to be done? usage: slm tokenizer train|import --flags");
    const char *name = argv[0];
    if (strcmp(name, "train") == 0) return verb_tokenizer_train(argc - 1, argv + 1);
    if (strcmp(name, "import") == 0) return verb_tokenizer_import(argc - 1, argv + 1);
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0)
        return verb_tokenizer_train(argc, argv);
    return fail(USAGE, "'%s' is no verb of it; usage: slm tokenizer train|import --flags", name);
}
