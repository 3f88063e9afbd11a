/* PDQ of a luma plane: a 256-bit perceptual fingerprint and a quality of 0 to 100.
 *
 * The steps: blur with a tent (two passes of a box along the rows and along the columns), take 64x64 samples,
 * take the 16x16 lowest frequencies but the constant ones of its cosine transform, set one bit for each
 * coefficient above the lower median. The algorithm is Meta's, described in "PDQ hashing" (2017).
 *
 * The value has to equal the reference implementation's bit for bit, so every float is made by the same
 * operations in the same order as there: single precision throughout, running sums that first add the entering
 * sample and then subtract the leaving one, products added one by one from index 0 up. Where this file is faster
 * it is so by working on many independent sums side by side and by leaving out samples nobody reads; neither
 * changes a rounding.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <float.h>
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
    LANES = 8        /* rows whose running sums advance together */
};

/* Float indices and byte counts must fit ptrdiff_t, and a window a float holds exactly. */
static const Py_ssize_t MAX_SIDE = 1 << 20;

static float dct[BAND][GRID];            /* dct[i][k]: frequency i + 1 at sample k */
static float dct_transposed[GRID][BAND];

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

/* Move the sums of `lanes` lines, `stride` floats apart, to output `o`. */
static inline void advance(const Box *box, float *sum, const float *in, ptrdiff_t stride, int lanes, ptrdiff_t o)
{
    ptrdiff_t enter = o + box->head - 1;
    ptrdiff_t leave = enter - box->window;

    if (enter < box->length) {
        for (int r = 0; r < lanes; r++) {
            sum[r] += in[r * stride + enter];
        }
    }
    if (leave >= 0) {
        for (int r = 0; r < lanes; r++) {
            sum[r] -= in[r * stride + leave];
        }
    }
}

/* Start the sums: the samples that come before the first output is written. */
static inline void begin(const Box *box, float *sum, const float *in, ptrdiff_t stride, int lanes)
{
    for (int r = 0; r < lanes; r++) {
        sum[r] = 0.0f;
    }
    for (ptrdiff_t i = 0; i < box->head - 1; i++) {
        for (int r = 0; r < lanes; r++) {
            sum[r] += in[r * stride + i];
        }
    }
}

/* Blur `lanes` rows along the row, every output written. */
static inline void blur_rows(const Box *box, const float *in, float *out, int lanes)
{
    const ptrdiff_t width = box->length;
    const int exact = is_power_of_two(box->window);
    const float share = 1.0f / (float)box->window;
    float sum[LANES];

    begin(box, sum, in, width, lanes);
    for (ptrdiff_t o = 0; o < width; o++) {
        ptrdiff_t count = held(box, o);
        advance(box, sum, in, width, lanes, o);
        if (exact && count == box->window) {
            for (int r = 0; r < lanes; r++) {
                out[r * width + o] = sum[r] * share;
            }
        } else {
            for (int r = 0; r < lanes; r++) {
                out[r * width + o] = sum[r] / (float)count;
            }
        }
    }
}

/* Blur `lanes` rows along the row; only the 64 outputs at `columns` are written. */
static inline void blur_rows_sampled(const Box *box, const float *in, float *out, int lanes, const ptrdiff_t *columns)
{
    ptrdiff_t o = 0;
    float sum[LANES];

    begin(box, sum, in, box->length, lanes);
    for (int j = 0; j < GRID; j++) {
        /* A narrow picture is sampled several times at the same column. */
        for (; o <= columns[j]; o++) {
            advance(box, sum, in, box->length, lanes, o);
        }
        float count = (float)held(box, columns[j]);
        for (int r = 0; r < lanes; r++) {
            out[r * GRID + j] = sum[r] / count;
        }
    }
}

static void blur_all_rows(const Box *box, const float *in, float *out, ptrdiff_t height)
{
    ptrdiff_t row = 0;

    for (; row + LANES <= height; row += LANES) {
        blur_rows(box, in + row * box->length, out + row * box->length, LANES);
    }
    for (; row < height; row++) {
        blur_rows(box, in + row * box->length, out + row * box->length, 1);
    }
}

