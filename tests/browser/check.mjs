// check.mjs: the heat map, the report and the figures in a real browser (Debian: chromium,
// chromium-driver).
//
//     node tests/browser/check.mjs [OUT [PAGE...]]
//
// Builds pages.c, opens its pages headless, moves the slider, presses keys, taps, and reads what
// the page shows; the same, in short, for the report of `make repro` on made-up runs
// (tests/support/fixture.sh) and, if it is there, build/repro/report.html.  PAGE: other pages, e.g.
// build/report.html, which are held to what holds for every page.  Screenshots and pages are left
// in OUT (default build/browser).  Exit: 0 passed, 1 failed, 77 skipped because a program is
// missing.  No npm package: the driver speaks HTTP.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  check,
  finish,
  heard,
  keys,
  open,
  point,
  quiet,
  run,
  same,
  shot,
  size,
  start,
  stop,
  theme,
  DOWN,
  END,
  HOME,
  LEFT,
  RIGHT,
  SHIFT,
  UP,
} from './driver.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, '../../build/browser'));

// ---- what is read from a page; these functions run inside it ----
const state = () => {
  const root = document.querySelector('.slm-view'),
    tokens = [...root.querySelectorAll('.v-text > span')];
  const bits = (test) => tokens.map((token) => (test(token) ? '1' : '0')).join('');
  return {
    count: root.querySelector('.v-count').textContent,
    panel: root.querySelector('.v-panel').innerText,
    mask: bits((token) => token.getAttribute('aria-selected') === 'true'),
    lines: bits((token) => getComputedStyle(token).borderBottomStyle === 'solid'),
    focus: tokens.indexOf(document.activeElement),
    ring: getComputedStyle(document.activeElement).outlineStyle,
    stops: tokens.filter((token) => token.tabIndex === 0).length,
  };
};
const slide = (percent) => {
  const slider = document.querySelector('.v-slider');
  slider.value = percent;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
};
const where = (i) => {
  const token = document.querySelectorAll('.v-text > span')[i];
  token.scrollIntoView({ block: 'center' });
  const box = token.getClientRects()[0];
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
};
const wide = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
// Lowest contrast of text over every colour of the view, kept and dropped (whose tint is mixed down
// to 45%).
const contrast = () => {
  const view = document.querySelector('.slm-view'),
    probe = view.appendChild(document.createElement('span'));
  const rgb =
    // 0 to 1; a mixed color computes to color(srgb r g b), a plain one to rgb(r, g, b)
    (color) => {
      probe.style.color = color;
      const text = getComputedStyle(probe).color;
      return text
        .match(/[\d.]+/g)
        .slice(0, 3)
        .map((v) => (text.startsWith('color(') ? Number(v) : v / 255));
    };
  const light = (c) =>
    c
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => {
    const [x, y] = [light(rgb(a)), light(rgb(b))].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const names = [
    'n4',
    'n3',
    'n2',
    'n1',
    'p0',
    'p1',
    'p2',
    'p3',
    'p4',
    's0',
    's1',
    's2',
    's3',
    's4',
    't0',
    't1',
    't2',
    't3',
    't4',
    't5',
  ];
  const low = (ink, mix) => Math.min(...names.map((name) => ratio(`var(--v-${ink})`, mix(name))));
  const result = {
    kept: low('ink', (n) => `var(--v-${n})`),
    soft: ratio('var(--v-soft)', 'var(--v-bg)'),
    dropped: low('faint', (n) => `color-mix(in srgb, var(--v-${n}) 45%, var(--v-bg))`),
  };
  probe.remove();
  return result;
};
// Texts of figures that leave their figure, or that lie on another text.
const badTexts = () =>
  [...document.querySelectorAll('svg[aria-label]:not(.v-hist)')].flatMap((svg) => {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].map((t) => ({
      t: t.textContent,
      b: t.getBoundingClientRect(),
    }));
    const leaves = ({ b }) =>
      b.left < frame.left - 1 ||
      b.right > frame.right + 1 ||
      b.top < frame.top - 1 ||
      b.bottom > frame.bottom + 1;
    const meet = (b, c) =>
      Math.min(b.right, c.right) - Math.max(b.left, c.left) > 3 &&
      Math.min(b.bottom, c.bottom) - Math.max(b.top, c.top) > 5;
    const outside = texts.filter(leaves),
      over = texts.filter(({ b }, i) => texts.slice(i + 1).some((other) => meet(b, other.b)));
    return [...outside, ...over].map(({ t }) => t);
  });
// Texts of figures that are shown smaller than 10.5 pixels.
const smallTexts = () =>
  [...document.querySelectorAll('svg[aria-label]:not(.v-hist)')].flatMap((svg) => {
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    return [...svg.querySelectorAll('text')]
      .filter((t) => scale > 0 && scale * Number(t.getAttribute('font-size')) < 10.5)
      .map((t) => t.textContent);
  });
