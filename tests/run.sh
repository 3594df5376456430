#!/bin/sh
# Runs every test given (programs and scripts), shows what fails, adds up their `N passed, N failed` lines and ends with the sum.
# A test that does not print that line, or exits with another code than its counts say, has failed.
passed=0 failed=0
# Tests use more threads than there are cores: let those that wait sleep, not spin.
OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0
export OMP_WAIT_POLICY GOMP_SPINCOUNT
mkdir -p build/tmp
for t in "$@"; do
    name=$(basename "$t")
    case $t in *.sh) sh "$t" >build/tmp/$name.log 2>&1 ;; *) "$t" >build/tmp/$name.log 2>&1 ;; esac
    code=$?
    line=$(tail -n 1 build/tmp/$name.log)
    counts=$(echo "$line" | sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed.*$/\1 \2/p')
    if [ -z "$counts" ]; then
        echo "$name: broke off (exit $code)"
        tail -n 20 build/tmp/$name.log
        failed=$((failed + 1))
        continue
    fi
    p=${counts% *} f=${counts#* }
    [ "$code" -eq 0 ] || [ "$f" -gt 0 ] || f=1
    passed=$((passed + p)) failed=$((failed + f))
    echo "$name: $line"
    [ "$f" -eq 0 ] && grep -i '^skipped' build/tmp/$name.log
    [ "$f" -eq 0 ] || grep -v ' passed, ' build/tmp/$name.log | head -n 30
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
