#!/bin/sh
# The report of `make repro`, on a made-up folder (tests/support/fixture.sh): its numbers against an
# independent computation in awk, verdicts that follow the numbers when these change, the same bytes
# a second time, and folders in which something is missing or broken.
cd "$(dirname "$0")/../.." || exit 1
dir=build/tmp/repro
LC_ALL=C
export LC_ALL
rm -rf $dir && mkdir -p $dir || exit 1
. tests/support/counts.sh
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
awk -F, -f tests/support/numbers.awk $dir/a/curves.csv >$dir/numbers.txt
awk -F, '
    $2 == 0 && $3 == "HL" && $5 == 1 {
        sum += 100 * $4
        n++
    }
    END { printf "fall %.9g\n", sum / n }' $dir/a/trajectories.csv >>$dir/numbers.txt
# How much a selection is worse at its own point than at the two beside it.
awk -F, '
    FNR > 1 { p[$1, $2, $3, $4] = log($6) }
    END {
        for (s = 1; s <= 4; s++)
            for (b = 2; b <= 6; b += 2) {
                sum += p[s, "own", b, b] - (p[s, "own", b, b - 1] + p[s, "own", b, b + 1]) / 2
                n++
            }
        printf "bump %.9g\n", 100 * sum / n
    }' $dir/a/selections.csv >>$dir/numbers.txt
number() { sed -n "s/^$1 //p" $dir/numbers.txt; }
# figure FILE ROW FIELD NUMBER: in the figure's CSV, the field of the row that begins so.
figure() {
    want=$(number $4)
    check "$1: $2 is $want" awk -F, -v row="$2" -v field="$3" -v want="$want" '
        index($0, row) == 1 {
            got = $field
            n++
        }
        END {
            d = got - want
            exit !(n == 1 && want != "" && d * d <= 1e-12 * want * want)
        }' $dir/a/$1
}
figure fig1_builtin_sooner.csv "Selective (SLM) 40%,by target loss," 3 sooner
figure fig1_builtin_sooner.csv "Selective (SLM) 40%,by target accuracy," 3 accuracy
figure fig1_openstax_sooner.csv "Selective (SLM) 40%,by target loss," 3 openstax
figure fig1_map_loss.csv "noise 40%,40%," 3 map
figure table5_weak.csv "reference 0.25 times" 3 weak
figure fig3_shares.csv "here,high to low," 3 fall
# found CLAIM FORMAT NUMBER: the claim's text holds the number, and the page holds the text.
found() {
    text=$(printf "$2" "$(number $3)")
    check "claim $1 says $text" grep -q "^$1,.*$text" $dir/a/claims.csv
    check "the page says $text" grep -qF -e "$text" $dir/a/report.html
}
found sooner-builtin '%.2fx' sooner
found sooner-builtin 'By accuracy: %.2fx' accuracy
found five-times-builtin '%.2fx' sooner
found sooner-openstax '%.2fx' openstax
found cost-builtin '%.2fx' cost
found controls-builtin 'difference %.4f' random
found tuned-after-builtin 'difference %.4f' tuned
found weak-to-strong 'accuracy %.1f' weak
found multiplier 'there with %.1f' multiplier
found sizes '0.86 million weights: loss %.4f' size
found figure-6-builtin 'unselected %.3f' rise
found mechanism 'excess loss %.3f' auc
found figure-3 'High to low %.1f%%' fall
found figure-8 'by (%%) %.2f' bump
check "the interval is Student's t over the seeds" awk -F, -f tests/support/interval.awk \
    $dir/a/fig1_builtin_sooner.csv $dir/a/curves.csv
check "p is corrected by Holm's method" awk -F, -f tests/support/holm.awk $dir/a/claims.csv
words=$(cut -d , -f 2 $dir/a/claims.csv | sed 1d | sort -u | tr '\n' ,)
check "a verdict is one of three, not one of $words" test "$words" = "does not hold,holds,open,"
check "plain training's own gain stands beside sooner" grep -q \
    '^sooner-builtin,.*(plain training moved it from' $dir/a/claims.csv

