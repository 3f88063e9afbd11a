/* Many queries at once: a band is visited part by part, a part being the buckets whose keys share their high byte. All
 * queries that ask for any bucket of a part are answered while it lies in the processor's cache.
 *
 * Queries sorted by key lie in groups that share their high byte, too. A key within a few bits of a query's differs from
 * it by some flips in the high byte and some in the low one; so a part is asked for by the few groups that those flips of
 * the high byte lead to, and only the queries are sorted, never their thousands of buckets.
 */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS = 256, QUERIES_AT_ONCE = 65536 };

typedef struct {
    Probe *probes; /* by key */
    Probe *half_sorted;
    uint32_t group[PARTS + 1]; /* group[h] to group[h + 1] have the high byte h */
} Work;

/* By low byte, then by high byte, each keeping the order of the other. */
static void sort_by_key(Work *work, const Code *queries, uint32_t first, uint32_t count, uint32_t band)
{
    uint32_t low[PARTS + 1] = {0}, cursor[PARTS];
    memset(work->group, 0, sizeof work->group);
    for (uint32_t q = first; q < first + count; q++) {
        const uint16_t key = band_of(&queries[q], band);
        low[(key & 255) + 1]++;
        work->group[(key >> 8) + 1]++;
    }
    for (uint32_t p = 0; p < PARTS; p++) {
        low[p + 1] += low[p];
        work->group[p + 1] += work->group[p];
    }
    memcpy(cursor, work->group, sizeof cursor);
    for (uint32_t q = first; q < first + count; q++) {
        const uint16_t key = band_of(&queries[q], band);
        const Probe probe = {key, band_of(&queries[q], band_after(band, 1)), q};
        work->half_sorted[low[key & 255]++] = probe;
    }
    for (uint32_t i = 0; i < count; i++) {
        work->probes[cursor[work->half_sorted[i].key >> 8]++] = work->half_sorted[i];
    }
}

/* A share of what the part holds, in the order of memory. */
static void fetch_part(const Band *band, uint32_t part, uint32_t share, uint32_t shares)
{
    if (part >= PARTS) {
        return;
    }
    const uint64_t start = band->offsets[part << 8], size = band->offsets[(part + 1) << 8] - start;
    const uint64_t from = start + size * share / shares, to = start + size * (share + 1) / shares;
    for (uint64_t i = from; i < to; i += LINE) {
        __builtin_prefetch(&band->next[i], 0, 2);
    }
}

static void visit_part(Search *search, const Work *work, uint32_t band, uint32_t part)
{
    const int radius = search->radius_of[band];
    const int bound = bound_after(search->radius_of, band, 1);
    const uint16_t *mask = band_masks();
    for (uint32_t i = 0, last = band_probes(radius); i < last; i++) {
        const uint32_t group = part ^ (mask[i] >> 8);
        const uint32_t count = work->group[group + 1] - work->group[group];
        fetch_part(&search->s->band[band], part + 1, i, last);
        if (count > 0) {
            const int distance = __builtin_popcount(mask[i]);
            const Sweep sweep = {band, mask[i], (uint8_t)distance, bound - distance, UINT32_MAX};
            look_through(search, search->k->scan_cached, &sweep, work->probes + work->group[group], count);
        }
    }
}

void search_batch(const Segment *s, const Kernel *k, const Code *queries, uint32_t count, int radius,
                  const int8_t radius_of[BANDS], Hits *hits)
{
    const uint32_t at_once = count < QUERIES_AT_ONCE ? count : QUERIES_AT_ONCE;
    Search *search = malloc(sizeof *search);
    Work *work = malloc(sizeof *work);
    Probe *probes = malloc(2 * (size_t)at_once * sizeof *probes);
    if (search == NULL || work == NULL || probes == NULL) {
        hits->failed = 1;
        count = 0;
    } else {
        search->s = s;
        search->k = k;
        search->queries = queries;
        search->radius_of = radius_of;
        search->radius = radius;
        search->limits = EXACT;
        search->hits = hits;
        search->candidates.count = 0;
        work->probes = probes;
        work->half_sorted = probes + at_once;
    }
    for (uint32_t first = 0, here; count > 0 && first < count; first += here) {
        here = count - first < at_once ? count - first : at_once;
        for (uint32_t b = 0; b < BANDS; b++) {
            if (radius_of[b] < 0) {
                continue;
            }
            sort_by_key(work, queries, first, here, b);
            for (uint32_t part = 0; part < PARTS; part++) {
                visit_part(search, work, b, part);
            }
        }
        check_candidates(search);
    }
    free(probes);
    free(work);
    free(search);
}
