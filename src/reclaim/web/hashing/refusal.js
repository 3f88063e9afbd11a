// Why a file has no fingerprint: 'empty', 'not-a-picture', 'too-large', 'truncated', 'unsupported', 'unreadable' or
// 'not-fetched': a program that it needs could not be had.
export class Refusal extends Error {
  constructor(reason) {
    super(reason);
    this.name = 'Refusal';
    this.reason = reason;
  }
}
