/* build/book SLM_H STYLE >PAGE: makes slm.h a page to read.  Needs libc only. */
#include "book.h"
#include <stdlib.h>

int main(int argc, char **argv) {
    book *b;
    if (argc != 3) {
        fprintf(stderr, "usage: book slm.h book.css >slm.html\n");
        return 2;
    }
    b = (book *)calloc(1, sizeof *b);
    if (b == NULL) return 1;
    b->out = stdout;
    book_read(b, argv[1]);
    put_page(b, argv[2]);
    return fflush(stdout) == 0 ? 0 : 1;
}
