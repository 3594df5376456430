# How the scripts compile a test, in one place.  For `.` from the repository's root.
#
# build_test FOLDER SOURCE PROGRAM FLAGS...: with the slm.h of FOLDER (. for ours).  $cc compiles.
cc=${CC:-cc}
includes="-Itools"
for room in common slm report lab repro bench audit; do includes="$includes -Itools/$room"; done
includes="$includes -Itests/support"

build_test() {
    folder=$1 source=$2 program=$3
    shift 3
    $cc -std=c99 "$@" -I$folder $includes $source -o $program -lm
}
