/** Which episodes are being sampled in this process, whatever the thread: the types of that part of the addon. */
import { loadAddon } from './load.js';

/** What `native/addon/claims_binding.cc` registers. Claims are given up at the end of the thread that holds them. */
export interface EpisodeClaims {
  /** False where the episode is claimed already, by this thread or another. */
  claimEpisode(id: string): boolean;
  /** Gives up a claim of this thread; nothing where it has none. */
  releaseEpisode(id: string): void;
}

/** null where the addon does not load. */
export function episodeClaims(): EpisodeClaims | null {
  return loadAddon().addon as EpisodeClaims | null;
}
