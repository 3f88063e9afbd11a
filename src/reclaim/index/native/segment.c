/* A segment in memory: its layout, its bands, its table of ids, removal. */
#define _GNU_SOURCE
#include "kernel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    BANDED_FROM = 8192,    /* below, looking at every code is faster than the bands' thousands of buckets */
    PARTS = 256,           /* a band is sorted by its high byte, then each part by its low one, to work within a cache */
    OVERRUN = 64,          /* a scan may read so far beyond the end of an array */
    SHORT_ROWS = 0xffffff  /* from here on a row takes four bytes instead of three */
};

static const uint64_t HUGE = UINT64_C(2) << 20;

static uint64_t aligned(uint64_t at)
{
    return (at + 63) & ~UINT64_C(63);
}

/* Where each part lies, from the arena's start. */
typedef struct {
    uint64_t codes, ids, map, offsets[BANDS], next[BANDS], after[BANDS], rows[BANDS], size;
    uint32_t map_size, row_bytes, bands;
} Layout;

static Layout layout_of(uint32_t n, Mode mode)
{
    Layout l;
    memset(&l, 0, sizeof l);
    l.map_size = (uint32_t)((uint64_t)n + n / 4 + 8 < UINT32_MAX ? n + n / 4 + 8 : UINT32_MAX);
    l.row_bytes = n < SHORT_ROWS ? 3 : 4;
    l.bands = n >= BANDED_FROM ? BANDS : 0;
    uint64_t at = HEADER_BYTES;
    l.codes = at;
    at = aligned(at + (uint64_t)n * sizeof(Code));
    l.ids = at;
    at = aligned(at + (uint64_t)n * sizeof(int64_t));
    l.map = at;
    at = aligned(at + (uint64_t)l.map_size * sizeof(uint32_t));
    for (uint32_t b = 0; b < l.bands; b++) {
        l.offsets[b] = at;
        at = aligned(at + (KEYS + 1) * sizeof(uint32_t));
        l.next[b] = at;
        at = aligned(at + (uint64_t)n * sizeof(uint16_t));
        l.after[b] = at;
        at = aligned(at + (mode == MODE_FAST ? (uint64_t)n * sizeof(uint16_t) : 0));
        l.rows[b] = at;
        at = aligned(at + (uint64_t)n * l.row_bytes);
    }
    l.size = at + OVERRUN;
    return l;
}

uint64_t segment_bytes(uint32_t n, Mode mode)
{
    return layout_of(n, mode).size + ((uint64_t)n + 63) / 64 * 8;
}

int header_fits(const Header *h)
{
    return h->rows <= MAX_ROWS && h->mode <= MODE_COMPACT && h->size == layout_of((uint32_t)h->rows, (Mode)h->mode).size;
}

static void *huge_pages(size_t size)
{
    const size_t room = size + HUGE;
    uint8_t *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }
    const size_t before = (HUGE - (uintptr_t)p % HUGE) % HUGE;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t used = (size + page - 1) / page * page;
    if (before) {
        munmap(p, before);
    }
    munmap(p + before + used, room - before - used);
#ifdef MADV_HUGEPAGE
    if (size >= HUGE) {
        madvise(p + before, used, MADV_HUGEPAGE); /* without it, slower and as right */
    }
#endif
    return p + before;
}


int segment_attach(Segment *s)
{
    const Header *h = (const Header *)(const void *)s->arena;
    const Layout l = layout_of((uint32_t)h->rows, (Mode)h->mode);
    s->n = (uint32_t)h->rows;
    s->row_bytes = l.row_bytes;
    s->map_size = l.map_size;
    s->codes = (Code *)(void *)(s->arena + l.codes);
    s->ids = (int64_t *)(void *)(s->arena + l.ids);
    s->map = (uint32_t *)(void *)(s->arena + l.map);
    s->bands = l.bands;
    for (uint32_t b = 0; b < s->bands; b++) {
        Band *band = &s->band[b];
        band->offsets = (const uint32_t *)(const void *)(s->arena + l.offsets[b]);
        band->next = (const uint16_t *)(const void *)(s->arena + l.next[b]);
        band->after = h->mode == MODE_FAST ? (const uint16_t *)(const void *)(s->arena + l.after[b]) : NULL;
        band->rows = s->arena + l.rows[b];
    }
    const size_t words = ((size_t)s->n + 63) / 64 + 1;
    s->alive = malloc(words * sizeof *s->alive);
    if (s->alive == NULL) {
        return -1;
    }
    memset(s->alive, 0xff, words * sizeof *s->alive);
    return 0;
}

Segment *segment_new(uint32_t n, Mode mode)
{
    Segment *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->size = layout_of(n, mode).size;
    s->arena = huge_pages(s->size);
    if (s->arena == NULL) {
        free(s);
        return NULL;
    }
    Header *h = (Header *)(void *)s->arena;
    h->mode = (uint32_t)mode;
    h->size = s->size;
    h->rows = n;
    if (segment_attach(s) < 0) {
        segment_free(s);
        return NULL;
    }
    return s;
}

void segment_free(Segment *s)
{
    if (s != NULL) {
        munmap(s->arena, s->size);
        free(s->alive);
        free(s);
    }
}

void band_mean(Band *band)
{
    double squares = 0, count = 0;
    for (uint32_t key = 0; key < KEYS; key++) {
        const double here = band->offsets[key + 1] - band->offsets[key];
        squares += here * here;
        count += here;
    }
    band->mean = count > 0 ? squares / count : 0;
}

typedef struct {
    uint32_t row;
    uint16_t key, next, after;
} Entry;

