/** Generates native/core/schema.h. */
import { BIG_BOUNDS, BOUNDS, TIMES } from './bounds.mjs';
import { LISTS, NUMBERS } from './enumerations.mjs';
import { METRICS, PARTS } from './metrics.mjs';
import { cppConstant, upperSnake, wordName, wrapped } from './names.mjs';
import { HEAD_WORDS, MAX_SLOT_BYTES, RING, NUMBERS as RING_NUMBERS } from './ring.mjs';

const doc = (text, indent = '') => wrapped(text, `${indent}/// `, 100);
const constant = (name, value, type = 'uint32_t') =>
  `inline constexpr ${type} ${cppConstant(name)} = ${value};`;
const namespace = (name, lines) =>
  `namespace ${name} {\n${lines.join('\n')}\n}  // namespace ${name}`;
const hex = (value) => `0x${value.toString(16)}`;

const words = Object.fromEntries(METRICS.map((metric) => [wordName(metric), metric.word]));

/** Formats words as a mask of `word::kValid`, a few names per line. */
function mask(metrics) {
  if (metrics.length === 0) return '0';
  return metrics
    .map((metric) => `bit(word::${cppConstant(wordName(metric))})`)
    .join(' |\n        ');
}

function numbers({ cpp, doc: text, values, docs = {} }) {
  const lines = Object.entries(values).flatMap(([name, value]) => [
    ...(docs[name] ? [doc(docs[name])] : []),
    constant(name, value),
  ]);
  return `${doc(text)}\n${namespace(cpp, lines)}`;
}

function list({ type, cpp, none, values, doc: text }) {
  const names = values.map((value) =>
    typeof value === 'string' ? [value, upperSnake(value)] : value,
  );
  const first = none ? 1 : 0;
  if (cpp) {
    const lines = names.map(([, name], i) => constant(name, i));
    lines.push(constant('COUNT', names.length), nameArray('kNames', names));
    return `${doc(text)}\n${namespace(cpp, lines)}`;
  }
  const lines = names.map(([, name], i) => `  ${cppConstant(name)} = ${i + first},`);
  if (none) lines.unshift('  kNone = 0,');
  const all = none ? [[''], ...names] : names;
  return `${doc(text)}\nenum class ${type} : uint32_t {\n${lines.join('\n')}\n};\n${nameArray(`k${type}Names`, all)}`;
}

/** Generates an array of the TypeScript names, by index. */
function nameArray(cpp, names) {
  const lines = names.map(([value]) => `    "${value}",`);
  return `inline constexpr const char* ${cpp}[] = {\n${lines.join('\n')}\n};`;
}

function parts() {
  const lines = PARTS.flatMap(({ name, doc: text }, i) => [
    doc(text),
    constant(upperSnake(name), 1 << i),
  ]);
  lines.push(constant('ALL', (1 << PARTS.length) - 1), constant('COUNT', PARTS.length));
  const ofPart = (name) => METRICS.filter(({ part }) => part === name);
  const byPart = (select) =>
    PARTS.map(({ name }) => `    ${mask(ofPart(name).filter(select))},`).join('\n');
  lines.push(
    '',
    '/// Indices of the parts.',
    ...PARTS.map(({ name }, i) => constant(`${upperSnake(name)}_INDEX`, i)),
    '',
    'constexpr uint64_t bit(uint32_t w) { return uint64_t{1} << w; }',
    '',
    '/// The words of each part, by index, as bits of word::kValid.',
    `inline constexpr uint64_t kWords[kCount] = {\n${byPart(() => true)}\n};`,
    '/// The words of each part that never decrease.',
    `inline constexpr uint64_t kCounters[kCount] = {\n${byPart(({ kind }) => kind === 'counter')}\n};`,
    '/// The words of each part that /proc provides too.',
    `inline constexpr uint64_t kProcWords[kCount] = {\n${byPart(({ proc }) => proc !== undefined)}\n};`,
  );
  return `${doc('The parts of a reading, as bits. A read takes the set of requested parts and returns the set of available ones.')}\n${namespace('part', lines)}`;
}

export function cppHeader() {
  const resources = LISTS.find(({ name }) => name === 'RESOURCES').values.length;
  return `${[
    '// Generated from schema/ by `npm run schema`: do not edit. What both languages share;\n// src/schema/ is the other half.\n#pragma once\n\n#include <cstdint>\n\nnamespace episcope {',
    Object.entries(RING)
      .map(([name, value]) => constant(`RING_${name}`, name === 'MAGIC' ? hex(value) : value))
      .join('\n'),
    `${doc('Number of words of a frame. A slot can have room for more words, which are neither written nor read.')}\n${constant('FRAME_WORDS', Math.max(...Object.values(words)) + 1)}`,
    `${doc('Number of words of a slot as this release writes it, and the maximum slot size that a reader accepts.')}\n${constant('RING_SLOT_WORDS', RING.SLOT_BYTES / 8)}\n${constant('MAX_RING_SLOT_BYTES', MAX_SLOT_BYTES)}`,
    ...RING_NUMBERS.map(numbers),
    `${doc('Words of a slot. Bit w of the word kValid is set if word w holds a value; the word of an absent metric is 0.')}\n${namespace(
      'word',
      Object.entries({ ...HEAD_WORDS, ...words }).map(([name, value]) => constant(name, value)),
    )}`,
    parts(),
    ...LISTS.map(list),
    ...NUMBERS.map(numbers),
    `${doc('Indices of the u64 words in the shared memory of a budget.')}\n${namespace(
      'budget_word',
      [
        constant('MAGIC', 0),
        constant('DEFERRED', 1),
        constant('LIMITS', 2),
        constant('CONSUMED', 2 + resources),
        constant('WORDS', 2 + 2 * resources),
      ],
    )}`,
    [...BIG_BOUNDS.map((each) => ({ ...each, type: 'uint64_t' })), ...BOUNDS]
      .map(
        ({ name, value, doc: text, type }) =>
          `${doc(text)}\n${constant(name, typeof value === 'bigint' ? hex(value) : value, type)}`,
      )
      .join('\n'),
    TIMES.map(
      ({ name, value, doc: text }) => `${doc(text)}\n${constant(name, value, 'uint64_t')}`,
    ).join('\n'),
    '}  // namespace episcope',
  ].join('\n\n')}\n`;
}
