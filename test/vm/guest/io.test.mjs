/**
 * Written bytes are exact, to the block of the file system, and this is why: the file is fresh, so its
 * writeback belongs to the cgroup of its writer; the writer fsyncs, so all of it has reached the disk when
 * it says so; blocks are allocated whole; and what ext4 writes besides (inodes, bitmaps, the journal) is
 * written by the journal's own thread, which lives in the root cgroup. /proc/<pid>/io counts the same pages
 * when they are dirtied. Reads are compared with io.stat itself: the program and a bitmap are read too.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { CgroupReader } from 'episcope';
import { ioTotals, makeCgroup } from './cgroup.mjs';
import { measure } from './episcope.mjs';
import { startSession } from './session.mjs';
import { PATIENCE } from './until.mjs';
import { ENGINES, program, startWorkload } from './workload.mjs';

const BLOCK = 4096;
const WRITES = {
  'buffered, whole blocks': { bytes: 8 << 20, args: [] },
  'buffered, a last block in part': { bytes: 5_000_001, args: [] },
  'one byte': { bytes: 1, args: [] },
  direct: { bytes: 4 << 20, args: ['--direct'] },
};

let files = 0;
const freshFile = () => `/data/${process.pid}-${files++}`;
const blocksOf = (bytes) => Math.ceil(bytes / BLOCK) * BLOCK;

function writerArgs({ bytes, args }) {
  return ['--path', freshFile(), '--bytes', String(bytes), ...args];
}

for (const engine of ENGINES) {
  describe(`io of an fsynced write is exact to the block (${engine})`, () => {
    for (const tier of ['cgroup', 'leaf', 'proc']) {
      for (const [name, write] of Object.entries(WRITES)) {
        test(`${tier}: ${name}`, PATIENCE, async (t) => {
          const cgroupPath = makeCgroup(t);
          const writer = startWorkload(t, cgroupPath, 'writer', ...writerArgs(write));
          assert.equal(await writer.line(), String(write.bytes));
          const options = { tier, manual: true, ...(tier === 'proc' ? {} : { cgroupPath }) };
          const frame = startSession(t, engine, writer.pid, options).collect();
          assert.equal(frame.sources.io, tier === 'cgroup' ? 'cgroup' : 'proc');
          assert.equal(frame.ioWriteBytes, blocksOf(write.bytes));
        });
      }
    }

    test('every figure is what io.stat says', PATIENCE, async (t) => {
      const cgroup = makeCgroup(t);
      const writer = startWorkload(t, cgroup, 'writer', ...writerArgs(WRITES.direct));
      await writer.line();
      const reader = CgroupReader.fromPath(cgroup, { engine });
      t.after(() => reader.close());
      const io = reader.readIo();
      const { rbytes, wbytes, rios, wios } = ioTotals(cgroup);
      assert.deepEqual(
        { rbytes: io.readBytes, wbytes: io.writeBytes, rios: io.readOps, wios: io.writeOps },
        { rbytes, wbytes, rios, wios },
      );
      assert.ok(wios > 0);
    });

    for (const tier of ['cgroup', 'proc']) {
      test(
        `episcope run --tier ${tier}: the total of a command that has ended`,
        PATIENCE,
        async (t) => {
          const command = [
            program('writer'),
            ...writerArgs(WRITES['buffered, a last block in part']),
          ];
          const options = ['--engine', engine, '--tier', tier];
          const { summary } = await measure(t, options, command);
          assert.equal(summary.sources.io, tier);
          assert.equal(summary.io_write_bytes, blocksOf(5_000_001));
          // The JS engine is not told what was dirtied, so that it cannot know that all of it was written.
          if (tier === 'cgroup') {
            assert.deepEqual(summary.quality.io, [engine === 'native' ? 'final' : 'lowerBound']);
          }
        },
      );
    }

    test(
      'what another cgroup owns is not counted here, and said to be missing',
      PATIENCE,
      async (t) => {
        const file = freshFile();
        const writing = [
          'dd',
          'if=/dev/zero',
          `of=${file}`,
          'bs=1M',
          'count=8',
          'conv=notrunc,fsync',
        ];
        execFileSync(writing[0], writing.slice(1), { stdio: 'ignore' });
        const options = ['--engine', engine, '--tier', 'cgroup'];
        const { summary, stderr } = await measure(t, options, writing);
        t.diagnostic(`${summary.io_write_bytes} bytes, ${summary.quality.io}`);
        if (summary.io_write_bytes >= 8 << 20) return;
        assert.deepEqual(summary.quality.io, ['lowerBound']);
        assert.match(stderr, /written at least/);
      },
    );
  });
}
