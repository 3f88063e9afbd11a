// The module Worker that reads Content Credentials (C2PA). It says {ready} once, then is sent a Blob at a time and answers
// {saysAi}. Of what a file says nothing else leaves this Worker.

import begin, { WasmReader } from '../vendor/c2pa-wasm/c2pa.js';
import { sniff } from './header.js';

const TYPES = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  avif: 'image/avif',
  heic: 'image/heic',
  tiff: 'image/tiff',
  mp4: 'video/mp4',
  mov: 'video/quicktime',
};
// A file may name another place where more is said of it, or where its certificate can be asked about. Nobody is asked.
const SETTINGS = JSON.stringify({ verify: { verify_trust: false, ocsp_fetch: false, remote_manifest_fetch: false } });
// IPTC's words for how a picture came about, at the end of an address. docs/signals.md says why these.
const AI = /\/(?:(?:compositeWithT|t)rainedAlgorithmicMedia|trainedAlgorithmicData|algorithmicMedia|compositeSynthetic)$/;

// Whether a word for AI stands anywhere in what the manifests say.
function namesAi(said) {
  const waiting = [said];
  while (waiting.length) {
    for (const [key, value] of Object.entries(waiting.pop())) {
      if (value !== null && typeof value === 'object') waiting.push(value);
      else if (/digitalSourceType$/i.test(key) && AI.test(value)) return true;
    }
  }
  return false;
}

// How a file is told to be that was not changed since it was signed; «Trusted» is told only by who has a list of signers.
const UNCHANGED = new Set(['Valid', 'Trusted']);

// Whether the file's signed words belong to this very file, unchanged, and name AI for it or for what it was made from.
// Who signed is not asked: that would take a list of whom to trust, and a person's answer needs none.
async function saysAi(blob) {
  const type = TYPES[await sniff(blob)];
  if (type === undefined) return false;
  const reader = await WasmReader.fromBlob(type, blob, SETTINGS);
  try {
    const { validation_state: state, manifests } = JSON.parse(reader.json());
    return UNCHANGED.has(state) && namesAi(Object.values(manifests).map(({ assertions }) => assertions || []));
  } finally {
    reader.free();
  }
}

self.onmessage = async ({ data }) => {
  // Most files have no credentials; that is told as an error.
  self.postMessage({ saysAi: await saysAi(data).catch(() => false) });
};

try {
  await begin({ module_or_path: new URL('../vendor/c2pa-wasm/c2pa_bg.wasm', import.meta.url) });
  self.fetch = () => Promise.reject(new TypeError('nobody is asked'));
  self.postMessage({ ready: true });
} catch {
  self.postMessage({ ready: false });
}
