/* A snapshot is a segment's arena as it stands, with its header filled in: opening one is mapping it.
 *
 * A file is refused unless every byte is as written: the two sums cover all of it. Then its structure is checked once,
 * so that no later search can be led outside the arena, whoever made the file.
 */
#define _GNU_SOURCE
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MAGIC[8] = {'R', 'C', 'L', 'M', 'I', 'D', 'X', '\n'};
enum { VERSION = 1 };

/* Each step is a bijection of its lane, so no change of a single word, and no single flipped bit, goes unseen. It tells
 * damage, not malice. */
static uint64_t mixed(uint64_t lane, uint64_t word)
{
    lane = (lane ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return lane << 29 | lane >> 35;
}

uint64_t checksum(const void *data, size_t size)
{
    const uint8_t *p = data;
    uint64_t lanes[4] = {1, 2, 3, 4};
    uint64_t words[4];
    size_t at = 0;
    for (; size - at >= sizeof words; at += sizeof words) {
        memcpy(words, p + at, sizeof words);
        for (int i = 0; i < 4; i++) {
            lanes[i] = mixed(lanes[i], words[i]);
        }
    }
    memset(words, 0, sizeof words);
    memcpy(words, p + at, size - at);
    for (int i = 0; i < 4; i++) {
        lanes[i] = mixed(lanes[i], words[i]);
    }
    uint64_t sum = mixed(5, size);
    for (int i = 0; i < 4; i++) {
        sum = mixed(sum, lanes[i]);
    }
    return sum;
}

static uint64_t header_sum(const uint8_t *arena)
{
    Header blank;
    memcpy(&blank, arena, sizeof blank);
    blank.header_sum = 0;
    return mixed(checksum(&blank, sizeof blank), checksum(arena + sizeof blank, HEADER_BYTES - sizeof blank));
}

void segment_first_page(const Segment *s, uint64_t identity, uint8_t page[HEADER_BYTES])
{
    Header h;
    memcpy(&h, s->arena, sizeof h);
    memcpy(h.magic, MAGIC, sizeof h.magic);
    h.version = VERSION;
    h.identity = identity;
    h.body_sum = checksum(s->arena + HEADER_BYTES, s->size - HEADER_BYTES);
    h.header_sum = 0;
    memset(page, 0, HEADER_BYTES);
    memcpy(page, &h, sizeof h);
    h.header_sum = header_sum(page);
    memcpy(page, &h, sizeof h);
}

static int band_is_sound(const Band *band, uint32_t n)
{
    int sound = band->offsets[0] == 0 && band->offsets[KEYS] == n;
    for (uint32_t key = 0; key < KEYS; key++) {
        sound &= band->offsets[key] <= band->offsets[key + 1];
    }
    return sound;
}

/* The whole file as memory of our own in huge pages, or the file itself, shared with whoever else maps it. */
static int take_in(Segment *s, int fd, int in_memory, FileFault *fault)
{
    if (!in_memory) {
        s->mapped = 1;
        s->arena = mmap(NULL, s->size, PROT_READ, MAP_SHARED, fd, 0);
        *fault = FILE_SYSTEM;
        return s->arena == MAP_FAILED ? -1 : 0;
    }
    s->arena = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s->arena == MAP_FAILED) {
        *fault = FILE_NO_MEMORY;
        return -1;
    }
#ifdef MADV_HUGEPAGE
    madvise(s->arena, s->size, MADV_HUGEPAGE);
#endif
    for (size_t at = 0; at < s->size;) {
        const ssize_t got = pread(fd, s->arena + at, s->size - at, (off_t)at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            *fault = got < 0 ? FILE_SYSTEM : FILE_TRUNCATED;
            munmap(s->arena, s->size);
            return -1;
        }
        at += (size_t)got;
    }
    return 0;
}

static FileFault first_page(int fd, uint64_t *size)
{
    struct stat about;
    union {
        Header header;
        uint8_t bytes[HEADER_BYTES];
    } page;
    if (fstat(fd, &about) < 0) {
        return FILE_SYSTEM;
    }
    const ssize_t got = pread(fd, &page, sizeof page, 0);
    if (got < 0) {
        return FILE_SYSTEM;
    }
    if ((size_t)got < sizeof MAGIC || memcmp(page.header.magic, MAGIC, sizeof MAGIC) != 0) {
        return FILE_FOREIGN;
    }
    if ((size_t)got < sizeof page) {
        return FILE_TRUNCATED;
    }
    if (page.header.header_sum != header_sum(page.bytes)) {
        return FILE_DAMAGED;
    }
    if (page.header.version != VERSION) {
        return FILE_VERSION;
    }
    *size = (uint64_t)about.st_size;
    if (*size < page.header.size) {
        return FILE_TRUNCATED;
    }
    return page.header.size == *size && header_fits(&page.header) ? FILE_OK : FILE_DAMAGED;
}

Segment *segment_open(int fd, int in_memory, FileFault *fault)
{
    uint64_t size = 0;
    *fault = first_page(fd, &size);
    if (*fault != FILE_OK) {
        return NULL;
    }
    Segment *s = calloc(1, sizeof *s);
    if (s == NULL) {
        *fault = FILE_NO_MEMORY;
        return NULL;
    }
    s->size = size;
    if (take_in(s, fd, in_memory, fault) < 0) {
        free(s);
        return NULL;
    }
    const Header *h = (const Header *)(const void *)s->arena;
    /* The first page once more, from what was taken in: the file may have been exchanged in between. */
    int sound = h->header_sum == header_sum(s->arena) && memcmp(h->magic, MAGIC, sizeof MAGIC) == 0 &&
                h->version == VERSION && h->size == size && header_fits(h) &&
                h->body_sum == checksum(s->arena + HEADER_BYTES, s->size - HEADER_BYTES);
    *fault = FILE_DAMAGED;
    if (sound && segment_attach(s) < 0) {
        *fault = FILE_NO_MEMORY;
        sound = 0;
    }
    for (uint32_t b = 0; sound && b < s->bands; b++) {
        sound = band_is_sound(&s->band[b], s->n);
        if (sound) {
            band_mean(&s->band[b]);
        }
    }
    if (!sound) {
        segment_free(s);
        return NULL;
    }
    *fault = FILE_OK;
    return s;
}
