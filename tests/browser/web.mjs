// web.mjs: the lesson of `make web` in a real browser: its buttons by the keyboard, its bits
// against those of a native program, its files in build/slm.
//
//     node tests/browser/web.mjs [OUT]
//
// Screenshots and files are left in OUT (default build/browser).  Exit as check.mjs.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ask,
  check,
  devtools,
  finish,
  keys,
  open,
  quiet,
  run,
  same,
  shot,
  size,
  start,
  stop,
  theme,
  LEFT,
  RIGHT,
  SHIFT,
} from './driver.mjs';

const top = join(dirname(fileURLToPath(import.meta.url)), '../..');
const out = resolve(process.argv[2] ?? join(top, 'build/browser'));
const page = join(top, 'build/web/index.html');
const ENTER = '\uE007',
  SPACE = '\uE00D',
  BACKSPACE = '\uE003';
const steps = { base: 30, reference: 6, arms: 8 };
const RATIO = 0.3;
const slm = (...args) => execFileSync(join(top, 'build/slm'), args, { encoding: 'utf8' });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// ---- what is done with the page ----
const focus = (selector) => run((s) => document.querySelector(s).focus(), selector);
const text = (selector) => run((s) => document.querySelector(s).innerText, selector);
const state = (stage) => run((s) => document.getElementById('step-' + s).dataset.state, stage);
const button = (stage) => `#step-${stage} .w-go`;

async function press(selector, key = ENTER) {
  await focus(selector);
  await keys(key);
}
async function until(what, test) {
  const end = Date.now() + 60000;
  while (!(await test())) {
    if (Date.now() > end) {
      throw new Error(`waited for a minute: ${what}; the page says: ${await text('.w-bar')}`);
    }
    await sleep(60);
  }
}
async function type(selector, value) {
  await focus(selector);
  await run((s) => document.querySelector(s).select(), selector);
  await keys(BACKSPACE, ...String(value));
}
async function begin(own = false) {
  if (!own) {
    await open(page);
  }
  await until('the texts', async () => (await text('#status')).startsWith('Ready'));
  await run(() => {
    document.querySelector('#texts details').open = true;
  });
  for (const stage in steps) {
    await type(stage === 'arms' ? '#arm-steps' : `#${stage}-steps`, steps[stage]);
  }
}
const done = (stage) => until(stage, async () => (await state(stage)) === 'done');

