/** Killed at any moment a writer leaves every event that it acknowledged, once; and the next one goes on. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readReviewerProjectionEvents } from '../../src/reviewer/index.js';
import { ReviewerTelemetryWriter } from '../../src/reviewer/writer.js';
import { linesOfCommand } from '../support/lines-of-command.js';
import { scratch } from '../support/scratch.js';
import { allSeqs, ENGINES, eventOf } from './events.js';

const LOG_PROCESS = new URL('./log-process.mjs', import.meta.url).pathname;
const directory = scratch();
const LOGS = 52;
/** Each goes on at what the last left. */
const KILLS_OF_A_LOG = 3;
/** A log has 45 events of about 190 bytes at most: it is moved away once at most, and nothing drops out. */
const EVENTS_OF_A_ROUND = 15;
const ROTATE_BYTES = 5_000;

test.concurrent.each(ENGINES)(
  `engine %s: after ${LOGS * KILLS_OF_A_LOG} kills`,
  { timeout: 300_000 },
  async (engine) => {
    let rotated = 0;
    for (let log = 0; log < LOGS; log += 1) {
      const path = join(directory, `${engine}-${log}`, 'log');
      const acknowledged: string[] = [];
      for (let round = 0; round < KILLS_OF_A_LOG; round += 1) {
        const last = Math.ceil(Math.random() * EVENTS_OF_A_ROUND);
        // Within an append, wherever that is by then.
        const delayMs = Math.random() * 3;
        const first = 1 + 1_000 * round;
        const width = 1 + (log % 4);
        const options = [engine, path, ROTATE_BYTES, first, EVENTS_OF_A_ROUND, width].map(String);
        let seen = 0;
        const { lines, signal } = await linesOfCommand(
          [process.execPath, LOG_PROCESS, 'killed', ...options],
          (_line, child) => {
            seen += 1;
            if (seen === last) setTimeout(() => child.kill('SIGKILL'), delayMs);
          },
        );
        expect(signal).toBe('SIGKILL');
        acknowledged.push(...lines);
      }
      const next = new ReviewerTelemetryWriter(path, { singleProcess: true }, engine);
      await next.append(eventOf(9_999));
      const seqs = allSeqs(path);
      // Every line is whole, and no event is there twice.
      expect(seqs.every(Number.isInteger)).toBe(true);
      expect(new Set(seqs).size).toBe(seqs.length);
      expect(acknowledged.filter((seq) => !seqs.includes(Number(seq)))).toEqual([]);
      const { events, latestSeq } = await readReviewerProjectionEvents(path, { prNumber: 7 });
      expect(events.map(({ lifecycle }) => Number(lifecycle.seq))).toEqual(seqs);
      expect(latestSeq).toBe(9_999n);
      if (existsSync(`${path}.1`)) rotated += 1;
    }
    expect(rotated).toBeGreaterThan(0);
  },
);
