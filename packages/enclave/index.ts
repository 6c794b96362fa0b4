export { type Cause, causes, EnclaveFailureError } from './failures.ts'
export { type LaunchParameters, type LaunchReturnType, launch } from './launch.ts'
export { type AppLimits, defaultLimits } from './limits.ts'
export { measureRuntime } from './measure.ts'
export { Failure, Launch, Line, Outcome, Printed, Step, uploadRequest } from './pipe.ts'
export {
  defaultSizes,
  detectSandbox,
  fallenPromises,
  type RoomSizes,
  type Sandbox,
  SandboxUnavailableError,
} from './sandbox.ts'