# ---- the page and the files beside it ----
verdict() { sed -n "s/^$2,\([^,]*\),.*/\1/p" $1/claims.csv; }
is() {                                             # FOLDER CLAIM WHAT VERDICT
    got=$(verdict $1 $2)
    check "$3: verdict of $2 is \"$4\", not \"$got\"" test "$got" = "$4"
}
check "there are many claims" test "$(wc -l <$dir/a/claims.csv)" -ge 28
articles=$(grep -c '<article class="r-claim">' $dir/a/report.html)
falsifiers=$(grep -c '<dt>False if</dt>' $dir/a/report.html)
check "as many articles as claims" test "$articles" -eq $(($(wc -l <$dir/a/claims.csv) - 1))
check "and each says when it is false" test "$falsifiers" -eq "$articles"
check "README's table has a row per claim" \
    test "$(grep -c '^| ' $dir/a/results.md)" -eq "$(wc -l <$dir/a/claims.csv)"
complete() {
    for file in $dir/a/fig*.svg $dir/a/result.svg; do
        [ -s $file ] && [ -s ${file%.svg}.csv ] || return 1
    done
}
check "every figure has its SVG and its numbers" complete
check "the paper's number is beside ours" grep -q '^Selective (SLM) 40%,4,.*,0.981$' \
    $dir/a/fig6_builtin_selected.csv
none_of() { ! grep "$@"; }
check "nothing from the network" none_of -E 'src="http|href="http|@import|url\(' $dir/a/report.html
check "when it does not help: from scratch" grep -qE \
    'scratch</code>: .*Plain \(CLM\).* it ends ahead; loss .*Then without a base, train on all' \
    $dir/a/report.html
check "when it does not help: clean text alone" grep -qE \
    'OpenStax textbooks: .*Clean text alone.* it ends ahead; .*train on it alone' \
    $dir/a/report.html
check "when it does not help: undecided is not called as good" none_of 'at least as good' \
    $dir/a/report.html
is $dir/a sooner-builtin "as made up" holds
is $dir/a beats-reference-builtin "as made up" open
is $dir/a figure-8 "as made up" "does not hold"
is $dir/a map "as made up" "does not hold"
is $dir/a five-times-builtin "as made up" holds
is $dir/a multiplier "as made up" "does not hold"
is $dir/a noise-kinds "as made up" "does not hold"
is $dir/a figure-7 "as made up" holds
is $dir/a figure-7-law "as made up" "does not hold"
is $dir/a sizes "as made up" holds
is $dir/a negative-control "as made up" holds

is $dir/a facts-selection "as made up" "does not hold"
is $dir/a facts-documents "as made up" holds
is $dir/a labels "as made up" holds
is $dir/a labels-documents "as made up" holds
is $dir/a labels-by-clean "as made up" holds
is $dir/a documents-builtin "as made up" holds
is $dir/a adds-to-documents-builtin "as made up" holds
is $dir/a documents-tuned-builtin "as made up" open
is $dir/a announced-selection "as made up" holds
is $dir/a announced-clean "as made up" holds
is $dir/a by-clean-plain-builtin "as made up" holds
is $dir/a by-clean-clean-builtin "as made up" holds
is $dir/a by-clean-documents-builtin "as made up" holds
is $dir/a clean-beats-openstax "as made up" holds
is $dir/a clean-beats-facts "as made up" "does not hold"
is $dir/a remedy-second "as made up" holds
is $dir/a remedy-explore "as made up" "does not hold"
is $dir/a remedy-veto "as made up" holds

# ---- what to do: the best arm, and of those that are as good the cheapest ----
advice() {                                         # FOLDER SITUATION WHAT ADVICE
    check "$3: $4" grep -q "^| $2.* | \*\*$4\*\*" $dir/$1/decision.md
}
advice a "Facts" "new facts" "keep the documents that the reference likes best, train on them"
advice a "Six wrong results in ten" "wrong results: the clean text alone is looked at too" \
    "tune the base on the clean text for as many steps as training has"
advice a "Little clean text" "4 kB" \
    "keep the documents that the reference likes best, train on them"
advice a "A text that is already" "nothing to gain" "train on all of it"
check "what is simpler stands first" awk '
    /selective training\*\*/ { selective = 1 }
    /keep the documents.*\*\*/ && !/select among/ && selective { exit 1 }' $dir/a/decision.md
