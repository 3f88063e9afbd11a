/* PDQ of a luma plane (a 256-bit perceptual fingerprint and a quality of 0 to 100), and the resizing that goes before.
 *
 * The steps of PDQ: blur with a tent (two passes of a box along the rows and along the columns), take 64x64 samples,
 * take the 16x16 lowest frequencies but the constant ones of its cosine transform, set one bit for each
 * coefficient above the lower median. The algorithm is Meta's, described in "PDQ hashing" (2017).
 *
 * The value has to equal the reference implementation's bit for bit, so every float is made by the same
 * operations in the same order as there: single precision throughout, running sums that first add the entering
 * sample and then subtract the leaving one, products added one by one from index 0 up. Where this file is faster
 * it is so by working on many independent sums side by side and by leaving out samples nobody reads; neither
 * changes a rounding.
 */
#include "_pdq_shared.h"

/* What one kind of processor can run. */
typedef struct {
    const char *title;
    int (*pdq)(const Plane *luma, unsigned char value[BITS / 8], int *quality);
    void (*resize_rows)(const uint8_t *in, ptrdiff_t height, ptrdiff_t width, const Taps *taps, uint8_t *before,
                        uint8_t *after, uint8_t *out);
    void (*weigh)(const uint8_t *in, ptrdiff_t width, const Taps *taps, uint8_t *out);
    void (*turn_bytes)(const uint8_t *in, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t in_stride, uint8_t *out,
                       ptrdiff_t out_stride);
    int (*views)(const Plane *luma, const View *views, ptrdiff_t count, unsigned char *out);
} Kernel;

#define KERNEL(title_) {title_, NAME(pdq), NAME(resize_rows), NAME(weigh), NAME(turn_bytes), NAME(views)}

#if defined(__x86_64__)
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi,popcnt")))
#define NAME(x) x##_avx512
#include "_tile_impl.h"
#include "_pdq_impl.h"
#include "_resize_impl.h"
#include "_views_impl.h"
static const Kernel kernel_avx512 = KERNEL("avx512");
#undef TARGET
#undef NAME

#define TARGET __attribute__((target("avx2,bmi,popcnt")))
#define NAME(x) x##_avx2
#include "_tile_impl.h"
#include "_pdq_impl.h"
#include "_resize_impl.h"
#include "_views_impl.h"
static const Kernel kernel_avx2 = KERNEL("avx2");
#undef TARGET
#undef NAME
#endif

#define TARGET
#define NAME(x) x##_plain
#include "_tile_impl.h"
#include "_pdq_impl.h"
#include "_resize_impl.h"
#include "_views_impl.h"
static const Kernel kernel_plain = KERNEL("plain");

enum { MOST_KERNELS = 3 };
static const Kernel *usable[MOST_KERNELS]; /* here, best first */
static int usable_count;
static const Kernel *kernel;

static void find_kernels(void)
{
    usable_count = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        usable[usable_count++] = &kernel_avx512;
    }
    if (avx2) {
        usable[usable_count++] = &kernel_avx2;
    }
#endif
    usable[usable_count++] = &kernel_plain;
    kernel = usable[0];
}

/* Outside 0..255 lies nothing a picture holds, and NaN or infinity would make the conversions undefined. */
static int in_range(const float *luma, size_t count)
{
    int bad = 0;

    for (size_t i = 0; i < count; i++) {
        bad |= !((luma[i] >= 0.0f) & (luma[i] <= 255.0f));
    }
    return !bad;
}

/* A plane out of any object with a buffer: two dimensions, each at least `least`, of native float32 (if `floats`) or
 * uint8. 0, or -1 with an exception set; `PyBuffer_Release` only after 0. */
