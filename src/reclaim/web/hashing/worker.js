// The module Worker. It is sent {task, input} and answers each message with the result, in order; the first thing it
// says is whether it can decode at all.

import { canDecode } from './decode.js';
import { tasks } from './tasks.js';

self.onmessage = async ({ data }) => self.postMessage(await tasks[data.task](data.input));
self.postMessage({ ready: canDecode() });
