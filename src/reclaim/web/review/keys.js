// Single keys on the page of a match, and a clear picture that blurs itself again. Everything works without it, by forms.
//
// It is done right when:
// - a key does nothing while somebody types, chooses from a list or holds Ctrl, Alt or Meta, or where they are turned off;
// - no single key decides: it goes to the button and says what Enter will do;
// - a clear picture is gone when the page is hidden, or when nobody has touched anything for a while.

const page = document.querySelector('[data-say]').parentElement;
const said = page.querySelector('[data-say]');
const reasons = page.querySelector('[data-reasons]');
const help = page.querySelector('#keys');
const clear = page.querySelector('[data-hide-after]');

function isTyping(target) {
  return target.closest?.('input, textarea, select, [contenteditable]') != null;
}

function chooseReason(number) {
  const chosen = reasons?.options[number];
  if (!chosen) return;
  reasons.selectedIndex = number;
  said.textContent = chosen.text;
}

function press(element) {
  if (!element.dataset.ready) {
    element.click();
    return;
  }
  element.focus();
  said.textContent = element.dataset.ready;
}

function onKey(event) {
  if (event.defaultPrevented || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  if (isTyping(event.target)) return;
  if (event.key === '?' && help) {
    help.open = !help.open;
    help.querySelector('summary').focus();
  } else if (/^[1-9]$/.test(event.key)) {
    chooseReason(Number(event.key));
  } else {
    const element = /^[a-z]$/.test(event.key) && document.querySelector(`[data-key="${event.key}"]`);
    if (!element) return;
    press(element);
  }
  event.preventDefault();
}

function blurWhenLeft(form) {
  const button = form.querySelector('[data-blur]');
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => button.click(), Number(form.dataset.hideAfter) * 1000);
  };
  for (const kind of ['keydown', 'pointerdown', 'pointermove', 'scroll']) {
    document.addEventListener(kind, wait, { passive: true });
  }
  document.addEventListener('visibilitychange', () => { if (document.hidden) button.click(); });
  wait();
}

if ('shortcuts' in page.dataset) document.addEventListener('keydown', onKey);
if (clear) blurWhenLeft(clear);
