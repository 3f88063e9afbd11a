/* Adding and removing, and merging what was added into a new segment. */
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include "object.h"

#include <stdlib.h>
#include <string.h>

PyObject *index_add(Index *self, PyObject *args)
{
    long long id;
    PyObject *object;
    Code code;
    int status = 0, there = 0, due = 0;
    if (!PyArg_ParseTuple(args, "LO", &id, &object) || one_code(object, &code) < 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    pthread_rwlock_wrlock(&self->lock);
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

PyObject *index_extend(Index *self, PyObject *args)
{
    enum { AHEAD = 16 };
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
    pthread_rwlock_wrlock(&self->lock);
    status = delta_reserve(&self->delta, count);
    for (; done < count && status == 0; done++) {
        if (done + AHEAD < count) {
            int64_t soon;
            memcpy(&soon, (const char *)ids.buf + (done + AHEAD) * sizeof soon, sizeof soon);
            delta_fetch(&self->delta, soon);
        }
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

PyObject *index_remove(Index *self, PyObject *object)
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
    pthread_rwlock_wrlock(&self->lock);
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

PyObject *index_merge(Index *self, PyObject *args)
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
    pthread_rwlock_wrlock(&self->lock);
    self->keep_removed = 1;
    self->removed_count = 0;
    self->removed_lost = 0;
    pthread_rwlock_unlock(&self->lock);
    pthread_rwlock_rdlock(&self->lock);
    merged = gather(self, &delta_rows);
    pthread_rwlock_unlock(&self->lock);
    void *scratch = merged != NULL ? segment_scratch(merged->n) : NULL;
    if (scratch == NULL) {
        status = -1;
    } else {
        segment_build_map(merged);
    }
    for (uint32_t b = 0; status == 0 && b < merged->bands; b++) {
        segment_build_band(merged, b, scratch);
        if (progress != Py_None) {
            Py_BLOCK_THREADS
            PyObject *answer = PyObject_CallFunction(progress, "II", (unsigned)(b + 1), (unsigned)merged->bands);
            told = answer == NULL;
            Py_XDECREF(answer);
            Py_UNBLOCK_THREADS
            status = told ? -1 : 0;
        }
    }
    if (merged != NULL) {
        segment_scratch_free(scratch, merged->n);
    }
    pthread_rwlock_wrlock(&self->lock);
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
