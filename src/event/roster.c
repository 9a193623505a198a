// SPDX-License-Identifier: Apache-2.0
#include "event/roster.h"
