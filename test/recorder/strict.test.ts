import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FrameRecorder, readRecording } from '../../src/recorder/index.js';
import { scratch } from '../support/scratch.js';
import {
  endEntry,
  frameOf,
  framesEntry,
  framesFrom,
  readBack,
  rejectionOf,
  startEntry,
} from './entries.js';

const directory = scratch();

async function record(
  name: string,
  write: (recorder: FrameRecorder) => Promise<void>,
): Promise<Buffer> {
  const path = join(directory, name);
  const recorder = new FrameRecorder(path);
  await recorder.write(startEntry());
  await write(recorder);
  await recorder.close();
  return readFileSync(path);
}

test('cut at EVERY byte it reads back as its whole frames only', async () => {
  const bytes = await record('every-byte', async (recorder) => {
    await recorder.write(framesEntry([frameOf(0)]));
    await recorder.write(
      framesEntry([frameOf(3n)], { missed: 2, reason: 'a “reason” of 3 bytes' }),
    );
    await recorder.write(endEntry());
  });
  const whole = [frameOf(0), frameOf(3)].map((frame) => frame.toNDJSON());
  const path = join(directory, 'cut');
  for (let size = 0; size <= bytes.length; size += 1) {
    const cut = bytes.subarray(0, size);
    writeFileSync(path, cut);
    const kept = cut.subarray(0, cut.lastIndexOf('\n') + 1);
    const lines = kept.toString().split('\n').slice(0, -1);
    const { recording, frames } = await readBack(path);
    const read = frames.map((frame) => frame.toNDJSON());
    expect(read).toEqual(whole.filter((line) => lines.includes(line)));
    expect(recording.isTorn).toBe(kept.length < size);
    expect(recording.header === null).toBe(lines.length === 0);
    expect(recording.end === null).toBe(size < bytes.length);
    expect(recording.missed).toBe(lines.some((line) => line.includes('"gap"')) ? 2 : 0);
  }
});

