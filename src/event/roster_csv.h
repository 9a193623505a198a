// SPDX-License-Identifier: Apache-2.0
/* roster_csv.h — the CSV form of a roster: RFC 4180 with a header line, columns in any order.
 *
 * Quoted fields hold commas, line ends and doubled quotes, and are taken as they are; blanks around
 * a field outside quotes go. LF, CRLF and CR end a line; a byte order mark and blank lines are
 * skipped. There are no comments.
 */
#ifndef CM_EVENT_ROSTER_CSV_H
#define CM_EVENT_ROSTER_CSV_H

#include "event/roster_build.h"

/* Mistakes go to the builder. `bytes` may be NULL when len is 0. */
void cm_roster_read_csv(struct cm_roster_build *build, const char *bytes, size_t len);

#endif
