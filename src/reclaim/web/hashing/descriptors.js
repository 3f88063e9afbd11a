// Local descriptors of a picture as a person gives them: 32 bytes for each of at most 64 small patches. In whole numbers
// throughout, so that the kernel of the Python side gives the same bytes; docs/descriptors.md says each step.

import { DIRECTIONS, PATTERN } from './descriptors_pattern.js';

const SIDE = 512;
const FRAME = 512;
const BITS = 256;
const BYTES = BITS / 8;
const REACH = 15;
const MARGIN = REACH + 1;
const TENT = 4;
const WINDOW = 3;
const APART = 7;
const WEAKEST = 5000;
const GRID = 4;
const LEAST_ONES = 48;
const SHADES = 50;
const DRAWN = 4;
const WEIGHT_BITS = 14;
const HALF = 1 << (WEIGHT_BITS - 1);
const FIRST = 2;
const LAST = 8;
const POOL = 64;
const LEAST = 16;
const MOST = 64;
const SPREAD = 8;
const ANGLES = DIRECTIONS.length / 2;

// How many pixels the disc has to each side of its middle, by row.
const EXTENT = Array.from({ length: REACH + 1 }, (_, y) => {
  let x = 0;
  while ((x + 1) * (x + 1) + y * y <= REACH * (REACH + 1)) x++;
  return x;
});

// Which of `inputs` samples make each of `outputs`, and by how much: a triangle as wide as the reduction asks.
function taps(inputs, outputs) {
  const reach = 2 * Math.max(inputs, outputs);
  return Array.from({ length: outputs }, (_, o) => {
    const centre = (2 * o + 1) * inputs;
    const share = (i) => reach - Math.abs((2 * i + 1) * outputs - centre);
    let first = Math.max(0, Math.floor((centre - reach) / (2 * outputs)));
    while (share(first) <= 0) first++;
    const shares = [];
    for (let i = first; i < inputs && share(i) > 0; i++) shares.push(share(i));
    const total = shares.reduce((sum, each) => sum + each, 0);
    const weights = shares.map((each) => Math.floor((each * 2 * (1 << WEIGHT_BITS) + total) / (2 * total)));
    return { first, weights };
  });
}

// The square made as large as the level: first its columns, then its rows.
function resized(square, width, height) {
  const narrow = new Uint8Array(height * SIDE);
  const sums = new Int32Array(SIDE);
  taps(SIDE, height).forEach(({ first, weights }, y) => {
    sums.fill(HALF);
    weights.forEach((weight, k) => {
      for (let x = 0, at = (first + k) * SIDE; x < SIDE; x++, at++) sums[x] += square[at] * weight;
    });
    for (let x = 0; x < SIDE; x++) narrow[y * SIDE + x] = sums[x] >> WEIGHT_BITS;
  });
  const pixels = new Uint8Array(width * height);
  taps(SIDE, width).forEach(({ first, weights }, x) => {
    const count = weights.length;
    for (let y = 0; y < height; y++) {
      let sum = HALF;
      for (let k = 0, at = y * SIDE + first; k < count; k++, at++) sum += narrow[at] * weights[k];
      pixels[y * width + x] = sum >> WEIGHT_BITS;
    }
  });
  return pixels;
}

function atEdge(i, length) {
  return Math.min(Math.max(i, 0), length - 1);
}

// Pixels weighed with a tent each way, edges repeated; thirds of the sums.
function smoothed({ pixels, width, height }) {
  const across = new Uint16Array(width * height);
  const row = new Uint8Array(width + 2 * TENT);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < row.length; x++) row[x] = pixels[y * width + atEdge(x - TENT, width)];
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k <= 2 * TENT; k++) sum += (TENT + 1 - Math.abs(k - TENT)) * row[x + k];
      across[y * width + x] = sum;
    }
  }
  const smooth = new Uint16Array(width * height);
  const sums = new Int32Array(width);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let k = -TENT; k <= TENT; k++) {
      const from = atEdge(y + k, height) * width;
      const by = TENT + 1 - Math.abs(k);
      for (let x = 0; x < width; x++) sums[x] += across[from + x] * by;
    }
    for (let x = 0; x < width; x++) smooth[y * width + x] = sums[x] / 3;
  }
  return smooth;
}

