// What work passes through between two of its steps: shut while the person has paused it.

export class Gate {
  constructor() {
    this.paused = false;
    this.waiting = [];
  }

  set(paused) {
    this.paused = paused;
    if (!paused) for (const goOn of this.waiting.splice(0)) goOn();
  }

  // Resolves at once, or when the gate is opened again.
  async open() {
    while (this.paused) await new Promise((resolve) => this.waiting.push(resolve));
  }
}
