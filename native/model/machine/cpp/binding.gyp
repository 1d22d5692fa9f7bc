# Copied to .cache/model/addon by subjects.mjs, which puts a source for each subject beside it.
{
  "targets": [
    {
      "target_name": "machine",
      "sources": ["addon.cc", "<!@(ls subject-*.cc)"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS"],
      "cflags": ["-Wall", "-Wextra", "-Werror"],
      "cflags_cc": ["-std=c++20", "-fno-exceptions", "-O1"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-O3"],
    },
  ],
}
