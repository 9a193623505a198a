// SPDX-License-Identifier: Apache-2.0
/* scram.c — see scram.h. Hashes, HMAC, PBKDF2 and the comparison in constant time are libcrypto's.
 */
#include "kafka/scram.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/random.h>

#include "base/fail.h"

#define NO_BINDING    "n,,"
#define NO_BINDING_64 "biws"
#define RANDOM_BYTES  24u
#define SALT_MOST     1024u

static const struct {
    const EVP_MD *(*digest)(void);
    uint32_t bytes;
} hashes[] = {
    [CM_SCRAM_SHA_1] = {EVP_sha1, 20},
    [CM_SCRAM_SHA_256] = {EVP_sha256, 32},
    [CM_SCRAM_SHA_512] = {EVP_sha512, 64},
};

static int bad(const char *what)
{
    return cm_fail(CM_ERR_KAFKA, "SCRAM: %s", what);
}

/* ---- base64, without blanks and with all its padding */

static bool is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

/* How many bytes; 0: it is no base64, or has no room. */
static uint32_t decode64(struct cm_str in, uint8_t *out, uint32_t room)
{
    uint32_t padding = 0;
    if (in.len == 0 || in.len % 4 != 0 || in.len / 4 * 3 > room) {
        return 0;
    }
    while (padding < 2 && in.p[in.len - 1 - padding] == '=') {
        padding++;
    }
    for (uint32_t i = 0; i < in.len - padding; i++) {
        if (!is_base64(in.p[i])) {
            return 0;
        }
    }
    int got = EVP_DecodeBlock(out, (const uint8_t *)in.p, (int)in.len);
    return got < 0 ? 0 : (uint32_t)got - padding;
}

static void add64(struct cm_text *out, const uint8_t *bytes, uint32_t len)
{
    char *to = cm_text_room(out, (size_t)(len + 2) / 3 * 4 + 1); /* it writes a terminator */
    out->len += (size_t)EVP_EncodeBlock((uint8_t *)to, bytes, (int)len);
}

/* ---- the client's messages */

bool cm_scram_takes(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < 0x20 || *p > 0x7e) {
            return false;
        }
    }
    return text[0] != '\0';
}

