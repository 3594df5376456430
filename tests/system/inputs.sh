#!/bin/sh
# What people have as data: standard input and pipes, JSON of several names, bad records, token ids
# of several widths and without a tokenizer.  Needs only sh and the usual tools.
SLM=${SLM:-build/slm}
T=${TMPDIR_INPUTS:-build/tmp/inputs}
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
. tests/support/checks.sh

# run ARGS: runs it with the standard input of the caller, and keeps what it says
run() {
    "$SLM" "$@" >"$T/stdout" 2>"$T/stderr"
    code=$?
}
# works WHAT: the last run ended with 0 and said nothing on stderr
works() {
    if [ $code -ne 0 ]; then bad "$1: exit $code: $(head -1 "$T/stderr")"
    elif [ -s "$T/stderr" ]; then bad "$1: stderr: $(head -1 "$T/stderr")"
    else ok; fi
}
# refused WHAT CODE WORDS: the last run ended so, with one line on stderr that holds the words
refused() {
    if [ $code -ne "$2" ]; then bad "$1: exit $code, not $2: $(head -1 "$T/stderr")"
    elif [ "$(wc -l <"$T/stderr" | tr -d ' ')" != 1 ]; then bad "$1: not one line"
    elif ! grep -q -e "$3" "$T/stderr"; then bad "$1: '$3' is not in: $(cat "$T/stderr")"
    else ok; fi
}
says() {
    if grep -q -e "$2" "$T/stderr"; then ok
    else bad "$1: '$2' is not in: $(head -c 300 "$T/stderr")"; fi
}

SHAPE="--dim 16 --layers 1 --heads 2 --seq 8 --batch 2 --steps 2 --quiet"
awk 'BEGIN { for (i = 0; i < 60; i++) printf "{\"text\":\"record %d of sixty\"}\n", i }' \
    >"$T/d.jsonl"
cp "$T/d.jsonl" "$T/d.txt"
run tokenize --tokenizer bytes "$T/d.jsonl"
works "a .jsonl file"
cp "$T/stdout" "$T/ids.txt"
run tokenize --tokenizer bytes --decode "$T/ids.txt"
works "its text"
cp "$T/stdout" "$T/plain.txt"
run train --data "$T/plain.txt" --out "$T/model" $SHAPE
works "train"
run eval --model "$T/model" --data "$T/plain.txt" --seq 8 --quiet --json
works "eval"
cp "$T/stdout" "$T/expected"

# ---- the names of JSON lines ----
for name in d.JSONL d.ndjson d.json d.Json; do
    cp "$T/d.jsonl" "$T/$name"
    run tokenize --tokenizer bytes "$T/$name"
    works "$name"
    same "$name" "$T/ids.txt" "$T/stdout"
done
printf '[{"text":"one"},\n{"text":"two"}]\n' >"$T/my array.json"
run eval --model "$T/model" --data "$T/my array.json"
refused "an array" 3 "a JSON array.*jq -c '.\[\]' '$T/my array.json' > '$T/my array.jsonl'\$"
printf '{\n  "text": "one"\n}\n' >"$T/pretty.json"
run eval --model "$T/model" --data "$T/pretty.json"
refused "an object over lines" 3 "JSON object over several lines.* jq -c . $T/pretty.json"

# ---- standard input, in every verb ----
same_result() {
    works "$1"
    same "$1" "$T/expected" "$T/stdout"
}
run eval --model "$T/model" --data - --seq 8 --quiet --json <"$T/plain.txt"
same_result "eval of standard input"
run eval --model "$T/model" --data - --jsonl --seq 8 --quiet --json <"$T/d.jsonl"
same_result "eval of JSON lines in standard input"
run eval --model "$T/model" --data "$T/d.txt" --jsonl --fields text --seq 8 --quiet --json
same_result "eval of JSON lines called .txt"
cat "$T/d.jsonl" | "$SLM" eval --model "$T/model" --data - --jsonl --fields text --seq 8 --quiet \
    --json >"$T/stdout" 2>"$T/stderr"
