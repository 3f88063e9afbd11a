/* The module: its tables and its few functions of its own. */
#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include "object.h"

#include <string.h>

enum { MAX_KERNELS = 4 };

const Kernel *kernel_in_use;
PyObject *file_fault;

static const Kernel *kernels[MAX_KERNELS];
static size_t kernel_count;

PyDoc_STRVAR(add_doc, "add(id, code, /)\n--\n\nPut in one code of 32 bytes; True if a merge is due. Raises ValueError if\n"
                      "the id is there already.");

PyDoc_STRVAR(extend_doc, "extend(codes, ids, /)\n--\n\nPut in codes of 32 bytes each under as many int64 ids, all or\n"
                         "none; True if a merge is due. Raises ValueError for an id that is there twice.");

PyDoc_STRVAR(remove_doc, "remove(id, /)\n--\n\nTake out one id; True if a merge is due. Raises KeyError if it is\n"
                       "not there.");

PyDoc_STRVAR(begin_doc, "begin(count, /)\n--\n\nBegin to build an empty index of so many codes.");

PyDoc_STRVAR(put_doc, "put(codes, ids, /)\n--\n\nThe next codes of 32 bytes each, under as many int64 ids.");

PyDoc_STRVAR(finish_doc, "finish(progress=None, /)\n--\n\nEnd the building, when all codes were put. Raises ValueError for an id\n"
                         "that is there twice; the index is then empty. progress as for merge.");

PyDoc_STRVAR(merge_doc, "merge(progress=None, all_cores=True, /)\n--\n\nBuild the main structure anew from everything there is, on all\n"
                        "cores or on one. Searches and changes go on meanwhile. progress(done, total) is called between\n"
                        "the steps.\n"
                        "False if another merge is under way.");

PyDoc_STRVAR(query_doc, "query(codes, radius, choice=0, looks=0, fullest=0, /)\n--\n\n(starts, ids, distances) as bytearrays of int64, int64 and\n"
                        "uint16: query q's answer is starts[q] to starts[q + 1]. choice: 0 by cost, 1 every code, 2 bands.\n"
                        "With looks, at the first fullest entries of a bucket are looked at, and at so many codes of a\n"
                        "band in full; choice then says nothing.");

PyDoc_STRVAR(plan_doc, "plan(radius, queries, /)\n--\n\n(banded, nanoseconds by bands, nanoseconds by every code) for one\n"
                       "query, as the cost model has it; the first is -1 without bands.");

PyDoc_STRVAR(state_doc, "state()\n--\n\nA dict: rows and dead of the main structure, rows waiting in the delta, bytes\n"
                        "held, whether the main structure is a mapped file, whether it is compact.");

PyDoc_STRVAR(code_doc, "code(id, /)\n--\n\nThe 32 bytes under an id. Raises KeyError.");

PyDoc_STRVAR(save_doc, "save(fd, identity, settled=None, /)\n--\n\nWrite a snapshot of everything there is at one moment; settled()\n"
                       "is called right after it. Searches and changes go on meanwhile. Raises OSError.");