check "the page begins with it" awk '
    /<h2/ && !seen {
        seen = 1
        ok = /What to do/
    }
    END { exit !ok }' $dir/a/report.html
check "what cannot be tested is listed" grep -q 'What cannot be tested here' $dir/a/report.html

# ---- verdicts follow the numbers: other CSVs, other verdicts ----
# changed NAME AWK: a folder whose curves.csv went through an awk program, in which c["x"] is the
# number of the field x, and arm(SET, ARM) is whether the line is of that arm.
changed() {
    mkdir -p $dir/$1
    cp $dir/a/trajectories.csv $dir/a/selections.csv $dir/a/settings.csv $dir/$1/
    awk -F, -v OFS=, '
        function arm(set, name) { return $c["set"] == set && $c["arm"] == name }
        FNR == 1 {
            for (i = 1; i <= NF; i++) c[$i] = i
            print
            next
        }
        '"$2"'
        { print }' $dir/a/curves.csv >$dir/$1/curves.csv
    build/fixture $dir/$1 --bare >$dir/$1.txt 2>&1
    check "$1: the report is made" test $? -eq 0
}
changed swapped '
    arm("main", "slm") { $c["arm"] = "x" }
    arm("main", "random") { $c["arm"] = "slm" }
    $c["arm"] == "x" { $c["arm"] = "random" }'
is $dir/swapped sooner-builtin "random and selective swapped" "does not hold"
is $dir/swapped naive-builtin "random and selective swapped" "does not hold"
is $dir/swapped controls-builtin "random and selective swapped" "does not hold"
check "a line says how many are behind" grep -q '^| Facts.*: ahead of [0-9]* others |' \
    $dir/a/decision.md
changed lucky_target '
    $c["corpus"] == "facts" && $c["arm"] == "slm" && $c["target_accuracy"] != "" {
        $c["target_accuracy"] = 0.99
    }'
advice lucky_target "Facts" "the target has no say in it" \
    "keep the documents that the reference likes best, train on them"
changed other_by_loss '
    $c["corpus"] == "facts" && $c["arm"] == "mixed" && $c["valid_loss"] != "" {
        $c["valid_loss"] = 0.1
    }'
check "where loss says otherwise the line says so" grep -q \
    '^| Facts.*; by loss "mix the clean text in" ends ahead of it' $dir/other_by_loss/decision.md
changed slower 'arm("main", "slm") { $c["tokens"] *= 2.2 }'
is $dir/slower sooner-builtin "half as fast" holds
is $dir/slower five-times-builtin "half as fast" "does not hold"
changed wrong_answers '
    arm("main", "slm") && $c["target_accuracy"] != "" && $c["tokens"] > 0 {
        $c["target_accuracy"] = 0.1
    }'
is $dir/wrong_answers controls-builtin "better by loss, worse by answers" "does not hold"
is $dir/wrong_answers sooner-builtin "better by loss, worse by answers" "does not hold"
check "when it does not help: by one of loss and accuracy" grep -qE \
    'Plain \(CLM\).*: it is behind by loss, and ends ahead by accuracy; loss' \
    $dir/wrong_answers/report.html
changed no_answers '$c["corpus"] == "builtin" { $c["target_accuracy"] = "" }'
is $dir/no_answers controls-builtin "better by loss, no answers" holds
changed as_good '
    $c["arm"] == "random" { next }
    arm("main", "slm") {
        print
        $c["arm"] = "random"
        random = random $0 "\n"
        next
    }
    END { printf "%s", random }'
is $dir/as_good naive-builtin "random as good" open
changed leak 'arm("control", "slm") { $c["target_loss"] -= 0.05 }'
is $dir/leak negative-control "selection wins on the control" "does not hold"
changed wide 'arm("control", "slm") { $c["target_loss"] += ($c["seed"] % 2) * 0.1 - 0.05 }'
is $dir/wide negative-control "seeds that do not agree" open
check "open: it says why" grep -q '^negative-control,.*Within seed noise' $dir/wide/claims.csv
changed noise '
    arm("main", "slm") && $c["fixed_dropped_loss"] != "" {
        $c["fixed_dropped_loss"] = 4 - $c["fixed_dropped_loss"]
    }'
