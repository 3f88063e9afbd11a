/* The Python side of the index: one type, safe to share between threads.
 *
 * Searches hold a read lock, changes a write lock, all without the GIL. A lock is never waited for with the GIL held,
 * and Python code is never called with a lock held; so neither can wait for the other.
 */
#ifndef RECLAIM_INDEX_OBJECT_H
#define RECLAIM_INDEX_OBJECT_H

#include <Python.h>

#include <pthread.h>

#include "kernel.h"

typedef struct {
    PyObject_HEAD
    pthread_rwlock_t lock;
    int ready;
    Mode mode;
    Segment *main; /* NULL before the first merge */
    Segment *begun; /* being built by begin, put and finish */
    uint32_t begun_rows;
    Delta delta;
    int merging;         /* held by the GIL: one merge at a time */
    int keep_removed;    /* while a merge works on copies, removals are noted to be repeated on its result */
    int removed_lost;
    int64_t *removed;
    size_t removed_count, removed_room;
} Index;

extern const Kernel *kernel_in_use; /* read with the GIL held */
extern PyObject *file_fault;        /* raised with one word for a file that cannot be used */

/* Copies of what Python hands in; NULL or -1 with an exception. */
Code *codes_from(PyObject *object, uint32_t *count);
int one_code(PyObject *object, Code *code);
int id_from(PyObject *object, long long *id); /* 1 and the id, 0 for a whole number that is no id, -1 */

/* With the lock held. */
int holds(const Index *self, int64_t id);
size_t size_of(const Index *self);
int wants_merge(const Index *self);
int take_out(Index *self, int64_t id); /* -1: not there */

Index *index_alloc(PyTypeObject *type);
PyObject *index_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
void index_dealloc(Index *self);
PyObject *index_add(Index *self, PyObject *args);
PyObject *index_extend(Index *self, PyObject *args);
PyObject *index_remove(Index *self, PyObject *object);
PyObject *index_begin(Index *self, PyObject *count);
PyObject *index_put(Index *self, PyObject *args);
PyObject *index_finish(Index *self, PyObject *args);
PyObject *index_merge(Index *self, PyObject *args);
PyObject *index_query(Index *self, PyObject *args);
PyObject *index_plan(Index *self, PyObject *args);
Py_ssize_t index_length(Index *self);
int index_contains(Index *self, PyObject *object);
PyObject *index_state(Index *self, PyObject *ignored);
PyObject *index_write(Index *self, PyObject *args);
PyObject *index_open(PyTypeObject *type, PyObject *args);

#endif
