// ---- curves.js: loss and accuracy of the two arms over the tokens they have read ----
const SVG = 'http://www.w3.org/2000/svg';

function draw(parent, tag, attributes, content) {
  const element = parent.appendChild(document.createElementNS(SVG, tag));
  for (const name in attributes) {
    element.setAttribute(name, attributes[name]);
  }
  if (content !== undefined) {
    element.textContent = content;
  }
  return element;
}

// Numbers to write at an axis: about n of them, 1, 2 or 5 times a power of ten apart.
function ticks(low, high, n) {
  const rough = (high - low) / n, power = 10 ** Math.floor(Math.log10(rough));
  const gap = power * [1, 2, 5, 10].find((each) => each * power >= rough);
  const list = [];
  for (let i = Math.ceil(low / gap - 1e-9); i * gap <= high + 1e-9 * gap; i++) {
    list.push(i * gap);
  }
  const digits = Math.max(0, -Math.floor(Math.log10(gap) + 1e-9));
  return list.map((value) => ({value, text: value.toFixed(digits)}));
}

function thousands(n) {
  return n < 1000 ? String(n) : Math.round(n / 1000) + 'k';
}

// figure: {title, unit, digits, curves: [{name, sort, points: [[tokens, y], ...]}],
// rule: {y, text}, end: tokens at the right edge, better: 'lower' or 'higher'}
function drawCurves(box, figure) {
  const width = Math.max(280, box.clientWidth), height = 250;
  const left = 46, right = 84, top = 34, bottom = 38;
  const ys = figure.curves.flatMap((curve) => curve.points.map((p) => p[1]));
  ys.push(figure.rule.y);
  let low = Math.min(...ys), high = Math.max(...ys);
  const air = Math.max(0.08 * (high - low), 0.004 * Math.abs(high), 1e-3);
  low -= air;
  high += air;
  const x = (tokens) => left + (width - left - right) * tokens / figure.end;
  const y = (value) => height - bottom - (height - top - bottom) * (value - low) / (high - low);
  box.textContent = '';
  const svg = draw(box, 'svg', {
    viewBox: `0 0 ${width} ${height}`, width, height, role: 'img',
    'aria-label': `${figure.title}: ` + figure.curves.map((curve) =>
      `${curve.name} ${curve.points.at(-1)[1].toFixed(figure.digits)}`).join(', '),
  });
  draw(svg, 'text', {x: 0, y: 14, class: 'c-title', 'font-size': 14}, figure.title);
  for (const tick of ticks(low, high, 4)) {
    draw(svg, 'path', {d: `M${left} ${y(tick.value)}H${width - right}`, class: 'c-grid'});
    draw(svg, 'text', {x: left - 8, y: y(tick.value) + 4, class: 'c-soft', 'font-size': 12,
      'text-anchor': 'end'}, tick.text);
  }
  for (const tick of ticks(0, figure.end, width < 420 ? 3 : 5)) {
    draw(svg, 'text', {x: x(tick.value), y: height - bottom + 18, class: 'c-soft',
      'font-size': 12, 'text-anchor': 'middle'}, thousands(tick.value));
  }
  draw(svg, 'text', {x: left, y: height - 4, class: 'c-soft', 'font-size': 12},
      `tokens read; ${figure.better} is better`);
  draw(svg, 'path', {d: `M${left} ${y(figure.rule.y)}H${width - right}`, class: 'c-rule'});
  drawEnds(svg, figure, {x, y, left: width - right + 8, top, bottom: height - bottom});
}

// The curves, and at the right edge their names, moved apart where they would meet.
function drawEnds(svg, figure, frame) {
  const labels = figure.curves.map((curve) => ({
    text: curve.name, sort: 'c-' + curve.sort, y: frame.y(curve.points.at(-1)[1]),
    value: curve.points.at(-1)[1],
  }));
  labels.push({text: figure.rule.text, sort: 'c-soft', y: frame.y(figure.rule.y),
    value: figure.rule.y});
  for (const curve of figure.curves) {
    const path = curve.points.map((p) => frame.x(p[0]).toFixed(1) + ' ' + frame.y(p[1]).toFixed(1));
    draw(svg, 'path', {d: 'M' + path.join('L'), class: 'c-line c-' + curve.sort});
    const end = curve.points.at(-1);
    draw(svg, 'circle', {cx: frame.x(end[0]), cy: frame.y(end[1]), r: 4,
      class: 'c-dot c-' + curve.sort});
  }
  moveApart(labels, frame.top, frame.bottom + 8);
  for (const label of labels) {
    draw(svg, 'text', {x: frame.left, y: label.y, class: 'c-name ' + label.sort, 'font-size': 13},
        label.text);
    draw(svg, 'text', {x: frame.left, y: label.y + 14, class: 'c-value ' + label.sort,
      'font-size': 12}, label.value.toFixed(figure.digits) + figure.unit);
  }
}

// Labels of two lines, each at its y or near it, none on another, all from top to bottom.
function moveApart(labels, top, bottom) {
  const GAP = 32;
  labels.sort((a, b) => a.y - b.y);
  labels.forEach((label, i) => {
    label.y = Math.max(label.y, i > 0 ? labels[i - 1].y + GAP : top);
  });
  for (let i = labels.length - 1; i >= 0; i--) {
    const limit = i + 1 < labels.length ? labels[i + 1].y - GAP : bottom;
    labels[i].y = Math.min(labels[i].y, limit);
  }
}

// The training loss while a step runs: no axis, only where it goes.
function drawSpark(box, points) {
  if (points.length === 0) {
    return;
  }
  const ys = points.map((p) => p[1]);
  const low = Math.min(...ys), high = Math.max(...ys, low + 1e-6);
  const path = points.map((p) =>
    `${(160 * p[0]).toFixed(1)} ${(30 - 27 * (p[1] - low) / (high - low)).toFixed(1)}`);
  box.textContent = '';
  const svg = draw(box, 'svg', {viewBox: '0 0 160 32', role: 'img', class: 'w-spark',
    'aria-label': 'training loss'});
  draw(svg, 'path', {d: 'M' + path.join('L'), class: 'c-line c-base'});
}
