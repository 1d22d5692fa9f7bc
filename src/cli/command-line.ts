/** Selects the command and turns its failures into an exit status. */

import { inspect } from 'node:util';
import { TelemetryError } from '../error/index.js';
import { shortageOf } from '../kernel/errno.js';
import { doctor } from './doctor.js';
import { complain, writeErr, writeOut } from './output.js';
import { run } from './run.js';
import { parseRunOptions } from './run-options.js';
import { alteredArguments, alteredVariables } from './undecodable.js';
import { ExitStatus, MAIN_HELP, packageVersion, Refusal, RUN_HELP, UsageError } from './usage.js';

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  switch (command) {
    case 'run': {
      const options = parseRunOptions(rest);
      if (options === 'help') {
        writeOut(RUN_HELP);
        return 0;
      }
      refuseAltered(rest);
      return await run(options);
    }
    case 'doctor':
      return await doctor(rest);
    case '--help':
    case '-h':
    case 'help':
      writeOut(MAIN_HELP);
      return 0;
    case '--version':
      writeOut(`${packageVersion()}\n`);
      return 0;
    case undefined:
      writeErr(MAIN_HELP);
      return ExitStatus.USAGE;
    default:
      throw new UsageError(
        `unknown ${command.startsWith('-') ? 'option' : 'command'} ${command}; "episcope --help" lists what there is`,
      );
  }
}

/** Throws `Refusal`, because a command with altered arguments is not the one that the user gave. */
function refuseAltered(args: readonly string[]): void {
  const [altered] = alteredArguments(args);
  if (altered !== undefined) {
    throw new Refusal(
      `${JSON.stringify(args[altered])} is not UTF-8 as it was given, and would be altered; nothing was run`,
    );
  }
  const variables = alteredVariables();
  if (variables.length > 0) {
    complain(
      `not UTF-8, so that the command gets it altered: ${variables.map((name) => `$${name}`).join(', ')}`,
    );
  }
}

/** Runs the command line to its end. */
export async function exitStatus(argv: readonly string[]): Promise<number> {
  try {
    return await main(argv);
  } catch (cause) {
    if (cause instanceof UsageError || cause instanceof Refusal) {
      complain(cause.message);
      return cause instanceof UsageError ? ExitStatus.USAGE : ExitStatus.REFUSED;
    }
    const short = shortageOf(cause);
    if (short !== null) {
      complain(cause instanceof TelemetryError ? cause.message : short);
      return ExitStatus.REFUSED;
    }
    // This is a bug in episcope, so the stack is printed.
    complain(inspect(cause));
    return ExitStatus.REFUSED;
  }
}
