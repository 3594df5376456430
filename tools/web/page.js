// ---- page.js: the buttons, and what the worker says ----
const WINDOWS = 8, TOKENS_A_STEP = 1024; // of the lesson: B windows of 128
const STAGES = ['base', 'reference', 'scores', 'arms'];
const NAMES = {
  base: 'Training the base', reference: 'Tuning the reference', scores: 'Scoring the text',
  arms: 'Training both',
};
const by = (id) => document.getElementById(id);
const card = (stage) => by('step-' + stage);
const go = (stage) => card(stage).querySelector('.w-go');
const result = (stage) => card(stage).querySelector('.w-result');
const workerUrl = URL.createObjectURL(
    new Blob([by('worker').textContent], {type: 'text/javascript'}));
let worker, state, sparks, points, window_, reference, armSteps;
let running = ''; // the stage that works or is stopped, '' if none is

function send(what, more) {
  worker.postMessage({what, ...more});
}

function status(text, sort) {
  by('status').textContent = text;
  by('status').dataset.sort = sort || '';
  by('pace').textContent = '';
}

const hasScores = () => state.scores === 'done';
const number = (id) => Math.max(1, Math.round(Number(by(id).value)) || 1);

// ---- the buttons: what each may do now ----
function label(stage) {
  const doing = {
    base: 'Train the base', reference: 'Tune the reference', scores: 'Score every token',
    arms: 'Train both',
  }[stage];
  return {working: 'Stop', stopped: 'Go on', done: 'Again'}[state[stage]] || doing;
}

// A stage may begin when no other works and the one before it is done: training that was stopped
// may be taken as done, half a scoring may not.
function mayBegin(stage) {
  const before = STAGES[STAGES.indexOf(stage) - 1];
  const free = running === '' || running === stage || state[running] === 'stopped';
  const isEnough = state[before] === 'done' || state[before] === 'stopped' && before !== 'scores';
  return state.ready && free && (!before || isEnough);
}

// The one that works or is stopped, else the first that is not done.
function nextStage() {
  return running || STAGES.find((stage) => state[stage] !== 'done');
}

function refresh() {
  for (const stage of STAGES) {
    card(stage).dataset.state = state[stage];
    go(stage).textContent = label(stage);
    go(stage).setAttribute('aria-label', `${card(stage).querySelector('h3').textContent}: ` +
      label(stage));
    go(stage).disabled = !mayBegin(stage);
  }
  const next = nextStage();
  for (const stage of STAGES) {
    go(stage).classList.toggle('w-next', stage === next);
  }
  by('onward').textContent = next ? label(next) : '';
  by('onward').hidden = !next;
  by('onward').disabled = !next || !mayBegin(next);
  go('save').disabled = state.base !== 'done' || running !== '' && state[running] === 'working';
}

function press(stage) {
  if (state[stage] === 'working') {
    send('stop');
    return;
  }
  if (state[stage] === 'stopped') {
    state[stage] = 'working';
    send('go');
    refresh();
    return;
  }
  if (STAGES.indexOf(running) >= 0 && STAGES.indexOf(running) < STAGES.indexOf(stage)) {
    send('finish');
  }
  // What was made from what is made anew is out of date.
  for (const later of STAGES.slice(STAGES.indexOf(stage))) {
    state[later] = '';
    result(later).textContent = '';
    card(later).querySelector('progress').value = 0;
  }
  sparks[stage] = [];
  if (stage !== 'scores') {
    points = [];
    drawFigures();
  }
  state[stage] = 'working';
  running = stage;
  armSteps = number('arm-steps');
  send(stage, {steps: stage === 'arms' ? armSteps : number(
      stage === 'reference' ? 'reference-steps' : 'base-steps')});
  status(NAMES[stage]);
  refresh();
}

// ---- what the worker says ----
function seconds(s) {
  return s >= 90 ? Math.round(s / 60) + ' min' : Math.ceil(s) + ' s';
}

function progressed({stage, done, total, spent, fastest}) {
  const bar = card(stage).querySelector('progress');
  bar.max = total;
  bar.value = done;
  const each = spent / done;
  card(stage).dataset.fastest = fastest.toFixed(1);
  by('pace').textContent = `${stage === 'scores' ? 'window' : 'step'} ${done} of ${total}, ` +
    `${each.toFixed(0)} ms each, ${seconds(each * (total - done) / 1000)} left`;
}

