// Starts our threads in the host's process.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace episcope {

/// pthread_create with all signals blocked in the new thread, so that the host's threads receive
/// the host's signals. Returns 0 or an errno.
inline int create_thread(pthread_t& thread, const pthread_attr_t& attributes, void* (*run)(void*),
                         void* argument) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // the new thread inherits it
  const int error_number = pthread_create(&thread, &attributes, run, argument);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return error_number;
}

}  // namespace episcope
