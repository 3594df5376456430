// ---- tokens.js: a passage of the noisy text, and the numbers of the token that is asked for ----
const KINDS = ['story', 'step of a sum', 'right result', 'other text', 'wrong result', 'id',
  'time stamp', 'markup'];
const HEATS = [0.5, 1, 2, 4, 8]; // nats: the excess loss that has the fullest colour
const NOISE = 4;  // kinds from here on are noise, those below 3 the target's
let noisyText = null, noisyKinds = null;
let seen = null;     // the passage as the worker last sent it
let order = [];      // its targets in the order of their places
let spans = [], asked = -1, kept = [], heat = 0;

const minus = (text) => text.replace('-', '−');
const nats = (value) => minus(value.toFixed(3));
const signed = (value) => (value < 0 ? '' : '+') + nats(value);
const percent = (p) => p < 0.001 ? '< 0.1%' : (100 * p).toFixed(1) + '%';

function make(parent, tag, name, content) {
  const element = parent.appendChild(document.createElement(tag));
  if (name) {
    element.className = name;
  }
  if (content !== undefined) {
    element.textContent = content;
  }
  return element;
}

// What a byte looks like: a character of UTF-8 stands at its first byte.
function lookOf(bytes, i) {
  const byte = bytes[i];
  if (byte >= 128 && byte < 192) {
    return '·';
  }
  if (byte >= 192) {
    const size = byte >= 240 ? 4 : byte >= 224 ? 3 : 2;
    const letter = new TextDecoder().decode(bytes.subarray(i, i + size));
    return letter.length <= 2 && !letter.includes('\ufffd') ? letter : '·';
  }
  return byte < 32 && byte !== 10 && byte !== 9 || byte === 127 ? '·' : String.fromCharCode(byte);
}

function visible(byte) {
  const names = {9: '⇥', 10: '↵', 32: '␣'};
  return names[byte] || (byte > 32 && byte < 127 ? String.fromCharCode(byte)
    : '0x' + byte.toString(16).padStart(2, '0'));
}

function layOut() {
  const box = document.getElementById('text');
  box.textContent = '';
  spans = order.map((at, i) => {
    const look = lookOf(noisyText, seen.index[at]);
    const span = make(box, 'span', 'v-none');
    if (look === '\n' || look === '\t') {
      make(span, 'i', '', look === '\n' ? '↵' : '⇥');
    }
    span.append(look);
    span.tabIndex = i === 0 ? 0 : -1;
    span.setAttribute('role', 'option');
    return span;
  });
  kept = [];
  asked = -1;
}

function tint(excess) {
  const step = Math.round(4 * Math.max(-1, Math.min(1, excess / heat)));
  return step < 0 ? 'n' + -step : 'p' + step;
}

// The worker's newest numbers: tokens whose fate has changed flash.
function showPassage(data) {
  const moved = !seen || data.index[0] !== seen.index[0];
  seen = data;
  if (moved || spans.length === 0) {
    order = Array.from(data.index.keys()).filter((at) => data.index[at] >= 0);
    layOut();
  }
  const selects = hasScores();
  let total = 0;
  if (selects) {
    chooseHeat();
  }
  order.forEach((at, i) => {
    const span = spans[i], keep = data.mask[at] === 1;
    let name = data.watched < 0 ? 'v-none' : '';
    if (selects) {
      total += keep;
      name = (keep ? 'v-keep' : 'v-drop') + ' v-tint';
      if (kept[i] !== undefined && kept[i] !== keep) {
        name += keep ? ' w-in' : ' w-out';
      }
      kept[i] = keep;
      const color = `var(--v-${tint(data.loss[at] - data.ref[at])})`;
      span.style.setProperty('--h', color);
      span.setAttribute('aria-selected', keep);
    } else {
      span.removeAttribute('aria-selected');
      span.style.removeProperty('--h');
    }
    if (i === asked) {
      name += ' v-at';
    }
    span.className = name;
  });
  const n = order.length;
  document.getElementById('legend').hidden = !selects;
  document.getElementById('truth').textContent = selects && noisyKinds ? truth() : '';
  document.getElementById('count').textContent = !selects
    ? 'A token is a byte.'
    : `${data.watched === 3 ? 'The selective model' : 'The base'} would keep ${total} of ${n} ` +
      `(${Math.round(100 * total / n)}%)`;
  if (asked >= 0) {
    tell();
  }
}

