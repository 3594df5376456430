/* options.h: long flags from a table.
 *
 *     option table[] = { OPTION_U64("steps", &steps, 1, 1000000, "N", "optimizer steps"), ... };
 *     int code = options_parse(&page, table, COUNT(table), &rest, argc, argv);
 *     if (code != OPTIONS_PARSED) return code;
 *
 * The table is also the help page, so that the two cannot differ.  Flags are written `--flag value`
 * or `--flag=value`; a flag of one letter has one dash.  A list takes all values up to the next
 * flag.  Whatever is wrong is said in one line.  Needs libc only. */
#ifndef OPTIONS_H
#define OPTIONS_H
#include <stddef.h>
#include <stdint.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { OPTION_LIST_MAX = 256 };

typedef struct option_list {
    const char *items[OPTION_LIST_MAX];
    size_t n;
} option_list;

typedef enum option_kind {
    OPTION_IS_FLAG,   /* int, set to 1 */
    OPTION_IS_TEXT,   /* const char * */
    OPTION_IS_LIST,   /* option_list */
    OPTION_IS_I32,    /* int32_t */
    OPTION_IS_U64,    /* uint64_t */
    OPTION_IS_REAL,   /* double */
    OPTION_IS_CHOICE, /* int: the word's place in "a|b|c" */
} option_kind;

typedef struct option {
    const char *name;
    option_kind kind;
    void *target;      /* where the value goes; its type follows from the kind */
    double min, max;   /* of numbers */
    const char *value; /* what the help calls the value; of a choice: its words, "a|b|c" */
    const char *help;
    int given; /* set by options_parse */
} option;

#define OPTION_FLAG(name, target, help) {name, OPTION_IS_FLAG, target, 0, 0, NULL, help, 0}
#define OPTION_TEXT(name, target, value, help) {name, OPTION_IS_TEXT, target, 0, 0, value, help, 0}
#define OPTION_LIST(name, target, value, help) {name, OPTION_IS_LIST, target, 0, 0, value, help, 0}
#define OPTION_I32(name, target, min, max, value, help)                                            \
    {name, OPTION_IS_I32, target, min, max, value, help, 0}
#define OPTION_U64(name, target, min, max, value, help)                                            \
    {name, OPTION_IS_U64, target, min, max, value, help, 0}
#define OPTION_REAL(name, target, min, max, value, help)                                           \
    {name, OPTION_IS_REAL, target, min, max, value, help, 0}
#define OPTION_CHOICE(name, target, words, help)                                                   \
    {name, OPTION_IS_CHOICE, target, 0, 0, words, help, 0}

/* Rows that several verbs share. */
#define OPTION_MODEL(target) OPTION_TEXT("model", target, "DIR", "the model folder")
#define OPTION_DATA(target)                                                                        \
    OPTION_LIST("data", target, "F...",                                                            \
                "text, .jsonl or token files, one after the other; -: standard input")
#define OPTION_TOKENIZER(target, otherwise)                                                        \
    OPTION_TEXT("tokenizer", target, "T",                                                          \
                "bytes, a tokenizer.json or its folder; none: ids only" otherwise)
/* How texts are read, and files of ids: the fields of a data_options (common/source.h). */
#define OPTIONS_TEXT(options)                                                                      \
    OPTION_TEXT("fields", &(options)->text.fields, "A,B",                                          \
                "the fields of .jsonl records to join (default: text)"),                           \
        OPTION_FLAG("jsonl", &(options)->text.jsonl,                                               \
                    "a record a line, whatever the name: of - and pipes"),                         \
        OPTION_FLAG("skip-bad", &(options)->text.skip_bad,                                         \
                    "leave bad records out and count them, instead of ending")
#define OPTION_DTYPE(options)                                                                      \
    OPTION_CHOICE("dtype", &(options)->dtype, SOURCE_DTYPE_WORDS,                                  \
                  "what files of bare ids hold (default: u16 for .bin)")
/* What documents are, and what of them is a target: of a data_options, too. */
#define OPTIONS_DOCUMENTS(options)                                                                 \
    OPTION_CHOICE("bos", &(options)->bos, MARK_WORDS,                                              \
                  "a token before each document (default auto: by the tokenizer's template)"),     \
        OPTION_CHOICE("eos", &(options)->eos, MARK_WORDS, "and one that ends it (likewise)"),      \
        OPTION_FLAG("within-documents", &(options)->within,                                        \
                    "attention and positions stay inside a document"),                             \
        OPTION_TEXT("mask-fields", &(options)->text.mask_fields, "A,B",                            \
                    "those of --fields that are no targets")
#define OPTION_SEQ(target, otherwise)                                                              \
    OPTION_I32("seq", target, 1, 1048576, "T", "window length" otherwise)
#define OPTION_BATCH(target, help) OPTION_I32("batch", target, 1, 65536, "B", help)
#define OPTION_SEED(target, help) OPTION_U64("seed", target, 0, 1.8e19, "S", help)
/* MAX_THREADS is of common/start.h. */
#define OPTION_THREADS(target)                                                                     \
    OPTION_I32("threads", target, 1, MAX_THREADS, "N",                                             \
               "threads (default: all); any number gives the same bits")
#define OPTION_QUIET(target) OPTION_FLAG("quiet", target, "no progress on stderr")

#define OR_THE_MODELS " (default: the model's)"
#define OR_THE_CONTEXT " (default: the model's context, at most 1024)"
#define BATCH_IS_SPEED "windows at once (default 8): a matter of speed and memory only"

/* What the help page holds besides the flags. */
typedef struct option_page {
    const char *verb, *what, *usage, *examples[2];
    const char *notes; /* or NULL */
    size_t positional; /* how many arguments that are no flags are allowed */
} option_page;

/* What options_parse returns besides exit code 2. */
enum {
    OPTIONS_HELP_SHOWN = 0, /* The help was asked for and given: exit code 0. */
    OPTIONS_PARSED = -1
};

/* Fills the table's targets, and *rest with the arguments that are no flags.  Returns
 * OPTIONS_PARSED, or the exit code to leave with; what is wrong has been said then. */
int options_parse(const option_page *page, option *table, size_t n, option_list *rest, int argc,
                  char **argv);

/* Hands the tables out instead of parsing by them: while `visit` is not NULL, options_parse calls
 * it and returns OPTIONS_HELP_SHOWN.  The manual page and the completions are made so. */
typedef void option_visitor(const option_page *page, const option *table, size_t n);
void options_visit(option_visitor *visit);

/* "-" or "--". */
const char *option_dashes(const option *o);

/* Returns 1 if the flag was on the command line. */
int options_given(const option *table, size_t n, const char *name);

#endif
