#!/bin/sh
# Every lesson: the commands in its first comment build and run it, and it prints what stands below "It prints:".  Once as printed and
# once with the other choice of -fopenmp, without warnings in C99.  Ends with "N passed, N failed".
passed=0 failed=0
root=$PWD
for f in examples/[0-9]*.c; do
    name=$(basename "$f" .c)
    for threads in as_printed other; do
        dir=build/tmp/lesson/$name.$threads
        rm -rf "$dir" && mkdir -p "$dir"
        awk '/\*\//{exit} /It prints:/{on = 1} !on && /^ \*     /{print substr($0, 8)}' "$f" |
            sed "s|^cc |${CC:-cc} -std=c99 -Wall -Wextra -Wpedantic -Wno-unknown-warning-option -Wno-maybe-uninitialized -Werror |; s|-I\. examples|-I$root $root/examples|" >"$dir/run.sh"
        if [ $threads = other ]; then
            if grep -q fopenmp "$dir/run.sh"; then sed -i.old 's/-fopenmp//' "$dir/run.sh"; else sed -i.old 's/-O2/-O2 -fopenmp/' "$dir/run.sh"; fi
        fi
        awk '/\*\//{exit} on{sub(/^ \* ?/, ""); sub(/^    /, ""); print} /It prints:/{on = 1}' "$f" | sed '1{/^$/d;}' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"$dir/want"
        (cd "$dir" && sh -e ./run.sh >got 2>log)
        code=$?
        if [ $code -eq 0 ] && cmp -s "$dir/got" "$dir/want"; then passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAIL $f ($threads, exit $code)"
            head -n 5 "$dir/log"
            diff "$dir/want" "$dir/got" | head -n 6
        fi
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
