export { type Callbacks, type CallbacksParameters, migrations, startCallbacks } from './start.ts'
