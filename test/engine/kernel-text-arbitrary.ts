/** Kernel texts for the differential test: valid ones, and valid ones that were damaged. */
import fc from 'fast-check';
import type { KernelText } from '../support/kernel-texts.js';

/** Small numbers, those around 2^53 and 2^63, and far beyond. */
const digits = fc.oneof(
  { weight: 6, arbitrary: fc.nat().map(String) },
  { weight: 2, arbitrary: fc.bigInt({ min: 2n ** 53n - 20n, max: 2n ** 53n + 20n }).map(String) },
  { weight: 2, arbitrary: fc.bigInt({ min: 2n ** 63n - 20n, max: 2n ** 64n + 20n }).map(String) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 10n ** 40n }).map(String) },
  { weight: 1, arbitrary: fc.nat(40).map((zeros) => `${'0'.repeat(zeros)}7`) },
  // The kernel prints some numbers signed.
  { weight: 1, arbitrary: fc.bigInt({ min: -(2n ** 64n), max: -1n }).map(String) },
);

const word = fc.stringMatching(/^[a-z_.]{1,12}$/);

/** Some of the keys in any order, strangers among them. */
function keyed(keys: readonly string[], separator: string): fc.Arbitrary<string> {
  const key = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...keys) }, word);
  const line = fc.tuple(key, digits).map(([name, value]) => `${name}${separator}${value}\n`);
  const whole = fc
    .tuple(fc.shuffledSubarray([...keys], { minLength: keys.length }), fc.infiniteStream(digits))
    .map(([names, values]) =>
      names.map((name) => `${name}${separator}${values.next().value}\n`).join(''),
    );
  return fc.oneof(
    whole,
    fc.tuple(fc.array(line), whole).map((parts) => parts.flat().join('')),
    fc.array(line).map((lines) => lines.join('')),
  );
}

const pressureLine = fc
  .tuple(fc.constantFrom('some', 'full', 'none', 'some '), digits, fc.boolean())
  .map(([kind, total, last]) =>
    last
      ? `${kind} avg10=0.00 avg60=1.20 avg300=0.03 total=${total}\n`
      : `${kind} total=${total} avg10=0.00\n`,
  );

const device = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.nat(300), fc.nat(300)).map(([a, b]) => `${a}:${b}`) },
  fc.constant('(unknown)'),
  fc.constantFrom('sda', '8:', ':0', '8:0:0'),
);
const pair = fc
  .tuple(
    fc.constantFrom('rbytes', 'wbytes', 'rios', 'wios', 'dbytes', 'dios', 'cost.usage', 'rbytes2'),
    digits,
  )
  .map(([key, value]) => `${key}=${value}`);
const ioLine = fc
  .tuple(fc.array(device, { maxLength: 2 }), fc.array(pair, { maxLength: 6 }))
  .map(([devices, pairs]) => `${[...devices, ...pairs].join(' ')}\n`);

const comm = fc.oneof(word, fc.constantFrom('a) R 1', ')', '', 'x\n) S', '((('));
const procStat = fc
  .tuple(comm, fc.constantFrom('R', 'S', 'Z', 'X', 'SS', ''), fc.array(digits, { maxLength: 24 }))
  .map(([name, state, fields]) => `1 (${name}) ${[state, ...fields].join(' ')}\n`);
const procStatWhole = fc
  .tuple(comm, fc.array(digits, { minLength: 19, maxLength: 49 }))
  .map(([name, fields]) => `1 (${name}) S ${fields.join(' ')}\n`);

const VALID: Readonly<Record<KernelText, fc.Arbitrary<string>>> = {
  'cpu.stat': keyed(
    ['usage_usec', 'user_usec', 'system_usec', 'nr_throttled', 'throttled_usec'],
    ' ',
  ),
  'memory.current': digits.map((value) => `${value}\n`),
  'memory.stat': keyed(['anon', 'pgfault', 'pgmajfault', 'file', 'anon_thp'], ' '),
  'memory.events': keyed(['oom_kill', 'oom', 'oom_group_kill'], ' '),
  'io.stat': fc.array(ioLine).map((lines) => lines.join('')),
  pressure: fc.array(pressureLine, { maxLength: 4 }).map((lines) => lines.join('')),
  'cgroup.events': keyed(['populated', 'frozen'], ' '),
  'proc.stat': fc.oneof({ weight: 2, arbitrary: procStatWhole }, procStat),
  'proc.statm': fc.array(digits, { maxLength: 8 }).map((fields) => `${fields.join(' ')}\n`),
  'proc.io': keyed(
    ['rchar', 'wchar', 'syscr', 'syscw', 'read_bytes', 'write_bytes', 'cancelled_write_bytes'],
    ': ',
  ),
};

/** Bytes that mean something to one of the parsers, and some that mean nothing. */
const morsel = fc.oneof(
  fc.constantFrom(' ', '\n', '=', ':', ')', '(', '0', '9', '-', '\0', '\xff', '\t', '\r', ''),
  fc.constantFrom(' total=', '8:0', '(unknown)', 'some ', ': ', '\n\n', 'max', 'usage_usec'),
);

interface Damage {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.oneof({ weight: 5, arbitrary: fc.nat(2) }, fc.nat(60)),
  insert: morsel,
});

function damaged(text: string, damages: readonly Damage[]): string {
  let result = text;
  for (const { at, remove, insert } of damages) {
    const offset = Math.floor(at * result.length);
    result = result.slice(0, offset) + insert + result.slice(offset + remove);
  }
  return result;
}

/** A text of this kind, as valid or as damaged as chance wants it. */
export function kernelText(kind: KernelText): fc.Arbitrary<Uint8Array> {
  const damages = fc.oneof(fc.constant([]), fc.array(damage, { minLength: 1, maxLength: 4 }));
  return fc
    .tuple(VALID[kind], damages)
    .map(([text, list]) => Buffer.from(damaged(text, list), 'latin1'));
}
