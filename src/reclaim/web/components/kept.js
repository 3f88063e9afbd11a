// What a person had this browser keep, so that the page works without a connection: one cache, and the service workers
// that answer from it (keep.js). person/offline.js makes it; leaving, and every other page, takes it away.

export const CACHE = 'kept';

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
