import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installIn } from '../support/installed.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('installed where no compiler is', () => {
  const place = mkdtempSync(join(tmpdir(), 'episcope-install-'));
  const installed = join(place, 'node_modules/episcope');
  const bin = join(place, 'bin');
  // Node, a shell and node-gyp, but no make and no compiler.
  const env = { PATH: bin, HOME: place };

  beforeAll(() => {
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, 'node'));
    symlinkSync('/bin/sh', join(bin, 'sh'));
    for (const tool of ['node-gyp', 'node-gyp-build']) {
      symlinkSync(join(root, 'node_modules/.bin', tool), join(bin, tool));
    }
    installIn(place);
  });
  afterAll(() => rmSync(place, { recursive: true }));

  it('the install succeeds and says which engine serves', async () => {
    const { stderr } = await run('/bin/sh', ['-c', manifest.scripts.install], {
      cwd: installed,
      env,
    });
    expect(stderr).toContain("the engine 'js' will serve");
  }, 60_000);

  it('the package has no tests, nor what only they use', () => {
    const files = readdirSync(installed, { encoding: 'utf8', recursive: true });
    expect(files).toContain('native/addon/addon.cc');
    expect(files.filter((file) => /test|fuzz|parse_any|parser_door/.test(file))).toEqual([]);
  });

  it('the library measures with the JS engine and says so once', async () => {
    const script = `
      import { ProcReader, TelemetryCollector } from 'episcope';
      const handle = new TelemetryCollector().start('own', process.pid);
      new TelemetryCollector();
      console.log(handle.engine, handle.latest().cpuNs > 0);
      try { new ProcReader(process.pid, { engine: 'native' }); } catch (error) { console.log(error.code); }
      await handle.stop();`;
    const { stdout, stderr } = await run(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { cwd: place, env },
    );
    expect(stdout).toBe('js true\nERR_ENGINE_UNAVAILABLE\n');
    expect(stderr.match(/EPISCOPE_JS_ENGINE/g)).toHaveLength(1);
  });

  it('episcope run measures a command', async () => {
    const { stdout, stderr } = await run(
      process.execPath,
      [join(installed, 'dist/cli/main.js'), 'run', '--', '/bin/echo', 'hello'],
      { cwd: place, env },
    );
    expect(stdout).toBe('hello\n');
    expect(stderr).toContain('(js engine)');
  });
});

it('the package imports itself by name, with its types in place', async () => {
  const self = await import('episcope');
  expect(self.TelemetryCollector).toBeTypeOf('function');
  expect(manifest.exports['.'].types).toBe('./dist/index.d.ts');
  const { './package.json': _, ...entries } = manifest.exports;
  for (const { types, default: module } of Object.values<Record<string, string>>(entries)) {
    expect(types).toBe(module?.replace(/\.js$/, '.d.ts'));
    expect(existsSync(join(root, types ?? '')), types).toBe(true);
  }
});
