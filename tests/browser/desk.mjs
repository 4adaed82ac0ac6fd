// desk: starts `teiten desk` on a port that is free, and ends it.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export async function startDesk(binary, data, env = {}) {
  const child = spawn(binary, ['desk', '--data', data, '--listen', '127.0.0.1:0'],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  const ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
  const origin = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /^ready: (http:\/\/[^/]+)\//.exec(line);
      if (found)
        resolve(found[1]);
    });
    child.on('exit', (code) => reject(new Error(`desk ended with status ${code} before it was ready`)));
  });
  return { origin, stop: () => { child.kill('SIGTERM'); return ended; } };
}
