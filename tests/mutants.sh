#!/bin/sh
# `make mutants`: small errors in slm.h, made by rule (tests/support/mutants.awk), each of which the
# tests must notice.
#
#     sh tests/mutants.sh [-n N] [-w WORKERS] [SECTION...]
#
# Takes N of each section's mutants (default 24, of thousands), always the same ones, and the tests
# of its section in their order until one fails.  One that none notices has survived: a test is
# missing, or the change changes nothing; then tests/mutants_explained.txt says why, in paragraphs
# of the rule, the old line, the new line, and the reason.
# A mutant that is explained and killed all the same is a failure, too: the explanation is wrong.
# tcc compiles most tests here, in a thirtieth of a second, where it is installed.
# A test that does not end has noticed something.  It is given seconds of the processor, so that a
# busy machine decides nothing, and ten times those of the clock, in case all its threads wait.
cd "$(dirname "$0")/.." || exit 1
. tests/support/build.sh
export OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive
dir=build/mutants each=24 workers=2
while getopts n:w: option; do
    case $option in
    n) each=$OPTARG ;;
    w) workers=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
rm -rf $dir && mkdir -p $dir || exit 1
quick=$(command -v tcc || echo "$cc")

# SECTION: its tests, those first that notice most for their time.  Those marked as slow need an
# optimizer; small:kernels is all of kernels but the large products.
tests_of() {
    case $1 in
    base) echo random memory selection json tokenizer safetensors folders runs slow:pieces dropin \
        audit slow:gradients ;;
    selection) echo selection documents slow:step ;;
    vector) echo slow:team dropin audit small:kernels slow:gradients slow:kernels ;;
    gemm | rows) echo dropin audit small:kernels slow:gradients slow:kernels ;;
    tape | ops) echo audit dropin model documents slow:gradients slow:step ;;
    model) echo model dropin audit config safetensors generation slow:step ;;
    data) echo data documents selection scores dropin slow:step ;;
    scoring) echo scores documents dropin audit generation slow:stream slow:step ;;
    optimizer | step) echo dropin audit documents slow:step slow:pieces slow:gradients ;;
    generation) echo generation dropin audit ;;
    tokenizers) echo tokenizer_llama tokenizer documents limits ;;
    io) echo safetensors folders data runs config descriptors ;;
    json) echo json config tokenizer safetensors limits ;;
    formats) echo config safetensors folders runs scores data tokenizer_llama tokenizer model \
        slow:stream limits ;;
    esac
}

# compile TEST FOLDER: with the slm.h of the folder.
compile() {
    cc_was=$cc
    case $1 in
    slow:*) flags="-O1 -fopenmp" ;;
    small:*) flags="-O1 -fopenmp -DSMALL=1" ;;
    *) cc=$quick flags= ;;
    esac
    case $1 in
    *audit)
        build_test $2 "$audit_sources" $2/audit $flags &&
            build_test $2 "$audit_sources" $2/audit_double $flags -DSLM_REAL=double ;;
    *) build_test $2 "$(sources_of ${1#*:})" $2/test $flags ;;
    esac >$2/compile.log 2>&1
    compiled=$?
    cc=$cc_was
    return $compiled
}
# dropin, which trains a model and prints its hash, passes if it is what it was before anything was
# changed.
passes() {
    case $1 in
    *:*) seconds=120 ;;
    *) seconds=10 ;;
    esac
    (
        ulimit -t $seconds
        case $1 in
        dropin)
            timeout $((10 * seconds)) $2/test $2/folder >$2/said || exit 1
            [ -f $dir/dropin_says ] || cp $2/said $dir/dropin_says
            cmp -s $2/said $dir/dropin_says ;;
        audit)
            for golden in tests/data/golden_*; do
                timeout $((10 * seconds)) $2/audit $golden &&
                    timeout $((10 * seconds)) $2/audit_double $golden || exit 1
            done ;;
        *)
            mkdir -p $2/here/build/tmp
            cd $2/here && timeout $((10 * seconds)) ../test ;;
        esac
    ) >$2/run.log 2>&1
}

