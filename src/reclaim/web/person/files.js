// The page where pictures and videos become a case. It stores nothing; what it holds is their fingerprints and, until
// they are sent, the browser's handles of the chosen files.

import { canKeep, forgetKept } from '../components/kept.js';
import { Fingerprinter } from '../hashing/fingerprinter.js';
import { canBeDescribed, newReceipt, sortOut } from './choice.js';
import { describe } from './describing.js';
import { Gate } from './gate.js';
import { drawOutline } from './outline.js';
import { Panels } from './panels.js';
import { Proof } from './proof.js';
import { RequestCount } from './requests.js';
import { send } from './sending.js';

const root = document.querySelector('[data-journey]');
const panels = new Panels(root);
const inputs = Array.from(root.querySelectorAll('[data-files]'));
const most = Number(root.dataset.most);
const mostFrames = Number(root.dataset.mostFrames);
const describing = root.querySelector('[data-describe]');
const ordinaryList = root.querySelector('[data-ordinary]');
const useExact = root.querySelector('[data-use-exact]');
const codeField = root.querySelector('[data-code]');
const requests = new RequestCount((count) => {
  root.querySelector('[data-requests]').textContent = panels.number(count);
});
const proof = new Proof(root.dataset.puzzle);
const gate = new Gate();

let fingerprinter;
let stopping = null;
// What the person asked for besides: programs that are loaded when she does.
let extras = null;
let offline = null;
let files = [];
let results = [];
// What the person says of single files, by number.
const untrimmed = new Set();
const ordinary = new Set();
// What was found of files when the person asked for patches, by number.
let described = new Map();
// The line of the file that each sent item was made from.
let lineOf = [];
let receipt = '';
let body = '';

function listItem(name, tag, quiet, sentences) {
  const item = document.createElement('li');
  const small = sentences.filter(Boolean).map((sentence) => ['small whole', sentence]);
  for (const [kind, text] of [['', name], [quiet ? 'tag quiet' : 'tag', tag], ...small]) {
    if (!text) continue;
    const span = document.createElement('span');
    span.className = kind;
    span.textContent = text;
    item.append(span);
  }
  return item;
}

function nameOf(number) {
  return panels.word('file', { n: panels.number(number) });
}

// A box to tick, whose label says of which file it is.
function option(data, number, checked, sentences, { hush = false } = {}) {
  const label = Object.assign(document.createElement('label'), { className: 'option whole' });
  const input = Object.assign(document.createElement('input'), { type: 'checkbox', checked });
  input.dataset[data] = number;
  const name = Object.assign(document.createElement('span'), { className: hush ? 'hush' : '', textContent: nameOf(number) });
  const words = document.createElement('span');
  words.append(name, hush ? ' ' : ' · ', sentences.join(' '));
  label.append(input, words);
  return label;
}

function insideParts({ number, about, inside }) {
  const share = panels.number(inside.width * inside.height, { style: 'percent' });
  const words = document.createElement('span');
  Object.assign(words, { className: 'small whole', textContent: panels.word('inside', { share }) });
  const drawing = root.querySelector('[data-outline]').content.firstElementChild.cloneNode(true);
  drawOutline(drawing, about, inside);
  const checked = !untrimmed.has(number);
  return [words, drawing, option('inside', number, checked, [panels.word('use-inside')], { hush: true })];
}

function fileItem(line) {
  const { number, about, kind, item, why, like, plain, inside } = line;
  const remark = why ? panels.word(why, { n: like }) : '';
  const tag = item ? panels.word(`ready-${kind}`, { n: panels.number(item) }) : panels.word(plain ? 'too-plain' : 'left-out');
  const made = listItem(nameOf(number), tag, !item, [...describe(panels, about), remark]);
  if (inside) made.append(...insideParts(line));
  return made;
}

function chosenAi() {
  return root.querySelector('[data-ai]:checked').value;
}

function writeBody(items) {
  const code = codeField ? codeField.value.trim() : '';
  const sent = { receipt, made_with_ai: chosenAi(), items };
  if (code) sent.code = code;
  else if (proof.done) sent.proof = proof.done;
  // Line by line, but for the numbers of a frame or place: what is sent is what is shown, to the letter.
  body = JSON.stringify(sent, null, 1).replace(/\[[\d,\s]+\]/g, (numbers) => numbers.replace(/\s/g, ''));
  root.querySelector('[data-body]').textContent = body;
}

function sortedOut() {
  return sortOut(results, { useExact: useExact.checked, mostFrames, untrimmed, described, ordinary });
}

// Called again whenever the person changes something about what is sent.
function showResults({ focus = true } = {}) {
  const { lines, items, plain, later } = sortedOut();
  const usable = items.length > 0 || plain > 0 || lines.some(({ inside }) => inside);
  panels.show(usable ? 'check' : 'none', { focus });
  panels.part('list').replaceChildren(...lines.map(fileItem));
  if (!usable) return;
  lineOf = lines.filter(({ item }) => item !== undefined);
  panels.part('summary').textContent = panels.counted('summary', items.length);
  panels.part('exact').hidden = plain === 0;
  panels.part('left-for-later').hidden = later === 0;
  for (const button of panels.current.querySelectorAll('[data-act="write"], [data-act="send"]')) {
    button.disabled = items.length === 0 || Boolean(extras && extras.patches.busy);
  }
  writeBody(items);
}

