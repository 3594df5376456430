#!/bin/sh
# `slm convert`: a folder to GGUF and back has the same weights, tokenizer and configuration, in
# every type; llama2.c's files have the sizes and numbers that they should, and read as llama2.c
# reads them give the same ids and losses; what cannot be converted is refused by name, and what
# fails leaves nothing behind.
#
#     sh tests/system/convert.sh              round trips
#     sh tests/system/convert.sh PACKAGE      also: llama.cpp, from this folder of the npm package
#                                             node-llama-cpp, computes from a GGUF file what we do
SLM=${SLM:-build/slm}
CC=${CC:-cc}
T=build/tmp/convert
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
. tests/support/checks.sh

# works ARGS: exit 0 and nothing on stderr
works() {
    if "$SLM" "$@" >"$T/stdout" 2>"$T/stderr" && [ ! -s "$T/stderr" ]; then ok
    else bad "slm $*: $(head -1 "$T/stderr")"; fi
}
hash_of() { "$SLM" info "$2" | sed -n "s/^$1 *//p"; }
# patch FILE OFFSET BYTES...: octal
patch() {
    file=$1 offset=$2
    shift 2
    printf "$(printf '\\%s' "$@")" | dd of="$file" bs=1 seek="$offset" conv=notrunc 2>/dev/null
}

if ! $CC -std=c99 -O1 -I. tests/system/convert.c -o "$T/weights" -lm 2>"$T/stderr"; then
    bad "tests/system/convert.c: $(head -1 "$T/stderr")"
fi
weights() { "$T/weights" "$@"; }

# ---- models ----
awk 'BEGIN {
    split("the force on a block mass times speed energy of light " \
        "na\303\257ve \346\227\245\346\234\254", word, " ")
    for (i = 0; i < 4000; i++) {
        s = (s * 1103 + 12345) % 65536
        printf "%s%s", word[1 + int(s / 64) % 14], i % 9 == 8 ? ".\n" : " "
        if (i % 13 == 0) printf "%d, it'"'"'s ", s
    }
}' >"$T/text.txt"
head -c 3000 "$T/text.txt" >"$T/short.txt"
works tokenizer train --data "$T/text.txt" --vocab 320 --out "$T/tokenizer.json" --quiet
SHAPE="--dim 64 --layers 2 --heads 4 --kv-heads 2 --ffn 96 --seq 64 --batch 2 --steps 40 --lr 3e-3"
works train --data "$T/text.txt" --tokenizer "$T/tokenizer.json" --out "$T/model" $SHAPE --quiet
works train --data "$T/short.txt" --out "$T/bytes" --dim 32 --layers 1 --heads 2 --ffn 40 --seq 16 \
    --batch 2 --steps 3 --tied --quiet

# ---- round trips ----
SAID='^(kind|vocab|dim|matrices|tokenizer_hash) '
for type in F32 F16 BF16 Q8_0; do
    works convert "$T/model" "$T/$type.gguf" --type $type --quiet
    works convert "$T/$type.gguf" "$T/$type" --quiet
    check "$type: the tokenizer" test "$(hash_of tokenizer_hash "$T/model")" = \
        "$(hash_of tokenizer_hash "$T/$type")"
    check "$type: slm info" test "$("$SLM" info "$T/$type.gguf" | grep -E "$SAID" | tr -s ' ')" = \
        "$(printf 'kind GGUF file\nvocab 320\ndim 64\nmatrices %s\n%s' $type \
            "$("$SLM" info "$T/model" | grep tokenizer_hash | tr -s ' ')")"
    [ $type = Q8_0 ] && continue
    # Back and forth once more, in the type that is there.
    works convert "$T/$type" "$T/again.gguf" --quiet
    same "$type: the folder as a GGUF file" "$T/$type.gguf" "$T/again.gguf"
    works convert "$T/again.gguf" "$T/again" --quiet
    same "$type: that as a folder" "$T/$type/model.safetensors" "$T/again/model.safetensors"
    rm -rf "$T/again" "$T/again.gguf"
