// Looks whether files say themselves that AI made or changed them, by their Content Credentials (C2PA), on the device:
//
//   const provenance = await Provenance.start();   // fetches a program of three megabytes; rejects if it cannot be had
//   const saysAi = await provenance.saysAi(file);   // false where a file says nothing that can be relied on
//   provenance.stop();
//
// Loaded only when a person asks. That a file says nothing means nothing: most say nothing, and what they say is easily
// taken away.

const STARTING_MS = 120000;
const PATIENCE_MS = 60000;

export class Provenance {
  static async start() {
    const provenance = new Provenance();
    await provenance._begin();
    return provenance;
  }

  // The first word of a new Worker.
  async _begin() {
    this.worker = new Worker(new URL('./provenance_worker.js', import.meta.url), { type: 'module' });
    const { ready } = await this._word(STARTING_MS).catch(() => ({ ready: false }));
    if (ready) return;
    this.stop();
    throw new Error('the program that reads credentials did not start');
  }

  // The next word of the Worker; rejects if it breaks down, or says nothing for so long.
  _word(patience) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(reject, patience, new Error('the worker hangs'));
      const settle = (done) => (event) => {
        clearTimeout(timer);
        event.preventDefault();
        done(event.data);
      };
      this.worker.onmessage = settle(resolve);
      this.worker.onerror = settle(() => reject(new Error('the worker broke down')));
    });
  }

  // Of a file that the program cannot cope with: false, and the next one gets a new Worker.
  async saysAi(file) {
    try {
      this.worker.postMessage(file);
      return (await this._word(PATIENCE_MS)).saysAi;
    } catch {
      this.stop();
      await this._begin();
      return false;
    }
  }

  stop() {
    this.worker.terminate();
  }
}
