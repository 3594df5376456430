#!/bin/sh
# The command line, on small made-up files: results, exit codes, messages of one line, nothing left
# behind by what fails, resuming after kill -9 to the same bytes, scores from a file against scores
# online, any number of threads.  Needs only sh and the usual tools.
SLM=${SLM:-build/slm}
T=${TMPDIR_CLI:-build/tmp/cli}
# The models are tiny; what more threads do is asked for by --threads.
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
. tests/support/checks.sh

# ---- data ----
# text SEED WORDS PERIOD END NOISE: words from a small list, END after every PERIOD-th of them; with
# NOISE every third word is a number.
text() {
    awk -v s="$1" -v n="$2" -v period="$3" -v end="$4" -v noise="$5" '
    function ends(i) { return i % period == period - 1 }
    BEGIN {
        split("the force on a block mass times speed energy of light wave and heat", word, " ")
        for (i = 0; i < n; i++) {
            s = (s * 1103 + 12345) % 65536
            if (noise && int(s / 256) % 3 == 0) printf "%05d ", s
            else printf "%s%s", word[1 + int(s / 64) % 13], ends(i) ? end "\n" : " "
        }
    }'
}
text 7 900 11 . 0 >"$T/clean.txt"
text 3 1100 9 ! 1 >"$T/noisy.txt"
head -c 700 "$T/clean.txt" >"$T/eval.txt"
printf '%s\n' '{"question":"two and two?","answer":"four \u00e9"}' '' \
    '{"answer":"six","question":"3+3"}' >"$T/qa.jsonl"
printf 'one\ttwo\\three \303\251 \377.\n' >"$T/odd.txt"
: >"$T/empty.txt"
head -c 40 "$T/clean.txt" >"$T/short.txt"
SHAPE="--dim 16 --layers 1 --heads 2 --kv-heads 1 --seq 32 --batch 4"

# ---- help ----
check "-h" "$SLM" -h
check "--version" "$SLM" --version
for verb in train score eval generate view plot tokenize "tokenizer train" "tokenizer import" \
    tokenizer info; do
    "$SLM" $verb -h >"$T/stdout" 2>/dev/null || bad "slm $verb -h"
    has "slm $verb -h" '^examples'
    has "slm $verb -h" '^usage: slm '
done

# ---- the three steps ----
works "train ref" train --data "$T/clean.txt" --out "$T/ref" $SHAPE --steps 40 --lr 0.01 \
    --val "$T/eval.txt" --quiet
has "train prints" 'ref: 40 steps'
if [ ! -s "$T/ref/model.safetensors" ]; then
    bad "nothing can be trained: the rest is left out"
    echo "$passed passed, $failed failed"
    exit 1
fi
for f in model.safetensors config.json tokenizer.json log.csv run.json state.safetensors; do
    check "ref/$f is there" test -s "$T/ref/$f"
done
columns=step,tokens,loss,loss_selected,loss_unselected,kept,lr,grad_norm,val_loss,tokens_per_s
check "header of the log" grep -q "^$columns,seconds\$" "$T/ref/log.csv"
check "a row per step" test "$(wc -l <"$T/ref/log.csv" | tr -d ' ')" = 41
works "train base" train --data "$T/noisy.txt" --out "$T/base" $SHAPE --steps 10 --seed 5 --quiet
works "score" score --model "$T/ref" --data "$T/noisy.txt" --out "$T/noisy.scores" --seq 32 --quiet
has "score's summary" 'mean loss'
works "score again: left alone" score --model "$T/ref" --data "$T/noisy.txt" \
    --out "$T/noisy.scores" --seq 32 --quiet --json
has "score's json" '"tokens": .*"loss": .*"entropy": '
check "no .part is left" test ! -e "$T/noisy.scores.part"
SCORE="score --data $T/noisy.txt --seq 32 --quiet"
# A part that ends anywhere, as a kill leaves it, is taken up there.
for i in 0/1 0/2 0/5; do
    rm -f "$T/again.scores" "$T/again.scores.part"
    works "a part, $i" $SCORE --model "$T/ref" --out "$T/again.scores.part" --shard $i
    works "score goes on behind $i" $SCORE --model "$T/ref" --out "$T/again.scores"
    same "score goes on behind $i" "$T/noisy.scores" "$T/again.scores"
    check "the part is gone" test ! -e "$T/again.scores.part"
done
for n in 0 50 3000 20001; do         # a part that is damaged is made anew
    rm -f "$T/again.scores"
    head -c $n "$T/noisy.scores" >"$T/again.scores.part"
    works "score with a damaged part, $n bytes" $SCORE --model "$T/ref" --out "$T/again.scores"
    same "score with a damaged part, $n bytes" "$T/noisy.scores" "$T/again.scores"
done
rm -f "$T/again.scores"
parts=0 rounds=0
# Killed over and over: the same bytes.
while [ ! -e "$T/again.scores" ] && [ $rounds -lt 200 ]; do
    "$SLM" $SCORE --model "$T/ref" --batch 1 --save-every 0 --out "$T/again.scores" \
        >/dev/null 2>&1 &
    pid=$!
    sleep 0.05
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    [ -e "$T/again.scores.part" ] && parts=$((parts + 1))
    rounds=$((rounds + 1))
