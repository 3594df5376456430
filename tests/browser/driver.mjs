// driver.mjs: what the browser tests share: chromium through its driver, which speaks HTTP, so that
// no npm package is needed; checks that are counted.
//
//     const out = resolve('build/browser');
//     await start(out);                      // exits with 77 if a program is missing
//     const url = await open('page.html');
//     same('title', await run(() => document.title), 'page');
//     await quiet('page', url);
//     await stop();
//     finish('name');                        // prints the sums, and exits with 0 or 1
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const profile = mkdtempSync(join(tmpdir(), 'slm-browser-'));
let passed = 0,
  failed = 0,
  driver,
  base,
  folder;

// ---- checks ----
export function check(name, ok, detail = '') {
  if (ok === true) {
    passed++;
    return;
  }
  failed++;
  console.log(`FAIL ${name} ${typeof detail === 'string' ? detail : JSON.stringify(detail)}`);
}
export const same = (name, got, want) =>
  check(name, JSON.stringify(got) === JSON.stringify(want), { got, want });

export function finish(name) {
  console.log(`${name}: ${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

// ---- the browser, through its driver ----
export function program(...names) {
  for (const name of names) {
    for (const folder of process.env.PATH.split(delimiter)) {
      if (existsSync(join(folder, name))) {
        return join(folder, name);
      }
    }
  }
  console.log(`skipped: no ${names.join(' or ')} on this machine`);
  process.exit(77);
}
export async function ask(method, path, body) {
  const answer = await fetch(base + path, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(60000),
  });
  const { value } = await answer.json();
  if (value?.error) {
    throw new Error(`${path}: ${value.error}: ${value.message}`);
  }
  return value;
}
// Screenshots and downloads go to the folder.
export async function start(out) {
  folder = out;
  mkdirSync(folder, { recursive: true });
  const chromium = program('chromium', 'chromium-browser', 'google-chrome');
  driver = spawn(program('chromedriver'), ['--port=0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise((done, fail) => {
    let said = '';
    driver.stdout.on('data', (data) => {
      said += data;
      const found = said.match(/successfully on port (\d+)/);
      if (found) {
        done(found[1]);
      }
    });
    driver.on('exit', () => fail(new Error('chromedriver ended: ' + said)));
  });
  base = `http://127.0.0.1:${port}`;
  const args = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--hide-scrollbars',
    '--user-data-dir=' + profile,
  ];
  const { sessionId } = await ask('POST', '/session', {
    capabilities: {
      alwaysMatch: {
        'goog:chromeOptions': { binary: chromium, args },
        'goog:loggingPrefs': { browser: 'ALL', performance: 'ALL' },
      },
    },
  });
  base += '/session/' + sessionId;
}
export async function stop() {
  if (base?.includes('/session/')) {
    await ask('DELETE', '').catch(() => {});
  }
  driver?.kill();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
export const run = (script, ...args) =>
  ask('POST', '/execute/sync', { script: `return (${script})(...arguments)`, args });
export const devtools = (cmd, params) => ask('POST', '/goog/cdp/execute', { cmd, params });
export const size = (width, height, phone = false) =>
  devtools('Emulation.setDeviceMetricsOverride', {
    width,
    height,
    deviceScaleFactor: phone ? 2 : 1,
    mobile: phone,
  });
export const theme = (value) =>
  devtools('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
export async function shot(name) {
  const picture = Buffer.from(await ask('GET', '/screenshot'), 'base64');
  writeFileSync(join(folder, name + '.png'), picture);
}
export async function keys(...list) {
  const down = (value) => ({ type: 'keyDown', value }),
    up = (value) => ({ type: 'keyUp', value });
  const press = (key) =>
    key.length > 1 ? [down(key[0]), down(key[1]), up(key[1]), up(key[0])] : [down(key), up(key)];
  const actions = [{ type: 'key', id: 'keys', actions: list.flatMap(press) }];
  await ask('POST', '/actions', { actions });
}
export const LEFT = '\uE012',
  UP = '\uE013',
  RIGHT = '\uE014',
  DOWN = '\uE015',
  HOME = '\uE011',
  END = '\uE010',
  SHIFT = '\uE008';
export async function point(type, x, y, press) {
  const move = {
    type: 'pointerMove',
    duration: 0,
    x: Math.round(x),
    y: Math.round(y),
    origin: 'viewport',
  };
  await ask('POST', '/actions', {
    actions: [
      {
        type: 'pointer',
        id: type,
        parameters: { pointerType: type },
        actions: press
          ? [move, { type: 'pointerDown', button: 0 }, { type: 'pointerUp', button: 0 }]
          : [move],
      },
    ],
  });
}
// What the page has said and asked for since the last call.
export async function heard() {
  const said = (await ask('POST', '/se/log', { type: 'browser' })).map((entry) => entry.message);
  const asked = (await ask('POST', '/se/log', { type: 'performance' }))
    .map((entry) => JSON.parse(entry.message).message)
    .filter((message) => message.method === 'Network.requestWillBeSent')
    .map((message) => message.params.request.url);
  return { said, asked };
}
export async function open(file) {
  const url = pathToFileURL(resolve(file)).href;
  await heard();
  await ask('POST', '/url', { url });
  return url;
}
// Nothing on the console, and no request but the page itself (and its empty icon).
export async function quiet(name, url) {
  const { said, asked } = await heard();
  same(name + ': console', said, []);
  check(name + ': the page itself was requested', asked.includes(url), asked);
  same(
    name + ': requests',
    asked.filter((each) => each !== url && !/^(data|blob):/.test(each)),
    [],
  );
}
