#!/bin/sh
# What README prints.  Its program is examples/06_smallest.c, and builds and runs by the lines below
# it; its pictures are there.  Its walk-through is walkthrough.sh's.
cd "$(dirname "$0")/../.." || exit 1
dir=build/tmp/readme
rm -rf $dir && mkdir -p $dir || exit 1
passed=0 failed=0
ok() {                                             # STATUS WHAT
    if [ "$1" -eq 0 ]; then passed=$((passed + 1))
    else failed=$((failed + 1)); echo "FAIL $2"; fi
}

# ---- two texts: sums, with noise between them, and without ----
awk 'BEGIN {
    for (i = 0; i < 3000; i++) {
        print i % 8 "+" i % 9 "=" (i % 8 + i % 9)
        print "id " i * 7919 % 10007
    }
}' >$dir/noisy.txt
awk 'BEGIN { for (i = 0; i < 600; i++) print i % 8 "+" i % 9 "=" (i % 8 + i % 9) }' >$dir/clean.txt

# ---- the program ----
awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' README.md >$dir/smallest.c
awk '/^#define SLM_IMPLEMENTATION/ { on = 1 } on' examples/06_smallest.c | cmp -s - $dir/smallest.c
ok $? "the program in README is not examples/06_smallest.c"
build=$(grep '^cc .*06_smallest' README.md |
    sed "s|^cc |${CC:-cc} |; s|-o smallest|-o $dir/smallest|")
sh -c "$build" >$dir/log 2>&1
ok $? "does not build: $build"
(cd $dir && ./smallest noisy.txt clean.txt out >log 2>&1 && [ -s out/model.safetensors ])
ok $? "./smallest noisy.txt clean.txt out: $(tail -n 1 $dir/log)"

for picture in $(sed -n 's/^!\[.*\](\(.*\))$/\1/p' README.md); do
    [ -s "$picture" ]
    ok $? "README shows $picture, which is not there"
done

# ---- make data: every text, here or not ----
${MAKE:-make} -s data >$dir/data 2>$dir/log
ok $? "make data: $(tail -n 1 $dir/log)"
[ "$(grep -c '^  sha256  *[0-9a-f]\{64\}$' $dir/data)" = 5 ]
ok $? "make data does not name five texts"
mkdir -p $dir/texts/gsm8k && echo other >$dir/texts/gsm8k/test.jsonl
sh tools/repro/data.sh $dir/texts | grep -q '^gsm8k/test.jsonl .*here, another one (6 bytes)$'
ok $? "make data takes another text for the right one"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
