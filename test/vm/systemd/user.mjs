/** The user without rights whose own systemd manager runs in this guest, and programs in their name. */
import { fileURLToPath } from 'node:url';
import { Program } from '../guest/workload.mjs';

export const TESTER = { uid: 1000, gid: 1000 };
export const RUNTIME_DIR = `/run/user/${TESTER.uid}`;
export const MANAGER = `/sys/fs/cgroup/user.slice/user-${TESTER.uid}.slice/user@${TESTER.uid}.service`;

const ENVIRONMENT = {
  PATH: process.env.PATH,
  HOME: '/home/tester',
  XDG_RUNTIME_DIR: RUNTIME_DIR,
};

/**
 * Starts a program as that user, in the cgroup of the tests. What it is told is all of its environment: nothing of
 * root's is inherited.
 */
export function programAsTester(t, command, args = [], { env, ...options } = {}) {
  return new Program(t, command, args, {
    cwd: ENVIRONMENT.HOME,
    env: { ...ENVIRONMENT, ...env },
    ...TESTER,
    ...options,
  });
}

/** Starts a script of this folder, by its name, under node as that user. */
export function asTester(t, script, args = [], options = {}) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return programAsTester(t, process.execPath, [path, ...args.map(String)], options);
}
