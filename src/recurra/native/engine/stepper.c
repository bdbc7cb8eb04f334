/* A stack that is stepped from Python: one call for one step of all its layers.
 *
 * Arrays come and go through the buffer protocol, so nothing here knows NumPy. Outputs are made by
 * a callable that the caller gives; one that nobody else holds any more is written again, which
 * only its reference count can tell: to who looks, each step has an output of its own.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#include "recurra.h"
#include "stepper.h"

/* A caller who keeps y until the next is there holds one while the other is written. */
#define OUTPUTS 2

/* Below about this many multiply-adds another thread gains nothing from the interpreter's lock. */
#define SMALL (1 << 17)

typedef struct {
    recurra_stepper *step;
    void *y; /* where the layer above reads; NULL for the last, which writes the output */
} Layer;

typedef struct {
    PyObject_HEAD
    Layer *layers;
    Py_ssize_t count, batch, inputs, hidden, element;
    int64_t work;
    void *converted; /* x in the type of the weights, where it came in the other or unaligned */
    PyObject *new_output, *refuse, *held;
    PyObject *outputs[OUTPUTS];
    int next, busy;
} Stepper;

/* The letter of the struct module for an array of one of our types; 0 for any other. */
static char letter(const Py_buffer *view) {
    const char *format = view->format ? view->format : "";
    if (*format == '=' || *format == '^') ++format; /* NumPy's way to say that it is not aligned */
    if (format[0] == 0 || format[1] != 0) return 0;
    char found = format[0];
    return found == 'f' || found == 'd' ? found : 0;
}

static char own_letter(const Stepper *self) { return self->element == 8 ? 'd' : 'f'; }

static void convert(const Stepper *self, const Py_buffer *view, char from) {
    Py_ssize_t size = self->batch * self->inputs;
    const char *source = view->buf;
    for (Py_ssize_t i = 0; i < size; ++i) {
        float single;
        double wide;
        if (from == 'f') {
            memcpy(&single, source + 4 * i, 4);
            wide = single;
        } else {
            memcpy(&wide, source + 8 * i, 8);
        }
        if (self->element == 8)
            ((double *)self->converted)[i] = wide;
        else
            ((float *)self->converted)[i] = (float)wide;
    }
}

/* Where x can be read; NULL if it is not what this stack reads. */
static const void *readable(const Stepper *self, const Py_buffer *view) {
    char found = letter(view);
    int fits = view->ndim == 2 ? view->shape[0] == self->batch : view->ndim == 1 && self->batch == 1;
    if (!found || !fits || view->shape[view->ndim - 1] != self->inputs) return NULL;
    if (found == own_letter(self) && (uintptr_t)view->buf % (uintptr_t)self->element == 0) return view->buf;
    convert(self, view, found);
    return self->converted;
}

/* Where an output can be written; NULL without an exception if it is not as it was made. */
static void *writable(const Stepper *self, PyObject *output) {
    Py_buffer view;
    if (PyObject_GetBuffer(output, &view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)) {
        PyErr_Clear();
        return NULL;
    }
    int fits = letter(&view) == own_letter(self) && view.ndim == 2 && view.shape[0] == self->batch &&
               view.shape[1] == self->hidden;
    void *address = fits ? view.buf : NULL;
    PyBuffer_Release(&view);
    return address;
}

/* An output that nobody holds but us, with one reference more. */
static PyObject *output(Stepper *self, void **address) {
    for (int i = 0; i < OUTPUTS; ++i) {
        PyObject *kept = self->outputs[i];
        if (!kept || Py_REFCNT(kept) != 1) continue;
        *address = writable(self, kept);
        if (!*address) continue;
        Py_INCREF(kept);
        return kept;
    }
    PyObject *made = PyObject_CallNoArgs(self->new_output);
    if (!made) return NULL;
    *address = writable(self, made);
    if (!*address) {
        Py_DECREF(made);
        PyErr_SetString(PyExc_TypeError, "new_output made no writable array of the stack's type and shape");
        return NULL;
    }
    PyObject *old = self->outputs[self->next];
    Py_INCREF(made);
    self->outputs[self->next] = made;
    self->next = (self->next + 1) % OUTPUTS;
    Py_XDECREF(old);
    return made;
}

static void run(const Stepper *self, const void *x, void *y) {
    for (Py_ssize_t i = 0; i < self->count; ++i) {
        const Layer *layer = &self->layers[i];
        void *to = layer->y ? layer->y : y;
        recurra_step(layer->step, x, to);
        x = to;
    }
}

static PyObject *refused(const Stepper *self, PyObject *x) {
    PyErr_Clear();
    PyObject *answer = PyObject_CallFunctionObjArgs(self->refuse, x, NULL);
    if (answer) PyErr_SetString(PyExc_TypeError, "x_t cannot be read");
    Py_XDECREF(answer);
    return NULL;
}