/* One step down the columns of a plane of `width`: move the sums to output row `o` and, if asked, write that row. */
static void blur_columns_step(const Box *box, const float *in, ptrdiff_t width, float *restrict sum, float *restrict out,
                              ptrdiff_t o)
{
    ptrdiff_t enter = o + box->head - 1;
    ptrdiff_t leave = enter - box->window;

    if (enter < box->length && leave >= 0) {
        const float *entering = in + enter * width;
        const float *leaving = in + leave * width;
        for (ptrdiff_t j = 0; j < width; j++) {
            sum[j] = (sum[j] + entering[j]) - leaving[j];
        }
    } else if (enter < box->length) {
        for (ptrdiff_t j = 0; j < width; j++) {
            sum[j] += in[enter * width + j];
        }
    } else if (leave >= 0) {
        for (ptrdiff_t j = 0; j < width; j++) {
            sum[j] -= in[leave * width + j];
        }
    }
    if (out != NULL) {
        ptrdiff_t count = held(box, o);
        if (is_power_of_two(count)) {
            const float share = 1.0f / (float)count;
            for (ptrdiff_t j = 0; j < width; j++) {
                out[j] = sum[j] * share;
            }
        } else {
            for (ptrdiff_t j = 0; j < width; j++) {
                out[j] = sum[j] / (float)count;
            }
        }
    }
}

static void blur_columns_begin(const Box *box, const float *in, ptrdiff_t width, float *sum)
{
    memset(sum, 0, (size_t)width * sizeof *sum);
    for (ptrdiff_t i = 0; i < box->head - 1; i++) {
        for (ptrdiff_t j = 0; j < width; j++) {
            sum[j] += in[i * width + j];
        }
    }
}

static void sample_positions(ptrdiff_t length, ptrdiff_t positions[GRID])
{
    for (int i = 0; i < GRID; i++) {
        positions[i] = (ptrdiff_t)(((i + 0.5) * (double)length) / GRID);
    }
}

/* The picture, blurred twice and sampled. 0, or -1 without memory. */
static int downsample(const float *luma, ptrdiff_t height, ptrdiff_t width, float grid[GRID][GRID])
{
    if (height == GRID && width == GRID) {
        memcpy(grid, luma, sizeof(float[GRID][GRID]));
        return 0;
    }

    const Box along_rows = box_for(width);
    const Box along_columns = box_for(height);
    ptrdiff_t columns[GRID];
    ptrdiff_t rows[GRID];
    float grid_sum[GRID];
    int status = -1;

    sample_positions(width, columns);
    sample_positions(height, rows);

    float *first = malloc((size_t)height * (size_t)width * sizeof *first);
    float *narrow = malloc((size_t)height * GRID * sizeof *narrow);
    float *sum = malloc((size_t)width * sizeof *sum);
    float *block = malloc((size_t)width * LANES * sizeof *block);
    if (first == NULL || narrow == NULL || sum == NULL || block == NULL) {
        goto done;
    }

    blur_all_rows(&along_rows, luma, first, height);

    /* The first pass down the columns and the second along the rows, a few rows at a time while they are in cache. */
    blur_columns_begin(&along_columns, first, width, sum);
    for (ptrdiff_t row = 0; row < height; row += LANES) {
        int lanes = height - row < LANES ? (int)(height - row) : LANES;
        for (int r = 0; r < lanes; r++) {
            blur_columns_step(&along_columns, first, width, sum, block + r * width, row + r);
        }
        if (lanes == LANES) {
            blur_rows_sampled(&along_rows, block, narrow + row * GRID, LANES, columns);
        } else {
            blur_rows_sampled(&along_rows, block, narrow + row * GRID, lanes, columns);
        }
    }

    blur_columns_begin(&along_columns, narrow, GRID, grid_sum);
    ptrdiff_t o = 0;
    for (int i = 0; i < GRID; i++) {
        if (i > 0 && rows[i] == rows[i - 1]) {
            memcpy(grid[i], grid[i - 1], sizeof grid[i]);
            continue;
        }
        for (; o <= rows[i]; o++) {
            blur_columns_step(&along_columns, narrow, GRID, grid_sum, o == rows[i] ? grid[i] : NULL, o);
        }
    }
    status = 0;

done:
    free(block);
    free(sum);
    free(narrow);
    free(first);
    return status;
}

/* A gradient counts by whole hundredths of the luma range, so that faint ones do not count at all. */
static int gradient(float u, float v)
{
    return abs((int)(((u - v) * 100) / 255));
}

static int quality_of(float grid[GRID][GRID])
{
    int total = 0;

    for (int i = 0; i < GRID; i++) {
        for (int j = 0; j < GRID; j++) {
            if (i + 1 < GRID) {
                total += gradient(grid[i][j], grid[i + 1][j]);
            }
            if (j + 1 < GRID) {
                total += gradient(grid[i][j], grid[i][j + 1]);
            }
        }
    }
    total /= 90;
    return total < 100 ? total : 100;
}

