// A security key, or what the device has of the kind: sets it up, or asks it to show who is there, and sends the form.
//
// It is done right when:
// - the server's options are used as they are, and the browser's answer is sent as it is;
// - a form without a credential is not sent by the key's button;
// - whoever cancels, waits too long or has no key reads what else they can do.

const form = document.querySelector('form[data-key]');
const button = form.querySelector('[data-key-button]') ?? form.querySelector('button');
const failed = form.querySelector('[data-key-failed]');

async function ask() {
  const options = JSON.parse(form.dataset.options);
  if (form.dataset.key === 'create') {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

async function useKey(event) {
  event.preventDefault();
  failed.hidden = true;
  // What else the form asks for comes first, but not the code, which the key stands in for.
  if (!form.reportValidity()) return;
  button.disabled = true;
  try {
    const credential = await ask();
    form.elements.credential.value = JSON.stringify(credential.toJSON());
    form.submit();
  } catch {
    failed.hidden = false;
  } finally {
    button.disabled = false;
  }
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  button.addEventListener('click', useKey);
} else {
  button.hidden = true;
  form.querySelector('[data-key-missing]').hidden = false;
}
