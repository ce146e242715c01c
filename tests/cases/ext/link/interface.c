// SPDX-License-Identifier: MIT
#include "interface.h"
