#!/bin/sh
# Several processes, with each MPI that is installed: they select what one process selects, sum
# gradients to the same bits in each run, end together, and leave a run or a score file that any
# number of processes may take up.  A part of `make check`; start it after `make`.
cd "$(dirname "$0")/../.." || exit 1
SLM=${SLM:-build/slm} T=build/tmp/mpi
. tests/support/checks.sh
export OMP_NUM_THREADS=1 LC_ALL=C
# Open MPI asks before it serves root, and before there are more processes than cores.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_base_warn_component_unused=0

# of N COMMAND: N processes
of() {
    n=$1
    shift
    "$MPIRUN" -n "$n" "$@"
}
# together NAME N ARGS: exit 0, nothing on stderr
together() {
    name=$1 n=$2
    shift 2
    if of "$n" "$PROGRAM" "$@" >"$W/stdout" 2>"$W/stderr" && [ ! -s "$W/stderr" ]; then ok
    else bad "$MPIRUN, $name: $(head -1 "$W/stderr")"; fi
}
# The lines of our own; the rest is mpirun's.
ours() { grep '^slm ' "$W/stderr"; }
# refused NAME N WORDS ARGS: not 0, and one line of our own, which holds the words
refused() {
    name=$1 n=$2 words=$3
    shift 3
    if of "$n" "$PROGRAM" "$@" >"$W/stdout" 2>"$W/stderr"; then bad "$MPIRUN, $name: exit 0"
    elif [ "$(ours | wc -l)" -ne 1 ] || ! ours | grep -q -e "$words"; then
        bad "$MPIRUN, $name: '$words' is not the one line: $(ours)"
    else ok; fi
}
# What is the same bytes in each run of a command: the clock is not.
rows() { cut -d, -f1-9 "$1/log.csv"; }
# close_logs A B: logs that agree to rounding, and exactly in what is kept of the first step
close_logs() {
    rows "$1" >"$W/a" && rows "$2" >"$W/b" || return 1
    paste -d, "$W/a" "$W/b" | awk -F, '
        NR == 1 { next }
        {
            for (i = 1; i <= 9; i++) {
                difference = $i - $(i + 9)
                if (difference < 0) difference = -difference
                if (!(difference <= 1e-4 * ($i < 0 ? -$i : $i) + 1e-9)) exit 1
            }
        }
        NR == 2 && ($3 != $12 || $4 != $13 || $5 != $14 || $6 != $15) { exit 1 }
        END { if (NR != 13) exit 1 }'
}
# The processes, not mpirun, that train into the folder.
trainers_of() {
    for process in /proc/[0-9]*; do
        tr '\0' ' ' 2>/dev/null <"$process/cmdline" | grep -q "^$PROGRAM train .*--out $1" &&
            echo "${process#/proc/}"
    done
}
wait_for_step() { # DIR STEP: until the log has it, 20 seconds at most
    for _ in $(seq 200); do
        [ "$(tail -n 1 "$1/log.csv" 2>/dev/null | cut -d, -f1)" -ge "$2" ] 2>/dev/null && return
        sleep 0.1
    done
    return 1
}

wait_for_file() {
    for _ in $(seq 200); do
        [ -s "$1" ] && return
        sleep 0.1
    done
    return 1
}

# ---- what one process makes ----
head -c 60000 slm.h >"$T/noisy.txt"
head -c 20000 README.md >"$T/clean.txt"
shape="--dim 32 --layers 2 --heads 2 --seq 32"
works "the reference" train --data "$T/clean.txt" --out "$T/ref" $shape --steps 20 --quiet
score="score --model $T/ref --data $T/noisy.txt --seq 32 --quiet"
works "its scores" $score --out "$T/scores"
run="train --data $T/noisy.txt $shape --batch 2 --accumulate 5 --steps 12 --scores $T/scores"
run="$run --val $T/clean.txt --quiet"
works "a run" $run --out "$T/one"
works "scores as a table" score --model "$T/ref" --data "$T/clean.txt" --seq 32 --quiet --tsv
mv "$T/stdout" "$T/table"

