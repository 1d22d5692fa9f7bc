/** Generates src/schema/*.ts. */
import { BIG_BOUNDS, BOUNDS, TIMES } from './bounds.mjs';
import { LISTS, NUMBERS } from './enumerations.mjs';
import { METRICS, PARTS } from './metrics.mjs';
import { upperSnake, wordName, wrapped } from './names.mjs';
import { HEAD_WORDS, MAX_SLOT_BYTES, RING, NUMBERS as RING_NUMBERS } from './ring.mjs';

const HEAD = '// Generated from schema/ by `npm run schema`: do not edit.\n';
const METRIC_FIELDS = METRICS.filter(({ pressure }) => !pressure);
const PRESSURE_FIELDS = METRICS.filter(({ pressure }) => pressure);
/** The stats classes and the parts whose figures they hold. */
const STATS = [
  ['Cpu', 'cpu'],
  ['Memory', 'memory'],
  ['Io', 'io'],
];

function doc(text, indent = '') {
  const line = `${indent}/** ${text} */`;
  if (line.length <= 120) return line;
  return `${indent}/**\n${wrapped(text, `${indent} * `, 120)}\n${indent} */`;
}

/** Returns the docstring of a metric: its meaning, unit and kernel file. */
function metricDoc({ doc: text, unit, file, fileKey }) {
  const from = file === '' ? '' : ` (\`${file}\`${fileKey === '' ? '' : ` \`${fileKey}\``})`;
  return `${text} ${unit === 'count' ? 'A count' : unit === 'ns' ? 'ns' : 'Bytes'}${from}.`;
}

function numbers({ name, doc: text, values, docs = {} }) {
  const lines = Object.entries(values).flatMap(([key, value]) => [
    ...(docs[key] ? [doc(docs[key], '  ')] : []),
    `  ${key}: ${value},`,
  ]);
  return `${doc(text)}\nexport const ${name} = {\n${lines.join('\n')}\n} as const;`;
}

const joined = (parts) => `${parts.join('\n\n')}\n`;
const constant = (name, value) =>
  `export const ${name} = ${typeof value === 'bigint' ? `${value}n` : value};`;

export function layout() {
  const words = Object.fromEntries(METRICS.map((metric) => [wordName(metric), metric.word]));
  return joined([
    `${HEAD}
