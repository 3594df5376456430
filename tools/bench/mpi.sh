#!/bin/sh
# make bench-mpi: README's two tables about several processes.
#
#     sh tools/bench/mpi.sh                     measures 1 to 4 processes here, then the model
#     sh tools/bench/mpi.sh MS PARAMETERS       the model alone: milliseconds of a micro-batch in
#                                               one process, and how many parameters there are
#
# The model: a step has MICRO micro-batches, shared out evenly; each takes what it took of the
# processor here, in one process of one thread.  Exchanges are added, as if nothing of them were
# hidden:
#
#     small       latency L                   at each of log2 P levels
#     histogram   4 of them, of 2 kB each, and 10 small exchanges
#     gradient    2 (P-1) messages a chunk, 4 (P-1)/P bytes a parameter there and as many back,
#                 and 1 ns a parameter to sum
#
# MPIRUN and STEPS may be set.
slm=build/slm-mpi out=build/tmp/bench-mpi
MPIRUN=${MPIRUN:-mpirun} STEPS=${STEPS:-7}
shape="--dim 256 --layers 6 --heads 8 --ffn 704 --batch 8 --seq 256"
MICRO=1024
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none

# take_steps PROCESSES THREADS: steps of four micro-batches
take_steps() {
    OMP_NUM_THREADS=$2 "$MPIRUN" -n "$1" "$slm" train --data slm.h --out "$out" --force $shape \
        --accumulate 4 --steps "$STEPS" --select loss --quiet >"$out.txt"
}
# The fastest step, since neighbours on the machine make single ones slower.
fastest_ms() {
    tail -n +2 "$out/log.csv" | cut -d, -f10 | sort -n | tail -n 1 |
        awk '{ printf "%.0f", 1e3 * 4 * 8 * 256 / $1 }'
}
# processor_ms PROCESSES THREADS: what a step takes of the processors, in all processes together;
# neighbours hardly change that.  The end of what `times` prints: "0m3.210s 0m0.050s".
processor_ms() {
    (take_steps "$@" && times) | tail -n 1 | tr 'ms' '  ' | awk -v steps="$STEPS" '
        { printf "%.0f", 1e3 * (60 * ($1 + $3) + $2 + $4) / steps }'
}

measure() {
    echo "| processes | threads each | ms a step | ms of the processors a step |"
    echo "|---|---|---|---|"
    for way in "4 1" "2 1" "1 2" "1 1"; do
        took=$(processor_ms $way)
        echo "$way $(fastest_ms) $took" | awk '{ print "| " $1 " | " $2 " | " $3 " | " $4 " |" }'
    done
}

# model MS PARAMETERS
model() {
    echo
    echo "a micro-batch in one process: $1 ms; $2 parameters; $MICRO micro-batches a step"
    for network in "10 Gb Ethernet:30:1.1" "100 Gb InfiniBand:2:11"; do
        echo "$network" | awk -F: -v ms="$1" -v n="$2" -v micro=$MICRO '
            function levels(P,    l) {
                for (l = 0; 2 ^ l < P; l++)
                    ;
                return l
            }
            # Seconds; as SHARE_MAX and the like in tools/mpi/group_mpi.c say.
            function set(P,    share, chunks) {
                compute = ms / 1e3 * int((micro + P - 1) / P)
                histogram = levels(P) * (14 * latency + 4 * 2048 / speed)
                share = 16777216 / P
                if (share > 262144) share = 262144
                if (share < 16384) share = 16384
                chunks = int((n + P * share - 1) / (P * share))
                gradient = 0
                if (P > 1)
                    gradient = levels(P) * latency + 2 * (P - 1) * chunks * latency \
                        + 8 * n * (P - 1) / P / speed + n * 1e-9
                step = compute + histogram + gradient
            }
            function first_above(what,    P) {
                for (P = 2; P <= micro; P++) {
                    set(P)
                    if ((what == "gradient" ? gradient : histogram) >= 0.1 * step) return P
                }
                set(micro)
                return 0
            }
            function say(what, value,    P) {
                P = first_above(what)
                if (P > 0) printf "%s costs 10%% of a step from %d processes on\n", what, P
                else printf "%s never costs 10%%: %.2f%% at %d processes\n", what, \
                    100 * (what == "gradient" ? gradient : histogram) / step, micro
            }
            {
                latency = $2 / 1e6
                speed = $3 * 1e9
                printf "\n%s: latency %g us, %g GB/s\n\n", $1, $2, $3
                print "| processes | compute, ms | histogram, ms | gradient, ms | step, ms |" \
                    " times as fast |"
                print "|---|---|---|---|---|---|"
                set(1)
                alone = step
                for (P = 1; P <= micro; P *= 4) {
                    set(P)
                    printf "| %d | %.0f | %.2f | %.1f | %.0f | %.0f |\n", P, 1e3 * compute, \
                        1e3 * histogram, 1e3 * gradient, 1e3 * step, alone / step
                }
                print ""
                say("histogram")
                say("gradient")
            }'
    done
}

if [ $# -eq 2 ]; then
    model "$1" "$2"
    exit
fi
mkdir -p "${out%/*}"
measure
# One process of one thread was measured last: that is what the model calls a process.
parameters=$(sed -n 's/.* \([0-9]*\) parameters$/\1/p' "$out.txt")
model "$(echo "$took" | awk '{ print $1 / 4 }')" "$parameters"
