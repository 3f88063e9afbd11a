// Frames of a video that this browser can play and not otherwise decode: a muted <video> element that is never part
// of the page goes from moment to moment, and what it shows is taken as a bitmap.

const PATIENCE_MS = 20000;
// How long a frame may take to appear once its place was reached. A page in the background is not told of frames.
const APPEARING_MS = 500;

// Resolves when the element says `event`; rejects when it says that it cannot, or says nothing.
function heard(video, event) {
  return new Promise((resolve, reject) => {
    const settle = (done) => () => {
      clearTimeout(timer);
      video.removeEventListener(event, succeed);
      video.removeEventListener('error', fail);
      done();
    };
    const succeed = settle(resolve);
    const fail = settle(() => reject(new Error('the video cannot be played')));
    const timer = setTimeout(fail, PATIENCE_MS);
    video.addEventListener(event, succeed);
    video.addEventListener('error', fail);
  });
}

// Knows when another frame is shown: a browser says that it has arrived at a place a little before it shows it.
class Watch {
  constructor(video) {
    this.shown = -1;
    this.taken = -1;
    this.wake = () => {};
    const look = (_, { mediaTime }) => {
      this.shown = mediaTime;
      this.wake();
      video.requestVideoFrameCallback(look);
    };
    this.able = 'requestVideoFrameCallback' in video;
    if (this.able) video.requestVideoFrameCallback(look);
  }

  // Resolves when a frame after the one of the call before is shown, or after a while.
  async next() {
    if (!this.able || this.shown <= this.taken) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, APPEARING_MS);
        this.wake = () => {
          if (this.shown <= this.taken) return;
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.taken = this.shown;
  }
}

// seeks: [k, moment, seconds to go to] of each frame. visit(bitmap, k, moment, part) is awaited for each, and closes
// or hands on the bitmap; part is how much was done before it, 0..1. Rejects as visit does, or if the browser cannot
// play the video.
export async function eachShown(blob, seeks, visit) {
  const video = document.createElement('video');
  const address = URL.createObjectURL(blob);
  try {
    const watch = new Watch(video);
    const loaded = heard(video, 'loadeddata');
    Object.assign(video, { muted: true, playsInline: true, preload: 'auto', src: address });
    await loaded;
    for (const [done, [k, moment, place]] of seeks.entries()) {
      const arrived = heard(video, 'seeked');
      video.currentTime = place;
      await arrived;
      await watch.next();
      const bitmap = await createImageBitmap(video, { colorSpaceConversion: 'none' });
      await visit(bitmap, k, moment, done / seeks.length);
    }
  } finally {
    video.removeAttribute('src');
    video.load();
    URL.revokeObjectURL(address);
  }
}
