import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // A native crash stays inside one fork.
    pool: 'forks',
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
  },
});
