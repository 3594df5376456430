#!/bin/sh
# One process writes an output: a second one is refused by name and disturbs nothing; what a killed
# one leaves is in nobody's way; nothing but a lock of our own is ever taken for one.  Whoever is to
# hold a lock is stopped by SIGSTOP, so that no test depends on the clock.
SLM=${SLM:-build/slm}
CC=${CC:-cc}
T=build/tmp/lock
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
. tests/support/checks.sh

# exits CODE WORDS ARGS: that code, and the words on stderr ("": nothing on stderr)
exits() {
    want=$1 words=$2
    shift 2
    "$SLM" "$@" >"$T/stdout" 2>"$T/stderr"
    code=$?
    if [ $code -ne "$want" ]; then bad "slm $*: exit $code, not $want: $(cat "$T/stderr")"
    elif [ -z "$words" ] && [ -s "$T/stderr" ]; then bad "slm $*: stderr: $(cat "$T/stderr")"
    elif ! grep -q -e "$words" "$T/stderr" && [ -n "$words" ]; then
        bad "slm $*: '$words' is not in: $(cat "$T/stderr")"
    else ok; fi
}
# hold LOCK ARGS: a process in the background that has the lock; $pid
hold() {
    lock=$1 tries=0
    shift
    "$SLM" "$@" >"$T/held.stdout" 2>"$T/held.stderr" &
    pid=$!
    while [ ! -s "$lock" ] && [ $tries -lt 500 ]; do
        sleep 0.01
        tries=$((tries + 1))
    done
    kill -STOP $pid
    [ -s "$lock" ] || bad "slm $*: it does not take $lock"
}
# let_go CODE: the held process goes on to its end
let_go() {
    kill -CONT $pid
    wait $pid
    code=$?
    check "the first ends with $1, not $code: $(cat "$T/held.stderr")" test $code -eq "$1"
}
# The columns of a log that do not depend on the clock.
rows() { cut -d, -f1-9 "$1/log.csv"; }
same_run() {
    for file in model.safetensors state.safetensors config.json tokenizer.json; do
        same "$1: $file" "$2/$file" "$3/$file"
    done
    rows "$2" >"$T/rows1"
    rows "$3" >"$T/rows2"
    same "$1: the log" "$T/rows1" "$T/rows2"
}
clean() {
    left=$(ls -A "$2" | grep -e '\.lock$' -e '\.tmp$')
    if [ -z "$left" ]; then ok; else bad "$1: left behind:" $left; fi
}

awk 'BEGIN {
    for (i = 0; i < 3000; i++) {
        s = (s * 1103 + 12345) % 65536
        printf "%d force on a block%s", s % 97, i % 9 == 8 ? ".\n" : " "
    }
}' >"$T/text"
head -c 3000 "$T/text" >"$T/small"
TRAIN="train --data $T/text --dim 16 --layers 1 --heads 2 --seq 32 --batch 4 --lr 0.01 --quiet"
RUN="$TRAIN --steps 120 --save-every 40"
BUSY='is being written by another process (PID [0-9]* on .*); wait for it, or choose another --out'
exits 0 '' $RUN --out "$T/whole"
clean "a run" "$T/whole"

# ---- two at once in one folder ----
hold "$T/a/.lock" $RUN --out "$T/a"
: >"$T/a/state.safetensors.tmp"
for how in "" --resume --force "--seed 7 --force"; do
    exits 2 "^slm train: $T/a $BUSY" $RUN $how --out "$T/a"
done
exits 2 "^slm train: $T/a $BUSY" train --resume --out "$T/a"
check "the process is named" grep -q "(PID $pid on $(uname -n))" "$T/stderr"
ln -s a "$T/link"
for name in a/ ./a link; do exits 2 "$BUSY" $RUN --force --out "$T/$name"; done
check "it touches nothing of the other's" test -e "$T/a/state.safetensors.tmp"
let_go 0
same_run "not disturbed" "$T/whole" "$T/a"
clean "the first of two" "$T/a"

