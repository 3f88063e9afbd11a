/* One query at a time, and the choice between the bands and looking at every code.
 *
 * Bands answer exactly by the general pigeonhole principle. Give band b the radius r(b), -1 leaving it out, so that the
 * r(b) + 1 add up to radius + 1. A code that lies beyond r(b) in every band differs in at least r(b) + 1 bits of each,
 * hence in more than the radius: so each code within the radius is within r(b) of the query in some band, and looking
 * at the buckets that near finds it. It is reported by the first such band only.
 */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

/* ---- the cost model; docs/index.md says how its figures were measured ---- */

/* Nanoseconds: a query's fixed share; a bucket; an entry with 32, 64 or 128 bits inline; a row fetched for its code. */
typedef struct {
    double fixed, probe, entry[3], row;
} Costs;

static const Costs SINGLE = {1500, 30, {1.1, 1.9, 3.0}, 8.0};
static const Costs BATCH = {100, 8, {0.2, 0.3, 0.6}, 4.9};

enum {
    BATCH_FROM = 64,      /* queries worth sorting */
    SHARED_FROM = 8192,   /* queries enough to share the buckets they read */
    BLOCKED_FROM = 8,     /* queries enough to share the codes they read */
    CACHED_CODES = 500000 /* codes that stay in the processor's cache from one query to the next */
};

static double code_cost(const Segment *s, size_t queries)
{
    return queries >= BLOCKED_FROM ? 0.16 : s->n <= CACHED_CODES ? 0.33 : 0.65;
}

static double entry_cost(const Costs *costs, const Band *band)
{
    switch (band->inline_bits) {
    case INLINE_32:
        return costs->entry[0];
    case INLINE_64:
        return costs->entry[1];
    case INLINE_128:
        return costs->entry[2];
    default:
        return costs->row;
    }
}

/* Hands out radius + 1 units, each to the band where it costs least; what that costs, or a negative number if the bands
 * cannot take them all. entries(b, r) is what band b brings at radius r. */
static double allocate(const Segment *s, int radius, const Costs *costs, int8_t radius_of[MAX_BANDS],
                       double (*entries)(const void *, uint32_t, int), const void *context)
{
    double next[MAX_BANDS], now[MAX_BANDS], total = costs->fixed;
    for (uint32_t b = 0; b < s->bands; b++) {
        radius_of[b] = -1;
        now[b] = 0;
        next[b] = costs->probe + entries(context, b, 0) * entry_cost(costs, &s->band[b]);
    }
    for (int unit = 0; unit <= radius; unit++) {
        uint32_t best = MAX_BANDS;
        for (uint32_t b = 0; b < s->bands; b++) {
            if (radius_of[b] < MAX_BAND_RADIUS && (best == MAX_BANDS || next[b] - now[b] < next[best] - now[best])) {
                best = b;
            }
        }
        if (best == MAX_BANDS) {
            return -1;
        }
        Band const *band = &s->band[best];
        const int r = ++radius_of[best];
        total += next[best] - now[best];
        now[best] = next[best];
        if (r < MAX_BAND_RADIUS) {
            next[best] = band_probes(band->width, r + 1) * costs->probe +
                         entries(context, best, r + 1) * entry_cost(costs, band);
        }
    }
    return total;
}

static double usual_entries(const void *context, uint32_t b, int r)
{
    const Segment *s = context;
    return band_probes(s->band[b].width, r) * s->band[b].mean;
}

