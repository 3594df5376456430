# code.awk: what the other parts share.  Splits a line of C into code and comment.

function violation(what) {
    violation_at(FILENAME, FNR, what)
}

function violation_at(file, line, what) {
    print "violation " file ":" line ": " what
}

# The code of a line: comments become a blank, texts become "" and characters ''.  What the
# comments say is left in `comment`.  A comment that goes on over lines is remembered.
function code_of(line,    out, end, token) {
    if (FNR == 1) in_comment = 0
    comment = ""
    out = ""
    while (line != "") {
        if (in_comment) {
            end = index(line, "*/")
            if (end == 0) {
                comment = comment line
                return out
            }
            comment = comment substr(line, 1, end - 1) " "
            line = substr(line, end + 2)
            in_comment = 0
            continue
        }
        if (!match(line, /\/\*|\/\/|["']/)) return out line
        out = out substr(line, 1, RSTART - 1)
        token = substr(line, RSTART, RLENGTH)
        line = substr(line, RSTART + RLENGTH)
        if (token == "/*") {
            in_comment = 1
            out = out " "
        } else if (token == "//") {
            comment = comment line
            return out
        } else {
            match(line, token == "\"" ? "^([^\"\\\\]|\\\\.)*\"" : "^([^'\\\\]|\\\\.)*'")
            out = out token token
            line = RLENGTH > 0 ? substr(line, RLENGTH + 1) : ""
        }
    }
    return out
}

# Is the line part of a preprocessor directive?  Call it once a line, in order.
function is_directive(code,    answer) {
    if (FNR == 1) in_directive = 0
    answer = in_directive || code ~ /^ *#/
    in_directive = answer && $0 ~ /\\$/
    return answer
}

function squeeze(text) {
    gsub(/[ \t]+/, " ", text)
    gsub(/^ | $/, "", text)
    return length(text) > 60 ? substr(text, 1, 57) "..." : text
}

# Does the text hold one of the words (a regular expression)?  Does it call one of them?
function has(text, words) {
    return text ~ ("(^|[^A-Za-z0-9_])(" words ")([^A-Za-z0-9_]|$)")
}

function calls(text, words) {
    return text ~ ("(^|[^A-Za-z0-9_>.])(" words ") *\\(")
}

# The text from its first parenthesis to the one that closes it, without these two.
function in_parentheses(text,    i, n, depth, c) {
    text = substr(text, index(text, "("))
    n = length(text)
    for (i = 1; i <= n; i++) {
        c = substr(text, i, 1)
        if (c == "(") depth++
        if (c == ")" && --depth == 0) return substr(text, 2, i - 2)
    }
    return substr(text, 2)
}
