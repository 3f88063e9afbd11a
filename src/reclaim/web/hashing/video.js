// A video file to its signals: the exact MD5 of the file, and frames of it (vPDQ). The file is never in memory as a
// whole: its index is read, then only what is needed to show the frame of each moment.

import { Refusal } from './decode.js';
import { Frames, moments, SHARE_OF_MD5, videoResult } from './frames.js';
import { md5 } from './md5.js';
import { pdq } from './pdq.js';
import { SIDE } from './picture.js';
import { ShownFrames } from './shown.js';
import { isEncrypted, isWhole } from './whole.js';
import {
  BlobSource,
  EncodedPacketSink,
  Input,
  LogLevel,
  Logging,
  MATROSKA,
  MP4,
  QTFF,
  VideoSampleSink,
  WEBM,
} from '../vendor/mediabunny/mediabunny.js';

const MOST_BYTES = 4 * 1024 ** 3;
const MOST_PIXELS = 40e6;
const MOST_SIDE = 16384;
// Times in a file are fractions; this much makes up for what is lost when they become seconds.
const ROUNDING = 1e-6;

Logging.level = LogLevel.Silent;

// Why there are no frames of a video that could be opened: 'codec', or 'damaged'.
class NoFrames extends Error {
  constructor(why, seeks = null) {
    super(why);
    this.why = why;
    this.seeks = seeks;
  }
}

// The reader or the decoder gave up.
class Damage extends Error {}

// The file has no video in it, as far as it can be read.
class NoVideo extends Error {}

function judgeSize(width, height) {
  if (width * height > MOST_PIXELS || Math.max(width, height) > MOST_SIDE) throw new Refusal('too-large');
}

class Film {
  // Reads the index. Throws Refusal, or whatever a damaged file leads the reader into.
  static async open(blob) {
    const film = new Film(blob);
    try {
      await film._readIndex();
      return film;
    } catch (error) {
      film.close();
      throw error;
    }
  }

  constructor(blob) {
    this.input = new Input({
      source: new BlobSource(blob, { handleUnhandledError: () => {} }),
      formats: [MP4, QTFF, MATROSKA, WEBM],
    });
  }

  async _readIndex() {
    this.track = await this.input.getPrimaryVideoTrack();
    if (this.track === null) throw new NoVideo();
    judgeSize(await this.track.getCodedWidth(), await this.track.getCodedHeight());
    this.packets = new EncodedPacketSink(this.track);
    this.start = await this._start();
    this.seconds = Math.max(0, (await this.track.computeDuration()) - this.start);
    this.moments = moments(this.seconds);
    this.width = await this.track.getDisplayWidth();
    this.height = await this.track.getDisplayHeight();
  }

  // When the first frame is shown. What lies before time 0 was cut away by whoever trimmed the video.
  async _start() {
    const first = await this.track.getFirstTimestamp();
    if (first >= 0) return first;
    const shown = await this.packets.getPacket(0, { metadataOnly: true });
    return shown.timestamp < -ROUNDING ? shown.timestamp + shown.duration : shown.timestamp;
  }

  get about() {
    return { width: this.width, height: this.height, seconds: this.seconds };
  }

  // Resolves to the Frames. Rejects with NoFrames, with Refusal, or as step() does; step(part) is awaited before each
  // frame is hashed.
  async frames(step) {
    if ((await this.packets.getFirstPacket({ metadataOnly: true })) === null) throw new NoFrames('damaged');
    if (!(await this.track.canDecode())) throw new NoFrames('codec', await this._seeks());
    return this._decoded(step);
  }

  // What waits in the decoder is lost when it meets damage; so after that one moment is tried by itself, and only if
  // that fails too all up to the next key frame are left out.
  async _decoded(step) {
    const found = new Frames();
    const shown = new ShownFrames();
    const sink = new VideoSampleSink(this.track);
    let told = Promise.resolve();
    let last = null;
    let k = 0;
    let count = this.moments.length;
    while (k < this.moments.length) {
      try {
        for await (const sample of this._samples(sink, k, count)) {
          try {
            // The answer to one step is awaited at the next: it is on its way while the frame is hashed.
            await told;
            told = step(k / this.moments.length);
            told.catch(() => {});
            if (sample !== null && sample.timestamp !== last) {
              last = sample.timestamp;
              const square = await this._seen(sample, shown);
              found.add(k, this.moments[k], pdq(square, SIDE, SIDE), square);
            }
          } finally {
            sample?.close();
          }
          k++;
        }
        count = this.moments.length;
      } catch (error) {
        if (!(error instanceof Damage)) throw error;
        if (count === 1) k = await this._afterDamage(k);
        count = count === 1 ? this.moments.length : 1;
      }
    }
    await told;
    if (last === null) throw new NoFrames('damaged');
    return found;
  }

  // The frames of `count` moments from the k-th on, null for a moment that has none.
  async *_samples(sink, k, count) {
    const times = this.moments.slice(k, k + count).map((moment) => this.start + moment + ROUNDING);
    try {
      yield* sink.samplesAtTimestamps(times);
    } catch {
      throw new Damage();
    }
  }

