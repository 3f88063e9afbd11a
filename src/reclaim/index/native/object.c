/* What the index object consists of: life, what Python hands in, what it holds. */
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include "object.h"

#include <stdlib.h>
#include <string.h>

enum { DELTA_LEAST = 16384, DELTA_SHARE = 256 };

/* ---- copies of what Python hands in ---- */

Code *codes_from(PyObject *object, uint32_t *count)
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

int one_code(PyObject *object, Code *code)
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
int id_from(PyObject *object, long long *id)
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

int holds(const Index *self, int64_t id)
{
    return delta_find(&self->delta, id) != NO_ROW || (self->main != NULL && segment_find(self->main, id) != NO_ROW);
}

size_t size_of(const Index *self)
{
    return self->delta.living + (self->main != NULL ? (size_t)(self->main->n - self->main->dead) : 0);
}

int wants_merge(const Index *self)
{
    const uint32_t share = self->main != NULL ? self->main->n / DELTA_SHARE : 0;
    return self->delta.rows > (share > DELTA_LEAST ? share : DELTA_LEAST);
}

int take_out(Index *self, int64_t id)
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

Index *index_alloc(PyTypeObject *type)
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

PyObject *index_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
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

void index_dealloc(Index *self)
{
    PyTypeObject *type = Py_TYPE(self);
    segment_free(self->main);
    segment_free(self->begun);
    delta_clear(&self->delta);
    free(self->removed);
    if (self->ready) {
        pthread_rwlock_destroy(&self->lock);
    }
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}
