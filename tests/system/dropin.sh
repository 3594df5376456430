#!/bin/sh
# slm.h drops in: it compiles without a warning as C99, C11, C17, C++11 and C++17 with each compiler
# there is, with and without OpenMP, in float and double, without files, static, with an allocator
# of one's own, in two translation units, between declarations; it exports slm_ names only, keeps no
# globals, and calls nothing that prints or ends the program.
cd "$(dirname "$0")/../.." || exit 1
dir=build/tmp/dropin
rm -rf $dir && mkdir -p $dir || exit 1
export OMP_WAIT_POLICY=passive
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
user=tests/system/dropin.c                         # the program that uses every section

# ---- results: a family of compilers works in $here and keeps its results there ----
pass() { echo pass >>$here/results; }
# fail NAME [FILE]: the first error (or line) in the file says why.
fail() {
    why=
    [ -z "$2" ] || why=$(grep -E -m 1 'error:|undefined ref|multiple def' "$2" || head -n 1 "$2")
    printf 'FAIL\t%s\t%s\n' "$1" "$why" >>$here/results
}
# good NAME COMMAND...: must succeed.  bad NAME WORDS COMMAND...: must fail and say the words.
good() {
    name=$1
    shift
    if "$@" >$here/log 2>&1; then pass
    else
        fail "$name" $here/log
        return 1
    fi
}
bad() {
    name=$1 words=$2
    shift 2
    if "$@" >$here/log 2>&1; then fail "$name: accepted"
    elif grep -q -e "$words" $here/log; then pass
    else fail "$name: not for the right reason" $here/log; fi
}
# nothing NAME: the log must be empty.
nothing() { if [ -s $here/log ]; then fail "$1" $here/log; else pass; fi; }

# runs NAME [any]: the program ends well and prints the hash that the first one printed, or any.
runs() {
    rm -rf $here/folder
    if ! $here/program $here/folder >$here/log 2>&1 || ! grep -q '^ok ' $here/log; then
        fail "$1" $here/log
        return
    fi
    if [ "$2" != any ]; then
        [ -f $here/hash ] || cp $here/log $here/hash
        cmp -s $here/log $here/hash || {
            fail "$1: trains to other bits" $here/log
            return
        }
    fi
    pass
}
# build NAME COMPILER FLAGS...: makes a program and runs it.
build() {
    what=$1
    shift
    good "$what" "$@" $warnings -I. $user -o $here/program -lm && runs "$what"
}

# ---- what an object holds ----
prints='v?f?printf|__v?f?printf_chk|puts|fputs|fputc|putchar|putc|perror'
ends='exit|_exit|_Exit|abort|__assert_.*|assert|signal|raise|longjmp|atexit|system'
asks='s?rand|rand_r|random|time|clock|clock_gettime|gettimeofday|getenv|setlocale'
files='f(open|close|read|write|seek|tell|flush|ileno|sync)|rename|remove|mkdir|open|close'
memory='malloc|calloc|realloc|free|aligned_alloc|posix_memalign|strdup'

# calls OBJECT WORDS: those of the words that the object does not define itself, into the log.
calls() { nm -u "$1" | awk '{ print $NF }' | grep -E -x "_?($2)" >$here/log; }

symbols() {                                        # NAME OBJECT
    nm -g "$2" | awk '$2 ~ /^[A-TX-Z]$/ && $3 !~ /^slm_[a-z]/ { print "exports " $3 }' >$here/log
    nothing "$1: names outside slm_"
    nm "$2" | awk '$2 ~ /^[bBcCdDsSgG]$/ { print "writable " $3 }' >$here/log
    nothing "$1: keeps globals"
    calls "$2" "$prints|$ends|$asks"
    nothing "$1: calls what it must not"
}
interface() {                                      # OBJECT: defines what slm.h declares
    sed '/^\/\* =* stop here/q' slm.h |
        sed -nE 's/^SLM_(API|CHECKED) [^(]*[ *](slm_[a-z0-9_]*)\(.*/\2/p' | sort >$here/declared
    nm -g --defined-only "$1" | awk '$2 != "W" && $3 !~ /^slm_abi_/ { print $3 }' |
        sort >$here/defined
    diff $here/declared $here/defined >$here/log
    nothing "declared (<) against defined (>)"
}

