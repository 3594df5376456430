#!/bin/sh
# The inputs that fuzzing has found (tests/fuzz/corpus) are run again, by whatever compiler: none of
# them crashes a reader or makes it break its word, also where an allocation of slm.h fails.
cd "$(dirname "$0")/../.." || exit 1
REPLAY=${REPLAY:-build/replay}
log=build/tmp/corpus.log
passed=0 failed=0
pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "FAIL $1"; }
mkdir -p build/tmp

for target in $($REPLAY --list); do
    corpus=tests/fuzz/corpus/$target
    n=$(ls $corpus 2>/dev/null | wc -l | tr -d ' ')
    if [ "$n" -gt 0 ] && [ -s tests/fuzz/dictionary/$target ]; then pass
    else fail "$target has no corpus or no dictionary"; fi
    for flag in "" --oom; do
        $REPLAY --target=$target $flag $corpus/* >$log 2>&1
        code=$?
        if [ $code -eq 0 ] && grep -q "^$n inputs of $target, none bad" $log; then pass
        else fail "$target $flag: exit $code: $(tail -n 1 $log)"; fi
    done
done

# Each folder is that of a target, and all together are small.
for folder in tests/fuzz/corpus/* tests/fuzz/dictionary/*; do
    if $REPLAY --list | grep -q -x "$(basename "$folder")"; then pass
    else fail "$folder is of no target"; fi
done
size=$(cat tests/fuzz/corpus/*/* tests/fuzz/dictionary/* | wc -c | tr -d ' ')
if [ "$size" -lt 2000000 ]; then pass; else fail "$size bytes of corpora are 2 MB or more"; fi

# What cannot be run is no success.
$REPLAY --target=json build/tmp/corpus.missing >$log 2>&1
code=$?
if [ $code -eq 1 ]; then pass; else fail "an input that is not there: exit $code"; fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
