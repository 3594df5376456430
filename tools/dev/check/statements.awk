# statements.awk: every C file.  One statement a line, at most one `?:` a statement, no comma
# operator, no assignment in a condition.  Prints the functions that are longer than a screen.
BEGIN { SCREEN = 60 }

FNR == 1 {
    start_statement()
    depth = 0
}

{
    code = code_of($0)
    ends = blocks = 0
    if (is_directive(code)) {
        if (!was_directive) put_statement_aside()
        was_directive = 1
        sub(/\\$/, "", code)
        read(code)
        if (!in_directive) take_statement_back()
    } else {
        read(code)
    }
    was_directive = in_directive
    if (ends > 1 && !blocks) violation("two statements on a line: " squeeze(code))
}

# A directive may stand in the middle of a statement.
function put_statement_aside() {
    aside_text = statement
    aside_questions = questions
    aside_parentheses = parentheses
    aside_braces = braces
    aside_depth = depth
    start_statement()
}

function take_statement_back() {
    end_statement("")
    statement = aside_text
    questions = aside_questions
    parentheses = aside_parentheses
    braces = aside_braces
    depth = aside_depth
}

function start_statement() {
    statement = ""
    questions = parentheses = braces = 0
}

# A brace that holds values or names, not statements.
function opens_values(text) {
    return text ~ /(=|enum[^;()]*|(=|return) *\([^()]*\)) *\{$/ || parentheses > 0
}

# Reads the code of a line from one punctuation mark to the next.
function read(code,    mark, before) {
    while (match(code, /[(){};?,]/)) {
        before = substr(code, 1, RSTART - 1)
        mark = substr(code, RSTART, 1)
        code = substr(code, RSTART + 1)
        statement = statement before mark
        if (mark == "?") {
            questions++
        } else if (mark == "(") {
            is_group[++parentheses] = opens_group(statement)
        } else if (mark == ")") {
            if (parentheses > 0) parentheses--
        } else if (mark == ",") {
            if (parentheses > 0 && is_group[parentheses]) violation("a comma operator")
        } else if (mark == "{" && (braces > 0 || opens_values(statement))) {
            braces++
        } else if (mark == "}" && braces > 0) {
            braces--
        } else if (parentheses == 0) {
            if (mark == "{") open_brace()
            if (mark == "}") depth--
            if (mark == ";") {
                ends++
                if (blocks_open) blocks++
                if (blocks_open) violation("a block on one line: " squeeze($0))
            }
            end_statement(mark)
        }
    }
    statement = statement code " "
    blocks_open = 0
}

function open_brace() {
    if (depth == 0 && statement ~ /\) *\{$/ && statement !~ /=/) begin_function()
    depth++
    blocks_open = 1
}

# A parenthesis that neither calls, declares nor casts: what stands before it is an operator.
function opens_group(text) {
    sub(/ *\($/, "", text)
    return text ~ /[=&|!?:+\-*\/<>%]$/ || text ~ /(^|[^A-Za-z0-9_])return$/
}

function end_statement(mark) {
    if (questions > 1) violation("two `?:` in a statement: " squeeze(statement))
    look_at_condition(statement)
    if (mark == ";" && last_mark != "}") look_for_comma(statement)
    if (mark == "}" && depth == 0) end_function()
    last_mark = mark
    start_statement()
}

# if, while, switch, and the three parts of a for.
function look_at_condition(text,    word, inside, part, rest) {
    while (match(text, /(^|[^A-Za-z0-9_])(if|while|switch|for) *\(/)) {
        word = substr(text, RSTART, RLENGTH)
        gsub(/[^a-z]/, "", word)
        text = substr(text, RSTART + RLENGTH - 1)
        inside = in_parentheses(text)
        if (word == "for") {
            if (split(inside, part, ";") < 3) return
            if (!is_declaration(part[1]) && top_commas(part[1])) violation("a comma in a for")
            if (top_commas(part[3])) violation("a comma in a for: " squeeze(inside))
            if (assigns(part[2])) violation("an assignment in a condition: " squeeze(inside))
            rest = substr(text, length(inside) + 3)
            if (rest ~ /^ *;$/) violation("an empty loop: " squeeze(text))
        } else if (assigns(inside) && !is_next(word, inside)) {
            violation("an assignment in a condition: " squeeze(inside))
        }
        text = substr(text, 2)
    }
}

function assigns(text) {
    gsub(/[=!<>]=/, "", text)
    return text ~ /=/
}

# The one assignment that a condition may hold: while ((x = next()) != NULL).
function is_next(word, text) {
    return word == "while" && text ~ /^\([A-Za-z_0-9]+ = [^=]*\) (!=|>|>=) [A-Za-z_0-9-]+$/
}

function is_declaration(text) {
    return text ~ /^ *[A-Za-z_][A-Za-z0-9_]*(( +|( *\*)+ *)(const +)?[A-Za-z_(]| *\(\*)/
}

# The commas of a text that stand in no parentheses.
function top_commas(text,    n) {
    while (match(text, /\([^()]*\)|\[[^][]*\]|\{[^{}]*\}/))
        text = substr(text, 1, RSTART - 1) "_" substr(text, RSTART + RLENGTH)
    n = gsub(/,/, "", text)
    return n
}

# a = 1, b = 2;  is one statement too many.  A declaration may hold several names.
function look_for_comma(text) {
    while (sub(/^ *(else|do|case [^:?]*:|default *:)/, "", text)) {}
    if (match(text, /^ *(if|while|for|switch) *\(/)) {
        sub(/^[^(]*/, "", text)
        text = substr(text, length(in_parentheses(text)) + 3)
    }
    sub(/^ *return/, "", text)
    if (text ~ /^ *[A-Za-z_0-9.>\[\]()*-]+ *([-+*\/|&^%]?=|\+\+|--|\()/ && !is_declaration(text))
        if (top_commas(text)) violation("a comma operator: " squeeze(text))
}

# ---- functions longer than a screen: told, not forbidden ----
function begin_function() {
    name = statement
    sub(/ *\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    begin = FNR
}

function end_function() {
    if (name != "" && FNR - begin + 1 > SCREEN)
        printf "long %4d lines: %s (%s:%d)\n", FNR - begin + 1, name, FILENAME, begin
    name = ""
}
