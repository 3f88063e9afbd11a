/* Many queries at once: for each band, all buckets that any of them asks for, visited in the order they lie in memory.
 * So a bucket is read from memory once for all who ask for it, and the next one is near.
 */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

enum {
    SORT_BITS = 16, /* at most; a finer order than the buckets asked for would only cost */
    QUERIES_AT_ONCE = 32768,
    PROBES_AT_ONCE = 1 << 22
};

/* A bucket one query asks for: the key above, the query below; the mask's bits follow from the two. */
typedef struct {
    uint32_t bucket, query;
} Probe;

typedef struct {
    Probe *probes;
    uint32_t *cursor; /* 2^SORT_BITS + 1 */
    uint32_t *keys;
    uint64_t (*wanted)[2];
} Work;

static int work_new(Work *work, size_t queries, size_t probes)
{
    work->probes = malloc((probes + 1) * sizeof *work->probes);
    work->cursor = malloc(((1u << SORT_BITS) + 1) * sizeof *work->cursor);
    work->keys = malloc(queries * sizeof *work->keys);
    work->wanted = malloc(queries * sizeof *work->wanted);
    return work->probes && work->cursor && work->keys && work->wanted ? 0 : -1;
}

static void work_free(Work *work)
{
    free(work->probes);
    free(work->cursor);
    free(work->keys);
    free(work->wanted);
}

static size_t sort_probes(const Band *band, Work *work, uint32_t queries, int radius)
{
    uint32_t masks, bits = 4;
    const uint32_t *mask = band_masks(band->width, radius, &masks);
    while (bits < SORT_BITS && bits < band->width && UINT64_C(1) << bits < (uint64_t)queries * masks) {
        bits++;
    }
    const uint32_t shift = band->width > bits ? band->width - bits : 0;
    uint32_t *cursor = work->cursor;
    memset(cursor, 0, ((1u << bits) + 1) * sizeof *cursor);
    for (uint32_t q = 0; q < queries; q++) {
        for (uint32_t i = 0; i < masks; i++) {
            cursor[((work->keys[q] ^ mask[i]) >> shift) + 1]++;
        }
    }
    for (uint32_t i = 0; i < 1u << bits; i++) {
        cursor[i + 1] += cursor[i];
    }
    for (uint32_t q = 0; q < queries; q++) {
        for (uint32_t i = 0; i < masks; i++) {
            const uint32_t bucket = work->keys[q] ^ mask[i];
            const Probe probe = {bucket, q};
            work->probes[cursor[bucket >> shift]++] = probe;
        }
    }
    return (size_t)queries * masks;
}

static void visit(Pending *pending, uint32_t index, const Work *work, size_t probes, uint32_t first, int bound)
{
    enum { AHEAD = 12 };
    const Band *band = &pending->s->band[index];
    const size_t bytes = band->inline_bits ? band->inline_bits / 8 : sizeof(uint32_t);
    const char *base = band->inline_bits ? band->inlined : (const void *)band->rows;
    for (size_t i = 0; i < probes; i++) {
        if (i + AHEAD < probes) {
            const char *soon = base + band->offsets[work->probes[i + AHEAD].bucket] * bytes;
            __builtin_prefetch(soon);
            __builtin_prefetch(soon + 64);
        }
        const Probe probe = work->probes[i];
        const int left = bound - __builtin_popcount(probe.bucket ^ work->keys[probe.query]);
        if (left >= 0) {
            pending_scan(pending, index, band->offsets[probe.bucket], band->offsets[probe.bucket + 1],
                         work->wanted[probe.query], left, first + probe.query);
        }
    }
    pending_flush(pending, index);
}

void search_batch(const Segment *s, const Kernel *k, const Code *queries, uint32_t count, int radius, const Plan *plan,
                  Hits *hits)
{
    uint32_t most = 1;
    for (uint32_t b = 0; b < s->bands; b++) {
        const uint32_t probes = band_probes(s->band[b].width, plan->radius[b]);
        most = probes > most ? probes : most;
    }
    uint32_t at_once = PROBES_AT_ONCE / most < QUERIES_AT_ONCE ? PROBES_AT_ONCE / most : QUERIES_AT_ONCE;
    at_once = at_once < count ? at_once : count;
    Work work;
    Pending *pending = malloc(sizeof *pending);
    if (work_new(&work, at_once, (size_t)at_once * most) < 0 || pending == NULL) {
        hits->failed = 1;
        count = 0;
    } else {
        pending->s = s;
        pending->k = k;
        pending->queries = queries;
        pending->radius_of = plan->radius;
        pending->radius = radius;
        pending->hits = hits;
        pending->count = 0;
    }
    for (uint32_t first = 0; first < count; first += at_once) {
        const uint32_t here = count - first < at_once ? count - first : at_once;
        for (uint32_t b = 0; b < s->bands; b++) {
            const Band *band = &s->band[b];
            if (plan->radius[b] < 0) {
                continue;
            }
            for (uint32_t q = 0; q < here; q++) {
                const Code *query = &queries[first + q];
                work.keys[q] = (uint32_t)code_bits(query, band->start, band->width);
                work.wanted[q][0] = code_bits(query, band->inline_start, 64);
                work.wanted[q][1] = code_bits(query, band->inline_start + 64, 64);
            }
            const size_t probes = sort_probes(band, &work, here, plan->radius[b]);
            visit(pending, b, &work, probes, first, inline_bound(s, plan->radius, b, radius));
        }
        if (count - first <= at_once) {
            break;
        }
    }
    work_free(&work);
    free(pending);
}
