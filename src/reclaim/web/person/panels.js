// One thing at a time on one address: panels are shown and hidden, and the reader is taken to the new heading.

export class Panels {
  constructor(root) {
    this.root = root;
    this.all = Array.from(root.querySelectorAll('[data-panel]'));
    this.current = this.all.find((panel) => !panel.hidden);
  }

  show(name, { focus = true } = {}) {
    for (const panel of this.all) panel.hidden = panel.dataset.panel !== name;
    this.current = this.all.find((panel) => !panel.hidden);
    if (!focus) return;
    scrollTo(0, 0);
    this.current.querySelector('h1').focus({ preventScroll: true });
  }

  // The element that carries this data attribute in the panel that is shown.
  part(name) {
    return this.current.querySelector(`[data-${name}]`);
  }

  // A sentence of the page, with its {gaps} filled.
  word(name, gaps = {}) {
    const sentence = this.root.querySelector(`template[data-word="${name}"]`).content.textContent;
    return sentence.replace(/\{(\w+)\}/g, (_, gap) => gaps[gap]);
  }
}
