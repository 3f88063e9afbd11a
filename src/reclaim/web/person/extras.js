// What a person may ask for once the fingerprints are ready. Loaded when she first asks for any of it.

// Work that goes on beside the page: how far it is, what came of it, and its end when it is no longer wanted.
class Asked {
  // element: holds a <progress> and a [role=status]. onBusy is called when work begins and when it ends.
  constructor(element, onBusy) {
    Object.assign(this, { onBusy, stopping: null });
    this.progress = element.querySelector('progress');
    this.status = element.querySelector('[role="status"]');
  }

  get busy() {
    return this.stopping !== null;
  }

  // work({onProgress, signal}) resolves to the sentence that is shown in the end; `failed` is shown if it rejects.
  // Resolves when all is done, or as soon as it is not wanted any more.
  async run(work, failed) {
    this.stop();
    const stopping = new AbortController();
    this.stopping = stopping;
    this._show(0, '');
    this.onBusy();
    const { signal } = stopping;
    const onProgress = ({ done, total, part = 0 }) => {
      if (!signal.aborted) this._show((done + part) / Math.max(1, total));
    };
    const said = await work({ onProgress, signal }).catch(() => failed);
    if (signal.aborted) return;
    this.stopping = null;
    this._show(null, said);
    this.onBusy();
  }

  stop() {
    const { stopping } = this;
    this.stopping = null;
    this._show(null, '');
    if (stopping === null) return;
    stopping.abort();
    this.onBusy();
  }

  _show(share, said = this.status.textContent) {
    this.progress.hidden = share === null;
    this.progress.value = share || 0;
    this.status.textContent = said;
  }
}

// The first of these files that do not have more pictures and stills together than may be sent with patches.
export function withinReach(files, { mostDescribed, mostStills }) {
  let room = Number(mostDescribed);
  return files.filter(([, kind]) => {
    room -= kind === 'video' ? Number(mostStills) : 1;
    return room >= 0;
  });
}

export class Extras {
  // onPatches is called when work on patches begins and when it ends.
  constructor(root, panels, onPatches) {
    this.panels = panels;
    this.bounds = root.dataset;
    const look = root.querySelector('[data-act="look"]');
    this.patches = new Asked(root.querySelector('[data-patches]'), onPatches);
    this.looking = new Asked(root.querySelector('[data-looking]'), () => {
      look.disabled = this.looking.busy;
    });
  }

  get failed() {
    return this.panels.word('not-looked');
  }

  // files: [number, kind, file] of each that may have patches. onFound is given a Map from numbers to what
  // Fingerprinter.describe found, and returns what is sent.
  describe(fingerprinter, files, onFound) {
    return this.patches.run(async (options) => {
      const chosen = withinReach(files, this.bounds);
      const found = await fingerprinter.describe(chosen.map(([, , file]) => file), options);
      const items = onFound(new Map(chosen.map(([number], place) => [number, found[place]])));
      const withPatches = items.filter(({ descriptors, stills }) => descriptors || stills);
      const [done, total] = [withPatches, items].map(({ length }) => this.panels.number(length));
      return this.panels.word('described', { done, total });
    }, this.failed);
  }

  // onFound is called once a file says that AI made it.
  look(files, onFound) {
    return this.looking.run(async ({ onProgress, signal }) => {
      const { Provenance } = await import('../hashing/provenance.js');
      const provenance = await Provenance.start();
      try {
        for (const [done, file] of files.entries()) {
          onProgress({ done, total: files.length });
          if (signal.aborted) return '';
          if (!(await provenance.saysAi(file))) continue;
          onFound();
          return this.panels.word('ai-found');
        }
        return this.panels.word('ai-nothing');
      } finally {
        provenance.stop();
      }
    }, this.failed);
  }

  stop() {
    this.patches.stop();
    this.looking.stop();
  }
}
