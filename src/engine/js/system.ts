/** System constants that the kernel passes to every process at its start: clock ticks and the page size. */
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';

const AT_PAGESZ = 6;
const AT_CLKTCK = 17;

const WIDE_ARCHITECTURES = new Set(['x64', 'arm64', 'ppc64', 's390x', 'riscv64', 'loong64']);

/** Reads the auxiliary vector: pairs of key and value, each a machine word. */
function auxiliaryVector(): Map<number, number> {
  const entries = new Map<number, number>();
  let bytes: Buffer;
  try {
    bytes = readFileSync('/proc/self/auxv');
  } catch {
    return entries;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = endianness() === 'LE';
  const width = WIDE_ARCHITECTURES.has(process.arch) ? 8 : 4;
  const word = (at: number): number =>
    width === 8 ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
  for (let at = 0; at + 2 * width <= bytes.length; at += 2 * width) {
    entries.set(word(at), word(at + width));
  }
  return entries;
}

export interface SystemFacts {
  /** Length of a clock tick (`sysconf(_SC_CLK_TCK)`) in ns, usually 10,000,000. */
  readonly nsPerTick: bigint;
  /** `sysconf(_SC_PAGESIZE)`. */
  readonly pageBytes: bigint;
}

let facts: SystemFacts | undefined;

/** Read once from `/proc/self/auxv`. If that fails, the values of nearly every system are assumed. */
export function systemFacts(): SystemFacts {
  if (facts === undefined) {
    const vector = auxiliaryVector();
    facts = {
      nsPerTick: 1_000_000_000n / BigInt(vector.get(AT_CLKTCK) || 100),
      pageBytes: BigInt(vector.get(AT_PAGESZ) || 4096),
    };
  }
  return facts;
}