function measure({loss, accuracy}) {
  return `loss on the target ${loss.toFixed(3)}` +
    (Number.isFinite(accuracy) ? `, accuracy ${(100 * accuracy).toFixed(1)}%` : '');
}

function fingerprint(box, name, hash) {
  const line = make(box, 'span', 'w-hash', `${name} `);
  make(line, 'code', '', hash);
}

function finished(said) {
  const stage = said.stage, box = result(stage);
  state[stage] = 'done';
  running = running === stage ? '' : running;
  box.textContent = '';
  if (stage === 'base' || stage === 'reference') {
    drawSpark(make(box, 'span'), sparks[stage]);
    make(box, 'span', '', measure(said));
    fingerprint(box, 'weights', said.hash);
  }
  if (stage === 'reference') {
    reference = said;
  }
  if (stage === 'scores') {
    make(box, 'span', '', `${said.tokens.toLocaleString('en')} tokens have their reference loss.`);
  }
  if (stage === 'arms') {
    fingerprint(box, 'plain', said.plain);
    fingerprint(box, 'selective', said.selective);
  }
  if (running) {
    return;
  }
  status({
    base: 'The base is trained. Next: tune the reference.',
    reference: 'The reference is tuned. Next: let it score the noisy text.',
    scores: 'Every token has its score. Next: train both.',
    arms: `Both are trained. ${stage === 'arms' ? verdict() : ''}`,
  }[stage], 'done');
  refresh();
}

// After how many tokens selective training had plain training's last loss.
function verdict() {
  const end = points.at(-1), goal = end.plain.loss;
  const at = points.findIndex((point) => point.selective.loss <= goal);
  if (at < 0) {
    return 'Selective training does not reach plain training\'s loss here.';
  }
  const before = points[Math.max(0, at - 1)], after = points[at];
  const fall = before.selective.loss - after.selective.loss;
  const part = fall > 0 ? (before.selective.loss - goal) / fall : 1;
  const steps = before.done + part * (after.done - before.done);
  return `Selective training reaches plain training's last loss in ` +
    `${(end.done / Math.max(steps, 1)).toFixed(1)} times fewer tokens. One seed proves nothing.`;
}

function drawFigures() {
  const box = by('curves');
  if (points.length === 0) {
    box.textContent = '';
    return;
  }
  if (box.children.length === 0) {
    make(box, 'figure', 'w-figure');
    if (Number.isFinite(points[0].plain.accuracy)) {
      make(box, 'figure', 'w-figure');
    }
  }
  const arm = (name, key, factor) => ({
    name, sort: name,
    points: points.map((point) => [point.done * TOKENS_A_STEP, factor * point[name][key]]),
  });
  const both = (key, factor) => [arm('plain', key, factor), arm('selective', key, factor)];
  const rule = (value) => ({y: value, text: 'reference'});
  drawCurves(box.children[0], {
    title: 'Loss on the clean target (nats per byte)', unit: '', digits: 3, better: 'lower',
    curves: both('loss', 1), rule: rule(reference.loss), end: armSteps * TOKENS_A_STEP,
  });
  if (box.children[1]) {
    drawCurves(box.children[1], {
      title: 'Accuracy: probability of a right result (%)', unit: '%', digits: 1, better: 'higher',
      curves: both('accuracy', 100), rule: rule(100 * reference.accuracy),
      end: armSteps * TOKENS_A_STEP,
    });
  }
}

const heard = {
  ready({noisy, kinds}) {
    noisyText = noisy;
    noisyKinds = kinds;
    state.ready = true;
    status('Ready. First: train the base.', 'done');
    refresh();
  },
  passage: showPassage,
  guess: showGuess,
  progress: progressed,
  spark({stage, at, loss}) {
    sparks[stage].push([at, loss]);
    drawSpark(result(stage), sparks[stage]);
  },
  point(point) {
    points.push(point);
    drawFigures();
  },
  stopped({stage}) {
    state[stage] = 'stopped';
    const pace = by('pace').textContent.split(',')[0];
    status(`${NAMES[stage]} is stopped at ${pace}.` +
      (stage === 'scores' || stage === 'arms' ? '' : ' It may go on, or the next step begin.'));
    refresh();
  },
  done: finished,
  files({list}) {
    const folder = list.map(([name, bytes]) => ['lesson/' + name, bytes]);
    const blob = zip(folder);
    download(blob, 'lesson.zip');
    result('save').textContent = `lesson.zip, ${(blob.size / 1e6).toFixed(1)} MB`;
  },
  failed({text}) {
    status('It broke off: ' + text + '. Start over, perhaps with other texts.', 'failed');
    state.ready = false;
    running = '';
    refresh();
  },
};

