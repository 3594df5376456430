/* assets.h: the style and the script of the pages, one C string per line, ended by NULL.  The
 * definitions are made by `make build/assets.c` from the files of these names in this folder. */
#ifndef ASSETS_H
#define ASSETS_H
extern const char *const heatmap_css[];
extern const char *const heatmap_page_css[];
extern const char *const heatmap_js[];
extern const char *const moves_js[];
extern const char *const page_css[];
extern const char *const page_js[];
#endif
