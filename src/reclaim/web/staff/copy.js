// Copies the text of a request to the clipboard.
//
// It is done right when:
// - what is copied is what stands in the field, also after it was changed by hand;
// - the button says that it was copied, to a screen reader too;
// - without a clipboard the text is selected, so that the keyboard's own way works.

const button = document.querySelector('[data-copy]');
const field = document.querySelector('[data-copied]');

async function copy() {
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = 'Copied';
  } catch {
    field.focus();
    field.select();
    button.textContent = 'Selected: now copy it';
  }
}

button?.setAttribute('aria-live', 'polite');
button?.addEventListener('click', copy);
