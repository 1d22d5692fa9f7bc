/** Checks the schema for mistakes of its editors. */
import { BIG_BOUNDS, BOUNDS, TIMES } from './bounds.mjs';
import { LISTS, NUMBERS } from './enumerations.mjs';
import { METRICS, PARTS } from './metrics.mjs';
import { HEAD_WORDS, RING } from './ring.mjs';

/** The word VALID has one bit per word. */
const MAX_WORDS = 64;

/** Throws if two names in `file` are equal. */
function assertUnique(file, names) {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`schema/${file}: ${twice} is declared twice`);
}

/** Throws for the first invalid row. */
export function assertSchema() {
  const used = new Map(Object.entries(HEAD_WORDS).map(([name, word]) => [word, name]));
  const names = new Set();
  const parts = new Set([...PARTS.map(({ name }) => name), null]);
  for (const metric of METRICS) {
    const { name, key, part, word, unit } = metric;
    const refuse = (why) => {
      throw new Error(`schema/metrics.mjs: ${name} ${why}`);
    };
    if (used.has(word)) refuse(`uses word ${word}, which belongs to ${used.get(word)}`);
    if (!(word > 0 && word < Math.min(MAX_WORDS, RING.SLOT_BYTES / 8)))
      refuse(`has a word outside the slot: ${word}`);
    if (names.has(name) || names.has(key)) refuse('has a name or key that is already in use');
    if (!parts.has(part)) refuse(`has an unknown part: ${part}`);
    if (!['ns', 'bytes', 'count'].includes(unit)) refuse(`has an unknown unit: ${unit}`);
    if (unit !== 'count' && !name.endsWith(unit === 'ns' ? 'Ns' : 'Bytes'))
      refuse(`does not end with its unit, ${unit}`);
    used.set(word, name);
    names.add(name).add(key);
  }
  if (RING.SLOT_BYTES % 64 !== 0)
    throw new Error('schema/ring.mjs: the slot size is not a multiple of 64 bytes');
  if (METRICS.filter(({ wire }) => wire).length !== 7) {
    throw new Error('schema/metrics.mjs: the twelve-field form must have seven metrics');
  }
  assertUnique(
    'bounds.mjs',
    [...BOUNDS, ...BIG_BOUNDS, ...TIMES].map(({ name }) => name),
  );
  assertUnique(
    'enumerations.mjs',
    [...LISTS, ...NUMBERS].map(({ name }) => name),
  );
  for (const { values } of LISTS) {
    assertUnique(
      'enumerations.mjs',
      values.map((value) => String(value)),
    );
  }
}
