import { describe, expect, it } from 'vitest';
import { FailureLog } from '../../src/engine/js/failure-log.js';
import type { ParseReason, PartIndexValue, ReadCode } from '../../src/schema/enumerations.js';
import { readTable } from '../support/table.js';

const REASONS: Readonly<Record<string, ParseReason>> = {
  too_large: 'larger than 64 KiB',
  empty: 'empty file',
  hidden: 'the process exists, but /proc hides it',
};

class Replay {
  readonly #log = new FailureLog();

  play(line: string): void {
    const [verb, ...args] = line.split(' ');
    const numbers = args.map(Number);
    switch (verb) {
      case 'sample':
        this.#log.begin();
        break;
      case 'add':
        this.#add(args);
        break;
      case 'add_each':
        for (let i = numbers[0]!; i <= numbers[1]!; i++) {
          this.#add(['3', 'CGROUP_READ', 'EIO', `f${i}`]);
        }
        break;
      case 'pending':
        expect(`pending ${this.#log.pending ? 'yes' : 'no'}`).toBe(line);
        break;
      case 'told': {
        const told = this.#log
          .take()
          .map(({ part, failure }) => `${part}:${failure.file}:${failure.errno ?? 'none'}`);
        expect(['told', ...told].join(' ')).toBe(line);
        break;
      }
      default:
        throw new Error(`unknown line: ${line}`);
    }
  }

  #add([part, code, errno, file, reason = '']: string[]): void {
    this.#log.add(Number(part) as PartIndexValue, {
      code: `ERR_${code}` as ReadCode,
      errno: errno === 'none' ? null : errno!,
      file: file!,
      pid: null,
      offset: null,
      reason: REASONS[reason] ?? null,
    });
  }
}

describe('the failure log', () => {
  it.each(readTable('failure-log.txt'))('%s', (_, lines) => {
    const replay = new Replay();
    expect.hasAssertions();
    for (const line of lines) replay.play(line);
  });
});
