(function() {
'use strict';
var root = document.currentScript.closest('.slm-view');
var texts = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
var text, spans, ratio, trained, mode, looks, focused, shown, heat;

function find(name) { return root.querySelector('.v-' + name); }
function make(parent, tag, name, content) {
  var svg = parent.namespaceURI.indexOf('svg') > 0;
  var element =
      svg ? document.createElementNS(parent.namespaceURI, tag) : document.createElement(tag);
  if (name) {
    element.setAttribute('class', name);
  }
  if (content !== undefined) {
    element.textContent = content;
  }
  parent.appendChild(element);
  return element;
}
function clear(name) {
  var element = find(name);
  element.textContent = '';
  return element;
}
function visible(s) {
  return s.replace(/ /g, '␣').replace(/\n/g, '↵').replace(/\t/g, '⇥') || '(nothing)';
}
function nats(v) { return v === null ? '–' : (v < 0 ? '−' : '') + Math.abs(v).toFixed(3); }
function percent(part, whole) { return whole > 0 ? Math.round(100 * part / whole) + '%' : '–'; }
function share(p) { return p < 0.001 ? '< 0.1%' : (100 * p).toFixed(1) + '%'; }
function excess(i) {
  return text.loss[i] === null || !text.ref ? null : text.loss[i] - text.ref[i];
}
function ranked(i) { return text.ref ? excess(i) : text.loss[i]; }

// The rule of the C code: k = floor(ratio n + 1/2), at least 1.  The ranks come from C, ties to the
// lowest index.
function count(n) { return n === 0 ? 0 : Math.min(n, Math.max(1, Math.floor(ratio * n + 0.5))); }
function kept(i) {
  return trained ? text.kept[i] === '1' : text.rank[i] >= 0 && text.rank[i] < count(text.targets);
}

// ---- colours: excess in nine steps around zero, losses in five from zero, kinds by name ----
function value(i) {
  return mode === 'excess' ? excess(i) : mode === 'loss' ? text.loss[i] : text.ref[i];
}
function measure() {
  var sizes = [];
  spans.forEach(function(span, i) {
    if (mode !== 'kind' && text.loss[i] !== null) {
      sizes.push(Math.abs(value(i)));
    }
  });
  sizes.sort(function(a, b) { return a - b; });
  heat = Math.max(0.1, sizes.length ? sizes[Math.floor(0.95 * (sizes.length - 1))] : 1);
}
function tint(i) {
  if (mode === 'kind') {
    return text.kind[i] < 0 ? '' : 't' + text.kind[i] % 6;
  }
  if (text.loss[i] === null) {
    return '';
  }
  var step = Math.round(4 * Math.max(-1, Math.min(1, value(i) / heat)));
  return mode === 'excess' ? (step < 0 ? 'n' + -step : 'p' + step) : 's' + Math.max(0, step);
}
function paint() {
  var total = 0;
  spans.forEach(function(span, i) {
    var keep = kept(i), color = tint(i);
    total += keep ? 1 : 0;
    if (looks[i] === keep + color) {
      return;
    }
    looks[i] = keep + color;
    span.className = (text.loss[i] === null ? 'v-none'
                         : keep             ? 'v-keep'
                                            : 'v-drop') +
                     (color ? ' v-tint' : '') +
                     (text.odd[i] === '1'      ? ' v-odd'
                         : text.odd[i] === '2' ? ' v-rest'
                                               : '');
    span.style.setProperty('--h', color ? 'var(--v-' + color + ')' : 'none');
    span.setAttribute('aria-selected', keep);
  });
  find('count').textContent =
      'kept ' + total + ' of ' + text.targets + ' (' + percent(total, text.targets) + ')';
  find('ratio').textContent = trained ? '' : Math.round(1000 * ratio) / 10 + '%';
  find('trained').setAttribute('aria-pressed', trained);
  drawHistogram();
  drawKinds();
  show(focused < 0 ? nextKept(-1, 1) : focused);
}

// ---- what stands beside the text ----
function drawHistogram() {
  var svg = clear('hist'), least = Infinity, most = -Infinity, top = 1, cut = Infinity, all = [],
      part = [], i, b;
  for (i = 0; i < spans.length; i++) {
    if (ranked(i) !== null) {
      least = Math.min(least, ranked(i));
      most = Math.max(most, ranked(i));
    }
  }
  if (!(most > least)) {
    return;
  }
  for (b = 0; b < 48; b++) {
    all.push(0);
    part.push(0);
  }
  for (i = 0; i < spans.length; i++) {
    if (ranked(i) === null) {
      continue;
    }
    b = Math.min(47, Math.floor(48 * (ranked(i) - least) / (most - least)));
    all[b]++;
    top = Math.max(top, all[b]);
    if (kept(i)) {
      part[b]++;
      cut = Math.min(cut, ranked(i));
    }
  }
  function bar(name, b, n) {
    var rect = make(svg, 'rect', name), height = 52 * Math.sqrt(n / top);
    rect.setAttribute('x', 5 * b);
    rect.setAttribute('width', 4.2);
    rect.setAttribute('y', 56 - height);
    rect.setAttribute('height', height);
  }
  for (b = 0; b < 48; b++) {
    bar('v-all', b, all[b]);
    bar('v-part', b, part[b]);
  }
  if (!trained && cut < Infinity) {
    make(svg, 'path').setAttribute('d', 'M' + 240 * (cut - least) / (most - least) + ' 0V60');
  }
  [['start', 0, least], ['end', 240, most]].forEach(function(end) {
    var label = make(svg, 'text', '', nats(end[2]).slice(0, -2));
    label.setAttribute('text-anchor', end[0]);
    label.setAttribute('x', end[1]);
    label.setAttribute('y', 69);
  });
}
function drawKinds() {
  var list = clear('kinds');
  (text.kinds || []).forEach(function(name, kind) {
    var all = 0, part = 0, row;
    spans.forEach(function(span, i) {
      if (text.kind[i] === kind && text.loss[i] !== null) {
        all++;
        part += kept(i) ? 1 : 0;
      }
    });
    row = make(list, 'li');
    make(row, 'span', '', name);
    make(make(row, 'span'), 'div', 'v-bar').style.width = (all ? 100 * part / all : 0) + '%';
    make(row, 'em', '', percent(part, all) + ' of ' + all);
  });
}
function show(i) {
  var panel = clear('panel'), facts, list;
  if (spans[shown]) {
    spans[shown].classList.remove('v-at');
  }
  if (spans[i]) {
    spans[i].classList.add('v-at');
  }
  shown = i;
  if (!spans[i]) {
    return;
  }
  make(panel, 'p', 'v-token', visible(text.tokens[i]));
  make(panel, 'p', 'v-where',
      'token ' + (text.position + i) +
          (text.kinds && text.kind[i] >= 0 ? ' · ' + text.kinds[text.kind[i]] : '') +
          (text.hex[i] ? ' · bytes ' + text.hex[i] : ''));
  if (text.loss[i] === null) {
    make(panel, 'p', '', 'Not a target: it has no loss.');
    return;
  }
  facts = make(panel, 'dl', 'v-facts');
  function fact(name, content) {
    make(facts, 'dt', '', name);
    make(facts, 'dd', '', content);
  }
  fact('selection', kept(i) ? '✓ kept' : '✕ dropped');
  fact('rank', text.rank[i] + 1 + ' of ' + text.targets);
  fact('loss', nats(text.loss[i]));
  if (text.ref) {
    fact('reference', nats(text.ref[i]));
    fact('excess', nats(excess(i)));
  }
  fact('probability', share(Math.exp(-text.loss[i])));
  if (!text.guess) {
    return;
  }
  make(panel, 'p', 'v-small', 'the model expected');
  list = make(panel, 'ol', 'v-guesses');
  text.guess[i].forEach(function(guess) {
    var row = make(list, 'li', guess[2] ? 'v-hit' : '');
    make(row, 'code', '', visible(guess[0]));
    make(make(row, 'span'), 'div', 'v-bar').style.width = 100 * guess[1] + '%';
    make(row, 'em', '', share(guess[1]));
  });
}
function drawLegend() {
  var legend = clear('legend'), scale = make(legend, 'span', 'v-scale'), names = [];
  function swatch(name) { make(scale, 'b').style.setProperty('--h', 'var(--v-' + name + ')'); }
  if (mode === 'kind') {
    text.kinds.forEach(function(name, i) {
      swatch('t' + i % 6);
      make(scale, 'span', '', ' ' + name);
    });
  } else {
    names = mode === 'excess' ? ['n4', 'n3', 'n2', 'n1', 'p0', 'p1', 'p2', 'p3', 'p4']
                              : ['s0', 's1', 's2', 's3', 's4'];
    make(scale, 'span', '', mode === 'excess' ? 'below the reference −' + heat.toFixed(1) : '0');
    names.forEach(swatch);
    make(scale, 'span', '',
        mode === 'excess' ? '+' + heat.toFixed(1) + ' nats above it'
                          : heat.toFixed(1) + ' nats or more');
  }
  scale = make(legend, 'span', 'v-scale');
  make(scale, 'span', 'v-keep', 'kept');
  make(scale, 'span', 'v-drop', 'dropped');
}

// ---- the text ----
function fill(span, token) {
  token.split(/([\n\t])/).forEach(function(piece) {
    if (piece === '\n' || piece === '\t') {
      make(span, 'i', '', piece === '\n' ? '↵' : '⇥');
    }
    span.appendChild(document.createTextNode(piece));
  });
}
function open(which) {
  var box = clear('text');
  text = texts[which];
  trained = text.kept !== null;
  ratio = text.ratio;
  focused = -1;
  looks = [];
  spans = text.tokens.map(function(token, i) {
    var span = make(box, 'span');
    fill(span, token);
    span.tabIndex = i === 0 ? 0 : -1;
    span.setAttribute('role', 'option');
    return span;
  });
  box.scrollTop = 0;
  find('select').value = which;
  find('prev').disabled = which === 0;
  find('next').disabled = which === texts.length - 1;
  find('pick').hidden = texts.length < 2;
  find('trained').hidden = text.kept === null;
  find('slider').value = Math.round(100 * ratio);
  find('histname').textContent =
      (text.ref ? 'excess loss' : 'loss') +
      ' of the tokens (nats), the kept ones filled in; heights by square root';
  find('kindname').hidden = !text.kinds;
  drawModes();
}
function drawModes() {
  var box = clear('modes');
  var names = [
    ['excess', 'excess', text.ref], ['loss', 'loss', true], ['ref', 'reference', text.ref],
    ['kind', 'truth', text.kinds]
  ];
  names = names.filter(function(name) { return name[2]; });
  if (!names.some(function(name) { return name[0] === mode; })) {
    mode = names[0][0];
  }
  box.hidden = names.length < 2;
  names.forEach(function(name) {
    var button = make(box, 'button', '', name[1]);
    button.type = 'button';
    button.dataset.mode = name[0];
    button.addEventListener('click', function() {
      mode = name[0];
      colour();
    });
  });
  colour();
}
function colour() {
  find('modes').childNodes.forEach(function(
      button) { button.setAttribute('aria-pressed', button.dataset.mode === mode); });
  measure();
  drawLegend();
  paint();
}

// ---- moving about: one token is in the tab order; arrows move it ----
function focus(i) {
  if (i < 0 || i >= spans.length) {
    return;
  }
  if (focused >= 0) {
    spans[focused].tabIndex = -1;
  } else {
    spans[0].tabIndex = -1;
  }
  focused = i;
  spans[i].tabIndex = 0;
  spans[i].setAttribute(
      'aria-label', visible(text.tokens[i]) +
                        (text.loss[i] === null ? ''
                            : kept(i)          ? ', kept'
                                               : ', dropped') +
                        (text.loss[i] === null
                                ? ''
                                : ', loss ' + nats(text.loss[i]) + ', rank ' + (text.rank[i] + 1)));
  spans[i].focus();
  show(i);
}
function nextKept(i, step) { return slmNextKept(spans.length, kept, i, step); }
function tokenOf(event) { return spans.indexOf(event.target.closest('.v-text > span')); }
find('text').addEventListener('keydown', function(event) {
  var step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1}[event.key],
      i = Math.max(0, focused);
  if (event.ctrlKey || event.altKey || event.metaKey) {
    return;
  }
  if (event.key === 'Home') {
    focus(0);
  } else if (event.key === 'End') {
    focus(spans.length - 1);
  } else if (!step) {
    return;
  } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
    focus(slmOtherLine(spans, i, step));
  } else {
    focus(event.shiftKey ? nextKept(i, step) : i + step);
  }
  event.preventDefault();
});
find('text').addEventListener('focusin', function(event) {
  var i = tokenOf(event);
  if (i >= 0 && i !== focused) {
    focus(i);
  }
});
find('text').addEventListener('click', function(event) { focus(tokenOf(event)); });
find('text').addEventListener('pointermove', function(event) {
  var i = tokenOf(event);
  if (i >= 0 && i !== shown && event.pointerType === 'mouse') {
    show(i);
  }
});
find('text').addEventListener(
    'pointerleave', function() { show(focused < 0 ? nextKept(-1, 1) : focused); });
find('slider').addEventListener('input', function() {
  ratio = find('slider').value / 100;
  trained = false;
  paint();
});
find('trained').addEventListener('click', function() {
  trained = true;
  ratio = text.ratio;
  paint();
});
find('select').addEventListener('change', function() { open(Number(find('select').value)); });
find('prev').addEventListener('click', function() { open(Number(find('select').value) - 1); });
find('next').addEventListener('click', function() { open(Number(find('select').value) + 1); });
texts.forEach(function(
    each, i) { make(find('select'), 'option', '', i + 1 + '. ' + each.title).value = i; });
if (texts.length > 0) {
  open(0);
}
}());
