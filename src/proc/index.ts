/** Reading one process, or its tree, from `/proc`. */
export { ProcReader, type ProcReaderOptions } from './proc-reader.js';
