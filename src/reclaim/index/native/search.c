/* One query at a time, and the choice between the bands and looking at every code.
 *
 * Bands answer exactly by the general pigeonhole principle. Give band b the radius r(b), -1 leaving it out, so that the
 * r(b) + 1 add up to radius + 1. A code that lies beyond r(b) in every band differs in at least r(b) + 1 bits of each,
 * hence in more than the radius: so each code within the radius is within r(b) of the query in some band.
 *
 * More holds (Qin and Xiao, Pigeonring, VLDB 2018). Lay the bands in a ring and write d(b) for the bits in which a band
 * differs. The d(b) - r(b) - 1 add up to less than none, so somewhere on the ring is a band from which on every partial
 * sum of them is below none (begin just after where the sum from any fixed band is greatest). From that band on, d of one
 * band is at most r, d of two together at most r + r + 1, of three at most r + r + r + 2. So an entry of a bucket is
 * turned down by the bits of the next band or two that lie beside it, and hardly any code is ever fetched. A code is
 * reported by the first band that lets it through.
 */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

/* ---- the cost model; docs/index.md says how its figures were measured ---- */

/* Nanoseconds: a query's fixed share; a bucket; an entry of one. */
typedef struct {
    double fixed, probe, entry;
} Costs;

static const Costs SINGLE = {1200, 10, 0.2};
static const Costs BATCH = {100, 5, 0.1};

enum {
    BATCH_FROM = 512,     /* queries worth sorting */
    BLOCKED_FROM = 8,     /* queries enough to share the codes they read */
    CACHED_CODES = 500000 /* codes that stay in the processor's cache from one query to the next */
};

static double code_cost(const Segment *s, size_t queries)
{
    return queries >= BLOCKED_FROM ? 0.16 : s->n <= CACHED_CODES ? 0.28 : 0.65;
}

/* Hands out radius + 1 units, each to the band where it costs least; what that costs, or a negative number if the bands
 * cannot take them all. entries(b, r) is what band b brings at radius r. */
static double allocate(const Segment *s, int radius, const Costs *costs, int8_t radius_of[BANDS],
                       double (*entries)(const void *, uint32_t, int), const void *context)
{
    double next[BANDS], now[BANDS], total = costs->fixed;
    for (uint32_t b = 0; b < s->bands; b++) {
        radius_of[b] = -1;
        now[b] = 0;
        next[b] = costs->probe + entries(context, b, 0) * costs->entry;
    }
    for (int unit = 0; unit <= radius; unit++) {
        uint32_t best = BANDS;
        for (uint32_t b = 0; b < s->bands; b++) {
            if (radius_of[b] < MAX_BAND_RADIUS && (best == BANDS || next[b] - now[b] < next[best] - now[best])) {
                best = b;
            }
        }
        if (best == BANDS) {
            return -1;
        }
        const int r = ++radius_of[best];
        total += next[best] - now[best];
        now[best] = next[best];
        if (r < MAX_BAND_RADIUS) {
            next[best] = band_probes(r + 1) * costs->probe + entries(context, best, r + 1) * costs->entry;
        }
    }
    return total;
}

static double usual_entries(const void *context, uint32_t b, int r)
{
    const Segment *s = context;
    return band_probes(r) * s->band[b].mean;
}

Plan plan_for(const Segment *s, int radius, size_t queries, Choice choice)
{
    const Costs *costs = queries >= BATCH_FROM ? &BATCH : &SINGLE;
    Plan plan = {0, 0, -1, code_cost(s, queries) * s->n, {0}};
    memset(plan.radius, -1, sizeof plan.radius);
    if (s->bands > 0) {
        plan.banded_ns = allocate(s, radius, costs, plan.radius, usual_entries, s);
    }
    plan.banded = plan.banded_ns >= 0 && choice != ALWAYS_BRUTE &&
                  (choice == ALWAYS_BANDS || plan.banded_ns < plan.brute_ns);
    plan.cost_ns = plan.banded ? plan.banded_ns : plan.brute_ns;
    return plan;
}

/* The same share for each band, whatever it holds; 0 if the bands cannot take them all. */
static int even_radii(int radius, int8_t radius_of[BANDS])
{
    const int units = radius + 1;
    for (int b = 0; b < BANDS; b++) {
        radius_of[b] = (int8_t)(units / BANDS + (b < units % BANDS) - 1);
    }
    return radius_of[0] <= MAX_BAND_RADIUS;
}

