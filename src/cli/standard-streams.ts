/**
 * Keeps Node from touching the descriptors that the command shares with episcope.
 *
 * The first access to `process.stdout` or `process.stderr` makes a stream of the descriptor, and makes a pipe
 * non-blocking (`ioctl FIONBIO`): the flag belongs to the pipe, so the command's own writes then fail with EAGAIN when
 * its reader is slow. Node itself accesses them whenever a socket is destroyed. So both are replaced, before anything
 * else runs, by streams that write synchronously and do not inspect the descriptor.
 */
import { Writable } from 'node:stream';
import { writeErr, writeOut } from './output.js';

function replace(name: 'stdout' | 'stderr', write: (text: string) => void): void {
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      write(String(chunk));
      done();
    },
  });
  Object.defineProperty(process, name, { configurable: true, enumerable: true, value: stream });
}

replace('stdout', writeOut);
replace('stderr', writeErr);
