#!/bin/sh
# What README prints: its program is examples/06_smallest.c and builds and runs by the lines that stand below it; its walk-through runs
# as it stands (with fewer steps) on three small texts; the picture is there.  Ends with "N passed, N failed".
passed=0 failed=0
ok() { if [ "$1" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $2"; fi; }
dir=build/tmp/readme
rm -rf $dir && mkdir -p $dir
awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' README.md >$dir/smallest.c
awk '/^#define SLM_IMPLEMENTATION/ { on = 1 } on' examples/06_smallest.c | cmp -s - $dir/smallest.c
ok $? "the program in README is not examples/06_smallest.c"
awk 'BEGIN { for (i = 0; i < 3000; i++) { print i % 8 "+" i % 9 "=" (i % 8 + i % 9); print "id " i * 7919 % 10007 } }' >$dir/noisy.txt
awk 'BEGIN { for (i = 0; i < 600; i++) print i % 8 "+" i % 9 "=" (i % 8 + i % 9) }' >$dir/clean.txt
cp $dir/clean.txt $dir/target.txt
cc=$(grep '^cc .*06_smallest' README.md | sed "s|^cc |${CC:-cc} |; s|-o smallest|-o $dir/smallest|")
sh -c "$cc" >$dir/log 2>&1
ok $? "does not build: $cc"
(cd $dir && ./smallest noisy.txt clean.txt out >log 2>&1 && [ -s out/model.safetensors ])
ok $? "./smallest noisy.txt clean.txt out: $(tail -n 1 $dir/log)"
awk '/^## Use it on your data/ { here = 1 } here && /^```sh$/ { on = 1; next } /^```$/ { if (on) exit } on' README.md |
    sed "s|build/slm|$PWD/build/slm|; s/#.*//; s/--steps [0-9]*/--steps 4/; s/--vocab 1024/--vocab 300/; s/--seq 256/--seq 64/; /^make$/d" >$dir/walk.sh
(cd $dir && sh -e ./walk.sh >walk.log 2>&1)
ok $? "the walk-through: $(tail -n 2 $dir/walk.log)"
[ -s $dir/view.html ] && [ -s .github/result.svg ]
ok $? "no view.html, or no picture"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
