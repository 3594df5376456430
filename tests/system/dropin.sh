#!/bin/sh
# slm.h drops in: it compiles without a warning as C99, C11, C17, C++11 and C++17 with each compiler there is, with and without
# OpenMP, in float and double, without files, static, with an allocator of one's own, in two translation units, between
# declarations; it exports slm_ names only, keeps no globals, and calls nothing that prints or ends the program.
cd "$(dirname "$0")/../.." || exit 1
dir=build/tmp/dropin
rm -rf $dir && mkdir -p $dir || exit 1
export OMP_WAIT_POLICY=passive
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"

pass() { echo pass >>$dir/$family.results; }
fail() {                                    # fail NAME [FILE]: the first error (or line) in FILE says why
    why=$([ -z "$2" ] || grep -E -m 1 'error:|undefined ref|multiple def' "$2" || head -n 1 "$2")
    printf 'FAIL\t%s\t%s\n' "$1" "$why" >>$dir/$family.results
}
log() { echo $dir/$family.log; }
good() {                                    # good NAME COMMAND...: must succeed
    name=$1; shift
    if "$@" >"$(log)" 2>&1; then pass; else fail "$name" "$(log)"; return 1; fi
}
bad() {                                     # bad NAME WORDS COMMAND...: must fail and say WORDS
    name=$1 words=$2; shift 2
    if "$@" >"$(log)" 2>&1; then fail "$name: accepted"
    elif grep -q -e "$words" "$(log)"; then pass; else fail "$name: not for the right reason" "$(log)"; fi
}
runs() {                                    # runs NAME PROGRAM: ends well and prints the hash that the first one printed
    rm -rf $dir/$family.folder
    if "$2" $dir/$family.folder >"$(log)" 2>&1 && grep -q '^ok ' "$(log)"; then
        [ -f $dir/$family.hash ] || [ "$3" = any ] || cp "$(log)" $dir/$family.hash
        if [ "$3" = any ] || cmp -s "$(log)" $dir/$family.hash; then pass; else fail "$1: trains to other bits" "$(log)"; fi
    else fail "$1" "$(log)"; fi
}
build() {                                   # build NAME COMPILER FLAGS...: dropin.c to a program, and run it
    what=$1; shift
    good "$what" "$@" $warnings -I. tests/system/dropin.c -o $dir/$family.exe -lm && runs "$what" $dir/$family.exe
}
symbols() {                                 # symbols NAME OBJECT: what it exports, keeps and calls
    nm -g "$2" | awk '$2 ~ /^[A-TX-Z]$/ && $3 !~ /^slm_[a-z]/ { print "exports " $3; bad = 1 } END { exit bad }' >"$(log)" &&
        pass || fail "$1: names outside slm_" "$(log)"
    nm "$2" | awk '$2 ~ /^[bBcCdDsSgG]$/ { print "writable " $3; bad = 1 } END { exit bad }' >"$(log)" && pass || fail "$1: keeps globals" "$(log)"
    nm -u "$2" | awk '{ print $NF }' | grep -E -x '_?(exit|_exit|_Exit|abort|v?f?printf|__v?f?printf_chk|puts|fputs|fputc|putchar|putc|perror|__assert_.*|assert|s?rand|rand_r|random|time|clock|clock_gettime|gettimeofday|getenv|setlocale|signal|system|raise|longjmp|atexit)' >"$(log)"
    [ -s "$(log)" ] && fail "$1: calls what it must not" "$(log)" || pass
}
interface() {                               # interface OBJECT: what slm.h declares is what it defines
    sed '/^\/\* =* stop here/q' slm.h | sed -n 's/^SLM_API [^(]*[ *]\(slm_[a-z0-9_]*\)(.*/\1/p' | sort >$dir/$family.declared
    nm -g --defined-only "$1" | awk '$2 != "W" && $3 !~ /^slm_abi_/ { print $3 }' | sort >$dir/$family.defined
    diff $dir/$family.declared $dir/$family.defined >"$(log)" && pass || fail "declared (<) against defined (>)" "$(log)"
}