# ---- the tests, each for one family: $c compiles C, $cxx C++ (empty: there is none) ----
dialects() {
    for std in c99 c11 c17 c++11 c++17; do
        cc=$c
        case $std in
        c++*)
            [ -n "$cxx" ] || continue
            cc="$cxx -x c++" ;;
        esac
        one_dialect $std
    done
}
one_dialect() {
    for more in "" -DSLM_REAL=double "-DSLM_REAL=double $openmp" "-DSLM_NO_FILES -DSLM_STATIC" \
        "-DSLM_NO_FILES -DSLM_REAL=double $openmp" "-DSLM_STATIC -DSLM_REAL=double"; do
        good "$1 $more" $cc -std=$1 $more -fsyntax-only $warnings -I. $user
    done
    build "$1 $openmp" $cc -std=$1 -O0 $openmp
    case $1 in
    c99 | c++11) ;;
    *) return ;;
    esac
    [ -z "$openmp" ] || build "$1" $cc -std=$1 -O0
    build "$1 static" $cc -std=$1 -O0 -DSLM_STATIC
    build "$1 without files" $cc -std=$1 -O0 -DSLM_NO_FILES
    good "$1 double" $cc -std=$1 -O0 -DSLM_REAL=double -I. $user -o $here/program -lm &&
        runs "$1 double" any
}

objects() {
    for cc in "$c -std=c99" ${cxx:+"$cxx -x c++ -std=c++17"}; do
        for more in "" "$openmp" -DSLM_NO_FILES; do
            good "object: $cc $more" $cc -O0 -fno-pic -fno-pie $more $warnings -I. \
                -c $here/one.c -o $here/one.o || continue
            symbols "$cc $more" $here/one.o
            if [ "$more" = -DSLM_NO_FILES ]; then
                calls $here/one.o "$files"
                nothing "SLM_NO_FILES: touches files"
            else interface $here/one.o; fi
        done
    done
}

static_copies() {
    cat >$here/static.c <<'END'
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"
const char *text_of_a_copy(void) { return slm_status_text(SLM_OK); }
END
    cat >$here/main.c <<'END'
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"
const char *text_of_a_copy(void);
int main(void) { return text_of_a_copy()[0] != slm_status_text(SLM_OK)[0]; }
END
    good "static object" $c -std=c99 -O0 -I. -c $here/static.c -o $here/static.o
    nm -g --defined-only $here/static.o | awk '{ print $3 }' | grep -v -x text_of_a_copy >$here/log
    nothing "SLM_STATIC exports"
    good "two static copies" $c -std=c99 -O0 -I. $here/main.c $here/static.o -o $here/program -lm &&
        good "two static copies run" $here/program
}

# Nothing but the given functions is called, and all that they give comes back.
own_allocator() {
    cat >$here/allocator.h <<'END'
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
void *my_malloc(size_t n);
void my_free(void *p);
#ifdef __cplusplus
}
#endif
END
    cat >$here/allocator.c <<'END'
#include <stdio.h>
#include <stdlib.h>

static long blocks, calls;

static void look_back(void) {
    if (blocks == 0 && calls >= 10) return;
    printf("%ld calls, %ld blocks left\n", calls, blocks);
    fflush(stdout);
    _Exit(1);
}

void *my_malloc(size_t n) {
    if (calls++ == 0) atexit(look_back);
    blocks++;
    return malloc(n);
}

void my_free(void *p) {
    blocks -= p != NULL;
    free(p);
}
END
    own="-include $here/allocator.h" give=-DSLM_MALLOC=my_malloc take=-DSLM_FREE=my_free
    good "own allocator, object" $c -std=c99 -O0 $own $give $take -I. -c $here/one.c \
        -o $here/own.o || return
    calls $here/own.o "$memory"
    nothing "own allocator: the library's is called too"
    good "own allocator" $c -std=c99 -O0 $own $give $take -DUSER -I. $user $here/own.o \
        $here/allocator.c -o $here/program -lm && runs "own allocator"
    for one in "$give" "$take"; do
        bad "allocator: only $one" 'define both of SLM_MALLOC' \
            $c -std=c99 $own $one -fsyntax-only -I. $here/one.c
    done
}

