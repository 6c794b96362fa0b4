// Run by postgres.test.ts as a process of its own: starts the database, prints its URL, waits to be killed.
import { startPostgres } from '../postgres.ts'

const [directory = '', durable] = process.argv.slice(2)
const postgres = await startPostgres({ directory, durable: durable === 'true' })
process.stdout.write(`${postgres.url()}\n`)
process.stdin.resume()
