import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** How a program ended and everything it printed. */
export type Ended = { code: number; output: string }

/**
 * Runs one of the repository's own programs to its end.
 *
 * @param command - Name of a program in node_modules/.bin, or of one on the PATH.
 * @param options.show - Whether its output is also shown while it runs.
 * @param options.cwd - Where it runs, if not in the repository's root folder.
 */
export function run(
  command: string,
  args: string[],
  { show = false, env = {}, cwd = root }: { show?: boolean; env?: NodeJS.ProcessEnv; cwd?: string } = {},
) {
  const child = spawn(command, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`,
      FORCE_COLOR: '0',
      ...env,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk
      if (show) process.stdout.write(chunk)
    })
  }
  return new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) =>
      resolve({ code: code ?? 1, output: signal ? `${output}\nended by ${signal}` : output }),
    )
  })
}
