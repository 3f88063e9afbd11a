// What a worker can be asked to do; the page does the same itself where workers cannot.

import { fingerprintPicture } from './picture.js';
import { selfTest } from './self_test.js';

export const tasks = { fingerprint: fingerprintPicture, selfTest };
