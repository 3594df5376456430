/* view_assets.h: the style and the script of the token view, one C string per line.  Part of view.h.
 * The script needs nothing from outside and never builds HTML from text: all text enters by textContent. */
#ifndef VIEW_ASSETS_H
#define VIEW_ASSETS_H

static const char *const view_css[] = {
    ".slm-view { --v-ink: #1f2328; --v-soft: #59636e; --v-faint: #68727d; --v-line: #dfe3e8; "
    "--v-bg: #ffffff; --v-card: #f7f8f9;\n",
    "  --v-accent: #0969c3;\n",
    " --v-n4: #86bae2; --v-n3: #a9cfec; --v-n2: #c9e1f3; --v-n1: #e3f0f9; --v-p0: #f3f3f1; --v-p1: "
    "#fdebd8; --v-p2: #fbd5ae;\n",
    "  --v-p3: #f7ba7c; --v-p4: #ef9749;\n",
    " --v-s0: #f3f3f1; --v-s1: #ebe3f3; --v-s2: #dccbea; --v-s3: #c9aede; --v-s4: #b48fd0;\n",
    " --v-t0: #cfe5f5; --v-t1: #fbd5ae; --v-t2: #c3ead9; --v-t3: #f3d3e4; --v-t4: #f3eb9c; --v-t5: "
    "#dcdfe3;\n",
    " color: var(--v-ink); background: var(--v-bg); font: 15px/1.5 system-ui, -apple-system, "
    "'Segoe UI', Roboto, 'Helvetica Neue', Arial,\n",
    "  sans-serif; }\n",
    "@media (prefers-color-scheme: dark) { .slm-view { --v-ink: #e8eaed; --v-soft: #a3acb6; "
    "--v-faint: #8d97a2; --v-line: #30363d;\n",
    "  --v-bg: #14171b; --v-card: #1b1f24; --v-accent: #58a6ff;\n",
    " --v-n4: #1f6299; --v-n3: #1b4d76; --v-n2: #193c59; --v-n1: #182b3c; --v-p0: #20242a; --v-p1: "
    "#35281b; --v-p2: #573a19;\n",
    "  --v-p3: #7a4a14; --v-p4: #9c570b;\n",
    " --v-s0: #20242a; --v-s1: #2d2439; --v-s2: #433159; --v-s3: #5b3f7d; --v-s4: #754fa3;\n",
    " --v-t0: #17466a; --v-t1: #6a3d0c; --v-t2: #0f5340; --v-t3: #6b3b57; --v-t4: #5c5412; --v-t5: "
    "#3b424a; } }\n",
    ".slm-view * { box-sizing: border-box; }\n",
    ".slm-view [hidden] { display: none !important; }\n",
    ".slm-view button, .slm-view select { font: inherit; font-size: 14px; color: inherit; "
    "background: var(--v-bg);\n",
    "  border: 1px solid var(--v-line); border-radius: 6px; padding: 6px 12px; min-height: 36px; "
    "cursor: pointer; }\n",
    ".slm-view select { max-width: 100%; min-width: 0; flex: 1 1 auto; text-overflow: ellipsis; "
    "}\n",
    ".slm-view button[aria-pressed=true] { background: var(--v-ink); border-color: var(--v-ink); "
    "color: var(--v-bg); }\n",
    ".slm-view button:disabled { color: var(--v-faint); cursor: default; }\n",
    ".slm-view :focus-visible { outline: 3px solid var(--v-accent); outline-offset: 1px; }\n",
    ".v-top, .v-cut, .v-pick, .v-legend { display: flex; flex-wrap: wrap; align-items: center; "
    "gap: 8px 16px; }\n",
    ".v-top { justify-content: space-between; margin-bottom: 12px; }\n",
    ".v-pick { flex-wrap: nowrap; gap: 6px; min-width: 0; max-width: 100%; }\n",
    ".v-modes { display: flex; flex-wrap: wrap; }\n",
    ".v-modes button { border-radius: 0; margin-left: -1px; }\n",
    ".v-modes button:first-child { border-radius: 6px 0 0 6px; margin-left: 0; }\n",
    ".v-modes button:last-child { border-radius: 0 6px 6px 0; }\n",
    ".v-cut { border-top: 1px solid var(--v-line); padding: 12px 0; }\n",
    ".v-cut label { display: flex; align-items: center; gap: 10px; flex: 1 1 260px; max-width: "
    "480px; }\n",
    ".v-slider { flex: 1; min-width: 120px; height: 28px; accent-color: var(--v-accent); cursor: "
    "pointer; }\n",
    ".v-ratio { min-width: 3.2em; text-align: right; font-variant-numeric: tabular-nums; }\n",
    ".v-count { font-variant-numeric: tabular-nums; }\n",
    ".v-main { display: grid; grid-template-columns: minmax(0, 1fr) 270px; gap: 20px; align-items: "
    "start; }\n",
    ".v-text { max-height: 36rem; overflow: auto; padding: 14px 16px; border: 1px solid "
    "var(--v-line); border-radius: 8px;\n",
    "  white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 4;\n",
    " font: 14.5px/2 ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'Liberation Mono', "
    "'DejaVu Sans Mono', monospace; }\n",
    ".v-text span { padding: 3px 0; cursor: pointer; background: var(--h, none); border-radius: "
    "1px; }\n",
    ".v-text span:focus { outline: none; }\n",
    ".v-text span.v-at { box-shadow: 0 0 0 2px var(--v-ink); position: relative; z-index: 1; }\n",
    ".v-text span:focus-visible { outline: 3px solid var(--v-accent); outline-offset: 2px; "
    "position: relative; z-index: 2; }\n",
    ".v-keep { border-bottom: 2px solid var(--v-ink); font-weight: 600; }\n",
    ".v-drop { color: var(--v-faint); }\n",
    ".v-drop.v-tint { background: color-mix(in srgb, var(--h) 45%, transparent); }\n",
    ".v-none { color: var(--v-soft); font-style: italic; }\n",
    ".v-text i { color: var(--v-faint); font-style: normal; font-weight: 400; }\n",
    ".v-odd { font-size: 0.82em; }\n",
    ".v-text .v-rest { font-size: 0.7em; }\n",
    ".v-side { display: grid; gap: 14px; font-size: 13.5px; }\n",
    ".v-panel { background: var(--v-card); border-radius: 8px; padding: 14px 16px; min-height: "
    "312px; }\n",
    ".v-token { font: 600 19px/1.35 ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans "
    "Mono', monospace; overflow-wrap: anywhere;\n",
    "  margin: 0 0 2px; }\n",
    ".v-where { color: var(--v-soft); margin: 0 0 8px; }\n",
    ".v-facts { display: grid; grid-template-columns: auto auto; gap: 1px 12px; margin: 0 0 10px; "
    "}\n",
    ".v-facts dt { color: var(--v-soft); }\n",
    ".v-facts dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }\n",
    ".v-guesses { list-style: none; margin: 4px 0 0; padding: 0; }\n",
    ".v-guesses li { display: grid; grid-template-columns: 6.5em 1fr 4em; align-items: center; "
    "gap: 6px; }\n",
    ".v-guesses code { font: 12.5px/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu "
    "Sans Mono', monospace; overflow: hidden;\n",
    "  text-overflow: ellipsis; white-space: nowrap; }\n",
    ".v-guesses li.v-hit code { font-weight: 700; text-decoration: underline; "
    "text-underline-offset: 3px; }\n",
    ".v-bar { height: 8px; border-radius: 2px; background: var(--v-accent); min-width: 1px; }\n",
    ".v-guesses em, .v-kinds em { font-style: normal; text-align: right; white-space: nowrap; "
    "font-variant-numeric: tabular-nums; }\n",
    ".v-hist { width: 100%; height: auto; display: block; }\n",
    ".v-hist text { font-size: 9.5px; fill: var(--v-soft); }\n",
    ".v-hist .v-all { fill: var(--v-line); }\n",
    ".v-hist .v-part { fill: var(--v-ink); }\n",
    ".v-hist path { stroke: var(--v-accent); stroke-width: 1.5; }\n",
    ".v-small { color: var(--v-soft); font-size: 12.5px; margin: 2px 0 0; }\n",
    ".v-kinds { list-style: none; margin: 4px 0 0; padding: 0; }\n",
    ".v-kinds li { display: grid; grid-template-columns: 7em 1fr 6.4em; align-items: center; gap: "
    "6px; }\n",
    ".v-legend { padding: 10px 0 2px; font-size: 13px; color: var(--v-soft); gap: 6px 20px; }\n",
    ".v-scale { display: inline-flex; align-items: center; gap: 6px; }\n",
    ".v-scale b { display: inline-block; width: 20px; height: 14px; background: var(--h); "
    "margin-right: -6px; }\n",
    ".v-scale b:last-of-type { margin-right: 0; }\n",
    ".v-legend .v-keep, .v-legend .v-drop { font-family: ui-monospace, monospace; }\n",
    ".v-legend .v-keep { color: var(--v-ink); }\n",
    "@media (max-width: 760px) {\n",
    " .v-main { grid-template-columns: minmax(0, 1fr); gap: 12px; }\n",
    " .v-text { max-height: none; padding: 8px 10px; }\n",
    " .v-side { position: sticky; bottom: 0; z-index: 3; }\n",
    " .v-panel { min-height: 0; max-height: 44vh; overflow: auto; padding: 10px 14px; border: 1px "
    "solid var(--v-line);\n",
    "  border-radius: 10px 10px 0 0; box-shadow: 0 -4px 16px rgb(0 0 0 / 0.12); }\n",
    " .v-facts { grid-template-columns: auto auto auto auto; }\n",
    " .v-extra { display: none; }\n",
    "}\n",
    "@media print { .v-top, .v-cut button, .v-side { display: none; } .v-main { display: block; } "
    ".v-text { max-height: none; border: 0;\n",
    "  print-color-adjust: exact; -webkit-print-color-adjust: exact; } }\n",
    NULL};

