#!/bin/sh
# make bench: the README's table of speeds, one line per measurement.  make bench-peers: the same products beside OpenBLAS and the
# same steps beside PyTorch, turn by turn: BLAS names the library, PEERS a script that takes the flags of `bench step` and prints
# ms=... by /usr/bin/python3's PyTorch.  What is not installed is named.
b=build/bench
BLAS=${BLAS:-libopenblas.so.0}
PEERS=${PEERS:-../shared/peers/bench_torch.py}
# Its own choice is slow on processors that it does not know; SkylakeX's kernels crash where there is no AVX-512.
grep -qw avx512vl /proc/cpuinfo 2> /dev/null && core=SkylakeX || core=Haswell
export OPENBLAS_CORETYPE="${OPENBLAS_CORETYPE:-$core}"
small="--vocab 4096 --dim 256 --layers 6 --heads 8 --kv-heads 8 --ffn 704 --batch 8 --seq 256"
wide="--vocab 32000 --dim 512 --layers 8 --heads 8 --kv-heads 4 --ffn 1408 --batch 8 --seq 256"
tall="--vocab 32000 --dim 288 --layers 6 --heads 6 --kv-heads 6 --ffn 768 --batch 8 --seq 256"
long="--vocab 4096 --dim 256 --layers 6 --heads 8 --kv-heads 8 --ffn 704 --batch 1 --seq 2048"
smollm="--vocab 49152 --dim 576 --layers 30 --heads 9 --kv-heads 3 --ffn 1536 --batch 2 --seq 512"

gemms() {       # flags...: the products of training, those of a few rows, then the geometric means of both
    for threads in 1 2; do
        for op in nn nt tn; do
            for mnk in "2048 256 256" "2048 704 256" "2048 256 704" "2048 512 512" "2048 1408 512" "2048 512 1408" "2048 4096 256" "1021 509 253"; do
                set -- $mnk "$@"
                $b gemm --m $1 --n $2 --k $3 --op $op --threads $threads $blas
                shift 3
            done
        done
        for m in 1 2 3 4 5 6 7 8; do $b gemm --m $m --n 1408 --k 512 --op nt --threads $threads $blas; done
        $b gemm --m 2048 --n 32000 --k 512 --op nt --threads $threads $blas
        $b gemm --m 2048 --n 512 --k 32000 --op nn --threads $threads $blas
        $b gemm --m 32000 --n 512 --k 2048 --op tn --threads $threads $blas
    done | awk '{ print; delete v; for (i = 2; i <= NF; i++) { split($i, f, "="); v[f[1]] = f[2] }
                  t = (v["m"] < 9 ? "gemm-mean-few-rows " : "gemm-mean ") "threads=" v["threads"]; n[t]++; sum[t] += log(v["gflops"]); if (v["ratio"] != "") ratio[t] += log(v["ratio"]) }
        END { for (t in n) printf "%s gflops=%.1f%s\n", t, exp(sum[t] / n[t]), t in ratio ? sprintf(" blas_ratio=%.3f", exp(ratio[t] / n[t])) : "" }'
}

$b peak --threads 1
$b peak
if [ "$1" = peers ]; then
    if $b gemm --m 8 --n 8 --k 8 --blas "$BLAS" > /dev/null 2>&1; then blas="--blas $BLAS"; gemms
    else echo "skipped: OpenBLAS (install libopenblas-dev, or set BLAS)" >&2; fi
    if [ ! -f "$PEERS" ] || ! /usr/bin/python3 -c 'import torch' 2> /dev/null; then echo "skipped: PyTorch (install python3-torch, set PEERS)" >&2; exit 0; fi
    for shape in "$small" "$wide"; do
        echo "# $shape"
        for turn in 1 2 3; do
            $b step $shape --steps 3
            /usr/bin/python3 "$PEERS" $shape --threads "$(nproc)" --steps 2
        done
        $b step $shape --steps 3 --recompute 1
    done
    exit 0
fi
blas=
gemms
for shape in "$small" "$wide" "$tall"; do
    echo "# $shape"
    for ratio in 1 0.6; do $b step $shape --ratio $ratio; done
    $b saving $shape --steps 15
    $b score $shape
done
$b step $wide --recompute 1 --steps 3
echo "# one thread, then without entropy, then long sequences, then the profile"
$b step $small --threads 1
$b score $small --entropy 0
$b step $long
$b step $small --profile 1
echo "# $smollm --tied 1"
$b step $smollm --tied 1 --steps 3
$b select --n 1048576
$b generate --vocab 32000 --dim 288 --layers 6 --heads 6 --ffn 768
$b generate --vocab 49152 --dim 576 --layers 30 --heads 9 --kv-heads 3 --ffn 1536 --tied 1 --n 32
