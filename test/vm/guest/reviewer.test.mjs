/** The reviewer log on disks that are full or may only be read, and runs that the kernel ends. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  BudgetTracker,
  ReviewerTelemetryWriter,
  readReviewerProjectionEvents,
  spawnInScope,
  TelemetryCollector,
  TelemetryPolicy,
} from 'episcope';
import { ReviewerTelemetryWriter as WriterOf } from './reviewer-dist.mjs';
import { PATIENCE, until } from './until.mjs';
import { ENGINES, program, startWorkload } from './workload.mjs';

const eventOf = (seq, more = {}) => ({
  ts: '2026-11-26T07:00:00Z',
  event: 'run_start',
  review_type: 'security',
  pr_number: 7,
  head_sha: 'abc123',
  seq,
  ...more,
});

const seqsIn = (path) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).seq);

function disk(t, options) {
  const folder = `/tmp/reviewer-${process.pid}`;
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'small', folder]);
  // A writer has its files open for a moment after an append.
  t.after(() => execFileSync('umount', ['-l', folder]));
  return folder;
}

for (const engine of ENGINES) {
  const writerAt = (path, options) =>
    new WriterOf(path, { singleProcess: true, ...options }, engine);

  describe(`the reviewer log (${engine})`, () => {
    test(
      'a full disk is told, leaves nothing, and once there is room it goes on',
      PATIENCE,
      async (t) => {
        const folder = disk(t, 'size=256k');
        const path = `${folder}/log`;
        const writer = writerAt(path);
        await writer.append(eventOf(1));
        writeFileSync(`${folder}/filler`, Buffer.alloc(200 << 10));
        const failed = writer.append(eventOf(2, { detail: 'x'.repeat(100_000) }));
        await assert.rejects(failed, { code: 'ERR_REVIEWER_IO', errno: 'ENOSPC' });
        assert.deepEqual(seqsIn(path), [1]);
        rmSync(`${folder}/filler`);
        await writer.append(eventOf(3, { detail: 'x'.repeat(100_000) }));
        assert.deepEqual(seqsIn(path), [1, 3]);
      },
    );

    test('a disk that may only be read is told; what is there can be read', PATIENCE, async (t) => {
      const folder = disk(t, 'size=256k');
      const path = `${folder}/log`;
      await writerAt(path).append(eventOf(1));
      await until('the files closed', () => {
        return spawnSync('mount', ['-o', 'remount,ro', folder]).status === 0;
      });
      await assert.rejects(writerAt(path).append(eventOf(2)), {
        code: 'ERR_REVIEWER_IO',
        errno: 'EROFS',
      });
      const { latestSeq } = await readReviewerProjectionEvents(path, { prNumber: 7 });
      assert.equal(latestSeq, 1n);
    });

    test(
      'a disk with a journal: 300 events of 20 appenders, moved away on the way',
      PATIENCE,
      async (t) => {
        const path = `/data/reviewer-${engine}/log`;
        t.after(() => rmSync(`/data/reviewer-${engine}`, { recursive: true }));
        const writer = writerAt(path, { rotateBytes: 30_000 });
        let seq = 1;
        await Promise.all(
          Array.from({ length: 20 }, async () => {
            while (seq <= 300) await writer.append(eventOf(seq++));
          }),
        );
        const { events } = await readReviewerProjectionEvents(path, { prNumber: 7 });
        const seqs = events.map(({ lifecycle }) => Number(lifecycle.seq));
        assert.deepEqual(
          seqs,
          Array.from({ length: 300 }, (_, index) => index + 1),
        );
        assert.ok(readFileSync(`${path}.1`).length > 30_000);
      },
    );
  });

  describe(`a run in the reviewer log (${engine})`, () => {
    const policy = TelemetryPolicy.builder().samplePeriodMs(20).build();
    let runs = 0;

    /** Runs a command in a scope of its own; resolves to its last event. */
    async function run(t, command, args, { limits, budget, onExhausted }) {
      const path = `/tmp/runs-${engine}-${process.pid}-${runs++}`;
      t.after(() => rmSync(path, { force: true }));
      const writer = new ReviewerTelemetryWriter(path);
      let handle = null;
      const { scope } = await spawnInScope(command, args, {
        id: `run-${engine}-${runs}`,
        limits,
        stdio: ['ignore', 'ignore', 'inherit'],
        beforeExec({ id, cgroupPath }, child) {
          const run = { writer, child, reviewType: 'security', prNumber: 7, headSha: 'abc123' };
          const options = { cgroupPath, reviewer: run, budget, onExhausted };
          handle = new TelemetryCollector(policy, { engine }).start(id, child.pid, options);
        },
      });
      const last = async () => {
        const { events } = await readReviewerProjectionEvents(path, { prNumber: 7 });
        return events.at(-1)?.lifecycle;
      };
      return { scope, handle, last };
    }

    const ended = async (last) => {
      let event = null;
      await until('the end of the run', async () => {
        event = await last().catch(() => null);
        return ['run_crash', 'run_complete'].includes(event?.event);
      });
      return event;
    };

    test('that the kernel killed for want of memory is oom_kill', PATIENCE, async (t) => {
      const limits = { memoryBytes: 32 << 20 };
      const { scope, last } = await run(t, program('allocator'), ['--mib', '200'], { limits });
      const event = await ended(last);
      assert.equal(event.event, 'run_crash');
      assert.equal(event.reasonCode, 'oom_kill');
      assert.equal(event.extra.term_signal, 'SIGKILL');
      assert.ok(event.extra.oom_kills >= 1);
      await scope.remove({ kill: true });
    });

    test('that its budget killed is budget_exhausted', PATIENCE, async (t) => {
      const budget = new BudgetTracker({ cpuMs: 100 });
      const { scope, last } = await run(t, program('burner'), ['--ms', '60000'], {
        budget,
        onExhausted: 'kill',
      });
      const event = await ended(last);
      assert.equal(event.reasonCode, 'budget_exhausted');
      assert.equal(event.extra.exhausted_resource, 'cpu_ms');
      assert.ok(event.extra.cpu_ns >= 100_000_000);
      await scope.remove({ kill: true });
    });

    test('that its budget froze is told when it is removed', PATIENCE, async (t) => {
      const budget = new BudgetTracker({ cpuMs: 100 });
      const { scope, handle, last } = await run(t, program('burner'), ['--ms', '60000'], {
        budget,
        onExhausted: 'freeze',
      });
      await until('the budget', () => handle.snapshot().stopped);
      assert.equal((await last()).event, 'run_start');
      await scope.remove({ kill: true });
      assert.equal((await ended(last)).reasonCode, 'budget_exhausted');
    });

    test(
      'that did what it was to do is run_complete, with the kernel’s figures',
      PATIENCE,
      async (t) => {
        const { scope, handle, last } = await run(t, program('burner'), ['--ms', '200'], {});
        const event = await ended(last);
        assert.equal(event.event, 'run_complete');
        assert.equal(event.extra.exit_code, 0);
        assert.equal(event.extra.cpu_ns, handle.latest().cpuNs);
        assert.ok(event.extra.cpu_ns >= 200_000_000);
        assert.equal(event.extra.oom_kills, 0);
        await scope.remove();
      },
    );

    test('that waits is a stall', PATIENCE, async (t) => {
      const workload = startWorkload(t, null, 'allocator', '--mib', '1');
      assert.equal(await workload.line(), 'ready');
      const path = `/tmp/stall-${engine}-${process.pid}`;
      t.after(() => rmSync(path, { force: true }));
      const handle = new TelemetryCollector(policy, { engine }).start('stall', workload.pid, {
        tier: 'proc',
        reviewer: {
          writer: new ReviewerTelemetryWriter(path),
          child: workload.child,
          reviewType: 'security',
          prNumber: 7,
          headSha: 'abc123',
          stallAfterMs: 300,
        },
      });
      t.after(() => handle.stop());
      await until('the stall', () => {
        return existsSync(path) && readFileSync(path, 'utf8').includes('"stall_detected"');
      });
    });
  });
}