const deadLinks = () =>
  [...document.querySelectorAll('a[href^="#"]')]
    .map((a) => a.getAttribute('href'))
    .filter((id) => !document.querySelector(id));

// ---- the tests ----
async function the_test_itself_notices() {
  const file = join(out, 'bad.html');
  writeFileSync(
    file,
    '<!DOCTYPE html><title>bad</title><img src="http://127.0.0.1:9/x.png">' +
      '<script>console.error("told")</script>',
  );
  await open(file);
  const { said, asked } = await heard();
  check(
    'self-test: a console error is noticed',
    said.some((line) => line.includes('told')),
    said,
  );
  check(
    'self-test: a request is noticed',
    asked.some((url) => url.includes(':9/x.png')),
    asked,
  );
}
async function slider_cuts_as_c_does(expected) {
  const first = await run(state);
  same('the page begins with the selection of training', first.mask, expected.trained);
  check(
    'the line under the slider counts it',
    first.count.startsWith(
      `kept ${expected.trained.split('1').length - 1} of ${expected.targets} (`,
    ),
    first.count,
  );
  for (const { percent, k, mask } of expected.cuts) {
    await run(slide, percent);
    const now = await run(state);
    same(
      `${percent}%: count`,
      now.count,
      `kept ${k} of ${expected.targets} (${Math.round((100 * k) / expected.targets)}%)`,
    );
    same(`${percent}%: which tokens`, now.mask, mask);
    same(`${percent}%: kept ones are underlined, and only they`, now.lines, mask);
  }
  await run(() => document.querySelector('.v-slider').focus());
  await run(slide, 50);
  await keys(LEFT, LEFT);
  same(
    'the slider obeys the keyboard',
    (await run(state)).count.split(' ')[1],
    String(expected.cuts[47].k),
  );
  await run(() => document.querySelector('.v-trained').click());
  same('back to the selection of training', (await run(state)).mask, expected.trained);
}
async function keys_move_and_tell(expected) {
  await run(slide, 30);
  const mask = expected.cuts[29].mask;
  const at = await run(where, 20);
  await point('mouse', at.x, at.y, true);
  same('a click focuses a token', (await run(state)).focus, 20);
  await keys(RIGHT, RIGHT, LEFT, RIGHT);
  const now = await run(state);
  same('arrows move', now.focus, 22);
  same('the focus shows a ring', now.ring, 'solid');
  same('one token is in the tab order', now.stops, 1);
  for (const text of [
    'token 1022',
    'loss',
    'reference',
    'excess',
    `of ${expected.targets}`,
    '50.0%',
    mask[22] === '1' ? 'kept' : 'dropped',
  ]) {
    check(`the panel tells ${text}`, now.panel.includes(text), now.panel);
  }
  await keys(SHIFT + RIGHT);
  same('with Shift: the next kept token', (await run(state)).focus, mask.indexOf('1', 23));
  await keys(END);
  same('End', (await run(state)).focus, mask.length - 1);
  await keys(HOME);
  same('Home', (await run(state)).focus, 0);
  check('what is not a target says so', (await run(state)).panel.includes('Not a target'));
  await keys(DOWN);
  const below = (await run(state)).focus;
  check('down goes to another line', below > 2, String(below));
  await keys(UP);
  same('up comes back', (await run(state)).focus, 0);
  const over = await run(where, 30);
  await point('mouse', over.x, over.y, false);
  check('pointing tells about a token', (await run(state)).panel.includes('token 1030'));
  await point('mouse', 5, 5, false);
  check('and leaving returns to the focused one', (await run(state)).panel.includes('token 1000'));
}
async function every_text_is_harmless() {
  const names = await run(() => ({
    images: document.images.length,
    kinds: document.querySelector('.v-kinds').textContent,
  }));
  check(
    'names and predictions cannot become an element',
    names.images === 0 && names.kinds.includes('<img src=x>'),
    names,
  );
  const colors = await run(() =>
    [...document.querySelectorAll('.v-modes button')].map((button) => {
      button.click();
      return [...document.querySelectorAll('.v-text > span')]
        .map((token) => getComputedStyle(token).backgroundColor)
        .join();
    }),
  );
  same('four ways to colour, all different', new Set(colors).size, 4);
  await run(() => document.querySelector('.v-next').click());
  const text = await run(() => ({
    hacked: window.hacked ?? 0,
    scripts: document.scripts.length,
    images: document.images.length,
    text: document.querySelector('.v-text').textContent,
  }));
  same(
    'text cannot become a script or an element',
    [text.hacked, text.scripts, text.images],
    [0, 2, 0],
  );
  for (const part of [
    '</script><script>',
    '<img src=x',
    '\\u0001',
    '\\u001B[31m',
    '\\xFF\\xFE\\xC3(',
    '\\u200B',
    '\\u202E',
    '\u{1F600}···',
    '中··文··',
    '⇥\t↵\n\\u000D',
    '\\xE2\\x82',
  ]) {
    check(`shows ${JSON.stringify(part)}`, text.text.includes(part), text.text);
  }
  await run(() => document.querySelector('.v-next').click());
  same('at least one token is kept', (await run(state)).count, 'kept 1 of 3 (33%)');
  await run(() => document.querySelector('.v-next').click());
  same('a text without targets', (await run(state)).count, 'kept 0 of 0 (–)');
  await run(() => document.querySelector('.v-next').click());
  same('a text without tokens', (await run(state)).mask, '');
}
async function readable_in_both_themes(file) {
  for (const color of ['light', 'dark']) {
    await theme(color);
    await size(1280, 1000);
    await open(file);
    await run(slide, 40);
    const { kept, dropped, soft } = await run(contrast);
    check(`${color}: kept text has contrast 4.5`, kept >= 4.5, String(kept));
    check(`${color}: dropped text has contrast 3`, dropped >= 3, String(dropped));
    check(`${color}: small print has contrast 4.5`, soft >= 4.5, String(soft));
    await shot('view-' + color);
  }
  await theme('light');
}
async function usable_on_a_phone(file) {
  await size(390, 844, true);
  await open(file);
  check('phone: nothing sticks out to the side', (await run(wide)) <= 0);
  const at = await run(where, 40);
  await point('touch', at.x, at.y, true);
  const now = await run(state);
  check('phone: a tap tells about a token', now.panel.includes('token 1040'), now.panel);
  const box = await run(() => {
    const b = document.querySelector('.v-panel').getBoundingClientRect();
    return [b.top, b.bottom, innerHeight];
  });
  check('phone: and what it tells is in view', box[0] >= 0 && box[1] <= box[2] + 1, box);
  await shot('view-phone');
  await size(1280, 1000);
}
async function figures_stand_alone() {
  for (const name of ['lines', 'log', 'points', 'bars', 'shares', 'map']) {
    const url = await open(join(out, name + '.svg'));
    same(name + '.svg is an SVG', await run(() => document.documentElement.tagName), 'svg');
    same(name + '.svg: every text inside, none on another', await run(badTexts), []);
    await quiet(name + '.svg', url);
  }
}
async function holds_for_every_page(file, name) {
  const screens = [
    ['wide', 1400, 1000, false, 'light'],
    ['dark', 1400, 1000, false, 'dark'],
    ['phone', 390, 844, true, 'light'],
  ];
  for (const [where, width, height, phone, color] of screens) {
    await theme(color);
    await size(width, height, phone);
    const url = await open(file);
    await run(() =>
      document.querySelectorAll('details').forEach((each) => {
        each.open = true;
      }),
    );
    check(`${name}, ${where}: nothing sticks out to the side`, (await run(wide)) <= 0);
    same(`${name}, ${where}: texts of figures`, await run(badTexts), []);
    same(`${name}, ${where}: texts of figures too small to read`, await run(smallTexts), []);
    same(`${name}, ${where}: links lead somewhere`, await run(deadLinks), []);
    await shot(`${name}-${where}`);
    await quiet(`${name}, ${where}`, url);
  }
  await theme('light');
  await size(1400, 1000);
}
// The report of make repro: every claim has a verdict and a falsifier, the slider of each token
// view re-cuts, figures have numbers.
async function report_of_repro(file, name) {
  await size(1400, 1000);
  const url = await open(file);
  const claims = await run(() =>
    [...document.querySelectorAll('.r-claim')].map((claim) => ({
      verdict: claim.querySelector('.r-badge').innerText,
      title: claim.querySelector('h3').innerText,
      falsifier: [...claim.querySelectorAll('dt')].some((dt) => dt.innerText === 'False if'),
    })),
  );
  check(`${name}: claims`, claims.length > 10, String(claims.length));
  same(
    `${name}: claims without a falsifier`,
    claims.filter((claim) => !claim.falsifier),
    [],
  );
  same(
    `${name}: claims without a verdict`,
    claims.filter((claim) => !/holds|hold|open|in part/.test(claim.verdict)),
    [],
  );
  const figures = await run(() =>
    [...document.querySelectorAll('figure')].map((f) => [
      f.querySelector('svg') !== null,
      f.textContent.includes('Numbers: '),
      f.querySelector('.r-command')?.textContent ?? '',
    ]),
  );
  same(
    `${name}: figures without picture, numbers or command`,
    figures.filter(([svg, csv, command]) => !svg || !csv || command === ''),
    [],
  );
  const views = await run(() => document.querySelectorAll('.slm-view').length);
  for (let i = 0; i < views; i++) {
    const counts = [];
    for (const percent of [10, 40, 100]) {
      counts.push(
        await run(
          (at, value) => {
            const view = document.querySelectorAll('.slm-view')[at],
              slider = view.querySelector('.v-slider');
            slider.value = value;
            slider.dispatchEvent(new Event('input', { bubbles: true }));
            return (
              Number(view.querySelector('.v-count').textContent.split(' ')[1]) -
                view.querySelectorAll('[aria-selected=true]').length ||
              Number(view.querySelector('.v-count').textContent.split(' ')[1])
            );
          },
          i,
          percent,
        ),
      );
    }
    check(
      `${name}: the slider of view ${i + 1} changes what is kept`,
      counts[0] < counts[1] && counts[1] < counts[2],
      counts,
    );
    const panel = await run((at) => {
      const view = document.querySelectorAll('.slm-view')[at],
        token = view.querySelectorAll('.v-text > span')[5];
      token.scrollIntoView({ block: 'center' });
      token.focus();
      return view.querySelector('.v-panel').innerText;
    }, i);
    check(
      `${name}: view ${i + 1} tells rank and predictions`,
      panel.includes('rank') && panel.includes('expected'),
      panel,
    );
  }
  await quiet(name, url);
  return views;
}

