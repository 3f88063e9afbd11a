/* One processor's scans. scan.c includes this file several times, with NAME, TARGET and LEVEL set:
 * 0 plain C, 1 AVX2, 2 AVX-512 BW, 3 AVX-512 with VPOPCNTDQ. No include guard, on purpose.
 */

TARGET static unsigned NAME(distance)(const Code *a, const Code *b)
{
    return (unsigned)(__builtin_popcountll(a->w[0] ^ b->w[0]) + __builtin_popcountll(a->w[1] ^ b->w[1]) +
                      __builtin_popcountll(a->w[2] ^ b->w[2]) + __builtin_popcountll(a->w[3] ^ b->w[3]));
}

#if LEVEL >= 2
#define VECTOR __m512i
/* Bits set in each byte (BW), or at once in each 32- or 64-bit lane (VPOPCNTDQ). */
#if LEVEL == 3
#define COUNT32(v) _mm512_popcnt_epi32(v)
#define COUNT64(v) _mm512_popcnt_epi64(v)
#else
TARGET static inline __m512i NAME(bytes)(__m512i v)
{
    const __m512i table = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m512i low = _mm512_set1_epi8(15);
    return _mm512_add_epi8(_mm512_shuffle_epi8(table, _mm512_and_si512(v, low)),
                           _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(v, 4), low)));
}
#define COUNT32(v) \
    _mm512_madd_epi16(_mm512_maddubs_epi16(NAME(bytes)(v), _mm512_set1_epi8(1)), _mm512_set1_epi16(1))
#define COUNT64(v) _mm512_sad_epu8(NAME(bytes)(v), _mm512_setzero_si512())
#endif

TARGET static size_t NAME(scan32)(const void *entries, uint32_t start, uint32_t end, const uint64_t wanted[2],
                                  int bound, uint32_t *out)
{
    const uint32_t *p = entries;
    const __m512i query = _mm512_set1_epi32((int)(uint32_t)wanted[0]);
    const __m512i limit = _mm512_set1_epi32(bound);
    size_t count = 0;
    for (uint32_t i = start; i < end; i += 16) {
        const __mmask16 live = end - i >= 16 ? 0xffff : (__mmask16)((1u << (end - i)) - 1);
        const __m512i bits = COUNT32(_mm512_xor_si512(_mm512_maskz_loadu_epi32(live, p + i), query));
        uint32_t near = _mm512_mask_cmple_epi32_mask(live, bits, limit);
        for (; near; near &= near - 1) {
            out[count++] = i + (uint32_t)__builtin_ctz(near);
        }
    }
    return count;
}

TARGET static size_t NAME(scan64)(const void *entries, uint32_t start, uint32_t end, const uint64_t wanted[2],
                                  int bound, uint32_t *out)
{
    const uint64_t *p = entries;
    const __m512i query = _mm512_set1_epi64((long long)wanted[0]);
    const __m512i limit = _mm512_set1_epi64(bound);
    size_t count = 0;
    for (uint32_t i = start; i < end; i += 8) {
        const __mmask8 live = end - i >= 8 ? 0xff : (__mmask8)((1u << (end - i)) - 1);
        const __m512i bits = COUNT64(_mm512_xor_si512(_mm512_maskz_loadu_epi64(live, p + i), query));
        uint32_t near = _mm512_mask_cmple_epi64_mask(live, bits, limit);
        for (; near; near &= near - 1) {
            out[count++] = i + (uint32_t)__builtin_ctz(near);
        }
    }
    return count;
}

TARGET static size_t NAME(scan128)(const void *entries, uint32_t start, uint32_t end, const uint64_t wanted[2],
                                   int bound, uint32_t *out)
{
    const uint64_t *p = entries;
    const __m512i query = _mm512_broadcast_i32x4(_mm_set_epi64x((long long)wanted[1], (long long)wanted[0]));
    const __m512i limit = _mm512_set1_epi64(bound);
    size_t count = 0;
    for (uint32_t i = start; i < end; i += 4) {
        const uint32_t left = end - i;
        const __mmask8 live = left >= 4 ? 0xff : (__mmask8)((1u << 2 * left) - 1);
        const __m512i half = COUNT64(_mm512_xor_si512(_mm512_maskz_loadu_epi64(live, p + 2 * (size_t)i), query));
        const __m512i bits = _mm512_add_epi64(half, _mm512_shuffle_epi32(half, _MM_PERM_BADC));
        uint32_t near = _mm512_mask_cmple_epi64_mask(live & 0x55, bits, limit);
        for (; near; near &= near - 1) {
            out[count++] = i + (uint32_t)__builtin_ctz(near) / 2;
        }
    }
    return count;
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
#undef COUNT32
#undef COUNT64
#undef VECTOR

#elif LEVEL == 1
TARGET static inline __m256i NAME(bytes)(__m256i v)
{
    const __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m256i low = _mm256_set1_epi8(15);
    return _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(v, low)),
                           _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
}
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define COUNT32(v) \
    _mm256_madd_epi16(_mm256_maddubs_epi16(NAME(bytes)(v), _mm256_set1_epi8(1)), _mm256_set1_epi16(1))
