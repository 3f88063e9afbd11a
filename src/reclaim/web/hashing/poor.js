// Pictures that a signal would not tell from others, and why. docs/signals.md has the figures behind each number.

const SIDE = 512;
const SMALLEST = 64;
const POOR_QUALITY = 50;
const BALANCED = 128;
const BALANCE_MARGIN = 16;

const GROUND = 0.4;
const GROUND_SHADES = 5;
const TILE = 32;
const BUSY = 0.9;
const EQUAL = 0.35;
const SOFT_STEP = 8;
const STRONG_STEP = 24;
const STRONG_TO_SOFT = 0.75;

function ones(hex) {
  let count = 0;
  for (const digit of hex) for (let bits = parseInt(digit, 16); bits; bits &= bits - 1) count++;
  return count;
}

// The largest share of the pixels that has five neighbouring shades.
function groundOf(square) {
  const counts = new Uint32Array(256 + GROUND_SHADES);
  for (const shade of square) counts[shade]++;
  let most = 0;
  for (let shade = 0; shade < 256; shade++) {
    let sum = 0;
    for (let i = 0; i < GROUND_SHADES; i++) sum += counts[shade + i];
    most = Math.max(most, sum);
  }
  return most / square.length;
}

// How many of the steps from one pixel to the next in one tile are none, soft and strong.
function stepsOf(square, left, top) {
  const steps = { equal: 0, soft: 0, strong: 0 };
  for (let y = top; y < top + TILE; y++) {
    for (let at = y * SIDE + left; at < y * SIDE + left + TILE - 1; at++) {
      const step = Math.abs(square[at + 1] - square[at]);
      if (step === 0) steps.equal++;
      else if (step <= SOFT_STEP) steps.soft++;
      else if (step > STRONG_STEP) steps.strong++;
    }
  }
  return steps;
}

// Text stands on an even ground, and where there is anything, most steps are none or strong. A photograph has soft ones,
// also when it stands on an even ground.
function isText(square) {
  if (groundOf(square) < GROUND) return false;
  const busy = { equal: 0, soft: 0, strong: 0 };
  let count = 0;
  const each = TILE * (TILE - 1);
  for (let top = 0; top < SIDE; top += TILE) {
    for (let left = 0; left < SIDE; left += TILE) {
      const steps = stepsOf(square, left, top);
      if (steps.equal >= BUSY * each) continue;
      count += each;
      for (const kind of Object.keys(busy)) busy[kind] += steps[kind];
    }
  }
  return busy.equal >= EQUAL * count && busy.strong >= STRONG_TO_SOFT * busy.soft;
}

// square: luma of 512 x 512; width and height of the whole picture; value and quality of its PDQ. Returns 'small',
// 'flat', 'text', or null for a picture with a good signal.
export function whyPoor({ square, width, height, value, quality }) {
  if (Math.min(width, height) < SMALLEST) return 'small';
  if (quality < POOR_QUALITY || Math.abs(ones(value) - BALANCED) > BALANCE_MARGIN) return 'flat';
  return isText(square) ? 'text' : null;
}
