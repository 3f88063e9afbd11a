/* What was added since the segment was built: few enough codes to look at each one. */
#define _GNU_SOURCE
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

void wipe(void *p, size_t size)
{
    if (p != NULL) {
        memset(p, 0, size);
        __asm__ volatile("" : : "r"(p) : "memory"); /* so that the compiler does not find it useless */
    }
}

static int grow_rows(Delta *d)
{
    if (d->rows < d->capacity) {
        return 0;
    }
    const size_t capacity = d->capacity ? d->capacity + d->capacity / 2 : 64;
    Code *codes = malloc(capacity * sizeof *codes);
    int64_t *ids = malloc(capacity * sizeof *ids);
    uint8_t *alive = malloc(capacity);
    if (d->rows >= MAX_ROWS || codes == NULL || ids == NULL || alive == NULL) {
        free(codes);
        free(ids);
        free(alive);
        return -1;
    }
    if (d->rows) {
        memcpy(codes, d->codes, d->rows * sizeof *codes);
        memcpy(ids, d->ids, d->rows * sizeof *ids);
        memcpy(alive, d->alive, d->rows);
    }
    wipe(d->codes, d->rows * sizeof *codes); /* not realloc, which would leave copies behind */
    free(d->codes);
    free(d->ids);
    free(d->alive);
    d->codes = codes;
    d->ids = ids;
    d->alive = alive;
    d->capacity = capacity;
    return 0;
}

static void put(Delta *d, uint32_t row)
{
    const size_t mask = d->map_size - 1;
    size_t at = id_hash(d->ids[row]) & mask;
    while (d->map[at] != NO_ROW) {
        at = (at + 1) & mask;
    }
    d->map[at] = row;
}

static int grow_map(Delta *d)
{
    if (((size_t)d->living + 1) * 3 <= d->map_size * 2) {
        return 0;
    }
    const size_t size = d->map_size ? d->map_size * 2 : 128;
    uint32_t *map = malloc(size * sizeof *map);
    if (map == NULL) {
        return -1;
    }
    memset(map, 0xff, size * sizeof *map);
    free(d->map);
    d->map = map;
    d->map_size = size;
    for (uint32_t row = 0; row < d->rows; row++) {
        if (d->alive[row]) {
            put(d, row);
        }
    }
    return 0;
}

static size_t place_of(const Delta *d, int64_t id)
{
    const size_t mask = d->map_size - 1;
    size_t at = id_hash(id) & mask;
    while (d->map[at] != NO_ROW && d->ids[d->map[at]] != id) {
        at = (at + 1) & mask;
    }
    return at;
}

uint32_t delta_find(const Delta *d, int64_t id)
{
    return d->map_size ? d->map[place_of(d, id)] : NO_ROW;
}

int delta_add(Delta *d, int64_t id, const Code *code)
{
    if (grow_rows(d) < 0 || grow_map(d) < 0) {
        return -1;
    }
    d->codes[d->rows] = *code;
    d->ids[d->rows] = id;
    d->alive[d->rows] = 1;
    put(d, d->rows);
    d->rows++;
    d->living++;
    return 0;
}

void delta_remove(Delta *d, uint32_t row)
{
    const size_t mask = d->map_size - 1;
    size_t hole = place_of(d, d->ids[row]);
    /* Close the gap: entries after it that may lie nearer to their own place move up. */
    for (size_t at = (hole + 1) & mask; d->map[at] != NO_ROW; at = (at + 1) & mask) {
        const size_t home = id_hash(d->ids[d->map[at]]) & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            d->map[hole] = d->map[at];
            hole = at;
        }
    }
    d->map[hole] = NO_ROW;
    d->alive[row] = 0;
    d->living--;
    wipe(&d->codes[row], sizeof d->codes[row]);
}

void delta_clear(Delta *d)
{
    wipe(d->codes, d->rows * sizeof *d->codes);
    free(d->codes);
    free(d->ids);
    free(d->alive);
    free(d->map);
    memset(d, 0, sizeof *d);
}