/* ---- candidates ---- */

static int may_find(Limits limits, uint32_t query)
{
    if (limits.left == NULL) {
        return 1;
    }
    if (limits.left[query] == 0) {
        return 0;
    }
    limits.left[query]--;
    return 1;
}

/* Bits in which this band and so many after it may differ together. */
int bound_after(const int8_t radius_of[BANDS], uint32_t band, uint32_t steps)
{
    int bound = radius_of[band];
    for (uint32_t i = 1; i <= steps; i++) {
        bound += radius_of[band_after(band, i)] + 1;
    }
    return bound;
}

/* Whether an earlier band has let this one through, and so reported it. */
static int seen_before(const Search *search, const Code *code, const Code *query, uint32_t band)
{
    const uint32_t steps = search->s->band[band].after != NULL ? 2 : 1;
    uint8_t differs[BANDS];
    for (uint32_t e = 0; e < BANDS; e++) {
        differs[e] = (uint8_t)__builtin_popcount((uint32_t)band_of(code, e) ^ band_of(query, e));
    }
    for (uint32_t e = 0; e < band; e++) {
        int sum = 0, passes = 1;
        for (uint32_t i = 0; i <= steps; i++) {
            sum += differs[band_after(e, i)];
            passes &= sum <= bound_after(search->radius_of, e, i);
        }
        if (passes) {
            return 1;
        }
    }
    return 0;
}

/* Keeps the candidates that the band after the next lets through. */
static void check_after(Search *search)
{
    enum { AHEAD = 16 };
    Candidates *c = &search->candidates;
    int bound[BANDS];
    uint32_t kept = 0;
    for (uint32_t b = 0; b < BANDS; b++) {
        bound[b] = bound_after(search->radius_of, b, 2);
    }
    for (uint32_t i = 0; i < c->count; i++) {
        if (i + AHEAD < c->count) {
            const Candidate *soon = &c->items[i + AHEAD];
            __builtin_prefetch(&search->s->band[soon->band].after[soon->at]);
        }
        const Candidate candidate = c->items[i];
        const Band *band = &search->s->band[candidate.band];
        const Code *query = &search->queries[candidate.query];
        const uint32_t next = (uint32_t)band->next[candidate.at] ^ band_of(query, band_after(candidate.band, 1));
        const uint32_t after = (uint32_t)band->after[candidate.at] ^ band_of(query, band_after(candidate.band, 2));
        c->items[kept] = candidate;
        kept += candidate.distance + __builtin_popcount(next) + __builtin_popcount(after) <= bound[candidate.band];
    }
    c->count = kept;
}

/* Takes the candidates through the checks that are left, each step fetching ahead for the next, and empties the list. */
void check_candidates(Search *search)
{
    enum { AHEAD = 16 };
    const Segment *s = search->s;
    Candidates *c = &search->candidates;
    if (s->band[0].after != NULL) {
        check_after(search);
    }
    for (uint32_t i = 0; i < c->count; i++) {
        if (i + AHEAD < c->count) {
            const Candidate *soon = &c->items[i + AHEAD];
            __builtin_prefetch(s->band[soon->band].rows + (size_t)soon->at * s->row_bytes);
        }
        Candidate *candidate = &c->items[i];
        candidate->at = row_at(s, &s->band[candidate->band], candidate->at);
        if (candidate->at < s->n) {
            __builtin_prefetch(&s->codes[candidate->at]);
        }
    }
    for (uint32_t i = 0; i < c->count; i++) {
        const uint32_t row = c->items[i].at;
        if (row >= s->n || !is_alive(s, row)) {
            continue; /* removed */
        }
        const Code *query = &search->queries[c->items[i].query];
        const unsigned distance = search->k->distance(&s->codes[row], query);
        /* With limits an earlier band may not have come so far. */
        if (distance <= (unsigned)search->radius &&
            (search->limits.left != NULL || !seen_before(search, &s->codes[row], query, c->items[i].band))) {
            hits_push(search->hits, c->items[i].query, distance, s->ids[row]);
        }
    }
    c->count = 0;
}

