// The module Worker that solves a puzzle: it is sent {challenge, ms} and answers once, with {proof} or {failed: true}.

import { solve } from './proof_solving.js';

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ proof: await solve(data.challenge, data.ms) });
  } catch {
    self.postMessage({ failed: true });
  }
};
