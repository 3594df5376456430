#!/bin/sh
# What the command line does where its surroundings are hostile or broken: closed descriptors,
# an untrue argv[0], absurd numbers of threads, files whose texts are made to deceive a reader.
SLM=${SLM:-build/slm}
T=build/tmp/trust
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
. tests/support/checks.sh

# ---- data ----
awk 'BEGIN { for (i = 0; i < 300; i++) printf "word %d and ", i }' >"$T/text.txt"
SHAPE="--dim 8 --layers 1 --heads 1 --ffn 8 --seq 16 --batch 2"
"$SLM" train --data "$T/text.txt" --out "$T/model" $SHAPE --steps 3 --quiet >"$T/stdout"
check "a model" test -s "$T/model/log.csv"

# ---- closed descriptors ----
# The progress of training must not be written into a file that got the number of stderr.
"$SLM" train --data "$T/text.txt" --out "$T/closed" $SHAPE --steps 3 >"$T/stdout" 2>&-
check "closed stderr: training works" test $? -eq 0
check "closed stderr: the log holds its head and three rows, and nothing else" awk -F, '
    NF != 11 || (NR > 1 && $1 != NR - 1) { bad = 1 }
    END { exit bad || NR != 4 }' "$T/closed/log.csv"
"$SLM" eval --model "$T/model" --data "$T/text.txt" --quiet >&- 2>"$T/stderr"
code=$?
check "closed stdout: exit 1, not $code" test $code -eq 1
check "closed stdout: said so" grep -q 'cannot write to standard output' "$T/stderr"
"$SLM" tokenize --tokenizer bytes - <&- >"$T/stdout" 2>"$T/stderr"
code=$?
check "closed stdin: exit 3, not $code" test $code -eq 3
check "closed descriptors: a usage error is one" sh -c '"$1" 0<&- 1>&- 2>&-; test $? -eq 2' - "$SLM"

# ---- argv[0] ----
# The program starts itself again for a setting of OpenMP, and must not take another for itself.
mkdir "$T/evil"
printf '#!/bin/sh\necho deceived\n' >"$T/evil/slm"
chmod +x "$T/evil/slm"
if bash -c : 2>/dev/null; then
    (
        unset OMP_WAIT_POLICY GOMP_SPINCOUNT
        PATH=$T/evil:$PATH bash -c 'exec -a slm "$1" --version' - "$SLM"
    ) >"$T/stdout" 2>&1
    check "argv[0] is not looked up in PATH" grep -q '^slm [0-9]' "$T/stdout"
else
    echo "skipped: no bash, which can start a program under another name"
fi
if [ -r /proc/self/environ ] && ldd "$SLM" 2>/dev/null | grep -q libgomp; then
    mkfifo "$T/wait"
    (
        unset OMP_WAIT_POLICY GOMP_SPINCOUNT
        exec "$SLM" tokenize --tokenizer bytes "$T/wait"
    ) >/dev/null 2>&1 &
    exec 3>"$T/wait"
    tr '\0' '\n' <"/proc/$!/environ" >"$T/stdout"
    read -r name <"/proc/$!/comm"
    exec 3>&-
    wait $!
    check "threads wait gently" grep -q '^GOMP_SPINCOUNT=' "$T/stdout"
    check "the process is called slm, not $name" test "$name" = slm
fi

# ---- numbers of threads ----
# refuses NAME WORDS COMMAND: exit 2, and one line of its own that holds the words; OpenMP's library
# may have said something before.
refuses() {
    name=$1 words=$2
    shift 2
    "$@" >"$T/stdout" 2>"$T/stderr"
    code=$?
    check "$name: exit 2, not $code" test $code -eq 2
    check "$name: '$words'" test "$(grep -v '^$\|^libgomp: ' "$T/stderr" | grep -c "$words")" = 1
    check "$name: no output" test ! -s "$T/stdout"
}
refuses "--threads" 'from 1 to 1024 is needed' "$SLM" eval --model "$T/model" \
    --data "$T/text.txt" --threads 1025