describe('what is not as it was written is ERR_RECORDING_MALFORMED, with file and line', async () => {
  const bytes = await record('model', async (recorder) => {
    await recorder.write(framesEntry(framesFrom(5, 2), { missed: 5 }));
    await recorder.write(endEntry());
  });
  const [header, gap, first, second, end] = bytes.toString().trimEnd().split('\n') as [
    string,
    string,
    string,
    string,
    string,
  ];
  const from = (line: string, was: string | RegExp, is: string) => {
    const changed = line.replace(was, is);
    expect(changed).not.toBe(line);
    return changed;
  };

  const cases: readonly (readonly [
    why: string,
    line: number,
    lines: readonly (string | Buffer)[],
  ])[] = [
    ['no JSON', 2, [header, '{"seq":']],
    ['an empty line', 2, [header, '', first]],
    ['no object', 2, [header, '7']],
    ['null', 2, [header, 'null']],
    ['an array', 2, [header, '[]']],
    ['an unknown kind', 3, [header, gap, '{"kind":"note"}']],
    ['a kind of null', 2, [header, from(first, '{', '{"kind":null,')]],
    ['an unknown key in a frame', 2, [header, from(first, '{', '{"cpu_us":1,')]],
    ['a key missing in a frame', 2, [header, from(first, /"cpu_ns":\d+,/, '')]],
    ['a negative value', 2, [header, from(first, /"cpu_ns":\d+,/, '"cpu_ns":-1,')]],
    [
      'a value beyond 2^63 − 1',
      2,
      [header, from(first, /"io_read_bytes":\d+,/, '"io_read_bytes":9223372036854775808,')],
    ],
    [
      'a value as text',
      2,
      [header, from(first, /"io_read_bytes":\d+,/, '"io_read_bytes":"9007199254740993",')],
    ],
    ['an infinity', 2, [header, from(first, /"io_read_bytes":\d+,/, '"io_read_bytes":1e400,')]],
    ['values that contradict each other', 2, [header, from(first, /"cpu_ns":\d+,/, '"cpu_ns":1,')]],
    ['a frame of another episode', 3, [header, first, from(second, '"job"', '"other"')]],
    ['an end of another episode', 2, [header, from(end, '"job"', '"other"')]],
    ['seq going backwards', 3, [header, second, first]],
    ['a frame twice', 3, [header, first, first]],
    [
      'seqs that differ beyond 2^53, the wrong way',
      3,
      [header, withSeq('9007199254740993'), withSeq('9007199254740992')],
    ],
    ['a second header', 3, [header, first, header]],
    ['a second end', 3, [header, end, end]],
    ['a frame after the end', 3, [header, end, first]],
    ['an empty line after the end', 3, [header, end, '']],
    ['no header', 1, [first, second, end]],
    ['another schema', 1, [from(header, 'frames.v1', 'frames.v2'), first]],
    ['a header that is no object', 1, ['null']],
    ['a header without its policy', 1, [from(header, /"policy":\{.*?\}.*?\},/, '')]],
    ['a header with an unknown key', 1, [from(header, '"pid"', '"tid":1,"pid"')]],
    ['a header of a pid that is none', 1, [from(header, '"pid":4711', '"pid":0')]],
    [
      'a header with a date that does not exist',
      1,
      [from(header, '2026-03-01T12', '2026-13-01T12')],
    ],
    [
      'a policy out of its bounds',
      1,
      [from(header, '"sample_period_ms":500', '"sample_period_ms":0')],
    ],
    ['a policy of null', 1, [from(header, '"sample_period_ms":500', '"sample_period_ms":null')]],
    [
      'a header of an engine that there is not',
      1,
      [from(header, '"engine":"js"', '"engine":"wasm"')],
    ],
    ['a gap of nothing', 2, [header, '{"kind":"gap","missed":0}']],
    ['a gap of less', 2, [header, '{"kind":"gap","missed":-1}']],
    ['a gap with more to say', 2, [header, '{"kind":"gap","missed":1,"why":"?"}']],
    ['a quarantine without a reason', 2, [header, '{"kind":"quarantine","reason":null}']],
    ['an end for a reason that there is not', 2, [header, from(end, '"exit"', '"bored"')]],
    ['an end with a total that is none', 2, [header, from(end, /"cpu_ns":\d+/, '"cpu_ns":0.5')]],
    [
      'an end of a resource that there is not',
      2,
      [
        header,
        from(
          end,
          '"exhausted":null',
          '"exhausted":{"resource":"cpuMs","limit":1,"consumed":1,"seq":1,"ts_mono":1,"late_ns":null,"action":"stop"}',
        ),
      ],
    ],
    ['an end of an unknown quality', 2, [header, from(end, '"cpu":[]', '"cpu":["good"]')]],
    ['NUL bytes', 2, [header, '\0\0\0\0']],
    ['a NUL in a frame', 2, [header, from(first, 'job', 'jo\0')]],
    [
      'what is no UTF-8',
      2,
      [header, Buffer.from('{"kind":"quarantine","reason":"\xff"}', 'latin1')],
    ],
    ['a byte order mark', 1, [`\ufeff${header}`, first]],
    [
      'a line above 1 MiB',
      3,
      [header, first, `{"kind":"quarantine","reason":"${'x'.repeat(1024 * 1024)}"}`],
    ],
    ['nested without end', 2, [header, '['.repeat(500_000)]],
    [
      'nested deep, with a number beyond 2^53',
      2,
      [header, `${'['.repeat(100_000)}9007199254740993${']'.repeat(100_000)}`],
    ],
  ];

  function withSeq(seq: string): string {
    return from(first, '"seq":5', `"seq":${seq}`);
  }

  test.each(cases)('%s', async (_why, line, lines) => {
    const path = join(directory, 'hostile');
    writeFileSync(
      path,
      Buffer.concat(lines.flatMap((each) => [Buffer.from(each), Buffer.from('\n')])),
    );
    for (const bigint of [true, false]) {
      const error = await rejectionOf(exhaust(path, bigint));
      expect(error).toMatchObject({
        name: 'RecordingError',
        code: 'ERR_RECORDING_MALFORMED',
        file: path,
        line,
      });
      expect((error as Error).message).toContain(`${path}:${line}: `);
    }
  });

  test('and the model itself is well-formed', async () => {
    const path = join(directory, 'model-again');
    writeFileSync(path, `${[header, gap, first, second, end].join('\n')}\n`);
    const { recording, frames } = await readBack(path);
    expect(frames).toHaveLength(2);
    expect(recording).toMatchObject({ missed: 5, isTorn: false });
    expect(recording.end).not.toBeNull();
  });

  test('text without a newline is a torn header only if it is the beginning of one', async () => {
    const path = join(directory, 'text');
    writeFileSync(path, 'root:x:0:0');
    expect(await rejectionOf(exhaust(path, true))).toMatchObject({
      code: 'ERR_RECORDING_MALFORMED',
      line: 1,
    });
    writeFileSync(path, header.slice(0, -1));
    expect(await rejectionOf(readRecording(path).readHeader())).toMatchObject({
      code: 'ERR_RECORDING_MALFORMED',
      file: path,
      line: 1,
    });
  });

  test('a torn line without end is not kept in memory', async () => {
    const path = join(directory, 'endless');
    writeFileSync(path, `${header}\n${'x'.repeat(1024 * 1024 + 1)}`);
    expect(await rejectionOf(exhaust(path, true))).toMatchObject({
      code: 'ERR_RECORDING_MALFORMED',
      line: 2,
    });
  });

  test('a torn line before a newer file', async () => {
    const path = join(directory, 'torn-older');
    writeFileSync(`${path}.1`, `${header}\n${first}`);
    writeFileSync(path, `${from(header, '"part":0', '"part":1')}\n${second}\n`);
    expect(await rejectionOf(exhaust(path, true))).toMatchObject({
      code: 'ERR_RECORDING_MALFORMED',
      file: `${path}.1`,
      line: 2,
    });
  });

  test('a file that follows the end', async () => {
    const path = join(directory, 'after-end');
    writeFileSync(`${path}.1`, `${header}\n${end}\n`);
    writeFileSync(path, `${from(header, '"part":0', '"part":1')}\n`);
    expect(await rejectionOf(exhaust(path, true))).toMatchObject({
      code: 'ERR_RECORDING_MALFORMED',
      file: path,
      line: 1,
    });
  });

  test('seq going backwards from one file to the next', async () => {
    const path = join(directory, 'backwards');
    writeFileSync(`${path}.1`, `${header}\n${second}\n`);
    writeFileSync(path, `${from(header, '"part":0', '"part":1')}\n${first}\n`);
    expect(await rejectionOf(exhaust(path, true))).toMatchObject({
      code: 'ERR_RECORDING_MALFORMED',
      file: path,
      line: 2,
    });
  });

  test('but a rotated file of another recording is none of it', async () => {
    const path = join(directory, 'other');
    writeFileSync(
      `${path}.1`,
      `${from(header, /"recording_id":"[^"]+"/, '"recording_id":"other"')}\n${first}\n`,
    );
    writeFileSync(path, `${from(header, '"part":0', '"part":1')}\n${second}\n`);
    const { frames, recording } = await readBack(path);
    expect(frames).toHaveLength(1);
    expect(recording.missed).toBe(6);
  });
});

async function exhaust(path: string, bigint: boolean): Promise<void> {
  for await (const _frame of readRecording(path, { bigint }));
}
