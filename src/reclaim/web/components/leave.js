// «Leave this page», after the behaviour of GOV.UK's "exit this page" (design-system.service.gov.uk).
//
// It is done right when:
// - without scripts it is a plain link that ends the visit;
// - the page is blank before anything is asked of the network, and stays blank however slow the network is;
// - this page's own place in the browser's history is taken by where the link leads;
// - Shift three times within five seconds does the same; a capital letter or a selection is no press;
// - the presses made are seen as dots, and a screen reader hears how many are left and when their time is over;
// - what the person had the browser keep for work without a connection is gone with the visit.

import { forgetKept, forgetUnlessHeld, holdKept } from './kept.js';

const WITHIN_MS = 5000;
const SAID_MS = 5000;
// What is said after each press but the last.
const LEFT = ['two', 'one'];

const links = document.querySelectorAll('[data-leave]');
const status = document.querySelector('[data-leave-status]');
const dots = document.querySelector('[data-leave-presses]');
let presses = 0;
let alone = false;
let timer;

function say(name) {
  status.textContent = name && document.querySelector(`[data-leave-word="${name}"]`).content.textContent;
}

function showPresses() {
  dots.hidden = presses === 0;
  Array.from(dots.children).forEach((dot, place) => dot.classList.toggle('done', place < presses));
}

function startAgain() {
  presses = 0;
  clearTimeout(timer);
  showPresses();
  say('');
}

function timedOut() {
  startAgain();
  say('over');
  timer = setTimeout(say, SAID_MS, '');
}

function leave() {
  document.body.classList.add('covered');
  startAgain();
  say('leaving');
  for (const field of document.querySelectorAll('input, textarea')) field.value = '';
  // The answer to what is asked for next has the browser clear everything; this is for when no answer comes.
  forgetKept();
  location.replace(links[0].href);
}

function pressed() {
  if (presses === 0) {
    clearTimeout(timer);
    timer = setTimeout(timedOut, WITHIN_MS);
  }
  presses += 1;
  if (presses > LEFT.length) return leave();
  showPresses();
  return say(LEFT[presses - 1]);
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
    if (presses > 0) startAgain();
  }
});

addEventListener('keyup', (event) => {
  if (event.key === 'Shift' && alone) pressed();
});

addEventListener('pointerdown', () => {
  alone = false;
});

// A page that the browser kept alive and brings back must not show what it showed, nor stay blank.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

// Only the page that the files were kept for needs them; whoever has gone on to another is done with them.
if (document.querySelector('[data-offline-prepare]')) holdKept();
else forgetUnlessHeld();
