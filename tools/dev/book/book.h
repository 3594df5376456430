/* book.h: slm.h as one page of HTML, comment beside code.  What the parts of the program share. */
#ifndef BOOK_H
#define BOOK_H
#include <stddef.h>
#include <stdio.h>

enum { BOOK_SECTIONS = 40, BOOK_SECTION_NAME = 24, BOOK_RANK_OTHER = 1 };

typedef enum token_kind {
    TOKEN_SPACE,
    TOKEN_WORD,
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_COMMENT,
    TOKEN_MARK
} token_kind;

/* A piece of one line; a comment that goes on over lines is a token on each of them. */
typedef struct token {
    token_kind kind;
    const char *text;
    size_t size;
    size_t line; /* from 1 */
} token;

typedef enum line_kind {
    LINE_EMPTY,
    LINE_CODE,
    LINE_COMMENT /* nothing but a comment, which also began at the beginning of a line */
} line_kind;

typedef struct line {
    const char *text;
    size_t size;
    size_t first_token; /* index; the line's tokens end where the next line's begin */
    line_kind kind;
    int begins_comment; /* 1: a comment begins here, 0: it goes on from the line above */
    int is_directive;   /* 1: begins with # or continues such a line */
} line;

typedef struct section {
    char name[BOOK_SECTION_NAME];
    int number;        /* 0: none */
    size_t first, end; /* lines from first to end - 1 */
    size_t tokens;     /* of code, without directives */
    const char *holds; /* from the contents, or NULL */
    size_t holds_size;
    const char *may_not; /* likewise */
    size_t may_not_size;
    unsigned uses[BOOK_SECTIONS]; /* how often a name of that section is said here */
} section;

/* A name that begins with slm_ or SLM_; or another word of the code that holds a _. */
typedef struct name {
    const char *text;
    size_t size;
    size_t definition;  /* line */
    size_t declaration; /* line of a public function in the interface, or 0 */
    int rank;           /* how good the definition is; of a word that is not ours the lowest */
    struct name *next;
} name;

typedef struct book {
    char *bytes;
    size_t size;
    line *lines; /* [1..n_lines], one more at the end */
    size_t n_lines;
    token *tokens;
    size_t n_tokens;
    section sections[BOOK_SECTIONS];
    int n_sections;
    name *names[4096]; /* by hash */
    FILE *out;
} book;

/* source.c: reads slm.h and finds its tokens, sections, names and what uses what. */
void book_read(book *b, const char *path);
name *book_name(const book *b, const char *text, size_t size);
int book_is_in_code(const book *b, const char *text, size_t size);
int book_section_of(const book *b, size_t line_number);
int book_section_named(const book *b, const char *text, size_t size);

/* text.c: what stands in a page. */
void put_escaped(const book *b, const char *text, size_t size);
void put_inline(const book *b, const char *text, size_t size);
void put_comment(const book *b, size_t first, size_t end);
void put_code_line(const book *b, size_t number);

/* figure.c: the sections and what they use. */
void put_figure(const book *b);

/* page.c: the whole. */
void put_page(const book *b, const char *style_path);

#endif
