/** The main uses of the package, by name, for whatever evaluated it. `engine`: the engine to use. */
import { ok, strictEqual } from 'node:assert/strict';

export const MAIN_USES = {
  async 'a session is sampled, read and stopped'(episcope, { engine }) {
    const handle = collectorOf(episcope, engine).start('sampled', process.pid);
    strictEqual(handle.engine, engine);
    const frames = await nextFrames(new episcope.FrameReader(handle.share()));
    ok(frames[0].cpuNs > 0);
    const rest = await handle.stop();
    ok(rest.at(-1).o11yFlags.terminal);
  },
};

function collectorOf(episcope, engine) {
  const policy = episcope.TelemetryPolicy.builder().samplePeriodMs(1).ringBufferCapacity(64);
  return new episcope.TelemetryCollector(policy.build(), { engine });
}

/** A batch that follows at least two others. */
async function nextFrames(reader) {
  let batches = 0;
  for await (const { frames } of reader.frames()) if (++batches === 3) return frames;
  throw new Error('the session ended while it was read');
}
