#!/bin/sh
# `make check`: what is too slow, or asks for too much to be installed, for `make test`.  Sanitizers, other compilers, standards and
# platforms, valgrind, fuzzing, static analysis, a browser, and PyTorch as the judge.  What is not installed is named as skipped.
#
#     sh tests/check.sh               everything, two jobs at a time
#     sh tests/check.sh WORD...       only the jobs whose name holds one of the words      (-l: lists them)
#
# Each job is this script again with --job NAME; it works in a folder of its own and prints `ok ...`, `FAIL ...` or `skipped: ...`.
cd "$(dirname "$0")/.." || exit 1
root=$PWD dir=build/tmp/check
export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2 LC_ALL=C
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Wcast-align -Wvla -Werror"

has() { command -v "$1" >/dev/null 2>&1; }
skip() { echo "skipped: $1 (install $2)"; }
compiles() { echo 'int main(void) { return 0; }' >$dir/probe.c; "$@" $dir/probe.c -o $dir/probe$$ >/dev/null 2>&1; }
tests() { for t in tests/unit/*.c; do basename "$t" .c; done; }
targets() { sed -n 's/^static void fuzz_\([a-z0-9_]*\)(void).*/\1/p' tests/fuzz/fuzz.c 2>/dev/null; }

# ---- the list of jobs ----
cat_jobs() {
    for cc in gcc clang; do
        has $cc || { skip "$cc" "$cc"; continue; }
        for what in c99-O2 c99-O3-double c17-O2-noomp gnu99-O1 c++20-O2; do echo "warnings:$cc:$what"; done
        if compiles $cc -fsanitize=address,undefined; then for t in $(tests); do echo "sanitizers:$cc:$t"; done
        else skip "ASan and UBSan with $cc" "libclang-rt-14-dev"; fi
    done
    if compiles clang -fsanitize=memory; then for t in selection json files tokenizer scorefile; do [ -f tests/unit/$t.c ] && echo "memory:clang:$t"; done
    else skip "MemorySanitizer" "clang libclang-rt-14-dev"; fi
    echo bits:float; echo bits:double
    [ "$(uname -m)" = x86_64 ] && for cc in gcc clang; do has $cc && echo "registers:$cc"; done
    if has clang && compiles clang -fopenmp -fsanitize=thread && archer >/dev/null; then echo "threads:clang:dropin"; else skip "ThreadSanitizer" "clang libomp-dev libclang-rt-14-dev"; fi
    if compiles gcc -m32; then platform m32; else skip "32-bit x86" "gcc-12-multilib"; fi
    if has tcc; then platform tcc; else skip "tcc" "tcc"; fi
    if has musl-gcc; then platform musl; else skip "musl" "musl-tools"; fi
    if has aarch64-linux-gnu-gcc && has qemu-aarch64; then platform aarch64; else skip "aarch64" "gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"; fi
    if has s390x-linux-gnu-gcc && has qemu-s390x; then platform s390x; else skip "s390x, big-endian" "gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user"; fi
    if has x86_64-w64-mingw32-gcc-posix && find_wine >/dev/null; then platform windows; else skip "Windows" "gcc-mingw-w64-x86-64-posix wine64"; fi
    if has valgrind; then echo valgrind:selection; echo valgrind:dropin; else skip valgrind valgrind; fi
    if [ -z "$(targets)" ]; then echo "skipped: fuzzing (there is no tests/fuzz/fuzz.c)"
    elif has clang && echo 'int LLVMFuzzerTestOneInput(const unsigned char *p, unsigned long n) { return p == 0 && n == 1; }' >$dir/probe.c &&
         clang -fsanitize=fuzzer,address,undefined $dir/probe.c -o $dir/probe_fuzz 2>/dev/null; then for t in $(targets); do echo "fuzz:$t"; done
    else skip fuzzing "clang libclang-rt-14-dev"; fi
    if has cppcheck; then echo static:cppcheck; else skip cppcheck cppcheck; fi
    if has clang-tidy; then echo static:clang-tidy; else skip clang-tidy clang-tidy; fi
    if [ ! -f tests/browser/check.mjs ]; then echo "skipped: the browser (there is no tests/browser/check.mjs)"
    elif has node && has chromedriver && { has chromium || has chromium-browser || has google-chrome; }; then echo browser
    else skip "the browser" "nodejs chromium chromium-driver"; fi
    if [ ! -f ../shared/oracle/make_golden.py ]; then echo "skipped: PyTorch (there is no ../shared/oracle/make_golden.py)"
    elif /usr/bin/python3 -c 'import torch' 2>/dev/null; then
        for s in defaults tied kv_heads kv_one odd theta f16 bf16 ratio_05 ratio_30 ratio_60 ratio_100; do echo "pytorch:$s"; done
    else skip PyTorch python3-torch; fi
}
platform() { for t in selection gradients dropin $([ $1 = s390x ] && echo json files scorefile); do [ -f tests/$t.c ] && echo "platform:$1:$t"; done; }
find_wine() { for w in wine64 /usr/lib/wine/wine64 wine; do has $w && echo $w && return; done; return 1; }
archer() { for a in /usr/lib/llvm-*/lib/libarcher.so; do [ -f "$a" ] && echo "$a" && return; done; return 1; }

# ---- how a job says what came of it ----
# run NAME SECONDS COMMAND...: must end well in time.  In a folder with slm.h, tests, tools and build, beside a ../shared.
place() {
    rm -rf "$dir/$1"
    mkdir -p "$dir/$1/here/build/tmp" || exit 1
    ln -s "$root/slm.h" "$root/tests" "$root/tools" "$dir/$1/here/"
    [ -d ../shared ] && ln -s "$root/../shared" "$dir/$1/shared"
    log=$root/$dir/$1/log
}
run() {
    name=$1 limit=$2; shift 2
    (cd "$dir/$job/here" && timeout -k 5 "$limit" "$@") >>"$log" 2>&1
    code=$?
    if [ $code -eq 0 ]; then echo "ok $name"; return 0; fi
    [ $code -eq 124 ] && why="longer than $limit s" || why=$(grep -E -m 1 'ERROR:|SUMMARY|error:|FAIL|WARNING: Thread|undefined reference' "$log" || tail -n 1 "$log")
    echo "FAIL $name (exit $code): $why"
    return 1
}
must() { "$@" >>"$log" 2>&1 || { echo "FAIL $job: $(grep -E -m 1 'error:|undefined reference' "$log" || tail -n 1 "$log")"; exit 1; }; }
exe() { case $1 in dropin) echo "$out folder" ;; *) echo "$out" ;; esac; }

