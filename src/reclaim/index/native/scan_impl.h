/* One processor's scans. scan.c includes this file several times, with NAME, TARGET and LEVEL set:
 * 0 plain C, 1 AVX2, 2 AVX-512 BW, 3 AVX-512 with VPOPCNTDQ. No include guard, on purpose.
 */

TARGET static unsigned NAME(distance)(const Code *a, const Code *b)
{
    return (unsigned)(__builtin_popcountll(a->w[0] ^ b->w[0]) + __builtin_popcountll(a->w[1] ^ b->w[1]) +
                      __builtin_popcountll(a->w[2] ^ b->w[2]) + __builtin_popcountll(a->w[3] ^ b->w[3]));
}

#if LEVEL >= 2
/* Bits set in each byte (BW), or at once in each lane (BITALG, VPOPCNTDQ). */
#if LEVEL == 3
#define COUNT16(v) _mm512_popcnt_epi16(v)
#define COUNT64(v) _mm512_popcnt_epi64(v)
#else
TARGET static inline __m512i NAME(bytes)(__m512i v)
{
    const __m512i table = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m512i low = _mm512_set1_epi8(15);
    return _mm512_add_epi8(_mm512_shuffle_epi8(table, _mm512_and_si512(v, low)),
                           _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(v, 4), low)));
}
#define COUNT16(v) _mm512_maddubs_epi16(NAME(bytes)(v), _mm512_set1_epi8(1))
#define COUNT64(v) _mm512_sad_epu8(NAME(bytes)(v), _mm512_setzero_si512())
#endif

/* One bit for each of 32 entries that is near. */
TARGET static inline uint32_t NAME(near)(const uint16_t *entries, uint16_t wanted, int bound)
{
    const __m512i bits = COUNT16(_mm512_xor_si512(_mm512_loadu_si512(entries), _mm512_set1_epi16((short)wanted)));
    return _mm512_cmple_epi16_mask(bits, _mm512_set1_epi16((short)bound));
}

TARGET static size_t NAME(scan_codes)(const Code *codes, uint32_t start, uint32_t end, const Code *wanted, int bound,
                                      uint32_t *out)
{
    static const uint8_t order[8] = {0, 2, 1, 3, 4, 6, 5, 7};
    const __m512i query = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(const void *)wanted));
    const __m512i limit = _mm512_set1_epi64(bound);
    size_t count = 0;
    uint32_t i = start;
    for (; end - i >= 8; i += 8) {
        const char *p = (const char *)(codes + i);
        const __m512i a = COUNT64(_mm512_xor_si512(_mm512_loadu_si512(p), query));
        const __m512i b = COUNT64(_mm512_xor_si512(_mm512_loadu_si512(p + 64), query));
        const __m512i c = COUNT64(_mm512_xor_si512(_mm512_loadu_si512(p + 128), query));
        const __m512i d = COUNT64(_mm512_xor_si512(_mm512_loadu_si512(p + 192), query));
        const __m512i ab = _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
        const __m512i cd = _mm512_add_epi64(_mm512_unpacklo_epi64(c, d), _mm512_unpackhi_epi64(c, d));
        const __m512i bits =
            _mm512_add_epi64(_mm512_shuffle_i64x2(ab, cd, 0x88), _mm512_shuffle_i64x2(ab, cd, 0xdd));
        uint32_t near = _mm512_cmple_epi64_mask(bits, limit);
        for (; near; near &= near - 1) {
            out[count++] = i + order[__builtin_ctz(near)];
        }
    }
    for (; i < end; i++) {
        if ((int)NAME(distance)(codes + i, wanted) <= bound) {
            out[count++] = i;
        }
    }
    return count;
}
#undef COUNT16
#undef COUNT64

#elif LEVEL == 1
TARGET static inline __m256i NAME(bytes)(__m256i v)
{
    const __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m256i low = _mm256_set1_epi8(15);
    return _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(v, low)),
                           _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
}
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define COUNT64(v) _mm256_sad_epu8(NAME(bytes)(v), _mm256_setzero_si256())

TARGET static inline uint32_t NAME(near)(const uint16_t *entries, uint16_t wanted, int bound)
{
    const __m256i query = _mm256_set1_epi16((short)wanted);
    const __m256i limit = _mm256_set1_epi16((short)bound);
    const __m256i ones = _mm256_set1_epi8(1);
    const __m256i low = _mm256_maddubs_epi16(NAME(bytes)(_mm256_xor_si256(LOAD(entries), query)), ones);
    const __m256i high = _mm256_maddubs_epi16(NAME(bytes)(_mm256_xor_si256(LOAD(entries + 16), query)), ones);
    const __m256i far = _mm256_permute4x64_epi64(
        _mm256_packs_epi16(_mm256_cmpgt_epi16(low, limit), _mm256_cmpgt_epi16(high, limit)), 0xd8);
    return ~(uint32_t)_mm256_movemask_epi8(far);
}