// ---- a new beginning ----
function halved(text) {
  const bytes = new TextEncoder().encode(text);
  let cut = Math.floor(bytes.length * 3 / 4);
  const line = bytes.indexOf(10, cut);
  if (line > 0 && line < bytes.length * 7 / 8) {
    cut = line + 1;
  }
  return [bytes.slice(0, cut), bytes.slice(cut)];
}

function begin(texts) {
  worker?.terminate();
  worker = new Worker(workerUrl);
  worker.onmessage = ({data}) => heard[data.what](data);
  worker.onerror = (event) => heard.failed({text: event.message});
  state = {ready: false};
  sparks = {};
  points = [];
  window_ = 0;
  by('previous').disabled = true;
  by('next').disabled = false;
  running = '';
  seen = null;
  spans = [];
  asked = -1;
  tellEquations();
  for (const stage of STAGES) {
    state[stage] = '';
    result(stage).textContent = '';
    card(stage).querySelector('progress').value = 0;
  }
  result('save').textContent = '';
  drawFigures();
  refresh();
  status('Making the texts');
  send('begin', {seed: Math.round(Number(by('seed').value)) || 0, ...texts});
  send('ratio', {value: by('keep').value / 100});
}

let ownTexts = {}; // those in use; {}: the built-in ones

function useOwn() {
  const noisy = new TextEncoder().encode(by('noisy').value);
  const [clean, target] = halved(by('clean').value);
  const short = noisy.length < 4000 ? 'The noisy text is too short: 4,000 bytes at least.'
    : clean.length + target.length < 2000 ? 'The clean text is too short: 2,000 bytes at least.'
      : '';
  by('own-note').textContent = short;
  if (!short) {
    ownTexts = {noisy, clean, target};
    by('own-note').textContent = `In use: ${noisy.length.toLocaleString('en')} bytes noisy, ` +
      `${clean.length.toLocaleString('en')} clean, ${target.length.toLocaleString('en')} held out.`;
    begin(ownTexts);
  }
}

function choose(own) {
  document.querySelector('.w-own').hidden = !own;
  document.querySelector('.w-built-in').hidden = own;
  if (!own && ownTexts.noisy) {
    ownTexts = {};
    begin(ownTexts);
  }
}

function turn(step) {
  const last = Math.floor((noisyText.length - 2) / TOKENS_A_STEP) * WINDOWS;
  window_ = Math.max(0, Math.min(last, window_ + step * WINDOWS));
  by('previous').disabled = window_ === 0;
  by('next').disabled = window_ === last;
  tellEquations();
  send('passage', {window: window_});
}

for (const stage of STAGES) {
  go(stage).addEventListener('click', () => press(stage));
}
go('save').addEventListener('click', () => {
  const folders = [0, 1];
  send('save', {
    folders: state.reference !== 'done' ? [0] : points.length > 0 ? [...folders, 2, 3] : folders,
    scores: hasScores(),
  });
});
by('keep').addEventListener('input', () => {
  by('keep-value').textContent = by('keep').value + '%';
  send('ratio', {value: by('keep').value / 100});
});
by('again').addEventListener('click', () => begin(ownTexts));
by('use').addEventListener('click', useOwn);
document.querySelectorAll('[name=source]').forEach((radio) =>
  radio.addEventListener('change', () => choose(radio.value === 'own')));
for (const name of ['noisy', 'clean']) {
  by(name + '-file').addEventListener('change', async (event) => {
    if (event.target.files[0]) {
      by(name).value = await event.target.files[0].text();
    }
  });
}
by('previous').addEventListener('click', () => turn(-1));
by('next').addEventListener('click', () => turn(1));
by('text').addEventListener('keydown', moveByKey);
by('text').addEventListener('click', (event) => ask(tokenOf(event)));
addEventListener('resize', drawFigures);
by('onward').addEventListener('click', () => press(nextStage()));
begin(ownTexts);
