// What a running sampler means for the life of a thread and of a process.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FrameFlag } from '../../src/schema/layout.js';
import { ENGINES } from '../support/engines.js';

const SCRIPT = fileURLToPath(new URL('./sampler-process.mjs', import.meta.url));

/** The lines it printed; rejects unless it ends by itself, with exit code 0. */
async function play(engine: string, how: string): Promise<string[]> {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [SCRIPT, engine, how], { timeout: 20_000 });
  return stdout.trim().split('\n');
}

describe.each(ENGINES)('an episode that is being sampled, engine %s', (engine) => {
  it('keeps nothing alive', async () => {
    expect(await play(engine, 'returns')).toEqual(['not told']);
  });

  it('keeps its thread alive while that waits for it', async () => {
    expect(await play(engine, 'waits')).toEqual(['told']);
  });

  it('keeps nothing alive once it has ended', async () => {
    expect(await play(engine, 'waits for the end')).toEqual(['ended', 'told']);
  });

  it('does not hold up process.exit()', async () => {
    expect(await play(engine, 'exits')).toEqual(['not told']);
  });

  it.each(['thread returns', 'thread exits', 'thread throws'])(
    'has its terminal frame when its %s',
    async (how) => {
      const [ring] = await play(engine, how);
      const { ended, flags } = JSON.parse(ring!);
      expect(ended).toBe(true);
      expect(flags & FrameFlag.TERMINAL).toBe(FrameFlag.TERMINAL);
    },
  );

  it('harms nobody when its thread is terminated', async () => {
    expect(await play(engine, 'thread is terminated')).toHaveLength(1);
  });
});
