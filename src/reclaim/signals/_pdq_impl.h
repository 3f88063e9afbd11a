/* PDQ for one kind of processor. _pdq.c includes this file several times, with NAME and TARGET set. No include guard,
 * on purpose. Every kind makes the same floats: only independent sums are worked on side by side. */

/* Blur the rows of a tile along the row. Every output is written, or the 64 at `columns` if there are some. */
TARGET static void NAME(blur_tile)(const Box *box, const float *in, float *out, const ptrdiff_t *columns)
{
    const ptrdiff_t outputs = columns != NULL ? GRID : box->length;
    ptrdiff_t o = 0;
    Floats8 sum[LANES / 8], v;

    for (int g = 0; g < LANES / 8; g++) {
        sum[g] = (Floats8){0};
    }
    for (ptrdiff_t i = 0; i < box->head - 1; i++) {
        for (int g = 0; g < LANES / 8; g++) {
            memcpy(&v, in + i * LANES + 8 * g, sizeof v);
            sum[g] += v;
        }
    }
    for (ptrdiff_t j = 0; j < outputs; j++) {
        const ptrdiff_t wanted = columns != NULL ? columns[j] : j;
        /* A narrow picture is sampled several times at the same column. */
        for (; o <= wanted; o++) {
            const ptrdiff_t enter = o + box->head - 1;
            const ptrdiff_t leave = enter - box->window;
            if (enter < box->length) {
                for (int g = 0; g < LANES / 8; g++) {
                    memcpy(&v, in + enter * LANES + 8 * g, sizeof v);
                    sum[g] += v;
                }
            }
            if (leave >= 0) {
                for (int g = 0; g < LANES / 8; g++) {
                    memcpy(&v, in + leave * LANES + 8 * g, sizeof v);
                    sum[g] -= v;
                }
            }
        }
        const ptrdiff_t count = held(box, wanted);
        const float share = 1.0f / (float)count;
        for (int g = 0; g < LANES / 8; g++) {
            v = is_power_of_two(count) ? sum[g] * share : sum[g] / (float)count;
            memcpy(out + j * LANES + 8 * g, &v, sizeof v);
        }
    }
}

/* One step down the columns: a row enters the sums, another leaves them, and their mean over `count` is written; NULL for
 * what is not. */
TARGET static void NAME(blur_columns_step)(float *restrict sum, ptrdiff_t width, const float *entering,
                                           const float *leaving, float *restrict out, ptrdiff_t count)
{
    if (entering != NULL && leaving != NULL) {
        for (ptrdiff_t j = 0; j < width; j++) {
            sum[j] = (sum[j] + entering[j]) - leaving[j];
        }
    } else if (entering != NULL) {
        for (ptrdiff_t j = 0; j < width; j++) {
            sum[j] += entering[j];
        }
    } else if (leaving != NULL) {
        for (ptrdiff_t j = 0; j < width; j++) {
            sum[j] -= leaving[j];
        }
    }
    if (out != NULL && is_power_of_two(count)) {
        const float share = 1.0f / (float)count;
        for (ptrdiff_t j = 0; j < width; j++) {
            out[j] = sum[j] * share;
        }
    } else if (out != NULL) {
        for (ptrdiff_t j = 0; j < width; j++) {
            out[j] = sum[j] / (float)count;
        }
    }
}

/* The blurred picture, `narrow`, down the columns once more and sampled. */
TARGET static void NAME(sample_columns)(const Box *box, const float *narrow, float grid[GRID][GRID])
{
    float sum[GRID] = {0};
    ptrdiff_t rows[GRID];
    ptrdiff_t o = 1 - box->head;

    sample_positions(box->length, rows);
    for (int i = 0; i < GRID; i++) {
        if (i > 0 && rows[i] == rows[i - 1]) {
            memcpy(grid[i], grid[i - 1], sizeof grid[i]);
            continue;
        }
        for (; o <= rows[i]; o++) {
            const ptrdiff_t enter = o + box->head - 1;
            const ptrdiff_t leave = enter - box->window;
            NAME(blur_columns_step)(sum, GRID, enter < box->length ? narrow + enter * GRID : NULL,
                                    leave >= 0 ? narrow + leave * GRID : NULL, o == rows[i] ? grid[i] : NULL,
                                    o == rows[i] ? held(box, o) : 0);
        }
    }
}