# ---- the parts; MPI is what the names of its programs end with ----
choose() {
    MPICC=mpicc$1 MPIRUN=mpirun$1
    W=$T/mpi$1 PROGRAM=$PWD/$T/mpi$1/slm-mpi
    mkdir -p "$W"
    make -s MPICC="$MPICC" MPI="$PROGRAM" "$PROGRAM" >"$W/log" 2>&1
    if [ -x "$PROGRAM" ] && [ ! -s "$W/log" ]; then ok; else bad "$MPICC: $(head -3 "$W/log")"; fi
}

# Selections and sums, to the bit.
groups() {
    parts=
    for part in cli os progress text slm_impl; do
        parts="$parts build/obj/tools/common/$part.o"
    done
    "$MPICC" -std=c99 -O1 -fopenmp -I. -Itools tests/system/mpi_group.c tools/mpi/group_mpi.c \
        $parts -o "$W/group" -lm >"$W/log" 2>&1 || bad "$MPICC: $(head -3 "$W/log")"
    for n in "$@"; do
        if of $n "$W/group" >"$W/stdout" 2>"$W/stderr" && grep -q ' 0 differences' "$W/stdout"
        then ok
        else bad "$MPIRUN: $n processes: $(cat "$W/stdout" "$W/stderr" | head -3)"; fi
    done
    of 4 "$W/group" nan >"$W/stdout" 2>"$W/stderr"
    if [ $? -ne 0 ] && [ "$(ours)" = "slm test: score 749 of 750 is not a number \
(process 3 of 4)" ]; then ok
    else bad "$MPIRUN: a NaN in one of four: $(ours)"; fi
}

# Five micro-batches: 4 processes have 2, 1, 1 and 1 of them.
trains() {
    for n in 1 2 4; do
        together "train, $n" $n $run --out "$W/of$n"
        check "$MPIRUN: $n processes agree with one to rounding" close_logs "$T/one" "$W/of$n"
    done
    same "$MPIRUN: one process" "$T/one/model.safetensors" "$W/of1/model.safetensors"
    for n in 2 4; do
        together "again, $n" $n $run --out "$W/again$n"
        same "$MPIRUN: the same bits again, $n" "$W/of$n/state.safetensors" \
            "$W/again$n/state.safetensors"
    done

    # Begun by four, gone on with by two; the same by one.
    together "the first steps" 4 $run --out "$W/resumed" --steps 6
    together "two go on" 2 train --resume --out "$W/resumed" --steps 12 --quiet
    works "the same by one each time" $run --out "$W/alone" --steps 6
    works "one goes on" train --resume --out "$W/alone" --steps 12 --quiet
    check "$MPIRUN: resumed by fewer" close_logs "$W/alone" "$W/resumed"
}

# One line, and all end.
refusals() {
    refused "too few micro-batches" 4 "accumulate 2: each of the 4" $run --accumulate 2 \
        --out "$W/none"
    refused "a file that is missing" 2 "nowhere.txt" $run --data "$T/nowhere.txt" --out "$W/none"
    refused "another verb" 2 "in one process" eval --model "$T/ref" --data "$T/clean.txt"
    refused "standard input" 2 "reach one process" $run --val - --out "$W/none"
    check "nothing is left of them" [ ! -e "$W/none" ]
}

# One is killed: all end, and the run goes on from its last checkpoint.
kills() {
    "$MPIRUN" -n 4 "$PROGRAM" $run --steps 600 --save-every 5 --out "$W/killed" >"$W/stdout" \
        2>"$W/stderr" &
    mpirun=$!
    wait_for_step "$W/killed" 12
    kill -9 "$(trainers_of "$W/killed" | sort -n | tail -n 1)"
    if wait $mpirun; then bad "$MPIRUN: one was killed, and the exit is 0"; else ok; fi
    if grep -q -i killed "$W/stderr" "$W/stdout" && [ "$(ours | wc -l)" -le 1 ]; then ok
    else bad "$MPIRUN: it is not said that one was killed: $(cat "$W/stderr")"; fi
    check "$MPIRUN: none is left" [ -z "$(trainers_of "$W/killed")" ]
    works "after the kill" train --resume --out "$W/killed" --save-every 600 --quiet
    check "$MPIRUN: it went on" [ "$(tail -n 1 "$W/killed/log.csv" | cut -d, -f1)" -eq 600 ]
}

