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

PyObject *index_write(Index *self, PyObject *args)
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
