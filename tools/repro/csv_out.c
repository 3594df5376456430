/* csv_out.c: cells, rows, files. */
#include <math.h>
#include <stdarg.h>
#include "common/text.h"
#include "csv_out.h"

int csv_open(csv_out *out, const char *dir, const char *name, const char *header) {
    (void)snprintf(out->path, sizeof out->path, "%s/%s.csv", dir, name);
    (void)snprintf(out->part, sizeof out->part, "%s.part", out->path);
    out->cells = 0;
    out->file = fopen(out->part, "wb");
    if (out->file == NULL) {
        fprintf(stderr, "%s: cannot be written\n", out->path);
        return 0;
    }
    fputs(header, out->file);
    return 1;
}

static void begin_cell(csv_out *out) {
    if (out->cells++ > 0) fputc(',', out->file);
}

void csv_put(csv_out *out, const char *format, ...) {
    va_list args;
    begin_cell(out);
    va_start(args, format);
    (void)vfprintf(out->file, format, args);
    va_end(args);
}

void csv_put_text(csv_out *out, const char *text) {
    begin_cell(out);
    csv_write(out->file, text);
}

void csv_put_number(csv_out *out, double value) {
    begin_cell(out);
    csv_write_number(out->file, value);
}

void csv_put_numbers(csv_out *out, const double *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        csv_put_number(out, values != NULL ? values[i] : NAN);
}

void csv_end_row(csv_out *out) {
    fputc('\n', out->file);
    out->cells = 0;
}

int csv_close(csv_out *out) {
    int failed = ferror(out->file);
    if (fclose(out->file) == 0 && !failed && rename(out->part, out->path) == 0) return 1;
    fprintf(stderr, "%s: could not be written whole\n", out->path);
    return 0;
}
