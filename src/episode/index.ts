/** What names an episode and its root process. */
export {
  assertEpisodeId,
  assertPid,
  isEpisodeId,
  isPid,
} from './id.js';
