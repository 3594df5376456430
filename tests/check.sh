#!/bin/sh
# `make check`: what is too slow for `make test`, or asks for too much to be installed.  Sanitizers,
# other compilers, standards and platforms, valgrind, fuzzing, static analysis, a browser, and
# llama.cpp, transformers.js and PyTorch as judges.  What is not installed is named as skipped.
#
#     sh tests/check.sh             everything, two jobs at a time
#     sh tests/check.sh WORD...     only the jobs whose name holds one of the words
#     sh tests/check.sh -l          the names of the jobs
#
# Each job is this script again with --job NAME; it works in a folder of its own and prints lines
# that begin with `ok`, `FAIL` or `skipped:`.
cd "$(dirname "$0")/.." || exit 1
. tests/support/build.sh
root=$PWD dir=build/tmp/check
export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2 LC_ALL=C
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Wcast-align -Wvla -Werror"
oracle=../shared/oracle/make_golden.py
python=/usr/bin/python3
readers="json safetensors config folders runs scores tokenizer gguf" # unit tests of hostile bytes

has() { command -v "$1" >/dev/null 2>&1; }
has_one_of() {
    for program in "$@"; do has "$program" && return; done
    return 1
}
skip() { echo "skipped: $1 (install $2)"; }
compiles() {
    echo 'int main(void) { return 0; }' >$dir/probe.c
    "$@" $dir/probe.c -o $dir/probe$$ >/dev/null 2>&1
}
fuzzes() {
    printf '%s\n' '#include <stddef.h>' \
        'int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n) { return !p && n == 1; }' \
        >$dir/probe.c
    clang -fsanitize=fuzzer,address,undefined $dir/probe.c -o $dir/probe_fuzz 2>/dev/null
}
find_wine() {
    for wine in wine64 /usr/lib/wine/wine64 wine; do
        has $wine && echo $wine && return
    done
    return 1
}
# The part of LLVM's OpenMP that tells ThreadSanitizer what its barriers mean.
find_archer() {
    for library in /usr/lib/llvm-*/lib/libarcher.so; do
        [ -f "$library" ] && echo "$library" && return
    done
    return 1
}

# arm_compiler COMPILER: how it is started to compile for AArch64.
arm_compiler() {
    case $1 in
    gcc) arm=aarch64-linux-gnu-gcc ;;
    clang) arm="clang -target aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include" ;;
    esac
    mkdir -p $dir
    printf '#include <math.h>\nint main(void) { return 0; }\n' >$dir/probe_arm.c
    $arm -S $dir/probe_arm.c -o $dir/probe_arm$$.s >/dev/null 2>&1 && echo "$arm"
}
# The newest of LLVM's machine code analyzers.
find_mca() {
    for mca in $(ls /usr/bin/llvm-mca-* 2>/dev/null | sort -t - -k 3 -n -r) llvm-mca; do
        has "$mca" && echo "$mca" && return
    done
    return 1
}

# The tests that are shell scripts.  What compiles for itself with other compilers, or for minutes,
# is a job of its own.
scripts() {
    for file in tests/system/*.sh; do
        case $file in
        */forms.sh | */walkthrough.sh | */mpi.sh | */windows.sh | */same_bits.sh | */openmp.sh) ;;
        *) echo "$file" ;;
        esac
    done
}