is $dir/noise figure-6-builtin "unselected loss falls" "does not hold"
is $dir/noise figure-7 "unselected loss falls" "does not hold"
changed inexact '$c["set"] == "ratio" && $c["ratio"] == 1 { $c["target_loss"] += 1e-7 }'
is $dir/inexact ratio-one "one digit differs" "does not hold"

mkdir -p $dir/peak && cp $dir/a/curves.csv $dir/peak
peak() {                                           # HEIGHT: of what another seed selected
    awk -F, -v OFS=, -v height=$1 '
        $2 == "cross_seed" && $3 == $4 { $6 += height }
        { print }' $dir/a/selections.csv >$dir/peak/selections.csv
    build/fixture $dir/peak --bare >/dev/null 2>&1
}
peak 0.05
is $dir/peak figure-8 "the peak is there with another seed too" holds
peak 0.01
is $dir/peak figure-8 "a small peak with another seed" "does not hold"

# ---- all that a claim asks for must have been run ----
check "nothing is missing from the made-up runs" none_of 'Not run' $dir/a/claims.csv
changed no_highest_loss 'arm("main", "loss") { next }'
is $dir/no_highest_loss controls-builtin "half of the comparison" open
check "and what is missing is named" grep -q \
    '^controls-builtin,.*Not run: Selective (SLM) 40% against Highest own loss' \
    $dir/no_highest_loss/claims.csv
is $dir/no_highest_loss naive-builtin "half of the comparison" open
is $dir/no_highest_loss mechanism "half of the comparison" open
is $dir/no_highest_loss figure-7-law "one arm is missing, another refutes it" "does not hold"
changed no_large_size '$c["set"] == "sizes" && $c["size"] > 3 { next }'
is $dir/no_large_size sizes "one size is not there" open
changed no_middle_share '$c["corpus"] == "labels" && $c["wrong"] == 0.3 { next }'
is $dir/no_middle_share labels "one share is not there" open
changed no_facts '$c["corpus"] == "facts" { next }'
is $dir/no_facts remedy-second "one of two corpora is not there" open
changed no_records '$c["corpus"] == "gsm8k" { next }'
is $dir/no_records remedy-veto "one of four corpora is not there" open
changed no_length '$c["set"] == "multiplier" && $c["steps"] > 500 { next }'
is $dir/no_length multiplier "the longest plain training is not there" open

# ---- what rules ask for is planned ----
make -s ${CC:+CC="$CC"} build/reproduce &&
    build/reproduce run --dry-run --out $dir/plan | awk '{ print $1 }' >$dir/plan.txt
planned() {
    for job in "$@"; do
        grep -qx -e "$job-seed1" $dir/plan.txt || return 1
    done
}
check "the map" planned builtin-map-slm-noise0-ratio0.2 builtin-map-slm-ratio0.4 \
    builtin-map-slm-noise0.4-ratio0.6 builtin-map-slm-noise0.6-ratio0.6 builtin-map-clm-noise0.6
check "the ratios" planned builtin-ratio-slm-ratio0.1 builtin-ratio-slm-ratio0.9 builtin-ratio-slm
check "the amounts of clean text" planned builtin-clean-slm_tuned-clean4000-ratio0.4 \
    builtin-clean-clm_tuned-clean15000 builtin-clean-clean-clean4000 \
    builtin-clean-doc-clean4000-ratio0.4
check "self-reference" planned builtin-self-ref-ratio0.7 builtin-self-ref-ratio0.9 \
    builtin-self-slm-ratio0.6 builtin-self-slm-ratio0.8
check "small references" planned builtin-weak-slm-ratio0.4-size0.0625 \
    builtin-weak-slm-ratio0.4-size0.25
check "the lengths of plain training" planned builtin-multiplier-clm \
    builtin-multiplier-clm-times2 builtin-multiplier-clm-times4 builtin-multiplier-clm-times8 \
    builtin-multiplier-clm-times16
for size in 0.06 0.18 0.86 3.3; do
    check "$size million weights" planned builtin-sizes-clm-times0.5-size$size \
        builtin-sizes-slm-times0.5-ratio0.4-size$size