// How much of a corner each pixel is; nought where the patch would leave the level. The sums of the rows in the window
// are kept by column. Every number is whole and below 2^53, and the quotient's floor is exact.
function responses({ pixels, width, height }) {
  const tall = 2 * WINDOW + 1;
  const rows = Array.from({ length: 3 }, () => new Int32Array(tall * width));
  const columns = Array.from({ length: 3 }, () => new Int32Array(width));
  const [xx, xy, yy] = rows;
  const [allXx, allXy, allYy] = columns;
  const response = new Int32Array(width * height);
  for (let y = 1; y < height - 1; y++) {
    let at = (y % tall) * width + 1;
    for (let x = 1, p = y * width + 1; x < width - 1; x++, p++, at++) {
      const a = p - width;
      const b = p + width;
      const diagonal = pixels[b + 1] - pixels[a - 1];
      const other = pixels[a + 1] - pixels[b - 1];
      const across = diagonal + other + 2 * (pixels[p + 1] - pixels[p - 1]);
      const down = diagonal - other + 2 * (pixels[b] - pixels[a]);
      allXx[x] += across * across - xx[at];
      allXy[x] += across * down - xy[at];
      allYy[x] += down * down - yy[at];
      xx[at] = across * across;
      xy[at] = across * down;
      yy[at] = down * down;
    }
    const middle = y - WINDOW;
    if (middle < MARGIN || middle >= height - MARGIN) continue;
    for (let x = MARGIN; x < width - MARGIN; x++) {
      let a = 0;
      let b = 0;
      let c = 0;
      for (let k = x - WINDOW; k <= x + WINDOW; k++) {
        a += allXx[k];
        b += allXy[k];
        c += allYy[k];
      }
      response[middle * width + x] = Math.floor((a * c - b * b) / (a + c + 1));
    }
  }
  return response;
}

// No other pixel nearby responds more; of equal ones the first, row by row.
function standsOut(response, at, width) {
  const here = response[at];
  for (let j = -APART; j <= APART; j++) {
    for (let i = -APART; i <= APART; i++) {
      const other = response[at + j * width + i];
      if (other > here || (other === here && (j < 0 || (j === 0 && i < 0)))) return false;
    }
  }
  return true;
}

// Whether one shade, give or take a fiftieth of what the patch spans, fills more than a quarter of it: letters, lines and
// logos lie on a ground of one shade, while what was photographed changes from pixel to pixel.
function isDrawn({ pixels, width }, x, y) {
  const counts = new Uint16Array(256);
  let total = 0;
  let low = 255;
  let high = 0;
  for (let j = -REACH; j <= REACH; j++) {
    const extent = EXTENT[Math.abs(j)];
    const row = (y + j) * width + x;
    for (let at = row - extent; at <= row + extent; at++) {
      counts[pixels[at]]++;
      low = Math.min(low, pixels[at]);
      high = Math.max(high, pixels[at]);
    }
    total += 2 * extent + 1;
  }
  const wide = 1 + Math.floor((high - low) / SHADES);
  let within = 0;
  let most = 0;
  for (let shade = low; shade <= high; shade++) {
    within += counts[shade] - (shade - wide >= low ? counts[shade - wide] : 0);
    most = Math.max(most, within);
  }
  return DRAWN * most > total;
}

// The direction along which the moments of the patch reach farthest.
function angleOf({ pixels, width }, x, y) {
  let across = 0;
  let down = 0;
  for (let j = -REACH; j <= REACH; j++) {
    const extent = EXTENT[Math.abs(j)];
    const row = (y + j) * width + x;
    let sum = 0;
    for (let i = -extent; i <= extent; i++) {
      sum += pixels[row + i];
      across += i * pixels[row + i];
    }
    down += j * sum;
  }
  let best = 0;
  let farthest = -Infinity;
  for (let angle = 0; angle < ANGLES; angle++) {
    const far = across * DIRECTIONS[2 * angle] + down * DIRECTIONS[2 * angle + 1];
    if (far > farthest) {
      farthest = far;
      best = angle;
    }
  }
  return best;
}

// The descriptor of a patch: for each test, whether the one end is darker than the other. With down = -1, that of the
// mirrored picture.
function compared({ smooth, width }, x, y, angle, down) {
  const c = DIRECTIONS[2 * angle];
  const s = DIRECTIONS[2 * angle + 1];
  const shade = (px, upright) => {
    const py = upright * down;
    return smooth[(y + ((px * s + py * c + 8192) >> 14)) * width + x + ((px * c - py * s + 8192) >> 14)];
  };
  const value = new Uint8Array(BYTES);
  for (let bit = 0, at = 0; bit < BITS; bit++, at += 4) {
    const darker = shade(PATTERN[at], PATTERN[at + 1]) < shade(PATTERN[at + 2], PATTERN[at + 3]);
    if (darker) value[bit >> 3] |= 128 >> (bit & 7);
  }
  return value;
}

