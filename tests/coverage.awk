# coverage.awk: reasons, `LINE 0|1`, and slm.h become the report of tests/coverage.sh.
#
# A reason is a paragraph of coverage.txt:  FUNCTION: TEXT = WHY.  It is of every line of that
# function that holds the text; without a text, `FUNCTION = WHY`, of all of its lines.
BEGIN {
    split("data tokenizers io json formats", wanted, " ")
    for (i in wanted) is_wanted[wanted[i]] = 1
}
FILENAME ~ /coverage\.txt$/ {
    if ($0 ~ /^#/ || $0 == "") next
    at = index($0, " = ")
    what = substr($0, 1, at - 1)
    why[++n_reasons] = substr($0, at + 3)
    colon = index(what, ": ")
    of_function[n_reasons] = colon > 0 ? substr(what, 1, colon - 1) : what
    of_text[n_reasons] = colon > 0 ? substr(what, colon + 2) : ""
    next
}
FILENAME ~ /\/all$/ {
    run[$1] = $2
    next
}
/^(\/\*| \*) ==== >>/ { section = $3; sub(/^>>/, "", section) }
/^[A-Za-z].*\(/ && !/;$/ {
    name = $0
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
}
# Empty lines, braces, directives and comments are no code; clang counts some as never run.
/^[ {}]*$/ || /^ *#/ { next }
/^ *\/\*/ { in_comment = 1 }
in_comment {
    if (/\*\/ *$/) in_comment = 0
    next
}
(FNR in run) && (section in is_wanted) {
    lines[section]++
    if (run[FNR]) {
        lines_run[section]++
        next
    }
    if (name ~ word) explain()
}

function explain(    i, text) {
    text = $0
    sub(/^ +/, "", text)
    for (i = 1; i <= n_reasons; i++) {
        if (of_function[i] != name || !(of_text[i] == "" || index($0, of_text[i]))) continue
        used[i] = 1
        printf "  %5d %-28s %-44.44s %s\n", FNR, name, text, why[i]
        return
    }
    printf "  %5d %-28s %-44.44s NOT EXPLAINED\n", FNR, name, text
    n_unexplained++
}

END {
    printf "\n%-12s %7s %7s %7s\n", "section", "lines", "run", "share"
    for (i = 1; i in wanted; i++) {
        section = wanted[i]
        share = lines[section] > 0 ? 100 * lines_run[section] / lines[section] : 0
        printf "%-12s %7d %7d %6.1f%%\n", section, lines[section], lines_run[section], share
        if (share < 95) n_low++
    }
    for (i = 1; i <= n_reasons && word == ""; i++) {
        if (used[i]) continue
        print "no such line is left: " of_function[i] ": " of_text[i]
        n_idle++
    }
    printf "%d lines are not explained, %d sections have less than 95%%, ", n_unexplained, n_low
    printf "%d reasons have no line\n", n_idle
    exit n_unexplained + n_low + n_idle > 0
}
