/* What the index object consists of: life, what Python hands in, what it holds. */
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include "object.h"

#include <stdlib.h>
#include <string.h>

enum {
    DELTA_LEAST = 16384,
    DELTA_SHARE = 256,
    DEAD_SHARE = 4 /* a merge is worth it when this part of the main structure was removed */
};

static Index *first_index;

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
    const uint32_t rows = self->main != NULL ? self->main->n : 0;
    const uint32_t dead = self->main != NULL ? self->main->dead : 0;
    const uint32_t added_most = rows / DELTA_SHARE > DELTA_LEAST ? rows / DELTA_SHARE : DELTA_LEAST;
    const uint32_t dead_most = rows / DEAD_SHARE > DELTA_LEAST ? rows / DEAD_SHARE : DELTA_LEAST;
    return self->delta.rows > added_most || dead > dead_most;
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

static int lock_init(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t how;
    pthread_rwlockattr_init(&how);
#ifdef __GLIBC__
    /* Otherwise a steady stream of searches would keep a withdrawal waiting for ever. */
    pthread_rwlockattr_setkind_np(&how, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    const int error = pthread_rwlock_init(lock, &how);
    pthread_rwlockattr_destroy(&how);
    return error == 0;
}

Index *index_alloc(PyTypeObject *type)
{
    Index *self = (Index *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->ready = lock_init(&self->lock);
    if (!self->ready) {
        PyErr_SetString(PyExc_OSError, "no lock could be made");
        Py_DECREF(self);
        return NULL;
    }
    self->next = first_index;
    if (first_index != NULL) {
        first_index->previous = self;
    }
    first_index = self;
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
    if (self->next != NULL) {
        self->next->previous = self->previous;
    }
    if (self->previous != NULL) {
        self->previous->next = self->next;
    } else if (first_index == self) {
        first_index = self->next;
    }
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

/* ---- fork ---- */

static pthread_mutex_t one_forks = PTHREAD_MUTEX_INITIALIZER; /* two would wait for each other's indexes */

/* Takes every index's write lock, so that the child finds none half changed. The GIL is let go while waiting: another
 * thread may need it before it gives its lock back. */
PyObject *before_fork(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    Py_BEGIN_ALLOW_THREADS
    pthread_mutex_lock(&one_forks);
    Py_END_ALLOW_THREADS
    Index *index = first_index;
    while (index != NULL) {
        if (index->held_for_fork) {
            index = index->next;
            continue;
        }
        Py_INCREF(index);
        Py_BEGIN_ALLOW_THREADS
        pthread_rwlock_wrlock(&index->lock);
        Py_END_ALLOW_THREADS
        index->held_for_fork = 1;
        index = first_index; /* there may be new ones */
    }
    Py_RETURN_NONE;
}

PyObject *after_fork_in_parent(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    for (Index *index = first_index, *next; index != NULL; index = next) {
        next = index->next;
        if (index->held_for_fork) {
            index->held_for_fork = 0;
            pthread_rwlock_unlock(&index->lock);
            Py_DECREF(index);
        }
    }
    pthread_mutex_unlock(&one_forks);
    Py_RETURN_NONE;
}

/* The thread that merged or wrote a file is not in the child: what it had begun is given back. */
static void give_up(Index *index)
{
    segment_free(index->building);
    index->building = NULL;
    index->busy = 0;
    index->keep_removed = 0;
    index->removed_count = 0;
    Segment *s = index->main;
    if (s != NULL && s->pinned) {
        s->pinned = PIN_NONE;
        for (uint32_t row = 0; row < s->n && !s->mapped; row++) {
            if (!is_alive(s, row)) {
                segment_wipe(s, row);
            }
        }
    }
}

PyObject *after_fork_in_child(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    pthread_mutex_init(&one_forks, NULL);
    for (Index *index = first_index, *next; index != NULL; index = next) {
        next = index->next;
        lock_init(&index->lock);
        if (index->busy && !pthread_equal(index->worker, pthread_self())) { /* else this thread forked out of it */
            give_up(index);
        }
        if (index->held_for_fork) {
            index->held_for_fork = 0;
            Py_DECREF(index);
        }
    }
    Py_RETURN_NONE;
}