/* The picture, blurred twice and sampled. 0, or -1 without memory. */
TARGET static int NAME(downsample)(const Plane *luma, float grid[GRID][GRID])
{
    const ptrdiff_t height = luma->height;
    const ptrdiff_t width = luma->width;
    const Box along_rows = box_for(width);
    const Box along_columns = box_for(height);
    /* Rows a power of two apart would fight for the same lines of the cache. */
    const ptrdiff_t padded = width + 16;
    /* Of the first pass no more rows are kept than the second still needs. */
    const ptrdiff_t kept = (along_columns.window + 2 * LANES - 1) / LANES * LANES;
    ptrdiff_t columns[GRID];
    float samples[GRID * LANES];
    ptrdiff_t stride = padded;

    if (height == GRID && width == GRID) {
        stride = GRID;
        memmove(grid, NAME(floats_of)(luma, 0, GRID, grid[0], &stride), sizeof(float[GRID][GRID]));
        return 0;
    }
    float *ring = malloc((size_t)(padded * (kept + LANES + 1) + 2 * LANES * width + height * GRID) * sizeof *ring);
    if (ring == NULL) {
        return -1;
    }
    float *block = ring + padded * kept;
    float *sum = block + padded * LANES;
    float *tile = sum + padded;
    float *blurred = tile + LANES * width;
    float *narrow = blurred + LANES * width;
    ptrdiff_t o = 1 - along_columns.head;
    int waiting = 0;

    sample_positions(width, columns);
    memset(sum, 0, (size_t)width * sizeof *sum);
    for (ptrdiff_t row = 0; row < height; row += LANES) {
        const int count = height - row < LANES ? (int)(height - row) : LANES;
        float *rows = ring + row % kept * padded;
        const float *from = NAME(floats_of)(luma, row, count, rows, &stride);
        NAME(to_tile)(from, stride, count, width, tile);
        NAME(blur_tile)(&along_rows, tile, blurred, NULL);
        NAME(from_tile)(blurred, rows, padded, count, width);

        /* The first pass down the columns as far as there are rows, and the second along the rows. */
        for (; o < height; o++) {
            const ptrdiff_t enter = o + along_columns.head - 1;
            const ptrdiff_t leave = enter - along_columns.window;
            if (enter >= row + count && enter < height) {
                break;
            }
            NAME(blur_columns_step)(sum, width, enter < height ? ring + enter % kept * padded : NULL,
                                    leave >= 0 ? ring + leave % kept * padded : NULL,
                                    o >= 0 ? block + waiting * padded : NULL, o >= 0 ? held(&along_columns, o) : 0);
            waiting += o >= 0;
            if (waiting == LANES || (o == height - 1 && waiting > 0)) {
                NAME(to_tile)(block, padded, waiting, width, tile);
                NAME(blur_tile)(&along_rows, tile, samples, columns);
                NAME(from_tile)(samples, narrow + (o + 1 - waiting) * GRID, GRID, waiting, GRID);
                waiting = 0;
            }
        }
    }
    NAME(sample_columns)(&along_columns, narrow, grid);
    free(ring);
    return 0;
}

/* A gradient counts by whole hundredths of the luma range, so that faint ones do not count at all. */
TARGET static int NAME(quality_of)(float grid[GRID][GRID])
{
    int total = 0;

    for (int i = 0; i + 1 < GRID; i++) {
        for (int j = 0; j < GRID; j++) {
            total += abs((int)(((grid[i][j] - grid[i + 1][j]) * 100) / 255));
        }
    }
    for (int i = 0; i < GRID; i++) {
        for (int j = 0; j + 1 < GRID; j++) {
            total += abs((int)(((grid[i][j] - grid[i][j + 1]) * 100) / 255));
        }
    }
    total /= 90;
    return total < 100 ? total : 100;
}

TARGET static void NAME(transform)(float grid[GRID][GRID], float out[BITS])
{
    for (int i = 0; i < BAND; i++) {
        float line[GRID] = {0};
        float sums[BAND] = {0};

        for (int k = 0; k < GRID; k++) {
            for (int j = 0; j < GRID; j++) {
                line[j] += dct[i][k] * grid[k][j];
            }
        }
        for (int k = 0; k < GRID; k++) {
            for (int j = 0; j < BAND; j++) {
                sums[j] += line[k] * dct_transposed[k][j];
            }
        }
        memcpy(out + i * BAND, sums, sizeof sums);
    }
}

/* The lower median: the least of the coefficients that at least half of all do not exceed. */
TARGET static float NAME(median_of)(const float coefficients[BITS])
{
    float median = FLT_MAX;

    for (int i = 0; i < BITS; i++) {
        int no_more = 0;
        for (int j = 0; j < BITS; j++) {
            no_more += coefficients[j] <= coefficients[i];
        }
        if (no_more >= BITS / 2 && coefficients[i] < median) {
            median = coefficients[i];
        }
    }
    return median;
}

TARGET static int NAME(pdq)(const Plane *luma, unsigned char value[BITS / 8], int *quality)
{
    float grid[GRID][GRID];
    float coefficients[BITS];

    if (NAME(downsample)(luma, grid) != 0) {
        return -1;
    }
    *quality = NAME(quality_of)(grid);
    NAME(transform)(grid, coefficients);
    const float median = NAME(median_of)(coefficients);
    /* The value's first byte holds the bits of the highest frequencies, as the text form is printed. */
    memset(value, 0, BITS / 8);
    for (int k = 0; k < BITS; k++) {
        if (coefficients[k] > median) {
            value[BITS / 8 - 1 - k / 8] |= (unsigned char)(1u << (k % 8));
        }
    }
    return 0;
}