// What is known of the built-in corpus: how much of the target and of the noise is kept.
function truth() {
  function share(isOf) {
    const all = order.map((at, i) => i).filter((i) => isOf(noisyKinds[seen.index[order[i]]]));
    return Math.round(100 * all.filter((i) => kept[i]).length / Math.max(1, all.length)) + '%';
  }
  return `By the known truth: ${share((kind) => kind < 3)} of the stories' bytes, ` +
    `${share((kind) => kind === 3)} of the other text, ` +
    `${share((kind) => kind >= NOISE)} of the noise`;
}

// The smallest of HEATS below which 95% of the passage stay.
function chooseHeat() {
  const sizes = order.map((at) => Math.abs(seen.loss[at] - seen.ref[at])).sort((a, b) => a - b);
  const most = sizes[Math.floor(0.95 * (sizes.length - 1))];
  const next = HEATS.find((each) => each >= most) || HEATS.at(-1);
  if (next !== heat) {
    heat = next;
    drawLegend();
  }
}

function drawLegend() {
  const legend = document.getElementById('legend');
  legend.textContent = '';
  const scale = make(legend, 'span', 'v-scale');
  make(scale, 'span', '', `excess loss −${heat}`);
  for (const name of ['n4', 'n3', 'n2', 'n1', 'p0', 'p1', 'p2', 'p3', 'p4']) {
    make(scale, 'b').style.setProperty('--h', `var(--v-${name})`);
  }
  make(scale, 'span', '', `+${heat} nats`);
  const marks = make(legend, 'span', 'v-scale');
  make(marks, 'span', 'v-keep', 'kept');
  make(marks, 'span', 'v-drop', 'dropped');
}

// ---- the numbers of a token: equations 1 to 5 ----
function equation(list, number, formula, meaning) {
  const row = make(list, 'div', 'w-equation');
  make(row, 'b', 'w-eq', `(${number})`);
  const said = make(row, 'div');
  const line = make(said, 'p', 'w-formula');
  formula.split(/_(RM|SLM)/).forEach((piece, i) => {
    if (i % 2 === 1) {
      make(line, 'sub', '', piece);
    } else {
      line.append(piece);
    }
  });
  make(said, 'p', 'v-small', meaning);
}

// What stands in the panel until a token is asked for.
function tellEquations() {
  const panel = document.getElementById('panel');
  panel.textContent = '';
  make(panel, 'p', 'w-equations-title', 'The equations, until you click a token');
  const list = make(panel, 'div', 'w-equations');
  equation(list, 1, 'L_RM(x) = −ln P_RM(x | before)',
      'the reference\'s loss of a token, found once');
  equation(list, 2, 'L(x) = −ln P(x | before)',
      'the model\'s loss; plain training lowers its mean over all tokens');
  equation(list, 3, 'S(x) = L(x) − L_RM(x)', 'the excess: what there is still to learn');
  equation(list, 5, 'I(x) = 1 for the k highest S', 'k = ⌊share · n + ½⌋ of n tokens');
  equation(list, 4, 'L_SLM = Σ I(x) L(x) / k', 'what selective training lowers');
}

// Ties go to the token that stands first, as in slm.h.
function rankOf(at) {
  const own = Math.fround(seen.loss[at] - seen.ref[at]);
  return order.filter((other) => {
    const score = Math.fround(seen.loss[other] - seen.ref[other]);
    return score > own || score === own && other < at;
  }).length + 1;
}