static PyMethodDef index_methods[] = {
    {"add", (PyCFunction)(void (*)(void))index_add, METH_VARARGS, add_doc},
    {"extend", (PyCFunction)(void (*)(void))index_extend, METH_VARARGS, extend_doc},
    {"remove", (PyCFunction)(void (*)(void))index_remove, METH_O, remove_doc},
    {"begin", (PyCFunction)(void (*)(void))index_begin, METH_O, begin_doc},
    {"put", (PyCFunction)(void (*)(void))index_put, METH_VARARGS, put_doc},
    {"finish", (PyCFunction)(void (*)(void))index_finish, METH_VARARGS, finish_doc},
    {"merge", (PyCFunction)(void (*)(void))index_merge, METH_VARARGS, merge_doc},
    {"query", (PyCFunction)(void (*)(void))index_query, METH_VARARGS, query_doc},
    {"plan", (PyCFunction)(void (*)(void))index_plan, METH_VARARGS, plan_doc},
    {"state", (PyCFunction)(void (*)(void))index_state, METH_NOARGS, state_doc},
    {"code", (PyCFunction)(void (*)(void))index_code, METH_O, code_doc},
    {"save", (PyCFunction)(void (*)(void))index_save, METH_VARARGS, save_doc},
    {"open", (PyCFunction)(void (*)(void))index_open, METH_VARARGS | METH_CLASS,
     PyDoc_STR("open(fd, in_memory, /)\n--\n\nThe index in a snapshot. Raises FileFault or OSError.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot index_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("Codes of 256 bits under int64 ids; see reclaim.index.HammingIndex.")},
    {Py_tp_new, (void *)index_new},
    {Py_tp_dealloc, (void *)index_dealloc},
    {Py_tp_methods, index_methods},
    {Py_sq_length, (void *)index_length},
    {Py_sq_contains, (void *)index_contains},
    {0, NULL},
};

static PyType_Spec index_spec = {
    "reclaim.index._native.Index", sizeof(Index), 0, Py_TPFLAGS_DEFAULT, index_slots,
};

static PyObject *kernel_names(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    (void)module;
    PyObject *names = PyTuple_New((Py_ssize_t)kernel_count);
    for (size_t i = 0; names != NULL && i < kernel_count; i++) {
        PyObject *name = PyUnicode_FromString(kernels[i]->name);
        if (name == NULL) {
            Py_CLEAR(names);
        } else {
            PyTuple_SET_ITEM(names, (Py_ssize_t)i, name);
        }
    }
    return names;
}

static PyObject *use_kernel(PyObject *module, PyObject *object)
{
    (void)module;
    const char *name = PyUnicode_AsUTF8(object);
    if (name == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < kernel_count; i++) {
        if (strcmp(kernels[i]->name, name) == 0) {
            kernel_in_use = kernels[i];
            Py_RETURN_NONE;
        }
    }
    PyErr_SetString(PyExc_ValueError, "this processor has no such kernel");
    return NULL;
}

static PyObject *size_for(PyObject *module, PyObject *args)
{
    unsigned long long rows;
    int compact;
    (void)module;
    if (!PyArg_ParseTuple(args, "Kp", &rows, &compact)) {
        return NULL;
    }
    if (rows > MAX_ROWS) {
        PyErr_SetString(PyExc_ValueError, "an index holds fewer than 2^32 - 1 codes");
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(segment_bytes((uint32_t)rows, compact ? MODE_COMPACT : MODE_FAST));
}

static PyMethodDef methods[] = {
    {"size_for", size_for, METH_VARARGS, PyDoc_STR("size_for(rows, compact, /)\n--\n\nBytes of a merged index.")},
    {"kernels", kernel_names, METH_NOARGS, PyDoc_STR("kernels()\n--\n\nWhat this processor can run, fastest first.")},
    {"before_fork", before_fork, METH_NOARGS, PyDoc_STR("before_fork()\n--\n\nWait until no index is being changed.")},
    {"after_fork_in_parent", after_fork_in_parent, METH_NOARGS, PyDoc_STR("after_fork_in_parent()\n--\n\nGo on.")},
    {"after_fork_in_child", after_fork_in_child, METH_NOARGS,
     PyDoc_STR("after_fork_in_child()\n--\n\nMake every index usable in the child.")},
    {"use", use_kernel, METH_O, PyDoc_STR("use(name, /)\n--\n\nSearch with another kernel, for tests and measurements.")},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "The search among 256-bit codes.", -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void)
{
    kernel_count = kernels_here(kernels, MAX_KERNELS);
    kernel_in_use = kernels[0];
    masks_init();
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) {
        return NULL;
    }
    PyObject *type = PyType_FromSpec(&index_spec);
    file_fault = PyErr_NewExceptionWithDoc(
        "reclaim.index._native.FileFault", "Why a snapshot is refused: one word.", NULL, NULL);
    if (type == NULL || file_fault == NULL || PyModule_AddObjectRef(module, "Index", type) < 0 ||
        PyModule_AddObjectRef(module, "FileFault", file_fault) < 0) {
        Py_XDECREF(type);
        Py_DECREF(module);
        return NULL;
    }
    Py_DECREF(type);
    return module;
}
