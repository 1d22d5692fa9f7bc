import { defineConfig } from 'vitest/config';

/** Files that must not meet: they share the slice that `episcope run` cleans, or measure a heap, a leak, a bound of cpu. */
const ALONE = [
  'test/cli/**/*.test.ts',
  'test/docs/examples.test.ts',
  'test/lifecycle/{heap,leak,dropped}.test.ts',
  'test/ring/read-heap.test.ts',
  'test/collector/{blocked,tiers}.test.ts',
];

export default defineConfig({
  test: {
    // A native crash stays inside one fork.
    pool: 'forks',
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'alone',
          include: ALONE,
          maxWorkers: 1,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'side by side',
          include: ['test/**/*.test.ts'],
          exclude: ALONE,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
