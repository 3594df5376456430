# checks.sh: what tests of the command line share.  Source it with SLM, the program, and T, the
# test's own folder, which is made anew; `passed` and `failed` count.
. tests/support/counts.sh
rm -rf "$T" && mkdir -p "$T" || exit 1
if [ ! -x "$SLM" ]; then
    echo "$SLM is not there: make it first"
    exit 1
fi

# works NAME ARGS: exit 0, nothing on stderr (--quiet leaves it empty)
works() {
    name=$1
    shift
    "$SLM" "$@" >"$T/stdout" 2>"$T/stderr"
    code=$?
    if [ $code -ne 0 ]; then
        bad "$name: exit $code: $(head -1 "$T/stderr")"
        return 1
    fi
    if [ -s "$T/stderr" ]; then bad "$name: stderr: $(head -1 "$T/stderr")"; else ok; fi
}
# fails CODE WORDS ARGS: exits with that code and one line on stderr that holds the words; prints no
# result and makes none of $T/none*.
fails() {
    want=$1 words=$2
    shift 2
    "$SLM" "$@" >"$T/stdout" 2>"$T/stderr"
    code=$?
    why=
    if [ $code -ne "$want" ]; then why="exit $code, not $want: $(head -1 "$T/stderr")"
    elif [ "$(wc -l <"$T/stderr" | tr -d ' ')" != 1 ]; then why="not one line"
    elif ! grep -q -e "$words" "$T/stderr"; then why="'$words' is not in: $(cat "$T/stderr")"
    elif [ -s "$T/stdout" ]; then why="output although it failed"
    fi
    for left in "$T"/none*; do
        [ -e "$left" ] || continue
        why="left behind: $left"
        rm -rf "$left"
    done
    if [ -z "$why" ]; then ok; else bad "slm $*: $why"; fi
}
# has WHAT WORDS: the result of the last command holds the words
has() {
    if grep -q -e "$2" "$T/stdout"; then ok
    else bad "$1: '$2' is not in: $(head -c 300 "$T/stdout")"; fi
}

# package NAME: the folder of an npm package, if it is installed
package() {
    for place in $(echo "$NODE_PATH" | tr : ' ') node_modules ../node_modules \
        ../shared/node_modules "$(npm root -g 2>/dev/null)"; do
        [ -d "$place/$1" ] && (cd "$place/$1" && pwd) && return
    done
}
