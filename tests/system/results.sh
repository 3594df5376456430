#!/bin/sh
# The results that README quotes, .github/results: README's tables are those of the shipped numbers,
# worked out anew from these, by the report and by awk.  And ship.sh, which puts them there, on
# made-up runs.
cd "$(dirname "$0")/../.." || exit 1
dir=build/tmp/results
LC_ALL=C
export LC_ALL
rm -rf $dir && mkdir -p $dir || exit 1
. tests/support/counts.sh
if ! make -s ${CC:+CC="$CC"} build/fixture; then
    echo "FAIL the report does not compile"
    echo "0 passed, 1 failed"
    exit 1
fi
cat >$dir/report <<'END'
exec build/fixture "$1" --bare
END
REPORT="sh $dir/report"
export REPORT

# table README NAME: what stands between its two marks.
table() {
    awk -v name="$2" '
        $0 == "<!-- end of " name " -->" { on = 0 }
        on && /^\|/
        $0 == "<!-- " name " -->" { on = 1 }' "$1"
}
same_table() { table "$1" $2 | cmp - $3; }
one_line() { tr '\n' ' ' <"$1"; }
value() { sed -n "s/^$2,//p" $1/run.csv; }

# checked FOLDER README: the claims follow from the curves beside them, and README quotes them.
checked() {
    mkdir -p $dir/anew && rm -f $dir/anew/* && cp $1/*.csv $dir/anew/
    $REPORT $dir/anew >/dev/null 2>&1
    check "$1: the claims follow from the curves" cmp $dir/anew/claims.csv $1/claims.csv
    check "$1: and so does the table of all" cmp $dir/anew/results.md $1/results.md
    check "$2 has the table of claims" same_table $2 headlines $dir/anew/headlines.md
    check "$2 has the table of what to do" same_table $2 decision $dir/anew/decision.md
    check "$2 has the first answers" same_table $2 short $dir/anew/short.md
    one_line $2 >$dir/readme.txt
    check "$2 says how many runs there are" grep -q "Of $(value $1 'runs planned') planned runs $(
        value $1 'runs finished') are finished" $dir/readme.txt
    awk -F, -f tests/support/shipped.awk $1/curves.csv >$dir/numbers
    check "$1: awk finds numbers" test "$(wc -l <$dir/numbers)" -ge 3
    while read -r claim text; do
        check "$1: $claim says $text, as awk does" grep -q "^$claim,.*$text" $1/claims.csv
        check "$1/results.md says $text" grep -qF -e "$text" $1/results.md
    done <$dir/numbers
}

# ---- ship.sh on made-up runs ----
sh tests/support/fixture.sh $dir/made
printf '%s\n' before '<!-- about -->' old '<!-- end of about -->' between \
    '<!-- decision -->' old '<!-- end of decision -->' between \
    '<!-- headlines -->' '| old |' '<!-- end of headlines -->' '<!-- short -->' old \
    '<!-- end of short -->' after >$dir/readme.md
build/fixture $dir/made --bare >/dev/null 2>&1
mkdir -p $dir/shipped && echo old >$dir/shipped/leaks.csv
sh tools/repro/ship.sh $dir/made $dir/shipped $dir/readme.md
check "ship.sh works" test $? -eq 0
check "a table of another run does not stay" test ! -e $dir/shipped/leaks.csv
checked $dir/shipped $dir/readme.md
check "what is around the tables stays" \
    test "$(grep -cE '^(before|between|after)$' $dir/readme.md)" = 4
check "what was in them goes" test "$(grep -cE '^(old|[|] old [|])$' $dir/readme.md)" = 0
verdicts() { cut -d , -f 1,2,4 $1/claims.csv; }
verdicts $dir/made >$dir/whole
verdicts $dir/shipped >$dir/thinned
check "thinned curves give the verdicts of whole ones" cmp $dir/whole $dir/thinned
check "they are a good deal smaller" test \
    $(($(wc -c <$dir/made/curves.csv) * 6 / 10)) -gt "$(wc -c <$dir/shipped/curves.csv)"
check "machine and commit are those of the runs" test \
    "$(grep -cE '^(machine,"a processor, made up"|commit,0123456789abcdef)$' \
        $dir/shipped/run.csv)" = 2
one_line $dir/readme.md >$dir/readme.txt
check "README says that the run is unfinished" grep -q \
    'Of 9 planned runs 7 are finished: \*\*this run is unfinished\*\*[.]' $dir/readme.txt
check "README says where they were made" grep -q \
    'made on a processor, made up, 3 processors, by commit 0123456789ab, and' $dir/readme.txt
sed 's/^runs finished,7/runs finished,9/' $dir/made/run.csv >$dir/run.csv
mv $dir/run.csv $dir/made/run.csv
sh tools/repro/ship.sh $dir/made $dir/shipped $dir/readme.md
check "a finished run is not called unfinished" test "$(grep -c unfinished $dir/readme.md)" = 0
rm $dir/made/run.csv
sh tools/repro/ship.sh $dir/made $dir/shipped $dir/readme.md >/dev/null
check "runs that do not say what made them are not shipped" test $? -eq 1
check "and what was shipped stays" test -s $dir/shipped/claims.csv
sed 's/| \*\*holds\*\*/| **open**/' $dir/readme.md >$dir/wrong.md
check "a verdict that was changed by hand is noticed" test "$(
    table $dir/wrong.md headlines | cmp - $dir/anew/headlines.md >/dev/null 2>&1
    echo $?)" = 1

# ---- the shipped results ----
if [ -s .github/results/curves.csv ]; then checked .github/results README.md
else echo "skipped: README's numbers (no .github/results/curves.csv: see tools/repro/ship.sh)"; fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
