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
    int status = 0, due = 0;
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
    const uint32_t before = self->delta.rows;
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
        self->delta.rows = before;
    }
    due = wants_merge(self);
    pthread_rwlock_unlock(&self->lock);
    Py_END_ALLOW_THREADS
    wipe(codes, (size_t)count * sizeof *codes);
    free(codes);
    PyBuffer_Release(&ids);
    if (status > 0) {
        PyErr_Format(PyExc_ValueError, "The id %lld is there twice.", (long long)id);
        return NULL;
    }
    return status < 0 ? PyErr_NoMemory() : PyBool_FromLong(due);
}

PyObject *index_remove(Index *self, PyObject *object)
{
    long long id;
    int status, due;
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
    due = wants_merge(self);
    pthread_rwlock_unlock(&self->lock);
    Py_END_ALLOW_THREADS
    if (status < 0) {
        PyErr_SetObject(PyExc_KeyError, object);
        return NULL;
    }
    return PyBool_FromLong(due);
}

/* ---- merging the delta into a new segment ---- */

static size_t words_of(const Segment *s)
{
    return ((size_t)s->n + 63) / 64;
}

/* The lock is let go again and again: where many codes are equal, each wipe looks through all of them. */
void unpin(Index *self, const uint64_t *alive_before)
{
    static const size_t AT_ONCE = 1 << 20; /* entries: less than a millisecond */
    Segment *s = self->main;
    size_t word = 0;
    uint64_t left = UINT64_MAX; /* of the word's rows, those not looked at yet */
    for (int over = 0; !over;) {
        pthread_rwlock_wrlock(&self->lock);
        for (size_t seen = 0; word < words_of(s) && seen < AT_ONCE && !s->mapped;) {
            const uint64_t gone = left & ~s->alive[word] & (alive_before != NULL ? alive_before[word] : UINT64_MAX);
            if (gone == 0) {
                left = UINT64_MAX;
                word++;
            } else {
                seen += segment_wipe(s, (uint32_t)(64 * word) + (uint32_t)__builtin_ctzll(gone));
                left &= ~(gone & -gone);
            }
        }
        over = s->mapped || word == words_of(s);
        s->pinned = over ? PIN_NONE : PIN_WIPING;
        pthread_rwlock_unlock(&self->lock);
    }
}

/* The lock is held for the moment only: the delta is copied, the main structure pinned, to be copied afterwards. */
int gather(Index *self, int keep_removed, Moment *moment)
{
    memset(moment, 0, sizeof *moment);
    pthread_rwlock_rdlock(&self->lock);
    const Segment *from = self->main;
    Segment *s = size_of(self) <= MAX_ROWS ? segment_new((uint32_t)size_of(self), self->mode) : NULL;
    if (s != NULL && from != NULL) {
        moment->alive = malloc(words_of(from) * sizeof *moment->alive + 1);
        if (moment->alive == NULL) {
            segment_free(s);
            s = NULL;
        }
    }
    if (s != NULL) {
        if (from != NULL) {
            memcpy(moment->alive, from->alive, words_of(from) * sizeof *moment->alive);
            self->main->pinned = PIN_READING;
        }
        const Delta *d = &self->delta;
        uint32_t to = s->n - d->living;
        for (uint32_t row = 0; row < d->rows; row++) {
            if (d->alive[row]) {
                s->codes[to] = d->codes[row];
                s->ids[to++] = d->ids[row];
            }
        }
        moment->delta_rows = d->rows;
        /* From this moment on: what was removed before it is not in the copy, what is removed after it is noted. */
        self->keep_removed = keep_removed;
        self->removed_count = 0;
        self->removed_lost = 0;
        self->building = s;
    }
    pthread_rwlock_unlock(&self->lock);
    moment->made = s;
    return s == NULL ? -1 : 0;
}

void copy_main(Index *self, Moment *moment)
{
    const Segment *from = self->main;
    Segment *s = moment->made;
    if (moment->alive == NULL) {
        return;
    }
    uint32_t to = 0;
    for (uint32_t row = 0; row < from->n; row++) {
        if (moment->alive[row >> 6] >> (row & 63) & 1) {
            s->codes[to] = from->codes[row];
            s->ids[to++] = from->ids[row];
        }
    }
    unpin(self, moment->alive);
    free(moment->alive);
}

static void repeat_removals(Segment *merged, const int64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t row = segment_find(merged, ids[i]);
        if (row != NO_ROW) {
            segment_remove(merged, row);
        }
    }
}

/* Repeats what was removed since on the merged segment. Many removals are repeated while others search and change; the
 * last few with the write lock held, which is kept. */
static void catch_up(Index *self, Segment *merged)
{
    enum { FEW = 64 };
    pthread_rwlock_wrlock(&self->lock);
    while (self->removed_count > FEW) {
        int64_t *ids = self->removed;
        const size_t count = self->removed_count;
        self->removed = NULL;
        self->removed_count = self->removed_room = 0;
        pthread_rwlock_unlock(&self->lock);
        repeat_removals(merged, ids, count);
        free(ids);
        pthread_rwlock_wrlock(&self->lock);
    }
    repeat_removals(merged, self->removed, self->removed_count);
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
    *old = self->main;
    *old_delta = self->delta;
    self->main = merged;
    self->delta = rest;
    return 0;
}

PyObject *index_merge(Index *self, PyObject *args)
{
    PyObject *progress = Py_None;
    int all_cores = 1;
    Moment moment;
    Segment *old = NULL;
    Delta old_delta;
    memset(&old_delta, 0, sizeof old_delta);
    if (!PyArg_ParseTuple(args, "|Op", &progress, &all_cores)) {
        return NULL;
    }
    if (self->busy) {
        Py_RETURN_FALSE;
    }
    self->busy = 1;
    self->worker = pthread_self();
    PyThreadState *thread = PyEval_SaveThread();
    int status = gather(self, 1, &moment);
    Segment *merged = moment.made;
    if (status == 0) {
        copy_main(self, &moment);
        segment_build_map(merged);
        status = build_bands(merged, all_cores, progress, &thread);
    }
    if (status == 0) {
        catch_up(self, merged);
        status = self->removed_lost ? -1 : take_over(self, merged, moment.delta_rows, &old, &old_delta);
    } else {
        pthread_rwlock_wrlock(&self->lock);
    }
    self->keep_removed = 0;
    self->removed_count = 0;
    self->building = NULL;
    pthread_rwlock_unlock(&self->lock);
    segment_free(status == 0 ? old : merged);
    delta_clear(&old_delta);
    PyEval_RestoreThread(thread);
    self->busy = 0;
    if (status < 0) {
        return status == -1 ? PyErr_NoMemory() : NULL;
    }
    Py_RETURN_TRUE;
}
