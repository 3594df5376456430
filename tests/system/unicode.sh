#!/bin/sh
# The tables of characters in slm.h against tools/dev/unicode_classes: on a small database made
# here, and on the Unicode Character Database where it is installed (Debian: unicode-data).
cd "$(dirname "$0")/../.." || exit 1
dir=build/tmp/unicode
rm -rf $dir && mkdir -p $dir/small || exit 1
passed=0 failed=0
tool=tools/dev/unicode_classes

check() { # check WHAT STATUS: 0 has passed
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $1"
    fi
}

# ---- a small database of version 3.0 ----
cat >$dir/small/UnicodeData.txt <<'END'
0009;<control>;Cc
000D;<control>;Cc
0020;SPACE;Zs
0030;DIGIT ZERO;Nd
0031;DIGIT ONE;Nd
0041;LATIN CAPITAL LETTER A;Lu
0042;LATIN CAPITAL LETTER B;Lu
005F;LOW LINE;Pc
0085;<control>;Cc
00B2;SUPERSCRIPT TWO;No
0300;COMBINING GRAVE ACCENT;Mn
4E00;<CJK Ideograph, First>;Lo
4E04;<CJK Ideograph, Last>;Lo
4E05;A LETTER OF VERSION 3;Lo
4E06;A SIGN OF VERSION 3;So
END
cat >$dir/small/DerivedAge.txt <<'END'
# DerivedAge-3.0.0.txt
0009          ; 1.1
000D..0020    ; 1.1 # with some that are not in the data
0030..0031    ; 1.1
0041..0042    ; 1.1
005F          ; 1.1
0085          ; 1.1
00B2          ; 1.1
0300          ; 1.1
4E00..4E04    ; 2.0
4E05..4E06    ; 3.0
END
cat >$dir/expected.h <<'END'
/* Unicode 3.0: made by tools/dev/unicode_classes. */
static const slm__char_range slm__char_letters[] = {
    {0x0041, 2},    {0x4E00, 6}
};

static const slm__char_range slm__char_numbers[] = {
    {0x0030, 2},    {0x00B2, 1}
};

static const slm__char_range slm__char_spaces[] = {
    {0x0009, 1},    {0x000D, 1},    {0x0020, 1},    {0x0085, 1}
};

END
$tool $dir/small >$dir/made.h
cmp $dir/made.h $dir/expected.h
check "the tables of a small database" $?
$tool --check $dir/made.h $dir/small >$dir/log
check "a table against the database that made it: $(cat $dir/log)" $?
grep -q ' 0 differ, 0 newer$' $dir/log
check "what is compared: $(cat $dir/log)" $?

# edited WHAT SED: a table changed by SED is noticed.
edited() {
    sed "$2" $dir/made.h >$dir/edited.h
    ! $tool --check $dir/edited.h $dir/small >/dev/null
    check "not noticed: $1" $?
}
edited "a letter too few" 's/{0x4E00, 6}/{0x4E00, 5}/'
edited "a letter too many" 's/{0x4E00, 6}/{0x4E00, 7}/'
edited "a range that begins one later" 's/{0x0041, 2}/{0x0042, 1}/'
edited "a code point twice" 's/{0x00B2, 1}/{0x0031, 1},    {0x00B2, 1}/'
edited "a number among the letters" 's/{0x0041, 2}/{0x0030, 2},    {0x0041, 2}/'
edited "a letter that is newer than the table" 's/Unicode 3.0/Unicode 2.0/'
edited "no version" '1d'

# A table newer than the database: what the database does not know is not compared.
sed 's/Unicode 3.0/Unicode 4.0/; s/{0x4E00, 6}/{0x4E00, 6},    {0x5000, 3}/' $dir/made.h \
    >$dir/newer.h
$tool --check $dir/newer.h $dir/small >$dir/log
check "a newer table: $(cat $dir/log)" $?
grep -q ' 0 differ, 3 newer$' $dir/log
check "what is newer is counted: $(cat $dir/log)" $?

# ---- slm.h itself ----
installed=
for folder in /usr/share/unicode /usr/share/unicode/ucd; do
    [ -r $folder/UnicodeData.txt ] && [ -r $folder/DerivedAge.txt ] && installed=$folder
done
if [ -z "$installed" ]; then
    echo "skipped: slm.h against the Unicode Character Database (not installed: unicode-data)"
else
    $tool --check slm.h $installed >$dir/log
    status=$?
    cat $dir/log
    check "slm.h against $installed" $status
    # Of the same version, the tables are the same text.
    if ! grep -q 'slm.h Unicode \([0-9.]*\), database \1:' $dir/log; then
        echo "skipped: the same text (the database in $installed is of another version)"
    else
        $tool $installed >$dir/tables.h
        sed -n '/made by tools\/dev\/unicode_classes\. \*\/$/,/^#define SLM__CLASSES_END/p' slm.h |
            sed '$d' >$dir/slm_tables.h
        cmp $dir/tables.h $dir/slm_tables.h
        check "the tables of slm.h are what the program prints" $?
    fi
fi

# ---- NFC ----
if [ -z "$installed" ] || [ ! -r "$installed/DerivedNormalizationProps.txt" ]; then
    echo "skipped: the tables of NFC (not installed: unicode-data)"
else
    tools/dev/unicode_nfc $installed >$dir/nfc.h
    check "tools/dev/unicode_nfc" $?
    if [ "$(head -1 $dir/nfc.h)" != "$(grep 'made by tools/dev/unicode_nfc\. \*/$' slm.h)" ]; then
        echo "skipped: the tables of NFC (the database in $installed is of another version)"
    else
        sed -n '/made by tools\/dev\/unicode_nfc\. \*\/$/,/^enum/p' slm.h | sed '$d' \
            >$dir/slm_nfc.h
        cmp $dir/nfc.h $dir/slm_nfc.h
        check "the tables of NFC in slm.h are what the program prints" $?
    fi
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