#define COUNT64(v) _mm256_sad_epu8(NAME(bytes)(v), _mm256_setzero_si256())

TARGET static size_t NAME(scan32)(const void *entries, uint32_t start, uint32_t end, const uint64_t wanted[2],
                                  int bound, uint32_t *out)
{
    const uint32_t *p = entries;
    const __m256i query = _mm256_set1_epi32((int)(uint32_t)wanted[0]);
    const __m256i limit = _mm256_set1_epi32(bound);
    size_t count = 0;
    uint32_t i = start;
    for (; end - i >= 8; i += 8) {
        const __m256i bits = COUNT32(_mm256_xor_si256(LOAD(p + i), query));
        const __m256i far = _mm256_cmpgt_epi32(bits, limit);
        uint32_t near = ~(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(far)) & 0xff;
        for (; near; near &= near - 1) {
            out[count++] = i + (uint32_t)__builtin_ctz(near);
        }
    }
    for (; i < end; i++) {
        if (__builtin_popcount(p[i] ^ (uint32_t)wanted[0]) <= bound) {
            out[count++] = i;
        }
    }
    return count;
}

TARGET static size_t NAME(scan64)(const void *entries, uint32_t start, uint32_t end, const uint64_t wanted[2],
                                  int bound, uint32_t *out)
{
    const uint64_t *p = entries;
    const __m256i query = _mm256_set1_epi64x((long long)wanted[0]);
    const __m256i limit = _mm256_set1_epi64x(bound);
    size_t count = 0;
    uint32_t i = start;
    for (; end - i >= 4; i += 4) {
        const __m256i bits = COUNT64(_mm256_xor_si256(LOAD(p + i), query));
        const __m256i far = _mm256_cmpgt_epi64(bits, limit);
        uint32_t near = ~(uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(far)) & 0xf;
        for (; near; near &= near - 1) {
            out[count++] = i + (uint32_t)__builtin_ctz(near);
        }
    }
    for (; i < end; i++) {
        if (__builtin_popcountll(p[i] ^ wanted[0]) <= bound) {
            out[count++] = i;
        }
    }
    return count;
}

TARGET static size_t NAME(scan128)(const void *entries, uint32_t start, uint32_t end, const uint64_t wanted[2],
                                   int bound, uint32_t *out)
{
    const uint64_t *p = entries;
    size_t count = 0;
    for (uint32_t i = start; i < end; i++) {
        const size_t at = 2 * (size_t)i;
        if (__builtin_popcountll(p[at] ^ wanted[0]) + __builtin_popcountll(p[at + 1] ^ wanted[1]) <= bound) {
            out[count++] = i;
        }
    }
    return count;
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
#undef COUNT32
#undef COUNT64
#undef LOAD

#else
TARGET static size_t NAME(scan32)(const void *entries, uint32_t start, uint32_t end, const uint64_t wanted[2],
                                  int bound, uint32_t *out)
{
    const uint32_t *p = entries;
    size_t count = 0;
    for (uint32_t i = start; i < end; i++) {
        out[count] = i; /* overwritten by the next one unless it counts */
        count += __builtin_popcount(p[i] ^ (uint32_t)wanted[0]) <= bound;
    }
    return count;
}

TARGET static size_t NAME(scan64)(const void *entries, uint32_t start, uint32_t end, const uint64_t wanted[2],
                                  int bound, uint32_t *out)
{
    const uint64_t *p = entries;
    size_t count = 0;
    for (uint32_t i = start; i < end; i++) {
        out[count] = i;
        count += __builtin_popcountll(p[i] ^ wanted[0]) <= bound;
    }
    return count;
}

TARGET static size_t NAME(scan128)(const void *entries, uint32_t start, uint32_t end, const uint64_t wanted[2],
                                   int bound, uint32_t *out)
{
    const uint64_t *p = entries;
    size_t count = 0;
    for (uint32_t i = start; i < end; i++) {
        const size_t at = 2 * (size_t)i;
        out[count] = i;
        count += __builtin_popcountll(p[at] ^ wanted[0]) + __builtin_popcountll(p[at + 1] ^ wanted[1]) <= bound;
    }
    return count;
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

static const Kernel NAME(kernel) = {
    TITLE, NAME(scan32), NAME(scan64), NAME(scan128), NAME(scan_codes), NAME(distance),
};
