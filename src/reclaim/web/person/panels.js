// One thing at a time on one address: panels are shown and hidden, and the reader is taken to the new heading.

const COUNTS = 200;

function fill(sentence, gaps) {
  return sentence.replace(/\{(\w+)\}/g, (_, gap) => gaps[gap]);
}

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
    return fill(this.template(name).content.textContent, gaps);
  }

  // A sentence about a count, in the form that the page's language has for it.
  counted(name, n) {
    const template = this.template(name);
    const form = template.dataset.plural[n < COUNTS ? n : 100 + (n % 100)];
    return fill(template.content.children[Number(form)].textContent, { n: this.number(n) });
  }

  // A number, and a day, as the page's language writes them.
  number(n, options) {
    return new Intl.NumberFormat(document.documentElement.lang, options).format(n);
  }

  day(date) {
    return new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'long' }).format(date);
  }

  template(name) {
    return this.root.querySelector(`template[data-word="${name}"]`);
  }
}
