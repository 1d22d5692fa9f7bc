/**
 * The launchers, which enter the cgroup and then become the command, with the same pid: `episcope-exec`, built with the
 * addon; without the addon, a script for perl, which can set close-on-exec and report an errno; without perl, a script
 * for `/bin/sh`, which cannot start every command exactly as asked, and refuses those before anything is started.
 *
 * All three write the same to the line: "ready\n" when they wait, "<stage> <errno>\n" when they fail; it closes when
 * the command's image runs.
 */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { loadAddon, packageRoot } from '../addon/load.js';
import { TelemetryError } from '../error/index.js';

export interface Launcher {
  readonly kind: 'helper' | 'perl' | 'sh';
  readonly path: string;
}

/** The command to launch, and the descriptors of the child that the launcher uses. */
export interface LaunchCall {
  readonly command: string;
  readonly args: readonly string[];
  /** The environment of the command. */
  readonly env: NodeJS.ProcessEnv;
  /** Our line to the launcher. */
  readonly control: number;
  readonly held: boolean;
  /** Descriptor of the `cgroup.procs` to enter; null: none. */
  readonly procs: number | null;
}

/** How a launcher is started. */
export interface LauncherStart {
  readonly file: string;
  readonly args: readonly string[];
  /** The environment of the launcher itself. */
  readonly env: NodeJS.ProcessEnv;
  /** Sent on the line immediately; '' for nothing. */
  readonly first: string;
}

/** The helper that was built with the addon, or null: without the addon nothing native is used. */
export function launchHelper(): Launcher | null {
  if (loadAddon().addon === null) return null;
  return ifExecutable('helper', join(packageRoot, 'build', 'Release', 'episcope-exec'));
}

/** Only from where systems install it: a `perl` in a user's PATH may be anything. */
export function perlLauncher(): Launcher | null {
  return ifExecutable('perl', '/usr/bin/perl') ?? ifExecutable('perl', '/usr/local/bin/perl');
}

export const SHELL_LAUNCHER: Launcher = { kind: 'sh', path: '/bin/sh' };

export function bestLauncher(): Launcher {
  return launchHelper() ?? perlLauncher() ?? SHELL_LAUNCHER;
}

function ifExecutable(kind: Launcher['kind'], path: string): Launcher | null {
  try {
    accessSync(path, constants.X_OK);
    return { kind, path };
  } catch {
    return null;
  }
}

/** Throws `ERR_SPAWN_FAILED` if this launcher cannot start the command exactly as asked. */
export function launcherStart(launcher: Launcher, call: LaunchCall): LauncherStart {
  const { command, args, control, held, procs } = call;
  const numbers = [control, held ? control : '-', procs ?? '-'].map(String);
  const all = [...numbers, command, ...args];
  switch (launcher.kind) {
    case 'helper':
      return { file: launcher.path, args: all, env: call.env, first: '' };
    case 'perl': {
      const block = environmentBlock(call.env);
      return {
        file: launcher.path,
        args: ['-e', PERL_SCRIPT, '--', ...all],
        // The command's variables (PERL5OPT, LD_PRELOAD, a missing locale) must not affect perl itself.
        env: { LC_ALL: 'C' },
        first: `${Buffer.byteLength(block)}\n${block}`,
      };
    }
    case 'sh':
      return shellStart(launcher.path, call, all);
  }
}

/** As Node passes it to a child: NAME=VALUE, each terminated by a NUL. */
function environmentBlock(env: NodeJS.ProcessEnv): string {
  const entries = Object.entries(withInherited(env));
  return entries.map(([name, value]) => `${name}=${value}\0`).join('');
}

/** Node also passes on the names that `env` inherits. */
function withInherited(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const all: NodeJS.ProcessEnv = {};
  for (const name in env) if (env[name] !== undefined) all[name] = env[name];
  return all;
}

/**
 * The environment arrives on the line, because any user who may list processes could read it in the arguments.
 * Descriptors above 2 that perl opens are closed at the exec.
 */
