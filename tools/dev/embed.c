/* embed.c: makes C strings of text files: embed FILE... prints, for DIR/page.css,
 *
 *     const char *const page_css[] = {"first line\n", ..., NULL};
 *
 * make runs it to build build/assets.c (see tools/report/assets.h). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void print_name(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    for (; *name != '\0'; name++)
        putchar(isalnum((unsigned char)*name) ? *name : '_');
}

/* Bytes beyond ASCII stay as they are: C compilers read UTF-8. */
static void print_char(int c) {
    if (c == '\n')
        fputs("\\n", stdout);
    else if (c == '"' || c == '\\')
        printf("\\%c", c);
    else
        putchar(c);
}

/* Returns 0 if the file cannot be read. */
static int print_file(const char *path) {
    FILE *f = fopen(path, "rb");
    int c, line_is_open = 0;
    if (f == NULL) return 0;
    fputs("const char *const ", stdout);
    print_name(path);
    puts("[] = {");
    while ((c = getc(f)) != EOF) {
        if (!line_is_open) fputs("    \"", stdout);
        line_is_open = c != '\n';
        print_char(c);
        if (!line_is_open) puts("\",");
    }
    if (line_is_open) puts("\",");
    puts("    NULL};");
    int failed = ferror(f);
    return fclose(f) == 0 && !failed;
}

int main(int argc, char **argv) {
    puts("/* Made by tools/dev/embed.c. */\n#include <stddef.h>\n#include \"report/assets.h\"");
    for (int i = 1; i < argc; i++) {
        if (print_file(argv[i])) continue;
        fprintf(stderr, "%s: cannot be read\n", argv[i]);
        return 1;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
