// MD5 of a whole file as it streams by: what is in memory at a time does not depend on how large the file is.

import '../vendor/hash-wasm/md5.umd.min.js';

const STEP_BYTES = 4 * 1024 * 1024;

// step(part), if any, is awaited every few megabytes, part being 0..1. Resolves to 32 hexadecimal digits; rejects as
// step does, or if the file cannot be read.
export async function md5(blob, step = async () => {}) {
  const digest = await globalThis.hashwasm.createMD5();
  const reader = blob.stream().getReader();
  let read = 0;
  let told = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return digest.digest('hex');
      digest.update(value);
      read += value.length;
      if (read - told >= STEP_BYTES) {
        told = read;
        await step(read / blob.size);
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
