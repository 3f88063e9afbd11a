// A file in words that help its owner to tell which one it is, without its name and without a picture of it.

const FORMATS = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  gif: 'GIF',
  avif: 'AVIF',
  heic: 'HEIC',
  bmp: 'BMP',
  tiff: 'TIFF',
  mp4: 'MP4',
  mov: 'MOV',
  webm: 'WebM',
  mkv: 'MKV',
};
const VIDEOS = new Set(['mp4', 'mov', 'webm', 'mkv']);

function kindOf(panels, format) {
  if (!(format in FORMATS)) return panels.word('kind-unknown');
  return panels.word(VIDEOS.has(format) ? 'kind-video' : 'kind-picture', { format: FORMATS[format] });
}

function sizeOf(panels, bytes) {
  const [unit, by] = bytes < 1e6 ? ['kilobyte', 1e3] : bytes < 1e9 ? ['megabyte', 1e6] : ['gigabyte', 1e9];
  return panels.number(bytes / by, { style: 'unit', unit, maximumFractionDigits: bytes < 1e6 ? 0 : 1 });
}

// about: of a fingerprinter's result. The parts are whole sentences of the page's language.
export function describe(panels, { format, bytes, seconds, modified }) {
  const gaps = { kind: kindOf(panels, format), size: sizeOf(panels, bytes) };
  if (modified) gaps.date = panels.day(modified);
  const parts = [panels.word(modified ? 'about-dated' : 'about', gaps)];
  if (seconds) parts.push(panels.counted('long', Math.max(1, Math.round(seconds))));
  return parts;
}
