# sections.awk: slm.h.  Its sections stand in the order that >>contents promises, each uses only
# what stands above it, and none does what its line in the contents forbids.

# ---- the contents: sections and border lines in the order of the file ----
/>>contents/ && n_sections == 0 {
    in_contents = 1
    next_promise = 1
}
in_contents && FNR > 1 && /^ \* ==== / && !/>>contents/ { in_contents = 0 }
in_contents && /^ \*  *[0-9]* *>>[a-z]/ {
    name = anchor_of($0)
    if (name in promised) violation(">>" name " is in the contents twice")
    promised[name] = ++n_promised
    promise[n_promised] = name
    number_of[name] = $2 ~ /^[0-9]+$/ ? $2 : ""
}
in_contents && /^ \*  *---- .* ----$/ {
    text = $0
    gsub(/^ \*  *---- | ----$/, "", text)
    promised[text] = ++n_promised
    promise[n_promised] = text
}

function anchor_of(line) {
    sub(/.*>>/, "", line)
    sub(/[^a-z_].*/, "", line)
    return line
}

# ---- a section begins with its anchor, a border is a line of its own ----
/^(\/| )\* ==== >>[a-z]/ {
    section = anchor_of($0)
    title[++n_sections] = section
    first[section] = FNR
    if (section != "licence" && section != "contents") arrive(section, ">>" section)
    if (number_of[section] != "") {
        number = number_of[section] + 0
        if ($0 !~ ("==* " number " ==")) violation(">>" section " does not say its number " number)
    }
}
/^\/\* ==+ [a-z].* ==+ \*\/$/ {
    text = $0
    gsub(/^\/\* =+ | =+ \*\/$/, "", text)
    arrive(text, "the border \"" text "\"")
}
{ lines[section]++ }

function arrive(what, called) {
    if (what in seen) violation(called " is there twice, first in line " seen[what])
    else if (!(what in promised)) violation(called " is not in >>contents")
    else if (promised[what] < last_arrived) violation(called " comes too late by >>contents")
    else last_arrived = promised[what]
    seen[what] = FNR
}

# ---- code and comments ----
{
    code = code_of($0)
    directive = is_directive(code)
    note_comment(comment)
    tokens[section] += count_tokens(code, directive)
    note_names(code)
    look_for_definitions(code, directive)
    may_not(code)
}

function count_tokens(code, directive) {
    if (directive) return 0
    return gsub(/[A-Za-z_0-9]+|->|[-+*\/%&|^=<>!]=|&&|\|\||<<|>>|\+\+|--|[^A-Za-z_0-9 ]/, "", code)
}

# Every slm_ name that a comment speaks of; "slm_tokenizer_*" speaks of all that begin so.
function note_comment(text,    name) {
    while (match(text, /(slm|SLM)_[A-Za-z0-9_]*\*?/)) {
        name = substr(text, RSTART, RLENGTH)
        if (!(name in spoken_of) && !is_pattern(name)) spoken_of[name] = FNR
        text = substr(text, RSTART + RLENGTH)
    }
}

# slm_OBJECT_VERB speaks of no name.
function is_pattern(name) {
    return name ~ /^slm_.*[A-Z]/
}

# Where each name occurs first in a numbered section, and that it occurs at all.
function note_names(code,    name) {
    while (match(code, /(slm|SLM)_[A-Za-z0-9_]+/)) {
        name = substr(code, RSTART, RLENGTH)
        in_code[name] = 1
        if (number > 0 && !(name in used_in)) {
            used_in[name] = number
            used_at[name] = FNR
        }
        code = substr(code, RSTART + RLENGTH)
    }
}

function define(name) {
    if (number > 0 && !(name in defined_in)) defined_in[name] = number
}

