#!/usr/bin/env node
/** Loads the command line. Node opens all of its files at once; if descriptors run out, only that can be reported. */
import './standard-streams.js';
import { codeOf } from '../realm/index.js';
import { complain } from './output.js';

const REFUSED = 125;

async function load(): Promise<typeof import('./command-line.js') | null> {
  try {
    return await import('./command-line.js');
  } catch (cause) {
    const code = codeOf(cause);
    if (code !== 'EMFILE' && code !== 'ENFILE') throw cause;
    complain(`too few descriptors to load its own files (${code}), so nothing was done`);
    return null;
  }
}

const commandLine = await load();
// Everything was written with blocking writes: nothing is cut off.
process.exit(commandLine === null ? REFUSED : await commandLine.exitStatus(process.argv.slice(2)));