static void transform(float grid[GRID][GRID], float out[BITS])
{
    for (int i = 0; i < BAND; i++) {
        float line[GRID] = {0};
        float *sums = out + i * BAND;

        for (int k = 0; k < GRID; k++) {
            for (int j = 0; j < GRID; j++) {
                line[j] += dct[i][k] * grid[k][j];
            }
        }
        memset(sums, 0, BAND * sizeof *sums);
        for (int k = 0; k < GRID; k++) {
            for (int j = 0; j < BAND; j++) {
                sums[j] += line[k] * dct_transposed[k][j];
            }
        }
    }
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The value's first byte holds the bits of the highest frequencies, as the text form is printed. */
static void bits_above_median(const float coefficients[BITS], unsigned char value[BITS / 8])
{
    float sorted[BITS];

    memcpy(sorted, coefficients, sizeof sorted);
    qsort(sorted, BITS, sizeof *sorted, ascending);
    const float median = sorted[BITS / 2 - 1];

    memset(value, 0, BITS / 8);
    for (int k = 0; k < BITS; k++) {
        if (coefficients[k] > median) {
            value[BITS / 8 - 1 - k / 8] |= (unsigned char)(1u << (k % 8));
        }
    }
}

/* Outside 0..255 lies nothing a picture holds, and NaN or infinity would make the conversions below undefined. */
static int in_range(const float *luma, size_t count)
{
    int bad = 0;

    for (size_t i = 0; i < count; i++) {
        bad |= !(luma[i] >= 0.0f && luma[i] <= 255.0f);
    }
    return !bad;
}

PyDoc_STRVAR(compute_doc,
             "compute(luma, /)\n--\n\n"
             "PDQ of a C-contiguous float32 buffer of height x width, each side at least 5, values 0 to 255.\n\n"
             "Returns (value as 32 bytes, quality 0 to 100). Raises BufferError or TypeError for another kind of\n"
             "object, ValueError for a bad shape or a value out of range, MemoryError.");

static PyObject *compute(PyObject *module, PyObject *object)
{
    (void)module;
    Py_buffer view;
    float grid[GRID][GRID];
    float coefficients[BITS];
    unsigned char value[BITS / 8];
    int quality = 0;
    int usable = 0;
    int status = 0;
    PyObject *result = NULL;

    if (PyObject_GetBuffer(object, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) {
        return NULL;
    }
    if (view.ndim != 2 || view.itemsize != (Py_ssize_t)sizeof(float) || view.format == NULL ||
        strcmp(view.format, "f") != 0) {
        PyErr_SetString(PyExc_TypeError, "luma must be a two-dimensional buffer of native float32");
        goto done;
    }
    const Py_ssize_t height = view.shape[0];
    const Py_ssize_t width = view.shape[1];
    if (height < MIN_SIDE || width < MIN_SIDE) {
        PyErr_Format(PyExc_ValueError, "luma must be at least %d x %d, not %zd x %zd", MIN_SIDE, MIN_SIDE, height, width);
        goto done;
    }
    if (height > MAX_SIDE || width > MAX_SIDE || height > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(float) / width ||
        view.len != height * width * (Py_ssize_t)sizeof(float)) {
        PyErr_Format(PyExc_ValueError, "luma of %zd x %zd is too large", height, width);
        goto done;
    }
    if ((uintptr_t)view.buf % _Alignof(float) != 0) {
        PyErr_SetString(PyExc_ValueError, "luma must be aligned to its float32 values");
        goto done;
    }

    Py_BEGIN_ALLOW_THREADS
    usable = in_range(view.buf, (size_t)height * (size_t)width);
    if (usable) {
        status = downsample(view.buf, height, width, grid);
        if (status == 0) {
            quality = quality_of(grid);
            transform(grid, coefficients);
            bits_above_median(coefficients, value);
        }
    }
    Py_END_ALLOW_THREADS

    if (!usable) {
        PyErr_SetString(PyExc_ValueError, "luma must lie between 0 and 255");
    } else if (status != 0) {
        PyErr_NoMemory();
    } else {
        result = Py_BuildValue("(y#i)", (const char *)value, (Py_ssize_t)sizeof value, quality);
    }

done:
    PyBuffer_Release(&view);
    return result;
}

static PyMethodDef methods[] = {
    {"compute", compute, METH_O, compute_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_pdq", "The PDQ kernel.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__pdq(void)
{
    fill_dct();
    return PyModule_Create(&definition);
}
