#!/bin/sh
# `make fuzz`: every reader under libFuzzer, one target after the other, on one core each.
#
#     make fuzz                             60 seconds a target
#     make fuzz TARGET="json log" TIME=600  these two, ten minutes each
#     make fuzz RUNS=10000000               until each has had so many, all runs of this counted
#     sh tests/fuzz.sh -l                   the targets
#     sh tests/fuzz.sh --minimize           what was found becomes the corpus, tests/fuzz/corpus
#
# What is found is kept in build/fuzzing/TARGET, so that a campaign may be run in parts: each part
# goes on from there, and the table at the end counts the executions of all parts.  An input that is
# bad is kept there too, by the name of its target, and named.
cd "$(dirname "$0")/.." || exit 1
work=build/fuzzing
list() { sed -n 's/^.*{"\([a-z0-9]*\)", fuzz_.*/\1/p' tests/fuzz/fuzz.c; }
if [ "$1" = -l ]; then
    list
    exit
fi
export ASAN_OPTIONS=quarantine_size_mb=8
targets=${TARGET:-$(list)}

# number NAME LOG: of the statistics that libFuzzer ends with; the last one of a line of progress.
statistic() { sed -n "s/^stat::$1: *//p" "$2" | tail -n 1; }
progress() { sed -n "s/^#.* $1: \([0-9]*\).*/\1/p" "$2" | tail -n 1; }

# minimize TARGET: as few and small inputs as reach every edge that is reached now.
minimize() {
    new=$work/$1.minimal corpus=tests/fuzz/corpus/$1
    rm -rf "$new" && mkdir -p "$new" "$work/$1" "$corpus"
    build/fuzz --target="$1" -merge=1 -use_counters=0 -rss_limit_mb=2048 \
        "$new" "$corpus" "$work/$1" >"$work/$1.log" 2>&1 || {
        echo "$1: cannot be minimized ($work/$1.log)"
        return 1
    }
    rm -rf "$corpus" && mkdir -p "$corpus"
    i=0
    for input in $(ls -S -r "$new"); do
        i=$((i + 1))
        cp "$new/$input" "$corpus/$(printf %03d $i)"
    done
    echo "$1: $i inputs, $(cat "$corpus"/* | wc -c) bytes"
}
mkdir -p $work
if [ "$1" = --minimize ]; then
    for target in $targets; do minimize "$target" || exit 1; done
    exit
fi

bad=0
printf '%-12s %12s %12s %9s %7s %9s %7s\n' target executions 'in all' '/s' edges features inputs
for target in $targets; do
    mkdir -p "$work/$target"
    log=$work/$target.log count=$work/$target.count
    before=$(cat "$count" 2>/dev/null || echo 0)
    limit=-max_total_time=${TIME:-60}
    [ -n "$RUNS" ] && limit=-runs=$((RUNS - before))
    [ -n "$RUNS" ] && [ $((RUNS - before)) -le 0 ] && limit=-runs=0
    build/fuzz --target="$target" -dict=tests/fuzz/dictionary/"$target" "$limit" -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$work/$target." \
        "$work/$target" tests/fuzz/corpus/"$target" >"$log" 2>&1
    code=$?
    n=$(statistic number_of_executed_units "$log")
    total=$((before + ${n:-0}))
    echo $total >"$count"
    printf '%-12s %12s %12s %9s %7s %9s %7s\n' "$target" "${n:--}" $total \
        "$(statistic average_exec_per_sec "$log")" "$(progress cov "$log")" \
        "$(progress ft "$log")" "$(ls "$work/$target" | wc -l)"
    if [ $code -ne 0 ]; then
        bad=$((bad + 1))
        grep -E -m 2 'ERROR|not as it must|more memory than|SUMMARY' "$log"
        sed -n 's/.*written to /BAD /p' "$log"
    fi
done
[ $bad -eq 0 ]
