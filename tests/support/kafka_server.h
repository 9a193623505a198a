// SPDX-License-Identifier: Apache-2.0
/* kafka_server.h — a real Apache Kafka broker for one test, through scripts/kafka-broker: its own
 * ports of 127.0.0.1, its own directory.
 *
 *     struct kafka_server server;
 *     int rc = kafka_server_start(&server);
 *     if (rc != 0) { return rc; }              77: no java or no Maven, the test counts as skipped
 *     ... server.address ...
 *     kafka_server_stop(&server);              it keeps its data and port ...
 *     rc = kafka_server_restart(&server);      ... and comes back with them
 *     kafka_server_remove(&server);
 *
 * The broker ends with the test process, however that ends. The script is found through
 * CM_SOURCE_DIR.
 */
#ifndef CM_TESTS_SUPPORT_KAFKA_SERVER_H
#define CM_TESTS_SUPPORT_KAFKA_SERVER_H

#define KAFKA_SERVER_SKIP 77

struct kafka_server {
    char directory[64];
    char address[64]; /* "127.0.0.1:PORT"; "" while it does not run */
};

/* 0 when it answers; 77 with a reason on standard error when it cannot be had here (no java, no
 * Maven, no way to fetch the jars); 1 when it does not come up. Where the environment says CI=true,
 * 77 becomes 1. */
int kafka_server_start(struct kafka_server *server);
/* Ends it in good order. 0 or 1. */
int kafka_server_stop(struct kafka_server *server);
int kafka_server_restart(struct kafka_server *server);
/* SIGSTOP: connections stay, nothing is answered; SIGCONT. */
void kafka_server_pause(const struct kafka_server *server);
void kafka_server_resume(const struct kafka_server *server);
/* Stops it and removes its directory. */
void kafka_server_remove(struct kafka_server *server);

#endif
