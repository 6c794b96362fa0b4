import { chmodSync, closeSync, fstatSync, openSync, readFileSync, writeSync } from 'node:fs'
import { KeyFileError } from './errors.ts'
import { type Platform, parsePlatform, parseRoot, type SimulatorRoot } from './simulator.ts'

/** Writes a simulator root to a new file that its owner alone can read. An existing file is never overwritten. */
export function writeRoot(path: string, root: SimulatorRoot): void {
  writeSecret(path, root)
}

/** Reads a simulator root. @throws KeyFileError when others could read the file. */
export function readRoot(path: string): SimulatorRoot {
  return readSecret(path, parseRoot)
}

/** Writes a simulated platform to a new file that its owner alone can read. An existing file is never overwritten. */
export function writePlatform(path: string, platform: Platform): void {
  writeSecret(path, platform)
}

/** Reads a simulated platform. @throws KeyFileError when others could read the file. */
export function readPlatform(path: string): Platform {
  return readSecret(path, parsePlatform)
}

function writeSecret(path: string, value: SimulatorRoot | Platform): void {
  try {
    const file = openSync(path, 'wx', 0o600)
    try {
      writeSync(file, `${JSON.stringify(value, null, 2)}\n`)
    } finally {
      closeSync(file)
    }
    // Whatever the process's mask took away or left.
    chmodSync(path, 0o600)
  } catch (cause) {
    throw new KeyFileError({ path, reason: 'it cannot be written as a new file', cause })
  }
}

function readSecret<T>(path: string, parse: (value: unknown) => T): T {
  let text: string
  let mode: number
  try {
    const file = openSync(path, 'r')
    try {
      mode = fstatSync(file).mode & 0o777
      text = readFileSync(file, 'utf8')
    } finally {
      closeSync(file)
    }
  } catch (cause) {
    throw new KeyFileError({ path, reason: 'it cannot be read', cause })
  }
  if ((mode & 0o077) !== 0) {
    throw new KeyFileError({
      path,
      reason: `its mode is ${mode.toString(8)}, so others may read the key; it must be 600`,
    })
  }
  try {
    return parse(JSON.parse(text))
  } catch (cause) {
    throw new KeyFileError({ path, reason: 'it does not hold what it should', cause })
  }
}