# ---- the list of jobs: KIND:DETAIL:DETAIL, or a line that says what is skipped ----
list_jobs() {
    for compiler in gcc clang; do list_compiler $compiler; done
    if compiles clang -fsanitize=address,undefined; then
        for file in $(scripts); do echo "scripts:$(basename "$file" .sh)"; done
    else skip "ASan and UBSan over the scripts" "clang libclang-rt-14-dev"; fi
    if compiles clang -fsanitize=memory; then
        for test in selection $readers; do
            [ -n "$(sources_of $test)" ] && echo "memory:clang:$test"
        done
    else skip "MemorySanitizer" "clang libclang-rt-14-dev"; fi
    if compiles clang -fopenmp -fsanitize=thread && find_archer >/dev/null; then
        echo threads:clang:dropin
    else skip "ThreadSanitizer" "clang libomp-dev libclang-rt-14-dev"; fi
    echo bits:float
    echo bits:double
    list_platforms
    if has valgrind; then
        echo valgrind:selection
        echo valgrind:dropin
    else skip valgrind valgrind; fi
    if has clang && fuzzes; then
        sh tests/fuzz.sh -l | sed 's/^/fuzz:/'
    else skip fuzzing "clang libclang-rt-14-dev"; fi
    for tool in cppcheck clang-tidy; do
        if has $tool; then echo static:$tool; else skip $tool $tool; fi
    done
    if has clang; then echo static:msvc; else skip "what MSVC would see" clang; fi
    if has node && has chromedriver && has_one_of chromium chromium-browser google-chrome; then
        echo browser
        if has emcc; then echo web; else skip "the lesson in a browser" emscripten; fi
    else skip "the browser, and the lesson in it" "nodejs chromium chromium-driver"; fi
    if has node && [ -n "$(node_package node-llama-cpp)" ]; then echo llama_cpp
    else skip llama.cpp "nodejs, and npm's node-llama-cpp beside this folder"; fi
    if has node && [ -n "$(node_package @huggingface/transformers)" ]; then echo transformers_js
    else skip transformers.js "nodejs, and npm's @huggingface/transformers beside this folder"; fi
    echo walkthrough
    if has_one_of mpicc mpicc.openmpi mpicc.mpich; then echo mpi
    else skip "several processes" "openmpi-bin libopenmpi-dev, mpich libmpich-dev"; fi
    if compiles ${CC:-cc} -fopenmp; then echo busy
    else skip "a busy machine" "a compiler with OpenMP"; fi
    if [ "$(uname -sm)" = "Linux x86_64" ]; then
        echo crash:points
        echo crash:power
        echo crash:failures
        echo crash:allocations
    else echo "skipped: crashes (they are made with the system calls of Linux on x86-64)"; fi
    list_pytorch
}
list_compiler() {
    has $1 || {
        skip "$1" "$1"
        return
    }
    for way in c99-O2 c99-O3-double c17-O2-noomp gnu99-O1 c++20-O2; do echo "warnings:$1:$way"; done
    if compiles $1 -fsanitize=address,undefined; then
        for file in tests/unit/*.c; do echo "sanitizers:$1:$(basename $file .c)"; done
    else skip "ASan and UBSan with $1" "libclang-rt-14-dev"; fi
    [ "$(uname -m)" = x86_64 ] && echo "registers:$1"
    if arm_compiler $1 >/dev/null; then echo "arm:$1"
    else skip "AArch64's registers with $1" "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"; fi
}
list_platforms() {
    if compiles gcc -m32; then list_platform m32
    else skip "32-bit x86" gcc-12-multilib; fi
    if has tcc; then list_platform tcc
    else skip tcc tcc; fi
    if has musl-gcc; then list_platform musl
    else skip musl musl-tools; fi
    list_emulated aarch64 aarch64 arm64
    list_emulated riscv64 riscv64 riscv64
    list_emulated powerpc64le ppc64le ppc64el
    list_emulated s390x s390x s390x
    if has emcc && has node; then list_platform wasm
    else skip "WebAssembly under node" "emscripten nodejs"; fi
    if has x86_64-w64-mingw32-gcc-posix && find_wine >/dev/null; then
        list_platform windows
        echo windows
    else skip Windows "gcc-mingw-w64-x86-64-posix wine64"; fi
}
# PLATFORM PROCESSOR DEBIAN: by its names for gcc, qemu and Debian.
list_emulated() {
    if compiles $1-linux-gnu-gcc && has qemu-$2; then list_platform $1
    else skip "$1" "gcc-$1-linux-gnu libc6-dev-$3-cross qemu-user"; fi
}
# The training step is tested where no processor is emulated: that would take minutes.  Everywhere
# dropin trains, and the bits are compared.  wine starts every program slowly.
list_platform() {
    tests="selection gradients kernels dropin"
    case $1 in
    windows) ;;
    m32 | tcc | musl | wasm) tests="$tests step $readers" ;;
    *) tests="$tests $readers" ;;
    esac
    for test in $tests; do
        [ -n "$(sources_of $test)" ] && echo "platform:$1:$test"
    done
}
list_pytorch() {
    if $python -c 'import torch' 2>/dev/null; then echo forms
    else skip "the forms of config.json in PyTorch" python3-torch; fi
    if ! [ -f $oracle ]; then echo "skipped: PyTorch (there is no $oracle)"
    elif ! $python -c 'import torch' 2>/dev/null; then skip PyTorch python3-torch
    else
        for setting in defaults tied kv_heads kv_one odd theta f16 bf16 \
            ratio_05 ratio_30 ratio_60 ratio_100; do
            echo "pytorch:$setting"
        done
    fi
}

# ---- what a job uses ----

# place JOB: a folder with slm.h, tests, tools and build, beside a ../shared if there is one.
place() {
    rm -rf "$dir/$1"
    mkdir -p "$dir/$1/here/build/tmp" || exit 1
    ln -s "$root/slm.h" "$root/tests" "$root/tools" "$dir/$1/here/"
    [ -d ../shared ] && ln -s "$root/../shared" "$dir/$1/shared"
    log=$root/$dir/$1/log
    out=$root/$dir/$1/program
}
ok() { echo "ok $1"; }
fail() { echo "FAIL $1: $2"; }

# run NAME SECONDS COMMAND...: must end well in time.
run() {
    name=$1 limit=$2
    shift 2
    (cd "$dir/$job/here" && timeout -k 5 "$limit" "$@") >>"$log" 2>&1
    code=$?
    if [ $code -eq 0 ]; then
        ok "$name"
        return
    fi
    words='ERROR:|SUMMARY|error:|FAIL|WARNING: Thread|undefined reference'
    why=$(grep -E -m 1 "$words" "$log" || tail -n 1 "$log")
    [ $code -eq 124 ] && why="longer than $limit s"
    fail "$name (exit $code)" "$why"
    return 1
}
# must COMMAND...: or the job ends here.
must() {
    "$@" >>"$log" 2>&1 && return
    fail "$job" "$(grep -E -m 1 'error:|undefined reference' "$log" || tail -n 1 "$log")"
    exit 1
}
# compile TEST FLAGS...: makes $out.  command_of TEST: how it is started; dropin wants a folder.
compile() {
    test=$1
    shift
    must build_test . "$(sources_of $test)" "$out" "$@"
}
command_of() {
    case $1 in
    dropin) echo "$out folder" ;;
    *) echo "$out" ;;
    esac
}
# The implementation alone, as a user would compile it.
write_one() { printf '#define SLM_IMPLEMENTATION\n#include "slm.h"\n' >$dir/$job/one.c; }

the_job() {
    kind=${1%%:*} rest=${1#*:}
    first=${rest%%:*} second=${rest#*:}
    case $kind in
    warnings) job_warnings "$1" $first $second ;;
    sanitizers) job_sanitizers "$1" $first $second ;;
    scripts) job_scripts "$1" $first ;;
    memory) job_memory "$1" $second ;;
    threads) job_threads "$1" ;;
    bits) job_bits $first ;;
    registers) job_registers $first ;;
    arm) job_arm $first ;;
    platform) job_platform $first $second ;;
    valgrind) job_valgrind "$1" $first ;;
    fuzz) job_fuzz "$1" $first ;;
    static) job_static_$(echo $first | tr - _) ;;
    llama_cpp)
        run llama_cpp 300 env SLM=$root/build/slm \
            sh tests/system/convert.sh "$(node_package node-llama-cpp)" ;;
    transformers_js)
        run transformers_js 120 env SLM=$root/build/slm \
            sh tests/system/consumers.sh "$(node_package @huggingface/transformers)" ;;
    walkthrough) run walkthrough 1200 sh -c "cd $root && sh tests/system/walkthrough.sh" ;;
    mpi) run mpi 300 sh -c "cd $root && sh tests/system/mpi.sh" ;;
    busy) job_busy ;;
    crash) job_crash $first ;;
    windows)
        must make -s build/slm.exe build/slm
        run windows 300 sh -c "cd $root && WINE=$(find_wine) sh tests/system/windows.sh" ;;
    browser) run browser 240 node tests/browser/check.mjs $root/build/browser ;;
    web) job_web ;;
    forms) run forms 200 sh -c "cd $root && PYTHON=$python sh tests/system/forms.sh" ;;
    pytorch) job_pytorch $first ;;
    esac
}

# ---- compilers and sanitizers ----

# JOB COMPILER WAY: no warning, at the levels where the compiler looks deepest.
job_warnings() {
    cc=$2 flags= openmp=-fopenmp
    compiles $cc -fopenmp || openmp=
    for part in $(echo $3 | tr - ' '); do
        case $part in
        O*) flags="$flags -$part" ;;
        double) flags="$flags -DSLM_REAL=double" openmp= ;;
        noomp) openmp= ;;
        c++*) cc=$(echo $cc | sed 's/gcc/g++/; s/clang/clang++/') std="-x c++ -std=$part" ;;
        *) std=-std=$part ;;
        esac
    done
    if has $cc; then
        run "$1" 120 $cc $std $flags $openmp $warnings -I. tests/system/dropin.c -o $out -lm
    else skip "$1" $cc; fi
}
job_sanitizers() {
    cc=$2
    openmp=
    compiles $cc -fopenmp -fsanitize=address && openmp=-fopenmp
    few=
    [ $3 = kernels ] && few=-DFEW_LISTS=1              # all in less than a minute
    compile $3 -g -O1 $openmp $few -fsanitize=address,undefined -fno-sanitize-recover=all
    echo leak:libomp >$dir/$job/own_leaks             # LLVM's OpenMP keeps some memory for itself
    lsan=print_suppressions=0:suppressions=$root/$dir/$job/own_leaks
    run "$1" 400 env LSAN_OPTIONS=$lsan $(command_of $3)
}
# The tree with a compiler of its own, and with what the scripts start; once for all of them.  The
# kernels, which the tests of the jobs above have under sanitizers, are left as they are: checked
# loops are no vector code, and training would take a hundred times as long.
make_sanitized() {
    here=$dir/sanitized/here
    mkdir -p $here || return
    tar cf - --exclude=./build --exclude=./.git . | (cd $here && tar xf -)
    [ -d ../shared ] && ln -s "$root/../shared" $dir/sanitized/shared
    printf 'fun:slm__%s\n' '*_avx2' '*_avx512' '*_body' tile_accumulate fma >$dir/sanitized/kernels
    flags="-O2 -g1 -Wno-pass-failed -fsanitize=address,undefined -fno-sanitize-recover=all"
    flags="$flags -fsanitize-ignorelist=$root/$dir/sanitized/kernels"
    printf '#!/bin/sh\nexec clang "$@" %s\n' "$flags" >$dir/sanitized/cc
    chmod +x $dir/sanitized/cc
    (cd $here && CC=$root/$dir/sanitized/cc CFLAGS= make -s -j2 build/slm build/audit \
        build/bench build/replay build/fixture build/reproduce build/random_model)
}
# JOB SCRIPT: no program that it starts or compiles does what the sanitizers report.  llama2c.c, a
# reader that ends when it has printed, frees nothing.
job_scripts() {
    here=$root/$dir/sanitized/here
    cc=$root/$dir/sanitized/cc
    reports=$root/$dir/$job/reports
    mkdir -p $reports
    echo leak:llama2c.c >$dir/$job/own_leaks
    options=log_path=$reports/report:allocator_may_return_null=1
    run "$1" 900 env SANITIZED=1 CC=$cc PLAIN_CC=clang CFLAGS= \
        ASAN_OPTIONS=$options UBSAN_OPTIONS=$options \
        LSAN_OPTIONS=print_suppressions=0:suppressions=$root/$dir/$job/own_leaks \
        sh -c "cd $here && sh tests/system/$2.sh"
    cat $reports/* >>"$log" 2>/dev/null
    for report in $(grep -l 'ERROR\|runtime error' $reports/* 2>/dev/null); do
        fail "$1" "$(grep -m 1 'ERROR\|runtime error' "$report")"
    done
}
job_memory() {
    cc=clang
    compile $2 -g -O1 -fsanitize=memory -fno-sanitize-recover=all
    run "$1" 300 $(command_of $2)
}
job_threads() {
    cc=clang
    compile dropin -g -O1 -fopenmp -fsanitize=thread -DWORK=3
    run "$1" 120 env OMP_NUM_THREADS=4 OMP_TOOL_LIBRARIES="$(find_archer)" \
        TSAN_OPTIONS=ignore_noninstrumented_modules=1 $(command_of dropin)
}
job_valgrind() {
    compile $2 -g -O1
    run "$1" 200 valgrind -q --error-exitcode=9 --leak-check=full \
        --errors-for-leak-kinds=definite $(command_of $2)
}
# JOB TARGET: ten seconds from its corpus.
job_fuzz() {
    mkdir -p $dir/$job/corpus
    run "$1" 100 env ASAN_OPTIONS=quarantine_size_mb=8 $root/build/fuzz --target=$2 \
        -dict=$root/tests/fuzz/dictionary/$2 -max_total_time=10 -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 ../corpus $root/tests/fuzz/corpus/$2
}

# ---- the same bits, fast code ----

# REAL: on one machine, several compilers and dialects train to the same hash.
job_bits() {
    expected=
    for way in "${CC:-cc} -std=c99 -O1" "${CC:-cc} -std=gnu11 -O2 -march=native" \
        "${CC:-cc} -std=c99 -O3 -fopenmp" "clang -std=c99 -O2 -fopenmp" \
        "clang -std=gnu11 -O3 -march=native" "g++ -x c++ -std=c++17 -O2 -fopenmp"; do
        has ${way%% *} && compiles $way || continue
        must $way -DSLM__TEAM_JUDGES=0 -DSLM_REAL=$1 -DWORK=4 -I. tests/system/dropin.c -o $out -lm
        for threads in 1 2 3 7; do
            got=$(cd $dir/$job/here && OMP_NUM_THREADS=$threads $out folder)
            [ -n "$expected" ] || expected=$got
            name="bits: $1, $way, $threads threads"
            if [ "$got" = "$expected" ]; then ok "$name"
            else fail "$name" "'$got', not '$expected' as from ${CC:-cc} -std=c99 -O1"; fi
            case $way in
            *-fopenmp*) ;;
            *) break ;;
            esac
        done
    done
}
# COMPILER: the tile of a product is fast while its sums are in registers, so no multiply-add of
# slm__tile may read one from the stack.  Every other kernel must be vector code: some of its
# arithmetic is of whole registers (a branch in a loop can make it ten times slower).  With and
# without OpenMP, because the loops are marked differently; gcc also at -O2, where it makes fewer
# loops vector code by itself.
job_registers() {
    ways="-O2 -O3 -O3,-fopenmp"
    [ $1 = clang ] && ways="-O2 -O2,-fopenmp"
    compiles $1 -fopenmp || ways=$(echo $ways | sed 's/ [^ ]*-fopenmp//')
    write_one
    for way in $ways; do
        way="$1 $(echo $way | tr , ' ')"
        must $way -std=c99 -w -I. -S $dir/$job/one.c -o $out.s
        for isa in avx512 avx2; do
            sums_in_registers "registers: $way, $isa" $isa
            vector_code "vector code: $way, $isa" $isa
        done
    done
}
# NAME ISA
sums_in_registers() {
    if awk -v begin="^slm__tile_$2[.:]" -v end="\\\\.size[ \\t]+slm__tile_$2" '
        $0 ~ begin { inside = 1 }
        $0 ~ end { inside = 0 }
        inside && /vfmadd/ {
            n++
            if (/%[re][sb]p/) stack++
        }
        END { exit !(n >= 16 && !stack) }' $out.s
    then ok "$1"
    else fail "$1" "sums of the tile are on the stack"; fi
}
# NAME ISA: every function slm__KERNEL_ISA but those that only move numbers.
vector_code() {
    wide=ymm
    [ $2 = avx512 ] && wide=zmm
    awk -v isa="$2" -v wide="%$wide" -v name="$1" '
        $0 ~ "^slm__[a-z_]+_" isa ":" {
            kernel = $1
            sub(/^slm__/, "", kernel)
            sub("_" isa ":", "", kernel)
            n[kernel] = 0
        }
        /^\t\.size/ { kernel = "" }
        kernel != "" && /\tv(f|mul|add|sub|div|max|min)[a-z0-9]*p[sd]/ && index($0, wide) {
            n[kernel]++
        }
        END {
            for (kernel in n) {
                if (kernel ~ /^(pack|block|tile)/) continue
                if (n[kernel]) print "ok " name ", " kernel
                else print "FAIL " name ": " kernel " has none"
                kernels++
            }
            if (kernels < 8) print "FAIL " name ": only " kernels + 0 " kernels are found"
        }' $out.s
}

# COMPILER: the same for AArch64, where a multiply-add of vectors is fmla and one of numbers fmadd.
# Apple's clang has no OpenMP, so clang does without.  clang 14 makes no vectors of the tile at -O3
# and none of row_max, and keeps sums on the stack where A is read in place (slm__gemm packs it).
job_arm() {
    cc=$(arm_compiler $1)
    ways="-O2 -O2,-fopenmp -O3" spared=none most_on_stack=0
    [ $1 = clang ] && ways="-O2 -O3"
    if [ $1 = clang ] && [ "$(clang -dumpversion | cut -d . -f 1)" -le 14 ]; then
        ways=-O2 spared=row_max most_on_stack=1
    fi
    write_one
    for way in $ways; do
        must $cc $(echo $way | tr , ' ') -std=c99 -DSLM_NO_FILES -w -I. -S $dir/$job/one.c \
            -o $out.s
        arm_tile "arm: $1 $way, the tile"
        arm_kernels "arm: $1 $way"
    done
    throughput "arm: $1 $way, the tile"
}
# NAME: the multiply-adds of the tile are of vectors, and no loop with many of them uses the stack.
# Leaves its longest block, one step of a tile of 6 x 16, in $out.block.
arm_tile() {
    if awk -v block="$out.block" -v most_on_stack=$most_on_stack '
        /^slm__tile:/ { inside = 1 }
        /^\t\.size\tslm__tile/ { inside = 0 }
        !inside { next }
        /^\.L[^:]*:/ { n = stack = 0; text = "" }
        /^[^\t]|^\t(\.|\/\/)/ { next }
        { text = text $0 "\n" }
        /\tfmla\tv/ { n++ }
        /\tfn?m(add|sub)\t/ { numbers++ }
        /\[(sp|x29)/ { stack++ }
        /\tb\.?[a-z]*\t/ {
            if (n >= 16 && stack) on_stack++
            else if (n > most) {
                most = n
                longest = text
            }
            n = stack = 0
            text = ""
        }
        END {
            printf "%s", longest >block
            exit !(most >= 24 && !numbers && on_stack <= most_on_stack)
        }' $out.s
    then ok "$1"
    else fail "$1" "sums of the tile are on the stack, or not vectors"; fi
}
# NAME: every kernel has more arithmetic of vectors than multiply-adds of numbers, which a row's
# last elements are made with.
arm_kernels() {
    sed -n 's/^SLM__DISPATCH([a-z_]*, \(slm__[a-z_]*\),.*/\1/p' slm.h >$out.kernels
    awk -v name="$1" -v spared=slm__$spared '
        NR == FNR {
            is_kernel[$1] = 1
            next
        }
        /^slm__[a-z_.0-9]*:/ {
            kernel = $1
            sub(/[.:].*/, "", kernel)
            if (is_kernel[kernel]) found[kernel] = 1
        }
        /^\t\.size/ { kernel = "" }
        /\tf(ml[as]|mul|add|sub|div|max|min|maxnm|minnm|cmgt)\tv/ { vectors[kernel]++ }
        /\tfn?m(add|sub)\t/ { numbers[kernel]++ }
        END {
            for (kernel in found) {
                if (kernel ~ /slm__(pack|block|tile)/ || kernel == spared) continue
                count = vectors[kernel] + 0 " operations of vectors, " numbers[kernel] + 0 " others"
                if (vectors[kernel] > numbers[kernel]) print "ok " name ", " kernel
                else print "FAIL " name ", " kernel ": " count
                kernels++
            }
            if (kernels < 8) print "FAIL " name ": only " kernels + 0 " kernels are found"
        }' $out.kernels $out.s
}
# NAME: the cycles of a step of the tile on several cores, as LLVM knows them, beside those of its
# multiply-adds alone.  At least 85% of their speed is asked for.
throughput() {
    mca=$(find_mca) || {
        skip "$1 by llvm-mca" llvm
        return
    }
    grep '[[:space:]]fmla[[:space:]]' $out.block >$out.multiply_adds
    for core in apple-m1 apple-m4 neoverse-n1 neoverse-v1 neoverse-v2; do
        cycles=$(cycles_of $core $out.block)
        limit=$(cycles_of $core $out.multiply_adds)
        [ -n "$cycles" ] || continue
        share=$(awk "BEGIN { printf \"%.0f\", 100 * $limit / $cycles }")
        what="$1 on $core: $cycles cycles a step, $limit of its multiply-adds, $share%"
        if [ "$share" -ge 85 ]; then ok "$what"
        else fail "$what" "85% is asked for"; fi
    done
}
cycles_of() {                                          # CORE BLOCK; nothing if it is not known
    $mca -march=aarch64 -mcpu=$1 -iterations=200 $2 >$out.mca 2>&1
    grep -q 'not a recognized processor' $out.mca && return
    awk '/^Total Cycles/ { printf "%.2f", $3 / 200 }' $out.mca
}

