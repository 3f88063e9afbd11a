// Gets the page of files ready to work without a connection, when the person asks for it:
//
//   const offline = new Offline();
//   await offline.prepare(({ done, total }) => …);   // bytes
//   await offline.remove();
//
// What is kept is this page and the files that it may need, the decoders too that are otherwise fetched only for a file
// that needs one; but not the reader of credentials, which is larger than all else and answers a question that nobody
// has to ask. The browser itself checks each file against the digest in the published list (/files.json).

import { CACHE, forgetKept } from '../components/kept.js';

const FILES = new URL('../', import.meta.url);
const LIST = new URL('../files.json', FILES);
const NEEDED = /^(?:site\.css|(?:components|hashing|icons|person|vendor(?!\/c2pa-wasm\/))\/.*)$/;

async function got(address, options) {
  const response = await fetch(address, { cache: 'no-cache', redirect: 'error', ...options });
  if (!response.ok) throw new Error('a file of this page was not given');
  return response;
}

// Resolves when the service worker answers.
async function register(address) {
  const registration = await navigator.serviceWorker.register(address, { updateViaCache: 'none' });
  const worker = registration.installing || registration.waiting || registration.active;
  await new Promise((resolve, reject) => {
    const look = () => {
      if (worker.state === 'activated') resolve();
      if (worker.state === 'redundant') reject(new Error('the service worker did not start'));
    };
    worker.addEventListener('statechange', look);
    look();
  });
}

export class Offline {
  // onProgress({done, total}) counts bytes of files. Rejects, with nothing kept, if any file is not as published, the
  // connection is lost, the browser has no room, or remove() is called.
  async prepare(onProgress = () => {}) {
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    try {
      const { files } = await (await got(LIST, { signal })).json();
      const needed = Object.entries(files).filter(([path]) => NEEDED.test(path));
      const total = needed.reduce((sum, [, { bytes }]) => sum + bytes, 0);
      let done = 0;
      onProgress({ done, total });
      const cache = await caches.open(CACHE);
      const page = location.origin + location.pathname;
      await cache.put(page, await got(page, { signal }));
      const keep = async ([path, { digest, bytes }]) => {
        const address = new URL(path, FILES);
        await cache.put(address, await got(address, { signal, integrity: digest }));
        done += bytes;
        onProgress({ done, total });
      };
      await Promise.all(needed.map(keep));
      await Promise.all([new URL('keep.js', page), new URL('keep.js', FILES)].map(register));
      signal.throwIfAborted();
    } catch (error) {
      this.stopping.abort();
      await forgetKept();
      throw error;
    }
  }

  // Nothing is kept any more. Never rejects.
  async remove() {
    if (this.stopping) this.stopping.abort();
    await forgetKept();
  }
}
