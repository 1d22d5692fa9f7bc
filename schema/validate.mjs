/** What the schema must be, whoever edits it. */
import { BIG_BOUNDS, BOUNDS, TIMES } from './bounds.mjs';
import { LISTS, NUMBERS } from './enumerations.mjs';
import { METRICS, PARTS } from './metrics.mjs';
import { HEAD_WORDS, RING } from './ring.mjs';

/** Validity is one bit a word, in one u64 word. */
const MAX_WORDS = 64;

/** Throws where two of these names in `file` are the same. */
function assertUnique(file, names) {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`schema/${file}: ${twice} is there twice`);
}

/** Throws for the first row that is not right. */
export function assertSchema() {
  const used = new Map(Object.entries(HEAD_WORDS).map(([name, word]) => [word, name]));
  const names = new Set();
  const parts = new Set([...PARTS.map(({ name }) => name), null]);
  for (const metric of METRICS) {
    const { name, key, part, word, unit } = metric;
    const refuse = (why) => {
      throw new Error(`schema/metrics.mjs: ${name} ${why}`);
    };
    if (used.has(word)) refuse(`has the word ${word} of ${used.get(word)}`);
    if (!(word > 0 && word < Math.min(MAX_WORDS, RING.SLOT_BYTES / 8)))
      refuse(`has a word outside of the slot: ${word}`);
    if (names.has(name) || names.has(key)) refuse('has the name or the key of another');
    if (!parts.has(part)) refuse(`has an unknown part: ${part}`);
    if (!['ns', 'bytes', 'count'].includes(unit)) refuse(`has an unknown unit: ${unit}`);
    if (unit !== 'count' && !name.endsWith(unit === 'ns' ? 'Ns' : 'Bytes'))
      refuse(`does not end in its unit, ${unit}`);
    used.set(word, name);
    names.add(name).add(key);
  }
  if (RING.SLOT_BYTES % 64 !== 0)
    throw new Error('schema/ring.mjs: slots are not a multiple of 64 bytes');
  if (METRICS.filter(({ wire }) => wire).length !== 7) {
    throw new Error('schema/metrics.mjs: the twelve-field form has seven metrics');
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