# ---- a busy machine: two busy loops for each processor ----

# Lesson 6 as README compiles it is not slower with all threads than with one.  What it measures is
# noisy, and threads that wait in vain take more than ten times as long: so the limit is twice.
job_busy() {
    must ${CC:-cc} -O2 -fopenmp -I. examples/06_smallest.c -o $out -lm
    (cd $dir/$job && sh -c "$(lesson_text)")
    loops=
    for i in $(seq $((2 * $(getconf _NPROCESSORS_ONLN)))); do
        sh -c 'while :; do :; done' &
        loops="$loops $!"
    done
    one= all=
    for turn in 1 2; do
        one="$one $(seconds_of_lesson OMP_NUM_THREADS=1)"
        all="$all $(seconds_of_lesson -u OMP_NUM_THREADS)"
    done
    kill $loops
    if echo "$one $all" | awk '{ exit !(NF == 4 && least(3, 4) <= 2 * least(1, 2) + 1) }
        function least(i, n,    m) {
            for (m = $i; i <= n; i++) if ($i < m) m = $i
            return m
        }'
    then ok "busy: one thread$one, all$all seconds"
    else fail busy "one thread$one, all threads$all seconds"; fi
}
# The two texts of the lesson, by the lines that it prints.
lesson_text() { sed -n '/^ \*     awk/,/clean.txt$/s/^ \* *//p' $root/examples/06_smallest.c; }
# ENV...: its seconds in such an environment, without the wait policy that is set for other jobs.
seconds_of_lesson() {
    begin=$(date +%s.%N)
    (cd $dir/$job && env -u OMP_WAIT_POLICY "$@" timeout 100 $out noisy.txt clean.txt model) \
        >>"$log" 2>&1 || return
    echo "$begin $(date +%s.%N)" | awk '{ printf "%.1f", $2 - $1 }'
}