done
# Of a folder in BF16 the norms are BF16 again, though in the GGUF file they are F32.
weights round "$T/model" "$T/rounded"
cp "$T/tokenizer.json" "$T/rounded"
works convert "$T/rounded" "$T/rounded.gguf" --quiet
works convert "$T/rounded.gguf" "$T/rounded_back" --quiet
check "BF16: the same weights" weights same "$T/rounded" "$T/rounded_back"
check "BF16: one dtype" weights norms "$T/rounded_back"
same "BF16: config.json" "$T/rounded/config.json" "$T/rounded_back/config.json"
check "F32: the same weights" weights same "$T/model" "$T/F32"
for file in config.json tokenizer_config.json generation_config.json; do
    same "F32: $file" "$T/model/$file" "$T/F32/$file"
done
check "Q8_0: within a step" weights near "$T/model" "$T/Q8_0"
weights twist "$T/model" "$T/twisted"
cp "$T/tokenizer.json" "$T/twisted"
for what in same near; do
    check "a check can fail: $what" sh -c '! "$0" "$@"' "$T/weights" $what "$T/model" "$T/twisted"
done
works convert "$T/bytes" "$T/bytes.gguf" --quiet
works convert "$T/bytes.gguf" "$T/bytes_back" --quiet
check "bytes, tied: the same weights" weights same "$T/bytes" "$T/bytes_back"
check "bytes: the tokenizer" test "$(hash_of tokenizer_hash "$T/bytes")" = \
    "$(hash_of tokenizer_hash "$T/bytes_back")"

# Rotary positions of longer contexts.
for scaling in '"factor": 4.0, "type": "linear"' '"factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"'; do
    mkdir -p "$T/longer"
    cp "$T/model/model.safetensors" "$T/tokenizer.json" "$T/longer"
    sed "s/\"rope_scaling\": null/\"rope_scaling\": {$(echo $scaling)}/" "$T/model/config.json" \
        >"$T/longer/config.json"
    works convert "$T/longer" "$T/longer.gguf" --quiet
    works convert "$T/longer.gguf" "$T/longer_back" --quiet
    check "scaled: the same model" weights same "$T/longer" "$T/longer_back"
    check "scaled: another one than without" sh -c '! "$0" "$@"' "$T/weights" same "$T/longer" \
        "$T/model"
done

# ---- what is refused ----
F=$T/F32.gguf
fails 2 "OUT are needed" convert "$T/model"
fails 2 "becomes FILE.gguf" convert "$T/model" "$T/none"
fails 2 "only a model folder" convert "$F" "$T/none.gguf"
fails 2 "written as F32" convert "$F" "$T/none" --type Q8_0
fails 2 "files are F32" convert "$T/model" "$T/none.bin" --type F16
fails 2 "Q8_0 is needed" convert "$T/model" "$T/none.gguf" --type Q4_K
fails 2 "already holds a run" convert "$F" "$T/model"
fails 3 "no such file" convert "$T/nothing" "$T/none.gguf"
fails 3 "not a GGUF file" convert "$T/text.txt" "$T/none"
size=$(wc -c <"$F" | tr -d ' ')
for n in 0 3 10 24 1000 $((size - 100)); do
    head -c $n "$F" >"$T/cut.gguf"
    fails 3 "cut.gguf" convert "$T/cut.gguf" "$T/none"
done
# The value of general.architecture begins at byte 64: magic, version, two counts, a key of 20 bytes
# with its size, a type, a size.
cp "$F" "$T/other.gguf"
patch "$T/other.gguf" 64 155                           # "mlama"
fails 3 'architecture is "mlama"' convert "$T/other.gguf" "$T/none"
mkdir "$T/lacking" && cp "$T/model/config.json" "$T/model/model.safetensors" "$T/lacking"
fails 3 "no tokenizer.json" convert "$T/lacking" "$T/none.gguf"
sed 's/"num_hidden_layers": 2/"num_hidden_layers": 1/' "$T/model/config.json" \
    >"$T/lacking/config.json"
fails 3 'layers.1.* does not belong' convert "$T/lacking" "$T/none.gguf"
sed 's/"vocab_size": 320/"vocab_size": 321/' "$T/model/config.json" >"$T/lacking/config.json"
fails 3 'embed_tokens.* is not 321 rows' convert "$T/lacking" "$T/none.gguf"