function changed() {
  if (panels.current.dataset.panel === 'check') showResults({ focus: false });
}

// The person ticked or unticked the box of one file.
function changedFile(numbers, number, chosen) {
  if (chosen) numbers.add(Number(number));
  else numbers.delete(Number(number));
  changed();
}

function showOrdinary() {
  const pictures = sortedOut().lines.filter(({ pdq }) => pdq);
  ordinaryList.closest('details').hidden = pictures.length === 0;
  describing.closest('details').hidden = !results.some(canBeDescribed);
  ordinaryList.replaceChildren(
    ...pictures.map(({ number, about }) => option('isOrdinary', number, false, describe(panels, about))),
  );
}

// Resolves to null, with that said in `part`, where the program cannot be had.
async function withExtras(part) {
  try {
    const { Extras } = await import('./extras.js');
    extras ??= new Extras(root, panels, changed);
  } catch {
    root.querySelector(`[data-${part}] [role="status"]`).textContent = panels.word('not-looked');
  }
  return extras;
}

async function describeFiles() {
  described = new Map();
  if (extras) extras.patches.stop();
  changed();
  if (!describing.checked || !(await withExtras('patches')) || !describing.checked) return;
  const wanted = results.filter(canBeDescribed).map(({ number, kind }) => [number, kind, files[number - 1]]);
  await extras.describe(fingerprinter, wanted, (found) => {
    described = found;
    return sortedOut().items;
  });
}

// Whether a file says that AI made it. The answer is filled in, and is still the person's.
async function look() {
  if (!(await withExtras('looking'))) return;
  await extras.look(files, () => {
    root.querySelector('[data-ai][value="yes"]').checked = true;
    changed();
  });
}

function showProgress({ done, total, part = 0 }) {
  const progress = panels.current.querySelector('progress');
  if (!progress) return;
  progress.max = total;
  progress.value = Math.min(total, done + part);
  const words = panels.word('making', { done: panels.number(done), total: panels.number(total) });
  panels.part('progress-words').textContent = words;
  // Ten times at most: a screen reader should not have to read every number of five hundred.
  if (part === 0 && (done % Math.ceil(total / 10) === 0 || done === total)) {
    panels.part('progress-status').textContent = words;
  }
}

function showPaused(paused, { focus = true } = {}) {
  gate.set(paused);
  const [pause, resume, note] = ['pause', 'resume', 'paused'].map((name) => root.querySelector(`[data-${name}]`));
  pause.hidden = paused;
  resume.hidden = !paused;
  note.hidden = !paused;
  if (focus) (paused ? resume : pause).focus();
}

// What a folder holds beside pictures and videos: notes of the system, under names that begin with a dot.
function chosenFiles(input) {
  const files = Array.from(input.files);
  return input.webkitdirectory ? files.filter((file) => !file.name.startsWith('.')) : files;
}