# Macros; functions: a brace at depth 0 behind a list of parameters; prototypes end with ; instead.
function look_for_definitions(code, directive,    i, n, c) {
    if (directive) {
        if (code ~ /^ *# *define /) define_macro(code)
        return
    }
    if (depth == 0) head = head " " code
    n = length(code)
    for (i = 1; i <= n; i++) {
        c = substr(code, i, 1)
        if (c == "{" && linkage(head)) head = ""
        else if (c == "{" && depth++ == 0 && head ~ /\)[^=]*\{/) define(function_in(head))
        else if (c == "}" && depth > 0 && --depth == 0) head = ""
        else if (c == ";" && depth == 0) {
            if (is_global(head)) violation("a global variable: " squeeze(head))
            note_prototype(head)
            head = ""
        }
    }
}

function linkage(head) {
    return head ~ /extern ""/
}

function define_macro(code) {
    sub(/^ *# *define /, "", code)
    sub(/[^A-Za-z0-9_].*/, "", code)
    if (code !~ /^SLM_/) violation("a macro that does not begin with SLM_: " code)
    define(code)
}

function function_in(head) {
    sub(/ *\(.*/, "", head)
    sub(/.*[ *]/, "", head)
    return head
}

# A private function that is announced in one section must be defined in the same.
function note_prototype(head) {
    if (head !~ /^ *static [^={]*\)/ || head ~ /typedef/) return
    announced[function_in(head)] = section
    announced_at[function_in(head)] = FNR
}

# ---- what a section may not do ----
function forbid(where, found, what, code) {
    if (found && section ~ ("^(" where ")$")) violation(">>" section " " what ": " squeeze(code))
}

function forbid_outside(where, found, what, code) {
    if (found && section !~ ("^(" where ")$")) violation(">>" section " " what ": " squeeze(code))
}

function may_not(code,    libc, model, element) {
    # Everywhere.
    libc = "exit|_Exit|abort|assert|v?f?printf|puts|fputs|putchar|fputc|putc|perror|s?rand"
    libc = libc "|time|clock|getenv|system|longjmp|signal"
    forbid(".*", calls(code, libc), "prints, ends the program or asks the machine", code)
    forbid(".*", is_static(code), "has a variable that outlives a call", code)

    # Memory comes from >>base, files are opened in >>io, loops become vector code in three places.
    forbid_outside("base|api|config",
        has(code, "SLM_MALLOC|SLM_REALLOC|SLM_FREE") || calls(code, "malloc|calloc|realloc|free"),
        "allocates past >>base", code)
    forbid_outside("api|config|io|formats",
        has(code, "FILE") || calls(code, "f(open|read|write|close|seek|tell|flush)|rename|remove") \
            || calls(code, "mkdir|SLM__F[A-Z]*|SLM__RENAME|SLM__MKDIR"),
        "touches files", code)
    forbid_outside("vector|gemm|rows", code ~ /omp simd/ || has(code, "SLM__VECTOR_FOR"),
        "has a loop for vectors", code)

    forbid("base", calls(code, "pow|sin|tan|tanh|exp|floor|fabs"), "does mathematics", code)
    forbid("selection", code ~ /slm__(alloc|arena|buffer|release|tape_alloc)/, "allocates", code)
    forbid("selection", has(code, "slm_(tape|tensor|model|batch|trainer)[a-z_]*|slm__node"),
        "knows tape or model", code)
    forbid("vector|gemm|rows", knows_public(code), "sees a public struct", code)
    forbid("tape",
        has(code, "slm_(embedding|linear|rmsnorm|rope|attention|swiglu|selective_loss)[a-z_]*"),
        "knows an operation by name", code)
    forbid("ops", has(code, "slm_(model|model_config|rng|batch|trainer)[a-z_]*"),
        "knows configuration, model or random state", code)
    forbid("model", code ~ /(data|grad|params)\[/, "touches an element", code)
    forbid("scoring|generation",
        code ~ /params\[[^]]*\] *[-+*\/]?=[^=]/ || code ~ /mem(cpy|set|move)\([^,]*params/,
        "writes parameters", code)
    forbid("optimizer", has(code, "slm_(tensor|tape|param|model)"), "knows tensors", code)
    element = code ~ /[A-Za-z_]\[[^]]*\] *[-+*\/]?=[^=]/
    if (code ~ /^ *(const )?(double|size_t|int) /) element = 0
    forbid("step", element || code ~ /(data|grads?|params)\[/, "touches an element", code)
    model = "slm_(model|model_config|tape|tensor|trainer|adamw|linear|attention)[a-z_]*"
    forbid("data|tokenizers|io|json", has(code, model), "knows models", code)
}

function is_static(code) {
    return code ~ /^ +static [^({]*[;=]/ && !has(code, "const")
}

function is_global(head) {
    if (head ~ /[({]/ || has(head, "const|typedef|extern")) return 0
    return head ~ /^ *[A-Za-z]/ && head !~ /^ *(struct|union|enum) [a-z_0-9]+$/
}

# The kernels know numbers: of the public names they may say slm_real, and no other.
function knows_public(code,    name) {
    while (match(code, /slm_[A-Za-z0-9_]+/)) {
        name = substr(code, RSTART, RLENGTH)
        if (name != "slm_real" && name !~ /^slm__/) return 1
        code = substr(code, RSTART + RLENGTH)
    }
    return 0
}

END {
    if (depth != 0) violation("the braces do not balance")
    for (i = 1; i <= n_promised; i++)
        if (!(promise[i] in seen)) violation_at(FILENAME, 1, promise[i] " is only in the contents")
    for (name in announced)
        if (defined_in[name] != number_of[announced[name]])
            violation_at(FILENAME, announced_at[name], name " is defined in another section")
    for (name in defined_in)
        if (name in used_in && used_in[name] < defined_in[name])
            violation_at(FILENAME, used_at[name], name " is used before its section")
    for (name in spoken_of)
        if (!exists(name))
            violation_at(FILENAME, spoken_of[name], "a comment speaks of " name ", which is not")
    print_table()
}

function exists(name,    known) {
    if (name in in_code) return 1
    if (substr(name, 1, length(name) - 1) in in_code && name ~ /s$/) return 1
    if (name !~ /\*$/ && name !~ /_$/) return 0
    sub(/\*$/, "", name)
    for (known in in_code)
        if (index(known, name) == 1) return 1
    return 0
}

function print_table(    i, name, all_lines, all_tokens, form) {
    form = "section %3s %-12s %6s %6s %7s\n"
    printf form, "", "section", "line", "lines", "tokens"
    for (i = 1; i <= n_sections; i++) {
        name = title[i]
        printf form, number_of[name], name, first[name], lines[name], tokens[name] + 0
        all_tokens += tokens[name]
    }
    printf form, "", "whole", "", FNR, all_tokens
}
