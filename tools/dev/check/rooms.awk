# rooms.awk: the C files besides slm.h.  A header of tools/ holds types and prototypes, no body; no
# file of tools/ includes a .c; a chain of includes has at most four files (slm.h not counted); the
# private names of slm.h are seen by the benchmark, the audit and the tests of its parts only; the
# headers of a system are included by common/os.c only.
BEGIN {
    CHAIN = 4
    may_see = "^(slm\\.h$|tools/(bench|audit)/|tests/(unit|fuzz|support)/)"
}

FNR == 1 {
    files[++n_files] = FILENAME
    depth = 0
    head = ""
}
/^ *# *include "/ { note_include($0) }
/^ *# *include </ && FILENAME ~ /^tools\// && FILENAME !~ /^tools\/common\/os\.c$/ {
    system_headers = "<(sys/.*|unistd|fcntl|dirent|pthread|termios|windows|io|direct)\\.h>"
    if ($0 ~ system_headers) violation("the header of a system: " squeeze($0))
}
{
    code = code_of($0)
    if (code ~ /slm__|SLM__/ && FILENAME !~ may_see) violation("a private name: " squeeze(code))
    if (!is_directive(code) && FILENAME ~ /^tools\/.*\.h$/) look_for_body(code)
}

function note_include(line) {
    gsub(/^[^"]*"|"[^"]*$/, "", line)
    if (line ~ /\.c$/ && FILENAME ~ /^tools/) violation("includes a .c: " line)
    includes[FILENAME] = includes[FILENAME] " " line
    sub(/.*\//, "", line)
    include_line[FILENAME, line] = FNR
}

function look_for_body(code,    i, n, c) {
    if (depth == 0) head = head " " code
    n = length(code)
    for (i = 1; i <= n; i++) {
        c = substr(code, i, 1)
        if (c == "{" && depth++ == 0 && head ~ /\)[^=]*\{/ && head !~ /=/)
            violation("a body in a header: " squeeze(head))
        if (c == "}" && depth > 0 && --depth == 0) head = ""
        if (c == ";" && depth == 0) head = ""
    }
}

END {
    for (i = 1; i <= n_files; i++) {
        name = basename(files[i])
        by_name[name] = by_name[name] " " files[i]
    }
    for (i = 1; i <= n_files; i++) {
        root = files[i]
        if (root ~ /\.c$/) follow(root, basename(root), 1)
    }
}

function basename(path) {
    sub(/.*\//, "", path)
    return path
}

# The file of this room, or else the one file that has the name.
function file_of(name, from,    same, n, list) {
    same = from
    sub(/[^\/]*$/, "", same)
    n = split(by_name[basename(name)], list, " ")
    if (n < 2) return list[1]
    return index(by_name[basename(name)] " ", " " same name " ") ? same name : list[1]
}

function follow(file, chain, length_of,    n, i, list, next_file) {
    if (length_of > CHAIN) {
        if (!told[root]++) violation_at(root, 1, "a chain of " length_of " includes: " chain)
        return
    }
    n = split(includes[file], list, " ")
    for (i = 1; i <= n; i++) {
        next_file = file_of(list[i], file)
        if (next_file != "" && next_file != "slm.h")
            follow(next_file, chain " > " basename(next_file), length_of + 1)
    }
}
