#!/bin/sh
# tools/repro/data.sh: `make data`: which texts the evidence beyond the built-in corpus was measured
# on, where they come from, how they are prepared, and whether they are here.  Downloads nothing.
folder=${1:-../shared/data}

# The texts as they were measured: NAME BYTES SHA-256.
texts() {
    cat <<'LIST'
openstax/raw.cnxml.txt 23333458 54488ebf3aebb66b82142bda70f70b1967317cf22fde7d0752c62391614f51d8
openstax/clean.txt 491941 7c9c99548482044a31c3f3178d28b4f1a6269052da293d5cfb1aa8fc7a4a0591
openstax/eval.txt 165904 4056e351d825c6c4c122be3242704296676738b32225be1234d3ca8c529becff
gsm8k/train.jsonl 4166206 17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465
gsm8k/test.jsonl 749738 3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14
LIST
}
hash_of() {
    if command -v sha256sum >/dev/null 2>&1; then sha256sum "$1"
    elif command -v shasum >/dev/null 2>&1; then shasum -a 256 "$1"
    else echo unknown; fi | cut -d ' ' -f 1
}
state_of() {                                       # FILE BYTES SHA-256
    if [ ! -f "$1" ]; then
        echo "not here"
        return
    fi
    hash=$(hash_of "$1")
    if [ "$hash" = unknown ]; then echo "here, not checked: no sha256sum"
    elif [ "$hash" = "$3" ]; then echo "here, the same"
    else echo "here, another one ($(wc -c <"$1" | tr -d ' ') bytes)"; fi
}

cat <<EOT
The built-in corpus is made by the program: nothing is needed for it.
The other texts are looked for in $folder/.  Nothing is downloaded.

OpenStax textbooks (CC BY-NC-SA 4.0: to measure with, not to ship)
  from      https://github.com/openstax/osbooks-prealgebra-bundle, modules/*/index.cnxml
  raw       192 modules of Prealgebra and Elementary Algebra, as they are, one after the other
  clean     the prose of 24 other modules: the text between the tags, a paragraph a line
  eval      the prose of 12 more, in which nothing is trained
GSM8K (MIT, OpenAI)
  from      https://github.com/openai/grade-school-math, grade_school_math/data/
  train     7473 records {"question", "answer"}, as they are
  test      1319 records, as they are

EOT
texts | while read -r name bytes hash; do
    printf '%-24s %9s bytes  %s\n' "$name" "$bytes" "$(state_of "$folder/$name" "$bytes" "$hash")"
    printf '%-24s %s\n' '  sha256' "$hash"
done
cat <<'EOT'

Which modules were taken is not recorded: the hashes tell whether texts are these.  Others are
measured by
  build/reproduce run --corpus RAW --clean CLEAN --eval TARGET && build/reproduce report
EOT
