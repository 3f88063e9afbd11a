// What a person had this browser keep, so that the page works without a connection: one cache, and the service workers
// that answer from it (keep.js). person/offline.js makes it; leaving takes it away, and so
// does every other page unless the page of files is still open in another tab.

export const CACHE = 'kept';
// A lock that every open page of files shares, in whichever tab it is.
const IN_USE = 'kept';
// A page that was just left may have it for a moment longer.
const TRIES = 4;
const PAUSE_MS = 250;

// Whether this browser can keep anything: it needs service workers, which come with HTTPS, and not in every private
// window.
export function canKeep() {
  return window.isSecureContext && 'serviceWorker' in navigator && 'caches' in window;
}

// Resolves once nothing is kept. Never rejects: where a browser bars its storage, nothing was kept either.
export async function forgetKept() {
  if (!canKeep()) return;
  try {
    const workers = await navigator.serviceWorker.getRegistrations();
    await Promise.all([caches.delete(CACHE), ...workers.map((worker) => worker.unregister())]);
  } catch {
    // Barred, as said above.
  }
}

// For as long as this page is open, no other tab takes away what is kept, but for leaving and sending.
export function holdKept() {
  if (navigator.locks) navigator.locks.request(IN_USE, { mode: 'shared' }, () => new Promise(() => {})).catch(() => {});
}

// Resolves once nothing is kept, or a page of files is open in another tab. Never rejects.
export async function forgetUnlessHeld() {
  if (!canKeep() || !navigator.locks) return forgetKept();
  for (let tries = 0; tries < TRIES; tries++) {
    const forgotten = await navigator.locks.request(IN_USE, { ifAvailable: true }, async (lock) => {
      if (lock) await forgetKept();
      return lock !== null;
    });
    if (forgotten) return undefined;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return undefined;
}
