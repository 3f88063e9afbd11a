/* All keys by their number of bits: what a key is combined with to get its neighbours. */
#include "kernel.h"

static uint16_t masks[MAX_PROBES];
static uint32_t counts[MAX_BAND_RADIUS + 1];

void masks_init(void)
{
    uint32_t count = 0;
    for (int bits = 0; bits <= MAX_BAND_RADIUS; bits++) {
        for (uint32_t mask = 0; mask < KEYS; mask++) {
            if (__builtin_popcount(mask) == bits) {
                masks[count++] = (uint16_t)mask;
            }
        }
        counts[bits] = count;
    }
}

uint32_t band_probes(int radius)
{
    return radius < 0 ? 0 : counts[radius];
}

const uint16_t *band_masks(void)
{
    return masks;
}
