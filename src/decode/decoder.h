// SPDX-License-Identifier: Apache-2.0
/* decoder.h — bytes of one record to one event: strict JSON (RFC 8259), UTF-8 verified.
 *
 * One forward pass without a tree: the object's members are matched against the contract's fields
 * as they come, unknown ones are validated and skipped. Of a repeated key the last counts.
 *
 * THREADS   A decoder belongs to one thread.
 * OWNERSHIP Strings of the event point into the record's bytes, or, where they held escapes, into
 *           the decoder's scratch; checks into the scratch, their names like the strings. The
 *           scratch lives until cm_decoder_reset(), the record's bytes are the caller's.
 * COST      No allocation once the scratch has grown to the largest batch.
 */
#ifndef CM_DECODE_DECODER_H
#define CM_DECODE_DECODER_H

#include <stdbool.h>
#include <stddef.h>

#include "event/event.h"
#include "event/reason.h"

struct cm_decoder;

struct cm_decoder *cm_decoder_create(void);
void cm_decoder_destroy(struct cm_decoder *decoder);
/* For tests and benchmarks: the kernel that looks over a record (shape.h), NULL for the general
 * parser alone; and all layouts are forgotten. false: that kernel does not run here, nothing is
 * changed. The answers are the same. */
bool cm_decoder_use(struct cm_decoder *decoder, const char *kernel);
/* Forgets the scratch of all events decoded since the last reset. */
void cm_decoder_reset(struct cm_decoder *decoder);
/* Decodes one record. CM_REASON_NONE: `event` is set whole. Otherwise the reason why it does not
 * count (TOO_LARGE, MALFORMED, UTF8, DEPTH, MISSING, TYPE, RANGE), and `event` is undefined. */
enum cm_reason cm_decode(struct cm_decoder *decoder, const char *bytes, size_t len,
                         struct cm_event *event);

#endif
