/* Rows of floats laid out column by column, so that the sums along them advance side by side; for one kind of processor.
 * _pdq.c includes this file several times, with NAME and TARGET set. No include guard, on purpose. */

/* Turn 8x8 floats: v[i][j] becomes v[j][i]. */
TARGET static inline void NAME(turn8)(Floats8 v[8])
{
    Floats8 a[8], b[8];

    for (int i = 0; i < 4; i++) {
        a[2 * i] = MIX_FLOATS(v[2 * i], v[2 * i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        a[2 * i + 1] = MIX_FLOATS(v[2 * i], v[2 * i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++) {
            b[4 * i + 2 * j] = MIX_FLOATS(a[4 * i + j], a[4 * i + 2 + j], 0, 1, 8, 9, 4, 5, 12, 13);
            b[4 * i + 2 * j + 1] = MIX_FLOATS(a[4 * i + j], a[4 * i + 2 + j], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    for (int j = 0; j < 4; j++) {
        v[j] = MIX_FLOATS(b[j], b[4 + j], 0, 1, 2, 3, 8, 9, 10, 11);
        v[4 + j] = MIX_FLOATS(b[j], b[4 + j], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/* `count` rows from `row` on as floats: where they are, or put into `room`, which is `*stride` wide. */
TARGET static const float *NAME(floats_of)(const Plane *luma, ptrdiff_t row, int count, float *room, ptrdiff_t *stride)
{
    if (luma->floats != NULL) {
        *stride = luma->width;
        return luma->floats + row * luma->width;
    }
    for (int r = 0; r < count; r++) {
        const uint8_t *bytes = luma->bytes + (row + r) * luma->width;
        for (ptrdiff_t i = 0; i < luma->width; i++) {
            room[r * *stride + i] = (float)bytes[i];
        }
    }
    return room;
}

/* `count` rows, `stride` floats apart, laid out column by column: tile[column * LANES + r]. Lanes beyond are 0. */
TARGET static void NAME(to_tile)(const float *in, ptrdiff_t stride, int count, ptrdiff_t width, float *tile)
{
    ptrdiff_t column = 0;

    if (count == LANES) {
        for (; column + 8 <= width; column += 8) {
            for (int g = 0; g < LANES; g += 8) {
                Floats8 v[8];
                for (int i = 0; i < 8; i++) {
                    memcpy(&v[i], in + (g + i) * stride + column, sizeof v[i]);
                }
                NAME(turn8)(v);
                for (int i = 0; i < 8; i++) {
                    memcpy(tile + (column + i) * LANES + g, &v[i], sizeof v[i]);
                }
            }
        }
    }
    for (; column < width; column++) {
        for (int r = 0; r < LANES; r++) {
            tile[column * LANES + r] = r < count ? in[r * stride + column] : 0.0f;
        }
    }
}

/* The other way. */
TARGET static void NAME(from_tile)(const float *tile, float *out, ptrdiff_t stride, int count, ptrdiff_t width)
{
    ptrdiff_t column = 0;

    if (count == LANES) {
        for (; column + 8 <= width; column += 8) {
            for (int g = 0; g < LANES; g += 8) {
                Floats8 v[8];
                for (int i = 0; i < 8; i++) {
                    memcpy(&v[i], tile + (column + i) * LANES + g, sizeof v[i]);
                }
                NAME(turn8)(v);
                for (int i = 0; i < 8; i++) {
                    memcpy(out + (g + i) * stride + column, &v[i], sizeof v[i]);
                }
            }
        }
    }
    for (; column < width; column++) {
        for (int r = 0; r < count; r++) {
            out[r * stride + column] = tile[column * LANES + r];
        }
    }
}
