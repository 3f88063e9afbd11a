// The shape of a picture with the part that is used marked in it: two plain frames, nothing of the picture.

const SVG = 'http://www.w3.org/2000/svg';
const LONGER = 100;

function frame(name, x, y, width, height) {
  const rect = document.createElementNS(SVG, 'rect');
  for (const [key, value] of Object.entries({ class: name, x, y, width, height })) rect.setAttribute(key, value);
  return rect;
}

// about: {width, height} in pixels; box: {left, top, width, height} in shares of them. What it shows is said in words
// beside it.
export function outline(about, box) {
  const scale = LONGER / Math.max(about.width, about.height);
  const [width, height] = [about.width * scale, about.height * scale];
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'outline');
  svg.setAttribute('viewBox', `-2 -2 ${width + 4} ${height + 4}`);
  svg.setAttribute('width', width + 4);
  svg.setAttribute('height', height + 4);
  svg.setAttribute('aria-hidden', 'true');
  svg.append(
    frame('', 0, 0, width, height),
    frame('part', box.left * width, box.top * height, box.width * width, box.height * height),
  );
  return svg;
}
