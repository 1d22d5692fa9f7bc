/** File systems without a sync of directories, and directories that may not be opened for one. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errnoName } from '../../src/error/errno-name.js';
import { workload } from '../support/cli.js';
import { linesOfCommand } from '../support/lines-of-command.js';
import { scratch } from '../support/scratch.js';
import { allSeqs, ENGINES, seqsIn } from './events.js';

const LOG_PROCESS = new URL('./log-process.mjs', import.meta.url).pathname;
const directory = scratch();
let places = 0;
const newPath = () => join(directory, `place-${places++}`);
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('not root: directories that may not be listed are left out');

const { errno } = constants;
/** The last is the kernel's own ENOTSUPP. */
const UNSYNCABLE = [
  errno.EINVAL,
  errno.EOPNOTSUPP,
  errno.ENOSYS,
  errno.EBADF,
  errno.EISDIR,
  errno.EACCES,
  errno.EPERM,
  524,
];
const FAILURES = [
  errno.EIO,
  errno.ENOSPC,
  errno.EDQUOT,
  errno.ESTALE,
  errno.EROFS,
  errno.ENOMEM,
  errno.EAGAIN,
  errno.EDEADLK,
  117,
];

describe.each(ENGINES)('engine %s', (engine) => {
  async function endsWith(errnos: readonly number[], path: string): Promise<unknown[]> {
    const { lines } = await linesOfCommand([
      'env',
      `LD_PRELOAD=${workload('failing-dirsync.so')}`,
      process.execPath,
      LOG_PROCESS,
      'dirsync',
      engine,
      path,
      ...errnos.map(String),
    ]);
    return lines.map((line) => JSON.parse(line) as unknown);
  }

  test('where directories cannot be synced a log is written and rotated', async () => {
    const path = newPath();
    const ends = await endsWith(UNSYNCABLE, path);
    expect(ends).toEqual(UNSYNCABLE.map(() => ['written', 'written', 'written']));
    for (const number of UNSYNCABLE) {
      expect(allSeqs(join(path, String(number), 'log.ndjson'))).toEqual([2, 3]);
    }
  });

  test('a sync that fails is told, by one name, nothing is in the file, and it goes on', async () => {
    const path = newPath();
    const ends = await endsWith(FAILURES, path);
    const failed = (number: number) => `ERR_REVIEWER_IO ${errnoName(number)}`;
    expect(ends).toEqual(FAILURES.map((number) => [failed(number), failed(number), 'written']));
    for (const number of FAILURES) {
      expect(seqsIn(join(path, String(number), 'log.ndjson'))).toEqual([3]);
    }
  });

  test.skipIf(!isRoot)(
    'a directory that may be written and not listed holds a log, also in one made there',
    async () => {
      const place = newPath();
      mkdirSync(place);
      chownSync(place, 65_534, 65_534);
      chmodSync(place, 0o311);
      chmodSync(directory, 0o711);
      for (const name of ['log.ndjson', 'made/below/log.ndjson']) {
        const path = join(place, name);
        const command = [process.execPath, LOG_PROCESS, 'unlisted', engine, path] as const;
        const { lines } = await linesOfCommand([...command]);
        expect(lines).toEqual(['written', 'written', 'written']);
        expect(allSeqs(path)).toEqual([2, 3]);
      }
    },
  );
});