# Behind a checkpoint, a second one would go on with the same run.
hold "$T/b/.lock" $TRAIN --steps 1000000 --save-every 5 --out "$T/b"
kill -CONT $pid
tries=0
while [ ! -e "$T/b/state.safetensors" ] && [ $tries -lt 500 ]; do
    sleep 0.01
    tries=$((tries + 1))
done
kill -STOP $pid
cp -r "$T/b" "$T/before"
exits 2 "$BUSY" $TRAIN --steps 400 --save-every 5 --resume --out "$T/b"
check "--resume beside a running one changes nothing" diff -r "$T/before" "$T/b"
kill -TERM $pid
let_go 130
clean "SIGTERM" "$T/b"

# Five at once: one runs, whichever it is.
pids=
for i in 1 2 3 4 5; do
    "$SLM" $RUN --out "$T/five" >/dev/null 2>"$T/five.$i" &
    pids="$pids $!"
done
codes=
for pid in $pids; do
    wait "$pid"
    codes="$codes $?"
done
codes=$(echo $codes | tr ' ' '\n' | sort | tr '\n' ' ')
check "one of five runs: $codes" test "$codes" = "0 2 2 2 2 "
same_run "one of five" "$T/whole" "$T/five"
clean "five" "$T/five"

# ---- killed ----
hold "$T/killed/.lock" $RUN --out "$T/killed"
kill -KILL $pid
wait $pid 2>/dev/null
check "its lock is still there" test -s "$T/killed/.lock"
exits 0 '' $RUN --resume --out "$T/killed"
same_run "killed at the start" "$T/whole" "$T/killed"
clean "killed" "$T/killed"
for round in 1 2 3; do
    "$SLM" $RUN --resume --out "$T/again" >/dev/null 2>&1 &
    pid=$!
    sleep 0.1
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    printf 'slm lock: P' >"$T/again/.lock"
    : >"$T/again/run.json.tmp"
done
exits 0 '' $RUN --resume --out "$T/again"
same_run "killed anywhere" "$T/whole" "$T/again"
clean "killed anywhere" "$T/again"

# ---- files ----
SCORE="score --model $T/whole --data $T/text --seq 32 --quiet"
exits 0 '' $SCORE --out "$T/scores"
hold "$T/s.lock" $SCORE --out "$T/s"
exits 2 "^slm score: $T/s $BUSY" $SCORE --out "$T/s"
exits 2 "^slm score: $T/s $BUSY" score --join "$T/scores" --out "$T/s"
exits 2 "^slm view: $T/s $BUSY" view --model "$T/whole" --data "$T/small" --out "$T/s" --quiet
exits 2 "^slm tokenizer train: $T/s $BUSY" tokenizer train --data "$T/text" --vocab 260 \
    --out "$T/s"
exits 2 "^slm tokenizer import: $T/s $BUSY" tokenizer import --from "$T" --out "$T/s"
exits 0 '' $SCORE --out "$T/other"
let_go 0
same "the first of two scorings" "$T/scores" "$T/s"
same "a scoring beside it" "$T/scores" "$T/other"
hold "$T/k.lock" $SCORE --save-every 0 --out "$T/k"
kill -KILL $pid
wait $pid 2>/dev/null
exits 0 '' $SCORE --out "$T/k"
same "killed and taken up" "$T/scores" "$T/k"
exits 0 '' $SCORE --out "$T/k"
hold "$T/c/.lock" $RUN --out "$T/c"
exits 2 "^slm score: $T/c $BUSY" score --model "$T/whole" --tokens "$T/none.npy" --out "$T/c"
let_go 0

