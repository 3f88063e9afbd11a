// What a page uses to fingerprint pictures and videos on the device:
//
//   const fingerprinter = await Fingerprinter.start();
//   const { ok, reason } = await fingerprinter.selfTest();
//   const results = await fingerprinter.fingerprint(input.files, { onProgress, signal, gate });
//   fingerprinter.stop();
//
// Nothing here looks at a file's name, stores, sends or logs anything.

const STARTING_MS = 15000;
const PATIENCE_MS = 300000;
// onProgress is not called for less than this.
const LEAST_PART = 0.005;

function abortError() {
  return new DOMException('The fingerprinting was cancelled.', 'AbortError');
}

const goOn = async () => true;

// One Worker, which does one task at a time.
class Hand {
  // patience: milliseconds without a word from a worker at its task, after which it counts as broken down.
  static start(patience) {
    return new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
      const hand = new Hand(worker, patience);
      const fail = () => {
        clearTimeout(timer);
        worker.terminate();
        reject(new Error('the worker did not start'));
      };
      const timer = setTimeout(fail, STARTING_MS);
      worker.onerror = fail;
      worker.onmessage = ({ data }) => {
        if (data.ready !== true) return fail();
        clearTimeout(timer);
        return resolve(hand);
      };
    });
  }

  constructor(worker, patience) {
    this.worker = worker;
    this.patience = patience;
    this.drop = () => {};
  }

  // step(part) is called as the task goes on, which waits for it to resolve and ends on false. Rejects only if the
  // worker itself breaks down, for instance for want of memory, or is stopped.
  async do(task, input, step) {
    let timer;
    try {
      return await new Promise((resolve, reject) => {
        const silent = () => reject(new Error('the worker hangs'));
        // Words that it waits for an answer to: so long it may be silent.
        let unanswered = 0;
        this.drop = () => reject(abortError());
        this.worker.onmessage = async ({ data }) => {
          clearTimeout(timer);
          if (!('part' in data)) return resolve(data.result);
          unanswered += 1;
          const on = await step(data.part);
          this.worker.postMessage({ on });
          unanswered -= 1;
          if (unanswered === 0) timer = setTimeout(silent, this.patience);
          return undefined;
        };
        this.worker.onmessageerror = reject;
        this.worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error('the worker broke down'));
        };
        this.worker.postMessage({ task, input }, input instanceof ImageBitmap ? [input] : []);
        timer = setTimeout(silent, this.patience);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  stop() {
    this.worker.terminate();
    this.drop();
  }
}

// The same on the page itself, with a pause before each task so that the page can draw and answer.
class PageHand {
  async do(task, input, step) {
    const pause = () => new Promise((resolve) => setTimeout(resolve));
    await pause();
    const { tasks } = await import('./tasks.js');
    return tasks[task](input, async (part) => {
      await pause();
      if (!(await step(part))) throw abortError();
    });
  }

  stop() {}
}

async function newHand(patience) {
  try {
    return await Hand.start(patience);
  } catch {
    return new PageHand();
  }
}

// The files of one call: how far each is, whether to go on, and when to wait.
class Round {
  // ended: a promise that rejects when the call is cancelled.
  constructor(total, { onProgress, gate, cancelled, ended }) {
    Object.assign(this, { total, onProgress, gate, cancelled, ended });
    this.done = 0;
    this.parts = new Map();
    this.told = 0;
  }

  // How much of the files under way is done, at most 1: done + part never falls.
  get part() {
    let sum = 0;
    for (const part of this.parts.values()) sum += part;
    return Math.min(1, sum);
  }

  tell() {
    this.told = this.part;
    this.onProgress({ done: this.done, total: this.total, part: this.told });
  }

  // Resolves, when the gate is open, to whether to go on.
  async step(index, part) {
    this.parts.set(index, Math.max(part, this.parts.get(index) || 0));
    if (this.part - this.told >= LEAST_PART) this.tell();
    return this.mayGoOn();
  }

  async mayGoOn() {
    if (!this.cancelled() && this.gate !== null && this.gate.paused) {
      await Promise.race([this.gate.open(), this.ended.catch(() => {})]);
    }
    return !this.cancelled();
  }

  finish(index) {
    this.parts.delete(index);
    this.done += 1;
    this.tell();
  }
}

export class Fingerprinter {
  // workers: how many files at once; by default two, or one on a device with one core. patience: milliseconds after
  // which a worker that says nothing is replaced, and its file counts as unreadable.
  static async start({ workers = Math.min(2, navigator.hardwareConcurrency || 1), patience = PATIENCE_MS } = {}) {
    const first = await newHand(patience);
    const more = first instanceof PageHand ? 0 : Math.max(0, workers - 1);
    const others = await Promise.all(Array.from({ length: more }, () => newHand(patience)));
    return new Fingerprinter([first, ...others.filter((hand) => hand instanceof Hand)], patience);
  }

  constructor(hands, patience) {
    this.hands = hands;
    this.patience = patience;
    this.free = hands.slice();
    this.waiting = [];
    this.stopped = false;
    this.tested = null;
  }

  // Whether the work is done in Workers (true) or, in an old browser, on the page itself.
  get inWorker() {
    return this.hands[0] instanceof Hand;
  }

  // Resolves to {ok, reason}, reason being 'ok', 'canvas-falsified' or 'unsupported'. Runs once.
  selfTest() {
    if (this.tested === null) {
      const unsupported = { ok: false, reason: 'unsupported' };
      this.tested = this._do('selfTest', undefined).then((result) => result || unsupported);
    }
    return this.tested;
  }

  // files: FileList or array of File or Blob. Resolves, in their order and numbered from 1, to
  //   {number, about, ok: true, kind: 'picture', signals: [{type: 'pdq', value, quality}]},
  //   {number, about, ok: true, kind: 'picture', poor: true, why: 'flat' | 'small' | 'text', signals: [],
  //    exact: {type: 'md5', value}},
  //   either of them with trimmed: {value, quality, box: {left, top, width, height}} where the picture lies inside bars,
  //    captions or a screenshot, box in shares of the whole,
  //   {number, about, ok: true, kind: 'video', signals: [{type: 'md5', value}, {type: 'vpdq', frames}]},
  //   {number, about, ok: true, kind: 'video', only: 'codec' | 'encrypted' | 'damaged' | 'plain',
  //    signals: [{type: 'md5', value}]}  or
  //   {number, about, ok: false, reason: 'empty' | 'not-a-picture' | 'too-large' | 'unreadable' | 'truncated' |
  //    'encrypted' | 'unsupported' | 'not-fetched'}.
  // about: {format, bytes, width?, height?, seconds?, modified?}, for the person's own eyes and never sent: pixels as
  // shown, seconds of a video, modified in milliseconds since 1970.
  // onProgress({done, total, part}) is called at the start, after each file, and as large files go on: part is 0..1,
  // how much of the files under way is done, and done + part never falls. gate: {paused, open()}: while paused is
  // true, open() is awaited before the next piece of work. Rejects with an AbortError when `signal` aborts or stop()
  // is called, and with an Error whose `reason` is that of a failed self-test: no fingerprint is ever made by a
  // browser that did not pass it.
  async fingerprint(files, options) {
    const results = await this._each(files, options, (file, step) => this._result(file, step));
    return results.map((result, index) => ({ number: index + 1, ...result }));
  }

  // files: that have a fingerprint. Resolves, in their order, to {whole, part} of a picture: descriptors of all of it and,
  // where there is a part inside, of that, each {descriptors, placement}, or null where there are too few; to {stills} of a
  // video, an array of them; or to {}. Options and rejections as of fingerprint.
  describe(files, options) {
    return this._each(files, options, async (file, step) => {
      const found = (await this._do('describe', file, step)) || {};
      return found.seeks ? (await import('./played.js')).describePlayed(this._playing(file, found.seeks, step)) : found;
    });
  }

  // get(file, step) for each file, by as many hands as there are; resolves to what it gave, in the order of the files.
  async _each(files, { onProgress = () => {}, signal = null, gate = null } = {}, get) {
    const queue = Array.from(files).entries();
    const results = new Array(files.length);
    const cancelled = () => this.stopped || (signal !== null && signal.aborted);
    let onAbort;
    const ended = new Promise((_, reject) => {
      onAbort = () => reject(abortError());
      if (signal) signal.addEventListener('abort', onAbort);
    });
    const round = new Round(files.length, { onProgress, gate, cancelled, ended });
    const oneAfterAnother = async () => {
      for (const [index, file] of queue) {
        if (!(await round.mayGoOn())) throw abortError();
        const result = await get(file, (part) => round.step(index, part));
        if (cancelled()) throw abortError();
        results[index] = result;
        round.finish(index);
      }
    };
    const work = async () => {
      if (cancelled()) throw abortError();
      round.tell();
      const { ok, reason } = await this.selfTest();
      if (cancelled()) throw abortError();
      if (!ok) throw Object.assign(new Error('this browser did not pass the self-test'), { reason });
      await Promise.all(this.hands.map(oneAfterAnother));
      return results;
    };
    try {
      return await Promise.race([work(), ended]);
    } finally {
      if (signal) signal.removeEventListener('abort', onAbort);
    }
  }

  // Ends the workers; what was under way is dropped.
  stop() {
    this.stopped = true;
    for (const hand of this.hands) hand.stop();
  }

  async _result(file, step) {
    const unreadable = { ok: false, reason: 'unreadable', about: { format: 'unknown' } };
    const { seeks, ...found } = (await this._do('fingerprint', file, step)) || unreadable;
    const played = seeks && (await import('./played.js'));
    const result = played ? await played.fingerprintPlayed(this._playing(file, seeks, step), found) : found;
    const about = { ...result.about, bytes: file.size };
    if (file.lastModified !== undefined) about.modified = file.lastModified;
    return { ...result, about };
  }

  // What played.js needs to know.
  _playing(file, seeks, step) {
    const goOn = async (part) => {
      if (!(await step(part))) throw abortError();
    };
    return { file, seeks, goOn, ask: (task, input) => this._do(task, input) };
  }

  // The result of a task by the next free hand, or null if the hand broke down; then another takes its place.
  async _do(task, input, step = goOn) {
    const hand = this.free.pop() || (await new Promise((resolve) => this.waiting.push(resolve)));
    let next = hand;
    try {
      return await hand.do(task, input, step);
    } catch (error) {
      if (this.stopped) throw error;
      hand.stop();
      next = await newHand(this.patience);
      this.hands[this.hands.indexOf(hand)] = next;
      return null;
    } finally {
      const waiting = this.waiting.shift();
      if (waiting) waiting(next);
      else this.free.push(next);
    }
  }
}
