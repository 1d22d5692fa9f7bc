/** Checks of values that work for any realm and any evaluation of the package. */
export { brand, isInstanceOf, ownInstance } from './brand.js';
export { asyncDispose, dispose } from './dispose.js';
export { sharedBytesOf } from './shared-memory.js';
export { codeOf, errnoNumberOf, messageOf, pathOf } from './thrown.js';
