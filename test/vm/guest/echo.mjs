/** A process that answers, as long as it lives and is not frozen. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Program } from './workload.mjs';

export class Echo extends Program {
  constructor(t) {
    super(t, '/bin/sh', ['-c', 'while read line; do echo "$line"; done']);
  }

  async answers() {
    this.say('are you there');
    assert.equal(await this.line(), 'are you there');
  }

  /** Its `0::` path. */
  get cgroup() {
    return cgroupOf(this.pid);
  }
}

export function cgroupOf(pid) {
  return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))[1];
}
