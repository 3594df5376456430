# checks.sh: what tests of the command line share.  Source it with SLM, the program, and T, the
# test's own folder, which is made anew; `passed` and `failed` count.
passed=0 failed=0
rm -rf "$T" && mkdir -p "$T" || exit 1
if [ ! -x "$SLM" ]; then
    echo "$SLM is not there: make it first"
    exit 1
fi

ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL $*"; }
# check WHAT COMMAND: the command ends with 0
check() {
    what=$1
    shift
    if "$@" >/dev/null 2>&1; then ok; else bad "$what"; fi
}
same() { if cmp -s "$2" "$3"; then ok; else bad "$1: $2 and $3 differ"; fi; }
