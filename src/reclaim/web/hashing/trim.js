// Does to the bit what reclaim/signals/trim.py does, which says how and names each step alike.

const SIDE = 512;
const LEAST_SIDE = 48;
const LEAST_CUT = 4;
const ROUNDS = 4;
const NEAR = 10;
const EDGE = 12;
const REACH = 3;

class Lines {
  constructor(square, { left, top, right, bottom }, across) {
    this.square = square;
    this.first = top * SIDE + left;
    [this.count, this.width] = across ? [bottom - top, right - left] : [right - left, bottom - top];
    [this.line, this.step] = across ? [SIDE, 1] : [1, SIDE];
  }

  differing(at, by, { line = null, value = 0 }) {
    const { square, width, step } = this;
    const beside = line === null ? 0 : (line - at) * this.line;
    let count = 0;
    for (let i = 0, place = this.first + at * this.line; i < width; i++, place += step) {
      const apart = square[place] - (line === null ? value : square[place + beside]);
      if (apart > by || -apart > by) count++;
    }
    return count;
  }

  rise(at) {
    const { square, width, step } = this;
    let sum = 0;
    for (let i = 0, place = this.first + at * this.line; i < width; i++, place += step) {
      sum += Math.abs(square[place] - square[place - this.line]);
    }
    return sum;
  }

  mean(at) {
    const { square, width, step } = this;
    let sum = 0;
    for (let i = 0, place = this.first + at * this.line; i < width; i++, place += step) sum += square[place];
    return Math.floor((2 * sum + width) / (2 * width));
  }
}

function groundsOf(means, even) {
  const ofEven = means.filter((_, at) => even[at]);
  if (ofEven.length === 0) return [];
  const held = new Int32Array(256);
  for (const mean of ofEven) held[mean]++;
  let most = 0;
  let common = 0;
  for (let colour = 0; colour < 256; colour++) {
    let near = 0;
    for (let each = Math.max(0, colour - NEAR); each <= Math.min(255, colour + NEAR); each++) near += held[each];
    if (near > most) [most, common] = [near, colour];
  }
  return [ofEven[0], ofEven[ofEven.length - 1], common];
}

function groundOf(lines) {
  const means = Array.from({ length: lines.count }, (_, at) => lines.mean(at));
  const even = means.map((value, at) => lines.differing(at, NEAR, { value }) * 32 <= lines.width);
  const colours = groundsOf(means, even);
  return means.map((mean, at) => {
    const colour = even[at] ? colours.find((each) => Math.abs(mean - each) <= NEAR) : undefined;
    return colour === undefined ? -1 : colour;
  });
}

function edgeAt(lines, at) {
  const { count, width } = lines;
  if (at === 0 || at === count) return at;
  const first = Math.max(1, at - REACH);
  const last = Math.min(count - 1, at + REACH);
  let best = null;
  for (let each = first; each <= last; each++) {
    const rise = lines.rise(each);
    const away = Math.abs(each - at);
    if (!best || rise > best.rise || (rise === best.rise && away < best.away)) best = { each, rise, away };
  }
  const below = Math.min(best.each + 1, last);
  const above = Math.max(best.each - 2, first - 1);
  return lines.differing(below, EDGE, { line: above }) * 8 >= width * 3 ? best.each : null;
}

function stretch(lines) {
  const { count, width } = lines;
  const ground = groundOf(lines);
  const starts = [0];
  for (let at = 1; at < count; at++) if (ground[at] !== ground[at - 1]) starts.push(at);
  starts.push(count);
  let best = -1;
  let most = 0;
  for (let at = 0; at < starts.length - 1; at++) {
    const [first, end] = [starts[at], starts[at + 1]];
    if (ground[first] >= 0) continue;
    const beside = first > 0 ? ground[first - 1] : end < count ? ground[end] : -1;
    let differing = beside < 0 ? (end - first) * width : 0;
    for (let line = first; beside >= 0 && line < end; line++) differing += lines.differing(line, NEAR, { value: beside });
    if (differing > most) [best, most] = [at, differing];
  }
  if (best < 0) return null;
  let first = best;
  let last = best + 1;
  let [from, to] = [null, null];
  while ((from = edgeAt(lines, starts[first])) === null) first--;
  while ((to = edgeAt(lines, starts[last])) === null) last++;
  return [from, to];
}

// square: Uint8Array of SIDE * SIDE. Returns {left, top, right, bottom} in its pixels, right and bottom being the first
// that are left out; null where the square is all picture, or none is found.
export function trim(square) {
  const box = { left: 0, top: 0, right: SIDE, bottom: SIDE };
  for (let round = 0; round < ROUNDS; round++) {
    const before = { ...box };
    for (const [across, low, high] of [[true, 'top', 'bottom'], [false, 'left', 'right']]) {
      const found = stretch(new Lines(square, box, across));
      if (found === null || found[1] - found[0] < LEAST_SIDE) return null;
      [box[low], box[high]] = [box[low] + found[0], box[low] + found[1]];
    }
    if (Object.keys(box).every((end) => box[end] === before[end])) break;
  }
  const { left, top, right, bottom } = box;
  return SIDE - (right - left) < LEAST_CUT && SIDE - (bottom - top) < LEAST_CUT ? null : box;
}