# WHAT: a part of what make crash does in full.
job_crash() {
    case $1 in
    points) part=4 ;;
    power) part=2000 ;;
    failures) part=15 ;;
    allocations) part=5 ;;
    esac
    run "crash:$1" 200 sh -c "cd $root && sh tests/crash/crash.sh $1 $part"
    grep -v '^FAIL' "$log"
}

# ---- other platforms ----
job_platform() {                                       # PLATFORM TEST
    runner= flags="-O1 -fopenmp"
    case $1 in
    m32) cc="gcc -m32 -msse2 -mfpmath=sse -idirafter /usr/include/$(gcc -print-multiarch)" ;;
    tcc) cc=tcc flags= ;;
    musl) cc=musl-gcc flags="-O1 -static" ;;
    aarch64 | riscv64) cc=$1-linux-gnu-gcc runner="qemu-$1 -L /usr/$1-linux-gnu" ;;
    powerpc64le) cc=$1-linux-gnu-gcc runner="qemu-ppc64le -L /usr/$1-linux-gnu" ;;
    s390x)
        cc=s390x-linux-gnu-gcc runner="qemu-s390x -L /usr/s390x-linux-gnu"
        flags="-fexcess-precision=fast -ffp-contract=off -O1 -fopenmp" ;;
    wasm)
        cc=emcc flags="-O1 -msimd128 -s SINGLE_FILE=1 -s NODERAWFS=1 -s ALLOW_MEMORY_GROWTH=1"
        out=$out.js runner=node NODE_PATH=/usr/share/nodejs # of Debian's emcc
        export NODE_PATH ;;
    windows)
        cc=x86_64-w64-mingw32-gcc-posix flags="-O1 -fopenmp -static"
        out=$out.exe runner=$(find_wine)
        export WINEDEBUG=-all ;;
    esac
    [ "$1" = wasm ] || compiles $cc $flags || flags=-O1 # without OpenMP's library
    small=
    [ $2 = kernels ] && small=-DSMALL=1
    compile $2 $flags $small
    run "platform:$1:$2" 400 $runner $(command_of $2) || return
    [ $2 = dropin ] || return
    same_as_here $1
    expected=$(grep '^ok ' "$log" | tail -n 1 | tr -d '\r')
    for threads in 1 3; do                             # any number of threads: the same bits
        got=$(cd $dir/$job/here && OMP_NUM_THREADS=$threads $runner $out folder | tr -d '\r')
        if [ "$got" = "$expected" ]; then ok "platform:$1: $threads threads"
        else fail "platform:$1: $threads threads" "'$got', not '$expected'"; fi
    done
}