  async _seen(sample, shown) {
    const frame = sample.toVideoFrame();
    try {
      judgeSize(frame.visibleRect.width, frame.visibleRect.height);
      return await shown.square(frame, sample.rotation, sample.flip);
    } finally {
      frame.close();
    }
  }

  // The first moment after the k-th that does not need the part in which the k-th is.
  async _afterDamage(k) {
    try {
      const key = await this.packets.getKeyPacket(this.start + this.moments[k] + ROUNDING, { metadataOnly: true });
      const next = await this.packets.getNextKeyPacket(key, { metadataOnly: true });
      const later = this.moments.findIndex((moment, i) => i > k && this.start + moment + ROUNDING >= next.timestamp);
      return later < 0 ? this.moments.length : later;
    } catch {
      return this.moments.length;
    }
  }

  // Where a player must go to show the frame of each moment, [k, seconds of the moment, time to go to]: to the middle
  // of the frame, so that no player's rounding makes it the frame before. A frame that stays is named once.
  async _seeks() {
    const seeks = [];
    let last = null;
    for (const [k, moment] of this.moments.entries()) {
      const packet = await this.packets.getPacket(this.start + moment + ROUNDING, { metadataOnly: true });
      if (packet === null || packet.timestamp === last) continue;
      last = packet.timestamp;
      seeks.push([k, moment, packet.timestamp + packet.duration / 2]);
    }
    return seeks;
  }

  close() {
    this.input.dispose();
  }
}

// The frames' texts, or why there are none.
function framesOf(film, step) {
  return film.frames(step).then(
    ({ texts }) => (texts.length ? { frames: texts } : { only: 'plain' }),
    (error) => {
      if (error instanceof Refusal) return { reason: error.reason };
      return error instanceof NoFrames ? { only: error.why, seeks: error.seeks } : { only: 'damaged' };
    },
  );
}

async function signalsOf(film, blob, format, step) {
  const done = { md5: 0, frames: 0 };
  const told = (name) => (part) => {
    done[name] = part;
    return step(SHARE_OF_MD5 * done.md5 + (1 - SHARE_OF_MD5) * done.frames);
  };
  const [value, found] = await Promise.all([md5(blob, told('md5')), framesOf(film, told('frames'))]);
  const { about } = film;
  if (found.reason) return { ok: false, reason: found.reason, about };
  if (found.frames) return videoResult(about, value, found);
  if (await isEncrypted(blob, format)) return videoResult(about, value, { only: 'encrypted' });
  if (found.only === 'damaged' && !(await isWhole(blob, format))) return { ok: false, reason: 'truncated', about };
  return videoResult(about, value, found);
}

// blob: an MP4, MOV, WebM or MKV; format: which of them. step(part) is awaited as the work goes on, part being 0..1;
// it rejects to end the work. Resolves to
//   {ok: true, kind: 'video', about: {width, height, seconds}, signals: [{type: 'md5', value}, {type: 'vpdq', frames}]},
//   the same with only the MD5 and `only`: 'codec', 'encrypted', 'damaged', or 'plain' (no frame has enough detail),
//   {ok: false, reason: 'too-large' | 'not-a-picture' | 'truncated' | 'unsupported' | 'unreadable'}.
// 'codec' comes with `seeks`, by which the page may try a <video> element. A video of which nothing can be shown because
// it was cut short has no MD5 either: that would be the MD5 of no file that anybody else has.
export async function fingerprintVideo(blob, format, step) {
  if (blob.size > MOST_BYTES) return { ok: false, reason: 'too-large' };
  // Some people's browsers are told to run no WebAssembly, which the MD5 is.
  if (typeof WebAssembly !== 'object') return { ok: false, reason: 'unsupported' };
  let film;
  try {
    film = await Film.open(blob);
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.reason };
    if (await isEncrypted(blob, format)) return videoResult({}, await md5(blob, step), { only: 'encrypted' });
    if (!(await isWhole(blob, format))) return { ok: false, reason: 'truncated' };
    return { ok: false, reason: error instanceof NoVideo ? 'not-a-picture' : 'unreadable' };
  }
  try {
    return await signalsOf(film, blob, format, step);
  } finally {
    film.close();
  }
}

// A video that could be fingerprinted: resolves to {stills}, see described of descriptors.js, of the frames that have
// enough; or, where this browser cannot decode it, to {seeks}. Rejects where it cannot be read, or as step does.
export async function describeVideo(blob, step) {
  const film = await Film.open(blob);
  try {
    const { described } = await import('./descriptors.js');
    const { stills } = await film.frames(step);
    const { width, height } = film;
    return { stills: stills.kept.map((square) => described({ square, width, height })).filter(Boolean) };
  } catch (error) {
    if (error instanceof NoFrames && error.seeks) return { seeks: error.seeks };
    throw error;
  } finally {
    film.close();
  }
}