static int plane_of(PyObject *object, Py_ssize_t least, int floats, Py_buffer *view, Plane *plane)
{
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) {
        return -1;
    }
    const int of_floats = floats && view->format != NULL && strcmp(view->format, "f") == 0 &&
                          view->itemsize == (Py_ssize_t)sizeof(float);
    const int of_bytes = view->format != NULL && strcmp(view->format, "B") == 0 && view->itemsize == 1;
    if (view->ndim != 2 || !(of_floats || of_bytes)) {
        PyErr_Format(PyExc_TypeError, "luma must be a two-dimensional buffer of uint8%s",
                     floats ? " or native float32" : "");
        goto refused;
    }
    const Py_ssize_t height = view->shape[0];
    const Py_ssize_t width = view->shape[1];
    if (height < least || width < least) {
        PyErr_Format(PyExc_ValueError, "luma must be at least %zd x %zd, not %zd x %zd", least, least, height, width);
        goto refused;
    }
    if (height > MAX_SIDE || width > MAX_SIDE || height > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(float) / width ||
        view->len != height * width * view->itemsize) {
        PyErr_Format(PyExc_ValueError, "luma of %zd x %zd is too large", height, width);
        goto refused;
    }
    if (of_floats && (uintptr_t)view->buf % _Alignof(float) != 0) {
        PyErr_SetString(PyExc_ValueError, "luma must be aligned to its float32 values");
        goto refused;
    }
    plane->bytes = of_bytes ? view->buf : NULL;
    plane->floats = of_floats ? view->buf : NULL;
    plane->height = height;
    plane->width = width;
    return 0;

refused:
    PyBuffer_Release(view);
    return -1;
}

PyDoc_STRVAR(compute_doc,
             "compute(luma, /)\n--\n\n"
             "PDQ of a C-contiguous buffer of height x width, each side at least 5: uint8, or float32 from 0 to 255.\n\n"
             "Returns (value as 32 bytes, quality 0 to 100). Raises BufferError or TypeError for another kind of\n"
             "object, ValueError for a bad shape or a value out of range, MemoryError.");

static PyObject *compute(PyObject *module, PyObject *object)
{
    (void)module;
    const Kernel *here = kernel;
    Py_buffer view;
    Plane luma;
    unsigned char value[BITS / 8];
    int quality = 0;
    int usable_values = 0;
    int status = 0;

    if (plane_of(object, MIN_SIDE, 1, &view, &luma) != 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    usable_values = luma.floats == NULL || in_range(luma.floats, (size_t)luma.height * (size_t)luma.width);
    if (usable_values) {
        status = here->pdq(&luma, value, &quality);
    }
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&view);

    if (!usable_values) {
        PyErr_SetString(PyExc_ValueError, "luma must lie between 0 and 255");
        return NULL;
    }
    if (status != 0) {
        return PyErr_NoMemory();
    }
    return Py_BuildValue("(y#i)", (const char *)value, (Py_ssize_t)sizeof value, quality);
}

/* Resize one side to `length`: along the rows, or along the columns. */
static PyObject *resize(PyObject *args, int along_rows)
{
    const Kernel *here = kernel;
    Py_buffer view;
    Plane luma;
    PyObject *object;
    Py_ssize_t length;
    Taps taps = {0};
    uint8_t *before = NULL, *after = NULL;
    int status;

    if (!PyArg_ParseTuple(args, "On", &object, &length)) {
        return NULL;
    }
    if (length < 1 || length > MAX_SIDE) {
        PyErr_Format(PyExc_ValueError, "a side of %zd cannot be made", length);
        return NULL;
    }
    if (plane_of(object, 1, 0, &view, &luma) != 0) {
        return NULL;
    }
    const Py_ssize_t other = along_rows ? luma.height : luma.width;
    PyObject *result = PyBytes_FromStringAndSize(NULL, other * length);
    if (result == NULL) {
        PyBuffer_Release(&view);
        return NULL;
    }
    uint8_t *out = (uint8_t *)PyBytes_AS_STRING(result);

    Py_BEGIN_ALLOW_THREADS
    status = fill_taps(&taps, along_rows ? luma.width : luma.height, length);
    if (status == 0 && along_rows) {
        before = malloc((size_t)luma.width * SHARE);
        after = malloc((size_t)length * SHARE);
        if (before != NULL && after != NULL) {
            here->resize_rows(luma.bytes, luma.height, luma.width, &taps, before, after, out);
        } else {
            status = -1;
        }
    } else if (status == 0) {
        here->weigh(luma.bytes, luma.width, &taps, out);
    }
    free(before);
    free(after);
    free_taps(&taps);
    Py_END_ALLOW_THREADS

    PyBuffer_Release(&view);
    if (status != 0) {
        Py_DECREF(result);
        return PyErr_NoMemory();
    }
    return result;
}