# A disk that is full leaves the old file.
if [ -w /dev/full ]; then
    cp "$F" "$T/kept.gguf"
    ln -s /dev/full "$T/kept.gguf.tmp"                 # what has this name is not followed
    works convert "$T/model" "$T/kept.gguf" --type Q8_0 --quiet
    same "a link at the temporary name" "$T/Q8_0.gguf" "$T/kept.gguf"
fi
(
    ulimit -f 64
    "$SLM" convert "$T/model" "$T/Q8_0.gguf" --type F32 --quiet
) >"$T/stdout" 2>"$T/stderr"
check "a file that may not grow: exit 1" test $? -eq 1
works convert "$T/Q8_0.gguf" "$T/still" --quiet
check "the old file is left" weights near "$T/model" "$T/still"
check "and nothing beside it" test ! -e "$T/Q8_0.gguf.tmp"

# ---- llama2.c ----
mkdir -p "$T/llama2c"
works convert "$T/model" "$T/llama2c/model.bin" --quiet
# 7 whole numbers; what the model has; cosines and sines of 64 positions, 8 each
check "llama2.c: its size" test "$(wc -c <"$T/llama2c/model.bin")" -eq \
    $((28 + 4 * (2 * 320 * 64 + 64 + 2 * (2 * 64 + 64 * 64 * 3 + 3 * 64 * 96) + 2 * 64 * 8)))
check "llama2.c: its head" test "$(od -An -td4 -N28 "$T/llama2c/model.bin" | tr -s ' \n' ' ')" = \
    " 64 96 2 4 2 -320 64 "
check "llama2.c: its tokenizer" test "$(od -An -td4 -j8 -N4 "$T/llama2c/tokenizer.bin")" -eq 1
sed 's/"rope_theta": 10000.0/"rope_theta": 500000.0/' "$T/model/config.json" \
    >"$T/lacking/config.json"
cp "$T/model/tokenizer.json" "$T/lacking"
fails 3 'rope_theta is 500000' convert "$T/lacking" "$T/none.bin"

# ---- a tokenizer of characters, which llama.cpp reads as SentencePiece's ----
# characters TOKEN,... MERGE,...: its tokenizer.json, with those tokens after bytes and letters
characters() {
    awk -v tokens="$1" -v merges="$2" 'BEGIN {
        replace = "{\"type\":\"Replace\",\"pattern\":{\"String\":\"%s\"},\"content\":\"%s\"}"
        printf "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":["
        printf "{\"type\":\"Prepend\",\"prepend\":\"▁\"}," replace "]},", " ", "▁"
        printf "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[" replace ",", "▁", " "
        printf "{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},{\"type\":\"Strip\","
        printf "\"content\":\" \",\"start\":1,\"stop\":0}]},\"model\":{\"unk_token\":\"<unk>\","
        printf "\"byte_fallback\":true,\"vocab\":{\"<unk>\":0,\"<s>\":1,\"</s>\":2"
        for (id = 3; id < 259; id++) printf ",\"<0x%02X>\":%d", id - 3, id
        printf ",\"▁\":%d", id++
        for (i = 97; i <= 122; i++) printf ",\"%c\":%d", i, id++
        n = split(tokens, token, ",")
        for (i = 1; i <= n; i++) printf ",\"%s\":%d", token[i], id++
        gsub(",", "\",\"", merges)
        printf "},\"merges\":[\"%s\"]},\"added_tokens\":[", merges
        special = "{\"id\":%d,\"content\":\"%s\",\"special\":true,\"normalized\":false}"
        printf special "," special "]}\n", 1, "<s>", 2, "</s>"
    }' >"$T/characters.json"
}
characters "▁t,he,▁the,the" "▁ t,h e,t he,▁t he,▁ the"
works train --data "$T/short.txt" --tokenizer "$T/characters.json" --out "$T/characters" --dim 32 \
    --layers 1 --heads 2 --ffn 40 --seq 16 --batch 2 --steps 1 --quiet
