// Sends a case and brings back its answer. The same body is sent again after a lost answer: its receipt makes the
// bank answer for the case that it has, instead of making a twin that nobody could withdraw.

const PAUSES_MS = [1000, 3000];
const TIMEOUT_MS = 30000;

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// The answer {status, body, retryAfter}, or null if none came through whole.
async function sendOnce(address, body) {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: giveUp.signal,
    });
    if (response.status >= 500) return null;
    const retryAfter = Number(response.headers.get('Retry-After')) || 0;
    return { status: response.status, body: await response.json(), retryAfter };
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

// body: the JSON text to send. Resolves like sendOnce, after three tries at most; never rejects.
export async function send(address, body) {
  for (const ms of [...PAUSES_MS, null]) {
    const answer = await sendOnce(address, body);
    if (answer !== null || ms === null) return answer;
    await pause(ms);
  }
  return null;
}
