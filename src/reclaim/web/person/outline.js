// The shape of a picture with the part that is used marked in it: two plain frames, nothing of the picture.

const LONGER = 100;
const EDGE = 2;

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

// svg: an empty drawing of two rectangles, which is filled in. about: {width, height} in pixels; box: {left, top, width,
// height} in shares of them. What it shows is said in words beside it.
export function drawOutline(svg, about, box) {
  const scale = LONGER / Math.max(about.width, about.height);
  const [width, height] = [about.width * scale, about.height * scale];
  const size = { width: width + 2 * EDGE, height: height + 2 * EDGE };
  set(svg, { ...size, viewBox: `${-EDGE} ${-EDGE} ${size.width} ${size.height}` });
  const [whole, part] = svg.children;
  set(whole, { width, height });
  set(part, { x: box.left * width, y: box.top * height, width: box.width * width, height: box.height * height });
}