static PyObject *step(PyObject *object, PyObject *x) {
    Stepper *self = (Stepper *)object;
    Py_buffer view;
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError,
                        "This stepper is in the middle of a step. Give each thread a stepper of its own.");
        return NULL;
    }
    if (PyObject_GetBuffer(x, &view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS)) return refused(self, x);
    void *to = NULL;
    const void *from = readable(self, &view);
    PyObject *y = from ? output(self, &to) : refused(self, x);
    if (y) {
        if (self->work < SMALL) {
            run(self, from, to);
        } else {
            self->busy = 1;
            Py_BEGIN_ALLOW_THREADS
            run(self, from, to);
            Py_END_ALLOW_THREADS
            self->busy = 0;
        }
    }
    PyBuffer_Release(&view);
    return y;
}

static int add_layer(Stepper *self, PyObject *tuple) {
    recurra_run asked;
    memset(&asked, 0, sizeof asked);
    long long cell, activation, inputs, hidden, w_ih, w_hh, b_ih, b_hh, h, c, y;
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "a layer is a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(tuple, "LLLLLLLLLLL", &cell, &activation, &inputs, &hidden, &w_ih, &w_hh,
                          &b_ih, &b_hh, &h, &c, &y))
        return -1;
    asked.cell = cell, asked.activation = activation, asked.element = self->element;
    asked.steps = 1, asked.batch = self->batch, asked.inputs = inputs, asked.hidden = hidden;
    asked.w_ih = (void *)(intptr_t)w_ih, asked.w_hh = (void *)(intptr_t)w_hh;
    asked.b_ih = (void *)(intptr_t)b_ih, asked.b_hh = (void *)(intptr_t)b_hh;
    asked.hn = (void *)(intptr_t)h, asked.cn = (void *)(intptr_t)c;
    Layer *layer = &self->layers[self->count];
    layer->step = recurra_new_stepper(&asked);
    if (!layer->step) {
        PyErr_NoMemory();
        return -1;
    }
    layer->y = (void *)(intptr_t)y;
    if (!self->count) self->inputs = (Py_ssize_t)inputs;
    self->hidden = (Py_ssize_t)hidden;
    self->work += asked.batch * hidden * (inputs + hidden);
    ++self->count;
    return 0;
}

static void dealloc(PyObject *object) {
    Stepper *self = (Stepper *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (Py_ssize_t i = 0; i < self->count; ++i) recurra_end_stepper(self->layers[i].step);
    PyMem_Free(self->layers);
    PyMem_Free(self->converted);
    for (int i = 0; i < OUTPUTS; ++i) Py_XDECREF(self->outputs[i]);
    Py_XDECREF(self->new_output);
    Py_XDECREF(self->refuse);
    Py_XDECREF(self->held);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *names) {
    Py_ssize_t element, batch;
    PyObject *layers, *new_output, *refuse, *held;
    if (names && PyDict_Size(names)) {
        PyErr_SetString(PyExc_TypeError, "Stepper takes no names");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "nnO!OOO", &element, &batch, &PyTuple_Type, &layers, &new_output, &refuse,
                          &held))
        return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    PyObject *object = allocate(type, 0);
    if (!object) return NULL;
    Stepper *self = (Stepper *)object;
    Py_ssize_t count = PyTuple_Size(layers);
    self->element = element, self->batch = batch;
    self->new_output = new_output, self->refuse = refuse, self->held = held;
    Py_INCREF(new_output), Py_INCREF(refuse), Py_INCREF(held);
    self->layers = PyMem_Calloc((size_t)count, sizeof(Layer));
    int failed = !self->layers;
    if (failed) PyErr_NoMemory();
    for (Py_ssize_t i = 0; !failed && i < count; ++i) failed = add_layer(self, PyTuple_GetItem(layers, i));
    if (!failed) {
        self->converted = PyMem_Calloc((size_t)(batch * self->inputs), (size_t)element);
        failed = !self->converted;
        if (failed) PyErr_NoMemory();
    }
    if (failed) Py_CLEAR(object);
    return object;
}

static PyMethodDef stepper_methods[] = {
    {"step", step, METH_O, "Read one step and return the output of the last layer."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot stepper_slots[] = {
    {Py_tp_new, new},
    {Py_tp_dealloc, dealloc},
    {Py_tp_methods, stepper_methods},
    {Py_tp_doc, "Stepper(element, batch, layers, new_output, refuse, held)\n\n"
                "Layers ready to be stepped. A layer is a tuple of integers: cell, activation, inputs,\n"
                "hidden, then addresses: w_ih, w_hh, b_ih, b_hh, the state h and c, and where it writes\n"
                "(0 for the last layer). The weights are packed at once, the state is carried in place."},
    {0, NULL},
};

static PyType_Spec stepper_spec = {"recurra.native._engine.Stepper", sizeof(Stepper), 0, Py_TPFLAGS_DEFAULT,
                                   stepper_slots};

int recurra_add_stepper(PyObject *module) {
    PyObject *type = PyType_FromSpec(&stepper_spec);
    if (!type) return -1;
    int failed = PyModule_AddObjectRef(module, "Stepper", type);
    Py_DECREF(type);
    return failed;
}
