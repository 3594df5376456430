#!/bin/sh
# The lessons in examples/ do what their first comments say.  Each is built and run by exactly the
# lines that are printed there, and its output is held against the block under "It prints:"; where
# it speaks of OpenMP, once more with it.  And each must be C99 without a warning.
cd "$(dirname "$0")/../.." || exit 1
CC=${CC:-cc}
export CC
# Small models on a busy machine: threads that wait for each other in a loop would take the time of
# those they wait for.
OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive
export OMP_NUM_THREADS OMP_WAIT_POLICY
root=$(pwd)
work=build/tmp/examples
rm -rf "$work"
mkdir -p "$work"

# The first comment's commands: the indented lines before "It prints:".  And the block behind it.
commands() { awk '/\*\// || /It prints:/ { exit } sub(/^ \*     /, "")' "$1"; }
expected() {
    awk '
        /\*\// { exit }
        in_block && (sub(/^ \*     /, "") || sub(/^ \*$/, "")) { print }
        in_block { next }
        /It prints:/ {
            in_block = 1
            getline
        }' "$1"
}
threads=1
printf 'int main(void) { return 0; }\n' >"$work/probe.c"
if ! $CC -fopenmp "$work/probe.c" -o "$work/probe" >/dev/null 2>&1; then
    threads=0
    echo "skipped: $CC has no -fopenmp"
fi

# verdict STATUS WHAT: prints one line.
verdict() {
    if [ "$1" -eq 0 ]; then echo "ok   $2"; else echo "FAIL $2"; fi
}

# attempt FOLDER LESSON SED: runs the lesson's commands, changed by SED, in a fresh folder that has
# what the root has.
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
    [ "$(wc -l <"$1")" -lt 180 ] && [ -s "$here/expected" ] &&
        commands "$1" | grep -q "^cc -O2 .*-I\. examples/$name\.c -o ${name%%_*} -lm\$"
    verdict $? "$name: is shorter than 180 lines and says how it is built and what it prints"

    attempt "$here/asis" "$1" 's/^cc /$CC /'
    verdict $? "$name: builds and runs"
    [ -s "$here/asis/log" ] && sed 's/^/     /' "$here/asis/log"
    diff "$here/expected" "$here/asis/out" >"$here/difference"
    verdict $? "$name: prints what it says"
    sed 's/^/     /' "$here/difference"

    if grep -q -e -fopenmp "$1" && [ $threads -eq 1 ]; then
        attempt "$here/threads" "$1" 's/^cc -O2/$CC -O2 -fopenmp/' &&
            cmp -s "$here/expected" "$here/threads/out"
        verdict $? "$name: prints the same with OpenMP"
    fi

    strict='$CC -O0 -std=c99 -Wall -Wextra -Wpedantic'
    attempt "$here/c99" "$1" "/^cc /!d; s/^cc -O2/$strict/" &&
        [ ! -s "$here/c99/log" ]
    verdict $? "$name: is C99 without a warning"
    [ -s "$here/c99/log" ] && sed 's/^/     /' "$here/c99/log"
}

# Two at a time.
count=0
for source in examples/*.c; do
    case $source in *_mpi.c) continue ;; esac      # system/mpi.sh has it
    lesson "$source" >"$work/$(basename "$source" .c).log" 2>&1 &
    count=$((count + 1))
    [ $((count % 2)) -eq 0 ] && wait
done
wait

# ---- what the lessons do with files of one's own, and with bad ones ----
model=$work/06_smallest/asis/model
missing=$work/missing.txt
start() {                                      # PROGRAM ARGS: keeps what it prints
    "$@" >"$work/out" 2>"$work/log"
}
{
    [ -s "$model/config.json" ] && [ -s "$model/model.safetensors" ] &&
        [ -s "$model/tokenizer.json" ]
    verdict $? "06_smallest: saves a model folder"

    start "$work/04_score/asis/04" "$work/06_smallest/asis/clean.txt" "$model" &&
        grep -q 'nats each' "$work/out"
    verdict $? "04_score: scores a file with the model that 06_smallest saved"

    start "$work/04_score/asis/04" "$missing" "$model"
    [ $? -eq 1 ] && [ ! -s "$work/out" ] && grep -q 'missing\.txt' "$work/log"
    verdict $? "04_score: names a file that is missing"

    start "$work/05_method/asis/05" "$missing" "$missing" "$missing"
    [ $? -eq 1 ] && [ ! -s "$work/out" ] && grep -q 'missing\.txt' "$work/log"
    verdict $? "05_method: names a file that is missing"

    start "$work/06_smallest/asis/06"
    [ $? -eq 2 ] && [ ! -s "$work/out" ] && grep -q '^use: ' "$work/log"
    verdict $? "06_smallest: says how to use it"
} >"$work/own.log" 2>&1

cat "$work"/[0-9]*.log "$work/own.log" >"$work/all.log"
cat "$work/all.log"
passed=$(grep -c '^ok ' "$work/all.log")
failed=$(grep -c '^FAIL ' "$work/all.log")
if [ $((passed + failed)) -lt $((count * 4 + 5)) ]; then
    echo "FAIL a lesson's test broke off"
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
