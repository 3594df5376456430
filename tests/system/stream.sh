#!/bin/sh
# Scoring a model that is read layer by layer: the same score file as from memory, also when it was
# killed or cut into shards; the memory grows with a layer, not with the number of layers; --stream
# where it has no effect is refused.
cd "$(dirname "$0")/../.." || exit 1
SLM=$PWD/build/slm T=$PWD/build/tmp/stream_sh
. tests/support/checks.sh
make -s build/random_model || exit 1
many=80
[ -n "$SANITIZED" ] && many=                           # whose memory tells nothing
for layers in $many 10; do
    build/random_model narrow-70b $T/m$layers --layers $layers --shard-mb 30 || exit 1
done
awk 'BEGIN { for (i = 0; i < 400; i++) printf "word %d and ", i * i % 1009 }' >$T/long.txt
head -c 700 $T/long.txt >$T/short.txt

score() { # score LAYERS TEXT OUT FLAGS...
    folder=$T/m$1 text=$T/$2.txt out=$T/$3
    shift 3
    "$SLM" score --model $folder --tokenizer bytes --data $text --out $out --seq 70 --quiet "$@"
}

check "from memory" score 10 long memory --stream 0
check "streamed" score 10 long streamed --stream 1
same "streamed and from memory" $T/memory $T/streamed
check "by its size, which is small" score 10 long default
same "by its size" $T/memory $T/default
check "one thread" score 10 long thread --stream 1 --threads 1
same "one thread" $T/memory $T/thread

# shards, one of them from memory
for i in 0 1 2; do
    check "shard $i" score 10 long shard$i --shard $i/3 --stream $((i % 2))
done
check "join" "$SLM" score --join $T/shard0 $T/shard1 $T/shard2 --out $T/joined
same "shards" $T/memory $T/joined

# killed, with what was done before it: some windows, from memory
"$SLM" score --model $T/m10 --tokenizer bytes --data $T/long.txt --out $T/killed --seq 70 \
    --quiet --stream 0 --save-every 0 --batch 1 >/dev/null 2>&1 &
pid=$!
tries=0
while [ ! -s $T/killed.part ] && [ $tries -lt 600 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
if [ -s $T/killed.part ]; then ok; else echo "skipped: it was done before it was killed"; fi
check "taken up" score 10 long killed --stream 1
same "killed and taken up" $T/memory $T/killed

# what cannot be
refused() {
    what=$1
    shift
    "$SLM" score "$@" >/dev/null 2>$T/message
    code=$?
    if [ $code -eq 2 ]; then ok; else bad "$what: exit $code: $(cat $T/message)"; fi
}
refused "an array" --model $T/m10 --tokens $T/no.npy --out $T/arrays --stream 1
refused "saves by time" --model $T/m10 --data $T/long.txt --out $T/two --stream 1 --save-every 5
refused "--stream 2" --model $T/m10 --data $T/long.txt --out $T/two --stream 2

# The peak of memory, in kB.  Eight times the layers are 240 MB more from memory.
time=/usr/bin/time
peak() { # peak LAYERS STREAM
    "$time" -f %M -o $T/peak "$SLM" score --model $T/m$1 --tokenizer bytes --data $T/short.txt \
        --tsv --seq 70 --quiet --stream $2 --threads 2 >$T/tsv$1.$2 && tail -n 1 $T/peak
}
if [ -n "$SANITIZED" ]; then
    echo "skipped: peak memory (sanitizers have their own)"
elif "$time" -f %M -o $T/peak true 2>/dev/null; then
    shallow=$(peak 10 1)
    deep=$(peak 80 1)
    held=$(peak 80 0)
    same "80 layers, streamed and from memory" $T/tsv80.0 $T/tsv80.1
    if [ "$deep" -lt $((shallow + 10000)) ]; then ok; else
        bad "peak of 80 layers: $deep kB, of 10: $shallow kB"
    fi
    if [ "$held" -gt $((deep + 200000)) ]; then ok; else
        bad "peak of 80 layers from memory: $held kB, streamed: $deep kB"
    fi
else
    echo "skipped: peak memory ($time is not there)"
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