void look_through(Search *search, Scan scan, const Sweep *sweep, const Probe *probes, uint32_t count)
{
    uint32_t done = 0, at = 0;
    while (!scan(&search->s->band[sweep->band], sweep, probes, count, &done, &at, &search->candidates)) {
        check_candidates(search);
    }
}

/* The same, of which no more than so many are looked at in full: the first ones. */
static void look_at_some(Search *search, Scan scan, const Sweep *sweep, const Probe *probes, uint32_t count)
{
    Candidates *c = &search->candidates;
    const uint32_t most = search->limits.looks;
    uint32_t done = 0, at = 0;
    if (c->count + most + 2 * LINE > CANDIDATES) {
        check_candidates(search);
    }
    const uint32_t before = c->count;
    scan(&search->s->band[sweep->band], sweep, probes, count, &done, &at, c);
    if (c->count - before > most) {
        c->count = before + most;
    }
}

/* ---- one query through the bands ---- */

/* Fetches ahead what a band's buckets hold. */
static void fetch(const Band *band, uint16_t key, int radius)
{
    enum { BYTES = 64, LINES = 8 };
    const uint16_t *mask = band_masks();
    const uint32_t count = band_probes(radius);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t bucket = key ^ mask[i];
        const char *from = (const char *)(band->next + band->offsets[bucket]);
        const char *last = (const char *)(band->next + band->offsets[bucket + 1]) - 1;
        __builtin_prefetch(from);
        __builtin_prefetch(last); /* often the same line, but that cannot be foreseen */
        for (int line = 1; line < LINES && from + line * BYTES < last; line++) {
            __builtin_prefetch(from + line * BYTES);
        }
    }
}

typedef struct {
    const Segment *s;
    double entries[BANDS][2]; /* at radius 0 and 1, counted for this query */
} Counted;

static double counted_entries(const void *context, uint32_t b, int r)
{
    const Counted *counted = context;
    return r < 2 ? counted->entries[b][r] : counted->entries[b][1] * band_probes(r) / band_probes(1);
}

static void through_bands(const Segment *s, const Kernel *k, const Code *query, uint32_t number, int radius,
                          const int8_t radius_of[BANDS], Limits limits, Hits *hits)
{
    enum { FETCHED = 2 }; /* bands fetched ahead */
    Search search;
    Probe probes[MAX_PROBES];
    const uint16_t *mask = band_masks();
    search.s = s;
    search.k = k;
    search.queries = query - number;
    search.radius_of = radius_of;
    search.radius = radius;
    search.limits = limits;
    search.hits = hits;
    search.candidates.count = 0;
    for (uint32_t b = 0; b < FETCHED; b++) {
        fetch(&s->band[b], band_of(query, b), radius_of[b]);
    }
    for (uint32_t b = 0; b < BANDS; b++) {
        if (b + FETCHED < BANDS) {
            fetch(&s->band[b + FETCHED], band_of(query, b + FETCHED), radius_of[b + FETCHED]);
        }
        const int bound = bound_after(radius_of, b, 1);
        const uint16_t key = band_of(query, b);
        const uint16_t wanted = band_of(query, band_after(b, 1));
        uint32_t first = 0;
        for (int distance = 0; distance <= radius_of[b]; distance++) {
            const uint32_t last = band_probes(distance);
            for (uint32_t i = first; i < last; i++) {
                const Probe probe = {key ^ mask[i], wanted, number};
                probes[i - first] = probe;
            }
            const Sweep sweep = {b, 0, (uint8_t)distance, bound - distance, limits.fullest};
            if (limits.left != NULL) {
                look_at_some(&search, k->scan_fetched, &sweep, probes, last - first);
            } else {
                look_through(&search, k->scan_fetched, &sweep, probes, last - first);
            }
            first = last;
        }
    }
    check_candidates(&search);
}

static void every_code(const Segment *s, const Kernel *k, const Code *queries, uint32_t count, int radius, Limits limits,
                       Hits *hits)
{
    uint32_t near[CHUNK];
    for (uint32_t start = 0; start < s->n; start += CHUNK) {
        const uint32_t end = s->n - start > CHUNK ? start + CHUNK : s->n;
        for (uint32_t q = 0; q < count; q++) {
            const size_t found = k->scan_codes(s->codes, start, end, &queries[q], radius, near);
            for (size_t i = 0; i < found; i++) {
                if (is_alive(s, near[i]) && may_find(limits, q)) {
                    hits_push(hits, q, k->distance(&s->codes[near[i]], &queries[q]), s->ids[near[i]]);
                }
            }
        }
        if (s->n - start <= CHUNK) {
            break; /* start + CHUNK could pass 2^32 */
        }
    }
}

