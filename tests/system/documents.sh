#!/bin/sh
# Documents on the command line: what begins and ends them, what of them is a target, weights, and
# attention that stays within them; what README says of them.
SLM=${SLM:-build/slm}
T=build/tmp/documents
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
. tests/support/checks.sh

run() { "$SLM" "$@" >"$T/stdout" 2>"$T/stderr" || bad "slm $*: $(cat "$T/stderr")"; }
# table FILE ARGS: position, token and loss of each target
table() {
    file=$1
    shift
    run score --tsv --quiet --seq 64 "$@"
    tail -n +2 "$T/stdout" | cut -f 1,2,4,5 >"$T/$file"
}
# lines FROM TO FILE: these lines without their positions
lines() { sed -n "$1,$2p" "$T/$3" | cut -f 2-; }
json() { sed -n "s/.*\"$1\": \\([-0-9.e]*\\).*/\\1/p" "$T/stdout"; }

# A tokenizer of bytes with <s> (256) and </s> (257), whose template puts <s> first.
awk 'BEGIN {
    printf "{\"version\":\"1.0\",\"added_tokens\":["
    printf "{\"id\":256,\"content\":\"<s>\",\"special\":true},"
    printf "{\"id\":257,\"content\":\"</s>\",\"special\":true}],"
    printf "\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\","
    printf "\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true},"
    printf "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":["
    printf "{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},"
    printf "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[],"
    printf "\"special_tokens\":{\"<s>\":{\"id\":\"<s>\",\"ids\":[256],\"tokens\":[\"<s>\"]}}},"
    printf "\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":{"
    n = 0
    for (i = 0; i < 256; i++) {
        visible = i >= 33 && i <= 126 || i >= 161 && i <= 172 || i >= 174
        code = visible ? i : 256 + n++
        printf "%s\"\\u%04x\":%d", (i > 0 ? "," : ""), code, i
    }
    printf "},\"merges\":[]}}\n"
}' >"$T/marks.json"
# the same without a template, and with one that ends a text
sed 's/"post_processor":{.*},"decoder"/"post_processor":null,"decoder"/' "$T/marks.json" \
    >"$T/plain.json"
head -c 3000 README.md >"$T/text.txt"
printf '{"text":"the first record"}\n{"text":"x"}\n{"text":"and a third one, longer"}\n' \
    >"$T/d.jsonl"
printf '{"text":"and a third one, longer"}\n' >"$T/third.jsonl"
SHAPE="--dim 16 --layers 2 --heads 2 --seq 64 --batch 2 --steps 3 --quiet"
run train --data "$T/text.txt" --out "$T/bytes" $SHAPE
run train --data "$T/text.txt" --tokenizer "$T/marks.json" --out "$T/marked" $SHAPE

# ---- within documents: a record's losses are those of the record alone ----
table across.tsv --model "$T/bytes" --data "$T/d.jsonl"
table within.tsv --model "$T/bytes" --data "$T/d.jsonl" --within-documents
table alone.tsv --model "$T/bytes" --data "$T/third.jsonl" --within-documents
n=$(wc -l <"$T/alone.tsv")
lines $(($(wc -l <"$T/within.tsv") - n + 1)) '$' within.tsv >"$T/packed"
lines 1 '$' alone.tsv >"$T/alone"
same "the third record, packed and alone" "$T/packed" "$T/alone"
lines 1 17 across.tsv >"$T/a" && lines 1 17 within.tsv >"$T/b"
same "the first record" "$T/a" "$T/b"
if cmp -s "$T/across.tsv" "$T/within.tsv"; then bad "nothing changes within documents"; else ok; fi
check "a document's first token has no loss" grep -q '^18	120	0	0$' "$T/within.tsv"

# ---- score files, runs ----
run score --model "$T/bytes" --data "$T/text.txt" --seq 64 --out "$T/across.scores" --quiet
run score --model "$T/bytes" --data "$T/text.txt" --seq 64 --out "$T/within.scores" \
    --within-documents --quiet
fails 3 'within documents' train --data "$T/text.txt" --init "$T/bytes" --out "$T/no" --batch 2 \
    --scores "$T/within.scores" --quiet
fails 3 'across documents' train --data "$T/text.txt" --init "$T/bytes" --out "$T/no" --batch 2 \
    --scores "$T/across.scores" --within-documents --quiet
TRAIN="train --data $T/text.txt --init $T/bytes --batch 2 --steps 2 --seq 64 --quiet"
run $TRAIN --scores "$T/within.scores" --within-documents --out "$T/run"
check "run.json" grep -q '"documents": 1, "within_documents": true' "$T/run/run.json"
fails 3 'within-documents' $TRAIN --scores "$T/across.scores" --out "$T/run" --resume
run $TRAIN --out "$T/run2"
fails 3 'within-documents' $TRAIN --within-documents --out "$T/run2" --resume

# ---- the tokens that begin and end a document ----
table auto.tsv --model "$T/marked" --data "$T/d.jsonl"
check "a record's first token is predicted from <s>" grep -q '^1	116	' "$T/auto.tsv"
check "<s> is no target" grep -q '^17	256	0	0$' "$T/auto.tsv"
check "no blank line where a token begins the next" sh -c "! grep -q '	10	' '$T/auto.tsv'"
table unmarked.tsv --model "$T/marked" --data "$T/d.jsonl" --bos no
check "--bos no: a blank line ends a record" grep -q '^17	10	' "$T/unmarked.tsv"
table bytes.tsv --model "$T/bytes" --data "$T/d.jsonl"
check "bytes: a blank line ends a record" grep -q '^16	10	' "$T/bytes.tsv"
fails 3 '--eos yes: neither' eval --model "$T/bytes" --data "$T/d.jsonl" --eos yes
fails 3 '--bos yes: neither' eval --model "$T/bytes" --data "$T/d.jsonl" --bos yes
cp -r "$T/marked" "$T/ends"
sed 's/"eos_token_id": null/"eos_token_id": 257/' "$T/marked/config.json" >"$T/ends/config.json"
table ends.tsv --model "$T/ends" --data "$T/d.jsonl" --eos yes
check "</s> is a target" sh -c "grep '^17	257	' '$T/ends.tsv' | grep -qv '	0	0$'"
check "and <s> follows it" grep -q '^18	256	0	0$' "$T/ends.tsv"

# ---- bits per byte: special tokens have no bytes, nor has the first token of the text ----
run eval --model "$T/ends" --data "$T/d.jsonl" --eos yes --json --seq 64 --quiet
[ "$(json bytes)" = 40 ] && [ "$(json tokens)" = 43 ] && ok || bad "bytes: $(cat "$T/stdout")"
printf ab >"$T/ab.txt"
run eval --model "$T/bytes" --data "$T/ab.txt" --json --quiet
check "of two bytes one is predicted: $(cat "$T/stdout")" \
    awk "BEGIN { d = $(json loss) / log(2) - $(json bits_per_byte); exit !(d * d < 1e-12) }"

# ---- masks and weights ----
printf '{"q":"what is it","a":"a mask","w":0.5,"v":[0,2]}\n{"q":"why","a":"so","w":3,"v":[1,1]}\n' \
    >"$T/qa.jsonl"
table masked.tsv --model "$T/bytes" --data "$T/qa.jsonl" --fields q,a --mask-fields q
table open.tsv --model "$T/bytes" --data "$T/qa.jsonl" --fields q,a
lines 11 18 masked.tsv >"$T/a" && lines 11 18 open.tsv >"$T/b"
same "the answer is a target" "$T/a" "$T/b"
check "the question is none" [ "$(head -10 "$T/masked.tsv" | grep -c '	0	0$')" = 10 ]
run eval --model "$T/bytes" --data "$T/qa.jsonl" --fields q,a --mask-fields q --json --quiet
[ "$(json tokens)" = 12 ] && [ "$(json bytes)" = 12 ] && ok || bad "masks: $(cat "$T/stdout")"
fails 2 'mask-fields w: it is none of --fields q,a' eval --model "$T/bytes" --data "$T/qa.jsonl" \
    --fields q,a --mask-fields w
fails 2 'mask-fields' eval --model "$T/bytes" --data "$T/text.txt" --mask-fields text
QA="train --data $T/qa.jsonl --fields q,a --init $T/bytes --seq 8 --batch 2 --steps 2 --quiet"
run $QA --out "$T/w0"
for field in w v; do
    run $QA --weight-field $field --out "$T/w-$field"
    if cmp -s "$T/w0/model.safetensors" "$T/w-$field/model.safetensors"; then
        bad "--weight-field $field changes nothing"
    else ok; fi
done
fails 3 'weight-field' $QA --out "$T/w0" --weight-field w --resume
fails 3 'a weight from 0 on\|a number' $QA --weight-field q --out "$T/w1"
printf '{"q":"a","a":"b","w":[1]}\n' >>"$T/qa.jsonl"
fails 3 'as many weights as --fields' $QA --weight-field w --out "$T/w1"
printf '{"q":"a","a":"b","w":-1}\n' >"$T/below.jsonl"
fails 3 'line 1.*weight from 0' train --data "$T/below.jsonl" --fields q,a --init "$T/bytes" \
    --weight-field w --out "$T/w1" --quiet

# ---- files of ids: a document begins behind each end token, or at each that --bos yes names ----
ids() {
    for id in "$@"; do printf "\\$(printf %03o $((id % 256)))\\$(printf %03o $((id / 256)))"; done
}
ids 97 98 257 99 100 257 101 102 >"$T/ids.u16"
table ids.tsv --model "$T/ends" --data "$T/ids.u16" --within-documents
check "ids: </s> ends a document" grep -q '^3	99	0	0$' "$T/ids.tsv"
check "ids: </s> is a target" sh -c "grep '^2	257	' '$T/ids.tsv' | grep -qv '	0	0$'"
ids 256 97 98 256 99 100 >"$T/bos.u16"
table bos.tsv --model "$T/marked" --data "$T/bos.u16" --within-documents
check "ids: <s> begins a document and is no target" grep -q '^3	256	0	0$' "$T/bos.tsv"
check "ids: what follows it is one" sh -c "grep '^4	99	' '$T/bos.tsv' | grep -qv '	0	0$'"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
