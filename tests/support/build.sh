# How the scripts compile a test, in one place.  For `.` from the repository's root.
#
# build_test FOLDER SOURCES PROGRAM FLAGS...: with the slm.h of FOLDER (. for this one).  $cc is the
# compiler, $std the dialect, $include_flags the rooms of tools.
cc=${CC:-cc} std=-std=c99
include_flags="-Itools"
for room in common slm report lab repro bench audit; do
    include_flags="$include_flags -Itools/$room"
done
include_flags="$include_flags -Itests/support"
audit_sources=$(echo tools/audit/*.c)

build_test() {
    folder=$1 sources=$2 program=$3
    shift 3
    $cc $std "$@" -I"$folder" $include_flags $sources -o "$program" -lm
}

# source_of NAME: the file of a test, whichever its room.
source_of() {
    for file in tests/unit/$1.c tests/system/$1.c tests/fuzz/$1.c; do
        [ -f $file ] && echo $file && return
    done
}
