#!/bin/sh
# The report of `make repro`, on a made-up folder (tests/support/fixture.sh): its numbers against an independent computation in awk,
# verdicts that follow the numbers when these change, the same bytes twice, and folders in which something is missing or broken.
# Ends with "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 1
dir=build/tmp/repro
LC_ALL=C
export LC_ALL
rm -rf $dir && mkdir -p $dir || exit 1
passed=0 failed=0
check() {                                            # check NAME COMMAND...
    name=$1; shift
    if "$@" >/dev/null 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $name"; fi
}
if ! make -s ${CC:+CC="$CC"} build/fixture; then
    echo "FAIL the report does not compile"
    echo "0 passed, 1 failed"
    exit 1
fi
sh tests/support/fixture.sh $dir/a && build/fixture $dir/a >$dir/out.txt 2>&1
check "the report is made" test $? -eq 0

# ---- the same bytes, wherever the folder is ----
sh tests/support/fixture.sh $dir/elsewhere/b && build/fixture $dir/elsewhere/b >/dev/null
check "two runs give the same bytes" diff -r $dir/a $dir/elsewhere/b

# ---- the numbers, computed again ----
# about FILE KEY VALUE: the cell `value` (third) or `mean` of the row that begins with KEY is VALUE, to six digits
cat >$dir/numbers.awk <<'AWK'
function at(name) { return $column[name] }
function key() { return at("corpus") "/" at("set") "/" at("arm") "/" at("ratio") "/" at("noise") "/" at("size") "/" at("clean_bytes") }
FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
{
    g = key(); s = at("seed"); n = ++points[g, s]
    if (n == 1) { seeds[g] = seeds[g] " " s; start_dropped[g, s] = at("fixed_dropped_loss") }
    tokens[g, s, n] = at("tokens"); loss[g, s, n] = at("target_loss"); cost[g, s, n] = at("flops_all"); accuracy[g, s, n] = at("target_accuracy")
    end_dropped[g, s] = at("fixed_dropped_loss")
    if (at("auc") != "") { auc[g, s] += at("auc"); aucs[g, s]++ }
}
# geometric mean over the seeds of (x at the baseline's end) / (x where the arm crosses the baseline's end); sign -1: the metric rises
function sooner(a, b, x, y, sign,    list, k, i, m, level, sum, count, before, found) {
    m = split(seeds[a], list, " "); sum = 0; count = 0
    for (k = 1; k <= m; k++) {
        level = y[b, list[k], points[b, list[k]]]; found = 0
        for (i = 2; i <= points[a, list[k]] && !found; i++)
            if (sign * y[a, list[k], i] <= sign * level) {
                before = (y[a, list[k], i - 1] - level) / (y[a, list[k], i - 1] - y[a, list[k], i])
                sum += log(x[b, list[k], points[b, list[k]]] / (x[a, list[k], i - 1] + before * (x[a, list[k], i] - x[a, list[k], i - 1]))); count++; found = 1
            }
        if (!found) { sum += log(0.5); count++ }
    }
    return exp(sum / count)
}
function difference(a, b, y,    list, k, m, sum) {
    m = split(seeds[a], list, " "); sum = 0
    for (k = 1; k <= m; k++) sum += y[a, list[k], points[a, list[k]]] - y[b, list[k], points[b, list[k]]]
    return sum / m
}
END {
    slm = "builtin/main/slm/0.4/0.2//60000"; clm = "builtin/main/clm//0.2//60000"
    printf "sooner %.9g\n", sooner(slm, clm, tokens, loss, 1)
    printf "accuracy %.9g\n", sooner(slm, clm, tokens, accuracy, -1)
    printf "cost %.9g\n", sooner(slm, clm, cost, loss, 1)
    printf "openstax %.9g\n", sooner("openstax/main/slm/0.4///480000", "openstax/main/clm////480000", tokens, loss, 1)
    printf "map %.9g\n", sooner("builtin/map/slm/0.3/0.4//60000", "builtin/map/clm//0.4//60000", tokens, loss, 1)
    printf "random %.9g\n", difference(slm, "builtin/main/random/0.4/0.2//60000", loss)
    printf "tuned %.9g\n", difference("builtin/main/slm_tuned/0.4/0.2//60000", "builtin/main/clm_tuned//0.2//60000", loss)
    printf "weak %.9g\n", 100 * difference("builtin/weak/slm/0.4/0.2/0.25/60000", "builtin/weak/clm//0.2//60000", accuracy)
    m = split(seeds[slm], list, " ")
    for (k = 1; k <= m; k++) { rise += (end_dropped[slm, list[k]] - start_dropped[slm, list[k]]) / m; area += auc[slm, list[k]] / aucs[slm, list[k]] / m }
    printf "rise %.9g\nauc %.9g\n", rise, area
}
AWK
awk -F, -f $dir/numbers.awk $dir/a/curves.csv >$dir/numbers.txt
awk -F, '$2 == 0 && $3 == "HL" && $5 == 1 { s += 100 * $4; n++ } END { printf "fall %.9g\n", s / n }' $dir/a/trajectories.csv >>$dir/numbers.txt
awk -F, 'FNR > 1 { p[$1, $2, $3, $4] = log($6) } END {
    for (s = 1; s <= 4; s++) for (b = 2; b <= 6; b += 2) { own += p[s, "own", b, b] - (p[s, "own", b, b - 1] + p[s, "own", b, b + 1]) / 2; n++ }
    printf "bump %.9g\n", 100 * own / n }' $dir/a/selections.csv >>$dir/numbers.txt
