// A program that only some files need, fetched when the first of them comes.

import { Refusal } from './refusal.js';

// get() resolves to it; what it rejects with becomes Refusal('not-fetched'): nothing is wrong with the file.
export async function fetched(get) {
  try {
    return await get();
  } catch {
    throw new Refusal('not-fetched');
  }
}