one_family() {                              # one_family NAME CC CXX (CXX empty: none)
    family=$1 c=$2 cxx=$3
    : >$dir/$family.results
    openmp=-fopenmp
    echo 'int main(void) { return 0; }' >$dir/$family.c
    $c -fopenmp $dir/$family.c -o $dir/$family.exe 2>/dev/null || openmp=
    [ -n "$openmp" ] || echo "skipped: OpenMP with $c (its library is not installed)" >>$dir/$family.results
    [ -n "$cxx" ] || echo "skipped: C++ with $c (no such compiler)" >>$dir/$family.results

    for std in c99 c11 c17 c++11 c++17; do
        case $std in c++*) [ -n "$cxx" ] || continue; cc="$cxx -x c++" ;; *) cc=$c ;; esac
        case $std in
        c99 | c++11) build "$std" $cc -std=$std -O0; [ -z "$openmp" ] || build "$std $openmp" $cc -std=$std -O0 $openmp ;;
        *) build "$std" $cc -std=$std -O0 $openmp ;;
        esac
        for more in ""  -DSLM_REAL=double "-DSLM_REAL=double $openmp" "-DSLM_NO_FILES -DSLM_STATIC" "-DSLM_NO_FILES -DSLM_REAL=double $openmp" \
                    "-DSLM_STATIC -DSLM_REAL=double"; do
            good "$std $more" $cc -std=$std $more -fsyntax-only $warnings -I. tests/system/dropin.c
        done
        case $std in
        c99 | c++11)
            good "$std double" $cc -std=$std -O0 -DSLM_REAL=double -I. tests/system/dropin.c -o $dir/$family.exe -lm && runs "$std double" $dir/$family.exe any
            build "$std static" $cc -std=$std -O0 -DSLM_STATIC
            good "$std without files" $cc -std=$std -O0 -DSLM_NO_FILES $warnings -I. tests/system/dropin.c -o $dir/$family.exe -lm &&
                runs "$std without files" $dir/$family.exe ;;
        esac
    done

    # one object: symbols, globals, calls; without files nothing of stdio but snprintf
    printf '#define SLM_IMPLEMENTATION\n#include "slm.h"\n' >$dir/$family.c
    for cc in "$c -std=c99" ${cxx:+"$cxx -x c++ -std=c++17"}; do
        for more in "" "$openmp" -DSLM_NO_FILES; do
            good "object: $cc $more" $cc -O0 -fno-pic -fno-pie $more $warnings -I. -c $dir/$family.c -o $dir/$family.o || continue
            symbols "$cc $more" $dir/$family.o
            [ "$more" = -DSLM_NO_FILES ] || interface $dir/$family.o
            [ "$more" = -DSLM_NO_FILES ] || continue
            nm -u $dir/$family.o | grep -E -w 'f(open|close|read|write|seek|tell|flush|ileno|sync)|rename|remove|mkdir|open|close' >"$(log)"
            [ -s "$(log)" ] && fail "SLM_NO_FILES: touches files" "$(log)" || pass
        done
    done
    cat >$dir/$family.c <<'EOF'
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"
const char *FUNCTION(void) { return slm_status_text(SLM_OK); }
EOF
    good "static object" $c -std=c99 -O0 -DFUNCTION=one -I. -c $dir/$family.c -o $dir/$family.one.o
    nm -g --defined-only $dir/$family.one.o | awk '{ print $3 }' | grep -v -x one >"$(log)"
    [ -s "$(log)" ] && fail "SLM_STATIC exports" "$(log)" || pass

    # an allocator of one's own: nothing else is called, what it gives comes back; one of the two is refused
    cat >$dir/$family.alloc.c <<'EOF'
#include <stdio.h>
#include <stdlib.h>
static long blocks, calls;
static void left(void) { if (blocks != 0 || calls < 10) { printf("%ld calls, %ld blocks left\n", calls, blocks); fflush(stdout); _Exit(1); } }
void *my_malloc(size_t n) { if (calls++ == 0) atexit(left); blocks++; return malloc(n); }
void my_free(void *p) { blocks -= p != NULL; free(p); }
EOF
    cat >$dir/$family.own.h <<'EOF'
#include <stddef.h>
#ifdef __cplusplus
extern "C"
#endif
void *my_malloc(size_t n);
#ifdef __cplusplus
extern "C"
#endif
void my_free(void *p);
EOF
    m=-DSLM_MALLOC=my_malloc f=-DSLM_FREE=my_free own="-include $dir/$family.own.h"
    printf '#define SLM_IMPLEMENTATION\n#include "slm.h"\n' >$dir/$family.c
    good "own allocator, object" $c -std=c99 -O0 $own $m $f -I. -c $dir/$family.c -o $dir/$family.o &&
        nm -u $dir/$family.o | grep -E -w 'malloc|calloc|realloc|free|aligned_alloc|posix_memalign|strdup' >"$(log)"
    [ -s "$(log)" ] && fail "own allocator: the library's is called too" "$(log)" || pass
    good "own allocator" $c -std=c99 -O0 $own $m $f -DUSER -I. tests/system/dropin.c $dir/$family.o $dir/$family.alloc.c -o $dir/$family.exe -lm &&
        runs "own allocator" $dir/$family.exe
    for one in "$m" "$f"; do
        bad "allocator: only $one" 'define both of SLM_MALLOC' $c -std=c99 $own $one -fsyntax-only -I. $dir/$family.c
    done
    bad "-ffast-math" 'fast-math' $c -std=c99 -ffast-math -fsyntax-only -I. $dir/$family.c

    # two translation units: one implements, one uses; C with C, C with C++, C++ with C; and each with its own static copy
    good "C object" $c -std=c99 -O0 -I. -c $dir/$family.c -o $dir/$family.c.o
    good "C user" $c -std=c99 -O0 $warnings -DUSER -I. -c tests/system/dropin.c -o $dir/$family.cu.o
    good "C with C" $c $dir/$family.cu.o $dir/$family.c.o -o $dir/$family.exe -lm && runs "C with C" $dir/$family.exe
    if [ -n "$cxx" ]; then
        good "C++ object" $cxx -x c++ -std=c++17 -O0 -I. -c $dir/$family.c -o $dir/$family.cpp.o
        good "C++ user" $cxx -x c++ -std=c++17 -O0 $warnings -DUSER -I. -c tests/system/dropin.c -o $dir/$family.cppu.o
        good "C++ with C" $cxx $dir/$family.cppu.o $dir/$family.c.o -o $dir/$family.exe -lm && runs "C++ with C" $dir/$family.exe
        good "C with C++" $cxx $dir/$family.cu.o $dir/$family.cpp.o -o $dir/$family.exe -lm && runs "C with C++" $dir/$family.exe
    fi
    # files that disagree about the number type are refused by the linker, even where the user calls nothing
    # that has numbers; a user whose flags are those of the implementation is not
    good "double object" $c -std=c99 -O0 -DSLM_REAL=double -I. -c $dir/$family.c -o $dir/$family.double.o
    cat >$dir/$family.abi.c <<'EOF'