works convert "$T/characters" "$T/characters.gguf" --quiet
for word in tokenizer.ggml.scores '▁the' '<0x0A>' tokenizer.ggml.unknown_token_id; do
    check "characters: $word" grep -q -a -e "$word" "$T/characters.gguf"
done
# llama2.c cuts a text as this tokenizer does, and its model has the same losses; a program of our
# own reads both files as llama2.c does.
if ! $CC -std=c99 -O1 tests/system/llama2c.c -o "$T/reader" -lm 2>"$T/stderr"; then
    bad "tests/system/llama2c.c: $(head -1 "$T/stderr")"
fi
works convert "$T/characters" "$T/llama2c/characters.bin" --quiet
"$T/reader" ids "$T/llama2c/tokenizer.bin" "$T/short.txt" >"$T/llama2c/ids"
"$SLM" tokenize --tokenizer "$T/characters" "$T/short.txt" | tr -s ' ' '\n' >"$T/ids"
same "llama2.c: the same ids" "$T/ids" "$T/llama2c/ids"
# The same with Llama-2's own tokenizer, where it is.
llama2=../shared/data/llama2/tokenizer.json
if [ -f $llama2 ]; then
    works train --data "$T/short.txt" --tokenizer $llama2 --out "$T/llama2" --dim 16 --layers 1 \
        --heads 2 --ffn 16 --seq 16 --batch 1 --steps 1 --quiet
    works convert "$T/llama2" "$T/llama2c/32000.bin" --quiet
    (head -c 200 README.md; head -c 300 "$T/text.txt") >"$T/mixed.txt"
    "$T/reader" ids "$T/llama2c/tokenizer.bin" "$T/mixed.txt" >"$T/llama2c/its_ids"
    "$SLM" tokenize --tokenizer $llama2 "$T/mixed.txt" | tr -s ' ' '\n' >"$T/its_ids"
    same "llama2.c: the same ids with Llama-2's tokenizer" "$T/its_ids" "$T/llama2c/its_ids"
fi
check "llama2.c: joined letters among them" grep -q -x 289 "$T/llama2c/ids" # "▁the"
head -65 "$T/ids" >"$T/window"
# loss_like FOLDER FILE: of 64 targets, by slm and by the program
loss_like() {
    "$SLM" eval --model "$1" --tokenizer none --data "$T/window.u16" --seq 64 --json --quiet |
        sed 's/.*"loss": \([0-9.]*\),.*/\1/' >"$T/ours"
    "$T/reader" loss "$2" "$T/window" | paste "$T/ours" - |
        awk '{ d = $1 - $2; exit !(d * d < 1e-10) }'
}
awk '{ printf "\\%03o\\%03o", $1 % 256, $1 / 256 }' "$T/window" >"$T/octal"
printf "$(cat "$T/octal")" >"$T/window.u16"
check "llama2.c: the loss, tied" loss_like "$T/characters" "$T/llama2c/characters.bin"
check "llama2.c: the loss" loss_like "$T/model" "$T/llama2c/model.bin"
fails_loss() { ! loss_like "$T/twisted" "$T/llama2c/model.bin"; }
check "llama2.c: the check of the loss can fail" fails_loss
works convert "$T/characters.gguf" "$T/characters_back" --quiet
for folder in characters characters_back; do
    "$SLM" tokenize --tokenizer "$T/$folder" "$T/text.txt" >"$T/$folder.ids"
done
same "characters: the tokens of the folder that the file becomes" "$T/characters.ids" \
    "$T/characters_back.ids"
characters "▁t,he,▁the,the" "▁ t,h e,▁t he,t he,▁ the"
cp "$T/characters.json" "$T/characters/tokenizer.json"
fails 3 "into other tokens" convert "$T/characters" "$T/none.gguf" # "▁the" is made at two times
characters "▁t,he,▁the,the" "▁ t,h e,t he,▁t he"
cp "$T/characters.json" "$T/characters/tokenizer.json"
fails 3 "into other tokens" convert "$T/characters" "$T/none.gguf" # no merge of "▁" and "the"
fails 3 "into other tokens" convert "$T/characters" "$T/none.bin"
characters "▁t,he,▁the,the" "▁ t,h e,t he,▁t he,▁ the"
sed 's/"<s>":1,"<.s>":2,"<0x00>":3/"<s>":3,"<\/s>":2,"<0x00>":1/; s/"id":1/"id":3/' \
    "$T/characters.json" >"$T/characters/tokenizer.json"
