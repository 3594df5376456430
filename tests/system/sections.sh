#!/bin/sh
# The tree keeps the norm: tools/dev/check_sections finds nothing to say.  And it can find
# something: a small made-up tree that keeps every rule is broken in one way after another, and
# each time exactly the violation that was put in must be named.
cd "$(dirname "$0")/../.." || exit 1
dir=build/tmp/sections
rm -rf $dir && mkdir -p $dir || exit 1
passed=0 failed=0
pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "FAIL $1"; }

# ---- the tree itself ----
tools/dev/check_sections >$dir/tree.txt
sed '/^$/,$d' $dir/tree.txt >$dir/violations.txt
if [ -s $dir/violations.txt ]; then
    fail "the tree: $(wc -l <$dir/violations.txt) violations of the norm, by file:"
    cut -d : -f 1 $dir/violations.txt | sort | uniq -c
    head -n 20 $dir/violations.txt
else pass; fi
sed '1,/^$/d' $dir/tree.txt

# ---- a small tree: the contents of slm.h, its anchors and borders, and a few files ----
small=$dir/small
mkdir -p $small/tools/common $small/tools/slm $small/tools/bench $small/tests/system
awk '
    />>contents/ && !begun { begun = 1; print "/* Made up."; print " *" }
    begun && !ended { print }
    / \* ==== >>idea/ { ended = 1; print " */" }
    ended && /^\/\* ==== >>/ { print; print "   Made up. */" }
    ended && /^\/\* ==+ [a-z].* ==+ \*\/$/ { print }
' slm.h | sed 's/======*/=====/g' | cut -c 1-90 | sed 's/ *$//' >$small/slm.h
printf '#ifndef COLOR_H\n#define COLOR_H\nint color(int x);\n#endif\n' >$small/tools/common/color.h
printf '#include "color.h"\n\nint color(int x) {\n    return x;\n}\n' >$small/tools/common/color.c
cp $small/tools/common/color.c $small/tools/slm/main.c
printf 'A short text.\n' >$small/README.md

# noticed NAME PATTERN: there are violations in the copy, and all of them match the pattern.
# silent NAME: there are none.
noticed() {
    tools/dev/check_sections $dir/copy | sed '/^$/,$d' >$dir/found.txt
    if ! [ -s $dir/found.txt ]; then fail "check_sections does not notice: $1"
    elif grep -q -v -e "$2" $dir/found.txt; then
        fail "check_sections says of $1: $(grep -v -e "$2" $dir/found.txt | head -n 1)"
    else pass; fi
}
silent() {
    if tools/dev/check_sections $dir/copy >$dir/found.txt; then pass
    else fail "check_sections objects to $1: $(head -n 1 $dir/found.txt)"; fi
}
# copy: a fresh one.  into SECTION TEXT: a fresh one with the text at the section's beginning.
# add FILE TEXT: a fresh one with the text at the end of a file.
copy() { rm -rf $dir/copy && cp -r $small $dir/copy; }
into() {
    copy
    TEXT=$2 awk -v anchor="/* ==== >>$1 " '
        { print }
        index($0, anchor) == 1 { here = 1 }
        here && /\*\/$/ { print ENVIRON["TEXT"]; here = 0 }' $small/slm.h >$dir/copy/slm.h
}
add() {
    copy
    mkdir -p "$(dirname "$dir/copy/$1")"
    printf '%s\n' "$2" >>"$dir/copy/$1"
}
# body SECTION STATEMENTS: a function with these statements.
body() { into "$1" "static void slm__f(int x) {
    $2
}"; }
wide=$(printf '%0101d' 0)

copy
if ! tools/dev/check_sections $dir/copy >$dir/found.txt; then
    fail "the small tree is no longer a small tree: $(head -n 1 $dir/found.txt)"
    echo "$passed passed, $failed failed"
    exit 1
fi

# ---- lines ----
into base "/* $wide */" && noticed "a long line of slm.h" ':.*columns, at most 100'
add README.md "$wide" && noticed "a long line of README" 'README.md:2: 101 columns'
add tests/run.sh "# $wide" && noticed "a long line of a script" 'run.sh:1: 103 columns'
add README.md "| $wide |" && silent "a wide table"
add README.md "[a link](https://example.org/$wide)" && silent "a long link"
add README.md "$(printf '%0100d' 0 | sed 's/0/é/g')" && silent "100 columns of two bytes each"
add tools/slm/main.c "	int x;" && noticed "a tab" 'a tab'
add README.md "text " && noticed "white space at the end" 'white space at the end'

