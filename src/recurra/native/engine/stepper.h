/* The type Stepper of the extension module. */
#ifndef RECURRA_STEPPER_H
#define RECURRA_STEPPER_H

/* Adds the type to a module; -1 with an exception set where that failed. */
int recurra_add_stepper(PyObject *module);

#endif
