#!/bin/sh
# `make` finds OpenMP: with a stand-in for Apple's clang, which refuses -fopenmp, and stand-ins for
# the folders of Homebrew and MacPorts.  Where there is none it says how to install it, and builds
# for one thread.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/counts.sh
T=$PWD/build/tmp/openmp
rm -rf "$T" && mkdir -p "$T/bin" || exit 1
real=${CC:-cc}
if ! tools/dev/openmp "$real" 2>/dev/null | grep -q fopenmp; then
    echo "skipped: OpenMP ($real has none)"
    echo "0 passed, 0 failed"
    exit
fi

# Refuses -fopenmp but behind -Xpreprocessor; -lomp must be in a folder that is named; omp.h too.
cat >"$T/bin/apple-clang" <<'END'
#!/bin/sh
[ "$1" = --version ] && echo "Apple clang version 15.0.0 (a stand-in)" && exit
before= header= library= arguments= links=1 openmp=
for argument in "$@"; do
    case $argument in
    -fopenmp)
        [ "$before" = -Xpreprocessor ] || {
            echo "clang: error: unsupported option '-fopenmp'" >&2
            exit 1
        }
        openmp=-fopenmp ;;
    -Xpreprocessor | -Wno-unused-command-line-argument) ;;
    -I*) [ -f "${argument#-I}/omp.h" ] && header=1
        arguments="$arguments $argument" ;;
    -L*) [ -f "${argument#-L}/libomp.dylib" ] && library=1 ;;
    -lomp) openmp_library=1 ;;
    -c) links= arguments="$arguments -c" ;;
    *) arguments="$arguments $argument" ;;
    esac
    before=$argument
done
case "$arguments" in
*try.c*) [ "$openmp$header" = -fopenmp1 ] || exit 1 ;;
esac
if [ -n "$openmp$links" ] && [ -n "$openmp_library" ] && [ -z "$library" ]; then
    echo "ld: library 'omp' not found" >&2
    exit 1
fi
exec $REAL_COMPILER $openmp $arguments
END
# Homebrew's folder is where brew says.
cat >"$T/bin/brew" <<'END'
#!/bin/sh
[ "$*" = "--prefix libomp" ] && echo "$BREW_FOLDER"
END
chmod +x "$T/bin/apple-clang" "$T/bin/brew"
PATH=$T/bin:$PATH REAL_COMPILER=$real
export PATH REAL_COMPILER

# library FOLDER INSIDE: one that looks like libomp.
library() {
    mkdir -p "$T/$1/include$2" "$T/$1/lib$2"
    omp=$(echo '#include <omp.h>' | $real -fopenmp -E -x c - | sed -n 's/^# 1 "\(.*omp.h\)".*/\1/p')
    cp "$(echo "$omp" | head -n 1)" "$T/$1/include$2/omp.h"
    : >"$T/$1/lib$2/libomp.dylib"
}
library brew ""
library ports /libomp

# flags_of: of the stand-in, into $T/flags, and what is said into $T/said.
flags_of() { tools/dev/openmp apple-clang >"$T/flags" 2>"$T/said"; }

flags_of
check "without libomp there are no flags" test ! -s "$T/flags"
check "one line is said" test "$(wc -l <"$T/said")" -eq 1
check "it says how to install it" grep -q 'brew install libomp.*port install' "$T/said"
BREW_FOLDER=$T/brew flags_of
check "Homebrew's library is found" grep -q -- "-fopenmp .*-I$T/brew/include -L$T/brew/lib -lomp" \
    "$T/flags"
check "and nothing is said" test ! -s "$T/said"
LIBOMP=$T/ports flags_of
check "MacPorts' library is found" grep -q -- "-L$T/ports/lib/libomp -lomp" "$T/flags"

# make takes them, and what it makes has threads.
(
    mkdir "$T/tree" && cp -r Makefile slm.h tools "$T/tree" && mkdir "$T/tree/examples" &&
        cp examples/01_selection.c "$T/tree/examples"
    unset MAKEFLAGS MFLAGS
    export BREW_FOLDER="$T/brew"
    cd "$T/tree" && make -n CC=apple-clang build/examples/01_selection &&
        make CC=apple-clang CFLAGS=-O0 build/examples/01_selection
) >"$T/make.txt" 2>&1
check "make takes the flags" grep -q -- '-lomp' "$T/make.txt"
check "and compiles" test -x "$T/tree/build/examples/01_selection"
(
    unset MAKEFLAGS MFLAGS
    cd "$T/tree" && make -n CC=apple-clang build/examples/01_selection
) >"$T/make.txt" 2>&1
check "without libomp make says so" grep -q 'brew install libomp' "$T/make.txt"
check "and goes on" grep -q 'apple-clang.*01_selection' "$T/make.txt"
check "without OpenMP" sh -c "! grep -q -- -fopenmp '$T/make.txt'"

# The threads in use are said.
if [ -x build/slm ]; then
    check "slm info says how many threads there are" \
        sh -c 'OMP_NUM_THREADS=2 build/slm info --json | grep -q "\"threads\": 2,"'
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
