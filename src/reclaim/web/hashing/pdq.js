// PDQ, the perceptual fingerprint of a still picture, from its luma.
//
// The published algorithm is defined by what its reference program computes in 32-bit floating point, so the order
// of the operations here is part of the result. A product or sum of two float32 values worked out in double and
// rounded once to float32 is the float32 operation itself; hence Math.fround, or a store into a Float32Array,
// after every single step and never after two.

const fround = Math.fround;
const GRID = 64;
const BANDS = 16;
const SMALLEST = 5;

// Frequencies 1 to 16 of a 64-point cosine transform. No entry lies so near to the middle between two float32
// values that the last bit of a browser's Math.cos could change it (a test holds this).
export const COSINES = (() => {
  const scale = fround(Math.sqrt(2 / GRID));
  const matrix = new Float32Array(BANDS * GRID);
  for (let i = 0; i < BANDS; i++) {
    for (let j = 0; j < GRID; j++) {
      matrix[i * GRID + j] = scale * Math.cos((Math.PI / 2 / GRID) * (i + 1) * (2 * j + 1));
    }
  }
  return matrix;
})();

// Two box passes make one tent as wide as a cell of the 64 x 64 grid; so each box is half a cell, rounded up.
function boxWidth(length) {
  return Math.floor((length + 2 * GRID - 1) / (2 * GRID));
}

// Moving average along `lines` lines of `length` samples; the lines lie `lineStep` apart, the samples of one `step`.
// The sum is carried along, with its rounding, from the first sample to the last; at both ends the window is cut off
// and the average is over what remains.
function box(from, to, lines, lineStep, length, step, width) {
  const lead = (width + 2) >> 1;
  for (let line = 0; line < lines; line++) {
    const end = line * lineStep + length * step;
    let sum = fround(0);
    let add = line * lineStep;
    let drop = add;
    let out = add;
    for (let count = 1; count < lead; count++, add += step) sum = fround(sum + from[add]);
    for (let count = lead; count <= width; count++, add += step, out += step) {
      sum = fround(sum + from[add]);
      to[out] = sum / count;
    }
    for (; add < end; add += step, drop += step, out += step) {
      sum = fround(fround(sum + from[add]) - from[drop]);
      to[out] = sum / width;
    }
    for (let count = width - 1; out < end; count--, drop += step, out += step) {
      sum = fround(sum - from[drop]);
      to[out] = sum / count;
    }
  }
}

// The same along the columns of rows * cols samples, all columns a row at a time: so memory is read as it lies.
function boxDown(from, to, rows, cols, width) {
  const lead = (width + 2) >> 1;
  const sums = new Float32Array(cols);
  let out = 0;
  const emit = (count) => {
    for (let x = 0; x < cols; x++) to[out + x] = sums[x] / count;
    out += cols;
  };
  const add = (row) => {
    for (let x = 0, at = row * cols; x < cols; x++, at++) sums[x] = fround(sums[x] + from[at]);
  };
  const drop = (row) => {
    for (let x = 0, at = row * cols; x < cols; x++, at++) sums[x] = fround(sums[x] - from[at]);
  };
  for (let row = 0; row < width; row++) {
    add(row);
    if (row + 1 >= lead) emit(row + 1);
  }
  for (let row = width; row < rows; row++) {
    add(row);
    drop(row - width);
    emit(width);
  }
  for (let count = width - 1, row = rows - width; out < rows * cols; count--, row++) {
    drop(row);
    emit(count);
  }
}

function centres(length) {
  return Int32Array.from({ length: GRID }, (_, i) => Math.trunc(((i + 0.5) * length) / GRID));
}

// Tent-filters the picture and samples it at the middle of each cell of the 64 x 64 grid. The last box pass runs
// over the 64 sampled columns only: the others are never looked at.
function toGrid(luma, rows, cols) {
  const a = new Float32Array(luma);
  if (rows === GRID && cols === GRID) return a;
  const b = new Float32Array(rows * cols);
  const across = boxWidth(cols);
  const down = boxWidth(rows);
  box(a, b, rows, cols, cols, 1, across);
  boxDown(b, a, rows, cols, down);
  box(a, b, rows, cols, cols, 1, across);
  const pickedColumns = centres(cols);
  const pickedRows = centres(rows);
  const sampled = new Float32Array(rows * GRID);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < GRID; j++) sampled[i * GRID + j] = b[i * cols + pickedColumns[j]];
  }
  const done = new Float32Array(rows * GRID);
  boxDown(sampled, done, rows, GRID, down);
  const grid = new Float32Array(GRID * GRID);
  for (let i = 0; i < GRID; i++) {
    for (let j = 0; j < GRID; j++) grid[i * GRID + j] = done[pickedRows[i] * GRID + j];
  }
  return grid;
}

function step(u, v) {
  return Math.abs(Math.trunc(fround(fround(fround(u - v) * 100) / 255)));
}

function qualityOf(grid) {
  let gradients = 0;
  for (let i = 0; i < GRID; i++) {
    for (let j = 0; j < GRID; j++) {
      const here = i * GRID + j;
      if (i < GRID - 1) gradients += step(grid[here], grid[here + GRID]);
      if (j < GRID - 1) gradients += step(grid[here], grid[here + 1]);
    }
  }
  return Math.min(100, Math.trunc(gradients / 90));
}

function transform(grid) {
  const half = new Float32Array(BANDS * GRID);
  for (let i = 0; i < BANDS; i++) {
    for (let j = 0; j < GRID; j++) {
      let sum = fround(0);
      for (let k = 0; k < GRID; k++) sum = fround(sum + fround(COSINES[i * GRID + k] * grid[k * GRID + j]));
      half[i * GRID + j] = sum;
    }
  }
  const bands = new Float32Array(BANDS * BANDS);
  for (let i = 0; i < BANDS; i++) {
    for (let j = 0; j < BANDS; j++) {
      let sum = fround(0);
      for (let k = 0; k < GRID; k++) sum = fround(sum + fround(half[i * GRID + k] * COSINES[j * GRID + k]));
      bands[i * BANDS + j] = sum;
    }
  }
  return bands;
}

// A bit is set where a frequency is stronger than the lower median of all 256; the last one is written first.
function toHex(bands) {
  const median = bands.slice().sort()[bands.length / 2 - 1];
  let hex = '';
  for (let i = bands.length - 4; i >= 0; i -= 4) {
    let digit = 0;
    for (let bit = 0; bit < 4; bit++) if (bands[i + bit] > median) digit |= 1 << bit;
    hex += digit.toString(16);
  }
  return hex;
}

// luma: Uint8Array or Float32Array of rows * cols values 0..255, row by row. Returns {value, quality}: 64
// hexadecimal digits, and 0..100. A picture with a side under 5 has no fingerprint: all zeros, quality 0.
export function pdq(luma, rows, cols) {
  if (rows < SMALLEST || cols < SMALLEST) return { value: '0'.repeat(64), quality: 0 };
  const grid = toGrid(luma, rows, cols);
  return { value: toHex(transform(grid)), quality: qualityOf(grid) };
}
