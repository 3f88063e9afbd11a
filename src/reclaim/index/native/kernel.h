/* The search among 256-bit codes: what the files of this folder share.
 *
 * A code is four 64-bit words of little-endian bytes; bit i is bit i % 64 of word i / 64. A *segment* holds many codes
 * and does not change but for removals: its codes, their ids, a hash table from id to row and, when it is large, bands.
 * A *band* is a run of bits with the rows sorted by it into buckets. The *delta* holds what was added since.
 */
#ifndef RECLAIM_INDEX_KERNEL_H
#define RECLAIM_INDEX_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || UINTPTR_MAX != UINT64_MAX
#error "The index needs a 64-bit little-endian machine: its codes are little-endian words, its files are mapped whole"
#endif

enum {
    CODE_BYTES = 32,
    MAX_RADIUS = 64,
    BANDS = 16,             /* of 16 bits each: band b is bits 16 b to 16 b + 15 */
    KEYS = 1 << 16,
    MAX_BAND_RADIUS = 3,
    MAX_PROBES = 1 + 16 + 120 + 560, /* of one band: MAX_BAND_RADIUS of its bits */
    CHUNK = 1024, /* codes that are looked at between two looks at their distances */
    CANDIDATES = 4096,
    LINE = 32 /* entries of two bytes in a cache line */
};

#define NO_ROW UINT32_MAX
#define MAX_ROWS (UINT32_MAX - 1)

typedef struct {
    uint64_t w[4];
} Code;

typedef struct {
    uint32_t query;
    uint32_t distance;
    int64_t id;
} Hit;

typedef struct {
    Hit *items;
    size_t count, capacity;
    int failed; /* memory ran out; what is there is then not the whole answer */
} Hits;

int hits_push(Hits *hits, uint32_t query, uint32_t distance, int64_t id);
void hits_sort(Hits *hits);
void hits_distinct(Hits *hits);

/* ---- bands ---- */

/* The rows sorted by 16 of their bits. Beside each row lie the bits of the next band and, in MODE_FAST, of the one
 * after it; the last band is followed by the first. */
typedef struct {
    const uint32_t *offsets; /* KEYS + 1: where each key's entries begin */
    const uint16_t *next;    /* n, by key */
    const uint16_t *after;   /* n, by key, or NULL */
    const uint8_t *rows;     /* n of row_bytes each, by key; all ones where a code was removed and wiped */
    double mean;             /* entries in the bucket of a code like those held */
} Band;

static inline uint32_t band_after(uint32_t band, uint32_t steps)
{
    return (band + steps) % BANDS;
}

static inline uint16_t band_of(const Code *code, uint32_t band)
{
    return (uint16_t)(code->w[band / 4] >> (16 * (band % 4)));
}

/* All 16-bit numbers by how many bits they have, from none up, and how many there are up to a radius (-1: none). */
const uint16_t *band_masks(void);
uint32_t band_probes(int radius);
void masks_init(void);

/* ---- scans: the same three functions for each kind of processor ---- */

/* A bucket that a query asks for, and what its entries' next band should be near to. */
typedef struct {
    uint16_t key, wanted;
    uint32_t query;
} Probe;

/* An entry that may be near: its place in the band, and how far its key is from the query's. */
typedef struct {
    uint32_t at, query;
    uint8_t band, distance;
} Candidate;

typedef struct {
    uint32_t count;
    Candidate items[CANDIDATES];
} Candidates;

typedef struct {
    uint32_t band;
    uint16_t flip; /* what each probe's key is combined with */
    uint8_t distance; /* of the bucket from the query */
    int bound; /* bits in which the next band may differ */
    uint32_t fullest; /* entries of one bucket that are looked at, the first ones */
} Sweep;

/* Looks through the bucket of each probe; where `out` is full before the end, `*done` and `*at` say where to go on. */
typedef int (*Scan)(const Band *band, const Sweep *sweep, const Probe *probes, uint32_t count, uint32_t *done,
                    uint32_t *at, Candidates *out);
/* Where in [start, end), at most CHUNK long, a code differs from `wanted` in at most `bound` bits. */
typedef size_t (*ScanCodes)(const Code *codes, uint32_t start, uint32_t end, const Code *wanted, int bound,
                            uint32_t *out);

typedef struct {
    const char *name;
    Scan scan_fetched, scan_cached;
    ScanCodes scan_codes;
    unsigned (*distance)(const Code *a, const Code *b);
} Kernel;

size_t kernels_here(const Kernel **out, size_t room); /* those this processor can run, fastest first */

/* ---- segment ---- */

typedef enum { MODE_FAST = 0, MODE_COMPACT = 1 } Mode;

/* The first page of a snapshot, and what describes an arena in memory. Where the parts lie follows from it. */
typedef struct {
    char magic[8];
    uint32_t version, mode;
    uint64_t size; /* of the whole arena with this header */
    uint64_t rows;
    uint64_t body_sum; /* of everything after this page */
    uint64_t identity; /* of this snapshot, for the log that belongs to it */
    uint64_t header_sum; /* of the page, this field taken as none */
} Header;

enum { HEADER_BYTES = 4096 };

typedef enum {
    PIN_NONE,
    PIN_READING, /* somebody reads the arena without a lock: what is removed meanwhile is wiped afterwards */
    PIN_WIPING   /* that is being done; what is removed from now on is wiped at once */
} Pin;