Plan plan_for(const Segment *s, int radius, size_t queries, Choice choice)
{
    const Costs *costs = queries >= SHARED_FROM ? &BATCH : &SINGLE;
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

/* ---- candidates ---- */

static int seen_before(const Pending *p, const Code *difference, uint32_t band)
{
    for (uint32_t e = 0; e < band; e++) {
        const uint64_t bits = code_bits(difference, p->s->band[e].start, p->s->band[e].width);
        if (p->radius_of[e] >= 0 && __builtin_popcountll(bits) <= p->radius_of[e]) {
            return 1;
        }
    }
    return 0;
}

void pending_flush(Pending *p, uint32_t band)
{
    enum { ROWS_AHEAD = 48, CODES_AHEAD = 24 };
    const Segment *s = p->s;
    const uint32_t *rows = s->band[band].rows;
    const size_t count = p->count;
    for (size_t i = 0; i < count && i < ROWS_AHEAD; i++) {
        __builtin_prefetch(&rows[p->at[i]]);
    }
    for (size_t i = 0; i < count + CODES_AHEAD; i++) {
        if (i + ROWS_AHEAD < count) {
            __builtin_prefetch(&rows[p->at[i + ROWS_AHEAD]]);
        }
        if (i < count) {
            p->at[i] = rows[p->at[i]];
            if (p->at[i] < s->n) {
                __builtin_prefetch(&s->codes[p->at[i]]);
            }
        }
        if (i < CODES_AHEAD) {
            continue;
        }
        const uint32_t row = p->at[i - CODES_AHEAD];
        if (row >= s->n) {
            continue;
        }
        const Code *query = &p->queries[p->query[i - CODES_AHEAD]];
        const Code *code = &s->codes[row];
        const unsigned distance = p->k->distance(code, query);
        if (distance <= (unsigned)p->radius && is_alive(s, row)) {
            Code difference;
            for (int w = 0; w < 4; w++) {
                difference.w[w] = code->w[w] ^ query->w[w];
            }
            if (!seen_before(p, &difference, band)) {
                hits_push(p->hits, p->query[i - CODES_AHEAD], distance, s->ids[row]);
            }
        }
    }
    p->count = 0;
}

void pending_scan(Pending *p, uint32_t index, uint32_t start, uint32_t end, const uint64_t wanted[2], int bound,
                  uint32_t query)
{
    const Band *band = &p->s->band[index];
    while (start < end) {
        const uint32_t stop = end - start > CHUNK ? start + CHUNK : end;
        uint32_t *out = p->at + p->count;
        size_t found = 0;
        switch (band->inline_bits) {
        case INLINE_32:
            found = p->k->scan32(band->inlined, start, stop, wanted, bound, out);
            break;
        case INLINE_64:
            found = p->k->scan64(band->inlined, start, stop, wanted, bound, out);
            break;
        case INLINE_128:
            found = p->k->scan128(band->inlined, start, stop, wanted, bound, out);
            break;
        default:
            for (uint32_t i = start; i < stop; i++) {
                out[found++] = i;
            }
        }
        for (size_t i = 0; i < found; i++) {
            p->query[p->count + i] = query;
        }
        p->count += found;
        if (p->count > 3 * CHUNK) {
            pending_flush(p, index);
        }
        start = stop;
    }
}

/* What is left of the radius for a band's inline part: each earlier band outside it has differed by more than its own
 * radius, or it would have brought the candidate already. */
int inline_bound(const Segment *s, const int8_t *radius_of, uint32_t band, int radius)
{
    for (uint32_t e = 0; e < band; e++) {
        if (!(s->band[band].inlined_bands >> e & 1)) {
            radius -= radius_of[e] + 1;
        }
    }
    return radius;
}

/* ---- one query through the bands ---- */

typedef struct {
    uint32_t start[MAX_PROBES], end[MAX_PROBES];
    uint32_t count;
} Ranges;

static void prepare(const Segment *s, uint32_t index, uint32_t key, int radius, Ranges *ranges)
{
    const Band *band = &s->band[index];
    const uint32_t *mask = band_masks(band->width, radius, &ranges->count);
    const size_t bytes = band->inline_bits ? band->inline_bits / 8 : sizeof(uint32_t);
    const char *base = band->inline_bits ? band->inlined : (const void *)band->rows;
    for (uint32_t i = 0; i < ranges->count; i++) {
        const uint32_t bucket = key ^ mask[i];
        const uint32_t start = band->offsets[bucket], end = band->offsets[bucket + 1];
        ranges->start[i] = start;
        ranges->end[i] = end;
        const char *from = base + start * bytes;
        const char *to = base + end * bytes;
        for (int line = 0; line < 6 && from < to; line++, from += 64) {
            __builtin_prefetch(from);
        }
    }
}

typedef struct {
    const Segment *s;
    double entries[MAX_BANDS][2]; /* at radius 0 and 1, counted for this query */
} Counted;

static double counted_entries(const void *context, uint32_t b, int r)
{
    const Counted *counted = context;
    const uint32_t width = counted->s->band[b].width;
    return r < 2 ? counted->entries[b][r] : counted->entries[b][1] * band_probes(width, r) / band_probes(width, 1);
}

static void through_bands(const Segment *s, const Kernel *k, const Code *query, uint32_t number, int radius,
                          const int8_t radius_of[MAX_BANDS], const uint32_t keys[MAX_BANDS], Hits *hits)
{
    Ranges ranges[2];
    Pending pending;
    pending.s = s;
    pending.k = k;
    pending.queries = query - number;
    pending.radius_of = radius_of;
    pending.radius = radius;
    pending.hits = hits;
    pending.count = 0;
    prepare(s, 0, keys[0], radius_of[0], &ranges[0]);
    for (uint32_t b = 0; b < s->bands; b++) {
        const Ranges *here = &ranges[b & 1];
        if (b + 1 < s->bands) {
            prepare(s, b + 1, keys[b + 1], radius_of[b + 1], &ranges[(b + 1) & 1]);
        }
        const Band *band = &s->band[b];
        const uint64_t wanted[2] = {code_bits(query, band->inline_start, 64),
                                    code_bits(query, band->inline_start + 64, 64)};
        const int bound = inline_bound(s, radius_of, b, radius);
        uint32_t masks;
        const uint32_t *mask = band_masks(band->width, radius_of[b], &masks);
        for (uint32_t i = 0; i < here->count; i++) {
            const int left = bound - __builtin_popcount(mask[i]);
            if (left >= 0) {
                pending_scan(&pending, b, here->start[i], here->end[i], wanted, left, number);
            }
        }
        pending_flush(&pending, b);
    }
}

static void every_code(const Segment *s, const Kernel *k, const Code *queries, uint32_t count, int radius, Hits *hits)
{
    uint32_t near[CHUNK];
    for (uint32_t start = 0; start < s->n; start += CHUNK) {
        const uint32_t end = s->n - start > CHUNK ? start + CHUNK : s->n;
        for (uint32_t q = 0; q < count; q++) {
            const size_t found = k->scan_codes(s->codes, start, end, &queries[q], radius, near);
            for (size_t i = 0; i < found; i++) {
                if (is_alive(s, near[i])) {
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
    uint32_t keys[MAX_BANDS];
    Counted counted = {s, {{0}}};
    double entries = 0, expected = 0;
    uint32_t count;
    for (uint32_t b = 0; b < s->bands; b++) {
        const Band *band = &s->band[b];
        const uint32_t *mask = band_masks(band->width, 1, &count);
        keys[b] = (uint32_t)code_bits(query, band->start, band->width);
        for (uint32_t i = 0; i < count; i++) {
            __builtin_prefetch(&band->offsets[keys[b] ^ mask[i]]);
        }
    }
    for (uint32_t b = 0; b < s->bands; b++) {
        const Band *band = &s->band[b];
        const uint32_t *mask = band_masks(band->width, 1, &count);
        uint64_t sum = 0;
        for (uint32_t i = 0; i < count; i++) {
            sum += band->offsets[(keys[b] ^ mask[i]) + 1] - band->offsets[keys[b] ^ mask[i]];
            if (i == 0) {
                counted.entries[b][0] = (double)sum;
            }
        }
        counted.entries[b][1] = (double)sum;
        entries += counted_entries(&counted, b, plan->radius[b] < 0 ? 0 : plan->radius[b]);
        expected += usual_entries(s, b, plan->radius[b] < 0 ? 0 : plan->radius[b]);
    }
    if (entries > SURPRISE * expected + CHUNK) {
        int8_t own[MAX_BANDS];
        const double cost = allocate(s, radius, &SINGLE, own, counted_entries, &counted);
        if (cost > plan->brute_ns && choice != ALWAYS_BANDS) {
            const size_t first = hits->count;
            every_code(s, k, query, 1, radius, hits);
            for (size_t i = first; i < hits->count; i++) {
                hits->items[i].query = number;
            }
        } else {
            through_bands(s, k, query, number, radius, own, keys, hits);
        }
        return;
    }
    through_bands(s, k, query, number, radius, plan->radius, keys, hits);
}

void search_segment(const Segment *s, const Kernel *k, const Code *queries, uint32_t count, int radius, Choice choice,
                    Hits *hits)
{
    const Plan plan = plan_for(s, radius, count, choice);
    if (!plan.banded) {
        every_code(s, k, queries, count, radius, hits);
    } else if (count >= BATCH_FROM) {
        search_batch(s, k, queries, count, radius, &plan, hits);
    } else {
        for (uint32_t q = 0; q < count; q++) {
            one(s, k, &queries[q], q, radius, &plan, choice, hits);
        }
    }
}

void search_delta(const Delta *d, const Kernel *k, const Code *queries, uint32_t count, int radius, Hits *hits)
{
    uint32_t near[CHUNK];
    for (uint32_t start = 0; start < d->rows; start += CHUNK) {
        const uint32_t end = d->rows - start > CHUNK ? start + CHUNK : d->rows;
        for (uint32_t q = 0; q < count; q++) {
            const size_t found = k->scan_codes(d->codes, start, end, &queries[q], radius, near);
            for (size_t i = 0; i < found; i++) {
                if (d->alive[near[i]]) {
                    hits_push(hits, q, k->distance(&d->codes[near[i]], &queries[q]), d->ids[near[i]]);
                }
            }
        }
        if (d->rows - start <= CHUNK) {
            break;
        }
    }
}
