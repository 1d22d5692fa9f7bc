/** What names an episode and its root process. */
export {
  assertEpisodeId,
  assertPid,
  isEpisodeId,
  isPid,
  isScopeName,
  MAX_EPISODE_ID_LENGTH,
} from './id.js';
