// Directories of a cgroup tree by descriptor, and their ownership marks.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>

#include "../core/open_beneath.h"
#include "bindings.h"

namespace episcope {
namespace {

constexpr char kOwnerXattr[] = "user.episcope.owner";
constexpr size_t kOwnerMarkMaxBytes = 256;
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY;

Napi::Value result_of(Napi::Env env, int fd_or_failure) {
  return Napi::Number::New(env, fd_or_failure < 0 ? -errno : fd_or_failure);
}

// openRoot(path) → descriptor, or a negative errno. Absolute, without "..", no symlink on the way.
Napi::Value OpenRoot(const Napi::CallbackInfo& info) {
  std::string path = info[0].As<Napi::String>();
  return result_of(info.Env(), open_directory_without_links(AT_FDCWD, path.data(), 0));
}

// openChild(dirfd, name) → descriptor of the directory, or a negative errno
Napi::Value OpenChild(const Napi::CallbackInfo& info) {
  const int dirfd = info[0].As<Napi::Number>();
  const std::string name = info[1].As<Napi::String>();
  return result_of(info.Env(), open_child(dirfd, name.c_str(), kDirectoryFlags));
}

// setOwnerMark(fd, mark) → 0 or an errno
Napi::Value SetOwnerMark(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>();
  const std::string mark = info[1].As<Napi::String>();
  const int failed = fsetxattr(fd, kOwnerXattr, mark.data(), mark.size(), 0);
  return Napi::Number::New(info.Env(), failed == 0 ? 0 : errno);
}

// getOwnerMark(fd) → the mark, or the errno that says why there is none (ENODATA: not marked)
Napi::Value GetOwnerMark(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>();
  char mark[kOwnerMarkMaxBytes];
  const ssize_t length = fgetxattr(fd, kOwnerXattr, mark, sizeof mark);
  if (length < 0) return Napi::Number::New(info.Env(), errno);
  return Napi::String::New(info.Env(), mark, static_cast<size_t>(length));
}

// closeDirectory(fd)
void CloseDirectory(const Napi::CallbackInfo& info) {
  close(info[0].As<Napi::Number>().Int32Value());
}

}  // namespace

void init_directory(Napi::Env env, Napi::Object exports) {
  exports.Set("openRoot", Napi::Function::New<OpenRoot>(env));
  exports.Set("openChild", Napi::Function::New<OpenChild>(env));
  exports.Set("setOwnerMark", Napi::Function::New<SetOwnerMark>(env));
  exports.Set("closeDirectory", Napi::Function::New<CloseDirectory>(env));
  exports.Set("getOwnerMark", Napi::Function::New<GetOwnerMark>(env));
}

}  // namespace episcope