# ---- statements ----
into step 'static int slm__f(int x) { return x; }' && noticed "a body on one line" 'a block on one'
body step 'x = 1; x = 2;' && noticed "two statements" 'two statements on a line'
body step 'if (x) { x = 2; }' && noticed "a block on one line" 'a block on one line'
body step 'if (x) x = 1; else x = 2;' && noticed "an else on one line" 'two statements'
add tools/slm/main.c 'struct color { int x; };' && noticed "a struct on one line" 'a block'
add tests/unit/a.c 'int y; int z;' && noticed "two statements in a test" 'a.c:1: two statements'
body step 'x = x ? 1 : x > 2 ? 2 : 3;' && noticed "two ?:" 'two `?:`'
body step 'x = x > 3
        ? x ? 1 : 2
        : 3;' && noticed "two ?: on several lines" 'two `?:`'
into base '#define SLM__G(x) ((x) ? 1 : (x) > 1 ? 2 : 3)' && noticed "two ?: in a macro" 'two `?:`'
body step 'x = 1, x = 2;' && noticed "a comma operator" 'a comma operator'
body step 'x = 2 && (slm__f(x), 1);' && noticed "a comma in a condition" 'a comma operator'
body step 'for (x = 0; x < 3; x++, x++)
        slm__f(x);' && noticed "a comma in a for" 'a comma in a for'
body step 'if ((x = 3) != 0) return;' && noticed "an assignment in if" 'an assignment in a'
body step 'while (x > 3 && (x = 2) > 1)
        slm__f(x);' && noticed "an assignment in while" 'an assignment in a condition'
body step 'for (x = 0; (x = 2) > 3; x++)
        slm__f(x);' && noticed "an assignment in for" 'an assignment in a condition'
body step 'for (x = 0; x < 3; x++);' && noticed "an empty loop" 'an empty loop'
body step 'while ((x = slm__next()) != NULL)
        slm__f(x);' && silent "while with its next"
body step 'for (int i = 0, n = x; i < n; i++)
        slm__f(i);' && silent "a plain for"
body ops 'static const int table[] = {1, 2, 3};
    slm__triple all = {x, x ? 1 : 2, 3};
    char c = 0, *p, d[3];
    x = slm__f((size_t)x, "a, b; c", x == 1);
    switch (x) {
    case 1: return;
    default: break;
    }' && silent "tables, declarations, calls and cases"
body step "$(awk 'BEGIN { for (i = 0; i < 60; i++) print "    x = 1;" }')"
silent "a long function"
grep -q '^ *62 lines: slm__f' $dir/found.txt && pass || fail "a long function is not told"

# ---- the order of the sections ----
edit() { copy && sed "$1" $small/slm.h >$dir/copy/slm.h; }
edit 's/^\/\* ==== >>tape /\/* ==== >>tapes /'
noticed "an anchor that is missing" 'tape'
edit 's/^\/\* ==== >>scoring .*/\/* ==== >>model ===== 8 ==/'
noticed "an anchor twice" '>>model is there twice\|scoring is only in the contents'
edit 's/^\(\/\* ==== >>rows .*\) 5 ==/\1 6 ==/'
noticed "a wrong number" 'does not say its number'
edit '/^\/\* ==* stop here/d'
noticed "the first border is missing" 'stop here .* is only in the contents'
edit '/^\/\* ==* here the algorithm ends/d'
noticed "the second border is missing" 'here the algorithm ends.* is only in the contents'
border=$(grep '^/\* ==* here the algorithm ends' $small/slm.h)
into model "$border" && noticed "a border twice" 'is there twice\|comes too late'
copy
awk '/^\/\* ==== >>gemm / { held = $0; getline; next } { print }
     /^\/\* ==== >>rows / { getline; print; print held; print " */" }' $small/slm.h >$dir/copy/slm.h
noticed "two sections in another order" 'gemm comes too late'