PyDoc_STRVAR(resize_rows_doc,
             "resize_rows(luma, width, /)\n--\n\n"
             "Each row of a C-contiguous uint8 buffer of two dimensions resized to so many pixels, 1 to 1048576, with a\n"
             "triangle filter: height x width bytes, equal to Pillow's. Raises BufferError, TypeError, ValueError,\n"
             "MemoryError.");

static PyObject *resize_rows(PyObject *module, PyObject *args)
{
    (void)module;
    return resize(args, 1);
}

PyDoc_STRVAR(resize_columns_doc, "resize_columns(luma, height, /)\n--\n\nThe same for each column.");

static PyObject *resize_columns(PyObject *module, PyObject *args)
{
    (void)module;
    return resize(args, 0);
}

PyDoc_STRVAR(transpose_doc,
             "transpose(luma, /)\n--\n\n"
             "Rows and columns of a C-contiguous uint8 buffer of two dimensions exchanged: width x height bytes. Raises\n"
             "BufferError, TypeError, ValueError, MemoryError.");

static PyObject *transpose(PyObject *module, PyObject *object)
{
    (void)module;
    const Kernel *here = kernel;
    Py_buffer view;
    Plane luma;

    if (plane_of(object, 1, 0, &view, &luma) != 0) {
        return NULL;
    }
    PyObject *result = PyBytes_FromStringAndSize(NULL, luma.height * luma.width);
    if (result != NULL) {
        uint8_t *out = (uint8_t *)PyBytes_AS_STRING(result);
        Py_BEGIN_ALLOW_THREADS
        here->turn_bytes(luma.bytes, luma.height, luma.width, luma.width, out, luma.height);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&view);
    return result;
}

PyDoc_STRVAR(views_doc,
             "views(luma, places, /)\n--\n\n"
             "PDQ of up to 256 parts of a C-contiguous uint8 buffer of two dimensions, each in its eight turns.\n\n"
             "`places` is a C-contiguous buffer of (n, 6) native float64: for each part the pixel x and y of its upper left\n"
             "corner, and the ways from there to its upper right and its lower left one. A part that lies upright must be\n"
             "within the picture and at most 512 pixels along each side; one that is askew is continued beyond by the picture's edge, and not turned. Returns 257\n"
             "bytes for each: eight values of 32, zeros for those that are not made, and the quality of the first. Raises\n"
             "BufferError, TypeError, ValueError, MemoryError.");

/* A part of which samples can be taken: no number is absurd, no side too short, and none upright outside the plane. */
static int is_view(const View *view, const Plane *luma)
{
    const double numbers[] = {view->x, view->y, view->across_x, view->across_y, view->down_x, view->down_y};
    const double most = 4.0 * (double)(luma->width > luma->height ? luma->width : luma->height);

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (!(fabs(numbers[i]) <= most)) { /* a NaN is no number either */
            return 0;
        }
    }
    if (!(view->across_x >= MIN_SIDE && view->down_y >= MIN_SIDE)) {
        return 0;
    }
    const double edge = 1e-6;
    if (!(view->across_x <= VIEW_SIDE + edge && view->down_y <= VIEW_SIDE + edge) && view->across_y == 0.0 &&
        view->down_x == 0.0) {
        return 0; /* of a longer side more pixels go into one sample than it has room for */
    }
    return view->across_y != 0.0 || view->down_x != 0.0 ||
           (view->x >= -edge && view->y >= -edge && view->x + view->across_x <= (double)luma->width + edge &&
            view->y + view->down_y <= (double)luma->height + edge);
}

