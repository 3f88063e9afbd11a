// The page where pictures become a case. What it holds of them is their fingerprints; it stores nothing anywhere.

import { Fingerprinter } from '../hashing/fingerprinter.js';
import { newReceipt, sortOut } from './choice.js';
import { Panels } from './panels.js';
import { RequestCount } from './requests.js';
import { send } from './sending.js';

const root = document.querySelector('[data-journey]');
const panels = new Panels(root);
const input = root.querySelector('[data-files]');
const most = Number(root.dataset.most);
const poor = Number(root.dataset.poor);
const requests = new RequestCount((count) => {
  root.querySelector('[data-requests]').textContent = String(count);
});

let fingerprinter;
let stopping = null;
// The number of the file that each sent signal was made from.
let fileOf = [];
let body = '';

function listItem(name, tag, quiet, sentence) {
  const item = document.createElement('li');
  for (const [kind, text] of [['', name], [quiet ? 'tag quiet' : 'tag', tag], ['small whole', sentence]]) {
    if (!text) continue;
    const span = document.createElement('span');
    span.className = kind;
    span.textContent = text;
    item.append(span);
  }
  return item;
}

function fileItem({ number, picture, why, like }) {
  const name = panels.word('file', { n: number });
  if (picture) return listItem(name, panels.word('ready', { n: picture }), false, '');
  return listItem(name, panels.word('left-out'), true, panels.word(why, { n: like }));
}

function showResults({ lines, signals }) {
  panels.show(signals.length ? 'check' : 'none');
  panels.part('list').replaceChildren(...lines.map(fileItem));
  if (signals.length === 0) return;
  fileOf = lines.filter(({ picture }) => picture !== undefined).map(({ number }) => number);
  body = JSON.stringify({ receipt: newReceipt(), signals });
  panels.part('summary').textContent =
    signals.length === 1 ? panels.word('summary-one') : panels.word('summary-many', { n: signals.length });
  panels.part('body').textContent = JSON.stringify(JSON.parse(body), null, 2);
}

function showProgress({ done, total }) {
  const progress = panels.current.querySelector('progress');
  progress.max = total;
  progress.value = done;
  const words = panels.word('making', { done, total });
  panels.part('progress-words').textContent = words;
  // Ten times at most: a screen reader should not have to read every number of five hundred.
  if (done % Math.ceil(total / 10) === 0 || done === total) panels.part('progress-status').textContent = words;
}

async function make() {
  const files = Array.from(input.files);
  if (files.length === 0) return;
  const tooMany = files.length > most;
  panels.part('too-many').hidden = !tooMany;
  if (tooMany) return;
  requests.start();
  stopping = new AbortController();
  panels.show('making');
  try {
    const results = await fingerprinter.fingerprint(files, { onProgress: showProgress, signal: stopping.signal });
    showResults(sortOut(results, poor));
  } catch (error) {
    panels.show(error.name === 'AbortError' ? 'choose' : error.reason || 'unsupported');
  } finally {
    input.value = '';
  }
}

function groups(element, parts) {
  element.replaceChildren(
    ...parts.map((part) => Object.assign(document.createElement('span'), { textContent: part })),
  );
}

function showCase({ case_number: number, pin, signals, refused }) {
  body = '';
  panels.show('done');
  panels.part('saved').textContent =
    signals === 1 ? panels.word('saved-one') : panels.word('saved-many', { n: signals });
  groups(panels.part('number'), number.match(/[^-]+-?/g));
  groups(panels.part('pin'), [`${pin.slice(0, 4)}\u00a0`, pin.slice(4)]);
  const list = panels.part('refused');
  list.hidden = refused.length === 0;
  list.replaceChildren(
    ...refused.map(({ number: n, reason }) => listItem(panels.word('picture', { n }), '', true, panels.word(reason))),
  );
}

function forgetCase() {
  body = '';
  for (const secret of root.querySelectorAll('[data-number], [data-pin], [data-body]')) secret.replaceChildren();
}

async function sendCase() {
  panels.show('sending');
  const answer = await send(root.dataset.address, body);
  if (answer !== null && answer.status === 201) return showCase(answer.body);
  if (answer !== null && answer.status === 422) {
    const lines = answer.body.refused.map(({ number, reason }) => ({ number: fileOf[number - 1], why: reason }));
    return showResults({ lines, signals: [] });
  }
  panels.show('failed');
  const slow = answer !== null && answer.status === 429;
  const why = answer === null ? 'lost' : slow ? 'slow' : 'refused';
  panels.part('why').textContent = panels.word(why, { n: slow ? Math.ceil(answer.retryAfter / 60) : 0 });
  return undefined;
}

const acts = {
  stop: () => stopping.abort(),
  again: () => {
    forgetCase();
    panels.show('choose');
  },
  check: () => panels.show('check'),
  write: () => panels.show('write'),
  send: sendCase,
  written: () => {
    forgetCase();
    panels.show('end');
  },
};

function showConnection() {
  for (const note of root.querySelectorAll('[data-offline]')) note.hidden = navigator.onLine;
}

root.addEventListener('click', (event) => {
  const button = event.target.closest('[data-act]');
  if (button) acts[button.dataset.act]();
});
input.addEventListener('change', make);
addEventListener('online', showConnection);
addEventListener('offline', showConnection);
addEventListener('pagehide', forgetCase);

showConnection();
fingerprinter = await Fingerprinter.start();
const { ok, reason } = await fingerprinter.selfTest();
// The page is still new to its reader, who starts at its top; only bad news is brought to them.
panels.show(ok ? 'choose' : reason, { focus: !ok });