number() { sed -n "s/^$1 //p" $dir/numbers.txt; }
# the cell of a figure's CSV: figure FILE ROW-BEGINS-WITH FIELD NUMBER-NAME
figure() {
    want=$(number $4)
    check "$1: $2 is $want" awk -F, -v row="$2" -v field="$3" -v want="$want" 'index($0, row) == 1 { got = $field; n++ }
        END { d = got - want; exit !(n == 1 && want != "" && d * d <= 1e-12 * want * want) }' $dir/a/$1
}
figure fig1_builtin_sooner.csv "Selective (SLM) 40%,by target loss," 3 sooner
figure fig1_builtin_sooner.csv "Selective (SLM) 40%,by target accuracy," 3 accuracy
figure fig1_openstax_sooner.csv "Selective (SLM) 40%,by target loss," 3 openstax
figure fig1_map_loss.csv "noise 40%,30%," 3 map
figure table5_weak.csv "reference 0.25 times" 3 weak
figure fig3_shares.csv "here,high to low," 3 fall
# a claim's text holds the number, rounded as there: found CLAIM FORMAT NUMBER-NAME; and the page holds the text
found() {
    text=$(printf "$2" "$(number $3)")
    check "claim $1 says $text" grep -q "^$1,.*$text" $dir/a/claims.csv
    check "the page says $text" grep -qF -e "$text" $dir/a/report.html
}
found sooner-builtin '%.2fx' sooner
found sooner-accuracy-builtin '%.2fx' accuracy
found sooner-openstax '%.2fx' openstax
found cost-builtin '%.2fx' cost
found controls-builtin 'difference %.4f' random
found tuned-after-builtin 'difference %.4f' tuned
found weak-to-strong '0.25 times the size: %.1f' weak
found figure-6-builtin 'unselected %.3f' rise
found mechanism 'excess loss %.3f' auc
found figure-3 'High to low %.1f%%' fall
found figure-8 'by (%%) %.2f' bump
# the interval: all 256 resamples of four seeds in place of drawn ones
check "the bootstrap interval is that of all resamples" awk -F, '
    FNR == NR { if (index($0, "Selective (SLM) 40%,by target loss,") == 1) { low = $4; high = $5 } next }
    FNR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
    $c["corpus"] == "builtin" && $c["set"] == "main" && ($c["arm"] == "clm" || $c["arm"] == "slm") {
        a = $c["arm"]; s = $c["seed"]; p = ++n[a, s]; x[a, s, p] = $c["tokens"]; y[a, s, p] = $c["target_loss"] }
    END {
        for (s = 1; s <= 4; s++) { level = y["clm", s, n["clm", s]]; v[s] = ""
            for (p = 2; p <= n["slm", s] && v[s] == ""; p++) if (y["slm", s, p] <= level) {
                part = (y["slm", s, p - 1] - level) / (y["slm", s, p - 1] - y["slm", s, p])
                v[s] = log(x["clm", s, n["clm", s]] / (x["slm", s, p - 1] + part * (x["slm", s, p] - x["slm", s, p - 1]))) } }
        for (i = 0; i < 256; i++) { m = exp((v[i % 4 + 1] + v[int(i / 4) % 4 + 1] + v[int(i / 16) % 4 + 1] + v[int(i / 64) + 1]) / 4)
            below += m < low - 1e-9; under += m <= low + 1e-9; above += m > high + 1e-9; over += m >= high - 1e-9 }
        exit !(below / 256 <= 0.032 && under / 256 >= 0.018 && above / 256 <= 0.032 && over / 256 >= 0.018) }' $dir/a/fig1_builtin_sooner.csv $dir/a/curves.csv