static PyObject *views(PyObject *module, PyObject *args)
{
    (void)module;
    const Kernel *here = kernel;
    Py_buffer view, places;
    Plane luma;
    PyObject *object, *where;
    PyObject *result = NULL;
    int status = 0;

    if (!PyArg_ParseTuple(args, "OO", &object, &where) || plane_of(object, MIN_SIDE, 0, &view, &luma) != 0) {
        return NULL;
    }
    if (PyObject_GetBuffer(where, &places, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) {
        PyBuffer_Release(&view);
        return NULL;
    }
    if (places.format == NULL || strcmp(places.format, "d") != 0 || places.ndim != 2 || places.shape[1] != 6 ||
        places.itemsize != sizeof(double) || (uintptr_t)places.buf % _Alignof(View) != 0) {
        PyErr_SetString(PyExc_TypeError, "places must be a two-dimensional buffer of native float64, six a row");
        goto done;
    }
    const Py_ssize_t count = places.shape[0];
    const View *parts = places.buf;
    if (count > MOST_VIEWS) {
        PyErr_Format(PyExc_ValueError, "at most %d parts, not %zd", MOST_VIEWS, count);
        goto done;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!is_view(&parts[i], &luma)) {
            PyErr_SetString(PyExc_ValueError, "a part must lie in the picture and have sides of 5 to 512 pixels");
            goto done;
        }
    }
    result = PyBytes_FromStringAndSize(NULL, count * VIEW_BYTES);
    if (result != NULL) {
        unsigned char *out = (unsigned char *)PyBytes_AS_STRING(result);
        Py_BEGIN_ALLOW_THREADS
        status = here->views(&luma, parts, count, out);
        Py_END_ALLOW_THREADS
        if (status != 0) {
            Py_CLEAR(result);
            PyErr_NoMemory();
        }
    }

done:
    PyBuffer_Release(&places);
    PyBuffer_Release(&view);
    return result;
}

PyDoc_STRVAR(kernels_doc, "kernels()\n--\n\nThe kinds of code this processor can run, the one in use by default first.");

static PyObject *kernels(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    PyObject *titles = PyTuple_New(usable_count);

    for (int i = 0; titles != NULL && i < usable_count; i++) {
        PyObject *title = PyUnicode_FromString(usable[i]->title);
        if (title == NULL) {
            Py_CLEAR(titles);
        } else {
            PyTuple_SET_ITEM(titles, i, title);
        }
    }
    return titles;
}

PyDoc_STRVAR(use_doc, "use(title, /)\n--\n\nRun this kind of code from now on. Raises ValueError if there is none such here.");

static PyObject *use(PyObject *module, PyObject *object)
{
    (void)module;
    const char *title = PyUnicode_AsUTF8(object);

    if (title == NULL) {
        return NULL;
    }
    for (int i = 0; i < usable_count; i++) {
        if (strcmp(usable[i]->title, title) == 0) {
            kernel = usable[i];
            Py_RETURN_NONE;
        }
    }
    PyErr_SetString(PyExc_ValueError, "this processor has no such kernel");
    return NULL;
}

static PyMethodDef methods[] = {
    {"compute", compute, METH_O, compute_doc},
    {"kernels", kernels, METH_NOARGS, kernels_doc},
    {"resize_columns", resize_columns, METH_VARARGS, resize_columns_doc},
    {"resize_rows", resize_rows, METH_VARARGS, resize_rows_doc},
    {"transpose", transpose, METH_O, transpose_doc},
    {"use", use, METH_O, use_doc},
    {"views", views, METH_VARARGS, views_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_pdq", "The PDQ kernel.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__pdq(void)
{
    fill_dct();
    find_kernels();
    return PyModule_Create(&definition);
}