TARGET static size_t NAME(scan_codes)(const Code *codes, uint32_t start, uint32_t end, const Code *wanted, int bound,
                                      uint32_t *out)
{
    const __m256i query = LOAD(wanted);
    const __m256i limit = _mm256_set1_epi64x(bound);
    size_t count = 0;
    uint32_t i = start;
    for (; end - i >= 4; i += 4) {
        const __m256i a = COUNT64(_mm256_xor_si256(LOAD(codes + i), query));
        const __m256i b = COUNT64(_mm256_xor_si256(LOAD(codes + i + 1), query));
        const __m256i c = COUNT64(_mm256_xor_si256(LOAD(codes + i + 2), query));
        const __m256i d = COUNT64(_mm256_xor_si256(LOAD(codes + i + 3), query));
        const __m256i ab = _mm256_add_epi64(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
        const __m256i cd = _mm256_add_epi64(_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
        const __m256i bits =
            _mm256_add_epi64(_mm256_permute2x128_si256(ab, cd, 0x20), _mm256_permute2x128_si256(ab, cd, 0x31));
        const __m256i far = _mm256_cmpgt_epi64(bits, limit);
        uint32_t near = ~(uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(far)) & 0xf;
        for (; near; near &= near - 1) {
            out[count++] = i + (uint32_t)__builtin_ctz(near);
        }
    }
    for (; i < end; i++) {
        if ((int)NAME(distance)(codes + i, wanted) <= bound) {
            out[count++] = i;
        }
    }
    return count;
}
#undef COUNT64
#undef LOAD

#else
TARGET static inline uint32_t NAME(near)(const uint16_t *entries, uint16_t wanted, int bound)
{
    uint32_t near = 0;
    for (uint32_t e = 0; e < LINE; e++) {
        near |= (uint32_t)(__builtin_popcount((uint32_t)entries[e] ^ wanted) <= bound) << e;
    }
    return near;
}

TARGET static size_t NAME(scan_codes)(const Code *codes, uint32_t start, uint32_t end, const Code *wanted, int bound,
                                      uint32_t *out)
{
    size_t count = 0;
    for (uint32_t i = start; i < end; i++) {
        out[count] = i;
        count += (int)NAME(distance)(codes + i, wanted) <= bound;
    }
    return count;
}
#endif

TARGET static inline uint32_t NAME(note)(uint64_t near, uint64_t from, const Band *band, const Sweep *sweep,
                                         uint32_t query, Candidates *out, uint32_t found)
{
    for (; near; near &= near - 1) {
        const Candidate candidate = {(uint32_t)from + (uint32_t)__builtin_ctzll(near), query, (uint8_t)sweep->band,
                                     sweep->distance};
        out->items[found++] = candidate;
        if (band->after != NULL) {
            __builtin_prefetch(&band->after[candidate.at]);
        }
    }
    return found;
}

/* Buckets that were fetched ahead. Only whole cache lines are read, and those twice that are the only one of their
 * bucket: that costs less than a branch that cannot be foreseen, or than touching a line that was not fetched. */
TARGET static int NAME(scan_fetched)(const Band *band, const Sweep *sweep, const Probe *probes, uint32_t count,
                                     uint32_t *done, uint32_t *at, Candidates *out)
{
    const uint32_t *offsets = band->offsets;
    const uint16_t *next = band->next;
    uint32_t found = out->count;
    for (uint32_t p = *done; p < count; p++) {
        const uint32_t key = probes[p].key ^ sweep->flip;
        const uint16_t wanted = probes[p].wanted;
        const uint64_t size = offsets[key + 1] - offsets[key];
        const uint64_t end = offsets[key] + (size < sweep->fullest ? size : sweep->fullest);
        const uint64_t start = *at > offsets[key] ? *at : offsets[key];
        uint64_t before = start % LINE;
        for (uint64_t i = start - before; i + before < end; i += 2 * LINE, before = 0) {
            if (found > CANDIDATES - 2 * LINE) {
                *done = p;
                *at = (uint32_t)(i + before);
                out->count = found;
                return 0;
            }
            const uint64_t second = end - i > LINE ? i + LINE : i;
            const uint64_t live = (end - i >= 2 * LINE ? UINT64_MAX : (UINT64_C(1) << (end - i)) - 1) >> before << before;
            const uint64_t near = NAME(near)(next + i, wanted, sweep->bound) |
                                  (uint64_t)NAME(near)(next + second, wanted, sweep->bound) << LINE;
            found = NAME(note)(near & live, i, band, sweep, probes[p].query, out, found);
        }
        *at = 0;
    }
    *done = count;
    out->count = found;
    return 1;
}

/* Buckets that lie in the cache already. */
TARGET static int NAME(scan_cached)(const Band *band, const Sweep *sweep, const Probe *probes, uint32_t count,
                                    uint32_t *done, uint32_t *at, Candidates *out)
{
    const uint32_t *offsets = band->offsets;
    const uint16_t *next = band->next;
    uint32_t found = out->count;
    for (uint32_t p = *done; p < count; p++) {
        const uint32_t key = probes[p].key ^ sweep->flip;
        const uint64_t size = offsets[key + 1] - offsets[key];
        const uint64_t end = offsets[key] + (size < sweep->fullest ? size : sweep->fullest);
        for (uint64_t i = *at > offsets[key] ? *at : offsets[key]; i < end; i += LINE) {
            if (found > CANDIDATES - LINE) {
                *done = p;
                *at = (uint32_t)i;
                out->count = found;
                return 0;
            }
            const uint32_t live = end - i >= LINE ? UINT32_MAX : (UINT32_C(1) << (end - i)) - 1;
            const uint32_t near = NAME(near)(next + i, probes[p].wanted, sweep->bound);
            found = NAME(note)(near & live, i, band, sweep, probes[p].query, out, found);
        }
        *at = 0;
    }
    *done = count;
    out->count = found;
    return 1;
}

static const Kernel NAME(kernel) = {TITLE, NAME(scan_fetched), NAME(scan_cached), NAME(scan_codes), NAME(distance)};
