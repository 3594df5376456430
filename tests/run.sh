#!/bin/sh
# Runs every test given (programs and scripts), shows what fails, adds up their lines
# `N passed, N failed` and ends with the sum.  A test has failed if it does not print that line, or
# if it exits with another code than its counts say.
passed=0 failed=0
# Tests use more threads than there are cores: let those that wait sleep, not spin.
OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0
export OMP_WAIT_POLICY GOMP_SPINCOUNT
mkdir -p build/tmp
for test in "$@"; do
    name=$(basename "$test")
    log=build/tmp/$name.log
    case $test in
    *.sh) sh "$test" >"$log" 2>&1 ;;
    *) "$test" >"$log" 2>&1 ;;
    esac
    code=$?
    line=$(tail -n 1 "$log")
    counts=$(echo "$line" | sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed.*$/\1 \2/p')
    if [ -z "$counts" ]; then
        echo "$name: broke off (exit $code)"
        tail -n 20 "$log"
        failed=$((failed + 1))
        continue
    fi
    its_passed=${counts% *} its_failed=${counts#* }
    [ "$code" -eq 0 ] || [ "$its_failed" -gt 0 ] || its_failed=1
    passed=$((passed + its_passed)) failed=$((failed + its_failed))
    echo "$name: $line"
    if [ "$its_failed" -eq 0 ]; then grep -i '^skipped' "$log"
    else grep -v ' passed, ' "$log" | head -n 30; fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
