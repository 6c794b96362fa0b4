// An app that tries what it must not be able to do, and writes down how far it got.
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')

const [port, secretFile, ...hostPaths] = process.argv.slice(2)

function attempt(action) {
  try {
    return { ok: true, value: action() }
  } catch (error) {
    return { ok: false, code: error.code ?? String(error) }
  }
}

function connect(host, to) {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port: Number(to), timeout: 2000 })
    socket.on('connect', () => resolve('connected'))
    socket.on('timeout', () => resolve('timeout'))
    socket.on('error', (error) => resolve(error.code))
  })
}

async function main() {
  const { IEXEC_IN, IEXEC_OUT, IEXEC_DATASET_FILENAME } = process.env
  const data = fs.readFileSync(`${IEXEC_IN}/${IEXEC_DATASET_FILENAME}`, 'utf8')
  process.stdout.write(`stdout ${data} ${process.env.IEXEC_REQUESTER_SECRET_1}\n`)
  process.stderr.write(`stderr ${data} ${process.env.IEXEC_REQUESTER_SECRET_1}\n`)
  fs.writeFileSync('/tmp/scratch', data)
  const writes = ['/x', '/usr/x', '/etc/x', '/app/x', `${IEXEC_IN}/x`, `${IEXEC_IN}/${IEXEC_DATASET_FILENAME}`]
  const status = fs.readFileSync('/proc/self/status', 'utf8')
  const found = {
    data,
    argv: process.argv.slice(2),
    env: process.env,
    execPath: process.execPath,
    user: { uid: process.getuid(), name: os.userInfo().username },
    status: Object.fromEntries(status.split('\n').map((line) => line.split(/:\s+/))),
    processes: fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length,
    interfaces: Object.keys(os.networkInterfaces()),
    network: [await connect('127.0.0.1', port), await connect('1.1.1.1', 53)],
    reads: Object.fromEntries(
      ['/root', '/home', '/etc/shadow', '/work', '/var', '/run', secretFile, ...hostPaths].map((path) => [
        path,
        attempt(() => fs.statSync(path) && 'found'),
      ]),
    ),
    handles: fs.readdirSync('/proc/self/fd').map((fd) => attempt(() => fs.readlinkSync(`/proc/self/fd/${fd}`)).value),
    tmp: fs.readdirSync('/tmp'),
    root: fs.readdirSync('/'),
    mounts: fs.readFileSync('/proc/self/mounts', 'utf8'),
    writes: Object.fromEntries(writes.map((path) => [path, attempt(() => fs.writeFileSync(path, 'x'))])),
    mount: spawnSync('mount', ['-t', 'tmpfs', 'x', '/tmp']).status,
    namespace: spawnSync('unshare', ['--user', '--map-root-user', 'true']).status,
  }
  fs.writeFileSync(`${IEXEC_OUT}/found.json`, JSON.stringify(found))
  fs.writeFileSync(
    `${IEXEC_OUT}/computed.json`,
    JSON.stringify({ 'deterministic-output-path': '/iexec_out/found.json' }),
  )
}

main()
