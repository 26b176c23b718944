import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Engines use every core by themselves; parallel test files would only fight for them.
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
