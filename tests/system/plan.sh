#!/bin/sh
# The plan of `make repro`: which learning rates are tried.  Made-up runs say how good each was, and
# `reproduce run --dry-run` what is left to do.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/counts.sh
dir=build/tmp/plan
rm -rf $dir && mkdir -p $dir || exit 1
if ! make -s ${CC:+CC="$CC"} build/reproduce; then
    bad "build/reproduce cannot be made"
    echo "$passed passed, $failed failed"
    exit 1
fi

# tried FOLDER RATE=LOSS...: the trials of plain training that have been made there.
tried() {
    mkdir -p "$dir/$1/runs"
    folder=$dir/$1
    shift
    for trial in "$@"; do
        run=$folder/runs/builtin-tune-clm-lr${trial%=*}-seed1.csv
        printf 'valid_loss\n%s\n' "${trial#*=}" >"$run"
    done
    build/reproduce run --dry-run --out "$folder" >"$folder/plan" 2>"$folder/err"
}
# says FOLDER RATE WORDS: what the plan says of a trial; nothing where it is to be made.
says() {
    line=$(sed -n "s/^builtin-tune-clm-lr$2-seed1 *[0-9]*k *//p" "$dir/$1/plan")
    if [ "$line" = "$3" ]; then ok
    else bad "$1: of rate $2 the plan says '$line', not '$3'"; fi
}
if_better="if the rate before it is better than the one before that"

tried nothing
for rate in 0.0005 0.001 0.002; do says nothing $rate ""; done
for rate in 0.000125 0.00025 0.004 0.008; do says nothing $rate "$if_better"; done

tried middle 0.0005=3 0.001=1 0.002=2
for rate in 0.0005 0.001 0.002; do says middle $rate finished; done
for rate in 0.000125 0.00025 0.004 0.008; do says middle $rate "not needed"; done

tried high 0.0005=3 0.001=2 0.002=1
says high 0.00025 "not needed"
says high 0.000125 "not needed"
says high 0.004 ""
says high 0.008 "$if_better"

tried higher 0.0005=3 0.001=2 0.002=1.5 0.004=1
says higher 0.008 ""
tried enough 0.0005=3 0.001=2 0.002=1.5 0.004=1.5
says enough 0.008 "not needed"

tried low 0.0005=1 0.001=2 0.002=3 0.00025=0.5
says low 0.004 "not needed"
says low 0.00025 finished
says low 0.000125 ""

# What is not needed is no job of the plan, and what may be needed is told apart.
words() { sed -n '$s/.*perhaps \([0-9]*\) more.*/\1/p' "$dir/$1/plan"; }
if [ $(($(words nothing) - $(words middle))) -eq 4 ]; then ok
else bad "four trials fewer may be needed: $(words nothing), then $(words middle)"; fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
