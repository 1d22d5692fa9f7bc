// Runs ring.pml through spin: the model as it is, and each mutation of it.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODEL = fileURLToPath(new URL('ring.pml', import.meta.url));
const CACHE = fileURLToPath(new URL('../../.cache/model/spin/', import.meta.url));

// 13: the stamps wrap in the run; 29: the stamps and the head do.
const WHOLE = [
  ['stamps that wrap', { FIRST: 13, FRAMES: 6 }],
  ['a head that wraps', { FIRST: 29, FRAMES: 5 }],
];

const MUTATIONS = [
  'NO_ODD_STAMP',
  'ODD_STAMP_AFTER_DATA',
  'HEAD_BEFORE_EVEN_STAMP',
  'END_BEFORE_LAST_FRAME',
  'WRITER_WAITS',
  'NO_SECOND_LOOK',
  'SECOND_LOOK_EVENNESS_ONLY',
  'EVENNESS_ONLY',
  'LAPPED_UNCOUNTED',
  'RESUME_UNCOUNTED',
];

/** Searches all states of the model. Returns spin's first error, or null, and the number of states. */
function search(name, macros) {
  const at = join(CACHE, name);
  mkdirSync(at, { recursive: true });
  const defines = Object.entries(macros).map(([macro, value]) => `-D${macro}=${value}`);
  const options = { cwd: at, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' };
  execFileSync('spin', [...defines, '-a', MODEL], options);
  const compile = ['-O2', '-DSAFETY', '-DCOLLAPSE', '-DMEMLIM=3000', '-o', 'pan', 'pan.c'];
  execFileSync('cc', ['-w', ...compile], options);
  const { stdout } = spawnSync('./pan', ['-m200000', '-n'], options);
  const error = /^pan:\d+: (.*)/m.exec(stdout)?.[1] ?? null;
  const states = /(\d+) states, stored/.exec(stdout)?.[1];
  // A search that ran out of memory or depth proves nothing.
  if (error === null && !/errors: 0/.test(stdout)) throw new Error(`spin said: ${stdout}`);
  return { error, states };
}

/** Calls `report(what, failure | null, detail)` for each check. */
export function checkSpin(report) {
  for (const [name, macros] of WHOLE) {
    const { error, states } = search('whole', macros);
    report(`spin: ${name}`, error, `no violation (${states} states)`);
  }
  for (const mutation of MUTATIONS) {
    const { error } = search('mutation', { [mutation]: 1 });
    report(`spin: mutation ${mutation}`, error === null ? 'NOT found' : null, `found (${error})`);
  }
}
