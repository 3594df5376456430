// node tools/bench/tokenizers.js TOKENIZER.json ENCODING TEXT: the time in which npm's tokenizers
// (Hugging Face's Rust library) and, by the encoding of that name, npm's tiktoken encode a text.
const fs = require('fs');
const [file, encoding, path] = process.argv.slice(2);
const text = fs.readFileSync(path, 'utf8');
const bytes = fs.statSync(path).size;

function print(name, tokens, ms) {
  const speed = bytes / 1e3 / ms;
  const sizes = `bytes=${bytes} tokens=${tokens}`;
  console.log(`${name} ${sizes} ms=${ms.toFixed(1)} mb_per_s=${speed.toFixed(1)}`);
}

async function main() {
  process.env.TOKENIZERS_PARALLELISM = 'false';
  const {Tokenizer} = require('tokenizers');
  const t = Tokenizer.fromFile(file);
  let start = performance.now();
  const ids = (await t.encode(text, null, {addSpecialTokens: false})).getIds();
  print('tokenizers', ids.length, performance.now() - start);

  let tiktoken;
  try {
    tiktoken = require('tiktoken');
  } catch (e) {
    console.error('skipped: tiktoken (npm install tiktoken)');
    return;
  }
  const t2 = tiktoken.get_encoding(encoding);
  start = performance.now();
  const n = t2.encode_ordinary(text).length;
  print('tiktoken-' + encoding, n, performance.now() - start);
}
main();
