// Videos that this browser can play and not otherwise decode, by what a <video> element shows.
//
// playing: {file, seeks, goOn, ask}. seeks is as of video.js; goOn(part) is awaited as the work goes on and rejects with
// an AbortError to end it; ask(task, input) resolves to the result of a task of tasks.js, or null.

import { eachShown } from './element.js';
import { Frames, SHARE_OF_MD5, videoResult } from './frames.js';

// task: what is asked of each bitmap. Resolves to the Frames that could be shown, null where none could; rejects as goOn
// and ask do.
async function framesOf({ file, seeks, goOn, ask }, task, goneBefore) {
  const frames = new Frames();
  try {
    await eachShown(file, seeks, async (bitmap, k, moment, part) => {
      await goOn(goneBefore + (1 - goneBefore) * part);
      const still = await ask(task, bitmap);
      if (still !== null) frames.add(k, moment, still, still);
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    if (frames.texts.length === 0) return null;
  }
  return frames;
}

// result: a video's, without frames. Resolves to the one with them; as it was if nothing can be shown.
export async function fingerprintPlayed(playing, result) {
  const frames = await framesOf(playing, 'shown', SHARE_OF_MD5);
  if (frames === null) return result;
  const found = frames.texts.length ? { frames: frames.texts } : { only: 'plain' };
  return videoResult(result.about, result.signals[0].value, found);
}

// Resolves to {stills}, see Fingerprinter.describe.
export async function describePlayed(playing) {
  const frames = await framesOf(playing, 'still', 0);
  const stills = [];
  for (const still of frames === null ? [] : frames.stills.kept) stills.push(await playing.ask('describeStill', still));
  return { stills: stills.filter(Boolean) };
}
