import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { O11yFlags, TelemetryFrame } from '../../src/frame/index.js';
import { TelemetryPolicy } from '../../src/policy/index.js';
import { FrameRecorder, readRecording } from '../../src/recorder/index.js';
import { scratch } from '../support/scratch.js';
import {
  endEntry,
  frameOf,
  framesEntry,
  framesFrom,
  jsonLines,
  openFiles,
  readBack,
  rejectionOf,
  seqsOf,
  startEntry,
} from './entries.js';

const directory = scratch();
let files = 0;
const newPath = () => join(directory, `recording-${files++}.ndjson`);

describe('what was recorded is what is read', () => {
  const MAX = 2n ** 63n - 1n;
  const extreme = TelemetryFrame.builder('job', MAX)
    .tsMono(MAX)
    .cpuNs(MAX)
    .cpuUserNs(2n ** 53n + 1n)
    .memRssBytes(MAX - 1n)
    .memPeakBytes(MAX)
    .ioReadBytes(2n ** 53n + 3n)
    .oomKills(0)
    .collectNs(2n ** 62n + 1n)
    .pressure({ cpuSomeNs: 2n ** 54n + 1n, ioFullNs: 0 })
    .sources({ cpu: 'proc', memory: 'cgroup' })
    .quality({ cpu: ['rebased', 'final'], io: ['lowerBound'] })
    .o11yFlags(O11yFlags.none.withPromoted().withTerminal())
    .build();

  test('bigints to the last digit, numbers as the nearest double', async () => {
    const path = newPath();
    const frames = [frameOf(0), frameOf(2n ** 53n + 1n), extreme];
    await record(path, frames);

    const { frames: exact } = await readBack(path);
    expect(exact.map((frame) => frame.toNDJSON())).toEqual(frames.map((frame) => frame.toNDJSON()));
    expect(exact[2]).toMatchObject({ seq: MAX, cpuNs: MAX, cpuUserNs: 2n ** 53n + 1n });
    expect(exact[2]?.ioWriteBytes).toBe(0n);
    expect(exact[2]?.pids).toBeNull();

    const rounded: TelemetryFrame[] = [];
    for await (const frame of readRecording(path)) rounded.push(frame);
    expect(rounded[2]).toMatchObject({ seq: 2 ** 63, cpuNs: 2 ** 63, oomKills: 0 });
    expect(rounded.map((frame) => frame.toNDJSON())).toEqual(
      frames.map((frame) => frame.toNDJSON()),
    );
  });

  test('the header: session, policy, budget and host', async () => {
    const path = newPath();
    const budget = {
      cpuMs: 0.5,
      ioBytes: 2 ** 62,
      wallMs: 0,
      tokens: 7,
      toolCalls: 0,
      evidenceBytes: 1,
    };
    const policy = TelemetryPolicy.forRiskTier(3);
    const entry = startEntry({
      budget,
      policy,
      cgroupPath: '/sys/fs/cgroup/a "b"',
      engine: 'native',
      tier: 'leaf',
      baseline: 'now',
      onExhausted: 'kill',
    });
    await using recorder = new FrameRecorder(path);
    await recorder.write(entry);

    const text = readFileSync(path, 'utf8');
    expect(text).toContain('"start_mono_ns":1152921504606846977,');
    const [line] = jsonLines(path);
    expect(line).toMatchObject({
      schema: 'episcope.frames.v1',
      kind: 'header',
      recording_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/),
      part: 0,
      episode_id: 'job',
      pid: 4711,
      started_at: '2026-03-01T12:00:00.250Z',
      engine: 'native',
      tier: 'leaf',
      cgroup_path: '/sys/fs/cgroup/a "b"',
      policy: {
        sample_period_ms: 500,
        ring_buffer_capacity: 1024,
        promote_triggers: {
          on_termination: true,
          on_quarantine: true,
          on_budget_threshold: true,
          periodic_frames: 100,
        },
        high_freq_threshold_percent: 75,
        high_freq_enabled: true,
        memory_stat_period_ms: 100,
      },
      budget: {
        cpu_ms: 0.5,
        io_bytes: 2 ** 62,
        wall_ms: 0,
        tokens: 7,
        tool_calls: 0,
        evidence_bytes: 1,
      },
      baseline: 'now',
      on_exhausted: 'kill',
      host: {
        platform: 'linux',
        arch: process.arch,
        node: process.version,
        boot_id: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      },
    });

    const { kind: _, ...told } = entry;
    expect(await readRecording(path).readHeader()).toEqual({
      ...told,
      recordingId: line?.recording_id,
      part: 0,
      host: expect.objectContaining({
        kernel: expect.any(String),
        cpus: expect.any(Number),
        controllers: expect.any(Array),
      }),
    });
  });

  test('gaps and reasons stand before the frames they are about', async () => {
    const path = newPath();
    const recorder = new FrameRecorder(path);
    await recorder.write(startEntry());
    await recorder.write(framesEntry([frameOf(0)]));
    await recorder.write(framesEntry(framesFrom(4, 2), { missed: 3 }));
    await recorder.write(
      framesEntry([frameOf(6)], { reason: 'a "bad"\nname \ud800', trigger: 'quarantine' }),
    );
    await recorder.write(framesEntry([], { reason: 'nothing in the ring' }));
    await recorder.write(endEntry());

    expect(jsonLines(path).map(({ kind, seq }) => kind ?? seq)).toEqual([
      'header',
      0,
      'gap',
      4,
      5,
      'quarantine',
      6,
      'quarantine',
      'end',
    ]);
    const { recording, frames } = await readBack(path);
    expect(seqsOf(frames)).toEqual([0, 4, 5, 6]);
    expect(recording.missed).toBe(3);
    expect(recording.quarantines).toEqual(['a "bad"\nname \ud800', 'nothing in the ring']);
    expect(recording.isTorn).toBe(false);
  });

  test('a reason of any length leaves a recording that can be read', async () => {
    const path = newPath();
    const recorder = new FrameRecorder(path);
    await recorder.write(startEntry());
    await recorder.write(framesEntry([frameOf(0)], { reason: '\u0001'.repeat(5_000_000) }));
    const { recording, frames } = await readBack(path);
    expect(frames).toHaveLength(1);
    expect(recording.quarantines[0]).toBe('\u0001'.repeat(65_536));
    await recorder.close();
  });

  test('the end: totals that are absent are null, and counts', async () => {
    const path = newPath();
    const frame = TelemetryFrame.builder('job', 9n)
      .cpuNs(2n ** 62n + 1n)
      .memPeakBytes(0)
      .quality({ cpu: ['final'] })
      .build();
    const exhausted = {
      resource: 'memRssBytes',
      limit: 10,
      consumed: 2 ** 60,
      seq: 8,
      tsMono: 800,
      lateNs: 12.5,
      action: 'freeze',
    } as const;
    const recorder = new FrameRecorder(path);
    await recorder.write(startEntry());
    await recorder.write(framesEntry(framesFrom(2, 3), { missed: 2 }));
    await recorder.write(endEntry({ reason: 'exhausted', frame, exhausted }));

    const line = readFileSync(path, 'utf8').trimEnd().split('\n').at(-1);
    expect(line).toContain('"cpu_ns":4611686018427387905,"cpu_user_ns":null');
    expect(line).toContain('"wall_ns":2305843009213693953,');
    expect(line).toContain(
      '"exhausted":{"resource":"mem_rss_bytes","limit":10,"consumed":1152921504606846976,',
    );
    const { recording } = await readBack(path);
    expect(recording.end).toMatchObject({
      episodeId: 'job',
      reason: 'exhausted',
      wallNs: 2n ** 61n + 1n,
      framesCollected: 10,
      framesPromoted: 5,
      framesRecorded: 3,
      framesMissed: 2,
      totals: {
        cpuNs: 2n ** 62n + 1n,
        cpuUserNs: null,
        memPeakBytes: 0n,
        ioReadBytes: null,
        oomKills: null,
      },
      sources: { cpu: 'cgroup', memory: 'cgroup', io: 'unavailable' },
      exhausted,
    });
    expect([...(recording.end?.quality.cpu ?? [])]).toEqual(['final']);

    const rounded = readRecording(path);
    for await (const _frame of rounded);
    expect(rounded.end?.totals.cpuNs).toBe(2 ** 62);
  });

  test('every iteration reads from the start, and leaving one closes its files', async () => {
    const path = newPath();
    await record(path, framesFrom(0, 500));
    const recording = readRecording(path);
    expect(recording.header).toBeNull();
    const open = openFiles();
    for (let round = 0; round < 3; round += 1) {
      for await (const frame of recording) {
        expect(frame.seq).toBe(0);
        break;
      }
      expect(recording.header?.episodeId).toBe('job');
      expect(recording.end).toBeNull();
    }
    for await (const _frame of recording);
    expect(recording.end?.framesRecorded).toBe(500);
    await recording.readHeader();
    expect(openFiles()).toEqual(open);
  });
});

