#!/bin/sh
# ship.sh FROM TO README: puts what a run of `make repro` found beside the sources: the tables of
# the folder FROM into TO, curves.csv thinned, and the claims that the report works out from these;
# the two tables of README are replaced.  From the repository's root, after `make build/reproduce`:
#
#     sh tools/repro/ship.sh build/repro .github/results README.md
from=$1 to=$2 readme=$3
report=${REPORT:-build/reproduce report --out}
work=build/tmp/ship
[ -s "$from/curves.csv" ] || {
    echo "$from/curves.csv: there is none; make repro writes it"
    exit 1
}
LC_ALL=C
export LC_ALL
rm -rf $work && mkdir -p $work "$to" || exit 1
awk -F, -f "$(dirname "$0")/thin.awk" "$from/curves.csv" >$work/curves.csv || exit 1
for table in trajectories selections ranks leaks unseen tuning settings; do
    [ -s "$from/$table.csv" ] && cp "$from/$table.csv" $work/
done
$report $work >/dev/null || exit 1
cp $work/claims.csv $work/curves.csv $work/results.md $work/result.svg "$to/" || exit 1
for table in trajectories selections ranks leaks unseen tuning settings; do
    if [ -s $work/$table.csv ]; then cp $work/$table.csv "$to/"; fi
done
{
    echo "key,value"
    echo "commit,$(git rev-parse HEAD 2>/dev/null)"
    echo "machine,$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1 | tr -d ',')"
    echo "processors,$(grep -c '^processor' /proc/cpuinfo)"
    echo "seconds of one core,$(awk -F, '$2 == "" { sum += $3 } END { printf "%d", sum }' \
        "$from/times.csv")"
} >"$to/run.csv"

# README's tables stand between two marks each.
awk -v headlines=$work/headlines.md -v decision=$work/decision.md '
    /^<!-- end of (headlines|decision) -->$/ { skip = 0 }
    !skip
    /^<!-- (headlines|decision) -->$/ {
        file = /headlines/ ? headlines : decision
        print ""
        while ((getline line <file) > 0) print line
        print ""
        skip = 1
    }' "$readme" >$work/readme && cat $work/readme >"$readme"
