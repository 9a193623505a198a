// SPDX-License-Identifier: Apache-2.0
#include "kafka/mock_broker.h"
