/* Resizing with a triangle filter, for one kind of processor. _pdq.c includes this file several times, with NAME and
 * TARGET set. No include guard, on purpose. All sums are of whole numbers, so no kind rounds otherwise. */

/* Turn 16x16 bytes: four rounds of interleaving the first half of the rows with the second. */
TARGET static inline void NAME(turn16)(Bytes16 v[16])
{
    for (int round = 0; round < 4; round++) {
        Bytes16 w[16];
        for (int i = 0; i < 8; i++) {
            w[2 * i] = MIX_BYTES(v[i], v[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            w[2 * i + 1] = MIX_BYTES(v[i], v[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        for (int i = 0; i < 16; i++) {
            v[i] = w[i];
        }
    }
}

/* Turn rows of bytes into columns: out[j * out_stride + i] = in[i * in_stride + j]. */
TARGET static void NAME(turn_bytes)(const uint8_t *in, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t in_stride,
                                    uint8_t *out, ptrdiff_t out_stride)
{
    const ptrdiff_t whole_rows = rows - rows % 16;
    const ptrdiff_t whole_columns = columns - columns % 16;

    /* Square by square, so that a line of the cache is filled before it is given up. */
    for (ptrdiff_t square = 0; square < whole_columns; square += 64) {
        const ptrdiff_t end = square + 64 < whole_columns ? square + 64 : whole_columns;
        for (ptrdiff_t i = 0; i < whole_rows; i += 16) {
            for (ptrdiff_t j = square; j < end; j += 16) {
                Bytes16 v[16];
                for (int k = 0; k < 16; k++) {
                    memcpy(&v[k], in + (i + k) * in_stride + j, sizeof v[k]);
                }
                NAME(turn16)(v);
                for (int k = 0; k < 16; k++) {
                    memcpy(out + (j + k) * out_stride + i, &v[k], sizeof v[k]);
                }
            }
        }
    }
    for (ptrdiff_t i = 0; i < rows; i++) {
        for (ptrdiff_t j = i < whole_rows ? whole_columns : 0; j < columns; j++) {
            out[j * out_stride + i] = in[i * in_stride + j];
        }
    }
}

/* Rows of `width` bytes weighed into as many as there are taps. */
TARGET static void NAME(weigh)(const uint8_t *in, ptrdiff_t width, const Taps *taps, uint8_t *out)
{
    for (ptrdiff_t o = 0; o < taps->outputs; o++) {
        const uint8_t *from = in + taps->first[o] * width;
        const int32_t *weight = taps->weight + o * taps->most;
        const int count = taps->count[o];
        ptrdiff_t j = 0;

        for (; j + SHARE <= width; j += SHARE) {
            int32_t sum[SHARE];
            for (int i = 0; i < SHARE; i++) {
                sum[i] = HALF;
            }
            for (int t = 0; t < count; t++) {
                const uint8_t *row = from + t * width + j;
                for (int i = 0; i < SHARE; i++) {
                    sum[i] += row[i] * weight[t];
                }
            }
            for (int i = 0; i < SHARE; i++) {
                out[o * width + j + i] = (uint8_t)(sum[i] >> PRECISION);
            }
        }
        for (; j < width; j++) {
            int32_t sum = HALF;
            for (int t = 0; t < count; t++) {
                sum += from[t * width + j] * weight[t];
            }
            out[o * width + j] = (uint8_t)(sum >> PRECISION);
        }
    }
}

/* Resize along the rows: a few rows at a time are turned, weighed as columns are, and turned back. `before` and `after`
 * have room for SHARE rows. */
TARGET static void NAME(resize_rows)(const uint8_t *in, ptrdiff_t height, ptrdiff_t width, const Taps *taps,
                                     uint8_t *before, uint8_t *after, uint8_t *out)
{
    for (ptrdiff_t row = 0; row < height; row += SHARE) {
        const ptrdiff_t rows = height - row < SHARE ? height - row : SHARE;
        NAME(turn_bytes)(in + row * width, rows, width, width, before, rows);
        NAME(weigh)(before, rows, taps, after);
        NAME(turn_bytes)(after, taps->outputs, rows, rows, out + row * taps->outputs, taps->outputs);
    }
}
