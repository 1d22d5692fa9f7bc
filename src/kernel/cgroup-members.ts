/** The processes in a cgroup and in the cgroups below it. */

import { MAX_CGROUP_DEPTH } from '../schema/bounds.js';
import { KeptFile, ReadStatus, type ReadStatusValue, readBuffer } from './kept-file.js';
import { beneath, close, fstat, listDirectory, openDirectory } from './syscall.js';
import { parsePids } from './text/pids.js';

/** As `CgroupReader.listMembers`; `procs` is the kept `cgroup.procs` of the directory. */
export function listCgroupMembers(dirfd: number, procs: KeptFile, pids: number[]): boolean {
  return walk(dirfd, procs, pids, MAX_CGROUP_DEPTH);
}

function walk(dirfd: number, procs: KeptFile, pids: number[], depth: number): boolean {
  let status = procs.read(dirfd);
  if (status === ReadStatus.DEAD) status = procs.read(dirfd);
  const listed = appendPids(status, pids);
  return walkChildren(dirfd, procs, pids, depth) && listed;
}

function appendPids(status: ReadStatusValue, pids: number[]): boolean {
  if (status === ReadStatus.TOO_LARGE) {
    // The last number may be truncated, and would be another pid.
    const lastLine = readBuffer.bytes.lastIndexOf(0x0a);
    parsePids(readBuffer.bytes, lastLine + 1, pids);
    return false;
  }
  return status === ReadStatus.OK && parsePids(readBuffer.bytes, readBuffer.size, pids);
}

function walkChildren(dirfd: number, procs: KeptFile, pids: number[], depth: number): boolean {
  const stats = fstat(dirfd);
  if (typeof stats === 'number') return false;
  // Its own entry and its `.`: no directory below, no need to list some sixty files.
  if (stats.nlink === 2n) return true;
  const entries = listDirectory(beneath(dirfd, '.'));
  if (typeof entries === 'number') return false;
  let whole = true;
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const fd = depth === 0 ? -1 : openDirectory(beneath(dirfd, entry.name));
    if (fd < 0) {
      whole = false;
      continue;
    }
    const childProcs = new KeptFile(procs.name);
    if (!walk(fd, childProcs, pids, depth - 1)) whole = false;
    childProcs.close();
    close(fd);
  }
  return whole;
}
