/* The engine as a Python extension of the stable ABI: addresses in, nothing else.
 *
 * A run is a tuple of integers, the members of recurra_run in their order; those at its end that are
 * left away are 0. Nothing is checked here: the rooms above know the shapes.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "recurra.h"
#include "stepper.h"

#define MEMBERS ((Py_ssize_t)(sizeof(recurra_run) / 8))

/* Below about this many multiply-adds another thread gains nothing from the interpreter's lock. */
#define SMALL (1 << 17)

static int read_run(PyObject *tuple, recurra_run *run) {
    int64_t *members = (int64_t *)run;
    Py_ssize_t given = PyTuple_Check(tuple) ? PyTuple_Size(tuple) : -1;
    if (given < 0 || given > MEMBERS) {
        PyErr_Format(PyExc_TypeError, "a run is a tuple of at most %zd integers", MEMBERS);
        return -1;
    }
    for (Py_ssize_t i = 0; i < given; ++i) {
        members[i] = PyLong_AsLongLong(PyTuple_GetItem(tuple, i));
        if (members[i] == -1 && PyErr_Occurred()) return -1;
    }
    for (Py_ssize_t i = given; i < MEMBERS; ++i) members[i] = 0;
    return 0;
}

static PyObject *pass(PyObject *const *args, Py_ssize_t count, int (*call)(const recurra_run *, int, int)) {
    recurra_run runs[2];
    if (count < 2 || count > 3) {
        PyErr_SetString(PyExc_TypeError, "expected threads and one or two runs");
        return NULL;
    }
    long threads = PyLong_AsLong(args[0]);
    if (threads == -1 && PyErr_Occurred()) return NULL;
    for (Py_ssize_t i = 1; i < count; ++i)
        if (read_run(args[i], &runs[i - 1])) return NULL;
    const recurra_run *run = &runs[0];
    int64_t work = run->steps * run->batch * run->hidden * (run->inputs + run->hidden);
    int failed;
    if (work < SMALL) {
        failed = call(runs, (int)count - 1, (int)threads);
    } else {
        Py_BEGIN_ALLOW_THREADS
        failed = call(runs, (int)count - 1, (int)threads);
        Py_END_ALLOW_THREADS
    }
    if (failed) return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *forward(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    return pass(args, count, recurra_forward);
}

static PyObject *backward(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    return pass(args, count, recurra_backward);
}

static PyObject *saved_size(PyObject *self, PyObject *tuple) {
    (void)self;
    recurra_run run;
    if (read_run(tuple, &run)) return NULL;
    return PyLong_FromSize_t(recurra_saved_size(&run));
}

/* A block of kept memory; it goes back to the engine with its last reference. */
typedef struct {
    PyObject_HEAD
    void *memory;
    Py_ssize_t size;
} Block;

static PyTypeObject *block_type;

static PyObject *new_block(size_t size) {
    Block *block = PyObject_New(Block, block_type);
    if (!block) return NULL;
    block->size = (Py_ssize_t)size;
    block->memory = recurra_take(size);
    if (!block->memory) {
        Py_DECREF(block);
        return PyErr_NoMemory();
    }
    return (PyObject *)block;
}

static void block_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    recurra_give(((Block *)self)->memory);
    PyObject_Free(self);
    Py_DECREF(type);
}

static int block_buffer(PyObject *self, Py_buffer *view, int flags) {
    return PyBuffer_FillInfo(view, self, ((Block *)self)->memory, ((Block *)self)->size, 0, flags);
}

static PyObject *block_address(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromVoidPtr(((Block *)self)->memory);
}

static PyGetSetDef block_members[] = {{"address", block_address, NULL, "Where it begins.", NULL}, {0}};

static PyType_Slot block_slots[] = {
    {Py_tp_dealloc, block_dealloc},
    {Py_bf_getbuffer, block_buffer},
    {Py_tp_getset, block_members},
    {Py_tp_doc, "A block of the engine's memory, kept for the next when it is given back."},
    {0, NULL},
};

