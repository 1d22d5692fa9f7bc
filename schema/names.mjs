/** Converts names of the schema to the conventions of each language. */

/** `HIGH_FREQUENCY` → `kHighFrequency`. */
export function cppConstant(upper) {
  return `k${upper
    .split('_')
    .map((word) => word[0] + word.slice(1).toLowerCase())
    .join('')}`;
}

/** `cpuMs` or `not-regular` → `CPU_MS`, `NOT_REGULAR`. */
export function upperSnake(text) {
  return text
    .replace(/^ERR_/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
}

/** Returns the name of a metric's word: `PRESSURE_CPU_SOME_NS` for `pressure.cpuSomeNs`. */
export function wordName({ name, pressure }) {
  return `${pressure ? 'PRESSURE_' : ''}${upperSnake(name)}`;
}

/** Wraps a comment into lines of at most `width` characters, each starting with `prefix`. */
export function wrapped(text, prefix, width) {
  const lines = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && prefix.length + line.length + 1 + word.length > width) {
      lines.push(prefix + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(prefix + line);
  return lines.join('\n');
}
