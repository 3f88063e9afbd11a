// Proof of work, done in the background while the person does other things:
//
//   const proof = new Proof('/start/puzzle/');
//   proof.start();                        // fetch a puzzle when the page is idle, and solve it
//   proof.done                            // the text to send as «proof», or null while there is none
//   const text = await proof.payload();   // the same, waited for; null if none can be had just now
//
// start() again throws away what is there, for when the bank said that it was used or is too old. A solution that has
// grown old by itself counts as none, and payload() makes a new one.

const PAUSES_MS = [1000, 4000, null];
const IDLE_MS = 3000;
// So much before its end a solution counts as old: what is sent must still arrive in time.
const MARGIN_MS = 60000;

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function idle() {
  return new Promise((resolve) => {
    if (typeof requestIdleCallback === 'function') requestIdleCallback(resolve, { timeout: IDLE_MS });
    else setTimeout(resolve, 200);
  });
}

// {challenge, seconds}, or null if it cannot be had.
async function fetchPuzzle(address, signal) {
  for (const ms of PAUSES_MS) {
    try {
      const response = await fetch(address, { credentials: 'omit', cache: 'no-store', redirect: 'error', signal });
      if (response.ok) return await response.json();
    } catch {
      // No connection, perhaps for a moment.
    }
    if (ms === null || signal.aborted) return null;
    await pause(ms);
  }
  return null;
}

// One puzzle from its fetching to its solution.
class Work {
  constructor(address, soon) {
    this.text = null;
    this.until = Infinity;
    this.giveUp = new AbortController();
    this.end = this.run(address, soon);
  }

  // Whether payload() may wait for this one, or has it.
  get good() {
    return Date.now() < this.until;
  }

  async run(address, soon) {
    if (!soon) await idle();
    const puzzle = await fetchPuzzle(address, this.giveUp.signal);
    if (this.giveUp.signal.aborted) return null;
    // By how long it is since then, not by the puzzle's own date: many devices' clocks are wrong.
    const ms = puzzle ? puzzle.seconds * 1000 - MARGIN_MS : 0;
    this.until = Date.now() + ms;
    const text = puzzle && (await this.solve(puzzle.challenge, ms).catch(() => null));
    if (text) this.text = text;
    else this.until = 0;
    return this.text;
  }

  async solve(challenge, ms) {
    try {
      return await this.inWorker(challenge, ms);
    } catch (error) {
      if (this.giveUp.signal.aborted) throw error;
      // A browser without module Workers, or short of memory: here, where it leaves the thread between the tries.
      const { solve } = await import('./proof_solving.js');
      return solve(challenge, ms);
    }
  }

  inWorker(challenge, ms) {
    return new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./proof_worker.js', import.meta.url), { type: 'module' });
      const end = (settle, value) => {
        worker.terminate();
        settle(value);
      };
      worker.onmessage = ({ data }) => (data.failed ? end(reject, new Error('not solved')) : end(resolve, data.proof));
      worker.onerror = (event) => {
        event.preventDefault();
        end(reject, new Error('the worker did not run'));
      };
      this.giveUp.signal.addEventListener('abort', () => end(reject, new Error('given up')));
      worker.postMessage({ challenge, ms });
    });
  }

  stop() {
    this.until = 0;
    this.giveUp.abort();
  }
}

export class Proof {
  constructor(address) {
    this.address = address;
    this.work = null;
  }

  start({ soon = false } = {}) {
    if (this.work) this.work.stop();
    this.work = new Work(this.address, soon);
  }

  get done() {
    return this.work && this.work.good ? this.work.text : null;
  }

  async payload() {
    if (!this.work || !this.work.good) this.start({ soon: true });
    const { work } = this;
    const text = await work.end;
    // Started anew meanwhile: the caller wants what is being made now.
    return work === this.work ? text : this.payload();
  }
}
