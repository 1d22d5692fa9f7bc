import { join } from 'node:path';
import { expect, test } from 'vitest';
import { linesOfCommand } from '../support/lines-of-command.js';
import { scratch } from '../support/scratch.js';
import { RECORDING_PROCESS } from './child.js';
import { readBack, seqsOf } from './entries.js';

const directory = scratch();
const ROUNDS = 52;
const ROTATE_BYTES = 5_000;
/** Rounds at one path: a rotation renames every file that is kept. */
const ROUNDS_A_PATH = 13;

// The rounds of one test go on at the path of the round before: its torn recording is what the next one rotates away.
test.concurrent.each([
  ['every file is kept', 10_000],
  ['old files are dropped', 2],
])(
  'killed %#: at any moment it leaves whole frames, in order, each once: %s',
  { timeout: 240_000 },
  async (_what, keepFiles) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const path = join(directory, `killed-${keepFiles}-${Math.floor(round / ROUNDS_A_PATH)}`);
      const entries = 1 + Math.floor(Math.random() * 30);
      let seen = 0;
      const { lines, signal } = await linesOfCommand(
        [
          process.execPath,
          RECORDING_PROCESS,
          'endless',
          path,
          String(ROTATE_BYTES),
          String(keepFiles),
        ],
        (_line, child) => {
          seen += 1;
          if (seen === entries) child.kill('SIGKILL');
        },
      );
      expect(signal).toBe('SIGKILL');
      const { recording, frames } = await readBack(path);
      const seqs = seqsOf(frames);
      const first = seqs[0] ?? 0;
      expect(seqs).toEqual(seqs.map((_, index) => first + index));
      for (const { seq, cpuNs, tsMono } of frames)
        expect([cpuNs, tsMono]).toEqual([seq * 7n + 3n, seq * 1000n]);
      // What an awaited write said is written.
      expect(seqs.at(-1)).toBeGreaterThanOrEqual(Number(lines.at(-1)));
      expect(recording.missed).toBe(first);
      expect(recording.end).toBeNull();
      if (keepFiles > ROUNDS) expect(first).toBe(0);
    }
  },
);
