#!/bin/sh
# Tokenizers of bytes, of every kind: small ones that are made here have the same ids as in Hugging
# Face's library, npm's `tokenizers`, on texts that are made here.  What a run saves is the
# tokenizer.json that was read.  tests/system/tokenizers.sh has real tokenizers.
SLM=${SLM:-build/slm}
T=build/tmp/tokenizer_kinds
cd "$(dirname "$0")/../.." || exit 1
. tests/support/checks.sh
mkdir "$T/texts" "$T/kinds"

# One tokenizer of our own, to be changed into others: with the words of many scripts.
cat README.md slm.h >"$T/words.txt"
i=0
while [ $i -lt 20 ]; do
    printf '%s\n' 'Привет мир, Γειά σου' '你好世界 こんにちは' 'नमस्ते दुनिया' >>"$T/words.txt"
    i=$((i + 1))
done
"$SLM" tokenizer train --data "$T/words.txt" --vocab 1500 --out "$T/own.json" --quiet \
    >"$T/stdout" || bad "tokenizer train"

# ---- what was read is saved ----
sed 's/"post_processor":null/"post_processor": {"type":"ByteLevel", "trim_offsets":false}/' \
    "$T/own.json" >"$T/read.json"
check "the file was changed" grep -q trim_offsets.:false "$T/read.json"
"$SLM" train --data README.md --tokenizer "$T/read.json" --dim 16 --layers 1 --heads 2 --seq 32 \
    --batch 2 --steps 1 --out "$T/run" --quiet >"$T/stdout" || bad "train with a tokenizer"
same "a run saves the tokenizer as it was read" "$T/read.json" "$T/run/tokenizer.json"

library=$(package tokenizers)
NODE_PATH=$(dirname "${library:-none}")
export NODE_PATH
if [ -z "$library" ] || ! command -v node >/dev/null; then
    echo "skipped: Hugging Face's library (node and npm install tokenizers)"
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ]
    exit
fi

# ---- the texts and the tokenizers, with the ids that are expected ----
node tests/support/tokenizer_kinds.js "$T" >"$T/list" || bad "the ids of npm's tokenizers"

while read -r name file; do
    differ=
    for path in "$T/texts/"*; do
        text=$(basename "$path")
        "$SLM" tokenize --tokenizer "$file" "$path" 2>"$T/stderr" | tr ' ' '\n' |
            sed '/^$/d' >"$T/ids"
        cmp -s "$T/ids" "$T/kinds/$name.$text.ids" || differ="$differ $text"
    done
    check "$name: other ids of$differ ($(tail -1 "$T/stderr"))" test -z "$differ"
done <"$T/list"
check "kinds of tokenizers" test "$(wc -l <"$T/list")" -ge 13

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
