/** What names an episode and its root process. */
export * from './id.js';