static const char *const view_js[] = {
    "(function () {\n",
    " 'use strict';\n",
    " var root = document.currentScript.closest('.slm-view');\n",
    " var texts = "
    "JSON.parse(root.querySelector('script[type=\"application/json\"]').textContent);\n",
    " var text, spans, ratio, trained, mode, looks, focused, shown, heat;\n",
    "\n",
    " function find(name) { return root.querySelector('.v-' + name); }\n",
    " function make(parent, tag, name, content) {\n",
    "  var svg = parent.namespaceURI.indexOf('svg') > 0;\n",
    "  var element = svg ? document.createElementNS(parent.namespaceURI, tag) : "
    "document.createElement(tag);\n",
    "  if (name) { element.setAttribute('class', name); }\n",
    "  if (content !== undefined) { element.textContent = content; }\n",
    "  parent.appendChild(element);\n",
    "  return element;\n",
    " }\n",
    " function clear(name) { var element = find(name); element.textContent = ''; return element; "
    "}\n",
    " function visible(s) { return s.replace(/ /g, '␣').replace(/\\n/g, '↵').replace(/\\t/g, '⇥') "
    "|| '(nothing)'; }\n",
    " function nats(v) { return v === null ? '–' : (v < 0 ? '−' : '') + Math.abs(v).toFixed(3); "
    "}\n",
    " function percent(part, whole) { return whole > 0 ? Math.round(100 * part / whole) + '%' : "
    "'–'; }\n",
    " function share(p) { return p < 0.001 ? '< 0.1%' : (100 * p).toFixed(1) + '%'; }\n",
    " function excess(i) { return text.loss[i] === null || !text.ref ? null : text.loss[i] - "
    "text.ref[i]; }\n",
    " function ranked(i) { return text.ref ? excess(i) : text.loss[i]; }\n",
    "\n",
    " // The rule of the C code: k = floor(ratio n + 1/2), at least 1.  The ranks come from C, "
    "ties to the lowest index.\n",
    " function count(n) { return n === 0 ? 0 : Math.min(n, Math.max(1, Math.floor(ratio * n + "
    "0.5))); }\n",
    " function kept(i) { return trained ? text.kept[i] === '1' : text.rank[i] >= 0 && text.rank[i] "
    "< count(text.targets); }\n",
    "\n",
    " // ---- colours: excess in nine steps around zero, losses in five from zero, kinds by name "
    "----\n",
    " function value(i) { return mode === 'excess' ? excess(i) : mode === 'loss' ? text.loss[i] : "
    "text.ref[i]; }\n",
    " function measure() {\n",
    "  var sizes = [];\n",
    "  spans.forEach(function (span, i) { if (mode !== 'kind' && text.loss[i] !== null) { "
    "sizes.push(Math.abs(value(i))); } });\n",
    "  sizes.sort(function (a, b) { return a - b; });\n",
    "  heat = Math.max(0.1, sizes.length ? sizes[Math.floor(0.95 * (sizes.length - 1))] : 1);\n",
    " }\n",
    " function tint(i) {\n",
    "  if (mode === 'kind') { return text.kind[i] < 0 ? '' : 't' + text.kind[i] % 6; }\n",
    "  if (text.loss[i] === null) { return ''; }\n",
    "  var step = Math.round(4 * Math.max(-1, Math.min(1, value(i) / heat)));\n",
    "  return mode === 'excess' ? (step < 0 ? 'n' + -step : 'p' + step) : 's' + Math.max(0, "
    "step);\n",
    " }\n",
    " function paint() {\n",
    "  var total = 0;\n",
    "  spans.forEach(function (span, i) {\n",
    "   var keep = kept(i), color = tint(i);\n",
    "   total += keep ? 1 : 0;\n",
    "   if (looks[i] === keep + color) { return; }\n",
    "   looks[i] = keep + color;\n",
    "   span.className = (text.loss[i] === null ? 'v-none' : keep ? 'v-keep' : 'v-drop') + (color "
    "? ' v-tint' : '') +\n",
    "    (text.odd[i] === '1' ? ' v-odd' : text.odd[i] === '2' ? ' v-rest' : '');\n",
    "   span.style.setProperty('--h', color ? 'var(--v-' + color + ')' : 'none');\n",
    "   span.setAttribute('aria-selected', keep);\n",
    "  });\n",
    "  find('count').textContent = 'kept ' + total + ' of ' + text.targets + ' (' + percent(total, "
    "text.targets) + ')';\n",
    "  find('ratio').textContent = trained ? '' : Math.round(1000 * ratio) / 10 + '%';\n",
    "  find('trained').setAttribute('aria-pressed', trained);\n",
    "  drawHistogram();\n",
    "  drawKinds();\n",
    "  show(focused < 0 ? nextKept(-1, 1) : focused);\n",
    " }\n",
    "\n",
    " // ---- what stands beside the text ----\n",
    " function drawHistogram() {\n",
    "  var svg = clear('hist'), least = Infinity, most = -Infinity, top = 1, cut = Infinity, all = "
    "[], part = [], i, b;\n",
    "  for (i = 0; i < spans.length; i++) {\n",
    "   if (ranked(i) !== null) { least = Math.min(least, ranked(i)); most = Math.max(most, "
    "ranked(i)); }\n",
    "  }\n",
    "  if (!(most > least)) { return; }\n",
    "  for (b = 0; b < 48; b++) { all.push(0); part.push(0); }\n",
    "  for (i = 0; i < spans.length; i++) {\n",
    "   if (ranked(i) === null) { continue; }\n",
    "   b = Math.min(47, Math.floor(48 * (ranked(i) - least) / (most - least)));\n",
    "   all[b]++;\n",
    "   top = Math.max(top, all[b]);\n",
    "   if (kept(i)) { part[b]++; cut = Math.min(cut, ranked(i)); }\n",
    "  }\n",
    "  function bar(name, b, n) {\n",
    "   var rect = make(svg, 'rect', name), height = 52 * Math.sqrt(n / top);\n",
    "   rect.setAttribute('x', 5 * b); rect.setAttribute('width', 4.2);\n",
    "   rect.setAttribute('y', 56 - height); rect.setAttribute('height', height);\n",
    "  }\n",
    "  for (b = 0; b < 48; b++) { bar('v-all', b, all[b]); bar('v-part', b, part[b]); }\n",
    "  if (!trained && cut < Infinity) { make(svg, 'path').setAttribute('d', 'M' + 240 * (cut - "
    "least) / (most - least) + ' 0V60'); }\n",
    "  [['start', 0, least], ['end', 240, most]].forEach(function (end) {\n",
    "   var label = make(svg, 'text', '', nats(end[2]).slice(0, -2));\n",
    "   label.setAttribute('text-anchor', end[0]); label.setAttribute('x', end[1]); "
    "label.setAttribute('y', 69);\n",
    "  });\n",
    " }\n",
    " function drawKinds() {\n",
    "  var list = clear('kinds');\n",
    "  (text.kinds || []).forEach(function (name, kind) {\n",
    "   var all = 0, part = 0, row;\n",
    "   spans.forEach(function (span, i) { if (text.kind[i] === kind && text.loss[i] !== null) { "
    "all++; part += kept(i) ? 1 : 0; } });\n",
    "   row = make(list, 'li');\n",
    "   make(row, 'span', '', name);\n",
    "   make(make(row, 'span'), 'div', 'v-bar').style.width = (all ? 100 * part / all : 0) + "
    "'%';\n",
    "   make(row, 'em', '', percent(part, all) + ' of ' + all);\n",
    "  });\n",
    " }\n",
    " function show(i) {\n",
    "  var panel = clear('panel'), facts, list;\n",
    "  if (spans[shown]) { spans[shown].classList.remove('v-at'); }\n",
    "  if (spans[i]) { spans[i].classList.add('v-at'); }\n",
    "  shown = i;\n",
    "  if (!spans[i]) { return; }\n",
    "  make(panel, 'p', 'v-token', visible(text.tokens[i]));\n",
    "  make(panel, 'p', 'v-where', 'token ' + (text.position + i) +\n",
    "   (text.kinds && text.kind[i] >= 0 ? ' · ' + text.kinds[text.kind[i]] : '') + (text.hex[i] ? "
    "' · bytes ' + text.hex[i] : ''));\n",
    "  if (text.loss[i] === null) { make(panel, 'p', '', 'Not a target: it has no loss.'); return; "
    "}\n",
    "  facts = make(panel, 'dl', 'v-facts');\n",
    "  function fact(name, content) { make(facts, 'dt', '', name); make(facts, 'dd', '', content); "
    "}\n",
    "  fact('selection', kept(i) ? '✓ kept' : '✕ dropped');\n",
    "  fact('rank', text.rank[i] + 1 + ' of ' + text.targets);\n",
    "  fact('loss', nats(text.loss[i]));\n",
    "  if (text.ref) { fact('reference', nats(text.ref[i])); fact('excess', nats(excess(i))); }\n",
    "  fact('probability', share(Math.exp(-text.loss[i])));\n",
    "  if (!text.guess) { return; }\n",
    "  make(panel, 'p', 'v-small', 'the model expected');\n",
    "  list = make(panel, 'ol', 'v-guesses');\n",
    "  text.guess[i].forEach(function (guess) {\n",
    "   var row = make(list, 'li', guess[2] ? 'v-hit' : '');\n",
    "   make(row, 'code', '', visible(guess[0]));\n",
    "   make(make(row, 'span'), 'div', 'v-bar').style.width = 100 * guess[1] + '%';\n",
    "   make(row, 'em', '', share(guess[1]));\n",
    "  });\n",
    " }\n",
    " function drawLegend() {\n",
    "  var legend = clear('legend'), scale = make(legend, 'span', 'v-scale'), names = [];\n",
    "  function swatch(name) { make(scale, 'b').style.setProperty('--h', 'var(--v-' + name + ')'); "
    "}\n",
    "  if (mode === 'kind') { text.kinds.forEach(function (name, i) { swatch('t' + i % 6); "
    "make(scale, 'span', '', ' ' + name); }); }\n",
    "  else {\n",
    "   names = mode === 'excess' ? ['n4', 'n3', 'n2', 'n1', 'p0', 'p1', 'p2', 'p3', 'p4'] : "
    "['s0', 's1', 's2', 's3', 's4'];\n",
    "   make(scale, 'span', '', mode === 'excess' ? 'below the reference −' + heat.toFixed(1) : "
    "'0');\n",
    "   names.forEach(swatch);\n",
    "   make(scale, 'span', '', mode === 'excess' ? '+' + heat.toFixed(1) + ' nats above it' : "
    "heat.toFixed(1) + ' nats or more');\n",
    "  }\n",
    "  scale = make(legend, 'span', 'v-scale');\n",
    "  make(scale, 'span', 'v-keep', 'kept');\n",
    "  make(scale, 'span', 'v-drop', 'dropped');\n",
    " }\n",
    "\n",
    " // ---- the text ----\n",
    " function fill(span, token) {\n",
    "  token.split(/([\\n\\t])/).forEach(function (piece) {\n",
    "   if (piece === '\\n' || piece === '\\t') { make(span, 'i', '', piece === '\\n' ? '↵' : "
    "'⇥'); }\n",
    "   span.appendChild(document.createTextNode(piece));\n",
    "  });\n",
    " }\n",
    " function open(which) {\n",
    "  var box = clear('text');\n",
    "  text = texts[which];\n",
    "  trained = text.kept !== null;\n",
    "  ratio = text.ratio;\n",
    "  focused = -1;\n",
    "  looks = [];\n",
    "  spans = text.tokens.map(function (token, i) {\n",
    "   var span = make(box, 'span');\n",
    "   fill(span, token);\n",
    "   span.tabIndex = i === 0 ? 0 : -1;\n",
    "   span.setAttribute('role', 'option');\n",
    "   return span;\n",
    "  });\n",
    "  box.scrollTop = 0;\n",
    "  find('select').value = which;\n",
    "  find('prev').disabled = which === 0;\n",
    "  find('next').disabled = which === texts.length - 1;\n",
    "  find('pick').hidden = texts.length < 2;\n",
    "  find('trained').hidden = text.kept === null;\n",
    "  find('slider').value = Math.round(100 * ratio);\n",
    "  find('histname').textContent = (text.ref ? 'excess loss' : 'loss') +\n",
    "   ' of the tokens (nats), the kept ones filled in; heights by square root';\n",
    "  find('kindname').hidden = !text.kinds;\n",
    "  drawModes();\n",
    " }\n",
    " function drawModes() {\n",
    "  var box = clear('modes');\n",
    "  var names = [['excess', 'excess', text.ref], ['loss', 'loss', true], ['ref', 'reference', "
    "text.ref], ['kind', 'truth', text.kinds]];\n",
    "  names = names.filter(function (name) { return name[2]; });\n",
    "  if (!names.some(function (name) { return name[0] === mode; })) { mode = names[0][0]; }\n",
    "  box.hidden = names.length < 2;\n",
    "  names.forEach(function (name) {\n",
    "   var button = make(box, 'button', '', name[1]);\n",
    "   button.type = 'button';\n",
    "   button.dataset.mode = name[0];\n",
    "   button.addEventListener('click', function () { mode = name[0]; colour(); });\n",
    "  });\n",
    "  colour();\n",
    " }\n",
    " function colour() {\n",
    "  find('modes').childNodes.forEach(function (button) { button.setAttribute('aria-pressed', "
    "button.dataset.mode === mode); });\n",
    "  measure();\n",
    "  drawLegend();\n",
    "  paint();\n",
    " }\n",
    "\n",
    " // ---- moving about: one token is in the tab order; arrows move it ----\n",
    " function focus(i) {\n",
    "  if (i < 0 || i >= spans.length) { return; }\n",
    "  if (focused >= 0) { spans[focused].tabIndex = -1; } else { spans[0].tabIndex = -1; }\n",
    "  focused = i;\n",
    "  spans[i].tabIndex = 0;\n",
    "  spans[i].setAttribute('aria-label', visible(text.tokens[i]) + (text.loss[i] === null ? '' : "
    "kept(i) ? ', kept' : ', dropped') +\n",
    "   (text.loss[i] === null ? '' : ', loss ' + nats(text.loss[i]) + ', rank ' + (text.rank[i] + "
    "1)));\n",
    "  spans[i].focus();\n",
    "  show(i);\n",
    " }\n",
    " function middle(i) {\n",
    "  var box = spans[i].getClientRects()[0] || spans[i].getBoundingClientRect();\n",
    "  return { x: box.left, y: (box.top + box.bottom) / 2 };\n",
    " }\n",
    " function line(i, step) {\n",
    "  var from = middle(i), best = i, gap = Infinity, y = null, at, j;\n",
    "  for (j = i + step; j >= 0 && j < spans.length; j += step) {\n",
    "   at = middle(j);\n",
    "   if (Math.abs(at.y - from.y) < 10) { continue; }\n",
    "   if (y === null) { y = at.y; }\n",
    "   if (Math.abs(at.y - y) > 10) { break; }\n",
    "   if (Math.abs(at.x - from.x) < gap) { gap = Math.abs(at.x - from.x); best = j; }\n",
    "  }\n",
    "  return best;\n",
    " }\n",
    " function nextKept(i, step) {\n",
    "  for (var j = i + step; j >= 0 && j < spans.length; j += step) { if (kept(j)) { return j; } "
    "}\n",
    "  return i;\n",
    " }\n",
    " function tokenOf(event) { return spans.indexOf(event.target.closest('.v-text > span')); }\n",
    " find('text').addEventListener('keydown', function (event) {\n",
    "  var step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key], i = "
    "Math.max(0, focused);\n",
    "  if (event.ctrlKey || event.altKey || event.metaKey) { return; }\n",
    "  if (event.key === 'Home') { focus(0); }\n",
    "  else if (event.key === 'End') { focus(spans.length - 1); }\n",
    "  else if (!step) { return; }\n",
    "  else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') { focus(line(i, step)); }\n",
    "  else { focus(event.shiftKey ? nextKept(i, step) : i + step); }\n",
    "  event.preventDefault();\n",
    " });\n",
    " find('text').addEventListener('focusin', function (event) { var i = tokenOf(event); if (i >= "
    "0 && i !== focused) { focus(i); } });\n",
    " find('text').addEventListener('click', function (event) { focus(tokenOf(event)); });\n",
    " find('text').addEventListener('pointermove', function (event) {\n",
    "  var i = tokenOf(event);\n",
    "  if (i >= 0 && i !== shown && event.pointerType === 'mouse') { show(i); }\n",
    " });\n",
    " find('text').addEventListener('pointerleave', function () { show(focused < 0 ? nextKept(-1, "
    "1) : focused); });\n",
    " find('slider').addEventListener('input', function () { ratio = find('slider').value / 100; "
    "trained = false; paint(); });\n",
    " find('trained').addEventListener('click', function () { trained = true; ratio = text.ratio; "
    "paint(); });\n",
    " find('select').addEventListener('change', function () { open(Number(find('select').value)); "
    "});\n",
    " find('prev').addEventListener('click', function () { open(Number(find('select').value) - 1); "
    "});\n",
    " find('next').addEventListener('click', function () { open(Number(find('select').value) + 1); "
    "});\n",
    " texts.forEach(function (each, i) { make(find('select'), 'option', '', i + 1 + '. ' + "
    "each.title).value = i; });\n",
    " if (texts.length > 0) { open(0); }\n",
    "}());\n",
    NULL};
#endif