# Asked to end: a checkpoint of the last step.  All exit with 130; of that Open MPI makes 1, and
# MPICH at times 0.
ends() {
    "$MPIRUN" -n 2 "$PROGRAM" $run --steps 100000 --save-every 100000 --out "$W/asked" \
        >"$W/stdout" 2>"$W/stderr" &
    mpirun=$!
    wait_for_file "$W/asked/log.csv" && sleep 1
    kill -TERM $mpirun
    wait $mpirun
    check "$MPIRUN: says where the checkpoint is" grep -q "^slm train: interrupted at step" \
        "$W/stderr"
    check "$MPIRUN: and it is there" [ -s "$W/asked/state.safetensors" ]
}

# The file of one process, byte for byte; one that is there is left alone.
scores() {
    for n in 2 3; do
        together "score, $n" $n $score --out "$W/scores$n"
        same "$MPIRUN: scores by $n" "$T/scores" "$W/scores$n"
    done
    together "scores that are there" 2 $score --out "$W/scores2"
    together "streamed" 2 $score --stream 1 --out "$W/streamed"
    same "$MPIRUN: streamed scores" "$T/scores" "$W/streamed"
    together "a table" 3 score --model "$T/ref" --data "$T/clean.txt" --seq 32 --quiet --tsv
    same "$MPIRUN: a table" "$T/table" "$W/stdout"
    together "a shard" 2 $score --shard 0/2 --out "$W/shard0"
    works "the other one" $score --shard 1/2 --out "$W/shard1"
    works "$MPIRUN: shards join" score --join "$W/shard0" "$W/shard1" --out "$W/joined"
    same "$MPIRUN: joined" "$T/scores" "$W/joined"
}

# Begun by three, asked to end, finished by one.
score_parts() {
    for i in 1 2 3 4 5 6 7 8; do cat slm.h; done >"$T/much.txt"
    long="score --model $T/ref --data $T/much.txt --seq 32 --quiet"
    "$MPIRUN" -n 3 "$PROGRAM" $long --save-every 0 --out "$W/parts" >"$W/stdout" 2>"$W/stderr" &
    mpirun=$!
    wait_for_file "$W/parts.part"
    kill -TERM $mpirun
    wait $mpirun
    check "$MPIRUN: a part is left" [ -s "$W/parts.part" ]
    works "one finishes it" $long --out "$W/parts"
    works "one alone" $long --out "$W/whole"
    same "$MPIRUN: begun by three" "$W/whole" "$W/parts"
}

# The lesson, by the lines in its comment.
lesson() {
    sed -n 's/^ \*     \(mpicc .*\)/\1/p' examples/15_mpi.c |
        sed "s/^mpicc/$MPICC/; s|-o 15|-o $W/15|" >"$W/build"
    check "$MPIRUN: the lesson builds" sh -e "$W/build"
    sed -n 's/^ \*     \(step .*\)/\1/p' examples/15_mpi.c >"$W/expected"
    of 4 "$W/15" >"$W/stdout" 2>"$W/stderr"
    same "$MPIRUN: the lesson" "$W/expected" "$W/stdout"
}

# All of it with the first MPI; with another one what may differ, and the bits of the first.
first=
the_mpi() {
    choose "$1"
    if [ -z "$first" ]; then
        first=$W
        groups 2 4
        trains
        refusals
        kills
        ends
        scores
        score_parts
        lesson
        return
    fi
    groups 3
    together "train" 4 $run --out "$W/of4"
    same "$MPIRUN: the bits of the other MPI" "$first/of4/state.safetensors" \
        "$W/of4/state.safetensors"
    kills
    ends
    together "score" 3 $score --out "$W/scores3"
    same "$MPIRUN: scores" "$T/scores" "$W/scores3"
}

for mpi in .openmpi .mpich ''; do
    [ -n "$mpi" ] || [ -z "$first" ] || continue       # the plain names, if they are the only ones
    if command -v mpicc$mpi >/dev/null && command -v mpirun$mpi >/dev/null; then
        the_mpi "$mpi"
    elif [ -n "$mpi" ]; then echo "skipped: no mpicc$mpi and mpirun$mpi"; fi
done
[ -n "$first" ] || echo "skipped: there is no MPI (install openmpi-bin libopenmpi-dev)"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
