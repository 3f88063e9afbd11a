// Why a file has no fingerprint: 'empty', 'not-a-picture', 'too-large', 'truncated', 'unsupported' or 'unreadable'.
export class Refusal extends Error {
  constructor(reason) {
    super(reason);
    this.name = 'Refusal';
    this.reason = reason;
  }
}