// slm.h as a page: every name leads to its definition, formulas have subscripts, uses lead upwards.
async function the_book(file) {
  for (const [where, width, color] of [
    ['wide', 1280, 'light'],
    ['dark', 1280, 'dark'],
    ['phone', 360, 'light'],
  ]) {
    await theme(color);
    await size(width, 900, width < 500);
    const url = await open(file);
    check(`book, ${where}: nothing sticks out to the side`, (await run(wide)) <= 0);
    same(`book, ${where}: links lead somewhere`, (await run(deadLinks)).slice(0, 9), []);
    await shot(`book-${where}`);
    await quiet(`book, ${where}`, url);
  }
  const loose = await run(() =>
    [...document.querySelectorAll('.l')].flatMap((line) =>
      [...line.childNodes]
        .filter((node) => node.nodeType === Node.TEXT_NODE && /\bslm_/i.test(node.textContent))
        .map((node) => line.id + ' ' + node.textContent),
    ),
  );
  same('book: names without a link', loose.slice(0, 9), []);
  const arcs = await run(() =>
    [...document.querySelectorAll('.uses path')].map((path) =>
      path
        .getAttribute('d')
        .split(/[ MC]+/)
        .map(Number),
    ),
  );
  check('book: sections use each other', arcs.length > 20, arcs.length);
  same(
    'book: uses that lead down',
    arcs.filter((d) => d[2] < d[8]),
    [],
  );
  const formulas = await run(() => document.querySelectorAll('#idea sub').length);
  check('book: the equations have subscripts', formulas > 15, formulas);
  const lines = await run(() => document.querySelectorAll('.l').length);
  check('book: the code is there', lines > 3000, lines);
}