// ---- the tests ----
async function the_steps_by_keyboard() {
  same('the passage is there from the start', await run(() => spansOf().length), 1024);
  await run(() => {
    window.ticks = 0;
    window.began = performance.now();
    setInterval(() => window.ticks++, 20);
  });
  await press(button('base'));
  await until('some steps', async () => /step \d/.test(await text('#pace')));
  await press('#onward');
  await until('a stop', async () => (await state('base')) === 'stopped');
  const at = await run(() => document.querySelector('#step-base progress').value);
  await sleep(300);
  const later = await run(() => document.querySelector('#step-base progress').value);
  same('what is stopped stays where it is', later, at);
  same('it can go on', await text(button('base')), 'Go on');
  await press(button('base'), SPACE);
  await done('base');
  await press('#onward');
  await done('reference');
  await press('#onward');
  await done('scores');
  await focus('#keep');
  await keys(...Array(10).fill(LEFT));
  same('the arrow keys move k', await text('#keep-value'), '30%');
  await press('#onward');
  await done('arms');
  const [ticks, ms] = await run(() => [window.ticks, performance.now() - window.began]);
  check('the page ticked while it trained', ticks > ms / 20 / 4, `${ticks} ticks in ${ms} ms`);
  await shot('web-done');
}
// name -> fingerprint, milliseconds of the fastest step, loss on the target.
function native() {
  const args = [steps.base, steps.reference, steps.arms, RATIO].map(String);
  const said = execFileSync(join(top, 'build/web/native'), args, { encoding: 'utf8' });
  return Object.fromEntries(
    said
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name, hash, ms, loss]) => [name, { hash, ms: Number(ms), loss: Number(loss) }]),
  );
}
async function the_same_bits_as_native() {
  const expected = native();
  const found = await run(() =>
    [...document.querySelectorAll('.w-hash code')].map((code) => code.textContent),
  );
  if (process.arch === 'x64') {
    const names = ['base', 'reference', 'plain', 'selective'];
    same('the bits of four models', found, names.map((name) => expected[name].hash));
  } else {
    console.log('skipped: the same bits (this processor has a fused multiply-add always)');
  }
  const ms = await run(() => Number(document.getElementById('step-base').dataset.fastest));
  console.log(
    `speed: the fastest step took ${ms} ms in the browser, ${expected.base.ms} ms native ` +
      `without AVX2 on one thread: ${(expected.base.ms / ms).toFixed(2)} of native`,
  );
  return expected;
}
// The lesson's selective training is that of the command line, to the bit, while k stays.
function the_same_bits_as_slm_train() {
  const folder = join(out, 'native');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const args = ['8', '4', '5', String(RATIO), folder];
  const said = execFileSync(join(top, 'build/web/lesson'), args, { encoding: 'utf8' });
  const hash = said.match(/selective (\w+)/)[1];
  const path = (name) => join(folder, name);
  const from = ['--init', path('base'), '--data', path('noisy.txt')];
  const how = ['--scores', path('noisy.scores'), '--ratio', String(RATIO), '--seed', '2'];
  const size = ['--batch', '8', '--seq', '128', '--steps', '5', '--warmup', '0', '--quiet'];
  slm('train', ...from, ...how, ...size, '--out', path('again'));
  const { model_hash } = JSON.parse(slm('info', path('again'), '--json'));
  same('slm train makes the model of the lesson', model_hash, hash);
}
async function curves_have_names() {
  const curves = await run(() =>
    [...document.querySelectorAll('.w-figure svg')].map((svg) => svg.getAttribute('aria-label')),
  );
  same('two figures', curves.length, 2);
  for (const name of ['plain', 'selective']) {
    check(`curves: ${name} is named`, curves.every((curve) => curve.includes(name)), curves);
  }
  const points = await run(() =>
    [...document.querySelectorAll('.w-figure .c-line')].map(
      (path) => path.getAttribute('d').split('L').length,
    ),
  );
  same('a point a step, and one before the first', points, Array(4).fill(steps.arms + 1));
}
async function a_token_tells_its_numbers() {
  const kept = Math.floor(RATIO * 1024 + 0.5);
  same('so many are kept', await run(() => keptOf().length), kept);
  await press('#text > span', RIGHT);
  await until('its predictions', async () => (await text('#panel')).includes('expected'));
  const panel = await text('#panel');
  const value = (pattern) => Number(panel.match(pattern)?.[1].replace('−', '-'));
  const ref = value(/L\s*RM\s*= −ln [\d.]+ = ([\d.]+)/),
    loss = value(/\bL = −ln [\d.]+ = ([\d.]+)/),
    excess = value(/S = L − L\s*RM\s*= ([−+][\d.]+)/);
  check('eq. 3 is eq. 2 less eq. 1', Math.abs(loss - ref - excess) < 0.0016, panel);
  const rank = value(/rank (\d+) of 1024/);
  const keep = await run(() => spansOf()[1].getAttribute('aria-selected') === 'true');
  same('eq. 5: kept are the first k', rank <= kept, keep);
  const fate = keep ? 'I = 1: ✓ kept' : 'I = 0: ✕ dropped';
  check('and the panel says so', panel.includes(fate), panel);
  await keys(SHIFT + RIGHT);
  const next = await run(() => keptOf().find((i) => i > 1));
  const at = await run(() => spansOf().indexOf(document.activeElement));
  same('Shift: the next kept token', at, next);
}
async function passages_go_by() {
  const isFirst = await run(() => document.getElementById('previous').disabled);
  same('the first has none before it', isFirst, true);
  await press('#next');
  await until('another passage', async () => !(await text('#text')).startsWith('ref to='));
  check('its k is the same', (await text('#count')).includes('keep 307 of 1024'));
  await press('#previous');
  await until('the first', async () => (await text('#text')).startsWith('ref to='));
}
async function k_moves_while_it_trains() {
  await press(button('arms'));
  await until('a step', async () => /step \d/.test(await text('#pace')));
  await focus('#keep');
  await keys(RIGHT);
  await until('another cut', async () => (await run(() => keptOf().length)) === 317);
  await done('arms');
  same('and holds to the end', await run(() => keptOf().length), 317);
}