async function make(input) {
  const chosen = chosenFiles(input);
  const tooMany = chosen.length > most;
  panels.part('too-many').hidden = !tooMany;
  panels.part('no-files').hidden = chosen.length > 0 || input.files.length === 0;
  if (tooMany || chosen.length === 0) return;
  forgetFiles();
  files = chosen;
  requests.start();
  // Whoever stopped while it was paused begins anew with work that goes on.
  showPaused(false, { focus: false });
  stopping = new AbortController();
  panels.show('making');
  try {
    results = await fingerprinter.fingerprint(files, { onProgress: showProgress, signal: stopping.signal, gate });
    receipt = newReceipt();
    useExact.checked = false;
    describing.checked = false;
    showOrdinary();
    showResults();
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

// first: the number in the case of the first item that was sent.
function remarkItem(name, first, { number, reason }) {
  const sentence = name === 'held' ? panels.word('held') : panels.word(reason);
  return listItem(panels.word(`${name}-item`, { n: panels.number(first + number - 1) }), '', true, [sentence]);
}

function showSaved({ case_number: number, pin, first, items, held, refused }) {
  body = '';
  forgetFiles();
  if (offline) offline.remove();
  else forgetKept();
  panels.show(number ? 'done' : 'added');
  panels.part('saved').textContent = panels.counted(number ? 'saved' : 'added', items);
  const list = panels.part('remarks');
  list.hidden = refused.length + held.length === 0;
  list.replaceChildren(
    ...refused.map((remark) => remarkItem('refused', first, remark)),
    ...held.map((remark) => remarkItem('held', first, remark)),
  );
  if (!number) return;
  groups(panels.part('number'), number.match(/[^-]+-?/g));
  groups(panels.part('pin'), [`${pin.slice(0, 4)}\u00a0`, pin.slice(4)]);
}

function forgetFiles() {
  if (extras) extras.stop();
  files = [];
  results = [];
  described = new Map();
  untrimmed.clear();
  ordinary.clear();
  ordinaryList.replaceChildren();
}

function forgetCase() {
  body = '';
  forgetFiles();
  if (codeField) codeField.value = '';
  for (const secret of root.querySelectorAll('[data-number], [data-pin], [data-body]')) secret.replaceChildren();
}

// lost: no answer came, so the same may be sent again; else something has to be changed before, one panel back.
function failed(word, { lost = false } = {}) {
  panels.show('failed');
  panels.part('failed-title').textContent = panels.word(lost ? 'no-answer' : 'went-wrong');
  panels.part('failed-again').hidden = !lost;
  panels.part('failed-send').hidden = !lost;
  panels.part('why').textContent = word;
}

// Waits for the calculation where it is needed and not done; whether there is one to send.
async function withProof() {
  if (JSON.parse(body).code || JSON.parse(body).proof) return true;
  panels.part('working').hidden = false;
  const found = await proof.payload().catch(() => null);
  panels.part('working').hidden = true;
  if (found === null) return false;
  writeBody(JSON.parse(body).items);
  return true;
}

async function sendCase({ again = true } = {}) {
  panels.show('sending');
  if (!(await withProof())) return failed(panels.word('proof-failed'));
  const answer = await send(root.dataset.address, body);
  if (answer === null) return failed(panels.word('lost'), { lost: true });
  const { status, body: said, retryAfter } = answer;
  if (status === 201) return showSaved(said);
  if (status === 428) {
    if (JSON.parse(body).code) return failed(panels.word('bad-code'));
    // The calculation was too old, or more is asked for now: once more, with a new one.
    const { items } = JSON.parse(body);
    proof.start();
    writeBody(items);
    return again ? sendCase({ again: false }) : failed(panels.word('proof-failed'));
  }
  if (status === 422) return showRefused(said.refused);
  if (status === 429) return failed(panels.counted('slow', Math.max(1, Math.ceil(retryAfter / 60))));
  return failed(panels.word(status === 401 ? 'session-over' : 'refused'));
}

// None of the items was taken: each file with the bank's reason.
function showRefused(refused) {
  const reasons = new Map(refused.map(({ number, reason }) => [lineOf[number - 1].number, reason]));
  panels.show('none');
  panels
    .part('list')
    .replaceChildren(
      ...lineOf.map(({ number, about }) => fileItem({ number, about, why: reasons.get(number) || 'malformed' })),
    );
}

function caseInWords() {
  return `${root.querySelector('[data-number]').textContent}\n${root.querySelector('[data-pin]').textContent}\n`;
}

// A text file that says nothing but the number and the PIN. Its name is as plain.
function saveCard() {
  const address = URL.createObjectURL(new Blob([caseInWords()], { type: 'text/plain' }));
  Object.assign(document.createElement('a'), { href: address, download: 'note.txt' }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

async function prepareOffline() {
  const button = root.querySelector('[data-offline-prepare]');
  const status = root.querySelector('[data-offline-status]');
  const progress = root.querySelector('[data-offline-progress]');
  button.disabled = true;
  status.textContent = panels.word('offline-getting');
  progress.hidden = false;
  try {
    const { Offline } = await import('./offline.js');
    offline ??= new Offline();
    await offline.prepare(({ done, total }) => {
      progress.value = done / total;
    });
    status.textContent = panels.word('offline-ready');
  } catch {
    status.textContent = panels.word('offline-failed');
    button.disabled = false;
  } finally {
    progress.hidden = true;
  }
}

const acts = {
  stop: () => {
    gate.set(false);
    stopping.abort();
  },
  pause: () => showPaused(true),
  resume: () => showPaused(false),
  prepare: prepareOffline,
  again: () => {
    forgetCase();
    panels.show('choose');
  },
  check: () => showResults(),
  write: () => panels.show('write'),
  send: () => sendCase(),
  look,
  print: () => print(),
  save: saveCard,
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
root.addEventListener('change', ({ target }) => {
  if (inputs.includes(target)) make(target);
  else if (target === describing) describeFiles();
  else if (target.dataset.isOrdinary) changedFile(ordinary, target.dataset.isOrdinary, target.checked);
  else if (target.dataset.inside) {
    changedFile(untrimmed, target.dataset.inside, !target.checked);
    // The list was made anew; the reader stays at that box.
    panels.part(`inside="${target.dataset.inside}"`).focus();
  } else changed();
});
addEventListener('online', showConnection);
addEventListener('offline', showConnection);
addEventListener('pagehide', forgetCase);

showConnection();
const offlineCard = root.querySelector('[data-offline-card]');
if (offlineCard && !canKeep()) offlineCard.hidden = true;
root.querySelector('[data-folder]').hidden = !('webkitdirectory' in inputs[1]) || matchMedia('(pointer: coarse)').matches;
proof.start();
proof.payload().then(() => changed(), () => {});
fingerprinter = await Fingerprinter.start();
const { ok, reason } = await fingerprinter.selfTest();
// The page is still new to its reader, who starts at its top; only bad news is brought to them.
panels.show(ok ? 'choose' : reason, { focus: !ok });