if ldd "$SLM" 2>/dev/null | grep -q 'lib[gio]*mp'; then
    for count in 1025 99999 0 -1 abc '2,' '2,99999' '4x' 99999999999999999999; do
        refuses "OMP_NUM_THREADS=$count" "slm: OMP_NUM_THREADS=$count: a whole number from 1 to" \
            env "OMP_NUM_THREADS=$count" "$SLM" --version
    done
    refuses "control characters" 'slm: OMP_NUM_THREADS=1?\[31m??: ' \
        env "OMP_NUM_THREADS=$(printf '1\033[31m\302\233')" "$SLM" --version
    for count in 1 1024 ' 4 , 2' +3; do
        check "OMP_NUM_THREADS=$count is right" env "OMP_NUM_THREADS=$count" "$SLM" --version
    done
fi

# ---- texts of files ----
has() {
    if grep -q -F -e "$2" "$T/stdout"; then ok
    else bad "$1: '$2' is not in: $(head -c 400 "$T/stdout")"; fi
}
is_clean() { check "$1: no control character" sh -c '! LC_ALL=C grep -q "$1" "$2"' - \
    "$(printf '[\001-\010\013-\037\177]\|\302[\200-\237]')" "$2"; }
# safetensors FILE HEADER: with four bytes of data.
safetensors() {
    {
        size=$(printf '%s' "$2" | wc -c)
        printf "\\$(printf %03o $((size % 256)))\\$(printf %03o $((size / 256)))"
        printf '\000\000\000\000\000\000%s\000\000\000\000' "$2"
    } >"$1"
}
tensor='{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
settings='lr=1e-- dim=... a=01 b=1. c=+1 d=-0.5e-05'
settings="$settings "'\u001b[31mx=5 \u009bq=\u001b[2J\u009b z='
safetensors "$T/state.safetensors" \
    "{\"__metadata__\":{\"slm\":\"run\",\"settings\":\"$settings\"},\"t\":$tensor}"
"$SLM" info --json "$T/state.safetensors" >"$T/stdout" 2>&1
has "info --json" '{"kind": "run state", "lr": "1e--", "dim": "...", "a": "01", "b": "1.", '
has "info --json" ', "c": "+1", "d": -0.5e-05, "\u001b[31mx": 5, '
has "info --json" ', "\u009bq": "\u001b[2J\u009b", "z": "", '
"$SLM" info "$T/state.safetensors" >"$T/stdout" 2>&1
has "info" '\x1B[31mx'
has "info" '\xC2\x9Bq'
is_clean "info" "$T/stdout"
safetensors "$T/names.safetensors" "{\"\\u009b\\u001b[2J\":$tensor}"
for flag in "" --json; do
    "$SLM" info "$T/names.safetensors" $flag >"$T/stdout" 2>&1
    has "info of tensors $flag" '[2J'
    is_clean "info of tensors $flag" "$T/stdout"
done
deceiving=$T/$(printf 'c\302\233 \033[2J.txt')
cp "$T/text.txt" "$deceiving"
"$SLM" view --model "$T/model" --data "$deceiving" --limit 40 --out "$T/view.html" \
    --quiet >"$T/stdout" 2>&1
check "view: a page" test -s "$T/view.html"
is_clean "view" "$T/view.html"

# White space before a header is right or wrong for info as it is for those who use the file.
for lead in ' ' '	' "$(printf '\n\r x')" "$(printf '%80s' '')" x; do
    lead=${lead%x*}
    safetensors "$T/lead.safetensors" "$lead{\"a\":$tensor}"
    check "info: a header that begins with '$lead'" "$SLM" info "$T/lead.safetensors"
done
printf '\012\000\000\000\000\000\000\000          ' >"$T/blank.safetensors"
"$SLM" info "$T/blank.safetensors" >"$T/stdout" 2>&1
code=$?
check "info: a header of white space: exit 3, not $code" test $code -eq 3
check "info: a header of white space: the reader says it" grep -q 'a JSON value' "$T/stdout"

