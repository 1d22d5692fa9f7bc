/** The recording on a disk that is full: a small tmpfs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  FrameRecorder,
  PromoteTriggers,
  readRecording,
  TelemetryCollector,
  TelemetryPolicy,
} from 'episcope';
import { PATIENCE, until } from './until.mjs';
import { ENGINES, startWorkload } from './workload.mjs';

function smallDisk(t) {
  const folder = `/tmp/small-${process.pid}`;
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'small', folder]);
  t.after(() => execFileSync('umount', [folder]));
  return folder;
}

for (const engine of ENGINES) {
  describe(`ENOSPC on the recording (${engine})`, () => {
    test(
      'sampling goes on, nothing written is harmed, and it goes on with room',
      PATIENCE,
      async (t) => {
        const folder = smallDisk(t);
        const path = `${folder}/frames.ndjson`;
        const workload = startWorkload(t, null, 'allocator', '--mib', '4');
        assert.equal(await workload.line(), 'ready');
        const policy = TelemetryPolicy.builder()
          .samplePeriodMs(5)
          .ringBufferCapacity(4096)
          .promoteTriggers(new PromoteTriggers({ periodicFrames: 4, onTermination: true }))
          .build();
        writeFileSync(`${folder}/filler`, Buffer.alloc(128 << 10));
        const handle = new TelemetryCollector(policy, { engine }).start('full', workload.pid, {
          tier: 'proc',
          recorder: new FrameRecorder(path),
        });
        const [error] = await once(handle, 'warning');
        assert.equal(error.code, 'ERR_RECORDING_IO');
        assert.equal(error.errno, 'ENOSPC');
        const written = readFileSync(path, 'utf8');
        assert.ok(written.endsWith('\n'));
        const { seq } = handle;
        await until('frames go on', () => handle.seq > seq + 20);
        assert.ok(readFileSync(path, 'utf8').startsWith(written));
        rmSync(`${folder}/filler`);
        const { size } = { size: readFileSync(path).length };
        await until('the recording goes on', () => readFileSync(path).length > size);
        await handle.stop();
        const recording = readRecording(path);
        let frames = 0;
        let last = -1;
        for await (const frame of recording) {
          assert.ok(frame.seq > last);
          last = frame.seq;
          frames++;
        }
        assert.ok(recording.missed > 0);
        assert.equal(recording.end.framesCollected, frames + recording.missed);
      },
    );
  });
}
