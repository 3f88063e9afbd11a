/* What every kind of code in _pdq.c works with: sizes, tables, the box of the blur, the taps of the resize. */
#ifndef RECLAIM_PDQ_SHARED_H
#define RECLAIM_PDQ_SHARED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if !defined(FLT_EVAL_METHOD) || FLT_EVAL_METHOD != 0
#error "PDQ needs single-precision arithmetic without excess precision; on 32-bit x86 build with -msse2 -mfpmath=sse"
#endif
#ifdef __FAST_MATH__
#error "PDQ values change under -ffast-math; build without it"
#endif

enum {
    GRID = 64,       /* the blurred picture is sampled on a 64x64 grid */
    BAND = 16,       /* frequencies 1 to 16 in each direction are kept */
    BITS = BAND * BAND,
    MIN_SIDE = 5,    /* the reference hashes nothing smaller */
    LANES = 32,      /* rows whose running sums advance together */
    SHARE = 32,      /* bytes that are weighed together when resizing */
    PRECISION = 22,  /* bits behind the point of a weight */
    HALF = 1 << (PRECISION - 1),
    VIEW_SIDE = 512, /* the square whose samples a view's are at */
    VIEW_REACH = 4,  /* pixels of it that a sample's triangle reaches to either side */
    TURNS = 8,
    VIEW_BYTES = TURNS * BITS / 8 + 1, /* eight values and a quality */
    MOST_VIEWS = 256
};

/* Float indices and byte counts must fit ptrdiff_t, and a window a float holds exactly. */
static const Py_ssize_t MAX_SIDE = 1 << 20;

static float dct[BAND][GRID];            /* dct[i][k]: frequency i + 1 at sample k */
static float dct_transposed[GRID][BAND];

/* Pixels of either kind, row after row; the other pointer is NULL. */
typedef struct {
    const uint8_t *bytes;
    const float *floats;
    ptrdiff_t height;
    ptrdiff_t width;
} Plane;

/* Where a part lies: its upper left corner, and from there the ways to its upper right and its lower left one, in pixels. */
typedef struct {
    double x, y;
    double across_x, across_y;
    double down_x, down_y;
} View;

static void fill_dct(void)
{
    const double pi = 3.14159265358979323846;
    const float scale = (float)sqrt(2.0 / GRID);

    for (int i = 0; i < BAND; i++) {
        for (int k = 0; k < GRID; k++) {
            double angle = (pi / 2.0 / GRID) * (double)(i + 1) * (double)(2 * k + 1);
            dct[i][k] = (float)(scale * cos(angle));
            dct_transposed[k][i] = dct[i][k];
        }
    }
}

/* A running mean over `window` samples, clipped at both ends of a line of `length`. Output `o` is written while
 * the sum holds the samples [o + head - window, o + head), so the window leans to the right when it is even. */
typedef struct {
    ptrdiff_t length;
    ptrdiff_t window;
    ptrdiff_t head;
} Box;

static Box box_for(ptrdiff_t length)
{
    ptrdiff_t window = (length + 2 * GRID - 1) / (2 * GRID);
    Box box = {length, window, (window + 2) / 2};
    return box;
}

/* Multiplying by 1/n rounds as dividing by n does when n is a power of two: 1/n is then exact. */
static int is_power_of_two(ptrdiff_t n)
{
    return (n & (n - 1)) == 0;
}

/* How many samples the sum holds when output `o` is written. */
static ptrdiff_t held(const Box *box, ptrdiff_t o)
{
    ptrdiff_t from = o + box->head - box->window;
    ptrdiff_t to = o + box->head;

    return (to < box->length ? to : box->length) - (from > 0 ? from : 0);
}

static void sample_positions(ptrdiff_t length, ptrdiff_t positions[GRID])
{
    for (int i = 0; i < GRID; i++) {
        positions[i] = (ptrdiff_t)(((i + 0.5) * (double)length) / GRID);
    }
}

/* Which inputs make each output of a resize, and by how much of 1 << PRECISION each counts. */
typedef struct {
    ptrdiff_t outputs;
    ptrdiff_t most;     /* weights kept for each output */
    ptrdiff_t *first;
    int *count;
    int32_t *weight;
} Taps;

static void free_taps(Taps *taps)
{
    free(taps->first);
    free(taps->count);
    free(taps->weight);
}

/* A triangle as wide as the reduction asks, its weights in whole numbers, as Pillow rounds them. 0, or -1 without
 * memory; `free_taps` either way. */
static int fill_taps(Taps *taps, ptrdiff_t inputs, ptrdiff_t outputs)
{
    const double scale = (double)inputs / (double)outputs;
    const double support = scale > 1.0 ? scale : 1.0;
    const ptrdiff_t most = (ptrdiff_t)ceil(support) * 2 + 1;
    double *share = malloc((size_t)most * sizeof *share);

    taps->outputs = outputs;
    taps->most = most;
    taps->first = malloc((size_t)outputs * sizeof *taps->first);
    taps->count = malloc((size_t)outputs * sizeof *taps->count);
    taps->weight = malloc((size_t)outputs * (size_t)most * sizeof *taps->weight);
    if (share == NULL || taps->first == NULL || taps->count == NULL || taps->weight == NULL) {
        free(share);
        return -1;
    }
    for (ptrdiff_t o = 0; o < outputs; o++) {
        const double centre = ((double)o + 0.5) * scale;
        ptrdiff_t from = (ptrdiff_t)(centre - support + 0.5);
        ptrdiff_t to = (ptrdiff_t)(centre + support + 0.5);
        double all = 0.0;
        from = from > 0 ? from : 0;
        to = to < inputs ? to : inputs;
        for (ptrdiff_t i = from; i < to; i++) {
            const double away = fabs(((double)i - centre + 0.5) * (1.0 / support));
            share[i - from] = away < 1.0 ? 1.0 - away : 0.0;
            all += share[i - from];
        }
        taps->first[o] = from;
        taps->count[o] = (int)(to - from);
        for (ptrdiff_t i = 0; i < to - from; i++) {
            taps->weight[o * most + i] = (int32_t)(0.5 + (share[i] / all) * (1 << PRECISION));
        }
    }
    free(share);
    return 0;
}

typedef float Floats8 __attribute__((vector_size(32)));
typedef int32_t Ints8 __attribute__((vector_size(32)));
typedef uint8_t Bytes16 __attribute__((vector_size(16)));

#if defined(__clang__)
#define MIX_FLOATS(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define MIX_BYTES(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define MIX_FLOATS(a, b, ...) __builtin_shuffle(a, b, (Ints8){__VA_ARGS__})
#define MIX_BYTES(a, b, ...) __builtin_shuffle(a, b, (Bytes16){__VA_ARGS__})
#endif

#endif
