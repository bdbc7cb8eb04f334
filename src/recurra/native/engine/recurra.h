/* The engine's C interface: recurrent layers over raw pointers.
 *
 * A call runs one layer, one direction or both, over a whole batch, on the engine's own threads.
 * The caller owns every buffer and has checked every size: here nothing is checked again. Rows are
 * records. Innermost axes are contiguous; strides count elements. Weights lie as in torch.nn:
 * (gates * hidden, inputs), gates in the order i f g o (LSTM) and r z n (GRU).
 *
 * What a state's h is wide, `outputs`, is `hidden` unless an LSTM projects.
 */
#ifndef RECURRA_H
#define RECURRA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { RECURRA_ELMAN = 0, RECURRA_LSTM = 1, RECURRA_GRU = 2 };
enum { RECURRA_TANH = 0, RECURRA_RELU = 1, RECURRA_SIGMOID = 2 };
enum {
    RECURRA_BASELINE = 0,
    RECURRA_AVX2 = 1,
    RECURRA_AVX512 = 2,
    RECURRA_AVX512_BF16 = 3,
    RECURRA_AMX = 4,
    RECURRA_AMX_EMULATED = 5, /* for tests: AMX's arithmetic on a processor with AVX512_BF16 */
    RECURRA_ISAS = 6
};

/* Added to `element` 4: products may round what they multiply to bfloat16. Sums and states stay float,
 * and an instruction set that has no such products computes in float. */
enum { RECURRA_BF16 = 16 };

/* The same for a product in two parts of bfloat16, an error of some 2^-17 of the operands: forward only,
 * and on AMX only. */
enum { RECURRA_BF16_TWICE = 32 };

/* One direction of one layer. Every member is eight bytes wide. */
typedef struct {
    int64_t cell, activation; /* activation: of the Elman cell */
    int64_t element;          /* bytes of a number: 4 or 8; to 4 one of RECURRA_BF16... may be added */
    int64_t reverse;          /* from each record's own last step to step 0 */
    int64_t steps, batch, inputs, hidden;
    const int64_t *lengths; /* (batch), 0 to steps; NULL: all are `steps` */

    const void *x; /* (steps, batch, inputs) */
    int64_t x_step, x_row;
    const void *h0, *c0; /* (batch, outputs) and (batch, hidden); NULL: zeros */
    int64_t h0_row, c0_row;
    const void *w_ih, *w_hh, *b_ih, *b_hh; /* b_ih, b_hh: NULL for none */
    const void *packed;                    /* from recurra_pack; NULL: packed by the call */

    void *y; /* (steps, batch, outputs); 0 from a record's length on */
    int64_t y_step, y_row;
    void *hn, *cn; /* (batch, outputs) and (batch, hidden), rows side by side */

    /* Options of the cells: all 0 in a plain one. */
    int64_t heads;              /* w_hh is (gates * hidden, hidden / heads), a block for each head */
    int64_t coupled;            /* LSTM of three gates, f g o: i is 1 - f */
    int64_t outputs;            /* rows of w_hr */
    const void *w_hr;           /* LSTM: (outputs, hidden), projects h; not with heads */
    const void *w_ch;           /* LSTM: (gates - 1, hidden), peepholes of i f o or of f o */
    const void *recurrent;      /* (batch, outputs): times the h that w_hh reads */
    int64_t recurrent_row;
    const void *zoneout_h;      /* (steps, batch, outputs): how much of h stays as it was */
    int64_t zoneout_h_step, zoneout_h_row;
    const void *zoneout_c;      /* LSTM: (steps, batch, hidden), of c */
    int64_t zoneout_c_step, zoneout_c_row;
    const void *decay;          /* (steps, batch, outputs): what a step finds of h, and of an LSTM's c;
                                   not with w_hr */
    int64_t decay_step, decay_row;

    void *saved;   /* recurra_saved_size bytes that backward wants back; NULL: inference */

    /* Backward only. What is NULL among the incoming is 0, among the outgoing is not computed;
     * the gradients of the weights are wanted all or none. */
    const void *dy; /* (steps, batch, outputs) */
    int64_t dy_step, dy_row;
    const void *dhn, *dcn; /* (batch, outputs) and (batch, hidden) */
    int64_t dhn_row, dcn_row;
    void *dx; /* (steps, batch, inputs); added to if add_dx */
    int64_t dx_step, dx_row, add_dx;
    void *dh0, *dc0; /* (batch, outputs) and (batch, hidden), rows side by side */
    void *dw_ih, *dw_hh, *db_ih, *db_hh, *dw_hr, *dw_ch;
    void *ddecay; /* (steps, batch, outputs) */
    int64_t ddecay_step, ddecay_row;
    int64_t add_dw; /* the gradients of the weights are added to what is there */
} recurra_run;