# Many short ones, whose locks come and go: each makes the whole file or is refused.
TOKENIZER="tokenizer train --data $T/small --vocab 258 --quiet"
exits 0 '' $TOKENIZER --out "$T/tok"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    (
        "$SLM" $TOKENIZER --out "$T/many" >/dev/null 2>"$T/many.$i"
        code=$?
        [ $code -eq 0 ] || { [ $code -eq 2 ] && grep -q 'is being written' "$T/many.$i"; } ||
            echo "exit $code: $(cat "$T/many.$i")" >>"$T/many.bad"
    ) &
done
wait
check "many at once: $(head -1 "$T/many.bad" 2>/dev/null)" test ! -e "$T/many.bad"
same "many at once" "$T/tok" "$T/many"
clean "files" "$T"

# ---- what a killed process left, and what it did not ----
: >"$T/q.part.tmp"
: >"$T/q.tmp"
echo mine >"$T/q.my.tmp"
exits 0 '' $SCORE --out "$T/q"
check "q.part.tmp is swept" test ! -e "$T/q.part.tmp"
check "q.tmp is swept" test ! -e "$T/q.tmp"
check "q.my.tmp is not" test -s "$T/q.my.tmp"
rm "$T/q.my.tmp"
echo mine >"$T/victim"
echo mine >"$T/mine"
for name in model.safetensors state.safetensors config.json tokenizer.json log.csv run.json; do
    : >"$T/whole/$name.tmp"
done
rm "$T/whole/log.csv.tmp"
ln -s ../victim "$T/whole/log.csv.tmp"
exits 2 'already holds a run' $RUN --out "$T/whole"
check "a link is not swept" test -L "$T/whole/log.csv.tmp"
rm "$T/whole/log.csv.tmp"
clean "a folder" "$T/whole"
mkdir "$T/linked"
for name in run.json state.safetensors; do ln -s ../victim "$T/linked/$name.tmp"; done
exits 0 '' $RUN --out "$T/linked"
same "a link of a temporary file's name" "$T/victim" "$T/mine"
check "... and the file is none" test ! -L "$T/linked/run.json"
ln -s victim "$T/page.tmp"
exits 0 '' view --model "$T/whole" --data "$T/small" --limit 40 --out "$T/page" --quiet
same "a link of a page's temporary name" "$T/victim" "$T/mine"
check "... and the page is none" test ! -L "$T/page"

# ---- what is no lock of ours ----
NOT_OURS='.lock: a link, or not a lock of this program'
mkdir "$T/l"
refused() {
    exits 2 "$NOT_OURS" $RUN --out "$T/l"
    check "$1 is left alone" test -L "$T/l/.lock" -o -e "$T/l/.lock"
    same "$1" "$T/victim" "$T/mine"
    rm -rf "$T/l/.lock"
}
ln -s ../victim "$T/l/.lock"
refused "the target of a link"
ln -s ../nothing "$T/l/.lock"
refused "a link to nothing"
check "a link to nothing makes nothing" test ! -e "$T/nothing"
: >"$T/empty"
ln -s ../empty "$T/l/.lock"
refused "a link to an empty file"
ln "$T/empty" "$T/l/.lock"
refused "a second name of a file"
check "the files behind are untouched" test ! -s "$T/empty"
mkfifo "$T/l/.lock"
refused "a pipe"
mkdir "$T/l/.lock"
refused "a folder"
cp "$T/mine" "$T/poetry.lock"
exits 2 "poetry$NOT_OURS" $TOKENIZER --out "$T/poetry"
same "somebody's file" "$T/mine" "$T/poetry.lock"
rm "$T/poetry.lock"

# ---- what fails leaves no folder; one that was there stays ----
mkdir "$T/there"
exits 3 missing train --data "$T/missing" --out "$T/there/x/y/z/"
check "folders made for nothing are removed" test ! -e "$T/there/x"
exits 2 'holds no run' train --resume --out "$T/there/x/y"
check "... also those of a run that is none" test ! -e "$T/there/x"
exits 3 missing train --data "$T/missing" --out "$T/there"
check "others are not" test -d "$T/there"

