# mutants.awk: small errors, made by rule.  Reads slm.h and prints a line for each place where a
# rule of the list applies, its fields separated by tabs:
#
#     SECTION LINE RULE HASH OLD NEW     OLD and NEW: the whole line, as it is and with the error
#
# Rules: bound (< <=, > >=), equal (== !=), logic (&& ||), sign (+ -), factor (* / to + *), one (+ 1
# and - 1 left out), not (an `if` the other way round), drop (a statement left out).  HASH is made
# of rule and line and not of the place, so that who samples by it takes the same ones when the
# lines move.
# Only bodies of functions are changed.  What no result depends on is left alone: how many threads
# share work, and what frees memory (the sanitizers look for that).
BEGIN {
    FS = "\n"
    n_rules = split("bound: < : <= ;bound: <= : < ;bound: > : >= ;bound: >= : > ;" \
                    "equal: == : != ;equal: != : == ;logic: && : || ;logic: || : && ;" \
                    "sign: + : - ;sign: - : + ;factor: * : + ;factor: / : * ;" \
                    "one: + 1::;one: - 1::", rules, ";")
    for (c = 32; c < 127; c++) code_of[sprintf("%c", c)] = c
}

/^\/\* ==== >>/ {
    section = $0
    sub(/^.*>>/, "", section)
    sub(/ .*/, "", section)
}
/^#/ || /\\$/ { next }
/^[^ \/#}].*\) \{$/ || /^    .*\) \{$/ && !inside && starts { inside = 1; starts = 0; next }
/^[a-zA-Z].*[,(]$/ { starts = 1 }
/^\}/ { inside = 0; starts = 0 }
/\/\*/ && !/\*\// { in_comment = 1; next }
/\*\// && in_comment { in_comment = 0; next }
in_comment || !inside || section == "" { next }
/SLM__SHARE|SLM__PRAGMA|slm__team_|slm__threads_of/ { next }
{
    code = $0
    sub(/ *\/\*.*$/, "", code)
    rest = substr($0, length(code) + 1)
    for (r = 1; r <= n_rules; r++) {
        split(rules[r], part, ":")
        replace_each(part[1], part[2], part[3])
    }
    negate()
    drop()
}

function show(rule, new) {
    if (new == code) return
    print section "\t" FNR "\t" rule "\t" hash(rule code new) "\t" $0 "\t" new rest
}

# Each place of the old text that is not in a string and is not part of a longer operator.
function replace_each(rule, old, new,    at, from, before, behind) {
    from = 1
    while ((at = index(substr(code, from), old)) > 0) {
        at += from - 1
        before = substr(code, 1, at - 1)
        behind = substr(code, at + length(old))
        from = at + length(old)
        if (gsub(/"/, "\"", before) % 2 == 1) continue
        if (rule == "one" && behind ~ /^[0-9.a-zA-Z]/) continue
        show(rule, before new behind)
    }
}

function negate(    condition) {
    if (code !~ /^ *(\} else )?if \(.*\)( \{| [a-z*].*;)$/) return
    match(code, /if \(/)
    condition = condition_of(substr(code, RSTART + 4))
    if (condition == "") return
    show("not", substr(code, 1, RSTART + 3) "!(" condition ")" \
         substr(code, RSTART + 4 + length(condition)))
}

# The text up to the bracket that closes.
function condition_of(text,    i, depth, c) {
    depth = 0
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "\"") return ""
        if (c == "(") depth++
        if (c == ")" && depth-- == 0) return substr(text, 1, i - 1)
    }
    return ""
}

# A statement on a line of its own: no declaration, nothing that leaves the block.
function drop() {
    if (code !~ /^ +[a-z_(*][^ ]*( [-+*\/|&^]?= .*|\(.*\)|\+\+|--);$/) return
    if (code ~ /^ +(return|break|continue|goto|case|const|else|do|if|for|while)[ ;(]/) return
    if (code ~ /free|slm__release|munmap|fclose|omp_/) return
    if (previous_goes_on()) return
    match(code, /[^ ]/)
    show("drop", substr(code, 1, RSTART - 1) "(void)0;")
}

# The line before is the first part of this statement, or what an `if` or a loop begins.
function previous_goes_on() {
    return last !~ /[;{}]$/ && last !~ /\*\/$/ && last != ""
}
{ last = $0 }

function hash(text,    i, h) {
    h = 5381
    for (i = 1; i <= length(text); i++) h = (h * 33 + code_of[substr(text, i, 1)]) % 16777213
    return h
}
