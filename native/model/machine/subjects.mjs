// Writers and readers for the machine: the project's own code, original or mutated.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { Order } from './memory.mjs';
import { derived, FRAME_HALVES } from './promises.mjs';
import { cppSources, jsSources, ROOT } from './sources.mjs';

const CACHE = fileURLToPath(new URL('.cache/model/', ROOT));
const ADDON = join(CACHE, 'addon');

/** The memory that Atomics and the addon's subjects currently access. */
let machine = null;

// The sources use `Atomics` as a free name. Mutations write plain accesses as `Plain.load(ring, i)`, because accesses
// of the form `ring[i]` cannot be intercepted.
const through = (order) => ({
  load(array, index) {
    const value = machine.load(array.byteOffset / 4 + index, order);
    return array instanceof Int32Array ? value | 0 : value;
  },
  store(array, index, value) {
    machine.store(array.byteOffset / 4 + index, value >>> 0, order);
  },
});
const RealAtomics = globalThis.Atomics;

function withMachine(now, act) {
  machine = now;
  globalThis.Atomics = through(Order.SEQ_CST);
  globalThis.Plain = through(Order.PLAIN);
  try {
    return act();
  } finally {
    globalThis.Atomics = RealAtomics;
  }
}

// Writes only changed files, so that make compiles only those.
function write(path, text) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Builds one addon of all C++ subjects: { id, text?, file?, tsan }. Returns a function from id to subject. */
export function buildCpp(subjects) {
  for (const file of ['addon.cc', 'atomics.h', 'subject.h', 'subject.inc', 'binding.gyp']) {
    write(join(ADDON, file), readFileSync(new URL(`cpp/${file}`, import.meta.url), 'utf8'));
  }
  const wanted = new Set();
  for (const { id, file, text, tsan } of subjects) {
    for (const [path, source] of cppSources) {
      write(join(ADDON, id, basename(path)), path === file ? text : source);
    }
    wanted.add(`subject-${id}.cc`);
    write(
      join(ADDON, `subject-${id}.cc`),
      `#define SUBJECT_NAME "${id}"
#define RING_WRITER "${id}/ring_writer.h"
#define RING_READER "${id}/ring_reader.h"
#define EPISCOPE_TSAN ${tsan ? 1 : 0}
#define episcope subject_${id}
#include "subject.inc"
`,
    );
  }
  for (const old of readdirSync(ADDON)) {
    if (/^subject-.*\.cc$/.test(old) && !wanted.has(old)) rmSync(join(ADDON, old));
  }
  const jobs = String(availableParallelism());
  const log = join(ADDON, 'build.log');
  const out = openSync(log, 'w');
  const arguments_ = ['node-gyp', 'configure', 'build', '-C', ADDON, '-j', jobs];
  const { status } = spawnSync('npx', arguments_, { stdio: ['ignore', out, out] });
  if (status !== 0) throw new Error(`the subjects do not compile: see ${log}`);
  const addon = createRequire(import.meta.url)(join(ADDON, 'build/Release/machine.node'));
  addon.connect(
    (cell, order) => machine.load(cell, order),
    (cell, value, order) => machine.store(cell, value, order),
    (order) => machine.fence(order),
  );
  const names = addon.names();
  return (id) => cppSubject(addon, names.indexOf(id));
}

function cppSubject(addon, index) {
  return {
    publish(memory, log, frames) {
      const ring = new Uint32Array(memory);
      if (!withMachine(log, () => addon.publish(index, ring, frames))) {
        throw new Error('the writer refused an empty ring');
      }
    },
    open(memory, view) {
      const ring = new Uint32Array(memory);
      const bound = withMachine(view, () => addon.bind(index, ring));
      const run = (act) => withMachine(view, act);
      let corrupt = !bound;
      // The reader reports corruption per call; one report is enough here.
      const judged = (result) => {
        corrupt ||= addon.corrupt(index);
        return result;
      };
      return {
        copyNext: (out, max) => (corrupt ? 0 : judged(run(() => addon.read(index, out, max)))),
        copyLatest: (out) => !corrupt && judged(run(() => addon.latest(index, out))),
        get missed() {
          return bound ? addon.missed(index) : 0;
        },
        get corrupt() {
          return corrupt;
        },
        get ended() {
          return bound && run(() => addon.ended(index));
        },
      };
    },
  };
}

/** Loads the modules of a TypeScript subject. */
async function modulesOf({ id, file, text }) {
  const at = join(CACHE, 'js', id);
  for (const [path, source] of jsSources) {
    const { outputText } = ts.transpileModule(path === file ? text : source, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    write(join(at, path.replace(/\.ts$/, '.js')), outputText);
  }
  const load = (path) => import(pathToFileURL(join(at, path)).href);
  const { createRing } = await load('src/ring/create.js');
  const { RingWriter } = await load('src/ring/writer.js');
  const { openAtomicSlots } = await load('src/ring/slot-reader.js');
  return { createRing, RingWriter, openAtomicSlots };
}

/** Builds a TypeScript subject: { id, text?, file? }. */
export async function buildJs(subject) {
  const { createRing, RingWriter, openAtomicSlots } = await modulesOf(subject);
  return {
    ringOf: ({ capacity, first }) =>
      createRing({ episodeId: 'model', pid: 1, startMonoNs: 0n, capacity, first }),
    publish(memory, log, frames) {
      withMachine(log, () => {
        const writer = new RingWriter(memory);
        const words = new BigUint64Array(FRAME_HALVES / 2);
        const halves = new Uint32Array(words.buffer);
        for (let seq = 0; seq < frames; seq++) {
          for (let half = 4; half < FRAME_HALVES; half++) halves[half] = derived(seq, half);
          writer.publish(words);
        }
        writer.end();
      });
    },
    open: (memory, view) => jsReader(openAtomicSlots, memory, view),
  };
}

function jsReader(openAtomicSlots, memory, view) {
  let corrupt = false;
  // The TypeScript reader throws where the native one sets a flag.
  const run = (act, otherwise) => {
    try {
      return withMachine(view, act);
    } catch (error) {
      if (error.code !== 'ERR_RING_CORRUPT') throw error;
      corrupt = true;
      return otherwise;
    }
  };
  const slots = run(() => openAtomicSlots(memory), null);
  return {
    copyNext: (out, max) => (corrupt ? 0 : run(() => slots.copyNext(out, max), 0)),
    copyLatest: (out) => !corrupt && run(() => slots.copyLatest(out), false),
    get missed() {
      return slots?.missed ?? 0;
    },
    get corrupt() {
      return corrupt;
    },
    get ended() {
      return !corrupt && run(() => slots.ended, false);
    },
  };
}
