// What a page uses to fingerprint pictures on the device:
//
//   const fingerprinter = await Fingerprinter.start();
//   const { ok, reason } = await fingerprinter.selfTest();
//   const results = await fingerprinter.fingerprint(input.files, { onProgress, signal });
//   fingerprinter.stop();
//
// Nothing here looks at a file's name, stores, sends or logs anything.

const STARTING_MS = 15000;

function abortError() {
  return new DOMException('The fingerprinting was cancelled.', 'AbortError');
}

// One Worker, which does one task at a time.
class Hand {
  static start() {
    return new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
      const hand = new Hand(worker);
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

  constructor(worker) {
    this.worker = worker;
    this.drop = () => {};
  }

  // Rejects only if the worker itself breaks down, for instance for want of memory, or is stopped.
  do(task, input) {
    return new Promise((resolve, reject) => {
      this.drop = () => reject(abortError());
      this.worker.onmessage = ({ data }) => resolve(data);
      this.worker.onmessageerror = reject;
      this.worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error('the worker broke down'));
      };
      this.worker.postMessage({ task, input });
    });
  }

  stop() {
    this.worker.terminate();
    this.drop();
  }
}

// The same on the page itself, with a pause before each task so that the page can draw and answer.
class PageHand {
  async do(task, input) {
    await new Promise((resolve) => setTimeout(resolve));
    const { tasks } = await import('./tasks.js');
    return tasks[task](input);
  }

  stop() {}
}

async function newHand() {
  try {
    return await Hand.start();
  } catch {
    return new PageHand();
  }
}

export class Fingerprinter {
  // workers: how many files at once; by default two, or one on a device with one core.
  static async start({ workers = Math.min(2, navigator.hardwareConcurrency || 1) } = {}) {
    const first = await newHand();
    const more = first instanceof PageHand ? 0 : Math.max(0, workers - 1);
    const others = await Promise.all(Array.from({ length: more }, newHand));
    return new Fingerprinter([first, ...others.filter((hand) => hand instanceof Hand)]);
  }

  constructor(hands) {
    this.hands = hands;
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
  //   {number, ok: true, type: 'pdq', value, quality}  or
  //   {number, ok: false, reason: 'empty' | 'not-a-picture' | 'too-large' | 'unreadable'}.
  // onProgress({done, total}) is called at the start and after each file. Rejects with an AbortError when `signal`
  // aborts or stop() is called, and with an Error whose `reason` is that of a failed self-test: no fingerprint is
  // ever made by a browser that did not pass it.
  async fingerprint(files, { onProgress = () => {}, signal = null } = {}) {
    const total = files.length;
    const queue = Array.from(files).entries();
    const results = new Array(total);
    let done = 0;
    const cancelled = () => this.stopped || (signal !== null && signal.aborted);
    const oneAfterAnother = async () => {
      for (const [index, file] of queue) {
        if (cancelled()) throw abortError();
        const result = await this._do('fingerprint', file);
        if (cancelled()) throw abortError();
        results[index] = { number: index + 1, ...(result || { ok: false, reason: 'unreadable' }) };
        done += 1;
        onProgress({ done, total });
      }
    };
    const work = async () => {
      if (cancelled()) throw abortError();
      onProgress({ done, total });
      const { ok, reason } = await this.selfTest();
      if (cancelled()) throw abortError();
      if (!ok) throw Object.assign(new Error('this browser did not pass the self-test'), { reason });
      await Promise.all(this.hands.map(oneAfterAnother));
      return results;
    };
    let onAbort;
    const aborted = new Promise((_, reject) => {
      onAbort = () => reject(abortError());
      if (signal) signal.addEventListener('abort', onAbort);
    });
    try {
      return await Promise.race([work(), aborted]);
    } finally {
      if (signal) signal.removeEventListener('abort', onAbort);
    }
  }

  // Ends the workers; what was under way is dropped.
  stop() {
    this.stopped = true;
    for (const hand of this.hands) hand.stop();
  }

  // The result of a task by the next free hand, or null if the hand broke down; then another takes its place.
  async _do(task, input) {
    const hand = this.free.pop() || (await new Promise((resolve) => this.waiting.push(resolve)));
    let next = hand;
    try {
      return await hand.do(task, input);
    } catch (error) {
      if (this.stopped) throw error;
      hand.stop();
      next = await newHand();
      this.hands[this.hands.indexOf(hand)] = next;
      return null;
    } finally {
      const waiting = this.waiting.shift();
      if (waiting) waiting(next);
      else this.free.push(next);
    }
  }
}
