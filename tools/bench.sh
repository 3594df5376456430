#!/bin/sh
# make bench: the README's table of speeds, one line per measurement.  make bench-peers: beside each step, PyTorch's, from the
# script named by PEERS (it takes the flags of `bench step` and prints ms=...), where /usr/bin/python3 has PyTorch.
b=build/bench
PEERS=${PEERS:-../shared/peers/bench_torch.py}
small="--vocab 4096 --dim 256 --layers 6 --heads 8 --kv-heads 8 --ffn 704 --batch 8 --seq 256"
wide="--vocab 32000 --dim 512 --layers 8 --heads 8 --kv-heads 4 --ffn 1408 --batch 8 --seq 256"
tall="--vocab 32000 --dim 288 --layers 6 --heads 6 --kv-heads 6 --ffn 768 --batch 8 --seq 256"
smollm="--vocab 49152 --dim 576 --layers 30 --heads 9 --kv-heads 3 --ffn 1536 --batch 2 --seq 512"
peers=no
if [ "$1" = peers ]; then
    if [ -f "$PEERS" ] && /usr/bin/python3 -c 'import torch' 2>/dev/null; then peers=yes
    else echo "skipped: PyTorch (install python3-torch, set PEERS)" >&2; fi
fi
step() {
    $b step "$@"
    [ $peers = no ] || [ "$last_ratio" != 1 ] || OPENBLAS_CORETYPE=SkylakeX /usr/bin/python3 "$PEERS" $peer_shape --threads "$(nproc)" --steps 3
}
$b peak --threads 1
$b peak
if [ "$1" != peers ]; then
    for op in nn nt tn; do
        for nk in "256 256" "704 256" "256 704" "512 512" "1408 512" "512 1408" "4096 256" "32000 512"; do
            $b gemm --m 2048 --n "${nk% *}" --k "${nk#* }" --op $op
        done
    done
fi
for shape in "$small" "$wide" "$tall"; do
    peer_shape=$shape
    for last_ratio in 1 0.6; do echo "# $shape --ratio $last_ratio"; step $shape --ratio $last_ratio; done
    $b score $shape
done
last_ratio=0
echo "# $smollm --tied 1"
step $smollm --tied 1 --steps 3
$b select --n 1048576
$b generate --vocab 32000 --dim 288 --layers 6 --heads 6 --ffn 768
$b generate --vocab 49152 --dim 576 --layers 30 --heads 9 --kv-heads 3 --ffn 1536 --tied 1 --n 32
