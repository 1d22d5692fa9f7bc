/** Everything that can start a command inside a cgroup. */
import {
  type Launcher,
  launchHelper,
  perlLauncher,
  SHELL_LAUNCHER,
} from '../../src/scope/index.js';

const found: [string, Launcher | null][] = [
  ['the helper', launchHelper()],
  ['perl', perlLauncher()],
  ['/bin/sh', SHELL_LAUNCHER],
];

for (const [name, launcher] of found) {
  if (launcher === null) console.log(`starting by ${name} is not tested: it is not there`);
}

export const LAUNCHERS: readonly [string, Launcher][] = found.flatMap(([name, launcher]) =>
  launcher === null ? [] : [[name, launcher]],
);
