// Counts, as the browser itself reports them, the requests of this page since a moment. Those for its own programs and
// styles are left out: they carry nothing, and some are only fetched when a file needs them.

const PROGRAMS = new URL('../', import.meta.url).href;

export class RequestCount {
  constructor(onChange) {
    this.since = Infinity;
    this.count = 0;
    this.onChange = onChange;
    if (typeof PerformanceObserver !== 'function') return;
    new PerformanceObserver((list) => this.add(list.getEntries())).observe({ type: 'resource', buffered: true });
  }

  add(entries) {
    this.count += entries.filter(({ startTime, name }) => startTime >= this.since && !name.startsWith(PROGRAMS)).length;
    this.onChange(this.count);
  }

  // From now on.
  start() {
    this.since = performance.now();
    this.count = 0;
    this.onChange(0);
  }
}
