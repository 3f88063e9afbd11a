/* All keys within a number of bits of zero, for each width of a band: what a key is combined with to get its neighbours. */
#include "kernel.h"

#include <stdlib.h>

enum { MIN_WIDTH = 12 };

static uint32_t *masks[MAX_WIDTH + 1];
static uint32_t mask_count[MAX_WIDTH + 1][MAX_BAND_RADIUS + 1];

static uint32_t fill_masks(uint32_t width, uint32_t *to)
{
    uint32_t count = 0;
    to[count++] = 0;
    mask_count[width][0] = count;
    for (uint32_t a = 0; a < width; a++) {
        to[count++] = 1u << a;
    }
    mask_count[width][1] = count;
    for (uint32_t a = 0; a < width; a++) {
        for (uint32_t b = 0; b < a; b++) {
            to[count++] = 1u << a | 1u << b;
        }
    }
    mask_count[width][2] = count;
    for (uint32_t a = 0; a < width; a++) {
        for (uint32_t b = 0; b < a; b++) {
            for (uint32_t c = 0; c < b; c++) {
                to[count++] = 1u << a | 1u << b | 1u << c;
            }
        }
    }
    mask_count[width][3] = count;
    return count;
}

int masks_init(void)
{
    for (uint32_t width = MIN_WIDTH; width <= MAX_WIDTH; width++) {
        if (masks[width] == NULL) {
            masks[width] = malloc(MAX_PROBES * sizeof(uint32_t));
            if (masks[width] == NULL) {
                return -1;
            }
            fill_masks(width, masks[width]);
        }
    }
    return 0;
}

uint32_t band_probes(uint32_t width, int radius)
{
    return radius < 0 ? 0 : mask_count[width][radius];
}

const uint32_t *band_masks(uint32_t width, int radius, uint32_t *count)
{
    *count = band_probes(width, radius);
    return masks[width];
}