// ---- files ----
function crc(bytes) {
  let c = -1;
  for (const byte of bytes) {
    c ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
    }
  }
  return ~c >>> 0;
}
// Reads a zip by its directory, as other programs do, and writes its files.
function unzip(path, folder) {
  const zip = readFileSync(path);
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06'));
  let at = zip.readUInt32LE(end + 16);
  const names = [];
  for (let i = 0; i < zip.readUInt16LE(end + 10); i++) {
    const length = zip.readUInt16LE(at + 28),
      size_of = zip.readUInt32LE(at + 24),
      head = zip.readUInt32LE(at + 42);
    const name = zip.toString('utf8', at + 46, at + 46 + length);
    const bytes = zip.subarray(head + 30 + length, head + 30 + length + size_of);
    same(`zip: ${name} is whole`, crc(bytes), zip.readUInt32LE(at + 16));
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
    names.push(name);
    at += 46 + length;
  }
  return names;
}
async function files_that_slm_reads(expected) {
  const zip = join(out, 'lesson.zip');
  rmSync(zip, { force: true });
  rmSync(join(out, 'lesson'), { recursive: true, force: true });
  await devtools('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: out });
  await press(button('save'));
  await until('the zip', async () => existsSync(zip));
  const names = unzip(zip, out);
  const has = (name) => check(`zip: ${name}`, names.includes('lesson/' + name), names);
  ['noisy.scores', 'noisy.txt', 'target.txt', 'plain/model.safetensors'].forEach(has);
  const path = (name) => join(out, 'lesson', name);
  const model = JSON.parse(slm('info', path('selective'), '--json'));
  same('slm info knows the fingerprint', model.model_hash, expected.selective.hash);
  const data = ['--data', path('target.txt'), '--seq', '128', '--json', '--quiet'];
  const { loss } = JSON.parse(slm('eval', '--model', path('reference'), ...data));
  const near = Math.abs(loss - expected.reference.loss);
  check('slm eval has the loss of the page', near < 1e-3, { loss, want: expected.reference });
  const scores = slm('info', path('noisy.scores'));
  check('slm info reads the scores', scores.includes('128'), scores);
}

// ---- looks ----
// Texts whose contrast is below 4.5; dropped tokens, signs for line ends and buttons that cannot be
// pressed may have 3.
const faint = () => {
  const channels = (color) => {
    const v = color.match(/[\d.]+/g).map(Number);
    const unit = color.startsWith('color(') ? v : v.map((c, i) => (i < 3 ? c / 255 : c));
    return { rgb: unit.slice(0, 3), alpha: unit[3] ?? 1 };
  };
  const light = (rgb) =>
    rgb
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    if (!element) {
      return channels(getComputedStyle(document.body).backgroundColor).rgb;
    }
    const { rgb, alpha } = channels(getComputedStyle(element).backgroundColor);
    const below = alpha < 1 ? behind(element.parentElement) : rgb;
    return rgb.map((v, i) => alpha * v + (1 - alpha) * below[i]);
  };
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const style = getComputedStyle(element);
    const isSeen = element.getClientRects().length > 0 && style.visibility === 'visible';
    if (!isSeen || walker.currentNode.data.trim() === '' || element.closest('script,textarea')) {
      continue;
    }
    const ink = element.closest('svg') ? style.fill : style.color;
    const [a, b] = [light(channels(ink).rgb), light(behind(element))].sort((p, q) => q - p);
    const least = element.closest('.v-drop, .v-text i, :disabled') ? 3 : 4.5;
    if (!((a + 0.05) / (b + 0.05) >= least)) {
      bad.push(`${walker.currentNode.data.trim().slice(0, 30)}: ${(a + 0.05) / (b + 0.05)}`);
    }
  }
  return bad;
};
const wide = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;

