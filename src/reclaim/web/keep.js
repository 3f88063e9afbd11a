// The service worker that lets the page of files work without a connection. It is registered only when the person asks
// (person/offline.js), twice: below that page's own address, so that it answers for that page and for no other, and
// below the files' address, because a Worker of the page is answered for by the address of its script.
//
// It answers from what the page put into the cache, each file checked against the published digests, and keeps nothing
// itself. What is sent passes it by.

const CACHE = 'kept';

async function answer(request) {
  // Not caches.open: that would make the cache anew after it was taken away.
  const kept = await caches.match(request.url, { cacheName: CACHE, ignoreVary: true });
  return kept || fetch(request);
}

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  if (event.request.method === 'GET') event.respondWith(answer(event.request));
});