describe('sessions', () => {
  test('entries are written in call order, also where nobody awaits them', async () => {
    const path = newPath();
    const recorder = new FrameRecorder(path);
    void recorder.write(startEntry());
    for (let seq = 0; seq < 200; seq += 1) void recorder.write(framesEntry([frameOf(seq)]));
    await recorder.write(endEntry());
    expect(seqsOf((await readBack(path)).frames)).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  test('an earlier recording is kept as .1, and the one before it is dropped', async () => {
    const path = newPath();
    for (const first of [100, 200, 300]) await record(path, [frameOf(first)]);
    expect(seqsOf((await readBack(path)).frames)).toEqual([300]);
    expect(seqsOf((await readBack(`${path}.1`)).frames)).toEqual([200]);
    expect(existsSync(`${path}.2`)).toBe(false);
  });

  test('whatever file is there is kept, also one that is no recording', async () => {
    const path = newPath();
    writeFileSync(path, 'precious');
    await record(path, [frameOf(0)]);
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('precious');
    expect(seqsOf((await readBack(path)).frames)).toEqual([0]);
  });

  test('with keepFiles 0 an earlier recording is replaced, and what is at .1 otherwise is left alone', async () => {
    const path = newPath();
    await record(path, [frameOf(1)], { keepFiles: 0 });
    await record(path, [frameOf(2)], { keepFiles: 0 });
    expect(existsSync(`${path}.1`)).toBe(false);
    expect(seqsOf((await readBack(path)).frames)).toEqual([2]);

    const fresh = newPath();
    writeFileSync(`${fresh}.1`, 'not ours');
    await record(fresh, [frameOf(1)], { keepFiles: 0 });
    expect(readFileSync(`${fresh}.1`, 'utf8')).toBe('not ours');
  });

  test('one recorder serves one session after the other, each with a recording of its own', async () => {
    const path = newPath();
    const recorder = new FrameRecorder(path);
    for (const episodeId of ['one', 'two']) {
      await recorder.write(startEntry({ episodeId }));
      await recorder.write(framesEntry([frameOf(0, episodeId)], { episodeId }));
      await recorder.write(endEntry({ episodeId }));
    }
    const [one, two] = [await readBack(`${path}.1`), await readBack(path)];
    expect([one.recording.header?.episodeId, two.recording.header?.episodeId]).toEqual([
      'one',
      'two',
    ]);
    expect(one.recording.header?.recordingId).not.toBe(two.recording.header?.recordingId);
  });

  test('but one at a time, and no entry of another', async () => {
    const path = newPath();
    await using recorder = new FrameRecorder(path);
    const invalid = { code: 'ERR_INVALID_CONFIG' };
    expect(await rejectionOf(recorder.write(framesEntry([])))).toMatchObject(invalid);
    await recorder.write(startEntry());
    expect(await rejectionOf(recorder.write(startEntry()))).toMatchObject(invalid);
    expect(
      await rejectionOf(recorder.write(framesEntry([], { episodeId: 'other' }))),
    ).toMatchObject(invalid);
    expect(await rejectionOf(recorder.write(endEntry({ episodeId: 'other' })))).toMatchObject(
      invalid,
    );
    for (const entry of [null, 'start', {}, { kind: 'flush' }]) {
      expect(await rejectionOf(recorder.write(entry as never))).toMatchObject(invalid);
    }
    await recorder.write(framesEntry([frameOf(0)]));
    expect(seqsOf((await readBack(path)).frames)).toEqual([0]);
  });

  test('a recorder that is closed leaves no file open, says so, and may be closed again', async () => {
    const path = newPath();
    const before = openFiles();
    const recorder = new FrameRecorder(path);
    await recorder.write(startEntry());
    await recorder.write(framesEntry([frameOf(0)]));
    expect(openFiles()).toHaveLength(before.length + 1);
    await Promise.all([recorder.close(), recorder.close(), recorder[Symbol.asyncDispose]()]);
    expect(openFiles()).toEqual(before);
    expect(await rejectionOf(recorder.write(framesEntry([frameOf(1)])))).toMatchObject({
      code: 'ERR_STOPPED',
    });
    const { recording, frames } = await readBack(path);
    expect(frames).toHaveLength(1);
    expect(recording.end).toBeNull();
  });

  test('the end closes the file', async () => {
    const before = openFiles();
    await record(newPath(), [frameOf(0)]);
    expect(openFiles()).toEqual(before);
  });

  test('parent directories are made', async () => {
    const path = join(directory, 'a/b/c/recording.ndjson');
    await record(path, [frameOf(0)]);
    expect((await readBack(path)).frames).toHaveLength(1);
  });

  test('of a link it is the file behind it that is written and rotated', async () => {
    const target = newPath();
    const link = newPath();
    symlinkSync(target, link);
    await record(link, [frameOf(1)]);
    await record(link, [frameOf(2)]);
    expect(seqsOf((await readBack(target)).frames)).toEqual([2]);
    expect(seqsOf((await readBack(`${target}.1`)).frames)).toEqual([1]);
    expect(seqsOf((await readBack(link)).frames)).toEqual([2]);
    expect(statSync(link).ino).toBe(statSync(target).ino);
  });
});

describe('options', () => {
  test.each([
    ['', {}, 'ERR_INVALID_CONFIG'],
    ['a\0b', {}, 'ERR_INVALID_CONFIG'],
    [7, {}, 'ERR_INVALID_CONFIG'],
    ['a', null, 'ERR_INVALID_CONFIG'],
    ['a', 'b', 'ERR_INVALID_CONFIG'],
    ['a', { rotateBytes: '1' }, 'ERR_INVALID_CONFIG'],
    ['a', { rotateBytes: 0 }, 'ERR_OUT_OF_RANGE'],
    ['a', { rotateBytes: 1.5 }, 'ERR_OUT_OF_RANGE'],
    ['a', { rotateBytes: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    ['a', { keepFiles: -1 }, 'ERR_OUT_OF_RANGE'],
    ['a', { keepFiles: Number.POSITIVE_INFINITY }, 'ERR_OUT_OF_RANGE'],
    ['a', { keepFiles: null }, 'ERR_INVALID_CONFIG'],
  ])('new FrameRecorder(%j, %j) is %s', (path, options, code) => {
    expect(() => new FrameRecorder(path as never, options as never)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test.each([
    ['', {}],
    ['a\0b', {}],
    [undefined, {}],
    ['a', null],
    ['a', { bigint: 1 }],
  ])('readRecording(%j, %j) is ERR_INVALID_CONFIG', (path, options) => {
    expect(() => readRecording(path as never, options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }),
    );
  });
});

async function record(
  path: string,
  frames: readonly TelemetryFrame<bigint>[],
  options: { keepFiles?: number } = {},
): Promise<void> {
  const recorder = new FrameRecorder(path, options);
  await recorder.write(startEntry());
  await recorder.write(framesEntry(frames));
  await recorder.write(endEntry());
}