const PERL_SCRIPT = `
my ($control, $gate, $procs_fd) = splice @ARGV, 0, 3;
open(my $line, '+<&=', $control) or exit 125;
sub fail {
  my $errno = $! + 0;
  syswrite $line, "$_[0] $errno\\n";
  exit($_[0] eq 'exec' && $errno == 2 ? 127 : 126);
}
sub more {
  my $got;
  do { $got = sysread $line, $_[0], $_[1], length $_[0] } while !defined $got && $! == 4;
  exit 125 unless $got;
}
my ($size, $block, $go) = ('', '', '');
more($size, 1) until $size =~ /\\n/;
more($block, $size - length $block) while length $block < $size;
if ($procs_fd ne '-') {
  open(my $procs, '>&=', $procs_fd) or fail('cgroup');
  defined syswrite($procs, '0') or fail('cgroup');
}
if ($gate ne '-') {
  syswrite($line, "ready\\n") or exit 125;
  more($go, 1);
}
# What Node adds for itself (NODE_CHANNEL_FD) is there already.
delete $ENV{LC_ALL};
/\\A([^=]+)=(.*)\\z/s and $ENV{$1} = $2 for split /\\0/, $block;
exec { $ARGV[0] } @ARGV;
fail('exec');
`;

/**
 * During the redirection of the braces, the shell keeps its line at a descriptor that is closed at an exec. If the exec
 * fails, the shell ends, and its trap reports so on the restored line; bash continues instead.
 */
const SHELL_SCRIPT = `episcope_env=$1 episcope_gate=$3
if [ "$4" != - ]; then
  { echo 0 >&"$4"; } 2>/dev/null || { echo cgroup 0 >&"$2"; exit 126; }
  eval "exec $4>&-"
fi
if [ "$3" != - ]; then
  echo ready >&"$2" || exit 125
  read -r episcope_go <&"$2" || exit 125
fi
episcope_failed() {
  case $1 in 127) echo exec 2 ;; *) echo exec 13 ;; esac
  exit "$1"
}
trap "episcope_failed \\$? >&$2" EXIT
episcope_line=$2
shift 4
[ -z "$BASH_VERSION" ] || shopt -s execfail
eval "$episcope_env
unset episcope_env episcope_gate episcope_go
{ exec \\"\\$@\\"; } $episcope_line>&-"`;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** These have a special meaning in a shell, which changes them or does not pass them on. */
const SHELL_NAMES = ['IFS', 'OPTIND', 'OPTARG', 'PPID', 'LINENO', 'BASH_VERSION'];
/** Some shells set these; the command must get its own value, or none. */
const RESTORED = ['PWD', 'OLDPWD', 'SHLVL', '_'];
/** `>&10` is a syntax error in some shells. */
const HIGHEST = 9;

function shellStart(file: string, call: LaunchCall, all: readonly string[]): LauncherStart {
  const { command, control, procs } = call;
  const env = withInherited(call.env);
  if (Math.max(control, procs ?? 0) > HIGHEST) {
    throw cannot(command, 'that many descriptors (stdio)');
  }
  const odd = Object.keys(env).find((name) => !NAME.test(name) || SHELL_NAMES.includes(name));
  if (odd !== undefined) {
    throw cannot(command, `the environment variable ${JSON.stringify(odd)}`);
  }
  const restore = RESTORED.map((name) => {
    const value = env[name];
    return value === undefined ? `unset ${name}` : `export ${name}=${quoted(value)}`;
  });
  // busybox sets PATH for its commands.
  if (env.PATH === undefined && command.includes('/')) restore.push('unset PATH');
  // bash decrements it at an exec.
  if (/^\d{1,6}$/.test(env.SHLVL ?? '')) {
    restore.push('[ -z "$BASH_VERSION" ] || SHLVL=$((SHLVL + 1))');
  }
  return {
    file,
    args: ['-c', SHELL_SCRIPT, 'episcope', restore.join('\n'), ...all],
    // With PWD set, a shell does not look up the path of its directory, which a deleted directory does not have. With
    // SHLVL 2, bash does not mistake a socket at its standard input for a remote login.
    env: { ...env, PWD: '/proc/self/cwd', SHLVL: '2' },
    first: '',
  };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function cannot(command: string, what: string): TelemetryError {
  return new TelemetryError(
    'ERR_SPAWN_FAILED',
    `cannot start ${JSON.stringify(command)}: without the addon and without perl it is started by /bin/sh, which cannot give it ${what}`,
    { file: command },
  );
}
