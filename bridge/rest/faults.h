/* What is wrong with a request, collected: the "detail" of an answer 422. */
#ifndef AB_REST_FAULTS_H
#define AB_REST_FAULTS_H

#include "wire/json.h"

struct ab_rest_faults {
    struct ab_buf text; /* elements of the array, commas between them */
    size_t n;
};

void ab_rest_faults_init(struct ab_rest_faults *faults);
void ab_rest_faults_deinit(struct ab_rest_faults *faults);
/* Adds one, unless there are very many already. `where` is "body.input.files.2": a number is an element's place. `type`
 * is the word for programs ("missing", "string_type"), the sentence is for people. */
AB_PRINTF(4, 5)
void ab_rest_fault_add(struct ab_rest_faults *faults, const char *where, const char *type, const char *format, ...);
/* The whole body of the answer: {"detail":[{"type","loc":[...],"msg"}...]}. */
void ab_rest_faults_write(const struct ab_rest_faults *faults, struct ab_buf *out);

#endif
