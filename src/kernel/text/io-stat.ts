/**
 * `io.stat`: `252:0 rbytes=… wbytes=… rios=… wios=… dbytes=… dios=…`, one device per line, in any order. The
 * kernel prints lines with a device and no keys, several devices in a row, `(unknown)` as the device, dotted
 * keys (`cost.usage=`), and may truncate the last line.
 */

import { saturatingAdd } from '../../frame/saturate.js';
import { digits } from './digits.js';
import {
  ascii,
  fault,
  find,
  lineEnd,
  NEWLINE,
  type ParseFault,
  SPACE,
  startsWith,
  type TextParser,
} from './fault.js';

const UNKNOWN_DEVICE = ascii('(unknown)');
const EQUALS = 0x3d;
const COLON = 0x3a;

/** A device of `io.stat`: `MAJ:MIN`, and the value of each key. */
export interface IoDevice {
  readonly number: string;
  readonly figures: bigint[];
}

/** The parsers of `io.stat` for the given keys. */
export class IoStatParser {
  readonly #keys: readonly Uint8Array[];

  constructor(keys: readonly string[]) {
    this.#keys = keys.map(ascii);
  }

  /** → the sum of each key over the devices; an empty text is all zeros. */
  readonly sums: TextParser = (text, length, values) => {
    values.fill(0n);
    return parseDevices(this.#keys, text, length, () => values);
  };

  /** Appends the devices in the order of the text; a device may have no figures. */
  devices(text: Uint8Array, length: number, devices: IoDevice[]): ParseFault | null {
    return parseDevices(this.#keys, text, length, (start, end) => {
      const number = Buffer.from(text.buffer, text.byteOffset + start, end - start).toString(
        'latin1',
      );
      const figures = this.#keys.map(() => 0n);
      devices.push({ number, figures });
      return figures;
    });
  }
}

/** `beginDevice` returns the values to which the figures that follow are added. */
function parseDevices(
  keys: readonly Uint8Array[],
  text: Uint8Array,
  length: number,
  beginDevice: (start: number, end: number) => (bigint | null)[],
): ParseFault | null {
  let device: (bigint | null)[] | null = null;
  for (let at = 0; at < length; ) {
    const byte = text[at];
    if (byte === NEWLINE) device = null;
    if (byte === NEWLINE || byte === SPACE) {
      at++;
      continue;
    }
    const end = tokenEnd(text, at, length);
    const equals = find(text, EQUALS, at, end);
    if (equals === end) {
      if (!isDevice(text, at, end)) return fault(at, 'malformed device');
      device = beginDevice(at, end);
    } else {
      if (device === null) return fault(at, 'key before a device');
      const refused = addKey(keys, text, at, equals, end, device);
      if (refused !== null) return refused;
    }
    at = end;
  }
  return null;
}

function addKey(
  keys: readonly Uint8Array[],
  text: Uint8Array,
  start: number,
  equals: number,
  end: number,
  values: (bigint | null)[],
): ParseFault | null {
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (key.length !== equals - start || !startsWith(text, key, start, equals)) continue;
    if (!digits.scan(text, equals + 1, end)) return fault(digits.end, 'malformed number');
    values[i] = saturatingAdd(values[i] ?? 0n, digits.value);
    return null;
  }
  return null;
}

function isDevice(text: Uint8Array, start: number, end: number): boolean {
  const colon = find(text, COLON, start, end);
  if (digits.scan(text, start, colon) && digits.scan(text, colon + 1, end)) return true;
  return end - start === UNKNOWN_DEVICE.length && startsWith(text, UNKNOWN_DEVICE, start, end);
}

function tokenEnd(text: Uint8Array, start: number, length: number): number {
  return find(text, SPACE, start, lineEnd(text, start, length));
}
