// Texts, tokenizers of every kind, and the ids that Hugging Face's Rust library (npm's
// `tokenizers`) gives: node tests/support/tokenizer_kinds.js FOLDER.  FOLDER holds own.json, which
// is changed into the others.  Made are texts/TEXT, kinds/KIND.json and kinds/KIND.TEXT.ids, an id
// a line; printed is "KIND FILE", a line for each.  tests/system/tokenizer_kinds.sh compares.
const fs = require('fs');
const {Tokenizer} = require('tokenizers');
const folder = process.argv[2];

// ---- texts: all are in the normalization form NFC ----
const scripts = [
  'Привет мир 123', 'Γειά σου Κόσμε', '你好，世界！2024年', 'こんにちは世界 カタカナ', '안녕하세요 세계',
  'مرحبا بالعالم ١٢٣٤٥', 'שלום עולם', 'नमस्ते दुनिया १२३', 'வணக்கம் உலகம்', 'ไทยสวัสดี ๑๒๓๔',
  '\u{1D518}\u{1D52B} \u{1D7D8}\u{1D7D9}', 'মা ১২', 'Việt Nam Tiếng',
].join('\n');
const texts = {
  scripts,
  signs: '\u{1F469}\u200d\u{1F467} \u{1F917}\u{1F44D}\u{1F3FD} \ufeffbom \u0085nel \u2028ls' +
    ' \u180e \0nul\0\0 \x1c\x7f',
  code: '#include <x.h>\r\n\r\nint main(void)\t{\r\n    for (i = 0; i < 1000; i++)' +
    ' { a[i] *= 0x1F; }\n\n\n\t\treturn -1;\n}\n',
  digits: '1 12 123 1234 12345 1234567 a1b22c333 ½ ² Ⅷ ١٢٣٤ १२३४५ \u{1D7D8}\u{1D7D9}\u{1D7DA}' +
    ' 1.5e10 -3,000  42   7\n8',
  contractions: "it's IT'S we'LL they'Re I'm 'sat ''s 'd'D'\u017ft '\u017f 'll'L'l don\u2019t" +
    " 'VEx 'rex q\u0301 \u0301",
  lines: '...!!!\n\n???\r\n(x)[y]{z}\n \n  \n\t\nfoo.bar(baz)\n!\n!\n a\n  b\n',
  special: 'one<|end|>two <|end|>> <|x|>the<|x|> the  the <|a\u2581b|>x <s> <a>',
  runs: 'a'.repeat(4000) + ' '.repeat(4000) + '1'.repeat(4000) + '!'.repeat(3000) +
    '\n'.repeat(3000) + 'x',
  empty: '',
  space: ' ',
  line: '\n',
  leading: ' the  ',
  long: fs.readFileSync('README.md', 'utf8').slice(0, 20000).repeat(6) + scripts,
};
const bits = [
  'a', 'B', 'é', ' ', '  ', '\n', '\r\n', '\t', '\u00a0', '1', '22', '½', '١', '!', '?', "'s",
  "'LL", "'", '中', 'ア', '\u200d', '\u017f', '<|end|>', '_', '\u3000', 'ǅ', 'ʰ', '\0', '\u2028',
  'the', ' the', '\u0085', '\r',
];
let state = 1;
function randomBit() {
  state = (state * 48271) % 2147483647;
  return bits[state % bits.length];
}
for (let k = 0; k < 12; k++) texts['random' + k] = Array.from({length: 300}, randomBit).join('');
for (const name in texts) fs.writeFileSync(`${folder}/texts/${name}`, texts[name]);

// ---- kinds: what is changed in own.json ----
const gpt2Regex =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
function llama3Regex(numbers) {
  return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + numbers +
    '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
}
function before(step, use_regex) {
  const last = {type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex};
  return {type: 'Sequence', pretokenizers: [step, last]};
}
function split(regex, behavior, invert) {
  return before({type: 'Split', pattern: {Regex: regex}, behavior, invert}, false);
}
function added(id, content, more) {
  const off = {single_word: false, lstrip: false, rstrip: false, normalized: false};
  return {id, content, ...off, special: true, ...more};
}
const inText = {normalized: true, special: false};
const nTokens = t => Object.keys(t.model.vocab).length;

function ignoreMerges(t) { // with a token that no merge makes
  t.model.ignore_merges = true;
  t.model.vocab['Ġthe\u010a'] = nTokens(t);
}
const kinds = {
  gpt2: t => {},
  prefix_space: t => { t.pre_tokenizer.add_prefix_space = true; },
  no_regex: t => { t.pre_tokenizer.use_regex = false; },
  ignore_merges: ignoreMerges,
  gpt2_as_split: t => { t.pre_tokenizer = split(gpt2Regex, 'Isolated', false); },
  llama3: t => {
    ignoreMerges(t);
    t.pre_tokenizer = split(llama3Regex('\\p{N}{1,3}'), 'Isolated', false);
  },
  cl100k: t => { t.pre_tokenizer = split(llama3Regex('\\p{N}{1,3}'), 'Removed', true); },
  qwen: t => {
    t.normalizer = {type: 'NFC'};
    t.pre_tokenizer = split(llama3Regex('\\p{N}'), 'Isolated', false);
  },
  digits: t => { t.pre_tokenizer = before({type: 'Digits', individual_digits: true}, true); },
  neox: t => {
    const n = nTokens(t);
    t.normalizer = {type: 'NFC'};
    t.added_tokens = [
      added(n, '   ', inText), added(n + 1, '  ', inText), added(n + 2, '<|end|>'),
    ];
  },
  no_such_bytes: t => { // those that are never in UTF-8; the ids have gaps then
    for (const byte of 'ÀÁõö÷øùúûüýþÿ') delete t.model.vocab[byte];
  },
  added: t => { // in the vocabulary or behind it, in UTF-8, one the beginning of another
    const n = nTokens(t);
    t.model.vocab['<|a\u2581b|>'] = n;
    t.model.vocab['<|x|>'] = n + 1;
    t.added_tokens = [
      added(n, '<|a\u2581b|>'), added(n + 1, '<|x|>'), added(n + 2, '<|end|>'),
      added(n + 3, '<|end|>>'), added(n + 4, '<s>', {normalized: true}),
      added(t.model.vocab['the'], 'the', inText),
    ];
  },
  gaps: t => {
    const n = nTokens(t);
    t.model.vocab['<|x|>'] = n + 5;
    t.model.vocab['<|end|>'] = n + 9;
    t.added_tokens = [added(n + 5, '<|x|>'), added(n + 9, '<|end|>'), added(n + 2, '<s>')];
  },
};
kinds.as_trained = () => {}; // with the end of a text, which the others lack
const files = [];
for (const name in kinds) {
  const t = JSON.parse(fs.readFileSync(`${folder}/own.json`, 'utf8'));
  if (name !== 'as_trained') t.added_tokens = [];
  kinds[name](t);
  fs.writeFileSync(`${folder}/kinds/${name}.json`, JSON.stringify(t));
  files.push([name, `${folder}/kinds/${name}.json`]);
}

// ---- ids ----
async function main() {
  for (const [name, file] of files) {
    const t = Tokenizer.fromFile(file);
    for (const text in texts) {
      const ids = (await t.encode(texts[text], null, {addSpecialTokens: false})).getIds();
      const lines = ids.map(id => id + '\n').join('');
      fs.writeFileSync(`${folder}/kinds/${name}.${text}.ids`, lines);
    }
    console.log(name, file);
  }
}
main();
