/* The Python side of the index: one type, safe to share between threads.
 *
 * Searches hold a read lock, changes a write lock, all without the GIL. A lock is never waited for with the GIL held,
 * and Python code is never called with a lock held; so neither can wait for the other. Whatever takes long (building,
 * writing to a disk) holds no lock: it reads a main structure that is pinned, or one that nobody else knows yet.
 */
#ifndef RECLAIM_INDEX_OBJECT_H
#define RECLAIM_INDEX_OBJECT_H

#include <Python.h>

#include <pthread.h>

#include "kernel.h"

typedef struct Index {
    PyObject_HEAD
    pthread_rwlock_t lock;
    int ready;
    struct Index *next, *previous; /* every index of this process, for a fork; guarded by the GIL */
    int held_for_fork; /* by the thread that forks */
    Mode mode;
    Segment *main; /* NULL before the first merge */
    Segment *begun; /* being built by begin, put and finish */
    uint32_t begun_rows;
    Delta delta;
    int busy;            /* guarded by the GIL: one merge or save at a time */
    pthread_t worker;    /* the thread that does it */
    Segment *building;   /* what that one is making, to be given back in a forked child */
    int keep_removed;    /* while a merge works on copies, removals are noted to be repeated on its result */
    int removed_lost;
    int64_t *removed;
    size_t removed_count, removed_room;
} Index;

/* Everything there is at one moment, on its way into a segment of its own. */
typedef struct {
    Segment *made;       /* no table and no bands yet; NULL if there was no memory */
    uint64_t *alive;     /* of the main structure, which is pinned; NULL if there is none */
    uint32_t delta_rows;
} Moment;

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

/* Without the lock and without the GIL, by the one who is busy. */
int gather(Index *self, int keep_removed, Moment *moment); /* 0, or -1: no memory */
void copy_main(Index *self, Moment *moment);
void unpin(Index *self, const uint64_t *alive_before); /* NULL: all were */

/* Without the GIL, of a segment that nobody else knows and whose table of ids is made. progress is called between the
 * steps with the GIL. 0, -1: no memory, -2: an exception is set. */
int build_bands(Segment *s, int all_cores, PyObject *progress, PyThreadState **thread);

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
PyObject *index_code(Index *self, PyObject *object);
PyObject *index_save(Index *self, PyObject *args);
PyObject *index_open(PyTypeObject *type, PyObject *args);

/* Around a fork: no other thread is in the middle of a change then, and the child's locks are fresh. */
PyObject *before_fork(PyObject *module, PyObject *ignored);
PyObject *after_fork_in_parent(PyObject *module, PyObject *ignored);
PyObject *after_fork_in_child(PyObject *module, PyObject *ignored);

#endif
