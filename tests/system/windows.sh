#!/bin/sh
# build/slm.exe, made by MinGW, under Wine: every verb, beside the native build/slm, to the same
# bits; a run that is killed and taken up; names in UTF-8, backslashes and drive letters.  Run by
# `make check` (the job `windows`), with WINE naming the program that starts it.
cd "$(dirname "$0")/../.." || exit 1
SLM=build/slm.exe
NATIVE=${NATIVE:-build/slm}
T=build/tmp/windows
. tests/support/checks.sh
WINEPREFIX=$PWD/$T/wine WINEDEBUG=-all
LC_ALL=C.UTF-8 # in which Wine reads its arguments
export WINEPREFIX WINEDEBUG LC_ALL
WINE=${WINE:-wine64}

# The first start makes Wine's folder.
$WINE $SLM --version >/dev/null 2>&1

# windows ARGS: the program under Wine.  native ARGS: ours.
windows() { $WINE $SLM "$@" >"$T/stdout" 2>"$T/stderr"; }
native() { "$NATIVE" "$@" >"$T/native.stdout" 2>"$T/native.stderr"; }
# both NAME ARGS: both end with 0 and say the same on stdout.
both() {
    name=$1
    shift
    windows "$@" || bad "$name: exit $?: $(head -n 1 "$T/stderr")"
    native "$@" || bad "$name, native: exit $?: $(head -n 1 "$T/native.stderr")"
    same "$name" "$T/stdout" "$T/native.stdout"
}

awk 'BEGIN { for (i = 0; i < 900; i++) {
    print i % 8 "+" i % 9 "=" (i % 8 + i % 9)
    print "id " i * 7919 % 10007 } }' >"$T/noisy.txt"
awk 'BEGIN { for (i = 0; i < 300; i++) print i % 8 "+" i % 9 "=" (i % 8 + i % 9) }' >"$T/clean.txt"
shape="--dim 32 --layers 2 --heads 2 --ffn 64 --seq 32 --batch 4 --lr 0.01 --quiet"

# ---- every verb: the same bits ----
windows train --data $T/clean.txt --out $T/ref $shape --steps 30
native train --data $T/clean.txt --out $T/ref.native $shape --steps 30
same "train" $T/ref/model.safetensors $T/ref.native/model.safetensors
windows score --model $T/ref --data $T/noisy.txt --out $T/noisy.scores --seq 32 --quiet
native score --model $T/ref --data $T/noisy.txt --out $T/native.scores --seq 32 --quiet
same "score" $T/noisy.scores $T/native.scores
run="--data $T/noisy.txt --scores $T/noisy.scores --ratio 0.4 --select excess $shape"
windows train $run --out $T/run --steps 200 --save-every 20
native train $run --out $T/run.native --steps 200 --save-every 20
same "train with scores" $T/run/model.safetensors $T/run.native/model.safetensors
same "its state" $T/run/state.safetensors $T/run.native/state.safetensors
both eval eval --model $T/ref --data $T/noisy.txt --seq 32 --quiet --json
both generate generate --model $T/ref --prompt 2+3= -n 12 --temp 0
both tokenize tokenize --tokenizer bytes $T/clean.txt
both info info $T/ref
windows view --model $T/run --ref $T/ref --data $T/noisy.txt --out $T/view.html --quiet
native view --model $T/run --ref $T/ref --data $T/noisy.txt --out $T/native.html --quiet
same view $T/view.html $T/native.html
windows convert $T/ref $T/ref.gguf
native convert $T/ref $T/native.gguf
same convert $T/ref.gguf $T/native.gguf
windows convert $T/ref.gguf $T/back
native convert $T/ref.gguf $T/back.native
same "convert and back" $T/back/model.safetensors $T/back.native/model.safetensors

# ---- killed, and resumed to the same bytes ----
kills=0
for round in 1 2 3; do
    $WINE $SLM train $run --out $T/killed --steps 200 --save-every 5 --resume >/dev/null 2>&1 &
    pid=$!
    sleep 0.$((round * 2))
    kill -9 $pid 2>/dev/null && kills=$((kills + 1))
    wait $pid 2>/dev/null
done
check "some of the kills hit ($kills)" test $kills -ge 1
windows train $run --out $T/killed --steps 200 --save-every 20 --resume ||
    bad "the last resume: $(head -n 1 "$T/stderr")"
same "killed and resumed: the model" $T/killed/model.safetensors $T/run.native/model.safetensors
same "killed and resumed: the state" $T/killed/state.safetensors $T/run.native/state.safetensors

# ---- names ----
mkdir -p "$T/Übung 한"
cp $T/clean.txt "$T/Übung 한/Käse.txt"
windows train --data "$T/Übung 한/Käse.txt" --out "$T/Übung 한/Modell ö" $shape --steps 30 ||
    bad "UTF-8: $(head -n 1 "$T/stderr")"
same "names in UTF-8" "$T/Übung 한/Modell ö/model.safetensors" $T/ref.native/model.safetensors
drive="Z:$(echo "$PWD/$T" | tr / '\\')"
windows train --data "$drive\\clean.txt" --out "$drive\\new\\folder" $shape --steps 30 ||
    bad "a drive letter: $(head -n 1 "$T/stderr")"
same "backslashes and a drive letter" $T/new/folder/model.safetensors \
    $T/ref.native/model.safetensors
windows score --model "$drive\\new\\folder\\" --data "$drive\\noisy.txt" --out "$drive\\b.scores" \
    --seq 32 --quiet || bad "a backslash at the end: $(head -n 1 "$T/stderr")"
same "scores there" $T/b.scores $T/native.scores

# ---- refused, as elsewhere ----
windows eval --model $T/ref --data $T/nothing.txt --quiet
check "a file that is not there: exit 3" test $? -eq 3
check "it is named" grep -q 'nothing.txt' "$T/stderr"
mkdir -p $T/busy
$WINE $SLM train $run --out $T/busy --steps 100000 >/dev/null 2>&1 &
pid=$!
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -s $T/busy/.lock ] && break
    sleep 0.2
done
windows train $run --out $T/busy --steps 5
check "a folder that another process writes to: exit 2" test $? -eq 2
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
