// The last word of `npm install` where the addon could not be built: the install succeeds all the same.
console.error(
  'episcope: the native addon could not be built (no C++ compiler, or no Node headers); ' +
    "the engine 'js' will serve. To build it later: npm rebuild episcope",
);
