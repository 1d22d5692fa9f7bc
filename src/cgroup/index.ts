/** Reading one cgroup v2 directory. */
export { MAX_CGROUP_PATH_LEN, MAX_TELEMETRY_FILE_SIZE } from '../limits.js';
export {
  CgroupReader,
  type CgroupReaderOptions,
  type EpisodeReaderOptions,
} from './cgroup-reader.js';
