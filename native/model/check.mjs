// Runs all proofs. Prints one line per check and a summary in the format of ctest.
import { checkMachine } from './machine/check.mjs';
import { checkSpin } from './spin.mjs';

const started = performance.now();
let passed = 0;
const failed = [];

function report(what, failure, detail) {
  if (failure === null) passed++;
  else failed.push(what);
  console.log(failure === null ? `ok   ${what}: ${detail}` : `FAIL ${what}: ${failure}`);
}

checkSpin(report);
await checkMachine(report);

const total = passed + failed.length;
console.log(`
${Math.floor((100 * passed) / total)}% tests passed, ${failed.length} tests failed out of ${total}
Total Test time (real) = ${((performance.now() - started) / 1000).toFixed(2)} sec`);
process.exitCode = failed.length === 0 ? 0 : 1;
