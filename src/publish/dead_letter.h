// SPDX-License-Identifier: Apache-2.0
/* dead_letter.h — a record that did not count, as one JSON line:
 *   {"reason":"late","topic":"call-events","partition":3,"offset":1207,"record":"{\"type\":..."}
 * The record is kept as text; bytes that are not valid UTF-8 make it "record_base64" instead, so
 * that nothing is lost. */
#ifndef CM_PUBLISH_DEAD_LETTER_H
#define CM_PUBLISH_DEAD_LETTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "event/reason.h"

/* Appends the line with its newline. */
void cm_dead_letter_write(struct cm_text *out, enum cm_reason reason, const char *topic,
                          int32_t partition, int64_t offset, const char *record, size_t len);

#endif