static void put_row(const Segment *s, const Band *band, uint32_t at, uint32_t row)
{
    memcpy((uint8_t *)(uintptr_t)band->rows + (size_t)at * s->row_bytes, &row, s->row_bytes); /* its low bytes */
}

/* Entries by the high byte of their key; part[p] to part[p + 1] have the high byte p. */
static void sort_high(const Segment *s, uint32_t index, Entry *entries, uint32_t part[PARTS + 1])
{
    const uint32_t next = band_after(index, 1), after = band_after(index, 2);
    uint32_t cursor[PARTS];
    memset(part, 0, (PARTS + 1) * sizeof *part);
    for (uint32_t row = 0; row < s->n; row++) {
        part[(band_of(&s->codes[row], index) >> 8) + 1]++;
    }
    for (uint32_t p = 0; p < PARTS; p++) {
        part[p + 1] += part[p];
        cursor[p] = part[p];
    }
    for (uint32_t row = 0; row < s->n; row++) {
        const Code *code = &s->codes[row];
        const uint16_t key = band_of(code, index);
        const Entry entry = {row, key, band_of(code, next), band_of(code, after)};
        entries[cursor[key >> 8]++] = entry;
    }
}

void *segment_scratch(uint32_t n)
{
    return huge_pages((size_t)n * sizeof(Entry) + 1);
}

void segment_scratch_free(void *scratch, uint32_t n)
{
    if (scratch != NULL) {
        munmap(scratch, (size_t)n * sizeof(Entry) + 1);
    }
}

void segment_build_band(Segment *s, uint32_t index, void *scratch)
{
    Band *band = &s->band[index];
    uint32_t *offsets = (uint32_t *)(uintptr_t)band->offsets;
    uint16_t *next = (uint16_t *)(uintptr_t)band->next;
    uint16_t *after = (uint16_t *)(uintptr_t)band->after;
    uint32_t part[PARTS + 1];
    Entry *entries = scratch;
    sort_high(s, index, entries, part);
    for (uint32_t p = 0; p < PARTS; p++) {
        uint32_t cursor[PARTS] = {0};
        uint32_t at = part[p];
        for (uint32_t i = part[p]; i < part[p + 1]; i++) {
            cursor[entries[i].key & 255]++;
        }
        for (uint32_t low = 0; low < PARTS; low++) {
            const uint32_t count = cursor[low];
            offsets[p << 8 | low] = cursor[low] = at;
            at += count;
        }
        for (uint32_t i = part[p]; i < part[p + 1]; i++) {
            const Entry *entry = &entries[i];
            const uint32_t to = cursor[entry->key & 255]++;
            next[to] = entry->next;
            if (after != NULL) {
                after[to] = entry->after;
            }
            put_row(s, band, to, entry->row);
        }
    }
    offsets[KEYS] = s->n;
    band_mean(band);
}

static uint32_t map_start(const Segment *s, int64_t id)
{
    return (uint32_t)(((id_hash(id) >> 32) * s->map_size) >> 32);
}

static uint32_t map_next(const Segment *s, uint32_t at)
{
    return at + 1 == s->map_size ? 0 : at + 1;
}

uint32_t segment_build_map(Segment *s)
{
    enum { AHEAD = 16 };
    memset(s->map, 0xff, (size_t)s->map_size * sizeof *s->map);
    for (uint32_t row = 0; row < s->n; row++) {
        if (row + AHEAD < s->n) {
            __builtin_prefetch(&s->map[map_start(s, s->ids[row + AHEAD])], 1);
        }
        uint32_t at = map_start(s, s->ids[row]);
        while (s->map[at] != NO_ROW) {
            if (s->ids[s->map[at]] == s->ids[row]) {
                return row;
            }
            at = map_next(s, at);
        }
        s->map[at] = row;
    }
    return NO_ROW;
}

uint32_t segment_find(const Segment *s, int64_t id)
{
    uint32_t at = map_start(s, id);
    /* A file may be made to have no free place: the number of steps is bounded too. */
    for (uint32_t step = 0; step < s->map_size && s->map[at] != NO_ROW; step++) {
        const uint32_t row = s->map[at];
        if (row < s->n && s->ids[row] == id) {
            return is_alive(s, row) ? row : NO_ROW;
        }
        at = map_next(s, at);
    }
    return NO_ROW;
}

/* Wiped, not only forgotten: a removed code must not stay in memory. A mapped file keeps it until the next one. */
void segment_remove(Segment *s, uint32_t row)
{
    s->alive[row >> 6] &= ~(UINT64_C(1) << (row & 63));
    s->dead++;
    if (!s->mapped && s->pinned != PIN_READING) {
        segment_wipe(s, row);
    }
}

size_t segment_wipe(Segment *s, uint32_t row)
{
    size_t seen = 0;
    for (uint32_t b = 0; b < s->bands; b++) {
        Band *band = &s->band[b];
        const uint32_t key = band_of(&s->codes[row], b);
        seen += band->offsets[key + 1] - band->offsets[key];
        for (uint32_t i = band->offsets[key]; i < band->offsets[key + 1]; i++) {
            if (row_at(s, band, i) == row) {
                put_row(s, band, i, NO_ROW);
                ((uint16_t *)(uintptr_t)band->next)[i] = 0;
                if (band->after != NULL) {
                    ((uint16_t *)(uintptr_t)band->after)[i] = 0;
                }
                break;
            }
        }
    }
    memset(&s->codes[row], 0, sizeof s->codes[row]);
    return seen + 1;
}