# What is wrong is named, not what stands beside it.
# names WORDS PATH: info fails with 3, and its line holds the words.
names() {
    "$SLM" info "$2" >"$T/stdout" 2>"$T/stderr"
    code=$?
    check "$2: exit 3, not $code" test $code -eq 3
    check "'$1' is not in: $(cat "$T/stderr")" grep -q -F -e "$1" "$T/stderr"
}
safetensors "$T/nul.safetensors" "{\"a\\u0000b\":$tensor}"
names "a tensor's name: a NUL" "$T/nul.safetensors"
# scores WINDOW AT ALL: a score file of one loss, right but for its checksum.
scores() {
    second='{"dtype":"F32","shape":[1],"data_offsets":[4,8]}'
    numbers="\"window\":\"$1\",\"at\":\"$2\",\"all\":\"$3\""
    hashes=$(printf ',"%s":"0000000000000001"' corpus tokenizer model checksum)
    metadata="{\"slm\":\"score file\",$numbers$hashes}"
    safetensors "$T/some.scores" \
        "{\"__metadata__\":$metadata,\"loss\":$tensor,\"entropy\":$second}"
    printf '\000\000\000\000' >>"$T/some.scores"
}
scores 4 0 1
names 'checksum' "$T/some.scores"
scores 99999999999 0 1
names 'window: 99999999999 is not from 1 to 2147483647' "$T/some.scores"
scores 0 0 1
names 'window: 0 is not from 1 to' "$T/some.scores"
scores 4 0 18446744073709551615
names 'all: 18446744073709551615 is too large' "$T/some.scores"
scores 4 3 1
names 'at: 3 is above all, 1' "$T/some.scores"
cp -r "$T/model" "$T/rope"
for value in '\[1\]' '"linear"' 4; do
    sed "s/\"rope_scaling\": *null/\"rope_scaling\": $value/" "$T/model/config.json" \
        >"$T/rope/config.json"
    names 'rope_scaling: not supported: ' "$T/rope"
done

# ---- a text that is put into another ----
mkdir "$T/gpt2"
"$SLM" tokenizer train --data "$T/text.txt" --vocab 260 --out "$T/tok.json" --quiet >"$T/stdout"
sed -n '/^"vocab"/,/^"merges"/p' "$T/tok.json" |
    sed '1s/^"vocab"://; s/},$/,"<|endoftext|>":259}/; /^"merges"/d' \
    >"$T/encoder.json"
sed -n '/^"merges"/,$p' "$T/tok.json" | sed '1d; s/^"//; s/".*//' >"$T/gpt2/vocab.bpe"
hash_of() { "$SLM" info "$1" | grep tokenizer_hash; }
import() {
    "$SLM" tokenizer import --from "$T/gpt2" --out "$T/imported.json" >"$T/stdout" 2>"$T/stderr"
}
cp "$T/encoder.json" "$T/gpt2/encoder.json"
import
check "an object is imported" test "$(hash_of "$T/tok.json")" = "$(hash_of "$T/imported.json")"
for more in ',"dropout":0.0,"ignore_merges":true' '},"x":{}' '{}' ',' 'x' ',"merges":[]' '"'; do
    rm -f "$T/imported.json"
    printf '%s' "$more" | cat "$T/encoder.json" - >"$T/gpt2/encoder.json"
    import
    code=$?
    check "encoder.json and '$more': exit 3, not $code" test $code -eq 3
    check "encoder.json and '$more': said so" grep -q 'encoder.json: byte' "$T/stderr"
    check "encoder.json and '$more': no file" test ! -e "$T/imported.json"
done

# ---- audit: ids that are none ----
AUDIT=$(dirname "$SLM")/audit
# NaN, infinity, a half, 2^31: their last bytes, as floats.
cp -r tests/data/golden_bf16 "$T/golden"
for last in 300\\177 200\\177 000\\077 000\\117; do
    [ -x "$AUDIT" ] || break
    {
        printf '\223NUMPY\001\000\166\000'
        printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"
        printf "\000\000\000\000\000\000\\$last"
    } >"$T/golden/tokens.npy"
    "$AUDIT" "$T/golden" >"$T/stdout" 2>"$T/stderr"
    code=$?
    check "audit: no id: exit 3, not $code" test $code -eq 3
    check "audit: no id: said so" grep -q 'tokens.npy holds a number that is no' "$T/stderr"
done

# ---- messages ----
# A score file that was not finished is read again, and what is wrong with it is said.
safetensors "$T/q.scores.part" \
    '{"a\n\u001b[2J\u009b":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}'
