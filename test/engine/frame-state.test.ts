import { describe, expect, it } from 'vitest';
import { FrameState, type PartOrigin, unknownOrigin } from '../../src/engine/js/frame-state.js';
import { Reading } from '../../src/engine/js/reading.js';
import { SAMPLE_HOLD_IF_ENDED } from '../../src/schema/bounds.js';
import {
  FrameFlag,
  FrameWord,
  MetaShift,
  QualityBit,
  SourceCode,
} from '../../src/schema/layout.js';
import { readTable } from '../support/table.js';

const camelCase = (name: string): string =>
  name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

const lowerCase = (values: Readonly<Record<string, number>>): [name: string, value: number][] =>
  Object.entries(values).map(([name, value]) => [name.toLowerCase(), value]);

const WORDS = new Map(
  Object.entries(FrameWord).map(([name, word]) => [camelCase(name), word as number]),
);
const FLAGS = lowerCase(FrameFlag).sort(([, a], [, b]) => a - b);
const SOURCES = lowerCase({ CGROUP: SourceCode.CGROUP, PROC: SourceCode.PROC });
const QUALITIES = lowerCase(QualityBit);
const PARTS = ['cpu', 'memory', 'io'] as const;

const codeOf = (names: readonly [string, number][], name: string): number | undefined =>
  names.find(([one]) => one === name)?.[1];

class Replay {
  readonly #state = new FrameState();
  readonly #reading = new Reading();
  #changed = false;

  play(line: string): void {
    const [verb, ...items] = line.split(' ');
    switch (verb) {
      case 'frame':
        this.#frame(items);
        break;
      case 'meta':
        expect(['meta', ...this.#meta()].join(' ')).toBe(line);
        break;
      case 'words':
        expect(['words', ...this.#words()].join(' ')).toBe(line);
        break;
      case 'ts':
        expect(`ts ${this.#reading.get(FrameWord.TS_MONO)}`).toBe(line);
        break;
      case 'changed':
        expect(`changed ${this.#changed ? 'yes' : 'no'}`).toBe(line);
        break;
      default:
        throw new Error(`unknown line: ${line}`);
    }
  }

  #frame([ts, ...items]: string[]): void {
    const reading = this.#reading;
    reading.clear();
    reading.set(FrameWord.TS_MONO, BigInt(ts!));
    const origin = unknownOrigin();
    let flags = 0;
    for (const item of items) {
      const [name = '', value = ''] = item.split('=');
      const part = (PARTS as readonly string[]).indexOf(name);
      if (name === 'hold_if_ended') flags |= SAMPLE_HOLD_IF_ENDED;
      else if (codeOf(FLAGS, name) !== undefined) flags |= codeOf(FLAGS, name)!;
      else if (part >= 0) setOrigin(origin, part as 0 | 1 | 2, value);
      else if (WORDS.has(name)) reading.set(WORDS.get(name)!, BigInt(value));
      else throw new Error(`unknown item: ${item}`);
    }
    this.#changed = this.#state.apply(reading, origin, flags);
  }

  #meta(): string[] {
    const meta = Number(this.#reading.get(FrameWord.META));
    const flags = FLAGS.filter(([, bit]) => (meta & bit) !== 0).map(([name]) => name);
    const origins = PARTS.map((part, p) => {
      const source = (meta >> (MetaShift.SOURCE_CPU + 2 * p)) & 3;
      const quality = meta >> (MetaShift.QUALITY_CPU + 4 * p);
      const names = [
        ...SOURCES.filter(([, code]) => code === source),
        ...QUALITIES.filter(([, bit]) => (quality & bit) !== 0),
      ].map(([name]) => name);
      return names.length === 0 ? '' : `${part}=${names.join('+')}`;
    });
    return [...flags, ...origins.filter((origin) => origin !== '')];
  }

  #words(): string[] {
    const hidden = new Set<number>([FrameWord.TS_MONO, FrameWord.META]);
    return [...WORDS]
      .filter(([, word]) => !hidden.has(word) && this.#reading.has(word))
      .sort(([, a], [, b]) => a - b)
      .map(([name, word]) => `${name}=${this.#reading.get(word)}`);
  }
}

function setOrigin(origin: PartOrigin, part: 0 | 1 | 2, names: string): void {
  for (const name of names.split('+')) {
    origin.source[part] = codeOf(SOURCES, name) ?? origin.source[part];
    origin.quality[part] |= codeOf(QUALITIES, name) ?? 0;
  }
}

describe('the state of frames', () => {
  it.each(readTable('frame-state.txt'))('%s', (_, lines) => {
    const replay = new Replay();
    expect.hasAssertions();
    for (const line of lines) replay.play(line);
  });
});