# ---- the page and the files beside it ----
verdict() { sed -n "s/^$2,\([^,]*\),.*/\1/p" $1/claims.csv; }
is() { check "$3: verdict of $2 is \"$4\", not \"$(verdict $1 $2)\"" test "$(verdict $1 $2)" = "$4"; }
check "every claim is in the page, with what would make it false" awk -F, 'END { exit NR < 28 }' $dir/a/claims.csv
check "as many articles as claims" test "$(grep -c '<article class="r-claim">' $dir/a/report.html)" -eq $(($(wc -l <$dir/a/claims.csv) - 1))
check "and each says when it is false" test "$(grep -c '<dt>False if</dt>' $dir/a/report.html)" -eq "$(grep -c '<article class="r-claim">' $dir/a/report.html)"
check "README's table has a row per claim" test "$(grep -c '^| ' $dir/a/results.md)" -eq "$(wc -l <$dir/a/claims.csv)"
check "every figure has its SVG and its numbers" sh -c "for f in $dir/a/fig*.svg $dir/a/result.svg; do [ -s \$f ] && [ -s \${f%.svg}.csv ] || exit 1; done"
check "the paper's number stands beside ours" grep -q '^Selective (SLM) 40%,4,.*,0.981$' $dir/a/fig6_builtin_selected.csv
check "nothing from the network" sh -c "! grep -E 'src=\"http|href=\"http|@import|url\\(' $dir/a/report.html"
check "when it does not help" grep -q 'from scratch, without a base, plain training ends at least as well' $dir/a/report.html
is $dir/a sooner-builtin "as made up" holds
is $dir/a beats-reference-builtin "as made up" "does not hold"
is $dir/a figure-8 "as made up" "does not hold: an artefact"
is $dir/a map "as made up" "holds when noise is 20% or more"
is $dir/a negative-control "as made up" holds

# ---- verdicts follow the numbers: other CSVs, other verdicts ----
# changed NAME AWK: a folder whose curves.csv went through an awk program; column() names fields
changed() {
    mkdir -p $dir/$1 && cp $dir/a/trajectories.csv $dir/a/selections.csv $dir/a/settings.csv $dir/$1/
    awk -F, -v OFS=, 'FNR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; print; next } '"$2"' { print }' $dir/a/curves.csv >$dir/$1/curves.csv
    build/fixture $dir/$1 --bare >$dir/$1.txt 2>&1
    check "$1: the report is made" test $? -eq 0
}
changed swapped '$c["set"] == "main" && $c["arm"] == "slm" { $c["arm"] = "x" } $c["set"] == "main" && $c["arm"] == "random" { $c["arm"] = "slm" } $c["arm"] == "x" { $c["arm"] = "random" }'
is $dir/swapped sooner-builtin "random and selective swapped" "does not hold"
is $dir/swapped controls-builtin "random and selective swapped" "does not hold"
changed slower '$c["set"] == "main" && $c["arm"] == "slm" { $c["tokens"] *= 2.2 }'
is $dir/slower sooner-builtin "half as fast" "holds at 2.9x only"
changed as_good '$c["arm"] == "random" { next } $c["set"] == "main" && $c["arm"] == "slm" { print; $c["arm"] = "random" }'
is $dir/as_good sooner-builtin "random as good" "does not hold"
changed leak '$c["set"] == "control" && $c["arm"] == "slm" { $c["target_loss"] -= 0.05 }'
is $dir/leak negative-control "selection wins on the control" "does not hold"
changed wide '$c["set"] == "control" && $c["arm"] == "slm" { $c["target_loss"] += ($c["seed"] % 2) * 0.1 - 0.05 }'
is $dir/wide negative-control "seeds that do not agree" "open: within seed noise"
changed noise '$c["set"] == "main" && $c["arm"] == "slm" && $c["fixed_dropped_loss"] != "" { $c["fixed_dropped_loss"] = 4 - $c["fixed_dropped_loss"] }'
is $dir/noise figure-6-builtin "unselected loss falls" "does not hold"
is $dir/noise figure-7 "unselected loss falls" "does not hold"
changed inexact '$c["set"] == "ratio" && $c["ratio"] == 1 { $c["target_loss"] += 1e-7 }'
is $dir/inexact ratio-one "one digit differs" "does not hold"

