#!/bin/sh
# tests/crash/crash.sh: what becomes of files when the tool is killed, when the power fails, when
# a call of the system fails, and when memory runs out.  Linux on x86-64, where ptrace is permitted.
#
#     sh tests/crash/crash.sh points [EVERY]       killed at every point (or every n-th)
#     sh tests/crash/crash.sh failures [EVERY]     operations fail at every place (or every n-th)
#     sh tests/crash/crash.sh allocations [EVERY]  allocations fail at every place (or every n-th)
#     sh tests/crash/crash.sh power [CASES [SEED [CASE]]]   10,000 random failures of the power
#     sh tests/crash/crash.sh all                  points, failures, allocations and power in full
#
# SLM names the tool; it must have been made.  The files are in memory (/dev/shm) if that is there.
cd "$(dirname "$0")/../.." || exit 1
SLM=${SLM:-build/slm}
case $SLM in /*) ;; *) SLM=$PWD/$SLM ;; esac
CC=${CC:-cc}
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive LC_ALL=C
what=$1
[ $# -gt 0 ] && shift

case $(uname -sm) in
"Linux x86_64") ;;
*)
    echo "skipped: crash $what (it knows the system calls of Linux on x86-64)"
    exit ;;
esac
if [ ! -x "$SLM" ]; then
    echo "$SLM is not there: make it first"
    exit 1
fi
room=build/tmp
[ -w /dev/shm ] && room=/dev/shm
T=$(mktemp -d $room/slm_crash.XXXXXX) || exit 1
T=$(cd "$T" && pwd)
trap 'rm -rf "$T"' EXIT
trap 'exit 130' INT TERM
mkdir -p build/tmp

# array FILE: its first 260 bytes as 4 rows of ids.
array() {
    printf '\223NUMPY\001\000\166\000'
    printf '%-117s\n' "{'descr': '<i4', 'fortran_order': False, 'shape': (4, 65), }"
    for byte in $(head -c 260 "$1" | od -An -v -t o1); do printf "\\$byte\\000\\000\\000"; done
}
# The inputs of the scenarios, in $T/in.
inputs() {
    mkdir -p in/gpt2 && cd in || exit 1
    awk 'BEGIN { for (i = 0; i < 300; i++) printf "word %d and ", i }' >text
    awk 'BEGIN { for (i = 0; i < 2000; i++) printf "word %d and ", i * 7 % 1000 }' >long
    train="train --data text --dim 8 --layers 1 --heads 1 --ffn 8 --seq 64 --batch 2 --quiet"
    "$SLM" $train --steps 4 --out model
    "$SLM" $train --steps 4 --seed 9 --theta 500 --out other
    "$SLM" $train --steps 4 --seed 9 --out seeded
    "$SLM" convert model model.gguf --quiet
    "$SLM" convert other other.gguf --quiet
    "$SLM" tokenizer train --data long --vocab 290 --out t.json --quiet
    sed -n '/^"vocab"/,/^"merges"/p' t.json |
        sed '1s/^"vocab"://; s/},$/,"<|endoftext|>":289}/; /^"merges"/d' >gpt2/encoder.json
    sed -n '/^"merges"/,$p' t.json | sed '1d; s/^"//; s/".*//' >gpt2/vocab.bpe
    array text >tokens.npy
    array long >old.npy
    cd ..
}
(cd "$T" && inputs) >"$T/log" 2>&1

# program NAME: one of the programs of this folder.
program() {
    sources=
    for name in $1 scenarios judge trace tree disk; do sources="$sources tests/crash/$name.c"; done
    $CC -std=c99 -O1 -Wall -Wextra $sources -o "$T/$1"
}
case $what in
points)
    program points || exit 1
    "$T/points" "$SLM" "$T" "${@:-1}" ;;
failures)
    program failures || exit 1
    "$T/failures" "$SLM" "$T" "${@:-1}" ;;
allocations)
    program allocations || exit 1
    $CC -std=c99 -O1 -Wall -Wextra -fPIC -shared tests/crash/failing_malloc.c \
        -o "$T/failing_malloc.so" || exit 1
    "$T/allocations" "$SLM" "$T" "$T/failing_malloc.so" "${1:-1}" ;;
power)
    program power || exit 1
    "$T/power" "$SLM" "$T" "${1:-10000}" "${2:-1}" $3 ;;
all)
    code=0
    for part in points power failures allocations; do
        CC=$CC SLM=$SLM sh tests/crash/crash.sh $part || code=1
    done
    exit $code ;;
*)
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 2 ;;
esac
