# How the scripts compile a test, in one place.  For `.` from the repository's root.
#
# build_test FOLDER SOURCES PROGRAM FLAGS...: with the slm.h of FOLDER (. for this one).  $cc is the
# compiler, $std the dialect.
cc=${CC:-cc} std=-std=c99
include_flags="-Itools -Itests/support"
audit_sources="$(echo tools/audit/*.c) tools/common/npy.c"

# tools_of SOURCES: what of tools/ a test looks into.
tools_of() {
    errors=tools/common/errors.c
    case $(basename "$1") in
    data.c) echo tools/common/token_file.c tools/common/npy.c $errors ;;
    tokenizer.c) echo tools/slm/gpt2.c $errors ;;
    scorefile.c | fuzz.c) echo tools/slm/losses_join.c $errors ;;
    esac
}

build_test() {
    folder=$1 sources=$2 program=$3
    shift 3
    $cc $std "$@" -I"$folder" $include_flags $sources $(tools_of "$sources") -o "$program" -lm
}

# source_of NAME: the file of a test, whichever its room.
source_of() {
    for file in tests/unit/$1.c tests/system/$1.c tests/fuzz/$1.c; do
        [ -f $file ] && echo $file && return
    done
}
