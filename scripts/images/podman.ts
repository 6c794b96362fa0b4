import { run } from '../run.ts'

const options = (process.env.PODMAN_OPTIONS ?? '').split(' ').filter((word) => word !== '')

/**
 * Runs podman and answers what it printed, without the blanks around it.
 *
 * @throws Error with its last lines when it fails.
 */
export async function podman([command = '', ...args]: string[]): Promise<string> {
  const own = command === 'build' || command === 'run' ? options : []
  const { code, output } = await run('podman', [command, ...own, ...args])
  if (code === 0) return output.trim()
  throw new Error(`podman ${command} ended with ${code}:\n${output.trim().split('\n').slice(-10).join('\n')}`)
}

/** Why podman cannot be used; undefined when it can. */
export async function whyUnusable(): Promise<string | undefined> {
  try {
    await podman(['version'])
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'podman is not installed' : (error as Error).message
  }
}

/** Size of an image. */
export async function megabytes(image: string): Promise<string> {
  const bytes = Number(await podman(['image', 'inspect', '--format', '{{.Size}}', image]))
  return `${(bytes / 1_000_000).toFixed(0)} MB`
}
