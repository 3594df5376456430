#!/bin/sh
# `make coverage`: which lines of the sections of slm.h that read what others wrote (tokenizers, io,
# json, formats, and data) are run by the unit tests and by the inputs that fuzzing has found.
#
# Prints a row a section, and every line that is not run, with the reason that tests/coverage.txt
# gives.  Fails if a section has less than 95%, if a line has no reason, or if a reason has no line.
# Needs clang and llvm.  A word as argument: only lines of functions with that word are printed.
cd "$(dirname "$0")/.." || exit 1
. tests/support/build.sh
dir=build/coverage
cc=clang
tests="answers config data documents folders gguf json limits runs safetensors scores
    tokenizer tokenizer_llama"                         # dropin, below: with real files
export OMP_NUM_THREADS=1

newest() { # PROGRAM: of LLVM, with or without a version in its name
    for program in $1 $(ls /usr/bin/$1-[0-9]* 2>/dev/null | sort -t - -k 3 -n -r); do
        command -v "$program" && return
    done
}
cov=$(newest llvm-cov) profdata=$(newest llvm-profdata)
if ! command -v clang >/dev/null || [ -z "$cov" ] || [ -z "$profdata" ]; then
    echo "make coverage: install clang llvm"
    exit 1
fi
rm -rf $dir && mkdir -p $dir || exit 1
flags="-g -O0 -w -fprofile-instr-generate -fcoverage-mapping"

# count NAME: what its runs have left becomes a list of lines, `LINE COUNT`.
count() {
    $profdata merge -sparse -o $dir/$1.profdata $dir/$1.*.raw &&
        $cov export -format=lcov -instr-profile=$dir/$1.profdata $dir/$1 slm.h |
        sed -n 's/^DA:\([0-9]*\),\([0-9]*\).*/\1 \2/p' >$dir/$1.lines
    [ -s $dir/$1.lines ] || echo "no coverage of $1"
    rm -f $dir/$1.*.raw
}
one_test() {
    build_test . "$(sources_of $1)" $dir/$1 $flags -DWORK=1 || exit 1
    LLVM_PROFILE_FILE=$dir/$1.0.raw $dir/$1 $2 >$dir/$1.log 2>&1 ||
        echo "note: $1 fails when it is measured: $(grep -m 1 FAIL $dir/$1.log)"
    count $1
}
for test in $tests; do one_test $test; done
one_test dropin $dir/folder

$cc $std $flags -DREPLAY -I. -Itools $(make -s fuzz_sources) -o $dir/replay -lm || exit 1
for target in $($dir/replay --list); do
    for flag in "" --oom; do
        LLVM_PROFILE_FILE=$dir/replay.$target$flag.raw \
            $dir/replay --target=$target $flag tests/fuzz/corpus/$target/* 2>$dir/replay.log ||
            echo "note: $target $flag fails: $(tail -n 1 $dir/replay.log)"
    done
done
count replay

# Lines that were compiled anywhere; a line is run if one program ran it.
cat $dir/*.lines | awk '
    { if ($2 > most[$1] || !($1 in most)) most[$1] = $2 }
    END { for (line in most) print line, (most[line] > 0) }' | sort -n >$dir/all
awk -v word="$1" -f tests/coverage.awk tests/coverage.txt $dir/all slm.h
