/* A segment in memory: its layout, its bands, its table of ids, removal. */
#define _GNU_SOURCE
#include "kernel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    BANDED_FROM = 16384,    /* below, looking at every code is faster than the bands' thousands of buckets */
    WIDE_FROM = 8000000,    /* compact: from here on fewer, wider bands */
    PARTS = 256,            /* a band is sorted in two steps so that each works within a core's cache */
    PART_BITS = 8
};

static const uint64_t HUGE = UINT64_C(2) << 20;

static uint64_t aligned(uint64_t at)
{
    return (at + 63) & ~UINT64_C(63);
}

/* Sixteen bands of sixteen bits. A candidate that band b brings has been passed over by every earlier band, so it
 * differs there by more than those bands' radius; the later the band, the less is left for the inline part, and the
 * fewer bits of it tell a near code from a far one. */
static void fast_bands(Header *h)
{
    h->bands = 16;
    for (uint32_t b = 0; b < 16; b++) {
        h->band[b].start = 16 * b;
        h->band[b].width = 16;
        h->band[b].inline_start = 16 * ((b + 1) % 16);
        h->band[b].inline_bits = b < 4 ? INLINE_128 : b < 11 ? INLINE_64 : INLINE_32;
    }
}

/* Rows only: every candidate's code is fetched, so a large bank takes wider bands, which bring fewer of them. */
static void compact_bands(Header *h, uint32_t n)
{
    const uint32_t bands = n < WIDE_FROM ? 16 : 12;
    uint32_t start = 0;
    h->bands = bands;
    for (uint32_t b = 0; b < bands; b++) {
        h->band[b].start = start;
        h->band[b].width = 256 / bands + (b < 256 % bands);
        start += h->band[b].width;
    }
}

static void lay_out(Header *h, uint32_t n, Mode mode)
{
    memset(h, 0, sizeof *h);
    h->mode = (uint32_t)mode;
    h->rows = n;
    h->map_bits = 3;
    while ((UINT64_C(4) << h->map_bits) < UINT64_C(5) * n) {
        h->map_bits++;
    }
    uint64_t at = HEADER_BYTES;
    h->codes_at = at;
    at = aligned(at + (uint64_t)n * sizeof(Code));
    h->ids_at = at;
    at = aligned(at + (uint64_t)n * sizeof(int64_t));
    h->map_at = at;
    at = aligned(at + (UINT64_C(1) << h->map_bits) * sizeof(uint32_t));
    if (n >= BANDED_FROM) {
        if (mode == MODE_FAST) {
            fast_bands(h);
        } else {
            compact_bands(h, n);
        }
    }
    for (uint32_t b = 0; b < h->bands; b++) {
        BandLayout *band = &h->band[b];
        band->offsets_at = at;
        at = aligned(at + ((UINT64_C(1) << band->width) + 1) * sizeof(uint32_t));
        band->rows_at = at;
        at = aligned(at + (uint64_t)n * sizeof(uint32_t));
        band->inlined_at = at;
        at = aligned(at + (uint64_t)n * (band->inline_bits / 8));
    }
    h->size = at;
}

uint64_t segment_bytes(uint32_t n, Mode mode)
{
    Header header;
    lay_out(&header, n, mode);
    return header.size + ((uint64_t)n + 63) / 64 * 8;
}

