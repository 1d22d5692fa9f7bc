/** The directory in which the examples of the documents run, with what they take for granted. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostFacts } from '../../src/host/index.js';
import { CLI } from '../support/cli.js';
import { Leaf } from '../support/leaf.js';
import { javaScriptOf } from './compile.js';
import { ROOT } from './markdown.js';

/** Far beyond what any example takes, also on a busy machine. */
const LIMIT_MS = 120_000;

export interface Ended {
  readonly status: number | null;
  /** stdout and stderr as they came. */
  readonly output: string;
}

/** What an example may need of the host; why this host does not have it, or null. */
const NEEDS: Readonly<Record<string, () => string | null>> = {
  'a cgroup': () => Leaf.probe(),
  'the memory controller': () => Leaf.probe() ?? missing('memory'),
};

function missing(controller: string): string | null {
  const { cgroup2 } = hostFacts();
  if (cgroup2?.controllers.includes(controller)) return null;
  return `cgroup v2 has no ${controller} controller here`;
}

/** Why this host cannot run an example with these needs, or null. */
export function whyNotHere(needs: string): string | null {
  const probe = NEEDS[needs];
  if (probe === undefined) throw new Error(`unknown need of an example: ${needs}`);
  return probe();
}

export class Sandbox {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    mkdirSync(join(path, 'bin'));
    mkdirSync(join(path, 'node_modules'));
    symlinkSync(ROOT, join(path, 'node_modules/episcope'));
    for (const name of ['dist', 'bench', 'package.json'])
      symlinkSync(join(ROOT, name), join(path, name));
    // What an installed package's `npx episcope` runs.
    const npx = `#!/bin/sh\n[ "$1" = episcope ] || exit 97\nshift\nexec "${process.execPath}" "${CLI}" "$@"\n`;
    writeFileSync(join(path, 'bin/npx'), npx);
    chmodSync(join(path, 'bin/npx'), 0o755);
    writeFileSync(
      join(path, 'Makefile'),
      'all:\n\t@i=0; while [ $$i -lt 50000 ]; do i=$$((i+1)); done\n',
    );
    const given = readFileSync(join(ROOT, 'test/docs/given.ts'), 'utf8');
    writeFileSync(join(path, 'given.js'), javaScriptOf(given));
    writeFileSync(join(path, 'in-worker.mjs'), IN_WORKER);
  }

  module(name: string, source: string, inWorker: boolean): Promise<Ended> {
    const file = join(this.#path, `${name}.mjs`);
    writeFileSync(file, javaScriptOf(source));
    const script = inWorker ? [join(this.#path, 'in-worker.mjs'), file] : [file];
    return this.#run(process.execPath, script);
  }

  shell(script: string): Promise<Ended> {
    return this.#run('sh', ['-c', script]);
  }

  #run(command: string, args: readonly string[]): Promise<Ended> {
    const child = spawn(command, args, {
      cwd: this.#path,
      env: { ...process.env, NODE_OPTIONS: '', PATH: `${this.#path}/bin:${process.env.PATH}` },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
    });
    let output = '';
    const add = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve({ status, output }));
    });
  }
}

/** Runs a module in a worker that is given the ring of a session, and ends the session when some frames were taken. */
const IN_WORKER = `
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { handle } from './given.js';

const worker = new Worker(pathToFileURL(process.argv[2]), { workerData: { shared: handle.share() } });
const ended = once(worker, 'exit');
await once(worker, 'online');
for (let i = 0; i < 3; i++) await handle.sampleNow();
await handle.stop();
const [status] = await ended;
process.exitCode = status;
`;