static PyType_Spec block_spec = {"recurra.native._engine.Block", sizeof(Block), 0,
                                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, block_slots};

static PyObject *block(PyObject *self, PyObject *size) {
    (void)self;
    size_t bytes = PyLong_AsSize_t(size);
    if (bytes == (size_t)-1 && PyErr_Occurred()) return NULL;
    return new_block(bytes);
}

static PyObject *pack(PyObject *self, PyObject *tuple) {
    (void)self;
    recurra_run run;
    if (read_run(tuple, &run)) return NULL;
    PyObject *made = new_block(recurra_packed_size(&run));
    if (made) recurra_pack(&run, ((Block *)made)->memory);
    return made;
}

static void end_prepared(PyObject *capsule) {
    recurra_end_stepper(PyCapsule_GetPointer(capsule, "recurra.prepared"));
}

static PyObject *prepare(PyObject *self, PyObject *tuple) {
    (void)self;
    recurra_run run;
    if (read_run(tuple, &run)) return NULL;
    recurra_stepper *stepper = recurra_new_stepper(&run);
    return stepper ? PyCapsule_New(stepper, "recurra.prepared", end_prepared) : PyErr_NoMemory();
}

/* step(prepared, batch, x, h0, c0, y, hn, cn, w_ih, w_hh[, b_ih, b_hh]) */
static PyObject *step(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    if (count != 10 && count != 12) {
        PyErr_SetString(PyExc_TypeError, "expected what was prepared, the batch and eight or ten addresses");
        return NULL;
    }
    recurra_stepper *stepper = PyCapsule_GetPointer(args[0], "recurra.prepared");
    if (!stepper) return NULL;
    int64_t given[12] = {0};
    for (int i = 1; i < count; ++i) {
        given[i] = PyLong_AsLongLong(args[i]);
        if (given[i] == -1 && PyErr_Occurred()) return NULL;
    }
    recurra_run now = {0};
    now.batch = given[1];
    now.x = (void *)given[2], now.h0 = (void *)given[3], now.c0 = (void *)given[4];
    now.y = (void *)given[5], now.hn = (void *)given[6], now.cn = (void *)given[7];
    now.w_ih = (void *)given[8], now.w_hh = (void *)given[9];
    now.b_ih = (void *)given[10], now.b_hh = (void *)given[11];
    return PyBool_FromLong(recurra_step_between(stepper, &now) == 0);
}

/* answer(members of recurra_head...) */
static PyObject *answer(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    (void)self;
    recurra_head head;
    int64_t *members = (int64_t *)&head;
    if (count != (Py_ssize_t)(sizeof(head) / 8)) {
        PyErr_Format(PyExc_TypeError, "expected %zd integers", (Py_ssize_t)(sizeof(head) / 8));
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; ++i) {
        members[i] = PyLong_AsLongLong(args[i]);
        if (members[i] == -1 && PyErr_Occurred()) return NULL;
    }
    double total;
    int64_t known;
    if (recurra_answer(&head, &total, &known)) return PyErr_NoMemory();
    if (known < 0) {
        PyErr_Format(PyExc_IndexError, "a target is beyond the %lld classes", (long long)head.classes);
        return NULL;
    }
    return Py_BuildValue("dL", total, (long long)known);
}

/* move(threads, kind, element, count, weights, gradients, first, second, step, rate, decay, share, longest) */
static PyObject *move(PyObject *self, PyObject *args) {
    (void)self;
    int threads;
    long long kind, element, count, weights, gradients, first, second, step;
    recurra_move now;
    if (!PyArg_ParseTuple(args, "iLLLLLLLLdddd", &threads, &kind, &element, &count, &weights, &gradients, &first, &second,
                          &step, &now.rate, &now.decay, &now.share, &now.longest))
        return NULL;
    now.kind = kind, now.element = element, now.count = count;
    now.weights = (void *)weights, now.gradients = (void *)gradients;
    now.first = (void *)first, now.second = (void *)second, now.step = (void *)step;
    double length = recurra_move_weights(&now, threads);
    return length < 0 ? PyErr_NoMemory() : PyFloat_FromDouble(length);
}

