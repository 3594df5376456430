// worker.js: runs the lesson (lesson.h) in slices, so that it hears the page between them.  It
// stands behind the module that emscripten makes.
const BASE = 0, REFERENCE = 1, PLAIN = 2, SELECTIVE = 3;
const SLICE = 60;   // milliseconds of work before messages are heard
const GLANCE = 250; // milliseconds between two looks at the passage
const POINTS = 60;  // of a curve
const PARTS = {noisy: 1, clean: 2, target: 4};
const FOLDERS = ['base', 'reference', 'plain', 'selective'];
let lesson, job = null, working = false, complaint = '', glanced = 0;
let watched = -1; // the model that reads the passage; -1: none does

function say(what, more, transfer) {
  postMessage({what, ...more}, transfer || []);
}
const call = (name, ...values) => lesson['_lesson_' + name](...values);
const text = (pointer) => lesson.UTF8ToString(pointer);

function bytes(pointer, n) {
  return lesson.HEAPU8.slice(pointer, pointer + n);
}
const ints = (pointer, n) => new Int32Array(bytes(pointer, 4 * n).buffer);
const floats = (pointer, n) => new Float32Array(bytes(pointer, 4 * n).buffer);

function part(name) {
  return bytes(call('text', PARTS[name]), call('text_size', PARTS[name]));
}

// ---- the passage ----
function passage() {
  const n = call('passage_size');
  if (watched >= 0) {
    call('look', watched);
  }
  glanced = performance.now();
  say('passage', {
    watched,
    index: ints(call('passage_index'), n),
    loss: floats(call('passage_loss'), n),
    ref: floats(call('passage_ref_loss'), n),
    mask: bytes(call('passage_mask'), n),
  });
}

function glance() {
  if (performance.now() - glanced > GLANCE) {
    passage();
  }
}

// ---- the jobs: each has `left`, steps to go, and `step`, which takes one ----
function measured(which) {
  call('measure', which);
  return {loss: call('target_loss'), accuracy: call('target_accuracy')};
}

function training(stage, which, steps) {
  call('start', which, steps);
  watched = BASE;
  const every = Math.max(1, Math.round(steps / POINTS));
  const sums = {loss: 0, n: 0};
  return {
    stage, left: steps, total: steps, spent: 0, fastest: Infinity,
    step() {
      const left = call('step', which);
      sums.loss += call('loss_all');
      sums.n++;
      if ((steps - left) % every === 0 || left === 0) {
        say('spark', {stage, at: (steps - left) / steps, loss: sums.loss / sums.n});
        sums.loss = sums.n = 0;
      }
      return left;
    },
    end() {
      return {...measured(which), hash: text(call('hash', which))};
    },
  };
}

function scoring() {
  let total = 0;
  return {
    stage: 'scores', left: 1, total: 1, spent: 0, fastest: Infinity,
    step() {
      const left = call('score');
      total = total || left + 16;
      this.total = total;
      return left;
    },
    end() {
      return {tokens: call('text_size', PARTS.noisy) - 1};
    },
  };
}

// Plain and selective training, step by step in turns.
function arms(steps) {
  call('start', PLAIN, steps);
  call('start', SELECTIVE, steps);
  watched = SELECTIVE;
  const every = Math.max(1, Math.round(steps / POINTS));
  function point(done) {
    say('point', {done, plain: measured(PLAIN), selective: measured(SELECTIVE)});
  }
  point(0);
  return {
    stage: 'arms', left: steps, total: steps, spent: 0, fastest: Infinity,
    step() {
      call('step', PLAIN);
      const left = call('step', SELECTIVE);
      if ((steps - left) % every === 0 || left === 0) {
        point(steps - left);
      }
      return left;
    },
    end() {
      return {plain: text(call('hash', PLAIN)), selective: text(call('hash', SELECTIVE))};
    },
  };
}

// ---- slices of work: between two of them, messages are heard ----
const pause = new MessageChannel();
pause.port1.onmessage = () => guarded(slice);

