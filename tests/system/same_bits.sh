#!/bin/sh
# The same bits: reference, scores and selective training on a made-up text give the same files,
# byte for byte, for any number of threads, without OpenMP, a second time, and from builds at other
# levels, in other dialects and for this very processor.  (Killing and resuming is in cli.sh; more
# compilers and platforms are in check.sh.)
cd "$(dirname "$0")/../.." || exit 1
dir=build/tmp/same_bits
rm -rf $dir && mkdir -p $dir || exit 1
export OMP_WAIT_POLICY=passive OMP_DYNAMIC=false
cc=${CC:-cc} passed=0 failed=0
files="ref/model.safetensors noisy.scores run/model.safetensors run2/model.safetensors"

# same WHAT FOLDER: training left the same files there as the first run did.
same() {
    for file in $files; do
        if [ -s $dir/$2/$file ] && cmp -s $dir/first/$file $dir/$2/$file; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAIL $1: $file differs from that of build/slm with one thread"
        fi
    done
}

# text SEED LINES NOISE: made-up words; NOISE percent of them are followed by a number.
text() {
    awk -v seed="$1" -v lines="$2" -v noise="$3" 'BEGIN {
        split("the a of and to one two three plus minus is equals sum so then", word, " ")
        for (i = 0; i < lines; i++) {
            line = ""
            for (j = 0; j < 8; j++) {
                seed = (seed * 16807) % 2147483647
                line = line word[seed % 15 + 1] (seed % 100 < noise ? " x" seed % 9973 " " : " ")
            }
            print line "."
        }
    }'
}
text 1 80 0 >$dir/clean.txt
text 2 200 30 >$dir/noisy.txt

# method SLM FOLDER FLAGS...: a reference, its scores, and training on what they select.  The sizes
# are awkward, so that every ragged edge is met.
method() {
    slm=$1 to=$dir/$2
    shift 2
    mkdir -p $to
    steps "$slm" $to "$@" >$to/log 2>&1 && return
    failed=$((failed + 1))
    echo "FAIL $slm $*: $(tail -n 1 $to/log)"
}
steps() {
    slm=$1 to=$2
    shift 2
    shape="--dim 36 --layers 2 --heads 6 --kv-heads 2 --ffn 100 --seq 70"
    on_noisy="--data $dir/noisy.txt --init $to/ref --scores $to/noisy.scores --steps 12 --lr 0.01"
    "$slm" train --data $dir/clean.txt --out $to/ref $shape --batch 5 --steps 6 --lr 0.01 \
        --quiet "$@" &&
    "$slm" score --model $to/ref --data $dir/noisy.txt --out $to/noisy.scores --seq 70 \
        --quiet "$@" &&
    "$slm" train $on_noisy --out $to/run --select excess --ratio 0.4 --batch 5 --accumulate 2 \
        --quiet "$@" &&
    "$slm" train $on_noisy --out $to/run2 --select excess --ratio 0.6 --scope sequence --batch 7 \
        --quiet "$@"
}
method build/slm first --threads 1
if [ ! -s $dir/first/run2/model.safetensors ]; then
    echo "$passed passed, $((failed + 1)) failed"
    exit 1
fi
method build/slm again --threads 1
same "a second time" again
for threads in 2 3 4 7; do
    method build/slm threads$threads --threads $threads
    same "$threads threads" threads$threads
done

# other builds, two at a time
slm="tools/slm/*.c tools/common/*.c tools/report/*.c build/assets.c"
compile() {                                         # compile NAME FLAGS...
    name=$1; shift
    $cc "$@" -I. -Itools $slm -o $dir/$name.exe -lm >$dir/$name.log 2>&1
}
# try NAME WHAT: the program that compile made, if it did.
try() {
    if [ -x $dir/$1.exe ]; then
        method $dir/$1.exe $1
        same "$2" $1
    else
        failed=$((failed + 1))
        echo "FAIL $2 does not compile: $(grep -m 1 error $dir/$1.log)"
    fi
}
# can FLAG: does the compiler know it, and does what it makes run here?
can() {
    echo 'int main(void) { return 0; }' >$dir/probe.c
    $cc $1 $dir/probe.c -o $dir/probe 2>/dev/null && $dir/probe && echo $1
}
openmp=$(can -fopenmp)
native=$(can -march=native)
[ -n "$openmp" ] || echo "skipped: OpenMP ($cc has none)"
[ -n "$native" ] || echo "skipped: -march=native ($cc does not know it)"
compile plain -std=c99 -O2 &
compile gnu11 -std=gnu11 -O3 $openmp
wait
compile native -std=gnu11 -O2 $native $openmp &
compile low -std=c99 -O1 $openmp -DSLM__TEAM_JUDGES=0
wait
try plain "$cc -std=c99 -O2, without OpenMP"
try gnu11 "$cc -std=gnu11 -O3 $openmp"
try native "$cc -std=gnu11 -O2 $native $openmp"
try low "$cc -std=c99 -O1 $openmp"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
