#!/bin/sh
# The manual page and the completions: every verb and flag of -h is in each of them, and the shells
# and troff take them.  The shells that are not there are named as skipped.
SLM=${SLM:-build/slm}
T=build/tmp/manual
. tests/support/checks.sh
has_program() { command -v "$1" >/dev/null 2>&1; }

for form in man bash zsh fish; do
    works "$form" manual $form
    cp "$T/stdout" "$T/$form"
done
fails 2 'usage: slm manual' manual
fails 2 'usage: slm manual' manual tcsh

# ---- every flag, of every verb ----
# holds FORM WHAT TEXT
holds() {
    if grep -q -F -e "$3" "$T/$1"; then ok; else bad "$1: $2 is missing ($3)"; fi
}
"$SLM" -h | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' | grep -v '^tokenizer$' >"$T/verbs"
printf 'tokenizer train\ntokenizer import\n' >>"$T/verbs"
check "verbs: $(wc -l <"$T/verbs")" test "$(wc -l <"$T/verbs")" -ge 10
while read -r verb; do
    # shellcheck disable=SC2086
    "$SLM" $verb -h | sed -n '/^flags$/,$s/^  \(--*[a-z0-9-][a-z0-9-]*\).*/\1/p' >"$T/flags"
    check "$verb has flags" test -s "$T/flags"
    first=${verb%% *}
    # What each form says of this verb alone.
    awk -v begin=".SS slm $verb" '/^\.S[SH]/ { on = $0 == begin } on' "$T/man" | sed 's/\\-/-/g' \
        >"$T/man1"
    grep -F "\"$verb \"*" "$T/bash" | tr '" ' '\n\n' >"$T/bash1"
    awk -v begin="\"$verb \"*)" '$0 == begin { on = 1 } on; /;;/ { on = 0 }' "$T/zsh" >"$T/zsh1"
    grep -F "contains -- $first " "$T/fish" >"$T/fish1"
    while read -r flag; do
        holds man1 "$verb $flag" "\\fB$flag\\fR"
        check "bash: $verb $flag" grep -qxF -e "$flag" "$T/bash1"
        holds zsh1 "$verb $flag" "'*$flag["
        name=${flag#-}
        case $name in
        -*) holds fish1 "$verb $flag" " -l ${name#-} " ;;
        *) holds fish1 "$verb $flag" " -s $name " ;;
        esac
    done <"$T/flags"
done <"$T/verbs"

# ---- what the shells make of them ----
if has_program bash; then
    check "bash takes its completions" bash -n "$T/bash"
    # complete WORD...: what bash offers for the last word of `slm WORD...`.
    complete() {
        bash -c '. "$1"; shift; COMP_WORDS=(slm "$@"); COMP_CWORD=$#; _slm
            echo "${COMPREPLY[@]}"' - "$T/bash" "$@"
    }
    check "a verb" test "$(complete tokenize)" = "tokenize tokenizer"
    check "a flag" test "$(complete train --sco)" = "--scope --scores"
    check "a word of a choice" test "$(complete train --select ex)" = "excess"
    check "a verb of two words" test "$(complete tokenizer im)" = "import"
    check "a flag of it" test "$(complete tokenizer train --vo)" = "--vocab"
    check "no flag is a file's" test -z "$(complete train --data fi)"
else echo "skipped: bash"; fi
for shell in zsh fish; do
    if has_program $shell; then check "$shell takes its completions" $shell -n "$T/$shell"
    else echo "skipped: $shell"; fi
done
if has_program mandoc; then
    check "mandoc has no error: $(mandoc -T lint -W error "$T/man" | head -n 1)" \
        mandoc -T lint -W error "$T/man"
else echo "skipped: mandoc"; fi
if has_program groff; then
    LC_ALL=C groff -man -ww -T ascii -P -cbou "$T/man" >"$T/page" 2>"$T/warnings"
    check "troff warns: $(head -n 1 "$T/warnings")" test ! -s "$T/warnings"
    check "the page is set" grep -q 'EXIT STATUS' "$T/page"
else echo "skipped: groff"; fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
