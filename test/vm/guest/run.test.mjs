import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { scopes } from './cgroup.mjs';
import { episcope, measure, startEpiscope } from './episcope.mjs';
import { PATIENCE, until, within } from './until.mjs';
import { ENGINES, program } from './workload.mjs';

// One signal with each tier: a start of the command line takes seconds here.
const SIGNAL_OF_TIER = { cgroup: 'SIGTERM', proc: 'SIGINT' };

for (const engine of ENGINES) {
  describe(`episcope run (${engine})`, () => {
    for (const [tier, signal] of Object.entries(SIGNAL_OF_TIER)) {
      const options = ['--engine', engine, '--tier', tier];

      test(
        `${tier}: the exit code passes through, what was left running is killed`,
        PATIENCE,
        async (t) => {
          const run = await measure(t, options, ['sh', '-c', 'sleep 1000 & echo $!; exit 3']);
          assert.equal(run.code, 3);
          assert.equal(run.summary.exit_code, 3);
          assert.equal(run.summary.signal, null);
          assert.equal(run.lines.length, 1);
          await until('the leftover dead', () => !existsSync(`/proc/${run.lines[0]}`));
          assert.deepEqual(scopes(), []);
        },
      );

      test(`${tier}: a signal that ends the command is 128 + its number`, PATIENCE, async (t) => {
        const run = await measure(t, options, ['sh', '-c', 'kill -TERM $$']);
        assert.equal(run.code, 128 + 15);
        assert.equal(run.summary.exit_code, null);
        assert.equal(run.summary.signal, 'SIGTERM');
        assert.deepEqual(scopes(), []);
      });

      test(`${tier}: a command that does not exist is 127 and one line`, PATIENCE, async (t) => {
        const run = await episcope(t, ['run', ...options, '--', 'no-such-command']);
        assert.equal(run.code, 127);
        assert.match(run.stderr, /^[^\n]*no-such-command[^\n]*\n$/);
        assert.deepEqual(scopes(), []);
      });

      test(`${tier}: ${signal} to episcope reaches the command once`, PATIENCE, async (t) => {
        const command = [program('sigprinter'), '--count', '2', '--code', '7'];
        const running = startEpiscope(t, ['run', '--quiet', ...options, '--', ...command]);
        const [ready, pid] = (await running.line()).split(' ');
        assert.equal(ready, 'ready');
        running.child.kill(signal);
        assert.equal(await running.line(), signal);
        // The second and last signal it gets is ours, so a second copy of the first would stand before it.
        process.kill(Number(pid), 'SIGUSR1');
        assert.equal(await running.line(), 'SIGUSR1');
        assert.equal(await running.line(), undefined);
        assert.deepEqual(await within('the end', running.exited), { code: 7, signal: null });
        assert.deepEqual(scopes(), []);
      });
    }
  });
}

describe('a scope whose episcope was killed', () => {
  const cleaners = {
    'the next run': ['run', '--quiet', '--', 'true'],
    'doctor --clean': ['doctor', '--clean'],
  };
  for (const [name, args] of Object.entries(cleaners)) {
    test(`is removed by ${name}, with what lives in it`, PATIENCE, async (t) => {
      const command = [program('sigprinter'), '--count', '1'];
      const run = startEpiscope(t, ['run', '--quiet', '--id', 'orphan', '--', ...command]);
      const pid = (await run.line()).split(' ')[1];
      assert.deepEqual(scopes(), ['episode-orphan.scope']);
      await run.kill();
      assert.deepEqual(scopes(), ['episode-orphan.scope']);
      assert.equal((await episcope(t, args)).code, 0);
      assert.deepEqual(scopes(), []);
      await until('what lived in it dead', () => !existsSync(`/proc/${pid}`));
    });
  }

  test('is left alone while its episcope lives', PATIENCE, async (t) => {
    const command = [program('sigprinter'), '--count', '1', '--code', '4'];
    const run = startEpiscope(t, ['run', '--quiet', '--id', 'alive', '--', ...command]);
    const pid = (await run.line()).split(' ')[1];
    assert.equal((await episcope(t, ['doctor', '--clean'])).code, 0);
    assert.deepEqual(scopes(), ['episode-alive.scope']);
    process.kill(Number(pid), 'SIGUSR1');
    assert.deepEqual(await within('the end', run.exited), { code: 4, signal: null });
    assert.deepEqual(scopes(), []);
  });
});

describe('episcope doctor', () => {
  test('names the hierarchy, the controllers and the engine', PATIENCE, async (t) => {
    const { code, lines } = await episcope(t, ['doctor']);
    assert.equal(code, 0);
    for (const word of ['v2', 'cpu', 'memory', 'io', 'pids', 'native']) {
      assert.ok(lines.join('\n').includes(word), word);
    }
  });

  test('--json gives the same facts', PATIENCE, async (t) => {
    const { code, lines } = await episcope(t, ['doctor', '--json']);
    assert.equal(code, 0);
    const facts = JSON.stringify(JSON.parse(lines.join('\n')));
    for (const word of ['cpu', 'memory', 'io', 'pids', 'native']) {
      assert.ok(facts.includes(`"${word}"`), word);
    }
  });
});