"$SLM" score --model "$T/model" --data "$T/text.txt" --out "$T/q.scores" >"$T/stdout" 2>"$T/stderr"
grep 'note: ' "$T/stderr" >"$T/note"
check "a note: it says what happens" grep -q 'scoring begins anew' "$T/note"
is_clean "a note" "$T/stderr"
control=$(printf 'a\nb\033[2J\302\233\233c')
for arguments in "info" "eval --batch" "eval --select" "eval --" "info x" ""; do
    "$SLM" $arguments"$control" >"$T/stdout" 2>"$T/stderr"
    "$SLM" $arguments "$control" >"$T/stdout" 2>>"$T/stderr"
    check "slm $arguments: two lines" test "$(wc -l <"$T/stderr" | tr -d ' ')" = 2
    is_clean "slm $arguments" "$T/stderr"
    check "slm $arguments: no byte of its own" sh -c '! LC_ALL=C grep -q "$1" "$2"' - \
        "$(printf '\233')" "$T/stderr"
done

# ---- no memory to open a file ----
cat >"$T/preload.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fails for the paths that hold $NO_MEMORY_FOR. */
FILE *fopen(const char *path, const char *mode) {
    union {
        void *object;
        FILE *(*call)(const char *, const char *);
    } real;
    if (strstr(path, getenv("NO_MEMORY_FOR")) != NULL) {
        errno = ENOMEM;
        return NULL;
    }
    real.object = dlsym(RTLD_NEXT, "fopen");
    return real.call(path, mode);
}
FILE *fopen64(const char *path, const char *mode) {
    return fopen(path, mode);
}
END
# no_memory FILE ARGS: where there is none for FILE, exit 4 and one line that names it.
no_memory() {
    file=$1
    shift
    LD_PRELOAD=$T/preload.so NO_MEMORY_FOR=$file "$SLM" "$@" --quiet >"$T/stdout" 2>"$T/stderr"
    code=$?
    check "no memory for $file: exit 4, not $code" test $code -eq 4
    check "no memory for $file: said so" grep -q "$file.*: cannot open" "$T/stderr"
}
if [ -r /proc/self/exe ] &&
    ${CC:-cc} -shared -fPIC "$T/preload.c" -o "$T/preload.so" -ldl 2>/dev/null &&
    LD_PRELOAD=$T/preload.so NO_MEMORY_FOR=/ "$SLM" --version >/dev/null 2>&1; then
    TRAIN="train --data $T/text.txt --out $T/poor $SHAPE --steps 2 --force"
    no_memory config.json eval --model "$T/model" --data "$T/text.txt"
    no_memory text.txt eval --model "$T/model" --data "$T/text.txt"
    no_memory log.csv $TRAIN
    no_memory run.json.tmp $TRAIN
    no_memory view.html.tmp view --model "$T/model" --data "$T/text.txt" --limit 9 \
        --out "$T/view.html"
    LD_PRELOAD=$T/preload.so NO_MEMORY_FOR=state "$SLM" info "$T/state.safetensors" \
        >"$T/stdout" 2>"$T/stderr"
    check "info: no memory: exit 4" test $? -eq 4
else
    echo "skipped: no memory to open a file: needs LD_PRELOAD"
fi

# ---- a signal within one long window ----
head -c 180000 slm.h >"$T/long.txt"
LONG="--seq 179999 --batch 1 --threads 1"
"$SLM" eval --model "$T/model" --data "$T/long.txt" $LONG --quiet >"$T/stdout" 2>"$T/stderr" &
pid=$!
sleep 1
kill -TERM $pid
start=$(date +%s)
wait $pid
code=$?
check "eval ends within seconds" test $(($(date +%s) - start)) -le 3
check "eval: exit 130, not $code" test $code -eq 130
check "eval says so" grep -q '^slm eval: interrupted$' "$T/stderr"

"$SLM" train --init "$T/model" --data "$T/long.txt" $LONG --steps 2 --out "$T/deaf" --quiet \
    >"$T/stdout" 2>"$T/stderr" &
pid=$!
sleep 1
kill -TERM $pid
sleep 2
check "train says that it has heard" grep -q 'a second signal ends it at once' "$T/stderr"
kill -TERM $pid
wait $pid
code=$?
check "train: the second signal ends it, exit $code" test $code -eq 143

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
