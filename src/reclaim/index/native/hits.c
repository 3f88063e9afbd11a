/* What a search finds, put in the order it is answered in: by query, nearest first, equal distances by id. */
#include "kernel.h"

#include <stdlib.h>

int hits_push(Hits *hits, uint32_t query, uint32_t distance, int64_t id)
{
    if (hits->count == hits->capacity) {
        const size_t capacity = hits->capacity ? 2 * hits->capacity : 64;
        Hit *items = realloc(hits->items, capacity * sizeof *items);
        if (items == NULL) {
            hits->failed = 1;
            return -1;
        }
        hits->items = items;
        hits->capacity = capacity;
    }
    const Hit hit = {query, distance, id};
    hits->items[hits->count++] = hit;
    return 0;
}

static int in_order(const void *a, const void *b)
{
    const Hit *x = a, *y = b;
    if (x->query != y->query) {
        return x->query < y->query ? -1 : 1;
    }
    if (x->distance != y->distance) {
        return x->distance < y->distance ? -1 : 1;
    }
    return (x->id > y->id) - (x->id < y->id);
}

/* Drops what several bands have found; sorted already. */
void hits_distinct(Hits *hits)
{
    size_t kept = 0;
    for (size_t i = 0; i < hits->count; i++) {
        if (kept == 0 || in_order(&hits->items[kept - 1], &hits->items[i]) != 0) {
            hits->items[kept++] = hits->items[i];
        }
    }
    hits->count = kept;
}

void hits_sort(Hits *hits)
{
    if (hits->count > 1) {
        qsort(hits->items, hits->count, sizeof *hits->items, in_order);
    }
}
