#!/bin/sh
# `make install` and `make uninstall` into a folder of the test's: what is installed runs, compiles
# as slm.pc says, and goes again.
cd "$(dirname "$0")/../.." || exit 1
dir=$PWD/build/tmp/install
rm -rf "$dir" && mkdir -p "$dir" || exit 1
passed=0 failed=0
ok() {                                             # STATUS WHAT
    if [ "$1" -eq 0 ]; then passed=$((passed + 1))
    else failed=$((failed + 1)); echo "FAIL $2"; fi
}

${MAKE:-make} -s install PREFIX=/opt/slm DESTDIR="$dir" >"$dir/log" 2>&1
ok $? "make install: $(tail -n 1 "$dir/log")"
version=$(sed -n 's/^#define SLM_VERSION "\(.*\)"/\1/p' slm.h)
[ "$("$dir/opt/slm/bin/slm" --version)" = "slm $version" ]
ok $? "the installed program does not say slm $version"

pc=$dir/opt/slm/lib/pkgconfig/slm.pc
grep -qx "Version: $version" "$pc"
ok $? "slm.pc names another version"
grep -qx 'prefix=/opt/slm' "$pc"
ok $? "slm.pc names another prefix"
flags=$(sed -n 's/^Cflags: //p' "$pc" | sed "s|\${prefix}|$dir/opt/slm|")
libs=$(sed -n 's/^Libs: //p' "$pc")
printf '#define SLM_IMPLEMENTATION\n#include "slm.h"\nint main(void) { return 0; }\n' >"$dir/use.c"
# The flags are words.  shellcheck disable=SC2086
(cd "$dir" && ${CC:-cc} $flags use.c -o use $libs && ./use) >"$dir/log" 2>&1
ok $? "a program compiled as slm.pc says: $(head -n 1 "$dir/log")"

for file in man/man1/slm.1 bash-completion/completions/slm zsh/site-functions/_slm \
    fish/vendor_completions.d/slm.fish; do
    [ -s "$dir/opt/slm/share/$file" ]
    ok $? "no share/$file is installed"
done

${MAKE:-make} -s uninstall PREFIX=/opt/slm DESTDIR="$dir" >"$dir/log" 2>&1
ok $? "make uninstall: $(tail -n 1 "$dir/log")"
[ -z "$(find "$dir/opt" -type f)" ]
ok $? "uninstall leaves $(find "$dir/opt" -type f)"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
