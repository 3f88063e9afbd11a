/* Building a segment's bands, and a whole one straight from what Python hands in, with no list of additions in between.
 *
 * begin, put as often as needed, finish: one thread does all of it before any other knows of the index. */
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include "object.h"

#include <sched.h>
#include <string.h>

PyObject *index_begin(Index *self, PyObject *count)
{
    const unsigned long long rows = PyLong_AsUnsignedLongLong(count);
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (self->main != NULL || self->begun != NULL || self->delta.rows > 0) {
        PyErr_SetString(PyExc_ValueError, "only an empty index can be built");
        return NULL;
    }
    self->begun = rows <= MAX_ROWS ? segment_new((uint32_t)rows, self->mode) : NULL;
    self->begun_rows = 0;
    if (self->begun == NULL) {
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

PyObject *index_put(Index *self, PyObject *args)
{
    Py_buffer codes, ids;
    if (!PyArg_ParseTuple(args, "y*y*", &codes, &ids)) {
        return NULL;
    }
    const size_t rows = (size_t)codes.len / CODE_BYTES;
    const int fits = self->begun != NULL && rows * CODE_BYTES == (size_t)codes.len &&
                     rows * sizeof(int64_t) == (size_t)ids.len && rows <= self->begun->n - self->begun_rows;
    if (fits) {
        const uint32_t at = self->begun_rows;
        self->begun_rows += (uint32_t)rows;
        Py_BEGIN_ALLOW_THREADS
        memcpy(self->begun->codes + at, codes.buf, (size_t)codes.len);
        memcpy(self->begun->ids + at, ids.buf, (size_t)ids.len);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&codes);
    PyBuffer_Release(&ids);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "There must be one id for each code, and as many codes as were told.");
        return NULL;
    }
    Py_RETURN_NONE;
}

enum { THREADS = 4 };

typedef struct {
    Segment *s;
    uint32_t band;
    void *scratch;
    pthread_t thread;
    int running;
} Job;

static void *run(void *job)
{
    const Job *mine = job;
    segment_build_band(mine->s, mine->band, mine->scratch);
    return NULL;
}

/* As many bands at once as there are jobs with a scratch; one that gets no thread is built here. */
static uint32_t build_some(Segment *s, Job jobs[THREADS], uint32_t first)
{
    uint32_t count = 0;
    for (uint32_t t = 0; t < THREADS && jobs[t].scratch != NULL && first + count < s->bands; t++) {
        jobs[t].s = s;
        jobs[t].band = first + count++;
    }
    for (uint32_t t = 1; t < count; t++) {
        jobs[t].running = pthread_create(&jobs[t].thread, NULL, run, &jobs[t]) == 0;
    }
    run(&jobs[0]);
    for (uint32_t t = 1; t < count; t++) {
        if (jobs[t].running) {
            pthread_join(jobs[t].thread, NULL);
        } else {
            run(&jobs[t]);
        }
    }
    return count;
}

static uint32_t cores_here(void)
{
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) == 0 ? (uint32_t)CPU_COUNT(&cores) : 1;
}

int build_bands(Segment *s, int all_cores, PyObject *progress, PyThreadState **thread)
{
    Job jobs[THREADS] = {{0}};
    const uint32_t usable = all_cores ? cores_here() : 1;
    for (uint32_t t = 0; t < THREADS && t < usable; t++) {
        jobs[t].scratch = segment_scratch(s->n);
    }
    int status = jobs[0].scratch != NULL ? 0 : -1;
    for (uint32_t built = 0; status == 0 && built < s->bands;) {
        built += build_some(s, jobs, built);
        if (progress != Py_None) {
            PyEval_RestoreThread(*thread);
            PyObject *answer = PyObject_CallFunction(progress, "II", (unsigned)built, (unsigned)s->bands);
            status = answer == NULL ? -2 : 0;
            Py_XDECREF(answer);
            *thread = PyEval_SaveThread();
        }
    }
    for (uint32_t t = 0; t < THREADS; t++) {
        segment_scratch_free(jobs[t].scratch, s->n);
    }
    return status;
}

PyObject *index_finish(Index *self, PyObject *args)
{
    PyObject *progress = Py_None;
    if (!PyArg_ParseTuple(args, "|O", &progress)) {
        return NULL;
    }
    Segment *s = self->begun;
    if (s == NULL || self->begun_rows != s->n) {
        PyErr_SetString(PyExc_ValueError, "There must be as many codes as were told.");
        return NULL;
    }
    self->begun = NULL;
    PyThreadState *thread = PyEval_SaveThread();
    const uint32_t twice = segment_build_map(s);
    const int status = twice == NO_ROW ? build_bands(s, 1, progress, &thread) : 0;
    if (twice == NO_ROW && status == 0) {
        pthread_rwlock_wrlock(&self->lock);
        self->main = s;
        pthread_rwlock_unlock(&self->lock);
        PyEval_RestoreThread(thread);
        Py_RETURN_NONE;
    }
    const long long id = twice == NO_ROW ? 0 : (long long)s->ids[twice];
    segment_free(s);
    PyEval_RestoreThread(thread);
    if (twice != NO_ROW) {
        PyErr_Format(PyExc_ValueError, "The id %lld is there twice.", id);
    }
    return status == -1 ? PyErr_NoMemory() : NULL;
}
