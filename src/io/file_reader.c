// SPDX-License-Identifier: Apache-2.0
#include "io/file_reader.h"