// Whether a real patch could give this value.
function isBalanced(value) {
  let count = 0;
  for (const byte of value) for (let bits = byte; bits; bits &= bits - 1) count++;
  return count >= LEAST_ONES && count <= BITS - LEAST_ONES;
}

function byResponse(a, b) {
  return b.response - a.response || a.level - b.level || a.y - b.y || a.x - b.x;
}

function byValue(a, b) {
  const at = a.value.findIndex((byte, i) => byte !== b.value[i]);
  return at < 0 ? 0 : a.value[at] - b.value[at];
}

function cellOf(x, y, width, height) {
  return Math.floor((y * GRID) / height) * GRID + Math.floor((x * GRID) / width);
}

// At most POOL corners of a level that are of nothing drawn, its cells in turn, each described.
function cornersOf(plane, number, frame) {
  const { width, height } = plane;
  const response = responses(plane);
  const found = [];
  for (let y = MARGIN; y < height - MARGIN; y++) {
    for (let x = MARGIN; x < width - MARGIN; x++) {
      const at = y * width + x;
      if (response[at] >= WEAKEST && standsOut(response, at, width) && !isDrawn(plane, x, y)) {
        found.push({ response: response[at], x, y, level: number });
      }
    }
  }
  const ranks = new Array(GRID * GRID).fill(0);
  found.sort(byResponse);
  for (const corner of found) corner.rank = ranks[cellOf(corner.x, corner.y, width, height)]++;
  found.sort((a, b) => a.rank - b.rank || byResponse(a, b));
  const described = [];
  for (const corner of found.slice(0, POOL)) {
    const angle = angleOf(plane, corner.x, corner.y);
    const left = Math.floor(((2 * corner.x + 1) * frame[0]) / (2 * width));
    const top = Math.floor(((2 * corner.y + 1) * frame[1]) / (2 * height));
    const value = compared(plane, corner.x, corner.y, angle, 1);
    if (isBalanced(value) && isBalanced(compared(plane, corner.x, corner.y, angle, -1))) {
      described.push({ ...corner, value, place: [left, top, number, angle] });
    }
  }
  return described;
}

// The strongest, but cell by cell, and none near another or equal to it.
function chosenOf(corners, frame) {
  const taken = new Array(GRID * GRID).fill(0);
  const chosen = [];
  let left = corners.sort(byResponse);
  for (let round = 1; round <= MOST && left.length > 0; round++) {
    left = left.filter((corner) => {
      const [x, y] = corner.place;
      const cell = cellOf(x, y, frame[0], frame[1]);
      if (chosen.length === MOST || taken[cell] >= round) return true;
      const usable = chosen.every(({ place, value }) => {
        const near = (place[0] - x) ** 2 + (place[1] - y) ** 2 < SPREAD * SPREAD;
        return !near && value.some((byte, i) => byte !== corner.value[i]);
      });
      if (usable) {
        chosen.push(corner);
        taken[cell]++;
      }
      return false;
    });
  }
  return chosen.sort(byValue);
}

// luma512: Uint8Array of 512 * 512, the upright picture's square; width and height: the upright picture's, in pixels.
// Returns {values, text, placement}: 16 to 64 descriptors of 32 bytes, ascending; these in base64; and {frame, places}:
// width and height of the frame, and [x, y, level, angle] of each. null for a picture with too little detail, or one that is
// drawn.
export function describe(luma512, width, height) {
  const longer = Math.max(width, height);
  const frame = [width, height].map((side) => Math.max(1, Math.floor((2 * side * FRAME + longer) / (2 * longer))));
  const corners = [];
  for (let number = FIRST; number <= LAST; number++) {
    const [up, down] = [5 ** number, 6 ** number];
    const [wide, high] = frame.map((side) => Math.floor((2 * side * up + down) / (2 * down)));
    if (wide <= 2 * MARGIN || high <= 2 * MARGIN) continue;
    const plane = { width: wide, height: high, pixels: resized(luma512, wide, high) };
    plane.smooth = smoothed(plane);
    corners.push(...cornersOf(plane, number, frame));
  }
  const chosen = chosenOf(corners, frame);
  if (chosen.length < LEAST) return null;
  const values = chosen.map(({ value }) => value);
  const text = btoa(values.map((value) => String.fromCharCode(...value)).join(''));
  return { values, text, placement: { frame, places: chosen.map(({ place }) => place) } };
}

// The same of a picture as readSquare of picture.js gives it, {descriptors, placement} as they are sent; null where there
// are too few.
export function described({ square, width, height }) {
  const found = describe(square, width, height);
  return found && { descriptors: found.text, placement: found.placement };
}