# try SECTION FOLDER: sets verdict.
try() {
    verdict=survived
    for test in $(tests_of $1); do
        [ -f $dir/unusable_$test ] && continue
        if ! compile $test $2; then
            verdict="no program"
            return
        fi
        if ! passes $test $2; then
            verdict="killed by ${test#*:}"
            return
        fi
    done
}

# Without any change every test passes; one that does not is named, and counts for nothing.
baseline() {
    here=$dir/baseline_$1
    mkdir -p $here && cp slm.h $here/
    for test in $(tests_of $1); do
        [ -f $dir/checked_$test ] && continue
        touch $dir/checked_$test
        compile $test $here && passes $test $here && continue
        touch $dir/unusable_$test
        echo "FAIL $test fails without any change: $(tail -n 1 $here/run.log)"
    done
}

tab=$(printf '\t')
awk -f tests/support/mutants.awk slm.h >$dir/all
for section in $(cut -f 1 $dir/all | awk '!seen[$0]++'); do
    case " $* " in
    "  " | *" $section "*) ;;
    *) continue ;;
    esac
    baseline $section
    grep "^$section$tab" $dir/all | sort -t "$tab" -k 4,4n -k 2,2n | head -n "$each"
done >$dir/chosen
grep '^FAIL' $dir/chosen
grep -v '^FAIL' $dir/chosen >$dir/list

work() {
    number=0
    while IFS="$tab" read -r section line rule hash rest; do
        number=$((number + 1))
        [ $((number % workers)) -eq $1 ] || continue
        here=$dir/$number
        mkdir -p $here
        sed -n "${number}p" $dir/list | cut -f 6 >$here/new
        awk -v line="$line" -v file=$here/new \
            'NR == line { getline < file } { print }' slm.h >$here/slm.h
        try $section $here
        old=$(sed -n "${number}p" $dir/list | cut -f 5 | sed 's/^ *//')
        new=$(sed 's/^ *//' $here/new)
        RULE=$rule OLD=$old NEW=$new awk 'BEGIN { RS = ""; FS = "\n" }
            $1 == ENVIRON["RULE"] && $2 == ENVIRON["OLD"] && $3 == ENVIRON["NEW"]' \
            tests/mutants_explained.txt >$here/why
        case $verdict in
        killed*) if [ -s $here/why ]; then verdict="explained, but $verdict"; fi ;;
        survived) if [ -s $here/why ]; then verdict=explained; fi ;;
        esac
        printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$verdict" "$section" "$line" "$rule" "$old" "$new"
        rm -rf $here
    done <$dir/list
}
worker=0
while [ $worker -lt $workers ]; do
    work $worker >$dir/worker_$worker &
    worker=$((worker + 1))
done
wait

cat $dir/worker_* >$dir/verdicts
awk -F '\t' '
{
    kind = $1
    sub(/ .*/, "", kind)
    if ($1 ~ /^explained, but/) kind = "wrong"
    count[$2 " " kind]++
    total[kind]++
    sections[$2] = 1
}
kind == "survived" { print "FAIL survived: slm.h:" $3 " (" $2 ", " $4 "): " $5 "  ->  " $6 }
kind == "wrong" { print "FAIL " $1 ": slm.h:" $3 " (" $4 "): " $5 }
END {
    printf "%-11s %6s %9s %9s %10s\n", "section", "killed", "explained", "survived", "no program"
    for (s in sections)
        printf "%-11s %6d %9d %9d %10d\n", s, count[s " killed"], count[s " explained"],
            count[s " survived"] + count[s " wrong"], count[s " no"] | "sort"
    close("sort")
}' $dir/verdicts
n_good=$(grep -c '^killed\|^explained	' $dir/verdicts)
n_bad=$(grep -c '^survived\|^explained, but' $dir/verdicts)
n_bad=$((n_bad + $(grep -c '^FAIL' $dir/chosen)))
echo "$n_good passed, $n_bad failed"
[ "$n_bad" -eq 0 ]