int cm_scram_nonce(char out[CM_SCRAM_NONCE_BYTES])
{
    uint8_t bytes[RANDOM_BYTES];
    ssize_t got = 0;
    do {
        got = getrandom(bytes, sizeof bytes, 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof bytes) {
        return cm_fail(CM_ERR_IO, "random bytes: %s", strerror(errno));
    }
    (void)EVP_EncodeBlock((uint8_t *)out, bytes, sizeof bytes);
    return 0;
}

void cm_scram_begin(struct cm_scram *scram, enum cm_scram_hash hash, const char *username,
                    const char *password, const char *nonce)
{
    *scram =
        (struct cm_scram){.hash = hash, .username = username, .password = password, .nonce = nonce};
}

static void add_first_bare(const struct cm_scram *scram, struct cm_text *out)
{
    cm_text_adds(out, "n=");
    for (const char *p = scram->username; *p != '\0'; p++) {
        if (*p == ',' || *p == '=') {
            cm_text_adds(out, *p == ',' ? "=2C" : "=3D");
        } else {
            cm_text_addc(out, *p);
        }
    }
    cm_text_adds(out, ",r=");
    cm_text_adds(out, scram->nonce);
}

void cm_scram_first(const struct cm_scram *scram, struct cm_text *out)
{
    cm_text_adds(out, NO_BINDING);
    add_first_bare(scram, out);
}

/* ---- the broker's messages */

/* Takes "x=value" off the front, with the comma behind it. */
static bool take(struct cm_str *rest, char name, struct cm_str *value)
{
    if (rest->len < 2 || rest->p[0] != name || rest->p[1] != '=') {
        return false;
    }
    const char *from = rest->p + 2;
    const char *comma = memchr(from, ',', rest->len - 2);
    *value = (struct cm_str){from, comma == NULL ? rest->len - 2 : (uint32_t)(comma - from)};
    uint32_t used = 2 + value->len + (comma == NULL ? 0 : 1);
    rest->p += used;
    rest->len -= used;
    return true;
}

struct challenge {
    struct cm_str nonce;
    uint8_t salt[SALT_MOST];
    uint32_t salt_bytes;
    int iterations;
};

static int read_iterations(struct cm_str text, int *out)
{
    uint64_t count = 0;
    if (!cm_parse_u64(text.p, text.len, &count)) {
        return bad("the broker's iteration count is no number");
    }
    if (count < CM_SCRAM_ITERATIONS_LEAST || count > CM_SCRAM_ITERATIONS_MOST) {
        return cm_fail(
            CM_ERR_KAFKA, "SCRAM: the broker asks for %llu iterations; %d to %d are taken",
            (unsigned long long)count, CM_SCRAM_ITERATIONS_LEAST, CM_SCRAM_ITERATIONS_MOST);
    }
    *out = (int)count;
    return 0;
}

static int read_challenge(const struct cm_scram *scram, struct cm_str theirs,
                          struct challenge *challenge)
{
    struct cm_str salt;
    struct cm_str iterations;
    if (theirs.len > CM_SCRAM_MESSAGE_MOST) {
        return bad("the broker's first message is too long");
    }
    if (theirs.len >= 2 && memcmp(theirs.p, "m=", 2) == 0) {
        return bad("the broker wants an extension that is not known");
    }
    if (!take(&theirs, 'r', &challenge->nonce) || !take(&theirs, 's', &salt) ||
        !take(&theirs, 'i', &iterations)) {
        return bad("the broker's first message has no nonce, salt and iteration count");
    }
    size_t ours = strlen(scram->nonce);
    if (challenge->nonce.len <= ours || memcmp(challenge->nonce.p, scram->nonce, ours) != 0) {
        return bad("the broker's nonce does not begin with ours");
    }
    challenge->salt_bytes = decode64(salt, challenge->salt, sizeof challenge->salt);
    if (challenge->salt_bytes == 0) {
        return bad("the broker's salt cannot be read");
    }
    return read_iterations(iterations, &challenge->iterations);
}

/* ---- keys */

struct keys {
    uint8_t salted[CM_SCRAM_HASH_BYTES_MOST], client[CM_SCRAM_HASH_BYTES_MOST],
        stored[CM_SCRAM_HASH_BYTES_MOST], server[CM_SCRAM_HASH_BYTES_MOST],
        signature[CM_SCRAM_HASH_BYTES_MOST];
};

static bool keyed(const struct cm_scram *scram, const uint8_t *key, const void *bytes, size_t len,
                  uint8_t *out)
{
    unsigned got = 0;
    const EVP_MD *digest = hashes[scram->hash].digest();
    return HMAC(digest, key, (int)hashes[scram->hash].bytes, bytes, len, out, &got) != NULL;
}

static bool derive(const struct cm_scram *scram, const struct challenge *challenge,
                   struct cm_str signed_text, struct keys *keys)
{
    static const char client[] = "Client Key";
    static const char server[] = "Server Key";
    const EVP_MD *digest = hashes[scram->hash].digest();
    uint32_t bytes = hashes[scram->hash].bytes;
    size_t password_bytes = strlen(scram->password);
    return password_bytes <= INT_MAX &&
           PKCS5_PBKDF2_HMAC(scram->password, (int)password_bytes, challenge->salt,
                             (int)challenge->salt_bytes, challenge->iterations, digest, (int)bytes,
                             keys->salted) == 1 &&
           keyed(scram, keys->salted, client, sizeof client - 1, keys->client) &&
           keyed(scram, keys->salted, server, sizeof server - 1, keys->server) &&
           EVP_Digest(keys->client, bytes, keys->stored, NULL, digest, NULL) == 1 &&
           keyed(scram, keys->stored, signed_text.p, signed_text.len, keys->signature);
}

int cm_scram_final(struct cm_scram *scram, struct cm_str theirs, struct cm_text *out)
{
    struct challenge challenge = {.iterations = 0};
    struct keys keys;
    struct cm_text text = {0};
    uint8_t proof[CM_SCRAM_HASH_BYTES_MOST];
    uint32_t bytes = hashes[scram->hash].bytes;
    int rc = read_challenge(scram, theirs, &challenge);
    if (rc != 0) {
        return rc;
    }
    add_first_bare(scram, &text);
    cm_text_addc(&text, ',');
    cm_text_add(&text, theirs.p, theirs.len);
    cm_text_addc(&text, ',');
    size_t bare_at = text.len;
    cm_text_adds(&text, "c=" NO_BINDING_64 ",r=");
    cm_text_add(&text, challenge.nonce.p, challenge.nonce.len);
    struct cm_str signed_text = {text.data, (uint32_t)text.len};
    if (derive(scram, &challenge, signed_text, &keys) &&
        keyed(scram, keys.server, signed_text.p, signed_text.len, scram->signature)) {
        for (uint32_t i = 0; i < bytes; i++) {
            proof[i] = keys.client[i] ^ keys.signature[i];
        }
        cm_text_add(out, text.data + bare_at, text.len - bare_at);
        cm_text_adds(out, ",p=");
        add64(out, proof, bytes);
        scram->has_signature = true;
    } else {
        rc = bad("libcrypto refuses the hash");
    }
    explicit_bzero(&keys, sizeof keys);
    explicit_bzero(proof, sizeof proof);
    cm_text_free(&text);
    return rc;
}

void cm_scram_say(char *out, size_t out_bytes, struct cm_str words)
{
    size_t at = strlen(out);
    for (uint32_t i = 0; i < words.len && at + 1 < out_bytes; i++) {
        bool plain = words.p[i] >= 0x20 && words.p[i] <= 0x7e && words.p[i] != '"';
        out[at++] = plain ? words.p[i] : '?';
    }
    out[at] = '\0';
}

int cm_scram_verify(const struct cm_scram *scram, struct cm_str theirs)
{
    struct cm_str value;
    uint8_t signature[SALT_MOST];
    uint32_t bytes = hashes[scram->hash].bytes;
    if (theirs.len > CM_SCRAM_MESSAGE_MOST) {
        return bad("the broker's last message is too long");
    }
    if (take(&theirs, 'e', &value)) {
        char text[128] = "";
        cm_scram_say(text, sizeof text, value);
        return cm_fail(CM_ERR_KAFKA, "SCRAM: the broker says %s", text);
    }
    if (!scram->has_signature || !take(&theirs, 'v', &value)) {
        return bad("the broker does not prove that it knows the password");
    }
    if (decode64(value, signature, sizeof signature) != bytes ||
        CRYPTO_memcmp(signature, scram->signature, bytes) != 0) {
        return bad("the broker's signature is wrong: it does not know the password");
    }
    return 0;
}

void cm_scram_end(struct cm_scram *scram)
{
    explicit_bzero(scram, sizeof *scram);
}
