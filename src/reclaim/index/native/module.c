/* The Python side of the index: one type, safe to share between threads.
 *
 * Searches hold a read lock, changes a write lock, all without the GIL. A lock is never waited for with the GIL held,
 * and Python code is never called with a lock held; so neither can wait for the other.
 */
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include <Python.h>

#include "kernel.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    PyObject_HEAD
    pthread_rwlock_t lock;
    int ready;
    Mode mode;
    Segment *main; /* NULL before the first merge */
    Delta delta;
    int merging;         /* held by the GIL: one merge at a time */
    int keep_removed;    /* while a merge works on copies, removals are noted to be repeated on its result */
    int removed_lost;
    int64_t *removed;
    size_t removed_count, removed_room;
} Index;

enum { MAX_KERNELS = 4, DELTA_LEAST = 16384, DELTA_SHARE = 256 };

static const Kernel *kernels[MAX_KERNELS];
static size_t kernel_count;
static const Kernel *in_use;
static PyObject *fault_type; /* raised with (kind) for a file that cannot be used */

static const char *const FAULT_NAMES[] = {"ok", "system", "foreign", "version", "truncated", "damaged", "memory"};

static void pause_reading(Index *self)
{
    pthread_rwlock_wrlock(&self->lock);
}

/* ---- copies of what Python hands in ---- */

static Code *codes_from(PyObject *object, uint32_t *count)
{
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    Code *codes = NULL;
    if (view.len % CODE_BYTES != 0 || (uint64_t)(view.len / CODE_BYTES) > MAX_ROWS) {
        PyErr_Format(PyExc_ValueError, "codes must be a multiple of %d bytes, not %zd", CODE_BYTES, view.len);
    } else {
        *count = (uint32_t)(view.len / CODE_BYTES);
        codes = malloc((size_t)view.len + 1);
        if (codes == NULL) {
            PyErr_NoMemory();
        } else {
            memcpy(codes, view.buf, (size_t)view.len);
        }
    }
    PyBuffer_Release(&view);
    return codes;
}

static int one_code(PyObject *object, Code *code)
{
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    const int fits = view.len == CODE_BYTES;
    if (fits) {
        memcpy(code, view.buf, CODE_BYTES);
    } else {
        PyErr_Format(PyExc_ValueError, "A code has %d bytes, not %zd.", CODE_BYTES, view.len);
    }
    PyBuffer_Release(&view);
    return fits ? 0 : -1;
}

/* 1 and the id, 0 for a whole number that is no id, -1 with an exception. */
static int id_from(PyObject *object, long long *id)
{
    int overflow = 0;
    PyObject *number = PyNumber_Index(object);
    if (number == NULL) {
        return -1;
    }
    *id = PyLong_AsLongLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    return *id == -1 && PyErr_Occurred() ? -1 : !overflow;
}

/* ---- the index, lock held ---- */

static int holds(const Index *self, int64_t id)
{
    return delta_find(&self->delta, id) != NO_ROW || (self->main != NULL && segment_find(self->main, id) != NO_ROW);
}

static size_t size_of(const Index *self)
{
    return self->delta.living + (self->main != NULL ? (size_t)(self->main->n - self->main->dead) : 0);
}

static int wants_merge(const Index *self)
{
    const uint32_t share = self->main != NULL ? self->main->n / DELTA_SHARE : 0;
    return self->delta.rows > (share > DELTA_LEAST ? share : DELTA_LEAST);
}

static int take_out(Index *self, int64_t id)
{
    uint32_t row = delta_find(&self->delta, id);
    if (row != NO_ROW) {
        delta_remove(&self->delta, row);
    } else {
        row = self->main != NULL ? segment_find(self->main, id) : NO_ROW;
        if (row == NO_ROW) {
            return -1;
        }
        segment_remove(self->main, row);
    }
    if (self->keep_removed) {
        if (self->removed_count == self->removed_room) {
            const size_t room = self->removed_room ? 2 * self->removed_room : 64;
            int64_t *removed = realloc(self->removed, room * sizeof *removed);
            if (removed == NULL) {
                self->removed_lost = 1;
                return 0;
            }
            self->removed = removed;
            self->removed_room = room;
        }
        self->removed[self->removed_count++] = id;
    }
    return 0;
}

/* ---- life ---- */

