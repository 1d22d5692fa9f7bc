import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory with the files of a cgroup of Linux 6.1, to be changed between two reads. */
export class FixtureCgroup {
  readonly root = mkdtempSync(join(tmpdir(), 'episcope-cgroup-'));
  readonly path: string;

  constructor(relative = 'episcope.slice/episode-fixture.scope') {
    this.path = join(this.root, relative);
    mkdirSync(this.path, { recursive: true });
    this.cpu({ usage: 100, user: 60, system: 40 });
    this.memory({ anon: 4096, current: 8192, peak: 16384 });
    this.io({ read: 512, write: 1024 });
    this.write('memory.events', 'low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n');
    this.write('pids.current', '3\n');
    this.write('cgroup.events', 'populated 1\nfrozen 0\n');
    this.write('cgroup.procs', '');
    this.write('cgroup.controllers', 'cpu io memory pids\n');
  }

  write(name: string, text: string | Uint8Array): void {
    writeFileSync(join(this.path, name), text);
  }

  delete(name: string): void {
    rmSync(join(this.path, name), { force: true });
  }

  /** Times in µs, as in the kernel's file. */
  cpu({ usage, user, system }: { usage: number | bigint; user: number; system: number }): void {
    this.write(
      'cpu.stat',
      `usage_usec ${usage}\nuser_usec ${user}\nsystem_usec ${system}\nnr_periods 10\nnr_throttled 2\nthrottled_usec 5\n`,
    );
  }

  memory({ anon, current, peak }: { anon: number; current: number; peak: number }): void {
    this.write('memory.current', `${current}\n`);
    this.write('memory.peak', `${peak}\n`);
    this.write('memory.stat', `anon ${anon}\nfile 0\npgfault 30\npgmajfault 7\n`);
  }

  io({ read, write }: { read: number; write: number }): void {
    this.write('io.stat', `254:0 rbytes=${read} wbytes=${write} rios=3 wios=4 dbytes=0 dios=0\n`);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
