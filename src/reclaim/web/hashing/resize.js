// Antialiased bilinear resize of luma to a square, byte for byte what Pillow's resize(..., BILINEAR) gives on mode
// "L": a triangle as wide as the reduction, weights normalised in double and then rounded to 22-bit fixed point,
// always first along rows into bytes, then along columns.

const FRACTION_BITS = 22;
const HALF = 1 << (FRACTION_BITS - 1);

// For every output sample: the first input sample it uses, how many, and their weights (from i * stride on).
function plan(inLength, outLength) {
  const scale = inLength / outLength;
  const support = Math.max(scale, 1);
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(outLength);
  const counts = new Int32Array(outLength);
  const weights = new Int32Array(outLength * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < outLength; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(inLength, Math.trunc(centre + support + 0.5)) - start;
    let total = 0;
    for (let k = 0; k < count; k++) {
      exact[k] = Math.max(0, 1 - Math.abs((k + start - centre + 0.5) * (1 / support)));
      total += exact[k];
    }
    const share = 1 / total;
    for (let k = 0; k < count; k++) {
      weights[i * stride + k] = Math.trunc(0.5 + exact[k] * share * (1 << FRACTION_BITS));
    }
    starts[i] = start;
    counts[i] = count;
  }
  return { starts, counts, weights, stride };
}

// Takes the rows of a picture as they come and keeps only `size` bytes of each, so that the whole picture is never
// in memory: new SquareResizer(width, height, size), add(luma, rows) until all rows are in, then finish().
export class SquareResizer {
  constructor(width, height, size) {
    this.width = width;
    this.height = height;
    this.size = size;
    this.across = plan(width, size);
    this.narrow = new Uint8Array(height * size);
    this.filled = 0;
  }

  // luma: Uint8Array that begins with `rows` full rows, `step` bytes from row to row.
  add(luma, rows, step = this.width) {
    let row = 0;
    for (; row + 3 < rows; row += 4) this._addFour(luma, row * step, step);
    for (; row < rows; row++) this._addOne(luma, row * step);
  }

  _addOne(luma, line) {
    const { size, narrow } = this;
    const { starts, counts, weights, stride } = this.across;
    const out = this.filled * size;
    for (let x = 0; x < size; x++) {
      const count = counts[x];
      const from = line + starts[x];
      const first = x * stride;
      let sum = HALF;
      for (let k = 0; k < count; k++) sum = (sum + Math.imul(luma[from + k], weights[first + k])) | 0;
      narrow[out + x] = sum >> FRACTION_BITS;
    }
    this.filled++;
  }

  // Four rows for one look at the weights: two thirds of the time.
  _addFour(luma, line, step) {
    const { size, narrow } = this;
    const { starts, counts, weights, stride } = this.across;
    const out = this.filled * size;
    for (let x = 0; x < size; x++) {
      const count = counts[x];
      const first = x * stride;
      let at = line + starts[x];
      let a = HALF;
      let b = HALF;
      let c = HALF;
      let d = HALF;
      for (let k = 0; k < count; k++, at++) {
        const weight = weights[first + k];
        a = (a + Math.imul(luma[at], weight)) | 0;
        b = (b + Math.imul(luma[at + step], weight)) | 0;
        c = (c + Math.imul(luma[at + 2 * step], weight)) | 0;
        d = (d + Math.imul(luma[at + 3 * step], weight)) | 0;
      }
      narrow[out + x] = a >> FRACTION_BITS;
      narrow[out + size + x] = b >> FRACTION_BITS;
      narrow[out + 2 * size + x] = c >> FRACTION_BITS;
      narrow[out + 3 * size + x] = d >> FRACTION_BITS;
    }
    this.filled += 4;
  }

  // The size * size luma, row by row.
  finish() {
    if (this.filled !== this.height) throw new RangeError('the resize is missing rows');
    const { size, narrow } = this;
    const { starts, counts, weights, stride } = plan(this.height, size);
    const square = new Uint8Array(size * size);
    const sums = new Int32Array(size);
    for (let y = 0; y < size; y++) {
      sums.fill(HALF);
      for (let k = 0; k < counts[y]; k++) {
        const weight = weights[y * stride + k];
        const from = (starts[y] + k) * size;
        for (let x = 0; x < size; x++) sums[x] += Math.imul(narrow[from + x], weight);
      }
      for (let x = 0; x < size; x++) square[y * size + x] = sums[x] >> FRACTION_BITS;
    }
    return square;
  }
}