/**
 * Ring layout v${RING.VERSION}: the shared memory of a ring, for writers and readers of both engines.
 *
 * \`\`\`text
 * byte 0      header, ${RING.HEADER_BYTES} bytes
 *        0    magic u32 · version u32 · header bytes u32 · slot bytes u32 (a multiple of 64)
 *       16    capacity u32 (frames a reader can see) · slots u32 (a power of two ≥ capacity, ≥ 2)
 *       24    first u32 (index of the first frame; 0 except in tests of the wrap) · pid u32
 *       32    start of the session, CLOCK_MONOTONIC ns, u64
 *       40    length of the episode id u32 · sample period u32 (ms; 0: frames are taken manually)
 *       48    episode id: 128 bytes of ASCII
 *      176    writer u32: 0 JavaScript, 1 native (which can wake a reader that has the addon)
 *      192    head u32: index of the next frame, modulo 2^32 · state u32: 0 open, 1 ended
 *      200    deadlines missed u32: sample periods that passed without a sample
 * byte ${RING.HEADER_BYTES}    slot 0: u64 words
 *             word 0   stamp u32 (low half) · unused u32
 *             word 1…  the frame
 *             …        words that no metric uses: neither written nor read
 * \`\`\`
 *
 * Frame \`i\` (0, 1, 2, … modulo 2^32) is in slot \`i & (slots − 1)\`. Its stamp is \`2i + 1\` while it is being written and
 * \`2i + 2\` when it is done, both modulo 2^32; stamps and head are u32 on both sides because atomics of unequal width
 * do not synchronize in ECMAScript's memory model.
 */`,
    Object.entries(RING)
      .map(([name, value]) => constant(`RING_${name}`, value))
      .join('\n'),
    `${doc('Number of words of a frame. A slot can have room for more words, which are neither written nor read.')}\n${constant('FRAME_WORDS', Math.max(...Object.values(words)) + 1)}`,
    `${doc('Number of words of a slot as this release writes it, and the maximum slot size that a reader accepts.')}\n${constant('RING_SLOT_WORDS', RING.SLOT_BYTES / 8)}\n${constant('MAX_RING_SLOT_BYTES', MAX_SLOT_BYTES)}`,
    ...RING_NUMBERS.map(numbers),
    numbers({
      name: 'FrameWord',
      doc: 'Words of a slot. Bit `w` of the word `VALID` is set if word `w` holds a value; the word of an absent metric is 0.',
      values: { ...HEAD_WORDS, ...words },
    }),
  ]);
}

export function enumerations() {
  const resources = LISTS.find(({ name }) => name === 'RESOURCES').values.length;
  const lists = LISTS.map(({ name, type, none, values, doc: text }) => {
    const texts = values.map((value) => (typeof value === 'string' ? value : value[0]));
    const entries = (none ? ['', ...texts] : texts).map((each) => `  '${each}',`);
    const union = `(typeof ${name})[number]`;
    return `${doc(text)}\nexport const ${name} = [\n${entries.join('\n')}\n] as const;\nexport type ${type} = ${none ? `Exclude<${union}, ''>` : union};`;
  });
  const partBits = Object.fromEntries(PARTS.map(({ name }, i) => [upperSnake(name), 1 << i]));
  return joined([
    HEAD.trimEnd(),
    numbers({
      name: 'PartBit',
      doc: 'The parts of a reading, as bits. A read takes the set of requested parts and returns the set of available ones.',
      values: { ...partBits, ALL: (1 << PARTS.length) - 1 },
      docs: Object.fromEntries(PARTS.map(({ name, doc: text }) => [upperSnake(name), text])),
    }),
    `${numbers({
      name: 'PartIndex',
      doc: 'Index of a part.',
      values: Object.fromEntries(PARTS.map(({ name }, i) => [upperSnake(name), i])),
    })}\nexport type PartIndexValue = (typeof PartIndex)[keyof typeof PartIndex];`,
    ...lists,
    ...NUMBERS.map(numbers),
    numbers({
      name: 'BudgetWord',
      doc: 'Indices of the u64 words in the shared memory of a budget.',
      values: {
        MAGIC: 0,
        DEFERRED: 1,
        LIMITS: 2,
        CONSUMED: 2 + resources,
        WORDS: 2 + 2 * resources,
      },
    }),
  ]);
}

export function bounds() {
  const line = ({ name, value, doc: text }) => `${doc(text)}\n${constant(name, value)}`;
  return joined([HEAD.trimEnd(), ...[...BOUNDS, ...BIG_BOUNDS, ...TIMES].map(line)]);
}

function interfaceOf(name, text, fields) {
  const lines = fields.flatMap((metric) => [
    doc(metricDoc(metric), '  '),
    `  readonly ${metric.name}: N | null;`,
  ]);
  return `${doc(text)}\nexport interface ${name}<N extends number | bigint = number> {\n${lines.join('\n')}\n}`;
}

function rowOf({ name, key, word, part, unit, kind, wire = false }) {
  const source = PARTS.slice(0, 3).some((each) => each.name === part) ? `'${part}'` : 'null';
  return `  { name: '${name}', key: '${key}', word: ${word}, part: ${source}, unit: '${unit}', kind: '${kind}', wire: ${wire} },`;
}

export function metrics() {
  const wordList = (select) =>
    PARTS.map(
      ({ name }) =>
        `  [${METRICS.filter((metric) => metric.part === name && select(metric))
          .map(({ word }) => word)
          .join(', ')}],`,
    ).join('\n');
  const maskOf = (name, high) =>
    METRICS.filter(({ part, word }) => part === name && word >= 32 === high).reduce(
      (mask, { word }) => mask | (1 << (word & 31)),
      0,
    ) >>> 0;
  return (
    joined([HEAD.trimEnd(), doc('The parts of a frame that have their own source.')]).trimEnd() +
    `\nexport const FRAME_PARTS = ['cpu', 'memory', 'io'] as const;\nexport type FramePart = (typeof FRAME_PARTS)[number];\n\n` +
    joined([
      interfaceOf(
        'FramePressure',
        'Pressure totals (PSI) in ns; an absent one is null.',
        PRESSURE_FIELDS,
      ),
      interfaceOf(
        'FrameMetrics',
        'The metrics that are properties of a frame itself; an absent one is null.',
        METRIC_FIELDS,
      ),
      'export type MetricName = keyof FrameMetrics;\nexport type PressureName = keyof FramePressure;',
      `${doc('The metrics of the twelve-field JSON form, by their keys.')}\nexport interface WireMetrics {\n${METRICS.filter(
        ({ wire }) => wire,
      )
        .map(({ key }) => `  ${key}: number;`)
        .join('\n')}\n}`,
      `${doc('A metric: its property, its JSON key, its word in a slot, and the part that it belongs to.')}\nexport interface MetricRow<Name extends string> {\n  readonly name: Name;\n  readonly key: string;\n  readonly word: number;\n  readonly part: FramePart | null;\n  readonly unit: 'ns' | 'bytes' | 'count';\n  readonly kind: 'counter' | 'gauge' | 'peak';\n  /** Belongs to the twelve-field JSON form. */\n  readonly wire: boolean;\n}`,
      `export const METRICS: readonly MetricRow<MetricName>[] = [\n${METRIC_FIELDS.map(rowOf).join('\n')}\n];`,
      `export const PRESSURE_METRICS: readonly MetricRow<PressureName>[] = [\n${PRESSURE_FIELDS.map(rowOf).join('\n')}\n];`,
      `${doc('One value per part, indexed by `PartIndex`.')}\nexport type PerPart<T> = readonly [${PARTS.map(({ name }) => `${name}: T`).join(', ')}];`,
      `${doc('The words of each part.')}\nexport const PART_WORDS: PerPart<readonly number[]> = [\n${wordList(() => true)}\n];`,
      `${doc('The words of each part that never decrease.')}\nexport const PART_COUNTERS: PerPart<readonly number[]> = [\n${wordList(({ kind }) => kind === 'counter')}\n];`,
      `${doc('The words of each part that /proc provides too.')}\nexport const PROC_WORDS: PerPart<readonly number[]> = [\n${wordList(({ proc }) => proc !== undefined)}\n];`,
      `${doc('The bits of `FrameWord.VALID` that belong to each part, as low and high half.')}\nexport const PART_VALID: { readonly [P in FramePart]: readonly [low: number, high: number] } = {\n${PARTS.slice(
        0,
        3,
      )
        .map(({ name }) => `  ${name}: [${maskOf(name, false)}, ${maskOf(name, true)}],`)
        .join('\n')}\n};`,
    ])
  );
}

export function frameValues() {
  const value = ({ word }) =>
    `${word < 32 ? 'low' : 'high'} & ${1 << (word & 31)} ? read(halves, ${word}) : null`;
  const high = METRICS.some(({ word }) => word >= 32) ? 'high' : '_high';
  return joined([
    `${HEAD}import type { FrameMetrics, FramePressure, MetricName } from './metrics.js';`,
    `/** The values of a frame. */
