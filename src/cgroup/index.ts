/** Reading one cgroup v2 directory. */
export {
  CgroupReader,
  type CgroupReaderOptions,
  type EpisodeReaderOptions,
} from './cgroup-reader.js';
export { MAX_CGROUP_PATH_LEN, MAX_TELEMETRY_FILE_SIZE } from './constants.js';
