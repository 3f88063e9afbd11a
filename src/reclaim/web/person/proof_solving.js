// Solves a puzzle of the bank. Takes one core for as long as it takes; the rounds themselves run in the browser's own
// code, beside whatever thread this is called on.

import { deriveKey } from '../vendor/altcha-lib/algorithms/web/pbkdf2.js';
import { solveChallenge } from '../vendor/altcha-lib/pow.js';

// challenge: altcha's; ms: after which it is worth nothing. Gives the text to send as «proof», or null if it took
// longer. Rejects where the browser has no WebCrypto, as on a page without HTTPS.
export async function solve(challenge, ms) {
  const solution = await solveChallenge({ challenge, deriveKey, timeout: ms });
  if (solution === null) return null;
  // Without the time it took: that would tell something about the device.
  const { counter, derivedKey } = solution;
  return btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }));
}