the_job() {
    rest=${1#*:} kind=${1%%:*}
    first=${rest%%:*} second=${rest#*:}
    out=$root/$dir/$job/program
    case $kind in
    warnings)                                        # at the levels where the compiler looks deepest
        flags=$(echo "$second" | tr - ' ' | sed 's/ O/ -O/; s/ double/ -DSLM_REAL=double/; s/ noomp//')
        case $second in *noomp* | *double*) ;; *) compiles $first -fopenmp && flags="$flags -fopenmp" ;; esac
        case $second in c++*) cxx=$(echo $first | sed 's/gcc/g++/; s/clang/clang++/'); has $cxx || { skip $cxx $cxx; return; }; first="$cxx -x c++" ;; esac
        run "$1" 120 $first -std=$flags $warnings -I. tests/system/dropin.c -o $out -lm ;;
    sanitizers)
        openmp=; compiles $first -fopenmp -fsanitize=address && openmp=-fopenmp
        must $first -std=c99 -g -O1 $openmp -fsanitize=address,undefined -fno-sanitize-recover=all -I. -Itools -Itools/common -Itools/slm -Itools/report -Itools/lab -Itools/repro -Itools/bench -Itests/support tests/unit/$second.c -o $out -lm
        echo leak:libomp >$dir/$job/own_leaks        # LLVM's OpenMP keeps some memory of its own
        run "$1" 400 env LSAN_OPTIONS=print_suppressions=0:suppressions=$root/$dir/$job/own_leaks $out ;;
    memory)
        must clang -std=c99 -g -O1 -fsanitize=memory -fno-sanitize-recover=all -I. -Itools -Itools/common -Itools/slm -Itools/report -Itools/lab -Itools/repro -Itools/bench -Itests/support tests/unit/$second.c -o $out -lm
        run "$1" 300 $(exe $second) ;;
    bits) bits $first ;;
    registers) registers $first ;;
    threads)
        must clang -std=c99 -g -O1 -fopenmp -fsanitize=thread -DWORK=3 -I. tests/system/dropin.c -o $out -lm
        run "$1" 120 env OMP_NUM_THREADS=4 OMP_TOOL_LIBRARIES="$(archer)" TSAN_OPTIONS=ignore_noninstrumented_modules=1 $out folder ;;
    platform) on_platform $first $second ;;
    valgrind)
        must ${CC:-cc} -std=c99 -g -O1 -I. -Itools -Itools/common -Itools/slm -Itools/report -Itools/lab -Itools/repro -Itools/bench -Itests/support tests/unit/$first.c -o $out -lm
        run "$1" 200 valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite $(exe $first) ;;
    fuzz)
        must ${CC:-cc} -g -O1 -DTARGET=$first -DREPLAY -I. -Itools -Itools/common -Itools/slm -Itools/report -Itools/lab -Itools/repro -Itools/bench -Itests/support tests/fuzz/fuzz.c -lm -o $out.replay
        mkdir -p $dir/$job/corpus
        (cd $dir/$job && ./program.replay --seeds corpus) >>"$log" 2>&1
        must clang -g -O1 -DTARGET=$first -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. -Itools -Itools/common -Itools/slm -Itools/report -Itools/lab -Itools/repro -Itools/bench -Itests/support tests/fuzz/fuzz.c -lm -o $out
        run "$1" 100 $out -max_total_time=10 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 ../corpus ;;
    static) static_$(echo $first | tr - _) ;;
    browser) run browser 240 node tests/browser/check.mjs $root/build/browser ;;
    pytorch) pytorch $first ;;
    esac
}
# One machine, several compilers and dialects: the same hash of what was trained.
bits() {                                             # REAL
    expected=
    for how in "${CC:-cc} -std=c99 -O1" "${CC:-cc} -std=gnu11 -O2 -march=native" "${CC:-cc} -std=c99 -O3 -fopenmp" "clang -std=c99 -O2 -fopenmp" \
               "clang -std=gnu11 -O3 -march=native" "g++ -x c++ -std=c++17 -O2 -fopenmp"; do
        has ${how%% *} && compiles $how || continue
        must $how -DSLM_REAL=$1 -DWORK=4 -I. tests/system/dropin.c -o $out -lm
        for threads in 1 2 3 7; do
            got=$(cd $dir/$job/here && OMP_NUM_THREADS=$threads $out folder)
            [ -n "$expected" ] || expected=$got
            case $got in
            "$expected") echo "ok bits: $1, $how, $threads threads" ;;
            *) echo "FAIL bits: $1, $how, $threads threads: '$got', not '$expected' as from ${CC:-cc} -std=c99 -O1" ;;
            esac
            case $how in *-fopenmp*) ;; *) break ;; esac
        done
    done
}
on_platform() {                                      # PLATFORM TEST
    runner= c="-std=c99 -O1 -fopenmp" link=-lm
    case $1 in
    m32) cc="gcc -m32 -msse2 -mfpmath=sse -idirafter /usr/include/$(gcc -print-multiarch)" ;;
    tcc) cc=tcc c=-std=c99 ;;
    musl) cc=musl-gcc c="-std=c99 -O1 -static" ;;
    aarch64) cc=aarch64-linux-gnu-gcc runner="qemu-aarch64 -L /usr/aarch64-linux-gnu" ;;
    s390x) cc=s390x-linux-gnu-gcc runner="qemu-s390x -L /usr/s390x-linux-gnu" c="-std=c99 -fexcess-precision=fast -ffp-contract=off -O1 -fopenmp" ;;
    windows) cc=x86_64-w64-mingw32-gcc-posix c="-std=c99 -O1 -fopenmp -static" out=$out.exe runner=$(find_wine); export WINEDEBUG=-all ;;
    esac
    compiles $cc $c || c="-std=c99 -O1"              # without OpenMP's library
    must $cc $c -I. -Itools -Itools/common -Itools/slm -Itools/report -Itools/lab -Itools/repro -Itools/bench -Itests/support tests/unit/$2.c -o $out $link
    run "platform:$1:$2" 400 $runner $(exe $2) || return
    [ $2 = dropin ] || return
    expected=$(grep '^ok ' "$log" | tail -n 1)       # any number of threads: the same bits
    for threads in 1 3; do
        got=$(cd $dir/$job/here && OMP_NUM_THREADS=$threads $runner $out folder | tr -d '\r')
        [ "$got" = "$(echo "$expected" | tr -d '\r')" ] && echo "ok platform:$1: $threads threads" || echo "FAIL platform:$1: $threads threads: '$got', not '$expected'"
    done
}
# The tile of a product is fast while its sums are in registers: no multiply-add of slm__tile reads one from the stack.  And every
# other kernel is vector code: some of its arithmetic is of whole registers (a branch in a loop can make it ten times slower).
# With and without OpenMP: the loops are marked differently.  gcc also at -O2, where it makes fewer loops vector code by itself.
registers() {                                        # COMPILER
    ways=$([ $1 = clang ] && echo -O2 -O2,-fopenmp || echo -O2 -O3 -O3,-fopenmp)
    compiles $1 -fopenmp || ways=$(echo $ways | sed 's/ [^ ]*-fopenmp//')
    for way in $ways; do
        how="$1 $(echo $way | tr , ' ')"
        must $how -std=c99 -w -I. -Itools -Itools/common -Itools/slm -Itools/report -Itools/lab -Itools/repro -Itools/bench -Itests/support -S tools/bench/bench.c -o $out.s
        for variant in avx512 avx2; do
            awk "/^slm__tile_$variant[.:]/ { inside = 1 } inside && /vfmadd/ { n++; if (/%[re][sb]p/) stack++ }
                 /\.size[ \t]+slm__tile_$variant/ { inside = 0 } END { exit !(n >= 16 && !stack) }" $out.s
            if [ $? -eq 0 ]; then echo "ok registers: $how, $variant"; else echo "FAIL registers: $how, $variant: sums of the tile are on the stack"; fi
            [ $variant = avx512 ] && wide=zmm || wide=ymm
            for kernel in dot dots blend axpy scale max exp_shift exp_moments rms_scale rms_backward swiglu swiglu_backward rotate adamw_span softmax_backward; do
                if awk "/^slm__${kernel}_$variant[.:]/ { inside = found = 1 } inside && /\tv(f|mul|add|sub|div|max|min)[a-z0-9]*ps.*%$wide/ { n++ }
                        /\.size[ \t]+slm__${kernel}_$variant/ { inside = 0 } END { exit found && !n }" $out.s
                then echo "ok vector code: $how, $kernel, $variant"; else echo "FAIL vector code: $how: $kernel has none for $variant"; fi
            done
        done
    done
}
static_cppcheck() {                                  # without what it cannot follow; MSan, valgrind and -O3 -Wall look for the uninitialized
    printf '#define SLM_IMPLEMENTATION\n#include "slm.h"\n' >$dir/$job/one.c
    for macros in "-D__GNUC__=12 -D__x86_64__=1 -D_OPENMP=201511" "-D__GNUC__=12 -DSLM_NO_FILES" "-DSLM_REAL=double"; do
        run "static:cppcheck $macros" 200 cppcheck -q --std=c99 --enable=warning,portability --inline-suppr --error-exitcode=3 -I. $macros \
            --suppress=missingIncludeSystem --suppress=uninitvar --suppress=ctuuninitvar --suppress=pointerSize $root/$dir/$job/one.c
    done
}
static_clang_tidy() {
    printf '#define SLM_IMPLEMENTATION\n#include "slm.h"\n' >$dir/$job/one.c
    run static:clang-tidy 400 clang-tidy --quiet --header-filter='.*slm\.h' --warnings-as-errors='*' \
        --checks='-*,clang-analyzer-*,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,bugprone-*,-bugprone-not-null-terminated-result,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-bugprone-macro-parentheses,-bugprone-branch-clone,-bugprone-implicit-widening-of-multiplication-result,-bugprone-narrowing-conversions,-bugprone-suspicious-include,-bugprone-assignment-in-if-condition' \
        $root/$dir/$job/one.c -- -std=c99 -I$root
}
pytorch() {                                          # SETTING: build/audit, float and double, against PyTorch in float64
    case $1 in
    defaults) flags= ;;
    tied) flags="--tied 1" ;;
    kv_heads) flags="--kv 4" ;;
    kv_one) flags="--kv 1" ;;
    odd) flags="--vocab 97 --dim 36 --heads 3 --kv 3 --ffn 50 --seq 19" ;;
    theta) flags="--theta 500000" ;;
    f16) flags="--dtype F16" ;;
    bf16) flags="--dtype BF16" ;;
    ratio_*) flags="--ratio $(echo $1 | sed 's/ratio_\(..\)$/0.\1/; s/ratio_100/1/') --seed 5 --batch 3" ;;
    esac
    must env OMP_NUM_THREADS=1 /usr/bin/python3 ../shared/oracle/make_golden.py $dir/$job/golden $flags
    for real in float double; do
        [ -x $dir/audit_$real ] || must false
        run "pytorch:$1, $real" 60 $root/$dir/audit_$real ../golden
    done
}