done
for arm in clm slm-ratio0.4 doc-ratio0.4 slm_by_clean-ratio0.4; do
    for share in 0.1 0.3 0.6; do
        name=labels-labels-${arm%-*}-target1-noise0-wrong$share
        case $arm in *-ratio*) name=$name-${arm#*-} ;; esac
        check "$name is planned" planned $name
    done
done
for arm in slm_by_second explore floor slm_by_both doc_veto split loss; do
    check "$arm of the facts is planned" planned facts-main-$arm-ratio0.4
done

# ---- rules that look at each seed, and at the right arm ----
is $dir/a self-reference "as made up" holds
changed worse_ref '
    $c["set"] == "self" && $c["arm"] == "ref" {
        $c["target_loss"] += 0.05
        $c["target_accuracy"] -= 0.1
    }'
is $dir/worse_ref self-reference "the reference's loss loses" "does not hold"
is $dir/worse_ref self-excess "the reference's loss loses" holds
changed uneven_gain '
    arm("main", "slm") && $c["corpus"] == "builtin" && $c["target_loss"] != "" {
        $c["target_loss"] += ($c["seed"] % 2 ? 0.15 : -0.15)
    }
    arm("control", "slm") { $c["target_loss"] -= 0.01 }'
is $dir/uneven_gain negative-control "the gain on the noisy corpus is uncertain" open
changed dip '
    $c["set"] == "main" && $c["arm"] == "clm" && $c["tokens"] == 4096 * 6 {
        $c["target_loss"] -= 0.1
    }'
check "plain training is no sooner than itself" grep -q '^Plain (CLM),by target loss,1,1,1,' \
    $dir/dip/fig1_builtin_sooner.csv
found naive-builtin 'number is at least %.1f' sooner
check "without seed 1 there are three seeds" awk -F, -v OFS=, '
    $1 ~ /^remedy-veto/ { p[$1] = $3 }
    END { exit !(p["remedy-veto"] < p["remedy-veto-anew"]) }' $dir/a/claims.csv
check "a trial is told" grep -q '^remedy-veto,.*found in a trial on seed 1' $dir/a/claims.csv
check "answers that are right as a whole are told" grep -q \
    '^facts-documents,.*right in every byte: [0-9.]*% against' $dir/a/claims.csv
check "the first badge is the corrected verdict, a small one that before" awk '
    /<span class="r-badge r-(holds|fails|open)">/ { first = $0 }
    /r-beside/ && first ~ /open/ && /uncorrected: holds/ { n++ }
    END { exit !n }' $dir/a/report.html
check "rates that were tried are on the page" grep -q 'Learning rates tried' $dir/a/report.html
check "and how many arms chose an outermost one" grep -q \
    '1 of 2 arms chose an outermost rate' $dir/a/report.html

# ---- figure 3 on real text ----
mkdir -p $dir/real && cp $dir/a/curves.csv $dir/real
real_classes() {                                   # NULL HL LH HH LL: of two seeds
    for seed in 1 2; do
        printf 'openstax,clean,%d,%s,HL,%s,1,100,2\nopenstax,clean,%d,%s,LH,%s,1,100,2\n' \
            $seed $1 $2 $seed $1 $3
        printf 'openstax,clean,%d,%s,HH,%s,1,100,2\nopenstax,clean,%d,%s,LL,%s,1,100,2\n' \
            $seed $1 $4 $seed $1 $5
    done
}
{
    echo corpus,arm,seed,null,class,share,point,tokens,mean_loss
    real_classes 0 0.5 0.125 0.25 0.125
    real_classes 1 0.25 0.25 0.25 0.25
} >$dir/real/trajectories_real.csv
build/fixture $dir/real --bare >/dev/null 2>&1
check "clean real text has its classes" \
    grep -q '^clean prose (OpenStax),low to high,12.5,' $dir/real/fig3_real.csv
check "and those of chance" grep -q \
    '^"clean prose (OpenStax), checkpoints shuffled",low to high,25,' $dir/real/fig3_real.csv
check "text that was not measured has no row" none_of -q GSM8K $dir/real/fig3_real.csv

# ---- what is missing or broken ----
changed quick '
    $c["set"] != "main" || $c["seed"] != 1 || $c["corpus"] != "builtin" { next }'
is $dir/quick sooner-builtin "one seed" open
is $dir/quick sooner-openstax "no OpenStax" open
check "quick: one seed points somewhere" grep -q \
    '^sooner-builtin.*One seed: it points to yes; 3 seeds' $dir/quick/claims.csv
check "quick: one seed is no advice" none_of -q '[*][*]' $dir/quick/decision.md
check "quick: but a direction" grep -q '(of [0-9]* tried; one seed points there)' \
    $dir/quick/decision.md
check "quick: what to do says what was not measured" grep -q \
    '^| No base.*not measured in this run' $dir/quick/decision.md
check "quick: what is not measured is folded" grep -q \
    'claims not measured in this run</summary>' $dir/quick/report.html
check "all is measured: nothing is folded" none_of 'not measured in this run</' $dir/a/report.html
check "quick: the page says what is left out" grep -q 'Left out: OpenStax' $dir/quick/report.html
check "quick: no NaN, no infinity in the page" none_of -iwE 'nan|inf|-nan' \
    $dir/quick/report.html $dir/quick/*.svg $dir/quick/claims.csv
check "no NaN, no infinity in the page" none_of -iwE 'nan|inf|-nan' $dir/a/claims.csv $dir/a/*.svg
changed unimproved '
    arm("main", "clm") && $c["target_loss"] != "" {
        $c["target_loss"] = 1 - $c["target_loss"]
    }'
is $dir/unimproved sooner-builtin "plain training gets worse" open
mkdir -p $dir/bare && cp $dir/a/curves.csv $dir/bare
build/fixture $dir/bare --bare >/dev/null 2>&1
check "curves.csv alone is enough" test $? -eq 0
check "and the page says what is missing" grep -q 'There is no selections.csv' $dir/bare/report.html
mkdir -p $dir/empty && build/fixture $dir/empty --bare >$dir/empty.txt 2>&1
check "no curves.csv: exit 1" test $? -eq 1
check "no curves.csv: named" grep -q 'empty/curves.csv: there is none' $dir/empty.txt
head -n 1 $dir/a/curves.csv >$dir/empty/curves.csv
build/fixture $dir/empty --bare >$dir/empty.txt 2>&1
check "a header alone: exit 1" test $? -eq 1
mkdir -p $dir/broken
for cut in 1 50 700 5000 50001; do
    for file in curves trajectories selections times tuning settings; do
        head -c $cut $dir/a/$file.csv >$dir/broken/$file.csv 2>/dev/null
    done
    build/fixture $dir/broken --bare >/dev/null 2>&1
    check "files cut after $cut bytes: no crash" test $? -le 1
done
printf '%s\n' 'corpus,set,arm' '"unclosed,' '' ',,,,,,' 'builtin,main,<b>"x' 'builtin,main,clm,9' \
    >$dir/broken/curves.csv
build/fixture $dir/broken --bare >/dev/null 2>&1
check "nonsense: no crash" test $? -le 1

# ---- words that are true of these data only ----
check "real text has stretches, not documents" grep -q \
    '^documents-openstax,.*keeping whole stretches .*Stretches of at most 4 kB' $dir/a/claims.csv
check "generated text has documents" grep -q '^documents-builtin,.*keeping whole documents' \
    $dir/a/claims.csv
check "where rates were tried it says so" grep -q 'validation part' $dir/a/report.html
check "where none were it says so" grep -q 'Learning rates were not tuned' $dir/quick/report.html
check "on real text the interval is of the training" grep -q \
    'All seeds share the texts, so that intervals are of the training only' $dir/a/report.html
check "and generated text alone does not say it" none_of 'All seeds share the texts, so' \
    $dir/quick/report.html
check "what was changed of other methods is told" grep -q 'What was changed' $dir/a/report.html
check "soft weights keep all" none_of 'Soft weights 40%' $dir/a/report.html
check "an unfinished plan is called so" grep -q '7 of 9 planned runs, so that it is unfinished' \
    $dir/a/report.html
check "and the machine of the runs is named" grep -q 'on a processor, made up, 3 processors' \
    $dir/a/report.html
check "the announced claims are corrected for themselves" grep -q \
    '^announced-clean,.*corrected for 4 claims' $dir/a/claims.csv

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