typedef struct {
    uint8_t *arena;
    size_t size;
    int mapped; /* a read-only file: nothing in the arena may be written */
    Pin pinned;
    uint32_t n, dead;
    uint32_t row_bytes; /* 3 or 4 */
    uint32_t map_size;
    Code *codes;
    int64_t *ids;
    uint32_t *map; /* row, NO_ROW for none; linear probing */
    uint64_t *alive;
    uint32_t bands; /* BANDS, or none in a small segment */
    Band band[BANDS];
} Segment;

Segment *segment_new(uint32_t n, Mode mode);       /* NULL: no memory */
uint64_t segment_bytes(uint32_t n, Mode mode);     /* what one takes in memory */
int header_fits(const Header *h);                  /* whether its size is that of so many rows in that mode */
int segment_attach(Segment *s); /* point into the arena, whose header is sound; 0, or -1: no memory */
void band_mean(Band *band);
void *segment_scratch(uint32_t n); /* what building the bands works in, or NULL: no memory */
void segment_scratch_free(void *scratch, uint32_t n);
void segment_build_band(Segment *s, uint32_t band, void *scratch);
uint32_t segment_build_map(Segment *s); /* the row of an id that is there twice, or NO_ROW */
void segment_free(Segment *s);
uint32_t segment_find(const Segment *s, int64_t id); /* a living row or NO_ROW */
void segment_remove(Segment *s, uint32_t row);
size_t segment_wipe(Segment *s, uint32_t row); /* one that was removed; how many entries were looked at for it */
uint64_t checksum(const void *data, size_t size);

/* Reasons a file is refused. */
typedef enum { FILE_OK, FILE_SYSTEM, FILE_FOREIGN, FILE_VERSION, FILE_TRUNCATED, FILE_DAMAGED, FILE_NO_MEMORY } FileFault;
void segment_first_page(const Segment *s, uint64_t identity, uint8_t page[HEADER_BYTES]); /* with its sums */
Segment *segment_open(int fd, int in_memory, FileFault *fault);

static inline int is_alive(const Segment *s, uint32_t row)
{
    return (int)(s->alive[row >> 6] >> (row & 63) & 1);
}

static inline uint32_t row_at(const Segment *s, const Band *band, uint32_t at)
{
    uint32_t row;
    memcpy(&row, band->rows + (size_t)at * s->row_bytes, sizeof row);
    return s->row_bytes == 4 ? row : row & 0xffffff;
}

static inline uint64_t id_hash(int64_t id)
{
    uint64_t x = (uint64_t)id;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* ---- delta ---- */

typedef struct {
    Code *codes;
    int64_t *ids;
    uint8_t *alive;
    uint32_t rows, living;
    size_t capacity;
    uint32_t *map; /* as in a segment, but entries go away again */
    size_t map_size;
} Delta;

void wipe(void *p, size_t size); /* zeros that the compiler leaves in */
uint32_t delta_find(const Delta *d, int64_t id);
int delta_reserve(Delta *d, size_t more); /* room for so many more at once; 0 or -1 as for delta_add */
void delta_fetch(const Delta *d, int64_t id); /* what finding or adding this id will need */
int delta_add(Delta *d, int64_t id, const Code *code); /* 0, or -1: no memory or too many rows */
void delta_remove(Delta *d, uint32_t row);
void delta_clear(Delta *d);

/* ---- search ---- */

typedef struct {
    int banded;     /* 0: every code is looked at */
    double cost_ns; /* a query, as the cost model has it */
    double banded_ns, brute_ns;
    int8_t radius[BANDS]; /* how near a bucket's key must be; -1 leaves the band out */
} Plan;

typedef enum { CHOOSE, ALWAYS_BRUTE, ALWAYS_BANDS } Choice;

/* What bounds a search among codes that crowd together. It then misses some, of those that crowd the ones that were put
 * in last. */
typedef struct {
    uint32_t fullest; /* entries of one bucket that are looked at, the first ones */
    uint32_t looks;   /* codes that one band leads to and that are looked at in full, at most LOOKS_MOST */
    uint32_t *left;   /* by query: what may still be found without bands; NULL: the search is exact */
} Limits;

enum { LOOKS_MOST = CANDIDATES - 2 * LINE };

static const Limits EXACT = {UINT32_MAX, UINT32_MAX, NULL};

Plan plan_for(const Segment *s, int radius, size_t queries, Choice choice);
void search_segment(const Segment *s, const Kernel *k, const Code *queries, uint32_t count, int radius, Choice choice,
                    Limits limits, Hits *hits);
void search_batch(const Segment *s, const Kernel *k, const Code *queries, uint32_t count, int radius,
                  const int8_t radius_of[BANDS], Hits *hits);
void search_delta(const Delta *d, const Kernel *k, const Code *queries, uint32_t count, int radius, Limits limits,
                  Hits *hits);

/* One search through the bands, and its candidates on their way to be looked at in full. */
typedef struct {
    const Segment *s;
    const Kernel *k;
    const Code *queries;
    const int8_t *radius_of; /* each band's */
    int radius;
    Limits limits;
    Hits *hits;
    Candidates candidates;
} Search;

int bound_after(const int8_t radius_of[BANDS], uint32_t band, uint32_t steps);
void look_through(Search *search, Scan scan, const Sweep *sweep, const Probe *probes, uint32_t count);
void check_candidates(Search *search);

#endif
