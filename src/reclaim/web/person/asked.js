// Work that a person asks for on a panel: how far it is, what came of it, and its end when it is no longer wanted.

export class Asked {
  // element: holds a <progress> and a [role=status]. onBusy is called when work begins and when it ends.
  constructor(element, panels, onBusy = () => {}) {
    Object.assign(this, { panels, onBusy, stopping: null });
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
    if (this.stopping) this.stopping.abort();
    this.stopping = null;
    this._show(null, '');
  }

  _show(share, said = this.status.textContent) {
    this.progress.hidden = share === null;
    this.progress.value = share || 0;
    this.status.textContent = said;
  }
}
