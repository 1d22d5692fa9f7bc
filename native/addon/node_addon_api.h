// Every file of the addon includes node-addon-api through this header.
#pragma once

// A worker may be terminated in the middle of a call. Nothing can be thrown then, and without this
// macro node-addon-api would abort the process.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#include <napi.h>