same_result "eval of a pipe"
if [ -r /dev/stdin ]; then
    cat "$T/d.jsonl" | "$SLM" eval --model "$T/model" --data /dev/stdin --jsonl --seq 8 --quiet \
        --json >"$T/stdout" 2>"$T/stderr"
    same_result "eval of /dev/stdin"
fi
run tokenize --tokenizer bytes --jsonl - <"$T/d.jsonl"
works "tokenize"
same "tokenize" "$T/ids.txt" "$T/stdout"
run score --model "$T/model" --data - --jsonl --seq 8 --quiet --out "$T/a.scores" <"$T/d.jsonl"
works "score"
run score --model "$T/model" --data "$T/plain.txt" --seq 8 --quiet --out "$T/b.scores"
same "score" "$T/a.scores" "$T/b.scores"
run view --model "$T/model" --data - --jsonl --quiet --limit 50 --out "$T/v.html" <"$T/d.jsonl"
works "view"
run train --data - --jsonl --out "$T/piped" $SHAPE <"$T/d.jsonl"
works "train"
same "train" "$T/model/model.safetensors" "$T/piped/model.safetensors"
run train --data "$T/plain.txt" --val - --out "$T/val" $SHAPE <"$T/plain.txt"
works "--val -"
run tokenizer train --data - --jsonl --vocab 260 --quiet --out "$T/a.tok" <"$T/d.jsonl"
works "tokenizer train"
run tokenizer train --data "$T/plain.txt" --vocab 260 --quiet --out "$T/b.tok"
same "tokenizer train" "$T/a.tok" "$T/b.tok"

run train --resume --out "$T/piped"
refused "resume" 2 'piped read standard input, which is gone'
run train --data - --jsonl --out "$T/piped" $SHAPE --resume <"$T/d.jsonl"
works "resume with the same input"
run train --data - --out "$T/piped" $SHAPE --resume <"$T/d.jsonl"
check "resume with another: exit 3" test $code -eq 3
run eval --model "$T/model" --data - - --quiet <"$T/plain.txt"
refused "standard input twice" 2 'once only'
run train --data - --val - --out "$T/none" $SHAPE <"$T/plain.txt"
refused "standard input twice" 2 'once only'
run eval --model "$T/model" --data - --quiet <&-
refused "no standard input" 3 'standard input: cannot read'
printf '\037\213\010' | "$SLM" eval --model "$T/model" --data - >"$T/stdout" 2>"$T/stderr"
code=$?
refused "gzip in standard input" 3 '-: holds compressed data (gzip).* gzip -dc FROM > TO'

# ---- what might be records, and is not said to be ----
for verb in "eval --model $T/model --data -" "tokenize --tokenizer bytes -" \
    "score --model $T/model --tsv --data -"; do
    run $verb --fields text <"$T/d.jsonl"
    refused "$verb" 2 'does - hold a record a line? --jsonl says so'
done
if mkfifo "$T/pipe" 2>/dev/null; then
    cat "$T/d.jsonl" >"$T/pipe" &
    run eval --model "$T/model" --data "$T/d.jsonl" "$T/pipe" --fields text --quiet
    kill $! 2>/dev/null
    refused "a pipe with --fields" 2 'pipe hold a record a line'
    cat "$T/d.jsonl" >"$T/pipe" &
    run eval --model "$T/model" --data "$T/pipe" --jsonl --fields text --seq 8 --quiet --json
    kill $! 2>/dev/null
    same_result "a pipe with --jsonl"
fi
run eval --model "$T/model" --data "$T/d.txt" --quiet
check "JSON lines as plain text: exit $code" test $code -eq 0
says "... are said to be read so" 'note: .*d.txt: every line begins with {.*--jsonl'
run eval --model "$T/model" --data "$T/plain.txt" --jsonl --quiet
refused "no JSON lines" 3 'plain.txt: line 1: byte 0: a JSON value was expected'