fails 3 "token 3 is not byte 0" convert "$T/characters" "$T/none.bin"

# The same tokenizer in the form of Metaspace, which may cut at spaces.
for split in true false; do
    sed 's/"normalizer":{.*]},"decoder"/"normalizer":null,"pre_tokenizer":{"type":"Metaspace",'\
'"replacement":"▁","prepend_scheme":"first","split":'$split'},"decoder"/' "$T/characters.json" \
        >"$T/characters/tokenizer.json"
    [ $split = true ] && fails 3 "at every space" convert "$T/characters" "$T/none.gguf"
done
"$SLM" convert "$T/characters" "$T/metaspace.gguf" 2>"$T/note" >"$T/stdout" || bad "Metaspace"
check "Metaspace: a note" grep -q "begins with a space" "$T/note"
same "Metaspace: the file" "$T/characters.gguf" "$T/metaspace.gguf"

# ---- llama.cpp ----
if [ -n "$1" ]; then
    judge() {
        node tests/support/llama_cpp.mjs "$1" "$T/$2.gguf" "$T/short.txt" "$T/ids" 64 "$T/$2"
    }
    # The largest difference of the losses of llama.cpp from ours.
    difference() {
        paste "$T/ours" "$T/$1.losses" | awk '
            { d = $1 - $2; if (d < 0) d = -d; if (!(d <= most)) most = d }
            END { print(NR > 500 ? most : "too few") }'
    }
    "$SLM" tokenize --tokenizer "$T/model" "$T/short.txt" | tr -s ' ' '\n' >"$T/ids"
    "$SLM" score --model "$T/model" --data "$T/short.txt" --tsv --quiet >"$T/table"
    sed 1d "$T/table" | cut -f4 >"$T/ours"
    head -32 "$T/ids" >"$T/prompt"
    weights ids "$T/model" 32 "$T/prompt" >"$T/greedy"

    check "llama.cpp reads the file" judge "$1" F32
    same "llama.cpp: the same ids" "$T/ids" "$T/F32.ids"
    same "llama.cpp: the same greedy tokens" "$T/greedy" "$T/F32.greedy"
    most=$(difference F32)
    check "llama.cpp: losses within 1e-5, not $most" awk "BEGIN { exit !($most <= 1e-5) }"
    echo "llama.cpp: losses differ by at most $most in F32"

    # The same check fails for a converter that forgets to reorder queries and keys.
    works convert "$T/twisted" "$T/twisted.gguf" --quiet
    check "llama.cpp reads a twisted file" judge "$1" twisted
    most=$(difference twisted)
    check "llama.cpp: losses of a twisted file are off, not by $most" awk \
        "BEGIN { exit !($most > 1e-2) }"

    package=$1
    # Positions that are scaled; and the file whose positions are not is another model.
    scaled() {
        mkdir "$T/$1" && cp "$T/model/model.safetensors" "$T/model/tokenizer.json" "$T/$1"
        sed "s/\"rope_scaling\": null/\"rope_scaling\": {$2}/" "$T/model/config.json" \
            >"$T/$1/config.json"
        works convert "$T/$1" "$T/$1.gguf" --quiet
        "$SLM" score --model "$T/$1" --data "$T/short.txt" --tsv --quiet | sed 1d | cut -f4 \
            >"$T/ours"
        check "llama.cpp reads $1 scaling" judge "$package" "$1"
        most=$(difference "$1")
        check "llama.cpp: losses within 1e-5, not $most, with $1 scaling" awk \
            "BEGIN { exit !($most <= 1e-5) }"
        most=$(difference F32)
        check "llama.cpp: without it they are off, not by $most" awk \
            "BEGIN { exit !($most > 1e-3) }"
    }
    scaled linear '"type": "linear", "factor": 2.0'
    scaled llama3 "$(printf %s '"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, ' \
        '"high_freq_factor": 4, "original_max_position_embeddings": 32')"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
