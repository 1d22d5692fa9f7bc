/**
 * The main uses of the package, by name, for whatever evaluated it: a test runner, a `vm` context, Node itself.
 * `engine`: the engine to use; `place`: an empty directory; `slice`: where scopes may be made, null where this host
 * lets us make none. What another realm makes comes from `vm`.
 */
import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext, runInThisContext } from 'node:vm';

const elsewhere = createContext();
/** The value of an expression in a realm that is neither the package's nor the caller's. */
const foreign = (expression) => runInContext(`(${expression})`, elsewhere);

/** The same bytes as shared memory of another realm: what a message from a worker is. */
function foreignMemory(memory) {
  const copy = foreign(`new SharedArrayBuffer(${memory.byteLength})`);
  new Uint8Array(copy).set(new Uint8Array(memory));
  return copy;
}

export const MAIN_USES = {
  async 'a session is sampled, read and stopped'(episcope, { engine }) {
    const handle = collectorOf(episcope, engine).start('sampled', process.pid);
    strictEqual(handle.engine, engine);
    const frames = await nextFrames(new episcope.FrameReader(handle.share()));
    ok(frames[0].cpuNs > 0);
    const rest = await handle.stop();
    ok(rest.at(-1).o11yFlags.terminal);
  },

  async 'a manual session takes frames, by hand and of given figures'(episcope, { engine }) {
    const collector = collectorOf(episcope, engine);
    const handle = collector.start('manual', process.pid, { manual: true });
    ok(collector.collect(handle).cpuNs > 0);
    const frame = handle.nextFrame(
      new episcope.ResourceStats({
        cpu: new episcope.CpuStats({ source: 'proc', usageNs: 7e15, userNs: 7e15, systemNs: 0 }),
        memory: episcope.MemoryStats.unavailable(),
        io: episcope.IoStats.unavailable(),
      }),
      episcope.O11yFlags.none,
    );
    strictEqual(frame.cpuNs, 7e15);
    await handle.stop();
  },

  async 'a budget is shared, attached and enforced'(episcope, { engine }) {
    const budget = new episcope.BudgetTracker({ wallMs: 5 });
    const { budget: memory } = budget.share();
    const attached = episcope.BudgetTracker.attach({ budget: memory });
    attached.charge({ tokens: 3 });
    strictEqual(budget.consumed().tokens, 3);
    const copy = episcope.BudgetTracker.attach({ budget: foreignMemory(memory) });
    strictEqual(copy.consumed().tokens, 3);

    for (const limited of [attached, copy]) {
      const handle = collectorOf(episcope, engine).start('limited', process.pid, {
        budget: limited,
      });
      const exhaustion = await told(handle, 'exhausted');
      strictEqual(exhaustion.resource, 'wallMs');
      await handle.stop();
    }
    ok(budget.consumed().wallMs >= 5);
  },

  async 'frames are recorded to a new folder, and read'(episcope, { engine, place }) {
    const path = join(place, 'new/folder/recording.ndjson');
    const recorder = new episcope.FrameRecorder(path);
    const collector = recordingCollector(episcope, engine);
    const handle = collector.start('recorded', process.pid, { recorder });
    await nextFrames(handle);
    await handle.stop();
    await recorder.close();
    const seqs = [];
    for await (const frame of episcope.readRecording(path)) seqs.push(frame.seq);
    deepStrictEqual(
      seqs,
      seqs.map((_, index) => index),
    );
    ok(seqs.length > 3);
  },

  async 'a recording that cannot be read or written says why'(episcope, { engine, place }) {
    const read = async (path) => {
      for await (const _ of episcope.readRecording(path));
    };
    await rejects(read(join(place, 'missing')), { code: 'ERR_RECORDING_MISSING' });
    writeFileSync(join(place, 'file'), '{"foreign":1}\n');
    await rejects(read(join(place, 'file')), { code: 'ERR_RECORDING_MALFORMED' });
    await rejects(read(join(place, 'file/below')), { code: /^ERR_RECORDING_(IO|MISSING)$/ });
    const recorder = new episcope.FrameRecorder(join(place, 'file/below/recording.ndjson'));
    const handle = recordingCollector(episcope, engine).start('told', process.pid, { recorder });
    const warning = await told(handle, 'warning');
    ok(warning instanceof episcope.RecordingError);
    strictEqual(warning.code, 'ERR_RECORDING_IO');
    await handle.stop();
  },

  async 'a reviewer log is missing, written, read and malformed'(episcope, { engine, place }) {
    const path = join(place, 'deep/log.ndjson');
    const read = () => episcope.readReviewerProjectionEvents(path, { prNumber: 7 });
    await rejects(read(), { code: 'ERR_REVIEWER_MISSING' });
    const writer = new episcope.ReviewerTelemetryWriter(
      path,
      { singleProcess: engine === 'js' },
      engine,
    );
    const event = { ts: '2026-01-02T03:04:05Z', event: 'run_start', review_type: 'security' };
    await writer.append({ ...event, pr_number: 7, head_sha: 'abc', seq: 1, more: { list: [1] } });
    // An object of another realm is an object like any.
    await writer.append(foreign('{ event: "other", list: [1, { deep: true }] }'));
    const { events, latestSeq } = await read();
    strictEqual(latestSeq, 1n);
    deepStrictEqual(JSON.parse(JSON.stringify(events[0].raw)).more, { list: [1] });
    strictEqual(events.length, 1);
    await rejects(writer.append(foreign('new Map()')), { code: 'ERR_REVIEWER_SERIALIZE' });
    writeFileSync(path, 'no json\n{"event":"x"}\n');
    await rejects(read(), { code: 'ERR_REVIEWER_MALFORMED', line: 1 });
    writeFileSync(join(place, 'file'), '');
    await rejects(
      episcope.readReviewerProjectionEvents(join(place, 'file/log'), { prNumber: 7 }),
      (error) => error instanceof episcope.ReviewerTelemetryError,
    );
  },

  async 'a run is told to a reviewer log'(episcope, { engine, place }) {
    const { spawn } = await import('node:child_process');
    const path = join(place, 'run.ndjson');
    const options = { singleProcess: engine === 'js' };
    const writer = new episcope.ReviewerTelemetryWriter(path, options, engine);
    const child = spawn('sleep', ['0.05'], { stdio: 'ignore' });
    const handle = collectorOf(episcope, engine).start('told', child.pid, {
      reviewer: { writer, child, prNumber: 7, headSha: 'abc', reviewType: 'security' },
    });
    await told(handle, 'stopped');
    // The session does not wait for the log.
    const kinds = async () => {
      try {
        const { events } = await episcope.readReviewerProjectionEvents(path, { prNumber: 7 });
        return Array.from(events, ({ lifecycle }) => lifecycle.event);
      } catch (error) {
        if (error.code === 'ERR_REVIEWER_MISSING') return [];
        throw error;
      }
    };
    while ((await kinds()).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    deepStrictEqual(await kinds(), ['run_start', 'run_complete']);
  },

  async 'a command runs in a scope of its own, and the scope is removed'(episcope, { slice }) {
    if (slice === null) return;
    const id = `realm-${process.pid}`;
    const where = { slice, strategy: 'direct' };
    const { child, scope } = await episcope.spawnInScope('sleep', ['600'], { ...where, id });
    strictEqual(scope.strategy, 'direct-write');
    ok(existsSync(scope.cgroupPath));
    await rejects(scope.remove(), { code: 'ERR_SCOPE_BUSY' });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    await episcope.removeEpisodeScope(id, { slice, kill: true });
    await exited;
    ok(!existsSync(scope.cgroupPath));
    await rejects(episcope.removeEpisodeScope(id, { slice }), { code: 'ERR_SCOPE_NOT_FOUND' });
    await rejects(
      episcope.spawnInScope('/no/such/command', [], { ...where, id }),
      (error) => error instanceof episcope.TelemetryError && error.code === 'ERR_SPAWN_FAILED',
    );
  },

  async 'scopes that cannot be made say why'(episcope, { place }) {
    const root = join(place, 'none');
    const made = episcope.createEpisodeScope('none', process.pid, undefined, {
      root,
      strategy: 'direct',
    });
    await rejects(made, (error) => error instanceof episcope.CgroupError);
    await rejects(episcope.removeEpisodeScope('none', { root }), { code: /^ERR_/ });
  },

  async 'readers of what is not there say why'(episcope, { engine, place }) {
    throws(() => episcope.CgroupReader.fromPath(join(place, 'none'), { engine }), {
      code: 'ERR_CGROUP_NOT_FOUND',
    });
    throws(() => episcope.CgroupReader.fromPath(place, { engine }), { code: 'ERR_NOT_CGROUP2' });
    const fixture = episcope.CgroupReader.fromPath(place, { engine, requireCgroupfs: false });
    strictEqual(fixture.readCpu().isAvailable, false);
    strictEqual(fixture.readCpu().error.code, 'ERR_CONTROLLER_NOT_ENABLED');
    throws(() => new episcope.ProcReader(2 ** 22 + 1, { engine }), {
      code: /^ERR_(PROC_GONE|INVALID_PID)$/,
    });
    const fallback = fixture.withFallbackPid(process.pid);
    strictEqual(fallback.readCpu().source, 'proc');
    fallback.close();
    const own = new episcope.ProcReader(process.pid, { engine });
    ok(own.readAll().memory.rssBytes > 0);
    own.close();
  },

  async 'frames are read from shared memory of another realm'(episcope, { engine }) {
    const handle = collectorOf(episcope, engine).start('elsewhere', process.pid);
    await nextFrames(handle);
    await handle.stop();
    const reader = new episcope.FrameReader(foreignMemory(handle.share().ring));
    strictEqual(reader.episodeId, 'elsewhere');
    ok(reader.read().frames.at(-1).o11yFlags.terminal);
    throws(() => new episcope.FrameReader(foreign('new ArrayBuffer(4096)')), {
      code: 'ERR_RING_CORRUPT',
    });
  },

  async 'a frame goes through JSON of whatever realm'(episcope) {
    const frame = episcope.TelemetryFrame.builder('job', 3).cpuNs(5).source('proc').build();
    const text = JSON.stringify(frame);
    const again = episcope.TelemetryFrame.fromJSON(foreign(text));
    strictEqual(JSON.stringify(again), text);
  },

  async 'what is closed at the end of a block has the symbols of Node'(episcope, { engine }) {
    const { dispose, asyncDispose } = runInThisContext('Symbol');
    const handle = collectorOf(episcope, engine).start('closed', process.pid);
    await handle[asyncDispose]();
    strictEqual(handle.snapshot().stopped, true);
    await handle.frames()[asyncDispose]();
    new episcope.ProcReader(process.pid, { engine })[dispose]();
  },

  async 'what another realm aborts is aborted'(episcope, { engine }) {
    const controller = new AbortController();
    const handle = collectorOf(episcope, engine).start('aborted', process.pid, {
      signal: controller.signal,
    });
    const stopped = told(handle, 'stopped');
    controller.abort();
    await stopped;
  },

  async 'options, of another realm too, are checked'(episcope, { engine }) {
    const collector = collectorOf(episcope, engine);
    const refused = (act, code) =>
      throws(act, (error) => error instanceof episcope.TelemetryError && error.code === code);
    refused(() => collector.start('x', process.pid, { budget: {} }), 'ERR_INVALID_CONFIG');
    refused(
      () => collector.start('x', process.pid, foreign('{ budget: {} }')),
      'ERR_INVALID_CONFIG',
    );
    refused(() => collector.start('x', process.pid, { signal: {} }), 'ERR_INVALID_CONFIG');
    refused(() => episcope.BudgetTracker.attach({ budget: {} }), 'ERR_INVALID_CONFIG');
    refused(() => new episcope.TelemetryCollector({}, { engine }), 'ERR_INVALID_CONFIG');
    refused(() => new episcope.BudgetTracker({ cpuMs: -1 }), 'ERR_OUT_OF_RANGE');
    const budget = new episcope.BudgetTracker(foreign('{ tokens: 2 }'));
    strictEqual(budget.limits.tokens, 2);
    const error = budget.tryCharge(foreign('{ tokens: 3 }'));
    ok(error instanceof episcope.BudgetExhaustedError);
    match(error.message, /tokens/);
  },
};

function collectorOf(episcope, engine) {
  const policy = episcope.TelemetryPolicy.builder().samplePeriodMs(1).ringBufferCapacity(64);
  return new episcope.TelemetryCollector(policy.build(), { engine });
}

function recordingCollector(episcope, engine) {
  const triggers = episcope.PromoteTriggers.all;
  const policy = episcope.TelemetryPolicy.builder().samplePeriodMs(1).promoteTriggers(triggers);
  return new episcope.TelemetryCollector(policy.build(), { engine });
}

/** What the next event of this name tells. No session keeps the process alive by itself. */
function told(handle, event) {
  const alive = setInterval(() => {}, 1000);
  return new Promise((resolve) => handle.once(event, resolve)).finally(() => clearInterval(alive));
}

/** A batch that follows at least two others. */
async function nextFrames(reader) {
  let batches = 0;
  for await (const { frames } of reader.frames()) if (++batches === 3) return frames;
  throw new Error('the session ended while it was read');
}