# One file implements, another uses: C with C, C with C++, C++ with C.
two_files() {
    good "C object" $c -std=c99 -O0 -I. -c $here/one.c -o $here/c.o
    good "C user" $c -std=c99 -O0 $warnings -DUSER -I. -c $user -o $here/c_user.o
    good "C with C" $c $here/c_user.o $here/c.o -o $here/program -lm && runs "C with C"
    [ -n "$cxx" ] || return
    as_cxx="$cxx -x c++ -std=c++17 -O0"
    good "C++ object" $as_cxx -I. -c $here/one.c -o $here/cxx.o
    good "C++ user" $as_cxx $warnings -DUSER -I. -c $user -o $here/cxx_user.o
    good "C++ with C" $cxx $here/cxx_user.o $here/c.o -o $here/program -lm && runs "C++ with C"
    good "C with C++" $cxx $here/c_user.o $here/cxx.o -o $here/program -lm && runs "C with C++"
}

# Files that disagree about the number type are refused by the linker, even where the user calls
# nothing that has numbers; a user whose flags are those of the implementation is not.
number_types() {
    cat >$here/abi.c <<'END'
#include "slm.h"
int main(void) { return slm_status_text(SLM_OK) == NULL; }
END
    double=-DSLM_REAL=double to="-o $here/program -lm"
    good "double object" $c -std=c99 -O0 $double -I. -c $here/one.c -o $here/double.o
    bad "double user, float implementation" slm_abi_double \
        $c -std=c99 -O0 $double -I. $here/abi.c $here/c.o $to
    bad "optimized double user, float implementation" slm_abi_double \
        $c -std=c99 -O2 $double -I. $here/abi.c $here/c.o $to
    bad "float user, double implementation" slm_abi_float \
        $c -std=c99 -O0 -I. $here/abi.c $here/double.o $to
    good "double user, double implementation" \
        $c -std=c99 -O0 $double -I. $here/abi.c $here/double.o $to
    [ -z "$cxx" ] || bad "double user in C++" slm_abi_double \
        $cxx -x c++ -std=c++17 -O0 $double -I. $here/abi.c -x none $here/c.o $to
}

must_not_work() {
    printf '#define SLM_IMPLEMENTATIOn\n#include "slm.h"\n' >$here/misspelt.c
    bad "misspelt SLM_IMPLEMENTATION" undefined \
        $c -std=c99 -O0 -I. $here/misspelt.c $here/c_user.o -o $here/program -lm
    bad "implemented twice" 'multiple definition' \
        $c -std=c99 -O0 -I. $here/c.o $user -o $here/program -lm
    bad "-ffast-math" fast-math $c -std=c99 -ffast-math -fsyntax-only -I. $here/one.c
}

one_family() {                                     # NAME CC CXX
    here=$dir/$1 c=$2 cxx=$3 openmp=-fopenmp
    mkdir -p $here
    : >$here/results
    printf '#define SLM_IMPLEMENTATION\n#include "slm.h"\n' >$here/one.c
    echo 'int main(void) { return 0; }' >$here/probe.c
    if ! $c -fopenmp $here/probe.c -o $here/program 2>/dev/null; then
        openmp=
        echo "skipped: OpenMP with $c (its library is not installed)" >>$here/results
    fi
    [ -n "$cxx" ] || echo "skipped: C++ with $c (no such compiler)" >>$here/results
    dialects
    objects
    static_copies
    own_allocator
    two_files
    number_types
    must_not_work
}

# ---- each family of compilers by itself, at the same time ----
has() { command -v "$1" >/dev/null 2>&1; }
if_there() { has "$1" && echo "$1"; }
families=
for family in gcc clang; do
    has $family || {
        echo "skipped: $family (install $family)"
        continue
    }
    one_family $family $family "$(if_there $(echo $family | sed 's/gcc/g++/; s/clang/clang++/'))" &
    families="$families $family"
done
if [ -z "$families" ]; then
    one_family cc "${CC:-cc}" "$(if_there c++)"
    families=cc
fi
wait

# Failures for one reason are told once.
passed=0 failed=0
for family in $families; do
    results=$dir/$family/results
    grep '^skipped' $results
    grep '^FAIL' $results | awk -F '\t' -v family=$family '
        {
            why = $3 == "" ? $2 : $3
            if (n[why]++ == 0) {
                order[++kinds] = why
                first[why] = $2
            }
        }
        END {
            for (i = 1; i <= kinds; i++) {
                why = order[i]
                more = n[why] > 1 ? " and " (n[why] - 1) " more" : ""
                print "FAIL " family ", " first[why] more ": " why
            }
        }'
    passed=$((passed + $(grep -c '^pass$' $results)))
    failed=$((failed + $(grep -c '^FAIL' $results)))
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
