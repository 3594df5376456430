#!/bin/sh
# `slm plot`: what it draws is the log's, a log that is still written is drawn as far as it goes,
# and one that is not a log is refused by its line.
SLM=${SLM:-build/slm}
T=build/tmp/plot
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
. tests/support/checks.sh

awk 'BEGIN { for (i = 0; i < 400; i++) print i, "and", i * i % 97 }' >"$T/text.txt"
works "a run" train --data "$T/text.txt" --val "$T/text.txt" --out "$T/runs/plain" --dim 16 \
    --layers 1 --heads 2 --seq 16 --batch 2 --steps 20 --quiet
works "another, without --val" train --data "$T/text.txt" --out "$T/runs/bare" --init \
    "$T/runs/plain" --batch 2 --steps 5 --quiet
head -n 1 "$T/runs/plain/log.csv" >"$T/header"

# ---- what is drawn ----
works "plot" plot "$T/runs/plain" "$T/runs/bare/log.csv" --out "$T/two.svg"
has "what it says" 'two.svg: training loss of 2 runs, validation loss of 1'
check "names without their common folders" grep -q '>bare</text>' "$T/two.svg"
check "the picture is closed" test "$(tail -n 1 "$T/two.svg")" = '</svg>'
check "two panels" grep -q 'Validation loss' "$T/two.svg"
works "plot again" plot "$T/runs/plain" "$T/runs/bare/log.csv" --out "$T/again.svg"
same "the same bytes" "$T/two.svg" "$T/again.svg"
works "one run" plot "$T/runs/bare/" --out "$T/one.svg"
check "no panel of what is not there" sh -c "! grep -q 'Validation loss' '$T/one.svg'"

# rows N: a made-up log whose loss falls from 3 to 2 in a straight line.
rows() {
    cat "$T/header"
    awk -v n="$1" 'BEGIN {
        for (i = 1; i <= n; i++)
            printf "%d,%d,%.9g,1,0,1,0.001,1,,5,0.1\n", i, i * 100, 3 - i / n
    }'
}
# Two points at the ends of the axes: 0 to 10000 tokens; 2 to 3 nats.
rows 100 >"$T/line.csv"
works "a straight line" plot "$T/line.csv" --out "$T/line.svg"
check "it is straight" awk '
    /<path d="M[0-9.]* [0-9.]*h0L.*stroke-width="2.4"/ {
        gsub(/.*d="M|h0|" fill.*/, "")
        n = split($0, point, "L")
        for (i = 1; i <= n; i++) {
            split(point[i], p, " ")
            if (i == 1) { x0 = p[1]; y0 = p[2] }
            if (i == n) { x1 = p[1]; y1 = p[2] }
        }
        for (i = 1; i <= n; i++) {
            split(point[i], p, " ")
            off = p[2] - y0 - (y1 - y0) * (p[1] - x0) / (x1 - x0)
            if (off > 1.5 || off < -1.5) exit 1
        }
        found = n == 48 && y1 > y0 && x1 > x0
    }
    END { exit !found }' "$T/line.svg"
rows 30 >"$T/live.csv"
printf '31,3100,2.' >>"$T/live.csv"
works "a log that is being written" plot "$T/live.csv" --out "$T/live.svg"
mkdir -p "$T/<b>&"
rows 3 >"$T/<b>&/log.csv"
works "a name with signs of markup" plot "$T/<b>&" --out "$T/markup.svg"
check "... is written as text" grep -q '>&lt;b&gt;&amp;</text>' "$T/markup.svg"

# ---- what is refused, by file and line ----
# spoilt WORDS SED: the made-up log with one line changed.
spoilt() {
    rows 9 | sed "$2" >"$T/bad.csv"
    fails 3 "bad.csv: $1" plot "$T/bad.csv" --out "$T/none.svg"
}
spoilt 'line 1 is not' '1s/loss/lose/'
spoilt 'line 1 is not' 1d
spoilt 'line 4 has 10 cells, not 11' '4s/,0.1$//'
spoilt 'line 4 has 12 cells, not 11' '4s/$/,/'
spoilt 'line 6 has 1 cell, not 11' '6s/.*//'
spoilt "line 5: loss is 'nan', not a number" '5s/,[0-9.]*,1,0/,nan,1,0/'
spoilt "line 5: loss is '-2', not a number" '5s/,[0-9.]*,1,0/,-2,1,0/'
spoilt "line 5: loss is '1e999', not a number" '5s/,[0-9.]*,1,0/,1e999,1,0/'
spoilt "line 5: loss is '0x2', not a number" '5s/,[0-9.]*,1,0/,0x2,1,0/'
spoilt "line 5: loss is '', not a number" '5s/,[0-9.]*,1,0/,,1,0/'
spoilt "line 3: val_loss is 'low', not a number" '3s/,,/,low,/'
spoilt "line 7: step is '2', not above" '7s/^6,/2,/'
spoilt "line 7: step is '-6', not a whole" '7s/^6,/-6,/'
spoilt "line 7: tokens is '500', not above" '7s/,600,/,500,/'
spoilt "line 7: tokens is '99999999999999999999', not a whole" '7s/,600,/,99999999999999999999,/'
rows 9 | tr 5 '\000' >"$T/bad.csv"
fails 3 'bad.csv: line [0-9]* holds a NUL' plot "$T/bad.csv" --out "$T/none.svg"
fails 3 'header: no step' plot "$T/header" --out "$T/none.svg"
fails 3 'text.txt: line 1' plot "$T/text.txt" --out "$T/none.svg"
fails 3 'nowhere' plot "$T/nowhere" --out "$T/none.svg"
fails 3 'runs/log.csv' plot "$T/runs" --out "$T/none.svg"
fails 2 'which runs' plot --out "$T/none.svg"
fails 2 '.--out P.svg is needed' plot "$T/line.csv"
fails 2 '9 runs are more than the 8' plot 1 2 3 4 5 6 7 8 9 --out "$T/none.svg"
cp "$T/line.csv" "$T/kept.csv"
fails 2 'is a log that is read' plot "$T/line.csv" --out "$T/line.csv"
same "the log is left" "$T/line.csv" "$T/kept.csv"
fails 1 'cannot' plot "$T/line.csv" --out "$T/nowhere/none.svg"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