done
works "score after $rounds kills" $SCORE --model "$T/ref" --out "$T/again.scores"
same "score after $rounds kills" "$T/noisy.scores" "$T/again.scores"
# Finished or not: stale scores are refused by name.
for file in again.scores again.scores.part; do
    rm -f "$T/again.scores" "$T/again.scores.part"
    works "a shard as $file" $SCORE --model "$T/ref" --out "$T/$file" --shard 0/2
    fails 3 "$file: .*another model" $SCORE --model "$T/base" --out "$T/again.scores" --shard 0/2
    fails 3 "$file: .*another window length" $SCORE --seq 16 --model "$T/ref" \
        --out "$T/again.scores" --shard 0/2
    fails 3 "$file: .*another shard" $SCORE --model "$T/ref" --out "$T/again.scores" --shard 1/2
    fails 3 "$file: .*another corpus" $SCORE --data "$T/clean.txt" --model "$T/ref" \
        --out "$T/again.scores" --shard 0/2
done
rm -f "$T/again.scores" "$T/again.scores.part"
works "a shard" $SCORE --model "$T/ref" --out "$T/again.scores" --shard 0/2
fails 3 'again.scores: it holds' $SCORE --model "$T/ref" --out "$T/again.scores"
SLMRUN="train --data $T/noisy.txt --init $T/base --batch 4 --steps 24 --lr 0.005"
SLMRUN="$SLMRUN --save-every 7 --quiet"
works "train by scores" $SLMRUN --scores "$T/noisy.scores" --out "$T/a"
works "train by reference" $SLMRUN --reference "$T/ref" --seq 32 --out "$T/b"
same "scores are the reference" "$T/a/model.safetensors" "$T/b/model.safetensors"
check "selection keeps 60%" test "$(sed -n 5p "$T/a/log.csv" | cut -d, -f6 | cut -c1-3)" = 0.6
for how in "--select ref" "--select entropy" "--select intersect --ratio2 0.8" "--scope sequence" \
    "--scope micro --accumulate 2" "--scope batch --accumulate 2"; do
    rm -rf "$T/c" "$T/d"
    works "$how, scores" $SLMRUN --scores "$T/noisy.scores" $how --steps 6 --out "$T/c"
    works "$how, reference" $SLMRUN --reference "$T/ref" --seq 32 $how --steps 6 --out "$T/d"
    same "$how" "$T/c/model.safetensors" "$T/d/model.safetensors"
done
for n in 1 2 3; do
    works "$n threads" $SLMRUN --scores "$T/noisy.scores" --threads $n --out "$T/t$n"
    same "$n threads" "$T/a/model.safetensors" "$T/t$n/model.safetensors"
    works "scores with $n threads" score --model "$T/ref" --data "$T/noisy.txt" \
        --out "$T/t$n.scores" --seq 32 --batch $n --threads $n --quiet
    same "scores with $n threads" "$T/noisy.scores" "$T/t$n.scores"
done
works "ratio 1" $SLMRUN --scores "$T/noisy.scores" --ratio 1 --out "$T/r1"
works "none" $SLMRUN --select none --seq 32 --out "$T/r0"
same "ratio 1 is plain training" "$T/r1/model.safetensors" "$T/r0/model.safetensors"
works "random" $SLMRUN --select random --seq 32 --out "$T/rnd"
check "random is not plain" sh -c "! cmp -s $T/rnd/model.safetensors $T/r0/model.safetensors"
works "several files" train --data "$T/clean.txt" "$T/noisy.txt" --out "$T/two" $SHAPE --steps 2 \
    --quiet
works "several files, with a comma" train --data "$T/clean.txt,$T/noisy.txt" \
    --out "$T/comma" $SHAPE --steps 2 --quiet
same "several files" "$T/two/model.safetensors" "$T/comma/model.safetensors"

# ---- killed and resumed: the same bytes ----
LONG="train --data $T/noisy.txt --init $T/base --scores $T/noisy.scores --batch 4 --steps 150"
LONG="$LONG --save-every 4 --lr 0.003 --val $T/eval.txt --val-every 10 --quiet"
works "the uninterrupted run" $LONG --out "$T/whole"
pause=$(tail -1 "$T/whole/log.csv" | awk -F, '{ t = $11 / 7; print t < 0.02 ? 0.02 : t }')
kills=0
for round in 1 2 3 4 5 6 7 8; do
    "$SLM" $LONG --out "$T/killed" --resume >/dev/null 2>&1 &
    pid=$!
    sleep "$pause"
    kill -9 $pid 2>/dev/null && kills=$((kills + 1))
    wait $pid 2>/dev/null
    [ $round -eq 3 ] && printf '149,12' >>"$T/killed/log.csv"
    [ $round -eq 4 ] && printf 'garbage' >"$T/killed/state.safetensors.tmp"
