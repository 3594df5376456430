#!/bin/sh
# Models in and out: a folder that came from elsewhere keeps, through `slm train --init`, what other
# programs need of it: special ids, templates, the form of its weights, the scaling of positions.
# What cannot be used is refused by name, and nothing of somebody else's is replaced.
#
#     sh tests/system/consumers.sh            these
#     sh tests/system/consumers.sh PACKAGE    also: @huggingface/transformers, from this folder of
#                                             the npm package, makes the ids that we make
SLM=${SLM:-build/slm}
T=build/tmp/consumers
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
. tests/support/checks.sh

# works ARGS: exit 0 and nothing on stderr
works() {
    if "$SLM" "$@" >"$T/stdout" 2>"$T/stderr" && [ ! -s "$T/stderr" ]; then ok
    else bad "slm $*: $(head -1 "$T/stderr")"; fi
}
# has FILE WORDS...
has() {
    file=$1
    shift
    for words in "$@"; do
        if grep -q -F -e "$words" "$file"; then ok; else bad "$file: no $words"; fi
    done
}
# changed FROM TO SED: a copy of the folder whose config.json is edited
changed() {
    rm -rf "$2"
    mkdir "$2"
    cp "$1"/*.json "$1/model.safetensors" "$2"
    sed "$3" "$1/config.json" >"$2/config.json"
}

# ---- a tokenizer with special tokens, and a model of it ----
yes 'every text ends here, or does it? Says the cat: "no".' | head -40 >"$T/text.txt"
works tokenizer train --data "$T/text.txt" --vocab 271 --out "$T/plain.json" --quiet
template='{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},'
template=$template'{"Sequence":{"id":"A","type_id":0}}],"pair":[],'
template=$template'"special_tokens":{"<s>":{"id":"<s>","ids":[270],"tokens":["<s>"]}}}'
added() { printf '{"id":%s,"content":"%s","single_word":false,"lstrip":false,"rstrip":false,' "$@"
    printf '"normalized":false,"special":true}'; }
# These two take the place of the one that is there, on the second line.
sed "1s|\[\$|[$(added 270 '<s>'),$(added 271 '</s>')],|; 2d
    s|\"post_processor\":null|\"post_processor\":$template|" "$T/plain.json" >"$T/tokenizer.json"
awk '{ printf "%s</s>", $0 }' "$T/text.txt" >"$T/ended.txt"
TRAIN="--data $T/ended.txt --seq 32 --batch 2 --quiet"
SHAPE="--dim 32 --layers 1 --heads 2 --kv-heads 1"
works train $TRAIN --tokenizer "$T/tokenizer.json" --out "$T/base" $SHAPE --steps 60 --lr 1e-2
has "$T/base/config.json" '"bos_token_id": 270' '"eos_token_id": 271' '"torch_dtype": "float32"'
has "$T/base/tokenizer_config.json" '"bos_token": "<s>"' '"eos_token": "</s>"' \
    '"add_bos_token": true' '"tokenizer_class": "PreTrainedTokenizerFast"'
has "$T/base/generation_config.json" '"eos_token_id": 271'
same "the tokenizer" "$T/tokenizer.json" "$T/base/tokenizer.json"

# ---- generation ends where the model says that a text ends ----
PROMPT='Says the cat:'
"$SLM" generate --model "$T/base" --prompt "$PROMPT" -n 60 --temp 0 >"$T/ends" 2>"$T/stderr"
check "the text ends" test "$(cat "$T/ends")" = 'Says the cat: "no".'
changed "$T/base" "$T/endless" 's/"eos_token_id": 271/"eos_token_id": null/'
"$SLM" generate --model "$T/endless" --prompt "$PROMPT" -n 60 --temp 0 >"$T/goes_on" \
    2>"$T/stderr"
check "else it goes on" grep -q '"no".</s>every text' "$T/goes_on"
changed "$T/base" "$T/hf" 's/"eos_token_id": 271/"eos_token_id": [5, 271],\n  "pad_token_id": 271/'
"$SLM" generate --model "$T/hf" --prompt "$PROMPT" -n 60 --temp 0 >"$T/ends_too" \
    2>"$T/stderr"
same "one of a list of ends" "$T/ends" "$T/ends_too"

# ---- what is carried over ----
echo '{"tokenizer_class": "LlamaTokenizerFast", "chat_template": "{{ x }}"}' \
    >"$T/hf/tokenizer_config.json"
echo '{"eos_token_id": [5, 271], "temperature": 0.7}' >"$T/hf/generation_config.json"
echo '{"eos_token": "</s>"}' >"$T/hf/special_tokens_map.json"
echo '{{ messages }}' >"$T/hf/chat_template.jinja"
printf '\000\001' >"$T/hf/tokenizer.model"
files="tokenizer.json tokenizer_config.json generation_config.json special_tokens_map.json
    chat_template.jinja tokenizer.model"
works train $TRAIN --init "$T/hf" --out "$T/tuned" --steps 2
has "$T/tuned/config.json" '"bos_token_id": 270' '"eos_token_id": [5, 271]' '"pad_token_id": 271'
for file in $files; do same "carried over" "$T/hf/$file" "$T/tuned/$file"; done
works train $TRAIN --init "$T/hf" --out "$T/tuned" --steps 2 --resume
for file in $files; do same "still there" "$T/hf/$file" "$T/tuned/$file"; done
works train --data "$T/text.txt" --seq 32 --batch 2 --quiet --init "$T/hf" --out "$T/other" \
    --tokenizer "$T/plain.json" --steps 1
same "generation_config.json" "$T/hf/generation_config.json" "$T/other/generation_config.json"
check "another tokenizer has no template of this one" test ! -e "$T/other/chat_template.jinja"
has "$T/other/tokenizer_config.json" PreTrainedTokenizerFast
works train $TRAIN --tokenizer "$T/tokenizer.json" --out "$T/tuned" $SHAPE --steps 1 --force
check "a new run has nothing of the old one" test ! -e "$T/tuned/chat_template.jinja"

# ---- how weights are stored ----
works train $TRAIN --init "$T/base" --out "$T/f32" --steps 3
works train $TRAIN --init "$T/base" --out "$T/bf16" --steps 3 --weights bf16
has "$T/bf16/config.json" '"torch_dtype": "bfloat16"'
"$SLM" info "$T/bf16/model.safetensors" >"$T/tensors"
check "all are BF16" sh -c '! grep -q F32 "$1" && grep -q BF16 "$1"' . "$T/tensors"
works train $TRAIN --init "$T/base" --out "$T/named" --steps 3 --dtype bf16
same "--dtype bf16 is --weights bf16" "$T/bf16/model.safetensors" "$T/named/model.safetensors"
same "what training goes on from" "$T/f32/state.safetensors" "$T/bf16/state.safetensors"
works train $TRAIN --init "$T/bf16" --out "$T/bf16_on" --steps 1
has "$T/bf16_on/config.json" '"torch_dtype": "bfloat16"'
works train $TRAIN --init "$T/bf16" --out "$T/f32_on" --steps 1 --weights f32
has "$T/f32_on/config.json" '"torch_dtype": "float32"'
fails 2 'weights' train $TRAIN --init "$T/base" --out "$T/none" --weights f16

# ---- GGUF and back ----
works convert "$T/base" "$T/base.gguf" --quiet
works convert "$T/base.gguf" "$T/from_gguf" --quiet
has "$T/from_gguf/config.json" '"bos_token_id": 270' '"eos_token_id": 271'

# ---- more tokens in the tokenizer than in the model ----
changed "$T/base" "$T/more" ''
sed "/added_tokens/s|}\],\$|},$(added 272 '<pad>')],|" "$T/base/tokenizer.json" \
    >"$T/more/tokenizer.json"
works eval --model "$T/more" --data "$T/ended.txt" --seq 32 --quiet
works train $TRAIN --init "$T/more" --out "$T/more_on" --steps 1
printf 'one <pad> two' >"$T/pad.txt"
fails 3 'the model has 272 tokens; .* is 272 (<pad>)' eval --model "$T/more" \
    --data "$T/pad.txt" --seq 32 --quiet
fails 3 'is 272 (<pad>)' score --model "$T/more" --data "$T/pad.txt" --tsv --quiet
fails 3 'is 272 (<pad>)' train --data "$T/pad.txt" --seq 4 --batch 1 --quiet --init "$T/more" \
    --out "$T/none"
fails 3 'is 272 (<pad>)' view --model "$T/more" --data "$T/pad.txt" --out "$T/none.html" --quiet

# ---- positions ----
scaling='{"factor": 8, "low_freq_factor": 1.0, "high_freq_factor": 4.0, '
scaling=$scaling'"original_max_position_embeddings": 16, "rope_type": "llama3"}'
changed "$T/base" "$T/llama3" "s/\"rope_scaling\": null/\"rope_scaling\": $scaling/"
works train $TRAIN --init "$T/llama3" --out "$T/llama3_on" --steps 1
has "$T/llama3_on/config.json" '"rope_type": "llama3"' '"factor": 8.0'
works info "$T/llama3_on"
has "$T/stdout" llama3
works convert "$T/llama3" "$T/llama3.gguf" --quiet
fails 3 "rope_freqs.weight is not that of a Llama-3 model" convert "$T/llama3.gguf" "$T/none"
changed "$T/base" "$T/linear" \
    's/"rope_scaling": null/"rope_scaling": {"type": "linear", "factor": 4}/'
works convert "$T/linear" "$T/linear.gguf" --quiet
works convert "$T/linear.gguf" "$T/linear_back" --quiet
has "$T/linear_back/config.json" '"rope_scaling": {"factor": 4.0, "type": "linear"}'
fails 3 'no rope_scaling' convert "$T/llama3" "$T/none.bin"
loss_of() { "$SLM" eval --model "$1" --data "$T/ended.txt" --seq 32 --quiet | head -1; }
check "scaled, the model is another one" test "$(loss_of "$T/base")" != "$(loss_of "$T/llama3")"

changed "$T/base" "$T/mistral" 's/LlamaForCausalLM/MistralForCausalLM/
    s/"model_type": "llama"/"model_type": "mistral", "sliding_window": 32/'
check "within its window a Mistral is a Llama" \
    test "$(loss_of "$T/base")" = "$(loss_of "$T/mistral")"
for verb in eval "score --tsv" "view --out $T/none.html"; do
    fails 2 '--seq 33 is above the model.s sliding window of 32' $verb --model "$T/mistral" \
        --data "$T/ended.txt" --seq 33 --quiet
done
fails 2 'sliding window of 32' train --data "$T/ended.txt" --seq 33 --batch 2 --quiet \
    --init "$T/mistral" --out "$T/none"
fails 2 'sliding window of 32' train --data "$T/ended.txt" --seq 33 --batch 2 --quiet \
    --init "$T/base" --reference "$T/mistral" --out "$T/none"
works train $TRAIN --init "$T/mistral" --out "$T/mistral_on" --steps 1
has "$T/mistral_on/config.json" MistralForCausalLM '"sliding_window": 32'

# ---- a finished model is no run that could go on ----
changed "$T/base" "$T/mine" ''
cp -r "$T/mine" "$T/mine_before"
fails 3 'without state.safetensors' train $TRAIN --tokenizer "$T/tokenizer.json" --out "$T/mine" \
    $SHAPE --steps 1 --resume
for file in config.json model.safetensors tokenizer.json; do
    same "untouched" "$T/mine_before/$file" "$T/mine/$file"
done
fails 2 'already holds' train $TRAIN --tokenizer "$T/tokenizer.json" --out "$T/mine" $SHAPE \
    --steps 1

# ---- transformers.js ----
if [ -n "$1" ]; then
    printf 'Says the  cat:\n\t"no", \303\251 \360\237\220\210 <s>x</s> don'"'"'t 1234' \
        >"$T/hard.txt"
    for model in base bf16_on; do
        node tests/support/transformers_ids.mjs "$1" "$T/$model" "$T/hard.txt" >"$T/theirs" \
            2>"$T/stderr" || bad "$model: $(head -5 "$T/stderr")"
        "$SLM" tokenize --tokenizer "$T/$model" "$T/hard.txt" | tr -s ' \n' ' ' >"$T/ours"
        check "$model: the ids of transformers.js" test "$(sed -n 1p "$T/theirs") " = \
            "$(cat "$T/ours")"
        check "$model: its special tokens" test "$(sed -n 2p "$T/theirs")" = \
            '["<s>","</s>",271]'
    done
else
    echo "skipped: transformers.js (sh tests/system/consumers.sh PACKAGE)"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
