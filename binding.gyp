{
  "target_defaults": {
    "cflags": ["-Wall", "-Wextra", "-Werror", "-O2", "-fvisibility=hidden"],
    "cflags_cc": ["-std=c++20", "-fno-exceptions", "-fno-rtti"],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
  },
  "targets": [
    {
      # The part that knows no JavaScript.
      "target_name": "episcope_core",
      "type": "static_library",
      "cflags": ["-Wpedantic", "-Wconversion", "-Wshadow"],
      "sources": ["<!@(node -p \"require('fs').readdirSync('native/core').filter((f) => f.endsWith('.cc')).map((f) => 'native/core/' + f).join(' ')\")"],
    },
    {
      "target_name": "episcope",
      "dependencies": ["episcope_core"],
      "sources": ["<!@(node -p \"require('fs').readdirSync('native/addon').filter((f) => f.endsWith('.cc')).map((f) => 'native/addon/' + f).join(' ')\")"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      # NAPI_VERSION 8: an addon built for more crashes Node 20 at load.
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS"],
      # Node unloads an addon that only a worker loaded, while its threads and finalizers may still run.
      "ldflags": ["-Wl,-z,nodelete"],
    },
    {
      # Enters the episode's cgroup and becomes the command: not an addon, so the name has no .node.
      "target_name": "episcope-exec",
      "type": "executable",
      "sources": ["native/helper/scope_exec.c"],
      "ldflags": ["<!@(sh native/helper/link-flags.sh)"],
    },
  ],
}