done
check "some of the kills hit ($kills)" test $kills -ge 2
works "the last resume" $LONG --out "$T/killed" --resume
same "killed and resumed: the model" "$T/whole/model.safetensors" "$T/killed/model.safetensors"
same "killed and resumed: the state" "$T/whole/state.safetensors" "$T/killed/state.safetensors"
cut -d, -f1-9 "$T/whole/log.csv" >"$T/log1"
cut -d, -f1-9 "$T/killed/log.csv" >"$T/log2"
same "killed and resumed: the log" "$T/log1" "$T/log2"
# With so many steps it is far from done, whatever the machine.
"$SLM" $LONG --steps 1000000 --out "$T/stopped" >"$T/stdout" 2>"$T/stderr" &
pid=$! tries=0
while [ ! -e "$T/stopped/log.csv" ] && [ $tries -lt 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
kill -TERM $pid
wait $pid
code=$?
check "SIGTERM ends with 130, not $code" test $code -eq 130
check "SIGTERM: it says where it stopped" grep -q 'interrupted at step .* --resume goes on' \
    "$T/stderr"
check "SIGTERM: the state is saved" test -s "$T/stopped/state.safetensors"
check "SIGTERM: the model is saved" test -s "$T/stopped/model.safetensors"
fails 3 'its setting is' $LONG --out "$T/stopped" --resume
# ---- more steps than the run was begun with ----
MORE="train --data $T/noisy.txt --dim 8 --layers 1 --heads 1 --seq 16 --batch 2"
check "a run of 20 steps" "$SLM" $MORE --steps 20 --out "$T/more"
works "a run of 60 steps, warmed up as long" $MORE --steps 60 --warmup 2 --out "$T/sixty" --quiet
works "... again" $MORE --steps 20 --out "$T/more2" --quiet
"$SLM" train --resume --out "$T/more" --steps 60 >"$T/stdout" 2>"$T/stderr"
check "20 steps go on to 60" test $? -eq 0
check "... and it is said" grep -q 'was to take 20 steps.* is that of a run of 60' "$T/stderr"
cut -d, -f1,7 "$T/more/log.csv" | tail -n 40 >"$T/lr"
cut -d, -f1,7 "$T/sixty/log.csv" | tail -n 40 >"$T/lr60"
same "... with the rates of a run of 60" "$T/lr" "$T/lr60"
works "in two goes" train --resume --out "$T/more2" --steps 40 --quiet
fails 3 'its setting is steps=40, ours is steps=30' train --resume --out "$T/more2" --steps 30
fails 3 'its setting is warmup=2, ours is warmup=3' train --resume --out "$T/more2" --steps 60 \
    --warmup 3
fails 3 'its setting is lr=0.001, ours is lr=0.002' train --resume --out "$T/more2" --steps 60 \
    --lr 0.002
cp -r "$T/more2" "$T/more3"
works "... to 60" train --resume --out "$T/more2" --steps 60 --save-every 7 --quiet
"$SLM" train --resume --out "$T/more3" --steps 60 --save-every 3 --quiet >/dev/null 2>&1 &
pid=$!
sleep 0.1
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
works "killed while it goes on, and taken up" train --resume --out "$T/more3" --steps 60 --quiet
same "... the same bits" "$T/more2/model.safetensors" "$T/more3/model.safetensors"

rm -rf "$T/stopped"
"$SLM" $LONG --out "$T/stopped" >/dev/null 2>&1 &
pid=$!
sleep "$pause"
kill -TERM $pid 2>/dev/null
wait $pid
works "resume after SIGTERM" $LONG --out "$T/stopped" --resume
same "stopped and resumed" "$T/whole/model.safetensors" "$T/stopped/model.safetensors"
PRESET="train --data $T/noisy.txt --steps 1 --batch 1 --seq 8 --quiet"
works "the default shape" $PRESET --out "$T/no_preset"
works "preset tiny" $PRESET --preset tiny --out "$T/tiny"
same "tiny is the default" "$T/no_preset/model.safetensors" "$T/tiny/model.safetensors"
works "a preset, thinner" $PRESET --preset smollm2-135m --dim 36 --layers 2 --out "$T/thin"
for field in '"hidden_size": 36' '"num_hidden_layers": 2' '"num_attention_heads": 9' \
    '"num_key_value_heads": 3' '"intermediate_size": 1536' '"tie_word_embeddings": true' \
    '"rope_theta": 100000'; do
    check "the preset's $field" grep -q "$field" "$T/thin/config.json"
done
fails 2 'leave out' $PRESET --preset small --init "$T/base" --out "$T/none"
fails 2 'one of tiny' $PRESET --preset huge --out "$T/none"
rm -rf "$T/stopped" "$T/fresh"
"$SLM" $LONG --out "$T/stopped" >/dev/null 2>&1 &
pid=$! tries=0
while [ ! -e "$T/stopped/run.json" ] && [ $tries -lt 200 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
works "resume by the run's own command" train --resume --out "$T/stopped"
same "... to the same bytes" "$T/whole/model.safetensors" "$T/stopped/model.safetensors"
works "the command of a run that is done" train --out "$T/whole" --resume --threads 1 --quiet
check "... is kept" grep -q '"--data", ".*noisy.txt"' "$T/whole/run.json"
fails 3 'lr=0.003' train --out "$T/whole" --resume --lr 0.004
works "a folder to begin in" train --data "$T/noisy.txt" --out "$T/fresh \"q\" <b> Ã¤" \
    --steps 2 --dim 16 --layers 1 --heads 2 --batch 2 --seq 32 --quiet
works "... and its command, name and all" train --resume --out "$T/fresh \"q\" <b> Ã¤"
fails 2 'no run to go on with' train --resume --out "$T/none"
mkdir -p "$T/torn"
printf '{"command": ["train", "--data", "a' >"$T/torn/run.json"
fails 3 'torn/run.json: it does not hold the command' train --resume --out "$T/torn"
printf '{"command": ["train", "--data", "a\\u0000b"]}' >"$T/torn/run.json"
fails 3 'torn/run.json: it does not hold the command' train --resume --out "$T/torn"
works "resume of what is done" $LONG --out "$T/whole" --resume
same "resume of what is done" "$T/whole/model.safetensors" "$T/killed/model.safetensors"
fails 3 'batch' train --data "$T/noisy.txt" --init "$T/base" --scores "$T/noisy.scores" --batch 5 \
    --steps 150 --lr 0.003 --out "$T/whole" --resume
fails 3 'lr=0.003' train --data "$T/noisy.txt" --init "$T/base" --scores "$T/noisy.scores" \
    --batch 4 --steps 150 --lr 0.004 --out "$T/whole" --resume
fails 3 'corpus' train --data "$T/noisy.txt" --out "$T/ref" $SHAPE --steps 40 --lr 0.01 --resume
fails 2 'already holds a run' $LONG --out "$T/whole"
works "force" train --data "$T/noisy.txt" --init "$T/base" --scores "$T/noisy.scores" --batch 4 \
    --steps 24 --lr 0.005 --save-every 7 --out "$T/whole" --force --quiet
same "force begins anew" "$T/whole/model.safetensors" "$T/a/model.safetensors"

# ---- eval ----
works "eval" eval --model "$T/ref" --data "$T/eval.txt" --quiet
has "eval for people" '^perplexity'
works "eval --json" eval --model "$T/ref" --data "$T/eval.txt" --json --quiet
for key in loss perplexity bits_per_byte tokens bytes ci95; do has "eval --json" "\"$key\": "; done
has "eval counts" '"tokens": 699, "bytes": 699, '
check "one number, four ways" awk '{
    gsub(/[{}:,\[\]"]/, " ")
    loss = $2; perplexity = $4; per_byte = $6; tokens = $8; bytes = $10; low = $12; high = $13
    d = per_byte - loss * tokens / bytes / log(2)
    e = log(perplexity) - loss
    exit !(d * d < 1e-18 && e * e < 1e-18 && low < loss && loss < high)
}' "$T/stdout"
cp "$T/stdout" "$T/eval1"
# Against another model: the difference of the two means; itself is no better.
works "eval of the other" eval --model "$T/base" --data "$T/eval.txt" --json --quiet
cp "$T/stdout" "$T/other.json"
works "eval --against" eval --model "$T/ref" --against "$T/base" --data "$T/eval.txt" --json --quiet
number() { sed -n "s/.*\"$1\": \[*\([-0-9.e]*\).*/\1/p" "$2"; }
check "the difference is that of the losses" awk -v a="$(number loss "$T/stdout")" \
    -v b="$(number loss "$T/other.json")" -v difference="$(number difference "$T/stdout")" \
    -v low="$(number difference_ci95 "$T/stdout")" 'BEGIN {
        off = difference - (a - b)
        exit !(difference < 0 && low < difference && off < 1e-6 && off > -1e-6)
    }'
works "eval --against itself" eval --model "$T/ref" --against "$T/ref" --data "$T/eval.txt" --quiet
has "... is even" '^difference     [+]0.000000 to .*ref '
works "eval, other batch and threads" eval --model "$T/ref" --data "$T/eval.txt" --json --quiet \
    --batch 3 --threads 2
same "eval, other batch and threads" "$T/eval1" "$T/stdout"

# ---- score: table, shards, arrays ----
works "score --tsv" score --model "$T/ref" --data "$T/odd.txt" --tsv --quiet
cp "$T/stdout" "$T/odd.tsv"
has "tsv header" '^position	token	text	loss	entropy$'
check "tsv: a line per target, five fields" awk -F'\t' \
    'NR > 1 && (NF != 5 || $1 != NR - 1 || !($4 >= 0)) { bad = 1 } END { exit bad || NR != 20 }' \
    "$T/odd.tsv"
for text in '\\t' '\\\\' '\\n' '\\xC3' '\\xFF'; do has "tsv: $text" "	$text	"; done
works "eval of the same" eval --model "$T/ref" --data "$T/odd.txt" --json --quiet
check "the mean of the table is eval's loss" awk -F'\t' '
    NR == FNR && NR > 1 { sum += $4; n++ }
    NR != FNR {
        split($0, field, /[:,]/)
        d = field[2] - sum / n
        exit !(d * d < 1e-14)
    }' "$T/odd.tsv" "$T/stdout"
for i in 0 1 2; do
    works "shard $i" score --model "$T/ref" --data "$T/noisy.txt" --out "$T/shard$i" --seq 32 \
        --shard $i/3 --quiet
done
works "info of a shard" info "$T/shard1"
has "info of a shard" 'one shard'
works "join" score --join "$T/shard2" "$T/shard0" "$T/shard1" --out "$T/joined" --quiet
same "joined shards" "$T/noisy.scores" "$T/joined"
fails 3 'shard' score --join "$T/shard0" "$T/shard1" --out "$T/none" --quiet
# the first 2 x 10 bytes of the text as an int32 array of shape (2, 10)
bytes=$(head -c 20 "$T/odd.txt" | od -An -v -t u1 | tr -s ' \n' '  ')
{
    awk 'BEGIN { for (i = 0; i < 40; i++) printf "a\\000\\000\\000" }' >"$T/ids"
printf "$(cat "$T/ids")" >"$T/wide.bin"
fails 3 'wide.bin: .* every second one is 0' eval --model "$T/ref" --data "$T/wide.bin"
printf '\223NUMPY\001\000\166\000'
    printf '%-117s\n' "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 10), }"
    for b in $bytes; do printf "\\$(printf '%03o' "$b")\\000\\000\\000"; done
} >"$T/tokens.npy"
works "score --tokens" score --model "$T/ref" --tokens "$T/tokens.npy" --out "$T/arrays" --quiet
for f in loss entropy; do works "info $f.npy" info "$T/arrays/$f.npy"; has "$f.npy" '2, 9'; done
width=$(awk '/^dtype/ { print substr($2, 3, 1) }' "$T/stdout")
od -An -v -t f$width -j 128 "$T/arrays/loss.npy" | tr -s ' \n' '\n\n' | grep . >"$T/array.txt"
check "18 numbers" test "$(wc -l <"$T/array.txt" | tr -d ' ')" = 18
check "the first row is the table's" awk -F'\t' '
    NR == FNR { value[NR] = $1; next }
    FNR > 1 && FNR <= 10 {
        d = value[FNR - 1] - $4
        if (!(d * d < 1e-10)) bad = 1
        n++
    }
    END { exit bad || n != 9 }' "$T/array.txt" "$T/odd.tsv"
head -c 200 "$T/tokens.npy" >"$T/cut.npy"
fails 3 'npy' score --model "$T/ref" --tokens "$T/cut.npy" --out "$T/none"

# ---- tokenizers ----
works "tokenizer train" tokenizer train --data "$T/clean.txt" "$T/noisy.txt" --vocab 300 \
    --out "$T/tok.json" --quiet
for tok in "$T/tok.json" bytes; do
    for f in clean.txt odd.txt; do
        works "tokenize $f" tokenize --tokenizer "$tok" "$T/$f"
        cp "$T/stdout" "$T/ids"
        check "only ids" sh -c "! tr -d '0-9 \n' <$T/ids | grep -q ."
        works "tokenize --decode $f" tokenize --tokenizer "$tok" --decode "$T/ids"
        same "round trip of $f" "$T/$f" "$T/stdout"
    done
done
"$SLM" tokenize --tokenizer "$T/tok.json" - <"$T/odd.txt" |
    "$SLM" tokenize --tokenizer "$T/tok.json" --decode - >"$T/stdout" 2>/dev/null
same "round trip through standard input" "$T/odd.txt" "$T/stdout"
cp "$T/qa.jsonl" "$T/qa.ndjson"
works "tokenize .ndjson" tokenize --tokenizer bytes --fields question,answer "$T/qa.ndjson"
cp "$T/stdout" "$T/ids.ndjson"
works "tokenize .jsonl" tokenize --tokenizer bytes --fields question,answer "$T/qa.jsonl"
cp "$T/stdout" "$T/ids"
works "decode .jsonl" tokenize --tokenizer bytes --decode "$T/ids"
printf 'two and two?\nfour \303\251\n\n3+3\nsix\n\n' >"$T/qa.txt"
same ".jsonl" "$T/qa.txt" "$T/stdout"
same ".ndjson" "$T/ids.ndjson" "$T/ids"
printf '\357\273\277ab' >"$T/mark.txt"
echo 97 98 >"$T/ids"
works "a byte order mark is no token" tokenize --tokenizer bytes "$T/mark.txt"
same "a byte order mark is no token" "$T/ids" "$T/stdout"
"$SLM" tokenize --tokenizer bytes - <"$T/mark.txt" >"$T/stdout"
same "... nor in standard input" "$T/ids" "$T/stdout"
works "... nor in an evaluation" eval --model "$T/ref" --data "$T/mark.txt" --quiet --json
has "... nor in an evaluation" '"bytes": *1,'
printf '\101\000\102\000\012\000' >"$T/ab.u16"
works "eval of a token file" eval --model "$T/ref" --data "$T/ab.u16" --quiet --json
has "its bytes" '"bytes": *2,'
mkdir "$T/gpt2"
sed -n '/^"vocab"/,/^"merges"/p' "$T/tok.json" |
    sed '1s/^"vocab"://; s/},$/,"<|endoftext|>":299}/; /^"merges"/d' \
    >"$T/gpt2/encoder.json"
sed -n '/^"merges"/,$p' "$T/tok.json" | sed '1d; s/^"//; s/".*//' >"$T/gpt2/vocab.bpe"
works "tokenizer import" tokenizer import --from "$T/gpt2" --out "$T/imported.json"
for file in tok imported; do
    "$SLM" info "$T/$file.json" >"$T/$file.info"
done
same "tokenizer import" "$T/tok.info" "$T/imported.info"
echo '<|endoftext|>' >"$T/end.txt"
echo 299 10 >"$T/ids"
works "the end of a text is a token" tokenize --tokenizer "$T/tok.json" "$T/end.txt"
same "the end of a text is a token" "$T/ids" "$T/stdout"
echo 'no merge of these' >"$T/gpt2/vocab.bpe"
fails 3 'gpt2/vocab.bpe: ' tokenizer import --from "$T/gpt2" --out "$T/imported.json"
rm "$T/gpt2/vocab.bpe"
fails 3 'vocab.bpe' tokenizer import --from "$T/gpt2" --out "$T/imported.json"
works "train with it" train --data "$T/clean.txt" --tokenizer "$T/tok.json" --out "$T/bpe" $SHAPE \
    --steps 3 --tied --quiet
works "tokenizer train" tokenizer train --data "$T/noisy.txt" --vocab 300 --out "$T/tok2.json" \
    --quiet
works "train with another" train --data "$T/clean.txt" --tokenizer "$T/tok2.json" \
    --out "$T/bpe2" $SHAPE --steps 3 --quiet
fails 3 'another tokenizer' train --data "$T/clean.txt" --init "$T/bpe" --reference "$T/bpe2" \
    --seq 32 --batch 4 --out "$T/none"
works "its tokenizer is in the folder" eval --model "$T/bpe" --data "$T/eval.txt" --quiet --json
has "bytes of a BPE text" '"bytes": 695, '

# ---- generate, view, info ----
works "generate" generate --model "$T/ref" --prompt "the " -n 20 --temp 0
cp "$T/stdout" "$T/greedy"
check "20 bytes after the prompt" test "$(wc -c <"$T/greedy" | tr -d ' ')" = 24
works "generate again" generate --model "$T/ref" --prompt "the " -n 20 --temp=0 --seed 9
same "greedy is greedy" "$T/greedy" "$T/stdout"
works "generate with a seed" generate --model "$T/ref" --prompt "the " -n 24 --temp 1.2 \
    --top-k 50 --top-p 0.95 --seed 3
cp "$T/stdout" "$T/drawn"
works "generate with the same seed" generate --model "$T/ref" --prompt "the " -n 24 --temp 1.2 \
    --top-k 50 --top-p 0.95 --seed 3
same "same seed, same text" "$T/drawn" "$T/stdout"
# Without --prompt it asks on a terminal, until an empty line; elsewhere it demands --prompt.
fails 2 'prompt S is needed' generate --model "$T/ref" <"$T/clean.txt"
cat >"$T/terminal.py" <<'PYTHON'
import os, pty, subprocess, sys
master, slave = pty.openpty()
program = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=subprocess.PIPE)
os.write(master, b"the \nforce \n\nand never this\n")
sys.stdout.buffer.write(program.communicate(timeout=60)[0])
sys.exit(program.returncode)
PYTHON
if command -v python3 >/dev/null 2>&1; then
    python3 "$T/terminal.py" "$SLM" generate --model "$T/ref" -n 20 --temp 0 >"$T/stdout" \
        2>"$T/stderr"
    check "asking ends with an empty line" test $? -eq 0
    for prompt in "the " "force "; do
        "$SLM" generate --model "$T/ref" --prompt "$prompt" -n 20 --temp 0
    done >"$T/two_prompts"
    same "what is asked for is answered" "$T/stdout" "$T/two_prompts"
    check "it asked three times" test "$(tr '>' '\n' <"$T/stderr" | grep -c '^ ')" = 3
else echo "skipped: generate on a terminal (install python3)"; fi
works "a picture" view --model "$T/base" --ref "$T/ref" --data "$T/noisy.txt" --limit 100 \
    --ratio 0.4 --out "$T/view.svg" --quiet
check "... of 40% of 99 targets" grep -q '>40 of 100 tokens are kept<' "$T/view.svg"
check "... on colour" grep -q '<rect class="k"' "$T/view.svg"
check "... to its end" test "$(tail -n 1 "$T/view.svg")" = '</svg>'
works "view" view --model "$T/base" --ref "$T/ref" --data "$T/noisy.txt" --out "$T/view.html" \
    --limit 200 --quiet
check "view's page" grep -q '</html>' "$T/view.html"
check "view needs no network" sh -c "! grep -Eq 'https?://' $T/view.html"
for what in ref ref/model.safetensors ref/state.safetensors ref/log.csv ref/run.json noisy.scores \
    tok.json tokens.npy; do
    works "info $what" info "$T/$what"; has "info $what" '^kind'
    works "info $what --json" info "$T/$what" --json; has "info $what --json" '^{"kind": ".*}$'
done

# ---- what fails ----
fails 2 'unknown verb .tran., did you mean train?' tran
fails 2 "unknown verb 'elephant' (slm -h" elephant
fails 2 'unknown flag --dat, did you mean --data?' train --dat "$T/clean.txt" --out "$T/none"
fails 2 'unknown flag --oot, did you mean --out?' train --data "$T/clean.txt" --oot "$T/none"
fails 2 'unknown flag -seed, did you mean --seed?' train -seed 1
fails 2 'unknown flag --zzzz (slm train -h' train --zzzz 1
fails 2 'unknown flag -q' eval -q
fails 2 'needs a value' train --data "$T/clean.txt" --out
fails 2 'needs a value' train --data --out "$T/none"
fails 2 'is needed' train --data "$T/clean.txt"
fails 2 'is needed' train --out "$T/none"
fails 2 'whole number' train --data "$T/clean.txt" --out "$T/none" --steps ten
fails 2 'whole number' train --data "$T/clean.txt" --out "$T/none" --steps 0
fails 2 'whole number' train --data "$T/clean.txt" --out "$T/none" --batch 1.5
fails 2 'whole number' train --data "$T/clean.txt" --out "$T/none" --seed -1
fails 2 'whole number' train --data "$T/clean.txt" --out "$T/none" --steps 99999999999999999999
fails 2 'number from' train --data "$T/clean.txt" --out "$T/none" --ratio 1.01
fails 2 'number from' train --data "$T/clean.txt" --out "$T/none" --ratio=0
fails 2 'number from' train --data "$T/clean.txt" --out "$T/none" --lr nan
fails 2 'one of none|excess' train --data "$T/clean.txt" --out "$T/none" --select best
fails 2 'takes no value' train --data "$T/clean.txt" --out "$T/none" --resume=yes
fails 2 '--ratio has no effect' train --data "$T/clean.txt" --out "$T/none" --ratio 0.4
fails 2 '--scope has no effect' train --data "$T/clean.txt" --out "$T/none" --scope sequence
fails 2 '--ratio has no effect' train --data "$T/clean.txt" --out "$T/none" --scores "$T/none" \
    --select none --ratio 0.5
fails 2 '--ratio2 has no effect' train --data "$T/clean.txt" --out "$T/none" --select random \
    --ratio2 0.5
fails 2 'reference losses' train --data "$T/clean.txt" --out "$T/none" --select excess
fails 2 'give one' train --data "$T/clean.txt" --out "$T/none" --steps 3 --epochs 2
fails 2 'give one' train --data "$T/clean.txt" --out "$T/none" --scores "$T/noisy.scores" \
    --reference "$T/ref"
fails 2 'shape' train --data "$T/clean.txt" --out "$T/none" --init "$T/base" --dim 8
fails 2 'is read' train --data "$T/clean.txt" --out "$T/base" --init "$T/base" --force
fails 2 'heads' train --data "$T/clean.txt" --out "$T/none" --dim 16 --heads 3
fails 2 'vocab' train --data "$T/clean.txt" --out "$T/none" --vocab 100
fails 2 'shard' score --model "$T/ref" --data "$T/clean.txt" --out "$T/none" --shard 3/3
fails 2 'shard' score --model "$T/ref" --data "$T/clean.txt" --out "$T/none" --shard 1
fails 2 'out' score --model "$T/ref" --data "$T/clean.txt"
fails 2 'empty' generate --model "$T/ref" --prompt ""
fails 3 'no such folder' eval --model "$T/ref" --against "$T/nowhere" --data "$T/clean.txt"
fails 2 'which file' tokenize --tokenizer bytes
fails 2 'what is' tokenize --tokenizer bytes "$T/clean.txt" "$T/noisy.txt"
fails 2 'no verb' tokenizer learn --data "$T/clean.txt"
fails 3 'missing.txt' train --data "$T/missing.txt" --out "$T/none"
fails 3 'empty.txt' train --data "$T/empty.txt" --out "$T/none"
# not_text NAME BYTES WORDS: a file that begins so is refused, whoever reads it, with what makes it
# one.
not_text() {
    printf "$2" >"$T/$1"
    fails 3 "$1: holds $3" train --data "$T/clean.txt" "$T/$1" --out "$T/none"
    fails 3 "$1: holds $3" score --model "$T/ref" --data "$T/$1" --out "$T/none"
    fails 3 "$1: holds $3" eval --model "$T/ref" --data "$T/$1"
    fails 3 "$1: holds $3" tokenize --tokenizer bytes "$T/$1"
    fails 3 "$1: holds $3" tokenizer train --data "$T/$1" --vocab 300 --out "$T/none.json"
}
not_text c.jsonl.gz '\037\213\010' ".*(gzip).* gzip -dc $T/c.jsonl.gz > $T/c.jsonl\$"
not_text c.jsonl '\037\213\010' ".*(gzip).* gzip -dc $T/c.jsonl > $T/c.new.jsonl\$"
not_text c.zst '\050\265\057\375' '.*(zstd).* zstd -dc '
not_text c.xz '\3757zXZ\000' '.*(xz).* xz -dc '
not_text c.bz2 'BZh61AY&SY' '.*(bzip2).* bzip2 -dc '
not_text c.lz4 '\004\042\115\030' '.*(lz4).* lz4 -dc '
not_text c.zip 'PK\003\004' '.*zip.* unzip -p '
not_text c.parquet 'PAR1\025' ".*Parquet.*pandas.read_parquet(.* $T/c.parquet $T/c.jsonl\$"
not_text c.arrow 'ARROW1\000\000' '.*Arrow.*read_feather'
not_text data.arrow '\377\377\377\377' '.*Arrow stream.*open_stream'
not_text c.h5 '\211HDF\r\n\032\n' '.*HDF5'
not_text c.db 'SQLite format 3\000' '.*SQLite'
not_text c.pdf '%%PDF-1' ".*PDF.* pdftotext $T/c.pdf $T/c.txt"
not_text c16.txt '\377\376a\000' ".*UTF-16.* iconv -f UTF-16 -t UTF-8 $T/c16.txt > $T/c16.new.txt"
not_text c32.txt '\000\000\376\377' '.*UTF-32.* iconv -f UTF-32 '
awk 'BEGIN { for (i = 0; i < 40; i++) printf "a\\000" }' >"$T/ids"
not_text nomark.txt "$(cat "$T/ids")" '.*UTF-16.* iconv -f UTF-16LE '
printf '\223NUMPY\001\000' >"$T/c.npy"
fails 3 'c.npy: holds .*NumPy' tokenize --tokenizer bytes "$T/c.npy"
fails 3 'too small' train --data "$T/short.txt" --out "$T/none" --seq 32 --batch 4
fails 3 'no such folder' train --data "$T/clean.txt" --out "$T/none" --init "$T/nowhere"
fails 3 'no such folder' eval --model "$T/nowhere" --data "$T/clean.txt"
fails 3 'a model is a folder' eval --model "$T/clean.txt" --data "$T/clean.txt"
fails 3 'no field' train --data "$T/qa.jsonl" --out "$T/none"
for file in clean.txt ab.u16; do
    fails 2 'files have records' train --data "$T/$file" --fields text --out "$T/none"
    fails 2 'files have records' score --model "$T/ref" --data "$T/$file" --fields text --tsv
    fails 2 'files have records' eval --model "$T/ref" --data "$T/$file" --fields text
    fails 2 'files have records' view --model "$T/ref" --data "$T/$file" --fields text \
        --out "$T/none"
    fails 2 'files have records' tokenize --tokenizer bytes "$T/$file" --fields text
    fails 2 'files have records' tokenizer train --data "$T/$file" --fields text --vocab 260 \
        --out "$T/none"
done
fails 3 "(gzip)" eval --model "$T/ref" --data "$T/c.jsonl.gz" --fields text
fails 3 "(gzip)" tokenize --tokenizer bytes "$T/c.jsonl.gz" --fields text
works "fields of one of two files" eval --model "$T/ref" --data "$T/clean.txt,$T/qa.jsonl" \
    --fields question --quiet
fails 3 'qa.jsonl' eval --model "$T/ref" --data "$T/qa.jsonl" --fields question,nothing
fails 3 'missing.scores' train --data "$T/clean.txt" --out "$T/none" --scores "$T/missing.scores"
printf x >"$T/one.txt"
fails 3 'one.txt: 1 token, nothing' eval --model "$T/ref" --data "$T/one.txt"
fails 3 'empty.txt: 0 tokens, nothing' eval --model "$T/ref" --data "$T/empty.txt"
fails 3 'noisy.scores: the scores were made for another corpus' train --data "$T/clean.txt" \
    --out "$T/none" --scores "$T/noisy.scores" $SHAPE
fails 3 'windows of 32' train --data "$T/noisy.txt" --out "$T/none" --scores "$T/noisy.scores" \
    --seq 16 --dim 16
fails 3 'another tokenizer' train --data "$T/noisy.txt" --out "$T/none" \
    --scores "$T/noisy.scores" --tokenizer "$T/tok.json" --dim 16
fails 3 'not a safetensors file' train --data "$T/clean.txt" --out "$T/none" \
    --scores "$T/clean.txt" --dim 16
fails 3 'not a score file' train --data "$T/clean.txt" --out "$T/none" \
    --scores "$T/ref/model.safetensors" --dim 16
head -c 3000 "$T/noisy.scores" >"$T/cut.scores"
fails 3 'bytes' train --data "$T/noisy.txt" --out "$T/none" --scores "$T/cut.scores" --dim 16
fails 3 'noisy.scores' score --model "$T/base" --data "$T/noisy.txt" --out "$T/noisy.scores" \
    --seq 32
fails 3 'tok.json\|tokens' train --data "$T/clean.txt" --out "$T/none" --init "$T/base" \
    --tokenizer "$T/tok.json"
cp -r "$T/ref" "$T/broken"; head -c 500 "$T/ref/model.safetensors" >"$T/broken/model.safetensors"
fails 3 'model.safetensors' eval --model "$T/broken" --data "$T/clean.txt"
fails 3 'model.safetensors' generate --model "$T/broken" --prompt x
fails 3 'model.safetensors' score --model "$T/broken" --data "$T/clean.txt" --out "$T/none"
fails 3 'model.safetensors' view --model "$T/broken" --data "$T/clean.txt" --out "$T/none.html"
fails 3 'model.safetensors' info "$T/broken"
fails 3 'config.json' info "$T"
fails 3 'cannot open' info "$T/missing"
fails 3 'clean.txt' info "$T/clean.txt"
fails 3 'whole number' tokenize --tokenizer bytes --decode "$T/clean.txt"
printf '1 2 300\n' >"$T/ids"
fails 3 'vocabulary' tokenize --tokenizer bytes --decode "$T/ids"
fails 3 'clean.txt.*JSON' tokenize --tokenizer "$T/clean.txt" "$T/clean.txt"
fails 3 'missing' tokenizer train --data "$T/missing" --vocab 300 --out "$T/none.json"
fails 3 'no text' tokenizer train --data "$T/empty.txt" --vocab 300 --out "$T/none.json"
fails 2 'whole number' tokenizer train --data "$T/clean.txt" --vocab 255 --out "$T/none.json"
fails 1 'cannot' tokenizer train --data "$T/clean.txt" --vocab 260 --out "$T/nowhere/none.json" \
    --quiet
fails 1 'cannot' view --model "$T/ref" --data "$T/clean.txt" --out "$T/nowhere/none.html" \
    --limit 20 --quiet
fails 1 'cannot' score --model "$T/ref" --data "$T/clean.txt" --out "$T/nowhere/none" --quiet
fails 1 'cannot make the folder' train --data "$T/clean.txt" --out "$T/clean.txt/none" $SHAPE \
    --steps 1 --quiet
"$SLM" train --data "$T/clean.txt" --out "$T/none" --dim 65536 --layers 1000 --heads 4096 \
    --ffn 1048576 >"$T/stdout" 2>"$T/stderr"
code=$?
check "too large a model: exit 4, not $code" test $code -eq 4
check "too large a model: said so" grep -q 'out of memory' "$T/stderr"
FULL="train --data $T/noisy.txt --init $T/base --seq 32 --batch 4 --steps 2 --out $T/full --quiet"
(ulimit -f 40 && "$SLM" $FULL >"$T/stdout" 2>"$T/stderr")
code=$?
check "a checkpoint that cannot be written: exit 1, not $code" test $code -eq 1
check "... said so" grep -q 'cannot write' "$T/stderr"
check "... in one line" test "$(wc -l <"$T/stderr" | tr -d ' ')" = 1
for left in state.safetensors state.safetensors.tmp; do
    check "... no half of $left is left" test ! -e "$T/full/$left"
done
works "... and the run can go on" $FULL --resume
if [ -w /dev/full ]; then
    "$SLM" tokenize --tokenizer bytes "$T/clean.txt" >/dev/full 2>"$T/stderr"
    code=$?
    check "a full disk under stdout: exit 1, not $code" test $code -eq 1
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
