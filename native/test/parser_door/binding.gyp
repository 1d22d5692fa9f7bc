{
  # Built by `npm run build:parser-door` for the differential test. Not part of the package.
  "targets": [
    {
      "target_name": "parser_door",
      "cflags": ["-Wall", "-Wextra", "-Werror", "-O2", "-fvisibility=hidden"],
      "cflags_cc": ["-std=c++20", "-fno-exceptions", "-fno-rtti"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
      "sources": [
        "parser_door.cc",
        "../parse_any.cc",
        "<!@(node -p \"require('fs').readdirSync('../../core').filter((f) => /^parse_.*\\.cc$/.test(f)).map((f) => '../../core/' + f).join(' ')\")",
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS"],
    },
  ],
}