# ---- bad records ----
{
    head -3 "$T/d.jsonl"
    printf '%s\n' '{"text":"a","score":NaN}' '{"text":"\ud83d"}' '{"text":null}'
    printf '{"text":"\377"}\n'
    tail -n +4 "$T/d.jsonl"
} >"$T/bad.jsonl"
run eval --model "$T/model" --data "$T/bad.jsonl" --quiet
refused "a bad record" 3 'bad.jsonl: line 4: byte 20: a JSON value was expected'
run eval --model "$T/model" --data "$T/bad.jsonl" --skip-bad --seq 8 --quiet --json
check "--skip-bad: exit $code" test $code -eq 0
same "--skip-bad" "$T/expected" "$T/stdout"
says "--skip-bad counts" '4 of 64 records left out; the first: .*bad.jsonl: line 4: byte 20: '
sed -n 5p "$T/bad.jsonl" >"$T/lone.jsonl"
run eval --model "$T/model" --data "$T/lone.jsonl"
refused "a lone surrogate" 3 'line 1: byte 15: a lone surrogate, half of a pair'
run eval --model "$T/model" --data "$T/lone.jsonl" --skip-bad
refused "nothing but bad records" 3 'all 1 records are bad; .*line 1: byte 15'
run train --data "$T/bad.jsonl" --skip-bad --out "$T/skipped" $SHAPE
check "train --skip-bad: exit $code" test $code -eq 0
same "train --skip-bad" "$T/model/model.safetensors" "$T/skipped/model.safetensors"
check "the count is in run.json" grep -q \
    '"records": {"read": 64, "left_out": 4, "first_fault": ".*line 4: byte 20: ' \
    "$T/skipped/run.json"
run train --resume --out "$T/skipped" --quiet
check "resume --skip-bad: exit $code" test $code -eq 0
run eval --model "$T/model" --data "$T/plain.txt" --skip-bad
refused "--skip-bad of plain text" 2 'files have records'

# ---- token ids ----
# ids WIDTH N: the ids 0, 7, 14, ... below 300 as little-endian numbers of that many bytes
ids() {
    awk -v width="$1" -v n="$2" 'BEGIN {
        for (i = 0; i < n; i++) {
            id = 7 * i % 300
            for (k = 0; k < width; k++) {
                printf "\\%03o", id % 256
                id = int(id / 256)
            }
        }
    }'
}
# npy DESCR WIDTH N: a .npy file of them
npy() {
    printf '\223NUMPY\001\000\166\000%-117s\n' \
        "{'descr': '$1', 'fortran_order': False, 'shape': ($3,), }"
    printf "$(ids "$2" "$3")"
}
npy '<i4' 4 200 >"$T/i4.npy"
npy '<i8' 8 200 >"$T/i8.npy"
npy '<u2' 2 200 >"$T/u2.npy"
npy '<u4' 4 200 >"$T/u4.npy"
npy '<f4' 4 200 >"$T/f4.npy"
printf "$(ids 2 200)" >"$T/i16.bin"
printf "$(ids 4 200)" >"$T/i32.bin"
printf "$(ids 8 200)" >"$T/i64.bin"
run train --data "$T/i8.npy" --out "$T/ids" $SHAPE
refused "ids of unknown vocabulary" 2 '--data are token ids: --vocab N'
run train --data "$T/i8.npy" --vocab 200 --out "$T/ids" $SHAPE
refused "a vocabulary too small" 3 'i8.npy: token 29 is 203, outside the vocabulary of 200'
run train --data "$T/i8.npy" --vocab 320 --out "$T/ids" $SHAPE
works "train on ids alone"
check "no tokenizer is in the folder" test ! -e "$T/ids/tokenizer.json"
check "nor in run.json" grep -q '"tokenizer": null' "$T/ids/run.json"
run train --resume --out "$T/ids" --quiet
works "it can go on"
EVAL="eval --model $T/ids --seq 8 --quiet --json --data"
run $EVAL "$T/i4.npy"
works "eval of ids alone"
has "no bytes are known" '"bits_per_byte": null.*"bytes": null'
cp "$T/stdout" "$T/expected"
for f in i8.npy u2.npy u4.npy i16.bin "i16.bin --dtype u16" "i32.bin --dtype u32" \
    "i32.bin --dtype i32" "i64.bin --dtype i64" "i4.npy --tokenizer none"; do
    run $EVAL "$T/"$f
    same_result "$f"