async function readable_everywhere() {
  await sleep(1200); // the last tokens have flashed
  for (const color of ['light', 'dark']) {
    await theme(color);
    same(`${color}: contrast`, (await run(faint)).slice(0, 5), []);
    await shot('web-' + color);
  }
  await theme('light');
  for (const width of [390, 360, 800]) {
    await size(width, 844, width < 500);
    await sleep(200);
    check(`${width} pixels: nothing sticks out to the side`, (await run(wide)) <= 0);
    await shot(`web-${width}`);
  }
  await size(1280, 1000);
}

// ---- texts of one's own ----
const lengthOfNoisy = () => document.getElementById('noisy').value.length;
async function pick(selector, name, content) {
  writeFileSync(join(out, name), content);
  const element = await ask('POST', '/element', { using: 'css selector', value: selector });
  await ask('POST', `/element/${Object.values(element)[0]}/value`, { text: join(out, name) });
  await until('the file', async () => (await run(lengthOfNoisy)) === content.length);
}
async function own_texts() {
  const noisy = '</script><img src=x onerror="window.hacked=1"> <b>7+1=8</b> é中\n'.repeat(90);
  const clean = '7+1=8 and 3+3=6.\n'.repeat(160);
  await press('[value=own]', SPACE);
  await type('#noisy', 'too short');
  await press('#use');
  check('a short text is refused', (await text('#own-note')).includes('too short'));
  await pick('#noisy-file', 'own-noisy.txt', noisy);
  await run((value) => {
    document.getElementById('clean').value = value;
  }, clean);
  await press('#use');
  await begin(true);
  await type('#base-steps', 5000);
  await press('#onward');
  await until('a step', async () => /step \d/.test(await text('#pace')));
  await press('#onward');
  await until('a stop', async () => (await state('base')) === 'stopped');
  await press(button('reference'));
  await done('reference');
  same('what was stopped may be enough', await state('base'), 'done');
  for (const stage of ['scores', 'arms']) {
    await press('#onward');
    await done(stage);
  }
  const found = await run(() => ({
    images: document.images.length,
    hacked: window.hacked ?? 0,
    figures: document.querySelectorAll('.w-figure').length,
    shown: document.getElementById('text').textContent.includes('é·中··'),
  }));
  const want = { figures: 1, hacked: 0, images: 0, shown: true };
  same('own texts are texts, and train', found, want);
}

// ---- all of it ----
try {
  await start(out);
  const made = ['web', 'build/web/native', 'build/web/lesson', 'build/slm'];
  execFileSync('make', ['-s', '-C', top, ...made], { stdio: 'inherit' });
  await size(1280, 1000);
  await theme('light');
  await begin();
  await run(() => {
    window.spansOf = () => [...document.querySelectorAll('#text > span')];
    window.keptOf = () =>
      [...window.spansOf().keys()].filter(
        (i) => window.spansOf()[i].getAttribute('aria-selected') === 'true',
      );
  });
  await the_steps_by_keyboard();
  const expected = await the_same_bits_as_native();
  the_same_bits_as_slm_train();
  await curves_have_names();
  await a_token_tells_its_numbers();
  await passages_go_by();
  await files_that_slm_reads(expected);
  await k_moves_while_it_trains();
  await readable_everywhere();
  await own_texts();
  await quiet('web', 'file://' + page);
} catch (error) {
  check('the test runs to its end', false, error.stack + ' ' + (error.cause ?? ''));
} finally {
  await stop();
}
finish('web');
