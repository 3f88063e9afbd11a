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

static int grow_rows(Delta *d, size_t rows)
{
    if (rows <= d->capacity) {
        return 0;
    }
    const size_t more = d->capacity + d->capacity / 2 + 64;
    const size_t capacity = rows > more ? rows : more;
    Code *codes = malloc(capacity * sizeof *codes);
    int64_t *ids = malloc(capacity * sizeof *ids);
    uint8_t *alive = malloc(capacity);
    if (rows > MAX_ROWS || codes == NULL || ids == NULL || alive == NULL) {
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

static int grow_map(Delta *d, size_t living)
{
    size_t size = d->map_size ? d->map_size : 128;
    while (living * 3 > size * 2) {
        size *= 2;
    }
    if (size == d->map_size) {
        return 0;
    }
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

int delta_reserve(Delta *d, size_t more)
{
    return grow_rows(d, d->rows + more) < 0 ? -1 : grow_map(d, d->living + more);
}

void delta_fetch(const Delta *d, int64_t id)
{
    if (d->map_size) {
        __builtin_prefetch(&d->map[id_hash(id) & (d->map_size - 1)], 1);
    }
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
    if (delta_reserve(d, 1) < 0) {
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