static void *huge_pages(size_t size)
{
    const size_t room = size + HUGE;
    uint8_t *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }
    const size_t before = (HUGE - (uintptr_t)p % HUGE) % HUGE;
    const size_t page = 4096;
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
    s->n = (uint32_t)h->rows;
    s->map_mask = (uint32_t)((UINT64_C(1) << h->map_bits) - 1);
    s->codes = (Code *)(void *)(s->arena + h->codes_at);
    s->ids = (int64_t *)(void *)(s->arena + h->ids_at);
    s->map = (uint32_t *)(void *)(s->arena + h->map_at);
    s->bands = h->bands;
    for (uint32_t b = 0; b < s->bands; b++) {
        const BandLayout *from = &h->band[b];
        Band *band = &s->band[b];
        band->start = from->start;
        band->width = from->width;
        band->inline_start = from->inline_start;
        band->inline_bits = from->inline_bits;
        band->offsets = (const uint32_t *)(const void *)(s->arena + from->offsets_at);
        band->rows = (const uint32_t *)(const void *)(s->arena + from->rows_at);
        band->inlined = s->arena + from->inlined_at;
        for (uint32_t i = 0; i < band->inline_bits; i++) {
            const uint32_t bit = (band->inline_start + i) % 256;
            for (uint32_t e = 0; e < s->bands; e++) {
                if (bit >= h->band[e].start && bit < h->band[e].start + h->band[e].width) {
                    band->inlined_bands |= 1u << e;
                }
            }
        }
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
    Header header;
    Segment *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    lay_out(&header, n, mode);
    s->size = header.size;
    s->arena = huge_pages(s->size);
    if (s->arena == NULL) {
        free(s);
        return NULL;
    }
    memcpy(s->arena, &header, sizeof header);
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

uint64_t code_bits(const Code *code, uint32_t start, uint32_t length)
{
    const uint32_t word = start / 64, shift = start % 64;
    uint64_t bits = code->w[word % 4] >> shift;
    if (shift) {
        bits |= code->w[(word + 1) % 4] << (64 - shift);
    }
    return length == 64 ? bits : bits & ((UINT64_C(1) << length) - 1);
}

typedef struct {
    uint32_t key, row;
    uint64_t inlined[2];
} Entry;

static void put_inlined(uint8_t *to, const uint64_t inlined[2], uint32_t bits)
{
    memcpy(to, inlined, bits / 8); /* the low bytes: words are little-endian */
}

void band_mean(Band *band)
{
    double squares = 0, count = 0;
    for (uint32_t key = 0; key < UINT32_C(1) << band->width; key++) {
        const double here = band->offsets[key + 1] - band->offsets[key];
        squares += here * here;
        count += here;
    }
    band->mean = count > 0 ? squares / count : 0;
}

int segment_build_band(Segment *s, uint32_t index)
{
    Band *band = &s->band[index];
    const uint32_t keys = UINT32_C(1) << band->width;
    const uint32_t low = band->width - PART_BITS;
    uint32_t *offsets = (uint32_t *)(uintptr_t)band->offsets;
    uint32_t *rows = (uint32_t *)(uintptr_t)band->rows;
    uint8_t *inlined = (uint8_t *)(uintptr_t)band->inlined;
    const size_t bytes = band->inline_bits / 8;
    uint32_t next[PARTS];
    const size_t room = (size_t)s->n * sizeof(Entry) + 1;
    Entry *entries = huge_pages(room);
    uint32_t *cursor = malloc(((size_t)1 << low) * sizeof *cursor);
    if (entries == NULL || cursor == NULL) {
        if (entries != NULL) {
            munmap(entries, room);
        }
        free(cursor);
        return -1;
    }
    memset(offsets, 0, ((size_t)keys + 1) * sizeof *offsets);
    for (uint32_t row = 0; row < s->n; row++) {
        offsets[code_bits(&s->codes[row], band->start, band->width) + 1]++;
    }
    for (uint32_t key = 0; key < keys; key++) {
        offsets[key + 1] += offsets[key];
    }
    for (uint32_t part = 0; part < PARTS; part++) {
        next[part] = offsets[part << low];
    }
    for (uint32_t row = 0; row < s->n; row++) {
        const Code *code = &s->codes[row];
        const uint32_t key = (uint32_t)code_bits(code, band->start, band->width);
        Entry *entry = &entries[next[key >> low]++];
        entry->key = key;
        entry->row = row;
        entry->inlined[0] = code_bits(code, band->inline_start, 64);
        entry->inlined[1] = code_bits(code, band->inline_start + 64, 64);
    }
    for (uint32_t part = 0; part < PARTS; part++) {
        const uint32_t first = part << low;
        memcpy(cursor, offsets + first, ((size_t)1 << low) * sizeof *cursor);
        for (uint32_t i = offsets[first]; i < offsets[first + (UINT32_C(1) << low)]; i++) {
            const uint32_t to = cursor[entries[i].key - first]++;
            rows[to] = entries[i].row;
            put_inlined(inlined + to * bytes, entries[i].inlined, band->inline_bits);
        }
    }
    munmap(entries, room);
    free(cursor);
    band_mean(band);
    return 0;
}

void segment_build_map(Segment *s)
{
    enum { AHEAD = 16 };
    memset(s->map, 0xff, ((size_t)s->map_mask + 1) * sizeof *s->map);
    for (uint32_t row = 0; row < s->n; row++) {
        if (row + AHEAD < s->n) {
            __builtin_prefetch(&s->map[id_hash(s->ids[row + AHEAD]) & s->map_mask], 1);
        }
        uint32_t at = (uint32_t)id_hash(s->ids[row]) & s->map_mask;
        while (s->map[at] != NO_ROW) {
            at = (at + 1) & s->map_mask;
        }
        s->map[at] = row;
    }
}

uint32_t segment_find(const Segment *s, int64_t id)
{
    uint32_t at = (uint32_t)id_hash(id) & s->map_mask;
    /* A file may be made to have no free place: the number of steps is bounded too. */
    for (uint32_t step = 0; step <= s->map_mask && s->map[at] != NO_ROW; step++) {
        const uint32_t row = s->map[at];
        if (row < s->n && s->ids[row] == id) {
            return is_alive(s, row) ? row : NO_ROW;
        }
        at = (at + 1) & s->map_mask;
    }
    return NO_ROW;
}

/* Wiped, not only forgotten: a removed code must not stay in memory. A mapped file keeps it until the next one. */
void segment_remove(Segment *s, uint32_t row)
{
    s->alive[row >> 6] &= ~(UINT64_C(1) << (row & 63));
    s->dead++;
    if (s->mapped) {
        return;
    }
    const uint64_t nothing[2] = {0, 0};
    for (uint32_t b = 0; b < s->bands; b++) {
        Band *band = &s->band[b];
        const uint32_t key = (uint32_t)code_bits(&s->codes[row], band->start, band->width);
        uint32_t *rows = (uint32_t *)(uintptr_t)band->rows;
        uint8_t *inlined = (uint8_t *)(uintptr_t)band->inlined;
        for (uint32_t i = band->offsets[key]; i < band->offsets[key + 1]; i++) {
            if (rows[i] == row) {
                rows[i] = NO_ROW;
                put_inlined(inlined + (size_t)i * (band->inline_bits / 8), nothing, band->inline_bits);
                break;
            }
        }
    }
    memset(&s->codes[row], 0, sizeof s->codes[row]);
}