/* What the processor offers and what is in use: one of RECURRA_BASELINE ... */
int recurra_isa_built(int isa);
int recurra_isa_supported(int isa); /* 1, or 0; -1: it is there, but failed its self-test */
int recurra_isa(void);
int recurra_set_isa(int isa); /* 0, or -1 where it is not built or not supported */

/* Do two instruction sets, both supported, agree on a small layer with bfloat16 operands? */
int recurra_agree(int one, int other);

/* Bytes of what forward saves for backward; bytes of packed weights. */
size_t recurra_saved_size(const recurra_run *run);
size_t recurra_packed_size(const recurra_run *run);
void recurra_pack(const recurra_run *run, void *packed);

/* 0, or -1 where memory ran out. The runs of a call share all sizes. `saved` is spent by backward:
 * to go back twice, run forward again. */
int recurra_forward(const recurra_run *runs, int count, int threads);
int recurra_backward(const recurra_run *runs, int count, int threads);

/* One layer ready to read single steps, its weights packed for the instruction set of this moment:
 * a run of one step, forward. NULL where memory ran out. A step reads x and writes y, on the calling
 * thread alone; the state it carries lies where hn and cn of the run point. */
typedef struct recurra_stepper recurra_stepper;
recurra_stepper *recurra_new_stepper(const recurra_run *run);
void recurra_step(recurra_stepper *stepper, const void *x, void *y);
/* The same from and to a state of the caller's, with the caller's weights: -1 where the batch or the
 * weights, looked at in full, are no longer those it was made with. */
int recurra_step_between(recurra_stepper *stepper, const recurra_run *now);
void recurra_end_stepper(recurra_stepper *stepper);

/* A linear map, y = W x + b, and the loss of what it says, there and back: the squared error, or the
 * cross-entropy of one class among several. */
typedef struct {
    int64_t element;             /* bytes of a number: 4 or 8 */
    int64_t rows, width, outputs;
    int64_t classes;             /* of each of `outputs / classes` answers; 0: numbers */
    const void *x;               /* (rows, width) */
    int64_t x_row;
    const void *mask;            /* (rows, width): times x; NULL for none */
    const void *w, *b;           /* (outputs, width), (outputs); b: NULL for none */
    const void *target;          /* (rows, outputs), NaN where unknown; of classes int64 (rows, outputs / classes),
                                    negative where unknown */
    const void *weights;         /* (rows): how much a row counts; NULL: one each */
    void *dw, *db;               /* added to; db: NULL without b */
    void *dx;                    /* (rows, width); added to if add_dx */
    int64_t add_dx;
} recurra_head;

/* 0, or -1 where memory ran out; the summed loss and how many targets were known, less than 0 where one
 * is beyond the classes. */
int recurra_answer(const recurra_head *head, double *total, int64_t *count);

/* An optimizer: one step along the gradient. */
enum { RECURRA_ADAM = 0, RECURRA_ADAMW = 1, RECURRA_RMSPROP = 2, RECURRA_SGD = 3 };

typedef struct {
    int64_t kind, element, count;
    void *weights, *gradients;   /* (count) each; the gradients are left divided and shortened */
    void *first, *second;        /* (count) each; second: of Adam alone */
    float *step;                 /* counted up */
    double rate, decay;          /* decay of the weights: AdamW's is decoupled */
    double share;                /* times the gradient, first of all */
    double longest;              /* then longer ones are shortened to this */
} recurra_move;

/* The length of the gradient times `share`, -1 where memory ran out; where it is not a finite length
 * nothing has moved. */
double recurra_move_weights(const recurra_move *move, int threads);

/* Blocks of memory that are kept for the next call rather than given back. */
void *recurra_take(size_t bytes);
void recurra_give(void *block);
size_t recurra_kept(void);
void recurra_release(void);

#ifdef __cplusplus
}
#endif

#endif
