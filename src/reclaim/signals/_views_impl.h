/* PDQ of parts of a picture, each in its eight turns, for one kind of processor. _pdq.c includes this file several times,
 * with NAME and TARGET set. No include guard, on purpose.
 *
 * PDQ of a square of 512 takes its samples at 8i + 5.5 (the middle of what its two boxes of 4 average), a little off the
 * middle, so those of a mirrored picture are others: at 8i + 2.5. With samples at both, along both axes, one reading of the
 * pixels gives all eight turns: mirroring changes the signs of every other coefficient, turning exchanges the two axes.
 * Here the samples are taken with the same triangle straight from where a part lies, without resizing it first. */

/* What goes into one sample along one axis. */
typedef struct {
    int first;
    int count;
    float share[2 * VIEW_REACH + 2];
} NAME(Sample);

/* The samples along an axis on which a part begins at `from` and is `length` long, in pixels, of a line of `all`. */
TARGET static void NAME(samples_along)(double from, double length, ptrdiff_t all, NAME(Sample) samples[2 * GRID])
{
    const double step = length / VIEW_SIDE;
    const double reach = step * VIEW_REACH > 1.0 ? step * VIEW_REACH : 1.0;
    const int least = from > 0.0 ? (int)from : 0;
    const int end = from + length < (double)all ? (int)ceil(from + length) : (int)all;

    for (int k = 0; k < 2 * GRID; k++) {
        NAME(Sample) *sample = &samples[k];
        const double centre = from + (8.0 * (k % GRID) + (k < GRID ? 5.5 : 2.5)) * step;
        int first = (int)floor(centre - reach + 0.5);
        int last = (int)floor(centre + reach - 0.5);
        float sum = 0.0f;
        first = first > least ? first : least;
        first = first < end - 1 ? first : end - 1;
        last = last < end - 1 ? last : end - 1;
        last = last > first ? last : first;
        sample->first = first;
        sample->count = last - first + 1;
        for (int i = first; i <= last; i++) {
            const double away = fabs(i + 0.5 - centre) / reach;
            sample->share[i - first] = away < 1.0 ? (float)(1.0 - away) : 0.0f;
            sum += sample->share[i - first];
        }
        for (int i = 0; i < sample->count; i++) {
            sample->share[i] = sum > 0.0f ? sample->share[i] / sum : 1.0f / (float)sample->count;
        }
    }
}

/* An upright part. grids[u][v]: across at samples of kind u, down at those of kind v, with the axes exchanged. `room` takes
 * 2 * LANES * width floats. */
TARGET static void NAME(sample_upright)(const Plane *luma, const View *view, float *room, float grids[2][2][GRID][GRID])
{
    NAME(Sample) across[2 * GRID], down[2 * GRID];
    int from = luma->width < INT_MAX ? (int)luma->width : INT_MAX;
    int to = 0;

    NAME(samples_along)(view->x, view->across_x, luma->width, across);
    NAME(samples_along)(view->y, view->down_y, luma->height, down);
    for (int k = 0; k < 2 * GRID; k++) {
        from = across[k].first < from ? across[k].first : from;
        to = across[k].first + across[k].count > to ? across[k].first + across[k].count : to;
    }
    const ptrdiff_t width = to - from;
    float *rows = room;
    float *tile = room + LANES * width;
    for (int at = 0; at < 2 * GRID; at += LANES) {
        for (int r = 0; r < LANES; r++) {
            const NAME(Sample) *sample = &down[at + r];
            float *row = rows + r * width;
            memset(row, 0, (size_t)width * sizeof *row);
            for (int i = 0; i < sample->count; i++) {
                const uint8_t *bytes = luma->bytes + (sample->first + i) * luma->width + from;
                const float share = sample->share[i];
                for (ptrdiff_t x = 0; x < width; x++) {
                    row[x] += share * (float)bytes[x];
                }
            }
        }
        NAME(to_tile)(rows, width, LANES, width, tile);
        for (int k = 0; k < 2 * GRID; k++) {
            const NAME(Sample) *sample = &across[k];
            float *out = &grids[k / GRID][at / GRID][k % GRID][at % GRID];
            float sum[LANES] = {0};
            for (int i = 0; i < sample->count; i++) {
                const float *column = tile + (sample->first + i - from) * LANES;
                const float share = sample->share[i];
                for (int r = 0; r < LANES; r++) {
                    sum[r] += share * column[r];
                }
            }
            memcpy(out, sum, sizeof sum);
        }
    }
}

/* The picture under the triangle, for parts that lie askew: read and written at the scale of the picture. `room` and `out`
 * take as many floats as there are pixels. */
