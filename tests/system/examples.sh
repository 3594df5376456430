#!/bin/sh
# The lessons in examples/ do what their first comments say.  Each is built and run by exactly the lines that stand there, and its
# output is held against the block under "It prints:"; where the lines ask for OpenMP, once more without it.  And each must be
# C99 without a warning.
# Run from the repository's root.  Leaves its files in build/tmp/examples.
CC=${CC:-cc}
export CC
# Small models on a busy machine: threads that wait for each other in a loop would take the time of those they wait for.
OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive
export OMP_NUM_THREADS OMP_WAIT_POLICY
root=$(pwd)
work=build/tmp/examples
rm -rf "$work"
mkdir -p "$work"

# The first comment's commands: the indented lines before "It prints:".  And the block behind it.
commands() { awk '/\*\// || /It prints:/ { exit } sub(/^ \*     /, "")' "$1"; }
expected() {
    awk '/\*\// { exit } in_block { if (sub(/^ \*     /, "") || sub(/^ \*$/, "")) print; next } /It prints:/ { in_block = 1; getline }' "$1"
}
threads=1
printf 'int main(void) { return 0; }\n' >"$work/probe.c"
$CC -fopenmp "$work/probe.c" -o "$work/probe" >/dev/null 2>&1 || { threads=0; echo "skipped: $CC has no -fopenmp"; }

verdict() {                                    # verdict STATUS WHAT: one line, and the reason of a failure from the log
    if [ "$1" -eq 0 ]; then echo "ok   $2"; else echo "FAIL $2"; fi
}
# attempt FOLDER LESSON SED: runs the lesson's commands, changed by SED, in a fresh folder that looks like the root.
attempt() {
    mkdir -p "$1"
    ln -s "$root/examples" "$1/examples"
    ln -s "$root/slm.h" "$1/slm.h"
    commands "$2" | sed "$3" >"$1/commands"
    (cd "$1" && sh -e ./commands >out 2>log)
}
lesson() {
    name=$(basename "$1" .c)
    here=$work/$name
    mkdir -p "$here"
    expected "$1" >"$here/expected"
    [ "$(wc -l <"$1")" -lt 150 ] && [ -s "$here/expected" ] && commands "$1" | grep -q "^cc -O2 .*-I\. examples/$name\.c -o ${name%%_*} -lm\$"
    verdict $? "$name: shorter than 150 lines, has its cc line and its output in the first comment"

    if [ $threads -eq 1 ]; then plain=''; else plain='s/ -fopenmp//'; fi
    attempt "$here/asis" "$1" "s/^cc /\$CC /;$plain"
    verdict $? "$name: builds and runs"
    [ -s "$here/asis/log" ] && sed 's/^/     /' "$here/asis/log"
    cmp -s "$here/expected" "$here/asis/out"
    verdict $? "$name: prints what it says"
    cmp -s "$here/expected" "$here/asis/out" || diff "$here/expected" "$here/asis/out" | sed 's/^/     /'

    if grep -q '^ \*     cc .*-fopenmp' "$1"; then
        attempt "$here/serial" "$1" 's/^cc /$CC /;s/ -fopenmp//' && cmp -s "$here/expected" "$here/serial/out"
        verdict $? "$name: prints the same without OpenMP"
    fi

    attempt "$here/c99" "$1" '/^cc /!d;s/^cc -O2/$CC -O0 -std=c99 -Wall -Wextra -Wpedantic/;s/ -fopenmp//' && [ ! -s "$here/c99/log" ]
    verdict $? "$name: is C99 without a warning"
    [ -s "$here/c99/log" ] && sed 's/^/     /' "$here/c99/log"
}

# Two at a time.
count=0
for source in examples/*.c; do
    lesson "$source" >"$work/$(basename "$source" .c).log" 2>&1 &
    count=$((count + 1))
    [ $((count % 2)) -eq 0 ] && wait
done
wait

# What the lessons do with files of one's own, and with bad ones.
model=$work/06_smallest/asis/model
{
    [ -s "$model/config.json" ] && [ -s "$model/model.safetensors" ] && [ -s "$model/tokenizer.json" ]
    verdict $? "06_smallest: saves a model folder"
    "$work/04_score/asis/04" "$work/06_smallest/asis/clean.txt" "$model" >"$work/out" 2>"$work/log" && grep -q 'nats each' "$work/out"
    verdict $? "04_score: scores a file with the model that 06_smallest saved"
    "$work/04_score/asis/04" "$work/missing.txt" "$model" >"$work/out" 2>"$work/log"
    [ $? -eq 1 ] && [ ! -s "$work/out" ] && grep -q 'missing\.txt' "$work/log"
    verdict $? "04_score: names a file that is missing"
    "$work/05_method/asis/05" "$work/missing.txt" "$work/missing.txt" "$work/missing.txt" >"$work/out" 2>"$work/log"
    [ $? -eq 1 ] && [ ! -s "$work/out" ] && grep -q 'missing\.txt' "$work/log"
    verdict $? "05_method: names a file that is missing"
    "$work/06_smallest/asis/06" >"$work/out" 2>"$work/log"
    [ $? -eq 2 ] && [ ! -s "$work/out" ] && grep -q '^use: ' "$work/log"
    verdict $? "06_smallest: says how to use it"
} >"$work/own.log" 2>&1

cat "$work"/[0-9]*.log "$work/own.log"
passed=$(cat "$work"/[0-9]*.log "$work/own.log" | grep -c '^ok ')
failed=$(cat "$work"/[0-9]*.log "$work/own.log" | grep -c '^FAIL ')
[ $((passed + failed)) -ge $((count * 4 + 5)) ] || { echo "FAIL a lesson's test broke off"; failed=$((failed + 1)); }
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
