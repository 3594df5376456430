#!/bin/sh
# tools/dev/check_sections finds nothing to say about slm.h; and it does find something in copies that break its rules, one each.
cd "$(dirname "$0")/../.." || exit 1
dir=build/tmp/sections
rm -rf $dir && mkdir -p $dir || exit 1
passed=0 failed=0
tools/dev/check_sections slm.h >$dir/slm.txt
[ $? -eq 0 ] && passed=$((passed + 1))
failed=$(sed '/^$/,$d' $dir/slm.txt | grep -c .)
sed '/^$/,$d' $dir/slm.txt | sed 's/^/FAIL /'
sed '1,/^$/d' $dir/slm.txt

# broken NAME SECTION LINE: with LINE put into SECTION (after its anchor's comment), there is a violation that was not there before
violations() { grep '^slm.h:' "$1" | sed 's/^slm.h:[0-9]*://' | sort; }
violations $dir/slm.txt >$dir/before.txt
noticed() {
    tools/dev/check_sections $dir/slm.h >$dir/broken.txt
    code=$?
    violations $dir/broken.txt >$dir/after.txt
    if [ $code -ne 0 ] && [ -n "$(comm -13 $dir/before.txt $dir/after.txt)" ]; then passed=$((passed + 1))
    else failed=$((failed + 1)); echo "FAIL check_sections does not notice: $1"; fi
}
broken() {
    awk -v anchor=">>$2 " -v line="$3" '{ print } index($0, "* ==== " anchor) { here = 1 } here && /\*\/$/ { print line; here = 0 }' slm.h >$dir/slm.h
    noticed "$1"
}
broken "a tab" base "	"
broken "a long line" base "$(printf '/* %132s */' x)"
broken "exit" formats "static void slm__x(void) { exit(1); }"
broken "printf" ops 'static void slm__x(void) { printf("x"); }'
broken "malloc outside base" ops "static void *slm__x(void) { return malloc(1); }"
broken "SLM_FREE outside base" formats "static void slm__x(void *p) { SLM_FREE(p); }"
broken "a global" tape "static int slm__x;"
broken "a static variable in a function" step "static int slm__x(void) {\n    static int n = 0;\n    return n++;\n}"
broken "FILE in ops" ops "static int slm__x(FILE *f) { return f != NULL; }"
broken "omp simd in ops" ops "SLM__PRAGMA(omp simd)"
broken "allocation in selection" selection "static void *slm__x(slm_error *err) { return slm__alloc(1, 1, err); }"
broken "a struct in rows" rows "static int slm__x(const slm_model_config *c) { return c->dim; }"
broken "an operation in tape" tape "static slm_tensor *slm__x(slm_tape *t, slm_tensor *x) { return slm_swiglu(t, x, x); }"
broken "configuration in ops" ops "static int slm__x(const slm_model_config *c) { return c == NULL; }"
broken "parameters written in scoring" scoring "static void slm__x(slm_model *m) { m->params[0] = 1; }"
broken "tensors in optimizer" optimizer "static void slm__x(slm_tensor *t) { (void)t; }"
broken "an element loop in step" step "static void slm__x(slm_trainer *t, size_t n) { size_t i; for (i = 0; i < n; i++) t->loss[i] = 0; }"
broken "models in tokenizers" tokenizers "static void slm__x(slm_model *m) { (void)m; }"
broken "a macro without SLM_" base "#define COUNT 3"
broken "something from further down" base "static slm_tensor *slm__row_losses_of(int n);"
broken "a function of 61 lines" base "static void slm__x(void) {$(awk 'BEGIN { for (i = 0; i < 60; i++) printf "\\n" }')}"
sed 's/^\/\* ==== >>tape /\/* ==== >>tapes /' slm.h >$dir/slm.h; noticed "an anchor that is missing"
awk '/^\/\* ==== >>scoring / { print "/* ==== >>model === 8 == */" } { print }' slm.h >$dir/slm.h; noticed "an anchor twice"
awk '{ print } /^\/\* ==== >>ops /,/\*\/$/ { if (/\*\/$/) for (i = 0; i < 2201; i++) print "" }' slm.h >$dir/slm.h; noticed "too many lines"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
