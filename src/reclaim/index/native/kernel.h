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

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "The index keeps its codes as little-endian words; this machine is big-endian"
#endif

enum {
    CODE_BYTES = 32,
    MAX_RADIUS = 64,
    MAX_BANDS = 16,
    MAX_BAND_RADIUS = 3,
    MAX_WIDTH = 24,
    MAX_PROBES = 1 + 24 + 276 + 2024, /* of one band: MAX_BAND_RADIUS bits of MAX_WIDTH */
    CHUNK = 1024 /* entries one call of a scan looks at, and so the most it can answer with */
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

/* ---- scans: the same four functions for each kind of processor ---- */

/* Where in [start, end), at most CHUNK long, an entry's inline part differs from `wanted` in at most `bound` bits. */
typedef size_t (*Scan)(const void *entries, uint32_t start, uint32_t end, const uint64_t wanted[2], int bound,
                       uint32_t *out);
typedef size_t (*ScanCodes)(const Code *codes, uint32_t start, uint32_t end, const Code *wanted, int bound,
                            uint32_t *out);

typedef struct {
    const char *name;
    Scan scan32, scan64, scan128;
    ScanCodes scan_codes;
    unsigned (*distance)(const Code *a, const Code *b);
} Kernel;

size_t kernels_here(const Kernel **out, size_t room); /* those this processor can run, fastest first */

/* ---- bands ---- */

typedef enum { INLINE_NONE = 0, INLINE_32 = 32, INLINE_64 = 64, INLINE_128 = 128 } Inline;

typedef struct {
    uint32_t start, width;         /* the bits that make the key */
    uint32_t inline_start, inline_bits; /* the bits held beside each row, cyclic */
    const uint32_t *offsets;       /* 2^width + 1 */
    const uint32_t *rows;          /* n, by key; NO_ROW where a code was removed and wiped */
    const void *inlined;           /* n times inline_bits / 8 bytes */
    double mean;                   /* entries in the bucket of a code like those held */
    uint32_t inlined_bands;        /* bit b: band b lies wholly or partly in the inline part */
} Band;

uint64_t code_bits(const Code *code, uint32_t start, uint32_t length); /* length 1 to 64, cyclic */
const uint32_t *band_masks(uint32_t width, int radius, uint32_t *count); /* by number of bits, from none up */
uint32_t band_probes(uint32_t width, int radius);
int masks_init(void);

/* ---- segment ---- */

typedef enum { MODE_FAST = 0, MODE_COMPACT = 1 } Mode;

typedef struct {
    uint32_t start, width, inline_start, inline_bits;
    uint64_t offsets_at, rows_at, inlined_at;
} BandLayout;

/* The first page of a snapshot, and what describes an arena in memory. Offsets are from the arena's start. */
typedef struct {
    char magic[8];
    uint32_t version, mode;
    uint64_t size; /* of the whole arena with this header */
    uint64_t rows;
    uint32_t map_bits, bands;
    uint64_t codes_at, ids_at, map_at;
    BandLayout band[MAX_BANDS];
    uint64_t body_sum; /* of everything after this page */
    uint64_t identity; /* of this snapshot, for the log that belongs to it */
    uint64_t header_sum; /* of everything before it */
} Header;

enum { HEADER_BYTES = 4096 };

typedef struct {
    uint8_t *arena;
    size_t size;
    int mapped; /* a read-only file: nothing in the arena may be written */
    uint32_t n, dead;
    uint32_t map_mask;
    Code *codes;
    int64_t *ids;
    uint32_t *map; /* row, NO_ROW for none; linear probing */
    uint64_t *alive;
    uint32_t bands;
    Band band[MAX_BANDS];
} Segment;

Segment *segment_new(uint32_t n, Mode mode);       /* NULL: no memory */
uint64_t segment_bytes(uint32_t n, Mode mode);    /* what one takes in memory */
int segment_attach(Segment *s); /* point into the arena, whose header is sound; 0, or -1: no memory */
void band_mean(Band *band);
int segment_build_band(Segment *s, uint32_t band); /* 0, or -1: no memory */
void segment_build_map(Segment *s);
void segment_free(Segment *s);
uint32_t segment_find(const Segment *s, int64_t id); /* a living row or NO_ROW */
void segment_remove(Segment *s, uint32_t row);
uint64_t checksum(const void *data, size_t size);

/* Reasons a file is refused. */
typedef enum { FILE_OK, FILE_SYSTEM, FILE_FOREIGN, FILE_VERSION, FILE_TRUNCATED, FILE_DAMAGED, FILE_NO_MEMORY } FileFault;
void segment_first_page(const Segment *s, uint64_t identity, uint8_t page[HEADER_BYTES]); /* with its sums */
Segment *segment_open(int fd, int in_memory, FileFault *fault);

static inline int is_alive(const Segment *s, uint32_t row)
{
    return (int)(s->alive[row >> 6] >> (row & 63) & 1);
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
int delta_add(Delta *d, int64_t id, const Code *code); /* 0, or -1: no memory or too many rows */
void delta_remove(Delta *d, uint32_t row);
void delta_clear(Delta *d);

/* ---- search ---- */

typedef struct {
    int banded;     /* 0: every code is looked at */
    double cost_ns; /* a query, as the cost model has it */
    double banded_ns, brute_ns;
    int8_t radius[MAX_BANDS];
} Plan;

typedef enum { CHOOSE, ALWAYS_BRUTE, ALWAYS_BANDS } Choice;

Plan plan_for(const Segment *s, int radius, size_t queries, Choice choice);
void search_segment(const Segment *s, const Kernel *k, const Code *queries, uint32_t count, int radius, Choice choice,
                    Hits *hits);
void search_batch(const Segment *s, const Kernel *k, const Code *queries, uint32_t count, int radius, const Plan *plan,
                  Hits *hits);
void search_delta(const Delta *d, const Kernel *k, const Code *queries, uint32_t count, int radius, Hits *hits);

/* Candidates on their way to be looked at in full, shared by the single and the batch search. */
typedef struct {
    const Segment *s;
    const Kernel *k;
    const Code *queries;
    const int8_t *radius_of; /* each band's */
    int radius;
    Hits *hits;
    uint32_t at[4 * CHUNK];
    uint32_t query[4 * CHUNK];
    size_t count;
} Pending;

void pending_scan(Pending *p, uint32_t band, uint32_t start, uint32_t end, const uint64_t wanted[2], int bound,
                  uint32_t query);
void pending_flush(Pending *p, uint32_t band);
int inline_bound(const Segment *s, const int8_t *radius_of, uint32_t band, int radius);

#endif
