/** Readers of the kernel files of a cgroup or a process, and of the frames of a ring. */
export { MAX_CGROUP_PATH_LEN, MAX_TELEMETRY_FILE_SIZE } from '../schema/bounds.js';
export {
  CgroupReader,
  type CgroupReaderOptions,
  type EpisodeReaderOptions,
} from './cgroup-reader.js';
export * from './frame-reader.js';
export type { BigintOption } from './part-reader.js';
export { ProcReader, type ProcReaderOptions } from './proc-reader.js';
