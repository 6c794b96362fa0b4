/** Tables of the scheduler, for whoever opens its database. */
export const migrations = [new URL('./migrations/', import.meta.url)]

export type { Policy } from './leases.ts'
export { errors, type RoutesParameters, routes, service } from './routes.ts'
export type { StatusChange, TaskView } from './view.ts'
