// HEIC pictures, as telephones make them, where the browser cannot decode them: by libheif, which is loaded with the
// first of them.

import { Refusal } from './refusal.js';
import { fetched } from './fetched.js';
import { fits } from './budget.js';
import { lumaFromRgba } from './luma.js';

const FOLDER = '../vendor/libheif/';
const STRIP_ROWS = 64;
// What libheif has taken it does not give back; beyond this it is begun anew for the next picture.
const MOST_KEPT = 256 * 2 ** 20;
// Bytes a pixel at the dearest moment: the decoder's brightness and colour twice, the colours made of them, and to spare.
const A_PIXEL = 9;

let loaded = null;

async function load() {
  const address = new URL(`${FOLDER}libheif.wasm`, import.meta.url);
  const answer = await fetch(address);
  if (!answer.ok) throw new Error('the decoder was not given');
  const wasmBinary = await answer.arrayBuffer();
  // The library is a script for loaders that offer `define`.
  let make;
  globalThis.define = Object.assign((_, factory) => (make = factory()), { amd: true });
  try {
    await import(`${FOLDER}libheif.js`);
  } finally {
    delete globalThis.define;
  }
  return () => make({ wasmBinary, print() {}, printErr() {} });
}

async function library() {
  if (typeof WebAssembly !== 'object') throw new Refusal('unsupported');
  loaded ??= { make: await fetched(load), heif: null };
  loaded.heif ??= loaded.make();
  return loaded.heif;
}

function reasonOf(heif, { code, subcode }) {
  const codes = heif.heif_error_code;
  // An item of a kind that it does not know counts as not there.
  if (subcode === heif.heif_suberror_code.heif_suberror_Nonexisting_item_referenced) return 'unsupported';
  if (code === codes.heif_error_Memory_allocation_error) return 'too-large';
  const unsupported = [codes.heif_error_Unsupported_filetype, codes.heif_error_Unsupported_feature];
  return unsupported.includes(code) ? 'unsupported' : 'unreadable';
}

export class HeifPicture {
  // blob: a HEIC file. most: pixels that are not too many. Rejects with Refusal.
  static async open(blob, most) {
    const heif = await library();
    try {
      return await HeifPicture._decoded(heif, new Uint8Array(await blob.arrayBuffer()), most);
    } catch (error) {
      // After running out of memory the library is not to be relied on.
      loaded.heif = null;
      throw error instanceof Refusal ? error : new Refusal('unreadable');
    }
  }

  static async _decoded(heif, bytes, most) {
    const picture = new HeifPicture(heif);
    try {
      const read = heif.heif_context_read_from_memory(picture.context, bytes);
      if (read.code !== heif.heif_error_code.heif_error_Ok) throw new Refusal(reasonOf(heif, read));
      picture.handle = heif.heif_js_context_get_primary_image_handle(picture.context);
      if (!picture.handle || picture.handle.code) throw new Refusal(reasonOf(heif, picture.handle || {}));
      await picture._decode(most);
      return picture;
    } catch (error) {
      picture.close();
      throw error;
    }
  }

  constructor(heif) {
    Object.assign(this, { heif, handle: null, image: null, degrees: 0, flip: false });
    this.context = heif.heif_context_alloc();
  }

  async _decode(most) {
    const { heif, handle } = this;
    this.width = heif.heif_image_handle_get_width(handle);
    this.height = heif.heif_image_handle_get_height(handle);
    const pixels = this.width * this.height;
    if (pixels > most || !fits(pixels * A_PIXEL)) throw new Refusal('too-large');
    const { heif_colorspace_RGB: colours } = heif.heif_colorspace;
    const { heif_chroma_interleaved_RGBA: order } = heif.heif_chroma;
    const made = await heif.heif_js_decode_image2(handle, colours, order);
    if (!made || !made.channels) throw new Refusal(made ? reasonOf(heif, made) : 'unreadable');
    this.image = made.image;
    // A view of the library's memory.
    [this.pixels] = made.channels;
    this.seeThrough = Boolean(heif.heif_image_handle_has_alpha_channel(handle));
  }

  // As FramePicture's.
  async eachStrip(visit) {
    const { width, height } = this;
    const { data, stride } = this.pixels;
    const luma = new Uint8Array(width * STRIP_ROWS);
    for (let top = 0; top < height; top += STRIP_ROWS) {
      const rows = Math.min(STRIP_ROWS, height - top);
      for (let row = 0; row < rows; row++) {
        const line = data.subarray((top + row) * stride, (top + row) * stride + width * 4);
        if (this.seeThrough) overWhite(line);
        lumaFromRgba(line, 0, width, luma, row * width);
      }
      visit(luma, rows, width);
    }
  }

  close() {
    const { heif } = this;
    if (this.image) heif.heif_image_release(this.image);
    if (this.handle && !this.handle.code) heif.heif_image_handle_release(this.handle);
    heif.heif_context_free(this.context);
    if (heif.HEAPU8.length > MOST_KEPT && loaded.heif === heif) loaded.heif = null;
  }
}

function overWhite(rgba) {
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3];
    for (let k = i; k < i + 3; k++) rgba[k] = Math.round((rgba[k] * alpha + 255 * (255 - alpha)) / 255);
  }
}
