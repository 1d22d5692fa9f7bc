/**
 * Counts each byte of `io.stat` once. If block devices are stacked (LVM, LUKS, md, multipath), every layer that a write
 * passes reports it. The twin of `native/core/block_stack.cc`.
 */

import { saturatingAdd } from '../../frame/saturate.js';
import { ReadStatus, readBuffer, readOnce } from '../../kernel/kept-file.js';
import { listDirectory, mayExist } from '../../kernel/syscall.js';
import type { IoDevice } from '../../kernel/text/io-stat.js';
import { BLOCK_STACK_PERIOD_NS, MAX_BLOCK_DEPTH } from '../../schema/bounds.js';

interface Device {
  /** The same for all devices of one stack. */
  group: string;
  /** Whether it is built on other devices. */
  isStacked: boolean;
  /** Whether no other device is built on it. */
  isTop: boolean;
}

interface Group {
  readonly bottom: bigint[];
  readonly top: bigint[];
}

export class BlockStack {
  readonly #sys: string;
  #devices = new Map<string, Device>();
  #lookedNs: bigint | null = null;

  /** `sys` is the mount of sysfs. A device that is not found there counts on its own. */
  constructor(sys: string) {
    this.#sys = sys;
  }

  /**
   * Sums the devices at the bottom of each stack, which have no `slaves`. The top layer counts instead if the bottom
   * reports less (request-based multipath, or bios that are only remapped). Stores the sums in `values`.
   */
  sum(devices: readonly IoDevice[], nowNs: bigint, values: (bigint | null)[]): void {
    const last = this.#lookedNs;
    const known = devices.every(({ number }) => this.#devices.has(number));
    if (!known || last === null || nowNs - last >= BLOCK_STACK_PERIOD_NS) {
      this.#look(devices);
      this.#lookedNs = nowNs;
    }
    const groups = new Map<string, Group>();
    for (const { number, figures } of devices) {
      const { group: name, isStacked, isTop } = this.#devices.get(number)!;
      const group = groups.get(name) ?? {
        bottom: figures.map(() => 0n),
        top: figures.map(() => 0n),
      };
      groups.set(name, group);
      for (const [f, value] of figures.entries()) {
        if (!isStacked) group.bottom[f] = saturatingAdd(group.bottom[f]!, value);
        if (isTop) group.top[f] = saturatingAdd(group.top[f]!, value);
      }
    }
    values.fill(0n);
    for (const { bottom, top } of groups.values()) {
      for (let f = 0; f < values.length; f++) {
        const once = bottom[f]! > top[f]! ? bottom[f]! : top[f]!;
        values[f] = saturatingAdd(values[f] ?? 0n, once);
      }
    }
  }

  #look(devices: readonly IoDevice[]): void {
    this.#devices = new Map(
      devices.map(({ number }) => [number, { group: number, isStacked: false, isTop: true }]),
    );
    for (const [number, device] of this.#devices)
      this.#lookBeneath(number, device, MAX_BLOCK_DEPTH);
  }

  /** Also follows devices that `io.stat` does not list. */
  #lookBeneath(number: string, above: Device, depth: number): void {
    const slaves = `${this.#sys}/dev/block/${number}/slaves`;
    const names = depth === 0 || !mayExist(slaves) ? [] : listDirectory(slaves);
    if (typeof names === 'number') return;
    for (const { name } of names) {
      above.isStacked = true;
      const lower = diskOf(`${slaves}/${name}`);
      if (lower === null || lower === number) continue;
      const device = this.#devices.get(lower);
      if (device === undefined) {
        this.#lookBeneath(lower, above, depth - 1);
        continue;
      }
      device.isTop = false;
      const joined = device.group;
      for (const each of this.#devices.values()) {
        if (each.group === joined) each.group = above.group;
      }
    }
  }
}

/** Returns the disk of a partition, because `io.stat` lists whole disks only. */
function diskOf(slave: string): string | null {
  const isPartition = mayExist(`${slave}/partition`);
  const path = isPartition ? `${slave}/../dev` : `${slave}/dev`;
  if (readOnce(path) !== ReadStatus.OK) return null;
  const text = Buffer.from(readBuffer.bytes.buffer, 0, readBuffer.size).toString('latin1');
  return /^(\d+:\d+)\n?$/.exec(text)?.[1] ?? null;
}
