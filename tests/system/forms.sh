#!/bin/sh
# The forms of config.json that models are published with: slm's losses are those of a forward in
# PyTorch that is written from the definitions (tests/support/forward.py).
#     PYTHON=python3 sh tests/system/forms.sh
cd "$(dirname "$0")/../.." || exit 1
SLM=$PWD/build/slm T=build/tmp/forms PYTHON=${PYTHON:-python3}
rm -rf $T && mkdir -p $T
. tests/support/checks.sh

if ! "$PYTHON" -c 'import torch' 2>/dev/null; then
    echo "skipped: PyTorch"
    echo "0 passed, 0 failed"
    exit
fi

head -c 4000 README.md >$T/text.txt
awk 'BEGIN { for (i = 0; i < 301; i++) { x = (x * 1103 + 12345) % 65536
    printf "\\%03o\\000", int(x / 64) % 128 } }' >$T/octal
printf "$(cat $T/octal)" >$T/ids.u16

# model NAME FLAGS...: one that has learned a little
model() {
    name=$1
    shift
    "$SLM" train --data $T/text.txt --layers 2 --seq 64 --batch 4 --steps 30 --lr 1e-2 --quiet \
        --out $T/$name "$@" >$T/stdout 2>$T/stderr || bad "train $name: $(cat $T/stderr)"
}
# same_losses NAME: within 1e-5 of each other
same_losses() {
    "$SLM" score --model $T/$1 --data $T/ids.u16 --tokenizer none --seq 100 --tsv --quiet \
        2>$T/stderr | sed 1d | cut -f 4 >$T/$1.ours
    "$PYTHON" tests/support/forward.py $T/$1 $T/ids.u16 100 >$T/$1.theirs 2>>$T/stderr
    paste $T/$1.ours $T/$1.theirs >$T/$1.both
    check "$1: $(tail -n 1 $T/stderr)" awk '
        { d = $1 - $2; if (NF != 2 || !(d * d <= 1e-10)) bad = 1 }
        END { exit bad || NR != 300 }' $T/$1.both
}
# form NAME MODEL SED: the model with another config.json, whose losses are others
form() {
    cp -r $T/$2 $T/$1
    sed "$3" $T/$2/config.json >$T/$1/config.json
    check "$1: the file is another" sh -c "! cmp -s $T/$1/config.json $T/$2/config.json"
    same_losses $1
}
# scaled TEXT: a sed that sets rope_scaling
scaled() { echo "s/\"rope_scaling\": null/\"rope_scaling\": {$1}/"; }
LLAMA3='"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0'
LLAMA3="$LLAMA3, \"original_max_position_embeddings\": 64"

model llama2 --dim 32 --heads 4
model tinyllama --dim 32 --heads 4 --kv-heads 1
model smollm2 --dim 36 --heads 3 --kv-heads 1 --tied
for name in llama2 tinyllama smollm2; do same_losses $name; done
form linear llama2 "$(scaled '"type": "linear", "factor": 2.0')"
form linear_new llama2 "$(scaled '"rope_type": "linear", "factor": 3.0')"
form llama3 tinyllama "$(scaled "\"rope_type\": \"llama3\", $LLAMA3")"
form theta tinyllama 's/"rope_theta": 10000.0/"rope_theta": 500000.0/'
form eps smollm2 's/"rms_norm_eps": 1e-05/"rms_norm_eps": 1e-2/'
form transformers5 tinyllama "s/\"rope_theta\": 10000.0/\"rope_parameters\": {$LLAMA3, \
\"rope_type\": \"llama3\", \"rope_theta\": 20000.0}/; s/ *\"rope_scaling\": null,*//"
form mistral tinyllama 's/"LlamaForCausalLM"/"MistralForCausalLM"/
    s/"model_type": "llama"/"model_type": "mistral", "sliding_window": 4096/'
# The comparison can fail: a scaling changes the losses.
paste $T/llama2.ours $T/linear.theirs >$T/llama2_and_linear
check "a scaling is seen" awk '{ d = $1 - $2; if (d * d > 1e-6) n++ } END { exit !(n > 100) }' \
    $T/llama2_and_linear

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
