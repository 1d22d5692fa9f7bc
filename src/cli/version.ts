import { createRequire } from 'node:module';

export function packageVersion(): string {
  const require = createRequire(import.meta.url);
  const { version }: { version: string } = require('../../package.json');
  return version;
}