function tell() {
  const panel = document.getElementById('panel'), at = order[asked];
  const guesses = panel.querySelector('.w-expected');
  panel.textContent = '';
  const place = seen.index[at];
  make(panel, 'p', 'v-token', visible(noisyText[place]));
  make(panel, 'p', 'v-where', `token ${place}` +
    (noisyKinds ? ` · ${KINDS[noisyKinds[place]]}` : ''));
  if (seen.watched < 0) {
    make(panel, 'p', 'v-small', 'No model has read it yet.');
    return;
  }
  const loss = seen.loss[at], ref = seen.ref[at], n = order.length;
  const who = seen.watched === 3 ? 'the selective model' : 'the base';
  const list = make(panel, 'div', 'w-equations');
  if (hasScores()) {
    equation(list, 1, `L_RM = −ln ${Math.exp(-ref).toFixed(3)} = ${nats(ref)}`,
        `the reference gave it ${percent(Math.exp(-ref))}`);
  }
  const mean = order.reduce((sum, other) => sum + seen.loss[other], 0) / n;
  equation(list, 2, `L = −ln ${Math.exp(-loss).toFixed(3)} = ${nats(loss)}`,
      `${who} gives it ${percent(Math.exp(-loss))}; the mean of the passage is ${nats(mean)}`);
  if (hasScores()) {
    tellSelection(list, at, loss, ref);
  }
  if (guesses && Number(guesses.dataset.index) === place) {
    panel.append(guesses);
  }
}

function tellSelection(list, at, loss, ref) {
  const n = order.length, keep = seen.mask[at] === 1;
  const k = order.filter((other) => seen.mask[other] === 1).length;
  const sum = order.reduce((all, other) => all + seen.mask[other] * seen.loss[other], 0);
  equation(list, 3, `S = L − L_RM = ${signed(loss - ref)}`,
      loss > ref ? 'more to learn here than the reference leaves' : 'known as well as it can be');
  equation(list, 5, `I = ${keep ? 1 : 0}: ${keep ? '✓ kept' : '✕ dropped'}`,
      `rank ${rankOf(at)} of ${n}; kept are the first k = ${k}`);
  equation(list, 4, `I L / k = ${keep ? (loss / k).toFixed(5) : '0'}`,
      `its part of the selective loss, ${nats(sum / k)} over the kept`);
}

function showGuess({index, ids, p}) {
  if (asked < 0 || seen.index[order[asked]] !== index) {
    return;
  }
  const panel = document.getElementById('panel');
  panel.querySelector('.w-expected')?.remove();
  const box = make(panel, 'div', 'w-expected');
  box.dataset.index = index;
  make(box, 'p', 'v-small', 'what it expected here');
  const list = make(box, 'ol', 'v-guesses');
  ids.forEach((id, i) => {
    const row = make(list, 'li', id === noisyText[index] ? 'v-hit' : '');
    make(row, 'code', '', visible(id));
    make(make(row, 'span'), 'div', 'v-bar').style.width = 100 * p[i] + '%';
    make(row, 'em', '', percent(p[i]));
  });
}

// ---- moving about: one token is in the tab order ----
function ask(i) {
  if (i < 0 || i >= spans.length) {
    return;
  }
  const before = Math.max(0, asked);
  spans[before].tabIndex = -1;
  spans[before].classList.remove('v-at');
  asked = i;
  spans[i].tabIndex = 0;
  spans[i].classList.add('v-at');
  spans[i].focus();
  tell();
  if (seen.watched >= 0) {
    send('guess', {index: seen.index[order[i]]});
  }
}

function moveByKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || spans.length === 0) {
    return;
  }
  const i = Math.max(0, asked), sideways = {ArrowLeft: -1, ArrowRight: 1}[event.key];
  const upright = {ArrowUp: -1, ArrowDown: 1}[event.key];
  if (sideways) {
    ask(event.shiftKey ? slmNextKept(spans.length, (j) => kept[j], i, sideways) : i + sideways);
  } else if (upright) {
    ask(slmOtherLine(spans, i, upright));
  } else if (event.key === 'Home') {
    ask(0);
  } else if (event.key === 'End') {
    ask(spans.length - 1);
  } else {
    return;
  }
  event.preventDefault();
}

function tokenOf(event) {
  return spans.indexOf(event.target.closest('.v-text > span'));
}
