// SPDX-License-Identifier: Apache-2.0
/* client_conf.h — librdkafka's settings for our clients, and its log lines in ours. Inside the room
 * only.
 *
 * Three layers: the defaults of the client, the user's properties over them, and the settings that
 * the client itself stands on. A user who sets one of the last gets -CM_ERR_CONFIG, not a surprise.
 * Values of secret properties never reach a message.
 */
#ifndef CM_KAFKA_CLIENT_CONF_H
#define CM_KAFKA_CLIENT_CONF_H

#include <librdkafka/rdkafka.h>
#include <stdint.h>

#include "base/compiler.h"
#include "config/config.h"

struct cm_client_setting {
    const char *name, *value;
};

/* Settings: those of `defaults`, then `properties` (may be NULL), then `owned`, which properties
 * may not name. `reserved` are names, NULL at the end, which properties may not name either. A row
 * of `defaults` or `owned` with value NULL is left out. Log lines go to cm_log(). 0 and *out, which
 * rd_kafka_new() takes over; or -CM_ERR_CONFIG. */
CM_NODISCARD int cm_client_conf(const struct cm_client_setting *defaults, uint32_t defaults_count,
                                const struct cm_client_setting *owned, uint32_t owned_count,
                                const char *const *reserved, const struct cm_properties *properties,
                                rd_kafka_conf_t **out);

/* A number among librdkafka's settings, its defaults included; 0 when it has none of that name. */
int32_t cm_client_number(const rd_kafka_conf_t *conf, const char *name);

/* What librdkafka reports through its error callback, logged under a stable event name. */
void cm_client_log_error(int code, const char *reason);

#endif
