// What a worker can be asked to do; the page does the same itself where workers cannot. A task is given its input and
// step(part), which it awaits as it goes on, part being 0..1, and which rejects to end it.

import { fetched } from './fetched.js';
import { sniff } from './header.js';
import { pdq } from './pdq.js';
import { describePicture, fingerprintPicture, SIDE, squareLuma } from './picture.js';
import { selfTest } from './self_test.js';

const VIDEOS = new Set(['mp4', 'mov', 'webm', 'mkv']);

async function video(blob, format, step) {
  let program;
  try {
    program = await fetched(() => import('./video.js'));
  } catch ({ reason }) {
    return { ok: false, reason };
  }
  return program.fingerprintVideo(blob, format, step);
}

// Resolves to a file's result but for its number; rejects only as step does, or if the file cannot be read.
async function fingerprint(blob, step) {
  const format = await sniff(blob);
  const found = VIDEOS.has(format) ? await video(blob, format, step) : await fingerprintPicture(blob);
  return { ...found, about: { format, ...found.about } };
}

// Resolves to what describePicture or describeVideo does.
async function describe(blob, step) {
  if (!VIDEOS.has(await sniff(blob))) return describePicture(blob);
  const { describeVideo } = await import('./video.js');
  return describeVideo(blob, step);
}

// bitmap: what a <video> element shows; closed. Resolves to {value, quality}.
async function shown(bitmap) {
  return pdq(squareLuma(bitmap), SIDE, SIDE);
}

// The same with what describeStill takes: {value, quality, square, width, height}.
async function still(bitmap) {
  const { width, height } = bitmap;
  const square = squareLuma(bitmap);
  return { ...pdq(square, SIDE, SIDE), square, width, height };
}

async function describeStill(read) {
  const { described } = await import('./descriptors.js');
  return described(read);
}

export const tasks = { describe, describeStill, fingerprint, selfTest, shown, still };