/* A query whose buckets are far fuller than usual gets radii of its own, or looks at every code. */
static void one(const Segment *s, const Kernel *k, const Code *query, uint32_t number, int radius, const Plan *plan,
                Choice choice, Hits *hits)
{
    enum { SURPRISE = 4 };
    Counted counted = {s, {{0}}};
    double entries = 0, expected = 0;
    const uint16_t *mask = band_masks();
    const uint32_t count = band_probes(1);
    for (uint32_t b = 0; b < BANDS; b++) {
        for (uint32_t i = 0; i < count; i++) {
            __builtin_prefetch(&s->band[b].offsets[band_of(query, b) ^ mask[i]]);
        }
    }
    for (uint32_t b = 0; b < BANDS; b++) {
        const uint32_t *offsets = s->band[b].offsets;
        const uint16_t key = band_of(query, b);
        uint32_t sum = 0;
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t bucket = key ^ mask[i];
            sum += offsets[bucket + 1] - offsets[bucket];
        }
        counted.entries[b][0] = offsets[key + 1u] - offsets[key];
        counted.entries[b][1] = sum;
        if (plan->radius[b] >= 0) {
            entries += counted_entries(&counted, b, plan->radius[b]);
            expected += usual_entries(s, b, plan->radius[b]);
        }
    }
    if (entries <= SURPRISE * expected + CHUNK) {
        through_bands(s, k, query, number, radius, plan->radius, EXACT, hits);
        return;
    }
    int8_t own[BANDS];
    const double cost = allocate(s, radius, &SINGLE, own, counted_entries, &counted);
    if (cost <= plan->brute_ns || choice == ALWAYS_BANDS) {
        through_bands(s, k, query, number, radius, own, EXACT, hits);
        return;
    }
    const size_t first = hits->count;
    every_code(s, k, query, 1, radius, EXACT, hits);
    for (size_t i = first; i < hits->count; i++) {
        hits->items[i].query = number;
    }
}

void search_segment(const Segment *s, const Kernel *k, const Code *queries, uint32_t count, int radius, Choice choice,
                    Limits limits, Hits *hits)
{
    Plan plan = plan_for(s, radius, count, choice);
    if (limits.left != NULL) {
        /* Whoever fills buckets must not choose how many are looked into. */
        plan.banded = s->bands > 0 && even_radii(radius, plan.radius);
    }
    if (!plan.banded) {
        every_code(s, k, queries, count, radius, limits, hits);
    } else if (limits.left != NULL) {
        /* Also many: a batch fetches whole bands, of which these look into few buckets, and not to their ends. */
        for (uint32_t q = 0; q < count; q++) {
            through_bands(s, k, &queries[q], q, radius, plan.radius, limits, hits);
        }
    } else if (count >= BATCH_FROM) {
        search_batch(s, k, queries, count, radius, plan.radius, hits);
    } else {
        for (uint32_t q = 0; q < count; q++) {
            one(s, k, &queries[q], q, radius, &plan, choice, hits);
        }
    }
}

void search_delta(const Delta *d, const Kernel *k, const Code *queries, uint32_t count, int radius, Limits limits,
                  Hits *hits)
{
    uint32_t near[CHUNK];
    for (uint32_t start = 0; start < d->rows; start += CHUNK) {
        const uint32_t end = d->rows - start > CHUNK ? start + CHUNK : d->rows;
        for (uint32_t q = 0; q < count; q++) {
            const size_t found = k->scan_codes(d->codes, start, end, &queries[q], radius, near);
            for (size_t i = 0; i < found; i++) {
                if (d->alive[near[i]] && may_find(limits, q)) {
                    hits_push(hits, q, k->distance(&d->codes[near[i]], &queries[q]), d->ids[near[i]]);
                }
            }
        }
        if (d->rows - start <= CHUNK) {
            break;
        }
    }
}
