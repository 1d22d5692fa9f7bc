/**
 * The two engines agree to the byte: the same texts, the same trees, the same words, availability and failures.
 * EPISCOPE_TEST_ENGINE=js leaves it out, because there is nothing to compare with.
 */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { jsEngine } from '../../src/engine/js/engine.js';
import { loadNativeEngine } from '../../src/engine/native/engine.js';
import { PartBit } from '../../src/schema/enumerations.js';
import { KERNEL_TEXTS, type KernelText, parseKernelText } from '../support/kernel-texts.js';
import { loadParserDoor } from '../support/parser-door.js';
import { Child } from './child.js';
import { FixtureProc } from './fixture-proc.js';
import { kernelText } from './kernel-text-arbitrary.js';
import { type Mutation, mutation, ProcWorld } from './proc-world.js';

const jsOnly = process.env.EPISCOPE_TEST_ENGINE === 'js';
if (jsOnly) {
  console.log('EPISCOPE_TEST_ENGINE=js: the engines are not compared, there is only one');
}

const js = jsEngine();
const native = jsOnly ? js : nativeEngine();

function nativeEngine(): Engine {
  const { engine, reason } = loadNativeEngine();
  if (engine === null) {
    throw new Error(
      `the addon does not load (${reason}). Build it with npm run build:addon, or set EPISCOPE_TEST_ENGINE=js`,
    );
  }
  return engine;
}

type Reader = ReturnType<Engine['openCgroup']>;

/** The error of the open as far as a caller sees it, or the reader. */
function tryOpen(open: () => Reader): { reader: Reader } | { refused: object } {
  try {
    return { reader: open() };
  } catch (error) {
    const { name, code, errno, file, message } = error as Record<string, unknown>;
    return { refused: { name, code, errno, file, message } };
  }
}

function readAll(reader: Reader, parts: number): object {
  const got = reader.read(parts);
  const asked = ([0, 1, 2, 3] as const).filter((part) => (parts >> part) & 1);
  return {
    got,
    words: Array.from(reader.words),
    failures: asked.map((part) => ((got >> part) & 1 ? null : reader.failure(part))),
  };
}

describe.skipIf(jsOnly)('every text is parsed alike', () => {
  const door = jsOnly ? null : loadParserDoor();

  it('both languages parse the same kinds', () => {
    expect(new Set(door!.names)).toEqual(new Set(KERNEL_TEXTS));
  });

  // Ten kinds: more than 10,000 texts in all.
  it.each<KernelText>([...KERNEL_TEXTS])('%s', (kind) => {
    let refused = 0;
    let accepted = 0;
    fc.assert(
      fc.property(kernelText(kind), (text) => {
        const outcome = parseKernelText(kind, text);
        expect(outcome).toEqual(door!.parse(door!.names.indexOf(kind), text));
        if (outcome.ok) accepted++;
        else refused++;
      }),
      { numRuns: 1_100 },
    );
    // Neither side of the parser may go unvisited because the texts grew too wild or too tame.
    expect(Math.min(refused, accepted)).toBeGreaterThan(5);
  });
});