# ---- one job, or all ----
if [ "$1" = --job ]; then
    job=$(echo "$2" | tr ':+' '__')
    place "$job"
    the_job "$2"
    exit 0
fi
[ "$1" = -l ] && dir=$(mktemp -d) && { cat_jobs; rm -rf $dir; exit; }       # a check that runs is left alone
rm -rf $dir && mkdir -p $dir || exit 1
cat_jobs >$dir/jobs
wanted() { [ $# -eq 1 ] && return; line=$1; shift; for word in "$@"; do case $line in *$word*) return ;; esac; done; return 1; }
grep '^skipped' $dir/jobs >$dir/results
grep -v '^skipped' $dir/jobs | while read -r line; do wanted "$line" "$@" && echo "$line"; done >$dir/chosen
cat $dir/results
if grep -q '^pytorch' $dir/chosen; then              # once for all of them
    for real in float double; do ${CC:-cc} -std=c99 -O2 -DSLM_REAL=$real -I. -Itools -Itools/common -Itools/slm -Itools/report -Itools/lab -Itools/repro -Itools/bench -Itests/support tools/audit/audit.c -o $dir/audit_$real -lm 2>>$dir/audit.log; done
fi
start=$(date +%s)
xargs -P 2 -I NAME sh tests/check.sh --job NAME <$dir/chosen | tee -a $dir/results
passed=$(grep -c '^ok ' $dir/results) failed=$(grep -c '^FAIL' $dir/results) skipped=$(grep -c '^skipped' $dir/results)
echo "$(($(date +%s) - start)) seconds"
[ $failed -eq 0 ] || { echo "failed:"; grep '^FAIL' $dir/results; }
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