function slice() {
  if (!working || !job) {
    return;
  }
  const start = performance.now();
  let now = start;
  while (job.left > 0 && now - start < SLICE) {
    const before = now;
    job.left = job.step();
    now = performance.now();
    job.fastest = Math.min(job.fastest, now - before);
  }
  job.spent += now - start;
  say('progress', {
    stage: job.stage, done: job.total - job.left, total: job.total, spent: job.spent,
    fastest: job.fastest,
  });
  if (job.left > 0) {
    glance();
    pause.port2.postMessage(0);
    return;
  }
  finish();
}

function finish() {
  working = false;
  const result = job.end();
  passage();
  say('done', {stage: job.stage, ...result});
  job = null;
}

function work(next) {
  job = next;
  working = true;
  pause.port2.postMessage(0);
}

// ---- what the page asks for ----
function copied(array) {
  const pointer = lesson._malloc(array.length);
  lesson.HEAPU8.set(array, pointer);
  return pointer;
}

function begin({seed, noisy, clean, target}) {
  job = null;
  working = false;
  watched = -1;
  if (noisy) {
    const pointers = [noisy, clean, target].map(copied);
    call('begin_texts', pointers[0], noisy.length, pointers[1], clean.length, pointers[2],
        target.length, seed);
    pointers.forEach((pointer) => lesson._free(pointer));
  } else {
    call('begin_built_in', seed);
  }
  const kinds = call('kinds');
  const size = call('text_size', PARTS.noisy);
  say('ready', {noisy: part('noisy'), kinds: kinds ? bytes(kinds, size) : null});
  passage();
}

function files(models) {
  const root = '/lesson';
  const list = ['noisy', 'clean', 'target'].map((name) => [name + '.txt', part(name)]);
  lesson.FS.mkdir(root);
  function walk(folder) {
    for (const name of lesson.FS.readdir(root + '/' + folder)) {
      if (name[0] !== '.') {
        list.push([folder + '/' + name, lesson.FS.readFile(root + '/' + folder + '/' + name)]);
        lesson.FS.unlink(root + '/' + folder + '/' + name);
      }
    }
    lesson.FS.rmdir(root + '/' + folder);
  }
  for (const which of models.folders) {
    withText(root + '/' + FOLDERS[which], (path) => call('save_model', which, path));
    walk(FOLDERS[which]);
  }
  if (models.scores) {
    withText(root + '/noisy.scores', (path) => call('save_scores', path));
    list.push(['noisy.scores', lesson.FS.readFile(root + '/noisy.scores')]);
    lesson.FS.unlink(root + '/noisy.scores');
  }
  lesson.FS.rmdir(root);
  return list;
}

function withText(path, use) {
  const pointer = copied(new TextEncoder().encode(path + '\0'));
  use(pointer);
  lesson._free(pointer);
}

const deeds = {
  begin,
  base: ({steps}) => work(training('base', BASE, steps)),
  reference: ({steps}) => work(training('reference', REFERENCE, steps)),
  scores: () => work(scoring()),
  arms: ({steps}) => work(arms(steps)),
  stop() {
    working = false;
    if (job) {
      passage();
      say('stopped', {stage: job.stage});
    }
  },
  go: () => work(job),
  finish, // what is stopped is done, for good
  ratio({value}) {
    call('set_ratio', value);
    passage();
  },
  passage({window}) {
    call('passage', window);
    passage();
  },
  guess({index}) {
    call('guess', watched, index);
    say('guess', {index, ids: ints(call('guess_ids'), 5), p: floats(call('guess_p'), 5)});
  },
  save: (models) => say('files', {list: files(models)}),
};

// An error of the lesson ends its program: what it said goes to the page.
function guarded(deed) {
  try {
    deed();
  } catch (error) {
    working = false;
    say('failed', {text: complaint || String(error)});
  }
}

const waiting = [];
onmessage = ({data}) => {
  if (lesson) {
    guarded(() => deeds[data.what](data));
  } else {
    waiting.push(data);
  }
};
make_lesson({printErr: (line) => { complaint = line; }}).then((made) => {
  lesson = made;
  waiting.splice(0).forEach((data) => onmessage({data}));
}, (error) => say('failed', {text: String(error)}));
