import { whyForeignProc } from '../../dist/host/index.js';

console.log(JSON.stringify({ pid: process.pid, why: whyForeignProc() }));