# ---- file systems without locks, or that cannot be written to ----
cat >"$T/shim.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
typedef int call(int, int, void *);
typedef int opener(const char *, int, int);
static int n_vanished;
static const char *folder_of(const char *path) {
    static char folder[4096];
    strcpy(folder, path);
    *strrchr(folder, '/') = 0;
    return folder;
}
int fcntl(int file, int command, ...) {
    va_list args;
    va_start(args, command);
    void *value = va_arg(args, void *);
    va_end(args);
    if (command != F_SETLK || getenv("SHIM_LOCK") == NULL)
        return ((call *)dlsym(RTLD_NEXT, "fcntl"))(file, command, value);
    errno = atoi(getenv("SHIM_LOCK"));
    return -1;
}
int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    int mode = va_arg(args, int);
    va_end(args);
    size_t n = strlen(path);
    if (getenv("SHIM_OPEN") == NULL || n < 5 || strcmp(path + n - 5, ".lock") != 0)
        return ((opener *)dlsym(RTLD_NEXT, "open"))(path, flags, mode);
    if (atoi(getenv("SHIM_OPEN")) <= 0) {
        if (atoi(getenv("SHIM_OPEN")) < 0 && n_vanished == 0) remove(folder_of(path));
        int file = ((opener *)dlsym(RTLD_NEXT, "open"))(path, flags, mode);
        if (n_vanished++ == 0) remove(path);
        return file;
    }
    errno = atoi(getenv("SHIM_OPEN"));
    return -1;
}
int fcntl64(int, int, ...) __attribute__((alias("fcntl")));
int open64(const char *, int, ...) __attribute__((alias("open")));
END
number() { printf '#include <errno.h>\n%s\n' "$1" | $CC -E -P - 2>/dev/null | tail -n 1; }
shim=$PWD/$T/shim.so
if ${PLAIN_CC:-$CC} -shared -fPIC -o "$shim" "$T/shim.c" -ldl >/dev/null 2>&1 &&
    SHIM_LOCK=1 LD_PRELOAD=$shim "$SLM" --version >/dev/null 2>&1; then
    export LD_PRELOAD="$shim"
    for name in ENOLCK ENOTSUP ENOSYS; do
        rm -rf "$T/n"
        export SHIM_LOCK="$(number $name)"
        exits 0 "^slm train: note: $T/n: this file system has no locks" $RUN --out "$T/n"
        check "$name: one note" test "$(wc -l <"$T/stderr" | tr -d ' ')" = 1
    done
    export SHIM_LOCK="$(number EIO)"
    exits 1 '/e/.lock: cannot make the lock: ' $RUN --out "$T/e"
    export SHIM_OPEN="$(number EROFS)"
    exits 0 '' $SCORE --out "$T/scores"
    exits 1 '/n/.lock: cannot make the lock: ' $RUN --resume --out "$T/n"
    # The one who had the lock ends, and removes it, between the open of another and its lock.
    unset SHIM_LOCK
    SHIM_OPEN=0
    hold "$T/v/.lock" $RUN --out "$T/v"
    unset SHIM_OPEN
    exits 2 "$BUSY" $RUN --out "$T/v"
    let_go 0
    # ... or it removes the folder that it had made.
    export SHIM_OPEN=-1
    exits 0 '' $RUN --out "$T/w"
    unset LD_PRELOAD SHIM_OPEN
    same_run "a lock that vanished" "$T/whole" "$T/v"
    same_run "a folder that vanished" "$T/whole" "$T/w"
    same_run "without locks" "$T/whole" "$T/n"
    clean "without locks" "$T/n"
else
    echo "skipped: file systems without locks (needs LD_PRELOAD)"
fi

windows=x86_64-w64-mingw32-gcc
if command -v $windows >/dev/null; then
    check "os.c compiles for Windows" $windows -std=c99 -Wall -Wextra -Wpedantic -Werror -Itools \
        -c tools/common/os.c -o "$T/os.obj"
else
    echo "skipped: os.c for Windows (needs $windows)"
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
