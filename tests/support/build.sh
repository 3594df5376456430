# How the scripts compile a test, in one place.  For `.` from the repository's root.
#
# build_test FOLDER SOURCES PROGRAM FLAGS...: with the slm.h of FOLDER (. for this one).  $cc is the
# compiler, $std the dialect.  All threads work, always: slm.h does not ask whether that is fast.
cc=${CC:-cc} std=-std=c99
include_flags="-Itools -Itests/support"
common=tools/common
gguf_sources="$(echo tools/slm/gguf_*.c) tools/slm/convert_rope.c tools/slm/token_pairs.c \
    tools/slm/numbers.c $common/errors.c $common/os.c $common/text.c"
audit_sources="$(echo tools/audit/*.c) $common/npy.c $common/os.c $common/start.c $common/text.c"

build_test() {
    folder=$1 sources=$2 program=$3
    shift 3
    $cc $std "$@" -DSLM__TEAM_JUDGES=0 -I"$folder" $include_flags $sources -o "$program" -lm
}

# node_package NAME: the folder of an npm package, if it is installed in NODE_PATH, here, beside
# this folder, or for all users.
node_package() {
    for place in $(echo "$NODE_PATH" | tr : ' ') node_modules ../node_modules \
        ../shared/node_modules "$(npm root -g 2>/dev/null)"; do
        [ -d "$place/$1" ] && (cd "$place/$1" && pwd) && return
    done
}

# sources_of NAME: the file of a test, whichever its room, and those parts of tools that it tests.
sources_of() {
    parts=
    case $1 in
    data) parts="$common/token_file.c $common/token_source.c $common/corpus_join.c
        $common/documents.c $common/source.c $common/npy.c $common/errors.c $common/os.c" ;;
    answers) parts=tools/slm/answer.c ;;
    stats) parts="tools/repro/stats.c tools/repro/coverage.c" ;;
    tokenizer) parts="tools/slm/gpt2.c tools/common/errors.c" ;;
    scores) parts="tools/slm/losses_join.c tools/common/errors.c" ;;
    gguf) parts="$gguf_sources" ;;
    lab) parts="tools/lab/corpus.c tools/lab/filter.c tools/lab/token_rules.c
        tools/lab/experiment.c $common/progress.c $common/os.c" ;;
    esac
    for file in tests/unit/$1.c tests/system/$1.c; do
        [ -f $file ] && echo $file $parts && return
    done
}