mkdir -p $dir/peak && cp $dir/a/curves.csv $dir/peak
awk -F, -v OFS=, '$2 == "cross_seed" && $3 == $4 { $6 += 0.05 } { print }' $dir/a/selections.csv >$dir/peak/selections.csv
build/fixture $dir/peak --bare >/dev/null 2>&1
is $dir/peak figure-8 "the peak is there with another seed too" holds
awk -F, -v OFS=, '$2 == "cross_seed" && $3 == $4 { $6 += 0.01 } { print }' $dir/a/selections.csv >$dir/peak/selections.csv
build/fixture $dir/peak --bare >/dev/null 2>&1
is $dir/peak figure-8 "a small peak with another seed" "in part: mostly an artefact"

# ---- what is missing or broken ----
changed quick '$c["set"] != "main" || $c["seed"] != 1 || $c["corpus"] != "builtin" { next }'
is $dir/quick sooner-builtin "one seed" "open: one seed"
is $dir/quick sooner-openstax "no OpenStax" "open: not measured"
check "quick: the page says what is left out" grep -q 'Left out: OpenStax' $dir/quick/report.html
check "quick: no NaN, no infinity in the page" sh -c "! grep -iwE 'nan|inf|-nan' $dir/quick/report.html $dir/quick/*.svg $dir/quick/claims.csv"
check "no NaN, no infinity in the page" sh -c "! grep -iwE 'nan|inf|-nan' $dir/a/claims.csv $dir/a/*.svg"
changed unimproved '$c["set"] == "main" && $c["arm"] == "clm" && $c["target_loss"] != "" { $c["target_loss"] = 1 - $c["target_loss"] }'
is $dir/unimproved sooner-builtin "plain training gets worse" "open: plain does not improve"
mkdir -p $dir/bare && cp $dir/a/curves.csv $dir/bare && build/fixture $dir/bare --bare >/dev/null 2>&1
check "curves.csv alone is enough" test $? -eq 0
check "and the page says what is missing" grep -q 'There is no selections.csv' $dir/bare/report.html
mkdir -p $dir/empty && build/fixture $dir/empty --bare >$dir/empty.txt 2>&1
check "no curves.csv: exit 1" test $? -eq 1
check "no curves.csv: named" grep -q 'empty/curves.csv: there is none' $dir/empty.txt
head -n 1 $dir/a/curves.csv >$dir/empty/curves.csv && build/fixture $dir/empty --bare >$dir/empty.txt 2>&1
check "a header alone: exit 1" test $? -eq 1
mkdir -p $dir/broken
for cut in 1 50 700 5000 50001; do
    for file in curves trajectories selections times tuning settings; do head -c $cut $dir/a/$file.csv >$dir/broken/$file.csv 2>/dev/null; done
    build/fixture $dir/broken --bare >/dev/null 2>&1
    check "files cut after $cut bytes: no crash" test $? -le 1
done
printf 'corpus,set,arm\n"unclosed,\n\n,,,,,,\nbuiltin,main,<b>"x\nbuiltin,main,clm,9\n' >$dir/broken/curves.csv
build/fixture $dir/broken --bare >/dev/null 2>&1
check "nonsense: no crash" test $? -le 1

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