// ---- all of it ----
try {
  await start(out);
  const top = join(here, '../..');
  execFileSync('make', ['-s', '-C', top, 'build/pages', 'build/fixture', 'book'], {
    stdio: 'inherit',
  });
  execFileSync(join(top, 'build/pages'), [out], { stdio: 'inherit' });
  const expected = JSON.parse(readFileSync(join(out, 'expected.json'), 'utf8')),
    view = join(out, 'view.html');
  await the_test_itself_notices();
  await size(1280, 1000);
  const url = await open(view);
  await slider_cuts_as_c_does(expected);
  await keys_move_and_tell(expected);
  await every_text_is_harmless();
  await quiet('view', url);
  await readable_in_both_themes(view);
  await usable_on_a_phone(view);
  await figures_stand_alone();
  await the_book(join(top, 'build/slm.html'));
  await holds_for_every_page(join(out, 'report.html'), 'report');
  const repro = join(out, 'repro'),
    made = join(here, '../../build/repro/report.html');
  rmSync(repro, { recursive: true, force: true });
  execFileSync('sh', [join(here, '../support/fixture.sh'), repro], { stdio: 'inherit' });
  execFileSync(join(top, 'build/fixture'), [repro], { stdio: ['ignore', 'ignore', 'inherit'] });
  same('repro: token views', await report_of_repro(join(repro, 'report.html'), 'repro'), 1);
  await holds_for_every_page(join(repro, 'report.html'), 'repro');
  if (existsSync(made)) {
    await report_of_repro(made, 'build/repro');
    await holds_for_every_page(made, 'made-repro');
  }
  for (const [i, page] of process.argv.slice(3).entries()) {
    await holds_for_every_page(page, 'page' + (i + 1));
  }
} catch (error) {
  check('the test runs to its end', false, error.stack + ' ' + (error.cause ?? ''));
} finally {
  await stop();
}
finish('browser');
