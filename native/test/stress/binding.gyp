# The addon of test/ring/stress.mjs: npx node-gyp rebuild -C native/test/stress. Apart from the package's own build, or
# node-gyp-build might take it for the package.
{
  "targets": [
    {
      "target_name": "ring_stress",
      "sources": ["ring_stress.cc"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS"],
      "cflags": ["-Wall", "-Wextra", "-Werror", "-O2"],
      "cflags_cc": ["-std=c++20", "-fno-exceptions", "-fno-rtti"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
    },
  ],
}
