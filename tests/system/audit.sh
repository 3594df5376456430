#!/bin/sh
# build/audit, in float and in double, agrees with what PyTorch computed from the checkpoints in
# tests/data/golden_*; and it does not agree once any of the numbers there is another.  The folders
# were made by the oracle, make_golden.py FOLDER, with these flags:
#     golden_small --vocab 23 --dim 8 --layers 2 --heads 2 --kv 1 --ffn 14 --seq 12
#     golden_tied  --vocab 29 --dim 8 --layers 2 --heads 2 --kv 2 --ffn 12 --seq 10 --tied 1
#                  --ratio 0.3 --seed 1
#     golden_kv1   --vocab 19 --dim 12 --layers 1 --heads 3 --kv 1 --ffn 10 --seq 11 --ratio 0.05
#                  --seed 2
#     golden_odd   --vocab 31 --dim 6 --layers 2 --heads 3 --kv 3 --ffn 7 --batch 3 --seq 19
#                  --ratio 1 --seed 3
#     golden_bf16  --vocab 23 --dim 8 --layers 2 --heads 2 --kv 1 --ffn 11 --seq 13
#                  --theta 500000 --dtype BF16 --seed 4
cd "$(dirname "$0")/../.." || exit 1
. tests/support/build.sh
dir=build/tmp/audit
rm -rf $dir && mkdir -p $dir || exit 1
passed=0 failed=0
pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "FAIL $1"; }

if build_test . "$audit_sources" $dir/audit_double -O1 -DSLM_REAL=double 2>$dir/log; then pass
else fail "the audit does not compile in double: $(grep -m 1 error $dir/log)"; fi

# ---- it agrees ----
quantities="logits loss entropy select_batch select_seq grads_clm grads_slm step_slm"
for golden in tests/data/golden_*; do
    for audit in build/audit $dir/audit_double; do
        $audit $golden >$dir/out 2>&1
        code=$?
        if [ $code -eq 0 ]; then pass
        else fail "$audit $golden: exit $code: $(grep -v ' ok$' $dir/out | head -n 3)"; fi
        for name in $quantities; do
            if grep -q "^$name [0-9.e+-]* [0-9.e+-]* [0-9.e-]* ok\$" $dir/out; then pass
            else fail "$audit $golden: $name: $(grep "^$name " $dir/out)"; fi
        done
    done
done

# ---- it can fail: one number of one file is changed, its line says FAIL and the exit is 5 ----
copy() { rm -rf $dir/copy && cp -r tests/data/golden_small $dir/copy && chmod -R u+w $dir/copy; }
size() { wc -c <"$dir/copy/$1" | tr -d ' '; }
byte() { od -A n -t u1 -j "$2" -N 1 "$dir/copy/$1" | tr -d ' '; }

# put FILE OFFSET BYTES.  flip FILE OFFSET: the top bit of one byte.
put() { printf "$3" | dd of="$dir/copy/$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }
flip() { put "$1" "$2" "\\$(printf %03o $((($(byte "$1" "$2") + 128) % 256)))"; }

# wrong LINE WHAT: that line of the audit must be the one that says FAIL.
wrong() {
    for audit in build/audit $dir/audit_double; do
        $audit $dir/copy >$dir/out 2>&1
        code=$?
        if [ $code -eq 5 ] && grep -q "^$1 .* FAIL\$" $dir/out; then pass
        else fail "$audit with a wrong $2: exit $code: $(grep "^$1 " $dir/out)"; fi
    done
}
# Where the numbers of a .npy begin, and two doubles, byte by byte.
data=128 nan='\0\0\0\0\0\0\370\177' one_and_a_half='\0\0\0\0\0\0\370\077'
for name in loss entropy logits; do        # the first number, 1/32 of itself more or less
    copy
    flip $name.npy $((data + 5))
    wrong $name "number in $name.npy"
done
copy
put loss.npy $data "$nan"
wrong loss "number in loss.npy (NaN)"
for name in select_batch select_seq; do
    copy
    put $name.npy $data "\\00$((1 - $(byte $name.npy $data)))"
    wrong $name "choice in $name.npy"
done
for name in grads_clm grads_slm step_slm; do       # the last number becomes 1.5
    copy
    put $name.safetensors $(($(size $name.safetensors) - 8)) "$one_and_a_half"
    wrong $name "number in $name.safetensors"
done
copy
flip model.safetensors $(($(size model.safetensors) - 1))
wrong logits "weight in model.safetensors"

# ---- a damaged folder is bad input, not a disagreement ----
for name in tokens.npy loss.npy model.safetensors config.json summary.json \
    grads_slm.safetensors; do
    copy
    rm $dir/copy/$name
    build/audit $dir/copy >$dir/out 2>&1
    code=$?
    if [ $code -eq 3 ] && [ -s $dir/out ]; then pass
    else fail "build/audit without $name: exit $code"; fi
done
copy
head -c 200 tests/data/golden_small/loss.npy >$dir/copy/loss.npy
build/audit $dir/copy >$dir/out 2>&1
code=$?
if [ $code -eq 3 ]; then pass; else fail "build/audit with half a loss.npy: exit $code"; fi

# summary.json is JSON, and each of its numbers is there once and is one.  refused WHAT WORDS SED
refused() {
    copy
    sed "$3" tests/data/golden_small/summary.json >$dir/copy/summary.json
    build/audit $dir/copy >$dir/out 2>&1
    code=$?
    if [ $code -eq 3 ] && [ "$(wc -l <$dir/out)" -eq 1 ] &&
        grep -q "^audit: $dir/copy/summary.json: .*$2" $dir/out; then pass
    else fail "summary.json, $1: exit $code: $(head -n 1 $dir/out)"; fi
}
refused "cut short" "byte 244: a name" 10q
refused "a word for a number" "ratio: a number" 's/"ratio": .*,/"ratio": "0.6",/'
refused "no number at all" "byte 129: a JSON value" 's/"ratio": .*,/"ratio": abc,/'
refused "a number beyond double" "clip: a number" 's/"clip": .*,/"clip": 1e999,/'
refused "a number that is missing" "beta2: missing" '/beta2/d'
refused "a number that is there twice" "lr: is there twice" 's/"eps"/"lr"/'
refused "no adamw" "adamw: missing" 's/"adamw"/"adam"/'

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
