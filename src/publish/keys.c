// SPDX-License-Identifier: Apache-2.0
/* keys.c — see keys.h. */
#include "publish/keys.h"

#include "base/compiler.h"
#include "publish/resp.h"

static struct cm_str str(const char *text)
{
    return (struct cm_str){text, (uint32_t)strlen(text)};
}

void cm_key_unit(struct cm_text *out, const char *prefix, const struct cm_unit_key *key)
{
    struct cm_str pieces[] = {str(prefix), str(cm_kind_name(key->kind)), CM_STR(":"), key->id};
    cm_resp_pieces(out, pieces, CM_ARRAY_LEN(pieces));
}

void cm_key_family(struct cm_text *out, const char *prefix, const char *family,
                   const struct cm_unit_key *key)
{
    struct cm_str pieces[] = {str(prefix), str(family), CM_STR(":"), str(cm_kind_name(key->kind)),
                              CM_STR(":"), key->id};
    cm_resp_pieces(out, pieces, CM_ARRAY_LEN(pieces));
}

void cm_key_window(struct cm_text *out, const char *prefix, const char *family,
                   const struct cm_unit_key *key, const char *window)
{
    struct cm_str pieces[] = {str(prefix), str(family), CM_STR(":"), str(cm_kind_name(key->kind)),
                              CM_STR(":"), key->id,     CM_STR(":"), str(window)};
    cm_resp_pieces(out, pieces, CM_ARRAY_LEN(pieces));
}

void cm_key_units(struct cm_text *out, const char *prefix, unsigned kind)
{
    struct cm_str pieces[] = {str(prefix), CM_STR("units:"), str(cm_kind_name(kind))};
    cm_resp_pieces(out, pieces, CM_ARRAY_LEN(pieces));
}

void cm_key_rank(struct cm_text *out, const char *prefix, unsigned kind, const char *window,
                 const char *metric)
{
    struct cm_str pieces[] = {str(prefix), CM_STR("rank:"), str(cm_kind_name(kind)),
                              CM_STR(":"), str(window),     CM_STR(":"),
                              str(metric)};
    cm_resp_pieces(out, pieces, CM_ARRAY_LEN(pieces));
}

void cm_key_plain(struct cm_text *out, const char *prefix, const char *name)
{
    struct cm_str pieces[] = {str(prefix), str(name)};
    cm_resp_pieces(out, pieces, CM_ARRAY_LEN(pieces));
}