static PyObject *isa(PyObject *self, PyObject *none) {
    (void)self, (void)none;
    return PyLong_FromLong(recurra_isa());
}

static PyObject *isas(PyObject *self, PyObject *none) {
    (void)self, (void)none;
    PyObject *list = PyList_New(0);
    for (int i = 0; list && i < RECURRA_ISAS; ++i) {
        PyObject *pair = Py_BuildValue("(ii)", recurra_isa_built(i), recurra_isa_supported(i));
        if (!pair || PyList_Append(list, pair)) Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    return list;
}

static PyObject *set_isa(PyObject *self, PyObject *number) {
    (void)self;
    long wanted = PyLong_AsLong(number);
    if (wanted == -1 && PyErr_Occurred()) return NULL;
    return PyBool_FromLong(recurra_set_isa((int)wanted) == 0);
}

static PyObject *agree(PyObject *self, PyObject *args) {
    (void)self;
    int one, other;
    if (!PyArg_ParseTuple(args, "ii", &one, &other)) return NULL;
    return PyBool_FromLong(recurra_agree(one, other));
}

static PyObject *kept(PyObject *self, PyObject *none) {
    (void)self, (void)none;
    return PyLong_FromSize_t(recurra_kept());
}

static PyObject *release(PyObject *self, PyObject *none) {
    (void)self, (void)none;
    recurra_release();
    Py_RETURN_NONE;
}

#ifdef RECURRA_SANITIZE
#include <stdlib.h>

/* Writes one byte too far, to see that the sanitizer is awake. */
static PyObject *planted_overrun(PyObject *self, PyObject *none) {
    (void)self, (void)none;
    volatile char *volatile bytes = malloc(8);
    bytes[8] = 1;
    free((void *)bytes);
    Py_RETURN_NONE;
}
#endif

static PyMethodDef methods[] = {
    {"forward", (PyCFunction)(void (*)(void))forward, METH_FASTCALL, "forward(threads, *runs)"},
    {"backward", (PyCFunction)(void (*)(void))backward, METH_FASTCALL, "backward(threads, *runs)"},
    {"saved_size", saved_size, METH_O, "Bytes that forward saves for backward."},
    {"block", block, METH_O, "A block of so many bytes."},
    {"pack", pack, METH_O, "The packed weights of a run."},
    {"prepare", prepare, METH_O, "What a step of a run needs, its weights packed."},
    {"step", (PyCFunction)(void (*)(void))step, METH_FASTCALL, "Step; False if no longer prepared."},
    {"answer", (PyCFunction)(void (*)(void))answer, METH_FASTCALL, "Loss and count of a linear map, and its gradients."},
    {"move", move, METH_VARARGS, "Move weights along their gradient; its length."},
    {"isa", isa, METH_NOARGS, "The number of the instruction set in use."},
    {"isas", isas, METH_NOARGS, "Of each instruction set: whether it is built and supported."},
    {"set_isa", set_isa, METH_O, "Use an instruction set, -1 for the best; False if it cannot be."},
    {"kept", kept, METH_NOARGS, "Bytes kept for the next calls."},
    {"release", release, METH_NOARGS, "Give the kept memory back."},
    {"agree", agree, METH_VARARGS, "Do two instruction sets agree on a small layer with bfloat16?"},
#ifdef RECURRA_SANITIZE
    {"planted_overrun", planted_overrun, METH_NOARGS, "Write one byte too far."},
#endif
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "recurra.native._engine", "Recurrent layers over raw pointers.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__engine(void) {
    PyObject *module = PyModule_Create(&definition);
    if (!module) return NULL;
    block_type = (PyTypeObject *)PyType_FromSpec(&block_spec);
    if (!block_type || PyModule_AddIntConstant(module, "MEMBERS", (long)MEMBERS) ||
        recurra_add_stepper(module)) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
