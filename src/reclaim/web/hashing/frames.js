// Which frames stand for a video and how they are written: the vPDQ method, as reclaim.signals.frames has it.

const MOST_FRAMES = 3600;
const POOR_QUALITY = 50;
const LEAST_CHANGE = 9;
// Seconds: the text of a later frame could not say when it is. Only a damaged file is so long.
const LATEST = 9999999;
const BALANCED = 128;
const BALANCE_MARGIN = 16;

// Frames of a video of which descriptors are made, and up to how many bits two of them show the same.
const DESCRIBED_STILLS = 8;
const ALIKE = 60;

// How much of the work on a video its MD5 is, for the progress.
export const SHARE_OF_MD5 = 0.2;

// seconds: how long the video is. The moments that are looked at, in seconds from its first frame: one a second, or
// 3600 spread over a longer video.
export function moments(seconds) {
  const interval = Math.max(1, seconds / MOST_FRAMES);
  const found = [];
  for (let k = 0; k < MOST_FRAMES && k * interval < Math.min(seconds, LATEST); k++) found.push(k * interval);
  // A video whose length is not known has a first frame all the same.
  return found.length ? found : [0];
}

function bitsOf(hex) {
  return Array.from({ length: 8 }, (_, i) => parseInt(hex.slice(i * 8, i * 8 + 8), 16) >>> 0);
}

function ones(words) {
  let count = 0;
  for (let word of words) for (; word; word &= word - 1) count++;
  return count;
}

function distance(bits, others) {
  return ones(bits.map((word, i) => word ^ others[i]));
}

// Up to `most` of the frames, spread over the video evenly: the first, and every so many-th. Of what looks the same there is
// one: descriptors of both would tell more of it than a picture's may.
class Spread {
  constructor(most) {
    Object.assign(this, { most, held: [], step: 1, count: 0 });
  }

  get kept() {
    return this.held.map(({ still }) => still);
  }

  // The next frame. When they are too many, every other one goes, and only every other comes.
  take(bits, still) {
    if (this.held.some((other) => distance(other.bits, bits) <= ALIKE)) return;
    if (this.count % this.step === 0) this.held.push({ bits, still });
    if (this.held.length > this.most) {
      this.held = this.held.filter((_, i) => i % 2 === 0);
      this.step *= 2;
    }
    this.count++;
  }
}

// Takes the frames in their order and keeps those that say something: not poor, and unlike the one kept before.
export class Frames {
  constructor() {
    this.texts = [];
    this.last = null;
    this.stills = new Spread(DESCRIBED_STILLS);
  }

  // number: which moment it is, from 0; seconds: when that is; still: what is seen then.
  add(number, seconds, { value, quality }, still) {
    const bits = bitsOf(value);
    if (quality < POOR_QUALITY || Math.abs(ones(bits) - BALANCED) > BALANCE_MARGIN) return;
    if (this.last !== null && distance(bits, this.last) < LEAST_CHANGE) return;
    this.last = bits;
    this.texts.push(`${number},${quality},${value},${seconds.toFixed(3)}`);
    this.stills.take(bits, still);
  }
}

// A video's result from its MD5 and {frames}, or why there are none: {only}, of 'codec' with {seeks}.
export function videoResult(about, md5, { frames, ...why }) {
  const signals = [{ type: 'md5', value: md5 }];
  if (frames) signals.push({ type: 'vpdq', frames });
  return { ok: true, kind: 'video', about, ...why, signals };
}
