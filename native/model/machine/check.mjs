// Runs the ring's own code in the machine: every pair of writer and reader must keep its promises in every scene, and
// every mutation must break one.
import { MUTATIONS } from './mutations.mjs';
import { play, SCENES, Violation } from './promises.mjs';
import { buildCpp, buildJs } from './subjects.mjs';

// With two slots, two frames fill the ring and the third can tear. A fourth frame takes a hundred times as long.
const FRAMES = 4;
const FRAMES_OF_MUTATIONS = 3;

const inJs = ({ file }) => file.endsWith('.ts');
const mutations = MUTATIONS.map((mutation, i) => ({ ...mutation, id: `mutation_${i}` }));

/** Calls `report(what, failure | null, detail)` for each check. */
export async function checkMachine(report) {
  const cppOf = buildCpp([
    { id: 'real', tsan: false },
    { id: 'real_tsan', tsan: true },
    ...mutations.filter((mutation) => !inJs(mutation)),
  ]);
  const cpp = cppOf('real');
  const cppUnderTsan = cppOf('real_tsan');
  const js = await buildJs({ id: 'real' });
  const { ringOf } = js;

  for (const [name, writer, reader] of [
    ['C++ writer, C++ reader', cpp, cpp],
    ['C++ writer, JS reader', cpp, js],
    ['JS writer, C++ reader', js, cpp],
    ['JS writer, JS reader', js, js],
    ['C++ as it is under TSan', cppUnderTsan, cppUnderTsan],
  ]) {
    const { broken, executions, loads } = outcome([[writer, reader]], FRAMES, ringOf);
    const failure = broken === null ? null : `${broken}${shown(loads)}`;
    report(`machine: ${name}`, failure, `no violation (${executions} executions)`);
  }

  for (const mutation of mutations) {
    const mutant = inJs(mutation) ? await buildJs(mutation) : cppOf(mutation.id);
    const partners = mutation.tsan ? [cppUnderTsan] : [cpp, js];
    const pairs = [];
    for (const partner of partners) {
      if (mutation.side !== 'reader') pairs.push([mutant, partner]);
      if (mutation.side !== 'writer') pairs.push([partner, mutant]);
    }
    const { broken } = outcome(pairs, FRAMES_OF_MUTATIONS, ringOf);
    report(`machine: mutation ${mutation.name}`, ...verdict(mutation, broken));
  }
}

/** Formats the loads that led to a violation: cell (u32 word of the ring), memory_order and the value seen. */
function shown(loads) {
  return loads.map(({ cell, order, value }) => `\n       ${cell} (${order}): ${value}`).join('');
}

function verdict({ needless }, broken) {
  if (needless === undefined) {
    return broken === null ? ['NOT found', ''] : [null, `found (${broken})`];
  }
  return broken === null
    ? [null, `no violation, as it should: ${needless}`]
    : [`found (${broken}), though listed as needless`, ''];
}

/** Returns the first promise that a pair of writer and reader breaks, and the number of executions. */
function outcome(pairs, frames, ringOf) {
  let executions = 0;
  for (const [writer, reader] of pairs) {
    for (const scene of SCENES) {
      try {
        executions += play(scene, frames, ringOf, writer, reader);
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        return { broken: `${scene.name}: ${error.message}`, executions, loads: error.loads ?? [] };
      }
    }
  }
  return { broken: null, executions, loads: [] };
}