# ---- what stands above ----
into base 'static int slm__f(int n);' && noticed "no definition" 'slm__f is defined in another'
body step 'x = 1;' && into_base=$(sed '/>>base/,/\*\//s/Made up. \*\//&\
#define SLM__G(x) slm__f(x)/' $dir/copy/slm.h) && echo "$into_base" >$dir/copy/slm.h
noticed "a use of what is further down" 'slm__f is used before its section'
into base '#define COUNT 3' && noticed "a macro without SLM_" 'does not begin with SLM_: COUNT'
into rows '/* As slm__nothing does. */' && noticed "a name that is not" 'speaks of slm__nothing'
into rows '/* As slm_nothing_* do. */' && noticed "a family that is not" 'speaks of slm_nothing_\*'
into rows '/* As slm__tw* do. */
#define SLM__TWO 2
/* SLM__TW* */
static const int slm__two = SLM__TWO;' && silent "names that are"

# ---- what the sections may not do ----
body formats 'exit(1);' && noticed "exit" 'ends the program'
body ops 'printf("x");' && noticed "printf" 'prints'
body ops 'slm__f(malloc(1));' && noticed "malloc outside base" 'allocates past >>base'
body formats 'SLM_FREE(x);' && noticed "SLM_FREE outside base" 'allocates past >>base'
into tape 'static int slm__x;' && noticed "a static global" 'a global variable'
into tape 'int slm__x;' && noticed "a global" 'a global variable'
body step 'static int n = 0;' && noticed "a static variable" 'outlives a call'
body ops 'FILE *f;' && noticed "FILE in ops" 'ops touches files'
body json 'fopen("x", "r");' && noticed "fopen in json" 'json touches files'
body io 'fopen("x", "r");' && silent "fopen in io"
into ops 'SLM__PRAGMA(omp simd)' && noticed "omp simd in ops" 'a loop for vectors'
into rows '#define SLM__VECTOR_FOR(i) SLM__PRAGMA(omp simd)' && silent "omp simd in rows"
body base 'slm__f(exp(1.0));' && noticed "mathematics in base" 'does mathematics'
body selection 'slm__alloc(1, 1, x);' && noticed "allocation in selection" 'selection allocates'
into selection 'static int slm__f(slm_tape *t);
static int slm__f(slm_tape *t) {
    return t != NULL;
}' && noticed "the tape in selection" 'knows tape or model'
for section in vector gemm rows; do
    body $section 'const slm_model_config *c;' && noticed "a struct in $section" 'a public struct'
done
body gemm 'slm__plan *plan;
    slm_real y = plan->y;' && silent "a struct of its own in gemm"
body tape 'slm_swiglu(x);' && noticed "an operation in tape" 'knows an operation by name'
body ops 'const slm_model_config *c;' && noticed "configuration in ops" 'knows configuration'
body ops 'slm_rng_next(x);' && noticed "random numbers in ops" 'or random state'
body model 'm->params[3] = 1;' && noticed "an element in model" 'model touches an element'
body data 'slm_model *m;' && noticed "models in data" 'data knows models'
body scoring 'm->params[0] = 1;' && noticed "parameters written in scoring" 'writes parameters'
body generation 'memset(m->params, 0, 1);' && noticed "... in generation" 'writes parameters'
body optimizer 'slm_tensor *t;' && noticed "tensors in optimizer" 'knows tensors'
body step 't->loss[x] = 0;' && noticed "an element in step" 'step touches an element'
for section in tokenizers io json; do
    body $section 'slm_model *m;' && noticed "models in $section" "$section knows models"
done

# ---- rooms ----
add tools/common/color.h 'static inline int color_two(void) {
    return 2;
}' && noticed "a body in a header" 'color.h:.*a body in a header'
add tools/slm/main.c '#include "color.c"' && noticed "a .c that is included" 'includes a .c'
add tools/slm/main.c '#include <unistd.h>' && noticed "POSIX in a verb" 'the header of a system'
add tools/slm/main.c 'int x = slm__f(1);' && noticed "a private name in tools" 'a private name'
add examples/a.c 'int x = slm__f(1);' && noticed "a private name in an example" 'a private name'
add tools/bench/bench.c 'int x = slm__f(1);' && silent "a private name in the benchmark"
copy
for level in 1 2 3 4; do
    echo "#include \"part$((level + 1)).h\"" >$dir/copy/tools/slm/part$level.h
    echo "#include \"part1.h\"" >$dir/copy/tools/slm/main.c
done
noticed "a chain of five files" 'main.c:1: a chain of 5'
echo '#include "slm.h"' >$dir/copy/tools/slm/part3.h
silent "a chain of four files"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
