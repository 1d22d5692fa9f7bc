import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FixtureProcess {
  readonly pid: number;
  ppid: number;
  starttime: number;
  state: string;
  comm: string;
  /** Ticks. */
  utime: number;
  stime: number;
  cutime: number;
  cstime: number;
  minflt: number;
  cminflt: number;
  majflt: number;
  cmajflt: number;
  threads: number;
  /** Pages. */
  resident: number;
  shared: number;
  readBytes: number;
  writeBytes: number;
  children: number[];
}

/** A directory that looks like procfs: `<pid>/{stat,statm,io,status,task/<pid>/children}`. */
export class FixtureProc {
  readonly root = mkdtempSync(join(tmpdir(), 'episcope-proc-'));

  process(pid: number, ppid: number, starttime: number): FixtureProcess {
    return {
      pid,
      ppid,
      starttime,
      state: 'S',
      comm: 'fixture',
      utime: 0,
      stime: 0,
      cutime: 0,
      cstime: 0,
      minflt: 0,
      cminflt: 0,
      majflt: 0,
      cmajflt: 0,
      threads: 1,
      resident: 0,
      shared: 0,
      readBytes: 0,
      writeBytes: 0,
      children: [],
    };
  }

  put(p: FixtureProcess): void {
    mkdirSync(this.path(p.pid, `task/${p.pid}`), { recursive: true });
    this.write(p.pid, 'stat', statText(p));
    this.write(p.pid, 'statm', `${p.resident + 7} ${p.resident} ${p.shared} 1 0 1 0\n`);
    this.write(
      p.pid,
      'io',
      `rchar: 1\nwchar: 1\nsyscr: 1\nsyscw: 1\nread_bytes: ${p.readBytes}\nwrite_bytes: ${p.writeBytes}\ncancelled_write_bytes: 0\n`,
    );
    this.write(p.pid, 'status', `Name:\t${p.comm}\nTgid:\t${p.pid}\nPid:\t${p.pid}\n`);
    // The first thread has ended: another one tells the memory.
    if (p.state === 'Z' && p.threads > 1) {
      this.makeThread(p.pid, p.pid + 1_000_000);
      this.write(
        p.pid,
        `task/${p.pid + 1_000_000}/statm`,
        `${p.threads + 7} ${p.threads} 1 1 0 1 0\n`,
      );
    }
    this.write(p.pid, `task/${p.pid}/children`, p.children.map((child) => `${child} `).join(''));
  }

  /** The directory of a thread, without files. */
  makeThread(pid: number, tid: number): void {
    mkdirSync(this.path(pid, `task/${tid}`), { recursive: true });
  }

  write(pid: number, name: string, text: string | Uint8Array): void {
    writeFileSync(this.path(pid, name), text);
  }

  /** A file, or the whole process: it is gone. */
  delete(pid: number, name = ''): void {
    rmSync(this.path(pid, name), { recursive: true, force: true });
  }

  path(pid: number, name: string): string {
    return join(this.root, String(pid), name);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

function statText(p: FixtureProcess): string {
  const fields = [
    p.state,
    p.ppid,
    1,
    1,
    0,
    -1,
    4194304,
    p.minflt,
    p.cminflt,
    p.majflt,
    p.cmajflt,
    p.utime,
    p.stime,
    p.cutime,
    p.cstime,
    20,
    0,
    p.threads,
    0,
    p.starttime,
    1,
    2,
  ];
  return `${p.pid} (${p.comm}) ${fields.join(' ')}\n`;
}