describe.skipIf(jsOnly)('every cgroup tree is read alike', () => {
  const root = mkdtempSync(join(tmpdir(), 'episcope-differential-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const FILES: readonly [string, KernelText][] = [
    ['cpu.stat', 'cpu.stat'],
    ['memory.current', 'memory.current'],
    ['memory.stat', 'memory.stat'],
    ['memory.peak', 'memory.current'],
    ['memory.events', 'memory.events'],
    ['io.stat', 'io.stat'],
    ['pids.current', 'memory.current'],
    ['cpu.pressure', 'pressure'],
    ['memory.pressure', 'pressure'],
    ['io.pressure', 'pressure'],
  ];

  type Content = Uint8Array | 'absent' | 'directory' | 'symlink';

  function content(kind: KernelText): fc.Arbitrary<Content> {
    const wide = fc
      .constantFrom(65_535, 65_536, 65_537, 70_000)
      .map((size) => Buffer.alloc(size, 'anon 1\npopulated 0\noom_kill 2\n'));
    const line = fc.constant(Buffer.from('x'.repeat(65_536)));
    return fc.oneof(
      { weight: 12, arbitrary: kernelText(kind) },
      { weight: 2, arbitrary: fc.constantFrom<Content>('absent', 'directory', 'symlink') },
      { weight: 1, arbitrary: fc.constant<Content>(new Uint8Array()) },
      { weight: 1, arbitrary: wide },
      { weight: 1, arbitrary: line },
    );
  }

  const tree = fc.tuple(...FILES.map(([, kind]) => content(kind)));

  function write(directory: string, contents: readonly Content[]): void {
    FILES.forEach(([name], i) => {
      const path = join(directory, name);
      const text = contents[i]!;
      if (text === 'directory') mkdirSync(path);
      else if (text === 'symlink') symlinkSync('cpu.stat', path);
      else if (text !== 'absent') writeFileSync(path, text);
    });
  }

  let runs = 0;

  it('words, availability and failures, also of the read after a change', () => {
    fc.assert(
      fc.property(
        tree,
        fc.array(
          fc.tuple(
            fc.nat(FILES.length - 1),
            fc.infiniteStream(kernelText('cpu.stat')),
            fc.boolean(),
          ),
          {
            maxLength: 3,
          },
        ),
        fc.constantFrom(PartBit.ALL, PartBit.ALL, 7, 10, 5),
        (contents, changes, parts) => {
          const path = String(runs++);
          const directory = join(root, path);
          mkdirSync(directory);
          write(directory, contents);
          const spec = { root, path, requireCgroupfs: false };
          const readers = [js, native].map((engine) => engine.openCgroup(spec)) as [Reader, Reader];
          expect(readAll(readers[0], parts)).toEqual(readAll(readers[1], parts));
          for (const [i, texts, deletes] of changes) {
            // A file that was absent is there now, and one that was there may be gone.
            if (contents[i] === 'directory' || contents[i] === 'symlink') continue;
            const path = join(directory, FILES[i]![0]);
            if (deletes) rmSync(path, { force: true });
            else writeFileSync(path, texts.next().value);
            expect(readAll(readers[0], PartBit.ALL)).toEqual(readAll(readers[1], PartBit.ALL));
          }
          rmSync(directory, { recursive: true });
          expect(readAll(readers[0], PartBit.ALL)).toEqual(readAll(readers[1], PartBit.ALL));
          for (const reader of readers) reader.close();
        },
      ),
      { numRuns: 250 },
    );
  });

  it.each<[string, { root?: string; path?: string; requireCgroupfs?: boolean }]>([
    ['a symlink', { path: 'link' }],
    ['a symlink in the middle', { path: 'link/below' }],
    ['a file', { path: 'file' }],
    ['a file in the middle', { path: 'file/below' }],
    ['..', { path: 'real/../real' }],
    ['what is not there', { path: 'nowhere' }],
    ['4096 bytes', { path: 'a'.repeat(255).concat('/').repeat(16) }],
    ['4097 bytes', { path: `${'a'.repeat(255).concat('/').repeat(16)}b` }],
    ['a long name', { path: 'a'.repeat(256) }],
    ['a relative root', { root: 'tmp' }],
    ['a root that is no directory', { root: '/proc/self/stat' }],
    ['a symlink in the root', { root: '/proc/self' }],
    ['another file system', { path: 'real', requireCgroupfs: true }],
    ['another file system, where it is not', { path: 'nowhere', requireCgroupfs: true }],
    ['a symlink on another file system', { path: 'link', requireCgroupfs: true }],
    ['a root that is not there', { root: '/nowhere/at/all', requireCgroupfs: true }],
    ['empty components', { path: './real//.' }],
  ])('a path with %s', (_, change) => {
    mkdirSync(join(root, 'real'), { recursive: true });
    writeFileSync(join(root, 'file'), '');
    rmSync(join(root, 'link'), { force: true });
    symlinkSync('real', join(root, 'link'));
    const spec = { root, path: '', requireCgroupfs: false, ...change };
    const outcomes = [js, native].map((engine) => {
      const outcome = tryOpen(() => engine.openCgroup(spec));
      if ('refused' in outcome) return outcome.refused;
      outcome.reader.close();
      return 'opened';
    });
    expect(outcomes[0]).toEqual(outcomes[1]);
  });
});

describe.skipIf(jsOnly)('every /proc tree is read alike', () => {
  it('words, availability and failures over samples of a tree that changes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(mutation, { maxLength: 6 }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom(true, true, true, false),
        fc.constantFrom(PartBit.ALL, PartBit.ALL, 7, 9, 5),
        (samples: Mutation[][], tree, parts) => {
          const proc = new FixtureProc();
          const world = new ProcWorld(proc);
          const spec = { pid: world.rootPid, procRoot: proc.root, tree, reaperPid: 0 };
          const readers = [js, native].map((engine) => engine.openProc(spec)) as [Reader, Reader];
          try {
            expect(readAll(readers[0], parts)).toEqual(readAll(readers[1], parts));
            for (const mutations of samples) {
              for (const one of mutations) world.apply(one);
              expect(readAll(readers[0], parts)).toEqual(readAll(readers[1], parts));
            }
          } finally {
            for (const reader of readers) reader.close();
            proc.remove();
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('what cannot be opened is refused in the same words', () => {
    const proc = new FixtureProc();
    for (const [pid, break_] of [
      [10, () => proc.delete(10)],
      [11, () => proc.delete(11, 'stat')],
      [12, () => proc.write(12, 'stat', '')],
      [13, () => proc.write(13, 'stat', Buffer.alloc(70_000))],
      [14, () => proc.write(14, 'status', 'Tgid:\t10\n')],
      [15, () => proc.write(15, 'status', 'Tgid:\tx\n')],
      [16, () => proc.put({ ...proc.process(16, 1, 1), state: 'X' })],
      [17, () => undefined],
    ] as const) {
      proc.put(proc.process(pid, 1, 1));
      break_();
      const spec = { pid, procRoot: proc.root, tree: true, reaperPid: 0 };
      const outcomes = [js, native].map((engine) => {
        const outcome = tryOpen(() => engine.openProc(spec));
        if ('refused' in outcome) return outcome.refused;
        outcome.reader.close();
        return 'opened';
      });
      expect(outcomes[0]).toEqual(outcomes[1]);
    }
    proc.remove();
  });

  it('with a reaper both find the same members', async () => {
    const child = await Child.node();
    await child.ask('spawn');
    const spec = { pid: child.pid, procRoot: '/proc', tree: true, reaperPid: process.pid };
    const readers = [js, native].map((engine) => engine.openProc(spec)) as [Reader, Reader];
    for (let i = 0; i < 2; i++) {
      for (const reader of readers) expect(reader.read(PartBit.EXTRA)).toBe(PartBit.EXTRA);
      expect(readers[0].words).toEqual(readers[1].words);
    }
    for (const reader of readers) reader.close();
    await child.end();
  });
});
