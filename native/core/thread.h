// Starts our threads in the host's process.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <memory>
#include <utility>

namespace episcope {

template <auto kRun, typename Shared>
void* run_thread(void* argument) {
  const std::unique_ptr<std::shared_ptr<Shared>> shared(
      static_cast<std::shared_ptr<Shared>*>(argument));
  (**shared.*kRun)();
  return nullptr;
}

/// Calls the method `kRun` of `shared` in a new thread, which holds a reference of its own. All
/// signals are blocked in it, so that the host's threads receive the host's signals. Returns 0 or
/// an errno.
template <auto kRun, typename Shared>
int start_thread(std::shared_ptr<Shared> shared, const pthread_attr_t& attributes,
                 pthread_t& thread) {
  auto argument = std::make_unique<std::shared_ptr<Shared>>(std::move(shared));
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // the new thread inherits it
  const int error_number =
      pthread_create(&thread, &attributes, run_thread<kRun, Shared>, argument.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error_number == 0) argument.release();  // the thread owns it now
  return error_number;
}

/// The same for a thread that is never joined, since it may block forever in the kernel.
template <auto kRun, typename Shared>
int start_detached_thread(std::shared_ptr<Shared> shared) {
  pthread_attr_t attributes;
  if (const int error = pthread_attr_init(&attributes); error != 0) return error;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  const int error = start_thread<kRun>(std::move(shared), attributes, thread);
  pthread_attr_destroy(&attributes);
  return error;
}

}  // namespace episcope
