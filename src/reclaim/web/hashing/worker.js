// The module Worker. It is sent {task, input} and answers with {result}, null if the task failed in a way that nobody
// foresaw; the first thing it says is whether it can decode at all. As a long task goes on it says {part}, and waits
// for {on}: false ends the task.

import { canDecode } from './decode.js';
import { tasks } from './tasks.js';

const waiting = [];

function step(part) {
  return new Promise((resolve, reject) => {
    waiting.push((on) => (on ? resolve() : reject(new DOMException('The task was ended.', 'AbortError'))));
    self.postMessage({ part });
  });
}

self.onmessage = async ({ data }) => {
  if ('on' in data) {
    waiting.shift()(data.on);
    return;
  }
  const result = await tasks[data.task](data.input, step).catch(() => null);
  self.postMessage({ result });
};
self.postMessage({ ready: canDecode() });
