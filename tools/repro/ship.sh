#!/bin/sh
# ship.sh FROM TO README: puts what a run of `make repro` found beside the sources: the tables of
# the folder FROM into TO in the place of what is there, curves.csv thinned, and the claims that the
# report works out from these; the tables of README and its sentence about the run are replaced.
# From the repository's root, after `make build/reproduce`:
#
#     sh tools/repro/ship.sh build/repro .github/results README.md
#
# Commit and machine are those that the runs have left in run.csv, not those of shipping.
from=$1 to=$2 readme=$3
report=${REPORT:-build/reproduce report --out}
work=build/tmp/ship
for file in curves run; do
    [ -s "$from/$file.csv" ] && continue
    echo "$from/$file.csv: there is none; make repro writes it"
    exit 1
done
LC_ALL=C
export LC_ALL
rm -rf $work && mkdir -p $work "$to" || exit 1
awk -F, -f "$(dirname "$0")/thin.awk" "$from/curves.csv" >$work/curves.csv || exit 1
for table in trajectories trajectories_real selections ranks leaks unseen tuning settings run; do
    [ -s "$from/$table.csv" ] && cp "$from/$table.csv" $work/
done
if [ -s "$from/times.csv" ]; then
    awk -F, '$2 == "" { sum += $3 } END { printf "seconds of one core,%d\n", sum }' \
        "$from/times.csv" >>$work/run.csv
fi
$report $work >/dev/null || exit 1

# What was there goes first: no table of another run stays.
rm -f "$to"/*.csv "$to/results.md" "$to/result.svg"
for table in claims curves trajectories trajectories_real selections ranks leaks unseen tuning \
    settings run; do
    if [ -s $work/$table.csv ]; then cp $work/$table.csv "$to/" || exit 1; fi
done
cp $work/results.md $work/result.svg "$to/" || exit 1

# The sentence about the run.
awk -F, -v open="$(awk -F, '$2 == "open" && $3 == ""' $work/claims.csv | wc -l)" '
    {
        key = $1
        sub(/^[^,]*,/, "")
        gsub(/^"|"$/, "")
        value[key] = $0
    }
    END {
        planned = value["runs planned"]
        finished = value["runs finished"]
        commit = substr(value["commit"], 1, 12)
        printf "Of %d planned runs %d are finished", planned, finished
        if (planned != finished) printf ": **this run is unfinished**"
        printf ". "
        if (open > 0)
            printf "%d claims are untested: no run or fewer than three seeds bear on them. ", open
        printf "They were made on %s, %d processors", value["machine"], value["processors"]
        if (commit != "") printf ", by commit %s", commit
        if (value["seconds of one core"] > 0)
            printf ", and took %.1f hours of one core", value["seconds of one core"] / 3600
        print "."
    }' $work/run.csv | fold -s -w 100 | sed 's/ *$//' >$work/about.md

# README's tables and that sentence stand between two marks each.
awk -v work=$work '
    /^<!-- end of (headlines|decision|about|short) -->$/ { skip = 0 }
    !skip
    /^<!-- (headlines|decision|about|short) -->$/ {
        file = work "/" $2 ".md"
        print ""
        while ((getline line <file) > 0) print line
        print ""
        skip = 1
    }' "$readme" >$work/readme && cat $work/readme >"$readme"