# PLATFORM: dropin trains to the bits of this machine, and its files are the same, byte for byte:
# so a machine of either byte order reads those of the other.  Without a fused multiply-add (32-bit
# x86, tcc, WebAssembly) the bits are those of the plain kernels.
same_as_here() {
    native=$root/$dir/$job/native rounding=
    case $1 in m32 | tcc | wasm) rounding="-DSLM__ISA()=0" ;; esac
    must gcc -std=c99 -O1 $rounding -I. tests/system/dropin.c -o $native -lm
    here=$(cd $dir/$job/here && $native folder_here)
    there=$(grep '^ok ' "$log" | tail -n 1 | tr -d '\r')
    if [ "$here" = "$there" ]; then ok "platform:$1: the bits of this machine"
    else fail "platform:$1: the bits" "'$there', not '$here'"; fi
    for file in $(cd $dir/$job/here/folder_here && ls); do
        if cmp -s $dir/$job/here/folder_here/$file $dir/$job/here/folder/$file; then
            ok "platform:$1: $file is that of this machine"
        else fail "platform:$1: $file" "it differs from that of this machine"; fi
    done
}

# ---- static analysis ----

# Without what it cannot follow: MSan, valgrind and -O3 -Wall look for the uninitialized.
job_static_cppcheck() {
    write_one
    for macros in "-D__GNUC__=12 -D__x86_64__=1 -D_OPENMP=201511" \
        "-D__GNUC__=12 -DSLM_NO_FILES" "-DSLM_REAL=double"; do
        run "static:cppcheck $macros" 200 cppcheck -q --std=c99 --enable=warning,portability \
            --inline-suppr --error-exitcode=3 -I. $macros --suppress=missingIncludeSystem \
            --suppress=uninitvar --suppress=ctuuninitvar --suppress=pointerSize \
            $root/$dir/$job/one.c
    done
}
# What MSVC would see: clang without its own and GNU's names, and with MSVC's extensions.  Its C
# library is not here, so that this is Linux for MSVC.  No array of variable length, no extension of
# GNU; and of OpenMP what 2.0 had: loops of one signed counter, no collapse, no tasks.
job_static_msvc() {
    write_one
    run static:msvc 100 clang -std=c11 -fsyntax-only -fms-extensions -fgnuc-version=0 \
        -U__clang__ -D_MSC_VER=1930 -fopenmp -Wall -Wextra -Wvla -Wgnu -Werror \
        -Wno-unknown-pragmas -Wno-ignored-pragmas -Wno-literal-range -Wno-unused-function \
        -I$root $root/$dir/$job/one.c
    if awk '
        /SLM__PRAGMA\(omp for|^    +SLM__SHARE\(/ { expected = NR + 1 }
        NR == expected && !/for \(ptrdiff_t / { print FILENAME ":" NR ": " $0; bad = 1 }
        /(SLM__PRAGMA|SLM__SHARE)\(.*(collapse|task|sections|ordered)/ { print NR ": " $0; bad = 1 }
        END { exit bad }' $root/slm.h >>"$log"
    then ok "static:msvc: OpenMP 2.0"
    else fail "static:msvc: OpenMP 2.0" "$(tail -n 1 "$log")"; fi
}
job_static_clang_tidy() {
    write_one
    checks='-*,clang-analyzer-*,bugprone-*'
    for but in bugprone-not-null-terminated-result bugprone-easily-swappable-parameters \
        bugprone-reserved-identifier bugprone-macro-parentheses bugprone-branch-clone \
        bugprone-implicit-widening-of-multiplication-result bugprone-narrowing-conversions \
        bugprone-suspicious-include bugprone-assignment-in-if-condition \
        clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling; do
        checks="$checks,-$but"
    done
    run static:clang-tidy 400 clang-tidy --quiet --header-filter='.*slm\.h' \
        --warnings-as-errors='*' --checks="$checks" $root/$dir/$job/one.c -- -std=c99 -I$root
}

# ---- SETTING: build/audit, float and double, against PyTorch in float64 ----
job_pytorch() {
    case $1 in
    defaults) flags= ;;
    tied) flags="--tied 1" ;;
    kv_heads) flags="--kv 4" ;;
    kv_one) flags="--kv 1" ;;
    odd) flags="--vocab 97 --dim 36 --heads 3 --kv 3 --ffn 50 --seq 19" ;;
    theta) flags="--theta 500000" ;;
    f16) flags="--dtype F16" ;;
    bf16) flags="--dtype BF16" ;;
    ratio_100) flags="--ratio 1 --seed 5 --batch 3" ;;
    ratio_*) flags="--ratio 0.${1#ratio_} --seed 5 --batch 3" ;;
    esac
    must env OMP_NUM_THREADS=1 $python $oracle $dir/$job/golden $flags
    for real in float double; do
        [ -x $dir/audit_$real ] || must false
        run "pytorch:$1, $real" 60 $root/$dir/audit_$real ../golden
    done
}

