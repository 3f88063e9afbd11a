/* The index to and from a file descriptor. */
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include "object.h"

#include <errno.h>
#include <unistd.h>

static const char *const FAULT_NAMES[] = {"ok", "system", "foreign", "version", "truncated", "damaged", "memory"};

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

static int write_segment(const Segment *s, int fd, unsigned long long identity)
{
    uint8_t page[HEADER_BYTES];
    segment_first_page(s, identity, page);
    const int status = write_all(fd, page, sizeof page);
    return status < 0 ? status : write_all(fd, s->arena + HEADER_BYTES, s->size - HEADER_BYTES);
}

/* Whether the main structure is all there is; if so it is pinned. */
static int pin_if_whole(Index *self)
{
    pthread_rwlock_rdlock(&self->lock);
    const int whole = self->main != NULL && self->main->dead == 0 && self->delta.rows == 0;
    if (whole) {
        self->main->pinned = PIN_READING;
    }
    pthread_rwlock_unlock(&self->lock);
    return whole;
}

static int tell(PyObject *settled, PyThreadState **thread)
{
    if (settled == Py_None) {
        return 0;
    }
    PyEval_RestoreThread(*thread);
    PyObject *answer = PyObject_CallNoArgs(settled);
    const int failed = answer == NULL;
    Py_XDECREF(answer);
    *thread = PyEval_SaveThread();
    return failed ? -2 : 0;
}

PyObject *index_save(Index *self, PyObject *args)
{
    int fd, status, error = 0;
    unsigned long long identity;
    Moment moment = {NULL, NULL, 0};
    PyObject *settled = Py_None;
    if (!PyArg_ParseTuple(args, "iK|O", &fd, &identity, &settled)) {
        return NULL;
    }
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "a merge or another save is under way");
        return NULL;
    }
    self->busy = 1;
    self->worker = pthread_self();
    PyThreadState *thread = PyEval_SaveThread();
    const int whole = pin_if_whole(self);
    status = whole ? 0 : gather(self, 0, &moment);
    if (status == 0) {
        status = tell(settled, &thread);
    }
    if (moment.made != NULL) {
        copy_main(self, &moment);
        if (status == 0) {
            segment_build_map(moment.made);
            status = build_bands(moment.made, 1, Py_None, &thread);
        }
    }
    if (status == 0 && write_segment(whole ? self->main : moment.made, fd, identity) < 0) {
        error = errno;
        status = -3;
    }
    if (whole) {
        unpin(self, NULL);
    }
    self->building = NULL;
    segment_free(moment.made);
    PyEval_RestoreThread(thread);
    self->busy = 0;
    if (status == -3) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (status < 0) {
        return status == -1 ? PyErr_NoMemory() : NULL;
    }
    Py_RETURN_NONE;
}

PyObject *index_open(PyTypeObject *type, PyObject *args)
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
        PyErr_SetString(file_fault, FAULT_NAMES[fault]);
        return NULL;
    }
    self->main = s;
    self->mode = (Mode)((const Header *)(const void *)s->arena)->mode;
    return (PyObject *)self;
}