#include "slm.h"
int main(void) { return slm_status_text(SLM_OK) == NULL; }
EOF
    bad "double user, float implementation" 'slm_abi_double' \
        $c -std=c99 -O0 -DSLM_REAL=double -I. $dir/$family.abi.c $dir/$family.c.o -o $dir/$family.exe -lm
    bad "float user, double implementation" 'slm_abi_float' \
        $c -std=c99 -O0 -I. $dir/$family.abi.c $dir/$family.double.o -o $dir/$family.exe -lm
    bad "optimized double user, float implementation" 'slm_abi_double' \
        $c -std=c99 -O2 -DSLM_REAL=double -I. $dir/$family.abi.c $dir/$family.c.o -o $dir/$family.exe -lm
    good "double user, double implementation" \
        $c -std=c99 -O0 -DSLM_REAL=double -I. $dir/$family.abi.c $dir/$family.double.o -o $dir/$family.exe -lm
    if [ -n "$cxx" ]; then
        bad "double user in C++" 'slm_abi_double' \
            $cxx -x c++ -std=c++17 -O0 -DSLM_REAL=double -I. $dir/$family.abi.c -x none $dir/$family.c.o -o $dir/$family.exe -lm
    fi

    cat >$dir/$family.c <<'EOF'
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"
const char *two(void);
int main(void) { return two()[0] != slm_status_text(SLM_OK)[0]; }
EOF
    good "two static copies" $c -std=c99 -O0 -Dtwo=one -I. $dir/$family.c $dir/$family.one.o -o $dir/$family.exe -lm && good "two static copies run" $dir/$family.exe

    # what must not work: the implementation misspelt, or twice
    printf '#define SLM_IMPLEMENTATIOn\n#include "slm.h"\n' >$dir/$family.c
    bad "misspelt SLM_IMPLEMENTATION" 'undefined' $c -std=c99 -O0 -I. $dir/$family.c $dir/$family.cu.o -o $dir/$family.exe -lm
    bad "implemented twice" 'multiple definition' $c -std=c99 -O0 -I. $dir/$family.c.o tests/system/dropin.c -o $dir/$family.exe -lm
}

# each family of compilers by itself, two at a time
has() { command -v "$1" >/dev/null 2>&1; }
second() { has "$1" && echo "$1"; }
families=
if has gcc; then one_family gcc gcc "$(second g++)" & families="$families gcc"; fi
if has clang; then one_family clang clang "$(second clang++)" & families="$families clang"; fi
if [ -z "$families" ]; then one_family cc "${CC:-cc}" "$(second c++)" & families=cc; fi
wait
for family in gcc clang; do
    case $families in *$family* | cc) ;; *) echo "skipped: $family (install $family)" ;; esac
done
passed=0 failed=0
for family in $families; do
    grep '^skipped' $dir/$family.results
    grep '^FAIL' $dir/$family.results | awk -F '\t' -v family=$family '
        { key = $3 == "" ? $2 : $3; n[key]++; first[key] = first[key] == "" ? $2 : first[key]; if (n[key] == 1) order[++kinds] = key }
        END { for (i = 1; i <= kinds; i++) { k = order[i]; print "FAIL " family ", " first[k] (n[k] > 1 ? " and " (n[k] - 1) " more: " : ": ") k } }'
    passed=$((passed + $(grep -c '^pass$' $dir/$family.results)))
    failed=$((failed + $(grep -c '^FAIL' $dir/$family.results)))
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