static Index *index_alloc(PyTypeObject *type)
{
    Index *self = (Index *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    pthread_rwlockattr_t how;
    pthread_rwlockattr_init(&how);
#ifdef __GLIBC__
    /* Otherwise a steady stream of searches would keep a withdrawal waiting for ever. */
    pthread_rwlockattr_setkind_np(&how, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    self->ready = pthread_rwlock_init(&self->lock, &how) == 0;
    pthread_rwlockattr_destroy(&how);
    if (!self->ready) {
        PyErr_SetString(PyExc_OSError, "no lock could be made");
        Py_DECREF(self);
        return NULL;
    }
    return self;
}

static PyObject *index_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"compact", NULL};
    int compact = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|p", names, &compact)) {
        return NULL;
    }
    Index *self = index_alloc(type);
    if (self != NULL) {
        self->mode = compact ? MODE_COMPACT : MODE_FAST;
    }
    return (PyObject *)self;
}

static void index_dealloc(Index *self)
{
    PyTypeObject *type = Py_TYPE(self);
    segment_free(self->main);
    delta_clear(&self->delta);
    free(self->removed);
    if (self->ready) {
        pthread_rwlock_destroy(&self->lock);
    }
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

/* ---- changes ---- */

PyDoc_STRVAR(add_doc, "add(id, code, /)\n--\n\nPut in one code of 32 bytes; True if a merge is due. Raises ValueError if\n"
                      "the id is there already.");

static PyObject *index_add(Index *self, PyObject *args)
{
    long long id;
    PyObject *object;
    Code code;
    int status = 0, there = 0, due = 0;
    if (!PyArg_ParseTuple(args, "LO", &id, &object) || one_code(object, &code) < 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    pause_reading(self);
    there = holds(self, id);
    if (!there) {
        status = delta_add(&self->delta, id, &code);
        due = wants_merge(self);
    }
    pthread_rwlock_unlock(&self->lock);
    Py_END_ALLOW_THREADS
    if (there) {
        PyErr_Format(PyExc_ValueError, "The id %lld is there already.", id);
        return NULL;
    }
    return status < 0 ? PyErr_NoMemory() : PyBool_FromLong(due);
}

PyDoc_STRVAR(extend_doc, "extend(codes, ids, /)\n--\n\nPut in codes of 32 bytes each under as many int64 ids, all or\n"
                         "none. Raises ValueError for an id that is there twice.");

static PyObject *index_extend(Index *self, PyObject *args)
{
    PyObject *object;
    Py_buffer ids;
    uint32_t count = 0, done = 0;
    int status = 0;
    int64_t id = 0;
    if (!PyArg_ParseTuple(args, "Oy*", &object, &ids)) {
        return NULL;
    }
    Code *codes = codes_from(object, &count);
    if (codes == NULL || (uint64_t)ids.len != (uint64_t)count * sizeof(int64_t)) {
        if (codes != NULL) {
            PyErr_SetString(PyExc_ValueError, "There must be one id for each code.");
        }
        free(codes);
        PyBuffer_Release(&ids);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    pause_reading(self);
    for (; done < count && status == 0; done++) {
        memcpy(&id, (const char *)ids.buf + done * sizeof id, sizeof id);
        status = holds(self, id) ? 1 : delta_add(&self->delta, id, &codes[done]);
    }
    if (status != 0) {
        for (uint32_t i = 0; i + 1 < done; i++) {
            int64_t undo;
            memcpy(&undo, (const char *)ids.buf + i * sizeof undo, sizeof undo);
            delta_remove(&self->delta, delta_find(&self->delta, undo));
        }
    }
    pthread_rwlock_unlock(&self->lock);
    Py_END_ALLOW_THREADS
    wipe(codes, (size_t)count * sizeof *codes);
    free(codes);
    PyBuffer_Release(&ids);
    if (status > 0) {
        PyErr_Format(PyExc_ValueError, "The id %lld is there twice.", (long long)id);
        return NULL;
    }
    if (status < 0) {
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(remove_doc, "remove(id, /)\n--\n\nTake out one id. Raises KeyError if it is not there.");

static PyObject *index_remove(Index *self, PyObject *object)
{
    long long id;
    int status;
    const int fits = id_from(object, &id);
    if (fits < 0) {
        return NULL;
    }
    if (!fits) {
        PyErr_SetObject(PyExc_KeyError, object);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    pause_reading(self);
    status = take_out(self, id);
    pthread_rwlock_unlock(&self->lock);
    Py_END_ALLOW_THREADS
    if (status < 0) {
        PyErr_SetObject(PyExc_KeyError, object);
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- merging the delta into a new segment ---- */

static Segment *gather(Index *self, uint32_t *delta_rows)
{
    if (size_of(self) > MAX_ROWS) {
        return NULL;
    }
    Segment *s = segment_new((uint32_t)size_of(self), self->mode);
    uint32_t to = 0;
    if (s == NULL) {
        return NULL;
    }
    const Segment *from = self->main;
    for (uint32_t row = 0; from != NULL && row < from->n; row++) {
        if (is_alive(from, row)) {
            s->codes[to] = from->codes[row];
            s->ids[to++] = from->ids[row];
        }
    }
    const Delta *d = &self->delta;
    for (uint32_t row = 0; row < d->rows; row++) {
        if (d->alive[row]) {
            s->codes[to] = d->codes[row];
            s->ids[to++] = d->ids[row];
        }
    }
    *delta_rows = d->rows;
    return s;
}

static int take_over(Index *self, Segment *merged, uint32_t delta_rows, Segment **old, Delta *old_delta)
{
    Delta rest;
    memset(&rest, 0, sizeof rest);
    for (uint32_t row = delta_rows; row < self->delta.rows; row++) {
        if (self->delta.alive[row] && delta_add(&rest, self->delta.ids[row], &self->delta.codes[row]) < 0) {
            delta_clear(&rest);
            return -1;
        }
    }
    for (size_t i = 0; i < self->removed_count; i++) {
        const uint32_t row = segment_find(merged, self->removed[i]);
        if (row != NO_ROW) {
            segment_remove(merged, row);
        }
    }
    *old = self->main;
    *old_delta = self->delta;
    self->main = merged;
    self->delta = rest;
    return 0;
}

PyDoc_STRVAR(merge_doc, "merge(progress=None, /)\n--\n\nBuild the main structure anew from everything there is. Searches and\n"
                        "changes go on meanwhile. progress(done, total) is called between the steps.\n"
                        "False if another merge is under way.");

static PyObject *index_merge(Index *self, PyObject *args)
{
    PyObject *progress = Py_None;
    uint32_t delta_rows = 0;
    int status = 0, told = 0;
    if (!PyArg_ParseTuple(args, "|O", &progress)) {
        return NULL;
    }
    if (self->merging) {
        Py_RETURN_FALSE;
    }
    self->merging = 1;
    Segment *merged = NULL, *old = NULL;
    Delta old_delta;
    memset(&old_delta, 0, sizeof old_delta);
    Py_BEGIN_ALLOW_THREADS
    pause_reading(self);
    self->keep_removed = 1;
    self->removed_count = 0;
    self->removed_lost = 0;
    pthread_rwlock_unlock(&self->lock);
    pthread_rwlock_rdlock(&self->lock);
    merged = gather(self, &delta_rows);
    pthread_rwlock_unlock(&self->lock);
    if (merged == NULL) {
        status = -1;
    } else {
        segment_build_map(merged);
    }
    for (uint32_t b = 0; status == 0 && b < merged->bands; b++) {
        status = segment_build_band(merged, b);
        if (status == 0 && progress != Py_None) {
            Py_BLOCK_THREADS
            PyObject *answer = PyObject_CallFunction(progress, "II", (unsigned)(b + 1), (unsigned)merged->bands);
            told = answer == NULL;
            Py_XDECREF(answer);
            Py_UNBLOCK_THREADS
            status = told ? -1 : 0;
        }
    }
    pause_reading(self);
    if (status == 0 && self->removed_lost) {
        status = -1;
    }
    if (status == 0) {
        status = take_over(self, merged, delta_rows, &old, &old_delta);
    }
    self->keep_removed = 0;
    self->removed_count = 0;
    pthread_rwlock_unlock(&self->lock);
    segment_free(status == 0 ? old : merged);
    delta_clear(&old_delta);
    Py_END_ALLOW_THREADS
    self->merging = 0;
    if (status != 0) {
        return told ? NULL : PyErr_NoMemory();
    }
    Py_RETURN_TRUE;
}

/* ---- searching ---- */

static PyObject *answer_from(const Hits *hits, uint32_t queries)
{
    PyObject *starts = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)(((size_t)queries + 1) * sizeof(int64_t)));
    PyObject *ids = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)(hits->count * sizeof(int64_t)));
    PyObject *distances = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)(hits->count * sizeof(uint16_t)));
    PyObject *result = NULL;
    if (starts != NULL && ids != NULL && distances != NULL) {
        char *start_to = PyByteArray_AS_STRING(starts);
        char *id_to = PyByteArray_AS_STRING(ids);
        char *distance_to = PyByteArray_AS_STRING(distances);
        size_t at = 0;
        for (uint32_t q = 0; q <= queries; q++) {
            const int64_t first = (int64_t)at;
            memcpy(start_to + q * sizeof first, &first, sizeof first);
            for (; at < hits->count && hits->items[at].query == q; at++) {
                const uint16_t distance = (uint16_t)hits->items[at].distance;
                memcpy(id_to + at * sizeof(int64_t), &hits->items[at].id, sizeof(int64_t));
                memcpy(distance_to + at * sizeof distance, &distance, sizeof distance);
            }
        }
        result = PyTuple_Pack(3, starts, ids, distances);
    }
    Py_XDECREF(starts);
    Py_XDECREF(ids);
    Py_XDECREF(distances);
    return result;
}

PyDoc_STRVAR(query_doc, "query(codes, radius, choice=0, /)\n--\n\n(starts, ids, distances) as bytearrays of int64, int64 and\n"
                        "uint16: query q's answer is starts[q] to starts[q + 1]. choice: 0 by cost, 1 every code, 2 bands.");

static PyObject *index_query(Index *self, PyObject *args)
{
    PyObject *object;
    int radius, choice = CHOOSE;
    uint32_t count = 0;
    Hits hits = {NULL, 0, 0, 0};
    if (!PyArg_ParseTuple(args, "Oi|i", &object, &radius, &choice)) {
        return NULL;
    }
    if (radius < 0 || radius > MAX_RADIUS || choice < CHOOSE || choice > ALWAYS_BANDS) {
        PyErr_Format(PyExc_ValueError, "A radius is 0 to %d bits, not %d.", MAX_RADIUS, radius);
        return NULL;
    }
    Code *queries = codes_from(object, &count);
    if (queries == NULL) {
        return NULL;
    }
    const Kernel *kernel = in_use;
    Py_BEGIN_ALLOW_THREADS
    pthread_rwlock_rdlock(&self->lock);
    if (self->main != NULL) {
        search_segment(self->main, kernel, queries, count, radius, (Choice)choice, &hits);
    }
    search_delta(&self->delta, kernel, queries, count, radius, &hits);
    pthread_rwlock_unlock(&self->lock);
    hits_sort(&hits);
    Py_END_ALLOW_THREADS
    free(queries);
    PyObject *result = hits.failed ? PyErr_NoMemory() : answer_from(&hits, count);
    free(hits.items);
    return result;
}

PyDoc_STRVAR(plan_doc, "plan(radius, queries, /)\n--\n\n(banded, nanoseconds by bands, nanoseconds by every code) for one\n"
                       "query, as the cost model has it; the first is -1 without bands.");

static PyObject *index_plan(Index *self, PyObject *args)
{
    int radius;
    Py_ssize_t queries;
    Plan plan = {0, 0, -1, 0, {0}};
    if (!PyArg_ParseTuple(args, "in", &radius, &queries)) {
        return NULL;
    }
    if (radius < 0 || radius > MAX_RADIUS || queries < 1) {
        PyErr_SetString(PyExc_ValueError, "radius 0 to 64, at least one query");
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    pthread_rwlock_rdlock(&self->lock);
    if (self->main != NULL) {
        plan = plan_for(self->main, radius, (size_t)queries, CHOOSE);
    }
    pthread_rwlock_unlock(&self->lock);
    Py_END_ALLOW_THREADS
    return Py_BuildValue("(Odd)", plan.banded ? Py_True : Py_False, plan.banded_ns, plan.brute_ns);
}

/* ---- what there is ---- */

static Py_ssize_t index_length(Index *self)
{
    size_t size;
    Py_BEGIN_ALLOW_THREADS
    pthread_rwlock_rdlock(&self->lock);
    size = size_of(self);
    pthread_rwlock_unlock(&self->lock);
    Py_END_ALLOW_THREADS
    return (Py_ssize_t)size;
}

static int index_contains(Index *self, PyObject *object)
{
    int there;
    long long id;
    const int fits = PyIndex_Check(object) ? id_from(object, &id) : 0;
    if (fits <= 0) {
        return fits;
    }
    Py_BEGIN_ALLOW_THREADS
    pthread_rwlock_rdlock(&self->lock);
    there = holds(self, id);
    pthread_rwlock_unlock(&self->lock);
    Py_END_ALLOW_THREADS
    return there;
}

PyDoc_STRVAR(state_doc, "state()\n--\n\nA dict: rows and dead of the main structure, rows waiting in the delta, bytes\n"
                        "held, whether the main structure is a mapped file, whether it is compact.");

static PyObject *index_state(Index *self, PyObject *Py_UNUSED(ignored))
{
    size_t bytes = 0, delta_rows;
    uint32_t rows = 0, dead = 0, bands = 0;
    int mapped = 0;
    unsigned long long identity = 0;
    Py_BEGIN_ALLOW_THREADS
    pthread_rwlock_rdlock(&self->lock);
    if (self->main != NULL) {
        rows = self->main->n;
        dead = self->main->dead;
        bands = self->main->bands;
        mapped = self->main->mapped;
        identity = ((const Header *)(const void *)self->main->arena)->identity;
        bytes = self->main->size + ((size_t)rows + 63) / 64 * 8;
    }
    delta_rows = self->delta.rows;
    bytes += self->delta.capacity * (sizeof(Code) + sizeof(int64_t) + 1) + self->delta.map_size * sizeof(uint32_t);
    pthread_rwlock_unlock(&self->lock);
    Py_END_ALLOW_THREADS
    return Py_BuildValue("{sIsIsIsnsnsOsOsK}", "rows", (unsigned)rows, "dead", (unsigned)dead, "bands", (unsigned)bands,
                         "delta", (Py_ssize_t)delta_rows, "bytes", (Py_ssize_t)bytes, "mapped",
                         mapped ? Py_True : Py_False, "compact", self->mode == MODE_COMPACT ? Py_True : Py_False,
                         "identity", identity);
}

/* ---- files ---- */

static int write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        const ssize_t put = write(fd, data, size < (1u << 30) ? size : (1u << 30));
        if (put < 0 && errno != EINTR) {
            return -1;
        }
        if (put > 0) {
            data += put;
            size -= (size_t)put;
        }
    }
    return 0;
}

PyDoc_STRVAR(write_doc, "write(fd, identity, /)\n--\n\nWrite the main structure as a snapshot. False, with nothing written,\n"
                        "while something waits to be merged. Raises OSError.");

static PyObject *index_write(Index *self, PyObject *args)
{
    int fd, merged, status = 0, error = 0;
    unsigned long long identity;
    uint8_t page[HEADER_BYTES];
    if (!PyArg_ParseTuple(args, "iK", &fd, &identity)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    pthread_rwlock_rdlock(&self->lock);
    merged = self->main != NULL && self->main->dead == 0 && self->delta.rows == 0;
    if (merged) {
        segment_first_page(self->main, identity, page);
        status = write_all(fd, page, sizeof page);
        if (status == 0) {
            status = write_all(fd, self->main->arena + HEADER_BYTES, self->main->size - HEADER_BYTES);
        }
        error = errno;
    }
    pthread_rwlock_unlock(&self->lock);
    Py_END_ALLOW_THREADS
    if (status < 0) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyBool_FromLong(merged);
}

static PyObject *index_open(PyTypeObject *type, PyObject *args)
{
    int fd, in_memory, error = 0;
    FileFault fault = FILE_OK;
    Segment *s;
    if (!PyArg_ParseTuple(args, "ip", &fd, &in_memory)) {
        return NULL;
    }
    Index *self = index_alloc(type);
    if (self == NULL) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    s = segment_open(fd, in_memory, &fault);
    error = errno;
    Py_END_ALLOW_THREADS
    if (s == NULL) {
        Py_DECREF(self);
        if (fault == FILE_NO_MEMORY) {
            return PyErr_NoMemory();
        }
        if (fault == FILE_SYSTEM) {
            errno = error;
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        PyErr_SetString(fault_type, FAULT_NAMES[fault]);
        return NULL;
    }
    self->main = s;
    self->mode = (Mode)((const Header *)(const void *)s->arena)->mode;
    return (PyObject *)self;
}

static PyMethodDef index_methods[] = {
    {"add", (PyCFunction)(void (*)(void))index_add, METH_VARARGS, add_doc},
    {"extend", (PyCFunction)(void (*)(void))index_extend, METH_VARARGS, extend_doc},
    {"remove", (PyCFunction)(void (*)(void))index_remove, METH_O, remove_doc},
    {"merge", (PyCFunction)(void (*)(void))index_merge, METH_VARARGS, merge_doc},
    {"query", (PyCFunction)(void (*)(void))index_query, METH_VARARGS, query_doc},
    {"plan", (PyCFunction)(void (*)(void))index_plan, METH_VARARGS, plan_doc},
    {"state", (PyCFunction)(void (*)(void))index_state, METH_NOARGS, state_doc},
    {"write", (PyCFunction)(void (*)(void))index_write, METH_VARARGS, write_doc},
    {"open", (PyCFunction)(void (*)(void))index_open, METH_VARARGS | METH_CLASS,
     PyDoc_STR("open(fd, in_memory, /)\n--\n\nThe index in a snapshot. Raises FileFault or OSError.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot index_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("Codes of 256 bits under int64 ids; see reclaim.index.HammingIndex.")},
    {Py_tp_new, (void *)index_new},
    {Py_tp_dealloc, (void *)index_dealloc},
    {Py_tp_methods, index_methods},
    {Py_sq_length, (void *)index_length},
    {Py_sq_contains, (void *)index_contains},
    {0, NULL},
};

static PyType_Spec index_spec = {
    "reclaim.index._native.Index", sizeof(Index), 0, Py_TPFLAGS_DEFAULT, index_slots,
};

static PyObject *kernel_names(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    (void)module;
    PyObject *names = PyTuple_New((Py_ssize_t)kernel_count);
    for (size_t i = 0; names != NULL && i < kernel_count; i++) {
        PyObject *name = PyUnicode_FromString(kernels[i]->name);
        if (name == NULL) {
            Py_CLEAR(names);
        } else {
            PyTuple_SET_ITEM(names, (Py_ssize_t)i, name);
        }
    }
    return names;
}

static PyObject *use_kernel(PyObject *module, PyObject *object)
{
    (void)module;
    const char *name = PyUnicode_AsUTF8(object);
    if (name == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < kernel_count; i++) {
        if (strcmp(kernels[i]->name, name) == 0) {
            in_use = kernels[i];
            Py_RETURN_NONE;
        }
    }
    PyErr_SetString(PyExc_ValueError, "this processor has no such kernel");
    return NULL;
}

static PyObject *size_for(PyObject *module, PyObject *args)
{
    unsigned long long rows;
    int compact;
    (void)module;
    if (!PyArg_ParseTuple(args, "Kp", &rows, &compact)) {
        return NULL;
    }
    if (rows > MAX_ROWS) {
        PyErr_SetString(PyExc_ValueError, "an index holds fewer than 2^32 - 1 codes");
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(segment_bytes((uint32_t)rows, compact ? MODE_COMPACT : MODE_FAST));
}

static PyMethodDef methods[] = {
    {"size_for", size_for, METH_VARARGS, PyDoc_STR("size_for(rows, compact, /)\n--\n\nBytes of a merged index.")},
    {"kernels", kernel_names, METH_NOARGS, PyDoc_STR("kernels()\n--\n\nWhat this processor can run, fastest first.")},
    {"use", use_kernel, METH_O, PyDoc_STR("use(name, /)\n--\n\nSearch with another kernel, for tests and measurements.")},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "The search among 256-bit codes.", -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void)
{
    kernel_count = kernels_here(kernels, MAX_KERNELS);
    in_use = kernels[0];
    if (masks_init() < 0) {
        return PyErr_NoMemory();
    }
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) {
        return NULL;
    }
    PyObject *type = PyType_FromSpec(&index_spec);
    fault_type = PyErr_NewExceptionWithDoc(
        "reclaim.index._native.FileFault", "Why a snapshot is refused: one word.", NULL, NULL);
    if (type == NULL || fault_type == NULL || PyModule_AddObjectRef(module, "Index", type) < 0 ||
        PyModule_AddObjectRef(module, "FileFault", fault_type) < 0) {
        Py_XDECREF(type);
        Py_DECREF(module);
        return NULL;
    }
    Py_DECREF(type);
    return module;
}
