// SPDX-License-Identifier: Apache-2.0
/* redis_setup.c — encodes the opening words and judges the answers, step by step. */
#include "redis/redis_setup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"

#define PASSWORD_BYTES 4096u

enum step { STEP_AUTH, STEP_SELECT, STEP_NAME, STEP_ROLE, STEP_PING };

static void add_word(struct cm_text *text, const char *word)
{
    cm_text_addf(text, "$%zu\r\n", strlen(word));
    cm_text_adds(text, word);
    cm_text_adds(text, "\r\n");
}

static void add_step(struct cm_redis_setup *setup, struct cm_text *text, enum step step,
                     const char *const *words, size_t count)
{
    CM_ASSERT(setup->steps_len < CM_REDIS_SETUP_STEPS);
    setup->steps[setup->steps_len++] = (uint8_t)step;
    cm_text_addf(text, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        add_word(text, words[i]);
    }
}

/* The first line of the file, without its end. */
static int read_password(const char *path, char *password, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return cm_fail(CM_ERR_REDIS, "cannot read password file %s: %s", path, strerror(errno));
    }
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy of it is left in freed memory */
    errno = 0;
    bool got = fgets(password, (int)size, file) != NULL;
    int error = ferror(file) != 0 ? errno : 0;
    (void)fclose(file);
    if (error != 0) {
        return cm_fail(CM_ERR_REDIS, "cannot read password file %s: %s", path, strerror(error));
    }
    if (got) {
        password[strcspn(password, "\r\n")] = '\0';
    }
    if (!got || password[0] == '\0') {
        return cm_fail(CM_ERR_REDIS, "password file %s: its first line is empty", path);
    }
    return 0;
}

static int add_auth(struct cm_redis_setup *setup, const struct cm_redis_options *options,
                    struct cm_text *text)
{
    char password[PASSWORD_BYTES];
    int rc = read_password(options->password_file, password, sizeof(password));
    if (rc == 0) {
        /* Room for all of it at once: growing in between would leave a copy behind. */
        (void)cm_text_room(text, sizeof(password) + 1024);
        bool named = options->username[0] != '\0';
        const char *words[] = {"AUTH", named ? options->username : password, password};
        add_step(setup, text, STEP_AUTH, words, named ? 3 : 2);
    }
    explicit_bzero(password, sizeof(password));
    return rc;
}

int cm_redis_setup_start(struct cm_redis_setup *setup, const struct cm_redis_options *options,
                         struct cm_text *text)
{
    memset(setup, 0, sizeof(*setup));
    if (options->password_file[0] != '\0') {
        int rc = add_auth(setup, options, text);
        if (rc < 0) {
            setup->failed = true;
            setup->refused_password = true;
            (void)snprintf(setup->reason, sizeof(setup->reason), "%s", cm_fail_text());
            return rc;
        }
    }
    if (options->database != 0) {
        char number[24];
        (void)snprintf(number, sizeof(number), "%" PRId64, options->database);
        const char *words[] = {"SELECT", number};
        add_step(setup, text, STEP_SELECT, words, CM_ARRAY_LEN(words));
    }
    if (options->client_name[0] != '\0') {
        const char *words[] = {"CLIENT", "SETNAME", options->client_name};
        add_step(setup, text, STEP_NAME, words, CM_ARRAY_LEN(words));
    }
    const char *role[] = {"ROLE"};
    add_step(setup, text, STEP_ROLE, role, 1);
    const char *ping[] = {"PING"};
    add_step(setup, text, STEP_PING, ping, 1);
    return (int)setup->steps_len;
}

static void fail_step(struct cm_redis_setup *setup, const char *what, const char *why)
{
    if (!setup->failed) {
        setup->failed = true;
        (void)snprintf(setup->reason, sizeof(setup->reason), "%s: %s", what, why);
    }
}

static void judge_error(struct cm_redis_setup *setup, enum step step, const char *error)
{
    switch (step) {
    case STEP_AUTH:
        /* A server that is full answers the first command like this and closes. */
        setup->refused_password = strncmp(error, "ERR max number", 14) != 0;
        fail_step(setup, "AUTH", error);
        return;
    case STEP_SELECT:
        fail_step(setup, "SELECT", error);
        return;
    case STEP_PING:
        if (strncmp(error, "NOAUTH", 6) == 0) {
            setup->refused_password = true;
        }
        fail_step(setup, "PING", error);
        return;
    case STEP_NAME:
    case STEP_ROLE:
        /* An access list may forbid these two, and life goes on. It may also be a server with too
         * many clients, which closes next: so the text is kept. */
        if (!setup->failed) {
            (void)snprintf(setup->reason, sizeof(setup->reason), "%s", error);
        }
        return;
    }
}

static void judge_role(struct cm_redis_setup *setup, const struct redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0 ||
        reply->element[0]->type != REDIS_REPLY_STRING) {
        return;
    }
    const char *role = reply->element[0]->str;
    if (strcmp(role, "slave") == 0) {
        fail_step(setup, "READONLY", "this server is a replica; give the address of its primary");
    } else if (strcmp(role, "sentinel") == 0) {
        fail_step(setup, "ROLE", "this is a sentinel; give the address of a primary");
    }
}

enum cm_redis_verdict cm_redis_setup_answer(struct cm_redis_setup *setup,
                                            const struct redisReply *reply)
{
    CM_ASSERT(setup->answered < setup->steps_len);
    enum step step = (enum step)setup->steps[setup->answered++];
    if (reply->type == REDIS_REPLY_ERROR) {
        judge_error(setup, step, reply->str);
    } else if (step == STEP_ROLE) {
        judge_role(setup, reply);
    }
    if (setup->answered < setup->steps_len) {
        return CM_REDIS_MORE;
    }
    return setup->failed ? CM_REDIS_REFUSED : CM_REDIS_FINE;
}