# ---- the lesson in a browser; its speed is told ----
job_web() {
    run web 400 node tests/browser/web.mjs $root/build/browser
    sed -n 's/^speed: //p' "$log"
}

# ---- one job, the list, or all of them ----
if [ "$1" = --job ]; then
    job=$(echo "$2" | tr ':+' '__')
    place "$job"
    the_job "$2"
    exit 0
fi
if [ "$1" = -l ]; then
    dir=$(mktemp -d)                                   # a check that is running is left alone
    list_jobs
    rm -rf $dir
    exit
fi
wanted() {                                             # LINE WORD...
    [ $# -eq 1 ] && return
    line=$1
    shift
    for word in "$@"; do
        case $line in *$word*) return 0 ;; esac
    done
    return 1
}
rm -rf $dir && mkdir -p $dir || exit 1
list_jobs >$dir/jobs
grep '^skipped' $dir/jobs | tee $dir/results
grep -v '^skipped' $dir/jobs | while read -r line; do
    wanted "$line" "$@" && echo "$line"
done >$dir/chosen
if grep -q '^pytorch' $dir/chosen; then                # once for all of them
    for real in float double; do
        build_test . "$audit_sources" $dir/audit_$real -O2 -DSLM_REAL=$real 2>>$dir/audit.log
    done
fi
if grep -q '^scripts' $dir/chosen; then                # once for all of them
    make_sanitized >$dir/sanitized.log 2>&1 ||
        echo "FAIL scripts: they do not compile" | tee -a $dir/results
fi
if grep -q '^fuzz' $dir/chosen; then
    make -s build/fuzz || echo "FAIL fuzz: it does not compile" | tee -a $dir/results
fi
start=$(date +%s)
xargs -P 2 -I NAME sh tests/check.sh --job NAME <$dir/chosen | tee -a $dir/results
passed=$(grep -c '^ok ' $dir/results)
failed=$(grep -c '^FAIL' $dir/results)
skipped=$(grep -c '^skipped' $dir/results)
echo "$(($(date +%s) - start)) seconds"
if [ $failed -gt 0 ]; then
    echo "failed:"
    grep '^FAIL' $dir/results
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
