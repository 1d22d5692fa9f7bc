/** What a value is, whatever realm or evaluation of the package made it. */
export { brand, isInstanceOf, ownInstance } from './brand.js';
export { asyncDispose, dispose } from './dispose.js';
export { sharedBytesOf } from './shared-memory.js';
export { codeOf, errnoNumberOf, messageOf, pathOf } from './thrown.js';