TARGET static void NAME(blur_for_views)(const Plane *luma, float *room, float *out)
{
    const ptrdiff_t height = luma->height, width = luma->width;

    for (ptrdiff_t y = 0; y < height; y++) {
        float *row = room + y * width;
        memset(row, 0, (size_t)width * sizeof *row);
        for (int d = 1 - VIEW_REACH; d < VIEW_REACH; d++) {
            const ptrdiff_t from = y + d < 0 ? 0 : y + d < height ? y + d : height - 1;
            const uint8_t *bytes = luma->bytes + from * width;
            const float share = (float)(VIEW_REACH - (d < 0 ? -d : d)) / (VIEW_REACH * VIEW_REACH);
            for (ptrdiff_t x = 0; x < width; x++) {
                row[x] += share * (float)bytes[x];
            }
        }
    }
    for (ptrdiff_t y = 0; y < height; y++) {
        const float *row = room + y * width;
        float *here = out + y * width;
        for (ptrdiff_t x = 0; x < width; x++) {
            const int inside = x >= VIEW_REACH && x + VIEW_REACH < width;
            float sum = 0.0f;
            if (inside) {
                sum = row[x] * 4.0f + (row[x - 1] + row[x + 1]) * 3.0f + (row[x - 2] + row[x + 2]) * 2.0f + row[x - 3] +
                      row[x + 3];
            } else {
                for (int d = 1 - VIEW_REACH; d < VIEW_REACH; d++) {
                    const ptrdiff_t from = x + d < 0 ? 0 : x + d < width ? x + d : width - 1;
                    sum += row[from] * (float)(VIEW_REACH - (d < 0 ? -d : d));
                }
            }
            here[x] = sum / (VIEW_REACH * VIEW_REACH);
        }
    }
}

/* A part that lies askew, out of what `blur_for_views` made, upright only; what is outside the picture is as its edge. */
TARGET static void NAME(sample_askew)(const Plane *luma, const View *view, const float *blurred, float grid[GRID][GRID])
{
    const float most_x = (float)luma->width - 1.01f, most_y = (float)luma->height - 1.01f;

    for (int i = 0; i < GRID; i++) {
        const double u = (8.0 * i + 5.5) / VIEW_SIDE;
        for (int j = 0; j < GRID; j++) {
            const double v = (8.0 * j + 5.5) / VIEW_SIDE;
            float x = (float)(view->x + u * view->across_x + v * view->down_x - 0.5);
            float y = (float)(view->y + u * view->across_y + v * view->down_y - 0.5);
            x = x < 0.0f ? 0.0f : x > most_x ? most_x : x;
            y = y < 0.0f ? 0.0f : y > most_y ? most_y : y;
            const int column = (int)x, row = (int)y;
            const float right = x - (float)column, low = y - (float)row;
            const float *at = blurred + row * luma->width + column;
            const float upper = at[0] + (at[1] - at[0]) * right;
            const float lower = at[luma->width] + (at[luma->width + 1] - at[luma->width]) * right;
            grid[i][j] = upper + (lower - upper) * low;
        }
    }
}

/* The values of one part, in the order of TURNS in pdq.py, and its quality. Of one that lies askew only the first of
 * them; the others stay zeros. */
TARGET static void NAME(finish_view)(float grids[2][2][GRID][GRID], int askew, unsigned char *out)
{
    /* Upright, mirrored left to right, mirrored top to bottom, both; and with the axes exchanged. */
    static const int upright[2][2] = {{0, 4}, {5, 2}};
    static const int exchanged[2][2] = {{6, 3}, {1, 7}};
    float coefficients[BITS];

    memset(out, 0, VIEW_BYTES);
    for (int u = 0; u < (askew ? 1 : 2); u++) {
        for (int v = 0; v < (askew ? 1 : 2); v++) {
            unsigned char *plain = out + upright[u][v] * (BITS / 8);
            unsigned char *turned = out + exchanged[u][v] * (BITS / 8);
            NAME(transform)(grids[u][v], coefficients);
            /* coefficients[a * BAND + b]: frequency a + 1 across, b + 1 down. */
            for (int k = 0; k < BITS; k++) {
                const int odd = (u & (k / BAND + 1)) ^ (v & (k % BAND + 1));
                coefficients[k] = odd & 1 ? -coefficients[k] : coefficients[k];
            }
            const float median = NAME(median_of)(coefficients);
            for (int k = 0; k < BITS; k++) {
                if (coefficients[k] > median) {
                    const int other = k % BAND * BAND + k / BAND;
                    turned[BITS / 8 - 1 - k / 8] |= (unsigned char)(askew ? 0 : 1u << (k % 8));
                    plain[BITS / 8 - 1 - other / 8] |= (unsigned char)(1u << (other % 8));
                }
            }
        }
    }
    out[VIEW_BYTES - 1] = (unsigned char)NAME(quality_of)(grids[0][0]);
}

/* 0, or -1 without memory. */
TARGET static int NAME(views)(const Plane *luma, const View *views, ptrdiff_t count, unsigned char *out)
{
    const size_t pixels = (size_t)luma->width * (size_t)luma->height;
    float (*grids)[2][GRID][GRID] = malloc(2 * sizeof *grids);
    float *room = malloc(2 * LANES * (size_t)luma->width * sizeof *room);
    float *blurred = NULL;
    int status = grids == NULL || room == NULL ? -1 : 0;

    for (ptrdiff_t i = 0; status == 0 && i < count; i++) {
        const int askew = views[i].across_y != 0.0 || views[i].down_x != 0.0;
        if (!askew) {
            NAME(sample_upright)(luma, &views[i], room, grids);
        } else {
            if (blurred == NULL) {
                blurred = malloc(2 * pixels * sizeof *blurred);
                if (blurred == NULL) {
                    status = -1;
                    break;
                }
                NAME(blur_for_views)(luma, blurred + pixels, blurred);
            }
            NAME(sample_askew)(luma, &views[i], blurred, grids[0][0]);
        }
        NAME(finish_view)(grids, askew, out + i * VIEW_BYTES);
    }
    free(blurred);
    free(room);
    free(grids);
    return status;
}
