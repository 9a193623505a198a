// SPDX-License-Identifier: Apache-2.0
/* gen_sink.h — where generated lines go: a file, standard output, or a Kafka topic.
 *
 * THREADS   One. ERRORS A full disk, a closed pipe, a broker that does not answer for 30 s: the
 *           code of cm_fail(), with the name of the file or the broker in the text.
 */
#ifndef CM_CLI_GEN_SINK_H
#define CM_CLI_GEN_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct cm_gen_sink;

/* path "-": standard output. */
CM_NODISCARD int cm_gen_sink_file(const char *path, struct cm_gen_sink **out);
/* partitions 0: the topic is there, or the broker makes it. */
CM_NODISCARD int cm_gen_sink_kafka(const char *brokers, const char *topic, const char *codec,
                                   int32_t partitions, struct cm_gen_sink **out);
/* One record; a file gets a line feed behind it. key: of the Kafka record, len 0: none. */
CM_NODISCARD int cm_gen_sink_put(struct cm_gen_sink *sink, const struct cm_text *line,
                                 struct cm_str key);
/* Hands on what is held back, and does not wait: before a pause. */
CM_NODISCARD int cm_gen_sink_push(struct cm_gen_sink *sink);
/* Everything is written, or acknowledged by the broker. */
CM_NODISCARD int cm_gen_sink_finish(struct cm_gen_sink *sink);
/* What was not finished is dropped. NULL: nothing. */
void cm_gen_sink_close(struct cm_gen_sink *sink);

#endif