done
"$SLM" $EVAL - --dtype u32 <"$T/i32.bin" >"$T/stdout" 2>"$T/stderr"
code=$?
same_result "ids in standard input"
"$SLM" $EVAL - <"$T/i8.npy" >"$T/stdout" 2>"$T/stderr"
code=$?
same_result "a .npy file in standard input"
for f in i32.bin i64.bin "i64.bin --dtype u32"; do
    run $EVAL "$T/"$f
    refused "$f" 3 'every second one is 0'
done
run $EVAL "$T/f4.npy"
refused "other numbers" 3 "f4.npy: descr is '<f4'"
run $EVAL "$T/i4.npy" --dtype u32
refused "--dtype for nothing" 2 'i4.npy says itself'
run $EVAL "$T/plain.txt"
refused "a text without a tokenizer" 3 'plain.txt: a text, and no tokenizer'
run $EVAL "$T/i4.npy" --jsonl
refused "--jsonl for nothing" 2 'i4.npy holds no text'
run score --model "$T/ids" --data "$T/i4.npy" --seq 8 --quiet --out "$T/ids.scores"
works "score of ids alone"
run train --data "$T/u2.npy" --init "$T/ids" --scores "$T/ids.scores" --ratio 0.5 \
    --seq 8 --batch 2 --steps 2 --out "$T/ids2" --quiet
works "train on ids with scores"
run train --data "$T/u2.npy" --init "$T/ids" --reference "$T/ids" --ratio 0.5 \
    --seq 8 --batch 2 --steps 2 --out "$T/ids3" --quiet
works "train on ids with a reference"
same "both" "$T/ids2/model.safetensors" "$T/ids3/model.safetensors"
run score --model "$T/ids" --data "$T/i4.npy" --seq 8 --quiet --tsv
has "the table of ids" "^1	7		"
run generate --model "$T/ids" --prompt "7 14 21" -n 5 --temp 0
works "generate from ids"
has "ids come out" '^7 14 21 \([0-9]* \)\{5\}$'
run generate --model "$T/ids" --prompt "7 320" -n 5
refused "an id too large" 3 'token 1 is 320, outside the vocabulary of 320'
run generate --model "$T/ids" --prompt "The" -n 5
refused "a text as ids" 3 'not a whole number'
run view --model "$T/ids" --data "$T/i4.npy" --out "$T/none.html"
refused "view of ids" 3 'no tokenizer'

# ---- a file that is much larger than the memory that it takes ----
# peak ARGS: the most memory that the program had, in MiB, in $T/peak
peak() {
    python3 - "$SLM" "$@" >"$T/peak" 2>"$T/stderr" <<'PYTHON'
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024 if code == 0 else 'failed')
PYTHON
}
if command -v python3 >/dev/null; then
    python3 -c "
import sys
piece = b''.join((i * i % 300).to_bytes(2, 'little') for i in range(1 << 16))
for i in range(400):
    sys.stdout.buffer.write(piece)" >"$T/large.bin"
    TRAIN="train --vocab 320 --out $T/large $SHAPE --force"
    peak $TRAIN --data "$T/i16.bin"
    small=$(cat "$T/peak")
    peak $TRAIN --data "$T/large.bin"
    large=$(cat "$T/peak")
    check "50 MiB of ids take no more than 8: $small and $large MiB" \
        test "$large" -le $((small + 8))
    peak $TRAIN --data "$T/large.bin" "$T/i8.npy" "$T/large.bin"
    joined=$(cat "$T/peak")
    check "several files take no more than 8: $small and $joined MiB" \
        test "$joined" -le $((small + 8))
    rm -f "$T/large.bin"
else
    echo "skipped: the memory of a large file (install python3)"
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
