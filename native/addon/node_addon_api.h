// node-addon-api, as every file of the addon includes it.
#pragma once

// A worker may be terminated in the middle of a call. Nothing can be thrown then, and without this
// node-addon-api would abort the process for it.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#include <napi.h>
