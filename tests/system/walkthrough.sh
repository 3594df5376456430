#!/bin/sh
# README's walk-through, run as it is printed, on the texts of this repository: every command works,
# selection ends ahead of plain training on the target, and what README says of it is so.  The
# method of `slm -h` runs as printed too.
SLM=${SLM:-build/slm}
T=build/tmp/walkthrough
. tests/support/checks.sh
mkdir -p "$T/help" && PATH=$PWD/build:$PATH

# ---- README ----
awk '/^## Use it on your data/ { here = 1 }
    here && /^```sh$/ { on = 1; next }
    /^```$/ && on { exit }
    on' README.md | sed "s|build/walk|$T|; /^make\$/d" >"$T/walk.sh"
check "README has a walk-through" grep -q '^slm eval' "$T/walk.sh"
sh -e "$T/walk.sh" >"$T/out" 2>"$T/progress"
check "it runs: $(tail -n 1 "$T/progress")" test $? -eq 0
for left in losses.svg view.html selective/model.safetensors plain/log.csv; do
    check "it leaves $left" test -s "$T/$left"
done

# The evaluations come in the order of README's table.  A figure there may be off: the repository is
# the text, and every change of it changes them a little.
awk '$2 ~ /^(base|reference|plain|selective)$/ && $4 ~ /^[0-9]+[.][0-9]+$/ { print $2, $4, $6 }' \
    README.md | sed 's/−/-/; s/ |$/ /' >"$T/printed"
awk '/^loss / { if (n++) print line; line = $2; next }
    /^difference / { line = line " " $2 " " $8 }
    END { print line }' "$T/out" | tr -d ')' >"$T/measured"
check "four models are evaluated" test "$(wc -l <"$T/measured" | tr -d ' ')" = 4
paste -d ' ' "$T/printed" "$T/measured" >"$T/both"
check "README's table: $(tr '\n' ';' <"$T/both")" awk '
    function far(a, b) { return a - b > 0.4 || b - a > 0.4 }
    $1 == "plain" { n++; if (NF != 3 || far($2, $3)) bad = 1; next }
    { n++; if (NF != 6 || far($2, $4) || far($3, $5)) bad = 1 }
    END { exit bad || n != 4 }' "$T/both"
check "selection ends ahead of plain training: $(tail -n 1 "$T/measured")" awk '
    END { exit !(NF == 3 && $2 < 0 && $3 < 0) }' "$T/measured"

# ---- slm -h ----
"$SLM" -h | awk '/^    slm / { on = 1 } on { print } !/\\$/ { on = 0 }' >"$T/help/method.sh"
check "slm -h has a method" test "$(grep -c '^    slm ' "$T/help/method.sh")" = 6
sed 5000q README.md | head -c 6000 >"$T/help/noisy.txt"
cp "$T/help/noisy.txt" "$T/help/clean.txt"
cp "$T/help/noisy.txt" "$T/help/target.txt"
(cd "$T/help" && sh -e method.sh >out 2>progress)
check "the method of slm -h runs: $(tail -n 1 "$T/help/progress")" test $? -eq 0
check "... to its end" grep -q '^difference ' "$T/help/out"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
