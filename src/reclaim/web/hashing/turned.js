// A square of side * side bytes, turned clockwise by 0, 90, 180 or 270 degrees and mirrored left to right after that.

export function turned(square, side, degrees, flip) {
  if (degrees === 0 && !flip) return square;
  const last = side - 1;
  const out = new Uint8Array(square.length);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const across = flip ? last - x : x;
      let from = y * side + across;
      if (degrees === 90) from = (last - across) * side + y;
      if (degrees === 180) from = (last - y) * side + last - across;
      if (degrees === 270) from = across * side + last - y;
      out[y * side + x] = square[from];
    }
  }
  return out;
}
