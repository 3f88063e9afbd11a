/* Searching, and what there is. */
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include "object.h"

#include <stdlib.h>
#include <string.h>

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

/* How many queries are answered before a change may go in between: as many as the cost model gives half a second. */
static uint32_t share_of(const Index *self, uint32_t queries, int radius, Choice choice)
{
    enum { LEAST = 64 };
    static const double LONGEST_NS = 5e8, ADDED_NS = 0.16;
    if (queries <= LEAST) {
        return queries;
    }
    const double main_ns = self->main != NULL ? plan_for(self->main, radius, queries, choice).cost_ns : 0;
    const double share = LONGEST_NS / (main_ns + ADDED_NS * self->delta.rows + 1);
    return share >= queries ? queries : share > LEAST ? (uint32_t)share : LEAST;
}

static void search(Index *self, const Kernel *kernel, const Code *queries, uint32_t count, int radius, Choice choice,
                   Limits limits, Hits *hits)
{
    uint32_t first = 0;
    do {
        pthread_rwlock_rdlock(&self->lock);
        const uint32_t share = share_of(self, count - first, radius, choice);
        size_t at = hits->count;
        if (self->main != NULL) {
            search_segment(self->main, kernel, queries + first, share, radius, choice, limits, hits);
        }
        search_delta(&self->delta, kernel, queries + first, share, radius, limits, hits);
        pthread_rwlock_unlock(&self->lock);
        for (; at < hits->count; at++) {
            hits->items[at].query += first;
        }
        first += share;
        limits.left = limits.left != NULL ? limits.left + share : NULL;
    } while (first < count);
}

PyObject *index_query(Index *self, PyObject *args)
{
    PyObject *object;
    int radius, choice = CHOOSE;
    unsigned looks = 0, fullest = 0;
    uint32_t count = 0;
    Hits hits = {NULL, 0, 0, 0};
    if (!PyArg_ParseTuple(args, "Oi|iII", &object, &radius, &choice, &looks, &fullest)) {
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
    Limits limits = EXACT;
    if (looks > LOOKS_MOST) {
        free(queries);
        return PyErr_Format(PyExc_ValueError, "looks are at most %d", LOOKS_MOST);
    }
    if (looks > 0) {
        limits.looks = looks;
        limits.fullest = fullest;
        limits.left = malloc(((size_t)count + 1) * sizeof *limits.left);
        if (limits.left == NULL) {
            free(queries);
            return PyErr_NoMemory();
        }
        for (uint32_t q = 0; q < count; q++) {
            limits.left[q] = looks * BANDS;
        }
    }
    const Kernel *kernel = kernel_in_use;
    Py_BEGIN_ALLOW_THREADS
    search(self, kernel, queries, count, radius, (Choice)choice, limits, &hits);
    hits_sort(&hits);
    if (limits.left != NULL) {
        hits_distinct(&hits);
    }
    Py_END_ALLOW_THREADS
    free(limits.left);
    free(queries);
    PyObject *result = hits.failed ? PyErr_NoMemory() : answer_from(&hits, count);
    free(hits.items);
    return result;
}

PyObject *index_plan(Index *self, PyObject *args)
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

Py_ssize_t index_length(Index *self)
{
    size_t size;
    Py_BEGIN_ALLOW_THREADS
    pthread_rwlock_rdlock(&self->lock);
    size = size_of(self);
    pthread_rwlock_unlock(&self->lock);
    Py_END_ALLOW_THREADS
    return (Py_ssize_t)size;
}

int index_contains(Index *self, PyObject *object)
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

PyObject *index_code(Index *self, PyObject *object)
{
    long long id;
    int there = id_from(object, &id);
    Code code;
    if (there < 0) {
        return NULL;
    }
    if (there) {
        Py_BEGIN_ALLOW_THREADS
        pthread_rwlock_rdlock(&self->lock);
        uint32_t row = delta_find(&self->delta, id);
        if (row != NO_ROW) {
            code = self->delta.codes[row];
        } else {
            row = self->main != NULL ? segment_find(self->main, id) : NO_ROW;
            there = row != NO_ROW;
            if (there) {
                code = self->main->codes[row];
            }
        }
        pthread_rwlock_unlock(&self->lock);
        Py_END_ALLOW_THREADS
    }
    if (!there) {
        PyErr_SetObject(PyExc_KeyError, object);
        return NULL;
    }
    return PyBytes_FromStringAndSize((const char *)&code, sizeof code);
}

PyObject *index_state(Index *self, PyObject *Py_UNUSED(ignored))
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
