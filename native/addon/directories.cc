// Opens directories of a cgroup tree by descriptor, and reads and writes their ownership marks.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "../core/open_beneath.h"
#include "bindings.h"
#include "errors.h"
#include "js_call.h"

namespace episcope {
namespace {

constexpr char kOwnerXattr[] = "user.episcope.owner";
constexpr size_t kOwnerMarkMaxBytes = 256;
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY;

/// Opens an absolute path that contains no ".." and no symlink.
Opened open_root(std::string path) {
  return Opened::from(open_directory_without_links(AT_FDCWD, path.data(), 0));
}

Opened open_child_directory(int32_t dirfd, std::string name) {
  return Opened::from(open_child(dirfd, name.c_str(), kDirectoryFlags));
}

/// Returns nullopt on success, otherwise the errno.
std::optional<int> set_owner_mark(int32_t fd, std::string mark) {
  if (fsetxattr(fd, kOwnerXattr, mark.data(), mark.size(), 0) == 0) return std::nullopt;
  return errno;
}

/// Returns nullopt if there is no mark or it cannot be read.
std::optional<std::string> get_owner_mark(int32_t fd) {
  char mark[kOwnerMarkMaxBytes];
  const ssize_t length = fgetxattr(fd, kOwnerXattr, mark, sizeof mark);
  if (length < 0) return std::nullopt;
  return std::string(mark, static_cast<size_t>(length));
}

void close_directory(int32_t fd) { close(fd); }

}  // namespace

void init_directories(Napi::Env env, Napi::Object exports) {
  define_functions(env, exports, "directories",
                   {
                       function<&open_root>("openRoot"),
                       function<&open_child_directory>("openChild"),
                       function<&set_owner_mark>("setOwnerMark"),
                       function<&get_owner_mark>("getOwnerMark"),
                       function<&close_directory>("close"),
                   });
}

}  // namespace episcope
