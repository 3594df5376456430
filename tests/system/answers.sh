#!/bin/sh
# slm eval --answers: a model that has learned eight answers by heart is asked for them; three of
# the answers in the file are changed, so that five are right.  Needs only sh and the usual tools.
SLM=${SLM:-build/slm}
T=${TMPDIR_ANSWERS:-build/tmp/answers}
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
. tests/support/checks.sh

run() {
    "$SLM" "$@" </dev/null >"$T/stdout" 2>"$T/stderr"
    code=$?
}
works() {
    if [ $code -ne 0 ]; then bad "$1: exit $code: $(head -1 "$T/stderr")"
    elif [ -s "$T/stderr" ]; then bad "$1: stderr: $(head -1 "$T/stderr")"
    else ok; fi
}
refused() {
    if [ $code -ne "$2" ]; then bad "$1: exit $code, not $2: $(head -1 "$T/stderr")"
    elif ! grep -q -e "$3" "$T/stderr"; then bad "$1: '$3' is not in: $(cat "$T/stderr")"
    else ok; fi
}

# items FORMAT KIND: eight questions.  FORMAT text: as they are asked; json: a record a line, where
# with KIND gold three of the answers are changed.
items() {
    awk -v format="$1" -v kind="$2" 'BEGIN {
        split("ant bee cat dog elk fox gnu hen", word, " ")
        for (i = 1; i <= 8; i++) {
            n = i * i + 10
            shown = kind == "gold" && i % 3 == 0 ? n + 1 : n
            if (i == 8 && kind == "gold") shown = 3
            if (format == "text") printf "Question: %s?\nAnswer: so\n#### %d\n\n", word[i], n
            else printf "{\"question\": \"%s?\", \"answer\": \"so\\n#### %d\"}\n", word[i], shown
        }
    }'
}
for i in 1 2 3 4 5 6; do items text; done >"$T/train.txt"
items json gold >"$T/test.jsonl"
items json >"$T/all.jsonl"
run train --data "$T/train.txt" --out "$T/model" --dim 64 --layers 2 --heads 4 --seq 64 --batch 8 \
    --steps 200 --lr 0.005 --quiet
works "train"

ASK="eval --answers --model $T/model --quiet"
run $ASK --data "$T/all.jsonl" --json
works "ask"
has "all are known" '"accuracy": 1, .*"correct": 8, "items": 8, "no_answer": 0, "shots": 0'
run $ASK --data "$T/test.jsonl" --json --out "$T/r.jsonl"
works "ask again"
has "five of eight" '"accuracy": 0.625, "ci95": \[0.305[0-9]*, 0.863[0-9]*\], "correct": 5'
cp "$T/stdout" "$T/result"
check "a line for each, and one before" test "$(wc -l <"$T/r.jsonl" | tr -d ' ')" = 9
check "the items say what came" grep -q '^{"item": 2, "correct": false, "found": true, '\
'"gold": "20", "answer": "19", "question": "cat?"' "$T/r.jsonl"
check "... and the text" grep -q '"text": " so\\u000a#### 19"}$' "$T/r.jsonl"

# ---- a run that ended early ----
cp "$T/r.jsonl" "$T/whole.jsonl"
run $ASK --data "$T/test.jsonl" --json --out "$T/r.jsonl"
works "a file that is whole"
same "a file that is whole" "$T/result" "$T/stdout"
for n in 1 4 8; do
    { head -$n "$T/whole.jsonl"; printf '{"item": 9, "corr'; } >"$T/r.jsonl"
    run $ASK --data "$T/test.jsonl" --json --out "$T/r.jsonl"
    works "$n lines and a half"
    same "$n lines and a half" "$T/whole.jsonl" "$T/r.jsonl"
    same "$n lines and a half: the result" "$T/result" "$T/stdout"
done
# What is there is not asked again.
sed '3s/"correct": true/"correct": false/' "$T/whole.jsonl" | head -5 >"$T/r.jsonl"
run $ASK --data "$T/test.jsonl" --json --out "$T/r.jsonl"
has "the file is believed" '"correct": 4, "items": 8'
run $ASK --data "$T/all.jsonl" --out "$T/r.jsonl"
refused "another file" 3 'r.jsonl: it holds answers of another model, file or setting'
run $ASK --data "$T/test.jsonl" --max-new 9 --out "$T/r.jsonl"
refused "another setting" 3 'another model, file or setting'
run $ASK --data "$T/test.jsonl" --out "$T/train.txt"
refused "a file of something else" 3 'another model, file or setting'
run $ASK --data "$T/test.jsonl" --limit 3 --json --out "$T/r3.jsonl"
has "--limit" '"correct": 2, "items": 3'
run $ASK --data "$T/test.jsonl" --json --out "$T/r3.jsonl"
works "without the limit it goes on"
same "without the limit it goes on" "$T/result" "$T/stdout"

# ---- shots, MATH ----
run $ASK --data "$T/test.jsonl" --shots 2 --shots-from "$T/all.jsonl" --json
works "shots"
has "shots" '"items": 8, .*"shots": 2, "format": "gsm8k"'
sed 's/question/problem/; s/"answer": "so\\n#### \([0-9]*\)"/"solution": "$\\\\boxed{\1}$"/' \
    "$T/test.jsonl" >"$T/math.jsonl"
run $ASK --data "$T/math.jsonl" --json
works "MATH"
has "MATH: the same questions" '"correct": 5, "items": 8, .*"format": "math"'
run $ASK --data "$T/all.jsonl" --max-new 2
has "too short an answer" 'correct  *0 of 8, 8 without an answer'

# ---- what is refused ----
run $ASK --data "$T/all.jsonl" --shots 2
refused "shots from nowhere" 2 'go together'
run $ASK --data "$T/all.jsonl" --shots 9 --shots-from "$T/all.jsonl"
refused "more shots than there are" 3 '8 questions, --shots 9'
run $ASK --data "$T/all.jsonl" --seq 8
refused "a flag without effect" 2 '--seq has no effect with --answers'
run eval --model "$T/model" --data "$T/train.txt" --shots 2
refused "a flag of --answers" 2 '--shots goes with --answers'
printf '{"question": "a", "answer": "none"}\n' >"$T/none.jsonl"
run $ASK --data "$T/none.jsonl"
refused "no final answer" 3 'none.jsonl: question 1: its answer has no final answer'
printf '{"question": "a", "answer": 5}\n' >"$T/number.jsonl"
run $ASK --data "$T/number.jsonl"
refused "no text" 3 'number.jsonl: question 1'
run $ASK --data "$T/train.txt"
refused "no records" 3 'train.txt: question 1'

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