export interface FrameFigures<N extends number | bigint = number> extends FrameMetrics<N> {
  readonly pressure: FramePressure<N>;
}`,
    `/** Decodes the values of a slot, given as the u32 halves of its words (low first) and of its word \`VALID\`. */
export function figuresOfWords<N extends number | bigint>(
  halves: Uint32Array,
  low: number,
  ${high}: number,
  read: (halves: Uint32Array, word: number) => N,
): FrameFigures<N> {
  return {
${METRIC_FIELDS.map((metric) => `    ${metric.name}: ${value(metric)},`).join('\n')}
    pressure: {
${PRESSURE_FIELDS.map((metric) => `      ${metric.name}: ${value(metric)},`).join('\n')}
    },
  };
}`,
    `/** The properties of a frame, one per metric. */
export abstract class FrameValues<N extends number | bigint = number> implements FrameFigures<N> {
${METRIC_FIELDS.map((metric) => `${doc(metricDoc(metric), '  ')}\n  readonly ${metric.name}: N | null;`).join('\n')}
  /** Pressure totals (PSI), ns. */
  readonly pressure: FramePressure<N>;

  protected constructor(figures: FrameFigures<N>) {
${METRIC_FIELDS.map(({ name }) => `    this.${name} = figures.${name};`).join('\n')}
    this.pressure = Object.freeze(figures.pressure);
  }
}`,
    `/** The setters of a builder, one per metric; null makes the metric absent. */
export abstract class MetricSetters {
  protected abstract set(name: MetricName, value: number | bigint | null): this;

${METRIC_FIELDS.map((metric) => `${doc(metricDoc(metric), '  ')}\n  ${metric.name}(${metric.unit === 'ns' ? 'ns' : metric.unit}: number | bigint | null): this {\n    return this.set('${metric.name}', ${metric.unit});\n  }`).join('\n\n')}
}`,
  ]);
}

export function statsValues() {
  const classes = STATS.map(([name, part]) => {
    const fields = METRICS.filter((metric) => metric.part === part && metric.stats);
    const upper = upperSnake(name);
    return `/** The properties of \`${name}Stats\` and their metrics. */
export const ${upper}_FIELDS = [
${fields.map(({ stats, name: metric, word }) => `  { stat: '${stats}', metric: '${metric}', word: ${word} },`).join('\n')}
] as const;

/** Omitted values are absent. */
export interface ${name}StatsValues<N extends number | bigint = number> {
${fields.map(({ stats }) => `  readonly ${stats}?: N | null | undefined;`).join('\n')}
}

export abstract class ${name}Figures<N extends number | bigint = number> {
${fields.map((metric) => `${doc(metricDoc(metric), '  ')}\n  readonly ${metric.stats}: N | null;`).join('\n')}

  protected constructor(values: { readonly [K in keyof ${name}StatsValues]-?: N | null }) {
${fields.map(({ stats }) => `    this.${stats} = values.${stats};`).join('\n')}
  }
}`;
  });
  return joined([HEAD.trimEnd(), ...classes]);
}
