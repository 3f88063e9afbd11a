// «Leave this page», after the behaviour of GOV.UK's "exit this page" (design-system.service.gov.uk).
//
// It is done right when:
// - without scripts it is a plain link that ends the visit;
// - the page is blank before anything is asked of the network, and stays blank however slow the network is;
// - this page's own place in the browser's history is taken by where the link leads;
// - Shift three times within five seconds does the same; a capital letter or a selection is no press;
// - a screen reader hears how many presses are left.

const PRESSES = 3;
const WITHIN_MS = 5000;

const links = document.querySelectorAll('[data-leave]');
const status = document.querySelector('[data-leave-status]');
let presses = 0;
let alone = false;
let timer;

function word(name, n) {
  return document.querySelector(`[data-leave-word="${name}"]`).content.textContent.replace('{n}', n);
}

function leave() {
  document.body.classList.add('covered');
  for (const field of document.querySelectorAll('input, textarea')) field.value = '';
  location.replace(links[0].href);
}

function startAgain() {
  presses = 0;
  clearTimeout(timer);
  status.textContent = '';
}

function pressed() {
  presses += 1;
  if (presses === 1) timer = setTimeout(startAgain, WITHIN_MS);
  if (presses === PRESSES) return leave();
  const left = PRESSES - presses;
  status.textContent = left === 1 ? word('once', left) : word('more', left);
}

for (const link of links) {
  link.addEventListener('click', (event) => {
    event.preventDefault();
    leave();
  });
}

addEventListener('keydown', (event) => {
  if (event.key === 'Shift') {
    if (!event.repeat) alone = true;
  } else {
    alone = false;
    startAgain();
  }
});

addEventListener('keyup', (event) => {
  if (event.key === 'Shift' && alone) pressed();
});

addEventListener('pointerdown', () => {
  alone = false;
});

// A page that the browser kept alive and brings back must not show what it showed.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});
